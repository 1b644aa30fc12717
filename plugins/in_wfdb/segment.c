/* SPDX-License-Identifier: Apache-2.0
 *
 * segment.c - see segment.h. */
#include "segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Not O_NOFOLLOW: data folders of links into a store are common. O_NONBLOCK: a
 * fifo under a signal file's name must not stop the pipeline. */
void file_prefix(char prefix[WFDB_NAME_MAX + 1], const char *record)
{
    const char *slash = strrchr(record, '/');
    size_t n = slash ? (size_t)(slash - record) + 1 : 0;

    memcpy(prefix, record, n);
    prefix[n] = 0;
}

void part_close(struct wfdb_part *p)
{
    while (p->file_count)
        (void)close(p->file[--p->file_count].fd);
    p->cursor_count = 0;
}

static void tell(struct wfdb_part *p, enum wfdb_event event, uint32_t signal)
{
    p->listener.tell(p->listener.context, event, signal);
}

static uint32_t frame_samples(const struct wfdb_header *h, uint32_t first, uint32_t count)
{
    uint32_t sum = 0, i;

    for (i = 0; i < count; i++)
        sum += h->signal[first + i].per_frame;
    return sum;
}

/* Samples of all its signals that a file holds. */
static uint64_t file_samples(const struct wfdb_header *h, const struct wfdb_file *file)
{
    const struct wfdb_signal *s = &h->signal[file->first];

    return file->size > s->byte_offset ? format_samples(s->format, file->size - s->byte_offset) : 0;
}

/* Is one of the file's signals wanted at all? */
static int file_wanted(const struct wfdb_part *p, uint32_t first, uint32_t count)
{
    uint32_t i;

    for (i = first; i < first + count; i++)
        if (p->lane[i].place.track >= 0)
            return 1;
    return 0;
}

static uint32_t group_size(const struct wfdb_header *h, uint32_t first)
{
    const char *file = header_text(h, h->signal[first].file);
    uint32_t i = first + 1;

    while (i < h->signals && h->signal[i].format && strcmp(header_text(h, h->signal[i].file), file) == 0)
        i++;
    return i - first;
}

static int files_open(struct wfdb_part *p, int folder, const char *prefix, struct fault *f)
{
    const struct wfdb_header *h = p->header;
    uint32_t i, count;

    for (i = 0; i < h->signals; i += count) {
        struct wfdb_file *file = &p->file[p->file_count];

        count = h->signal[i].format ? group_size(h, i) : 1;
        if (!h->signal[i].format || !file_wanted(p, i, count))
            continue;
        if (p->file_count == WFDB_FILES_MAX)
            return fault(f, h->signal[i].line, "the record has more than %d signal files", WFDB_FILES_MAX);
        file->fd = file_open(folder, prefix, header_text(h, h->signal[i].file), &file->size);
        if (file->fd < 0) {
            int error = -file->fd;

            (void)fault_file(f, "signal file", error);
            f->line = h->signal[i].line;
            return -1;
        }
        p->file_count++;
        file->first = i;
        file->count = count;
    }
    return 0;
}

/* A record whose header gives no length is as long as its shortest file. */
static int64_t frames_by_files(const struct wfdb_part *p)
{
    uint64_t least = UINT64_MAX;
    uint32_t i;

    for (i = 0; i < p->file_count; i++) {
        const struct wfdb_file *file = &p->file[i];
        uint64_t frames = file_samples(p->header, file) / frame_samples(p->header, file->first, file->count);

        least = frames < least ? frames : least;
    }
    return p->file_count && least < (uint64_t)WFDB_FRAMES_MAX ? (int64_t)least : 0;
}

/* A file that goes on behind the last unit which the header accounts for. */
static void files_compare(struct wfdb_part *p)
{
    uint32_t i;

    for (i = 0; i < p->file_count; i++) {
        const struct wfdb_file *file = &p->file[i];
        const struct wfdb_signal *s = &p->header->signal[file->first];
        uint64_t samples, unit = s->format->unit_samples;

        if (__builtin_mul_overflow((uint64_t)p->frames, frame_samples(p->header, file->first, file->count), &samples))
            continue; /* no file is as long as that */
        samples = (samples + unit - 1) / unit * unit;
        if (p->header->frames && file->size > s->byte_offset &&
            (file->size - s->byte_offset) / s->format->unit_bytes > samples / unit)
            tell(p, EVENT_LONG, file->first);
    }
}

static struct wfdb_cursor *cursor_find(struct wfdb_part *p, uint32_t file, int16_t track, uint32_t skew)
{
    uint32_t i;

