/* SPDX-License-Identifier: Apache-2.0
 *
 * at.c - see at.h.
 *
 * A line of a reply is held back until the next line is there. So a code that the
 * modem wrote into its middle does no harm: what follows the code, and is nothing
 * by itself, is the line's other half. Whether a code came inside a line shows by
 * the empty line in front of it, which a line that had ended leaves there. */
#include "at.h"

#include <ctype.h>
#include <string.h>

#include "at_words.h"

void at_reader_reset(struct at_reader *a)
{
    a->line_size = a->held_size = a->body_size = a->code_size = a->part_size = a->blanks = 0;
    a->running = a->line_done = a->line_old = a->line_long = a->line_early = a->after_cr = false;
    a->has_held = a->has_body = a->body_open = a->code_open = a->code_wants_body = false;
    a->gap = true;
    a->interrupted = a->was_code = a->echoed = false;
    a->flags = 0;
    a->echo[0] = a->prefix[0] = '\0';
}

void at_reader_init(struct at_reader *a)
{
    memset(a, 0, sizeof *a);
    at_reader_reset(a);
}

static void text_copy(char *to, size_t room, const char *from)
{
    size_t size = strlen(from);

    size = size < room - 1 ? size : room - 1;
    memcpy(to, from, size);
    to[size] = '\0';
}

void at_reader_begin(struct at_reader *a, const char *echo, const char *prefix, unsigned flags)
{
    a->has_held = a->has_body = a->body_open = false;
    a->part_size = 0;
    a->line_early = a->line_size > 0 && !a->line_old;
    a->running = true;
    a->is_text = false;
    a->flags = flags;
    text_copy(a->echo, sizeof a->echo, echo);
    text_copy(a->prefix, sizeof a->prefix, prefix ? prefix : "");
}

void at_reader_sent(struct at_reader *a, const char *echo)
{
    a->flags &= ~(unsigned)AT_ASKS;
    a->is_text = true;
    text_copy(a->echo, sizeof a->echo, echo);
}

/* ---- what a line is ---- */

enum what { IS_NOTHING, IS_ECHO, IS_FINAL, IS_REPLY, IS_CODE };

struct verdict {
    enum what what;
    enum at_result result;
    int code;
};

static bool begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

static const char *past_blanks(const char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    return s;
}

static bool is_registration(const char *line)
{
    return begins(line, "+CREG:") || begins(line, "+CGREG:") || begins(line, "+CEREG:") || begins(line, "+C5GREG:");
}

/* "+CREG: 2,1,..." answers AT+CREG?, "+CREG: 1,"5E25",..." is unsolicited: behind
 * the first number stands another small one, without quotes, in an answer alone. */
static bool is_registration_code(const char *line)
{
    const char *at = is_registration(line) ? strchr(line, ',') : NULL;

    if (!at)
        return false;
    at = past_blanks(at + 1);
    return *at == '"' || strspn(at, "0123456789ABCDEFabcdef") > 2;
}

/* "+CREG: 1" is unsolicited as well, unless a code came inside an answer there: so
 * this is said of a line only when the next one is there. */
static bool is_short_code(const char *line)
{
    return is_registration(line) && !strchr(line, ',');
}

static bool is_final(const struct at_reader *a, const char *line, struct verdict *v)
{
    const struct at_word *w = at_word_of(line);

    if (!a->running || a->line_early || !w || (w->dials && !(a->flags & AT_DIALS)))
        return false;
    v->result = w->result;
    v->code = -1;
    if (w->result == AT_CME_ERROR || w->result == AT_CMS_ERROR)
        v->code = at_error_number(w->result, past_blanks(strchr(line, ':') + 1));
    return true;
}

static bool is_marked(char c)
{
    return c != '\0' && strchr("+^*%$#!&@", c) != NULL;
}

/* An echo of the text behind a prompt may have the prompt in front of it. */
static bool is_echo(const struct at_reader *a, const char *line)
{
    if (!a->running || !a->echo[0])
        return false;
    while (*line == '>' || *line == ' ')
        line++;
    return strcmp(line, a->echo) == 0;
}

static struct verdict judge(const struct at_reader *a, const char *line)
{
    struct verdict v = { IS_NOTHING, AT_OK, -1 };
    bool runs = a->running && !a->line_early, replies = runs && a->prefix[0] && begins(line, a->prefix);

    if (is_echo(a, line))
        v.what = IS_ECHO;
    else if (is_final(a, line, &v))
        v.what = IS_FINAL;
    else if (replies && !is_registration_code(line))
        v.what = IS_REPLY;
    else if (at_is_code(line) || at_word_of(line))
        v.what = at_word_of(line) && !at_word_of(line)->dials ? IS_NOTHING : IS_CODE;
    else if (runs && (a->flags & AT_PLAIN) && *past_blanks(line))
        v.what = IS_REPLY;
    else if (is_marked(line[0]) && isalpha((unsigned char)line[1]) && strchr(line, ':'))
        v.what = IS_CODE;
    return v;
}

