/* SPDX-License-Identifier: Apache-2.0
 *
 * test_modem.h - in_modem beside tests/devices/fake_modem.py on a pty: starting it,
 * telling it what to do, and turning both until something is there.
 *
 * The modem answers in real time, all waits are on the harness' clock: it is moved
 * only while the line is quiet. */
#ifndef IN_MODEM_TEST_MODEM_H
#define IN_MODEM_TEST_MODEM_H

#include <afferent/testkit.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)
enum { QUIET_MS = 60, MOST_S = 25 };

extern char **environ;

struct fake {
    pid_t pid;
    int orders, answers;
    char folder[64], link[96];
    char answer[65536];
};
static struct fake fake;

static inline void fake_stop(void)
{
    if (fake.pid <= 0)
        return;
    (void)close(fake.orders);
    (void)close(fake.answers);
    (void)kill(fake.pid, SIGKILL);
    (void)waitpid(fake.pid, NULL, 0);
    (void)unlink(fake.link);
    (void)rmdir(fake.folder);
    fake.pid = 0;
}

/* The next line that the fake modem says. */
static inline const char *fake_line(void)
{
    size_t used = 0;
    struct pollfd p = { fake.answers, POLLIN, 0 };

    while (used + 1 < sizeof fake.answer && poll(&p, 1, 10000) > 0 && read(fake.answers, fake.answer + used, 1) == 1)
        if (fake.answer[used++] == '\n')
            break;
    fake.answer[used] = '\0';
    assert_true(used > 0);
    return fake.answer;
}

static inline const char *fake_do(const char *order)
{
    assert_int_equal(write(fake.orders, order, strlen(order)), (ssize_t)strlen(order));
    assert_int_equal(write(fake.orders, "\n", 1), 1);
    return fake_line();
}

/* `more`: another argument with its value, or NULL. */
static inline void fake_start(const char *more, const char *value)
{
    char script[512];
    char *argv[] = { (char[]){ "python3" }, script, (char[]){ "--link" }, fake.link, (char[32]){ 0 }, (char[64]){ 0 }, NULL };
    posix_spawn_file_actions_t actions;
    int orders[2], answers[2];
    const char *root = getenv("AFFERENT_SRCDIR");

    fake_stop();
    (void)atexit(fake_stop);
    (void)snprintf(script, sizeof script, "%s/tests/devices/fake_modem.py", root ? root : ".");
    (void)strcpy(fake.folder, "/tmp/in_modem.XXXXXX");
    assert_non_null(mkdtemp(fake.folder));
    (void)snprintf(fake.link, sizeof fake.link, "%s/tty", fake.folder);
    if (more) {
        (void)strcpy(argv[4], more);
        (void)strcpy(argv[5], value);
    } else {
        argv[4] = NULL;
    }
    assert_int_equal(pipe2(orders, O_CLOEXEC) | pipe2(answers, O_CLOEXEC), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    (void)posix_spawn_file_actions_adddup2(&actions, orders[0], 0);
    (void)posix_spawn_file_actions_adddup2(&actions, answers[1], 1);
    assert_int_equal(posix_spawnp(&fake.pid, "python3", &actions, NULL, argv, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(orders[0]);
    (void)close(answers[1]);
    fake.orders = orders[1];
    fake.answers = answers[0];
    (void)fake_line();
}

static inline struct aff_harness *modem_new(const char *more)
{
    char toml[1024];

    (void)snprintf(toml, sizeof toml, "path = \"%s\"\nevery = \"0s\"\n%s", fake.link, more);
    return aff_harness_open("in_modem", toml);
}

/* One turn of both: what came is read; where nothing comes, time goes on. */
static inline void turn(struct aff_harness *h)
{
    if (aff_harness_ready(h, QUIET_MS) == AFF_AGAIN)
        (void)aff_harness_clock(h, SECOND_NS / 4);
}

/* Until `count` records wait at the port; fails after MOST_S of real time. */
static inline void until(struct aff_harness *h, const char *port, size_t count)
{
    time_t began = time(NULL);

    (void)aff_harness_read(h, 16);
    while (aff_harness_waiting(h, port) < count) {
        turn(h);
        if (time(NULL) - began > MOST_S)
            (void)printf("waited in vain at %s: %s\n", port, fake_do("show"));
        assert_true(time(NULL) - began <= MOST_S);
    }
}

/* The next event of this kind, and state if one is given; others are passed over. */
static inline const struct aff_record *event_of(struct aff_harness *h, const char *kind, const char *state)
{
    const struct aff_record *r;

    do {
        until(h, "events", 1);
        r = aff_harness_take(h, "events");
    } while (strcmp(aff_harness_text(h, r, "kind"), kind) != 0 ||
             (state && strcmp(aff_harness_text(h, r, "state") ? aff_harness_text(h, r, "state") : "", state) != 0));
    return r;
}

/* Until the fake modem's own account has, or lacks, this text. */
static inline void until_shown(struct aff_harness *h, const char *text, int there)
{
    time_t began = time(NULL);

    (void)aff_harness_read(h, 16);
    while ((strstr(fake_do("show"), text) != NULL) != there) {
        turn(h);
        assert_true(time(NULL) - began <= MOST_S);
    }
}

static inline void quiet(struct aff_harness *h, int turns)
{
    while (turns-- > 0)
        turn(h);
}

/* What a source emitted is safe. */
static inline void commits(struct aff_harness *h)
{
    aff_harness_commit(h);
    (void)aff_harness_read(h, 16);
}

static inline void finish(struct aff_harness *h)
{
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    fake_stop();
}

/* ---- commands ---- */

static const struct aff_column modem_columns[] = {
    { .name = "command", .type = AFF_TEXT }, { .name = "to", .type = AFF_TEXT }, { .name = "text", .type = AFF_TEXT },
    { .name = "id", .type = AFF_INT },
};
static const struct aff_schema modem_commands = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = "orders", .columns = modem_columns,
    .count = 4, .stride = sizeof(struct aff_column),
};

static inline aff_status command(struct aff_harness *h, const char *name, const char *to, const char *text, int64_t id)
{
    uint32_t stream = aff_harness_stream(h, "desk", "orders", &modem_commands);
    struct aff_cell cells[4] = { AFF_CELL_TEXT(name), AFF_CELL_TEXT(to), AFF_CELL_TEXT(text), AFF_CELL_INT(id) };

    cells[1].given = to ? 3 : 0;
    cells[2].given = text ? 3 : 0;
    return aff_harness_push_row(h, "commands", stream, cells, 4);
}

static inline const struct aff_record *result(struct aff_harness *h, const char *outcome)
{
    const struct aff_record *r;

    until(h, "results", 1);
    r = aff_harness_take(h, "results");
    assert_string_equal(aff_harness_text(h, r, "outcome"), outcome);
    return r;
}

/* ---- messages ---- */

/* "Hello" from +393491234567. */
#define HELLO_PDU "00040C91934319325476000062111271000000" "05C8329BFD06"

#endif
