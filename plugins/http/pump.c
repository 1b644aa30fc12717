/* SPDX-License-Identifier: Apache-2.0
 *
 * pump.c - the lane's side: requests are filled, news are told. See pump.h. */
#include "http/pump_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { SPARE = 4, TEXT_KEPT = 1 << 20 };
#define ROOM_NS (500 * MS) /* the longest that the lane waits for a request */
#define PACE_NS (100 * MS) /* and for room, since an alarm may come meanwhile */
#define HURRY_NS (100 * MS)

int64_t pump_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void requests_push(struct requests *list, struct request *r)
{
    r->next = NULL;
    if (list->last)
        list->last->next = r;
    else
        list->first = r;
    list->last = r;
}

void requests_push_front(struct requests *list, struct request *r)
{
    r->next = list->first;
    list->first = r;
    if (!list->last)
        list->last = r;
}

struct request *requests_pop(struct requests *list)
{
    struct request *r = list->first;

    if (!r)
        return NULL;
    list->first = r->next;
    if (!list->first)
        list->last = NULL;
    return r;
}

/* ---- opening ---- */

static bool request_open(struct pump *p, struct request *r)
{
    const struct aff_host *host = p->host;
    struct call *c = &r->call;

    r->items = host->alloc(host, p->records_most * sizeof *r->items);
    if (p->plug.kind->own_size > 0)
        c->own = host->alloc(host, p->plug.kind->own_size);
    c->elements = &r->elements;
    c->group = &r->group;
    return r->items && (c->own || p->plug.kind->own_size == 0) && transfer_open(&c->transfer, p->plug.target) &&
           curl_easy_setopt(c->transfer.easy, CURLOPT_PRIVATE, r) == CURLE_OK;
}

uint64_t pump_room_most(const struct pump *p)
{
    return p->plug.is_paced ? (uint64_t)p->all_count * (uint64_t)p->plug.way->batch_bytes : UINT64_MAX;
}

static bool requests_open(struct pump *p)
{
    const struct aff_host *host = p->host;

    p->all_count = (uint32_t)p->plug.way->in_flight + SPARE + p->plug.groups - 1u;
    p->all = host->alloc(host, p->all_count * sizeof *p->all);
    p->statuses = host->alloc(host, p->records_most * sizeof *p->statuses);
    if (!p->all || !p->statuses)
        return false;
    pace_begin(&p->pace, pump_room_most(p));
    for (uint32_t i = 0; i < p->all_count; i++) {
        if (!request_open(p, &p->all[i]))
            return false;
        requests_push(&p->free, &p->all[i]);
    }
    return true;
}

static bool multi_open(struct pump *p)
{
    long most = (long)p->plug.way->in_flight + 1;

    p->multi = curl_multi_init();
    return p->multi && curl_multi_setopt(p->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most) == CURLM_OK &&
           curl_multi_setopt(p->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) == CURLM_OK;
}

static bool lock_open(struct pump *p)
{
    p->has_lock = net_lock_open(&p->lock, &p->room);
    return p->has_lock;
}

aff_status pump_open(const struct aff_host *host, const struct pump_plug *plug, struct pump **ret)
{
    struct pump *p;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return host->explain(host, AFF_ERR_MEMORY, "libcurl cannot be prepared");
    p = host->alloc(host, sizeof *p);
    if (p) {
        p->host = host;
        p->plug = *plug;
        p->records_most = plug->records_most;
        p->random = host->random(host) | 1u;
        p->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        http_uplink_open(&p->uplink, host);
        if (p->bell >= 0 && lock_open(p) && multi_open(p) && requests_open(p) &&
            net_thread_start(&p->thread, pump_loop, p))
            p->has_thread = true;
    }
    if (p && p->has_thread) {
        p->is_watched = host->watch(host, p->bell, AFF_WATCH_READ) == AFF_OK;
        if (p->is_watched) {
            *ret = p;
            return AFF_OK;
        }
        pump_close(p);
        return host->explain(host, AFF_ERR_MEMORY, "no more descriptors can be watched");
    }
    if (p)
        pump_close(p);
    else
        curl_global_cleanup();
    return host->explain(host, AFF_ERR_MEMORY, "no memory for the requests");
}

