/* SPDX-License-Identifier: Apache-2.0
 *
 * names.c - the small integers of subjects, schemas and streams.
 *
 * Equal names and equal content give equal integers. The integer of a stream
 * that has ended goes to the next new stream with a higher generation, as soon
 * as can be: a plugin that keeps its own array by stream and never looks at the
 * generation shows it here, not after a year at a bedside.
 *
 * Not here: state kept by these integers (state.c). */
#include "kit.h"

#include <ctype.h>

#define SUBJECT_NAME_LEAST 4 /* shorter ones stand in innocent words */

/* FNV-1a, 64 bits (Fowler, Noll, Vo; RFC 9923). */
uint64_t digest_bytes(uint64_t digest, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    size_t i;

    if (digest == 0)
        digest = 0xcbf29ce484222325u;
    for (i = 0; i < size; i++)
        digest = (digest ^ at[i]) * 0x100000001b3u;
    return digest;
}

static uint64_t digest_text(uint64_t digest, const char *text)
{
    return digest_bytes(digest, text ? text : "\1", text ? strlen(text) + 1 : 2);
}

const struct aff_column *column_at(const struct aff_schema *schema, uint32_t index)
{
    return (const void *)((const char *)schema->columns + (size_t)index * schema->stride);
}

int column_find(const struct aff_schema *schema, const char *name)
{
    uint32_t i;

    for (i = 0; i < schema->count; i++)
        if (strcmp(column_at(schema, i)->name, name) == 0)
            return (int)i;
    return -1;
}

static uint64_t digest_schema(const struct aff_schema *schema)
{
    uint64_t digest = digest_bytes(0, &schema->type, 1), rate[2] = { schema->rate_num, schema->rate_den };
    uint32_t i;

    digest = digest_bytes(digest, &schema->format, 1);
    digest = digest_bytes(digest, &schema->label, 1);
    digest = digest_text(digest, schema->name);
    digest = digest_bytes(digest, rate, sizeof rate);
    for (i = 0; i < schema->count; i++) {
        const struct aff_column *c = column_at(schema, i);

        digest = digest_text(digest_text(digest_text(digest, c->name), c->unit), c->code);
        digest = digest_bytes(digest, &c->type, 2); /* and label */
        digest = digest_bytes(digest, &c->gain, sizeof c->gain);
        digest = digest_bytes(digest, &c->baseline, sizeof c->baseline);
    }
    return digest;
}

static void schema_check(struct aff_harness *h, const struct aff_schema *s)
{
    uint32_t i;

    if (s->struct_size < offsetof(struct aff_schema, rate_num))
        kit_breach(h, "a schema's struct_size is %u; expected sizeof(struct aff_schema)", (unsigned)s->struct_size);
    if (s->type < AFF_BYTES || s->type > AFF_IMAGE)
        kit_breach(h, "a schema has the unknown type %u", (unsigned)s->type);
    if (s->count && (!s->columns || s->stride < sizeof(struct aff_column)))
        kit_breach(h, "a schema has columns but no items or stride");
    if (s->type == AFF_SAMPLES && (s->format < AFF_I16 || s->format > AFF_F32 || !s->rate_num || !s->rate_den))
        kit_breach(h, "a schema of samples needs a format and a rate");
    for (i = 0; i < s->count; i++) {
        if (!column_at(s, i)->name)
            kit_breach(h, "column %u of a schema has no name", (unsigned)i);
        if (s->type == AFF_SAMPLES && !(column_at(s, i)->gain != 0.0))
            kit_breach(h, "channel %u of a schema has gain 0", (unsigned)i);
        if (s->type == AFF_FIELDS && (column_at(s, i)->type < AFF_REAL || column_at(s, i)->type > AFF_TEXT))
            kit_breach(h, "column %u of a schema has an unknown type", (unsigned)i);
    }
}

static struct schema *schema_copy(const struct aff_schema *from)
{
    struct schema *schema = kit_alloc(sizeof *schema);
    struct aff_column *columns = kit_alloc(from->count * sizeof *columns);
    uint32_t i;

    schema->info = *from;
    schema->info.struct_size = sizeof schema->info;
    schema->info.name = kit_copy(from->name ? from->name : "");
    for (i = 0; i < from->count; i++) {
        columns[i] = *column_at(from, i);
        columns[i].name = kit_copy(columns[i].name);
        columns[i].unit = columns[i].unit ? kit_copy(columns[i].unit) : NULL;
        columns[i].code = columns[i].code ? kit_copy(columns[i].code) : NULL;
    }
    schema->info.columns = columns;
    schema->info.stride = sizeof *columns;
    schema->digest = digest_schema(from);
    return schema;
}

