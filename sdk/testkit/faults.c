/* SPDX-License-Identifier: Apache-2.0
 *
 * faults.c - host calls that fail on purpose, each once.
 *
 * A scenario is run again and again. In run n its n-th fallible host call fails;
 * the run in which none failed any more is the last. The count goes on across
 * all harnesses that a scenario opens.
 *
 * Not here: how the callback is called again (harness.c: call_end). */
#include "kit.h"

/* More fallible calls than a scenario should have: it is quadratic. */
#define RUNS_MOST 20000

static struct {
    int armed;
    uint64_t nth;  /* fails in this run */
    uint64_t seen; /* calls so far in this run */
} faults;

void faults_reset(void)
{
    memset(&faults, 0, sizeof faults);
}

int faults_armed(void)
{
    return faults.armed;
}

int call_fails(struct aff_harness *h, const char *call)
{
    int fails = 0;

    if (h->fail_in)
        fails = --h->fail_in == 0;
    if (faults.armed)
        fails |= ++faults.seen == faults.nth;
    if (fails) {
        h->failed = call;
        h->injected = call;
    }
    return fails;
}

void aff_harness_fail_nth(struct aff_harness *h, uint64_t n)
{
    h->fail_in = n;
}

const char *aff_harness_failed_call(const struct aff_harness *h)
{
    return h->failed;
}

void aff_test_each_failure(void (*scenario)(void))
{
    uint64_t n;

    for (n = 1; n <= RUNS_MOST; n++) {
        faults.armed = 1;
        faults.nth = n;
        faults.seen = 0;
        scenario();
        faults.armed = 0;
        if (faults.seen < n)
            return;
    }
    kit_misuse("the scenario has more than %d fallible calls; make it smaller", RUNS_MOST);
}
