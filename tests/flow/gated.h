/* gated.h - a source that gives as much as it is let, at a pace that leaves time to do
 * something meanwhile; its records are those that far ends judge (ends.h). A thread of its
 * own rouses it now and then. */
#ifndef AFFERENT_TESTS_GATED_H
#define AFFERENT_TESTS_GATED_H

#include <stdatomic.h>
#include <stdbool.h>

#include <afferent/plugin.h>

/* Its config. */
struct gate {
    _Atomic uint64_t upto;
    _Atomic int opened; /* how often */
    _Atomic int closed;
    _Atomic uint64_t told; /* latest epoch that was said to be safe */
    bool ends;
};
extern const struct aff_plugin gated;

#endif
