/* SPDX-License-Identifier: Apache-2.0
 *
 * test_stores.c - messages where a delete, a list, a store or the process that hands
 * them on fails: none is lost, none is told twice, and the others go on. */
#include "test_modem.h"

#include <sys/stat.h>

#define SECOND_PDU "00040C9193431932547600006211127100002005C8329BFD06"

static void says(struct aff_harness *h, const struct aff_record *r, const char *reply)
{
    const char *text = aff_harness_text(h, r, "reply");

    assert_string_equal(text ? text : "", reply);
}

static size_t times(const char *text, const char *wanted)
{
    size_t count = 0;

    for (; (text = strstr(text, wanted)) != NULL; text++)
        count++;
    return count;
}

TEST(what_a_restart_finds_is_deleted_only_by_a_commit_that_comes_after_it)
{
    struct aff_harness *h;
    uint64_t cuts;

    fake_start(NULL, NULL);
    (void)fake_do("sms " HELLO_PDU);
    h = modem_new("");
    until(h, "data", 1);
    aff_harness_discard(h, "events");
    cuts = aff_harness_cuts(h);
    aff_harness_restart(h); /* the process died, and the epoch had not ended */
    (void)event_of(h, "ready", NULL);
    assert_true(aff_harness_cuts(h) > cuts);
    quiet(h, 16);
    assert_null(strstr(fake_do("show"), "AT+CMGD"));
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    EXPECT_WAITING(h, "data", 1);
    finish(h);
}

TEST(a_store_that_cannot_be_chosen_is_not_asked_for_again_at_once_where_there_is_no_list)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("table AT+CMGL=4 ERROR");
    h = modem_new("");
    until_shown(h, "AT+CMGR=20", 1);
    (void)fake_do("code +CMTI: \"ME\",1");
    (void)fake_do("code +CMTI: \"ME\",2");
    (void)event_of(h, "store_refused", "ME");
    (void)fake_do("code +CMTI: \"ME\",3");
    quiet(h, 12);
    assert_int_equal(times(fake_do("show"), "AT+CPMS=\\\"ME\\\""), 1);
    (void)fake_do("sms " HELLO_PDU);
    until(h, "data", 1);
    finish(h);
}

TEST(a_message_that_cannot_be_deleted_stops_no_other)
{
    struct aff_harness *h;

    fake_start(NULL, NULL);
    (void)fake_do("fail AT+CMGD=1 1000 +CMS ERROR: 500");
    (void)fake_do("sms " HELLO_PDU);
    (void)fake_do("sms " SECOND_PDU);
    h = modem_new("");
    until(h, "data", 2);
    commits(h);
    until_shown(h, SECOND_PDU, 0);
    quiet(h, 16);
    EXPECT_WAITING(h, "data", 2);
    finish(h);
}

TEST(a_delete_with_an_unclear_end_is_tried_again_only_where_a_list_names_the_message)
{
    struct aff_harness *h;
    const char *first;

    fake_start(NULL, NULL);
    (void)fake_do("fail AT+CMGD=1 1 ERROR");
    (void)fake_do("sms " HELLO_PDU);
    h = modem_new("");
    until(h, "data", 1);
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    first = strstr(fake_do("show"), "AT+CMGD=1");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "AT+CMGD=1"));
    assert_true(strstr(first, "AT+CMGL") && strstr(first, "AT+CMGL") < strstr(first + 1, "AT+CMGD=1"));
    EXPECT_WAITING(h, "data", 1);
    finish(h);
}

