/* lines.h - what a run says on stderr: log lines, and below them the live line.
 *
 * Log lines come from any thread. One node that says the same thing a thousand
 * times a second is cut to a few lines, and the rest is counted (limit.h). On a terminal
 * the last line is the live line, rewritten in place; elsewhere there is none. In the
 * journal of systemd lines have a priority, and no time but the journal's.
 *
 * Not here: what the live line says (live.h). */
#ifndef AFFERENT_SHOW_LINES_H
#define AFFERENT_SHOW_LINES_H

#include <stdbool.h>

struct lines;

/* `level`: the least AFF_LOG_ that is shown. NULL without memory. */
struct lines *lines_open(int level);
/* Removes the live line, says what was left out. Sets the pointer to NULL. */
void lines_close(struct lines **lines);
bool lines_is_terminal(const struct lines *lines);

/* [any] For flow_options.log; `node` may be NULL. Texts are borrowed. */
void lines_log(void *lines, int level, const char *node, const char *text);
__attribute__((format(printf, 4, 5)))
void lines_say(struct lines *lines, int level, const char *node, const char *format, ...);

/* [any] Tells of what was left out, where its time is over. */
void lines_tick(struct lines *lines);
/* [control] Before other threads: each line begins with this name from now on (copied). */
void lines_name(struct lines *lines, const char *name);

/* [any] Sets the live line; "" removes it. Nothing happens off a terminal. */
void lines_live(struct lines *lines, const char *text);

#endif
