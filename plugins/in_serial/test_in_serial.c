/* SPDX-License-Identifier: Apache-2.0
 *
 * test_in_serial.c - the plugin on real ptys: every framer, times and flags,
 * unplugging and return, hostile bytes, and what is refused.
 *
 * Not here: pauses (test_pauses.c), commands (test_commands.c, test_polls.c). */
#include "test_line.h"

TEST(lines_become_records_with_the_time_of_their_first_byte)
{
    struct aff_harness *h = line_ready("subject = \"bed-3\"\nstream = \"vitals\"");
    const struct aff_record *r;

    aff_harness_utc(h, 1000 * SECOND, AFF_CLOCK_SYNCED);
    PTY_SEND(&line, "HR=8");
    line_rest(h);
    aff_harness_utc(h, 2000 * SECOND, AFF_CLOCK_NONE);
    PTY_SEND(&line, "0\r\nSPO2=97\r\n");
    line_wait(h, "data", 2);
    r = aff_harness_take(h, "data");
    assert_int_equal(r->event_ns / SECOND, 1000);
    assert_int_equal(r->clock, AFF_CLOCK_SYNCED);
    assert_int_equal(r->flags & AFF_FLAG_SUSPECT, AFF_FLAG_SUSPECT); /* its beginning was not seen */
    assert_int_equal(r->size, 5);
    assert_memory_equal(r->data, "HR=80", 5);
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "vitals");
    assert_string_equal(aff_harness_stream_info(h, r->stream)->subject_name, "bed-3");
    r = aff_harness_take(h, "data");
    assert_int_equal(r->event_ns / SECOND, 2000);
    assert_int_equal(r->clock, AFF_CLOCK_NONE);
    assert_int_equal(r->flags & AFF_FLAG_SUSPECT, 0);
    EXPECT_METRIC(h, "frames", 2);
    EXPECT_METRIC(h, "bytes", 16);
    EXPECT_NOTHING(h, "events");
    line_close(&h);
}

TEST(frames_of_one_read_have_times_that_rise)
{
    struct aff_harness *h = line_ready("");
    int64_t before = INT64_MIN;
    int i;

    aff_harness_utc(h, 1000 * SECOND, AFF_CLOCK_SYNCED);
    PTY_SEND(&line, "a\r\nb\r\nc\r\nd\r\n");
    line_wait(h, "data", 4);
    for (i = 0; i < 4; i++) {
        const struct aff_record *r = aff_harness_take(h, "data");

        assert_true(r->event_ns > before);
        assert_true(r->event_ns - 1000 * SECOND < SECOND);
        before = r->event_ns;
    }
    aff_harness_utc(h, 500 * SECOND, AFF_CLOCK_SYNCED); /* set back: believed */
    PTY_SEND(&line, "e\r\n");
    line_wait(h, "data", 1);
    assert_int_equal(aff_harness_take(h, "data")->event_ns / SECOND, 500);
    line_close(&h);
}

