/* test_out_s3.c - the sink beside a small store that checks each signature: what arrives, what is
 * refused, and what comes again.
 *
 * Not here: signatures, keys and documents alone (test_words.c), TLS (test_tls.c), a real store
 * and the whole command (tests/net/s3_check.py). */
#include "http/testing.h"

enum { PART = 5 << 20 };

static const char *toml_for(const char *bucket, const char *more)
{
    static char toml[4096];

    (void)snprintf(toml, sizeof toml,
                   "endpoint = \"http://127.0.0.1:%d\"\nbucket = \"%s\"\nregion = \"eu-test-1\"\naccess_key = \"AKIDEXAMPLE\"\n%s%s%s\n",
                   peer.port, bucket, strstr(more, "secret_key") ? "" : "secret_key = \"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\"\n",
                   strstr(more, "batch_time") ? "" : "batch_time = \"20ms\"\n", more);
    return toml;
}

static struct aff_harness *open_to(const char *bucket, const char *more)
{
    log_empty();
    return aff_harness_open("out_s3", toml_for(bucket, more));
}

static size_t requests_of(const char *kind)
{
    char part[64];

    (void)snprintf(part, sizeof part, "\"kind\": \"%s\"", kind);
    return count_of(got(), part);
}

/* What the store said last of itself. */
static const char *state(void)
{
    const char *last = NULL, *at;

    for (at = strstr(got(), "{\"objects\""); at; at = strstr(at + 1, "{\"objects\""))
        last = at;
    assert_non_null(last);
    return last;
}

/* Until the store says so: what is not waited for may still be under way. */
static void expect_state(struct aff_harness *h, const char *part)
{
    double until = seconds_now() + PATIENCE_S;

    while (!strstr(state(), part)) {
        (void)aff_harness_ready(h, 5);
        assert_true(seconds_now() < until);
    }
}

static void push_large(struct aff_harness *h, size_t size)
{
    char *bytes = malloc(size);

    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + i % 26 + i / 1000000 % 3);
    aff_harness_max_record(h, 64u << 20);
    (void)aff_harness_push(h, "in", "bytes", bytes, size);
    free(bytes);
}

/* ---- what arrives ---- */

TEST(a_batch_is_one_object_of_lines)
{
    struct aff_harness *h = open_to("ward", "batch_records = 3\nbatch_time = \"1h\"\nobject = \"ward 7/{subject}/{stream}/{id}{suffix}\"\n");

    push_many(h, 3, -1);
    settle(h);
    assert_int_equal(requests_of("put"), 1);
    assert_non_null(strstr(got(), "\"path\": \"/ward/ward%207/bed%21203/vitals/"));
    assert_non_null(strstr(got(), "\"key\": \"ward 7/bed!203/vitals/"));
    assert_non_null(strstr(got(), "-n3-"));
    assert_int_equal(count_of(got(), "\\\"subject\\\":\\\"bed 3\\\""), 3);
    assert_non_null(strstr(got(), "\\\"note\\\":\\\"calm\\\"}}\\n"));
    assert_non_null(strstr(got(), "\"content-type\": \"application/x-ndjson\""));
    assert_int_equal(count_of(got(), "\"problem\": null"), count_of(got(), "\"problem\":"));
    EXPECT_METRIC(h, "accepted", 3);
    finish(&h);
}

TEST(records_of_different_keys_are_different_objects)
{
    struct aff_harness *h = open_to("ward", "batch_time = \"50ms\"\nobject = \"{column:note}/{id}\"\nopen_objects = 2\n");

    aff_harness_cut(h, 8);
    for (int i = 0; i < 8; i++)
        (void)push_row(h, i, i % 2 ? "../up" : "");
    settle(h);
    assert_int_equal(requests_of("put"), 2);
    assert_int_equal(count_of(got(), "\"key\": \"!empty/"), 1);
    assert_int_equal(count_of(got(), "\"key\": \"!2E.!2Fup/"), 1);
    finish(&h);
}

