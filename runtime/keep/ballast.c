/* ballast.c - a few MiB that are given back to a disk that is full. See ballast.h. */
#include "keep/ballast.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { PIECE = 65536, PATH_ROOM = 4096, FULL_BELOW = 1 << 20, TRIED = 256 * 1024 };

/* Bytes that no file system makes smaller: a compressed ballast gives nothing back. */
static void piece_fill(uint64_t piece[PIECE / 8], uint64_t *state)
{
    for (size_t i = 0; i < PIECE / 8; i++) {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        piece[i] = *state;
    }
}

/* 0 or an errno. A file that is there already is written over. */
static int bytes_write(const char *path, uint64_t from, uint64_t bytes)
{
    uint64_t piece[PIECE / 8], state = UINT64_C(0x9e3779b97f4a7c15);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error = 0;

    if (fd < 0)
        return errno;
    for (uint64_t at = from; at < from + bytes && !error; at += PIECE) {
        ssize_t done;

        piece_fill(piece, &state);
        done = pwrite(fd, piece, PIECE, (off_t)at);
        if (done != PIECE)
            error = done < 0 ? errno : ENOSPC;
    }
    if (!error && fdatasync(fd) < 0)
        error = errno;
    close(fd);
    if (error)
        unlink(path);
    return error;
}

bool ballast_is_there(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_size >= BALLAST_BYTES;
}

bool ballast_write(const char *path)
{
    return bytes_write(path, 0, BALLAST_BYTES) == 0;
}

void ballast_remove(const char *path)
{
    unlink(path);
}

static uint64_t room_below(const char *folder)
{
    struct statvfs st;

    if (statvfs(folder, &st) < 0)
        return UINT64_MAX;
    return (uint64_t)st.f_bavail * (uint64_t)st.f_frsize;
}

bool disk_has_room(const char *folder)
{
    return room_below(folder) >= 2u * (uint64_t)BALLAST_BYTES;
}

static bool try_path(char path[PATH_ROOM], const char *folder)
{
    int length = snprintf(path, PATH_ROOM, "%s/room", folder);

    return length > 0 && length < PATH_ROOM;
}

void disk_try_remove(const char *folder)
{
    char path[PATH_ROOM];

    if (try_path(path, folder))
        unlink(path);
}

/* Quotas and limits of file sizes are in no figure of the file system. */
bool disk_is_full(const char *folder, uint64_t reach)
{
    char path[PATH_ROOM];
    int error;

    if (room_below(folder) < FULL_BELOW)
        return true;
    if (!try_path(path, folder))
        return false;
    error = bytes_write(path, reach, TRIED);
    unlink(path);
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}
