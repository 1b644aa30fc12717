/* SPDX-License-Identifier: Apache-2.0
 *
 * test_fault.c - what a pty cannot show: a driver that counts errors, a line that
 * fails while it is written to, and reads that are interrupted.
 *
 * The plugin is linked in with a port of ours, `fake_port`, in place of port.c: one
 * end of a socket pair. The calls read and write are those defined here, and behind
 * a snapshot the node may be away for hours. */
#include "serial.h"

#include <afferent/testkit.h>

static aff_status snapshot_watched(void *self, void *buffer, size_t room, size_t *ret_size);
static aff_status restore_watched(void *self, const void *buffer, size_t size);

#define serial_snapshot snapshot_watched
#define serial_restore restore_watched
#include "in_serial.c"
#undef serial_snapshot
#undef serial_restore

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct {
    int near, far; /* in_serial's end and the device's */
    bool counts, refuses;
    struct port_errors errors;
    unsigned opened, forgotten;
    int write_error, read_error; /* of the next call */
} fake_port;

int port_open(const struct port_rule *rule, struct port_fault *ret_fault)
{
    int pair[2];

    (void)rule;
    memset(ret_fault, 0, sizeof *ret_fault);
    if (fake_port.refuses) {
        ret_fault->refused = true;
        ret_fault->setting = "baud";
        (void)snprintf(ret_fault->why, sizeof ret_fault->why, "no");
        return -1;
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    fake_port.near = pair[0];
    fake_port.far = pair[1];
    fake_port.opened++;
    return pair[0];
}

void port_close(int fd)
{
    (void)close(fd);
    (void)close(fake_port.far);
}

void port_forget(int fd)
{
    (void)fd;
    fake_port.forgotten++;
}

bool port_errors(int fd, struct port_errors *ret)
{
    (void)fd;
    *ret = fake_port.errors;
    return fake_port.counts;
}

ssize_t read(int fd, void *to, size_t size)
{
    int error = fd == fake_port.near ? fake_port.read_error : 0;

    if (fd == fake_port.near)
        fake_port.read_error = 0;
    errno = error;
    return error ? -1 : syscall(SYS_read, fd, to, size);
}

ssize_t write(int fd, const void *from, size_t size)
{
    int error = fd == fake_port.near ? fake_port.write_error : 0;

    if (fd == fake_port.near)
        fake_port.write_error = 0;
    errno = error;
    return error ? -1 : syscall(SYS_write, fd, from, size);
}

static struct aff_harness *open_fake(const char *toml)
{
    static char text[1024];
    struct aff_harness *h;

    memset(&fake_port, 0, sizeof fake_port);
    (void)snprintf(text, sizeof text, "path = \"/dev/fake\"\n%s", toml);
    h = aff_harness_open_linked(&afferent_plugin_v1, text);
    fake_port.counts = true;
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    return h;
}

static void sends(const char *text)
{
    assert_int_equal(write(fake_port.far, text, strlen(text)), (ssize_t)strlen(text));
}

TEST(what_the_driver_counts_is_a_metric_and_an_overrun_a_gap)
{
    struct aff_harness *h = open_fake("silent_after = \"0s\"");
    const struct aff_record *r;

    fake_port.errors = (struct port_errors){ .framing = 3, .parity = 2, .breaks = 1 };
    aff_harness_clock(h, SECOND_NS);
    sends("one\n");
    (void)aff_harness_ready(h, 1000);
    fake_port.errors.overrun = 5;
    fake_port.errors.buffer = 1;
    aff_harness_clock(h, SECOND_NS);
    sends("two\n");
    (void)aff_harness_ready(h, 1000);
    r = aff_harness_take(h, "data");
    assert_int_equal(r->flags & AFF_FLAG_GAP, 0);
    r = aff_harness_take(h, "data");
    assert_int_equal(r->flags & AFF_FLAG_GAP, AFF_FLAG_GAP);
    EXPECT_METRIC(h, "line_framing", 3);
    EXPECT_METRIC(h, "line_parity", 2);
    EXPECT_METRIC(h, "line_breaks", 1);
    EXPECT_METRIC(h, "line_overruns", 6);
    aff_harness_close(&h);
}

TEST(a_read_that_is_interrupted_is_no_loss)
{
    struct aff_harness *h = open_fake("");

    sends("one\n");
    fake_port.read_error = EINTR;
    EXPECT_STATUS(aff_harness_ready(h, 1000), AFF_AGAIN);
    EXPECT_NOTHING(h, "data");
    (void)aff_harness_ready(h, 1000);
    EXPECT_WAITING(h, "data", 1);
    EXPECT_METRIC(h, "lost", 0);
    aff_harness_close(&h);
}

TEST(a_line_that_fails_while_it_is_read_or_written_is_lost_and_opened_again)
{
    struct aff_harness *h = open_fake("commands = { go = { send = \"G\", retries = 1 } }\non_open = [\"go\"]");
    const struct aff_record *e;

    EXPECT_METRIC(h, "sent", 1);
    fake_port.read_error = EIO;
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_ERR_IO);
    EXPECT_CAUSE(h, "the line is gone: Input/output error");
    fake_port.write_error = ENXIO;
    (void)aff_harness_clock(h, 200 * 1000 * 1000);
    assert_int_equal(fake_port.opened, 2);
    EXPECT_STATUS(aff_harness_status(h), AFF_ERR_IO);
    EXPECT_CAUSE(h, "the line is gone: No such device or address");
    (void)aff_harness_clock(h, 200 * 1000 * 1000);
    assert_int_equal(fake_port.opened, 3);
    while ((e = aff_harness_take(h, "results")))
        assert_string_equal(aff_harness_text(h, e, "command"), "go");
    EXPECT_METRIC(h, "lost", 2);
    EXPECT_METRIC(h, "commands_done", 2);
    EXPECT_METRIC(h, "commands_not_done", 1);
    aff_harness_close(&h);
}

