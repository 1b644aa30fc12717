/* toml_check.c - what is looked at before the TOML parser sees the text.
 *
 * Depth and size, since the parser recurses and so does freeing its tree. It
 * reads just enough TOML to know strings and comments from the rest; whether
 * the text is valid is the parser's business.
 *
 * Not here: the parser (toml.cc). */
#include <string.h>

#include "config/toml.h"

struct scan {
    const char *bytes;
    size_t length;
    size_t at;
    uint32_t line;
    uint32_t column;    /* in characters, as the parser counts */
    unsigned nesting;
    unsigned dots;      /* in the key that is being read */
};

static char peek(const struct scan *scan, size_t ahead)
{
    return scan->length - scan->at > ahead ? scan->bytes[scan->at + ahead] : '\0';
}

static void step(struct scan *scan, size_t count)
{
    for (; count && scan->at < scan->length; count--, scan->at++) {
        unsigned char c = (unsigned char)scan->bytes[scan->at];

        if (c == '\n') {
            scan->line++;
            scan->column = 1;
        } else if ((c & 0xc0) != 0x80) {
            scan->column++;
        }
    }
}

static void comment_skip(struct scan *scan)
{
    while (scan->at < scan->length && peek(scan, 0) != '\n')
        step(scan, 1);
}

/* Up to three quotes may stand directly before the closing three; the scan
 * needs only to know where the text ends, so it takes all that are there. */
static void long_string_skip(struct scan *scan, char quote)
{
    step(scan, 3);
    while (scan->at < scan->length) {
        if (quote == '"' && peek(scan, 0) == '\\') {
            step(scan, 2);
        } else if (peek(scan, 0) == quote && peek(scan, 1) == quote && peek(scan, 2) == quote) {
            step(scan, 3);
            for (int more = 0; more < 2 && peek(scan, 0) == quote; more++)
                step(scan, 1);
            return;
        } else {
            step(scan, 1);
        }
    }
}

static void string_skip(struct scan *scan, char quote)
{
    if (peek(scan, 1) == quote && peek(scan, 2) == quote) {
        long_string_skip(scan, quote);
        return;
    }
    step(scan, 1);
    while (scan->at < scan->length && peek(scan, 0) != '\n') {
        char c = peek(scan, 0);

        step(scan, quote == '"' && c == '\\' && peek(scan, 1) != '\n' ? 2 : 1);
        if (c == quote)
            return;
    }
}

static const char *punctuation_count(struct scan *scan, char c)
{
    if (c == '.') {
        if (++scan->dots >= TOML_KEY_PARTS_MAX)
            return "a key has too many parts; expected at most 32; shorten it";
        return NULL;
    }
    if (c == '\n' || c == '=' || c == ',' || strchr("[]{}", c))
        scan->dots = 0;
    if ((c == '[' || c == '{') && ++scan->nesting > TOML_NESTING_MAX)
        return "lists and tables are nested too deeply; expected at most 64 levels; "
               "take some out";
    if ((c == ']' || c == '}') && scan->nesting)
        scan->nesting--;
    return NULL;
}

const char *toml_check(const char *bytes, size_t length, struct place *place)
{
    struct scan scan = { .bytes = bytes, .length = length, .line = 1, .column = 1 };
    const char *problem = NULL;

    if (length > TOML_BYTES_MAX)
        return "the file is too large for a pipeline; expected at most 4 MiB; "
               "is this the right file?";
    place->line = place->column = 1;
    if (length >= 2 && (!memcmp(bytes, "\xff\xfe", 2) || !memcmp(bytes, "\xfe\xff", 2)))
        return "the file is UTF-16; expected UTF-8; have the editor save it as UTF-8";
    while (!problem && scan.at < length) {
        char c = peek(&scan, 0);

        place->line = scan.line;
        place->column = scan.column;
        if (c == '\0')
            return "there is a NUL byte in the file; expected UTF-8 text; "
                   "is this the right file?";
        if (c == '#') {
            comment_skip(&scan);
        } else if (c == '"' || c == '\'') {
            string_skip(&scan, c);
        } else {
            problem = punctuation_count(&scan, c);
            step(&scan, 1);
        }
    }
    return problem;
}