TEST(every_framer_works_through_the_plugin)
{
    static const struct {
        const char *toml, *bytes;
        size_t size, records;
        const char *frames;
    } rows[] = {
#define ROW(toml, bytes, records, frames) { toml, bytes, sizeof(bytes) - 1, records, frames }
        ROW("framer = \"none\"", "abc", 1, "[abc]"),
        ROW("line = { text = \"strict\" }", "a\r\nb\xfb" "c\r\nd\te\nf", 2, "~[a]![d\te]"),
        ROW("line = { end = \"\\r\", text = \"ascii\" }", "IJ\xfb\xfbHR=1;\rRR=2;\r", 2, "[HR=1;][RR=2;]"),
        ROW("framer = \"fixed\"\nfixed = { size = 4, start = \"$\" }", "x$abcy$def", 2, "[abc][def]"),
        ROW("framer = \"length\"\nlength = { start = '\\xAA', offset = 1, width = 2, order = \"little\", trailer = 2 "
            "}\nchecksum = { kind = \"crc16\", poly = 0x8005, init = 0xFFFF, reflect_in = true, reflect_out = true, "
            "order = \"little\", cover_start = true, skip_first = 3 }",
            "\xaa\x09\x00\x31\x32\x33\x34\x35\x36\x37\x38\x39\x37\x4b", 1, "[123456789]"),
        ROW("framer = \"fixed\"\nfixed = { size = 3, sync_bits = 0x80 }", "x\x80" "ab" "\x81" "c" "\xff" "de" "xy" "\x90" "fg", 3,
            "[\x80" "ab]![\xff" "de][\x90" "fg]"),
        ROW("framer = \"length\"\nlength = { start = \"AB\", offset = 2, width = 2, add = -2 }",
            "AB\x00\x04okAB\x00\x02" "AB\x00\x01" "AB\x00\x03!", 2, "[ok]![!]"),
        ROW("framer = \"stx_etx\"\nchecksum = { kind = \"xor\" }", "\x02"
                                                                   "AB\x03\x00",
            1, "[AB]"),
        ROW("framer = \"stx_etx\"\nchecksum = { kind = \"sum\", written = \"hex\", after = 2 }\nmarks = { end = "
            "['\\x03', '\\x17'] }",
            "\x02"
            "1H\x03"
            "7C\r\n",
            1, "[1H]"),
        ROW("framer = \"stx_etx\"\nmarks = { start = '\\x10\\x02', end = '\\x10\\x03', escape = '\\x10' }",
            "\x10\x02"
            "a\x10\x10\x03\x10\x03",
            1, "[a\x10\x03]"),
        ROW("framer = \"slip\"", "\xc0"
                                 "a\xdb\xdc\xc0",
            1, "[a\xc0]"),
        ROW("framer = \"cobs\"", "\x00\x02x\x00", 1, "[x]"),
        ROW("framer = \"marks\"\nmarks = { start = \"$\", end = \"\\r\\n\" }\n"
            "checksum = { kind = \"xor\", written = \"hex\", skip_last = 1 }",
            "$AB*03\r\n", 1, "[AB]"),
        ROW("framer = \"marks\"\nmarks = { start = [\"HR=\", \"RR=\"] }\nemit = \"frame\"", "xHR=1RR=2HR=", 2, "[HR=1][RR=2]"),
        ROW("framer = \"marks\"\nmarks = { start = '\\x7E', end = '\\x7E', escape = '\\x7D', escape_xor = 0x20 }",
            "\x7e"
            "a\x7d\x5e\x7e"
            "b\x7e",
            2, "[a~][b]"),
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct aff_harness *h = line_ready(rows[i].toml);

        pty_send(&line, rows[i].bytes, rows[i].size);
        line_wait(h, "data", rows[i].records);
        assert_string_equal(line_frames(h), rows[i].frames);
        EXPECT_METRIC(h, "bad_checksum", 0);
        line_close(&h);
    }
}

TEST(a_bad_frame_is_counted_told_and_leaves_a_gap)
{
    struct aff_harness *h = line_ready("framer = \"stx_etx\"\nchecksum = { kind = \"xor\" }");
    const struct aff_record *e;

    PTY_SEND(&line, "garbage\x02"
                    "AB\x03\x01"
                    "\x02"
                    "AB\x03\x00"
                    "\x02"
                    "AB\x03\x00");
    line_wait(h, "data", 2);
    assert_string_equal(line_frames(h), "![AB][AB]");
    EXPECT_METRIC(h, "bad_checksum", 1);
    EXPECT_METRIC(h, "skipped", 12);
    e = aff_harness_take(h, "events");
    assert_string_equal(aff_harness_text(h, e, "kind"), "bad_frames");
    assert_int_equal(aff_harness_int(h, e, "count"), 1);
    assert_string_equal(aff_harness_text(h, e, "why"), "wrong checksum");
    /* The next ones are told together, 10 s later. */
    for (int i = 0; i < 3; i++)
        PTY_SEND(&line, "\x02"
                        "AB\x03\x01");
    line_rest(h);
    EXPECT_NOTHING(h, "events");
    aff_harness_clock(h, 9 * SECOND);
    EXPECT_NOTHING(h, "events");
    aff_harness_clock(h, 1 * SECOND);
    e = aff_harness_take(h, "events");
    assert_string_equal(aff_harness_text(h, e, "kind"), "bad_frames");
    assert_int_equal(aff_harness_int(h, e, "count"), 3);
    line_close(&h);
}

