/* test_deaths.c - children that die or hang, each in its own way and place: what was not
 * safe is given to the next one, and the host waits for none of them for long.
 *
 * Not here: plugins that mean harm (test_hostile.c). */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "model.h"
#include "villain.h"

enum { SOON_MS = 60000 }; /* what does not hang, on any machine */

static aff_status call_wake(struct stage *s)
{
    return s->about->wake(s->self);
}

static aff_status call_timer(struct stage *s)
{
    return s->about->timer(s->self, 1, 77);
}

static aff_status call_mark(struct stage *s)
{
    static const struct aff_record mark = { .subject = 1, .stream = 1, .flags = AFF_FLAG_END };

    return s->about->stream_end(s->self, 0, &mark);
}

static aff_status call_restore(struct stage *s)
{
    return s->about->restore(s->self, "12345678", 8);
}

static aff_status call_snapshot(struct stage *s)
{
    char bytes[64];
    size_t size;

    return s->about->snapshot(s->self, bytes, sizeof bytes, &size);
}

/* A loop in a callback: IO with its cause, in time, and it is tried again. What is done for
 * each child as it comes up, restore, is put off until the next one does. */
static void a_loop_in_any_callback_ends_in_time(void **state)
{
    static const struct {
        const struct aff_plugin *plugin;
        enum hostile_when when;
        aff_status (*call)(struct stage *);
    } calls[] = {
        { &hostile_processor, AT_DRAIN, stage_drain }, { &hostile_processor, AT_WAKE, call_wake },
        { &hostile_processor, AT_TIMER, call_timer },  { &hostile_processor, AT_MARK, call_mark },
        { &hostile_sink, AT_SYNC, stage_sync },        { &hostile_source, AT_RESTORE, call_restore },
    };
    struct hostile_config config;
    struct stage_payload *p;
    struct aff_record *r;
    struct booth b;

    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        booth_hostile(&b, calls[i].plugin, H_LOOP, calls[i].when, &config);
        assert_int_equal(stage_open(&b.stage, b.about, cell_config(b.cell)), AFF_OK);
        r = stage_records(&b.stage, 1, &p);
        assert_int_equal(calls[i].call(&b.stage), calls[i].when == AT_RESTORE ? AFF_OK : AFF_ERR_IO);
        booth_figures(&b);
        assert_int_equal(b.figures.hangs, 1);
        assert_non_null(strstr(b.stage.why, "no answer in time"));
        booth_stop(&b);
        booth_end(&b);
        free(r);
        free(p);
        nothing_is_left();
    }
}

/* Opened all the same: it waits for the next child, and nothing is kept of it. */
static void open_lost(struct booth *b)
{
    struct stage_payload *p;
    struct aff_record *r = stage_records(&b->stage, 1, &p);
    struct aff_batch batch = { r, (uint8_t[1]){ 0 }, 1, 0 };
    uint32_t taken;

    assert_true(cell_open_lost(b->cell, &b->stage.host, &b->stage.self));
    assert_false(cell_open_lost(b->cell, &b->stage.host, &b->stage.self));
    assert_true(cell_is_blank(b->cell));
    assert_int_equal(b->about->process(b->stage.self, &batch, &taken), AFF_ERR_IO);
    assert_non_null(strstr(b->stage.why, "no answer in time"));
    assert_true(cell_is_blank(b->cell));
    free(r);
    free(p);
}

static void a_loop_in_open_start_stop_or_close_ends_in_time(void **state)
{
    static const enum hostile_when whens[] = { AT_OPEN, AT_START, AT_STOP, AT_CLOSE, AT_SNAPSHOT };
    struct hostile_config config;
    struct booth b;

    (void)state;
    for (size_t i = 0; i < sizeof whens / sizeof whens[0]; i++) {
        bool opens = whens[i] == AT_STOP || whens[i] == AT_CLOSE;
        struct cell_options options = { .call_ns = CALL_MS * INT64_C(1000000),
                                        .open_ns = (opens ? PATIENT_MS : 2000) * INT64_C(1000000) };
        aff_status st;

        config = (struct hostile_config){ H_LOOP, whens[i] };
        booth_prepare(&b, whens[i] == AT_SNAPSHOT ? &hostile_source : &hostile_processor, &config, &options);
        st = stage_open(&b.stage, b.about, cell_config(b.cell));
        assert_int_equal(st, whens[i] == AT_OPEN ? AFF_ERR_IO : AFF_OK); /* start is put off as well */
        if (whens[i] == AT_SNAPSHOT)
            assert_int_equal(call_snapshot(&b.stage), AFF_ERR_IO);
        if (whens[i] == AT_OPEN)
            open_lost(&b);
        booth_stop(&b);
        booth_figures(&b);
        assert_int_equal(b.figures.hangs, 1);
        booth_end(&b);
        nothing_is_left();
    }
}

