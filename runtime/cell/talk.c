/* talk.c - one call to the child: posting it, waiting, taking what it did.
 *
 * Waiting spins for a few microseconds where that has paid lately, then sleeps on a
 * futex in the child's page, in short turns: a child that died wakes nobody, and one
 * that starts threads or fills the shared state without end is seen between turns.
 * There is one deadline for the whole call, questions included.
 *
 * Not here: the answers (ask.c), what a result may be (check.c). */
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cell/inside.h"

#define MS 1000000
#define LOOK_NS (100 * MS)
enum { SPINS_LEAST = 64, SPINS_MOST = 8192, TURN_LAST_MS = 16, LOGS = 64 };

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t talk_now(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t talk_boot(void)
{
    return clock_ns(CLOCK_BOOTTIME);
}

static void futex_wake(_Atomic uint32_t *word)
{
    syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void futex_wait(const _Atomic uint32_t *word, uint32_t seen, int64_t ns)
{
    struct timespec t = { ns / 1000000000, ns % 1000000000 };

    syscall(SYS_futex, word, FUTEX_WAIT, seen, &t, NULL, 0);
}

static void host_post(struct cell *cell, enum page_post post)
{
    struct host_page *page = cell->pages.host;

    page->post = post;
    atomic_fetch_add(&page->bell, 1);
    futex_wake(&page->bell);
    if (post == PAGE_POST_CALL)
        wakes_post(cell);
}

/* ---- what a child may not do meanwhile ---- */

/* Pages of state that were never filled by the host were made by the child. */
static bool state_overflows(const struct cell *cell)
{
    const struct mirror *m = &cell->mirror;
    uint64_t most = (m->filled_count + PAGE_BATCH) * (m->bytes + 2 * 4096) + (1u << 20);
    struct stat st;

    return m->base && fstat(cell->pages.state_fd, &st) == 0 && (uint64_t)st.st_blocks * 512u > most;
}

static bool is_moderate(struct cell *cell)
{
    cell->looked_ns = talk_now();
    if (child_threads(cell->child.pid) > CHILD_THREADS) {
        cell_end(cell, END_BROKE, "more than %d threads", CHILD_THREADS);
        return false;
    }
    if (state_overflows(cell)) {
        cell_end(cell, END_BROKE, "it filled state that it did not ask for");
        return false;
    }
    return true;
}

static void death_tell(struct cell *cell, const struct child_end *end)
{
    const char *name;

    if (end->code == CHILD_OVERRUN) {
        cell_end(cell, END_BROKE, "more than %d threads", CHILD_THREADS);
    } else if (end->code == CLD_KILLED || end->code == CLD_DUMPED) {
        name = sigabbrev_np(end->status);
        cell_end(cell, END_DIED, "ended by SIG%s", name ? name : "?");
    } else if (end->code == CLD_EXITED) {
        cell_end(cell, END_DIED, "ended itself with exit status %d", end->status);
    } else {
        cell_end(cell, END_DIED, "ended");
    }
}

/* ---- waiting ---- */

static bool rung(struct cell *cell)
{
    uint32_t bell = atomic_load_explicit(&cell->pages.child->bell, memory_order_acquire);

    if (bell == cell->bell_seen)
        return false;
    cell->bell_seen = bell;
    return true;
}

static bool spin(struct cell *cell)
{
    uint32_t i;

    for (i = 0; i < cell->spins; i++) {
        if (rung(cell)) {
            cell->spins = cell->spins < SPINS_MOST / 2 ? cell->spins * 2 : SPINS_MOST;
            return true;
        }
        relax();
    }
    cell->spins = cell->spins > 2 * SPINS_LEAST ? cell->spins / 2 : SPINS_LEAST;
    return false;
}

/* Until the bell rings. False: the child has ended. */
static bool wait_bell(struct cell *cell, int64_t end_ns)
{
    int64_t turn = MS, left;
    struct child_end end;

    if (spin(cell))
        return true;
    for (;;) {
        left = end_ns - talk_now();
        if (left <= 0) {
            cell_end(cell, END_HUNG, "no answer in time");
            return false;
        }
        futex_wait(&cell->pages.child->bell, cell->bell_seen, left < turn ? left : turn);
        if (rung(cell))
            return true;
        if (child_ended(&cell->child, &end)) {
            if (rung(cell)) /* it was done before it died */
                return true;
            death_tell(cell, &end);
            return false;
        }
        if (!is_moderate(cell))
            return false;
        turn = turn < TURN_LAST_MS * (int64_t)MS ? 2 * turn : turn;
    }
}

/* ---- posting ---- */

uint32_t talk_fit(const struct cell *cell, const struct aff_record *records, uint32_t count)
{
    uint64_t used = 0;
    uint32_t i;

    for (i = 0; i < count && i < PAGE_BATCH; i++) {
        used += page_round(records[i].size ? records[i].size : 1);
        if (used > cell->pages.in_bytes)
            break;
    }
    return i;
}

static void records_put(struct cell *cell, const struct slot *slot)
{
    struct host_page *page = cell->pages.host;
    uint64_t at = 0;
    uint32_t i;

    for (i = 0; i < slot->count; i++) {
        const struct aff_record *r = &slot->records[i];

        page->records[i] = *r;
        page->records[i].data = (void *)(uintptr_t)at;
        if (r->size > 0 && r->data)
            memcpy(cell->pages.in + at, r->data, r->size);
        else
            page->records[i].size = 0;
        at += page_round(r->size ? r->size : 1);
    }
}

static void clocks_put(const struct cell *cell)
{
    struct host_page *page = cell->pages.host;

    page->now_at_ns = talk_boot();
    page->now_ns = cell->host->now_ns(cell->host);
    page->utc_clock = AFF_CLOCK_NONE;
    page->utc_ns = cell->host->utc_ns(cell->host, &page->utc_clock);
}

/* Control calls are in none. */
static uint64_t epoch_of(const struct cell *cell, const struct slot *slot)
{
    bool control = slot->call == PAGE_CALL_OPEN || slot->call == PAGE_CALL_CLOSE || slot->call == PAGE_CALL_STOP;

    return !control && HOST_HAS(cell->host, epoch) ? cell->host->epoch(cell->host) : 0;
}

static void call_put(struct cell *cell, const struct slot *slot)
{
    struct host_page *page = cell->pages.host;
    bool has_records = slot->call == PAGE_CALL_BATCH || slot->call == PAGE_CALL_STREAM_END;

    page->call = slot->call;
    page->number = ++cell->number;
    page->port = slot->port;
    page->count = slot->count;
    page->epoch = slot->epoch;
    page->epoch_now = epoch_of(cell, slot);
    page->subject = slot->due ? slot->due->subject : 0;
    page->due_ns = slot->due ? slot->due->event_ns : 0;
    page->held_new = slot->call != PAGE_CALL_OPEN && !cell->held_given;
    page->held = cell->held_count;
    cell->held_given = slot->call != PAGE_CALL_OPEN;
    page->handle = cell->handle_next;
    page->blob_bytes = slot->call == PAGE_CALL_RESTORE ? cell->given.size : 0;
    page->snapshots = cell->plugin->about.snapshot && slot->call != PAGE_CALL_OPEN && slot->call != PAGE_CALL_CLOSE &&
                      slot->call != PAGE_CALL_STOP;
    page->forget_count = 0;
    clocks_put(cell);
    told_check(cell, slot);
    if (has_records)
        records_put(cell, slot);
    if (cell->mirror.base)
        mirror_fill(cell, slot);
    links_put(cell);
    if (slot->call == PAGE_CALL_READ || slot->call == PAGE_CALL_WAKE)
        wakes_take(cell);
}

/* ---- the result ---- */

static bool done_take(struct cell *cell, const struct slot *slot)
{
    const char *what = NULL;

    memcpy(&cell->done, &cell->pages.child->done, sizeof cell->done);
    cell->done.why[sizeof cell->done.why - 1] = '\0';
    if (cell->done.number != cell->number || cell->done.call != slot->call)
        what = "an answer to another call";
    else if (!ask_flush(cell, cell->done.used))
        what = cell->done.used > cell->pages.area_bytes ? "an area that is longer than it is"
                                                         : "more of one call than a slot may hold";
    if (what)
        cell_end(cell, END_BROKE, "%s", what);
    return !what;
}

static bool ask_take(struct cell *cell)
{
    const char *what = NULL;

    memcpy(&cell->asked, &cell->pages.child->asked, sizeof cell->asked);
    if (cell->asked.size > PAGE_ASK) {
        what = "a question longer than its place";
    } else {
        memcpy(cell->question, cell->pages.ask, cell->asked.size);
        if (ask_serve(cell, &what)) {
            host_post(cell, PAGE_POST_ANSWER);
            return true;
        }
    }
    cell_end(cell, END_BROKE, "%s", what);
    return false;
}

bool talk_call(struct cell *cell, struct slot *slot)
{
    int64_t end = talk_now() + slot->limit_ns;

    atomic_fetch_add_explicit(&cell->figures.calls, 1, memory_order_relaxed);
    cell->result.size = 0;
    cell->logs_left = LOGS;
    call_put(cell, slot);
    host_post(cell, PAGE_POST_CALL);
    for (;;) {
        uint32_t post;

        if (!wait_bell(cell, end))
            return false;
        post = atomic_load_explicit(&cell->pages.child->post, memory_order_relaxed);
        if (post == PAGE_POST_DONE)
            break;
        if (post != PAGE_POST_ASK) {
            cell_end(cell, END_BROKE, "a bell that means nothing");
            return false;
        }
        if (cell->child.pid == 0) { /* it asked, and died */
            cell_end(cell, END_DIED, "ended while it asked");
            return false;
        }
        if (!ask_take(cell))
            return false;
    }
    if (!done_take(cell, slot))
        return false;
    return cell->child.pid == 0 || end - slot->limit_ns - cell->looked_ns < LOOK_NS || is_moderate(cell);
}

bool talk_ready(struct cell *cell)
{
    int64_t end = talk_now() + cell->options.open_ns;

    if (!wait_bell(cell, end))
        return false;
    if (atomic_load_explicit(&cell->pages.child->post, memory_order_relaxed) == PAGE_POST_READY && cell->child.pid > 0)
        return true;
    cell_end(cell, END_BROKE, "it began with something else");
    return false;
}
