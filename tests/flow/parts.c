/* parts.c - see parts.h. */
#include "parts.h"

#include <string.h>
#include <time.h>

static const struct aff_port in_any[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_port in_edit[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES), .flags = AFF_PORT_EDITS } };
static const struct aff_port out_made[] = { { .name = "out", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_port out_passed[] = { { .name = "out", .types = AFF_MASK(AFF_BYTES), .passes = AFF_PASSES(0) } };

/* ---- source ---- */

struct source {
    const struct aff_host *host;
    const struct part_source *config;
    uint64_t next;
    uint32_t schema;
    uint32_t streams[64];
    uint32_t subject;
};

static aff_status source_names(struct source *s)
{
    static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_BYTES, .name = "test" };
    uint32_t i;

    s->schema = s->host->schema(s->host, &schema);
    s->subject = s->host->subject(s->host, "nobody");
    for (i = 0; i < s->config->streams; i++) {
        char name[8] = { 's', (char)('0' + i / 10), (char)('0' + i % 10), 0 };

        s->streams[i] = s->host->stream(s->host, s->subject, name, s->schema);
        if (!s->streams[i])
            return AFF_ERR_MEMORY;
    }
    return AFF_OK;
}

static aff_status source_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct source *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = config;
    s->next = s->config->skip;
    host->incarnation(host, "x", 1);
    *ret_self = s;
    if (source_names(s) == AFF_OK)
        return AFF_OK;
    host->free(host, s);
    return AFF_ERR_MEMORY;
}

static void source_close(void *self)
{
    struct source *s = self;

    s->host->free(s->host, s);
}

static aff_status source_end(struct source *s)
{
    uint32_t i;

    for (i = 0; s->config->ends && i < s->config->streams; i++)
        if (s->host->stream_end(s->host, 0, s->streams[i]) < 0)
            return AFF_ERR_MEMORY;
    return AFF_END;
}

static aff_status source_read(void *self, uint32_t want)
{
    struct source *s = self;
    uint64_t end = s->config->records + s->config->skip;

    for (; want > 0 && s->next < end; want--, s->next++) {
        struct aff_record *r;

        if (s->config->pauses_at && s->next >= s->config->pauses_at)
            return AFF_AGAIN;
        r = s->host->reserve(s->host, 0, AFF_NO_INPUT, s->config->size);

        if (!r)
            return AFF_ERR_MEMORY;
        memset(r->data, (int)s->next, s->config->size);
        memcpy(r->data, &s->next, sizeof s->next);
        r->subject = s->subject;
        r->stream = s->streams[s->next % s->config->streams];
        r->schema = s->schema;
        r->event_ns = (int64_t)s->next * 1000000;
        if (s->host->emit(s->host, r, s->config->size) < 0)
            return AFF_ERR_BUG;
    }
    return s->next < end ? AFF_OK : source_end(s);
}

/* Its position is the seq of the next record. */
static aff_status source_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct source *s = self;

    *ret_size = sizeof s->next;
    if (room >= sizeof s->next)
        memcpy(buffer, &s->next, sizeof s->next);
    return AFF_OK;
}

static aff_status source_restore(void *self, const void *buffer, size_t size)
{
    struct source *s = self;

    if (size != sizeof s->next)
        return AFF_ERR_DATA;
    memcpy(&s->next, buffer, size);
    return source_names(s);
}

const struct aff_plugin part_source = {
    .struct_size = sizeof part_source, .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE,
    .flags = AFF_PULL | AFF_REPLAYS, .name = "part_source", .outputs = AFF_TABLE(out_made),
    .open = source_open, .close = source_close, .read = source_read,
    .snapshot = source_snapshot, .restore = source_restore,
};

/* ---- processors ---- */

static aff_status pass_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    (void)self;
    (void)batch;
    (void)ret_taken;
    return AFF_OK;
}

const struct aff_plugin part_pass = {
    .struct_size = sizeof part_pass, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "part_pass",
    .inputs = AFF_TABLE(in_any), .outputs = AFF_TABLE(out_passed), .process = pass_process,
};

static aff_status edit_open(const struct aff_host *host, const void *config, void **ret_self)
{
    (void)host;
    *ret_self = (void *)(uintptr_t)config;
    return AFF_OK;
}

