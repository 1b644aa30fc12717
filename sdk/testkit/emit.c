/* SPDX-License-Identifier: Apache-2.0
 *
 * emit.c - host->reserve, host->emit and host->stream_end.
 *
 * A draft lies in guarded memory filled with 0xa5, so a plugin that counts on
 * zeros, or writes one byte too many, is seen. What is emitted waits in the
 * call's own list until the callback returned and its place among the inputs is
 * known.
 *
 * A later host may let emitted records flow while reserve waits. So a reserve
 * for input i makes the verdicts before i final here, and inputs only rise.
 *
 * Not here: where the records go (deliver.c), held ones (hold.c). */
#include "host.h"

static void draft_drop(struct aff_harness *h)
{
    struct call *c = &h->call;

    if (!c->has_draft)
        return;
    guard_retire(c->draft.header);
    guard_retire(c->draft.payload);
    c->has_draft = 0;
}

void emits_reset(struct aff_harness *h)
{
    struct call *c = &h->call;

    h->ledger.forgotten += (uint64_t)c->has_draft;
    draft_drop(h);
    while (c->emit_count)
        free(c->emits[--c->emit_count].record.data);
    free(c->emits);
    while (c->release_count)
        free(c->releases[--c->release_count].record.data);
    free(c->releases);
    free(c->asides);
    memset(c, 0, sizeof *c);
}

static void makes_check(struct aff_harness *h, const char *call, uint32_t port)
{
    data_only(h, call);
    if (h->callback == CB_SNAPSHOT || h->callback == CB_RESTORE)
        kit_breach(h, "host->%s does not belong here: snapshot and restore make no records", call);
    if (h->is_over && h->plugin.kind == AFF_SOURCE)
        kit_breach(h, "host->%s was called after AFF_END", call);
    if (port >= h->plugin.outputs.count)
        kit_breach(h, "host->%s was called with output %u; the table has %u", call, (unsigned)port,
                   (unsigned)h->plugin.outputs.count);
}

static void freeze(struct aff_harness *h, uint32_t input)
{
    struct call *c = &h->call;

    if (!c->batch)
        kit_breach(h, "host->reserve names input %u, but there is no batch; expected AFF_NO_INPUT", (unsigned)input);
    if (input >= c->batch->count)
        kit_breach(h, "host->reserve names input %u of a batch of %u", (unsigned)input, (unsigned)c->batch->count);
    if (input < c->frozen_count)
        kit_breach(h, "host->reserve names input %u after input %u; inputs rise in a batch", (unsigned)input,
                   (unsigned)c->frozen_count);
    for (; c->frozen_count < input; c->frozen_count++)
        c->frozen[c->frozen_count] = c->batch->verdicts[c->frozen_count];
}

static struct aff_record derive(const struct aff_record *from)
{
    struct aff_record record;

    memset(&record, 0, sizeof record);
    if (!from)
        return record;
    record.event_ns = from->event_ns;
    record.seen_ns = from->seen_ns;
    record.subject = from->subject;
    record.stream = from->stream;
    record.flags = (uint16_t)(from->flags & ~AFF_FLAG_END);
    record.clock = from->clock;
    return record;
}

struct aff_record *host_reserve(const struct aff_host *host, uint32_t port, uint32_t input, uint32_t size)
{
    struct aff_harness *h = host_enter(host, "reserve");
    const struct aff_schema *schema;
    struct call *c = &h->call;
    struct aff_record record;

