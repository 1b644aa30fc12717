/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.c - see rules.h. */
#include "rules.h"

#include <string.h>

static const char *kind_of(const struct config *c, const char *name)
{
    for (uint32_t i = 0; i < c->kinds.count; i++) {
        const struct text_config *k = list_at(&c->kinds, i);

        if (strcmp(k->key, name) == 0)
            return k->text;
    }
    return name;
}

static int is_quasi(const struct config *c, const char *name)
{
    for (uint32_t i = 0; i < c->quasi.count; i++)
        if (strcmp(((const struct quasi_config *)list_at(&c->quasi, i))->name, name) == 0)
            return 1;
    return 0;
}

uint32_t rules_count(const struct config *config)
{
    return config->columns.count + config->generalise.count;
}

struct rule rule_at(const struct config *config, uint32_t index)
{
    struct rule rule = { 0 };

    if (index < config->columns.count) {
        const struct column_config *c = list_at(&config->columns, index);

        rule.name = c->key;
        rule.action = (enum action)c->action;
        rule.kind = kind_of(config, c->key);
    } else {
        rule.how = list_at(&config->generalise, index - config->columns.count);
        rule.name = rule.how->key;
        rule.action = ACTION_GENERALISE;
    }
    rule.is_quasi = is_quasi(config, rule.name);
    return rule;
}

int rule_find(const struct config *config, const char *name)
{
    for (uint32_t i = 0; i < config->columns.count; i++)
        if (strcmp(((const struct column_config *)list_at(&config->columns, i))->key, name) == 0)
            return (int)i;
    for (uint32_t i = 0; i < config->generalise.count; i++)
        if (strcmp(((const struct generalise_config *)list_at(&config->generalise, i))->key, name) == 0)
            return (int)(config->columns.count + i);
    return -1;
}

const char *action_name(enum action action)
{
    static const char *const names[] = { "keep", "clear", "drop", "pseudonym", "shift", "redact", "generalise" };

    return names[action];
}

static int is_time(const struct rule *rule)
{
    return rule->action == ACTION_SHIFT || (rule->action == ACTION_GENERALISE && rule->how->floor != FLOOR_NONE);
}

const char *rule_misfit(const struct rule *rule, uint8_t type)
{
    if (!type || type == AFF_TEXT)
        return NULL;
    if (rule->action == ACTION_PSEUDONYM)
        return type == AFF_INT ? NULL : "a column of text or whole numbers";
    if (is_time(rule))
        return type == AFF_TIME ? NULL : "a column of times, or of dates as text (1950-03-02)";
    if (rule->action != ACTION_GENERALISE)
        return NULL;
    if (rule->how->digits)
        return "a column of text (a number has lost its leading zeros)";
    return type == AFF_INT || type == AFF_REAL ? NULL : "a column of numbers";
}

uint8_t rule_type(const struct rule *rule, uint8_t type)
{
    if (rule->action == ACTION_KEEP || rule->action == ACTION_CLEAR || is_time(rule))
        return type;
    return AFF_TEXT;
}

int rule_moves(const struct config *config, const struct rule *rule, uint8_t type)
{
    return config->times == TIMES_SHIFT && (is_time(rule) || type == AFF_TIME);
}

/* Whether a value is no longer what identified. Three first characters: 45 CFR
 * 164.514(b)(2)(i)(B), initial digits of a ZIP code; days: (C), all elements of
 * dates but the year, unless they are moved. */
static int is_coarser(const struct config *config, const struct rule *rule, uint8_t type)
{
    enum { FIRST_MOST = 3 };
    const struct generalise_config *how = rule->how;

    if (how->digits)
        return how->digits <= FIRST_MOST;
    if (how->width)
        return how->width > 1 || type == AFF_REAL;
    return how->floor != FLOOR_DAY || rule_moves(config, rule, type);
}

uint8_t rule_label(const struct config *config, const struct rule *rule, uint8_t type, uint8_t label)
{
    uint8_t left = label == AFF_LABEL_NONE ? AFF_LABEL_NONE : AFF_LABEL_QUASI;

    switch (rule->action) {
    case ACTION_KEEP: return rule_moves(config, rule, type) ? left : label;
    case ACTION_SHIFT: return left;
    case ACTION_GENERALISE: return label == AFF_LABEL_PHI && !is_coarser(config, rule, type) ? label : AFF_LABEL_QUASI;
    default: return AFF_LABEL_NONE;
    }
}
