/* SPDX-License-Identifier: Apache-2.0
 *
 * test_random.c - properties, on frames made at random: what was written is read
 * back; garbage in front, and how frames are put into records, change nothing; any
 * bytes at all leave the accounts balanced.
 *
 * Not here: single cases (test_op_parse.c). */
#include <rows/testing.h>

#include <math.h>
#include <stdbool.h>

enum { FRAMES = 400, ROOM = 1 << 16 };

/* SplitMix64 (Steele, Lea and Flood 2014, OOPSLA, figure 5). */
static uint64_t next(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static uint32_t below(uint64_t *seed, uint32_t most)
{
    return (uint32_t)(next(seed) % most);
}

#define MAP \
    "frames = [{ key = \"AB\", columns = [{ name = \"n\", field = 1, type = \"int\" }, { name = \"t\", field = 2, type = \"text\" }] },\n" \
    "{ key = \"A\", separator = \",\", columns = [{ name = \"r\", field = 3 }] },\n" \
    "{ kind = \"pairs\", separator = \"|\", columns = [{ name = \"p\", from = \"pp\", type = \"int\" }, { name = \"q\" }] }]\n"

/* A frame, and the row that it has to make. */
static void frame_make(uint64_t *seed, char *frame, char *row, size_t room)
{
    int n = (int)below(seed, 100000) - 50000, q = (int)below(seed, 1000);
    char t[8] = { 0 };
    uint32_t i, size = 1 + below(seed, 6);

    for (i = 0; i < size; i++)
        t[i] = (char)('a' + below(seed, 26));
    switch (below(seed, 3)) {
    case 0:
        (void)snprintf(frame, room, "AB=%d;%s;%s", n, t, below(seed, 2) ? "A=1,2,3" : "");
        (void)snprintf(row, room, "A@1000 n=%d t='%s'\n", n, t);
        break;
    case 1:
        (void)snprintf(frame, room, "A=%s,,%d.5", t, n);
        (void)snprintf(row, room, "A@1000 r=%.17g\n", n < 0 ? n - 0.5 : n == 0 ? 0.5 : n + 0.5);
        break;
    default:
        (void)snprintf(frame, room, below(seed, 2) ? "pp=%d|q=%d" : "pp=%d|x|q=%d|", n, q);
        (void)snprintf(row, room, "A@1000 p=%d q=%d\n", n, q);
    }
}

/* Bytes without a line end, the last of which is no text and no part of one. */
static size_t garbage_make(uint64_t *seed, char *to)
{
    size_t size = below(seed, 40), i;

    for (i = 0; i < size; i++) {
        to[i] = (char)below(seed, 256);
        if (to[i] == '\r')
            to[i] = 'A';
    }
    if (size)
        to[size - 1] = (char)0xfb;
    return size;
}

struct made {
    char *bytes, *rows;
    size_t size, used;
    size_t ends[FRAMES];
};

static struct made frames_make(uint64_t seed)
{
    struct made m = { malloc(ROOM), calloc(1, ROOM), 0, 0, { 0 } };
    char frame[128], row[128];
    uint32_t i;

    assert_non_null(m.bytes);
    assert_non_null(m.rows);
    for (i = 0; i < FRAMES; i++) {
        frame_make(&seed, frame, row, sizeof frame);
        m.size += garbage_make(&seed, m.bytes + m.size);
        memcpy(m.bytes + m.size, frame, strlen(frame));
        m.size += strlen(frame);
        m.bytes[m.size++] = '\r';
        m.ends[i] = m.size;
        memcpy(m.rows + m.used, row, strlen(row));
        m.used += strlen(row);
    }
    return m;
}

/* Frames put into records, `at_once` of them in each; 0: as many as chance wants. */
static void made_expect(const struct made *m, uint32_t at_once, uint64_t seed)
{
    struct aff_harness *h = aff_harness_open("op_parse", "start = \"key\"\nsplit = \"cr\"\n" MAP);
    uint32_t stream = text_stream(h, "A", "s"), i = 0, n;
    size_t from = 0, end;

    while (i < FRAMES) {
        n = at_once ? at_once : 1 + below(&seed, 20);
        if (n > FRAMES - i)
            n = FRAMES - i;
        end = m->ends[i + n - 1];
        push_bytes(h, stream, m->bytes + from, end - from, 0);
        from = end;
        i += n;
        if (below(&seed, 50) == 0)
            aff_harness_restart(h);
    }
    expect_rows(h, m->rows);
    EXPECT_METRIC(h, "rows", FRAMES);
    EXPECT_METRIC(h, "bad_frames", 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(what_was_written_is_read_back_behind_any_garbage_and_in_any_records)
{
    uint64_t seed;

    for (seed = 1; seed <= 20; seed++) {
        struct made m = frames_make(seed);

        made_expect(&m, 1, seed);
        made_expect(&m, FRAMES, seed);
        made_expect(&m, 0, seed);
        free(m.bytes);
        free(m.rows);
    }
}

static void bytes_store(unsigned char *to, uint64_t value, uint32_t width, bool big)
{
    uint32_t i;

    for (i = 0; i < width; i++)
        to[big ? width - 1 - i : i] = (unsigned char)(value >> 8 * i);
}

/* Signed integers of 1, 2, 3, 4 and 8 bytes, in both orders. */
TEST(integers_of_any_width_are_read_back)
{
    static const struct { const char *raw; uint32_t width; } kinds[] = { { "i8", 1 }, { "i16", 2 }, { "i24", 3 },
                                                                         { "i32", 4 }, { "i64", 8 } };
    uint64_t seed = 7;
    uint32_t k, i;

    for (k = 0; k < 10; k++) {
        const char *raw = kinds[k / 2].raw;
        uint32_t width = kinds[k / 2].width;
        char toml[256], wanted[64];
        struct aff_harness *h;

        (void)snprintf(toml, sizeof toml, "frames = [{ kind = \"binary\", endian = \"%s\", columns = [{ name = \"v\", at = 3, "
                       "raw = \"%s\", type = \"int\" }] }]", k % 2 ? "big" : "little", raw);
        h = aff_harness_open("op_parse", toml);
        for (i = 0; i < 100; i++) {
            int64_t v = (int64_t)next(&seed) >> (64 - 8 * width);
            unsigned char bytes[16] = { 0 };

            bytes_store(bytes + 3, (uint64_t)v, width, k % 2);
            push_bytes(h, text_stream(h, "A", "s"), bytes, 3 + width, 0);
            (void)snprintf(wanted, sizeof wanted, "A@1000 v=%" PRId64 "\n", v);
            expect_rows(h, wanted);
        }
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
}

TEST(any_bytes_at_all_leave_the_accounts_balanced)
{
    static const char *const starts[] = { "frame", "key", "anywhere" };
    uint64_t seed = 99;
    uint32_t k, i;

    for (k = 0; k < 3; k++) {
        char toml[2048];
        struct aff_harness *h;
        struct aff_harness_ledger l;

        (void)snprintf(toml, sizeof toml, "start = \"%s\"\nsplit = \"lines\"\n%s", starts[k], MAP);
        h = aff_harness_open("op_parse", toml);
        for (i = 0; i < 3000; i++) {
            static const char likely[] = "AB=;|pq,0123456789.\r\n\xfb\xc3\xa9 ";
            char bytes[64];
            uint32_t n, size = below(&seed, sizeof bytes);

            for (n = 0; n < size; n++)
                bytes[n] = below(&seed, 8) ? likely[below(&seed, sizeof likely - 1)] : (char)below(&seed, 256);
            push_bytes(h, text_stream(h, "A", "s"), bytes, size, 0);
        }
        l = aff_harness_ledger(h);
        assert_int_equal(l.in, 3000);
        assert_true(aff_harness_metric(h, "rows") > 0 && aff_harness_metric(h, "no_match") > 0);
        assert_true(fabs(aff_harness_metric(h, "bad_frames") - (double)l.dead) < 0.5);
        aff_harness_discard(h, "rows");
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
}

AFF_TEST_MAIN(what_was_written_is_read_back_behind_any_garbage_and_in_any_records, integers_of_any_width_are_read_back,
              any_bytes_at_all_leave_the_accounts_balanced)
