/* test_cell_links.c - sinks in processes that look at links, or wait for a descriptor.
 *
 * And what network plugins ask of a host: answers with a reason, rouse, flush, kept ids.
 *
 * Not here: who says how a link is (test_cell_device.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "booth.h"
#include "device.h"

enum { SOON_MS = 60000, QUIET_MS = 60 };

static void sink_begin(struct booth *b, const struct aff_plugin *constant)
{
    struct cell_options options = { .max_payload = 4096 };

    booth_prepare(b, constant, NULL, &options);
    stage_device(&b->stage);
    assert_int_equal(stage_open(&b->stage, b->about, cell_config(b->cell)), AFF_OK);
}

/* ---- links ---- */

static void links_set(struct stage *s, uint32_t count, int16_t dbm)
{
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < count; i++) {
        s->links[i] = (struct aff_link){ .struct_size = sizeof(struct aff_link), .revision = i + 1, .signal_dbm = dbm };
        snprintf(s->links[i].name, sizeof s->links[i].name, "link%u", i);
    }
    s->link_count = count;
    pthread_mutex_unlock(&s->lock);
}

static void links_expect(struct booth *b, struct aff_record *r, uint32_t count, int16_t dbm, uint32_t read_count)
{
    aff_status st;

    links_set(&b->stage, count, dbm);
    assert_true(stage_feed(&b->stage, r, 1, 1, &st));
    assert_int_equal(b->stage.metrics[0], count);
    assert_int_equal(b->stage.metrics[1], read_count);
    assert_int_equal(b->stage.metrics[2], -dbm);
}

static void any_thread_of_a_child_sees_the_links_as_they_are(void **state)
{
    struct stage_payload *p;
    struct aff_record *r;
    struct booth b;

    (void)state;
    sink_begin(&b, &link_eye);
    r = stage_records(&b.stage, 1, &p);
    links_expect(&b, r, 0, 0, 0);
    links_expect(&b, r, 1, -60, 1);
    links_expect(&b, r, 3, -61, 3);
    links_expect(&b, r, 20, -62, 16); /* as many as are in the page */
    booth_kill(&b);
    links_expect(&b, r, 20, -62, 16);
    links_expect(&b, r, 0, 0, 0);
    booth_stop(&b);
    free(r);
    free(p);
    booth_end(&b);
}

static void uplink_set(struct stage *s, aff_status status, uint32_t revision)
{
    pthread_mutex_lock(&s->lock);
    s->uplink = (struct aff_uplink){ .struct_size = sizeof s->uplink, .revision = revision, .index = 1, .name = "cell",
                                     .interface = "wwan0" };
    s->uplink_status = status;
    pthread_mutex_unlock(&s->lock);
}

static void uplink_expect(struct booth *b, struct aff_record *r, aff_status status, uint32_t revision)
{
    aff_status st;

    uplink_set(&b->stage, status, revision);
    assert_true(stage_feed(&b->stage, r, 1, 1, &st));
    assert_int_equal(b->stage.metrics[0], status);
    assert_int_equal(b->stage.metrics[1], revision);
    assert_int_equal(b->stage.metrics[2], status == AFF_OK);
}

/* What it said is handed on with the next call; what a child says of a link that there
 * cannot be is nobody's. */
static void a_child_goes_by_the_link_it_is_told_and_says_what_it_spent(void **state)
{
    struct stage_payload *p;
    struct aff_record *r;
    struct booth b;

    (void)state;
    sink_begin(&b, &link_user);
    r = stage_records(&b.stage, 1, &p);
    uplink_expect(&b, r, AFF_OK, 1);
    uplink_expect(&b, r, AFF_OK, 2);
    assert_int_equal(b.stage.sent[1], 100);
    assert_int_equal(b.stage.received[1], 7);
    uplink_expect(&b, r, AFF_AGAIN, 3);
    assert_int_equal(b.stage.worked, 2);
    assert_int_equal(b.stage.failed, 0);
    booth_kill(&b);
    uplink_expect(&b, r, AFF_END, 4);
    uplink_expect(&b, r, AFF_END, 5);
    assert_int_equal(b.stage.sent[0], 0);
    assert_true(b.stage.sent[1] >= 300); /* what a child says last may die with it, or not */
    assert_true(b.stage.failed >= 1 && b.stage.failed <= 2);
    booth_stop(&b);
    free(r);
    free(p);
    booth_end(&b);
}

static uint64_t acked(struct stage *s)
{
    uint64_t count;

    pthread_mutex_lock(&s->lock);
    count = s->acked[0];
    pthread_mutex_unlock(&s->lock);
    return count;
}

/* Sinks that answer late send from threads: nobody calls them meanwhile. */
static void a_thread_sees_a_link_change_between_calls(void **state)
{
    struct stage_payload *p;
    struct aff_record *r;
    struct booth b;
    aff_status st;

    (void)state;
    sink_begin(&b, &link_late);
    r = stage_records(&b.stage, 2, &p);
    links_set(&b.stage, 1, -60);
    assert_true(stage_feed(&b.stage, r, 2, 2, &st));
    usleep(QUIET_MS * 1000);
    assert_int_equal(acked(&b.stage), 0);
    links_set(&b.stage, 1, -99);
    for (int i = 0; i < SOON_MS && acked(&b.stage) < 2; i++)
        usleep(1000);
    assert_int_equal(acked(&b.stage), 2);
    booth_stop(&b);
    free(r);
    free(p);
    booth_end(&b);
}

