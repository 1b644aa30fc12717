/* query_host.h - the host that an archive sees while it is read.
 *
 * Nothing flows: there is no thread, no batch and no state. What makes records
 * is refused. Subjects come in order, so the names of one are let go when the
 * next begins: an archive may hold more of them than a run could.
 *
 * Not here: the host of a running node (host.c). */
#ifndef AFFERENT_FLOW_QUERY_HOST_H
#define AFFERENT_FLOW_QUERY_HOST_H

#include <afferent/plugin.h>

/* [control] NULL without memory. `log` as in flow_options; `node` is borrowed. */
struct aff_host *query_host_open(const char *node,
                                 void (*log)(void *arg, int level, const char *node, const char *text),
                                 void *arg);
void query_host_close(struct aff_host **host);

/* The latest cause given to explain, "" when there is none. */
const char *query_host_why(const struct aff_host *host);

#endif
