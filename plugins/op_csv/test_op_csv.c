/* SPDX-License-Identifier: Apache-2.0
 *
 * test_op_csv.c - the plugin on the test kit: options, rows, dead letters, cuts.
 *
 * Not here: splitting against python3's csv (test_split.c). */
#include <rows/testing.h>

#define HR "columns = [{ name = \"hr\", from = \"HR\", unit = \"/min\", code = \"8867-4\" }]\n"
#define STREAM "framing = \"stream\"\n"

TEST(columns_come_out_typed_with_time_and_subject)
{
    static const char toml[] =
        "framing = \"stream\"\nsubject = \"RecordID\"\n"
        "time = { from = \"Time\", format = \"hh:mm\", start = \"1970-01-02\" }\n"
        "columns = [{ name = \"parameter\", from = \"Parameter\", type = \"text\" },\n"
        " { name = \"value\", from = \"Value\", keep_text = true, missing = [\"-1\"] }]";

    expect_text("op_csv", toml,
                "RecordID,Time,Parameter,Value\n132539,00:07,HR,73\n132539,00:37,Temp,35.10\n132540,49:00,Height,-1\n",
                "132539@86820 parameter='HR' value=73 value_text='73'\n"
                "132539@88620 parameter='Temp' value=35.100000000000001 value_text='35.10'\n"
                "132540@262800 parameter='Height'\n"
                "132539 end\n132540 end\n");
}

TEST(without_columns_all_are_texts)
{
    expect_text("op_csv", STREAM, "a,b\n1,\"x \"\"y\"\"\nz\"\n,2\n", "A@1000 a='1' b='x \"y\"\nz'\nA@1000 b='2'\nA end\n");
    expect_text("op_csv", STREAM "header = false", "1,2\n3,4", "A@1000 c1='1' c2='2'\nA@1000 c1='3' c2='4'\nA end\n");
    expect_text("op_csv", STREAM "header = false\nsubject = \"1\"\ntime = { from = \"2\", format = \"unix_s\" }",
                "P,5,x\n", "P@5 c1='P' c2='5' c3='x'\nP end\n");
}

TEST(line_ends_marks_and_empty_lines_do_not_matter)
{
    static const char wanted[] = "A@1000 hr=70\nA@1000 hr=71\nA end\n";

    expect_text("op_csv", HR STREAM, "HR\n70\n71\n", wanted);
    expect_text("op_csv", HR STREAM, "HR\r\n70\r\n71\r\n", wanted);
    expect_text("op_csv", HR STREAM, "HR\r70\r71\r", wanted);
    expect_text("op_csv", HR STREAM, "\xef\xbb\xbfHR\n70\n\n\n71", wanted);
    expect_text("op_csv", HR STREAM, "\n\r\n\"HR\"\n 70\t\n\"71\"", wanted);
    expect_text("op_csv", HR STREAM "comment = \"#\"", "# a \"comment\nHR\n#70,\n70\n71\n#", wanted);
    expect_text("op_csv", HR STREAM, "HR\n70\nHR\n71\n", wanted);
}

TEST(delimiter_quote_and_decimal_are_options)
{
    expect_text("op_csv", HR STREAM "delimiter = \"tab\"", "x\tHR\n,\t70\n", "A@1000 hr=70\nA end\n");
    expect_text("op_csv", HR STREAM "delimiter = \";\"\ndecimal = \",\"", "HR;x\n70,25;y\n", "A@1000 hr=70.25\nA end\n");
    expect_text("op_csv", HR STREAM "quote = \"'\"", "HR,x\n'70','a''b,\"'\n", "A@1000 hr=70\nA end\n");
    expect_text("op_csv", HR STREAM "quote = \"\"", "HR,x\n70,\"\n", "A@1000 hr=70\nA end\n");
}

TEST(every_type_has_its_texts)
{
    static const char toml[] = STREAM
        "columns = [{ name = \"i\", type = \"int\" }, { name = \"b\", type = \"bool\" }, { name = \"t\", type = \"time\" },\n"
        "{ name = \"x\", type = \"text\", missing = [\"NA\"] }, { name = \"d\", type = \"time\", format = \"%d.%m.%Y\" }]";

    expect_text("op_csv", toml,
                "i,b,t,x,d\n75.0,TRUE,1970-01-01T00:00:01+00:00,NA,2.1.1970\n9223372036854775807,no,1970-01-02,,\n",
                "A@1000 i=75 b=1 t=1000000000 d=86400000000000\n"
                "A@1000 i=9223372036854775807 b=0 t=86400000000000 x=''\nA end\n");
}

