/* SPDX-License-Identifier: Apache-2.0
 *
 * afferent/payload.h - reading and writing of `samples` and `fields` payloads.
 *
 * Inline helpers over the layouts that plugin.h describes in section 2; part of
 * it, and included by it. Nothing here calls the host. */
#ifndef AFFERENT_PAYLOAD_H
#define AFFERENT_PAYLOAD_H

#include <afferent/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The head and the planes of a samples record. */
static inline struct aff_samples *aff_samples_of(const struct aff_record *record)
{
    return (struct aff_samples *)record->data;
}

static inline uint32_t aff_sample_width(uint8_t format)
{
    return format == AFF_I16 ? 2u : 4u;
}

/* Bytes from one plane's beginning to the next one's. */
static inline size_t aff_plane_stride(uint32_t count, uint8_t format)
{
    return ((size_t)count * aff_sample_width(format) + 7u) & ~(size_t)7u;
}

static inline size_t aff_samples_size(uint32_t count, uint16_t channels, uint8_t format)
{
    return sizeof(struct aff_samples) + channels * aff_plane_stride(count, format);
}

static inline void *aff_plane(const struct aff_record *record, uint16_t channel)
{
    struct aff_samples *s = (struct aff_samples *)record->data;

    return (char *)(s + 1) + channel * aff_plane_stride(s->count, s->format);
}

/* Whether a samples record is whole: the planes that its head announces are in
 * it. A host checks this on each edge; a reader of files may use it too. */
static inline int aff_samples_ok(const void *data, size_t size)
{
    const struct aff_samples *s = (const struct aff_samples *)data;

    if (size < sizeof *s || s->format < AFF_I16 || s->format > AFF_F32)
        return 0;
    return size >= aff_samples_size(s->count, s->channels, s->format);
}

/* Reading a row. `columns` is the schema's count; a column must be below it. */
static inline uint32_t aff_row_words(uint32_t columns)
{
    return (columns + 63u) / 64u;
}

static inline int aff_row_has(const struct aff_record *record, uint32_t column)
{
    return (int)((((const uint64_t *)record->data)[column / 64u] >> (column % 64u)) & 1u);
}

static inline double aff_row_real(const struct aff_record *record, uint32_t columns, uint32_t column)
{
    return ((const double *)record->data)[aff_row_words(columns) + column];
}

static inline int64_t aff_row_int(const struct aff_record *record, uint32_t columns, uint32_t column)
{
    return ((const int64_t *)record->data)[aff_row_words(columns) + column];
}

/* Borrowed with the record; NULL and length 0 where the place is not inside. */
static inline const char *aff_row_text(const struct aff_record *record, uint32_t columns,
                                       uint32_t column, uint32_t *ret_length)
{
    uint64_t cell = ((const uint64_t *)record->data)[aff_row_words(columns) + column];
    uint32_t offset = (uint32_t)cell, length = (uint32_t)(cell >> 32);

    *ret_length = 0;
    if (offset > record->size || length > record->size - offset)
        return NULL;
    *ret_length = length;
    return (const char *)record->data + offset;
}

/* Writing a row. Reserve aff_row_size(columns, bytes of all texts), begin, put,
 * and emit with aff_row_end(). */
struct aff_row {
    uint64_t *cells; /* presence words, then cells */
    uint32_t columns;
    uint32_t used; /* bytes */
};

static inline uint32_t aff_row_size(uint32_t columns, uint32_t text_bytes)
{
    return (aff_row_words(columns) + columns) * 8u + text_bytes;
}

static inline struct aff_row aff_row_begin(struct aff_record *draft, uint32_t columns)
{
    struct aff_row row;
    uint32_t i;

    row.cells = (uint64_t *)draft->data;
    row.columns = columns;
    row.used = aff_row_size(columns, 0);
    for (i = 0; i < row.used / 8u; i++)
        row.cells[i] = 0;
    return row;
}

static inline uint64_t *aff_row__cell(struct aff_row *row, uint32_t column)
{
    row->cells[column / 64u] |= (uint64_t)1 << (column % 64u);
    return row->cells + aff_row_words(row->columns) + column;
}

static inline void aff_row_put_real(struct aff_row *row, uint32_t column, double value)
{
    *(double *)(void *)aff_row__cell(row, column) = value;
}

static inline void aff_row_put_int(struct aff_row *row, uint32_t column, int64_t value)
{
    *(int64_t *)(void *)aff_row__cell(row, column) = value;
}

static inline void aff_row_put_text(struct aff_row *row, uint32_t column, const char *text, uint32_t length)
{
    uint32_t i;

    *aff_row__cell(row, column) = (uint64_t)length << 32 | row->used;
    for (i = 0; i < length; i++)
        ((char *)row->cells)[row->used + i] = text[i];
    row->used += length;
}

static inline uint32_t aff_row_end(const struct aff_row *row)
{
    return row->used;
}

#ifdef __cplusplus
}
#endif
#endif
