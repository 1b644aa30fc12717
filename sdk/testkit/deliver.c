/* SPDX-License-Identifier: Apache-2.0
 *
 * deliver.c - batches: lending them, judging the answer, sorting out the rest.
 *
 * Each call of process or write lends fresh guarded copies, also of records that
 * are offered again, so that a pointer kept from the last call is seen. After the
 * call each record that was taken has its verdict carried out, in order, with
 * what was emitted for it right behind it.
 *
 * Not here: what the test pushes (push.c), emits themselves (emit.c). */
#include "kit.h"

const struct aff_verdict *verdict_at(const struct aff_harness *h, uint8_t verdict)
{
    const struct aff_table *t = &h->plugin.verdicts;

    return (const void *)((const char *)t->items + (size_t)(verdict - 1) * t->stride);
}

/* Verdict 0: to each output that passes this input, else used. */
static void settle_pass(struct aff_harness *h, uint32_t port, const struct aff_record *record)
{
    uint32_t i, out = 0;

    for (i = 0; i < h->plugin.outputs.count; i++)
        if (port_at(&h->plugin.outputs, i)->passes == AFF_PASSES(port)) {
            output_add(h, i, record);
            out++;
        }
    if (out)
        h->ledger.passed++;
    else
        h->ledger.used++;
}

/* Done with once the peer has answered. */
static int waits_for_answer(const struct aff_harness *h, uint8_t verdict)
{
    return verdict == 0 && h->plugin.kind == AFF_SINK && h->plugin.flags & AFF_ACKS;
}

static void settle_verdict(struct aff_harness *h, uint32_t port, const struct aff_record *record, uint8_t verdict)
{
    const struct aff_verdict *row;

    if (verdict > h->plugin.verdicts.count)
        kit_breach(h, "verdict %u is not in the table, which has %u", (unsigned)verdict,
                   (unsigned)h->plugin.verdicts.count);
    h->verdict_counts[verdict]++;
    if (verdict == 0) {
        settle_pass(h, port, record);
        return;
    }
    row = verdict_at(h, verdict);
    switch (row->kind) {
    case AFF_V_DROP: h->ledger.dropped++; break;
    case AFF_V_DEAD: h->ledger.dead++; break;
    case AFF_V_USED: h->ledger.used++; break;
    case AFF_V_REPLACE: h->ledger.replaced++; break;
    case AFF_V_PORT:
        h->ledger.routed++;
        output_add(h, row->port, record);
        break;
    default: break; /* a hold has its verdict when it is released */
    }
}

/* The emits that stand behind the first `after` inputs. */
static void settle_emits(struct aff_harness *h, uint32_t after, int replaces, const struct aff_record *input)
{
    struct call *c = &h->call;
    uint32_t made = 0;
    size_t i;

    for (i = 0; i < c->emit_count; i++) {
        struct emit *e = &c->emits[i];

        if (e->after != after)
            continue;
        made += e->input != AFF_NO_INPUT;
        if (replaces && e->input != AFF_NO_INPUT && !(h->plugin.flags & AFF_REWRITES))
            e->record.id = input->id;
        else if (replaces && e->input != AFF_NO_INPUT)
            ; /* it has made another record of it, and counts as the same one */
        else if (!(e->record.flags & AFF_FLAG_END))
            h->ledger.emitted++;
        output_add(h, e->port, &e->record);
    }
    if (replaces && made != 1)
        kit_breach(h, "a verdict of kind REPLACE needs one record emitted for its input; there are %u",
                   (unsigned)made);
}

static void settle_releases(struct aff_harness *h)
{
    struct call *c = &h->call;
    size_t i;

    for (i = 0; i < c->release_count; i++)
        settle_verdict(h, c->releases[i].port, &c->releases[i].record, c->releases[i].verdict);
}

void asides_settle(struct aff_harness *h, uint32_t upto)
{
    struct call *c = &h->call;
    size_t i;

    for (i = 0; i < c->aside_count; i++) {
        if (c->asides[i].input != AFF_NO_INPUT && c->asides[i].input >= upto)
            continue;
        h->verdict_counts[c->asides[i].verdict]++;
        h->ledger.dead++;
        h->ledger.aside++;
    }
}

