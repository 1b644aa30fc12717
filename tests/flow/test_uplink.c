/* test_uplink.c - a day without a link, and what follows: order of arrival, exact bytes,
 * budgets, what expires, links that fail, a death that forgets nothing.
 *
 * Needs: nothing. */
#include "test_uplink_kit.h"

/* 24 hours, then a minute of vitals at a second each: what is live when the link comes. */
static void a_day_without_a_link(struct run *r)
{
    int i;

    r->world.link = (struct aff_link){ .up = 0, .metered = 1, .technology = AFF_LINK_4G };
    go(r, HOUR);
    atomic_store(&r->world.minutes, MINUTES);
    go(r, HOUR + DAY - LAST_SECONDS * SECOND);
    for (i = 0; i < LAST_SECONDS; i++) {
        atomic_store(&r->world.extra[1], 1);
        go(r, HOUR + DAY + (i - LAST_SECONDS + 1) * SECOND - SECOND / 5);
    }
    linger();
    assert_int_equal(atomic_load(&r->world.count), 0);
}

/* ---- what arrived ---- */

/* From `at` on all records of this class, up to the first of another. */
static uint32_t of_class(const struct world *w, uint32_t at, uint32_t class)
{
    while (at < atomic_load(&w->count) && w->classes[at] == class)
        at++;
    return at;
}

/* Rising runs, each wholly before the one that came before it. */
static void are_newest_first(const struct world *w, uint32_t from, uint32_t to)
{
    int64_t run_first = INT64_MAX;
    uint32_t i = from, begins;

    while (i < to) {
        begins = i;
        for (i++; i < to && w->times[i] >= w->times[i - 1u]; i++)
            continue;
        assert_true(w->times[i - 1u] <= run_first);
        run_first = w->times[begins];
    }
}

static void are_in_order(const struct world *w, uint32_t from, uint32_t to)
{
    for (from++; from < to; from++)
        assert_true(w->times[from] >= w->times[from - 1u]);
}

static void after_a_day_without_a_link_alarms_come_first_then_live_vitals_then_the_day(void **state)
{
    struct run *r = run_new();
    struct world *w = &r->world;
    uint32_t at, live, vitals;

    (void)state;
    run_start(r);
    a_day_without_a_link(r);
    assert_true(expired(r) > 0); /* also while nothing may leave */
    assert_int_equal(figures_of(r).choice.why, LINK_WAIT_DOWN);
    w->link.up = 1;
    go(r, HOUR + DAY);
    until_empty(r, 0);
    until_empty(r, 1);
    linger();
    assert_int_equal(figures_of(r).choice.why, LINK_WAIT_METERED);
    assert_int_equal(figures_of(r).choice.link, CELL);

    at = of_class(w, 0, 0);
    assert_int_equal(at, EXPIRE / (ALARM_EVERY * 60 * SECOND));
    assert_int_equal(expired(r) + at, w->made[0]);
    are_newest_first(w, 0, at);
    for (live = at; w->times[live] >= HOUR + DAY - 10 * SECOND; live++)
        continue;
    assert_int_equal(live - at, 10);
    are_in_order(w, at, live);
    vitals = of_class(w, live, 1);
    are_newest_first(w, live, vitals);
    assert_int_equal(vitals - at, w->made[1]);
    assert_int_equal(vitals, atomic_load(&w->count)); /* the rest waits: metered */
    assert_int_equal(queued(r, 2), w->made[2]);
    assert_int_equal(queued(r, 3), w->made[3]);

    w->link.metered = 0;
    go(r, HOUR + DAY + SECOND);
    until_empty(r, 2);
    until_empty(r, 3);
    linger();
    at = of_class(w, vitals, 2);
    are_in_order(w, vitals, at);
    assert_int_equal(at - vitals, w->made[2]);
    are_in_order(w, at, of_class(w, at, 3));
    assert_int_equal(of_class(w, at, 3), atomic_load(&w->count));
    assert_int_equal(figures_of(r).spent.sent + figures_of(r).spent.received, w->bytes);
    assert_false(figures_of(r).is_guessed);
    assert_true(flow_balances(r->flow));
    run_stop(r, false);
    run_free(r);
}

/* ---- budgets ---- */

