/* test_out_syslog.c - the sink beside sockets that behave: whole, gone, new, slow, reset
 * in the middle.
 *
 * Not here: what a message says (test_message.c), a real daemon and TLS
 * (tests/net/syslog.py). */
#include <afferent/testkit.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const struct aff_column columns[] = {
    { .name = "severity", .type = AFF_TEXT }, { .name = "state", .type = AFF_TEXT }, { .name = "rule", .type = AFF_TEXT },
    { .name = "place", .type = AFF_TEXT },    { .name = "text", .type = AFF_TEXT },
};
static const struct aff_schema alerts = { .struct_size = sizeof alerts, .type = AFF_FIELDS, .name = "alerts",
                                          .columns = columns, .count = 5, .stride = sizeof columns[0] };

static aff_status push(struct aff_harness *h, const char *text)
{
    uint32_t stream = aff_harness_stream(h, "bed 3", "alerts", &alerts);

    return AFF_PUSH_ROW(h, "in", stream, AFF_CELL_TEXT("high"), AFF_CELL_TEXT("raised"), AFF_CELL_TEXT("news2"),
                        AFF_CELL_TEXT("bed 3"), AFF_CELL_TEXT(text));
}

static char folder[128], path[160], got[1 << 20];

static void folder_make(void)
{
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(folder, sizeof folder, "%s/aff_syslog_XXXXXX", tmp && *tmp == '/' && strlen(tmp) < 60 ? tmp : "/tmp");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/log", folder);
}

static void folder_remove(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
}

