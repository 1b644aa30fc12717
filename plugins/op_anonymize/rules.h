/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.h - what is to become of a column, by its name.
 *
 * A rule comes from `columns` or from `generalise`. What it may be used on, what
 * type it makes and which label is left are decided here and nowhere else, for
 * `afferent check` and for the run alike. */
#ifndef OP_ANONYMIZE_RULES_H
#define OP_ANONYMIZE_RULES_H

#include "config.h"

struct rule {
    const char *name;
    const struct generalise_config *how; /* of ACTION_GENERALISE */
    const char *kind;                    /* of ACTION_PSEUDONYM */
    enum action action;
    int is_quasi; /* named in the option `quasi` */
};

uint32_t rules_count(const struct config *config);
struct rule rule_at(const struct config *config, uint32_t index);
/* The first rule for a column of this name, or -1. */
int rule_find(const struct config *config, const char *name);
const char *action_name(enum action action);

/* What a rule needs, for a message; NULL where it can be used on this type. 0
 * is a type that is known at run time only. */
const char *rule_misfit(const struct rule *rule, uint8_t type);
/* AFF_REAL ...; 0 where that is the input's and not known. */
uint8_t rule_type(const struct rule *rule, uint8_t type);
/* The label that is left. `label` is the input's; of an open input, phi.
 *
 *              none    quasi   phi
 *  keep        none    quasi   phi      the value says what it said before
 *  keep, TIME  none    quasi   quasi    (with times = "shift": moved as all times are)
 *  clear       none    none    none     the integrator vouches for this column
 *  pseudonym   none    none    none     leads back only with the key
 *  redact      none    none    none
 *  shift       none    quasi   quasi    intervals are left, such as an exact age
 *  generalise  quasi   quasi   quasi    identifies together with others
 *  generalise  quasi   quasi   phi      more than 3 first characters, whole numbers
 *                                       by width = 1, days that do not move */
uint8_t rule_label(const struct config *config, const struct rule *rule, uint8_t type, uint8_t label);
/* Whether the times of this column are moved: with times = "shift" all that
 * survive are, else the difference to the event time would tell the shift. */
int rule_moves(const struct config *config, const struct rule *rule, uint8_t type);

#endif
