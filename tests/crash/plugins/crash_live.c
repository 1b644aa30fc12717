/* crash_live.c - a source that cannot repeat itself, as a monitor on a wire.
 *
 * What it makes is written down before it is handed over, and so is from which
 * number on everything below was told to be safe; another run goes on behind the
 * last number ever made. What was made and not told may be lost by a kill; what
 * was told must come out.
 *
 * Which records an epoch holds a source is not told; it knows that at most
 * IN_FLIGHT epochs are open, so what was made when epoch e was told is in e +
 * IN_FLIGHT at the latest. */
#include <afferent/plugin.h>

#include <sys/stat.h>

#include "pattern.h"

enum { IN_FLIGHT = 9, MARKS = 64 };

struct config {
    int64_t records;
    int64_t seed;
    int64_t most;
    int64_t burst;
    int64_t pause;
    const char *made;
    const char *answers;
};

static const struct aff_option options[] = {
    AFF_OPT_INT(struct config, records, 0, "400", 0, 1e9, "records", "How many records are made, in all runs together."),
    AFF_OPT_INT(struct config, seed, 0, "1", 0, 9007199254740992.0, NULL, "What sizes and contents are drawn from."),
    AFF_OPT_BYTES(struct config, most, 0, "\"500B\"", 32, 65536.0, "Largest payload."),
    AFF_OPT_INT(struct config, burst, 0, "8", 1, 64, "records", "Records made at a time."),
    AFF_OPT_DURATION(struct config, pause, 0, "\"1ms\"", 0, 60e9, "Wait between two bursts."),
    AFF_OPT_PATH(struct config, made, AFF_OPT_REQUIRED, NULL, "File that says what was made."),
    AFF_OPT_PATH(struct config, answers, AFF_OPT_REQUIRED, NULL, "File that says what the source was told."),
};

static const struct aff_schema block = {
    .struct_size = sizeof(struct aff_schema),
    .type = AFF_BYTES,
    .name = "crash",
    .stride = sizeof(struct aff_column),
};

static const struct aff_port outputs[] = {
    { .name = "out",
      .doc = "Records that are made once.",
      .schema = &block,
      .types = AFF_MASK(AFF_BYTES),
      .priority = AFF_PRIO_VITALS },
};

struct mark {
    uint64_t epoch;
    uint64_t below;
};

struct source {
    const struct aff_host *host;
    const struct config *config;
    uint64_t next;
    int64_t again_ns;
    uint32_t subject;
    uint32_t schema;
    uint32_t stream;
    int made;
    int answers;
    int ended;
    struct mark marks[MARKS];
    uint32_t first, count;
};

static void live_close(void *self)
{
    struct source *s = self;

    if (s->made >= 0)
        (void)close(s->made);
    if (s->answers >= 0)
        (void)close(s->answers);
    s->host->free(s->host, s);
}

static aff_status live_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct source *s = host->alloc(host, sizeof *s);
    struct stat st;

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = c;
    s->made = far_open(c->made);
    s->answers = far_open(c->answers);
    s->subject = host->subject(host, "crash");
    s->schema = s->subject ? host->schema(host, &block) : 0;
    s->stream = s->schema ? host->stream(host, s->subject, "s0", s->schema) : 0;
    if (s->made < 0 || s->answers < 0 || !s->stream || fstat(s->made, &st)) {
        live_close(s);
        return host->explain(host, AFF_ERR_CONFIG, "what is made cannot be written down; look at made and answers");
    }
    s->next = (uint64_t)st.st_size / sizeof(struct far_line);
    *ret_self = s;
    return AFF_OK;
}

static aff_status make_one(struct source *s)
{
    uint32_t size = pattern_size((uint64_t)s->config->seed, s->next, 32, (uint32_t)s->config->most);
    struct aff_record *r = s->host->reserve(s->host, 0, AFF_NO_INPUT, size);
    struct far_line line;

    if (!r)
        return AFF_ERR_MEMORY;
    pattern_fill(r->data, size, (uint64_t)s->config->seed, s->next);
    r->type = AFF_BYTES;
    r->subject = s->subject;
    r->schema = s->schema;
    r->stream = s->stream;
    r->event_ns = (int64_t)s->next * 1000000;
    line = pattern_made(s->next, r->data, size, r->event_ns, "s0");
    if (far_append(s->made, &line, 1))
        return s->host->explain(s->host, AFF_ERR_BUG, "what was made cannot be written down");
    s->next++;
    return s->host->emit(s->host, r, size);
}

static aff_status live_end(struct source *s)
{
    aff_status st = s->ended ? AFF_OK : s->host->stream_end(s->host, 0, s->stream);

    if (st != AFF_OK)
        return st;
    s->ended = 1;
    return AFF_END;
}

static aff_status live_read(void *self, uint32_t want)
{
    struct source *s = self;
    const struct config *c = s->config;
    int64_t now = s->host->now_ns(s->host);
    uint32_t most = want < (uint32_t)c->burst ? want : (uint32_t)c->burst;

    if (now < s->again_ns) {
        s->host->wake_at(s->host, s->again_ns);
        return AFF_AGAIN;
    }
    for (uint32_t i = 0; i < most; i++) {
        aff_status st = s->next < (uint64_t)c->records ? make_one(s) : live_end(s);

        if (st != AFF_OK)
            return st;
    }
    s->again_ns = now + c->pause;
    return AFF_OK;
}

static void live_committed(void *self, uint64_t epoch)
{
    struct source *s = self;
    struct far_line line = far_line(FAR_UPTO, 0);

    while (s->count && s->marks[s->first].epoch + IN_FLIGHT <= epoch) {
        line.key = s->marks[s->first].below;
        s->first = (s->first + 1u) % MARKS;
        s->count--;
    }
    line.id_seq = epoch;
    (void)far_append(s->answers, &line, 1);
    if (s->count < MARKS)
        s->marks[(s->first + s->count++) % MARKS] = (struct mark){ epoch, s->next };
}

AFF_PLUGIN_NOTE(AFF_SOURCE, "crash_live", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = 0,
    .kind = AFF_SOURCE,
    .flags = 0,
    .name = "crash_live",
    .version = "1.0.0",
    .summary = "Makes records once and says what it made, for the tests of delivery.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_NO_TABLE,
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_NO_TABLE,
    .metrics = AFF_NO_TABLE,
    .open = live_open,
    .close = live_close,
    .read = live_read,
    .committed = live_committed,
};
