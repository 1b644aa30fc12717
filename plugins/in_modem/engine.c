/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.c - the port, and one command at a time on it. See modem.h.
 *
 * Nothing here waits: a turn reads what is there, writes what the port takes, and
 * ends a command whose time is up. A port that is gone is tried again with
 * back-off, each wait between half and the whole of it. */
#include "modem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DELAY_FIRST_NS (SECOND_NS / 4)
#define DELAY_LAST_NS (30 * SECOND_NS)
#define PROMPT_NS (10 * SECOND_NS)
enum { PATIENCE_PART = 3, PATIENCE_TIMES = 20 };
enum { TURN_BYTES = 32768 };

static struct port_rule rule_of(const struct config *c)
{
    struct port_rule r = { .path = c->path, .interface = -1, .sysfs = c->sysfs, .baud = c->baud, .data_bits = 8,
                           .stop_bits = 1, .parity = PARITY_NONE, .flow = (enum port_flow)c->flow };

    if (c->usb) {
        r.vendor = c->usb->vendor;
        r.product = c->usb->product;
        r.serial = c->usb->serial;
        r.interface = c->usb->interface;
    }
    return r;
}

static aff_status failed(struct modem *m)
{
    const struct port_fault *f = &m->engine.fault;

    if (f->refused && !m->engine.was_tried)
        return m->host->explain(m->host, AFF_ERR_CONFIG, "%s: %s; change the setting, or the device",
                                f->setting ? f->setting : "path", f->why);
    return m->host->explain(m->host, AFF_ERR_IO, "the port: %s", f->why);
}

static void try_later(struct modem *m)
{
    struct engine *e = &m->engine;
    int64_t next = e->delay_ns ? 2 * e->delay_ns : DELAY_FIRST_NS;

    e->delay_ns = next < DELAY_LAST_NS ? next : DELAY_LAST_NS;
    e->next_try_ns = m->now + e->delay_ns / 2 + (int64_t)(m->host->random(m->host) % (uint64_t)(e->delay_ns / 2));
}

aff_status engine_watch(struct modem *m)
{
    struct engine *e = &m->engine;
    uint32_t events = e->lent ? 0 : e->out_sent < e->out_size ? AFF_WATCH_READ | AFF_WATCH_WRITE : AFF_WATCH_READ;
    aff_status st;

    if (e->fd < 0 || events == e->watched)
        return AFF_OK;
    st = m->host->watch(m->host, e->fd, events);
    if (st == AFF_OK)
        e->watched = events;
    return st;
}

aff_status engine_open(struct modem *m)
{
    struct engine *e = &m->engine;
    struct port_rule rule = rule_of(m->config);
    aff_status st;

    if (e->fd >= 0)
        return AFF_OK;
    if (e->was_tried && m->now < e->next_try_ns)
        return failed(m);
    e->fd = port_open(&rule, &e->fault);
    if (e->fd < 0) {
        st = failed(m);
        e->was_tried = true;
        try_later(m);
        return st;
    }
    if (engine_watch(m) != AFF_OK) {
        engine_close(m);
        return AFF_ERR_MEMORY;
    }
    e->was_tried = true;
    e->out_size = e->out_sent = 0;
    at_reader_reset(&e->reader);
    session_opened(m);
    return AFF_OK;
}

void engine_close(struct modem *m)
{
    struct engine *e = &m->engine;

    if (e->fd < 0)
        return;
    if (e->watched)
        (void)m->host->watch(m->host, e->fd, 0);
    port_close(e->fd);
    e->fd = -1;
    e->watched = 0;
    e->lent = false;
}

void engine_abort(struct modem *m, enum ended ended)
{
    struct engine *e = &m->engine;

    e->out_size = e->out_sent = 0;
    at_reader_reset(&e->reader);
    if (!e->busy)
        return;
    e->busy = false;
    if (e->done)
        e->done(m, ended, NULL);
}

void engine_lost(struct modem *m, const char *why, int error)
{
    struct engine *e = &m->engine;

    (void)snprintf(e->fault.why, sizeof e->fault.why, "%s%s%s", why, error ? ": " : "", error ? strerrordesc_np(error) : "");
    e->fault.refused = false;
    e->fault.setting = NULL;
    engine_close(m);
    m->host->count(m->host, METRIC_LOST, 1);
    engine_abort(m, ENDED_LOST);
    session_lost(m);
    try_later(m);
}

/* ---- commands ---- */

static void out_add(struct engine *e, const char *bytes, size_t size)
{
    if (e->out_sent == e->out_size)
        e->out_sent = e->out_size = 0;
    if (size > sizeof e->out - e->out_size)
        return; /* longer than any command of ours */
    memcpy(e->out + e->out_size, bytes, size);
    e->out_size += size;
}