    for (i = 0; i < p->cursor_count; i++)
        if (p->cursor[i].file == file && p->cursor[i].track == track && p->cursor[i].skew == skew)
            return &p->cursor[i];
    return NULL;
}

static struct wfdb_cursor *cursor_add(struct wfdb_part *p, uint32_t file, int16_t track, uint32_t skew)
{
    const struct wfdb_file *from = &p->file[file];
    struct wfdb_cursor *c = &p->cursor[p->cursor_count++];

    memset(c, 0, sizeof *c);
    c->format = p->header->signal[from->first].format;
    c->first = c->signal = from->first;
    c->count = from->count;
    c->skew = skew;
    c->file = file;
    c->track = track;
    c->frame_samples = frame_samples(p->header, from->first, from->count);
    c->left = file_samples(p->header, from);
    return c;
}

static int cursors_make(struct wfdb_part *p, struct fault *f)
{
    uint32_t i, n;
    size_t room;

    for (i = 0; i < p->file_count; i++)
        for (n = p->file[i].first; n < p->file[i].first + p->file[i].count; n++) {
            const struct wfdb_signal *s = &p->header->signal[n];
            struct wfdb_lane *lane = &p->lane[n];
            struct wfdb_cursor *c;

            if (lane->place.track < 0)
                continue;
            c = cursor_find(p, i, lane->place.track, s->skew);
            if (!c && p->cursor_count == WFDB_CURSORS_MAX)
                return fault(f, s->line, "more than %d combinations of file, rate and skew", WFDB_CURSORS_MAX);
            if (!c)
                c = cursor_add(p, i, lane->place.track, s->skew);
            lane->cursor = (uint16_t)(c - p->cursor);
        }
    room = p->cursor_count ? WFDB_BYTES_POOL / p->cursor_count / 16 * 16 : 0;
    for (i = 0; i < p->cursor_count; i++) {
        struct wfdb_cursor *c = &p->cursor[i];

        bytes_from_file(&c->bytes, p->file[c->file].fd, p->header->signal[c->first].byte_offset, p->pool + i * room, room);
    }
    return 0;
}

/* One value of a signal in its file: sum, check, and pass on. */
static int lane_put(struct wfdb_part *p, const struct wfdb_cursor *c, int32_t value, struct fault *f)
{
    struct wfdb_lane *lane = &p->lane[c->signal];

    if (c->format->differences) {
        lane->sum += value;
        if (lane->sum <= INT32_MIN || lane->sum > INT32_MAX)
            return fault(f, p->header->signal[c->signal].line, "the differences of format 8 add up beyond 32 bits");
        value = (int32_t)lane->sum;
    }
    if (c->frame < p->frames)
        lane->check = (uint16_t)(lane->check + (uint32_t)value);
    if (c->frame == 0 && c->sample == 0 && !c->format->differences && p->header->signal[c->signal].has_initial &&
        value != p->header->signal[c->signal].initial)
        tell(p, EVENT_INITIAL, c->signal);
    if (c->frame >= c->skew)
        *lane->out++ = c->format->has_missing && value == c->format->missing ? WFDB_MISSING : value;
    return 0;
}

/* The cursor has read the header's number of frames: do the sums agree? */
static void cursor_check(struct wfdb_part *p, const struct wfdb_cursor *c)
{
    uint32_t i;

    for (i = c->first; i < c->first + c->count; i++) {
        const struct wfdb_signal *s = &p->header->signal[i];

        if (p->lane[i].place.track < 0 || &p->cursor[p->lane[i].cursor] != c)
            continue;
        if (s->has_checksum && p->header->frames && p->lane[i].check != (uint16_t)s->checksum)
            tell(p, EVENT_CHECKSUM, i);
    }
}

static int cursor_feed(struct wfdb_part *p, struct wfdb_cursor *c, const int32_t *values, size_t count,
                       struct fault *f)
{
    const uint16_t self = (uint16_t)(c - p->cursor);
    size_t i;

    for (i = 0; i < count; i++) {
        const struct wfdb_lane *lane = &p->lane[c->signal];

        if (lane->place.track >= 0 && lane->cursor == self && lane_put(p, c, values[i], f))
            return -1;
        if (++c->sample < p->header->signal[c->signal].per_frame)
            continue;
        c->sample = 0;
        if (++c->signal < c->first + c->count)
            continue;
        c->signal = c->first;
        if (++c->frame == p->frames)
            cursor_check(p, c);
    }
    return 0;
}