void settle_loose(struct aff_harness *h)
{
    asides_settle(h, 0);
    settle_emits(h, 0, 0, NULL);
    settle_releases(h);
    emits_reset(h);
}

static void lend(struct aff_harness *h, struct aff_batch *batch, const struct pending *from)
{
    struct call *c = &h->call;
    int edits = (port_at(&h->plugin.inputs, batch->port)->flags & AFF_PORT_EDITS) != 0;
    struct aff_record *records;
    uint32_t i;

    c->records = guard_new(batch->count * sizeof *records, "the records of a batch");
    records = (void *)c->records->data;
    c->payloads = kit_alloc((batch->count + 1) * sizeof *c->payloads);
    for (i = 0; i < batch->count; i++) {
        c->payloads[i] = guard_new(from[i].record.size, "the payload of an input record");
        memcpy(c->payloads[i]->data, from[i].record.data, from[i].record.size);
        records[i] = from[i].record;
        records[i].data = c->payloads[i]->data;
        if (!edits)
            guard_lock(c->payloads[i]);
    }
    guard_lock(c->records);
    c->payloads[batch->count] = guard_new(batch->count, "the verdicts of a batch");
    batch->verdicts = c->payloads[batch->count]->data;
    memset(batch->verdicts, 0, batch->count);
    batch->records = records;
    c->batch = batch;
}

static void take_back(struct aff_harness *h, uint32_t count)
{
    struct call *c = &h->call;
    uint32_t i;

    for (i = 0; i <= count; i++)
        guard_retire(c->payloads[i]);
    free(c->payloads);
    guard_retire(c->records);
    emits_reset(h);
}

static void answer_check(struct aff_harness *h, aff_status status, uint32_t taken)
{
    const struct aff_batch *batch = h->call.batch;

    if (taken > batch->count)
        kit_breach(h, "took %u records of a batch of %u", (unsigned)taken, (unsigned)batch->count);
    if (status == AFF_OK && taken != 0 && taken != batch->count)
        kit_breach(h, "answered AFF_OK, which says that all %u were taken, and took %u",
                   (unsigned)batch->count, (unsigned)taken);
    if (status < 0 && taken == batch->count)
        kit_breach(h, "answered %d, which is about the next record, but took all %u", (int)status, (unsigned)taken);
}

/* Held exactly where the verdict says so, and nothing done for what was left. */
static void holds_check(struct aff_harness *h, uint32_t taken)
{
    const struct aff_batch *batch = h->call.batch;
    uint8_t held[64] = { 0 };
    size_t k;
    uint32_t i;

    for (k = 0; k < h->hold_count; k++)
        if (h->holds[k].fresh)
            held[h->holds[k].input] = 1;
    for (i = 0; i < batch->count; i++) {
        uint8_t v = batch->verdicts[i];
        int says = i < taken && v && v <= h->plugin.verdicts.count && verdict_at(h, v)->kind == AFF_V_HOLD;

        if (held[i] && i >= taken)
            kit_breach(h, "held input %u, but did not take it", (unsigned)i);
        if (held[i] && !says)
            kit_breach(h, "held input %u, but its verdict is not of kind HOLD", (unsigned)i);
        if (says && !held[i])
            kit_breach(h, "gave input %u a verdict of kind HOLD without host->hold", (unsigned)i);
    }
    for (k = 0; k < h->hold_count; k++)
        h->holds[k].fresh = 0;
}

