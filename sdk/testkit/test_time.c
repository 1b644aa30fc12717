/* SPDX-License-Identifier: Apache-2.0
 *
 * test_time.c - the kit's timers, shapes and parts set aside, with a small plugin.
 *
 * The plugin sets a timer ten seconds behind each record, and makes a record
 * when it is called; a record of the byte 'x' is one with a bad part. */
#include <afferent/testkit.h>

#include <string.h>

#define S INT64_C(1000000000)

struct config {
    int64_t after;
    int32_t rude; /* asks for the same time again */
    const char *column;
};
struct tick {
    const struct aff_host *host;
    const struct config *config;
    uint32_t schema;
};

static const struct aff_option options[] = {
    AFF_OPT_DURATION(struct config, after, 0, "\"10s\"", 1, 1e18, "How long behind a record the timer is."),
    AFF_OPT_BOOL(struct config, rude, "false", "Asks for the time it was called for."),
    AFF_OPT_TEXT(struct config, column, 0, "\"\"", "A column that must be there."),
};
static const struct aff_column columns[] = { { .name = "late", .type = AFF_INT } };
static const struct aff_schema late = { .struct_size = sizeof late, .type = AFF_FIELDS, .name = "late",
                                        .columns = columns, .count = 1, .stride = sizeof columns[0] };
static const struct aff_port inputs[] = { { .name = "in", .doc = "Bytes.", .types = AFF_MASK(AFF_BYTES) | AFF_MASK(AFF_FIELDS) } };
static const struct aff_port outputs[] = { { .name = "out", .doc = "Rows.", .schema = &late, .types = AFF_MASK(AFF_FIELDS) } };
static const struct aff_verdict verdicts[] = { { "bad_part", "A part is bad.", AFF_V_DEAD, 0, 0 } };

static aff_status tick_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct tick *t = host->alloc(host, sizeof *t);

    if (!t)
        return AFF_ERR_MEMORY;
    t->host = host;
    t->config = config;
    *ret_self = t;
    return AFF_OK;
}

static void tick_close(void *self)
{
    struct tick *t = self;

    t->host->free(t->host, t);
}

static aff_status tick_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct tick *t = self;
    uint32_t i;

    for (i = 0; i < batch->count; i++) {
        const struct aff_record *r = &batch->records[i];

        if (r->size > 0 && *(const char *)r->data == 'x' && t->host->dead(t->host, i, 1, 0, r->data, 1) < 0) {
            *ret_taken = i;
            return AFF_ERR_MEMORY;
        }
        t->host->timer(t->host, r->subject, r->event_ns + t->config->after);
    }
    return AFF_OK;
}

static aff_status tick_timer(void *self, uint32_t subject, int64_t due_ns)
{
    struct tick *t = self;
    struct aff_record *r = t->host->reserve(t->host, 0, AFF_NO_INPUT, aff_row_size(1, 0));
    struct aff_row row;

    if (!r)
        return AFF_ERR_MEMORY;
    if (r->subject != subject || r->event_ns != due_ns)
        return AFF_ERR_BUG;
    r->stream = t->host->stream(t->host, subject, "late", r->schema);
    if (!r->stream)
        return AFF_ERR_MEMORY;
    row = aff_row_begin(r, 1);
    aff_row_put_int(&row, 0, due_ns / S);
    if (t->config->rude)
        t->host->timer(t->host, subject, due_ns);
    return t->host->emit(t->host, r, aff_row_end(&row));
}

static aff_status tick_shape(const void *config, const struct aff_table *in, const struct aff_report *report)
{
    const struct config *c = config;
    const struct aff_shape *first = in->items;
    struct aff_shape out = { .struct_size = sizeof out, .schema = &late };

    if (c->column[0] && in->count && !first->schema) {
        report->problem(report, "column", "the columns are known at run time only; declare them");
        return AFF_ERR_CONFIG;
    }
    if (in->count)
        out.subject = first->subject;
    report->output(report, &out);
    return AFF_OK;
}

static const struct aff_plugin tick = {
    .struct_size = sizeof tick, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "op_tick", .version = "1.0.0",
    .summary = "Says when a record is late.", .license = "Apache-2.0", .config_size = sizeof(struct config),
    .options = AFF_TABLE(options), .inputs = AFF_TABLE(inputs), .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts), .open = tick_open, .close = tick_close, .process = tick_process,
    .timer = tick_timer, .shape = tick_shape,
};

static struct aff_harness *open_tick(const char *toml)
{
    return aff_harness_open_linked(&tick, toml);
}

static void push_at(struct aff_harness *h, const char *subject, int64_t event_ns, const char *text)
{
    static const struct aff_schema bytes = { .struct_size = sizeof bytes, .type = AFF_BYTES, .name = "bytes" };
    struct aff_record r;

    memset(&r, 0, sizeof r);
    r.stream = aff_harness_stream(h, subject, "data", &bytes);
    r.event_ns = event_ns;
    r.data = (void *)(uintptr_t)text;
    r.size = (uint32_t)strlen(text);
    aff_harness_push_record(h, "in", &r);
}

