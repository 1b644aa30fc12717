/* proxy.c - the table that the data path sees: an ordinary plugin.
 *
 * Same names, ports, options and verdicts; a callback is there where the plugin has
 * one. `self` is the cell.
 *
 * Not here: what a call does (slot.c). */
#include <string.h>

#include "cell/inside.h"

static aff_status call(void *self, uint32_t which)
{
    return slot_call(self, &(struct slot){ .call = which });
}

/* What it needs of its host, with a child or without. */
static aff_status attach(struct cell *cell, const struct aff_host *host)
{
    uint32_t i;

    cell->host = host;
    held_forget(cell);
    for (i = 0; i < cell->plugin->output_count; i++)
        if (cell->plugin->outputs[i].schema) {
            cell->port_schemas[i] = host->schema(host, cell->plugin->outputs[i].schema);
            if (!cell->port_schemas[i])
                return AFF_ERR_MEMORY;
        }
    if (cell->plugin->about.flags & AFF_ACKS) {
        cell->replies = replies_open(cell);
        if (!cell->replies)
            return host->explain(host, AFF_ERR_MEMORY, "no memory or thread for its answers");
    }
    return AFF_OK;
}

static aff_status proxy_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct cell *cell = (struct cell *)(uintptr_t)config;
    uint64_t before;
    aff_status st;

    if (!cell || cell->opened)
        return host->explain(host, AFF_ERR_BUG, "a cell is opened once, with itself as configuration");
    cell->mirror = (struct mirror){ 0 };
    cell->unsynced = (struct unsynced){ .bytes = { cell->unsynced.bytes.bytes, 0, cell->unsynced.bytes.room } };
    st = attach(cell, host);
    if (st < 0)
        return st;
    before = policy_ends(cell);
    st = cell_first(cell);
    cell->lost = st < 0 && policy_ends(cell) != before;
    if (st < 0) {
        replies_close(&cell->replies);
        cell->host = NULL;
        return st;
    }
    cell->opened = true;
    *ret_self = cell;
    return AFF_OK;
}

/* What the child asked for before it ended, state per stream, stays as it is. */
bool cell_open_lost(struct cell *cell, const struct aff_host *host, void **ret_self)
{
    if (!cell->lost || cell->opened || attach(cell, host) < 0)
        return false;
    cell->opened = true;
    *ret_self = cell;
    return true;
}

bool cell_is_blank(const struct cell *cell)
{
    return cell->child.pid == 0 && !cell->has_snap && cell->is_exact;
}

static void proxy_close(void *self)
{
    struct cell *cell = self;

    if (cell->child.pid > 0 && cell->plugin->about.close)
        call(cell, PAGE_CALL_CLOSE);
    cell_down(cell);
    replies_close(&cell->replies);
    cell->opened = false;
    cell->host = NULL;
}

/* The call was not done, as there is no child: the next one that comes up does it. */
static bool is_put_off(const struct cell *cell, aff_status st)
{
    return st == AFF_ERR_IO && cell->child.pid == 0;
}

static aff_status proxy_start(void *self)
{
    struct cell *cell = self;
    aff_status st = AFF_OK;

    if (cell->plugin->about.start || cell->plugin->about.snapshot)
        st = call(cell, PAGE_CALL_START);
    if (is_put_off(cell, st))
        st = AFF_OK;
    cell->started = st == AFF_OK;
    cell->ran = true;
    return st;
}

/* Where it is down nothing is left to be stopped. */
static void proxy_stop(void *self)
{
    struct cell *cell = self;

    if (cell->child.pid > 0)
        call(cell, PAGE_CALL_STOP);
    cell->started = false;
}

static aff_status proxy_read(void *self, uint32_t want)
{
    aff_status st = slot_call(self, &(struct slot){ .call = PAGE_CALL_READ, .count = want });

    if (st == AFF_AGAIN)
        wakes_again(self);
    return st;
}

static aff_status proxy_batch(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    return slot_batch(self, batch, ret_taken);
}