static void thread_end(struct pump *p)
{
    if (!p->has_thread)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_mutex_unlock(&p->lock);
    (void)curl_multi_wakeup(p->multi);
    (void)pthread_join(p->thread, NULL);
}

static void request_close(struct pump *p, struct request *r)
{
    struct call *c = &r->call;

    if (c->transfer.easy && p->multi)
        (void)curl_multi_remove_handle(p->multi, c->transfer.easy);
    transfer_close(&c->transfer);
    if (c->own && p->plug.kind->close)
        p->plug.kind->close(p->plug.self, c);
    text_free(&r->elements);
    text_free(&r->group);
    text_free(&c->body);
    text_free(&c->packed);
    p->host->free(p->host, c->own);
    p->host->free(p->host, r->items);
}

void pump_close(struct pump *p)
{
    const struct aff_host *host = p->host;

    if (p->is_watched)
        (void)host->watch(host, p->bell, 0);
    thread_end(p);
    for (uint32_t i = 0; p->all && i < p->all_count; i++)
        request_close(p, &p->all[i]);
    if (p->own)
        (void)curl_multi_remove_handle(p->multi, p->own->easy);
    if (p->multi)
        (void)curl_multi_cleanup(p->multi);
    http_uplink_close(&p->uplink);
    if (p->bell >= 0)
        (void)close(p->bell);
    if (p->has_lock) {
        (void)pthread_cond_destroy(&p->room);
        (void)pthread_mutex_destroy(&p->lock);
    }
    text_free(&p->element);
    text_free(&p->group);
    host->free(host, p->all);
    host->free(host, p->statuses);
    host->free(host, p);
    curl_global_cleanup();
}

/* ---- filling ---- */

static void requests_remove(struct requests *list, struct request *r)
{
    struct request *before = list->first;

    if (before == r) {
        (void)requests_pop(list);
        return;
    }
    while (before->next != r)
        before = before->next;
    before->next = r->next;
    if (list->last == r)
        list->last = before;
}

void pump_seal(struct pump *p, struct request *r)
{
    requests_remove(&p->filling, r);
    requests_push(&p->ready, r);
}

/* They stand in the order in which they are due. */
void pump_seal_due(struct pump *p, int64_t until_ns)
{
    while (p->filling.first && p->filling.first->due_ns <= until_ns)
        pump_seal(p, p->filling.first);
}

static struct request *filling_of(const struct pump *p, const struct text *group)
{
    struct request *r = p->filling.first;

    while (r && (r->group.size != group->size || (group->size > 0 && memcmp(r->group.bytes, group->bytes, group->size) != 0)))
        r = r->next;
    return r;
}

static bool has_free(const struct pump *p)
{
    return p->free.first != NULL;
}

static bool has_room(const struct pump *p)
{
    return !p->plug.is_paced || pace_has_room(&p->pace, p->held);
}

/* For a moment. */
static bool wait_for(struct pump *p, bool (*is_so)(const struct pump *), int64_t ns)
{
    struct timespec until = net_after(ns);
    int rc = 0;

    while (!is_so(p) && rc == 0 && !p->is_failing)
        rc = pthread_cond_timedwait(&p->room, &p->lock, &until);
    return is_so(p);
}

/* Where as many as may be are filled the oldest makes room. AFF_ERR_MEMORY, AFF_AGAIN. */
static aff_status filling_begin(struct pump *p, const struct text *group, struct request **ret)
{
    uint32_t count = 0;
    struct request *r;

    for (r = p->filling.first; r; r = r->next)
        count++;
    if (count >= p->plug.groups)
        pump_seal(p, p->filling.first);
    if (!wait_for(p, has_free, ROOM_NS))
        return p->is_failing ? AFF_ERR_IO : AFF_AGAIN;
    r = requests_pop(&p->free);
    r->count = r->range_count = 0;
    r->elements.size = r->group.size = 0;
    r->tries = r->singles = r->unanswered = r->conflicts = 0;
    r->in_doubt = r->has_left = r->was_renewed = false;
    r->due_ns = pump_now() + p->plug.way->batch_time;
    text_add(&r->group, group->bytes, group->size);
    if (r->group.failed) {
        r->group.failed = 0;
        requests_push(&p->free, r);
        return AFF_ERR_MEMORY;
    }
    requests_push(&p->filling, r);
    *ret = r;
    return AFF_OK;
}

