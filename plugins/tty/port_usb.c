/* SPDX-License-Identifier: Apache-2.0
 *
 * port_usb.c - the device node of a USB serial adapter, by what the adapter says
 * of itself, since ttyUSB0 is another one after the next restart.
 *
 * SYSFS/class/tty/NAME/device leads to the adapter's interface; above it lies the
 * USB device with idVendor, idProduct and serial. NAME/uevent names the node. */
#include "port.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LEVELS_MOST = 8, VALUE_ROOM = 256 };

static bool path_join(char *to, size_t room, const char *folder, const char *name)
{
    int n = snprintf(to, room, "%s/%s", folder, name);

    return n > 0 && (size_t)n < room;
}

/* The first line of a file in a folder, "" when there is none. */
static void value_read(const char *folder, const char *name, char ret[VALUE_ROOM])
{
    char path[PATH_MAX];
    FILE *file;

    ret[0] = 0;
    if (!path_join(path, sizeof path, folder, name))
        return;
    file = fopen(path, "re");
    if (!file)
        return;
    if (!fgets(ret, VALUE_ROOM, file))
        ret[0] = 0;
    (void)fclose(file);
    ret[strcspn(ret, "\r\n")] = 0;
}

static bool device_matches(const struct port_rule *rule, const char *folder)
{
    char value[VALUE_ROOM];

    value_read(folder, "idVendor", value);
    if (strcasecmp(value, rule->vendor) != 0)
        return false;
    value_read(folder, "idProduct", value);
    if (strcasecmp(value, rule->product) != 0)
        return false;
    value_read(folder, "serial", value);
    return !rule->serial || !*rule->serial || strcmp(value, rule->serial) == 0;
}

/* From the interface upwards to the USB device. */
static bool tty_matches(const struct port_rule *rule, char *folder)
{
    char value[VALUE_ROOM];
    int64_t interface = -1;

    for (int level = 0; level < LEVELS_MOST; level++) {
        char *slash = strrchr(folder, '/');

        value_read(folder, "bInterfaceNumber", value);
        if (value[0] && interface < 0)
            interface = strtol(value, NULL, 16);
        value_read(folder, "idVendor", value);
        if (value[0])
            return (rule->interface < 0 || rule->interface == interface) && device_matches(rule, folder);
        if (!slash || slash == folder)
            return false;
        *slash = 0;
    }
    return false;
}

/* DEVNAME of the uevent file, as a path under /dev. */
static bool node_read(const char *folder, char ret_node[PORT_NODE])
{
    char path[PATH_MAX], line[VALUE_ROOM];
    bool found = false;
    FILE *file;

    if (!path_join(path, sizeof path, folder, "uevent"))
        return false;
    file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = 0;
        if (strncmp(line, "DEVNAME=", 8) != 0 || line[8] == '/' || strstr(line, ".."))
            continue;
        found = path_join(ret_node, PORT_NODE, "/dev", line + 8);
    }
    if (file)
        (void)fclose(file);
    return found;
}

static bool entry_matches(const struct port_rule *rule, const char *ttys, const char *name, char ret_node[PORT_NODE])
{
    char tty[PATH_MAX], link[PATH_MAX], folder[PATH_MAX];

    return path_join(tty, sizeof tty, ttys, name) && path_join(link, sizeof link, tty, "device") &&
           realpath(link, folder) && tty_matches(rule, folder) && node_read(tty, ret_node);
}

int port_find(const struct port_rule *rule, char ret_node[PORT_NODE])
{
    char ttys[PATH_MAX], node[PORT_NODE];
    const struct dirent *entry;
    unsigned found = 0;
    DIR *dir;

    if (!path_join(ttys, sizeof ttys, rule->sysfs, "class/tty"))
        return ENAMETOOLONG;
    dir = opendir(ttys);
    if (!dir)
        return errno;
    while (found < 2 && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.' || !entry_matches(rule, ttys, entry->d_name, node))
            continue;
        memcpy(ret_node, node, sizeof node);
        found++;
    }
    (void)closedir(dir);
    return found == 1 ? 0 : found ? EEXIST : ENODEV;
}
