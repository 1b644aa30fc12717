/* pages.c - the pages of an LMDB file, read without trust. See pages.h. */
#include "keep/pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    HEAD = 16,
    BRANCH = 1,
    LEAF = 2,
    OVERFLOW = 4,
    META = 8,
    NODE_HEAD = 8,
    BIG = 1,
    SUB = 2,
    TREE_BYTES = 48,
    META_BYTES = 136,
    INTEGER_KEYS = 8,
    SMALLEST = 512,
    LARGEST = 65536,
    KEY_MOST = 511,
    BEYOND = 262144 /* free pages behind the end: taken and let go in one transaction, never written */
};
#define MAGIC UINT32_C(0xBEEFC0DE)
#define NO_PAGE UINT64_MAX

/* A tree, as LMDB describes it. */
struct tree {
    const char *name;
    uint32_t pad;
    uint16_t flags, depth;
    uint64_t branches, leaves, overflows, entries, root;
    /* counted */
    uint64_t seen_branches, seen_leaves, seen_overflows, seen_entries;
    bool is_main, is_free, is_bad;
};

struct meta {
    bool is_good;
    uint32_t page_size;
    uint64_t map_size, last, group;
    struct tree free, main;
};

/* Bounds of the keys below a page; NULL: none. */
struct bounds {
    const uint8_t *low, *high;
    size_t low_size, high_size;
};

struct node {
    const uint8_t *key, *data;
    size_t key_size, offset, length;
    uint32_t flags;
    uint64_t number; /* branch: page; leaf: size of the data */
};

static uint16_t u16(const uint8_t *b)
{
    return (uint16_t)(b[0] | b[1] << 8);
}

static uint32_t u32(const uint8_t *b)
{
    return (uint32_t)u16(b) | (uint32_t)u16(b + 2) << 16;
}

static uint64_t u64(const uint8_t *b)
{
    return (uint64_t)u32(b) | (uint64_t)u32(b + 4) << 32;
}

static bool wrong(struct pages *p, struct tree *tree, const char *what, uint64_t page)
{
    if (p->damaged++ == 0)
        snprintf(p->what, sizeof p->what, "%s (page %llu)", what, (unsigned long long)page);
    if (tree)
        tree->is_bad = true;
    return false;
}

