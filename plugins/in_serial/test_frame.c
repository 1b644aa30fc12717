/* SPDX-License-Identifier: Apache-2.0
 *
 * test_frame.c - each framer: what it cuts, what it calls bad, how it gets back
 * after garbage; and for each the property that it does not matter how the bytes
 * came. The real monitor's capture is at the end. */
#include "test_cut.h"

#include <afferent/testkit.h>

#include <stdio.h>

static struct frame_rule rule;

static void mark_into(struct marks *m, const char *text)
{
    struct mark mark;

    assert_true(text_mark(text, &mark));
    assert_true(marks_add(m, &mark));
}

static void rule_new(enum frame_kind kind, const char *start, const char *end)
{
    memset(&rule, 0, sizeof rule);
    rule.kind = kind;
    rule.most = 64;
    if (start)
        mark_into(&rule.starts, start);
    if (end)
        mark_into(&rule.ends, end);
}

static void crc_modbus(void)
{
    rule.sum.rule = (struct sum_rule){ .kind = SUM_CRC16, .poly = 0x8005, .init = 0xffff, .reflect_in = true,
                                       .reflect_out = true, .little = true };
}

/* As [frame][frame]; ~ before one whose beginning was not seen. */
static const char *shown(const struct outcome *o)
{
    static char text[1 << 16];
    size_t at = 0, used = 0;
    uint32_t size;

    text[0] = 0;
    while (at < o->used) {
        memcpy(&size, o->text + at, sizeof size);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s[", o->text[at + 4] ? "" : "~");
        for (at += 5; size; size--, at++) {
            int is_plain = o->text[at] >= 0x20 && o->text[at] < 0x7f;

            used += (size_t)snprintf(text + used, sizeof text - used, is_plain ? "%c" : "<%02x>", o->text[at]);
        }
        used += (size_t)snprintf(text + used, sizeof text - used, "]");
    }
    return text;
}

static struct outcome last;

/* The frames of a stream, the same however it is cut. */
static const char *frames_of_bytes(const void *bytes, size_t size)
{
    static const size_t cuts[] = { 1, 2, 3, 7, 64, 0, 0, 0 };

    free(last.text);
    last = outcome_of(&rule, bytes, size, size ? size : 1, 0);
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct outcome o = outcome_of(&rule, bytes, size, cuts[i], i * 77 + 1);

        assert_true(outcome_same(&o, &last));
        free(o.text);
    }
    return shown(&last);
}

#define FRAMES(text) frames_of_bytes(text, sizeof(text) - 1)

TEST(lines_end_by_any_mark_and_empty_ones_are_passed_over)
{
    rule_new(FRAME_LINE, NULL, "\r");
    mark_into(&rule.ends, "\n");
    assert_string_equal(FRAMES("one\r\ntwo\n\nthree\rfour"), "~[one][two][three]");
    assert_int_equal(last.left, 4);
    rule.keep_empty = true;
    assert_string_equal(FRAMES("a\n\nb\n"), "~[a][][b]");
    rule_new(FRAME_LINE, NULL, "\r\n");
    assert_string_equal(FRAMES("a\rb\nc\r\nd\r\r\n"), "~[a<0d>b<0a>c][d<0d>]");
    rule_new(FRAME_LINE, NULL, "END");
    assert_string_equal(FRAMES("xENxENDyEEND"), "~[xENx][yE]");
}

TEST(a_line_above_the_limit_is_one_bad_frame_and_the_next_is_whole)
{
    char text[300];

    rule_new(FRAME_LINE, NULL, "\n");
    memset(text, 'a', sizeof text);
    memcpy(text + 200, "\nnext\n", 6);
    assert_string_equal(frames_of_bytes(text, 206), "[next]");
    assert_int_equal(last.bad[REASON_LONG], 1);
    assert_int_equal(last.skipped, 201);
    memcpy(text + 64, "\nnext\n", 6);
    assert_int_equal(strlen(frames_of_bytes(text, 70)), 64 + 3 + 6);
    assert_int_equal(last.bad[REASON_LONG], 0);
}

