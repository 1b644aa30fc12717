/* trial.c - see trial.h. */
#include "trial.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HANGS_NS INT64_C(60000000000)

enum { MOST_PROCESSORS = 6, RECORDS = 500, HELD = 8, RING_BUFFER = 4096, QUEUE_BUFFER = 2048, MS = 1000000 };

/* ---- writing down ---- */

const char *const trial_events[TRIAL_EVENTS] = {
    "put",   "take", "cut",    "snap",  "end",    "finish",  "abandon",   "sent", "ack", "sync",
    "done ", "choose", "store", "remove", "durable", "committed", "told", "run", "queue", "over",
};

/* One call of fputs is one line in the file, whoever else writes; it is there even if the
 * program dies. */
static void write_line(void *arg, const char *text)
{
    struct listener *l = arg;
    uint32_t i;

    fputs(text, l->file);
    for (i = 0; i < TRIAL_EVENTS; i++)
        if (strncmp(text, trial_events[i], strlen(trial_events[i])) == 0)
            atomic_fetch_add_explicit(&l->counts[i], 1, memory_order_relaxed);
}

bool listener_open(struct listener *l, const char *dir, const char *name)
{
    l->trace = (struct trace){ write_line, l };
    snprintf(l->path, sizeof l->path, "%s/%s.trace", dir, name);
    l->file = fopen(l->path, "w");
    return l->file && setvbuf(l->file, NULL, _IOLBF, BUFSIZ) == 0;
}

void listener_add(struct listener *l, const char *line)
{
    write_line(l, line);
}

bool listener_close(struct listener *l)
{
    bool ok = !ferror(l->file);

    ok = fclose(l->file) == 0 && ok;
    l->file = NULL;
    return ok;
}

/* ---- parts ---- */

uint32_t trial_pick(struct trial *t, uint32_t below)
{
    uint64_t z = t->random += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) % below);
}

static bool one_in(struct trial *t, uint32_t n)
{
    return trial_pick(t, n) == 0;
}

static void hears(void *self, uint64_t epoch)
{
    (void)self;
    (void)epoch;
}

static uint8_t judged(uint64_t seq)
{
    static const uint8_t verdicts[] = { JUDGE_PASS, JUDGE_DROP, JUDGE_ROUTE, JUDGE_REPLACE,
                                        JUDGE_DEAD, JUDGE_HOLD, JUDGE_PASS, JUDGE_USED };

    return verdicts[seq % 8];
}

static uint32_t made(uint64_t seq)
{
    return seq % 3 == 0 && judged(seq) != JUDGE_REPLACE ? 2 : 0;
}

const struct aff_plugin *trial_source(void)
{
    static struct aff_plugin source;

    if (!source.committed) {
        source = part_source;
        source.committed = hears;
    }
    return &source;
}

static uint32_t add(struct trial *t, const struct aff_plugin *about, void *config)
{
    uint32_t n = t->rig.plan.node_count;

    snprintf(t->names[n], sizeof t->names[n], "n%" PRIu32, n);
    return rig_node(&t->rig, t->names[n], about, config);
}

static bool is_there(const struct plan *plan, const struct plan_edge *edge)
{
    uint32_t i;

    for (i = 0; i < plan->edge_count; i++) {
        const struct plan_edge *e = &plan->edges[i];

        if (e->from == edge->from && e->from_port == edge->from_port && e->to == edge->to && e->to_port == edge->to_port)
            return true;
    }
    return false;
}

static void add_edge(struct trial *t, const struct plan_edge *e, enum when_full when_full)
{
    struct plan_edge *made;

    rig_edge(&t->rig, e->from, e->from_port, e->to, e->to_port);
    made = &t->rig.edges[t->rig.plan.edge_count - 1u];
    made->when_full = when_full;
    made->priority = AFF_PRIO_VITALS;
    made->buffer = when_full == WHEN_FULL_BLOCK ? RING_BUFFER : QUEUE_BUFFER;
}

/* From any output of any node before it; twice the same way is none. */
static void add_way(struct trial *t, uint32_t to, uint32_t port, enum when_full when_full)
{
    struct plan_edge e = { .to = to, .to_port = port };

    do
        e.from = trial_pick(t, to);
    while (t->rig.plugins[e.from].output_count == 0);
    e.from_port = trial_pick(t, t->rig.plugins[e.from].output_count);
    if (is_there(&t->rig.plan, &e))
        return;
    add_edge(t, &e, when_full);
}

