/* paths.c - what the paths in a configuration lead to: folders and devices.
 *
 * A PATH option that is no input is where a plugin writes: below that folder, beside
 * that file, or to that device. A source that is read as data comes and has a port for
 * commands says that it is a device: its paths are devices also while they are absent,
 * and where they name none it is found by something else (a USB id), so that all serial
 * lines of the machine are meant.
 *
 * A device that was pulled out comes back as another file, which Landlock lets nobody
 * open who was confined before: its process is started anew then.
 *
 * Not here: keeping a child to it (confine.c). */
#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cell/confine.h"
#include "cell/inside.h"

enum { PATHS_MOST = 64, LOOK_NS = 250000000, PTY_FIRST = 136, PTY_LAST = 143 };

/* ---- one path ---- */

static void note(struct text *to, uint32_t *count, const char *path)
{
    if (*count == PATHS_MOST)
        return;
    text_add_bytes(to, path, strlen(path) + 1);
    ++*count;
}

static bool is_below(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The folder itself, or that in which the file is or will be. */
static void folder_note(struct paths *p, const char *path, const struct stat *st)
{
    char copy[PATH_MAX];
    const char *folder = path;

    snprintf(copy, sizeof copy, "%s", path);
    if (!st || S_ISREG(st->st_mode))
        folder = dirname(copy);
    if (strcmp(folder, "/") != 0 && strcmp(folder, ".") != 0)
        note(&p->folders, &p->folder_count, folder);
}

static void path_note(struct paths *p, const char *path)
{
    struct stat st;
    bool is_there = stat(path, &st) == 0;

    p->set++;
    if (strlen(path) >= PATH_MAX || is_below(path, "/sys") || is_below(path, "/proc"))
        return; /* the kernel's: read alone */
    if (is_there ? S_ISCHR(st.st_mode) : p->is_device || (p->is_live && is_below(path, "/dev")))
        note(&p->devices, &p->device_count, path);
    else
        folder_note(p, path, is_there ? &st : NULL);
}

/* ---- all of a configuration ---- */

static void level_list(struct paths *p, const struct aff_option *options, uint32_t count, const uint8_t *from);

static void option_list(struct paths *p, const struct aff_option *option, const uint8_t *from)
{
    struct aff_list list;
    const void *pointer;
    uint32_t i;

    memcpy(&pointer, from, sizeof pointer);
    if (option->type == AFF_TYPE_PATH && pointer && !(option->flags & AFF_OPT_INPUT))
        path_note(p, pointer);
    if (option->type == AFF_TYPE_TABLE && pointer)
        level_list(p, option->nested, option->nested_count, pointer);
    if (option->type != AFF_TYPE_LIST && option->type != AFF_TYPE_MAP)
        return;
    memcpy(&list, from, sizeof list);
    for (i = 0; list.items && i < list.count; i++)
        level_list(p, option->nested, option->nested_count, (const uint8_t *)list.items + (size_t)i * list.stride);
}

static bool has_pointer(uint16_t type)
{
    return type == AFF_TYPE_PATH || type == AFF_TYPE_TABLE || type == AFF_TYPE_LIST || type == AFF_TYPE_MAP;
}

static void level_list(struct paths *p, const struct aff_option *options, uint32_t count, const uint8_t *from)
{
    for (uint32_t i = 0; i < count; i++)
        if (has_pointer(options[i].type))
            option_list(p, &options[i], from + options[i].offset);
}

/* The lines that there are: what the system shows has a device behind it. Those that
 * were plugged in stand first, since there may be many of the others. */
static void lines_list(struct paths *p, bool is_plugged)
{
    DIR *folder = opendir("/sys/class/tty");
    const struct dirent *entry;
    char path[PATH_MAX];
    struct stat st;

    while (folder && (entry = readdir(folder))) {
        const char *name = entry->d_name;

        if ((strncmp(name, "ttyUSB", 6) == 0 || strncmp(name, "ttyACM", 6) == 0) != is_plugged)
            continue;
        snprintf(path, sizeof path, "/sys/class/tty/%s/device", name);
        if (name[0] == '.' || stat(path, &st) < 0)
            continue;
        snprintf(path, sizeof path, "/dev/%s", name);
        note(&p->devices, &p->device_count, path);
    }
    if (folder)
        closedir(folder);
}

static bool takes_commands(const struct plugin *plugin)
{
    uint32_t i = 0;

    while (i < plugin->input_count && !(plugin->inputs[i].flags & AFF_PORT_COMMANDS))
        i++;
    return i < plugin->input_count;
}

void paths_list(struct paths *p, const struct plugin *plugin, const void *config)
{
    *p = (struct paths){ .is_live = plugin->about.kind == AFF_SOURCE && !(plugin->about.flags & AFF_PULL) };
    p->is_device = p->is_live && takes_commands(plugin);
    if (config && plugin->about.config_size > 0)
        level_list(p, plugin->options, plugin->option_count, config);
    if (!p->is_device || p->device_count > 0)
        return;
    lines_list(p, true);
    lines_list(p, false);
}

void paths_free(struct paths *p)
{
    text_free(&p->folders);
    text_free(&p->devices);
    *p = (struct paths){ 0 };
}

uint32_t paths_profile(const struct paths *p, const struct aff_plugin *about)
{
    bool writes = p->folder_count > 0 || (p->device_count > 0 && !p->is_live); /* a sink opens one as a file */

    return profile_of(about, (writes ? (uint32_t)NEEDS_FILES : 0u) |
                                 (p->is_device || p->device_count > 0 ? (uint32_t)NEEDS_DEVICE : 0u) |
                                 (p->set > 0 ? (uint32_t)NEEDS_NAMED : 0u));
}

/* ---- devices that come back ---- */

/* Numbers of a pty (its majors: devices.txt of Linux) are given anew, of other devices not. */
static uint64_t identity_of(const char *path)
{
    uint64_t numbers[5] = { 0 };
    struct stat st;

    if (stat(path, &st) < 0 || !S_ISCHR(st.st_mode))
        return 0;
    numbers[0] = st.st_dev;
    numbers[1] = st.st_ino;
    numbers[2] = st.st_rdev;
    if (major(st.st_rdev) >= PTY_FIRST && major(st.st_rdev) <= PTY_LAST) {
        numbers[3] = (uint64_t)st.st_ctim.tv_sec;
        numbers[4] = (uint64_t)st.st_ctim.tv_nsec;
    }
    return text_hash(numbers, sizeof numbers) | 1u;
}

void devices_note(struct cell *cell, const struct paths *paths)
{
    struct devices *d = &cell->devices;
    const char *path = paths->devices.data;

    for (d->count = 0; d->count < paths->device_count; path += strlen(path) + 1)
        d->given[d->count++] = identity_of(path);
}

static bool is_given(const struct devices *d, uint64_t identity)
{
    uint32_t i = 0;

    while (i < d->count && d->given[i] != identity)
        i++;
    return i < d->count;
}

static bool any_new(const struct cell *cell)
{
    const char *path;
    struct paths paths;
    bool is_new = false;
    uint32_t i;

    paths_list(&paths, cell->plugin, cell->config);
    path = paths.devices.failed ? NULL : paths.devices.data;
    for (i = 0; path && i < paths.device_count && !is_new; i++, path += strlen(path) + 1) {
        uint64_t identity = identity_of(path);

        is_new = identity != 0 && !is_given(&cell->devices, identity);
    }
    paths_free(&paths);
    return is_new;
}

void devices_look(struct cell *cell)
{
    int64_t now = talk_now();

    if (!(cell->profile & PROFILE_DEVICE) || cell->child.pid == 0 || !cell->confined.landlock ||
        now - cell->devices.looked_ns < LOOK_NS)
        return;
    cell->devices.looked_ns = now;
    if (!any_new(cell))
        return;
    cell_log(cell, AFF_LOG_INFO, "a device came that its process was not given; another is started, which is");
    cell_down(cell);
}
