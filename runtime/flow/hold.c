/* hold.c - records that a node keeps for later.
 *
 * A held record is copied here at once, into an area whose number of places the
 * plan has printed. Copying looks wasteful and is not: a record held in its ring
 * would pin everything written after it, and a node that waits for a later
 * record before it lets go would then wait for ever.
 *
 * A place keeps its memory when it is let go, and grows to the largest record it
 * has seen: after warm-up nothing is allocated.
 *
 * Not here: the ring itself (bytes.c), snapshots of anything else (snap.c). */
#include <stdlib.h>
#include <string.h>

#include "flow/commit.h"
#include "flow/lane.h"
#include "flow/snap_inside.h"

/* What a place owns, beside the header in hold.records. */
struct hold_place {
    void *memory;
    uint32_t room;
    uint32_t port;
    uint32_t older, newer; /* places, counted from 1; 0: none */
    bool taken;
};

bool hold_open(struct hold *hold, uint32_t room)
{
    *hold = (struct hold){ .room = room };
    if (room == 0)
        return true;
    hold->records = calloc(room, sizeof *hold->records);
    hold->places = calloc(room, sizeof *hold->places);
    return hold->records && hold->places;
}

void hold_close(struct hold *hold)
{
    uint32_t i;

    for (i = 0; hold->places && i < hold->room; i++)
        free(hold->places[i].memory);
    free(hold->records);
    free(hold->places);
    *hold = (struct hold){ 0 };
}

static bool place_fit(struct hold_place *place, uint32_t size)
{
    void *memory;

    if (place->memory && place->room >= size)
        return true;
    memory = aligned_alloc(BYTES_ALIGN, (size_t)bytes_round(size ? size : 1));
    if (!memory)
        return false;
    free(place->memory);
    place->memory = memory;
    place->room = size;
    return true;
}

/* The newest from here on. */
static void place_link(struct hold *h, uint32_t i)
{
    h->places[i].older = h->newest;
    h->places[i].newer = 0;
    if (h->newest)
        h->places[h->newest - 1u].newer = i + 1u;
    else
        h->oldest = i + 1u;
    h->newest = i + 1u;
}

static void place_unlink(struct hold *h, uint32_t i)
{
    const struct hold_place *p = &h->places[i];

    if (p->older)
        h->places[p->older - 1u].newer = p->newer;
    else
        h->oldest = p->newer;
    if (p->newer)
        h->places[p->newer - 1u].older = p->older;
    else
        h->newest = p->older;
}

/* A copy in a free place; NULL: none is free, or no memory. */
static const struct aff_record *place_take(struct node *node, const struct aff_record *record, uint32_t port)
{
    struct hold *h = &node->hold;
    uint32_t i;

    for (i = 0; i < h->room && h->places[i].taken; i++)
        continue;
    if (i == h->room || !place_fit(&h->places[i], record->size))
        return NULL;
    h->places[i].taken = true;
    h->places[i].port = port;
    h->records[i] = *record;
    if (record->size > 0)
        memcpy(h->places[i].memory, record->data, record->size);
    h->records[i].data = h->places[i].memory;
    place_link(h, i);
    h->count++;
    names_hold(node->flow->names, record->stream);
    return &h->records[i];
}

static void place_free(struct node *node, uint32_t i, uint64_t when)
{
    struct hold *h = &node->hold;

    names_unhold(node->flow->names, h->records[i].stream, when);
    place_unlink(h, i);
    h->places[i].taken = false;
    h->count--;
}

const struct aff_record *hold_take(struct node *node, const struct aff_record *record)
{
    const struct aff_record *held = place_take(node, record, node->hand.port);

    if (!held)
        return NULL;
    node->hold.pending++;
    ledger_add(&node->ledger.held, 1);
    return held;
}

const struct aff_record *hold_at(struct node *node, uint32_t index)
{
    const struct hold *h = &node->hold;
    uint32_t at = h->oldest;

    while (at && index-- > 0)
        at = h->places[at - 1u].newer;
    return at ? &h->records[at - 1u] : NULL;
}

/* Where a released record goes; false: nowhere. */
static bool way_out(const struct node *node, uint32_t came_in, uint8_t verdict, uint32_t *ret_port)
{
    if (verdict == 0 && node->pass_port[came_in] >= 0) {
        *ret_port = (uint32_t)node->pass_port[came_in];
        return true;
    }
    *ret_port = node->verdict_port[verdict];
    return node->verdict_kind[verdict] == AFF_V_PORT;
}

/* Held bytes move to the node's ring, from where readers take them. */
static aff_status send_off(struct node *node, const struct aff_record *held, uint32_t port)
{
    struct aff_record *staged;

    if (!emit_stage(node, AFF_NO_INPUT, held->size))
        return AFF_ERR_MEMORY;
    staged = &node->staged.records[node->staged.count];
    *staged = *held;
    staged->data = bytes_head(node->bytes);
    staged->origin = (uint16_t)node->index;
    staged->host_reserved = bytes_lap(node->bytes, node->bytes->head);
    memcpy(staged->data, held->data, held->size);
    bytes_take(node->bytes, held->size);
    ledger_add(&node->ledger.bytes_copied, held->size);
    emit_add(node, port, AFF_NO_INPUT, STAGED_RELEASED);
    node->epoch_records++;
    return AFF_OK;
}

