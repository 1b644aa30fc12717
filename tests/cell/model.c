/* model.c - an ordinary processor that uses all of the host, an editor, and a keeper.
 *
 * The keeper has nothing but what its host holds for it.
 *
 * It is linked into the tests and built as a shared object by them: in a thread and in
 * a process it must do the same, byte for byte. What `action` says is done in a child
 * alone; in a thread it is passed over.
 *
 * Not here: hostile plugins (hostile.c). */
#include <stdlib.h>
#include <string.h>

#include <afferent/plugin.h>

#include "model.h"

struct payload {
    uint64_t seq, action, filler[2];
};

struct model {
    const struct aff_host *host;
    const struct model_config *config;
    const struct aff_record *held[8];
    uint32_t held_count;
    uint64_t sum; /* over all records: lost without a snapshot */
};

static const struct aff_column columns[] = {
    { .name = "seq", .type = AFF_INT },
    { .name = "seen", .type = AFF_INT },
    { .name = "who", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    { .name = "sum", .type = AFF_REAL, .unit = "mV" },
};
static const struct aff_schema row = { .struct_size = sizeof row, .type = AFF_FIELDS, .name = "row", .columns = columns,
                                       .count = 4, .stride = sizeof columns[0] };
static const struct aff_port inputs[] = { { .name = "in", .doc = "Numbers.", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_port outputs[] = {
    { .name = "out", .doc = "As they came.", .types = AFF_MASK(AFF_BYTES), .passes = AFF_PASSES(0) },
    { .name = "rows", .doc = "Made.", .types = AFF_MASK(AFF_FIELDS), .schema = &row },
};
static const struct aff_verdict verdicts[] = {
    { .name = "dropped", .doc = "Not wanted.", .kind = AFF_V_DROP },
    { .name = "bad", .doc = "Bad.", .kind = AFF_V_DEAD },
    { .name = "used", .doc = "Used.", .kind = AFF_V_USED },
    { .name = "replaced", .doc = "Replaced.", .kind = AFF_V_REPLACE },
    { .name = "held", .doc = "Held.", .kind = AFF_V_HOLD },
};
static const struct aff_metric metrics[] = {
    { .name = "seen", .doc = "Records.", .kind = AFF_METRIC_COUNTER },
    { .name = "level", .doc = "The last.", .kind = AFF_METRIC_GAUGE },
};
static const struct aff_option point[] = {
    { .name = "x", .doc = "X.", .type = AFF_TYPE_INT, .offset = offsetof(struct model_point, x), .preset = "0" },
    { .name = "label", .doc = "Label.", .type = AFF_TYPE_TEXT, .offset = offsetof(struct model_point, label) },
};
static const struct aff_option item[] = { { .name = "", .doc = "A word.", .type = AFF_TYPE_TEXT } };
static const struct aff_option value[] = {
    { .name = "", .doc = "A limit.", .type = AFF_TYPE_REAL, .offset = offsetof(struct model_limit, value) },
};
static const struct aff_option options[] = {
    { .name = "add", .doc = "Added.", .type = AFF_TYPE_INT, .offset = offsetof(struct model_config, add), .preset = "0" },
    { .name = "who", .doc = "Who.", .type = AFF_TYPE_TEXT, .offset = offsetof(struct model_config, who) },
    { .name = "point", .doc = "A point.", .type = AFF_TYPE_TABLE, .offset = offsetof(struct model_config, point),
      .nested = point, .nested_count = 2, .nested_size = sizeof(struct model_point) },
    { .name = "words", .doc = "Words.", .type = AFF_TYPE_LIST, .offset = offsetof(struct model_config, words),
      .min = 1, .max = -1, .nested = item, .nested_count = 1, .nested_size = sizeof(const char *) },
    { .name = "limits", .doc = "Limits.", .type = AFF_TYPE_MAP, .offset = offsetof(struct model_config, limits),
      .min = 1, .max = -1, .nested = value, .nested_count = 1, .nested_size = sizeof(struct model_limit) },
};

static aff_status model_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct model *m = host->alloc(host, sizeof *m);
    aff_status st;

    if (!m)
        return AFF_ERR_MEMORY;
    m->host = host;
    m->config = config;
    st = host->state_open(host, 3 * sizeof(uint64_t), 0);
    if (st < 0) {
        host->free(host, m);
        return st;
    }
    *ret_self = m;
    return AFF_OK;
}

static void model_close(void *self)
{
    struct model *m = self;

    m->host->free(m->host, m);
}

/* The whole configuration, as one number. */
static uint64_t config_sum(const struct model_config *c)
{
    uint64_t sum = (uint64_t)c->add, i;

    sum = sum * 31 + (c->who ? strlen(c->who) + (uint64_t)c->who[0] : 0);
    sum = sum * 31 + (c->point ? (uint64_t)c->point->x + (uint64_t)c->point->label[0] : 0);
    for (i = 0; i < c->words.count; i++)
        sum = sum * 31 + (uint64_t)((const char *const *)c->words.items)[i][0];
    for (i = 0; i < c->limits.count; i++) {
        const struct model_limit *l = (const struct model_limit *)c->limits.items + i;

        sum = sum * 31 + (uint64_t)l->key[0] + (uint64_t)l->value;
    }
    return sum;
}

static aff_status row_make(struct model *m, const struct aff_record *r, uint32_t input, const struct payload *p)
{
    const struct aff_host *host = m->host;
    const char *who = host->subject_name(host, r->subject);
    uint64_t *seen = host->state(host, r->stream);
    struct aff_record *d = host->reserve(host, 1, input, aff_row_size(4, (uint32_t)strlen(who)));
    struct aff_row w;

    if (!d)
        return AFF_ERR_MEMORY;
    w = aff_row_begin(d, 4);
    aff_row_put_int(&w, 0, (int64_t)p->seq);
    aff_row_put_int(&w, 1, (int64_t)seen[0]);
    aff_row_put_text(&w, 2, who, (uint32_t)strlen(who));
    aff_row_put_real(&w, 3, (double)(m->sum + config_sum(m->config)));
    d->stream = host->stream(host, r->subject, "rows", d->schema);
    d->event_ns = r->event_ns + 5;
    if (p->seq % 3 == 0)
        d->flags |= AFF_FLAG_SUSPECT;
    return host->emit(host, d, aff_row_end(&w));
}

static aff_status replace(struct model *m, uint32_t input, const struct payload *p)
{
    struct aff_record *d = m->host->reserve(m->host, 0, input, 64);
    uint64_t bytes[2] = { p->seq + 1000000, m->config->random ? m->host->random(m->host) : 0 };

    if (!d)
        return AFF_ERR_MEMORY;
    memcpy(d->data, bytes, sizeof bytes);
    return m->host->emit(m->host, d, sizeof bytes);
}

static aff_status oldest_release(struct model *m)
{
    aff_status st = m->host->release(m->host, m->held[0], 0);

    memmove(m->held, m->held + 1, --m->held_count * sizeof m->held[0]);
    return st;
}

static aff_status one(struct model *m, const struct aff_batch *batch, uint32_t i)
{
    const struct aff_record *r = &batch->records[i];
    const struct payload *p = r->data;
    uint64_t *seen = m->host->state(m->host, r->stream);
    aff_status st = AFF_OK;

    if (p->action && getenv("AFFERENT_CELL"))
        model_act(p->action, batch->count);
    seen[0]++;
    m->sum += p->seq;
    m->host->count(m->host, 0, 1);
    m->host->gauge(m->host, 1, (double)p->seq);
    if (p->seq % 7 == 0)
        st = row_make(m, r, i, p);
    if (p->seq % 11 == 3)
        batch->verdicts[i] = 1;
    else if (p->seq % 13 == 5)
        batch->verdicts[i] = 2;
    else if (p->seq % 17 == 6)
        batch->verdicts[i] = 4, st = st < 0 ? st : p->seq % 7 == 0 ? AFF_OK : replace(m, i, p);
    else if (p->seq % 19 == 8 && (m->held[m->held_count] = m->host->hold(m->host, r)) != NULL)
        batch->verdicts[i] = 5, m->held_count++;
    if (p->seq % 23 == 9 && st == AFF_OK)
        st = m->host->dead(m->host, i, 2, p->seq, "part", 4);
    if (m->held_count > 3 && st == AFF_OK)
        st = oldest_release(m);
    return st;
}

static aff_status model_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    uint32_t i;

    for (i = 0; i < batch->count; i++) {
        aff_status st = one(self, batch, i);

        if (st != AFF_OK) {
            *ret_taken = i;
            return st;
        }
    }
    return AFF_OK;
}

static aff_status model_drain(void *self)
{
    struct model *m = self;

    while (m->held_count > 0)
        if (oldest_release(m) < 0)
            return AFF_ERR_MEMORY;
    return AFF_OK;
}

static aff_status model_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct model *m = self;

    *ret_size = m->config->big ? (size_t)m->config->big : sizeof m->sum;
    if (*ret_size > room)
        return AFF_OK;
    memset(buffer, 0, *ret_size);
    memcpy(buffer, &m->sum, sizeof m->sum);
    return AFF_OK;
}

