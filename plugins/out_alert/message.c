/* message.c - see message.h. */
#include "message.h"

#include "calendar/calendar.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *const severity_names[SEVERITIES + 1] = { "high", "medium", "low", "technical", NULL };
const char *const state_names[STATES + 1] = { "raised", "repeated", "ended", "acknowledged", NULL };

/* ---- reading ---- */

static const char *const column_names[IN_COLUMNS] = { "severity", "rule",  "place", "text",
                                                      "state",    "alert", "since", "count" };
static const uint8_t column_types[IN_COLUMNS] = { AFF_TEXT, AFF_TEXT, AFF_TEXT, AFF_TEXT,
                                                  AFF_TEXT, AFF_TEXT, AFF_TIME, AFF_INT };

bool columns_find(struct columns *c, uint32_t schema, const struct aff_schema *info)
{
    uint32_t i, k;

    c->schema = 0;
    c->count = info->count;
    for (k = 0; k < IN_COLUMNS; k++)
        c->index[k] = -1;
    for (i = 0; i < info->count; i++) {
        const struct aff_column *column = (const void *)((const char *)info->columns + (size_t)i * info->stride);

        for (k = 0; k < IN_COLUMNS; k++)
            if (column->name && strcmp(column->name, column_names[k]) == 0 && column->type == column_types[k])
                c->index[k] = (int32_t)i;
    }
    for (k = 0; k <= IN_TEXT; k++)
        if (c->index[k] < 0)
            return false;
    c->schema = schema;
    return true;
}

static struct part part_of(const struct columns *c, const struct aff_record *r, int column)
{
    struct part part = { NULL, 0 };

    if (c->index[column] >= 0 && aff_row_has(r, (uint32_t)c->index[column]))
        part.at = aff_row_text(r, c->count, (uint32_t)c->index[column], &part.length);
    return part;
}

static bool whole_of(const struct columns *c, const struct aff_record *r, int column, int64_t *ret)
{
    if (c->index[column] < 0 || !aff_row_has(r, (uint32_t)c->index[column]))
        return false;
    *ret = aff_row_int(r, c->count, (uint32_t)c->index[column]);
    return true;
}

void message_read(struct message *m, const struct columns *c, const struct aff_record *r)
{
    memset(m, 0, sizeof *m);
    m->severity = part_of(c, r, IN_SEVERITY);
    m->state = part_of(c, r, IN_STATE);
    m->rule = part_of(c, r, IN_RULE);
    m->place = part_of(c, r, IN_PLACE);
    m->text = part_of(c, r, IN_TEXT);
    m->alert = part_of(c, r, IN_ALERT);
    m->has_since = whole_of(c, r, IN_SINCE, &m->since_ns);
    m->has_count = whole_of(c, r, IN_COUNT, &m->count);
    m->time_ns = r->event_ns;
}

static uint32_t name_of(const char *const *names, const struct part *p)
{
    uint32_t i;

    for (i = 0; names[i]; i++)
        if (p->at && strlen(names[i]) == p->length && memcmp(names[i], p->at, p->length) == 0)
            break;
    return i;
}

uint32_t severity_of(const struct message *m)
{
    return name_of(severity_names, &m->severity);
}

uint32_t state_of(const struct message *m)
{
    return name_of(state_names, &m->state);
}

/* ---- writing ---- */

static void out_add(struct out *o, const char *bytes, size_t size)
{
    if (o->cut || size > o->room - 4 - o->length) {
        o->cut = true;
        return;
    }
    memcpy(o->at + o->length, bytes, size);
    o->length += size;
}

void out_say(struct out *o, const char *text)
{
    out_add(o, text, strlen(text));
}

const char *out_end(struct out *o)
{
    if (o->cut) {
        memcpy(o->at + o->length, "...", 3);
        o->length += 3;
        o->cut = false;
    }
    o->at[o->length] = 0;
    return o->at;
}

