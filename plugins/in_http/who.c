/* SPDX-License-Identifier: Apache-2.0
 *
 * who.c - see who.h. Tokens are those of RFC 6750, section 2.1. */
#include "who.h"

#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Whether they are equal, in a time that depends on the length of what is known alone. */
static unsigned is_token(const char *known, const char *given, size_t given_size)
{
    size_t size = strlen(known), i;
    volatile unsigned char differs = size != given_size;

    for (i = 0; i < size; i++)
        differs = (unsigned char)(differs | ((unsigned char)known[i] ^ (unsigned char)given[i < given_size ? i : 0]));
    return differs == 0;
}

enum answer_code who_token(const struct config *c, const char *authorization, char ret_name[CLIENT_NAME_MOST + 1])
{
    const struct token_option *tokens = c->tokens.items;
    uint32_t i, found = c->tokens.count;
    const char *given;

    if (!authorization)
        return ANSWER_NO_TOKEN;
    if (strncasecmp(authorization, "Bearer ", 7) != 0)
        return ANSWER_WRONG_TOKEN;
    given = authorization + 7 + strspn(authorization + 7, " ");
    for (i = 0; i < c->tokens.count; i++)
        found = is_token(tokens[i].secret, given, strlen(given)) ? i : found;
    if (found == c->tokens.count)
        return ANSWER_WRONG_TOKEN;
    (void)snprintf(ret_name, CLIENT_NAME_MOST + 1, "%s", tokens[found].name);
    return ANSWER_NONE;
}

/* ---- certificates ---- */

static bool is_trusted(gnutls_session_t session)
{
    static char purpose[] = GNUTLS_KP_TLS_WWW_CLIENT;
    gnutls_typed_vdata_st data = { .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (unsigned char *)purpose };
    unsigned status = 1;

    return gnutls_certificate_type_get(session) == GNUTLS_CRT_X509 &&
           gnutls_certificate_verify_peers(session, &data, 1, &status) == 0 && status == 0;
}

/* The common name of the certificate that is shown; false: it has none that fits. */
static bool name_of(gnutls_session_t session, char ret_name[CLIENT_NAME_MOST + 1])
{
    unsigned count = 0;
    const gnutls_datum_t *shown = gnutls_certificate_get_peers(session, &count);
    size_t size = CLIENT_NAME_MOST + 1;
    gnutls_x509_crt_t certificate;
    bool fine;

    if (!shown || count == 0 || gnutls_x509_crt_init(&certificate) != 0)
        return false;
    fine = gnutls_x509_crt_import(certificate, shown, GNUTLS_X509_FMT_DER) == 0 &&
           gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, ret_name, &size) == 0 &&
           size > 0 && strlen(ret_name) == size;
    gnutls_x509_crt_deinit(certificate);
    return fine;
}

enum answer_code who_certificate(const struct config *c, void *session, char ret_name[CLIENT_NAME_MOST + 1])
{
    const char *const *clients = c->clients.items;
    char name[CLIENT_NAME_MOST + 1] = "";
    uint32_t i;

    if (!session || !is_trusted(session) || !name_of(session, name))
        return ANSWER_NO_CERTIFICATE;
    for (i = 0; i < c->clients.count && strcmp(clients[i], name) != 0; i++)
        continue;
    if (c->clients.count > 0 && i == c->clients.count)
        return ANSWER_NO_CERTIFICATE;
    (void)snprintf(ret_name, CLIENT_NAME_MOST + 1, "%s", name);
    return ANSWER_NONE;
}
