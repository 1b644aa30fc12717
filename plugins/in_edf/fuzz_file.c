/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_file.c - any bytes as a whole EDF file: pieces in order of time that lie
 * inside the file, marks in order, and an end. */
#include "marks.h"
#include "tracks.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { TURNS = 20000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ignore(void *context, enum edf_event event)
{
    (void)context;
    if (event >= EVENT_COUNT)
        abort();
}

static void pieces_run(struct edf_tracks *t)
{
    static char room[PIECE_BYTES + 8 * EDF_SIGNALS_MAX];
    int64_t last = INT64_MIN, next[TRACKS_MAX] = { 0 };
    struct edf_piece p;
    struct fault f;
    int turns = 0;

    while (turns++ < TURNS && tracks_peek(t, &p, &f) == 1) {
        size_t bytes = p.count * (t->data->header.width == 3 ? 4u : 2u);

        if (p.count == 0 || p.event_ns < last || p.first < next[p.track] || (p.first > next[p.track] && !p.gap) ||
            bytes * t->track[p.track].channels > sizeof room)
            abort();
        if (tracks_read(t, &p, room, bytes, &f))
            abort();
        last = p.event_ns;
        next[p.track] = p.first + p.count;
        tracks_take(t, &p);
    }
}

static void marks_run(struct edf_marks *m)
{
    const struct edf_mark *found;
    struct fault f;
    int turns = 0, got;

    while (turns++ < TURNS && (got = marks_peek(m, &found, &f)) > 0) {
        struct tal t;
        const uint8_t *bytes;

        if (got == 2)
            continue;
        bytes = marks_bytes(m, found, &f);
        if (!bytes || found->size == 0 || found->fault >= TAL_FAULTS)
            abort();
        if (found->fault == TAL_WHOLE && tal_read(&t, bytes, found->size) != TAL_WHOLE)
            abort();
        marks_take(m);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char name[] = "fuzz-edf-file";
    static struct edf_data d;
    static struct edf_tracks t;
    static struct edf_marks m;
    struct edf_wanted wanted = { 250000000, NULL, 0 };
    struct fault f;
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    (void)close(fd);
    d.listener.tell = ignore;
    if (data_open(&d, AT_FDCWD, name, &f))
        return 0;
    if (tracks_begin(&t, &d, &wanted, 0, &f) == 0) {
        pieces_run(&t);
        marks_begin(&m, &d);
        marks_run(&m);
    }
    data_close(&d);
    return 0;
}