TEST(text_lines_are_cut_out_of_waveform_bytes)
{
    rule_new(FRAME_LINE, NULL, "\r");
    rule.ascii = true;
    assert_string_equal(FRAMES("JJI^ek\xfb\xfb\xfbHR=1;80;\rRR=1;35;\r\xfe\xff"
                               "ANSAR-B \x8a\x86\r\rx\x01HR=2;\r"),
                        "[HR=1;80;][RR=1;35;][HR=2;]");
    assert_int_equal(last.bad[REASON_LONG], 0);
    assert_string_equal(FRAMES("R=1;80;\rRR=1;\r"), "~[R=1;80;][RR=1;]");
    rule.most = 4;
    assert_string_equal(FRAMES("waveform\x01line\rwaveform\rline\r"), "[line][line]");
    assert_int_equal(last.bad[REASON_LONG], 1); /* only what ended as a line does */
}

TEST(fixed_frames_resynchronise_by_a_start_mark_or_a_checksum)
{
    rule_new(FRAME_FIXED, NULL, NULL);
    rule.size = 4;
    assert_string_equal(FRAMES("abcdefghij"), "~[abcd][efgh]");
    rule_new(FRAME_FIXED, "$", NULL);
    rule.size = 4;
    assert_string_equal(FRAMES("xx$abc$defzz$$gh"), "[abc][def][$gh]");
    assert_int_equal(last.skipped, 4);
    rule_new(FRAME_FIXED, NULL, NULL);
    rule.size = 11;
    crc_modbus();
    assert_string_equal(FRAMES("zzz123456789\x37\x4b"
                               "123456789\x37\x4b\x31"
                               "23456789\x37\x4cxx123456789\x37\x4b"),
                        "[123456789][123456789][123456789]");
    assert_int_equal(last.bad[REASON_SUM], 2); /* one row of wrong bytes, one bad frame */
}

TEST(a_length_field_counts_payload_rest_or_frame)
{
    rule_new(FRAME_LENGTH, "\\xaa", NULL);
    rule.offset = 1;
    rule.width = 1;
    rule.header = 3;
    assert_string_equal(FRAMES("\xaa\x03Tabc\xaa\x01Uz"), "[abc][z]");
    rule.whole = true;
    assert_string_equal(FRAMES("\xaa\x01Uz"), "[<aa><01>Uz]");
    rule.whole = false;
    rule.counts = COUNTS_REST;
    assert_string_equal(FRAMES("\xaa\x03Tab\xaa\x02Uz"), "[ab][z]");
    rule.counts = COUNTS_FRAME;
    rule.width = 2;
    rule.header = 4;
    rule.little = true;
    rule.trailer = 1;
    assert_string_equal(FRAMES("\xaa\x07\x00Tab.\xaa\x06\x00Uz;"), "[ab][z]");
}

TEST(a_length_that_cannot_be_is_bad_and_what_follows_is_found)
{
    rule_new(FRAME_LENGTH, "\\xaa", NULL);
    rule.offset = 1;
    rule.width = 2;
    rule.header = 3;
    rule.counts = COUNTS_FRAME;
    assert_string_equal(FRAMES("\xaa\x00\x02\xaa\x00\x05hi\xaa\xff\xff\xaa\x00\x04!"), "[hi][!]");
    assert_int_equal(last.bad[REASON_LENGTH], 1);
    assert_int_equal(last.bad[REASON_LONG], 1);
    rule.width = 4;
    rule.header = 5;
    rule.counts = COUNTS_PAYLOAD;
    assert_string_equal(FRAMES("\xaa\xff\xff\xff\xff\xaa\x00\x00\x00\x02hi"), "[hi]");
}

TEST(stx_and_etx_with_a_checksum_behind_as_in_astm_e1381)
{
    rule_new(FRAME_STX_ETX, "\\x02", "\\x03");
    mark_into(&rule.ends, "\\x17");
    rule.sum = (struct frame_sum){ .rule = { .kind = SUM_ADD8, .hex = true }, .behind = true, .cover_end = true,
                                   .after = 2 };
    rule.tail = 4;
    /* sum of "1H" and ETX: 31 + 48 + 03 = 7C; of "2P" and ETB: 32 + 50 + 17 = 99 */
    assert_string_equal(FRAMES("\x05\x02"
                               "1H\x03"
                               "7C\r\n\x02"
                               "2P\x17"
                               "99\r\n\x04"),
                        "[1H][2P]");
    assert_string_equal(FRAMES("\x02"
                               "1H\x03"
                               "7D\r\n\x02"
                               "2P\x17"
                               "99\r\n"),
                        "[2P]");
    assert_int_equal(last.bad[REASON_SUM], 1);
}

