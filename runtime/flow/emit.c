/* emit.c - making records: reserve, emit, ids.
 *
 * The bytes of a draft lie at the head of the node's ring and become taken when
 * it is sent. Reserving never fails for want of room: it lets go what was
 * emitted before, then waits for the readers. That is safe because readers are
 * other lanes, and because what this node still has in hand is never more than
 * half of its ring. */
#include <string.h>
#include <xxhash.h>

#include "flow/lane.h"

/* What may be overwritten ends where the slowest reader, or the node's own
 * lane, still needs bytes. Near edges are looked at first: see edge.c. */
static void free_read(struct node *node)
{
    uint64_t tail = node->keep;
    uint32_t i;

    for (i = 0; i < node->carrier_count; i++) {
        uint64_t held = edge_holds(node->carriers[i]->edge, node->index);

        if (held < tail)
            tail = held;
    }
    if (tail > atomic_load_explicit(&node->bytes->tail, memory_order_relaxed))
        atomic_store_explicit(&node->bytes->tail, tail, memory_order_relaxed);
}

struct room_wanted {
    struct node *node;
    uint64_t size;
};

static bool room_ready(void *arg)
{
    struct room_wanted *w = arg;

    if (bytes_fit(w->node->bytes, w->size))
        return true;
    free_read(w->node);
    return bytes_fit(w->node->bytes, w->size);
}

bool emit_room(struct node *node, uint64_t size)
{
    struct room_wanted wanted = { node, size };

    if (room_ready(&wanted))
        return true;
    return lane_wait(node->lane, room_ready, &wanted, INT64_MAX);
}

/* The record that an emit derives from; NULL for none. */
static const struct aff_record *input_of(const struct node *node, uint32_t input)
{
    if (input == AFF_NO_INPUT)
        return node->hand.due ? node->hand.due : node->hand.mark;
    return input < node->hand.count ? &node->hand.records[input] : NULL;
}

static void draft_fill(struct node *node, struct aff_record *draft, const struct aff_record *input)
{
    if (input) {
        *draft = *input;
        draft->flags = (uint16_t)(input->flags & ~(unsigned)(AFF_FLAG_END | AFF_FLAG_GAP));
    } else {
        memset(draft, 0, sizeof *draft);
        draft->seen_ns = clock_now(&node->flow->clock);
    }
    if (!input && atomic_load_explicit(&node->flow->resending, memory_order_relaxed) > 0 && node->about->kind != AFF_SOURCE)
        draft->flags |= AFF_FLAG_RESENT;
}

static void draft_schema(const struct node *node, struct aff_record *draft, uint32_t port)
{
    const struct aff_schema *schema;

    if (!node->outputs[port].schema)
        return;
    draft->schema = node->outputs[port].schema;
    schema = names_schema_info(node->flow->names, draft->schema);
    draft->type = schema->type;
}

/* What a plugin must never do ends the run: a NULL would be taken for "later". */
static bool input_allowed(struct node *node, uint32_t port, uint32_t input)
{
    const struct staged *s = &node->staged;
    uint32_t least = s->count > 0 && s->inputs[s->count - 1] > node->hand.settled ? s->inputs[s->count - 1]
                                                                                  : node->hand.settled;
    const char *why = NULL;

    if (port >= node->plan->plugin->output_count)
        why = "reserve on an output that it does not have";
    else if (input != AFF_NO_INPUT && (input >= node->hand.count || input < least || node->hand.due))
        why = "reserve for an input that is not in the batch, or stands before one that was emitted for";
    if (why)
        flow_fail(node->flow, node, AFF_ERR_BUG, why);
    return !why;
}

