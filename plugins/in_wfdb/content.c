/* SPDX-License-Identifier: Apache-2.0
 *
 * content.c - see content.h. */
#include "content.h"

#include "record_inside.h"

#include <errno.h>
#include <string.h>

enum { STAGE_HEADER, STAGE_SEGMENT, STAGE_FILES, STAGE_ANNOTATION, STAGE_DONE };
enum { STEP_BYTES = 4 << 20 };

int content_begin(struct content *c, struct wfdb_record *record, int folder, const char *name,
                  const char *annotation, struct fault *f)
{
    uint64_t size;

    c->record = record;
    c->annotation = annotation;
    c->digest.fd = -1;
    c->stage = STAGE_HEADER;
    c->signal = 0;
    c->prefix[0] = 0;
    record->folder = folder;
    record->header_fd = file_open(folder, "", name, &size);
    if (record->header_fd < 0)
        return fault_file(f, "header", -record->header_fd);
    if (master_begin(record, f))
        return -1;
    digest_begin(&c->digest);
    digest_file(&c->digest, file_open(folder, "", name, &size));
    return 0;
}

void content_end(struct content *c)
{
    digest_close(&c->digest);
    if (c->record)
        record_close(c->record);
    c->record = NULL;
}

/* The header has been hashed; a record without segments is all in it. */
static int header_done(struct content *c, struct fault *f)
{
    struct wfdb_record *r = c->record;

    c->stage = STAGE_SEGMENT;
    if (r->master.segments)
        return 0;
    lines_rewind(r);
    if (header_read(&r->current, &r->lines, f))
        return -1;
    c->stage = STAGE_FILES;
    c->signal = 0;
    return 0;
}

static int segment_begin(struct content *c, struct fault *f)
{
    struct wfdb_record *r = c->record;
    struct wfdb_segment s;
    uint64_t size;
    int got = header_next_segment(&r->master, &r->lines, &s, f), fd;
    char file[WFDB_NAME_MAX + 8];

    if (got < 0)
        return -1;
    if (got == 0) {
        c->stage = STAGE_ANNOTATION;
        return 0;
    }
    if (!s.name[0])
        return 0;
    header_file(file, s.name);
    fd = file_open(r->folder, "", file, &size);
    digest_file(&c->digest, fd);
    if (fd < 0)
        return 0;
    if (record_header(r, &r->current, s.name, f))
        return -1;
    file_prefix(c->prefix, s.name);
    c->stage = STAGE_FILES;
    c->signal = 0;
    return 0;
}

/* The next signal file of the current header. One that is missing is part of
 * what the record is; whether it is needed, the reader of the record decides. */
static int files_next(struct content *c)
{
    const struct wfdb_header *h = &c->record->current;
    const char *last = c->signal ? header_text(h, h->signal[c->signal - 1].file) : "";
    uint64_t size;

    for (; c->signal < h->signals; c->signal++) {
        const struct wfdb_signal *s = &h->signal[c->signal];

        if (!s->format || strcmp(last, header_text(h, s->file)) == 0)
            continue;
        digest_file(&c->digest, file_open(c->record->folder, c->prefix, header_text(h, s->file), &size));
        c->signal++;
        return 0;
    }
    c->stage = c->record->master.segments ? STAGE_SEGMENT : STAGE_ANNOTATION;
    return 0;
}

static int stage_next(struct content *c, struct fault *f)
{
    uint64_t size;

    switch (c->stage) {
    case STAGE_HEADER:
        return header_done(c, f);
    case STAGE_SEGMENT:
        return segment_begin(c, f);
    case STAGE_FILES:
        return files_next(c);
    default:
        digest_file(&c->digest, c->annotation[0] ? file_open(c->record->folder, "", c->annotation, &size) : -1);
        c->stage = STAGE_DONE;
        return 0;
    }
}

int content_step(struct content *c, struct fault *f)
{
    int64_t left = STEP_BYTES;

    while (left > 0) {
        if (c->digest.fd >= 0) {
            ssize_t got = digest_read(&c->digest, c->record->part.pool, WFDB_BYTES_POOL);

            if (got < 0)
                return fault_file(f, "record's files", errno);
            left -= got;
        } else if (c->stage == STAGE_DONE) {
            digest_end(&c->digest);
            return 0;
        } else if (stage_next(c, f)) {
            return -1;
        }
        left -= 4096; /* small files take time as well */
    }
    return 1;
}
