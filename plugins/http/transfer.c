/* SPDX-License-Identifier: Apache-2.0
 *
 * transfer.c - see transfer.h. */
#include "http/transfer.h"

#include <string.h>
#include <strings.h>

#include "net/tls.h"

enum { HEADERS_MOST = 128 * 1024 };

/* ---- headers ---- */

static bool line_append(struct curl_slist **list, struct text *line)
{
    struct curl_slist *longer = NULL;

    text_add(line, "", 1);
    if (!line->failed)
        longer = curl_slist_append(*list, line->bytes);
    text_free(line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

/* An empty value would take a header away: a semicolon sends it empty. */
bool http_header_add(struct curl_slist **list, const char *name, const char *value)
{
    struct text line = { 0 };

    text_say(&line, name);
    text_say(&line, *value ? ": " : ";");
    text_say(&line, value);
    return line_append(list, &line);
}

bool http_headers_add(struct curl_slist **list, const struct http_way *way)
{
    bool good = true;

    for (uint32_t i = 0; good && i < way->headers.count; i++) {
        const struct http_header *h = (const void *)((const char *)way->headers.items + (size_t)i * way->headers.stride);

        good = http_header_add(list, h->key, h->value);
    }
    return good;
}

/* ---- set-up ---- */

bool transfer_is_kept(const struct transfer *t)
{
    return t->is_kept || transfer_status(t) == 207;
}

/* What goes on for too long ends the transfer. */
static size_t answer_take(char *bytes, size_t one, size_t size, void *self)
{
    struct transfer *t = self;

    (void)one;
    if (size > t->answer_most - t->seen) {
        t->is_cut = true;
        return 0;
    }
    t->seen += size;
    if (!transfer_is_kept(t))
        return size;
    text_add(&t->answer, bytes, size);
    return t->answer.failed ? 0 : size;
}

/* libcurl is content with a status line, and a connection that ends behind it; half
 * an answer is none. It keeps all headers, and before 8.3 as many as come (CVE-2023-38039). */
static size_t header_take(char *line, size_t one, size_t size, void *self)
{
    struct transfer *t = self;

    (void)one;
    if (size > HEADERS_MOST - t->headers_seen)
        return 0;
    t->headers_seen += size;
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) /* an interim answer may stand before the answer */
        t->is_headed = false;
    else if (size > 0 && (line[0] == '\r' || line[0] == '\n'))
        t->is_headed = true;
    return size;
}

static bool tls_set(CURL *e, const struct http_way *c)
{
    const struct net_trust trust = { c->ca, c->cert, c->key, c->skip_verification != 0 };

    return net_trust_set(e, &trust) && (!c->key_password || curl_easy_setopt(e, CURLOPT_KEYPASSWD, c->key_password) == CURLE_OK);
}

static bool way_set(CURL *e, const struct target *target)
{
    const struct http_way *c = target->way;
    bool good = curl_easy_setopt(e, CURLOPT_URL, target->url) == CURLE_OK;

    good = good && curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    good = good && curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    good = good && curl_easy_setopt(e, CURLOPT_PROXY, c->proxy ? c->proxy : "") == CURLE_OK;
    good = good && curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK;
    good = good && curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    good = good && curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK;
    good = good && curl_easy_setopt(e, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK;
    good = good && curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(c->timeout / 1000000)) == CURLE_OK;
    good = good && curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(c->connect_timeout / 1000000)) == CURLE_OK;
    good = good && curl_easy_setopt(e, CURLOPT_USERAGENT, "afferent/1") == CURLE_OK;
    /* Where HTTP/2 is not compiled in, 1.1 is what there is. To wait for whether a
     * connection can carry several requests costs a handshake with TLS; without, all of
     * the first request. */
    if (good && curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS) == CURLE_OK &&
        strncasecmp(target->url, "https:", 6) == 0)
        (void)curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
    return good;
}

bool transfer_open(struct transfer *t, const struct target *target)
{
    const struct http_way *c = target->way;
    bool good;

    *t = (struct transfer){ .easy = curl_easy_init(), .answer_most = (size_t)c->answer_most, .is_kept = target->is_kept };
    good = t->easy && way_set(t->easy, target) && tls_set(t->easy, c) &&
           curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, answer_take) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, header_take) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t) == CURLE_OK;
    if (!good)
        transfer_close(t);
    return good;
}

