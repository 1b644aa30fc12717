/* SPDX-License-Identifier: Apache-2.0
 *
 * test_compare.c - the comparator against cases with known answers, and against
 * a second matcher that sees everything at once.
 *
 * Here is no host; the plugin around it is in test_out_ec57.c. */
#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare.h"
#include "report.h"

enum { AHEAD = 64, EVENTS = 400 };
#define MS 1000000ll

struct event {
    int64_t ms;
    enum compare_kind kind;
};

struct trial {
    struct event found[EVENTS], reference[EVENTS];
    size_t found_count, reference_count;
    struct compare_total total;
};

static struct compare *fresh(uint32_t ahead, int64_t learning_ms)
{
    struct compare *c = calloc(1, compare_size(ahead));

    assert_non_null(c);
    assert_false(compare_is_open(c));
    compare_open(c, ahead, 150 * MS, learning_ms * MS);
    assert_true(compare_is_open(c));
    return c;
}

static uint32_t dice(uint32_t *seed, uint32_t sides)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)*seed * sides) >> 32);
}

/* Hands the events over; `lead` says which side comes first when both have one:
 * 0 in order of time, 1 found as far ahead as it may, 2 reference, 3 at random. */
static void trial_run(struct trial *t, int lead, int64_t learning_ms, uint32_t seed)
{
    struct compare *c = fresh(EVENTS, learning_ms);
    size_t f = 0, r = 0;

    compare_start(c, 0);
    while (f < t->found_count || r < t->reference_count) {
        int take_found = lead == 1 || (lead == 3 && dice(&seed, 2));

        if (lead == 0 && f < t->found_count)
            take_found = r == t->reference_count || t->found[f].ms <= t->reference[r].ms;
        if (f == t->found_count || (!take_found && r < t->reference_count)) {
            assert_int_equal(compare_push(c, COMPARE_REFERENCE, t->reference[r].kind, t->reference[r].ms * MS), 0);
            r++;
        } else {
            assert_int_equal(compare_push(c, COMPARE_FOUND, t->found[f].kind, t->found[f].ms * MS), 0);
            f++;
        }
    }
    compare_end(c, lead % 2 ? COMPARE_FOUND : COMPARE_REFERENCE);
    assert_false(compare_is_done(c));
    compare_end(c, lead % 2 ? COMPARE_REFERENCE : COMPARE_FOUND);
    assert_true(compare_is_done(c));
    t->total = *compare_total_of(c);
    free(c);
}

static void add(struct trial *t, enum compare_side side, int64_t ms, enum compare_kind kind)
{
    struct event e = { ms, kind };

    if (side == COMPARE_FOUND)
        t->found[t->found_count++] = e;
    else
        t->reference[t->reference_count++] = e;
}

static void beats(struct trial *t, enum compare_side side, const int *ms, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        add(t, side, ms[i], COMPARE_BEAT);
}

static void expect_score(const struct compare_score *s, unsigned matched, unsigned missed, unsigned extra)
{
    assert_int_equal(s->matched, matched);
    assert_int_equal(s->missed, missed);
    assert_int_equal(s->extra, extra);
}

#define BEATS(t, side, ...)                                                     \
    beats((t), (side), (const int[]){ __VA_ARGS__ }, sizeof((const int[]){ __VA_ARGS__ }) / sizeof(int))
#define EXPECT_WHOLE(t, tp, fn, fp)                                             \
    for (int lead_ = 0; lead_ < 4; lead_++) {                                   \
        trial_run((t), lead_, 0, 1);                                            \
        expect_score(&(t)->total.whole, (tp), (fn), (fp));                      \
    }

TEST(a_match_lies_within_the_window_and_its_edge_counts)
{
    struct trial t = { .found_count = 0 };

    BEATS(&t, COMPARE_REFERENCE, 1000, 2000, 3000, 4000);
    BEATS(&t, COMPARE_FOUND, 1150, 1850, 3151, 3849);
    EXPECT_WHOLE(&t, 2, 2, 2);
}

