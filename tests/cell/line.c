/* line.c - see line.h. */
#include "line.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

void line_begin(struct line *l)
{
    struct termios t;

    *l = (struct line){ .fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) };
    assert_true(l->fd >= 0);
    assert_int_equal(grantpt(l->fd), 0);
    assert_int_equal(unlockpt(l->fd), 0);
    assert_int_equal(ptsname_r(l->fd, l->name, sizeof l->name), 0);
    assert_int_equal(tcgetattr(l->fd, &t), 0);
    cfmakeraw(&t); /* nothing of what is said before it is opened comes back */
    assert_int_equal(tcsetattr(l->fd, TCSANOW, &t), 0);
}

void line_end(struct line *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}

void line_say(const struct line *l, const char *text)
{
    assert_int_equal(write(l->fd, text, strlen(text)), strlen(text));
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool one_take(struct line *l, char *ret)
{
    char *end = memchr(l->got, '\n', l->length);
    size_t length;

    if (!end)
        return false;
    *end = '\0';
    snprintf(ret, 64, "%.63s", l->got);
    length = (size_t)(end + 1 - l->got);
    l->length -= length;
    memmove(l->got, end + 1, l->length);
    return true;
}

/* While the device is closed by all a read says so: it may be opened again. */
bool line_take(struct line *l, int most_ms, char *ret)
{
    int64_t until = now_ms() + most_ms;
    ssize_t got;

    while (!one_take(l, ret)) {
        struct pollfd p = { .fd = l->fd, .events = POLLIN };

        if (now_ms() > until)
            return false;
        poll(&p, 1, most_ms < 20 ? most_ms : 20);
        got = read(l->fd, l->got + l->length, sizeof l->got - l->length);
        if (got > 0)
            l->length += (size_t)got;
        else if (p.revents & POLLHUP)
            usleep(1000);
    }
    return true;
}
