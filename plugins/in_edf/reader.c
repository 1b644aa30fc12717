/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.c - see reader.h. */
#include "reader.h"

#include <string.h>

enum { TURNS = 2048 }; /* passed over in one read before the host may look around */

static const struct paths_kind kind = { edf_suffixes, "EDF file (.edf, .bdf, .rec)", "name an EDF file", 1 };

void reader_close(void *self)
{
    struct reader *r = self;
    const struct aff_host *host = r->host;

    file_close_all(r);
    paths_close(&r->paths);
    if (r->selected)
        host->free(host, r->selected);
    host->free(host, r);
}

static const char *item_at(const struct aff_list *list, uint32_t i)
{
    return *(const char *const *)(const void *)((const char *)list->items + (size_t)i * list->stride);
}

aff_status reader_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct reader *r = host->alloc(host, sizeof *r);
    aff_status st = AFF_ERR_MEMORY;
    uint32_t i;

    if (!r)
        return st;
    r->host = host;
    r->config = config;
    r->folder = r->digest.fd = r->data.fd = -1;
    if (r->config->signals.count) {
        r->selected = host->alloc(host, r->config->signals.count * sizeof *r->selected);
        if (!r->selected)
            goto fail;
        for (i = 0; i < r->config->signals.count; i++)
            r->selected[i] = item_at(&r->config->signals, i);
    }
    st = paths_open(&r->paths, host, &kind, &r->config->path);
    if (st != AFF_OK)
        goto fail;
    *ret_self = r;
    return AFF_OK;
fail:
    reader_close(r);
    return st;
}

/* Ends the file's streams and goes on to the next one. */
static aff_status file_end(struct reader *r)
{
    aff_status st;
    uint32_t i;

    for (i = 0; i < TRACKS_MAX; i++) {
        if (!r->now[i].stream)
            continue;
        st = r->host->stream_end(r->host, PORT_SAMPLES, r->now[i].stream);
        if (st != AFF_OK)
            return st;
        r->now[i].stream = 0;
    }
    if (r->annot_stream) {
        st = r->host->stream_end(r->host, PORT_ANNOTATIONS, r->annot_stream);
        if (st != AFF_OK)
            return st;
    }
    file_close_all(r);
    r->annot_stream = 0;
    r->emitted = r->skip = 0;
    r->index++;
    r->state = STATE_BEGIN;
    return AFF_OK;
}

/* After a fault. What may get better is tried again from the beginning, without
 * what was emitted already; what does not is left behind. */
static aff_status file_leave(struct reader *r, aff_status st)
{
    if (st == AFF_ERR_IO) {
        if (r->emitted > r->skip)
            r->skip = r->emitted;
        file_close_all(r);
        r->state = STATE_BEGIN;
        return st;
    }
    if (st == AFF_ERR_DATA && r->state != STATE_ENDED)
        (void)file_end(r);
    return st;
}

/* What is from before the data's beginning is due at once: an annotation may be
 * of any time. */
static int is_due(struct reader *r, int64_t event_ns, int64_t known_ns)
{
    int64_t begin_ns = r->base_ns + r->data.first_ns;

    return r->config->pace == PACE_FAST ||
           pace_is_due(&r->pace, r->host, event_ns > begin_ns ? event_ns : begin_ns, known_ns);
}

/* Emits, or passes over what was emitted before a restart. */
static aff_status mark_pass(struct reader *r, const struct edf_mark *m, int64_t event_ns)
{
    aff_status st = m->fault ? AFF_OK : mark_stream(r);

    if (st == AFF_OK && r->emitted >= r->skip) {
        if (!m->fault && !is_due(r, event_ns, event_ns))
            return AFF_AGAIN;
        st = m->fault ? mark_dead(r, m) : mark_emit(r, m, event_ns);
    }
    if (st != AFF_OK)
        return st;
    if (!m->fault && event_ns > r->last_ns)
        r->last_ns = event_ns;
    marks_take(&r->marks);
    return AFF_OK;
}

