/* SPDX-License-Identifier: Apache-2.0
 *
 * device.c - the port while the instance runs: opened, lost, tried again, silent.
 *
 * Tries are 0.1 s apart at first and 10 s at last, each between half and the whole
 * of that, so that ten adapters of one hub don't come back at the same instant.
 * Until it is there `read` answers AFF_ERR_IO with the cause, by which the host
 * shows it as failing. See serial.h. */
#include "serial.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DELAY_FIRST_NS (SECOND_NS / 10)
#define DELAY_LAST_NS (10 * SECOND_NS)
#define ERRORS_EVERY_NS SECOND_NS
#define LOOK_EVERY_NS (SECOND_NS / 50)

static double seconds_of(int64_t ns)
{
    return (double)ns / 1e9;
}

/* A host of before has no watch; there we look now and then. */
static bool has_watch(const struct serial *s)
{
    return s->host->struct_size >= offsetof(struct aff_host, watch) + sizeof s->host->watch && s->host->watch;
}

aff_status device_watch(struct serial *s, uint32_t events)
{
    aff_status st;

    if (s->fd < 0 || s->watched == events || !has_watch(s))
        return AFF_OK;
    st = s->host->watch(s->host, s->fd, events);
    if (st == AFF_OK)
        s->watched = events;
    return st;
}

void device_close(struct serial *s)
{
    if (s->fd < 0)
        return;
    (void)device_watch(s, 0);
    port_close(s->fd);
    s->fd = -1;
    s->watched = 0;
}

static void try_later(struct serial *s, int64_t now)
{
    int64_t next = s->delay_ns ? 2 * s->delay_ns : DELAY_FIRST_NS;

    s->delay_ns = next < DELAY_LAST_NS ? next : DELAY_LAST_NS;
    s->next_try_ns = now + s->delay_ns / 2 + (int64_t)(s->host->random(s->host) % (uint64_t)(s->delay_ns / 2));
}

static void lost(struct serial *s, int64_t now, const char *why)
{
    if (s->is_lost)
        return;
    s->is_lost = true;
    s->lost_ns = now;
    s->host->count(s->host, METRIC_LOST, 1);
    event_add(s, KIND_LINE_LOST, INT64_MIN, NAN, why);
}

static void lost_at_open(struct serial *s, int64_t now)
{
    const struct port_fault *f = &s->fault;
    char why[PORT_WHY + 32];

    (void)snprintf(why, sizeof why, "%.29s%s%s", f->setting ? f->setting : "", f->setting ? ": " : "", f->why);
    lost(s, now, why);
}

void device_lost(struct serial *s, int64_t now, const char *what, int error)
{
    (void)snprintf(s->fault.why, sizeof s->fault.why, "%s%s%s", what, error ? ": " : "",
                   error ? strerrordesc_np(error) : "");
    s->fault.refused = false;
    s->fault.setting = NULL;
    device_close(s);
    s->is_cut = true;
    orders_device_lost(s);
    lost(s, now, s->fault.why);
    s->delay_ns = 0;
    try_later(s, now);
}

/* Refused at the very first try: the pipeline says what this device cannot do, and
 * does not start. Later another adapter may be at its place, and others run. */
static aff_status failed(struct serial *s)
{
    const struct port_fault *f = &s->fault;

    if (f->refused && !s->was_tried)
        return s->host->explain(s->host, AFF_ERR_CONFIG, "%s: %s; change the setting, or the device", f->setting, f->why);
    return s->host->explain(s->host, AFF_ERR_IO, "%s%s%s", f->setting ? f->setting : "", f->setting ? ": " : "", f->why);
}

static void opened(struct serial *s, int64_t now)
{
    s->delay_ns = 0;
    s->has_errors = port_errors(s->fd, &s->errors);
    s->errors_ns = now + ERRORS_EVERY_NS;
    s->heard_ns = now;
    s->host->count(s->host, METRIC_OPENED, 1);
    if (s->is_lost)
        event_add(s, KIND_LINE_BACK, INT64_MIN, seconds_of(now - s->lost_ns), NULL);
    s->gap |= s->was_open;
    s->is_lost = s->is_unframed = s->is_noisy = false;
    s->was_open = true;
    orders_device_opened(s);
}

aff_status device_open(struct serial *s, struct turn *t)
{
    aff_status st;

    if (s->fd >= 0)
        return AFF_OK;
    if (s->was_tried && t->now < s->next_try_ns)
        return failed(s);
    s->fd = port_open(&s->port, &s->fault);
    if (s->fd < 0) {
        st = failed(s);
        s->was_tried = true;
        lost_at_open(s, t->now);
        try_later(s, t->now);
        return st;
    }
    if (device_watch(s, AFF_WATCH_READ) != AFF_OK) {
        device_close(s);
        return AFF_ERR_MEMORY;
    }
    s->was_tried = true;
    opened(s, t->now);
    return AFF_OK;
}

