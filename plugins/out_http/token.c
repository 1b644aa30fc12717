/* token.c - see token.h. */
#include "token.h"

#include "json/json.h"

#include <string.h>
#include <strings.h>

enum { ANSWER_MOST = 64 * 1024, TOKEN_MOST = 16 * 1024 };
#define SECOND INT64_C(1000000000)
#define UNSAID (300 * SECOND) /* where a server does not say how long */
#define EARLY (60 * SECOND)

enum { SOURCE_TOKEN, SOURCE_KIND, SOURCE_SECONDS };
static const struct json_node nodes[] = {
    { "", 0, 1, 0, JSON_NO_SOURCE },
    { "access_token", 12, 0, 2, SOURCE_TOKEN },
    { "token_type", 10, 0, 3, SOURCE_KIND },
    { "expires_in", 10, 0, 0, SOURCE_SECONDS },
};
static const char *const root[] = { NULL };

/* ---- opening ---- */

/* application/x-www-form-urlencoded */
static void form_add(struct text *t, const char *name, const char *value)
{
    char *escaped = curl_easy_escape(NULL, value, 0);

    text_say(t, t->size ? "&" : "");
    text_say(t, name);
    text_say(t, "=");
    if (escaped)
        text_say(t, escaped);
    t->failed |= !escaped;
    curl_free(escaped);
}

bool token_open(struct token *t, const struct config *config)
{
    const struct oauth_config *o = config->oauth;

    t->config = *config;
    t->config.token = NULL;
    t->config.user = t->config.password = NULL;
    t->config.method = METHOD_POST;
    t->config.answer_most = ANSWER_MOST;
    t->target = (struct target){ &t->config.way, o->url, NULL, true };
    t->target.headers = curl_slist_append(NULL, "Accept: application/json");
    t->json = json_open(ANSWER_MOST, root, nodes, sizeof nodes / sizeof nodes[0]);
    form_add(&t->body, "grant_type", "client_credentials");
    if (o->scope)
        form_add(&t->body, "scope", o->scope);
    if (o->audience)
        form_add(&t->body, "audience", o->audience);
    if (!t->json || !t->target.headers || t->body.failed || !transfer_open(&t->transfer, &t->target))
        return false;
    return true;
}

static void bytes_forget(struct text *t)
{
    if (t->bytes)
        explicit_bzero(t->bytes, t->room);
    t->size = 0;
}

void token_close(struct token *t)
{
    bytes_forget(&t->bearer);
    bytes_forget(&t->found);
    bytes_forget(&t->transfer.answer);
    transfer_close(&t->transfer);
    curl_slist_free_all(t->target.headers);
    json_close(t->json);
    text_free(&t->body);
    text_free(&t->bearer);
    text_free(&t->found);
    t->target.headers = NULL;
    t->json = NULL;
}

/* ---- using ---- */

const char *token_get(const struct token *t, int64_t now_ns)
{
    return t->bearer.size > 0 && now_ns < t->until_ns ? t->bearer.bytes : NULL;
}

bool token_is_due(const struct token *t, int64_t now_ns)
{
    return !t->is_asked && (t->bearer.size == 0 || now_ns >= t->fresh_until_ns);
}

void token_drop(struct token *t)
{
    bytes_forget(&t->bearer);
}

/* The client's id and secret are escaped before they become a user and a password
 * (RFC 6749, section 2.3.1). */
bool token_ask(struct token *t)
{
    const struct oauth_config *o = t->config.oauth;
    char *client = curl_easy_escape(NULL, o->client, 0), *secret = curl_easy_escape(NULL, o->secret, 0);
    bool good = client && secret && transfer_load(&t->transfer, HTTP_POST, &t->body, t->target.headers) &&
                curl_easy_setopt(t->transfer.easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) == CURLE_OK &&
                curl_easy_setopt(t->transfer.easy, CURLOPT_USERNAME, client) == CURLE_OK &&
                curl_easy_setopt(t->transfer.easy, CURLOPT_PASSWORD, secret) == CURLE_OK;

    if (secret)
        explicit_bzero(secret, strlen(secret));
    curl_free(client);
    curl_free(secret);
    t->is_asked = good;
    return good;
}

/* ---- reading ---- */

static void found_begin(void *self)
{
    (void)self;
}

static int64_t seconds_of(const struct json_value *v)
{
    int64_t n = 0;

    for (uint32_t i = 0; i < v->size && v->text[i] >= '0' && v->text[i] <= '9'; i++)
        n = n > 100000000 ? n : n * 10 + (v->text[i] - '0');
    return n;
}

static void found_value(void *self, int32_t source, const struct json_value *v)
{
    struct token *t = self;

    if (source == SOURCE_TOKEN && v->kind == JSON_STRING && v->size <= TOKEN_MOST) {
        text_add(&t->found, v->text, v->size);
        text_add(&t->found, "", 1);
    } else if (source == SOURCE_KIND) {
        t->is_other = v->kind != JSON_STRING || v->size != 6 || strncasecmp(v->text, "bearer", 6) != 0;
    } else if (source == SOURCE_SECONDS && (v->kind == JSON_NUMBER || v->kind == JSON_STRING)) {
        t->seconds = seconds_of(v);
    }
}

static int found_row(void *self, size_t at, size_t size, enum json_status status)
{
    (void)self;
    (void)at;
    (void)size;
    return status != JSON_FINE;
}

/* It goes into a header: what cannot stand in one (RFC 6750, section 2.1) is none. */
static bool is_token(const struct text *t)
{
    if (t->failed || t->size < 2)
        return false;
    for (size_t i = 0; i + 1 < t->size; i++)
        if (t->bytes[i] <= 0x20 || t->bytes[i] > 0x7e)
            return false;
    return t->bytes[t->size - 1] == 0;
}

static bool found_read(struct token *t)
{
    static const struct json_calls calls = { .begin = found_begin, .value = found_value, .row = found_row };
    struct text *answer = &t->transfer.answer;
    size_t at = 0;
    bool good;

    t->found.size = 0;
    t->found.failed = 0;
    t->seconds = -1;
    t->is_other = false;
    good = transfer_pad(&t->transfer, json_padding()) && answer->size > 0 &&
           json_walk(t->json, answer->bytes, answer->size, &calls, t, &at) == JSON_FINE && !t->is_other && is_token(&t->found);
    bytes_forget(answer);
    return good;
}

/* Asked for anew a minute early, or a fifth of its life where that is less. */
static void found_keep(struct token *t, int64_t now_ns)
{
    struct text before = t->bearer;
    int64_t life = t->seconds <= 0 ? UNSAID : t->seconds * SECOND;

    t->bearer = t->found;
    t->found = before;
    bytes_forget(&t->found);
    t->until_ns = now_ns + life;
    t->fresh_until_ns = t->until_ns - (life / 5 < EARLY ? life / 5 : EARLY);
}

const char *token_take(struct token *t, const char *failed, long status, int64_t now_ns)
{
    t->is_asked = false;
    if (failed)
        return failed;
    if (status == 400 || status == 401 || status == 403)
        return "the token server refuses this client; check oauth.client, oauth.secret and oauth.scope";
    if (status < 200 || status > 299)
        return "the token server gives no token; check oauth.url";
    if (!found_read(t))
        return "the token server's answer holds no bearer token; check oauth.url";
    found_keep(t, now_ns);
    return NULL;
}
