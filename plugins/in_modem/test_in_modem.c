/* SPDX-License-Identifier: Apache-2.0
 *
 * test_in_modem.c - a modem that is well: set up, messages in and out, alerts, USSD,
 * the data session, positions. Faults are in test_faults.c. */
#include "test_modem.h"

#include <math.h>
#include <sys/stat.h>

TEST(a_modem_is_set_up_and_tells_of_itself)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "sim", "ready");
    r = event_of(h, "identity", NULL);
    assert_string_equal(aff_harness_text(h, r, "why"), "Fake Modem 1 1.0");
    assert_non_null(strstr(aff_harness_text(h, r, "who"), "356938035643809"));
    (void)event_of(h, "ready", NULL);
    r = event_of(h, "registration", "registered");
    until_shown(h, "AT+CNMI=2,1,0,1,0", 1);
    finish(h);
}

TEST(status_rows_have_network_and_signal)
{
    struct aff_harness *h;
    const struct aff_record *r;
    char toml[256];

    fake_start(NULL, NULL);
    (void)fake_do("set registration 5");
    (void)fake_do("set technology 11");
    (void)fake_do("set cesq 99,99,255,255,255,255,65,72,61");
    (void)snprintf(toml, sizeof toml, "path = \"%s\"\nevery = \"10s\"", fake.link);
    h = aff_harness_open("in_modem", toml);
    until(h, "status", 1);
    r = aff_harness_take(h, "status");
    assert_string_equal(aff_harness_text(h, r, "registration"), "roaming");
    assert_string_equal(aff_harness_text(h, r, "technology"), "nr");
    assert_string_equal(aff_harness_text(h, r, "operator"), "Fakenet");
    assert_string_equal(aff_harness_text(h, r, "sim"), "ready");
    assert_int_equal(aff_harness_int(h, r, "generation"), 5);
    assert_int_equal(aff_harness_int(h, r, "roaming"), 1);
    assert_int_equal(aff_harness_int(h, r, "capacity"), 20);
    assert_true(fabs(aff_harness_real(h, r, "rsrp") + 85) < 0.01);
    assert_true(fabs(aff_harness_real(h, r, "sinr") - 7) < 0.01);
    assert_true(fabs(aff_harness_real(h, r, "rssi") + 73) < 0.01);
    (void)aff_harness_clock(h, 10 * SECOND_NS);
    until(h, "status", 1);
    finish(h);
}

TEST(a_message_is_handed_on_once_and_deleted_when_it_is_safe)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    (void)fake_do("sms " HELLO_PDU);
    until(h, "data", 1);
    r = aff_harness_take(h, "data");
    assert_string_equal(aff_harness_text(h, r, "from"), "+393491234567");
    assert_string_equal(aff_harness_text(h, r, "text"), "Hello");
    assert_int_equal(aff_harness_int(h, r, "missing"), 0);
    assert_int_equal(aff_harness_cuts(h), 1);
    quiet(h, 12);
    until_shown(h, HELLO_PDU, 1);
    aff_harness_commit_older(h); /* of an epoch that had ended before */
    quiet(h, 12);
    until_shown(h, HELLO_PDU, 1);
    aff_harness_commit(h);
    until_shown(h, "\"store\": {}", 1);
    EXPECT_NOTHING(h, "data");
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, "+39"), 0);
    finish(h);
}

TEST(a_message_that_was_handed_on_is_known_after_a_restart)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("sms " HELLO_PDU);
    h = modem_new("");
    until(h, "data", 1);
    (void)aff_harness_take(h, "data");
    aff_harness_restart(h);
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    EXPECT_NOTHING(h, "data");
    finish(h);
}

TEST(parts_of_a_long_message_are_joined_in_any_order)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    (void)fake_do("sms 00440C919343193254760008621112710000000A" "0500030A0302" "00420043");
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    (void)fake_do("sms 00440C919343193254760008621112710000000A" "0500030A0303" "D83DDE00");
    (void)fake_do("direct 00440C919343193254760008621112710000000A" "0500030A0303" "D83DDE00");
    quiet(h, 12);
    EXPECT_NOTHING(h, "data");
    (void)fake_do("sms 00440C9193431932547600086211127100000008" "0500030A0301" "0041");
    until(h, "data", 1);
    r = aff_harness_take(h, "data");
    assert_string_equal(aff_harness_text(h, r, "text"), "ABC😀");
    assert_int_equal(aff_harness_int(h, r, "parts"), 3);
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    finish(h);
}

