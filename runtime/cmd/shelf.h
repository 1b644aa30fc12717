/* shelf.h - what a pipeline keeps, opened for a verb: plan, paths, key, store.
 *
 * All verbs that look into a store, or change it, begin here, so that all find the
 * same folder, read the same key, and refuse the same way.
 *
 * Not here: the store of a run (stored.h), asking one (show/control_client.h). */
#ifndef AFFERENT_CMD_SHELF_H
#define AFFERENT_CMD_SHELF_H

#include <sys/types.h>

#include "cmd/opened.h"
#include "config/key_file.h"
#include "keep/store.h"
#include "show/control_client.h"
#include "show/place.h"

struct shelf {
    struct opened opened;
    struct place_paths paths;
    uint8_t key[KEY_FILE_BYTES];
    bool has_key;
    struct store *store;
    bool runs; /* some process holds the store */
    pid_t pid; /* which; 0: not known */
};

/* [control] Each below 0: go on; else the exit code, and stderr says why. */
/* The plan, its paths and its key; whether it runs. Begin with the operands read. */
int shelf_need(struct shelf *shelf);
/* Opens the store for a look, whether the pipeline runs or not. */
int shelf_look(struct shelf *shelf);
/* Opens it for changes: refused while the pipeline runs. */
int shelf_hold(struct shelf *shelf);
/* Asks the running pipeline; below 0: it answered, with *ret_code and *ret_answer,
 * which is to be freed in any case. */
int shelf_ask(struct shelf *shelf, const struct control_request *request, int timeout_ms, int *ret_code,
              struct text *ret_answer);
void shelf_close(struct shelf *shelf);

#endif
