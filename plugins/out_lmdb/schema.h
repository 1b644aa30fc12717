/* schema.h - the canonical text of a schema: what the archive keeps of it.
 *
 * First line: "schema 1", type, format, label, rate (two numbers), columns,
 * name. Then a line for each column: type, label, required, gain and baseline
 * (their bits, hexadecimal), name, unit, code. Words are joined by one space;
 * in them every byte up to the space, '%' and DEL is written %XX, nothing at
 * all as "%00", a missing text as "-". Equal schemas have equal texts.
 */
#ifndef OUT_LMDB_SCHEMA_H
#define OUT_LMDB_SCHEMA_H

#include <afferent/plugin.h>

/* Returns the length, 0 if the text would not fit into room. */
size_t schema_write(char *text, size_t room, const struct aff_schema *schema);

/* Gives a schema in one piece of memory, for free(); NULL if the text makes no
 * sense, or without memory (then *ret_memory is 1). */
struct aff_schema *schema_read(const char *text, size_t length, int *ret_memory);

#endif
