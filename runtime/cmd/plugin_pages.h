/* plugin_pages.h - one plugin explained: for people, for programs, for the docs.
 *
 * All three are made from the tables of the plugin and say the same.
 *
 * Not here: the verb and its flags (plugin.c). */
#ifndef AFFERENT_CMD_PLUGIN_PAGES_H
#define AFFERENT_CMD_PLUGIN_PAGES_H

#include <stdbool.h>
#include <stdio.h>

#include "load/plugin.h"
#include "util/text.h"

void plugin_print_text(const struct plugin *plugin, FILE *out);
void plugin_print_json(const struct plugin *plugin, FILE *out);
void plugin_print_page(const struct plugin *plugin, FILE *out); /* Markdown */

/* ---- words for what stands in a table (plugin_words.c) ---- */

const char *option_type_name(uint32_t type);     /* "duration" */
const char *verdict_kind_name(uint32_t kind);    /* "drop" */
const char *column_type_name(uint32_t type);     /* "real" */
const char *priority_name(uint32_t priority);    /* "alarm" */
const char *format_name(uint32_t format);        /* "i16" */
const char *metric_kind_name(uint32_t kind);     /* "counter" */

/* "duration", "list of real", "map of tables". */
void option_add_type(struct text *text, const struct aff_option *option);
/* "50 to 4000000 baud", "1 to 20 items", "fast, realtime"; nothing where all is allowed. */
void option_add_range(struct text *text, const struct aff_option *option);
/* A bound as one would write it in TOML, without quotes: "250ms". */
void option_add_bound(struct text *text, const struct aff_option *option, double bound);
bool option_has_range(const struct aff_option *option);
/* The options of a table, list or map that have names; 0 for one of scalars. */
uint32_t option_named_count(const struct aff_option *option);
/* "samples, fields" of a mask. */
void types_add(struct text *text, uint32_t types);
/* What a bit of `flags` means, one by one; NULL behind the last. */
const char *plugin_flag_name(uint32_t bit);
const char *port_flag_name(uint32_t bit);

/* An option, and where it stands: "" or "band." in front of its name. */
typedef void option_visit(void *arg, const struct aff_option *option, const char *prefix, unsigned depth);
/* Calls `visit` for each option and then for those nested in it. */
void options_walk(const struct plugin *plugin, option_visit *visit, void *arg);

#endif
