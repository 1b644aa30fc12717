/* rescue.c - what is good in a damaged store: found.
 *
 * The file is searched from end to end for the mark that values begin with; only a
 * check or a seal that is right makes it one. So pages may be missing, torn, or in
 * the wrong place. Freed pages still hold older values, so of several with the same
 * key the newest counts; and where the tree of a database can still be walked whole
 * (pages.h), only what stands in it counts: what was removed stays removed. Elsewhere
 * a record that the queue's own count says is done with stays away.
 *
 * A whole value is stepped over, so that bytes of a payload that look like one are
 * not taken for one.
 *
 * Not here: the new store that is made of it (rescue_build.c). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "keep/child.h"
#include "keep/pages.h"
#include "keep/rescue_inside.h"

enum { WINDOW = 4 << 20, FIRST_ROOM = 1024, PIECE = 4096 };

static uint64_t print_of(const struct value_place *place)
{
    return XXH3_64bits_withSeed(place->key, place->key_size, place->database);
}

static bool table_grow(struct finds *f)
{
    uint64_t room = f->room ? f->room * 2 : FIRST_ROOM;
    struct find *table = calloc((size_t)room, sizeof *table);

    if (!table)
        return false;
    for (uint64_t i = 0; i < f->room; i++) {
        uint64_t at = f->table[i].print & (room - 1);

        if (!f->table[i].database && !f->table[i].print)
            continue;
        while (table[at].database || table[at].print)
            at = (at + 1) & (room - 1);
        table[at] = f->table[i];
    }
    free(f->table);
    f->table = table;
    f->room = room;
    return true;
}

/* The entry of that key, made where there is none; NULL: no memory. */
static struct find *find_get(struct finds *f, const struct value_place *place)
{
    uint64_t print = print_of(place), at;

    if (f->count * 2 >= f->room && !table_grow(f)) {
        f->error = ENOMEM;
        return NULL;
    }
    for (at = print & (f->room - 1); f->table[at].database || f->table[at].print; at = (at + 1) & (f->room - 1)) {
        if (f->table[at].print == print && f->table[at].database == place->database)
            return &f->table[at];
    }
    f->count++;
    f->table[at] = (struct find){ .print = print, .database = place->database };
    if (place->key_size == HEADS_NUMBER)
        f->table[at].seq = heads_number(place->key);
    return &f->table[at];
}

struct base *base_get(struct finds *f, uint64_t database)
{
    for (uint32_t i = 0; i < f->base_count; i++) {
        if (f->bases[i].database == database)
            return &f->bases[i];
    }
    if (f->base_count == EXAMINED_MOST)
        return NULL;
    f->bases[f->base_count] = (struct base){ .database = database };
    return &f->bases[f->base_count++];
}

static bool is_format(const struct finds *f, const struct value *value)
{
    return value->place.database == f->state && value->place.key_size == 1 &&
           *(const uint8_t *)value->place.key == HEAD_FORMAT;
}

/* The record of the format is never sealed. */
static bool is_good(const struct finds *f, const struct value *value)
{
    const struct seal plain = { 0 };

    return value_open(is_format(f, value) ? &plain : f->seal, value, NULL);
}

/* ---- the tree ---- */

static void tree_item(void *arg, const struct pages_item *item)
{
    struct finds *f = arg;
    struct value_place place = { value_database(item->database), item->key, item->key_size };
    struct find *find;

    if (item->key_size == 0 || item->key_size > VALUE_KEY_MOST)
        return;
    find = find_get(f, &place);
    if (!find)
        return;
    find->is_live = true;
    find->live_at = item->at;
}

static void tree_end(void *arg, const char *database, bool is_whole)
{
    struct base *base = base_get(arg, value_database(database));

    if (base)
        base->is_whole = is_whole;
}

static void live_forget(struct finds *f)
{
    free(f->table);
    f->table = NULL;
    f->count = f->room = 0;
    f->base_count = 0;
}

/* The newest state that a whole tree leads to; the one before it only where the newest
 * has lost its `state`. */
static bool tree_look(struct finds *f, int fd)
{
    struct pages_visitor visitor = { tree_item, tree_end, f };
    struct base *state;
    struct pages pages;

    if (!pages_open(fd, &pages))
        return false;
    pages_walk(&pages, false, &visitor);
    state = base_get(f, f->state);
    if (!state || !state->is_whole) {
        live_forget(f);
        pages_walk(&pages, true, &visitor);
        state = base_get(f, f->state);
        if (!state || !state->is_whole) {
            live_forget(f);
            pages_walk(&pages, false, &visitor);
        }
    }
    pages_close(&pages);
    return f->error == 0;
}

/* ---- the search ---- */

