/* crash_source.c - a source that can be killed: records from a seed, and a position.
 *
 * Beforehand it writes down all that it will ever make, for the judge, and while
 * it runs what it was told to be safe. Where it is begun without a position
 * although it was told of commits, its run before had ended, so it makes nothing:
 * what is still queued is all there is to deliver. (A host that lost the position
 * would lose records by that, which the judge sees.)
 *
 * Not here: a source that cannot repeat itself (crash_live.c). */
#include <afferent/plugin.h>

#include <stdlib.h>
#include <sys/stat.h>

#include "pattern.h"

enum { STREAMS_MOST = 64 };

struct config {
    int64_t records;
    int64_t seed;
    int64_t streams;
    int64_t least;
    int64_t most;
    int64_t burst;
    int64_t pause;
    const char *made;
    const char *running;
    const char *answers;
};

static const struct aff_option options[] = {
    AFF_OPT_INT(struct config, records, 0, "400", 0, 1e9, "records", "How many records are made."),
    AFF_OPT_INT(struct config, seed, 0, "1", 0, 9007199254740992.0, NULL, "What sizes and contents are drawn from."),
    AFF_OPT_INT(struct config, streams, 0, "3", 1, STREAMS_MOST, "streams", "Streams that take turns."),
    AFF_OPT_BYTES(struct config, least, 0, "\"32B\"", PATTERN_LEAST, 1048576.0, "Smallest payload."),
    AFF_OPT_BYTES(struct config, most, 0, "\"500B\"", PATTERN_LEAST, 1048576.0, "Largest payload."),
    AFF_OPT_INT(struct config, burst, 0, "16", 1, 64, "records", "Records made at a time."),
    AFF_OPT_DURATION(struct config, pause, 0, "\"0s\"", 0, 60e9, "Wait between two bursts."),
    AFF_OPT_PATH(struct config, made, 0, NULL, "File that says what is made; written once."),
    AFF_OPT_PATH(struct config, running, 0, NULL, "The same as it is behind crash_running."),
    AFF_OPT_PATH(struct config, answers, 0, NULL, "File that says when the source was told that records are safe."),
};

static const struct aff_schema block = {
    .struct_size = sizeof(struct aff_schema),
    .type = AFF_BYTES,
    .name = "crash",
    .stride = sizeof(struct aff_column),
};

static const struct aff_port outputs[] = {
    { .name = "out",
      .doc = "Records from a seed.",
      .schema = &block,
      .types = AFF_MASK(AFF_BYTES),
      .priority = AFF_PRIO_BULK },
};

struct source {
    const struct aff_host *host;
    const struct config *config;
    uint64_t next;
    uint64_t ended;
    int64_t again_ns;
    uint32_t subject;
    uint32_t schema;
    int answers;
    int restored;
    uint32_t streams[STREAMS_MOST];
};

static int64_t event_of(uint64_t key)
{
    return (int64_t)key * 1000000;
}

static uint32_t size_of(const struct config *c, uint64_t key)
{
    return pattern_size((uint64_t)c->seed, key, (uint32_t)c->least, (uint32_t)c->most);
}

/* Appends the line of every record to fd. */
static int made_lines(const struct config *c, int fd, int running)
{
    uint64_t runs[STREAMS_MOST] = { 0 };
    uint8_t *data = malloc((size_t)c->most);
    int bad = data == NULL;
    char name[16];

    for (uint64_t key = 0; !bad && key < (uint64_t)c->records; key++) {
        uint64_t s = key % (uint64_t)c->streams;
        uint32_t size = size_of(c, key);
        struct far_line line;

        pattern_fill(data, size, (uint64_t)c->seed, key);
        runs[s] = pattern_run(runs[s], key);
        if (running)
            memcpy(data + 8, &runs[s], 8);
        pattern_stream_name(name, sizeof name, s);
        line = pattern_made(key, data, size, event_of(key), name);
        bad = far_append(fd, &line, 1);
    }
    free(data);
    return bad;
}

/* Under another name first: a file under its own name is whole. */
static int made_write(const struct config *c, const char *path, int running)
{
    char beside[4096];
    struct stat st;
    int fd, bad;

    if (!path || stat(path, &st) == 0)
        return 0;
    snprintf(beside, sizeof beside, "%s.new", path);
    (void)unlink(beside);
    fd = far_open(beside);
    if (fd < 0)
        return -1;
    bad = made_lines(c, fd, running);
    (void)close(fd);
    return bad ? -1 : rename(beside, path);
}

static void source_close(void *self)
{
    struct source *s = self;

    if (s->answers >= 0)
        (void)close(s->answers);
    s->host->free(s->host, s);
}

static aff_status names_open(struct source *s)
{
    char name[16];

    s->subject = s->host->subject(s->host, "crash");
    s->schema = s->subject ? s->host->schema(s->host, &block) : 0;
    for (uint64_t i = 0; s->schema && i < (uint64_t)s->config->streams; i++) {
        pattern_stream_name(name, sizeof name, i);
        s->streams[i] = s->host->stream(s->host, s->subject, name, s->schema);
        if (!s->streams[i])
            return AFF_ERR_MEMORY;
    }
    return s->schema ? AFF_OK : AFF_ERR_MEMORY;
}

