/* SPDX-License-Identifier: Apache-2.0
 *
 * test_field.c - what modems do in the field: they begin anew without a word, are not
 * ready when they say so, lose their SIM, answer in their own ways, and report of a
 * message before they say that it was sent. */
#include "test_modem.h"

static size_t times(const char *text, const char *wanted)
{
    size_t count = 0;

    for (; (text = strstr(text, wanted)) != NULL; text++)
        count++;
    return count;
}

static struct aff_harness *polled_new(const char *every)
{
    char toml[256];

    (void)snprintf(toml, sizeof toml, "path = \"%s\"\nevery = \"%s\"", fake.link, every);
    return aff_harness_open("in_modem", toml);
}

/* ---- SIM ---- */

TEST(a_pin_that_was_right_is_entered_again_when_the_modem_began_anew)
{
    struct aff_harness *h;

    fake_start("--pin", "1234");
    h = modem_new("pin = \"1234\"\n");
    (void)event_of(h, "ready", NULL);
    (void)fake_do("reset");
    (void)event_of(h, "reset", NULL);
    (void)event_of(h, "ready", NULL);
    assert_int_equal(times(fake_do("show"), "AT+CPIN="), 2);
    finish(h);
}

TEST(a_pin_that_was_refused_is_not_tried_after_a_restart)
{
    struct aff_harness *h;

    fake_start("--pin", "1234");
    h = modem_new("pin = \"9999\"\n");
    (void)event_of(h, "sim", "pin_refused");
    aff_harness_restart(h);
    (void)event_of(h, "sim", "pin_refused");
    quiet(h, 60);
    assert_int_equal(times(fake_do("show"), "AT+CPIN="), 1);
    finish(h);
}

TEST(a_pin_that_one_sim_refused_is_tried_for_another)
{
    struct aff_harness *h;

    fake_start("--pin", "1234");
    (void)fake_do("table AT+CCID +CCID: 8900100000000000017F\\nOK");
    h = modem_new("pin = \"9999\"\n");
    (void)event_of(h, "sim", "pin_refused");
    quiet(h, 60);
    assert_int_equal(times(fake_do("show"), "AT+CPIN="), 1);
    (void)fake_do("table AT+CCID +CCID: 8900100000000000025F\\nOK");
    (void)fake_do("table AT+CPIN=\"9999\" OK");
    (void)fake_do("code +CPIN: SIM PIN");
    while (times(fake_do("show"), "AT+CPIN=") < 2)
        quiet(h, 1);
    (void)fake_do("set sim READY");
    (void)event_of(h, "ready", NULL);
    finish(h);
}

TEST(a_pin_is_entered_where_a_locked_sim_does_not_say_which_it_is)
{
    struct aff_harness *h;

    fake_start("--pin", "1234");
    (void)fake_do("fail AT+CCID 9 +CCID:"); /* and never OK */
    h = modem_new("pin = \"1234\"\n");
    (void)event_of(h, "ready", NULL);
    finish(h);
}

TEST(a_sim_that_is_busy_does_not_use_up_the_pin)
{
    struct aff_harness *h;

    fake_start("--pin", "1234");
    (void)fake_do("fail AT+CPIN= 2 +CME ERROR: SIM busy");
    h = modem_new("pin = \"1234\"\n");
    (void)event_of(h, "ready", NULL);
    assert_int_equal(times(fake_do("show"), "AT+CPIN="), 3);
    finish(h);
}

TEST(a_sim_that_is_busy_for_long_is_waited_for)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("fail AT+CPIN? 10 +CME ERROR: 14");
    (void)fake_do("fail AT+CPIN? 10 +CPIN: NOT READY\\r\\n\\r\\nOK");
    h = modem_new("");
    (void)event_of(h, "sim", "ready");
    (void)event_of(h, "ready", NULL);
    assert_true(times(fake_do("show"), "AT+CPIN?") >= 21);
    finish(h);
}

TEST(a_sim_that_is_not_inserted_is_absent_in_any_words)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("table AT+CPIN? +CPIN: NOT INSERTED\\nOK");
    h = modem_new("");
    (void)event_of(h, "sim", "absent");
    (void)fake_do("table AT+CPIN? +CPIN: READY\\nOK");
    (void)event_of(h, "ready", NULL);
    finish(h);
}

TEST(a_sim_that_is_taken_out_without_a_word_is_missed)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    h = polled_new("1s");
    (void)event_of(h, "ready", NULL);
    quiet(h, 8);
    (void)fake_do("set sim absent");
    (void)event_of(h, "sim", "absent");
    (void)fake_do("set sim READY");
    (void)event_of(h, "sim", "ready");
    (void)event_of(h, "ready", NULL);
    finish(h);
}

