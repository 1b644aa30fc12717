/* text.h - a growing text, and values as CSV (RFC 4180) and JSON (RFC 8259).
 *
 * A text that could not grow is marked and takes nothing more; who writes asks
 * once at the end. Text that is not UTF-8 comes out with U+FFFD for each bad
 * byte, so what is written always is.
 */
#ifndef TEXT_TEXT_H
#define TEXT_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
    char *bytes;
    size_t size;
    size_t room;
    int failed;
};

void text_add(struct text *t, const char *bytes, size_t size);
void text_say(struct text *t, const char *words);
void text_free(struct text *t);

/* What the value is written as. */
enum text_style { TEXT_CSV, TEXT_JSON };

/* A text value: quoted where it must be (CSV), always (JSON). */
void text_string(struct text *t, enum text_style style, const char *bytes, size_t size);
/* A number with as few digits as give it back when read; nothing (CSV) or null
 * (JSON) for what is none. */
void text_real(struct text *t, enum text_style style, double v);
void text_float(struct text *t, enum text_style style, float v);
void text_int(struct text *t, int64_t v);
/* A missing value. */
void text_none(struct text *t, enum text_style style);
/* 2026-11-21T07:00:00.123456789Z; trailing zeros of the second are left out. */
void text_time(struct text *t, int64_t utc_ns);
/* Base64 (RFC 4648, with padding). */
void text_base64(struct text *t, const uint8_t *bytes, size_t size);
/* One line for people: controls, separators of lines and marks that turn the direction
 * of writing become spaces. */
void text_line(struct text *t, const char *bytes, size_t size);
/* Whether all of it is UTF-8 (RFC 3629). */
int text_is_utf8(const char *bytes, size_t size);

#endif
