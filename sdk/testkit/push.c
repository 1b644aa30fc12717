/* SPDX-License-Identifier: Apache-2.0
 *
 * push.c - input records, built from what is easy to write in a test.
 *
 * Each push fills a header the way a source and host would, checks that it is
 * one which a real pipeline lets through to this port, and puts it in the queue
 * of pending records.
 *
 * Not here: when the queue is delivered (deliver.c). */
#include "kit.h"

#include <stdio.h>

uint32_t aff_harness_stream(struct aff_harness *h, const char *subject, const char *stream,
                            const struct aff_schema *schema)
{
    return stream_intern(h, subject_intern(h, subject), stream, schema_intern(h, schema));
}

uint32_t aff_harness_samples_stream(struct aff_harness *h, const char *stream, uint8_t format,
                                    uint16_t channels, uint32_t rate_hz)
{
    struct aff_column *columns = kit_alloc(channels * sizeof *columns);
    char(*names)[16] = kit_alloc(channels * sizeof *names);
    struct aff_schema schema = { sizeof schema, AFF_SAMPLES, format, AFF_LABEL_PHI, 0, stream,
                                 columns, channels, sizeof *columns, rate_hz, 1 };
    uint16_t i;
    uint32_t made;

    for (i = 0; i < channels; i++) {
        (void)snprintf(names[i], sizeof names[i], "ch%u", (unsigned)i);
        columns[i].name = names[i];
        columns[i].unit = "mV";
        columns[i].gain = 200.0;
    }
    made = aff_harness_stream(h, "Testperson", stream, &schema);
    free(columns);
    free(names);
    return made;
}

void aff_harness_cut(struct aff_harness *h, uint32_t records)
{
    if (records > 64)
        kit_misuse("a batch has at most 64 records");
    (void)aff_harness_flush(h);
    h->cut = records;
    h->next_cut = 0;
}

static struct stream *stream_of(struct aff_harness *h, uint32_t stream)
{
    struct stream *found = stream_get(h, stream);

    if (!found || found->ended)
        kit_misuse("stream %u is unknown or has ended", (unsigned)stream);
    return found;
}

void aff_harness_seek(struct aff_harness *h, uint32_t stream, int64_t first, int64_t event_ns)
{
    stream_of(h, stream)->first = first;
    stream_of(h, stream)->event_ns = event_ns;
}

/* What a real host refuses at this port, before it runs. */
static void port_check(const struct aff_port *port, const struct aff_record *r, const struct aff_schema *schema)
{
    uint32_t i;

    if (!(port->types & AFF_MASK(r->type)))
        kit_misuse("port %s does not take payload type %u", port->name, (unsigned)r->type);
    for (i = 0; port->schema && i < port->schema->count; i++)
        if (column_at(port->schema, i)->required && column_find(schema, column_at(port->schema, i)->name) < 0)
            kit_misuse("port %s needs column %s; the stream's schema lacks it", port->name,
                       column_at(port->schema, i)->name);
    if (r->type == AFF_SAMPLES && !aff_samples_ok(r->data, r->size))
        kit_misuse("the samples of a pushed record are not whole");
    if (r->type == AFF_SAMPLES && aff_samples_of(r)->channels != schema->count)
        kit_misuse("a pushed record has other channels than its schema");
}

aff_status aff_harness_push_record(struct aff_harness *h, const char *port, const struct aff_record *record)
{
    struct stream *stream = stream_of(h, record->stream);
    uint32_t input = input_port(h, port);
    struct pending *p;

    if (!h->is_started || h->is_drained)
        kit_misuse("a record is pushed before start or after drain");
    if (h->is_over)
        kit_misuse("a record is pushed to a plugin that has ended (status %d)", (int)h->status);
    h->pending = kit_grow(h->pending, h->pending_count, &h->pending_room, sizeof *h->pending);
    p = &h->pending[h->pending_count];
    p->port = input;
    p->record = *record;
    p->record.id.source = h->source_id;
    p->record.id.seq = h->ledger.in;
    p->record.seen_ns = h->boot_ns;
    p->record.subject = stream->info.subject;
    p->record.schema = stream->info.schema;
    p->record.type = schema_get(h, stream->info.schema)->info.type;
    port_check(port_at(&h->plugin.inputs, input), &p->record, &schema_get(h, stream->info.schema)->info);
    p->record.data = payload_copy(record->data, record->size);
    stream->last_ns = record->event_ns;
    h->pending_count++;
    h->ledger.in++;
    return deliver(h, 0);
}

static int64_t samples_ns(const struct aff_schema *schema, uint32_t count)
{
    return (int64_t)((uint64_t)count * 1000000000u * schema->rate_den / schema->rate_num);
}

