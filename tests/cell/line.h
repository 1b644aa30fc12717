/* line.h - the far end of a serial line: a pty, held by the test. */
#ifndef AFFERENT_TESTS_CELL_LINE_H
#define AFFERENT_TESTS_CELL_LINE_H

#include <stdbool.h>
#include <stddef.h>

struct line {
    int fd;        /* of the far end; -1: none */
    char name[64]; /* of the device */
    char got[4096]; /* what came and was not looked at, ended by a zero */
    size_t length;
};

/* All fail the test where something goes wrong that should not. */
void line_begin(struct line *line);
void line_end(struct line *line);
void line_say(const struct line *line, const char *text);
/* Takes what comes until it has such a line, without its end; its text goes to `ret`
 * (room of 64). False: it did not come in this time. */
bool line_take(struct line *line, int most_ms, char *ret);

#endif
