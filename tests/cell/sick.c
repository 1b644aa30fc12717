/* sick.c - see sick.h.
 *
 * Not here: plugins that mean harm (hostile.c). */
#include "sick.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ends.h"

#define OPTION(struct_, name_, type_) \
    { .name = #name_, .doc = "The " #name_ ".", .type = (type_), .offset = offsetof(struct struct_, name_), .min = 1, .max = -1 }

static void die_if(const char *armed)
{
    if (armed && access(armed, F_OK) == 0)
        abort();
}

/* ---- a source, a processor with state ---- */

static const struct aff_option source_options[] = { OPTION(sick_source_config, armed, AFF_TYPE_TEXT) };
static const struct aff_option sums_options[] = {
    OPTION(sick_sums_config, armed, AFF_TYPE_TEXT), OPTION(sick_sums_config, late, AFF_TYPE_INT),
};
static const struct aff_port any_in[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_port commands_in[] = {
    { .name = "commands", .types = AFF_MASK(AFF_BYTES), .flags = AFF_PORT_COMMANDS | AFF_PORT_OPTIONAL },
};
static const struct aff_port made_out[] = { { .name = "out", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_port sums_out[] = {
    { .name = "out", .types = AFF_MASK(AFF_BYTES), .passes = AFF_PASSES(0) },
    { .name = "sums", .types = AFF_MASK(AFF_BYTES) },
};

struct source {
    const struct aff_host *host;
    const struct sick_source_config *config;
    void *inner;
};

static aff_status source_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct sick_source_config *c = config;
    struct source *s = host->alloc(host, sizeof *s);
    aff_status st;

    if (!s)
        return AFF_ERR_MEMORY;
    *s = (struct source){ host, c, NULL };
    if (!c->dies_at)
        die_if(c->armed);
    st = part_source.open(host, config, &s->inner);
    if (st < 0)
        host->free(host, s);
    else
        *ret_self = s;
    return st;
}

static void source_close(void *self)
{
    struct source *s = self;

    part_source.close(s->inner);
    s->host->free(s->host, s);
}

static aff_status source_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    return part_source.snapshot(((struct source *)self)->inner, buffer, room, ret_size);
}

static aff_status source_restore(void *self, const void *buffer, size_t size)
{
    return part_source.restore(((struct source *)self)->inner, buffer, size);
}

static aff_status source_read(void *self, uint32_t want)
{
    struct source *s = self;
    uint64_t next = 0;
    size_t size;

    source_snapshot(self, &next, sizeof next, &size);
    if (s->config->dies_at && next >= s->config->dies_at)
        die_if(s->config->armed);
    return part_source.read(s->inner, want);
}

static aff_status sums_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct sick_sums_config *c = config;
    aff_status st;

    if (!c->late)
        die_if(c->armed);
    st = sums.open(host, config, ret_self);
    die_if(c->armed);
    return st;
}

static aff_status sums_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    return sums.process(self, batch, ret_taken);
}

#define SICK(kind_, name_, config_)                                                                                 \
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = (kind_), .name = (name_), .version = "1", \
    .summary = "Is sick.", .license = "Apache-2.0", .config_size = sizeof(struct config_)

const struct aff_plugin sick_source = {
    SICK(AFF_SOURCE, "in_sick", sick_source_config), .flags = AFF_PULL | AFF_REPLAYS, .options = AFF_TABLE(source_options),
    .outputs = AFF_TABLE(made_out), .open = source_open, .close = source_close, .read = source_read,
    .snapshot = source_snapshot, .restore = source_restore,
};
const struct aff_plugin sick_sums = {
    SICK(AFF_PROCESSOR, "op_sick", sick_sums_config), .options = AFF_TABLE(sums_options), .inputs = AFF_TABLE(any_in),
    .outputs = AFF_TABLE(sums_out), .open = sums_open, .process = sums_process,
};

/* ---- a device ---- */

enum { V_UNDER_WAY = 1, V_DONE, V_FAILED };

struct device {
    const struct aff_host *host;
    const struct sick_device_config *config;
    uint32_t subject, stream;
    int64_t said;
};

