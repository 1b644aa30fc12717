/* SPDX-License-Identifier: Apache-2.0
 *
 * test_network.c - the kit's side of what network plugins ask of a host: answers with a
 * reason, rouse from a thread, flush, notes, ids that a relay keeps, names.
 *
 * Not here: plain answers (test_harness.c), descriptors (test_device.c). */
#include <afferent/testkit.h>

#include <pthread.h>

#include "said.h"

/* ---- a sink that gathers, with a thread ---- */

struct config {
    const char *act;
};
struct sink {
    const struct aff_host *host;
    const struct config *config;
    struct aff_id gathered[16];
    uint32_t count;
    pthread_t thread;
    int is_joinable;
};

enum { V_EXPIRED = 1, V_REFUSED = 2, V_HELD = 3 };

static const struct aff_option options[] = {
    AFF_OPT_TEXT(struct config, act, 0, "\"good\"", "What the peer answers."),
};
static const struct aff_port inputs[] = { { "in", "What is sent.", NULL, AFF_MASK(AFF_BYTES), 0, 0, 0, 0 } };
static const struct aff_verdict verdicts[] = {
    { "expired", "Too old.", AFF_V_DROP, 0, 0 },
    { "not_wanted", "Refused.", AFF_V_DEAD, 0, 0 },
    { "used", "Used.", AFF_V_USED, 0, 0 },
};

static int acts(const struct sink *s, const char *act)
{
    return strcmp(s->config->act, act) == 0;
}

static aff_status sink_validate(const void *config, const struct aff_report *report)
{
    if (strcmp(((const struct config *)config)->act, "danger") == 0)
        report->note(report, "act", "any server is accepted (%d)", 1);
    return AFF_OK;
}

static aff_status sink_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct sink *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = config;
    *ret_self = s;
    return AFF_OK;
}

static void sink_close(void *self)
{
    struct sink *s = self;

    if (s->is_joinable)
        (void)pthread_join(s->thread, NULL);
    s->host->free(s->host, s);
}

static void answer(struct sink *s, struct aff_id id)
{
    const struct aff_host *host = s->host;

    if (acts(s, "refuses"))
        host->answer(host, id, AFF_ERR_DATA, V_REFUSED, "HTTP 422");
    else if (acts(s, "expires"))
        host->answer(host, id, AFF_OK, V_EXPIRED, NULL);
    else if (acts(s, "other_row"))
        host->answer(host, id, AFF_OK, V_REFUSED, NULL);
    else if (acts(s, "no_row"))
        host->answer(host, id, AFF_OK, 9, NULL);
    else if (acts(s, "long"))
        host->answer(host, id, AFF_OK, 0, "12345678901234567890123456789012345678901234567890123456789012345678901234567890");
    else if (acts(s, "named"))
        host->answer(host, id, AFF_OK, 0, "bytes on in is known here");
    else if (acts(s, "busy"))
        host->ack(host, id, AFF_AGAIN);
    else
        host->ack(host, id, AFF_OK);
}

static aff_status sink_flush(void *self)
{
    struct sink *s = self;

    while (s->count > 0)
        answer(s, s->gathered[--s->count]);
    return AFF_OK;
}

static void *rouse_run(void *self)
{
    struct sink *s = self;

    s->host->rouse(s->host);
    return NULL;
}

/* What comes again is taken. */
static aff_status sink_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    static const struct config good = { "good" };
    struct sink *s = self;

    for (; *ret_taken < batch->count && s->count < 16; ++*ret_taken) {
        if (batch->records[*ret_taken].flags & AFF_FLAG_RESENT)
            s->config = &good;
        s->gathered[s->count++] = batch->records[*ret_taken].id;
    }
    if (acts(s, "thread") && !s->is_joinable)
        s->is_joinable = pthread_create(&s->thread, NULL, rouse_run, s) == 0;
    return *ret_taken == batch->count ? AFF_OK : AFF_AGAIN;
}

static const struct aff_plugin sink_plugin = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .flags = AFF_ACKS,
    .name = "probe_net", .version = "1.0.0", .summary = "Sends.", .license = "Apache-2.0",
    .config_size = sizeof(struct config), .options = AFF_TABLE(options), .inputs = AFF_TABLE(inputs),
    .verdicts = AFF_TABLE(verdicts), .validate = sink_validate, .open = sink_open, .close = sink_close,
    .write = sink_write, .wake = sink_flush, .flush = sink_flush,
};

static struct aff_harness *sink_with(const char *act)
{
    char toml[64];

    (void)snprintf(toml, sizeof toml, "act = \"%s\"", act);
    return aff_harness_open_linked(&sink_plugin, toml);
}