/* ---- parts ---- */

static void append(char *to, size_t *size, const char *from, size_t more)
{
    if (more > AT_LINE_MOST - *size)
        more = AT_LINE_MOST - *size;
    memcpy(to + *size, from, more);
    *size += more;
    to[*size] = '\0';
}

static void put(char *to, size_t *size, const char *from, size_t more)
{
    *size = 0;
    append(to, size, from, more);
}

static bool is_hex(const char *s)
{
    size_t n = strspn(s, "0123456789ABCDEFabcdef");

    return n > 0 && s[n + strspn(s + n, "\" \t")] == '\0';
}

/* How many hex digits the body behind this line has at least, by the length that
 * ends it (TS 27.005, 3.4: octets without the service centre's); 0: it does not
 * say. */
static size_t body_wanted(const char *head, const char *body)
{
    const char *last = strrchr(head, ',');
    unsigned long length = 0, centre = 0;
    int i;

    for (last = last ? last + 1 : ""; isdigit((unsigned char)*last) && length < 1000; last++)
        length = length * 10 + (unsigned)(*last - '0');
    for (i = 0; i < 2 && body[i]; i++)
        centre = centre * 16 + (unsigned)(isdigit((unsigned char)body[i]) ? body[i] - '0' : (body[i] | 32) - 'a' + 10);
    return length ? 2 * (length + centre + 1) : 0;
}

static void body_add(struct at_reader *a)
{
    bool text = a->flags & AT_TEXT_MODE;

    if (text && a->has_body)
        append(a->body, &a->body_size, "\n", 1);
    if (!a->has_body)
        a->body_size = 0;
    append(a->body, &a->body_size, a->line, a->line_size);
    a->has_body = true;
    a->body_open = text || a->body_size < body_wanted(a->held, a->body);
}

static bool quotes_are_open(const char *s)
{
    bool open = false;

    for (; *s; s++)
        open ^= *s == '"';
    return open;
}

/* ---- events ---- */

static void event_set(struct at_event *e, enum at_kind kind, const char *line, const char *body)
{
    e->kind = kind;
    e->line = line;
    e->body = body;
}

/* Hands out what is held; the line that made it whole is looked at again. */
static bool held_flush(struct at_reader *a, struct at_event *e)
{
    if (!a->has_held)
        return false;
    event_set(e, is_short_code(a->held) ? AT_CODE : AT_INFO, a->held, a->has_body ? a->body : NULL);
    a->has_held = a->has_body = a->body_open = false;
    return true;
}

static void code_flush(struct at_reader *a, struct at_event *e)
{
    a->code_open = a->code_wants_body = false;
    event_set(e, AT_CODE, a->code, NULL);
}

static void line_forget(struct at_reader *a)
{
    a->line_done = a->line_early = false;
    a->line_old = true;
}

/* A code: it may have a body, or quotes that go over several lines. */
static void code_take(struct at_reader *a, struct at_event *e)
{
    a->interrupted |= !a->gap && !a->was_code;
    a->was_code = true;
    line_forget(a);
    a->code_wants_body = at_code_has_body(a->line);
    if (a->code_wants_body || quotes_are_open(a->line)) {
        put(a->code, &a->code_size, a->line, a->line_size);
        a->code_open = true;
        return;
    }
    event_set(e, AT_CODE, a->line, NULL);
}

/* A line behind a code that has not ended: its rest, or none of it; then the code is
 * handed out as it is, and the line is looked at again. So it is with a code that has
 * no room for more, whose quote may be lost. */
static void code_goes_on(struct at_reader *a, struct at_event *e, enum what what)
{
    bool is_any = what == IS_NOTHING || (what == IS_REPLY && a->flags & AT_PLAIN);

    if (a->code_wants_body) {
        if (!(a->text_mode ? is_any : is_hex(a->line))) {
            code_flush(a, e);
            return;
        }
        a->code_open = a->code_wants_body = false;
        line_forget(a);
        event_set(e, AT_CODE, a->code, a->line);
        return;
    }
    if (!is_any) {
        code_flush(a, e);
        return;
    }
    append(a->code, &a->code_size, "\n", 1);
    append(a->code, &a->code_size, a->line, a->line_size);
    line_forget(a);
    if (a->code_size == AT_LINE_MOST || !quotes_are_open(a->code))
        code_flush(a, e);
}

static void reply_take(struct at_reader *a, struct at_event *e)
{
    if (held_flush(a, e))
        return;
    put(a->held, &a->held_size, a->line, a->line_size);
    a->blanks = a->line_blanks;
    a->has_held = true;
    a->has_body = false;
    a->body_open = (a->flags & AT_BODY) != 0;
    line_forget(a);
}

static void final_take(struct at_reader *a, struct at_event *e, const struct verdict *v)
{
    if (held_flush(a, e))
        return;
    a->running = false;
    a->flags = 0;
    a->part_size = 0;
    e->result = v->result;
    e->code = v->code;
    line_forget(a);
    event_set(e, AT_FINAL, a->line, NULL);
}

