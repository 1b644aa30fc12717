/* SPDX-License-Identifier: Apache-2.0
 *
 * toml_parse.h - what toml.c and toml_scalar.c share. */
#ifndef AFF_TESTKIT_TOML_PARSE_H
#define AFF_TESTKIT_TOML_PARSE_H

#include "kit.h"
#include "toml.h"

struct parser {
    struct memory *memory;
    const char *at;
    const char *error; /* the first one */
    int line;
};

void toml_fail(struct parser *p, const char *what);
struct toml *toml_new(struct parser *p, enum toml_kind kind);
struct toml *toml_any(struct parser *p, int depth);
struct toml *toml_string(struct parser *p); /* at a quote */
struct toml *toml_plain(struct parser *p);  /* number or boolean */

#endif
