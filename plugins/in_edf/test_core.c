/* SPDX-License-Identifier: Apache-2.0
 *
 * test_core.c - the reader without a host: shared recordings against their
 * published sums, and files made here with times that jump. */
#include "marks.h"
#include "recording/sha256.h"
#include "test_make.h"
#include "tracks.h"

struct bench {
    struct folder folder;
    struct edf_data *data;
    struct edf_tracks *tracks;
    struct edf_marks *marks;
    struct fault fault;
    int64_t base_ns;
    uint32_t events[EVENT_COUNT];
};

static void bench_tell(void *context, enum edf_event event)
{
    ((struct bench *)context)->events[event]++;
}

static void bench_make(struct bench *b)
{
    memset(b, 0, sizeof *b);
    b->data = calloc(1, sizeof *b->data);
    b->tracks = calloc(1, sizeof *b->tracks);
    b->marks = calloc(1, sizeof *b->marks);
    b->data->fd = -1;
    b->data->listener = (struct edf_listener){ b, bench_tell };
    b->folder.fd = -1;
}

/* Opens a file by its full path, with blocks of so many ns. */
static int bench_open(struct bench *b, const char *path, int64_t block_ns)
{
    struct edf_wanted wanted = { block_ns, NULL, 0 };

    if (data_open(b->data, AT_FDCWD, path, &b->fault) || tracks_begin(b->tracks, b->data, &wanted, b->base_ns, &b->fault))
        return -1;
    marks_begin(b->marks, b->data);
    return 0;
}

/* Writes what was made and opens it. */
static int bench_made(struct bench *b, struct made *m, int64_t block_ns)
{
    char path[1200];

    folder_make(&b->folder);
    folder_put(&b->folder, "patient.edf", m);
    (void)snprintf(path, sizeof path, "%s/patient.edf", b->folder.full);
    return bench_open(b, path, block_ns);
}

static void bench_free(struct bench *b)
{
    data_close(b->data);
    if (b->folder.fd >= 0)
        folder_remove(&b->folder);
    free(b->data);
    free(b->tracks);
    free(b->marks);
}

/* ---- shared recordings ---- */

struct expected {
    char label[32], sum[65];
    unsigned samples, total;
};

/* The next signal's row of an expected-*.tsv. */
static int expected_next(FILE *f, struct expected *e)
{
    char line[512], *column[10], *at;
    int n;

    while (fgets(line, sizeof line, f)) {
        if (line[0] < '0' || line[0] > '9')
            continue;
        at = line;
        for (n = 0; n < 10 && at; n++)
            column[n] = strsep(&at, "\t\n");
        assert_int_equal(n, 10);
        (void)snprintf(e->label, sizeof e->label, "%s", column[1]);
        (void)snprintf(e->sum, sizeof e->sum, "%s", column[9]);
        e->samples = (unsigned)atoi(column[7]);
        e->total = (unsigned)atoi(column[8]);
        return 1;
    }
    return 0;
}

/* All samples of a file by way of pieces; each signal's go into its sum. */
static void sums_make(struct bench *b, struct sha256 *sum)
{
    static char room[PIECE_BYTES + 512 * 8];
    const struct edf_header *h = &b->data->header;
    struct edf_piece p;
    int64_t next[TRACKS_MAX] = { 0 };
    uint32_t i;
    int got;

    while ((got = tracks_peek(b->tracks, &p, &b->fault)) == 1) {
        size_t bytes = p.count * 2u;

        assert_int_equal(p.first, next[p.track]);
        assert_int_equal(tracks_read(b->tracks, &p, room, bytes, &b->fault), 0);
        for (i = 0; i < h->signals; i++)
            if (h->signal[i].track == (int16_t)p.track)
                sha256_add(&sum[i], room + h->signal[i].index * bytes, bytes);
        next[p.track] += p.count;
        tracks_take(b->tracks, &p);
    }
    assert_int_equal(got, 0);
}

/* An annotation signal has samples too, as far as a sum is concerned. */
static void sum_annotations(struct bench *b, uint32_t signal, struct sha256 *sum)
{
    const struct edf_signal *s = &b->data->header.signal[signal];
    uint64_t k;

    for (k = 0; k < b->data->records; k++) {
        const uint8_t *bytes = data_bytes(b->data, data_record_at(b->data, k) + s->offset, s->samples * 2u, &b->fault);

        assert_non_null(bytes);
        sha256_add(sum, bytes, s->samples * 2u);
    }
}

