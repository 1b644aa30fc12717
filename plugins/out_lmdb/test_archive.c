/* test_archive.c - the archive writes each record once and gives it back. */
#include "test_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lmdb.h>

/* Records `from` to before `to` of each of the streams 1 to `streams`. */
static void put_range(struct bench *b, uint32_t streams, uint64_t from, uint64_t to, uint64_t epoch)
{
    struct made m;
    uint64_t i;
    uint32_t s;

    for (i = from; i < to; i++) {
        for (s = 1; s <= streams; s++) {
            if (s % 2)
                make_signal(&m, s, i);
            else
                make_event(&m, s, i);
            assert_int_equal(put_made(b, &m), AFF_OK);
        }
        if (i % epoch == epoch - 1)
            assert_int_equal(archive_commit(b->archive), AFF_OK);
    }
    assert_int_equal(archive_commit(b->archive), AFF_OK);
}

static void what_was_put_comes_back_in_order_and_byte_for_byte(void **state)
{
    struct bench *b = *state;
    struct tally t;

    assert_int_equal(bench_open(b), AFF_OK);
    put_range(b, 8, 0, 500, 7);
    bench_close(b);
    t = read_all(b, 1);
    assert_int_equal(t.end, AFF_END);
    assert_int_equal(t.records, 8 * 500);
    assert_int_equal(t.of_stream, 500);
    assert_int_equal(t.damaged, 0);
}

static void a_replay_is_stored_once_however_epochs_and_overlaps_fall(void **state)
{
    struct bench *b = *state;
    struct tally t;

    assert_int_equal(bench_open(b), AFF_OK);
    put_range(b, 4, 0, 300, 9);
    put_range(b, 4, 0, 300, 300);   /* all of it again, in one epoch */
    put_range(b, 4, 250, 400, 11);  /* half old, half new */
    bench_close(b);
    assert_int_equal(bench_open(b), AFF_OK); /* a new run, other small integers */
    put_range(b, 4, 123, 450, 5);
    assert_int_equal(archive_counted(b->archive)->stored, 4 * 50);
    assert_int_equal(archive_counted(b->archive)->repeated, 4 * (450 - 123 - 50));
    t = read_all(b, 3);
    assert_int_equal(t.records, 4 * 450);
    assert_int_equal(t.of_stream, 450);
}

static void late_records_find_their_place_in_any_order(void **state)
{
    struct bench *b = *state;
    uint32_t order[400] = { 0 }, i;
    struct tally t;
    struct made m;

    assert_int_equal(bench_open(b), AFF_OK);
    srand(7);
    for (i = 0; i < 400; i++) {
        uint32_t j = (uint32_t)rand() % (i + 1);

        order[i] = order[j];
        order[j] = i;
    }
    for (i = 0; i < 800; i++) { /* each twice */
        make_signal(&m, 1, order[i % 400]);
        assert_int_equal(put_made(b, &m), AFF_OK);
        if (i % 13 == 0)
            assert_int_equal(archive_commit(b->archive), AFF_OK);
    }
    assert_int_equal(archive_commit(b->archive), AFF_OK);
    assert_int_equal(archive_counted(b->archive)->stored, 400);
    assert_int_equal(archive_counted(b->archive)->repeated, 400);
    t = read_all(b, 1);
    assert_int_equal(t.of_stream, 400);
    assert_int_equal(t.damaged, 0);
}

/* Any order, any repetition, commits and restarts anywhere: what is kept is the
 * set of what was put. */
