/* text.h - strings that grow, words that are nearly right, a hash for names.
 *
 * Not here: amounts with a unit (units.h), messages with a place (report.h),
 * anything that knows an encoding: bytes are bytes. */
#ifndef AFFERENT_UTIL_TEXT_H
#define AFFERENT_UTIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <afferent/words.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A string builder. Start with `struct text t = { 0 };` (C++: `{}`).
 * `data` is NULL while nothing was added, else ends in NUL. A failed
 * allocation sets `failed` and makes every later call do nothing, so that a
 * caller asks once, at the end. */
struct text {
    char *data;
    size_t length;
    size_t room;
    bool failed;
};

void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const char *bytes, size_t length);

__attribute__((format(printf, 2, 3)))
void text_print(struct text *text, const char *format, ...);

/* Gives the string (never NULL unless `failed`) to the caller, who calls
 * free(), and leaves the builder empty. */
char *text_take(struct text *text);

/* Safe on an empty builder. Wipes what it frees: it may have held a secret. */
void text_free(struct text *text);

/* XXH3, 64 bits, seed 0: for tables of names and identities, not for secrets
 * or signatures. */
uint64_t text_hash(const void *bytes, size_t length);

#ifdef __cplusplus
}
#endif

#endif
