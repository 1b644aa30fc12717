/* SPDX-License-Identifier: Apache-2.0
 *
 * test_line.h - a harness with in_serial on a pty: commands to it, and what came out as
 * text. */
#ifndef IN_SERIAL_TEST_LINE_H
#define IN_SERIAL_TEST_LINE_H

#include "tty/testing.h"

#include <math.h>
#include <poll.h>
#include <sys/ioctl.h>

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)

static struct pty line;

/* Opens in_serial on the path `tty`, at which `line` is plugged in. */
static struct aff_harness *line_open(const char *toml)
{
    static char text[4096];

    (void)snprintf(text, sizeof text, "path = \"%s\"\n%s", pty_at("tty"), toml);
    return aff_harness_open("in_serial", text);
}

/* The same with the device there, and the line open. */
static struct aff_harness *line_ready(const char *toml)
{
    struct aff_harness *h;

    pty_plug(&line, "tty");
    h = line_open(toml);
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    return h;
}

/* Until so many bytes wait to be read there, or 5 s of real time are over. To be called
 * with a device that is held open by `watch`, opened before in_serial opened it. */
static inline void line_queued(int watch, int bytes)
{
    int there = 0;

    for (int i = 0; i < 5000 && there < bytes; i++) {
        assert_int_equal(ioctl(watch, FIONREAD, &there), 0);
        (void)poll(NULL, 0, there < bytes);
    }
    assert_int_equal(there, bytes);
}

/* As line_ready, with such a `watch`. */
static inline struct aff_harness *line_ready_watched(const char *toml, int *ret_watch)
{
    struct aff_harness *h;

    pty_plug(&line, "tty");
    *ret_watch = open(line.slave, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    assert_true(*ret_watch >= 0);
    h = line_open(toml);
    EXPECT_STATUS(aff_harness_read(h, 64), AFF_AGAIN);
    return h;
}

static inline void line_close(struct aff_harness **h)
{
    aff_harness_close(h);
    if (line.master >= 0)
        (void)close(line.master);
    line.master = -1;
    pty_clean();
}

/* Until `n` records wait at the port, or 5 s of real time are over. */
static inline void line_wait(struct aff_harness *h, const char *port, size_t n)
{
    for (int i = 0; i < 500 && aff_harness_waiting(h, port) < n; i++)
        (void)aff_harness_ready(h, 10);
    EXPECT_WAITING(h, port, n);
}

/* Lets time pass until the line has been opened for the n-th time. */
static inline void line_back(struct aff_harness *h, int n)
{
    for (int i = 0; i < 300 && (int)aff_harness_metric(h, "opened") < n; i++)
        (void)aff_harness_clock(h, 100 * MS);
    EXPECT_METRIC(h, "opened", n);
}

/* As long as the device's bytes may take to get here. */
static inline void line_rest(struct aff_harness *h)
{
    for (int i = 0; i < 3; i++)
        (void)aff_harness_ready(h, 20);
}

/* Until so many bytes have been read in all, or 5 s of real time are over. */
static inline void line_came(struct aff_harness *h, double bytes)
{
    for (int i = 0; i < 500 && aff_harness_metric(h, "bytes") < bytes; i++)
        (void)aff_harness_ready(h, 10);
    EXPECT_METRIC(h, "bytes", bytes);
}

/* What waits at a port: [bytes], with ~ before one that is SUSPECT and ! before one
 * with a gap. Lives until the next call. */
static inline const char *line_frames(struct aff_harness *h)
{
    static char text[1 << 16];
    const struct aff_record *r;
    size_t used = 0;

    text[0] = 0;
    while ((r = aff_harness_take(h, "data")) && used + r->size + 16 < sizeof text)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s[%.*s]", r->flags & AFF_FLAG_GAP ? "!" : "",
                                 r->flags & AFF_FLAG_SUSPECT ? "~" : "", (int)r->size, (const char *)r->data);
    return text;
}

/* Events as "kind", results as "command outcome tries", one behind the other. */
static inline const char *line_told(struct aff_harness *h, const char *port)
{
    static char text[4096];
    const struct aff_record *r;
    size_t used = 0;

    text[0] = 0;
    while ((r = aff_harness_take(h, port)) && used + 100 < sizeof text) {
        if (strcmp(port, "events") == 0) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s;", aff_harness_text(h, r, "kind"));
            continue;
        }
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %s %d;",
                                 aff_harness_text(h, r, "command") ? aff_harness_text(h, r, "command") : "-",
                                 aff_harness_text(h, r, "outcome"), (int)aff_harness_int(h, r, "tries"));
    }
    return text;
}

/* Rows of commands, with columns of every type that may or may not be sent. */
static inline uint32_t order_stream(struct aff_harness *h)
{
    static const struct aff_column columns[] = {
        { .name = "command", .type = AFF_TEXT }, { .name = "text", .type = AFF_TEXT },
        { .name = "number", .type = AFF_INT },   { .name = "real", .type = AFF_REAL },
        { .name = "when", .type = AFF_TIME },    { .name = "patient", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    };
    static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .name = "orders",
                                              .columns = columns, .count = 6, .stride = sizeof columns[0] };

    return aff_harness_stream(h, "bed-3", "orders", &schema);
}

static inline void order_push(struct aff_harness *h, const char *command)
{
    EXPECT_STATUS(AFF_PUSH_ROW(h, "commands", order_stream(h), AFF_CELL_TEXT(command), AFF_CELL_NONE, AFF_CELL_NONE,
                               AFF_CELL_NONE, AFF_CELL_NONE, AFF_CELL_TEXT("Jane")),
                  AFF_OK);
}

static inline void order(struct aff_harness *h, const char *command)
{
    order_push(h, command);
    (void)aff_harness_clock(h, 0);
}

/* The device gets just this, in however many pieces. */
static inline void expect_sent(struct aff_harness *h, const char *bytes, size_t size)
{
    static char got[4096];
    size_t used = 0;

    for (int i = 0; i < 500 && used < size; i++) {
        ssize_t n = read(line.master, got + used, sizeof got - used);

        used += n > 0 ? (size_t)n : 0;
        if (used < size)
            (void)aff_harness_ready(h, 10);
    }
    assert_int_equal(used, size);
    assert_memory_equal(got, bytes, size);
}

#define SENT(h, text) expect_sent(h, text, sizeof(text) - 1)

#endif
