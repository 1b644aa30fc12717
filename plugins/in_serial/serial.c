/* SPDX-License-Identifier: Apache-2.0
 *
 * serial.c - an instance opens, has its turns, and closes. See serial.h. */
#include "serial.h"

#include <stdio.h>
#include <string.h>

/* What events and results call the device: what it is named, else what it is
 * opened by, without the folder. */
static const char *device_name(struct serial *s)
{
    const struct config *c = s->config;
    const char *slash;

    if (c->device)
        return c->device;
    if (!c->path) {
        (void)snprintf(s->names[0], sizeof s->names[0], "usb:%s:%s%s%s", c->usb->vendor, c->usb->product,
                       *c->usb->serial ? ":" : "", c->usb->serial);
        return s->names[0];
    }
    slash = strrchr(c->path, '/');
    return slash && slash[1] ? slash + 1 : c->path;
}

static const char *stream_name(struct serial *s, uint32_t port)
{
    static const char *const endings[PORTS] = { "", "/results", "/events" };

    (void)snprintf(s->names[1], sizeof s->names[1], "%s%s", s->config->stream, endings[port]);
    return s->names[1];
}

static aff_status names_open(struct serial *s)
{
    const struct aff_host *host = s->host;
    uint32_t port;

    s->device = device_name(s);
    s->subject = host->subject(host, s->config->subject ? s->config->subject : s->device);
    for (port = 0; s->subject && port < PORTS; port++) {
        s->schemas[port] = host->schema(host, serial_schema[port]);
        if (!s->schemas[port])
            break;
        s->streams[port] = host->stream(host, s->subject, stream_name(s, port), s->schemas[port]);
        if (!s->streams[port])
            break;
    }
    return s->subject && port == PORTS ? AFF_OK : AFF_ERR_MEMORY;
}

/* All that framing will ever need, once. */
static aff_status frames_open(struct serial *s)
{
    struct frame_rule rule;
    size_t scratch;

    if (!config_frame(s->config, NULL, &rule))
        return s->host->explain(s->host, AFF_ERR_CONFIG, "the framing cannot be used; run `afferent check`");
    framer_set(&s->framer, &rule);
    scratch = (s->framer.reach + 15u) & ~(size_t)15u;
    s->memory = s->host->alloc(s->host, scratch + window_room(&s->framer));
    if (!s->memory)
        return AFF_ERR_MEMORY;
    s->framer.scratch = s->memory;
    window_set(&s->window, &s->framer, (uint8_t *)s->memory + scratch);
    return AFF_OK;
}

aff_status serial_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct serial *s = host->alloc(host, sizeof *s);
    aff_status st;

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = config;
    s->fd = -1;
    s->port = config_port(config);
    st = frames_open(s);
    if (st == AFF_OK)
        st = orders_open(s);
    if (st == AFF_OK)
        st = names_open(s);
    if (st != AFF_OK) {
        serial_close(s);
        return st;
    }
    *ret_self = s;
    return AFF_OK;
}

void serial_close(void *self)
{
    struct serial *s = self;

    device_close(s);
    orders_close(s);
    if (s->memory)
        s->host->free(s->host, s->memory);
    s->host->free(s->host, s);
}

/* What the next instance must know: that the line is lost or silent, to tell the end
 * of it, and that it was open, to tell that something is missing. A device that comes
 * back may need another process (a sandbox knows only devices that were there). */
struct kept {
    char version[8];
    int64_t lost_utc;
    uint8_t is_lost, was_open, is_silent, is_unreadable, reserved[4];
    int64_t silent_utc; /* from "serial 2" on */
    int64_t taken_utc;  /* when it was written; from "serial 3" on */
    uint8_t clock, unused[3];
    uint32_t job_count; /* of struct kept_job, which follow */
};
static const char versions[3][8] = { "serial 1", "serial 2", "serial 3" };
enum { KEPT_1 = offsetof(struct kept, silent_utc), KEPT_2 = offsetof(struct kept, taken_utc) };

/* The boot clock begins anew with another boot; UTC goes on. */
static int64_t utc_of(const struct serial *s, int64_t ns)
{
    uint8_t clock;

    return s->host->utc_ns(s->host, &clock) - (s->host->now_ns(s->host) - ns);
}

static int64_t ns_of(const struct serial *s, int64_t utc)
{
    uint8_t clock;
    int64_t away = s->host->utc_ns(s->host, &clock) - utc;

    return s->host->now_ns(s->host) - (away > 0 ? away : 0);
}