static void value_found(struct finds *f, const struct value *value, uint64_t at)
{
    struct base *base = base_get(f, value->place.database);
    struct find *find = base ? find_get(f, &value->place) : NULL;
    bool is_tree;

    if (!find)
        return;
    if (value->group > f->group)
        f->group = value->group;
    if (value->place.key_size == HEADS_NUMBER && heads_number(value->place.key) > base->last)
        base->last = heads_number(value->place.key);
    is_tree = find->is_live && find->live_at == at;
    if (find->is_good && (find->is_tree || (!is_tree && value->group <= find->group)))
        return;
    if (!(value->place.database == f->state && *(const uint8_t *)value->place.key == HEAD_FORMAT))
        f->ours++;
    find->is_good = true;
    find->is_tree = is_tree;
    find->at = at;
    find->group = value->group;
}

/* A value that is longer than what of it lies in the window is read by itself. */
static bool value_whole(struct finds *f, uint64_t at, uint64_t left, struct value *value)
{
    uint8_t *bytes;

    if (value->whole > left)
        return false;
    if (value->whole > f->big_room) {
        bytes = realloc(f->big, value->whole);
        if (!bytes)
            return false;
        f->big = bytes;
        f->big_room = value->whole;
    }
    return pages_read(f->fd, at, f->big, value->whole) && value_look(f->big, value->whole, value);
}

/* How far the search goes on from here. */
static size_t place_look(struct finds *f, const uint8_t *bytes, size_t room, uint64_t at)
{
    struct value value;
    uint64_t left = f->size - at;

    if (!value_look(bytes, left < SIZE_MAX ? (size_t)left : SIZE_MAX, &value))
        return 1;
    if (value.whole > room && !value_whole(f, at, left, &value))
        return 1;
    if (value.is_sealed != f->seal->is_on && !is_format(f, &value))
        f->other++;
    if (!is_good(f, &value)) {
        f->refused++;
        return 1;
    }
    value_found(f, &value, at);
    return value.whole;
}

/* What a bad sector hides is taken for zeros. */
static size_t window_read(struct finds *f, uint64_t at, uint8_t *window)
{
    size_t size = f->size - at < WINDOW ? (size_t)(f->size - at) : WINDOW;

    if (pages_read(f->fd, at, window, size))
        return size;
    for (size_t piece = 0; piece < size; piece += PIECE) {
        size_t part = size - piece < PIECE ? size - piece : PIECE;

        if (!pages_read(f->fd, at + piece, window + piece, part))
            memset(window + piece, 0, part);
    }
    return size;
}

/* Heads must lie whole in the window; the next one begins where that ends. */
static bool search(struct finds *f)
{
    enum { NEED = VALUE_HEAD + VALUE_KEY_MOST };
    uint8_t *window = malloc(WINDOW);
    uint64_t at = 0;

    if (!window)
        return false;
    while (at + VALUE_HEAD <= f->size && !f->error) {
        size_t size = window_read(f, at, window), i = 0;
        bool is_end = at + size == f->size;

        while (i + (is_end ? VALUE_HEAD : NEED) <= size) {
            const uint8_t *mark = memchr(window + i, value_plain[0], size - i);

            if (!mark) {
                i = size;
                break;
            }
            i = (size_t)(mark - window);
            if (i + (is_end ? VALUE_HEAD : NEED) > size)
                break;
            i += place_look(f, window + i, size - i, at + i);
        }
        at += i;
        if (is_end)
            break;
    }
    free(window);
    return f->error == 0;
}

static bool finds_make(struct finds *f)
{
    struct stat st;

    f->state = value_database(HEADS_STATE);
    f->fd = open(f->file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (f->fd < 0 || fstat(f->fd, &st) < 0) {
        f->error = errno;
        return errno == ENOENT;
    }
    f->size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
    return tree_look(f, f->fd) && search(f);
}

void rescue_here(struct rescued *r)
{
    struct finds f = { .seal = &r->seal, .file = r->file, .fd = -1 };

    if (!finds_make(&f) && f.error != ENOENT) {
        r->status = STORE_FULL;
        r->error = f.error ? f.error : ENOMEM;
    } else {
        rescue_build(&f, r);
    }
    if (f.fd >= 0)
        close(f.fd);
    free(f.big);
    free(f.table);
}

static void rescue_job(void *arg)
{
    rescue_here(arg);
}

bool rescue(struct rescued *shared)
{
    struct stat st;
    uint64_t size = stat(shared->file, &st) == 0 && st.st_size > 0 ? (uint64_t)st.st_size : 0;

    return child_run(rescue_job, shared, child_limit_ms(size * 2)) == CHILD_DONE;
}
