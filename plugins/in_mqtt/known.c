/* SPDX-License-Identifier: Apache-2.0
 *
 * known.c - see known.h. Digests are two of SipHash-2-4 (Aumasson and Bernstein 2012), with
 * keys that differ in their last bit. */
#include "known.h"

#include <string.h>

static const char format[8] = "mqtt  2";

struct head {
    char format[8];
    uint64_t key[2];
    struct known_stamp stamp;
    uint64_t count;
};

/* ---- SipHash ---- */

struct sip {
    uint64_t v[4];
    uint64_t tail;
    uint64_t size;
};

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static struct sip sip_begin(uint64_t k0, uint64_t k1)
{
    return (struct sip){ { k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
                           k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573) }, 0, 0 };
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->v[3] ^= word;
    sip_round(s->v);
    sip_round(s->v);
    s->v[0] ^= word;
}

static void sip_add(struct sip *s, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    size_t i;

    for (i = 0; i < size; i++) {
        s->tail |= (uint64_t)at[i] << (s->size % 8 * 8);
        if (++s->size % 8 == 0) {
            sip_word(s, s->tail);
            s->tail = 0;
        }
    }
}

static uint64_t sip_end(struct sip *s)
{
    int i;

    sip_word(s, s->tail | s->size << 56);
    s->v[2] ^= 0xff;
    for (i = 0; i < 4; i++)
        sip_round(s->v);
    return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}

/* ---- which is which ---- */

void known_key(struct known *k, const char *session)
{
    uint64_t i;

    for (i = 0; i < 2; i++) {
        struct sip s = sip_begin(i, 0);

        sip_add(&s, session, strlen(session));
        k->key[i] = sip_end(&s);
    }
}

/* Each part with its length, so that none runs into the next. */
static void part_add(struct sip *s, const void *bytes, uint64_t size)
{
    sip_add(s, &size, sizeof size);
    sip_add(s, bytes, size);
}

static bool has_id(const struct message_marks *m)
{
    return m->id && m->id_size > 0;
}

/* An id alone is not believed: one that names its device, or is made twice, would make all
 * messages but the first vanish. */
struct digest known_digest(const struct known *k, const struct message_marks *m)
{
    struct digest digest;
    int i;

    for (i = 0; i < 2; i++) {
        struct sip s = sip_begin(k->key[0], k->key[1] ^ (uint64_t)i);

        part_add(&s, m->topic, strlen(m->topic));
        if (has_id(m)) {
            part_add(&s, m->id, m->id_size);
        } else {
            part_add(&s, &m->packet, sizeof m->packet);
            part_add(&s, "", 0);
        }
        part_add(&s, m->payload, m->size);
        digest.words[i] = sip_end(&s);
    }
    return digest;
}

static const struct known_one *find(const struct known *k, const struct digest *digest)
{
    const struct known_one *best = NULL;
    uint32_t i;

    for (i = 0; i < k->count; i++)
        if (memcmp(&k->ones[i].digest, digest, sizeof *digest) == 0 && (!best || k->ones[i].turn > best->turn))
            best = &k->ones[i];
    return best;
}

bool known_is(const struct known *k, const struct message_marks *m, struct known_one *ret_one)
{
    struct digest digest = known_digest(k, m);
    const struct known_one *one = find(k, &digest);

    if (one && (has_id(m) || m->is_again))
        return true;
    *ret_one = (struct known_one){ digest, one ? one->turn + 1 : 0 };
    return false;
}

void known_add(struct known *k, const struct known_one *one)
{
    if (k->room == 0)
        return;
    k->ones[k->next] = *one;
    k->next = (k->next + 1) % k->room;
    k->count += k->count < k->room;
}

/* ---- as bytes ---- */

size_t known_write(const struct known *k, void *to, size_t room)
{
    struct head head = { .key = { k->key[0], k->key[1] }, .stamp = k->stamp, .count = k->count };
    size_t size = sizeof head + k->count * sizeof *k->ones;
    uint8_t *at = to;
    uint32_t i;

    if (size > room)
        return size;
    memcpy(head.format, format, sizeof format);
    memcpy(at, &head, sizeof head);
    at += sizeof head;
    for (i = 0; i < k->count; i++, at += sizeof *k->ones)
        memcpy(at, &k->ones[(k->next + k->room - k->count + i) % k->room], sizeof *k->ones);
    return size;
}

bool known_read(struct known *k, const void *from, size_t size)
{
    const uint8_t *at = from;
    struct known_one one;
    struct head head;
    uint64_t i;

    if (size < sizeof head)
        return false;
    memcpy(&head, from, sizeof head);
    size -= sizeof head;
    if (memcmp(head.format, format, sizeof format) != 0 || size % sizeof one != 0 || head.count != size / sizeof one)
        return false;
    k->count = k->next = 0;
    k->key[0] = head.key[0];
    k->key[1] = head.key[1];
    k->stamp = head.stamp;
    for (i = 0; i < head.count; i++) {
        memcpy(&one, at + sizeof head + i * sizeof one, sizeof one);
        known_add(k, &one);
    }
    return true;
}
