/* SPDX-License-Identifier: Apache-2.0
 *
 * fault.c - see fault.h. */
#include "recording/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fault(struct fault *f, unsigned line, const char *format, ...)
{
    va_list args;

    f->line = line;
    f->missing = 0;
    va_start(args, format);
    (void)vsnprintf(f->what, sizeof f->what, format, args);
    va_end(args);
    return -1;
}

int fault_file(struct fault *f, const char *which, int error)
{
    char text[80];

    /* The GNU form returns the text; it is safe on any thread. */
    (void)fault(f, 0, "the %s cannot be read: %s", which, strerror_r(error, text, sizeof text));
    f->missing = 1;
    return -1;
}