static void expect_sums(const char *name, int64_t block_ns)
{
    static struct sha256 sum[16];
    char path[1024], file[256], hex[65];
    struct expected e;
    struct bench b;
    const char *found;
    uint32_t i;
    FILE *f;

    (void)snprintf(file, sizeof file, "wfdb-formats/%s", name);
    found = aff_test_data(file);
    if (found)
        (void)snprintf(path, sizeof path, "%s", found);
    else
        AFF_SKIP("no shared data");
    (void)snprintf(file, sizeof file, "wfdb-formats/expected-%s.tsv", name);
    f = fopen(aff_test_data(file), "r");
    assert_non_null(f);
    bench_make(&b);
    assert_int_equal(bench_open(&b, path, block_ns), 0);
    for (i = 0; i < 16; i++)
        sha256_begin(&sum[i]);
    sums_make(&b, sum);
    for (i = 0; expected_next(f, &e); i++) {
        assert_string_equal(b.data->header.signal[i].label, e.label);
        assert_int_equal(b.data->header.signal[i].samples, e.samples);
        assert_int_equal(b.data->records * e.samples, e.total);
        if (b.data->header.signal[i].is_annotation)
            sum_annotations(&b, i, &sum[i]);
        sha256_end(&sum[i], hex);
        assert_string_equal(hex, e.sum);
    }
    assert_int_equal(i, b.data->header.signals);
    (void)fclose(f);
    bench_free(&b);
}

TEST(shared_recordings_have_their_published_sums_in_blocks_of_any_length)
{
    expect_sums("test_generator_2.edf", 250000000);
    expect_sums("test_generator_2.edf", 1000000);
    expect_sums("test_generator_2.edf", INT64_C(7300000000));
    expect_sums("test_edfann.edf", 250000000);
}

static void expect_mark(struct bench *b, int64_t ns, const char *text)
{
    const struct edf_mark *m;
    const uint8_t *bytes, *at_text;
    struct tal t;
    size_t at = 0, size;
    uint32_t n;
    int got;

    while ((got = marks_peek(b->marks, &m, &b->fault)) == 2)
        continue;
    assert_int_equal(got, 1);
    assert_int_equal(m->ns, ns);
    bytes = marks_bytes(b->marks, m, &b->fault);
    assert_non_null(bytes);
    assert_int_equal(tal_read(&t, bytes, m->size), TAL_WHOLE);
    for (n = 0; n <= m->text; n++)
        assert_int_equal(tal_text(&t, &at, &at_text, &size), 1);
    assert_int_equal(size, strlen(text));
    assert_memory_equal(at_text, text, size);
    marks_take(b->marks);
}

static uint32_t marks_left(struct bench *b)
{
    const struct edf_mark *m;
    int64_t last = INT64_MIN;
    uint32_t n = 0;
    int got;

    while ((got = marks_peek(b->marks, &m, &b->fault)) > 0) {
        if (got == 2)
            continue;
        assert_true(m->ns >= last || n % MARKS_MAX == 0);
        last = m->ns;
        n++;
        marks_take(b->marks);
    }
    assert_int_equal(got, 0);
    return n;
}

TEST(shared_recordings_have_their_annotations)
{
    struct bench b;

    if (!aff_test_data("wfdb-formats/test_edfann.edf"))
        AFF_SKIP("no shared data");
    bench_make(&b);
    assert_int_equal(bench_open(&b, aff_test_data("wfdb-formats/test_edfann.edf"), 1000000000), 0);
    expect_mark(&b, 0, "Sleep stage W");
    expect_mark(&b, INT64_C(30000000000), "Sleep stage W");
    expect_mark(&b, INT64_C(33430000000), "Lights off@@EEG F4-A1");
    expect_mark(&b, INT64_C(60000000000), "Sleep stage W");
    assert_int_equal(marks_left(&b), 852);
    data_close(b.data);
    assert_int_equal(bench_open(&b, aff_test_data("wfdb-formats/test_generator_2.edf"), 1000000000), 0);
    expect_mark(&b, 0, "RECORD START");
    expect_mark(&b, INT64_C(600000000000), "REC STOP");
    assert_int_equal(marks_left(&b), 0);
    assert_int_equal(b.events[EVENT_TIMELESS] + b.events[EVENT_JUMP], 0);
    bench_free(&b);
}

/* ---- EDF+D ---- */

static const struct made_signal cut_signals[2] = { { .samples = "4" }, { "EDF Annotations", "", "-1", "1", NULL, NULL, "10" } };

/* Data records of four samples in a second, with these times. */
static void cut_make(struct made *m, const char *variant, const char *const *times)
{
    struct made_head h = { .variant = variant };
    int first = 0;

    made_header(m, &h, cut_signals, 2);
    for (; *times; times++, first += 4) {
        made_ramp(m, first, 4);
        made_tals(m, *times, 20);
    }
}