aff_status serial_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct serial *s = self;
    struct kept kept = { .is_lost = s->is_lost, .was_open = s->was_open, .is_silent = s->is_silent,
                         .is_unreadable = s->is_unreadable };
    struct kept_job jobs[JOBS_MOST];
    size_t jobs_size = s->orders.job_count * sizeof *jobs;

    *ret_size = sizeof kept + jobs_size;
    if (room < *ret_size)
        return AFF_OK;
    memcpy(kept.version, versions[2], sizeof kept.version);
    kept.lost_utc = utc_of(s, s->lost_ns);
    kept.silent_utc = utc_of(s, s->silent_ns);
    kept.taken_utc = s->host->utc_ns(s->host, &kept.clock);
    kept.job_count = s->orders.job_count;
    orders_keep(s, jobs);
    memcpy(buffer, &kept, sizeof kept);
    memcpy((char *)buffer + sizeof kept, jobs, jobs_size);
    return AFF_OK;
}

static bool kept_read(struct kept *kept, const void *buffer, size_t size)
{
    int version = size == KEPT_1 ? 0 : size == KEPT_2 ? 1 : 2;

    memset(kept, 0, sizeof *kept);
    if (version == 2 && size < sizeof *kept)
        return false;
    memcpy(kept, buffer, version == 2 ? sizeof *kept : size);
    return memcmp(kept->version, versions[version], sizeof kept->version) == 0 && kept->job_count <= JOBS_MOST &&
           (version < 2 || size == sizeof *kept + kept->job_count * sizeof(struct kept_job));
}

/* Without power no clock of ours goes on: how long it was is known where UTC is good
 * on both sides of it. */
static int64_t away_of(const struct serial *s, const struct kept *kept)
{
    uint8_t clock;
    int64_t utc = s->host->utc_ns(s->host, &clock), away;

    if (clock != AFF_CLOCK_SYNCED || kept->clock != AFF_CLOCK_SYNCED ||
        __builtin_sub_overflow(utc, kept->taken_utc, &away) || away < 0)
        return 0;
    return away;
}

aff_status serial_restore(void *self, const void *buffer, size_t size)
{
    struct serial *s = self;
    struct kept kept;

    if (!kept_read(&kept, buffer, size))
        return s->host->explain(s->host, AFF_ERR_DATA, "the snapshot was not written by this version of in_serial");
    s->is_lost = kept.is_lost;
    s->was_open = kept.was_open;
    s->was_tried = kept.is_lost || kept.was_open; /* others run already: no refusal ends them */
    s->lost_ns = ns_of(s, kept.lost_utc);
    s->is_silent = kept.is_silent;
    s->is_unreadable = kept.is_unreadable;
    s->silent_ns = ns_of(s, kept.silent_utc);
    orders_restore(s, kept.job_count ? (const char *)buffer + sizeof kept : NULL, kept.job_count, away_of(s, &kept));
    return AFF_OK;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static uint32_t events_wanted(const struct serial *s)
{
    bool sends = s->orders.state == ORDER_SENDING;

    return sends ? AFF_WATCH_READ | AFF_WATCH_WRITE : AFF_WATCH_READ;
}

/* Data first, so that an answer is taken before its time is up; then commands,
 * which may send; then what both had to tell. */
static aff_status turn(struct serial *s, struct turn *t)
{
    aff_status st = events_turn(s, t);

    if (st == AFF_OK)
        st = data_turn(s, t);
    if (st == AFF_OK || st == AFF_ERR_IO)
        st = orders_turn(s, t);
    if (st == AFF_OK || st == AFF_ERR_IO) {
        device_care(s, t->now);
        st = events_turn(s, t);
    }
    return st == AFF_OK ? device_watch(s, events_wanted(s)) : st;
}

aff_status serial_read(void *self, uint32_t want)
{
    struct serial *s = self;
    struct turn t = { .want = want, .now = s->host->now_ns(s->host) };
    aff_status st = device_open(s, &t), did;

    if (st != AFF_OK && st != AFF_ERR_IO)
        return st;
    did = turn(s, &t);
    if (did != AFF_OK)
        return did;
    s->host->wake_at(s->host, least(device_due(s, t.now), least(data_due(s), orders_due(s))));
    if (s->fd < 0 && !t.more)
        return st == AFF_OK ? s->host->explain(s->host, AFF_ERR_IO, "%s", s->fault.why) : st;
    return t.more ? AFF_OK : AFF_AGAIN;
}
