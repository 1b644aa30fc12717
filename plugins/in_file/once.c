/* SPDX-License-Identifier: Apache-2.0
 *
 * once.c - see once.h. */
#define XXH_STATIC_LINKING_ONLY 1
#include "once.h"

#include <errno.h>
#include <string.h>
#include <xxhash.h>

enum { STEP_BYTES = 4 << 20, TURNS = 256, TRIES_MOST = 10 };
#define SETTLE_NS INT64_C(1000000000)

/* XXH3's state wants to be aligned to 64, which host memory is not. */
static XXH3_state_t *state_of(struct once *o)
{
    _Static_assert(sizeof(XXH3_state_t) + 63 <= XXH_STATE, "room for the state and its alignment");
    return (XXH3_state_t *)(((uintptr_t)o->xxh + 63u) & ~(uintptr_t)63u);
}

static aff_status list_fit(struct reader *r)
{
    const struct list *l = &r->once->list;
    uint32_t entries = r->config->path.count;

    if (l->full)
        return r->host->explain(r->host, AFF_ERR_CONFIG, "path: more than %d files; split them up", LIST_MOST);
    if (l->empty && l->error == ENOTSUP)
        return r->host->explain(r->host, AFF_ERR_CONFIG,
                                "path, entry %u of %u is a pipe or a device, which cannot be read twice; write it "
                                "to a file, or use a source that is made for it", l->empty, entries);
    if (l->empty && l->error)
        return r->host->explain(r->host, AFF_ERR_IO, "path, entry %u of %u: %s", l->empty, entries,
                                strerrordesc_np(l->error));
    if (l->empty)
        return r->host->explain(r->host, AFF_ERR_IO,
                                "path, entry %u of %u: no file is in this folder or matches this pattern", l->empty,
                                entries);
    if (l->odd)
        r->host->log(r->host, AFF_LOG_WARN, "path: %u pipes or devices are left out; only files are read", l->odd);
    return AFF_OK;
}

uint64_t once_mark(const struct once *o, uint32_t index, uint64_t size, int64_t changed_ns)
{
    const char *path = list_path(&o->list, index);
    uint64_t is[2] = { size, (uint64_t)changed_ns };
    uint64_t mark = XXH3_64bits_withSeed(path, strlen(path), XXH3_64bits(is, sizeof is));

    return mark + !mark;
}

void once_next(struct once *o)
{
    while (o->first < o->list.count && o->marks[o->first])
        o->first++;
    o->index = o->first;
}

static aff_status marks_open(struct reader *r)
{
    struct once *o = r->once;

    o->marks = r->host->alloc(r->host, o->list.count * sizeof *o->marks);
    return o->marks ? AFF_OK : AFF_ERR_MEMORY;
}

aff_status once_open(struct reader *r)
{
    struct once *o = r->host->alloc(r->host, sizeof *o);
    aff_status st;

    if (!o)
        return AFF_ERR_MEMORY;
    r->once = o;
    o->file.fd = -1;
    st = list_open(&o->list, r->host, 0);
    if (st == AFF_OK)
        st = list_walk(&o->list, &r->config->path, NULL);
    if (st == AFF_OK)
        st = list_fit(r);
    return st == AFF_OK ? marks_open(r) : st;
}

void once_close(struct reader *r)
{
    file_close(r, &r->once->file);
    list_close(&r->once->list);
    if (r->once->marks)
        r->host->free(r->host, r->once->marks);
    r->host->free(r->host, r->once);
    r->once = NULL;
}

static int is_named(const struct once *o)
{
    return o->list.items[o->index].named;
}

static aff_status open_next(struct reader *r)
{
    struct once *o = r->once;
    struct stat st;
    int error = file_open(list_path(&o->list, o->index), &o->file.fd, &st);

    /* What the integrator named may come back; what was found in a folder is left. */
    if (error)
        return file_trouble(r, &o->file, is_named(o) || error == EMFILE || error == ENFILE ? AFF_ERR_IO : AFF_ERR_DATA,
                            "cannot be opened", error);
    o->file.seen_size = (uint64_t)st.st_size;
    o->file.seen_ns = file_changed_ns(&st);
    o->hashed = 0;
    o->file.size = o->file.seen_size;
    o->file.suspect = 0;
    r->anchored = 0;
    (void)XXH3_128bits_reset(state_of(o));
    o->state = r->config->as == AS_WHOLE ? ONCE_DATA : ONCE_HASH;
    return AFF_OK;
}

/* The window is the buffer: a file that fits is read from it afterwards. */
static aff_status hash_step(struct reader *r)
{
    struct once *o = r->once;
    struct window *w = &r->window;
    uint64_t until = o->hashed + STEP_BYTES;

    do {
        size_t want = o->file.size - o->hashed < w->size ? (size_t)(o->file.size - o->hashed) : w->size;
        int64_t got;

        w->owner = NULL;
        got = file_pread(o->file.fd, w->room, want, o->hashed);
        if (got < 0)
            return file_trouble(r, &o->file, AFF_ERR_IO, "cannot be read", (int)-got);
        (void)XXH3_128bits_update(state_of(o), w->room, (size_t)got);
        w->owner = &o->file;
        w->at = o->hashed;
        w->have = (size_t)got;
        o->hashed += (uint64_t)got;
        if ((size_t)got < want)
            o->file.size = o->hashed;
    } while (o->hashed < o->file.size && o->hashed < until);
    return o->hashed < o->file.size ? AFF_AGAIN : AFF_OK;
}