static int bound_unix(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    (void)unlink(path);
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%.100s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static int bound_inet(int type, int *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), yes = 1;

    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
    *port = ntohs(a.sin_port);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* One datagram, or what a connection has within a second. */
static const char *take(int fd)
{
    struct pollfd p = { fd, POLLIN, 0 };
    ssize_t n = poll(&p, 1, 10000) > 0 ? recv(fd, got, sizeof got - 1, 0) : 0;

    got[n > 0 ? n : 0] = '\0';
    return got;
}

static struct aff_harness *open_to(const char *scheme, int port, const char *more)
{
    char toml[512];

    (void)snprintf(toml, sizeof toml, "url = \"%s://127.0.0.1:%d\"\n%s%s", scheme, port,
                   strstr(more, "timeout") ? "" : "timeout = \"2s\"\n", more);
    return aff_harness_open("out_syslog", toml);
}

/* ---- datagrams ---- */

TEST(a_daemon_of_this_machine_gets_its_form_and_may_begin_anew)
{
    char toml[256];
    struct aff_harness *h;
    int fd;

    folder_make();
    (void)snprintf(toml, sizeof toml, "url = \"unix://%s\"", path);
    h = aff_harness_open("out_syslog", toml);
    EXPECT_STATUS(push(h, "early"), AFF_ERR_IO);
    EXPECT_CAUSE(h, "no daemon is at the socket");
    fd = bound_unix();
    EXPECT_STATUS(aff_harness_retry(h), AFF_OK);
    assert_non_null(strstr(take(fd), "]: high bed 3: early [news2] raised (not for clinical use)"));
    (void)close(fd);
    fd = bound_unix(); /* another daemon at the same place */
    EXPECT_STATUS(push(h, "late"), AFF_OK);
    assert_non_null(strstr(take(fd), "bed 3: late"));
    (void)close(fd);
    (void)unlink(path);
    EXPECT_STATUS(push(h, "gone"), AFF_ERR_IO);
    fd = bound_unix();
    EXPECT_STATUS(aff_harness_retry(h), AFF_OK);
    EXPECT_METRIC(h, "sent", 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    (void)close(fd);
    folder_remove();
}

TEST(a_daemon_that_takes_nothing_is_waited_for_a_while_only)
{
    char toml[256];
    struct aff_harness *h;
    aff_status st = AFF_OK;
    int fd;

    folder_make();
    fd = bound_unix();
    (void)snprintf(toml, sizeof toml, "url = \"unix://%s\"\ntimeout = \"50ms\"", path);
    h = aff_harness_open("out_syslog", toml);
    for (int i = 0; i < 5000 && st == AFF_OK; i++)
        st = push(h, "again");
    EXPECT_STATUS(st, AFF_ERR_IO);
    EXPECT_CAUSE(h, "takes no messages in time");
    while (recv(fd, got, sizeof got, MSG_DONTWAIT) > 0)
        continue;
    EXPECT_STATUS(aff_harness_retry(h), AFF_OK);
    aff_harness_close(&h);
    (void)close(fd);
    folder_remove();
}

TEST(a_datagram_of_udp_is_one_message)
{
    int port = 0, fd = bound_inet(SOCK_DGRAM, &port);
    struct aff_harness *h = open_to("udp", port, "hostname = \"node7\"");

    EXPECT_STATUS(push(h, "131"), AFF_OK);
    assert_memory_equal(take(fd), "<129>1 ", 7);
    assert_non_null(strstr(got, " node7 afferent "));
    assert_non_null(strstr(got, "[afferent@32473 severity=\"high\" state=\"raised\" rule=\"news2\" place=\"bed 3\" text=\"131\" "));
    (void)close(fd);
    (void)push(h, "lost"); /* nobody is told of it but by what comes back */
    EXPECT_STATUS(push(h, "kept"), AFF_ERR_IO);
    EXPECT_CAUSE(h, "nothing takes messages at the collector's address");
    fd = bound_inet(SOCK_DGRAM, &port);
    while (aff_harness_retry(h) != AFF_OK)
        continue;
    assert_non_null(strstr(take(fd), "text=\""));
    aff_harness_close(&h);
    (void)close(fd);
}

/* ---- streams ---- */

/* Whether what was got is whole frames; how many. */
static int frames_of(const char *at)
{
    int n = 0;

    while (*at) {
        char *end;
        unsigned long size = strtoul(at, &end, 10);

        assert_true(*end == ' ' && size > 20 && size <= strlen(end + 1));
        assert_int_equal(end[1], '<');
        at = end + 1 + size;
        n++;
    }
    return n;
}

TEST(tcp_counts_octets)
{
    int port = 0, listener = bound_inet(SOCK_STREAM, &port), fd;
    struct aff_harness *h = open_to("tcp", port, "");

    aff_harness_cut(h, 3);
    (void)push(h, "one");
    (void)push(h, "two\nlines");
    EXPECT_STATUS(push(h, "dr\xc3\xa4i"), AFF_OK);
    fd = accept(listener, NULL, NULL);
    assert_int_equal(frames_of(take(fd)), 3);
    assert_non_null(strstr(got, "] \xef\xbb\xbfhigh bed 3: dr\xc3\xa4i"));
    EXPECT_METRIC(h, "connections", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    (void)close(fd);
    (void)close(listener);
}

static void reset(int fd)
{
    const struct linger none = { 1, 0 };

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    (void)close(fd);
}

TEST(a_collector_that_closed_costs_nothing)
{
    int port = 0, listener = bound_inet(SOCK_STREAM, &port), fd;
    struct aff_harness *h = open_to("tcp", port, "");

    EXPECT_STATUS(push(h, "one"), AFF_OK);
    fd = accept(listener, NULL, NULL);
    (void)take(fd);
    (void)close(fd);
    while (push(h, "two") == AFF_OK) /* until the end of the connection has come */
        continue;
    EXPECT_CAUSE(h, "closed the connection");
    EXPECT_STATUS(aff_harness_retry(h), AFF_OK);
    fd = accept(listener, NULL, NULL);
    assert_true(frames_of(take(fd)) >= 1);
    EXPECT_DEAD(h, 0);
    aff_harness_close(&h);
    (void)close(fd);
    (void)close(listener);
}

struct resetter {
    int listener;
    size_t read;
};

/* Reads some of a frame, no more, and resets. */
static void *resetter_run(void *arg)
{
    struct resetter *r = arg;
    char bytes[256];
    int fd = accept(r->listener, NULL, NULL), small = 1;
    ssize_t n = 0;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    for (; r->read > 0 && n >= 0; r->read -= (size_t)n)
        n = recv(fd, bytes, r->read < sizeof bytes ? r->read : sizeof bytes, 0);
    reset(fd);
    return NULL;
}

TEST(a_reset_in_the_middle_of_a_frame_sends_the_batch_again_as_the_same)
{
    int port = 0, small = 2048, listener = bound_inet(SOCK_STREAM, &port);
    struct aff_harness *h = open_to("tcp", port, "max_bytes = \"60KiB\"\nmessage = \"{text}{text}{text}{text}{text}{text}\"");
    struct resetter r = { listener, 700 };
    static char many[1025];
    pthread_t thread;

    memset(many, 'x', sizeof many - 1);
    (void)setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal(pthread_create(&thread, NULL, resetter_run, &r), 0);
    aff_harness_cut(h, 8);
    for (int i = 0; i < 8; i++)
        (void)push(h, many);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(aff_harness_ledger(h).waiting, 8); /* all of it is in doubt */
    assert_true(aff_harness_status(h) == AFF_ERR_IO);
    aff_harness_close(&h);
    (void)close(listener);
}

/* What goes by a thin link: 48 KiB, of which 1 KiB is taken in 20 ms. */
struct slow {
    int listener;
    size_t stop_at; /* resets there; 0: reads all */
    char *all;
    size_t size;
};

static void *slow_run(void *arg)
{
    struct slow *s = arg;
    const struct timespec pause = { 0, 20000000 };
    int fd = accept(s->listener, NULL, NULL);
    ssize_t n;

    while ((s->stop_at == 0 || s->size < s->stop_at) && (n = recv(fd, s->all + s->size, 1024, 0)) > 0) {
        s->size += (size_t)n;
        (void)nanosleep(&pause, NULL);
    }
    s->all[s->size] = '\0';
    reset(fd);
    return NULL;
}

static struct aff_harness *send_slowly(struct slow *s, pthread_t *thread)
{
    int port = 0, small = 2048;
    struct aff_harness *h;
    static char many[1025];

    s->listener = bound_inet(SOCK_STREAM, &port);
    s->all = calloc(1, 1 << 20);
    h = open_to("tcp", port, "timeout = \"400ms\"\nmax_bytes = \"60KiB\"\nmessage = \"{text}{text}{text}{text}{text}{text}\"");
    memset(many, 'x', sizeof many - 1);
    (void)setsockopt(s->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_int_equal(pthread_create(thread, NULL, slow_run, s), 0);
    aff_harness_cut(h, 8);
    for (int i = 0; i < 8; i++)
        (void)push(h, many);
    return h;
}

TEST(a_thin_link_takes_as_long_as_it_takes)
{
    struct slow s = { 0 };
    pthread_t thread;
    struct aff_harness *h = send_slowly(&s, &thread);

    EXPECT_STATUS(aff_harness_status(h), AFF_OK);
    EXPECT_METRIC(h, "sent", 8);
    EXPECT_METRIC(h, "connections", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(frames_of(s.all), 8); /* and none twice */
    free(s.all);
    (void)close(s.listener);
}

TEST(what_was_acknowledged_before_a_break_does_not_go_again)
{
    struct slow s = { .stop_at = 30000 };
    pthread_t thread;
    struct aff_harness *h = send_slowly(&s, &thread);

    assert_true(aff_harness_status(h) == AFF_ERR_IO);
    assert_in_range(aff_harness_ledger(h).waiting, 1, 6);
    aff_harness_close(&h);
    assert_int_equal(pthread_join(thread, NULL), 0);
    free(s.all);
    (void)close(s.listener);
}

TEST(by_which_link_it_goes_and_what_that_costs_is_said)
{
    int port = 0, listener = bound_inet(SOCK_STREAM, &port), fd;
    struct aff_harness *h = open_to("tcp", port, "");
    uint64_t sent = 0, received = 0, through = 0, failed = 0;

    aff_harness_uplink_is(h, AFF_AGAIN, "", "");
    EXPECT_STATUS(push(h, "one"), AFF_ERR_IO);
    EXPECT_CAUSE(h, "by the rules for links");
    aff_harness_uplink_is(h, AFF_OK, "road", "");
    EXPECT_STATUS(aff_harness_retry(h), AFF_OK);
    fd = accept(listener, NULL, NULL);
    assert_int_equal(frames_of(take(fd)), 1);
    assert_true(aff_harness_spent(h, &sent, &received));
    assert_true(sent == strlen(got) && received == 0);
    aff_harness_uplink_is(h, AFF_OK, "garage", "");
    EXPECT_STATUS(push(h, "two"), AFF_OK);
    (void)close(fd);
    fd = accept(listener, NULL, NULL); /* another connection */
    assert_int_equal(frames_of(take(fd)), 1);
    (void)close(fd);
    (void)close(listener);
    while (push(h, "three") == AFF_OK)
        continue;
    EXPECT_STATUS(aff_harness_retry(h), AFF_ERR_IO);
    aff_harness_tried(h, &through, &failed);
    assert_true(through >= 2 && failed >= 2);
    aff_harness_close(&h);
}

static void *talker_run(void *arg)
{
    int fd = accept(*(int *)arg, NULL, NULL);
    static const char words[65536];

    while (send(fd, words, sizeof words, MSG_NOSIGNAL) > 0)
        continue;
    (void)close(fd);
    return NULL;
}

TEST(a_collector_that_does_not_stop_talking_holds_up_nothing)
{
    int port = 0, listener = bound_inet(SOCK_STREAM, &port);
    struct aff_harness *h = open_to("tcp", port, "");
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, talker_run, &listener), 0);
    for (int i = 0; i < 20; i++)
        EXPECT_STATUS(push(h, "x"), AFF_OK);
    EXPECT_METRIC(h, "sent", 20);
    aff_harness_close(&h);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(listener);
}

TEST(a_collector_that_knows_no_lengths_gets_lines)
{
    int port = 0, listener = bound_inet(SOCK_STREAM, &port), fd;
    struct aff_harness *h = open_to("tcp", port, "framing = \"lines\"");

    aff_harness_cut(h, 2);
    (void)push(h, "one");
    EXPECT_STATUS(push(h, "two\nlines"), AFF_OK);
    fd = accept(listener, NULL, NULL);
    assert_memory_equal(take(fd), "<129>1 ", 7);
    assert_non_null(strstr(got, "bed 3: one [news2] raised (not for clinical use)\n<129>1 "));
    assert_string_equal(strstr(got, "two lines [news2]"), "two lines [news2] raised (not for clinical use)\n");
    aff_harness_close(&h);
    (void)close(fd);
    (void)close(listener);
}

TEST(a_collector_that_is_away_or_takes_nothing_is_said_to_be)
{
    int port = 0, small = 2048, listener = bound_inet(SOCK_STREAM, &port), fd;
    struct aff_harness *h;
    aff_status st = AFF_OK;
    static char many[1025];
    char toml[256];

    memset(many, 'x', sizeof many - 1);
    (void)setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    (void)snprintf(toml, sizeof toml, "url = \"tcp://127.0.0.1:%d\"\ntimeout = \"100ms\"\nmax_bytes = \"60KiB\"\n"
                   "message = \"{text}{text}{text}{text}{text}{text}\"", port);
    h = aff_harness_open("out_syslog", toml);
    for (int i = 0; i < 5000 && st == AFF_OK; i++)
        st = push(h, many);
    EXPECT_STATUS(st, AFF_ERR_IO);
    EXPECT_CAUSE(h, "in time");
    aff_harness_close(&h);
    fd = accept(listener, NULL, NULL);
    (void)close(fd);
    (void)close(listener);
    h = open_to("tcp", port, "");
    EXPECT_STATUS(push(h, "x"), AFF_ERR_IO);
    EXPECT_CAUSE(h, "nothing answers at the server's address");
    aff_harness_close(&h);
}

static void no_tls(const char *scheme)
{
    int port = 0, listener = bound_inet(SOCK_STREAM, &port);
    struct resetter r = { listener, 16 };
    struct aff_harness *h = open_to(scheme, port, "");
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, resetter_run, &r), 0);
    EXPECT_STATUS(push(h, "x"), AFF_ERR_IO);
    assert_int_equal(pthread_join(thread, NULL), 0);
    EXPECT_DEAD(h, 0);
    EXPECT_METRIC(h, "sent", 0);
    aff_harness_close(&h);
    (void)close(listener);
}

TEST(who_speaks_no_tls_gets_nothing)
{
    no_tls("tls");
    no_tls("TLS"); /* schemes have no case (RFC 3986, 3.1) */
}

/* ---- what is set aside, what is refused ---- */

TEST(what_is_no_message_is_a_dead_letter_alone)
{
    int port = 0, fd = bound_inet(SOCK_DGRAM, &port);
    struct aff_harness *h = open_to("udp", port, "max_bytes = \"480B\"\nhostname = \"node7\"");
    char many[700];

    memset(many, ']', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    aff_harness_cut(h, 3);
    (void)push(h, "one");
    (void)push(h, many);
    EXPECT_STATUS(push(h, "three"), AFF_OK);
    assert_non_null(strstr(take(fd), "one"));
    assert_non_null(strstr(take(fd), "three"));
    EXPECT_VERDICT(h, "too_large", 1);
    EXPECT_DEAD(h, 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    (void)close(fd);
}

TEST(options_that_would_give_something_away_are_refused)
{
    assert_null(aff_harness_check("out_syslog", ""));
    assert_null(aff_harness_check("out_syslog", "url = \"tls://log.example.org:6514\""));
    assert_null(aff_harness_check("out_syslog", "url = \"udp://[::1]:514\""));
    EXPECT_REFUSED("out_syslog", "url = \"udp://log.example.org:514\"", "readable on the way");
    EXPECT_REFUSED("out_syslog", "url = \"tcp://log.example.org:601\"", "readable on the way");
    EXPECT_REFUSED("out_syslog", "url = \"tls://log.example.org\"", "no place for messages");
    EXPECT_REFUSED("out_syslog", "url = \"http://log.example.org:1\"", "no place for messages");
    EXPECT_REFUSED("out_syslog", "url = \"unix://dev/log\"", "no place for messages");
    EXPECT_REFUSED("out_syslog", "url = \"tls://a@log.example.org:6514\"", "has a user in it");
    EXPECT_REFUSED("out_syslog", "app_name = \"a b\"", "no word");
    EXPECT_REFUSED("out_syslog", "sd_id = \"a]b@1\"", "no name of data");
    EXPECT_REFUSED("out_syslog", "message = \"a\\nb\"", "more than one line");
    EXPECT_REFUSED("out_syslog", "key = \"/tmp/a\"", "stands without cert");
    assert_non_null(strstr(aff_harness_notes("out_syslog", "url = \"udp://h:1\"\nallow_plain = true"), "can be read on the way"));
}

static void one_that_may_fail(void)
{
    int port = 0, fd = bound_inet(SOCK_DGRAM, &port);
    struct aff_harness *h = open_to("udp", port, "");

    EXPECT_STATUS(push(h, "one"), AFF_OK);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    (void)close(fd);
}

TEST(each_call_of_the_host_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(one_that_may_fail);
}

AFF_TEST_MAIN(a_daemon_of_this_machine_gets_its_form_and_may_begin_anew, a_daemon_that_takes_nothing_is_waited_for_a_while_only,
              a_datagram_of_udp_is_one_message, tcp_counts_octets, a_collector_that_closed_costs_nothing,
              a_reset_in_the_middle_of_a_frame_sends_the_batch_again_as_the_same,
              a_thin_link_takes_as_long_as_it_takes, what_was_acknowledged_before_a_break_does_not_go_again,
              by_which_link_it_goes_and_what_that_costs_is_said, a_collector_that_does_not_stop_talking_holds_up_nothing, a_collector_that_knows_no_lengths_gets_lines,
              a_collector_that_is_away_or_takes_nothing_is_said_to_be, who_speaks_no_tls_gets_nothing,
              what_is_no_message_is_a_dead_letter_alone, options_that_would_give_something_away_are_refused,
              each_call_of_the_host_may_fail_once)
