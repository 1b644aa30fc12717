/* test_cell.c - an ordinary plugin does in a process what it does in a thread, also
 * when its children die on the way.
 *
 * Not here: plugins that mean harm (test_hostile.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#include "booth.h"
#include "cell/confine.h"
#include "load/probe.h"
#include "model.h"

static const char *const words[] = { "alpha", "beta" };
static const struct model_limit limits[] = { { "low", 3 }, { "high", 9 } };
static const struct model_point point = { 12, "here" };
static const struct model_config config = {
    .add = 5, .who = "nobody", .point = &point, .words = { words, 2, sizeof words[0] }, .limits = { limits, 2, sizeof limits[0] },
};

enum { RECORDS = 3000 };

static void actions_none(struct stage_payload *p, uint32_t count)
{
    (void)p, (void)count;
}

static void actions_abort_in_batch(struct stage_payload *p, uint32_t count)
{
    for (uint32_t i = 100; i < count; i += 1200)
        p[i].action = ACT_ABORT_IN_BATCH;
}

static void in_cell(struct booth *b, const struct aff_plugin *constant, const struct model_config *c,
                    void (*actions)(struct stage_payload *, uint32_t), uint32_t batch)
{
    booth_begin(b, constant, c, NULL);
    booth_run(b, RECORDS, batch, actions);
    booth_stop(b);
}

/* Says where two runs part; what they wrote is long. */
static void expect_text(const struct booth *thread, const struct booth *cell)
{
    const char *one = thread->stage.text, *other = cell->stage.text;
    size_t line = 0, i;

    if (strcmp(one, other) == 0)
        return;
    for (i = 0; one[i] == other[i]; i++)
        line = one[i] == '\n' ? i + 1 : line;
    fail_msg("in a thread\n%.240s\nin a process\n%.240s", one + line, other + line);
}

static void expect_same(const struct aff_plugin *constant, const struct model_config *c,
                        void (*actions)(struct stage_payload *, uint32_t), uint64_t ends)
{
    struct booth thread, cell;
    uint32_t batch;

    for (batch = 1; batch <= 64; batch += 21) {
        booth_thread(&thread, constant, c);
        booth_run(&thread, RECORDS, batch, actions);
        booth_stop(&thread);
        in_cell(&cell, constant, c, actions, batch);
        if (batch > 1)
            assert_int_equal(cell.figures.ends, ends);
        expect_text(&thread, &cell);
        assert_null(strstr(cell.stage.text, "WRONG"));
        assert_int_equal(thread.stage.metrics[0], cell.stage.metrics[0]);
        assert_int_equal(thread.stage.metrics[1], cell.stage.metrics[1]);
        assert_int_equal(cell.stage.dead, 0);
        assert_int_equal(cell.figures.violations, 0);
        booth_end(&thread);
        booth_end(&cell);
    }
}

static void a_processor_does_the_same_in_a_process(void **state)
{
    struct model_config random = config;

    (void)state;
    random.random = 1;
    expect_same(&afferent_plugin_v1, &random, actions_none, 0);
}

static void an_editor_does_the_same_in_a_process(void **state)
{
    (void)state;
    expect_same(&model_editor, &config, actions_none, 0);
}

/* The same plugin as a file: built, probed, loaded here, and there from its sealed copy. */
static void a_shared_object_does_the_same_in_a_process(void **state)
{
    const char *compiler = getenv("CC"), *root = getenv("AFFERENT_SRCDIR");
    char folder[] = "/tmp/afferent-cell-XXXXXX", command[1024], file[64];
    struct booth thread, cell;

    (void)state;
    compiler = compiler && *compiler ? compiler : "cc";
    snprintf(command, sizeof command, "command -v %s >/dev/null", compiler);
    if (system(command) != 0) {
        print_message("SKIP test_cell: there is no C compiler (%s)\n", compiler);
        skip();
    }
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/op_model.so", folder);
    snprintf(command, sizeof command, "%s -std=gnu11 -fPIC -shared -fvisibility=hidden -I'%s/sdk/include' -o '%s' "
             "'%s/tests/cell/model.c'", compiler, root ? root : "..", file, root ? root : "..");
    assert_int_equal(system(command), 0);
    booth_thread(&thread, &afferent_plugin_v1, &config);
    booth_run(&thread, RECORDS, 50, actions_abort_in_batch);
    booth_stop(&thread);
    booth_file(&cell, folder, "op_model", &config);
    booth_run(&cell, RECORDS, 50, actions_abort_in_batch);
    booth_stop(&cell);
    assert_true(cell.figures.ends > 0);
    expect_text(&thread, &cell);
    assert_int_equal(thread.stage.made, cell.stage.made);
    assert_int_equal(thread.stage.metrics[0], cell.stage.metrics[0]);
    booth_end(&thread);
    booth_end(&cell);
    unlink(file);
    rmdir(folder);
}