static bool reserve_allowed(struct node *node, uint32_t port, uint32_t input, uint32_t size)
{
    uint64_t most = node->bytes->size / NODE_PAYLOAD_SHARE;

    if (!input_allowed(node, port, input))
        return false;
    if (most > node->flow->plan->max_record)
        most = node->flow->plan->max_record;
    if (size > most) {
        node->too_large = true;
        node->host.explain(&node->host, AFF_ERR_MEMORY,
                           "a record of %u bytes is too large; at most %llu fit; raise edge.buffer of its "
                           "readers to four times that, or max_record",
                           size, (unsigned long long)most);
        return false;
    }
    return true;
}

uint32_t emit_order(const struct node *node, uint32_t input)
{
    const struct staged *s = &node->staged;

    if (input != AFF_NO_INPUT)
        return input;
    return s->count > 0 && s->inputs[s->count - 1] > node->hand.settled ? s->inputs[s->count - 1]
                                                                        : node->hand.settled;
}

/* The lowest position that its own lane still needs when all that was staged has
 * left: that of the first copy in hand that is not settled. */
static uint64_t hand_low(const struct node *node)
{
    const struct hand *h = &node->hand;

    if (!h->copied || h->settled >= h->count)
        return node->bytes->head;
    return bytes_position(node->bytes, h->records[h->settled].data);
}

/* Readers can free all but what is in hand. */
static bool never_fits(const struct node *node, uint64_t size)
{
    return node->bytes->head + bytes_round(size) - node->keep > node->bytes->size;
}

bool emit_stage(struct node *node, uint32_t input, uint64_t size)
{
    if (node->staged.count < NODE_STAGED - 1 && bytes_fit(node->bytes, size))
        return true;
    free_read(node);
    if (node->staged.count < NODE_STAGED - 1 && bytes_fit(node->bytes, size))
        return true;
    if (!node_settle(node, emit_order(node, input)))
        return false;
    node->keep = hand_low(node);
    if (node->hand.copied && never_fits(node, size)) {
        node->too_large = true;
        node->host.explain(&node->host, AFF_ERR_MEMORY,
                           "what is made of one record does not fit beside the copies of its input; raise "
                           "edge.buffer of its readers");
        return false;
    }
    return emit_room(node, size);
}

void emit_add(struct node *node, uint32_t port, uint32_t input, enum staged_kind kind)
{
    struct staged *s = &node->staged;

    s->inputs[s->count] = emit_order(node, input);
    s->ports[s->count] = (uint16_t)port;
    s->kinds[s->count] = (uint8_t)kind;
    s->count++;
}

struct aff_record *emit_reserve(struct node *node, uint32_t port, uint32_t input, uint32_t size)
{
    struct staged *s = &node->staged;
    struct aff_record *draft;

    s->draft_open = false;
    node->too_large = false;
    if (!reserve_allowed(node, port, input, size) || !emit_stage(node, input, size))
        return NULL;
    draft = &s->records[s->count];
    draft_fill(node, draft, input_of(node, input));
    draft_schema(node, draft, port);
    draft->data = bytes_head(node->bytes);
    draft->size = size;
    s->draft_open = true;
    s->draft_room = size;
    s->draft_port = (uint16_t)port;
    s->draft_input = input;
    return draft;
}

/* What a timer makes is named by node, subject, due time and an index. The subject
 * stands there by its first record's id: a hash of its name could be looked for in
 * a list of names, and ids leave with what goes out. */
static struct aff_id timer_id(struct node *node)
{
    const struct aff_record *due = node->hand.due;
    uint64_t key[6] = { node->ids.node_hash, due->id.source, due->id.seq, (uint64_t)due->event_ns,
                        node->ids.index++, UINT64_MAX };
    XXH128_hash_t hash = XXH3_128bits(key, sizeof key);

    return (struct aff_id){ hash.high64, hash.low64 };
}

/* Ids. A source counts what it makes of itself. What derives from an input is named by the node, the
 * input's id and an index; what derives from none, by node, stream, event time
 * and a count. Hashes are XXH3, 128 bits: equal only by equal content. */
