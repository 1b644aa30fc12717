/* SPDX-License-Identifier: Apache-2.0
 *
 * position.c - where reading goes on after a restart, as bytes.
 *
 * A file that is read once is known again by its path and its content; followed
 * ones by inode and by the bytes before the place. What does not fit any more is
 * read from its beginning: that makes the same ids, or new ones where the content
 * is new. Written and read by machines of one kind only. */
#include "follow.h"
#include "once.h"

#include <string.h>
#include <xxhash.h>

struct once_position {
    char version[8];
    uint64_t path;
    struct progress p;
    uint8_t known[HASH_BYTES];
    uint8_t has_known, ended, reserved[6];
};

struct followed_head {
    char version[8];
    uint32_t count, reserved;
};

struct followed_position {
    struct progress p;
    uint64_t dev, ino, seen_size, tail;
    int64_t seen_ns;
    uint32_t generation, born, head_size;
    uint8_t whole_done, has_tail, reserved[2];
    uint8_t head[HASH_BYTES];
};

static const char once_version[8] = "file 1", followed_version[8] = "grow 1";

static uint64_t path_hash(const struct once *o, uint32_t index)
{
    const char *path = list_path(&o->list, index);

    return XXH3_64bits(path, strlen(path));
}

static void once_write(const struct once *o, void *buffer)
{
    struct once_position p;

    memset(&p, 0, sizeof p);
    memcpy(p.version, once_version, sizeof p.version);
    p.ended = o->index == o->list.count;
    if (!p.ended)
        p.path = path_hash(o, o->index);
    p.p = o->file.p;
    p.has_known = o->has_known;
    memcpy(p.known, o->known, sizeof p.known);
    memcpy(buffer, &p, sizeof p);
}

static int is_kept(const struct file *f)
{
    return f->used && (f->p.offset || f->p.skipping || f->head_size || f->generation || f->whole_done);
}

static void followed_write(const struct follow *w, char *buffer)
{
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

    *ret_size = sizeof(struct once_position);
    if (r->follow) {
        *ret_size = sizeof(struct followed_head);
        for (i = 0; i < r->follow->most; i++)
            *ret_size += is_kept(&r->follow->files[i]) ? sizeof(struct followed_position) : 0;
    }
    if (room < *ret_size)
        return AFF_OK;
    if (r->follow)
        followed_write(r->follow, buffer);
    else
        once_write(r->once, buffer);
    return AFF_OK;
}

static aff_status once_restore(struct reader *r, const void *buffer)
{
    struct once *o = r->once;
    struct once_position p;
    uint32_t i;

    memcpy(&p, buffer, sizeof p);
    if (p.ended) {
        o->index = o->list.count;
        return AFF_OK;
    }
    for (i = 0; i < o->list.count && path_hash(o, i) != p.path; i++)
        ;
    if (i == o->list.count) {
        r->host->log(r->host, AFF_LOG_WARN,
                     "path: the file that was being read is not in it any more; all files are read from the first on");
        return AFF_OK;
    }
    o->index = i;
    o->file.p = p.p;
    o->has_known = p.has_known;
    memcpy(o->known, p.known, sizeof o->known);
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
        memcpy(f->head, p.head, sizeof f->head);
        f->restored = f->retry = 1;
        if (r->follow->born <= p.born)
            r->follow->born = p.born + 1;
    }
    return AFF_OK;
}

aff_status reader_restore(void *self, const void *buffer, size_t size)
{
    struct reader *r = self;
    int once = size == sizeof(struct once_position) && memcmp(buffer, once_version, sizeof once_version) == 0;
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
