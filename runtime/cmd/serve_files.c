/* serve_files.c - the folder of the service's pipelines, and what changed in it.
 *
 * A pipeline is a file NAME.toml; names that begin with a dot are not, since editors and
 * packages leave such behind. A link to a file elsewhere is one.
 *
 * Not here: whether a file is right; its process says that (serve_child.c). */
#include <afferent/plugin.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/serve_inside.h"

static int is_pipeline(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return entry->d_name[0] != '.' && length > 5 && strcmp(entry->d_name + length - 5, ".toml") == 0 &&
           entry->d_type != DT_DIR;
}

int serve_names(const char *folder, char ***ret_paths)
{
    struct dirent **found = NULL;
    int count = scandir(folder, &found, is_pipeline, alphasort), failed = 0;
    char **paths;

    if (count < 0)
        return -errno;
    paths = calloc((size_t)count + 1, sizeof *paths);
    for (int i = 0; i < count; i++) {
        if (!paths || asprintf(&paths[i], "%s/%s", folder, found[i]->d_name) < 0)
            failed = -ENOMEM;
        free(found[i]);
    }
    free(found);
    if (failed || !paths) {
        if (paths)
            serve_names_free(paths, count);
        return -ENOMEM;
    }
    *ret_paths = paths;
    return count;
}

void serve_names_free(char **paths, int count)
{
    for (int i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
}

static int64_t time_of(const struct timespec *t)
{
    return (int64_t)t->tv_sec * SERVE_SECOND + t->tv_nsec;
}

bool served_sign_read(const char *path, struct served_sign *ret_sign)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return false;
    *ret_sign = (struct served_sign){ st.st_dev, st.st_ino, st.st_size, time_of(&st.st_mtim), time_of(&st.st_ctim) };
    return true;
}

bool served_sign_same(const struct served_sign *a, const struct served_sign *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size && a->modified_ns == b->modified_ns &&
           a->changed_ns == b->changed_ns;
}

/* ---- what changed ---- */

static struct served *find(const struct serve *serve, const char *path)
{
    for (size_t i = 0; i < serve->count; i++)
        if (strcmp(serve->all[i]->path, path) == 0)
            return serve->all[i];
    return NULL;
}

static struct served *add(struct serve *serve, const char *path)
{
    struct served **all = realloc(serve->all, (serve->count + 1) * sizeof *all);
    struct served *s = all ? calloc(1, sizeof *s) : NULL;

    if (all)
        serve->all = all;
    if (s)
        s->path = strdup(path);
    if (!s || !s->path) {
        free(s);
        return NULL;
    }
    s->fd = -1;
    s->name = strrchr(s->path, '/') + 1;
    serve->all[serve->count++] = s;
    return s;
}

static void file_look(struct serve *serve, const char *path)
{
    struct served *s = find(serve, path);
    struct served_sign sign;

    if (!s) {
        s = add(serve, path);
        if (s)
            served_start(serve, s);
        else
            lines_say(serve->lines, AFF_LOG_ERROR, NULL, "there is no memory for one more pipeline; reload later");
    } else if (s->gone) {
        s->gone = false;
        s->again = true;
    } else if (served_sign_read(path, &sign) && (!served_sign_same(&sign, &s->sign) || s->state == SERVED_REFUSED)) {
        served_reload(serve, s);
    }
    if (s)
        s->seen = true;
}

bool serve_look(struct serve *serve)
{
    char **paths;
    int count = serve_names(serve->folder, &paths);

    if (count < 0) {
        lines_say(serve->lines, AFF_LOG_ERROR, NULL, "the folder of pipelines cannot be read: %s; all goes on as it was",
                  strerror(-count));
        return false;
    }
    for (size_t i = 0; i < serve->count; i++)
        serve->all[i]->seen = false;
    for (int i = 0; i < count; i++)
        file_look(serve, paths[i]);
    serve_names_free(paths, count);
    for (size_t i = 0; i < serve->count; i++) {
        struct served *s = serve->all[i];

        if (s->seen || s->gone)
            continue;
        lines_say(serve->lines, AFF_LOG_INFO, NULL, "%s: its file is gone; it ends", s->name);
        s->gone = true;
        served_stop(serve, s);
    }
    return true;
}
