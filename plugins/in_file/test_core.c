/* SPDX-License-Identifier: Apache-2.0
 *
 * test_core.c - where lines and blocks end, and what time a line has. */
#include "cut.h"
#include "times.h"

#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char cut_text[65536];

typedef struct cut cutter(const uint8_t *at, size_t have, int last, const struct cut_rule *rule);

static struct cut line_cut(const uint8_t *at, size_t have, int last, const struct cut_rule *rule)
{
    return cut_line(at, have, last, rule->most, rule->skipping);
}

/* The cuts of a text that comes in pieces: the reader sees `step` more bytes each
 * time that it asks for more. `live` cuts depend on the steps, so that they are made
 * in one. */
static const char *cuts_by(cutter *cut, const char *text, size_t most, size_t step)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t size = strlen(text), there = step < size ? step : size, offset = 0, used = 0;
    struct cut_rule rule = { most, 0, 0 };

    cut_text[0] = 0;
    for (;;) {
        struct cut c = cut(bytes + offset, there - offset, there == size, &rule);

        if (c.kind == CUT_MORE && there == size)
            return cut_text;
        if (c.kind == CUT_MORE) {
            there = there + step < size ? there + step : size;
            continue;
        }
        if (c.kind != CUT_PAST)
            used += (size_t)snprintf(cut_text + used, sizeof cut_text - used,
                                     c.kind == CUT_RECORD ? "[%.*s]" : "<%.*s>", (int)c.size, text + offset);
        assert_true(c.taken > 0 && offset + c.taken <= there);
        offset += c.taken;
        rule.skipping = c.skipping;
    }
}

static void cuts_are(cutter *cut, const char *text, size_t most, const char *wanted)
{
    size_t step;

    for (step = 1; step <= strlen(text) + 1; step++)
        assert_string_equal(cuts_by(cut, text, most, step), wanted);
}

TEST(lines_end_at_lf_and_cr_lf_however_the_bytes_come)
{
    cuts_are(line_cut, "", 4, "");
    cuts_are(line_cut, "a\nbc\r\n\n\r\nd", 4, "[a][bc][][][d]");
    cuts_are(line_cut, "a\rb\n\r", 4, "[a\rb][\r]");
    cuts_are(line_cut, "abcd\nabcd\r\nabcd", 4, "[abcd][abcd][abcd]");
}

TEST(a_line_above_the_limit_is_set_aside_and_passed_over_however_the_bytes_come)
{
    cuts_are(line_cut, "abcde\nx\n", 4, "<abcd>[x]");
    cuts_are(line_cut, "abcde\r\nx", 4, "<abcd>[x]");
    cuts_are(line_cut, "abcde", 4, "<abcd>");
    cuts_are(line_cut, "abcd\r", 4, "<abcd>");
    cuts_are(line_cut, "abcdefghijklm\n\nabcd\r\nabcdefghi\r\n", 4, "<abcd>[][abcd]<abcd>");
}

TEST(blocks_end_behind_the_last_line_that_fits)
{
    cuts_are(cut_block, "ab\ncd\nef\ngh", 7, "[ab\ncd\n][ef\ngh]");
    cuts_are(cut_block, "ab\r\ncd\r\n", 4, "[ab\r\n][cd\r\n]");
    cuts_are(cut_block, "abcd", 4, "[abcd]");
    cuts_are(cut_block, "", 4, "");
}

/* The half of a line is half a number, which its reader would take for one. */
TEST(a_line_above_the_block_is_set_aside_and_never_cut_in_two)
{
    cuts_are(cut_block, "abcdefghij\n", 4, "<abcd>");
    cuts_are(cut_block, "a\nbcdefg\nh\ni", 4, "[a\n]<bcde>[h\ni]");
    cuts_are(cut_block, "abc\r\nd\n", 4, "<abc\r>[d\n]");
    cuts_are(cut_block, "abcd\nx\n", 4, "<abcd>[x\n]");
    cuts_are(cut_block, "x\nabcde", 4, "[x\n]<abcd>");
}

TEST(a_live_block_ends_behind_the_last_whole_line)
{
    struct cut_rule live = { 100, 1, 0 }, not_live = { 100, 0, 0 };
    struct cut c = cut_block((const uint8_t *)"ab\ncd\nef", 8, 0, &live);

    assert_int_equal(c.kind, CUT_RECORD);
    assert_int_equal(c.size, 6);
    assert_int_equal(cut_block((const uint8_t *)"abc", 3, 0, &live).kind, CUT_MORE);
    assert_int_equal(cut_block((const uint8_t *)"ab\n", 3, 0, &not_live).kind, CUT_MORE);
}

#define S INT64_C(1000000000)
#define NONE INT64_MIN

static int64_t time_of(const char *line, int format, int64_t field, char delimiter)
{
    struct time_rule rule = { field, delimiter, format, 0 };
    size_t size = strlen(line);
    uint8_t *copy = malloc(size + 1); /* so that reading on is seen */
    int64_t ns = NONE;

    memcpy(copy, line, size);
    if (!times_line(&rule, copy, size, NULL, &ns))
        ns = NONE;
    free(copy);
    return ns;
}

