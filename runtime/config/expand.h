/* expand.h - ${env:NAME}, ${file:PATH} and --set: what comes from outside the file.
 *
 * In any text value:
 *   ${env:NAME}            the environment variable; unset is an error
 *   ${env:NAME:-default}   the default when it is unset or empty
 *   ${file:PATH}           the content of a file, without one last newline;
 *                          a relative path counts from the TOML file
 *   $${                    a "${" that is meant as such
 * What comes in is text: it is not searched again and cannot become a table.
 *
 * Not here: which options take paths or secrets (options.h). */
#ifndef AFFERENT_CONFIG_EXPAND_H
#define AFFERENT_CONFIG_EXPAND_H

#include "config/value.h"

/* Replaces in place, in the whole tree; each failure is one message with the
 * place of its value. `base` is the name of the TOML file. */
void expand_values(struct arena *arena, struct report *report, const char *base,
                   struct value *document);

/* Applies "NODE.OPTION=VALUE" or "pipeline.KEY=VALUE"; OPTION may be a dotted
 * path into tables. VALUE is TOML, or else a text as it stands. Messages name
 * "--set NODE.OPTION" as their file, or `flag` where another flag sets it, so a value never shows. Call before
 * expand_values, so that a text may hold ${...} too. */
void expand_set(struct arena *arena, struct report *report, struct value *document,
                const char *assignment, const char *flag);

#endif
