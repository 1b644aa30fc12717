/* SPDX-License-Identifier: Apache-2.0
 *
 * tracks.c - see tracks.h. */
#include "tracks.h"

#include "recording/when.h"

#include <string.h>

__extension__ typedef __int128 wide;

static const struct edf_header *header_of(const struct edf_tracks *t)
{
    return &t->data->header;
}

static int is_selected(const struct edf_wanted *w, const char *label)
{
    uint32_t i;

    for (i = 0; i < w->selected_count; i++)
        if (strcmp(w->selected[i], label) == 0)
            return 1;
    return w->selected_count == 0;
}

static struct edf_track *track_for(struct edf_tracks *t, uint32_t samples)
{
    const struct edf_header *h = header_of(t);
    struct rate records = { h->seconds.den, h->seconds.num };
    struct edf_track *track;
    uint32_t i;

    for (i = 0; i < t->count; i++)
        if (t->track[i].samples == samples)
            return &t->track[i];
    if (t->count == TRACKS_MAX)
        return NULL;
    track = &t->track[t->count++];
    memset(track, 0, sizeof *track);
    track->samples = samples;
    (void)rate_times(&records, samples, &track->rate); /* 10^9 * 10^8 fits */
    return track;
}

static int signal_place(struct edf_tracks *t, uint32_t i, const struct edf_wanted *w, struct fault *f)
{
    struct edf_signal *s = &t->data->header.signal[i];
    struct edf_track *track;

    s->track = -1;
    if (s->is_annotation || !is_selected(w, s->label))
        return 0;
    if (s->samples == 0)
        return fault(f, i + 1, "the signal has no samples in a data record; leave it out by the option signals");
    if (header_of(t)->seconds.num == 0)
        return fault(f, i + 1, "data records last 0 seconds, so the signal has no rate");
    if (signal_scale(header_of(t), i, s, f))
        return -1;
    track = track_for(t, s->samples);
    if (!track)
        return fault(f, i + 1, "the file has more than %d sampling rates; select fewer signals", TRACKS_MAX);
    s->track = (int16_t)(track - t->track);
    s->index = track->channels++;
    return 0;
}

static int64_t event_of(const struct edf_tracks *t, const struct edf_track *k, int64_t index)
{
    int64_t ns = INT64_MAX;

    (void)when_at(t->base_ns + k->run.ns, index - k->run_index, &k->rate, &ns);
    return ns;
}

/* How many samples of a rate a piece may have. */
static uint32_t piece_of(const struct edf_tracks *t, const struct edf_track *k, int64_t block_ns)
{
    wide fits = (wide)k->rate.num * block_ns / ((wide)k->rate.den * 1000000000);
    uint32_t room = PIECE_BYTES / (header_of(t)->width == 3 ? 4u : 2u) / k->channels;

    return fits < 1 ? 1 : fits < room ? (uint32_t)fits : room;
}

int tracks_begin(struct edf_tracks *t, struct edf_data *data, const struct edf_wanted *wanted, int64_t base_ns,
                 struct fault *f)
{
    uint32_t i, fastest = 0;

    memset(t, 0, sizeof *t);
    t->data = data;
    t->base_ns = base_ns;
    for (i = 0; i < data->header.signals; i++)
        if (signal_place(t, i, wanted, f))
            return -1;
    for (i = 0; i < t->count; i++) {
        struct edf_track *k = &t->track[i];

        k->piece = piece_of(t, k, wanted->block_ns);
        k->run.ns = data->first_ns;
        k->entered = 1;
        k->event_ns = event_of(t, k, 0);
        if (k->samples > t->track[fastest].samples)
            fastest = i;
    }
    if (t->count) {
        const struct rate *r = &t->track[fastest].rate;

        t->near_ns = (int64_t)((wide)r->den * 500000000 / (wide)r->num);
    }
    return 0;
}

static void tell_once(struct edf_tracks *t, uint64_t record, enum edf_event event)
{
    if (record < t->record_told)
        return;
    t->record_told = record + 1;
    t->data->listener.tell(t->data->listener.context, event);
}

/* What a data record's time is to the run before it: 1 a run of its own begins
 * there, 0 the run goes on, 2 the same but its time is doubtful, or -1. */
static int run_look(struct edf_tracks *t, const struct edf_run *run, uint64_t record, int64_t *ret_ns, struct fault *f)
{
    int64_t due;
    int got;

    if (!header_of(t)->is_cut)
        return 0;
    got = data_clock(t->data, record, ret_ns, f);
    if (got < 0)
        return -1;
    if (got == 0) {
        tell_once(t, record, EVENT_TIMELESS);
        return 2;
    }
    if (!data_after(t->data, run->ns, record - run->record, &due))
        return 2;
    if (*ret_ns < due - t->near_ns) {
        tell_once(t, record, EVENT_BACK);
        return 2;
    }
    return *ret_ns > due + t->near_ns;
}

/* The number of the sample that is due a time after the first one. */
static int index_at(const struct edf_tracks *t, const struct edf_track *k, int64_t ns, int64_t *ret_index)
{
    wide after = (wide)ns - t->data->first_ns, den = (wide)k->rate.den * 1000000000;
    wide index = (after * (wide)k->rate.num + den / 2) / den; /* 2^64 * 2^57: fits */

    if (index > INT64_MAX / 4)
        return -1;
    *ret_index = index > k->index ? (int64_t)index : k->index;
    return 0;
}

