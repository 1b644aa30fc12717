/* golden_plugins.h - plugins that exist for the configuration tests only.
 *
 * They stand in for the loader, so that a test of the configuration depends on
 * no shared object and its expected messages change only with itself. */
#ifndef AFFERENT_TESTS_GOLDEN_PLUGINS_H
#define AFFERENT_TESTS_GOLDEN_PLUGINS_H

#include <stdint.h>

#include <afferent/plugin.h>

#include "load/plugin.h"

/* The config of op_every: one option of every type. */
struct every_config {
    int64_t order;
    double level;
    int32_t is_on;
    const char *label;
    int32_t shape;
    int64_t window_ns;
    int64_t room;
    double cutoff_hz;
    const char *model;
    const char *token;
    const struct band_config *band;
    struct aff_list channels;   /* int64_t each */
    struct aff_list columns;    /* struct column_config */
    struct aff_list gains;      /* struct gain_config */
};
struct band_config { double low_hz, high_hz; int64_t order; };
struct column_config { const char *name; const char *unit; };
struct gain_config { const char *key; double gain; };

/* Plugins for types and privacy (golden_labels.c). */
enum { GOLDEN_LABELS = 16 };
extern const struct plugin golden_labels[GOLDEN_LABELS];

#endif