/* The program has the line between two lists; the modem may be another one then. */
TEST(what_a_ppp_command_may_have_moved_is_listed_before_it_is_deleted)
{
    char more[512], script[128];
    struct aff_harness *h;
    const char *dialled;
    FILE *file;

    fake_start(NULL, NULL);
    (void)fake_do("sms " HELLO_PDU);
    (void)snprintf(script, sizeof script, "%s/fake_ppp", fake.folder);
    file = fopen(script, "w");
    assert_non_null(file);
    (void)fprintf(file, "#!/bin/sh\nsleep 0.3\n");
    (void)fclose(file);
    assert_int_equal(chmod(script, 0700), 0);
    (void)snprintf(more, sizeof more, "apn = \"internet\"\nppp = [\"%s\"]\n", script);
    h = modem_new(more);
    until(h, "data", 1);
    (void)event_of(h, "link_up", NULL);
    commits(h);
    (void)event_of(h, "link_down", NULL);
    until_shown(h, "\"store\": {}", 1);
    dialled = strstr(fake_do("show"), "ATD*99");
    assert_non_null(dialled);
    assert_true(strstr(dialled, "AT+CMGL") && strstr(dialled, "AT+CMGL") < strstr(dialled, "AT+CMGD"));
    (void)unlink(script);
    finish(h);
}

TEST(all_stores_as_one_that_cannot_be_chosen_leaves_each_by_itself)
{
    struct aff_harness *h;

    fake_start("--stores", "SM,ME");
    (void)fake_do("set receives ME");
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    (void)fake_do("code +CMTI: \"MT\",1");
    until_shown(h, "AT+CPMS=\\\"MT\\\"", 1);
    (void)fake_do("sms " HELLO_PDU); /* said by +CMTI: "ME" */
    until(h, "data", 1);
    (void)fake_do("code +CMTI: \"MT\",1");
    (void)fake_do("set receives SM");
    (void)fake_do("sms " SECOND_PDU);
    until(h, "data", 2);
    commits(h);
    while (strstr(fake_do("far"), "\"left\": []") == NULL)
        turn(h);
    quiet(h, 8);
    EXPECT_WAITING(h, "data", 2);
    assert_int_equal(times(fake_do("show"), "AT+CPMS=\\\"MT\\\""), 1);
    finish(h);
}

TEST(each_of_two_commands_that_wait_has_its_own_reply)
{
    struct aff_harness *h;
    const struct aff_record *r;

    fake_start(NULL, NULL);
    h = modem_new("allow_raw = true\n");
    (void)event_of(h, "ready", NULL);
    (void)command(h, "ussd", NULL, "*100#", 1);
    (void)command(h, "at", NULL, "AT+CSCA?", 2);
    (void)command(h, "at", NULL, "AT+CSQ", 3);
    r = result(h, "done");
    says(h, r, "Balance 5.00");
    r = result(h, "done");
    says(h, r, "+CSCA: \"+10000\",145");
    r = result(h, "done");
    says(h, r, "+CSQ: 20,99");
    finish(h);
}

TEST(a_store_that_was_refused_once_is_one_of_all_again)
{
    struct aff_harness *h;
    int i;

    fake_start("--stores", "SM,ME");
    (void)fake_do("fail AT+CPMS=\"ME\" 1 +CMS ERROR: 314");
    (void)fake_do("set receives ME");
    h = modem_new("");
    (void)event_of(h, "store_refused", "ME");
    (void)fake_do("sms " HELLO_PDU);
    until(h, "data", 1);
    for (i = 0; i < 2; i++) { /* what is uncommitted is found where it was */
        (void)fake_do("reset");
        (void)event_of(h, "ready", NULL);
        quiet(h, 24);
    }
    EXPECT_WAITING(h, "data", 1);
    finish(h);
}

TEST(a_restart_without_an_answer_about_stores_forgets_nothing)
{
    struct aff_harness *h;

    fake_start("--stores", "SM,ME");
    (void)fake_do("set receives ME");
    (void)fake_do("sms " HELLO_PDU);
    h = modem_new("");
    until(h, "data", 1);
    aff_harness_discard(h, "events");
    aff_harness_restart(h);
    (void)fake_do("reset"); /* it lists SM again */
    (void)fake_do("fail AT+CPMS? 1 +CMS ERROR: 314");
    (void)event_of(h, "ready", NULL);
    quiet(h, 24);
    (void)fake_do("code +CMTI: \"ME\",1");
    quiet(h, 24);
    EXPECT_WAITING(h, "data", 1);
    finish(h);
}

