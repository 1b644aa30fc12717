/* SPDX-License-Identifier: Apache-2.0
 *
 * test_map.c - what a map may not say, what `check` knows of its rows, and what is told
 * of frames that do not fit it.
 *
 * Not here: frames that do (test_op_parse.c). */
#include <rows/testing.h>

static void refused(const char *frame, const char *place, const char *text)
{
    char toml[1024];
    const char *said;

    (void)snprintf(toml, sizeof toml, "frames = [{ %s }]", frame);
    said = aff_harness_check("op_parse", toml);
    assert_non_null(said);
    if (!strstr(said, place) || !strstr(said, text))
        fail_msg("%s\nsays: %s\nnot: %s ... %s", toml, said, place, text);
}

static void accepted(const char *toml)
{
    const char *said = aff_harness_check("op_parse", toml);

    if (said)
        fail_msg("%s\nsays: %s", toml, said);
}

#define COLUMN "columns = [{ name = \"a\", field = 1 }]"
#define AT "columns = [{ name = \"a\", at = 0 }]"

TEST(a_frame_without_its_marks_is_refused)
{
    refused(COLUMN, "frames[0].key", "is missing");
    refused("key = \"A\", kind = \"pairs\", columns = [{ name = \"a\" }]", "frames[0].key", "expected begins");
    refused("key = \"A\", begins = \"x\", " COLUMN, "frames[0].begins", "key says it");
    refused("key = \"A\", separator = \"\\r\\n\", " COLUMN, "frames[0].separator", "split");
    refused("key = \"A\", separator = \";;\", " COLUMN, "frames[0].separator", "different ones");
    refused("key = \"A\", separator = \" /\", quote = \"'\", " COLUMN, "frames[0].quote", "several");
    refused("key = \"A\", separator = \"123456789\", " COLUMN, "frames[0].separator", "8");
    refused("kind = \"pairs\", assign = \":\", separator = \" :\", columns = [{ name = \"a\" }]", "frames[0].assign", "same character");
    refused("key = \"A\", separator = \"blanks\", quote = \"'\", " COLUMN, "frames[0].quote", "blanks");
    refused("key = \"A\", quote = \";\", " COLUMN, "frames[0].quote", "its own");
    refused("key = \"A\", assign = \"\", " COLUMN, "frames[0].assign", "behind a key");
    refused("kind = \"pairs\", assign = \";\", columns = [{ name = \"a\" }]", "frames[0].assign", "same character");
    refused("kind = \"binary\", begins_hex = \"a5 5\", " AT, "frames[0].begins_hex", "a5 5a");
    refused("kind = \"binary\", begins = \"x\", begins_hex = \"a5\", " AT, "frames[0].begins", "beside begins_hex");
    refused("key = \"A\", size = 3, " COLUMN, "frames[0].size", "fixed or binary");
    refused("kind = \"binary\", fields = 3, " AT, "frames[0].fields", "key or delimited");
}

TEST(a_column_without_its_place_is_refused)
{
    refused("key = \"A\", columns = [{ name = \"a\" }]", "frames[0].columns[0].field", "count the fields from 1");
    refused("key = \"A\", fields = 2, columns = [{ name = \"a\", field = 3 }]", "frames[0].columns[0].field", "beyond");
    refused("key = \"A\", columns = [{ name = \"a\", field = 1, at = 2 }]", "frames[0].columns[0].at", "leave it out");
    refused("kind = \"pairs\", columns = [{ name = \"a\", field = 1 }]", "frames[0].columns[0].field", "leave it out");
    refused("key = \"A\", columns = [{ name = \"a\", field = 1, from = \"x\" }]", "frames[0].columns[0].from", "pairs");
    refused("kind = \"fixed\", columns = [{ name = \"a\", length = 2 }]", "frames[0].columns[0].at", "from 0");
    refused("kind = \"fixed\", " AT, "frames[0].columns[0].length", "how many bytes");
    refused("key = \"A\", columns = [{ name = \"\", field = 1 }]", "frames[0].columns[0].name", "is empty");
    refused("key = \"A\", columns = [{ name = \"a\", field = 1 }, { name = \"a\", field = 2 }]", "frames[0].columns[1].name",
            "twice");
}

