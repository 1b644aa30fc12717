/* SPDX-License-Identifier: Apache-2.0
 *
 * hold.c - records that outlive a call: held ones, and those that wait for the
 * peer's answer.
 *
 * A held record is a copy in guarded memory of its own. Its release waits in the
 * call's list, and leaves after the inputs of this call, with the verdict that
 * was given for it.
 *
 * A sink with AFF_ACKS answers from any thread, also before write has returned: an
 * answer waits in a list, and is looked at once the call is over.
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

const struct aff_record *host_held(const struct aff_host *host, uint32_t index)
{
    struct aff_harness *h = host_enter(host, "held");

    data_only(h, "held");
    return index < h->hold_count ? (const void *)h->holds[index].header->data : NULL;
}

/* What the next instance gets are other copies, so that an address kept from before
 * leads nowhere. */
void holds_move(struct aff_harness *h)
{
    size_t i;

    for (i = 0; i < h->hold_count; i++) {
        struct hold *hold = &h->holds[i];
        struct guard *header = hold->header, *payload = hold->payload;
        struct aff_record copy;

        memcpy(&copy, header->data, sizeof copy);
        hold->header = guard_new(sizeof copy, "a held record");
        hold->payload = guard_new(copy.size, "the payload of a held record");
        memcpy(hold->payload->data, payload->data, copy.size);
        copy.data = hold->payload->data;
        memcpy(hold->header->data, &copy, sizeof copy);
        guard_lock(hold->header);
        if (!(port_at(&h->plugin.inputs, hold->port)->flags & AFF_PORT_EDITS))
            guard_lock(hold->payload);
        guard_retire(header);
        guard_retire(payload);
    }
}

/* ---- answers ---- */

/* Other threads call it, too: it touches nothing but the list. */
void host_answer(const struct aff_host *host, struct aff_id id, aff_status status, uint8_t verdict, const char *words)
{
    struct aff_harness *h = (struct aff_harness *)(uintptr_t)host;
    struct answer *a;

    pthread_mutex_lock(&h->answers_lock);
    h->answers = kit_grow(h->answers, h->answer_count, &h->answer_room, sizeof *h->answers);
    a = &h->answers[h->answer_count++];
    *a = (struct answer){ .id = id, .status = status, .verdict = verdict };
    if (words)
        memcpy(a->words, words, strnlen(words, WORDS_ROOM));
    pthread_mutex_unlock(&h->answers_lock);
}

void host_ack(const struct aff_host *host, struct aff_id id, aff_status status)
{
    host_answer(host, id, status, 0, NULL);
}

void unanswered_add(struct aff_harness *h, uint32_t port, const struct aff_record *record)
{
    struct pending *p;

    h->unanswered = kit_grow(h->unanswered, h->unanswered_count, &h->unanswered_room, sizeof *h->unanswered);
    p = &h->unanswered[h->unanswered_count++];
    p->port = port;
    p->record = *record;
    p->record.data = payload_copy(record->data, record->size);
}

/* It is offered again, with the mark that says so. */
static void resend(struct aff_harness *h, size_t index)
{
    struct pending *p;

    h->resends = kit_grow(h->resends, h->resend_count, &h->resend_room, sizeof *h->resends);
    p = &h->resends[h->resend_count++];
    *p = h->unanswered[index];
    p->record.flags |= AFF_FLAG_RESENT;
}