/* A queue that leads out of the first domain, and one that leads back into it, where both
 * ways meet. */
static void add_circle(struct trial *t)
{
    uint32_t out = add(t, &part_pass, NULL), there = add(t, &sums, NULL), back = add(t, &part_pass, NULL);
    uint32_t join = add(t, &part_join, NULL);

    add_edge(t, &(struct plan_edge){ .from = 0, .to = out }, WHEN_FULL_BLOCK);
    add_edge(t, &(struct plan_edge){ .from = out, .to = there }, WHEN_FULL_SPILL);
    add_edge(t, &(struct plan_edge){ .from = there, .from_port = trial_pick(t, 2), .to = back }, WHEN_FULL_SPILL);
    add_edge(t, &(struct plan_edge){ .from = back, .to = join }, WHEN_FULL_BLOCK);
    add_edge(t, &(struct plan_edge){ .from = out, .to = join, .to_port = 1 }, WHEN_FULL_BLOCK);
}

static void add_processor(struct trial *t)
{
    static const struct aff_plugin *const kinds[] = { &part_pass, &part_edit, &sums, &part_judge, &part_join, &part_join };
    const struct aff_plugin *about = kinds[trial_pick(t, 6)];
    enum when_full when_full = one_in(t, 3) ? WHEN_FULL_SPILL : WHEN_FULL_BLOCK;
    void *config = about == &part_edit ? (void *)&t->edit : about == &part_judge ? (void *)&t->judge : NULL;
    uint32_t n = add(t, about, config), i;

    for (i = 0; i < t->rig.plugins[n].input_count; i++)
        add_way(t, n, i, when_full);
    if (one_in(t, 6))
        add_way(t, n, 0, when_full);
}

static void add_sink(struct trial *t, struct shapes *shapes)
{
    uint32_t s = t->sink_count++, kind = trial_pick(t, 4), ways = 1 + one_in(t, 4), n;
    enum when_full when_full = one_in(t, 2) ? WHEN_FULL_BLOCK : one_in(t, 8) ? WHEN_FULL_DROP_OLDEST : WHEN_FULL_SPILL;

    if (kind == 0) {
        t->peers[s] = peer_open(t->random);
        t->peers[s]->refuses = one_in(t, 3) ? 77 : UINT64_MAX;
        n = add(t, &late, t->peers[s]);
        shapes->late++;
    } else if (kind == 1) {
        t->ends[s] = calloc(1, sizeof *t->ends[s]);
        t->ends[s]->refuses = one_in(t, 3) ? 33 : 0;
        n = add(t, &far_end, t->ends[s]);
    } else {
        t->plain[s].slow_ns = one_in(t, 4) ? trial_pick(t, 300000) : 0;
        n = add(t, kind == 2 ? &part_sink : &part_sink_blocking, &t->plain[s]);
        shapes->syncs++;
    }
    while (ways-- > 0)
        add_way(t, n, 0, when_full);
    if (when_full != WHEN_FULL_BLOCK && ways + 1 < 2 && one_in(t, 4))
        t->rig.edges[t->rig.plan.edge_count - 1u].priority = AFF_PRIO_ALARM;
}

/* ---- what it looks like ---- */

static bool reaches(const struct plan *plan, uint32_t from, uint32_t to, uint32_t steps)
{
    uint32_t i;

    for (i = 0; i < plan->edge_count && steps > 0; i++) {
        uint32_t a = plan->nodes[plan->edges[i].from].domain, b = plan->nodes[plan->edges[i].to].domain;

        if (a == from && b != from && (b == to || reaches(plan, b, to, steps - 1u)))
            return true;
    }
    return false;
}

static void count_shapes(const struct plan *plan, struct shapes *s)
{
    uint32_t ins[RIG_NODES] = { 0 }, i;
    bool circle = false;

    for (i = 0; i < plan->edge_count; i++) {
        const struct plan_edge *e = &plan->edges[i];
        uint32_t from = plan->nodes[e->from].domain, to = plan->nodes[e->to].domain;

        s->rings += e->way == EDGE_RING;
        s->queues += e->when_full == WHEN_FULL_SPILL;
        s->newest += e->way == EDGE_QUEUE && e->priority == AFF_PRIO_ALARM;
        s->inside += e->way == EDGE_QUEUE && from == to;
        s->fan_ins += ++ins[e->to] == 2;
        circle |= from != to && reaches(plan, to, from, 4);
    }
    s->circles += circle;
}