/* A long read is more work than a turn does; then it is a write that fails. */
TEST(frames_that_were_read_before_a_write_fails_come_out_and_only_the_half_one_is_lost)
{
    enum { LINES = 100, SIZE = 80 };
    struct aff_harness *h = open_fake("max_frame = \"16KiB\"\ncommands = { go = { send = \"G\" } }\n"
                                      "polls = [{ command = \"go\", every = \"1s\" }]");
    char lines[LINES * SIZE + 1];
    int i;

    memset(lines, 'a', sizeof lines);
    for (i = 1; i <= LINES; i++)
        lines[i * SIZE - 1] = '\n';
    lines[LINES * SIZE] = '\0';
    sends(lines);
    sends("half");
    fake_port.write_error = EIO;
    EXPECT_STATUS(aff_harness_clock(h, SECOND_NS), AFF_OK);
    EXPECT_METRIC(h, "lost", 1); /* and frames that were read are not out yet */
    for (i = 0; i < 4; i++)
        (void)aff_harness_read(h, 64);
    EXPECT_WAITING(h, "data", LINES);
    EXPECT_METRIC(h, "bad_cut", 1);
    for (i = 0; i < LINES; i++)
        assert_int_equal(aff_harness_take(h, "data")->flags & AFF_FLAG_GAP, 0);
    (void)aff_harness_clock(h, SECOND_NS);
    assert_int_equal(fake_port.opened, 2);
    sends("cd\n");
    (void)aff_harness_ready(h, 1000);
    assert_int_equal(aff_harness_take(h, "data")->flags & AFF_FLAG_GAP, AFF_FLAG_GAP);
    aff_harness_close(&h);
}

TEST(another_device_in_its_place_that_refuses_a_setting_ends_no_run)
{
    struct aff_harness *h = open_fake("");

    fake_port.read_error = EIO;
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_ERR_IO);
    fake_port.refuses = true;
    for (int i = 0; i < 20; i++)
        (void)aff_harness_clock(h, SECOND_NS);
    EXPECT_STATUS(aff_harness_status(h), AFF_ERR_IO);
    EXPECT_CAUSE(h, "baud: no");
    fake_port.refuses = false;
    for (int i = 0; i < 20; i++)
        (void)aff_harness_clock(h, SECOND_NS);
    EXPECT_STATUS(aff_harness_status(h), AFF_AGAIN);
    aff_harness_close(&h);
}

/* A reload with a setting that one device does not take must not stop a ward. */
TEST(a_refusal_behind_a_restart_of_what_has_run_ends_no_run)
{
    struct aff_harness *h = open_fake("");
    const struct aff_record *e;

    fake_port.refuses = true;
    aff_harness_restart(h);
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_ERR_IO);
    EXPECT_CAUSE(h, "baud: no");
    for (int i = 0; i < 20; i++)
        (void)aff_harness_clock(h, SECOND_NS);
    EXPECT_STATUS(aff_harness_status(h), AFF_ERR_IO);
    e = aff_harness_take(h, "events");
    assert_string_equal(aff_harness_text(h, e, "kind"), "line_lost");
    assert_string_equal(aff_harness_text(h, e, "why"), "baud: no");
    fake_port.refuses = false;
    for (int i = 0; i < 20; i++)
        (void)aff_harness_clock(h, SECOND_NS);
    EXPECT_STATUS(aff_harness_status(h), AFF_AGAIN);
    aff_harness_close(&h);
}

