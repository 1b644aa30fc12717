/* SPDX-License-Identifier: Apache-2.0
 *
 * tracked.c - the table of followed files. See follow.h.
 *
 * All memory is taken at open, for `max_files` files; a file in the table keeps
 * its place, since the window knows it by that. */
#include "follow.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#define PATIENCE_NS INT64_C(60000000000)

static void folder_watch(void *context, const char *path)
{
    watch_add(context, path);
}

const char *follow_path(const struct follow *w, const struct file *f)
{
    return list_path(&w->lists[w->now], f->path);
}

uint32_t follow_count(const struct follow *w)
{
    return w->lists[w->now].count;
}

aff_status tracked_open(struct reader *r)
{
    struct follow *w = r->follow;
    uint32_t i;

    w->most = (uint32_t)r->config->max_files;
    for (w->slot_count = 16; w->slot_count < 2 * w->most;)
        w->slot_count *= 2;
    w->files = r->host->alloc(r->host, w->most * sizeof *w->files);
    w->slots = r->host->alloc(r->host, w->slot_count * sizeof *w->slots);
    if (!w->files || !w->slots)
        return AFF_ERR_MEMORY;
    for (i = 0; i < w->most; i++)
        w->files[i].fd = -1;
    if (list_open(&w->lists[0], r->host, w->most) != AFF_OK || list_open(&w->lists[1], r->host, w->most) != AFF_OK)
        return AFF_ERR_MEMORY;
    return AFF_OK;
}

void tracked_close(struct reader *r)
{
    struct follow *w = r->follow;
    uint32_t i;

    for (i = 0; w->files && i < w->most; i++)
        file_close(r, &w->files[i]);
    if (w->lists[0].host)
        list_close(&w->lists[0]);
    if (w->lists[1].host)
        list_close(&w->lists[1]);
    if (w->files)
        r->host->free(r->host, w->files);
    if (w->slots)
        r->host->free(r->host, w->slots);
}

struct file *tracked_new(struct follow *w)
{
    uint32_t i;

    for (i = 0; i < w->most; i++) {
        struct file *f = &w->files[w->next];

        w->next = w->next + 1 < w->most ? w->next + 1 : 0;
        if (f->used)
            continue;
        memset(f, 0, sizeof *f);
        f->fd = -1;
        f->used = 1;
        f->born = w->born++;
        return f;
    }
    return NULL;
}

