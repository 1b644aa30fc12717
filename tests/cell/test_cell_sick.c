/* test_cell_sick.c - plugins in processes that die in their first open, or of a command
 * that they hold, in real pipelines: others go on, and nothing is lost.
 *
 * What dies does so while a file is there; the test takes it away when it has seen that
 * the others went on. So nothing here depends on how long a start takes.
 *
 * Not here: each call of a cell (test_cell.c, test_deaths.c). */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "booth.h"
#include "ends.h"
#include "flow/lane.h"
#include "memkeep.h"
#include "rig.h"
#include "sick.h"

enum { RECORDS = ENDS_RECORDS, COMMANDS = 12, SOON_MS = 60000 };

struct bench {
    struct rig rig;
    struct part_source healthy;
    struct sick_source_config source;
    struct sick_sums_config sums;
    struct sick_device_config device;
    struct part_orders orders;
    struct far_end *ends; /* three */
    struct memkeep *keep;
    struct flow *flow;
    uint32_t first; /* the node of the first end */
    char armed[64];
};

static void bench_begin(struct bench *b)
{
    memset(b, 0, sizeof *b);
    b->ends = calloc(3, sizeof *b->ends);
    b->keep = memkeep_open();
    assert_true(b->ends && b->keep);
    b->healthy = (struct part_source){ .records = RECORDS, .size = 64, .streams = ENDS_STREAMS, .ends = 1 };
    rig_begin(&b->rig);
    b->rig.plan.commit_records = 64;
    b->rig.plan.commit_every_ns = 5000000;
    b->rig.plan.store_limit = 1u << 30;
    b->rig.options.kept = memkeep_kept(b->keep);
    snprintf(b->armed, sizeof b->armed, "/tmp/afferent-sick-%d", (int)getpid());
    b->source = (struct sick_source_config){ .made = b->healthy, .armed = b->armed };
    b->sums.armed = b->armed;
    unlink(b->armed);
}

static void bench_end(struct bench *b)
{
    memkeep_close(&b->keep);
    free(b->ends);
    unlink(b->armed);
}

static uint32_t sick_node(struct bench *b, const char *name, const struct aff_plugin *about, void *config)
{
    uint32_t n = rig_node(&b->rig, name, about, config);

    b->rig.plugins[n].options = about->options.items;
    b->rig.plugins[n].option_count = about->options.count;
    b->rig.nodes[n].in_process = true;
    return n;
}

