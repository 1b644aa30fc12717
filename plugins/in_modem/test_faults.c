/* SPDX-License-Identifier: Apache-2.0
 *
 * test_faults.c - a modem that is not well: PIN, silence, hang-ups, resets, noise, a
 * full store, damaged messages; and a host whose calls fail. */
#include "test_modem.h"

TEST(options_that_cannot_work_are_refused)
{
    EXPECT_REFUSED("in_modem", "", "path");
    EXPECT_REFUSED("in_modem", "path = \"/dev/x\"\nusb = { vendor = \"1\", product = \"2\" }", "not both");
    EXPECT_REFUSED("in_modem", "usb = { vendor = \"1\", product = \"2\" }", "four hex digits");
    EXPECT_REFUSED("in_modem", "path = \"/dev/x\"\npin = \"12\"", "four to eight digits");
    EXPECT_REFUSED("in_modem", "path = \"/dev/x\"\napn = \"a\\\"b\"", "no access point");
    EXPECT_REFUSED("in_modem", "path = \"/dev/x\"\nalert_to = [\"12 34\"]", "is no number");
    EXPECT_REFUSED("in_modem", "path = \"/dev/x\"\nppp = [\"pppd\"]\napn = \"a\"", "whole path");
    EXPECT_REFUSED("in_modem", "path = \"/dev/x\"\nppp = [\"/usr/sbin/pppd\"]", "needs `apn`");
    EXPECT_REFUSED("in_modem", "path = \"/dev/x\"\nstore = \"S,M\"", "no store");
}

TEST(edges_of_commands_are_checked_by_their_columns)
{
    static const struct aff_column wrong[] = { { .name = "score", .type = AFF_INT } };
    static const struct aff_column right[] = { { .name = "command", .type = AFF_TEXT } };
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .name = "x", .columns = wrong, .count = 1,
                                 .stride = sizeof(struct aff_column) };
    struct aff_shape in = { .struct_size = sizeof in, .schema = &schema };
    const struct aff_shape *out;

    assert_non_null(strstr(aff_harness_shape("in_modem", "path = \"/dev/x\"", &in, 1, &out), "neither a column"));
    schema.columns = right;
    assert_null(aff_harness_shape("in_modem", "path = \"/dev/x\"\nevery = \"0s\"", &in, 1, &out));
    assert_int_equal(out[3].silent, 1);
    assert_int_equal(out[4].silent, 1);
}

TEST(a_port_that_is_not_there_is_tried_again)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("hangup");
    h = modem_new("");
    EXPECT_STATUS(aff_harness_read(h, 16), AFF_ERR_IO);
    EXPECT_CAUSE(h, "the port");
    (void)fake_do("plug");
    (void)aff_harness_clock(h, SECOND_NS);
    (void)event_of(h, "ready", NULL);
    finish(h);
}

TEST(a_pin_that_is_needed_and_not_there_is_said)
{
    struct aff_harness *h;

    fake_start("--pin", "1234");
    h = modem_new("");
    (void)event_of(h, "sim", "pin_needed");
    quiet(h, 60);
    assert_null(strstr(fake_do("show"), "AT+CPIN="));
    finish(h);
}

TEST(a_right_pin_opens_the_sim)
{
    struct aff_harness *h;

    fake_start("--pin", "1234");
    h = modem_new("pin = \"1234\"\n");
    (void)event_of(h, "sim", "ready");
    (void)event_of(h, "ready", NULL);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, "1234"), 0);
    finish(h);
}

TEST(a_wrong_pin_is_tried_once_and_never_again)
{
    struct aff_harness *h;
    const char *at;
    int tries = 0;

    fake_start("--pin", "1234");
    h = modem_new("pin = \"9999\"\n");
    (void)event_of(h, "sim", "pin_refused");
    quiet(h, 100);
    (void)fake_do("reset");
    quiet(h, 60);
    for (at = fake_do("show"); (at = strstr(at, "AT+CPIN=")) != NULL; at++)
        tries++;
    assert_int_equal(tries, 1);
    finish(h);
}

