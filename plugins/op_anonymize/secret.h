/* SPDX-License-Identifier: Apache-2.0
 *
 * secret.h - all that is made with the key: pseudonyms, shifts, ids, names.
 *
 * Keyed BLAKE2b (RFC 7693) by libsodium for all that leaves. From the key in the file,
 * K, come the keys that are used, one for each purpose, project and kind:
 *
 *     BLAKE2b(32 bytes; key K; personal = purpose;
 *             LE64(length of project) project LE64(length of kind) kind)
 *
 * so that what two projects hold cannot be joined, nor the pseudonyms of two
 * kinds within one. The personal strings are in secret.c. */
#ifndef OP_ANONYMIZE_SECRET_H
#define OP_ANONYMIZE_SECRET_H

#include "key.h"

enum {
    KEY_ID_CHARS = 8,
    CODE_CHARS = 24,                               /* base32 of 120 bits */
    PSEUDONYM_CHARS = KEY_ID_CHARS + 1 + CODE_CHARS, /* "3f2a91c0-k7q4..." */
    STREAM_CHARS = 18                              /* "s-" and base32 of 80 bits */
};

struct secret {
    char key_id[KEY_ID_CHARS + 1];
    uint8_t id[KEY_BYTES], stream[KEY_BYTES], shift[KEY_BYTES], tally[KEY_BYTES];
    uint8_t subject[KEY_BYTES];  /* of the kind "subject" */
    uint8_t kinds[][KEY_BYTES]; /* one a rule */
};

struct text {
    const char *bytes;
    size_t size;
};

/* Fills in everything but `kinds`. */
void secret_make(struct secret *s, const uint8_t key[KEY_BYTES], const char *project);
void secret_kind(uint8_t ret_key[KEY_BYTES], const uint8_t key[KEY_BYTES], const char *project, const char *kind);

/* The key's id, "-" and 24 characters of a-z2-7: the id stands beside each value,
 * so that those of two keys are told apart. No zero at the end. */
void pseudonym_make(char ret_text[PSEUDONYM_CHARS], const struct secret *s, const uint8_t kind[KEY_BYTES],
                    struct text value);
/* How many steps the times of a subject go back: 1 to `most`, never 0. */
uint64_t shift_make(const struct secret *s, const char *subject, uint64_t most);
struct aff_id id_make(const struct secret *s, struct aff_id input);
/* For counting: a hash of one value of a quasi-identifier, and of a subject. */
void tally_make(uint64_t ret_digest[2], const struct secret *s, uint32_t rule, struct text value);
uint32_t tag_make(const struct secret *s, const char *subject);
/* A stream's name that tells nothing; `subject` is "" where it does not matter. */
void stream_make(char ret_text[STREAM_CHARS], const struct secret *s, const char *subject, const char *stream);

#endif
