/* crash_sink.c - the far end: writes a line for each record that came, and can be bad.
 *
 * It may be slow, dead for as long as a file is there, take a part of a batch
 * before it fails, and refuse records by their number. A line is written before
 * the host is told, so a record that was delivered is never missing here.
 *
 * Not here: a sink whose answers come late (crash_acks.c). */
#include <afferent/plugin.h>

#include <time.h>

#include "pattern.h"
#include "ports.h"

struct config {
    const char *log;
    const char *dead_while;
    int64_t slow;
    int64_t fail_every;
    int64_t refuse;
    int32_t stamps;
};

static const struct aff_option options[] = {
    AFF_OPT_PATH(struct config, log, AFF_OPT_REQUIRED, NULL, "File of what was delivered."),
    AFF_OPT_PATH(struct config, dead_while, 0, NULL, "While this file is there nothing is taken."),
    AFF_OPT_DURATION(struct config, slow, 0, "\"0s\"", 0, 1e8, "Time that a batch takes."),
    AFF_OPT_INT(struct config, fail_every, 0, "0", 0, 1e6, "calls",
                "Each so many calls the first half of the batch is taken and the rest fails once; 0: never."),
    AFF_OPT_INT(struct config, refuse, 0, "0", 0, 1e6, "records", "Each so many records one is refused; 0: none."),
    AFF_OPT_BOOL(struct config, stamps, "false", "Says behind each batch when it was delivered."),
};

struct sink {
    const struct aff_host *host;
    const struct config *config;
    uint64_t calls;
    int log;
};

static aff_status sink_open(const struct aff_host *host, const void *config, void **ret_self)
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
    *ret_self = s;
    return AFF_OK;
}

static void sink_close(void *self)
{
    struct sink *s = self;

    (void)close(s->log);
    s->host->free(s->host, s);
}

static int is_dead(const struct sink *s)
{
    return s->config->dead_while && access(s->config->dead_while, F_OK) == 0;
}

static int is_refused(const struct sink *s, const struct aff_record *r)
{
    uint64_t k = (uint64_t)s->config->refuse;

    return k && pattern_key(r) % k == k - 1u;
}

static int stamp(const struct sink *s)
{
    struct far_line line = far_line(FAR_STAMP, 0);

    line.id_seq = far_now();
    return s->config->stamps && far_append(s->log, &line, 1);
}

/* Writes the lines of the first `count`; those up to a refused one. *ret_taken:
 * how many of them are delivered. */
static aff_status deliver(struct sink *s, const struct aff_record *records, uint32_t count, uint32_t *ret_taken)
{
    struct far_line lines[64];
    aff_status st = AFF_OK;
    uint32_t i;

    for (i = 0; i < count && st == AFF_OK; i++) {
        if (is_refused(s, &records[i]))
            st = AFF_ERR_DATA;
        lines[i] = pattern_came(s->host, &records[i], st == AFF_OK ? FAR_OUT : FAR_REFUSED);
    }
    *ret_taken = st == AFF_OK ? i : i - 1u;
    if (far_append(s->log, lines, i) || stamp(s))
        return s->host->explain(s->host, AFF_ERR_BUG, "log cannot be written");
    return st == AFF_OK ? AFF_OK : s->host->explain(s->host, st, "refused, as `refuse` says");
}

static aff_status sink_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct sink *s = self;
    struct timespec slow = { 0, (long)s->config->slow };
    aff_status st;

    if (is_dead(s))
        return s->host->explain(s->host, AFF_ERR_IO, "dead, as `dead_while` says");
    if (s->config->slow)
        (void)nanosleep(&slow, NULL);
    s->calls++;
    if (s->config->fail_every && s->calls % (uint64_t)s->config->fail_every == 0) {
        st = deliver(s, batch->records, batch->count / 2u, ret_taken);
        return st == AFF_OK ? s->host->explain(s->host, AFF_ERR_IO, "failed, as `fail_every` says") : st;
    }
    return deliver(s, batch->records, batch->count, ret_taken);
}

static aff_status sink_sync(void *self, uint64_t epoch)
{
    struct sink *s = self;

    (void)epoch;
    if (is_dead(s))
        return s->host->explain(s->host, AFF_ERR_IO, "dead, as `dead_while` says");
    return fdatasync(s->log) ? s->host->explain(s->host, AFF_ERR_IO, "log cannot be synced") : AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_SINK, "crash_sink", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = 0,
    .kind = AFF_SINK,
    .flags = AFF_BLOCKS | AFF_STAYS,
    .name = "crash_sink",
    .version = "1.0.0",
    .summary = "Writes down what was delivered, slow, dead or refusing, for the tests of delivery.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(crash_inputs),
    .outputs = AFF_NO_TABLE,
    .verdicts = AFF_NO_TABLE,
    .metrics = AFF_NO_TABLE,
    .open = sink_open,
    .close = sink_close,
    .write = sink_write,
    .sync = sink_sync,
};
