/* SPDX-License-Identifier: Apache-2.0
 *
 * score.h - what a model makes of its features: the backends.
 *
 * A backend is one row of a table, found by the model file's "link". A further
 * kind (trees, a network) is a further row, with what it needs in struct model. */
#ifndef OP_SCORE_SCORE_H
#define OP_SCORE_SCORE_H

#include "model.h"

#include <stdbool.h>

struct score {
    double score;       /* linear models: the predictor */
    double probability; /* where the backend gives one */
};

struct score_backend {
    const char *link;
    bool gives_probability;
    /* `values`: one for each feature, in the model's order, all finite. False: no
     * finite result. Allocates nothing. */
    bool (*run)(const struct model *model, const double *values, struct score *ret);
};

/* Borrowed, constant. */
const struct score_backend *score_backend(const struct model *model);

/* 1 / (1 + exp(-x)), without overflow on either side. */
double score_sigmoid(double x);

#endif