TEST(a_puk_is_never_tried_and_an_absent_sim_may_come)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("set sim SIM PUK");
    h = modem_new("pin = \"1234\"\n");
    (void)event_of(h, "sim", "puk_needed");
    assert_null(strstr(fake_do("show"), "AT+CPIN="));
    (void)fake_do("set sim absent");
    (void)event_of(h, "sim", "absent");
    (void)fake_do("set sim READY");
    (void)fake_do("code +CPIN: READY");
    (void)event_of(h, "ready", NULL);
    finish(h);
}

TEST(a_modem_that_falls_silent_is_asked_until_it_answers)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    (void)fake_do("silence on");
    (void)command(h, "sms", "+3912", "x", 1);
    (void)event_of(h, "silent", NULL);
    (void)fake_do("silence off");
    (void)event_of(h, "ready", NULL);
    (void)result(h, "sent");
    finish(h);
}

TEST(a_hang_up_in_the_middle_of_a_line_loses_no_message)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("sms " HELLO_PDU);
    h = modem_new("");
    until_shown(h, "AT+CGEREP", 1);
    (void)fake_do("hangup 30");
    (void)event_of(h, "line_lost", NULL);
    (void)fake_do("plug");
    (void)event_of(h, "line_back", NULL);
    until(h, "data", 1);
    (void)aff_harness_take(h, "data");
    quiet(h, 8);
    EXPECT_NOTHING(h, "data");
    EXPECT_METRIC(h, "lost", 1);
    finish(h);
}

TEST(a_reset_in_the_middle_of_a_command_does_it_again)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    (void)fake_do("reset_in AT+CMGS");
    (void)command(h, "sms", "+3912", "x", 1);
    (void)event_of(h, "reset", NULL);
    (void)event_of(h, "ready", NULL);
    (void)result(h, "sent");
    EXPECT_METRIC(h, "resets", 1);
    EXPECT_METRIC(h, "retries", 0); /* the modem never had the text */
    finish(h);
}

TEST(a_command_outlives_a_restart)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("set registration 2");
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    (void)command(h, "sms", "+3912", "x", 1);
    quiet(h, 4);
    aff_harness_restart(h);
    (void)event_of(h, "ready", NULL);
    (void)fake_do("set registration 1");
    (void)result(h, "sent");
    finish(h);
}

TEST(a_command_that_waits_too_long_expires)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("set registration 3");
    h = modem_new("expire = \"30s\"\n");
    (void)event_of(h, "ready", NULL);
    (void)command(h, "sms", "+3912", "x", 1);
    (void)aff_harness_clock(h, 31 * SECOND_NS);
    (void)result(h, "expired");
    EXPECT_DEAD(h, 1);
    finish(h);
}

TEST(errors_that_pass_are_tried_again_and_others_are_not)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    (void)fake_do("fail AT+CMGS 2 +CMS ERROR: 332");
    (void)command(h, "sms", "+3912", "x", 1);
    r = result(h, "sent");
    assert_int_equal(aff_harness_int(h, r, "tries"), 3);
    (void)fake_do("fail AT+CMGS 9 +CMS ERROR: 28");
    (void)command(h, "sms", "+3912", "x", 2);
    r = result(h, "failed");
    assert_int_equal(aff_harness_int(h, r, "code"), 28);
    assert_string_equal(aff_harness_text(h, r, "why"), "unidentified subscriber");
    assert_int_equal(aff_harness_int(h, r, "tries"), 1);
    finish(h);
}