static void a_random_life_is_kept_as_a_set(void **state)
{
    static uint8_t put[40][260];
    struct bench *b = *state;
    uint64_t wanted = 0, first[41] = { 0 };
    struct made m;
    int i;

    memset(put, 0, sizeof put);
    srand(20261121);
    b->options.streams = 8; /* lanes come and go */
    b->options.batch = 64u << 10;
    assert_int_equal(bench_open(b), AFF_OK);
    for (i = 0; i < 30000; i++) {
        uint32_t stream = 1 + (uint32_t)rand() % 40;
        /* Mostly the next of its stream, else any of 260. */
        uint64_t number = rand() % 4 ? first[stream]++ % 260 : (uint64_t)rand() % 260;

        if (stream % 4)
            make_signal(&m, stream | 1, number);
        else
            make_event(&m, stream, number);
        stream = m.record.stream;
        wanted += !put[stream - 1][number];
        put[stream - 1][number] = 1;
        assert_int_equal(put_made(b, &m), AFF_OK);
        if (rand() % 100 == 0)
            assert_int_equal(archive_commit(b->archive), AFF_OK);
        if (rand() % 5000 == 0) {
            assert_int_equal(archive_commit(b->archive), AFF_OK);
            bench_close(b);
            assert_int_equal(bench_open(b), AFF_OK);
        }
    }
    assert_int_equal(archive_commit(b->archive), AFF_OK);
    assert_int_equal(read_all(b, 1).records, wanted);
    assert_int_equal(read_all(b, 1).damaged, 0);
}

/* A version of a record: the same id and time, another content. */
static void make_version(struct made *m, uint32_t stream, uint64_t number, int version)
{
    if (stream % 2)
        make_signal(m, stream, number);
    else
        make_event(m, stream, number);
    if (version)
        m->data[sizeof(struct aff_samples) + 4] ^= (uint8_t)version;
}

/* Versions `first` and on of a record, in turn; then what came before is there. */
static void put_versions(struct bench *b, uint64_t records, int first, int versions)
{
    struct made m = { 0 };
    uint64_t i;
    uint32_t s;
    int v;

    for (i = 0; i < records; i++) {
        for (s = 1; s <= 2; s++)
            for (v = 0; v < versions; v++) {
                make_version(&m, s, i, (first + v) % versions);
                assert_int_equal(put_made(b, &m), AFF_OK);
            }
        if (i % 7 == 6)
            assert_int_equal(archive_commit(b->archive), AFF_OK);
    }
    assert_int_equal(archive_commit(b->archive), AFF_OK);
}

/* How many different contents each record has; all must be what was put. */
static void read_versions(struct bench *b, uint64_t records, int versions)
{
    struct archive_filter all = { NULL, NULL, INT64_MIN, INT64_MAX };
    static uint8_t seen[2][400];
    uint64_t found = 0, of_own_id = 0;
    struct archive_query *q;
    struct archive_found f;
    struct made m = { 0 };
    int v;

    memset(seen, 0, sizeof seen);
    assert_int_equal(query_open(&q, b->path, &all, b->cause, sizeof b->cause), AFF_OK);
    for (; query_next(q, &f) == AFF_OK; found++) {
        uint64_t number = (uint64_t)(f.key.time + 5000000000) / 100000000;
        uint32_t s = f.type == AFF_SAMPLES ? 1 : 2;

        for (v = 0; v < versions; v++) {
            make_version(&m, s, number, v);
            if (f.size == m.record.size && !memcmp(f.data, m.data, f.size))
                break;
        }
        assert_true(v < versions);
        assert_false(seen[s - 1][number] & 1 << v);
        seen[s - 1][number] |= (uint8_t)(1 << v);
        assert_true(f.key.id[0] == m.record.id.source);
        of_own_id += f.key.id[1] == number;
    }
    assert_int_equal(query_damaged(q), 0);
    query_close(q);
    assert_int_equal(found, 2 * records * (uint64_t)versions);
    assert_int_equal(of_own_id, 2 * records);
}

