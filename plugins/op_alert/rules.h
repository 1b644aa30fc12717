/* rules.h - what rules are: as written, as checked, as compiled.
 *
 * rules_check says each mistake in a sentence, plan_open makes the tables that
 * the data path runs on. A value of a subject is kept for each column that a
 * text names, since what is told at a timer has no row at hand.
 *
 * Not here: when a rule is true (judge.c), whether columns exist (shape.c). */
#ifndef OP_ALERT_RULES_H
#define OP_ALERT_RULES_H

#include <afferent/plugin.h>

#include <stdbool.h>

#include <alert_rows/columns.h>

#include <alert_rows/template.h>

enum { RULES_MOST = 32, COLUMNS_MOST = 64, EQUALS_MOST = 8 };

/* As the options write it. Numbers that may be absent are lists of at most one. */
struct rule_config {
    const char *name, *column, *text, *group;
    struct aff_list above, at_least, below, at_most, rise, fall, clear; /* double */
    struct aff_list equals;                                            /* const char * */
    int64_t within, absent, hold, repeat_every, repeat_most;
    int32_t severity, expect;
};

struct config {
    const char *place;
    struct aff_list rules; /* struct rule_config */
};

enum rule_kind {
    RULE_ABOVE,
    RULE_AT_LEAST,
    RULE_BELOW,
    RULE_AT_MOST,
    RULE_RISE,
    RULE_FALL,
    RULE_EQUALS,
    RULE_ABSENT,
    RULE_KINDS
};
extern const char *const kind_names[RULE_KINDS];

struct rule {
    const struct rule_config *config;
    enum rule_kind kind;
    double limit, clear;
    bool has_clear;
    int32_t column; /* of plan.columns, -1: none */
    int32_t trend;  /* which trend of the subject's, -1: none */
    uint32_t group; /* rules of one group have the same number */
    int64_t part_ns;
    struct template text;
};

/* A column that rules judge or texts tell. */
struct column {
    char name[256];
    int32_t value; /* which of the subject's kept values, -1: none */
};

struct plan {
    struct rule rules[RULES_MOST];
    struct column columns[COLUMNS_MOST];
    uint32_t rule_count, column_count, value_count, trend_count;
    struct template place;
    bool place_of_subject; /* the place's name has {subject} in it */
};

const struct rule_config *rule_at(const struct config *c, uint32_t i);
/* Which condition the rule has: how many were written, and the first. */
uint32_t rule_kinds(const struct rule_config *r, enum rule_kind *ret_kind);

/* Says what is wrong; false when anything was. */
bool rules_check(const struct config *c, const struct aff_report *report);
/* From options that rules_check found good. */
void plan_open(struct plan *p, const struct config *c);

/* Names that a text may have beside columns. */
enum word { WORD_COLUMN, WORD_SUBJECT, WORD_RULE, WORD_PLACE, WORD_SEVERITY };
enum word word_of(const struct piece *piece);
/* The number of a column, -1 when there is none of this name. */
int32_t plan_column(const struct plan *p, const char *name, size_t length);

#endif
