/* SPDX-License-Identifier: Apache-2.0
 *
 * gsm7_tables.h - the alphabets of 3GPP TS 23.038, by language. Used by gsm7.c
 * alone. */
#ifndef IN_MODEM_GSM7_TABLES_H
#define IN_MODEM_GSM7_TABLES_H

#include <uchar.h>

/* Identifiers 0 (none) to 13 (Urdu). */
enum { GSM7_LANGUAGES = 14, GSM7_HOLE = 0xfffd };

/* Strings of 128 characters each. A locking table stands for the alphabet, a
 * single shift table for what follows an escape. */
extern const char16_t *const gsm7_locks[GSM7_LANGUAGES];
extern const char16_t *const gsm7_singles[GSM7_LANGUAGES];

#endif
