/* SPDX-License-Identifier: Apache-2.0
 *
 * tls.h - what sinks that reach their peer by libcurl, and speak no HTTP, have in
 * common: whom to believe, which machine is this one, what a failure means.
 *
 * TLS is 1.2 or later, with keys and signatures of 112 bits or more; the peer's
 * certificate and name are verified unless the configuration says otherwise.
 *
 * Not here: protocols (out_mail/smtp.c, out_syslog/stream.c). */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <curl/curl.h>
#include <stdbool.h>

/* Whom to believe. Borrowed. */
struct net_trust {
    const char *ca;   /* NULL: the system's */
    const char *cert; /* this client's own, NULL: none */
    const char *key;  /* NULL: in the same file */
    bool is_blind;    /* anybody is believed */
};

/* [control] False: no memory. */
bool net_trust_set(CURL *easy, const struct net_trust *trust);

/* [any] What went wrong on the way and what to do, without names and addresses; a
 * constant. NULL: it says nothing of the way. */
const char *net_failed(CURLcode code);

/* An address that an option gave. */
struct net_address {
    bool is_good; /* it has one of the schemes, ended by NULL, a host, and nothing else but a port */
    bool is_here; /* this machine */
    bool has_user;
    bool has_port;
    char scheme[16];
};
/* [control] */
struct net_address net_address_of(const char *url, const char *const *schemes);

#endif
