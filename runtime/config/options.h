/* options.h - a table of a node, checked against an option table.
 *
 * One function for a plugin's options and for the host's own keys: it knows
 * every option type, reports each mistake with its place and a suggestion, and
 * fills a config struct whose memory is the plan's arena.
 *
 * Not here: what options mean together (the plugin's validate), the option
 * tables themselves. */
#ifndef AFFERENT_CONFIG_OPTIONS_H
#define AFFERENT_CONFIG_OPTIONS_H

#include <afferent/plugin.h>

#include "config/value.h"
#include "load/plugin.h"

struct options_job {
    struct arena *arena;
    struct report *report;
    const char *base;           /* the TOML file: relative paths count from it */
    const char *node;           /* for messages; may be NULL */
    const char *plugin;         /* for `afferent plugin info`; may be NULL */
    const char *const *others;  /* keys that are somebody else's; ended by NULL */
    const char *const *later;   /* keys of a later version; ended by NULL */
    struct place missing;       /* where a missing option is reported */
};

/* Fills the struct at `config` (zeroed, as large as the table says) from
 * `table`, which may be NULL: then only presets count. `prefix` is "" or the
 * path of this table with a dot ("band."). False after an error was reported. */
bool options_fill(const struct options_job *job, const struct aff_option *options, uint32_t count,
                  const struct value *table, const char *prefix, void *config);

/* [control] What tells this configuration of a plugin from others: XXH3 of its name,
 * version and the values in `config`, as options_fill left them. False: no memory. */
bool options_hash(const struct plugin *plugin, const void *config, uint64_t *ret_hash);

/* Inside: one value into the member at `cell` (option_value.c). `path` is the
 * option with its prefix. */
bool option_scalar(const struct options_job *job, const struct aff_option *option,
                   const struct value *value, const char *path, void *cell);

/* How an option of this type is written: "an integer", "a duration such as ...". */
const char *option_expected(const struct options_job *job, const struct aff_option *option);

/* `path` as seen from the folder of the file `base`, absolute; in the arena. */
char *option_path(struct arena *arena, const char *base, const char *path);

#endif
