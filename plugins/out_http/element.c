/* element.c - see record.h.
 *
 * Not here: JSON (http/record.c), FHIR (fhir.c). */
#include "record.h"

const char *record_write(struct text *t, const struct config *config, const struct source *from)
{
    size_t before = t->size;
    const char *problem = NULL;

    if (config->format == FORMAT_RAW && from->record->type != AFF_BYTES && from->record->type != AFF_IMAGE)
        problem = "rows and samples have no bytes of their own; send them as json or fhir";
    else if (config->format == FORMAT_RAW)
        text_add(t, from->record->data, from->record->size);
    else if (config->format == FORMAT_FHIR)
        problem = record_fhir(t, config->fhir, from);
    else
        problem = record_json(t, from);
    if (problem)
        t->size = before;
    return problem;
}