static aff_status source_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct source *s = host->alloc(host, sizeof *s);
    aff_status st;
    char text[64];

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->config = c;
    s->answers = -1;
    if (c->most < c->least || made_write(c, c->made, 0) || made_write(c, c->running, 1) ||
        (c->answers && (s->answers = far_open(c->answers)) < 0)) {
        st = host->explain(host, AFF_ERR_CONFIG, "what is made cannot be written down; look at made, answers, most");
        source_close(s);
        return st;
    }
    st = names_open(s);
    if (st != AFF_OK) {
        source_close(s);
        return st;
    }
    host->incarnation(host, text, (size_t)snprintf(text, sizeof text, "crash %lld", (long long)c->seed));
    *ret_self = s;
    return AFF_OK;
}

/* Whether commits were ever told, in any run. */
static int was_told(const struct config *c)
{
    struct far_line line;
    int fd = c->answers ? open(c->answers, O_RDONLY | O_CLOEXEC) : -1, told = 0;

    if (fd < 0)
        return 0;
    while (!told && read(fd, &line, sizeof line) == (ssize_t)sizeof line)
        told = line.kind == FAR_UPTO;
    (void)close(fd);
    return told;
}

static void note(const struct source *s, enum far_kind kind, uint32_t flags)
{
    struct far_line line = far_line(kind, s->next);

    line.flags = flags;
    if (s->answers >= 0)
        (void)far_append(s->answers, &line, 1);
}

static aff_status source_start(void *self)
{
    struct source *s = self;

    if (!s->restored && was_told(s->config)) {
        s->next = (uint64_t)s->config->records;
        s->ended = (uint64_t)s->config->streams;
        note(s, FAR_ANEW, 0);
        return AFF_OK;
    }
    note(s, FAR_BEGUN, s->restored != 0);
    return AFF_OK;
}

static aff_status source_end(struct source *s)
{
    while (s->ended < (uint64_t)s->config->streams) {
        aff_status st = s->host->stream_end(s->host, 0, s->streams[s->ended]);

        if (st != AFF_OK)
            return st;
        s->ended++;
    }
    return AFF_END;
}

static aff_status make_one(struct source *s)
{
    const struct config *c = s->config;
    uint32_t size = size_of(c, s->next);
    struct aff_record *r = s->host->reserve(s->host, 0, AFF_NO_INPUT, size);
    aff_status st;

    if (!r)
        return AFF_ERR_MEMORY;
    pattern_fill(r->data, size, (uint64_t)c->seed, s->next);
    r->type = AFF_BYTES;
    r->subject = s->subject;
    r->schema = s->schema;
    r->stream = s->streams[s->next % (uint64_t)c->streams];
    r->event_ns = event_of(s->next);
    st = s->host->emit(s->host, r, size);
    if (st == AFF_OK)
        s->next++;
    return st;
}

static aff_status source_read(void *self, uint32_t want)
{
    struct source *s = self;
    const struct config *c = s->config;
    int64_t now = c->pause ? s->host->now_ns(s->host) : 0;
    uint32_t most = want < (uint32_t)c->burst ? want : (uint32_t)c->burst;

    if (s->next < (uint64_t)c->records && now < s->again_ns) {
        s->host->wake_at(s->host, s->again_ns);
        return AFF_AGAIN;
    }
    for (uint32_t i = 0; i < most; i++) {
        aff_status st = s->next < (uint64_t)c->records ? make_one(s) : source_end(s);

        if (st != AFF_OK)
            return st;
    }
    s->again_ns = now + c->pause;
    return AFF_OK;
}

static void source_committed(void *self, uint64_t epoch)
{
    struct source *s = self;
    struct far_line line = far_line(FAR_UPTO, 0); /* which records is not known, nor needed */

    line.id_seq = epoch;
    if (s->answers >= 0)
        (void)far_append(s->answers, &line, 1);
}

static aff_status source_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct source *s = self;
    uint64_t words[2] = { s->next, s->ended };

    *ret_size = sizeof words;
    if (room >= sizeof words)
        memcpy(buffer, words, sizeof words);
    return AFF_OK;
}

static aff_status source_restore(void *self, const void *buffer, size_t size)
{
    struct source *s = self;
    uint64_t words[2];

    if (size != sizeof words)
        return s->host->explain(s->host, AFF_ERR_DATA, "a position of %zu bytes is not one of crash_source", size);
    memcpy(words, buffer, sizeof words);
    s->next = words[0];
    s->ended = words[1];
    s->restored = 1;
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_SOURCE, "crash_source", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = 0,
    .kind = AFF_SOURCE,
    .flags = AFF_PULL | AFF_REPLAYS,
    .name = "crash_source",
    .version = "1.0.0",
    .summary = "Makes records from a seed, and says what it made, for the tests of delivery.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_NO_TABLE,
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_NO_TABLE,
    .metrics = AFF_NO_TABLE,
    .open = source_open,
    .close = source_close,
    .start = source_start,
    .read = source_read,
    .committed = source_committed,
    .snapshot = source_snapshot,
    .restore = source_restore,
};
