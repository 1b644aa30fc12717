/* ballast.h - a few MiB that are given back to a disk that is full.
 *
 * A store on a full disk cannot even forget: deleting writes pages too. A file that
 * was really written, and that nobody needs, makes room for that.
 *
 * Not here: when it is removed and written again (store_commit.c). */
#ifndef AFFERENT_KEEP_BALLAST_H
#define AFFERENT_KEEP_BALLAST_H

#include <stdbool.h>
#include <stdint.h>

enum { BALLAST_BYTES = 4 << 20 };

/* [control, keeper] Written and synced. False: there is no room for it; nothing is left behind. */
bool ballast_write(const char *path);
bool ballast_is_there(const char *path);
void ballast_remove(const char *path);
/* [keeper] Whether the disk below `path` has so little room that a write that failed may
 * have failed for that. Asks the file system, and then tries, in a file that is as long
 * as the one that was being written (`reach`): limits of size are seen too. */
bool disk_is_full(const char *folder, uint64_t reach);
/* [control] Removes what a try leaves that was killed. */
void disk_try_remove(const char *folder);
/* [keeper] Whether there is room for the ballast and as much again. */
bool disk_has_room(const char *folder);

#endif
