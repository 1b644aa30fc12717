/* SPDX-License-Identifier: Apache-2.0
 *
 * record.h - a WFDB record as a timeline of pieces, whatever it is made of.
 *
 * A record has channels; channels of one rate form a track. The reader gives the
 * tracks' samples as pieces in order of time: a bounded run of one track, all
 * its channels, with the word `gap` when samples are missing before it. A single
 * record, a fixed and a variable multi-segment record look alike from outside.
 *
 * Variable layout: channels are those of the layout segment, found again in each
 * segment by their description. A segment whose files are not there is a gap.
 * A stretch in which all channels of a track lack samples for a whole piece is
 * not given out. Memory is constant: this struct, whatever the record's length. */
#ifndef IN_WFDB_RECORD_H
#define IN_WFDB_RECORD_H

#include "recording/unit.h"
#include "segment.h"

enum {
    WFDB_STAGE = 65536,        /* samples decoded ahead, of all tracks together */
    WFDB_PIECE_BYTES = 32768   /* of a piece's samples at most */
};

struct wfdb_channel {
    uint32_t name; /* in the layout's pool */
    uint32_t per_frame;
    int16_t track; /* -1: not selected */
    uint16_t index; /* in the track */
    double gain;
    double baseline;
    char unit[UNIT_ROOM];
};

struct wfdb_track {
    uint32_t per_frame;
    uint16_t channels;
    uint8_t wide;     /* samples need 32 bits */
    uint8_t gap;      /* before the next piece */
    uint32_t version; /* rises when calibration or width of a channel changes */
    uint32_t piece;   /* samples per channel of a piece at most */
    int64_t next;     /* index of the next sample */
    int64_t staged;   /* index of the first that is not in the stage */
    int64_t base;     /* index of the stage's first */
    uint32_t stage;   /* offset of its stage */
    uint32_t stride;  /* from channel to channel there */
};

struct wfdb_piece {
    uint32_t track;
    uint32_t count;    /* per channel */
    int64_t first;     /* index since the record's beginning */
    const int32_t *at; /* channel c: at + c * stride */
    uint32_t stride;
    int gap;
};

struct wfdb_options {
    int64_t block_ns; /* duration of a piece at most */
    const char *const *selected; /* channel names; NULL: all */
    uint32_t selected_count;
};

struct wfdb_record {
    struct wfdb_options options;
    struct wfdb_listener listener;
    int folder; /* borrowed */
    int header_fd;
    int part_is_open;
    int is_variable;
    uint32_t segment; /* number of the one being read, from 1 */
    int64_t frames;   /* of the whole record */
    int64_t end;      /* frame behind the current segment */
    uint32_t track_count;
    struct wfdb_track track[WFDB_TRACKS_MAX];
    struct wfdb_channel channel[WFDB_SIGNALS_MAX];
    struct wfdb_place place[WFDB_SIGNALS_MAX];
    struct wfdb_header master; /* the header that was named */
    struct wfdb_header layout; /* its channels */
    struct wfdb_header current;
    struct wfdb_lines lines;   /* of the master */
    struct wfdb_lines others;  /* of other headers */
    struct wfdb_part part;
    uint8_t lines_room[4096];
    uint8_t others_room[4096];
    int32_t stage[WFDB_STAGE];
};

/* Opens the record whose header is the file `name` in `folder`. -1: a fault, and
 * nothing stays open. The listener must be set before. */
int record_open(struct wfdb_record *r, int folder, const char *name, const struct wfdb_options *options,
                struct fault *f);
void record_close(struct wfdb_record *r);
/* The next piece in order of time: 1, at the end 0, or -1; 2 after so much empty
 * stretch that the caller should have a look around before it asks again. The
 * piece's samples stay until record_take; until then the answer is the same. */
int record_peek(struct wfdb_record *r, struct wfdb_piece *ret_piece, struct fault *f);
void record_take(struct wfdb_record *r, const struct wfdb_piece *piece);

/* The header of a record or segment, by name without ".hea". */
int record_header(struct wfdb_record *r, struct wfdb_header *to, const char *name, struct fault *f);

#endif
