/* SPDX-License-Identifier: Apache-2.0
 *
 * test_story.c - properties, on days made at random: what is raised is cleared
 * before it is raised again, never sooner than `for` and `clear_for` allow; no more
 * commands than the limit in any window; the same however the node was restarted.
 *
 * Not here: single cases (test_op_watch.c). */
#include "testing.h"

#include <math.h>
#include <stdbool.h>

enum { ROWS = 2000, RULES = 3, MOST = 2, COMMANDS_SEEN = 4096 };
#define WITHIN 100.0
#define FOR 5.0
#define CLEAR_FOR 3.0

static const char toml[] =
    "place = \"x\"\nrules = ["
    "{ name = \"0\", kind = \"silent\", for = \"5s\", clear_for = \"3s\", command = \"a\", retry_every = \"7s\", command_most = 2, command_within = \"100s\", severity = \"low\" },"
    "{ name = \"1\", kind = \"out_of_range\", column = \"hr\", low = 20, high = 200, for = \"5s\", clear_for = \"3s\", command = \"b\", retry_every = \"1s\", command_most = 2, command_within = \"100s\" },"
    "{ name = \"2\", kind = \"missing\", column = \"hr\", for = \"5s\", clear_for = \"3s\" }]";

/* SplitMix64 (Steele, Lea and Flood 2014, OOPSLA, figure 5). */
static uint64_t next(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static struct aff_harness *day(uint64_t seed, uint32_t restart_every)
{
    struct aff_harness *h = aff_harness_open("op_watch", toml);
    uint32_t rows = rows_of(h, "A"), i, mode = 0;
    double at = 0;

    for (i = 0; i < ROWS; i++) {
        if (next(&seed) % 12 == 0)
            mode = (uint32_t)(next(&seed) % 3);
        at += 0.25 * (double)(next(&seed) % 8) + (next(&seed) % 60 == 0 ? 20 : 0);
        push_hr(h, rows, at, mode == 0 ? 80 : mode == 1 ? 250 : NAN);
        if (restart_every && i % restart_every == restart_every - 1)
            aff_harness_restart(h);
    }
    return h;
}

struct seen {
    bool raised[RULES];
    double at[RULES]; /* of the latest raised or cleared */
    double sent[RULES][COMMANDS_SEEN];
    uint32_t count[RULES];
};

static void event_check(struct seen *s, uint32_t rule, const char *state, double at)
{
    if (strcmp(state, "raised") == 0) {
        assert_false(s->raised[rule]);
        assert_true(at >= s->at[rule] + FOR - 1e-9 || rule == 0);
        s->raised[rule] = true;
        s->at[rule] = at;
    } else if (strcmp(state, "cleared") == 0) {
        assert_true(s->raised[rule]);
        assert_true(at >= s->at[rule] + CLEAR_FOR - 1e-9);
        s->raised[rule] = false;
        s->at[rule] = at;
    } else {
        assert_true(s->raised[rule]);
    }
}

static void command_check(struct seen *s, uint32_t rule, double at)
{
    uint32_t n = s->count[rule]++;

    assert_true(n < COMMANDS_SEEN);
    s->sent[rule][n] = at;
    if (n >= MOST)
        assert_true(at >= s->sent[rule][n - MOST] + WITHIN - 1e-9);
}

TEST(findings_alternate_keep_their_times_and_their_limits)
{
    uint64_t seed;

    for (seed = 1; seed <= 10; seed++) {
        struct aff_harness *h = day(seed, 0);
        struct seen *s = calloc(1, sizeof *s);
        const struct aff_record *r;

        assert_non_null(s);
        assert_true(aff_harness_metric(h, "raised") > 20 && aff_harness_metric(h, "escalated") > 2);
        while ((r = aff_harness_take(h, "events")))
            event_check(s, (uint32_t)(aff_harness_text(h, r, "rule")[0] - '0'), aff_harness_text(h, r, "state"),
                        (double)r->event_ns / 1e9);
        while ((r = aff_harness_take(h, "commands")))
            command_check(s, (uint32_t)(aff_harness_text(h, r, "rule")[0] - '0'), (double)r->event_ns / 1e9);
        free(s);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
}

TEST(restarts_change_nothing)
{
    struct aff_harness *h = day(3, 0);
    uint64_t digest = aff_harness_digest(h);
    uint32_t every;

    aff_harness_close(&h);
    for (every = 1; every < 200; every += 61) {
        h = day(3, every);
        assert_true(aff_harness_digest(h) == digest);
        aff_harness_close(&h);
    }
}

AFF_TEST_MAIN(findings_alternate_keep_their_times_and_their_limits, restarts_change_nothing)