/* The UTF-8 character at `s` and its bytes, 0 when there is none (RFC 3629). */
static size_t character(const unsigned char *s, size_t room, uint32_t *ret_code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t size = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    uint32_t code = s[0];
    size_t i;

    if (size == 0 || size > room)
        return 0;
    if (size > 1)
        code &= 0x7fu >> size;
    for (i = 1; i < size; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3fu);
    }
    if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    *ret_code = code;
    return size;
}

/* Characters that act instead of being seen: controls, separators of lines and
 * paragraphs, marks of direction (Unicode Bidi_Control), the byte order mark. */
static bool is_acting(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || (code >= 0x200e && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

/* Calls `acts` for what cannot be shown, with its code; 256 + byte: no UTF-8. */
static void out_walk(struct out *o, struct part p, void (*acts)(struct out *o, uint32_t code, bool is_byte))
{
    const unsigned char *s = (const unsigned char *)p.at;
    size_t i = 0, size;

    while (i < p.length && !o->cut) {
        uint32_t code = s[i];

        size = character(s + i, p.length - i, &code);
        if (size == 0 || is_acting(code) || code == '\\' || code == '"')
            acts(o, code, size == 0);
        else
            out_add(o, (const char *)s + i, size);
        i += size ? size : 1;
    }
}

static void escape_shown(struct out *o, uint32_t code, bool is_byte)
{
    char text[16];

    if (code == '\\' || code == '"')
        (void)snprintf(text, sizeof text, "%c", (int)code);
    else
        (void)snprintf(text, sizeof text, code > 0xff ? "\\u{%04x}" : "\\x%02x", (unsigned)code);
    (void)is_byte;
    out_say(o, text);
}

void out_escaped(struct out *o, struct part p)
{
    if (p.at)
        out_walk(o, p, escape_shown);
    else
        out_say(o, "-");
}

static void escape_json(struct out *o, uint32_t code, bool is_byte)
{
    char text[16];

    if (code == '\\' || code == '"')
        (void)snprintf(text, sizeof text, "\\%c", (int)code);
    else
        (void)snprintf(text, sizeof text, "\\u%04x", is_byte ? 0xfffdu : (unsigned)code);
    out_say(o, text);
}

static void out_time(struct out *o, int64_t utc_ns, char between)
{
    struct calendar c = calendar_at(utc_ns);
    char text[96];

    (void)snprintf(text, sizeof text, "%04d-%02d-%02d%c%02d:%02d:%02dZ", (int)c.year, c.month, c.day, between, c.hour,
                   c.minute, c.second);
    out_say(o, text);
}

static void out_whole(struct out *o, int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%" PRId64, value);
    out_say(o, text);
}

/* Each part has its own limit, so that a long one cannot push the note out. */
static void part_say(struct out *o, struct part p, size_t most)
{
    char text[LINE_MOST / 2];
    struct out part = { text, 0, most, false };

    out_escaped(&part, p);
    out_say(o, out_end(&part));
}

static void severity_say(struct out *o, const struct message *m)
{
    static const char *const words[] = { "HIGH", "MEDIUM", "LOW", "TECHNICAL" };
    uint32_t severity = severity_of(m);

    if (severity < SEVERITIES)
        out_say(o, words[severity]);
    else
        part_say(o, m->severity, 64);
}

void message_line(struct out *o, const struct message *m)
{
    out_time(o, m->time_ns, ' ');
    out_say(o, " ");
    severity_say(o, m);
    out_say(o, " ");
    part_say(o, m->place, 200);
    out_say(o, ": ");
    part_say(o, m->text, LINE_MOST / 2);
    out_say(o, " [");
    part_say(o, m->rule, 200);
    out_say(o, "]");
    if (m->state.at) {
        out_say(o, " ");
        part_say(o, m->state, 64);
    }
    if (m->has_count && m->count > 0) {
        out_say(o, " ");
        out_whole(o, m->count);
    }
    out_say(o, " (" MESSAGE_NOTE ")");
}

static void json_text(struct out *o, const char *key, struct part p)
{
    out_say(o, ",\"");
    out_say(o, key);
    out_say(o, "\":");
    if (!p.at) {
        out_say(o, "null");
        return;
    }
    out_say(o, "\"");
    p.length = p.length < FIELD_MOST ? p.length : FIELD_MOST;
    out_walk(o, p, escape_json);
    out_say(o, "\"");
}

void message_json(struct out *o, const struct message *m)
{
    out_say(o, "{\"time\":\"");
    out_time(o, m->time_ns, 'T');
    out_say(o, "\",\"note\":\"" MESSAGE_NOTE "\"");
    json_text(o, "severity", m->severity);
    json_text(o, "state", m->state);
    json_text(o, "rule", m->rule);
    json_text(o, "place", m->place);
    json_text(o, "text", m->text);
    json_text(o, "alert", m->alert);
    if (m->has_since) {
        out_say(o, ",\"since\":\"");
        out_time(o, m->since_ns, 'T');
        out_say(o, "\"");
    }
    if (m->has_count) {
        out_say(o, ",\"count\":");
        out_whole(o, m->count);
    }
    out_say(o, "}\n");
}

/* ---- texts with names ---- */

static const char *const fill_names[] = { "text",  "message", "severity", "place", "rule",
                                          "state", "alert",   "time",     "since", "count" };
enum { FILL_TEXT, FILL_MESSAGE, FILL_SEVERITY, FILL_PLACE, FILL_RULE, FILL_STATE, FILL_ALERT, FILL_TIME, FILL_SINCE,
       FILL_COUNT, FILLS };

static uint32_t fill_of(const char *name, size_t length)
{
    uint32_t i;

    for (i = 0; i < FILLS; i++)
        if (strlen(fill_names[i]) == length && memcmp(fill_names[i], name, length) == 0)
            break;
    return i;
}

const char *template_problem(const char *text)
{
    for (; *text; text++) {
        size_t length = strcspn(text + 1, "{}");

        if ((*text == '{' || *text == '}') && text[1] == *text)
            text++;
        else if (*text == '}')
            return "has a } without its {; expected both; write {name}, or }} for the brace itself";
        else if (*text == '{' && text[1 + length] != '}')
            return "has a { that is not closed; expected both; write {name}, or {{ for the brace itself";
        else if (*text == '{' && fill_of(text + 1, length) == FILLS)
            return "has a {name} that alerts lack; expected text, message, severity, place, rule, state, alert, "
                   "time, since or count; write one of these";
        else if (*text == '{')
            text += length + 1;
    }
    return NULL;
}

static void fill_one(struct out *o, uint32_t fill, const struct message *m)
{
    switch (fill) {
    case FILL_TEXT:
        part_say(o, m->text, LINE_MOST / 2);
        out_say(o, " (" MESSAGE_NOTE ")");
        break;
    case FILL_MESSAGE:  message_line(o, m); break;
    case FILL_SEVERITY: part_say(o, m->severity, 64); break;
    case FILL_PLACE:    part_say(o, m->place, 200); break;
    case FILL_RULE:     part_say(o, m->rule, 200); break;
    case FILL_STATE:    part_say(o, m->state, 64); break;
    case FILL_ALERT:    part_say(o, m->alert, 64); break;
    case FILL_TIME:     out_time(o, m->time_ns, 'T'); break;
    case FILL_SINCE:    out_time(o, m->has_since ? m->since_ns : m->time_ns, 'T'); break;
    default:            out_whole(o, m->has_count ? m->count : 0); break;
    }
}

void message_fill(struct out *o, const char *text, const struct message *m)
{
    size_t start = o->length, plain;

    if (*text == '{' && text[1] != '{')
        out_say(o, " "); /* taken back below where it is not needed */
    while (*text && !o->cut) {
        plain = strcspn(text, "{}");
        out_add(o, text, plain);
        text += plain;
        if (*text && text[0] == text[1]) {
            out_add(o, text, 1);
            text += 2;
        } else if (*text) {
            plain = strcspn(text + 1, "}");
            fill_one(o, fill_of(text + 1, plain), m);
            text += plain + 2;
        }
    }
    if (o->length > start + 1 && o->at[start] == ' ' && o->at[start + 1] != '-') {
        memmove(o->at + start, o->at + start + 1, o->length - start - 1);
        o->length--;
    }
}
