/* rescue_inside.h - what the search of a damaged store found. */
#ifndef AFFERENT_KEEP_RESCUE_INSIDE_H
#define AFFERENT_KEEP_RESCUE_INSIDE_H

#include "keep/store_inside.h"

/* A key of a database, and where its newest good value lies. */
struct find {
    uint64_t print;    /* hash of the key; with `database` 0 too: an empty place */
    uint64_t database;
    uint64_t seq;      /* a key of eight bytes, as a number */
    uint64_t at;
    uint64_t live_at;  /* where the tree says that it lies */
    uint64_t group;
    bool is_good;
    bool is_live;      /* the tree leads to this key */
    bool is_tree;      /* the good one is the one that the tree leads to */
};

struct base {
    uint64_t database;
    uint64_t last;     /* largest number of any good value, also of those done with */
    bool is_whole;     /* its tree could be walked */
    /* of a queue whose head was found */
    bool is_known;
    char *name;
    struct heads_queue head;
};

struct finds {
    const struct seal *seal;
    const char *file;
    int fd;
    int error;
    uint64_t size, state;
    struct find *table;
    uint64_t count, room;
    struct base bases[EXAMINED_MOST];
    uint32_t base_count;
    uint64_t group;   /* the newest */
    uint64_t base_group; /* of the tree that was walked; UINT64_MAX: unknown */
    uint64_t ours;    /* values that the key, or no key, opens; without the format */
    uint64_t other;   /* heads of values that are sealed where ours are not, or the other way */
    uint64_t refused; /* heads whose check or seal is wrong */
    uint8_t *big;
    size_t big_room;
};

struct base *base_get(struct finds *finds, uint64_t database);

/* Makes folder/store.new of it, and fills in what became of all. */
void rescue_build(struct finds *finds, struct rescued *ret);

#endif
