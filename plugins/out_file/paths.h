/* paths.h - where a record goes: {subject} and {stream} in a path.
 *
 * Names come from data, so they never become a path: every byte of them but
 * letters, digits, '-', '_' and a '.' that is not the first is written %XX. Two
 * names never give one path.
 */
#ifndef OUT_FILE_PATHS_H
#define OUT_FILE_PATHS_H

#include <stddef.h>

/* Whether the path has a place for a name; -1: in a folder's name, where it
 * must not be. */
int path_has_names(const char *path);
/* 1, or 0 if it would be longer than room or than a file's name may be. */
int path_expand(char *out, size_t room, const char *path, const char *subject, const char *stream);
/* Whether the path means stdout: "-", also after a folder was put before it. */
int path_is_stdout(const char *path);

#endif
