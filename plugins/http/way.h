/* SPDX-License-Identifier: Apache-2.0
 *
 * way.h - options that all sinks by HTTP have: how to get to a server, whom to believe,
 * how much is under way.
 *
 * A plugin's config struct has the members (HTTP_WAY_MEMBERS, once, in a union with a
 * struct http_way), and its table the rows (HTTP_WAY_OPTIONS and rows of its own for
 * those whose default differs).
 *
 * Not here: what the options do (transfer.h, pump.h). */
#ifndef HTTP_WAY_H
#define HTTP_WAY_H

#include <afferent/plugin.h>

#include <stdbool.h>

enum { BATCH_RECORDS_MOST = 1000, IN_FLIGHT_MOST = 64 };

#define HTTP_WAY_MEMBERS                                                     \
    int32_t skip_verification, allow_plain;                                  \
    int64_t batch_records, batch_bytes, batch_time;                          \
    int64_t in_flight, timeout, connect_timeout, retry_after_most, answer_most; \
    struct aff_list headers; /* struct http_header */                        \
    const char *ca, *cert, *key, *key_password, *proxy

struct http_way {
    HTTP_WAY_MEMBERS;
};

struct http_header {
    const char *key, *value;
};
enum { HTTP_HEADER_OPTIONS = 1 };
extern const struct aff_option http_header_options[HTTP_HEADER_OPTIONS];

#define HTTP_S 1e9
#define HTTP_WAIT_OPTIONS(S)                                                                                             \
    AFF_OPT_DURATION(S, connect_timeout, 0, "\"10s\"", 0.1 * HTTP_S, 600 * HTTP_S, "How long connecting may take."),      \
    AFF_OPT_DURATION(S, retry_after_most, 0, "\"10min\"", 1 * HTTP_S, 86400 * HTTP_S,                                     \
                     "The longest wait that a server's Retry-After may ask for.")
#define HTTP_HEADERS_OPTION(S) \
    AFF_OPT_MAP(S, headers, 0, http_header_options, sizeof(struct http_header), "Headers of each request.")
#define HTTP_WAY_OPTIONS(S)                                                                                              \
    AFF_OPT_PATH(S, ca, AFF_OPT_INPUT, NULL, "Certificates, as PEM, that are trusted instead of the system's."),          \
    AFF_OPT_PATH(S, cert, AFF_OPT_INPUT, NULL, "This client's certificate, as PEM."),                                     \
    AFF_OPT_PATH(S, key, AFF_OPT_INPUT, NULL, "The key of that certificate, as PEM."),                                    \
    AFF_OPT_SECRET(S, key_password, 0, "The password of that key."),                                                      \
    AFF_OPT_TEXT(S, proxy, 0, NULL, "The proxy's URL; what the environment says of proxies is not heeded."),              \
    AFF_OPT_BOOL(S, skip_verification, "false",                                                                           \
                 "Danger: whether any server is believed, whoever it is; said at each start."),                \
    AFF_OPT_BOOL(S, allow_plain, "false",                                                                                 \
                 "Danger: whether http:// may go to another machine, readable on the way; said at each start.")

/* [control] For a plugin's validate. False: a problem was said. */
bool http_url_check(const struct http_way *way, const char *url, const char *option, const struct aff_report *report);
/* `ours`: names of headers that the plugin sets itself, ended by NULL. */
bool http_headers_check(const struct http_way *way, const char *const *ours, const struct aff_report *report);
bool http_cert_check(const struct http_way *way, const struct aff_report *report);

/* [any] Whether this goes over TLS to a server that must prove who it is. */
bool http_is_secure(const struct http_way *way, const char *url);
/* [any] Whether a text can stand in a header: one line, and of no other control characters. */
bool http_is_line(const char *value);

/* [control] For a plugin's validate: what is allowed on purpose is noted, and when it opens
 * it stands in the log. */
void http_dangers_note(const struct http_way *way, const struct aff_report *report);
void http_dangers_tell(const struct aff_host *host, const struct http_way *way);

#endif
