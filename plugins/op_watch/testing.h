/* SPDX-License-Identifier: Apache-2.0
 *
 * testing.h - for the tests of op_watch: records at times in, what was found out as
 * lines: "11.5 events silent raised". */
#ifndef OP_WATCH_TESTING_H
#define OP_WATCH_TESTING_H

#include <afferent/testkit.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define LATER(s) ((int64_t)((s) * 1e9))

static const struct aff_schema bytes_schema = { .struct_size = sizeof bytes_schema, .type = AFF_BYTES, .name = "frames" };
static const struct aff_column rows_columns[] = {
    { .name = "hr", .type = AFF_REAL }, { .name = "state", .type = AFF_INT }, { .name = "note", .type = AFF_TEXT },
};
static const struct aff_schema rows_schema_of = { .struct_size = sizeof rows_schema_of, .type = AFF_FIELDS, .name = "rows",
                                               .columns = rows_columns, .count = 3, .stride = sizeof rows_columns[0] };
static const struct aff_column events_columns[] = {
    { .name = "kind", .type = AFF_TEXT }, { .name = "count", .type = AFF_INT },
};
static const struct aff_schema events_schema = { .struct_size = sizeof events_schema, .type = AFF_FIELDS,
                                                 .name = "events", .columns = events_columns, .count = 2,
                                                 .stride = sizeof events_columns[0] };

static inline uint32_t frames_of(struct aff_harness *h, const char *subject)
{
    return aff_harness_stream(h, subject, "line", &bytes_schema);
}

static inline uint32_t rows_of(struct aff_harness *h, const char *subject)
{
    return aff_harness_stream(h, subject, "rows", &rows_schema_of);
}

static inline uint32_t events_of(struct aff_harness *h, const char *subject)
{
    return aff_harness_stream(h, subject, "events", &events_schema);
}

static inline aff_status push_at(struct aff_harness *h, const char *port, uint32_t stream, double at, void *data,
                                 uint32_t size, uint16_t flags)
{
    struct aff_record r = { .event_ns = LATER(at), .stream = stream, .data = data, .size = size, .flags = flags,
                            .clock = AFF_CLOCK_SYNCED };

    return aff_harness_push_record(h, port, &r);
}

static inline aff_status push_frame(struct aff_harness *h, uint32_t stream, double at)
{
    char frame[] = "frame";

    return push_at(h, "in", stream, at, frame, 5, 0);
}

/* A row of hr and state; NaN and -1: none. */
static inline aff_status push_row_flags(struct aff_harness *h, uint32_t stream, double at, double hr, int64_t state,
                                        uint16_t flags)
{
    uint64_t cells[4] = { 0 };
    struct aff_record r = { .data = cells };
    struct aff_row row = aff_row_begin(&r, 3);

    if (hr == hr)
        aff_row_put_real(&row, 0, hr);
    if (state >= 0)
        aff_row_put_int(&row, 1, state);
    return push_at(h, "in", stream, at, cells, aff_row_end(&row), flags);
}

static inline aff_status push_hr(struct aff_harness *h, uint32_t stream, double at, double hr)
{
    return push_row_flags(h, stream, at, hr, -1, 0);
}

static inline aff_status push_event(struct aff_harness *h, uint32_t stream, double at, const char *kind, int64_t count)
{
    uint64_t cells[3 + 8] = { 0 };
    struct aff_record r = { .data = cells };
    struct aff_row row = aff_row_begin(&r, 2);

    aff_row_put_text(&row, 0, kind, (uint32_t)strlen(kind));
    if (count >= 0)
        aff_row_put_int(&row, 1, count);
    return push_at(h, "events", stream, at, cells, aff_row_end(&row), 0);
}

static inline void found_dump(struct aff_harness *h, const char *port, FILE *to)
{
    const struct aff_record *r;

    while ((r = aff_harness_take(h, port))) {
        const struct aff_stream_info *info = aff_harness_stream_info(h, r->stream);

        if (r->flags & AFF_FLAG_END) {
            fprintf(to, "end %s of %s\n", info->name, info->subject_name);
            continue;
        }
        fprintf(to, "%g %s of %s: %s", (double)r->event_ns / 1e9, info->name, info->subject_name,
                aff_harness_text(h, r, "rule"));
        if (strcmp(port, "commands") == 0)
            fprintf(to, " sends %s %" PRId64 "\n", aff_harness_text(h, r, "command"), aff_harness_int(h, r, "count"));
        else if (strcmp(port, "alerts") == 0)
            fprintf(to, " %s %s since %g: %s\n", aff_harness_text(h, r, "severity"), aff_harness_text(h, r, "state"),
                    (double)aff_harness_int(h, r, "since") / 1e9, aff_harness_text(h, r, "text"));
        else
            fprintf(to, " %s %s\n", aff_harness_text(h, r, "kind"), aff_harness_text(h, r, "state"));
    }
}

/* All that was found since: events, then commands, then alerts. */
static inline void expect_found(struct aff_harness *h, const char *wanted)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);

    assert_non_null(to);
    found_dump(h, "events", to);
    found_dump(h, "commands", to);
    found_dump(h, "alerts", to);
    fclose(to);
    assert_string_equal(text, wanted);
    free(text);
}

#endif
