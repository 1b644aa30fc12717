/* SPDX-License-Identifier: Apache-2.0
 *
 * blocks.c - makes records of the patients: block by block, bed by bed.
 *
 * A ward's records come in order of time: a block of each patient in turn, its
 * ECG with the rows about the beats in it, then the other signals that are asked
 * for. All that changes lies in struct place, without pointers, so a snapshot is
 * a copy of it and a restart goes on with the next record, ids and bytes as if
 * nothing had happened. Where a port is silent its model runs on unheard.
 *
 * At real-time pace a block is given when its last sample has passed; after a
 * stall the blocks that are late come at once. */
#include "ward_inside.h"

/* A ward that goes on after a restart goes on in time from where it stands. */
aff_status ward_start(void *self)
{
    struct ward *w = self;

    w->begin_ns = w->host->now_ns(w->host) - when_is(w, PORT_DATA, w->place->block * w->block);
    return AFF_OK;
}

/* --- records ----------------------------------------------------------- */

static struct aff_record *draft_reserve(const struct ward *w, uint32_t port, uint32_t size)
{
    return w->host->reserve(w->host, port, AFF_NO_INPUT, size);
}

/* Fills in what every record of a patient's stream has, and sends it. */
static aff_status draft_emit(struct ward *w, struct aff_record *draft, uint32_t size, uint32_t port,
                             uint64_t index)
{
    const struct bed *b = &w->beds[w->place->patient];

    draft->subject = b->subject;
    draft->stream = b->stream[port];
    draft->schema = w->schema[port];
    draft->type = port == PORT_TRUTH || port == PORT_VITALS ? AFF_FIELDS : AFF_SAMPLES;
    draft->event_ns = w->place->start_ns + when_is(w, port, index);
    draft->clock = (uint8_t)w->place->clock;
    return w->host->emit(w->host, draft, size);
}

/* The first record behind a silence says that something is missing before it. */
static uint16_t gap_flag(const struct ward *w, uint32_t port, uint64_t index)
{
    uint64_t edge = 0;

    return index > 0 && when_silent(w, w->place->patient, port, index - 1, &edge) ? AFF_FLAG_GAP : 0;
}

static struct aff_record *samples_reserve(struct ward *w, uint32_t port, uint32_t n, uint16_t channels)
{
    uint32_t size = (uint32_t)aff_samples_size(n, channels, AFF_I16);
    struct aff_record *draft = draft_reserve(w, port, size);

    if (!draft)
        return NULL;
    memset(draft->data, 0, size);
    *aff_samples_of(draft) = (struct aff_samples){
        .first = (int64_t)w->place->at, .count = n, .channels = channels, .format = AFF_I16 };
    draft->flags |= gap_flag(w, port, w->place->at);
    return draft;
}

/* Beats become pulses; those that a lead showed are told. */
static void marks_take(struct ward *w, bool heard)
{
    struct place *p = w->place;
    uint32_t seen = 0;

    if (w->alive)
        hand_beats(w, p->mark, p->marks);
    for (uint32_t i = 0; i < p->marks && heard; i++)
        if (!p->mark[i].unseen)
            p->mark[seen++] = p->mark[i];
    p->marks = seen;
    p->told = 0;
}

/* Makes a piece of a block straight in the record's memory. */
static aff_status ecg_emit(struct ward *w, uint32_t n)
{
    struct place *p = w->place;
    struct ecg *ecg = &p->ward[p->patient].ecg, before = *ecg;
    uint16_t leads = (uint16_t)w->model.leads;
    struct aff_record *draft = samples_reserve(w, PORT_DATA, n, leads);
    int16_t *plane[ECG_LEADS] = { NULL };
    aff_status st = AFF_OK;

    if (!draft)
        return AFF_ERR_MEMORY;
    for (uint16_t i = 0; i < leads; i++)
        plane[i] = aff_plane(draft, i);
    p->marks = (uint32_t)ecg_run(ecg, &w->model, plane, n, p->mark, MARKS_MAX);
    if (draft->flags & AFF_FLAG_GAP)
        p->ward[p->patient].truth_gap = 1;
    st = draft_emit(w, draft, (uint32_t)aff_samples_size(n, leads, AFF_I16), PORT_DATA, p->at);
    if (st < 0) {
        *ecg = before;
        p->marks = 0;
        return st;
    }
    p->at += n;
    marks_take(w, true);
    return AFF_OK;
}

