/* SPDX-License-Identifier: Apache-2.0
 *
 * mm.c - the two queues between a plugin's [data] thread and the thread of
 * libmm-glib; see mm.h.
 *
 * Nothing waits here: each side takes the lock for a copy and wakes the other by a
 * descriptor. A request owns a place from mm_ask until its reply was read, and each
 * place has room for its reply, so that no reply is lost when nobody reads; what
 * the modem tells by itself waits in the modem.
 *
 * Not here: anything about GLib (mm_bus.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "mm_own.h"

size_t mm_size(void)
{
    return sizeof(struct mm);
}

static void wake(int fd)
{
    uint64_t one = 1;

    if (write(fd, &one, sizeof one) < 0)
        return; /* full: it is awake */
}

static void calm(int fd)
{
    uint64_t many;

    if (read(fd, &many, sizeof many) < 0)
        return; /* nothing was there */
}

/* ---- opening and closing ---- */

bool mm_open(struct mm *mm, const struct mm_config *config)
{
    int error;

    mm->config = *config;
    mm->state = (struct mm_state){ .trouble = "", .pin_tries = -1, .registration = -1, .technology = -1, .quality = -1 };
    mm->changed.kind = MM_CHANGED;
    mm->changed.words = mm->changed.text = "";
    mm->up = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    mm->down = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mm->up < 0 || mm->down < 0) {
        error = errno;
        goto fail;
    }
    error = pthread_mutex_init(&mm->lock, NULL);
    if (error)
        goto fail;
    mm_prepare(mm);
    error = pthread_create(&mm->thread, NULL, mm_thread, mm);
    if (!error)
        return true;
    mm_done(mm);
    pthread_mutex_destroy(&mm->lock);
fail:
    if (mm->up >= 0)
        close(mm->up);
    if (mm->down >= 0)
        close(mm->down);
    errno = error;
    return false;
}

void mm_close(struct mm *mm)
{
    unsigned i;

    pthread_mutex_lock(&mm->lock);
    mm->closing = true;
    pthread_mutex_unlock(&mm->lock);
    wake(mm->down);
    mm_break(mm);
    pthread_join(mm->thread, NULL);
    mm_done(mm);
    for (i = 0; i < MM_SLOTS; i++)
        free(mm->slots[i].memory);
    pthread_mutex_destroy(&mm->lock);
    close(mm->up);
    close(mm->down);
}

/* ---- events, up ---- */

int mm_fd(const struct mm *mm)
{
    return mm->up;
}

static unsigned waiting_alone(const struct mm *mm)
{
    unsigned i, alone = 0;

    for (i = 0; i < mm->count; i++)
        alone += !mm->slots[(mm->first + i) % MM_SLOTS].job;
    return alone;
}

bool mm_tell(struct mm *mm, const struct mm_event *event, struct job *job)
{
    const void *bytes = event->data ? (const void *)event->data : event->text;
    size_t size = event->data ? event->data_size : event->text_size;
    char *memory = NULL;
    struct slot *s;
    bool fits;

    if (bytes && size > 0)
        memory = malloc(size + 1);
    if (memory) {
        memcpy(memory, bytes, size);
        memory[size] = '\0';
    }
    pthread_mutex_lock(&mm->lock);
    /* A reply without its text is better than none; a message is told later. */
    fits = job || (waiting_alone(mm) < MM_EVENTS_MOST && (memory || size == 0));
    mm->starved |= !fits;
    if (fits) {
        s = &mm->slots[(mm->first + mm->count++) % MM_SLOTS];
        *s = (struct slot){ .event = *event, .memory = memory, .job = job };
        s->event.data = memory && event->data ? (uint8_t *)memory : NULL;
        s->event.text = memory && !event->data ? memory : "";
        s->event.text_size = memory && !event->data ? size : 0;
        if (!s->event.words)
            s->event.words = "";
        if (job)
            job->state = JOB_ANSWERED;
        memory = NULL;
    }
    pthread_mutex_unlock(&mm->lock);
    free(memory);
    wake(mm->up);
    return fits;
}

