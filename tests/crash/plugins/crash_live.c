/* crash_live.c - a source that cannot repeat itself, as a monitor on a wire.
 *
 * What it makes is written down before it is handed over, and so is from which
 * number on everything below was told to be safe; another run goes on behind the
 * last number ever made. What was made and not told may be lost by a kill; what
 * was told must come out. */
#include <afferent/plugin.h>

#include <sys/stat.h>

#include "making.h"

enum { MARKS = 64 };

struct config {
    int64_t records;
    int64_t seed;
    int64_t most;
    int64_t burst;
    int64_t pause;
    int64_t rate;
    int32_t running;
    const char *made;
    const char *answers;
};

static const struct aff_option options[] = {
    AFF_OPT_INT(struct config, records, 0, "400", 0, 1e9, "records", "How many records are made, in all runs together."),
    AFF_OPT_INT(struct config, seed, 0, "1", 0, 9007199254740992.0, NULL, "What sizes and contents are drawn from."),
    AFF_OPT_BYTES(struct config, most, 0, "\"500B\"", 32, 65536.0, "Largest payload."),
    AFF_OPT_INT(struct config, burst, 0, "8", 1, 64, "records", "Records made at a time."),
    AFF_OPT_DURATION(struct config, pause, 0, "\"1ms\"", 0, 60e9, "Wait between two bursts."),
    AFF_OPT_INT(struct config, rate, 0, "0", 0, 1e6, "/s",
                "Records that fall due in a second, whenever they are asked for; 0: as fast as they are."),
    AFF_OPT_BOOL(struct config, running, "false", "Says what is made as it is behind crash_running."),
    AFF_OPT_PATH(struct config, made, AFF_OPT_REQUIRED, NULL, "File that says what was made."),
    AFF_OPT_PATH(struct config, answers, AFF_OPT_REQUIRED, NULL, "File that says what the source was told."),
};

static const struct aff_port outputs[] = {
    { CRASH_OUTPUT("Records that are made once.", AFF_PRIO_VITALS) },
};

/* Its files. */
enum { MADE, ANSWERS };

/* What lies below was made in this epoch or before. */
struct mark {
    uint64_t epoch;
    uint64_t below;
};

struct source {
    struct making making;
    const struct config *config;
    struct mark marks[MARKS];
    uint32_t first, count;
    uint64_t begun_ns;  /* when record `begun` was due */
    uint64_t begun;
    uint64_t run; /* what crash_running has of all before the next */
};

static aff_status live_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct source *s = making_new(host, sizeof *s, c->seed);
    struct stat st;
    int *files;

    if (!s)
        return AFF_ERR_MEMORY;
    s->config = c;
    files = s->making.files;
    files[MADE] = far_open(c->made);
    files[ANSWERS] = far_open(c->answers);
    if (files[MADE] < 0 || files[ANSWERS] < 0 || making_names(&s->making, 1) != AFF_OK || fstat(files[MADE], &st)) {
        making_close(s);
        return host->explain(host, AFF_ERR_CONFIG, "what is made cannot be written down; look at made and answers");
    }
    s->making.next = s->begun = (uint64_t)st.st_size / sizeof(struct far_line);
    for (uint64_t key = 0; key < s->making.next; key++)
        s->run = pattern_run(s->run, key);
    *ret_self = s;
    return AFF_OK;
}

/* By the clock alone: a device does not wait until it is asked. */
static uint64_t due_ns(const struct source *s)
{
    return s->begun_ns + (s->making.next - s->begun) * 1000000000u / (uint64_t)s->config->rate;
}

/* The line of the next record, whose payload is `data`. */
static struct far_line line_next(struct source *s, uint8_t *data, uint32_t size)
{
    const struct making *m = &s->making;
    uint64_t word;
    struct far_line line;

    s->run = pattern_run(s->run, m->next);
    memcpy(&word, data + 8, 8);
    if (s->config->running)
        memcpy(data + 8, &s->run, 8);
    line = pattern_made(m->next, data, size, making_time(m->next), "s0");
    memcpy(data + 8, &word, 8);
    line.id_seq = s->config->rate ? due_ns(s) : 0;
    return line;
}

static void mark_made(struct source *s)
{
    uint64_t epoch = s->making.host->epoch(s->making.host);
    struct mark *last = &s->marks[(s->first + s->count + MARKS - 1u) % MARKS];

    if (s->count > 0 && (last->epoch == epoch || s->count == MARKS))
        *last = (struct mark){ epoch, s->making.next };
    else
        s->marks[(s->first + s->count++) % MARKS] = (struct mark){ epoch, s->making.next };
}

static aff_status make_one(struct making *m)
{
    struct source *s = (struct source *)m;
    uint32_t size = pattern_size(m->seed, m->next, 32, (uint32_t)s->config->most);
    struct aff_record *r = making_record(m, m->next, size);
    struct far_line line;

    if (!r)
        return AFF_ERR_MEMORY;
    line = line_next(s, r->data, size);
    if (far_append(m->files[MADE], &line, 1))
        return m->host->explain(m->host, AFF_ERR_BUG, "what was made cannot be written down");
    m->next++;
    mark_made(s);
    return m->host->emit(m->host, r, size);
}

/* What is due by now, some at a time. */
static aff_status read_due(struct source *s, uint32_t want)
{
    const struct aff_host *host = s->making.host;
    uint64_t now = far_now(), due;
    aff_status st = AFF_OK;

    s->begun_ns = s->begun_ns ? s->begun_ns : now;
    for (uint32_t i = 0; i < want && st == AFF_OK && s->making.next < (uint64_t)s->config->records && due_ns(s) <= now; i++)
        st = make_one(&s->making);
    if (st != AFF_OK)
        return st;
    if (s->making.next >= (uint64_t)s->config->records)
        return making_end(&s->making);
    due = due_ns(s);
    if (due <= now)
        return AFF_OK;
    due = due - now > (uint64_t)s->config->pause ? due - now : (uint64_t)s->config->pause;
    host->wake_at(host, host->now_ns(host) + (int64_t)due);
    return AFF_AGAIN;
}

static aff_status live_read(void *self, uint32_t want)
{
    struct source *s = self;
    const struct making_turns turns = { s->config->records, s->config->burst, s->config->pause };

    if (s->config->rate)
        return read_due(s, want);
    return making_read(&s->making, &turns, want, make_one);
}

static void live_committed(void *self, uint64_t epoch)
{
    struct source *s = self;
    struct far_line line = far_line(FAR_UPTO, 0);

    while (s->count && s->marks[s->first].epoch <= epoch) {
        line.key = s->marks[s->first].below;
        s->first = (s->first + 1u) % MARKS;
        s->count--;
    }
    line.id_seq = epoch;
    (void)far_append(s->making.files[ANSWERS], &line, 1);
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
    .close = making_close,
    .read = live_read,
    .committed = live_committed,
};
