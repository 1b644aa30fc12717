/* notify.c - see notify.h. */
#include "cmd/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_ROOM = 1024, SEND_S = 2 };

int64_t notify_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- the environment ---- */

static bool number_read(const char *text, int64_t most, int64_t *ret_number)
{
    char *end = NULL;
    long long n;

    if (!text || *text < '0' || *text > '9')
        return false;
    errno = 0;
    n = strtoll(text, &end, 10);
    if (*end != '\0' || errno != 0 || n > most)
        return false;
    *ret_number = n;
    return true;
}

/* A number that somebody left in the environment may be any file by now. */
static bool inherited_open(struct notify *n)
{
    int64_t fd;
    int type = 0;
    socklen_t size = sizeof type;

    if (!number_read(getenv(NOTIFY_FD), INT32_MAX, &fd) ||
        getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET)
        return false;
    n->fd = (int)fd;
    n->supervised = true;
    return fcntl(n->fd, F_SETFD, FD_CLOEXEC) == 0;
}

static bool named_open(struct notify *n)
{
    const char *name = getenv("NOTIFY_SOCKET");
    size_t length = name ? strlen(name) : 0;

    if (length < 2 || length >= sizeof n->to.sun_path || (*name != '/' && *name != '@'))
        return false;
    n->to.sun_family = AF_UNIX;
    memcpy(n->to.sun_path, name, length);
    if (*name == '@')
        n->to.sun_path[0] = '\0';
    n->to_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return n->fd >= 0;
}

static int64_t watchdog_read(void)
{
    int64_t us, pid;

    if (!number_read(getenv("WATCHDOG_USEC"), INT64_MAX / 1000, &us))
        return 0;
    if (getenv("WATCHDOG_PID") && (!number_read(getenv("WATCHDOG_PID"), INT32_MAX, &pid) || pid != getpid()))
        return 0;
    return us * 1000;
}

void notify_open(struct notify *n)
{
    static const char *const variables[] = { NOTIFY_FD, "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID" };
    const struct timeval limit = { .tv_sec = SEND_S };

    *n = (struct notify){ .fd = -1 };
    n->is_on = inherited_open(n) || named_open(n);
    if (n->is_on) {
        n->watchdog_ns = watchdog_read();
        /* Who does not read must not stop us. */
        setsockopt(n->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
}

void notify_close(struct notify *n)
{
    if (n->is_on)
        close(n->fd);
    *n = (struct notify){ .fd = -1 };
}

/* ---- messages ---- */

bool notify_send(struct notify *n, const char *format, ...)
{
    char text[MESSAGE_ROOM];
    va_list args;
    size_t length;
    ssize_t sent;

    if (!n->is_on)
        return true;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    length = strlen(text);
    do
        sent = sendto(n->fd, text, length, MSG_NOSIGNAL, n->to_size ? (const struct sockaddr *)&n->to : NULL,
                      n->to_size);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)length;
}

bool notify_status(struct notify *n, const char *text)
{
    char line[MESSAGE_ROOM / 2];

    snprintf(line, sizeof line, "%s", text);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = ' ';
    return notify_send(n, "STATUS=%s", line);
}

bool notify_reloading(struct notify *n)
{
    return notify_send(n, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, notify_now() / 1000);
}