TEST(an_object_is_as_its_options_say)
{
    struct aff_harness *h = open_to("ward", "format = \"csv\"\ncompress = \"gzip\"\nstorage_class = \"STANDARD_IA\"\nsse = \"aws:kms\"\n"
                                            "sse_key = \"k-1\"\nchecksum = true\nsession_token = \"session/token+1==\"\n"
                                            "headers = { X-Amz-Meta-Station = \"7  b\", Cache-Control = \"no-store\" }\n");

    push_many(h, 2, -1);
    settle(h);
    assert_int_equal(requests_of("put"), 1);
    assert_non_null(strstr(got(), "time,subject,stream,id,heart_rate [/min],note\\n"));
    assert_non_null(strstr(got(), ".csv.gz\""));
    assert_non_null(strstr(got(), "\"content-encoding\": \"gzip\""));
    assert_non_null(strstr(got(), "\"x-amz-storage-class\": \"STANDARD_IA\""));
    assert_non_null(strstr(got(), "\"x-amz-server-side-encryption-aws-kms-key-id\": \"k-1\""));
    assert_non_null(strstr(got(), "\"x-amz-meta-station\": \"7  b\""));
    assert_non_null(strstr(got(), "\"cache-control\": \"no-store\""));
    assert_non_null(strstr(got(), "\"x-amz-checksum-sha256\""));
    assert_non_null(strstr(got(), "\"x-amz-security-token\""));
    EXPECT_METRIC(h, "accepted", 2);
    finish(&h);
}

TEST(a_payload_is_put_as_it_is_and_the_bucket_may_stand_in_front)
{
    char toml[512];
    struct aff_harness *h;

    log_empty();
    (void)snprintf(toml, sizeof toml, "endpoint = \"http://localhost:%d/\"\naddressing = \"virtual\"\nallow_plain = true\n"
                                      "format = \"raw\"\ncontent_type = \"application/hl7-v2\"\n", peer.port);
    h = aff_harness_open("out_s3", strstr(toml_for("front", toml), "\n") + 1);
    (void)aff_harness_push(h, "in", "bytes", "MSH|^~", 6);
    (void)aff_harness_push(h, "in", "bytes", "", 0);
    settle(h);
    assert_int_equal(requests_of("put"), 2);
    assert_non_null(strstr(got(), "\"host\": \"front.localhost:"));
    assert_null(strstr(got(), "\"path\": \"/front"));
    assert_non_null(strstr(got(), "\"body\": \"MSH|^~\""));
    assert_non_null(strstr(got(), ".bin\""));
    EXPECT_METRIC(h, "accepted", 2);
    finish(&h);
}

static void one_record(void)
{
    struct aff_harness *h = open_to("ward", "format = \"raw\"\nbatch_time = \"0s\"\nin_flight = 1\nopen_objects = 1\n");

    if (!h)
        return;
    (void)aff_harness_push(h, "in", "bytes", "x", 1);
    settle(h);
    EXPECT_METRIC(h, "accepted", 1);
    aff_harness_close(&h);
}

TEST(a_host_call_that_fails_once_costs_no_record)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(one_record);
}

/* ---- in parts ---- */

TEST(a_large_object_goes_in_parts)
{
    struct aff_harness *h = open_to("large", "format = \"raw\"\npart_bytes = \"5MiB\"\nchecksum = true\nstorage_class = \"GLACIER\"\n");

    push_large(h, 2 * PART + 17);
    push_large(h, PART);
    settle(h);
    assert_int_equal(requests_of("create"), 1);
    assert_int_equal(requests_of("part"), 3);
    assert_int_equal(requests_of("complete"), 1);
    assert_int_equal(requests_of("put"), 1);
    assert_int_equal(count_of(got(), "\"x-amz-storage-class\""), 2);
    assert_int_equal(count_of(got(), "\"problem\": null"), count_of(got(), "\"problem\":"));
    assert_non_null(strstr(state(), "{\"objects\": 2, \"uploads\": 0"));
    EXPECT_METRIC(h, "parts", 3);
    EXPECT_METRIC(h, "accepted", 2);
    finish(&h);
}

/* What fails of an upload is sent again alone: a part, the end, an end that says 200 and is an
 * error, or nonsense. An upload whose beginning is nonsense, or that is gone, begins anew. */
