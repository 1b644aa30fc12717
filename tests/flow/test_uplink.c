/* test_uplink.c - a day without a link, and what follows: order of arrival, exact bytes,
 * budgets, what expires, links that fail, a death that forgets nothing.
 *
 * Needs: nothing. */
#include "flow/reload.h"
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

/* ---- what arrives ---- */

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

/* Where no time server is: else its budget would be spent until the day that was wrong. */
static void a_clock_that_was_set_back_by_hand_is_believed_after_a_day(void **state)
{
    struct run *r = run_new();
    struct world *w = &r->world;
    uint32_t sent;

    (void)state;
    r->rules.per_day = 1000;
    w->link = (struct aff_link){ .up = 1, .metered = 1 };
    run_start(r);
    go(r, 40 * DAY);
    atomic_store(&w->extra[1], 30);
    go(r, 40 * DAY);
    until_spent(r);
    run_stop(r, false);
    sent = atomic_load(&w->count);
    assert_true(sent < 30);
    atomic_store(&w->to, 0);
    run_start(r);
    assert_int_equal(figures_of(r).spent.day, 40);
    go(r, 23 * HOUR);
    assert_int_equal(figures_of(r).spent.day, 40);
    go(r, 47 * HOUR);
    assert_int_equal(figures_of(r).spent.day, 1); /* another name, and what was spent stays */
    assert_int_equal(figures_of(r).choice.why, LINK_WAIT_DAY);
    assert_int_equal(atomic_load(&w->count), sent);
    w->link.technology = AFF_LINK_3G; /* so that its lane looks */
    go(r, 49 * HOUR);
    assert_int_equal(figures_of(r).spent.day, 2);
    until_empty(r, 1);
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

/* ---- a link that goes while something is in hand ---- */

/* One by the cell alone, up. */
static struct run *cell_run(const struct aff_plugin *sink)
{
    struct run *r = run_new();

    if (sink)
        r->rig.plugins[CLOUD].about = *sink;
    r->rules.links[0] = CELL;
    r->rules.link_count = 1;
    r->world.link.up = 1;
    run_start(r);
    return r;
}

static void until_seen(_Atomic uint32_t *seen, uint32_t least)
{
    int i;

    for (i = 0; i < 60000 && atomic_load(seen) < least; i++)
        nap();
    assert_true(atomic_load(seen) >= least);
}

static void what_failed_is_not_tried_while_nothing_may_leave(void **state)
{
    struct run *r = cell_run(NULL);
    struct world *w = &r->world;
    uint32_t calls;

    (void)state;
    w->fails_by = 0;
    atomic_store(&w->extra[2], 1);
    go(r, HOUR);
    until_seen(&w->attempts, 3);
    w->link.up = 0;
    go(r, HOUR);
    linger();
    calls = atomic_load(&w->calls);
    linger();
    assert_int_equal(atomic_load(&w->calls), calls);
    w->fails_by = -1;
    w->link.up = 1;
    go(r, HOUR);
    until_empty(r, 2);
    assert_int_equal(atomic_load(&w->count), 1);
    run_stop(r, false);
    run_free(r);
}

static void a_link_that_comes_and_goes_loses_and_doubles_nothing(void **state)
{
    enum { TURNS = 100, EACH = 3 };
    struct run *r = cell_run(NULL);
    struct world *w = &r->world;
    int i;

    (void)state;
    for (i = 0; i < TURNS; i++) {
        w->link.up = (uint8_t)(i % 2);
        atomic_store(&w->extra[2], EACH);
        go(r, HOUR + i * SECOND);
    }
    assert_int_equal(w->link.up, 1);
    until_empty(r, 2);
    linger();
    assert_int_equal(atomic_load(&w->count), TURNS * EACH);
    are_in_order(w, 0, TURNS * EACH);
    assert_int_equal(figures_of(r).spent.sent + figures_of(r).spent.received, w->bytes);
    assert_true(flow_balances(r->flow));
    run_stop(r, false);
    run_free(r);
}

/* What is given again is sent again, and a plugin that says nothing is believed to. */
static void what_came_back_goes_again_when_its_link_does_and_counts_again(void **state)
{
    struct run *r;
    struct world *w;

    (void)state;
    r = cell_run(&late);
    w = &r->world;
    w->is_silent = true;
    run_stop(r, false);
    run_start(r); /* now it is */
    atomic_store(&w->extra[2], 1);
    go(r, HOUR);
    until_seen(&w->count, 1);
    assert_int_equal(figures_of(r).spent.sent, 400);
    answer_bad(w);
    until_seen(&w->count, 2);
    linger();
    assert_int_equal(figures_of(r).spent.sent, 800);
    atomic_store(&w->extra[2], 1); /* the lane takes it, and may not offer it */
    go(r, HOUR);
    linger();
    w->link.up = 0;
    go(r, HOUR);
    answer_bad(w);
    linger();
    assert_int_equal(atomic_load(&w->count), 2);
    until_seen(&w->wakes, 1); /* so that one without a thread learns of it */
    w->link.up = 1;
    go(r, HOUR);
    until_seen(&w->count, 3);
    answer_all(w);
    until_seen(&w->count, 4);
    answer_all(w);
    until_empty(r, 2);
    run_stop(r, false);
    run_free(r);
}

static void what_goes_right_behind_midnight_belongs_to_its_day(void **state)
{
    struct run *r = cell_run(&late);
    struct world *w = &r->world;

    (void)state;
    w->link.metered = 1;
    atomic_store(&w->extra[0], 1);
    go(r, HOUR);
    until_seen(&w->count, 1);
    answer_all(w);
    assert_int_equal(figures_of(r).spent.day_bytes, 30 + HEAD);
    go(r, DAY); /* its lane sleeps */
    w->host->link_spent(w->host, 0, 50, 5);
    assert_int_equal(figures_of(r).spent.day_bytes, 55);
    assert_int_equal(figures_of(r).spent.month_bytes, 30 + HEAD + 55);
    w->host->link_spent(w->host, 0, 1u << 20, 0);
    assert_false(uplinks_due(r->flow)); /* without a budget nothing is urgent */
    run_stop(r, false);
    run_free(r);
}

/* The boot clock of a board without a battery says nothing of what came before. */
static void what_waited_over_a_reboot_expires_all_the_same(void **state)
{
    struct run *r = cell_run(NULL);
    struct world *w = &r->world;
    int i;

    (void)state;
    w->link.up = 0;
    go(r, 10 * HOUR);
    atomic_store(&w->extra[0], 3);
    go(r, 10 * HOUR);
    run_stop(r, false);
    atomic_store(&w->to, 0);
    run_start(r);
    assert_int_equal(queued(r, 0), 3);
    w->link.technology = AFF_LINK_3G; /* so that its lane looks */
    go(r, 2 * HOUR);
    linger();
    assert_int_equal(expired(r), 0);
    w->link.technology = AFF_LINK_4G;
    go(r, 3 * HOUR);
    for (i = 0; i < 60000 && expired(r) < 3; i++)
        nap();
    assert_int_equal(expired(r), 3);
    assert_int_equal(atomic_load(&w->count), 0);
    run_stop(r, false);
    run_free(r);
}

/* ---- a reload ---- */

/* A plugin's thread, which never stops asking and telling. */
struct busy {
    const struct aff_host *host;
    _Atomic bool ends;
    uint32_t revision;
    uint64_t told, other;
};

static void *be_busy(void *arg)
{
    struct busy *b = arg;

    while (!atomic_load(&b->ends)) {
        struct aff_uplink now = { .struct_size = sizeof now };

        b->other += b->host->uplink(b->host, &now) != AFF_OK || now.revision != b->revision;
        b->host->link_spent(b->host, 0, 1, 0);
        b->host->link_tried(b->host, 0, AFF_OK);
        b->told++;
    }
    return NULL;
}

static void change(struct run *r, struct rig *rig, const struct plan *before)
{
    struct reload reload = { .flow = r->flow, .plan = &rig->plan, .attach = memkeep_flow, .arg = r->keep };
    struct difference *d;

    plan_mark_circles(&rig->plan);
    plan_layout(&rig->plan, LAYOUT_NORMAL);
    d = difference_new(before, &rig->plan);
    assert_non_null(d);
    reload.difference = d;
    assert_int_equal(reload_open(&reload), AFF_OK);
    assert_true(reload_swap(&reload));
    r->flow = reload.flow;
    difference_free(&d);
}

static void a_reload_with_other_budgets_is_no_other_link_and_loses_no_byte(void **state)
{
    enum { TIMES = 6 };
    struct run *r = cell_run(&late);
    struct world *w = &r->world;
    struct link_rules rules[TIMES];
    struct rig *rigs = calloc(TIMES, sizeof *rigs);
    struct aff_uplink by = { .struct_size = sizeof by };
    struct busy busy = { 0 };
    pthread_t thread;
    uint64_t before;
    int i;

    (void)state;
    atomic_store(&w->extra[0], 1);
    go(r, HOUR);
    until_seen(&w->count, 1);
    answer_all(w);
    until_empty(r, 0);
    before = figures_of(r).spent.sent;
    busy.host = w->host;
    assert_int_equal(w->host->uplink(w->host, &by), AFF_OK);
    busy.revision = by.revision;
    pthread_create(&thread, NULL, be_busy, &busy);
    for (i = 0; i < TIMES; i++) {
        rules[i] = r->rules;
        rules[i].per_day = UINT64_C(1) << (40 + i);
        rig_fill(r, &rigs[i], &late, &rules[i]);
        change(r, &rigs[i], i > 0 ? &rigs[i - 1].plan : &r->rig.plan);
        linger();
    }
    atomic_store(&busy.ends, true);
    pthread_join(thread, NULL);
    assert_true(busy.told > 0);
    assert_int_equal(busy.other, 0);
    assert_int_equal(figures_of(r).spent.sent, before + busy.told);
    assert_false(figures_of(r).is_guessed);
    run_stop(r, false);
    run_free(r);
    free(rigs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_a_day_without_a_link_alarms_come_first_then_live_vitals_then_the_day),
        cmocka_unit_test(a_budget_ends_with_the_batch_that_crosses_it_and_begins_anew_at_midnight),
        cmocka_unit_test(of_a_plugin_that_says_nothing_payload_is_counted),
        cmocka_unit_test(a_death_forgets_nothing_of_what_was_spent),
        cmocka_unit_test(a_clock_that_was_set_back_by_hand_is_believed_after_a_day),
        cmocka_unit_test(a_link_that_fails_is_passed_over_and_come_back_to),
        cmocka_unit_test(a_link_that_comes_back_is_used_when_it_has_been_up_for_a_while),
        cmocka_unit_test(an_alarm_does_not_wait_behind_all_the_waveform_that_there_is),
        cmocka_unit_test(what_failed_is_not_tried_while_nothing_may_leave),
        cmocka_unit_test(a_link_that_comes_and_goes_loses_and_doubles_nothing),
        cmocka_unit_test(what_came_back_goes_again_when_its_link_does_and_counts_again),
        cmocka_unit_test(what_goes_right_behind_midnight_belongs_to_its_day),
        cmocka_unit_test(what_waited_over_a_reboot_expires_all_the_same),
        cmocka_unit_test(a_reload_with_other_budgets_is_no_other_link_and_loses_no_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