/* A server that failed is tried with what waits for it, or with the first record that
 * comes; until that is answered no other is taken. */
static bool is_probe(const struct pump *p)
{
    return p->is_failing && !p->ready.first && p->flying == 0;
}

/* Nothing is before it, and what comes comes slowly. */
static bool is_in_no_hurry(const struct pump *p, const struct request *r)
{
    return p->flying == 0 && !p->ready.first && pump_now() - (r->due_ns - p->plug.way->batch_time) > HURRY_NS;
}

/* Of a thin link's room a request is a part, so that one can be filled while others are
 * under way; smaller ones would be headers mostly. One that is filled slowly may have all of it. */
static size_t bytes_most(const struct pump *p, const struct request *r)
{
    uint64_t most = (uint64_t)p->plug.way->batch_bytes, parts = p->plug.way->in_flight > 2 ? (uint64_t)p->plug.way->in_flight : 2;
    uint64_t part = p->pace.room / (is_in_no_hurry(p, r) ? 1 : parts);

    if (!p->plug.is_paced || part >= most)
        return (size_t)most;
    return (size_t)(part > PACE_LEAST / 2 ? part : most < PACE_LEAST / 2 ? most : PACE_LEAST / 2);
}

/* True: it is the first of a request, or makes it full. */
static bool element_add(struct pump *p, struct request *r, const struct text *element, const struct item *item)
{
    size_t begin = r->elements.size;

    text_add(&r->elements, element->bytes, element->size);
    r->items[r->count] = *item;
    r->items[r->count].begin = begin;
    r->items[r->count++].end = r->elements.size;
    p->held += element->size;
    if (r->count < p->records_most && r->elements.size < bytes_most(p, r) && !is_probe(p))
        return r->count == 1;
    pump_seal(p, r);
    return true;
}

static bool is_too_much(const struct pump *p, const struct request *r, const struct text *element)
{
    return r && r->elements.size > 0 && r->elements.size + element->size > (size_t)p->plug.way->batch_bytes;
}

/* What is being filled while the room became less would wait for its time, and keep all else
 * waiting. */
static bool room_await(struct pump *p)
{
    struct request *r = p->filling.first;

    if (has_room(p))
        return true;
    if (r && (r->elements.size >= bytes_most(p, r) || (p->flying == 0 && !p->ready.first))) {
        pump_seal(p, r);
        (void)curl_multi_wakeup(p->multi);
    }
    return wait_for(p, has_room, PACE_NS);
}

/* Room for the element beforehand, so that adding it cannot fail. */
static aff_status element_room(struct pump *p, const struct text *group, const struct text *element, struct request **ret)
{
    aff_status st = AFF_OK;
    struct request *r;
    size_t before;

    if (!room_await(p))
        return p->is_failing ? AFF_ERR_IO : AFF_AGAIN;
    r = filling_of(p, group);
    if (is_too_much(p, r, element)) {
        pump_seal(p, r);
        r = NULL;
    }
    if (!r)
        st = filling_begin(p, group, &r);
    if (st != AFF_OK)
        return st;
    before = r->elements.size;
    text_add(&r->elements, element->bytes, element->size);
    r->elements.size = before;
    *ret = r;
    if (!r->elements.failed)
        return AFF_OK;
    r->elements.failed = 0;
    if (r->count == 0) {
        requests_remove(&p->filling, r);
        requests_push(&p->free, r);
    }
    return AFF_ERR_MEMORY;
}

