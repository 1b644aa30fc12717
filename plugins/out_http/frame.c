/* frame.c - see frame.h.
 *
 * No record is marked as sent before: a request that is sent again would have other bytes
 * under the same Idempotency-Key, which a server may refuse. A header says it.
 *
 * Not here: the elements (element.c, fhir.c), joining and packing (http/pack.c). */
#include "frame.h"

static const struct frame_marks transaction = { "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[", ",", "}", "}", "]}" };
static const struct frame_marks batch = { "{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[", ",", "}", "}", "]}" };
static const struct frame_marks list = { "[", ",", "}", "}", "]" };
static const struct frame_marks lines = { "", "", "}\n", "}\n", "" };
static const struct frame_marks raw = { "", "", "", "", "" };

static const struct frame_marks *marks_of(const struct config *config)
{
    switch (config->format) {
    case FORMAT_JSON:
        return &list;
    case FORMAT_NDJSON:
        return &lines;
    case FORMAT_FHIR:
        return config->fhir && config->fhir->bundle == BUNDLE_BATCH ? &batch : &transaction;
    default:
        return &raw;
    }
}

bool frame_write(struct text *ret, const struct config *config, const struct text *elements, const struct item *items,
                 uint32_t count)
{
    ret->size = 0;
    frame_join(ret, marks_of(config), elements, items, count);
    if (!ret->failed)
        return true;
    text_free(ret);
    return false;
}

const char *frame_type(const struct config *config)
{
    static const char *const types[] = { "application/json", "application/x-ndjson", "application/fhir+json",
                                         "application/octet-stream" };

    return config->content_type ? config->content_type : types[config->format];
}
