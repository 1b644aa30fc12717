/* pages.c - LMDB's pages, checked before use, see pages.h.
 *
 * Not here: the walk over a whole file (check.c).
 */
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pages_inside.h"

#define MAGIC UINT32_C(0xbeefc0de)
enum { DATA_VERSION = 1, DEEPEST = 24, VISITS = 1000000 };

static bool pages_map(struct pages *p)
{
    struct stat st;
    void *map;

    if (fstat(p->fd, &st) || st.st_size < 0)
        return false;
    if (p->map && (size_t)st.st_size <= p->size)
        return true;
    if (p->map)
        munmap((void *)(uintptr_t)p->map, p->size);
    p->map = NULL;
    p->size = (size_t)st.st_size;
    if (!p->size)
        return false;
    map = mmap(NULL, p->size, PROT_READ, MAP_SHARED, p->fd, 0);
    if (map != MAP_FAILED)
        p->map = map;
    return p->map != NULL;
}

int pages_open(struct pages *p, const char *file)
{
    memset(p, 0, sizeof *p);
    p->fd = open(file, O_RDONLY | O_CLOEXEC);
    if (p->fd < 0)
        return errno;
    if (pages_map(p))
        return 0;
    pages_close(p);
    return EIO;
}

void pages_close(struct pages *p)
{
    if (p->map)
        munmap((void *)(uintptr_t)p->map, p->size);
    if (p->fd >= 0)
        close(p->fd);
    p->map = NULL;
    p->fd = -1;
}

bool tree_take(struct tree *tree, const struct db_row *row)
{
    tree->root = row->root;
    tree->depth = row->depth;
    if (row->root == (size_t)-1)
        tree->depth = 0;
    return tree->depth <= DEEPEST;
}

/* One of the two meta pages, which writers use in turn. */
static bool meta_read(const struct pages *p, size_t page, unsigned which, struct meta *ret)
{
    struct page_head head;
    size_t at = page * which;

    if (p->size < at + sizeof head + sizeof *ret)
        return false;
    memcpy(&head, p->map + at, sizeof head);
    memcpy(ret, p->map + at + sizeof head, sizeof *ret);
    return (head.flags & PAGE_META) && ret->magic == MAGIC && ret->version == DATA_VERSION
        && ret->dbs[0].pad >= 512 && ret->dbs[0].pad <= 65536;
}

bool pages_at(struct pages *p, size_t txnid)
{
    static const size_t sizes[] = { 4096, 8192, 16384, 32768, 65536 };
    struct meta meta, best = { 0 };
    bool found = false;
    size_t i, page;

    if (!pages_map(p))
        return false;
    p->page = meta_read(p, 0, 0, &meta) ? meta.dbs[0].pad : 0;
    for (i = 0; !p->page && i < sizeof sizes / sizeof sizes[0]; i++)
        if (meta_read(p, sizes[i], 1, &meta))
            p->page = sizes[i];
    page = p->page;
    for (i = 0; page && i < 2; i++) {
        if (!meta_read(p, page, (unsigned)i, &meta))
            continue;
        if (txnid ? meta.txnid == txnid : !found || meta.txnid > best.txnid) {
            best = meta;
            found = true;
        }
    }
    if (!found)
        return false;
    p->txnid = best.txnid;
    p->limit = p->size / page;
    p->last = best.last_page;
    return tree_take(&p->free, &best.dbs[0]) && tree_take(&p->main, &best.dbs[1]);
}

void page_damaged(struct pages *p, size_t number)
{
    size_t i, known = p->damaged < PAGES_REMEMBERED ? p->damaged : PAGES_REMEMBERED;

    for (i = 0; i < known; i++)
        if (p->bad[i] == number)
            return;
    p->bad[p->damaged % PAGES_REMEMBERED] = number;
    p->damaged++;
}

const uint8_t *page_get(struct pages *p, size_t number, uint16_t kind, struct page_head *head)
{
    const uint8_t *page;

    if (number < 2 || number >= p->limit || !p->visits)
        return NULL;
    p->visits--;
    page = p->map + number * p->page;
    memcpy(head, page, sizeof *head);
    if (head->number != number || (head->flags & PAGE_KINDS) != kind)
        return NULL;
    if (kind == PAGE_OVERFLOW)
        return page;
    if (head->lower < sizeof *head || head->lower > head->upper || head->upper > p->page)
        return NULL;
    return page;
}

unsigned page_items(const struct page_head *head)
{
    return (unsigned)((head->lower - sizeof *head) / 2);
}

bool node_get(const struct pages *p, const uint8_t *page, const struct page_head *head, unsigned i,
              struct node *ret)
{
    uint16_t at;

    memcpy(&at, page + sizeof *head + (size_t)i * 2, 2);
    if (at < head->upper || at + sizeof ret->head > p->page)
        return false;
    memcpy(&ret->head, page + at, sizeof ret->head);
    ret->key = page + at + sizeof ret->head;
    if (ret->head.key_size > p->page - at - sizeof ret->head)
        return false;
    ret->data = ret->key + ret->head.key_size;
    ret->room = (size_t)(page + p->page - ret->data);
    return true;
}

