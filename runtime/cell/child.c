/* child.c - the life of a cell's child.
 *
 * It maps what it was given, takes its own rights away, says what is in force, and
 * only then loads the plugin. After that it waits for calls, makes them, and says how
 * they ended, until it is killed: the host alone ends it.
 *
 * Not here: what the plugin calls (child_ask.c, child_records.c, child_wakes.c). */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "cell/cell.h"
#include "cell/confine.h"
#include "cell/kid.h"
#include "load/copy.h"
#include "load/probe.h"
#include "util/arena.h"

enum { SPINS_LEAST = 16, SPINS_MOST = 2048, KNOWN = 64, LATE_NS = 10000000, SNAP_PART = 64 << 10, EXIT_SETUP = 70 };

static const struct aff_plugin *known[KNOWN];
static uint32_t known_count;

void cell_child_know(const struct aff_plugin *constant)
{
    if (known_count < KNOWN)
        known[known_count++] = constant;
}

bool cell_child_asked(int argc, char **argv)
{
    return argc == 2 && strcmp(argv[1], CELL_VERB) == 0 && getenv(CELL_MARK) != NULL;
}

/* ---- bells ---- */

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

void kid_post(struct kid *kid, enum page_post post)
{
    atomic_store_explicit(&kid->out->post, post, memory_order_relaxed);
    atomic_fetch_add_explicit(&kid->out->bell, 1, memory_order_release);
    syscall(SYS_futex, &kid->out->bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static bool rung(struct kid *kid)
{
    uint32_t bell = atomic_load_explicit(&kid->page->bell, memory_order_acquire);

    if (bell == kid->bell_seen)
        return false;
    kid->bell_seen = bell;
    return true;
}

void kid_wait(struct kid *kid)
{
    const struct timespec late = { 0, LATE_NS };
    uint32_t i;

    for (i = 0; i < kid->spins; i++) {
        if (rung(kid)) {
            kid->spins = kid->spins < SPINS_MOST / 2 ? 2 * kid->spins : SPINS_MOST;
            return;
        }
        relax();
    }
    kid->spins = kid->spins > 2 * SPINS_LEAST ? kid->spins / 2 : SPINS_LEAST;
    while (!rung(kid)) {
        const struct timespec *most = kid_acks_late(kid) ? &late : NULL;

        if (kid_polls(kid))
            kid_poll(kid, most);
        else
            syscall(SYS_futex, &kid->page->bell, FUTEX_WAIT, kid->bell_seen, most, NULL, 0);
    }
}

/* ---- coming up ---- */

/* Whatever the plugin does ends it: no handler of a sanitizer stands between. */
static void signals_default(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };

    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], SIG_DFL);
}

