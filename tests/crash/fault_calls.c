/* fault_calls.c - the calls that the fault library stands in front of.
 *
 * Each does by the system call what libc would have done; the file is found anew
 * at each call by its descriptor, so nothing has to be kept in step with close,
 * dup or stdio. What stdio writes goes past this.
 *
 * Not here: what is done to a call (fault.c). */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SHOWN __attribute__((visibility("default")))

enum { PARTS_MOST = 1024 };

static int error_of(enum fault_mode mode)
{
    errno = mode == MODE_ENOSPC ? ENOSPC : EIO;
    return -1;
}

/* ---- writing ---- */

static ssize_t write_raw(int fd, const struct iovec *parts, int count, int64_t offset)
{
    if (offset < 0)
        return (ssize_t)syscall(SYS_writev, fd, parts, count);
    return (ssize_t)syscall(SYS_pwritev, fd, parts, count, (long)offset, 0L);
}

/* The first half of the bytes. */
static ssize_t write_half(int fd, const struct iovec *parts, int count, int64_t offset)
{
    struct iovec some[PARTS_MOST];
    size_t left = 0;
    int n = 0;

    for (int i = 0; i < count; i++)
        left += parts[i].iov_len;
    left /= 2;
    for (int i = 0; i < count && i < PARTS_MOST && left; i++, n++) {
        some[i] = parts[i];
        if (some[i].iov_len > left)
            some[i].iov_len = left;
        left -= some[i].iov_len;
    }
    return n ? write_raw(fd, some, n, offset) : 0;
}

static ssize_t write_parts(int fd, const struct iovec *parts, int count, int64_t offset)
{
    struct fault_op op;
    enum fault_mode mode;
    ssize_t n;

    if (!fault_fd(&op, CALL_WRITE, fd))
        return write_raw(fd, parts, count, offset);
    mode = fault_before(&op);
    if (mode == MODE_EIO || mode == MODE_ENOSPC)
        return error_of(mode);
    trace_lock();
    n = mode == MODE_HALF || mode == MODE_SHORT ? write_half(fd, parts, count, offset) : write_raw(fd, parts, count, offset);
    if (mode == MODE_HALF)
        fault_die();
    if (offset < 0 && n > 0)
        offset = (int64_t)syscall(SYS_lseek, fd, 0L, SEEK_CUR) - n;
    trace_data(op.path, offset, parts, count, n, (syscall(SYS_fcntl, fd, F_GETFL) & O_DSYNC) != 0);
    trace_unlock();
    fault_after(&op, offset, n);
    return n;
}

SHOWN ssize_t write(int fd, const void *bytes, size_t size)
{
    const struct iovec part = { (void *)(uintptr_t)bytes, size };

    return write_parts(fd, &part, 1, -1);
}

SHOWN ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    const struct iovec part = { (void *)(uintptr_t)bytes, size };

    return write_parts(fd, &part, 1, offset);
}

SHOWN ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    return pwrite(fd, bytes, size, offset);
}

SHOWN ssize_t writev(int fd, const struct iovec *parts, int count)
{
    return write_parts(fd, parts, count, -1);
}

SHOWN ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset)
{
    return write_parts(fd, parts, count, offset);
}

SHOWN ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset)
{
    return write_parts(fd, parts, count, offset);
}

/* ---- syncing ---- */

static int sync_call(long call, int fd)
{
    struct fault_op op;
    enum fault_mode mode;
    int result;

    if (!fault_fd(&op, CALL_SYNC, fd))
        return (int)syscall(call, fd);
    mode = fault_before(&op);
    trace_lock();
    result = mode == MODE_NONE ? (int)syscall(call, fd) : error_of(mode);
    trace_note("sync", op.path, NULL, result);
    trace_unlock();
    fault_after(&op, 0, result);
    return result;
}

SHOWN int fsync(int fd)
{
    return sync_call(SYS_fsync, fd);
}

SHOWN int fdatasync(int fd)
{
    return sync_call(SYS_fdatasync, fd);
}

/* ---- sizes and names ---- */

/* A call of libc that is one system call, and what the trace says of it. */
struct plain_call {
    long number;
    long with[5];
    const char *note;
    const char *other; /* path of a new name; NULL: none */
    int sized;         /* descriptor whose size is noted; -1: none */
};

static int plain_raw(const struct plain_call *c)
{
    return (int)syscall(c->number, c->with[0], c->with[1], c->with[2], c->with[3], c->with[4]);
}

/* `op` is watched. */
static int plain_watched(struct fault_op *op, const struct plain_call *c)
{
    enum fault_mode mode = fault_before(op);
    struct stat st = { .st_size = 0 };
    int result;

    if (mode != MODE_NONE)
        return error_of(mode);
    trace_lock();
    result = plain_raw(c);
    if (result == 0 && (c->sized < 0 || fstat(c->sized, &st) == 0))
        trace_note(c->note, op->path, c->other, st.st_size);
    trace_unlock();
    fault_after(op, 0, result);
    return result;
}

