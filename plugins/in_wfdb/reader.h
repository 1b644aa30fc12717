/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.h - an instance of in_wfdb: a record's samples and annotations in order
 * of event time. Resuming reads the record again from its beginning and lets pass
 * what was emitted, which restores checksums, differences and skew without keeping
 * them.
 *
 * Not here: one record after another, and where to go on (recording/turns.h). */
#ifndef IN_WFDB_READER_H
#define IN_WFDB_READER_H

#include "annot.h"
#include "content.h"
#include "record.h"
#include "recording/pace.h"
#include "recording/turns.h"
#include "recording/when.h"

#include <afferent/plugin.h>

struct config {
    struct aff_list path;
    const char *annotator; /* NULL: "atr" where it is there */
    int64_t block;
    int32_t pace;
    const char *start;
    struct aff_list signals;
};

enum { PORT_SAMPLES, PORT_ANNOTATIONS };
enum { COLUMN_CODE, COLUMN_SAMPLE, COLUMN_TYPE, COLUMN_SUBTYPE, COLUMN_CHANNEL, COLUMN_NUMBER, COLUMN_AUX,
       COLUMN_START, COLUMNS };
enum { METRIC_RECORDS, METRIC_ANNOTATIONS, METRIC_UNORDERED, METRIC_GAPS, METRIC_EVENTS };

extern const struct aff_schema wfdb_annotation_schema;

enum { STREAMS_MAX = 64, NAME_ROOM = RATE_TEXT + 12, LOG_EACH = 4 };

/* A stream of samples: one per track, and one more for each calibration that the
 * track takes on in the course of the record. */
struct stream {
    uint32_t track, schema, stream;
};

struct reader {
    struct turns turns;
    const struct config *config;
    int folder;
    int annot_fd;
    uint8_t has_annots, has_next, annots_over;
    int64_t begin_ns;
    uint8_t clock;
    struct pace pace;
    uint32_t subject;
    uint32_t annot_schema, annot_stream;
    uint32_t stream_count;
    struct stream stream[STREAMS_MAX];
    struct {
        uint32_t schema, stream, version;
        uint8_t known;
    } now[WFDB_TRACKS_MAX]; /* what a track's pieces are emitted as */
    uint32_t told[EVENT_COUNT];
    struct aff_column column[WFDB_SIGNALS_MAX];
    char annot_name[2 * WFDB_NAME_MAX + 8];
    struct wfdb_annotation next;
    int64_t next_ns;
    struct wfdb_annots annots;
    uint8_t annot_room[1024];
    struct content content;
    struct wfdb_record record;
};

/* reader.c; the plugin's other callbacks are those of turns. */
aff_status reader_open(const struct aff_host *host, const void *config, void **ret_self);

/* opening.c: from a path to a record that is open, with its annotations. See struct
 * turns_kind. */
aff_status record_hash_begin(void *self);
aff_status record_hash_step(void *self);
aff_status record_open_all(void *self);
aff_status record_name(void *self);
void record_close_all(void *self);
/* Explains a fault: AFF_ERR_IO for what may be there later, else AFF_ERR_DATA. */
aff_status record_fault(struct reader *r, const struct fault *f);
const char *annotator_of(const struct reader *r);

/* making.c: one host record. */
aff_status piece_emit(struct reader *r, const struct wfdb_piece *p, int64_t event_ns);
aff_status piece_stream(struct reader *r, const struct wfdb_piece *p);
aff_status annotation_emit(struct reader *r);
aff_status annotation_stream(struct reader *r);

#endif