static void the_same_id_with_other_content_is_kept_beside_and_each_once(void **state)
{
    struct bench *b = *state;
    int i;

    assert_int_equal(bench_open(b), AFF_OK);
    put_versions(b, 300, 0, 3);
    assert_int_equal(archive_counted(b->archive)->stored, 1800);
    assert_int_equal(archive_counted(b->archive)->differing, 1200);
    assert_int_equal(archive_counted(b->archive)->repeated, 0);
    assert_int_equal(b->differing_told, 1);
    read_versions(b, 300, 3);
    for (i = 0; i < 3; i++) { /* a replay, whichever comes first then */
        bench_close(b);
        assert_int_equal(bench_open(b), AFF_OK);
        put_versions(b, 300, i, 3);
        assert_int_equal(archive_counted(b->archive)->stored, 0);
        assert_int_equal(archive_counted(b->archive)->repeated, 1800);
        assert_int_equal(archive_counted(b->archive)->differing, 0);
    }
    assert_int_equal(b->differing_told, 1);
    read_versions(b, 300, 3);
}

/* How a record came is no content, nor is what lies between planes; its schema is. */
static void what_is_no_content_makes_no_other_record(void **state)
{
    struct bench *b = *state;
    struct made m = { 0 };
    uint32_t s;

    assert_int_equal(bench_open(b), AFF_OK);
    for (s = 1; s <= 2; s++) {
        make_version(&m, s, 1, 0);
        if (s == 1) { /* a count that leaves a gap behind each plane */
            aff_samples_of(&m.record)->count = SIGNAL_SAMPLES - 1;
            assert_int_equal(aff_samples_size(SIGNAL_SAMPLES - 1, 2, AFF_I16), m.record.size);
        }
        assert_int_equal(put_made(b, &m), AFF_OK);
        assert_int_equal(archive_commit(b->archive), AFF_OK);
        if (s == 1)
            ((int16_t *)aff_plane(&m.record, 1))[SIGNAL_SAMPLES - 1] ^= 77;
        m.record.flags |= AFF_FLAG_GAP | AFF_FLAG_RESENT;
        m.record.clock = AFF_CLOCK_DEVICE;
        assert_int_equal(put_made(b, &m), AFF_OK);
        assert_int_equal(archive_commit(b->archive), AFF_OK);
        assert_int_equal(archive_counted(b->archive)->repeated, s);
        assert_int_equal(archive_counted(b->archive)->differing, s - 1);
        m.record.schema = 9;
        assert_int_equal(put_made(b, &m), AFF_OK);
        assert_int_equal(archive_commit(b->archive), AFF_OK);
        assert_int_equal(archive_counted(b->archive)->differing, s);
    }
}

static void more_streams_than_lanes_are_whole(void **state)
{
    struct bench *b = *state;
    struct tally t;

    b->options.streams = 8;
    assert_int_equal(bench_open(b), AFF_OK);
    put_range(b, 200, 0, 40, 6);
    t = read_all(b, 199);
    assert_int_equal(t.records, 200 * 40);
    assert_int_equal(t.of_stream, 40);
}

static void a_change_of_shape_or_schema_begins_a_new_run(void **state)
{
    struct archive_filter all = { NULL, NULL, INT64_MIN, INT64_MAX };
    struct bench *b = *state;
    struct archive_query *q;
    struct archive_found f;
    struct made m;
    uint64_t i, schema = 0;
    int changes = 0;

    assert_int_equal(bench_open(b), AFF_OK);
    for (i = 0; i < 90; i++) {
        make_signal(&m, 1, i);
        m.record.schema = 1 + (uint32_t)(i / 10) % 3;
        assert_int_equal(put_made(b, &m), AFF_OK);
    }
    assert_int_equal(archive_commit(b->archive), AFF_OK);
    assert_int_equal(query_open(&q, b->path, &all, b->cause, sizeof b->cause), AFF_OK);
    for (i = 0; query_next(q, &f) == AFF_OK; i++) {
        size_t length;

        assert_int_equal(f.key.id[1], i);
        changes += f.schema != schema;
        schema = f.schema;
        assert_non_null(query_schema(q, schema, &length));
        assert_int_equal(length, strlen("schema N"));
    }
    assert_int_equal(i, 90);
    assert_int_equal(changes, 9);
    query_close(q);
}

