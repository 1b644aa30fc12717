/* test_fill.c - texts with places in braces, and one line out of anything. */
#include "text/fill.h"

#include <afferent/testkit.h>

#include <stdio.h>
#include <string.h>

static const struct aff_column columns[] = {
    { .name = "text", .type = AFF_TEXT }, { .name = "rate", .type = AFF_REAL }, { .name = "count", .type = AFF_INT },
    { .name = "since", .type = AFF_TIME }, { .name = "on", .type = AFF_BOOL },  { .name = "id", .type = AFF_TEXT },
};
static const struct aff_schema rows = { .struct_size = sizeof rows, .type = AFF_FIELDS, .name = "rows", .columns = columns,
                                        .count = 6, .stride = sizeof columns[0] };

static const char *filled(const char *template, const char *words, size_t length)
{
    static char ret[4096];
    static uint64_t data[1024];
    struct aff_record record = { .id = { 0x1f, 42 }, .event_ns = INT64_C(1772712000) * 1000000000, .data = data, .type = AFF_FIELDS };
    struct fill_row row = { &record, &rows, "bed 3", NULL };
    struct aff_row w = aff_row_begin(&record, 6);
    struct fill f;
    struct text t = { 0 };

    if (words)
        aff_row_put_text(&w, 0, words, (uint32_t)length);
    aff_row_put_real(&w, 1, 7.4);
    aff_row_put_int(&w, 2, -3);
    aff_row_put_int(&w, 3, 0);
    aff_row_put_int(&w, 4, 1);
    record.size = aff_row_end(&w);
    assert_null(fill_read(&f, template, true));
    fill_write(&t, &f, &row);
    assert_true(t.size < sizeof ret);
    if (t.size > 0)
        memcpy(ret, t.bytes, t.size);
    ret[t.size] = '\0';
    text_free(&t);
    return ret;
}

TEST(names_are_columns_or_time_subject_stream_and_id)
{
    assert_string_equal(filled("{{{text}}} {rate} {count} {since} {on}", "x", 1), "{x} 7.4 -3 1970-01-01 00:00:00Z true");
    assert_string_equal(filled("{time} {subject} {stream}", "x", 1), "2026-03-05 12:00:00Z bed 3 -");
    assert_string_equal(filled("{id}", "x", 1), "-"); /* the column, which is missing, and not the record's */
    assert_string_equal(filled("{text} {nothing}", NULL, 0), "- -");
    assert_string_equal(filled("a\n", NULL, 0), "a\n");
}

TEST(a_value_is_one_line_of_utf8_and_short)
{
    char many[2000];
    const char *out;

    assert_string_equal(filled("{text}", "a\r\nb\0c\x7f\xc2\x85\xe2\x80\xa8\xe2\x80\xae\xd8\x9c.", 18), "a  b c     .");
    assert_string_equal(filled("{text}", "\xff\xc3\xa4\xed\xa0\x80\xf0\x9f\x98\x80", 10),
                        "\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80");
    assert_string_equal(filled("{text}", "{text}", 6), "{text}");
    for (size_t i = 0; i + 1 < sizeof many; i += 2)
        memcpy(many + i, "\xc3\xa4", 2);
    out = filled("{text}", many, sizeof many);
    assert_true(strlen(out) <= FILL_VALUE_MOST && strlen(out) >= FILL_VALUE_MOST - 2);
    assert_string_equal(out + strlen(out) - 3, "...");
    assert_true(text_is_utf8(out, strlen(out)));
}

TEST(texts_that_are_no_templates_are_refused)
{
    static const char *const bad[] = { "{", "}", "{a", "a}b", "{}", "{a{b}}", "{{}", "\xff", "a\rb", "\x1b[1m" };
    char many[300] = "";
    struct fill f;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(fill_read(&f, bad[i], true));
    assert_non_null(fill_read(&f, "a\nb", false));
    for (int i = 0; i < 40; i++)
        strcat(many, "{a} ");
    assert_non_null(fill_read(&f, many, false));
}

AFF_TEST_MAIN(names_are_columns_or_time_subject_stream_and_id, a_value_is_one_line_of_utf8_and_short,
              texts_that_are_no_templates_are_refused)
