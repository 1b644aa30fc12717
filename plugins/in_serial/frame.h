/* SPDX-License-Identifier: Apache-2.0
 *
 * frame.h - where in a run of bytes a frame begins and ends.
 *
 * A framer looks at the bytes that are there and says one of three things: more
 * must come; a frame is the next `raw` bytes; the next `raw` bytes are none. It
 * keeps no bytes, and what it says depends on the bytes alone, never on how they
 * came: the same frames whole, byte by byte, or cut at random. Only FRAME_SILENCE is
 * about when they came: its frames are what framer_expire finds.
 *
 * Not here: keeping bytes until they are a frame, progress (window.h). */
#ifndef IN_SERIAL_FRAME_H
#define IN_SERIAL_FRAME_H

#include "sum.h"
#include "text.h"

enum { FRAME_MARKS_MOST = 16 };

enum frame_kind { FRAME_RAW, FRAME_LINE, FRAME_FIXED, FRAME_LENGTH, FRAME_STX_ETX, FRAME_SLIP, FRAME_COBS, FRAME_MARKED,
                  FRAME_SILENCE };

/* Byte strings of which none begins another, so that at one place at most one
 * stands. */
struct marks {
    struct mark items[FRAME_MARKS_MOST];
    uint32_t count;
    bool first[256]; /* bytes that begin one */
};

/* What a length field counts. */
enum frame_counts { COUNTS_PAYLOAD, COUNTS_REST, COUNTS_FRAME };

/* Where a checksum stands and what it covers; all counts in bytes. Inside: in
 * the last bytes before the end mark (or of a frame without one). Behind: after
 * the end mark. It covers all from behind the start mark (from the start mark on
 * with cover_start) up to itself; behind, the end mark only with cover_end. */
struct frame_sum {
    struct sum_rule rule;
    bool behind, cover_start, cover_end;
    size_t skip_first, skip_last; /* not covered at either end */
    size_t after;                 /* bytes that follow the checksum in the frame */
};

struct frame_rule {
    enum frame_kind kind;
    size_t most;     /* largest frame, as on the line but without escapes */
    bool whole;      /* the frame as it came is given on, not its content */
    bool keep_empty; /* also frames without content */
    struct marks starts, ends;
    bool ascii;      /* LINE: only printable ASCII and tabs make up a line */
    bool strict;     /* LINE: a line with any other byte is bad */
    size_t size;     /* FIXED */
    uint8_t sync;    /* FIXED: bits that are set in a frame's first byte and in no other; 0: none */
    size_t offset, width, header, trailer; /* LENGTH; the header counts from the frame's first byte */
    enum frame_counts counts;
    int64_t add; /* to the field's value */
    bool little;
    bool has_escape, start_is_content; /* MARKED, STX_ETX */
    uint8_t escape, escape_xor;
    size_t tail; /* MARKED, STX_ETX: bytes behind the end mark, the checksum among them */
    struct frame_sum sum;
};

/* Why bytes are no frame. */
enum frame_reason {
    REASON_NONE,     /* between frames: delimiters, empty frames */
    REASON_GARBAGE,  /* bytes in which no frame begins */
    REASON_LONG,     /* bad frames from here on: above `most` */
    REASON_LENGTH,   /* a length field that cannot be */
    REASON_SUM,      /* checksum */
    REASON_ENCODING, /* an escape or code that cannot be */
    REASON_CUT,      /* its end never came */
    FRAME_REASONS
};

enum frame_what { FRAME_MORE, FRAME_FOUND, FRAME_SKIP };

struct frame_step {
    uint8_t what;
    uint8_t reason;   /* of SKIP */
    uint8_t sure;     /* of FOUND: its beginning was seen, not only its end */
    size_t raw;       /* of FOUND and SKIP: bytes that are dealt with, never 0 */
    const uint8_t *at; /* of FOUND: what is given on; borrowed until the next call */
    size_t size;
};

struct framer {
    struct frame_rule rule;
    struct sum sum;
    size_t reach;     /* with so many bytes a framer never wants more */
    uint8_t *scratch; /* `reach` bytes, the owner's; where escapes are taken out */
    /* What is known of the bytes that were there before. */
    size_t scanned; /* of the bytes at hand: looked at, and nothing ends there */
    bool passing;   /* inside a frame that is too long */
    bool begun;     /* a beginning was seen */
    bool lost;      /* the last bytes were no frame, and no mark says where one is */
};

/* Marks of a list. False: more than fit, or one begins another. */
bool marks_add(struct marks *m, const struct mark *mark);
/* Whether two lists are the same, one by one. */
bool marks_same(const struct marks *a, const struct marks *b);
/* The first place at or behind `from` where a mark stands. FRAME_FOUND, with
 * *ret_at and *ret_mark; FRAME_MORE: none does, and none can begin before
 * *ret_at. */
enum frame_what marks_find(const struct marks *m, const uint8_t *at, size_t have, size_t from, size_t *ret_at,
                           const struct mark **ret_mark);
/* Whether one stands right here: FRAME_FOUND, FRAME_SKIP (no), or FRAME_MORE (may be). */
enum frame_what marks_here(const struct marks *m, const uint8_t *at, size_t have, const struct mark **ret_mark);

/* Copies the rule and computes ->reach. The caller then gives ->scratch. */
void framer_set(struct framer *f, const struct frame_rule *rule);
/* Forgets what it knew: the line was lost. */
void framer_reset(struct framer *f);
/* [data] The next step over `have` bytes; those of the last FRAME_MORE first, then
 * what came since. Never FRAME_MORE for `reach` bytes. */
struct frame_step framer_next(struct framer *f, const uint8_t *at, size_t have);
/* [data] Nothing came for so long that nothing will: what has begun is bad, or,
 * where frames have no end of their own, whole. Never FRAME_MORE unless `have` is 0. */
struct frame_step framer_expire(struct framer *f, const uint8_t *at, size_t have);

/* Makes a frame of a content, as the framer reads it. Returns its size, 0 when it
 * does not fit into `room`, would end before its end, or this kind of frame cannot
 * be made. */
size_t frame_encode(const struct framer *f, const uint8_t *content, size_t size, uint8_t *to, size_t room);
bool frame_encodes(const struct frame_rule *rule);
/* Whether a content holds what would be a mark, where nothing can be escaped. */
bool frame_holds_mark(const struct frame_rule *rule, const uint8_t *content, size_t size);

/* For the framers themselves: frame_line.c, frame_block.c, frame_marked.c,
 * frame_coded.c. */
struct frame_step line_next(struct framer *f, const uint8_t *at, size_t have);
struct frame_step block_next(struct framer *f, const uint8_t *at, size_t have);
struct frame_step marked_next(struct framer *f, const uint8_t *at, size_t have);
struct frame_step coded_next(struct framer *f, const uint8_t *at, size_t have);
/* Looks for a delimiter up to `most` bytes in. FOUND: ->raw is its place, ->size
 * its size; SKIP: the step to answer. */
struct frame_step delimiter_find(struct framer *f, const uint8_t *at, size_t have, size_t most);
struct frame_step frame_more(void);
struct frame_step frame_skip(enum frame_reason reason, size_t raw);
/* A whole frame in parts: start mark, body, end mark, tail; `plain` without
 * escapes. Judges the checksum and cuts out the content: FOUND, or SKIP with the
 * reason and raw 0. */
struct frame_parts {
    const uint8_t *plain;
    size_t start, body, end, tail; /* sizes, one behind the other */
};
struct frame_step frame_judge(const struct framer *f, const struct frame_parts *p);

#endif
