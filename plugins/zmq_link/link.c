/* SPDX-License-Identifier: Apache-2.0
 *
 * link.c - heads and packed payloads. See link.h. */
#include "zmq_link/link.h"

#include <lz4.h>
#include <string.h>

static const char begin[8] = { 'a', 'f', 'f', '-', 'l', 'i', 'n', 'k' };

void link_head_write(uint8_t bytes[LINK_HEAD], const struct link_head *head)
{
    memcpy(bytes, begin, sizeof begin);
    put_le(bytes + 8, LINK_VERSION_1, 2);
    bytes[10] = head->kind;
    bytes[11] = head->flags;
    put_le(bytes + 12, head->size, 4);
    put_le(bytes + 16, head->number, 8);
    put_le(bytes + 24, head->argument, 8);
}

int link_head_read(const void *data, size_t size, struct link_head *ret)
{
    const uint8_t *bytes = data;
    uint64_t version;

    *ret = (struct link_head){ .kind = 0 };
    if (size < LINK_HEAD || memcmp(bytes, begin, sizeof begin) != 0)
        return LINK_MALFORMED;
    version = get_le(bytes + 8, 2);
    ret->kind = bytes[10];
    ret->flags = bytes[11];
    ret->size = (uint32_t)get_le(bytes + 12, 4);
    ret->number = get_le(bytes + 16, 8);
    ret->argument = get_le(bytes + 24, 8);
    if (version > LINK_VERSION_1)
        return LINK_IS_NEWER;
    if (version == 0 || size != LINK_HEAD || ret->kind < LINK_HELLO || ret->kind > LINK_REFUSED ||
        (ret->flags & ~(LINK_LZ4 | LINK_RESENT)))
        return LINK_MALFORMED;
    return 0;
}

int link_unpack(const struct link_head *head, struct link_payload payload, void *to, size_t room,
                struct link_payload *ret)
{
    *ret = (struct link_payload){ NULL, 0 };
    if (head->size > room || payload.size > room)
        return LINK_TOO_LARGE;
    if (!(head->flags & LINK_LZ4)) {
        if (payload.size != head->size)
            return LINK_MALFORMED;
        *ret = payload;
        return 0;
    }
    if (payload.size == 0 || head->size == 0 || head->size > INT32_MAX ||
        LZ4_decompress_safe(payload.bytes, to, (int)payload.size, (int)head->size) != (int)head->size)
        return LINK_MALFORMED;
    *ret = (struct link_payload){ to, head->size };
    return 0;
}
