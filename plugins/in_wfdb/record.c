/* SPDX-License-Identifier: Apache-2.0
 *
 * record.c - see record.h. Channels and tracks: layout.c; samples: segment.c. */
#include "record_inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TURNS = 256 };

void record_tell(struct wfdb_record *r, enum wfdb_event event, uint32_t number)
{
    r->listener.tell(r->listener.context, event, number);
}

void header_file(char to[WFDB_NAME_MAX + 8], const char *record)
{
    (void)snprintf(to, WFDB_NAME_MAX + 8, "%s.hea", record);
}

int record_header(struct wfdb_record *r, struct wfdb_header *to, const char *name, struct fault *f)
{
    char file[WFDB_NAME_MAX + 8];
    uint64_t size;
    int fd, st;

    header_file(file, name);
    fd = file_open(r->folder, "", file, &size);
    if (fd < 0)
        return fault_file(f, "header", -fd);
    memset(&r->others, 0, sizeof r->others);
    bytes_from_file(&r->others.bytes, fd, 0, r->others_room, sizeof r->others_room);
    st = header_read(to, &r->others, f);
    (void)close(fd);
    return st;
}

void lines_rewind(struct wfdb_record *r)
{
    memset(&r->lines, 0, sizeof r->lines);
    bytes_from_file(&r->lines.bytes, r->header_fd, 0, r->lines_room, sizeof r->lines_room);
    header_clear(&r->master);
}

/* Reads up to the record line. */
int master_begin(struct wfdb_record *r, struct fault *f)
{
    struct wfdb_segment unused;

    lines_rewind(r);
    while (!r->master.has_record_line && lines_next(&r->lines))
        if (header_line(&r->master, &r->lines, &unused, f) < 0)
            return -1;
    if (r->lines.bytes.error)
        return fault_file(f, "header", r->lines.bytes.error);
    return r->master.has_record_line ? 0 : header_end(&r->master, f);
}

/* Goes through all segments once: their sum is checked, and the layout found, in
 * the segment of length 0 at the beginning, else in the first that is there. */
static int layout_find(struct wfdb_record *r, struct fault *f)
{
    struct wfdb_segment s;
    int found = 0, got;

    while ((got = header_next_segment(&r->master, &r->lines, &s, f)) == 1) {
        if (r->master.segments_read == 1 && s.frames == 0 && s.name[0])
            r->is_variable = 1;
        if (found || !s.name[0])
            continue;
        if (record_header(r, &r->layout, s.name, f) == 0)
            found = 1;
        else if (!f->missing || r->is_variable)
            return -1;
    }
    if (got < 0)
        return -1;
    r->frames = r->master.segment_frames;
    if (!found)
        return fault_file(f, "header of each segment", ENOENT);
    if (r->layout.signals != r->master.signals)
        return fault(f, 1, "the record line announces %u signals, the segments have %u", r->master.signals,
                     r->layout.signals);
    return 0;
}

static int single_read(struct wfdb_record *r, struct fault *f)
{
    lines_rewind(r);
    if (header_read(&r->master, &r->lines, f))
        return -1;
    memcpy(&r->layout, &r->master, sizeof r->layout);
    return 0;
}

static int part_begin(struct wfdb_record *r, const char *name, struct fault *f)
{
    char prefix[WFDB_NAME_MAX + 1];

    file_prefix(prefix, name);
    if (layout_place(r, f))
        return -1;
    r->part.listener = r->listener;
    if (part_open(&r->part, r->folder, prefix, &r->current, r->place, f))
        return -1;
    r->part_is_open = 1;
    return 0;
}

int record_open(struct wfdb_record *r, int folder, const char *name, const struct wfdb_options *options,
                struct fault *f)
{
    uint64_t size;

    r->options = *options;
    r->folder = folder;
    r->part_is_open = r->is_variable = 0;
    r->segment = 0;
    r->end = r->frames = 0;
    r->header_fd = file_open(folder, "", name, &size);
    if (r->header_fd < 0)
        return fault_file(f, "header", -r->header_fd);
    if (master_begin(r, f))
        goto fail;
    if (r->master.segments ? layout_find(r, f) : single_read(r, f))
        goto fail;
    r->layout.rate = r->master.rate;
    if (layout_make(r, f))
        goto fail;
    if (r->master.segments) {
        if (master_begin(r, f))
            goto fail;
        return 0;
    }
    memcpy(&r->current, &r->master, sizeof r->current);
    if (part_begin(r, "", f))
        goto fail;
    r->segment = 1;
    r->frames = r->end = r->part.frames;
    return 0;
fail:
    record_close(r);
    return -1;
}

void record_close(struct wfdb_record *r)
{
    if (r->part_is_open)
        part_close(&r->part);
    if (r->header_fd >= 0)
        (void)close(r->header_fd);
    r->part_is_open = 0;
    r->header_fd = -1;
}

