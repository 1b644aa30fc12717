/* SPDX-License-Identifier: Apache-2.0
 *
 * test_folder.h - a folder of its own for each test, and what came out of a
 * harness as one text. */
#ifndef IN_FILE_TEST_FOLDER_H
#define IN_FILE_TEST_FOLDER_H

#include <afferent/testkit.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static int folder_each(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void folder_remove(void)
{
    if (folder[0])
        (void)nftw(folder, folder_each, 16, FTW_DEPTH | FTW_PHYS);
    folder[0] = 0;
}

static void folder_make(void)
{
    static int registered;

    folder_remove();
    if (!registered)
        (void)atexit(folder_remove); /* also after a test that failed */
    registered = 1;
    (void)snprintf(folder, sizeof folder, "/tmp/in_file.XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static const char *at(const char *name)
{
    static char path[4][512];
    static int turn;

    turn = (turn + 1) % 4;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static void put_at(const char *path, int flags, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    assert_int_equal(close(fd), 0);
}

static void put(const char *name, const char *text)
{
    put_at(at(name), O_TRUNC, text, strlen(text));
}

static inline void append(const char *name, const char *text)
{
    put_at(at(name), O_APPEND, text, strlen(text));
}

/* `path` = the name in the folder, and more TOML. */
static const char *toml_of(const char *name, const char *more)
{
    static char text[2048];

    (void)snprintf(text, sizeof text, "path = \"%s\"\n%s", at(name), more ? more : "");
    return text;
}

/* All that waits at the port: records in [], ends of streams as |. Lives until
 * the next call. */
static const char *out(struct aff_harness *h)
{
    static char *text;
    static size_t room;
    const struct aff_record *r;
    size_t used = 0;

    if (!text)
        text = malloc(room = 4096);
    text[0] = 0;
    while ((r = aff_harness_take(h, "data"))) {
        while (used + r->size + 8 > room) {
            char *more = realloc(text, room *= 2);

            assert_non_null(more);
            text = more;
        }
        if (r->flags & AFF_FLAG_END) {
            text[used++] = '|';
        } else {
            text[used++] = '[';
            if (r->size)
                memcpy(text + used, r->data, r->size);
            used += r->size;
            text[used++] = ']';
        }
        text[used] = 0;
    }
    aff_harness_discard(h, "data");
    return text;
}

#endif
