/* file.h - one file that grows by whole records, or stdout.
 *
 * What is written waits in memory until flush. A write that fails in the middle
 * of a line keeps the rest, and the next flush goes on there, so a full disk
 * tears no line. A line that a crash has torn is cut off when the file is opened
 * again: quotes are counted from the start, so a line break in a text is none.
 */
#ifndef OUT_FILE_FILE_H
#define OUT_FILE_FILE_H

#include <sys/types.h>

#include "text/text.h"

enum exists { EXISTS_APPEND, EXISTS_REPLACE, EXISTS_REFUSE };

struct file {
    char *path; /* NULL: this one is free */
    int fd;
    int stream;     /* a pipe, a terminal: cannot be cut or synced */
    int lost;       /* a sync failed: what was not on disk may be gone */
    int unsynced;
    enum text_style style;
    off_t resume;   /* where whole lines end; -1: the file is there already */
    struct text first; /* the first line, of a CSV file */
    struct text wait;
    size_t sent; /* of wait */
    uint32_t schema; /* of the record that was written last */
    uint64_t used;   /* tick of the last use */
};

/* Opens, and looks at what is there. NULL, or what went wrong (for which errno
 * may say more); nothing is left open then. "-" is stdout. */
const char *file_open(struct file *f, const char *path, enum exists exists, enum text_style style);
void file_close(struct file *f);

/* Before the first record, with the first line of a CSV file (of JSON: nothing):
 * it is written to a new file, compared with that of an old one, and a torn last
 * line is cut off. 1: go on; 0: the file has another first line; -1: errno. */
int file_begin(struct file *f, const struct text *first);

/* Both return 0 or an errno code; what could not be written stays. */
int file_flush(struct file *f);
int file_sync(struct file *f);

#endif
