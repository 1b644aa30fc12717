/* probe_inside.h - what the two sides of a probe agree upon.
 *
 * Not here: anything that others call (probe.h). */
#ifndef AFFERENT_LOAD_PROBE_INSIDE_H
#define AFFERENT_LOAD_PROBE_INSIDE_H

#define PROBE_VERB "--probe-plugin"
#define PROBE_MARK "AFFERENT_PROBE" /* in the environment of a child */

enum {
    PROBE_ANSWER_FD = 4,
    PROBE_ANSWER_MAX = 2048, /* below PIPE_BUF: one write, whole or not at all */
    PROBE_SAYS_GOOD = '+',
    PROBE_SAYS_REFUSED = '-'
};

#endif
