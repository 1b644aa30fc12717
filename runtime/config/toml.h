/* toml.h - TOML 1.0.0 text into a tree of values.
 *
 * The parser is toml++; this is all that the rest of the program sees of it.
 * A text that is not valid gives one message, with its place: behind the first
 * syntax error everything else is guesswork.
 *
 * Not here: ${...} (expand.h), what the values mean (options.h, pipeline.h). */
#ifndef AFFERENT_CONFIG_TOML_H
#define AFFERENT_CONFIG_TOML_H

#include "config/value.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bounds that no pipeline comes near and that keep a hostile file from using
 * up stack or memory. */
#define TOML_BYTES_MAX ((size_t)4 << 20)
#define TOML_NESTING_MAX 64
#define TOML_KEY_PARTS_MAX 32

/* The document as a table, or NULL after one message in `report`. `file` is
 * the name for messages; it must live as long as the tree. */
struct value *toml_parse(struct arena *arena, struct report *report, const char *file,
                         const char *bytes, size_t length);

/* The same for the content of a file; says why a file cannot be read. */
struct value *toml_load(struct arena *arena, struct report *report, const char *path);

/* One value, as it stands behind a "=": for --set and for defaults. NULL when
 * the text is no single TOML value (nothing is reported) or memory is out.
 * Every part of it gets `place`. */
struct value *toml_value(struct arena *arena, struct place place, const char *text);

/* Checks that come before the parser (toml_check.c). NULL when all is well,
 * else what is wrong, with `place->line` and `column` set. */
const char *toml_check(const char *bytes, size_t length, struct place *place);

/* What to do about a line that the parser refused in the words `said` (toml_hint.c);
 * NULL where nothing can be guessed. A constant. */
const char *toml_hint(const char *bytes, size_t length, uint32_t line, const char *said);

/* What the parser said, in plain words; NULL: its own will do. */
const char *toml_plain(const char *said);

#ifdef __cplusplus
}
#endif

#endif