TEST(a_long_message_with_a_part_missing_is_handed_on_in_the_end)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    (void)fake_do("sms 00440C9193431932547600086211127100000008" "0500030A0201" "0041");
    h = modem_new("parts_within = \"1min\"\n");
    (void)event_of(h, "ready", NULL);
    quiet(h, 4);
    EXPECT_NOTHING(h, "data");
    (void)aff_harness_clock(h, 61 * SECOND_NS);
    quiet(h, 4);
    EXPECT_NOTHING(h, "data"); /* that it gave up waiting is to be known after a restart */
    commits(h);
    until(h, "data", 1);
    r = aff_harness_take(h, "data");
    assert_string_equal(aff_harness_text(h, r, "text"), "A…");
    assert_int_equal(aff_harness_int(h, r, "missing"), 1);
    EXPECT_METRIC(h, "incomplete", 1);
    finish(h);
}

TEST(a_message_is_sent_and_its_report_is_tied_to_it)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    assert_int_equal(command(h, "sms", "+393491234567", "Good morning", 42), AFF_OK);
    r = result(h, "sent");
    assert_string_equal(aff_harness_text(h, r, "to"), "+393491234567");
    assert_int_equal(aff_harness_int(h, r, "id"), 42);
    assert_int_equal(aff_harness_int(h, r, "reference"), 1);
    /* 7-bit "Good morning", a report wanted, validity a day */
    until_shown(h, "003100" "0C91" "934319325476" "0000A7" "0C" "C7F79B0C6ABFE5EEB4FB0C", 1);
    (void)fake_do("report 1 48 393491234567");
    (void)event_of(h, "report", "trying");
    (void)fake_do("report 1 0 393491234567");
    r = result(h, "delivered");
    assert_int_equal(aff_harness_int(h, r, "id"), 42);
    (void)fake_do("report 1 0 393491234567"); /* once more: nobody's */
    quiet(h, 4);
    EXPECT_NOTHING(h, "results");
    EXPECT_VERDICT(h, "sent", 1);
    EXPECT_METRIC(h, "delivered", 1);
    finish(h);
}

TEST(a_report_of_failure_is_told)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    (void)fake_do("set reports 70");
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    (void)command(h, "sms", "393491234567", "x", 1);
    (void)result(h, "sent");
    r = result(h, "failed");
    assert_int_equal(aff_harness_int(h, r, "code"), 70);
    finish(h);
}

TEST(a_long_text_goes_out_in_parts_and_is_delivered_when_all_are)
{
    char text[401];
    struct aff_harness *h;
    const struct aff_record *r;

    memset(text, 'a', 400);
    text[400] = '\0';
    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    (void)command(h, "sms", "+393491234567", text, 7);
    r = result(h, "sent");
    assert_int_equal(aff_harness_int(h, r, "parts"), 3);
    (void)fake_do("report 2 0 393491234567");
    (void)fake_do("report 1 0 393491234567");
    quiet(h, 4);
    EXPECT_NOTHING(h, "results");
    (void)fake_do("report 3 0 393491234567");
    (void)result(h, "delivered");
    EXPECT_METRIC(h, "parts_sent", 3);
    finish(h);
}

/* ---- alerts ---- */

static const struct aff_column alert_columns[] = {
    { .name = "severity", .type = AFF_TEXT }, { .name = "state", .type = AFF_TEXT }, { .name = "rule", .type = AFF_TEXT },
    { .name = "place", .type = AFF_TEXT },    { .name = "text", .type = AFF_TEXT },
};
static const struct aff_schema alerts = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = "alerts", .columns = alert_columns,
    .count = 5, .stride = sizeof(struct aff_column),
};

static void alert(struct aff_harness *h, const char *state, const char *text)
{
    uint32_t stream = aff_harness_stream(h, "place", "alerts", &alerts);

    (void)AFF_PUSH_ROW(h, "commands", stream, AFF_CELL_TEXT("high"), AFF_CELL_TEXT(state), AFF_CELL_TEXT("news2_high"),
                       AFF_CELL_TEXT("bed 3"), AFF_CELL_TEXT(text));
}

TEST(an_alert_goes_to_all_its_numbers_and_says_what_it_is_not)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    (void)fake_do("set reports 0");
    h = modem_new("alert_to = [\"+3912\", \"+3934\"]\n");
    (void)event_of(h, "ready", NULL);
    alert(h, "raised", "NEWS2 8");
    r = result(h, "sent");
    assert_string_equal(aff_harness_text(h, r, "command"), "alert");
    /* "HIGH bed 3: NEWS2 8 (not for clinical use)" is 42 septets */
    until_shown(h, "2AC8E411091297C9A0990EE42C5EA732100E8472BFE920F35B0E1AB3D3EEF438CC06D5E7E514", 1);
    until(h, "results", 3);
    alert(h, "acknowledged", "NEWS2 8");
    quiet(h, 4);
    EXPECT_VERDICT(h, "filtered", 1);
    EXPECT_METRIC(h, "sent", 2);
    EXPECT_METRIC(h, "delivered", 2);
    finish(h);
}

