/* serve_loop.c - all pipelines of the service, in one loop: signals, words of the
 * processes, time; and what systemd is told of it.
 *
 * READY when every pipeline has every source open, or has shown that it cannot run: one
 * that is wrong holds up nobody. The watchdog is fed once a round unless a pipeline says
 * nothing; that one is ended and started again, and the feeding goes on.
 *
 * Not here: what is done with one pipeline (serve_child.c). */
#include <afferent/plugin.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/serve_inside.h"
#include "cmd/verbs.h"

#define TURN_MS 500
#define RELOAD_LIMIT (15 * SERVE_SECOND)
#define WATCH_LESS_TURNS 4 /* of the watchdog's time */

struct loop {
    struct serve *serve;
    int signals;
    struct pollfd *polls; /* the signals first, then pipelines */
    size_t poll_room;
    bool is_ready;
    bool is_refused; /* no pipeline at all can run */
    int64_t reload_until_ns; /* 0: nothing is reloaded */
    int64_t fed_ns;
    char status[200]; /* as said last */
};

/* ---- signals ---- */

static bool signals_open(struct loop *loop)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
        loop->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return loop->signals >= 0;
}

static struct served *served_of(const struct serve *serve, pid_t pid)
{
    for (size_t i = 0; i < serve->count; i++)
        if (serve->all[i]->pid == pid)
            return serve->all[i];
    return NULL;
}

/* Who is dead is looked at before its number is free again, so that what is left of its
 * group can be ended by it. Others' children may be ours in a container. */
static void reap(struct serve *serve)
{
    siginfo_t info = { .si_pid = 0 };

    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid > 0) {
        struct served *s = served_of(serve, info.si_pid);
        int status = 0;

        if (s)
            kill(-info.si_pid, SIGKILL);
        waitpid(info.si_pid, &status, 0);
        if (s)
            served_ended(serve, s, status);
        info.si_pid = 0;
    }
}

static void stop_all(struct loop *loop)
{
    struct serve *serve = loop->serve;

    notify_send(&serve->notify, "STOPPING=1");
    lines_say(serve->lines, AFF_LOG_INFO, NULL, serve->stopping ? "ending at once" : "stopping: each pipeline "
              "finishes what is under way");
    serve->stopping = true;
    for (size_t i = 0; i < serve->count; i++)
        served_stop(serve, serve->all[i]);
}

static void reload_all(struct loop *loop)
{
    struct serve *serve = loop->serve;

    if (serve->stopping)
        return;
    notify_reloading(&serve->notify);
    lines_say(serve->lines, AFF_LOG_INFO, NULL, "looking at all files of pipelines");
    serve_look(serve);
    loop->reload_until_ns = notify_now() + RELOAD_LIMIT;
}

static void signals_take(struct loop *loop)
{
    struct signalfd_siginfo info;

    while (read(loop->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP)
            reload_all(loop);
        else if (info.ssi_signo != SIGCHLD)
            stop_all(loop);
    }
    reap(loop->serve);
}

/* ---- what is said of it ---- */

static void status_print(const struct serve *serve, char *text, size_t room)
{
    static const char *const words[SERVED_STATES] = {
        [SERVED_RUNS] = "running", [SERVED_OPENS] = "opening", [SERVED_RESTS] = "failed, to start again",
        [SERVED_REFUSED] = "refused", [SERVED_ENDS] = "ending", [SERVED_DONE] = "ended",
    };
    unsigned counts[SERVED_STATES] = { 0 };
    size_t at;
    const char *between = ": ";

    for (size_t i = 0; i < serve->count; i++)
        counts[serve->all[i]->state]++;
    at = (size_t)snprintf(text, room, "%zu pipeline%s", serve->count, serve->count == 1 ? "" : "s");
    for (int i = 0; i < SERVED_STATES && at < room; i++) {
        if (counts[i] == 0)
            continue;
        at += (size_t)snprintf(text + at, room - at, "%s%u %s", between, counts[i], words[i]);
        between = ", ";
    }
}

static void status_say(struct loop *loop)
{
    char text[sizeof loop->status];

    status_print(loop->serve, text, sizeof text);
    if (strcmp(text, loop->status) == 0)
        return;
    if (notify_status(&loop->serve->notify, text))
        memcpy(loop->status, text, sizeof text);
}

