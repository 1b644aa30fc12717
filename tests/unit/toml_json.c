/* toml_json.c - prints a TOML file as the tagged JSON of the toml-test suite.
 *
 * A table is an object, a list a list, and any other value an object of two
 * texts, {"type": "...", "value": "..."}. Exit 0 when the file was read, 1
 * with the message on stderr when it was refused.
 *
 * Not here: the comparison (toml_suite.py) and any use at run time. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/toml.h"

static void print_text(const char *text, size_t length)
{
    putchar('"');
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void print_real(double real)
{
    if (isnan(real))
        fputs("nan", stdout);
    else if (isinf(real))
        fputs(real < 0 ? "-inf" : "inf", stdout);
    else
        printf("%.17g", real);
}

static const char *time_type(const struct value_time *time)
{
    if (!time->has_date)
        return "time-local";
    if (!time->has_time)
        return "date-local";
    return time->has_offset ? "datetime" : "datetime-local";
}

static void print_offset(int minutes)
{
    if (minutes == 0)
        putchar('Z');
    else
        printf("%c%02d:%02d", minutes < 0 ? '-' : '+', abs(minutes) / 60, abs(minutes) % 60);
}

static void print_time(const struct value_time *time)
{
    if (time->has_date)
        printf("%04u-%02u-%02u", time->year, time->month, time->day);
    if (time->has_date && time->has_time)
        putchar('T');
    if (time->has_time)
        printf("%02u:%02u:%02u.%09" PRIu32, time->hour, time->minute, time->second,
               time->nanosecond);
    if (time->has_offset)
        print_offset(time->offset_minutes);
}

static void print_scalar(const struct value *value)
{
    switch (value->kind) {
    case VALUE_TEXT:
        fputs("{\"type\": \"string\", \"value\": ", stdout);
        print_text(value->text, value->text_length);
        putchar('}');
        return;
    case VALUE_INT:
        printf("{\"type\": \"integer\", \"value\": \"%" PRId64, value->integer);
        break;
    case VALUE_REAL:
        fputs("{\"type\": \"float\", \"value\": \"", stdout);
        print_real(value->real);
        break;
    case VALUE_BOOL:
        printf("{\"type\": \"bool\", \"value\": \"%s", value->boolean ? "true" : "false");
        break;
    default:
        printf("{\"type\": \"%s\", \"value\": \"", time_type(&value->time));
        print_time(&value->time);
        break;
    }
    fputs("\"}", stdout);
}

static void print_value(const struct value *value)
{
    bool is_table = value->kind == VALUE_TABLE;

    if (!is_table && value->kind != VALUE_ARRAY) {
        print_scalar(value);
        return;
    }
    putchar(is_table ? '{' : '[');
    for (const struct value *child = value->first; child; child = child->next) {
        if (child != value->first)
            putchar(',');
        if (is_table) {
            print_text(child->key, child->key_length);
            putchar(':');
        }
        print_value(child);
    }
    putchar(is_table ? '}' : ']');
}

int main(int argc, char **argv)
{
    struct arena *arena = arena_new();
    struct report *report = report_new();
    struct value *document = NULL;

    if (argc == 2 && arena && report)
        document = toml_load(arena, report, argv[1]);
    if (document)
        print_value(document);
    if (report)
        report_print(report, stderr);
    report_free(&report);
    arena_free(&arena);
    return document ? 0 : 1;
}
