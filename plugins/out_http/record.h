/* record.h - a record as a part of a request's body.
 *
 * An element of JSON is left open: its closing brace is written when the request is
 * put together (frame), since only then is known whether it may have been delivered
 * before. An id is HEX-NUMBER, the same in each replay. */
#ifndef OUT_HTTP_RECORD_H
#define OUT_HTTP_RECORD_H

#include "config.h"
#include "text/text.h"

struct source {
    const struct aff_record *record;
    const struct aff_schema *schema; /* NULL: none is known */
    const char *subject, *stream;
};

enum { ID_ROOM = 40 };

/* [any] Writes an id to ret (ID_ROOM bytes). */
void record_id(struct aff_id id, char *ret);

/* [data] Appends a record, in the format of the configuration. NULL, or why it cannot
 * be: then the text is as it was. */
const char *record_write(struct text *t, const struct config *config, const struct source *from);

/* The same for one format: a JSON object, an entry of a FHIR Bundle. */
const char *record_json(struct text *t, const struct source *from);
const char *record_fhir(struct text *t, const struct fhir_config *config, const struct source *from);

/* The index-th column of a schema. */
struct aff_column record_column(const struct aff_schema *schema, uint32_t index);
/* Sample `i` of a plane, as a double in adc units; NaN: missing. */
double record_sample(const struct aff_record *record, uint16_t channel, uint32_t i);

#endif
