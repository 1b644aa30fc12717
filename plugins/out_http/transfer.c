/* transfer.c - see transfer.h. */
#include "transfer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Keys of less than 112 bits and signatures by SHA-1 are refused, whatever the
 * machine's own policy says. Other TLS libraries than OpenSSL have no such word. */
#define CIPHERS "DEFAULT:@SECLEVEL=2"

/* ---- headers ---- */

static bool line_add(struct curl_slist **list, const char *name, const char *value)
{
    struct text line = { 0 };
    struct curl_slist *longer = NULL;

    text_say(&line, name);
    text_say(&line, ": ");
    text_say(&line, value);
    text_add(&line, "", 1);
    if (!line.failed)
        longer = curl_slist_append(*list, line.bytes);
    text_free(&line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

/* An empty value would take a header away: a semicolon sends it empty. */
static bool header_add(struct curl_slist **list, const struct header *h)
{
    struct text line = { 0 };
    struct curl_slist *longer = NULL;

    if (*h->value)
        return line_add(list, h->key, h->value);
    text_say(&line, h->key);
    text_add(&line, ";", 2);
    if (!line.failed)
        longer = curl_slist_append(*list, line.bytes);
    text_free(&line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

/* No "Expect: 100-continue": it costs a round trip, and nothing is sent twice for it. */
struct curl_slist *transfer_headers(const struct config *config)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    bool good = list && line_add(&list, "Content-Type", frame_type(config));

    if (good && frame_encoding(config))
        good = line_add(&list, "Content-Encoding", frame_encoding(config));
    if (good && config->format == FORMAT_FHIR)
        good = line_add(&list, "Accept", "application/fhir+json") && line_add(&list, "Prefer", "return=minimal");
    else if (good)
        good = line_add(&list, "Accept", "application/json, */*;q=0.5");
    for (uint32_t i = 0; good && i < config->headers.count; i++)
        good = header_add(&list, (const void *)((const char *)config->headers.items + (size_t)i * config->headers.stride));
    if (good)
        return list;
    curl_slist_free_all(list);
    return NULL;
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
 * an answer is none. */
static size_t header_take(char *line, size_t one, size_t size, void *self)
{
    struct transfer *t = self;

    (void)one;
    if (size >= 5 && memcmp(line, "HTTP/", 5) == 0) /* an interim answer may stand before the answer */
        t->is_headed = false;
    else if (size > 0 && (line[0] == '\r' || line[0] == '\n'))
        t->is_headed = true;
    return size;
}

static bool tls_set(CURL *e, const struct config *c)
{
    const curl_version_info_data *about = curl_version_info(CURLVERSION_NOW);
    long verify = c->skip_verification ? 0 : 1;
    bool good = curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;

    good = good && curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, verify) == CURLE_OK;
    good = good && curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2 * verify) == CURLE_OK;
    good = good && (!c->ca || curl_easy_setopt(e, CURLOPT_CAINFO, c->ca) == CURLE_OK);
    good = good && (!c->ca || curl_easy_setopt(e, CURLOPT_CAPATH, NULL) == CURLE_OK);
    good = good && (!c->cert || curl_easy_setopt(e, CURLOPT_SSLCERT, c->cert) == CURLE_OK);
    good = good && (!c->cert || curl_easy_setopt(e, CURLOPT_SSLKEY, c->key ? c->key : c->cert) == CURLE_OK);
    good = good && (!c->key_password || curl_easy_setopt(e, CURLOPT_KEYPASSWD, c->key_password) == CURLE_OK);
    if (good && about->ssl_version && strncasecmp(about->ssl_version, "OpenSSL", 7) == 0)
        good = curl_easy_setopt(e, CURLOPT_SSL_CIPHER_LIST, CIPHERS) == CURLE_OK;
    return good;
}

static bool way_set(CURL *e, const struct target *target)
{
    const struct config *c = target->config;
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

static bool who_set(CURL *e, const struct config *c)
{
    if (!c->user)
        return true;
    return curl_easy_setopt(e, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_USERNAME, c->user) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PASSWORD, c->password ? c->password : "") == CURLE_OK;
}

bool transfer_open(struct transfer *t, const struct target *target)
{
    const struct config *c = target->config;
    bool good;

    *t = (struct transfer){ .easy = curl_easy_init(), .answer_most = (size_t)c->answer_most };
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

/* libcurl reads the list and never changes it. */
static struct curl_slist *headers_own(struct transfer *t, const struct target *target, const struct aff_id *id, bool is_resent)
{
    struct curl_slist *first = target->headers;
    char words[ID_ROOM];

    if (is_resent) {
        (void)snprintf(t->resent, sizeof t->resent, "Afferent-Resent: 1");
        t->own[0] = (struct curl_slist){ t->resent, first };
        first = &t->own[0];
    }
    if (id) {
        record_id(*id, words);
        (void)snprintf(t->key, sizeof t->key, "Idempotency-Key: \"%s\"", words);
        t->own[1] = (struct curl_slist){ t->key, first };
        first = &t->own[1];
    }
    return first;
}

bool transfer_load(struct transfer *t, const struct target *target, const struct text *body, const struct aff_id *id,
                   bool is_resent)
{
    const struct config *c = target->config;
    CURL *e = t->easy;

    t->answer.size = t->seen = 0;
    t->answer.failed = 0;
    t->is_cut = t->is_headed = false;
    return who_set(e, c) && (!c->token || transfer_bearer(t, c->token)) &&
           curl_easy_setopt(e, CURLOPT_POST, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->size) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_POSTFIELDS, body->size > 0 ? body->bytes : "") == CURLE_OK &&
           (c->method == METHOD_POST || curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, "PUT") == CURLE_OK) &&
           curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers_own(t, target, id, is_resent)) == CURLE_OK;
}

/* ---- what came back ---- */

long transfer_status(const struct transfer *t)
{
    long status = 0;

    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
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

static const char *tls_failed(CURLcode code)
{
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        return "the server does not prove who it is; check its certificate's date, name and issuer, and `ca`";
    case CURLE_SSL_CERTPROBLEM:
        return "this client's certificate or key cannot be used; check cert, key and key_password";
    case CURLE_SSL_CACERT_BADFILE:
        return "the file of trusted certificates cannot be read; check ca";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_SHUTDOWN_FAILED:
        return "no secure connection comes about; the server must offer TLS 1.2 or later, with strong keys";
    default:
        return NULL;
    }
}

const char *transfer_failed(const struct transfer *t, CURLcode code)
{
    if (t->is_cut && t->is_headed && !transfer_is_kept(t)) /* its status was there, and nothing else counts */
        return NULL;
    if (t->is_cut)
        return "the answer is longer than answer_most; check url, or raise answer_most";
    if (t->answer.failed)
        return "no memory for the answer";
    switch (code) {
    case CURLE_OK:
        return t->is_headed ? NULL : "the connection ended before the answer was whole";
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return "the server's name is not found; check the link and url";
    case CURLE_COULDNT_CONNECT:
        return "nothing answers at the server's address; check the link and url";
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
        return "what answers is no HTTP server; check url";
    case CURLE_OUT_OF_MEMORY:
        return "no memory for the request";
    default:
        return tls_failed(code) ? tls_failed(code) : "the request failed on the way";
    }
}
