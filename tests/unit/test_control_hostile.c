/* test_control_hostile.c - the door of a running pipeline, and those who should not come in.
 *
 * Sources: as test_control.c. Peers that misbehave are raw sockets, or libzmq with other
 * keys; whatever they do, one with the key is answered. */
#include "control_kit.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* ---- with a key, and bad manners ---- */

static void a_request_that_is_too_large_is_refused_unread(void **state)
{
    struct bench *b = *state;
    struct control_keys k;
    char *bytes = calloc(1, CONTROL_REQUEST_MOST + 1), reply[256];
    struct peer p;
    int size;

    memset(bytes, 'a', CONTROL_REQUEST_MOST + 1);
    memcpy(bytes, CONTROL_HEAD "status\n", sizeof CONTROL_HEAD + 6);
    read_keys(b, &k);
    p = peer_open(b, &k);
    assert_true(zmq_send(p.socket, bytes, CONTROL_REQUEST_MOST + 1, 0) > 0);
    size = zmq_recv(p.socket, reply, sizeof reply - 1, 0);
    reply[size > 0 ? size : 0] = '\0';
    assert_non_null(strstr(reply, "too large"));
    assert_true(comes(b, larges, 1));
    peer_close(&p);
    free(bytes);
    assert_int_equal(answered(b), 0);
    good_client_is_answered(b);
}

static void a_frame_of_a_megabyte_is_cut_off_and_counted(void **state)
{
    struct bench *b = *state;
    struct control_keys k;
    char *bytes = calloc(1, 1 << 20);
    struct peer p;

    read_keys(b, &k);
    p = peer_open(b, &k);
    assert_true(zmq_send(p.socket, bytes, 1 << 20, 0) > 0);
    assert_true(comes(b, cuts, 1));
    peer_close(&p);
    free(bytes);
    assert_int_equal(answered(b), 0);
    good_client_is_answered(b);
}

static void malformed_requests_are_refused_and_counted(void **state)
{
    static const char *const requests[] = { "", "status\n", "afferent-control 2\nstatus\n", CONTROL_HEAD,
                                            CONTROL_HEAD "status", CONTROL_HEAD "sta\ttus\n", CONTROL_HEAD "\n",
                                            CONTROL_HEAD "retry\n1\n2", CONTROL_HEAD "a\x1b[2Jb\n",
                                            CONTROL_HEAD "averbthatismuchtoolongtobeoneatall0123456789\n" };
    struct bench *b = *state;
    struct control_keys k;
    char reply[256];
    struct peer p;
    uint64_t sent = 0;

    read_keys(b, &k);
    p = peer_open(b, &k);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++, sent++) {
        assert_true(zmq_send(p.socket, requests[i], strlen(requests[i]), 0) >= 0);
        assert_true(zmq_recv(p.socket, reply, sizeof reply, 0) > 0);
    }
    zmq_send(p.socket, CONTROL_HEAD "status\n", sizeof CONTROL_HEAD + 6, ZMQ_SNDMORE);
    zmq_send(p.socket, "more", 4, ZMQ_SNDMORE);
    zmq_send(p.socket, "and more", 8, 0);
    assert_true(zmq_recv(p.socket, reply, sizeof reply, 0) > 0);
    assert_true(zmq_send(p.socket, CONTROL_HEAD "sta\0tus\n", sizeof CONTROL_HEAD + 7, 0) >= 0);
    assert_true(zmq_recv(p.socket, reply, sizeof reply, 0) > 0);
    assert_true(comes(b, malformeds, sent + 2));
    peer_close(&p);
    assert_int_equal(answered(b), 0);
    good_client_is_answered(b);
}

static void a_peer_that_reads_no_answers_stops_nobody(void **state)
{
    struct bench *b = *state;
    struct control_keys k;
    struct peer p;

    read_keys(b, &k);
    p = peer_open(b, &k);
    for (int i = 0; i < 2000; i++)
        zmq_send(p.socket, CONTROL_HEAD "status\n", sizeof CONTROL_HEAD + 6, ZMQ_DONTWAIT);
    good_client_is_answered(b);
    peer_close(&p);
    good_client_is_answered(b);
}

/* ---- without a key ---- */

static void stranger_is_refused(struct bench *b, const struct control_keys *k,
                                uint64_t (*counted)(const struct control_figures *figures))
{
    struct peer p = peer_open(b, k);

    assert_true(zmq_send(p.socket, CONTROL_HEAD "status\n", sizeof CONTROL_HEAD + 6, 0) > 0);
    assert_true(comes(b, counted, 1));
    peer_close(&p);
    assert_int_equal(answered(b), 0);
    good_client_is_answered(b);
}

static void another_key_is_refused_and_counted(void **state)
{
    struct bench *b = *state;
    struct control_keys k;

    read_keys(b, &k);
    assert_int_equal(zmq_curve_keypair(k.client, k.secret), 0);
    stranger_is_refused(b, &k, keys);
}

