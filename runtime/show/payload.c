/* payload.c - looks into payloads that may be older than this program.
 *
 * What comes from an archive is checked against its schema before it is read:
 * the schema may be another one's after damage that no checksum showed. */
#include <math.h>

#include "show/answer.h"

const struct aff_column *schema_column(const struct aff_schema *schema, uint32_t index)
{
    return (const struct aff_column *)(const void *)((const char *)schema->columns +
                                                     (size_t)index * schema->stride);
}

static bool samples_fit(const struct aff_record *record, const struct aff_schema *schema)
{
    const struct aff_samples *s = record->data;

    return aff_samples_ok(record->data, record->size) && s->channels == schema->count && schema->rate_num > 0 &&
           schema->rate_den > 0;
}

bool payload_fits(const struct aff_record *record, const struct aff_schema *schema)
{
    if (record->type == AFF_SAMPLES)
        return schema && schema->type == AFF_SAMPLES && samples_fit(record, schema);
    if (record->type == AFF_FIELDS)
        return schema && schema->type == AFF_FIELDS && schema->count < UINT32_MAX / 16 &&
               record->size >= aff_row_size(schema->count, 0);
    return record->type == AFF_BYTES || record->type == AFF_IMAGE;
}

bool sample_value(const struct aff_record *record, const struct aff_column *column, uint16_t channel,
                  uint32_t index, double *ret_value)
{
    const struct aff_samples *s = record->data;
    const void *plane = aff_plane(record, channel);
    double raw;

    if (s->format == AFF_I16) {
        int16_t v = ((const int16_t *)plane)[index];

        if (v == INT16_MIN)
            return false;
        raw = v;
    } else if (s->format == AFF_I32) {
        int32_t v = ((const int32_t *)plane)[index];

        if (v == INT32_MIN)
            return false;
        raw = v;
    } else {
        raw = (double)((const float *)plane)[index];
        if (isnan(raw))
            return false;
    }
    *ret_value = column->gain != 0.0 ? (raw - column->baseline) / column->gain : raw;
    return true;
}

void sample_array(struct json *json, const char *name, const struct aff_record *record,
                  const struct aff_column *column, uint16_t channel)
{
    double value;

    json_array(json, name);
    for (uint32_t i = 0; i < aff_samples_of(record)->count; i++) {
        if (sample_value(record, column, channel, i, &value))
            json_real(json, NULL, value);
        else
            json_null(json, NULL);
    }
    json_end(json);
}

int64_t sample_time(const struct aff_record *record, const struct aff_schema *schema, uint32_t index)
{
    long double ns = (long double)index * 1e9L * (long double)schema->rate_den / (long double)schema->rate_num;

    return record->event_ns + (int64_t)(ns + 0.5L);
}
