/* policy.c - a child that ended, and the next one.
 *
 * Starts back off from 0.1 s to 10 s; five ends in a minute park the node: it is then
 * tried once a minute, until a child has lived for one. A failure on the way up counts
 * as an end, and what the host could not do twice in one place; ends by a record that
 * became a dead letter don't. What the new child knows: its configuration, state per
 * stream as booked, the latest snapshot, what is held. Where something was done since
 * that snapshot, the first record of each stream carries GAP.
 *
 * Not here: finding the record in a batch (slot.c). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cell/inside.h"
#include "load/image.h"

#define SECOND ((int64_t)1000000000)
enum { ENDS_MOST = 5, SUSPECT_MOST = 3 };
#define SNAP_EACH_CALL (16u << 10)

/* ---- ends ---- */

static void end_note(struct cell *cell)
{
    struct policy *p = &cell->policy;
    int64_t now = cell->host->now_ns(cell->host);
    int64_t oldest;

    p->ends[p->end_count++ % ENDS_MOST] = now;
    oldest = p->ends[p->end_count % ENDS_MOST];
    p->wait_ns = p->wait_ns == 0 ? SECOND / 10 : p->wait_ns < 5 * SECOND ? 2 * p->wait_ns : 10 * SECOND;
    if (p->parked || (p->end_count >= ENDS_MOST && now - oldest < 60 * SECOND)) {
        if (!p->parked)
            cell_log(cell, AFF_LOG_ERROR, "five children ended in a minute; parked: it is tried again each minute, and "
                                          "what comes for it waits; replace the plugin or its input");
        p->parked = true;
        p->wait_ns = 60 * SECOND;
        atomic_store_explicit(&cell->figures.is_parked, true, memory_order_relaxed);
    }
    p->start_ns = now + p->wait_ns / 4 * 3; /* who retries shortens his waits by up to a quarter */
}

uint64_t policy_ends(const struct cell *cell)
{
    return atomic_load_explicit(&cell->figures.ends, memory_order_relaxed);
}

void cell_end(struct cell *cell, enum end_kind kind, const char *format, ...)
{
    static const char *const words[] = { [END_DIED] = "", [END_HUNG] = "killed: ", [END_BROKE] = "killed, it broke the rules: " };
    char what[PAGE_WHY / 2];
    va_list args;

    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    snprintf(cell->why, sizeof cell->why, "its process was %s%s", words[kind], what);
    if (kind == END_DIED)
        snprintf(cell->why, sizeof cell->why, "its process %s", what);
    atomic_fetch_add_explicit(&cell->figures.ends, 1, memory_order_relaxed);
    if (kind == END_HUNG)
        atomic_fetch_add_explicit(&cell->figures.hangs, 1, memory_order_relaxed);
    if (kind == END_BROKE)
        atomic_fetch_add_explicit(&cell->figures.violations, 1, memory_order_relaxed);
    cell_log(cell, AFF_LOG_WARN, "%s; nothing of that call was done, another is started", cell->why);
    cell_down(cell);
    end_note(cell);
}

void cell_down(struct cell *cell)
{
    if (cell->replies)
        replies_pages(cell->replies, NULL);
    child_kill(&cell->child);
    wakes_end(cell);
    mirror_close(&cell->mirror);
    told_clear(&cell->told);
    pages_free(&cell->pages);
    atomic_store_explicit(&cell->figures.pid, 0, memory_order_relaxed);
    if (cell->replies)
        replies_lost(cell->replies);
}

void policy_good(struct cell *cell)
{
    struct policy *p = &cell->policy;

    if ((p->wait_ns == 0 && p->oldest_ends == 0) || cell->host->now_ns(cell->host) - p->up_ns < 60 * SECOND)
        return;
    p->wait_ns = 0;
    p->parked = false;
    p->end_count = 0;
    p->oldest_ends = 0;
    atomic_store_explicit(&cell->figures.is_parked, false, memory_order_relaxed);
}