TEST(places_of_which_none_can_be_read_are_not_taken_for_empty)
{
    char order[64];
    struct aff_harness *h;
    int i;

    fake_start("--capacity", "4");
    (void)fake_do("table AT+CMGL=4 ERROR");
    (void)fake_do("sms " HELLO_PDU);
    h = modem_new("");
    until(h, "data", 1);
    quiet(h, 8);
    for (i = 1; i <= 4; i++) {
        (void)snprintf(order, sizeof order, "fail AT+CMGR=%d 1 ERROR", i);
        (void)fake_do(order);
    }
    for (i = 0; i < 2; i++) { /* all is read again */
        (void)fake_do("reset");
        (void)event_of(h, "ready", NULL);
        quiet(h, 16);
    }
    EXPECT_WAITING(h, "data", 1);
    commits(h);
    until_shown(h, "\"store\": {}", 1);
    finish(h);
}

TEST(a_raw_command_may_have_chosen_another_store)
{
    struct aff_harness *h;

    fake_start("--stores", "SM,ME");
    (void)fake_do("set receives ME");
    h = modem_new("allow_raw = true\n");
    until_shown(h, "AT+CPMS=\\\"ME\\\"", 1);
    (void)fake_do("sms " HELLO_PDU);
    until(h, "data", 1);
    quiet(h, 16);
    (void)command(h, "at", NULL, "AT+CPMS=\"SM\"", 1);
    (void)result(h, "done");
    (void)fake_do("sms " SECOND_PDU); /* said by +CMTI: "ME" */
    quiet(h, 24);
    EXPECT_WAITING(h, "data", 2);
    commits(h);
    while (strstr(fake_do("far"), "\"left\": []") == NULL)
        turn(h);
    quiet(h, 8);
    EXPECT_WAITING(h, "data", 2);
    finish(h);
}

TEST(a_report_that_was_not_told_before_a_restart_is_told_after_it)
{
    struct aff_harness *h;
    int id;

    fake_start(NULL, NULL);
    h = modem_new("");
    (void)event_of(h, "ready", NULL);
    for (id = 1; id <= 2; id++) {
        (void)command(h, "sms", "+393491234567", "x", id);
        (void)result(h, "sent");
    }
    quiet(h, 8);
    (void)fake_do("report 1 0 393491234567");
    (void)fake_do("report 2 0 393491234567");
    (void)aff_harness_read(h, 1);
    EXPECT_WAITING(h, "results", 1);
    aff_harness_restart(h);
    for (id = 1; id <= 2; id++)
        assert_int_equal(aff_harness_int(h, result(h, "delivered"), "id"), id);
    quiet(h, 16);
    EXPECT_NOTHING(h, "results");
    aff_harness_restart(h);
    quiet(h, 8);
    EXPECT_NOTHING(h, "results");
    finish(h);
}

AFF_TEST_MAIN(what_a_restart_finds_is_deleted_only_by_a_commit_that_comes_after_it,
              a_store_that_cannot_be_chosen_is_not_asked_for_again_at_once_where_there_is_no_list,
              a_message_that_cannot_be_deleted_stops_no_other,
              a_delete_with_an_unclear_end_is_tried_again_only_where_a_list_names_the_message,
              what_a_ppp_command_may_have_moved_is_listed_before_it_is_deleted,
              all_stores_as_one_that_cannot_be_chosen_leaves_each_by_itself, each_of_two_commands_that_wait_has_its_own_reply,
              a_store_that_was_refused_once_is_one_of_all_again, a_restart_without_an_answer_about_stores_forgets_nothing,
              places_of_which_none_can_be_read_are_not_taken_for_empty, a_raw_command_may_have_chosen_another_store,
              a_report_that_was_not_told_before_a_restart_is_told_after_it)
