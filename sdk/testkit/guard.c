/* SPDX-License-Identifier: Apache-2.0
 *
 * guard.c - memory that the plugin borrows, and the traps around it.
 *
 * Each loan is a mapping of its own. Its last byte is followed by a page that
 * nobody may touch, so reading beyond a payload faults at once; borrowed payload
 * is read-only; a loan that is over loses all access and keeps its address for a
 * while, so that a pointer kept too long faults instead of seeing other data.
 * The handler turns such a fault into a sentence and ends the test.
 *
 * Not here: heap errors inside the plugin (the sanitizers find them). */
#include "kit.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

/* How many ended loans keep their address. */
#define GONE_KEPT 512
/* Small mappings are used again; larger ones give their pages back at once. */
#define POOL_PAGES 16
#define SLACK_BYTE 0x5a
#define FRESH_BYTE 0xa5

static struct {
    struct guard *first; /* all mappings, newest first */
    struct guard *gone[GONE_KEPT];
    size_t gone_at;
    struct guard *pool[POOL_PAGES + 1]; /* by pages, linked by next; without access */
    struct aff_harness *h; /* whose callback faults */
    struct sigaction before[2];
    int watching;
} area;

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t round_up(size_t size, size_t to)
{
    return (size + to - 1) / to * to;
}

static struct guard *guard_map(size_t length)
{
    struct guard *guard = kit_alloc(sizeof *guard);
    void *base = mmap(NULL, length + page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (base == MAP_FAILED)
        kit_misuse("no memory for a payload of %zu bytes", length);
    guard->base = base;
    guard->length = length;
    return guard;
}

static struct guard *guard_find(size_t length)
{
    size_t pages = length / page_size();
    struct guard *guard = pages <= POOL_PAGES ? area.pool[pages] : NULL;

    if (!guard)
        return guard_map(length);
    area.pool[pages] = guard->next;
    return guard;
}

struct guard *guard_new(size_t size, const char *role)
{
    size_t aligned = round_up(size ? size : 1, 16);
    struct guard *guard = guard_find(round_up(aligned, page_size()));

    if (mprotect(guard->base, guard->length, PROT_READ | PROT_WRITE) != 0)
        kit_misuse("no memory for a payload of %zu bytes", size);
    guard->data = guard->base + guard->length - aligned;
    guard->size = size;
    guard->role = role;
    guard->state = GUARD_WRITE;
    memset(guard->data, FRESH_BYTE, size);
    memset(guard->data + size, SLACK_BYTE, aligned - size);
    guard->previous = NULL;
    guard->next = area.first;
    if (area.first)
        area.first->previous = guard;
    area.first = guard;
    return guard;
}

void guard_lock(struct guard *guard)
{
    if (mprotect(guard->base, guard->length, PROT_READ) != 0)
        kit_misuse("cannot protect a payload");
    guard->state = GUARD_READ;
}

static void guard_unlink(struct guard *guard)
{
    if (guard->previous)
        guard->previous->next = guard->next;
    else
        area.first = guard->next;
    if (guard->next)
        guard->next->previous = guard->previous;
}

static void guard_free(struct guard *guard)
{
    (void)munmap(guard->base, guard->length + page_size());
    free(guard);
}

/* Long enough gone: the mapping serves another loan, or goes. */
static void guard_recycle(struct guard *guard)
{
    size_t pages = guard->length / page_size();

    guard_unlink(guard);
    if (pages > POOL_PAGES) {
        guard_free(guard);
        return;
    }
    guard->next = area.pool[pages];
    area.pool[pages] = guard;
}

void guard_retire(struct guard *guard)
{
    struct guard **place = &area.gone[area.gone_at++ % GONE_KEPT];

    if (guard->length / page_size() > POOL_PAGES)
        (void)madvise(guard->base, guard->length, MADV_DONTNEED);
    if (mprotect(guard->base, guard->length, PROT_NONE) != 0)
        kit_misuse("cannot take a payload back");
    guard->state = GUARD_GONE;
    if (*place)
        guard_recycle(*place);
    *place = guard;
}

int guard_intact(const struct guard *guard)
{
    const unsigned char *end = guard->base + guard->length, *at;

    for (at = guard->data + guard->size; at < end; at++)
        if (*at != SLACK_BYTE)
            return 0;
    return 1;
}

static const struct guard *guard_at(const unsigned char *address)
{
    const struct guard *guard;

    for (guard = area.first; guard; guard = guard->next)
        if (address >= guard->base && address < guard->base + guard->length + page_size())
            return guard;
    return NULL;
}

/* Runs on the faulting thread, in the plugin's frame: ending the test from here
 * is the same as ending it from a host call. */
static void guard_fault(int number, siginfo_t *info, void *context)
{
    const unsigned char *address = info->si_addr;
    const struct guard *guard = guard_at(address);

    (void)context;
    if (!guard) { /* not ours: as if nobody had caught it */
        (void)sigaction(number, &area.before[number == SIGBUS], NULL);
        return;
    }
    if (guard->state == GUARD_GONE)
        kit_breach(area.h, "used a stale pointer: the loan of %s is over", guard->role);
    if (address >= guard->data + guard->size)
        kit_breach(area.h, "read or wrote beyond the end of %s (%zu bytes)", guard->role, guard->size);
    kit_breach(area.h, "wrote to %s, which is borrowed to be read", guard->role);
}

/* Anew for each callback's harness; cmocka sets handlers of its own per test. */
void guard_watch(struct aff_harness *h)
{
    struct sigaction action, current;

    area.h = h;
    if (sigaction(SIGSEGV, NULL, &current) == 0 && (current.sa_flags & SA_SIGINFO) &&
        current.sa_sigaction == guard_fault)
        return;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = guard_fault;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGSEGV, &action, &area.before[0]);
    (void)sigaction(SIGBUS, &action, &area.before[1]);
    area.watching = 1;
}

void guard_release_all(void)
{
    size_t i;

    while (area.first) {
        struct guard *guard = area.first;

        guard_unlink(guard);
        guard_free(guard);
    }
    for (i = 0; i <= POOL_PAGES; i++)
        while (area.pool[i]) {
            struct guard *guard = area.pool[i];

            area.pool[i] = guard->next;
            guard_free(guard);
        }
    memset(area.gone, 0, sizeof area.gone);
    area.gone_at = 0;
    if (!area.watching)
        return;
    (void)sigaction(SIGSEGV, &area.before[0], NULL);
    (void)sigaction(SIGBUS, &area.before[1], NULL);
    area.watching = 0;
    area.h = NULL;
}
