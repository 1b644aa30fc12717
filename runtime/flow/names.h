/* names.h - subjects, streams and schemas as small integers of this run.
 *
 * Interning takes a lock and is rare; looking up by integer takes none: entries
 * never move, and whoever holds an integer got it through an edge. Integers are
 * dense, start at 1, and are bounded. When all streams that sources gave a
 * subject (where a processor made it: that processors did) have ended and the epoch of the last end is committed, the subject and
 * its streams are let go, and their integers are used anew with a higher
 * generation: a node may read ten thousand files. From the last end on the name
 * means a new subject, so that what a node keeps for it begins at zero whether the
 * commit came before the next file of the same patient or after it.
 *
 * Not here: what nodes keep per stream (node.c). */
#ifndef AFFERENT_FLOW_NAMES_H
#define AFFERENT_FLOW_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include <afferent/plugin.h>

enum { NAMES_SUBJECTS = 4096, NAMES_STREAMS = 16384, NAMES_SCHEMAS = 1024 };

struct names;

struct names *names_open(void);
void names_close(struct names **names);

/* Who names: a node that writes to streams and will end them, or (by `none`) one
 * that only looks. */
struct names_by {
    uint32_t node;
    bool is_source;
    bool none;
    bool finds_only; /* there is no room for more: what has a number is found all the same */
    bool holds; /* the stream is held (names_hold) in the same moment: nobody lets it go in between */
    const uint32_t *kept; /* of who holds: by stream, not 0: of those with this name the oldest
                           * such one is meant, even if it has ended. NULL: the one that lives */
};

/* [any] 0: the bound is reached, or no memory. A subject stays until who asked for
 * it has opened a stream of it. */
uint32_t names_subject(struct names *names, const char *name, struct names_by by);
uint32_t names_stream(struct names *names, uint32_t subject, const char *name, uint32_t schema, struct names_by by);
/* [any] Both at once, for who only looks; the stream comes held (names_hold). `kept`: as in
 * names_by. */
uint32_t names_held(struct names *names, const char *subject, const char *stream, uint32_t schema,
                    const uint32_t *kept, uint32_t *ret_subject);
uint32_t names_schema(struct names *names, const struct aff_schema *schema);

/* [any] NULL for an integer that is not in use. */
const char *names_subject_name(const struct names *names, uint32_t subject);
const struct aff_stream_info *names_stream_info(const struct names *names, uint32_t stream);
const struct aff_schema *names_schema_info(const struct names *names, uint32_t schema);
/* [any] What a schema is by its content: the hash of its canonical text, 0 for none;
 * and the integer of that schema here, 0: it was never interned. */
uint64_t names_schema_identity(const struct names *names, uint32_t schema);
uint32_t names_schema_find(struct names *names, uint64_t identity);
/* [any] How often the subject's integer has been used before. */
uint32_t names_subject_generation(const struct names *names, uint32_t subject);

/* [any] Whether the integer is in use and has this generation; *ret_name is then a
 * hash of its names. Takes the lock: for those who look at integers that they have not
 * got by a record. */
bool names_subject_is(struct names *names, uint32_t subject, uint32_t generation, uint64_t *ret_name);
bool names_stream_is(struct names *names, uint32_t stream, uint32_t generation, uint64_t *ret_name);

/* When something happened: an epoch of a commit domain, as one number. A plain
 * epoch is one of domain 0. */
static inline uint64_t names_when(uint32_t domain, uint64_t epoch)
{
    return (uint64_t)domain << 48 | (epoch & (((uint64_t)1 << 48) - 1u));
}
/* Whether it was in an epoch below `below`, of the same domain. */
static inline bool names_within(uint64_t when, uint64_t below)
{
    return when >> 48 == below >> 48 && when < below;
}

/* [data] The node ended the stream then. */
void names_end(struct names *names, uint32_t stream, uint32_t node, uint64_t when);
/* [data] A record of the stream is held beyond its batch, and let go then: in
 * between, and until that epoch is committed, its subject stays. */
void names_hold(struct names *names, uint32_t stream);
void names_unhold(struct names *names, uint32_t stream, uint64_t when);
/* [any] All epochs of a domain below this one (by names_when) are committed: lets go
 * of what had ended in them. */
void names_commit(struct names *names, uint64_t committed);

/* [control] What the node wrote to, the node `to` does from now on; nobody does. */
void names_hand_over(struct names *names, uint32_t node, uint32_t to);
void names_leave(struct names *names, uint32_t node);

/* [any] Rises whenever what wire_names writes becomes another. */
uint64_t names_changes(const struct names *names);
/* [any] Subjects and streams in use now. */
uint32_t names_subjects(const struct names *names);
uint32_t names_streams(const struct names *names);

#endif