bool pages_read(int fd, uint64_t at, void *to, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t got = pread(fd, (uint8_t *)to + done, size - done, (off_t)(at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += (size_t)got;
    }
    return true;
}

static void tree_parse(const uint8_t *b, struct tree *tree)
{
    *tree = (struct tree){
        .pad = u32(b), .flags = u16(b + 4), .depth = u16(b + 6), .branches = u64(b + 8), .leaves = u64(b + 16),
        .overflows = u64(b + 24), .entries = u64(b + 32), .root = u64(b + 40),
    };
}

/* The flags of both trees are compared whole: one of them would make LMDB map the
 * file at an address that stands in it. */
static void meta_parse(struct pages *p, uint64_t at, struct meta *meta)
{
    uint8_t page[HEAD + META_BYTES];
    const uint8_t *b = page + HEAD;

    *meta = (struct meta){ 0 };
    if (!pages_read(p->fd, at, page, sizeof page))
        return;
    meta->map_size = u64(b + 16);
    tree_parse(b + 24, &meta->free);
    tree_parse(b + 72, &meta->main);
    meta->last = u64(b + 120);
    meta->group = u64(b + 128);
    meta->page_size = meta->free.pad;
    meta->free.is_free = meta->main.is_main = true;
    meta->free.name = meta->main.name = "";
    meta->is_good = u16(page + 10) == META && u32(b) == MAGIC && u32(b + 4) == 1 && u64(b + 8) == 0 &&
                    meta->page_size >= SMALLEST && meta->page_size <= LARGEST &&
                    (meta->page_size & (meta->page_size - 1)) == 0 && meta->free.flags == INTEGER_KEYS &&
                    meta->main.flags == 0 && meta->last >= 1 &&
                    meta->last < p->size / meta->page_size + BEYOND &&
                    meta->last < meta->map_size / meta->page_size;
}

static size_t bits_size(uint64_t file)
{
    return (size_t)(file / SMALLEST + BEYOND) / 8 + 1;
}

bool pages_open(int fd, struct pages *ret_pages)
{
    struct pages p = { .fd = fd };
    struct stat st;

    if (fstat(fd, &st) < 0)
        return false;
    p.size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
    p.used = calloc(1, bits_size(p.size));
    p.memory = malloc((size_t)LARGEST * PAGES_DEEP * 2);
    if (!p.used || !p.memory) {
        pages_close(&p);
        return false;
    }
    *ret_pages = p;
    return true;
}

void pages_close(struct pages *p)
{
    free(p->used);
    free(p->memory);
    p->used = p->memory = NULL;
}

/* Each page belongs to one place; 0 and 1 are the meta pages. */
static bool page_claim(struct pages *p, struct tree *tree, uint64_t first, uint64_t count)
{
    if (first < 2 || first > p->last || count > p->last - first + 1)
        return wrong(p, tree, "a number of a page is out of range", first);
    for (uint64_t i = first; i < first + count; i++) {
        if (p->used[i / 8] & 1u << (i % 8))
            return wrong(p, tree, "a page stands in two places", i);
        p->used[i / 8] |= (uint8_t)(1u << (i % 8));
    }
    return true;
}

static int key_compare(const struct tree *tree, const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
    int order;

    if (tree->is_free)
        return u64(a) < u64(b) ? -1 : u64(a) > u64(b);
    order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    if (order != 0)
        return order;
    return a_size < b_size ? -1 : a_size > b_size;
}

static bool node_parse(const struct pages *p, const uint8_t *page, uint32_t index, struct node *node)
{
    size_t offset = u16(page + HEAD + 2 * (size_t)index), upper = u16(page + 14);
    const uint8_t *b = page + offset;
    bool is_leaf = u16(page + 10) == LEAF;
    size_t data;

    if (offset < upper || offset + NODE_HEAD > p->page_size || offset % 2)
        return false;
    *node = (struct node){ .offset = offset, .key = b + NODE_HEAD, .key_size = u16(b + 6) };
    node->number = (uint64_t)u16(b) | (uint64_t)u16(b + 2) << 16;
    if (is_leaf)
        node->flags = u16(b + 4);
    else
        node->number |= (uint64_t)u16(b + 4) << 32;
    if (node->key_size > KEY_MOST)
        return false;
    node->data = node->key + node->key_size;
    data = !is_leaf ? 0 : node->flags & BIG ? 8u : (size_t)node->number;
    node->length = (NODE_HEAD + node->key_size + data + 1u) & ~(size_t)1;
    return node->length <= p->page_size - offset;
}

/* Nodes fill the page from `upper` on, without a gap, and none over another: LMDB moves
 * bytes about by these numbers. */
static bool nodes_fit(const struct pages *p, const uint8_t *page, uint32_t count)
{
    uint8_t taken[LARGEST / 16] = { 0 };
    size_t sum = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct node node;

        if (!node_parse(p, page, i, &node))
            return false;
        sum += node.length;
        for (size_t at = node.offset / 2; at < (node.offset + node.length) / 2; at++) {
            if (taken[at / 8] & 1u << (at % 8))
                return false;
            taken[at / 8] |= (uint8_t)(1u << (at % 8));
        }
    }
    return sum == p->page_size - u16(page + 14);
}

/* Keys rise, and lie between those that stand above the page. The first of a branch
 * means nothing. */
static bool keys_rise(const struct tree *tree, const struct pages *p, const uint8_t *page,
                      const struct bounds *bounds)
{
    uint32_t count = (uint32_t)(u16(page + 12) - HEAD) / 2, first = u16(page + 10) == BRANCH;
    struct node node, before = { 0 };

    for (uint32_t i = first; i < count; i++) {
        node_parse(p, page, i, &node);
        if (node.key_size == 0 || (tree->is_free && node.key_size != 8))
            return false;
        if (i > first && key_compare(tree, before.key, before.key_size, node.key, node.key_size) >= 0)
            return false;
        if (bounds->low && key_compare(tree, node.key, node.key_size, bounds->low, bounds->low_size) < 0)
            return false;
        if (bounds->high && key_compare(tree, node.key, node.key_size, bounds->high, bounds->high_size) >= 0)
            return false;
        before = node;
    }
    return true;
}

