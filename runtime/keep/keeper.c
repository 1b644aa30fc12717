/* keeper.c - the one thread that writes the store. See keeper.h.
 *
 * A group that could not be stored stays as it is and is tried again: 50 ms later at
 * first, then twice as long each time, up to 5 s. Whoever rings meanwhile changes
 * nothing; a job of the control side is done between two tries. */
#include "keep/keeper.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <afferent/plugin.h>

#define MS INT64_C(1000000)

enum {
    FIRST_WAIT_MS = 50,
    LONGEST_WAIT_MS = 5000,
    ENDING_MS = 3000, /* how long the end waits for a disk */
    ENDING_STEP_MS = 100
};

/* What somebody wants done on the keeper's thread; lies with whoever waits for it. */
struct job {
    enum store_status (*run)(void *arg, struct store *store);
    void *arg;
    enum store_status status;
    bool is_done;
    struct job *next;
};

struct keeper {
    struct store *store;
    struct kept kept;
    struct keeper_work work;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t rung;  /* the keeper waits here */
    pthread_cond_t done;  /* those with jobs wait here */
    bool is_started;      /* control side only: there is a thread to join */
    bool is_running, is_ending, is_rung;
    struct job *jobs;
    atomic_bool is_paused, has_failed;
    _Atomic int64_t busy_ns; /* since when a commit is under way (monotonic); 0: none is */
    /* the keeper's thread only */
    struct kept_group group;
    bool is_pending;      /* the group is to be tried again */
    int64_t wait_ns;
    /* under `lock` */
    struct keeper_figures figures;
};

