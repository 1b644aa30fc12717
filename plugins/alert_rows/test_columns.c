/* SPDX-License-Identifier: Apache-2.0
 *
 * test_columns.c - the row of an alert: what was put in comes out, in the room that was
 * asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "columns.h"

static void expect_text(const struct aff_record *r, uint32_t column, const char *text)
{
    uint32_t length = 0;
    const char *is = aff_row_text(r, OUT_COLUMNS, column, &length);

    assert_non_null(is);
    assert_int_equal(length, strlen(text));
    assert_memory_equal(is, text, length);
}

static void a_row_has_every_column_of_the_alert(void **state)
{
    static const char text[] = "SpO2 88";
    const struct alert_row row = { .severity = SEVERITY_TECHNICAL, .state = STATE_ENDED, .rule = "low", .place = "bed 3",
                                   .text = text, .text_length = 4, .alert = 0xabc, .since_ns = -5, .count = 7 };
    uint64_t room[64];
    struct aff_record r = { .data = room, .size = alert_row_room(&row) };

    (void)state;
    assert_true(r.size <= sizeof room);
    r.size = alert_row_write(&r, &row);
    assert_true(r.size <= alert_row_room(&row));
    expect_text(&r, OUT_SEVERITY, "technical");
    expect_text(&r, OUT_STATE, "ended");
    expect_text(&r, OUT_RULE, "low");
    expect_text(&r, OUT_PLACE, "bed 3");
    expect_text(&r, OUT_TEXT, "SpO2");
    expect_text(&r, OUT_ALERT, "0000000000000abc");
    assert_int_equal(aff_row_int(&r, OUT_COLUMNS, OUT_SINCE), -5);
    assert_int_equal(aff_row_int(&r, OUT_COLUMNS, OUT_COUNT), 7);
}

static void the_longest_words_fit_into_the_room_that_was_asked_for(void **state)
{
    uint32_t severity, is;

    (void)state;
    for (severity = 0; severity < SEVERITIES; severity++)
        for (is = 0; is < STATES; is++) {
            const struct alert_row row = { .severity = (enum severity)severity, .state = (enum tell_state)is, .rule = "",
                                           .place = "", .text = "", .alert = UINT64_MAX };
            uint64_t room[64] = { 0 };
            struct aff_record r = { .data = room, .size = alert_row_room(&row) };

            assert_true(alert_row_write(&r, &row) <= alert_row_room(&row));
            expect_text(&r, OUT_ALERT, "ffffffffffffffff");
            expect_text(&r, OUT_SEVERITY, severity_names[severity]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_has_every_column_of_the_alert),
        cmocka_unit_test(the_longest_words_fit_into_the_room_that_was_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
