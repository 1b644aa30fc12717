/* model.h - what the tests set of the model plugin (model.c). */
#ifndef AFFERENT_TESTS_MODEL_H
#define AFFERENT_TESTS_MODEL_H

#include <stdlib.h>
#include <time.h>

#include <afferent/plugin.h>

struct model_point {
    int64_t x;
    const char *label;
};
struct model_limit {
    const char *key;
    double value;
};
struct model_config {
    int64_t add;
    const char *who;
    const struct model_point *point;
    struct aff_list words;
    struct aff_list limits;
    int64_t random; /* 1: random numbers go into what it makes */
    int64_t big; /* bytes of the snapshot; 0: what it needs */
};

extern const struct aff_plugin model_editor, model_keeper;

/* What an action of a record does, in a child. */
enum { ACT_ABORT = 1, ACT_ABORT_IN_BATCH, ACT_HANG };
static inline void model_act(uint64_t action, uint32_t count)
{
    if (action == ACT_ABORT || (action == ACT_ABORT_IN_BATCH && count > 1))
        abort();
    while (action == ACT_HANG)
        nanosleep(&(struct timespec){ 1, 0 }, NULL);
}

#endif
