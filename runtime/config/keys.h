/* keys.h - the host's own keys, as option tables.
 *
 * The tables that check a file are the ones that describe it to an editor.
 *
 * Not here: the plugins' tables (load/plugin.h). */
#ifndef AFFERENT_CONFIG_KEYS_H
#define AFFERENT_CONFIG_KEYS_H

#include <stdint.h>

#include <afferent/plugin.h>

/* What [pipeline], [link.NAME], a node's `edge` and a node's `run` may hold. */
const struct aff_option *keys_pipeline(uint32_t *ret_count);
const struct aff_option *keys_link(uint32_t *ret_count);
const struct aff_option *keys_edge(uint32_t *ret_count);
const struct aff_option *keys_run(uint32_t *ret_count);

#endif
