/* test_conform.c - the data path is held against the rules that the model is built from.
 *
 * Pipelines run with a listener at every event of the epoch protocol (flow/trace.h);
 * tests/sim/conform.py then says whether the rules held, whatever the threads did. So
 * what the model proves in many schedules is true of this code, too.
 *
 * AFFERENT_CONFORM_RUNS and AFFERENT_CONFORM_SEED: how many random pipelines, and from
 * which on. A trace that breaks a rule stays, and its place is printed.
 *
 * Not here: what arrived at the far ends (test_commit.c, test_stress.c). */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/difference.h"
#include "flow/reload.h"
#include "gated.h"
#include "trial.h"

enum { RUNS = 220, AT_ONCE = 40, MS = 1000000, COMMAND = 16384 };

static char dir[TRIAL_PATH];
static char checkers[512];
static struct listener listener;

/* ---- the checker ---- */

/* Runs one of the checkers; what it says is printed where it is not content. */
static bool check(const char *program, const char *arguments)
{
    char command[COMMAND], line[512], said[8192] = "";
    FILE *pipe;
    bool ok;

    snprintf(command, sizeof command, "python3 -B '%s/%s' %s 2>&1", checkers, program, arguments);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    while (fgets(line, sizeof line, pipe))
        if (strlen(said) + strlen(line) < sizeof said)
            strcat(said, line);
    ok = pclose(pipe) == 0;
    if (!ok)
        fputs(said, stderr);
    return ok;
}

/* Those that are right go away. */
static void check_files(char paths[][TRIAL_PATH], uint32_t count)
{
    char arguments[COMMAND - 1024] = "";
    uint32_t i;

    for (i = 0; i < count; i++) {
        strcat(arguments, paths[i]);
        strcat(arguments, " ");
    }
    assert_true(check("conform.py", arguments));
    assert_int_equal(listener.wrong, 0);
    for (i = 0; i < count; i++)
        unlink(paths[i]);
}

static void check_listener(void)
{
    assert_true(listener_close(&listener));
    check_files(&listener.path, 1);
}

/* Without it there is nobody to judge. */
static void need_python(const char *test)
{
    if (system("python3 -c 'import sys; sys.exit(sys.version_info < (3, 6))' >/dev/null 2>&1") == 0)
        return;
    print_message("SKIP %s: python3 is not there\n", test);
    skip();
}

/* ---- random pipelines ---- */

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void print_counts(const struct shapes *s, uint64_t runs, uint64_t seed)
{
    uint64_t all = 0;
    int i;

    for (i = 0; i < TRIAL_EVENTS; i++)
        all += listener.counts[i];
    print_message("%" PRIu64 " pipelines from seed %" PRIu64 ": %" PRIu64 " rings, %" PRIu64 " queues (%" PRIu64 " newest first, %" PRIu64
                  " inside a domain), %" PRIu64 " fan-ins, %" PRIu64 " with domains in a circle, %" PRIu64 " late sinks, %" PRIu64
                  " that sync, %" PRIu64 " without a store\n",
                  runs, seed, s->rings, s->queues, s->newest, s->inside, s->fan_ins, s->circles, s->late, s->syncs,
                  s->stores_none);
    print_message("%" PRIu64 " events:", all);
    for (i = 0; i < TRIAL_EVENTS; i++)
        if (listener.counts[i] > 0)
            print_message(" %s %" PRIu64, trial_events[i], (uint64_t)listener.counts[i]);
    print_message("\n");
}

static void random_pipelines_keep_the_rules_over_deaths_and_stops(void **state)
{
    uint64_t runs = number_of("AFFERENT_CONFORM_RUNS", RUNS), seed = number_of("AFFERENT_CONFORM_SEED", 1), i;
    static char paths[AT_ONCE][TRIAL_PATH];
    struct shapes shapes = { 0 };
    struct trial *trial;
    uint32_t count = 0;
    char name[32];

    (void)state;
    need_python(__func__);
    for (i = seed; i < seed + runs; i++) {
        snprintf(name, sizeof name, "%" PRIu64, i);
        assert_true(listener_open(&listener, dir, name));
        trial = trial_open(i, &listener, &shapes);
        trial_run(trial);
        trial_close(&trial);
        assert_true(listener_close(&listener));
        memcpy(paths[count++], listener.path, TRIAL_PATH);
        if (count == AT_ONCE || i + 1 == seed + runs) {
            check_files(paths, count);
            count = 0;
        }
    }
    print_counts(&shapes, runs, seed);
    if (runs >= RUNS) {
        assert_true(shapes.rings && shapes.queues && shapes.newest && shapes.inside && shapes.fan_ins && shapes.circles);
        assert_true(shapes.late && shapes.syncs && shapes.stores_none);
    }
}