SHOWN int ftruncate(int fd, off_t size)
{
    const struct plain_call call = { SYS_ftruncate, { fd, size }, "truncate", NULL, fd };
    struct fault_op op;

    return fault_fd(&op, CALL_TRUNCATE, fd) ? plain_watched(&op, &call) : plain_raw(&call);
}

SHOWN int ftruncate64(int fd, off64_t size)
{
    return ftruncate(fd, size);
}

SHOWN int fallocate(int fd, int how, off_t offset, off_t size)
{
    const struct plain_call call = { SYS_fallocate, { fd, how, offset, size }, "truncate", NULL, fd };
    struct fault_op op;

    return fault_fd(&op, CALL_TRUNCATE, fd) ? plain_watched(&op, &call) : plain_raw(&call);
}

SHOWN int fallocate64(int fd, int how, off64_t offset, off64_t size)
{
    return fallocate(fd, how, offset, size);
}

SHOWN int posix_fallocate(int fd, off_t offset, off_t size)
{
    return fallocate(fd, 0, offset, size) ? errno : 0;
}

SHOWN int posix_fallocate64(int fd, off64_t offset, off64_t size)
{
    return posix_fallocate(fd, offset, size);
}

static int open_call(int folder, const char *path, int flags, mode_t rights)
{
    struct fault_op op;
    enum fault_mode mode;
    bool is_new = false;
    struct stat st;
    int fd;

    if (!(flags & (O_CREAT | O_TRUNC)) || !fault_path(&op, CALL_CREATE, folder, path))
        return (int)syscall(SYS_openat, folder, path, flags, rights);
    mode = fault_before(&op);
    if (mode != MODE_NONE)
        return error_of(mode);
    trace_lock();
    is_new = fstatat(folder, path, &st, 0) != 0;
    fd = (int)syscall(SYS_openat, folder, path, flags, rights);
    if (fd >= 0 && is_new)
        trace_note("create", op.path, NULL, 0);
    else if (fd >= 0 && (flags & O_TRUNC))
        trace_note("truncate", op.path, NULL, 0);
    trace_unlock();
    fault_after(&op, 0, fd);
    return fd;
}

/* The rights behind `flags`, where there are any. */
#define RIGHTS(rights, flags) \
    do { \
        va_list list; \
        va_start(list, flags); \
        rights = ((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE ? (mode_t)va_arg(list, unsigned) : 0; \
        va_end(list); \
    } while (0)

SHOWN int open(const char *path, int flags, ...)
{
    mode_t rights;

    RIGHTS(rights, flags);
    return open_call(AT_FDCWD, path, flags, rights);
}

SHOWN int open64(const char *path, int flags, ...)
{
    mode_t rights;

    RIGHTS(rights, flags);
    return open_call(AT_FDCWD, path, flags, rights);
}

SHOWN int openat(int folder, const char *path, int flags, ...)
{
    mode_t rights;

    RIGHTS(rights, flags);
    return open_call(folder, path, flags, rights);
}

SHOWN int openat64(int folder, const char *path, int flags, ...)
{
    mode_t rights;

    RIGHTS(rights, flags);
    return open_call(folder, path, flags, rights);
}

SHOWN int unlinkat(int folder, const char *path, int flags)
{
    const struct plain_call call = { SYS_unlinkat, { folder, (long)path, flags },
                                     flags & AT_REMOVEDIR ? "rmdir" : "unlink", NULL, -1 };
    struct fault_op op;

    return fault_path(&op, CALL_UNLINK, folder, path) ? plain_watched(&op, &call) : plain_raw(&call);
}

SHOWN int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

SHOWN int rmdir(const char *path)
{
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

SHOWN int mkdirat(int folder, const char *path, mode_t rights)
{
    const struct plain_call call = { SYS_mkdirat, { folder, (long)path, rights }, "mkdir", NULL, -1 };
    struct fault_op op;

    return fault_path(&op, CALL_CREATE, folder, path) ? plain_watched(&op, &call) : plain_raw(&call);
}

SHOWN int mkdir(const char *path, mode_t rights)
{
    return mkdirat(AT_FDCWD, path, rights);
}

SHOWN int renameat2(int folder, const char *from, int other, const char *to, unsigned flags)
{
    struct fault_op op, target;
    const struct plain_call call = { SYS_renameat2, { folder, (long)from, other, (long)to, flags }, "rename",
                                     target.path, -1 };
    bool is_watched = fault_path(&op, CALL_RENAME, folder, from) && fault_path(&target, CALL_RENAME, other, to);

    return is_watched ? plain_watched(&op, &call) : plain_raw(&call);
}

SHOWN int renameat(int folder, const char *from, int other, const char *to)
{
    return renameat2(folder, from, other, to, 0);
}

SHOWN int rename(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}