static void expect_late(struct aff_harness *h, int64_t seconds)
{
    const struct aff_record *r = aff_harness_take(h, "out");

    assert_non_null(r);
    assert_int_equal(aff_harness_int(h, r, "late"), seconds);
    assert_int_equal(r->event_ns, seconds * S);
}

TEST(a_timer_is_called_before_a_later_record_and_not_before_one_at_its_time)
{
    struct aff_harness *h = open_tick("");

    push_at(h, "Ann", 1 * S, "a");
    push_at(h, "Ann", 11 * S, "a");
    EXPECT_NOTHING(h, "out");
    push_at(h, "Bob", 99 * S, "a"); /* each subject has its own time */
    EXPECT_NOTHING(h, "out");
    push_at(h, "Ann", 22 * S, "a");
    expect_late(h, 21);
    EXPECT_NOTHING(h, "out");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(batches_of_any_size_give_the_same)
{
    uint64_t digests[3];
    uint32_t cuts[3] = { 1, 64, 0 }, i, k;

    for (i = 0; i < 3; i++) {
        struct aff_harness *h = open_tick("after = \"3s\"");

        aff_harness_cut(h, cuts[i]);
        for (k = 0; k < 200; k++)
            push_at(h, k % 3 ? "Ann" : "Bob", (int64_t)(k * k % 97 + k) * S, "a");
        aff_harness_flush(h);
        digests[i] = aff_harness_digest(h);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
    assert_true(digests[0] == digests[1] && digests[1] == digests[2]);
}

TEST(the_clock_calls_a_timer_when_data_stops_one_second_late)
{
    struct aff_harness *h = open_tick("");

    push_at(h, "Ann", 1 * S, "a");
    aff_harness_clock(h, 10 * S);
    EXPECT_NOTHING(h, "out");
    aff_harness_clock(h, 1 * S);
    expect_late(h, 11);
    aff_harness_clock(h, 1000 * S);
    EXPECT_NOTHING(h, "out");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static const char *volatile seen; /* outlives the jump out of the breach */
static jmp_buf back;
static void breach_seen(const char *sentence)
{
    seen = strstr(sentence, "not later") ? "not later" : "another sentence";
    longjmp(back, 1);
}

TEST(a_timer_that_asks_for_its_own_time_again_is_a_breach)
{
    static struct aff_harness *h;

    h = open_tick("rude = true");
    push_at(h, "Ann", 1 * S, "a");
    aff_test_on_breach(breach_seen);
    if (setjmp(back) == 0)
        push_at(h, "Ann", 50 * S, "a");
    aff_test_on_breach(NULL);
    assert_string_equal(seen, "not later");
    aff_test_begin("again"); /* the instance is left behind in its callback */
}

TEST(parts_set_aside_count_beside_their_input)
{
    struct aff_harness *h = open_tick("");

    push_at(h, "Ann", 1 * S, "xyz");
    push_at(h, "Ann", 2 * S, "abc");
    EXPECT_VERDICT(h, "bad_part", 1);
    assert_int_equal(aff_harness_ledger(h).aside, 1);
    assert_int_equal(aff_harness_ledger(h).used, 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void all_of_it(void)
{
    struct aff_harness *h = open_tick("");

    push_at(h, "Ann", 1 * S, "x");
    push_at(h, "Ann", 30 * S, "a");
    expect_late(h, 11);
    EXPECT_VERDICT(h, "bad_part", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(timers_and_parts_survive_each_host_call_failing)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(all_of_it);
}

TEST(shape_says_what_comes_out_and_what_is_missing)
{
    const struct aff_shape *out;
    struct aff_shape in = { .struct_size = sizeof in, .subject = AFF_LABEL_PHI };

    aff_harness_link(&tick);
    assert_null(aff_harness_shape("op_tick", "", &in, 1, &out));
    assert_int_equal(out[0].subject, AFF_LABEL_PHI);
    assert_string_equal(out[0].schema->columns[0].name, "late");
    assert_string_equal(aff_harness_shape("op_tick", "column = \"spo2\"", &in, 1, NULL),
                        "column: the columns are known at run time only; declare them\n");
}

AFF_TEST_MAIN(a_timer_is_called_before_a_later_record_and_not_before_one_at_its_time,
              batches_of_any_size_give_the_same,
              the_clock_calls_a_timer_when_data_stops_one_second_late,
              a_timer_that_asks_for_its_own_time_again_is_a_breach,
              parts_set_aside_count_beside_their_input,
              timers_and_parts_survive_each_host_call_failing,
              shape_says_what_comes_out_and_what_is_missing)