static struct aff_id ahead_of(const struct slot *slot)
{
    if (slot->call == PAGE_CALL_BATCH && slot->taken < slot->count)
        return slot->records[slot->taken].id;
    return (struct aff_id){ 0, 0 };
}

/* Once is no failure: the run is being ended, or one record is too large. */
void policy_ahead(struct cell *cell, const struct slot *slot)
{
    struct policy *p = &cell->policy;
    struct aff_id at = ahead_of(slot);
    bool again = p->ahead_call == slot->call && p->ahead.source == at.source && p->ahead.seq == at.seq;

    p->ahead_call = slot->call;
    p->ahead = at;
    snprintf(cell->why, sizeof cell->why, "its process was ended: the host has no room or no memory for what it did");
    cell_down(cell);
    if (again)
        end_note(cell);
}

void policy_done(struct cell *cell, const struct slot *slot)
{
    if (slot->call == cell->policy.ahead_call && slot->status >= 0)
        cell->policy.ahead_call = 0;
}

bool policy_suspect(struct cell *cell, struct aff_id id)
{
    struct policy *p = &cell->policy;

    if (p->suspect_ends == 0 || p->suspect.source != id.source || p->suspect.seq != id.seq) {
        p->suspect = id;
        p->suspect_ends = 0;
    }
    return ++p->suspect_ends >= SUSPECT_MOST;
}

/* Ends whose cause became a dead letter don't count. */
static void ends_forget(struct cell *cell, uint32_t count)
{
    struct policy *p = &cell->policy;

    atomic_fetch_add_explicit(&cell->figures.dead_letters, 1, memory_order_relaxed);
    p->end_count = p->end_count > count ? p->end_count - count : 0;
    if (p->parked)
        return;
    p->wait_ns = 0;
    p->start_ns = 0;
}

/* Those alone, and that of the slot which it was in. */
void policy_letter(struct cell *cell)
{
    struct policy *p = &cell->policy;

    p->suspect_ends = 0;
    p->singles -= p->singles > 0;
    ends_forget(cell, SUSPECT_MOST + 1);
}

/* Which of them the child was at work on it cannot be asked any more. Commands are done
 * in their order, mostly, and one that was not at fault is in the letters, too. */
void policy_held(struct cell *cell, const struct slot *slot)
{
    const struct aff_record *oldest = held_oldest(cell);
    struct policy *p = &cell->policy;
    char why[PAGE_WHY + 64];

    if (!oldest || !cell->options.letter || slot->call == PAGE_CALL_OPEN || slot->call == PAGE_CALL_STOP ||
        slot->call == PAGE_CALL_CLOSE)
        return;
    if (p->oldest.source != oldest->id.source || p->oldest.seq != oldest->id.seq)
        p->oldest_ends = 0;
    p->oldest = oldest->id;
    if (++p->oldest_ends < SUSPECT_MOST)
        return;
    p->oldest_ends = 0;
    snprintf(why, sizeof why, "it was held while three children ended; the last: %s", cell->why);
    cell->options.letter(cell->options.arg, oldest, why);
    held_drop_oldest(cell);
    ends_forget(cell, SUSPECT_MOST);
}

/* ---- the next child ---- */

