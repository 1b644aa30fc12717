/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.h - an instance of in_edf: files one after another, as host records.
 *
 * For each file: hash its content (the incarnation), open it, search it for
 * annotations, emit samples and annotations in order of event time, end its
 * streams, go on. A position is the number of the file and how many host records
 * of it were emitted; resuming goes over those again without reading samples. */
#ifndef IN_EDF_READER_H
#define IN_EDF_READER_H

#include "marks.h"
#include "recording/digest.h"
#include "recording/pace.h"
#include "recording/paths.h"
#include "recording/place.h"
#include "recording/when.h"
#include "tracks.h"

#include <afferent/plugin.h>

struct config {
    struct aff_list path;
    int64_t block;
    int32_t pace;
    const char *start;
    struct aff_list signals;
};

enum { PORT_SAMPLES, PORT_ANNOTATIONS };
enum { COLUMN_TEXT, COLUMN_ONSET, COLUMN_DURATION, COLUMN_RECORD, COLUMN_START, COLUMNS };
enum { METRIC_FILES, METRIC_ANNOTATIONS, METRIC_UNORDERED, METRIC_GAPS, METRIC_EVENTS };
enum { LOG_EACH = 4 };

extern const struct aff_schema edf_annotation_schema;

enum state { STATE_BEGIN, STATE_HASH, STATE_OPEN, STATE_NAME, STATE_DATA, STATE_ENDED };

struct reader {
    const struct aff_host *host;
    const struct config *config;
    const char **selected;
    struct paths paths;
    uint32_t index; /* file being read */
    enum state state;
    int folder;
    uint8_t has_known;
    uint8_t known[DIGEST_SIZE]; /* the incarnation that the host has */
    uint64_t emitted, skip;
    int64_t base_ns; /* the header's start */
    int64_t last_ns; /* of the annotation before */
    uint8_t clock;
    struct pace pace;
    uint32_t subject;
    uint32_t annot_schema, annot_stream;
    struct {
        uint32_t schema, stream;
    } now[TRACKS_MAX]; /* what a track's pieces are emitted as; 0: not yet known */
    uint32_t told[EVENT_COUNT];
    struct aff_column column[EDF_SIGNALS_MAX];
    char text[2 * TAL_ROOM];
    struct digest digest;
    struct edf_tracks tracks;
    struct edf_marks marks;
    struct edf_data data;
};

/* reader.c */
aff_status reader_open(const struct aff_host *host, const void *config, void **ret_self);
void reader_close(void *self);
aff_status reader_read(void *self, uint32_t want);
aff_status reader_snapshot(void *self, void *buffer, size_t room, size_t *ret_size);
aff_status reader_restore(void *self, const void *buffer, size_t size);

/* opening.c: from a path to a file that is open. Each can be called again after
 * a failure. */
aff_status file_hash_begin(struct reader *r);
aff_status file_hash_step(struct reader *r);
aff_status file_open_all(struct reader *r);
aff_status file_name(struct reader *r);
void file_close_all(struct reader *r);
/* Explains a fault: AFF_ERR_IO for what may be there later, else AFF_ERR_DATA. */
aff_status file_fault(struct reader *r, const struct fault *f);
extern const char *const edf_suffixes[];

/* making.c: one host record. */
aff_status piece_stream(struct reader *r, uint32_t track);
aff_status piece_emit(struct reader *r, const struct edf_piece *p);
aff_status mark_stream(struct reader *r);
aff_status mark_emit(struct reader *r, const struct edf_mark *m, int64_t event_ns);
aff_status mark_dead(struct reader *r, const struct edf_mark *m);
void event_tell(void *context, enum edf_event event);

#endif
