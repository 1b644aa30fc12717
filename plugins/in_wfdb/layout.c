/* SPDX-License-Identifier: Apache-2.0
 *
 * layout.c - channels and tracks of a record, and where signals belong in them. */
#include "record_inside.h"

#include <string.h>

/* header(5): one millivolt where no unit is given. */
static void unit_of(char to[UNIT_ROOM], const char *unit)
{
    unit_ucum(to, unit[0] ? unit : "mV");
}

static int is_selected(const struct wfdb_record *r, const char *name)
{
    uint32_t i;

    for (i = 0; i < r->options.selected_count; i++)
        if (strcmp(r->options.selected[i], name) == 0)
            return 1;
    return r->options.selected_count == 0;
}

static struct wfdb_track *track_for(struct wfdb_record *r, uint32_t per_frame)
{
    struct wfdb_track *t;
    uint32_t i;

    for (i = 0; i < r->track_count; i++)
        if (r->track[i].per_frame == per_frame)
            return &r->track[i];
    if (r->track_count == WFDB_TRACKS_MAX)
        return NULL;
    t = &r->track[r->track_count++];
    memset(t, 0, sizeof *t);
    t->per_frame = per_frame;
    return t;
}

static uint64_t low(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Whole units of a rate that fit a duration. */
static uint64_t fits(const struct rate *rate, uint32_t times, int64_t ns)
{
    double n = (double)rate->num / (double)rate->den * times * ((double)ns / 1e9) + 1e-9;

    return n < 1 ? 1 : n > 1e9 ? 1000000000u : (uint64_t)n;
}

/* Shares the stage out: each track gets the same number of frames. */
static int stages_share(struct wfdb_record *r, struct fault *f)
{
    uint64_t frame = 0, frames;
    uint32_t i, offset = 0;

    for (i = 0; i < r->track_count; i++)
        frame += (uint64_t)r->track[i].channels * r->track[i].per_frame;
    if (frame > WFDB_STAGE)
        return fault(f, 0, "a frame has more than %d samples; select fewer signals", WFDB_STAGE);
    frames = low(fits(&r->layout.rate, 1, r->options.block_ns), WFDB_STAGE / (frame ? frame : 1));
    for (i = 0; i < r->track_count; i++) {
        struct wfdb_track *t = &r->track[i];

        t->stage = offset;
        t->stride = (uint32_t)(frames * t->per_frame);
        offset += t->stride * t->channels;
        t->piece = (uint32_t)low(fits(&r->layout.rate, t->per_frame, r->options.block_ns),
                                 WFDB_PIECE_BYTES / 4u / t->channels);
    }
    return 0;
}

int layout_make(struct wfdb_record *r, struct fault *f)
{
    uint32_t i;

    r->track_count = 0;
    for (i = 0; i < r->layout.signals; i++) {
        const struct wfdb_signal *s = &r->layout.signal[i];
        struct wfdb_channel *c = &r->channel[i];
        struct wfdb_track *t;

        memset(c, 0, sizeof *c);
        c->track = -1;
        c->name = s->description;
        c->per_frame = s->per_frame;
        c->gain = s->gain;
        c->baseline = s->baseline;
        unit_of(c->unit, header_text(&r->layout, s->units));
        if (!is_selected(r, header_text(&r->layout, s->description)))
            continue;
        t = track_for(r, s->per_frame);
        if (!t)
            return fault(f, s->line, "the record has more than %d rates", WFDB_TRACKS_MAX);
        c->track = (int16_t)(t - r->track);
        c->index = t->channels++;
    }
    if (r->layout.signals && !r->track_count)
        return fault(f, 0, "none of the wanted signals is in the record; see the option signals");
    return stages_share(r, f);
}

/* The channel of a segment's signal: by its row, or by its description. */
static int channel_of(const struct wfdb_record *r, uint32_t signal)
{
    const char *name = header_text(&r->current, r->current.signal[signal].description);
    uint32_t i, before = 0, k;

    if (!r->is_variable)
        return (int)signal;
    for (k = 0; k < signal; k++) /* the n-th of this name goes to the n-th of this name */
        before += strcmp(header_text(&r->current, r->current.signal[k].description), name) == 0;
    for (i = 0; i < r->layout.signals; i++)
        if (strcmp(header_text(&r->layout, r->channel[i].name), name) == 0 && before-- == 0)
            return (int)i;
    return -1;
}

static int is_wide(const struct wfdb_signal *s)
{
    return s->format && s->format->bits > 16;
}

/* Takes over what a sample of the signal means. */
static int channel_adopt(struct wfdb_channel *c, const struct wfdb_header *h, const struct wfdb_signal *s)
{
    char unit[UNIT_ROOM];

    unit_of(unit, header_text(h, s->units));
    if (c->gain >= s->gain && c->gain <= s->gain && c->baseline >= s->baseline && c->baseline <= s->baseline &&
        strcmp(c->unit, unit) == 0)
        return 0;
    c->gain = s->gain;
    c->baseline = s->baseline;
    memcpy(c->unit, unit, sizeof unit);
    return 1;
}

int layout_place(struct wfdb_record *r, struct fault *f)
{
    uint32_t changed = 0, i;

    for (i = 0; i < r->current.signals; i++) {
        const struct wfdb_signal *s = &r->current.signal[i];
        int channel = channel_of(r, i);
        struct wfdb_channel *c = &r->channel[channel < 0 ? 0 : channel];

        r->place[i].track = -1;
        if (channel < 0)
            record_tell(r, EVENT_UNPLACED, i);
        if (channel < 0 || c->track < 0)
            continue;
        if (s->per_frame != c->per_frame)
            return fault(f, s->line, "the segment's signal has another number of samples per frame than its channel");
        r->place[i].track = c->track;
        r->place[i].channel = c->index;
        if (channel_adopt(c, &r->current, s) || (is_wide(s) && !r->track[c->track].wide))
            changed |= 1u << c->track;
        if (is_wide(s))
            r->track[c->track].wide = 1;
    }
    for (i = 0; i < r->track_count; i++)
        if (changed >> i & 1u) {
            r->track[i].version++;
            if (r->track[i].next > 0) {
                r->track[i].gap = 1;
                record_tell(r, EVENT_CALIBRATED, i);
            }
        }
    return 0;
}
