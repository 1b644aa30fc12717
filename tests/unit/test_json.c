/* test_json.c - JSON that is written is valid, whatever goes into it.
 *
 * Not here: the documents of the verbs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/json.h"

struct page {
    struct json json;
    FILE *out;
    char *text;
    size_t size;
};

static void page_open(struct page *page, bool is_pretty)
{
    page->out = open_memstream(&page->text, &page->size);
    assert_non_null(page->out);
    json_begin(&page->json, page->out, is_pretty);
}

static void page_expect(struct page *page, const char *text)
{
    json_finish(&page->json);
    fclose(page->out);
    assert_string_equal(page->text, text);
    free(page->text);
}

static void commas_and_nesting_are_its_own_affair(void **state)
{
    struct page page;

    (void)state;
    page_open(&page, false);
    json_object(&page.json, NULL);
    json_int(&page.json, "least", INT64_MIN);
    json_uint(&page.json, "most", UINT64_MAX);
    json_array(&page.json, "list");
    json_bool(&page.json, NULL, true);
    json_null(&page.json, NULL);
    json_object(&page.json, NULL);
    json_end(&page.json);
    json_array(&page.json, NULL);
    json_end(&page.json);
    json_end(&page.json);
    json_text(&page.json, "none", NULL);
    page_expect(&page, "{\"least\":-9223372036854775808,\"most\":18446744073709551615,"
                       "\"list\":[true,null,{},[]],\"none\":null}\n");
}

static void pretty_is_one_item_a_line(void **state)
{
    struct page page;

    (void)state;
    page_open(&page, true);
    json_object(&page.json, NULL);
    json_array(&page.json, "a");
    json_int(&page.json, NULL, 1);
    json_int(&page.json, NULL, 2);
    json_end(&page.json);
    json_object(&page.json, "b");
    page_expect(&page, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}\n");
}

static void documents_may_follow_each_other(void **state)
{
    struct page page;

    (void)state;
    page_open(&page, false);
    json_int(&page.json, NULL, 1);
    json_finish(&page.json);
    json_begin(&page.json, page.out, false);
    json_array(&page.json, NULL);
    page_expect(&page, "1\n[]\n");
}

static void text_is_escaped_and_never_steers_a_terminal(void **state)
{
    static const char bytes[] = "a\"\\/\b\f\n\r\t\x01\x1b[2J\x7f\xc2\x9b\0z";
    struct page page;

    (void)state;
    page_open(&page, false);
    json_text_bytes(&page.json, NULL, bytes, sizeof bytes - 1);
    page_expect(&page, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001b[2J\\u007f\\u009b\\u0000z\"\n");
}

static void broken_utf8_becomes_the_replacement_character(void **state)
{
    static const struct {
        const char *bytes, *expected;
    } cases[] = {
        { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\x93", "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x92\x93\"\n" },
        { "\xc3", "\"\\ufffd\"\n" },
        { "\xc0\xaf", "\"\\ufffd\\ufffd\"\n" },
        { "\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\"\n" },
        { "\xe0\x80\x80", "\"\\ufffd\\ufffd\\ufffd\"\n" },
        { "\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\"\n" },
        { "\xff" "a", "\"\\ufffda\"\n" },
        { "\xe2\x82" "a", "\"\\ufffd\\ufffda\"\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct page page;

        page_open(&page, false);
        json_text(&page.json, NULL, cases[i].bytes);
        page_expect(&page, cases[i].expected);
    }
}

static void numbers_read_back_as_themselves(void **state)
{
    static const double numbers[] = { 0.0, -0.0, 0.1, 1e300, 5e-324, 1.0 / 3.0, 9007199254740993.0, 360.0 };
    struct page page;

    (void)state;
    page_open(&page, false);
    json_array(&page.json, NULL);
    json_real(&page.json, NULL, NAN);
    json_real(&page.json, NULL, -INFINITY);
    json_real(&page.json, NULL, 360.0);
    page_expect(&page, "[null,null,360]\n");
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        page_open(&page, false);
        json_real(&page.json, NULL, numbers[i]);
        json_finish(&page.json);
        fclose(page.out);
        assert_true(strtod(page.text, NULL) == numbers[i]);
        free(page.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_nesting_are_its_own_affair),
        cmocka_unit_test(pretty_is_one_item_a_line),
        cmocka_unit_test(documents_may_follow_each_other),
        cmocka_unit_test(text_is_escaped_and_never_steers_a_terminal),
        cmocka_unit_test(broken_utf8_becomes_the_replacement_character),
        cmocka_unit_test(numbers_read_back_as_themselves),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
