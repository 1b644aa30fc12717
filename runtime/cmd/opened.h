/* opened.h - a pipeline file, opened for a verb: flags, plugins, plan, messages.
 *
 * All verbs that take a pipeline take the same flags for it and refuse the same
 * files, by one function.
 *
 * Not here: the function itself (config/pipeline.h). */
#ifndef AFFERENT_CMD_OPENED_H
#define AFFERENT_CMD_OPENED_H

#include <stdio.h>

#include "cmd/args.h"
#include "config/pipeline.h"

struct opened {
    const char *file;
    struct args_list operands;
    struct args_list sets;
    struct args_list dirs;
    const char *pace; /* NULL: as in the file */
    bool json;        /* sinks report as JSON */
    struct report *report;
    struct plugins *plugins;
    struct plan *plan; /* NULL when it was refused */
};

/* The rows that a verb puts into its table of flags. */
#define OPENED_FLAGS(opened) \
    { "set", ARGS_LIST, &(opened).sets, "NODE.OPTION=VALUE", \
      "Overrides an option of a node; may be given several times.", NULL }, \
    { "plugin-dir", ARGS_LIST, &(opened).dirs, "DIR", \
      "Looks for plugins here first; may be given several times.", NULL }

/* [control] Reads the file `operands` names. Below 0: go on, the plan is there
 * unless the file was refused, and the report says why. Else the exit code. */
int opened_read(struct opened *opened);
/* The same for verbs that cannot go on without a plan: prints the report to
 * stderr, and returns EXIT_USAGE when the file was refused. */
int opened_need(struct opened *opened);
void opened_close(struct opened *opened);

#endif