static aff_status ecg_skip(struct ward *w, uint32_t n)
{
    enum { PART = 512 };
    struct place *p = w->place;
    int16_t unheard[ECG_LEADS][PART], *plane[ECG_LEADS];

    n = n < PART ? n : PART;
    for (int i = 0; i < ECG_LEADS; i++)
        plane[i] = unheard[i];
    p->marks = (uint32_t)ecg_run(&p->ward[p->patient].ecg, &w->model, plane, n, p->mark, MARKS_MAX);
    p->at += n;
    marks_take(w, false);
    return AFF_OK;
}

static aff_status mark_emit(struct ward *w)
{
    struct place *p = w->place;
    struct patient *patient = &p->ward[p->patient];
    const struct ecg_mark *m = &p->mark[p->told];
    struct aff_record *draft = draft_reserve(w, PORT_TRUTH, aff_row_size(TRUTH_COLUMNS, 0));
    struct aff_row row;
    aff_status st = AFF_OK;

    if (!draft)
        return AFF_ERR_MEMORY;
    row = aff_row_begin(draft, TRUTH_COLUMNS);
    aff_row_put_int(&row, TRUTH_SAMPLE, m->sample);
    aff_row_put_int(&row, TRUTH_CODE, m->code);
    if (patient->truth_gap)
        draft->flags |= AFF_FLAG_GAP;
    st = draft_emit(w, draft, aff_row_end(&row), PORT_TRUTH, (uint64_t)m->sample);
    if (st < 0)
        return st;
    patient->truth_gap = 0;
    p->told++;
    return AFF_OK;
}

static aff_status wave_emit(struct ward *w, uint32_t port, uint32_t n)
{
    struct aff_record *draft = samples_reserve(w, port, n, 1);
    aff_status st = AFF_ERR_MEMORY;

    if (!draft)
        return st;
    wave_fill(w, port, aff_plane(draft, 0), n);
    st = draft_emit(w, draft, (uint32_t)aff_samples_size(n, 1, AFF_I16), port, w->place->at);
    if (st >= 0)
        w->place->at += n;
    return st;
}

static aff_status vitals_emit(struct ward *w)
{
    struct place *p = w->place;
    struct aff_record *draft = draft_reserve(w, PORT_VITALS, aff_row_size(VITALS_COLUMNS, 1));
    aff_status st = AFF_ERR_MEMORY;

    if (!draft)
        return st;
    draft->flags |= gap_flag(w, PORT_VITALS, p->at);
    st = draft_emit(w, draft, vitals_fill(w, draft), PORT_VITALS, p->at);
    if (st >= 0)
        p->at++;
    return st;
}

/* --- turns ------------------------------------------------------------- */

/* Samples of the block at hand. One that goes over a patient's end is shorter; 0:
 * the signal is over. */
static uint32_t block_length(const struct ward *w)
{
    uint64_t first = w->place->block * w->block;

    if (first >= w->total)
        return 0;
    return w->total - first < w->block ? (uint32_t)(w->total - first) : w->block;
}

/* At real-time pace a block may go when its last sample is past. */
static bool block_is_due(const struct ward *w, uint32_t n)
{
    int64_t due = 0;

    if (w->cfg->pace == PACE_FAST)
        return true;
    due = w->begin_ns + when_is(w, PORT_DATA, w->place->block * w->block + n);
    if (w->host->now_ns(w->host) >= due)
        return true;
    w->host->wake_at(w->host, due);
    return false;
}

static aff_status streams_end(struct ward *w)
{
    struct place *p = w->place;

    for (; p->ended < PORTS * w->patients; p->ended++) {
        uint32_t port = p->ended % PORTS;
        aff_status st = AFF_OK;

        if (w->on[port])
            st = w->host->stream_end(w->host, port, w->beds[p->ended / PORTS].stream[port]);
        if (st < 0)
            return st;
    }
    return AFF_END;
}

/* The block's bounds in a port's own count. */
static void port_begin(struct ward *w, uint32_t port)
{
    struct place *p = w->place;
    uint64_t first = p->block * w->block, end = first + block_length(w);

    p->port = port;
    p->at = first;
    p->end = end;
    if (port == PORT_DATA)
        return;
    p->at = when_index(w, port, when_is(w, PORT_DATA, first));
    p->end = when_index(w, port, when_is(w, PORT_DATA, end));
}

