/* SPDX-License-Identifier: Apache-2.0
 *
 * hold.c - host->hold and host->release.
 *
 * A held record is a copy in guarded memory of its own. Its release waits in the
 * call's list, and leaves after the inputs of this call, with the verdict that
 * was given for it.
 *
 * Not here: that a held input has a verdict of kind HOLD (deliver.c). */
#include "host.h"

static uint32_t input_of(struct aff_harness *h, const struct aff_record *record)
{
    const struct aff_batch *batch = h->call.batch;
    uint32_t i;

    for (i = 0; batch && i < batch->count; i++)
        if (&batch->records[i] == record)
            return i;
    kit_breach(h, "host->hold was given a record that is not one of this batch");
}

const struct aff_record *host_hold(const struct aff_host *host, const struct aff_record *record)
{
    struct aff_harness *h = host_enter(host, "hold");
    struct aff_record copy;
    struct hold *hold;
    uint32_t input, edits;
    size_t i;

    data_only(h, "hold");
    input = input_of(h, record);
    for (i = 0; i < h->hold_count; i++)
        if (h->holds[i].fresh && h->holds[i].input == input)
            kit_breach(h, "host->hold was called twice for input %u", (unsigned)input);
    if (call_fails(h, "hold") || h->hold_count >= h->max_held)
        return NULL;
    h->holds = kit_grow(h->holds, h->hold_count, &h->hold_room, sizeof *h->holds);
    hold = &h->holds[h->hold_count++];
    hold->header = guard_new(sizeof copy, "a held record");
    hold->payload = guard_new(record->size, "the payload of a held record");
    hold->port = h->call.batch->port;
    hold->input = input;
    hold->fresh = 1;
    copy = *record;
    memcpy(hold->payload->data, record->data, record->size);
    copy.data = hold->payload->data;
    memcpy(hold->header->data, &copy, sizeof copy);
    guard_lock(hold->header);
    edits = port_at(&h->plugin.inputs, hold->port)->flags & AFF_PORT_EDITS;
    if (!edits)
        guard_lock(hold->payload);
    return (const struct aff_record *)(const void *)hold->header->data;
}

/* The places of the others stay as they were. */
void hold_free(struct aff_harness *h, size_t index)
{
    guard_retire(h->holds[index].header);
    guard_retire(h->holds[index].payload);
    h->hold_count--;
    memmove(&h->holds[index], &h->holds[index + 1], (h->hold_count - index) * sizeof *h->holds);
}

aff_status host_release(const struct aff_host *host, const struct aff_record *held, uint8_t verdict)
{
    struct aff_harness *h = host_enter(host, "release");
    const struct aff_verdict *row;
    struct call *c = &h->call;
    struct release *r;
    size_t i;

    data_only(h, "release");
    for (i = 0; i < h->hold_count; i++)
        if ((const void *)h->holds[i].header->data == (const void *)held)
            break;
    if (i == h->hold_count)
        kit_breach(h, "host->release was given a record that is not held, or already released");
    if (verdict > h->plugin.verdicts.count)
        kit_breach(h, "host->release was given verdict %u; the table has %u", (unsigned)verdict,
                   (unsigned)h->plugin.verdicts.count);
    row = verdict ? verdict_at(h, verdict) : NULL;
    if (row && (row->kind == AFF_V_HOLD || row->kind == AFF_V_REPLACE))
        kit_breach(h, "host->release was given verdict %s, which cannot end a hold", row->name);
    if (h->holds[i].fresh && h->call.batch)
        kit_breach(h, "host->release was given a record held in the same call; give it its verdict at once");
    c->releases = kit_grow(c->releases, c->release_count, &c->release_room, sizeof *c->releases);
    r = &c->releases[c->release_count++];
    r->record = *held;
    r->record.data = payload_copy(held->data, held->size);
    r->port = h->holds[i].port;
    r->verdict = verdict;
    hold_free(h, i);
    return AFF_OK;
}
