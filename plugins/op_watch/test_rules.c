/* SPDX-License-Identifier: Apache-2.0
 *
 * test_rules.c - what rules may not say, what `check` knows of their columns, and
 * what goes out by which label.
 *
 * Not here: what rules find (test_op_watch.c). */
#include "testing.h"

static void refused(const char *rule, const char *place, const char *text)
{
    char toml[1024];
    const char *said;

    (void)snprintf(toml, sizeof toml, "rules = [{ name = \"x\", %s }]", rule);
    said = aff_harness_check("op_watch", toml);
    assert_non_null(said);
    if (!strstr(said, place) || !strstr(said, text))
        fail_msg("%s\nsays: %s\nnot: %s ... %s", toml, said, place, text);
}

TEST(a_rule_that_can_find_nothing_is_refused)
{
    refused("kind = \"silent\"", "rules[0].for", "5s");
    refused("kind = \"flat\", column = \"hr\"", "rules[0].for", "5s");
    refused("kind = \"flat\", for = \"5s\"", "rules[0].column", "name it");
    refused("kind = \"silent\", for = \"5s\", column = \"hr\"", "rules[0].column", "leave it out");
    refused("kind = \"out_of_range\", column = \"hr\"", "rules[0].low", "both missing");
    refused("kind = \"out_of_range\", column = \"hr\", low = 2, high = 1", "rules[0].low", "exchange");
    refused("kind = \"suspect\", high = 1", "rules[0].high", "out_of_range");
    refused("kind = \"event\", event = \"line_lost\"", "rules[0].until", "line_back");
    refused("kind = \"suspect\", event = \"line_lost\"", "rules[0].event", "kind event");
    refused("kind = \"suspect\", beside = \"hr\"", "rules[0].beside", "judge a column");
    refused("kind = \"suspect\" }, { name = \"x\", kind = \"suspect\"", "rules[1].name", "each name once");
}

TEST(an_alert_needs_a_place_and_an_escalation_a_command)
{
    refused("kind = \"suspect\", severity = \"low\"", "place", "where to go");
    refused("kind = \"suspect\", text = \"x\"", "rules[0].text", "severity");
    refused("kind = \"suspect\", command = \"reset\", alert = \"escalated\"", "rules[0].alert", "severity");
    refused("kind = \"suspect\", command = \"r\", command_most = 9", "command_most", "8");
    EXPECT_REFUSED("op_watch", "place = \"bed {bed}\"\nrules = [{ name = \"x\", kind = \"suspect\" }]", "{subject}");
    EXPECT_REFUSED("op_watch", "stream = \"\"\nrules = [{ name = \"x\", kind = \"suspect\" }]", "short name");
    EXPECT_REFUSED("op_watch", "rules = []", "1");
    assert_null(aff_harness_check("op_watch", "place = \"bed {subject}\"\nrules = [{ name = \"x\", kind = \"suspect\", command = \"r\", "
                                  "alert = \"escalated\", severity = \"high\" }]"));
}

static const struct aff_shape in_rows = { .struct_size = sizeof in_rows, .port = 0, .schema = &rows_schema_of,
                                          .subject = AFF_LABEL_PHI, .times = AFF_LABEL_QUASI };

static const char *shaped(const char *toml, const struct aff_shape *extra, const struct aff_shape **out)
{
    struct aff_shape inputs[2] = { in_rows, { 0 } };

    if (extra)
        inputs[1] = *extra;
    return aff_harness_shape("op_watch", toml, inputs, extra ? 2 : 1, out);
}

TEST(columns_have_to_be_there)
{
    const struct aff_shape open = { .struct_size = sizeof open, .port = 0 };
    const struct aff_shape *out;
    const char *said = shaped("rules = [{ name = \"x\", kind = \"missing\", column = \"hrr\", beside = \"State\" }]", NULL, &out);

    assert_non_null(said);
    assert_non_null(strstr(said, "did you mean \"hr\"?"));
    assert_non_null(strstr(said, "did you mean \"state\"?"));
    said = shaped("rules = [{ name = \"x\", kind = \"out_of_range\", column = \"note\", high = 1 }]", NULL, &out);
    assert_non_null(said);
    assert_non_null(strstr(said, "that it can judge"));
    assert_null(shaped("rules = [{ name = \"x\", kind = \"missing\", column = \"note\" }]", NULL, &out));
    assert_null(shaped("rules = [{ name = \"x\", kind = \"missing\", column = \"ecg\" }]", &open, &out));
}

TEST(rules_on_events_need_a_devices_events)
{
    const struct aff_shape events = { .struct_size = sizeof events, .port = 1, .schema = &events_schema };
    const struct aff_shape rows = { .struct_size = sizeof rows, .port = 1, .schema = &rows_schema_of };
    static const char toml[] = "rules = [{ name = \"x\", kind = \"bad_rate\" }]";
    const struct aff_shape *out;
    const char *said = shaped(toml, NULL, &out);

    assert_non_null(said);
    assert_non_null(strstr(said, "events = \"NODE.events\""));
    said = shaped(toml, &rows, &out);
    assert_non_null(said);
    assert_non_null(strstr(said, "lacks the column kind"));
    assert_null(shaped(toml, &events, &out));
}

TEST(commands_and_alerts_carry_no_label_unless_their_place_names_the_subject)
{
    const struct aff_shape *out;

    assert_null(shaped("place = \"bed 3\"\nrules = [{ name = \"x\", kind = \"suspect\", command = \"r\" }]", NULL, &out));
    assert_int_equal(out[1].subject, AFF_LABEL_PHI);
    assert_int_equal(out[1].times, AFF_LABEL_QUASI);
    assert_int_equal(out[2].subject, AFF_LABEL_NONE);
    assert_int_equal(out[2].silent, 0);
    assert_int_equal(out[3].silent, 1);
    assert_null(shaped("place = \"{subject}\"\nrules = [{ name = \"x\", kind = \"suspect\", severity = \"low\" }]", NULL, &out));
    assert_int_equal(out[2].subject, AFF_LABEL_PHI);
    assert_int_equal(out[3].subject, AFF_LABEL_PHI);
    assert_int_equal(out[3].schema->columns[3].label, AFF_LABEL_PHI);
    assert_int_equal(out[2].silent, 1);
}

AFF_TEST_MAIN(a_rule_that_can_find_nothing_is_refused, an_alert_needs_a_place_and_an_escalation_a_command,
              columns_have_to_be_there, rules_on_events_need_a_devices_events,
              commands_and_alerts_carry_no_label_unless_their_place_names_the_subject)
