/* SPDX-License-Identifier: Apache-2.0
 *
 * probe.c - a processor that does one thing, named by its option `act`.
 *
 * Each act is a few lines and breaks (or keeps) one rule of the contract. The
 * names are used by test_breach.c and test_harness.c.
 *
 * Not here: sources (probe_source.c). */
#include "probe.h"

#include <string.h>

struct config {
    const char *act;
    int64_t low, high;
};
struct probe {
    const struct aff_host *host;
    const struct config *config;
    const struct aff_record *kept;
    const void *kept_data;
    uint32_t schema;
    uint64_t calls;
};
struct seen { /* host->state */
    uint64_t records;
};
enum { V_PASS, V_DROP, V_DEAD, V_HOLD, V_SWAP, V_ASIDE };
enum { OUT, EDITED, MADE };
enum { M_SEEN, M_LEVEL };

static const struct aff_option options[] = {
    AFF_OPT_TEXT(struct config, act, 0, "\"pass\"", "What the probe does."),
    AFF_OPT_INT(struct config, low, 0, "0", 0, 10, NULL, "Must not be above high."),
    AFF_OPT_INT(struct config, high, 0, "10", 0, 10, NULL, "Must not be below low."),
};
#define ANY (AFF_MASK(AFF_BYTES) | AFF_MASK(AFF_FIELDS) | AFF_MASK(AFF_SAMPLES))
static const struct aff_port inputs[] = {
    { "in", "Looked at.", NULL, ANY, 0, 0, 0, 0 },
    { "edit", "Edited in place.", NULL, ANY, AFF_PORT_EDITS, 0, 0, 0 },
};
static const struct aff_port outputs[] = {
    { "out", "What went in.", NULL, ANY, 0, AFF_PASSES(0), 0, 0 },
    { "edited", "What was edited.", NULL, ANY, 0, AFF_PASSES(1), 0, 0 },
    { "made", "What was made.", NULL, ANY, 0, 0, 0, 0 },
};
static const struct aff_verdict verdicts[] = {
    { "unwanted", "Dropped.", AFF_V_DROP, 0, 0 },       { "unusable", "Dead.", AFF_V_DEAD, 0, 0 },
    { "kept", "Held.", AFF_V_HOLD, 0, 0 },              { "swapped", "Replaced.", AFF_V_REPLACE, 0, 0 },
    { "aside", "Goes to made.", AFF_V_PORT, MADE, 0 },
};
static const struct aff_metric metrics[] = {
    { "seen", "Records seen.", NULL, AFF_METRIC_COUNTER, 0 },
    { "level", "Some level.", NULL, AFF_METRIC_GAUGE, 0 },
};
static const struct aff_column row_columns[] = {
    { "value", NULL, NULL, AFF_INT, 0, 0, { 0 }, 0, 0 },
    { "note", NULL, NULL, AFF_TEXT, 0, 0, { 0 }, 0, 0 },
};
static const struct aff_schema row_schema = {
    sizeof row_schema, AFF_FIELDS, 0, 0, 0, "rows", row_columns, 2, sizeof row_columns[0], 0, 0,
};

/* One row with this number, behind `input`. */
static aff_status make(struct probe *p, uint32_t input, int64_t value)
{
    struct aff_record *draft = p->host->reserve(p->host, MADE, input, aff_row_size(2, 4));
    struct aff_row row;

    if (!draft)
        return AFF_ERR_MEMORY;
    draft->type = AFF_FIELDS;
    draft->schema = p->schema;
    row = aff_row_begin(draft, 2);
    aff_row_put_int(&row, 0, value);
    aff_row_put_text(&row, 1, "text", 4);
    return p->host->emit(p->host, draft, aff_row_end(&row));
}

typedef aff_status act_call(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken);

/* ------------------------------------------------------------------ good acts */

static aff_status act_pass(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    p->host->count(p->host, M_SEEN, b->count);
    *ret_taken = b->count;
    return AFF_OK;
}

static aff_status act_count(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    for (*ret_taken = 0; *ret_taken < b->count; ++*ret_taken) {
        const struct aff_record *r = &b->records[*ret_taken];
        struct seen *seen = p->host->state(p->host, r->stream);

        if (make(p, *ret_taken, (int64_t)seen->records + 1) < 0)
            return AFF_ERR_MEMORY;
        seen->records++;
    }
    return AFF_OK;
}

static aff_status act_edit(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    uint32_t i;

    (void)p;
    for (i = 0; i < b->count; i++)
        ((unsigned char *)b->records[i].data)[0] ^= 0xff;
    *ret_taken = b->count;
    return AFF_OK;
}

