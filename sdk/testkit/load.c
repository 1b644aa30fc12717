/* SPDX-License-Identifier: Apache-2.0
 *
 * load.c - finds a plugin by name: linked into the test, or a shared object.
 *
 * A shared object is never unloaded: a leak checker that runs at exit needs its
 * symbols. What the constant says is copied into our own size of struct, as a
 * host does, so an older plugin's missing members are NULL.
 *
 * Not here: checks of its tables (tables.c), of the file itself: a test loads
 * what the build just made. */
#include "kit.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#define LINKED_MOST 32

static struct {
    struct aff_plugin items[LINKED_MOST];
    size_t count;
} linked;

static struct aff_plugin plugin_copy(const struct aff_plugin *from)
{
    struct aff_plugin plugin;

    if (from->major != AFF_ABI_MAJOR)
        kit_breach(NULL, "plugin: it is built for ABI %u; this kit is %d: build it against this SDK",
                   (unsigned)from->major, AFF_ABI_MAJOR);
    if (from->minor > AFF_ABI_MINOR)
        kit_breach(NULL, "plugin: it needs ABI minor %u; this kit has %d: use a newer SDK",
                   (unsigned)from->minor, AFF_ABI_MINOR);
    if (from->struct_size < offsetof(struct aff_plugin, validate))
        kit_breach(NULL, "plugin: struct_size is %u; expected sizeof(struct aff_plugin)",
                   (unsigned)from->struct_size);
    if (!from->name)
        kit_breach(NULL, "plugin: it has no name");
    memset(&plugin, 0, sizeof plugin);
    memcpy(&plugin, from, from->struct_size < sizeof plugin ? from->struct_size : sizeof plugin);
    return plugin;
}

void aff_harness_link(const struct aff_plugin *plugin)
{
    struct aff_plugin copy = plugin_copy(plugin);
    size_t i;

    for (i = 0; i < linked.count && strcmp(linked.items[i].name, copy.name) != 0; i++)
        ;
    if (i == LINKED_MOST)
        kit_misuse("more than %d plugins are linked", LINKED_MOST);
    linked.items[i] = copy;
    linked.count += i == linked.count;
}

#define PATH_MOST 4096

/* Whether the plugin lies in this folder, whose name is not ended by a zero. */
static int lies_in(const char *folder, size_t length, const char *name, char path[PATH_MOST])
{
    if (length == 0 || snprintf(path, PATH_MOST, "%.*s/%s.so", (int)length, folder, name) >= PATH_MOST)
        return 0;
    return access(path, F_OK) == 0;
}

static int path_find(const char *name, char path[PATH_MOST])
{
    const char *at = getenv("AFFERENT_PLUGIN_PATH");
    size_t n;

    for (; at && *at; at += n + (at[n] == ':')) {
        n = strcspn(at, ":");
        if (lies_in(at, n, name, path))
            return 1;
    }
    return lies_in(".libs", 5, name, path) || lies_in(".", 1, name, path);
}

static struct aff_plugin object_open(const char *name)
{
    const struct aff_plugin *found;
    struct aff_plugin plugin;
    char path[PATH_MOST];
    void *object;

    if (!path_find(name, path))
        kit_misuse("no plugin %s.so in AFFERENT_PLUGIN_PATH, .libs or the working folder", name);
    object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object)
        kit_misuse("cannot load %s: %s", path, dlerror());
    found = dlsym(object, "afferent_plugin_v1");
    if (!found)
        kit_breach(NULL, "%s.so: it does not export afferent_plugin_v1", name);
    plugin = plugin_copy(found);
    if (strcmp(plugin.name, name) != 0)
        kit_breach(NULL, "%s.so: its name is \"%s\"; expected the name of its file", name, plugin.name);
    note_check(path, &plugin);
    return plugin;
}

struct aff_plugin plugin_find(const char *name)
{
    struct aff_plugin plugin;
    size_t i;

    for (i = 0; i < linked.count && strcmp(linked.items[i].name, name) != 0; i++)
        ;
    plugin = i < linked.count ? linked.items[i] : object_open(name);
    tables_check(&plugin);
    return plugin;
}
