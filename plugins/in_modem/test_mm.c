/* SPDX-License-Identifier: Apache-2.0
 *
 * test_mm.c - the queues of mm.h, the values behind it, and a bus that is not there.
 * The real daemon is in tests/devices/modemmanager.py. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "mm_own.h"

static struct mm *opened(void)
{
    struct mm *mm = calloc(1, mm_size());

    assert_non_null(mm);
    assert_true(mm_open(mm, &(struct mm_config){ .poll_s = 1 }));
    return mm;
}

static void closed(struct mm *mm)
{
    mm_close(mm);
    free(mm);
}

static const struct mm_event *wait_event(struct mm *mm, enum mm_kind kind)
{
    struct pollfd fd = { .fd = mm_fd(mm), .events = POLLIN };
    const struct mm_event *e;

    for (;;) {
        assert_int_equal(poll(&fd, 1, 20000), 1);
        while ((e = mm_next(mm)) != NULL)
            if (e->kind == kind)
                return e;
    }
}

static void without_a_bus_each_request_is_answered_at_once_and_in_order(void **state)
{
    struct mm *mm = opened();
    const struct mm_event *e;
    struct mm_state s;
    uint64_t i;

    (void)state;
    for (i = 1; i <= MM_ASKED_MOST; i++)
        assert_int_equal(mm_ask(mm, &(struct mm_request){ .id = i, .verb = i % 2 ? MM_SEND : MM_RESET, .number = "1" }), MM_TAKEN);
    for (i = 1; i <= MM_ASKED_MOST; i++) {
        e = wait_event(mm, MM_REPLY);
        assert_int_equal(e->id, i);
        assert_int_equal(e->verb, i % 2 ? MM_SEND : MM_RESET);
        assert_int_equal(e->fault, MM_ABSENT);
        assert_true(*e->words != '\0');
    }
    mm_state_get(mm, &s);
    assert_int_equal(s.presence, MM_NO_DAEMON);
    closed(mm);
}

static void a_request_has_its_place_until_its_reply_was_read(void **state)
{
    struct mm *mm = opened();
    struct mm_request r = { .verb = MM_TIME };
    const struct mm_event *e;
    int i;

    (void)state;
    for (i = 0; i < MM_ASKED_MOST; i++)
        assert_int_equal(mm_ask(mm, &r), MM_TAKEN);
    assert_int_equal(mm_ask(mm, &r), MM_TOO_MANY);
    e = wait_event(mm, MM_REPLY);
    assert_non_null(e);
    assert_int_equal(mm_ask(mm, &r), MM_TOO_MANY); /* it is still lent */
    (void)mm_next(mm);
    assert_int_equal(mm_ask(mm, &r), MM_TAKEN);
    closed(mm);
}

static void what_does_not_fit_is_refused_before_it_is_taken(void **state)
{
    static char text[MM_TEXT_MOST + 2], number[200];
    struct mm *mm = opened();

    (void)state;
    memset(text, 'x', sizeof text - 1);
    memset(number, '1', sizeof number - 1);
    assert_int_equal(mm_ask(mm, &(struct mm_request){ .text = text, .text_size = MM_TEXT_MOST + 1 }), MM_TOO_LONG);
    assert_int_equal(mm_ask(mm, &(struct mm_request){ .number = number }), MM_TOO_LONG);
    assert_int_equal(mm_ask(mm, &(struct mm_request){ .verb = MM_CONNECT, .apn = number }), MM_TOO_LONG);
    assert_int_equal(mm_ask(mm, &(struct mm_request){ .verb = MM_CONNECT, .user = number }), MM_TOO_LONG);
    assert_int_equal(mm_ask(mm, &(struct mm_request){ .verb = MM_CONNECT, .password = number }), MM_TOO_LONG);
    assert_int_equal(mm_ask(mm, &(struct mm_request){ .text = text, .text_size = MM_TEXT_MOST }), MM_TAKEN);
    closed(mm);
}

static void a_full_queue_takes_replies_and_no_more_messages(void **state)
{
    struct mm *mm = opened();
    const struct mm_event *e;
    char text[16];
    int i;

    (void)state;
    for (i = 0; i < MM_EVENTS_MOST; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        assert_true(mm_tell(mm, &(struct mm_event){ .kind = MM_MESSAGE, .text = text, .text_size = strlen(text) }, NULL));
    }
    assert_false(mm_tell(mm, &(struct mm_event){ .kind = MM_MESSAGE, .text = "x", .text_size = 1 }, NULL));
    for (i = 0; i < MM_ASKED_MOST; i++)
        assert_int_equal(mm_ask(mm, &(struct mm_request){ .id = 7, .verb = MM_TIME }), MM_TAKEN);
    for (i = 0; i < MM_EVENTS_MOST; i++) {
        e = wait_event(mm, MM_MESSAGE);
        assert_int_equal(strtol(e->text, NULL, 10), i);
    }
    for (i = 0; i < MM_ASKED_MOST; i++)
        assert_int_equal(wait_event(mm, MM_REPLY)->id, 7);
    closed(mm);
}

static void the_descriptor_is_silent_when_there_is_nothing(void **state)
{
    struct mm *mm = opened();
    struct pollfd fd = { .fd = mm_fd(mm), .events = POLLIN };

    (void)state;
    assert_true(mm_tell(mm, &(struct mm_event){ .kind = MM_CLOCK }, NULL));
    assert_int_equal(poll(&fd, 1, 1000), 1);
    while (mm_next(mm))
        continue;
    assert_int_equal(poll(&fd, 1, 0), 0);
    closed(mm);
}