/* Names a verdict by the first byte of each record: '0' to '5'. */
static aff_status act_choose(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    uint32_t i;

    for (i = 0; i < b->count; i++) {
        uint8_t v = (uint8_t)(((const char *)b->records[i].data)[0] - '0');

        *ret_taken = i;
        if (v == V_HOLD && !p->host->hold(p->host, &b->records[i]))
            v = V_DROP;
        if (v == V_SWAP && make(p, i, 7) < 0)
            return AFF_ERR_MEMORY;
        if (v == 9)
            return p->host->explain(p->host, AFF_ERR_DATA, "byte 0 is not one of 0 to 5");
        b->verdicts[i] = v;
    }
    *ret_taken = i;
    return AFF_OK;
}

/* Takes one record, then waits for a second of boot time. */
static aff_status act_again(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    if (p->calls++ % 2 == 0) {
        p->host->wake_at(p->host, p->host->now_ns(p->host) + 1000000000);
        return AFF_AGAIN;
    }
    *ret_taken = 1;
    return b->count == 1 ? AFF_OK : AFF_AGAIN;
}

/* Holds all, and at the fourth lets the oldest go by what the host says of them. */
static aff_status act_held(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    const struct aff_record *oldest;

    if (!p->host->hold(p->host, &b->records[0]))
        return AFF_ERR_MEMORY;
    b->verdicts[0] = V_HOLD;
    *ret_taken = 1;
    if (!p->host->held(p->host, 3))
        return b->count == 1 ? AFF_OK : AFF_AGAIN;
    while ((oldest = p->host->held(p->host, 0)) != NULL && p->host->held(p->host, 1) != NULL)
        if (p->host->release(p->host, oldest, V_PASS) < 0)
            return AFF_ERR_BUG;
    return AFF_OK;
}

static aff_status act_kept_oldest(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    uint32_t i;

    for (i = 0; i < b->count; i++) {
        const struct aff_record *old = p->kept;

        p->kept = p->host->hold(p->host, &b->records[i]);
        if (p->kept)
            b->verdicts[i] = V_HOLD;
        if (old && p->host->release(p->host, old, V_PASS) < 0)
            return AFF_ERR_BUG;
    }
    *ret_taken = b->count;
    return AFF_OK;
}

/* ------------------------------------------------------------------- bad acts */

static aff_status act_bad_verdict(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    b->verdicts[0] = 6;
    return act_pass(p, b, ret_taken);
}

static aff_status act_emit_nothing(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    struct aff_record draft = b->records[0];

    (void)p->host->emit(p->host, &draft, 1);
    return act_pass(p, b, ret_taken);
}

static aff_status act_emit_more(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    struct aff_record *draft = p->host->reserve(p->host, MADE, 0, 8);

    (void)p->host->emit(p->host, draft, 9);
    return act_pass(p, b, ret_taken);
}

static aff_status act_write_more(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    struct aff_record *draft = p->host->reserve(p->host, MADE, 0, 8);

    memset(draft->data, 0, 9);
    (void)p->host->emit(p->host, draft, 8);
    return act_pass(p, b, ret_taken);
}

static aff_status act_write_far(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    struct aff_record *draft = p->host->reserve(p->host, MADE, 0, 8);

    ((volatile char *)draft->data)[16] = 1;
    return act_pass(p, b, ret_taken);
}

static aff_status act_emit_twice(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    struct aff_record *draft = p->host->reserve(p->host, MADE, 0, 8);

    draft->type = b->records[0].type;
    draft->schema = b->records[0].schema;
    (void)p->host->emit(p->host, draft, 8);
    draft->flags = AFF_FLAG_GAP;
    return act_pass(p, b, ret_taken);
}

static aff_status act_untyped(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    (void)p->host->emit(p->host, p->host->reserve(p->host, MADE, 0, 8), 8);
    return act_pass(p, b, ret_taken);
}

static aff_status act_bad_row(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    struct aff_record *draft = p->host->reserve(p->host, MADE, 0, aff_row_size(2, 0));
    struct aff_row row = aff_row_begin(draft, 2);

    draft->type = AFF_FIELDS;
    draft->schema = p->schema;
    aff_row_put_text(&row, 1, "", 0);
    row.cells[2] = (uint64_t)9 << 32 | 24;
    (void)p->host->emit(p->host, draft, aff_row_end(&row));
    return act_pass(p, b, ret_taken);
}

static aff_status act_take_more(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    (void)p;
    *ret_taken = b->count + 1;
    return AFF_AGAIN;
}

