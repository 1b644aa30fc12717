/* catalogue.h - the list of what an archive holds: a line a stream and schema.
 *
 * Records come in order of subject and stream, so the lines of one stream are
 * kept at a time.
 *
 * Not here: the records themselves (answer.h). */
#ifndef AFFERENT_SHOW_CATALOGUE_H
#define AFFERENT_SHOW_CATALOGUE_H

#include "show/answer.h"

/* What a stream has of one schema. */
struct catalogue_entry {
    uint32_t schema;
    char *name; /* the schema's */
    uint64_t records;
    uint64_t samples;
    int64_t first_ns;
    int64_t last_ns;
};

struct catalogue {
    struct answer *answer;
    char *subject;
    char *stream;
    struct catalogue_entry *entries;
    uint32_t count;
    bool failed;
};

/* Begin with the answer set and the rest zero. */
void catalogue_record(struct catalogue *catalogue, const struct aff_host *host, const struct aff_record *record);
/* Prints the last lines. False without memory: lines are missing. */
bool catalogue_close(struct catalogue *catalogue);

#endif