TEST(a_device_that_is_pulled_out_comes_back_and_says_so)
{
    struct aff_harness *h = line_ready("device = \"pump 1\"");
    const struct aff_record *e;

    PTY_SEND(&line, "one\nhal");
    line_wait(h, "data", 1);
    pty_pull(&line, "tty");
    line_wait(h, "events", 1);
    EXPECT_STATUS(aff_harness_status(h), AFF_ERR_IO);
    EXPECT_CAUSE(h, "the line is gone");
    assert_int_equal(aff_harness_watched(h), 0);
    e = aff_harness_take(h, "events");
    assert_string_equal(aff_harness_text(h, e, "kind"), "line_lost");
    assert_string_equal(aff_harness_text(h, e, "device"), "pump 1");
    EXPECT_STATUS(aff_harness_clock(h, 700 * MS), AFF_ERR_IO);
    EXPECT_CAUSE(h, "the device cannot be opened: No such file or directory");
    EXPECT_NOTHING(h, "events"); /* told once */
    pty_plug(&line, "tty");
    line_back(h, 2);
    PTY_SEND(&line, "f two\nthree\n");
    line_wait(h, "data", 3);
    assert_string_equal(line_frames(h), "~[one]!~[f two][three]");
    e = aff_harness_take(h, "events");
    assert_string_equal(aff_harness_text(h, e, "kind"), "line_back");
    assert_true(aff_harness_real(h, e, "seconds") >= 0.5);
    EXPECT_METRIC(h, "lost", 1);
    EXPECT_METRIC(h, "opened", 2);
    EXPECT_METRIC(h, "bad_cut", 1);
    /* Nothing was half this time; what was sent meanwhile is missing all the same. */
    pty_pull(&line, "tty");
    line_wait(h, "events", 1);
    pty_plug(&line, "tty");
    line_back(h, 3);
    PTY_SEND(&line, "four\n");
    line_wait(h, "data", 1);
    assert_string_equal(line_frames(h), "!~[four]");
    EXPECT_METRIC(h, "bad_cut", 1);
    line_close(&h);
}

TEST(a_loss_is_remembered_over_a_restart_and_so_is_a_gap)
{
    struct aff_harness *h = line_ready("");
    const struct aff_record *e;

    PTY_SEND(&line, "one\n");
    line_wait(h, "data", 1);
    aff_harness_restart(h);
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    PTY_SEND(&line, "two\n");
    line_wait(h, "data", 2);
    assert_string_equal(line_frames(h), "~[one]!~[two]");
    EXPECT_NOTHING(h, "events");
    pty_pull(&line, "tty");
    line_wait(h, "events", 1);
    assert_string_equal(line_told(h, "events"), "line_lost;");
    (void)aff_harness_clock(h, 30 * SECOND);
    aff_harness_restart(h);
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_ERR_IO);
    EXPECT_NOTHING(h, "events"); /* it was told */
    pty_plug(&line, "tty");
    line_back(h, 3);
    e = aff_harness_take(h, "events");
    assert_string_equal(aff_harness_text(h, e, "kind"), "line_back");
    assert_true(aff_harness_real(h, e, "seconds") >= 30.0);
    line_close(&h);
}

/* Tries per minute: not more often than twice the back-off, not later than it. */
TEST(tries_are_rarer_and_rarer_and_never_more_than_10_s_apart)
{
    struct aff_harness *h = line_open("");
    int64_t last, gap = 0, first = 0;
    int tries = 0;

    EXPECT_STATUS(aff_harness_read(h, 64), AFF_ERR_IO);
    assert_string_equal(line_told(h, "events"), "line_lost;");
    for (last = aff_harness_now(h); aff_harness_now(h) < last + 120 * SECOND; tries++) {
        gap = aff_harness_wake_time(h) - aff_harness_now(h);
        assert_true(gap > 0 && gap <= 10 * SECOND);
        first = first ? first : gap;
        (void)aff_harness_clock(h, gap);
    }
    assert_true(first <= 100 * MS && first >= 50 * MS);
    assert_true(gap >= 5 * SECOND);
    assert_true(tries > 15 && tries < 40);
    EXPECT_NOTHING(h, "events");
    EXPECT_METRIC(h, "lost", 1);
    pty_plug(&line, "tty");
    line_back(h, 1);
    assert_string_equal(line_told(h, "events"), "line_back;");
    PTY_SEND(&line, "here\n");
    line_wait(h, "data", 1);
    line_close(&h);
}

