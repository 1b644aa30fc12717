/* image.h - a plugin's file, copied where nobody can change it any more.
 *
 * The copy lies in a memfd that is sealed against writing and resizing: what
 * was checked is what is loaded, whatever happens to the file meanwhile.
 *
 * Not here: what is in it (note.h, probe.h). */
#ifndef AFFERENT_LOAD_IMAGE_H
#define AFFERENT_LOAD_IMAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "util/text.h"

/* What tells one state of a file from any other. */
struct identity {
    dev_t device;
    ino_t inode;
    int64_t size_bytes;
    struct timespec modified;
    struct timespec changed;
};

struct image {
    int fd; /* -1 when there is none */
    struct identity identity;
};

enum image_status {
    IMAGE_OK,
    IMAGE_ABSENT, /* no file of this name: look in the next folder */
    IMAGE_REFUSED /* there is one, and *why says what is wrong with it */
};

/* Opens a file for looking only: nothing but a regular file, never waits (a fifo
 * is refused). Given: the caller closes *ret_fd. */
enum image_status image_look(const char *path, int *ret_fd, struct identity *ret_identity, struct text *why);

/* Makes the sealed copy. The image is given to the caller. */
enum image_status image_open(const char *path, struct image *ret_image, struct text *why);
void image_close(struct image *image);

bool identity_equal(const struct identity *one, const struct identity *other);

#endif
