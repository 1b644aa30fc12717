/* test_later.c - the sink beside a scripted server: what comes again, whose credentials
 * are taken, and the end.
 *
 * Not here: what arrives at once (test_out_http.c), TLS (test_tls.c). */
#include "test_peer.h"

/* ---- later ---- */

/* Each path's first answer is no good; what is tried again arrives once, marked. */
TEST(what_failed_comes_again_marked_and_nothing_is_a_dead_letter)
{
    static const char *const paths[] = { "status:503/for:1", "status:500/for:1", "half/for:1", "long/for:1", "garbage/for:1",
                                         "nothing/for:1", "status:404/for:1", "redirect:1/for:1" };
    struct aff_harness *h[8];
    char part[64];

    log_empty();
    for (int i = 0; i < 8; i++) {
        h[i] = aff_harness_open("out_http", toml_for(paths[i], ""));
        (void)push_row(h[i], 80, "calm");
    }
    for (int i = 0; i < 8; i++)
        settle(h[i]);
    for (int i = 0; i < 8; i++) {
        (void)snprintf(part, sizeof part, "%s", paths[i]);
        if (requests_to(part) < 2)
            fail_msg("%s: %zu requests", part, requests_to(part));
        EXPECT_DEAD(h[i], 0);
        EXPECT_METRIC(h[i], "accepted", 1);
        EXPECT_BALANCED(h[i]);
        aff_harness_close(&h[i]);
    }
    assert_true(count_of(got(), "\"afferent-resent\": \"1\"") >= 8);
    assert_int_equal(count_of(got(), "\\\"resent\\\":true"), 0);
}

/* The body of the n-th request to this path, as the server wrote it down. */
static const char *body_of(const char *path, size_t n)
{
    static char bodies[4][4096];
    const char *line = got();
    char part[64];

    (void)snprintf(part, sizeof part, "\"path\": \"/%s\"", path);
    for (size_t i = 0; i <= n; i++) {
        line = strstr(line, part);
        assert_non_null(line);
        line++;
    }
    line = strstr(line, "\"body\": ");
    assert_non_null(line);
    (void)snprintf(bodies[n % 4], sizeof bodies[0], "%.*s", (int)strcspn(line, "\n"), line);
    return bodies[n % 4];
}

/* One server loses two answers, while another record comes; one answers 409 as long as it has the first
 * request in hand, and one has no time to answer at first. */
TEST(what_a_server_may_have_comes_again_as_it_was_with_its_key)
{
    static const char more[] = "batch_records = 3\nbatch_time = \"300ms\"\n";
    struct aff_harness *silent = open_to("nothing/for:2", more), *busy = aff_harness_open("out_http", toml_for("busy", more));
    struct aff_harness *late = aff_harness_open("out_http", toml_for("status:503/for:1/late", "batch_records = 4\n"));

    push_many(silent, 3, -1);
    push_many(busy, 2, -1);
    (void)aff_harness_unanswered(silent); /* they are given */
    (void)aff_harness_unanswered(busy);
    push_many(late, 4, -1);
    (void)aff_harness_unanswered(late);
    for (double until = seconds_now() + PATIENCE_S; requests_to("nothing/for:2") < 2;)
        assert_true(seconds_now() < until && poll(NULL, 0, 2) == 0);
    (void)push_row(silent, 99, "later");
    settle(silent);
    settle(busy);
    settle(late);
    EXPECT_METRIC(silent, "accepted", 4);
    assert_int_equal(requests_to("nothing/for:2"), 4);
    assert_int_equal(keys_of("nothing/for:2"), 2);
    assert_string_equal(body_of("nothing/for:2", 1), body_of("nothing/for:2", 0));
    assert_string_equal(body_of("nothing/for:2", 2), body_of("nothing/for:2", 0));
    assert_non_null(strstr(body_of("nothing/for:2", 3), "later"));
    EXPECT_METRIC(busy, "accepted", 2);
    EXPECT_METRIC(busy, "split", 0);
    EXPECT_DEAD(busy, 0);
    assert_int_equal(requests_to("busy"), 3);
    assert_int_equal(keys_of("busy"), 1);
    EXPECT_METRIC(late, "accepted", 4);
    assert_int_equal(requests_to("status:503/for:1/late"), 2);
    assert_int_equal(count_of(got(), "-n4-"), 2);
    assert_int_equal(count_of(got(), "-n3-"), 3);
    assert_int_equal(count_of(got(), "\"afferent-resent\": \"1\""), 5);
    finish(&silent);
    finish(&late);
    finish(&busy);
}

