/* SPDX-License-Identifier: Apache-2.0
 *
 * dates.h - dates, as nanoseconds and as ISO 8601 text.
 *
 * Text is taken as YYYY-MM-DD, alone or followed by T or a space and a time of
 * day: hh:mm, hh:mm:ss or hh:mm:ss.f..., then nothing, Z or an offset +hh:mm. A
 * date that does not exist, or any other form, is refused: a date that was not
 * understood must not pass. */
#ifndef OP_ANONYMIZE_DATES_H
#define OP_ANONYMIZE_DATES_H

#include <stddef.h>
#include <stdint.h>

#define DAY_NS (INT64_C(86400) * 1000000000)
enum { DATE_CHARS = 10 };

/* Days since 1970-01-01 of the date that the text begins with; 0: not one. */
int date_parse(const char *text, size_t size, int64_t *ret_days);
/* YYYY-MM-DD into 10 bytes; 0 outside of the years 1 to 9999. */
int date_write(char *text, int64_t days);
/* The beginning of the day, month or year (FLOOR_...); 0 when out of range. */
int time_floor(int64_t ns, int floor, int64_t *ret_ns);

#endif
