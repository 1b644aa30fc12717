/* SPDX-License-Identifier: Apache-2.0
 *
 * talk_head.c - what the headers of a request say: whose it is, where it goes, what comes. */
#include "door.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "who.h"

/* ---- headers that say one thing ---- */

enum { SINGLES = 8 };

struct head {
    const char *singles[SINGLES];
    int single_counts[SINGLES], lengths, codings;
    bool is_chunked, is_text;
};

/* Others may read what stands behind a zero or a line end of half a kind, or see an end there. */
static bool is_text(const char *value, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++)
        if ((unsigned char)value[i] < ' ' ? value[i] != '\t' : value[i] == 0x7f)
            return false;
    return true;
}

static enum MHD_Result header_count(void *self, enum MHD_ValueKind kind, const char *name, size_t name_size, const char *value,
                                    size_t value_size)
{
    struct head *h = self;
    size_t i;

    (void)kind;
    h->is_text &= is_text(name, name_size) && (!value || is_text(value, value_size));
    h->lengths += strcasecmp(name, "Content-Length") == 0;
    if (strcasecmp(name, "Transfer-Encoding") == 0) {
        h->codings++;
        h->is_chunked = value && strcasecmp(value, "chunked") == 0;
    }
    for (i = 0; i < SINGLES; i++)
        h->single_counts[i] += strcasecmp(name, h->singles[i]) == 0;
    return MHD_YES;
}

/* Where a body ends is said once, or two who read it may differ (RFC 9112, section 6.3). */
static void framing_check(struct talk *t)
{
    struct head h = { .singles = { "Host", "Authorization", "Content-Type", "Content-Encoding", "Idempotency-Key", "Expect",
                                   "Afferent-Resent", t->door->config->time_header }, .is_text = true };
    const char *length = talk_header(t, "Content-Length");
    size_t i;

    (void)MHD_get_connection_values_n(t->connection, MHD_HEADER_KIND, header_count, &h);
    if (!h.is_text || h.lengths > 1 || h.codings > 1 || (h.lengths > 0 && h.codings > 0) || (h.codings == 1 && !h.is_chunked) ||
        (length && (!*length || length[strspn(length, "0123456789")])))
        talk_refuse(t, ANSWER_FRAMING);
    for (i = 0; i < SINGLES; i++)
        if (h.single_counts[i] > 1)
            talk_refuse(t, ANSWER_HEADER_TWICE);
}

/* ---- who ---- */