TEST(a_checksum_that_was_lost_costs_one_frame_and_not_the_next)
{
    rule_new(FRAME_STX_ETX, "\\x02", "\\x03");
    rule.sum = (struct frame_sum){ .rule = { .kind = SUM_XOR }, .behind = true, .cover_end = true };
    rule.tail = 1;
    assert_string_equal(FRAMES("\x02"
                               "AB\x03\x02"
                               "AB\x03\x00"),
                        "[AB]");
    assert_int_equal(last.bad[REASON_SUM], 1);
}

/* Its content came and is checked; what was lost behind it is none of the next frame's. */
TEST(a_line_end_that_was_lost_behind_a_checksum_costs_no_frame)
{
    rule_new(FRAME_STX_ETX, "\\x02", "\\x03");
    rule.sum = (struct frame_sum){ .rule = { .kind = SUM_ADD8, .hex = true }, .behind = true, .cover_end = true,
                                   .after = 2 };
    rule.tail = 4;
    assert_string_equal(FRAMES("\x02"
                               "1H\x03"
                               "7C\x02"
                               "1H\x03"
                               "7C\r\x02"
                               "1H\x03"
                               "7C\r\n"),
                        "[1H][1H][1H]");
    rule.start_is_content = true;
    assert_string_equal(FRAMES("\x02"
                               "1H\x03"
                               "7C\x02\x02\x02"
                               "1H\x03"
                               "7C\r\n"),
                        "[1H][1H]");
}

TEST(a_frame_without_its_end_gives_way_to_the_next_start)
{
    rule_new(FRAME_STX_ETX, "\\x02", "\\x03");
    assert_string_equal(FRAMES("\x02lost\x02kept\x03"), "[kept]");
    assert_int_equal(last.bad[REASON_CUT], 1);
    rule.start_is_content = true;
    assert_string_equal(FRAMES("\x02lost\x02kept\x03"), "[lost<02>kept]");
}

TEST(nmea_sentences_have_their_sum_inside)
{
    rule_new(FRAME_MARKED, "$", "\\r\\n");
    rule.sum = (struct frame_sum){ .rule = { .kind = SUM_XOR, .hex = true }, .skip_last = 1 };
    rule.most = 82;
    assert_string_equal(FRAMES("GA,1*00\r\n$GPGLL,5057.970,N,00146.110,E,142451,A*27\r\n"
                               "$GPGLL,5057.970,N,00146.110,E,142451,V*27\r\n"),
                        "[GPGLL,5057.970,N,00146.110,E,142451,A]");
    assert_int_equal(last.bad[REASON_SUM], 1);
}

TEST(a_checksum_needs_room_for_what_it_does_not_cover)
{
    rule_new(FRAME_MARKED, "$", "\n");
    rule.sum = (struct frame_sum){ .rule = { .kind = SUM_XOR }, .cover_start = true, .skip_last = 1 };
    assert_string_equal(FRAMES("$\x00\n$A*\x65\n"), "[A]");
    assert_int_equal(last.bad[REASON_SUM], 1);
    rule.sum.cover_start = false;
    rule.sum.skip_first = 3;
    assert_string_equal(FRAMES("$A*\x65\n"), "");
}

TEST(dle_escapes_are_taken_out_and_wrong_ones_are_bad)
{
    rule_new(FRAME_STX_ETX, "\\x10\\x02", "\\x10\\x03");
    rule.has_escape = true;
    rule.escape = 0x10;
    assert_string_equal(FRAMES("\x10\x02"
                               "a\x10\x10\x03"
                               "b\x10\x03\x10\x02\x10\x10\x10\x03"),
                        "[a<10><03>b][<10>]");
    assert_string_equal(FRAMES("\x10\x02"
                               "a\x10zb\x10\x03\x10\x02ok\x10\x03"),
                        "[ok]");
    assert_int_equal(last.bad[REASON_ENCODING], 1);
    assert_string_equal(FRAMES("\x10\x02 cut\x10\x02ok\x10\x03"), "[ok]");
    assert_int_equal(last.bad[REASON_CUT], 1);
}

TEST(hdlc_frames_share_their_flags_and_are_checked_by_x25)
{
    rule_new(FRAME_MARKED, "\\x7e", "\\x7e");
    rule.has_escape = true;
    rule.escape = 0x7d;
    rule.escape_xor = 0x20;
    rule.sum.rule = (struct sum_rule){ .kind = SUM_CRC16, .poly = 0x1021, .init = 0xffff, .xorout = 0xffff,
                                       .reflect_in = true, .reflect_out = true, .little = true };
    assert_string_equal(FRAMES("junk\x7e\x7e"
                               "123456789\x6e\x90\x7e"
                               "123456789\x6e\x90\x7e\x7e\x7e"
                               "123456789\x6e\x91\x7e"
                               "123456789\x6e\x90\x7e"),
                        "[123456789][123456789][123456789]");
    assert_int_equal(last.bad[REASON_SUM], 1);
    assert_string_equal(FRAMES("\x7e"
                               "12\x7d\x7e"
                               "123456789\x6e\x90\x7e"),
                        "[123456789]");
    assert_int_equal(last.bad[REASON_ENCODING], 1);
}