static void children_that_die_change_nothing(void **state)
{
    (void)state;
    expect_same(&afferent_plugin_v1, &config, actions_abort_in_batch, 3);
}

static void an_editors_children_that_die_change_nothing(void **state)
{
    (void)state;
    expect_same(&model_editor, &config, actions_abort_in_batch, 3);
}

/* Above 16 KiB the snapshot is taken at an epoch's end alone. */
static void state_that_cannot_be_brought_back_is_told_by_gap(void **state)
{
    struct model_config big = config;
    struct booth b;

    (void)state;
    big.big = 100000;
    in_cell(&b, &afferent_plugin_v1, &big, actions_abort_in_batch, 64);
    assert_int_equal(b.figures.ends, 3);
    assert_true(b.stage.gaps > 0);
    assert_int_equal(b.stage.dead, 0);
    booth_end(&b);
}

static void a_snapshot_is_there_while_there_is_no_child(void **state)
{
    struct booth b;
    uint64_t sum;
    size_t size;

    (void)state;
    booth_begin(&b, &afferent_plugin_v1, &config, NULL);
    booth_run(&b, 64, 64, actions_none);
    assert_int_equal(b.about->snapshot(b.stage.self, &sum, sizeof sum, &size), AFF_OK);
    assert_int_equal(size, sizeof sum);
    assert_int_equal(sum, 63 * 64 / 2);
    booth_kill(&b);
    assert_int_equal(b.about->snapshot(b.stage.self, &sum, sizeof sum, &size), AFF_OK);
    assert_int_equal(sum, 63 * 64 / 2);
    booth_stop(&b);
    booth_end(&b);
}

static void bad_records(struct stage_payload *p, uint32_t count)
{
    p[77].action = ACT_ABORT;
    p[count - 1].action = ACT_ABORT;
}

static void a_record_that_ends_three_children_is_a_dead_letter(void **state)
{
    struct booth b;

    (void)state;
    in_cell(&b, &model_editor, &config, bad_records, 64);
    assert_int_equal(b.stage.dead, 2);
    assert_int_equal(b.figures.dead_letters, 2);
    assert_int_equal(b.figures.ends, 8);
    assert_false(b.figures.is_parked);
    assert_int_equal(b.stage.passed + b.stage.by_verdict[1], RECORDS - 2);
    assert_non_null(strstr(b.stage.why, "three children"));
    booth_end(&b);
}

static void a_child_killed_between_calls_is_replaced(void **state)
{
    struct booth thread, b;

    (void)state;
    booth_thread(&thread, &afferent_plugin_v1, &config);
    booth_run(&thread, 500, 50, actions_none);
    booth_stop(&thread);
    booth_begin(&b, &afferent_plugin_v1, &config, NULL);
    b.kill_every = 3;
    booth_run(&b, 500, 50, actions_none);
    booth_stop(&b);
    assert_int_equal(b.figures.ends, 3);
    expect_text(&thread, &b);
    booth_end(&thread);
    booth_end(&b);
}

static void five_ends_in_a_minute_park_it_and_a_minute_later_it_is_tried(void **state)
{
    struct stage_payload *p;
    struct aff_record *r;
    struct booth b;
    uint32_t taken, i;
    uint8_t verdicts[4] = { 0 };
    struct aff_batch batch = { NULL, verdicts, 1, 0 };

    (void)state;
    booth_begin(&b, &model_editor, &config, NULL);
    r = stage_records(&b.stage, 1, &p);
    batch.records = r;
    for (i = 0; i < 5; i++) {
        booth_kill(&b);
        assert_int_equal(b.about->process(b.stage.self, &batch, &taken), AFF_ERR_IO);
        b.stage.now_ns += 2000000000;
        if (i < 4)
            assert_int_equal(b.about->process(b.stage.self, &batch, &taken), AFF_OK);
    }
    booth_figures(&b);
    assert_true(b.figures.is_parked);
    assert_int_equal(b.about->process(b.stage.self, &batch, &taken), AFF_ERR_IO);
    assert_non_null(strstr(b.stage.why, "parked"));
    b.stage.now_ns += 60000000000;
    assert_int_equal(b.about->process(b.stage.self, &batch, &taken), AFF_OK);
    b.stage.now_ns += 61000000000;
    assert_int_equal(b.about->process(b.stage.self, &batch, &taken), AFF_OK);
    booth_figures(&b);
    assert_false(b.figures.is_parked);
    assert_int_equal(p->filler[0], 6 * config.add + 1 + 2 + 3 + 4 + 5 + 6);
    booth_stop(&b);
    free(r);
    free(p);
    booth_end(&b);
}