TEST(a_sim_that_comes_back_by_a_word_of_the_modem_is_set_up)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    quiet(h, 4); /* else it is an answer */
    (void)fake_do("code +CPIN: READY");
    (void)event_of(h, "ready", NULL);
    assert_int_equal(times(fake_do("show"), "AT+CNMI=2"), 2);
    finish(h);
}

/* ---- a modem that begins anew ---- */

/* Where it is told of nothing, the echo of what is sent tells. */
TEST(a_modem_that_began_anew_without_a_word_is_set_up_again)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("set announces off");
    h = polled_new("1s");
    (void)event_of(h, "ready", NULL);
    quiet(h, 8);
    (void)fake_do("reset");
    (void)fake_do("raw \\xff\\x00\\xfeRDY\\r\\n"); /* its first bytes are none of its own */
    (void)event_of(h, "reset", NULL);
    (void)event_of(h, "ready", NULL);
    assert_int_equal(times(fake_do("show"), "AT+CNMI=2"), 2);
    EXPECT_METRIC(h, "resets", 1);
    finish(h);
}

TEST(a_modem_that_always_echoes_has_not_begun_anew)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("table ATE0 OK");
    h = polled_new("1s");
    until(h, "status", 1);
    until(h, "status", 2);
    (void)command(h, "sms", "+3912", "x", 1);
    (void)result(h, "sent");
    EXPECT_METRIC(h, "resets", 0);
    finish(h);
}

/* Until it was asked so often. */
static void until_asked(struct aff_harness *h, const char *command, size_t count)
{
    time_t began = time(NULL);

    (void)aff_harness_read(h, 16);
    while (times(fake_do("show"), command) < count) {
        turn(h);
        if (time(NULL) - began > MOST_S)
            fail_msg("not asked so often: %s", fake_do("show"));
    }
}

TEST(a_modem_whose_messages_are_not_ready_yet_is_asked_again)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("fail AT+CMGF 1 +CMS ERROR: 302");
    (void)fake_do("fail AT+CNMI=2 2 ERROR");
    (void)fake_do("fail AT+CMGL 1 +CMGL: 1,\"REC READ\",\"+3912\",,\"26/11/21,17:00:00+04\"\\r\\nHello\\r\\n\\r\\nOK");
    h = polled_new("1h");
    (void)event_of(h, "ready", NULL);
    until_shown(h, "AT+CMGF=0\", \"AT+CNMI=2,1,0,1,0", 1);
    until_shown(h, "AT+CESQ", 1);
    (void)fake_do("code SMS Ready"); /* before the next poll */
    until_asked(h, "AT+CNMI=2,1,0,1,0", 3);
    assert_int_equal(times(fake_do("show"), "AT+CMGF=0"), 2);
    quiet(h, 8);
    (void)fake_do("sms " HELLO_PDU);
    until(h, "data", 1);
    while (aff_harness_waiting(h, "events") > 0)
        assert_string_not_equal(aff_harness_text(h, aff_harness_take(h, "events"), "kind"), "text_mode");
    finish(h);
}

TEST(a_modem_that_takes_no_word_of_notices_is_not_asked_for_ever)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("fail AT+CNMI 99 ERROR");
    h = polled_new("1s");
    until_asked(h, "AT+CNMI=1,1", 1);
    (void)fake_do("sms " HELLO_PDU);
    until(h, "data", 1); /* by a list */
    until_asked(h, "AT+CPMS?", 9);
    assert_int_equal(times(fake_do("show"), "AT+CNMI=2") + times(fake_do("show"), "AT+CNMI=1"), 6);
    finish(h);
}

TEST(notices_that_are_only_thrown_away_are_set_where_nothing_else_is_known)
{
    struct aff_harness *h;

    fake_start(NULL, NULL); /* as those of Siemens and Cinterion */
    (void)fake_do("table AT+CNMI=? +CNMI: (0-3),(0,1),(0,2,3),(0,2),(1)\\nOK");
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    assert_int_equal(times(fake_do("show"), "AT+CNMI=2,1,0,2,1"), 1);
    finish(h);
}

/* ---- reports that come early ---- */

TEST(reports_of_parts_that_arrive_before_the_last_is_sent_count)
{
    char text[401];
    struct aff_harness *h;

    memset(text, 'a', 400);
    text[400] = '\0';
    fake_start(NULL, NULL);
    (void)fake_do("set reports 0");
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    (void)command(h, "sms", "+393491234567", text, 7);
    (void)result(h, "sent");
    (void)result(h, "delivered");
    (void)fake_do("set early on"); /* before the modem says that it sent it, too */
    (void)command(h, "sms", "+393491234567", text, 8);
    (void)result(h, "sent");
    (void)result(h, "delivered");
    (void)command(h, "sms", "+393491234567", "x", 9);
    (void)result(h, "sent");
    (void)result(h, "delivered");
    EXPECT_METRIC(h, "delivered", 3);
    finish(h);
}