static void a_large_record_goes_round_the_waiting_area(void **state)
{
    struct archive_filter all = { NULL, NULL, INT64_MIN, INT64_MAX };
    struct bench *b = *state;
    size_t size = 3u << 20, i;
    uint8_t *large = malloc(size);
    struct archive_query *q;
    struct archive_found f;
    struct made m;

    assert_non_null(large);
    for (i = 0; i < size; i++)
        large[i] = (uint8_t)(i * i >> 7);
    assert_int_equal(bench_open(b), AFF_OK);
    put_range(b, 2, 0, 10, 100);
    make_event(&m, 2, 11);
    m.record.type = AFF_BYTES;
    m.record.data = large;
    m.record.size = (uint32_t)size;
    assert_int_equal(put_made(b, &m), AFF_OK);
    all.stream = "beats";
    all.from = m.record.event_ns;
    assert_int_equal(query_open(&q, b->path, &all, b->cause, sizeof b->cause), AFF_OK);
    assert_int_equal(query_next(q, &f), AFF_OK);
    assert_int_equal(f.size, size);
    assert_memory_equal(f.data, large, size);
    assert_int_equal(query_next(q, &f), AFF_END);
    query_close(q);
    free(large);
}

/* Samples that no run takes: many channels, or seconds at once. */
static void wide_and_long_samples_are_packed_alone(void **state)
{
    static _Alignas(16) uint8_t data[124000];
    static const struct { uint32_t count; uint16_t channels; uint8_t format; } shapes[] = {
        { 5000, 12, AFF_I16 }, { 256, 100, AFF_I32 }, { 1000, 8, AFF_F32 }, { 1, 65, AFF_I16 }, { 0, 2, AFF_I16 },
    };
    struct archive_filter all = { NULL, NULL, INT64_MIN, INT64_MAX };
    struct bench *b = *state;
    struct aff_samples *s = (struct aff_samples *)(void *)data;
    size_t i, k;

    for (i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct archive_query *q;
        struct archive_found f;
        struct made m;

        make_event(&m, 1, 500 + i);
        memset(data, 0, sizeof data);
        *s = (struct aff_samples){ 77, shapes[i].count, shapes[i].channels, shapes[i].format, 0 };
        m.record.type = AFF_SAMPLES;
        m.record.data = data;
        m.record.size = (uint32_t)aff_samples_size(s->count, s->channels, s->format);
        assert_true(m.record.size <= sizeof data);
        for (k = 0; k < s->channels * (size_t)s->count; k++) {
            uint16_t c = (uint16_t)(k / s->count);

            if (s->format == AFF_I16)
                ((int16_t *)aff_plane(&m.record, c))[k % s->count] = (int16_t)(k * 5 % 100);
            else if (s->format == AFF_I32)
                ((int32_t *)aff_plane(&m.record, c))[k % s->count] = (int32_t)(k * 400001);
            else
                ((float *)aff_plane(&m.record, c))[k % s->count] = (float)k * -0.37f;
        }
        assert_int_equal(bench_open(b), AFF_OK);
        assert_int_equal(put_made(b, &m), AFF_OK);
        assert_int_equal(archive_commit(b->archive), AFF_OK);
        bench_close(b); /* LMDB: an environment is open once in a process */
        all.from = m.record.event_ns;
        assert_int_equal(query_open(&q, b->path, &all, b->cause, sizeof b->cause), AFF_OK);
        assert_int_equal(query_next(q, &f), AFF_OK);
        assert_int_equal(f.size, m.record.size);
        assert_memory_equal(f.data, data, f.size);
        query_close(q);
    }
}

static uint64_t count_found(struct bench *b, const struct archive_filter *filter)
{
    struct archive_query *q;
    struct archive_found f;
    uint64_t found = 0;

    assert_int_equal(query_open(&q, b->path, filter, b->cause, sizeof b->cause), AFF_OK);
    while (query_next(q, &f) == AFF_OK) {
        assert_true(f.key.time >= filter->from && f.key.time < filter->to);
        if (filter->subject)
            assert_string_equal(query_subject(q, &f), filter->subject);
        if (filter->stream)
            assert_string_equal(query_stream(q, &f), filter->stream);
        found++;
    }
    query_close(q);
    return found;
}

