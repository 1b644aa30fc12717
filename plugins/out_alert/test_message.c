/* SPDX-License-Identifier: Apache-2.0
 *
 * test_message.c - the forms of an alert, and hostile content in each. */
#include <afferent/testkit.h>

#include <stdlib.h>
#include <string.h>

#include "message.h"

static struct part part(const char *text)
{
    return (struct part){ text, text ? (uint32_t)strlen(text) : 0 };
}

static struct message usual(void)
{
    struct message m = { .severity = part("high"), .state = part("raised"), .rule = part("news2_high"),
                         .place = part("bed 3"), .text = part("NEWS2 8: call the team"),
                         .alert = part("0123456789abcdef"), .time_ns = INT64_C(1772712003999999999),
                         .since_ns = INT64_C(1772712000000000000), .has_since = true, .has_count = true };

    return m;
}

static const char *line_of(const struct message *m)
{
    static char text[LINE_MOST];
    struct out o = { text, 0, sizeof text, false };

    message_line(&o, m);
    return out_end(&o);
}

static const char *json_of(const struct message *m)
{
    static char text[JSON_MOST];
    struct out o = { text, 0, sizeof text, false };

    message_json(&o, m);
    assert_false(o.cut);
    return out_end(&o);
}

static const char *fill_of(const char *template, const struct message *m)
{
    static char text[LINE_MOST];
    struct out o = { text, 0, sizeof text, false };

    assert_null(template_problem(template));
    message_fill(&o, template, m);
    return out_end(&o);
}

TEST(a_line_has_time_class_place_text_rule_state_and_note)
{
    struct message m = usual();

    assert_string_equal(line_of(&m), "2026-03-05 12:00:03Z HIGH bed 3: NEWS2 8: call the team [news2_high] raised "
                                     "(not for clinical use)");
    m.state = part("repeated");
    m.count = 2;
    m.severity = part("technical");
    assert_string_equal(line_of(&m), "2026-03-05 12:00:03Z TECHNICAL bed 3: NEWS2 8: call the team [news2_high] "
                                     "repeated 2 (not for clinical use)");
}

TEST(what_is_missing_or_unknown_is_told_all_the_same)
{
    struct message m = { .severity = part("catastrophic") };

    assert_string_equal(line_of(&m), "1970-01-01 00:00:00Z catastrophic -: - [-] (not for clinical use)");
    assert_string_equal(json_of(&m), "{\"time\":\"1970-01-01T00:00:00Z\",\"note\":\"not for clinical use\",\"severity\":"
                                     "\"catastrophic\",\"state\":null,\"rule\":null,\"place\":null,\"text\":null,"
                                     "\"alert\":null}\n");
}

TEST(control_characters_are_shown_and_do_not_act)
{
    struct message m = usual();

    m.text = part("a\nb\r\033[2J\x7f\xc2\x9b\xff \xe2\x80\xae\xe2\x80\xa8\xef\xbb\xbf \"\\ \xc3\xa9\xf0\x9f\x9a\x91");
    assert_string_equal(line_of(&m), "2026-03-05 12:00:03Z HIGH bed 3: a\\x0ab\\x0d\\x1b[2J\\x7f\\x9b\\xff "
                                     "\\u{202e}\\u{2028}\\u{feff} \"\\ \xc3\xa9\xf0\x9f\x9a\x91 [news2_high] raised "
                                     "(not for clinical use)");
    assert_non_null(strstr(json_of(&m), "\"text\":\"a\\u000ab\\u000d\\u001b[2J\\u007f\\u009b\\ufffd \\u202e\\u2028\\ufeff "
                                        "\\\"\\\\ \xc3\xa9\xf0\x9f\x9a\x91\""));
}

TEST(long_texts_cannot_push_the_note_out)
{
    static char text[20000];
    struct message m = usual();
    size_t length;

    memset(text, 27, sizeof text - 1);
    m.text = m.place = m.rule = m.state = m.severity = m.alert = part(text);
    length = strlen(line_of(&m));
    assert_true(length < LINE_MOST);
    assert_string_equal(line_of(&m) + length - 22, "(not for clinical use)");
    length = strlen(json_of(&m));
    assert_string_equal(json_of(&m) + length - 2, "}\n");
    assert_non_null(strstr(fill_of("{text}", &m), "(not for clinical use)"));
}

TEST(texts_are_filled_with_names)
{
    struct message m = usual();

    assert_string_equal(fill_of("{text}", &m), "NEWS2 8: call the team (not for clinical use)");
    assert_string_equal(fill_of("--at={place}", &m), "--at=bed 3");
    assert_string_equal(fill_of("{{{rule}}}", &m), "{news2_high}");
    assert_string_equal(fill_of("{severity}/{state}/{count}/{alert}", &m), "high/raised/0/0123456789abcdef");
    assert_string_equal(fill_of("{time} {since}", &m), "2026-03-05T12:00:03Z 2026-03-05T12:00:00Z");
    assert_string_equal(fill_of("{message}", &m), line_of(&m));
    assert_string_equal(fill_of("", &m), "");
    assert_non_null(template_problem("{colour}"));
    assert_non_null(template_problem("{"));
    assert_non_null(template_problem("a } b"));
    assert_non_null(template_problem("{}"));
}

TEST(an_alert_cannot_become_an_option_of_the_command)
{
    struct message m = usual();

    m.place = part("--delete=everything");
    assert_string_equal(fill_of("{place}", &m), " --delete=everything");
    assert_string_equal(fill_of("at {place}", &m), "at --delete=everything");
    m.place = part(NULL);
    assert_string_equal(fill_of("{place}", &m), " -");
}

AFF_TEST_MAIN(a_line_has_time_class_place_text_rule_state_and_note,
              what_is_missing_or_unknown_is_told_all_the_same,
              control_characters_are_shown_and_do_not_act,
              long_texts_cannot_push_the_note_out,
              texts_are_filled_with_names,
              an_alert_cannot_become_an_option_of_the_command)