static aff_status act_take_part(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    (void)p;
    *ret_taken = b->count - 1;
    return AFF_OK;
}

static aff_status act_fail_all(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    (void)act_pass(p, b, ret_taken);
    return AFF_ERR_DATA;
}

static aff_status act_odd_status(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    (void)act_pass(p, b, ret_taken);
    return 17;
}

static aff_status act_read_beyond(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    p->calls += ((const volatile unsigned char *)b->records[0].data)[(b->records[0].size + 15u) / 16u * 16u];
    return act_pass(p, b, ret_taken);
}

static aff_status act_keep_payload(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    if (p->kept_data)
        p->calls += *(const volatile unsigned char *)p->kept_data;
    p->kept_data = b->records[0].data;
    return act_pass(p, b, ret_taken);
}

static aff_status act_alloc(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    p->host->free(p->host, p->host->alloc(p->host, 8));
    return act_pass(p, b, ret_taken);
}

static aff_status act_verdict_late(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    (void)make(p, 1, 0);
    b->verdicts[0] = V_DROP;
    return act_pass(p, b, ret_taken);
}

static aff_status act_falling(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    (void)make(p, 1, 0);
    (void)make(p, 0, 0);
    return act_pass(p, b, ret_taken);
}

static aff_status act_emit_untaken(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    (void)make(p, 0, (int64_t)b->count);
    *ret_taken = 0;
    return AFF_AGAIN;
}

static aff_status act_edit_untaken(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    (void)act_edit(p, b, ret_taken);
    *ret_taken = 0;
    return AFF_AGAIN;
}

static aff_status act_hold_only(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    (void)p->host->hold(p->host, &b->records[0]);
    return act_pass(p, b, ret_taken);
}

static aff_status act_hold_copy(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    struct aff_record copy = b->records[0];

    (void)p->host->hold(p->host, &copy);
    return act_pass(p, b, ret_taken);
}

static aff_status act_say_held(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    b->verdicts[0] = V_HOLD;
    return act_pass(p, b, ret_taken);
}

static aff_status act_release_twice(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    if (p->kept) {
        (void)p->host->release(p->host, p->kept, V_PASS);
        (void)p->host->release(p->host, p->kept, V_PASS);
    }
    p->kept = p->host->hold(p->host, &b->records[0]);
    b->verdicts[0] = V_HOLD;
    return act_pass(p, b, ret_taken);
}

static aff_status act_swap_nothing(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    b->verdicts[0] = V_SWAP;
    return act_pass(p, b, ret_taken);
}

static aff_status act_log_name(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    p->host->log(p->host, AFF_LOG_INFO, "a record of %s", p->host->subject_name(p->host, b->records[0].subject));
    return act_pass(p, b, ret_taken);
}

static aff_status act_wrong_metric(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    p->host->count(p->host, M_LEVEL, 1);
    return act_pass(p, b, ret_taken);
}

static aff_status act_copied_table(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    struct aff_host copy = *p->host;

    (void)copy.now_ns(&copy);
    return act_pass(p, b, ret_taken);
}

static aff_status act_memory_as_io(struct probe *p, const struct aff_batch *b, uint32_t *ret_taken)
{
    if (make(p, 0, 0) < 0)
        return AFF_ERR_IO;
    return act_pass(p, b, ret_taken);
}

static const struct {
    const char *name;
    act_call *call;
} acts[] = {
    { "pass", act_pass }, { "count", act_count }, { "edit", act_edit }, { "choose", act_choose },
    { "again", act_again }, { "kept_oldest", act_kept_oldest }, { "bad_verdict", act_bad_verdict },
    { "emit_nothing", act_emit_nothing }, { "emit_more", act_emit_more }, { "write_more", act_write_more },
    { "write_far", act_write_far }, { "emit_twice", act_emit_twice }, { "untyped", act_untyped },
    { "bad_row", act_bad_row }, { "take_more", act_take_more }, { "take_part", act_take_part },
    { "fail_all", act_fail_all }, { "odd_status", act_odd_status }, { "read_beyond", act_read_beyond },
    { "keep_payload", act_keep_payload }, { "alloc", act_alloc }, { "verdict_late", act_verdict_late },
    { "falling", act_falling }, { "emit_untaken", act_emit_untaken }, { "edit_untaken", act_edit_untaken },
    { "held", act_held }, { "hold_only", act_hold_only }, { "hold_copy", act_hold_copy }, { "say_held", act_say_held },
    { "release_twice", act_release_twice }, { "swap_nothing", act_swap_nothing }, { "log_name", act_log_name },
    { "wrong_metric", act_wrong_metric }, { "copied_table", act_copied_table }, { "memory_as_io", act_memory_as_io },
};