/* Does the segment fit into the record? */
static int segment_check(struct wfdb_record *r, const struct wfdb_segment *s, struct fault *f)
{
    const struct wfdb_header *h = &r->current;

    if (h->rate.num != r->master.rate.num || h->rate.den != r->master.rate.den)
        return fault(f, 0, "the segment has another sampling frequency than the record");
    if (!r->is_variable && h->signals != r->layout.signals)
        return fault(f, 0, "the segment has %u signals, the record %u", h->signals, r->layout.signals);
    if (h->frames != s->frames)
        record_tell(r, EVENT_LENGTH, r->segment);
    return 0;
}

/* Goes on to the next segment: 1, at the end 0, or -1. */
static int segment_next(struct wfdb_record *r, struct fault *f)
{
    struct wfdb_segment s;
    int got;

    if (r->part_is_open)
        part_close(&r->part);
    r->part_is_open = 0;
    if (!r->master.segments)
        return 0;
    got = header_next_segment(&r->master, &r->lines, &s, f);
    if (got != 1)
        return got;
    r->segment++;
    r->end += s.frames;
    if (!s.name[0] || s.frames == 0)
        return 1;
    if (record_header(r, &r->current, s.name, f) == 0) {
        if (segment_check(r, &s, f))
            return -1;
        if (part_begin(r, s.name, f) == 0)
            return 1;
    }
    if (!f->missing)
        return -1;
    record_tell(r, EVENT_SEGMENT, r->segment);
    return 1;
}

/* Decodes the track's next frames; stages none when its files are over. (They are
 * read once more all the same: so it is noticed that they ended early.) */
static int track_fill(struct wfdb_record *r, struct wfdb_track *t, struct fault *f)
{
    int64_t frame = t->next / t->per_frame, frames = t->stride / t->per_frame, i;
    int32_t *to = r->stage + t->stage;
    int has;

    if (frames > r->end - frame)
        frames = r->end - frame;
    t->base = t->staged = t->next;
    for (i = 0; i < (int64_t)t->stride * t->channels; i++)
        to[i] = WFDB_MISSING;
    has = part_has(&r->part, (int)(t - r->track));
    if (part_read(&r->part, (int)(t - r->track), frames, to, t->stride, f))
        return -1;
    if (has)
        t->staged += frames * t->per_frame;
    return 0;
}

static int all_missing(const struct wfdb_piece *p, uint32_t channels)
{
    uint32_t c, i;

    for (c = 0; c < channels; c++)
        for (i = 0; i < p->count; i++)
            if (p->at[c * p->stride + i] != WFDB_MISSING)
                return 0;
    return 1;
}

static void track_piece(const struct wfdb_record *r, const struct wfdb_track *t, struct wfdb_piece *p)
{
    int64_t left = t->staged - t->next;

    p->track = (uint32_t)(t - r->track);
    p->count = left < t->piece ? (uint32_t)left : t->piece;
    p->first = t->next;
    p->stride = t->stride;
    p->at = r->stage + t->stage + (t->next - t->base);
    p->gap = t->gap;
}

/* The track that is earliest and not at the segment's end; NULL: all are. */
static struct wfdb_track *track_earliest(struct wfdb_record *r)
{
    struct wfdb_track *best = NULL;
    uint32_t i;

    for (i = 0; i < r->track_count; i++) {
        struct wfdb_track *t = &r->track[i];

        if (t->next >= r->end * (int64_t)t->per_frame)
            continue;
        if (!best || (double)t->next / t->per_frame < (double)best->next / best->per_frame)
            best = t;
    }
    return best;
}

/* Nothing of the track is there until the segment's end. */
static void track_skip(const struct wfdb_record *r, struct wfdb_track *t)
{
    t->next = t->staged = r->end * t->per_frame;
    t->gap = 1;
}

int record_peek(struct wfdb_record *r, struct wfdb_piece *p, struct fault *f)
{
    int turn;

    for (turn = 0; turn < TURNS; turn++) {
        struct wfdb_track *t = track_earliest(r);

        if (!t) {
            int got = segment_next(r, f);

            if (got != 1)
                return got;
        } else if (t->next >= t->staged) {
            if (r->part_is_open && track_fill(r, t, f))
                return -1;
            if (!r->part_is_open || (t->next == t->base && t->next >= t->staged))
                track_skip(r, t);
        } else {
            track_piece(r, t, p);
            if (!all_missing(p, t->channels))
                return 1;
            record_take(r, p);
            t->gap = 1;
        }
    }
    return 2;
}

void record_take(struct wfdb_record *r, const struct wfdb_piece *p)
{
    struct wfdb_track *t = &r->track[p->track];

    t->next += p->count;
    t->gap = 0;
}
