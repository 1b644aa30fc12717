/* test_tls.c - whom the sink believes: fourteen servers that it must not, three that it
 * may. Nothing of a request reaches one of the former. */
#include "http/testing_tls.h"
#include "test_peer.h"

static struct aff_harness *sink_to(const char *name, const char *more)
{
    char toml[2048];

    log_empty();
    (void)snprintf(toml, sizeof toml, "url = \"https://localhost:%d/in\"\nbatch_time = \"0s\"\nca = \"%s/ca.pem\"\n%s\n",
                   port_of(name), folder, more);
    return aff_harness_open("out_http", toml);
}

static void expect_refused(const char *name, const char *more, const char *words)
{
    struct aff_harness *h = sink_to(name, more);

    (void)push_row(h, 80, "calm");
    expect_away(h, words);
    if (*got())
        fail_msg("%s got a request", name);
    EXPECT_DEAD(h, 0);
    EXPECT_METRIC(h, "accepted", 0);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, "localhost"), 0);
    aff_harness_close(&h);
}

static void expect_believed(const char *name, const char *more)
{
    struct aff_harness *h = sink_to(name, more);

    (void)push_row(h, 80, "calm");
    settle(h);
    EXPECT_METRIC(h, "accepted", 1);
    assert_int_equal(count_of(got(), name), 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(who_does_not_prove_who_it_is_gets_nothing)
{
    static const char *const names[] = { "expired",  "not_yet_valid", "wrong_host", "self_signed",
                                         "wrong_ca", "client_only",   "no_chain",   "false_ca" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        expect_refused(names[i], "", "does not prove who it is");
}

/* Where the refusal is noticed, by certificate or by handshake, is the TLS library's. */
TEST(who_is_weak_gets_nothing)
{
    expect_refused("weak_key", "", ";");
    expect_refused("weak_signature", "", ";");
    expect_refused("tls11", "", "TLS 1.2 or later");
}

TEST(who_speaks_no_tls_or_half_of_it_gets_nothing)
{
    expect_refused("truncating", "", "");
    expect_refused("plain", "", "no secure connection");
}

TEST(half_an_answer_is_none)
{
    struct aff_harness *h = sink_to("cut", "");

    (void)push_row(h, 80, "calm");
    expect_away(h, "before the answer was whole");
    EXPECT_METRIC(h, "accepted", 0);
    aff_harness_close(&h);
}

TEST(who_proves_it_gets_records)
{
    expect_believed("good", "");
    expect_believed("tls13", "");
}

TEST(a_client_with_a_certificate_is_let_in_and_one_without_is_not)
{
    char more[600];

    expect_refused("client_cert", "", "");
    (void)snprintf(more, sizeof more, "cert = \"%s/client.pem\"\nkey = \"%s/client.key\"", folder, folder);
    expect_believed("client_cert", more);
}

TEST(a_certificate_that_is_none_is_said_to_be_so)
{
    char more[600];

    (void)snprintf(more, sizeof more, "cert = \"%s/ports\"\nkey = \"%s/client.key\"", folder, folder);
    expect_refused("client_cert", more, "check cert, key and key_password");
}

TEST(verification_is_skipped_only_on_demand_and_that_is_told)
{
    struct aff_harness *h = sink_to("expired", "skip_verification = true");

    (void)push_row(h, 80, "calm");
    settle(h);
    EXPECT_METRIC(h, "accepted", 1);
    EXPECT_LOG(h, AFF_LOG_WARN, "skip_verification: any server is believed");
    aff_harness_close(&h);
    assert_non_null(strstr(aff_harness_notes("out_http", "url = \"https://x/\"\nskip_verification = true\nallow_plain = true"),
                           "skip_verification: any server is believed"));
    assert_non_null(strstr(aff_harness_notes("out_http", "url = \"http://x/\"\nallow_plain = true"), "allow_plain: what is sent"));
    assert_null(aff_harness_notes("out_http", "url = \"https://x/\""));
}

TEST(a_format_that_cannot_be_made_of_what_comes_is_refused)
{
    const struct aff_shape rows = { .struct_size = sizeof rows, .schema = &vitals };
    const struct aff_shape *outputs;
    const char *said = aff_harness_shape("out_http", "url = \"https://x/\"\nformat = \"raw\"", &rows, 1, &outputs);

    assert_non_null(said);
    assert_non_null(strstr(said, "have no bytes of their own"));
    assert_null(aff_harness_shape("out_http", "url = \"https://x/\"\nformat = \"fhir\"", &rows, 1, &outputs));
}

TEST(options_that_give_data_away_are_refused)
{
    EXPECT_REFUSED("out_http", "url = \"http://cloud.example/in\"", "plain http to another machine");
    EXPECT_REFUSED("out_http", "url = \"http://127.example.org/in\"", "plain http to another machine");
    EXPECT_REFUSED("out_http", "url = \"https://a:b@cloud.example/in\"", "has a user in it");
    EXPECT_REFUSED("out_http", "url = \"ftp://cloud.example/in\"", "is no URL of a server");
    EXPECT_REFUSED("out_http", "url = \"cloud\"", "is no URL of a server");
    EXPECT_REFUSED("out_http", "url = \"https://x/\"\nheaders = { X-A = \"1\\r\\nHost: y\" }", "more than one line");
    EXPECT_REFUSED("out_http", "url = \"https://x/\"\nheaders = { \"X A\" = \"1\" }", "a name that is none");
    EXPECT_REFUSED("out_http", "url = \"https://x/\"\nheaders = { Content-Length = \"1\" }", "set by this sink");
    EXPECT_REFUSED("out_http", "url = \"https://x/\"\ntoken = \"a\"\nuser = \"b\"", "several ways");
    EXPECT_REFUSED("out_http", "url = \"https://x/\"\npassword = \"b\"", "without user");
    EXPECT_REFUSED("out_http", "url = \"https://x/\"\noauth = { url = \"http://y/\", client = \"c\", secret = \"d\" }",
                   "plain http to another machine");
    EXPECT_REFUSED("out_http", "url = \"https://x/\"\nanswer = { rows = \".a\" }", "no list of keys");
    EXPECT_REFUSED("out_http", "url = \"https://x/\"\nanswer = { rows = \"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a\" }",
                   "no list of keys");
    EXPECT_REFUSED("out_http", "url = \"http://127.0.0.1:1/\"\nproxy = \"http://proxy.example:3128\"", "by way of a proxy");
    assert_null(aff_harness_check("out_http", "url = \"http://127.0.0.1:1/\"\nproxy = \"http://127.0.0.1:2\""));
    assert_null(aff_harness_check("out_http", "url = \"http://127.0.0.1:1/\""));
    assert_null(aff_harness_check("out_http", "url = \"http://cloud.example/\"\nallow_plain = true"));
}

int main(void)
{
    static const struct CMUnitTest *const tests[] = {
        who_does_not_prove_who_it_is_gets_nothing,
        who_is_weak_gets_nothing,
        who_speaks_no_tls_or_half_of_it_gets_nothing,
        half_an_answer_is_none,
        who_proves_it_gets_records,
        a_client_with_a_certificate_is_let_in_and_one_without_is_not,
        a_certificate_that_is_none_is_said_to_be_so,
        verification_is_skipped_only_on_demand_and_that_is_told,
        a_format_that_cannot_be_made_of_what_comes_is_refused,
        options_that_give_data_away_are_refused,
    };
    int rc;

    tls_start();
    rc = aff_test_run(tests, sizeof tests / sizeof tests[0]);
    tls_stop();
    return rc;
}
