/* SPDX-License-Identifier: Apache-2.0
 *
 * test_same.h - what a whole run gives, and that a run which is cut gives the same. */
#ifndef IN_SYNTH_TEST_SAME_H
#define IN_SYNTH_TEST_SAME_H

#include <afferent/testkit.h>

/* Runs it to its end, `want` records a read. */
static inline uint64_t digest_of(const char *toml, uint32_t want)
{
    struct aff_harness *h = aff_harness_open("in_synth", toml);
    uint64_t digest = 0;

    EXPECT_STATUS(aff_harness_read_all(h, want, 0), AFF_END);
    digest = aff_harness_digest(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    return digest;
}

/* Begun anew behind each read of so many records, it gives what it gives in one go. */
static inline void expect_restarts(const char *toml, uint32_t want)
{
    struct aff_harness *h = aff_harness_open("in_synth", toml);
    aff_status st = AFF_OK;

    while (st == AFF_OK) {
        st = aff_harness_read(h, want);
        if (st == AFF_OK)
            aff_harness_restart(h);
    }
    EXPECT_STATUS(st, AFF_END);
    assert_true(aff_harness_digest(h) == digest_of(toml, 64));
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

#endif
