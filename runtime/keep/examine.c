/* examine.c - is this store whole? Asked in a child, before anything trusts it.
 *
 * First all pages are walked by a reader that trusts none of them (pages.h), and what
 * the store says of itself is read; then, unless it was closed in order, every value
 * is compared with its check or seal; then LMDB itself opens it. What was closed in
 * order and has a damaged value all the same is found when that value is read.
 *
 * The walk counts what each database holds, so the books begin right.
 *
 * Not here: what is done about damage (rescue.c, store.c). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keep/child.h"
#include "keep/lock.h"
#include "keep/pages.h"
#include "keep/store_inside.h"

struct look {
    struct examined *x;
    int fd;
    bool is_deep;
    bool is_first; /* the walk that counts */
    char name[PAGES_NAME_MOST + 1];
    uint64_t database;
    uint32_t index;
    uint8_t *bytes;
    size_t room;
};

static void damage_note(struct look *look, const char *what)
{
    struct examined *x = look->x;

    x->damaged++;
    if (!x->what[0])
        snprintf(x->what, sizeof x->what, "%s", what);
}

static bool database_enter(struct look *look, const char *name)
{
    struct examined *x = look->x;

    if (!strcmp(look->name, name) && look->database)
        return true;
    snprintf(look->name, sizeof look->name, "%s", name);
    look->database = value_database(name);
    for (look->index = 0; look->index < x->count; look->index++) {
        if (x->databases[look->index].database == look->database)
            return true;
    }
    if (x->count == EXAMINED_MOST) {
        look->database = 0;
        return false;
    }
    x->databases[x->count++].database = look->database;
    return true;
}

/* The bytes of a value; of one on pages of its own, all of them where they are wanted. */
static const uint8_t *bytes_get(struct look *look, const struct pages_item *item, size_t want)
{
    uint8_t *bytes;

    if (item->bytes)
        return item->bytes;
    if (want > look->room) {
        bytes = realloc(look->bytes, want);
        if (!bytes)
            return NULL;
        look->bytes = bytes;
        look->room = want;
    }
    return pages_read(look->fd, item->at, look->bytes, want) ? look->bytes : NULL;
}

static void format_look(struct look *look, const struct value *value)
{
    const struct seal plain = { 0 };
    struct examined *x = look->x;
    struct heads_format format;
    uint8_t id[SEAL_ID], bytes[512];

    if (value->size > sizeof bytes || !value_open(&plain, value, bytes) ||
        !heads_format_read(bytes, value->size, &format)) {
        damage_note(look, "the record of its format is damaged");
        return;
    }
    x->is_format_there = true;
    seal_id(&x->seal, id);
    if (format.version > HEADS_VERSION)
        x->status = STORE_NEWER;
    else if (format.is_sealed != x->seal.is_on || memcmp(id, format.key_id, sizeof id) != 0)
        x->status = STORE_KEY;
}

static void head_look(struct look *look, const struct value *value)
{
    uint8_t bytes[HEADS_STORE_BYTES];

    if (value->size == sizeof bytes && value_open(&look->x->seal, value, bytes))
        look->x->is_head_there = heads_store_read(bytes, value->size, &look->x->head);
}

static void item_count(struct look *look, const struct pages_item *item)
{
    struct examined *x = look->x;
    size_t least = value_size(&x->seal, item->key_size, 0);
    uint64_t cost = value_cost(&x->seal, item->key_size, item->size > least ? item->size - least : 0);

    x->used += cost;
    x->databases[look->index].records++;
    x->databases[look->index].bytes += cost;
    if (item->key_size != HEADS_NUMBER)
        return;
    x->databases[look->index].last = heads_number(item->key);
    if (!x->databases[look->index].first)
        x->databases[look->index].first = x->databases[look->index].last;
}

static void look_item(void *arg, const struct pages_item *item)
{
    const struct seal plain = { 0 };
    struct look *look = arg;
    bool is_state = !strcmp(item->database, HEADS_STATE);
    bool is_format = is_state && item->key_size == 1 && item->key[0] == HEAD_FORMAT;
    const struct seal *seal = is_format ? &plain : &look->x->seal;
    const uint8_t *bytes;
    struct value_place place;
    struct value value;

    if (!database_enter(look, item->database) || item->key_size > VALUE_KEY_MOST)
        return;
    if (look->is_first)
        item_count(look, item);
    if (!look->is_deep && !is_state && !item->bytes)
        return; /* its pages are not read */
    bytes = bytes_get(look, item, item->size);
    place = (struct value_place){ look->database, item->key, item->key_size };
    if (!bytes || !value_read(seal, &place, bytes, item->size, &value)) {
        damage_note(look, "a value is not what should stand there");
        return;
    }
    if (is_format && look->is_first)
        format_look(look, &value);
    if (is_state && look->is_first && item->key_size == 1 && item->key[0] == HEAD_STORE)
        head_look(look, &value);
    if ((look->is_deep || is_state) && !value_open(seal, &value, NULL))
        damage_note(look, "the check or the seal of a value is wrong");
    else
        look->x->whole++;
}

