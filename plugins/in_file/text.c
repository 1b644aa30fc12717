/* SPDX-License-Identifier: Apache-2.0
 *
 * text.c - the window over a file, and the records that are cut out of it.
 *
 * One window serves all files: what is not whole yet is read again from the file,
 * so no file needs memory of its own. See reader.h. */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum { CUTS = 4096 }; /* in one read, also when no record comes of them */

int64_t file_pread(int fd, void *to, size_t size, uint64_t offset)
{
    size_t have = 0;

    while (have < size) {
        ssize_t got = pread(fd, (char *)to + have, size - have, (off_t)(offset + have));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (int64_t)have;
}

int file_open(const char *path, int *ret_fd, struct stat *ret_stat)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), error = 0;

    if (fd < 0)
        return errno;
    if (fstat(fd, ret_stat) != 0)
        error = errno;
    else if (S_ISDIR(ret_stat->st_mode))
        error = EISDIR;
    else if (!S_ISREG(ret_stat->st_mode))
        error = ENOTSUP;
    if (error)
        (void)close(fd);
    else
        *ret_fd = fd;
    return error;
}

int64_t file_changed_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

int file_has_changed(const struct file *f)
{
    struct stat st;

    if (fstat(f->fd, &st) != 0)
        return 0; /* reading tells */
    return (uint64_t)st.st_size != f->seen_size || file_changed_ns(&st) != f->seen_ns;
}

void file_close(struct reader *r, struct file *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    f->fd = -1;
    if (r->window.owner == f)
        r->window.owner = NULL;
}

/* How many bytes must be at hand to tell where any record ends. */
static size_t window_need(const struct reader *r, const struct file *f)
{
    size_t need = (size_t)(r->config->as == AS_BLOCKS ? r->config->block + 1 : r->config->max_line + 2);

    return r->config->time && !f->p.has_time && need < LOOKAHEAD_BYTES ? LOOKAHEAD_BYTES : need;
}

/* Fills the window from the file's place on. 0, or an errno. */
static int window_fill(struct reader *r, struct file *f)
{
    struct window *w = &r->window;
    size_t before, want;
    int64_t got;

    if (w->owner != f || f->p.offset < w->at || f->p.offset > w->at + w->have) {
        w->owner = f;
        w->at = f->p.offset;
        w->have = 0;
    }
    before = (size_t)(f->p.offset - w->at);
    if (w->have - before >= window_need(r, f) || w->at + w->have >= f->size)
        return 0;
    memmove(w->room, w->room + before, w->have - before);
    w->at += before;
    w->have -= before;
    want = w->size - w->have;
    if (want > f->size - w->at - w->have)
        want = (size_t)(f->size - w->at - w->have);
    got = file_pread(f->fd, w->room + w->have, want, w->at + w->have);
    if (got < 0)
        return (int)-got;
    w->have += (size_t)got;
    if ((size_t)got < want)
        f->size = w->at + w->have; /* it became shorter */
    return 0;
}

static struct piece piece_next(const struct reader *r, const struct file *f, int final)
{
    const struct window *w = &r->window;
    struct piece p;

    p.at = w->room + (f->p.offset - w->at);
    p.have = (size_t)(w->at + w->have - f->p.offset);
    p.last = final && w->at + w->have >= f->size;
    if (r->config->as == AS_BLOCKS)
        p.cut = cut_block(p.at, p.have, p.last,
                          &(struct cut_rule){ (size_t)r->config->block, r->follow != NULL, f->p.skipping });
    else
        p.cut = cut_line(p.at, p.have, p.last, (size_t)r->config->max_line, f->p.skipping);
    return p;
}

/* A line that is too long is set aside by its beginning, and passed over. */
static aff_status line_aside(struct reader *r, struct file *f, const struct piece *p)
{
    aff_status st = r->host->dead(r->host, AFF_NO_INPUT, VERDICT_LONG, f->p.offset, p->at, (uint32_t)p->cut.size);

    if (st != AFF_OK)
        return st;
    r->host->count(r->host, METRIC_LONG, 1);
    return AFF_OK;
}

static void large_tell(struct reader *r, const struct file *f, size_t size)
{
    if (r->large_told)
        return;
    r->large_told = 1;
    r->host->log(r->host, AFF_LOG_ERROR,
                 "a line or block of %zu bytes at byte %llu is larger than a record may be and set aside; raise "
                 "edge.buffer of the readers to four times that, and pipeline.max_record, or lower max_line or block",
                 size, (unsigned long long)f->p.offset);
}

static aff_status piece_take(struct reader *r, struct file *f, const struct piece *p)
{
    aff_status st = p->cut.kind == CUT_RECORD ? record_make(r, f, p) : AFF_OK;
    bool is_large = st == AFF_ERR_DATA;

    if (p->cut.kind == CUT_RECORD && !is_large)
        return st;
    if (is_large)
        large_tell(r, f, p->cut.size);
    if (p->cut.kind == CUT_LONG || is_large) {
        st = line_aside(r, f, p);
        if (st != AFF_OK)
            return st;
        f->p.gap = 1; /* a text of several lines may go on behind it */
    }
    f->p.skipping = p->cut.skipping != 0;
    f->p.offset += p->cut.taken;
    r->bytes += p->cut.taken;
    return AFF_OK;
}

