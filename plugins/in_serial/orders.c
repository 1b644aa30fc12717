/* SPDX-License-Identifier: Apache-2.0
 *
 * orders.c - commands to the device, one after another: sent, waited for, sent
 * again, and what became of them. See serial.h.
 *
 * A command is held by the host until its outcome is known, so it outlives a
 * restart and is carried out at least once. When the line is lost in the middle of
 * one, all of it is done again after on_open's. Polls have nobody who gave them: one
 * that is not done is told once. Nothing here ever waits: a turn does what can be done
 * now and says when it has more to do. */
#include "serial.h"

#include <stdio.h>
#include <string.h>

/* The job that is at work or is next; NULL: none. */
static struct job *job_now(struct orders *o)
{
    if (o->has_own)
        return o->own.outcome ? NULL : &o->own;
    return o->job_count && !o->jobs[0].outcome ? &o->jobs[0] : NULL;
}

/* What of it is to be sent now. */
static const struct command *step_now(const struct orders *o, const struct job *job)
{
    const struct command *c = &o->table[job->command];

    return c->step_count ? &o->table[c->steps[job->step]] : c;
}

static void job_end(struct orders *o, struct job *job, uint8_t outcome)
{
    job->outcome = outcome;
    o->state = ORDER_IDLE;
}

static void step_end(struct orders *o, struct job *job)
{
    o->state = ORDER_IDLE;
    job->tries = 0;
    if (++job->step >= o->table[job->command].step_count)
        job_end(o, job, VERDICT_DONE);
}

/* ---- answers ---- */

static void reply_keep(struct orders *o, const uint8_t *at, size_t size)
{
    o->reply_size = 0;
    for (size_t i = 0; i < size && o->reply_size + 5 < sizeof o->reply; i++) {
        char *to = o->reply + o->reply_size;
        bool plain = at[i] >= 0x20 && at[i] < 0x7f && at[i] != '\\';

        o->reply_size += (size_t)snprintf(to, 5, plain ? "%c" : "\\x%02X", at[i]);
    }
}

static void answer_look(struct orders *o, const uint8_t *at, size_t size)
{
    struct job *job = job_now(o);
    enum answer answer = command_answer(step_now(o, job), at, size);

    if (answer == ANSWER_NONE)
        return;
    reply_keep(o, at, size);
    if (answer == ANSWER_YES)
        step_end(o, job);
    else
        job_end(o, job, VERDICT_REFUSED);
}

static bool is_asked(struct orders *o, bool in_bytes)
{
    return o->state == ORDER_WAITING && step_now(o, job_now(o))->in_bytes == in_bytes;
}

/* A frame that was there as a whole before the command went out is no answer to it. */
void orders_frame(struct serial *s, const uint8_t *at, size_t size)
{
    if (is_asked(&s->orders, false) && s->window.place > s->orders.asked_place)
        answer_look(&s->orders, at, size);
}

/* An answer may be cut by two reads: the last bytes are looked at once more. */
void orders_bytes(struct serial *s, const uint8_t *at, size_t size)
{
    struct orders *o = &s->orders;
    uint8_t room[2 * sizeof o->tail];
    size_t head = size < sizeof o->tail ? size : sizeof o->tail, both;

    if (!is_asked(o, true))
        return;
    memcpy(room, o->tail, o->tail_size);
    memcpy(room + o->tail_size, at, head);
    both = o->tail_size + head;
    answer_look(o, room, both);
    if (o->state == ORDER_WAITING && size > head)
        answer_look(o, at, size);
    if (o->state != ORDER_WAITING)
        device_readable(s);
    if (size >= sizeof o->tail) {
        o->tail_size = sizeof o->tail;
        memcpy(o->tail, at + size - o->tail_size, o->tail_size);
    } else {
        o->tail_size = both < sizeof o->tail ? both : sizeof o->tail;
        memcpy(o->tail, room + both - o->tail_size, o->tail_size);
    }
}

/* ---- sending ---- */

static bool bytes_make(struct serial *s, const struct job *job)
{
    struct orders *o = &s->orders;
    const struct command *c = step_now(o, job);
    const struct aff_schema *schema = job->record ? s->host->schema_info(s->host, job->record->schema) : NULL;
    uint8_t plain[SEND_MOST];

    o->sent = 0;
    if (!c->wrap) {
        o->size = command_bytes(c, job->record, schema, o->bytes, sizeof o->bytes);
        return o->size > 0;
    }
    o->size = command_bytes(c, job->record, schema, plain, sizeof plain);
    if (o->size)
        o->size = frame_encode(&s->framer, plain, o->size, o->bytes, sizeof o->bytes);
    return o->size > 0;
}

