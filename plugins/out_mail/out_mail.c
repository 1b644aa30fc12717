/* SPDX-License-Identifier: Apache-2.0
 *
 * out_mail.c - rows as mails, by SMTP: alerts to people.
 *
 * A row is acknowledged when a mail server has taken the mail that tells of it; where
 * it goes from there, and whether anybody reads it, this node cannot know. Nothing of a
 * row, of an address or of a password is in any message.
 *
 * Not here: what is gathered and sent (post.h), how a mail looks (letter.h). */
#include <afferent/plugin.h>

#include "post.h"

static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "Alerts, or rows of any columns that subject and body name.",
      .types = AFF_MASK(AFF_FIELDS) },
};

static const struct aff_verdict verdicts[] = {
    { "refused", "The mail server refused its mail for every address.", AFF_V_DEAD, 0, 0 },
};

static const struct aff_metric metrics[] = {
    { "mails", "Mails that an address has; one to three addresses counts three times.", "mails", AFF_METRIC_COUNTER, 0 },
    { "told", "Records that at least one address has.", "records", AFF_METRIC_COUNTER, 0 },
    { "only_counted", "Records for which a mail had no line, only a number.", "records", AFF_METRIC_COUNTER, 0 },
    { "refused", "Mails that an address refused, or could not take in time.", "mails", AFF_METRIC_COUNTER, 0 },
    { "later", "Mails that an address could not take now.", "mails", AFF_METRIC_COUNTER, 0 },
    { "failed", "Attempts for which no server was there, or none that takes mails.", "attempts", AFF_METRIC_COUNTER, 0 },
};

struct sink {
    const struct aff_host *host;
    struct post *post;
    struct forms forms;
    struct item item;
    struct text work;
};

static void sink_close(void *self)
{
    struct sink *s = self;

    if (s->post)
        post_close(s->post);
    text_free(&s->work);
    s->host->free(s->host, s);
}

static void dangers_tell(const struct aff_host *host, const struct config *c)
{
    if (c->skip_verification)
        host->log(host, AFF_LOG_WARN, "skip_verification: any server is believed, and who stands in between can read and change "
                  "what is sent");
    if (c->allow_plain)
        host->log(host, AFF_LOG_WARN, "allow_plain: what is sent can be read on the way");
}

static aff_status sink_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct sink *s = host->alloc(host, sizeof *s);
    aff_status st;

    if (!s)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the sink");
    s->host = host;
    if (fill_read(&s->forms.subject, c->subject, false) || fill_read(&s->forms.body, c->body, true)) {
        sink_close(s);
        return host->explain(host, AFF_ERR_BUG, "subject and body were not validated");
    }
    st = post_open(host, c, &s->post);
    if (st != AFF_OK) {
        sink_close(s);
        return st;
    }
    dangers_tell(host, c);
    *ret_self = s;
    return AFF_OK;
}

static aff_status record_take(struct sink *s, const struct aff_record *r)
{
    struct fill_row row;

    if (!fill_row_get(&row, s->host, r))
        return AFF_ERR_DATA;
    if (item_fill(&s->item, &s->forms, &row, &s->work))
        return post_put(s->post, &s->item);
    text_free(&s->work);
    return s->host->explain(s->host, AFF_ERR_MEMORY, "no memory for a record");
}

static aff_status sink_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct sink *s = self;
    aff_status st = AFF_OK;
    uint32_t i;

    (void)post_tell(s->post);
    post_begin(s->post);
    for (i = 0; i < batch->count && st == AFF_OK; i++)
        st = record_take(s, &batch->records[i]);
    post_end(s->post);
    *ret_taken = st == AFF_OK ? i : i - 1;
    return st;
}

static aff_status sink_wake(void *self)
{
    struct sink *s = self;

    return post_tell(s->post);
}

static aff_status sink_flush(void *self)
{
    struct sink *s = self;

    post_flush(s->post);
    return AFF_OK;
}

static void sink_stop(void *self)
{
    struct sink *s = self;

    (void)post_tell(s->post);
}

AFF_PLUGIN_NOTE(AFF_SINK, "out_mail", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SINK,
    .flags = AFF_BLOCKS | AFF_ACKS,
    .name = "out_mail",
    .version = "1.0.0",
    .summary = "Sends alerts, and other rows, to people by mail (SMTP).",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(mail_options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_NO_TABLE,
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = mail_validate,
    .shape = mail_shape,
    .open = sink_open,
    .close = sink_close,
    .stop = sink_stop,
    .write = sink_write,
    .wake = sink_wake,
    .drain = sink_flush,
    .flush = sink_flush,
};