/* Decodes the unit at the file's end, which may be cut. */
static size_t cursor_last(struct wfdb_cursor *c, int32_t *to)
{
    uint8_t unit[WFDB_UNIT_BYTES_MAX] = { 0 };
    size_t have = c->bytes.have < c->format->unit_bytes ? c->bytes.have : c->format->unit_bytes;

    memcpy(unit, c->bytes.at, have);
    bytes_take(&c->bytes, have);
    format_decode(c->format, unit, 1, to);
    return (size_t)format_samples(c->format, have);
}

/* Up to `most` samples (0: the file is over), whole units at a time; what a unit
 * has too many is carried to the next call. */
static size_t cursor_decode(struct wfdb_cursor *c, int32_t *to, size_t most)
{
    size_t units, have, n = 0;

    while (n < most && c->carry_at < c->carried)
        to[n++] = c->carry[c->carry_at++];
    units = (most - n) / c->format->unit_samples;
    if (units) {
        have = bytes_need(&c->bytes, c->format->unit_bytes) / c->format->unit_bytes;
        units = units < have ? units : have;
        format_decode(c->format, c->bytes.at, units, to + n);
        bytes_take(&c->bytes, units * c->format->unit_bytes);
        n += units * c->format->unit_samples;
    }
    if (n == 0 && most) {
        (void)bytes_need(&c->bytes, c->format->unit_bytes);
        c->carried = (uint8_t)cursor_last(c, c->carry);
        c->carry_at = 0;
        while (n < most && c->carry_at < c->carried)
            to[n++] = c->carry[c->carry_at++];
    }
    return n;
}

/* Reads frames as far as the file goes. */
static int cursor_read(struct wfdb_part *p, struct wfdb_cursor *c, uint64_t frames, struct fault *f)
{
    uint64_t samples = c->left / c->frame_samples;
    size_t n;

    if (samples < frames && !c->told_short && c->frame + (int64_t)samples < p->frames) {
        c->told_short = 1;
        tell(p, EVENT_SHORT, c->first);
    }
    samples = (samples < frames ? samples : frames) * c->frame_samples;
    c->left -= samples;
    for (; samples; samples -= n) {
        n = cursor_decode(c, p->scratch, samples < WFDB_SCRATCH ? (size_t)samples : WFDB_SCRATCH);
        if (c->bytes.error)
            return fault_file(f, "signal file", c->bytes.error);
        if (n == 0) { /* it was cut while it was read */
            c->left = 0;
            tell(p, EVENT_SHORT, c->first);
            return 0;
        }
        if (cursor_feed(p, c, p->scratch, n, f))
            return -1;
    }
    return 0;
}

static int skews_read(struct wfdb_part *p, struct fault *f)
{
    uint32_t i;

    for (i = 0; i < p->cursor_count; i++)
        if (p->cursor[i].skew && cursor_read(p, &p->cursor[i], p->cursor[i].skew, f))
            return -1;
    return 0;
}

int part_open(struct wfdb_part *p, int folder, const char *prefix, const struct wfdb_header *header,
              const struct wfdb_place *places, struct fault *f)
{
    uint32_t i;

    p->header = header;
    p->file_count = p->cursor_count = 0;
    for (i = 0; i < header->signals; i++) {
        memset(&p->lane[i], 0, sizeof p->lane[i]);
        p->lane[i].place = places[i];
        p->lane[i].sum = header->signal[i].initial;
        if (!header->signal[i].format)
            p->lane[i].place.track = -1;
    }
    if (files_open(p, folder, prefix, f))
        goto fail;
    p->frames = header->frames ? header->frames : frames_by_files(p);
    for (i = 0; i < header->signals; i++)
        if (p->lane[i].place.track >= 0 && header->signal[i].skew > p->frames) {
            (void)fault(f, header->signal[i].line, "the skew is longer than the record");
            goto fail;
        }
    if (cursors_make(p, f) || skews_read(p, f))
        goto fail;
    files_compare(p);
    return 0;
fail:
    part_close(p);
    return -1;
}

int part_read(struct wfdb_part *p, int track, int64_t frames, int32_t *to, size_t stride, struct fault *f)
{
    uint32_t i;

    for (i = 0; i < p->header->signals; i++)
        if (p->lane[i].place.track == track)
            p->lane[i].out = to + p->lane[i].place.channel * stride;
    for (i = 0; i < p->cursor_count; i++) {
        struct wfdb_cursor *c = &p->cursor[i];

        if (c->track == track && cursor_read(p, c, (uint64_t)frames, f))
            return -1;
    }
    return 0;
}

int part_has(const struct wfdb_part *p, int track)
{
    uint32_t i;

    for (i = 0; i < p->cursor_count; i++)
        if (p->cursor[i].track == track && p->cursor[i].left >= p->cursor[i].frame_samples)
            return 1;
    return 0;
}
