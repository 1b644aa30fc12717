/* test_out_mail.c - the sink beside a scripted mail server: what arrives, what comes
 * again, what is refused, and whom it believes.
 *
 * Not here: how a mail looks (test_letter.c), a real mail server (tests/net/mail.py). */
#include "test_peer.h"

#define ONE "\"anna@example.org\""

/* ---- what arrives ---- */

static void one_mail(const char *name, const char *more)
{
    struct aff_harness *h = open_to(name, ONE, more);

    (void)push(h, "high", "heart rate 131", "00ff00ff00000001");
    settle(h);
    assert_int_equal(count_of(got(), "\"to\": \"anna@example.org\""), 1);
    assert_int_equal(count_of(got(), "Subject: high bed 3: heart rate 131 (raised)"), 1);
    assert_int_equal(count_of(got(), "Auto-Submitted: auto-generated"), 1);
    EXPECT_METRIC(h, "mails", 1);
    EXPECT_METRIC(h, "told", 1);
    EXPECT_BALANCED(h);
    leave(&h);
}

TEST(an_alert_arrives_by_starttls_with_a_password)
{
    one_mail("good", WARD);
    assert_int_equal(count_of(got(), "\"tls\": false"), 0);
    assert_int_equal(count_of(got(), "\"password\": \"geheim\""), 1);
    assert_int_equal(count_of(got(), "References: <alert.00ff00ff00000001@example.org>"), 1);
    assert_int_equal(count_of(got(), "Importance: high"), 1);
}

TEST(tls_from_the_start_no_password_and_no_tls_here)
{
    one_mail("direct", WARD);
    one_mail("open", "hello = \"node7.example.org\"\n");
    one_mail("plain", "tls = \"none\"\n");
    assert_int_equal(count_of(got(), "\"tls\": false"), 1);
}

TEST(alerts_of_one_moment_are_one_mail_the_gravest_first)
{
    struct aff_harness *h = open_to("open", ONE, "batch_records = 3\nbatch_time = \"1h\"\nbody = \"<{severity}> {text}\"\n");

    aff_harness_cut(h, 5);
    (void)push(h, "low", "one", "a1");
    (void)push(h, "technical", "two", "a2");
    (void)push(h, "high", "three", "a3");
    (void)push(h, "medium", "four", "a4");
    (void)push(h, "low", "five", "a5");
    settle(h);
    assert_int_equal(count_of(got(), "\"to\":"), 1);
    assert_non_null(strstr(got(), "Subject: high bed 3: three (raised) (and 4 more)"));
    assert_non_null(strstr(got(), "<high> three\\n<medium> four\\n<low> one\\n\\nand 2 more that are not listed: 1 low 1 technical"));
    EXPECT_METRIC(h, "told", 5);
    EXPECT_METRIC(h, "only_counted", 2);
    EXPECT_BALANCED(h);
    leave(&h);
}

TEST(a_flood_makes_longer_mails_and_not_more)
{
    struct aff_harness *h = open_to("open", ONE, "batch_time = \"0s\"\nmails_per_hour = 4\nbatch_records = 1\n");

    for (int i = 0; i < 39; i++) {
        (void)push(h, "low", "again", "a");
        if (i < 1)
            settle(h);
    }
    for (int i = 0; i < 10; i++)
        (void)aff_harness_ready(h, 5);
    assert_int_equal(count_of(got(), "\"to\":"), 1); /* half of the hour's at once, and one of these is kept */
    assert_int_equal(aff_harness_unanswered(h), 38);
    (void)push(h, "high", "now", "b"); /* for this, and it takes the others with it */
    settle(h);
    assert_int_equal(count_of(got(), "\"to\":"), 2);
    assert_non_null(strstr(got(), "Subject: high bed 3: now (raised) (and 38 more)"));
    (void)push(h, "high", "again", "a");
    (void)push(h, "high", "again", "a");
    aff_harness_restart(h); /* what waits is offered again: one mail or two */
    settle(h);
    assert_true(count_of(got(), "\"to\":") <= 4);
    assert_int_equal(count_of(got(), "X-Afferent-Resent: 1"), count_of(got(), "\"to\":") - 2);
    EXPECT_METRIC(h, "told", 42);
    EXPECT_BALANCED(h);
    leave(&h);
}

/* ---- what comes again, what is refused ---- */

