/* SPDX-License-Identifier: Apache-2.0
 *
 * port.c - opening a port for us alone, and what its driver counts. See port.h. */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static int fail(int fd, struct port_fault *fault, const char *what, int error)
{
    (void)snprintf(fault->why, sizeof fault->why, "%s%s%s", what, error ? ": " : "",
                   error ? strerrordesc_np(error) : "");
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static int fail_kind(int fd, struct port_fault *fault)
{
    fault->refused = true;
    fault->setting = "path";
    return fail(fd, fault, "is no serial device", 0);
}

static bool is_pty(int fd)
{
    enum { PTY_FIRST = 136, PTY_LAST = 143 }; /* devices.txt of Linux */
    struct stat st;

    return fstat(fd, &st) == 0 && major(st.st_rdev) >= PTY_FIRST && major(st.st_rdev) <= PTY_LAST;
}

/* TIOCEXCL keeps others out who come later; the lock tells us of one of our kind
 * who came before, and holds for root as well. A pty would stay exclusive when its
 * only user was killed, as long as its other end is open, and shut out the next run. */
static int port_take(int fd, const struct port_rule *rule)
{
    if (rule->shared)
        return 0;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 || ioctl(fd, TIOCEXCL) < 0)
        return errno;
    return is_pty(fd) && ioctl(fd, TIOCNXCL) < 0 ? errno : 0;
}

static int path_open(const char *path, struct port_fault *fault)
{
    struct stat st;
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

    if (fd < 0 && errno == EISDIR)
        return fail_kind(-1, fault);
    if (fd < 0 && errno == EBUSY)
        return fail(-1, fault, "the device is in use by another program", 0);
    if (fd < 0 && errno == EACCES)
        return fail(-1, fault, "this program may not open the device; add its user to the device's group, mostly dialout", 0);
    if (fd < 0)
        return fail(-1, fault, "the device cannot be opened", errno);
    if (fstat(fd, &st) < 0)
        return fail(fd, fault, "the device cannot be looked at", errno);
    return S_ISCHR(st.st_mode) ? fd : fail_kind(fd, fault);
}

static int usb_open(const struct port_rule *rule, struct port_fault *fault)
{
    char node[PORT_NODE];
    int error = port_find(rule, node);

    if (error == ENODEV)
        return fail(-1, fault, "no USB serial device with this id is plugged in", 0);
    if (error == EEXIST)
        return fail(-1, fault, "more than one USB serial device has this id; say which by serial or interface", 0);
    if (error)
        return fail(-1, fault, "the list of serial devices cannot be read", error);
    return path_open(node, fault);
}

int port_open(const struct port_rule *rule, struct port_fault *ret_fault)
{
    int fd, error;

    memset(ret_fault, 0, sizeof *ret_fault);
    fd = rule->path ? path_open(rule->path, ret_fault) : usb_open(rule, ret_fault);
    if (fd < 0)
        return -1;
    error = port_take(fd, rule);
    if (error == ENOTTY)
        return fail_kind(fd, ret_fault);
    if (error)
        return fail(fd, ret_fault, error == EWOULDBLOCK ? "the device is in use by another program"
                                                        : "the device cannot be had alone",
                    error == EWOULDBLOCK ? 0 : error);
    if (!line_set(fd, rule, ret_fault)) {
        port_close(fd);
        return -1;
    }
    return fd;
}

/* A close waits for the line to take what was written, half a minute where the
 * other end has stopped it; here it gets a second. */
static void output_end(int fd)
{
    const struct timespec pause = { 0, 10 * 1000 * 1000 };
    int left = 0;

    for (int i = 0; i < 100 && ioctl(fd, TIOCOUTQ, &left) == 0 && left > 0; i++)
        (void)nanosleep(&pause, NULL);
    if (left > 0)
        port_forget(fd);
}

void port_close(int fd)
{
    output_end(fd);
    (void)ioctl(fd, TIOCNXCL);
    (void)close(fd);
}

void port_forget(int fd)
{
    (void)tcflush(fd, TCOFLUSH);
}

bool port_errors(int fd, struct port_errors *ret)
{
    struct serial_icounter_struct c;

    memset(&c, 0, sizeof c);
    if (ioctl(fd, TIOCGICOUNT, &c) < 0)
        return false;
    *ret = (struct port_errors){ (uint32_t)c.frame, (uint32_t)c.overrun, (uint32_t)c.parity, (uint32_t)c.brk,
                                 (uint32_t)c.buf_overrun };
    return true;
}
