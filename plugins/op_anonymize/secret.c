/* SPDX-License-Identifier: Apache-2.0
 *
 * secret.c - see secret.h. */
#include "secret.h"

#include <sodium.h>
#include <string.h>

/* 16 bytes, filled up with zeros. */
static const unsigned char for_key_id[16] = "aff-anon-keyid1";
static const unsigned char for_kind[16] = "aff-anon-kind-1";
static const unsigned char for_shift[16] = "aff-anon-shift1";
static const unsigned char for_id[16] = "aff-anon-id-1";
static const unsigned char for_stream[16] = "aff-anon-strm-1";
static const unsigned char for_tally[16] = "aff-anon-count1";

static void little(uint8_t out[8], uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint64_t little_read(const uint8_t in[8])
{
    uint64_t value = 0;

    for (int i = 7; i >= 0; i--)
        value = value << 8 | in[i];
    return value;
}

static void text_add(crypto_generichash_state *hash, struct text text)
{
    uint8_t size[8];

    little(size, text.size);
    crypto_generichash_update(hash, size, sizeof size);
    crypto_generichash_update(hash, (const unsigned char *)text.bytes, text.size);
}

static struct text text_of(const char *text)
{
    return (struct text){ text, strlen(text) };
}

static void derive(uint8_t ret_key[KEY_BYTES], const uint8_t key[KEY_BYTES], const unsigned char purpose[16],
                   const char *const words[2])
{
    crypto_generichash_state hash;

    crypto_generichash_blake2b_init_salt_personal(&hash, key, KEY_BYTES, KEY_BYTES, NULL, purpose);
    text_add(&hash, text_of(words[0]));
    text_add(&hash, text_of(words[1]));
    crypto_generichash_final(&hash, ret_key, KEY_BYTES);
    sodium_memzero(&hash, sizeof hash);
}

static void key_id_make(char ret_text[KEY_ID_CHARS + 1], const uint8_t key[KEY_BYTES])
{
    uint8_t hash[16];

    crypto_generichash_blake2b_salt_personal(hash, sizeof hash, NULL, 0, key, KEY_BYTES, NULL, for_key_id);
    sodium_bin2hex(ret_text, KEY_ID_CHARS + 1, hash, KEY_ID_CHARS / 2);
}

void secret_make(struct secret *s, const uint8_t key[KEY_BYTES], const char *project)
{
    const char *const words[2] = { project, "" };

    key_id_make(s->key_id, key);
    derive(s->id, key, for_id, words);
    derive(s->stream, key, for_stream, words);
    derive(s->shift, key, for_shift, words);
    derive(s->tally, key, for_tally, words);
    secret_kind(s->subject, key, project, "subject");
}

void secret_kind(uint8_t ret_key[KEY_BYTES], const uint8_t key[KEY_BYTES], const char *project, const char *kind)
{
    const char *const words[2] = { project, kind };

    derive(ret_key, key, for_kind, words);
}

/* Base32 of RFC 4648 in lower case; `size` is a multiple of 5. */
static void base32(char *out, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i += 5, out += 8) {
        uint64_t bits = 0;

        for (size_t k = 0; k < 5; k++)
            bits = bits << 8 | bytes[i + k];
        for (int k = 0; k < 8; k++)
            out[k] = "abcdefghijklmnopqrstuvwxyz234567"[bits >> (35 - 5 * k) & 31];
    }
}

void pseudonym_make(char ret_text[PSEUDONYM_CHARS], const struct secret *s, const uint8_t kind[KEY_BYTES],
                    struct text value)
{
    uint8_t hash[32];

    crypto_generichash(hash, sizeof hash, (const unsigned char *)value.bytes, value.size, kind, KEY_BYTES);
    memcpy(ret_text, s->key_id, KEY_ID_CHARS);
    ret_text[KEY_ID_CHARS] = '-';
    base32(ret_text + KEY_ID_CHARS + 1, hash, 15);
}

uint64_t shift_make(const struct secret *s, const char *subject, uint64_t most)
{
    uint8_t hash[32];

    crypto_generichash(hash, sizeof hash, (const unsigned char *)subject, strlen(subject), s->shift, KEY_BYTES);
    return 1 + little_read(hash) % most;
}

struct aff_id id_make(const struct secret *s, struct aff_id input)
{
    uint8_t from[16], hash[16];

    little(from, input.source);
    little(from + 8, input.seq);
    crypto_generichash(hash, sizeof hash, from, sizeof from, s->id, KEY_BYTES);
    return (struct aff_id){ little_read(hash), little_read(hash + 8) };
}

void stream_make(char ret_text[STREAM_CHARS], const struct secret *s, const char *subject, const char *stream)
{
    crypto_generichash_state state;
    uint8_t hash[32];

    crypto_generichash_init(&state, s->stream, KEY_BYTES, sizeof hash);
    text_add(&state, text_of(subject));
    text_add(&state, text_of(stream));
    crypto_generichash_final(&state, hash, sizeof hash);
    sodium_memzero(&state, sizeof state);
    memcpy(ret_text, "s-", 2);
    base32(ret_text + 2, hash, 10);
}

/* SipHash-2-4 with 128 bits (Aumasson and Bernstein 2012): this one is for every
 * value that is counted, and nothing of it leaves. */
void tally_make(uint64_t ret_digest[2], const struct secret *s, uint32_t rule, struct text value)
{
    uint8_t key[crypto_shorthash_siphashx24_KEYBYTES], hash[crypto_shorthash_siphashx24_BYTES];

    memcpy(key, s->tally, sizeof key);
    for (int i = 0; i < 4; i++)
        key[i] ^= (uint8_t)(rule >> (8 * i));
    crypto_shorthash_siphashx24(hash, (const unsigned char *)value.bytes, value.size, key);
    ret_digest[0] = little_read(hash);
    ret_digest[1] = little_read(hash + 8);
}

uint32_t tag_make(const struct secret *s, const char *subject)
{
    uint64_t digest[2];

    tally_make(digest, s, UINT32_MAX, text_of(subject));
    return (uint32_t)digest[0];
}
