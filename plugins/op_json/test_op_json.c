/* SPDX-License-Identifier: Apache-2.0
 *
 * test_op_json.c - the plugin on the test kit: objects in, rows out, dead letters.
 *
 * Not here: numbers and times (rows/test_*.c). */
#include <rows/testing.h>

#define HR "columns = [{ name = \"hr\", keep_text = true }]\n"
#define RECORD "framing = \"record\"\n"
#define STREAM "framing = \"stream\"\n"

TEST(columns_come_out_typed_with_time_and_subject)
{
    static const char toml[] =
        "subject = \"patient.id\"\ntime = { from = \"t\", format = \"unix_ms\" }\n"
        "columns = [{ name = \"hr\", from = \"/vitals/0/value\" }, { name = \"ok\", type = \"bool\" },\n"
        " { name = \"note\", type = \"text\" }, { name = \"all\", from = \"vitals\", type = \"text\" }]";

    expect_text("op_json", toml,
                "{\"t\":5000,\"patient\":{\"id\":\"P1\"},\"vitals\":[{\"value\": 7.2e1 },{}],\"ok\":true,\"note\":\"a\\n\\u00e9\"}",
                "P1@5 hr=72 ok=1 note='a\n\xc3\xa9' all='[{\"value\": 7.2e1 },{}]'\nP1 end\n");
}

TEST(numbers_keep_their_text)
{
    expect_text("op_json", HR STREAM, "{\"hr\":1.250}\n{\"hr\": -0 }\n{\"hr\":\"7\"}\n{\"hr\":null}\n{}\n",
                "A@1000 hr=1.25 hr_text='1.250'\nA@1000 hr=-0 hr_text='-0'\nA@1000 hr=7 hr_text='7'\nA@1000\nA@1000\nA end\n");
    expect_text("op_json", STREAM "columns = [{ name = \"i\", type = \"int\" }, { name = \"x\", type = \"text\" }]",
                "{\"i\":9223372036854775807,\"x\":12345678901234567890123}\n{\"x\":false,\"i\":75.0}\n{\"x\":{ \"a\" : [1] } }",
                "A@1000 i=9223372036854775807 x='12345678901234567890123'\nA@1000 i=75 x='false'\n"
                "A@1000 x='{ \"a\" : [1] }'\nA end\n");
}

TEST(without_columns_objects_are_flattened)
{
    expect_text("op_json", STREAM, "{\"a\":1,\"b\":{\"c\":\"x\",\"d\":{\"e\":true}},\"f\":[1, 2],\"g\":null}\n{\"a\":9007199254740993}\n"
                "{\"a\":123456789012345678901}\n{\"a\":1e400}\n",
                "A@1000 a=1 b.c='x' b.d.e=1 f='[1, 2]'\nA@1000 a=9007199254740993\nA@1000 a='123456789012345678901'\n"
                "A@1000 a='1e400'\nA end\n");
    expect_text("op_json", STREAM "subject = \"p.id\"\ntime = { from = \"/p/t\", format = \"unix_s\" }",
                "{\"p\":{\"id\":\"X\",\"t\":7}}\n", "X@7 p.id='X' p.t=7\nX end\n");
}

