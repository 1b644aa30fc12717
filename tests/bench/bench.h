/* bench.h - what all benchmark programs share: one clock, one way to write and
 * to read a record in full, one form of output.
 *
 * A benchmark program measures one round per start and prints lines of
 * "metric TAB value TAB unit"; ./run starts the programs in turns, so that ours
 * and the peers' see the same machine, and ./table does the statistics. The
 * loops that touch the bytes are written with vectors, so that no program gets
 * better ones because of its compiler flags.
 *
 * Not here: anything of the runtime or of a peer. */
#ifndef AFFERENT_TESTS_BENCH_H
#define AFFERENT_TESTS_BENCH_H

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef uint64_t bench_vec __attribute__((vector_size(16), may_alias));

static inline double bench_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline void bench_print(const char *metric, double value, const char *unit)
{
    printf("%s\t%.3f\t%s\n", metric, value, unit);
    fflush(stdout);
}

/* Writes `size` bytes (a multiple of 16) that depend on `seed`. */
static inline void bench_fill(void *to, size_t size, uint64_t seed)
{
    bench_vec *v = to;
    bench_vec x = { seed, ~seed };
    size_t i;

    for (i = 0; i < size / sizeof *v; i++) {
        v[i] = x;
        x += (bench_vec){ 1, 3 };
    }
}

/* Reads `size` bytes (a multiple of 16) and returns a sum over all of them. */
static inline uint64_t bench_sum(const void *from, size_t size)
{
    const bench_vec *v = from;
    bench_vec sum = { 0, 0 };
    size_t i;

    for (i = 0; i < size / sizeof *v; i++)
        sum += v[i];
    return sum[0] + sum[1];
}

/* What bench_sum gives for what bench_fill wrote. */
static inline uint64_t bench_expected(size_t size, uint64_t seed)
{
    uint64_t n = size / sizeof(bench_vec);

    return n * (seed + ~seed) + 4 * (n * (n - 1) / 2);
}

/* Pins the calling thread; where the machine has fewer CPUs it stays free. */
static inline void bench_pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0)
        fprintf(stderr, "bench: cannot pin to CPU %d\n", cpu);
}

#endif
