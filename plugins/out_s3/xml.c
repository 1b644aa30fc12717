/* xml.c - see xml.h. By "Extensible Markup Language (XML) 1.0", fifth edition; the
 * numbers in brackets are its productions. */
#include "xml.h"

#include <string.h>

struct reader {
    const char *at, *end;
    xml_take *take;
    void *self;
    char path[XML_PATH_ROOM];
    size_t path_size;
    size_t begins[XML_DEPTH]; /* where each name begins in path */
    bool has_elements[XML_DEPTH];
    size_t depth;
    char text[XML_TEXT_MOST + 1];
    size_t text_size;
    bool is_bad;
};

static bool fail(struct reader *r)
{
    r->is_bad = true;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void blanks_skip(struct reader *r)
{
    while (r->at < r->end && is_blank(*r->at))
        r->at++;
}

static bool begins(const struct reader *r, const char *word)
{
    size_t size = strlen(word);

    return (size_t)(r->end - r->at) >= size && memcmp(r->at, word, size) == 0;
}

/* Behind the next `word`, which must come. */
static bool skip_to(struct reader *r, const char *word)
{
    size_t size = strlen(word);

    for (; (size_t)(r->end - r->at) >= size; r->at++)
        if (memcmp(r->at, word, size) == 0) {
            r->at += size;
            return true;
        }
    return fail(r);
}

static bool is_name_byte(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
           (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

static size_t name_length(const struct reader *r)
{
    const char *p = r->at;

    while (p < r->end && is_name_byte(*p, p == r->at))
        p++;
    return (size_t)(p - r->at);
}

/* ---- text ---- */

static void byte_add(struct reader *r, char c)
{
    if (r->text_size == XML_TEXT_MOST)
        (void)fail(r);
    else
        r->text[r->text_size++] = c;
}

/* [2]: those that a document may have, as UTF-8. */
static void code_add(struct reader *r, unsigned long c)
{
    bool is_fine = c == 9 || c == 10 || c == 13 || (c >= 0x20 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd) ||
                   (c >= 0x10000 && c <= 0x10ffff);

    if (!is_fine) {
        (void)fail(r);
    } else if (c < 0x80) {
        byte_add(r, (char)c);
    } else {
        int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;

        byte_add(r, (char)(unsigned char)((0xf0u << (3 - more) & 0xffu) | c >> (6 * more)));
        while (more-- > 0)
            byte_add(r, (char)(unsigned char)(0x80u | (c >> (6 * more) & 0x3fu)));
    }
}

static int digit_of(char c, unsigned base)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (base == 16 && c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (base == 16 && c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* [66], from behind "&#" to behind ";". */
static bool number_read(struct reader *r)
{
    unsigned base = r->at < r->end && *r->at == 'x' ? 16 : 10;
    unsigned long code = 0;
    const char *first;

    r->at += base == 16;
    first = r->at;
    for (; r->at < r->end && digit_of(*r->at, base) >= 0; r->at++) {
        code = code * base + (unsigned long)digit_of(*r->at, base);
        if (code > 0x10ffff)
            return fail(r);
    }
    if (r->at == first || r->at == r->end || *r->at++ != ';')
        return fail(r);
    code_add(r, code);
    return !r->is_bad;
}

/* [68]: there are no others than those of every document. */
static bool reference_read(struct reader *r)
{
    static const struct { const char *word; char is; } names[] = {
        { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' },
    };

    if (begins(r, "&#")) {
        r->at += 2;
        return number_read(r);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (begins(r, names[i].word)) {
            r->at += strlen(names[i].word);
            byte_add(r, names[i].is);
            return !r->is_bad;
        }
    return fail(r);
}

/* ---- elements ---- */

static bool is_content(char c)
{
    return (unsigned char)c >= 0x20 || is_blank(c);
}

/* [40] [41] */
static bool attributes_skip(struct reader *r)
{
    for (;;) {
        const char *before = r->at;
        size_t length;
        char quote;

        blanks_skip(r);
        length = name_length(r);
        if (length == 0)
            return true;
        if (before == r->at)
            return fail(r);
        r->at += length;
        blanks_skip(r);
        if (r->at == r->end || *r->at++ != '=')
            return fail(r);
        blanks_skip(r);
        quote = r->at < r->end ? *r->at : '\0';
        if (quote != '"' && quote != '\'')
            return fail(r);
        for (r->at++; r->at < r->end && *r->at != quote; r->at++)
            if (*r->at == '<' || !is_content(*r->at))
                return fail(r);
        if (r->at == r->end)
            return fail(r);
        r->at++;
    }
}

static bool path_push(struct reader *r, size_t length)
{
    const char *name = r->at, *colon = memchr(name, ':', length);
    size_t size = colon ? length - (size_t)(colon + 1 - name) : length;

    if (r->depth == XML_DEPTH || size == 0 || r->path_size + size + 2 > sizeof r->path)
        return fail(r);
    if (r->depth > 0)
        r->path[r->path_size++] = '/';
    r->begins[r->depth] = r->path_size;
    r->has_elements[r->depth++] = false;
    memcpy(r->path + r->path_size, colon ? colon + 1 : name, size);
    r->path_size += size;
    r->path[r->path_size] = '\0';
    r->at += length;
    return true;
}

static void element_end(struct reader *r)
{
    size_t level = --r->depth;

    r->text[r->text_size] = '\0';
    if (!r->is_bad)
        r->take(r->self, r->path, r->has_elements[level] ? NULL : r->text);
    r->text_size = 0;
    r->path_size = level > 0 ? r->begins[level] - 1 : 0;
    r->path[r->path_size] = '\0';
}

static bool any_words(const struct reader *r)
{
    for (size_t i = 0; i < r->text_size; i++)
        if (!is_blank(r->text[i]))
            return true;
    return false;
}

/* [40] [44] */
static bool start_read(struct reader *r)
{
    size_t length;

    r->at++;
    length = name_length(r);
    if (length == 0 || any_words(r))
        return fail(r);
    if (r->depth > 0)
        r->has_elements[r->depth - 1] = true;
    r->text_size = 0;
    if (!path_push(r, length) || !attributes_skip(r))
        return false;
    if (begins(r, "/>")) {
        r->at += 2;
        element_end(r);
        return !r->is_bad;
    }
    return r->at < r->end && *r->at++ == '>' ? true : fail(r);
}

/* [42]: the name is that of the element. */
static bool end_read(struct reader *r)
{
    size_t length, size;
    const char *colon, *name;

    r->at += 2;
    name = r->at;
    length = name_length(r);
    colon = memchr(name, ':', length);
    name = colon ? colon + 1 : name;
    size = length - (size_t)(name - r->at);
    if (r->depth == 0 || size != r->path_size - r->begins[r->depth - 1] ||
        memcmp(name, r->path + r->begins[r->depth - 1], size) != 0)
        return fail(r);
    r->at += length;
    blanks_skip(r);
    if (r->at == r->end || *r->at++ != '>')
        return fail(r);
    element_end(r);
    return !r->is_bad;
}

/* [15] */
static bool comment_skip(struct reader *r)
{
    r->at += 4;
    return skip_to(r, "--") && r->at < r->end && *r->at++ == '>' ? true : fail(r);
}

static bool content_read(struct reader *r)
{
    if (begins(r, "<!--"))
        return comment_skip(r);
    if (begins(r, "</"))
        return end_read(r);
    if (*r->at == '<')
        return start_read(r);
    if (*r->at == '&')
        return reference_read(r);
    if (!is_content(*r->at))
        return fail(r);
    if (!r->has_elements[r->depth - 1] || !is_blank(*r->at))
        byte_add(r, *r->at);
    r->at++;
    return !r->is_bad;
}

/* Between elements there are blanks alone. */
static bool is_mixed(const struct reader *r)
{
    return r->depth > 0 && r->has_elements[r->depth - 1] && r->text_size > 0;
}

/* Blanks may stand in front of the declaration: a store that takes long to answer sends
 * some, so that the connection is not closed. */
static bool prolog_read(struct reader *r)
{
    blanks_skip(r);
    if (begins(r, "<?xml") && (size_t)(r->end - r->at) > 5 && is_blank(r->at[5]) && !skip_to(r, "?>"))
        return false;
    blanks_skip(r);
    while (begins(r, "<!--")) {
        if (!comment_skip(r))
            return false;
        blanks_skip(r);
    }
    return begins(r, "<") ? start_read(r) : fail(r);
}

bool xml_read(const char *bytes, size_t size, xml_take *take, void *self)
{
    struct reader r = { .at = bytes, .end = bytes + size, .take = take, .self = self };

    if (size >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        r.at += 3;
    if (size == 0 || !prolog_read(&r))
        return false;
    while (r.depth > 0)
        if (r.at == r.end || !content_read(&r) || is_mixed(&r))
            return false;
    blanks_skip(&r);
    return r.at == r.end;
}
