/* pump.c - the lane's side: requests are filled, news are told. See pump.h. */
#include "pump_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { SPARE = 4 };
#define ROOM_NS (500 * MS) /* the longest that the lane waits for a request */

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

static bool requests_open(struct pump *p)
{
    const struct aff_host *host = p->host;

    p->all_count = (uint32_t)p->config->in_flight + SPARE;
    p->all = host->alloc(host, p->all_count * sizeof *p->all);
    p->statuses = host->alloc(host, p->records_most * sizeof *p->statuses);
    if (!p->all || !p->statuses)
        return false;
    for (uint32_t i = 0; i < p->all_count; i++) {
        struct request *r = &p->all[i];

        r->items = host->alloc(host, p->records_most * sizeof *r->items);
        if (!r->items || !transfer_open(&r->transfer, &p->target) ||
            curl_easy_setopt(r->transfer.easy, CURLOPT_PRIVATE, r) != CURLE_OK)
            return false;
        r->transfer.is_kept = p->config->format == FORMAT_FHIR || p->config->answer;
        requests_push(&p->free, r);
    }
    return true;
}

static bool multi_open(struct pump *p)
{
    long most = (long)p->config->in_flight + 1;

    p->multi = curl_multi_init();
    return p->multi && curl_multi_setopt(p->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most) == CURLM_OK &&
           curl_multi_setopt(p->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) == CURLM_OK;
}

static bool lock_open(struct pump *p)
{
    pthread_condattr_t attr;
    bool good = pthread_condattr_init(&attr) == 0;

    if (!good)
        return false;
    good = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 && pthread_mutex_init(&p->lock, NULL) == 0;
    if (good && pthread_cond_init(&p->room, &attr) != 0) {
        (void)pthread_mutex_destroy(&p->lock);
        good = false;
    }
    (void)pthread_condattr_destroy(&attr);
    p->has_lock = good;
    return good;
}

static bool parts_open(struct pump *p)
{
    const struct aff_host *host = p->host;

    if (p->config->oauth) {
        p->token = host->alloc(host, sizeof *p->token);
        if (!p->token || !token_open(p->token, p->config))
            return false;
    }
    p->target = (struct target){ p->config, p->config->url, transfer_headers(p->config) };
    p->answers = answers_open(p->config);
    p->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return p->target.headers && p->answers && p->bell >= 0 && lock_open(p) && multi_open(p) && requests_open(p);
}

aff_status pump_open(const struct aff_host *host, const struct config *config, struct pump **ret)
{
    struct pump *p;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return host->explain(host, AFF_ERR_MEMORY, "libcurl cannot be prepared");
    p = host->alloc(host, sizeof *p);
    if (p) {
        p->host = host;
        p->config = config;
        p->bell = -1;
        p->records_most = config_records_most(config);
        p->random = host->random(host) | 1u;
        if (parts_open(p) && pthread_create(&p->thread, NULL, pump_loop, p) == 0)
            p->has_thread = true;
    }
    if (p && p->has_thread) {
        *ret = p;
        return AFF_OK;
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

void pump_close(struct pump *p)
{
    const struct aff_host *host = p->host;

    thread_end(p);
    for (uint32_t i = 0; p->all && i < p->all_count; i++) {
        struct request *r = &p->all[i];

        if (r->transfer.easy && p->multi)
            (void)curl_multi_remove_handle(p->multi, r->transfer.easy);
        transfer_close(&r->transfer);
        text_free(&r->elements);
        text_free(&r->body);
        text_free(&r->packed);
        host->free(host, r->items);
    }
    if (p->token) {
        if (p->token->transfer.easy && p->multi)
            (void)curl_multi_remove_handle(p->multi, p->token->transfer.easy);
        token_close(p->token);
        host->free(host, p->token);
    }
    if (p->multi)
        (void)curl_multi_cleanup(p->multi);
    curl_slist_free_all(p->target.headers);
    answers_close(p->answers);
    if (p->bell >= 0)
        (void)close(p->bell);
    if (p->has_lock) {
        (void)pthread_cond_destroy(&p->room);
        (void)pthread_mutex_destroy(&p->lock);
    }
    host->free(host, p->all);
    host->free(host, p->statuses);
    host->free(host, p);
    curl_global_cleanup();
}

int pump_bell(const struct pump *p)
{
    return p->bell;
}

/* ---- filling ---- */

void pump_seal(struct pump *p)
{
    if (!p->filling)
        return;
    requests_push(&p->ready, p->filling);
    p->filling = NULL;
}

/* Waits for a free request, for a moment. */
static bool filling_begin(struct pump *p)
{
    struct timespec until;
    int rc = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)ROOM_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!p->free.first && rc == 0 && !p->is_failing)
        rc = pthread_cond_timedwait(&p->room, &p->lock, &until);
    p->filling = requests_pop(&p->free);
    if (!p->filling)
        return false;
    p->filling->count = p->filling->todo_count = 0;
    p->filling->elements.size = 0;
    p->filling->singles = 0;
    p->filling->in_doubt = p->filling->has_left = p->filling->had_token = false;
    p->filling->due_ns = pump_now() + p->config->batch_time;
    return true;
}