void transfer_close(struct transfer *t)
{
    if (t->easy)
        curl_easy_cleanup(t->easy);
    text_free(&t->answer);
    t->easy = NULL;
}

/* ---- one request ---- */

bool transfer_bearer(struct transfer *t, const char *bearer)
{
    return curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) == CURLE_OK &&
           curl_easy_setopt(t->easy, CURLOPT_XOAUTH2_BEARER, bearer) == CURLE_OK;
}

bool transfer_load(struct transfer *t, enum http_method method, const struct text *body, const struct curl_slist *headers)
{
    static const char *const words[] = { NULL, "PUT", NULL, "DELETE" };
    bool has_body = method == HTTP_POST || method == HTTP_PUT;
    CURL *e = t->easy;
    bool good;

    t->answer.size = t->seen = t->headers_seen = 0;
    t->answer.failed = 0;
    t->is_cut = t->is_headed = false;
    t->sent = has_body && body ? body->size : 0;
    good = curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers) == CURLE_OK;
    if (!has_body)
        good = good && curl_easy_setopt(e, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    else
        good = good && curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->sent) == CURLE_OK &&
               curl_easy_setopt(e, CURLOPT_POSTFIELDS, t->sent > 0 ? body->bytes : "") == CURLE_OK;
    return good && curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, words[method]) == CURLE_OK;
}

/* ---- what came back ---- */

long transfer_status(const struct transfer *t)
{
    long status = 0;

    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

/* Its answer to CONNECT. */
static bool is_held_by_proxy(const struct transfer *t)
{
    long status = 0;

    return curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &status) == CURLE_OK && status >= 300;
}

bool transfer_went_out(const struct transfer *t)
{
    long bytes = 0;

    if (is_held_by_proxy(t))
        return false;
    return curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &bytes) != CURLE_OK || bytes > 0;
}

int64_t transfer_retry_after(const struct transfer *t)
{
    curl_off_t seconds = 0;

    if (curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds < 0)
        return 0;
    return seconds;
}

bool transfer_pad(struct transfer *t, size_t padding)
{
    static const char zeros[64];

    while (padding > 0 && !t->answer.failed) {
        size_t n = padding < sizeof zeros ? padding : sizeof zeros;

        text_add(&t->answer, zeros, n);
        t->answer.size -= t->answer.failed ? 0 : n;
        padding -= n;
    }
    return !t->answer.failed;
}

static const char proxy_refuses[] = "the proxy does not let the connection through; check proxy, and that it may lead there";

const char *transfer_failed(const struct transfer *t, CURLcode code)
{
    if (t->is_cut && t->is_headed && !transfer_is_kept(t)) /* its status was there, and nothing else counts */
        return NULL;
    if (t->is_cut)
        return "the answer is longer than answer_most; check the address, or raise answer_most";
    if (t->answer.failed)
        return "no memory for the answer";
    if (code != CURLE_OK && is_held_by_proxy(t))
        return proxy_refuses;
    switch (code) {
    case CURLE_OK:
        return t->is_headed ? NULL : "the connection ended before the answer was whole";
    case CURLE_COULDNT_RESOLVE_PROXY:
        return "the proxy's name is not found; check the link and proxy";
    case CURLE_PROXY:
        return proxy_refuses;
    case CURLE_COULDNT_RESOLVE_HOST:
        return "the server's name is not found; check the link and the address";
    case CURLE_COULDNT_CONNECT:
        return "nothing answers at the server's address; check the link and the address";
    case CURLE_OPERATION_TIMEDOUT:
        return "no answer came in time; check the link";
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
        return "the connection ended before the answer was whole";
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_WRITE_ERROR: /* headers without end */
        return "what answers is no HTTP server; check the address";
    case CURLE_SSL_CERTPROBLEM:
        return "this client's certificate or key cannot be used; check cert, key and key_password";
    case CURLE_OUT_OF_MEMORY:
        return "no memory for the request";
    default:
        return net_failed(code) ? net_failed(code) : "the request failed on the way";
    }
}
