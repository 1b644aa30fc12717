/* in_null.c - records out of nothing, as fast as they are taken; for measuring.
 *
 * Each says its number and where it was put (stamp.h), so that out_null can see
 * whether it was moved or changed on its way. It replays: the same options give
 * the same records.
 *
 * Not here: data that means anything; in_synth has that.
 */
#include <afferent/plugin.h>

#include <stdio.h>

#include "stamp.h"

enum { STREAMS_MOST = 4096 };

struct config {
    int64_t records;
    int64_t size;
    int64_t streams;
    int64_t interval;
    int32_t fill;
};

static const struct aff_option options[] = {
    AFF_OPT_INT(struct config, records, 0, "1000000", 0, 1e15, "records", "How many records are made; 0 means no end."),
    AFF_OPT_BYTES(struct config, size, 0, "\"64B\"", 0, 1073741824.0, "Bytes of each record's payload."),
    AFF_OPT_INT(struct config, streams, 0, "1", 1, STREAMS_MOST, "streams", "Streams that take turns."),
    AFF_OPT_DURATION(struct config, interval, 0, "\"1ms\"", 0, 3.6e12, "Event time from one record to the next."),
    AFF_OPT_BOOL(struct config, fill, "false", "Whether all of the payload is written, not just its first 16 bytes."),
};

static const struct aff_schema nothing = {
    .struct_size = sizeof(struct aff_schema),
    .type = AFF_BYTES,
    .name = "null",
    .stride = sizeof(struct aff_column),
};

static const struct aff_port outputs[] = {
    { .name = "out",
      .doc = "Records that say their number and place.",
      .schema = &nothing,
      .types = AFF_MASK(AFF_BYTES),
      .priority = AFF_PRIO_BULK },
};

struct source {
    const struct aff_host *host;
    const struct config *config;
    uint64_t next;  /* number of the next record */
    uint64_t ended; /* streams whose end was said */
    uint32_t subject;
    uint32_t schema;
    uint32_t streams[];
};

static void null_close(void *self)
{
    struct source *s = self;

    s->host->free(s->host, s);
}

static aff_status null_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct source *s = host->alloc(host, sizeof *s + (size_t)c->streams * sizeof s->streams[0]);
    char name[32];
    uint32_t i;

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = c;
    s->subject = host->subject(host, "null");
    s->schema = s->subject ? host->schema(host, &nothing) : 0;
    for (i = 0; s->schema && i < c->streams; i++) {
        snprintf(name, sizeof name, "null%u", (unsigned)i);
        s->streams[i] = host->stream(host, s->subject, name, s->schema);
        if (!s->streams[i])
            break;
    }
    if (!s->schema || i < c->streams) {
        null_close(s);
        return AFF_ERR_MEMORY;
    }
    /* The count may grow: the records before are the same. */
    i = (uint32_t)snprintf(name, sizeof name, "null %lld %lld", (long long)c->size, (long long)c->streams);
    host->incarnation(host, name, i);
    *ret_self = s;
    return AFF_OK;
}

static void payload_fill(uint64_t *words, uint64_t number, uint32_t size)
{
    uint32_t i;

    for (i = 2; i < size / 8; i++)
        words[i] = stamp_word(number, i);
    memset(words + size / 8, 0, size % 8);
}

static aff_status null_end(struct source *s)
{
    while (s->ended < (uint64_t)s->config->streams) {
        aff_status st = s->host->stream_end(s->host, 0, s->streams[s->ended]);

        if (st != AFF_OK)
            return st;
        s->ended++;
    }
    return AFF_END;
}

static aff_status null_read(void *self, uint32_t want)
{
    struct source *s = self;
    const struct config *c = s->config;
    uint32_t size = (uint32_t)c->size;

    for (; want; want--) {
        struct aff_record *r;
        uint64_t *words;
        aff_status st;

        if (c->records && s->next >= (uint64_t)c->records)
            return null_end(s);
        r = s->host->reserve(s->host, 0, AFF_NO_INPUT, size);
        if (!r)
            return AFF_ERR_MEMORY;
        words = r->data;
        if (size >= STAMP_BYTES) {
            words[0] = s->next;
            words[1] = (uint64_t)(uintptr_t)r->data;
            if (c->fill)
                payload_fill(words, s->next, size);
        } else if (size) {
            memset(r->data, 0, size);
        }
        r->type = AFF_BYTES;
        r->subject = s->subject;
        r->schema = s->schema;
        r->stream = s->streams[s->next % (uint64_t)c->streams];
        r->event_ns = (int64_t)s->next * c->interval;
        st = s->host->emit(s->host, r, size);
        if (st != AFF_OK)
            return st;
        s->next++;
    }
    return AFF_OK;
}

/* The position: the next number, little-endian. */
static aff_status null_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct source *s = self;
    uint8_t *out = buffer;
    int i;

    *ret_size = 8;
    for (i = 0; i < 8 && room >= 8; i++)
        out[i] = (uint8_t)(s->next >> (8 * i));
    return AFF_OK;
}

static aff_status null_restore(void *self, const void *buffer, size_t size)
{
    struct source *s = self;
    const uint8_t *in = buffer;
    int i;

    if (size != 8)
        return s->host->explain(s->host, AFF_ERR_DATA, "a position of %zu bytes is not one of in_null", size);
    s->next = 0;
    for (i = 0; i < 8; i++)
        s->next |= (uint64_t)in[i] << (8 * i);
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_SOURCE, "in_null", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = 0,
    .kind = AFF_SOURCE,
    .flags = AFF_PULL | AFF_REPLAYS,
    .name = "in_null",
    .version = "1.0.0",
    .summary = "Makes records of nothing as fast as they are taken, for measuring.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_NO_TABLE,
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_NO_TABLE,
    .metrics = AFF_NO_TABLE,
    .open = null_open,
    .close = null_close,
    .read = null_read,
    .snapshot = null_snapshot,
    .restore = null_restore,
};
