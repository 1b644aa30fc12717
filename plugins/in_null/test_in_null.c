/* test_in_null.c - count, size, content, end and replay of in_null. */
#include <afferent/testkit.h>

#include "stamp.h"

static void records_checked(struct aff_harness *h, uint64_t from, uint64_t count, uint32_t size)
{
    uint64_t i;
    uint32_t k;

    for (i = from; i < from + count; i++) {
        const struct aff_record *r = aff_harness_take(h, "out");
        const uint64_t *words = r->data;

        assert_int_equal(r->size, size);
        assert_int_equal(r->event_ns, i * 1000000);
        if (size >= STAMP_BYTES)
            assert_int_equal(words[0], i);
        for (k = 2; k < size / 8; k++)
            assert_true(words[k] == stamp_word(i, k));
    }
}

TEST(it_makes_as_many_as_wanted_and_ends_each_stream)
{
    struct aff_harness *h = aff_harness_open("in_null", "records = 10\nsize = \"44B\"\nstreams = 3\nfill = true");
    int ends = 0;

    EXPECT_STATUS(aff_harness_read(h, 4), AFF_OK);
    EXPECT_WAITING(h, "out", 4);
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    records_checked(h, 0, 10, 44);
    for (; aff_harness_waiting(h, "out"); ends++)
        assert_true(aff_harness_take(h, "out")->flags & AFF_FLAG_END);
    assert_int_equal(ends, 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(small_and_empty_records_work)
{
    struct aff_harness *h = aff_harness_open("in_null", "records = 5\nsize = \"0B\"");

    EXPECT_STATUS(aff_harness_read_all(h, 2, 0), AFF_END);
    records_checked(h, 0, 5, 0);
    aff_harness_close(&h);
    h = aff_harness_open("in_null", "records = 5\nsize = \"7B\"");
    EXPECT_STATUS(aff_harness_read_all(h, 2, 0), AFF_END);
    records_checked(h, 0, 5, 7);
    aff_harness_close(&h);
}

TEST(a_restart_goes_on_where_it_was)
{
    struct aff_harness *h = aff_harness_open("in_null", "records = 0\nsize = \"16B\"");

    EXPECT_STATUS(aff_harness_read(h, 7), AFF_OK);
    aff_harness_restart(h);
    EXPECT_STATUS(aff_harness_read(h, 5), AFF_OK);
    records_checked(h, 0, 12, 16);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

static void read_to_the_end(void)
{
    struct aff_harness *h = aff_harness_open("in_null", "records = 6\nsize = \"16B\"\nstreams = 2");

    EXPECT_STATUS(aff_harness_read_all(h, 4, 0), AFF_END);
    records_checked(h, 0, 6, 16);
    aff_harness_close(&h);
}

TEST(every_host_call_may_fail)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(read_to_the_end);
}

AFF_TEST_MAIN(it_makes_as_many_as_wanted_and_ends_each_stream, small_and_empty_records_work,
              a_restart_goes_on_where_it_was, every_host_call_may_fail)
