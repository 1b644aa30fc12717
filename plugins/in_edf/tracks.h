/* SPDX-License-Identifier: Apache-2.0
 *
 * tracks.h - the samples of an open file as a timeline of pieces.
 *
 * Signals of one rate form a track. The tracks' samples come as pieces in order
 * of time: a bounded run of one track, all its channels, with the word `gap`
 * where time is missing before it (EDF+D). A piece may be passed over without
 * reading its samples. Time never goes back: a data record that claims to begin
 * before the one in front of it has ended is put behind that, as suspect. */
#ifndef IN_EDF_TRACKS_H
#define IN_EDF_TRACKS_H

#include "data.h"

enum { TRACKS_MAX = 64, PIECE_BYTES = 32768 /* of a piece's samples at most */ };

/* Data records without a gap between them. */
struct edf_run {
    uint64_t record; /* the first */
    int64_t ns;      /* its time, since the header's start */
};

struct edf_track {
    struct rate rate;
    uint32_t samples;  /* of a channel in a data record */
    uint32_t piece;    /* per channel at most */
    uint16_t channels;
    uint8_t gap;       /* before the next piece */
    uint64_t record;   /* the next sample: in which data record, */
    uint32_t at;       /* where in it, */
    int64_t index;     /* and its number; that goes on by time over gaps */
    int64_t event_ns;  /* its time, since 1970 */
    uint64_t entered;  /* +1: this data record's time has been looked at */
    struct edf_run run;
    int64_t run_index; /* number of the run's first sample */
};

struct edf_piece {
    uint32_t track;
    uint32_t count; /* per channel */
    int64_t first;
    int64_t event_ns, end_ns; /* since 1970: of the first sample, and behind the last */
    int gap, suspect;
};

struct edf_wanted {
    int64_t block_ns;            /* duration of a piece at most */
    const char *const *selected; /* labels; NULL: all */
    uint32_t selected_count;
};

struct edf_tracks {
    struct edf_data *data; /* borrowed */
    int64_t base_ns;       /* the header's start, since 1970 */
    int64_t near_ns;       /* times that differ by no more are the same */
    uint64_t record_told;  /* events were told up to here */
    uint32_t count;
    struct edf_track track[TRACKS_MAX];
};

/* Finds the tracks of a file whose header has been read. */
int tracks_begin(struct edf_tracks *t, struct edf_data *data, const struct edf_wanted *wanted, int64_t base_ns,
                 struct fault *f);
/* The next piece in order of time: 1, at the end 0, or -1. Until tracks_take the
 * answer is the same. */
int tracks_peek(struct edf_tracks *t, struct edf_piece *ret_piece, struct fault *f);
void tracks_take(struct edf_tracks *t, const struct edf_piece *piece);
/* The samples of the piece that was peeked: channel c's from to + c * stride on,
 * in bytes; 16 bits, or 32 for BDF. */
int tracks_read(struct edf_tracks *t, const struct edf_piece *piece, char *to, size_t stride, struct fault *f);

#endif