static void ready_say(struct loop *loop)
{
    struct serve *serve = loop->serve;
    size_t refused = 0;

    for (size_t i = 0; i < serve->count; i++) {
        refused += serve->all[i]->state == SERVED_REFUSED;
        if (!serve->all[i]->settled)
            return;
    }
    if (refused > 0 && refused == serve->count) {
        loop->is_refused = true;
        return;
    }
    loop->is_ready = notify_send(&serve->notify, "READY=1");
    if (loop->is_ready)
        lines_say(serve->lines, AFF_LOG_INFO, NULL, "ready: %zu pipelines", serve->count);
}

/* A new pipeline may wait for its device for long: the others' reload is over all the same. */
static void reload_say(struct loop *loop, int64_t now)
{
    const struct serve *serve = loop->serve;
    bool done = true;

    for (size_t i = 0; i < serve->count; i++) {
        const struct served *s = serve->all[i];

        done = done && !s->reloads && s->settled && s->state != SERVED_ENDS;
    }
    if ((done || now >= loop->reload_until_ns) && notify_send(&loop->serve->notify, "READY=1"))
        loop->reload_until_ns = 0;
}

static void watchdog_feed(struct loop *loop, int64_t now)
{
    struct serve *serve = loop->serve;

    if (serve->notify.watchdog_ns == 0 || now - loop->fed_ns < serve->notify.watchdog_ns / WATCH_LESS_TURNS)
        return;
    for (size_t i = 0; i < serve->count; i++)
        if (served_is_silent(serve, serve->all[i], now))
            return;
    if (notify_send(&serve->notify, "WATCHDOG=1"))
        loop->fed_ns = now;
}

/* ---- turns ---- */

static void forget_gone(struct serve *serve)
{
    size_t kept = 0;

    for (size_t i = 0; i < serve->count; i++) {
        if (serve->all[i]->gone && serve->all[i]->pid == 0)
            served_free(&serve->all[i]);
        else
            serve->all[kept++] = serve->all[i];
    }
    serve->count = kept;
}

static bool polls_make(struct loop *loop)
{
    struct serve *serve = loop->serve;

    if (loop->poll_room < serve->count + 1) {
        struct pollfd *polls = realloc(loop->polls, (serve->count + 1) * sizeof *polls);

        if (!polls)
            return false;
        loop->polls = polls;
        loop->poll_room = serve->count + 1;
    }
    loop->polls[0] = (struct pollfd){ .fd = loop->signals, .events = POLLIN };
    for (size_t i = 0; i < serve->count; i++)
        loop->polls[i + 1] = (struct pollfd){ .fd = serve->all[i]->fd, .events = POLLIN };
    return true;
}

static int turn_ms(const struct serve *serve)
{
    int64_t least = serve->watch_ns / (2 * WATCH_LESS_TURNS) / 1000000;

    return least > 0 && least < TURN_MS ? (int)least : TURN_MS;
}

static void turn(struct loop *loop)
{
    struct serve *serve = loop->serve;
    int64_t now;

    /* Without memory for the list it goes on by time alone. */
    if (polls_make(loop) && poll(loop->polls, serve->count + 1, turn_ms(serve)) > 0)
        for (size_t i = 0; i < serve->count; i++)
            if (loop->polls[i + 1].revents)
                served_hear(serve, serve->all[i]);
    signals_take(loop);
    now = notify_now();
    for (size_t i = 0; i < serve->count; i++)
        served_tick(serve, serve->all[i], now);
    forget_gone(serve);
    lines_tick(serve->lines);
    status_say(loop);
    if (!loop->is_ready && !serve->stopping)
        ready_say(loop);
    if (loop->reload_until_ns > 0 && !serve->stopping)
        reload_say(loop, now);
    watchdog_feed(loop, now);
}

static bool is_over(const struct loop *loop)
{
    if (loop->is_refused)
        return true;
    for (size_t i = 0; i < loop->serve->count; i++)
        if (loop->serve->all[i]->pid != 0)
            return false;
    return loop->serve->stopping;
}

int serve_run(struct serve *serve)
{
    struct loop loop = { .serve = serve, .signals = -1 };
    int code = EXIT_DONE;

    if (!signals_open(&loop) || !serve_look(serve)) {
        code = EXIT_ERROR;
    } else {
        while (!is_over(&loop))
            turn(&loop);
        if (loop.is_refused) {
            lines_say(serve->lines, AFF_LOG_ERROR, NULL, "every pipeline was refused; nothing runs");
            code = EXIT_USAGE;
        }
    }
    for (size_t i = 0; i < serve->count; i++)
        served_free(&serve->all[i]);
    free(serve->all);
    free(loop.polls);
    if (loop.signals >= 0)
        close(loop.signals);
    return code;
}
