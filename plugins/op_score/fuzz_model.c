/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_model.c - any bytes as a model file: it is taken or refused, no more. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "score.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct model *m)
{
    double values[MODEL_FEATURES_MAX];
    struct score s;
    uint32_t i, bytes = 0;

    if (!m->count || m->count > MODEL_FEATURES_MAX || !m->name || !m->version || m->link < 0 || m->link >= LINKS)
        abort();
    for (i = 0; i < m->count; i++) {
        const struct feature *f = &m->features[i];

        if (!f->name || !*f->name || strlen(f->name) > MODEL_TEXT_MAX || !(f->scale > 0) || f->min > f->max ||
            !isfinite(f->mean) || !isfinite(f->weight))
            abort();
        bytes += (uint32_t)strlen(f->name) + 1;
        values[i] = f->mean;
    }
    if (bytes != m->name_bytes)
        abort();
    if (score_backend(m)->run(m, values, &s) && m->link == LINK_LOGISTIC &&
        !(s.probability >= 0 && s.probability <= 1))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(1, size + MODEL_PADDING);
    struct model_fault fault = { "" };
    struct model *m = NULL;
    aff_status st;

    if (!text)
        return 0;
    memcpy(text, data, size);
    st = model_parse(NULL, text, size, &m, &fault);
    free(text);
    if (st == AFF_OK)
        check(m);
    else if (m || (st == AFF_ERR_CONFIG && !*fault.text))
        abort();
    free(m);
    return 0;
}
