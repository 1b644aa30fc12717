/* SPDX-License-Identifier: Apache-2.0
 *
 * digest.h - the hash of the files that a recording is made of.
 *
 * XXH3, 128 bits, over each file's bytes and length, in the order given; also
 * over the fact that one was not there. It is what makes record ids, so its
 * bytes never change. Read in steps: a long file does not keep the thread. */
#ifndef RECORDING_DIGEST_H
#define RECORDING_DIGEST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { DIGEST_STATE = 640, DIGEST_SIZE = 16 };

struct digest {
    int fd; /* the file being read, owned; -1: none */
    uint64_t offset;
    uint8_t hash[DIGEST_SIZE];
    uint8_t state[DIGEST_STATE];
};

void digest_begin(struct digest *d);
/* The next file, given to the digest; negative: there is none in its place. */
void digest_file(struct digest *d, int fd);
/* Reads on in the file by way of `room`: bytes read; 0 at its end, when it is
 * closed; or -1 and errno. */
ssize_t digest_read(struct digest *d, void *room, size_t size);
/* All files are through: ->hash. */
void digest_end(struct digest *d);
/* Lets go of what is open; also twice. */
void digest_close(struct digest *d);
/* A text's 64 bits, for example of a path. */
uint64_t digest_text(const char *text);

#endif
