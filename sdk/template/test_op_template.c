/* test_op_template - op_template alone, in the SDK's strict test host.
 *
 * What is not tested here and need not be: the kit itself checks the tables, the
 * lifetimes of borrowed memory and that nothing is leaked, in every test.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <afferent/testkit.h>

TEST(samples_are_multiplied_and_clipped_ones_counted)
{
    struct aff_harness *h = aff_harness_open("op_template", "factor = 4.0");
    int16_t in[] = { 100, -100, 20000, -20000 };

    aff_harness_push(h, "in", "samples/i16", in, sizeof in);
    EXPECT_I16(h, "out", 400, -400, INT16_MAX, -INT16_MAX);
    EXPECT_METRIC(h, "clipped", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_missing_sample_stays_missing)
{
    struct aff_harness *h = aff_harness_open("op_template", "factor = -0.5");
    int16_t in[] = { INT16_MIN, 3, -8 };

    aff_harness_push(h, "in", "samples/i16", in, sizeof in);
    EXPECT_I16(h, "out", INT16_MIN, -2, 4);
    EXPECT_METRIC(h, "clipped", 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(other_formats_are_dead_letters)
{
    struct aff_harness *h = aff_harness_open("op_template", NULL);
    float in[] = { 1.0f };

    aff_harness_push(h, "in", "samples/f32", in, sizeof in);
    EXPECT_NOTHING(h, "out");
    EXPECT_VERDICT(h, "wrong_format", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_factor_out_of_range_is_refused)
{
    EXPECT_REFUSED("op_template", "factor = 5000.0", "factor: 5000 is out of range");
}

static void scenario(void)
{
    struct aff_harness *h = aff_harness_open("op_template", "factor = 2.0");
    int16_t in[] = { 1, 2, 3 };

    aff_harness_push(h, "in", "samples/i16", in, sizeof in);
    EXPECT_I16(h, "out", 2, 4, 6);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(any_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(scenario);
}

AFF_TEST_MAIN(samples_are_multiplied_and_clipped_ones_counted, a_missing_sample_stays_missing,
              other_formats_are_dead_letters, a_factor_out_of_range_is_refused, any_host_call_may_fail_once)