static aff_status model_restore(void *self, const void *buffer, size_t size)
{
    struct model *m = self;

    if (size < sizeof m->sum)
        return AFF_ERR_DATA;
    memcpy(&m->sum, buffer, sizeof m->sum);
    while ((m->held[m->held_count] = m->host->held(m->host, m->held_count)) != NULL)
        m->held_count++;
    return AFF_OK;
}

/* ---- an editor ---- */

static aff_status edit_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct model *m = self;
    uint32_t i;

    (void)ret_taken;
    for (i = 0; i < batch->count; i++) {
        struct payload *p = batch->records[i].data;
        uint64_t *seen = m->host->state(m->host, batch->records[i].stream);

        if (p->action && getenv("AFFERENT_CELL"))
            model_act(p->action, batch->count);
        p->filler[0] += ++seen[1] + (uint64_t)m->config->add;
        batch->verdicts[i] = p->seq % 11 == 3;
    }
    return AFF_OK;
}

static const struct aff_port edited[] = {
    { .name = "in", .doc = "Numbers.", .types = AFF_MASK(AFF_BYTES), .flags = AFF_PORT_EDITS },
};

const struct aff_plugin model_editor = {
    .struct_size = sizeof model_editor, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "op_editor",
    .version = "1", .summary = "Edits.", .license = "Apache-2.0", .config_size = sizeof(struct model_config),
    .options = AFF_TABLE(options), .inputs = AFF_TABLE(edited), .outputs = { outputs, 1, sizeof outputs[0] },
    .verdicts = AFF_TABLE(verdicts), .open = model_open, .close = model_close, .process = edit_process,
};

