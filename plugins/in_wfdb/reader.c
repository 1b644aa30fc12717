/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.c - see reader.h. */
#include "reader.h"

#include "segments.h"

#include <string.h>

enum { TURNS = 2048 }; /* passed over in one read before the host may look around */

static const char *const suffixes[] = { ".hea", NULL };
static const struct paths_kind kind = { suffixes, "WFDB header (.hea)", "name the .hea file of the record", 0 };

static const char *item_at(const struct aff_list *list, uint32_t i)
{
    return *(const char *const *)(const void *)((const char *)list->items + (size_t)i * list->stride);
}

void reader_close(void *self)
{
    struct reader *r = self;
    const struct aff_host *host = r->host;

    record_close_all(r);
    paths_close(&r->paths);
    if (r->selected)
        host->free(host, r->selected);
    host->free(host, r);
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
    r->folder = r->annot_fd = r->content.digest.fd = r->record.header_fd = -1;
    if (r->config->signals.count) {
        r->selected = host->alloc(host, r->config->signals.count * sizeof *r->selected);
        if (!r->selected)
            goto fail;
        for (i = 0; i < r->config->signals.count; i++)
            r->selected[i] = item_at(&r->config->signals, i);
    }
    st = paths_open(&r->paths, host, &kind, &r->config->path);
    if (st == AFF_OK)
        st = segments_drop(&r->paths);
    if (st != AFF_OK)
        goto fail;
    *ret_self = r;
    return AFF_OK;
fail:
    reader_close(r);
    return st;
}

/* Ends the record's streams and goes on to the next one. */
static aff_status record_end(struct reader *r)
{
    aff_status st;

    for (; r->stream_count; r->stream_count--) {
        st = r->host->stream_end(r->host, PORT_SAMPLES, r->stream[r->stream_count - 1].stream);
        if (st != AFF_OK)
            return st;
    }
    if (r->annot_stream) {
        st = r->host->stream_end(r->host, PORT_ANNOTATIONS, r->annot_stream);
        if (st != AFF_OK)
            return st;
    }
    record_close_all(r);
    r->annot_stream = 0;
    r->emitted = r->skip = 0;
    r->index++;
    r->state = STATE_BEGIN;
    return AFF_OK;
}

/* After a fault. What may get better is tried again from the beginning, without
 * what was emitted already; what does not is left behind. */
static aff_status record_leave(struct reader *r, aff_status st)
{
    if (st == AFF_ERR_IO) {
        if (r->emitted > r->skip)
            r->skip = r->emitted;
        record_close_all(r);
        r->state = STATE_BEGIN;
        return st;
    }
    if (st == AFF_ERR_DATA && r->state != STATE_ENDED)
        (void)record_end(r);
    return st;
}

/* Makes sure that the next annotation, if there is one, is at hand. */
static aff_status annotation_next(struct reader *r)
{
    struct fault f;
    int got;

    if (!r->has_annots || r->has_next || r->annots_over)
        return AFF_OK;
    got = annots_next(&r->annots, &r->next, &f);
    if (got < 0)
        return record_fault(r, &f);
    r->has_next = got == 1;
    r->annots_over = got == 0;
    if (got && !when_at(r->begin_ns, r->next.at, &r->annots.rate, &r->next_ns)) {
        (void)fault(&f, 0, "annotation %u is beyond the year 2262", r->annots.read);
        return record_fault(r, &f);
    }
    return AFF_OK;
}

static int is_due(struct reader *r, int64_t begin_ns, int64_t known_ns)
{
    return r->config->pace == PACE_FAST || pace_is_due(&r->pace, r->host, begin_ns, known_ns);
}

/* Emits, or passes over what was emitted before a restart. */
static aff_status annotation_pass(struct reader *r)
{
    aff_status st = annotation_stream(r);

    if (st == AFF_OK && r->emitted >= r->skip) {
        if (!is_due(r, r->next_ns, r->next_ns))
            return AFF_AGAIN;
        st = annotation_emit(r);
    }
    if (st == AFF_OK)
        r->has_next = 0;
    return st;
}

static aff_status piece_pass(struct reader *r, const struct wfdb_piece *p, int64_t event_ns)
{
    aff_status st = piece_stream(r, p);
    struct rate rate;
    int64_t known_ns = event_ns;

    if (st == AFF_OK && r->emitted >= r->skip) {
        (void)rate_times(&r->record.layout.rate, r->record.track[p->track].per_frame, &rate);
        (void)when_at(r->begin_ns, p->first + p->count, &rate, &known_ns);
        if (!is_due(r, event_ns, known_ns))
            return AFF_AGAIN;
        st = piece_emit(r, p, event_ns);
    }
    if (st == AFF_OK)
        record_take(&r->record, p);
    return st;
}

/* The next thing of the record in order of event time. *ret_emitted: it was one
 * for the host. */
static aff_status data_next(struct reader *r, int *ret_emitted)
{
    struct wfdb_piece p;
    struct fault f;
    struct rate rate;
    int64_t event_ns = 0;
    int got;
    aff_status st = annotation_next(r);

    *ret_emitted = 0;
    if (st != AFF_OK)
        return st;
    got = record_peek(&r->record, &p, &f);
    if (got < 0)
        return record_fault(r, &f);
    if (got == 2)
        return AFF_OK;
    if (got == 0 && !r->has_next)
        return record_end(r);
    if (got == 1) {
        (void)rate_times(&r->record.layout.rate, r->record.track[p.track].per_frame, &rate);
        if (!when_at(r->begin_ns, p.first, &rate, &event_ns))
            return AFF_ERR_BUG; /* the record's end was in range */
    }
    if (r->has_next && (got == 0 || r->next_ns < event_ns))
        st = annotation_pass(r);
    else
        st = piece_pass(r, &p, event_ns);
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
        st = record_hash_begin(r);
        break;
    case STATE_HASH:
        st = record_hash_step(r);
        break;
    case STATE_OPEN:
        st = record_open_all(r);
        break;
    case STATE_NAME:
        st = record_name(r);
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
            return record_leave(r, st);
        if (st != AFF_OK)
            return st;
    }
    return AFF_OK;
}

static const char position_version[] = "wfdb 1";

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
