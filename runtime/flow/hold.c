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
 * Not here: the ring itself (bytes.c), snapshots of what is held. */
#include <stdlib.h>
#include <string.h>

#include "flow/lane.h"

/* What a place owns, beside the header in hold.records. */
struct hold_place {
    void *memory;
    uint32_t room;
    uint32_t port;
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

const struct aff_record *hold_take(struct node *node, const struct aff_record *record)
{
    struct hold *h = &node->hold;
    uint32_t i;

    for (i = 0; i < h->room && h->places[i].taken; i++)
        continue;
    if (i == h->room || !place_fit(&h->places[i], record->size))
        return NULL;
    h->places[i].taken = true;
    h->places[i].port = node->hand.port;
    h->records[i] = *record;
    memcpy(h->places[i].memory, record->data, record->size);
    h->records[i].data = h->places[i].memory;
    h->count++;
    h->pending++;
    names_hold(node->flow->names, record->stream);
    ledger_add(&node->ledger.held, 1);
    return &h->records[i];
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
    settle_book(node, verdict, h->places[i].port);
    ledger_sub(&node->ledger.held, 1);
    names_unhold(node->flow->names, held->stream, node->lane->epoch);
    h->places[i].taken = false;
    h->count--;
    return AFF_OK;
}
