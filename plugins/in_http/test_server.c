/* SPDX-License-Identifier: Apache-2.0
 *
 * test_server.c - the plugin on the test kit: requests by a socket, commits by hand.
 *
 * Not here: real clients, kills, TLS (tests/net/in_http.py). */
#include <afferent/testkit.h>

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BASE "listen = \"127.0.0.1:0\"\nallow_anyone = true\nbuffer = \"256KiB\"\nmax_body = \"64KiB\"\nmax_row = \"8KiB\"\n" \
             "max_connections = 8\nblock = \"256B\"\n"
#define ROUTES "routes = [{ path = \"/j/{subject}/{stream}\" }, { path = \"/f/{subject}/{stream}\", takes = \"files\" }]\n"
#define TIMED "Afferent-Time: 7\r\n"
enum { WAIT_MS = 10000, SILENT_MS = 30, TEXT_ROOM = 8192 };

/* ---- a client ---- */

/* The port that this process listens at; the plugin takes any. */
static uint16_t port_of_plugin(void)
{
    struct sockaddr_in at;
    int fd;

    for (fd = 3; fd < 1024; fd++) {
        socklen_t size = sizeof at, one = sizeof(int);
        int listens = 0;

        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &one) == 0 && listens &&
            getsockname(fd, (struct sockaddr *)&at, &size) == 0 && at.sin_family == AF_INET)
            return ntohs(at.sin_port);
    }
    return 0;
}

