/* settle.c - verdicts become accounts and outputs.
 *
 * Three ways, from the common to the general: all zero (nothing moves, the array
 * goes on as it is); no emits and only plain verdicts (one loop without branches
 * counts and compacts); everything else (records and emits merged in order). */
#include <string.h>

#include "flow/commit.h"

enum { V_DEFAULT = 0 };

static bool all_zero(const uint8_t *bytes, uint32_t count)
{
    uint64_t word, any = 0;
    uint32_t i;

    for (i = 0; i + 8u <= count; i += 8u) {
        memcpy(&word, bytes + i, sizeof word);
        any |= word;
    }
    for (; i < count; i++)
        any |= bytes[i];
    return any == 0;
}

static void book_default(struct node *node, uint32_t port, uint64_t count)
{
    if (node->acks) /* until the answer is there */
        ledger_add(&node->ledger.held, count);
    else
        ledger_add(node->pass_port[port] < 0 ? &node->ledger.used : &node->ledger.passed, count);
}

struct link *settle_onward(struct node *node)
{
    struct hand *h = &node->hand;
    struct link *onward = node->onward[h->port];

    if (!onward || h->settled > 0 || node->staged.count > 0 || node->hold.pending > 0 || !all_zero(node->verdicts, h->count))
        return NULL;
    ledger_add(&node->ledger.passed, h->count);
    ledger_add(&onward->put, h->count);
    return onward;
}

static bool settle_default(struct node *node, uint32_t from, uint32_t count)
{
    int32_t port = node->pass_port[node->hand.port];

    book_default(node, node->hand.port, count);
    return port < 0 || node_dispatch(node, (uint32_t)port, node->hand.records + from, count);
}

static void book(struct node *node, uint8_t verdict, uint64_t count)
{
    struct ledger *l = &node->ledger;

    if (count == 0)
        return;
    switch (node->verdict_kind[verdict]) {
    case AFF_V_DROP:
        ledger_add(&l->dropped, count);
        break;
    case AFF_V_DEAD:
        ledger_add(&l->dead, count);
        break;
    case AFF_V_USED:
        ledger_add(&l->used, count);
        break;
    case AFF_V_PORT:
        ledger_add(&l->routed, count);
        break;
    case AFF_V_REPLACE:
        ledger_add(&l->replaced, count);
        break;
    default:
        break;
    }
    if (verdict != V_DEFAULT)
        ledger_add(&l->by_verdict[verdict], count);
}

static void asides_book(struct node *node)
{
    struct asides *a = &node->asides;
    uint32_t i;

    for (i = 1; i < node->verdict_rows; i++)
        book(node, (uint8_t)i, a->by_verdict[i]);
    ledger_add(&node->ledger.made, a->count);
    letter_parts_post(node);
    *a = (struct asides){ 0 };
}

/* Inputs rise: what belongs to one before is final by now. */
void settle_aside_begin(struct node *node, uint32_t input)
{
    if (node->asides.count > 0 && node->asides.input != input)
        asides_book(node);
}

void settle_aside(struct node *node, uint32_t input, uint8_t verdict)
{
    struct asides *a = &node->asides;

    a->input = input;
    a->count++;
    a->by_verdict[verdict]++;
}

void settle_asides(struct node *node, uint32_t taken)
{
    struct asides *a = &node->asides;

    if (a->count == 0)
        return;
    if (a->input == AFF_NO_INPUT || a->input < taken)
        asides_book(node);
    settle_forget_asides(node);
}

void settle_forget_asides(struct node *node)
{
    letter_parts_forget(node);
    node->asides = (struct asides){ 0 };
}

void settle_book(struct node *node, uint8_t verdict, uint32_t port)
{
    if (verdict == V_DEFAULT)
        book_default(node, port, 1);
    else
        book(node, verdict, 1);
}

/* Records that cannot be used are kept, each as a letter of its own. */
static void post_letters(struct node *node, uint32_t from, uint32_t upto)
{
    uint32_t i;

    for (i = from; i < upto; i++) {
        uint8_t v = node->verdicts[i];

        if (node->verdict_kind[v] == AFF_V_DEAD)
            letter_post(node, &node->hand.records[i], node->hand.port, node->plan->plugin->verdicts[v - 1].name, "");
    }
}

/* Whether all verdicts stand in the table; *ret_plain: none needs the merge. */
static bool look(struct node *node, uint32_t from, uint32_t upto, bool *ret_plain)
{
    uint32_t i, highest = 0;
    unsigned kinds = 0;

    for (i = from; i < upto; i++) {
        uint8_t v = node->verdicts[i];

        highest = v > highest ? v : highest;
        kinds |= 1u << node->verdict_kind[v % LEDGER_VERDICTS];
    }
    *ret_plain = (kinds & (1u << AFF_V_REPLACE | 1u << AFF_V_PORT | 1u << AFF_V_HOLD)) == 0;
    if (highest >= node->verdict_rows)
        return false;
    if (kinds & 1u << AFF_V_DEAD)
        post_letters(node, from, upto);
    return true;
}

