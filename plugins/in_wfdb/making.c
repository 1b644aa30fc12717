/* SPDX-License-Identifier: Apache-2.0
 *
 * making.c - pieces and annotations become host records. See reader.h. */
#include "reader.h"

#include <stdio.h>
#include <string.h>

/* The schema of a track as it is calibrated now; 0: no room. */
static uint32_t track_schema(struct reader *r, uint32_t track)
{
    const struct aff_host *host = r->turns.host;
    const struct wfdb_record *w = &r->record;
    struct rate rate;
    struct aff_schema s;
    uint32_t i;

    memset(&s, 0, sizeof s);
    memset(r->column, 0, sizeof r->column);
    for (i = 0; i < w->layout.signals; i++) {
        const struct wfdb_channel *c = &w->channel[i];
        struct aff_column *to = &r->column[c->index];

        if (c->track != (int16_t)track)
            continue;
        to->name = header_text(&w->layout, c->name);
        to->unit = c->unit;
        to->label = AFF_LABEL_PHI;
        to->gain = c->gain;
        to->baseline = c->baseline;
    }
    (void)rate_times(&w->layout.rate, w->track[track].per_frame, &rate); /* checked at open */
    s.struct_size = sizeof s;
    s.type = AFF_SAMPLES;
    s.format = w->track[track].wide ? AFF_I32 : AFF_I16;
    s.label = AFF_LABEL_PHI;
    s.name = "wfdb";
    s.columns = r->column;
    s.count = w->track[track].channels;
    s.stride = sizeof r->column[0];
    s.rate_num = rate.num;
    s.rate_den = rate.den;
    return host->schema(host, &s);
}

/* "360Hz"; with another calibration "360Hz/2", since a stream has one schema. */
static void stream_name(const struct reader *r, uint32_t track, char to[NAME_ROOM])
{
    struct rate rate;
    char text[RATE_TEXT];
    uint32_t i, n = 1;

    for (i = 0; i < r->stream_count; i++)
        n += r->stream[i].track == track;
    (void)rate_times(&r->record.layout.rate, r->record.track[track].per_frame, &rate);
    rate_text(text, &rate);
    if (n == 1)
        (void)snprintf(to, NAME_ROOM, "%s", text);
    else
        (void)snprintf(to, NAME_ROOM, "%s/%u", text, n);
}

/* Makes sure that the piece's stream is known. */
aff_status piece_stream(struct reader *r, const struct wfdb_piece *p)
{
    const struct aff_host *host = r->turns.host;
    uint32_t version = r->record.track[p->track].version, schema, stream = 0, i;
    char name[NAME_ROOM];

    if (r->now[p->track].known && r->now[p->track].version == version)
        return AFF_OK;
    schema = track_schema(r, p->track);
    if (!schema)
        return AFF_ERR_MEMORY;
    for (i = 0; i < r->stream_count; i++)
        if (r->stream[i].track == p->track && r->stream[i].schema == schema)
            stream = r->stream[i].stream;
    if (!stream && r->stream_count == STREAMS_MAX)
        return host->explain(host, AFF_ERR_DATA, "record %u of %u: more than %d calibrations of its signals",
                             r->turns.index + 1, r->turns.paths.count, STREAMS_MAX);
    if (!stream) {
        stream_name(r, p->track, name);
        stream = host->stream(host, r->subject, name, schema);
        if (!stream)
            return AFF_ERR_MEMORY;
        r->stream[r->stream_count++] = (struct stream){ p->track, schema, stream };
    }
    r->now[p->track].schema = schema;
    r->now[p->track].stream = stream;
    r->now[p->track].version = version;
    r->now[p->track].known = 1;
    return AFF_OK;
}

static void plane_write16(int16_t *to, const int32_t *from, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++)
        to[i] = from[i] == WFDB_MISSING ? INT16_MIN : (int16_t)from[i];
}

