/* SPDX-License-Identifier: Apache-2.0
 *
 * model.h - a model, and the JSON file that it comes from.
 *
 *     { "afferent_model": 1, "name": "wdbc", "version": "1.0", "link": "logistic",
 *       "intercept": -0.17, "names": ["radius", ...], "means": [14.3, ...],
 *       "scales": [3.58, ...], "weights": [0.51, ...] }
 *
 * Optional: "mins", "maxs" and "units", one for each name or null, and "unit" and
 * "code" of what a linear model gives. Other keys are refused: whoever writes
 * "mean" must not get a model without means.
 *
 * Not here: what a model gives (score.h), which columns it reads (match.h). */
#ifndef OP_SCORE_MODEL_H
#define OP_SCORE_MODEL_H

#include <afferent/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    MODEL_FEATURES_MAX = 1000,
    MODEL_TEXT_MAX = 128,     /* bytes of a name, unit, version */
    MODEL_FILE_MAX = 1 << 20, /* bytes */
    MODEL_PADDING = 64,       /* readable bytes that the parser wants behind a text */
    MODEL_HASH = 64           /* characters of a SHA-256 in hex */
};

enum { LINK_LINEAR, LINK_LOGISTIC, LINKS };
extern const char *const model_links[LINKS];

struct feature {
    const char *name;
    const char *unit; /* NULL: not said */
    double mean, scale, weight;
    double min, max; /* of the training; infinite where not said */
};

struct model {
    const char *name, *version;
    const char *unit, *code; /* of a linear model's result; NULL: not said */
    const struct feature *features;
    double intercept;
    uint32_t count; /* features */
    uint32_t name_bytes; /* of all names, ends included */
    int32_t link;
    char hash[MODEL_HASH + 1]; /* of the file's bytes */
};

struct model_fault {
    char text[400]; /* "model.json:3:14: what is wrong; what was expected" */
};

/* Reads `size` bytes of JSON; MODEL_PADDING more must be readable. AFF_OK,
 * AFF_ERR_CONFIG with a fault that begins with line and column, or
 * AFF_ERR_MEMORY. The model is one block of `host`, or of calloc if that is NULL. */
aff_status model_parse(const struct aff_host *host, const char *text, size_t size, struct model **ret,
                       struct model_fault *fault);

/* The same from a file, with its hash. A file that cannot be read: AFF_ERR_IO. */
aff_status model_load(const struct aff_host *host, const char *path, struct model **ret, struct model_fault *fault);

void *model_take(const struct aff_host *host, size_t size);
void model_give(const struct aff_host *host, void *memory);

#ifdef __cplusplus
}
#endif
#endif
