/* SPDX-License-Identifier: Apache-2.0
 *
 * say.c - see say.h. */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SENTENCE_MOST = 600 };

void option_problem(const struct aff_report *report, const char *option, const char *format, ...)
{
    char sentence[SENTENCE_MOST];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    report->problem(report, option, "%s %s", option, sentence);
}

enum { LENGTH_MOST = 64 };

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static int is_same(char a, char b)
{
    return (a | 0x20) == (b | 0x20); /* letters without their case */
}

/* Distance of Damerau (CACM 7:3, 1964) in its plain form: letters inserted, left
 * out, changed, or two neighbours swapped. Rows i-2, i-1 and i take turns. */
static uint32_t distance(const char *a, size_t na, const char *b, size_t nb)
{
    uint32_t rows[3][LENGTH_MOST + 1], i, k;

    for (k = 0; k <= nb; k++)
        rows[0][k] = k;
    for (i = 1; i <= na; i++) {
        const uint32_t *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        uint32_t *row = rows[i % 3];

        row[0] = i;
        for (k = 1; k <= nb; k++) {
            row[k] = least(above[k - 1] + !is_same(a[i - 1], b[k - 1]), least(above[k], row[k - 1]) + 1);
            if (i > 1 && k > 1 && is_same(a[i - 1], b[k - 2]) && is_same(a[i - 2], b[k - 1]))
                row[k] = least(row[k], above2[k - 2] + 1);
        }
    }
    return rows[na % 3][nb];
}

int near_better(const char *a, const char *b, uint32_t *best)
{
    size_t na = strlen(a), nb = strlen(b);
    uint32_t d;

    if (na > LENGTH_MOST || nb > LENGTH_MOST)
        return 0;
    d = strstr(b, a) || strstr(a, b) ? 1 : distance(a, na, b, nb);
    if (na < 2 || nb < 2 || d >= *best || d > 1 + na / 4)
        return 0;
    *best = d;
    return 1;
}
