/* lines.c - see lines.h. */
#include "show/lines.h"

#include <afferent/plugin.h>

#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "show/limit.h"

enum {
    LINE_ROOM = 1024,
    WIDTH = 80 /* of a terminal that does not say */
};

struct lines {
    pthread_mutex_t lock;
    int level;
    bool terminal;
    bool journal; /* stderr is the journal: it has a time of its own, and wants priorities */
    char of[64];  /* whose lines these are, among those of a service; "" for nobody's */
    char live[LINE_ROOM];
    struct limit limit;
};

static void write_line(void *arg, int level, const char *node, const char *text);

/* By systemd's rule: the variable names device and inode of what was made stderr, so
 * that a redirection is not taken for the journal. */
static bool is_journal(void)
{
    const char *value = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat st;

    return value && sscanf(value, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
           (unsigned long long)st.st_dev == device && (unsigned long long)st.st_ino == inode;
}

struct lines *lines_open(int level)
{
    struct lines *l = calloc(1, sizeof *l);

    if (l && pthread_mutex_init(&l->lock, NULL) != 0) {
        free(l);
        l = NULL;
    }
    if (l) {
        l->level = level;
        l->terminal = isatty(STDERR_FILENO) == 1;
        l->journal = is_journal();
        l->limit.tell = write_line;
        l->limit.arg = l;
    }
    return l;
}

bool lines_is_terminal(const struct lines *l)
{
    return l->terminal;
}

/* ---- writing; the lock is held ---- */

/* The terminal may be narrower than the line: a line that wraps could not be
 * taken back. */
static int terminal_width(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
        return size.ws_col - 1;
    return WIDTH - 1;
}

static void live_clear(const struct lines *l)
{
    if (l->live[0])
        fputs("\r\033[K", stderr);
}

static void live_draw(const struct lines *l)
{
    if (l->live[0])
        fprintf(stderr, "\r%.*s\033[K", terminal_width(), l->live);
}

/* A person at a terminal knows the day; a file does not. */
static void stamp(const struct lines *l, char *text, size_t room)
{
    struct timespec now;
    struct tm tm;
    size_t at;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    at = strftime(text, room, l->terminal ? "%H:%M:%S" : "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + at, room - at, ".%03ldZ", now.tv_nsec / 1000000);
}

static void plain(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

/* What a reader of the journal filters by: syslog's numbers. */
static int priority(int level)
{
    static const int priorities[] = { 7, 6, 4, 3 };

    return priorities[level];
}

static void write_line(void *arg, int level, const char *node, const char *text)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    const struct lines *l = arg;
    char line[LINE_ROOM], when[40];
    int at = 0;

    stamp(l, when, sizeof when);
    if (l->journal)
        at = snprintf(line, sizeof line, "<%d>", priority(level));
    else
        at = snprintf(line, sizeof line, "%s %-5s ", when, names[level]);
    at += snprintf(line + at, sizeof line - (size_t)at, "%s%s%s%s%s", l->of, node ? "[" : "", node ? node : "",
                   node ? "] " : "", text);
    plain(line);
    if (at > (int)sizeof line - 2)
        memcpy(line + sizeof line - 5, "...", 4);
    live_clear(l);
    fprintf(stderr, "%s\n", line);
    live_draw(l);
}

/* ---- not too many ---- */

static int64_t now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return now.tv_sec;
}

void lines_log(void *arg, int level, const char *node, const char *text)
{
    struct lines *l = arg;

    if (level < l->level)
        return;
    level = level > AFF_LOG_ERROR ? AFF_LOG_ERROR : level < AFF_LOG_DEBUG ? AFF_LOG_DEBUG : level;
    pthread_mutex_lock(&l->lock);
    if (limit_allows(&l->limit, level, node, text, now_s()))
        write_line(l, level, node, text);
    pthread_mutex_unlock(&l->lock);
}

void lines_say(struct lines *l, int level, const char *node, const char *format, ...)
{
    char text[LINE_ROOM];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    lines_log(l, level, node, text);
}

void lines_tick(struct lines *l)
{
    pthread_mutex_lock(&l->lock);
    limit_tick(&l->limit, now_s());
    pthread_mutex_unlock(&l->lock);
}

void lines_name(struct lines *l, const char *name)
{
    snprintf(l->of, sizeof l->of, "%.60s: ", name);
}

void lines_live(struct lines *l, const char *text)
{
    if (!l->terminal)
        return;
    pthread_mutex_lock(&l->lock);
    if (!*text)
        live_clear(l);
    snprintf(l->live, sizeof l->live, "%s", text);
    live_draw(l);
    pthread_mutex_unlock(&l->lock);
}

void lines_close(struct lines **lines)
{
    struct lines *l = *lines;

    if (!l)
        return;
    lines_live(l, "");
    limit_tick(&l->limit, INT64_MAX);
    pthread_mutex_destroy(&l->lock);
    free(l);
    *lines = NULL;
}