TEST(a_report_of_before_a_message_was_sent_is_not_of_it)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    (void)fake_do("report 1 0 393491234567"); /* of an earlier life */
    (void)event_of(h, "report", "delivered");
    (void)aff_harness_clock(h, SECOND_NS);
    (void)command(h, "sms", "+393491234567", "x", 9);
    (void)result(h, "sent");
    quiet(h, 8);
    EXPECT_NOTHING(h, "results");
    (void)fake_do("report 1 70 393491234567");
    (void)result(h, "failed");
    finish(h);
}

/* ---- prompts ---- */

TEST(a_prompt_that_is_late_or_never_said_is_left_and_the_text_is_sent_once)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    quiet(h, 4);
    (void)fake_do("set prompts off");
    (void)command(h, "sms", "+3912", "x", 1);
    until_shown(h, "AT+CMGS=", 1);
    while (aff_harness_metric(h, "timeouts") < 1)
        turn(h);
    (void)fake_do("raw \\r\\n> "); /* now it says it */
    (void)fake_do("set prompts on");
    (void)result(h, "sent");
    assert_int_equal(times(fake_do("show"), "\"reference\""), 1);
    finish(h);
}

TEST(a_code_before_a_prompt_and_behind_it_changes_nothing)
{
    struct aff_harness *h;
    char order[80];
    int i;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    quiet(h, 4);
    for (i = 0; i < 4; i++) {
        (void)snprintf(order, sizeof order, "at %d \\r\\n+CREG: 1\\r\\n", i + 1 - (i == 0));
        (void)fake_do(order);
        (void)command(h, "sms", "+3912", "x", i);
        (void)result(h, "sent");
    }
    EXPECT_METRIC(h, "retries", 0);
    finish(h);
}

/* ---- lines ---- */

static void a_day_of_lines(const char *eol)
{
    char order[32];
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)snprintf(order, sizeof order, "set eol %s", eol);
    (void)fake_do(order);
    (void)fake_do("sms " HELLO_PDU);
    h = modem_new("");
    until(h, "data", 1);
    (void)event_of(h, "ready", NULL);
    (void)command(h, "sms", "+3912", "x", 1);
    (void)result(h, "sent");
    (void)fake_do("sms 00040C91934319325476000062111271000010" "05C8329BFD06");
    until(h, "data", 2);
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    EXPECT_METRIC(h, "timeouts", 0);
    finish(h);
}

TEST(lines_may_end_with_any_of_the_signs_for_it)
{
    a_day_of_lines("\\n");
    a_day_of_lines("\\r");
    a_day_of_lines("\\n\\r");
    a_day_of_lines("\\r\\r\\n");
}

TEST(a_list_that_takes_minutes_on_a_slow_line_is_read_to_its_end)
{
    struct aff_harness *h;
    char order[128];
    int i;

    fake_start(NULL, NULL);
    (void)fake_do("fail AT+CMGL 1 +CMGL: 1,0,,24\\r\\n" HELLO_PDU);
    h = modem_new("");
    until_shown(h, "AT+CMGL", 1);
    for (i = 2; i < 9; i++) {
        quiet(h, 2);
        (void)aff_harness_clock(h, 15 * SECOND_NS);
        (void)snprintf(order, sizeof order, "raw +CMGL: %d,0,,24\\r\\n00040C919343193254760000621112710000%d005C8329BFD06\\r\\n", i, i);
        (void)fake_do(order);
    }
    quiet(h, 2);
    (void)fake_do("raw \\r\\nOK\\r\\n");
    until(h, "data", 8);
    EXPECT_METRIC(h, "timeouts", 0);
    finish(h);
}

TEST(a_reply_without_end_is_ended)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("fail AT+CMGL 1 +CMGL: 1,0,,24\\r\\n" HELLO_PDU);
    h = modem_new("");
    until_shown(h, "AT+CMGL", 1);
    while (aff_harness_metric(h, "timeouts") == 0) {
        quiet(h, 1);
        (void)aff_harness_clock(h, 15 * SECOND_NS);
        (void)fake_do("raw +CMGL: 1,0,,24\\r\\n" HELLO_PDU "\\r\\n");
    }
    (void)event_of(h, "ready", NULL);
    finish(h);
}

/* ---- messages ---- */

