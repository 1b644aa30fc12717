/* key_file.h - the key that seals a pipeline's store, out of its file.
 *
 * `check` asks whether it can be used, `run` and the verbs that open a store use
 * it: all by this one function, so that none is laxer than another.
 *
 * Not here: making a key file (`afferent key new`), sealing (keep/). */
#ifndef AFFERENT_CONFIG_KEY_FILE_H
#define AFFERENT_CONFIG_KEY_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/text.h"

enum { KEY_FILE_BYTES = 32 };

/* [control] Reads the key into `ret_key`, which the caller wipes. False: `ret_why`
 * has "what is wrong; what was expected; what to do", in which the file is called
 * `shown` (a path that came from outside is not repeated). `ret_key` is zero then. */
bool key_file_read(const char *path, const char *shown, uint8_t ret_key[KEY_FILE_BYTES], struct text *ret_why);

#endif
