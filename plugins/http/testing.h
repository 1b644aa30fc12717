/* SPDX-License-Identifier: Apache-2.0
 *
 * testing.h - for tests of sinks by HTTP beside a server of tests/net: starting it, counting
 * what it got, and turning the sink until all is answered. */
#ifndef HTTP_TESTING_H
#define HTTP_TESTING_H

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

enum { PATIENCE_S = 60, PEER_ARGS = 8 };
extern char **environ;

struct peer {
    pid_t pid;
    int in, port;
    char log[128];
};
static struct peer peer;
static char got_text[4 << 20];

static const struct aff_column vital_columns[] = {
    { .name = "heart_rate", .type = AFF_REAL, .unit = "/min", .code = "8867-4" },
    { .name = "note", .type = AFF_TEXT },
};
static const struct aff_schema vitals = { .struct_size = sizeof vitals, .type = AFF_FIELDS, .name = "vitals",
                                          .columns = vital_columns, .count = 2, .stride = sizeof vital_columns[0] };

static inline void pipe_make(int fds[2])
{
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
}

/* `arguments` go behind the log's path; ended by NULL. The port is what it prints. */
static inline void peer_start(const char *script, const char *const *arguments)
{
    const char *source = getenv("AFFERENT_SRCDIR"), *tmp = getenv("TMPDIR");
    char path[512], said[64] = "", *argv[PEER_ARGS + 4] = { NULL };
    posix_spawn_file_actions_t actions;
    int in[2], out[2], log;
    size_t n = 0, used = 0;

    (void)snprintf(path, sizeof path, "%s/tests/net/%s", source ? source : ".", script);
    (void)snprintf(peer.log, sizeof peer.log, "%s/aff_http_XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
    log = mkstemp(peer.log);
    assert_true(log >= 0);
    (void)close(log);
    argv[n++] = (char *)(uintptr_t)"python3";
    argv[n++] = path;
    argv[n++] = peer.log;
    for (size_t i = 0; arguments && arguments[i] && i < PEER_ARGS; i++)
        argv[n++] = (char *)(uintptr_t)arguments[i];
    pipe_make(in);
    pipe_make(out);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, in[0], 0), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, out[1], 1), 0);
    assert_int_equal(posix_spawnp(&peer.pid, "python3", &actions, NULL, argv, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(in[0]);
    (void)close(out[1]);
    while (used + 1 < sizeof said && !strchr(said, '\n') && read(out[0], said + used, 1) == 1)
        said[++used] = '\0';
    (void)close(out[0]);
    peer.in = in[1];
    peer.port = atoi(said + strlen("port "));
    assert_true(peer.port > 0);
}

static inline void peer_stop(void)
{
    if (peer.pid <= 0)
        return;
    (void)close(peer.in);
    (void)kill(peer.pid, SIGKILL);
    (void)waitpid(peer.pid, NULL, 0);
    (void)unlink(peer.log);
    peer.pid = 0;
}

/* All that the server got so far, a line of JSON a request. */
static inline const char *got(void)
{
    FILE *f = fopen(peer.log, "r");
    size_t n;

    assert_non_null(f);
    n = fread(got_text, 1, sizeof got_text - 1, f);
    got_text[n] = '\0';
    (void)fclose(f);
    return got_text;
}

static inline size_t count_of(const char *text, const char *part)
{
    size_t n = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        n++;
    return n;
}

static inline void log_empty(void)
{
    assert_int_equal(truncate(peer.log, 0), 0);
}

static inline aff_status push_row(struct aff_harness *h, double rate, const char *note)
{
    uint32_t stream = aff_harness_stream(h, "bed 3", "vitals", &vitals);

    return AFF_PUSH_ROW(h, "in", stream, AFF_CELL_REAL(rate), AFF_CELL_TEXT(note));
}

static inline double seconds_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Until each record has its answer; what is to come again is offered again. */
static inline void settle(struct aff_harness *h)
{
    double until = seconds_now() + PATIENCE_S;

    for (;;) {
        struct aff_harness_ledger l;

        (void)aff_harness_ready(h, 5);
        (void)aff_harness_retry(h);
        l = aff_harness_ledger(h);
        if (aff_harness_unanswered(h) == 0 && l.waiting == 0) {
            (void)aff_harness_ready(h, 0); /* counts of the last answer */
            return;
        }
        assert_true(seconds_now() < until);
    }
}

/* Until the server is found to be away, for this reason: by a status or in the log. */
static inline void expect_away(struct aff_harness *h, const char *words)
{
    double until = seconds_now() + PATIENCE_S;

    while (aff_harness_retry(h) != AFF_ERR_IO && !aff_harness_logged(h, AFF_LOG_WARN, words)) {
        (void)aff_harness_ready(h, 5);
        assert_true(seconds_now() < until);
    }
    if (!aff_harness_logged(h, AFF_LOG_WARN, words))
        EXPECT_CAUSE(h, words);
}

static inline void push_many(struct aff_harness *h, int count, int bad)
{
    aff_harness_cut(h, 64);
    for (int i = 0; i < count; i++)
        (void)push_row(h, 60.25 + i, i == bad ? "POISON" : "calm");
}

static inline void finish(struct aff_harness **h)
{
    EXPECT_BALANCED(*h);
    aff_harness_close(h);
}

#endif
