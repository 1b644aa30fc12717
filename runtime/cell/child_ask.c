/* child_ask.c - host functions of a child that are answered at once.
 *
 * By the host, where only it knows: names, state, random numbers. By the child itself
 * where it can: memory, clocks, and names that were asked for before.
 *
 * Only the thread that calls the plugin asks, and only while a call lasts. Answers of
 * a peer (ack) may come from any thread.
 *
 * Not here: what is done to records (child_records.c). */
#include <limits.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cell/inside.h"
#include "cell/kid.h"

enum { CACHE_MOST = 1 << 20 };

bool kid_ask(struct kid *kid, enum page_ask kind, uint64_t a, uint64_t b, const void *text, size_t size)
{
    if (!pthread_equal(kid->thread, pthread_self()) || !kid->in_call || size > PAGE_ASK)
        return false;
    if (size > 0)
        memcpy(kid->ask, text, size);
    kid->out->asked = (struct page_asked){ kind, (uint32_t)size, a, b, kid->used };
    kid_post(kid, PAGE_POST_ASK);
    kid_wait(kid);
    return true;
}

/* ---- memory, clocks, texts ---- */

static void *ask_alloc(const struct aff_host *host, size_t size)
{
    (void)host;
    return calloc(1, size ? size : 1);
}

static void ask_free(const struct aff_host *host, void *memory)
{
    (void)host;
    free(memory);
}

