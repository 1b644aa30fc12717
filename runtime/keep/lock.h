/* lock.h - one writer of a store: a lock on a file that says who holds it.
 *
 * The lock belongs to the open file: the system lets go of it however the process
 * ends. The number in the file is for people only.
 *
 * Not here: LMDB's own lock file, which is about readers. */
#ifndef AFFERENT_KEEP_LOCK_H
#define AFFERENT_KEEP_LOCK_H

#include <stdbool.h>
#include <sys/types.h>

/* [control] *ret_fd: close it to let go. 0; EWOULDBLOCK: held, *ret_pid says by whom (0:
 * unknown); else an errno. */
int lock_take(const char *folder, int *ret_fd, pid_t *ret_pid);
/* [any] Whether somebody holds it; *ret_pid as above. */
bool lock_is_held(const char *folder, pid_t *ret_pid);

#endif
