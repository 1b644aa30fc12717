/* judge.c - what came in, what must have come out.
 *
 * Stands at the far ends: it sees what the devices and files gave, what they were
 * told is safe, and what arrived at sinks, in the archive and among the dead
 * letters. What must arrive follows from the graph alone, stream by stream. It
 * knows of no epoch, position, queue or commit.
 *
 * Not here: the model that it judges. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

enum { TABLE = 8192, LIST = 512, READ_MOST = ITEMS * 2 };

enum archived { NOT_THERE, NOT_SYNCED, THERE };

struct seen {
    uint64_t key;
    uint32_t schedule; /* of which this is; else it is free */
    uint32_t value, due_value;
    uint32_t delivered, letters;
    enum archived archived;
    uint32_t node;
    bool may, must; /* may arrive, must arrive */
};

struct intake {
    uint32_t values[READ_MOST];
    uint32_t read, safe;
    uint32_t ends; /* a bit each count at which an end was given */
    uint32_t last_end;
    bool ended;
};

struct list {
    struct record records[LIST];
    uint32_t count;
};

struct judge {
    struct seen table[TABLE];
    struct seen *all[TABLE];
    uint32_t schedule, count;
    struct intake streams[STREAMS];
    struct list lists[EDGES];
    struct state state;
};

struct judge *judge_new(void)
{
    return calloc(1, sizeof(struct judge));
}

void judge_free(struct judge *judge)
{
    free(judge);
}

void judge_begin(struct judge *judge)
{
    judge->schedule++;
    judge->count = 0;
    memset(judge->streams, 0, sizeof judge->streams);
}

static struct seen *look_up(struct sim *sim, uint32_t node, uint32_t in, uint64_t id)
{
    struct judge *j = sim->judge;
    uint64_t key = mix(id, node * INS + in + 1u);
    uint32_t at = (uint32_t)key % TABLE, turns;

    for (turns = 0; turns < TABLE / 2; turns++, at = (at + 1u) % TABLE) {
        struct seen *s = &j->table[at];

        if (s->schedule == j->schedule && s->key != key)
            continue;
        if (s->schedule != j->schedule) {
            *s = (struct seen){ .key = key, .schedule = j->schedule, .node = node };
            j->all[j->count++] = s;
        }
        return s;
    }
    sim_wrong(sim, OVERFLOWN);
    return &j->table[0];
}

/* ---- what is seen while it runs ---- */

void judge_intake(struct sim *sim, const struct record *r, uint32_t number)
{
    struct intake *s = &sim->judge->streams[r->stream];

    s->values[number - 1u] = r->value;
    if (s->read < number)
        s->read = number;
}

void judge_end(struct sim *sim, uint32_t stream, uint32_t count)
{
    struct intake *s = &sim->judge->streams[stream];

    s->ends |= 1u << count;
    s->last_end = count;
    s->ended = true;
}

void judge_safe(struct sim *sim, uint32_t stream, uint32_t count)
{
    struct intake *s = &sim->judge->streams[stream];

    if (s->safe < count)
        s->safe = count;
}

void judge_delivered(struct sim *sim, uint32_t node, uint32_t in, const struct record *r)
{
    struct seen *s = look_up(sim, node, in, r->id);

    sim->figures->delivered++;
    sim->figures->resent += (r->flags & REC_RESENT) != 0;
    if (s->delivered > 0 && !(r->flags & REC_RESENT))
        sim_wrong(sim, UNMARKED);
    if (s->delivered > 0 && s->value != r->value)
        sim_wrong(sim, ALTERED);
    s->delivered++;
    s->value = r->value;
}

/* Put by key; what is there already stays. */
void judge_archived(struct sim *sim, uint32_t node, uint32_t in, const struct record *r)
{
    struct seen *s = look_up(sim, node, in, r->id);

    sim->figures->delivered++;
    if (s->archived != NOT_THERE)
        return;
    s->archived = NOT_SYNCED;
    s->value = r->value;
}

void judge_synced(struct sim *sim, uint32_t node)
{
    struct judge *j = sim->judge;
    uint32_t i;

    for (i = 0; i < j->count; i++)
        if (j->all[i]->node == node && j->all[i]->archived == NOT_SYNCED)
            j->all[i]->archived = THERE;
}

void judge_crash(struct sim *sim)
{
    struct judge *j = sim->judge;
    uint32_t i;

    for (i = 0; i < j->count; i++)
        if (j->all[i]->archived == NOT_SYNCED)
            j->all[i]->archived = NOT_THERE;
}

/* After a stop in good order nothing that was read may be gone. */
void judge_stopped(struct sim *sim)
{
    const struct intake *s = sim->judge->streams;
    uint32_t i;

    for (i = 0; i < STREAMS; i++)
        if (is_live(sim->graph.nodes[stream_source(i)].kind) && i % RUNS == sim->store.runs - 1u &&
            s[i].safe < s[i].read)
            sim_wrong(sim, LOST);
}

