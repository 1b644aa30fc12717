/* age.h - how long ago, as a person says it: "5s", "17min", "3h", "12d".
 *
 * Not here: points in time (when.h), lengths that must be exact (util/units.h). */
#ifndef AFFERENT_SHOW_AGE_H
#define AFFERENT_SHOW_AGE_H

#include <stdint.h>

enum { AGE_ROOM = 32 };

/* "-" where it lies ahead: a clock was set back. */
void age_print(char text[AGE_ROOM], int64_t ns);

#endif
