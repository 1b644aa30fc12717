/* peek.c - reads memory that may not be there.
 *
 * write(2) is called by number: sanitizers check the memory of a plain write()
 * first, and a string that is read in pieces runs into their red zones.
 *
 * Not here: what the bytes mean. */
#include "load/peek.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A piece never crosses a page of the smallest size there is, so that it can
 * be read as a whole or not at all; and it always fits into an empty pipe. */
#define PAGE_BYTES ((size_t)4096)
#define STRING_PIECE ((size_t)128)

bool peek_open(struct peek *peek)
{
    if (pipe2(peek->fds, O_CLOEXEC | O_NONBLOCK) == 0)
        return true;
    peek->fds[0] = peek->fds[1] = -1;
    return false;
}

void peek_close(struct peek *peek)
{
    for (int i = 0; i < 2; i++) {
        if (peek->fds[i] >= 0)
            close(peek->fds[i]);
        peek->fds[i] = -1;
    }
}

static size_t piece_size(uintptr_t at, size_t most)
{
    size_t in_page = PAGE_BYTES - at % PAGE_BYTES;

    return most < in_page ? most : in_page;
}

static bool piece_copy(const struct peek *peek, uintptr_t at, char *to, size_t size_bytes)
{
    long put;
    size_t got = 0;

    do {
        put = syscall(SYS_write, peek->fds[1], at, size_bytes);
    } while (put < 0 && errno == EINTR);
    while (put > 0 && got < (size_t)put) {
        ssize_t part = read(peek->fds[0], to + got, (size_t)put - got);

        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return false;
        got += (size_t)part;
    }
    return put >= 0 && (size_t)put == size_bytes;
}

bool peek_bytes(const struct peek *peek, const void *from, void *to, size_t size_bytes)
{
    uintptr_t at = (uintptr_t)from;
    size_t done = 0;

    if (size_bytes > UINTPTR_MAX - at)
        return false;
    while (done < size_bytes) {
        size_t piece = piece_size(at + done, size_bytes - done);

        if (!piece_copy(peek, at + done, (char *)to + done, piece))
            return false;
        done += piece;
    }
    return true;
}

enum peek_status peek_string(const struct peek *peek, const char *from, char *to, size_t room)
{
    uintptr_t at = (uintptr_t)from;
    size_t done = 0;

    while (done < room) {
        size_t most = room - done < STRING_PIECE ? room - done : STRING_PIECE;
        size_t piece = piece_size(at + done, most);

        if (at + done < at || !piece_copy(peek, at + done, to + done, piece))
            return PEEK_UNREADABLE;
        if (memchr(to + done, '\0', piece))
            return PEEK_OK;
        done += piece;
    }
    return PEEK_TOO_LONG;
}
