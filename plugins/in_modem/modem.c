/* SPDX-License-Identifier: Apache-2.0
 *
 * modem.c - an instance opens, has its turns, and closes. See modem.h. */
#include "mm_modem.h"

#include <stdio.h>
#include <string.h>

static const char *const stream_names[PORTS] = { "messages", "results", "events", "status", "position" };

static aff_status names_open(struct modem *m)
{
    const struct aff_host *host = m->host;
    uint32_t port;

    m->subject = host->subject(host, m->config->subject);
    for (port = 0; m->subject && port < PORTS; port++) {
        m->schemas[port] = host->schema(host, &modem_schemas[port]);
        m->streams[port] = m->schemas[port] ? host->stream(host, m->subject, stream_names[port], m->schemas[port]) : 0;
        if (!m->streams[port])
            break;
    }
    return m->subject && port == PORTS ? AFF_OK : AFF_ERR_MEMORY;
}

aff_status modem_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct modem *m = host->alloc(host, sizeof *m);
    aff_status st;

    if (!m)
        return AFF_ERR_MEMORY;
    m->host = host;
    m->config = config;
    m->engine.fd = m->net.pidfd = -1;
    m->phase = PHASE_CLOSED;
    m->operator.technology = -1;
    m->signal = (struct at_signal){ AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN,
                                    AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN, AT_UNKNOWN };
    m->net.wanted = m->config->apn != NULL;
    m->run = host->random(host);
    at_reader_init(&m->engine.reader);
    st = inbox_open(m);
    if (st == AFF_OK)
        st = names_open(m);
    if (st == AFF_OK && m->config->backend == BACKEND_MODEMMANAGER)
        st = managed_open(m);
    if (st != AFF_OK) {
        modem_close(m);
        return st;
    }
    *ret_self = m;
    return AFF_OK;
}

void modem_close(void *self)
{
    struct modem *m = self;

    managed_close(m);
    net_close(m);
    engine_close(m);
    inbox_close(m);
    m->host->free(m->host, m);
}

/* What came is told in this order: results of what was asked for first. */
static aff_status told(struct modem *m, uint32_t *want)
{
    aff_status st = orders_emit(m, want);

    st = st == AFF_OK ? inbox_emit(m, want) : st;
    st = st == AFF_OK ? events_emit(m, want) : st;
    st = st == AFF_OK ? net_turn(m) : st;
    st = st == AFF_OK ? status_emit(m, want) : st;
    return st == AFF_OK ? position_emit(m, want) : st;
}

static int64_t due(struct modem *m)
{
    int64_t at = earlier(session_due(m), net_due(m));

    /* without the port, too, a command expires */
    return earlier(at, m->engine.fd < 0 || m->engine.lent ? orders_due(m) : INT64_MAX);
}

aff_status modem_read(void *self, uint32_t want)
{
    struct modem *m = self;
    aff_status opened, st;
    uint32_t left = want;
    bool more;

    if (m->managed)
        return managed_read(m, want);
    m->now = m->host->now_ns(m->host);
    opened = engine_open(m);
    if (opened != AFF_OK && opened != AFF_ERR_IO)
        return opened;
    more = engine_turn(m);
    st = told(m, &left);
    if (st != AFF_OK)
        return st;
    session_next(m);
    st = engine_watch(m);
    if (st != AFF_OK)
        return st;
    m->host->wake_at(m->host, due(m));
    if (opened == AFF_ERR_IO && m->engine.fd < 0 && left == want)
        return m->host->explain(m->host, AFF_ERR_IO, "the port: %s", m->engine.fault.why);
    return more || left == 0 ? AFF_OK : AFF_AGAIN;
}

void modem_committed(void *self, uint64_t epoch)
{
    struct modem *m = self;

    inbox_committed(m, epoch);
    m->host->wake_at(m->host, m->host->now_ns(m->host));
}
