/* template.h - texts with places in braces, "NEWS2 {score}: call the team".
 *
 * A template is checked and cut into pieces once; later it is filled from values
 * that the caller gives by name. What is filled in is one line of valid UTF-8:
 * control characters become spaces, bytes that are no UTF-8 become '?', and a
 * text that is too long ends with "...". "{{" and "}}" stand for the braces.
 *
 * Not here: which names there are, and where values come from (whoever fills it). */
#ifndef ALERT_ROWS_TEMPLATE_H
#define ALERT_ROWS_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEMPLATE_PIECES = 32, TEMPLATE_MOST = 512, NAME_MOST = 64 };

/* A run of plain text, or (name) a place to be filled. Borrowed from the text. */
struct piece {
    const char *at;
    uint16_t length;
    bool name;
};

struct template {
    struct piece pieces[TEMPLATE_PIECES];
    uint32_t count;
};

/* NULL, or what is wrong with the text: "a { is not closed". */
const char *template_read(const char *text, struct template *ret);

/* A line that is being written. `room` is at least 4. */
struct line {
    char *at;
    size_t length, room;
    bool cut;
};

void line_add(struct line *l, const char *text, size_t length);
void line_say(struct line *l, const char *text);
/* At most four significant digits, more only before the point; without a
 * locale: 38.25, 7.4, 131, 12345. */
void line_number(struct line *l, double value);
void line_integer(struct line *l, int64_t value);
/* "2026-11-21 07:03:10": UTC, whole seconds. */
void line_time(struct line *l, int64_t utc_ns);
/* Marks what did not fit. */
void line_end(struct line *l);

#endif