/* `status` shows it: what is to be checked, and not that something failed. */
TEST(records_that_come_back_have_their_reason)
{
    struct aff_harness *h = aff_harness_open("out_http", "url = \"http://127.0.0.1:1/\"\nbatch_records = 1\n");

    (void)push_row(h, 80, "calm");
    for (double until = seconds_now() + PATIENCE_S; !*aff_harness_answer(h);) {
        (void)aff_harness_ready(h, 5);
        assert_true(seconds_now() < until);
    }
    assert_string_equal(aff_harness_answer(h), "nothing answers at the server's address; check the link and the address");
    aff_harness_close(&h);
}

TEST(headers_without_end_are_no_answer)
{
    struct aff_harness *h = open_to("headers:4", "");

    (void)push_row(h, 80, "calm");
    expect_away(h, "no HTTP server");
    aff_harness_close(&h);
}

TEST(a_server_that_asks_for_time_is_given_it)
{
    static const char *const paths[] = { "status:429/after:2/for:1", "status:503/after_date:3/for:1" };
    struct aff_harness *h[2];
    double began = seconds_now();

    log_empty();
    for (int i = 0; i < 2; i++) {
        h[i] = aff_harness_open("out_http", toml_for(paths[i], "retry_after_most = \"1s\"\n"));
        (void)push_row(h[i], 80, "calm");
    }
    for (int i = 0; i < 2; i++)
        expect_away(h[i], i == 0 ? "(429)" : "(503)");
    for (int i = 0; i < 2; i++) {
        settle(h[i]);
        assert_true(seconds_now() - began > 0.98);
        finish(&h[i]);
    }
}

TEST(an_answer_without_end_costs_no_memory)
{
    struct aff_harness *h = open_to("huge:64", "answer_most = \"64KiB\"\n");

    (void)push_row(h, 80, "calm");
    settle(h); /* its status was fine, and nothing else counts */
    EXPECT_METRIC(h, "accepted", 1);
    finish(&h);
    h = open_to("huge:64", "answer_most = \"64KiB\"\nanswer = { rows = \"items\" }\n");
    (void)push_row(h, 80, "calm");
    expect_away(h, "longer than answer_most");
    aff_harness_close(&h);
}

TEST(more_bytes_than_announced_do_not_become_the_next_answer)
{
    struct aff_harness *h = open_to("short", "batch_records = 1\nin_flight = 1\n");

    push_many(h, 4, -1);
    settle(h);
    EXPECT_METRIC(h, "accepted", 4);
    assert_int_equal(requests_to("short"), 4);
    finish(&h);
}

TEST(an_answer_before_the_request_was_read_counts)
{
    struct aff_harness *h = open_to("early", "format = \"raw\"\n");
    size_t size = 8u << 20;
    char *large = calloc(1, size);

    assert_non_null(large);
    (void)aff_harness_push(h, "in", "bytes", large, size);
    free(large);
    settle(h);
    EXPECT_DEAD(h, 1);
    finish(&h);
}

/* ---- credentials ---- */

TEST(tokens_and_passwords_are_sent_and_what_is_refused_is_no_dead_letter)
{
    struct aff_harness *h = open_to("bearer:s3cret", "token = \"s3cret\"\n");

    (void)push_row(h, 80, "calm");
    settle(h);
    EXPECT_METRIC(h, "accepted", 1);
    finish(&h);
    h = open_to("basic:nurse-joy", "user = \"nurse\"\npassword = \"joy\"\n");
    (void)push_row(h, 80, "calm");
    settle(h);
    EXPECT_METRIC(h, "accepted", 1);
    finish(&h);
    h = open_to("bearer:s3cret", "token = \"wr0ng\"\n");
    (void)push_row(h, 80, "calm");
    expect_away(h, "credentials (401)");
    EXPECT_DEAD(h, 0);
    assert_null(strstr(aff_harness_cause(h), "wr0ng"));
    aff_harness_close(&h);
}

static const char *oauth_for(const char *token_path)
{
    static char more[512];

    (void)snprintf(more, sizeof more, "batch_records = 1\nin_flight = 1\noauth = { url = \"http://127.0.0.1:%d/%s\", client = \"c:1\", secret = \"x&y\", scope = \"system/*.write\" }\n",
                   peer.port, token_path);
    return more;
}

