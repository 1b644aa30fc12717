/* SPDX-License-Identifier: Apache-2.0
 *
 * test_turns.c - recordings one after another, with tapes for recordings: each holds
 * three things, and may fail at one of them once.
 *
 * Not here: real formats (in_edf, in_wfdb). */
#include <afferent/testkit.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recording/turns.h"

enum { THINGS = 3 };

/* ---- a host that writes down what it is told ---- */

static char told[512];

__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...)
{
    size_t used = strlen(told);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(told + used, sizeof told - used, format, args);
    va_end(args);
}

static void *fake_alloc(const struct aff_host *host, size_t size)
{
    (void)host;
    return calloc(1, size);
}

static void fake_free(const struct aff_host *host, void *memory)
{
    (void)host;
    free(memory);
}

static void fake_log(const struct aff_host *host, int level, const char *format, ...)
{
    (void)host;
    (void)level;
    tell("%s ", strstr(format, "has changed") ? "changed" : "?");
}

static aff_status fake_explain(const struct aff_host *host, aff_status status, const char *format, ...)
{
    (void)host;
    (void)format;
    return status;
}

static void fake_incarnation(const struct aff_host *host, const void *bytes, size_t size)
{
    (void)host;
    (void)size;
    tell("[%c", *(const char *)bytes);
}

static void fake_count(const struct aff_host *host, uint32_t metric, uint64_t more)
{
    (void)host;
    (void)metric;
    (void)more;
    tell("] ");
}

static const struct aff_host host = { .struct_size = sizeof host,
                                      .alloc = fake_alloc,
                                      .free = fake_free,
                                      .log = fake_log,
                                      .explain = fake_explain,
                                      .incarnation = fake_incarnation,
                                      .count = fake_count };

/* ---- tapes ---- */

struct tape {
    struct turns turns;
    uint32_t at, hash_steps;
    uint32_t fails_at[2]; /* recording and thing */
    aff_status fails_by;  /* once */
    char content;
};

static aff_status tape_hash_begin(void *self)
{
    ((struct tape *)self)->hash_steps = 0;
    return AFF_OK;
}

static aff_status tape_hash_step(void *self)
{
    return ((struct tape *)self)->hash_steps++ < 2 ? AFF_AGAIN : AFF_OK;
}

static aff_status tape_open(void *self)
{
    ((struct tape *)self)->at = 0;
    return AFF_OK;
}

static aff_status tape_name(void *self)
{
    struct tape *t = self;
    const uint8_t hash[DIGEST_SIZE] = { (uint8_t)(t->content + (char)t->turns.index) };

    turns_named(&t->turns, hash, 0);
    return AFF_OK;
}

static aff_status tape_next(void *self, int *ret_passed)
{
    struct tape *t = self;
    aff_status st = t->fails_by;

    if (t->at == THINGS)
        return AFF_END;
    if (st != AFF_OK && t->fails_at[0] == t->turns.index && t->fails_at[1] == t->at) {
        t->fails_by = AFF_OK;
        return st;
    }
    if (!turns_passes(&t->turns))
        tell("%s%u ", turns_file(&t->turns), t->at);
    t->at++;
    *ret_passed = 1;
    return AFF_OK;
}

static aff_status tape_end_streams(void *self)
{
    (void)self;
    tell("end ");
    return AFF_OK;
}

static void tape_close(void *self)
{
    (void)self;
}

static const char *const suffixes[] = { ".tape", NULL };
static const struct turns_kind kind = { .paths = { suffixes, "tape", "name one", 0 },
                                        .what = "tape",
                                        .position = "tape 1",
                                        .hash_begin = tape_hash_begin,
                                        .hash_step = tape_hash_step,
                                        .open = tape_open,
                                        .name = tape_name,
                                        .next = tape_next,
                                        .end_streams = tape_end_streams,
                                        .close = tape_close };

static struct tape *tape_begin(char content)
{
    char folder[32], name[64], i;
    const char *items[1] = { folder };
    struct aff_list path = { items, 1, sizeof items[0] }, none = { NULL, 0, sizeof items[0] };
    struct tape *t = calloc(1, sizeof *t);

    assert_non_null(t);
    (void)snprintf(folder, sizeof folder, "/tmp/turns-%d", (int)getpid()); /* the same each time: a position knows it */
    assert_int_equal(mkdir(folder, 0700), 0);
    for (i = 'a'; i <= 'b'; i++) {
        (void)snprintf(name, sizeof name, "%s/%c.tape", folder, i);
        assert_int_equal(close(open(name, O_CREAT | O_WRONLY, 0600)), 0);
    }
    EXPECT_STATUS(turns_open(&t->turns, &host, &kind, &path, &none), AFF_OK);
    for (i = 'a'; i <= 'b'; i++) {
        (void)snprintf(name, sizeof name, "%s/%c.tape", folder, i);
        assert_int_equal(unlink(name), 0);
    }
    assert_int_equal(rmdir(folder), 0);
    t->content = content;
    told[0] = 0;
    return t;
}