aff_status aff_harness_push_samples(struct aff_harness *h, const char *port, uint32_t stream,
                                    const void *planes, uint32_t count, uint16_t flags)
{
    struct stream *found = stream_of(h, stream);
    const struct aff_schema *schema = &schema_get(h, found->info.schema)->info;
    size_t plane = (size_t)count * aff_sample_width(schema->format);
    struct aff_record record;
    struct aff_samples *head;
    uint16_t c;
    aff_status status;

    if (schema->type != AFF_SAMPLES)
        kit_misuse("stream %u is not one of samples", (unsigned)stream);
    memset(&record, 0, sizeof record);
    record.stream = stream;
    record.event_ns = found->event_ns;
    record.clock = AFF_CLOCK_RECORDED;
    record.flags = flags;
    record.size = (uint32_t)aff_samples_size(count, (uint16_t)schema->count, schema->format);
    record.data = head = kit_alloc(record.size);
    head->first = found->first;
    head->count = count;
    head->channels = (uint16_t)schema->count;
    head->format = schema->format;
    for (c = 0; c < head->channels; c++)
        memcpy(aff_plane(&record, c), (const char *)planes + c * plane, plane);
    found->first += count;
    found->event_ns += samples_ns(schema, count);
    status = aff_harness_push_record(h, port, &record);
    free(record.data);
    return status;
}

aff_status aff_harness_push_row(struct aff_harness *h, const char *port, uint32_t stream,
                                const struct aff_cell *cells, uint32_t count)
{
    struct stream *found = stream_of(h, stream);
    const struct aff_schema *schema = &schema_get(h, found->info.schema)->info;
    struct aff_record record;
    struct aff_row row;
    uint32_t i, texts = 0;
    aff_status status;

    if (schema->type != AFF_FIELDS || count != schema->count)
        kit_misuse("a row of %u cells is pushed; the stream's schema has %u columns", (unsigned)count,
                   (unsigned)schema->count);
    for (i = 0; i < count; i++)
        texts += cells[i].given == 3 ? (uint32_t)strlen(cells[i].text) : 0;
    memset(&record, 0, sizeof record);
    record.stream = stream;
    record.event_ns = found->event_ns;
    record.clock = AFF_CLOCK_RECORDED;
    record.data = kit_alloc(aff_row_size(count, texts));
    row = aff_row_begin(&record, count);
    for (i = 0; i < count; i++) {
        if (cells[i].given == 1)
            aff_row_put_real(&row, i, cells[i].real);
        else if (cells[i].given == 2)
            aff_row_put_int(&row, i, cells[i].integer);
        else if (cells[i].given == 3)
            aff_row_put_text(&row, i, cells[i].text, (uint32_t)strlen(cells[i].text));
    }
    record.size = aff_row_end(&row);
    status = aff_harness_push_record(h, port, &record);
    free(record.data);
    return status;
}

static uint32_t quick_make(struct aff_harness *h, const char *port, const char *what, uint32_t format)
{
    struct aff_schema schema = { sizeof schema, AFF_BYTES, 0, AFF_LABEL_PHI, 0, what, NULL, 0, 0, 0, 0 };
    char name[64];

    (void)snprintf(name, sizeof name, "%s-%s", port, what);
    if (format)
        return aff_harness_samples_stream(h, name, (uint8_t)format, 1, 250);
    return aff_harness_stream(h, "Testperson", name, &schema);
}

aff_status aff_harness_push(struct aff_harness *h, const char *port, const char *what, const void *data, size_t size)
{
    static const char *const kinds[] = { "bytes", "samples/i16", "samples/i32", "samples/f32" };
    struct aff_record record;
    uint32_t format, *stream;
    aff_status status;

    for (format = 0; format < 4 && strcmp(what, kinds[format]); format++)
        ;
    if (format == 4)
        kit_misuse("\"%s\" is not one of bytes, samples/i16, samples/i32, samples/f32", what);
    stream = &h->quick_stream[input_port(h, port) * 4 + format];
    if (!*stream || stream_get(h, *stream)->ended)
        *stream = quick_make(h, port, what, format);
    if (format)
        return aff_harness_push_samples(h, port, *stream, data,
                                        (uint32_t)(size / aff_sample_width((uint8_t)format)), 0);
    memset(&record, 0, sizeof record);
    record.stream = *stream;
    record.event_ns = stream_get(h, *stream)->event_ns;
    record.clock = AFF_CLOCK_RECORDED;
    record.data = payload_copy(data, size);
    record.size = (uint32_t)size;
    status = aff_harness_push_record(h, port, &record);
    free(record.data);
    return status;
}

/* What was offered and not taken waits for retry or the clock. */
aff_status aff_harness_flush(struct aff_harness *h)
{
    answers_settle(h);
    if (!h->is_started || h->pending_count + h->resend_count == 0)
        return AFF_OK;
    return deliver(h, 1);
}