static int64_t clock_ns(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t ask_now(const struct aff_host *host)
{
    struct kid *kid = kid_of(host);

    if (kid->page->clock_is_real)
        return clock_ns(CLOCK_BOOTTIME);
    return kid_ask(kid, PAGE_ASK_NOW, 0, 0, NULL, 0) ? kid->page->result : kid->page->now_ns;
}

static int64_t ask_utc(const struct aff_host *host, uint8_t *ret_clock)
{
    struct kid *kid = kid_of(host);
    int64_t now = kid->page->utc_ns;

    if (kid->page->clock_is_real)
        now = clock_ns(CLOCK_REALTIME);
    else if (kid_ask(kid, PAGE_ASK_UTC, 0, 0, NULL, 0))
        now = kid->page->result;
    *ret_clock = kid->page->utc_clock;
    return now;
}

static uint64_t ask_random(const struct aff_host *host)
{
    struct kid *kid = kid_of(host);

    if (kid_ask(kid, PAGE_ASK_RANDOM, 0, 0, NULL, 0))
        return kid->page->more;
    return (uint64_t)clock_ns(CLOCK_BOOTTIME) * 0x9e3779b97f4a7c15u;
}

__attribute__((format(printf, 3, 4)))
static void ask_log(const struct aff_host *host, int level, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    kid_ask(kid_of(host), PAGE_ASK_LOG, (uint64_t)level, 0, text, strlen(text) + 1);
}

__attribute__((format(printf, 3, 4)))
static aff_status ask_explain(const struct aff_host *host, aff_status status, const char *format, ...)
{
    struct kid *kid = kid_of(host);
    va_list args;

    if (!pthread_equal(kid->thread, pthread_self()))
        return status;
    va_start(args, format);
    vsnprintf(kid->why, sizeof kid->why, format, args);
    va_end(args);
    return status;
}

/* ---- names ---- */

static void **cache_at(struct kid_cache *cache, uint32_t number)
{
    void **more;
    uint32_t room = cache->room ? cache->room : 256;

    if (number >= CACHE_MOST)
        return NULL;
    while (room <= number)
        room *= 2;
    if (room > cache->room) {
        more = realloc(cache->items, room * sizeof *more);
        if (!more)
            return NULL;
        memset(more + cache->room, 0, (room - cache->room) * sizeof *more);
        cache->items = more;
        cache->room = room;
    }
    return &cache->items[number];
}

static void cache_drop(struct kid_cache *cache, uint32_t number)
{
    if (number >= cache->room)
        return;
    free(cache->items[number]);
    cache->items[number] = NULL;
}

void kid_forget(struct kid *kid)
{
    uint32_t i;

    for (i = 0; i < kid->page->forget_count; i++) {
        uint32_t number = kid->page->forget[i];

        if (number & PAGE_FORGET_SUBJECT)
            cache_drop(&kid->subjects, number & ~PAGE_FORGET_SUBJECT);
        else
            cache_drop(&kid->streams, number);
    }
}

static uint32_t ask_subject(const struct aff_host *host, const char *name)
{
    struct kid *kid = kid_of(host);

    return kid_ask(kid, PAGE_ASK_SUBJECT, 0, 0, name, strlen(name) + 1) ? (uint32_t)kid->page->result : 0;
}

static uint32_t ask_stream(const struct aff_host *host, uint32_t subject, const char *name, uint32_t schema)
{
    struct kid *kid = kid_of(host);

    return kid_ask(kid, PAGE_ASK_STREAM, subject, schema, name, strlen(name) + 1) ? (uint32_t)kid->page->result : 0;
}

uint32_t kid_schema(struct kid *kid, const struct aff_schema *schema)
{
    uint8_t *packed = malloc(PAGE_ASK);
    size_t size = packed ? schema_pack(schema, packed, PAGE_ASK) : 0;
    uint32_t id = 0;

    if (size > 0 && kid_ask(kid, PAGE_ASK_SCHEMA, 0, 0, packed, size))
        id = (uint32_t)kid->page->result;
    free(packed);
    return id;
}

static uint32_t ask_schema(const struct aff_host *host, const struct aff_schema *schema)
{
    return kid_schema(kid_of(host), schema);
}

static const struct aff_stream_info *ask_stream_info(const struct aff_host *host, uint32_t stream)
{
    struct kid *kid = kid_of(host);
    void **at = cache_at(&kid->streams, stream);
    struct aff_stream_info *info;
    uint32_t numbers[4];
    char *texts;

    if (!at)
        return NULL;
    if (*at != NULL)
        return *at;
    if (!kid_ask(kid, PAGE_ASK_STREAM_INFO, stream, 0, NULL, 0) || kid->page->result == 0)
        return NULL;
    info = malloc(sizeof *info + kid->page->answer_bytes);
    if (!info)
        return NULL;
    texts = (char *)(info + 1);
    memcpy(numbers, kid->answer, sizeof numbers);
    memcpy(texts, kid->answer, kid->page->answer_bytes);
    *info = (struct aff_stream_info){ numbers[0], numbers[1], numbers[2], numbers[3], texts + sizeof numbers,
                                      texts + kid->page->more };
    *at = info;
    return info;
}

static const char *ask_subject_name(const struct aff_host *host, uint32_t subject)
{
    struct kid *kid = kid_of(host);
    void **at = cache_at(&kid->subjects, subject);

    if (at && !*at && kid_ask(kid, PAGE_ASK_SUBJECT_NAME, subject, 0, NULL, 0) && kid->page->result)
        *at = strdup((const char *)kid->answer);
    return at ? *at : NULL;
}

static const struct aff_schema *ask_schema_info(const struct aff_host *host, uint32_t schema)
{
    struct kid *kid = kid_of(host);
    void **at = cache_at(&kid->schemas, schema);

    if (at && !*at && kid_ask(kid, PAGE_ASK_SCHEMA_INFO, schema, 0, NULL, 0) && kid->page->result)
        *at = schema_unpack(kid->answer, kid->page->answer_bytes);
    return at ? *at : NULL;
}

/* ---- state ---- */

static aff_status ask_state_open(const struct aff_host *host, size_t bytes, int per_subject)
{
    struct kid *kid = kid_of(host);
    uint64_t size;
    void *base;

    if (!kid_ask(kid, PAGE_ASK_STATE_OPEN, bytes, per_subject != 0, NULL, 0))
        return AFF_ERR_BUG;
    if (kid->page->result != AFF_OK)
        return (aff_status)kid->page->result;
    size = (uint64_t)lseek(CELL_FD_STATE, 0, SEEK_END);
    base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, CELL_FD_STATE, 0);
    close(CELL_FD_STATE);
    kid->state_bytes = kid->page->more;
    kid->state_slots = (uint32_t)(size / kid->state_bytes);
    kid->state_known = calloc(kid->state_slots, 1);
    if (base == MAP_FAILED || !kid->state_known)
        return AFF_ERR_MEMORY;
    kid->state = base;
    kid->per_subject = per_subject != 0;
    return AFF_OK;
}

