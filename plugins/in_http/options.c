/* SPDX-License-Identifier: Apache-2.0
 *
 * options.c - what in_http can be told, and which of it does not go together. */
#include <string.h>

#include "config.h"
#include "listen.h"
#include "route.h"

static const char *const takes_names[] = { "json", "files", NULL };
static const char *const no_key_names[] = { "new", "body", "refuse", NULL };

static const struct aff_option client_item[] = { AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "A common name.") };

static const struct aff_option token_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_SECRET, offsetof(struct token_option, secret), "The client's token, 16 characters or more."),
};

static const struct aff_option route_options[] = {
    AFF_OPT_TEXT(struct route_option, path, AFF_OPT_REQUIRED, NULL,
                 "Path of requests, such as \"/bed/{subject}/{stream}\": a segment in {} takes any one segment and gives it "
                 "a name. Any other path is not found."),
    AFF_OPT_ENUM(struct route_option, takes, 0, "\"json\"", takes_names,
                 "What is sent there: json (an object, an array of objects, or an object a line, each a record of the "
                 "output data) or files (a body of any type, or a form with files, each cut into records of the output "
                 "files)."),
    AFF_OPT_TEXT(struct route_option, subject, 0, "\"{subject}\"",
                 "Subject of what comes: text with {NAME} of the path, {client}, {file} (a form's), {header:NAME}."),
    AFF_OPT_TEXT(struct route_option, stream, 0, "\"{stream}\"", "Stream of what comes, in the same way."),
};

const struct aff_option in_http_options[IN_HTTP_OPTIONS] = {
    AFF_OPT_TEXT(struct config, listen, AFF_OPT_REQUIRED, NULL,
                 "Where to listen: ADDRESS:PORT such as \"127.0.0.1:8080\" or \"[::1]:8080\", \"*:PORT\" for all addresses."),
    AFF_OPT_PATH(struct config, certificate, AFF_OPT_INPUT, NULL,
                 "PEM file of this server's certificate and its chain: turns TLS on."),
    AFF_OPT_PATH(struct config, key, AFF_OPT_INPUT, NULL, "PEM file of the certificate's private key."),
    AFF_OPT_SECRET(struct config, key_password, 0, "Password of the private key."),
    AFF_OPT_PATH(struct config, client_ca, AFF_OPT_INPUT, NULL,
                 "PEM file of the authorities that may vouch for clients: each must show a certificate of one of them."),
    AFF_OPT_LIST(struct config, clients, 0, client_item, sizeof(const char *),
                 "Common names of the clients that may send, with client_ca; without the list all whom it vouches for."),
    AFF_OPT_MAP(struct config, tokens, 0, token_item, sizeof(struct token_option),
                "Clients by name with the token that each sends as \"Authorization: Bearer TOKEN\"."),
    AFF_OPT_BOOL(struct config, allow_plain, "false",
                 "Whether to listen without TLS at an address other machines can reach: they and all between read tokens "
                 "and data."),
    AFF_OPT_BOOL(struct config, allow_anyone, "false",
                 "Whether whoever can connect may send, without token or certificate."),
    AFF__OPT(struct config, routes, AFF_TYPE_LIST, AFF_OPT_REQUIRED, NULL, NULL, AFF__PAIR(1.0, ROUTES_MOST), NULL,
             route_options, (uint32_t)(sizeof route_options / sizeof route_options[0]), sizeof(struct route_option),
             "Paths that are served; the first that fits counts."),
    AFF_OPT_TEXT(struct config, health, 0, "\"/health\"",
                 "Path by which anyone may ask whether requests are being taken (200 or 503, no data); empty: none."),
    AFF_OPT_TEXT(struct config, time_header, 0, "\"Afferent-Time\"",
                 "Header that has the event time, in ns since 1970; without it that is when the request comes, and one with a "
                 "key waits for a commit more, so that it has the same time if it comes again after a death."),
    AFF_OPT_ENUM(struct config, no_key, 0, "\"new\"", no_key_names,
                 "What a request without the header Idempotency-Key is: a new one each time (new), the same as an earlier one "
                 "of equal content from this client to this path (body), or refused (refuse)."),
    AFF_OPT_INT(struct config, remember, 0, "512", 64, 65536, "requests",
                "How many of the last keys are known again when they come a second time; each is 48 bytes of every commit."),
    AFF_OPT_BYTES(struct config, max_body, 0, "\"1MiB\"", 1024, 256 << 20, "Largest body of a request."),
    AFF_OPT_BYTES(struct config, max_row, 0, "\"64KiB\"", 256, 64 << 20, "Longest object of JSON."),
    AFF_OPT_BYTES(struct config, max_headers, 0, "\"16KiB\"", 2048, 256 << 10, "Most bytes of a request's line and headers."),
    AFF_OPT_BYTES(struct config, block, 0, "\"32KiB\"", 256, 16 << 20, "Bytes of a record of a file; its last has fewer."),
    AFF_OPT_INT(struct config, max_connections, 0, "256", 1, 4096, "connections", "Most connections at a time."),
    AFF_OPT_INT(struct config, max_connections_per_address, 0, "64", 0, 4096, "connections",
                "Most connections of an address at a time, where it does not listen on the loopback; 0: any number."),
    AFF_OPT_BYTES(struct config, buffer, 0, "\"8MiB\"", 4096, 1 << 30,
                  "Memory for bodies that are on their way; where it is full, requests are answered 503."),
    AFF_OPT_DURATION(struct config, request_timeout, 0, "\"30s\"", 1e9, 3600e9,
                     "How long a request's headers may take, and then its body, and a connection be silent."),
    AFF_OPT_DURATION(struct config, answer_timeout, 0, "\"30s\"", 1e8, 3600e9,
                     "How long a request may wait until it is safe, before it is answered 503."),
};