static void who_check(struct talk *t)
{
    const struct config *c = t->door->config;
    const union MHD_ConnectionInfo *info;

    if (c->client_ca) {
        info = MHD_get_connection_info(t->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        talk_refuse(t, who_certificate(c, info ? info->tls_session : NULL, t->client));
    }
    if (c->tokens.count > 0 && t->answer.code == ANSWER_NONE)
        talk_refuse(t, who_token(c, talk_header(t, "Authorization"), t->client));
}

/* ---- where ---- */

static void route_find(struct talk *t, const char *url)
{
    const struct route_option *routes = t->door->config->routes.items;
    enum route_match match = ROUTE_OTHER;
    uint32_t i;

    for (i = 0; i < t->door->config->routes.count && match == ROUTE_OTHER; i++) {
        match = route_try(routes[i].path, url, &t->named);
        t->route = &routes[i];
    }
    if (match != ROUTE_FITS)
        talk_refuse(t, match == ROUTE_BAD ? ANSWER_PATH : ANSWER_NOT_FOUND);
}

static const char *header_of(void *self, const char *name)
{
    return talk_header(self, name);
}

bool talk_names(struct talk *t, struct part *part, const char *file)
{
    const struct route_source from = { t->route->path, &t->named, *t->client ? t->client : NULL, file, header_of, t };
    char *subject = t->names, *stream = t->names + ROUTE_NAME_ROOM;

    if (!route_write(subject, t->route->subject, &from) || !route_write(stream, t->route->stream, &from))
        return false;
    part->subject = subject;
    part->stream = stream;
    t->names += 2 * ROUTE_NAME_ROOM;
    return true;
}

/* ---- what ---- */

/* Whether the media type of a header is this one; "/+json" fits each that ends so. */
static bool is_type(const char *given, const char *type)
{
    size_t size = strcspn(given, "; \t"), length = strlen(type);

    return size >= length && strncasecmp(given + size - length, type, length) == 0 && (size == length || type[0] == '+');
}

static void kind_find(struct talk *t)
{
    static const char *const lines[] = { "application/x-ndjson", "application/ndjson", "application/jsonl",
                                         "application/x-jsonlines" };
    const char *type = talk_header(t, "Content-Type"), *coding = talk_header(t, "Content-Encoding");
    size_t i;

    type = type ? type : "";
    if (coding && strcasecmp(coding, "identity") != 0)
        talk_refuse(t, ANSWER_CODING);
    if (t->route->takes == TAKES_FILES) {
        t->kind = is_type(type, "multipart/form-data") ? BODY_FORM : BODY_FILE;
        if (is_type(type, "application/x-www-form-urlencoded") || (t->kind == BODY_FORM && !split_form_open(&t->form, type)))
            talk_refuse(t, ANSWER_TYPE_FORM);
        return;
    }
    t->kind = BODY_LINES;
    for (i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (is_type(type, lines[i]))
            return;
    t->kind = BODY_JSON;
    if (!is_type(type, "application/json") && !is_type(type, "+json"))
        talk_refuse(t, ANSWER_TYPE_JSON);
}

/* Digits alone, in range. */
static bool number_read(const char *text, int64_t *ret)
{
    int64_t n = 0;
    size_t i;

    for (i = 0; text[i]; i++) {
        if (text[i] < '0' || text[i] > '9' || n > (INT64_MAX - (text[i] - '0')) / 10)
            return false;
        n = n * 10 + (text[i] - '0');
    }
    *ret = n;
    return i > 0;
}

static void time_read(struct talk *t)
{
    const char *name = t->door->config->time_header, *text = *name ? talk_header(t, name) : NULL;
    const char *resent = talk_header(t, "Afferent-Resent");

    t->request->is_resent = resent && strcmp(resent, "1") == 0;
    t->request->has_time = text != NULL;
    if (text && !number_read(text, &t->request->event_ns))
        talk_refuse(t, ANSWER_BAD_TIME);
}

/* ---- memory ---- */

static void request_open(struct talk *t)
{
    const struct config *c = t->door->config;
    const char *length = talk_header(t, "Content-Length");
    int64_t size = 0, most = c->max_body;
    size_t names = t->kind == BODY_FORM ? ROUTE_NAMES_ROOM : 2 * (size_t)ROUTE_NAME_ROOM;

    if (length && (!number_read(length, &size) || size > most)) {
        t->answer.limit = (uint64_t)most;
        talk_refuse(t, ANSWER_LARGE);
        return;
    }
    if (talk_header(t, "Transfer-Encoding"))
        size = most;
    t->request = desk_begin(t->door->desk, names + (size_t)size + split_padding());
    if (!t->request) {
        talk_refuse(t, ANSWER_FULL);
        return;
    }
    t->names = t->request->memory;
    t->body_at = t->request->used = names;
    t->request->takes = (enum takes)t->route->takes;
}

/* ---- all of it ---- */

static bool is_health(struct talk *t, const char *url, const char *method)
{
    struct door *door = t->door;

    if (!*door->config->health || strcmp(url, door->config->health) != 0 ||
        (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0))
        return false;
    talk_refuse(t, desk_is_healthy(door->desk, net_clock()) ? ANSWER_HEALTHY : ANSWER_UNHEALTHY);
    return true;
}

void talk_head(struct talk *t, const char *url, const char *method)
{
    static void (*const checks[])(struct talk *) = { kind_find, request_open, time_read };
    const char *key;
    size_t i;

    framing_check(t);
    if (t->answer.code != ANSWER_NONE || is_health(t, url, method))
        return;
    who_check(t);
    if (t->answer.code == ANSWER_NONE)
        route_find(t, url);
    if (t->answer.code == ANSWER_NONE && strcmp(method, "POST") != 0 && strcmp(method, "PUT") != 0)
        talk_refuse(t, ANSWER_METHOD);
    key = talk_header(t, "Idempotency-Key");
    if (!key && t->door->config->no_key == NO_KEY_REFUSE)
        talk_refuse(t, ANSWER_NO_KEY);
    for (i = 0; i < sizeof checks / sizeof checks[0] && t->answer.code == ANSWER_NONE; i++)
        checks[i](t);
}