void engine_send(struct modem *m, const struct request *r)
{
    struct engine *e = &m->engine;

    e->busy = true;
    e->prompted = false;
    e->line = r->line;
    e->done = r->done;
    e->timeout_ns = r->timeout_ns;
    e->sent_ns = m->now;
    e->deadline_ns = m->now + (r->payload ? PROMPT_NS : r->timeout_ns);
    (void)snprintf(e->payload, sizeof e->payload, "%s", r->payload ? r->payload : "");
    at_reader_begin(&e->reader, r->text, r->prefix, r->flags);
    out_add(e, r->text, strlen(r->text));
    out_add(e, "\r", 1);
}

void engine_raw(struct modem *m, const char *bytes)
{
    out_add(&m->engine, bytes, strlen(bytes));
}

/* ---- a turn ---- */

static void final_take(struct modem *m, const struct at_event *event)
{
    struct engine *e = &m->engine;
    bool good = event->result == AT_OK || event->result == AT_CONNECT;

    e->busy = false;
    e->delay_ns = 0;
    if (e->done)
        e->done(m, good ? ENDED_OK : ENDED_ERROR, event);
}

/* A long list over a slow line comes for minutes; one that never ends is ended. */
static int64_t patience(const struct modem *m)
{
    const struct engine *e = &m->engine;
    int64_t until = earlier(m->now + e->timeout_ns / PATIENCE_PART, e->sent_ns + PATIENCE_TIMES * e->timeout_ns);

    return until > e->deadline_ns ? until : e->deadline_ns;
}

static void event_take(struct modem *m, const struct at_event *event)
{
    struct engine *e = &m->engine;

    switch (event->kind) {
    case AT_INFO:
        if (e->busy)
            e->deadline_ns = patience(m);
        if (e->busy && e->line)
            e->line(m, event);
        break;
    case AT_FINAL:
        if (e->busy)
            final_take(m, event);
        break;
    case AT_PROMPT:
        if (e->busy && !e->prompted) {
            at_reader_sent(&e->reader, e->payload);
            out_add(e, e->payload, strlen(e->payload));
            out_add(e, "\x1a", 1);
            e->prompted = true;
            e->deadline_ns = m->now + e->timeout_ns;
        }
        break;
    case AT_CODE:
        m->host->count(m->host, METRIC_CODES, 1);
        session_code(m, event);
        break;
    case AT_STRAY:
    case AT_TOO_LONG:
        m->inbox.is_odd = true;
        m->host->count(m->host, METRIC_STRAYS, 1);
        break;
    default:
        break;
    }
}

static void bytes_take(struct modem *m, const uint8_t *bytes, size_t size)
{
    struct engine *e = &m->engine;
    struct at_event event;
    size_t at = 0;

    do {
        at += at_reader_take(&e->reader, bytes + at, size - at, &event);
        event_take(m, &event);
    } while ((at < size || event.kind != AT_NONE) && e->fd >= 0 && !e->lent);
}

/* A line that hangs up reads 0 bytes; one whose driver is gone gives EIO. */
static bool port_read(struct modem *m)
{
    uint8_t bytes[4096];
    size_t all = 0;

    while (m->engine.fd >= 0 && !m->engine.lent && all < TURN_BYTES) {
        ssize_t got = read(m->engine.fd, bytes, sizeof bytes);

        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (got <= 0) {
            engine_lost(m, "the line is gone", got < 0 ? errno : 0);
            return false;
        }
        all += (size_t)got;
        bytes_take(m, bytes, (size_t)got);
    }
    return all >= TURN_BYTES;
}

static void port_write(struct modem *m)
{
    struct engine *e = &m->engine;
    ssize_t put;

    while (e->fd >= 0 && !e->lent && e->out_sent < e->out_size) {
        put = write(e->fd, e->out + e->out_sent, e->out_size - e->out_sent);
        if (put < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (put < 0) {
            engine_lost(m, "the line is gone", errno);
            return;
        }
        e->out_sent += (size_t)put;
    }
}

static void time_is_up(struct modem *m)
{
    struct engine *e = &m->engine;
    bool may_ask = e->prompted || e->reader.flags & AT_ASKS;

    m->host->count(m->host, METRIC_TIMEOUTS, 1);
    e->busy = false;
    if (e->done)
        e->done(m, ENDED_TIMEOUT, NULL);
    if (e->fd >= 0 && m->phase > PHASE_SYNC)
        session_sync(m, SECOND_NS);
    if (may_ask && e->fd >= 0)
        engine_raw(m, "\x1b"); /* leaves a prompt that may be there */
}

bool engine_turn(struct modem *m)
{
    struct engine *e = &m->engine;
    bool more;

    if (e->fd < 0)
        return false;
    more = port_read(m);
    if (e->busy && m->now >= e->deadline_ns)
        time_is_up(m);
    session_next(m);
    port_write(m);
    return more;
}
