/* SPDX-License-Identifier: Apache-2.0
 *
 * files.h - files of a recording: opened without surprises, read at a place. */
#ifndef RECORDING_FILES_H
#define RECORDING_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Opens a regular file below a folder (or AT_FDCWD) for reading; an errno as
 * -errno. `prefix` and `name` are joined. */
int file_open(int folder, const char *prefix, const char *name, uint64_t *ret_size);
/* The folder that a file lies in, for file_open; -1 and errno. */
int folder_open(const char *path);
/* Reads up to `size` bytes where the file has them: how many, or -1 and errno. */
ssize_t file_get(int fd, uint64_t offset, void *to, size_t size);

#endif
