/* SPDX-License-Identifier: Apache-2.0
 *
 * opening.c - from a path to an open file. See reader.h. */
#include "reader.h"

#include "recording/files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *const edf_suffixes[] = { ".edf", ".EDF", ".bdf", ".BDF", ".rec", ".REC", NULL };

/* Names of files are names of patients, so a file is said by its place. */
aff_status file_fault(struct reader *r, const struct fault *f)
{
    const struct aff_host *host = r->turns.host;
    char signal[32] = "";

    if (f->line)
        (void)snprintf(signal, sizeof signal, ", signal %u", f->line);
    return host->explain(host, f->missing ? AFF_ERR_IO : AFF_ERR_DATA, "file %u of %u%s: %s", r->turns.index + 1,
                         r->turns.paths.count, signal, f->what);
}

/* What a reader noticed and went on from: counted always, said a few times. */
void event_tell(void *context, enum edf_event event)
{
    static const struct {
        int level;
        const char *text;
    } events[EVENT_COUNT] = {
        [EVENT_SHORT] = { AFF_LOG_ERROR, "the file ends before its data records do; only whole ones are read" },
        [EVENT_LONG] = { AFF_LOG_WARN, "the file goes on behind the data records that its header announces; "
                                       "that is left out" },
        [EVENT_TIMELESS] = { AFF_LOG_WARN, "a data record does not say when it began; it is put behind the one before" },
        [EVENT_BACK] = { AFF_LOG_WARN, "a data record says that it began before the one before it ended; "
                                       "it is put behind that" },
        [EVENT_JUMP] = { AFF_LOG_WARN, "the times of data records do not follow one another, though the file is not "
                                       "EDF+D; samples are read as if they did" },
        [EVENT_LATIN] = { AFF_LOG_WARN, "an annotation is not UTF-8; it is taken for Latin-1" },
        [EVENT_LARGE] = { AFF_LOG_WARN, "a data record is larger than 61440 bytes, which other programs may refuse" },
    };
    struct reader *r = context;
    const struct aff_host *host = r->turns.host;

    if (turns_passes(&r->turns)) /* said before the restart */
        return;
    host->count(host, METRIC_EVENTS + (uint32_t)event, 1);
    if (r->told[event]++ >= LOG_EACH)
        return;
    host->log(host, events[event].level, "file %u of %u: %s%s", r->turns.index + 1, r->turns.paths.count,
              events[event].text, r->told[event] == LOG_EACH ? " (more of this kind is only counted)" : "");
}

void file_close_all(void *self)
{
    struct reader *r = self;

    digest_close(&r->digest);
    data_close(&r->data);
    if (r->folder >= 0)
        (void)close(r->folder);
    r->folder = -1;
}

static aff_status missing(struct reader *r, const char *what, int error)
{
    struct fault f;

    (void)fault_file(&f, what, error);
    return file_fault(r, &f);
}

aff_status file_hash_begin(void *self)
{
    struct reader *r = self;
    uint64_t size;
    int fd;

    file_close_all(r);
    r->folder = folder_open(paths_get(&r->turns.paths, r->turns.index));
    if (r->folder < 0)
        return missing(r, "folder", errno);
    fd = file_open(r->folder, "", turns_file(&r->turns), &size);
    if (fd < 0)
        return missing(r, "file", -fd);
    digest_begin(&r->digest);
    digest_file(&r->digest, fd);
    return AFF_OK;
}

aff_status file_hash_step(void *self)
{
    struct reader *r = self;
    int turn;

    /* The window is free until the file is opened. */
    for (turn = 0; turn < 16; turn++) {
        ssize_t got = digest_read(&r->digest, r->data.window, sizeof r->data.window);

        if (got < 0)
            return missing(r, "file", errno);
        if (got == 0) {
            digest_end(&r->digest);
            return AFF_OK;
        }
    }
    return AFF_AGAIN;
}

/* Where the file's time begins: its own date, else `start`, else 1970 with the
 * time of day; a date that is doubtful stands back behind `start`. */
static int time_begin(struct reader *r, struct fault *f)
{
    const struct edf_header *h = &r->data.header;
    int64_t end;

    r->clock = h->date != DATE_NONE || r->config->start ? AFF_CLOCK_RECORDED : AFF_CLOCK_NONE;
    r->base_ns = h->day_ns;
    if (h->date == DATE_SURE || (h->date == DATE_DOUBTFUL && !r->config->start))
        r->base_ns += h->days * INT64_C(86400000000000);
    else if (r->config->start)
        (void)when_read(r->config->start, &r->base_ns); /* checked by validate */
    if (__builtin_add_overflow(r->base_ns, r->data.first_ns, &end) || !data_after(&r->data, end, r->data.records, &end))
        return fault(f, 0, "the file lasts beyond the year 2262");
    return 0;
}

aff_status file_open_all(void *self)
{
    struct reader *r = self;
    struct edf_wanted wanted = { r->config->block, r->turns.selected, r->config->signals.count };
    struct fault f;
    uint32_t i, signals = 0;

    memset(r->now, 0, sizeof r->now);
    memset(r->told, 0, sizeof r->told);
    r->annot_stream = 0;
    r->last_ns = INT64_MIN;
    r->pace.anchored = 0;
    r->data.listener = (struct edf_listener){ r, event_tell };
    if (data_open(&r->data, r->folder, turns_file(&r->turns), &f))
        return file_fault(r, &f);
    for (i = 0; i < r->data.header.signals; i++)
        signals += !r->data.header.signal[i].is_annotation;
    if (time_begin(r, &f) || tracks_begin(&r->tracks, &r->data, &wanted, r->base_ns, &f))
        return file_fault(r, &f);
    if (signals && !r->tracks.count) {
        (void)fault(&f, 0, "none of the wanted signals is in the file; see the option signals");
        return file_fault(r, &f);
    }
    marks_begin(&r->marks, &r->data);
    return AFF_OK;
}

/* The file's name without folder and suffix: what its patient goes by. */
static void subject_of(const struct reader *r, char to[512])
{
    const char *name = turns_file(&r->turns);
    size_t n = strlen(name), i;

    for (i = 0; edf_suffixes[i]; i++) {
        size_t suffix = strlen(edf_suffixes[i]);

        if (n > suffix && strcmp(name + n - suffix, edf_suffixes[i]) == 0) {
            n -= suffix;
            break;
        }
    }
    (void)text_utf8(to, 512, name, n);
}

/* Tells the host whose data comes, and under which identity. */
aff_status file_name(void *self)
{
    struct reader *r = self;
    const struct aff_host *host = r->turns.host;
    char subject[512];

    subject_of(r, subject);
    r->subject = host->subject(host, subject);
    if (!r->subject)
        return AFF_ERR_MEMORY;
    turns_named(&r->turns, r->digest.hash, METRIC_FILES);
    return AFF_OK;
}