TEST(each_address_has_its_own_outcome)
{
    struct aff_harness *h = open_to("open", "\"gone1@example.org\", \"later1@example.org\", \"ok1@example.org\", \"big1@example.org\"", "");

    (void)push(h, "high", "x", "a1");
    settle(h);
    assert_int_equal(count_of(got(), "\"to\": \"ok1@"), 1);
    assert_int_equal(count_of(got(), "\"to\": \"later1@"), 1);
    assert_int_equal(count_of(got(), "\"to\":"), 2);
    EXPECT_METRIC(h, "refused", 2);
    EXPECT_METRIC(h, "mails", 2);
    EXPECT_METRIC(h, "later", 2);
    EXPECT_DEAD(h, 0);
    EXPECT_LOG(h, AFF_LOG_WARN, "to[0] is refused by the mail server (550)");
    EXPECT_LOG(h, AFF_LOG_WARN, "to[3] is refused by the mail server (552)");
    EXPECT_BALANCED(h);
    leave(&h);
}

TEST(what_all_refuse_is_a_dead_letter_with_the_code)
{
    struct aff_harness *h = open_to("open", "\"gone2@example.org\", \"gone3@example.org\"", "");

    (void)push(h, "high", "x", "a1");
    settle(h);
    EXPECT_DEAD(h, 1);
    EXPECT_VERDICT(h, "refused", 1);
    assert_string_equal(aff_harness_answer(h), "SMTP 550");
    leave(&h);
    h = open_to("mail_550", ONE, WARD);
    (void)push(h, "high", "x", "a1");
    settle(h);
    EXPECT_DEAD(h, 1);
    leave(&h);
}

TEST(an_address_that_is_full_keeps_nothing_from_the_others)
{
    struct aff_harness *h = open_to("open", "\"full1@example.org\", \"ok4@example.org\"", "batch_records = 1\n");
    double until = seconds_now() + PATIENCE_S;
    char part[32];

    for (int i = 0; i < 12; i++) { /* more than can be under way */
        (void)push(h, "high", "x", "a1");
        (void)snprintf(part, sizeof part, "\"to\": \"ok4@");
        while (count_of(got(), part) < (size_t)i + 1) {
            (void)aff_harness_ready(h, 5);
            (void)aff_harness_retry(h);
            assert_true(seconds_now() < until);
        }
    }
    EXPECT_LOG(h, AFF_LOG_WARN, "could not take a mail in time");
    assert_true(aff_harness_unanswered(h) <= 8);
    leave(&h);
    h = open_to("open", "\"full2@example.org\"", "retry_for = \"0s\"\n");
    (void)push(h, "high", "x", "a1");
    settle(h);
    EXPECT_DEAD(h, 1);
    assert_string_equal(aff_harness_answer(h), "SMTP 452");
    leave(&h);
    h = open_to("open", "\"full3@example.org\", \"cut2@example.org\"", "retry_for = \"300ms\"\n");
    (void)push(h, "high", "x", "a1");
    settle(h);
    EXPECT_LOG(h, AFF_LOG_WARN, "to[0] cannot take mails now (452)");
    EXPECT_LOG(h, AFF_LOG_WARN, "hangs up or falls silent over to[1]");
    leave(&h);
}

TEST(an_address_over_which_the_server_hangs_or_hangs_up_keeps_nothing_from_the_others)
{
    struct aff_harness *h = open_to("plain", "\"mute1@example.org\", \"cut1@example.org\", \"busy1@example.org\", \"ok5@example.org\"",
                                    "tls = \"none\"\nbatch_records = 1\ntimeout = \"300ms\"\n");

    for (size_t i = 1; i <= 2; i++) {
        EXPECT_STATUS(push(h, "high", "x", "a1"), AFF_OK);
        expect_got(h, "\"to\": \"ok5@", i);
    }
    EXPECT_DEAD(h, 0);
    leave(&h);
}

TEST(the_time_in_which_the_server_is_away_does_not_count_for_an_address)
{
    struct aff_harness *h = open_to("away_once", "\"grey1@example.org\"", "retry_for = \"300ms\"\n");

    (void)push(h, "high", "x", "a1"); /* away for 375 ms or more, then greylisted */
    settle(h);
    EXPECT_DEAD(h, 0);
    EXPECT_METRIC(h, "failed", 1);
    EXPECT_METRIC(h, "later", 1);
    EXPECT_METRIC(h, "mails", 1);
    leave(&h);
}

