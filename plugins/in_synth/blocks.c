/* SPDX-License-Identifier: Apache-2.0
 *
 * blocks.c - makes records of the patients: block by block, bed by bed.
 *
 * A ward's records come in order of time: a block of each patient in turn, each
 * followed by the rows about the beats in it. All that changes lies in struct
 * place, without pointers, so a snapshot is a copy of it and a restart goes on
 * with the next record, ids and bytes as if nothing had happened.
 *
 * At real-time pace a block is given when its last sample has passed; after a
 * stall the blocks that are late come at once. */
#include "ward_inside.h"

#include <string.h>

/* A ward that goes on after a restart goes on in time from where it stands. */
aff_status ward_start(void *self)
{
    struct ward *w = self;

    w->begin_ns = w->host->now_ns(w->host) - ward_sample_ns(w, w->place->block * w->block);
    return AFF_OK;
}

/* A block that goes over a patient's end is shorter; 0: the signal is over. */
static uint32_t block_length(const struct ward *w)
{
    uint64_t first = w->place->block * w->block;

    if (first >= w->total)
        return 0;
    return w->total - first < w->block ? (uint32_t)(w->total - first) : w->block;
}

/* The patient whose rows are waiting, which is the one before the next in turn. */
static uint32_t patient_before(const struct ward *w)
{
    return (w->place->patient + w->patients - 1) % w->patients;
}

/* Fills in what every record of a patient's stream has, and sends it. */
static aff_status draft_emit(struct ward *w, struct aff_record *draft, uint32_t size, uint32_t port,
                             uint64_t sample)
{
    const struct names *n = &w->names[port == PORT_DATA ? w->place->patient : patient_before(w)];

    draft->subject = n->subject;
    draft->stream = n->stream[port];
    draft->schema = w->schema[port];
    draft->type = port == PORT_DATA ? AFF_SAMPLES : AFF_FIELDS;
    draft->event_ns = w->place->start_ns + ward_sample_ns(w, sample);
    draft->clock = (uint8_t)w->place->clock;
    return w->host->emit(w->host, draft, size);
}

/* Makes the block straight in the record's memory. */
static aff_status block_emit(struct ward *w, uint32_t n)
{
    struct place *p = w->place;
    struct ecg *ecg = &p->ecg[p->patient], before = *ecg;
    uint16_t leads = (uint16_t)w->model.leads;
    uint32_t size = (uint32_t)aff_samples_size(n, leads, AFF_I16);
    struct aff_record *draft = w->host->reserve(w->host, PORT_DATA, AFF_NO_INPUT, size);
    int16_t *plane[ECG_LEADS] = { NULL };
    aff_status st = AFF_OK;

    if (!draft)
        return AFF_ERR_MEMORY;
    memset(draft->data, 0, size);
    *aff_samples_of(draft) = (struct aff_samples){
        .first = (int64_t)before.sample, .count = n, .channels = leads, .format = AFF_I16 };
    for (uint16_t i = 0; i < leads; i++)
        plane[i] = aff_plane(draft, i);
    p->marks = (uint32_t)ecg_run(ecg, &w->model, plane, n, p->mark, MARKS_MAX);
    p->told = 0;
    st = draft_emit(w, draft, size, PORT_DATA, before.sample);
    if (st < 0) {
        *ecg = before;
        p->marks = 0;
    }
    return st;
}

static aff_status mark_emit(struct ward *w)
{
    struct place *p = w->place;
    const struct ecg_mark *m = &p->mark[p->told];
    struct aff_record *draft = w->host->reserve(w->host, PORT_TRUTH, AFF_NO_INPUT,
                                                aff_row_size(TRUTH_COLUMNS, 0));
    struct aff_row row;
    aff_status st = AFF_OK;

    if (!draft)
        return AFF_ERR_MEMORY;
    row = aff_row_begin(draft, TRUTH_COLUMNS);
    aff_row_put_int(&row, TRUTH_SAMPLE, m->sample);
    aff_row_put_int(&row, TRUTH_CODE, m->code);
    st = draft_emit(w, draft, aff_row_end(&row), PORT_TRUTH, (uint64_t)m->sample);
    if (st >= 0)
        p->told++;
    return st;
}

static void turn_pass(struct ward *w)
{
    w->place->patient = (w->place->patient + 1) % w->patients;
    if (w->place->patient == 0)
        w->place->block++;
}

static aff_status streams_end(struct ward *w)
{
    struct place *p = w->place;

    for (; p->ended < PORTS * w->patients; p->ended++) {
        uint32_t port = p->ended % PORTS;
        aff_status st = w->host->stream_end(w->host, port, w->names[p->ended / PORTS].stream[port]);

        if (st < 0)
            return st;
    }
    return AFF_END;
}

/* At real-time pace a block may go when its last sample is past. */
static bool block_is_due(const struct ward *w, uint32_t n)
{
    int64_t due = 0;

    if (w->cfg->pace == PACE_FAST)
        return true;
    due = w->begin_ns + ward_sample_ns(w, w->place->block * w->block + n);
    if (w->host->now_ns(w->host) >= due)
        return true;
    w->host->wake_at(w->host, due);
    return false;
}

aff_status ward_read(void *self, uint32_t want)
{
    struct ward *w = self;
    aff_status st = AFF_OK;

    for (uint32_t made = 0; made < want && st == AFF_OK; made++) {
        uint32_t n = block_length(w);

        if (w->place->told < w->place->marks) {
            st = mark_emit(w);
            continue;
        }
        if (n == 0)
            return streams_end(w);
        if (!block_is_due(w, n))
            return AFF_AGAIN;
        st = block_emit(w, n);
        if (st == AFF_OK)
            turn_pass(w);
    }
    return st;
}

aff_status ward_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct ward *w = self;

    *ret_size = w->place_size;
    if (room >= w->place_size)
        memcpy(buffer, w->place, w->place_size);
    return AFF_OK;
}

aff_status ward_restore(void *self, const void *buffer, size_t size)
{
    struct ward *w = self;
    struct place head;

    memcpy(&head, buffer, size < sizeof head ? size : sizeof head);
    if (size != w->place_size || head.config != w->place->config)
        return w->host->explain(w->host, AFF_ERR_CONFIG,
                                "the saved position belongs to other options of this node; set them "
                                "back, or remove the saved state to begin anew");
    if (head.patient >= w->patients || head.marks > MARKS_MAX || head.told > head.marks)
        return w->host->explain(w->host, AFF_ERR_DATA,
                                "the saved position is damaged; remove the saved state to begin anew");
    memcpy(w->place, buffer, size);
    return AFF_OK;
}