/* Reads until something else than AFF_OK comes, so many at a time. */
static aff_status tape_read(struct tape *t, uint32_t want)
{
    aff_status st = AFF_OK;
    int turns;

    for (turns = 0; st == AFF_OK && turns < 100; turns++)
        st = turns_read(t, want);
    return st;
}

static void expect_told(struct tape **t, const char *wanted)
{
    assert_string_equal(told, wanted);
    turns_close(*t);
    *t = NULL;
}

TEST(each_recording_is_hashed_named_read_and_ended_in_its_turn)
{
    static const char all[] = "[0] a.tape0 a.tape1 a.tape2 end [1] b.tape0 b.tape1 b.tape2 end ";
    struct tape *t = tape_begin('0');

    EXPECT_STATUS(turns_read(t, 64), AFF_OK); /* through the first step of the hash only */
    assert_string_equal(told, "");
    EXPECT_STATUS(tape_read(t, 64), AFF_END);
    EXPECT_STATUS(turns_read(t, 64), AFF_END);
    expect_told(&t, all);
    t = tape_begin('0');
    EXPECT_STATUS(tape_read(t, 1), AFF_END);
    expect_told(&t, all);
}

TEST(no_more_than_is_wanted_is_emitted_at_a_time)
{
    struct tape *t = tape_begin('0');
    int turns;

    for (turns = 0; turns < 3; turns++)
        EXPECT_STATUS(turns_read(t, 2), AFF_OK);
    expect_told(&t, "[0] a.tape0 a.tape1 ");
}

TEST(what_may_get_better_is_read_again_and_repeats_nothing)
{
    struct tape *t = tape_begin('0');

    t->fails_at[0] = 1;
    t->fails_at[1] = 2;
    t->fails_by = AFF_ERR_IO;
    EXPECT_STATUS(tape_read(t, 64), AFF_ERR_IO);
    tell("again ");
    EXPECT_STATUS(tape_read(t, 64), AFF_END);
    expect_told(&t, "[0] a.tape0 a.tape1 a.tape2 end [1] b.tape0 b.tape1 again b.tape2 end ");
}

TEST(what_is_damaged_is_left_behind_and_the_next_one_is_read)
{
    struct tape *t = tape_begin('0');

    t->fails_at[1] = 1;
    t->fails_by = AFF_ERR_DATA;
    EXPECT_STATUS(tape_read(t, 64), AFF_ERR_DATA);
    EXPECT_STATUS(tape_read(t, 64), AFF_END);
    expect_told(&t, "[0] a.tape0 end [1] b.tape0 b.tape1 b.tape2 end ");
}

/* Goes on in another instance behind the first thing; `content` is what lies there then. */
static struct tape *tape_moved(char content)
{
    struct tape *t = tape_begin('0');
    char kept[128], same[128];
    size_t size;

    t->fails_at[1] = 1;
    t->fails_by = AFF_ERR_IO;
    EXPECT_STATUS(tape_read(t, 64), AFF_ERR_IO);
    EXPECT_STATUS(turns_snapshot(t, kept, sizeof kept, &size), AFF_OK);
    turns_close(t);
    t = tape_begin(content);
    EXPECT_STATUS(turns_restore(t, kept, size - 1), AFF_ERR_DATA);
    EXPECT_STATUS(turns_restore(t, kept, size), AFF_OK);
    EXPECT_STATUS(turns_snapshot(t, same, sizeof same, &size), AFF_OK);
    assert_memory_equal(same, kept, size);
    EXPECT_STATUS(tape_read(t, 64), AFF_END);
    return t;
}

TEST(a_position_is_gone_on_from_unless_the_content_is_another)
{
    struct tape *t = tape_moved('0');

    expect_told(&t, "a.tape1 a.tape2 end [1] b.tape0 b.tape1 b.tape2 end ");
    t = tape_moved('5');
    expect_told(&t, "changed [5] a.tape0 a.tape1 a.tape2 end [6] b.tape0 b.tape1 b.tape2 end ");
}

AFF_TEST_MAIN(each_recording_is_hashed_named_read_and_ended_in_its_turn, no_more_than_is_wanted_is_emitted_at_a_time,
              what_may_get_better_is_read_again_and_repeats_nothing,
              what_is_damaged_is_left_behind_and_the_next_one_is_read,
              a_position_is_gone_on_from_unless_the_content_is_another)
