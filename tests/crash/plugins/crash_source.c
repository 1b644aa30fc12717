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

#include "making.h"

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
    AFF_OPT_INT(struct config, streams, 0, "3", 1, MAKING_STREAMS, "streams", "Streams that take turns."),
    AFF_OPT_BYTES(struct config, least, 0, "\"32B\"", PATTERN_LEAST, 1048576.0, "Smallest payload."),
    AFF_OPT_BYTES(struct config, most, 0, "\"500B\"", PATTERN_LEAST, 1048576.0, "Largest payload."),
    AFF_OPT_INT(struct config, burst, 0, "16", 1, 64, "records", "Records made at a time."),
    AFF_OPT_DURATION(struct config, pause, 0, "\"0s\"", 0, 60e9, "Wait between two bursts."),
    AFF_OPT_PATH(struct config, made, 0, NULL, "File that says what is made; written once."),
    AFF_OPT_PATH(struct config, running, 0, NULL, "The same as it is behind crash_running."),
    AFF_OPT_PATH(struct config, answers, 0, NULL, "File that says when the source was told that records are safe."),
};

static const struct aff_port outputs[] = {
    { CRASH_OUTPUT("Records from a seed.", AFF_PRIO_BULK) },
};

/* Its file. */
enum { ANSWERS };

struct source {
    struct making making;
    const struct config *config;
    int restored;
};

static uint32_t size_of(const struct config *c, uint64_t key)
{
    return pattern_size((uint64_t)c->seed, key, (uint32_t)c->least, (uint32_t)c->most);
}

/* Appends the line of every record to fd. */
static int made_lines(const struct config *c, int fd, int running)
{
    uint64_t runs[MAKING_STREAMS] = { 0 };
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
        line = pattern_made(key, data, size, making_time(key), name);
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

static aff_status source_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct source *s = making_new(host, sizeof *s, c->seed);
    aff_status st;
    char text[64];

    if (!s)
        return AFF_ERR_MEMORY;
    s->config = c;
    if (c->most < c->least || made_write(c, c->made, 0) || made_write(c, c->running, 1) ||
        (c->answers && (s->making.files[ANSWERS] = far_open(c->answers)) < 0)) {
        st = host->explain(host, AFF_ERR_CONFIG, "what is made cannot be written down; look at made, answers, most");
        making_close(s);
        return st;
    }
    st = making_names(&s->making, c->streams);
    if (st != AFF_OK) {
        making_close(s);
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

static void note(const struct source *s, struct far_line line)
{
    if (s->making.files[ANSWERS] >= 0)
        (void)far_append(s->making.files[ANSWERS], &line, 1);
}

static aff_status source_start(void *self)
{
    struct source *s = self;
    int is_over = !s->restored && was_told(s->config);
    struct far_line line;

    if (is_over) {
        s->making.next = (uint64_t)s->config->records;
        s->making.ended = s->making.count;
    }
    line = far_line(is_over ? FAR_ANEW : FAR_BEGUN, s->making.next);
    line.flags = s->restored != 0;
    note(s, line);
    return AFF_OK;
}

static aff_status make_one(struct making *m)
{
    uint32_t size = size_of(((const struct source *)m)->config, m->next);
    struct aff_record *r = making_record(m, m->next, size);
    aff_status st;

    if (!r)
        return AFF_ERR_MEMORY;
    st = m->host->emit(m->host, r, size);
    if (st == AFF_OK)
        m->next++;
    return st;
}

static aff_status source_read(void *self, uint32_t want)
{
    struct source *s = self;
    const struct making_turns turns = { s->config->records, s->config->burst, s->config->pause };

    return making_read(&s->making, &turns, want, make_one);
}

static void source_committed(void *self, uint64_t epoch)
{
    struct source *s = self;
    struct far_line line = far_line(FAR_UPTO, 0); /* which records is not known, nor needed */

    line.id_seq = epoch;
    note(s, line);
}

static aff_status source_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct source *s = self;
    uint64_t words[2] = { s->making.next, s->making.ended };

    *ret_size = sizeof words;
    if (room >= sizeof words)
        memcpy(buffer, words, sizeof words);
    return AFF_OK;
}

static aff_status source_restore(void *self, const void *buffer, size_t size)
{
    struct source *s = self;
    const struct aff_host *host = s->making.host;
    uint64_t words[2];

    if (size != sizeof words)
        return host->explain(host, AFF_ERR_DATA, "a position of %zu bytes is not one of crash_source", size);
    memcpy(words, buffer, sizeof words);
    s->making.next = words[0];
    s->making.ended = (uint32_t)words[1];
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
    .close = making_close,
    .start = source_start,
    .read = source_read,
    .committed = source_committed,
    .snapshot = source_snapshot,
    .restore = source_restore,
};