static int client_open(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port_of_plugin()),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void say(int fd, const char *text, size_t size)
{
    assert_int_equal(send(fd, text, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* A request, and what it is sent by. */
static int post(const char *path, const char *key, const char *type, const char *body, size_t size)
{
    char head[512];
    int fd = client_open(), length;

    length = snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\n%s%s%sContent-Length: %zu\r\n\r\n",
                      path, type, key ? TIMED "Idempotency-Key: " : "", key ? key : "", key ? "\r\n" : "", size);
    say(fd, head, (size_t)length);
    if (size > 0)
        say(fd, body, size);
    return fd;
}

static int post_json(const char *key, const char *body)
{
    return post("/j/7/hr", key, "application/json", body, strlen(body));
}

/* Headers, and as many bytes as they say. */
static bool is_whole(const char *text)
{
    const char *body = strstr(text, "\r\n\r\n"), *length = strstr(text, "Content-Length: ");

    return body && length && length < body && strlen(body + 4) >= strtoul(length + 16, NULL, 10);
}

/* The answer, once it is whole; NULL: nothing came in this time. Ends the connection. */
static const char *answer(int fd, int most_ms)
{
    static char text[TEXT_ROOM];
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    size_t used = 0;
    ssize_t some;

    text[0] = '\0';
    while (used < sizeof text - 1 && !is_whole(text) && poll(&wait, 1, most_ms) > 0) {
        some = recv(fd, text + used, sizeof text - 1 - used, 0);
        if (some <= 0)
            break;
        used += (size_t)some;
        text[used] = '\0';
    }
    if (used > 0)
        (void)close(fd);
    return used > 0 ? text : NULL;
}

static void expect_answer(int fd, const char *status, const char *part)
{
    const char *text = answer(fd, WAIT_MS);

    assert_non_null(text);
    if (!strstr(text, status) || !strstr(text, part))
        fail_msg("expected %s and %s, not %s", status, part, text);
}

static void expect_silence(int fd)
{
    assert_null(answer(fd, SILENT_MS));
}

/* ---- the node ---- */

static struct aff_harness *node_open(const char *more)
{
    char toml[1024];
    struct aff_harness *h;

    (void)snprintf(toml, sizeof toml, "%s%s%s", BASE, more, ROUTES);
    h = aff_harness_open("in_http", toml);
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN); /* listens */
    return h;
}

/* Reads until this many wait to be taken. */
static void node_read(struct aff_harness *h, const char *port, size_t count)
{
    int i;

    for (i = 0; i < 1000 && aff_harness_waiting(h, port) < count; i++)
        if (aff_harness_ready(h, 10) == AFF_AGAIN)
            (void)aff_harness_read(h, 64);
    EXPECT_WAITING(h, port, count);
}

/* Reads until this many were answered as known. */
static void again_read(struct aff_harness *h, double count)
{
    int i;

    for (i = 0; i < 1000 && aff_harness_metric(h, "again") < count; i++)
        (void)aff_harness_ready(h, 10);
    EXPECT_METRIC(h, "again", count);
}

#define EXPECT_TEXT(h, port, text) EXPECT_BYTES(h, port, text, strlen(text))

TEST(a_request_is_answered_when_its_epoch_is_committed_and_not_before)
{
    struct aff_harness *h = node_open("");
    int fd = post_json("k", "[{\"a\":1},{\"b\":2}]");

    node_read(h, "data", 2);
    assert_true(aff_harness_cuts(h) > 0);
    expect_silence(fd);
    aff_harness_commit_older(h);
    expect_silence(fd);
    aff_harness_commit(h);
    expect_answer(fd, "HTTP/1.1 200", "{\"status\":\"committed\",\"records\":2}");
    EXPECT_TEXT(h, "data", "{\"a\":1}");
    EXPECT_TEXT(h, "data", "{\"b\":2}");
    aff_harness_close(&h);
}

TEST(one_that_comes_again_is_answered_and_not_passed_on)
{
    struct aff_harness *h = node_open("");
    int first = post_json("k", "{}"), second;

    node_read(h, "data", 1);
    second = post_json("k", "{}"); /* before the first is safe */
    again_read(h, 1);
    expect_silence(second);
    aff_harness_commit(h);
    expect_answer(first, "200", "\"records\":1}");
    expect_answer(second, "200", "\"again\":true");
    aff_harness_restart(h);
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    first = post_json("k", "{}");
    again_read(h, 2);
    expect_silence(first); /* what is known may be of an epoch that is not committed */
    aff_harness_commit(h);
    expect_answer(first, "200", "\"again\":true");
    second = post_json("k", "{\"other\":1}");
    (void)aff_harness_ready(h, WAIT_MS);
    expect_answer(second, "422", "Idempotency-Key");
    second = post_json("k\r\nAfferent-Resent: 1", "{\"resent\":true}"); /* as out_http does */
    again_read(h, 3);
    expect_answer(second, "200", "\"again\":true");
    EXPECT_WAITING(h, "data", 1);
    aff_harness_close(&h);
}

/* With a key, and no time of its own. */
static int post_untimed(const char *path, const char *body)
{
    char head[256];
    int fd = client_open();

    say(fd, head, (size_t)snprintf(head, sizeof head, "POST %s HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
                                   "Idempotency-Key: k\r\nContent-Length: %zu\r\n\r\n%s", path, strlen(body), body));
    return fd;
}

/* Reads until the node has asked for one more commit, and has nothing to do before it. */
static void commit_wanted(struct aff_harness *h)
{
    uint64_t before = aff_harness_cuts(h);
    int i;

    for (i = 0; i < 1000 && aff_harness_cuts(h) == before; i++)
        (void)aff_harness_ready(h, 10);
    assert_true(aff_harness_cuts(h) > before);
}

TEST(a_time_that_is_given_is_safe_before_it_is_given_away)
{
    struct aff_harness *h = node_open("");
    const struct aff_record *r;
    int fd, other;

    aff_harness_utc(h, 1000, AFF_CLOCK_SYNCED);
    fd = post_untimed("/j/7/hr", "[{},{}]");
    commit_wanted(h);
    other = post_untimed("/j/7/hr", "[{},{}]"); /* twice at once */
    (void)aff_harness_ready(h, WAIT_MS);
    EXPECT_NOTHING(h, "data");
    aff_harness_commit_older(h);
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    EXPECT_NOTHING(h, "data");
    aff_harness_utc(h, 2000, AFF_CLOCK_SYNCED);
    aff_harness_commit(h);
    node_read(h, "data", 2);
    again_read(h, 1);
    expect_silence(fd);
    aff_harness_commit(h);
    expect_answer(fd, "200", "\"records\":2}");
    expect_answer(other, "200", "\"again\":true");
    while ((r = aff_harness_take(h, "data")) != NULL)
        assert_true(r->event_ns == 1000 && r->clock == AFF_CLOCK_SYNCED);
    aff_harness_close(&h);
}

TEST(what_a_death_kept_from_being_committed_has_its_time_again)
{
    struct aff_harness *h = node_open("");
    struct aff_record first;
    int fd;

    aff_harness_utc(h, 1000, AFF_CLOCK_DEVICE);
    fd = post_untimed("/j/7/hr", "{}");
    commit_wanted(h);
    aff_harness_restart(h); /* the time is safe, the record was not made */
    expect_answer(fd, "503", "same Idempotency-Key");
    aff_harness_utc(h, 9000, AFF_CLOCK_SYNCED);
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    fd = post_untimed("/j/7/hr", "{}");
    commit_wanted(h); /* of an epoch that may not have ended */
    aff_harness_commit(h);
    node_read(h, "data", 1);
    first = *aff_harness_take(h, "data");
    assert_true(first.event_ns == 1000 && first.clock == AFF_CLOCK_DEVICE);
    aff_harness_commit(h);
    expect_answer(fd, "200", "\"records\":1}");
    fd = post_untimed("/j/8/hr", "{}"); /* the key is another's */
    (void)aff_harness_ready(h, WAIT_MS);
    expect_answer(fd, "422", "Idempotency-Key");
    aff_harness_close(&h);
}

TEST(one_that_was_cut_in_two_goes_on_where_it_was)
{
    struct aff_harness *h = node_open("");
    const char *body = "[{\"n\":0},{\"n\":1},{\"n\":2}]";
    const struct aff_record *r;
    struct aff_id ids[3];
    int fd = post_json("k", body), i;

    while (aff_harness_waiting(h, "data") < 2)
        (void)aff_harness_read(h, 1);
    aff_harness_commit(h);
    aff_harness_restart(h);
    expect_answer(fd, "503", "Retry-After");
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    fd = post_json("k", body);
    node_read(h, "data", 3);
    aff_harness_commit(h);
    expect_answer(fd, "200", "\"records\":3");
    for (i = 0; i < 3; i++) {
        r = aff_harness_take(h, "data");
        assert_int_equal(r->size, 7);
        assert_int_equal(((const char *)r->data)[5], '0' + i);
        ids[i] = r->id;
    }
    assert_true(ids[0].source != ids[1].source || ids[0].seq != ids[1].seq);
    assert_true(ids[1].source != ids[2].source || ids[1].seq != ids[2].seq);
    aff_harness_close(&h);
}

TEST(a_file_that_was_cut_in_two_ends_before_another_begins)
{
    struct aff_harness *h = node_open("");
    char body[700];
    const struct aff_record *r;
    size_t records = 0, ends = 0, bytes = 0;
    int fd;

    memset(body, 'x', sizeof body);
    fd = post("/f/7/a", "k", "text/plain", body, sizeof body);
    while (aff_harness_waiting(h, "files") < 1)
        (void)aff_harness_read(h, 1);
    aff_harness_commit(h);
    aff_harness_restart(h);
    expect_answer(fd, "503", "stops");
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    fd = post("/f/7/a", "other", "text/plain", "y", 1);
    node_read(h, "files", 4); /* 256 x, their end, y, its end */
    aff_harness_commit(h);
    expect_answer(fd, "200", "\"records\":1}");
    while ((r = aff_harness_take(h, "files")) != NULL) {
        ends += (r->flags & AFF_FLAG_END) != 0;
        records += !(r->flags & AFF_FLAG_END);
        bytes += r->size;
        assert_true(records > 1 ? ends >= 1 : ends <= 1);
    }
    assert_true(records == 2 && ends == 2 && bytes == 257);
    aff_harness_close(&h);
}

TEST(a_file_goes_on_within_its_stream_after_a_restart)
{
    struct aff_harness *h = node_open("");
    char body[700];
    const struct aff_record *r;
    size_t ends = 0, bytes = 0;
    int fd;

    memset(body, 'x', sizeof body);
    fd = post("/f/7/a", "k", "text/plain", body, sizeof body);
    while (aff_harness_waiting(h, "files") < 2)
        (void)aff_harness_read(h, 1);
    aff_harness_commit(h);
    aff_harness_restart(h);
    expect_answer(fd, "503", "stops");
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    fd = post("/f/7/a", "k", "text/plain", body, sizeof body);
    node_read(h, "files", 4);
    aff_harness_commit(h);
    expect_answer(fd, "200", "\"records\":3}");
    while ((r = aff_harness_take(h, "files")) != NULL) {
        ends += (r->flags & AFF_FLAG_END) != 0;
        bytes += r->size;
    }
    assert_true(ends == 1 && bytes == sizeof body);
    aff_harness_close(&h);
}

TEST(one_that_waits_too_long_is_told_so_and_known_when_it_comes_again)
{
    struct aff_harness *h = node_open("answer_timeout = \"100ms\"\n");
    int fd = post_json("k", "{}");

    expect_answer(fd, "503", "Retry-After: 5"); /* nobody took it */
    (void)aff_harness_ready(h, 20);
    EXPECT_NOTHING(h, "data");
    fd = post_json("k", "{}");
    node_read(h, "data", 1);
    expect_answer(fd, "503", "same Idempotency-Key"); /* taken, and not safe */
    aff_harness_commit(h);
    fd = post_json("k", "{}");
    again_read(h, 1);
    expect_answer(fd, "200", "\"again\":true");
    EXPECT_WAITING(h, "data", 1);
    aff_harness_close(&h);
}

TEST(a_record_that_fits_nowhere_is_set_aside_alone)
{
    struct aff_harness *h = node_open("");
    char body[400];
    int fd;

    aff_harness_max_record(h, 64);
    (void)snprintf(body, sizeof body, "[{\"a\":1},{\"b\":\"%0100d\"},{\"c\":3}]", 0);
    fd = post_json("k", body);
    node_read(h, "data", 2);
    EXPECT_DEAD(h, 1);
    aff_harness_commit(h);
    expect_answer(fd, "200", "\"records\":3,\"set_aside\":1");
    EXPECT_TEXT(h, "data", "{\"a\":1}");
    EXPECT_TEXT(h, "data", "{\"c\":3}");
    aff_harness_close(&h);
}

TEST(what_is_refused_never_comes_to_the_node)
{
    struct aff_harness *h = node_open("");
    static const struct { const char *path, *type, *body, *status; } cases[] = {
        { "/j/7/hr", "application/json", "{\"a\":}", " 400 " }, { "/j/7/hr", "text/plain", "{}", " 415 " },
        { "/j/7", "application/json", "{}", " 404 " },          { "/j/%zz/hr", "application/json", "{}", " 400 " },
        { "/f/7/a", "multipart/form-data; boundary=xx", "--xx--", " 400 " },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_answer(post(cases[i].path, NULL, cases[i].type, cases[i].body, strlen(cases[i].body)), cases[i].status, "detail");
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    EXPECT_METRIC(h, "refused", sizeof cases / sizeof cases[0]);
    EXPECT_LOG(h, AFF_LOG_WARN, "was answered");
    EXPECT_NOTHING(h, "data");
    EXPECT_NOTHING(h, "files");
    aff_harness_close(&h);
}

static void one_request(void)
{
    struct aff_harness *h = node_open("");
    int fd = post("/f/7/a", "k", "text/plain", "0123456789", 10), other = post_json(NULL, "{}");

    node_read(h, "files", 2);
    node_read(h, "data", 1);
    aff_harness_commit(h);
    expect_answer(fd, "200", "\"records\":1}");
    expect_answer(other, "200", "\"records\":1}");
    EXPECT_TEXT(h, "files", "0123456789");
    EXPECT_TEXT(h, "data", "{}");
    aff_harness_close(&h);
}

TEST(every_failing_call_of_the_host_is_survived)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(one_request);
}

TEST(options_that_do_not_go_together_are_refused)
{
    static const char token[] = "tokens = { one = \"0123456789abcdef\" }\n" ROUTES;
    static const struct { const char *toml, *words; } cases[] = {
        { "listen = \"0.0.0.0:80\"\n", "without TLS" },
        { "listen = \"*:80\"\n", "without TLS" },
        { "listen = \"[::]:80\"\n", "without TLS" },
        { "listen = \"here:80\"\n", "no address" },
        { "listen = \"127.0.0.1:80\"\nkey = \"/k\"\n", "stands alone" },
        { "listen = \"127.0.0.1:80\"\nclient_ca = \"/k\"\n", "client_ca" },
        { "listen = \"127.0.0.1:80\"\nclients = [\"a\"]\n", "nobody vouches" },
        { "listen = \"127.0.0.1:80\"\nallow_anyone = true\n", "one of the two" },
        { "listen = \"127.0.0.1:80\"\nbuffer = \"1MiB\"\n", "smaller than one request" },
        { "listen = \"127.0.0.1:80\"\nmax_row = \"2MiB\"\n", "max_row" },
        { "listen = \"127.0.0.1:80\"\nhealth = \"x\"\n", "health" },
        { "listen = \"127.0.0.1:80\"\ntime_header = \"a b\"\n", "time_header" },
    };
    char toml[1024];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)snprintf(toml, sizeof toml, "%s%s", cases[i].toml, token);
        EXPECT_REFUSED("in_http", toml, cases[i].words);
    }
    EXPECT_REFUSED("in_http", "listen = \"127.0.0.1:80\"\n" ROUTES, "prove who it is");
    EXPECT_REFUSED("in_http", "listen = \"127.0.0.1:80\"\ntokens = { one = \"short\" }\n" ROUTES, "shorter than 16");
    EXPECT_REFUSED("in_http", BASE "routes = [{ path = \"/{bed}\" }]", "routes[0].subject");
    EXPECT_REFUSED("in_http", BASE "routes = [{ path = \"/{subject}\", stream = \"{file}\" }]", "routes[0].stream");
    EXPECT_REFUSED("in_http", BASE "routes = [{ path = \"x\" }]", "routes[0].path");
    EXPECT_REFUSED("in_http", BASE "routes = [{ path = \"/{stream}\", subject = \"{client}\" }]", "none is known");
    assert_null(aff_harness_check("in_http", "listen = \"*:80\"\nallow_plain = true\ntokens = { one = \"0123456789abcdef\" }\n"
                                  ROUTES));
}