static void id_fill(struct node *node, struct aff_record *draft, uint32_t input_index)
{
    const struct aff_record *input = input_of(node, input_index);
    const struct aff_stream_info *stream;
    uint64_t key[5] = { node->ids.node_hash, 0, 0, 0, 0 };
    XXH128_hash_t hash;

    if (node->about->kind == AFF_SOURCE && !input) {
        draft->id = (struct aff_id){ node->ids.source, node->ids.seq++ };
        return;
    }
    if (node->hand.due) {
        draft->id = timer_id(node);
        return;
    }
    if (input) {
        if (node->ids.input != input_index) {
            node->ids.input = input_index;
            node->ids.index = 0;
        }
        key[1] = input->id.source;
        key[2] = input->id.seq;
        key[3] = node->ids.index++;
    } else {
        stream = names_stream_info(node->flow->names, draft->stream);
        if (stream) {
            key[1] = XXH3_64bits(stream->subject_name, strlen(stream->subject_name));
            key[2] = XXH3_64bits(stream->name, strlen(stream->name));
        }
        key[3] = (uint64_t)draft->event_ns;
        key[4] = ++node->ids.loose;
    }
    hash = XXH3_128bits(key, sizeof key);
    draft->id = (struct aff_id){ hash.high64, hash.low64 };
}

/* A limit in event time ends a source at the first record that is beyond it. */
static bool beyond_limit(struct node *node, const struct aff_record *draft)
{
    int64_t for_ns = node->flow->options.for_ns;

    if (node->about->kind != AFF_SOURCE || for_ns <= 0)
        return false;
    if (!node->has_first) {
        node->has_first = true;
        node->first_event_ns = draft->event_ns;
    }
    if (draft->event_ns - node->first_event_ns >= for_ns)
        node->over = true;
    return node->over;
}

/* A source that relays has them from another node; its commands are its own. */
static bool keeps_id(const struct node *node)
{
    return node->about->flags & AFF_KEEPS_IDS && node->about->kind == AFF_SOURCE && node->staged.draft_input == AFF_NO_INPUT;
}

/* Where the node gives the ids itself there is one, and none is that of its input. */
static bool gives_id(const struct node *node, const struct aff_record *draft)
{
    const struct aff_record *from = input_of(node, node->staged.draft_input);

    if (keeps_id(node))
        return (draft->id.source | draft->id.seq) != 0;
    if (!(node->about->flags & AFF_REWRITES))
        return true;
    return (draft->id.source | draft->id.seq) != 0 &&
           (!from || (draft->id.source != from->id.source && draft->id.seq != from->id.seq));
}

static aff_status draft_check(struct node *node, const struct aff_record *draft, uint32_t size)
{
    struct staged *s = &node->staged;

    if (!s->draft_open || draft != &s->records[s->count] || size > s->draft_room)
        return node->host.explain(&node->host, AFF_ERR_BUG, "emit without a reserve of that size");
    if (!gives_id(node, draft))
        return node->host.explain(&node->host, AFF_ERR_BUG, "emit without an id of its own, which a node that "
                                                            "rewrites or keeps ids gives");
    if (!names_stream_info(node->flow->names, draft->stream) ||
        !names_schema_info(node->flow->names, draft->schema))
        return node->host.explain(&node->host, AFF_ERR_BUG, "emit of a record without stream or schema");
    return AFF_OK;
}

/* What is read again after a death may have been delivered before. How far the last
 * run had come is not known, but it was no further than so many records. */
static void resend(struct node *node, struct aff_record *draft)
{
    if (node->resends == 0)
        return;
    draft->flags |= AFF_FLAG_RESENT;
    if (--node->resends == 0)
        atomic_fetch_sub(&node->flow->resending, 1);
}

