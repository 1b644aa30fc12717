/* SPDX-License-Identifier: Apache-2.0
 *
 * outputs.c - what came out of a plugin, by port, for the test to take.
 *
 * Records are kept until the harness is closed, so that a test may hold on to
 * what it took. Digests are kept beside them, per port and stream, by name and
 * not by integer: two runs that met their streams in another order compare.
 *
 * Not here: expectations (expect.c). */
#include "kit.h"

#include <math.h>

const struct aff_port *port_at(const struct aff_table *table, uint32_t index)
{
    return (const void *)((const char *)table->items + (size_t)index * table->stride);
}

static uint32_t port_find(const struct aff_table *table, const char *name, const char *way)
{
    uint32_t i;

    for (i = 0; i < table->count; i++)
        if (strcmp(port_at(table, i)->name, name) == 0)
            return i;
    kit_misuse("the plugin has no %s port \"%s\"", way, name);
}

uint32_t input_port(struct aff_harness *h, const char *name)
{
    return port_find(&h->plugin.inputs, name, "input");
}

/* The port behind the last is "query", for archives. */
uint32_t output_port(struct aff_harness *h, const char *name)
{
    if (strcmp(name, "query") == 0 && (h->plugin.flags & AFF_ARCHIVE))
        return h->plugin.outputs.count;
    return port_find(&h->plugin.outputs, name, "output");
}

void *payload_copy(const void *data, size_t size)
{
    void *copy = kit_alloc(size);

    if (size)
        memcpy(copy, data, size);
    return copy;
}

static uint64_t *digest_of(struct aff_harness *h, uint32_t port, uint32_t stream)
{
    struct output *out = &h->outputs[port];
    struct stream *found = stream_get(h, stream);

    if (stream >= out->digest_room) {
        size_t room = stream * 2u + 8u;

        out->digests = realloc(out->digests, room * sizeof *out->digests);
        if (!out->digests)
            kit_misuse("the test itself has no memory left");
        memset(out->digests + out->digest_room, 0, (room - out->digest_room) * sizeof *out->digests);
        out->digest_room = room;
    }
    if (out->digests[stream] == 0) {
        out->digests[stream] = digest_bytes(0, &port, sizeof port);
        if (found) {
            const char *subject = found->info.subject_name;

            out->digests[stream] = digest_bytes(out->digests[stream], subject, strlen(subject) + 1);
            out->digests[stream] = digest_bytes(out->digests[stream], found->name, strlen(found->name) + 1);
        }
    }
    return &out->digests[stream];
}

static void digest_add(struct aff_harness *h, uint32_t port, const struct aff_record *r)
{
    uint64_t *digest = digest_of(h, port, r->stream);
    struct schema *schema = schema_get(h, r->schema);
    uint32_t head[4] = { r->flags, r->type, r->clock, r->size };

    *digest = digest_bytes(*digest, &r->event_ns, sizeof r->event_ns);
    *digest = digest_bytes(*digest, head, sizeof head);
    if (schema)
        *digest = digest_bytes(*digest, &schema->digest, sizeof schema->digest);
    *digest = digest_bytes(*digest, r->data, r->size);
}

uint64_t aff_harness_digest(struct aff_harness *h)
{
    uint64_t sum = 0;
    uint32_t port;
    size_t i;

    (void)aff_harness_flush(h);
    for (port = 0; port < h->plugin.outputs.count; port++)
        for (i = 0; i < h->outputs[port].digest_room; i++)
            sum += h->outputs[port].digests[i];
    return sum;
}

void output_add(struct aff_harness *h, uint32_t port, const struct aff_record *record)
{
    struct output *out = &h->outputs[port];

    digest_add(h, port, record);
    out->records = kit_grow(out->records, out->count, &out->room, sizeof *out->records);
    out->records[out->count] = *record;
    out->records[out->count++].data = payload_copy(record->data, record->size);
}

/* A record that was given out stays where it is: records move when the array
 * grows, so what is given out is a copy of the header. */
const struct aff_record *aff_harness_take(struct aff_harness *h, const char *port)
{
    struct output *out = &h->outputs[output_port(h, port)];
    struct aff_record *header;

    (void)aff_harness_flush(h);
    if (out->next == out->count)
        return NULL;
    header = memory_take(&h->memory, sizeof *header);
    *header = out->records[out->next++];
    return header;
}

size_t aff_harness_waiting(struct aff_harness *h, const char *port)
{
    struct output *out = &h->outputs[output_port(h, port)];

    (void)aff_harness_flush(h);
    return out->count - out->next;
}

void aff_harness_discard(struct aff_harness *h, const char *port)
{
    struct output *out = &h->outputs[output_port(h, port)];

    (void)aff_harness_flush(h);
    while (out->count)
        free(out->records[--out->count].data);
    out->next = 0;
}

const struct aff_schema *aff_harness_schema(struct aff_harness *h, const struct aff_record *record)
{
    struct schema *schema = schema_get(h, record->schema);

    return schema ? &schema->info : NULL;
}

const struct aff_stream_info *aff_harness_stream_info(struct aff_harness *h, uint32_t stream)
{
    struct stream *found = stream_get(h, stream);

    return found ? &found->info : NULL;
}

/* The column's index, or -1 where the row does not have it. */
static int row_column(struct aff_harness *h, const struct aff_record *record, const char *name, uint32_t *ret_columns)
{
    const struct aff_schema *schema = aff_harness_schema(h, record);
    int column;

    if (!schema || record->type != AFF_FIELDS)
        kit_misuse("the record is not a row");
    column = column_find(schema, name);
    if (column < 0)
        kit_misuse("the row's schema has no column \"%s\"", name);
    *ret_columns = schema->count;
    return aff_row_has(record, (uint32_t)column) ? column : -1;
}

double aff_harness_real(struct aff_harness *h, const struct aff_record *record, const char *column)
{
    uint32_t columns;
    int at = row_column(h, record, column, &columns);

    return at < 0 ? (double)NAN : aff_row_real(record, columns, (uint32_t)at);
}

int64_t aff_harness_int(struct aff_harness *h, const struct aff_record *record, const char *column)
{
    uint32_t columns;
    int at = row_column(h, record, column, &columns);

    return at < 0 ? INT64_MIN : aff_row_int(record, columns, (uint32_t)at);
}

const char *aff_harness_text(struct aff_harness *h, const struct aff_record *record, const char *column)
{
    uint32_t columns, length;
    int at = row_column(h, record, column, &columns);
    const char *text = at < 0 ? NULL : aff_row_text(record, columns, (uint32_t)at, &length);
    char *copy;

    if (!text)
        return NULL;
    copy = memory_take(&h->memory, length + 1u);
    memcpy(copy, text, length);
    return copy;
}