TEST(an_upload_goes_on_or_begins_anew_whatever_is_answered)
{
    static const char *const buckets[] = { "fail-500-InternalError.only-part", "fail-503-SlowDown.only-complete", "complain.only-complete",
                                           "garbage.only-complete",            "garbage.only-create",             "bomb.only-create",
                                           "fail-404-NoSuchUpload.only-part" };
    struct aff_harness *h[7];

    log_empty();
    for (int i = 0; i < 7; i++) {
        h[i] = aff_harness_open("out_s3", toml_for(buckets[i], "format = \"raw\"\npart_bytes = \"5MiB\"\n"));
        push_large(h[i], PART + 1);
    }
    for (int i = 0; i < 7; i++) {
        settle(h[i]);
        EXPECT_METRIC(h[i], "accepted", 1);
        EXPECT_DEAD(h[i], 0);
        finish(&h[i]);
    }
    assert_int_equal(requests_of("create"), 7 + 3);
    assert_int_equal(requests_of("part"), 2 * 7 + 2);
    assert_int_equal(requests_of("complete"), 7 + 3);
}

/* ---- what others left ---- */

static void wait_for(struct aff_harness *h, const char *kind, size_t count)
{
    double until = seconds_now() + PATIENCE_S;

    while (requests_of(kind) < count) {
        (void)aff_harness_ready(h, 5);
        assert_true(seconds_now() < until);
    }
}

TEST(unfinished_uploads_are_taken_away_when_they_are_old_and_ours)
{
    struct aff_harness *h = open_to("old", "object = \"ward/{id}.bin\"\nformat = \"raw\"\n");

    wait_for(h, "abort", 2);
    (void)aff_harness_push(h, "in", "bytes", "x", 1);
    settle(h);
    assert_int_equal(requests_of("abort"), 2);
    expect_state(h, "\"uploads\": 1");
    assert_null(strstr(got(), "\"path\": \"/old/ward/stranger.iso?"));
    finish(&h);
    h = open_to("young", "object = \"ward/{id}.bin\"\nformat = \"raw\"\n");
    (void)aff_harness_push(h, "in", "bytes", "x", 1);
    wait_for(h, "list", 3);
    settle(h);
    assert_int_equal(requests_of("abort"), 0);
    finish(&h);
    h = open_to("young", "object = \"ward/{id}.bin\"\nformat = \"raw\"\nabort_after = \"0s\"\n");
    (void)aff_harness_push(h, "in", "bytes", "y", 1);
    settle(h); /* which waits for the sweep */
    assert_int_equal(requests_of("abort"), 2);
    EXPECT_METRIC(h, "aborted", 2);
    expect_state(h, "\"uploads\": 1");
    finish(&h);
}

/* An upload breaks off while others are taken away: all are, each once. */
TEST(an_upload_that_breaks_off_meanwhile_is_taken_away_as_well)
{
    struct aff_harness *h = open_to("old.slow-40.fail-404-NoSuchUpload.only-part",
                                    "object = \"ward/{id}.bin\"\nformat = \"raw\"\npart_bytes = \"5MiB\"\n");

    push_large(h, PART + 1);
    settle(h);
    expect_state(h, "\"uploads\": 1");
    wait_for(h, "abort", 3);
    (void)aff_harness_ready(h, 0);
    EXPECT_METRIC(h, "accepted", 1);
    assert_int_equal(requests_of("abort"), 3);
    finish(&h);
}

TEST(a_request_waits_for_a_link_and_what_goes_over_it_is_told)
{
    struct aff_harness *h = open_to("ward", "");
    uint64_t sent, received, worked, failed;

    wait_for(h, "list", 1);
    aff_harness_uplink_is(h, AFF_AGAIN, "", "");
    push_many(h, 1, -1);
    (void)aff_harness_unanswered(h);
    (void)poll(NULL, 0, 200);
    assert_int_equal(requests_of("put"), 0);
    aff_harness_uplink_is(h, AFF_OK, "cell", "lo");
    settle(h);
    EXPECT_METRIC(h, "accepted", 1);
    assert_true(aff_harness_spent(h, &sent, &received));
    assert_true(sent > 500 && sent < 4000); /* the request, with its headers */
    assert_true(received > 50 && received < 1500);
    aff_harness_tried(h, &worked, &failed);
    assert_in_range(worked, 1, 2); /* the list as well, if the change of links cut it short */
    assert_int_equal(failed, 0);
    finish(&h);
}

