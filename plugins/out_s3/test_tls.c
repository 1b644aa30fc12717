/* test_tls.c - whom the sink believes. How is out_http's, and all fourteen bad servers are in its
 * tests; here is shown that the same rules hold, and that nothing is signed for a stranger. */
#include "http/testing_tls.h"

static struct aff_harness *sink_to(const char *name, const char *more)
{
    char toml[2048];

    log_empty();
    (void)snprintf(toml, sizeof toml,
                   "endpoint = \"https://localhost:%d\"\nbucket = \"ward\"\naccess_key = \"A\"\nsecret_key = \"b\"\n"
                   "batch_time = \"0s\"\nca = \"%s/ca.pem\"\n%s\n", port_of(name), folder, more);
    return aff_harness_open("out_s3", toml);
}

static void expect_refused(const char *name, const char *words)
{
    struct aff_harness *h = sink_to(name, "");

    (void)push_row(h, 80, "calm");
    expect_away(h, words);
    if (*got())
        fail_msg("%s got a request", name);
    EXPECT_DEAD(h, 0);
    EXPECT_METRIC(h, "accepted", 0);
    aff_harness_close(&h);
}

static void expect_believed(const char *name, const char *more)
{
    struct aff_harness *h = sink_to(name, more);

    (void)push_row(h, 80, "calm");
    settle(h);
    EXPECT_METRIC(h, "accepted", 1);
    finish(&h);
}

TEST(who_does_not_prove_who_it_is_gets_nothing)
{
    expect_refused("expired", "does not prove who it is");
    expect_refused("wrong_host", "does not prove who it is");
    expect_refused("self_signed", "does not prove who it is");
    expect_refused("wrong_ca", "does not prove who it is");
    expect_refused("tls11", "TLS 1.2 or later");
    expect_refused("plain", "no secure connection");
}

TEST(who_proves_it_gets_records)
{
    char more[600];

    expect_believed("good", "");
    expect_believed("tls13", "");
    (void)snprintf(more, sizeof more, "cert = \"%s/client.pem\"\nkey = \"%s/client.key\"", folder, folder);
    expect_believed("client_cert", more);
}

TEST(verification_is_skipped_only_on_demand_and_that_is_told)
{
    struct aff_harness *h = sink_to("self_signed", "skip_verification = true");

    EXPECT_LOG(h, AFF_LOG_WARN, "skip_verification: any server is believed");
    (void)push_row(h, 80, "calm");
    settle(h);
    EXPECT_METRIC(h, "accepted", 1);
    finish(&h);
}

int main(void)
{
    static const struct CMUnitTest *const tests[] = {
        who_does_not_prove_who_it_is_gets_nothing,
        who_proves_it_gets_records,
        verification_is_skipped_only_on_demand_and_that_is_told,
    };
    int rc;

    tls_start();
    rc = aff_test_run(tests, sizeof tests / sizeof tests[0]);
    tls_stop();
    return rc;
}