/* What was held is elsewhere now, a letter perhaps: that is to be committed in time. */
static void stir(const struct node *node)
{
    if (epochs_stir(&node->lane->domain->epochs, node->lane->epoch))
        flow_ring(node->flow);
}

aff_status hold_release(struct node *node, const struct aff_record *held, uint8_t verdict)
{
    struct hold *h = &node->hold;
    size_t i = (size_t)(held - h->records);
    uint32_t port;
    bool out;

    if (held < h->records || i >= h->room || !h->places[i].taken || verdict >= node->verdict_rows ||
        node->verdict_kind[verdict] == AFF_V_HOLD || node->verdict_kind[verdict] == AFF_V_REPLACE)
        return node->host.explain(&node->host, AFF_ERR_BUG, "release of what is not held");
    out = way_out(node, h->places[i].port, verdict, &port);
    if (out && send_off(node, held, port) < 0)
        return AFF_ERR_MEMORY;
    if (node->verdict_kind[verdict] == AFF_V_DEAD)
        letter_post(node, held, h->places[i].port, node->plan->plugin->verdicts[verdict - 1].name, "");
    settle_book(node, verdict, h->places[i].port);
    ledger_sub(&node->ledger.held, 1);
    place_free(node, (uint32_t)i, names_when(node->plan->domain, node->lane->epoch));
    stir(node);
    return AFF_OK;
}

void hold_condemn(struct node *node, const struct aff_record *held, const char *why)
{
    uint32_t i = (uint32_t)(held - node->hold.records);

    flow_log(node->flow, AFF_LOG_WARN, node->plan->name, "dead letter: %s", why);
    letter_post(node, held, node->hold.places[i].port, "refused", why);
    ledger_add(&node->ledger.dead, 1);
    ledger_add(&node->ledger.by_verdict[0], 1);
    ledger_sub(&node->ledger.held, 1);
    place_free(node, i, names_when(node->plan->domain, node->lane->epoch));
    stir(node);
}

/* ---- kept from one run to the next ---- */

void hold_save(struct node *node, struct wire *wire)
{
    const struct hold *h = &node->hold;
    uint32_t at;

    wire_u32(wire, h->count);
    for (at = h->oldest; at; at = h->places[at - 1u].newer) {
        const struct aff_record *r = &h->records[at - 1u];
        size_t size_at, from;

        wire_u32(wire, h->places[at - 1u].port);
        wire_u32(wire, r->subject);
        wire_u32(wire, r->stream);
        wire_u32(wire, r->schema);
        size_at = wire->size;
        wire_u32(wire, 0);
        from = wire->size;
        wire_record(wire, node->flow->names, r);
        if (wire->size - from > UINT32_MAX)
            wire->failed = true;
        wire_patch_u32(wire, size_at, (uint32_t)(wire->size - from));
    }
}

/* Its integers, where they still mean the same; else those of the same names. */
static bool intern(struct node *node, const struct wire_record *from, struct aff_record *record)
{
    struct names *names = node->flow->names;
    const struct aff_stream_info *info = names_stream_info(names, record->stream);
    struct names_by nobody = { .none = true };

    if (info && info->subject == record->subject && strcmp(info->name, from->stream) == 0 &&
        strcmp(info->subject_name, from->subject) == 0 &&
        names_schema_identity(names, record->schema) == from->schema)
        return true;
    return wire_record_intern(from, names, &nobody, record);
}

static bool load(struct node *node, struct wire_in *in, bool apply)
{
    struct aff_record record, integers = { 0 };
    uint32_t port = wire_in_u32(in);
    struct wire_record from;
    const void *bytes;
    size_t size;

    integers.subject = wire_in_u32(in);
    integers.stream = wire_in_u32(in);
    integers.schema = wire_in_u32(in);
    bytes = wire_in_bytes(in, &size);
    if (!bytes || port >= node->plan->plugin->input_count || !wire_record_read(bytes, size, &from) ||
        (from.record.flags & AFF_FLAG_END) != 0)
        return false;
    record = from.record;
    if (!apply)
        return wire_record_whole(&record, names_schema_info(node->flow->names,
                                                           names_schema_find(node->flow->names, from.schema)));
    record.subject = integers.subject;
    record.stream = integers.stream;
    record.schema = integers.schema;
    return intern(node, &from, &record) && place_take(node, &record, port);
}

bool hold_load(struct node *node, struct wire_in *in, bool apply)
{
    uint32_t i, count = wire_in_u32(in);

    if (in->bad || count > node->hold.room)
        return false;
    for (i = 0; i < count; i++)
        if (!load(node, in, apply))
            return false;
    return true;
}

void hold_reset(struct node *node)
{
    while (node->hold.oldest)
        place_free(node, node->hold.oldest - 1u, 0);
}
