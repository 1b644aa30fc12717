/* SPDX-License-Identifier: Apache-2.0
 *
 * fill.h - texts with places in braces that are filled from a row, for people:
 * "{severity} {place}: {text}".
 *
 * A place is a column's name, or time, subject, stream or id, where no column is called
 * so; "{{" and "}}" are the braces. A value that is filled in is always one line of
 * valid UTF-8, at most FILL_VALUE_MOST bytes, whatever it was; one that is missing is
 * "-".
 *
 * Not here: what a text is for (each plugin's own escaping comes on top). */
#ifndef TEXT_FILL_H
#define TEXT_FILL_H

#include <afferent/plugin.h>

#include "text/text.h"

#include <stdbool.h>

enum { FILL_PIECES = 32, FILL_MOST = 2048, FILL_NAME_MOST = 64, FILL_VALUE_MOST = 1024 };

/* Borrowed from the text. */
struct fill_piece {
    const char *at;
    uint16_t length;
    bool is_name;
};

struct fill {
    struct fill_piece pieces[FILL_PIECES];
    uint32_t count;
};

/* [control] NULL, or what is wrong with the text and what to do: "has a { that ...".
 * `may_break`: it may have several lines. */
const char *fill_read(struct fill *ret, const char *text, bool may_break);

/* [control] For a plugin's shape: whether each name is a column of each input whose
 * columns are known. False: a problem of `option` was said. */
bool fill_check(const struct fill *f, const struct aff_table *inputs, const char *option, const struct aff_report *report);

/* A row, and the names that are no columns. Borrowed. */
struct fill_row {
    const struct aff_record *record;
    const struct aff_schema *schema;
    const char *subject, *stream;
};

/* [data] The row behind a record. False, having explained it: it is no whole row. */
bool fill_row_get(struct fill_row *ret, const struct aff_host *host, const struct aff_record *record);

/* [any] The text, filled in. */
void fill_write(struct text *t, const struct fill *f, const struct fill_row *row);

/* [any] A column by its place; and its value, false: it is missing. */
struct aff_column fill_column(const struct aff_schema *schema, uint32_t index);
bool fill_cell(struct text *t, const struct fill_row *row, uint32_t index);
/* A column by its name, -1: there is none. */
int32_t fill_find(const struct aff_schema *schema, const char *name, size_t length);

/* The id of a record, as in an archive's rows: ID_ROOM bytes at most. */
void fill_id(struct text *t, struct aff_id id);
/* "2026-11-21 07:03:10Z": for people. */
void fill_time(struct text *t, int64_t utc_ns);

/* Cuts what was written behind `from` to `most` bytes (4 or more), between two
 * characters, ending in "...". True: it was too long. */
bool fill_cut(struct text *t, size_t from, size_t most);

#endif