    makes_check(h, "reserve", port);
    if (input != AFF_NO_INPUT)
        freeze(h, input);
    h->ledger.forgotten += (uint64_t)c->has_draft;
    draft_drop(h);
    if (call_fails(h, "reserve"))
        return NULL;
    if (size > h->max_record) {
        memcpy(h->cause, "a record is larger than max_record", sizeof "a record is larger than max_record");
        return NULL;
    }
    if (input == AFF_NO_INPUT)
        record = derive(c->due ? c->due : c->mark);
    else
        record = derive(&c->batch->records[input]);
    schema = port_at(&h->plugin.outputs, port)->schema;
    if (schema) {
        record.schema = schema_intern(h, schema);
        record.type = schema->type;
    }
    c->draft.header = guard_new(sizeof record, "a draft's header");
    c->draft.payload = guard_new(size, "a draft's payload");
    c->draft.port = port;
    c->draft.input = input;
    c->has_draft = 1;
    record.data = c->draft.payload->data;
    record.size = size;
    memcpy(c->draft.header->data, &record, sizeof record);
    return (struct aff_record *)(void *)c->draft.header->data;
}

static void samples_check(struct aff_harness *h, const struct aff_record *r, const struct aff_schema *schema)
{
    const struct aff_samples *s = aff_samples_of(r);

    if (!aff_samples_ok(r->data, r->size))
        kit_breach(h, "emitted samples are not whole: the head announces more than %u bytes", (unsigned)r->size);
    if (s->channels != schema->count || s->format != schema->format)
        kit_breach(h, "emitted samples have %u channels of format %u; their schema says %u of %u",
                   (unsigned)s->channels, (unsigned)s->format, (unsigned)schema->count, (unsigned)schema->format);
}

static void row_check(struct aff_harness *h, const struct aff_record *r, const struct aff_schema *schema)
{
    uint32_t i, length, least = aff_row_size(schema->count, 0);

    if (r->size < least)
        kit_breach(h, "an emitted row has %u bytes; its schema needs %u", (unsigned)r->size, (unsigned)least);
    for (i = 0; i < schema->count; i++) {
        const struct aff_column *c = column_at(schema, i);

        if (!aff_row_has(r, i)) {
            if (c->required)
                kit_breach(h, "an emitted row lacks column %s, which its schema requires", c->name);
            continue;
        }
        if (c->type == AFF_TEXT && (!aff_row_text(r, schema->count, i, &length) ||
                                    (uint32_t)((const uint64_t *)r->data)[aff_row_words(schema->count) + i] < least))
            kit_breach(h, "the text of column %s lies outside of the emitted row", c->name);
        if (c->type == AFF_BOOL && (uint64_t)aff_row_int(r, schema->count, i) > 1)
            kit_breach(h, "column %s is a BOOL and neither 0 nor 1", c->name);
    }
}

/* A port with a schema promises its columns to whoever is wired to it. */
static void promise_check(struct aff_harness *h, const struct aff_port *port, const struct aff_schema *schema)
{
    uint32_t i;
    int found;

    for (i = 0; port->schema && i < port->schema->count; i++) {
        const struct aff_column *wanted = column_at(port->schema, i);

        found = column_find(schema, wanted->name);
        if (found < 0)
            kit_breach(h, "output %s promises column %s; the record's schema lacks it", port->name, wanted->name);
        if (schema->type == AFF_FIELDS && column_at(schema, (uint32_t)found)->type != wanted->type)
            kit_breach(h, "output %s promises another type for column %s", port->name, wanted->name);
    }
}

/* The type is the schema's: a draft that says none has it from there. */
static void type_check(struct aff_harness *h, struct aff_record *r, const struct aff_port *port)
{
    struct schema *schema = schema_get(h, r->schema);

    if (!schema)
        kit_breach(h, "the record's schema %u is not one of host->schema; set it before emit", (unsigned)r->schema);
    if (r->type == 0)
        r->type = schema->info.type;
    if (schema->info.type != r->type)
        kit_breach(h, "the record's type %u is not its schema's (%u)", (unsigned)r->type,
                   (unsigned)schema->info.type);
    if (!(port->types & AFF_MASK(r->type)))
        kit_breach(h, "the record's type %u is not one of output %s", (unsigned)r->type, port->name);
}