/* ---- sinks that wait ---- */

static aff_status stage_wake(struct stage *s)
{
    return s->about->wake(s->self);
}

static void ready_and_woken(struct booth *b, uint64_t times)
{
    assert_int_equal(b->stage.watch_count, 1);
    assert_true(stage_ready(&b->stage, SOON_MS));
    assert_int_equal(stage_call(&b->stage, stage_wake), AFF_OK);
    assert_int_equal(b->stage.metrics[0], times);
    assert_false(stage_ready(&b->stage, QUIET_MS));
}

/* Also where the next child watches in what it is given for the second time. */
static void a_sink_is_woken_by_its_descriptor_and_so_is_the_next_child(void **state)
{
    struct stage_payload *p;
    struct aff_record *r;
    struct booth b;
    aff_status st;

    (void)state;
    sink_begin(&b, &waiting_sink);
    r = stage_records(&b.stage, 4, &p);
    p[0].action = p[1].action = p[3].action = 1;
    assert_false(stage_ready(&b.stage, 0));
    assert_true(stage_feed(&b.stage, r, 2, 1, &st));
    ready_and_woken(&b, 1);
    booth_kill(&b);
    assert_int_equal(stage_call(&b.stage, stage_sync), AFF_OK);
    ready_and_woken(&b, 2);
    assert_true(stage_feed(&b.stage, r + 2, 2, 2, &st));
    ready_and_woken(&b, 3);
    booth_stop(&b);
    assert_int_equal(b.stage.watch_count, 0);
    free(r);
    free(p);
    booth_end(&b);
}

/* ---- network plugins ---- */

static aff_status stage_flush(struct stage *s)
{
    return s->about->flush(s->self);
}

static void acked_wait(struct booth *b, uint64_t wanted)
{
    uint64_t sum = 0;

    for (int i = 0; i < SOON_MS && sum < wanted; i++) {
        pthread_mutex_lock(&b->stage.lock);
        sum = b->stage.acked[0] + b->stage.acked[1] + b->stage.acked[2];
        pthread_mutex_unlock(&b->stage.lock);
        usleep(1000);
    }
    assert_int_equal(sum, wanted);
}

static void a_thread_of_a_child_rouses_and_answers_say_why(void **state)
{
    struct stage_payload *p;
    struct aff_record *r;
    struct booth b;
    aff_status st;

    (void)state;
    sink_begin(&b, &net_sink);
    r = stage_records(&b.stage, 4, &p);
    assert_true(stage_feed(&b.stage, r, 4, 4, &st));
    assert_true(stage_ready(&b.stage, SOON_MS));
    assert_int_equal(stage_call(&b.stage, stage_wake), AFF_OK);
    acked_wait(&b, 1);
    assert_int_equal(b.stage.answer_status, AFF_ERR_DATA);
    assert_int_equal(b.stage.answer_verdict, 1);
    assert_string_equal(b.stage.answer_words, "HTTP?422");
    assert_false(stage_ready(&b.stage, QUIET_MS));
    assert_int_equal(stage_call(&b.stage, stage_flush), AFF_OK);
    acked_wait(&b, 4);
    assert_int_equal(b.stage.acked[0], 2);
    assert_int_equal(b.stage.answer_verdict, 0);
    assert_int_equal(b.stage.answer_status, AFF_AGAIN);
    assert_true(stage_feed(&b.stage, r, 1, 1, &st));
    booth_kill(&b);
    assert_int_equal(stage_call(&b.stage, stage_wake), AFF_OK); /* by the next child */
    acked_wait(&b, 5);
    assert_int_equal(b.stage.answer_status, AFF_ERR_IO);
    assert_string_equal(b.stage.answer_words, "its process ended");
    booth_stop(&b);
    assert_int_equal(b.stage.watch_count, 0);
    free(r);
    free(p);
    booth_end(&b);
}

static void a_child_that_relays_keeps_ids(void **state)
{
    struct booth b;

    (void)state;
    sink_begin(&b, &relay_source);
    assert_int_equal(stage_read(&b.stage), AFF_OK);
    assert_int_equal(b.stage.emitted.source, 5);
    assert_int_equal(b.stage.emitted.seq, 6);
    assert_true(b.stage.emitted_flags & AFF_FLAG_RESENT);
    booth_stop(&b);
    booth_end(&b);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_thread_of_a_child_sees_the_links_as_they_are),
        cmocka_unit_test(a_child_goes_by_the_link_it_is_told_and_says_what_it_spent),
        cmocka_unit_test(a_thread_sees_a_link_change_between_calls),
        cmocka_unit_test(a_sink_is_woken_by_its_descriptor_and_so_is_the_next_child),
        cmocka_unit_test(a_thread_of_a_child_rouses_and_answers_say_why),
        cmocka_unit_test(a_child_that_relays_keeps_ids),
    };

    booth_know(&link_eye);
    booth_know(&link_late);
    booth_know(&link_user);
    booth_know(&waiting_sink);
    booth_know(&net_sink);
    booth_know(&relay_source);
    if (cell_child_asked(argc, argv))
        return cell_child_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