void kid_state_known(struct kid *kid, uint32_t count)
{
    uint32_t i;

    for (i = 0; kid->state && i < count; i++) {
        uint32_t number = kid->per_subject ? kid->records[i].subject : kid->records[i].stream;

        if (number < kid->state_slots)
            kid->state_known[number] = 1;
    }
}

/* A slot that is not of the records in hand is named, so that it is taken back. */
static void *ask_state(const struct aff_host *host, uint32_t number)
{
    struct kid *kid = kid_of(host);
    struct entry *e;

    if (!kid->state || number >= kid->state_slots)
        return NULL;
    if (!kid->state_known[number]) {
        if (!kid_ask(kid, PAGE_ASK_STATE, number, 0, NULL, 0) || !kid->page->result)
            return NULL;
        kid->state_known[number] = 1;
    }
    if (kid->touched != number && kid->in_call) {
        e = kid_entry(kid, ENTRY_TOUCH, 0);
        if (!e)
            return NULL;
        e->a = number;
        kid->touched = number;
    }
    return kid->state + (uint64_t)number * kid->state_bytes;
}

/* ---- answers of a peer ---- */

static bool ack_put(struct kid *kid, const struct page_ack *ack)
{
    uint64_t put = atomic_load_explicit(&kid->out->acks_put, memory_order_relaxed);

    if (put - atomic_load_explicit(&kid->page->acks_taken, memory_order_acquire) >= PAGE_ACKS)
        return false;
    kid->out->acks[put % PAGE_ACKS] = *ack;
    atomic_store_explicit(&kid->out->acks_put, put + 1, memory_order_release);
    atomic_fetch_add_explicit(&kid->out->acks_bell, 1, memory_order_release);
    syscall(SYS_futex, &kid->out->acks_bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    return true;
}

static bool late_move(struct kid *kid)
{
    struct kid_acks *a = &kid->acks;
    uint32_t i = 0;

    while (i < a->late_count && ack_put(kid, &a->late[i]))
        i++;
    if (i > 0)
        memmove(a->late, a->late + i, (a->late_count - i) * sizeof *a->late);
    a->late_count -= i;
    return a->late_count > 0;
}

bool kid_acks_late(struct kid *kid)
{
    bool some;

    pthread_mutex_lock(&kid->acks.lock);
    some = late_move(kid);
    pthread_mutex_unlock(&kid->acks.lock);
    return some;
}

static void ask_answer(const struct aff_host *host, struct aff_id id, aff_status status, uint8_t verdict,
                       const char *words)
{
    struct kid *kid = kid_of(host);
    struct kid_acks *a = &kid->acks;
    struct page_ack ack = { .id = id, .status = status, .verdict = verdict }, *more;

    if (words)
        snprintf(ack.words, sizeof ack.words, "%s", words);
    pthread_mutex_lock(&a->lock);
    if (late_move(kid) || !ack_put(kid, &ack)) {
        if (a->late_count == a->late_room) {
            more = realloc(a->late, (a->late_room + 1024u) * sizeof *more);
            if (!more)
                _exit(71); /* unanswered ids are offered again; a lost answer would hang */
            a->late = more;
            a->late_room += 1024u;
        }
        a->late[a->late_count++] = ack;
    }
    pthread_mutex_unlock(&a->lock);
}

static void ask_ack(const struct aff_host *host, struct aff_id id, aff_status status)
{
    ask_answer(host, id, status, 0, NULL);
}

void kid_fill_asks(struct aff_host *host)
{
    host->struct_size = sizeof *host;
    host->major = AFF_ABI_MAJOR;
    host->minor = AFF_ABI_MINOR;
    host->alloc = ask_alloc;
    host->free = ask_free;
    host->now_ns = ask_now;
    host->utc_ns = ask_utc;
    host->random = ask_random;
    host->log = ask_log;
    host->explain = ask_explain;
    host->subject = ask_subject;
    host->stream = ask_stream;
    host->schema = ask_schema;
    host->stream_info = ask_stream_info;
    host->subject_name = ask_subject_name;
    host->schema_info = ask_schema_info;
    host->state_open = ask_state_open;
    host->state = ask_state;
    host->ack = ask_ack;
    host->answer = ask_answer;
}