TEST(an_answer_has_a_row_and_words)
{
    struct aff_harness *h = sink_with("refuses");

    aff_harness_push(h, "in", "bytes", "1", 1);
    EXPECT_STATUS(aff_harness_press(h), AFF_OK);
    EXPECT_VERDICT(h, "not_wanted", 1);
    EXPECT_DEAD(h, 1);
    assert_string_equal(aff_harness_answer(h), "HTTP 422");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    h = sink_with("expires");
    aff_harness_push(h, "in", "bytes", "1", 1);
    EXPECT_STATUS(aff_harness_press(h), AFF_OK);
    EXPECT_VERDICT(h, "expired", 1);
    assert_int_equal(aff_harness_ledger(h).dropped, 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_busy_peer_is_offered_it_again)
{
    struct aff_harness *h = sink_with("busy");

    aff_harness_push(h, "in", "bytes", "1", 1);
    EXPECT_STATUS(aff_harness_press(h), AFF_OK);
    assert_int_equal(aff_harness_unanswered(h), 1);
    EXPECT_STATUS(aff_harness_press(h), AFF_OK);
    assert_int_equal(aff_harness_unanswered(h), 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_thread_rouses_the_lane)
{
    struct aff_harness *h = sink_with("thread");

    EXPECT_STATUS(aff_harness_ready(h, 0), AFF_AGAIN);
    aff_harness_push(h, "in", "bytes", "1", 1);
    EXPECT_STATUS(aff_harness_ready(h, 60000), AFF_OK);
    assert_int_equal(aff_harness_rouses(h), 1);
    assert_int_equal(aff_harness_unanswered(h), 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_plugin_knows_its_place)
{
    struct aff_harness *h = sink_with("good");
    const struct sink *s = aff_harness_self(h);

    assert_string_equal(s->host->node, "node");
    assert_string_equal(s->host->pipeline, "test");
    assert_true(s->host->window_records > 0 && s->host->window_epochs > 1);
    aff_harness_close(&h);
}

TEST(what_is_allowed_on_purpose_is_noted)
{
    aff_harness_link(&sink_plugin);
    assert_null(aff_harness_notes("probe_net", ""));
    assert_null(aff_harness_check("probe_net", "act = \"danger\""));
    assert_string_equal(aff_harness_notes("probe_net", "act = \"danger\""), "act: any server is accepted (1)\n");
}

/* ---- a source that relays ---- */

struct relay {
    const struct aff_host *host;
    uint64_t seq;
};

static const struct aff_port relay_out[] = { { "out", "What came.", NULL, AFF_MASK(AFF_BYTES), 0, 0, 0, 0 } };

static aff_status relay_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct relay *s = host->alloc(host, sizeof *s);

    (void)config;
    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->seq = 2;
    *ret_self = s;
    return AFF_OK;
}

static void relay_close(void *self)
{
    ((struct relay *)self)->host->free(((struct relay *)self)->host, self);
}

/* Two with ids, then one without. */
static aff_status relay_read(void *self, uint32_t want)
{
    static const struct aff_schema schema = { sizeof schema, AFF_BYTES, 0, 0, 0, "relayed", NULL, 0, 0, 0, 0 };
    struct relay *s = self;
    struct aff_record *r = s->host->reserve(s->host, 0, AFF_NO_INPUT, 1);

    (void)want;
    if (!r)
        return AFF_ERR_MEMORY;
    *(char *)r->data = 'x';
    r->schema = s->host->schema(s->host, &schema);
    r->type = AFF_BYTES;
    r->subject = s->host->subject(s->host, "nobody");
    r->stream = s->host->stream(s->host, r->subject, "one", r->schema);
    if (s->seq > 0)
        r->id = (struct aff_id){ 9, s->seq-- };
    r->flags |= AFF_FLAG_RESENT;
    return s->host->emit(s->host, r, 1);
}

static const struct aff_plugin relay_plugin = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .flags = AFF_KEEPS_IDS,
    .name = "probe_relay", .version = "1.0.0", .summary = "Relays.", .license = "Apache-2.0",
    .outputs = AFF_TABLE(relay_out), .open = relay_open, .close = relay_close, .read = relay_read,
};

TEST(a_relay_keeps_ids_and_their_mark)
{
    struct aff_harness *h = aff_harness_open_linked(&relay_plugin, "");
    const struct aff_record *r;
    uint64_t seq;

    for (seq = 2; seq > 0; seq--) {
        EXPECT_STATUS(aff_harness_read(h, 1), AFF_OK);
        r = aff_harness_take(h, "out");
        assert_int_equal(r->id.source, 9);
        assert_int_equal(r->id.seq, seq);
        assert_true(r->flags & AFF_FLAG_RESENT);
    }
    aff_harness_close(&h);
}

/* ---- what breaks the rules ---- */

static void sends(const char *act)
{
    struct aff_harness *h = sink_with(act);

    aff_harness_push(h, "in", "bytes", "1", 1);
    (void)aff_harness_press(h);
}

static void relays(const char *act)
{
    struct aff_harness *h = aff_harness_open_linked(&relay_plugin, act);

    while (aff_harness_read(h, 1) == AFF_OK)
        continue;
}

static void opens_wrong(const char *act)
{
    static struct aff_plugin bad;

    bad = act[0] == 'f' ? sink_plugin : relay_plugin;
    if (act[0] == 'f')
        bad.flags = 0;
    else
        bad.kind = AFF_PROCESSOR;
    bad.process = act[0] == 'f' ? NULL : sink_write;
    (void)aff_harness_open_linked(&bad, "");
}

TEST(answers_and_ids_that_are_none_are_caught)
{
    assert_non_null(strstr(said(sends, "other_row"), "was given verdict not_wanted with status 0"));
    assert_non_null(strstr(said(sends, "no_row"), "was given verdict 9; the table has 3"));
    assert_non_null(strstr(said(sends, "long"), "words that are no short line"));
    assert_non_null(strstr(said(relays, ""), "keeps ids emitted a record without one"));
    assert_non_null(strstr(said(opens_wrong, "flush"), "AFF_ACKS"));
    assert_non_null(strstr(said(opens_wrong, "keeps"), "AFF_KEEPS_IDS is for sources"));
}

AFF_TEST_MAIN(an_answer_has_a_row_and_words, a_busy_peer_is_offered_it_again, a_thread_rouses_the_lane,
              a_plugin_knows_its_place, what_is_allowed_on_purpose_is_noted, a_relay_keeps_ids_and_their_mark,
              answers_and_ids_that_are_none_are_caught)