TEST(a_setting_that_the_device_does_not_take_ends_the_run_and_is_named)
{
    struct aff_harness *h;

    pty_plug(&line, "tty");
    h = line_open("parity = \"even\"");
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_ERR_CONFIG);
    EXPECT_CAUSE(h, "parity: the device does not take this setting");
    line_close(&h);
    pty_plug(&line, "tty");
    h = line_open("data_bits = 7");
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_ERR_CONFIG);
    EXPECT_CAUSE(h, "data_bits: ");
    line_close(&h);
    pty_plug(&line, "tty");
    h = line_open("flow = \"rtscts\"");
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_ERR_CONFIG);
    EXPECT_CAUSE(h, "flow: the device has no modem lines");
    line_close(&h);
}

TEST(a_device_that_comes_later_and_does_not_take_a_setting_is_tried_again)
{
    struct aff_harness *h = line_open("parity = \"even\"");

    EXPECT_STATUS(aff_harness_read(h, 64), AFF_ERR_IO);
    pty_plug(&line, "tty");
    for (int i = 0; i < 5; i++)
        EXPECT_STATUS(aff_harness_clock(h, 10 * SECOND), AFF_ERR_IO);
    EXPECT_CAUSE(h, "parity: the device does not take this setting");
    line_close(&h);
}

TEST(the_device_is_ours_alone)
{
    struct aff_harness *h = line_ready(""), *second = line_open("");

    EXPECT_STATUS(aff_harness_read(second, 64), AFF_ERR_IO);
    EXPECT_CAUSE(second, "in use by another program");
    aff_harness_close(&second);
    line_close(&h);
}

TEST(frames_wait_where_few_are_wanted_and_none_is_lost)
{
    struct aff_harness *h = line_ready("");
    char text[8];

    for (int i = 0; i < 200; i++)
        pty_send(&line, text, (size_t)snprintf(text, sizeof text, "%d\n", i));
    for (int i = 0; i < 400 && aff_harness_waiting(h, "data") < 200; i++) {
        size_t before = aff_harness_waiting(h, "data");

        if (aff_harness_read(h, 1) == AFF_AGAIN)
            (void)aff_harness_ready(h, 10);
        assert_true(aff_harness_waiting(h, "data") <= before + 2);
    }
    for (int i = 0; i < 200; i++) {
        const struct aff_record *r = aff_harness_take(h, "data");

        assert_int_equal(r->size, snprintf(text, sizeof text, "%d", i));
        assert_memory_equal(r->data, text, r->size);
    }
    line_close(&h);
}

TEST(the_real_monitor_played_through_a_pty_gives_each_line_of_its_table)
{
    static uint8_t bytes[1 << 16];
    struct aff_harness *h;
    const char *path = aff_test_data("monitor-serial/ivy450c-part1.bin");
    FILE *file = path ? fopen(path, "r") : NULL;
    char row[200], want[200];
    size_t size, at;
    const char *got;

    if (!file) {
        AFF_SKIP("no monitor-serial in the test data");
        return;
    }
    size = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    h = line_ready("line = { end = \"\\r\", text = \"ascii\" }");
    for (at = 0; at < size; at += 500) {
        pty_send(&line, bytes + at, size - at < 500 ? size - at : 500);
        (void)aff_harness_ready(h, 100);
    }
    line_rest(h);
    got = line_frames(h);
    file = fopen(aff_test_data("monitor-serial/expected-numerics.tsv"), "r");
    assert_non_null(file);
    assert_non_null(fgets(row, sizeof row, file));
    while (fgets(row, sizeof row, file)) {
        char *key = strchr(row, '\t') + 1, *fields = strchr(key, '\t');

        row[strcspn(row, "\r\n")] = 0;
        *fields++ = 0;
        (void)snprintf(want, sizeof want, "[%s=%s]", key, fields);
        assert_ptr_equal(strstr(got, want), got);
        got += strlen(want);
    }
    (void)fclose(file);
    assert_string_equal(got, "");
    line_close(&h);
}

