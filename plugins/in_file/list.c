/* SPDX-License-Identifier: Apache-2.0
 *
 * list.c - see list.h. */
#include "list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEPTH_MAX = 16, FOLDER_BYTES = 8192 };

struct walk {
    struct list *list;
    const struct list_watcher *watcher;
    uint16_t entry;
    int error;
    aff_status st;
    size_t length;
    char path[PATH_MAX]; /* the way so far */
};

const char *list_path(const struct list *l, uint32_t index)
{
    return l->text + l->items[index].path;
}

const char *list_entry(const struct aff_list *entries, uint32_t index)
{
    return *(const char *const *)(const void *)((const char *)entries->items + (size_t)index * entries->stride);
}

/* Memory that grows: host memory has no realloc. */
static void *grown(const struct aff_host *host, void *old, size_t used, size_t room)
{
    void *new = host->alloc(host, room);

    if (new && old) {
        memcpy(new, old, used);
        host->free(host, old);
    }
    return new;
}

static aff_status room_make(struct list *l, uint32_t size)
{
    void *new;

    if (l->count == l->most) {
        uint32_t most = l->most * 2 + 64;

        new = grown(l->host, l->items, l->count * sizeof *l->items, most * sizeof *l->items);
        if (!new)
            return AFF_ERR_MEMORY;
        l->items = new;
        l->most = most;
    }
    if (l->room - l->used < size) {
        uint32_t room = (l->room + size) * 2;

        new = grown(l->host, l->text, l->used, room);
        if (!new)
            return AFF_ERR_MEMORY;
        l->text = new;
        l->room = room;
    }
    return AFF_OK;
}

static void file_add(struct walk *w, const struct stat *st, int named)
{
    struct list *l = w->list;
    uint32_t size = (uint32_t)w->length + 1;

    if (l->grows && l->count < LIST_MOST && l->used < LIST_BYTES_MAX)
        w->st = room_make(l, size);
    if (w->st != AFF_OK)
        return;
    if (l->count == l->most || l->room - l->used < size) {
        l->full = 1;
        return;
    }
    memcpy(l->text + l->used, w->path, size);
    l->items[l->count++] = (struct found){ st->st_dev, st->st_ino, l->used, w->entry, named != 0, 0 };
    l->used += size;
}

static void folder_tell(struct walk *w)
{
    if (w->watcher)
        w->watcher->folder(w->watcher->context, w->path);
}