/* Its position is taken behind each read: no number twice, none left out. */
static void a_source_whose_children_die_says_each_record_once(void **state)
{
    struct hostile_config config;
    struct booth b;
    uint32_t i;

    (void)state;
    booth_hostile(&b, &hostile_source, H_ABORT, AT_READ, &config);
    assert_int_equal(stage_open(&b.stage, b.about, cell_config(b.cell)), AFF_OK);
    for (i = 0; i < 200 && b.stage.made < 50; i++) {
        stage_call(&b.stage, stage_read);
        b.stage.now_ns += 61000000000;
    }
    booth_stop(&b);
    assert_int_equal(b.stage.made, 50);
    assert_int_equal(b.stage.incarnations, 1);
    assert_true(b.figures.ends >= 10);
    for (i = 0; i < 50; i++) {
        char word[32];

        snprintf(word, sizeof word, "event %u clock", i);
        assert_non_null(strstr(b.stage.text, word));
    }
    booth_end(&b);
}

static void a_child_that_ends_between_calls_costs_nothing(void **state)
{
    struct booth b;

    (void)state;
    for (int i = 0; i < 5; i++) {
        villain_run(&b, &hostile_processor, H_DONE_DIE, actions_two);
        assert_int_equal(b.stage.passed + b.stage.dead, RECORDS);
        assert_int_equal(b.figures.violations, 0);
        booth_end(&b);
        nothing_is_left();
    }
}

static void threads_without_end_are_ended_also_when_nobody_calls(void **state)
{
    struct hostile_config config;
    struct stage_payload *p;
    struct aff_record *r;
    struct booth b;
    aff_status st;
    char path[64], line[256];
    bool is_over = false;

    (void)state;
    booth_hostile(&b, &hostile_processor, H_THREADS_LATER, AT_RECORD, &config);
    assert_int_equal(stage_open(&b.stage, b.about, cell_config(b.cell)), AFF_OK);
    r = stage_records(&b.stage, 2, &p);
    p[0].action = 1;
    assert_true(stage_feed(&b.stage, r, 1, 1, &st));
    booth_figures(&b);
    snprintf(path, sizeof path, "/proc/%d/stat", b.figures.pid);
    for (int i = 0; i < SOON_MS && !is_over; i++) {
        FILE *f = fopen(path, "r");

        is_over = !f || !fgets(line, sizeof line, f) || strstr(line, ") Z ");
        if (f)
            fclose(f);
        usleep(1000);
    }
    assert_true(is_over);
    assert_true(stage_feed(&b.stage, r + 1, 1, 1, &st));
    booth_stop(&b);
    assert_int_equal(b.figures.violations, 1);
    assert_int_equal(b.stage.passed, 2);
    booth_end(&b);
    free(r);
    free(p);
    nothing_is_left();
}

static void ask_settled(struct booth *b, uint64_t count)
{
    for (int i = 0; i < SOON_MS; i++) {
        uint64_t all;

        pthread_mutex_lock(&b->stage.lock);
        all = b->stage.acked[0] + b->stage.acked[1] + b->stage.acked[2];
        pthread_mutex_unlock(&b->stage.lock);
        if (all == count)
            return;
        usleep(1000);
    }
    fail_msg("%d answers; %d were expected", (int)(b->stage.acked[0] + b->stage.acked[1]), (int)count);
}

static void late_answers_come_through_and_a_death_asks_again(void **state)
{
    struct hostile_config config;
    struct booth b;

    (void)state;
    booth_hostile(&b, &hostile_acks, H_NOTHING, AT_RECORD, &config);
    assert_int_equal(stage_open(&b.stage, b.about, cell_config(b.cell)), AFF_OK);
    booth_run(&b, RECORDS, 64, actions_two); /* two have no answer */
    ask_settled(&b, RECORDS - 2);
    assert_int_equal(b.stage.acked[1], RECORDS / 4 - 1); /* one of those has none */
    booth_kill(&b);
    booth_run(&b, RECORDS, 64, actions_two);
    ask_settled(&b, 2 * RECORDS - 2);
    assert_int_equal(b.stage.acked[2], 2);
    booth_stop(&b);
    assert_int_equal(b.stage.acked[2], 4);
    booth_end(&b);
    nothing_is_left();
}