static void record_check(struct aff_harness *h, struct aff_record *r, const struct aff_port *port)
{
    struct schema *schema;
    struct stream *stream = stream_get(h, r->stream);

    type_check(h, r, port);
    schema = schema_get(h, r->schema);
    if (!stream || stream->ended)
        kit_breach(h, "the record's stream %u is unknown or has ended", (unsigned)r->stream);
    if (stream->info.subject != r->subject)
        kit_breach(h, "the record's subject %u is not its stream's (%u)", (unsigned)r->subject,
                   (unsigned)stream->info.subject);
    if (h->plugin.kind == AFF_SOURCE && stream->info.schema != r->schema)
        kit_breach(h, "the record's schema %u is not its stream's (%u)", (unsigned)r->schema,
                   (unsigned)stream->info.schema);
    if (r->flags & AFF_FLAG_END)
        kit_breach(h, "AFF_FLAG_END is the host's; call host->stream_end");
    if (r->clock > AFF_CLOCK_SYNCED)
        kit_breach(h, "the record's clock %u is unknown", (unsigned)r->clock);
    if (r->type == AFF_SAMPLES)
        samples_check(h, r, &schema->info);
    if (r->type == AFF_FIELDS)
        row_check(h, r, &schema->info);
    promise_check(h, port, &schema->info);
}

/* After the record's node, its input and a small index; a source counts. */
static struct aff_id emit_id(struct aff_harness *h, uint32_t input)
{
    const struct call *c = &h->call;
    struct aff_id id = { h->node_id, 0 };
    uint64_t index = 0;
    size_t i;

    if (h->plugin.kind == AFF_SOURCE && input == AFF_NO_INPUT) {
        id.source = h->source_id;
        id.seq = h->next_seq++;
        return id;
    }
    if (h->callback == CB_TIMER) {
        index = c->emit_count;
        id.seq = digest_bytes(digest_bytes(0, &index, sizeof index), &c->due->event_ns, sizeof c->due->event_ns);
        id.seq ^= digest_bytes(7, h->names.subjects[c->due->subject - 1].name,
                               strlen(h->names.subjects[c->due->subject - 1].name));
        return id;
    }
    if (input == AFF_NO_INPUT) {
        id.seq = h->next_made++;
        return id;
    }
    for (i = 0; i < c->emit_count; i++)
        index += c->emits[i].input == input;
    id.seq = digest_bytes(digest_bytes(0, &c->batch->records[input].id, sizeof id), &index, sizeof index);
    return id;
}

/* Its own id, that does not lead back. */
static void rewritten_check(struct aff_harness *h, const struct aff_record *r, uint32_t input)
{
    const struct aff_id *from = input == AFF_NO_INPUT ? NULL : &h->call.batch->records[input].id;

    if (!r->id.source && !r->id.seq)
        kit_breach(h, "a node that rewrites emitted a record without an id; set draft->id");
    if (from && (r->id.source == from->source || r->id.seq == from->seq))
        kit_breach(h, "a node that rewrites emitted a record with the id of its input");
}

/* That of another node: not one of those that the host makes for this one. */
static void kept_check(const struct aff_harness *h, const struct aff_record *r)
{
    if (!r->id.source && !r->id.seq)
        kit_breach(h, "a source that keeps ids emitted a record without one; set draft->id");
}

static void emit_add(struct aff_harness *h, const struct aff_record *record, uint32_t port, uint32_t input)
{
    struct call *c = &h->call;
    struct emit *e;

    c->emits = kit_grow(c->emits, c->emit_count, &c->emit_room, sizeof *c->emits);
    e = &c->emits[c->emit_count];
    e->record = *record;
    if (h->plugin.flags & AFF_REWRITES && !(record->flags & AFF_FLAG_END))
        rewritten_check(h, record, input);
    else if (h->plugin.flags & AFF_KEEPS_IDS && input == AFF_NO_INPUT && !(record->flags & AFF_FLAG_END))
        kept_check(h, record);
    else
        e->record.id = emit_id(h, input);
    e->record.data = payload_copy(record->data, record->size);
    e->port = port;
    e->input = input;
    e->after = input == AFF_NO_INPUT ? c->frozen_count : input + 1;
    c->emit_count++;
}

