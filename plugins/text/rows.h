/* rows.h - a record as lines of text.
 *
 * Every line begins with time, subject and stream. A row of fields is one line,
 * a record of samples one line for each sample, with the channels in their
 * physical units; bytes and images are one line with `text` where they are
 * UTF-8 (bytes only), else `base64`.
 *
 * Not here: files (file.c). How values look is in text.c.
 */
#ifndef OUT_FILE_ROWS_H
#define OUT_FILE_ROWS_H

#include <afferent/plugin.h>

#include "text/text.h"

struct row_source {
    const struct aff_record *record;
    const struct aff_schema *schema; /* NULL: unknown; then only bytes work */
    const char *subject;
    const char *stream;
    enum text_style style;
    int ids; /* with the record's id */
};

/* The first line of a CSV file with such records. */
void rows_header(struct text *t, const struct row_source *from);
/* NULL, or why this record cannot be written; then t is as it was. */
const char *rows_write(struct text *t, const struct row_source *from);

#endif
