/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.h - a schema as bytes on the link, and whether bytes fit a schema.
 *
 *   1 type   1 format   1 label   1 has a name   4 columns
 *   8 rate_num   8 rate_den
 *   columns, each: 8 gain   8 baseline   1 type   1 label   1 required
 *                  1 texts: 1 unit, 2 code
 *   then texts, each 2 bytes of length and UTF-8: the schema's name where it has one,
 *   and for each column its name, unit, code
 *
 * Its identity on the link is the hash of these bytes (XXH3, 64 bits).
 * Nothing that is read is believed. */
#ifndef ZMQ_LINK_SCHEMA_H
#define ZMQ_LINK_SCHEMA_H

#include <afferent/plugin.h>

#include <stdbool.h>

/* [any] Bytes used, 0: it does not fit into `room`. */
size_t link_schema_write(const struct aff_schema *schema, void *to, size_t room);
/* [any] Gives a schema in one piece of memory, for free(); NULL: the bytes are none, or
 * (*ret_memory) there is no memory. */
struct aff_schema *link_schema_read(const void *bytes, size_t size, bool *ret_memory);
uint64_t link_schema_hash(const void *bytes, size_t size);

/* [any] Whether a record's bytes, at any address, are what the schema says: cells and
 * texts within them, as many planes as there are channels. */
bool link_fits(const struct aff_schema *schema, const void *data, size_t size);

#endif
