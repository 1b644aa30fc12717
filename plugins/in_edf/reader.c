/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.c - see reader.h. */
#include "reader.h"

/* ---- the end of a file ---- */

static aff_status file_end_streams(void *self)
{
    struct reader *r = self;
    const struct aff_host *host = r->turns.host;
    aff_status st;
    uint32_t i;

    for (i = 0; i < TRACKS_MAX; i++) {
        if (!r->now[i].stream)
            continue;
        st = host->stream_end(host, PORT_SAMPLES, r->now[i].stream);
        if (st != AFF_OK)
            return st;
        r->now[i].stream = 0;
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

/* What is from before the data's beginning is due at once: an annotation may be
 * of any time. */
static int is_due(struct reader *r, int64_t event_ns, int64_t known_ns)
{
    int64_t begin_ns = r->base_ns + r->data.first_ns;

    return r->config->pace == PACE_FAST ||
           pace_is_due(&r->pace, r->turns.host, event_ns > begin_ns ? event_ns : begin_ns, known_ns);
}

/* Emits, or passes over what was emitted before a restart. */
static aff_status mark_pass(struct reader *r, const struct edf_mark *m, int64_t event_ns)
{
    aff_status st = m->fault ? AFF_OK : mark_stream(r);

    if (st == AFF_OK && !turns_passes(&r->turns)) {
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

    if (st == AFF_OK && !turns_passes(&r->turns)) {
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

/* The next thing of the file in order of event time. */
static aff_status file_next(void *self, int *ret_passed)
{
    struct reader *r = self;
    const struct edf_mark *found;
    struct edf_mark mark;
    struct edf_piece p;
    struct fault f;
    int64_t mark_ns = 0;
    int marks = marks_peek(&r->marks, &found, &f), pieces = 0;

    if (marks == 2)
        return AFF_OK;
    if (marks >= 0)
        pieces = tracks_peek(&r->tracks, &p, &f);
    if (marks < 0 || pieces < 0)
        return file_fault(r, &f);
    if (!marks && !pieces)
        return AFF_END;
    if (marks) {
        mark = *found;
        mark_ns = mark_time(r, &mark);
    }
    *ret_passed = 1;
    if (marks && (!pieces || mark_ns < p.event_ns))
        return mark_pass(r, &mark, mark_ns);
    return piece_pass(r, &p);
}

/* ---- the instance ---- */

static const struct turns_kind kind = {
    .paths = { edf_suffixes, "EDF file (.edf, .bdf, .rec)", "name an EDF file", 1 },
    .what = "file",
    .position = "edf 1",
    .hash_begin = file_hash_begin,
    .hash_step = file_hash_step,
    .open = file_open_all,
    .name = file_name,
    .next = file_next,
    .end_streams = file_end_streams,
    .close = file_close_all,
};

aff_status reader_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct reader *r = host->alloc(host, sizeof *r);
    aff_status st;

    if (!r)
        return AFF_ERR_MEMORY;
    r->config = config;
    r->folder = r->digest.fd = r->data.fd = -1;
    st = turns_open(&r->turns, host, &kind, &r->config->path, &r->config->signals);
    if (st != AFF_OK) {
        turns_close(r);
        return st;
    }
    *ret_self = r;
    return AFF_OK;
}
