/* SPDX-License-Identifier: Apache-2.0
 *
 * making.c - pieces and annotations become host records. See reader.h. */
#include "reader.h"

#include <string.h>

static int is_wide(const struct reader *r)
{
    return r->data.header.width == 3;
}

/* The schema of a track; 0: no room. */
static uint32_t track_schema(struct reader *r, uint32_t track)
{
    const struct aff_host *host = r->turns.host;
    const struct edf_header *h = &r->data.header;
    struct aff_schema s;
    uint32_t i;

    memset(&s, 0, sizeof s);
    memset(r->column, 0, sizeof r->column);
    for (i = 0; i < h->signals; i++) {
        const struct edf_signal *from = &h->signal[i];
        struct aff_column *to = &r->column[from->index];

        if (from->track != (int16_t)track)
            continue;
        to->name = from->label;
        to->unit = from->unit[0] ? from->unit : NULL;
        to->label = AFF_LABEL_PHI;
        to->gain = from->gain;
        to->baseline = from->baseline;
    }
    s.struct_size = sizeof s;
    s.type = AFF_SAMPLES;
    s.format = is_wide(r) ? AFF_I32 : AFF_I16;
    s.label = AFF_LABEL_PHI;
    s.name = "edf";
    s.columns = r->column;
    s.count = r->tracks.track[track].channels;
    s.stride = sizeof r->column[0];
    s.rate_num = r->tracks.track[track].rate.num;
    s.rate_den = r->tracks.track[track].rate.den;
    return host->schema(host, &s);
}

/* Makes sure that the track's stream is known: "200Hz". */
aff_status piece_stream(struct reader *r, uint32_t track)
{
    const struct aff_host *host = r->turns.host;
    char name[RATE_TEXT];

    if (r->now[track].stream)
        return AFF_OK;
    r->now[track].schema = track_schema(r, track);
    if (!r->now[track].schema)
        return AFF_ERR_MEMORY;
    rate_text(name, &r->tracks.track[track].rate);
    r->now[track].stream = host->stream(host, r->subject, name, r->now[track].schema);
    return r->now[track].stream ? AFF_OK : AFF_ERR_MEMORY;
}

aff_status piece_emit(struct reader *r, const struct edf_piece *p)
{
    const struct aff_host *host = r->turns.host;
    uint16_t channels = r->tracks.track[p->track].channels, c;
    uint8_t format = is_wide(r) ? AFF_I32 : AFF_I16;
    size_t used = (size_t)p->count * aff_sample_width(format), stride = aff_plane_stride(p->count, format);
    uint32_t size = (uint32_t)aff_samples_size(p->count, channels, format);
    struct aff_record *draft = host->reserve(host, PORT_SAMPLES, AFF_NO_INPUT, size);
    struct aff_samples *s;
    struct fault f;

    if (!draft)
        return AFF_ERR_MEMORY;
    draft->event_ns = p->event_ns;
    draft->type = AFF_SAMPLES;
    draft->schema = r->now[p->track].schema;
    draft->subject = r->subject;
    draft->stream = r->now[p->track].stream;
    draft->flags = (uint16_t)((p->gap ? AFF_FLAG_GAP : 0) | (p->suspect ? AFF_FLAG_SUSPECT : 0));
    draft->clock = r->clock;
    s = aff_samples_of(draft);
    s->first = p->first;
    s->count = p->count;
    s->channels = channels;
    s->format = format;
    s->reserved = 0;
    if (tracks_read(&r->tracks, p, aff_plane(draft, 0), stride, &f))
        return file_fault(r, &f);
    for (c = 0; c < channels; c++) /* equal records have equal bytes: the padding counts */
        memset((char *)aff_plane(draft, c) + used, 0, stride - used);
    if (p->gap)
        host->count(host, METRIC_GAPS, 1);
    return host->emit(host, draft, size);
}

aff_status mark_stream(struct reader *r)
{
    const struct aff_host *host = r->turns.host;

    if (r->annot_stream)
        return AFF_OK;
    r->annot_schema = host->schema(host, &edf_annotation_schema);
    if (!r->annot_schema)
        return AFF_ERR_MEMORY;
    r->annot_stream = host->stream(host, r->subject, "annotations", r->annot_schema);
    return r->annot_stream ? AFF_OK : AFF_ERR_MEMORY;
}

/* Finds the mark's text in its list, and makes UTF-8 of it in ->text. */
static aff_status mark_fetch(struct reader *r, const struct edf_mark *m, struct tal *t, uint32_t *ret_length,
                             int *ret_latin)
{
    struct fault f;
    const uint8_t *bytes = marks_bytes(&r->marks, m, &f), *text = NULL;
    size_t at = 0, size = 0;
    uint32_t n;

    if (!bytes)
        return file_fault(r, &f);
    if (tal_read(t, bytes, m->size) == TAL_WHOLE)
        for (n = 0; n <= m->text && tal_text(t, &at, &text, &size); n++)
            ;
    if (!text) {
        (void)fault(&f, 0, "the file changed while it was read");
        f.missing = 1;
        return file_fault(r, &f);
    }
    *ret_length = (uint32_t)tal_utf8(r->text, text, size, ret_latin);
    return AFF_OK;
}

aff_status mark_emit(struct reader *r, const struct edf_mark *m, int64_t event_ns)
{
    const struct aff_host *host = r->turns.host;
    struct aff_record *draft;
    struct aff_row row;
    struct tal t;
    uint32_t length = 0;
    int latin = 0;
    aff_status st = mark_fetch(r, m, &t, &length, &latin);

    if (st != AFF_OK)
        return st;
    draft = host->reserve(host, PORT_ANNOTATIONS, AFF_NO_INPUT, aff_row_size(COLUMNS, length));
    if (!draft)
        return AFF_ERR_MEMORY;
    draft->event_ns = event_ns;
    draft->type = AFF_FIELDS;
    draft->schema = r->annot_schema;
    draft->subject = r->subject;
    draft->stream = r->annot_stream;
    draft->flags = 0;
    draft->clock = r->clock;
    row = aff_row_begin(draft, COLUMNS);
    aff_row_put_text(&row, COLUMN_TEXT, r->text, length);
    aff_row_put_real(&row, COLUMN_ONSET, (double)t.onset_ns / 1e9);
    if (t.duration_ns >= 0)
        aff_row_put_real(&row, COLUMN_DURATION, (double)t.duration_ns / 1e9);
    aff_row_put_int(&row, COLUMN_RECORD, m->record);
    aff_row_put_int(&row, COLUMN_START, r->base_ns);
    host->count(host, METRIC_ANNOTATIONS, 1);
    if (latin)
        event_tell(r, EVENT_LATIN);
    if (event_ns < r->last_ns)
        host->count(host, METRIC_UNORDERED, 1);
    return host->emit(host, draft, aff_row_end(&row));
}

/* Sets the list aside; the plugin's verdicts are in the order of enum tal_fault. */
aff_status mark_dead(struct reader *r, const struct edf_mark *m)
{
    struct fault f;
    const uint8_t *bytes = marks_bytes(&r->marks, m, &f);

    if (!bytes)
        return file_fault(r, &f);
    return r->turns.host->dead(r->turns.host, AFF_NO_INPUT, m->fault, m->offset, bytes, m->size);
}