size_t node_child(const struct node *node)
{
    size_t child = node->head.low | (size_t)node->head.high << 16;

    if (sizeof child > 4)
        child |= (size_t)node->head.flags << (sizeof child > 4 ? 32 : 0);
    return child;
}

bool node_value(struct pages *p, const struct node *node, struct item *ret)
{
    struct page_head head;
    const uint8_t *over;
    size_t number;

    ret->key = node->key;
    ret->key_size = node->head.key_size;
    ret->size = node->head.low | (size_t)node->head.high << 16;
    ret->data = node->data;
    if (!(node->head.flags & NODE_BIG))
        return ret->size <= node->room;
    if (node->room < sizeof number)
        return false;
    memcpy(&number, node->data, sizeof number);
    over = page_get(p, number, PAGE_OVERFLOW, &head);
    if (!over || !overflow_pages(&head) || overflow_pages(&head) > p->limit - number)
        return false;
    ret->place = number;
    ret->data = over + sizeof head;
    return ret->size <= overflow_pages(&head) * p->page - sizeof head;
}

int item_order(const struct item *a, const struct item *b)
{
    size_t size = a->key_size < b->key_size ? a->key_size : b->key_size;
    int order = size ? memcmp(a->key, b->key, size) : 0;

    return order ? order : (a->key_size > b->key_size) - (a->key_size < b->key_size);
}

/* How many of the nodes, from the first on, are below the key (or at it, if
 * `with`). Of a branch the first has no key and counts as below. A bad node
 * sends the search to the right: its neighbours are tried all the same. */
static unsigned nodes_below(const struct pages *p, const uint8_t *page, const struct page_head *head,
                            const struct item *key, bool with)
{
    bool branch = (head->flags & PAGE_BRANCH) != 0;
    unsigned low = branch ? 1 : 0, high = page_items(head);

    while (low < high) {
        unsigned middle = (low + high) / 2;
        struct node node;
        int order = -1;

        if (node_get(p, page, head, middle, &node)) {
            struct item here = { .key = node.key, .key_size = node.head.key_size };

            order = item_order(&here, key);
        }
        if (order < 0 || (with && !order))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* An item of a leaf, if it is whole and on the wanted side of the key: damage
 * may have led the search astray. */
static bool leaf_item(struct pages *p, const uint8_t *page, const struct page_head *head, unsigned i,
                      const struct item *key, bool above, struct item *ret)
{
    struct node node;
    int order;

    ret->place = head->number;
    if (!node_get(p, page, head, i, &node) || !node_value(p, &node, ret)) {
        page_damaged(p, ret->place);
        return false;
    }
    order = item_order(ret, key);
    return above ? order >= 0 : order <= 0;
}

static bool find(struct pages *p, size_t number, unsigned depth, const struct item *key, bool above,
                 struct item *ret)
{
    struct page_head head;
    const uint8_t *page = page_get(p, number, depth > 1 ? PAGE_BRANCH : PAGE_LEAF, &head);
    unsigned items, below, i, tries;

    if (!page) {
        page_damaged(p, number);
        return false;
    }
    items = page_items(&head);
    below = nodes_below(p, page, &head, key, !above || depth > 1);
    /* A branch is entered left of the first node above the key; a leaf upwards
     * at the first that is not below it, downwards at the last not above it. */
    i = above && depth == 1 ? below : below - 1;
    tries = above ? items - i : i + 1;
    for (; tries && i < items; tries--, i += above ? 1u : -1u) {
        struct node node;

        if (depth == 1) {
            if (leaf_item(p, page, &head, i, key, above, ret))
                return true;
        } else if (!node_get(p, page, &head, i, &node)) {
            page_damaged(p, number);
        } else if (find(p, node_child(&node), depth - 1, key, above, ret)) {
            return true;
        }
    }
    return false;
}

static bool tree_find(struct pages *p, const struct tree *tree, const void *key, size_t size, bool above,
                      struct item *ret)
{
    struct item wanted = { .key = key, .key_size = size };

    p->visits = VISITS;
    return tree->depth && find(p, tree->root, tree->depth, &wanted, above, ret);
}

bool tree_above(struct pages *p, const struct tree *tree, const void *key, size_t size, struct item *ret)
{
    return tree_find(p, tree, key, size, true, ret);
}

bool tree_below(struct pages *p, const struct tree *tree, const void *key, size_t size, struct item *ret)
{
    return tree_find(p, tree, key, size, false, ret);
}

bool tree_open(struct pages *p, const char *name, struct tree *ret)
{
    size_t size = strlen(name);
    struct db_row row;
    struct item item;

    if (!tree_above(p, &p->main, name, size, &item))
        return false;
    if (item.key_size != size || memcmp(item.key, name, size) || item.size != sizeof row)
        return false;
    memcpy(&row, item.data, sizeof row);
    return tree_take(ret, &row);
}
