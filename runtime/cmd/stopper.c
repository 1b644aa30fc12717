/* stopper.c - see stopper.h. */
#include "cmd/stopper.h"

#include <afferent/plugin.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

/* Wakes the thread so that it ends; no terminal sends it. */
#define END_SIGNAL SIGUSR2

struct stopper {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    struct lines *lines;
    struct flow *flow;
    void (*hang_up)(void *arg);
    void *arg;
    int asked;
    bool over;
};

/* Who was started by nohup ignores a hang-up, and so must we; a blocked signal
 * would reach us all the same. */
static void signals_of_ours(sigset_t *set)
{
    struct sigaction hangup;

    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
    sigaddset(set, END_SIGNAL);
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        sigaddset(set, SIGHUP);
}

/* The lock is held. */
static void stop(struct stopper *s)
{
    s->asked++;
    pthread_cond_broadcast(&s->changed);
    if (!s->flow)
        return;
    if (s->asked == 1) {
        lines_say(s->lines, AFF_LOG_INFO, NULL, "stopping: what is under way is finished; the same again ends at once, and %s",
                  flow_keeps(s->flow) ? "the next run goes on from the last commit" : "loses it");
        flow_drain(s->flow);
    } else if (s->asked == 2) {
        lines_say(s->lines, AFF_LOG_WARN, NULL, "ending at once");
        flow_abort(s->flow);
    }
}

static void *watch(void *arg)
{
    struct stopper *s = arg;
    bool over = false;
    sigset_t set;
    int signal;

    signals_of_ours(&set);
    while (!over) {
        if (sigwait(&set, &signal) != 0)
            continue;
        pthread_mutex_lock(&s->lock);
        over = s->over;
        if (!over && signal == SIGHUP && s->hang_up)
            s->hang_up(s->arg);
        else if (!over && signal != END_SIGNAL)
            stop(s);
        pthread_mutex_unlock(&s->lock);
    }
    return NULL;
}

/* Waits by the clock that no operator and no time server moves. */
static bool condition_open(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    bool ok;

    if (pthread_condattr_init(&attributes) != 0)
        return false;
    ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
         pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return ok;
}

struct stopper *stopper_open(struct lines *lines)
{
    struct stopper *s = calloc(1, sizeof *s);
    sigset_t set;

    if (!s)
        return NULL;
    s->lines = lines;
    signals_of_ours(&set);
    if (pthread_mutex_init(&s->lock, NULL) != 0)
        goto no_lock;
    if (!condition_open(&s->changed))
        goto no_condition;
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (pthread_create(&s->thread, NULL, watch, s) == 0)
        return s;
    pthread_cond_destroy(&s->changed);
no_condition:
    pthread_mutex_destroy(&s->lock);
no_lock:
    free(s);
    return NULL;
}

void stopper_close(struct stopper **stopper)
{
    struct stopper *s = *stopper;

    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->over = true;
    pthread_mutex_unlock(&s->lock);
    pthread_kill(s->thread, END_SIGNAL);
    pthread_join(s->thread, NULL);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
    *stopper = NULL;
}

void stopper_guard(struct stopper *s, struct flow *flow)
{
    pthread_mutex_lock(&s->lock);
    s->flow = flow;
    if (flow && s->asked == 1)
        flow_drain(flow);
    else if (flow && s->asked > 1)
        flow_abort(flow);
    pthread_mutex_unlock(&s->lock);
}

void stopper_on_hang_up(struct stopper *s, void (*call)(void *arg), void *arg)
{
    pthread_mutex_lock(&s->lock);
    s->hang_up = call;
    s->arg = arg;
    pthread_mutex_unlock(&s->lock);
}

int stopper_asked(struct stopper *s)
{
    int asked;

    pthread_mutex_lock(&s->lock);
    asked = s->asked;
    pthread_mutex_unlock(&s->lock);
    return asked;
}

bool stopper_sleep(struct stopper *s, int64_t for_ns)
{
    struct timespec until;
    int64_t ns;
    bool asked;

    clock_gettime(CLOCK_MONOTONIC, &until);
    ns = until.tv_nsec + for_ns;
    until.tv_sec += (time_t)(ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    pthread_mutex_lock(&s->lock);
    while (s->asked == 0)
        if (pthread_cond_timedwait(&s->changed, &s->lock, &until) != 0)
            break;
    asked = s->asked > 0;
    pthread_mutex_unlock(&s->lock);
    return asked;
}
