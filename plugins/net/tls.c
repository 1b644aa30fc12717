/* SPDX-License-Identifier: Apache-2.0
 *
 * tls.c - see tls.h. */
#include "net/tls.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Keys of less than 112 bits and signatures by SHA-1 are refused, whatever the
 * machine's own policy says. Other TLS libraries than OpenSSL have no such word. */
#define CIPHERS "DEFAULT:@SECLEVEL=2"

bool net_trust_set(CURL *easy, const struct net_trust *trust)
{
    const curl_version_info_data *about = curl_version_info(CURLVERSION_NOW);
    long verify = trust->is_blind ? 0 : 1;
    bool good = curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;

    good = good && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, verify) == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2 * verify) == CURLE_OK;
    good = good && (!trust->ca || curl_easy_setopt(easy, CURLOPT_CAINFO, trust->ca) == CURLE_OK);
    good = good && (!trust->ca || curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK);
    good = good && (!trust->cert || curl_easy_setopt(easy, CURLOPT_SSLCERT, trust->cert) == CURLE_OK);
    good = good && (!trust->cert ||
                    curl_easy_setopt(easy, CURLOPT_SSLKEY, trust->key ? trust->key : trust->cert) == CURLE_OK);
    if (good && about->ssl_version && strncasecmp(about->ssl_version, "OpenSSL", 7) == 0)
        good = curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, CIPHERS) == CURLE_OK;
    return good;
}

const char *net_failed(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return "the server's name is not found; check the link and url";
    case CURLE_COULDNT_CONNECT:
        return "nothing answers at the server's address; check the link and url";
    case CURLE_OPERATION_TIMEDOUT:
        return "no answer came in time; check the link";
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
        return "the connection ended before the answer was whole; check the link and url";
    case CURLE_PEER_FAILED_VERIFICATION:
        return "the server does not prove who it is; check its certificate's date, name and issuer, and `ca`";
    case CURLE_SSL_CERTPROBLEM:
        return "this client's certificate or key cannot be used; check cert and key";
    case CURLE_SSL_CACERT_BADFILE:
        return "the file of trusted certificates cannot be read; check ca";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_SHUTDOWN_FAILED:
        return "no secure connection comes about; the server must offer TLS 1.2 or later, with strong keys";
    case CURLE_OUT_OF_MEMORY:
        return "no memory for the connection";
    default:
        return NULL;
    }
}

static bool host_is_here(const char *host)
{
    if (strncmp(host, "127.", 4) == 0) /* an address, and no name such as 127.example.org */
        return host[strspn(host, "0123456789.")] == '\0';
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

static bool part_get(CURLU *u, CURLUPart part, char **ret, unsigned flags)
{
    return curl_url_get(u, part, ret, flags) == CURLUE_OK;
}

/* Nothing behind the port: a path or a query would be heeded by nobody. */
static bool is_bare(CURLU *u)
{
    char *path = NULL, *query = NULL, *fragment = NULL;
    bool bare = part_get(u, CURLUPART_PATH, &path, 0) && strcmp(path, "/") == 0;

    bare = bare && !part_get(u, CURLUPART_QUERY, &query, 0) && !part_get(u, CURLUPART_FRAGMENT, &fragment, 0);
    curl_free(path);
    curl_free(query);
    curl_free(fragment);
    return bare;
}

struct net_address net_address_of(const char *url, const char *const *schemes)
{
    struct net_address a = { 0 };
    char *scheme = NULL, *host = NULL, *user = NULL, *port = NULL;
    CURLU *u = curl_url();

    if (u && curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        part_get(u, CURLUPART_SCHEME, &scheme, 0) && part_get(u, CURLUPART_HOST, &host, 0)) {
        for (; *schemes && !a.is_good; schemes++)
            a.is_good = strcmp(*schemes, scheme) == 0 && *host && is_bare(u);
        (void)snprintf(a.scheme, sizeof a.scheme, "%s", scheme);
        a.is_here = host_is_here(host);
        a.has_user = part_get(u, CURLUPART_USER, &user, 0);
        a.has_port = part_get(u, CURLUPART_PORT, &port, 0);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_free(port);
    curl_url_cleanup(u);
    return a;
}