TEST(the_nearest_pair_wins_and_each_beat_is_used_once)
{
    struct trial two_found = { .found_count = 0 }, two_true = { .found_count = 0 }, chain = { .found_count = 0 };

    BEATS(&two_found, COMPARE_REFERENCE, 1000);
    BEATS(&two_found, COMPARE_FOUND, 900, 1010);
    EXPECT_WHOLE(&two_found, 1, 0, 1);
    assert_true(two_found.total.error_sum > 9.99 && two_found.total.error_sum < 10.01);

    BEATS(&two_true, COMPARE_REFERENCE, 1000, 1120);
    BEATS(&two_true, COMPARE_FOUND, 1110);
    EXPECT_WHOLE(&two_true, 1, 1, 0);
    assert_true(two_true.total.error_sum < -9.99);

    BEATS(&chain, COMPARE_REFERENCE, 1000, 1250, 1500);
    BEATS(&chain, COMPARE_FOUND, 1120, 1370, 1620);
    EXPECT_WHOLE(&chain, 3, 0, 0);
}

TEST(an_empty_side_leaves_the_other_alone)
{
    struct trial none = { .found_count = 0 }, found = { .found_count = 0 }, reference = { .found_count = 0 };

    EXPECT_WHOLE(&none, 0, 0, 0);
    BEATS(&found, COMPARE_FOUND, 1, 2, 3);
    EXPECT_WHOLE(&found, 0, 0, 3);
    BEATS(&reference, COMPARE_REFERENCE, 1, 2, 3);
    EXPECT_WHOLE(&reference, 0, 3, 0);
    assert_true(compare_se(&none.total.whole) < 0.0);
    assert_true(compare_ppv(&reference.total.whole) < 0.0);
}

/* Both ends belong to the flutter; a mark that never closes lasts to the end. */
TEST(flutter_is_ignored_on_both_sides)
{
    struct trial t = { .found_count = 0 };

    BEATS(&t, COMPARE_REFERENCE, 1000, 2000);
    add(&t, COMPARE_REFERENCE, 2000, COMPARE_FLUTTER_ON);
    BEATS(&t, COMPARE_REFERENCE, 2500);
    add(&t, COMPARE_REFERENCE, 3000, COMPARE_FLUTTER_OFF);
    BEATS(&t, COMPARE_REFERENCE, 3200);
    add(&t, COMPARE_REFERENCE, 5000, COMPARE_FLUTTER_ON);
    BEATS(&t, COMPARE_REFERENCE, 6000);
    BEATS(&t, COMPARE_FOUND, 1010, 1999, 2000, 2300, 2700, 3000, 3001, 3210, 4999, 5000, 6000, 9000);
    EXPECT_WHOLE(&t, 2, 0, 3);
    assert_int_equal(t.total.ignored, 3 + 7);
}

/* A pair counts where its reference beat lies, an extra beat where it lies. */
TEST(the_learning_period_is_not_scored)
{
    struct trial t = { .found_count = 0 };

    BEATS(&t, COMPARE_REFERENCE, 1000, 299999, 300000, 301000);
    BEATS(&t, COMPARE_FOUND, 1000, 299900, 300100, 302000);
    trial_run(&t, 0, 300000, 1);
    expect_score(&t.total.scored, 1, 1, 1);
    expect_score(&t.total.whole, 3, 1, 1);
    BEATS(&t, COMPARE_FOUND, 310000);
    trial_run(&t, 2, 310001, 1);
    expect_score(&t.total.scored, 0, 0, 0);
}

TEST(a_side_too_far_ahead_or_out_of_order_is_told_apart)
{
    struct compare *c = fresh(AHEAD, 0);
    int i;

    compare_start(c, 0);
    for (i = 0; i < AHEAD; i++)
        assert_int_equal(compare_push(c, COMPARE_FOUND, COMPARE_BEAT, i * 400 * MS), COMPARE_OK);
    assert_int_equal(compare_push(c, COMPARE_FOUND, COMPARE_BEAT, i * 400 * MS), COMPARE_FULL);
    assert_int_equal(compare_push(c, COMPARE_FOUND, COMPARE_BEAT, 100 * MS), COMPARE_LATE);
    assert_int_equal(compare_push(c, COMPARE_REFERENCE, COMPARE_OTHER, 3000 * MS), COMPARE_OK);
    assert_int_equal(compare_push(c, COMPARE_REFERENCE, COMPARE_OTHER, INT64_MAX), COMPARE_LATE);
    assert_int_equal(compare_push(c, COMPARE_REFERENCE, COMPARE_OTHER, INT64_MIN), COMPARE_LATE);
    compare_end(c, COMPARE_REFERENCE);
    assert_int_equal(compare_push(c, COMPARE_REFERENCE, COMPARE_BEAT, 9000 * MS), COMPARE_LATE);
    assert_int_equal(compare_push(c, COMPARE_FOUND, COMPARE_BEAT, i * 400 * MS), COMPARE_OK);
    compare_end(c, COMPARE_FOUND);
    expect_score(&compare_total_of(c)->whole, 0, 0, AHEAD + 1);
    free(c);
}

