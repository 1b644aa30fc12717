/* SPDX-License-Identifier: Apache-2.0
 *
 * test_split.c - rows as python3's csv module reads them, from texts that it
 * wrote and from scrawls; whole, and with the text growing byte by byte.
 *
 * Not here: headers, values, dead letters (test_op_csv.c). */
#include <afferent/testkit.h>

#include <rows/split.h>

#include <stdio.h>
#include <stdlib.h>

enum { CASES = 4000 };

static uint32_t number_take(const unsigned char **at)
{
    uint32_t n = (uint32_t)(*at)[0] | (uint32_t)(*at)[1] << 8 | (uint32_t)(*at)[2] << 16 | (uint32_t)(*at)[3] << 24;

    *at += 4;
    return n;
}

static struct split *split_new(char delimiter)
{
    struct split *s = calloc(1, sizeof *s);

    assert_non_null(s);
    s->fields = calloc(FIELDS_MOST, sizeof *s->fields);
    s->dialect.delimiter = delimiter;
    s->dialect.quote = '"';
    return s;
}

static void split_free(struct split *s)
{
    free(s->fields);
    free(s);
}

/* The row in hand against the one that python read. */
static void row_compare(const struct split *s, const char *text, const unsigned char **wanted)
{
    uint32_t i, size, count = number_take(wanted);
    char plain[1024];

    assert_int_equal(s->count, count);
    for (i = 0; i < count; i++) {
        const struct field *f = &s->fields[i];

        size = f->doubled ? split_undouble(text + f->at, f->size, '"', plain) : f->size;
        assert_int_equal(size, number_take(wanted));
        assert_memory_equal(f->doubled ? plain : text + f->at, *wanted, size);
        *wanted += size;
    }
}

/* All rows of a text; `wanted` is where python's begin. */
static void text_compare(struct split *s, const char *text, size_t size, const unsigned char **wanted)
{
    struct split_text t = { text, size, 0, SIZE_MAX, true, true };
    uint32_t rows = number_take(wanted);
    size_t at;

    split_text(s, text, size);
    for (at = 0; at < size; at = s->end) {
        enum split_kind kind = split_row(s, &t, at);

        assert_true(kind == SPLIT_ROW || kind == SPLIT_EMPTY);
        assert_true(s->end > at);
        if (kind == SPLIT_EMPTY)
            continue;
        assert_true(rows-- > 0);
        row_compare(s, text, wanted);
    }
    assert_int_equal(rows, 0);
}

/* A row is not seen before its end is, and then it is the same. */
static void growing_compare(struct split *s, const char *text, size_t size)
{
    struct split_text whole = { text, size, 0, SIZE_MAX, true, true }, part = { text, 0, 0, SIZE_MAX, false, false };
    enum split_kind kind;
    size_t at, row_end;

    for (at = 0; at < size; at = row_end) {
        split_text(s, text, size);
        kind = split_row(s, &whole, at);
        row_end = s->end;
        for (part.size = at + 1; part.size <= size; part.size++) {
            split_text(s, text, part.size);
            if (split_row(s, &part, at) != SPLIT_MORE)
                break;
        }
        if (part.size > size)
            continue; /* the last row has no line end */
        assert_true(s->end == row_end || (text[row_end - 1] == '\n' && s->end + 1 == row_end));
        part.size = size;
        split_text(s, text, size);
        assert_int_equal(split_row(s, &part, at), kind);
    }
}

TEST(rows_are_those_that_python_reads)
{
    const char *folder = getenv("AFFERENT_SRCDIR");
    static unsigned char bytes[16 << 20];
    const unsigned char *at = bytes;
    char command[1024];
    size_t size;
    FILE *p;
    int i;

    snprintf(command, sizeof command, "python3 '%s/plugins/op_csv/rows_by_python.py' 1 %d 2>/dev/null",
             folder ? folder : ".", CASES);
    p = popen(command, "r");
    assert_non_null(p);
    size = fread(bytes, 1, sizeof bytes, p);
    if (pclose(p) != 0 || size == 0)
        AFF_SKIP("python3 is not there");
    assert_true(size < sizeof bytes);
    for (i = 0; i < CASES; i++) {
        struct split *s = split_new((char)*at++);
        uint32_t length = number_take(&at);
        char *text = malloc(length + 1u);

        assert_non_null(text);
        memcpy(text, at, length);
        at += length;
        text_compare(s, text, length, &at);
        growing_compare(s, text, length);
        free(text);
        split_free(s);
    }
    assert_true(at == bytes + size);
}

/* Every byte stands alone in a block, at its end, and behind it. */
TEST(nothing_is_missed_at_the_edges_of_blocks)
{
    char text[200];
    size_t size, at;

    for (size = 1; size < 150; size++)
        for (at = 0; at < size; at++) {
            struct split *s = split_new(',');
            struct split_text t = { text, size, 0, SIZE_MAX, true, true };
            char *exact = malloc(size);

            memset(text, 'x', sizeof text);
            text[at] = ',';
            memcpy(exact, text, size);
            t.text = exact;
            split_text(s, exact, size);
            assert_int_equal(split_row(s, &t, 0), SPLIT_ROW);
            assert_int_equal(s->count, 2);
            assert_int_equal(s->fields[0].size, at);
            free(exact);
            split_free(s);
        }
}

AFF_TEST_MAIN(rows_are_those_that_python_reads, nothing_is_missed_at_the_edges_of_blocks)