/* What it is started with lies in the room for payloads until the first slot. */
static void start_put(struct cell *cell, const struct pack *pack, const struct paths *paths)
{
    struct host_page *page = cell->pages.host;
    uint64_t fixups = page_round(pack->size);
    uint64_t folders = fixups + page_round(pack->fixup_count * sizeof *pack->fixups);

    if (pack->size > 0)
        memcpy(cell->pages.in, pack->bytes, pack->size);
    if (pack->fixup_count > 0)
        memcpy(cell->pages.in + fixups, pack->fixups, pack->fixup_count * sizeof *pack->fixups);
    if (paths->folders.length > 0)
        memcpy(cell->pages.in + folders, paths->folders.data, paths->folders.length);
    if (paths->devices.length > 0)
        memcpy(cell->pages.in + folders + paths->folders.length, paths->devices.data, paths->devices.length);
    page->config_bytes = pack->size;
    page->fixups_at = fixups;
    page->fixup_count = pack->fixup_count;
    page->folders_at = folders;
    page->folders_bytes = paths->folders.length + paths->devices.length;
    page->folder_count = paths->folder_count;
    page->device_count = paths->device_count;
    page->host_pid = (int32_t)getpid();
    page->profile = cell->profile;
    page->prints = cell->plugin->about.kind == AFF_SINK;
    page->lacks = cell->options.lacks;
    page->has_image = cell->plugin->image != NULL;
    page->max_held = cell->options.max_held;
    page->max_payload = (uint32_t)cell->options.max_payload;
    page->memory_bytes = cell->options.memory_bytes;
    page->in_bytes = cell->pages.in_bytes;
    page->area_bytes = cell->pages.area_bytes;
    page->snap_most = cell->plugin->about.kind == AFF_SOURCE ? UINT64_MAX : SNAP_EACH_CALL;
    page->clock_is_real = llabs(cell->host->now_ns(cell->host) - talk_boot()) < SECOND;
    snprintf(page->plugin, sizeof page->plugin, "%s", cell->plugin->about.name);
    snprintf(page->node, sizeof page->node, "%s", cell->node);
    snprintf(page->pipeline, sizeof page->pipeline, "%s", HOST_HAS(cell->host, pipeline) ? cell->host->pipeline : "");
    page->window_records = HOST_HAS(cell->host, window_records) ? cell->host->window_records : 0;
    page->window_epochs = HOST_HAS(cell->host, window_epochs) ? cell->host->window_epochs : 0;
}

static int pages_for(struct cell *cell, const struct pack *pack, const struct paths *paths)
{
    uint64_t in = cell_in_bytes(cell->options.max_payload);
    uint64_t start = pack->size + pack->fixup_count * 8u + paths->folders.length + paths->devices.length + 256;

    in = in > start ? in : start;
    return pages_make(&cell->pages, in, cell_area_bytes(in, cell->options.max_payload));
}

static int child_begin(struct cell *cell, const struct pack *pack, const struct paths *paths)
{
    int error = pack->failed || paths->folders.failed || paths->devices.failed ? ENOMEM : pages_for(cell, pack, paths);

    if (!error) {
        start_put(cell, pack, paths);
        error = wakes_make(&cell->wakes);
    }
    if (!error) {
        devices_note(cell, paths);
        error = child_start(&cell->child, cell->plugin->image ? cell->plugin->image->fd : -1, &cell->pages,
                            cell->wakes.child_fd, cell->plugin->about.kind == AFF_SINK);
        wakes_given(&cell->wakes);
    }
    return error;
}

static int child_new(struct cell *cell)
{
    struct paths paths;
    struct pack pack;
    int error;

    pack_config(&pack, cell->plugin, cell->config);
    paths_list(&paths, cell->plugin, cell->config);
    error = child_begin(cell, &pack, &paths);
    pack_free(&pack);
    paths_free(&paths);
    if (error) {
        wakes_end(cell);
        pages_free(&cell->pages);
        return error;
    }
    links_forget(cell);
    cell->bell_seen = 0;
    cell->spins = 64;
    cell->held_given = false;
    cell->policy.up_ns = cell->host->now_ns(cell->host);
    atomic_fetch_add_explicit(&cell->figures.starts, 1, memory_order_relaxed);
    atomic_store_explicit(&cell->figures.pid, (int32_t)cell->child.pid, memory_order_relaxed);
    if (cell->replies)
        replies_pages(cell->replies, cell->pages.child);
    wakes_listen(cell);
    return 0;
}

/* Written down once, since others read it: the next child finds the same kernel. */
static aff_status sandbox_check(struct cell *cell)
{
    struct confined now;

    memcpy(&now, &cell->pages.child->confined, sizeof now);
    if (!atomic_load_explicit(&cell->is_confined, memory_order_relaxed)) {
        cell->confined = now;
        atomic_store_explicit(&cell->is_confined, true, memory_order_release);
    }
    if (!cell->options.require_sandbox || now.seccomp == 1)
        return AFF_OK;
    cell_down(cell);
    return cell->host->explain(cell->host, AFF_ERR_CONFIG, "require_sandbox: this kernel lets no seccomp filter be "
                               "installed (%s); run on one that does, or take require_sandbox out", strerror(now.error));
}