aff_status text_read(struct reader *r, struct file *f, int final, uint64_t want)
{
    uint64_t until = r->made + want;
    uint32_t cuts;

    for (cuts = 0; r->made < until && r->bytes < READ_BYTES && cuts < CUTS; cuts++) {
        int error = window_fill(r, f);
        struct piece p;
        aff_status st;

        if (error)
            return file_trouble(r, f, AFF_ERR_IO, "cannot be read", error);
        p = piece_next(r, f, final);
        if (p.cut.kind == CUT_MORE)
            return AFF_END;
        st = piece_take(r, f, &p);
        if (st != AFF_OK)
            return st;
    }
    return AFF_OK;
}

static aff_status whole_emit(struct reader *r, struct file *f, const char *path, uint32_t size)
{
    XXH128_canonical_t hash;
    aff_status st;
    struct aff_record *draft = draft_reserve(r, size, &st);
    int64_t got;

    if (!draft && st == AFF_ERR_DATA)
        return file_trouble(r, f, st, "is larger than a record may be and refused; raise edge.buffer of the readers to "
                            "four times its size, and pipeline.max_record", 0);
    if (!draft)
        return AFF_ERR_MEMORY;
    got = file_pread(f->fd, draft->data, size, 0);
    if (got < 0)
        return file_trouble(r, f, AFF_ERR_IO, "cannot be read", (int)-got);
    if (got < size || file_has_changed(f))
        return AFF_AGAIN;
    XXH128_canonicalFromHash(&hash, XXH3_128bits(draft->data, size));
    content_name(r, hash.digest, path);
    draft->event_ns = r->start_ns;
    draft->clock = r->config->start ? AFF_CLOCK_RECORDED : AFF_CLOCK_NONE;
    if (r->follow)
        draft->event_ns = r->host->utc_ns(r->host, &draft->clock);
    draft->type = AFF_BYTES;
    draft->schema = r->schema;
    draft->subject = f->subject;
    draft->stream = f->stream;
    draft->flags = 0;
    st = r->host->emit(r->host, draft, size);
    if (st != AFF_OK)
        return st;
    f->p.offset = size;
    f->p.count++;
    r->made++;
    r->bytes += size;
    return AFF_OK;
}

aff_status whole_read(struct reader *r, struct file *f, const char *path)
{
    aff_status st;

    if (f->size > (uint64_t)r->config->max_size)
        return file_trouble(r, f, AFF_ERR_DATA,
                            "is larger than max_size and refused; raise max_size (with pipeline.max_record and the "
                            "readers' edge.buffer), or use as = \"blocks\"", 0);
    st = file_stream(r, f, path);
    return st == AFF_OK ? whole_emit(r, f, path, (uint32_t)f->size) : st;
}

/* What cuts a file into records is part of their ids: else a line and a block at
 * the same place would be one record to an archive. */
static void cut_name(struct reader *r)
{
    const struct config *c = r->config;
    int64_t rule[3] = { c->as, c->as == AS_LINES ? c->max_line : 0, c->as == AS_BLOCKS ? c->block : 0 };
    XXH64_canonical_t hash;

    XXH64_canonicalFromHash(&hash, XXH3_64bits_withSeed(rule, sizeof rule,
                                                        XXH3_64bits(c->stream, strlen(c->stream))));
    memcpy(r->cut_hash, hash.digest, sizeof r->cut_hash);
}

static size_t window_size(const struct config *c)
{
    int64_t least = c->as == AS_BLOCKS ? c->block : c->max_line;

    return least + 2 > WINDOW_BYTES / 2 ? (size_t)least * 2 + 4 : WINDOW_BYTES;
}

aff_status reader_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct reader *r = host->alloc(host, sizeof *r);
    aff_status st = AFF_ERR_MEMORY;

    if (!r)
        return st;
    r->host = host;
    r->config = config;
    if (r->config->start)
        (void)times_date((const uint8_t *)r->config->start, strlen(r->config->start), &r->start_ns);
    if (r->config->time)
        r->rule = (struct time_rule){ r->config->time->field, r->config->time->delimiter[0], r->config->time->format,
                                      r->start_ns };
    cut_name(r);
    r->window.size = window_size(r->config);
    r->window.room = host->alloc(host, r->window.size);
    if (r->window.room)
        st = r->config->follow ? follow_open(r) : once_open(r);
    if (st != AFF_OK) {
        reader_close(r);
        return st;
    }
    *ret_self = r;
    return AFF_OK;
}

void reader_close(void *self)
{
    struct reader *r = self;
    const struct aff_host *host = r->host;

    if (r->once)
        once_close(r);
    if (r->follow)
        follow_close(r);
    host->free(host, r->window.room);
    host->free(host, r);
}

aff_status reader_read(void *self, uint32_t want)
{
    struct reader *r = self;
    aff_status st;

    r->made = r->bytes = 0;
    st = r->follow ? follow_read(r, want) : once_read(r, want);
    if (r->made)
        r->host->count(r->host, METRIC_RECORDS, r->made);
    if (r->bytes)
        r->host->count(r->host, METRIC_BYTES, r->bytes);
    return st;
}