static int64_t clock_ns(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- what the data path sees ---- */

static void kept_ring(void *self)
{
    struct keeper *k = self;

    pthread_mutex_lock(&k->lock);
    k->is_rung = true;
    pthread_cond_signal(&k->rung);
    pthread_mutex_unlock(&k->lock);
}

static uint64_t kept_room(void *self)
{
    struct keeper *k = self;

    if (atomic_load(&k->is_paused) || atomic_load(&k->has_failed))
        return 0;
    return store_room(k->store);
}

static bool kept_state(void *self, const char *name, void **ret_bytes, size_t *ret_size)
{
    return store_state(((struct keeper *)self)->store, name, ret_bytes, ret_size) == STORE_OK;
}

static bool kept_queue(void *self, const char *name, uint32_t priority, struct kept_queue *ret_queue)
{
    return store_queue(((struct keeper *)self)->store, name, priority, ret_queue) == STORE_OK;
}

static uint32_t kept_read(void *self, uint32_t queue, uint64_t from, bool down, void *buffer, size_t room,
                          struct kept_read *ret_reads, uint32_t most, size_t *ret_need)
{
    return store_read(((struct keeper *)self)->store, queue, from, down, buffer, room, ret_reads, most, ret_need);
}

static uint32_t kept_retries(void *self, const char *node, uint64_t from, void *buffer, size_t room,
                             struct kept_read *ret_reads, uint32_t most, size_t *ret_need)
{
    return store_retries(((struct keeper *)self)->store, node, from, buffer, room, ret_reads, most, ret_need);
}

/* ---- groups ---- */

static void pause_say(struct keeper *k, const char *why)
{
    bool is_paused = why != NULL;

    if (atomic_exchange(&k->is_paused, is_paused) == is_paused)
        return;
    pthread_mutex_lock(&k->lock);
    k->figures.is_paused = is_paused;
    pthread_mutex_unlock(&k->lock);
    if (k->work.paused)
        k->work.paused(k->work.arg, why);
}

static void fail_say(struct keeper *k)
{
    if (atomic_exchange(&k->has_failed, true))
        return;
    k->is_pending = false;
    k->work.failed(k->work.arg, "store: three transactions in a row failed; nothing more can be stored; look after "
                                "the disk and start the pipeline again");
}

static void figures_count(struct keeper *k, int64_t took_ns)
{
    struct keeper_figures *f = &k->figures;

    pthread_mutex_lock(&k->lock);
    f->groups++;
    f->changes += k->group.count;
    for (uint32_t i = 0; i < k->group.count; i++)
        f->bytes += k->group.changes[i].size;
    f->last_commit_ns = clock_ns(CLOCK_BOOTTIME);
    if (took_ns > f->slowest_ns)
        f->slowest_ns = took_ns;
    pthread_mutex_unlock(&k->lock);
}

static void retry_later(struct keeper *k, const char *why)
{
    k->wait_ns = k->wait_ns ? k->wait_ns * 2 : FIRST_WAIT_MS * MS;
    if (k->wait_ns > LONGEST_WAIT_MS * MS)
        k->wait_ns = LONGEST_WAIT_MS * MS;
    pthread_mutex_lock(&k->lock);
    k->figures.retries++;
    pthread_mutex_unlock(&k->lock);
    pause_say(k, why);
}

/* True: the group is durable, and was said to be. */
static bool group_commit(struct keeper *k)
{
    int64_t begin = clock_ns(CLOCK_MONOTONIC);
    enum store_status status;

    atomic_store(&k->busy_ns, begin);
    status = store_commit(k->store, &k->group);
    atomic_store(&k->busy_ns, 0);
    k->is_pending = status != STORE_OK;
    switch (status) {
    case STORE_OK:
        figures_count(k, clock_ns(CLOCK_MONOTONIC) - begin);
        k->wait_ns = 0;
        pause_say(k, NULL);
        k->work.committed(k->work.arg);
        return true;
    case STORE_FULL:
        retry_later(k, "store: there is no space; make room on the disk; intake goes on by itself");
        return false;
    case STORE_IO:
        retry_later(k, "store: the disk failed; it is tried again; look after the disk");
        return false;
    default:
        fail_say(k);
        return false;
    }
}

/* One round: the group that is pending, or a new one. True: go on at once. */
static bool round_run(struct keeper *k, int64_t *ret_wait_ns)
{
    int64_t more_ns = -1;

    *ret_wait_ns = -1;
    if (atomic_load(&k->has_failed))
        return false;
    if (!k->is_pending) {
        kept_group_clear(&k->group);
        if (!k->work.gather(k->work.arg, &k->group, &more_ns)) {
            *ret_wait_ns = more_ns > 0 ? more_ns : -1;
            return false;
        }
        if (k->group.failed) {
            retry_later(k, "store: there is no memory for what is to be stored; it is tried again");
            *ret_wait_ns = k->wait_ns;
            return false;
        }
    }
    if (group_commit(k))
        return true;
    *ret_wait_ns = k->is_pending ? k->wait_ns : -1;
    return false;
}

/* ---- the thread ---- */

/* The caller holds the lock; it is let go while a job runs. */
static void jobs_run(struct keeper *k)
{
    while (k->jobs) {
        struct job *job = k->jobs;
        enum store_status status;

        k->jobs = job->next;
        pthread_mutex_unlock(&k->lock);
        status = job->run(job->arg, k->store);
        pthread_mutex_lock(&k->lock);
        job->status = status;
        job->is_done = true;
        pthread_cond_broadcast(&k->done);
    }
}

/* Until `until_ns` (monotonic; -1: as long as it takes), or until there is something to
 * do. A ring does not shorten the wait for a disk. The caller holds the lock. */
static void rest(struct keeper *k, int64_t until_ns)
{
    struct timespec until = { until_ns / 1000000000, until_ns % 1000000000 };
    int error = 0;

    while (!k->is_ending && !k->jobs && (k->is_pending || !k->is_rung) && error != ETIMEDOUT) {
        if (until_ns < 0)
            pthread_cond_wait(&k->rung, &k->lock);
        else
            error = pthread_cond_timedwait(&k->rung, &k->lock, &until);
    }
}

/* What is complete, once more. A disk that fails for a moment is waited for; one that
 * stays full is not, and who runs it is told that the last of it is not safe. */
static void finish(struct keeper *k)
{
    int64_t end = clock_ns(CLOCK_MONOTONIC) + ENDING_MS * MS, wait_ns = 0;

    while (round_run(k, &wait_ns) || (wait_ns >= 0 && clock_ns(CLOCK_MONOTONIC) < end)) {
        struct timespec t = { 0, wait_ns > ENDING_STEP_MS * MS ? ENDING_STEP_MS * MS : wait_ns > 0 ? wait_ns : 0 };

        nanosleep(&t, NULL);
    }
    if (k->is_pending && !atomic_exchange(&k->has_failed, true))
        k->work.failed(k->work.arg, "store: the last group could not be stored; make room, or look after the disk; the "
                                    "next run goes on from the last commit");
}

static void *keeper_run(void *arg)
{
    struct keeper *k = arg;
    int64_t wait_ns, until_ns = 0;

    pthread_mutex_lock(&k->lock);
    while (!k->is_ending) {
        jobs_run(k);
        if (!k->is_pending || clock_ns(CLOCK_MONOTONIC) >= until_ns) {
            k->is_rung = false;
            pthread_mutex_unlock(&k->lock);
            wait_ns = round_run(k, &wait_ns) ? 0 : wait_ns;
            pthread_mutex_lock(&k->lock);
            until_ns = wait_ns < 0 ? -1 : clock_ns(CLOCK_MONOTONIC) + wait_ns;
        }
        rest(k, until_ns);
    }
    jobs_run(k);
    pthread_mutex_unlock(&k->lock);
    finish(k);
    pthread_mutex_lock(&k->lock);
    k->is_running = false;
    jobs_run(k);
    pthread_mutex_unlock(&k->lock);
    return NULL;
}

/* ---- control ---- */

struct keeper *keeper_open(struct store *store)
{
    struct keeper *k = calloc(1, sizeof *k);
    pthread_condattr_t attributes;

    if (!k)
        return NULL;
    k->store = store;
    k->kept = (struct kept){ .self = k, .ring = kept_ring, .room = kept_room, .state = kept_state,
                             .queue = kept_queue, .read = kept_read, .retries = kept_retries };
    pthread_mutex_init(&k->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&k->rung, &attributes);
    pthread_cond_init(&k->done, NULL);
    pthread_condattr_destroy(&attributes);
    return k;
}

const struct kept *keeper_kept(struct keeper *k)
{
    return &k->kept;
}

/* Signals are for other threads. */
bool keeper_start(struct keeper *k, const struct keeper_work *work)
{
    sigset_t all, before;
    int error;

    k->work = *work;
    k->is_ending = false;
    k->is_rung = true;
    k->is_running = true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&k->thread, NULL, keeper_run, k);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        k->is_running = false;
        return false;
    }
    k->is_started = true;
    pthread_setname_np(k->thread, "keeper");
    return true;
}

