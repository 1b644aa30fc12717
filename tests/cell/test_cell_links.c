/* test_cell_links.c - sinks in processes that look at links, or wait for a descriptor.
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
    assert_int_equal(b.stage.watch_count, 0);
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_thread_of_a_child_sees_the_links_as_they_are),
        cmocka_unit_test(a_thread_sees_a_link_change_between_calls),
        cmocka_unit_test(a_sink_is_woken_by_its_descriptor_and_so_is_the_next_child),
    };

    booth_know(&link_eye);
    booth_know(&link_late);
    booth_know(&waiting_sink);
    if (cell_child_asked(argc, argv))
        return cell_child_main(argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
