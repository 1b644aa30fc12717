/* limit.h - the same line over and over is said a few times, then counted.
 *
 * Lines are the same when level and node are, and the text but for its numbers. Of each
 * LIMIT_SAME are said in LIMIT_WINDOW_S seconds; when these are over it is told once how
 * many more there were. A node that says ever new things is cut to LIMIT_NODE lines of a
 * level. One node's lines never cost another's.
 *
 * Not here: writing lines (lines.h). No lock, no clock: the caller's. */
#ifndef AFFERENT_SHOW_LIMIT_H
#define AFFERENT_SHOW_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

enum { LIMIT_SAME = 10, LIMIT_NODE = 100, LIMIT_WINDOW_S = 10, LIMIT_ROWS = 64, LIMIT_TEXT = 96 };

/* What was said in a window of some node's lines, or of one of its lines. */
struct limit_row {
    char node[64];
    char text[LIMIT_TEXT]; /* the first of them; "" for all of the node's */
    int level;
    int64_t began_s;
    unsigned said; /* 0: the row is free */
    unsigned long left_out;
};

struct limit {
    struct limit_row lines[LIMIT_ROWS];
    struct limit_row nodes[LIMIT_ROWS];
    /* Says how much was left out; `node` is NULL for the program itself. Borrowed texts. */
    void (*tell)(void *arg, int level, const char *node, const char *text);
    void *arg;
};

/* Whether the line may be said now. `node` may be NULL; `now_s` is of any clock that only
 * rises. Tells first what is over (limit_tick). */
bool limit_allows(struct limit *limit, int level, const char *node, const char *text, int64_t now_s);
/* Tells of windows that are over. INT64_MAX: of all. */
void limit_tick(struct limit *limit, int64_t now_s);

#endif
