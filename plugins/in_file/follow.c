/* SPDX-License-Identifier: Apache-2.0
 *
 * follow.c - rounds through the files that grow. See follow.h. */
#include "follow.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define POLL_NS INT64_C(200000000)
#define FULL_NS INT64_C(2000000000)
#define QUIET_NS INT64_C(1000000000)

enum { TURN_BYTES = 4 << 20 }; /* of one file, before the others have their turn */

aff_status follow_open(struct reader *r)
{
    struct follow *w = r->host->alloc(r->host, sizeof *w);
    const struct aff_list *entries = &r->config->path;
    aff_status st;
    uint32_t i;

    if (!w)
        return AFF_ERR_MEMORY;
    r->follow = w;
    w->watch.fd = -1;
    st = tracked_open(r);
    if (st != AFF_OK)
        return st;
    for (i = 0; i < entries->count; i++) {
        struct stat info;

        if (stat(list_entry(entries, i), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
            return r->host->explain(r->host, AFF_ERR_CONFIG,
                                    "path, entry %u of %u is a pipe or a device, which cannot be read twice; write it "
                                    "to a file, or use a source that is made for it", i + 1, entries->count);
    }
    watch_open(&w->watch);
    return AFF_OK;
}

void follow_close(struct reader *r)
{
    watch_close(&r->follow->watch);
    tracked_close(r);
    r->host->free(r->host, r->follow);
    r->follow = NULL;
}

/* What cannot be read is said once (its cause stands), and tried again at each
 * look. */
static aff_status file_refused(struct reader *r, struct file *f)
{
    f->retry = 1;
    f->busy = 0;
    if (f->told)
        return AFF_END;
    f->told = 1;
    r->host->count(r->host, METRIC_REFUSED, 1);
    return AFF_ERR_DATA;
}

static aff_status file_refuse(struct reader *r, struct file *f, const char *what, int error)
{
    (void)file_trouble(r, f, AFF_ERR_DATA, what, error);
    return file_refused(r, f);
}

/* A file that is gone, with nothing left to read. */
static aff_status file_forget(struct reader *r, struct file *f)
{
    aff_status st = f->named ? AFF_OK : tracked_end_stream(r, f);

    if (st != AFF_OK)
        return st;
    tracked_drop(r, f);
    return AFF_END;
}

/* The bytes that were read are not there any more. */
static void file_restart(struct reader *r, struct file *f)
{
    memset(&f->p, 0, sizeof f->p);
    f->p.gap = 1;
    f->head_size = 0;
    f->has_tail = 0;
    f->generation++;
    if (r->window.owner == f)
        r->window.owner = NULL;
    r->host->count(r->host, METRIC_TRUNCATIONS, 1);
    r->host->log(r->host, AFF_LOG_INFO, "file %u of %u was truncated or written anew; it is read from its beginning",
                 f->path + 1, follow_count(r->follow));
}

/* 1: the file is there as ->seen_size and ->seen_ns now say; *ret_news if that is
 * new. 0: it is gone or another, as the next look at `path` will find. */
static int file_see(struct reader *r, struct file *f, int *ret_news, int *ret_linked)
{
    struct stat st;

    if (f->fd >= 0 ? fstat(f->fd, &st) : f->gone ? -1 : stat(follow_path(r->follow, f), &st))
        return 0;
    if (st.st_ino != f->ino || st.st_dev != f->now_dev)
        return 0;
    *ret_linked = st.st_nlink > 0;
    *ret_news = (uint64_t)st.st_size != f->seen_size || file_changed_ns(&st) != f->seen_ns;
    f->seen_size = (uint64_t)st.st_size;
    f->seen_ns = file_changed_ns(&st);
    if (*ret_news) {
        f->moved_ns = r->host->now_ns(r->host);
        f->whole_done = 0;
    }
    return 1;
}

/* Whether a file that is not at its place any more has come to its end. */
static int file_is_over(struct reader *r, const struct file *f, int linked)
{
    if (!f->gone || r->host->now_ns(r->host) - f->moved_ns < QUIET_NS)
        return 0;
    return !linked || !f->named || tracked_is_followed(r->follow, f);
}

/* How far it is read now. A large backlog is read in turns. */
static void size_limit(struct reader *r, struct file *f)
{
    uint64_t turn = r->window.size > TURN_BYTES / 4 ? (uint64_t)r->window.size * 4 : TURN_BYTES;

    f->size = f->seen_size;
    if (f->size > f->p.offset + turn) {
        f->size = f->p.offset + turn;
        f->final = 0;
        f->retry = 1;
        r->follow->more = 1;
    }
}

/* AFF_OK: the file has something to read, and is ready for it. */
static aff_status text_prepare(struct reader *r, struct file *f)
{
    int news, linked, error, same;
    aff_status st;

    if (!file_see(r, f, &news, &linked))
        return f->gone ? file_forget(r, f) : AFF_END;
    f->final = file_is_over(r, f, linked) != 0;
    r->follow->pending |= f->gone;
    if (!news && !f->retry && !f->final)
        return AFF_END;
    if (!f->named && f->seen_size == 0 && f->p.offset == 0 && !f->final)
        return AFF_END;
    f->retry = 1;
    /* Opened also when it has to wait: it may be renamed before its turn. */
    st = tracked_begin(r, f, &error);
    if (st != AFF_OK || error)
        return error && error != ENOENT ? file_refuse(r, f, "cannot be opened", error) : st == AFF_OK ? AFF_END : st;
    if (tracked_waits(r->follow, f, r->host->now_ns(r->host))) {
        r->follow->pending = 1;
        /* By its first bytes it is known after a restart, whatever its name. */
        (void)head_update(f, f->seen_size);
        return AFF_END;
    }
    same = f->seen_size < f->p.offset ? 0 : file_is_same(f);
    if (same < 0)
        return file_refuse(r, f, "cannot be read", -same);
    if (!same)
        file_restart(r, f);
    f->retry = 0;
    size_limit(r, f);
    f->busy = 1;
    return AFF_OK;
}

/* Notes by which bytes the place is known again. */
static void place_note(struct file *f)
{
    f->has_tail = tail_hash(f, &f->tail) == 0;
}

/* The file has been read to its end, and nothing more will come. */
static aff_status file_finish(struct reader *r, struct file *f)
{
    if (f->named && tracked_is_followed(r->follow, f)) {
        r->host->count(r->host, METRIC_ROTATIONS, 1);
        r->host->log(r->host, AFF_LOG_INFO, "a rotated file was read to its end; going on with the new one");
    }
    r->host->count(r->host, METRIC_FILES, 1);
    r->follow->more = 1; /* the next one may wait for this */
    return file_forget(r, f);
}

static aff_status text_turn(struct reader *r, struct file *f, uint64_t want)
{
    uint64_t before = f->p.offset;
    aff_status st = f->busy ? AFF_OK : text_prepare(r, f);

    if (st != AFF_OK)
        return st;
    st = text_read(r, f, f->final, want);
    if (f->p.offset != before)
        place_note(f);
    if (st == AFF_ERR_IO)
        return file_refused(r, f);
    if (st != AFF_END && st != AFF_AGAIN) /* AGAIN: its first time is still to come */
        return st;
    if (f->final && st == AFF_END)
        return file_finish(r, f);
    f->told = 0;
    f->busy = 0;
    if (r->follow->fds > FDS_MOST && !f->gone)
        tracked_shut(r, f);
    return AFF_END;
}

/* A file is whole when it has not changed for a second. */
static aff_status whole_turn(struct reader *r, struct file *f)
{
    int news, linked, error;
    aff_status st;

    if (!file_see(r, f, &news, &linked) || f->gone)
        return f->gone ? file_forget(r, f) : AFF_END;
    if (f->whole_done)
        return AFF_END;
    r->follow->pending = 1;
    if (r->host->now_ns(r->host) - f->moved_ns < QUIET_NS)
        return AFF_END;
    st = tracked_begin(r, f, &error);
    if (st != AFF_OK || error)
        return error && error != ENOENT ? file_refuse(r, f, "cannot be opened", error) : st == AFF_OK ? AFF_END : st;
    f->size = f->seen_size;
    st = whole_read(r, f, follow_path(r->follow, f));
    if (st == AFF_ERR_MEMORY)
        return st;
    tracked_shut(r, f);
    if (st == AFF_AGAIN) /* it changes again: the next look sees how */
        return AFF_END;
    if (st == AFF_ERR_IO)
        return file_refused(r, f);
    f->whole_done = 1;
    f->told = 0;
    r->host->count(r->host, st == AFF_OK ? METRIC_FILES : METRIC_REFUSED, 1);
    if (st == AFF_OK)
        st = tracked_end_stream(r, f);
    return st == AFF_OK ? AFF_END : st;
}

/* Begins a round if there is a reason to. */
static aff_status round_begin(struct reader *r, int64_t now)
{
    struct follow *w = r->follow;
    int what = watch_take(&w->watch), full = what >= WATCH_MOVED || now >= w->full_ns;
    aff_status st;

    if (what == WATCH_LOST)
        r->host->count(r->host, METRIC_OVERFLOWS, 1);
    if (what == WATCH_QUIET && !full && !w->pending && !w->more)
        return AFF_OK;
    if (full) {
        st = tracked_scan(r);
        if (st != AFF_OK)
            return st;
        w->full_ns = now + FULL_NS;
    }
    w->pending = w->more = 0;
    w->cursor = 0;
    w->in_round = 1;
    return AFF_OK;
}

static aff_status file_turn(struct reader *r, struct file *f, uint64_t want)
{
    aff_status st;

    if (!f->used)
        return AFF_END;
    st = r->config->as == AS_WHOLE ? whole_turn(r, f) : text_turn(r, f, want);
    if (st == AFF_END || st == AFF_ERR_DATA)
        r->follow->cursor++;
    return st;
}

aff_status follow_read(struct reader *r, uint32_t want)
{
    struct follow *w = r->follow;
    int64_t now = r->host->now_ns(r->host);
    aff_status st;

    if (!w->in_round && now >= w->look_ns) {
        st = round_begin(r, now);
        if (st != AFF_OK)
            return st;
        w->look_ns = now + POLL_NS;
    }
    while (w->in_round) {
        if (w->cursor == w->most) {
            w->in_round = 0;
            if (w->more)
                w->look_ns = now;
            break;
        }
        if (r->made >= want || r->bytes >= READ_BYTES)
            return AFF_OK;
        if (!w->files[w->cursor].used) {
            w->cursor++;
            continue;
        }
        st = file_turn(r, &w->files[w->cursor], want - r->made);
        if (st < 0)
            return st;
    }
    r->host->wake_at(r->host, w->look_ns);
    return w->look_ns <= now ? AFF_OK : AFF_AGAIN;
}