static void answer_check(const struct aff_harness *h, const struct answer *a)
{
    uint16_t kind;

    if (a->status != AFF_OK && a->status != AFF_ERR_DATA && a->status != AFF_ERR_IO && a->status != AFF_AGAIN)
        kit_breach(h, "host->ack was given %d; expected AFF_OK, AFF_ERR_DATA, AFF_ERR_IO or AFF_AGAIN", (int)a->status);
    if (strlen(a->words) >= WORDS_ROOM || strchr(a->words, '\n'))
        kit_breach(h, "host->answer was given words that are no short line; expected at most %d bytes", WORDS_ROOM - 1);
    if (subject_inside((struct aff_harness *)(uintptr_t)h, a->words))
        kit_breach(h, "host->answer was given the name of a subject; say a code and which rule instead");
    if (a->verdict == 0)
        return;
    if (a->verdict > h->plugin.verdicts.count)
        kit_breach(h, "host->answer was given verdict %u; the table has %u", (unsigned)a->verdict,
                   (unsigned)h->plugin.verdicts.count);
    kind = verdict_at(h, a->verdict)->kind;
    if (a->status == AFF_OK ? kind != AFF_V_DROP && kind != AFF_V_USED : a->status != AFF_ERR_DATA || kind != AFF_V_DEAD)
        kit_breach(h, "host->answer was given verdict %s with status %d; expected kind DEAD with AFF_ERR_DATA, DROP or "
                   "USED with AFF_OK", verdict_at(h, a->verdict)->name, (int)a->status);
}

/* Done with for good. */
static void answer_book(struct aff_harness *h, const struct answer *a)
{
    unsigned is_drop = a->verdict && verdict_at(h, a->verdict)->kind == AFF_V_DROP;

    h->ledger.dead += a->status == AFF_ERR_DATA;
    h->ledger.dropped += is_drop;
    h->ledger.used += a->status == AFF_OK && !is_drop;
    h->verdict_counts[a->verdict] += a->status == AFF_OK || a->verdict > 0;
}

static void answer_settle(struct aff_harness *h, const struct answer *answer)
{
    size_t i;

    if (!(h->plugin.flags & AFF_ACKS))
        kit_breach(h, "host->ack is for sinks whose table says AFF_ACKS");
    answer_check(h, answer);
    memcpy(h->words, answer->words, sizeof h->words);
    for (i = 0; i < h->unanswered_count; i++)
        if (h->unanswered[i].record.id.source == answer->id.source &&
            h->unanswered[i].record.id.seq == answer->id.seq)
            break;
    if (i == h->unanswered_count)
        return;
    if (answer->status == AFF_ERR_IO || answer->status == AFF_AGAIN) {
        resend(h, i);
    } else {
        free(h->unanswered[i].record.data);
        answer_book(h, answer);
    }
    h->unanswered_count--;
    memmove(&h->unanswered[i], &h->unanswered[i + 1], (h->unanswered_count - i) * sizeof *h->unanswered);
}

/* Without the lock: a breach leaves this function for good. */
void answers_settle(struct aff_harness *h)
{
    struct answer *answers;
    size_t i, count;

    pthread_mutex_lock(&h->answers_lock);
    answers = h->answers;
    count = h->answer_count;
    h->answers = NULL;
    h->answer_count = h->answer_room = 0;
    pthread_mutex_unlock(&h->answers_lock);
    for (i = 0; i < count; i++)
        answer_settle(h, &answers[i]);
    free(answers);
}

/* In the order in which they were given up, in front of what is new. */
void resends_offer(struct aff_harness *h)
{
    size_t count = h->resend_count;

    while (h->pending_room < h->pending_count + count)
        h->pending = kit_grow(h->pending, h->pending_room, &h->pending_room, sizeof *h->pending);
    if (count == 0)
        return;
    memmove(h->pending + count, h->pending, h->pending_count * sizeof *h->pending);
    memcpy(h->pending, h->resends, count * sizeof *h->pending);
    h->pending_count += count;
    h->resend_count = 0;
}

void unanswered_resend(struct aff_harness *h)
{
    size_t i;

    for (i = 0; i < h->unanswered_count; i++)
        resend(h, i);
    h->unanswered_count = 0;
}

size_t aff_harness_unanswered(struct aff_harness *h)
{
    (void)aff_harness_flush(h);
    answers_settle(h);
    return h->unanswered_count;
}

const char *aff_harness_answer(struct aff_harness *h)
{
    answers_settle(h);
    return h->words;
}