static void arm(struct bench *b)
{
    int fd = open(b->armed, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    close(fd);
}

static void life_begin(struct bench *b, uint64_t dies_at)
{
    b->flow = rig_open(&b->rig, LAYOUT_NORMAL);
    assert_non_null(b->flow);
    memkeep_begin(b->keep, b->flow, dies_at, false);
    assert_true(flow_start(b->flow));
}

static void life_end(struct bench *b)
{
    const char *why = "";

    flow_wait(b->flow, -1);
    memkeep_end(b->keep);
    if (flow_failure(b->flow, &why) != AFF_OK)
        fail_msg("%s", why);
    assert_false(flow_unbalanced(b->flow));
    if (!memkeep_died(b->keep))
        assert_true(flow_balances(b->flow));
    flow_close(&b->flow);
}

static void wait_for(struct bench *b, bool (*is_so)(struct bench *b), const char *what)
{
    for (int ms = 0; ms < SOON_MS && !is_so(b); ms++)
        if (flow_wait(b->flow, 1000000))
            break;
    if (!is_so(b))
        fail_msg("did not come about: %s", what);
}

static bool first_has_all(struct bench *b)
{
    return ledger_read(&b->flow->nodes[b->first].ledger).in == RECORDS;
}

static struct cell_figures figures_of(struct bench *b, uint32_t node)
{
    struct cell_figures f;

    cell_figures(b->flow->nodes[node].cell, &f);
    return f;
}

/* It has died in its open, and again when there was something for it to do. */
static bool has_died_again(struct bench *b)
{
    for (uint32_t i = 0; i < b->rig.plan.node_count; i++)
        if (b->flow->nodes[i].cell && figures_of(b, i).ends >= 2)
            return true;
    return false;
}

static void judge_end(const struct far_end *e, bool once)
{
    assert_int_equal(e->invented + e->wrong + e->renamed + e->unmarked, 0);
    for (uint32_t i = 0; i < RECORDS; i++) {
        assert_true(e->records[i].times >= 1);
        if (once)
            assert_int_equal(e->records[i].times, 1);
    }
}

static void judge_sums(const struct far_end *e)
{
    assert_int_equal(e->invented + e->wrong + e->renamed + e->unmarked, 0);
    for (uint64_t s = 0; s < ENDS_STREAMS; s++)
        for (uint64_t n = ENDS_SUM_EVERY; n <= RECORDS / ENDS_STREAMS; n += ENDS_SUM_EVERY)
            assert_true(e->sums[s * ENDS_RECORDS + n].times >= 1);
}

/* ---- in the first open ---- */

static bool is_told(struct bench *b)
{
    char why[256], text[256];

    for (uint32_t i = 0; i < b->rig.plan.node_count; i++) {
        flow_node_isolation(b->flow, i, text, sizeof text);
        if (flow_node_failing(b->flow, i, why, sizeof why) > 0 && strstr(why, "SIGABRT") && strstr(text, "process, down"))
            return true;
    }
    return false;
}

static void a_source_that_dies_in_its_first_open_keeps_no_other_back(void **state)
{
    struct bench b;
    uint32_t healthy, sick;

    (void)state;
    bench_begin(&b);
    arm(&b);
    healthy = rig_node(&b.rig, "healthy", &part_source, &b.healthy);
    sick = sick_node(&b, "sick", &sick_source, &b.source);
    b.first = rig_node(&b.rig, "a", &far_end, &b.ends[0]);
    rig_edge(&b.rig, healthy, 0, b.first, 0);
    rig_edge(&b.rig, sick, 0, rig_node(&b.rig, "b", &far_end, &b.ends[1]), 0);
    life_begin(&b, 0);
    wait_for(&b, first_has_all, "the healthy way is done");
    wait_for(&b, has_died_again, "it is tried again");
    wait_for(&b, is_told, "status says what it waits for");
    assert_int_equal(ledger_read(&b.flow->nodes[sick].ledger).made, 0);
    unlink(b.armed);
    life_end(&b);
    judge_end(&b.ends[0], true);
    judge_end(&b.ends[1], true);
    bench_end(&b);
}

/* source -> a by a queue, and sick sums -> b and the sums; `queue`: also before it. */
static void sums_pipeline(struct bench *b, bool queue)
{
    uint32_t source = rig_node(&b->rig, "source", &part_source, &b->healthy);
    uint32_t middle = sick_node(b, "sums", &sick_sums, &b->sums);

    b->first = rig_node(&b->rig, "a", &far_end, &b->ends[0]);
    rig_edge(&b->rig, source, 0, b->first, 0);
    rig_edge(&b->rig, source, 0, middle, 0);
    rig_edge(&b->rig, middle, 0, rig_node(&b->rig, "b", &far_end, &b->ends[1]), 0);
    rig_edge(&b->rig, middle, 1, rig_node(&b->rig, "s", &far_end, &b->ends[2]), 0);
    b->rig.edges[0].when_full = WHEN_FULL_SPILL;
    b->rig.edges[1].when_full = queue ? WHEN_FULL_SPILL : WHEN_FULL_BLOCK;
    b->rig.edges[0].priority = b->rig.edges[1].priority = AFF_PRIO_WAVEFORM; /* oldest first */
}

static void a_processor_that_dies_in_its_first_open_is_waited_for_by_its_way_alone(void **state)
{
    struct bench b;

    (void)state;
    for (int late = 0; late < 2; late++) {
        bench_begin(&b);
        arm(&b);
        b.sums.late = late;
        sums_pipeline(&b, true);
        life_begin(&b, 0);
        wait_for(&b, first_has_all, "the other way is done");
        wait_for(&b, has_died_again, "it is tried again");
        wait_for(&b, is_told, "status says what it waits for");
        unlink(b.armed);
        life_end(&b);
        judge_end(&b.ends[0], true);
        judge_end(&b.ends[1], true);
        judge_sums(&b.ends[2]);
        bench_end(&b);
    }
}

/* One life dies in the middle; in the next its plugin dies in its first open; what it
 * knew by then is what it goes on with. */
static void what_was_kept_outlives_a_first_open_that_dies(void **state)
{
    struct bench b;

    (void)state;
    for (int late = 0; late < 2; late++) {
        bench_begin(&b);
        b.sums.late = late;
        sums_pipeline(&b, false);
        life_begin(&b, 5);
        life_end(&b);
        assert_true(memkeep_died(b.keep));
        arm(&b);
        life_begin(&b, 0);
        wait_for(&b, has_died_again, "it is tried again");
        unlink(b.armed);
        life_end(&b);
        judge_end(&b.ends[0], false);
        judge_end(&b.ends[1], false);
        judge_sums(&b.ends[2]);
        bench_end(&b);
    }
}

static void a_position_outlives_a_first_open_that_dies(void **state)
{
    struct bench b;
    uint32_t sick;

    (void)state;
    bench_begin(&b);
    sick = sick_node(&b, "sick", &sick_source, &b.source);
    rig_edge(&b.rig, sick, 0, rig_node(&b.rig, "a", &far_end, &b.ends[0]), 0);
    life_begin(&b, 5);
    life_end(&b);
    assert_true(memkeep_died(b.keep));
    arm(&b);
    life_begin(&b, 0);
    wait_for(&b, has_died_again, "it is tried again");
    unlink(b.armed);
    life_end(&b);
    judge_end(&b.ends[0], false);
    assert_int_equal(b.ends[0].records[0].times, 1); /* it was not read from its beginning */
    bench_end(&b);
}

/* It says in its open whose records they are; those that it makes then go on counting. */
static void a_source_that_dies_in_the_middle_goes_on_under_the_same_ids(void **state)
{
    struct bench b;
    uint32_t sick;

    (void)state;
    bench_begin(&b);
    b.source.dies_at = RECORDS / 2;
    arm(&b);
    sick = sick_node(&b, "sick", &sick_source, &b.source);
    rig_edge(&b.rig, sick, 0, rig_node(&b.rig, "a", &far_end, &b.ends[0]), 0);
    life_begin(&b, 0);
    wait_for(&b, has_died_again, "it dies in the middle");
    unlink(b.armed);
    life_end(&b);
    judge_end(&b.ends[0], true);
    for (uint32_t i = 1; i < RECORDS; i++) {
        assert_int_equal(b.ends[0].records[i].id.source, b.ends[0].records[0].id.source);
        assert_int_equal(b.ends[0].records[i].id.seq, b.ends[0].records[0].id.seq + i);
    }
    bench_end(&b);
}

/* ---- of a command ---- */

static bool all_are_settled(struct bench *b)
{
    const struct ledger *l = &b->flow->nodes[0].ledger;

    return ledger_read(l).by_verdict[2] + ledger_read(l).dead == COMMANDS;
}

static bool letter_has(struct bench *b, uint64_t index, const char *words)
{
    size_t size;
    const void *bytes = memkeep_letter(b->keep, index, &size);

    return memmem(bytes, size, words, strlen(words)) != NULL;
}

static void a_command_that_three_children_died_of_is_a_dead_letter(void **state)
{
    struct memkeep_figures kept;
    struct bench b;
    uint32_t device, orders;

    (void)state;
    for (int in_restore = 0; in_restore < 2; in_restore++) {
        bench_begin(&b);
        b.orders.every = 1;
        b.device = (struct sick_device_config){ COMMANDS, 4, 7, in_restore };
        device = sick_node(&b, "device", &sick_device, &b.device);
        orders = rig_node(&b.rig, "orders", &part_orders, &b.orders);
        rig_edge(&b.rig, device, 0, orders, 0);
        rig_edge(&b.rig, orders, 0, rig_node(&b.rig, "data", &far_end, &b.ends[0]), 0);
        rig_edge(&b.rig, device, 1, rig_node(&b.rig, "results", &far_end, &b.ends[1]), 0);
        rig_edge(&b.rig, orders, 1, device, 0);
        b.rig.edges[3].when_full = WHEN_FULL_SPILL;
        b.rig.edges[3].priority = AFF_PRIO_WAVEFORM;
        life_begin(&b, 0);
        wait_for(&b, all_are_settled, "each command has its end");
        assert_false(figures_of(&b, device).is_parked);
        flow_drain(b.flow);
        life_end(&b);
        for (uint32_t i = 0; i < COMMANDS; i++)
            assert_int_equal(b.ends[1].records[i].times, i != 4 && i != 7);
        kept = memkeep_figures(b.keep);
        assert_int_equal(kept.letters, 2);
        assert_true(letter_has(&b, 0, "three children"));
        assert_true(letter_has(&b, 1, "failed")); /* let go by such a verdict */
        bench_end(&b);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_that_dies_in_its_first_open_keeps_no_other_back),
        cmocka_unit_test(a_processor_that_dies_in_its_first_open_is_waited_for_by_its_way_alone),
        cmocka_unit_test(what_was_kept_outlives_a_first_open_that_dies),
        cmocka_unit_test(a_position_outlives_a_first_open_that_dies),
        cmocka_unit_test(a_source_that_dies_in_the_middle_goes_on_under_the_same_ids),
        cmocka_unit_test(a_command_that_three_children_died_of_is_a_dead_letter),
    };

    booth_know(&sick_source);
    booth_know(&sick_sums);
    booth_know(&sick_device);
    if (cell_child_asked(argc, argv))
        return cell_child_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
