/* SPDX-License-Identifier: Apache-2.0
 *
 * testing.h - the other end of a serial line: a pty behind a path that stays the
 * same when the device is pulled out and plugged in again. */
#ifndef TTY_TESTING_H
#define TTY_TESTING_H

#include <afferent/testkit.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct pty {
    int master;
    char slave[64];
};

static char pty_folder[64];

static int pty_each(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void pty_clean(void)
{
    if (pty_folder[0])
        (void)nftw(pty_folder, pty_each, 16, FTW_DEPTH | FTW_PHYS);
    pty_folder[0] = 0;
}

/* A path in a folder of this test; the same text until the next but three. */
static const char *pty_at(const char *name)
{
    static char path[4][160];
    static int turn, registered;

    if (!pty_folder[0]) {
        (void)snprintf(pty_folder, sizeof pty_folder, "/tmp/in_serial.XXXXXX");
        assert_non_null(mkdtemp(pty_folder));
        if (!registered)
            (void)atexit(pty_clean); /* also after a test that failed */
        registered = 1;
    }
    turn = (turn + 1) % 4;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", pty_folder, name);
    return path[turn];
}

static struct pty pty_new(void)
{
    struct pty p = { posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), "" };

    assert_true(p.master >= 0);
    assert_int_equal(grantpt(p.master) | unlockpt(p.master), 0);
    assert_int_equal(ptsname_r(p.master, p.slave, sizeof p.slave), 0);
    return p;
}

/* Plugged in at this path; *p is the device's end. */
static inline void pty_plug(struct pty *p, const char *name)
{
    *p = pty_new();
    (void)unlink(pty_at(name));
    assert_int_equal(symlink(p->slave, pty_at(name)), 0);
}

static inline void pty_pull(struct pty *p, const char *name)
{
    assert_int_equal(close(p->master), 0);
    (void)unlink(pty_at(name));
    p->master = -1;
}

static inline void pty_send(const struct pty *p, const void *bytes, size_t size)
{
    assert_int_equal(write(p->master, bytes, size), (ssize_t)size);
}

#define PTY_SEND(p, text) pty_send(p, text, sizeof(text) - 1)

/* What the host sent to the device so far, ended by a zero. */
static inline const char *pty_got(const struct pty *p)
{
    static char text[8192];
    ssize_t n = read(p->master, text, sizeof text - 1);

    text[n > 0 ? n : 0] = 0;
    return text;
}

#endif
