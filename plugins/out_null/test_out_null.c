/* test_out_null.c - the counts of out_null, and that it sees what it says. */
#include <afferent/testkit.h>

#include "stamp.h"

static double digest_of(const char *first, const char *second)
{
    struct aff_harness *h = aff_harness_open("out_null", "look = \"digest\"");
    double digest;

    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", first, strlen(first)), AFF_OK);
    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", second, strlen(second)), AFF_OK);
    EXPECT_METRIC(h, "records", 2);
    EXPECT_METRIC(h, "bytes", (double)(strlen(first) + strlen(second)));
    digest = aff_harness_metric(h, "digest");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    return digest;
}

TEST(a_digest_tells_contents_apart)
{
    double digest = digest_of("one record", "another");

    assert_true(digest > 0);
    assert_true(digest_of("one record", "another") == digest);
    assert_true(digest_of("one recorD", "another") != digest);
    assert_true(digest_of("one record", "another\1") != digest);
}

TEST(a_stamp_shows_what_was_moved_and_what_was_changed)
{
    struct aff_harness *h = aff_harness_open("out_null", "look = \"stamp\"");
    uint64_t words[8];
    uint32_t i;

    words[0] = 0;
    words[1] = (uint64_t)(uintptr_t)words; /* the harness copies: moved */
    for (i = 2; i < 8; i++)
        words[i] = stamp_word(0, i);
    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", words, sizeof words), AFF_OK);
    EXPECT_METRIC(h, "moved", 1);
    EXPECT_METRIC(h, "broken", 0);
    words[0] = 1;
    for (i = 2; i < 8; i++)
        words[i] = stamp_word(1, i);
    words[7] ^= 1;
    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", words, sizeof words), AFF_OK);
    EXPECT_METRIC(h, "broken", 1);
    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", "short", 5), AFF_OK);
    EXPECT_METRIC(h, "broken", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void takes_all(void)
{
    struct aff_harness *h = aff_harness_open("out_null", "");

    aff_harness_cut(h, 0);
    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", "x", 1), AFF_OK);
    EXPECT_STATUS(aff_harness_push(h, "in", "bytes", "", 0), AFF_OK);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(every_host_call_may_fail)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(takes_all);
}

AFF_TEST_MAIN(a_digest_tells_contents_apart, a_stamp_shows_what_was_moved_and_what_was_changed,
              every_host_call_may_fail)