static void one_bad(const char *toml, const char *header, const char *row, const char *verdict)
{
    struct aff_harness *h = aff_harness_open("op_csv", toml);
    uint32_t stream = text_stream(h, "A", "s");
    char text[512];

    snprintf(text, sizeof text, "%s\n%s\n70,1\n", header, row);
    push_text(h, stream, text);
    EXPECT_VERDICT(h, verdict, 1);
    EXPECT_DEAD(h, 1);
    EXPECT_METRIC(h, "bad_rows", 1);
    EXPECT_METRIC(h, "rows", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

#define TWO STREAM "columns = [{ name = \"a\" }, { name = \"b\", required = true }]\n"

TEST(a_bad_row_is_a_dead_letter_and_the_next_one_is_read)
{
    one_bad(TWO, "a,b", "x,1", "bad_number");
    one_bad(TWO, "a,b", "1e400,1", "bad_number");
    one_bad(TWO, "a,b", "0x10,1", "bad_number");
    one_bad(TWO, "a,b", "nan,1", "bad_number");
    one_bad(TWO, "a,b", "1,", "missing_value");
    one_bad(TWO, "a,b", "1", "too_few_columns");
    one_bad(TWO, "a,b", "1,2,3", "too_many_columns");
    one_bad(TWO, "a,b", "1,\"2\"3", "bad_quote");
    one_bad(TWO, "a,b", "1,\xc3\x28", "bad_text");
    one_bad(TWO "time = { from = \"a\", format = \"unix_s\" }", "a,b", ",1", "bad_time");
    one_bad(TWO "subject = \"a\"", "a,b", ",1", "no_subject");
}

TEST(bad_values_may_be_left_out)
{
    struct aff_harness *h = feed_text_cut("op_csv", "bad_values = \"missing\"\n" STREAM
                                          "columns = [{ name = \"a\", keep_text = true }, { name = \"b\" }]",
                                          "a,b\n?,1\n2,x\n", 13, 0);

    expect_rows(h, "A@1000 a_text='?' b=1\nA@1000 a=2 a_text='2'\nA end\n");
    EXPECT_METRIC(h, "bad_values", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(ragged_rows_may_be_taken)
{
    expect_text("op_csv", STREAM "ragged = \"allow\"\ncolumns = [{ name = \"a\" }, { name = \"b\" }]",
                "a,b\n1\n1,2,3\n", "A@1000 a=1\nA@1000 a=1 b=2\nA end\n");
}

TEST(an_unclosed_quote_costs_one_line)
{
    struct aff_harness *h = feed_text_cut("op_csv", HR STREAM, "HR\n70\n\"71\n72\n73\n", 16, 3);

    expect_rows(h, "A@1000 hr=70\nA@1000 hr=72\nA@1000 hr=73\nA end\n");
    EXPECT_VERDICT(h, "bad_quote", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);

    h = feed_text_cut("op_csv", HR STREAM, "HR\n70\n\"71\n72\n\"73,\"\n74\n", 23, 0);
    expect_rows(h, "A@1000 hr=70\nA@1000 hr=72\nA@1000 hr=74\nA end\n");
    EXPECT_VERDICT(h, "bad_quote", 1);
    EXPECT_VERDICT(h, "bad_number", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_row_longer_than_max_row_is_set_aside_in_pieces)
{
    struct aff_harness *h = aff_harness_open("op_csv", HR STREAM "max_row = \"256B\"");
    uint32_t stream = text_stream(h, "A", "s");
    char piece[100];
    int i;

    memset(piece, '7', sizeof piece);
    push_text(h, stream, "HR\n70\n");
    for (i = 0; i < 5; i++)
        push_bytes(h, stream, piece, sizeof piece, 0);
    push_text(h, stream, "\n71\n");
    expect_rows(h, "A@1000 hr=70\nA@1000 hr=71\n");
    EXPECT_METRIC(h, "bad_rows", 1);
    assert_true(aff_harness_verdicts(h, "too_long") >= 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_long_row_in_one_record_is_one_dead_letter)
{
    struct aff_harness *h = aff_harness_open("op_csv", HR STREAM "max_row = \"256B\"");
    uint32_t stream = text_stream(h, "A", "s");
    char text[700] = "HR\n70\n";

    memset(text + 6, '7', 600);
    memcpy(text + 606, "\n71\n", 5);
    push_text(h, stream, text);
    expect_rows(h, "A@1000 hr=70\nA@1000 hr=71\n");
    EXPECT_VERDICT(h, "too_long", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* Each line opens a quote if it stands outside of one, and opens one again if it
 * does not: read again from every line on, this would take hours. */
TEST(quotes_that_are_never_closed_take_no_longer_than_their_size)
{
    enum { LINES = 400000, LINE = 5 };
    struct aff_harness *h = aff_harness_open("op_csv", "columns = [{ name = \"a\", from = \"1\" }]\nheader = false\n" STREAM "ragged = \"allow\"");
    uint32_t stream = text_stream(h, "A", "s");
    char *text = malloc(LINES * LINE);
    int i;

    assert_non_null(text);
    for (i = 0; i < LINES; i++)
        memcpy(text + i * LINE, "a\",\"\n", LINE);
    push_bytes(h, stream, text, LINES * LINE, 0);
    EXPECT_NOTHING(h, "rows");
    assert_true(aff_harness_metric(h, "bad_rows") > LINES / 2);
    aff_harness_end_stream(h, "in", stream);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    free(text);
}

TEST(lines_are_joined_where_a_quote_is_open)
{
    struct aff_harness *h = aff_harness_open("op_csv", "columns = [{ name = \"t\", type = \"text\" }, { name = \"n\" }]");
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "t,n");
    push_text(h, stream, "\"a");
    push_text(h, stream, "");
    push_text(h, stream, "b\",5");
    push_text(h, stream, "c,6\r\n");
    push_text(h, stream, "d,7\ne,8");
    expect_rows(h, "A@1000 t='a\n\nb' n=5\nA@1000 t='c' n=6\nA@1000 t='d' n=7\nA@1000 t='e' n=8\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(blocks_of_whole_lines_are_lines)
{
    struct aff_harness *h = aff_harness_open("op_csv", "columns = [{ name = \"t\", type = \"text\" }, { name = \"n\" }]");
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "t,n\na,1\n\"b\n");
    push_text(h, stream, "c\",2\nd,3\n");
    push_text(h, stream, "e,4\n");
    expect_rows(h, "A@1000 t='a' n=1\nA@1000 t='b\nc' n=2\nA@1000 t='d' n=3\nA@1000 t='e' n=4\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_bad_line_of_its_own_record_is_that_record)
{
    struct aff_harness *h = aff_harness_open("op_csv", HR);
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "HR");
    push_text(h, stream, "x\n");
    push_text(h, stream, "70\ny");
    expect_rows(h, "A@1000 hr=70\n");
    EXPECT_VERDICT(h, "bad_number", 2);
    EXPECT_DEAD(h, 2);
    EXPECT_LOG(h, AFF_LOG_WARN, "at byte 3 of its stream is no row: bad_number");
    assert_int_equal(aff_harness_ledger(h).aside, 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_record_may_be_a_text_with_its_header)
{
    struct aff_harness *h = aff_harness_open("op_csv", "framing = \"record\"");
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "a,b\n1,2\n3,4");
    push_text(h, stream, "b\n5\n\"6\"\n\"7");
    push_text(h, stream, "b\n");
    push_text(h, stream, "");
    expect_rows(h, "A@1000 a='1' b='2'\nA@1000 a='3' b='4'\nA@1000 b='5'\nA@1000 b='6'\n");
    EXPECT_VERDICT(h, "no_rows", 2);
    EXPECT_VERDICT(h, "bad_quote", 1);
    EXPECT_LOG(h, AFF_LOG_WARN, "framing = \"lines\"");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void bad_head(const char *toml, const char *text, const char *verdict, const char *why)
{
    struct aff_harness *h = aff_harness_open("op_csv", toml);
    uint32_t stream = text_stream(h, "A", "s");

    push_bytes(h, stream, text, strlen(text) + (strcmp(verdict, "utf16") == 0), 0);
    push_text(h, stream, "70\n");
    EXPECT_NOTHING(h, "rows");
    assert_true(aff_harness_verdicts(h, verdict) >= 2);
    EXPECT_LOG(h, AFF_LOG_ERROR, why);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_header_that_cannot_be_used_says_why_and_nothing_is_read)
{
    bad_head(HR STREAM, "Pulse,x\n70,1\n", "bad_header", "none of the columns");
    bad_head(HR STREAM, "HR,x, HR \n70,1,2\n", "bad_header", "same word");
    bad_head(HR STREAM "subject = \"id\"", "HR\n70\n", "bad_header", "(id)");
    bad_head(STREAM, "a,b,a\n1,2,3\n", "bad_header", "same name");
    bad_head(STREAM, "a,,b\n1,2,3\n", "bad_header", "no name");
    bad_head(HR STREAM, "\xff\xfeH", "utf16", "UTF-8");
}

TEST(a_header_may_lack_a_column_that_is_not_required)
{
    struct aff_harness *h = feed_text_cut("op_csv", STREAM "columns = [{ name = \"a\" }, { name = \"b\" }]", "b\n1\n", 4, 0);

    expect_rows(h, "A@1000 b=1\nA end\n");
    EXPECT_LOG(h, AFF_LOG_WARN, "lacks the column a");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(more_headers_than_there_is_room_for_are_set_aside)
{
    struct aff_harness *h = aff_harness_open("op_csv", "framing = \"record\"");
    uint32_t stream = text_stream(h, "A", "s");
    char text[32];
    int i;

    for (i = 0; i < 70; i++) {
        snprintf(text, sizeof text, "h%d\n1\n", i);
        push_text(h, stream, text);
    }
    push_text(h, stream, "h3\n1\n");
    EXPECT_WAITING(h, "rows", 65);
    EXPECT_VERDICT(h, "too_many_shapes", 6);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(behind_a_gap_the_rest_of_a_line_is_not_trusted)
{
    struct aff_harness *h = aff_harness_open("op_csv", HR STREAM);
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "HR\n70\n7");
    push_bytes(h, stream, "2\n73\n74\n", 8, AFF_FLAG_GAP);
    expect_rows(h, "A@1000 hr=70\nA!@1000 hr=73\nA@1000 hr=74\n");
    EXPECT_VERDICT(h, "torn", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* In a block of many rows, and where there is no input any more to refuse. */
TEST(a_row_that_is_too_large_for_a_record_is_set_aside_alone)
{
    static const char columns[] = STREAM "columns = [{ name = \"a\" }, { name = \"t\", type = \"text\" }]";
    struct aff_harness *h = aff_harness_open("op_csv", columns);
    uint32_t stream = text_stream(h, "A", "s");
    char text[700];

    aff_harness_max_record(h, 200);
    (void)snprintf(text, sizeof text, "a,t\n1,x\n2,%0300d\n3,z\n4,%0300d", 0, 0);
    EXPECT_STATUS(push_bytes(h, stream, text, strlen(text), 0), AFF_OK);
    aff_harness_end_stream(h, "in", stream);
    expect_rows(h, "A@1000 a=1 t='x'\nA@1000 a=3 t='z'\nA end\n");
    EXPECT_VERDICT(h, "too_large", 2);
    EXPECT_LOG(h, AFF_LOG_WARN, "edge.buffer");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* A log that was rotated when its writer had been updated: columns elsewhere. */
TEST(a_header_that_comes_again_in_another_order_is_gone_by)
{
    static const char toml[] = STREAM "columns = [{ name = \"a\" }, { name = \"b\", type = \"text\" }]";

    expect_text("op_csv", toml, "a,b\n1,x\nb,c,a\ny,0,2\n", "A@1000 a=1 b='x'\nA@1000 a=2 b='y'\nA end\n");
    expect_text("op_csv", toml, "a,b\n1,x\nb,a\ny,2\n", "A@1000 a=1 b='x'\nA@1000 a=2 b='y'\nA end\n");
    expect_text("op_csv", toml, "a,b\n1,x\na,c\n2,y\n", "A@1000 a=1 b='x'\nA@1000 a=2 b='y'\nA end\n");
}

TEST(the_line_by_which_a_spreadsheet_names_the_delimiter_is_passed_over)
{
    expect_text("op_csv", HR STREAM "delimiter = \";\"", "sep=;\r\nHR;x\r\n70;1\r\n", "A@1000 hr=70\nA end\n");
    expect_text("op_csv", HR STREAM, "\xef\xbb\xbfsep=,\nHR\n70\n", "A@1000 hr=70\nA end\n");
}

TEST(streams_do_not_touch_each_other)
{
    struct aff_harness *h = aff_harness_open("op_csv", HR STREAM);
    uint32_t a = text_stream(h, "A", "s"), b = text_stream(h, "B", "s");

    push_text(h, a, "HR\n7");
    push_text(h, b, "x,HR\n1,6");
    push_text(h, a, "0\n");
    push_text(h, b, "1\n");
    aff_harness_end_stream(h, "in", a);
    push_text(h, b, "1,62\n");
    expect_rows(h, "A@1000 hr=70\nB@1000 hr=61\nA end\nB@1000 hr=62\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static char *long_text(size_t *ret_size)
{
    char *text = malloc(60000);
    size_t used = 0;
    int i;

    used += (size_t)sprintf(text, "\xef\xbb\xbfid,note,v\r\n");
    for (i = 0; i < 900; i++) {
        used += (size_t)sprintf(text + used, "P%d,%s,%d.%02d%s", i % 7, i % 5 ? "plain" : "\"a \"\"q\"\",\r\nb\"", i, i % 100,
                                i % 3 ? "\r\n" : "\n");
        if (i % 97 == 0)
            used += (size_t)sprintf(text + used, "bad,\"x\"y,1\nP1,short\nP1,,z\n");
    }
    *ret_size = used;
    return text;
}

#define LONG STREAM "subject = \"id\"\ncolumns = [{ name = \"note\", type = \"text\" }, { name = \"v\", keep_text = true }]"

TEST(rows_are_the_same_however_the_text_is_cut)
{
    size_t size;
    char *text = long_text(&size);
    struct aff_harness *h = feed_text_cut("op_csv", LONG, text, size, 0);

    EXPECT_VERDICT(h, "bad_quote", 10);
    EXPECT_VERDICT(h, "too_few_columns", 10);
    EXPECT_VERDICT(h, "bad_number", 10);
    EXPECT_METRIC(h, "rows", 900);
    expect_same_cut(h, "op_csv", LONG, text, size);
    free(text);
}

TEST(batches_cut_differently_and_restarts_give_the_same_rows)
{
    size_t size;
    char *text = long_text(&size);

    expect_same_restarted("op_csv", LONG, text, size);
    free(text);
}

TEST(streams_begun_before_a_restart_end_with_their_input)
{
    static const char *const texts[] = { "id,v\na,1\nb,2\n", "id,v\nc,3\n", "b,4\n" };

    expect_ends_restarted("op_csv", STREAM "subject = \"id\"\ncolumns = [{ name = \"v\" }]", texts);
}

static void failing(void)
{
    struct aff_harness *h = aff_harness_open("op_csv", TWO "subject = \"a\"");
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "a,b\n1,2\n3");
    push_text(h, stream, ",4\nx\n5,6\n1,");
    push_text(h, stream, "7");
    aff_harness_end_stream(h, "in", stream);
    EXPECT_METRIC(h, "rows", 4);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void failing_open(void)
{
    struct aff_harness *h = aff_harness_open("op_csv", "framing = \"record\"");
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "a,b\n1,2\n3,4\n");
    push_text(h, stream, "c\n1\n");
    aff_harness_end_stream(h, "in", stream);
    EXPECT_METRIC(h, "rows", 3);
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
    EXPECT_REFUSED("op_csv", "delimiter = \",,\"", "one character");
    EXPECT_REFUSED("op_csv", "delimiter = '\"'", "same character");
    EXPECT_REFUSED("op_csv", HR "header = false", "count the columns");
    EXPECT_REFUSED("op_csv", HR "time = { from = \"t\", format = \"ddmmyy\" }", "time.format is unknown");
    EXPECT_REFUSED("op_csv", HR "time = { from = \"t\", zone = \"Europe/Berlin\" }", "zone");
    EXPECT_REFUSED("op_csv", "columns = [{ name = \"a\" }, { name = \"a\" }]", "same name");
    EXPECT_REFUSED("op_csv", "columns = [{ name = \"a\", keep_text = true }, { name = \"a_text\" }]", "same name");
    EXPECT_REFUSED("op_csv", "columns = [{ name = \"a\", format = \"iso8601\" }]", "format");
}

TEST(what_comes_out_is_known_before_anything_runs)
{
    const struct aff_shape in = { .struct_size = sizeof in, .subject = AFF_LABEL_PHI, .names = AFF_LABEL_QUASI };
    const struct aff_shape *out = NULL;

    assert_null(aff_harness_shape("op_csv", "columns = [{ name = \"hr\", unit = \"/min\", code = \"8867-4\", keep_text = true, "
                                  "label = \"quasi\" }]", &in, 1, &out));
    assert_int_equal(out[0].schema->count, 2);
    assert_string_equal(out[0].schema->columns[1].name, "hr_text");
    assert_int_equal(out[0].schema->columns[1].label, AFF_LABEL_QUASI);
    assert_int_equal(out[0].subject, AFF_LABEL_PHI);
    assert_int_equal(out[0].times, AFF_LABEL_NONE);
    assert_int_equal(out[0].names, AFF_LABEL_QUASI);
    assert_null(aff_harness_shape("op_csv", "", &in, 1, &out));
    assert_null(out[0].schema);
}

TEST(the_icu_vital_signs_are_read_whole)
{
    const char *path = aff_test_data("icu-vitals/vitals.csv");
    struct aff_harness *h;
    static char text[65536];
    uint32_t stream;
    size_t n;
    FILE *f;

    if (!path) {
        AFF_SKIP("icu-vitals is not there");
        return;
    }
    f = fopen(path, "rb");
    assert_non_null(f);
    h = aff_harness_open("op_csv", STREAM "subject = \"RecordID\"\ntime = { from = \"Time\", format = \"hh:mm\" }\n"
                         "columns = [{ name = \"parameter\", from = \"Parameter\", type = \"text\" }, "
                         "{ name = \"value\", from = \"Value\" }]");
    stream = text_stream(h, "A", "vitals");
    while ((n = fread(text, 1, sizeof text, f)) > 0) {
        push_bytes(h, stream, text, n, 0);
        aff_harness_discard(h, "rows");
    }
    fclose(f);
    aff_harness_end_stream(h, "in", stream);
    EXPECT_METRIC(h, "bad_rows", 0);
    assert_true(aff_harness_metric(h, "rows") > 80000);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

AFF_TEST_MAIN(columns_come_out_typed_with_time_and_subject, without_columns_all_are_texts,
              line_ends_marks_and_empty_lines_do_not_matter, delimiter_quote_and_decimal_are_options,
              every_type_has_its_texts, a_bad_row_is_a_dead_letter_and_the_next_one_is_read,
              bad_values_may_be_left_out, ragged_rows_may_be_taken, an_unclosed_quote_costs_one_line,
              a_row_longer_than_max_row_is_set_aside_in_pieces, a_long_row_in_one_record_is_one_dead_letter,
              quotes_that_are_never_closed_take_no_longer_than_their_size,
              lines_are_joined_where_a_quote_is_open, blocks_of_whole_lines_are_lines, a_bad_line_of_its_own_record_is_that_record,
              each_record_may_be_a_text_with_its_header, a_header_that_cannot_be_used_says_why_and_nothing_is_read,
              a_header_may_lack_a_column_that_is_not_required, more_headers_than_there_is_room_for_are_set_aside,
              behind_a_gap_the_rest_of_a_line_is_not_trusted, a_row_that_is_too_large_for_a_record_is_set_aside_alone,
              a_header_that_comes_again_in_another_order_is_gone_by,
              the_line_by_which_a_spreadsheet_names_the_delimiter_is_passed_over,
              streams_do_not_touch_each_other,
              rows_are_the_same_however_the_text_is_cut, batches_cut_differently_and_restarts_give_the_same_rows,
              streams_begun_before_a_restart_end_with_their_input,
              every_host_call_may_fail_once, options_are_checked, what_comes_out_is_known_before_anything_runs,
              the_icu_vital_signs_are_read_whole)
