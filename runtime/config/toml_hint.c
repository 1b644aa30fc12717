/* toml_hint.c - what was probably meant by a line that is no TOML.
 *
 * The parser says which rule a line breaks, in the words of the standard. Most
 * broken lines break few rules: a text without quotes, another language's word
 * for true, a decimal comma. This looks at the line alone and says what to do.
 *
 * Not here: the parser (toml.cc). */
#include <string.h>

#include "config/toml.h"

/* The line as a C string; a long one is not looked at further. */
struct line {
    char text[512];
    const char *value; /* behind the first "=", without blanks; "" where there is none */
};

static void line_find(struct line *line, const char *bytes, size_t length, uint32_t number)
{
    const char *at = bytes, *end = bytes + length, *next;
    size_t size;

    for (uint32_t i = 1; i < number && at < end; i++) {
        next = memchr(at, '\n', (size_t)(end - at));
        at = next ? next + 1 : end;
    }
    next = memchr(at, '\n', (size_t)(end - at));
    size = (size_t)((next ? next : end) - at);
    if (size > sizeof line->text - 1)
        size = sizeof line->text - 1;
    memcpy(line->text, at, size);
    line->text[size] = '\0';
    line->value = strchr(line->text, '=');
    line->value = line->value ? line->value + 1 + strspn(line->value + 1, " \t") : "";
}

static bool has_any(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strstr(text, *words))
            return true;
    return false;
}

static bool is_word(const char *text, const char *const *words)
{
    size_t length = strcspn(text, " \t\r#,]}");

    for (; *words; words++)
        if (strlen(*words) == length && !strncmp(*words, text, length))
            return true;
    return false;
}

static size_t count_of(const char *text, char c)
{
    size_t count = 0;

    for (; *text; text++)
        count += *text == c;
    return count;
}

/* "0,02": digits, a comma, digits, and nothing before that opens a list. */
static bool is_decimal_comma(const char *value)
{
    size_t sign = strspn(value, "+-"), whole = strspn(value + sign, "0123456789");
    const char *comma = value + sign + whole;

    return whole && *comma == ',' && comma[1] >= '0' && comma[1] <= '9';
}

static bool has_colon_for_equals(const char *text)
{
    size_t name = strspn(text, " \tabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-\"");

    return name && text[name] == ':';
}

static bool begins_a_text(const char *value)
{
    return (*value >= 'a' && *value <= 'z') || (*value >= 'A' && *value <= 'Z') ||
           *value == '/' || *value == '~' || *value == '$' || !strncmp(value, "./", 2);
}

/* Behind what was read of a list or table there is neither "," nor the end. */
static const char *bracket_hint(const struct line *line, const char *said)
{
    if (strstr(said, "table header"))
        return "close the bracket: [kind.NAME]";
    if (strstr(said, "array"))
        return *line->text == '[' || !*line->text
            ? "close the list above this line with ]"
            : "put a comma between the items of a list, and ] at its end";
    return NULL;
}

const char *toml_plain(const char *said)
{
    static const char *const plain[][2] = {
        { "unescaped control characters", "a text does not end on its line" },
        { "could not determine value type", "what stands behind the = is no value" },
        { "floating-point: expected", "what stands behind the = is no value" },
        { "boolean: expected", "what stands behind the = is no value" },
        { "root table: expected keys", "this is neither a key nor a table" },
        { "unknown escape sequence", "a backslash stands before a letter that means nothing there" },
        { "key-value pair: expected '='", "there is no = behind the key" },
        { "key-value pair: expected a comment", "something stands behind the value" },
        { "expected comma or closing ']'", "a list goes on without a comma, or has no end" },
        { "table header: expected ']'", "the bracket of a table is not closed" },
        { "inline table: expected key", "an inline table goes on in the next line, or ends with a comma" },
    };

    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strstr(said, plain[i][0]))
            return plain[i][1];
    return NULL;
}

const char *toml_hint(const char *bytes, size_t length, uint32_t number, const char *said)
{
    static const char *const curly[] = { "\u201c", "\u201d", "\u201e", "\u2018", "\u2019", NULL };
    static const char *const truths[] = { "yes", "no", "on", "off", "True", "False", "TRUE", "FALSE",
                                          "Yes", "No", "On", "Off", NULL };
    static const char *const nothings[] = { "null", "none", "None", "NULL", "nil", NULL };
    struct line line;

    if (!length)
        return NULL;
    line_find(&line, bytes, length, number);
    if (!strncmp(line.text + strspn(line.text, " \t"), "//", 2) || line.text[strspn(line.text, " \t")] == ';')
        return "begin a comment with #";
    if (has_any(line.text, curly))
        return "write plain quotes: \"...\"";
    if (has_colon_for_equals(line.text))
        return "write = between a key and its value";
    if (is_word(line.value, truths))
        return "write true or false";
    if (is_word(line.value, nothings))
        return "TOML has no word for nothing: take the key out";
    if (is_decimal_comma(line.value))
        return "write a number with a point, such as 0.5";
    if (*line.value == '"' && strchr(line.value, '\\'))
        return "write \\\\ for a backslash, or put the text in single quotes: 'C:\\...'";
    if (count_of(line.text, '"') % 2 || (*line.value == '\'' && count_of(line.value, '\'') % 2))
        return "close the quotes on the line where they open";
    if (bracket_hint(&line, said) && (*line.value == '[' || *line.text == '['))
        return bracket_hint(&line, said);
    if (begins_a_text(line.value))
        return "put the text in quotes: \"...\"";
    if (strchr(line.value, '{') && count_of(line.value, '{') > count_of(line.value, '}'))
        return "an inline table { ... } stands on one line: write it on one, or as a [table] of its own";
    if (!*line.value && *line.text && !strchr(line.text, '=') && *line.text != '[')
        return "write key = value";
    return bracket_hint(&line, said);
}
