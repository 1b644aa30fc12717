/* SPDX-License-Identifier: Apache-2.0
 *
 * split.c - see split.h. Rows move towards the beginning, each once it was read; what gives a
 * row a place are the brackets, commas and line ends around it, and one byte behind all. */
#include "split.h"

#include <string.h>

#include "json/grammar.h"
#include "json/json.h"

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
