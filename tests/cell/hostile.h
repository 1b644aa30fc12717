/* hostile.h - twenty and more ways of a plugin to harm its host. */
#ifndef AFFERENT_TESTS_HOSTILE_H
#define AFFERENT_TESTS_HOSTILE_H

#include <afferent/plugin.h>

enum hostile {
    H_NOTHING,
    H_ABORT,
    H_SEGFAULT,
    H_STACK,
    H_EXIT,
    H_LOOP,
    H_BLOCKED,  /* blocks all signals, then loops */
    H_LEAK,     /* 1 MB a record */
    H_THOUSAND, /* outputs a record */
    H_THREADS,
    H_FDS,
    H_FORKS,
    H_SCRIBBLE,      /* writes over all shared pages */
    H_SCRIBBLE_LONG, /* and a thread that goes on with it */
    H_LENGTH,        /* forged: of an entry */
    H_LENGTH_USED,   /* ... of the area */
    H_OFFSET,        /* ... an entry that leads to itself */
    H_OFFSET_TEXT,   /* ... a text outside of its row */
    H_VERDICT,
    H_PORT,
    H_INPUT,
    H_STREAM,
    H_SUBJECT,
    H_TIME,
    H_SCHEMA,
    H_NUMBER, /* answers another call */
    H_ASK,    /* asks nonsense */
    H_KIND,   /* an entry of no kind */
    H_RELEASE,
    H_TRUNCATE,
    H_KILL,   /* its parent */
    H_PTRACE, /* its parent */
    H_EXEC,
    H_SOCKET,
    H_WRITE_FILE,
    H_MEMORY, /* of its parent */
    H_STATE,  /* fills all of its state */
    H_LOG,
    H_STATUS,
    H_THREADS_LATER, /* when nobody calls */
    H_FLIP, /* bits of entries */
    H_DONE_DIE, /* ends between calls, by a thread */
    H_SPIN,     /* threads that count, fewer than are too many */
    H_COUNT
};

/* When it does so: at records whose action is set, or in a callback. */
enum hostile_when { AT_RECORD, AT_OPEN, AT_START, AT_SYNC, AT_TIMER, AT_STOP, AT_CLOSE, AT_DRAIN, AT_READ, AT_MARK, AT_WAKE,
                    AT_SNAPSHOT, AT_RESTORE, AT_COMMITTED, AT_COUNT };

struct hostile_config {
    int64_t what;
    int64_t when;
};

struct hostile_self {
    const struct aff_host *host;
    const struct hostile_config *config;
    uint64_t reads;
};

/* Does it: in a callback; at a record. */
void hostile_act(const struct hostile_self *self);
void hostile_record(const struct hostile_self *self, const struct aff_batch *batch, uint32_t i);

extern const struct aff_plugin hostile_processor, hostile_sink, hostile_source, hostile_acks, hostile_buffer;

#endif
