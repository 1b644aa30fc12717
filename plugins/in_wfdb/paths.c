/* SPDX-License-Identifier: Apache-2.0
 *
 * paths.c - see paths.h. */
#include "paths.h"

#include "header.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMED = 'n', FOUND = 'f', SEGMENT = 's' }; /* the mark before a path */

const char *paths_get(const struct paths *p, uint32_t index)
{
    return p->text + p->at[index] + 1;
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
        return p->host->explain(p->host, AFF_ERR_CONFIG, "path: more than %d records; split them up", PATHS_MAX);
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

static int is_header_name(const char *name)
{
    size_t n = strlen(name);

    return n > 4 && strcmp(name + n - 4, ".hea") == 0;
}

/* The path is the integrator's own text, not a record's. */
static aff_status missing(struct paths *p, uint32_t item, const char *path, int error)
{
    char text[80];

    return p->host->explain(p->host, AFF_ERR_IO, "path, entry %u (%s): %s", item + 1, path,
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
        return missing(p, item, path, errno);
    while (st == AFF_OK && (e = readdir(d)))
        if (is_header_name(e->d_name) && e->d_name[0] != '.' &&
            snprintf(full, sizeof full, "%s/%s", path, e->d_name) < (int)sizeof full)
            st = path_add(p, FOUND, full);
    (void)closedir(d);
    if (st == AFF_OK && p->count == before)
        return p->host->explain(p->host, AFF_ERR_IO, "path, entry %u (%s): there is no header (.hea) in this folder", item + 1,
                                path);
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
        if (is_header_name(g.gl_pathv[i])) {
            st = path_add(p, FOUND, g.gl_pathv[i]);
            found = 1;
        }
    if (error == 0)
        globfree(&g);
    if (st == AFF_OK && !found)
        return p->host->explain(p->host, AFF_ERR_IO, "path, entry %u (%s): no header (.hea) matches this pattern", item + 1,
                                pattern);
    return st;
}

static aff_status entry_add(struct paths *p, uint32_t item, const char *path)
{
    char full[PATH_MAX];
    struct stat st;
    int known = stat(path, &st) == 0;

    if (known && S_ISDIR(st.st_mode))
        return folder_add(p, item, path);
    if (known && is_header_name(path))
        return path_add(p, NAMED, path);
    if (snprintf(full, sizeof full, "%s.hea", path) < (int)sizeof full && access(full, F_OK) == 0)
        return path_add(p, NAMED, full);
    if (known)
        return p->host->explain(p->host, AFF_ERR_CONFIG,
                                "path, entry %u (%s): this is no WFDB header; name the .hea file of the record", item + 1, path);
    if (strpbrk(path, "*?["))
        return glob_add(p, item, path);
    return missing(p, item, path, ENOENT);
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
            if (p->text[p->at[i]] == NAMED)
                p->text[p->at[kept - 1]] = NAMED;
            continue;
        }
        p->at[kept++] = p->at[i];
    }
    p->count = kept;
}

static void segment_mark(struct paths *p, const char *master, const char *segment)
{
    const char *slash = strrchr(master, '/');
    char full[PATH_MAX];
    uint32_t low = 0, high = p->count;

    if (snprintf(full, sizeof full, "%.*s%s.hea", slash ? (int)(slash - master) + 1 : 0, master, segment) >=
        (int)sizeof full)
        return;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strcmp(paths_get(p, middle), full);

        if (order == 0) {
            if (p->text[p->at[middle]] == FOUND)
                p->text[p->at[middle]] = SEGMENT;
            return;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
}

/* What is to be read of each header: whether it has segments, and which. */
struct scan {
    struct wfdb_header header;
    struct wfdb_lines lines;
    uint8_t room[4096];
};

/* A header that cannot be read is no matter here: it will be, when its turn comes. */
static void segments_mark(struct paths *p, struct scan *s, const char *path)
{
    struct wfdb_segment segment;
    struct wfdb_fault unused;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), what = 0;

    if (fd < 0)
        return;
    memset(&s->lines, 0, sizeof s->lines);
    header_clear(&s->header);
    bytes_from_file(&s->lines.bytes, fd, 0, s->room, sizeof s->room);
    while (what >= 0 && (!s->header.has_record_line || s->header.segments) && lines_next(&s->lines)) {
        what = header_line(&s->header, &s->lines, &segment, &unused);
        if (what == HEADER_SEGMENT && segment.name[0])
            segment_mark(p, path, segment.name);
    }
    (void)close(fd);
}

static aff_status segments_drop(struct paths *p)
{
    struct scan *s;
    uint32_t i, kept = 0, found = 0;

    for (i = 0; i < p->count; i++)
        found += p->text[p->at[i]] == FOUND;
    if (!found)
        return AFF_OK;
    s = p->host->alloc(p->host, sizeof *s);
    if (!s)
        return AFF_ERR_MEMORY;
    for (i = 0; i < p->count; i++)
        segments_mark(p, s, paths_get(p, i));
    p->host->free(p->host, s);
    for (i = 0; i < p->count; i++)
        if (p->text[p->at[i]] != SEGMENT)
            p->at[kept++] = p->at[i];
    p->count = kept;
    return AFF_OK;
}

aff_status paths_open(struct paths *p, const struct aff_host *host, const struct aff_list *list)
{
    aff_status st = AFF_OK;
    uint32_t i;

    memset(p, 0, sizeof *p);
    p->host = host;
    for (i = 0; st == AFF_OK && i < list->count; i++)
        st = entry_add(p, i, *(const char *const *)(const void *)((const char *)list->items + (size_t)i * list->stride));
    if (st == AFF_OK) {
        paths_sort(p);
        st = segments_drop(p);
    }
    if (st != AFF_OK)
        paths_close(p);
    return st;
}
