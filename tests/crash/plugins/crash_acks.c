/* crash_acks.c - a far end whose answers come late and in any order (AFF_ACKS).
 *
 * `write` hands records to a peer, which is a thread here: it picks one of those
 * that wait by chance, delivers it (a line in the log), and answers. Now and then
 * it refuses a record by its number, fails before it delivered, delivers and loses
 * its answer (so the record comes again, marked), or answers for a record that
 * nobody waits for.
 *
 * Not here: a sink that answers at once (crash_sink.c). */
#include <afferent/plugin.h>

#include <pthread.h>
#include <time.h>

#include "pattern.h"
#include "ports.h"

enum { WINDOW = 256 };

struct config {
    const char *log;
    int64_t latency;
    int64_t refuse;
    int64_t fail_every;
};

static const struct aff_option options[] = {
    AFF_OPT_PATH(struct config, log, AFF_OPT_REQUIRED, NULL, "File of what was delivered."),
    AFF_OPT_DURATION(struct config, latency, 0, "\"50us\"", 0, 1e9, "Time between two answers."),
    AFF_OPT_INT(struct config, refuse, 0, "0", 0, 1e6, "records", "Each so many records one is refused; 0: none."),
    AFF_OPT_INT(struct config, fail_every, 0, "0", 0, 1e6, "answers", "Each so many answers one is a failure; 0: none."),
};

struct waiting {
    struct far_line line;
    struct aff_id id;
};

struct sink {
    const struct aff_host *host;
    const struct config *config;
    pthread_t peer;
    pthread_mutex_t lock;
    pthread_cond_t stirred;
    uint64_t answers;
    uint64_t chance;
    uint32_t count;
    int log;
    int started;
    int stop;
    struct waiting waiting[WINDOW];
};

/* What the peer does with one; the lock is not held. */
static void answer(struct sink *s, struct waiting *w)
{
    const struct config *c = s->config;
    uint64_t turn = ++s->answers, refuse = (uint64_t)c->refuse;
    int fails = c->fail_every && turn % (uint64_t)c->fail_every == 0;

    if (fails && turn / (uint64_t)c->fail_every % 2u) {
        s->host->ack(s->host, w->id, AFF_ERR_IO);
        return;
    }
    if (refuse && w->line.key % refuse == refuse - 1u)
        w->line.kind = FAR_REFUSED;
    (void)far_append(s->log, &w->line, 1);
    if (fails)
        s->host->ack(s->host, w->id, AFF_ERR_IO);
    else
        s->host->ack(s->host, w->id, w->line.kind == FAR_OUT ? AFF_OK : AFF_ERR_DATA);
    if (turn % 7u == 0)
        s->host->ack(s->host, (struct aff_id){ ~w->id.source, ~w->id.seq }, AFF_OK);
}

static void *peer(void *arg)
{
    struct sink *s = arg;
    struct timespec latency = { (time_t)(s->config->latency / 1000000000), (long)(s->config->latency % 1000000000) };
    struct waiting w;
    uint32_t at;

    pthread_mutex_lock(&s->lock);
    while (!s->stop) {
        if (!s->count) {
            pthread_cond_wait(&s->stirred, &s->lock);
            continue;
        }
        s->chance = pattern_mix(s->chance);
        at = (uint32_t)(s->chance % s->count);
        w = s->waiting[at];
        s->waiting[at] = s->waiting[--s->count];
        pthread_mutex_unlock(&s->lock);
        if (s->config->latency)
            (void)nanosleep(&latency, NULL);
        answer(s, &w);
        pthread_mutex_lock(&s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

static aff_status acks_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct sink *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = config;
    s->log = far_open(s->config->log);
    if (s->log < 0) {
        host->free(host, s);
        return host->explain(host, AFF_ERR_CONFIG, "log cannot be written; make its folder");
    }
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->stirred, NULL);
    *ret_self = s;
    return AFF_OK;
}

static void acks_stop(void *self)
{
    struct sink *s = self;

    if (!s->started)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = 1;
    pthread_cond_signal(&s->stirred);
    pthread_mutex_unlock(&s->lock);
    (void)pthread_join(s->peer, NULL);
    s->started = 0;
}

static void acks_close(void *self)
{
    struct sink *s = self;

    acks_stop(s);
    (void)pthread_cond_destroy(&s->stirred);
    (void)pthread_mutex_destroy(&s->lock);
    (void)close(s->log);
    s->host->free(s->host, s);
}

static aff_status acks_start(void *self)
{
    struct sink *s = self;

    s->chance = (uint64_t)getpid();
    if (pthread_create(&s->peer, NULL, peer, s))
        return s->host->explain(s->host, AFF_ERR_BUG, "no thread can be made");
    s->started = 1;
    return AFF_OK;
}

static aff_status acks_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct sink *s = self;
    uint32_t i;

    pthread_mutex_lock(&s->lock);
    for (i = 0; i < batch->count && s->count < WINDOW; i++)
        s->waiting[s->count++] = (struct waiting){ pattern_came(s->host, &batch->records[i], FAR_OUT),
                                                   batch->records[i].id };
    pthread_cond_signal(&s->stirred);
    pthread_mutex_unlock(&s->lock);
    *ret_taken = i;
    if (i == batch->count)
        return AFF_OK;
    return s->host->explain(s->host, AFF_ERR_IO, "the peer's window is full");
}

static aff_status acks_sync(void *self, uint64_t epoch)
{
    struct sink *s = self;

    (void)epoch;
    return fdatasync(s->log) ? s->host->explain(s->host, AFF_ERR_IO, "log cannot be synced") : AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_SINK, "crash_acks", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = 0,
    .kind = AFF_SINK,
    .flags = AFF_STAYS | AFF_ACKS,
    .name = "crash_acks",
    .version = "1.0.0",
    .summary = "Answers late and out of order for what was delivered, for the tests of delivery.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(crash_inputs),
    .outputs = AFF_NO_TABLE,
    .verdicts = AFF_NO_TABLE,
    .metrics = AFF_NO_TABLE,
    .open = acks_open,
    .close = acks_close,
    .start = acks_start,
    .stop = acks_stop,
    .write = acks_write,
    .sync = acks_sync,
};
