/* SPDX-License-Identifier: Apache-2.0
 *
 * known.c - see known.h. */
#include "known.h"

#include <string.h>

static const char format[8] = "http  2";
enum { ONE_SIZE = offsetof(struct known_one, epoch) };

struct head {
    char format[8];
    uint64_t count;
    uint32_t stream, reserved;
};

struct known_one *known_find(struct known *k, const uint64_t key[2])
{
    uint32_t i;

    for (i = 0; i < k->count; i++)
        if (k->ones[i].key[0] == key[0] && k->ones[i].key[1] == key[1])
            return &k->ones[i];
    return NULL;
}

void known_add(struct known *k, const struct known_one *one)
{
    struct known_one *same = known_find(k, one->key);

    if (same) {
        *same = *one;
        return;
    }
    k->ones[k->next] = *one;
    k->next = (k->next + 1) % k->room;
    k->count += k->count < k->room;
}

size_t known_write(const struct known *k, const struct known_torn *torn, void *to, size_t room)
{
    struct head head = { .count = k->count, .stream = torn->stream };
    size_t size = sizeof head + (k->count + 1u) * ONE_SIZE;
    uint8_t *at = to;
    uint32_t i;

    if (size > room)
        return size;
    memcpy(head.format, format, sizeof format);
    memcpy(at, &head, sizeof head);
    at += sizeof head;
    memcpy(at, &torn->one, ONE_SIZE);
    for (i = 0; i < k->count; i++)
        memcpy(at + (i + 1) * (size_t)ONE_SIZE, &k->ones[(k->next + k->room - k->count + i) % k->room], ONE_SIZE);
    return size;
}

bool known_read(struct known *k, struct known_torn *torn, const void *from, size_t size)
{
    const uint8_t *at = from;
    struct known_one one;
    struct head head;
    uint64_t i;

    if (size < sizeof head + ONE_SIZE)
        return false;
    memcpy(&head, at, sizeof head);
    size -= sizeof head + ONE_SIZE;
    if (memcmp(head.format, format, sizeof format) != 0 || size % ONE_SIZE != 0 || head.count != size / ONE_SIZE)
        return false;
    memset(&one, 0, sizeof one);
    k->count = k->next = 0;
    at += sizeof head;
    memcpy(&one, at, ONE_SIZE);
    *torn = (struct known_torn){ one, head.stream };
    for (i = 1; i <= head.count; i++) {
        memcpy(&one, at + i * ONE_SIZE, ONE_SIZE);
        known_add(k, &one);
    }
    return true;
}
