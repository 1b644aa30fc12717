/* test_stress.c - random small pipelines, judged at their far ends.
 *
 * From a seed: one or two sources, chains, fan-outs, diamonds and fan-ins of
 * nodes that pass, edit, judge and join, random threads, buffers, epochs and slow
 * sinks. What must arrive at each sink follows from the seqs that the sources
 * were told to make and from the pure functions of the judges: a table of how
 * often each seq comes by each output, worked out without the runtime. Payloads
 * are looked at byte by byte, so memory that was freed too early is seen.
 *
 * AFFERENT_STRESS=N runs N seeds; AFFERENT_STRESS_FROM=S begins at seed S. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parts.h"
#include "rig.h"

enum { NODES = 14, MIDDLE = 8, PORTS = 3, RECORDS = 1500, SEQS = 2 * RECORDS, SEEDS = 100 };

struct shape {
    struct rig rig;
    uint64_t random;
    struct part_source sources[2];
    struct part_sink sinks[NODES];
    struct part_judge judges[NODES];
    struct part_edit edit;
    struct aff_plugin plugins[NODES];
    uint32_t comes[NODES][PORTS][SEQS]; /* how often a seq leaves by a port */
    uint32_t read[NODES][PORTS];        /* readers of the port */
    uint32_t in[NODES][SEQS];           /* how often it comes in */
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint32_t pick(struct shape *s, uint32_t below)
{
    uint64_t z = s->random += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) % below);
}

static uint8_t judge_some(uint64_t seq)
{
    static const uint8_t kinds[8] = { JUDGE_PASS, JUDGE_PASS, JUDGE_DROP, JUDGE_REPLACE,
                                      JUDGE_ROUTE, JUDGE_USED, JUDGE_PASS, JUDGE_DEAD };

    return kinds[(seq * 2654435761u >> 7) % 8];
}

static uint8_t judge_hold(uint64_t seq)
{
    return seq % 3 == 1 ? JUDGE_HOLD : seq % 7 == 0 ? JUDGE_ROUTE : JUDGE_PASS;
}

/* A replacement is the only record made for its input. */
static uint32_t emit_few(uint64_t seq)
{
    return seq % 4 == 1 && judge_some(seq) != JUDGE_REPLACE ? 2 : 0;
}

static uint32_t emit_many(uint64_t seq)
{
    /* more than are staged */
    return seq % 211 == 5 && judge_some(seq) != JUDGE_REPLACE ? 700 : 0;
}

/* ---- what must come ---- */

static void judge_out(struct shape *s, uint32_t n, uint64_t seq)
{
    const struct part_judge *j = &s->judges[n];
    uint32_t times = s->in[n][seq], made = j->emits ? j->emits(seq) : 0;

    s->comes[n][1][seq] = times * made;
    switch (j->judge ? j->judge(seq) : JUDGE_PASS) {
    case JUDGE_PASS:
    case JUDGE_HOLD:
    case JUDGE_REPLACE:
        s->comes[n][0][seq] = times;
        break;
    case JUDGE_ROUTE:
        s->comes[n][2][seq] = times;
        break;
    default:
        break;
    }
}

static void node_out(struct shape *s, uint32_t n)
{
    uint64_t seq;

    for (seq = 0; seq < SEQS; seq++) {
        if (s->plugins[n].process == part_judge.process)
            judge_out(s, n, seq);
        else
            s->comes[n][0][seq] = s->in[n][seq];
    }
}

static void join_up(struct shape *s, uint32_t from, uint32_t port, uint32_t to, uint32_t to_port)
{
    static const uint64_t buffers[4] = { 4096, 16384, 65536, 262144 };
    uint64_t seq;

    rig_edge(&s->rig, from, port, to, to_port);
    s->rig.edges[s->rig.plan.edge_count - 1].buffer = buffers[pick(s, 4)];
    s->read[from][port]++;
    for (seq = 0; seq < SEQS; seq++)
        s->in[to][seq] += s->comes[from][port][seq];
}

/* ---- the graph ---- */

static uint32_t node_add(struct shape *s, const char *name, const struct aff_plugin *about, void *config)
{
    uint32_t n = s->rig.plan.node_count;

    s->plugins[n] = *about;
    if (about->kind != AFF_SOURCE && pick(s, 2))
        s->plugins[n].flags |= AFF_BLOCKS;
    return rig_node(&s->rig, name, &s->plugins[n], config);
}

static void add_sources(struct shape *s)
{
    uint32_t i, count = 1 + pick(s, 2);
    uint64_t seq;

    for (i = 0; i < count; i++) {
        s->sources[i] = (struct part_source){ RECORDS - pick(s, 500), 8u << pick(s, 10), 1 + pick(s, 5),
                                              (uint64_t)i * RECORDS, (int)pick(s, 2), 0 };
        node_add(s, i ? "two" : "one", &part_source, &s->sources[i]);
        for (seq = 0; seq < s->sources[i].records; seq++)
            s->comes[i][0][s->sources[i].skip + seq] = 1;
    }
}