static aff_status proxy_sync(void *self, uint64_t epoch)
{
    return slot_call(self, &(struct slot){ .call = PAGE_CALL_SYNC, .epoch = epoch });
}

static void proxy_committed(void *self, uint64_t epoch)
{
    slot_call(self, &(struct slot){ .call = PAGE_CALL_COMMITTED, .epoch = epoch });
}

static aff_status proxy_wake(void *self)
{
    return call(self, PAGE_CALL_WAKE);
}

static aff_status proxy_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    return slot_call(self, &(struct slot){ .call = PAGE_CALL_STREAM_END, .port = port, .records = mark, .count = 1 });
}

static aff_status proxy_drain(void *self)
{
    return call(self, PAGE_CALL_DRAIN);
}

static aff_status proxy_flush(void *self)
{
    return call(self, PAGE_CALL_FLUSH);
}

static aff_status proxy_timer(void *self, uint32_t subject, int64_t due_ns)
{
    struct aff_record due = { .subject = subject, .event_ns = due_ns };

    return slot_call(self, &(struct slot){ .call = PAGE_CALL_TIMER, .due = &due });
}

/* The bytes are there already where nothing was done since, also while there is no
 * child: epochs go on. Without a child the latest is what the next one will have. */
static aff_status proxy_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct cell *cell = self;
    const struct blob *bytes = &cell->snap;
    aff_status st = AFF_OK;

    cell->parts_whole = false;
    if (!(cell->has_snap && cell->is_exact) && (cell->child.pid > 0 || !cell->has_snap))
        st = call(cell, PAGE_CALL_SNAPSHOT);
    if (st == AFF_OK && cell->parts_whole) /* not kept for the next child: unsynced.c */
        bytes = &cell->parts;
    else if (!cell->has_snap)
        return st != AFF_OK ? st : AFF_ERR_IO;
    *ret_size = bytes->size;
    if (bytes->size <= room && bytes->size > 0)
        memcpy(buffer, bytes->bytes, bytes->size);
    return AFF_OK;
}

static aff_status proxy_restore(void *self, const void *buffer, size_t size)
{
    struct cell *cell = self;
    aff_status st = AFF_ERR_MEMORY;

    held_forget(cell);
    if (blob_set(&cell->given, buffer, size))
        st = call(cell, PAGE_CALL_RESTORE);
    if (is_put_off(cell, st)) {
        cell->has_snap = blob_set(&cell->snap, buffer, size);
        cell->ran = true;
        st = cell->has_snap ? AFF_OK : AFF_ERR_MEMORY;
    }
    if (st < 0) /* the host takes them back */
        held_forget(cell);
    return st;
}

#define PUT(member, callback) (about->member = about->member ? (callback) : NULL)

void proxy_fill(struct aff_plugin *about, const struct plugin *plugin)
{
    *about = plugin->about;
    about->struct_size = sizeof *about;
    about->options = (struct aff_table){ plugin->options, plugin->option_count, sizeof(struct aff_option) };
    about->inputs = (struct aff_table){ plugin->inputs, plugin->input_count, sizeof(struct aff_port) };
    about->outputs = (struct aff_table){ plugin->outputs, plugin->output_count, sizeof(struct aff_port) };
    about->verdicts = (struct aff_table){ plugin->verdicts, plugin->verdict_count, sizeof(struct aff_verdict) };
    about->metrics = (struct aff_table){ plugin->metrics, plugin->metric_count, sizeof(struct aff_metric) };
    about->open = proxy_open;
    about->close = proxy_close;
    about->start = proxy_start;
    PUT(stop, proxy_stop);
    PUT(read, proxy_read);
    PUT(process, proxy_batch);
    PUT(write, proxy_batch);
    PUT(sync, proxy_sync);
    PUT(committed, proxy_committed);
    PUT(wake, proxy_wake);
    PUT(stream_end, proxy_stream_end);
    PUT(drain, proxy_drain);
    PUT(timer, proxy_timer);
    PUT(flush, proxy_flush);
    PUT(snapshot, proxy_snapshot);
    PUT(restore, proxy_restore);
}
