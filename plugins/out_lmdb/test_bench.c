/* test_bench.c - see test_bench.h. */
#include "test_bench.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STREAMS = 512 };

static void *bench_alloc(void *ctx, size_t size)
{
    struct bench *b = ctx;

    if (++b->allocations == b->fail_at)
        return NULL;
    return calloc(1, size);
}

static void bench_release(void *ctx, void *memory)
{
    (void)ctx;
    free(memory);
}

static void bench_say(void *ctx, int level, const char *text)
{
    struct bench *b = ctx;

    b->warnings += level == AFF_LOG_WARN && strstr(text, "limit") != NULL;
    b->differing_told += level == AFF_LOG_WARN && strstr(text, "both are kept") != NULL;
}

/* A table per process: the archive borrows the answer until the next call. */
static const struct aff_stream_info *bench_stream(void *ctx, uint32_t stream)
{
    static struct aff_stream_info info;
    static char name[16], subject[16];

    (void)ctx;
    if (!stream || stream > STREAMS)
        return NULL;
    snprintf(name, sizeof name, stream % 2 ? "ecg" : "beats");
    snprintf(subject, sizeof subject, "S%04u", (unsigned)(stream + 1) / 2);
    info.stream = stream;
    info.name = name;
    info.subject_name = subject;
    info.generation = 1;
    return &info;
}

static size_t bench_schema(void *ctx, uint32_t schema, char *text, size_t room)
{
    (void)ctx;
    if (!schema || schema > 100)
        return 0;
    return (size_t)snprintf(text, room, "schema %u", (unsigned)schema);
}

int bench_setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    const char *tmp = getenv("TMPDIR");

    if (!b)
        return -1;
    snprintf(b->folder, sizeof b->folder, "%s/archive-test-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(b->folder)) {
        free(b);
        return -1;
    }
    snprintf(b->path, sizeof b->path, "%s/a.lmdb", b->folder);
    snprintf(b->data, sizeof b->data, "%s/data.mdb", b->path);
    b->options = (struct archive_options){ b->path, 64u << 20, 1u << 20, 16, NULL };
    b->hooks = (struct archive_hooks){ b, bench_alloc, bench_release, bench_say, bench_stream, bench_schema };
    *state = b;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

int bench_teardown(void **state)
{
    struct bench *b = *state;

    bench_close(b);
    nftw(b->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(b);
    return 0;
}

aff_status bench_open(struct bench *b)
{
    return archive_open(&b->archive, &b->options, &b->hooks, b->cause, sizeof b->cause);
}

void bench_close(struct bench *b)
{
    archive_close(b->archive);
    b->archive = NULL;
}

static void made_head(struct made *m, uint32_t stream, uint64_t number, uint8_t type)
{
    memset(m, 0, sizeof *m);
    m->record.id.source = UINT64_C(0x1122334455667788) + stream;
    m->record.id.seq = number;
    m->record.event_ns = (int64_t)number * 100000000 - 5000000000; /* some before 1970 */
    m->record.data = m->data;
    m->record.stream = stream;
    m->record.subject = (stream + 1) / 2;
    m->record.schema = 1 + stream % 2;
    m->record.type = type;
    m->record.clock = AFF_CLOCK_RECORDED;
    m->record.flags = number % 50 ? 0 : AFF_FLAG_GAP;
}

/* Something like an ECG: a slow wave, a spike, noise of a few units. */
static int16_t wave(uint64_t i, uint16_t channel)
{
    uint64_t noise = (i * 2 + channel) * UINT64_C(0x9e3779b97f4a7c15);
    int slow = (int)((i % 720) < 360 ? i % 360 : 360 - i % 360) / 4;

    return (int16_t)(slow + (int)(noise >> 61) + (i % 300 < 12 ? 40 * (int)(i % 300) : 0) + channel * 100);
}

void make_signal(struct made *m, uint32_t stream, uint64_t number)
{
    struct aff_samples *s = (struct aff_samples *)(void *)m->data;
    uint16_t c;
    uint32_t i;

    made_head(m, stream, number, AFF_SAMPLES);
    s->first = (int64_t)number * SIGNAL_SAMPLES;
    s->count = SIGNAL_SAMPLES;
    s->channels = 2;
    s->format = AFF_I16;
    for (c = 0; c < 2; c++)
        for (i = 0; i < SIGNAL_SAMPLES; i++)
            ((int16_t *)aff_plane(&m->record, c))[i] = wave((uint64_t)s->first + i + stream, c);
    m->record.size = (uint32_t)aff_samples_size(s->count, s->channels, s->format);
}

void make_event(struct made *m, uint32_t stream, uint64_t number)
{
    size_t i, words = 5 + number % 3;

    made_head(m, stream, number, AFF_FIELDS);
    for (i = 0; i < words; i++)
        memcpy(m->data + i * 8, &(uint64_t){ number * 31 + i + stream }, 8);
    m->record.size = (uint32_t)(words * 8);
}

aff_status put_made(struct bench *b, struct made *m)
{
    return archive_put(b->archive, &m->record);
}

static void made_compare(struct bench *b, struct archive_query *q, const struct archive_found *f, uint32_t *ret_stream)
{
    const char *subject = query_subject(q, f), *name = query_stream(q, f);
    unsigned who;
    struct made m;

    (void)b;
    assert_non_null(subject);
    assert_non_null(name);
    if (subject[0] == '#' || name[0] == '#') {
        *ret_stream = 0;
        return;
    }
    assert_int_equal(sscanf(subject, "S%u", &who), 1);
    *ret_stream = who * 2 - (strcmp(name, "ecg") == 0);
    if (f->type == AFF_SAMPLES)
        make_signal(&m, *ret_stream, f->key.id[1]);
    else
        make_event(&m, *ret_stream, f->key.id[1]);
    assert_true(f->key.id[0] == m.record.id.source);
    assert_true(f->key.time == m.record.event_ns);
    assert_int_equal(f->flags, m.record.flags);
    assert_int_equal(f->clock, m.record.clock);
    assert_int_equal(f->size, m.record.size);
    assert_memory_equal(f->data, m.data, f->size);
}

struct tally read_all(struct bench *b, uint32_t stream)
{
    struct archive_filter all = { NULL, NULL, INT64_MIN, INT64_MAX };
    struct archive_key last = { .time = INT64_MIN };
    struct tally t = { 0 };
    struct archive_query *q;
    struct archive_found f;
    uint32_t whose;

    t.end = query_open(&q, b->path, &all, b->cause, sizeof b->cause);
    if (t.end < 0)
        return t;
    for (;;) {
        t.end = query_next(q, &f);
        if (t.end == AFF_ERR_DATA)
            continue;
        if (t.end != AFF_OK)
            break;
        assert_true(key_compare(&last, &f.key) < 0);
        last = f.key;
        made_compare(b, q, &f, &whose);
        t.records++;
        if (whose == stream) {
            t.of_stream++;
            t.highest = f.key.id[1] > t.highest ? f.key.id[1] : t.highest;
        }
    }
    t.damaged = query_damaged(q);
    query_close(q);
    return t;
}
