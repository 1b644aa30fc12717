/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.h - what is watched: rules as written, and as the data path runs on them. */
#ifndef OP_WATCH_RULES_H
#define OP_WATCH_RULES_H

#include <alert_rows/columns.h>

#include <stdbool.h>

enum { RULES_MOST = 32, COMMANDS_MOST = 8 };

enum kind { KIND_SILENT, KIND_FLAT, KIND_RANGE, KIND_MISSING, KIND_SUSPECT, KIND_RATE, KIND_EVENT, KINDS };
extern const char *const kind_names[KINDS + 1];
enum { SEVERITY_NONE }; /* the option's first word; then those of an alert */
enum { ALERT_RAISED, ALERT_ESCALATED };

struct rule_config {
    const char *name, *column, *stream, *beside, *event, *until, *command, *text;
    struct aff_list low, high; /* of double, at most one */
    double tolerance;
    int64_t hold, clear_for, within, most, retry_every, command_most, command_within;
    int32_t kind, severity, alert;
};

struct config {
    struct aff_list rules; /* of struct rule_config */
    const char *place, *stream;
};

struct rule {
    const struct rule_config *config;
    enum kind kind;
    double low, high;
    bool has_low, has_high;
    bool commands;  /* has a command */
    bool alerts;    /* has a severity */
    int64_t bucket_ns;
};

struct plan {
    struct rule rules[RULES_MOST];
    uint32_t count;
    const struct config *config;
    bool place_of_subject; /* the place holds {subject} */
};

const struct rule_config *rule_at(const struct config *c, uint32_t i);
/* What is wrong with the rules is said by `report`; false if anything is. */
bool rules_check(const struct config *c, const struct aff_report *report);
void plan_open(struct plan *p, const struct config *c);
/* Judged by what comes in at port `events`, not by the data. */
bool rule_by_events(const struct rule *r);
bool rule_has_column(enum kind kind);
/* "bed {subject}" with the subject's name in it. */
void place_fill(const struct plan *p, const char *subject, char place[PLACE_MOST]);

#endif