const struct aff_schema in_http_json_schema = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_BYTES, .label = AFF_LABEL_PHI, .name = "json",
};
const struct aff_schema in_http_file_schema = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_BYTES, .label = AFF_LABEL_PHI, .name = "file",
};

static aff_status refuse(const struct aff_report *report, const char *option, const char *problem)
{
    report->problem(report, option, "%s", problem);
    return AFF_ERR_CONFIG;
}

/* ---- parts ---- */

static aff_status listen_check(const struct config *c, const struct aff_report *report)
{
    struct listen_address at;
    const char *problem = listen_read(c->listen, &at);

    if (problem) {
        report->problem(report, "listen", "listen %s", problem);
        return AFF_ERR_CONFIG;
    }
    if (!c->certificate != !c->key)
        return refuse(report, c->key ? "key" : "certificate",
                      "stands alone; expected certificate and key together; add the other one");
    if (!c->certificate && c->client_ca)
        return refuse(report, "client_ca", "is for TLS, and there is no certificate; expected one; add certificate and key");
    if (c->clients.count > 0 && !c->client_ca)
        return refuse(report, "clients", "names clients, and nobody vouches for them; expected client_ca; add it");
    if (!c->certificate && !at.is_loopback && !c->allow_plain)
        return refuse(report, "listen", "is an address that other machines can reach, without TLS: tokens and patients' data "
                      "could be read on the way; expected certificate and key, or a loopback address behind a proxy with TLS; "
                      "add them, or allow_plain = true");
    return AFF_OK;
}

