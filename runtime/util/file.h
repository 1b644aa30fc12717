/* file.h - a small file, read whole; names of files put together.
 *
 * Not here: files of the data path and anything that is written. */
#ifndef AFFERENT_UTIL_FILE_H
#define AFFERENT_UTIL_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/arena.h"

#ifdef __cplusplus
extern "C" {
#endif

struct file {
    char *bytes;             /* in the arena; a NUL stands behind the last */
    size_t length;
    bool is_open_to_others;  /* group or others may read or write it */
};

/* 0, or an errno: EFBIG above `limit_bytes`, EISDIR for a folder, EINVAL for
 * anything that is no regular file (a fifo would make the caller wait). */
int file_read(struct arena *arena, const char *path, size_t limit_bytes, struct file *ret_file);

/* `path` as seen from the folder of the file `base`: unchanged when it is
 * absolute or `base` has no folder. In the arena; NULL without memory. */
char *file_beside(struct arena *arena, const char *base, const char *path);

#ifdef __cplusplus
}
#endif

#endif