/* One pass: `left` is where the next passing record goes, counts are by value. */
static bool settle_plain(struct node *node, uint32_t from, uint32_t upto)
{
    struct aff_record *r = node->hand.records;
    uint32_t counts[LEDGER_VERDICTS] = { 0 }, i, left = from;
    int32_t port = node->pass_port[node->hand.port];

    for (i = from; i < upto; i++) {
        uint8_t v = node->verdicts[i];

        r[left] = r[i];
        left += v == V_DEFAULT;
        counts[v]++;
    }
    for (i = 1; i < node->verdict_rows; i++)
        book(node, (uint8_t)i, counts[i]);
    book_default(node, node->hand.port, counts[V_DEFAULT]);
    return port < 0 || left == from || node_dispatch(node, (uint32_t)port, r + from, left - from);
}

/* ---- the general way ---- */

static bool flush_port(struct node *node, uint32_t port)
{
    struct output *out = &node->outputs[port];
    uint32_t count = out->waiting_count;

    out->waiting_count = 0;
    return count == 0 || node_dispatch(node, port, out->waiting, count);
}

static bool queue(struct node *node, uint32_t port, const struct aff_record *record)
{
    struct output *out = &node->outputs[port];

    out->waiting[out->waiting_count++] = *record;
    return out->waiting_count < PLAN_BATCH || flush_port(node, port);
}

/* A replacement keeps what makes the record that record, but for the node whose
 * work it is to change that. */
static void keep_identity(struct aff_record *to, const struct aff_record *from)
{
    to->id = from->id;
    to->event_ns = from->event_ns;
    to->seen_ns = from->seen_ns;
    to->subject = from->subject;
    to->clock = from->clock;
    to->flags |= from->flags;
}

static bool queue_emit(struct node *node, uint32_t k)
{
    struct staged *s = &node->staged;
    uint32_t i = s->inputs[k];
    bool replaces = s->kinds[k] == STAGED_DERIVED && i < node->hand.count &&
                    node->verdict_kind[node->verdicts[i]] == AFF_V_REPLACE;

    if (replaces && node->about->flags & AFF_REWRITES)
        ;
    else if (replaces)
        keep_identity(&s->records[k], &node->hand.records[i]);
    else if (s->kinds[k] != STAGED_RELEASED) {
        ledger_add(&node->ledger.made, 1);
        ledger_add(&node->ledger.emitted, 1);
    }
    return queue(node, s->ports[k], &s->records[k]);
}

/* `emits`: how many records were made for it. */
static bool queue_input(struct node *node, uint32_t i, uint32_t emits)
{
    const struct aff_record *r = &node->hand.records[i];
    uint8_t v = node->verdicts[i];
    int32_t port = node->pass_port[node->hand.port];

    settle_book(node, v, node->hand.port);
    switch (node->verdict_kind[v]) {
    case V_DEFAULT:
        return port < 0 || queue(node, (uint32_t)port, r);
    case AFF_V_PORT:
        return queue(node, node->verdict_port[v], r);
    case AFF_V_HOLD:
        if (node->hold.pending == 0) {
            flow_fail(node->flow, node, AFF_ERR_BUG, "verdict hold without a call of hold");
            return false;
        }
        node->hold.pending--;
        return true;
    case AFF_V_REPLACE:
        if (emits != 1) {
            flow_fail(node->flow, node, AFF_ERR_BUG, "verdict replace with other than one record emitted");
            return false;
        }
        return true;
    default:
        return true;
    }
}

/* Emits up to input `upto` are let go; those behind it move to the front. */
static void staged_shift(struct staged *s, uint32_t gone)
{
    uint32_t left = s->count - gone;

    memmove(s->records, s->records + gone, left * sizeof *s->records);
    memmove(s->inputs, s->inputs + gone, left * sizeof *s->inputs);
    memmove(s->ports, s->ports + gone, left * sizeof *s->ports);
    memmove(s->kinds, s->kinds + gone, left * sizeof *s->kinds);
    s->count = left;
}

static bool settle_merged(struct node *node, uint32_t from, uint32_t upto)
{
    struct staged *s = &node->staged;
    uint32_t i, k = 0, port, derived;
    bool ok = true;

    for (i = from; ok && i <= upto; i++) {
        for (derived = 0; ok && k < s->count && (s->inputs[k] <= i || i == node->hand.count); k++) {
            derived += s->kinds[k] == STAGED_DERIVED;
            ok = queue_emit(node, k);
        }
        if (ok && i < upto)
            ok = queue_input(node, i, derived);
    }
    staged_shift(s, k);
    for (port = 0; port < node->plan->plugin->output_count; port++)
        ok = ok && flush_port(node, port);
    return ok;
}

bool node_settle(struct node *node, uint32_t upto)
{
    struct hand *h = &node->hand;
    uint32_t from = h->settled, count = upto - from;
    bool plain = true;

    h->settled = upto;
    if (node->staged.count == 0) {
        if (count == 0)
            return true;
        if (all_zero(node->verdicts + from, count))
            return settle_default(node, from, count);
    }
    if (!look(node, from, upto, &plain)) {
        flow_fail(node->flow, node, AFF_ERR_BUG, "a verdict that is not in its table");
        return false;
    }
    if (plain && node->staged.count == 0)
        return settle_plain(node, from, upto);
    return settle_merged(node, from, upto);
}