static bool page_check(struct pages *p, struct tree *tree, uint64_t number, uint32_t level,
                       const struct bounds *bounds)
{
    uint8_t *page = p->memory + (size_t)LARGEST * level;
    uint16_t flags, lower, upper;
    uint32_t count;

    if (!page_claim(p, tree, number, 1))
        return false;
    if (!pages_read(p->fd, number * p->page_size, page, p->page_size))
        return wrong(p, tree, "a page cannot be read", number);
    flags = u16(page + 10);
    lower = u16(page + 12);
    upper = u16(page + 14);
    if (u64(page) != number || flags != (level + 1 < tree->depth ? BRANCH : LEAF))
        return wrong(p, tree, "a page is not what should stand here", number);
    count = lower >= HEAD ? (uint32_t)(lower - HEAD) / 2 : 0;
    if (lower < HEAD || lower % 2 || lower > upper || upper > p->page_size || upper % 2 ||
        count < (flags == BRANCH ? 2u : 1u))
        return wrong(p, tree, "the head of a page is damaged", number);
    if (!nodes_fit(p, page, count) || !keys_rise(tree, p, page, bounds))
        return wrong(p, tree, "the nodes of a page are damaged", number);
    return true;
}

static bool free_list(struct pages *p, struct tree *tree, const struct node *node, const uint8_t *list)
{
    uint64_t count = node->number >= 8 ? u64(list) : UINT64_MAX, before = UINT64_MAX;

    if (node->number % 8 || count > node->number / 8 - 1 || u64(node->key) > p->group)
        return wrong(p, tree, "a list of free pages is damaged", 0);
    for (uint64_t i = 1; i <= count; i++) {
        uint64_t page = u64(list + 8 * i);

        if (page >= before)
            return wrong(p, tree, "a list of free pages is not in order", page);
        if (!page_claim(p, tree, page, 1))
            return false;
        before = page;
    }
    p->free_pages += count;
    return true;
}

/* The pages of a large value. False: they are not as they may be. */
static bool big_claim(struct pages *p, struct tree *tree, const struct node *node, uint64_t *ret_at)
{
    uint64_t first = u64(node->data), count = (HEAD + node->number + p->page_size - 1) / p->page_size;
    uint8_t head[HEAD];

    if (!page_claim(p, tree, first, count))
        return false;
    if (!pages_read(p->fd, first * p->page_size, head, HEAD))
        return wrong(p, tree, "a page cannot be read", first);
    if (u64(head) != first || u16(head + 10) != OVERFLOW || u32(head + 12) != count)
        return wrong(p, tree, "the head of a large value is damaged", first);
    tree->seen_overflows += count;
    *ret_at = first * p->page_size + HEAD;
    return true;
}

static void big_free_list(struct pages *p, struct tree *tree, const struct node *node, uint64_t at)
{
    uint8_t *list = malloc((size_t)node->number);

    if (!list || !pages_read(p->fd, at, list, (size_t)node->number))
        wrong(p, tree, "a list of free pages cannot be read", at / p->page_size);
    else
        free_list(p, tree, node, list);
    free(list);
}

static void tree_walk(struct pages *p, struct tree *tree);

/* A database: a tree whose description is a value of the main tree. */
static void sub_walk(struct pages *p, struct tree *tree, const struct node *node)
{
    char name[PAGES_NAME_MOST + 1];
    struct pages inner = *p;
    struct tree sub;

    if (node->flags != SUB || node->number != TREE_BYTES || memchr(node->key, 0, node->key_size)) {
        wrong(p, tree, "the description of a database is damaged", 0);
        return;
    }
    memcpy(name, node->key, node->key_size);
    name[node->key_size] = '\0';
    tree_parse(node->data, &sub);
    sub.name = name;
    if (sub.flags != 0)
        wrong(p, &sub, "the description of a database is damaged", 0);
    inner.memory = p->memory + (size_t)LARGEST * PAGES_DEEP;
    inner.damaged = p->damaged;
    tree_walk(&inner, &sub);
    p->damaged = inner.damaged;
    memcpy(p->what, inner.what, sizeof p->what);
    if (p->visitor)
        p->visitor->end(p->visitor->arg, name, !sub.is_bad);
}