static uint64_t size_of(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static bool pages_map(struct kid *kid)
{
    uint64_t in = size_of(CELL_FD_HOST), out = size_of(CELL_FD_CHILD);
    uint8_t *host, *child;

    if (in <= HOST_IN_AT || out <= CHILD_AREA_AT)
        return false;
    host = mmap(NULL, in, PROT_READ, MAP_SHARED, CELL_FD_HOST, 0);
    child = mmap(NULL, out, PROT_READ | PROT_WRITE, MAP_SHARED, CELL_FD_CHILD, 0);
    if (host == MAP_FAILED || child == MAP_FAILED)
        return false;
    kid->page = (const struct host_page *)(const void *)host;
    kid->answer = host + HOST_ANSWER_AT;
    kid->in = host + HOST_IN_AT;
    kid->out = (struct child_page *)(void *)child;
    kid->ask = child + CHILD_ASK_AT;
    kid->area = child + CHILD_AREA_AT;
    close(CELL_FD_HOST);
    close(CELL_FD_CHILD);
    return true;
}

/* The config struct, its pointers set right again. */
static bool config_make(struct kid *kid)
{
    const struct host_page *page = kid->page;
    const uint64_t *fixups = (const uint64_t *)(const void *)(kid->in + page->fixups_at);
    uint8_t *bytes;

    kid->config = calloc(1, page->config_bytes + 64);
    if (!kid->config)
        return false;
    bytes = kid->config;
    memcpy(bytes, kid->in, page->config_bytes);
    for (uint32_t i = 0; i < page->fixup_count; i++) {
        uintptr_t pointer;

        memcpy(&pointer, bytes + fixups[i], sizeof pointer);
        pointer += (uintptr_t)bytes;
        memcpy(bytes + fixups[i], &pointer, sizeof pointer);
    }
    return true;
}

static const struct aff_plugin *constant_find(struct kid *kid, struct text *why)
{
    const struct aff_plugin *constant = NULL;

    for (uint32_t i = 0; !kid->page->has_image && i < known_count; i++)
        if (strcmp(known[i]->name, kid->page->plugin) == 0)
            return known[i];
    return object_open(CELL_FD_IMAGE, &constant, why) ? constant : NULL;
}

static bool plugin_load(struct kid *kid)
{
    struct arena *arena = arena_new(); /* lives as long as the child */
    struct text why = { 0 };
    const struct aff_plugin *constant = arena ? constant_find(kid, &why) : NULL;

    if (constant && constant_copy(arena, constant, NULL, &kid->plugin, &why))
        return true;
    kid->host.explain(&kid->host, AFF_ERR_CONFIG, "its process: the plugin %s", why.length ? why.data : "does not load");
    return false;
}

static bool edits_make(struct kid *kid)
{
    uint32_t i;

    for (i = 0; i < kid->plugin.input_count; i++)
        if (kid->plugin.inputs[i].flags & AFF_PORT_EDITS) {
            kid->edits = aligned_alloc(64, (kid->page->in_bytes + 63) & ~(uint64_t)63);
            return kid->edits != NULL;
        }
    return true;
}

static aff_status kid_open(struct kid *kid)
{
    uint32_t i;

    if (!config_make(kid))
        return AFF_ERR_MEMORY;
    if (!plugin_load(kid))
        return AFF_ERR_CONFIG;
    if (!edits_make(kid))
        return AFF_ERR_MEMORY;
    for (i = 0; i < kid->plugin.output_count && i < KID_PORTS; i++)
        if (kid->plugin.outputs[i].schema) {
            kid->port_schemas[i] = kid_schema(kid, kid->plugin.outputs[i].schema);
            if (!kid->port_schemas[i])
                return AFF_ERR_MEMORY;
        }
    if (!kid->plugin.about.open)
        return AFF_OK;
    return kid->plugin.about.open(&kid->host, kid->config, &kid->self);
}

/* ---- calls ---- */

/* The records of the slot, with payloads where the plugin may read or edit them. */
static void records_take(struct kid *kid, bool edits)
{
    uint32_t i;

    for (i = 0; i < kid->page->count && i < PAGE_BATCH; i++) {
        struct aff_record *r = &kid->records[i];
        uintptr_t at;

        *r = kid->page->records[i];
        at = (uintptr_t)r->data;
        if (edits)
            memcpy(kid->edits + at, kid->in + at, r->size);
        r->data = (void *)(uintptr_t)(edits ? kid->edits + at : kid->in + at);
    }
    kid_state_known(kid, i);
}

static void edits_give(struct kid *kid, uint32_t taken)
{
    uint32_t i;

    for (i = 0; i < taken; i++) {
        struct entry *e = kid_entry(kid, ENTRY_EDIT, kid->records[i].size);

        if (!e)
            _exit(EXIT_SETUP);
        e->input = i;
        memcpy(e + 1, kid->records[i].data, kid->records[i].size);
    }
}

static aff_status kid_batch(struct kid *kid, uint32_t *ret_taken)
{
    const struct aff_plugin *about = &kid->plugin.about;
    bool edits = kid->plugin.inputs[kid->page->port].flags & AFF_PORT_EDITS;
    struct aff_batch batch = { kid->records, kid->verdicts, kid->page->count, kid->page->port };
    aff_status st;

    records_take(kid, edits);
    memset(kid->verdicts, 0, sizeof kid->verdicts);
    *ret_taken = 0;
    st = about->kind == AFF_SINK ? about->write(kid->self, &batch, ret_taken) : about->process(kid->self, &batch, ret_taken);
    if (st == AFF_OK)
        *ret_taken = batch.count;
    if (edits && *ret_taken <= batch.count)
        edits_give(kid, *ret_taken);
    return st;
}

static aff_status kid_stream_end(struct kid *kid)
{
    aff_status st;

    records_take(kid, false);
    kid->mark = &kid->records[0];
    st = kid->plugin.about.stream_end(kid->self, kid->page->port, kid->mark);
    kid->mark = NULL;
    return st;
}

static aff_status kid_timer(struct kid *kid)
{
    aff_status st;

    kid->records[0] = (struct aff_record){ .subject = kid->page->subject, .event_ns = kid->page->due_ns };
    kid->due = &kid->records[0];
    if (kid->per_subject)
        kid_state_known(kid, 1);
    st = kid->plugin.about.timer(kid->self, kid->page->subject, kid->page->due_ns);
    kid->due = NULL;
    return st;
}

static aff_status kid_restore(struct kid *kid)
{
    uint64_t size = kid->page->blob_bytes, at = 0;
    uint8_t *bytes = malloc(size + 1);
    aff_status st = AFF_ERR_MEMORY;

    while (bytes && at < size && kid_ask(kid, PAGE_ASK_BLOB, at, 0, NULL, 0) && kid->page->answer_bytes > 0) {
        memcpy(bytes + at, kid->answer, kid->page->answer_bytes);
        at += kid->page->answer_bytes;
    }
    if (bytes && at == size)
        st = kid->plugin.about.restore(kid->self, bytes, size);
    free(bytes);
    return st;
}

static bool snap_make(struct kid *kid, size_t *ret_size)
{
    uint8_t *more;

    for (;;) {
        *ret_size = 0;
        if (kid->plugin.about.snapshot(kid->self, kid->snap, kid->snap_room, ret_size) != AFF_OK)
            return false;
        if (*ret_size <= kid->snap_room)
            return true;
        more = realloc(kid->snap, *ret_size);
        if (!more)
            return false;
        kid->snap = more;
        kid->snap_room = *ret_size;
    }
}

static aff_status kid_snapshot(struct kid *kid, uint64_t most)
{
    size_t size, at = 0;

    if (!snap_make(kid, &size))
        return AFF_ERR_IO;
    if (size > most)
        return AFF_OK;
    do {
        uint32_t part = size - at < SNAP_PART ? (uint32_t)(size - at) : (uint32_t)SNAP_PART;
        struct entry *e = kid_entry(kid, ENTRY_SNAP, part);

        if (!e)
            return AFF_ERR_MEMORY;
        e->a = at;
        e->b = size;
        if (part > 0)
            memcpy(e + 1, kid->snap + at, part);
        at += part;
    } while (at < size);
    return AFF_OK;
}

static aff_status status_of(void (*callback)(void *), void *self)
{
    if (callback)
        callback(self);
    return AFF_OK;
}

static aff_status kid_call(struct kid *kid, uint32_t *ret_taken)
{
    const struct aff_plugin *about = &kid->plugin.about;

    switch (kid->page->call) {
    case PAGE_CALL_OPEN:
        return kid_open(kid);
    case PAGE_CALL_CLOSE:
        return status_of(about->close, kid->self);
    case PAGE_CALL_START:
        return about->start ? about->start(kid->self) : AFF_OK;
    case PAGE_CALL_STOP:
        return status_of(about->stop, kid->self);
    case PAGE_CALL_READ:
        return about->read(kid->self, kid->page->count);
    case PAGE_CALL_BATCH:
        return kid_batch(kid, ret_taken);
    case PAGE_CALL_SYNC:
        return about->sync(kid->self, kid->page->epoch);
    case PAGE_CALL_COMMITTED:
        about->committed(kid->self, kid->page->epoch);
        return AFF_OK;
    case PAGE_CALL_WAKE:
        return about->wake(kid->self);
    case PAGE_CALL_STREAM_END:
        return kid_stream_end(kid);
    case PAGE_CALL_DRAIN:
        return about->drain(kid->self);
    case PAGE_CALL_SNAPSHOT:
        return AFF_OK; /* taken behind each call */
    case PAGE_CALL_RESTORE:
        return kid_restore(kid);
    case PAGE_CALL_TIMER:
        return kid_timer(kid);
    case PAGE_CALL_FLUSH:
        return about->flush(kid->self);
    default:
        return AFF_ERR_BUG;
    }
}

static void serve(struct kid *kid)
{
    struct page_done *done = &kid->out->done;
    uint32_t taken = 0, call = kid->page->call;
    aff_status st;

    kid->used = 0;
    kid->room_out = 0;
    kid->why[0] = '\0';
    kid->draft_entry = NULL;
    kid->touched = UINT64_MAX;
    kid->handle = kid->handle > kid->page->handle ? kid->handle : kid->page->handle;
    kid->in_call = true;
    kid_forget(kid);
    kid_wakes_begin(kid);
    if (kid->page->held_new)
        kid_held_fetch(kid);
    st = kid_call(kid, &taken);
    kid->draft_entry = NULL;
    kid_metrics(kid);
    kid_wakes_end(kid);
    if (kid->page->snapshots) {
        bool whole = call == PAGE_CALL_SNAPSHOT || call == PAGE_CALL_START || call == PAGE_CALL_RESTORE;
        aff_status snap = kid_snapshot(kid, whole ? UINT64_MAX : kid->page->snap_most);

        st = call == PAGE_CALL_SNAPSHOT ? snap : st;
    }
    kid->in_call = false;
    done->call = call;
    done->number = kid->page->number;
    done->status = st;
    done->taken = taken;
    done->room_out = kid->room_out;
    done->used = kid->used;
    memcpy(done->why, kid->why, sizeof done->why);
    memcpy(done->verdicts, kid->verdicts, sizeof done->verdicts);
    kid_post(kid, PAGE_POST_DONE);
}

int cell_child_main(int argc, char **argv)
{
    static struct kid kid;

    (void)argc, (void)argv;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signals_default();
    if (!pages_map(&kid) || pthread_mutex_init(&kid.acks.lock, NULL) != 0)
        _exit(EXIT_SETUP);
    if (getppid() != kid.page->host_pid)
        _exit(EXIT_SETUP); /* the host died before it could be asked to take this child along */
    kid.thread = pthread_self();
    kid.spins = SPINS_LEAST;
    kid_fill_asks(&kid.host);
    kid_fill_records(&kid.host);
    kid_fill_wakes(&kid.host);
    kid.host.node = kid.page->node;
    kid.host.pipeline = kid.page->pipeline;
    kid.host.window_records = kid.page->window_records;
    kid.host.window_epochs = kid.page->window_epochs;
    confine(kid.page, kid.in, &kid.out->confined);
    kid_post(&kid, PAGE_POST_READY);
    for (;;) {
        kid_wait(&kid);
        if (kid.page->post == PAGE_POST_CALL)
            serve(&kid);
    }
}
