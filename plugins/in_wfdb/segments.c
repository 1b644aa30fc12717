/* SPDX-License-Identifier: Apache-2.0
 *
 * segments.c - see segments.h. */
#include "segments.h"

#include "header.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SEGMENT = 's' }; /* beside the marks of paths.h */

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
            if (p->text[p->at[middle]] == PATH_FOUND)
                p->text[p->at[middle]] = PATH_SEGMENT;
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
    struct fault unused;
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

aff_status segments_drop(struct paths *p)
{
    struct scan *s;
    uint32_t i, kept = 0, found = 0;

    for (i = 0; i < p->count; i++)
        found += p->text[p->at[i]] == PATH_FOUND;
    if (!found)
        return AFF_OK;
    s = p->host->alloc(p->host, sizeof *s);
    if (!s)
        return AFF_ERR_MEMORY;
    for (i = 0; i < p->count; i++)
        segments_mark(p, s, paths_get(p, i));
    p->host->free(p->host, s);
    for (i = 0; i < p->count; i++)
        if (p->text[p->at[i]] != PATH_SEGMENT)
            p->at[kept++] = p->at[i];
    p->count = kept;
    return AFF_OK;
}