TEST(a_command_that_stays_half_sent_is_forgotten_before_it_is_sent_again)
{
    struct aff_harness *h = open_fake("commands = { go = { send = \"G\", timeout = \"1s\", retries = 1, expect = "
                                      "\"ok\" } }\non_open = [\"go\"]");

    sends("ok\n");
    (void)aff_harness_ready(h, 1000);
    EXPECT_METRIC(h, "commands_done", 1);
    fake_port.read_error = EIO;
    (void)aff_harness_read(h, 64);
    fake_port.write_error = EAGAIN; /* the line takes nothing now */
    (void)aff_harness_clock(h, 100 * 1000 * 1000);
    assert_int_equal(fake_port.opened, 2);
    fake_port.write_error = EAGAIN;
    (void)aff_harness_clock(h, SECOND_NS);
    (void)aff_harness_read(h, 64);
    assert_int_equal(fake_port.forgotten, 1);
    sends("ok\n");
    (void)aff_harness_ready(h, 1000);
    (void)aff_harness_ready(h, 100);
    sends("ok\n");
    (void)aff_harness_ready(h, 1000);
    EXPECT_METRIC(h, "commands_done", 2);
    EXPECT_METRIC(h, "retries", 1);
    aff_harness_close(&h);
}

/* ---- commands over a time without power ---- */

static struct {
    struct aff_harness *harness;
    int64_t utc; /* of the wall clock when the next instance restores; 0: as it goes on */
    uint8_t clock;
    size_t size; /* the snapshot is cut to this, as an older version wrote it; 0: is not */
    const char *version;
    bool forgets; /* the next instance's configuration does not know the commands */
} away;

static aff_status snapshot_watched(void *self, void *buffer, size_t room, size_t *ret_size)
{
    static unsigned char all[8192];
    aff_status st = serial_snapshot(self, all, sizeof all, ret_size);

    assert_in_range(*ret_size, 1, sizeof all);
    if (away.size) {
        *ret_size = away.size;
        memcpy(all, away.version, 8);
    }
    if (*ret_size > room)
        return st;
    memcpy(buffer, all, *ret_size);
    if (away.utc)
        aff_harness_utc(away.harness, away.utc, away.clock);
    return st;
}

static aff_status restore_watched(void *self, const void *buffer, size_t size)
{
    aff_status st = serial_restore(self, buffer, size);
    struct serial *s = self;

    for (uint32_t i = 0; away.forgets && i < s->orders.job_count; i++)
        s->orders.jobs[i].outcome = VERDICT_UNKNOWN;
    return st;
}

#define NEW_YEAR INT64_C(1704067200000000000)
#define HOUR (3600 * SECOND_NS)

static void orders_push(struct aff_harness *h, int count)
{
    static const struct aff_column columns[] = { { .name = "command", .type = AFF_TEXT } };
    static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .name = "orders",
                                              .columns = columns, .count = 1, .stride = sizeof columns[0] };

    for (int i = 0; i < count; i++)
        EXPECT_STATUS(AFF_PUSH_ROW(h, "commands", aff_harness_stream(h, "bed-3", "orders", &schema), AFF_CELL_TEXT("go")),
                      AFF_OK);
    (void)aff_harness_clock(h, 0);
}

/* Two commands, one at work and one behind it, 40 s of 60 gone; then a restart. */
static struct aff_harness *restart_away(int64_t from_utc, uint8_t from_clock, int64_t utc, uint8_t clock)
{
    struct aff_harness *h = open_fake("commands = { go = { send = \"G\", timeout = \"50s\", expect = \"ok\" } }\n"
                                      "silent_after = \"0s\"");

    away.harness = h;
    away.utc = utc;
    away.clock = clock;
    aff_harness_utc(h, from_utc, from_clock);
    orders_push(h, 2);
    (void)aff_harness_clock(h, 40 * SECOND_NS);
    aff_harness_restart(h);
    (void)aff_harness_read(h, 64);
    return h;
}

static void away_end(struct aff_harness *h)
{
    memset(&away, 0, sizeof away);
    aff_harness_close(&h);
}

static bool is_sent(void)
{
    char byte;

    return syscall(SYS_read, fake_port.far, &byte, 1) == 1;
}