enum { PER_DAY = 20000, WIRE_VITALS = 40 + HEAD + ANSWER, WIRE_ALARM = 30 + HEAD + ANSWER };

static struct run *spent_run(bool silent)
{
    struct run *r = run_new();

    r->rules.per_day = PER_DAY;
    r->world.is_silent = silent;
    run_start(r);
    a_day_without_a_link(r);
    r->world.link.up = 1;
    go(r, HOUR + DAY);
    until_spent(r);
    return r;
}

static void a_budget_ends_with_the_batch_that_crosses_it_and_begins_anew_at_midnight(void **state)
{
    struct run *r = spent_run(false);
    struct world *w = &r->world;
    uint64_t before;

    (void)state;
    assert_int_equal(figures_of(r).spent.day_bytes, w->bytes);
    assert_true(w->bytes >= PER_DAY);
    assert_true(w->bytes < PER_DAY + 64 * (HEAD + ANSWER) + WIRE_VITALS); /* what is around the payload */
    assert_int_equal(figures_of(r).choice.why, LINK_WAIT_DAY);
    assert_int_equal(figures_of(r).choice.limit, AFF_PRIO_ALARM);
    assert_int_equal(atomic_load(&w->by_class[2]) + atomic_load(&w->by_class[3]), 0);

    before = w->bytes;
    atomic_store(&w->extra[0], 1);
    atomic_store(&w->extra[1], 1);
    go(r, HOUR + DAY + 60 * SECOND);
    until_empty(r, 0);
    linger();
    assert_int_equal(w->bytes, before + WIRE_ALARM); /* an alarm goes all the same */

    before = w->bytes;
    atomic_store(&w->extra[1], 1);
    go(r, 2 * DAY);
    until_spent(r);
    assert_true(w->bytes > before);
    assert_int_equal(figures_of(r).spent.day_bytes, w->bytes - before);
    assert_int_equal(figures_of(r).spent.month_bytes, w->bytes);
    assert_true(flow_balances(r->flow));
    run_stop(r, false);
    run_free(r);
}

static uint64_t payload_of(const struct world *w)
{
    return w->bytes - atomic_load(&w->count) * (uint64_t)(HEAD + ANSWER);
}

static void of_a_plugin_that_says_nothing_payload_is_counted(void **state)
{
    struct run *r = spent_run(true);
    uint64_t payload = payload_of(&r->world);
    int i;

    (void)state;
    for (i = 0; i < 60000 && payload != figures_of(r).spent.day_bytes; i++) { /* it is counted when it is handed over */
        nap();
        payload = payload_of(&r->world);
    }
    assert_true(figures_of(r).is_guessed);
    assert_int_equal(figures_of(r).spent.day_bytes, payload);
    assert_true(payload >= PER_DAY - 40 && payload <= PER_DAY + 40);
    run_stop(r, false);
    run_free(r);
}

static void a_death_forgets_nothing_of_what_was_spent(void **state)
{
    struct run *r = spent_run(false);
    uint64_t spent = figures_of(r).spent.day_bytes, commits = memkeep_figures(r->keep).commits, sent;
    int i;

    (void)state;
    for (i = 0; i < 60000 && memkeep_figures(r->keep).commits < commits + 3; i++) {
        atomic_store(&r->world.extra[2], 1); /* so that there is something to commit */
        go(r, HOUR + DAY + (i + 1) * SECOND);
    }
    run_stop(r, true);
    sent = atomic_load(&r->world.count);
    r->world.to = 0;
    run_start(r);
    assert_int_equal(figures_of(r).spent.day_bytes, spent);
    r->world.link.up = 1;
    go(r, HOUR + DAY + 2 * HOUR);
    linger();
    assert_int_equal(atomic_load(&r->world.count), sent);
    assert_int_equal(figures_of(r).choice.why, LINK_WAIT_DAY);
    assert_true(flow_balances(r->flow));
    run_stop(r, false);
    run_free(r);
}

/* ---- two links ---- */