static aff_status edit_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    const struct part_edit *e = self;
    uint32_t i;

    (void)ret_taken;
    for (i = 0; i < batch->count; i++)
        *(uint64_t *)batch->records[i].data += e->add;
    return AFF_OK;
}

const struct aff_plugin part_edit = {
    .struct_size = sizeof part_edit, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "part_edit",
    .inputs = AFF_TABLE(in_edit), .outputs = AFF_TABLE(out_passed), .open = edit_open, .process = edit_process,
};

/* ---- sink ---- */

/* Behind the first 8 bytes each byte of a source's payload is the seq's lowest. */
static int payload_damaged(const struct part_sink *s, const struct aff_record *r, uint64_t seq)
{
    const uint8_t *bytes = r->data;
    uint32_t i;

    for (i = sizeof seq; r->size > 16 && i < r->size; i++)
        if (bytes[i] != (uint8_t)(seq - s->add))
            return 1;
    return 0;
}

static void sink_look(struct part_sink *s, const struct aff_record *r)
{
    uint64_t seq;

    memcpy(&seq, r->data, sizeof seq);
    if (s->records < 64) {
        s->addresses[s->records] = r->data;
        s->ids[s->records] = r->id.source ^ r->id.seq;
    }
    if (r->stream < 64) {
        s->disorder += s->by_stream[r->stream] > seq;
        s->by_stream[r->stream] = seq;
    }
    s->records++;
    s->sum += seq;
    s->damaged += (uint64_t)payload_damaged(s, r, seq);
    s->last = seq;
}

static aff_status sink_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct part_sink *s = self;
    uint32_t i;

    (void)ret_taken;
    for (i = 0; i < batch->count; i++)
        sink_look(s, &batch->records[i]);
    if (s->slow_ns) {
        struct timespec t = { 0, (long)s->slow_ns };

        nanosleep(&t, NULL);
    }
    return AFF_OK;
}

static aff_status sink_end(void *self, uint32_t port, const struct aff_record *mark)
{
    (void)port;
    (void)mark;
    ((struct part_sink *)self)->ends++;
    return AFF_OK;
}

static aff_status sink_sync(void *self, uint64_t epoch)
{
    struct part_sink *s = self;

    s->synced = epoch + 1;
    s->records_at_sync = s->records;
    return AFF_OK;
}

const struct aff_plugin part_sink = {
    .struct_size = sizeof part_sink, .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .name = "part_sink",
    .inputs = AFF_TABLE(in_any), .open = edit_open, .write = sink_write, .stream_end = sink_end, .sync = sink_sync,
};

const struct aff_plugin part_sink_blocking = {
    .struct_size = sizeof part_sink, .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .flags = AFF_BLOCKS,
    .name = "part_sink", .inputs = AFF_TABLE(in_any), .open = edit_open, .write = sink_write,
    .stream_end = sink_end, .sync = sink_sync,
};

/* ---- orders ---- */

struct orders {
    const struct aff_host *host;
    const struct part_orders *config;
};

static const struct aff_port out_orders[] = {
    { .name = "out", .types = AFF_MASK(AFF_BYTES), .passes = AFF_PASSES(0) },
    { .name = "commands", .types = AFF_MASK(AFF_BYTES) },
};

static aff_status orders_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct orders *o = host->alloc(host, sizeof *o);

    if (!o)
        return AFF_ERR_MEMORY;
    o->host = host;
    o->config = config;
    *ret_self = o;
    return AFF_OK;
}

static void orders_close(void *self)
{
    struct orders *o = self;

    o->host->free(o->host, o);
}

static aff_status orders_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct orders *o = self;
    uint64_t number;
    uint32_t i;

    for (i = 0; i < batch->count; i++, *ret_taken = i) {
        struct aff_record *r;

        memcpy(&number, batch->records[i].data, sizeof number);
        if (number % o->config->every != 0)
            continue;
        r = o->host->reserve(o->host, 1, i, sizeof number);
        if (!r)
            return AFF_ERR_MEMORY;
        memcpy(r->data, &number, sizeof number);
        if (o->host->emit(o->host, r, sizeof number) < 0)
            return AFF_ERR_BUG;
    }
    return AFF_OK;
}

const struct aff_plugin part_orders = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "orders",
    .config_size = sizeof(struct part_orders), .inputs = AFF_TABLE(in_any), .outputs = AFF_TABLE(out_orders),
    .open = orders_open, .close = orders_close, .process = orders_process,
};
