/* test_fhir.c - FHIR R4 Bundles beside tests/net/fake_fhir.py, which checks each entry
 * by the specification and knows by its identifier what came before. */
#include "test_peer.h"

static struct aff_harness *sink_to(const char *path, const char *more)
{
    char toml[1024];

    log_empty();
    (void)snprintf(toml, sizeof toml, "format = \"fhir\"\n%s", more);
    return aff_harness_open("out_http", toml_for(path, toml));
}

static void finish_well(struct aff_harness **h)
{
    if (strstr(got(), "\"bad\""))
        fail_msg("%s", got());
    EXPECT_BALANCED(*h);
    aff_harness_close(h);
}

TEST(rows_and_samples_become_observations)
{
    static const struct aff_column one[] = { { .name = "spo2", .type = AFF_INT, .unit = "%", .code = "59408-5" } };
    static const struct aff_schema alone = { .struct_size = sizeof alone, .type = AFF_FIELDS, .name = "spo2", .columns = one,
                                             .count = 1, .stride = sizeof one[0] };
    struct aff_harness *h = sink_to("fhir", "batch_records = 20\nfhir = { code = \"85353-1\", subject_system = \"urn:beds\", system = \"urn:a,b|c\" }");
    uint32_t stream = aff_harness_stream(h, "bed \"4\"", "spo2", &alone);
    int16_t wave[] = { 100, INT16_MIN, -100, 0 };

    push_many(h, 2, -1);
    (void)AFF_PUSH_ROW(h, "in", stream, AFF_CELL_INT(97));
    (void)AFF_PUSH_ROW(h, "in", stream, AFF_CELL_NONE);
    (void)aff_harness_push(h, "in", "samples/i16", wave, sizeof wave);
    settle(h);
    EXPECT_DEAD(h, 0);
    EXPECT_METRIC(h, "accepted", 5);
    assert_int_equal(count_of(got(), ", true]"), 5);
    assert_non_null(strstr(got(), "\"prefer\": \"return=minimal\""));
    finish_well(&h);
}

TEST(bytes_are_no_observations)
{
    struct aff_harness *h = sink_to("fhir", "");

    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", "x", 1), AFF_ERR_DATA);
    EXPECT_DEAD(h, 1);
    EXPECT_CAUSE(h, "no observations");
    finish_well(&h);
}

TEST(entries_that_are_refused_become_dead_letters_alone)
{
    struct aff_harness *h = sink_to("partial:POISON:422", "batch_records = 3\nfhir = { bundle = \"batch\" }");

    push_many(h, 3, 1);
    settle(h);
    EXPECT_DEAD(h, 1);
    EXPECT_METRIC(h, "accepted", 2);
    EXPECT_METRIC(h, "requests", 1);
    EXPECT_LOG(h, AFF_LOG_WARN, "(422)");
    finish_well(&h);
}

TEST(a_transaction_that_is_refused_is_cut_until_the_bad_entry_is_alone)
{
    struct aff_harness *h = sink_to("all_or_none:POISON", "batch_records = 16");

    push_many(h, 16, 11);
    settle(h);
    EXPECT_DEAD(h, 1);
    EXPECT_METRIC(h, "accepted", 15);
    assert_int_equal(count_of(got(), ", true]"), 15);
    assert_int_equal(count_of(got(), ", false]"), 0);
    finish_well(&h);
}

TEST(an_answer_that_is_cut_costs_no_record_and_stores_none_twice)
{
    struct aff_harness *h = sink_to("cut", "batch_records = 3\nbatch_time = \"200ms\"");

    push_many(h, 3, -1);
    settle(h);
    EXPECT_DEAD(h, 0);
    EXPECT_METRIC(h, "accepted", 3);
    assert_int_equal(count_of(got(), ", true]"), 3);
    assert_int_equal(count_of(got(), ", false]"), 3); /* it had them, and knew them again */
    assert_int_equal(count_of(got(), "\"afferent-resent\": \"1\""), 1);
    finish_well(&h);
}

TEST(an_answer_that_does_not_say_what_became_of_each_is_none)
{
    static const char *const paths[] = { "fewer", "outcome" };

    for (int i = 0; i < 2; i++) {
        struct aff_harness *h = sink_to(paths[i], "batch_records = 3");

        push_many(h, 3, -1);
        expect_away(h, "does not say what became of each record");
        EXPECT_METRIC(h, "accepted", 0);
        EXPECT_DEAD(h, 0);
        aff_harness_close(&h);
    }
}

int main(void)
{
    static const struct CMUnitTest *const tests[] = {
        rows_and_samples_become_observations,
        bytes_are_no_observations,
        entries_that_are_refused_become_dead_letters_alone,
        a_transaction_that_is_refused_is_cut_until_the_bad_entry_is_alone,
        an_answer_that_is_cut_costs_no_record_and_stores_none_twice,
        an_answer_that_does_not_say_what_became_of_each_is_none,
    };
    int rc;

    peer_start("fake_fhir.py", NULL);
    rc = aff_test_run(tests, sizeof tests / sizeof tests[0]);
    peer_stop();
    return rc;
}