TEST(hostile_bytes_leave_bounded_work_and_no_stop)
{
    static const char *const tomls[] = {
        "max_frame = \"64B\"",
        "framer = \"stx_etx\"\nchecksum = { kind = \"crc16\", poly = 0x1021 }",
        "framer = \"length\"\nlength = { width = 4, trailer = 1 }\nchecksum = { kind = \"sum\" }",
        "framer = \"cobs\"\nmax_frame = \"32B\"",
        "framer = \"marks\"\nmarks = { start = '\\x02' }",
    };
    char bytes[2000];
    uint64_t seed = 7;

    for (size_t k = 0; k < sizeof tomls / sizeof *tomls; k++) {
        struct aff_harness *h = line_ready(tomls[k]);
        double before;

        for (int round = 0; round < 20; round++) {
            for (size_t i = 0; i < sizeof bytes; i++) {
                seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
                bytes[i] = (char)(round % 3 ? seed >> 33 : round % 2 ? 2 : 3);
            }
            pty_send(&line, bytes, sizeof bytes);
            before = aff_harness_metric(h, "bytes");
            for (int i = 0; i < 100 && aff_harness_metric(h, "bytes") < before + sizeof bytes; i++)
                (void)aff_harness_ready(h, 100);
        }
        EXPECT_METRIC(h, "bytes", 40000);
        aff_harness_discard(h, "data");
        line_close(&h);
    }
}

static void plain_scenario(void)
{
    struct aff_harness *h;

    pty_plug(&line, "tty");
    h = line_open("commands = { go = { send = \"G\" } }\non_open = [\"go\"]");
    PTY_SEND(&line, "one\nbad frame that is lo");
    for (int i = 0; i < 100 && aff_harness_waiting(h, "data") < 1; i++)
        if (aff_harness_read(h, 64) == AFF_AGAIN)
            (void)aff_harness_ready(h, 10);
    pty_pull(&line, "tty");
    line_wait(h, "events", 1);
    assert_string_equal(line_frames(h), "~[one]");
    assert_string_equal(line_told(h, "events"), "line_lost;");
    assert_string_equal(line_told(h, "results"), "go done 1;");
    line_close(&h);
}

TEST(every_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(plain_scenario);
}

TEST(a_device_is_found_by_its_usb_id_wherever_it_is_plugged_in)
{
    char toml[600], at[160];
    struct aff_harness *h;
    FILE *file;

    pty_plug(&line, "unused");
    for (const char *const *f = (const char *const[]){ "class", "class/tty", "class/tty/ttyUSB7", "usb", "usb/if", NULL }; *f; f++)
        assert_int_equal(mkdir(pty_at(*f), 0700), 0);
    (void)snprintf(at, sizeof at, "%s", pty_at("usb/if"));
    assert_int_equal(symlink(at, pty_at("class/tty/ttyUSB7/device")), 0);
    for (const char *const *f = (const char *const[]){ "usb/idVendor", "0403", "usb/idProduct", "6001", "usb/serial", "AB12",
                                                       "usb/if/bInterfaceNumber", "00", NULL }; *f; f += 2) {
        file = fopen(pty_at(f[0]), "w");
        assert_true(file && fprintf(file, "%s\n", f[1]) > 0 && fclose(file) == 0);
    }
    file = fopen(pty_at("class/tty/ttyUSB7/uevent"), "w");
    assert_true(file && fprintf(file, "DEVNAME=%s\n", line.slave + 5) > 0 && fclose(file) == 0);
    (void)snprintf(toml, sizeof toml, "sysfs = \"%s\"\nusb = { vendor = \"0403\", product = \"6001\", serial = "
                                      "\"AB12\" }", pty_folder);
    h = aff_harness_open("in_serial", toml);
    PTY_SEND(&line, "found\n");
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    line_wait(h, "data", 1);
    line_close(&h);
    h = aff_harness_open("in_serial", toml);
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_ERR_IO);
    EXPECT_CAUSE(h, "the list of serial devices cannot be read");
    aff_harness_close(&h);
}

