/* replies.c - answers that a sink's peer gives later (AFF_ACKS).
 *
 * They come at any time, from any thread of the child, by a ring in its page; a thread
 * of the host hands them on. What was taken and is not answered is remembered here:
 * only such ids are handed on, and when the child dies all of them are offered again.
 * While a call of write is on nothing is: its records are not known yet.
 *
 * Not here: what an answer means (flow/). */
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cell/inside.h"

enum { BUCKETS = 1024, NONE = 0, TURN_NS = 100000000 };

struct waiting {
    struct aff_id id;
    uint32_t next; /* place + 1 in its bucket, or of the free ones */
};

struct replies {
    struct cell *cell;
    pthread_t thread;
    pthread_mutex_t lock;
    const struct child_page *page; /* NULL: no child */
    struct waiting *places;
    uint32_t room;
    uint32_t free;
    uint32_t buckets[BUCKETS];
    uint64_t taken; /* of the ring */
    bool is_held;
    bool ends;
};

/* ---- what is not answered ---- */

static uint32_t bucket_of(struct aff_id id)
{
    return (uint32_t)((id.source ^ id.seq * 0x9e3779b97f4a7c15u) >> 20) % BUCKETS;
}

static bool places_grow(struct replies *a)
{
    uint32_t i, room = a->room ? 2 * a->room : 256;
    struct waiting *more = realloc(a->places, room * sizeof *more);

    if (!more)
        return false;
    a->places = more;
    for (i = a->room; i < room; i++) {
        more[i].next = a->free;
        a->free = i + 1;
    }
    a->room = room;
    return true;
}

/* False: no memory; then nobody waits for its answer here, and it is not lost: the
 * peer's answer alone is. */
static bool waiting_add(struct replies *a, struct aff_id id)
{
    uint32_t *bucket = &a->buckets[bucket_of(id)], place;

    if (a->free == NONE && !places_grow(a))
        return false;
    place = a->free;
    a->free = a->places[place - 1].next;
    a->places[place - 1] = (struct waiting){ id, *bucket };
    *bucket = place;
    return true;
}

static bool waiting_remove(struct replies *a, struct aff_id id)
{
    uint32_t *at = &a->buckets[bucket_of(id)], place;

    while ((place = *at) != NONE) {
        struct waiting *w = &a->places[place - 1];

        if (w->id.source == id.source && w->id.seq == id.seq) {
            *at = w->next;
            w->next = a->free;
            a->free = place;
            return true;
        }
        at = &w->next;
    }
    return false;
}

/* ---- the ring ---- */

static void hand_on(struct replies *a, const struct page_ack *ack)
{
    const struct aff_host *host = a->cell->host;

    if (!waiting_remove(a, ack->id))
        return;
    if (HOST_HAS(host, answer))
        host->answer(host, ack->id, ack->status, (uint8_t)ack->verdict, ack->words);
    else if (HOST_HAS(host, ack))
        host->ack(host, ack->id, ack->status);
}

/* What a child says of an answer is a status, a row of the plugin's table for that, a line
 * of text; what is none of these is left out. */
static void ack_check(const struct replies *a, struct page_ack *ack)
{
    uint32_t kind = ack->verdict > 0 && ack->verdict <= a->cell->plugin->verdict_count
                      ? a->cell->plugin->verdicts[ack->verdict - 1].kind : 0;
    char *c;

    if (ack->status != AFF_OK && ack->status != AFF_ERR_DATA && ack->status != AFF_AGAIN)
        ack->status = AFF_ERR_IO;
    if (ack->status == AFF_ERR_DATA ? kind != AFF_V_DEAD : ack->status != AFF_OK || (kind != AFF_V_DROP && kind != AFF_V_USED))
        ack->verdict = 0;
    ack->words[sizeof ack->words - 1] = '\0';
    for (c = ack->words; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

/* A child that says it put more than the ring holds has lost those itself. Lock held. */
static void drain(struct replies *a)
{
    uint64_t put, i;

    if (!a->page || a->is_held)
        return;
    put = atomic_load_explicit(&a->page->acks_put, memory_order_acquire);
    if (put - a->taken > PAGE_ACKS)
        put = a->taken;
    for (i = a->taken; i != put; i++) {
        struct page_ack ack;

        memcpy(&ack, (const void *)&a->page->acks[i % PAGE_ACKS], sizeof ack);
        ack_check(a, &ack);
        hand_on(a, &ack);
    }
    a->taken = put;
    atomic_store_explicit(&a->cell->pages.host->acks_taken, put, memory_order_release);
}

static void *replies_main(void *arg)
{
    const struct timespec turn = { 0, TURN_NS };
    struct replies *a = arg;

    pthread_mutex_lock(&a->lock);
    while (!a->ends) {
        const struct child_page *page = a->page;
        uint32_t bell = page ? atomic_load_explicit(&page->acks_bell, memory_order_acquire) : 0;

        drain(a);
        if (page) /* its threads send when nobody calls */
            links_put(a->cell);
        pthread_mutex_unlock(&a->lock);
        if (page) /* where it is gone by now the kernel says so */
            syscall(SYS_futex, &page->acks_bell, FUTEX_WAIT, bell, &turn, NULL, 0);
        else
            nanosleep(&turn, NULL);
        pthread_mutex_lock(&a->lock);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

/* ---- for the cell ---- */

struct replies *replies_open(struct cell *cell)
{
    struct replies *a = calloc(1, sizeof *a);
    sigset_t all, before;
    int error;

    if (!a)
        return NULL;
    a->cell = cell;
    if (pthread_mutex_init(&a->lock, NULL) != 0) {
        free(a);
        return NULL;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&a->thread, NULL, replies_main, a);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        return a;
    pthread_mutex_destroy(&a->lock);
    free(a);
    return NULL;
}

void replies_close(struct replies **replies)
{
    struct replies *a = *replies;

    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->ends = true;
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    pthread_mutex_destroy(&a->lock);
    free(a->places);
    free(a);
    *replies = NULL;
}

void replies_hold(struct replies *a)
{
    pthread_mutex_lock(&a->lock);
    drain(a);
    a->is_held = true;
    pthread_mutex_unlock(&a->lock);
}

void replies_taken(struct replies *a, const struct aff_record *records, const uint8_t *verdicts, uint32_t count)
{
    uint32_t i;

    pthread_mutex_lock(&a->lock);
    for (i = 0; i < count; i++)
        if (verdicts[i] == 0)
            waiting_add(a, records[i].id);
    a->is_held = false;
    drain(a);
    pthread_mutex_unlock(&a->lock);
}

void replies_pages(struct replies *a, const struct child_page *page)
{
    pthread_mutex_lock(&a->lock);
    a->is_held = a->is_held && !page && !a->page;
    drain(a);
    a->page = page;
    a->taken = 0;
    pthread_mutex_unlock(&a->lock);
}

void replies_lost(struct replies *a)
{
    uint32_t i;

    pthread_mutex_lock(&a->lock);
    a->is_held = false;
    for (i = 0; i < BUCKETS; i++)
        while (a->buckets[i] != NONE) {
            struct page_ack lost = { .id = a->places[a->buckets[i] - 1].id, .status = AFF_ERR_IO, .words = "its process ended" };

            hand_on(a, &lost);
        }
    pthread_mutex_unlock(&a->lock);
}