TEST(nothing_is_decided_before_the_beginning_is_known)
{
    struct compare *c = fresh(AHEAD, 1000);
    int i;

    for (i = 1; i <= 3; i++) {
        assert_int_equal(compare_push(c, COMPARE_FOUND, COMPARE_BEAT, (5000 + i * 800) * MS), COMPARE_OK);
        assert_int_equal(compare_push(c, COMPARE_REFERENCE, COMPARE_BEAT, (5000 + i * 800) * MS), COMPARE_OK);
    }
    expect_score(&compare_total_of(c)->whole, 0, 0, 0);
    compare_start(c, 5000 * MS);
    compare_end(c, COMPARE_FOUND);
    compare_end(c, COMPARE_REFERENCE);
    expect_score(&compare_total_of(c)->whole, 3, 0, 0);
    expect_score(&compare_total_of(c)->scored, 2, 0, 0);
    free(c);
}

/* A million events in the memory of a few. */
TEST(memory_does_not_grow_with_the_record)
{
    struct compare *c = fresh(16, 0);
    int64_t i;

    compare_start(c, 0);
    for (i = 1; i <= 1000000; i++) {
        assert_int_equal(compare_push(c, COMPARE_REFERENCE, COMPARE_BEAT, i * 800 * MS), COMPARE_OK);
        if (i % 1000 == 0) {
            assert_int_equal(compare_push(c, COMPARE_REFERENCE, COMPARE_FLUTTER_ON, (i * 800 + 300) * MS), 0);
            assert_int_equal(compare_push(c, COMPARE_REFERENCE, COMPARE_FLUTTER_OFF, (i * 800 + 400) * MS), 0);
        }
        if (i % 10)
            assert_int_equal(compare_push(c, COMPARE_FOUND, COMPARE_BEAT, (i * 800 + 20) * MS), COMPARE_OK);
    }
    compare_end(c, COMPARE_REFERENCE);
    compare_end(c, COMPARE_FOUND);
    expect_score(&compare_total_of(c)->whole, 900000, 100000, 0);
    free(c);
}

static int in_flutter(const struct trial *t, int64_t ms)
{
    int inside = 0;
    size_t i;

    for (i = 0; i < t->reference_count; i++) {
        if (t->reference[i].kind == COMPARE_FLUTTER_ON && t->reference[i].ms <= ms)
            inside = 1;
        if (t->reference[i].kind == COMPARE_FLUTTER_OFF && t->reference[i].ms < ms)
            inside = 0;
    }
    return inside;
}

static size_t clear_beats(const struct trial *t, const struct event *events, size_t count, int64_t *ret_ms)
{
    size_t i, n = 0;

    for (i = 0; i < count; i++)
        if (events[i].kind == COMPARE_BEAT && !in_flutter(t, events[i].ms))
            ret_ms[n++] = events[i].ms;
    return n;
}

/* Another way to the same answer, where beats of one side are further apart than
 * two windows: each beat has then at most one partner that has no nearer one, so
 * the nearest pairs over all, taken one after another, are the pairing. */
static struct compare_score brute_force(const struct trial *t)
{
    int64_t found[EVENTS], reference[EVENTS], best, distance;
    size_t nf = clear_beats(t, t->found, t->found_count, found), fi = 0, ri = 0, f, r;
    size_t nr = clear_beats(t, t->reference, t->reference_count, reference);
    unsigned char found_used[EVENTS] = { 0 }, reference_used[EVENTS] = { 0 };
    struct compare_score s = { 0, nr, nf };

