/* queue.c - see queue.h. */
#include "queue.h"

#include <string.h>

#define CALL_NS INT64_C(1000000000)

int queue_open(struct queue *q)
{
    uint32_t i;
    int rc = 0;

    for (i = 0; i < q->at_once && rc == 0; i++)
        rc = job_open(&q->jobs[i]);
    if (rc != 0)
        queue_close(q);
    return rc;
}

void queue_close(struct queue *q)
{
    uint32_t i;

    for (i = 0; i < q->at_once; i++)
        job_close(&q->jobs[i]);
}

static bool same_id(struct aff_id a, struct aff_id b)
{
    return a.source == b.source && a.seq == b.seq;
}

static struct item *item_find(struct queue *q, struct aff_id id)
{
    uint32_t i;

    for (i = 0; i < q->at_once; i++)
        if (q->items[i].state != ITEM_FREE && same_id(q->items[i].id, id))
            return &q->items[i];
    return NULL;
}

static bool batch_has(const struct aff_batch *batch, uint32_t from, struct aff_id id)
{
    for (; from < batch->count; from++)
        if (same_id(batch->records[from].id, id))
            return true;
    return false;
}

/* A place for one more: a free one, or that of an alert which the host settled
 * without us. There are as many as commands at once, so there is one. */
static uint32_t item_place(const struct queue *q, const struct aff_batch *batch, uint32_t taken)
{
    uint32_t i, old = q->at_once;

    for (i = 0; i < q->at_once; i++) {
        if (q->items[i].state == ITEM_FREE)
            return i;
        if (q->items[i].state != ITEM_RUNS && !batch_has(batch, taken, q->items[i].id))
            old = i;
    }
    return old;
}

static uint64_t part_hash(uint64_t hash, struct part p)
{
    uint32_t i;

    for (i = 0; i < p.length; i++)
        hash = (hash ^ (unsigned char)p.at[i]) * UINT64_C(1099511628211); /* FNV-1a */
    return hash * 31 + 1;
}

static uint64_t whose_of(const struct message *m)
{
    const uint64_t start = UINT64_C(14695981039346656037);

    return m->alert.at ? part_hash(start, m->alert) : part_hash(part_hash(start, m->rule), m->place);
}

/* Whether the same alert is told by a record before this one, whose command has
 * still to come to its good end. */
static bool is_under_way(struct queue *q, const struct aff_batch *batch, uint32_t taken, uint32_t record,
                         uint64_t whose)
{
    const struct item *item;

    for (; taken < record; taken++) {
        item = item_find(q, batch->records[taken].id);
        if (item && item->state != ITEM_DONE && item->whose == whose)
            return true;
    }
    return false;
}

static int command_start(struct queue *q, struct job *job, const struct message *m)
{
    struct out json = { q->json, 0, sizeof q->json, false };
    struct job_order order = { NULL, q->json, 0, q->timeout_ns };
    char *argv[ARGS_MOST + 1];
    uint32_t i;

    for (i = 0; i < q->arg_count; i++) {
        struct out text = { q->text[i], 0, sizeof q->text[i], false };

        message_fill(&text, q->args[i], m);
        (void)out_end(&text);
        argv[i] = q->text[i];
    }
    argv[i] = NULL;
    message_json(&json, m);
    order.argv = argv;
    order.input_size = json.length;
    return job_start(job, &order);
}

static void item_start(struct queue *q, uint32_t place, struct aff_id id, const struct message *m)
{
    struct item *item = &q->items[place];

    *item = (struct item){ id, whose_of(m), ITEM_RUNS, JOB_RUNS, 0, 0 };
    item->errno_code = command_start(q, &q->jobs[place], m);
    q->started += item->errno_code == 0;
    if (item->errno_code != 0)
        item->state = ITEM_FAILED;
}

