/* age.c - see age.h. */
#include "show/age.h"

#include <inttypes.h>
#include <stdio.h>

void age_print(char text[AGE_ROOM], int64_t ns)
{
    int64_t s = ns / 1000000000;

    if (ns < 0)
        snprintf(text, AGE_ROOM, "-");
    else if (s < 120)
        snprintf(text, AGE_ROOM, "%" PRId64 "s", s);
    else if (s < 7200)
        snprintf(text, AGE_ROOM, "%" PRId64 "min", s / 60);
    else if (s < 172800)
        snprintf(text, AGE_ROOM, "%" PRId64 "h", s / 3600);
    else
        snprintf(text, AGE_ROOM, "%" PRId64 "d", s / 86400);
}
