/* SPDX-License-Identifier: Apache-2.0
 *
 * at_fields.h - the fields of one line of a reply: numbers, texts in quotes,
 * groups in brackets, parted by commas.
 *
 * Not here: which fields a reply has (at_values.h). */
#ifndef IN_MODEM_AT_FIELDS_H
#define IN_MODEM_AT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is wrong with a line; 0 is fine. */
enum at_fault {
    AT_FINE,
    AT_FAULT_PREFIX,  /* another reply than this one */
    AT_FAULT_MISSING, /* a field that must be there is not */
    AT_FAULT_SYNTAX,  /* a field is not what it should be: a number, a time, hex digits */
    AT_FAULT_RANGE,   /* a number that the standard gives no meaning to */
    AT_FAULT_LONG,    /* a text that is longer than any can be */
    AT_FAULT_MESSAGE, /* a short message that is damaged: sms_error says how */
    AT_FAULTS
};
/* A few words, for people. */
const char *at_fault_text(enum at_fault fault);

/* Borrowed from the line; without its quotes. */
struct at_field {
    const char *at;
    size_t size;
    bool quoted, grouped;
};

/* `at` moves on; NULL behind the last field. */
struct at_fields {
    const char *at;
};

/* False: the line does not begin with this prefix ("+CSQ:"). */
bool at_fields_open(struct at_fields *f, const char *line, const char *prefix);
/* False: there are no more. An empty field is one. */
bool at_fields_next(struct at_fields *f, struct at_field *ret);
/* Passes over `count` fields, or as many as there are. */
void at_fields_skip(struct at_fields *f, unsigned count);

/* The next field as a number of low to high. MISSING where there is none or it is
 * empty; *ret is written only where it is fine. Quotes don't matter. */
enum at_fault at_next_int(struct at_fields *f, int64_t low, int64_t high, int64_t *ret);
enum at_fault at_next_hex(struct at_fields *f, uint64_t high, uint64_t *ret);
enum at_fault at_next_real(struct at_fields *f, double low, double high, double *ret);
/* The next field, with an end, into `room` bytes. LONG where it does not fit. An
 * empty one is fine; none is MISSING. */
enum at_fault at_next_text(struct at_fields *f, char *to, size_t room);

/* The same of one field. */
enum at_fault at_field_int(const struct at_field *field, int64_t low, int64_t high, int64_t *ret);
enum at_fault at_field_text(const struct at_field *field, char *to, size_t room);
/* Whether a list like (0-2,5) has this number. */
bool at_field_has(const struct at_field *field, int64_t number);

#endif