/* Looks at the time of the data record that the track has come to. */
static int track_enter(struct edf_tracks *t, struct edf_track *k, struct fault *f)
{
    int64_t ns, unused;
    int got;

    if (k->at || k->entered == k->record + 1)
        return 0;
    got = run_look(t, &k->run, k->record, &ns, f);
    if (got < 0)
        return -1;
    if (got != 1) {
        k->entered = k->record + 1;
        return 0;
    }
    if (index_at(t, k, ns, &k->index) || !when_at(t->base_ns, k->index, &k->rate, &unused) ||
        __builtin_add_overflow(t->base_ns, ns, &unused) || !data_after(t->data, unused, t->data->records, &unused))
        return fault(f, 0, "the time of a data record is beyond what a time can be");
    k->run = (struct edf_run){ k->record, ns };
    k->run_index = k->index;
    k->gap = 1;
    k->entered = k->record + 1;
    k->event_ns = event_of(t, k, k->index);
    return 0;
}

/* How many samples follow one another in time, up to a piece. */
static int track_length(struct edf_tracks *t, const struct edf_track *k, struct edf_piece *p, struct fault *f)
{
    uint64_t left = k->samples - k->at, record = k->record;
    int64_t unused;
    int got;

    p->suspect = 0;
    if (!header_of(t)->is_cut) {
        left += (t->data->records - 1 - k->record) * k->samples;
    } else {
        got = run_look(t, &k->run, record, &unused, f);
        if (got < 0)
            return -1;
        p->suspect = got == 2;
    }
    while (header_of(t)->is_cut && left < k->piece && ++record < t->data->records) {
        got = run_look(t, &k->run, record, &unused, f);
        if (got < 0)
            return -1;
        if ((got == 2) != p->suspect || got == 1)
            break;
        left += k->samples;
    }
    p->count = left < k->piece ? (uint32_t)left : k->piece;
    return 0;
}

int tracks_peek(struct edf_tracks *t, struct edf_piece *p, struct fault *f)
{
    struct edf_track *best = NULL;
    uint32_t i;

    for (i = 0; i < t->count; i++) {
        struct edf_track *k = &t->track[i];

        if (k->record == t->data->records)
            continue;
        if (track_enter(t, k, f))
            return -1;
        if (!best || k->event_ns < best->event_ns)
            best = k;
    }
    if (!best)
        return 0;
    if (track_length(t, best, p, f))
        return -1;
    p->track = (uint32_t)(best - t->track);
    p->first = best->index;
    p->event_ns = best->event_ns;
    p->end_ns = event_of(t, best, best->index + p->count);
    p->gap = best->gap;
    return 1;
}

void tracks_take(struct edf_tracks *t, const struct edf_piece *p)
{
    struct edf_track *k = &t->track[p->track];
    uint64_t at = (uint64_t)k->at + p->count;

    k->index += p->count;
    k->gap = 0;
    k->record += at / k->samples;
    k->at = (uint32_t)(at % k->samples);
    k->event_ns = event_of(t, k, k->index);
}

static void samples_copy(char *to, const uint8_t *from, size_t count, int width)
{
    size_t i;

    for (i = 0; i < count && width == 2; i++)
        ((int16_t *)(void *)to)[i] = (int16_t)(uint16_t)(from[2 * i] | (unsigned)from[2 * i + 1] << 8);
    for (i = 0; i < count && width == 3; i++) {
        uint32_t value = (uint32_t)from[3 * i] | (uint32_t)from[3 * i + 1] << 8 | (uint32_t)from[3 * i + 2] << 16;

        ((int32_t *)(void *)to)[i] = (int32_t)(value ^ 0x800000u) - 0x800000; /* its sign, 24 bits up */
    }
}

/* The part of a piece that lies in one data record. */
struct part {
    uint32_t track, count;
    uint64_t offset; /* in the file, for a signal at the data record's beginning */
    size_t stride;
};

static int part_read(struct edf_tracks *t, const struct part *p, char *to, struct fault *f)
{
    const struct edf_header *h = header_of(t);
    uint32_t i;

    for (i = 0; i < h->signals; i++) {
        const struct edf_signal *s = &h->signal[i];
        const uint8_t *from;

        if (s->track != (int16_t)p->track)
            continue;
        from = data_bytes(t->data, p->offset + s->offset, (size_t)p->count * h->width, f);
        if (!from)
            return -1;
        samples_copy(to + s->index * p->stride, from, p->count, h->width);
    }
    return 0;
}

int tracks_read(struct edf_tracks *t, const struct edf_piece *p, char *to, size_t stride, struct fault *f)
{
    const struct edf_track *k = &t->track[p->track];
    uint32_t done = 0, at = k->at, width = header_of(t)->width, out = width == 3 ? 4 : 2;
    uint64_t record = k->record;

    while (done < p->count) {
        uint32_t count = k->samples - at < p->count - done ? k->samples - at : p->count - done;
        struct part part = { p->track, count, data_record_at(t->data, record) + (uint64_t)at * width, stride };

        if (part_read(t, &part, to + (size_t)done * out, f))
            return -1;
        done += count;
        record++;
        at = 0;
    }
    return 0;
}