static void a_stolen_name_without_its_secret_is_refused(void **state)
{
    struct bench *b = *state;
    struct control_keys k;
    char other[CONTROL_KEY];

    read_keys(b, &k);
    assert_int_equal(zmq_curve_keypair(other, k.secret), 0);
    stranger_is_refused(b, &k, handshakes);
}

static void who_takes_it_for_another_server_gets_nothing(void **state)
{
    struct bench *b = *state;
    struct control_keys k;
    char secret[CONTROL_KEY];

    read_keys(b, &k);
    assert_int_equal(zmq_curve_keypair(k.server, secret), 0);
    stranger_is_refused(b, &k, handshakes);
}

static void plain_and_no_security_are_refused(void **state)
{
    struct bench *b = *state;
    struct peer p = peer_open(b, NULL);

    zmq_send(p.socket, CONTROL_HEAD "status\n", sizeof CONTROL_HEAD + 6, 0);
    assert_true(comes(b, handshakes, 1));
    peer_close(&p);
    p = (struct peer){ zmq_ctx_new(), NULL };
    p.socket = zmq_socket(p.context, ZMQ_REQ);
    zmq_setsockopt(p.socket, ZMQ_PLAIN_USERNAME, "admin", 5);
    zmq_setsockopt(p.socket, ZMQ_PLAIN_PASSWORD, "admin", 5);
    zmq_setsockopt(p.socket, ZMQ_LINGER, &(int){ 0 }, sizeof(int));
    {
        char address[256];

        snprintf(address, sizeof address, "ipc://%s", b->paths.socket);
        assert_int_equal(zmq_connect(p.socket, address), 0);
    }
    zmq_send(p.socket, "status", 6, ZMQ_DONTWAIT);
    assert_true(comes(b, handshakes, 2));
    peer_close(&p);
    assert_int_equal(answered(b), 0);
    good_client_is_answered(b);
}

static void garbage_on_the_socket_is_refused_and_counted(void **state)
{
    static const char greeting[] = "\xff\0\0\0\0\0\0\0\1\x7f\3\0CURVE";
    struct bench *b = *state;
    uint8_t bytes[4096];
    unsigned seed = 7;

    for (int i = 0; i < 64; i++) {
        int fd = raw_connect(b);
        size_t at = i % 3 == 0 ? sizeof greeting - 1 : 0;

        assert_true(fd >= 0);
        memcpy(bytes, greeting, at);
        for (size_t k = at; k < sizeof bytes; k++)
            bytes[k] = (uint8_t)rand_r(&seed);
        if (i % 5 == 0)
            memset(bytes + at, i % 2 ? 0xff : 0, sizeof bytes - at);
        if (send(fd, bytes, (size_t)(i * 61 % (int)sizeof bytes) + 1, MSG_NOSIGNAL) < 0)
            assert_true(errno == EPIPE || errno == EAGAIN || errno == ECONNRESET);
        close(fd);
    }
    assert_true(comes(b, control_refused, 64));
    assert_int_equal(answered(b), 0);
    good_client_is_answered(b);
}

/* As many as the process may have; the rest are turned away by the kernel. */
static void a_thousand_who_say_nothing_lock_nobody_out(void **state)
{
    struct bench *b = *state;
    struct rlimit files = { 0, 0 };
    int fds[1000], open = 0;

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
    setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 0; i < 1000; i++) {
        int fd = raw_connect(b);

        if (fd < 0)
            continue;
        if (i % 2) /* slowly, byte by byte */
            assert_int_equal(send(fd, "\xff", 1, MSG_NOSIGNAL), 1);
        fds[open++] = fd;
    }
    assert_true(open > 50);
    good_client_is_answered(b);
    for (int i = 0; i < open; i++)
        send(fds[i], "\0", 1, MSG_NOSIGNAL);
    good_client_is_answered(b);
    assert_true(comes(b, handshakes, 50)); /* within the time of a handshake they are gone */
    for (int i = 0; i < open; i++)
        close(fds[i]);
    good_client_is_answered(b);
}

static void a_thousand_who_come_and_go_lock_nobody_out(void **state)
{
    struct bench *b = *state;

    for (int i = 0; i < 1000; i++) {
        int fd = raw_connect(b);

        if (fd >= 0)
            close(fd);
        if (i % 250 == 0)
            good_client_is_answered(b);
    }
    assert_true(comes(b, handshakes, 100));
    good_client_is_answered(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DOOR(a_request_that_is_too_large_is_refused_unread),
        DOOR(a_frame_of_a_megabyte_is_cut_off_and_counted),
        DOOR(malformed_requests_are_refused_and_counted),
        DOOR(a_peer_that_reads_no_answers_stops_nobody),
        DOOR(another_key_is_refused_and_counted),
        DOOR(a_stolen_name_without_its_secret_is_refused),
        DOOR(who_takes_it_for_another_server_gets_nothing),
        DOOR(plain_and_no_security_are_refused),
        DOOR(garbage_on_the_socket_is_refused_and_counted),
        DOOR(a_thousand_who_say_nothing_lock_nobody_out),
        DOOR(a_thousand_who_come_and_go_lock_nobody_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