TEST(a_server_that_takes_its_time_gets_it_and_few_mails_twice)
{
    struct aff_harness *h = open_to("plain", "\"slow1@example.org\"", "tls = \"none\"\ntimeout = \"400ms\"\n");

    (void)push(h, "high", "x", "a1");
    settle(h);
    assert_in_range(count_of(got(), "\"to\": \"slow1@"), 1, 3);
    EXPECT_METRIC(h, "mails", 1);
    leave(&h);
}

TEST(a_mail_that_was_taken_waits_for_no_farewell)
{
    double begun = seconds_now();
    struct aff_harness *h = open_to("quit_mute", ONE, "");

    (void)push(h, "high", "x", "a1");
    settle(h);
    EXPECT_METRIC(h, "mails", 1);
    assert_true(seconds_now() - begun < 30); /* of the minute that a mail has */
    leave(&h);
}

TEST(a_mail_whose_end_is_not_known_is_sent_again_as_the_same)
{
    struct aff_harness *h = open_to("open", "\"unsure1@example.org\", \"dropped_once1@example.org\"", "");
    const char *first, *second;

    (void)push(h, "high", "x", "a1");
    settle(h);
    assert_int_equal(count_of(got(), "\"to\": \"unsure1@"), 2);
    assert_int_equal(count_of(got(), "\"to\": \"dropped_once1@"), 1);
    first = strstr(got(), "Message-ID: <");
    second = strstr(first + 1, "Message-ID: <");
    assert_memory_equal(first, second, 40);
    EXPECT_DEAD(h, 0);
    EXPECT_BALANCED(h);
    leave(&h);
}

TEST(dots_and_hostile_bytes_change_nothing_but_their_own_line)
{
    struct aff_harness *h = open_to("open", ONE, "body = \"{text}\\n.\\n..{text}\"\n");

    (void)push(h, "high", "a\r\nBcc: evil@example.org\r\n.\r\nMAIL FROM:<x@y>\r\n\xff\xc3\xa4\xe2\x80\xae", "a\r\nX: y");
    settle(h);
    assert_int_equal(count_of(got(), "\"to\":"), 1);
    assert_null(strstr(got(), "\\nBcc:"));
    assert_null(strstr(got(), "References"));
    assert_non_null(strstr(got(), "\\na  Bcc: evil@example.org  .  MAIL FROM:<x@y>  =EF=BF=BD=C3=A4=20\\n.\\n..a"));
    leave(&h);
}

TEST(by_which_link_it_goes_and_what_that_costs_is_said)
{
    struct aff_harness *h = open_to("open", ONE, "");
    uint64_t sent = 0, received = 0, through = 0, failed = 0;
    double until = seconds_now() + PATIENCE_S;

    aff_harness_uplink_is(h, AFF_AGAIN, "", "");
    (void)push(h, "high", "x", "a1");
    for (int i = 0; i < 20; i++)
        (void)aff_harness_ready(h, 5);
    assert_int_equal(count_of(got(), "\"to\":"), 0);
    aff_harness_uplink_is(h, AFF_OK, "road", "");
    settle(h);
    assert_true(aff_harness_spent(h, &sent, &received));
    assert_true(sent > 1000 && received > 500); /* with TLS around it */
    aff_harness_tried(h, &through, &failed);
    assert_true(through == 1 && failed == 0);
    leave(&h);
    h = open_to("plain", "\"hang2@example.org\"", "tls = \"none\"\n");
    aff_harness_uplink_is(h, AFF_OK, "road", "");
    (void)push(h, "high", "x", "a1");
    expect_got(h, "\"to\": \"hang2@", 1);
    aff_harness_uplink_is(h, AFF_OK, "garage", ""); /* what was under way is given up, and goes by it */
    expect_got(h, "\"to\": \"hang2@", 2);
    leave(&h);
    h = aff_harness_open("out_mail", "url = \"smtp://localhost:1\"\nsender = \"a@b\"\nto = [\"c@d\"]\nbatch_time = \"0s\"");
    aff_harness_uplink_is(h, AFF_OK, "road", "");
    (void)push(h, "high", "x", "a1");
    expect_said(h, "nothing answers");
    aff_harness_uplink_is(h, AFF_OK, "garage", ""); /* by which it is tried at once */
    while (failed < 2) {
        (void)aff_harness_ready(h, 5);
        aff_harness_tried(h, &through, &failed);
        assert_true(seconds_now() < until);
    }
    assert_int_equal(through, 0);
    leave(&h);
}

/* ---- whom it believes ---- */