aff_status emit_send(struct node *node, struct aff_record *draft, uint32_t size)
{
    struct staged *s = &node->staged;
    aff_status st = draft_check(node, draft, size);

    s->draft_open = false;
    if (st < 0)
        return st;
    if (beyond_limit(node, draft))
        return AFF_OK;
    if (!(node->about->flags & AFF_REWRITES) && !keeps_id(node))
        id_fill(node, draft, s->draft_input);
    draft->size = size;
    draft->data = bytes_head(node->bytes);
    draft->origin = (uint16_t)node->index;
    draft->host_reserved = bytes_lap(node->bytes, node->bytes->head);
    draft->type = names_schema_info(node->flow->names, draft->schema)->type;
    if (node->about->kind == AFF_SOURCE) {
        draft->seen_ns = node->seen_ns;
        node->last_event_ns = draft->event_ns;
        if (s->draft_input == AFF_NO_INPUT)
            resend(node, draft);
    }
    draft->flags = (uint16_t)((draft->flags & ~(unsigned)AFF_FLAG_PHI) |
                              (node->outputs[s->draft_port].is_phi ? AFF_FLAG_PHI : 0u));
    bytes_take(node->bytes, size);
    emit_add(node, s->draft_port, s->draft_input,
             s->draft_input == AFF_NO_INPUT ? STAGED_LOOSE : STAGED_DERIVED);
    node->epoch_records++;
    node->epoch_bytes += size;
    return AFF_OK;
}

void emit_forget(struct node *node, uint32_t input)
{
    struct staged *s = &node->staged;

    uint32_t i, left = 0;

    for (i = 0; i < s->count; i++) {
        if (s->kinds[i] == STAGED_DERIVED && s->inputs[i] >= input)
            continue;
        s->records[left] = s->records[i];
        s->inputs[left] = s->inputs[i];
        s->ports[left] = s->ports[i];
        s->kinds[left++] = s->kinds[i];
    }
    s->count = left;
    s->draft_open = false;
    node->ids.input = AFF_NO_INPUT;
}

/* Marks have ids as well: what is emitted at a stream's end derives from them. */
static struct aff_id mark_id(const struct node *node, const struct aff_stream_info *info)
{
    const struct aff_record *from = node->hand.mark;
    uint64_t name = XXH3_64bits(info->name, strlen(info->name));
    uint64_t subject = XXH3_64bits(info->subject_name, strlen(info->subject_name));
    uint64_t key[5] = { node->ids.node_hash, name, subject, from ? from->id.source : node->ids.source,
                        from ? from->id.seq : node->ids.seq };
    XXH128_hash_t hash = XXH3_128bits(key, sizeof key);

    return (struct aff_id){ hash.high64, hash.low64 };
}

aff_status emit_stream_end(struct node *node, uint32_t port, uint32_t stream)
{
    const struct aff_stream_info *info = names_stream_info(node->flow->names, stream);
    const struct aff_record *from = node->hand.due ? node->hand.due : node->hand.mark;
    struct aff_record mark = { .origin = EDGE_NO_ORIGIN, .flags = AFF_FLAG_END };

    if (!info || port >= node->plan->plugin->output_count || (from && from->stream == stream))
        return node->host.explain(&node->host, AFF_ERR_BUG, "end of a stream that it did not begin");
    node->staged.draft_open = false;
    if (!node_settle(node, node->hand.settled))
        return AFF_ERR_MEMORY;
    mark.id = mark_id(node, info);
    mark.event_ns = from ? from->event_ns : node->last_event_ns;
    if (node->about->flags & AFF_REWRITES)
        mark.event_ns = 0; /* the true time must not go on */
    mark.seen_ns = from ? from->seen_ns : node->seen_ns;
    mark.stream = stream;
    mark.subject = info->subject;
    mark.schema = info->schema;
    names_end(node->flow->names, stream, node->name_id, names_when(node->plan->domain, node->lane->epoch));
    node->epoch_records++; /* what nodes emit at the mark is to be committed in time */
    return node_dispatch_mark(node, port, &mark) ? AFF_OK : AFF_ERR_MEMORY;
}
