/* SPDX-License-Identifier: Apache-2.0
 *
 * head.c - what tells a followed file, and a record in it, from any other.
 *
 * The design names a followed file by device, inode and the hash of its first
 * KiB. While it is shorter, a record is named by the bytes up to its own end:
 * these never change once they are written, so it does not matter how much of
 * the file was there when the record was read. Behind the first KiB all records
 * share the one hash. See reader.h. */
#include "reader.h"

#include <errno.h>
#include <string.h>
#include <xxhash.h>

static int head_hash(const struct file *f, uint32_t size, uint8_t ret[HASH_BYTES])
{
    uint8_t room[HEAD_BYTES];
    XXH128_canonical_t hash;
    int64_t got = file_pread(f->fd, room, size, 0);

    if (got < 0)
        return (int)got;
    if (got < size)
        return -ENODATA; /* it became shorter just now: the next look tells */
    XXH128_canonicalFromHash(&hash, XXH3_128bits(room, size));
    memcpy(ret, hash.digest, HASH_BYTES);
    return 0;
}

/* Makes ->head that of a record that ends at `reach`. */
int head_update(struct file *f, uint64_t reach)
{
    uint32_t size = reach < HEAD_BYTES ? (uint32_t)reach : HEAD_BYTES;
    int error;

    if (size == f->head_size)
        return 0;
    error = head_hash(f, size, f->head);
    if (!error)
        f->head_size = size;
    return error;
}

int tail_hash(const struct file *f, uint64_t *ret)
{
    size_t size = f->p.offset < TAIL_BYTES ? (size_t)f->p.offset : TAIL_BYTES;
    uint8_t room[TAIL_BYTES];
    int64_t got = file_pread(f->fd, room, size, f->p.offset - size);

    if (got < 0)
        return (int)got;
    if ((size_t)got < size)
        return -ENODATA;
    *ret = XXH3_64bits(room, size);
    return 0;
}

int file_is_same(const struct file *f)
{
    uint8_t head[HASH_BYTES];
    uint64_t tail = 0;
    int error;

    if (f->head_size) {
        error = head_hash(f, f->head_size, head);
        if (error)
            return error == -ENODATA ? 0 : error;
        if (memcmp(head, f->head, HASH_BYTES) != 0)
            return 0;
    }
    if (!f->has_tail)
        return 1;
    error = tail_hash(f, &tail);
    if (error)
        return error == -ENODATA ? 0 : error;
    return tail == f->tail;
}

/* One record, one incarnation: ids depend on the file alone. The size is in it,
 * since a block may be cut elsewhere when the file is read again. */
void followed_name(struct reader *r, const struct file *f, size_t size)
{
    struct {
        uint64_t dev, ino, offset, size, generation;
        uint8_t head[HASH_BYTES], cut[8];
    } name = { f->dev, f->ino, f->p.offset, size, f->generation, { 0 }, { 0 } };

    memcpy(name.head, f->head, HASH_BYTES);
    memcpy(name.cut, r->cut_hash, sizeof name.cut);
    r->host->incarnation(r->host, &name, sizeof name);
}