TEST(a_full_store_is_said_and_emptied)
{
    char order[128];
    struct aff_harness *h;
    int i;

    fake_start("--capacity", "3");
    for (i = 0; i < 3; i++) {
        (void)snprintf(order, sizeof order, "sms 00040C919343193254760000621112710000%d0" "05C8329BFD06", i);
        assert_non_null(strstr(fake_do(order), "index"));
    }
    assert_non_null(strstr(fake_do("sms " HELLO_PDU), "full"));
    h = modem_new("");
    until(h, "data", 3);
    (void)event_of(h, "store_full", NULL);
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    assert_non_null(strstr(fake_do("sms " HELLO_PDU), "index"));
    finish(h);
}

TEST(a_message_that_cannot_be_read_is_set_aside_and_deleted)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("sms 00048181214300");
    (void)fake_do("sms " HELLO_PDU);
    (void)fake_do("sms 00FFFFFFFFFFFF");
    h = modem_new("");
    until(h, "data", 1);
    while (aff_harness_metric(h, "bad_messages") < 2) {
        commits(h);
        turn(h);
    }
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    EXPECT_DEAD(h, 2);
    finish(h);
}

TEST(codes_inside_replies_are_delivered_and_nothing_is_lost)
{
    char order[128];
    struct aff_harness *h;
    int i;

    fake_start(NULL, NULL);
    (void)fake_do("sms " HELLO_PDU);
    h = modem_new("");
    for (i = 0; i < 40; i++) {
        (void)snprintf(order, sizeof order, "at %d \\r\\nRING\\r\\n", i * 3 % 90);
        (void)fake_do(order);
        turn(h);
    }
    until(h, "data", 1);
    (void)event_of(h, "call", "ringing");
    EXPECT_METRIC(h, "timeouts", 0);
    finish(h);
}

TEST(noise_on_the_line_stops_nothing)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)fake_do("garbage 2000");
    (void)event_of(h, "ready", NULL);
    (void)fake_do("garbage 3000");
    (void)command(h, "sms", "+3912", "x", 1);
    (void)result(h, "sent");
    finish(h);
}

TEST(a_modem_that_knows_text_mode_only_is_said)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("table AT+CMGL=4 +CMGL: 1,\"REC READ\",\"+3912\",,\"26/11/21,17:00:00+04\"\\r\\nHello\\nOK");
    h = modem_new("");
    (void)event_of(h, "text_mode", NULL);
    EXPECT_NOTHING(h, "data");
    finish(h);
}

TEST(a_modem_without_a_list_is_read_one_by_one)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("table AT+CMGL=4 ERROR");
    (void)fake_do("sms 00040C9193431932547600006211127100001005C8329BFD06");
    h = modem_new("");
    until(h, "data", 1);
    commits(h);
    (void)fake_do("sms " HELLO_PDU);
    until(h, "data", 2);
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    finish(h);
}

/* ---- what must not be lost, nor told twice ---- */

#define TIMELESS_PDU "00040C91934319325476000000000000000000" "05C8329BFD06"

/* The event time and the id of the next message. */
static struct aff_id message_id(struct aff_harness *h, int64_t *ret_ns)
{
    const struct aff_record *r;

    until(h, "data", 1);
    r = aff_harness_take(h, "data");
    *ret_ns = r->event_ns;
    return r->id;
}

static int same_id(struct aff_id a, struct aff_id b)
{
    return a.source == b.source && a.seq == b.seq;
}

TEST(two_messages_that_are_equal_are_two_also_after_a_restart)
{
    struct aff_harness *h;
    struct aff_id first, second, third;
    int64_t at;

    fake_start(NULL, NULL);
    (void)fake_do("sms " HELLO_PDU);
    (void)fake_do("sms " HELLO_PDU);
    h = modem_new("");
    until(h, "data", 2);
    first = message_id(h, &at);
    second = message_id(h, &at);
    assert_false(same_id(first, second));
    aff_harness_restart(h);
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    EXPECT_NOTHING(h, "data");
    (void)fake_do("sms " HELLO_PDU); /* and one more of the same second, later */
    third = message_id(h, &at);
    assert_false(same_id(first, third) || same_id(second, third));
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    EXPECT_METRIC(h, "received", 3);
    finish(h);
}

