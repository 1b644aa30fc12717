/* list.c - all plugins that lie in the folders, without running their code.
 *
 * Not here: finding and loading (plugin.c). */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load/note.h"
#include "load/plugins_inside.h"

/* Entries while they are collected. */
struct item {
    struct item *next;
    struct plugin_entry entry;
    const char *stem; /* of the file: what plugins_find looks for */
};

struct listing {
    struct arena *arena;
    struct item *items;
    size_t count;
    bool failed;
};

static bool is_listed(const struct listing *listing, const char *stem)
{
    for (const struct item *item = listing->items; item; item = item->next) {
        if (!strcmp(item->stem, stem))
            return true;
    }
    return false;
}

/* Reads the note; a refusal goes to *why. */
static void file_look(const char *path, const char *stem, struct note *note, struct text *why)
{
    struct identity identity;
    int fd = -1;

    memset(note, 0, sizeof *note);
    if (image_look(path, &fd, &identity, why) != IMAGE_OK) {
        if (!why->length)
            text_add(why, "is gone; it was there a moment ago; list again");
        return;
    }
    if (note_read(fd, (uint64_t)identity.size_bytes, note, why) && strcmp(note->name, stem))
        text_print(why, "is named otherwise than its note says (%s); the two are the same in a "
                   "plugin; rename the file to %s.so", note->name, note->name);
    close(fd);
}

static void file_add(struct listing *listing, const char *folder, const char *file)
{
    struct arena *arena = listing->arena;
    struct item *item = arena_take(arena, sizeof *item);
    struct plugin_entry *entry;
    struct text why = { 0 };
    struct note note;
    const char *shown;

    if (!item || !(item->stem = arena_copy(arena, file, strlen(file) - 3))) {
        listing->failed = true;
        return;
    }
    if (is_listed(listing, item->stem))
        return;
    entry = &item->entry;
    entry->path = arena_print(arena, "%s/%s", folder, file);
    shown = entry->path ? controls_hidden(arena, entry->path) : NULL;
    if (!shown) {
        listing->failed = true;
        return;
    }
    file_look(entry->path, item->stem, &note, &why);
    entry->name = note.name[0] ? arena_copy(arena, note.name, strlen(note.name))
                               : controls_hidden(arena, item->stem);
    entry->version = arena_copy(arena, note.version, strlen(note.version));
    entry->kind = note.kind <= AFF_SINK ? note.kind : 0;
    if (why.length)
        entry->refusal = arena_print(arena, "%s: %s", shown, why.data);
    listing->failed |= why.failed || !entry->name || !entry->version || (why.length && !entry->refusal);
    text_free(&why);
    item->next = listing->items;
    listing->items = item;
    listing->count++;
}

static void folder_list(struct listing *listing, const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *found;

    while (dir && (found = readdir(dir))) {
        size_t length = strlen(found->d_name);

        if (length > 3 && !strcmp(found->d_name + length - 3, ".so"))
            file_add(listing, folder, found->d_name);
    }
    if (dir)
        closedir(dir);
}

/* Unknown kinds come last. */
static int entry_compare(const void *left, const void *right)
{
    const struct plugin_entry *a = left, *b = right;
    uint32_t a_kind = a->kind - 1, b_kind = b->kind - 1;

    if (a_kind != b_kind)
        return a_kind < b_kind ? -1 : 1;
    return strcmp(a->name, b->name) ? strcmp(a->name, b->name) : strcmp(a->path, b->path);
}

const struct plugin_entry *plugins_list(struct plugins *plugins, size_t *ret_count)
{
    struct listing listing = { 0 };
    struct plugin_entry *entries;
    size_t i = 0;

    *ret_count = 0;
    arena_free(&plugins->listing);
    plugins->listing = listing.arena = arena_new();
    if (!listing.arena)
        return NULL;
    for (const struct folder *folder = plugins->folders; folder; folder = folder->next)
        folder_list(&listing, folder->path);
    entries = arena_take_array(listing.arena, listing.count, sizeof *entries);
    if (listing.failed || !entries)
        return NULL;
    for (const struct item *item = listing.items; item; item = item->next)
        entries[i++] = item->entry;
    if (i)
        qsort(entries, i, sizeof *entries, entry_compare);
    *ret_count = i;
    return entries;
}
