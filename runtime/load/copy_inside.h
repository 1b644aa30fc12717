/* copy_inside.h - what the parts of copy.h share: the copier and its bounds.
 *
 * Not here: the meaning of a table (copy_options.c, copy_ports.c, copy.c). */
#ifndef AFFERENT_LOAD_COPY_INSIDE_H
#define AFFERENT_LOAD_COPY_INSIDE_H

#include "load/copy.h"
#include "load/peek.h"

/* Generous for people, small enough that a hostile table costs nothing. */
enum {
    NAME_ROOM = 32,
    WORD_ROOM = 256,      /* units, choices, column names */
    SENTENCE_ROOM = 4096, /* docs, presets, summary */
    STRIDE_MAX = 4096,
    OPTIONS_MAX = 1024,   /* of all tables of a plugin together */
    CHOICES_MAX = 256,
    NESTING_MAX = 4,
    PORTS_MAX = 64,
    VERDICTS_MAX = 255,   /* a verdict is one byte */
    METRICS_MAX = 256,
    COLUMNS_MAX = 4096,
    CONFIG_BYTES_MAX = 1 << 20
};

struct copier {
    struct arena *arena;
    struct text *why;
    struct peek peek;
    uint32_t options_left;
    char where[96]; /* "option band.low": what is looked at now */
};

/* Says "WHERE: text" as the reason; returns false. */
__attribute__((format(printf, 2, 3)))
bool copier_refuse(struct copier *c, const char *format, ...);

/* Sets what is looked at. */
__attribute__((format(printf, 2, 3)))
void copier_at(struct copier *c, const char *format, ...);

/* What a string must be. */
enum string_kind {
    STRING_NAME,     /* [a-z][a-z0-9_]* */
    STRING_ITEM,     /* the same, or "" */
    STRING_WORD,     /* printable, not empty */
    STRING_SENTENCE, /* the same, longer */
    STRING_MAYBE     /* NULL, or printable and as long */
};

/* Replaces *string, which points into the plugin, by a copy of ours. */
bool string_copy(struct copier *c, const char **string, const char *what, enum string_kind kind);

/* Rows of a table: `ours` bytes each, of which a plugin has at least `least`. */
struct row_rule {
    const char *what; /* "options" */
    size_t ours;
    size_t least;
    uint32_t most; /* rows */
};

/* Gives zeroed rows of ours, filled as far as theirs go. */
bool rows_copy(struct copier *c, const struct aff_table *table, const struct row_rule *rule, void **ret_rows);

/* The option table, with what is nested in it; `bytes` is the config struct's size. */
bool options_copy(struct copier *c, const struct aff_table *table, uint32_t bytes,
                  const struct aff_option **ret_options);

/* A port table; `inputs` is the count of inputs for outputs, 0 for inputs. */
bool ports_copy(struct copier *c, const struct aff_table *table, bool is_output, uint32_t inputs,
                const struct aff_port **ret_ports);

#endif
