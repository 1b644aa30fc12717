/* json.c - writes JSON (RFC 8259) to a stream, item by item.
 *
 * Numbers are printed as the "C" locale writes them, also where the program
 * has set another.
 *
 * Not here: reading JSON. */
#include "util/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void json_begin(struct json *json, FILE *out, bool is_pretty)
{
    memset(json, 0, sizeof *json);
    json->out = out;
    json->is_pretty = is_pretty;
}

void json_finish(struct json *json)
{
    while (json->depth)
        json_end(json);
    putc('\n', json->out);
    json->has_items[0] = false;
}

/* Length of the UTF-8 sequence at `s`, of which `left` bytes are there; 0 when
 * it is none (RFC 3629, section 4). */
static size_t sequence_length(const unsigned char *s, size_t left)
{
    size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;

    if (length > left)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    if (length >= 3 && ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
                        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)))
        return 0;
    return length;
}

/* DEL and the C1 controls are escaped too: a terminal may obey them. */
static void sequence_write(FILE *out, const unsigned char *s, size_t length)
{
    static const char shorts[] = "\b\f\n\r\t", letters[] = "bfnrt";
    const char *found = s[0] ? strchr(shorts, s[0]) : NULL;

    if (s[0] == '"' || s[0] == '\\')
        fprintf(out, "\\%c", s[0]);
    else if (found)
        fprintf(out, "\\%c", letters[found - shorts]);
    else if (s[0] < 0x20 || s[0] == 0x7f)
        fprintf(out, "\\u%04x", (unsigned)s[0]);
    else if (length == 2 && s[0] == 0xc2 && s[1] < 0xa0)
        fprintf(out, "\\u%04x", (unsigned)s[1]);
    else
        fwrite(s, 1, length, out);
}

void json_quote(FILE *out, const char *bytes, size_t length)
{
    const unsigned char *s = (const unsigned char *)bytes;
    size_t i = 0;

    putc('"', out);
    while (i < length) {
        size_t step = sequence_length(s + i, length - i);

        if (step)
            sequence_write(out, s + i, step);
        else
            fputs("\\ufffd", out);
        i += step ? step : 1;
    }
    putc('"', out);
}

static void line_begin(const struct json *json)
{
    if (!json->is_pretty)
        return;
    putc('\n', json->out);
    for (unsigned i = 0; i < json->depth; i++)
        fputs("  ", json->out);
}

static void item_begin(struct json *json, const char *key)
{
    if (json->has_items[json->depth])
        putc(',', json->out);
    if (json->depth)
        line_begin(json);
    json->has_items[json->depth] = true;
    if (!key)
        return;
    json_quote(json->out, key, strlen(key));
    fputs(json->is_pretty ? ": " : ":", json->out);
}

/* Deeper than the limit is a mistake of the caller, not of any data. */
static void nest_begin(struct json *json, const char *key, char opens, char closes)
{
    item_begin(json, key);
    if (json->depth == JSON_DEPTH_MAX)
        abort();
    putc(opens, json->out);
    json->depth++;
    json->has_items[json->depth] = false;
    json->closes[json->depth] = closes;
}

void json_object(struct json *json, const char *key)
{
    nest_begin(json, key, '{', '}');
}

void json_array(struct json *json, const char *key)
{
    nest_begin(json, key, '[', ']');
}

void json_end(struct json *json)
{
    char closes = json->closes[json->depth];
    bool had_items = json->has_items[json->depth];

    if (!json->depth)
        abort();
    json->depth--;
    if (had_items)
        line_begin(json);
    putc(closes, json->out);
}

void json_text_bytes(struct json *json, const char *key, const char *bytes, size_t length)
{
    item_begin(json, key);
    json_quote(json->out, bytes, length);
}

void json_text(struct json *json, const char *key, const char *text)
{
    if (text)
        json_text_bytes(json, key, text, strlen(text));
    else
        json_null(json, key);
}

void json_int(struct json *json, const char *key, int64_t value)
{
    item_begin(json, key);
    fprintf(json->out, "%" PRId64, value);
}

void json_uint(struct json *json, const char *key, uint64_t value)
{
    item_begin(json, key);
    fprintf(json->out, "%" PRIu64, value);
}

/* The fewest digits, of 15 to 17, that read back as the same number. */
void json_real(struct json *json, const char *key, double value)
{
    char text[40];

    if (!isfinite(value)) {
        json_null(json, key);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    for (char *c = text; *c; c++) {
        if (!strchr("0123456789+-e", *c))
            *c = '.'; /* whatever the locale's decimal sign is */
    }
    item_begin(json, key);
    fputs(text, json->out);
}

void json_bool(struct json *json, const char *key, bool value)
{
    item_begin(json, key);
    fputs(value ? "true" : "false", json->out);
}

void json_null(struct json *json, const char *key)
{
    item_begin(json, key);
    fputs("null", json->out);
}