TEST(what_cannot_be_is_refused_with_what_to_do)
{
#define REFUSED(toml, text) EXPECT_REFUSED("in_serial", "path = \"/dev/ttyS9\"\n" toml, text)
    EXPECT_REFUSED("in_serial", "", "path = \"/dev/ttyUSB0\"");
    REFUSED("usb = { vendor = \"0403\", product = \"6001\" }", "expected one of them");
    EXPECT_REFUSED("in_serial", "usb = { vendor = \"403\", product = \"6001\" }", "four hex digits");
    REFUSED("framer = \"fixed\"", "fixed = { size = 32 }");
    REFUSED("framer = \"length\"", "length = { offset = 1");
    REFUSED("framer = \"marks\"", "marks = { start");
    REFUSED("framer = \"silence\"", "frame_timeout = ");
    REFUSED("framer = \"slip\"\nline = { text = \"ascii\" }", "does nothing with this framer");
    REFUSED("line = { end = [\"\\r\", \"\\r\\n\"] }", "one begins another");
    REFUSED("line = { end = \"\" }", "1 to 16 bytes");
    REFUSED("line = { end = '\\q' }", "1 to 16 bytes");
    REFUSED("framer = \"fixed\"\nfixed = { size = 5000 }", "raise max_frame");
    REFUSED("framer = \"fixed\"\nfixed = { size = 5, start = \"A\", sync_bits = 0x80 }", "one of the two");
    REFUSED("framer = \"length\"\nlength = { offset = 1, width = 2, header = 2 }", "offset + width = 3");
    REFUSED("framer = \"length\"\nlength = { start = \"AB\", offset = 1 }", "inside length.start");
    REFUSED("framer = \"length\"\nlength = { offset = 1 }\nchecksum = { kind = \"sum\" }", "expected at least 1");
    REFUSED("checksum = { kind = \"crc16\" }", "poly = 0x8005");
    REFUSED("checksum = { kind = \"sum\", poly = 7 }", "is for a CRC");
    REFUSED("checksum = { kind = \"sum\", reflect_in = true }", "reflect_in: is for a CRC");
    REFUSED("checksum = { kind = \"sum\", cover_end = false }", "cover_end");
    REFUSED("framer = \"stx_etx\"\nmarks = { escape_xor = 32 }", "escape_xor");
    REFUSED("checksum = { kind = \"crc8\", poly = 0x107 }", "at most 0xFF");
    REFUSED("checksum = { kind = \"sum\", place = \"behind\" }", "place = \"inside\"");
    REFUSED("framer = \"stx_etx\"\nmarks = { escape = \"ab\" }", "is not one byte");
    REFUSED("flow = \"rtscts\"\nrts = \"on\"", "moves this line itself");
    REFUSED("framer = \"none\"\nchecksum = { kind = \"sum\" }", "does nothing");
    REFUSED("on_open = [\"init\"]", "names what is no command");
    REFUSED("commands = { a = { send = \"A\", send_hex = \"41\" } }", "both there");
    REFUSED("commands = { a = { expect = \"A\" } }", "none of them");
    REFUSED("commands = { a = { send = \"A{\" } }", "brace");
    REFUSED("commands = { a = { send = '\\z' } }", "backslash");
    REFUSED("commands = { a = { send_hex = \"4\" } }", "hex digits in pairs");
    REFUSED("commands = { a = { steps = [\"b\"] } }", "no command");
    REFUSED("commands = { a = { steps = [\"a\"] } }", "steps of its own");
    REFUSED("commands = { a = { send = \"A\", expect = \"^OK\", look_in = \"bytes\" } }", "take the ^ out");
    REFUSED("framer = \"fixed\"\nfixed = { size = 3 }\ncommands = { a = { send = \"A\", wrap = true } }", "whole frame into send");
    REFUSED("commands = { a = { send = 'A\\rB', wrap = true } }", "holds a mark");
    REFUSED("framer = \"stx_etx\"\ncommands = { a = { send_hex = \"41 03\", wrap = true } }", "holds a mark");
    REFUSED("baud = 49", "50");
    REFUSED("data_bits = 9", "8");
}

AFF_TEST_MAIN(lines_become_records_with_the_time_of_their_first_byte, frames_of_one_read_have_times_that_rise,
              every_framer_works_through_the_plugin,
              a_bad_frame_is_counted_told_and_leaves_a_gap, a_device_that_is_pulled_out_comes_back_and_says_so,
              a_loss_is_remembered_over_a_restart_and_so_is_a_gap,
              tries_are_rarer_and_rarer_and_never_more_than_10_s_apart,
              a_setting_that_the_device_does_not_take_ends_the_run_and_is_named,
              a_device_that_comes_later_and_does_not_take_a_setting_is_tried_again, the_device_is_ours_alone,
              frames_wait_where_few_are_wanted_and_none_is_lost,
              the_real_monitor_played_through_a_pty_gives_each_line_of_its_table,
              hostile_bytes_leave_bounded_work_and_no_stop, every_host_call_may_fail_once,
              a_device_is_found_by_its_usb_id_wherever_it_is_plugged_in, what_cannot_be_is_refused_with_what_to_do)
