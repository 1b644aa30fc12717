/* SPDX-License-Identifier: Apache-2.0
 *
 * way.c - see way.h.
 *
 * Refused is what would give data or credentials away: plain http to another
 * machine, a name or password in the URL, header lines in a header's value. */
#include "http/way.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

const struct aff_option http_header_options[HTTP_HEADER_OPTIONS] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, offsetof(struct http_header, value), "What the header says."),
};

/* ---- URLs ---- */

struct address {
    bool is_good, is_https, is_here, has_user;
};

static bool host_is_here(const char *host)
{
    if (strncmp(host, "127.", 4) == 0) /* an address, and no name such as 127.example.org */
        return host[strspn(host, "0123456789.")] == '\0';
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

static struct address address_of(const char *url)
{
    struct address a = { false, false, false, false };
    char *scheme = NULL, *host = NULL, *user = NULL;
    CURLU *u = curl_url();

    if (u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        a.is_https = strcmp(scheme, "https") == 0;
        a.is_good = a.is_https || strcmp(scheme, "http") == 0;
        a.is_here = host_is_here(host);
        a.has_user = curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK;
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(u);
    return a;
}

/* A proxy hears what is said plainly, and looks for "this machine" at its own. */
static bool proxy_is_elsewhere(const struct http_way *way)
{
    return way->proxy && *way->proxy && !address_of(way->proxy).is_here;
}

bool http_url_check(const struct http_way *way, const char *url, const char *option, const struct aff_report *report)
{
    struct address a = address_of(url);
    const char *problem = NULL;

    if (!a.is_good)
        problem = "is no URL of a server; expected https://HOST/PATH; write the scheme and the host";
    else if (a.has_user)
        problem = "has a user in it, which would stand in logs on the way; expected a URL without; use the options for credentials";
    else if (!a.is_https && !a.is_here && !way->allow_plain)
        problem = "is plain http to another machine, readable on the way; expected https://; use TLS";
    else if (!a.is_https && !way->allow_plain && proxy_is_elsewhere(way))
        problem = "is plain http by way of a proxy on another machine, which can read it; expected https://; use TLS";
    if (problem)
        report->problem(report, option, "%s %s", option, problem);
    return !problem;
}

bool http_is_secure(const struct http_way *way, const char *url)
{
    return address_of(url).is_https && !way->skip_verification;
}

/* ---- headers ---- */

/* RFC 9110, section 5.6.2. */
static bool is_name(const char *name)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    const char *p;

    for (p = name; *p; p++)
        if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || strchr(marks, *p)))
            return false;
    return p > name;
}

bool http_is_line(const char *value)
{
    for (; *value; value++)
        if (((unsigned char)*value < 0x20 && *value != '\t') || *value == 0x7f)
            return false;
    return true;
}

static bool is_among(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcasecmp(name, *names) == 0)
            return true;
    return false;
}

/* Those that the protocol sets. */
static bool is_protocols(const char *name)
{
    static const char *const names[] = { "content-length", "transfer-encoding", "content-encoding", "content-type",
                                         "connection",     "expect",            "authorization",    "host",
                                         "upgrade",        NULL };

    return is_among(name, names);
}

bool http_headers_check(const struct http_way *way, const char *const *ours, const struct aff_report *report)
{
    for (uint32_t i = 0; i < way->headers.count; i++) {
        const struct http_header *h = (const void *)((const char *)way->headers.items + (size_t)i * way->headers.stride);
        const char *problem = NULL;

        if (!is_name(h->key))
            problem = "has a name that is none; expected letters, digits and hyphens; write one such as X-Station";
        else if (is_protocols(h->key) || is_among(h->key, ours))
            problem = "is set by this sink itself; expected another; see its other options";
        else if (!http_is_line(h->value))
            problem = "has a value of more than one line; expected one line; check where it comes from";
        if (problem) {
            report->problem(report, "headers", "header %u %s", (unsigned)i + 1u, problem);
            return false;
        }
    }
    return true;
}

/* ---- the rest ---- */

bool http_cert_check(const struct http_way *way, const struct aff_report *report)
{
    if (!way->key || way->cert)
        return true;
    report->problem(report, "key", "key stands without cert; expected both; add cert");
    return false;
}

static const char verification[] = "any server is believed, and who stands in between can read and change what is sent";
static const char plain[] = "what is sent can be read on the way";

void http_dangers_note(const struct http_way *way, const struct aff_report *report)
{
    if (!report->note)
        return;
    if (way->skip_verification)
        report->note(report, "skip_verification", "%s", verification);
    if (way->allow_plain)
        report->note(report, "allow_plain", "%s", plain);
}

void http_dangers_tell(const struct aff_host *host, const struct http_way *way)
{
    if (way->skip_verification)
        host->log(host, AFF_LOG_WARN, "skip_verification: %s", verification);
    if (way->allow_plain)
        host->log(host, AFF_LOG_WARN, "allow_plain: %s", plain);
}