static void starts_back_off_and_twice_as_long_each_time(void **state)
{
    struct booth b;
    int64_t waits[3] = { 74000000, 149000000, 299000000 };
    struct stage_payload *p;
    struct aff_record *r;
    uint8_t verdict = 0;
    struct aff_batch batch = { NULL, &verdict, 1, 0 };
    uint32_t taken;

    (void)state;
    booth_begin(&b, &model_editor, &config, NULL);
    batch.records = r = stage_records(&b.stage, 1, &p);
    for (int i = 0; i < 3; i++) {
        booth_kill(&b);
        assert_int_equal(b.about->process(b.stage.self, &batch, &taken), AFF_ERR_IO);
        b.stage.now_ns += waits[i];
        assert_int_equal(b.about->process(b.stage.self, &batch, &taken), AFF_ERR_IO);
        b.stage.now_ns += waits[i] / 20;
        assert_int_equal(b.about->process(b.stage.self, &batch, &taken), AFF_OK);
    }
    booth_stop(&b);
    free(r);
    free(p);
    booth_end(&b);
}

/* What the real host cannot do is not done, and nothing is done twice. */
static void a_host_without_room_gets_the_rest_later(void **state)
{
    struct booth b;

    (void)state;
    booth_begin(&b, &afferent_plugin_v1, &config, NULL);
    b.stage.fail_reserve = 7;
    booth_run(&b, 300, 60, actions_none);
    booth_stop(&b);
    assert_int_equal(b.stage.in, b.stage.passed + b.stage.by_verdict[1] + b.stage.by_verdict[2] + b.stage.by_verdict[3] +
                                     b.stage.by_verdict[4] + b.stage.by_verdict[5]);
    assert_int_equal(b.stage.dead, 0);
    assert_null(strstr(b.stage.text, "WRONG"));
    booth_end(&b);
}

/* ---- starts are few whatever the reason ---- */

/* Ten tries a second. */
static void tries_make(struct booth *b, const struct aff_batch *batch, uint32_t count)
{
    uint32_t taken = 0;

    while (count-- > 0) {
        assert_int_not_equal(b->about->process(b->stage.self, batch, &taken), AFF_OK);
        b->stage.now_ns += 100000000;
    }
    booth_figures(b);
}

static void starts_are_few(struct booth *b, bool *fails)
{
    struct stage_payload *p;
    struct aff_record *r = stage_records(&b->stage, 1, &p);
    uint8_t verdict = 0;
    struct aff_batch batch = { r, &verdict, 1, 0 };
    uint32_t taken;

    b->stage.batch = r;
    b->stage.batch_count = 1;
    *fails = true;
    tries_make(b, &batch, 10);
    assert_in_range(b->figures.starts, 2, 5);
    tries_make(b, &batch, 300);
    assert_in_range(b->figures.starts, 5, 8);
    assert_true(b->figures.is_parked);
    *fails = false;
    b->stage.now_ns += 60000000000;
    assert_int_equal(b->about->process(b->stage.self, &batch, &taken), AFF_OK);
    b->stage.now_ns += 61000000000;
    assert_int_equal(b->about->process(b->stage.self, &batch, &taken), AFF_OK);
    booth_figures(b);
    assert_false(b->figures.is_parked);
    booth_stop(b);
    free(r);
    free(p);
    booth_end(b);
}

static void a_host_that_can_never_do_it_is_asked_seldom(void **state)
{
    struct booth b;

    (void)state;
    booth_begin(&b, &afferent_plugin_v1, &config, NULL);
    starts_are_few(&b, &b.stage.no_room);
}

/* As in a thread, where emit says so to the plugin. */
static void what_the_host_refuses_as_wrong_ends_it(void **state)
{
    struct stage_payload *p;
    struct aff_record *r;
    struct booth b;
    aff_status st;

    (void)state;
    booth_begin(&b, &afferent_plugin_v1, &config, NULL);
    r = stage_records(&b.stage, 1, &p);
    b.stage.refuses = true;
    assert_false(stage_feed(&b.stage, r, 1, 1, &st));
    assert_int_equal(st, AFF_ERR_BUG);
    booth_stop(&b);
    free(r);
    free(p);
    booth_end(&b);
}

static void a_child_that_gets_no_names_is_started_seldom(void **state)
{
    struct booth b;

    (void)state;
    booth_begin(&b, &afferent_plugin_v1, &config, NULL);
    booth_kill(&b);
    starts_are_few(&b, &b.stage.no_names);
}

