/* SPDX-License-Identifier: Apache-2.0
 *
 * record.h - a record as an object of JSON.
 *
 * It is left open: its closing brace is written when the request is put together
 * (pack.h), since only then is known whether it may have been delivered before. An id
 * is HEX-NUMBER, the same in each replay. */
#ifndef HTTP_RECORD_H
#define HTTP_RECORD_H

#include <afferent/plugin.h>

#include "text/text.h"

struct source {
    const struct aff_record *record;
    const struct aff_schema *schema; /* NULL: none is known */
    const char *subject, *stream;
};

enum { ID_ROOM = 40 };

/* [any] Writes an id to ret (ID_ROOM bytes). */
void record_id(struct aff_id id, char *ret);

/* [data] Appends a record. NULL, or why it cannot be: then the text may have a part of it. */
const char *record_json(struct text *t, const struct source *from);

/* The index-th column of a schema. */
struct aff_column record_column(const struct aff_schema *schema, uint32_t index);
/* Sample `i` of a plane, as a double in adc units; NaN: missing. */
double record_sample(const struct aff_record *record, uint16_t channel, uint32_t i);

#endif