TEST(a_value_that_cannot_be_is_refused)
{
    refused("kind = \"binary\", columns = [{ name = \"a\", at = 0, raw = \"bcd\" }]", "columns[0].length", "1 to 9");
    refused("kind = \"binary\", columns = [{ name = \"a\", at = 0, raw = \"text\", type = \"text\" }]", "columns[0].length", "bytes");
    refused("kind = \"binary\", columns = [{ name = \"a\", at = 0, type = \"text\" }]", "columns[0].raw", "raw = \"text\"");
    refused("kind = \"binary\", columns = [{ name = \"a\", at = 0, bit = 6, bits = 3 }]", "columns[0].bits", "from its lowest");
    refused("kind = \"binary\", columns = [{ name = \"a\", at = 0, raw = \"f32\", bits = 3 }]", "columns[0].bits", "integer");
    refused("kind = \"binary\", columns = [{ name = \"a\", at = 0, mask = 0x100 }]", "columns[0].mask", "beyond");
    refused("kind = \"binary\", columns = [{ name = \"a\", at = 0, raw = \"f32\", mask = 1 }]", "columns[0].mask", "integer");
    refused("kind = \"binary\", columns = [{ name = \"a\", at = 0, mask = 3, bit = 1 }]", "columns[0].mask", "one of the two");
    refused("key = \"A\", columns = [{ name = \"a\", field = 1, mask = 3 }]", "columns[0].mask", "binary");
    refused("kind = \"binary\", size = 4, columns = [{ name = \"a\", at = 2, raw = \"u32\" }]", "columns[0].at", "size");
    refused("kind = \"binary\", columns = [{ name = \"a\", at = 0, missing = [\"---\"] }]", "columns[0].missing", "0x8000");
    refused("key = \"A\", columns = [{ name = \"a\", field = 1, type = \"int\", scale = 0.1 }]", "columns[0].scale", "real");
    refused("key = \"A\", columns = [{ name = \"a\", field = 1, type = \"text\", low = 1 }]", "columns[0].low", "numbers");
    refused("key = \"A\", columns = [{ name = \"a\", field = 1, low = 2, high = 1 }]", "columns[0].low", "exchange");
    refused("key = \"A\", columns = [{ name = \"a\", field = 1, type = \"text\", digits = \"hex\" }]", "columns[0].digits", "real, int or bool");
    refused("kind = \"binary\", columns = [{ name = \"a\", at = 0, digits = \"hex\" }]", "columns[0].digits", "as texts");
    refused("key = \"A\", columns = [{ name = \"a\", field = 1, bits = 2 }]", "columns[0].bits", "hex");
    refused("key = \"A\", columns = [{ name = \"a\", field = 1, digits = \"hex\", bit = 60, bits = 5 }]", "columns[0].bits", "64");
    refused("key = \"A\", columns = [{ name = \"a\", field = 1, yes = [\"*\"] }]", "columns[0].yes", "bool");
    refused("key = \"A\", columns = [{ name = \"a\", field = 1, endian = \"big\" }]", "columns[0].endian", "binary");
    refused("kind = \"binary\", columns = [{ name = \"a\", at = 0, strip = \"*\" }]", "columns[0].strip", "texts");
    refused("key = \"A\", columns = [{ name = \"a\", field = 1, type = \"time\", format = \"%Q\" }]", "columns[0].name", "unknown part");
}

#define SPECIAL(raw, text) "kind = \"binary\", columns = [{ name = \"a\", at = 0, " raw ", missing = [\"" text "\"] }]"
#define NEVER(raw, text) refused(SPECIAL("raw = \"" raw "\"", text), "columns[0].missing", "cannot occur")

TEST(a_special_value_that_its_type_cannot_hold_is_refused)
{
    NEVER("u8", "256");
    NEVER("u8", "-1");
    NEVER("u64", "-1");
    NEVER("i8", "128");
    NEVER("i8", "-129");
    NEVER("i16", "32768");
    NEVER("i16", "0x10000");
    NEVER("i64", "9223372036854775808");
    NEVER("i64", "-9223372036854775809");
    NEVER("f32", "16777217");
    NEVER("f64", "9007199254740993");
    refused(SPECIAL("raw = \"u8\", bit = 2, bits = 4", "16"), "columns[0].missing", "cannot occur");
    refused(SPECIAL("raw = \"u8\", mask = 0x25", "8"), "columns[0].missing", "cannot occur");
    refused(SPECIAL("raw = \"u8\", bit = 5", "8"), "columns[0].missing", "cannot occur");
    refused(SPECIAL("raw = \"bcd\", length = 2", "10000"), "columns[0].missing", "cannot occur");
    refused(SPECIAL("raw = \"bcd\", length = 2", "-1"), "columns[0].missing", "cannot occur");
    refused(SPECIAL("raw = \"u64\"", "18446744073709551616"), "columns[0].missing", "no whole number");
    refused(SPECIAL("raw = \"u64\"", "0x"), "columns[0].missing", "no whole number");
    refused(SPECIAL("raw = \"u64\"", "--1"), "columns[0].missing", "no whole number");
    accepted("frames = [{ " SPECIAL("raw = \"i8\"", "-128\", \"127\", \"0x80\", \"0xff\", \"-0") " }]");
    accepted("frames = [{ " SPECIAL("raw = \"u64\"", "0xffffffffffffffff\", \"18446744073709551615") " }]");
    accepted("frames = [{ " SPECIAL("raw = \"i64\"", "-9223372036854775808\", \"0x8000000000000000") " }]");
    accepted("frames = [{ " SPECIAL("raw = \"bcd\", length = 9", "999999999999999999") " }]");
    accepted("frames = [{ " SPECIAL("raw = \"f32\"", "-9999\", \"0x80000000") " }]");
}

