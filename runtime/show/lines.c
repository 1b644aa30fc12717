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
#include <time.h>
#include <unistd.h>

enum {
    LINE_ROOM = 1024,
    WRITERS = 64,  /* nodes that are counted apart; more share a place */
    BURST = 8,     /* lines a node may say in a window */
    WINDOW_S = 10,
    WIDTH = 80     /* of a terminal that does not say */
};

/* How much a node has said in this window. */
struct writer {
    char node[64];
    time_t began;
    unsigned said;
    unsigned long left_out;
};

struct lines {
    pthread_mutex_t lock;
    int level;
    bool terminal;
    char live[LINE_ROOM];
    struct writer writers[WRITERS];
    unsigned writer_count;
};

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

static void write_line(const struct lines *l, int level, const char *node, const char *text)
{
    static const char *const names[] = { "debug", "info", "warn", "error" };
    char line[LINE_ROOM], when[40];
    int at;

    stamp(l, when, sizeof when);
    at = snprintf(line, sizeof line, "%s %-5s %s%s%s%s", when, names[level], node ? "[" : "", node ? node : "",
                  node ? "] " : "", text);
    plain(line);
    if (at > (int)sizeof line - 2)
        memcpy(line + sizeof line - 5, "...", 4);
    live_clear(l);
    fprintf(stderr, "%s\n", line);
    live_draw(l);
}

/* ---- not too many ---- */

static struct writer *writer_find(struct lines *l, const char *node)
{
    const char *name = node ? node : "";
    unsigned i;

    for (i = 0; i < l->writer_count; i++)
        if (strncmp(l->writers[i].node, name, sizeof l->writers[i].node - 1) == 0)
            return &l->writers[i];
    if (l->writer_count == WRITERS)
        return &l->writers[WRITERS - 1];
    snprintf(l->writers[i].node, sizeof l->writers[i].node, "%s", name);
    l->writer_count++;
    return &l->writers[i];
}

static void tell_left_out(struct lines *l, struct writer *w)
{
    char text[80];

    if (w->left_out == 0)
        return;
    snprintf(text, sizeof text, "%lu more lines were left out", w->left_out);
    write_line(l, AFF_LOG_WARN, w->node[0] ? w->node : NULL, text);
    w->left_out = 0;
}

static bool allowed(struct lines *l, const char *node)
{
    struct writer *w = writer_find(l, node);
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    if (w->said == 0 || now.tv_sec >= w->began + WINDOW_S) {
        tell_left_out(l, w);
        w->began = now.tv_sec;
        w->said = 0;
    }
    if (w->said < BURST) {
        w->said++;
        return true;
    }
    w->left_out++;
    return false;
}

void lines_log(void *arg, int level, const char *node, const char *text)
{
    struct lines *l = arg;

    if (level < l->level)
        return;
    level = level > AFF_LOG_ERROR ? AFF_LOG_ERROR : level < AFF_LOG_DEBUG ? AFF_LOG_DEBUG : level;
    pthread_mutex_lock(&l->lock);
    if (allowed(l, node))
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
    if (level < l->level)
        return;
    pthread_mutex_lock(&l->lock);
    write_line(l, level, node, text);
    pthread_mutex_unlock(&l->lock);
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
    for (unsigned i = 0; i < l->writer_count; i++)
        tell_left_out(l, &l->writers[i]);
    pthread_mutex_destroy(&l->lock);
    free(l);
    *lines = NULL;
}
