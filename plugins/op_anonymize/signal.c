/* SPDX-License-Identifier: Apache-2.0
 *
 * signal.c - one record of samples: the same samples under another identity.
 *
 * The planes are copied into a new record, and what lies between and behind them
 * is not: there is room for a few bytes there that nobody looks at. */
#include <string.h>

#include "anonymize.h"

static void planes_copy(const struct aff_record *from, struct aff_record *to)
{
    const struct aff_samples *in = from->data;
    struct aff_samples *out = to->data;
    size_t stride = aff_plane_stride(in->count, in->format);
    size_t bytes = (size_t)in->count * aff_sample_width(in->format);

    *out = (struct aff_samples){ in->first, in->count, in->channels, in->format, 0 };
    for (uint16_t k = 0; k < in->channels; k++) {
        char *plane = aff_plane(to, k);

        memcpy(plane, aff_plane(from, k), bytes);
        memset(plane + bytes, 0, stride - bytes);
    }
}

static bool is_whole(const struct plan *p, const struct aff_record *r)
{
    const struct aff_samples *head = r->data;

    return !p->is_wide && aff_samples_ok(r->data, r->size) && head->channels == p->columns_in &&
           head->format == p->format;
}

static aff_status samples_emit(struct anonymize *a, const struct aff_record *r, uint32_t input,
                               const struct identity *who, uint32_t schema)
{
    const struct aff_samples *head = r->data;
    uint32_t size = (uint32_t)aff_samples_size(head->count, head->channels, head->format);
    struct aff_record *draft = a->host->reserve(a->host, PORT_SAMPLES, input, size);
    aff_status st;

    if (!draft)
        return AFF_ERR_MEMORY;
    header_fill(a, draft, r, who);
    draft->type = AFF_SAMPLES;
    draft->schema = schema;
    planes_copy(r, draft);
    st = a->host->emit(a->host, draft, size);
    if (st != AFF_OK)
        return st;
    a->records++;
    a->samples += (uint64_t)head->count * head->channels;
    a->host->count(a->host, METRIC_SAMPLES, 1);
    return AFF_OK;
}

aff_status samples_change(struct anonymize *a, const struct aff_record *r, uint32_t input, uint8_t *ret_verdict)
{
    const struct plan *p = plan_get(a, r->schema);
    const struct identity *who;
    uint32_t schema;

    if (!p)
        return AFF_ERR_MEMORY;
    if (!is_whole(p, r))
        return verdict_set(ret_verdict, VERDICT_BAD_RECORD);
    schema = p->schema_out;
    who = identity_get(a, r->stream, AFF_SAMPLES, schema);
    if (!who)
        return AFF_ERR_MEMORY;
    if (!event_fits(r, who))
        return verdict_set(ret_verdict, VERDICT_TIME_RANGE);
    *ret_verdict = VERDICT_REWRITTEN;
    return samples_emit(a, r, input, who, schema);
}