    do {
        best = 151;
        for (f = 0; f < nf; f++) {
            for (r = 0; r < nr; r++) {
                distance = llabs(found[f] - reference[r]);
                if (!found_used[f] && !reference_used[r] && distance < best) {
                    best = distance;
                    fi = f;
                    ri = r;
                }
            }
        }
        if (best <= 150) {
            found_used[fi] = reference_used[ri] = 1;
            s.matched++;
            s.missed--;
            s.extra--;
        }
    } while (best <= 150);
    return s;
}

static void trial_make(struct trial *t, uint32_t *seed)
{
    int64_t ms = 0;
    int flutter = 0, i;

    memset(t, 0, sizeof *t);
    for (i = 0; i < 120; i++) {
        ms += 310 + dice(seed, 500);
        if (dice(seed, 15) == 0 || (flutter && dice(seed, 3) == 0)) {
            flutter = !flutter;
            add(t, COMPARE_REFERENCE, ms, flutter ? COMPARE_FLUTTER_ON : COMPARE_FLUTTER_OFF);
        } else if (dice(seed, 10)) {
            add(t, COMPARE_REFERENCE, ms, dice(seed, 12) ? COMPARE_BEAT : COMPARE_OTHER);
        }
    }
    for (ms = 0, i = 0; i < 120; i++) {
        ms += 310 + dice(seed, 500);
        add(t, COMPARE_FOUND, ms, COMPARE_BEAT);
    }
}

TEST(random_records_score_as_a_matcher_that_sees_all_of_them)
{
    static struct trial t;
    struct compare_score s;
    uint32_t seed = 1;
    int round, lead;

    for (round = 0; round < 300; round++) {
        trial_make(&t, &seed);
        s = brute_force(&t);
        for (lead = 0; lead < 4; lead++) {
            trial_run(&t, lead, 0, seed);
            expect_score(&t.total.whole, (unsigned)s.matched, (unsigned)s.missed, (unsigned)s.extra);
            expect_score(&t.total.scored, (unsigned)s.matched, (unsigned)s.missed, (unsigned)s.extra);
        }
    }
}

/* A reader that is gone, and then comes back: the text goes on where it stopped. */
TEST(a_report_goes_on_where_writing_failed)
{
    struct report_row rows[2];
    struct report r = { .rows = rows, .room = 2, .learning_ns = 300000 * MS };
    struct compare_total total = { .scored = { 3, 1, 0 }, .whole = { 5, 1, 2 } };
    char text[8192], name[200];
    FILE *f = tmpfile();
    size_t n;

    assert_non_null(f);
    assert_non_null(report_add(&r, "bad\"na\tme", 1));
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_non_null(report_add(&r, name, 2));
    assert_null(report_add(&r, "one too many", 3));
    report_set(&r, 0, &total);
    assert_int_equal(report_write(&r, -1, REPORT_JSON), -1);
    assert_int_equal(report_write(&r, fileno(f), REPORT_JSON), 0);
    assert_int_equal(report_write(&r, fileno(f), REPORT_JSON), 0);
    rewind(f);
    n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    (void)fclose(f);
    assert_int_equal(n, r.written);
    assert_ptr_equal(strstr(text, "\"learning_s\""), text + 1);
    assert_null(strstr(text + 2, "\"learning_s\""));
    assert_non_null(strstr(text, "\"record\": \"bad\\\"na\\u0009me\""));
    assert_non_null(strstr(text, "\"beats\": 4, \"tp\": 3, \"fn\": 1, \"fp\": 0, \"se\": 75.00, \"ppv\": 100.00"));
    assert_non_null(strstr(text, "\"se\": null"));
}

AFF_TEST_MAIN(a_match_lies_within_the_window_and_its_edge_counts, the_nearest_pair_wins_and_each_beat_is_used_once,
              an_empty_side_leaves_the_other_alone, flutter_is_ignored_on_both_sides,
              the_learning_period_is_not_scored, a_side_too_far_ahead_or_out_of_order_is_told_apart,
              nothing_is_decided_before_the_beginning_is_known, memory_does_not_grow_with_the_record,
              random_records_score_as_a_matcher_that_sees_all_of_them, a_report_goes_on_where_writing_failed)
