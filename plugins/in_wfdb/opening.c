/* SPDX-License-Identifier: Apache-2.0
 *
 * opening.c - from a path to an open record. See reader.h. */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *annotator_of(const struct reader *r)
{
    return r->config->annotator ? r->config->annotator : "atr";
}

/* Names of files are names of patients, so a record is said by its place. */
aff_status record_fault(struct reader *r, const struct fault *f)
{
    const struct aff_host *host = r->turns.host;
    char segment[32] = "", line[32] = "";

    if (r->record.master.segments && r->record.master.segments_read)
        (void)snprintf(segment, sizeof segment, ", segment %u", r->record.master.segments_read);
    if (f->line)
        (void)snprintf(line, sizeof line, ", header line %u", f->line);
    return host->explain(host, f->missing ? AFF_ERR_IO : AFF_ERR_DATA, "record %u of %u%s%s: %s", r->turns.index + 1,
                         r->turns.paths.count, segment, line, f->what);
}

/* What a reader noticed and went on from: counted always, said a few times. */
static void event_tell(void *context, enum wfdb_event event, uint32_t number)
{
    static const struct {
        int level, of_segment;
        const char *text;
    } events[EVENT_COUNT] = {
        [EVENT_CHECKSUM] = { AFF_LOG_ERROR, 0, "the samples do not have the header's checksum; the file is damaged" },
        [EVENT_INITIAL] = { AFF_LOG_WARN, 0, "the first sample is not the header's initial value" },
        [EVENT_SHORT] = { AFF_LOG_ERROR, 0, "the signal file ends before the record does; the rest is a gap" },
        [EVENT_LONG] = { AFF_LOG_WARN, 0, "the signal file has more samples than the header says; they are left out" },
        [EVENT_SEGMENT] = { AFF_LOG_WARN, 1, "the segment's files are not there; it is a gap" },
        [EVENT_LENGTH] = { AFF_LOG_WARN, 1, "the segment's own header gives it another length" },
        [EVENT_UNPLACED] = { AFF_LOG_WARN, 0, "the segment has a signal that the layout lacks; it is left out" },
        [EVENT_CALIBRATED] = { AFF_LOG_INFO, 1, "the calibration of signals changes; a stream of its own begins" },
    };
    struct reader *r = context;
    const struct aff_host *host = r->turns.host;
    char signal[32] = "";

    if (turns_passes(&r->turns)) /* said before the restart */
        return;
    host->count(host, METRIC_EVENTS + (uint32_t)event, 1);
    if (r->told[event]++ >= LOG_EACH)
        return;
    if (!events[event].of_segment)
        (void)snprintf(signal, sizeof signal, ", signal %u", number + 1);
    host->log(host, events[event].level, "record %u of %u, segment %u%s: %s%s", r->turns.index + 1,
              r->turns.paths.count, r->record.segment ? r->record.segment : 1, signal, events[event].text,
              r->told[event] == LOG_EACH ? " (more of this kind is only counted)" : "");
}

void record_close_all(void *self)
{
    struct reader *r = self;

    content_end(&r->content);
    record_close(&r->record);
    if (r->annot_fd >= 0)
        (void)close(r->annot_fd);
    if (r->folder >= 0)
        (void)close(r->folder);
    r->annot_fd = r->folder = -1;
}

aff_status record_hash_begin(void *self)
{
    struct reader *r = self;
    const char *name = turns_file(&r->turns); /* of the header */
    struct fault f;

    record_close_all(r);
    r->record.master.segments = 0;
    if (strlen(name) > WFDB_NAME_MAX + 4) {
        (void)fault(&f, 0, "the header's file name is longer than %d bytes", WFDB_NAME_MAX + 4);
        return record_fault(r, &f);
    }
    (void)snprintf(r->annot_name, sizeof r->annot_name, "%.*s.%s", (int)strlen(name) - 4, name, annotator_of(r));
    if (annotator_of(r)[0] == 0)
        r->annot_name[0] = 0;
    r->folder = folder_open(paths_get(&r->turns.paths, r->turns.index));
    if (r->folder < 0) {
        (void)fault_file(&f, "folder", errno);
        return record_fault(r, &f);
    }
    if (content_begin(&r->content, &r->record, r->folder, name, r->annot_name, &f))
        return record_fault(r, &f);
    return AFF_OK;
}

aff_status record_hash_step(void *self)
{
    struct reader *r = self;
    struct fault f;
    int got = content_step(&r->content, &f);

    if (got < 0)
        return record_fault(r, &f);
    if (got)
        return AFF_AGAIN;
    content_end(&r->content);
    return AFF_OK;
}

static int annots_open(struct reader *r, struct fault *f)
{
    struct wfdb_bytes bytes;
    uint64_t size;

    r->has_annots = r->has_next = r->annots_over = 0;
    if (!r->annot_name[0])
        return 0;
    r->annot_fd = file_open(r->folder, "", r->annot_name, &size);
    if (r->annot_fd < 0) {
        int error = -r->annot_fd;

        r->annot_fd = -1;
        return r->config->annotator || error != ENOENT ? fault_file(f, "annotation file", error) : 0;
    }
    bytes_from_file(&bytes, r->annot_fd, 0, r->annot_room, sizeof r->annot_room);
    annots_begin(&r->annots, &bytes, &r->record.layout.rate);
    r->has_annots = 1;
    return 0;
}

/* Where the record's time begins: its own date, else `start`, else 1970 with the
 * time of day if there is one. */
static int time_begin(struct reader *r, struct fault *f)
{
    const struct wfdb_header *h = &r->record.master;
    int64_t end;
    uint32_t i;

    r->clock = h->has_date || r->config->start ? AFF_CLOCK_RECORDED : AFF_CLOCK_NONE;
    r->begin_ns = h->day_ns;
    if (h->has_date)
        r->begin_ns += h->date * INT64_C(86400000000000);
    else if (r->config->start)
        (void)when_read(r->config->start, &r->begin_ns); /* checked by validate */
    if (!when_at(r->begin_ns, r->record.frames, &h->rate, &end))
        return fault(f, 0, "the record lasts beyond the year 2262");
    for (i = 0; i < r->record.track_count; i++) {
        struct rate rate;

        if (!rate_times(&h->rate, r->record.track[i].per_frame, &rate))
            return fault(f, 0, "the sampling frequency of a signal has too many digits");
    }
    return 0;
}

aff_status record_open_all(void *self)
{
    struct reader *r = self;
    struct wfdb_options options = { r->config->block, r->turns.selected, r->config->signals.count };
    struct fault f;

    memset(r->now, 0, sizeof r->now);
    memset(r->told, 0, sizeof r->told);
    r->stream_count = r->annot_stream = 0;
    r->pace.anchored = 0;
    r->record.listener.context = r;
    r->record.listener.tell = event_tell;
    if (record_open(&r->record, r->folder, turns_file(&r->turns), &options, &f))
        return record_fault(r, &f);
    if (annots_open(r, &f) || time_begin(r, &f)) {
        aff_status st = record_fault(r, &f);

        record_close(&r->record);
        return st;
    }
    return AFF_OK;
}

/* Tells the host whose data comes, and under which identity. */
aff_status record_name(void *self)
{
    struct reader *r = self;
    const struct aff_host *host = r->turns.host;

    r->subject = host->subject(host, r->record.master.name);
    if (!r->subject)
        return AFF_ERR_MEMORY;
    turns_named(&r->turns, r->content.digest.hash, METRIC_RECORDS);
    return AFF_OK;
}