/* The event that was lent is over: its place and its request's are free again. */
static void take_back(struct mm *mm)
{
    struct slot *s = &mm->slots[mm->first];

    free(s->memory);
    if (s->job)
        s->job->state = JOB_FREE;
    *s = (struct slot){ .memory = NULL };
    mm->first = (mm->first + 1) % MM_SLOTS;
    mm->count--;
    mm->lent = false;
}

const struct mm_event *mm_next(struct mm *mm)
{
    const struct mm_event *event = NULL;
    bool hungry = false;

    pthread_mutex_lock(&mm->lock);
    if (mm->lent) {
        take_back(mm);
        hungry = mm->starved;
        mm->starved = false;
    }
    if (mm->state_new) {
        mm->state_new = false;
        event = &mm->changed;
    } else if (mm->count > 0) {
        mm->lent = true;
        event = &mm->slots[mm->first].event;
    } else {
        calm(mm->up);
    }
    pthread_mutex_unlock(&mm->lock);
    if (hungry)
        wake(mm->down);
    return event;
}

void mm_publish(struct mm *mm, const struct mm_state *state)
{
    bool differs;

    pthread_mutex_lock(&mm->lock);
    differs = memcmp(&mm->state, state, sizeof *state) != 0;
    if (differs) {
        memcpy(&mm->state, state, sizeof *state);
        mm->state_new = true;
    }
    pthread_mutex_unlock(&mm->lock);
    if (differs)
        wake(mm->up);
}

void mm_state_get(struct mm *mm, struct mm_state *ret)
{
    pthread_mutex_lock(&mm->lock);
    *ret = mm->state;
    pthread_mutex_unlock(&mm->lock);
}

/* ---- requests, down ---- */

static bool text_fits(const char *text, size_t room)
{
    return !text || strlen(text) < room;
}

static const char *text_keep(char *to, const char *text)
{
    return text ? strcpy(to, text) : NULL; /* it fits: mm_ask has looked */
}

static void job_fill(struct job *job, const struct mm_request *r)
{
    job->request = *r;
    if (r->text_size > 0)
        memcpy(job->text, r->text, r->text_size);
    job->text[r->text_size] = '\0';
    job->request.text = job->text;
    job->request.number = text_keep(job->number, r->number);
    job->request.apn = text_keep(job->apn, r->apn);
    job->request.user = text_keep(job->user, r->user);
    job->request.password = text_keep(job->password, r->password);
}

enum mm_taken mm_ask(struct mm *mm, const struct mm_request *r)
{
    struct job *job;
    unsigned i;

    if (r->text_size > MM_TEXT_MOST || !text_fits(r->number, sizeof job->number) ||
        !text_fits(r->apn, sizeof job->apn) || !text_fits(r->user, sizeof job->user) ||
        !text_fits(r->password, sizeof job->password))
        return MM_TOO_LONG;
    pthread_mutex_lock(&mm->lock);
    for (i = 0; i < MM_ASKED_MOST && mm->jobs[i].state != JOB_FREE; i++)
        continue;
    job = i < MM_ASKED_MOST ? &mm->jobs[i] : NULL;
    if (job) {
        job_fill(job, r);
        job->order = ++mm->orders;
        job->state = JOB_ASKED;
    }
    pthread_mutex_unlock(&mm->lock);
    if (job)
        wake(mm->down);
    return job ? MM_TAKEN : MM_TOO_MANY;
}

struct job *mm_take_job(struct mm *mm)
{
    struct job *oldest = NULL;
    unsigned i;

    pthread_mutex_lock(&mm->lock);
    for (i = 0; i < MM_ASKED_MOST; i++)
        if (mm->jobs[i].state == JOB_ASKED && (!oldest || mm->jobs[i].order < oldest->order))
            oldest = &mm->jobs[i];
    if (oldest)
        oldest->state = JOB_RUNNING;
    pthread_mutex_unlock(&mm->lock);
    return oldest;
}

void mm_forget(struct mm *mm, uint64_t key)
{
    unsigned i;

    pthread_mutex_lock(&mm->lock);
    for (i = 0; i < MM_TOLD_MOST; i++)
        if (mm->told[i].used && mm->told[i].key == key)
            mm->told[i].forget = true;
    pthread_mutex_unlock(&mm->lock);
    wake(mm->down);
}