static aff_status tokens_check(const struct config *c, const struct aff_report *report)
{
    const struct token_option *tokens = c->tokens.items;
    uint32_t i, k;

    if (c->tokens.count > TOKENS_MOST)
        return refuse(report, "tokens", "are too many; expected 256 at most; use client certificates");
    for (i = 0; i < c->tokens.count; i++) {
        if (!*tokens[i].name || strlen(tokens[i].name) > CLIENT_NAME_MOST || !route_text_ok(tokens[i].name))
            return refuse(report, "tokens", "a client's name is empty, longer than 64 bytes or has control characters; "
                          "correct it");
        if (strlen(tokens[i].secret) < TOKEN_LEAST || tokens[i].secret[strspn(tokens[i].secret, TOKEN_CHARACTERS)])
            return refuse(report, "tokens", "a token is shorter than 16 characters or has others than letters, digits and "
                          "-._~+/=; expected a random one; make it: head -c 24 /dev/urandom | base64");
        for (k = 0; k < i; k++)
            if (strcmp(tokens[i].secret, tokens[k].secret) == 0)
                return refuse(report, "tokens", "two clients have the same token; expected one of its own for each");
    }
    if (c->tokens.count == 0 && !c->client_ca && !c->allow_anyone)
        return refuse(report, "tokens", "nobody has to prove who it is; expected tokens = { \"bed-1\" = "
                      "\"${file:/etc/afferent/bed-1.token}\" } or client_ca; add one, or allow_anyone = true");
    if (c->allow_anyone && (c->tokens.count > 0 || c->client_ca))
        return refuse(report, "allow_anyone", "is true, and clients have to prove who they are; expected one of the two; "
                      "remove allow_anyone");
    return AFF_OK;
}

static aff_status routes_check(const struct config *c, const struct aff_report *report)
{
    const struct route_option *routes = c->routes.items;
    const char *what, *problem;
    uint32_t i;

    for (i = 0; i < c->routes.count; i++) {
        what = "path";
        problem = route_path_problem(routes[i].path);
        if (!problem) {
            what = "subject";
            problem = route_template_problem(routes[i].subject, routes[i].path, routes[i].takes == TAKES_FILES);
        }
        if (!problem) {
            what = "stream";
            problem = route_template_problem(routes[i].stream, routes[i].path, routes[i].takes == TAKES_FILES);
        }
        if (problem) {
            report->problem(report, "routes", "routes[%u].%s %s", (unsigned)i, what, problem);
            return AFF_ERR_CONFIG;
        }
    }
    for (i = 0; i < c->routes.count && c->allow_anyone; i++)
        if (strstr(routes[i].subject, "{client}") || strstr(routes[i].stream, "{client}"))
            return refuse(report, "routes", "names what comes by its client, and with allow_anyone none is known; expected "
                          "tokens or client_ca; add them, or write another name");
    if (*c->health && (route_path_problem(c->health) || strchr(c->health, '{')))
        return refuse(report, "health", "is no path; expected one such as \"/health\", or nothing; correct it");
    if (*c->time_header && !route_header_ok(c->time_header, strlen(c->time_header)))
        return refuse(report, "time_header", "is no name of a header; expected letters, digits and -; correct it");
    return AFF_OK;
}

aff_status in_http_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    aff_status st = listen_check(c, report);

    if (st == AFF_OK)
        st = tokens_check(c, report);
    if (st == AFF_OK)
        st = routes_check(c, report);
    if (st == AFF_OK && c->buffer < c->max_body + ROUTE_NAMES_ROOM)
        return refuse(report, "buffer", "is smaller than one request; expected 16KiB more than max_body at least; raise it");
    if (st == AFF_OK && c->max_row > c->max_body)
        return refuse(report, "max_row", "is larger than max_body; expected it at or below; lower it");
    return st;
}

aff_status in_http_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    const struct config *c = config;
    const struct route_option *routes = c->routes.items;
    struct aff_shape shapes[] = {
        { .struct_size = sizeof(struct aff_shape), .port = PORT_DATA, .schema = &in_http_json_schema, .silent = 1 },
        { .struct_size = sizeof(struct aff_shape), .port = PORT_FILES, .schema = &in_http_file_schema, .silent = 1 },
    };
    uint32_t i;

    (void)inputs;
    for (i = 0; i < c->routes.count; i++)
        shapes[routes[i].takes == TAKES_FILES ? PORT_FILES : PORT_DATA].silent = 0;
    for (i = 0; i < 2; i++) {
        shapes[i].subject = shapes[i].times = shapes[i].names = AFF_LABEL_PHI;
        report->output(report, &shapes[i]);
    }
    return AFF_OK;
}