/* ---- a keeper: the last of each batch waits for the next batch ---- */

static aff_status keep_let_go(struct model *m)
{
    const struct aff_record *held;
    aff_status st = AFF_OK;

    while (st == AFF_OK && (held = m->host->held(m->host, 0)) != NULL)
        st = m->host->release(m->host, held, 0);
    return st;
}

static aff_status keep_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct model *m = self;
    aff_status st = keep_let_go(m);

    if (st == AFF_OK && m->host->hold(m->host, &batch->records[batch->count - 1]))
        batch->verdicts[batch->count - 1] = 5;
    *ret_taken = st == AFF_OK ? batch->count : 0;
    return st;
}

static aff_status keep_drain(void *self)
{
    return keep_let_go(self);
}

const struct aff_plugin model_keeper = {
    .struct_size = sizeof model_keeper, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "op_keeper",
    .version = "1", .summary = "Keeps.", .license = "Apache-2.0", .config_size = sizeof(struct model_config),
    .options = AFF_TABLE(options), .inputs = AFF_TABLE(inputs), .outputs = { outputs, 1, sizeof outputs[0] },
    .verdicts = AFF_TABLE(verdicts), .open = model_open, .close = model_close, .process = keep_process,
    .drain = keep_drain,
};

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_model", "1");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof afferent_plugin_v1, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "op_model",
    .version = "1", .summary = "Uses all of the host.", .license = "Apache-2.0",
    .config_size = sizeof(struct model_config), .options = AFF_TABLE(options), .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs), .verdicts = AFF_TABLE(verdicts), .metrics = AFF_TABLE(metrics),
    .open = model_open, .close = model_close, .process = model_process, .drain = model_drain,
    .snapshot = model_snapshot, .restore = model_restore,
};
