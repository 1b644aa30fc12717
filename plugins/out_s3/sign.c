/* sign.c - see sign.h. */
#include "sign.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "calendar/calendar.h"

enum { HASH_BYTES = crypto_hash_sha256_BYTES, DAY_LENGTH = 8 };
_Static_assert(crypto_auth_hmacsha256_BYTES == crypto_hash_sha256_BYTES, "one size of hash");

void sign_hash(char ret[SIGN_HASH_ROOM], const void *bytes, size_t size)
{
    uint8_t hash[HASH_BYTES];

    (void)crypto_hash_sha256(hash, size > 0 ? bytes : "", size);
    (void)sodium_bin2hex(ret, SIGN_HASH_ROOM, hash, sizeof hash);
}

void sign_date(char ret[SIGN_DATE_ROOM], int64_t utc_s)
{
    struct calendar c = calendar_at(utc_s * INT64_C(1000000000));

    (void)snprintf(ret, SIGN_DATE_ROOM, "%04u%02u%02uT%02u%02u%02uZ", (unsigned)(c.year % 10000), (unsigned)c.month % 100,
                   (unsigned)c.day % 100, (unsigned)c.hour % 100, (unsigned)c.minute % 100, (unsigned)c.second % 100);
}

static bool is_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

void sign_escape(struct text *t, const char *bytes, size_t size, bool keeps_slash)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (is_plain(c) || (c == '/' && keeps_slash))
            text_add(t, bytes + i, 1);
        else
            text_add(t, (const char[]){ '%', hex[c >> 4], hex[c & 15] }, 3);
    }
}

/* ---- the canonical request ---- */

/* Blanks around a value are taken away, and a run of them inside is one. */
static void value_write(struct text *t, const char *value)
{
    bool was_blank = false, any = false;

    for (; *value; value++) {
        bool is_blank = *value == ' ' || *value == '\t';

        if (!is_blank) {
            text_say(t, was_blank && any ? " " : "");
            text_add(t, value, 1);
            any = true;
        }
        was_blank = is_blank;
    }
}

static void names_write(struct text *t, const struct sign_request *r)
{
    for (size_t i = 0; i < r->header_count; i++) {
        text_say(t, i > 0 ? ";" : "");
        text_say(t, r->headers[i].name);
    }
}

static void canonical_write(struct text *t, const struct sign_request *r)
{
    text_say(t, r->method);
    text_say(t, "\n");
    text_say(t, r->path);
    text_say(t, "\n");
    text_say(t, r->query);
    text_say(t, "\n");
    for (size_t i = 0; i < r->header_count; i++) {
        text_say(t, r->headers[i].name);
        text_say(t, ":");
        value_write(t, r->headers[i].value);
        text_say(t, "\n");
    }
    text_say(t, "\n");
    names_write(t, r);
    text_say(t, "\n");
    text_say(t, r->payload_hash);
}

/* ---- the key ---- */

static void hmac(uint8_t ret[HASH_BYTES], const uint8_t *key, size_t key_size, const char *text, size_t size)
{
    crypto_auth_hmacsha256_state state;

    (void)crypto_auth_hmacsha256_init(&state, key, key_size);
    (void)crypto_auth_hmacsha256_update(&state, (const uint8_t *)text, size);
    (void)crypto_auth_hmacsha256_final(&state, ret);
    sodium_memzero(&state, sizeof state);
}

/* HMAC(HMAC(HMAC(HMAC("AWS4" + secret, day), region), service), "aws4_request") */
static bool key_make(uint8_t ret[HASH_BYTES], const struct sign_who *who, const char *date)
{
    struct text first = { 0 };
    uint8_t next[HASH_BYTES];

    text_say(&first, "AWS4");
    text_say(&first, who->secret_key);
    if (!first.failed) {
        hmac(ret, (const uint8_t *)first.bytes, first.size, date, DAY_LENGTH);
        hmac(next, ret, HASH_BYTES, who->region, strlen(who->region));
        hmac(ret, next, HASH_BYTES, who->service, strlen(who->service));
        hmac(next, ret, HASH_BYTES, "aws4_request", 12);
        memcpy(ret, next, HASH_BYTES);
        sodium_memzero(next, sizeof next);
    }
    if (first.bytes)
        sodium_memzero(first.bytes, first.room);
    text_free(&first);
    return !first.failed;
}

/* ---- all of it ---- */

static void scope_write(struct text *t, const struct sign_who *who, const char *date)
{
    text_add(t, date, DAY_LENGTH);
    text_say(t, "/");
    text_say(t, who->region);
    text_say(t, "/");
    text_say(t, who->service);
    text_say(t, "/aws4_request");
}

static bool signature_make(char ret[SIGN_HASH_ROOM], const struct sign_who *who, const struct sign_request *r)
{
    struct text canonical = { 0 }, words = { 0 };
    uint8_t key[HASH_BYTES], signature[HASH_BYTES];
    char hash[SIGN_HASH_ROOM];
    bool good;

    canonical_write(&canonical, r);
    sign_hash(hash, canonical.bytes, canonical.size);
    text_say(&words, "AWS4-HMAC-SHA256\n");
    text_say(&words, r->date);
    text_say(&words, "\n");
    scope_write(&words, who, r->date);
    text_say(&words, "\n");
    text_say(&words, hash);
    good = !canonical.failed && !words.failed && key_make(key, who, r->date);
    if (good) {
        hmac(signature, key, sizeof key, words.bytes, words.size);
        (void)sodium_bin2hex(ret, SIGN_HASH_ROOM, signature, sizeof signature);
        sodium_memzero(key, sizeof key);
    }
    text_free(&canonical);
    text_free(&words);
    return good;
}

void sign_write(struct text *t, const struct sign_who *who, const struct sign_request *request)
{
    char signature[SIGN_HASH_ROOM];

    if (!signature_make(signature, who, request)) {
        t->failed = 1;
        return;
    }
    text_say(t, "AWS4-HMAC-SHA256 Credential=");
    text_say(t, who->access_key);
    text_say(t, "/");
    scope_write(t, who, request->date);
    text_say(t, ",SignedHeaders=");
    names_write(t, request);
    text_say(t, ",Signature=");
    text_say(t, signature);
}