static void step_begin(struct serial *s, struct job *job, int64_t now)
{
    struct orders *o = &s->orders;

    if (!job->has_begun)
        job->began_ns = now;
    job->has_begun = true;
    o->has_polled = o->has_polled && job == &o->own;
    o->reply_size = o->tail_size = 0;
    if (!bytes_make(s, job)) {
        job_end(o, job, VERDICT_BAD_VALUE);
        return;
    }
    job->tries++;
    job->sends++;
    o->state = ORDER_SENDING;
    o->deadline_ns = now + step_now(o, job)->timeout_ns;
}

static aff_status step_send(struct serial *s, struct job *job, int64_t now)
{
    struct orders *o = &s->orders;
    const struct command *c = step_now(o, job);
    aff_status st = AFF_OK;
    size_t sent;

    while (o->sent < o->size && st == AFF_OK) {
        st = device_write(s, now, o->bytes + o->sent, o->size - o->sent, &sent);
        if (st == AFF_ERR_IO)
            return st; /* the job is dealt with: orders_device_lost */
        o->sent += sent;
    }
    if (o->sent < o->size)
        return AFF_AGAIN;
    o->state = ORDER_WAITING;
    o->asked_place = s->window.place + s->window.have;
    o->deadline_ns = now + c->timeout_ns;
    if (!c->expect_count && !c->refuse_count)
        step_end(o, job);
    return AFF_OK;
}

/* Nothing came in time. Where only a refusal is listened for, that is a yes. */
static void step_late(struct serial *s, struct job *job)
{
    struct orders *o = &s->orders;
    const struct command *c = step_now(o, job);

    if (o->state == ORDER_SENDING)
        port_forget(s->fd);
    o->state = ORDER_IDLE;
    if (!c->expect_count && o->sent == o->size)
        step_end(o, job);
    else if (job->tries > c->retries)
        job_end(o, job, VERDICT_TIMEOUT);
    else
        s->host->count(s->host, METRIC_RETRIES, 1);
}

/* ---- outcomes ---- */

static aff_status job_report(struct serial *s, const struct job *job)
{
    struct orders *o = &s->orders;
    bool has_name = job->outcome != VERDICT_UNKNOWN;
    const char *name = has_name ? o->table[job->command].name : "";
    struct result r = { .record = job->record,
                        .command = name,
                        .command_size = (uint32_t)strlen(name),
                        .outcome = job->outcome,
                        .tries = job->sends,
                        .seconds = job->has_begun ? (double)(s->host->now_ns(s->host) - job->began_ns) / 1e9 : 0.0,
                        .reply = o->reply,
                        .reply_size = job->has_begun ? (uint32_t)o->reply_size : 0 };
    aff_status st = result_emit(s, AFF_NO_INPUT, &r);

    if (st == AFF_OK && job->record)
        st = s->host->release(s->host, job->record, job->outcome);
    if (st == AFF_OK)
        s->host->count(s->host, job->outcome == VERDICT_DONE ? METRIC_DONE : METRIC_NOT_DONE, 1);
    return st;
}

/* What a poll came to is no news where it is what it was. */
static aff_status own_report(struct serial *s, struct turn *t)
{
    struct orders *o = &s->orders;
    aff_status st = AFF_OK;

    if (o->own_poll && o->own_poll->outcome == o->own.outcome) {
        s->host->count(s->host, o->own.outcome == VERDICT_DONE ? METRIC_DONE : METRIC_NOT_DONE, 1);
    } else {
        st = job_report(s, &o->own);
        t->want -= st == AFF_OK;
    }
    if (st == AFF_OK && o->own_poll)
        o->own_poll->outcome = o->own.outcome;
    o->has_own = st != AFF_OK;
    return st;
}

static aff_status reports_turn(struct serial *s, struct turn *t)
{
    struct orders *o = &s->orders;
    aff_status st = AFF_OK;
    uint32_t i = 0;

    if (o->has_own && o->own.outcome && t->want)
        st = own_report(s, t);
    while (st == AFF_OK && i < o->job_count && t->want) {
        if (!o->jobs[i].outcome) {
            i++;
            continue;
        }
        st = job_report(s, &o->jobs[i]);
        if (st != AFF_OK)
            break;
        t->want--;
        o->job_count--;
        memmove(&o->jobs[i], &o->jobs[i + 1], (o->job_count - i) * sizeof *o->jobs);
        s->host->gauge(s->host, METRIC_QUEUED, o->job_count);
    }
    return st;
}

/* A command is meant for the moment: given long ago, it may do harm today. One that
 * was sent already and is waiting for the line has had its chance. */
static void jobs_expire(struct serial *s, int64_t now)
{
    struct orders *o = &s->orders;
    int64_t wait = s->config->command_wait;

    for (uint32_t i = 0; wait && i < o->job_count; i++) {
        struct job *job = &o->jobs[i];

        if (job->outcome || now - job->queued_ns < wait || (s->fd >= 0 && job->has_begun))
            continue;
        job->outcome = job->has_begun ? VERDICT_FAILED : VERDICT_EXPIRED;
    }
}

