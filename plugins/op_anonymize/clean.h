/* SPDX-License-Identifier: Apache-2.0
 *
 * clean.h - the words of a schema that may stay: those that cannot be a name.
 *
 * Units, codes and channel names may come out of a recording's header, where
 * anybody can write anything. What is not plainly one of the known is left out. */
#ifndef OP_ANONYMIZE_CLEAN_H
#define OP_ANONYMIZE_CLEAN_H

#include <afferent/plugin.h>

enum { CHANNEL_CHARS = 16 };

/* The same unit if it is UCUM of the atoms that bedside data has, else NULL. */
const char *unit_clean(const char *unit);
/* The same code if it is LOINC with the right check digit, else NULL. */
const char *code_clean(const char *code);
/* The usual spelling of a standard lead or signal name, else NULL. */
const char *channel_clean(const char *name);

/* Channel `i` of `in` as it may be known outside: under its standard name, once,
 * else as "ch1", "ch2", made in `made`. `out` has the channels before it. */
void channel_make(struct aff_column *out, uint32_t i, const struct aff_column *in, char made[CHANNEL_CHARS]);

#endif
