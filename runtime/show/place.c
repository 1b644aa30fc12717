/* place.c - see place.h. */
#include "show/place.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/text.h"

/* ---- working out ---- */

/* systemd gives several folders, separated by colons: the first is ours. */
static const char *given(const char *variable, int *ret_length)
{
    const char *value = getenv(variable);

    if (!value || !*value || *value == ':')
        return NULL;
    *ret_length = (int)strcspn(value, ":");
    return value;
}

/* By the specification of these variables what is not absolute counts as unset. */
static const char *absolute(const char *variable)
{
    const char *value = getenv(variable);

    return value && *value == '/' ? value : NULL;
}

static const char *home(void)
{
    const char *value = absolute("HOME");
    const struct passwd *who = value ? NULL : getpwuid(geteuid());

    return value ? value : who ? who->pw_dir : NULL;
}

static char *print(const char *format, ...) __attribute__((format(printf, 1, 2)));
static char *print(const char *format, ...)
{
    char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return text;
}

/* A path that means the same after a change of folder. */
static char *rooted(const char *path, int length)
{
    char *here, *whole;

    if (*path == '/')
        return print("%.*s", length, path);
    here = getcwd(NULL, 0);
    whole = here ? print("%s/%.*s", here, length, path) : NULL;
    free(here);
    return whole;
}

static char *find_root(void)
{
    int length = 0;
    const char *value = given("STATE_DIRECTORY", &length);

    if (value)
        return rooted(value, length);
    value = absolute("XDG_STATE_HOME");
    if (value)
        return print("%s/afferent", value);
    value = home();
    return value ? print("%s/.local/state/afferent", value) : NULL;
}

static char *find_sockets(const char *root)
{
    int length = 0;
    const char *value = given("RUNTIME_DIRECTORY", &length);

    if (value)
        return rooted(value, length);
    value = absolute("XDG_RUNTIME_DIR");
    return value ? print("%s/afferent", value) : print("%s/run", root);
}

/* Two state folders may share a folder of sockets, so the name holds a hash of the
 * pipeline's folder; a path that is too long is that hash alone. */
static char *find_socket(const struct place_paths *p, const char *name)
{
    uint64_t hash = text_hash(p->folder, strlen(p->folder));
    char *path = print("%s/%s-%08" PRIx32, p->sockets, name, (uint32_t)hash);

    if (path && strlen(path) > PLACE_SOCKET_MOST) {
        free(path);
        path = print("%s/%016" PRIx64, p->sockets, hash);
    }
    return path;
}

bool place_find(const char *name, struct place_paths *p, char *ret_why, size_t room)
{
    *p = (struct place_paths){ .root = find_root() };
    if (!p->root) {
        snprintf(ret_why, room, "there is no home folder for state; expected $STATE_DIRECTORY or $HOME to be set");
        return false;
    }
    p->folder = print("%s/%s", p->root, name);
    p->sockets = find_sockets(p->root);
    p->socket = p->folder && p->sockets ? find_socket(p, name) : NULL;
    if (!p->socket) {
        snprintf(ret_why, room, "there is no memory");
        return false;
    }
    if (strlen(p->socket) <= PLACE_SOCKET_MOST)
        return true;
    snprintf(ret_why, room, "the folder for sockets has a path of %zu bytes; expected at most %d; set "
             "$RUNTIME_DIRECTORY to a shorter one", strlen(p->sockets), PLACE_SOCKET_MOST - 17);
    return false;
}

void place_free(struct place_paths *p)
{
    free(p->root);
    free(p->folder);
    free(p->sockets);
    free(p->socket);
    *p = (struct place_paths){ .root = NULL };
}

/* ---- making ---- */

static bool folder_failed(const char *path, char *ret_why, size_t room)
{
    snprintf(ret_why, room, "the folder %s cannot be made: %s; expected a place that this user may write to; "
             "see $STATE_DIRECTORY and $RUNTIME_DIRECTORY", path, strerror(errno));
    return false;
}

/* The folder and those above it. */
static bool make_folder(const char *path, char *ret_why, size_t room)
{
    char *part = strdup(path);
    struct stat st;
    bool ok = part != NULL;

    for (char *slash = part ? strchr(part + 1, '/') : NULL; slash && ok; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        ok = mkdir(part, 0700) == 0 || errno == EEXIST || stat(part, &st) == 0;
        *slash = '/';
    }
    ok = ok && (mkdir(path, 0700) == 0 || errno == EEXIST);
    free(part);
    if (ok && stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
        errno = ENOTDIR;
        ok = false;
    }
    return ok || folder_failed(path, ret_why, room);
}

static bool is_ours(const char *path, char *ret_why, size_t room)
{
    struct stat st;

    if (stat(path, &st) == 0 && (st.st_uid == geteuid() || st.st_uid == 0) && !(st.st_mode & (S_IWGRP | S_IWOTH)))
        return true;
    snprintf(ret_why, room, "the folder for sockets %s is another user's, or others may write to it; expected one "
             "of this user's own; chmod go-w, or set $RUNTIME_DIRECTORY to another", path);
    return false;
}

bool place_make(const struct place_paths *p, char *ret_why, size_t room)
{
    return make_folder(p->folder, ret_why, room) && make_folder(p->sockets, ret_why, room) &&
           is_ours(p->sockets, ret_why, room);
}

/* ---- looking ---- */

/* As pipelines are named: no other folder is one. */
static bool is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t length = strlen(name);

    return length > 0 && length < 64 && strspn(name, letters) == length;
}

/* A run leaves its lock behind, or has a door. */
static bool has_run(const char *root, const char *name)
{
    static const char *const files[] = { "lock", "control" };
    bool found = false;

    for (size_t i = 0; i < sizeof files / sizeof *files && !found; i++) {
        char *path = print("%s/%s/%s", root, name, files[i]);

        found = path && access(path, F_OK) == 0;
        free(path);
    }
    return found;
}

static int is_pipeline(const struct dirent *entry)
{
    return is_name(entry->d_name) && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN);
}

void place_each(const char *root, bool (*each)(void *arg, const char *name), void *arg)
{
    struct dirent **found = NULL;
    int count = scandir(root, &found, is_pipeline, alphasort);
    bool goes_on = true;

    for (int i = 0; i < count; i++) {
        if (goes_on && has_run(root, found[i]->d_name))
            goes_on = each(arg, found[i]->d_name);
        free(found[i]);
    }
    free(found);
}