static void window_fill(struct queue *q, const struct aff_batch *batch, const struct alert_reader *reader,
                        uint32_t taken)
{
    uint32_t i, place, window = 0;
    struct message m;

    for (i = taken; i < batch->count && window < q->at_once; i++) {
        if (!reader->wants(reader->self, &batch->records[i], &m))
            continue;
        window++;
        if (item_find(q, batch->records[i].id))
            continue;
        place = item_place(q, batch, taken);
        if (place == q->at_once || is_under_way(q, batch, taken, i, whose_of(&m)))
            return;
        item_start(q, place, batch->records[i].id, &m);
    }
}

/* Looks at all that run; how many still do. */
static uint32_t window_look(struct queue *q)
{
    uint32_t i, running = 0;

    for (i = 0; i < q->at_once; i++) {
        struct item *item = &q->items[i];

        if (item->state != ITEM_RUNS)
            continue;
        item->end = job_look(&q->jobs[i], &item->code);
        item->state = item->end == JOB_RUNS ? ITEM_RUNS : item->end == JOB_OK ? ITEM_DONE
                    : item->end == JOB_REFUSED ? ITEM_REFUSED : ITEM_FAILED;
        running += item->state == ITEM_RUNS;
    }
    return running;
}

/* Records whose commands are done, in order; the item that holds the next one
 * up, NULL when there is none. */
static struct item *window_take(struct queue *q, const struct aff_batch *batch, const struct alert_reader *reader,
                                uint32_t *taken)
{
    struct message m;
    struct item *item;

    for (; *taken < batch->count; (*taken)++) {
        if (!reader->wants(reader->self, &batch->records[*taken], &m))
            continue;
        item = item_find(q, batch->records[*taken].id);
        if (!item || item->state != ITEM_DONE)
            return item;
        item->state = ITEM_FREE;
    }
    return NULL;
}

static aff_status item_fail(struct queue *q, struct item *item)
{
    const struct aff_host *host = q->host;
    bool is_refused = item->state == ITEM_REFUSED;

    item->state = ITEM_FREE;
    q->failed++;
    if (item->errno_code != 0)
        return host->explain(host, AFF_ERR_IO, "the command cannot be started: %s; check command[0] and its "
                             "permissions; the alert waits and is tried again", strerror(item->errno_code));
    if (is_refused)
        return host->explain(host, AFF_ERR_DATA, "the command refused this alert (exit code 65); it is set aside");
    if (item->end == JOB_LATE)
        return host->explain(host, AFF_ERR_IO, "the command did not end within its timeout and was killed; the alert "
                             "waits and is tried again");
    if (item->code < 0)
        return host->explain(host, AFF_ERR_IO, "the command was ended by signal %d; the alert waits and is tried again",
                             -item->code);
    return host->explain(host, AFF_ERR_IO, "the command ended with exit code %d; the alert waits and is tried again",
                         item->code);
}

static aff_status head_settle(struct queue *q, struct item *head)
{
    while (window_look(q) > 0) /* nothing runs on behind the host's back */
        jobs_wait(q->jobs, q->at_once);
    return item_fail(q, head);
}

aff_status queue_run(struct queue *q, const struct aff_batch *batch, const struct alert_reader *reader,
                     uint32_t *ret_taken)
{
    int64_t start = job_clock_ns();

    for (;;) {
        uint32_t before = *ret_taken;
        bool is_long = before > 0 && job_clock_ns() - start > CALL_NS;
        struct item *head;

        if (!is_long)
            window_fill(q, batch, reader, *ret_taken);
        head = window_take(q, batch, reader, ret_taken);
        if (*ret_taken == batch->count)
            return AFF_OK;
        if (head && head->state != ITEM_RUNS)
            return head_settle(q, head);
        if (head && window_look(q) > 0)
            jobs_wait(q->jobs, q->at_once);
        if (head || *ret_taken > before) /* else the whole window is done */
            continue;
        return is_long ? AFF_AGAIN
                       : q->host->explain(q->host, AFF_ERR_BUG, "an alert has no place among the commands");
    }
}