TEST(a_command_that_was_held_over_hours_without_power_is_not_sent)
{
    struct aff_harness *h = restart_away(NEW_YEAR, AFF_CLOCK_SYNCED, NEW_YEAR + 2 * HOUR, AFF_CLOCK_SYNCED);
    const struct aff_record *r;

    assert_false(is_sent());
    EXPECT_WAITING(h, "results", 2);
    r = aff_harness_take(h, "results");
    assert_string_equal(aff_harness_text(h, r, "command"), "go");
    assert_string_equal(aff_harness_text(h, r, "outcome"), "failed"); /* it may have been done */
    r = aff_harness_take(h, "results");
    assert_string_equal(aff_harness_text(h, r, "command"), "go");
    assert_string_equal(aff_harness_text(h, r, "outcome"), "expired");
    EXPECT_VERDICT(h, "expired", 1);
    EXPECT_VERDICT(h, "failed", 1);
    EXPECT_METRIC(h, "queued", 0);
    EXPECT_BALANCED(h);
    away_end(h);
}

TEST(a_clock_that_is_not_set_expires_nothing_by_itself)
{
    static const struct {
        int64_t from, to;
        uint8_t before, after;
    } ways[] = {
        { NEW_YEAR, NEW_YEAR + 2 * HOUR, AFF_CLOCK_SYNCED, AFF_CLOCK_NONE },
        { NEW_YEAR, NEW_YEAR + 2 * HOUR, AFF_CLOCK_NONE, AFF_CLOCK_SYNCED },
        { NEW_YEAR, NEW_YEAR - 2 * HOUR, AFF_CLOCK_SYNCED, AFF_CLOCK_SYNCED },
    };

    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct aff_harness *h = restart_away(ways[i].from, ways[i].before, ways[i].to, ways[i].after);

        assert_true(is_sent());
        EXPECT_NOTHING(h, "results");
        away_end(h);
    }
}

TEST(a_restart_gives_a_command_no_new_wait)
{
    struct aff_harness *h = restart_away(NEW_YEAR, AFF_CLOCK_NONE, 0, 0);

    assert_true(is_sent());
    EXPECT_NOTHING(h, "results");
    (void)aff_harness_clock(h, 25 * SECOND_NS);
    EXPECT_WAITING(h, "results", 1);
    assert_string_equal(aff_harness_text(h, aff_harness_take(h, "results"), "outcome"), "expired");
    away_end(h);
}

TEST(snapshots_of_older_versions_are_read)
{
    static const struct {
        const char *version;
        size_t size;
    } older[] = { { "serial 1", 24 }, { "serial 2", 32 } };

    for (size_t i = 0; i < sizeof older / sizeof older[0]; i++) {
        struct aff_harness *h;

        away.size = older[i].size;
        away.version = older[i].version;
        h = restart_away(NEW_YEAR, AFF_CLOCK_SYNCED, NEW_YEAR + 2 * HOUR, AFF_CLOCK_SYNCED);
        assert_true(is_sent()); /* since when it waits is not known */
        EXPECT_NOTHING(h, "results");
        away_end(h);
    }
}

/* One record is wanted at a time, the device is quiet, and nothing expires: nobody
 * but the plugin itself knows that there is more to tell. */
TEST(results_that_were_not_wanted_yet_follow_at_once)
{
    struct aff_harness *h = open_fake("commands = { go = { send = \"G\", expect = \"ok\" } }\ncommand_wait = \"0s\"\n"
                                      "silent_after = \"0s\"");
    int reads = 1;

    orders_push(h, 3);
    away.forgets = true;
    aff_harness_restart(h);
    while (aff_harness_read(h, 1) == AFF_OK && reads < 100)
        reads++;
    EXPECT_WAITING(h, "results", 3);
    assert_in_range(reads, 3, 20);
    away_end(h);
}

AFF_TEST_MAIN(what_the_driver_counts_is_a_metric_and_an_overrun_a_gap, a_read_that_is_interrupted_is_no_loss,
              a_line_that_fails_while_it_is_read_or_written_is_lost_and_opened_again,
              frames_that_were_read_before_a_write_fails_come_out_and_only_the_half_one_is_lost,
              another_device_in_its_place_that_refuses_a_setting_ends_no_run,
              a_refusal_behind_a_restart_of_what_has_run_ends_no_run,
              a_command_that_stays_half_sent_is_forgotten_before_it_is_sent_again,
              a_command_that_was_held_over_hours_without_power_is_not_sent,
              a_clock_that_is_not_set_expires_nothing_by_itself, a_restart_gives_a_command_no_new_wait,
              snapshots_of_older_versions_are_read, results_that_were_not_wanted_yet_follow_at_once)
