/* SPDX-License-Identifier: Apache-2.0
 *
 * json.h - simdjson behind a C interface: a JSON text is walked once, whole, and
 * what was asked for is handed out as it is met. */
#ifndef JSON_JSON_H
#define JSON_JSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { JSON_DEPTH_MOST = 64, JSON_NO_SOURCE = -1 };

/* What a text, or one row of it, may be. */
enum json_status {
    JSON_FINE,
    JSON_BAD,       /* not JSON; or it ends too early, where that cannot be told from it */
    JSON_BAD_UTF8,
    JSON_TRUNCATED, /* ends before it is whole */
    JSON_TRAILING,  /* something follows */
    JSON_DEEP,      /* nested more than JSON_DEPTH_MOST */
    JSON_DUPLICATE, /* a key that is asked for is there twice */
    JSON_BAD_KEY,   /* open: a key that cannot be a column's name */
    JSON_NO_OBJECT, /* a row that is no object */
    JSON_NO_ROOT,   /* the place of the rows is not there */
    JSON_STOPPED    /* a function of the caller said so */
};

/* The keys that are asked for, as a tree: node 0 is the row. Siblings are the
 * children of one node; an array's children have their index as key. */
struct json_node {
    const char *key;
    uint32_t key_size;
    uint32_t child, sibling; /* node, 0: none */
    int32_t source;          /* JSON_NO_SOURCE: only its children are asked for */
};

enum json_kind { JSON_NUMBER, JSON_STRING, JSON_TRUTH, JSON_NESTED };

struct json_value {
    const char *text; /* strings unescaped; borrowed until the next text */
    uint32_t size;
    enum json_kind kind;
};

struct json_calls {
    /* A row begins, which is an object. */
    void (*begin)(void *self);
    /* A value that is asked for; null is not handed out. */
    void (*value)(void *self, int32_t source, const struct json_value *value);
    /* Where nothing is asked for: each scalar and array, under its keys joined by
     * points. Not JSON_FINE: what is wrong with the row. */
    enum json_status (*open_value)(void *self, const char *name, uint32_t size, const struct json_value *value);
    /* A row ended: its place, and what is wrong with it. Not 0: stop. */
    int (*row)(void *self, size_t at, size_t size, enum json_status status);
};

struct json;

/* For texts of up to `most` bytes; a longer one is BAD. `root`: keys on the way to the rows, ended by
 * NULL. `nodes` NULL: open. All borrowed. NULL: no memory. */
struct json *json_open(size_t most, const char *const *root, const struct json_node *nodes, size_t node_count);
void json_close(struct json *json);

/* Bytes that must be readable behind a text, the first of them a zero or a blank: with
 * any other a text that was cut short would go on there. */
size_t json_padding(void);

/* Walks the text. Not JSON_FINE: what stands from *ret_at on is not usable, rows
 * before it were handed out. */
enum json_status json_walk(struct json *json, const char *text, size_t size, const struct json_calls *calls,
                           void *self, size_t *ret_at);

#ifdef __cplusplus
}
#endif
#endif
