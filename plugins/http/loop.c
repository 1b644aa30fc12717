/* SPDX-License-Identifier: Apache-2.0
 *
 * loop.c - the thread: what is ready is sent, what came back is handed on.
 *
 * After a failure one request at a time is tried, and none before the wait is over:
 * it doubles from half a second to half a minute, less up to a quarter by chance, so
 * that the nodes of a ward don't come back in one moment; or it is what the server
 * asks for.
 *
 * Not here: what an answer means for each record (finish.c). */
#include "http/pump_inside.h"

#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { IDLE_MS = 1000 };
#define WAIT_FIRST (500 * MS)
#define WAIT_LAST (30000 * MS)
#define SECOND (1000 * MS)

/* ---- how the server is ---- */

/* Whether the thread has news is seen by a byte; that the bell is full means that it
 * rings already. */
static void bell_ring(struct pump *p)
{
    uint64_t one = 1;

    while (write(p->bell, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

void pump_count(struct pump *p, uint32_t row, uint64_t by)
{
    pthread_mutex_lock(&p->lock);
    p->news.counts[row] += by;
    pthread_mutex_unlock(&p->lock);
    bell_ring(p);
}

/* Answers to requests that were under way together are one failure. */
void pump_failed(struct pump *p, const char *why, int64_t after_s)
{
    int64_t now = pump_now(), most = p->plug.way->retry_after_most, wait;

    pthread_mutex_lock(&p->lock);
    if (!p->is_failing || now >= p->retry_ns)
        p->wait_ns = net_wait_longer(p->wait_ns, WAIT_FIRST, WAIT_LAST);
    wait = net_less_by_chance(&p->random, p->wait_ns);
    if (after_s > 0 && (after_s >= most / SECOND ? most : after_s * SECOND) > wait)
        wait = after_s >= most / SECOND ? most : after_s * SECOND;
    if (!p->is_failing || now + wait > p->retry_ns)
        p->retry_ns = now + wait;
    if (!p->is_failing)
        pace_begin(&p->pace, pump_room_most(p));
    p->news.failed |= !p->is_failing;
    p->news.recovered = false;
    p->is_failing = true;
    p->why = why;
    pthread_cond_broadcast(&p->room);
    pthread_mutex_unlock(&p->lock);
    bell_ring(p);
}

void pump_works(struct pump *p)
{
    bool was_failing;

    pthread_mutex_lock(&p->lock);
    was_failing = p->is_failing;
    p->is_failing = false;
    p->wait_ns = 0;
    p->news.recovered |= was_failing;
    pthread_mutex_unlock(&p->lock);
    if (!was_failing)
        return;
    bell_ring(p);
    p->host->rouse(p->host); /* what it could not give away it need not keep for the rest of its wait */
}

/* ---- sending ---- */

/* How many may be under way now. Under the lock. */
static uint32_t flying_most(const struct pump *p, int64_t now)
{
    if (!http_uplink_goes(&p->uplink))
        return 0;
    if (!p->is_failing)
        return (uint32_t)p->plug.way->in_flight;
    return now >= p->retry_ns ? 1 : 0;
}

static struct request *ready_take(struct pump *p)
{
    int64_t now = pump_now();
    struct request *r = NULL;

    pthread_mutex_lock(&p->lock);
    if (p->flying < flying_most(p, now))
        r = requests_pop(&p->ready);
    p->flying += r != NULL;
    pthread_mutex_unlock(&p->lock);
    return r;
}

/* There is a link, and it is not the time to wait. */
static bool is_time(struct pump *p)
{
    int64_t now = pump_now();
    bool is;

    pthread_mutex_lock(&p->lock);
    pump_seal_due(p, now); /* in any case: the loop waits for the next that is due */
    is = flying_most(p, now) > 0;
    pthread_mutex_unlock(&p->lock);
    return is;
}

static bool any_wanted(struct pump *p)
{
    bool wanted;

    pthread_mutex_lock(&p->lock);
    wanted = p->ready.first != NULL;
    pthread_mutex_unlock(&p->lock);
    return wanted;
}

static bool is_prepared(struct pump *p)
{
    struct transfer *send = NULL;
    const char *why = NULL;
    bool good;

    if (!p->plug.kind->prepare || p->own)
        return !p->own || p->plug.kind->prepare(p->plug.self, false, &send, &why);
    good = p->plug.kind->prepare(p->plug.self, any_wanted(p), &send, &why);
    if (why)
        pump_failed(p, why, 0);
    if (!send)
        return good;
    p->own = send;
    if (http_uplink_use(&p->uplink, send) && curl_multi_add_handle(p->multi, send->easy) == CURLM_OK)
        return good;
    p->own = NULL;
    pump_failed(p, p->plug.kind->prepared(p->plug.self, CURLE_OUT_OF_MEMORY), 0);
    return good;
}

static void ready_send(struct pump *p)
{
    struct request *r;

    if (!is_time(p) || !is_prepared(p)) /* nor does the plugin send anything of its own by no link */
        return;
    while ((r = ready_take(p)) != NULL)
        request_send(p, r);
}

/* ---- links ---- */

/* What failed by another link says nothing of this one; what is under way by another is sent
 * again by this, or waits for one. */
static void uplink_follow(struct pump *p)
{
    if (!http_uplink_look(&p->uplink))
        return;
    pthread_mutex_lock(&p->lock);
    p->is_failing = p->is_failing && !http_uplink_goes(&p->uplink);
    p->wait_ns = p->retry_ns = 0;
    pace_begin(&p->pace, pump_room_most(p));
    pthread_mutex_unlock(&p->lock);
    for (uint32_t i = 0; i < p->all_count; i++) {
        struct transfer *t = &p->all[i].call.transfer;

        if (t->is_under_way && http_uplink_is_other(&p->uplink, t))
            request_recall(p, &p->all[i]);
    }
}

/* ---- the loop ---- */

static void own_finish(struct pump *p, CURLcode code)
{
    struct transfer *t = p->own;
    const char *why;

    p->own = NULL;
    http_uplink_tried(&p->uplink, t, transfer_status(t) > 0);
    why = p->plug.kind->prepared(p->plug.self, code);
    if (why && !http_uplink_is_other(&p->uplink, t))
        pump_failed(p, why, transfer_retry_after(t));
}

static bool finished_take(struct pump *p)
{
    char *about = NULL;
    int left = 0;
    CURLMsg *m = curl_multi_info_read(p->multi, &left);
    CURLcode code;
    CURL *easy;

    if (!m)
        return false;
    if (m->msg != CURLMSG_DONE)
        return true;
    easy = m->easy_handle;
    code = m->data.result;
    (void)curl_multi_remove_handle(p->multi, easy);
    if (p->own && easy == p->own->easy)
        own_finish(p, code);
    else if (curl_easy_getinfo(easy, CURLINFO_PRIVATE, &about) == CURLE_OK)
        request_finish(p, (struct request *)(void *)about, code);
    return true;
}

/* Until something is due. */
static int wait_ms(struct pump *p)
{
    int64_t now = pump_now(), until = now + IDLE_MS * MS;

    pthread_mutex_lock(&p->lock);
    if (p->filling.first && p->filling.first->due_ns < until)
        until = p->filling.first->due_ns;
    if (p->ready.first && p->is_failing && p->retry_ns > now && p->retry_ns < until)
        until = p->retry_ns;
    pthread_mutex_unlock(&p->lock);
    return until <= now ? 0 : (int)((until - now + MS - 1) / MS);
}

static bool stops(struct pump *p)
{
    bool stop;

    pthread_mutex_lock(&p->lock);
    stop = p->stop;
    pthread_mutex_unlock(&p->lock);
    return stop;
}

void *pump_loop(void *pump)
{
    struct pump *p = pump;
    int running = 0;

    (void)prctl(PR_SET_NAME, p->plug.kind->thread);
    while (!stops(p)) {
        uplink_follow(p);
        ready_send(p);
        (void)curl_multi_perform(p->multi, &running);
        http_uplink_spent(&p->uplink); /* before the answers: what they end may be committed */
        if (finished_take(p)) {
            while (finished_take(p))
                continue;
            continue;
        }
        (void)curl_multi_poll(p->multi, NULL, 0, wait_ms(p), NULL);
    }
    return NULL;
}
