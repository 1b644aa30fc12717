/* crash_answering.c - a source that answers its peer only when its data is safe.
 *
 * The peer is a file: it appends requests (numbers), and reads answers from
 * another. The record of a request has its id from the request, so a request that
 * is asked again after a crash makes the same record; one that is known to be
 * committed is answered and not passed on. What is known lies in the snapshot.
 *
 * A session that the peer has ended is over, and so is what its snapshot knew; the
 * next one takes what was answered from the file of answers.
 *
 * It takes few requests at a time, and asks for a cut. */
#include <afferent/plugin.h>

#include "making.h"

enum { KEYS_MOST = 8192, BURST = 6 };

struct config {
    int64_t seed;
    const char *requests;
    const char *answers;
};

static const struct aff_option options[] = {
    AFF_OPT_INT(struct config, seed, 0, "1", 0, 9007199254740992.0, NULL, "What contents are drawn from."),
    AFF_OPT_PATH(struct config, requests, AFF_OPT_REQUIRED, NULL, "File of requests, in lines of far.h."),
    AFF_OPT_PATH(struct config, answers, AFF_OPT_REQUIRED, NULL, "File of answers."),
};

static const struct aff_port outputs[] = {
    { CRASH_OUTPUT("A record for each request.", AFF_PRIO_VITALS) },
};

/* Its files. */
enum { REQUESTS, ANSWERS };

struct source {
    struct making making;
    const struct config *config;
    uint32_t pending_count;
    int over; /* the peer said that it has no more */
    int restored;
    uint64_t pending[BURST];
    uint64_t epochs[BURST]; /* that they are in */
    uint64_t known[KEYS_MOST / 64];
};

static aff_status answering_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct source *s = making_new(host, sizeof *s, c->seed);

    if (!s)
        return AFF_ERR_MEMORY;
    s->config = c;
    s->making.files[REQUESTS] = open(c->requests, O_RDONLY | O_CLOEXEC);
    s->making.files[ANSWERS] = far_open(c->answers);
    if (s->making.files[REQUESTS] < 0 || s->making.files[ANSWERS] < 0 || making_names(&s->making, 1) != AFF_OK) {
        making_close(s);
        return host->explain(host, AFF_ERR_IO, "requests or answers cannot be opened");
    }
    *ret_self = s;
    return AFF_OK;
}

static int is_known(const struct source *s, uint64_t key)
{
    return (int)(s->known[key / 64u] >> (key % 64u) & 1u);
}

static int is_pending(const struct source *s, uint64_t key)
{
    for (uint32_t i = 0; i < s->pending_count; i++)
        if (s->pending[i] == key)
            return 1;
    return 0;
}

static void answer(const struct source *s, uint64_t key)
{
    struct far_line line = far_line(FAR_ANSWERED, key);

    (void)far_append(s->making.files[ANSWERS], &line, 1);
}

static aff_status answering_start(void *self)
{
    struct source *s = self;
    struct far_line line;
    int fd = s->restored ? -1 : open(s->config->answers, O_RDONLY | O_CLOEXEC);

    while (fd >= 0 && read(fd, &line, sizeof line) == (ssize_t)sizeof line)
        if (line.kind == FAR_ANSWERED && line.key < KEYS_MOST)
            s->known[line.key / 64u] |= UINT64_C(1) << (line.key % 64u);
    if (fd >= 0)
        (void)close(fd);
    return AFF_OK;
}

static aff_status pass_on(struct source *s, uint64_t key)
{
    const struct aff_host *host = s->making.host;
    uint32_t size = pattern_size(s->making.seed, key, 32, 500);
    struct aff_record *r;
    aff_status st;

    host->incarnation(host, &key, sizeof key);
    r = making_record(&s->making, key, size);
    if (!r)
        return AFF_ERR_MEMORY;
    st = host->emit(host, r, size);
    if (st != AFF_OK)
        return st;
    s->known[key / 64u] |= UINT64_C(1) << (key % 64u);
    s->epochs[s->pending_count] = host->epoch(host);
    s->pending[s->pending_count++] = key;
    return AFF_OK;
}

/* The next request; AFF_AGAIN: there is none now. */
static aff_status take_one(struct source *s)
{
    struct far_line line;
    ssize_t n = read(s->making.files[REQUESTS], &line, sizeof line);

    if (n != (ssize_t)sizeof line)
        return AFF_AGAIN;
    if (line.key == UINT64_MAX) {
        s->over = 1;
        return AFF_AGAIN;
    }
    if (line.key >= KEYS_MOST || is_pending(s, line.key))
        return AFF_OK;
    if (is_known(s, line.key)) {
        answer(s, line.key);
        return AFF_OK;
    }
    if (pass_on(s, line.key) == AFF_OK)
        return AFF_OK;
    (void)lseek(s->making.files[REQUESTS], -n, SEEK_CUR);
    return AFF_ERR_MEMORY;
}

static aff_status answering_read(void *self, uint32_t want)
{
    struct source *s = self;
    const struct aff_host *host = s->making.host;
    aff_status st = AFF_OK;

    if (!s->pending_count && s->over)
        return making_end(&s->making);
    while (st == AFF_OK && s->pending_count < BURST && s->pending_count < want)
        st = take_one(s);
    if (st == AFF_ERR_MEMORY)
        return st;
    if (s->pending_count)
        host->cut(host);
    host->wake_at(host, host->now_ns(host) + 1000000);
    return AFF_AGAIN;
}

static void answering_committed(void *self, uint64_t epoch)
{
    struct source *s = self;
    uint32_t i, left = 0;

    for (i = 0; i < s->pending_count; i++) {
        if (s->epochs[i] <= epoch) {
            answer(s, s->pending[i]);
            continue;
        }
        s->epochs[left] = s->epochs[i];
        s->pending[left++] = s->pending[i];
    }
    s->pending_count = left;
}

static aff_status answering_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct source *s = self;

    *ret_size = sizeof s->known;
    if (room >= sizeof s->known)
        memcpy(buffer, s->known, sizeof s->known);
    return AFF_OK;
}

static aff_status answering_restore(void *self, const void *buffer, size_t size)
{
    struct source *s = self;

    if (size != sizeof s->known)
        return AFF_ERR_DATA;
    memcpy(s->known, buffer, size);
    s->restored = 1;
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_SOURCE, "crash_answering", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = 0,
    .kind = AFF_SOURCE,
    .name = "crash_answering",
    .version = "1.0.0",
    .summary = "Answers requests when their records are safe, for the tests of delivery.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_NO_TABLE,
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_NO_TABLE,
    .metrics = AFF_NO_TABLE,
    .open = answering_open,
    .close = making_close,
    .start = answering_start,
    .read = answering_read,
    .committed = answering_committed,
    .snapshot = answering_snapshot,
    .restore = answering_restore,
};