/* ---- turns ---- */

static aff_status job_turn(struct serial *s, struct job *job, struct turn *t)
{
    struct orders *o = &s->orders;

    if (o->state == ORDER_IDLE) {
        step_begin(s, job, t->now);
        return AFF_OK;
    }
    if (t->now >= o->deadline_ns) {
        step_late(s, job);
        return AFF_OK;
    }
    return o->state == ORDER_SENDING ? step_send(s, job, t->now) : AFF_AGAIN;
}

/* The poll that is due the longest; NULL: none is. */
static struct poll *poll_due(struct orders *o, int64_t now)
{
    struct poll *due = NULL;

    for (uint32_t i = 0; i < o->poll_count; i++)
        if (o->polls[i].next_ns <= now && (!due || o->polls[i].next_ns < due->next_ns))
            due = &o->polls[i];
    return due;
}

/* Not in the middle of a command, and not twice where one waits. What was missed is
 * not made up for. */
static void poll_begin(struct orders *o, int64_t now)
{
    struct poll *p = poll_due(o, now);
    bool has_job = o->job_count && !o->jobs[0].outcome;

    if (!p || (has_job && (o->jobs[0].has_begun || o->has_polled)))
        return;
    o->own = (struct job){ .command = p->command, .queued_ns = now };
    o->own_poll = p;
    o->has_own = o->has_polled = true;
    p->next_ns = now + p->every_ns - (now - p->next_ns) % p->every_ns;
}

static void own_begin(struct orders *o, const struct config *c, int64_t now)
{
    const char *name;

    if (o->has_own || o->state != ORDER_IDLE)
        return;
    if (o->opening_next == o->opening_count) {
        poll_begin(o, now);
        return;
    }
    name = config_text(&c->on_open, o->opening_next++);
    o->own = (struct job){ .command = (uint8_t)config_command_find(c, name, strlen(name)), .queued_ns = now };
    o->own_poll = NULL;
    o->has_own = true;
}

aff_status orders_turn(struct serial *s, struct turn *t)
{
    struct orders *o = &s->orders;
    aff_status st = AFF_OK;
    struct job *job;

    jobs_expire(s, t->now);
    /* As many steps as a turn may have: a command that is done at once begins the
     * next, and the data must not wait for a hundred of them. */
    for (int i = 0; i < 8 && st == AFF_OK && s->fd >= 0; i++) {
        st = reports_turn(s, t);
        own_begin(o, s->config, t->now);
        job = job_now(o);
        if (st != AFF_OK || !job || !t->want)
            break;
        st = job_turn(s, job, t);
    }
    if (st == AFF_OK || st == AFF_ERR_IO)
        st = reports_turn(s, t);
    /* With nothing more wanted, what there is to tell is not known here. */
    t->more |= t->want == 0 || (st == AFF_OK && s->fd >= 0 && o->state == ORDER_IDLE && job_now(o));
    return st == AFF_AGAIN ? AFF_OK : st;
}

int64_t orders_due(const struct serial *s)
{
    const struct orders *o = &s->orders;
    int64_t due = o->state == ORDER_IDLE ? INT64_MAX : o->deadline_ns;

    for (uint32_t i = 0; o->state == ORDER_IDLE && s->fd >= 0 && i < o->poll_count; i++)
        due = o->polls[i].next_ns < due ? o->polls[i].next_ns : due;
    for (uint32_t i = 0; s->config->command_wait && i < o->job_count; i++) {
        int64_t expires = o->jobs[i].queued_ns + s->config->command_wait;

        if (expires < due && !(s->fd >= 0 && o->jobs[i].has_begun))
            due = expires;
    }
    return due;
}

void orders_device_opened(struct serial *s)
{
    struct orders *o = &s->orders;

    o->opening_next = 0;
    o->opening_count = s->config->on_open.count;
    for (uint32_t i = 0; i < o->poll_count; i++)
        o->polls[i].next_ns = s->host->now_ns(s->host);
}

/* What the device was doing is not known: it is asked again from the first step. */
void orders_device_lost(struct serial *s)
{
    struct orders *o = &s->orders;
    bool was_busy = o->state != ORDER_IDLE;
    struct job *job = job_now(o);

    o->state = ORDER_IDLE;
    o->opening_next = o->opening_count;
    if (!job || (!was_busy && !job->has_begun))
        return;
    o->reply_size = 0;
    if (job == &o->own) {
        job_end(o, job, VERDICT_FAILED);
        return;
    }
    job->step = 0;
    job->tries = 0;
    if (++job->losses > o->table[job->command].retries)
        job_end(o, job, VERDICT_FAILED);
    else
        s->host->count(s->host, METRIC_RETRIES, 1);
}
