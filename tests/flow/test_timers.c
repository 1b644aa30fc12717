/* test_timers.c - event-time timers, parts that are set aside, ids of one's own.
 *
 * The source makes records of two subjects at event times from a list, and waits
 * where the list says so. The clock is virtual: a wait costs nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "parts.h"
#include "rig.h"

#define S INT64_C(1000000000)

/* ---- a source with a list ---- */

enum step_kind { GIVE, WAIT, SPIN };
struct step {
    enum step_kind kind;
    int subject;   /* GIVE; 2: another stream of the first */
    int64_t at_ns; /* GIVE: event time; WAIT: how long; SPIN: reads without a record */
};
struct list_config {
    const struct step *steps;
    uint32_t count;
};
struct list_source {
    const struct aff_host *host;
    const struct list_config *config;
    uint32_t streams[3], subjects[3], schema;
    uint32_t next;
    int64_t spun;
    int waited;
};

static aff_status list_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct list_source *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = config;
    *ret_self = s;
    return AFF_OK;
}

static void list_close(void *self)
{
    struct list_source *s = self;

    s->host->free(s->host, s);
}

static aff_status list_start(void *self)
{
    static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_BYTES, .name = "list" };
    struct list_source *s = self;
    int i;

    s->host->incarnation(s->host, "list", 4);
    s->schema = s->host->schema(s->host, &schema);
    for (i = 0; i < 3; i++) {
        s->subjects[i] = s->host->subject(s->host, i == 1 ? "b" : "a");
        s->streams[i] = s->host->stream(s->host, s->subjects[i], i == 2 ? "other" : "list", s->schema);
    }
    return AFF_OK;
}

static aff_status list_give(struct list_source *s, const struct step *step)
{
    struct aff_record *r = s->host->reserve(s->host, 0, AFF_NO_INPUT, 8);

    if (!r)
        return AFF_ERR_MEMORY;
    r->subject = s->subjects[step->subject];
    r->stream = s->streams[step->subject];
    r->schema = s->schema;
    r->event_ns = step->at_ns;
    memcpy(r->data, &step->at_ns, sizeof step->at_ns);
    return s->host->emit(s->host, r, 8);
}

static aff_status list_read(void *self, uint32_t want)
{
    struct list_source *s = self;
    aff_status st = AFF_OK;

    for (; s->next < s->config->count && want > 0 && st == AFF_OK; s->next++, want--) {
        const struct step *step = &s->config->steps[s->next];

        if (step->kind == WAIT && !s->waited) {
            s->waited = 1;
            s->host->wake_at(s->host, s->host->now_ns(s->host) + step->at_ns);
            return AFF_AGAIN;
        }
        s->waited = 0;
        if (step->kind == SPIN && s->spun++ < step->at_ns)
            return AFF_OK;
        if (step->kind == GIVE)
            st = list_give(s, step);
    }
    return st == AFF_OK && s->next == s->config->count ? AFF_END : st;
}

