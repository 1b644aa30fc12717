/* test_sink.h - a folder, a script that is a command, stderr in a file: for the
 * tests of the sink. */
#ifndef OUT_ALERT_TEST_SINK_H
#define OUT_ALERT_TEST_SINK_H

#include <afferent/testkit.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define S INT64_C(1000000000)
#define NOON (INT64_C(1772712000) * S)
#define NOTE "(not for clinical use)"

static const struct aff_column columns[] = {
    { .name = "severity", .type = AFF_TEXT }, { .name = "state", .type = AFF_TEXT },
    { .name = "rule", .type = AFF_TEXT },     { .name = "place", .type = AFF_TEXT },
    { .name = "text", .type = AFF_TEXT },     { .name = "alert", .type = AFF_TEXT },
};
static const struct aff_schema alerts = { .struct_size = sizeof alerts, .type = AFF_FIELDS, .name = "alerts",
                                          .columns = columns, .count = 6, .stride = sizeof columns[0] };

/* ---- a folder, a script, what stderr got ---- */

static char folder[512], file[768];

static inline void folder_make(void)
{
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(folder, sizeof folder, "%s/aff_alert_XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
}

static inline const char *in_folder(const char *name)
{
    (void)snprintf(file, sizeof file, "%s/%s", folder, name);
    return file;
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

static inline void script_write(const char *body)
{
    FILE *f = fopen(in_folder("tell"), "w");

    assert_non_null(f);
    fprintf(f, "#!/bin/sh\ncd '%s'\n%s\n", folder, body);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(file, 0700), 0);
}

/* All of a file, "" when it is not there. */
static inline const char *file_text(const char *name)
{
    static char text[65536];
    FILE *f = fopen(in_folder(name), "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

    text[n] = 0;
    if (f)
        (void)fclose(f);
    return text;
}

static inline size_t lines_of(const char *name)
{
    const char *text = file_text(name);
    size_t n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static int stderr_kept = -1;

static inline void stderr_to(int fd)
{
    stderr_kept = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
    assert_true(stderr_kept >= 0);
    if (fd >= 0)
        assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    else
        (void)close(STDERR_FILENO);
}

static inline void stderr_back(void)
{
    (void)dup2(stderr_kept, STDERR_FILENO);
    (void)close(stderr_kept);
}

static inline void stderr_to_file(void)
{
    int fd = open(in_folder("stderr"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    stderr_to(fd);
    (void)close(fd);
}

static inline struct aff_harness *open_sink(const char *options)
{
    char toml[2048];

    (void)snprintf(toml, sizeof toml, "command = [\"%s/tell\", \"{text}\", \"{severity}\", \"-- {place}\"]\n%s", folder,
                   options);
    return aff_harness_open("out_alert", toml);
}

static inline aff_status push_as(struct aff_harness *h, const char *alert, const char *severity, const char *state,
                          const char *text)
{
    uint32_t stream = aff_harness_stream(h, "bed 3", "alerts", &alerts);

    aff_harness_seek(h, stream, 0, NOON);
    return AFF_PUSH_ROW(h, "in", stream, AFF_CELL_TEXT(severity), AFF_CELL_TEXT(state), AFF_CELL_TEXT("news2"),
                        AFF_CELL_TEXT("bed 3"), AFF_CELL_TEXT(text), AFF_CELL_TEXT(alert));
}

/* An alert of its own. */
static inline aff_status push(struct aff_harness *h, const char *severity, const char *state, const char *text)
{
    static unsigned count;
    char alert[17];

    (void)snprintf(alert, sizeof alert, "00ff00ff%08x", count++);
    return push_as(h, alert, severity, state, text);
}

static inline double seconds_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline void expect_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

/* A process that was killed may stay as a zombie for a while; SIGKILL that was
 * just sent may take a moment. */
static inline int is_gone(int pid)
{
    double until = seconds_now() + 5.0;
    char path[64], state = 0;
    FILE *f;

    assert_true(pid > 1);
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    while (seconds_now() < until && state != 'Z') {
        f = fopen(path, "r");
        if (!f)
            return 1;
        if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
            state = 0;
        (void)fclose(f);
    }
    return state == 'Z';
}

#endif
