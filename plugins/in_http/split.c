/* SPDX-License-Identifier: Apache-2.0
 *
 * split.c - see split.h. Rows move towards the beginning, each once it was read; what gives a
 * row a place are the brackets, commas and line ends around it, and one byte behind all. */
#include "split.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "json/grammar.h"
#include "json/json.h"

/* ---- JSON ---- */

struct split {
    char *text;
    size_t base; /* of what is being read, in `text` */
    size_t used;
    size_t row_most;
    uint64_t rows;
    struct answer *answer; /* its code is set: stopped */
};

struct json *split_open(size_t most)
{
    /* the row, of which nothing is asked for */
    static const struct json_node nothing = { .key = "", .source = JSON_NO_SOURCE };
    static const char *const root[] = { NULL };

    return json_open(most, root, &nothing, 1);
}

void split_close(struct json *json)
{
    json_close(json);
}

size_t split_padding(void)
{
    return json_padding() + 1;
}

static enum answer_code code_of(enum json_status status)
{
    switch (status) {
    case JSON_BAD_UTF8:
        return ANSWER_JSON_UTF8;
    case JSON_TRUNCATED:
        return ANSWER_JSON_CUT;
    case JSON_TRAILING:
        return ANSWER_JSON_TRAILING;
    case JSON_DEEP:
        return ANSWER_JSON_DEEP;
    case JSON_NO_OBJECT:
        return ANSWER_JSON_NO_OBJECT;
    default:
        return ANSWER_JSON_BAD;
    }
}

static void wrong(struct split *s, enum answer_code code, size_t at)
{
    s->answer->code = code;
    s->answer->row = s->rows + 1;
    s->answer->at = s->base + at;
}

static void begin(void *self)
{
    (void)self;
}

static void value(void *self, int32_t source, const struct json_value *given)
{
    (void)self;
    (void)source;
    (void)given;
}

static int row(void *self, size_t at, size_t size, enum json_status status)
{
    struct split *s = self;
    char *from = s->text + s->base + at, *to = s->text + s->used;
    size_t i;

    if (status != JSON_FINE) {
        wrong(s, code_of(status), at);
        return 1;
    }
    if (size > s->row_most) {
        wrong(s, ANSWER_ROW_LARGE, at);
        s->answer->limit = s->row_most;
        return 1;
    }
    for (i = 0; i < size; i++) /* a line end within a text of JSON is written \n there */
        to[i] = from[i] == '\n' || from[i] == '\r' ? ' ' : from[i];
    to[size] = '\n';
    s->used += size + 1;
    s->rows++;
    return 0;
}

static const struct json_calls calls = { .begin = begin, .value = value, .row = row };

static bool is_blank(const char *text, size_t size)
{
    size_t i;

    for (i = 0; i < size && json_blank(text[i]); i++)
        continue;
    return i == size;
}

static bool walk(struct split *s, struct json *json, size_t base, size_t size)
{
    enum json_status status;
    size_t at = 0;

    s->base = base;
    status = json_walk(json, s->text + base, size, &calls, s, &at);
    if (status != JSON_FINE && s->answer->code == ANSWER_NONE)
        wrong(s, code_of(status), at);
    return s->answer->code == ANSWER_NONE;
}

/* One object a line: an array on a line is none. */
static bool line_walk(struct split *s, struct json *json, size_t base, size_t size)
{
    size_t at = 0;

    while (at < size && json_blank(s->text[base + at]))
        at++;
    if (s->text[base + at] == '{')
        return walk(s, json, base, size);
    s->base = base;
    wrong(s, ANSWER_JSON_NO_OBJECT, at);
    return false;
}

bool split_text(struct json *json, char *text, size_t size, bool lines, size_t row_most, size_t *ret_size,
                struct answer *ret_answer)
{
    struct split s = { .text = text, .row_most = row_most, .answer = ret_answer };
    size_t at = 0, end;
    char *newline;

    *ret_answer = (struct answer){ .code = ANSWER_NONE };
    /* of an earlier body: a text that ends too early would go on in it */
    memset(text + size, 0, json_padding());
    if (!lines && is_blank(text, size))
        ret_answer->code = ANSWER_JSON_EMPTY;
    else if (!lines)
        (void)walk(&s, json, 0, size);
    while (lines && at < size && ret_answer->code == ANSWER_NONE) {
        newline = memchr(text + at, '\n', size - at);
        end = newline ? (size_t)(newline - text) : size;
        if (!is_blank(text + at, end - at))
            (void)line_walk(&s, json, at, end - at);
        at = end + 1;
    }
    *ret_size = s.used;
    ret_answer->records = s.rows;
    return ret_answer->code == ANSWER_NONE;
}

/* ---- forms ---- */

static size_t blanks(const char *at)
{
    return strspn(at, " \t");
}

/* Bytes of a parameter's value, its quotes included; 0: it is none. */
static size_t value_size(const char *at)
{
    size_t i = 1;

    if (*at != '"')
        return strcspn(at, "; \t\"");
    while (at[i] && at[i] != '"')
        i += at[i] == '\\' && (at[i + 1] == '"' || at[i + 1] == '\\') ? 2 : 1;
    return at[i] ? i + 1 : 0;
}

/* A value without quotes and escapes, in place, ended by a zero. */
static char *value_plain(char *at, size_t size)
{
    size_t i, used = 0;

    if (*at != '"') {
        at[size] = '\0';
        return at;
    }
    for (i = 1; i + 1 < size; i++) {
        if (at[i] == '\\' && (at[i + 1] == '"' || at[i + 1] == '\\'))
            i++;
        at[used++] = at[i];
    }
    at[used] = '\0';
    return at;
}

