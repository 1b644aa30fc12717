/* SPDX-License-Identifier: Apache-2.0
 *
 * test_in_mqtt.c - which message is which, names from topics, what is refused beforehand.
 *
 * Not here: a broker (tests/net/mqtt.py). */
#include <afferent/testkit.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "known.h"
#include "mqtt/testing.h"
#include "names.h"
#include "sockets.h"

enum { ROOM = 8 };

struct shelf {
    struct known known;
    struct known_one ones[ROOM];
};

static struct known *shelf_open(struct shelf *s)
{
    memset(s, 0, sizeof *s);
    s->known = (struct known){ .ones = s->ones, .room = ROOM, .key = { 1, 2 } };
    return &s->known;
}

static struct message_marks marks(const char *topic, const char *id, const char *payload, uint16_t packet, bool again)
{
    return (struct message_marks){ topic, id, id ? (uint32_t)strlen(id) : 0, payload, (uint32_t)strlen(payload), packet, again };
}

static bool take(struct known *k, struct message_marks m, struct known_one *ret)
{
    if (known_is(k, &m, ret))
        return false;
    known_add(k, ret);
    return true;
}

TEST(a_publishers_id_tells_a_message_whatever_its_packet)
{
    struct shelf s;
    struct known *k = shelf_open(&s);
    struct known_one one, two;

    assert_true(take(k, marks("t", "id-1", "x", 1, false), &one));
    assert_false(take(k, marks("t", "id-1", "x", 9, false), &two));
    assert_false(take(k, marks("t", "id-1", "x", 1, true), &two));
    assert_true(take(k, marks("t", "id-2", "x", 1, false), &two));
    assert_true(take(k, marks("u", "id-1", "x", 1, false), &two));
}

TEST(an_id_that_is_empty_or_stands_by_other_content_loses_nothing)
{
    struct shelf s;
    struct known *k = shelf_open(&s);
    struct known_one one;

    assert_true(take(k, marks("t", "", "x", 1, false), &one));
    assert_true(take(k, marks("t", "", "x", 2, false), &one));
    assert_false(take(k, marks("t", "", "x", 2, true), &one));
    assert_true(take(k, marks("t", "monitor-7", "x", 3, false), &one)); /* names its device, not its message */
    assert_true(take(k, marks("t", "monitor-7", "y", 4, false), &one));
    assert_false(take(k, marks("t", "monitor-7", "y", 5, false), &one));
}

TEST(without_one_a_redelivery_is_known_by_packet_and_content)
{
    struct shelf s;
    struct known *k = shelf_open(&s);
    struct known_one one, two;

    assert_true(take(k, marks("t", NULL, "x", 1, false), &one));
    assert_false(take(k, marks("t", NULL, "x", 1, true), &two));
    assert_true(take(k, marks("t", NULL, "y", 1, true), &two));
    assert_true(take(k, marks("t", NULL, "x", 2, true), &two));
    assert_true(take(k, marks("t", NULL, "x", 1, false), &two)); /* another of the same kind */
    assert_memory_equal(&one.digest, &two.digest, sizeof one.digest);
    assert_int_equal(two.turn, 1);
}

TEST(a_redelivery_of_what_was_not_committed_has_the_same_id)
{
    struct shelf s;
    struct known *k = shelf_open(&s);
    struct known_one one, again;
    struct message_marks m = marks("t", NULL, "x", 7, false);

    assert_false(known_is(k, &m, &one)); /* handed on, and then a death */
    m.is_again = true;
    assert_false(known_is(k, &m, &again));
    assert_memory_equal(&one, &again, sizeof one);
}

TEST(parts_of_a_mark_do_not_run_into_each_other)
{
    struct shelf s;
    struct known *k = shelf_open(&s);
    struct message_marks a = marks("ab", "c", "", 0, false), b = marks("a", "bc", "", 0, false);
    struct message_marks c = marks("a", NULL, "bc", 0, false), d = marks("ab", NULL, "c", 0, false);
    struct digest da = known_digest(k, &a), db = known_digest(k, &b), dc = known_digest(k, &c), dd = known_digest(k, &d);

    assert_memory_not_equal(&da, &db, sizeof da);
    assert_memory_not_equal(&dc, &dd, sizeof dc);
    assert_memory_not_equal(&db, &dc, sizeof db);
}

TEST(digests_depend_on_the_key)
{
    struct shelf s;
    struct known *k = shelf_open(&s);
    struct message_marks m = marks("t", "id", "", 0, false);
    struct digest a = known_digest(k, &m), b;

    k->key[0] ^= 1;
    b = known_digest(k, &m);
    assert_memory_not_equal(&a, &b, sizeof a);
    assert_true(a.words[0] != a.words[1]);
}

