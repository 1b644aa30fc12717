/* SPDX-License-Identifier: Apache-2.0
 *
 * parse.h - the map from frames to columns: as options write it, and made ready.
 *
 * All columns of all kinds of frames make one row type; a frame fills those of
 * its kind. Typed cells, times, subjects and streams are those of rows/.
 *
 * Not here: the option table (options.h), what is refused (check.c). */
#ifndef OP_PARSE_PARSE_H
#define OP_PARSE_PARSE_H

#include <rows/rows.h>
#include <rows/split.h>

enum { FRAMES_MOST = 64, PLACES_MOST = 1024, BEGINS_MOST = 32, SPECIALS_MOST = 16, SEPARATORS_MOST = 8, LOG_WHY = 160,
       UNREAD_ENDING = 264 };

enum frame_kind { KIND_KEY, KIND_PAIRS, KIND_DELIMITED, KIND_FIXED, KIND_BINARY };
enum start_way { START_FRAME, START_KEY, START_ANYWHERE };
enum split_way { SPLIT_NONE, SPLIT_LF, SPLIT_CR, SPLIT_LINES, SPLIT_ZEROS };
enum encoding { ENCODING_UTF8, ENCODING_LATIN1 };
enum endian { ENDIAN_LITTLE, ENDIAN_BIG };
enum decimal { DECIMAL_POINT, DECIMAL_COMMA };
enum digits { DIGITS_DECIMAL, DIGITS_HEX };
enum column_endian { COLUMN_AS_FRAME, COLUMN_LITTLE, COLUMN_BIG };
/* What a value does that cannot be read, or lies outside of its range. */
enum trouble { TROUBLE_MISSING, TROUBLE_SUSPECT, TROUBLE_FRAME };
enum raw_kind {
    RAW_U8, RAW_I8, RAW_U16, RAW_I16, RAW_U24, RAW_I24, RAW_U32, RAW_I32, RAW_U64, RAW_I64, RAW_F32, RAW_F64,
    RAW_BCD, RAW_TEXT, RAW_KINDS
};

/* A column of a kind of frame, as the options write it. */
struct column_config {
    struct rows_column out; /* first; its `from` is the key of a pair */
    const char *prefix, *suffix, *strip;
    struct aff_list suspect, yes;  /* of const char * */
    struct aff_list low, high;     /* of double, at most one */
    int64_t field, at, length, bit, bits, mask;
    double scale, offset;
    int32_t raw, bad, outside, digits, endian;
};

struct frame_config {
    const char *name, *key, *assign, *separator, *quote, *begins, *begins_hex;
    struct aff_list columns; /* of struct column_config */
    int64_t size, fields;
    int32_t kind, decimal, endian;
};

struct config {
    struct aff_list frames; /* of struct frame_config */
    struct aff_list ignore; /* of const char * */
    const struct rows_time *time;
    const char *subject, *stream, *frame_column;
    int32_t start, split, encoding;
};

/* Why a frame makes no row: the verdict table, from 1 on. */
enum reason {
    FINE,
    BAD_FRAME,
    BAD_VALUE,
    OUT_OF_RANGE,
    MISSING_VALUE,
    BAD_TIME,
    NO_SUBJECT,
    TOO_MANY_SUBJECTS,
    TOO_LARGE,
    LAST_DEAD = TOO_LARGE,
    NO_MATCH
};

enum metric { METRIC_ROWS, METRIC_BAD, METRIC_NO_MATCH, METRIC_BAD_VALUES, METRIC_OUTSIDE, METRIC_SUSPECT, METRICS };

/* A column of a kind of frame, made ready. */
struct place {
    const struct column_config *config;
    uint32_t target; /* of rows.targets, which is also its source */
    double low, high;
    bool has_low, has_high, scaled;
    uint32_t special_count; /* binary: what `missing` says, as map_special gives it */
    uint64_t specials[SPECIALS_MOST];
};

struct frame {
    const struct frame_config *config;
    const char *name;     /* borrowed from the options */
    struct place *places; /* borrowed from the parser */
    uint32_t place_count;
    uint32_t begins_size;
    unsigned char begins[BEGINS_MOST];
    char key[264]; /* with what follows it, as it stands in a frame */
    uint32_t key_size;
    char separator; /* 0: runs of blanks */
    const char *separators; /* each of which separates, borrowed; NULL: `separator` does */
    char quote;
    char assign;
    char point;
};

/* A frame in hand. */
struct piece {
    const char *text;
    size_t size;
    uint64_t at; /* in its record */
};