static const struct aff_port bytes_port[] = { { .name = "data", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_plugin list_source = {
    .struct_size = sizeof list_source, .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .flags = AFF_PULL | AFF_REPLAYS,
    .name = "list", .outputs = AFF_TABLE(bytes_port), .open = list_open, .close = list_close,
    .start = list_start, .read = list_read,
};

/* ---- a processor that notes records and timers ---- */

enum duty { TIMERS, ASIDES, OWN_IDS, FORGETS_IDS };
struct note_config {
    enum duty duty;
    int64_t after_ns; /* each record sets its subject's timer so much later */
    int64_t every_ns; /* each timer sets the next one so much later; 0: none */
    int fail_at;      /* ASIDES: MEMORY instead of this call, once */
    char notes[512];  /* "r1 t11 ..." in seconds of event time, b's in capitals */
};
struct noter {
    const struct aff_host *host;
    struct note_config *config;
    uint32_t first;
    uint32_t streams[8];
    int calls;
};

static aff_status note_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct noter *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = (struct note_config *)(uintptr_t)config;
    *ret_self = s;
    return AFF_OK;
}

static void note_close(void *self)
{
    struct noter *s = self;

    s->host->free(s->host, s);
}

static void note_add(struct noter *s, const char *what, uint32_t subject, int64_t at_ns)
{
    size_t used = strlen(s->config->notes);
    char letter = subject == s->first ? what[0] : what[1];

    snprintf(s->config->notes + used, sizeof s->config->notes - used, "%c%d ", letter, (int)(at_ns / S));
}

static aff_status note_make(struct noter *s, uint32_t input, const struct aff_record *from, int own_id)
{
    struct aff_record *r = s->host->reserve(s->host, 0, input, 8);

    if (!r)
        return AFF_ERR_MEMORY;
    if (from) {
        r->stream = from->stream;
        r->schema = from->schema;
    } else {
        r->stream = s->streams[r->subject % 8];
        r->schema = s->host->stream_info(s->host, r->stream)->schema;
    }
    memset(r->data, 0, 8);
    if (own_id)
        r->id = (struct aff_id){ ~r->id.source, ~r->id.seq };
    return s->host->emit(s->host, r, 8);
}

static aff_status note_asides(struct noter *s, uint32_t i)
{
    aff_status st = s->host->dead(s->host, i, 1, 17, "part", 4);

    if (st == AFF_OK)
        st = s->host->dead(s->host, i, 1, 21, "part", 4);
    if (st == AFF_OK && ++s->calls == s->config->fail_at)
        return AFF_ERR_MEMORY;
    return st;
}

static aff_status note_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct noter *s = self;
    aff_status st = AFF_OK;
    uint32_t i;

    for (i = 0; i < batch->count && st == AFF_OK; i++) {
        const struct aff_record *r = &batch->records[i];

        if (!s->first)
            s->first = r->subject;
        s->streams[r->subject % 8] = r->stream;
        note_add(s, "rR", r->subject, r->event_ns);
        if (s->config->duty == TIMERS)
            s->host->timer(s->host, r->subject, r->event_ns + s->config->after_ns);
        else if (s->config->duty == ASIDES)
            st = note_asides(s, i);
        else
            st = note_make(s, i, r, s->config->duty == OWN_IDS);
        if (st < 0)
            *ret_taken = i;
    }
    return st;
}

static aff_status note_timer(void *self, uint32_t subject, int64_t due_ns)
{
    struct noter *s = self;

    note_add(s, "tT", subject, due_ns);
    if (s->config->every_ns)
        s->host->timer(s->host, subject, due_ns + s->config->every_ns);
    return note_make(s, AFF_NO_INPUT, NULL, 0);
}

