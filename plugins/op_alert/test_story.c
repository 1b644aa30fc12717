/* SPDX-License-Identifier: Apache-2.0
 *
 * test_story.c - what holds for every alert, whatever rows and commands come.
 *
 * Random values, times that jump and fall back, missing values, acknowledgements,
 * restarts and streams that end; then each alert's life is read back from what
 * came out. */
#include "test_alerts.h"

#include <stdlib.h>

enum { SUBJECTS = 5, GROUPS = 3, LIVES = 4096 };

static const char toml[] = "place = \"bed {subject}\"\nrules = ["
    "{ name = \"a1\", column = \"score\", at_least = 5, severity = \"medium\", group = \"a\", repeat_every = \"7s\" },"
    "{ name = \"a2\", column = \"score\", at_least = 7, severity = \"high\", group = \"a\", hold = \"3s\" },"
    "{ name = \"a3\", column = \"spo2\", below = 90, severity = \"high\", group = \"a\", repeat_every = \"5s\" },"
    "{ name = \"b1\", column = \"heart_rate\", rise = 20, within = \"30s\", severity = \"low\", group = \"b\" },"
    "{ name = \"b2\", column = \"heart_rate\", above = 120, severity = \"high\", group = \"b\", hold = \"2s\" },"
    "{ name = \"c1\", column = \"spo2\", absent = \"9s\", severity = \"technical\", group = \"c\" },"
    "{ name = \"c2\", absent = \"20s\", severity = \"technical\", group = \"c\", repeat_every = \"10s\" }]";

struct life {
    char id[17];
    char rule[8];
    int subject;
    int is_open, is_acknowledged, repeats;
};

static struct life lives[LIVES];
static int life_count, opened;

static struct life *life_of(const char *id)
{
    int i;

    for (i = life_count - 1; i >= 0; i--)
        if (strcmp(lives[i].id, id) == 0)
            return &lives[i];
    return NULL;
}

static int open_in(int subject, char group)
{
    int i, n = 0;

    for (i = 0; i < life_count; i++)
        n += lives[i].is_open && lives[i].subject == subject && lives[i].rule[0] == group;
    return n;
}

static void life_begin(struct aff_harness *h, const struct aff_record *r, int is_acknowledged)
{
    struct life *l = &lives[life_count++];

    assert_true(life_count < LIVES);
    (void)snprintf(l->id, sizeof l->id, "%s", aff_harness_text(h, r, "alert"));
    (void)snprintf(l->rule, sizeof l->rule, "%s", aff_harness_text(h, r, "rule"));
    l->subject = atoi(aff_harness_text(h, r, "place") + 5);
    l->is_open = 1;
    l->is_acknowledged = is_acknowledged;
    l->repeats = 0;
    opened++;
    assert_true(open_in(l->subject, l->rule[0]) <= 2); /* the one it replaces ends right behind it */
}

/* One record against the life of its alert. */
static void life_step(struct aff_harness *h, const struct aff_record *r)
{
    const char *state = aff_harness_text(h, r, "state");
    struct life *l = life_of(aff_harness_text(h, r, "alert"));

    if (!l) {
        assert_true(strcmp(state, "raised") == 0 || strcmp(state, "acknowledged") == 0);
        life_begin(h, r, state[0] == 'a');
        return;
    }
    assert_string_equal(l->rule, aff_harness_text(h, r, "rule"));
    assert_true(l->is_open);
    assert_string_not_equal(state, "raised");
    if (strcmp(state, "ended") == 0) {
        l->is_open = 0;
        opened--;
    } else if (strcmp(state, "acknowledged") == 0) {
        assert_false(l->is_acknowledged);
        l->is_acknowledged = 1;
    } else {
        assert_false(l->is_acknowledged);
        assert_int_equal(aff_harness_int(h, r, "count"), ++l->repeats);
        assert_true(l->repeats <= 3);
    }
}

static void lives_read(struct aff_harness *h)
{
    const struct aff_record *r;
    int subject;

    while ((r = aff_harness_take(h, "alerts")) != NULL)
        if (!(r->flags & AFF_FLAG_END))
            life_step(h, r);
    for (subject = 0; subject < SUBJECTS; subject++)
        assert_true(open_in(subject, 'a') <= 1 && open_in(subject, 'b') <= 1 && open_in(subject, 'c') <= 1);
    EXPECT_METRIC(h, "active", opened);
}

static void acknowledge_some(struct aff_harness *h)
{
    int i = rand() % (life_count + 1);

    if (i < life_count)
        push_command(h, lives[i].id, NULL, NULL);
    push_command(h, NULL, "a1", "bed p0");
}

/* Forgotten with its last stream: neither open nor ended. */
static void subject_end(struct aff_harness *h, int subject, const char *name)
{
    int i;

    lives_read(h);
    aff_harness_end_stream(h, "in", aff_harness_stream(h, name, "vitals", &vitals));
    for (i = 0; i < life_count; i++)
        if (lives[i].subject == subject && lives[i].is_open) {
            lives[i].is_open = 0;
            opened--;
        }
}

static void random_row(struct aff_harness *h, double *now)
{
    struct aff_cell cell = AFF_CELL_NONE;
    int column = rand() % 4 - 1, subject = rand() % SUBJECTS;
    char name[8];

    if (column == SPO2)
        cell = (struct aff_cell)AFF_CELL_REAL(85 + rand() % 12);
    else if (column == HEART_RATE)
        cell = (struct aff_cell)AFF_CELL_INT(60 + rand() % 80);
    else if (column == SCORE)
        cell = (struct aff_cell)AFF_CELL_INT(rand() % 10);
    *now += rand() % 50 ? (double)(rand() % 1000) * 0.001 : (double)(rand() % 60);
    (void)snprintf(name, sizeof name, "p%d", subject);
    push_cell(h, name, rand() % 10 ? *now : *now - rand() % 20, column, cell);
    if (rand() % 200 == 0)
        subject_end(h, subject, name);
}

TEST(each_alert_begins_once_and_ends_once_and_never_two_of_a_group)
{
    unsigned seed;
    int i;

    for (seed = 1; seed <= 4; seed++) {
        struct aff_harness *h = aff_harness_open("op_alert", toml);
        double now = 0;

        srand(seed);
        life_count = opened = 0;
        for (i = 0; i < 2500; i++) {
            random_row(h, &now);
            if (rand() % 20 == 0)
                acknowledge_some(h);
            if (rand() % 300 == 0)
                aff_harness_restart(h);
            if (rand() % 100 == 0)
                aff_harness_clock(h, (rand() % 30) * S);
            lives_read(h);
        }
        assert_true(life_count > 200);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
}

AFF_TEST_MAIN(each_alert_begins_once_and_ends_once_and_never_two_of_a_group)
