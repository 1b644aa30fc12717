/* SPDX-License-Identifier: Apache-2.0
 *
 * test_line.h - a harness with in_serial on a pty, and what came out as text. */
#ifndef IN_SERIAL_TEST_LINE_H
#define IN_SERIAL_TEST_LINE_H

#include "tty/testing.h"

#include <math.h>

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

#endif
