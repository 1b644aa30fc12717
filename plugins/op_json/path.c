/* SPDX-License-Identifier: Apache-2.0
 *
 * path.c - places in JSON: JSON pointers (RFC 6901) and keys joined by points,
 * one by one and as a tree. A key with a point in it is written as a pointer. */
#include "path.h"

#include <string.h>

void path_open(struct path *path, const char *text)
{
    path->pointer = *text == '/';
    path->at = text + path->pointer;
    path->over = *text == '\0';
}

bool path_next(struct path *path, char *to, uint32_t *ret_size)
{
    char mark = path->pointer ? '/' : '.';
    uint32_t n = 0;

    if (path->over)
        return false;
    for (; *path->at && *path->at != mark; path->at++) {
        char c = *path->at;

        if (path->pointer && c == '~' && (path->at[1] == '0' || path->at[1] == '1'))
            c = *++path->at == '0' ? '~' : '/';
        to[n++] = c;
    }
    path->over = !*path->at;
    path->at += !path->over;
    *ret_size = n;
    return true;
}

uint32_t path_nodes(const char *text)
{
    uint32_t n = 1;

    for (; *text; text++)
        n += *text == '.' || *text == '/';
    return n;
}

const char *path_check(const char *text)
{
    char key[1024];
    struct path path;
    uint32_t size, n = 0;

    if (strlen(text) > sizeof key)
        return "is longer than 1024 characters; expected a shorter path; shorten it";
    path_open(&path, text);
    while (path_next(&path, key, &size)) {
        if (!size)
            return "has an empty key; expected a path of keys; write it like \"a.b\" or \"/a/b\"";
        if (++n > PATH_KEYS_MOST)
            return "has more than 32 keys; expected fewer; name a place further up as root";
    }
    return NULL;
}

bool path_same(const char *a, const char *b)
{
    char keys[2][1024];
    uint32_t sizes[2];
    struct path paths[2];
    bool more[2];

    path_open(&paths[0], a);
    path_open(&paths[1], b);
    do {
        more[0] = path_next(&paths[0], keys[0], &sizes[0]);
        more[1] = path_next(&paths[1], keys[1], &sizes[1]);
        if (more[0] != more[1])
            return false;
        if (more[0] && (sizes[0] != sizes[1] || memcmp(keys[0], keys[1], sizes[0]) != 0))
            return false;
    } while (more[0]);
    return true;
}

void path_tree_open(struct path_tree *tree, struct json_node *nodes, char *keys)
{
    *tree = (struct path_tree){ nodes, 1, keys, 0 };
    nodes[0] = (struct json_node){ "", 0, 0, 0, JSON_NO_SOURCE };
}

/* The child of a node that has this key; added behind its siblings. */
static uint32_t child_get(struct path_tree *tree, uint32_t node, const char *key, uint32_t size)
{
    uint32_t *link = &tree->nodes[node].child;

    for (; *link; link = &tree->nodes[*link].sibling)
        if (tree->nodes[*link].key_size == size && memcmp(tree->nodes[*link].key, key, size) == 0)
            return *link;
    tree->nodes[tree->count] = (struct json_node){ key, size, 0, 0, JSON_NO_SOURCE };
    tree->used += size;
    *link = tree->count;
    return tree->count++;
}

bool path_add(struct path_tree *tree, const char *text, int32_t source)
{
    struct path path;
    uint32_t node = 0, size;

    path_open(&path, text);
    while (path_next(&path, tree->keys + tree->used, &size))
        node = child_get(tree, node, tree->keys + tree->used, size);
    if (!node || tree->nodes[node].source != JSON_NO_SOURCE)
        return false;
    tree->nodes[node].source = source;
    return true;
}