static const struct aff_option device_options[] = {
    OPTION(sick_device_config, records, AFF_TYPE_INT), OPTION(sick_device_config, poison, AFF_TYPE_INT),
    OPTION(sick_device_config, refused, AFF_TYPE_INT), OPTION(sick_device_config, in_restore, AFF_TYPE_INT),
};
static const struct aff_schema row = { .struct_size = sizeof row, .type = AFF_BYTES, .name = "row" };
static const struct aff_port device_out[] = {
    { .name = "data", .types = AFF_MASK(AFF_BYTES), .schema = &row },
    { .name = "results", .types = AFF_MASK(AFF_BYTES), .schema = &row },
};
static const struct aff_verdict device_verdicts[] = {
    { .name = "under_way", .doc = "Waits.", .kind = AFF_V_HOLD },
    { .name = "done", .doc = "Done.", .kind = AFF_V_PORT, .port = 1 },
    { .name = "failed", .doc = "Not done.", .kind = AFF_V_DEAD },
};

static aff_status device_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct device *d = host->alloc(host, sizeof *d);

    if (!d)
        return AFF_ERR_MEMORY;
    d->host = host;
    d->config = config;
    d->subject = host->subject(host, "nobody");
    d->stream = host->stream(host, d->subject, "line", host->schema(host, &row));
    *ret_self = d;
    return AFF_OK;
}

static void device_close(void *self)
{
    struct device *d = self;

    d->host->free(d->host, d);
}

static aff_status number_say(struct device *d)
{
    struct aff_record *r = d->host->reserve(d->host, 0, AFF_NO_INPUT, sizeof d->said);

    if (!r)
        return AFF_ERR_MEMORY;
    memcpy(r->data, &d->said, sizeof d->said);
    r->subject = d->subject;
    r->stream = d->stream;
    r->event_ns = d->said++;
    return d->host->emit(d->host, r, sizeof d->said);
}

static int64_t number_of(const struct aff_record *record)
{
    int64_t number;

    memcpy(&number, record->data, sizeof number);
    return number;
}

/* Never its end: who looks knows when all is done. */
static aff_status device_read(void *self, uint32_t want)
{
    struct device *d = self;
    const struct aff_record *held = d->host->held(d->host, 0);

    (void)want;
    if (d->said < d->config->records)
        return number_say(d);
    if (!held)
        return AFF_AGAIN;
    if (number_of(held) == d->config->poison)
        abort();
    return d->host->release(d->host, held, number_of(held) == d->config->refused ? V_FAILED : V_DONE);
}

static aff_status device_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct device *d = self;

    for (uint32_t i = 0; i < batch->count; i++, *ret_taken = i) {
        if (!d->host->hold(d->host, &batch->records[i]))
            return AFF_ERR_MEMORY;
        batch->verdicts[i] = V_UNDER_WAY;
    }
    return AFF_OK;
}

static aff_status device_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct device *d = self;

    *ret_size = sizeof d->said;
    if (room >= sizeof d->said)
        memcpy(buffer, &d->said, sizeof d->said);
    return AFF_OK;
}

static aff_status device_restore(void *self, const void *buffer, size_t size)
{
    struct device *d = self;
    const struct aff_record *held;

    if (size != sizeof d->said)
        return AFF_ERR_DATA;
    memcpy(&d->said, buffer, size);
    for (uint32_t i = 0; d->config->in_restore && (held = d->host->held(d->host, i)) != NULL; i++)
        if (number_of(held) == d->config->poison)
            abort();
    return AFF_OK;
}

const struct aff_plugin sick_device = {
    SICK(AFF_SOURCE, "in_device", sick_device_config), .options = AFF_TABLE(device_options), .inputs = AFF_TABLE(commands_in),
    .outputs = AFF_TABLE(device_out), .verdicts = AFF_TABLE(device_verdicts), .open = device_open, .close = device_close,
    .read = device_read, .process = device_process, .snapshot = device_snapshot, .restore = device_restore,
};
