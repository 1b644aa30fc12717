/* arena.h - memory that is given out in pieces and freed in one go.
 *
 * A value tree, a plan, a plugin's config struct: many small things with one
 * end of life. The arena owns them all, so nobody else frees anything, and a
 * half-built plan needs no undo.
 *
 * Not here: memory of the data path. An arena only grows. */
#ifndef AFFERENT_UTIL_ARENA_H
#define AFFERENT_UTIL_ARENA_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct arena;

/* NULL when there is no memory. Given to the caller, who frees it. */
struct arena *arena_new(void);

/* Wipes before it frees, since keys and passwords live in plans. Sets the
 * pointer to NULL; does nothing when it is NULL already. */
void arena_free(struct arena **arena);

/* Zeroed and aligned for any type; lives as long as the arena. NULL when
 * there is no memory. A size of 0 gives a valid pointer. */
void *arena_take(struct arena *arena, size_t size_bytes);

/* The same for `count` items; NULL also when the product overflows. */
void *arena_take_array(struct arena *arena, size_t count, size_t size_bytes);

/* A copy of `size_bytes` bytes with a NUL behind it; the bytes may hold NULs. */
char *arena_copy(struct arena *arena, const char *bytes, size_t size_bytes);

__attribute__((format(printf, 2, 3)))
char *arena_print(struct arena *arena, const char *format, ...);

#ifdef __cplusplus
}
#endif

#endif
