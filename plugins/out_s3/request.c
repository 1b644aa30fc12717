/* request.c - one signed request, see store.h.
 *
 * Signed are the host, the type, and all headers of the store's own: what is said of an
 * object must not be changed on the way, and what proxies add may be. */
#include "store.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { EARLIEST_S = 1735689600, NAME_ROOM = 128 }; /* 2025-01-01 */

/* Headers as they are collected. */
struct lines {
    struct sign_header is[SIGN_HEADERS_MOST];
    size_t count;
    bool is_full;
};

static void line_put(struct lines *l, const char *name, const char *value)
{
    if (!value)
        return;
    if (l->count == SIGN_HEADERS_MOST)
        l->is_full = true;
    else
        l->is[l->count++] = (struct sign_header){ name, value };
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sign_header *)a)->name, ((const struct sign_header *)b)->name);
}

/* ---- what is said of an object ---- */

static const char *type_of(const struct config *c)
{
    static const char *const types[] = { "application/x-ndjson", "application/json", "text/csv; charset=utf-8",
                                         "application/octet-stream" };

    return c->content_type ? c->content_type : types[c->format];
}

static void object_put(struct lines *l, const struct config *c)
{
    static const char *const sse[] = { NULL, "AES256", "aws:kms" };

    line_put(l, "content-type", type_of(c));
    line_put(l, "content-encoding", pack_name(c->compress));
    line_put(l, "x-amz-storage-class", c->storage_class);
    line_put(l, "x-amz-server-side-encryption", sse[c->sse]);
    line_put(l, "x-amz-server-side-encryption-aws-kms-key-id", c->sse_key);
}

/* The configuration's own; their names in small letters lie in `names`. */
static void own_put(struct lines *l, const struct config *c, char (*names)[NAME_ROOM])
{
    for (uint32_t i = 0; i < c->headers.count; i++) {
        const struct http_header *h = (const void *)((const char *)c->headers.items + (size_t)i * c->headers.stride);
        size_t n;

        if (i == HEADERS_MOST)
            return;
        for (n = 0; h->key[n] && n + 1 < NAME_ROOM; n++)
            names[i][n] = (char)(h->key[n] >= 'A' && h->key[n] <= 'Z' ? h->key[n] - 'A' + 'a' : h->key[n]);
        names[i][n] = '\0';
        line_put(l, names[i], h->value);
    }
}

/* Of a PUT the hash of what it carries, so that the store keeps it beside the object. */
static void checksum_put(struct lines *l, const struct config *c, const struct ask *ask, char room[NAME_ROOM])
{
    uint8_t hash[crypto_hash_sha256_BYTES];

    if (!c->checksum)
        return;
    if (ask->method == HTTP_POST && ask->is_object)
        line_put(l, "x-amz-checksum-algorithm", "SHA256");
    if (ask->method != HTTP_PUT)
        return;
    (void)crypto_hash_sha256(hash, (const uint8_t *)(ask->body->size > 0 ? ask->body->bytes : ""), ask->body->size);
    (void)sodium_bin2base64(room, NAME_ROOM, hash, sizeof hash, sodium_base64_VARIANT_ORIGINAL);
    line_put(l, "x-amz-checksum-sha256", room);
}

/* ---- the request ---- */

static bool path_make(struct text *t, const struct store *s, const struct ask *ask)
{
    text_say(t, "/");
    if (s->place.is_path) {
        sign_escape(t, s->config->bucket, strlen(s->config->bucket), false);
        text_say(t, ask->key ? "/" : "");
    }
    if (ask->key)
        sign_escape(t, ask->key, ask->key_size, true);
    text_add(t, "", 1);
    return !t->failed;
}

static bool address_set(CURL *e, const struct store *s, const char *path, const char *query)
{
    struct text url = { 0 };
    bool good;

    text_say(&url, s->place.origin);
    text_say(&url, path);
    text_say(&url, *query ? "?" : "");
    text_say(&url, query);
    text_add(&url, "", 1);
    good = !url.failed && curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_URL, url.bytes) == CURLE_OK;
    text_free(&url);
    return good;
}

static bool list_make(struct curl_slist **headers, const struct lines *l, const char *authorization, bool has_type)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    bool good = list && http_header_add(&list, "Authorization", authorization);

    if (good && !has_type) {
        struct curl_slist *longer = curl_slist_append(list, "Content-Type:"); /* libcurl would say one */

        good = longer != NULL;
        list = longer ? longer : list;
    }
    for (size_t i = 0; good && i < l->count; i++)
        good = http_header_add(&list, l->is[i].name, l->is[i].value);
    *headers = list;
    return good;
}

static bool is_signed(const char *name)
{
    return strncmp(name, "x-amz-", 6) == 0 || strcmp(name, "host") == 0 || strcmp(name, "content-type") == 0;
}

static bool authorize(struct text *t, const struct store *s, const struct lines *all, struct sign_request *r)
{
    struct lines chosen = { .count = 0 };

    for (size_t i = 0; i < all->count; i++)
        if (is_signed(all->is[i].name))
            chosen.is[chosen.count++] = all->is[i];
    r->headers = chosen.is;
    r->header_count = chosen.count;
    sign_write(t, &s->who, r);
    text_add(t, "", 1);
    return !t->failed;
}

static bool request_make(const struct store *s, struct transfer *t, struct curl_slist **headers, const struct ask *ask, int64_t now)
{
    static const char *const methods[] = { "POST", "PUT", "GET", "DELETE" };
    char hash[SIGN_HASH_ROOM], date[SIGN_DATE_ROOM], names[HEADERS_MOST][NAME_ROOM], checksum[NAME_ROOM];
    struct text path = { 0 }, authorization = { 0 };
    struct sign_request r = { .method = methods[ask->method], .query = ask->query, .payload_hash = hash, .date = date };
    struct lines l = { .count = 0 };
    bool good;

    sign_hash(hash, ask->body ? ask->body->bytes : NULL, ask->body ? ask->body->size : 0);
    sign_date(date, now);
    line_put(&l, "host", s->place.host);
    line_put(&l, "x-amz-content-sha256", hash);
    line_put(&l, "x-amz-date", date);
    line_put(&l, "x-amz-security-token", s->config->session_token);
    if (ask->is_object) {
        object_put(&l, s->config);
        own_put(&l, s->config, names);
    } else if (ask->is_xml) {
        line_put(&l, "content-type", "application/xml");
    }
    checksum_put(&l, s->config, ask, checksum);
    qsort(l.is, l.count, sizeof l.is[0], by_name);
    good = !l.is_full && path_make(&path, s, ask);
    r.path = path.bytes;
    good = good && authorize(&authorization, s, &l, &r) &&
           list_make(headers, &l, authorization.bytes, ask->is_object || ask->is_xml) &&
           address_set(t->easy, s, path.bytes, ask->query) && transfer_load(t, ask->method, ask->body, *headers);
    text_free(&path);
    text_free(&authorization);
    return good;
}

const char *store_load(const struct store *s, struct transfer *t, struct curl_slist **headers, const struct ask *ask)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_sec < EARLIEST_S)
        return "this machine's clock is not set, and the store would refuse what is signed by it; set the clock, by NTP";
    curl_slist_free_all(*headers);
    *headers = NULL;
    return request_make(s, t, headers, ask, now.tv_sec) ? NULL : "no memory for a request";
}
