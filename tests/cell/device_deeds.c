/* device_deeds.c - what a device must not do, or must not do alone. See device.h. */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "cell/page.h"
#include "device_inside.h"

/* ---- what is not its own ---- */

static void possible(struct device *d, const char *what)
{
    fprintf(stderr, "device: %s was possible\n", what);
    d->host->count(d->host, 3, 1);
}

/* And what is: to be told when a device comes, how much waits. */
static void own_try(struct device *d)
{
    int waiting, fd = inotify_init1(IN_CLOEXEC);

    if (fd < 0 || inotify_add_watch(fd, "/dev", IN_CREATE) < 0 || ioctl(d->fd, FIONREAD, &waiting) < 0)
        possible(d, "nothing: what a device needs");
    close(fd);
}

static void others_try(struct device *d)
{
    struct termios t;
    int plain = 0, fd = open(d->config->other, O_RDWR | O_NOCTTY | O_NONBLOCK);

    if (fd >= 0)
        possible(d, "another line");
    fd = open(d->config->other, O_RDONLY | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0 && tcgetattr(fd, &t) == 0 && tcsetattr(fd, TCSANOW, &t) == 0)
        possible(d, "settings of another line");
    if (ioctl(d->fd, TIOCSTI, "x") == 0)
        possible(d, "typing for the user");
    if (ioctl(d->fd, TIOCSETD, &plain) == 0)
        possible(d, "another line discipline");
    if (open("/tmp/afferent-device-was-here", O_CREAT | O_RDWR, 0600) >= 0)
        possible(d, "a file");
    if (socket(AF_INET, SOCK_STREAM, 0) >= 0)
        possible(d, "a socket");
    own_try(d);
}

/* ---- words that are not what they say ---- */

static uint8_t *child_area(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long from, found = 0;
    char line[512], mode[8];

    while (maps && fgets(line, sizeof line, maps))
        if (strstr(line, "afferent-child") && sscanf(line, "%lx-%*x %7s", &from, mode) == 2 && strncmp(mode, "rw", 2) == 0)
            found = from;
    if (maps)
        fclose(maps);
    return (uint8_t *)found;
}

static struct entry *entry_last(uint32_t kind)
{
    uint8_t *at = child_area() + CHILD_AREA_AT;
    struct entry *e = (struct entry *)(void *)at, *last = NULL;
    int i;

    for (i = 0; i < 64 && e->span >= sizeof *e; i++, e = (struct entry *)(void *)((uint8_t *)e + e->span))
        if (e->kind == kind)
            last = e;
    if (!last)
        abort();
    return last;
}

static void link_forge(struct device *d, bool is_long)
{
    struct aff_link link = { .struct_size = sizeof link, .up = 1 };
    struct entry *e;

    d->host->link_set(d->host, &link);
    e = entry_last(ENTRY_LINK);
    if (is_long)
        e->size -= 8;
    else
        ((struct aff_link *)(void *)(e + 1))->technology = 200;
}

static void watch_forge(struct device *d)
{
    struct entry *e;

    d->host->wake_at(d->host, 1);
    e = entry_last(ENTRY_WAKE);
    e->kind = ENTRY_WATCH;
    e->a = PAGE_WATCHES + 1;
}

/* ---- the pair of sockets ---- */

static void *flood(void *arg)
{
    for (;;)
        if (write(CELL_FD_WAKES, arg, 1) < 0)
            usleep(100);
    return NULL;
}

static void flood_begin(void)
{
    static char byte;
    pthread_t thread;

    if (pthread_create(&thread, NULL, flood, &byte) != 0)
        abort();
}

/* ---- what a host says no to ---- */

static void expect_refused(struct device *d, const char *what, bool is_refused)
{
    if (!is_refused)
        possible(d, what);
}

static void misuse(struct device *d)
{
    const struct aff_host *host = d->host;
    struct aff_link link = { .struct_size = sizeof link, .up = 2 }, got = { .struct_size = sizeof got };
    int fds[9], i;

    expect_refused(d, "a link that is up twice", host->link_set(host, &link) == AFF_ERR_BUG);
    expect_refused(d, "a link that is not there", host->link_get(host, 4711, &got) == AFF_END);
    for (i = 0; i < 9; i++) {
        fds[i] = dup(0);
        if (i < 8 - 1) /* the line is one */
            expect_refused(d, "fewer than eight", host->watch(host, fds[i], AFF_WATCH_WRITE) == AFF_OK);
        else
            expect_refused(d, "a ninth descriptor", host->watch(host, fds[i], AFF_WATCH_READ) == AFF_ERR_MEMORY);
    }
    for (i = 0; i < 9; i++) {
        host->watch(host, fds[i], 0);
        close(fds[i]);
    }
}

/* It closes what it watches, and gets another line for it. */
static void closed_leave(struct device *d)
{
    int fd = dup(0);

    d->host->watch(d->host, fd, AFF_WATCH_READ);
    close(fd);
}

void device_deed(struct device *d)
{
    switch ((enum device_deed)d->config->deed) {
    case D_OTHERS:
        others_try(d);
        break;
    case D_LINK:
    case D_LINK_LONG:
        link_forge(d, d->config->deed == D_LINK_LONG);
        break;
    case D_WATCH:
        watch_forge(d);
        break;
    case D_FLOOD:
        flood_begin();
        break;
    case D_DEAF:
        close(CELL_FD_WAKES);
        break;
    case D_MISUSE:
        misuse(d);
        break;
    case D_CLOSED:
        closed_leave(d);
        break;
    default:
        break;
    }
}
