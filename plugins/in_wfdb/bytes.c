/* SPDX-License-Identifier: Apache-2.0
 *
 * bytes.c - see bytes.h. */
#include "bytes.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

void bytes_from_memory(struct wfdb_bytes *b, const void *memory, size_t size)
{
    memset(b, 0, sizeof *b);
    b->at = memory;
    b->have = size;
    b->fd = -1;
}

void bytes_from_file(struct wfdb_bytes *b, int fd, uint64_t offset, void *buffer, size_t room)
{
    memset(b, 0, sizeof *b);
    b->buffer = buffer;
    b->room = room;
    b->at = buffer;
    b->offset = offset;
    b->fd = fd;
}

size_t bytes_need(struct wfdb_bytes *b, size_t wanted)
{
    if (b->have >= wanted || b->fd < 0)
        return b->have;
    if (b->have)
        memmove(b->buffer, b->at, b->have);
    b->at = b->buffer;
    while (b->have < wanted) {
        ssize_t got = pread(b->fd, b->buffer + b->have, b->room - b->have, (off_t)b->offset);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            b->error = errno;
        if (got <= 0)
            break;
        b->have += (size_t)got;
        b->offset += (uint64_t)got;
    }
    return b->have;
}

void bytes_take(struct wfdb_bytes *b, size_t count)
{
    b->at += count;
    b->have -= count;
}

/* Copies what fits into the line's text. */
static void line_add(struct wfdb_lines *l, const uint8_t *from, size_t count)
{
    size_t room = WFDB_LINE_MAX - l->length;

    if (memchr(from, 0, count))
        l->binary = 1;
    if (count > room) {
        count = room;
        l->cut = 1;
    }
    memcpy(l->text + l->length, from, count);
    l->length += count;
}

int lines_next(struct wfdb_lines *l)
{
    const uint8_t *end = NULL;

    l->length = 0;
    l->cut = l->binary = 0;
    if (!bytes_need(&l->bytes, 1))
        return 0;
    l->number++;
    while (!end && bytes_need(&l->bytes, 1)) {
        size_t count = l->bytes.have;

        end = memchr(l->bytes.at, '\n', count);
        if (end)
            count = (size_t)(end - l->bytes.at);
        line_add(l, l->bytes.at, count);
        bytes_take(&l->bytes, end ? count + 1 : count);
    }
    if (l->length && l->text[l->length - 1] == '\r')
        l->length--;
    l->text[l->length] = 0;
    return 1;
}