static void rest_check(struct aff_harness *h, uint32_t taken, const struct pending *from, aff_status status)
{
    struct call *c = &h->call;
    uint32_t i;
    size_t k;

    if (c->frozen_count > taken)
        kit_breach(h, "reserved for input %u, which makes those before it final, but took %u",
                   (unsigned)c->frozen_count, (unsigned)taken);
    for (i = 0; i < c->frozen_count; i++)
        if (c->frozen[i] != c->batch->verdicts[i])
            kit_breach(h, "changed the verdict of input %u after a reserve for a later one", (unsigned)i);
    for (i = taken; i < c->batch->count; i++)
        if (memcmp(c->payloads[i]->data, from[i].record.data, from[i].record.size) != 0)
            kit_breach(h, "edited input %u, but did not take it: it is offered again", (unsigned)i);
    for (i = 0; i <= c->batch->count; i++)
        if (!guard_intact(c->payloads[i]))
            kit_breach(h, "wrote beyond the end of %s", c->payloads[i]->role);
    /* A reserve that failed half-way: the host takes back what came before it. */
    for (k = 0; k < c->emit_count; k++)
        if (c->emits[k].input != AFF_NO_INPUT && c->emits[k].input >= taken && status != AFF_ERR_MEMORY)
            kit_breach(h, "emitted for input %u, but did not take it", (unsigned)c->emits[k].input);
}

static void settle(struct aff_harness *h, uint32_t taken)
{
    const struct aff_batch *batch = h->call.batch;
    uint32_t i;

    asides_settle(h, taken);
    settle_emits(h, 0, 0, NULL);
    for (i = 0; i < taken; i++) {
        uint8_t v = batch->verdicts[i];
        int replaces = v && v <= h->plugin.verdicts.count && verdict_at(h, v)->kind == AFF_V_REPLACE;

        if (waits_for_answer(h, v))
            unanswered_add(h, batch->port, &batch->records[i]);
        else
            settle_verdict(h, batch->port, &batch->records[i], v);
        settle_emits(h, i + 1, replaces, &batch->records[i]);
    }
    settle_releases(h);
}

/* Forgets the first `count` pending records. */
static void pending_drop(struct aff_harness *h, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++)
        free(h->pending[i].record.data);
    h->pending_count -= count;
    memmove(h->pending, h->pending + count, h->pending_count * sizeof *h->pending);
}

static aff_status call_once(struct aff_harness *h, uint32_t count)
{
    struct aff_batch batch = { NULL, NULL, count, h->pending[0].port };
    int is_sink = h->plugin.kind == AFF_SINK, again;
    aff_status status;
    uint32_t taken = 0;

    call_begin(h, is_sink ? CB_WRITE : CB_PROCESS);
    lend(h, &batch, h->pending);
    status = (is_sink ? h->plugin.write : h->plugin.process)(h->self, &batch, &taken);
    answer_check(h, status, taken);
    if (status == AFF_OK)
        taken = count;
    holds_check(h, taken);
    rest_check(h, taken, h->pending, status);
    settle(h, taken);
    again = call_end(h, status);
    take_back(h, count);
    pending_drop(h, taken);
    answers_settle(h);
    if (status == AFF_ERR_DATA) {
        h->ledger.dead++;
        pending_drop(h, 1);
    }
    return again ? AFF_OK : status;
}

/* How many of the first pending records make the next batch; 0: wait for more. */
static uint32_t batch_size(struct aff_harness *h, int all)
{
    uint32_t most, n = 0;

    if (h->plugin.timer) /* one at a time: see host->timer */
        return 1;
    if (h->next_cut == 0)
        h->next_cut = h->cut ? h->cut : (uint32_t)(kit_random(&h->random) % 64) + 1;
    most = h->next_cut;
    while (n < h->pending_count && n < most && h->pending[n].port == h->pending[0].port)
        n++;
    if (!all && n < most && n == h->pending_count)
        return 0;
    h->next_cut = 0;
    return n;
}

/* Calls the plugin while there is a whole batch (or with `all`, anything). */
aff_status deliver(struct aff_harness *h, int all)
{
    aff_status status = h->is_stuck ? h->status : AFF_OK;
    uint32_t n;

    answers_settle(h);
    resends_offer(h);
    while (!h->is_stuck && h->pending_count && !h->is_over) {
        n = batch_size(h, all);
        if (n == 0)
            break;
        status = h->plugin.timer ? timers_pass(h, &h->pending[0].record) : AFF_OK;
        if (status >= AFF_OK)
            status = call_once(h, n);
        h->is_stuck = status != AFF_OK && status != AFF_ERR_DATA;
    }
    return status;
}
