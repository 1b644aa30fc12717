/* SPDX-License-Identifier: Apache-2.0
 *
 * transfer.h - one request by libcurl: how it is set up, what came back.
 *
 * TLS is 1.2 or later, and the server's certificate and name are verified unless
 * the configuration says otherwise. Redirects are not followed, whatever the
 * environment says of proxies is not heeded, and an answer is read up to
 * answer_most bytes.
 *
 * Not here: when a request is sent (pump.h), and what it says and an answer means
 * (each plugin). */
#ifndef HTTP_TRANSFER_H
#define HTTP_TRANSFER_H

#include "http/way.h"
#include "text/text.h"

#include <curl/curl.h>

enum http_method { HTTP_POST, HTTP_PUT, HTTP_GET, HTTP_DELETE };

struct transfer {
    CURL *easy;
    struct text answer;
    size_t answer_most, seen; /* bytes of the answer */
    size_t headers_seen;      /* bytes of its headers */
    size_t sent;    /* bytes of the body */
    bool is_kept;   /* the answer is looked into; else only one of status 207 is */
    bool is_headed; /* its headers are whole */
    bool is_cut;    /* it was longer than answer_most */
    uint32_t uplink; /* the revision that it goes by (uplink.h) */
    bool is_under_way;
};

/* What is common to all requests to one address. */
struct target {
    const struct http_way *way;
    const char *url;
    struct curl_slist *headers; /* given: freed with the target's owner */
    bool is_kept; /* answers are looked into */
};

/* [any] Appends "name: value", also an empty one. False: no memory. */
bool http_header_add(struct curl_slist **list, const char *name, const char *value);
/* [control] Appends those of the configuration. False: no memory. */
bool http_headers_add(struct curl_slist **list, const struct http_way *way);

/* [control] False: no memory. Close is safe on what was not opened. */
bool transfer_open(struct transfer *t, const struct target *target);
void transfer_close(struct transfer *t);

/* [one thread] Makes ready to send; body (NULL: none) and headers are borrowed until the
 * answer is there. The bearer is copied. False: no memory. */
bool transfer_load(struct transfer *t, enum http_method method, const struct text *body, const struct curl_slist *headers);
bool transfer_bearer(struct transfer *t, const char *bearer);

/* [one thread] After its end: the status of HTTP. */
long transfer_status(const struct transfer *t);
/* What went wrong before there was a whole answer, and what to do; a constant. NULL:
 * nothing. */
const char *transfer_failed(const struct transfer *t, CURLcode code);
/* Whether any of the request was written to a connection. */
bool transfer_went_out(const struct transfer *t);
/* Whether the answer is at hand, whole. */
bool transfer_is_kept(const struct transfer *t);
/* Seconds that the server asks to wait; 0: it does not. */
int64_t transfer_retry_after(const struct transfer *t);
/* Makes `padding` bytes readable behind the answer. False: no memory. */
bool transfer_pad(struct transfer *t, size_t padding);

#endif
