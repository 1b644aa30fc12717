/* SPDX-License-Identifier: Apache-2.0
 *
 * testing.h - the other end of the link, for the tests of one: keys in a folder, a raw
 * socket, messages as bytes. Waits in real time, and never for long where all is well. */
#ifndef ZMQ_LINK_TESTING_H
#define ZMQ_LINK_TESTING_H

#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

#include "zmq_link/batch.h"
#include "zmq_link/keys.h"
#include "zmq_link/schema.h"

enum { STEP_MS = 2, PATIENCE_STEPS = 15000, PATH_ROOM = 200, TOML_ROOM = 1200, MESSAGE_ROOM = 70000 };

/* What the other end says or hears. */
struct said {
    struct link_head head;
    uint8_t payload[MESSAGE_ROOM];
    size_t size; /* of the payload */
    uint8_t route[64];
    size_t route_size;
};

struct ends {
    char folder[64];
    void *context, *socket;
    struct curve_pair node, gateway, stranger;
};

static const struct aff_column test_columns[] = {
    { .name = "heart_rate", .type = AFF_REAL, .unit = "/min", .code = "8867-4" },
    { .name = "note", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
};
static const struct aff_schema test_schema = { .struct_size = sizeof test_schema, .type = AFF_FIELDS, .name = "vitals",
                                               .columns = test_columns, .count = 2, .stride = sizeof test_columns[0] };

static inline const char *ends_path(const struct ends *e, const char *name)
{
    static char path[PATH_ROOM];

    (void)snprintf(path, sizeof path, "%s/%s", e->folder, name);
    return path;
}

static inline void ends_write(const struct ends *e, const char *name, const char *text, mode_t mode)
{
    FILE *file = fopen(ends_path(e, name), "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(ends_path(e, name), mode), 0);
}

static inline void pair_make(const struct ends *e, struct curve_pair *pair, const char *name)
{
    char file[40], line[160];

    assert_int_equal(zmq_curve_keypair(pair->public_key, pair->secret_key), 0);
    (void)snprintf(file, sizeof file, "%s.key", name);
    (void)snprintf(line, sizeof line, "afferent-curve-key 1 %s %s\n", pair->public_key, pair->secret_key);
    ends_write(e, file, line, 0600);
    (void)snprintf(file, sizeof file, "%s.pub", name);
    (void)snprintf(line, sizeof line, "afferent-curve-public 1 %s\n", pair->public_key);
    ends_write(e, file, line, 0644);
}

static inline void ends_open(struct ends *e)
{
    *e = (struct ends){ .folder = "/tmp/aff_zmq_XXXXXX" };
    assert_non_null(mkdtemp(e->folder));
    pair_make(e, &e->node, "node");
    pair_make(e, &e->gateway, "gateway");
    pair_make(e, &e->stranger, "stranger");
    e->context = zmq_ctx_new();
    assert_non_null(e->context);
}

static inline void set_int(void *socket, int option, int value)
{
    assert_int_equal(zmq_setsockopt(socket, option, &value, sizeof value), 0);
}

static inline void set_key(void *socket, int option, const char *key)
{
    assert_int_equal(zmq_setsockopt(socket, option, key, CURVE_TEXT - 1), 0);
}

/* A node's end, that is not connected yet. */
static inline void *dealer_make(const struct ends *e, const struct curve_pair *pair)
{
    void *socket = zmq_socket(e->context, ZMQ_DEALER);

    assert_non_null(socket);
    set_key(socket, ZMQ_CURVE_SERVERKEY, e->gateway.public_key);
    set_key(socket, ZMQ_CURVE_PUBLICKEY, pair->public_key);
    set_key(socket, ZMQ_CURVE_SECRETKEY, pair->secret_key);
    set_int(socket, ZMQ_LINGER, 0);
    return socket;
}

static inline void dealer_connect(const struct ends *e, void *socket)
{
    char address[2 * PATH_ROOM];

    (void)snprintf(address, sizeof address, "ipc://%s", ends_path(e, "door"));
    assert_int_equal(zmq_connect(socket, address), 0);
}

static inline void *dealer_open(const struct ends *e, const struct curve_pair *pair)
{
    void *socket = dealer_make(e, pair);

    dealer_connect(e, socket);
    return socket;
}

/* A gateway's end. Whoever speaks CURVE with its key is let in: there is no ZAP here. */
static inline void *router_open(const struct ends *e, const struct curve_pair *pair)
{
    char address[2 * PATH_ROOM];
    void *socket = zmq_socket(e->context, ZMQ_ROUTER);

    assert_non_null(socket);
    set_int(socket, ZMQ_CURVE_SERVER, 1);
    set_key(socket, ZMQ_CURVE_SECRETKEY, pair->secret_key);
    set_int(socket, ZMQ_LINGER, 0);
    (void)snprintf(address, sizeof address, "ipc://%s", ends_path(e, "door"));
    assert_int_equal(zmq_bind(socket, address), 0);
    return socket;
}

static inline void ends_close(struct ends *e)
{
    static const char *const names[] = { "node.key", "node.pub", "gateway.key", "gateway.pub", "stranger.key", "stranger.pub", "door" };

    if (e->socket)
        (void)zmq_close(e->socket);
    (void)zmq_ctx_term(e->context);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)unlink(ends_path(e, names[i]));
    (void)rmdir(e->folder);
}

/* ---- messages ---- */

static inline void say_frames(void *socket, const void *head, size_t head_size, const void *payload, size_t size)
{
    assert_true(zmq_send(socket, head, head_size, size ? ZMQ_SNDMORE : 0) >= 0);
    if (size)
        assert_true(zmq_send(socket, payload, size, 0) >= 0);
}

static inline void say(void *socket, const struct link_head *head, const void *payload, size_t size)
{
    uint8_t bytes[LINK_HEAD];

    link_head_write(bytes, head);
    say_frames(socket, bytes, sizeof bytes, payload, size);
}

/* The next message that is there, if one is; a router's first frame is the route. */
static inline bool hear(void *socket, struct said *ret, bool is_router)
{
    uint8_t head[256];
    int size, more = 0;
    size_t more_size = sizeof more;

    if (is_router) {
        size = zmq_recv(socket, ret->route, sizeof ret->route, ZMQ_DONTWAIT);
        if (size < 0)
            return false;
        ret->route_size = (size_t)size;
    }
    size = zmq_recv(socket, head, sizeof head, ZMQ_DONTWAIT);
    if (size < 0)
        return false;
    assert_int_equal(size, LINK_HEAD);
    assert_int_equal(link_head_read(head, LINK_HEAD, &ret->head), 0);
    ret->size = 0;
    assert_int_equal(zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size), 0);
    if (more) {
        size = zmq_recv(socket, ret->payload, sizeof ret->payload, 0);
        assert_true(size >= 0 && size <= MESSAGE_ROOM);
        ret->size = (size_t)size;
    }
    return true;
}