/* A server that failed is tried with the first record that comes; the others go on
 * filling requests meanwhile. */
static bool is_probe(const struct pump *p)
{
    return p->is_failing && !p->ready.first && p->flying == 0;
}

/* True: it is the first of a request, or makes it full. */
static bool element_add(struct pump *p, const struct text *element, struct aff_id id, bool is_resent)
{
    struct request *r = p->filling;
    size_t begin = r->elements.size;

    text_add(&r->elements, element->bytes, element->size);
    r->items[r->count++] = (struct item){ id, begin, r->elements.size, is_resent };
    if (r->count < p->records_most && r->elements.size < (size_t)p->config->batch_bytes && !is_probe(p))
        return r->count == 1;
    pump_seal(p);
    return true;
}

static bool is_too_much(const struct pump *p, const struct text *element)
{
    const struct request *r = p->filling;

    return r && r->elements.size > 0 && r->elements.size + element->size > (size_t)p->config->batch_bytes;
}

/* Room for the element beforehand, so that adding it cannot fail. */
static aff_status element_room(struct pump *p, const struct text *element)
{
    size_t before;

    if (is_too_much(p, element))
        pump_seal(p);
    if (!p->filling && !filling_begin(p))
        return p->is_failing ? AFF_ERR_IO : AFF_AGAIN;
    before = p->filling->elements.size;
    text_add(&p->filling->elements, element->bytes, element->size);
    p->filling->elements.size = before;
    if (!p->filling->elements.failed)
        return AFF_OK;
    p->filling->elements.failed = 0;
    if (p->filling->count == 0) {
        requests_push(&p->free, p->filling);
        p->filling = NULL;
    }
    return AFF_ERR_MEMORY;
}

aff_status pump_put(struct pump *p, const struct text *element, struct aff_id id, bool is_resent)
{
    aff_status st = AFF_ERR_IO;
    bool stirs = false;
    const char *why;

    pthread_mutex_lock(&p->lock);
    if (!p->is_failing || pump_now() >= p->retry_ns)
        st = element_room(p, element);
    if (st == AFF_OK)
        stirs = element_add(p, element, id, is_resent);
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

void pump_flush(struct pump *p)
{
    pthread_mutex_lock(&p->lock);
    pump_seal(p);
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
    for (uint32_t i = 0; i < COUNTS; i++)
        if (news.counts[i])
            p->host->count(p->host, i, news.counts[i]);
    if (news.any_refused)
        refused_tell(p, &news);
    if (news.failed)
        p->host->log(p->host, AFF_LOG_WARN, "%s; records wait, trying again", why);
    if (news.recovered)
        p->host->log(p->host, AFF_LOG_INFO, "the server takes records again");
}
