/* hostile_plugins.c - a processor, a sink and a source that do what their options say.
 *
 * Not here: the deeds (hostile.c), sinks that buffer or answer late (hostile_sinks.c). */
#include "hostile.h"

#include <string.h>

struct payload {
    uint64_t seq, action, filler[2];
};

static void act_at(void *self, enum hostile_when when)
{
    struct hostile_self *h = self;

    if ((enum hostile_when)h->config->when == when)
        hostile_act(h);
}

static aff_status h_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct hostile_self *h = host->alloc(host, sizeof *h);

    if (!h)
        return AFF_ERR_MEMORY;
    h->host = host;
    h->config = config;
    if ((enum hostile)h->config->what == H_STATE && host->state_open(host, 4096, 0) < 0)
        return AFF_ERR_MEMORY;
    *ret_self = h;
    act_at(h, AT_OPEN);
    return AFF_OK;
}

static void h_close(void *self)
{
    struct hostile_self *h = self;

    act_at(self, AT_CLOSE);
    h->host->free(h->host, h);
}

static aff_status h_start(void *self)
{
    act_at(self, AT_START);
    return AFF_OK;
}

static void h_stop(void *self)
{
    act_at(self, AT_STOP);
}

static aff_status h_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct hostile_self *h = self;
    enum hostile what = (enum hostile)h->config->what;

    for (uint32_t i = 0; i < batch->count; i++) {
        const struct payload *p = batch->records[i].data;

        if (p->action == 0)
            continue;
        if (what == H_STATUS)
            return *ret_taken = 4000000000u, (aff_status)-77;
        hostile_record(h, batch, i);
    }
    return AFF_OK;
}

static aff_status h_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    (void)ret_taken;
    for (uint32_t i = 0; i < batch->count; i++)
        if (((const struct payload *)batch->records[i].data)->action)
            hostile_act(self);
    return AFF_OK;
}

static aff_status h_sync(void *self, uint64_t epoch)
{
    (void)epoch;
    act_at(self, AT_SYNC);
    return AFF_OK;
}

static aff_status h_drain(void *self)
{
    act_at(self, AT_DRAIN);
    return AFF_OK;
}

static aff_status h_wake(void *self)
{
    act_at(self, AT_WAKE);
    return AFF_OK;
}

static aff_status h_timer(void *self, uint32_t subject, int64_t due_ns)
{
    (void)subject, (void)due_ns;
    act_at(self, AT_TIMER);
    return AFF_OK;
}

static aff_status h_mark(void *self, uint32_t port, const struct aff_record *mark)
{
    (void)port, (void)mark;
    act_at(self, AT_MARK);
    return AFF_OK;
}

static aff_status h_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    act_at(self, AT_SNAPSHOT);
    *ret_size = 8;
    if (room >= 8)
        memcpy(buffer, &((struct hostile_self *)self)->reads, 8);
    return AFF_OK;
}

static aff_status h_restore(void *self, const void *buffer, size_t size)
{
    act_at(self, AT_RESTORE);
    if (size == 8)
        memcpy(&((struct hostile_self *)self)->reads, buffer, 8);
    return AFF_OK;
}

static const struct aff_column row_columns[] = { { .name = "text", .type = AFF_TEXT } };
static const struct aff_schema row = { .struct_size = sizeof row, .type = AFF_FIELDS, .name = "text", .columns = row_columns,
                                       .count = 1, .stride = sizeof row_columns[0] };
static const struct aff_schema numbers = { .struct_size = sizeof numbers, .type = AFF_BYTES, .name = "numbers" };

/* A source of numbers: each read makes one, and the file's content is said first. It
 * dies in the fifth read of each child where it is told to. */
static aff_status h_read(void *self, uint32_t want)
{
    struct hostile_self *h = self;
    const struct aff_host *host = h->host;
    static uint32_t reads;
    struct aff_record *d;
    uint32_t subject = host->subject(host, "one");

    (void)want;
    if (reads == 0)
        host->incarnation(host, "content", 7);
    if (++reads % 5 == 0 && (enum hostile_when)h->config->when == AT_READ)
        hostile_act(h);
    d = host->reserve(host, 0, AFF_NO_INPUT, 8);
    if (!d)
        return AFF_ERR_MEMORY;
    memcpy(d->data, &h->reads, 8);
    d->subject = subject;
    d->stream = host->stream(host, subject, "numbers", d->schema);
    d->event_ns = (int64_t)h->reads++;
    if (host->emit(host, d, 8) < 0)
        return AFF_ERR_BUG;
    return h->reads < 50 ? AFF_OK : AFF_END;
}

static const struct aff_port in[] = { { .name = "in", .doc = "In.", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_port out[] = {
    { .name = "out", .doc = "As they came.", .types = AFF_MASK(AFF_BYTES), .passes = AFF_PASSES(0) },
    { .name = "rows", .doc = "Made.", .types = AFF_MASK(AFF_FIELDS), .schema = &row },
};
static const struct aff_port made[] = { { .name = "out", .doc = "Numbers.", .types = AFF_MASK(AFF_BYTES), .schema = &numbers } };
static const struct aff_option options[] = {
    { .name = "what", .doc = "What.", .type = AFF_TYPE_INT, .offset = offsetof(struct hostile_config, what), .preset = "0" },
    { .name = "when", .doc = "When.", .type = AFF_TYPE_INT, .offset = offsetof(struct hostile_config, when), .preset = "0" },
};

#define COMMON(kind_, name_)                                                                                    \
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = (kind_), .name = (name_), .version = "1", \
    .summary = "Harms.", .license = "Apache-2.0", .config_size = sizeof(struct hostile_config),                  \
    .options = AFF_TABLE(options), .open = h_open, .close = h_close, .start = h_start, .stop = h_stop

const struct aff_plugin hostile_processor = {
    COMMON(AFF_PROCESSOR, "op_hostile"), .inputs = AFF_TABLE(in), .outputs = AFF_TABLE(out), .process = h_process,
    .drain = h_drain, .wake = h_wake, .timer = h_timer, .stream_end = h_mark,
};
const struct aff_plugin hostile_sink = {
    COMMON(AFF_SINK, "out_hostile"), .flags = AFF_STAYS, .inputs = AFF_TABLE(in), .write = h_write, .sync = h_sync,
};
const struct aff_plugin hostile_source = {
    COMMON(AFF_SOURCE, "in_hostile"), .flags = AFF_PULL, .outputs = AFF_TABLE(made), .read = h_read,
    .snapshot = h_snapshot, .restore = h_restore,
};
