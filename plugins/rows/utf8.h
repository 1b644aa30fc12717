/* SPDX-License-Identifier: Apache-2.0
 *
 * utf8.h - whether bytes are UTF-8. */
#ifndef ROWS_UTF8_H
#define ROWS_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Well-formed by the Unicode Standard, table 3-7: no overlong form, no
 * surrogate, nothing above U+10FFFF. */
bool utf8_ok(const char *text, size_t size);

#endif
