/* archive.h - the writer of an archive: records in, exactly once, or not at all.
 *
 * Records are copied into a waiting area and go to disk in one transaction, at
 * the end of an epoch or when the area is full. A transaction that fails leaves
 * the area as it is: nothing is lost, nothing is half written, the same records
 * go with the next try. A record that is there already is counted and not stored
 * again, so a source that repeats itself changes nothing. The same id with other
 * content is another record: it is kept beside the first, under an id made of both.
 *
 * Not here: reading (query.h), the plugin's tables and callbacks (out_lmdb.c).
 */
#ifndef OUT_LMDB_ARCHIVE_H
#define OUT_LMDB_ARCHIVE_H

#include <afferent/plugin.h>

#include "format.h"

struct archive;

/* What the writer asks of its surroundings. Names are borrowed until the next
 * call; `schema` writes canonical text and returns its length, 0 if it is
 * unknown or longer than room. */
struct archive_hooks {
    void *ctx;
    void *(*alloc)(void *ctx, size_t size); /* zeroed, or NULL */
    void (*release)(void *ctx, void *memory);
    void (*say)(void *ctx, int level, const char *text);
    const struct aff_stream_info *(*stream)(void *ctx, uint32_t stream);
    size_t (*schema)(void *ctx, uint32_t schema, char *text, size_t room);
};

struct archive_options {
    const char *path; /* borrowed for the archive's life */
    uint64_t limit;   /* bytes on disk, at most */
    size_t batch;     /* bytes of the waiting area */
    uint32_t streams; /* runs of samples kept open at once */
    const char *owner; /* borrowed: whose it is, told to who comes next; NULL: nobody's */
};

struct archive_counts {
    uint64_t stored;
    uint64_t repeated;
    uint64_t payload; /* bytes of what was stored, as they came */
    uint64_t commits;
    uint64_t damaged; /* stored values found unreadable */
    uint64_t differing; /* of those stored: beside one of the same id and other content */
};

/* Makes or opens the archive at options->path; one that an archive of the same owner has
 * open is opened when that is closed, and AFF_ERR_IO until then. On failure the cause is
 * in `cause` (which is never longer than its room) and nothing is left behind. */
aff_status archive_open(struct archive **ret, const struct archive_options *options,
                        const struct archive_hooks *hooks, char *cause, size_t room);
/* Gives everything back. What waits and was not committed is dropped. */
void archive_close(struct archive *archive);

/* Takes a copy. AFF_ERR_IO, AFF_ERR_MEMORY: not taken, offer it again. */
aff_status archive_put(struct archive *archive, const struct aff_record *record);
/* Makes all that was taken safe on disk. */
aff_status archive_commit(struct archive *archive);

const char *archive_cause(const struct archive *archive);
const struct archive_counts *archive_counted(const struct archive *archive);
/* Bytes in use, and the limit's share of them as 0 to 1 and above. */
uint64_t archive_used(const struct archive *archive, double *ret_share);

#endif