TEST(a_store_that_fails_on_its_list_alone_is_written_to_in_peace)
{
    struct aff_harness *h = open_to("fail-503-SlowDown.only-list.times-0", "batch_records = 1\n");

    wait_for(h, "list", 1);
    push_many(h, 3, -1);
    settle(h);
    EXPECT_METRIC(h, "accepted", 3);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, "trying again"), 0);
    finish(&h);
}

TEST(a_store_that_lets_nothing_be_listed_is_written_to_all_the_same)
{
    struct aff_harness *h = open_to("fail-403-AccessDenied.only-list", "abort_after = \"0s\"\n");

    push_many(h, 1, -1);
    settle(h);
    EXPECT_METRIC(h, "accepted", 1);
    EXPECT_LOG(h, AFF_LOG_WARN, "s3:ListBucketMultipartUploads");
    finish(&h);
}

/* ---- again ---- */

TEST(what_is_sent_again_overwrites_itself)
{
    struct aff_harness *h = open_to("halfway", "batch_records = 3\nbatch_time = \"1h\"\n");

    push_many(h, 3, -1);
    settle(h);
    assert_int_equal(requests_of("put"), 2);
    assert_non_null(strstr(state(), "{\"objects\": 1,"));
    assert_non_null(strstr(state(), "\": 2}"));
    EXPECT_METRIC(h, "accepted", 3);
    EXPECT_DEAD(h, 0);
    finish(&h);
}

TEST(a_store_that_asks_for_time_is_given_it)
{
    struct aff_harness *h = open_to("fail-503-SlowDown.after-2", "retry_after_most = \"1s\"\n");
    double began = seconds_now();

    push_many(h, 1, -1);
    expect_away(h, "(SlowDown)");
    settle(h);
    assert_true(seconds_now() - began > 0.98);
    EXPECT_METRIC(h, "accepted", 1);
    finish(&h);
}

static void expect_waits(const char *bucket, const char *more, const char *words)
{
    struct aff_harness *h = open_to(bucket, more);

    push_many(h, 2, -1);
    expect_away(h, words);
    EXPECT_DEAD(h, 0);
    EXPECT_METRIC(h, "accepted", 0);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, "AKID"), 0);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, "127.0.0.1"), 0);
    aff_harness_close(&h);
}

TEST(what_is_wrong_with_the_way_is_said_and_records_wait)
{
    expect_waits("ward", "secret_key = \"another\"\n", "check secret_key");
    expect_waits("ward", "session_token = \"another\"\n", "session token");
    expect_waits("fail-403-RequestTimeTooSkewed.times-0", "", "this machine's clock is wrong");
    expect_waits("fail-404-NoSuchBucket.times-0", "", "the bucket is not there");
    expect_waits("garbage.only-put.times-0", "", "what answers is no S3 store");
    expect_waits("fail-301-PermanentRedirect.times-0", "", "check region and endpoint");
    expect_waits("fail-403-AccessDenied.times-0", "", "s3:PutObject");
}

/* ---- refused ---- */

TEST(what_the_store_refuses_for_its_size_becomes_a_dead_letter_alone)
{
    struct aff_harness *h = open_to("fail-400-EntityTooLarge.times-2", "batch_records = 4\nbatch_time = \"1h\"\nobject = \"{id}\"\n");

    push_many(h, 4, -1);
    settle(h); /* all four, two of them, and then one after the other */
    EXPECT_METRIC(h, "split", 2);
    EXPECT_METRIC(h, "accepted", 4);
    finish(&h);
    h = open_to("fail-400-KeyTooLongError", "batch_records = 1\n");
    push_many(h, 2, -1);
    settle(h);
    EXPECT_DEAD(h, 1);
    EXPECT_METRIC(h, "accepted", 1);
    EXPECT_METRIC(h, "refused", 1);
    finish(&h);
}

#define GOOD "bucket = \"ward\"\naccess_key = \"A\"\nsecret_key = \"b\"\n"

