/* dlq.h - what the files of `afferent dlq` share.
 *
 * Not here: words on the command line (dlq.c). */
#ifndef AFFERENT_CMD_DLQ_H
#define AFFERENT_CMD_DLQ_H

#include "cmd/shelf.h"
#include "flow/wire.h"

struct dlq {
    struct shelf shelf;
    const char *verb; /* "dlq show" */
    bool all;
    bool json;
    bool reveal;
    const char *node;
    const char *reason;
    uint64_t *letters; /* those that are meant */
    size_t count;
    size_t room;
};

/* [control] Whether the command line says which letters: numbers, --all, --node or
 * --reason. */
bool dlq_has_choice(const struct dlq *dlq);
/* Whether a letter is meant by --all, --node and --reason. */
bool dlq_is_meant(const struct dlq *dlq, const struct wire_letter *letter);
/* Fills in the numbers of those that are meant, out of the open store where they are
 * not given one by one. Below 0: go on; else the exit code. */
int dlq_choose(struct dlq *dlq);
/* False: no memory. */
bool dlq_add(struct dlq *dlq, uint64_t number);

/* Each an exit code. dlq_look.c */
int dlq_ls(struct dlq *dlq);
int dlq_show(struct dlq *dlq);
/* dlq_do.c */
int dlq_retry(struct dlq *dlq);
int dlq_drop(struct dlq *dlq);

#endif
