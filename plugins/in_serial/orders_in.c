/* SPDX-License-Identifier: Apache-2.0
 *
 * orders_in.c - commands as they come: from the port, and after a restart from
 * what the host has kept. See orders.c. */
#include "serial.h"

#include <string.h>

#define AGE_MOST (INT64_MAX / 4)

static const char *name_of(struct serial *s, const struct aff_record *record, uint32_t *ret_size)
{
    const struct aff_schema *schema = s->host->schema_info(s->host, record->schema);

    *ret_size = 0;
    for (uint32_t i = 0; schema && i < schema->count; i++) {
        const struct aff_column *c = (const void *)((const char *)schema->columns + (size_t)i * schema->stride);

        if (strcmp(c->name, "command") == 0 && c->type == AFF_TEXT && aff_row_has(record, i))
            return aff_row_text(record, schema->count, i, ret_size);
    }
    return NULL;
}

static int32_t command_of(struct serial *s, const struct aff_record *record)
{
    uint32_t size;
    const char *name = name_of(s, record, &size);

    return name ? config_command_find(s->config, name, size) : -1;
}

/* The name of an unknown command is not repeated: who knows what it holds. */
static aff_status refuse(struct serial *s, const struct aff_batch *batch, uint32_t input, uint8_t verdict, int32_t known)
{
    const char *name = known < 0 ? "" : s->orders.table[known].name;
    struct result r = { .record = &batch->records[input],
                        .command = name,
                        .command_size = (uint32_t)strlen(name),
                        .outcome = verdict,
                        .reply = "" };
    aff_status st = result_emit(s, input, &r);

    if (st != AFF_OK)
        return st;
    batch->verdicts[input] = verdict;
    s->host->count(s->host, METRIC_NOT_DONE, 1);
    return AFF_OK;
}

static aff_status take(struct serial *s, const struct aff_batch *batch, uint32_t input)
{
    struct orders *o = &s->orders;
    const struct aff_record *held;
    int32_t index = command_of(s, &batch->records[input]);
    aff_status st;

    if (index < 0 || o->job_count == JOBS_MOST) {
        st = refuse(s, batch, input, index < 0 ? VERDICT_UNKNOWN : VERDICT_TOO_MANY, index);
        if (st == AFF_OK)
            s->host->count(s->host, METRIC_COMMANDS, 1);
        return st;
    }
    held = s->host->hold(s->host, &batch->records[input]);
    if (!held)
        return s->host->explain(s->host, AFF_ERR_MEMORY, "no room to keep a command; raise run.max_held");
    batch->verdicts[input] = VERDICT_QUEUED;
    o->jobs[o->job_count++] = (struct job){ .record = held, .command = (uint8_t)index,
                                            .queued_ns = s->host->now_ns(s->host) };
    s->host->count(s->host, METRIC_COMMANDS, 1);
    s->host->gauge(s->host, METRIC_QUEUED, o->job_count);
    return AFF_OK;
}

aff_status orders_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct serial *s = self;
    aff_status st;

    for (*ret_taken = 0; *ret_taken < batch->count; (*ret_taken)++) {
        st = take(s, batch, *ret_taken);
        if (st != AFF_OK)
            return st;
    }
    s->host->wake_at(s->host, s->host->now_ns(s->host));
    return AFF_OK;
}

static void polls_open(struct orders *o, const struct config *c)
{
    for (uint32_t i = 0; i < c->polls.count && i < POLLS_MOST; i++) {
        const struct poll_config *p = config_poll(c, i);

        o->polls[o->poll_count++] = (struct poll){ .every_ns = p->every, .outcome = VERDICT_DONE,
            .command = (uint8_t)config_command_find(c, p->command, strlen(p->command)) };
    }
}

aff_status orders_open(struct serial *s)
{
    const struct config *c = s->config;
    struct orders *o = &s->orders;

    if (!c->commands.count)
        return AFF_OK;
    o->table = s->host->alloc(s->host, c->commands.count * sizeof *o->table);
    if (!o->table)
        return AFF_ERR_MEMORY;
    o->table_count = c->commands.count;
    for (uint32_t i = 0; i < c->commands.count; i++)
        if (!config_command_make(c, i, NULL, &o->table[i]))
            return s->host->explain(s->host, AFF_ERR_CONFIG, "a command cannot be used; run `afferent check`");
    polls_open(o, c);
    return AFF_OK;
}

void orders_close(struct serial *s)
{
    if (s->orders.table)
        s->host->free(s->host, s->orders.table);
    s->orders.table = NULL;
}

/* ---- over a restart ---- */

void orders_keep(const struct serial *s, struct kept_job *ret)
{
    int64_t now = s->host->now_ns(s->host);

    for (uint32_t i = 0; i < s->orders.job_count; i++) {
        const struct job *job = &s->orders.jobs[i];

        ret[i] = (struct kept_job){ job->record->id, now - job->queued_ns, job->has_begun, { 0 } };
    }
}

/* What was kept of this one; all zero: nothing. */
static struct kept_job kept_of(const struct aff_record *held, const void *kept, uint32_t count)
{
    struct kept_job one;

    for (uint32_t i = 0; i < count; i++) {
        memcpy(&one, (const char *)kept + i * sizeof one, sizeof one);
        if (one.id.source == held->id.source && one.id.seq == held->id.seq)
            return one;
    }
    return (struct kept_job){ .age_ns = 0 };
}

/* It has waited on while there was no power: an order of hours ago may do harm. One
 * that was at work may have been done, and is not said to have waited in vain. */
static struct job job_restored(struct serial *s, const struct aff_record *held, const struct kept_job *kept,
                               int64_t away_ns)
{
    int32_t index = command_of(s, held);
    int64_t now = s->host->now_ns(s->host), wait = s->config->command_wait, age;
    struct job job = { .record = held, .command = (uint8_t)(index < 0 ? 0 : index) };

    if (__builtin_add_overflow(kept->age_ns > 0 ? kept->age_ns : 0, away_ns, &age) || age > AGE_MOST)
        age = AGE_MOST;
    job.queued_ns = now - age;
    if (index < 0)
        job.outcome = VERDICT_UNKNOWN;
    else if (wait && age >= wait && kept->has_begun)
        job.outcome = VERDICT_FAILED;
    return job;
}

/* The host keeps the commands; here they only take their place again. One that is
 * unknown since the configuration changed is set aside. */
void orders_restore(struct serial *s, const void *kept, uint32_t count, int64_t away_ns)
{
    struct orders *o = &s->orders;
    const struct aff_record *held;
    uint32_t i;

    for (i = 0; i < JOBS_MOST && (held = s->host->held(s->host, i)) != NULL; i++) {
        struct kept_job one = kept_of(held, kept, count);

        o->jobs[i] = job_restored(s, held, &one, away_ns);
    }
    o->job_count = i;
}
