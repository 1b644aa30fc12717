/* say.h - one line to stderr, whole or not at all.
 *
 * Not here: the line (message.c). */
#ifndef OUT_ALERT_SAY_H
#define OUT_ALERT_SAY_H

#include <stddef.h>

/* Whether stderr is a terminal, and whether colours are wanted on it. */
enum say_where { SAY_PLAIN, SAY_TERMINAL, SAY_COLOURED };
enum say_where say_where(void);
/* 0 or an errno code. Waits a second at most for a reader that is slow; a reader
 * that is gone is EPIPE, never a signal. */
int say_line(const char *line, size_t size);

#endif
