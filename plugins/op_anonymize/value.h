/* SPDX-License-Identifier: Apache-2.0
 *
 * value.h - one value under one rule.
 *
 * A value that a rule cannot understand (a word where a number is to be banded,
 * a date that is none) is left out and counted, never passed as it is. */
#ifndef OP_ANONYMIZE_VALUE_H
#define OP_ANONYMIZE_VALUE_H

#include "rules.h"
#include "secret.h"

struct value {
    uint8_t type; /* AFF_TEXT: text; AFF_REAL: real; else integer */
    double real;
    int64_t integer;
    struct text text;
};

/* What rules need beside the value. */
struct means {
    const struct config *config;
    const struct secret *secret;
    int64_t shift_ns; /* added to times; whole days, negative or 0 */
};

enum { VALUE_CHARS = 64 };

/* 1: `value` holds the new one, its text in `scratch` (VALUE_CHARS) or borrowed
 * from the old; 0: left out. `index` is the rule's, for its key. */
int value_change(struct value *value, const struct means *means, const struct rule *rule, uint32_t index,
                 char *scratch);
/* The most bytes that a text under the rule takes, given its size before. */
size_t value_room(const struct rule *rule, size_t size);

#endif
