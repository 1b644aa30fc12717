/* SPDX-License-Identifier: Apache-2.0
 *
 * testing.h - for the tests of op_csv and op_json: texts in, rows out as lines
 * that can be compared: "subject@time name=value ...". */
#ifndef ROWS_TESTING_H
#define ROWS_TESTING_H

#include <afferent/testkit.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DUMP_ROOM = 1 << 16 };

static inline uint32_t text_stream(struct aff_harness *h, const char *subject, const char *name)
{
    static const struct aff_schema bytes = { .struct_size = sizeof bytes, .type = AFF_BYTES, .name = "text" };

    return aff_harness_stream(h, subject, name, &bytes);
}

/* A record of these bytes, at event time 1000 s. */
static inline aff_status push_bytes(struct aff_harness *h, uint32_t stream, const void *bytes, size_t size,
                                    uint16_t flags)
{
    struct aff_record r = { .event_ns = INT64_C(1000000000000), .stream = stream, .size = (uint32_t)size,
                            .flags = flags, .clock = AFF_CLOCK_DEVICE };
    union {
        const void *from;
        void *to;
    } data = { bytes };

    r.data = data.to;
    return aff_harness_push_record(h, "in", &r);
}

static inline void push_text(struct aff_harness *h, uint32_t stream, const char *text)
{
    push_bytes(h, stream, text, strlen(text), 0);
}

static inline void dump_cell(struct aff_harness *h, const struct aff_record *r, const struct aff_column *c, FILE *to)
{
    const char *text;

    switch (c->type) {
    case AFF_REAL:
        fprintf(to, " %s=%.17g", c->name, aff_harness_real(h, r, c->name));
        break;
    case AFF_TEXT:
        text = aff_harness_text(h, r, c->name);
        fprintf(to, " %s='%s'", c->name, text ? text : "");
        break;
    default:
        fprintf(to, " %s=%" PRId64, c->name, aff_harness_int(h, r, c->name));
    }
}

/* All rows that wait, as text; the caller frees it. Absent cells are left out. */
static inline char *rows_dump(struct aff_harness *h)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    const struct aff_record *r;
    uint32_t i;

    assert_non_null(to);
    while ((r = aff_harness_take(h, "rows"))) {
        const struct aff_schema *schema;
        const struct aff_stream_info *info = aff_harness_stream_info(h, r->stream);

        if (r->flags & AFF_FLAG_END) {
            fprintf(to, "%s end\n", info->subject_name);
            continue;
        }
        schema = aff_harness_schema(h, r);
        fprintf(to, "%s%s@%" PRId64, info->subject_name, r->flags & AFF_FLAG_GAP ? "!" : "", r->event_ns / 1000000000);
        for (i = 0; i < schema->count; i++)
            if (aff_row_has(r, i))
                dump_cell(h, r, &schema->columns[i], to);
        fputc('\n', to);
    }
    fclose(to);
    return text;
}

static inline void expect_rows(struct aff_harness *h, const char *wanted)
{
    char *text = rows_dump(h);

    assert_string_equal(text, wanted);
    free(text);
}

/* One text, one stream "s" of subject "A", then its end. */
static inline struct aff_harness *feed_text_cut(const char *plugin, const char *toml, const char *text, size_t size,
                                                size_t cut)
{
    struct aff_harness *h = aff_harness_open(plugin, toml);
    uint32_t stream = text_stream(h, "A", "s");
    size_t at, n;

    for (at = 0; at < size; at += n) {
        n = cut && size - at > cut ? cut : size - at;
        push_bytes(h, stream, text + at, n, 0);
    }
    aff_harness_end_stream(h, "in", stream);
    return h;
}

/* However the text is cut, it comes out as it came out of `h`, which took it whole;
 * `h` is closed. */
static inline void expect_same_cut(struct aff_harness *h, const char *plugin, const char *toml, const char *text,
                                   size_t size)
{
    static const size_t cuts[] = { 1, 2, 3, 7, 64, 1000, 4096 };
    uint64_t digest = aff_harness_digest(h), dead = aff_harness_ledger(h).dead;
    size_t i;

    aff_harness_close(&h);
    for (i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
        h = feed_text_cut(plugin, toml, text, size, cuts[i]);
        assert_true(aff_harness_digest(h) == digest);
        assert_int_equal(aff_harness_ledger(h).dead, dead);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
}

/* Nor does it matter how batches are cut, and how often the plugin is begun anew. */
static inline void expect_same_restarted(const char *plugin, const char *toml, const char *text, size_t size)
{
    enum { PIECE = 50, RESTART = 10000 };
    struct aff_harness *h = feed_text_cut(plugin, toml, text, size, PIECE);
    uint64_t digest = aff_harness_digest(h);
    uint32_t cut, stream;
    size_t at;

    aff_harness_close(&h);
    for (cut = 0; cut < 3; cut++) {
        h = aff_harness_open(plugin, toml);
        stream = text_stream(h, "A", "s");
        aff_harness_cut(h, cut == 2 ? 64 : cut);
        for (at = 0; at < size; at += PIECE) {
            push_bytes(h, stream, text + at, size - at < PIECE ? size - at : PIECE, 0);
            if (at % RESTART == RESTART - PIECE)
                aff_harness_restart(h);
        }
        aff_harness_end_stream(h, "in", stream);
        assert_true(aff_harness_digest(h) == digest);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
}

/* Begun anew between any two texts, the plugin still knows which subjects to end with
 * which stream. Texts: rows of a and b; of c, in another stream; of b again. */
static inline void expect_ends_restarted(const char *plugin, const char *toml, const char *const texts[3])
{
    struct aff_harness *h = aff_harness_open(plugin, toml);
    uint32_t stream = text_stream(h, "ward", "s"), other = text_stream(h, "ward", "t");
    int i;

    for (i = 0; i < 3; i++) {
        push_text(h, i == 1 ? other : stream, texts[i]);
        aff_harness_restart(h);
    }
    aff_harness_end_stream(h, "in", stream);
    expect_rows(h, "a@1000 v=1\nb@1000 v=2\nc@1000 v=3\nb@1000 v=4\na end\nb end\n");
    aff_harness_restart(h);
    aff_harness_end_stream(h, "in", other);
    expect_rows(h, "c end\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* What a whole text comes out as. */
static inline void expect_text(const char *plugin, const char *toml, const char *text, const char *wanted)
{
    struct aff_harness *h = feed_text_cut(plugin, toml, text, strlen(text), 0);

    expect_rows(h, wanted);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

#endif
