/* plugin.c - finds plugins in folders and loads them by name.
 *
 * A loaded object keeps its memfd: the dynamic linker knows it by the path
 * /proc/self/fd/N and would give the old object for another file that got the
 * same number.
 *
 * Not here: listing (list.c), the checks (note.c, probe.c, copy.c). */
#include "load/plugin.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load/copy.h"
#include "load/image.h"
#include "load/plugins_inside.h"
#include "load/probe.h"

#ifndef AFF_PLUGIN_DIR
#define AFF_PLUGIN_DIR "/usr/local/lib/afferent/plugins"
#endif

static const char no_memory[] = "memory is out; free some and try again";

static bool folder_add(struct plugins *plugins, const char *path, size_t length)
{
    struct folder **end = &plugins->folders;
    struct folder *folder;

    if (!length)
        return true;
    folder = arena_take(plugins->arena, sizeof *folder);
    if (!folder)
        return false;
    while (length > 1 && path[length - 1] == '/')
        length--;
    folder->path = arena_copy(plugins->arena, path, length);
    while (*end)
        end = &(*end)->next;
    *end = folder;
    return folder->path != NULL;
}

/* Empty parts mean nothing here; they are not the working folder. */
static bool folders_split(struct plugins *plugins, const char *paths)
{
    while (paths && *paths) {
        size_t length = strcspn(paths, ":");

        if (!folder_add(plugins, paths, length))
            return false;
        paths += length + (paths[length] == ':');
    }
    return true;
}

static bool same_folder(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Where the plugins lie that were built together with a program that is not installed. */
static bool beside_program(const char *path)
{
    char program[PATH_MAX], built[PATH_MAX + 32];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1u);
    char *end;

    if (length <= 0)
        return false;
    program[length] = '\0';
    end = strrchr(program, '/');
    if (!end)
        return false;
    *end = '\0';
    snprintf(built, sizeof built, "%s/../plugins/.libs", program);
    return same_folder(path, built);
}

/* A folder is the installed one also when it is named in another way. */
static void folders_mark(struct plugins *plugins)
{
    for (struct folder *folder = plugins->folders; folder; folder = folder->next)
        folder->shipped = same_folder(folder->path, AFF_PLUGIN_DIR) || beside_program(folder->path);
}

struct plugins *plugins_open(const char *const *dirs, size_t count)
{
    struct plugins *plugins = calloc(1, sizeof *plugins);
    bool is_good;

    if (!plugins)
        return NULL;
    plugins->arena = arena_new();
    is_good = plugins->arena != NULL;
    for (size_t i = 0; is_good && i < count; i++)
        is_good = folder_add(plugins, dirs[i], strlen(dirs[i]));
    is_good = is_good && folders_split(plugins, secure_getenv("AFFERENT_PLUGIN_PATH")) &&
              folder_add(plugins, AFF_PLUGIN_DIR, strlen(AFF_PLUGIN_DIR));
    if (!is_good) {
        plugins_close(&plugins);
        return NULL;
    }
    folders_mark(plugins);
    return plugins;
}

/* An object that does not leave (it has threads, or unique symbols) keeps its
 * descriptor for good, for the reason at the top of this file. */
static void object_close(struct loaded *loaded)
{
    char path[64];
    void *still;

    if (!loaded->object)
        return;
    dlclose(loaded->object);
    snprintf(path, sizeof path, "/proc/self/fd/%d", loaded->image.fd);
    still = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
    if (still)
        dlclose(still);
    else
        image_close(&loaded->image);
}

void plugins_close(struct plugins **plugins)
{
    if (!*plugins)
        return;
    for (struct loaded *loaded = (*plugins)->loaded; loaded; loaded = loaded->next)
        object_close(loaded);
    arena_free(&(*plugins)->listing);
    arena_free(&(*plugins)->arena);
    free(*plugins);
    *plugins = NULL;
}

const char *controls_hidden(struct arena *arena, const char *text)
{
    char *copy;

    if (text_is_printable(text))
        return text;
    copy = arena_copy(arena, text, strlen(text));
    for (char *c = copy; c && *c; c++) {
        if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
            *c = '?';
    }
    return copy;
}