TEST(a_record_is_an_object_an_array_or_lines)
{
    struct aff_harness *h = aff_harness_open("op_json", HR RECORD);
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "{ \"hr\":\n 1 }\n");
    push_text(h, stream, "\xef\xbb\xbf[{\"hr\":2},\n{\"hr\":3}]");
    push_text(h, stream, "{\"hr\":4}\r\n\r\n{\"hr\":5}\r\n");
    push_text(h, stream, "[]");
    push_text(h, stream, " \n");
    expect_rows(h, "A@1000 hr=1 hr_text='1'\nA@1000 hr=2 hr_text='2'\nA@1000 hr=3 hr_text='3'\nA@1000 hr=4 hr_text='4'\n"
                "A@1000 hr=5 hr_text='5'\n");
    EXPECT_VERDICT(h, "no_rows", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(root_names_the_place_of_the_rows)
{
    struct aff_harness *h = aff_harness_open("op_json", HR RECORD "root = \"/data/1\"");
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "{\"x\":[{}],\"data\":[0,[{\"hr\":1},{\"hr\":2}],3],\"y\":1}");
    push_text(h, stream, "{\"data\":[0]}");
    push_text(h, stream, "{\"data\":[0,{\"hr\":3}],\"data\":[0,{\"hr\":4}]}");
    expect_rows(h, "A@1000 hr=1 hr_text='1'\nA@1000 hr=2 hr_text='2'\n");
    EXPECT_VERDICT(h, "no_root", 1);
    EXPECT_VERDICT(h, "duplicate_key", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* `verdict` NULL: for whatever reason. */
static void one_bad(const char *toml, const char *text, const char *verdict)
{
    struct aff_harness *h = aff_harness_open("op_json", toml);
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, text);
    push_text(h, stream, "{\"hr\":70}");
    if (verdict)
        EXPECT_VERDICT(h, verdict, 1);
    EXPECT_DEAD(h, 1);
    EXPECT_METRIC(h, "rows", 1);
    EXPECT_METRIC(h, "bad_rows", 1);
    EXPECT_WAITING(h, "rows", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(what_is_not_json_is_a_dead_letter_with_its_reason)
{
    static const char *const bad[] = {
        "{\"hr\":1,}", "{\"hr\" 1}", "{\"hr\":01}", "{\"hr\":+1}", "{\"hr\":.5}", "{\"hr\":1.}", "{\"hr\":1e}", "{\"hr\":0x1}",
        "{\"hr\":nan}", "{\"hr\":tru}", "{\"hr\":1,\"x\":nul}", "{\"hr\":1,\"x\":[1,]}", "{\"hr\":1,\"x\":[1}}", "{hr:1}",
        "{\"hr\":1,\"x\":\"\\x\"}", "{\"hr\":1,\"x\":\"\\ud800\"}", "{\"hr\":1,\"\\q\":1}", "{\"hr\":1,\"x\":\"a\tb\"}",
        "{\"hr\":1 \"x\":2}", "{\"hr\":\"a\"b}", "{\"hr\":1,\"x\":12a}", "{\"hr\":1}}",
    };
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct aff_harness *h = aff_harness_open("op_json", HR);
        uint32_t stream = text_stream(h, "A", "s");

        push_text(h, stream, bad[i]);
        if (aff_harness_ledger(h).dead != 1 || aff_harness_waiting(h, "rows"))
            fail_msg("taken for JSON: case %zu", i);
        push_text(h, stream, "{\"hr\":70}");
        EXPECT_WAITING(h, "rows", 1);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
    one_bad(HR, "{\"hr\":1", "truncated");
    one_bad(HR, "{\"hr\":\"x", "truncated");
    one_bad(HR, "{\"hr\":1,\"x\":\"\xc3(\"}", "bad_text");
    one_bad(HR, "{\"hr\":1,\"hr\":2}", "duplicate_key");
    one_bad(HR, "{\"hr\":1,\"h\\u0072\":2}", "duplicate_key");
    one_bad("", "{\"x\":1,\"x\":2}", "duplicate_key");
    one_bad("", "{\"x\":{\"y\":1},\"x.y\":2}", "duplicate_key");
    one_bad("", "{\"\":1}", "bad_key");
    one_bad(HR, "[1]", "not_object");
    one_bad(HR, "5", "not_object");
    one_bad(HR, "{\"hr\":1e400}", "bad_number");
    one_bad(HR, "{\"hr\":true}", "bad_number");
    one_bad(HR, "{\"hr\":[1]}", "bad_number");
    one_bad("columns = [{ name = \"hr\" }, { name = \"x\", type = \"text\" }]", "{\"x\":\"a\\u0000\"}", "bad_text");
}

TEST(a_bad_element_does_not_take_its_neighbours_along)
{
    struct aff_harness *h = aff_harness_open("op_json", HR RECORD);
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "[{\"hr\":1},{\"hr\":\"x\"}, 7 ,{\"hr\":2},{\"hr\":3,},{\"hr\":4}]");
    push_text(h, stream, "{\"hr\":5}\n{\"hr\":}\n{\"hr\":6}");
    expect_rows(h, "A@1000 hr=1 hr_text='1'\nA@1000 hr=2 hr_text='2'\nA@1000 hr=5 hr_text='5'\nA@1000 hr=6 hr_text='6'\n");
    EXPECT_VERDICT(h, "bad_number", 1);
    EXPECT_VERDICT(h, "not_object", 1);
    EXPECT_VERDICT(h, "bad_json", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(deep_nesting_ends_at_a_limit)
{
    static char text[40000];
    int i;

    for (i = 0; i < 10000; i++)
        text[i] = '[';
    one_bad(HR, text, NULL); /* too deep, and cut */
    for (i = 0; i < 10000; i++)
        text[10000 + i] = ']';
    one_bad(HR, text, "too_deep");
    for (i = 0; i < 1000; i++)
        memcpy(text + i * 5, "{\"a\":", 5);
    text[5000] = '1';
    memset(text + 5001, '}', 1000);
    text[6001] = 0;
    one_bad(HR, text, "too_deep");
    one_bad("", text, "too_deep");
}

TEST(more_shapes_than_there_is_room_for_are_set_aside)
{
    struct aff_harness *h = aff_harness_open("op_json", "");
    uint32_t stream = text_stream(h, "A", "s");
    char text[32];
    int i;

    for (i = 0; i < 70; i++) {
        snprintf(text, sizeof text, "{\"k%d\":1}", i);
        push_text(h, stream, text);
    }
    push_text(h, stream, "{\"k3\":2}");
    EXPECT_WAITING(h, "rows", 65);
    EXPECT_VERDICT(h, "too_many_shapes", 6);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_text_longer_than_max_row_is_set_aside)
{
    struct aff_harness *h = aff_harness_open("op_json", HR STREAM "max_row = \"256B\"");
    uint32_t stream = text_stream(h, "A", "s");
    char piece[100];
    int i;

    memset(piece, ' ', sizeof piece);
    piece[0] = '{';
    push_text(h, stream, "{\"hr\":1}\n");
    for (i = 0; i < 5; i++)
        push_bytes(h, stream, piece, sizeof piece, 0);
    push_text(h, stream, "}\n{\"hr\":2}\n");
    expect_rows(h, "A@1000 hr=1 hr_text='1'\nA@1000 hr=2 hr_text='2'\n");
    EXPECT_METRIC(h, "bad_rows", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

#define LONG STREAM "subject = \"id\"\ncolumns = [{ name = \"note\", type = \"text\" }, { name = \"v\", keep_text = true }]"

static char *long_text(size_t *ret_size)
{
    char *text = malloc(80000);
    size_t used = 0;
    int i;

    for (i = 0; i < 900; i++) {
        used += (size_t)sprintf(text + used, "{\"id\":\"P%d\",\"note\":\"%s\",\"v\":%d.%02d,\"x\":[{},%d]}%s", i % 7,
                                i % 5 ? "plain" : "a \\\"q\\\" \\u00e9", i, i % 100, i, i % 3 ? "\r\n" : "\n");
        if (i % 97 == 0)
            used += (size_t)sprintf(text + used, "{\"id\":\n\n{\"id\":\"P1\",\"v\":\"z\"}\nnull\n");
    }
    *ret_size = used;
    return text;
}

TEST(rows_are_the_same_however_the_text_is_cut)
{
    size_t size;
    char *text = long_text(&size);
    struct aff_harness *h = feed_text_cut("op_json", LONG, text, size, 0);

    EXPECT_DEAD(h, 30);
    EXPECT_METRIC(h, "rows", 900);
    expect_same_cut(h, "op_json", LONG, text, size);
    free(text);
}

TEST(batches_cut_differently_and_restarts_give_the_same_rows)
{
    size_t size;
    char *text = long_text(&size);

    expect_same_restarted("op_json", LONG, text, size);
    free(text);
}

TEST(streams_begun_before_a_restart_end_with_their_input)
{
    static const char *const texts[] = { "{\"id\":\"a\",\"v\":1}\n{\"id\":\"b\",\"v\":2}\n",
                                        "{\"id\":\"c\",\"v\":3}\n", "{\"id\":\"b\",\"v\":4}\n" };

    expect_ends_restarted("op_json", STREAM "subject = \"id\"\ncolumns = [{ name = \"v\" }]", texts);
}

static void failing(void)
{
    struct aff_harness *h = aff_harness_open("op_json", STREAM "subject = \"id\"\ncolumns = [{ name = \"v\" }]");
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "{\"id\":\"a\",\"v\":1}\n{\"id\":\"b\"}\n{\"id\"");
    push_text(h, stream, ":\"c\"}\nx\n{\"id\":\"a\",");
    push_text(h, stream, "\"v\":2}");
    aff_harness_end_stream(h, "in", stream);
    EXPECT_METRIC(h, "rows", 4);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void failing_open(void)
{
    struct aff_harness *h = aff_harness_open("op_json", RECORD);
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "[{\"a\":1},{\"b\":\"x\"},{\"a\":2}]");
    push_text(h, stream, "[{\"c\":1},]");
    aff_harness_end_stream(h, "in", stream);
    EXPECT_METRIC(h, "rows", 4);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(every_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(failing);
    AFF_EACH_HOST_CALL_FAILS_ONCE(failing_open);
}

TEST(options_are_checked)
{
    EXPECT_REFUSED("op_json", "root = \"a..b\"", "empty key");
    EXPECT_REFUSED("op_json", STREAM "max_row = \"2MiB\"", "expected at most 1MiB");
    EXPECT_REFUSED("op_json", "columns = [{ name = \"a\", from = \"/x/\" }]", "empty key");
    EXPECT_REFUSED("op_json", "columns = [{ name = \"a\", from = \"/x/y\" }, { name = \"b\", from = \"x.y\" }]", "another way");
    EXPECT_REFUSED("op_json", HR "subject = \"/hr\"", "another way");
    EXPECT_REFUSED("op_json", HR "time = { from = \"t\", format = \"%Y\" }", "whole date");
}

TEST(fhir_resources_are_read_by_their_paths)
{
    const char *path = aff_test_data("fhir-r4/ObservationBundle.json");
    static char text[65536];
    struct aff_harness *h;
    uint32_t stream;
    size_t n;
    FILE *f;

    if (!path) {
        AFF_SKIP("fhir-r4 is not there");
        return;
    }
    f = fopen(path, "rb");
    assert_non_null(f);
    n = fread(text, 1, sizeof text, f);
    fclose(f);
    h = aff_harness_open("op_json", RECORD "root = \"entry\"\ncolumns = [{ name = \"kind\", from = \"resource.resourceType\", "
                         "type = \"text\" }]");
    stream = text_stream(h, "A", "s");
    push_bytes(h, stream, text, n, 0);
    assert_true(aff_harness_waiting(h, "rows") > 0);
    EXPECT_METRIC(h, "bad_rows", 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

AFF_TEST_MAIN(columns_come_out_typed_with_time_and_subject, numbers_keep_their_text,
              without_columns_objects_are_flattened, a_record_is_an_object_an_array_or_lines,
              root_names_the_place_of_the_rows, what_is_not_json_is_a_dead_letter_with_its_reason,
              a_bad_element_does_not_take_its_neighbours_along, deep_nesting_ends_at_a_limit,
              more_shapes_than_there_is_room_for_are_set_aside, a_text_longer_than_max_row_is_set_aside,
              rows_are_the_same_however_the_text_is_cut, batches_cut_differently_and_restarts_give_the_same_rows,
              streams_begun_before_a_restart_end_with_their_input, every_host_call_may_fail_once, options_are_checked, fhir_resources_are_read_by_their_paths)