TEST(start_marks_alone_cut_from_one_to_the_next)
{
    rule_new(FRAME_MARKED, "HR", NULL);
    mark_into(&rule.starts, "SP");
    assert_string_equal(FRAMES("..HR1 SP2 S HHR3"), "[1 ][2 S H]");
    assert_int_equal(last.left, 3);
}

TEST(slip_frames_are_those_of_rfc_1055)
{
    rule_new(FRAME_SLIP, NULL, "\\xc0");
    assert_string_equal(FRAMES("\xc0"
                               "ab\xdb\xdc\xdb\xdd\xc0\xc0"
                               "x\xdby\xc0z\xdb\xc0ok\xc0"),
                        "[ab<c0><db>][ok]");
    assert_int_equal(last.bad[REASON_ENCODING], 2);
    assert_string_equal(FRAMES("half\xc0whole\xc0"), "~[half][whole]");
}

TEST(cobs_frames_are_those_of_the_paper)
{
    rule_new(FRAME_COBS, NULL, "\\0");
    assert_string_equal(FRAMES("\x00\x01\x00\x01\x01\x00\x03\x11\x22\x02\x33\x00\x09"
                               "abc\x00\x02x\x00"),
                        "[<00>][<11>\"<00>3][x]");
    assert_int_equal(last.bad[REASON_ENCODING], 1);
}

TEST(what_is_encoded_comes_back_whatever_is_in_it)
{
    static const enum frame_kind kinds[] = { FRAME_SLIP, FRAME_COBS, FRAME_STX_ETX, FRAME_MARKED };
    static const char *const marks[][2] = { { NULL, "\\xc0" }, { NULL, "\\0" }, { "\\x10\\x02", "\\x10\\x03" },
                                            { "\\x7e", "\\x7e" } };
    uint64_t seed = 4;
    uint8_t content[1500], wire[8000];

    for (size_t k = 0; k < 4 * 300; k++) {
        size_t size = 1 + cut_random(&seed) % (k % 7 ? 300 : sizeof content), made;
        struct framer f;
        struct outcome o;

        rule_new(kinds[k % 4], marks[k % 4][0], marks[k % 4][1]);
        rule.most = sizeof content + 16;
        rule.has_escape = true;
        rule.escape = k % 4 == 2 ? 0x10 : 0x7d;
        rule.escape_xor = 0x20;
        crc_modbus();
        for (size_t i = 0; i < size; i++)
            content[i] = (uint8_t)(k % 3 ? cut_random(&seed) : (cut_random(&seed) & 1 ? 0x7e : 0x10));
        framer_set(&f, &rule);
        made = frame_encode(&f, content, size, wire, sizeof wire);
        assert_true(made > size);
        wire[made] = wire[0]; /* a shared flag; garbage for the others */
        o = outcome_of(&rule, wire, made + (k % 4 == 3), 0, k);
        assert_int_equal(o.frames, 1);
        assert_int_equal(o.used, size + 5);
        assert_memory_equal(o.text + 5, content, size);
        free(o.text);
    }
}

TEST(marks_of_which_one_begins_another_are_refused)
{
    struct mark a, b;

    memset(&rule, 0, sizeof rule);
    assert_true(text_mark("\\r\\n", &a) && text_mark("\\r", &b));
    assert_true(marks_add(&rule.ends, &a));
    assert_false(marks_add(&rule.ends, &b));
    assert_false(marks_add(&rule.ends, &a));
}