/* The other half of a line that a code came inside of: of a stray one, or of what
 * is held. Together they are looked at as one line. */
static bool halves_join(struct at_reader *a)
{
    bool stray = a->part_size > 0;

    if (!stray && (!a->has_held || a->has_body))
        return false;
    if (!stray)
        put(a->part, &a->part_size, a->held, a->held_size);
    for (; a->blanks > 0; a->blanks--)
        append(a->part, &a->part_size, " ", 1);
    append(a->part, &a->part_size, a->line, a->line_size);
    if (stray && judge(a, a->part).what == IS_NOTHING)
        return false;
    put(a->line, &a->line_size, a->part, a->part_size);
    a->part_size = 0;
    if (!stray)
        a->has_held = a->body_open = false;
    return true;
}

static void stray_take(struct at_reader *a, struct at_event *e)
{
    put(a->part, &a->part_size, a->line, a->line_size);
    a->blanks = a->line_blanks;
    line_forget(a);
    event_set(e, AT_STRAY, a->line, NULL);
}

/* Behind a code inside a line, a few digits are the rest of that line. */
static bool is_body(const struct at_reader *a, enum what what)
{
    enum { SHORTEST_PDU = 20 };

    if (!a->has_held || !a->body_open || (a->interrupted && !a->has_body && a->line_size < SHORTEST_PDU))
        return false;
    return a->flags & AT_TEXT_MODE ? what == IS_NOTHING : what != IS_ECHO && is_hex(a->line);
}

static void known_take(struct at_reader *a, struct at_event *e, const struct verdict *v)
{
    a->echoed |= v->what == IS_ECHO && !a->is_text;
    if (v->what == IS_ECHO)
        line_forget(a);
    else if (v->what == IS_FINAL)
        final_take(a, e, v);
    else
        reply_take(a, e);
}

/* Looks at the whole line and gives at most one event; with line_done still set
 * it is looked at again. */
static void line_take(struct at_reader *a, struct at_event *e)
{
    struct verdict v = judge(a, a->line);
    bool is_rest = a->interrupted && (v.what == IS_NOTHING || (a->flags & AT_PLAIN && v.what == IS_REPLY));

    if (a->code_open) {
        code_goes_on(a, e, v.what);
        return;
    }
    if (v.what == IS_CODE) {
        code_take(a, e);
        return;
    }
    if (is_body(a, v.what)) {
        a->interrupted = false;
        body_add(a);
        line_forget(a);
        return;
    }
    a->interrupted = a->was_code = false;
    if (is_rest && halves_join(a))
        return;
    if (v.what == IS_NOTHING) {
        stray_take(a, e);
        return;
    }
    a->part_size = 0;
    known_take(a, e, &v);
}

/* ---- bytes ---- */

static void line_ends(struct at_reader *a, struct at_event *e)
{
    if (a->line_long) {
        a->line_long = a->line_early = false;
        a->line_size = 0;
        e->kind = AT_TOO_LONG;
        return;
    }
    for (a->line_blanks = 0; a->line_size > 0 && a->line[a->line_size - 1] == ' '; a->line_blanks++)
        a->line_size--;
    a->line[a->line_size] = '\0';
    if (a->line_size == 0 && a->has_body && a->body_open && (a->flags & AT_TEXT_MODE))
        append(a->body, &a->body_size, "\n", 1);
    if (a->line_size == 0) {
        a->line_early = false;
        a->gap = true;
        return;
    }
    a->line_done = true;
}

static void byte_take(struct at_reader *a, uint8_t byte, struct at_event *e)
{
    bool was_cr = a->after_cr;

    a->after_cr = byte == '\r';
    if (byte == '\r' || byte == '\n') {
        if (byte == '\r' || !was_cr)
            line_ends(a, e);
        return;
    }
    if (byte == 0 || byte == 0x11 || byte == 0x13 || byte == 0x1a || (byte == ' ' && a->line_size == 0 && !a->interrupted))
        return;
    if (byte == '>' && a->line_size == 0 && a->running && (a->flags & AT_ASKS)) {
        event_set(e, AT_PROMPT, ">", NULL);
        return;
    }
    if (a->line_size == AT_LINE_MOST)
        a->line_long = true;
    else
        a->line[a->line_size++] = (char)byte;
}

size_t at_reader_take(struct at_reader *a, const uint8_t *bytes, size_t size, struct at_event *ret)
{
    size_t i = 0;

    memset(ret, 0, sizeof *ret);
    while (ret->kind == AT_NONE) {
        if (a->line_done) {
            line_take(a, ret);
            continue;
        }
        if (a->line_old) {
            a->line_size = 0;
            a->line_old = a->gap = false;
        }
        if (i == size)
            break;
        byte_take(a, bytes[i++], ret);
    }
    return i;
}
