/* SPDX-License-Identifier: Apache-2.0
 *
 * test_core.c - the readers of WFDB files against real records.
 *
 * Expected values come from the data's own: checksums and initial values in the
 * headers, sums of the decoded samples in expected.tsv, texts of the reference
 * programs in target-output. Hostile input is in test_hostile.c. */
#include "annot.h"
#include "record.h"
#include "recording/sha256.h"

#include <afferent/testkit.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct seen {
    uint32_t events[EVENT_COUNT];
};

static void seen_tell(void *context, enum wfdb_event event, uint32_t number)
{
    (void)number;
    ((struct seen *)context)->events[event]++;
}

static int folder_of(const char *topic)
{
    const char *path = aff_test_data(topic);

    return path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

static struct wfdb_record *record_new(int folder, const char *header, struct seen *seen)
{
    struct wfdb_options options = { 250000000, NULL, 0 };
    struct wfdb_record *r = calloc(1, sizeof *r);
    struct fault f;

    memset(seen, 0, sizeof *seen);
    assert_non_null(r);
    r->listener.context = seen;
    r->listener.tell = seen_tell;
    if (record_open(r, folder, header, &options, &f))
        fail_msg("%s: line %u: %s", header, f.line, f.what);
    return r;
}

/* Two-channel records of one rate: both channels' sums. */
static int64_t sums_of(struct wfdb_record *r, struct sha256 sum[2])
{
    struct wfdb_piece p;
    struct fault f;
    int64_t samples = 0;
    int got;

    sha256_begin(&sum[0]);
    sha256_begin(&sum[1]);
    while ((got = record_peek(r, &p, &f)) > 0) {
        uint32_t c, i;

        if (got == 2)
            continue;
        assert_int_equal(p.first, samples);
        for (c = 0; c < 2; c++)
            for (i = 0; i < p.count; i++) {
                uint8_t le[2] = { (uint8_t)p.at[c * p.stride + i], (uint8_t)((uint32_t)p.at[c * p.stride + i] >> 8) };

                sha256_add(&sum[c], le, 2);
            }
        samples += p.count;
        record_take(r, &p);
    }
    assert_int_equal(got, 0);
    return samples;
}

struct expected {
    char name[16], lead[2][16], sum[2][80], beats_sum[80];
    long samples, beats, annotations, first, last;
};

static int expected_read(FILE *in, struct expected *e)
{
    char line[1024];

    return in && fgets(line, sizeof line, in) &&
           sscanf(line, "%15s %15s %15s %ld %ld %ld %*d %*d %*d %*d %*d %ld %ld %*d %*d %79s %79s %79s", e->name,
                  e->lead[0], e->lead[1], &e->samples, &e->beats, &e->annotations, &e->first, &e->last, e->sum[0],
                  e->sum[1], e->beats_sum) == 11;
}

static FILE *expected_open(void)
{
    const char *path = aff_test_data("mitdb/expected.tsv");
    FILE *in = path ? fopen(path, "re") : NULL;
    char line[1024];

    if (in)
        assert_non_null(fgets(line, sizeof line, in));
    return in;
}

TEST(every_sample_of_mitdb_is_as_published)
{
    int folder = folder_of("mitdb"), records = 0;
    FILE *in = expected_open();
    struct expected e;

    if (!in)
        AFF_SKIP("no mitdb");
    while (expected_read(in, &e)) {
        char header[32], hex[65];
        struct sha256 sum[2];
        struct seen seen;
        struct wfdb_record *r;
        int c;

        (void)snprintf(header, sizeof header, "%s.hea", e.name);
        r = record_new(folder, header, &seen);
        assert_int_equal(sums_of(r, sum), e.samples);
        for (c = 0; c < 2; c++) {
            sha256_end(&sum[c], hex);
            assert_string_equal(hex, e.sum[c]);
            assert_string_equal(header_text(&r->layout, r->channel[c].name), e.lead[c]);
        }
        assert_int_equal(seen.events[EVENT_CHECKSUM] + seen.events[EVENT_INITIAL] + seen.events[EVENT_SHORT], 0);
        record_close(r);
        free(r);
        records++;
    }
    assert_int_equal(records, 24);
    (void)fclose(in);
    (void)close(folder);
}

static int annots_open(struct wfdb_annots *a, int folder, const char *name, uint8_t *room, size_t size)
{
    struct rate rate = { 360, 1 };
    struct wfdb_bytes bytes;
    uint64_t length;
    int fd = file_open(folder, "", name, &length);

    assert_true(fd >= 0);
    bytes_from_file(&bytes, fd, 0, room, size);
    annots_begin(a, &bytes, &rate);
    return fd;
}

TEST(every_beat_of_mitdb_is_as_published)
{
    int folder = folder_of("mitdb"), records = 0;
    FILE *in = expected_open();
    struct expected e;

    if (!in)
        AFF_SKIP("no mitdb");
    while (expected_read(in, &e)) {
        char name[32], hex[65], line[64];
        uint8_t room[300];
        struct wfdb_annots a;
        struct wfdb_annotation n;
        struct fault f;
        struct sha256 sum;
        long beats = 0, all = 0, first = -1, last = -1;
        int got, fd;

        (void)snprintf(name, sizeof name, "%s.atr", e.name);
        fd = annots_open(&a, folder, name, room, sizeof room);
        sha256_begin(&sum);
        while ((got = annots_next(&a, &n, &f)) == 1) {
            const char *label = annots_label(&a, n.code);

            all++;
            if (strlen(label) != 1 || !strchr("NLRBAaJSVrFejnE/fQ?", label[0]))
                continue;
            beats++;
            first = first < 0 ? (long)n.at : first;
            last = (long)n.at;
            sha256_add(&sum, line, (size_t)snprintf(line, sizeof line, "%ld %s\n", (long)n.at, label));
        }
        assert_int_equal(got, 0);
        sha256_end(&sum, hex);
        assert_int_equal(beats, e.beats);
        assert_int_equal(all, e.annotations);
        assert_int_equal(first, e.first);
        assert_int_equal(last, e.last);
        assert_string_equal(hex, e.beats_sum);
        (void)close(fd);
        records++;
    }
    assert_int_equal(records, 24);
    (void)fclose(in);
    (void)close(folder);
}

/* Reads all of a record; how many samples of each track, and of the first channel
 * how many are missing. */
struct totals {
    int64_t samples[WFDB_TRACKS_MAX];
    int64_t missing[WFDB_TRACKS_MAX];
    uint32_t gaps;
};

static struct totals read_all(struct wfdb_record *r)
{
    struct wfdb_piece p;
    struct fault f;
    struct totals t;
    int got;

    memset(&t, 0, sizeof t);
    while ((got = record_peek(r, &p, &f)) > 0) {
        uint32_t i;

        if (got == 2)
            continue;
        for (i = 0; i < p.count; i++)
            t.missing[p.track] += p.at[i] == WFDB_MISSING;
        t.samples[p.track] += p.count;
        t.gaps += (uint32_t)p.gap;
        record_take(r, &p);
    }
    if (got < 0)
        fail_msg("%s", f.what);
    return t;
}

/* The oracle of these records is in their headers: checksum and first sample. */
TEST(each_format_agrees_with_its_headers_checksums)
{
    static const struct {
        const char *header;
        int64_t samples;
    } records[] = { { "binformats.hea", 499 }, { "100_3chan.hea", 999 }, { "310derive.hea", 1026 },
                    { "311derive.hea", 1026 }, { "s0010_re.hea", 38400 }, { "v102s.hea", 75000 } };
    int folder = folder_of("wfdb-formats");
    size_t i;

    if (folder < 0)
        AFF_SKIP("no wfdb-formats");
    for (i = 0; i < sizeof records / sizeof records[0]; i++) {
        struct seen seen;
        struct wfdb_record *r = record_new(folder, records[i].header, &seen);
        struct totals t = read_all(r);

        assert_int_equal(t.samples[0], records[i].samples);
        assert_int_equal(seen.events[EVENT_CHECKSUM], 0);
        assert_int_equal(seen.events[EVENT_INITIAL], 0);
        assert_int_equal(seen.events[EVENT_SHORT], 0);
        record_close(r);
        free(r);
    }
    (void)close(folder);
}

TEST(two_rates_are_two_tracks_and_skew_loses_only_the_end)
{
    int folder = folder_of("wfdb-formats");
    struct seen seen;
    struct wfdb_record *r;
    struct totals t;

    if (folder < 0)
        AFF_SKIP("no wfdb-formats");
    r = record_new(folder, "03700181.hea", &seen);
    assert_int_equal(r->track_count, 2);
    assert_int_equal(r->track[0].per_frame, 4);
    assert_int_equal(r->track[1].channels, 2);
    t = read_all(r);
    assert_int_equal(t.samples[0], 300000);
    assert_int_equal(t.samples[1], 75000);
    assert_int_equal(seen.events[EVENT_CHECKSUM], 0);
    assert_int_equal(r->master.has_date, 1);
    assert_int_equal(r->master.date, 8992); /* 1994-08-15 */
    assert_int_equal(r->master.day_ns, INT64_C(62865000000000));
    record_close(r);
    free(r);
    (void)close(folder);
}

TEST(a_fixed_record_runs_on_over_its_segments)
{
    int folder = folder_of("wfdb-formats/multi-segment/fixed1");
    struct seen seen;
    struct wfdb_record *r;
    struct totals t;

    if (folder < 0)
        AFF_SKIP("no wfdb-formats");
    r = record_new(folder, "v102s.hea", &seen);
    t = read_all(r);
    assert_int_equal(t.samples[0], 225000);
    assert_int_equal(t.gaps, 0);
    assert_int_equal(seen.events[EVENT_CHECKSUM], 0);
    assert_int_equal(r->track[0].version, 0);
    record_close(r);
    free(r);
    (void)close(folder);
}

TEST(a_variable_record_has_gaps_where_segments_are_missing)
{
    int folder = folder_of("wfdb-formats/multi-segment/p000878");
    struct seen seen;
    struct wfdb_record *r;
    struct wfdb_piece p;
    struct fault f;
    int64_t first = -1, last = 0;
    int got;

    if (folder < 0)
        AFF_SKIP("no wfdb-formats");
    r = record_new(folder, "p000878-2137-10-26-16-57.hea", &seen);
    while ((got = record_peek(r, &p, &f)) > 0) {
        if (got == 2)
            continue;
        if (first < 0) {
            first = p.first;
            assert_true(p.gap);
        }
        last = p.first + p.count;
        record_take(r, &p);
    }
    assert_int_equal(got, 0);
    assert_true(first >= 3750 && first < 5750);
    assert_int_equal(last, 3750 + 2000 + 1750);
    assert_int_equal(r->frames, 52725000);
    assert_int_equal(r->track[0].next, 52725000);
    assert_int_equal(seen.events[EVENT_SEGMENT], 30);
    assert_int_equal(seen.events[EVENT_CHECKSUM], 0);
    record_close(r);
    free(r);
    (void)close(folder);
}

/* record-2c is the text that rdsamp -p writes for 100_3chan. */
TEST(physical_values_are_those_of_the_reference_program)
{
    int folder = folder_of("wfdb-formats"), got;
    const char *path = aff_test_data("wfdb-formats/target-output/record-2c");
    FILE *in = path ? fopen(path, "re") : NULL;
    struct seen seen;
    struct wfdb_record *r;
    struct wfdb_piece p;
    struct fault f;
    int rows = 0;

    if (!in)
        AFF_SKIP("no wfdb-formats");
    r = record_new(folder, "100_3chan.hea", &seen);
    while ((got = record_peek(r, &p, &f)) == 1) {
        uint32_t i, c;

        for (i = 0; i < p.count; i++, rows++)
            for (c = 0; c < 3; c++) {
                char text[32], want[32];

                (void)snprintf(text, sizeof text, "%.8f",
                               (p.at[c * p.stride + i] - r->channel[c].baseline) / r->channel[c].gain);
                assert_int_equal(fscanf(in, "%31s", want), 1);
                assert_string_equal(text, want);
            }
        record_take(r, &p);
    }
    assert_int_equal(got, 0);
    assert_int_equal(rows, 999);
    (void)fclose(in);
    record_close(r);
    free(r);
    (void)close(folder);
}

TEST(annotations_of_a_finer_clock_say_so)
{
    static const struct {
        const char *name;
        uint64_t rate;
    } files[] = { { "03700181.gqrsh", 500 }, { "03700181.gqrsl", 125 }, { "03700181.sqrs", 250 } };
    int folder = folder_of("wfdb-formats");
    size_t i;

    if (folder < 0)
        AFF_SKIP("no wfdb-formats");
    for (i = 0; i < 3; i++) {
        struct rate unused = { 125, 1 };
        uint8_t room[300];
        struct wfdb_annots a;
        struct wfdb_annotation n;
        struct fault f;
        int fd = annots_open(&a, folder, files[i].name, room, sizeof room), got, count = 0;

        a.rate = unused;
        while ((got = annots_next(&a, &n, &f)) == 1)
            count++;
        assert_int_equal(got, 0);
        assert_int_equal(a.rate.num, files[i].rate);
        assert_int_equal(a.rate.den, 1);
        assert_true(count > 500);
        assert_true(a.latest / (int64_t)files[i].rate < 600);
        (void)close(fd);
    }
    (void)close(folder);
}

AFF_TEST_MAIN(every_sample_of_mitdb_is_as_published, every_beat_of_mitdb_is_as_published,
              each_format_agrees_with_its_headers_checksums, two_rates_are_two_tracks_and_skew_loses_only_the_end,
              a_fixed_record_runs_on_over_its_segments, a_variable_record_has_gaps_where_segments_are_missing,
              physical_values_are_those_of_the_reference_program, annotations_of_a_finer_clock_say_so)
