/* place.h - where state and sockets of a pipeline lie.
 *
 * State: the folder of the pipeline's name in $STATE_DIRECTORY, else
 * $XDG_STATE_HOME/afferent, else ~/.local/state/afferent. Sockets: in
 * $RUNTIME_DIRECTORY, else $XDG_RUNTIME_DIR/afferent, else in run/ beside the
 * state. Folders that are made are the owner's alone (0700); one for sockets that
 * others may write to is refused, since whoever can put a socket there can pose as
 * the pipeline.
 *
 * Not here: what lies there (keep/, control.c). */
#ifndef AFFERENT_SHOW_PLACE_H
#define AFFERENT_SHOW_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PLACE_SOCKET_MOST = 107 }; /* bytes of a socket's path, without its zero */

struct place_paths {
    char *root;    /* state of all pipelines */
    char *folder;  /* of this one: root/NAME */
    char *sockets; /* the folder of the sockets */
    char *socket;  /* of this pipeline, at most PLACE_SOCKET_MOST bytes */
};

/* [any] Works the paths out and touches nothing. False: `ret_why` says what is
 * missing and what to set. place_free in either case. */
bool place_find(const char *name, struct place_paths *ret_paths, char *ret_why, size_t room);
/* [control] Makes the folders that are missing. */
bool place_make(const struct place_paths *paths, char *ret_why, size_t room);
void place_free(struct place_paths *paths);

/* [any] The names of all pipelines that have state here, in order; false from
 * `each` ends it. No folder at all: no names. */
void place_each(const char *root, bool (*each)(void *arg, const char *name), void *arg);

#endif
