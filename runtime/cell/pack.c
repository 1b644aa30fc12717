/* pack.c - a plugin's filled config struct, as bytes for another process.
 *
 * The same object is loaded on the other side, so structs are copied as they are;
 * only pointers change: each becomes an offset, and its place is noted. The option
 * table says where pointers are and what they lead to.
 *
 * Not here: undoing it (child.c: it adds the address to each), where paths lead to
 * (paths.c). */
#include <stdlib.h>
#include <string.h>

#include "cell/inside.h"

enum { ALIGN = 16, GROW = 4096 };

/* A place of `size` bytes, filled from `from`; its offset. */
static uint64_t put(struct pack *p, const void *from, size_t size)
{
    size_t at = (p->size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    uint8_t *more;

    if (p->failed)
        return 0;
    if (at + size + 1 > p->room) {
        more = realloc(p->bytes, at + size + GROW);
        if (!more) {
            p->failed = true;
            return 0;
        }
        memset(more + p->size, 0, at + size + GROW - p->size);
        p->bytes = more;
        p->room = at + size + GROW;
    }
    if (size > 0)
        memcpy(p->bytes + at, from, size);
    p->size = at + size;
    return at;
}

/* The pointer at `at` leads to `to`. */
static void fix(struct pack *p, uint64_t at, uint64_t to)
{
    uint64_t *more;

    if (p->fixup_count == p->fixup_room && !p->failed) {
        more = realloc(p->fixups, (p->fixup_room + 64u) * sizeof *more);
        p->failed = !more;
        if (more) {
            p->fixups = more;
            p->fixup_room += 64;
        }
    }
    if (p->failed)
        return;
    memcpy(p->bytes + at, &(uintptr_t){ (uintptr_t)to }, sizeof(uintptr_t));
    p->fixups[p->fixup_count++] = at;
}

static void put_text(struct pack *p, uint64_t at, const char *text)
{
    if (text)
        fix(p, at, put(p, text, strlen(text) + 1));
}

static void pack_level(struct pack *p, const struct aff_option *options, uint32_t count, const uint8_t *from, uint64_t at);

static void pack_list(struct pack *p, const struct aff_option *option, const uint8_t *from, uint64_t at)
{
    struct aff_list list;
    uint64_t items;
    uint32_t i;

    memcpy(&list, from, sizeof list);
    if (!list.items || list.count == 0)
        return;
    items = put(p, list.items, (size_t)list.count * list.stride);
    fix(p, at + offsetof(struct aff_list, items), items);
    for (i = 0; i < list.count && !p->failed; i++) {
        const uint8_t *item = (const uint8_t *)list.items + (size_t)i * list.stride;
        uint64_t place = items + (uint64_t)i * list.stride;
        const char *key;

        if (option->type == AFF_TYPE_MAP) {
            memcpy(&key, item, sizeof key);
            put_text(p, place, key);
        }
        pack_level(p, option->nested, option->nested_count, item, place);
    }
}

static void pack_option(struct pack *p, const struct aff_option *option, const uint8_t *from, uint64_t at)
{
    const void *pointer;

    switch (option->type) {
    case AFF_TYPE_TEXT:
    case AFF_TYPE_PATH:
    case AFF_TYPE_SECRET:
        memcpy(&pointer, from, sizeof pointer);
        put_text(p, at, pointer);
        break;
    case AFF_TYPE_TABLE:
        memcpy(&pointer, from, sizeof pointer);
        if (pointer) {
            uint64_t inner = put(p, pointer, option->nested_size);

            fix(p, at, inner);
            pack_level(p, option->nested, option->nested_count, pointer, inner);
        }
        break;
    case AFF_TYPE_LIST:
    case AFF_TYPE_MAP:
        pack_list(p, option, from, at);
        break;
    default:
        break;
    }
}

static void pack_level(struct pack *p, const struct aff_option *options, uint32_t count, const uint8_t *from, uint64_t at)
{
    uint32_t i;

    for (i = 0; i < count && !p->failed; i++)
        pack_option(p, &options[i], from + options[i].offset, at + options[i].offset);
}

void pack_config(struct pack *p, const struct plugin *plugin, const void *config)
{
    *p = (struct pack){ 0 };
    if (!config || plugin->about.config_size == 0)
        return;
    put(p, config, plugin->about.config_size);
    pack_level(p, plugin->options, plugin->option_count, config, 0);
}

void pack_free(struct pack *p)
{
    if (p->bytes)
        explicit_bzero(p->bytes, p->room);
    free(p->bytes);
    free(p->fixups);
    *p = (struct pack){ 0 };
}