static void expect_piece(struct bench *b, int64_t first, uint32_t count, int64_t ns, int gap)
{
    struct edf_piece p;

    assert_int_equal(tracks_peek(b->tracks, &p, &b->fault), 1);
    assert_int_equal(p.first, first);
    assert_int_equal(p.count, count);
    assert_int_equal(p.event_ns, ns);
    assert_int_equal(p.gap, gap);
    tracks_take(b->tracks, &p);
}

#define S INT64_C(1000000000)

TEST(gaps_are_where_the_times_of_data_records_say)
{
    static const char *const times[] = { "+0.5||/", "+1.5||/", "+10.5||/", "+11.62||/", "+12.5||/", "+20.7||/", NULL };
    struct made m = { NULL, 0, 0 };
    struct edf_piece p;
    struct bench b;

    bench_make(&b);
    cut_make(&m, "EDF+D", times);
    assert_int_equal(bench_made(&b, &m, 10 * S), 0);
    expect_piece(&b, 0, 8, S / 2, 0);             /* the first two follow each other */
    expect_piece(&b, 40, 12, 10 * S + S / 2, 1);  /* 0.12 s late is less than half a sample */
    expect_piece(&b, 81, 4, 20 * S + 700000000, 1); /* 20.2 s after the first: sample 80.8 */
    assert_int_equal(tracks_peek(b.tracks, &p, &b.fault), 0);
    assert_int_equal(b.events[EVENT_BACK] + b.events[EVENT_TIMELESS], 0);
    bench_free(&b);
}

TEST(time_never_goes_back)
{
    static const char *const times[] = { "+5||/", "+3||/", "+x||/", "+8||/", "+30||/", "+9||/", NULL };
    struct made m = { NULL, 0, 0 };
    struct edf_piece p;
    struct bench b;

    bench_make(&b);
    cut_make(&m, "EDF+D", times);
    assert_int_equal(bench_made(&b, &m, 10 * S), 0);
    expect_piece(&b, 0, 4, 5 * S, 0);
    assert_int_equal(tracks_peek(b.tracks, &p, &b.fault), 1);
    assert_int_equal(p.suspect, 1);
    expect_piece(&b, 4, 8, 6 * S, 0);
    expect_piece(&b, 12, 4, 8 * S, 0); /* the fourth is where it should be again */
    expect_piece(&b, 100, 4, 30 * S, 1);
    expect_piece(&b, 104, 4, 31 * S, 0);
    assert_int_equal(b.events[EVENT_BACK], 2);
    assert_int_equal(b.events[EVENT_TIMELESS], 1);
    bench_free(&b);
}

TEST(a_continuous_file_goes_on_whatever_its_times_say_and_says_so)
{
    static const char *const times[] = { "+0.25||/", "+1.25||/", "+7||/", "nothing", NULL };
    struct made m = { NULL, 0, 0 };
    struct bench b;

    bench_make(&b);
    cut_make(&m, "EDF+C", times);
    assert_int_equal(bench_made(&b, &m, 10 * S), 0);
    expect_piece(&b, 0, 16, S / 4, 0);
    assert_int_equal(marks_left(&b), 1); /* the last list */
    assert_int_equal(b.events[EVENT_JUMP], 1);
    assert_int_equal(b.events[EVENT_TIMELESS], 1);
    bench_free(&b);
}

TEST(times_far_away_are_an_error_and_no_overflow)
{
    static const char *const times[] = { "+0||/", "+4500000000||/", NULL };
    static const char *const late[] = { "+0||/", "-4500000000||/", "+4499999999||/", "+4500000001||/", NULL };
    struct made m = { NULL, 0, 0 };
    struct edf_piece p;
    struct bench b;

    bench_make(&b);
    cut_make(&m, "EDF+D", times);
    b.base_ns = INT64_MAX - INT64_C(4400000000) * S;
    assert_int_equal(bench_made(&b, &m, S), 0);
    expect_piece(&b, 0, 4, b.base_ns, 0);
    assert_int_equal(tracks_peek(b.tracks, &p, &b.fault), -1);
    assert_non_null(strstr(b.fault.what, "beyond what a time can be"));
    bench_free(&b);
    bench_make(&b);
    cut_make(&m, "EDF+D", late);
    assert_int_equal(bench_made(&b, &m, S), 0);
    expect_piece(&b, 0, 4, 0, 0);
    expect_piece(&b, 4, 4, S, 0);
    expect_piece(&b, INT64_C(4499999999) * 4, 4, INT64_C(4499999999) * S, 1);
    expect_piece(&b, INT64_C(4500000001) * 4, 4, INT64_C(4500000001) * S, 1);
    bench_free(&b);
}