static void a_query_gives_the_wanted_subject_stream_and_times(void **state)
{
    struct bench *b = *state;
    int64_t t100 = 100 * INT64_C(100000000) - 5000000000, t200 = 2 * t100 + 5000000000;

    assert_int_equal(bench_open(b), AFF_OK);
    put_range(b, 12, 0, 300, 20);
    assert_int_equal(count_found(b, &(struct archive_filter){ NULL, NULL, t100, t200 }), 1200);
    assert_int_equal(count_found(b, &(struct archive_filter){ "S0003", NULL, t100, t200 }), 200);
    assert_int_equal(count_found(b, &(struct archive_filter){ "S0003", "ecg", t100, t200 }), 100);
    assert_int_equal(count_found(b, &(struct archive_filter){ NULL, "ecg", t100, t200 + 1 }), 606);
    assert_int_equal(count_found(b, &(struct archive_filter){ NULL, "beats", INT64_MIN, t100 }), 600);
    assert_int_equal(count_found(b, &(struct archive_filter){ "S0006", "beats", t200, INT64_MAX }), 100);
    assert_int_equal(count_found(b, &(struct archive_filter){ "S0009", NULL, INT64_MIN, INT64_MAX }), 0);
    assert_int_equal(count_found(b, &(struct archive_filter){ "S0001", "none", INT64_MIN, INT64_MAX }), 0);
    assert_int_equal(count_found(b, &(struct archive_filter){ NULL, NULL, t200, t100 }), 0);
}