/* A parameter of a header's value, which is spoilt; NULL: it has none, or is broken. */
static char *parameter_take(char *at, const char *name)
{
    size_t length, size;
    bool is_it;

    for (at += strcspn(at, ";"); *at == ';'; at += size + blanks(at + size)) {
        at += 1 + blanks(at + 1);
        length = strcspn(at, "=; \t\"");
        is_it = length == strlen(name) && strncasecmp(at, name, length) == 0;
        if (at[length] != '=')
            return NULL;
        at += length + 1;
        size = value_size(at);
        if (size == 0 || is_it)
            return size > 0 ? value_plain(at, size) : NULL;
    }
    return NULL;
}

bool split_form_open(struct split_form *f, const char *type)
{
    char copy[256];
    const char *boundary, *at;
    size_t length;

    *f = (struct split_form){ .at = 0 };
    if (strlen(type) >= sizeof copy)
        return false;
    memcpy(copy, type, strlen(type) + 1);
    boundary = parameter_take(copy, "boundary");
    length = boundary ? strlen(boundary) : 0;
    if (length == 0 || length > SPLIT_BOUNDARY_MOST || boundary[length - 1] == ' ')
        return false;
    for (at = boundary; *at; at++)
        if (*at < ' ' || *at > '~')
            return false;
    (void)snprintf(f->delimiter, sizeof f->delimiter, "\r\n--%s", boundary);
    return true;
}

/* The next delimiter from `from` on; the size: there is none. */
static size_t delimiter_find(const struct split_form *f, size_t from)
{
    const char *found = memmem(f->text + from, f->size - from, f->delimiter, strlen(f->delimiter));

    return found ? (size_t)(found - f->text) : f->size;
}

static bool is_here(const struct split_form *f, const char *text)
{
    size_t length = strlen(text);

    return f->size - f->at >= length && memcmp(f->text + f->at, text, length) == 0;
}

/* Behind a delimiter: a line end, or -- where it is the last. */
static bool delimiter_end(struct split_form *f)
{
    f->is_over = is_here(f, "--");
    if (f->is_over)
        return true;
    while (f->at < f->size && (f->text[f->at] == ' ' || f->text[f->at] == '\t'))
        f->at++;
    if (!is_here(f, "\r\n"))
        return false;
    f->at += 2;
    return true;
}

/* What stands before the first delimiter says nothing. */
static bool form_begin(struct split_form *f)
{
    bool at_once = is_here(f, f->delimiter + 2);

    f->at = at_once ? strlen(f->delimiter) - 2 : delimiter_find(f, 0);
    if (f->at == f->size)
        return false;
    f->at += at_once ? 0 : strlen(f->delimiter);
    return delimiter_end(f);
}

/* A line without its end, ended by a zero; NULL: there is none, or it is no text. */
static char *line_take(struct split_form *f)
{
    char *line = f->text + f->at, *end = memmem(line, f->size - f->at, "\r\n", 2);

    if (!end || memchr(line, '\0', (size_t)(end - line)))
        return NULL;
    *end = '\0';
    f->at += (size_t)(end - line) + 2;
    return line;
}

static bool is_plain_coding(const char *value)
{
    return strcasecmp(value, "binary") == 0 || strcasecmp(value, "8bit") == 0 || strcasecmp(value, "7bit") == 0;
}

/* One line of a part's headers. */
static bool header_take(char *line, char **ret_disposition)
{
    size_t length = strcspn(line, ":");
    char *value = line + length + 1;

    if (length == 0 || !line[length] || blanks(line) > 0)
        return false;
    line[length] = '\0';
    value += blanks(value);
    if (strcasecmp(line, "Content-Transfer-Encoding") == 0)
        return is_plain_coding(value);
    if (strcasecmp(line, "Content-Disposition") != 0)
        return true;
    if (*ret_disposition)
        return false;
    *ret_disposition = value;
    return strcspn(value, "; \t") == 9 && strncasecmp(value, "form-data", 9) == 0;
}

static enum answer_code headers_take(struct split_form *f, char **ret_name)
{
    char *line, *disposition = NULL;

    while ((line = line_take(f)) != NULL && *line)
        if (!header_take(line, &disposition))
            return ANSWER_FORM_BAD;
    if (!line || !disposition)
        return ANSWER_FORM_BAD;
    *ret_name = parameter_take(disposition, "filename");
    return *ret_name && **ret_name ? ANSWER_NONE : ANSWER_FORM_FIELD;
}

enum answer_code split_form_next(struct split_form *f, struct split_file *ret_file)
{
    enum answer_code code;
    size_t end;

    *ret_file = (struct split_file){ .name = NULL };
    if (f->at == 0 && !form_begin(f))
        return ANSWER_FORM_BAD;
    if (f->is_over)
        return ANSWER_NONE;
    code = headers_take(f, &ret_file->name);
    if (code != ANSWER_NONE)
        return code;
    ret_file->at = f->at;
    f->text[f->at - 2] = '\r'; /* a file without a byte may share it with the delimiter */
    end = delimiter_find(f, f->at - 2);
    if (end == f->size)
        return ANSWER_FORM_BAD;
    ret_file->size = end > f->at ? end - f->at : 0;
    f->at = end + strlen(f->delimiter);
    return delimiter_end(f) ? ANSWER_NONE : ANSWER_FORM_BAD;
}