static void expect_refused(const char *name, const char *more, const char *words)
{
    struct aff_harness *h = open_to(name, ONE, more);

    (void)push(h, "high", "x", "a1");
    expect_said(h, words);
    assert_true(*aff_harness_cause(h) != 0);
    if (*got())
        fail_msg("%s got a mail or a password", name);
    EXPECT_DEAD(h, 0);
    assert_int_equal(aff_harness_unanswered(h), 1);
    leave(&h);
}

TEST(without_tls_neither_mail_nor_password_is_sent)
{
    expect_refused("no_starttls", WARD, "offers no TLS (STARTTLS)");
    expect_refused("starttls_454", WARD, "offers no TLS (STARTTLS)");
    expect_refused("stripped", WARD, ";");
    expect_refused("injecting", WARD, ";"); /* what is said in front of TLS is not heard behind it */
}

TEST(who_does_not_prove_who_it_is_gets_nothing)
{
    static const char *const names[] = { "expired", "wrong_host", "self_signed", "wrong_ca" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        expect_refused(names[i], WARD, "does not prove who it is");
    expect_refused("weak_key", WARD, ";");
    expect_refused("weak_signature", WARD, ";");
    expect_refused("tls11", WARD, ";");
}

TEST(verification_can_be_skipped_and_is_said_to_be)
{
    struct aff_harness *h = open_to("self_signed", ONE, "skip_verification = true\n" WARD);

    (void)push(h, "high", "x", "a1");
    settle(h);
    EXPECT_METRIC(h, "mails", 1);
    EXPECT_LOG(h, AFF_LOG_WARN, "skip_verification");
    leave(&h);
}

TEST(a_server_that_takes_no_mails_is_waited_for)
{
    expect_refused("greet_554", "", "no mail server that takes mails");
    expect_refused("greet_421", "", "421");
    expect_refused("garbage", "", ";");
    expect_refused("endless", "timeout = \"200ms\"\n", ";");
    expect_refused("no_line", "timeout = \"200ms\"\n", ";");
    expect_refused("silent", "timeout = \"200ms\"\n", "no answer came in time");
    expect_refused("slow_drip", "timeout = \"400ms\"\n", "no answer came in time");
    expect_refused("ehlo_550", "", "greeting");
    expect_refused("mail_530", "", "user and password");
    expect_refused("mail_421", "", "421");
    expect_refused("mail_452", "", "takes no mails now");
}

TEST(a_wrong_password_costs_no_alert)
{
    struct aff_harness *h = open_to("good", ONE, "user = \"ward\"\npassword = \"falsch\"\n");

    (void)push(h, "high", "x", "a1");
    expect_said(h, "does not accept user and password");
    EXPECT_DEAD(h, 0);
    (void)push(h, "high", "y", "a2"); /* while one waits, the host keeps the others, and says why */
    EXPECT_CAUSE(h, "does not accept user and password");
    expect_got(h, "\"falsch\"", 2);
    for (double until = seconds_now() + 1.1; seconds_now() < until;)
        (void)aff_harness_ready(h, 5);
    assert_int_equal(count_of(got(), "\"falsch\""), 2); /* servers lock out who guesses */
    leave(&h);
}

TEST(a_stop_ends_what_hangs)
{
    struct aff_harness *h = open_to("open", "\"hang1@example.org\"", "");
    double begun = seconds_now();

    (void)push(h, "high", "x", "a1");
    expect_got(h, "\"to\":", 1);
    leave(&h);
    assert_true(seconds_now() - begun < 10);
}

/* ---- what is refused beforehand ---- */

#define GOOD "url = \"smtp://mail.example.org:587\"\nsender = \"a@b\"\nto = [\"c@d.example.org\"]\n"

TEST(options_that_would_give_something_away_are_refused)
{
    assert_null(aff_harness_check("out_mail", GOOD));
    EXPECT_REFUSED("out_mail", GOOD "tls = \"none\"", "readable on the way");
    EXPECT_REFUSED("out_mail", GOOD "tls = \"none\"\nallow_plain = true\n" WARD, "password would be readable");
    EXPECT_REFUSED("out_mail", GOOD "user = \"a\"", "stands without password");
    EXPECT_REFUSED("out_mail", GOOD "password = \"a\"", "stands without user");
    EXPECT_REFUSED("out_mail", GOOD "hello = \"a b\"", "no name of a machine");
    EXPECT_REFUSED("out_mail", GOOD "subject = \"a\\nBcc: x\"", "more than one line");
    EXPECT_REFUSED("out_mail", GOOD "body = \"{text\"", "not closed");
    EXPECT_REFUSED("out_mail", GOOD "sender_name = \"a\\r\\nX: y\"", "no short line");
    EXPECT_REFUSED("out_mail", "url = \"smtp://u@h\"\nsender = \"a@b\"\nto = [\"c@d\"]", "has a user in it");
    EXPECT_REFUSED("out_mail", "url = \"http://h\"\nsender = \"a@b\"\nto = [\"c@d\"]", "no URL of a mail server");
    EXPECT_REFUSED("out_mail", "url = \"smtp://h/path\"\nsender = \"a@b\"\nto = [\"c@d\"]", "nothing behind the port");
    EXPECT_REFUSED("out_mail", "url = \"smtps://h\"\ntls = \"none\"\nsender = \"a@b\"\nto = [\"c@d\"]", "smtps is TLS");
    assert_non_null(strstr(aff_harness_notes("out_mail", GOOD "tls = \"none\"\nallow_plain = true"), "can be read on the way"));
}

TEST(addresses_that_could_be_more_are_refused)
{
    static const char *const bad[] = { "",        "a",      "a@",     "@b",         "a@b@c",       "a b@c",     "<a@b>", "a@b>\\r\\nRCPT TO:<x@y",
                                       "a,b@c@d", "a@b,c@d", "\\\"a\\\"@b", "-oX@b", "m\xc3\xbcller@b", "a..b@c", ".a@b",  "a@b." };
    char toml[512];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(toml, sizeof toml, "url = \"smtp://h\"\nsender = \"a@b\"\nto = [\"ok@b\", \"%s\"]", bad[i]);
        EXPECT_REFUSED("out_mail", toml, "to[1] is no address");
    }
}