/* "PATH: why", kept as long as the plugins; never NULL. */
static const char *why_keep(struct plugins *plugins, const char *path, const struct text *why)
{
    const char *shown = path ? controls_hidden(plugins->arena, path) : NULL;
    const char *line = NULL;

    if (why->length && !why->failed)
        line = shown ? arena_print(plugins->arena, "%s: %s", shown, why->data)
                     : arena_copy(plugins->arena, why->data, why->length);
    return line ? line : no_memory;
}

static struct loaded *loaded_find(const struct plugins *plugins, const char *name)
{
    struct loaded *loaded = plugins->loaded;

    while (loaded && strcmp(loaded->plugin.about.name, name))
        loaded = loaded->next;
    return loaded;
}

/* What an earlier probe of the same file in the same state said. */
static const char *refusal_known(const struct plugins *plugins, const struct identity *identity)
{
    for (const struct probed *probed = plugins->probed; probed; probed = probed->next) {
        if (identity_equal(&probed->identity, identity))
            return probed->refusal;
    }
    return NULL;
}

static void refusal_keep(struct plugins *plugins, const struct identity *identity, const char *refusal)
{
    struct probed *probed = arena_take(plugins->arena, sizeof *probed);

    if (!probed)
        return;
    probed->identity = *identity;
    probed->refusal = arena_copy(plugins->arena, refusal, strlen(refusal));
    if (!probed->refusal)
        return;
    probed->next = plugins->probed;
    plugins->probed = probed;
}

/* Note and probe. */
static bool image_check(struct plugins *plugins, const char *name, const struct image *image,
                        struct note *note, struct text *why)
{
    const char *known = refusal_known(plugins, &image->identity);
    enum probe_status status;

    if (known) {
        text_add(why, known);
        return false;
    }
    if (!note_read(image->fd, (uint64_t)image->identity.size_bytes, note, why))
        return false;
    if (strcmp(note->name, name)) {
        text_print(why, "is named %s.so, but its note says %s; the two are the same in a plugin; "
                   "rename the file to %s.so", name, note->name, note->name);
        return false;
    }
    status = probe_run(image->fd, PROBE_LIMIT_MS, why);
    if (status == PROBE_REFUSED && why->length && !why->failed)
        refusal_keep(plugins, &image->identity, why->data);
    return status == PROBE_GOOD;
}

/* Takes the image. The constant is read where it is loaded: its addresses are
 * not those of the probe. */
static struct loaded *image_load(struct plugins *plugins, struct image *image, const struct note *note,
                                 struct text *why)
{
    struct loaded *loaded = arena_take(plugins->arena, sizeof *loaded);
    const struct aff_plugin *constant;

    if (!loaded) {
        image_close(image);
        return NULL;
    }
    loaded->image = *image;
    image->fd = -1;
    loaded->object = object_open(loaded->image.fd, &constant, why);
    if (!loaded->object) {
        image_close(&loaded->image);
        return NULL;
    }
    if (!constant_copy(plugins->arena, constant, note, &loaded->plugin, why)) {
        object_close(loaded);
        return NULL;
    }
    return loaded;
}

static struct loaded *file_load(struct plugins *plugins, const struct folder *folder, const char *name,
                                const char *path, struct text *why)
{
    struct image image = { .fd = -1 };
    struct loaded *loaded;
    struct note note;

    if (image_open(path, &image, why) != IMAGE_OK)
        return NULL;
    if (!image_check(plugins, name, &image, &note, why)) {
        image_close(&image);
        return NULL;
    }
    loaded = image_load(plugins, &image, &note, why);
    if (!loaded)
        return NULL;
    loaded->plugin.path = path;
    loaded->plugin.shipped = folder->shipped;
    loaded->plugin.image = &loaded->image;
    loaded->next = plugins->loaded;
    plugins->loaded = loaded;
    return loaded;
}

