/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.c - see reader.h. */
#include "reader.h"

#include "segments.h"

/* ---- the end of a record ---- */

static aff_status record_end_streams(void *self)
{
    struct reader *r = self;
    const struct aff_host *host = r->turns.host;
    aff_status st;

    for (; r->stream_count; r->stream_count--) {
        st = host->stream_end(host, PORT_SAMPLES, r->stream[r->stream_count - 1].stream);
        if (st != AFF_OK)
            return st;
    }
    if (r->annot_stream) {
        st = host->stream_end(host, PORT_ANNOTATIONS, r->annot_stream);
        if (st != AFF_OK)
            return st;
    }
    r->annot_stream = 0;
    return AFF_OK;
}

/* ---- what is in it ---- */

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
    return r->config->pace == PACE_FAST || pace_is_due(&r->pace, r->turns.host, begin_ns, known_ns);
}

/* Emits, or passes over what was emitted before a restart. */
static aff_status annotation_pass(struct reader *r)
{
    aff_status st = annotation_stream(r);

    if (st == AFF_OK && !turns_passes(&r->turns)) {
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

    if (st == AFF_OK && !turns_passes(&r->turns)) {
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

/* The next thing of the record in order of event time. */
static aff_status record_next(void *self, int *ret_passed)
{
    struct reader *r = self;
    struct wfdb_piece p;
    struct fault f;
    struct rate rate;
    int64_t event_ns = 0;
    int got;
    aff_status st = annotation_next(r);

    if (st != AFF_OK)
        return st;
    got = record_peek(&r->record, &p, &f);
    if (got < 0)
        return record_fault(r, &f);
    if (got == 2)
        return AFF_OK;
    if (got == 0 && !r->has_next)
        return AFF_END;
    if (got == 1) {
        (void)rate_times(&r->record.layout.rate, r->record.track[p.track].per_frame, &rate);
        if (!when_at(r->begin_ns, p.first, &rate, &event_ns))
            return AFF_ERR_BUG; /* the record's end was in range */
    }
    *ret_passed = 1;
    if (r->has_next && (got == 0 || r->next_ns < event_ns))
        return annotation_pass(r);
    return piece_pass(r, &p, event_ns);
}

/* ---- the instance ---- */

static const char *const suffixes[] = { ".hea", NULL };
static const struct turns_kind kind = {
    .paths = { suffixes, "WFDB header (.hea)", "name the .hea file of the record", 0 },
    .what = "record",
    .position = "wfdb 1",
    .hash_begin = record_hash_begin,
    .hash_step = record_hash_step,
    .open = record_open_all,
    .name = record_name,
    .next = record_next,
    .end_streams = record_end_streams,
    .close = record_close_all,
};

aff_status reader_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct reader *r = host->alloc(host, sizeof *r);
    aff_status st;

    if (!r)
        return AFF_ERR_MEMORY;
    r->config = config;
    r->folder = r->annot_fd = r->content.digest.fd = r->record.header_fd = -1;
    st = turns_open(&r->turns, host, &kind, &r->config->path, &r->config->signals);
    if (st == AFF_OK)
        st = segments_drop(&r->turns.paths);
    if (st != AFF_OK) {
        turns_close(r);
        return st;
    }
    *ret_self = r;
    return AFF_OK;
}
