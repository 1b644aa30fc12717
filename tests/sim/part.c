/* part.c - what the nodes of the model do with a record.
 *
 * Pure functions of what came before by the same way and stream; only the join
 * looks at two ways, and there order does not matter. The judge calls them too: it
 * works out what must arrive without any epochs.
 *
 * Not here: when a node is called (lane.c). */
#include <string.h>

#include "sim.h"

uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t z = (a ^ (b * 0xff51afd7ed558ccdu)) + 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 32)) * 0xd6e8feb86659fd93u;
    return z ^ (z >> 29);
}

struct record item_record(uint32_t stream, uint32_t number, uint32_t value)
{
    return (struct record){ .id = mix(stream + 1u, number + 1u), .value = value, .stream = (uint8_t)stream };
}

/* Where a broken live stream ends depends on what was committed: so does the id. */
struct record end_record(uint32_t stream, uint32_t number)
{
    return (struct record){ .id = mix(stream + 1u, number + 1000u), .stream = (uint8_t)stream, .flags = REC_END };
}

void state_clear(struct state *s)
{
    memset(s->chain, 0, sizeof s->chain);
    memset(s->ended, 0, sizeof s->ended);
    s->held_count = 0;
}

void state_copy(struct state *to, const struct state *from)
{
    memcpy(to->chain, from->chain, sizeof to->chain);
    memcpy(to->ended, from->ended, sizeof to->ended);
    to->held_count = from->held_count;
    memcpy(to->held, from->held, from->held_count * sizeof *from->held);
}

static void send(struct outbox *out, const struct record *r)
{
    out->records[out->count++] = *r;
}

static void held_remove(struct state *s, uint32_t at)
{
    memmove(&s->held[at], &s->held[at + 1], (s->held_count - at - 1) * sizeof *s->held);
    s->held_count--;
}

static void hold(struct state *s, uint32_t in, const struct record *r, struct outbox *out)
{
    if (s->held_count == HELD) {
        send(out, &s->held[0].record);
        held_remove(s, 0);
    }
    s->held[s->held_count++] = (struct kept_record){ *r, in };
}

/* Lets go of all but the `keep` newest of a stream; of one way, or of all (INS). */
static void release(struct state *s, uint32_t in, uint32_t stream, uint32_t keep, struct outbox *out)
{
    uint32_t i, have = 0;

    for (i = 0; i < s->held_count; i++)
        have += s->held[i].record.stream == stream && (in == INS || s->held[i].in == in);
    for (i = 0; have > keep;) {
        if (s->held[i].record.stream != stream || (in != INS && s->held[i].in != in)) {
            i++;
            continue;
        }
        send(out, &s->held[i].record);
        held_remove(s, i);
        have--;
    }
}

static void made(uint32_t node, uint32_t in, const struct record *of, uint32_t value, struct outbox *out)
{
    struct record r = *of;

    r.id = mix(of->id, node * 8u + in + 7u);
    r.value = value;
    r.flags = (uint8_t)((of->flags & REC_RESENT) | REC_MADE);
    send(out, &r);
}

/* Every second record gives one more, whose value is made of all so far; the low
 * byte of the chain counts. */
static void count(struct state *s, uint32_t node, uint32_t in, const struct record *r, struct outbox *out)
{
    uint32_t *chain = &s->chain[in][r->stream];
    uint32_t seen = (*chain + 1u) & 0xffu;

    *chain = ((uint32_t)mix(*chain, r->id + r->value) & ~0xffu) | seen;
    send(out, r);
    if (seen % 2 == 0)
        made(node, in, r, *chain, out);
}

static void join(const struct node *n, struct state *s, uint32_t node, uint32_t in, const struct record *r,
                 struct outbox *out)
{
    uint32_t source = stream_source(r->stream), i, value;
    struct record both = *r;

    if (n->in_count < 2 || !(n->carries[0] & n->carries[1] & (1u << source)) || (r->flags & REC_MADE)) {
        send(out, r);
        return;
    }
    for (i = 0; i < s->held_count; i++)
        if (s->held[i].record.id == r->id && s->held[i].in != in)
            break;
    if (i == s->held_count) {
        hold(s, in, r, out);
        return;
    }
    both.flags |= s->held[i].record.flags;
    value = in == 0 ? r->value * 3u + s->held[i].record.value : s->held[i].record.value * 3u + r->value;
    held_remove(s, i);
    made(node, 0, &both, value, out);
}

/* An end goes on once it has come by all ways that carry the stream. */
static void end(const struct node *n, struct state *s, uint32_t node, uint32_t in, const struct record *r,
                struct outbox *out)
{
    uint32_t source = stream_source(r->stream), i;
    uint8_t all = 0;

    if (n->kind == PRO_HOLD)
        release(s, in, r->stream, 0, out);
    if (n->kind == PRO_COUNT) {
        made(node, in, r, s->chain[in][r->stream], out);
        s->chain[in][r->stream] = 0;
    }
    s->ended[r->stream] |= (uint8_t)(1u << in);
    for (i = 0; i < n->in_count; i++)
        if (n->carries[i] & (1u << source))
            all |= (uint8_t)(1u << i);
    if (s->ended[r->stream] != all)
        return;
    s->ended[r->stream] = 0;
    release(s, INS, r->stream, 0, out);
    send(out, r);
}

/* The same record by two ways gets two ids where no join makes it one. */
static bool comes_twice(const struct node *n, uint32_t in, uint32_t source)
{
    uint32_t i;

    for (i = 0; i < in; i++)
        if (n->carries[i] & (1u << source))
            return true;
    return false;
}

void part_feed(const struct graph *g, uint32_t node, uint32_t in, const struct record *record,
               struct state *s, struct outbox *out)
{
    const struct node *n = &g->nodes[node];
    struct record r = *record;

    if (r.flags & REC_END) {
        end(n, s, node, in, &r, out);
        return;
    }
    if ((n->kind != PRO_JOIN || r.flags & REC_MADE) && comes_twice(n, in, stream_source(r.stream))) {
        r.id = mix(r.id, node * 8u + in + 1u);
        r.flags |= REC_MADE;
    }
    switch (n->kind) {
    case PRO_HOLD:
        hold(s, in, &r, out);
        release(s, in, r.stream, g->eager ? 0 : 2, out);
        break;
    case PRO_COUNT:
        count(s, node, in, &r, out);
        break;
    case PRO_JOIN:
        join(n, s, node, in, &r, out);
        break;
    default:
        send(out, &r);
        break;
    }
}