TEST(the_oldest_is_forgotten_first)
{
    struct shelf s;
    struct known *k = shelf_open(&s);
    struct known_one one;
    char id[12];
    int i;

    for (i = 0; i <= ROOM; i++) {
        (void)snprintf(id, sizeof id, "%d", i);
        assert_true(take(k, marks("t", id, "", 0, false), &one));
    }
    assert_false(take(k, marks("t", "1", "", 0, false), &one));
    assert_true(take(k, marks("t", "0", "", 0, false), &one));
}

TEST(what_is_known_outlives_a_restart)
{
    struct shelf s, t;
    struct known *k = shelf_open(&s), *restored = shelf_open(&t);
    struct known_one one;
    char id[12];
    uint8_t bytes[1024];
    size_t size, i;

    for (i = 0; i < ROOM + 3; i++) {
        (void)snprintf(id, sizeof id, "%zu", i);
        assert_true(take(k, marks("t", id, "", 0, false), &one));
    }
    size = known_write(k, NULL, 0);
    assert_int_equal(known_write(k, bytes, size), size);
    restored->key[0] = 99;
    assert_true(known_read(restored, bytes, size));
    for (i = 3; i < ROOM + 3; i++) {
        (void)snprintf(id, sizeof id, "%zu", i);
        assert_false(take(restored, marks("t", id, "", 0, false), &one));
    }
    for (i = 0; i < size; i++)
        assert_false(known_read(restored, bytes, i));
    bytes[0] ^= 1;
    assert_false(known_read(restored, bytes, size));
}

TEST(what_is_known_fits_into_a_smaller_room)
{
    struct shelf s, t;
    struct known *k = shelf_open(&s), *small = shelf_open(&t);
    struct known_one one;
    uint8_t bytes[1024];
    char id[12];
    int i;

    for (i = 0; i < ROOM; i++) {
        (void)snprintf(id, sizeof id, "%d", i);
        (void)take(k, marks("t", id, "", 0, false), &one);
    }
    small->room = 2;
    assert_true(known_read(small, bytes, known_write(k, bytes, sizeof bytes)));
    assert_false(take(small, marks("t", "7", "", 0, false), &one));
    assert_false(take(small, marks("t", "6", "", 0, false), &one));
    assert_true(take(small, marks("t", "5", "", 0, false), &one));
}

TEST(names_come_from_levels_as_out_mqtt_writes_them)
{
    char name[NAME_ROOM], longest[600];

    assert_true(name_write(name, "{2}", "ward/7%2Fb%2B/ecg"));
    assert_string_equal(name, "7/b+");
    assert_true(name_write(name, "{1}-{3}", "ward/x/ecg"));
    assert_string_equal(name, "ward-ecg");
    assert_true(name_write(name, "{topic}", "ward/7%2Fb"));
    assert_string_equal(name, "ward/7%2Fb");
    assert_true(name_write(name, "{1}", "100%"));
    assert_string_equal(name, "100%");
    assert_true(name_write(name, "{1}", "%00"));
    assert_string_equal(name, "%00");
    assert_true(name_write(name, "{1}", "%0A%zz"));
    assert_string_equal(name, "%0A%zz");
    assert_false(name_write(name, "{4}", "a/b/c"));
    assert_false(name_write(name, "{2}", "a//c"));
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_false(name_write(name, "{topic}", longest));
    longest[NAME_ROOM - 1] = '\0';
    assert_true(name_write(name, "{topic}", longest));
    assert_false(name_write(name, "{topic}x", longest));
    assert_false(name_write(name, "{topic}", "a\xff"));
}

TEST(filters_are_those_of_mqtt)
{
    static const char *const fine[] = { "a", "/", "a/b", "+", "#", "a/#", "+/a/+", "a/+/#", "$SYS/#", "$share/g/a/#", "$share/g//a" };
    static const char *const bad[] = { "", "a#", "#/a", "a+", "a/+b", "a/#/b", "##", "$share/g", "$share//a", "$share/g/",
                                       "$share/g+/a", "a\x01", "\xff" };
    size_t i;

    for (i = 0; i < sizeof fine / sizeof fine[0]; i++)
        assert_null(filter_problem(fine[i]));
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(filter_problem(bad[i]));
}

#define BROKER "broker = \"mqtts://broker.example\"\n"