TEST(empty_ones_flashes_and_binary_ones_are_messages)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    (void)fake_do("sms 00040C9193431932547600006211127100000000");
    until(h, "data", 1);
    r = aff_harness_take(h, "data");
    assert_string_equal(aff_harness_text(h, r, "text") ? aff_harness_text(h, r, "text") : "", "");
    assert_string_equal(aff_harness_text(h, r, "from"), "+393491234567");
    (void)fake_do("direct 00040C9193431932547600106211127100000005C8329BFD06"); /* class 0 */
    until(h, "data", 1);
    r = aff_harness_take(h, "data");
    assert_string_equal(aff_harness_text(h, r, "text"), "Hello");
    assert_int_equal(aff_harness_int(h, r, "class"), 0);
    /* of an MMS: a push by WAP, port 2948 */
    (void)fake_do("sms 00440C9193431932547600046211127100000011" "0B" "0504" "0B8423F0" "0003" "050201" "0106226170");
    quiet(h, 8);
    EXPECT_NOTHING(h, "data");
    (void)fake_do("sms 00440C919343193254760004621112710000000E" "0B" "0504" "0B8423F0" "0003" "050202" "6D6D");
    until(h, "data", 1);
    r = aff_harness_take(h, "data");
    assert_string_equal(aff_harness_text(h, r, "data"), "01062261706D6D");
    assert_int_equal(aff_harness_int(h, r, "port"), 2948);
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    finish(h);
}

/* ---- the network ---- */

TEST(an_end_of_another_context_is_not_that_of_ours)
{
    struct aff_harness *h;
    static const char *const others[] = { "NW PDN DEACT 2", "ME DEACT \"IP\",\"10.0.0.9\",3", "NW DEACT 1,5,0", "ME PDN ACT 1" };
    char order[80];
    size_t i;

    fake_start(NULL, NULL);
    h = modem_new("apn = \"internet\"\n");
    (void)event_of(h, "link_up", NULL);
    aff_harness_discard(h, "events");
    for (i = 0; i < 4; i++) {
        (void)snprintf(order, sizeof order, "code +CGEV: %s", others[i]);
        (void)fake_do(order);
    }
    quiet(h, 8);
    while (aff_harness_waiting(h, "events") > 0)
        assert_string_not_equal(aff_harness_text(h, aff_harness_take(h, "events"), "kind"), "link_down");
    (void)fake_do("code +CGEV: NW PDN DEACT 1");
    (void)event_of(h, "link_down", NULL);
    (void)event_of(h, "link_up", NULL);
    (void)fake_do("code +CGEV: NW DETACH");
    (void)event_of(h, "link_down", NULL);
    finish(h);
}

TEST(an_operator_in_hex_digits_of_units_has_its_name)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("set operator 0056006F006400610066006F006E0065");
    h = polled_new("10s");
    until(h, "status", 1);
    assert_string_equal(aff_harness_text(h, aff_harness_take(h, "status"), "operator"), "Vodafone");
    finish(h);
}

AFF_TEST_MAIN(a_pin_that_was_right_is_entered_again_when_the_modem_began_anew,
              a_pin_that_was_refused_is_not_tried_after_a_restart, a_pin_that_one_sim_refused_is_tried_for_another,
              a_pin_is_entered_where_a_locked_sim_does_not_say_which_it_is, a_sim_that_is_busy_does_not_use_up_the_pin,
              a_sim_that_is_busy_for_long_is_waited_for, a_sim_that_is_not_inserted_is_absent_in_any_words,
              a_sim_that_is_taken_out_without_a_word_is_missed, a_sim_that_comes_back_by_a_word_of_the_modem_is_set_up,
              a_modem_that_began_anew_without_a_word_is_set_up_again, a_modem_that_always_echoes_has_not_begun_anew,
              a_modem_whose_messages_are_not_ready_yet_is_asked_again,
              a_modem_that_takes_no_word_of_notices_is_not_asked_for_ever,
              notices_that_are_only_thrown_away_are_set_where_nothing_else_is_known,
              reports_of_parts_that_arrive_before_the_last_is_sent_count,
              a_report_of_before_a_message_was_sent_is_not_of_it,
              a_prompt_that_is_late_or_never_said_is_left_and_the_text_is_sent_once,
              a_code_before_a_prompt_and_behind_it_changes_nothing,
              a_list_that_takes_minutes_on_a_slow_line_is_read_to_its_end, a_reply_without_end_is_ended, lines_may_end_with_any_of_the_signs_for_it,
              empty_ones_flashes_and_binary_ones_are_messages, an_end_of_another_context_is_not_that_of_ours,
              an_operator_in_hex_digits_of_units_has_its_name)
