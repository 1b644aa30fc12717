/* SPDX-License-Identifier: Apache-2.0
 *
 * check.h - what `afferent check` and `run` ask before anything flows. */
#ifndef OP_ANONYMIZE_CHECK_H
#define OP_ANONYMIZE_CHECK_H

#include "rules.h"

/* "table.name", as messages call an option; cut where it does not fit. */
void option_path(char *out, size_t room, const char *table, const char *name);

static inline const char *rule_table(const struct rule *rule)
{
    return rule->how ? "generalise" : "columns";
}

/* Says a problem of a rule's option. Names in it are those of the pipeline. */
#define RULE_SAY(report, rule, ...)                                                           \
    do {                                                                                      \
        char path_[KIND_MOST + 16];                                                           \
        option_path(path_, sizeof path_, rule_table(rule), (rule)->name);                     \
        (report)->problem((report), path_, __VA_ARGS__);                                      \
    } while (0)

aff_status anonymize_validate(const void *config, const struct aff_report *report);
aff_status anonymize_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

#endif
