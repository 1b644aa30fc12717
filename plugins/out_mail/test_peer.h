/* test_peer.h - out_mail beside tests/net/smtp_server.py: starting it, what it got, and
 * turning the sink until all is answered. */
#ifndef OUT_MAIL_TEST_PEER_H
#define OUT_MAIL_TEST_PEER_H

#include <afferent/testkit.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 60 };
extern char **environ;

static pid_t peer_pid;
static int peer_in;
static char folder[256], got_text[1 << 20];

static const struct aff_column columns[] = {
    { .name = "severity", .type = AFF_TEXT }, { .name = "state", .type = AFF_TEXT },
    { .name = "rule", .type = AFF_TEXT },     { .name = "place", .type = AFF_TEXT },
    { .name = "text", .type = AFF_TEXT },     { .name = "alert", .type = AFF_TEXT },
};
static const struct aff_schema alerts = { .struct_size = sizeof alerts, .type = AFF_FIELDS, .name = "alerts",
                                          .columns = columns, .count = 6, .stride = sizeof columns[0] };

static inline const char *in_folder(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static inline void folder_make(void)
{
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(folder, sizeof folder, "%s/aff_mail_XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
}

static inline void folder_remove(void)
{
    DIR *d = opendir(folder);
    struct dirent *e;

    while (d && (e = readdir(d)) != NULL)
        (void)unlink(in_folder(e->d_name));
    if (d)
        (void)closedir(d);
    (void)rmdir(folder);
}

static inline void peer_start(void)
{
    const char *source = getenv("AFFERENT_SRCDIR");
    char script[512], log[512], said[64] = "", *argv[] = { (char *)(uintptr_t)"python3", (char *)(uintptr_t)"-B", script, log,
                                                          folder, NULL };
    posix_spawn_file_actions_t actions;
    int in[2], out[2];
    size_t used = 0;

    folder_make();
    (void)snprintf(script, sizeof script, "%s/tests/net/smtp_server.py", source ? source : ".");
    (void)snprintf(log, sizeof log, "%s", in_folder("log"));
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, in[0], 0), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, out[1], 1), 0);
    assert_int_equal(posix_spawnp(&peer_pid, "python3", &actions, NULL, argv, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(in[0]);
    (void)close(out[1]);
    while (used + 1 < sizeof said && !strchr(said, '\n') && read(out[0], said + used, 1) == 1)
        said[++used] = '\0';
    (void)close(out[0]);
    peer_in = in[1];
    assert_true(atoi(said + strlen("port ")) > 0);
}

static inline void peer_stop(void)
{
    (void)close(peer_in);
    (void)kill(peer_pid, SIGKILL);
    (void)waitpid(peer_pid, NULL, 0);
    folder_remove();
}

static inline int port_of(const char *name)
{
    char is[64];
    int port = 0, found = 0;
    FILE *f = fopen(in_folder("ports"), "r");

    assert_non_null(f);
    while (!found && fscanf(f, "%63s %d", is, &port) == 2)
        found = strcmp(is, name) == 0;
    (void)fclose(f);
    assert_true(found);
    return port;
}

/* All that the servers got so far, a line of JSON a mail or password. */
static inline const char *got(void)
{
    FILE *f = fopen(in_folder("log"), "r");
    size_t n = f ? fread(got_text, 1, sizeof got_text - 1, f) : 0;

    got_text[n] = '\0';
    if (f)
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
    (void)unlink(in_folder("log"));
}

/* `to`: as TOML, "\"a@example.org\"". */
static inline const char *toml_for(const char *name, const char *to, const char *more)
{
    static char toml[4096];

    (void)snprintf(toml, sizeof toml, "url = \"%s://localhost:%d\"\nca = \"%s/ca.pem\"\nsender = \"node@example.org\"\nto = [%s]\n%s%s\n",
                   strcmp(name, "direct") == 0 ? "smtps" : "smtp", port_of(name), folder, to,
                   strstr(more, "batch_time") ? "" : "batch_time = \"10ms\"\n", more);
    return toml;
}

#define WARD "user = \"ward\"\npassword = \"geheim\"\n"

static inline struct aff_harness *open_to(const char *name, const char *to, const char *more)
{
    log_empty();
    return aff_harness_open("out_mail", toml_for(name, to, more));
}

static inline aff_status push(struct aff_harness *h, const char *severity, const char *text, const char *alert)
{
    uint32_t stream = aff_harness_stream(h, "bed 3", "alerts", &alerts);

    return AFF_PUSH_ROW(h, "in", stream, AFF_CELL_TEXT(severity), AFF_CELL_TEXT("raised"), AFF_CELL_TEXT("news2"),
                        AFF_CELL_TEXT("bed 3"), AFF_CELL_TEXT(text), AFF_CELL_TEXT(alert));
}

static inline double seconds_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Until each record has its answer. */
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

/* Until these words are the cause why mails wait, or in the log. */
static inline void expect_said(struct aff_harness *h, const char *words)
{
    double until = seconds_now() + PATIENCE_S;

    while (!strstr(aff_harness_cause(h), words) && !aff_harness_logged(h, AFF_LOG_WARN, words)) {
        (void)aff_harness_ready(h, 5);
        assert_true(seconds_now() < until);
    }
}

static inline void finish(struct aff_harness **h)
{
    assert_int_equal(aff_harness_logged(*h, AFF_LOG_DEBUG, "@"), 0);
    assert_int_equal(aff_harness_logged(*h, AFF_LOG_DEBUG, "localhost"), 0);
    assert_int_equal(aff_harness_logged(*h, AFF_LOG_DEBUG, "geheim"), 0);
    aff_harness_close(h);
}

#endif