struct parser {
    const struct aff_host *host;
    const struct config *config;
    struct rows rows;
    struct route unread; /* streams of events */
    uint32_t unread_schema;
    char unread_ending[UNREAD_ENDING]; /* of their names */
    struct rows_config rows_config;
    struct rows_column *columns; /* of all frames, each once */
    struct place *places;
    struct frame *frames;
    uint32_t frame_count;
    int32_t frame_target; /* the column of the frame's name; -1: none */
    struct split split;
    char *scratch; /* quoted fields without their doubled quotes */
    size_t scratch_room, scratch_used;
    int64_t log_after_ns;
    uint64_t unlogged;

    /* The record and the frame in hand. */
    uint64_t counts[METRICS];
    bool suspect;
    char why[LOG_WHY]; /* which column of which frame, and what: never a value */
};

/* ---- map.c: the map flattened; pure but for rows of the caller's memory ---- */
const struct frame_config *frame_at(const struct config *c, uint32_t i);
const struct column_config *column_at(const struct frame_config *f, uint32_t i);
const char *frame_name(const struct frame_config *f);
/* How many columns there are at most, each counted as often as it is written. */
uint32_t map_count(const struct config *c);
/* All columns, each once, into `columns` (room for map_count() of them and one),
 * and a rows_config over them. */
void map_flatten(const struct config *c, struct rows_column *columns, struct rows_config *ret);
/* The number of a column in what map_flatten made. */
uint32_t map_find(const struct rows_config *flat, const char *name);
/* "" or "blanks": 0; one character or "tab": that; -1: neither. */
int map_separator(const char *option);
/* Whether it is several characters, each of which stands between fields. */
bool map_separators(const char *option);
/* Bytes written in hexadecimal, with blanks between; -1: not that, or too many. */
int map_hex(const char *text, unsigned char *ret, uint32_t room);
uint32_t map_raw_width(int32_t raw); /* 0: `length` says it */
/* A text of a list of texts. */
const char *map_text(const struct aff_list *list, uint32_t i);
/* How many bits of a stored integer the column names, all from `bit` on if it says
 * nothing; not for other kinds of raw. */
uint32_t map_raw_bits(const struct column_config *c);
/* A `missing` text of a binary column: of an integer or bcd its 64 bits, extended by
 * its sign, of a float those of the double. NEVER: no value of that type is it. */
enum special { SPECIAL_NONE, SPECIAL_NEVER, SPECIAL_FINE };
enum special map_special(const struct column_config *c, const char *text, uint64_t *ret);
void map_frame(const struct config *c, uint32_t i, struct frame *ret);
void map_place(const struct column_config *c, uint32_t target, struct place *ret);

/* ---- check.c ---- */
bool map_check(const struct config *c, const struct aff_report *report);
aff_status map_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

/* ---- match.c ---- */
/* Whether all of it is text: no control characters, and of the node's encoding. */
bool text_ok(const struct parser *p, const char *text, size_t size);
/* The kind that this piece is of, and where in it the frame begins; NULL: none. */
const struct frame *frame_match(const struct parser *p, const struct piece *piece, size_t *ret_at);

/* Whether it is of the kinds that are let go, or has nothing in it. */
bool frame_ignored(const struct parser *p, const struct piece *piece);

/* ---- fields.c, binary.c: all values of a frame; FINE or why there is no row. */
enum reason frame_read_text(struct parser *p, const struct frame *f, const char *text, size_t size);
enum reason frame_read_binary(struct parser *p, const struct frame *f, const unsigned char *bytes, size_t size);

/* ---- value.c ---- */
/* A value that was written as text; a number of it is scaled and held to its range. */
enum reason value_put_text(struct parser *p, const struct frame *f, const struct place *place, const char *text,
                           size_t size);
/* A value that is a number already; `whole` of an integer holds its 64 bits, also
 * where it is too large to be one here (is_whole false). */
enum reason value_put_number(struct parser *p, const struct frame *f, const struct place *place, double value,
                             int64_t whole, bool is_whole);
/* A value that cannot be read. */
enum reason value_bad(struct parser *p, const struct frame *f, const struct place *place, enum reason reason);
/* All values were put. */
enum reason values_end(struct parser *p, const struct frame *f);
/* Says why; always `reason`. `column` may be NULL. */
enum reason frame_bad(struct parser *p, const struct frame *f, const char *column, enum reason reason,
                      const char *what);

#endif