/* ---- what must have arrived ---- */

static void list_add(struct sim *sim, uint32_t edge, const struct record *r)
{
    struct list *list = &sim->judge->lists[edge];

    if (list->count < LIST)
        list->records[list->count++] = *r;
    else
        sim_wrong(sim, OVERFLOWN);
}

static void through_node(struct sim *sim, uint32_t node)
{
    const struct node *n = &sim->graph.nodes[node];
    struct judge *j = sim->judge;
    struct outbox out;
    uint32_t in, i, k, e;

    state_clear(&j->state);
    for (in = 0; in < n->in_count; in++)
        for (i = 0; i < j->lists[n->ins[in]].count; i++) {
            out.count = 0;
            part_feed(&sim->graph, node, in, &j->lists[n->ins[in]].records[i], &j->state, &out);
            for (k = 0; k < out.count; k++)
                for (e = 0; e < n->out_count; e++)
                    list_add(sim, n->outs[e], &out.records[k]);
        }
}

static void at_sink(struct sim *sim, uint32_t node, bool must)
{
    const struct node *n = &sim->graph.nodes[node];
    uint32_t in, i;

    for (in = 0; in < n->in_count; in++) {
        const struct list *list = &sim->judge->lists[n->ins[in]];

        for (i = 0; i < list->count; i++) {
            struct seen *s;

            if (list->records[i].flags & REC_END)
                continue;
            s = look_up(sim, node, in, list->records[i].id);
            s->may = true;
            s->must = s->must || must;
            s->due_value = list->records[i].value;
        }
    }
}

/* A stream's first `count` records, and its end, through the whole graph. */
static void evaluate(struct sim *sim, uint32_t stream, uint32_t count, bool end, bool must)
{
    const struct graph *g = &sim->graph;
    const struct intake *s = &sim->judge->streams[stream];
    const struct node *source = &g->nodes[stream_source(stream)];
    struct record r;
    uint32_t i, k;

    for (i = 0; i < g->edge_count; i++)
        sim->judge->lists[i].count = 0;
    for (i = 0; i <= count; i++) {
        if (i == count && !end)
            break;
        r = i < count ? item_record(stream, i, s->values[i]) : end_record(stream, count);
        for (k = 0; k < source->out_count; k++)
            list_add(sim, source->outs[k], &r);
    }
    for (i = g->source_count; i < g->node_count; i++) {
        if (is_sink(g->nodes[i].kind))
            at_sink(sim, i, must);
        else
            through_node(sim, i);
    }
}

/* A live source's stream from a run of which nothing was told safe may be gone with
 * its end: nobody was promised anything. */
static void expect(struct sim *sim, uint32_t stream)
{
    const struct intake *s = &sim->judge->streams[stream];
    enum node_kind kind = sim->graph.nodes[stream_source(stream)].kind;
    bool promised = !is_live(kind) || s->safe > 0 || stream % RUNS == sim->store.runs - 1u;
    uint32_t count;

    if (s->ended ? s->safe > s->last_end : s->safe > 0)
        sim_wrong(sim, LOST);
    if (!is_live(kind) && (!s->ended || s->last_end != ITEMS))
        sim_wrong(sim, LOST);
    /* Before the end any of the last ones may have left a delay line. */
    sim->graph.eager = true;
    evaluate(sim, stream, s->read, false, false);
    sim->graph.eager = false;
    for (count = 0; count < 32; count++)
        if (s->ends & (1u << count))
            evaluate(sim, stream, count, true, promised && count == s->last_end);
}

static void compare(struct sim *sim, const struct seen *s)
{
    uint32_t there = s->delivered + s->letters + (s->archived == THERE);

    if (s->must && there == 0)
        sim_wrong(sim, LOST);
    if (there > 0 && !s->may)
        sim_wrong(sim, INVENTED);
    if ((s->delivered > 0 || s->archived == THERE) && s->may && s->value != s->due_value)
        sim_wrong(sim, ALTERED);
    if (s->letters > 1 || (s->letters > 0 && s->delivered > 0))
        sim_wrong(sim, LETTER_TWICE);
}

void judge_last(struct sim *sim)
{
    struct judge *j = sim->judge;
    uint32_t i;

    for (i = 0; i < STREAMS; i++) {
        enum node_kind kind = sim->graph.nodes[stream_source(i)].kind;

        if (stream_source(i) < sim->graph.source_count &&
            (j->streams[i].read > 0 || j->streams[i].ended || (i % RUNS == 0 && !is_live(kind))))
            expect(sim, i);
    }
    for (i = 0; i < sim->store.letter_count; i++) {
        const struct letter *l = &sim->store.letters[i];

        look_up(sim, l->node, l->in, l->id)->letters++;
    }
    for (i = 0; i < j->count; i++)
        compare(sim, j->all[i]);
}
