/* values.h - rows: where the columns of rules and texts are in them.
 *
 * Looked up once for each schema. A column that a row's schema lacks is a value
 * that is missing; a rule on numbers and a column of text is a mistake.
 *
 * Not here: what a value means (judge.c). */
#ifndef OP_ALERT_VALUES_H
#define OP_ALERT_VALUES_H

#include "judge.h"

enum { LOOKUPS = 16 };

/* Where the plan's columns are in one schema. */
struct lookup {
    uint32_t schema; /* 0: not in use */
    uint32_t count;  /* columns of the schema */
    int32_t index[COLUMNS_MOST]; /* -1: not there */
    uint8_t type[COLUMNS_MOST];
    uint8_t label[COLUMNS_MOST];
};

/* Whether a rule can judge a column of this type. */
bool rule_takes(enum rule_kind kind, uint8_t type);
const char *type_name(uint8_t type);
/* What a rule of this kind needs: "a number". */
const char *kind_needs(enum rule_kind kind);

/* The rule whose column has a type it cannot judge; -1: all fit. */
int32_t lookup_open(struct lookup *l, const struct plan *p, uint32_t schema, const struct aff_schema *info);

/* What a row says to a rule; false when it says nothing: the value is missing. */
bool row_given(const struct plan *p, const struct lookup *l, const struct aff_record *r, uint32_t rule,
               struct given *ret);
/* Keeps the values that texts tell. */
void row_keep(const struct plan *p, const struct lookup *l, const struct aff_record *r, const struct view *v);

/* Writes a column's latest value, with its age where it is no longer new, or
 * "?"; returns its label. */
uint8_t value_tell(const struct plan *p, const struct view *v, const struct piece *piece, int64_t now_ns,
                   struct line *line);

uint64_t text_hash(const char *text);

#endif
