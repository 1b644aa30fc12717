/* SPDX-License-Identifier: Apache-2.0
 *
 * position.c - where reading goes on after a restart, as bytes.
 *
 * The file in hand of those that are read once is known again by its path and its
 * content, those that are done with by marks (once.h); followed ones by inode and by the
 * bytes before the place. What does not fit any more is read from its beginning: that
 * makes the same ids, or new ones where the content is new. Written and read by machines
 * of one kind only. */
#include "follow.h"
#include "once.h"

#include <string.h>
#include <xxhash.h>

/* Behind it stand the marks of what is done with, in the order of the list. Of more than
 * MARKS_MOST files only their sum is kept: then one that is another is enough to read
 * them all again. */
struct once_position {
    char version[8];
    uint64_t path;
    struct progress p;
    uint8_t known[HASH_BYTES];
    uint8_t has_known, ended, reserved[2];
    uint32_t done;
    uint64_t sum;
};
enum { MARKS_MOST = 2048 };

struct followed_head {
    char version[8];
    uint32_t count, reserved;
};

struct followed_position {
    struct progress p;
    uint64_t dev, ino, seen_size, tail;
    int64_t seen_ns;
    uint32_t generation, born, head_size;
    uint8_t whole_done, has_tail;
    uint16_t came_by; /* 0: written by a version that did not say */
    uint8_t head[HASH_BYTES];
};

static const char once_version[8] = "file 2", followed_version[8] = "grow 1";

static uint64_t path_hash(const struct once *o, uint32_t index)
{
    const char *path = list_path(&o->list, index);

    return XXH3_64bits(path, strlen(path));
}

static uint32_t marks_count(const struct once *o)
{
    uint32_t i, count = o->first;

    for (i = o->first; i < o->list.count; i++)
        count += o->marks[i] != 0;
    return count;
}

static size_t once_size(uint32_t done)
{
    return sizeof(struct once_position) + (done <= MARKS_MOST ? done * sizeof(uint64_t) : 0);
}

static void once_write(const struct once *o, char *buffer)
{
    char *to = buffer + sizeof(struct once_position);
    struct once_position p;
    uint32_t i;

    memset(&p, 0, sizeof p);
    memcpy(p.version, once_version, sizeof p.version);
    p.ended = o->index == o->list.count;
    if (!p.ended)
        p.path = path_hash(o, o->index);
    p.p = o->file.p;
    p.has_known = o->has_known;
    memcpy(p.known, o->known, sizeof p.known);
    p.done = marks_count(o);
    for (i = 0; i < o->list.count; i++) {
        p.sum += o->marks[i];
        if (!o->marks[i] || p.done > MARKS_MOST)
            continue;
        memcpy(to, &o->marks[i], sizeof o->marks[i]);
        to += sizeof o->marks[i];
    }
    memcpy(buffer, &p, sizeof p);
}

static int is_kept(const struct file *f)
{
    return f->used && (f->p.offset || f->p.skipping || f->head_size || f->generation || f->whole_done);
}

static void followed_write(const struct reader *r, char *buffer)
{
    const struct follow *w = r->follow;
    struct followed_head head = { { 0 }, 0, 0 };
    char *to = buffer + sizeof head;
    uint32_t i;

    for (i = 0; i < w->most; i++) {
        const struct file *f = &w->files[i];
        struct followed_position p;

        if (!is_kept(f))
            continue;
        memset(&p, 0, sizeof p);
        p.p = f->p;
        p.dev = f->dev;
        p.ino = f->ino;
        p.seen_size = f->seen_size;
        p.seen_ns = f->seen_ns;
        p.tail = f->tail;
        p.has_tail = f->has_tail;
        p.generation = f->generation;
        p.born = f->born;
        p.head_size = f->head_size;
        p.whole_done = f->whole_done;
        p.came_by = f->restored ? f->came_by : entry_mark(list_entry(&r->config->path, f->entry));
        memcpy(p.head, f->head, sizeof p.head);
        memcpy(to, &p, sizeof p);
        to += sizeof p;
        head.count++;
    }
    memcpy(head.version, followed_version, sizeof head.version);
    memcpy(buffer, &head, sizeof head);
}

aff_status reader_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct reader *r = self;
    uint32_t i;

    if (r->once)
        *ret_size = once_size(marks_count(r->once));
    if (r->follow) {
        *ret_size = sizeof(struct followed_head);
        for (i = 0; i < r->follow->most; i++)
            *ret_size += is_kept(&r->follow->files[i]) ? sizeof(struct followed_position) : 0;
    }
    if (room < *ret_size)
        return AFF_OK;
    if (r->follow)
        followed_write(r, buffer);
    else
        once_write(r->once, buffer);
    return AFF_OK;
}

/* What a file is now, as a mark. */
static uint64_t mark_now(const struct once *o, uint32_t index)
{
    struct stat st;

    if (stat(list_path(&o->list, index), &st) != 0)
        return once_mark(o, index, 0, 0);
    return once_mark(o, index, (uint64_t)st.st_size, file_changed_ns(&st));
}

