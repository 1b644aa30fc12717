/* queue.h - the commands of a run of alerts, some at a time, settled in order.
 *
 * While the command of one alert runs, those of the next few run beside it, but
 * never two of the same alert: its end must not arrive before its beginning. They
 * are done in the order of the alerts. One that failed is told to the host, which
 * offers its alert again later; those behind it that were well are remembered by
 * their ids, so that nobody is called twice. Nothing runs between two calls.
 *
 * Not here: one command (job.c). */
#ifndef OUT_ALERT_QUEUE_H
#define OUT_ALERT_QUEUE_H

#include "job.h"
#include "message.h"

enum { AT_ONCE_MOST = 32, ARGS_MOST = 32 };

enum item_state { ITEM_FREE, ITEM_RUNS, ITEM_DONE, ITEM_REFUSED, ITEM_FAILED };

struct item {
    struct aff_id id;
    uint64_t whose; /* hash of what the record tells the state of */
    enum item_state state;
    enum job_end end;
    int code;
    int errno_code; /* could not be started */
};

struct queue {
    const struct aff_host *host;
    const char *const *args;
    uint32_t arg_count, at_once;
    int64_t timeout_ns;
    uint32_t failed; /* commands that failed, for the metrics */
    uint32_t started;
    struct item items[AT_ONCE_MOST];
    struct job jobs[AT_ONCE_MOST];
    char json[JSON_MOST];
    char text[ARGS_MOST][LINE_MOST];
};

/* 0 or an errno code. */
int queue_open(struct queue *q);
void queue_close(struct queue *q);

/* What reads alerts: false for a record that no command is to tell. */
struct alert_reader {
    void *self;
    bool (*wants)(void *self, const struct aff_record *r, struct message *ret);
};

/* Runs the commands of the batch's records, as far as all goes well; *ret_taken
 * and the status are those of write. After a second that told something it is
 * AFF_AGAIN: a host that is to stop gets a word in. */
aff_status queue_run(struct queue *q, const struct aff_batch *batch, const struct alert_reader *reader,
                     uint32_t *ret_taken);

#endif