aff_status piece_emit(struct reader *r, const struct wfdb_piece *p, int64_t event_ns)
{
    const struct aff_host *host = r->turns.host;
    const struct wfdb_track *t = &r->record.track[p->track];
    uint8_t format = t->wide ? AFF_I32 : AFF_I16;
    uint32_t size = (uint32_t)aff_samples_size(p->count, t->channels, format);
    struct aff_record *draft = host->reserve(host, PORT_SAMPLES, AFF_NO_INPUT, size);
    struct aff_samples *s;
    uint16_t c;

    if (!draft)
        return AFF_ERR_MEMORY;
    draft->event_ns = event_ns;
    draft->type = AFF_SAMPLES;
    draft->schema = r->now[p->track].schema;
    draft->subject = r->subject;
    draft->stream = r->now[p->track].stream;
    draft->flags = p->gap ? AFF_FLAG_GAP : 0;
    draft->clock = r->clock;
    s = aff_samples_of(draft);
    s->first = p->first;
    s->count = p->count;
    s->channels = t->channels;
    s->format = format;
    s->reserved = 0;
    for (c = 0; c < t->channels; c++) {
        char *plane = aff_plane(draft, c);
        size_t used = (size_t)p->count * aff_sample_width(format);

        if (t->wide)
            memcpy(plane, p->at + c * (size_t)p->stride, used);
        else
            plane_write16((int16_t *)(void *)plane, p->at + c * (size_t)p->stride, p->count);
        /* Equal records have equal bytes: the padding counts. */
        memset(plane + used, 0, aff_plane_stride(p->count, format) - used);
    }
    if (p->gap)
        host->count(host, METRIC_GAPS, 1);
    return host->emit(host, draft, size);
}

aff_status annotation_stream(struct reader *r)
{
    const struct aff_host *host = r->turns.host;

    if (r->annot_stream)
        return AFF_OK;
    r->annot_schema = host->schema(host, &wfdb_annotation_schema);
    if (!r->annot_schema)
        return AFF_ERR_MEMORY;
    r->annot_stream = host->stream(host, r->subject, annotator_of(r), r->annot_schema);
    return r->annot_stream ? AFF_OK : AFF_ERR_MEMORY;
}

/* The frame that an annotation belongs to, also when its clock is a finer one. */
static int64_t annotation_frame(const struct reader *r)
{
    const struct rate *frames = &r->record.layout.rate, *ticks = &r->annots.rate;
    int64_t ns;

    if (frames->num == ticks->num && frames->den == ticks->den)
        return r->next.at;
    ns = r->next_ns - r->begin_ns;
    /* Half a nanosecond more undoes the rounding down of the time. */
    return (int64_t)(((double)ns + 0.5) / 1e9 * (double)frames->num / (double)frames->den);
}

aff_status annotation_emit(struct reader *r)
{
    const struct aff_host *host = r->turns.host;
    const struct wfdb_annotation *n = &r->next;
    const char *label = annots_label(&r->annots, n->code);
    uint32_t label_length = (uint32_t)strlen(label), size = aff_row_size(COLUMNS, label_length + n->text_length);
    struct aff_record *draft = host->reserve(host, PORT_ANNOTATIONS, AFF_NO_INPUT, size);
    struct aff_row row;

    if (!draft)
        return AFF_ERR_MEMORY;
    draft->event_ns = r->next_ns;
    draft->type = AFF_FIELDS;
    draft->schema = r->annot_schema;
    draft->subject = r->subject;
    draft->stream = r->annot_stream;
    draft->flags = 0;
    draft->clock = r->clock;
    row = aff_row_begin(draft, COLUMNS);
    aff_row_put_text(&row, COLUMN_CODE, label, label_length);
    aff_row_put_int(&row, COLUMN_SAMPLE, annotation_frame(r));
    aff_row_put_int(&row, COLUMN_TYPE, n->code);
    aff_row_put_int(&row, COLUMN_SUBTYPE, n->subtype);
    aff_row_put_int(&row, COLUMN_CHANNEL, n->channel);
    aff_row_put_int(&row, COLUMN_NUMBER, n->number);
    if (n->text_length)
        aff_row_put_text(&row, COLUMN_AUX, n->text, n->text_length);
    aff_row_put_int(&row, COLUMN_START, r->begin_ns);
    host->count(host, METRIC_ANNOTATIONS, 1);
    if (r->annots.unordered)
        host->count(host, METRIC_UNORDERED, 1);
    return host->emit(host, draft, aff_row_end(&row));
}