/* Both stand in the order of paths, so that each search goes on behind the last find. */
static uint32_t marks_find(struct once *o, const char *kept, uint32_t done)
{
    uint32_t at = 0, found = 0, i, k;

    for (i = 0; i < o->list.count && at < done; i++) {
        uint64_t now = mark_now(o, i), mark;

        for (k = at; k < done; k++) {
            memcpy(&mark, kept + k * sizeof mark, sizeof mark);
            if (mark == now)
                break;
        }
        if (k == done)
            continue;
        o->marks[i] = now;
        at = k + 1;
        found++;
    }
    return found;
}

/* The first `count` files as they are now. */
static uint64_t marks_take(struct once *o, uint32_t count)
{
    uint64_t sum = 0;
    uint32_t i;

    for (i = 0; i < count; i++)
        sum += o->marks[i] = mark_now(o, i);
    return sum;
}

static uint32_t marks_restore(struct once *o, const struct once_position *p, const char *kept)
{
    if (p->done <= MARKS_MOST)
        return marks_find(o, kept, p->done);
    if (p->done <= o->list.count && marks_take(o, p->done) == p->sum)
        return p->done;
    memset(o->marks, 0, o->list.count * sizeof *o->marks);
    return 0;
}

/* The file in hand, which may have become one that is done with meanwhile: it is read on
 * all the same, or anew if its content is another. */
static int in_hand_restore(struct once *o, const struct once_position *p)
{
    uint32_t i;

    for (i = 0; i < o->list.count && path_hash(o, i) != p->path; i++)
        ;
    if (p->ended || i == o->list.count)
        return p->ended;
    o->marks[i] = 0;
    o->index = i;
    if (o->first > i)
        o->first = i;
    o->file.p = p->p;
    o->has_known = p->has_known;
    memcpy(o->known, p->known, sizeof o->known);
    return 1;
}

static aff_status once_restore(struct reader *r, const char *buffer)
{
    struct once *o = r->once;
    struct once_position p;
    uint32_t found;

    memcpy(&p, buffer, sizeof p);
    found = marks_restore(o, &p, buffer + sizeof p);
    once_next(o);
    if (!in_hand_restore(o, &p))
        r->host->log(r->host, AFF_LOG_WARN,
                     "path: the file that was being read is not in it any more; all files that were not read are read");
    if (found < p.done || (p.ended && found < o->list.count))
        r->host->log(r->host, AFF_LOG_INFO, "path: of %u files %u are as they were when they were read; the others are read",
                     o->list.count, found);
    return AFF_OK;
}

static aff_status followed_restore(struct reader *r, const char *buffer, size_t size)
{
    struct followed_head head;
    struct followed_position p;
    uint32_t i;

    memcpy(&head, buffer, sizeof head);
    if (size != sizeof head + head.count * sizeof p)
        return r->host->explain(r->host, AFF_ERR_DATA, "the position of in_file is damaged: it has %zu bytes", size);
    for (i = 0; i < head.count; i++) {
        struct file *f = tracked_new(r->follow);

        if (!f)
            return r->host->explain(r->host, AFF_ERR_CONFIG,
                                    "max_files = %u is less than the %u files that were followed before; raise it",
                                    r->follow->most, head.count);
        memcpy(&p, buffer + sizeof head + i * sizeof p, sizeof p);
        f->p = p.p;
        f->dev = f->now_dev = p.dev;
        f->ino = p.ino;
        f->seen_size = p.seen_size;
        f->seen_ns = p.seen_ns;
        f->tail = p.tail;
        f->has_tail = p.has_tail;
        f->generation = p.generation;
        f->born = p.born;
        f->head_size = p.head_size <= HEAD_BYTES ? p.head_size : 0;
        f->whole_done = p.whole_done;
        f->came_by = p.came_by;
        memcpy(f->head, p.head, sizeof f->head);
        f->restored = f->retry = 1;
        if (r->follow->born <= p.born)
            r->follow->born = p.born + 1;
    }
    return AFF_OK;
}

static int is_once(const void *buffer, size_t size)
{
    struct once_position p;

    if (size < sizeof p || memcmp(buffer, once_version, sizeof once_version) != 0)
        return 0;
    memcpy(&p, buffer, sizeof p);
    return size == once_size(p.done);
}

aff_status reader_restore(void *self, const void *buffer, size_t size)
{
    struct reader *r = self;
    int once = is_once(buffer, size);
    int followed = size >= sizeof(struct followed_head) &&
                   memcmp(buffer, followed_version, sizeof followed_version) == 0;

    if (!once && !followed)
        return r->host->explain(r->host, AFF_ERR_DATA, "the position was not written by this version of in_file");
    if (once != (r->once != NULL)) {
        r->host->log(r->host, AFF_LOG_WARN,
                     "follow was changed since the last run: all files are read from their beginning");
        return AFF_OK;
    }
    return once ? once_restore(r, buffer) : followed_restore(r, buffer, size);
}
