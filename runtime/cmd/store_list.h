/* store_list.h - `afferent store ls`.
 *
 * Not here: check, repair and the words (store.c). */
#ifndef AFFERENT_CMD_STORE_LIST_H
#define AFFERENT_CMD_STORE_LIST_H

#include <stdbool.h>

#include "cmd/shelf.h"
#include "util/json.h"

/* [control] Opens the store for a look and prints it; the exit code. */
int store_list(struct shelf *shelf, bool json);

#endif