/* What it took and had not synced is given to the next child. */
static void a_sink_that_dies_before_its_sync_loses_nothing(void **state)
{
    struct hostile_config config;
    struct booth b;

    (void)state;
    booth_hostile(&b, &hostile_buffer, H_NOTHING, AT_RECORD, &config);
    assert_int_equal(stage_open(&b.stage, b.about, cell_config(b.cell)), AFF_OK);
    booth_run(&b, RECORDS, 50, actions_two);
    assert_int_equal(b.figures.ends, 2);
    assert_int_equal(b.stage.metrics[0] + b.stage.metrics[1], 0);
    assert_int_equal(stage_call(&b.stage, stage_sync), AFF_OK);
    assert_int_equal(b.stage.metrics[0], RECORDS / 2);
    assert_int_equal(b.stage.metrics[1], RECORDS / 2);
    booth_run(&b, RECORDS, 50, actions_two);
    booth_kill(&b);
    assert_int_equal(stage_call(&b.stage, stage_sync), AFF_OK);
    assert_int_equal(b.stage.metrics[0], RECORDS);
    assert_int_equal(b.stage.metrics[1], RECORDS);
    assert_int_equal(b.stage.dead, 0);
    assert_int_equal(b.stage.passed, 2 * RECORDS);
    booth_stop(&b);
    booth_end(&b);
    nothing_is_left();
}

/* ---- what the host holds for a plugin outlives its children ---- */

static const struct model_config keeps;

static void actions_no(struct stage_payload *p, uint32_t count)
{
    (void)p, (void)count;
}

/* It has no snapshot, no restore, no start: it asks its host in its first batch. */
static void what_is_held_is_known_to_the_next_child(void **state)
{
    struct booth thread, b;

    (void)state;
    booth_thread(&thread, &model_keeper, &keeps);
    booth_run(&thread, 300, 1, actions_no);
    booth_stop(&thread);
    booth_begin(&b, &model_keeper, &keeps, NULL);
    b.kill_every = 50;
    booth_run(&b, 300, 1, actions_no);
    booth_stop(&b);
    assert_int_equal(b.figures.ends, 5);
    assert_int_equal(b.figures.violations, 0);
    assert_string_equal(thread.stage.text, b.stage.text);
    assert_null(b.stage.host.held(&b.stage.host, 0));
    booth_end(&thread);
    booth_end(&b);
}

/* Records of a run before; one of them is larger than an answer of the host's. */
static void held_by_an_earlier_run(struct booth *b, bool in_process)
{
    static uint8_t big[700000];
    struct cell_options options = { .max_payload = sizeof big };
    struct stage_payload *p;
    struct aff_record *r;

    if (in_process)
        booth_prepare(b, &model_keeper, &keeps, &options);
    else
        booth_thread(b, &model_keeper, &keeps);
    r = stage_records(&b->stage, 2, &p);
    r[0].event_ns = 5;
    r[1].event_ns = 6;
    r[1].data = big;
    r[1].size = sizeof big;
    memset(big, 7, sizeof big);
    assert_non_null(b->stage.host.hold(&b->stage.host, &r[0]));
    assert_non_null(b->stage.host.hold(&b->stage.host, &r[1]));
    memset(big, 0, sizeof big);
    free(r);
    free(p);
    if (in_process)
        assert_int_equal(stage_open(&b->stage, b->about, cell_config(b->cell)), AFF_OK);
    booth_run(b, 100, 50, actions_no);
    booth_stop(b);
}

static void what_an_earlier_run_held_is_let_go(void **state)
{
    struct booth thread, b;

    (void)state;
    held_by_an_earlier_run(&thread, false);
    held_by_an_earlier_run(&b, true);
    assert_int_equal(b.figures.violations, 0);
    assert_non_null(strstr(b.stage.text, "size 700000"));
    assert_string_equal(thread.stage.text, b.stage.text);
    assert_null(b.stage.host.held(&b.stage.host, 0));
    booth_end(&thread);
    booth_end(&b);
}