static aff_status piece_pass(struct reader *r, const struct edf_piece *p)
{
    aff_status st = piece_stream(r, p->track);

    if (st == AFF_OK && r->emitted >= r->skip) {
        if (!is_due(r, p->event_ns, p->end_ns))
            return AFF_AGAIN;
        st = piece_emit(r, p);
    }
    if (st == AFF_OK)
        tracks_take(&r->tracks, p);
    return st;
}

/* The event time of a mark; one that has none is set aside. */
static int64_t mark_time(const struct reader *r, struct edf_mark *m)
{
    int64_t ns;

    if (!__builtin_add_overflow(r->base_ns, m->ns, &ns))
        return ns;
    m->fault = TAL_TIME;
    return m->ns < 0 ? INT64_MIN : INT64_MAX;
}

/* The next thing of the file in order of event time. *ret_emitted: it was one for
 * the host. */
static aff_status data_next(struct reader *r, int *ret_emitted)
{
    const struct edf_mark *found;
    struct edf_mark mark;
    struct edf_piece p;
    struct fault f;
    int64_t mark_ns = 0;
    int marks = marks_peek(&r->marks, &found, &f), pieces = 0;
    aff_status st;

    *ret_emitted = 0;
    if (marks == 2)
        return AFF_OK;
    if (marks >= 0)
        pieces = tracks_peek(&r->tracks, &p, &f);
    if (marks < 0 || pieces < 0)
        return file_fault(r, &f);
    if (!marks && !pieces)
        return file_end(r);
    if (marks) {
        mark = *found;
        mark_ns = mark_time(r, &mark);
    }
    if (marks && (!pieces || mark_ns < p.event_ns))
        st = mark_pass(r, &mark, mark_ns);
    else
        st = piece_pass(r, &p);
    if (st == AFF_OK) {
        *ret_emitted = r->emitted >= r->skip;
        r->emitted++;
    }
    return st;
}

/* One step of the state; AFF_AGAIN from STATE_HASH means "not through yet". */
static aff_status step(struct reader *r, int *ret_emitted)
{
    aff_status st;

    *ret_emitted = 0;
    switch (r->state) {
    case STATE_BEGIN:
        if (r->index == r->paths.count) {
            r->state = STATE_ENDED;
            return AFF_END;
        }
        st = file_hash_begin(r);
        break;
    case STATE_HASH:
        st = file_hash_step(r);
        break;
    case STATE_OPEN:
        st = file_open_all(r);
        break;
    case STATE_NAME:
        st = file_name(r);
        break;
    case STATE_DATA:
        return data_next(r, ret_emitted);
    default:
        return AFF_END;
    }
    if (st == AFF_OK)
        r->state = (enum state)(r->state + 1);
    return st;
}

aff_status reader_read(void *self, uint32_t want)
{
    struct reader *r = self;
    uint32_t emitted = 0, turn;

    for (turn = 0; emitted < want && turn < TURNS; turn++) {
        enum state before = r->state;
        int one;
        aff_status st = step(r, &one);

        emitted += (uint32_t)one;
        if (st == AFF_AGAIN && before == STATE_HASH)
            return AFF_OK;
        if (st < 0)
            return file_leave(r, st);
        if (st != AFF_OK)
            return st;
    }
    return AFF_OK;
}

static const char position_version[] = "edf 1";

aff_status reader_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct reader *r = self;
    struct place p = { .index = r->index, .emitted = r->emitted > r->skip ? r->emitted : r->skip, .has_known = r->has_known };

    memcpy(p.known, r->known, sizeof p.known);
    return place_snapshot(&p, position_version, &r->paths, buffer, room, ret_size);
}

aff_status reader_restore(void *self, const void *buffer, size_t size)
{
    struct reader *r = self;
    struct place p;
    aff_status st = place_restore(&p, position_version, &r->paths, buffer, size);

    if (st != AFF_OK)
        return st;
    r->index = p.index;
    r->skip = p.emitted;
    r->has_known = p.has_known;
    memcpy(r->known, p.known, sizeof r->known);
    return AFF_OK;
}
