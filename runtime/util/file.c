/* file.c - a small file, read whole; names of files put together.
 *
 * Not here: files of the data path and anything that is written. */
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int bytes_read(int fd, char *bytes, size_t room, size_t *ret_length)
{
    size_t length = 0;

    while (length < room) {
        ssize_t got = read(fd, bytes + length, room - length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    *ret_length = length;
    return 0;
}

/* Permissions are asked of the open file, so that nobody can swap it between
 * the question and the reading. */
static int open_file_read(struct arena *arena, int fd, size_t limit_bytes, struct file *file)
{
    struct stat st;
    int error;

    if (fstat(fd, &st) < 0)
        return errno;
    if (S_ISDIR(st.st_mode))
        return EISDIR;
    if (!S_ISREG(st.st_mode))
        return EINVAL;
    if (st.st_size < 0 || (size_t)st.st_size > limit_bytes)
        return EFBIG;
    file->bytes = arena_take(arena, (size_t)st.st_size + 1);
    if (!file->bytes)
        return ENOMEM;
    error = bytes_read(fd, file->bytes, (size_t)st.st_size, &file->length);
    if (error)
        return error;
    file->bytes[file->length] = '\0';
    file->is_open_to_others = (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    return 0;
}

int file_read(struct arena *arena, const char *path, size_t limit_bytes, struct file *ret_file)
{
    struct file file = { 0 };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int error;

    if (fd < 0)
        return errno;
    error = open_file_read(arena, fd, limit_bytes, &file);
    close(fd);
    if (!error)
        *ret_file = file;
    return error;
}

char *file_beside(struct arena *arena, const char *base, const char *path)
{
    const char *slash = strrchr(base, '/');

    if (*path == '/' || !slash)
        return arena_copy(arena, path, strlen(path));
    return arena_print(arena, "%.*s%s", (int)(slash + 1 - base), base, path);
}