/* The test schema as a message; its hash. */
static inline uint64_t say_schema(void *socket)
{
    uint8_t bytes[1000];
    size_t size = link_schema_write(&test_schema, bytes, sizeof bytes);
    struct link_head head = { .kind = LINK_SCHEMA, .size = (uint32_t)size, .argument = link_schema_hash(bytes, size) };

    assert_true(size > 0);
    if (socket)
        say(socket, &head, bytes, size);
    return head.argument;
}

/* Rows of one stream, numbered from `first`. The bytes live until the next call. */
static inline struct link_payload rows_make(uint64_t first, uint32_t count)
{
    static uint8_t memory[MESSAGE_ROOM];
    struct batch_stream stream = { 1, say_schema(NULL), "Anna Example", "vitals" };
    static struct batch batch;

    batch_begin(&batch, memory, sizeof memory);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t cells[16] = { 0 };
        struct aff_record r = { .id = { 77, first + i }, .event_ns = (int64_t)(first + i) * 1000, .data = cells,
                                .clock = AFF_CLOCK_DEVICE };
        struct aff_row row = aff_row_begin(&r, 2);

        aff_row_put_real(&row, 0, (double)(first + i));
        aff_row_put_text(&row, 1, "asleep", 6);
        r.size = aff_row_end(&row);
        assert_true(batch_add(&batch, &stream, &r));
    }
    batch_end(&batch);
    return (struct link_payload){ batch.bytes, batch.used };
}

static inline void say_rows(void *socket, uint64_t number, uint64_t first, uint32_t count)
{
    struct link_payload p = rows_make(first, count);
    struct link_head head = { .kind = LINK_BATCH, .size = (uint32_t)p.size, .number = number };

    say(socket, &head, p.bytes, p.size);
}

#endif
