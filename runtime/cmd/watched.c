/* watched.c - see watched.h. */
#include "cmd/watched.h"

#include <afferent/plugin.h>

#define SECOND INT64_C(1000000000)
#define EVERY SECOND              /* a stop that was asked for is told this soon */
#define LOOK (10 * SECOND)
#define LOG (3600 * SECOND)

static int64_t feed_every(const struct watched *w)
{
    return w->notify.watchdog_ns / 4;
}

int64_t watched_every(const struct watched *w, int64_t every_ns)
{
    int64_t every = EVERY;

    if (!w->notify.is_on)
        return every_ns;
    if (feed_every(w) > 0 && feed_every(w) < every)
        every = feed_every(w);
    return every_ns > 0 && every_ns < every ? every_ns : every;
}

void watched_ready(struct watched *w)
{
    if (!w->is_ready)
        w->is_ready = notify_send(&w->notify, "READY=1\nSTATUS=running");
}

void watched_reloading(struct watched *w)
{
    notify_reloading(&w->notify);
    w->is_ready = false;
}

void watched_stopping(struct watched *w)
{
    if (!w->is_stopping)
        w->is_stopping = notify_send(&w->notify, "STOPPING=1\nSTATUS=stopping");
}

/* Once, until all is well again. `names` of nodes; "": it is the keeper. */
static void hung_say(struct watched *w, const char *names)
{
    double seconds = (double)w->notify.watchdog_ns / 2e9;

    if (w->is_hung)
        return;
    w->is_hung = true;
    if (*names)
        lines_say(w->lines, AFF_LOG_ERROR, NULL, "a call of a plugin has not returned for %.0f s, one of: %s; the "
                  "watchdog is told no more that all is well", seconds, names);
    else
        lines_say(w->lines, AFF_LOG_ERROR, NULL, "a commit of the store has not returned for %.0f s; the watchdog is "
                  "told no more that all is well", seconds);
}

static bool all_well(struct watched *w, struct flow *flow, struct keeper *keeper, int64_t now)
{
    int64_t most = w->notify.watchdog_ns / 2;
    char names[256] = "";

    if (flow_hung(flow, now, most, names, sizeof names) || (keeper && keeper_busy_ns(keeper) >= most)) {
        hung_say(w, names);
        return false;
    }
    w->is_hung = false;
    return true;
}

void watched_turn(struct watched *w, struct flow *flow, struct keeper *keeper, bool stopping)
{
    int64_t now = notify_now();

    lines_tick(w->lines);
    if (!w->notify.is_on)
        return;
    watched_ready(w);
    if (stopping)
        watched_stopping(w);
    if (w->notify.watchdog_ns == 0 || now - w->fed_ns < feed_every(w))
        return;
    if (all_well(w, flow, keeper, now) && notify_send(&w->notify, "WATCHDOG=1"))
        w->fed_ns = now;
}

bool watched_looks(struct watched *w)
{
    int64_t now = notify_now();

    if (w->notify.is_on && w->looked_ns > 0 && now - w->looked_ns < LOOK)
        return false;
    w->looked_ns = now;
    return true;
}

bool watched_shows(struct watched *w, const char *text)
{
    int64_t now = notify_now();
    bool logs = w->logged_ns == 0 || now - w->logged_ns >= LOG;

    if (!w->notify.is_on)
        return true;
    notify_status(&w->notify, text);
    if (logs)
        w->logged_ns = now;
    return logs;
}
