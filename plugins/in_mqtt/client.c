/* SPDX-License-Identifier: Apache-2.0
 *
 * client.c - the client's thread, and what the node asks of it. See client.h. */
#include "client_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "net/thread.h"

enum { LEAVE_WAIT_S = 2, STOP_WAIT_S = 5 };

/* ---- opening ---- */

/* Not of the host's memory: a thread that is left behind goes on using it. */
struct client *client_open(const struct client_config *config)
{
    struct client *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->config = *config;
    (void)mqtt_address_read(config->link->broker, &c->address); /* validate has read it */
    (void)snprintf(c->cause, sizeof c->cause, "not connected yet");
    c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (c->fd >= 0 && pthread_mutex_init(&c->lock, NULL) == 0) {
        if (pthread_cond_init(&c->changed, NULL) == 0)
            return c;
        (void)pthread_mutex_destroy(&c->lock);
    }
    if (c->fd >= 0)
        (void)close(c->fd);
    free(c);
    return NULL;
}

void client_close(struct client **client)
{
    struct client *c = *client;

    *client = NULL;
    if (!c || c->left)
        return;
    (void)close(c->fd);
    (void)pthread_cond_destroy(&c->changed);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

int client_fd(const struct client *c)
{
    return c->fd;
}

void client_tell(struct client *c)
{
    uint64_t one = 1;

    pthread_cond_broadcast(&c->changed);
    (void)!write(c->fd, &one, sizeof one);
}

/* ---- the thread ---- */

static struct timespec after_s(int seconds)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += seconds;
    return at;
}

static void away_say(struct client *c, int rc)
{
    pthread_mutex_lock(&c->lock);
    c->state = CLIENT_AWAY;
    c->connected = false;
    (void)snprintf(c->cause, sizeof c->cause, "cannot begin to connect to the broker (%d)", rc);
    client_tell(c);
    pthread_mutex_unlock(&c->lock);
}

/* One try, until it is connected and subscribed, or has failed. */
static void connect_once(struct client *c)
{
    bool goes_on;
    int rc = paho_connect(c);

    if (rc == 0) {
        pthread_mutex_lock(&c->lock);
        while (!c->stopping && c->state == CLIENT_TRYING && !c->connected)
            pthread_cond_wait(&c->changed, &c->lock);
        goes_on = !c->stopping && c->connected;
        pthread_mutex_unlock(&c->lock);
        rc = goes_on ? paho_subscribe(c) : 0;
    }
    if (rc != 0)
        away_say(c, rc);
}

/* What was refused stands in `cause`; the connection is of no use. */
static void leave(struct client *c, bool for_good)
{
    struct timespec until = after_s(LEAVE_WAIT_S);
    bool asked;
    int rc = 0;

    pthread_mutex_lock(&c->lock);
    c->disconnected = false; /* before it is asked for: the answer comes by another thread */
    pthread_mutex_unlock(&c->lock);
    asked = paho_leave(c);
    pthread_mutex_lock(&c->lock);
    c->disconnected |= !asked;
    while (!c->disconnected && !c->parked && rc == 0)
        rc = pthread_cond_timedwait(&c->changed, &c->lock, &until);
    c->left |= for_good && !c->disconnected;
    pthread_mutex_unlock(&c->lock);
}

/* True: it is to connect; false: to end. */
static bool wait_wanted(struct client *c)
{
    bool goes_on;

    pthread_mutex_lock(&c->lock);
    while (!c->stopping && !c->wanted)
        pthread_cond_wait(&c->changed, &c->lock);
    goes_on = !c->stopping;
    c->wanted = false;
    if (goes_on)
        c->state = CLIENT_TRYING;
    pthread_mutex_unlock(&c->lock);
    return goes_on;
}

/* One that has its answer is on its way out. */
static bool callback_is_parked(struct client *c)
{
    bool parked;

    pthread_mutex_lock(&c->lock);
    while (c->has_message && !c->parked)
        pthread_cond_wait(&c->changed, &c->lock);
    parked = c->parked;
    pthread_mutex_unlock(&c->lock);
    return parked;
}

static void *client_run(void *self)
{
    struct client *c = self;
    bool is_made = paho_make(c), was_tried = false, is_left;

    while (wait_wanted(c)) {
        if (!is_made) {
            away_say(c, MQTTASYNC_FAILURE);
            continue;
        }
        if (was_tried)
            leave(c, false); /* a connection whose topics were refused is still there */
        connect_once(c);
        was_tried = true;
    }
    if (is_made && !callback_is_parked(c))
        leave(c, true);
    pthread_mutex_lock(&c->lock);
    is_left = c->left;
    pthread_mutex_unlock(&c->lock);
    if (is_made && !is_left)
        paho_destroy(c);
    return NULL;
}

bool client_start(struct client *c)
{
    c->wanted = true;
    c->state = CLIENT_TRYING;
    c->runs = net_thread_start(&c->thread, client_run, c);
    return c->runs;
}

void client_stop(struct client *c)
{
    struct timespec until = after_s(STOP_WAIT_S);

    if (!c->runs)
        return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    c->runs = false;
    if (pthread_timedjoin_np(c->thread, NULL, &until) == 0)
        return;
    /* it stands before a lock that another client of this process holds */
    (void)pthread_detach(c->thread);
    pthread_mutex_lock(&c->lock);
    c->left = true;
    pthread_mutex_unlock(&c->lock);
}

/* ---- for the node ---- */

void client_want(struct client *c)
{
    pthread_mutex_lock(&c->lock);
    if (c->state == CLIENT_AWAY) {
        c->wanted = true;
        c->state = CLIENT_TRYING;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
}

void client_look(struct client *c, struct client_view *ret)
{
    uint64_t told;

    (void)!read(c->fd, &told, sizeof told);
    pthread_mutex_lock(&c->lock);
    ret->state = c->state;
    ret->session_was_lost = c->session_was_lost;
    ret->has_message = c->has_message && !c->answered;
    ret->message = c->message;
    (void)snprintf(ret->cause, sizeof ret->cause, "%s", c->cause);
    pthread_mutex_unlock(&c->lock);
}

void client_answer(struct client *c)
{
    pthread_mutex_lock(&c->lock);
    c->answered = c->has_message;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}
