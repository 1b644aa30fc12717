/* SPDX-License-Identifier: Apache-2.0
 *
 * path.h - places in JSON as people write them: "a.b.0" or "/a/b/0". */
#ifndef OP_JSON_PATH_H
#define OP_JSON_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json/json.h"

enum { PATH_KEYS_MOST = 32 };

/* The next key of a path: false at its end. `to` has room for the whole path. A
 * path that begins with '/' is a JSON pointer (RFC 6901), others are split at
 * points. */
struct path {
    const char *at;
    bool pointer, over;
};
void path_open(struct path *path, const char *text);
bool path_next(struct path *path, char *to, uint32_t *ret_size);

/* What is wrong with a path, for people; NULL when nothing is. */
const char *path_check(const char *text);

/* Whether two paths are of one place, however they are written. */
bool path_same(const char *a, const char *b);

/* A tree of keys, filled source by source; nodes and keys are the caller's: see
 * path_nodes and path_bytes. False when another source stands at the same place. */
struct path_tree {
    struct json_node *nodes;
    uint32_t count;
    char *keys;
    size_t used;
};
void path_tree_open(struct path_tree *tree, struct json_node *nodes, char *keys);
bool path_add(struct path_tree *tree, const char *text, int32_t source);
/* Room that a path needs at most. */
uint32_t path_nodes(const char *text);

#endif