static void leaf_node(struct pages *p, struct tree *tree, const struct node *node, const uint8_t *page,
                      uint64_t number)
{
    struct pages_item item = { .database = tree->name, .key = node->key, .key_size = node->key_size,
                               .size = (size_t)node->number, .bytes = node->data };

    tree->seen_entries++;
    if (tree->is_main) {
        sub_walk(p, tree, node);
        return;
    }
    if (node->flags & ~(uint32_t)BIG) {
        wrong(p, tree, "a value has marks that none has", number);
        return;
    }
    item.at = number * p->page_size + (uint64_t)(node->data - page);
    if (node->flags & BIG) {
        item.bytes = NULL;
        if (!big_claim(p, tree, node, &item.at))
            return;
    }
    if (tree->is_free && item.bytes)
        free_list(p, tree, node, node->data);
    else if (tree->is_free)
        big_free_list(p, tree, node, item.at);
    else if (p->visitor)
        p->visitor->item(p->visitor->arg, &item);
}

static void page_walk(struct pages *p, struct tree *tree, uint64_t number, uint32_t level,
                      const struct bounds *bounds)
{
    const uint8_t *page = p->memory + (size_t)LARGEST * level;
    struct node node, next;
    uint32_t count;

    if (!page_check(p, tree, number, level, bounds))
        return;
    count = (uint32_t)(u16(page + 12) - HEAD) / 2;
    if (level + 1 == tree->depth) {
        tree->seen_leaves++;
        for (uint32_t i = 0; i < count && node_parse(p, page, i, &node); i++)
            leaf_node(p, tree, &node, page, number);
        return;
    }
    tree->seen_branches++;
    for (uint32_t i = 0; i < count && node_parse(p, page, i, &node); i++) {
        struct bounds inner = *bounds;

        if (i > 0) {
            inner.low = node.key;
            inner.low_size = node.key_size;
        }
        if (i + 1 < count && node_parse(p, page, i + 1, &next)) {
            inner.high = next.key;
            inner.high_size = next.key_size;
        }
        page_walk(p, tree, node.number, level + 1, &inner);
    }
}

static void tree_walk(struct pages *p, struct tree *tree)
{
    if (tree->root == NO_PAGE) {
        if (tree->depth || tree->entries || tree->branches || tree->leaves || tree->overflows)
            wrong(p, tree, "an empty database has counts", 0);
        return;
    }
    if (tree->depth == 0 || tree->depth > PAGES_DEEP) {
        wrong(p, tree, "the depth of a database is out of range", 0);
        return;
    }
    page_walk(p, tree, tree->root, 0, &(struct bounds){ 0 });
    if (tree->seen_branches != tree->branches || tree->seen_leaves != tree->leaves ||
        tree->seen_overflows != tree->overflows || tree->seen_entries != tree->entries)
        wrong(p, tree, "the counts of a database are not what is there", tree->root);
}

/* LMDB opens a file only where both meta pages are whole, and takes the newer. The place
 * of the second depends on the page size, which the first may have lost. */
static bool metas_find(struct pages *p, struct meta metas[2])
{
    meta_parse(p, 0, &metas[0]);
    if (metas[0].is_good) {
        meta_parse(p, metas[0].page_size, &metas[1]);
    } else {
        metas[1].is_good = false;
        for (uint32_t size = SMALLEST; size <= LARGEST && !metas[1].is_good; size *= 2) {
            meta_parse(p, size, &metas[1]);
            metas[1].is_good = metas[1].is_good && metas[1].page_size == size;
        }
    }
    if (metas[1].is_good && metas[0].is_good && metas[0].page_size != metas[1].page_size)
        metas[1].is_good = false;
    return metas[0].is_good && metas[1].is_good;
}

bool pages_walk(struct pages *p, bool older, const struct pages_visitor *visitor)
{
    struct meta metas[2], *meta;
    bool both = metas_find(p, metas), second = metas[0].group < metas[1].group;

    p->visitor = visitor;
    p->damaged = p->free_pages = 0;
    memset(p->used, 0, bits_size(p->size));
    if (!both)
        wrong(p, NULL, p->size == 0 ? "the file is empty" : "a head of the file is damaged", !metas[1].is_good);
    if (both ? second != older : metas[1].is_good)
        meta = &metas[1];
    else
        meta = &metas[0];
    if (!meta->is_good || (older && !both))
        return false;
    p->page_size = meta->page_size;
    p->count = p->size / p->page_size;
    p->last = meta->last;
    p->group = meta->group;
    /* What is in use first: a damaged list of free pages shall not make it look bad. */
    tree_walk(p, &meta->main);
    tree_walk(p, &meta->free);
    return p->damaged == 0;
}