/* ---- by hand ---- */

struct bench {
    struct rig rig;
    struct part_source source;
    struct part_sink plain;
    struct far_end *end;
    struct peer *peer;
    struct memkeep *keep;
};

/* source -> sums -> a sink with sync, one that answers late and one that may be dead, each
 * behind a queue but for the first; several reads an epoch. */
static void bench_open(struct bench *b, const char *name)
{
    uint32_t source, middle, to, i;

    memset(b, 0, sizeof *b);
    assert_true(listener_open(&listener, dir, name));
    b->end = calloc(1, sizeof *b->end);
    b->peer = peer_open(1);
    b->keep = memkeep_open();
    b->plain.slow_ns = MS / 2;
    b->source = (struct part_source){ .records = 1500, .size = 64, .streams = ENDS_STREAMS, .ends = 1 };
    rig_begin(&b->rig);
    b->rig.plan.commit_records = 200;
    b->rig.plan.commit_every_ns = 2 * MS;
    b->rig.plan.store_limit = 1u << 30;
    b->rig.options.kept = memkeep_kept(b->keep);
    b->rig.options.trace = &listener.trace;
    source = rig_node(&b->rig, "source", trial_source(), &b->source);
    middle = rig_node(&b->rig, "sums", &sums, NULL);
    rig_edge(&b->rig, source, 0, middle, 0);
    to = rig_node(&b->rig, "late", &late, b->peer);
    rig_edge(&b->rig, middle, 0, to, 0);
    to = rig_node(&b->rig, "end", &far_end, b->end);
    rig_edge(&b->rig, middle, 0, to, 0);
    to = rig_node(&b->rig, "plain", &part_sink_blocking, &b->plain);
    rig_edge(&b->rig, middle, 0, to, 0);
    rig_edge(&b->rig, middle, 1, to, 0);
    for (i = 1; i < 3; i++) {
        b->rig.edges[i].when_full = WHEN_FULL_SPILL;
        b->rig.edges[i].buffer = 2048;
        b->rig.edges[i].priority = i == 1 ? AFF_PRIO_VITALS : AFF_PRIO_ALARM;
    }
}

static bool bench_live(struct bench *b, const struct life *life)
{
    return trial_rig_live(&b->rig, LAYOUT_NORMAL, b->keep, &listener, life);
}

static void bench_close(struct bench *b)
{
    memkeep_close(&b->keep);
    peer_close(&b->peer);
    free(b->end);
}

static void what_a_sink_did_not_take_at_a_stop_is_taken_back_by_the_rules(void **state)
{
    struct bench b;

    (void)state;
    need_python(__func__);
    bench_open(&b, "stop");
    b.end->is_dead = true;
    peer_silence(b.peer, true);
    bench_live(&b, &(struct life){ .is_stopped = true, .after_ns = 20 * MS });
    b.end->is_dead = false;
    peer_silence(b.peer, false);
    while (!bench_live(&b, &(struct life){ 0 }))
        continue;
    bench_close(&b);
    check_listener();
}

/* ---- reloads ---- */

enum { RELOADS = 8, GIVEN = 60 };

struct changing {
    struct rig rigs[RELOADS + 1];
    struct gate gate;
    struct far_end *ends;
    struct memkeep *keep;
    struct reload reload;
};

/* Every other time there is a sink more. */
static struct rig *changed_rig(struct changing *c, uint32_t number)
{
    static const char *const names[] = { "a", "c", "s" };
    struct rig *r = &c->rigs[number];
    uint32_t source, middle, to, i;