static void folder_and_files_are_for_their_owner_only(void **state)
{
    static const char *const files[] = { "data.mdb", "lock.mdb", "writer.lock" };
    struct bench *b = *state;
    char file[PLACE_ROOM + 64];
    struct stat st;
    size_t i;

    assert_int_equal(bench_open(b), AFF_OK);
    assert_int_equal(stat(b->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    for (i = 0; i < 3; i++) {
        snprintf(file, sizeof file, "%s/%s", b->path, files[i]);
        assert_int_equal(stat(file, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
    snprintf(file, sizeof file, "%s.new", b->path);
    assert_int_not_equal(stat(file, &st), 0);
}

static void a_second_writer_is_refused_and_the_first_not_disturbed(void **state)
{
    struct bench *b = *state;
    struct archive *second = NULL;

    assert_int_equal(bench_open(b), AFF_OK);
    assert_int_equal(archive_open(&second, &b->options, &b->hooks, b->cause, sizeof b->cause), AFF_ERR_CONFIG);
    assert_non_null(strstr(b->cause, "one writer"));
    b->options.owner = "this/node";
    assert_int_equal(archive_open(&second, &b->options, &b->hooks, b->cause, sizeof b->cause), AFF_ERR_CONFIG);
    put_range(b, 2, 0, 50, 10);
    assert_int_equal(read_all(b, 1).of_stream, 50);
}

/* Writes another format mark into the archive. */
static void format_set(struct bench *b, uint32_t version)
{
    MDB_val key = { 6, (void *)(uintptr_t)"format" }, v;
    uint8_t raw[FORMAT_BYTES];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    format_write(raw);
    put_u32(raw + 24, version);
    v = (MDB_val){ sizeof raw, raw };
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
    assert_int_equal(mdb_env_open(env, b->path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", MDB_CREATE, &dbi), 0);
    assert_int_equal(mdb_put(txn, dbi, &key, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void other_formats_and_other_things_are_refused_in_one_line(void **state)
{
    struct bench *b = *state;
    char file[PLACE_ROOM + 64];
    FILE *f;

    assert_int_equal(bench_open(b), AFF_OK);
    bench_close(b);
    format_set(b, 2);
    assert_int_equal(bench_open(b), AFF_ERR_CONFIG);
    assert_non_null(strstr(b->cause, "format 2"));
    assert_non_null(strstr(b->cause, "newer Afferent"));
    assert_null(strchr(b->cause, '\n'));
    assert_int_equal(read_all(b, 1).end, AFF_ERR_CONFIG);
    format_set(b, 0);
    assert_int_equal(bench_open(b), AFF_ERR_CONFIG);
    assert_non_null(strstr(b->cause, "damaged"));

    snprintf(b->path, sizeof b->path, "%s/other", b->folder);
    assert_int_equal(mkdir(b->path, 0700), 0);
    snprintf(file, sizeof file, "%s/something", b->path);
    f = fopen(file, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(bench_open(b), AFF_ERR_CONFIG);
    assert_non_null(strstr(b->cause, "no archive"));

    snprintf(b->path, sizeof b->path, "%s/missing/a.lmdb", b->folder);
    assert_int_equal(bench_open(b), AFF_ERR_IO);
    assert_non_null(strstr(b->cause, "must exist"));
    assert_int_equal(read_all(b, 1).end, AFF_ERR_IO);
}

static void a_read_only_folder_is_said_to_be_so(void **state)
{
    struct bench *b = *state;
    int status;
    pid_t child;

    assert_int_equal(chmod(b->folder, 0555), 0);
    fflush(NULL);
    child = fork();
    if (!child) {
        if (!getuid() && setuid(65534))
            _exit(3);
        _exit(bench_open(b) == AFF_ERR_IO && strstr(b->cause, "writable") ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(chmod(b->folder, 0755), 0);
}

static void every_allocation_may_fail(void **state)
{
    struct bench *b = *state;
    int i;

    for (i = 1; i <= 3; i++) {
        b->allocations = 0;
        b->fail_at = i;
        assert_int_equal(bench_open(b), AFF_ERR_MEMORY);
        assert_non_null(strstr(b->cause, "memory"));
    }
    b->fail_at = 0;
    assert_int_equal(bench_open(b), AFF_OK);
}

static void a_record_of_an_unknown_stream_is_refused_alone(void **state)
{
    struct bench *b = *state;
    struct made m;

    assert_int_equal(bench_open(b), AFF_OK);
    put_range(b, 2, 0, 5, 100);
    make_event(&m, 100000, 3);
    assert_int_equal(put_made(b, &m), AFF_ERR_DATA);
    make_event(&m, 2, 6);
    m.record.schema = 4711;
    assert_int_equal(put_made(b, &m), AFF_ERR_DATA);
    put_range(b, 2, 5, 9, 100);
    assert_int_equal(read_all(b, 2).of_stream, 9);
}

#define BENCH_TEST(f) cmocka_unit_test_setup_teardown(f, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(what_was_put_comes_back_in_order_and_byte_for_byte),
        BENCH_TEST(a_replay_is_stored_once_however_epochs_and_overlaps_fall),
        BENCH_TEST(late_records_find_their_place_in_any_order),
        BENCH_TEST(a_random_life_is_kept_as_a_set),
        BENCH_TEST(the_same_id_with_other_content_is_kept_beside_and_each_once),
        BENCH_TEST(what_is_no_content_makes_no_other_record),
        BENCH_TEST(more_streams_than_lanes_are_whole),
        BENCH_TEST(a_change_of_shape_or_schema_begins_a_new_run),
        BENCH_TEST(a_large_record_goes_round_the_waiting_area),
        BENCH_TEST(wide_and_long_samples_are_packed_alone),
        BENCH_TEST(a_query_gives_the_wanted_subject_stream_and_times),
        BENCH_TEST(folder_and_files_are_for_their_owner_only),
        BENCH_TEST(a_second_writer_is_refused_and_the_first_not_disturbed),
        BENCH_TEST(other_formats_and_other_things_are_refused_in_one_line),
        BENCH_TEST(a_read_only_folder_is_said_to_be_so),
        BENCH_TEST(every_allocation_may_fail),
        BENCH_TEST(a_record_of_an_unknown_stream_is_refused_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