TEST(two_nodes_do_not_share_a_port_and_the_second_waits)
{
    struct aff_harness *h = node_open(""), *other;
    char toml[1024];

    (void)snprintf(toml, sizeof toml, "listen = \"127.0.0.1:%u\"\nallow_anyone = true\n" ROUTES, (unsigned)port_of_plugin());
    other = aff_harness_open("in_http", toml);
    EXPECT_STATUS(aff_harness_read(other, 64), AFF_ERR_IO);
    EXPECT_CAUSE(other, "cannot listen");
    aff_harness_close(&h);
    if (aff_harness_read(other, 64) != AFF_AGAIN)
        fail_msg("%s", aff_harness_cause(other));
    aff_harness_close(&other);
}

AFF_TEST_MAIN(a_request_is_answered_when_its_epoch_is_committed_and_not_before, one_that_comes_again_is_answered_and_not_passed_on,
              a_time_that_is_given_is_safe_before_it_is_given_away, what_a_death_kept_from_being_committed_has_its_time_again,
              one_that_was_cut_in_two_goes_on_where_it_was, a_file_that_was_cut_in_two_ends_before_another_begins,
              a_file_goes_on_within_its_stream_after_a_restart, one_that_waits_too_long_is_told_so_and_known_when_it_comes_again,
              a_record_that_fits_nowhere_is_set_aside_alone, what_is_refused_never_comes_to_the_node,
              every_failing_call_of_the_host_is_survived, options_that_do_not_go_together_are_refused,
              two_nodes_do_not_share_a_port_and_the_second_waits)