TEST(iso_times_are_read_with_and_without_a_zone)
{
    assert_int_equal(time_of("1970-01-01T00:00:00Z", TIME_ISO8601, 1, ','), 0);
    assert_int_equal(time_of("2026-03-01T07:30:15.25+01:00,72", TIME_ISO8601, 1, ','), 1772346615 * S + S / 4);
    assert_int_equal(time_of("2026-03-01 07:30:15,72", TIME_ISO8601, 1, ','), 1772350215 * S);
    assert_int_equal(time_of("2026-03-01 07:30", TIME_ISO8601, 1, ','), 1772350200 * S);
    assert_int_equal(time_of("2026-03-01", TIME_ISO8601, 1, ','), 1772323200 * S);
    assert_int_equal(time_of("2000-02-29T23:59:60-0330", TIME_ISO8601, 1, ';'), 951881400 * S);
    assert_int_equal(time_of("1969-12-31T23:59:59.123456789123Z", TIME_ISO8601, 1, ','), -876543211);
    assert_int_equal(time_of("\xef\xbb\xbf" "1970-01-02", TIME_ISO8601, 1, ','), 86400 * S);
}

TEST(what_is_not_wholly_a_time_is_none)
{
    static const char *const bad[] = { "", ",", "time", "2026-02-29", "2026-13-01", "2026-3-1", "2026-03-01T",
                                       "2026-03-01T24:00", "2026-03-01T07:60", "2026-03-01T07:30:15.", "1677-01-01",
                                       "2262-01-01", "2026-03-01T07:30x", "2026-03-01T07:30+1",
                                       "2026-03-01T07:30+01:" };
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(time_of(bad[i], TIME_ISO8601, 1, ';'), NONE);
    assert_int_equal(time_of("99999999999999999999", TIME_UNIX_S, 1, ','), NONE);
    assert_int_equal(time_of("9999999999999", TIME_UNIX_S, 1, ','), NONE);
    assert_int_equal(time_of("1.", TIME_UNIX_S, 1, ','), NONE);
    assert_int_equal(time_of("1e9", TIME_UNIX_S, 1, ','), NONE);
    assert_int_equal(time_of("25:00", TIME_CLOCK, 1, ','), NONE);
}

TEST(numbers_since_1970_are_exact)
{
    assert_int_equal(time_of("1772350215.25", TIME_UNIX_S, 1, ','), 1772350215 * S + S / 4);
    assert_int_equal(time_of("1772350215.123456789", TIME_UNIX_S, 1, ','), 1772350215123456789);
    assert_int_equal(time_of("1772350215250", TIME_UNIX_MS, 1, ','), 1772350215 * S + S / 4);
    assert_int_equal(time_of("1772350215250.5", TIME_UNIX_MS, 1, ','), 1772350215 * S + S / 4 + 500000);
    assert_int_equal(time_of("-1.5", TIME_UNIX_S, 1, ','), -S - S / 2);
    assert_int_equal(time_of("7", TIME_UNIX_US, 1, ','), 7000);
    assert_int_equal(time_of("7.9", TIME_UNIX_NS, 1, ','), 7);
}

TEST(fields_are_counted_between_delimiters)
{
    assert_int_equal(time_of("a,b,3,d", TIME_UNIX_S, 3, ','), 3 * S);
    assert_int_equal(time_of("\"a,\"\"b\",3", TIME_UNIX_S, 2, ','), 3 * S);
    assert_int_equal(time_of("\"3\",x", TIME_UNIX_S, 1, ','), 3 * S);
    assert_int_equal(time_of(" 3 ;x", TIME_UNIX_S, 1, ';'), 3 * S);
    assert_int_equal(time_of("  a \t b  3", TIME_UNIX_S, 3, ' '), 3 * S);
    assert_int_equal(time_of("a\t\t3", TIME_UNIX_S, 3, '\t'), 3 * S);
    assert_int_equal(time_of("a,b", TIME_UNIX_S, 3, ','), NONE);
    assert_int_equal(time_of("\"3", TIME_UNIX_S, 1, ','), NONE);
}

TEST(a_clock_passes_midnight_and_takes_a_late_line_back)
{
    struct time_rule rule = { 1, ',', TIME_CLOCK, 86400 * S };
    int64_t ns = 0;

    assert_true(times_line(&rule, (const uint8_t *)"23:59:58.5", 10, NULL, &ns));
    assert_int_equal(ns, 86400 * S + 86398 * S + S / 2);
    assert_true(times_line(&rule, (const uint8_t *)"00:00", 5, &ns, &ns));
    assert_int_equal(ns, 2 * 86400 * S);
    assert_true(times_line(&rule, (const uint8_t *)"23:59:59", 8, &ns, &ns));
    assert_int_equal(ns, 2 * 86400 * S - S);
    assert_true(times_line(&rule, (const uint8_t *)"7:30", 4, &ns, &ns));
    assert_int_equal(ns, 2 * 86400 * S + 27000 * S);
}

AFF_TEST_MAIN(lines_end_at_lf_and_cr_lf_however_the_bytes_come,
              a_line_above_the_limit_is_set_aside_and_passed_over_however_the_bytes_come,
              blocks_end_behind_the_last_line_that_fits,
              a_line_above_the_block_is_set_aside_and_never_cut_in_two, a_live_block_ends_behind_the_last_whole_line,
              iso_times_are_read_with_and_without_a_zone, what_is_not_wholly_a_time_is_none,
              numbers_since_1970_are_exact, fields_are_counted_between_delimiters,
              a_clock_passes_midnight_and_takes_a_late_line_back)
