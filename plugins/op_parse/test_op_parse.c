/* SPDX-License-Identifier: Apache-2.0
 *
 * test_op_parse.c - the plugin on the test kit: every kind of frame, values,
 * verdicts, restarts, failing host calls.
 *
 * Not here: what a map may say (test_map.c), frames at random (test_random.c). */
#include <rows/testing.h>

#define IVY \
    "frames = [\n" \
    " { key = \"HR\", columns = [{ name = \"heart_rate\", field = 2, unit = \"/min\", code = \"8867-4\", low = 0, high = 300 },\n" \
    "   { name = \"lead\", field = 3, type = \"text\" }] },\n" \
    " { key = \"SPO2\", columns = [{ name = \"spo2\", field = 2, unit = \"%\", code = \"59408-5\", missing = [\"---\"] },\n" \
    "   { name = \"pulse\", field = 3, type = \"int\", prefix = \"PR=\" }] },\n" \
    " { key = \"P2\", columns = [{ name = \"p2_state\", field = 1, type = \"int\", suspect = [\"3\"] },\n" \
    "   { name = \"p2\", field = 2 }, { name = \"p2_note\", field = 5, type = \"text\" }] },\n" \
    "]\n"

static void one(const char *toml, const char *frame, const char *wanted)
{
    struct aff_harness *h = aff_harness_open("op_parse", toml);

    push_text(h, text_stream(h, "A", "s"), frame);
    expect_rows(h, wanted);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void one_bytes(const char *toml, const void *frame, size_t size, const char *wanted)
{
    struct aff_harness *h = aff_harness_open("op_parse", toml);

    push_bytes(h, text_stream(h, "A", "s"), frame, size, 0);
    expect_rows(h, wanted);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* One frame that makes no row, and the metric that counts it. */
static void none_bytes(const char *toml, const void *frame, size_t size, const char *verdict, const char *metric)
{
    struct aff_harness *h = aff_harness_open("op_parse", toml);

    push_bytes(h, text_stream(h, "A", "s"), frame, size, 0);
    EXPECT_NOTHING(h, "rows");
    EXPECT_VERDICT(h, verdict, 1);
    EXPECT_METRIC(h, metric, 1);
    EXPECT_METRIC(h, "rows", 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void none(const char *toml, const char *frame, const char *verdict)
{
    none_bytes(toml, frame, strlen(frame), verdict, strcmp(verdict, "no_match") ? "bad_frames" : "no_match");
}

/* ---- text ---- */

TEST(each_key_fills_columns_of_its_own)
{
    one(IVY, "HR=1;80;ECG-II-DIAG;", "A@1000 heart_rate=80 lead='ECG-II-DIAG'\n");
    one(IVY, "SPO2=1;100;PR=80 ;\r", "A@1000 spo2=100 pulse=80\n");
    one(IVY, "\r\nSPO2=1;---;PR=---;\r\n", "");
    one(IVY, "SPO2=1;---;", "A@1000\n");
    one(IVY, "SPO2=1", "A@1000\n");
    one(IVY, "HR=1; 80.50 ;", "A@1000 heart_rate=80.5\n");
}

TEST(a_state_by_which_the_device_doubts_marks_the_row)
{
    struct aff_harness *h = aff_harness_open("op_parse", IVY);
    uint32_t stream = text_stream(h, "A", "s");
    const struct aff_record *r;

    push_text(h, stream, "P2=3;;;;NO TRANSDUCER;");
    r = aff_harness_take(h, "rows");
    assert_non_null(r);
    assert_int_equal(r->flags & AFF_FLAG_SUSPECT, AFF_FLAG_SUSPECT);
    assert_string_equal(aff_harness_text(h, r, "p2_note"), "NO TRANSDUCER");
    push_text(h, stream, "P2=1;12;");
    r = aff_harness_take(h, "rows");
    assert_non_null(r);
    assert_int_equal(r->flags & AFF_FLAG_SUSPECT, 0);
    EXPECT_METRIC(h, "suspect", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(waveform_bytes_in_front_of_a_key_are_passed_over)
{
    static const char toml[] = "start = \"key\"\n" IVY;
    static const char wanted[] = "A@1000 heart_rate=80 lead='ECG'\n";

    one(toml, "\x80\xfb\xfb\xfbHR=1;80;ECG;", wanted);
    one(toml, "m`TH=2'\x1e\x15\x06HR=1;80;ECG;\r", wanted);
    one(toml, "P2=9\x01HR=9;81;\xfbHR=1;80;ECG;", wanted);
    one(toml, "\x01;}HR=1;80;ECG;", wanted);
    one_bytes(toml, "a\0\0HR=1;80;ECG;", 15, wanted);
    one(toml, "\xc3(\xf0\x9f\x98HR=1;80;ECG;", wanted);
    one(toml, "\xfbSPO2=1;97;HR=80;", "A@1000 spo2=97\n");
    none(toml, "\xfbXHR=1;80;", "no_match");
    none(toml, "\xfbHR=1;80;\xfb", "no_match");
    none(toml, "\xfb\xfb\xfb", "no_match");
    one("start = \"anywhere\"\n" IVY, "\xfbXHR=1;80;", "A@1000 heart_rate=80\n");
    none(IVY, "\xfbHR=1;80;", "no_match");
}

TEST(a_key_is_not_found_in_the_end_of_another_word)
{
    static const char toml[] = "start = \"key\"\nframes = [{ key = \"O2\", columns = [{ name = \"o2\", field = 1 }] },\n"
                               " { key = \"CO2\", columns = [{ name = \"co2\", field = 1 }] }]";

    none(toml, "SPO2=97;", "no_match");
    one(toml, "CO2=5;", "A@1000 co2=5\n");
    one(toml, "#O2=21;", "A@1000 o2=21\n");
}

#define PAIRS "frames = [{ kind = \"pairs\", separator = \",\", columns = [{ name = \"hr\", from = \"HR\" }, " \
              "{ name = \"spo2\", type = \"int\", required = true }] }]"

TEST(pairs_may_stand_in_any_order)
{
    one(PAIRS, "HR=80,spo2=97", "A@1000 hr=80 spo2=97\n");
    one(PAIRS, "X=1, spo2 = 97 ,HR=80,", "A@1000 hr=80 spo2=97\n");
    one("start = \"key\"\n" PAIRS, "\xfb\x10spo2=97,HR=80", "A@1000 hr=80 spo2=97\n");
    none(PAIRS, "HR=80", "missing_value");
    none(PAIRS, "HR=80,spo2=97,HR=81", "bad_frame");
    none(PAIRS, "spo2=97.5", "bad_value");
    none(PAIRS, "RR=12,XHR=80", "no_match");
    none(PAIRS, "HR", "no_match");
}

TEST(delimited_fields_may_be_quoted_or_between_blanks)
{
    static const char csv[] = "frames = [{ kind = \"delimited\", key = \"$V\", separator = \",\", quote = \"'\", decimal = \",\", "
                              "fields = 3, columns = [{ name = \"t\", field = 2, type = \"text\" }, { name = \"v\", field = 3 }] }]";
    static const char blanks[] = "frames = [{ kind = \"delimited\", separator = \"blanks\", columns = [{ name = \"a\", field = 1 },"
                                 "{ name = \"b\", field = 2, suffix = \"bpm\" }] }]";

    one(csv, "$V,'a,''b',7", "A@1000 t='a,'b' v=7\n");
    one(csv, "$V,,'7,5',", "A@1000 v=7.5\n");
    none(csv, "$V,'a", "bad_frame");
    none(csv, "$V,'a'b,1", "bad_frame");
    none(csv, "$V,1", "bad_frame");
    none(csv, "$V,1,2,3", "bad_frame");
    none(csv, "$W,1,2", "no_match");
    none(csv, "$V2,1,2", "no_match");
    none(csv, "$V,1\r,2", "bad_frame");
    one(blanks, "  1.5 \t 80bpm  ", "A@1000 a=1.5 b=80\n");
    one(blanks, "1.5 80", "A@1000 a=1.5\n");
    none(blanks, "1.5 \xc3( 80", "bad_frame");
}

TEST(fixed_places_are_cut_by_bytes)
{
    static const char toml[] = "frames = [{ name = \"v\", kind = \"fixed\", begins = \"#\", columns = ["
                               "{ name = \"hr\", at = 1, length = 3, type = \"int\" }, { name = \"t\", at = 4, length = 4, scale = 0.1 }, "
                               "{ name = \"n\", at = 8, length = 6, type = \"text\" }] }]";
    static const char sized[] = "frames = [{ kind = \"fixed\", size = 4, columns = [{ name = \"a\", at = 0, length = 4 }] }]";

    one(toml, "# 80 365Anne  ", "A@1000 hr=80 t=36.5 n='Anne'\n");
    one(toml, "# 80", "A@1000 hr=80\n");
    one(toml, "#\r\n", "A@1000\n");
    none(toml, "#8 0", "bad_value");
    none(toml, "# 80 365Ann\xc3\xa9\xc3\xa9", "bad_frame");
    none(toml, "!80", "no_match");
    one(sized, "12.5\r\n", "A@1000 a=12.5\n");
    none(sized, "12.50", "no_match");
}

/* A pulse oximeter's printer port: header lines, alarms marked by *, --- for nothing. */
TEST(lines_that_are_no_data_are_let_go_and_marks_around_a_value_taken_off)
{
    static const char toml[] = "ignore = [\"TIME\", \"ADULT\"]\nframes = [{ kind = \"fixed\", columns = ["
                               "{ name = \"spo2\", at = 9, length = 5, strip = \"*%\", missing = [\"---\"], suspect = [\"---\"] }, "
                               "{ name = \"low\", at = 12, length = 1, type = \"bool\", yes = [\"*\"] }] }]";

    one(toml, "16:00:02  84* 124*", "A@1000 spo2=84 low=1\n");
    one(toml, "16:00:04 *98% 124", "A@1000 spo2=98 low=0\n");
    one(toml, "16:00:04 ---  ---", "A@1000 low=0\n");
    one(toml, "16:00:04 98", "A@1000 spo2=98\n");
    none(toml, "16:00:02  8*4 124*", "bad_value");
    none(toml, "TIME     %SpO2  BPM", "no_match");
    none(toml, "  \t  ADULT  0SAT-S", "no_match");
    one("start = \"key\"\nignore = [\"X\"]\n" IVY, "X1 HR=1;80;", "");
}

TEST(any_of_several_characters_may_stand_between_fields)
{
    static const char toml[] = "frames = [{ kind = \"delimited\", key = \"NIBP\", separator = \" /()\", columns = ["
                               "{ name = \"sys\", field = 2 }, { name = \"dia\", field = 3 }, { name = \"mean\", field = 4 }] }]";
    static const char pairs[] = "frames = [{ kind = \"pairs\", assign = \":\", separator = \", \", columns = [{ name = \"HR\" }, "
                                "{ name = \"RR\", suffix = \"bpm\" }] }]";

    one(toml, "NIBP 120/80(93)", "A@1000 sys=120 dia=80 mean=93\n");
    one(toml, "NIBP(120//", "A@1000 sys=120\n");
    none(toml, "NIBP:120/80", "no_match");
    one(pairs, "HR:80, RR:12bpm", "A@1000 HR=80 RR=12\n");
}

TEST(numbers_may_be_written_in_hexadecimal)
{
    static const char toml[] = "frames = [{ kind = \"delimited\", separator = \",\", columns = [{ name = \"a\", field = 1, digits = "
                               "\"hex\", type = \"int\", missing = [\"FF\", \"10\"] }, { name = \"b\", field = 2, digits = \"hex\", scale = 0.5, high = 40 }, "
                               "{ name = \"c\", field = 3, digits = \"hex\", bit = 4, bits = 2, type = \"bool\" }] }]";

    one(toml, "0x1F,1f,10", "A@1000 a=31 b=15.5 c=1\n");
    one(toml, "0X0,FF,CF", "A@1000 a=0 c=0\n");
    one(toml, "FF,00,", "A@1000 b=0\n");
    one(toml, "10,00,", "A@1000 b=0\n");
    one(toml, "A,00,", "A@1000 a=10 b=0\n"); /* `missing` is as it is written */
    one(toml, "7fffffffffffffff,,", "A@1000 a=9223372036854775807\n");
    for (const char *const *bad = (const char *const[]){ "0x", "x1", "1g", "-1", "1.5", "+1", "8000000000000000", "1 2",
                                                         "00000000000000001", NULL }; *bad; bad++)
        none(toml, *bad, "bad_value");
}

TEST(latin_1_becomes_utf_8)
{
    static const char toml[] = "encoding = \"latin-1\"\nstart = \"key\"\nframes = [{ key = \"T\", columns = [{ name = \"t\", field = 1, suffix = \"\u00b0C\" }, "
                               "{ name = \"n\", field = 2, type = \"text\" }] }, { kind = \"fixed\", begins = \"#\", columns = [{ name = \"n\", at = 1, length = 2, "
                               "type = \"text\" }] }]";

    one(toml, "T=36.5\xb0" "C;M\xfcller;", "A@1000 t=36.5 n='M\xc3\xbcller'\n");
    one(toml, "\x80\x01T=36.5 \xb0" "C;\xff", "A@1000 t=36.5 n='\xc3\xbf'\n");
    one(toml, "#\xfc\xe4x", "A@1000 n='\xc3\xbc\xc3\xa4'\n");
    none(toml, "T=36.5;\x8a;", "bad_frame");
    none("encoding = \"latin-1\"\n" IVY, "HR=1;80;\x8a", "bad_frame");
}

/* ---- bytes ---- */

#define BINARY(endian, columns) \
    "frames = [{ kind = \"binary\", begins_hex = \"a5 5a\", endian = \"" endian "\", columns = [" columns "] }]"

TEST(integers_of_every_width_and_order)
{
    one_bytes(BINARY("little", "{ name = \"a\", at = 2, raw = \"u16\" }, { name = \"b\", at = 4, raw = \"i24\", type = \"int\" }, "
                               "{ name = \"c\", at = 7, raw = \"i64\", type = \"int\" }"),
              "\xa5\x5a\x01\x02\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x80", 15,
              "A@1000 a=513 b=-1 c=-9223372036854775807\n");
    one_bytes(BINARY("big", "{ name = \"a\", at = 2, raw = \"u16\" }, { name = \"b\", at = 4, raw = \"i24\", type = \"int\" }, "
                            "{ name = \"c\", at = 7, raw = \"i64\", type = \"int\" }"),
              "\xa5\x5a\x01\x02\x80\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff", 15,
              "A@1000 a=258 b=-8388608 c=9223372036854775807\n");
    one_bytes(BINARY("big", "{ name = \"u\", at = 2, raw = \"u64\" }, { name = \"k\", at = 10, raw = \"i8\" }"),
              "\xa5\x5a\xff\xff\xff\xff\xff\xff\xff\xff\x80", 11, "A@1000 u=1.8446744073709552e+19 k=-128\n");
    none_bytes(BINARY("big", "{ name = \"u\", at = 2, raw = \"u64\", type = \"int\" }"), "\xa5\x5a\xff\xff\xff\xff\xff\xff\xff\xff", 10,
               "bad_value", "bad_frames");
}

TEST(a_value_may_have_an_order_of_its_own)
{
    static const char toml[] = "frames = [{ kind = \"binary\", endian = \"big\", columns = [{ name = \"a\", raw = \"u16\", at = 0, type = "
                               "\"int\" }, { name = \"b\", raw = \"u16\", at = 0, type = \"int\", endian = \"little\" }, { name = \"c\", raw = "
                               "\"bcd\", length = 2, at = 0, type = \"int\", endian = \"little\" }, { name = \"d\", raw = \"f32\", at = 2, endian = "
                               "\"little\" }] }]";

    one_bytes(toml, "\x12\x34\x00\x00\x80\x3f", 6, "A@1000 a=4660 b=13330 c=3412 d=1\n");
}

TEST(parts_of_an_integer_are_values_too)
{
    one_bytes(BINARY("little", "{ name = \"on\", at = 2, bit = 7, bits = 1, type = \"bool\" }, { name = \"mode\", at = 2, bit = 4, bits = 3, "
                               "type = \"int\" }, { name = \"low\", at = 2, raw = \"i8\", bits = 4, type = \"int\" }, "
                               "{ name = \"rest\", at = 3, raw = \"u16\", bit = 12, type = \"int\" }"),
              "\xa5\x5a\xdf\x00\xf0", 5, "A@1000 on=1 mode=5 low=-1 rest=15\n");
}

/* Bytes of seven bits, as devices send them whose frames begin at the one bit left. */
TEST(bits_that_lie_apart_are_one_value)
{
    static const char toml[] = BINARY("big", "{ name = \"hr\", at = 2, raw = \"u16\", mask = 0x407F, type = \"int\", missing = "
                                             "[\"255\"] }, { name = \"t\", at = 2, raw = \"i16\", mask = 0x7F7F, scale = 0.5 }");

    one_bytes(toml, "\xa5\x5a\x00\x48", 4, "A@1000 hr=72 t=36\n");
    one_bytes(toml, "\xa5\x5a\x40\x48", 4, "A@1000 hr=200 t=-4060\n");
    one_bytes(toml, "\xa5\x5a\xbf\xff", 4, "A@1000 hr=127 t=4095.5\n");
    one_bytes(toml, "\xa5\x5a\x7f\x7f", 4, "A@1000 t=-0.5\n");
    one_bytes(BINARY("little", "{ name = \"a\", at = 2, raw = \"u32\", mask = 0xF00000F1, type = \"int\" }"),
              "\xa5\x5a\x71\xff\xff\x5f", 6, "A@1000 a=175\n");
}

TEST(floats_decimals_and_texts_in_bytes)
{
    one_bytes(BINARY("big", "{ name = \"f\", at = 2, raw = \"f32\" }, { name = \"g\", at = 6, raw = \"f64\" }, "
                            "{ name = \"d\", at = 14, raw = \"bcd\", length = 2, scale = 0.1 }, "
                            "{ name = \"t\", at = 16, raw = \"text\", length = 4, type = \"text\" }"),
              "\xa5\x5a\x3f\xc0\x00\x00\x40\x04\x00\x00\x00\x00\x00\x00\x03\x65 ab\0", 20, "A@1000 f=1.5 g=2.5 d=36.5 t='ab'\n");
    one_bytes(BINARY("little", "{ name = \"f\", at = 2, raw = \"f32\" }"), "\xa5\x5a\x00\x00\xc0\x7f", 6, "A@1000\n");
    none_bytes(BINARY("little", "{ name = \"f\", at = 2, raw = \"f32\" }"), "\xa5\x5a\x00\x00\x80\x7f", 6, "bad_value", "bad_frames");
    none_bytes(BINARY("big", "{ name = \"d\", at = 2, raw = \"bcd\", length = 1 }"), "\xa5\x5a\x1a", 3, "bad_value", "bad_frames");
    none_bytes(BINARY("big", "{ name = \"t\", at = 2, raw = \"text\", length = 2, type = \"text\" }"), "\xa5\x5a\xc3(", 4, "bad_value",
               "bad_frames");
}

TEST(special_values_are_no_values)
{
    static const char toml[] = BINARY("big", "{ name = \"t\", at = 2, raw = \"i16\", scale = 0.01, offset = -10, missing = [\"0x7fff\", \"-32768\"], "
                                             "low = 20, high = 45 }");

    one_bytes(toml, "\xa5\x5a\x12\x34", 4, "A@1000 t=36.600000000000001\n");
    one_bytes(toml, "\xa5\x5a\x7f\xff", 4, "A@1000\n");
    one_bytes(toml, "\xa5\x5a\x80\x00", 4, "A@1000\n");
    one_bytes(toml, "\xa5\x5a\x00\x01", 4, "A@1000\n");
}

TEST(a_special_value_in_hexadecimal_is_the_stored_bits)
{
    one_bytes(BINARY("big", "{ name = \"t\", at = 2, raw = \"i16\", missing = [\"0x8000\"] }"), "\xa5\x5a\x80\x00", 4, "A@1000\n");
    one_bytes(BINARY("little", "{ name = \"t\", at = 2, raw = \"i24\", missing = [\"0xFFFFFF\", \"0x800000\"] }, "
                               "{ name = \"u\", at = 5, raw = \"i24\", missing = [\"0xffffff\", \"0x800000\"] }, "
                               "{ name = \"v\", at = 8, raw = \"i24\", missing = [\"0xffffff\", \"0x7fffff\"] }"),
              "\xa5\x5a\xff\xff\xff\x00\x00\x80\x00\x00\x80", 11, "A@1000 v=-8388608\n");
    /* of the bits that the column names, not of the whole integer */
    one_bytes(BINARY("big", "{ name = \"t\", at = 2, raw = \"i16\", bits = 12, missing = [\"0x800\"] }, "
                            "{ name = \"u\", at = 2, raw = \"u16\", bits = 12, missing = [\"0x7ff\"] }"),
              "\xa5\x5a\xf8\x00", 4, "A@1000 u=2048\n");
    one_bytes(BINARY("big", "{ name = \"f\", at = 2, raw = \"f32\", missing = [\"-9999\"] }, { name = \"d\", at = 6, raw = "
                            "\"bcd\", length = 2, missing = [\"9999\"] }"),
              "\xa5\x5a\xc6\x1c\x3c\x00\x99\x99", 8, "A@1000\n");
}

TEST(a_value_near_a_special_one_is_a_value)
{
    one_bytes(BINARY("big", "{ name = \"a\", at = 2, raw = \"i64\", type = \"int\", missing = [\"0x7fffffffffffffff\"] }"),
              "\xa5\x5a\x7f\xff\xff\xff\xff\xff\xff\xfe", 10, "A@1000 a=9223372036854775806\n");
    one_bytes(BINARY("big", "{ name = \"a\", at = 2, raw = \"i64\", type = \"int\", missing = [\"0x7fffffffffffffff\"] }, "
                            "{ name = \"b\", at = 10, raw = \"i64\", type = \"int\", missing = [\"0x8000000000000000\"] }, "
                            "{ name = \"c\", at = 10, raw = \"i64\", type = \"int\", missing = [\"-9223372036854775807\"] }"),
              "\xa5\x5a\x7f\xff\xff\xff\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", 18, "A@1000 c=-9223372036854775808\n");
    one_bytes(BINARY("big", "{ name = \"a\", at = 2, raw = \"u64\", missing = [\"18446744073709551615\"] }, "
                            "{ name = \"b\", at = 10, raw = \"u64\", missing = [\"0xffffffffffffffff\"] }"),
              "\xa5\x5a\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff\xff", 18,
              "A@1000 a=1.8446744073709552e+19\n");
}

TEST(frames_of_one_mark_are_told_apart_by_their_size)
{
    static const char toml[] = "frames = [{ kind = \"binary\", begins_hex = \"a5\", size = 3, columns = [{ name = \"a\", at = 1, raw = \"u16\" }] },"
                               "{ kind = \"binary\", begins_hex = \"a5\", size = 2, columns = [{ name = \"b\", at = 1 }] }]";

    one_bytes(toml, "\xa5\x01\x00", 3, "A@1000 a=1\n");
    one_bytes(toml, "\xa5\x02", 2, "A@1000 b=2\n");
    none_bytes(toml, "\xa5\x02\x03\x04", 4, "bad_frame", "bad_frames");
    none_bytes(toml, "\xa5", 1, "bad_frame", "bad_frames");
    none_bytes(toml, "\xa6\x01\x00", 3, "no_match", "no_match");
    none_bytes(BINARY("big", "{ name = \"a\", at = 2, raw = \"u32\" }"), "\xa5\x5a\x01\x02\x03", 5, "bad_frame", "bad_frames");
}

/* ---- values ---- */

#define RANGE(more) "frames = [{ key = \"T\", columns = [{ name = \"t\", field = 1, low = 30, high = 45, " more " }, " \
                    "{ name = \"u\", field = 2 }] }]"

TEST(a_value_outside_of_its_range_is_left_out_marked_or_refused)
{
    struct aff_harness *h = aff_harness_open("op_parse", RANGE("outside = \"suspect\""));
    const struct aff_record *r;

    one(RANGE(""), "T=30;1", "A@1000 t=30 u=1\n");
    one(RANGE(""), "T=29.9;1", "A@1000 u=1\n");
    one(RANGE("keep_text = true"), "T=+45.10;1", "A@1000 t_text='+45.10' u=1\n");
    none_bytes(RANGE("outside = \"frame\""), "T=50;1", 6, "out_of_range", "outside");
    push_text(h, text_stream(h, "A", "s"), "T=50;1");
    r = aff_harness_take(h, "rows");
    assert_non_null(r);
    assert_int_equal(r->flags, AFF_FLAG_SUSPECT);
    assert_true(aff_harness_real(h, r, "t") > 49.9);
    EXPECT_METRIC(h, "outside", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_value_that_is_none_is_left_out_marked_or_sets_its_frame_aside)
{
    struct aff_harness *h = aff_harness_open("op_parse", RANGE("bad = \"suspect\""));
    const struct aff_record *r;

    none_bytes(RANGE(""), "T=x;1", 5, "bad_value", "bad_values");
    one(RANGE("bad = \"missing\""), "T=x;1", "A@1000 u=1\n");
    one(RANGE("bad = \"missing\", type = \"int\""), "T=36.5;1", "A@1000 u=1\n");
    push_text(h, text_stream(h, "A", "s"), "T=1e999;1");
    r = aff_harness_take(h, "rows");
    assert_non_null(r);
    assert_int_equal(r->flags, AFF_FLAG_SUSPECT);
    EXPECT_METRIC(h, "bad_values", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(time_and_subject_may_come_from_the_frame)
{
    static const char toml[] = "subject = \"who\"\ntime = { from = \"at\", format = \"unix_s\" }\nframe_column = \"what\"\n"
                               "frames = [{ key = \"V\", columns = [{ name = \"who\", field = 1, type = \"text\", label = \"phi\" }, "
                               "{ name = \"at\", field = 2, type = \"int\" }, { name = \"v\", field = 3 }] }]";
    static const char binary[] = "time = { from = \"at\", format = \"unix_s\" }\n"
                                 BINARY("big", "{ name = \"at\", at = 2, raw = \"u32\", type = \"int\", keep_text = true }");

    one(toml, "V=Bob;1700000000;5", "Bob@1700000000 who='Bob' at=1700000000 v=5 what='V'\n");
    none(toml, "V=;1700000000;5", "no_subject");
    none(toml, "V=Bob;;5", "bad_time");
    none(toml, "V=Bob;soon;5", "bad_value");
    one_bytes(binary, "\xa5\x5a\x65\x53\xf1\x00", 6, "A@1700000000 at=1700000000 at_text='1700000000'\n");
}

/* ---- records ---- */

TEST(a_record_may_hold_several_frames)
{
    static const char toml[] = "split = \"cr\"\nstart = \"key\"\n" IVY;
    struct aff_harness *h = aff_harness_open("op_parse", toml);
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "\xfbHR=1;80;\rRR=1;\rSPO2=1;x;\rHR=1;81;");
    push_text(h, stream, "HR=1;y;");
    push_text(h, stream, "\r\r");
    assert_int_equal(aff_harness_take(h, "rows")->event_ns, INT64_C(1000000000000));
    assert_int_equal(aff_harness_take(h, "rows")->event_ns, INT64_C(1000000000001)); /* in their order */
    EXPECT_VERDICT(h, "bad_value", 2);
    EXPECT_VERDICT(h, "no_match", 1);
    EXPECT_METRIC(h, "no_match", 1);
    assert_int_equal(aff_harness_ledger(h).aside, 1);
    EXPECT_LOG(h, AFF_LOG_WARN, "frame \"SPO2\": column spo2 is not of its type, at byte 16");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(streams_end_with_their_input_and_have_the_name_that_is_wanted)
{
    struct aff_harness *h = aff_harness_open("op_parse", "stream = \"vitals\"\n" IVY);
    uint32_t a = text_stream(h, "A", "monitor"), b = text_stream(h, "B", "monitor");
    const struct aff_record *r;

    push_text(h, a, "HR=1;80;");
    push_text(h, b, "nothing");
    r = aff_harness_take(h, "rows");
    assert_non_null(r);
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "monitor/vitals");
    aff_harness_end_stream(h, "in", a);
    aff_harness_end_stream(h, "in", b);
    expect_rows(h, "A end\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_gap_is_told_by_the_next_row)
{
    struct aff_harness *h = aff_harness_open("op_parse", IVY);
    uint32_t stream = text_stream(h, "A", "s");

    push_bytes(h, stream, "half", 4, AFF_FLAG_GAP);
    aff_harness_restart(h);
    push_text(h, stream, "HR=1;80;");
    push_text(h, stream, "HR=1;81;");
    expect_rows(h, "A!@1000 heart_rate=80\nA@1000 heart_rate=81\n");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_row_too_large_for_a_record_is_set_aside_alone)
{
    struct aff_harness *h = aff_harness_open("op_parse", IVY);
    uint32_t stream = text_stream(h, "A", "s");
    char text[400];

    aff_harness_max_record(h, 200);
    (void)snprintf(text, sizeof text, "HR=1;80;%0300d;", 0);
    EXPECT_STATUS(push_bytes(h, stream, text, strlen(text), 0), AFF_OK);
    push_text(h, stream, "HR=1;81;");
    expect_rows(h, "A@1000 heart_rate=81\n");
    EXPECT_VERDICT(h, "too_large", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(hostile_frames_do_no_harm)
{
    static const char *const toml[] = { "start = \"key\"\n" IVY, IVY, PAIRS, "start = \"anywhere\"\n" PAIRS };
    char *text = malloc(60000);
    size_t i, k;

    assert_non_null(text);
    for (i = 0; i < sizeof toml / sizeof toml[0]; i++) {
        struct aff_harness *h = aff_harness_open("op_parse", toml[i]);
        uint32_t stream = text_stream(h, "A", "s");

        for (k = 0; k + 3 <= 60000; k += 3)
            memcpy(text + k, "HR=", 3);
        push_bytes(h, stream, text, 60000, 0);
        memset(text, ';', 60000);
        push_bytes(h, stream, text, 60000, 0);
        memset(text, 0xbf, 60000);
        push_bytes(h, stream, text, 60000, 0);
        push_bytes(h, stream, "", 0, 0);
        push_bytes(h, stream, "=", 1, 0);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
    free(text);
}

static void every_call_may_fail(void)
{
    struct aff_harness *h = aff_harness_open("op_parse", "split = \"lf\"\nsubject = \"lead\"\nframe_column = \"k\"\n" IVY);
    uint32_t stream = text_stream(h, "A", "s");

    push_text(h, stream, "HR=1;80;x\nHR=1;y;x\nHR=1;82;z\n");
    push_text(h, stream, "HR=1;83;x\n");
    aff_harness_end_stream(h, "in", stream);
    expect_rows(h, "x@1000 heart_rate=80 lead='x' k='HR'\nz@1000 heart_rate=82 lead='z' k='HR'\n"
                   "x@1000 heart_rate=83 lead='x' k='HR'\nx end\nz end\n");
    EXPECT_VERDICT(h, "bad_value", 1);
    EXPECT_METRIC(h, "rows", 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(every_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(every_call_may_fail);
}

/* ---- a real monitor ---- */

TEST(a_monitors_capture_gives_the_rows_of_all_its_lines)
{
    const char *path = aff_test_data("monitor-serial/ivy450c-part1.bin");
    static char text[8192];
    struct aff_harness *h;
    FILE *file = path ? fopen(path, "rb") : NULL;
    size_t size;

    if (!file)
        AFF_SKIP("no monitor-serial in AFFERENT_DATA");
    size = fread(text, 1, sizeof text, file);
    fclose(file);
    h = aff_harness_open("op_parse", "start = \"key\"\nsplit = \"cr\"\n" IVY);
    push_bytes(h, text_stream(h, "A", "s"), text, size, 0);
    EXPECT_WAITING(h, "rows", 15 + 14 + 14);
    EXPECT_METRIC(h, "suspect", 14);
    EXPECT_METRIC(h, "bad_frames", 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

AFF_TEST_MAIN(each_key_fills_columns_of_its_own, a_state_by_which_the_device_doubts_marks_the_row,
              waveform_bytes_in_front_of_a_key_are_passed_over, a_key_is_not_found_in_the_end_of_another_word,
              pairs_may_stand_in_any_order, delimited_fields_may_be_quoted_or_between_blanks,
              fixed_places_are_cut_by_bytes,
              lines_that_are_no_data_are_let_go_and_marks_around_a_value_taken_off,
              any_of_several_characters_may_stand_between_fields, numbers_may_be_written_in_hexadecimal,
              a_value_may_have_an_order_of_its_own, latin_1_becomes_utf_8, integers_of_every_width_and_order, parts_of_an_integer_are_values_too, bits_that_lie_apart_are_one_value,
              floats_decimals_and_texts_in_bytes, special_values_are_no_values,
              a_special_value_in_hexadecimal_is_the_stored_bits, a_value_near_a_special_one_is_a_value,
              frames_of_one_mark_are_told_apart_by_their_size,
              a_value_outside_of_its_range_is_left_out_marked_or_refused,
              a_value_that_is_none_is_left_out_marked_or_sets_its_frame_aside,
              time_and_subject_may_come_from_the_frame, a_record_may_hold_several_frames,
              streams_end_with_their_input_and_have_the_name_that_is_wanted, a_gap_is_told_by_the_next_row,
              a_row_too_large_for_a_record_is_set_aside_alone, hostile_frames_do_no_harm,
              every_host_call_may_fail_once, a_monitors_capture_gives_the_rows_of_all_its_lines)
