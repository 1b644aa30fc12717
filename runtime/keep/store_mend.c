/* store_mend.c - a damaged store is set aside, and what is good in it goes on.
 *
 * The damaged file gets a second name, in the pipeline's folder, that says when and
 * why; then the new one takes its place in one rename. A kill between the two leaves
 * the damaged one in place, to be mended again.
 *
 * Not here: finding what is good (rescue.c). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "keep/child.h"
#include "keep/store_inside.h"

enum { NAME_ROOM = 64, NAMES_MOST = 100 };

static const char *reason_of(const struct examined *x, bool is_there)
{
    if (!is_there)
        return "missing";
    if (!x->is_format_there || !x->is_head_there)
        return "head";
    return x->is_paged ? "values" : "pages";
}

/* 0 or an errno; `name` says where it is now. Where there are no second names, it is
 * renamed. */
static int file_set_aside(struct store *s, const char *reason, char name[NAME_ROOM])
{
    char from[PATH_ROOM], to[PATH_ROOM], stamp[32];
    time_t now = time(NULL);
    struct tm utc;
    int error = EEXIST;

    if (!gmtime_r(&now, &utc) || !strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc))
        snprintf(stamp, sizeof stamp, "%" PRIdMAX, (intmax_t)now);
    snprintf(from, sizeof from, "%.*s/" HEADS_DATA, PATH_ROOM - 16, s->place);
    for (int i = 1; i < NAMES_MOST && error == EEXIST; i++) {
        if (i == 1)
            snprintf(name, NAME_ROOM, "damaged-%s-%s", stamp, reason);
        else
            snprintf(name, NAME_ROOM, "damaged-%s-%s-%d", stamp, reason, i);
        snprintf(to, sizeof to, "%.*s/%s", PATH_ROOM - NAME_ROOM - 2, s->folder, name);
        error = link(from, to) == 0 ? 0 : errno;
    }
    if (error == EPERM || error == ENOSYS || error == EOPNOTSUPP || error == EMLINK)
        error = rename(from, to) == 0 ? 0 : errno;
    if (!error)
        chmod(to, 0600);
    return error ? error : folder_sync(s->folder);
}

/* Nothing can be carried over, since whoever looks for it dies; numbers that were given out stay unused all the same. */
static enum store_status begin_empty(struct store *s)
{
    struct heads_store head = { .group = (uint64_t)time(NULL), .incarnation = (uint64_t)time(NULL), .letters = 1,
                                .lost = 1, .set_aside = 1 };

    return fresh_make(s->folder, &s->seal, s->limit, &head) ? STORE_FULL : STORE_OK;
}

static enum store_status refused(enum store_status status, int error, char *why, size_t room)
{
    if (status == STORE_KEY)
        snprintf(why, room, "store: its values are sealed with another key, or the key does not belong to it; the "
                 "key that the store was made with was expected; give that one, or set a new state folder");
    else if (status == STORE_NEWER)
        snprintf(why, room, "store: it was written by a later version; version %d or older was expected; "
                 "use the later version", HEADS_VERSION);
    else
        snprintf(why, room, "store: it is damaged, and what is good in it could not be written anew (%s); "
                 "make room on the disk and start again; nothing was changed", store_error(error));
    return status;
}

static void opened_tell(struct store *s, const struct examined *x, const struct rescued *r, const char *name)
{
    snprintf(s->opened, sizeof s->opened, "store: it was %s%s%s; %" PRIu64 " values were carried over, %" PRIu64
             " are lost; %s%s; look after the disk", *name ? "damaged (" : "missing", *name ? x->what : "",
             *name ? ")" : "", r->kept, r->lost, *name ? "the damaged file is kept as " : "it began anew", name);
    store_log(s, AFF_LOG_ERROR, "%s", s->opened);
}

static enum store_status mend(struct store *s, const struct examined *x, struct rescued *r, char *why, size_t room)
{
    struct stat st;
    bool is_there = lstat(r->file, &st) == 0;
    bool is_died = !rescue(r) && !rescue(r); /* the system may have ended the first for its memory */
    char name[NAME_ROOM] = "";
    int error = 0;

    if (!is_died && r->status != STORE_OK) {
        fresh_remove(s->folder);
        return refused(r->status, r->error, why, room);
    }
    if (is_there)
        error = file_set_aside(s, reason_of(x, is_there), name);
    if (error)
        return refused(STORE_FULL, error, why, room);
    if (is_died) {
        r->kept = 0;
        r->lost = 1;
        if (begin_empty(s) != STORE_OK)
            return refused(STORE_FULL, ENOSPC, why, room);
    } else if ((error = fresh_place(s->folder)) != 0) {
        return refused(STORE_FULL, error, why, room);
    }
    opened_tell(s, x, r, name);
    return STORE_OK;
}

enum store_status store_mend(struct store *s, const struct examined *x, char *ret_why, size_t room)
{
    struct rescued *r = child_memory(sizeof *r);
    enum store_status status;

    if (!r) {
        snprintf(ret_why, room, "store: there is no memory to mend it; free some and start again");
        return STORE_IO;
    }
    snprintf(r->folder, sizeof r->folder, "%s", s->folder);
    snprintf(r->file, sizeof r->file, "%s", x->file);
    r->limit = s->limit;
    r->seal = s->seal;
    status = mend(s, x, r, ret_why, room);
    seal_forget(&r->seal);
    child_memory_free(r, sizeof *r);
    return status;
}
