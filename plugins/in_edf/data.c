/* SPDX-License-Identifier: Apache-2.0
 *
 * data.c - see data.h. */
#include "data.h"

#include "recording/files.h"
#include "recording/when.h"
#include "tal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void tell(const struct edf_data *d, enum edf_event event)
{
    d->listener.tell(d->listener.context, event);
}

/* The whole header through the window, which has room for it. */
static int header_load(struct edf_data *d, struct fault *f)
{
    ssize_t got = file_get(d->fd, 0, d->window, EDF_HEAD);

    _Static_assert(EDF_HEAD * (EDF_SIGNALS_MAX + 1) <= DATA_WINDOW, "room for a header");
    if (got < 0)
        return fault_file(f, "file", errno);
    if (got < EDF_HEAD)
        return fault(f, 0, got ? "the file is shorter than the 256 bytes of a header" : "the file is empty");
    if (header_begin(&d->header, d->window, f))
        return -1;
    got = file_get(d->fd, 0, d->window, d->header.bytes);
    if (got < 0)
        return fault_file(f, "file", errno);
    if ((size_t)got < d->header.bytes)
        return fault(f, 0, "the file ends inside its header");
    return header_signals(&d->header, d->window, f);
}

/* How many data records are whole. */
static void records_count(struct edf_data *d)
{
    const struct edf_header *h = &d->header;
    uint64_t bytes = d->size - h->bytes, rest = bytes % h->record_bytes;

    d->records = bytes / h->record_bytes;
    if (h->record_bytes > EDF_RECORD_USUAL)
        tell(d, EVENT_LARGE);
    if (h->records < 0) {
        if (rest)
            tell(d, EVENT_SHORT);
    } else if (d->records < (uint64_t)h->records) {
        tell(d, EVENT_SHORT);
    } else if (d->records > (uint64_t)h->records || rest) {
        d->records = (uint64_t)h->records;
        tell(d, EVENT_LONG);
    }
}

static int times_begin(struct edf_data *d, struct fault *f)
{
    int64_t end;
    uint32_t i;
    int got;

    d->clock_signal = -1;
    for (i = d->header.signals; i-- > 0;)
        if (d->header.signal[i].is_annotation && d->header.signal[i].samples)
            d->clock_signal = (int)i;
    d->first_ns = 0;
    memset(d->clock, 0, sizeof d->clock);
    if (d->records) {
        got = data_clock(d, 0, &d->first_ns, f);
        if (got < 0)
            return -1;
        if (!got)
            d->first_ns = 0;
    }
    if (!data_after(d, d->first_ns, d->records, &end))
        return fault(f, 0, "the data records last beyond what a time can be");
    return 0;
}

int data_open(struct edf_data *d, int folder, const char *name, struct fault *f)
{
    d->window_size = 0;
    d->records = 0;
    d->fd = file_open(folder, "", name, &d->size);
    if (d->fd < 0) {
        int error = -d->fd;

        d->fd = -1;
        return fault_file(f, "file", error);
    }
    if (header_load(d, f) == 0) {
        records_count(d);
        if (times_begin(d, f) == 0)
            return 0;
    }
    data_close(d);
    return -1;
}

void data_close(struct edf_data *d)
{
    if (d->fd >= 0)
        (void)close(d->fd);
    d->fd = -1;
    d->window_size = 0;
}

uint64_t data_record_at(const struct edf_data *d, uint64_t record)
{
    return d->header.bytes + record * d->header.record_bytes;
}

int data_get(const struct edf_data *d, uint64_t offset, void *to, size_t size, struct fault *f)
{
    ssize_t got = file_get(d->fd, offset, to, size);

    if (got < 0)
        return fault_file(f, "file", errno);
    if ((size_t)got == size)
        return 0;
    (void)fault(f, 0, "the file became shorter while it was read");
    f->missing = 1;
    return -1;
}

const uint8_t *data_bytes(struct edf_data *d, uint64_t offset, size_t size, struct fault *f)
{
    uint64_t record = d->header.record_bytes, at = offset, many;
    size_t want = size;

    if (offset >= d->window_at && offset - d->window_at <= d->window_size &&
        size <= d->window_size - (size_t)(offset - d->window_at))
        return d->window + (offset - d->window_at);
    if (record <= DATA_WINDOW) {
        uint64_t first = (offset - d->header.bytes) / record;

        many = DATA_WINDOW / record;
        many = many < d->records - first ? many : d->records - first;
        at = data_record_at(d, first);
        want = (size_t)(many * record);
    }
    d->window_size = 0;
    if (data_get(d, at, d->window, want, f))
        return NULL;
    d->window_at = at;
    d->window_size = want;
    return d->window + (offset - at);
}

int data_clock(struct edf_data *d, uint64_t record, int64_t *ret_ns, struct fault *f)
{
    struct edf_clock *c = &d->clock[record % DATA_CLOCKS];
    const struct edf_signal *s;
    uint8_t bytes[DATA_CLOCK_BYTES];
    size_t size;

    if (d->clock_signal < 0)
        return 0;
    if (c->record != record + 1) {
        s = &d->header.signal[d->clock_signal];
        size = (size_t)s->samples * d->header.width;
        size = size < sizeof bytes ? size : sizeof bytes;
        if (data_get(d, data_record_at(d, record) + s->offset, bytes, size, f))
            return -1;
        c->known = tal_clock(bytes, size, &c->ns) == 0;
        c->record = record + 1;
    }
    *ret_ns = c->ns;
    return c->known;
}

int data_after(const struct edf_data *d, int64_t ns, uint64_t records, int64_t *ret_ns)
{
    const struct rate *s = &d->header.seconds;
    struct rate frequency = { s->den, s->num };

    *ret_ns = ns;
    if (s->num == 0)
        return 1;
    return records <= INT64_MAX && when_at(ns, (int64_t)records, &frequency, ret_ns);
}
