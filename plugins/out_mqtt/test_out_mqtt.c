/* SPDX-License-Identifier: Apache-2.0
 *
 * test_out_mqtt.c - topics, what is refused beforehand, and a broker that is not there.
 *
 * Not here: a broker (tests/net/mqtt.py). */
#include <afferent/testkit.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mqtt/testing.h"
#include "topic.h"

static const char *topic_of(const char *template, const char *subject, const char *stream)
{
    static char topic[TOPIC_ROOM];

    assert_null(topic_problem(template));
    return topic_write(topic, sizeof topic, template, subject, stream) ? topic : NULL;
}

TEST(names_are_filled_in_and_never_make_a_level)
{
    assert_string_equal(topic_of("ward/{subject}/{stream}", "bed-7", "ecg"), "ward/bed-7/ecg");
    assert_string_equal(topic_of("{subject}", "a/b+c#d", ""), "a%2Fb%2Bc%23d");
    assert_string_equal(topic_of("{subject}", "$SYS", ""), "%24SYS");
    assert_string_equal(topic_of("w/{subject}/x", "", ""), "w/%00/x");
    assert_string_equal(topic_of("w/{subject}", "100%", ""), "w/100%25");
    assert_string_equal(topic_of("w/{subject}", "\xc3\xa4\n\x7f", ""), "w/%C3%A4%0A%7F");
    assert_string_equal(topic_of("{stream}{subject}", "{stream}", "{subject}"), "%7Bsubject%7D%7Bstream%7D");
}

TEST(two_names_never_give_one_topic)
{
    static const char *const names[] = { "", "%00", "a", "A", "a/b", "a%2Fb", "a%2fb", "a_b", "a-b", "a.b", " ", "%20", "+", "#" };
    char one[TOPIC_ROOM], other[TOPIC_ROOM];
    size_t i, k;

    for (i = 0; i < sizeof names / sizeof names[0]; i++)
        for (k = 0; k < i; k++) {
            assert_true(topic_write(one, sizeof one, "{subject}", names[i], ""));
            assert_true(topic_write(other, sizeof other, "{subject}", names[k], ""));
            assert_string_not_equal(one, other);
        }
}

TEST(a_topic_that_does_not_fit_is_refused_at_every_length)
{
    char to[TOPIC_ROOM], wanted[64];
    size_t room;

    (void)snprintf(wanted, sizeof wanted, "w/a%%2F/%%00/e");
    for (room = 1; room < 40; room++) {
        memset(to, 'z', sizeof to);
        assert_int_equal(topic_write(to, room, "w/{subject}/{stream}/e", "a/", ""), room > strlen(wanted));
        assert_int_equal(to[room], 'z');
        if (room > strlen(wanted))
            assert_string_equal(to, wanted);
    }
}

TEST(a_template_that_is_no_topic_is_refused)
{
    static const char *const bad[] = { "", "a/+", "#", "a\n", "{", "}", "{sub}", "a{subject", "$share/g/a", "$SYS/a", "\xff" };
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(topic_problem(bad[i]));
}

#define BROKER "broker = \"mqtts://broker.example\"\n"

TEST(options_that_do_not_go_together_are_refused)
{
    EXPECT_REFUSED("out_mqtt", "topic = \"a\"", "broker");
    EXPECT_REFUSED("out_mqtt", "broker = \"http://a\"\ntopic = \"a\"", "mqtts://");
    EXPECT_REFUSED("out_mqtt", BROKER "topic = \"a/#\"", "topic");
    EXPECT_REFUSED("out_mqtt", BROKER "topic = \"a\"\npassword = \"geheim\"", "add user");
    EXPECT_REFUSED("out_mqtt", BROKER "topic = \"a\"\nexpire = \"10ms\"", "expire");
    EXPECT_REFUSED("out_mqtt", "broker = \"mqtt://a\"\naccept_any_server = true\ntopic = \"a\"", "is for TLS");
    EXPECT_REFUSED("out_mqtt", BROKER "client_id = \"a\\u0001\"\ntopic = \"a\"", "client_id");
    assert_null(aff_harness_notes("out_mqtt", BROKER "topic = \"a\""));
    assert_non_null(strstr(aff_harness_notes("out_mqtt", BROKER "accept_any_server = true\ntopic = \"a\""), "any server"));
    assert_null(aff_harness_check("out_mqtt", BROKER "topic = \"ward/{subject}\"\nuser = \"a\"\npassword = \"b\""));
}

/* Options with a broker's address that nobody is at; gives what keeps the port. */
static int nobody_listens(char *toml, size_t room)
{
    unsigned port = 0;
    int fd = port_of_nobody(&port);

    assert_true(fd >= 0);
    (void)snprintf(toml, room, "broker = \"mqtt://127.0.0.1:%u\"\ntopic = \"a/{subject}\"\nformat = \"raw\"", port);
    return fd;
}

static void a_broker_that_is_away(void)
{
    char toml[200];
    int fd = nobody_listens(toml, sizeof toml);
    struct aff_harness *h = aff_harness_open("out_mqtt", toml);

    if (h) {
        aff_status status = aff_harness_push(h, "in", "bytes", "hello", 5);

        if (!aff_harness_failed_call(h)) {
            EXPECT_STATUS(status, AFF_ERR_IO);
            EXPECT_CAUSE(h, "broker");
            EXPECT_STATUS(aff_harness_retry(h), AFF_ERR_IO);
        }
        aff_harness_close(&h);
    }
    (void)close(fd);
}

TEST(a_broker_that_is_away_is_an_io_error_and_the_record_stays)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(a_broker_that_is_away);
}

AFF_TEST_MAIN(names_are_filled_in_and_never_make_a_level, two_names_never_give_one_topic,
              a_topic_that_does_not_fit_is_refused_at_every_length, a_template_that_is_no_topic_is_refused,
              options_that_do_not_go_together_are_refused, a_broker_that_is_away_is_an_io_error_and_the_record_stays)
