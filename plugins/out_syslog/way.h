/* way.h - how messages get there: a socket of this machine, UDP (RFC 5426), TCP with
 * octet counting (RFC 6587), TLS (RFC 5425).
 *
 * Syslog has no answers. What can be known is used: datagrams that nobody takes come
 * back as errors, and of a stream the kernel knows what the other machine has. So
 * way_settle says that all is with the collector's machine; what a collector loses
 * behind that, and datagrams that get lost, nobody is told of. To be settled a little at
 * a time: what fails on a thin link is then only what goes again.
 *
 * Not here: what a message says (message.h). */
#ifndef OUT_SYSLOG_WAY_H
#define OUT_SYSLOG_WAY_H

#include "config.h"

#include "net/uplink.h"
#include "text/text.h"

#include <curl/curl.h>

struct way {
    const struct config *config;
    const struct aff_host *host;
    enum way_kind kind;
    int fd;       /* of datagrams, -1: none */
    CURL *easy;   /* of streams, NULL: none */
    struct net_uplink uplink;
    struct text frame;
    size_t unsettled; /* bytes that were sent since it was settled */
    uint64_t connections;
};

/* [control] Connects to nothing yet. */
void way_open(struct way *w, const struct aff_host *host, const struct config *config);
void way_close(struct way *w);

/* [data] Sends a message; NULL, or what went wrong and what to do, a constant: then the
 * connection is closed. */
const char *way_send(struct way *w, const char *bytes, size_t size);
/* [data] After some: NULL, or why they may not be there. */
const char *way_settle(struct way *w);
/* Whether so much is in doubt that it is to be settled first. */
bool way_is_full(const struct way *w);
/* Whether nothing that was sent is in doubt. */
bool way_is_sure(const struct way *w);

#endif
