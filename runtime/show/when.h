/* when.h - points in time, as people write them.
 *
 * Written in UTC by RFC 3339, exact: as many digits behind the second as it
 * takes, in threes. Read the same way, or as time since 1970: "90s", or a whole
 * number of seconds.
 *
 * Not here: lengths of time (util/units.h). */
#ifndef AFFERENT_SHOW_WHEN_H
#define AFFERENT_SHOW_WHEN_H

#include <stdbool.h>
#include <stdint.h>

enum { WHEN_ROOM = 40 };

/* "2026-03-01T07:30:00.250Z". */
void when_print(char text[WHEN_ROOM], int64_t utc_ns);

/* False when it is no time between the years 1678 and 2262. */
bool when_read(const char *text, int64_t *ret_utc_ns);

#endif