static void look_end(void *arg, const char *database, bool is_whole)
{
    struct look *look = arg;

    (void)is_whole;
    database_enter(look, database);
}

/* LMDB opens it and comes to both ends of each database. */
static bool lmdb_opens(const char *place)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi main;
    MDB_cursor *cursor;
    MDB_val key, value;
    bool opens = false;

    if (mdb_env_create(&env))
        return false;
    mdb_env_set_maxdbs(env, DATABASES_MOST);
    if (mdb_env_open(env, place, MDB_RDONLY | MDB_NOLOCK | MDB_NOTLS, 0600) == 0 &&
        mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0) {
        if (mdb_dbi_open(txn, NULL, 0, &main) == 0 && mdb_cursor_open(txn, main, &cursor) == 0) {
            opens = mdb_cursor_get(cursor, &key, &value, MDB_FIRST) == 0 &&
                    mdb_cursor_get(cursor, &key, &value, MDB_LAST) == 0;
            mdb_cursor_close(cursor);
        }
        mdb_txn_abort(txn);
    }
    mdb_env_close(env);
    return opens;
}

/* A value may be looked at only by who has the key. */
static void walk_both(struct look *look, struct pages *pages)
{
    struct pages_visitor visitor = { look_item, look_end, look };
    struct examined *x = look->x;

    x->is_paged = pages_walk(pages, false, &visitor);
    x->is_whole = x->is_paged && x->damaged == 0;
    if (!x->is_paged)
        snprintf(x->what, sizeof x->what, "%s", pages->what);
    look->is_first = false;
    if (x->status != STORE_OK || (x->is_whole && !x->is_deep && x->is_head_there && x->head.is_clean))
        return;
    x->whole = x->damaged = 0;
    look->is_deep = true;
    pages_walk(pages, false, &visitor);
    x->is_whole = x->is_whole && x->damaged == 0;
}

static void examine_job(void *arg)
{
    struct examined *x = arg;
    struct look look = { .x = x, .is_first = true };
    struct pages pages;

    look.fd = open(x->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (look.fd < 0) {
        snprintf(x->what, sizeof x->what, "the file cannot be opened");
        return;
    }
    if (!pages_open(look.fd, &pages)) {
        snprintf(x->what, sizeof x->what, "there is no memory to look at it");
        return;
    }
    walk_both(&look, &pages);
    if (x->is_whole && (!x->is_format_there || !x->is_head_there) && x->status == STORE_OK) {
        x->is_whole = false;
        snprintf(x->what, sizeof x->what, "what it says of itself is missing");
    }
    pages_close(&pages);
    x->opens = x->is_whole && lmdb_opens(x->place);
    close(look.fd);
}

bool examine(struct examined *shared)
{
    struct stat st;
    uint64_t size = stat(shared->file, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;
    enum child_end end = child_run(examine_job, shared, child_limit_ms(size));

    if (end == CHILD_NONE)
        return false;
    if (end != CHILD_DONE) {
        shared->is_whole = shared->is_paged = shared->opens = false;
        snprintf(shared->what, sizeof shared->what, "%s", end == CHILD_LATE ? "it takes too long to look at"
                                                                           : "it ends whoever looks at it");
    }
    return true;
}

enum store_status store_examine(const char *folder, const uint8_t *key, struct store_health *ret_health)
{
    struct examined *x = child_memory(sizeof *x);
    enum store_status status = STORE_IO;
    pid_t pid;

    if (!x)
        return STORE_IO;
    snprintf(x->place, sizeof x->place, "%s/store", folder);
    x->is_deep = true;
    if (snprintf(x->file, sizeof x->file, "%s/store/" HEADS_DATA, folder) >= (int)sizeof x->file ||
        !seal_set(&x->seal, key))
        goto out;
    status = access(x->file, F_OK) < 0 ? STORE_NONE : lock_is_held(folder, &pid) ? STORE_BUSY : STORE_OK;
    if (status == STORE_OK && !examine(x))
        status = STORE_IO;
    if (status == STORE_OK)
        status = x->status;
    *ret_health = (struct store_health){ .whole = x->whole, .damaged = x->damaged, .opens = x->opens };
    snprintf(ret_health->what, sizeof ret_health->what, "%s", x->what);
out:
    seal_forget(&x->seal);
    child_memory_free(x, sizeof *x);
    return status;
}
