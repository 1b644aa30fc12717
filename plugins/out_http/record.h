/* record.h - a record as a part of a request's body, in the format of the configuration.
 *
 * Not here: the JSON object that most formats are made of (http/record.h). */
#ifndef OUT_HTTP_RECORD_H
#define OUT_HTTP_RECORD_H

#include "config.h"
#include "http/record.h"

/* [data] Appends a record. NULL, or why it cannot be: then the text is as it was. */
const char *record_write(struct text *t, const struct config *config, const struct source *from);

/* An entry of a FHIR Bundle. */
const char *record_fhir(struct text *t, const struct fhir_config *config, const struct source *from);

#endif
