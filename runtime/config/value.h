/* value.h - a TOML document as a tree: values, their keys, where each stood.
 *
 * Children are in FILE order, which is the order a person expects in messages
 * and in the pipeline. The tree, its keys and texts live in the arena they
 * were made in and are borrowed by everybody who reads them.
 *
 * Not here: reading TOML (toml.h), what the values mean (options.h, pipeline.h). */
#ifndef AFFERENT_CONFIG_VALUE_H
#define AFFERENT_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/arena.h"
#include "util/report.h"

#ifdef __cplusplus
extern "C" {
#endif

enum value_kind {
    VALUE_TEXT,
    VALUE_INT,
    VALUE_REAL,
    VALUE_BOOL,
    VALUE_TIME,
    VALUE_ARRAY,
    VALUE_TABLE,
};

/* Which parts were written: a date, a time, both, both with an offset. */
struct value_time {
    bool has_date, has_time, has_offset;
    uint16_t year;
    uint8_t month, day, hour, minute, second;
    uint32_t nanosecond;
    int16_t offset_minutes;
};

/* Where a text came from. What came from outside the file may be a secret and
 * is never quoted in a message; a message quotes `written` instead. */
enum value_origin { VALUE_WRITTEN, VALUE_FROM_ENV, VALUE_FROM_FILE };

struct value {
    enum value_kind kind;
    struct place place;        /* of the value; for a [table], of its header */

    const char *key;           /* NULL in an array; ends in NUL, may hold NULs */
    size_t key_length;
    struct place key_place;
    struct value *next;        /* the next child of the same parent */

    const char *text;          /* VALUE_TEXT: ends in NUL, may hold NULs */
    size_t text_length;
    enum value_origin origin;
    const char *written;       /* as it stood in the file, before ${...} */
    bool is_broken;            /* its ${...} failed and that was reported */
    const char *open_file;     /* a file it came from that others may read or write */

    int64_t integer;
    double real;
    bool boolean;
    struct value_time time;

    struct value *first;       /* VALUE_ARRAY, VALUE_TABLE */
    struct value *last;
    size_t count;
};

/* All return NULL when there is no memory. */
struct value *value_new(struct arena *arena, enum value_kind kind, struct place place);
bool value_set_key(struct arena *arena, struct value *value, const char *key, size_t length,
                   struct place place);
bool value_set_text(struct arena *arena, struct value *value, const char *text, size_t length);
void value_append(struct value *parent, struct value *child);

/* Takes `child` out of `parent`. */
void value_remove(struct value *parent, struct value *child);

/* The child of a table with this key, NULL when there is none or `table` is
 * NULL or no table. */
struct value *value_find(const struct value *table, const char *key);

/* "a text", "an integer", ...: for messages. */
const char *value_kind_name(const struct value *value);

#ifdef __cplusplus
}
#endif

#endif