TEST(an_alert_with_nobody_to_go_to_is_a_dead_letter)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    h = modem_new("");
    alert(h, "raised", "x");
    EXPECT_VERDICT(h, "nobody", 1);
    EXPECT_DEAD(h, 1);
    finish(h);
}

/* ---- other commands ---- */

TEST(bad_commands_are_refused_with_a_reason)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)command(h, "dance", NULL, NULL, 1);
    (void)command(h, "sms", "not a number", "x", 2);
    (void)command(h, "ussd", NULL, "*100#\";+CFUN=0", 3);
    (void)command(h, "at", NULL, "AT+CFUN=0", 4);
    EXPECT_WAITING(h, "results", 4);
    EXPECT_VERDICT(h, "bad_command", 4);
    EXPECT_DEAD(h, 4);
    finish(h);
}

TEST(ussd_is_asked_and_its_answer_is_the_result)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    (void)command(h, "ussd", NULL, "*100#", 1);
    r = result(h, "done");
    assert_string_equal(aff_harness_text(h, r, "reply"), "Balance 5.00");
    (void)event_of(h, "ussd", "done");
    finish(h);
}

TEST(raw_commands_go_through_where_they_are_allowed)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    h = modem_new("allow_raw = true\n");
    (void)event_of(h, "ready", NULL);
    (void)command(h, "at", NULL, "AT+CSCA?", 1);
    r = result(h, "done");
    assert_string_equal(aff_harness_text(h, r, "reply"), "+CSCA: \"+10000\",145");
    (void)command(h, "at", NULL, "AT+NOSUCH", 2);
    (void)result(h, "failed");
    (void)command(h, "at", NULL, "AT\r+CFUN=0", 3);
    (void)result(h, "bad_command");
    finish(h);
}

/* ---- data session ---- */

TEST(the_session_is_raised_said_as_a_link_and_raised_again)
{
    struct aff_link link = { .struct_size = sizeof link };
    struct aff_harness *h;
    uint32_t revision;

    fake_start(NULL, NULL);
    (void)fake_do("set registration 5");
    h = modem_new("apn = \"internet\"\n");
    (void)event_of(h, "link_up", NULL);
    until_shown(h, "1,\\\"IPV4V6\\\",\\\"internet\\\"", 1);
    assert_true(aff_harness_link_said(h, &link));
    assert_int_equal(link.up, 1);
    assert_int_equal(link.metered, 1);
    assert_int_equal(link.roaming, 1);
    assert_int_equal(link.technology, AFF_LINK_4G);
    revision = link.revision;
    (void)fake_do("code +CGEV: NW DEACT \"IP\",\"10.0.0.2\",1");
    (void)event_of(h, "link_down", NULL);
    assert_true(aff_harness_link_said(h, &link));
    assert_int_equal(link.up, 0);
    assert_true(link.revision > revision);
    (void)event_of(h, "link_up", NULL);
    (void)command(h, "disconnect", NULL, NULL, 1);
    (void)event_of(h, "link_down", NULL);
    until_shown(h, "AT+CGACT=0,1", 1);
    finish(h);
}

TEST(a_session_has_its_user_and_waits_while_roaming)
{
    struct aff_link link = { .struct_size = sizeof link };
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("set registration 5");
    h = modem_new("apn = \"a\"\nuser = \"u\"\npassword = \"secret\"\nwhen_roaming = false\n");
    (void)event_of(h, "ready", NULL);
    quiet(h, 20);
    assert_null(strstr(fake_do("show"), "CGDCONT"));
    (void)fake_do("set registration 1");
    (void)event_of(h, "link_up", NULL);
    until_shown(h, "AT+CGAUTH=1,2,\\\"u\\\",\\\"secret\\\"", 1);
    (void)fake_do("set registration 5");
    (void)event_of(h, "link_down", NULL);
    assert_true(aff_harness_link_said(h, &link));
    assert_int_equal(link.up, 0);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, "secret"), 0);
    finish(h);
}

