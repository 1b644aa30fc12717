/* image.c - a plugin's file, copied where nobody can change it any more.
 *
 * Not here: what is in it (note.c, probe.c). */
#include "load/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX ((int64_t)256 << 20)

static struct identity identity_of(const struct stat *st)
{
    return (struct identity){
        .device = st->st_dev,
        .inode = st->st_ino,
        .size_bytes = st->st_size,
        .modified = st->st_mtim,
        .changed = st->st_ctim,
    };
}

static bool same_time(struct timespec one, struct timespec other)
{
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
}

bool identity_equal(const struct identity *one, const struct identity *other)
{
    return one->device == other->device && one->inode == other->inode &&
           one->size_bytes == other->size_bytes && same_time(one->modified, other->modified) &&
           same_time(one->changed, other->changed);
}

static enum image_status refuse(struct text *why, const char *what, int error)
{
    text_print(why, "%s (%s); a readable shared object was expected; %s", what, strerror(error),
               error == ENOMEM || error == EMFILE || error == ENFILE ?
               "free memory or descriptors and try again" :
               "correct the file or its permissions, or remove it");
    return IMAGE_REFUSED;
}

enum image_status image_look(const char *path, int *ret_fd, struct identity *ret_identity, struct text *why)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        /* A link that leads nowhere is a file for the person who put it there. */
        if ((errno == ENOENT || errno == ENOTDIR) && lstat(path, &st) < 0)
            return IMAGE_ABSENT;
        return refuse(why, "cannot be opened", errno);
    }
    if (fstat(fd, &st) < 0) {
        int error = errno;

        close(fd);
        return refuse(why, "cannot be examined", error);
    }
    if (!S_ISREG(st.st_mode)) {
        close(fd);
        text_print(why, "is a %s; a shared object in a regular file was expected; take it out "
                   "of this folder", S_ISDIR(st.st_mode) ? "folder" :
                   S_ISFIFO(st.st_mode) ? "fifo" : "device or socket");
        return IMAGE_REFUSED;
    }
    *ret_fd = fd;
    *ret_identity = identity_of(&st);
    return IMAGE_OK;
}

/* Copies up to `size_bytes`; short when the file became shorter. */
static int file_copy(int from, int to, int64_t size_bytes)
{
    char piece[65536];
    int64_t left = size_bytes;

    while (left > 0) {
        size_t want = left < (int64_t)sizeof piece ? (size_t)left : sizeof piece;
        ssize_t got = read(from, piece, want);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            return 0;
        for (ssize_t put = 0; put < got;) {
            ssize_t part = write(to, piece + put, (size_t)(got - put));

            if (part < 0 && errno != EINTR)
                return errno;
            put += part > 0 ? part : 0;
        }
        left -= got;
    }
    return 0;
}

/* Fills and seals the memfd; 0 or an errno. */
static int image_fill(int from, struct image *image)
{
    int error = file_copy(from, image->fd, image->identity.size_bytes);

    if (error)
        return error;
    if (fcntl(image->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
        return errno;
    return 0;
}

/* Whether the file was the same before and after the copy was made. */
static bool is_settled(int from, const struct image *image)
{
    struct identity now;
    struct stat copy, st;

    if (fstat(from, &st) < 0 || fstat(image->fd, &copy) < 0)
        return false;
    now = identity_of(&st);
    return identity_equal(&now, &image->identity) && copy.st_size == st.st_size;
}

/* Since Linux 6.3 a memfd may be refused as executable unless that is asked
 * for; older kernels do not know the flag and answer EINVAL. */
static int memfd_make(void)
{
    int fd = -1;

#ifdef MFD_EXEC
    fd = memfd_create("afferent-plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
#else
    fd = memfd_create("afferent-plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING | 0x0010u);
#endif
    if (fd < 0 && errno == EINVAL)
        fd = memfd_create("afferent-plugin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    return fd;
}

enum image_status image_open(const char *path, struct image *ret_image, struct text *why)
{
    struct image image = { .fd = -1 };
    int from = -1, error;
    enum image_status status = image_look(path, &from, &image.identity, why);

    if (status != IMAGE_OK)
        return status;
    if (image.identity.size_bytes > FILE_BYTES_MAX) {
        close(from);
        text_add(why, "is larger than 256 MiB; that is the limit for a plugin; strip it "
                      "(strip --strip-debug)");
        return IMAGE_REFUSED;
    }
    image.fd = memfd_make();
    error = image.fd < 0 ? errno : image_fill(from, &image);
    if (error) {
        status = refuse(why, "cannot be copied to memory", error);
    } else if (!is_settled(from, &image)) {
        text_add(why, "changed while it was read; a file that is at rest was expected; try "
                      "again when it is written");
        status = IMAGE_REFUSED;
    }
    close(from);
    if (status == IMAGE_OK)
        *ret_image = image;
    else
        image_close(&image);
    return status;
}

void image_close(struct image *image)
{
    if (image->fd >= 0)
        close(image->fd);
    image->fd = -1;
}
