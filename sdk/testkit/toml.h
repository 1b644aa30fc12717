/* SPDX-License-Identifier: Apache-2.0
 *
 * toml.h - a small reader of TOML values, for the options of one node.
 *
 * Reads what a node's options need of TOML 1.0.0: bare, quoted and dotted keys,
 * tables, arrays of tables, inline tables, arrays, strings of all four forms,
 * integers, floats, booleans, comments. Dates are refused: no option is one. */
#ifndef AFF_TESTKIT_TOML_H
#define AFF_TESTKIT_TOML_H

#include <stddef.h>
#include <stdint.h>

enum toml_kind { TOML_TEXT, TOML_INT, TOML_REAL, TOML_BOOL, TOML_ARRAY, TOML_TABLE };

struct toml {
    struct toml *next;  /* in the same array or table, in the order of the file */
    struct toml *child; /* of an array or table */
    const char *key;    /* in a table */
    const char *text;
    size_t length;
    int64_t integer; /* of INT and BOOL */
    double real;     /* of REAL */
    enum toml_kind kind;
    int closed; /* an inline table or array: nothing is added */
};

struct memory;

/* The root table, or NULL and *ret_error (borrowed from `memory`). */
struct toml *toml_read(struct memory *memory, const char *text, const char **ret_error);
/* One value alone, as in an option's preset. */
struct toml *toml_value(struct memory *memory, const char *text, const char **ret_error);
struct toml *toml_get(const struct toml *table, const char *key);

#endif
