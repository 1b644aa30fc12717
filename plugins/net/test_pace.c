/* SPDX-License-Identifier: Apache-2.0
 *
 * test_pace.c - how much is on its way over links of any speed, on a virtual clock. */
#include <afferent/testkit.h>

#include "net/pace.h"

#define MS INT64_C(1000000)
enum { FLIGHTS = 4096 };

/* A link that carries `rate` bytes a second and answers `rtt_ms` later. */
struct link {
    int64_t rate, rtt_ns, now_ns, free_ns;
    struct {
        int64_t sent_ns, answer_ns;
        uint64_t bytes;
    } flights[FLIGHTS];
    uint32_t first, last;
    uint64_t on_its_way, sent;
};

static void send(struct link *l, uint64_t bytes)
{
    l->free_ns = (l->free_ns > l->now_ns ? l->free_ns : l->now_ns) + (int64_t)bytes * 1000 * MS / l->rate;
    l->flights[l->last % FLIGHTS].sent_ns = l->now_ns;
    l->flights[l->last % FLIGHTS].answer_ns = l->free_ns + l->rtt_ns;
    l->flights[l->last++ % FLIGHTS].bytes = bytes;
    l->on_its_way += bytes;
    l->sent += bytes;
}

/* All that may go goes, until the next answer; gives how long that took. */
static int64_t turn(struct link *l, struct pace *p, uint64_t bytes)
{
    uint32_t at;

    while (pace_has_room(p, l->on_its_way))
        send(l, bytes);
    at = l->first++ % FLIGHTS;
    l->now_ns = l->flights[at].answer_ns;
    pace_answered(p, l->flights[at].sent_ns, l->now_ns, l->flights[at].bytes, l->on_its_way);
    l->on_its_way -= l->flights[at].bytes;
    return l->now_ns - l->flights[at].sent_ns;
}

TEST(on_a_thin_link_an_alarm_waits_for_about_a_second_and_the_link_stays_full)
{
    struct link l = { .rate = 8000, .rtt_ns = 60 * MS };
    struct pace p;
    int64_t took, worst = 0;
    int i;

    pace_begin(&p, 4 << 20);
    for (i = 0; i < 2000; i++) {
        took = turn(&l, &p, 1000);
        worst = i > 100 && took > worst ? took : worst;
    }
    assert_true(worst < 1200 * MS);
    assert_true((double)l.sent > 0.95 * 8000 * (double)l.now_ns / 1e9);
}

TEST(on_a_fast_link_all_room_is_used_soon)
{
    struct link l = { .rate = 100000000, .rtt_ns = 50 * MS };
    struct pace p;

    pace_begin(&p, 4 << 20);
    while (p.room < 4 << 20 && l.now_ns < 10000 * MS)
        turn(&l, &p, 4000);
    assert_true(l.now_ns < 1000 * MS);
}

TEST(a_link_that_becomes_thin_is_noticed_at_the_first_late_answers)
{
    struct link l = { .rate = 1000000, .rtt_ns = 20 * MS };
    struct pace p;
    int64_t took = 0;
    int i;

    pace_begin(&p, 1 << 18);
    for (i = 0; i < 1000; i++)
        turn(&l, &p, 1000);
    l.rate = 8000;
    for (i = 0; i < 1000; i++)
        took = turn(&l, &p, 1000);
    assert_true(took < 1200 * MS);
}

TEST(a_way_that_takes_long_by_itself_is_no_reason_to_send_little)
{
    struct link l = { .rate = 1000000, .rtt_ns = 700 * MS };
    struct pace p;

    pace_begin(&p, 4 << 20);
    while (p.room < 700000 && l.now_ns < 60000 * MS)
        turn(&l, &p, 4000);
    assert_true(p.room >= 700000);
}

TEST(few_small_records_make_no_room_for_a_burst)
{
    struct pace p;
    int i;

    pace_begin(&p, 4 << 20);
    for (i = 1; i < 1000; i++)
        pace_answered(&p, i * 100 * MS, i * 100 * MS + 5 * MS, 100, 100);
    assert_true(p.room == PACE_LEAST);
    assert_true(pace_has_room(&p, 0) && !pace_has_room(&p, PACE_LEAST));
}

AFF_TEST_MAIN(on_a_thin_link_an_alarm_waits_for_about_a_second_and_the_link_stays_full,
              on_a_fast_link_all_room_is_used_soon,
              a_link_that_becomes_thin_is_noticed_at_the_first_late_answers,
              a_way_that_takes_long_by_itself_is_no_reason_to_send_little,
              few_small_records_make_no_room_for_a_burst)
