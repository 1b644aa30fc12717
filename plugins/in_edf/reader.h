/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.h - an instance of in_edf: a file's samples and annotations in order of
 * event time. Opening searches the file for annotations; resuming goes over what
 * was emitted without reading samples.
 *
 * Not here: one file after another, and where to go on (recording/turns.h). */
#ifndef IN_EDF_READER_H
#define IN_EDF_READER_H

#include "marks.h"
#include "recording/pace.h"
#include "recording/turns.h"
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

struct reader {
    struct turns turns;
    const struct config *config;
    int folder;
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

/* reader.c; the plugin's other callbacks are those of turns. */
aff_status reader_open(const struct aff_host *host, const void *config, void **ret_self);

/* opening.c: from a path to a file that is open. See struct turns_kind. */
aff_status file_hash_begin(void *self);
aff_status file_hash_step(void *self);
aff_status file_open_all(void *self);
aff_status file_name(void *self);
void file_close_all(void *self);
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