static void judge_config(struct shape *s, uint32_t n)
{
    static const aff_status statuses[3] = { AFF_ERR_IO, AFF_AGAIN, AFF_ERR_MEMORY };

    s->judges[n] = (struct part_judge){
        .judge = pick(s, 2) ? judge_some : judge_hold,
        .emits = pick(s, 3) == 0 ? emit_many : pick(s, 2) ? emit_few : NULL,
        .keep = 1 + pick(s, 40),
        .status = statuses[pick(s, 3)],
        .status_seq = pick(s, RECORDS),
        .times = pick(s, 3),
    };
}

static void add_middle(struct shape *s)
{
    uint32_t n = s->rig.plan.node_count, kind = pick(s, 4), i, from;
    uint32_t inputs = kind == 3 ? 2 : 1;

    if (kind == 0)
        node_add(s, "pass", &part_pass, NULL);
    else if (kind == 1)
        node_add(s, "edit", &part_edit, &s->edit);
    else if (kind == 2) {
        judge_config(s, n);
        node_add(s, "judge", &part_judge, &s->judges[n]);
    } else
        node_add(s, "join", &part_join, NULL);
    for (i = 0; i < inputs; i++) {
        from = pick(s, n);
        join_up(s, from, pick(s, s->rig.plugins[from].output_count), n, i);
    }
    node_out(s, n);
}

/* What nobody reads may stay so on some ports; each first output has a reader. */
static void add_sinks(struct shape *s)
{
    uint32_t n, port, makers = s->rig.plan.node_count, sink;

    for (n = 0; n < makers; n++)
        for (port = 0; port < s->rig.plugins[n].output_count; port++) {
            if (s->rig.plan.node_count == NODES || (s->read[n][port] > 0 && pick(s, 3)) || (port > 0 && pick(s, 2)))
                continue;
            sink = s->rig.plan.node_count;
            s->sinks[sink].slow_ns = pick(s, 3) == 0 ? 400000 : 0;
            node_add(s, "sink", &part_sink, &s->sinks[sink]);
            join_up(s, n, port, sink, 0);
        }
}

static struct shape *shape_new(uint64_t seed)
{
    struct shape *s = calloc(1, sizeof *s);
    uint32_t i, middle;

    assert_non_null(s);
    s->random = seed;
    rig_begin(&s->rig);
    s->rig.options.virtual_clock = true;
    s->rig.plan.commit_records = 64u << pick(s, 6);
    add_sources(s);
    middle = 1 + pick(s, MIDDLE);
    for (i = 0; i < middle; i++)
        add_middle(s);
    add_sinks(s);
    return s;
}

/* ---- the judgement ---- */

static bool sinks_right(const struct shape *s, uint64_t seed)
{
    uint32_t n;
    uint64_t seq, records, sum;
    bool right = true;

    for (n = 0; n < s->rig.plan.node_count; n++) {
        if (s->plugins[n].kind != AFF_SINK)
            continue;
        for (seq = records = sum = 0; seq < SEQS; seq++) {
            records += s->in[n][seq];
            sum += s->in[n][seq] * seq;
        }
        if (s->sinks[n].records == records && s->sinks[n].sum == sum && s->sinks[n].damaged == 0 &&
            s->sinks[n].records_at_sync == records)
            continue;
        print_error("seed %llu, node %u: %llu records of %llu, %llu synced, sum off by %lld, %llu damaged\n",
                    (unsigned long long)seed, n, (unsigned long long)s->sinks[n].records,
                    (unsigned long long)records, (unsigned long long)s->sinks[n].records_at_sync,
                    (long long)(s->sinks[n].sum - sum), (unsigned long long)s->sinks[n].damaged);
        right = false;
    }
    return right;
}

static bool seed_run(uint64_t seed)
{
    struct shape *s = shape_new(seed);
    struct flow *flow = rig_open(&s->rig, pick(s, 3) ? LAYOUT_NORMAL : LAYOUT_THREAD_PER_NODE);
    const char *why = "";
    bool right = flow && flow_start(flow) && flow_wait(flow, 120000000000);

    if (!right) {
        print_error("seed %llu: does not end\n", (unsigned long long)seed);
        if (getenv("AFFERENT_STRESS_STOP"))
            abort();
        if (flow)
            flow_abort(flow);
    } else if (flow_failure(flow, &why) != AFF_OK || !flow_balances(flow)) {
        print_error("seed %llu: %s\n", (unsigned long long)seed, why[0] ? why : "the books do not balance");
        right = false;
    }
    flow_close(&flow);
    right = right && sinks_right(s, seed);
    free(s);
    return right;
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void random_pipelines_deliver_what_their_sources_and_judges_say(void **state)
{
    uint64_t from = number_of("AFFERENT_STRESS_FROM", 1), count = number_of("AFFERENT_STRESS", SEEDS), i;
    uint64_t wrong = 0;

    (void)state;
    for (i = 0; i < count; i++)
        wrong += !seed_run(from + i);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_pipelines_deliver_what_their_sources_and_judges_say),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
