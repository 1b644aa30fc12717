/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_signal.c - any bytes as a record: two headers and a signal file.
 *
 * The input is cut at the first two bytes 0xff: r.hea, s.hea, d.dat, in a folder
 * below the working one. */
#include "record.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, enum wfdb_event event, uint32_t number)
{
    (void)context;
    (void)number;
    if (event >= EVENT_COUNT)
        abort();
}

static void put(int folder, const char *name, const uint8_t *data, size_t size)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    (void)close(fd);
}

/* The bytes up to the mark, which is taken too. */
static size_t field(const uint8_t **data, size_t *size)
{
    const uint8_t *end = memchr(*data, 0xff, *size);
    size_t n = end ? (size_t)(end - *data) : *size;

    *data += end ? n + 1 : n;
    *size -= end ? n + 1 : n;
    return n;
}

static void record_run(struct wfdb_record *r, int folder)
{
    struct wfdb_options options = { 250000000, NULL, 0 };
    struct wfdb_piece p;
    struct fault f;
    int got, turns = 0;

    r->listener.tell = ignore;
    if (record_open(r, folder, "r.hea", &options, &f))
        return;
    while ((got = record_peek(r, &p, &f)) > 0 && turns++ < 3000) {
        if (got == 2)
            continue;
        if (p.count == 0 || p.at < r->stage ||
            p.at + p.stride * (r->track[p.track].channels - 1u) + p.count > r->stage + WFDB_STAGE)
            abort();
        record_take(r, &p);
    }
    record_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char folder_name[] = "fuzz-record";
    static struct wfdb_record r;
    static int folder = -1;
    const uint8_t *at = data;
    size_t n;

    if (folder < 0) {
        (void)mkdir(folder_name, 0700);
        folder = open(folder_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
            abort();
    }
    n = field(&data, &size);
    put(folder, "r.hea", at, n);
    at = data;
    n = field(&data, &size);
    put(folder, "s.hea", at, n);
    put(folder, "d.dat", data, size);
    record_run(&r, folder);
    return 0;
}