TEST(what_no_frame_can_reach_is_refused)
{
    refused("kind = \"delimited\", " COLUMN " }, { key = \"A\", " COLUMN, "frames[1].name", "none is left");
    refused("key = \"A\", " COLUMN " }, { key = \"A\", " COLUMN, "frames[1].key", "columns together");
    refused("key = \"A\", " COLUMN " }, { key = \"B\", columns = [{ name = \"a\", field = 1, unit = \"/min\" }]",
            "frames[1].columns[0].name", "alike");
    EXPECT_REFUSED("op_parse", "split = \"cr\"\nframes = [{ kind = \"binary\", " AT " }]", "split = \"none\"");
}

TEST(time_subject_and_names_are_columns_of_the_map)
{
    EXPECT_REFUSED("op_parse", "subject = \"who\"\nframes = [{ key = \"A\", " COLUMN " }]", "is no column of any frame");
    EXPECT_REFUSED("op_parse", "time = { from = \"t\" }\nframes = [{ key = \"A\", " COLUMN " }]", "is no column of any frame");
    EXPECT_REFUSED("op_parse", "frame_column = \"a\"\nframes = [{ key = \"A\", " COLUMN " }]", "rename it");
    EXPECT_REFUSED("op_parse", "stream = \"\"\nframes = [{ key = \"A\", " COLUMN " }]", "write it like \"rows\"");
    EXPECT_REFUSED("op_parse", "frames = []", "1");
    EXPECT_REFUSED("op_parse", "ignore = [\"\"]\nframes = [{ key = \"A\", " COLUMN " }]", "begins with");
    accepted("subject = \"a\"\nframe_column = \"k\"\nframes = [{ key = \"A\", columns = [{ name = \"a\", field = 1, type = \"text\" }] },"
             "{ key = \"B\", columns = [{ name = \"a\", field = 2, type = \"text\" }] }]");
}

TEST(check_knows_the_columns_that_come_out)
{
    static const struct aff_schema bytes = { .struct_size = sizeof bytes, .type = AFF_BYTES, .name = "frames" };
    const struct aff_shape in = { .struct_size = sizeof in, .schema = &bytes, .subject = AFF_LABEL_PHI };
    const struct aff_shape *out;
    const struct aff_schema *s;

    assert_null(aff_harness_shape("op_parse",
                                  "frame_column = \"kind\"\nframes = [{ key = \"HR\", columns = [{ name = \"hr\", field = 2, unit = \"/min\", "
                                  "code = \"8867-4\", required = true }, { name = \"who\", field = 3, type = \"text\", label = \"phi\" }] }, "
                                  "{ key = \"PR\", columns = [{ name = \"hr\", field = 1, unit = \"/min\", code = \"8867-4\" }] }]",
                                  &in, 1, &out));
    s = out[0].schema;
    assert_non_null(s);
    assert_int_equal(s->count, 3);
    assert_string_equal(s->columns[0].name, "hr");
    assert_string_equal(s->columns[0].unit, "/min");
    assert_string_equal(s->columns[0].code, "8867-4");
    assert_int_equal(s->columns[1].label, AFF_LABEL_PHI);
    assert_string_equal(s->columns[2].name, "kind");
    assert_int_equal(s->columns[2].type, AFF_TEXT);
    assert_int_equal(out[0].subject, AFF_LABEL_PHI);
}

/* Events as "count why", one behind the other. */
static const char *told(struct aff_harness *h)
{
    static char text[500];
    const struct aff_record *r;
    size_t used = 0;

    text[0] = 0;
    while ((r = aff_harness_take(h, "events")) && used + 100 < sizeof text) {
        assert_string_equal(aff_harness_text(h, r, "kind"), "bad_frames");
        used += (size_t)snprintf(text + used, sizeof text - used, "%d %s;", (int)aff_harness_int(h, r, "count"),
                                 aff_harness_text(h, r, "why"));
    }
    return text;
}

/* A device of another speed or version sends what nobody understands, and that must not go by in silence. */
TEST(frames_that_cannot_be_read_are_told_and_those_that_are_let_go_are_not)
{
    struct aff_harness *h = aff_harness_open("op_parse", "ignore = [\"TIME\"]\nsplit = \"cr\"\nframes = [{ key = "
                                           "\"HR\", columns = [{ name = \"hr\", field = 2 }] }]");
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "HR=1;80;");
    push_text(h, stream, "TIME 12:00\r\r\n\r");
    push_text(h, stream, "\r\n");
    EXPECT_NOTHING(h, "events");
    push_text(h, stream, "\xfe\x81");
    push_text(h, stream, "HR=1;80;\rPULS=80\rHR=1;x;\rHR=1;82;");
    push_text(h, stream, "HR=1;y;");
    assert_string_equal(told(h), "1 no_match;2 bad_value;1 bad_value;");
    EXPECT_WAITING(h, "rows", 3);
    aff_harness_restart(h);
    aff_harness_end_stream(h, "in", stream);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

AFF_TEST_MAIN(a_frame_without_its_marks_is_refused, a_column_without_its_place_is_refused,
              a_value_that_cannot_be_is_refused, a_special_value_that_its_type_cannot_hold_is_refused,
              what_no_frame_can_reach_is_refused,
              time_subject_and_names_are_columns_of_the_map, check_knows_the_columns_that_come_out,
              frames_that_cannot_be_read_are_told_and_those_that_are_let_go_are_not)