static void status_says_what_is_in_force(void **state)
{
    struct booth b;
    char text[160];

    (void)state;
    booth_begin(&b, &model_editor, &config, NULL);
    cell_status(b.cell, text, sizeof text);
    print_message("%s\n", text);
    assert_non_null(strstr(text, "process, seccomp compute"));
    assert_non_null(strstr(text, "no_new_privs"));
    booth_stop(&b);
    booth_end(&b);
}

/* Also where the host has been put back itself. */
static void a_child_stands_behind_its_host_for_the_processor(void **state)
{
    int mine = getpriority(PRIO_PROCESS, 0);
    int wanted = mine + CONFINE_NICER < 19 ? mine + CONFINE_NICER : 19;
    struct booth b;

    (void)state;
    booth_begin(&b, &model_editor, &config, NULL);
    booth_figures(&b);
    assert_true(b.figures.pid > 0);
    assert_int_equal(getpriority(PRIO_PROCESS, (id_t)b.figures.pid), wanted);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), mine);
    booth_stop(&b);
    booth_end(&b);
}

static void require_sandbox_refuses_a_kernel_without_seccomp(void **state)
{
    struct cell_options options = { .require_sandbox = true, .lacks = CELL_LACKS_SECCOMP };
    struct booth b;
    void *self;
    char text[160];

    (void)state;
    booth_prepare(&b, &model_editor, &config, &options);
    assert_int_equal(b.about->open(&b.stage.host, cell_config(b.cell), &self), AFF_ERR_CONFIG);
    assert_non_null(strstr(b.stage.why, "require_sandbox"));
    booth_end(&b);
    options = (struct cell_options){ .lacks = CELL_LACKS_SECCOMP | CELL_LACKS_LANDLOCK };
    booth_begin(&b, &model_editor, &config, &options);
    cell_status(b.cell, text, sizeof text);
    assert_non_null(strstr(text, "no seccomp: this kernel lacks it"));
    assert_non_null(strstr(text, "no landlock: this kernel lacks it"));
    booth_stop(&b);
    booth_end(&b);
}

static void payloads_larger_than_the_room_go_in_several_slots(void **state)
{
    struct cell_options options = { .max_payload = 700000 };
    struct stage_payload *p;
    struct aff_record *r;
    struct booth b;
    aff_status st;
    uint8_t *big = calloc(1, 700001);

    (void)state;
    booth_begin(&b, &model_editor, &config, &options);
    r = stage_records(&b.stage, 10, &p);
    for (int i = 0; i < 10; i++) {
        r[i].data = i == 4 ? big : malloc(700000);
        memset(r[i].data, i, 700000);
        memcpy(r[i].data, &p[i], sizeof p[i]);
        r[i].size = i == 4 ? 700001 : 700000;
    }
    assert_true(stage_feed(&b.stage, r, 10, 10, &st));
    assert_int_equal(b.stage.passed + b.stage.by_verdict[1], 9);
    assert_int_equal(b.stage.dead, 1);
    for (int i = 0; i < 10; i++)
        free(r[i].data);
    free(r);
    free(p);
    booth_stop(&b);
    booth_end(&b);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_processor_does_the_same_in_a_process),
        cmocka_unit_test(an_editor_does_the_same_in_a_process),
        cmocka_unit_test(a_shared_object_does_the_same_in_a_process),
        cmocka_unit_test(children_that_die_change_nothing),
        cmocka_unit_test(an_editors_children_that_die_change_nothing),
        cmocka_unit_test(state_that_cannot_be_brought_back_is_told_by_gap),
        cmocka_unit_test(a_snapshot_is_there_while_there_is_no_child),
        cmocka_unit_test(a_record_that_ends_three_children_is_a_dead_letter),
        cmocka_unit_test(a_child_killed_between_calls_is_replaced),
        cmocka_unit_test(five_ends_in_a_minute_park_it_and_a_minute_later_it_is_tried),
        cmocka_unit_test(starts_back_off_and_twice_as_long_each_time),
        cmocka_unit_test(a_host_without_room_gets_the_rest_later),
        cmocka_unit_test(a_host_that_can_never_do_it_is_asked_seldom),
        cmocka_unit_test(what_the_host_refuses_as_wrong_ends_it),
        cmocka_unit_test(a_child_that_gets_no_names_is_started_seldom),
        cmocka_unit_test(status_says_what_is_in_force),
        cmocka_unit_test(a_child_stands_behind_its_host_for_the_processor),
        cmocka_unit_test(require_sandbox_refuses_a_kernel_without_seccomp),
        cmocka_unit_test(payloads_larger_than_the_room_go_in_several_slots),
    };

    if (plugin_probe_asked(argc, argv))
        return plugin_probe_main(PLUGIN_PROBE_FD);
    booth_know(&afferent_plugin_v1);
    booth_know(&model_editor);
    if (cell_child_asked(argc, argv))
        return cell_child_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