TEST(a_message_without_a_time_has_the_same_one_after_a_restart)
{
    struct aff_harness *h;
    struct aff_id first, second;
    int64_t first_at, second_at;

    fake_start(NULL, NULL);
    (void)fake_do("sms " TIMELESS_PDU);
    h = modem_new("");
    until_shown(h, "AT+CMGL", 1);
    quiet(h, 8);
    EXPECT_NOTHING(h, "data"); /* when it came is to be known after a restart */
    commits(h);
    (void)aff_harness_clock(h, 30 * SECOND_NS);
    first = message_id(h, &first_at);
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    (void)aff_harness_clock(h, 5 * SECOND_NS);
    (void)fake_do("sms " TIMELESS_PDU);
    until_shown(h, "\"store\": {\"1\"", 1);
    quiet(h, 12);
    EXPECT_NOTHING(h, "data");
    aff_harness_restart(h);
    commits(h);
    second = message_id(h, &second_at);
    assert_false(same_id(first, second));
    assert_true(second_at > first_at);
    finish(h);
}

TEST(a_repeated_part_and_a_repeated_report_are_deleted_and_not_told)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("sms 00440C9193431932547600086211127100000008" "0500030A0201" "0041");
    (void)fake_do("sms 00440C9193431932547600086211127100000008" "0500030A0201" "0041");
    (void)fake_do("sms 00440C9193431932547600086211127100000008" "0500030A0202" "0042");
    h = modem_new("");
    until(h, "data", 1);
    (void)aff_harness_take(h, "data");
    commits(h);
    (void)fake_do("sms 00440C9193431932547600086211127100000008" "0500030A0202" "0042");
    until_shown(h, "\"store\": {}", 1);
    quiet(h, 8);
    EXPECT_NOTHING(h, "data");
    finish(h);
}

TEST(a_list_that_fails_for_long_stops_no_other_work)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("fail AT+CMGL 60 +CMS ERROR: 314");
    (void)fake_do("sms " HELLO_PDU);
    h = modem_new("apn = \"internet\"\n");
    (void)event_of(h, "link_up", NULL);
    (void)command(h, "sms", "+3912", "x", 1);
    (void)result(h, "sent");
    (void)fake_do("fail AT+CMGD 3 +CMS ERROR: 320");
    until_shown(h, "AT+CGACT?", 1);
    finish(h);
}

TEST(a_delete_that_fails_is_tried_again)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("fail AT+CMGD 3 +CMS ERROR: 320");
    (void)fake_do("sms " HELLO_PDU);
    h = modem_new("");
    until(h, "data", 1);
    (void)aff_harness_take(h, "data");
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    EXPECT_NOTHING(h, "data");
    finish(h);
}

TEST(a_line_of_a_list_that_noise_has_cut_is_read_again)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    (void)fake_do("sms " HELLO_PDU);
    h = modem_new("");
    until_shown(h, "AT+CGEREP", 1);
    (void)fake_do("fail AT+CMGL 1 +CMGL: 1,0,,24\\r\\n00040C919343193254760000621112710000000BC8329BFD0\\r\\n\\r\\nOK");
    until(h, "data", 1);
    r = aff_harness_take(h, "data");
    assert_string_equal(aff_harness_text(h, r, "text"), "Hello");
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    EXPECT_METRIC(h, "bad_messages", 0);
    finish(h);
}

TEST(a_word_of_the_modem_that_got_lost_is_made_up_for)
{
    char toml[256];
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)snprintf(toml, sizeof toml, "path = \"%s\"\nevery = \"10s\"", fake.link);
    h = aff_harness_open("in_modem", toml);
    (void)event_of(h, "ready", NULL);
    (void)fake_do("set cnmi 0,0,0,0,0");
    (void)fake_do("sms " HELLO_PDU);
    (void)aff_harness_clock(h, 12 * SECOND_NS); /* not the two minutes between lists */
    until(h, "data", 1);
    finish(h);
}