uint32_t schema_intern(struct aff_harness *h, const struct aff_schema *schema)
{
    struct names *n = &h->names;
    uint64_t digest;
    size_t i;

    schema_check(h, schema);
    digest = digest_schema(schema);
    for (i = 0; i < n->schema_count; i++)
        if (n->schemas[i]->digest == digest)
            return (uint32_t)i + 1;
    n->schemas = kit_grow(n->schemas, n->schema_count, &n->schema_room, sizeof *n->schemas);
    n->schemas[n->schema_count++] = schema_copy(schema);
    return (uint32_t)n->schema_count;
}

uint32_t subject_intern(struct aff_harness *h, const char *name)
{
    struct names *n = &h->names;
    size_t i;

    for (i = 0; i < n->subject_count; i++)
        if (strcmp(n->subjects[i].name, name) == 0)
            return (uint32_t)i + 1;
    n->subjects = kit_grow(n->subjects, n->subject_count, &n->subject_room, sizeof *n->subjects);
    n->subjects[n->subject_count++].name = kit_copy(name);
    return (uint32_t)n->subject_count;
}

struct stream *stream_get(struct aff_harness *h, uint32_t stream)
{
    return stream && stream <= h->names.stream_count ? h->names.streams[stream - 1] : NULL;
}

struct schema *schema_get(struct aff_harness *h, uint32_t schema)
{
    return schema && schema <= h->names.schema_count ? h->names.schemas[schema - 1] : NULL;
}

static uint32_t stream_slot(struct names *n, struct stream *stream)
{
    size_t i;

    for (i = 0; i < n->stream_count && !n->streams[i]->ended; i++)
        ;
    if (i == n->stream_count) {
        n->streams = kit_grow(n->streams, n->stream_count, &n->stream_room, sizeof *n->streams);
        n->stream_count++;
    } else {
        n->retired = kit_grow(n->retired, n->retired_count, &n->retired_room, sizeof *n->retired);
        n->retired[n->retired_count++] = n->streams[i];
        stream->info.generation = n->streams[i]->info.generation + 1;
    }
    n->streams[i] = stream;
    return (uint32_t)i + 1;
}

uint32_t stream_intern(struct aff_harness *h, uint32_t subject, const char *name, uint32_t schema)
{
    struct names *n = &h->names;
    struct stream *stream;
    size_t i;

    if (!subject || subject > n->subject_count)
        kit_breach(h, "a stream is of subject %u, which is not one of host->subject", (unsigned)subject);
    if (!schema_get(h, schema))
        kit_breach(h, "a stream has schema %u, which is not one of host->schema", (unsigned)schema);
    for (i = 0; i < n->stream_count; i++) {
        stream = n->streams[i];
        if (!stream->ended && stream->info.subject == subject && stream->info.schema == schema &&
            strcmp(stream->name, name) == 0)
            return (uint32_t)i + 1;
    }
    stream = kit_alloc(sizeof *stream);
    stream->name = kit_copy(name);
    stream->event_ns = stream->last_ns = 1704067200000000000; /* 2024-01-01 */
    stream->info.subject = subject;
    stream->info.schema = schema;
    stream->info.name = stream->name;
    stream->info.subject_name = n->subjects[subject - 1].name;
    stream->info.stream = stream_slot(n, stream);
    return stream->info.stream;
}

void stream_retire(struct aff_harness *h, uint32_t stream)
{
    stream_get(h, stream)->ended = 1;
}

static int is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

const char *subject_inside(struct aff_harness *h, const char *text)
{
    size_t i;

    for (i = 0; i < h->names.subject_count; i++) {
        const char *name = h->names.subjects[i].name, *at = text;
        size_t length = strlen(name);

        if (length < SUBJECT_NAME_LEAST)
            continue;
        for (at = strstr(at, name); at; at = strstr(at + 1, name))
            if ((at == text || !is_word(at[-1])) && !is_word(at[length]))
                return name;
    }
    return NULL;
}

static void schema_free(struct schema *schema)
{
    struct aff_column *columns = (struct aff_column *)(uintptr_t)schema->info.columns;
    uint32_t i;

    for (i = 0; i < schema->info.count; i++) {
        free((char *)(uintptr_t)columns[i].name);
        free((char *)(uintptr_t)columns[i].unit);
        free((char *)(uintptr_t)columns[i].code);
    }
    free(columns);
    free((char *)(uintptr_t)schema->info.name);
    free(schema);
}

static void stream_free(struct stream *stream)
{
    free(stream->name);
    free(stream);
}

void names_free(struct names *n)
{
    while (n->subject_count)
        free(n->subjects[--n->subject_count].name);
    while (n->schema_count)
        schema_free(n->schemas[--n->schema_count]);
    while (n->stream_count)
        stream_free(n->streams[--n->stream_count]);
    while (n->retired_count)
        stream_free(n->retired[--n->retired_count]);
    free(n->subjects);
    free(n->schemas);
    free(n->streams);
    free(n->retired);
}