TEST(a_token_is_asked_for_once_and_again_when_it_is_taken_back)
{
    struct aff_harness *h = open_to("revoke:3", oauth_for("token:3600"));

    push_many(h, 5, -1);
    settle(h);
    EXPECT_METRIC(h, "accepted", 5);
    assert_int_equal(requests_to("token:3600"), 2);
    assert_int_equal(requests_to("revoke:3"), 6); /* one of them twice */
    assert_non_null(strstr(got(), "grant_type=client_credentials&scope=system%2F%2A.write"));
    assert_non_null(strstr(got(), "\"Basic YyUzQTE6eCUyNnk=\"")); /* c%3A1:x%26y */
    finish(&h);
}

TEST(a_token_is_renewed_before_it_expires)
{
    struct aff_harness *h = open_to("valid", oauth_for("token:1"));

    (void)push_row(h, 80, "calm");
    settle(h);
    (void)poll(NULL, 0, 850); /* a fifth of a second before its end */
    (void)push_row(h, 81, "calm");
    settle(h);
    EXPECT_METRIC(h, "accepted", 2);
    for (double until = seconds_now() + PATIENCE_S; requests_to("token:1") < 2;)
        assert_true(seconds_now() < until && poll(NULL, 0, 2) == 0); /* beside the request */
    finish(&h);
}

TEST(a_token_server_without_tokens_is_named)
{
    struct aff_harness *h = open_to("ok", oauth_for("status:401"));

    (void)push_row(h, 80, "calm");
    expect_away(h, "refuses this client");
    assert_int_equal(requests_to("ok"), 0);
    aff_harness_close(&h);
}

/* ---- links ---- */

TEST(a_request_waits_for_a_link_and_what_goes_over_it_is_told)
{
    struct aff_harness *h = open_to("ok", "batch_records = 1\n");
    uint64_t sent, received, worked, failed;

    aff_harness_uplink_is(h, AFF_AGAIN, "", "");
    (void)push_row(h, 80, "calm");
    (void)poll(NULL, 0, 200);
    assert_int_equal(requests_to("ok"), 0);
    aff_harness_uplink_is(h, AFF_OK, "cell", "lo");
    settle(h);
    EXPECT_METRIC(h, "accepted", 1);
    assert_true(aff_harness_spent(h, &sent, &received));
    assert_true(sent > 200 && sent < 2000); /* the request, with its headers */
    assert_true(received > 30 && received < 1000);
    aff_harness_tried(h, &worked, &failed);
    assert_int_equal(worked, 1);
    assert_int_equal(failed, 0);
    finish(&h);
}

/* ---- the end ---- */

static void everything(void)
{
    struct aff_harness *h = aff_harness_open("out_http", toml_for("ok", "batch_records = 2\n"));

    (void)push_row(h, 80, "calm");
    settle(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(everything);
}

TEST(what_is_under_way_at_the_end_is_not_answered)
{
    struct aff_harness *h = open_to("slow:5000", "");

    (void)push_row(h, 80, "calm");
    for (double until = seconds_now() + PATIENCE_S; requests_to("slow:5000") == 0;)
        assert_true(seconds_now() < until && poll(NULL, 0, 2) == 0);
    assert_int_equal(aff_harness_unanswered(h), 1);
    aff_harness_close(&h);
}

int main(void)
{
    static const struct CMUnitTest *const tests[] = {
        what_failed_comes_again_marked_and_nothing_is_a_dead_letter,
        what_a_server_may_have_comes_again_as_it_was_with_its_key,
        records_that_come_back_have_their_reason,
        headers_without_end_are_no_answer,
        a_server_that_asks_for_time_is_given_it,
        an_answer_without_end_costs_no_memory,
        more_bytes_than_announced_do_not_become_the_next_answer,
        an_answer_before_the_request_was_read_counts,
        tokens_and_passwords_are_sent_and_what_is_refused_is_no_dead_letter,
        a_token_is_asked_for_once_and_again_when_it_is_taken_back,
        a_token_is_renewed_before_it_expires,
        a_token_server_without_tokens_is_named,
        a_request_waits_for_a_link_and_what_goes_over_it_is_told,
        each_host_call_may_fail_once,
        what_is_under_way_at_the_end_is_not_answered,
    };
    int rc;

    peer_start("http_server.py", NULL);
    rc = aff_test_run(tests, sizeof tests / sizeof tests[0]);
    peer_stop();
    return rc;
}