static aff_status turn_begin(struct ward *w)
{
    uint32_t n = block_length(w);

    if (n == 0)
        return streams_end(w);
    if (!block_is_due(w, n))
        return AFF_AGAIN;
    port_begin(w, PORT_DATA);
    if (w->alive)
        hand_take(w, (double)when_is(w, PORT_DATA, w->place->end) / 1e9);
    return AFF_OK;
}

static void turn_end(struct ward *w)
{
    struct place *p = w->place;

    if (w->alive)
        hand_back(w);
    p->port = PORTS;
    p->patient = (p->patient + 1) % w->patients;
    if (p->patient == 0)
        p->block++;
}

/* To the next port that is made (rows of the truth come with the ECG), or to the
 * next patient. */
static void port_next(struct ward *w)
{
    for (uint32_t port = w->place->port + 1; port < PORTS; port++) {
        if (port != PORT_TRUTH && w->on[port]) {
            port_begin(w, port);
            return;
        }
    }
    turn_end(w);
}

/* What comes next of the port at hand, as far as the block, an edge of a silence
 * or a record goes. */
static aff_status piece_make(struct ward *w)
{
    struct place *p = w->place;
    uint64_t edge = 0;
    bool silent = when_silent(w, p->patient, p->port, p->at, &edge);
    uint32_t n = (uint32_t)((edge < p->end ? edge : p->end) - p->at);

    if (p->port == PORT_DATA)
        return silent ? ecg_skip(w, n) : ecg_emit(w, n);
    if (silent) {
        p->at += n;
        return AFF_OK;
    }
    return p->port == PORT_VITALS ? vitals_emit(w) : wave_emit(w, p->port, n);
}

/* One record, or a step without one. */
static aff_status step(struct ward *w)
{
    struct place *p = w->place;

    for (;;) {
        aff_status st = AFF_OK;

        if (p->told < p->marks)
            return mark_emit(w);
        if (p->port == PORTS)
            st = turn_begin(w);
        if (st != AFF_OK)
            return st;
        if (p->at < p->end)
            return piece_make(w);
        port_next(w);
    }
}

aff_status ward_read(void *self, uint32_t want)
{
    aff_status st = AFF_OK;

    for (uint32_t made = 0; made < want && st == AFF_OK; made++)
        st = step(self);
    return st;
}

/* --- position ---------------------------------------------------------- */

aff_status ward_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct ward *w = self;

    *ret_size = w->place_size;
    if (room >= w->place_size)
        memcpy(buffer, w->place, w->place_size);
    return AFF_OK;
}

/* What the code counts by must lie within what it counts in. */
static bool head_is_sane(const struct ward *w, const struct place *p)
{
    uint64_t most = w->block > PRESSURE_HZ * 10u ? w->block : PRESSURE_HZ * 10u;

    if (p->patient >= w->patients || p->ended > PORTS * w->patients || p->port > PORTS)
        return false;
    if (p->marks > MARKS_MAX || p->told > p->marks)
        return false;
    if (p->port < PORTS && (!w->on[p->port] || p->port == PORT_TRUTH))
        return false;
    if (p->port < PORTS && p->at < p->end && p->end - p->at > most)
        return false;
    if (p->hand.breaths > BREATHS_MAX || p->hand.pulses > PULSES_KEPT + MARKS_MAX)
        return false;
    return p->port == PORTS || !w->alive || (p->hand.breaths > 0 && p->hand.pulses > 0);
}

static bool patients_are_sane(const struct ward *w, const void *buffer)
{
    const char *item = (const char *)buffer + offsetof(struct place, ward);

    for (uint32_t i = 0; i < w->patients; i++) {
        struct patient p;

        memcpy(&p, item + i * sizeof p, sizeof p);
        if (p.pulses < 1 || p.pulses > PULSES_KEPT)
            return false;
    }
    return true;
}

aff_status ward_restore(void *self, const void *buffer, size_t size)
{
    struct ward *w = self;
    struct place head;

    memset(&head, 0, sizeof head);
    memcpy(&head, buffer, size < sizeof head ? size : sizeof head);
    if (size != w->place_size || head.config != w->place->config)
        return w->host->explain(w->host, AFF_ERR_CONFIG,
                                "the saved position belongs to other options of this node; set them "
                                "back, or remove the saved state to begin anew");
    if (!head_is_sane(w, &head) || !patients_are_sane(w, buffer))
        return w->host->explain(w->host, AFF_ERR_DATA,
                                "the saved position is damaged; remove the saved state to begin anew");
    memcpy(w->place, buffer, size);
    return AFF_OK;
}