TEST(options_that_do_not_go_together_are_refused)
{
    EXPECT_REFUSED("in_mqtt", BROKER "topics = [\"a\"]", "client_id");
    EXPECT_REFUSED("in_mqtt", BROKER "client_id = \"a\"\ntopics = []", "topics");
    EXPECT_REFUSED("in_mqtt", BROKER "client_id = \"a\"\ntopics = [\"a\", \"#/b\"]", "topics[1]");
    EXPECT_REFUSED("in_mqtt", BROKER "client_id = \"a\"\ntopics = [\"a\"]\nsubject = \"{0}\"", "subject");
    EXPECT_REFUSED("in_mqtt", BROKER "client_id = \"a\"\ntopics = [\"a\"]\nstream = \"\"", "stream");
    EXPECT_REFUSED("in_mqtt", BROKER "client_id = \"a\"\ntopics = [\"a\"]\nkey = \"/k\"", "key");
    assert_null(aff_harness_check("in_mqtt", BROKER "client_id = \"a\"\ntopics = [\"$share/g/ward/#\"]\nsubject = \"{2}\""));
}

/* Options with a broker's address that nobody is at; gives what keeps the port. */
static int nobody_listens(char *toml, size_t room)
{
    unsigned port = 0;
    int fd = port_of_nobody(&port);

    assert_true(fd >= 0);
    (void)snprintf(toml, room, "broker = \"mqtt://127.0.0.1:%u\"\nclient_id = \"a\"\ntopics = [\"a\"]", port);
    return fd;
}

TEST(a_broker_that_is_away_is_an_io_error)
{
    char toml[200];
    int fd = nobody_listens(toml, sizeof toml), i;
    struct aff_harness *h = aff_harness_open("in_mqtt", toml);
    aff_status status = AFF_AGAIN;

    for (i = 0; i < 100 && status == AFF_AGAIN; i++)
        status = aff_harness_ready(h, 30000);
    EXPECT_STATUS(status, AFF_ERR_IO);
    EXPECT_CAUSE(h, "cannot reach the broker");
    EXPECT_NOTHING(h, "data");
    aff_harness_close(&h);
    (void)close(fd);
}

TEST(a_session_has_one_key)
{
    struct shelf s, t, u;

    (void)shelf_open(&s);
    (void)shelf_open(&t);
    (void)shelf_open(&u);
    known_key(&s.known, "gateway-1");
    known_key(&t.known, "gateway-1");
    known_key(&u.known, "gateway-2");
    assert_memory_equal(s.known.key, t.known.key, sizeof s.known.key);
    assert_memory_not_equal(s.known.key, u.known.key, sizeof s.known.key);
}

/* A connection to `port` of the loopback; *ret_peer: its other end. */
static int connection(int listener, uint16_t port, int *ret_peer)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    *ret_peer = accept(listener, NULL, NULL);
    assert_true(*ret_peer >= 0);
    return fd;
}

TEST(the_socket_that_is_new_is_found_and_cut_and_no_other)
{
    struct sockets none, one, two;
    unsigned port = 0;
    int listener = port_of_nobody(&port), first, second, peers[2], at;
    char byte;

    assert_true(listener >= 0);
    assert_int_equal(listen(listener, 4), 0);
    sockets_find(&none, (uint16_t)port);
    assert_int_equal(none.count, 0);
    first = connection(listener, (uint16_t)port, &peers[0]);
    sockets_find(&one, (uint16_t)port);
    at = sockets_new(&none, &one);
    assert_true(at >= 0 && one.fds[at] == first);
    second = connection(listener, (uint16_t)port, &peers[1]);
    sockets_find(&two, (uint16_t)port);
    assert_int_equal(sockets_new(&none, &two), -1); /* which of the two, nobody can say */
    assert_int_equal(two.fds[sockets_new(&one, &two)], second);
    assert_int_equal(sockets_new(&two, &two), -1);
    assert_false(socket_cut(second, one.inodes[at]));
    assert_false(socket_cut(first, 0));
    assert_true(socket_cut(first, one.inodes[at]));
    assert_int_equal(read(peers[0], &byte, 1), 0); /* its end */
    assert_int_equal(recv(peers[1], &byte, 1, MSG_DONTWAIT), -1);
    (void)close(first);
    (void)close(second);
    (void)close(peers[0]);
    (void)close(peers[1]);
    (void)close(listener);
}

AFF_TEST_MAIN(a_publishers_id_tells_a_message_whatever_its_packet,
              an_id_that_is_empty_or_stands_by_other_content_loses_nothing, without_one_a_redelivery_is_known_by_packet_and_content,
              a_redelivery_of_what_was_not_committed_has_the_same_id, parts_of_a_mark_do_not_run_into_each_other,
              digests_depend_on_the_key, the_oldest_is_forgotten_first, what_is_known_outlives_a_restart,
              what_is_known_fits_into_a_smaller_room, names_come_from_levels_as_out_mqtt_writes_them,
              filters_are_those_of_mqtt, options_that_do_not_go_together_are_refused, a_session_has_one_key,
              the_socket_that_is_new_is_found_and_cut_and_no_other,
              a_broker_that_is_away_is_an_io_error)
