/* pages.h - reads LMDB's pages itself, and trusts none of them.
 *
 * LMDB believes its file: one flipped bit in a page makes it read outside its
 * memory. What is damaged must cost its own records and nothing else, so all
 * reading goes through here: each page number, offset and size is checked, a
 * page that fails is counted and stepped over. Layout: struct MDB_page, MDB_node,
 * MDB_meta of LMDB 0.9 (mdb.c), data version 1, in the machine's own byte order.
 *
 * The file is mapped; that it becomes shorter meanwhile is the one thing nobody
 * can be protected from here, and neither LMDB nor the writer ever does that.
 *
 * Not here: writing; the lock against a writer who would reuse pages (query.c
 * holds one of LMDB's read transactions); what keys and values mean.
 */
#ifndef OUT_LMDB_PAGES_H
#define OUT_LMDB_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGES_REMEMBERED = 64 };

/* A tree; depth 0 means it is empty. */
struct tree {
    size_t root;
    uint16_t depth;
};

struct pages {
    int fd;
    const uint8_t *map;
    size_t size;  /* bytes mapped */
    size_t page;  /* bytes of a page */
    size_t limit; /* whole pages in the file */
    size_t last;  /* the last page that was ever given out */
    size_t txnid;
    struct tree free;
    struct tree main;
    size_t visits;  /* left in this search: damage can make circles */
    size_t damaged; /* pages found bad; each is counted once */
    size_t bad[PAGES_REMEMBERED];
};

struct item {
    const uint8_t *key;
    size_t key_size;
    const uint8_t *data;
    size_t size;
    size_t place; /* page number */
};

/* Returns 0 or an errno code. */
int pages_open(struct pages *pages, const char *file);
void pages_close(struct pages *pages);

/* Goes to the state that transaction `txnid` left (0: the newest). False: that
 * state is not there, or not any more. What was found before is void. */
bool pages_at(struct pages *pages, size_t txnid);

/* The tree of a named database. */
bool tree_open(struct pages *pages, const char *name, struct tree *ret);
/* The first item at or above a key; the last at or below it. What is found is
 * valid until pages_at. */
bool tree_above(struct pages *pages, const struct tree *tree, const void *key, size_t size, struct item *ret);
bool tree_below(struct pages *pages, const struct tree *tree, const void *key, size_t size, struct item *ret);

/* Walks everything that the state holds but values. 0, or the number of a page
 * that is wrong; SIZE_MAX: no memory. */
size_t pages_walk(const struct pages *pages);
/* The same for the newest state of a file: AFF_OK, or the cause why LMDB must
 * not be let loose on it. */
int32_t pages_check(const char *file, char *cause, size_t room);

#endif