/* ---- life ---- */

struct trial *trial_open(uint64_t seed, struct listener *listener, struct shapes *shapes)
{
    struct trial *t = calloc(1, sizeof *t);
    uint32_t sources, n, i;

    t->random = seed;
    t->listener = listener;
    t->keep = one_in(t, 12) ? NULL : memkeep_open();
    shapes->stores_none += !t->keep;
    t->edit.add = 1000000;
    t->judge = (struct part_judge){ .judge = judged, .emits = made, .keep = HELD };
    rig_begin(&t->rig);
    t->rig.options.trace = &listener->trace;
    t->rig.options.kept = t->keep ? memkeep_kept(t->keep) : NULL;
    t->rig.plan.commit_records = 8u << trial_pick(t, 4);
    t->rig.plan.commit_every_ns = MS << trial_pick(t, 3);
    t->rig.plan.store_limit = 1u << 30;
    t->mode = one_in(t, 2) ? LAYOUT_NORMAL : LAYOUT_THREAD_PER_NODE;
    sources = 1 + one_in(t, 3);
    for (i = 0; i < sources; i++) {
        t->sources[i] = (struct part_source){ .records = RECORDS / 2 + trial_pick(t, RECORDS), .size = 16u << trial_pick(t, 4),
                                              .streams = ENDS_STREAMS, .ends = 1 };
        add(t, one_in(t, 2) ? trial_source() : &part_source, &t->sources[i]);
    }
    if (one_in(t, 6))
        add_circle(t);
    for (n = trial_pick(t, MOST_PROCESSORS); n > 0; n--)
        add_processor(t);
    for (n = 1 + trial_pick(t, 4); n > 0; n--)
        add_sink(t, shapes);
    plan_layout(&t->rig.plan, t->mode);
    count_shapes(&t->rig.plan, shapes);
    return t;
}

void trial_close(struct trial **trial)
{
    struct trial *t = *trial;
    uint32_t i;

    if (t->keep)
        memkeep_close(&t->keep);
    for (i = 0; i < TRIAL_SINKS; i++) {
        if (t->peers[i])
            peer_close(&t->peers[i]);
        free(t->ends[i]);
    }
    free(t);
    *trial = NULL;
}

/* Threads cannot be taken back: nothing can go on after it. */
static void wait_for(struct flow *flow, struct listener *l)
{
    if (flow_wait(flow, HANGS_NS))
        return;
    fprintf(stderr, "a run hangs; its trace is %s\n", l->path);
    abort();
}

bool trial_rig_live(struct rig *rig, enum layout_mode mode, struct memkeep *keep, struct listener *listener,
                    const struct life *life)
{
    struct flow *flow = rig_open(rig, mode);
    const char *why;
    bool ended;

    assert_non_null(flow);
    if (keep)
        memkeep_begin(keep, flow, life->dies_at, life->torn);
    assert_true(flow_start(flow));
    if (life->is_stopped) {
        flow_wait(flow, life->after_ns);
        flow_drain(flow);
    }
    wait_for(flow, listener);
    if (keep)
        memkeep_end(keep);
    if (flow_failure(flow, &why) != AFF_OK || flow_unbalanced(flow)) {
        fprintf(stderr, "%s: %s\n", listener->path, why[0] ? why : "the accounts do not balance");
        listener->wrong++;
    }
    ended = !keep || (memkeep_died(keep) ? memkeep_finished(keep) : !life->is_stopped || memkeep_finished(keep));
    /* It was safe before anybody heard of it. */
    if (keep && memkeep_died(keep) && !life->torn)
        listener_add(listener, "durable\n");
    flow_close(&flow);
    return ended;
}

bool trial_live(struct trial *t, const struct life *life)
{
    return trial_rig_live(&t->rig, t->mode, t->keep, t->listener, life);
}

void trial_run(struct trial *t)
{
    struct life life = { 0 };
    uint32_t lives = t->keep ? trial_pick(t, 5) : 0;
    bool ended = false;

    for (; lives > 0 && !ended; lives--) {
        life = (struct life){ .dies_at = 1 + trial_pick(t, 7), .torn = one_in(t, 2) };
        if (one_in(t, 3))
            life = (struct life){ .is_stopped = true, .after_ns = trial_pick(t, 4 * MS) };
        ended = trial_live(t, &life);
    }
    if (!ended)
        trial_live(t, &(struct life){ 0 });
}
