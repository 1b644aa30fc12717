/* SPDX-License-Identifier: Apache-2.0
 *
 * testing.h - for the tests of sources of recordings: opened by a path of shared data
 * or of a folder of the test's own, and what holds whatever the format is.
 *
 * RECORDING_PLUGIN says which plugin it is. */
#ifndef RECORDING_TESTING_H
#define RECORDING_TESTING_H

#include <afferent/testkit.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char toml_room[4096];

/* `path` of shared data, and more TOML; NULL when the data is not there. */
static inline const char *toml_of(const char *data, const char *more)
{
    const char *path = aff_test_data(data);

    if (!path)
        return NULL;
    (void)snprintf(toml_room, sizeof toml_room, "path = \"%s\"\n%s", path, more);
    return toml_room;
}

static inline struct aff_harness *opened(const char *data, const char *more)
{
    const char *toml = toml_of(data, more);

    if (!toml)
        AFF_SKIP("no shared data");
    return aff_harness_open(RECORDING_PLUGIN, toml);
}

static inline uint64_t digest_of(const char *data, const char *more, uint32_t want)
{
    struct aff_harness *h = opened(data, more);
    uint64_t digest;

    EXPECT_STATUS(aff_harness_read_all(h, want, 0), AFF_END);
    digest = aff_harness_digest(h);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    return digest;
}

/* Begun anew behind each so many records, the source gives at least so many on a port,
 * as it does in one go. Ids as well as content: a record's id is part of its identity. */
static inline void expect_restarts(const char *data, const char *more, const char *port, uint64_t each, uint64_t least)
{
    struct aff_harness *whole = opened(data, more), *cut;
    const struct aff_record *a, *b;
    uint64_t n = 0;

    EXPECT_STATUS(aff_harness_read_all(whole, 64, 0), AFF_END);
    cut = opened(data, more);
    while (aff_harness_read_all(cut, 3, each) == AFF_OK)
        aff_harness_restart(cut);
    aff_harness_restart(cut); /* at the end there is no more */
    EXPECT_STATUS(aff_harness_read_all(cut, 3, each), AFF_END);
    assert_true(aff_harness_digest(whole) == aff_harness_digest(cut));
    while ((a = aff_harness_take(whole, port))) {
        b = aff_harness_take(cut, port);
        assert_non_null(b);
        if (!(a->flags & AFF_FLAG_END))
            assert_memory_equal(&a->id, &b->id, sizeof a->id);
        n++;
    }
    assert_true(n > least);
    assert_null(aff_harness_take(cut, port));
    EXPECT_BALANCED(whole);
    EXPECT_BALANCED(cut);
    aff_harness_close(&whole);
    aff_harness_close(&cut);
}

/* At real time ten seconds of signal, which are so many samples, take ten seconds. */
static inline void expect_realtime(const char *data, uint64_t samples)
{
    struct aff_harness *h = opened(data, "pace = \"realtime\"");
    int64_t began = aff_harness_now(h), took;
    uint64_t first = 0;
    const struct aff_record *r;

    while (first < samples && aff_harness_read_all(h, 1, 1) >= 0)
        while ((r = aff_harness_take(h, "samples")))
            first = (uint64_t)aff_samples_of(r)->first + aff_samples_of(r)->count;
    took = aff_harness_now(h) - began;
    assert_true(took >= INT64_C(9999000000) && took <= INT64_C(10300000000));
    aff_harness_close(&h);
}

/* ---- a folder of the test's own ---- */

struct folder {
    char path[64];
    char full[1024];
    int fd;
};

static inline void folder_make(struct folder *d)
{
    (void)snprintf(d->path, sizeof d->path, "recording-test-XXXXXX");
    assert_non_null(mkdtemp(d->path));
    assert_non_null(realpath(d->path, d->full));
    d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(d->fd >= 0);
}

static inline void folder_write(const struct folder *d, const char *name, const void *data, size_t size)
{
    int fd = openat(d->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    (void)close(fd);
}

static inline struct aff_harness *folder_read(const struct folder *d, const char *more)
{
    (void)snprintf(toml_room, sizeof toml_room, "path = \"%s\"\n%s", d->full, more);
    return aff_harness_open(RECORDING_PLUGIN, toml_room);
}

/* With the files in it. */
static inline void folder_remove(struct folder *d)
{
    DIR *files = fdopendir(d->fd);
    struct dirent *e;

    assert_non_null(files);
    while ((e = readdir(files)) != NULL)
        if (e->d_name[0] != '.')
            assert_int_equal(unlinkat(d->fd, e->d_name, 0), 0);
    (void)closedir(files);
    assert_int_equal(rmdir(d->path), 0);
}

#endif