/* Bytes came. A half frame and a long pause behind it are no hour of nonsense. */
static void unframed_note(struct serial *s, int64_t now)
{
    if (s->is_unreadable || (s->is_unframed && now - s->heard_ns < s->config->unreadable_after))
        return;
    s->is_unframed = true;
    s->unframed_ns = now;
}

static void unframed_look(struct serial *s)
{
    int64_t after = s->config->unreadable_after;

    if (after == 0 || s->is_unreadable || !s->is_unframed || s->heard_ns - s->unframed_ns < after)
        return;
    s->is_unreadable = true;
    s->host->count(s->host, METRIC_UNREADABLE, 1);
    event_add(s, KIND_UNREADABLE, INT64_MIN, seconds_of(s->heard_ns - s->unframed_ns), "bytes come, and no frame in them");
}

void device_noisy(struct serial *s)
{
    s->is_noisy = true;
    s->noise_ns = s->heard_ns;
}

void device_empty(struct serial *s)
{
    if (!s->is_noisy || s->heard_ns - s->noise_ns >= s->config->unreadable_after)
        device_readable(s);
}

void device_readable(struct serial *s)
{
    s->is_unframed = s->is_noisy = false;
    if (!s->is_unreadable)
        return;
    s->is_unreadable = false;
    event_add(s, KIND_READABLE, INT64_MIN, s->unframed_ns ? seconds_of(s->heard_ns - s->unframed_ns) : NAN, NULL);
}

/* A line that hangs up reads 0 bytes; one whose driver is gone gives EIO. */
aff_status device_read(struct serial *s, int64_t now, size_t *ret_size)
{
    size_t room;
    uint8_t *to = window_space(&s->window, &room);
    ssize_t got = read(s->fd, to, room < READ_BYTES ? room : READ_BYTES);
    uint8_t clock;
    int64_t utc;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return AFF_AGAIN;
    if (got <= 0) {
        device_lost(s, now, "the line is gone", got < 0 ? errno : 0);
        data_give_up(s);
        return AFF_ERR_IO;
    }
    *ret_size = (size_t)got;
    utc = s->host->utc_ns(s->host, &clock);
    unframed_note(s, now);
    orders_bytes(s, to, (size_t)got);
    window_filled(&s->window, (size_t)got, utc, clock);
    s->host->count(s->host, METRIC_BYTES, (uint64_t)got);
    if (s->is_silent)
        event_add(s, KIND_NOT_SILENT, INT64_MIN, seconds_of(now - s->silent_ns), NULL);
    s->is_silent = false;
    s->heard_ns = now;
    return AFF_OK;
}

aff_status device_write(struct serial *s, int64_t now, const uint8_t *at, size_t size, size_t *ret_size)
{
    ssize_t sent = write(s->fd, at, size);

    *ret_size = 0;
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return AFF_AGAIN;
    if (sent < 0) {
        device_lost(s, now, "the line is gone", errno);
        return AFF_ERR_IO;
    }
    *ret_size = (size_t)sent;
    s->host->count(s->host, METRIC_SENT, (uint64_t)sent);
    return sent ? AFF_OK : AFF_AGAIN;
}

static void errors_look(struct serial *s, int64_t now)
{
    struct port_errors is, was = s->errors;

    if (!s->has_errors || now < s->errors_ns)
        return;
    s->errors_ns = now + ERRORS_EVERY_NS;
    if (!port_errors(s->fd, &is))
        return;
    s->errors = is;
    s->host->count(s->host, METRIC_LINE_FRAMING, is.framing - was.framing);
    s->host->count(s->host, METRIC_LINE_PARITY, is.parity - was.parity);
    s->host->count(s->host, METRIC_LINE_BREAKS, is.breaks - was.breaks);
    s->host->count(s->host, METRIC_LINE_OVERRUNS, is.overrun - was.overrun + (is.buffer - was.buffer));
    s->gap |= is.overrun != was.overrun || is.buffer != was.buffer;
}

void device_care(struct serial *s, int64_t now)
{
    int64_t after = s->config->silent_after;

    if (s->fd < 0)
        return;
    errors_look(s, now);
    unframed_look(s);
    if (after == 0 || s->is_silent || now - s->heard_ns < after)
        return;
    s->is_silent = true;
    s->silent_ns = s->heard_ns;
    s->host->count(s->host, METRIC_SILENT, 1);
    event_add(s, KIND_SILENT, INT64_MIN, seconds_of(now - s->heard_ns), NULL);
}

int64_t device_due(const struct serial *s, int64_t now)
{
    int64_t due = INT64_MAX;

    if (s->fd < 0)
        return s->next_try_ns;
    if (s->config->silent_after && !s->is_silent)
        due = s->heard_ns + s->config->silent_after;
    if (s->has_errors && s->errors_ns < due)
        due = s->errors_ns;
    if (!has_watch(s) && now + LOOK_EVERY_NS < due)
        due = now + LOOK_EVERY_NS;
    return due;
}