static aff_status pump_put(struct pump *p, const struct item *item)
{
    const struct text *element = &p->element, *group = &p->group;
    struct request *r = NULL;
    aff_status st = AFF_ERR_IO;
    bool stirs = false;
    const char *why;

    pthread_mutex_lock(&p->lock);
    if (!p->is_failing || (is_probe(p) && pump_now() >= p->retry_ns))
        st = element_room(p, group, element, &r);
    if (st == AFF_OK)
        stirs = element_add(p, r, element, item);
    p->wants_room = st == AFF_AGAIN;
    why = p->why;
    if (st == AFF_ERR_IO)
        p->news.failed = false; /* the host says it now */
    pthread_mutex_unlock(&p->lock);
    if (stirs)
        (void)curl_multi_wakeup(p->multi);
    if (st == AFF_ERR_IO)
        return p->host->explain(p->host, st, "%s", why);
    return st == AFF_ERR_MEMORY ? p->host->explain(p->host, st, "no memory for a request") : st;
}

static aff_status element_make(struct pump *p, const struct aff_record *r)
{
    const struct aff_host *host = p->host;
    const struct aff_stream_info *info = host->stream_info(host, r->stream);
    struct source from = { r, host->schema_info(host, r->schema), "", "" };
    const char *problem;

    if (!info)
        return host->explain(host, AFF_ERR_DATA, "a record is of no known stream");
    from.subject = info->subject_name ? info->subject_name : "";
    from.stream = info->name ? info->name : "";
    p->element.size = p->group.size = 0;
    problem = p->plug.make(p->plug.self, &from, &p->element, &p->group);
    if (problem)
        return host->explain(host, AFF_ERR_DATA, "%s", problem);
    if (!p->element.failed && !p->group.failed)
        return AFF_OK;
    text_free(&p->element);
    text_free(&p->group);
    return host->explain(host, AFF_ERR_MEMORY, "no memory for a record");
}

/* What one very large record needed is given back. */
static void text_trim(struct text *t)
{
    if (t->room > TEXT_KEPT)
        text_free(t);
}

aff_status pump_write(struct pump *p, const struct aff_batch *batch, uint32_t *ret_taken)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct aff_record *r = &batch->records[i];
        const struct item item = { .id = r->id, .event_ns = r->event_ns, .is_resent = (r->flags & AFF_FLAG_RESENT) != 0 };
        aff_status st = element_make(p, r);

        if (st == AFF_OK)
            st = pump_put(p, &item);
        text_trim(&p->element);
        text_trim(&p->group);
        if (st != AFF_OK) {
            *ret_taken = i;
            return st;
        }
    }
    return AFF_OK;
}

void pump_flush(struct pump *p)
{
    pthread_mutex_lock(&p->lock);
    pump_seal_due(p, INT64_MAX);
    pthread_mutex_unlock(&p->lock);
    (void)curl_multi_wakeup(p->multi);
}

/* ---- news ---- */

static void refused_tell(struct pump *p, const struct news *news)
{
    for (unsigned i = 100; i < STATUSES; i++)
        if (news->refused[i] == 1)
            p->host->log(p->host, AFF_LOG_WARN, "the server refuses a record for its content (%u); such records are set aside, "
                         "see `afferent dlq ls`", i);
}

void pump_tell(struct pump *p)
{
    struct news news;
    const char *why;
    uint64_t n;

    while (read(p->bell, &n, sizeof n) < 0 && errno == EINTR)
        continue;
    pthread_mutex_lock(&p->lock);
    news = p->news;
    why = p->why;
    memset(p->news.counts, 0, sizeof p->news.counts);
    for (unsigned i = 0; p->news.any_refused && i < STATUSES; i++)
        p->news.refused[i] = p->news.refused[i] ? 2 : 0;
    p->news.failed = p->news.recovered = p->news.any_refused = false;
    pthread_mutex_unlock(&p->lock);
    for (uint32_t i = 0; i < COUNTS_MOST; i++)
        if (news.counts[i])
            p->host->count(p->host, i, news.counts[i]);
    if (news.any_refused)
        refused_tell(p, &news);
    if (news.failed)
        p->host->log(p->host, AFF_LOG_WARN, "%s; records wait, trying again", why);
    if (news.recovered)
        p->host->log(p->host, AFF_LOG_INFO, "the server takes records again");
}
