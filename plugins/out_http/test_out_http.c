/* test_out_http.c - the sink beside a scripted server: what arrives, and what is refused.
 *
 * Not here: what comes again, credentials (test_later.c), TLS (test_tls.c), bodies and answers alone (test_body.c), the whole command
 * with links that fail (tests/net/http_check.py). */
#include "test_peer.h"

/* ---- what arrives ---- */

TEST(a_batch_is_a_list_of_json_with_ids)
{
    struct aff_harness *h = open_to("ok", "batch_records = 3\nbatch_time = \"1h\"\n");

    push_many(h, 3, -1);
    settle(h);
    assert_int_equal(requests_to("ok"), 1);
    assert_int_equal(count_of(got(), "\\\"id\\\":\\\""), 3);
    assert_non_null(strstr(got(), "\\\"subject\\\":\\\"bed 3\\\""));
    assert_non_null(strstr(got(), "\\\"data\\\":{\\\"heart_rate\\\":62.25,\\\"note\\\":\\\"calm\\\"}}]"));
    assert_non_null(strstr(got(), "\"content-type\": \"application/json\""));
    assert_int_equal(count_of(got(), "\"idempotency-key\": \"\\\""), 1);
    assert_int_equal(count_of(got(), "-n3-"), 1);
    assert_int_equal(count_of(got(), "resent"), 0);
    EXPECT_METRIC(h, "accepted", 3);
    EXPECT_METRIC(h, "requests", 1);
    finish(&h);
}

TEST(time_ends_a_batch_and_one_record_has_an_idempotency_key)
{
    struct aff_harness *h = open_to("ok", "format = \"ndjson\"\nmethod = \"PUT\"\nheaders = { X-Ward = \"7\", X-None = \"\" }\n");

    (void)push_row(h, 71.5, "one");
    settle(h);
    assert_non_null(strstr(got(), "\"idempotency-key\": \"\\\""));
    assert_non_null(strstr(got(), "\"method\": \"PUT\""));
    assert_non_null(strstr(got(), "\"x-ward\": \"7\""));
    assert_non_null(strstr(got(), "\"x-none\": \"\""));
    assert_non_null(strstr(got(), "\\\"note\\\":\\\"one\\\"}}\\n\""));
    finish(&h);
}

TEST(bytes_end_a_batch)
{
    struct aff_harness *h = open_to("ok", "batch_bytes = \"1KiB\"\nbatch_time = \"50ms\"\ncompress = \"gzip\"\n");

    push_many(h, 20, -1);
    settle(h);
    assert_true(requests_to("ok") >= 3);
    assert_int_equal(count_of(got(), "\\\"id\\\":"), 20);
    assert_non_null(strstr(got(), "\"content-encoding\": \"gzip\""));
    finish(&h);
}

TEST(raw_sends_a_payload_as_it_is)
{
    struct aff_harness *h = open_to("ok", "format = \"raw\"\ncontent_type = \"application/hl7-v2\"\n");

    (void)aff_harness_push(h, "in", "bytes", "MSH|^~", 6);
    (void)aff_harness_push(h, "in", "bytes", "", 0);
    settle(h);
    assert_int_equal(requests_to("ok"), 2);
    assert_non_null(strstr(got(), "\"body\": \"MSH|^~\""));
    assert_non_null(strstr(got(), "\"content-type\": \"application/hl7-v2\""));
    finish(&h);
}

TEST(connections_are_kept_and_one_that_was_closed_is_opened_anew)
{
    struct aff_harness *h = open_to("ok", "batch_records = 1\nin_flight = 1\n");
    char part[32];

    push_many(h, 6, -1);
    settle(h);
    assert_int_equal(requests_to("ok"), 6);
    (void)snprintf(part, sizeof part, "%.20s", strstr(got(), "\"connection\""));
    *strchr(part, ',') = '\0';
    assert_int_equal(count_of(got(), part), 6);
    aff_harness_close(&h);
    h = open_to("close", "batch_records = 1\nin_flight = 1\n");
    push_many(h, 6, -1);
    settle(h);
    assert_true(requests_to("close") >= 6);
    EXPECT_DEAD(h, 0);
    finish(&h);
}

TEST(several_requests_are_under_way_at_once)
{
    struct aff_harness *h = open_to("together:8", "batch_records = 1\nin_flight = 8\n");

    push_many(h, 8, -1);
    settle(h);
    EXPECT_METRIC(h, "accepted", 8);
    finish(&h);
}

/* ---- how much is under way ---- */

TEST(no_more_is_taken_than_a_link_has_shown_to_carry)
{
    enum { ROWS = 60, ROW_LEAST = 300, ROOM = 4096, TAKEN_MOST = ROOM / ROW_LEAST + 1 };
    struct aff_harness *h = open_to("slow:400", "");
    double begin = seconds_now();
    char note[256], *second;
    uint64_t taken;

    memset(note, 'n', sizeof note - 1);
    note[sizeof note - 1] = '\0';
    aff_harness_cut(h, ROWS);
    for (int i = 0; i < ROWS; i++)
        (void)push_row(h, i, note);
    taken = aff_harness_unanswered(h);
    if (seconds_now() - begin < 0.3) /* nothing is answered */
        assert_in_range(taken, 1, TAKEN_MOST);
    settle(h);
    EXPECT_METRIC(h, "accepted", ROWS);
    assert_true(requests_to("slow:400") >= 4);
    second = strchr(got_text, '\n');
    assert_non_null(second);
    *second = '\0';
    assert_in_range(count_of(got_text, "\\\"id\\\":"), 1, TAKEN_MOST / 2 + 1); /* half of the room, so that the next is at hand */
    finish(&h);
}