static void a_link_that_fails_is_passed_over_and_come_back_to(void **state)
{
    struct run *r = run_new();
    struct world *w = &r->world;
    uint32_t before;
    int64_t now;

    (void)state;
    r->links[WIFI].is_up = true;
    r->rules.metered = AFF_PRIO_BULK;
    w->fails_by = WIFI;
    w->link = (struct aff_link){ .up = 1, .metered = 1 };
    run_start(r);
    atomic_store(&w->extra[2], 5);
    go(r, HOUR);
    until_empty(r, 2);
    assert_int_equal(atomic_load(&w->count), 5);
    assert_int_equal(w->links[4], CELL);
    assert_int_equal(atomic_load(&w->attempts), 2 + 1); /* two by one, and then by the other */
    assert_int_equal(figures_of(r).spent.day_bytes, w->bytes);

    w->fails_by = -1;
    now = figures_of(r).choice.again_ns;
    assert_true(now > HOUR && now < HOUR + 60 * SECOND);
    before = atomic_load(&w->count);
    atomic_store(&w->extra[2], 3);
    go(r, now + SECOND);
    until_empty(r, 2);
    assert_int_equal(atomic_load(&w->count), before + 3);
    assert_int_equal(w->links[before], WIFI);
    assert_int_equal(figures_of(r).spent.day_bytes, 5 * (400 + HEAD + ANSWER)); /* this one costs nothing */
    run_stop(r, false);
    run_free(r);
}

static void a_link_that_comes_back_is_used_when_it_has_been_up_for_a_while(void **state)
{
    struct run *r = run_new();
    struct world *w = &r->world;
    uint32_t k;

    (void)state;
    r->rules.links[0] = CELL; /* preferred, and kept up by the device */
    r->rules.links[1] = WIFI;
    r->links[WIFI].is_up = true;
    r->links[CELL].back_after_ns = 30 * SECOND;
    w->link = (struct aff_link){ .up = 1 };
    run_start(r);
    for (k = 0; k < 5; k++) {
        static const int up[] = { 1, 0, 1, 1, 1 };
        static const int64_t at[] = { 0, 10, 20, 49, 51 };
        static const uint8_t by[] = { 0, 1, 1, 1, 0 };

        w->link.up = (uint8_t)up[k];
        go(r, HOUR + at[k] * SECOND);
        assert_int_equal(figures_of(r).choice.link, by[k]);
        atomic_store(&w->extra[2], 1);
        go(r, HOUR + at[k] * SECOND);
        until_empty(r, 2);
        assert_int_equal(w->links[k], by[k]);
    }
    run_stop(r, false);
    run_free(r);
}

/* ---- what was taken before ---- */

enum { AHEAD = 2048 };

static void until_count(struct run *r, uint32_t count)
{
    int i;

    for (i = 0; i < 60000 && atomic_load(&r->world.count) < count; i++)
        nap();
    linger();
    assert_int_equal(atomic_load(&r->world.count), count);
}

static void an_alarm_does_not_wait_behind_all_the_waveform_that_there_is(void **state)
{
    struct run *r = run_new();
    struct world *w = &r->world;
    int i;

    (void)state;
    r->rig.plugins[CLOUD].about = late;
    w->link.up = 1;
    run_start(r);
    atomic_store(&w->extra[2], 500);
    go(r, HOUR);
    until_count(r, AHEAD / 400 + 1); /* as much as may be in its hands, and the one that fills it */
    atomic_store(&w->extra[0], 1);
    go(r, HOUR);
    until_count(r, AHEAD / 400 + 2);
    assert_int_equal(w->classes[AHEAD / 400 + 1], 0);
    for (i = 0; i < 60000 && (queued(r, 2) > 0 || w->answered < 501); i++) {
        answer_all(w);
        nap();
    }
    assert_int_equal(w->answered, 501);
    assert_int_equal(figures_of(r).spent.sent, 500 * (400 + HEAD) + 30 + HEAD);
    run_stop(r, false);
    run_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_a_day_without_a_link_alarms_come_first_then_live_vitals_then_the_day),
        cmocka_unit_test(a_budget_ends_with_the_batch_that_crosses_it_and_begins_anew_at_midnight),
        cmocka_unit_test(of_a_plugin_that_says_nothing_payload_is_counted),
        cmocka_unit_test(a_death_forgets_nothing_of_what_was_spent),
        cmocka_unit_test(a_link_that_fails_is_passed_over_and_come_back_to),
        cmocka_unit_test(a_link_that_comes_back_is_used_when_it_has_been_up_for_a_while),
        cmocka_unit_test(an_alarm_does_not_wait_behind_all_the_waveform_that_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