TEST(texts_name_columns_that_are_there)
{
    static const struct aff_column some[] = { { .name = "heart_rate", .type = AFF_REAL } };
    static const struct aff_schema rows = { .struct_size = sizeof rows, .type = AFF_FIELDS, .name = "rows", .columns = some,
                                            .count = 1, .stride = sizeof some[0] };
    const struct aff_shape in = { .struct_size = sizeof in, .schema = &rows };

    assert_non_null(strstr(aff_harness_shape("out_mail", GOOD, &in, 1, NULL), "{severity}, but no column is called so; expected one of: heart_rate, time"));
    assert_null(aff_harness_shape("out_mail", GOOD "subject = \"{heart_rate}\"\nbody = \"{time} {heart_rate} {subject} {id}\"", &in, 1, NULL));
}

static void one_that_may_fail(void)
{
    struct aff_harness *h = open_to("open", ONE, "");

    (void)push(h, "high", "x", "a1");
    settle(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_call_of_the_host_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(one_that_may_fail);
}

int main(void)
{
    static const struct CMUnitTest *const tests[] = {
        an_alert_arrives_by_starttls_with_a_password,
        tls_from_the_start_no_password_and_no_tls_here,
        alerts_of_one_moment_are_one_mail_the_gravest_first,
        a_flood_makes_longer_mails_and_not_more,
        each_address_has_its_own_outcome,
        what_all_refuse_is_a_dead_letter_with_the_code,
        an_address_that_is_full_keeps_nothing_from_the_others,
        an_address_over_which_the_server_hangs_or_hangs_up_keeps_nothing_from_the_others,
        the_time_in_which_the_server_is_away_does_not_count_for_an_address,
        a_server_that_takes_its_time_gets_it_and_few_mails_twice,
        a_mail_that_was_taken_waits_for_no_farewell,
        a_mail_whose_end_is_not_known_is_sent_again_as_the_same,
        by_which_link_it_goes_and_what_that_costs_is_said,
        dots_and_hostile_bytes_change_nothing_but_their_own_line,
        without_tls_neither_mail_nor_password_is_sent,
        who_does_not_prove_who_it_is_gets_nothing,
        verification_can_be_skipped_and_is_said_to_be,
        a_server_that_takes_no_mails_is_waited_for,
        a_wrong_password_costs_no_alert,
        a_stop_ends_what_hangs,
        options_that_would_give_something_away_are_refused,
        addresses_that_could_be_more_are_refused,
        texts_name_columns_that_are_there,
        each_call_of_the_host_may_fail_once,
    };
    int rc;

    mail_start();
    rc = aff_test_run(tests, sizeof tests / sizeof tests[0]);
    mail_stop();
    return rc;
}
