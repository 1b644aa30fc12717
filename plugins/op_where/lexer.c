/* SPDX-License-Identifier: Apache-2.0
 *
 * lexer.c - the words of an expression.
 *
 * Positions are counted in characters of UTF-8, as a person counts them. The
 * locale has no say: letters are ASCII, a number has a point. Whatever a column
 * may be called beside letters, digits and '_' goes between backticks. */
#include "lexer.h"

#include <langinfo.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 64 };

int fault_set(struct expr_fault *fault, uint32_t at, const char *format, ...)
{
    va_list args;

    fault->at = at;
    fault->needs_columns = false;
    va_start(args, format);
    (void)vsnprintf(fault->text, sizeof fault->text, format, args);
    va_end(args);
    return -1;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Steps over `bytes` of the source, counting characters. */
static void skip(struct lexer *l, uint32_t bytes)
{
    while (bytes--) {
        l->at += ((unsigned char)*l->next & 0xc0) != 0x80;
        l->next++;
    }
}

static void take(struct lexer *l, uint8_t kind, uint32_t bytes)
{
    l->token.kind = kind;
    l->token.from = l->next;
    l->token.length = bytes;
    skip(l, bytes);
}

/* strtod wants the point of the locale that the host happens to have. */
static double real_read(const char *from, uint32_t length)
{
    char text[NUMBER_MAX + 16];
    const char *point = nl_langinfo(RADIXCHAR);
    size_t used = 0, point_length = strlen(point);
    uint32_t i;

    for (i = 0; i < length; i++) {
        if (from[i] == '.' && point_length < 8) {
            memcpy(text + used, point, point_length);
            used += point_length;
        } else {
            text[used++] = from[i];
        }
    }
    text[used] = 0;
    return strtod(text, NULL);
}

static uint32_t digits(const char *at)
{
    uint32_t n = 0;

    while (n <= NUMBER_MAX && is_digit(at[n]))
        n++;
    return n;
}

/* Digits, a fraction, an exponent; *ret_is_real for one of the last two. */
static uint32_t number_length(const char *from, bool *ret_is_real)
{
    uint32_t n = digits(from), sign;

    if (from[n] == '.' && is_digit(from[n + 1])) {
        *ret_is_real = true;
        n += 1 + digits(from + n + 1);
    }
    if (from[n] == 'e' || from[n] == 'E') {
        sign = from[n + 1] == '+' || from[n + 1] == '-';
        if (is_digit(from[n + 1 + sign])) {
            *ret_is_real = true;
            n += 1 + sign + digits(from + n + 1 + sign);
        }
    }
    return n;
}

static int number(struct lexer *l)
{
    bool is_real = false;
    uint32_t n = number_length(l->next, &is_real), i;
    const char *from = l->next;
    uint64_t whole = 0;

    if (n > NUMBER_MAX)
        return fault_set(l->fault, l->at, "a number of more than %d characters; expected a shorter one", NUMBER_MAX);
    if (is_letter(from[n]) || from[n] == '.')
        return fault_set(l->fault, l->at, "a number runs into other characters; expected one like 92, 36.5 or 1e-3; "
                         "put the name of a column that begins with a digit between backticks");
    for (i = 0; i < n && !is_real; i++) {
        if (whole > (INT64_MAX - (uint64_t)(from[i] - '0')) / 10)
            is_real = true;
        else
            whole = whole * 10 + (uint64_t)(from[i] - '0');
    }
    take(l, is_real ? TOKEN_REAL : TOKEN_INT, n);
    l->token.integer = (int64_t)whole;
    l->token.real = is_real ? real_read(from, n) : (double)whole;
    if (!isfinite(l->token.real))
        return fault_set(l->fault, l->token.at, "a number that is too large; expected one below 1.8e308");
    return 0;
}

/* Length of what stands between two quotes; a doubled one stands for itself. */
static int quoted(struct lexer *l)
{
    char quote = *l->next;
    const char *end = l->next + 1;
    uint32_t length;

    for (; *end; end++) {
        if (*end != quote)
            continue;
        if (quote == '`' || end[1] != quote)
            break;
        end++;
    }
    if (!*end)
        return fault_set(l->fault, l->at, "a text begins with %c and has no end; expected another %c", quote, quote);
    length = (uint32_t)(end - l->next) - 1;
    if (quote == '`' && !length)
        return fault_set(l->fault, l->at, "the name of a column is empty; expected one between the backticks");
    skip(l, 1);
    take(l, quote == '`' ? TOKEN_QUOTED : TOKEN_TEXT, length);
    skip(l, 1);
    return 0;
}

static bool word_is(const char *from, uint32_t length, const char *word)
{
    uint32_t i;

    for (i = 0; i < length && word[i]; i++)
        if ((from[i] | 0x20) != word[i])
            return false;
    return i == length && !word[i];
}

static void word(struct lexer *l)
{
    static const struct {
        const char *word;
        uint8_t kind, what;
    } keywords[] = {
        { "and", TOKEN_OPERATOR, OPERATOR_AND }, { "or", TOKEN_OPERATOR, OPERATOR_OR },
        { "not", TOKEN_OPERATOR, OPERATOR_NOT }, { "in", TOKEN_IN, 0 },
        { "between", TOKEN_BETWEEN, 0 },         { "true", TOKEN_TRUE, 0 },
        { "false", TOKEN_FALSE, 0 },             { "missing", TOKEN_MISSING, 0 },
    };
    uint32_t n = 0;
    size_t i;

    while (is_letter(l->next[n]) || is_digit(l->next[n]))
        n++;
    take(l, TOKEN_NAME, n);
    for (i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        if (!word_is(l->token.from, n, keywords[i].word))
            continue;
        l->token.kind = keywords[i].kind;
        l->token.what = keywords[i].what;
    }
}

static int sign(struct lexer *l)
{
    static const struct {
        char text[3];
        uint8_t kind, what;
    } signs[] = { /* longer ones first */
        { "==", TOKEN_OPERATOR, OPERATOR_EQ }, { "!=", TOKEN_OPERATOR, OPERATOR_NE },
        { "<>", TOKEN_OPERATOR, OPERATOR_NE }, { "<=", TOKEN_OPERATOR, OPERATOR_LE },
        { ">=", TOKEN_OPERATOR, OPERATOR_GE }, { "??", TOKEN_OPERATOR, OPERATOR_ELSE },
        { "=", TOKEN_OPERATOR, OPERATOR_EQ },  { "<", TOKEN_OPERATOR, OPERATOR_LT },
        { ">", TOKEN_OPERATOR, OPERATOR_GT },  { "+", TOKEN_OPERATOR, OPERATOR_ADD },
        { "-", TOKEN_OPERATOR, OPERATOR_SUB }, { "*", TOKEN_OPERATOR, OPERATOR_MUL },
        { "/", TOKEN_OPERATOR, OPERATOR_DIV }, { "%", TOKEN_OPERATOR, OPERATOR_MOD },
        { "^", TOKEN_OPERATOR, OPERATOR_POW }, { "(", TOKEN_OPEN, 0 },
        { ")", TOKEN_CLOSE, 0 },               { ",", TOKEN_COMMA, 0 },
    };
    static const struct {
        const char *text, *meant;
    } strangers[] = { { "&", "and" }, { "|", "or" }, { "!", "not" }, { "?", "?? or if(condition, a, b)" } };
    size_t i;

    for (i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (strncmp(l->next, signs[i].text, strlen(signs[i].text)) != 0)
            continue;
        take(l, signs[i].kind, (uint32_t)strlen(signs[i].text));
        l->token.what = signs[i].what;
        return 0;
    }
    for (i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
        if (*l->next == *strangers[i].text)
            return fault_set(l->fault, l->at, "%s is no operator here; expected another; did you mean %s?", strangers[i].text,
                             strangers[i].meant);
    return fault_set(l->fault, l->at, "a character that has no meaning here; expected a name, a number, a text "
                     "between quotes or an operator; put the name of a column that has it between backticks");
}

int lexer_next(struct lexer *l)
{
    char c;

    while (*l->next == ' ' || *l->next == '\t' || *l->next == '\n' || *l->next == '\r')
        skip(l, 1);
    memset(&l->token, 0, sizeof l->token);
    l->token.at = l->at;
    c = *l->next;
    if (!c) {
        take(l, TOKEN_END, 0);
        return 0;
    }
    if (is_digit(c) || (c == '.' && is_digit(l->next[1])))
        return number(l);
    if (c == '\'' || c == '"' || c == '`')
        return quoted(l);
    if (!is_letter(c))
        return sign(l);
    word(l);
    return 0;
}

int lexer_begin(struct lexer *l, const char *text, struct expr_fault *fault)
{
    l->next = text;
    l->at = 1;
    l->fault = fault;
    if (strlen(text) > EXPR_LENGTH_MAX)
        return fault_set(fault, EXPR_LENGTH_MAX, "an expression of more than %d bytes; expected a shorter one; "
                         "derive its parts as columns first", EXPR_LENGTH_MAX);
    return lexer_next(l);
}

bool lexer_peeks_set(const struct lexer *l)
{
    struct expr_fault ignored;
    struct lexer ahead = *l;

    ahead.fault = &ignored;
    return lexer_next(&ahead) == 0 && (ahead.token.kind == TOKEN_IN || ahead.token.kind == TOKEN_BETWEEN);
}
