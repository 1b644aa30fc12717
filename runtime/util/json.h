/* json.h - writes JSON (RFC 8259) to a stream, item by item.
 *
 * Commas, indentation and escapes are its own affair; the caller says only what
 * comes. In an object every item has a key, in an array none (NULL). Text that
 * is no UTF-8 comes out with U+FFFD where it is broken, so that the document is
 * always valid; numbers that JSON cannot say (NaN, infinities) are null.
 *
 * Not here: reading JSON. Errors of the stream are the stream's (ferror). */
#ifndef AFFERENT_UTIL_JSON_H
#define AFFERENT_UTIL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { JSON_DEPTH_MAX = 32 };

struct json {
    FILE *out;
    bool is_pretty; /* one item a line; else the document is one line */
    unsigned depth;
    bool has_items[JSON_DEPTH_MAX + 1];
    char closes[JSON_DEPTH_MAX + 1];
};

/* A document is one value; json_finish ends it with a newline, and json_begin
 * may begin the next (JSON lines). `out` is borrowed. */
void json_begin(struct json *json, FILE *out, bool is_pretty);
void json_finish(struct json *json);

void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
/* Ends the innermost object or array. */
void json_end(struct json *json);

void json_text(struct json *json, const char *key, const char *text); /* NULL: null */
void json_text_bytes(struct json *json, const char *key, const char *bytes, size_t length);
void json_int(struct json *json, const char *key, int64_t value);
void json_uint(struct json *json, const char *key, uint64_t value);
void json_real(struct json *json, const char *key, double value); /* reads back as itself */
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* Appends nothing else than `bytes` as a quoted JSON string. */
void json_quote(FILE *out, const char *bytes, size_t length);

#ifdef __cplusplus
}
#endif

#endif