/* Rows that come one by one are gathered to as much as the link has shown to carry, and not to a part of it. */
TEST(a_batch_that_fills_slowly_is_not_cut_short)
{
    struct aff_harness *h = open_to("ok", "batch_time = \"1h\"\n");
    char note[256];

    memset(note, 'n', sizeof note - 1);
    note[sizeof note - 1] = '\0';
    (void)push_row(h, 0, note);
    (void)poll(NULL, 0, 150);
    for (int i = 1; i < 20 && aff_harness_unanswered(h) == (size_t)i; i++)
        (void)push_row(h, i, note);
    (void)aff_harness_press(h);
    settle(h);
    assert_in_range(requests_to("ok"), 1, 3);
    *strchr(got_text, '\n') = '\0';
    assert_in_range(count_of(got_text, "\\\"id\\\":"), 10, 14); /* 4 KiB; half of it would be six */
    finish(&h);
}

TEST(what_is_larger_than_all_room_goes_alone)
{
    struct aff_harness *h = open_to("ok", "format = \"raw\"\n");
    static char bytes[300000];

    memset(bytes, 'b', sizeof bytes);
    for (int i = 0; i < 3; i++)
        (void)aff_harness_push(h, "in", "bytes", bytes, sizeof bytes);
    settle(h);
    EXPECT_METRIC(h, "accepted", 3);
    finish(&h);
}

/* ---- refused ---- */

TEST(one_bad_record_of_a_batch_becomes_a_dead_letter_alone)
{
    struct aff_harness *h = open_to("bad:POISON:422", "batch_records = 50\n");

    push_many(h, 50, 17);
    settle(h);
    EXPECT_DEAD(h, 1);
    EXPECT_METRIC(h, "accepted", 49);
    EXPECT_METRIC(h, "refused", 1);
    assert_true(requests_to("bad:POISON:422") <= 13); /* 1 + 2 x log2(50) */
    assert_true(requests_to("bad:POISON:422") >= 7);
    assert_int_equal(keys_of("bad:POISON:422"), requests_to("bad:POISON:422"));
    EXPECT_LOG(h, AFF_LOG_WARN, "refuses a record for its content (422)");
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, "POISON"), 0);
    finish(&h);
}

TEST(a_server_that_fails_on_one_record_gets_the_others)
{
    struct aff_harness *h = open_to("bad:POISON:500/for:8", "batch_records = 8\n");

    push_many(h, 8, 5);
    settle(h);
    EXPECT_DEAD(h, 0);
    EXPECT_METRIC(h, "accepted", 8);
    assert_true(count_of(got(), "POISON") >= 2);
    finish(&h);
}

TEST(outcomes_of_a_multi_status_are_by_id)
{
    struct aff_harness *h = open_to("multi:POISON:422", "batch_records = 10\nbatch_time = \"1h\"\n");

    push_many(h, 10, 3);
    settle(h);
    EXPECT_DEAD(h, 1);
    EXPECT_METRIC(h, "accepted", 9);
    assert_int_equal(requests_to("multi:POISON:422"), 1);
    finish(&h);
}

TEST(a_multi_status_of_failures_comes_again_alone)
{
    struct aff_harness *h = open_to("multi:POISON:503/for:1", "batch_records = 4\nbatch_time = \"1h\"\n");

    push_many(h, 4, 2);
    settle(h);
    EXPECT_DEAD(h, 0);
    EXPECT_METRIC(h, "accepted", 4);
    assert_int_equal(requests_to("multi:POISON:503/for:1"), 2);
    assert_int_equal(count_of(got(), "\\\"POISON"), 2);
    assert_int_equal(count_of(got(), "\"afferent-resent\": \"1\""), 1);
    assert_int_equal(keys_of("multi:POISON:503/for:1"), 2);
    finish(&h);
}

int main(void)
{
    static const struct CMUnitTest *const tests[] = {
        a_batch_is_a_list_of_json_with_ids,
        time_ends_a_batch_and_one_record_has_an_idempotency_key,
        bytes_end_a_batch,
        raw_sends_a_payload_as_it_is,
        connections_are_kept_and_one_that_was_closed_is_opened_anew,
        several_requests_are_under_way_at_once,
        no_more_is_taken_than_a_link_has_shown_to_carry,
        a_batch_that_fills_slowly_is_not_cut_short,
        what_is_larger_than_all_room_goes_alone,
        one_bad_record_of_a_batch_becomes_a_dead_letter_alone,
        a_server_that_fails_on_one_record_gets_the_others,
        outcomes_of_a_multi_status_are_by_id,
        a_multi_status_of_failures_comes_again_alone,
    };
    int rc;

    peer_start("http_server.py", NULL);
    rc = aff_test_run(tests, sizeof tests / sizeof tests[0]);
    peer_stop();
    return rc;
}
