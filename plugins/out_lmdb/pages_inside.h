/* pages_inside.h - LMDB's layouts, for pages.c and check.c alone. */
#ifndef OUT_LMDB_PAGES_INSIDE_H
#define OUT_LMDB_PAGES_INSIDE_H

#include <string.h>

#include "pages.h"

enum {
    PAGE_BRANCH = 1,
    PAGE_LEAF = 2,
    PAGE_OVERFLOW = 4,
    PAGE_META = 8,
    PAGE_KINDS = 0x2f, /* with those that no archive has */
    NODE_BIG = 1,
    NODE_TREE = 2,
};

/* MDB_page; of an overflow page, lower and upper are the count of pages. */
struct page_head {
    size_t number;
    uint16_t pad;
    uint16_t flags;
    uint16_t lower;
    uint16_t upper;
};

/* MDB_db */
struct db_row {
    uint32_t pad; /* of the free list: bytes of a page */
    uint16_t flags;
    uint16_t depth;
    size_t branch_pages;
    size_t leaf_pages;
    size_t overflow_pages;
    size_t entries;
    size_t root;
};

/* MDB_meta */
struct meta {
    uint32_t magic;
    uint32_t version;
    void *address;
    size_t map_size;
    struct db_row dbs[2]; /* free list, main */
    size_t last_page;
    size_t txnid;
};

/* MDB_node; low and high are a size, or with flags a page number. */
struct node_head {
    uint16_t low;
    uint16_t high;
    uint16_t flags;
    uint16_t key_size;
};

struct node {
    struct node_head head;
    const uint8_t *key;
    const uint8_t *data;
    size_t room; /* to the page's end */
};

static inline size_t overflow_pages(const struct page_head *head)
{
    uint32_t count;

    memcpy(&count, (const uint8_t *)head + offsetof(struct page_head, lower), sizeof count);
    return count;
}

/* False: no tree is that deep. */
bool tree_take(struct tree *tree, const struct db_row *row);
int item_order(const struct item *a, const struct item *b);
void page_damaged(struct pages *p, size_t number);
/* The page, if it is there and of this kind. */
const uint8_t *page_get(struct pages *p, size_t number, uint16_t kind, struct page_head *head);
unsigned page_items(const struct page_head *head);
bool node_get(const struct pages *p, const uint8_t *page, const struct page_head *head, unsigned i,
              struct node *ret);
size_t node_child(const struct node *node);
bool node_value(struct pages *p, const struct node *node, struct item *ret);

#endif
