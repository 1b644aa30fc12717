/* pages.h - the pages of an LMDB file, read by somebody who does not trust them.
 *
 * LMDB believes what it reads: a damaged file kills its reader. Here every number is
 * held against what it may be before it is used; a page is visited once; so any bytes
 * at all come to an end. What is found whole by `pages_walk` LMDB can open, read and
 * write: order of keys, sums of nodes, counts, and the list of free pages too.
 *
 * Of version 1 of the format (LMDB 0.9), little-endian, 64 bits.
 *
 * Not here: what is in a value (value.h), what is done about damage (rescue.c). */
#ifndef AFFERENT_KEEP_PAGES_H
#define AFFERENT_KEEP_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGES_DEEP = 24, PAGES_NAME_MOST = 511, PAGES_WHAT = 96 };

/* One value that a walk comes to. */
struct pages_item {
    const char *database; /* its name, ended by zero */
    const uint8_t *key;
    size_t key_size;
    const uint8_t *bytes; /* NULL: it lies on pages of its own, at `at` */
    size_t size;
    uint64_t at;          /* in the file */
};

struct pages_visitor {
    /* Called for each value on a page that is whole. */
    void (*item)(void *arg, const struct pages_item *item);
    /* Called when a database was walked; whole: all of it was there. */
    void (*end)(void *arg, const char *database, bool is_whole);
    void *arg;
};

struct pages {
    int fd;               /* borrowed */
    uint64_t size;        /* of the file */
    uint32_t page_size;
    uint64_t count;       /* pages of the file */
    uint64_t last;        /* the newest page in use, by the meta page that is walked */
    uint64_t group;       /* LMDB's number of the transaction that is walked */
    uint64_t damaged;     /* things that were not as they may be */
    uint64_t free_pages;
    char what[PAGES_WHAT]; /* the first of them */
    /* inside */
    uint8_t *used;        /* a bit a page */
    uint8_t *memory;      /* a page a level */
    const struct pages_visitor *visitor;
};

/* [any] False: no memory, or errno of the file. An empty or short file opens, and is damaged. */
bool pages_open(int fd, struct pages *ret_pages);
void pages_close(struct pages *pages);

/* [any] Walks what the newest meta page that is whole leads to. `older`: the other one.
 * True: all is whole, both meta pages too. */
bool pages_walk(struct pages *pages, bool older, const struct pages_visitor *visitor);

/* [any] Reads bytes of the file. False: they are not there, or the disk cannot read them. */
bool pages_read(int fd, uint64_t at, void *to, size_t size);

#endif
