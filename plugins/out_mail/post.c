/* post.c - the lane's side of the post office, see post.h. */
#include "post_inside.h"

#include "alert_rows/columns.h"

#include <curl/curl.h>
#include <string.h>
#include <time.h>

int64_t post_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECOND + t.tv_nsec;
}

/* ---- opening ---- */

static bool lock_open(struct post *p)
{
    p->has_lock = net_lock_open(&p->lock, &p->stirs);
    return p->has_lock;
}

static bool parts_open(struct post *p)
{
    const struct aff_host *host = p->host;

    p->items = host->alloc(host, ITEMS_MOST * sizeof *p->items);
    p->mails = p->items ? host->alloc(host, MAILS_MOST * sizeof *p->mails) : NULL;
    if (!p->mails)
        return false;
    p->smtp = smtp_open(host, p->config);
    return p->smtp && lock_open(p);
}

aff_status post_open(const struct aff_host *host, const struct config *config, struct post **ret)
{
    struct post *p;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return host->explain(host, AFF_ERR_MEMORY, "libcurl cannot be prepared");
    p = host->alloc(host, sizeof *p);
    if (p) {
        p->host = host;
        p->config = config;
        p->random = host->random(host) | 1u;
        host->link_spent(host, 0, 0, 0); /* bytes are said, and not counted as payload */
        if (parts_open(p) && net_thread_start(&p->thread, post_run, p))
            p->has_thread = true;
    }
    if (p && p->has_thread) {
        *ret = p;
        return AFF_OK;
    }
    if (p)
        post_close(p);
    else
        curl_global_cleanup();
    return host->explain(host, AFF_ERR_MEMORY, "no memory for the mails");
}

void post_close(struct post *p)
{
    const struct aff_host *host = p->host;

    if (p->has_thread) {
        pthread_mutex_lock(&p->lock);
        p->stop = true;
        pthread_cond_broadcast(&p->stirs);
        pthread_mutex_unlock(&p->lock);
        smtp_end(p->smtp);
        (void)pthread_join(p->thread, NULL);
    }
    smtp_close(p->smtp);
    for (uint32_t i = 0; p->mails && i < MAILS_MOST; i++)
        text_free(&p->mails[i].letter);
    if (p->has_lock) {
        (void)pthread_cond_destroy(&p->stirs);
        (void)pthread_mutex_destroy(&p->lock);
    }
    host->free(host, p->mails);
    host->free(host, p->items);
    host->free(host, p);
    curl_global_cleanup();
}

/* ---- gathering ---- */

/* A server that failed is tried with what the thread has; the host keeps the others. */
static bool is_trying(const struct post *p)
{
    for (uint32_t i = 0; i < MAILS_MOST; i++)
        if (p->mails[i].count > 0)
            return true;
    return false;
}

void post_begin(struct post *p)
{
    pthread_mutex_lock(&p->lock);
    p->fills = true;
    pthread_mutex_unlock(&p->lock);
}

void post_end(struct post *p)
{
    pthread_mutex_lock(&p->lock);
    p->fills = false;
    pthread_cond_signal(&p->stirs);
    pthread_mutex_unlock(&p->lock);
}

aff_status post_put(struct post *p, const struct item *item)
{
    aff_status st = AFF_OK;
    uint8_t clock = AFF_CLOCK_NONE;
    int64_t ahead = p->host->utc_ns(p->host, &clock) - post_now();
    const char *why;

    pthread_mutex_lock(&p->lock);
    p->ahead_ns = ahead;
    p->clock = clock;
    why = p->why;
    if (p->is_failing && is_trying(p))
        st = AFF_ERR_IO;
    else if (p->count == ITEMS_MOST)
        st = AFF_AGAIN;
    if (st == AFF_OK) {
        p->items[p->count++] = *item;
        p->has_high |= item->rank == SEVERITY_HIGH;
        if (p->count == 1)
            p->first_ns = post_now();
    }
    pthread_mutex_unlock(&p->lock);
    return st == AFF_ERR_IO ? p->host->explain(p->host, st, "%s", why) : st;
}

void post_flush(struct post *p)
{
    pthread_mutex_lock(&p->lock);
    p->flush = p->count > 0;
    pthread_cond_signal(&p->stirs);
    pthread_mutex_unlock(&p->lock);
}

/* ---- news ---- */

/* An address is said by its place in `to`. */
static void late_tell(struct post *p, uint32_t part, uint16_t code)
{
    if (code == SILENT)
        p->host->log(p->host, AFF_LOG_WARN, "the mail server hangs up or falls silent over to[%u]; mails for it wait; see why",
                     (unsigned)part);
    else
        p->host->log(p->host, AFF_LOG_WARN, "to[%u] cannot take mails now (%u), as the mail server says; they wait; see why",
                     (unsigned)part, (unsigned)code);
}

static void refused_tell(struct post *p, const struct news *news)
{
    for (uint32_t i = 0; i < p->config->to.count; i++) {
        if (news->late[i])
            late_tell(p, i, news->late[i]);
        if (news->codes[i])
            p->host->log(p->host, AFF_LOG_WARN, "to[%u] is refused by the mail server (%u); it gets no such mails; check that "
                         "address and sender, and what the server allows", (unsigned)i, (unsigned)news->codes[i]);
    }
    if (news->missed)
        p->host->log(p->host, AFF_LOG_WARN, "an address could not take a mail in time, while others did; it goes without");
}

/* A wait that began by another link is over. */
static void link_look(struct post *p)
{
    struct aff_uplink link = { .struct_size = sizeof link };
    aff_status st = p->is_failing ? p->host->uplink(p->host, &link) : AFF_END;

    if (st != AFF_OK || (p->link_status == AFF_OK && link.revision == p->link.revision))
        return;
    p->wait_ns = p->retry_ns = 0;
    pthread_cond_signal(&p->stirs);
}

aff_status post_tell(struct post *p)
{
    struct news news;
    const char *why;
    bool waits;

    pthread_mutex_lock(&p->lock);
    news = p->news;
    why = p->why;
    link_look(p);
    waits = p->is_failing && is_trying(p);
    memset(&p->news, 0, sizeof p->news);
    pthread_mutex_unlock(&p->lock);
    for (uint32_t i = 0; i < COUNTS; i++)
        if (news.counts[i])
            p->host->count(p->host, i, news.counts[i]);
    refused_tell(p, &news);
    return waits ? p->host->explain(p->host, AFF_ERR_IO, "%s", why) : AFF_OK;
}