static void a_release_that_the_host_could_not_do_is_done_later(void **state)
{
    struct booth thread, b;

    (void)state;
    booth_thread(&thread, &model_keeper, &keeps);
    thread.stage.fail_release = 2;
    booth_run(&thread, 200, 50, actions_no);
    booth_stop(&thread);
    booth_begin(&b, &model_keeper, &keeps, NULL);
    b.stage.fail_release = 2;
    booth_run(&b, 200, 50, actions_no);
    booth_stop(&b);
    assert_string_equal(thread.stage.text, b.stage.text);
    assert_null(b.stage.host.held(&b.stage.host, 0));
    booth_end(&thread);
    booth_end(&b);
}

/* What was held is gone with the state that was refused; nobody may let it go. */
static void a_refused_restore_leaves_nothing_held(void **state)
{
    struct stage_payload *p;
    struct aff_record *r;
    struct booth b;

    (void)state;
    booth_prepare(&b, &afferent_plugin_v1, &keeps, NULL);
    b.stage.about = b.about;
    stage_ports(&b.stage, b.about);
    r = stage_records(&b.stage, 1, &p);
    assert_int_equal(b.about->open(&b.stage.host, cell_config(b.cell), &b.stage.self), AFF_OK);
    assert_non_null(b.stage.host.hold(&b.stage.host, r));
    assert_int_equal(b.about->restore(b.stage.self, "x", 1), AFF_ERR_DATA);
    b.stage.host.release(&b.stage.host, b.stage.host.held(&b.stage.host, 0), 0);
    assert_int_equal(b.about->start(b.stage.self), AFF_OK);
    booth_run(&b, 200, 50, actions_no);
    assert_int_equal(b.about->restore(b.stage.self, "12345678", 8), AFF_OK);
    assert_int_equal(stage_call(&b.stage, stage_drain), AFF_OK);
    booth_stop(&b);
    assert_int_equal(b.figures.ends, 0);
    assert_null(strstr(b.stage.text, "WRONG"));
    free(r);
    free(p);
    booth_end(&b);
}

/* A host that dies takes its children along, also one that listens to no signal. */
static void no_child_outlives_its_host(void **state)
{
    int fds[2];
    pid_t host, child = 0;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    host = fork();
    if (host == 0) {
        char number[16];

        snprintf(number, sizeof number, "%d", fds[1]);
        execl("/proc/self/exe", "test_deaths", "--die", number, (char *)NULL);
        _exit(1);
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &child, sizeof child), sizeof child);
    assert_true(child > 0);
    waitpid(host, NULL, 0);
    for (int i = 0; i < SOON_MS && kill(child, 0) == 0; i++)
        usleep(1000);
    assert_int_equal(kill(child, 0), -1);
    close(fds[0]);
}

/* The host of the test above: a child in an endless loop, and then its own death. */
static int host_die(int fd)
{
    struct hostile_config config;
    struct booth b;

    booth_hostile(&b, &hostile_processor, H_NOTHING, AT_RECORD, &config);
    if (stage_open(&b.stage, b.about, cell_config(b.cell)) != AFF_OK)
        return 1;
    booth_figures(&b);
    if (write(fd, &b.figures.pid, sizeof b.figures.pid) < 0)
        return 1;
    _exit(0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_in_any_callback_ends_in_time),
        cmocka_unit_test(a_loop_in_open_start_stop_or_close_ends_in_time),
        cmocka_unit_test(a_source_whose_children_die_says_each_record_once),
        cmocka_unit_test(a_child_that_ends_between_calls_costs_nothing),
        cmocka_unit_test(threads_without_end_are_ended_also_when_nobody_calls),
        cmocka_unit_test(late_answers_come_through_and_a_death_asks_again),
        cmocka_unit_test(a_sink_that_dies_before_its_sync_loses_nothing),
        cmocka_unit_test(what_is_held_is_known_to_the_next_child),
        cmocka_unit_test(what_an_earlier_run_held_is_let_go),
        cmocka_unit_test(a_release_that_the_host_could_not_do_is_done_later),
        cmocka_unit_test(a_refused_restore_leaves_nothing_held),
        cmocka_unit_test(no_child_outlives_its_host),
    };

    villains_know();
    booth_know(&model_keeper);
    booth_know(&afferent_plugin_v1);
    if (cell_child_asked(argc, argv))
        return cell_child_main(argc, argv);
    if (argc == 3 && strcmp(argv[1], "--die") == 0)
        return host_die(atoi(argv[2]));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