TEST(a_modem_left_at_a_prompt_is_led_out_of_it)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("set prompt 0");
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    assert_non_null(strstr(fake_do("show"), "\"sent\": []"));
    finish(h);
}

/* ---- several stores ---- */

TEST(messages_in_another_store_than_the_listed_one_are_read_and_deleted_there)
{
    struct aff_harness *h;

    fake_start("--stores", "SM,ME");
    (void)fake_do("sms " HELLO_PDU);
    (void)fake_do("set receives ME");
    (void)fake_do("sms 00040C9193431932547600006211127100001005C8329BFD06"); /* before anybody looks */
    h = modem_new("");
    until(h, "data", 2);
    (void)fake_do("sms 00040C9193431932547600006211127100002005C8329BFD06"); /* said by +CMTI: "ME" */
    until(h, "data", 3);
    commits(h);
    until_shown(h, "AT+CPMS=\\\"SM\\\"", 1);
    while (strstr(fake_do("far"), "\"left\": []") == NULL)
        turn(h);
    quiet(h, 16);
    EXPECT_WAITING(h, "data", 3);
    finish(h);
}

TEST(a_store_that_cannot_be_chosen_is_told_once_and_the_other_goes_on)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    (void)fake_do("code +CMTI: \"ME\",1");
    r = event_of(h, "store_refused", "ME");
    assert_non_null(strstr(aff_harness_text(h, r, "why"), "operation not allowed"));
    (void)fake_do("sms " HELLO_PDU);
    until(h, "data", 1);
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    finish(h);
}

static void whole_day(void)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("sms " HELLO_PDU);
    h = modem_new("apn = \"internet\"\n");
    until(h, "data", 1);
    (void)aff_harness_take(h, "data");
    (void)event_of(h, "link_up", NULL);
    (void)command(h, "sms", "+3912", "x", 1);
    (void)result(h, "sent");
    EXPECT_NOTHING(h, "data");
    finish(h);
}

TEST(every_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(whole_day);
}

AFF_TEST_MAIN(options_that_cannot_work_are_refused, edges_of_commands_are_checked_by_their_columns,
              a_port_that_is_not_there_is_tried_again, a_pin_that_is_needed_and_not_there_is_said,
              a_right_pin_opens_the_sim, a_wrong_pin_is_tried_once_and_never_again,
              a_puk_is_never_tried_and_an_absent_sim_may_come, a_modem_that_falls_silent_is_asked_until_it_answers,
              a_hang_up_in_the_middle_of_a_line_loses_no_message, a_reset_in_the_middle_of_a_command_does_it_again,
              a_command_outlives_a_restart, a_command_that_waits_too_long_expires,
              errors_that_pass_are_tried_again_and_others_are_not, a_full_store_is_said_and_emptied,
              a_message_that_cannot_be_read_is_set_aside_and_deleted,
              codes_inside_replies_are_delivered_and_nothing_is_lost, noise_on_the_line_stops_nothing, a_modem_that_knows_text_mode_only_is_said,
              a_modem_without_a_list_is_read_one_by_one, two_messages_that_are_equal_are_two_also_after_a_restart,
              a_message_without_a_time_has_the_same_one_after_a_restart,
              a_repeated_part_and_a_repeated_report_are_deleted_and_not_told, a_list_that_fails_for_long_stops_no_other_work,
              a_delete_that_fails_is_tried_again, a_line_of_a_list_that_noise_has_cut_is_read_again,
              a_word_of_the_modem_that_got_lost_is_made_up_for, a_modem_left_at_a_prompt_is_led_out_of_it,
              messages_in_another_store_than_the_listed_one_are_read_and_deleted_there,
              a_store_that_cannot_be_chosen_is_told_once_and_the_other_goes_on,
              every_host_call_may_fail_once)
