/* SPDX-License-Identifier: Apache-2.0
 *
 * test_harness.c - what the kit does for a plugin that keeps the contract.
 *
 * Not here: breaches (test_breach.c), options (test_options.c). */
#include <afferent/testkit.h>

#include "probe.h"

#include <string.h>

#define SECOND 1000000000

static struct aff_harness *probe_open(const char *toml)
{
    return aff_harness_open_linked(&probe_plugin, toml);
}

static uint32_t bytes_stream(struct aff_harness *h, const char *subject, const char *name)
{
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_BYTES, .name = "bytes" };

    return aff_harness_stream(h, subject, name, &schema);
}

static aff_status push_text(struct aff_harness *h, uint32_t stream, const char *text)
{
    struct aff_record record = { .stream = stream, .size = (uint32_t)strlen(text) };

    record.data = (void *)(uintptr_t)text;
    return aff_harness_push_record(h, "in", &record);
}

TEST(verdicts_are_carried_out_and_counted)
{
    struct aff_harness *h = probe_open("act = \"choose\"");
    const char *each[] = { "0", "1", "2", "4", "5" };
    struct aff_harness_ledger l;
    size_t i;

    for (i = 0; i < 5; i++)
        EXPECT_STATUS(aff_harness_push(h, "in", "bytes", each[i], 1), AFF_OK);
    EXPECT_BYTES(h, "out", "0", 1);
    EXPECT_NOTHING(h, "out");
    EXPECT_WAITING(h, "made", 2);
    l = aff_harness_ledger(h);
    assert_int_equal(l.in, 5);
    assert_int_equal(l.passed + l.dropped + l.dead + l.replaced + l.routed, 5);
    EXPECT_VERDICT(h, "unwanted", 1);
    EXPECT_VERDICT(h, "swapped", 1);
    EXPECT_VERDICT(h, "pass", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_replacement_keeps_the_id_and_times_of_its_input)
{
    struct aff_harness *h = probe_open("act = \"choose\"");
    uint32_t stream = bytes_stream(h, "Somebody", "text");
    const struct aff_record *r;

    push_text(h, stream, "4");
    aff_harness_seek(h, stream, 0, 77);
    push_text(h, stream, "4");
    (void)aff_harness_take(h, "made");
    r = aff_harness_take(h, "made");
    assert_int_equal(r->id.seq, 1);
    assert_int_equal(r->stream, stream);
    assert_int_equal(aff_harness_int(h, r, "value"), 7);
    assert_string_equal(aff_harness_text(h, r, "note"), "text");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_record_that_cannot_be_used_dies_alone)
{
    struct aff_harness *h = probe_open("act = \"choose\"");

    aff_harness_cut(h, 3);
    aff_harness_push(h, "in", "bytes", "0a", 2);
    aff_harness_push(h, "in", "bytes", "9", 1);
    aff_harness_push(h, "in", "bytes", "0b", 2);
    EXPECT_BYTES(h, "out", "0a", 2);
    EXPECT_BYTES(h, "out", "0b", 2);
    EXPECT_DEAD(h, 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(the_cause_of_a_refusal_can_be_seen)
{
    struct aff_harness *h = probe_open("act = \"choose\"");

    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", "9", 1), AFF_ERR_DATA);
    EXPECT_CAUSE(h, "byte 0 is not one of 0 to 5");
    aff_harness_close(&h);
}

TEST(records_that_were_not_taken_are_offered_again_in_time)
{
    struct aff_harness *h = probe_open("act = \"again\"");

    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", "a", 1), AFF_AGAIN);
    EXPECT_NOTHING(h, "out");
    aff_harness_clock(h, SECOND / 2);
    EXPECT_NOTHING(h, "out");
    aff_harness_clock(h, SECOND / 2);
    EXPECT_BYTES(h, "out", "a", 1);
    EXPECT_METRIC(h, "seen", 1); /* wake counts */
    assert_true(aff_harness_metric(h, "level") == (double)aff_harness_now(h));
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(held_records_leave_when_they_are_released)
{
    struct aff_harness *h = probe_open("act = \"kept_oldest\"");

    aff_harness_push(h, "in", "bytes", "a", 1);
    EXPECT_NOTHING(h, "out");
    assert_int_equal(aff_harness_ledger(h).held, 1);
    aff_harness_push(h, "in", "bytes", "b", 1);
    EXPECT_BYTES(h, "out", "a", 1);
    EXPECT_BALANCED(h);
    EXPECT_NOTHING(h, "out"); /* drain dropped b */
    aff_harness_close(&h);
}

TEST(held_records_live_through_a_restart_in_their_order)
{
    struct aff_harness *h = probe_open("act = \"held\"");

    aff_harness_push(h, "in", "bytes", "a", 1);
    aff_harness_push(h, "in", "bytes", "b", 1);
    aff_harness_restart(h);
    aff_harness_push(h, "in", "bytes", "c", 1);
    aff_harness_restart(h);
    aff_harness_restart(h);
    assert_int_equal(aff_harness_ledger(h).held, 3);
    EXPECT_NOTHING(h, "out");
    aff_harness_push(h, "in", "bytes", "d", 1);
    EXPECT_BYTES(h, "out", "a", 1);
    EXPECT_BYTES(h, "out", "b", 1);
    EXPECT_BYTES(h, "out", "c", 1);
    assert_int_equal(aff_harness_ledger(h).held, 1);
    aff_harness_close(&h);
}

TEST(a_held_record_that_restore_asked_for_is_released_later)
{
    struct aff_harness *h = probe_open("act = \"kept_oldest\"");

    aff_harness_push(h, "in", "bytes", "a", 1);
    aff_harness_restart(h);
    aff_harness_push(h, "in", "bytes", "b", 1);
    EXPECT_BYTES(h, "out", "a", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static struct aff_harness *sink_open(const char *toml)
{
    return aff_harness_open_linked(&sink_plugin, toml);
}

TEST(a_sink_is_done_with_a_record_when_its_peer_answers)
{
    static const char *const acts[] = { "act = \"wake\"", "act = \"thread\"", "act = \"stranger\"" };
    size_t i;

    for (i = 0; i < 3; i++) {
        struct aff_harness *h = sink_open(acts[i]);

        aff_harness_push(h, "in", "bytes", "a", 1);
        aff_harness_push(h, "in", "bytes", "-", 1);
        aff_harness_push(h, "in", "bytes", "b", 1);
        assert_int_equal(aff_harness_unanswered(h), 2);
        assert_int_equal(aff_harness_ledger(h).used, 0);
        assert_int_equal(aff_harness_ledger(h).dropped, 1);
        aff_harness_clock(h, SECOND);
        assert_int_equal(aff_harness_unanswered(h), 0);
        assert_int_equal(aff_harness_ledger(h).used, 2);
        EXPECT_STATUS(aff_harness_sync(h), AFF_OK);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
}

TEST(an_answer_may_come_before_write_returns)
{
    struct aff_harness *h = sink_open("act = \"at_once\"");

    aff_harness_cut(h, 2);
    aff_harness_push(h, "in", "bytes", "a", 1);
    aff_harness_push(h, "in", "bytes", "b", 1);
    assert_int_equal(aff_harness_unanswered(h), 0);
    EXPECT_VERDICT(h, "used", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(what_the_peer_refuses_is_a_dead_letter)
{
    struct aff_harness *h = sink_open("act = \"refuse\"");

    aff_harness_push(h, "in", "bytes", "a", 1);
    aff_harness_clock(h, SECOND);
    EXPECT_DEAD(h, 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(what_the_peer_could_not_take_is_offered_again_with_its_mark)
{
    struct aff_harness *h = sink_open("act = \"io\"");

    aff_harness_push(h, "in", "bytes", "a", 1);
    aff_harness_clock(h, SECOND);
    EXPECT_METRIC(h, "resent", 1);
    assert_int_equal(aff_harness_unanswered(h), 1);
    aff_harness_clock(h, SECOND);
    assert_int_equal(aff_harness_ledger(h).used, 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_sink_that_restarts_is_offered_what_has_no_answer)
{
    struct aff_harness *h = sink_open("act = \"wake\"");

    aff_harness_push(h, "in", "bytes", "a", 1);
    aff_harness_push(h, "in", "bytes", "b", 1);
    aff_harness_restart(h);
    assert_int_equal(aff_harness_unanswered(h), 2);
    EXPECT_METRIC(h, "resent", 2);
    aff_harness_clock(h, SECOND);
    assert_int_equal(aff_harness_ledger(h).used, 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_full_hold_area_says_so)
{
    struct aff_harness *h = probe_open("act = \"choose\"");

    aff_harness_max_held(h, 1);
    aff_harness_push(h, "in", "bytes", "3", 1);
    aff_harness_push(h, "in", "bytes", "3", 1);
    EXPECT_VERDICT(h, "unwanted", 1);
    assert_int_equal(aff_harness_ledger(h).held, 1);
    aff_harness_close(&h);
}

TEST(a_record_that_is_too_large_cannot_be_reserved)
{
    struct aff_harness *h = probe_open("act = \"count\"");

    aff_harness_max_record(h, 8);
    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", "a", 1), AFF_ERR_MEMORY);
    EXPECT_CAUSE(h, "larger than max_record");
    aff_harness_max_record(h, 64);
    EXPECT_STATUS(aff_harness_retry(h), AFF_OK);
    EXPECT_WAITING(h, "made", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

/* Two streams, in one of two orders, cut as asked; a restart in the middle. */
static uint64_t digest_of(uint32_t cut, int swapped, int restarts)
{
    struct aff_harness *h = probe_open("act = \"count\"");
    uint32_t stream[2], i;
    uint64_t digest;

    stream[swapped] = bytes_stream(h, "Somebody", swapped ? "two" : "one");
    stream[!swapped] = bytes_stream(h, "Somebody", swapped ? "one" : "two");
    aff_harness_cut(h, cut);
    for (i = 0; i < 200; i++) {
        push_text(h, stream[swapped ? i / 100 : i % 2], i % 7 ? "x" : "yy");
        if (restarts && i % 50 == 20)
            aff_harness_restart(h);
    }
    digest = aff_harness_digest(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    return digest;
}

TEST(output_is_the_same_however_the_input_is_cut)
{
    uint64_t one = digest_of(1, 0, 0);

    assert_true(one == digest_of(7, 0, 0));
    assert_true(one == digest_of(64, 0, 0));
    assert_true(one == digest_of(0, 0, 0));
    assert_true(one != digest_of(1, 1, 0)); /* other texts per stream */
}

TEST(state_lives_through_a_restart)
{
    assert_true(digest_of(3, 0, 0) == digest_of(3, 0, 1));
}

TEST(an_ended_streams_integer_is_used_anew_with_zeroed_state)
{
    struct aff_harness *h = probe_open("act = \"count\"");
    uint32_t one = bytes_stream(h, "Somebody", "one"), two;
    struct aff_record record = { .size = 0 };
    const struct aff_record *r;

    push_text(h, one, "a");
    record.stream = one;
    record.event_ns = 77;
    aff_harness_push_record(h, "in", &record);
    aff_harness_end_stream(h, "in", one);
    two = bytes_stream(h, "Somebody", "two");
    assert_int_equal(one, two);
    assert_int_equal(aff_harness_stream_info(h, two)->generation, 1);
    push_text(h, two, "a");
    (void)aff_harness_take(h, "made");
    assert_int_equal(aff_harness_int(h, aff_harness_take(h, "made"), "value"), 2);
    r = aff_harness_take(h, "made"); /* from stream_end, derived from the mark */
    assert_int_equal(aff_harness_int(h, r, "value"), -2);
    assert_int_equal(r->event_ns, 77);
    r = aff_harness_take(h, "made");
    assert_int_equal(aff_harness_int(h, r, "value"), 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(samples_run_on_in_index_and_time)
{
    struct aff_harness *h = probe_open(NULL);
    uint32_t stream = aff_harness_samples_stream(h, "ecg", AFF_I32, 2, 500);
    int32_t planes[] = { 1, 2, 3, 10, 20, 30 };
    const struct aff_record *first, *second;

    aff_harness_push_samples(h, "in", stream, planes, 3, 0);
    aff_harness_push_samples(h, "in", stream, planes, 3, AFF_FLAG_GAP);
    first = aff_harness_take(h, "out");
    second = aff_harness_take(h, "out");
    assert_int_equal(second->event_ns - first->event_ns, 6000000);
    assert_int_equal(aff_samples_of(second)->first, 3);
    assert_int_equal(((int32_t *)aff_plane(second, 1))[2], 30);
    assert_int_equal(second->flags, AFF_FLAG_GAP);
    aff_harness_push_samples(h, "in", stream, planes, 3, 0);
    EXPECT_I32(h, "out", 1, 2, 3, 10, 20, 30);
    aff_harness_close(&h);
}

TEST(rows_are_built_from_cells)
{
    struct aff_harness *h = probe_open(NULL);
    struct aff_column columns[] = { { .name = "hr", .type = AFF_REAL }, { .name = "n", .type = AFF_INT },
                                    { .name = "note", .type = AFF_TEXT } };
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .name = "v", .columns = columns,
                                 .count = 3, .stride = sizeof columns[0] };
    uint32_t stream = aff_harness_stream(h, "Somebody", "vitals", &schema);
    const struct aff_record *r;

    AFF_PUSH_ROW(h, "in", stream, AFF_CELL_REAL(61.5), AFF_CELL_NONE, AFF_CELL_TEXT("ok"));
    r = aff_harness_take(h, "out");
    assert_true(aff_harness_real(h, r, "hr") == 61.5);
    assert_int_equal(aff_harness_int(h, r, "n"), INT64_MIN);
    assert_string_equal(aff_harness_text(h, r, "note"), "ok");
    aff_harness_close(&h);
}

static void everything(void)
{
    struct aff_harness *h = probe_open("act = \"count\"");
    int i;

    aff_harness_cut(h, 4);
    for (i = 0; i < 10; i++)
        aff_harness_push(h, "in", "bytes", "a", 1);
    EXPECT_WAITING(h, "made", 10);
    aff_harness_end_stream(h, "in", 1);
    for (i = 1; i <= 10; i++)
        assert_int_equal(aff_harness_int(h, aff_harness_take(h, "made"), "value"), i);
    assert_int_equal(aff_harness_int(h, aff_harness_take(h, "made"), "value"), -10);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_host_call_fails_once_and_the_output_is_the_same)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(everything);
}

TEST(a_failure_on_demand_comes_back_to_the_test)
{
    struct aff_harness *h = probe_open("act = \"count\"");

    aff_harness_fail_nth(h, 2);
    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", "a", 1), AFF_OK);
    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", "b", 1), AFF_ERR_MEMORY);
    assert_string_equal(aff_harness_failed_call(h), "reserve");
    EXPECT_WAITING(h, "made", 1);
    EXPECT_STATUS(aff_harness_retry(h), AFF_OK);
    EXPECT_WAITING(h, "made", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_source_is_read_to_its_end)
{
    struct aff_harness *h = aff_harness_open_linked(&source_plugin, "total = 10");
    const struct aff_record *r;
    int64_t i;

    EXPECT_STATUS(aff_harness_read(h, 4), AFF_OK);
    EXPECT_WAITING(h, "out", 4);
    aff_harness_restart(h);
    EXPECT_STATUS(aff_harness_read_all(h, 3, 0), AFF_END);
    for (i = 0; i < 10; i++) {
        r = aff_harness_take(h, "out");
        assert_int_equal(aff_harness_int(h, r, "number"), i + 1);
        assert_int_equal(r->event_ns, i);
        assert_int_equal(r->id.seq, i); /* also over the restart */
    }
    r = aff_harness_take(h, "out");
    assert_int_equal(r->flags, AFF_FLAG_END);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_source_that_waits_is_woken_by_the_clock)
{
    struct aff_harness *h = aff_harness_open_linked(&source_plugin, "total = 10\nevery = \"100ms\"");

    EXPECT_STATUS(aff_harness_read(h, 4), AFF_AGAIN);
    EXPECT_WAITING(h, "out", 1);
    aff_harness_clock(h, 350000000);
    EXPECT_WAITING(h, "out", 4);
    EXPECT_STATUS(aff_harness_read_all(h, 4, 0), AFF_END);
    EXPECT_WAITING(h, "out", 11);
    aff_harness_close(&h);
}

TEST(an_open_that_fails_can_be_looked_at)
{
    struct aff_harness *h;

    aff_harness_link(&source_plugin);
    EXPECT_STATUS(aff_harness_try_open("probe_source", "act = \"missing\"", &h), AFF_ERR_IO);
    EXPECT_CAUSE(h, "plug it in");
    EXPECT_STATUS(aff_harness_retry(h), AFF_ERR_IO);
    aff_harness_close(&h);
}

static void query_scenario(void)
{
    struct aff_query query = { sizeof query, 0, NULL, NULL, 2, INT64_MAX };
    struct aff_harness *h;
    size_t damaged = 0;

    aff_harness_link(&source_plugin);
    h = aff_harness_load("probe_source", "total = 9");
    assert_int_equal(aff_harness_query(h, &query, &damaged), 5);
    assert_int_equal(damaged, 2);
    assert_int_equal(aff_harness_int(h, aff_harness_take(h, "query"), "number"), 3);
    aff_harness_close(&h);
}

TEST(an_archive_is_queried_without_an_instance)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(query_scenario);
}

static uint64_t synced_epoch;

static aff_status sink_sync(void *self, uint64_t epoch)
{
    (void)self;
    if (epoch == 2 && synced_epoch == 1) {
        synced_epoch = 0;
        return AFF_ERR_IO;
    }
    synced_epoch = epoch;
    return AFF_OK;
}

TEST(a_sink_is_written_to_and_synced)
{
    struct aff_plugin sink = probe_plugin;
    struct aff_harness *h;

    sink.name = "probe_sink";
    sink.kind = AFF_SINK;
    sink.write = sink.process;
    sink.process = NULL;
    sink.outputs.count = 0;
    sink.verdicts.count = 2;
    sink.sync = sink_sync;
    h = aff_harness_open_linked(&sink, NULL);
    aff_harness_push(h, "in", "bytes", "a", 1);
    EXPECT_STATUS(aff_harness_sync(h), AFF_OK);
    EXPECT_STATUS(aff_harness_sync(h), AFF_ERR_IO);
    EXPECT_STATUS(aff_harness_sync(h), AFF_OK);
    assert_int_equal(synced_epoch, 2);
    assert_int_equal(aff_harness_ledger(h).used, 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_hundred_thousand_records_take_no_time_to_speak_of)
{
    struct aff_harness *h = probe_open("act = \"count\"");
    int i;

    aff_harness_cut(h, 64);
    for (i = 0; i < 100000; i++) {
        aff_harness_push(h, "in", "bytes", "a", 1);
        if (i % 1000 == 999) {
            aff_harness_discard(h, "made");
            aff_harness_discard(h, "out");
        }
    }
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

AFF_TEST_MAIN(verdicts_are_carried_out_and_counted, a_replacement_keeps_the_id_and_times_of_its_input,
              a_record_that_cannot_be_used_dies_alone, the_cause_of_a_refusal_can_be_seen,
              records_that_were_not_taken_are_offered_again_in_time, held_records_leave_when_they_are_released,
              held_records_live_through_a_restart_in_their_order, a_held_record_that_restore_asked_for_is_released_later,
              a_sink_is_done_with_a_record_when_its_peer_answers, an_answer_may_come_before_write_returns,
              what_the_peer_refuses_is_a_dead_letter, what_the_peer_could_not_take_is_offered_again_with_its_mark,
              a_sink_that_restarts_is_offered_what_has_no_answer,
              a_full_hold_area_says_so, a_record_that_is_too_large_cannot_be_reserved,
              output_is_the_same_however_the_input_is_cut, state_lives_through_a_restart,
              an_ended_streams_integer_is_used_anew_with_zeroed_state, samples_run_on_in_index_and_time,
              rows_are_built_from_cells, each_host_call_fails_once_and_the_output_is_the_same,
              a_failure_on_demand_comes_back_to_the_test, a_source_is_read_to_its_end,
              a_source_that_waits_is_woken_by_the_clock, an_open_that_fails_can_be_looked_at,
              an_archive_is_queried_without_an_instance, a_sink_is_written_to_and_synced,
              a_hundred_thousand_records_take_no_time_to_speak_of)