    rig_begin(r);
    r->plan.commit_records = 32;
    r->plan.commit_every_ns = 2 * MS;
    r->plan.store_limit = 1u << 30;
    r->options.kept = memkeep_kept(c->keep);
    r->options.trace = &listener.trace;
    source = rig_node(r, "source", &gated, &c->gate);
    middle = rig_node(r, "middle", &sums, NULL);
    rig_edge(r, source, 0, middle, 0);
    for (i = 0; i < 3; i++) {
        if (i == 1 && number % 2)
            continue;
        to = rig_node(r, names[i], &far_end, &c->ends[i]);
        rig_edge(r, middle, i == 2, to, 0);
        r->edges[r->plan.edge_count - 1u].when_full = i == 2 ? WHEN_FULL_BLOCK : WHEN_FULL_SPILL;
        r->edges[r->plan.edge_count - 1u].priority = AFF_PRIO_VITALS;
    }
    plan_layout(&r->plan, LAYOUT_THREAD_PER_NODE);
    return r;
}

static void change(struct changing *c, uint32_t number)
{
    struct rig *rig = changed_rig(c, number);
    struct reload *r = &c->reload;
    struct difference *d = difference_new(r->plan, &rig->plan);

    assert_non_null(d);
    r->difference = d;
    r->plan = &rig->plan;
    assert_int_equal(reload_open(r), AFF_OK);
    assert_true(reload_swap(r));
    difference_free(&d);
}

static void reloads_keep_the_rules_while_records_come(void **state)
{
    struct changing c;
    struct rig *first;
    uint32_t i;

    (void)state;
    need_python(__func__);
    memset(&c, 0, sizeof c);
    assert_true(listener_open(&listener, dir, "reload"));
    c.keep = memkeep_open();
    c.ends = calloc(3, sizeof *c.ends);
    c.gate.ends = true;
    first = changed_rig(&c, 0);
    c.reload.plan = &first->plan;
    c.reload.flow = rig_open(first, LAYOUT_THREAD_PER_NODE);
    c.reload.attach = memkeep_flow;
    c.reload.arg = c.keep;
    memkeep_begin(c.keep, c.reload.flow, 0, false);
    assert_true(flow_start(c.reload.flow));
    for (i = 1; i <= RELOADS; i++) {
        atomic_store(&c.gate.upto, i * GIVEN);
        flow_wait(c.reload.flow, 3 * MS);
        change(&c, i);
    }
    atomic_store(&c.gate.upto, (RELOADS + 2) * GIVEN);
    flow_wait(c.reload.flow, 20 * MS);
    flow_drain(c.reload.flow);
    flow_wait(c.reload.flow, -1);
    memkeep_end(c.keep);
    assert_false(flow_unbalanced(c.reload.flow));
    flow_close(&c.reload.flow);
    memkeep_close(&c.keep);
    free(c.ends);
    check_listener();
}

/* ---- traces that are wrong ---- */

/* One that has each event. */
static void a_trace_that_is_altered_is_refused(void **state)
{
    struct bench b;

    (void)state;
    need_python(__func__);
    bench_open(&b, "spoil");
    b.end->is_dead = true;
    bench_live(&b, &(struct life){ .dies_at = 3 });
    bench_live(&b, &(struct life){ .is_stopped = true, .after_ns = 5 * MS });
    b.end->is_dead = false;
    bench_live(&b, &(struct life){ 0 });
    bench_close(&b);
    assert_true(listener_close(&listener));
    assert_true(check("spoil.py", listener.path));
    unlink(listener.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_pipelines_keep_the_rules_over_deaths_and_stops),
        cmocka_unit_test(what_a_sink_did_not_take_at_a_stop_is_taken_back_by_the_rules),
        cmocka_unit_test(reloads_keep_the_rules_while_records_come),
        cmocka_unit_test(a_trace_that_is_altered_is_refused),
    };
    const char *source = getenv("AFFERENT_SRCDIR"), *base = getenv("TMPDIR");
    int failed;

    snprintf(checkers, sizeof checkers, "%s/tests/sim", source ? source : ".");
    snprintf(dir, sizeof dir, "%s/conform-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(dir))
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (failed == 0)
        rmdir(dir);
    else
        print_error("traces are in %s\n", dir);
    return failed;
}
