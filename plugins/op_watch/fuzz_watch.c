/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_watch.c - records of any times, flags, sizes and bytes, events and timers in
 * any order, under a rule of each kind: no crash, an end, and never more commands
 * in a row than there may be.
 *
 * Eight bytes are a record: what it is, how much later, and what is in it. */
#include <rows/mini_host.h>

#include "watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const double low = 10, high = 100;

#define RULE(n, k, c, ...) { .name = n, .kind = k, .column = c, .stream = "", .beside = "", .event = "", .until = "", \
                             .command = "", .text = "", .within = 8000000000, .most = 3, __VA_ARGS__ }
#define COMMANDS .command = "reset", .retry_every = 1000000000, .command_most = 2, .command_within = 5000000000
static const struct rule_config rules[] = {
    { .name = "s", .kind = KIND_SILENT, .column = "", .stream = "", .beside = "", .event = "", .until = "", .text = "",
      .hold = 3000000000, .clear_for = 1000000000, .severity = 1, COMMANDS },
    RULE("f", KIND_FLAT, "v", .hold = 2000000000),
    RULE("r", KIND_RANGE, "v", .low = { &low, 1, sizeof low }, .high = { &high, 1, sizeof high }, .clear_for = 500000000),
    RULE("m", KIND_MISSING, "v", .severity = 2),
    RULE("d", KIND_SUSPECT, ""),
    RULE("b", KIND_RATE, ""),
    { .name = "e", .kind = KIND_EVENT, .column = "", .stream = "", .beside = "", .event = "a", .until = "b", .text = "t",
      .severity = 3, .alert = ALERT_ESCALATED, COMMANDS },
};

static const struct aff_column row_columns[] = { { .name = "v", .type = AFF_REAL, .gain = 2 },
                                                 { .name = "kind", .type = AFF_TEXT, .gain = 1 },
                                                 { .name = "count", .type = AFF_INT, .gain = 1 } };
static const struct aff_schema row_schema = { .struct_size = sizeof row_schema, .type = AFF_FIELDS, .count = 3,
                                              .columns = row_columns, .stride = sizeof row_columns[0] };
static const struct aff_schema wave_schema = { .struct_size = sizeof wave_schema, .type = AFF_SAMPLES, .format = AFF_I16,
                                               .count = 1, .columns = row_columns, .stride = sizeof row_columns[0],
                                               .rate_num = 4, .rate_den = 1 };

static const struct aff_schema *watch_schema_info(const struct aff_host *host, uint32_t schema)
{
    (void)host;
    return schema == 2 ? &row_schema : schema == 3 ? &wave_schema : NULL;
}

static const char *watch_subject_name(const struct aff_host *host, uint32_t subject)
{
    (void)host;
    (void)subject;
    return "x";
}

static void watch_set_timer(const struct aff_host *host, uint32_t subject, int64_t due_ns)
{
    (void)subject;
    memcpy(&host_of(host)->counts[7], &due_ns, sizeof due_ns);
}

static void watch_gauge(const struct aff_host *host, uint32_t metric, double value)
{
    (void)host;
    (void)metric;
    if (value < 0)
        abort(); /* less than none is raised */
}

static int64_t timer_due(const struct mini_host *h)
{
    int64_t due;

    memcpy(&due, &h->counts[7], sizeof due);
    return due;
}

/* The bytes of a record: a row with some of its cells, samples, or anything. */
static uint32_t payload_make(const uint8_t *at, struct aff_record *r, uint64_t *room)
{
    struct aff_samples *s = (void *)room;
    struct aff_row row;

    r->data = room;
    r->schema = at[0] >> 4 & 3;
    r->type = r->schema == 3 ? AFF_SAMPLES : r->schema == 2 ? AFF_FIELDS : AFF_BYTES;
    if (r->schema == 3) {
        *s = (struct aff_samples){ .count = at[3] % 32, .channels = at[4] % 2, .format = AFF_I16 };
        memset(s + 1, at[5], 64);
        return (uint32_t)aff_samples_size(s->count, s->channels, AFF_I16);
    }
    row = aff_row_begin(r, 3);
    if (at[3] & 1)
        aff_row_put_real(&row, 0, at[4]);
    if (at[3] & 2)
        aff_row_put_text(&row, 1, (const char *)at + 5, 1);
    if (at[3] & 4)
        aff_row_put_text(&row, 1, "bad_frames", 10);
    if (at[3] & 8)
        aff_row_put_int(&row, 2, (int64_t)at[6] - 10);
    if (at[3] & 16)
        room[2] = ~(uint64_t)at[7] << 20; /* a text that lies elsewhere */
    return at[3] & 32 ? at[7] : aff_row_end(&row);
}

static void record_run(struct mini_host *h, void *self, const uint8_t *at, int64_t *now)
{
    uint64_t room[32] = { 0 };
    struct aff_record r = { .stream = 1 + at[1] % 20, .subject = 1, .clock = 1 };
    uint8_t verdict = 0;
    struct aff_batch batch = { &r, &verdict, 1, at[0] & 1 };
    uint32_t taken = 0;

    *now += (int64_t)(int8_t)at[2] * (at[0] & 8 ? 10000000000 : 100000000); /* a clock that is set */
    r.event_ns = *now;
    r.flags = at[0] & 2 ? AFF_FLAG_SUSPECT : 0;
    r.id.seq = (uint64_t)*now;
    r.size = payload_make(at, &r, room);
    if (batch.port == 1 && r.schema != 2)
        return;
    h->input = &r; /* cppcheck-suppress autoVariables ; taken back below */
    if (timer_due(h) < r.event_ns && afferent_plugin_v1.timer(self, 1, timer_due(h)) != AFF_OK)
        abort();
    if (at[0] & 4) {
        if (afferent_plugin_v1.stream_end(self, batch.port, &r) != AFF_OK)
            abort();
    } else if (afferent_plugin_v1.process(self, &batch, &taken) != AFF_OK || taken != 1) {
        abort();
    }
    h->input = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct config c = { .rules = { rules, sizeof rules / sizeof rules[0], sizeof rules[0] }, .stream = "d",
                              .place = size % 2 ? "p {subject}" : "p" };
    struct mini_host h;
    int64_t now = 1000000000, never = INT64_MAX;
    void *self = NULL;
    size_t at;

    mini_open(&h);
    h.host.schema_info = watch_schema_info;
    h.host.subject_name = watch_subject_name;
    h.host.timer = watch_set_timer;
    h.host.gauge = watch_gauge;
    memcpy(&h.counts[7], &never, sizeof never);
    if (afferent_plugin_v1.open(&h.host, &c, &self) != AFF_OK)
        abort();
    for (at = 0; at + 8 <= size; at += 8)
        record_run(&h, self, data + at, &now);
    if (afferent_plugin_v1.drain(self) != AFF_OK)
        abort();
    afferent_plugin_v1.close(self);
    mini_close(&h);
    return 0;
}
