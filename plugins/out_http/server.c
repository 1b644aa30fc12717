/* server.c - see server.h.
 *
 * Each request has an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): of one
 * record its id; of several the first one's, their number and a hash of all ids. The same key
 * is always the same bytes. */
#include "server.h"

#include <inttypes.h>
#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "frame.h"
#include "record.h"

enum { LINE_ROOM = 128 };

/* Headers of one request, in front of those of all. */
struct own {
    struct curl_slist lines[2];
    char key[LINE_ROOM], resent[LINE_ROOM];
};

/* No "Expect: 100-continue": it costs a round trip, and nothing is sent twice for it. */
static struct curl_slist *headers_make(const struct config *config)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    bool good = list && http_header_add(&list, "Content-Type", frame_type(config));

    if (good && pack_name(config->compress))
        good = http_header_add(&list, "Content-Encoding", pack_name(config->compress));
    if (good && config->format == FORMAT_FHIR)
        good = http_header_add(&list, "Accept", "application/fhir+json") && http_header_add(&list, "Prefer", "return=minimal");
    else if (good)
        good = http_header_add(&list, "Accept", "application/json, */*;q=0.5");
    if (good && http_headers_add(&list, &config->way))
        return list;
    curl_slist_free_all(list);
    return NULL;
}

bool server_open(struct server *s, const struct config *config)
{
    bool is_kept = config->format == FORMAT_FHIR || config->answer;

    s->config = config;
    s->target = (struct target){ &config->way, config->url, headers_make(config), is_kept };
    s->answers = answers_open(config);
    return (!config->oauth || token_open(&s->token, config)) && s->target.headers && s->answers;
}

void server_close(struct server *s)
{
    token_close(&s->token);
    curl_slist_free_all(s->target.headers);
    answers_close(s->answers);
}

/* ---- a request ---- */

static bool any_resent(const struct call *call)
{
    if (call->is_again)
        return true;
    for (uint32_t i = 0; i < call->count; i++)
        if (call->items[i].is_resent)
            return true;
    return false;
}

static uint64_t ids_hash(const struct item *items, uint32_t count)
{
    uint64_t hash = 0;

    for (uint32_t i = 0; i < count; i++)
        hash = XXH64(&items[i].id, sizeof items[i].id, hash);
    return hash;
}

static void key_write(char ret[LINE_ROOM], const struct item *items, uint32_t count)
{
    char first[ID_ROOM];

    record_id(items[0].id, first);
    if (count == 1)
        (void)snprintf(ret, LINE_ROOM, "Idempotency-Key: \"%s\"", first);
    else
        (void)snprintf(ret, LINE_ROOM, "Idempotency-Key: \"%s-n%" PRIu32 "-%016" PRIx64 "\"", first, count, ids_hash(items, count));
}

/* libcurl reads the list and never changes it. */
static const struct curl_slist *headers_own(const struct server *s, struct call *call)
{
    struct curl_slist *first = s->target.headers;
    struct own *own = call->own;

    if (any_resent(call)) {
        (void)snprintf(own->resent, sizeof own->resent, "Afferent-Resent: 1");
        own->lines[0] = (struct curl_slist){ own->resent, first };
        first = &own->lines[0];
    }
    key_write(own->key, call->items, call->count);
    own->lines[1] = (struct curl_slist){ own->key, first };
    return &own->lines[1];
}

static const struct text *body_make(const struct config *c, struct call *call)
{
    if (!frame_write(&call->body, c, call->elements, call->items, call->count))
        return NULL;
    if (c->compress == PACK_NONE)
        return &call->body;
    return frame_pack(&call->packed, &call->body, c->compress) ? &call->packed : NULL;
}

static bool who_set(const struct server *s, struct transfer *t)
{
    const struct config *c = s->config;
    const char *bearer = c->oauth ? token_get(&s->token, pump_now()) : c->token;

    if (c->user)
        return curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
               curl_easy_setopt(t->easy, CURLOPT_USERNAME, c->user) == CURLE_OK &&
               curl_easy_setopt(t->easy, CURLOPT_PASSWORD, c->password ? c->password : "") == CURLE_OK;
    return !bearer || transfer_bearer(t, bearer);
}

static const char *call_load(void *self, struct call *call)
{
    const struct server *s = self;
    enum http_method method = s->config->method == METHOD_PUT ? HTTP_PUT : HTTP_POST;
    const struct text *body = body_make(s->config, call);

    if (!body || !transfer_load(&call->transfer, method, body, headers_own(s, call)) || !who_set(s, &call->transfer))
        return "no memory for a request";
    return NULL;
}

/* ---- an answer ---- */

static bool each_read(struct server *s, struct call *call, unsigned *statuses)
{
    const struct outcomes asked = { &call->items[0].id, sizeof call->items[0], call->count, statuses };
    const struct text *body = &call->transfer.answer;

    return transfer_pad(&call->transfer, answers_padding()) && answers_read(s->answers, body->bytes, body->size, &asked);
}

static enum judgement call_judge(void *self, struct call *call, unsigned *statuses, const char **ret_why)
{
    struct server *s = self;
    enum judgement is = answer_judge(s->config, transfer_status(&call->transfer), call->count, ret_why);

    if (is != JUDGE_EACH)
        return is;
    if (!each_read(s, call, statuses)) {
        *ret_why = "the answer does not say what became of each record; check url, format and answer";
        return JUDGE_LATER;
    }
    *ret_why = "the server could not store some records now";
    return JUDGE_EACH;
}

/* ---- a token ---- */

static bool token_renew(void *self)
{
    struct server *s = self;

    if (!s->config->oauth)
        return false;
    token_drop(&s->token);
    return true;
}

/* It is asked for only when there is something to send, and not in a wait. */
static bool token_prepare(void *self, bool wanted, struct transfer **ret_send, const char **ret_why)
{
    struct server *s = self;
    int64_t now = pump_now();

    if (!s->config->oauth)
        return true;
    if (wanted && token_is_due(&s->token, now)) {
        if (token_ask(&s->token))
            *ret_send = &s->token.transfer;
        else
            *ret_why = "no memory for a token";
    }
    return token_get(&s->token, now) != NULL;
}

static const char *token_prepared(void *self, CURLcode code)
{
    struct server *s = self;
    const struct transfer *t = &s->token.transfer;

    return token_take(&s->token, transfer_failed(t, code), transfer_status(t), pump_now());
}

const struct pump_kind server_kind = {
    .thread = "out_http",
    .tries = 1,
    .own_size = sizeof(struct own),
    .load = call_load,
    .judge = call_judge,
    .outcome = answer_outcome,
    .renew = token_renew,
    .prepare = token_prepare,
    .prepared = token_prepared,
};
