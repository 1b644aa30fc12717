/* hostile_sinks.c - a sink whose peer answers late, and one that keeps all until sync.
 *
 * Not here: the deeds (hostile.c). */
#include "hostile.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct payload {
    uint64_t seq, action, filler[2];
};

static const struct aff_port in[] = { { .name = "in", .doc = "In.", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_option options[] = {
    { .name = "what", .doc = "What.", .type = AFF_TYPE_INT, .offset = offsetof(struct hostile_config, what), .preset = "0" },
    { .name = "when", .doc = "When.", .type = AFF_TYPE_INT, .offset = offsetof(struct hostile_config, when), .preset = "0" },
};

/* Its peer answers later, from another thread: the even ones are fine, of the others
 * each second is refused. What is `action` has no answer. */
struct late {
    struct hostile_self self; /* first */
    pthread_t thread;
    pthread_mutex_t lock;
    struct aff_id ids[4096];
    uint32_t count;
    int over;
};

static void *late_answer(void *arg)
{
    struct late *l = arg;

    for (;;) {
        struct aff_id id = { 0, 0 };
        int over;

        pthread_mutex_lock(&l->lock);
        if (l->count > 0)
            id = l->ids[--l->count];
        over = l->over;
        pthread_mutex_unlock(&l->lock);
        if (over)
            return NULL;
        if (id.seq)
            l->self.host->ack(l->self.host, id, id.seq % 4 == 3 ? AFF_ERR_DATA : AFF_OK);
        else
            usleep(500);
    }
}

static aff_status late_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct late *l = host->alloc(host, sizeof *l);

    if (!l)
        return AFF_ERR_MEMORY;
    l->self.host = host;
    l->self.config = config;
    pthread_mutex_init(&l->lock, NULL);
    *ret_self = l;
    return pthread_create(&l->thread, NULL, late_answer, l) == 0 ? AFF_OK : AFF_ERR_IO;
}

static void late_close(void *self)
{
    struct late *l = self;

    pthread_mutex_lock(&l->lock);
    l->over = 1;
    pthread_mutex_unlock(&l->lock);
    pthread_join(l->thread, NULL);
    l->self.host->free(l->self.host, l);
}

static aff_status late_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct late *l = self;

    (void)ret_taken;
    for (uint32_t i = 0; i < batch->count; i++) {
        if (((const struct payload *)batch->records[i].data)->action)
            continue;
        pthread_mutex_lock(&l->lock);
        l->ids[l->count++ % 4096] = batch->records[i].id;
        pthread_mutex_unlock(&l->lock);
    }
    return AFF_OK;
}

const struct aff_plugin hostile_acks = {
    .struct_size = sizeof hostile_acks, .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .name = "out_late", .version = "1",
    .summary = "Answers late.", .license = "Apache-2.0", .config_size = sizeof(struct hostile_config),
    .options = AFF_TABLE(options), .flags = AFF_ACKS | AFF_STAYS, .inputs = AFF_TABLE(in), .open = late_open,
    .close = late_close, .write = late_write,
};
/* A sink that keeps what it took in memory until sync, and then says each number in
 * its log: what was never said was lost. Dies at records with an action, once they
 * are in a slot of several. */
struct buffer {
    struct hostile_self self; /* first */
    uint64_t seqs[8192];
    uint32_t count;
};

static aff_status buffer_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct buffer *b = host->alloc(host, sizeof *b);

    if (!b)
        return AFF_ERR_MEMORY;
    b->self.host = host;
    b->self.config = config;
    *ret_self = b;
    return AFF_OK;
}

static void buffer_close(void *self)
{
    struct buffer *b = self;

    b->self.host->free(b->self.host, b);
}

static aff_status buffer_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct buffer *b = self;

    (void)ret_taken;
    for (uint32_t i = 0; i < batch->count; i++) {
        const struct payload *p = batch->records[i].data;

        if (p->action && batch->count > 1 && !(batch->records[i].flags & AFF_FLAG_RESENT))
            abort();
        b->seqs[b->count++] = p->seq;
    }
    return AFF_OK;
}

static aff_status buffer_sync(void *self, uint64_t epoch)
{
    struct buffer *b = self;
    uint32_t i;

    (void)epoch;
    for (i = 0; i < b->count; i++)
        b->self.host->count(b->self.host, (uint32_t)(b->seqs[i] % 2), 1);
    b->count = 0;
    return AFF_OK;
}

static const struct aff_metric parity[] = {
    { .name = "even", .doc = "Even ones.", .kind = AFF_METRIC_COUNTER },
    { .name = "odd", .doc = "Odd ones.", .kind = AFF_METRIC_COUNTER },
};
const struct aff_plugin hostile_buffer = {
    .struct_size = sizeof hostile_buffer, .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .name = "out_buffer", .version = "1",
    .summary = "Keeps all until sync.", .license = "Apache-2.0", .config_size = sizeof(struct hostile_config),
    .options = AFF_TABLE(options), .flags = AFF_STAYS, .inputs = AFF_TABLE(in), .metrics = AFF_TABLE(parity),
    .open = buffer_open, .close = buffer_close, .write = buffer_write, .sync = buffer_sync,
};