void keeper_stop(struct keeper *k)
{
    if (!k->is_started)
        return;
    pthread_mutex_lock(&k->lock);
    k->is_ending = true;
    pthread_cond_signal(&k->rung);
    pthread_mutex_unlock(&k->lock);
    pthread_join(k->thread, NULL);
    k->is_started = false;
}

void keeper_close(struct keeper **keeper)
{
    struct keeper *k = *keeper;

    if (!k)
        return;
    keeper_stop(k);
    kept_group_free(&k->group);
    pthread_cond_destroy(&k->done);
    pthread_cond_destroy(&k->rung);
    pthread_mutex_destroy(&k->lock);
    free(k);
    *keeper = NULL;
}

/* While no keeper runs the caller is alone with the store. */
enum store_status keeper_do(struct keeper *k, enum store_status (*run)(void *arg, struct store *store), void *arg)
{
    struct job job = { .run = run, .arg = arg }, **end;

    pthread_mutex_lock(&k->lock);
    if (!k->is_running) {
        pthread_mutex_unlock(&k->lock);
        return run(arg, k->store);
    }
    for (end = &k->jobs; *end; end = &(*end)->next)
        continue;
    *end = &job;
    pthread_cond_signal(&k->rung);
    while (!job.is_done)
        pthread_cond_wait(&k->done, &k->lock);
    pthread_mutex_unlock(&k->lock);
    return job.status;
}

void keeper_figures(struct keeper *k, struct keeper_figures *ret_figures)
{
    pthread_mutex_lock(&k->lock);
    *ret_figures = k->figures;
    pthread_mutex_unlock(&k->lock);
}

int64_t keeper_busy_ns(struct keeper *k)
{
    int64_t since = atomic_load(&k->busy_ns);

    return since ? clock_ns(CLOCK_MONOTONIC) - since : 0;
}
