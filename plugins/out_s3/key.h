/* key.h - the names of objects: a template, and what comes with the data.
 *
 *     "{subject}/{stream}/{date}/{time}-{id}{suffix}"
 *     bed!203/vitals/2026-03-05/20260305T120000.500Z-9f3c0d62a1b4e877-41.ndjson
 *
 * What comes from data never becomes a path: of a value only letters, digits, '-', '_'
 * and a '.' that is not the first stand as they are, every other byte as '!' and two hex
 * digits. An empty value is "!empty", a missing one "!none", one that would be longer
 * than KEY_VALUE_MOST is cut and ends with "!~" and its hash. Two values never give the
 * same text.
 *
 * Records of one object have all parts but {time} and {id} in common. {time} is that of
 * the first record; {id} is its id, and where there are more, their number and a hash of
 * all ids: the same records are the same object whenever they are sent, and an object is
 * never overwritten by one that has other records.
 *
 * Not here: how a key stands in a URL (sign.h). */
#ifndef OUT_S3_KEY_H
#define OUT_S3_KEY_H

#include <stdbool.h>

#include "config.h"
#include "http/record.h"

enum { KEY_MOST = 1024, KEY_VALUE_MOST = 128, KEY_FIXED_MOST = 256 };

/* [any] NULL, or what is wrong with a template, what was expected, what to do. */
const char *key_problem(const char *template);
/* [any] Calls `take` for each column that a template names. */
void key_columns(const char *template, void (*take)(void *self, const char *name, size_t size), void *self);

/* [data] Appends what records of one object have in common, with marks in the places of
 * {time} and {id}; the group of http/pump.h. Without a zero inside. */
void key_group(struct text *t, const struct config *config, const struct source *from);

/* [any] Appends the key of an object with these records. False: it is longer than
 * KEY_MOST, or there is no memory. */
bool key_write(struct text *t, const char *group, size_t group_size, const struct item *items, uint32_t count);

/* [any] Whether a key may have been made of this template: it has an {id} in the right
 * place, and no value is more than one step of a path. */
bool key_is_ours(const struct config *config, const char *key);
/* [any] Appends what all keys begin with. */
void key_prefix(struct text *t, const struct config *config);

#endif