static uint32_t slot_first(const struct follow *w, uint64_t ino)
{
    return (uint32_t)((ino * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (w->slot_count - 1);
}

static void slot_put(struct follow *w, const struct file *f)
{
    uint32_t at = slot_first(w, f->ino);

    while (w->slots[at])
        at = (at + 1) & (w->slot_count - 1);
    w->slots[at] = (uint32_t)(f - w->files) + 1;
}

/* A device may have another number after a restart of the machine: then the inode
 * tells, and the bytes are compared before they are gone on from. */
static struct file *slot_find(const struct follow *w, const struct found *item)
{
    struct file *other = NULL;
    uint32_t at;

    for (at = slot_first(w, item->ino); w->slots[at]; at = (at + 1) & (w->slot_count - 1)) {
        struct file *f = &w->files[w->slots[at] - 1];

        if (f->ino != item->ino || f->placed)
            continue;
        if (f->now_dev == item->dev)
            return f;
        if (f->restored)
            other = f;
    }
    return other;
}

/* A link: the same file by another name, which is read already. */
static int is_placed(const struct follow *w, const struct found *item)
{
    uint32_t at;

    for (at = slot_first(w, item->ino); w->slots[at]; at = (at + 1) & (w->slot_count - 1)) {
        const struct file *f = &w->files[w->slots[at] - 1];

        if (f->ino == item->ino && f->now_dev == item->dev && f->placed)
            return 1;
    }
    return 0;
}

static void full_tell(struct reader *r)
{
    if (r->follow->full_told)
        return;
    r->follow->full_told = 1;
    r->host->count(r->host, METRIC_REFUSED, 1);
    r->host->log(r->host, AFF_LOG_ERROR,
                 "path: more than max_files = %u files are there, some are not followed; move away what is done, or "
                 "raise max_files", r->follow->most);
}

static void file_place(struct reader *r, const struct found *item, uint32_t index)
{
    struct follow *w = r->follow;
    struct file *f = slot_find(w, item);

    if (!f) {
        if (is_placed(w, item))
            return;
        f = tracked_new(w);
        if (!f) {
            full_tell(r);
            return;
        }
        f->dev = item->dev;
        f->ino = item->ino;
        f->moved_ns = r->host->now_ns(r->host);
        f->now_dev = item->dev;
        slot_put(w, f);
    }
    f->restored = f->gone = 0;
    f->now_dev = item->dev;
    f->placed = 1;
    f->path = index;
    f->entry = item->entry;
    f->named = item->named;
}

uint16_t entry_mark(const char *entry)
{
    return (uint16_t)(XXH3_64bits(entry, strlen(entry)) % UINT16_MAX + 1);
}

/* A file that was being read when we ended and has been renamed since lies beside
 * the one that now has its name. One that another `path` had led to is not wanted any
 * more: it would be taken for the subject's of this one. */
static int beside_find(struct reader *r, struct file *f)
{
    const struct aff_list *entries = &r->config->path;
    uint32_t i;

    for (i = 0; i < entries->count; i++) {
        struct stat st;
        int fd;

        if (f->came_by && f->came_by != entry_mark(list_entry(entries, i)))
            continue;
        fd = list_beside(list_entry(entries, i), f->ino);
        if (fd < 0)
            continue;
        f->fd = fd;
        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && file_is_same(f) == 1) {
            f->named = 1;
            f->entry = (uint16_t)i;
            f->retry = 1;
            f->now_dev = st.st_dev;
            r->follow->fds++;
            return 1;
        }
        file_close(r, f);
    }
    return 0;
}

/* Whether a file of the position is there no more. */
static int is_lost(struct reader *r, struct file *f)
{
    f->restored = 0;
    if (r->config->as != AS_WHOLE && beside_find(r, f))
        return 0;
    f->used = 0;
    return 1;
}

static void gone_mark(struct reader *r)
{
    struct follow *w = r->follow;
    uint32_t i, lost = 0;

    for (i = 0; i < w->most; i++) {
        struct file *f = &w->files[i];

        if (!f->used || f->placed)
            continue;
        if (f->restored && is_lost(r, f)) {
            lost++;
            continue;
        }
        if (!f->gone)
            f->moved_ns = f->gone_ns = r->host->now_ns(r->host);
        f->gone = 1;
    }
    if (lost)
        r->host->log(r->host, AFF_LOG_INFO, "%u files that were followed before the restart are not there any more",
                     lost);
}

static void wait_tell(struct reader *r, const struct list *l)
{
    if (!l->empty || r->follow->wait_told)
        return;
    r->follow->wait_told = 1;
    r->host->log(r->host, AFF_LOG_INFO, "path, entry %u of %u: no file is there yet; waiting for it", l->empty,
                 r->config->path.count);
}

aff_status tracked_scan(struct reader *r)
{
    struct follow *w = r->follow;
    struct list *l = &w->lists[!w->now];
    struct list_watcher watcher = { &w->watch, folder_watch };
    uint32_t i;
    aff_status st = list_walk(l, &r->config->path, &watcher);

    if (st != AFF_OK)
        return st;
    if (l->full)
        full_tell(r);
    wait_tell(r, l);
    w->now = !w->now;
    memset(w->slots, 0, w->slot_count * sizeof *w->slots);
    for (i = 0; i < w->most; i++) {
        w->files[i].placed = 0;
        if (w->files[i].used)
            slot_put(w, &w->files[i]);
    }
    for (i = 0; i < l->count; i++)
        file_place(r, &l->items[i], i);
    gone_mark(r);
    return AFF_OK;
}

static int is_same_name(const struct file *f, const struct file *g)
{
    return g != f && g->used && g->named && g->entry == f->entry;
}

int tracked_waits(const struct follow *w, const struct file *f, int64_t now)
{
    uint32_t i;

    for (i = 0; f->named && i < w->most; i++) {
        const struct file *g = &w->files[i];

        if (is_same_name(f, g) && g->gone && g->born < f->born && now - g->gone_ns < PATIENCE_NS)
            return 1;
    }
    return 0;
}

int tracked_is_followed(const struct follow *w, const struct file *f)
{
    uint32_t i;

    for (i = 0; f->named && i < w->most; i++)
        if (is_same_name(f, &w->files[i]) && w->files[i].born > f->born)
            return 1;
    return 0;
}

/* The stream that has been quiet for longest makes room for a new one: a folder
 * may see more files in a year than a host has streams. */
static aff_status stream_room(struct reader *r)
{
    struct follow *w = r->follow;
    struct file *oldest = NULL;
    uint32_t i, open = 0;

    if (r->config->subject)
        return AFF_OK;
    for (i = 0; i < w->most; i++) {
        struct file *f = &w->files[i];

        if (!f->used || !f->stream)
            continue;
        open++;
        if (!f->busy && !f->gone && (!oldest || f->moved_ns < oldest->moved_ns))
            oldest = f;
    }
    if (open < STREAMS_MOST || !oldest)
        return AFF_OK;
    return tracked_end_stream(r, oldest);
}

aff_status tracked_begin(struct reader *r, struct file *f, int *ret_error)
{
    struct stat st;
    aff_status status;

    *ret_error = 0;
    if (f->fd < 0) {
        *ret_error = f->gone ? ENOENT : file_open(follow_path(r->follow, f), &f->fd, &st);
        if (*ret_error)
            return AFF_OK;
        r->follow->fds++;
        if (st.st_ino != f->ino || st.st_dev != f->now_dev) {
            tracked_shut(r, f);
            *ret_error = ENOENT; /* it was replaced just now */
            return AFF_OK;
        }
    }
    if (f->stream)
        return AFF_OK;
    status = stream_room(r);
    if (status != AFF_OK)
        return status;
    return file_stream(r, f, f->named ? list_entry(&r->config->path, f->entry) : follow_path(r->follow, f));
}

void tracked_shut(struct reader *r, struct file *f)
{
    r->follow->fds -= f->fd >= 0;
    file_close(r, f);
}

aff_status tracked_end_stream(struct reader *r, struct file *f)
{
    struct follow *w = r->follow;
    uint32_t stream = f->stream, i;

    for (i = 0; i < w->most; i++)
        if (&w->files[i] != f && w->files[i].used && w->files[i].stream == stream)
            break;
    if (stream && i == w->most) {
        aff_status st = r->host->stream_end(r->host, 0, stream);

        if (st != AFF_OK)
            return st;
    }
    f->stream = 0;
    return AFF_OK;
}

void tracked_drop(struct reader *r, struct file *f)
{
    tracked_shut(r, f);
    f->used = 0;
}
