/* SPDX-License-Identifier: Apache-2.0
 *
 * route.c - see route.h. Escapes are those of RFC 3986, section 2.1. */
#include "route.h"

#include <string.h>

#include "text/text.h"

enum { HEADER_MOST = 63, WORD_MOST = 72 };

/* ---- text ---- */

bool route_text_ok(const char *text)
{
    const unsigned char *at;

    for (at = (const unsigned char *)text; *at; at++)
        if (*at < 0x20 || *at == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0))
            return false;
    return *text && text_is_utf8(text, strlen(text));
}

bool route_header_ok(const char *name, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++) {
        char c = name[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return size > 0 && size <= HEADER_MOST;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool route_decode(char to[ROUTE_NAME_ROOM], const char *from, size_t size)
{
    size_t i, used = 0;

    for (i = 0; i < size; i++) {
        char c = from[i];

        if (c == '%') {
            int high = i + 2 < size ? hex_value(from[i + 1]) : -1, low = high < 0 ? -1 : hex_value(from[i + 2]);

            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0' || used + 1 >= ROUTE_NAME_ROOM)
            return false;
        to[used++] = c;
    }
    to[used] = '\0';
    return route_text_ok(to);
}

/* ---- paths ---- */

static bool is_named(const char *segment, size_t size)
{
    return size > 2 && segment[0] == '{' && segment[size - 1] == '}';
}

static bool word_ok(const char *word, size_t size)
{
    size_t i;

    for (i = 0; i < size; i++)
        if (!((word[i] >= 'a' && word[i] <= 'z') || (word[i] >= '0' && word[i] <= '9') || word[i] == '_'))
            return false;
    return size > 0 && size <= 32 && !(size == 6 && memcmp(word, "client", 6) == 0) &&
           !(size == 4 && memcmp(word, "file", 4) == 0);
}

/* The number of the segment in {} with this name; -1: none. */
static int named_index(const char *path, const char *word, size_t size)
{
    const char *at = path;
    size_t length;
    int index = 0;

    while (*at == '/') {
        length = strcspn(++at, "/");
        if (is_named(at, length)) {
            if (length == size + 2 && memcmp(at + 1, word, size) == 0)
                return index;
            index++;
        }
        at += length;
    }
    return -1;
}

const char *route_path_problem(const char *path)
{
    const char *at = path;
    size_t length;
    int count = 0;

    if (*at != '/' || !route_text_ok(path) || strlen(path) >= 1024 || path[strcspn(path, "%?#")])
        return "is no path; expected one that begins with / and has no %, ? or #; correct it";
    while (*at == '/') {
        length = strcspn(++at, "/");
        if (length == 0 && path[1])
            return "has an empty segment; expected text or a name in {} between two /; correct it";
        if (is_named(at, length)) {
            if (!word_ok(at + 1, length - 2) || named_index(path, at + 1, length - 2) != count)
                return "has a name in {} that is none, or is there twice; expected letters a to z, digits and _, and neither "
                       "client nor file; correct it";
            count++;
        } else if (memchr(at, '{', length) || memchr(at, '}', length)) {
            return "has { or } within a segment; expected a whole segment in {}; correct it";
        }
        at += length;
    }
    return count <= ROUTE_NAMED_MOST ? NULL : "has too many names in {}; expected 8 at most";
}

enum route_match route_try(const char *path, const char *url, struct route_named *ret_named)
{
    char plain[ROUTE_NAME_ROOM];
    const char *at = path, *from = url;
    size_t length, size;
    int count = 0;
    bool ok;

    while (*at == '/' && *from == '/') {
        length = strcspn(++at, "/");
        size = strcspn(++from, "/");
        if (is_named(at, length)) {
            if (size == 0)
                return ROUTE_OTHER;
            if (!route_decode(ret_named->values[count++], from, size))
                return ROUTE_BAD;
        } else {
            ok = size > 0 && route_decode(plain, from, size);
            if (size > 0 ? !ok || strlen(plain) != length || memcmp(plain, at, length) != 0 : length > 0)
                return ROUTE_OTHER;
        }
        at += length;
        from += size;
    }
    return *at || *from ? ROUTE_OTHER : ROUTE_FITS;
}

/* ---- templates ---- */

/* Bytes of the {word} at `at` with its braces, 0: it is none. */
static size_t word_at(const char *at)
{
    size_t length = at[0] == '{' ? strcspn(at, "}") : 0;

    return length > 1 && length < WORD_MOST && at[length] == '}' ? length + 1 : 0;
}

static bool word_is(const char *word, size_t size, const char *name)
{
    return size == strlen(name) && memcmp(word, name, size) == 0;
}

const char *route_template_problem(const char *template, const char *path, bool with_files)
{
    const char *at = template;
    size_t length;

    if (!route_text_ok(template) || strlen(template) >= ROUTE_NAME_ROOM)
        return "is empty, longer than 255 bytes, or has control characters; expected a name, with {NAME} of the path; "
               "correct it";
    while ((at = strpbrk(at, "{}")) != NULL) {
        length = word_at(at);
        if (length == 0)
            return "has { or } alone; expected {NAME}; correct it";
        if (named_index(path, at + 1, length - 2) < 0 && !word_is(at + 1, length - 2, "client") &&
            !(with_files && word_is(at + 1, length - 2, "file")) &&
            !(length > 9 && memcmp(at, "{header:", 8) == 0 && route_header_ok(at + 8, length - 9)))
            return "has a name in {} that its path does not have; expected one of the path's, {client}, {header:NAME}, or "
                   "{file} where files are taken; put it into the path, or write a text";
        at += length;
    }
    return NULL;
}

/* The text that a word stands for; NULL: there is none. */
static const char *word_text(const char *word, size_t size, const struct route_source *from)
{
    char name[WORD_MOST];
    int index = named_index(from->path, word, size);

    if (index >= 0)
        return from->named->values[index];
    if (word_is(word, size, "client"))
        return from->client;
    if (word_is(word, size, "file"))
        return from->file;
    memcpy(name, word + 7, size - 7); /* header:NAME */
    name[size - 7] = '\0';
    return from->header(from->self, name);
}

bool route_write(char to[ROUTE_NAME_ROOM], const char *template, const struct route_source *from)
{
    const char *at = template, *text;
    size_t used = 0, length, size;

    while (*at) {
        length = word_at(at);
        text = length > 0 ? word_text(at + 1, length - 2, from) : at;
        size = length == 0 ? 1 : text ? strlen(text) : 0;
        if (size == 0 || used + size >= ROUTE_NAME_ROOM)
            return false;
        memcpy(to + used, text, size);
        used += size;
        at += length > 0 ? length : 1;
    }
    to[used] = '\0';
    return route_text_ok(to);
}
