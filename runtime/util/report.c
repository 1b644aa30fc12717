/* report.c - collects what is wrong with a configuration, in order of place.
 *
 * Control characters in a message are printed as '?': a message may carry a
 * key that somebody else wrote, and must not be able to move the cursor of
 * the terminal that shows it.
 *
 * Not here: where it is printed (the caller says) and run-time logs. */
#include "util/report.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

struct entry {
    enum report_level level;
    size_t file;      /* index into files */
    uint32_t line;
    uint32_t column;
    size_t order;
    char *text;       /* "[node] what; ..." */
};

struct report {
    struct entry *entries;
    size_t count, room;
    char **files;
    size_t file_count, file_room;
    size_t lost;
};

struct report *report_new(void)
{
    return calloc(1, sizeof(struct report));
}

void report_free(struct report **report)
{
    if (!*report)
        return;
    for (size_t i = 0; i < (*report)->count; i++)
        free((*report)->entries[i].text);
    for (size_t i = 0; i < (*report)->file_count; i++)
        free((*report)->files[i]);
    free((*report)->entries);
    free((*report)->files);
    free(*report);
    *report = NULL;
}

/* Makes room for one more item; false when there is no memory. */
static bool list_grow(void **list, size_t count, size_t *room, size_t item_bytes)
{
    size_t more = *room ? *room * 2 : 16;
    void *grown;

    if (count < *room)
        return true;
    grown = reallocarray(*list, more, item_bytes);
    if (!grown)
        return false;
    *list = grown;
    *room = more;
    return true;
}

static bool file_find(struct report *report, const char *name, size_t *ret_index)
{
    void *list = report->files;
    char *copy;

    for (size_t i = 0; i < report->file_count; i++) {
        if (!strcmp(report->files[i], name)) {
            *ret_index = i;
            return true;
        }
    }
    if (!list_grow(&list, report->file_count, &report->file_room, sizeof *report->files))
        return false;
    report->files = list;
    copy = strdup(name);
    if (!copy)
        return false;
    *ret_index = report->file_count;
    report->files[report->file_count++] = copy;
    return true;
}

/* Takes entry->text. */
static void entry_add(struct report *report, struct entry entry)
{
    void *list = report->entries;

    if (!list_grow(&list, report->count, &report->room, sizeof *report->entries)) {
        free(entry.text);
        report->lost++;
        return;
    }
    report->entries = list;
    entry.order = report->count;
    report->entries[report->count++] = entry;
}

static void controls_hide(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
    }
}

void report_add(struct report *report, enum report_level level, struct place place,
                const char *node, const char *format, ...)
{
    struct text text = { 0 };
    struct entry entry = { .level = level, .line = place.line, .column = place.column };
    va_list args;
    char *message = NULL;

    va_start(args, format);
    if (vasprintf(&message, format, args) < 0)
        message = NULL;
    va_end(args);
    if (node)
        text_print(&text, "[%s] ", node);
    if (message)
        text_add(&text, message);
    free(message);
    entry.text = message ? text_take(&text) : NULL;
    if (!entry.text || !file_find(report, place.file, &entry.file)) {
        text_free(&text);
        free(entry.text);
        report->lost++;
        return;
    }
    controls_hide(entry.text);
    entry_add(report, entry);
}

static size_t level_count(const struct report *report, enum report_level level)
{
    size_t count = 0;

    for (size_t i = 0; i < report->count; i++)
        count += report->entries[i].level == level;
    return count;
}

size_t report_errors(const struct report *report)
{
    return level_count(report, REPORT_ERROR) + report->lost;
}

size_t report_warnings(const struct report *report)
{
    return level_count(report, REPORT_WARNING);
}

static int entry_compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;

    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

bool report_row(struct report *report, size_t row, struct report_line *ret_line)
{
    const struct entry *entry;

    if (row == 0 && report->count)
        qsort(report->entries, report->count, sizeof *report->entries, entry_compare);
    if (row >= report->count)
        return false;
    entry = &report->entries[row];
    *ret_line = (struct report_line){
        entry->level, { report->files[entry->file], entry->line, entry->column }, entry->text };
    return true;
}

void report_print(struct report *report, FILE *out)
{
    struct report_line line;

    for (size_t row = 0; report_row(report, row, &line); row++) {
        fputs(line.place.file, out);
        if (line.place.line)
            fprintf(out, ":%u:%u", line.place.line, line.place.column);
        fprintf(out, ": %s: %s\n", line.level == REPORT_ERROR ? "error" : "warning", line.text);
    }
    if (report->lost)
        fprintf(out, "error: out of memory: %zu messages were lost; free memory and check again\n",
                report->lost);
}