static void closing_waits_for_no_reader(void **state)
{
    struct mm *mm;
    int i;

    (void)state;
    for (i = 0; i < 20; i++) {
        mm = opened();
        assert_int_equal(mm_ask(mm, &(struct mm_request){ .verb = MM_SEND, .number = "1", .text = "x", .text_size = 1 }), MM_TAKEN);
        assert_true(mm_tell(mm, &(struct mm_event){ .kind = MM_MESSAGE, .text = "left", .text_size = 4 }, NULL));
        mm_forget(mm, 99);
        closed(mm);
    }
}

static void no_descriptor_is_no_instance(void **state)
{
    struct mm *mm = calloc(1, mm_size());
    struct rlimit was, none;

    (void)state;
    assert_non_null(mm);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
    none = was;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_false(mm_open(mm, &(struct mm_config){ .poll_s = 1 }));
    assert_int_equal(errno, EMFILE);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
    free(mm);
}

static void times_are_read_with_their_zone_and_nonsense_is_none(void **state)
{
    static const char *const bad[] = { NULL, "", "x", "2026", "2026-13-01T00:00:00Z", "2026-03-04T25:00:00Z", "26/03/04,17:40:05" };
    struct sms_time t;
    size_t i;

    (void)state;
    assert_true(time_read("2026-03-04T17:40:05+01", &t));
    assert_int_equal(t.utc_ns, INT64_C(1772642405) * 1000000000);
    assert_int_equal(t.zone_min, 60);
    assert_true(time_read("2026-03-04T11:10:05-05:30", &t));
    assert_int_equal(t.utc_ns, INT64_C(1772642405) * 1000000000);
    assert_int_equal(t.zone_min, -330);
    assert_true(time_read("2026-03-04T16:40:05", &t));
    assert_int_equal(t.utc_ns, INT64_C(1772642405) * 1000000000);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(time_read(bad[i], &t));
        assert_false(t.is_set);
    }
}

static enum mm_fault fault_of(GQuark domain, int code, struct mm_event *e)
{
    GError *error = g_error_new_literal(domain, code, "number +15550002 refused");

    *e = (struct mm_event){ .kind = MM_REPLY };
    fault_read(error, e);
    g_error_free(error);
    assert_null(strstr(e->words, "1555")); /* an error's own text may quote what was sent */
    return e->fault;
}

static void errors_of_the_daemon_say_what_to_do(void **state)
{
    struct mm_event e;

    (void)state;
    assert_int_equal(fault_of(MM_MESSAGE_ERROR, 331, &e), MM_NETWORK);
    assert_int_equal(e.result, AT_CMS_ERROR);
    assert_int_equal(e.code, 331);
    assert_string_equal(e.words, "no network service");
    assert_int_equal(fault_of(MM_MOBILE_EQUIPMENT_ERROR, 30, &e), MM_NETWORK);
    assert_int_equal(e.result, AT_CME_ERROR);
    assert_int_equal(fault_of(MM_MOBILE_EQUIPMENT_ERROR, 11, &e), MM_LOCKED);
    assert_int_equal(fault_of(MM_MESSAGE_ERROR, 311, &e), MM_LOCKED);
    assert_int_equal(fault_of(MM_CONNECTION_ERROR, MM_CONNECTION_ERROR_NO_CARRIER, &e), MM_NETWORK);
    assert_int_equal(e.result, AT_NO_CARRIER);
    assert_int_equal(fault_of(MM_CORE_ERROR, MM_CORE_ERROR_UNAUTHORIZED, &e), MM_FORBIDDEN);
    assert_int_equal(fault_of(MM_CORE_ERROR, MM_CORE_ERROR_UNSUPPORTED, &e), MM_UNSUPPORTED);
    assert_int_equal(fault_of(MM_CORE_ERROR, MM_CORE_ERROR_WRONG_STATE, &e), MM_BUSY);
    assert_int_equal(fault_of(MM_CORE_ERROR, 4711, &e), MM_FAILED);
    assert_int_equal(fault_of(MM_SERIAL_ERROR, MM_SERIAL_ERROR_RESPONSE_TIMEOUT, &e), MM_TIMED_OUT);
    assert_int_equal(fault_of(G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY, &e), MM_ABSENT);
    assert_int_equal(fault_of(G_IO_ERROR, G_IO_ERROR_CLOSED, &e), MM_ABSENT);
    assert_int_equal(fault_of(G_IO_ERROR, G_IO_ERROR_TIMED_OUT, &e), MM_TIMED_OUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_bus_each_request_is_answered_at_once_and_in_order),
        cmocka_unit_test(a_request_has_its_place_until_its_reply_was_read),
        cmocka_unit_test(what_does_not_fit_is_refused_before_it_is_taken),
        cmocka_unit_test(a_full_queue_takes_replies_and_no_more_messages),
        cmocka_unit_test(the_descriptor_is_silent_when_there_is_nothing),
        cmocka_unit_test(closing_waits_for_no_reader),
        cmocka_unit_test(no_descriptor_is_no_instance),
        cmocka_unit_test(times_are_read_with_their_zone_and_nonsense_is_none),
        cmocka_unit_test(errors_of_the_daemon_say_what_to_do),
    };

    (void)setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
