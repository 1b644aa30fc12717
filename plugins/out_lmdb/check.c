/* check.c - whether LMDB may be let loose on a file.
 *
 * A writer's LMDB follows page numbers without looking, so before one is opened
 * all of the file that it can reach is walked once: every branch and leaf, the
 * extent of every large value, the list of free pages; keys must rise, and no
 * page may be used twice, or be free and used. Values are not looked at, they have checksums.
 */
#include "pages_inside.h"

#include <afferent/plugin.h>
#include <stdio.h>
#include <stdlib.h>

struct walk {
    struct pages pages;
    uint8_t *used; /* a bit for each page */
    size_t place;  /* the first that is wrong */
    bool freeing;  /* values are lists of free pages */
    struct item last;  /* the key before, data NULL: there is none */
    struct item bound; /* the branch's key that the next one must not be below */
};

static bool walk_fail(struct walk *w, size_t number)
{
    w->place = number;
    return false;
}

static bool page_use(struct walk *w, size_t number)
{
    uint8_t bit = (uint8_t)(1u << (number % 8));

    if (w->used[number / 8] & bit)
        return false;
    w->used[number / 8] |= bit;
    return true;
}

/* A list of free pages: how many, and their numbers. Such a page may lie
 * behind the end of the file, where nothing was ever written. */
static bool free_list(struct walk *w, const struct item *item)
{
    size_t count, number, i;

    if (item->size < sizeof count)
        return false;
    memcpy(&count, item->data, sizeof count);
    if (count > item->size / sizeof count - 1)
        return false;
    for (i = 1; i <= count; i++) {
        memcpy(&number, item->data + i * sizeof number, sizeof number);
        if (number < 2 || number > w->pages.last || (number < w->pages.limit && !page_use(w, number)))
            return false;
    }
    return true;
}

/* Keys must rise, and branches must lead to them: else a search misses them. */
static bool key_rises(struct walk *w, const struct node *node, bool branch)
{
    struct item now = { .key = node->key, .key_size = node->head.key_size, .data = node->key };

    if (w->freeing)
        return true; /* whole numbers there, in another order */
    if (w->last.data && item_order(&now, &w->last) <= 0)
        return false;
    if (branch) {
        w->bound = now;
        return true;
    }
    w->last = now;
    return !w->bound.data || item_order(&now, &w->bound) >= 0;
}

static bool walk_tree(struct walk *w, const struct tree *tree);

static bool walk_item(struct walk *w, const struct node *node, size_t number)
{
    struct item item = { .place = number };
    struct page_head over;
    struct db_row row;
    struct tree tree;
    size_t i;

    if (!node_value(&w->pages, node, &item))
        return walk_fail(w, item.place);
    if (node->head.flags & NODE_BIG) {
        memcpy(&over, w->pages.map + item.place * w->pages.page, sizeof over);
        for (i = 0; i < overflow_pages(&over); i++)
            if (!page_use(w, item.place + i))
                return walk_fail(w, item.place + i);
    }
    if (w->freeing)
        return free_list(w, &item) || walk_fail(w, item.place);
    if (!(node->head.flags & NODE_TREE))
        return true;
    if (item.size != sizeof row)
        return walk_fail(w, number);
    memcpy(&row, item.data, sizeof row);
    return tree_take(&tree, &row) ? walk_tree(w, &tree) : walk_fail(w, number);
}

static bool walk_page(struct walk *w, size_t number, unsigned depth)
{
    struct page_head head;
    const uint8_t *page;
    unsigned i;

    w->pages.visits = 2; /* this page, and one of a large value */
    page = page_get(&w->pages, number, depth > 1 ? PAGE_BRANCH : PAGE_LEAF, &head);
    if (!page || !page_use(w, number) || (depth > 1 && page_items(&head) < 1))
        return walk_fail(w, number);
    for (i = 0; i < page_items(&head); i++) {
        struct node node;

        if (!node_get(&w->pages, page, &head, i, &node))
            return walk_fail(w, number);
        if ((depth == 1 || i > 0) && !key_rises(w, &node, depth > 1))
            return walk_fail(w, number);
        w->pages.visits = 2;
        if (depth > 1 ? !walk_page(w, node_child(&node), depth - 1) : !walk_item(w, &node, number))
            return false;
    }
    return true;
}

static bool walk_tree(struct walk *w, const struct tree *tree)
{
    struct item last = w->last, bound = w->bound;
    bool good;

    w->last.data = w->bound.data = NULL;
    good = !tree->depth || walk_page(w, tree->root, tree->depth);
    w->last = last;
    w->bound = bound;
    return good;
}

/* 0, or the number of a page that is wrong; all ones: no memory. */
static size_t walk_all(struct walk *w)
{
    bool good;

    w->used = calloc(1, w->pages.limit / 8 + 1);
    if (!w->used)
        return SIZE_MAX;
    good = walk_tree(w, &w->pages.main);
    w->freeing = true;
    good = good && walk_tree(w, &w->pages.free);
    free(w->used);
    return good ? 0 : w->place ? w->place : 1;
}

size_t pages_walk(const struct pages *pages)
{
    struct walk w = { .pages = *pages };

    return walk_all(&w);
}

int32_t pages_check(const char *file, char *cause, size_t room)
{
    int32_t st = AFF_OK;
    struct pages pages;
    size_t bad;
    int rc = pages_open(&pages, file);

    if (rc) {
        snprintf(cause, room, "cannot read the archive's data.mdb: %s", strerror(rc));
        return AFF_ERR_IO;
    }
    bad = pages_at(&pages, 0) ? pages_walk(&pages) : 1;
    if (bad == SIZE_MAX) {
        snprintf(cause, room, "no memory to examine the archive");
        st = AFF_ERR_MEMORY;
    } else if (bad) {
        snprintf(cause, room, "the archive's data.mdb is damaged or cut short, or is no archive (page %zu of %zu); "
                 "move its folder away to begin a new one, or choose another path; query still reads what is whole "
                 "in it", bad, pages.limit);
        st = AFF_ERR_CONFIG;
    }
    pages_close(&pages);
    return st;
}