/* Offers all names in the folders; the best one is copied. */
static const char *name_guess(struct plugins *plugins, const char *name)
{
    struct aff_guess guess = { .word = name };

    for (const struct loaded *loaded = plugins->loaded; loaded; loaded = loaded->next)
        aff_guess_offer(&guess, loaded->plugin.about.name);
    for (const struct folder *folder = plugins->folders; folder; folder = folder->next) {
        DIR *dir = opendir(folder->path);
        struct dirent *item;

        while (dir && (item = readdir(dir))) {
            size_t length = strlen(item->d_name);
            const char *stem;

            if (length < 4 || strcmp(item->d_name + length - 3, ".so"))
                continue;
            stem = arena_copy(plugins->arena, item->d_name, length - 3);
            if (stem && name_is_good(stem))
                aff_guess_offer(&guess, stem);
        }
        if (dir)
            closedir(dir);
    }
    return guess.best;
}

static const char *absence_tell(struct plugins *plugins, const char *name)
{
    const char *guess = name_guess(plugins, name);
    struct text why = { 0 };
    const char *line;

    text_print(&why, "there is no plugin \"%s\"; looked for %s.so in ", name, name);
    for (const struct folder *folder = plugins->folders; folder; folder = folder->next) {
        struct stat st;
        const char *shown = controls_hidden(plugins->arena, folder->path);

        text_print(&why, "%s%s%s", folder == plugins->folders ? "" : ", ", shown ? shown : "?",
                   stat(folder->path, &st) == 0 && S_ISDIR(st.st_mode) ? "" : " (no such folder)");
    }
    if (guess)
        text_print(&why, "; did you mean \"%s\"?", guess);
    else
        text_add(&why, "; see `afferent plugin list`, or add a folder with --plugin-dir");
    line = why_keep(plugins, NULL, &why);
    text_free(&why);
    return line;
}

static const char *name_refuse(struct plugins *plugins, const char *name)
{
    const char *shown = controls_hidden(plugins->arena, name);
    const char *line = NULL;

    if (shown)
        line = arena_print(plugins->arena, "\"%.64s\" is no name of a plugin; names are [a-z][a-z0-9_]*, "
                           "up to 31 letters; see `afferent plugin list`", shown);
    return line ? line : no_memory;
}

const struct plugin *plugins_find(struct plugins *plugins, const char *name, const char **ret_why)
{
    struct loaded *loaded = loaded_find(plugins, name);

    if (loaded)
        return &loaded->plugin;
    if (!name_is_good(name)) {
        *ret_why = name_refuse(plugins, name);
        return NULL;
    }
    for (const struct folder *folder = plugins->folders; folder; folder = folder->next) {
        const char *path = arena_print(plugins->arena, "%s/%s.so", folder->path, name);
        struct text why = { 0 };
        struct stat st;

        if (!path) {
            *ret_why = no_memory;
            return NULL;
        }
        if (lstat(path, &st) < 0)
            continue;
        loaded = file_load(plugins, folder, name, path, &why);
        if (!loaded)
            *ret_why = why_keep(plugins, path, &why);
        text_free(&why);
        return loaded ? &loaded->plugin : NULL;
    }
    *ret_why = absence_tell(plugins, name);
    return NULL;
}

bool plugins_add(struct plugins *plugins, const struct aff_plugin *constant, const char **ret_why)
{
    struct loaded *loaded = arena_take(plugins->arena, sizeof *loaded);
    struct text why = { 0 };
    bool is_good = loaded && constant_copy(plugins->arena, constant, NULL, &loaded->plugin, &why);

    if (is_good && loaded_find(plugins, loaded->plugin.about.name)) {
        text_print(&why, "the plugin %s is there already; a name is added once", loaded->plugin.about.name);
        is_good = false;
    }
    if (is_good) {
        loaded->image.fd = -1;
        loaded->plugin.path = "(linked in)";
        loaded->plugin.shipped = true;
        loaded->next = plugins->loaded;
        plugins->loaded = loaded;
    } else {
        *ret_why = why_keep(plugins, NULL, &why);
    }
    text_free(&why);
    return is_good;
}
