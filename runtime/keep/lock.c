/* lock.c - one writer of a store. See lock.h. */
#include "keep/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, PID_ROOM = 24, TRIES = 200, TRY_MS = 10 };

static bool path_make(char path[PATH_ROOM], const char *folder)
{
    int length = snprintf(path, PATH_ROOM, "%s/lock", folder);

    return length > 0 && length < PATH_ROOM;
}

static pid_t holder_read(int fd)
{
    char text[PID_ROOM] = "";
    ssize_t got = pread(fd, text, sizeof text - 1, 0);
    long pid = got > 0 ? strtol(text, NULL, 10) : 0;

    return pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

/* What cannot be written here only makes a message poorer. */
static void holder_write(int fd)
{
    char text[PID_ROOM];
    int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)length, 0) == length)
        return;
}

/* A process that was killed may have left one behind that dies with it: the lock is free
 * a moment later. */
static int lock_try(int fd)
{
    const struct timespec moment = { .tv_nsec = TRY_MS * 1000000 };
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    for (int i = 0;; i++) {
        pid_t pid;

        if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
            return 0;
        if (errno != EACCES && errno != EAGAIN)
            return errno;
        pid = holder_read(fd);
        if (i == TRIES || (pid > 0 && (kill(pid, 0) == 0 || errno != ESRCH)))
            return EWOULDBLOCK;
        nanosleep(&moment, NULL);
    }
}

int lock_take(const char *folder, int *ret_fd, pid_t *ret_pid)
{
    char path[PATH_ROOM];
    int fd, error;

    *ret_pid = 0;
    if (!path_make(path, folder))
        return ENAMETOOLONG;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (fd < 0)
        return errno;
    error = lock_try(fd);
    if (!error) {
        holder_write(fd);
        *ret_fd = fd;
        return 0;
    }
    *ret_pid = holder_read(fd);
    close(fd);
    return error;
}

bool lock_is_held(const char *folder, pid_t *ret_pid)
{
    struct flock whole = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
    char path[PATH_ROOM];
    bool is_held;
    int fd;

    *ret_pid = 0;
    if (!path_make(path, folder))
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return false;
    is_held = fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
    if (is_held)
        *ret_pid = holder_read(fd);
    close(fd);
    return is_held;
}
