/* SPDX-License-Identifier: Apache-2.0
 *
 * route.h - which subject and stream a row belongs to: the streams "X/rows" that
 * a node makes of its input streams "X". */
#ifndef ROWS_ROUTE_H
#define ROWS_ROUTE_H

#include <afferent/plugin.h>

#include <stdbool.h>

enum {
    ROUTE_SUBJECTS_MOST = 2048, /* pairs of input stream and subject by column */
    ROUTE_SLOTS = 4096,         /* of the hash table over them */
    ROUTE_NAME_MOST = 200       /* bytes of a subject's name */
};

struct route_entry {
    uint32_t from, from_generation; /* the input stream; 0: free */
    uint32_t subject, stream, generation;
    uint32_t size;
    uint64_t hash;
    char name[ROUTE_NAME_MOST];
};

struct route {
    const struct aff_host *host;
    const char *ending; /* of the streams' names; NULL: "rows". Borrowed */
    /* The input's own subject: the last stream asked for. */
    struct route_entry own;
    /* Subjects by column: entries, and a table of 1 + their places. */
    struct route_entry *entries;
    uint16_t *slots;
    uint32_t count;
    uint32_t last; /* entry found last */
};

/* `by_column`: whether subjects come from rows, which takes memory. */
aff_status route_open(struct route *route, const struct aff_host *host, bool by_column);
void route_close(struct route *route);

/* AFF_ERR_MEMORY: the host has no room for a name now. */
aff_status route_own(struct route *route, uint32_t from, uint32_t schema, struct route_entry *ret);
/* AFF_ERR_DATA: more subjects than there is room for. */
aff_status route_named(struct route *route, uint32_t from, uint32_t schema, const char *name, uint32_t size,
                       struct route_entry *ret);
/* What a restart keeps: the streams that were begun for a column's subjects, so that
 * they end with their input. As the plugin's snapshot and restore. */
aff_status route_snapshot(const struct route *route, void *buffer, size_t room, size_t *ret_size);
aff_status route_restore(struct route *route, const void *buffer, size_t size);
/* Ends all streams that were made of this one. */
aff_status route_end(struct route *route, uint32_t from, uint32_t output, uint32_t schema);

#endif
