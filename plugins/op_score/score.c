/* SPDX-License-Identifier: Apache-2.0
 *
 * score.c - linear and logistic models (McCullagh, Nelder 1989, chapters 3, 4).
 *
 * The sum is taken in the model's order and compensated (Neumaier 1974), so that
 * large terms which cancel cost no digits and each run gives the same bits. */
#include "score.h"

#include <math.h>

static double predictor(const struct model *m, const double *values)
{
    double sum = m->intercept, lost = 0, term, next;
    uint32_t i;

    for (i = 0; i < m->count; i++) {
        const struct feature *f = &m->features[i];

        term = (values[i] - f->mean) / f->scale * f->weight;
        next = sum + term;
        lost += fabs(sum) >= fabs(term) ? (sum - next) + term : (term - next) + sum;
        sum = next;
    }
    return sum + lost;
}

double score_sigmoid(double x)
{
    double e;

    if (x >= 0)
        return 1 / (1 + exp(-x));
    e = exp(x);
    return e / (1 + e);
}

static bool linear_run(const struct model *m, const double *values, struct score *ret)
{
    ret->score = predictor(m, values);
    return isfinite(ret->score);
}

static bool logistic_run(const struct model *m, const double *values, struct score *ret)
{
    ret->score = predictor(m, values);
    ret->probability = score_sigmoid(ret->score);
    return isfinite(ret->score);
}

static const struct score_backend backends[LINKS] = {
    [LINK_LINEAR] = { "linear", false, linear_run },
    [LINK_LOGISTIC] = { "logistic", true, logistic_run },
};

const struct score_backend *score_backend(const struct model *model)
{
    return &backends[model->link];
}