/* A file that is still being written has no content to be named by. */
static aff_status wait_written(struct reader *r)
{
    struct once *o = r->once;

    file_close(r, &o->file);
    o->state = ONCE_OPEN;
    if (++o->tries >= TRIES_MOST)
        return file_trouble(r, &o->file, AFF_ERR_DATA,
                            "is still being written; read it when it is whole, or use follow = true", 0);
    r->host->wake_at(r->host, r->host->now_ns(r->host) + SETTLE_NS);
    return AFF_AGAIN;
}

static aff_status hash_done(struct reader *r)
{
    struct once *o = r->once;
    XXH128_canonical_t hash;

    if (file_has_changed(&o->file))
        return wait_written(r);
    XXH128_canonicalFromHash(&hash, XXH3_128bits_digest(state_of(o)));
    memcpy(o->hash, hash.digest, HASH_BYTES);
    o->state = ONCE_NAME;
    return AFF_OK;
}

/* A host that has been restored counts on where it was: it is told only what is
 * new to it. */
static aff_status name_content(struct reader *r)
{
    struct once *o = r->once;
    int same = o->has_known && memcmp(o->known, o->hash, HASH_BYTES) == 0;

    if (o->file.p.offset && !same) {
        r->host->log(r->host, AFF_LOG_WARN, "file %u of %u has changed since it was read in part; it is read anew",
                     o->index + 1, o->list.count);
        r->host->count(r->host, METRIC_CHANGED, 1);
        memset(&o->file.p, 0, sizeof o->file.p);
        r->window.owner = NULL;
    }
    if (o->file.p.count == 0) {
        content_name(r, o->hash, list_path(&o->list, o->index));
        memcpy(o->known, o->hash, HASH_BYTES);
        o->has_known = 1;
    }
    o->state = ONCE_DATA;
    return AFF_OK;
}

/* Records that were made are not taken back: those that follow are marked. */
static void change_tell(struct reader *r)
{
    struct once *o = r->once;

    if (o->file.suspect || !file_has_changed(&o->file))
        return;
    o->file.suspect = 1;
    r->host->count(r->host, METRIC_CHANGED, 1);
    r->host->log(r->host, AFF_LOG_ERROR,
                 "file %u of %u changes while it is read: records from byte %llu on may be of neither the old nor the "
                 "new content; read it when it is whole, or use follow = true",
                 o->index + 1, o->list.count, (unsigned long long)o->file.p.offset);
}

static aff_status data_step(struct reader *r, uint64_t want)
{
    struct once *o = r->once;
    aff_status st = AFF_END;

    if (r->config->as != AS_WHOLE) {
        change_tell(r);
        st = text_read(r, &o->file, 1, want);
    } else if (o->file.p.count == 0) {
        st = whole_read(r, &o->file, list_path(&o->list, o->index));
        if (st == AFF_AGAIN)
            return wait_written(r);
        st = st == AFF_OK ? AFF_END : st;
    }
    if (r->made)
        o->tries = 0;
    if (st == AFF_END)
        o->state = ONCE_END;
    return st == AFF_END ? AFF_OK : st;
}

/* Lets go of the file and goes on to the next one. */
static aff_status file_end(struct reader *r)
{
    struct once *o = r->once;
    aff_status st = AFF_OK;

    if (o->file.p.count)
        st = file_stream(r, &o->file, list_path(&o->list, o->index));
    if (st == AFF_OK && o->file.stream)
        st = r->host->stream_end(r->host, 0, o->file.stream);
    if (st != AFF_OK)
        return st;
    if (o->state == ONCE_END)
        r->host->count(r->host, METRIC_FILES, 1);
    file_close(r, &o->file);
    o->marks[o->index] = once_mark(o, o->index, o->file.seen_size, o->file.seen_ns);
    memset(&o->file, 0, sizeof o->file);
    o->file.fd = -1;
    o->has_known = 0;
    o->tries = 0;
    once_next(o);
    o->state = ONCE_OPEN;
    return AFF_OK;
}

/* After a fault. What may get better is tried again, from the last record on, for
 * ever if the integrator named the file; what does not is left behind. */
static aff_status file_leave(struct reader *r, aff_status st)
{
    struct once *o = r->once;
    aff_status ended;

    if (st == AFF_ERR_IO) {
        file_close(r, &o->file);
        o->state = ONCE_OPEN;
        if (is_named(o) || ++o->tries < TRIES_MOST)
            return st;
        st = AFF_ERR_DATA; /* its cause stands */
    }
    if (st != AFF_ERR_DATA)
        return st;
    ended = file_end(r);
    if (ended != AFF_OK)
        return ended;
    r->host->count(r->host, METRIC_REFUSED, 1);
    return st;
}

static aff_status step(struct reader *r, uint64_t want)
{
    aff_status st;

    switch (r->once->state) {
    case ONCE_OPEN:
        return open_next(r);
    case ONCE_HASH:
        st = hash_step(r);
        return st == AFF_OK ? hash_done(r) : st;
    case ONCE_NAME:
        return name_content(r);
    case ONCE_DATA:
        return data_step(r, want);
    default:
        return file_end(r);
    }
}

static int is_hashing(const struct once *o)
{
    return o->state == ONCE_HASH;
}

aff_status once_read(struct reader *r, uint32_t want)
{
    struct once *o = r->once;
    uint32_t turn;

    for (turn = 0; r->made < want && r->bytes < READ_BYTES && turn < TURNS; turn++) {
        int was_hashing = is_hashing(o);
        aff_status st;

        if (o->index == o->list.count)
            return AFF_END;
        st = step(r, want - r->made);
        if (st == AFF_AGAIN && was_hashing && is_hashing(o))
            return AFF_OK; /* not through yet */
        if (st < 0)
            return file_leave(r, st);
        if (st != AFF_OK)
            return st;
    }
    return AFF_OK;
}