TEST(a_frame_that_stays_half_expires_and_those_behind_its_false_start_come)
{
    struct framer f;
    struct window w;
    uint8_t scratch[512], bytes[8192], *to;
    size_t room;
    struct window_step s;

    rule_new(FRAME_LENGTH, "\\xaa", NULL);
    rule.offset = 1;
    rule.width = 1;
    rule.header = 2;
    framer_set(&f, &rule);
    assert_true(f.reach <= sizeof scratch && window_room(&f) <= sizeof bytes);
    f.scratch = scratch;
    window_set(&w, &f, bytes);
    to = window_space(&w, &room);
    memcpy(to, "\xaa\x20\xaa\x02hi", 6);
    window_filled(&w, 6, 5, 0);
    assert_int_equal(window_next(&w).step.what, FRAME_MORE);
    s = window_expire(&w);
    assert_int_equal(s.step.what, FRAME_SKIP);
    assert_int_equal(s.step.reason, REASON_CUT);
    do
        s = window_next(&w);
    while (s.step.what == FRAME_SKIP);
    assert_int_equal(s.step.what, FRAME_FOUND);
    assert_memory_equal(s.step.at, "hi", 2);
    assert_int_equal(s.ns, 5);
}

TEST(the_time_of_a_frame_is_when_its_first_byte_came)
{
    struct framer f;
    struct window w;
    uint8_t bytes[8192], *to;
    struct window_step s;
    size_t room;
    int64_t ns = 0;

    rule_new(FRAME_LINE, NULL, "\n");
    framer_set(&f, &rule);
    window_set(&w, &f, bytes);
    for (const char *p = "ab\ncd\n\nefgh\n"; *p; p++) {
        to = window_space(&w, &room);
        *to = (uint8_t)*p;
        window_filled(&w, 1, ++ns, AFF_CLOCK_SYNCED);
        while ((s = window_next(&w)).step.what != FRAME_MORE)
            if (s.step.what == FRAME_FOUND)
                assert_int_equal(s.ns, s.step.at[0] == 'a' ? 1 : s.step.at[0] == 'c' ? 4 : 8);
    }
    assert_int_equal(window_clear(&w), 0);
}

/* Lines of the table beside the capture: "offset TAB key TAB fields". */
static void monitor_frames(const char *table)
{
    FILE *file = fopen(table, "r");
    char line[200], want[200], *key, *fields;
    const char *got = shown(&last);
    unsigned count = 0;

    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file)); /* the heading */
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = 0;
        key = strchr(line, '\t') + 1;
        fields = strchr(key, '\t');
        *fields++ = 0;
        (void)snprintf(want, sizeof want, "[%s=%s]", key, fields);
        got = strstr(got, want);
        assert_non_null(got);
        got += strlen(want);
        count++;
    }
    (void)fclose(file);
    assert_true(count > 100);
    assert_int_equal(last.frames, count);
}

TEST(every_line_of_a_real_monitor_comes_out_of_its_waveforms)
{
    static uint8_t bytes[1 << 16];
    const char *path = aff_test_data("monitor-serial/ivy450c-part1.bin");
    FILE *file = path ? fopen(path, "r") : NULL;
    size_t size;

    if (!file) {
        AFF_SKIP("no monitor-serial in the test data");
        return;
    }
    size = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    rule_new(FRAME_LINE, NULL, "\r");
    rule.ascii = true;
    (void)frames_of_bytes(bytes, size);
    monitor_frames(aff_test_data("monitor-serial/expected-numerics.tsv"));
    assert_int_equal(last.bad[REASON_LONG], 0);
}

AFF_TEST_MAIN(lines_end_by_any_mark_and_empty_ones_are_passed_over,
              a_line_above_the_limit_is_one_bad_frame_and_the_next_is_whole,
              text_lines_are_cut_out_of_waveform_bytes, fixed_frames_resynchronise_by_a_start_mark_or_a_checksum,
              a_length_field_counts_payload_rest_or_frame, a_length_that_cannot_be_is_bad_and_what_follows_is_found,
              stx_and_etx_with_a_checksum_behind_as_in_astm_e1381,
              a_checksum_that_was_lost_costs_one_frame_and_not_the_next,
              a_line_end_that_was_lost_behind_a_checksum_costs_no_frame,
              a_frame_without_its_end_gives_way_to_the_next_start, nmea_sentences_have_their_sum_inside,
              a_checksum_needs_room_for_what_it_does_not_cover,
              dle_escapes_are_taken_out_and_wrong_ones_are_bad, hdlc_frames_share_their_flags_and_are_checked_by_x25,
              start_marks_alone_cut_from_one_to_the_next, slip_frames_are_those_of_rfc_1055,
              cobs_frames_are_those_of_the_paper, what_is_encoded_comes_back_whatever_is_in_it,
              marks_of_which_one_begins_another_are_refused,
              a_frame_that_stays_half_expires_and_those_behind_its_false_start_come,
              the_time_of_a_frame_is_when_its_first_byte_came,
              every_line_of_a_real_monitor_comes_out_of_its_waveforms)