TEST(what_cannot_work_is_refused_beforehand)
{
    assert_null(aff_harness_check("out_s3", GOOD));
    assert_null(aff_harness_check("out_s3", GOOD "endpoint = \"https://store.example:9000/\""));
    EXPECT_REFUSED("out_s3", "bucket = \"a/b\"\naccess_key = \"A\"\nsecret_key = \"b\"\n", "is no bucket's name");
    EXPECT_REFUSED("out_s3", "bucket = \"..\"\naccess_key = \"A\"\nsecret_key = \"b\"\n", "is no bucket's name");
    EXPECT_REFUSED("out_s3", "bucket = \"ward\"\naccess_key = \"A/B\"\nsecret_key = \"b\"\n", "access_key");
    EXPECT_REFUSED("out_s3", "bucket = \"ward\"\naccess_key = \"A\"\nsecret_key = \"b\\n\"\n", "secret_key");
    EXPECT_REFUSED("out_s3", GOOD "region = \"eu/1\"", "is no region");
    EXPECT_REFUSED("out_s3", GOOD "endpoint = \"http://store.example\"", "plain http");
    EXPECT_REFUSED("out_s3", GOOD "endpoint = \"https://store.example/path\"", "without a path");
    EXPECT_REFUSED("out_s3", GOOD "endpoint = \"https://me:x@store.example\"", "is no URL of a store");
    EXPECT_REFUSED("out_s3", GOOD "endpoint = \"store.example\"", "is no URL of a store");
    EXPECT_REFUSED("out_s3", GOOD "object = \"{subject}\"", "has no {id}");
    EXPECT_REFUSED("out_s3", GOOD "object = \"../{id}\"", "step of points");
    EXPECT_REFUSED("out_s3", GOOD "sse_key = \"k\"", "aws:kms");
    EXPECT_REFUSED("out_s3", GOOD "headers = { X-Amz-Date = \"x\" }", "set by this sink");
    EXPECT_REFUSED("out_s3", GOOD "headers = { X-A = \"x\\ny\" }", "more than one line");
    EXPECT_REFUSED("out_s3", GOOD "content_type = \"a\\nb\"", "more than one line");
}

TEST(what_could_only_become_dead_letters_is_said_beforehand)
{
    const struct aff_shape in = { .struct_size = sizeof in, .schema = &vitals };

    assert_null(aff_harness_shape("out_s3", GOOD "object = \"{column:note}/{id}\"", &in, 1, NULL));
    assert_non_null(strstr(aff_harness_shape("out_s3", GOOD "object = \"{column:nope}/{id}\"", &in, 1, NULL), "column"));
    assert_non_null(strstr(aff_harness_shape("out_s3", GOOD "format = \"raw\"", &in, 1, NULL), "raw puts payloads"));
}

int main(void)
{
    static const struct CMUnitTest *const tests[] = {
        a_batch_is_one_object_of_lines,
        records_of_different_keys_are_different_objects,
        an_object_is_as_its_options_say,
        a_payload_is_put_as_it_is_and_the_bucket_may_stand_in_front,
        a_host_call_that_fails_once_costs_no_record,
        a_large_object_goes_in_parts,
        an_upload_goes_on_or_begins_anew_whatever_is_answered,
        unfinished_uploads_are_taken_away_when_they_are_old_and_ours,
        an_upload_that_breaks_off_meanwhile_is_taken_away_as_well,
        a_request_waits_for_a_link_and_what_goes_over_it_is_told,
        a_store_that_fails_on_its_list_alone_is_written_to_in_peace,
        a_store_that_lets_nothing_be_listed_is_written_to_all_the_same,
        what_is_sent_again_overwrites_itself,
        a_store_that_asks_for_time_is_given_it,
        what_is_wrong_with_the_way_is_said_and_records_wait,
        what_the_store_refuses_for_its_size_becomes_a_dead_letter_alone,
        what_cannot_work_is_refused_beforehand,
        what_could_only_become_dead_letters_is_said_beforehand,
    };
    int rc;

    peer_start("fake_s3.py", NULL);
    rc = aff_test_run(tests, sizeof tests / sizeof tests[0]);
    peer_stop();
    return rc;
}