/* ---- annotations ---- */

TEST(annotations_come_in_order_of_time_wherever_they_stand)
{
    static const char *const lists[] = { "+0||/+2|two|/", "+1||/-1|before|/", "+2||five|/+2|b|/", "+3||/+0~1|zero|/", NULL };
    struct made m = { NULL, 0, 0 };
    struct bench b;

    bench_make(&b);
    cut_make(&m, "EDF+C", lists);
    assert_int_equal(bench_made(&b, &m, S), 0);
    expect_mark(&b, -S, "before");
    expect_mark(&b, 0, "zero");
    expect_mark(&b, 2 * S, "two");
    expect_mark(&b, 2 * S, "five");
    expect_mark(&b, 2 * S, "b");
    assert_int_equal(marks_left(&b), 0);
    assert_int_equal(b.events[EVENT_JUMP] + b.events[EVENT_TIMELESS], 0);
    bench_free(&b);
}

/* More than are kept at a time, of which many are in one list. */
TEST(any_number_of_annotations_goes_through_the_same_room)
{
    static const struct made_signal s[1] = { { "EDF Annotations", "", "-1", "1", NULL, NULL, "8000" } };
    struct made_head h = { .variant = "EDF+C", .seconds = "0" };
    struct made m = { NULL, 0, 0 };
    char text[16001];
    struct bench b;
    int i;

    for (i = 0; i + 8 < 16000; i += 2)
        memcpy(text + i, "x|", 3);
    memcpy(text, "+0||", 4);
    memcpy(text + i, "/", 2);
    made_header(&m, &h, s, 1);
    made_tals(&m, text, 16000);
    made_tals(&m, text, 16000);
    made_tals(&m, "+0||/+7|last|/", 16000);
    bench_make(&b);
    assert_int_equal(bench_made(&b, &m, S), 0);
    assert_int_equal(marks_left(&b), 2 * (7996 - 2) + 1);
    bench_free(&b);
}

/* The texts, by their faults, of a file with this one annotation signal. */
static void expect_faults(const char *bytes, size_t room, const char *want)
{
    struct made_signal s[1] = { { "EDF Annotations", "", "-1", "1", NULL, NULL, NULL } };
    struct made_head h = { .variant = "EDF+C", .seconds = "0" };
    const struct edf_mark *m;
    struct made made = { NULL, 0, 0 };
    char got[64] = "", samples[24];
    struct bench b;
    size_t n = 0;
    int st;

    (void)snprintf(samples, sizeof samples, "%zu", room / 2);
    s[0].samples = samples;
    made_header(&made, &h, s, 1);
    made_tals(&made, bytes, room);
    bench_make(&b);
    assert_int_equal(bench_made(&b, &made, S), 0);
    while ((st = marks_peek(b.marks, &m, &b.fault)) > 0) {
        if (st == 2)
            continue;
        assert_true(n < sizeof got - 1);
        got[n++] = "wmclt"[m->fault];
        assert_non_null(marks_bytes(b.marks, m, &b.fault));
        marks_take(b.marks);
    }
    got[n] = 0;
    assert_string_equal(got, want);
    bench_free(&b);
}

TEST(bad_lists_are_set_aside_and_the_next_one_is_read)
{
    static char longer[70001];

    expect_faults("+0||/+1|a|/junk/+2|b|/", 60, "mww");      /* a fault has its data record's time */
    expect_faults("+0||////////+1|a|/+2|b", 22, "cw");
    expect_faults("+0||/+1|a|/+2|b|", 16, "ww"); /* only its zero is missing */
    expect_faults("+0||/+1|a|/+2|b||", 18, "ww");
    expect_faults("+0||/+99999999999|a|/+2|b|/", 60, "tw");
    expect_faults("x/y/z/+1|a|/", 12, "mmmw");
    memset(longer, 'x', sizeof longer - 1);
    memcpy(longer, "+0||/+1|", 8);
    memcpy(longer + 40000, "|/+2|b|/", 8);
    memcpy(longer + 50000, "/+3|c|/", 7);
    expect_faults(longer, 70000, "lmlww");
}

AFF_TEST_MAIN(shared_recordings_have_their_published_sums_in_blocks_of_any_length,
              shared_recordings_have_their_annotations, gaps_are_where_the_times_of_data_records_say, time_never_goes_back,
              a_continuous_file_goes_on_whatever_its_times_say_and_says_so, times_far_away_are_an_error_and_no_overflow,
              annotations_come_in_order_of_time_wherever_they_stand, any_number_of_annotations_goes_through_the_same_room,
              bad_lists_are_set_aside_and_the_next_one_is_read)