static const struct aff_port note_in[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_verdict note_verdicts[] = { { .name = "bad_part", .kind = AFF_V_DEAD } };
static const struct aff_plugin note_timers = {
    .struct_size = sizeof note_timers, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "note",
    .inputs = AFF_TABLE(note_in), .outputs = AFF_TABLE(bytes_port), .verdicts = AFF_TABLE(note_verdicts),
    .open = note_open, .close = note_close, .process = note_process, .timer = note_timer,
};
static const struct aff_plugin note_plain = {
    .struct_size = sizeof note_plain, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "note",
    .inputs = AFF_TABLE(note_in), .outputs = AFF_TABLE(bytes_port), .verdicts = AFF_TABLE(note_verdicts),
    .open = note_open, .close = note_close, .process = note_process,
};
static const struct aff_plugin note_rewrites = {
    .struct_size = sizeof note_rewrites, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .flags = AFF_REWRITES,
    .name = "note", .inputs = AFF_TABLE(note_in), .outputs = AFF_TABLE(bytes_port), .open = note_open,
    .close = note_close, .process = note_process,
};

/* ---- runs ---- */

struct outcome {
    aff_status status;
    struct part_sink sink;
    struct account account;
    int balances;
};

static struct outcome run(const struct aff_plugin *plugin, struct note_config *config, const struct step *steps,
                          uint32_t count, enum layout_mode mode)
{
    struct list_config list = { steps, count };
    struct outcome o = { 0 };
    struct flow_node about;
    struct rig rig;
    struct flow *flow;
    const char *why;

    rig_begin(&rig);
    rig.options.virtual_clock = true;
    rig_node(&rig, "list", &list_source, &list);
    rig_node(&rig, "note", plugin, config);
    rig_node(&rig, "sink", &part_sink, &o.sink);
    rig_edge(&rig, 0, 0, 1, 0);
    rig_edge(&rig, 1, 0, 2, 0);
    flow = rig_open(&rig, mode);
    assert_non_null(flow);
    assert_true(flow_start(flow));
    assert_true(flow_wait(flow, 60 * S));
    o.status = flow_failure(flow, &why);
    o.balances = flow_balances(flow) && !flow_unbalanced(flow);
    flow_node(flow, 1, &about);
    o.account = about.account;
    flow_close(&flow);
    return o;
}

#define RUN(plugin, config, steps, mode) run(plugin, config, steps, sizeof(steps) / sizeof((steps)[0]), mode)

static void a_timer_is_called_before_the_first_later_record_of_its_subject(void **state)
{
    /* All in one batch: what a record sets may be due before the next. */
    static const struct step steps[] = { { GIVE, 0, 1 * S }, { GIVE, 1, 100 * S }, { GIVE, 0, 11 * S },
                                         { GIVE, 0, 22 * S }, { GIVE, 1, 111 * S } };
    enum layout_mode modes[] = { LAYOUT_NORMAL, LAYOUT_THREAD_PER_NODE };
    int i;

    (void)state;
    for (i = 0; i < 2; i++) {
        struct note_config c = { .after_ns = 10 * S };
        struct outcome o = RUN(&note_timers, &c, steps, modes[i]);

        assert_string_equal(c.notes, "r1 R100 r11 t21 r22 T110 R111 ");
        assert_int_equal(o.status, AFF_OK);
        assert_true(o.balances);
        assert_int_equal(o.account.made, 2);
        assert_int_equal(o.sink.records, 2);
    }
}

static void a_timer_at_a_records_own_time_comes_behind_it(void **state)
{
    static const struct step steps[] = { { GIVE, 0, 0 }, { GIVE, 0, 10 * S }, { GIVE, 0, 40 * S } };
    struct note_config c = { .after_ns = 10 * S, .every_ns = 10 * S };

    (void)state;
    RUN(&note_timers, &c, steps, LAYOUT_NORMAL);
    assert_string_equal(c.notes, "r0 r10 t20 t30 r40 ");
}

static void a_late_record_passes_no_timer(void **state)
{
    static const struct step steps[] = { { GIVE, 0, 50 * S }, { GIVE, 0, 20 * S }, { GIVE, 0, 29 * S }, { GIVE, 0, 60 * S } };
    struct note_config c = { .after_ns = 10 * S };

    (void)state;
    RUN(&note_timers, &c, steps, LAYOUT_NORMAL);
    assert_string_equal(c.notes, "r50 r20 r29 t39 r60 ");
}

static void a_silent_source_leaves_the_timer_to_the_clock(void **state)
{
    static const struct step steps[] = { { GIVE, 0, 5 * S }, { WAIT, 0, 10 * S }, { GIVE, 0, 6 * S },
                                         { WAIT, 0, 60 * S }, { GIVE, 0, 70 * S } };
    struct note_config c = { .after_ns = 10 * S };
    struct outcome o = RUN(&note_timers, &c, steps, LAYOUT_NORMAL); /* one lane: one reader of the clock */

    (void)state;
    /* After the first wait of 10 s nothing is due: 10 s and one of grace. */
    assert_string_equal(c.notes, "r5 r6 t16 r70 ");
    assert_true(o.balances);
}

static void a_source_that_is_busy_keeps_the_clock_from_calling(void **state)
{
    static const struct step steps[] = { { GIVE, 0, 5 * S }, { SPIN, 0, 20000 }, { GIVE, 0, 6 * S } };
    struct note_config c = { .after_ns = 10 * S };

    (void)state;
    RUN(&note_timers, &c, steps, LAYOUT_THREAD_PER_NODE);
    assert_string_equal(c.notes, "r5 r6 ");
}

static void what_a_timer_makes_has_the_same_id_by_whichever_way_it_came(void **state)
{
    static const struct step by_record[] = { { GIVE, 0, 5 * S }, { GIVE, 0, 70 * S } };
    static const struct step by_clock[] = { { GIVE, 0, 5 * S }, { WAIT, 0, 65 * S }, { GIVE, 0, 70 * S } };
    struct note_config c1 = { .after_ns = 10 * S }, c2 = c1;
    struct outcome o1 = RUN(&note_timers, &c1, by_record, LAYOUT_NORMAL);
    struct outcome o2 = RUN(&note_timers, &c2, by_clock, LAYOUT_NORMAL);

    (void)state;
    assert_string_equal(c1.notes, c2.notes);
    assert_int_equal(o1.sink.records, 1);
    assert_int_equal(o2.sink.records, 1);
    assert_true(o1.sink.ids[0] == o2.sink.ids[0] && o1.sink.ids[0] != 0);
}

static void wild_event_times_call_no_timer_by_the_clock(void **state)
{
    static const struct step steps[] = { { GIVE, 0, INT64_MIN + 5 }, { WAIT, 0, 60 * S }, { GIVE, 1, INT64_MAX - 5 },
                                         { WAIT, 0, 60 * S } };
    struct note_config c = { .after_ns = 5 };
    struct outcome o = RUN(&note_timers, &c, steps, LAYOUT_NORMAL);

    (void)state;
    assert_int_equal(o.status, AFF_OK);
    assert_true(o.balances);
}

/* Kept at its old time, the subject would look 100 s behind its own timer. */
static void a_clock_that_is_set_back_leaves_a_silent_source_its_time(void **state)
{
    static const struct step steps[] = { { GIVE, 0, 1000 * S }, { GIVE, 0, 900 * S }, { GIVE, 0, 901 * S },
                                         { WAIT, 0, 10 * S }, { GIVE, 0, 902 * S }, { WAIT, 0, 12 * S },
                                         { GIVE, 0, 903 * S } };
    struct note_config c = { .after_ns = 10 * S };
    struct outcome o = RUN(&note_timers, &c, steps, LAYOUT_NORMAL);

    (void)state;
    assert_string_equal(c.notes, "r1000 r900 r901 r902 t912 r903 ");
    assert_true(o.balances);
}

static void one_record_far_too_early_sets_no_clock_back(void **state)
{
    static const struct step steps[] = { { GIVE, 0, 1000 * S }, { GIVE, 0, 900 * S }, { GIVE, 0, 1001 * S },
                                         { GIVE, 0, 901 * S }, { WAIT, 0, 5 * S }, { GIVE, 0, 902 * S } };
    struct note_config c = { .after_ns = 10 * S };

    (void)state;
    RUN(&note_timers, &c, steps, LAYOUT_NORMAL);
    assert_string_equal(c.notes, "r1000 r900 t910 r1001 r901 t911 r902 ");
}

/* It would look set back each time that it comes twice: what waits for the stream
 * that is ahead would never be late. */
static void another_stream_that_is_behind_sets_no_clock_back(void **state)
{
    static const struct step steps[] = { { GIVE, 0, 1000 * S }, { GIVE, 2, 900 * S }, { GIVE, 2, 901 * S },
                                         { WAIT, 0, 5 * S }, { GIVE, 2, 902 * S } };
    struct note_config c = { .after_ns = 10 * S };

    (void)state;
    RUN(&note_timers, &c, steps, LAYOUT_NORMAL);
    assert_string_equal(c.notes, "r1000 r900 r901 t911 r902 ");
}

/* Ten years ahead and back, to the ends of time, and in disorder of seconds. */
static void a_clock_may_be_set_as_far_as_time_goes(void **state)
{
    static const struct step steps[] = { { GIVE, 0, 0 }, { GIVE, 0, 315360000 * S }, { GIVE, 0, 5 * S },
                                         { GIVE, 0, 6 * S }, { WAIT, 0, 5 * S }, { GIVE, 0, 7 * S },
                                         { GIVE, 0, INT64_MAX - 20 * S }, { GIVE, 0, INT64_MIN + 5 * S },
                                         { GIVE, 0, INT64_MIN + 6 * S }, { WAIT, 0, 5 * S },
                                         { GIVE, 0, INT64_MIN + 7 * S }, { WAIT, 0, 20 * S } };
    struct note_config c = { .after_ns = 10 * S };
    struct outcome o = RUN(&note_timers, &c, steps, LAYOUT_NORMAL);
    uint32_t i, timers = 0;

    (void)state;
    for (i = 0; c.notes[i]; i++)
        timers += c.notes[i] == 't';
    assert_int_equal(timers, 3); /* at each step ahead, and in the last silence */
    assert_int_equal(o.status, AFF_OK);
    assert_true(o.balances);
}

static void parts_set_aside_are_booked_as_made_and_dead(void **state)
{
    static const struct step steps[] = { { GIVE, 0, 1 * S }, { GIVE, 0, 2 * S }, { GIVE, 0, 3 * S } };
    struct note_config c = { .duty = ASIDES };
    struct outcome o = RUN(&note_plain, &c, steps, LAYOUT_NORMAL);

    (void)state;
    assert_true(o.balances);
    assert_int_equal(o.account.in, 3);
    assert_int_equal(o.account.used, 3);
    assert_int_equal(o.account.made, 6);
    assert_int_equal(o.account.dead, 6);
}

static void parts_of_an_input_that_was_not_taken_are_not_booked(void **state)
{
    static const struct step steps[] = { { GIVE, 0, 1 * S }, { GIVE, 0, 2 * S }, { GIVE, 0, 3 * S } };
    struct note_config c = { .duty = ASIDES, .fail_at = 2 };
    struct outcome o = RUN(&note_plain, &c, steps, LAYOUT_NORMAL);

    (void)state;
    assert_true(o.balances);
    assert_int_equal(o.account.used, 3);
    assert_int_equal(o.account.dead, 6);
}

static void a_node_that_rewrites_gives_ids_of_its_own(void **state)
{
    static const struct step steps[] = { { GIVE, 0, 1 * S }, { GIVE, 0, 2 * S } };
    struct note_config own = { .duty = OWN_IDS }, forgets = { .duty = FORGETS_IDS };
    struct outcome o = RUN(&note_rewrites, &own, steps, LAYOUT_NORMAL);

    (void)state;
    assert_int_equal(o.status, AFF_OK);
    assert_int_equal(o.sink.records, 2);
    o = RUN(&note_rewrites, &forgets, steps, LAYOUT_NORMAL);
    assert_int_equal(o.status, AFF_ERR_BUG);
    assert_int_equal(o.sink.records, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_timer_is_called_before_the_first_later_record_of_its_subject),
        cmocka_unit_test(a_timer_at_a_records_own_time_comes_behind_it),
        cmocka_unit_test(a_late_record_passes_no_timer),
        cmocka_unit_test(a_silent_source_leaves_the_timer_to_the_clock),
        cmocka_unit_test(a_source_that_is_busy_keeps_the_clock_from_calling),
        cmocka_unit_test(what_a_timer_makes_has_the_same_id_by_whichever_way_it_came),
        cmocka_unit_test(wild_event_times_call_no_timer_by_the_clock),
        cmocka_unit_test(a_clock_that_is_set_back_leaves_a_silent_source_its_time),
        cmocka_unit_test(one_record_far_too_early_sets_no_clock_back),
        cmocka_unit_test(another_stream_that_is_behind_sets_no_clock_back),
        cmocka_unit_test(a_clock_may_be_set_as_far_as_time_goes),
        cmocka_unit_test(parts_set_aside_are_booked_as_made_and_dead),
        cmocka_unit_test(parts_of_an_input_that_was_not_taken_are_not_booked),
        cmocka_unit_test(a_node_that_rewrites_gives_ids_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