/* A stand-in for pppd, which tests cannot run: it says a word on the line and waits. */
TEST(a_ppp_command_gets_the_line_and_gives_it_back)
{
    char more[512], script[128];
    struct aff_link link = { .struct_size = sizeof link };
    struct aff_harness *h;
    FILE *file;

    fake_start(NULL, NULL);
    (void)snprintf(script, sizeof script, "%s/fake_ppp", fake.folder);
    file = fopen(script, "w");
    assert_non_null(file);
    (void)fprintf(file, "#!/bin/sh\nprintf 'AT+FAKEPPP=%%s\\r' \"$1\"\nsleep 0.3\n");
    (void)fclose(file);
    assert_int_equal(chmod(script, 0700), 0);
    (void)snprintf(more, sizeof more, "apn = \"internet\"\nppp = [\"%s\", \"call me\"]\n", script);
    h = modem_new(more);
    (void)event_of(h, "link_up", NULL);
    assert_true(aff_harness_link_said(h, &link));
    assert_int_equal(link.up, 1);
    (void)event_of(h, "link_down", NULL);
    until_shown(h, "AT+FAKEPPP=call me", 1);
    (void)event_of(h, "ready", NULL);
    (void)unlink(script);
    finish(h);
}

TEST(bytes_of_the_interface_are_counted_since_it_is_up)
{
    char more[512], path[200];
    struct aff_link link = { .struct_size = sizeof link };
    struct aff_harness *h = NULL;
    static const char *const parts[] = { "class", "class/net", "class/net/wwan7", "class/net/wwan7/statistics" };
    static const char *const files[] = { "rx_bytes", "tx_bytes" };
    FILE *file;
    int i, round;

    fake_start(NULL, NULL);
    for (i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", fake.folder, parts[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    (void)snprintf(more, sizeof more, "apn = \"a\"\ninterface = \"wwan7\"\nsysfs = \"%s\"\n", fake.folder);
    for (round = 0; round < 2; round++) {
        for (i = 0; i < 2; i++) {
            (void)snprintf(path, sizeof path, "%s/%s/%s", fake.folder, parts[3], files[i]);
            file = fopen(path, "w");
            (void)fprintf(file, "%d\n", 1000 + 234 * round);
            (void)fclose(file);
        }
        if (round == 0) {
            h = modem_new(more);
            (void)event_of(h, "link_up", NULL);
            assert_true(aff_harness_link_said(h, &link));
            assert_true(link.received_bytes == 0);
        }
    }
    (void)fake_do("set registration 5"); /* a change that is said */
    while (aff_harness_link_said(h, &link) && !link.roaming)
        turn(h);
    assert_true(link.received_bytes == 234 && link.sent_bytes == 234);
    for (i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/%s/%s", fake.folder, parts[3], files[i]);
        (void)unlink(path);
    }
    for (i = 4; i-- > 0;) {
        (void)snprintf(path, sizeof path, "%s/%s", fake.folder, parts[i]);
        (void)rmdir(path);
    }
    finish(h);
}

TEST(calls_times_and_positions_are_told)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    (void)fake_do("set cgnsinf 1,1,20261121164500.000,45.5,7.25,250.5,36.0,90.0,1,,1.1,1.4,0.9,,12,8");
    h = modem_new("position = \"cgnsinf\"\n");
    until(h, "position", 1);
    r = aff_harness_take(h, "position");
    assert_true(fabs(aff_harness_real(h, r, "latitude") - 45.5) < 1e-9);
    assert_true(fabs(aff_harness_real(h, r, "speed") - 10) < 1e-9);
    (void)fake_do("code RING");
    (void)fake_do("code +CLIP: \"+3912345\",145");
    (void)event_of(h, "call", "ringing");
    r = event_of(h, "call", "number");
    assert_string_equal(aff_harness_text(h, r, "who"), "+3912345");
    (void)fake_do("code +CTZE: \"+04\",0,\"2026/11/21,16:45:00\"");
    r = event_of(h, "network_time", NULL);
    assert_int_equal(aff_harness_int(h, r, "number"), 60);
    finish(h);
}

AFF_TEST_MAIN(a_modem_is_set_up_and_tells_of_itself, status_rows_have_network_and_signal,
              a_message_is_handed_on_once_and_deleted_when_it_is_safe,
              a_message_that_was_handed_on_is_known_after_a_restart, parts_of_a_long_message_are_joined_in_any_order,
              a_long_message_with_a_part_missing_is_handed_on_in_the_end,
              a_message_is_sent_and_its_report_is_tied_to_it, a_report_of_failure_is_told,
              a_long_text_goes_out_in_parts_and_is_delivered_when_all_are,
              an_alert_goes_to_all_its_numbers_and_says_what_it_is_not,
              an_alert_with_nobody_to_go_to_is_a_dead_letter, bad_commands_are_refused_with_a_reason,
              ussd_is_asked_and_its_answer_is_the_result, raw_commands_go_through_where_they_are_allowed,
              the_session_is_raised_said_as_a_link_and_raised_again,
              a_session_has_its_user_and_waits_while_roaming, a_ppp_command_gets_the_line_and_gives_it_back,
              bytes_of_the_interface_are_counted_since_it_is_up, calls_times_and_positions_are_told)
