/* report.h - collects what is wrong with a configuration, in order of place.
 *
 * Every message has one form, made in one function so that none forgets it:
 *   FILE:LINE:COL: error: [node] what is wrong; what was expected; what to do
 * All errors of a run are collected, sorted by place and printed together.
 *
 * Not here: where it is printed (the caller says) and run-time logs. */
#ifndef AFFERENT_UTIL_REPORT_H
#define AFFERENT_UTIL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where in which file; borrowed text. `line` 0: the file as a whole. */
struct place {
    const char *file;
    uint32_t line;
    uint32_t column;
};

enum report_level { REPORT_ERROR, REPORT_WARNING };

struct report;

/* NULL when there is no memory. Given to the caller. */
struct report *report_new(void);
void report_free(struct report **report);

/* Adds one message; place and node are copied. `node` may be NULL: then no
 * [node]. The text has up to three parts, separated by "; ". */
__attribute__((format(printf, 5, 6)))
void report_add(struct report *report, enum report_level level, struct place place,
                const char *node, const char *format, ...);

/* Counts errors; a message that was lost for want of memory counts as one. */
size_t report_errors(const struct report *report);
size_t report_warnings(const struct report *report);

/* Prints all, one a line: files in the order in which they were first named,
 * then by line and column, then in the order of adding. */
void report_print(struct report *report, FILE *out);

/* The same, one at a time, for other forms of output: row 0 to the first that
 * gives false. Texts are borrowed until the next report_add. */
struct report_line {
    enum report_level level;
    struct place place;
    const char *text; /* "[node] what is wrong; ..." */
};
bool report_row(struct report *report, size_t row, struct report_line *ret_line);

#ifdef __cplusplus
}
#endif

#endif
