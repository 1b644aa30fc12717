/* schema_json.h - the JSON Schema of pipeline files, made from the option tables.
 *
 * Not here: what a schema cannot say (wiring, types of edges, privacy): `check`. */
#ifndef AFFERENT_SHOW_SCHEMA_JSON_H
#define AFFERENT_SHOW_SCHEMA_JSON_H

#include <stdio.h>

#include "load/plugin.h"

/* JSON Schema draft 7, which editors of TOML read. The plugins are borrowed. */
void schema_json(const struct plugin *const *plugins, size_t count, FILE *out);

#endif