/* One call on the way up. Other errors than an end leave the child to the caller. */
static aff_status up_call(struct cell *cell, uint32_t call)
{
    struct slot slot = { .call = call, .limit_ns = cell->options.open_ns };

    switch (slot_run(cell, &slot)) {
    case RAN_DONE:
        return slot.status;
    case RAN_ENDED:
        policy_held(cell, &slot);
        return cell->host->explain(cell->host, AFF_ERR_IO, "%s", cell->why);
    default:
        return cell->refused;
    }
}

aff_status cell_first(struct cell *cell)
{
    int error = child_new(cell);
    aff_status st;

    if (error)
        return cell->host->explain(cell->host, AFF_ERR_MEMORY, "its process cannot be started (%s)", strerror(error));
    if (!talk_ready(cell))
        return cell->host->explain(cell->host, AFF_ERR_IO, "%s", cell->why);
    st = sandbox_check(cell);
    if (st == AFF_OK)
        st = up_call(cell, PAGE_CALL_OPEN);
    if (st < 0)
        cell_down(cell);
    return st;
}

/* The state that it had: all of it, or each stream's next record says GAP. */
static aff_status state_again(struct cell *cell, bool was_exact)
{
    bool has_gap = !was_exact;
    aff_status st = AFF_OK;

    if (cell->plugin->about.restore && cell->has_snap) {
        if (!blob_set(&cell->given, cell->snap.bytes, cell->snap.size))
            return AFF_ERR_MEMORY;
        st = up_call(cell, PAGE_CALL_RESTORE);
        has_gap |= st == AFF_ERR_DATA;
        cell->incarnation_again = st == AFF_OK && !cell->incarnation_said;
        if (st == AFF_ERR_DATA && cell->incarnation_said)
            cell->host->incarnation(cell->host, cell->incarnation.bytes, cell->incarnation.size);
        st = st == AFF_ERR_DATA ? AFF_OK : st;
    } else if (cell->has_snap) {
        has_gap = true;
    }
    if (has_gap) {
        cell->has_gap = true;
        if (cell->gaps)
            memset(cell->gaps, 0, cell->gaps_room);
    }
    return st;
}

aff_status cell_up(struct cell *cell)
{
    bool was_exact = cell->is_exact;
    uint64_t ends;
    aff_status st;

    if (!held_load(cell))
        return cell->host->explain(cell->host, AFF_ERR_MEMORY, "no memory for the list of what it holds");
    if (cell->child.pid > 0)
        return unsynced_give(cell);
    if (cell->pages.host)
        cell_end(cell, END_DIED, "ended behind a call");
    if (cell->host->now_ns(cell->host) < cell->policy.start_ns)
        return cell->host->explain(cell->host, AFF_ERR_IO, "%s%s", cell->policy.parked ? "parked: " : "", cell->why);
    ends = policy_ends(cell);
    cell->incarnation_waits = cell->ran && cell->plugin->about.restore && cell->has_snap;
    cell->incarnation_said = false;
    st = cell_first(cell);
    if (st == AFF_OK && cell->ran) {
        st = state_again(cell, was_exact);
        if (st == AFF_OK && cell->started && cell->plugin->about.start)
            st = up_call(cell, PAGE_CALL_START);
    }
    if (st == AFF_OK) {
        cell_log(cell, AFF_LOG_INFO, "runs in a new process");
        cell->lost = false;
        unsynced_again(cell);
        return unsynced_give(cell);
    }
    cell_down(cell);
    if (policy_ends(cell) == ends && cell->host->now_ns(cell->host) >= cell->policy.start_ns) /* nothing noted it */
        end_note(cell);
    return cell->lost && (st == AFF_ERR_CONFIG || st == AFF_ERR_BUG) ? st : AFF_ERR_IO; /* said by its first open */
}