/* Calls `each` with the way lengthened by each name of the folder that fits. */
static void folder_walk(struct walk *w, const char *pattern, const char *rest,
                        void (*each)(struct walk *w, const char *rest))
{
    _Alignas(struct dirent64) char room[FOLDER_BYTES];
    size_t length = w->length;
    int fd = open(length ? w->path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long got = 0, at;

    if (fd < 0) {
        w->error = errno;
        return;
    }
    folder_tell(w);
    while (w->st == AFF_OK && (got = syscall(SYS_getdents64, fd, room, sizeof room)) > 0) {
        for (at = 0; at < got && w->st == AFF_OK;) {
            const struct dirent64 *d = (const void *)(room + at);
            size_t name = strlen(d->d_name);

            at += d->d_reclen;
            if (fnmatch(pattern, d->d_name, FNM_PERIOD | FNM_NOESCAPE) != 0 || length + name + 2 > sizeof w->path)
                continue;
            w->path[length] = '/';
            memcpy(w->path + length + 1, d->d_name, name + 1);
            w->length = length + 1 + name;
            each(w, rest);
        }
    }
    if (got < 0)
        w->error = errno;
    w->length = length;
    w->path[length] = 0;
    (void)close(fd);
}

int list_beside(const char *named, uint64_t ino)
{
    _Alignas(struct dirent64) char room[FOLDER_BYTES];
    const char *slash = strrchr(named, '/');
    char folder[PATH_MAX];
    size_t length = slash ? (size_t)(slash - named) : 0;
    long got, at;
    int dir, fd = -1;

    if (length >= sizeof folder)
        return -1;
    memcpy(folder, named, length);
    folder[length] = 0;
    dir = open(length ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -1;
    while (fd < 0 && (got = syscall(SYS_getdents64, dir, room, sizeof room)) > 0) {
        for (at = 0; at < got && fd < 0;) {
            const struct dirent64 *d = (const void *)(room + at);

            at += d->d_reclen;
            if (d->d_ino == ino && (d->d_type == DT_REG || d->d_type == DT_UNKNOWN))
                fd = openat(dir, d->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
        }
    }
    (void)close(dir);
    return fd;
}

static void file_found(struct walk *w, const char *rest)
{
    struct stat st;

    (void)rest;
    if (stat(w->path, &st) != 0 || S_ISDIR(st.st_mode))
        return;
    if (S_ISREG(st.st_mode))
        file_add(w, &st, 0);
    else
        w->list->odd++;
}

/* Goes down a pattern part by part: `rest` begins behind a slash. */
static void glob_walk(struct walk *w, const char *rest)
{
    size_t part = strcspn(rest, "/"), length = w->length;
    char pattern[NAME_MAX + 1];

    if (part > NAME_MAX || length + part + 2 > sizeof w->path) {
        w->error = ENAMETOOLONG;
        return;
    }
    memcpy(pattern, rest, part);
    pattern[part] = 0;
    rest += part + strspn(rest + part, "/");
    if (strpbrk(pattern, "*?[")) {
        folder_walk(w, pattern, rest, *rest ? glob_walk : file_found);
        return;
    }
    if (!*rest)
        folder_tell(w);
    w->path[length] = '/';
    memcpy(w->path + length + 1, pattern, part + 1);
    w->length = length + 1 + part;
    if (*rest)
        glob_walk(w, rest);
    else
        file_found(w, rest);
    w->length = length;
    w->path[length] = 0;
}

static int depth_of(const char *path)
{
    int n = 0;

    for (; *path; path++)
        n += *path == '/';
    return n;
}

/* A named file: what rotates it lies beside it. */
static void named_found(struct walk *w, const struct stat *st)
{
    char *slash = strrchr(w->path, '/');

    if (S_ISREG(st->st_mode))
        file_add(w, st, 1);
    else
        w->error = ENOTSUP;
    folder_tell(w);
    if (!slash)
        return;
    *slash = 0;
    folder_tell(w);
    *slash = '/';
}

static void entry_walk(struct walk *w, const char *path)
{
    struct stat st;

    w->error = 0;
    w->length = strlen(path);
    while (w->length > 1 && path[w->length - 1] == '/')
        w->length--;
    if (w->length >= sizeof w->path) {
        w->error = ENAMETOOLONG;
        return;
    }
    memcpy(w->path, path, w->length);
    w->path[w->length] = 0;
    if (stat(w->path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            folder_walk(w, "*", "", file_found);
        else
            named_found(w, &st);
        return;
    }
    w->error = errno;
    if (strpbrk(path, "*?[") && path[0] == '/' && depth_of(path) <= DEPTH_MAX) {
        w->error = 0;
        w->length = 0;
        w->path[0] = 0;
        glob_walk(w, path + strspn(path, "/"));
        return;
    }
    /* What is named and not there yet may come. */
    if (strrchr(w->path, '/'))
        *strrchr(w->path, '/') = 0;
    folder_tell(w);
}

/* Heap sort: bytewise by path, nothing allocated, no bad case. */
static int path_order(const struct list *l, uint32_t a, uint32_t b)
{
    return strcmp(list_path(l, a), list_path(l, b));
}

static void items_swap(struct list *l, uint32_t a, uint32_t b)
{
    struct found kept = l->items[a];

    l->items[a] = l->items[b];
    l->items[b] = kept;
}

static void sift_down(struct list *l, uint32_t at, uint32_t count)
{
    for (;;) {
        uint32_t child = 2 * at + 1;

        if (child >= count)
            return;
        if (child + 1 < count && path_order(l, child, child + 1) < 0)
            child++;
        if (path_order(l, at, child) >= 0)
            return;
        items_swap(l, at, child);
        at = child;
    }
}

/* Sorts, and lets go what is there twice; a named one stays. */
static void list_sort(struct list *l)
{
    uint32_t i, kept = 0;

    for (i = l->count / 2; i-- > 0;)
        sift_down(l, i, l->count);
    for (i = l->count; i-- > 1;) {
        items_swap(l, 0, i);
        sift_down(l, 0, i);
    }
    for (i = 0; i < l->count; i++) {
        if (!kept || path_order(l, kept - 1, i) != 0)
            l->items[kept++] = l->items[i];
        else if (l->items[i].named)
            l->items[kept - 1] = l->items[i];
    }
    l->count = kept;
}

aff_status list_walk(struct list *l, const struct aff_list *entries, const struct list_watcher *watcher)
{
    struct walk w;
    uint32_t i, before;

    w.list = l;
    w.watcher = watcher;
    w.st = AFF_OK;
    l->count = l->used = l->odd = l->empty = 0;
    l->full = 0;
    l->error = 0;
    for (i = 0; i < entries->count && w.st == AFF_OK; i++) {
        before = l->count;
        w.entry = (uint16_t)i;
        entry_walk(&w, list_entry(entries, i));
        if (l->count == before) {
            l->empty = i + 1;
            l->error = w.error;
        }
    }
    if (w.st == AFF_OK)
        list_sort(l);
    return w.st;
}

aff_status list_open(struct list *l, const struct aff_host *host, uint32_t most)
{
    memset(l, 0, sizeof *l);
    l->host = host;
    l->grows = most == 0;
    if (l->grows)
        return AFF_OK;
    l->items = host->alloc(host, most * sizeof *l->items);
    l->text = host->alloc(host, (size_t)most * LIST_PATH_BYTES + PATH_MAX);
    if (!l->items || !l->text) {
        list_close(l);
        return AFF_ERR_MEMORY;
    }
    l->most = most;
    l->room = most * LIST_PATH_BYTES + PATH_MAX;
    return AFF_OK;
}

void list_close(struct list *l)
{
    if (l->text)
        l->host->free(l->host, l->text);
    if (l->items)
        l->host->free(l->host, l->items);
    l->text = NULL;
    l->items = NULL;
}