/* ------------------------------------------------------------------ callbacks */

static int acts_as(const struct probe *p, const char *name)
{
    return strcmp(p->config->act, name) == 0;
}

static aff_status probe_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;

    if (c->low <= c->high)
        return AFF_OK;
    report->problem(report, "low", "%d is above high, %d", (int)c->low, (int)c->high);
    return strcmp(c->act, "validate_ok") == 0 ? AFF_OK : AFF_ERR_CONFIG;
}

static aff_status probe_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct probe *p = host->alloc(host, sizeof *p);

    if (!p)
        return AFF_ERR_MEMORY;
    p->host = host;
    p->config = config;
    p->schema = host->schema(host, &row_schema);
    if (acts_as(p, "open_leaks"))
        return AFF_ERR_IO;
    if (acts_as(p, "open_reserves"))
        (void)host->reserve(host, MADE, AFF_NO_INPUT, 8);
    if (!p->schema || host->state_open(host, sizeof(struct seen), 0) != AFF_OK) {
        host->free(host, p);
        return AFF_ERR_MEMORY;
    }
    if (acts_as(p, "state_twice"))
        (void)host->state_open(host, 8, 0);
    *ret_self = p;
    return AFF_OK;
}

static void probe_close(void *self)
{
    struct probe *p = self;
    const struct aff_host *host = p->host;

    if (acts_as(p, "leak"))
        return;
    if (acts_as(p, "close_reserves"))
        (void)host->reserve(host, MADE, AFF_NO_INPUT, 8);
    if (acts_as(p, "free_twice"))
        host->free(host, p);
    host->free(host, p);
}

static void probe_stop(void *self)
{
    struct probe *p = self;

    if (acts_as(p, "stop_reserves"))
        (void)p->host->reserve(p->host, MADE, AFF_NO_INPUT, 8);
}

static aff_status probe_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct probe *p = self;
    size_t i;

    for (i = 0; i < sizeof acts / sizeof acts[0]; i++)
        if (acts_as(p, acts[i].name))
            return acts[i].call(p, batch, ret_taken);
    return act_pass(p, batch, ret_taken);
}

static aff_status probe_wake(void *self)
{
    struct probe *p = self;

    p->host->count(p->host, M_SEEN, 1);
    p->host->gauge(p->host, M_LEVEL, (double)p->host->now_ns(p->host));
    return AFF_OK;
}

static aff_status probe_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    struct probe *p = self;
    const struct seen *seen = p->host->state(p->host, mark->stream);

    (void)port;
    if (acts_as(p, "mark_kept"))
        p->kept = mark;
    return acts_as(p, "count") ? make(p, AFF_NO_INPUT, -(int64_t)seen->records) : AFF_OK;
}

static aff_status probe_drain(void *self)
{
    struct probe *p = self;

    if (acts_as(p, "mark_kept") && p->kept)
        p->calls += p->kept->stream;
    if (acts_as(p, "kept_oldest") && p->kept)
        return p->host->release(p->host, p->kept, V_DROP);
    return AFF_OK;
}

static aff_status probe_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct probe *p = self;

    *ret_size = sizeof p->calls;
    if (room >= sizeof p->calls || (room && acts_as(p, "snapshot_greedy")))
        memcpy(buffer, &p->calls, room < sizeof p->calls ? room : sizeof p->calls);
    return AFF_OK;
}

static aff_status probe_restore(void *self, const void *buffer, size_t size)
{
    struct probe *p = self;

    if (size != sizeof p->calls)
        return AFF_ERR_DATA;
    memcpy(&p->calls, buffer, size);
    if (acts_as(p, "kept_oldest"))
        p->kept = p->host->held(p->host, 0);
    return AFF_OK;
}

const struct aff_plugin probe_plugin = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR,
    .name = "probe", .version = "1.0.0", .summary = "Does what a test asks.", .license = "Apache-2.0",
    .config_size = sizeof(struct config), .options = AFF_TABLE(options), .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs), .verdicts = AFF_TABLE(verdicts), .metrics = AFF_TABLE(metrics),
    .validate = probe_validate, .open = probe_open, .close = probe_close, .stop = probe_stop,
    .process = probe_process, .wake = probe_wake, .stream_end = probe_stream_end, .drain = probe_drain,
    .snapshot = probe_snapshot, .restore = probe_restore,
};
