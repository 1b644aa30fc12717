/* SPDX-License-Identifier: Apache-2.0
 *
 * pump.h - from records to requests, and from answers to acknowledgements.
 *
 * The lane puts elements in; a thread of the pump's own sends them by libcurl's multi
 * interface and tells the host what became of each record, as answers come, in any
 * order. The lane never waits for the net but for a free request, and not long.
 *
 * A thread, though a lane could do it: packing, TLS and looking up names take time that
 * the lane has for what comes meanwhile.
 *
 * Not here: what elements say, how a request is formed, what an answer means: the plugin says
 * these by a struct pump_kind. */
#ifndef HTTP_PUMP_H
#define HTTP_PUMP_H

#include "http/pack.h"
#include "http/record.h"
#include "http/transfer.h"

/* Rows of the metrics' table; a plugin may have more of its own behind them. */
enum { COUNT_REQUESTS, COUNT_FAILED, COUNT_ACCEPTED, COUNT_REFUSED, COUNT_SPLIT, COUNT_BYTES, COUNTS, COUNTS_MOST = 10 };

/* What an answer as a whole says. */
enum judgement {
    JUDGE_ACCEPTED, /* all records */
    JUDGE_REFUSED,  /* the one record: its content */
    JUDGE_SPLIT,    /* some record of several: look for it */
    JUDGE_DOUBT,    /* the server failed on several: maybe by one of them */
    JUDGE_EACH,     /* the answer's body says */
    JUDGE_WHO,      /* the credentials are refused: new ones may help */
    JUDGE_LATER,    /* not now */
    JUDGE_MORE      /* a further request is needed for these records */
};

enum { WORDS_ROOM = 80 };

/* Some records and the request that carries them now. */
struct call {
    struct transfer transfer;
    struct text body, packed;   /* for the plugin to write to */
    const struct text *elements;
    const struct item *items;
    uint32_t count, turn;       /* turn: how many requests said MORE for them */
    bool is_again;              /* the server may have had this very request */
    const struct text *group;   /* as it was put */
    void *own;                  /* zeroed at first; of own_size */
    char words[WORDS_ROOM];     /* of an answer, for dead letters and `status`; "": its status */
};

/* What a plugin says of its server. All but `judge` and `load` may be NULL; all are called
 * by the pump's thread but for `close`; `self` is the plugin's. Reasons are constants. */
struct pump_kind {
    const char *thread; /* its name */
    uint32_t tries;     /* of a request, before its records are given back to the host */
    size_t own_size;

    /* Writes body, headers and credentials of the next request for a call's records. NULL,
     * or why it cannot be sent now. */
    const char *(*load)(void *self, struct call *call);
    /* There is a whole answer. EACH: `statuses` of the records were set, as HTTP has them,
     * and AFF_ERR_... follow from `outcome`. *ret_why: what is wrong and what to do, where
     * records are to be sent again. */
    enum judgement (*judge)(void *self, struct call *call, unsigned *statuses, const char **ret_why);
    aff_status (*outcome)(unsigned status);
    /* After WHO: whether there may be new credentials. */
    bool (*renew)(void *self);
    /* Nothing more is sent for the call's records, of which `turn` requests were taken. */
    void (*dropped)(void *self, struct call *call);
    /* [control] Frees what own holds. */
    void (*close)(void *self, struct call *call);

    /* Before requests go: false when they wait for a request of the plugin's own, which is
     * to be sent where *ret_send is set (one at a time). `wanted`: there is something to
     * send. *ret_why: it could not be made. */
    bool (*prepare)(void *self, bool wanted, struct transfer **ret_send, const char **ret_why);
    /* It is over. NULL, or why the server is taken for away. */
    const char *(*prepared)(void *self, CURLcode code);
};

struct pump_plug {
    const struct pump_kind *kind;
    /* [data] Appends a record's element and, where requests are of groups, its group (bytes of
     * the plugin's: records of one request are of one). NULL, or why it cannot be: it becomes a
     * dead letter. */
    const char *(*make)(void *self, const struct source *from, struct text *element, struct text *group);
    void *self;
    const struct http_way *way;
    const struct target *target;
    uint32_t records_most; /* of a request */
    uint32_t groups;       /* how many requests are filled side by side */
    bool is_paced;         /* no more is taken than is soon answered (net/pace.h), and requests are smaller on a thin link */
};

struct pump;

/* [control] Begins its thread; what the plug names is borrowed. Close ends it; what is
 * unanswered stays so. */
aff_status pump_open(const struct aff_host *host, const struct pump_plug *plug, struct pump **ret);
void pump_close(struct pump *p);

/* [data] For a sink's `write`: takes what there is room for. AFF_AGAIN: all requests are under
 * way, or enough is for this link; host->rouse tells that there is room. AFF_ERR_IO: the server
 * is away. AFF_ERR_DATA, AFF_ERR_MEMORY. The cause is recorded. */
aff_status pump_write(struct pump *p, const struct aff_batch *batch, uint32_t *ret_taken);
/* [data] What waits for more records is sent now. */
void pump_flush(struct pump *p);
/* [data] Counts and log lines of the thread go to the host; for `wake`, which comes when there are. */
void pump_tell(struct pump *p);

/* [any] Boot clock. */
int64_t pump_now(void);

#endif
