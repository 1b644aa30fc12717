/* SPDX-License-Identifier: Apache-2.0
 *
 * paths.c - see paths.h. */
#include "recording/paths.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *paths_get(const struct paths *p, uint32_t index)
{
    return p->text + p->at[index] + 1;
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

void paths_close(struct paths *p)
{
    if (p->text)
        p->host->free(p->host, p->text);
    if (p->at)
        p->host->free(p->host, p->at);
    p->text = NULL;
    p->at = NULL;
    p->count = 0;
}

/* Memory that grows: host memory has no realloc. */
static void *grown(const struct aff_host *host, void *old, size_t used, size_t room)
{
    void *new = host->alloc(host, room);

    if (!new)
        return NULL;
    if (old) {
        memcpy(new, old, used);
        host->free(host, old);
    }
    return new;
}

static aff_status path_add(struct paths *p, char mark, const char *path)
{
    size_t size = strlen(path) + 2;
    void *new;

    if (p->count == PATHS_MAX || p->used + size > PATHS_BYTES)
        return p->host->explain(p->host, AFF_ERR_CONFIG, "path: more than %d recordings; split them up", PATHS_MAX);
    if (p->used + size > p->room) {
        new = grown(p->host, p->text, p->used, (p->room + size) * 2);
        if (!new)
            return AFF_ERR_MEMORY;
        p->text = new;
        p->room = (p->room + size) * 2;
    }
    if (p->count == p->at_room) {
        new = grown(p->host, p->at, p->count * sizeof *p->at, (p->at_room + 16u) * 2u * sizeof *p->at);
        if (!new)
            return AFF_ERR_MEMORY;
        p->at = new;
        p->at_room = (p->at_room + 16) * 2;
    }
    p->at[p->count++] = (uint32_t)p->used;
    p->text[p->used] = mark;
    memcpy(p->text + p->used + 1, path, size - 1);
    p->used += size;
    return AFF_OK;
}

static int has_suffix(const struct paths *p, const char *name)
{
    const char *const *suffix;
    size_t n = strlen(name);

    for (suffix = p->kind->suffixes; *suffix; suffix++)
        if (n > strlen(*suffix) && strcmp(name + n - strlen(*suffix), *suffix) == 0)
            return 1;
    return 0;
}

/* Entries are told by their number: a path is often a patient's name. */
static aff_status missing(struct paths *p, uint32_t item, int error)
{
    char text[80];

    return p->host->explain(p->host, AFF_ERR_IO, "path, entry %u: %s", item + 1,
                            strerror_r(error, text, sizeof text));
}

static aff_status folder_add(struct paths *p, uint32_t item, const char *path)
{
    DIR *d = opendir(path);
    aff_status st = AFF_OK;
    uint32_t before = p->count;
    struct dirent *e;
    char full[PATH_MAX];

    if (!d)
        return missing(p, item, errno);
    while (st == AFF_OK && (e = readdir(d)))
        if (has_suffix(p, e->d_name) && e->d_name[0] != '.' &&
            snprintf(full, sizeof full, "%s/%s", path, e->d_name) < (int)sizeof full)
            st = path_add(p, PATH_FOUND, full);
    (void)closedir(d);
    if (st == AFF_OK && p->count == before)
        return p->host->explain(p->host, AFF_ERR_IO, "path, entry %u: there is no %s in this folder", item + 1,
                                p->kind->what);
    return st;
}

static aff_status glob_add(struct paths *p, uint32_t item, const char *pattern)
{
    glob_t g;
    aff_status st = AFF_OK;
    size_t i;
    int error = glob(pattern, GLOB_NOSORT, NULL, &g), found = 0;

    if (error == GLOB_NOSPACE)
        return AFF_ERR_MEMORY;
    for (i = 0; error == 0 && st == AFF_OK && i < g.gl_pathc; i++)
        if (has_suffix(p, g.gl_pathv[i])) {
            st = path_add(p, PATH_FOUND, g.gl_pathv[i]);
            found = 1;
        }
    if (error == 0)
        globfree(&g);
    if (st == AFF_OK && !found)
        return p->host->explain(p->host, AFF_ERR_IO, "path, entry %u: no %s matches this pattern", item + 1,
                                p->kind->what);
    return st;
}

/* A path without its suffix: AFF_AGAIN where there is no such file either. */
static aff_status suffix_try(struct paths *p, const char *path)
{
    const char *const *suffix;
    char full[PATH_MAX];

    for (suffix = p->kind->suffixes; *suffix; suffix++)
        if (snprintf(full, sizeof full, "%s%s", path, *suffix) < (int)sizeof full && access(full, F_OK) == 0)
            return path_add(p, PATH_NAMED, full);
    return AFF_AGAIN;
}

static aff_status entry_add(struct paths *p, uint32_t item, const char *path)
{
    aff_status got = AFF_AGAIN;
    struct stat st;
    int known = stat(path, &st) == 0;

    if (known && S_ISDIR(st.st_mode))
        return folder_add(p, item, path);
    if (known && (has_suffix(p, path) || p->kind->any_suffix))
        return path_add(p, PATH_NAMED, path);
    got = suffix_try(p, path);
    if (got != AFF_AGAIN)
        return got;
    if (known)
        return p->host->explain(p->host, AFF_ERR_CONFIG, "path, entry %u: this is no %s; %s", item + 1,
                                p->kind->what, p->kind->instead);
    if (strpbrk(path, "*?["))
        return glob_add(p, item, path);
    return missing(p, item, ENOENT);
}

static int path_compare(const void *a, const void *b, void *text)
{
    return strcmp((const char *)text + *(const uint32_t *)a + 1, (const char *)text + *(const uint32_t *)b + 1);
}

/* Sorts, and lets go what is there twice; a named one is kept before a found one. */
static void paths_sort(struct paths *p)
{
    uint32_t i, kept = 0;

    qsort_r(p->at, p->count, sizeof *p->at, path_compare, p->text);
    for (i = 0; i < p->count; i++) {
        if (kept && strcmp(paths_get(p, kept - 1), paths_get(p, i)) == 0) {
            if (p->text[p->at[i]] == PATH_NAMED)
                p->text[p->at[kept - 1]] = PATH_NAMED;
            continue;
        }
        p->at[kept++] = p->at[i];
    }
    p->count = kept;
}

aff_status paths_open(struct paths *p, const struct aff_host *host, const struct paths_kind *kind,
                      const struct aff_list *list)
{
    aff_status st = AFF_OK;
    uint32_t i;

    memset(p, 0, sizeof *p);
    p->host = host;
    p->kind = kind;
    for (i = 0; st == AFF_OK && i < list->count; i++)
        st = entry_add(p, i, *(const char *const *)(const void *)((const char *)list->items + (size_t)i * list->stride));
    if (st == AFF_OK)
        paths_sort(p);
    else
        paths_close(p);
    return st;
}