aff_status host_emit(const struct aff_host *host, struct aff_record *draft, uint32_t size)
{
    struct aff_harness *h = host_enter(host, "emit");
    struct call *c = &h->call;
    struct aff_record record;

    data_only(h, "emit");
    if (!c->has_draft || (void *)draft != (void *)c->draft.header->data)
        kit_breach(h, "host->emit was given a draft that reserve did not return last");
    if (size > c->draft.payload->size)
        kit_breach(h, "host->emit was called with %u bytes; %zu were reserved", (unsigned)size,
                   c->draft.payload->size);
    if (!guard_intact(c->draft.payload) || !guard_intact(c->draft.header))
        kit_breach(h, "wrote beyond the %zu bytes that were reserved", c->draft.payload->size);
    memcpy(&record, draft, sizeof record);
    if (record.data != c->draft.payload->data)
        kit_breach(h, "draft->data was changed before emit");
    if (h->callback == CB_READ && c->want-- == 0)
        kit_breach(h, "emitted more records than read's want");
    record.size = size;
    if (h->plugin.kind == AFF_SOURCE)
        record.seen_ns = h->boot_ns;
    record_check(h, &record, port_at(&h->plugin.outputs, c->draft.port));
    emit_add(h, &record, c->draft.port, c->draft.input);
    draft_drop(h);
    return AFF_OK;
}

aff_status host_dead(const struct aff_host *host, uint32_t input, uint8_t verdict, uint64_t offset,
                     const void *bytes, uint32_t size)
{
    struct aff_harness *h = host_enter(host, "dead");
    struct call *c = &h->call;

    (void)offset;
    data_only(h, "dead");
    if (size && !bytes)
        kit_breach(h, "host->dead was called with %u bytes and no place", (unsigned)size);
    if (verdict == 0 || verdict > h->plugin.verdicts.count || verdict_at(h, verdict)->kind != AFF_V_DEAD)
        kit_breach(h, "host->dead was called with verdict %u, which is no row of kind DEAD", (unsigned)verdict);
    if (input == AFF_NO_INPUT && h->callback != CB_READ && h->callback != CB_STREAM_END && h->callback != CB_DRAIN)
        kit_breach(h, "host->dead was called without an input; expected that only of read, stream_end and drain");
    if (input != AFF_NO_INPUT)
        freeze(h, input);
    if (call_fails(h, "dead"))
        return AFF_ERR_MEMORY;
    c->asides = kit_grow(c->asides, c->aside_count, &c->aside_room, sizeof *c->asides);
    c->asides[c->aside_count++] = (struct aside){ input, verdict };
    return AFF_OK;
}

aff_status host_stream_end(const struct aff_host *host, uint32_t port, uint32_t stream)
{
    struct aff_harness *h = host_enter(host, "stream_end");
    struct stream *found = stream_get(h, stream);
    struct aff_record mark;

    makes_check(h, "stream_end", port);
    if (h->call.mark && h->call.mark->stream == stream)
        kit_breach(h, "host->stream_end was called with the stream that ended; its mark is handed on by the host");
    if (!found || found->ended)
        kit_breach(h, "host->stream_end was called with stream %u, which is unknown or has ended", (unsigned)stream);
    memset(&mark, 0, sizeof mark);
    mark.subject = found->info.subject;
    mark.stream = stream;
    mark.schema = found->info.schema;
    mark.seen_ns = h->boot_ns;
    mark.flags = AFF_FLAG_END;
    emit_add(h, &mark, port, AFF_NO_INPUT);
    found->ended = 1;
    return AFF_OK;
}
