/* says.c - what a plugin says against its options and inputs.
 *
 * The functions of struct aff_report, as `validate` and `shape` get them. Each
 * belongs to one of the two: a call in the other is a mistake of the plugin and
 * said as such, since ignoring it would leave its author to guess.
 *
 * Not here: what an output's shape means (shapes.c). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/pipeline_inside.h"

static struct says *says_of(const struct aff_report *report)
{
    return (struct says *)(uintptr_t)report;
}

/* The child that a part of a path names: "low", or "[2]" in a list. */
static const struct value *child_find(const struct value *parent, const char *part)
{
    const struct value *child = NULL;
    char *end;
    unsigned long row;

    if (*part != '[')
        return value_find(parent, part);
    row = strtoul(part + 1, &end, 10);
    if (parent->kind == VALUE_ARRAY && end != part + 1)
        for (child = parent->first; child && row; row--)
            child = child->next;
    return child;
}

/* The longest part of an option's path that stands in the file. */
static struct place option_place(const struct value *table, const char *path)
{
    char part[64];

    while (path && *path) {
        size_t length = *path == '[' ? strcspn(path, "]") : strcspn(path, ".[");
        const struct value *child;

        snprintf(part, sizeof part, "%.*s", (int)(length < 63 ? length : 63), path);
        child = child_find(table, part);
        if (!child)
            break;
        table = child;
        path += length;
        path += *path == ']';
        path += *path == '.';
    }
    return table->place;
}

/* A plugin knows its inputs only as it was given them, counted from 1; a person
 * knows them by name: "input 2" becomes "input 2 (csv.rows)". */
static const char *inputs_named(struct says *says, const char *text)
{
    static const char word[] = "input ";
    const char *at = strstr(text, word), *name = NULL, *named = NULL;
    char *end = NULL;

    if (!at || !says->output || at[sizeof word - 1] < '1' || at[sizeof word - 1] > '9')
        return text;
    name = says->input_name(says, strtoul(at + sizeof word - 1, &end, 10));
    if (name)
        named = arena_print(says->draft->arena, "%.*s (%s)%s", (int)(end - text), text, name, end);
    return named ? named : text;
}

/* How an option and what is said of it are joined: "subject is empty", "every: the
 * lines have their own times". A sentence that names the option needs no more. */
static const char *joint(const char *option, const char *text)
{
    static const char *const verbs[] = { "is ", "are ", "has ", "names ", "needs ", "holds ", "stands ",
                                         "cannot ", "and " };

    if (!option || !strncmp(text, option, strlen(option)))
        return "";
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (!strncmp(text, verbs[i], strlen(verbs[i])))
            return " ";
    return ": ";
}

/* Where an option stands, or else its node. */
static struct place said_place(const struct says *says, const char *option)
{
    const struct value *table = says->node->table;
    struct place place = option ? option_place(table, option) : table->key_place;

    if (place.line == table->place.line && place.column == table->place.column)
        return table->key_place;
    return place;
}

__attribute__((format(printf, 3, 4)))
static void problem_say(const struct aff_report *report, const char *option, const char *format,
                        ...)
{
    struct says *says = says_of(report);
    struct place place = said_place(says, option);
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    says->had_problem = true;
    report_add(says->draft->report, REPORT_ERROR, place, says->node->name, "%s%s%s",
               *joint(option, text) ? option : "", joint(option, text), inputs_named(says, text));
}

static void wrong_callback(struct says *says, const char *function, const char *expected)
{
    if (says->had_problem)
        return;
    says->had_problem = true;
    report_add(says->draft->report, REPORT_ERROR, says->node->table->key_place, says->node->name,
               "the plugin %s calls report->%s in %s; expected it in %s; correct the plugin",
               says->node->plugin->about.name, function, says->callback, expected);
}

static void secure_say(const struct aff_report *report)
{
    struct says *says = says_of(report);

    if (says->output)
        wrong_callback(says, "secure", "validate");
    else
        says->is_secure = true;
}

__attribute__((format(printf, 3, 4)))
static void note_say(const struct aff_report *report, const char *option, const char *format, ...)
{
    struct says *says = says_of(report);
    struct plan_note *note;
    char text[1024];
    va_list args;

    if (says->output) {
        wrong_callback(says, "note", "validate");
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    note = arena_take(says->draft->arena, sizeof *note);
    if (note)
        *note = (struct plan_note){
            .at = said_place(says, option),
            .text = arena_print(says->draft->arena, "%s%s%s", *joint(option, text) ? option : "", joint(option, text), text),
        };
    if (!note || !note->text) {
        report_add(says->draft->report, REPORT_ERROR, said_place(says, option), says->node->name, "no memory for a note");
        return;
    }
    *says->next_note = note;
    says->next_note = &note->next;
}

static void output_say(const struct aff_report *report, const struct aff_shape *shape)
{
    struct says *says = says_of(report);

    if (!says->output)
        wrong_callback(says, "output", "shape");
    else if (!says->output(says, shape))
        says->had_problem = true;
}

void says_begin(struct says *says, struct draft *draft, const struct draft_node *node,
                const char *callback)
{
    *says = (struct says){
        .about = { .struct_size = sizeof says->about, .problem = problem_say,
                   .secure = secure_say, .output = output_say, .note = note_say },
        .draft = draft, .node = node, .callback = callback };
    says->next_note = &says->notes;
}

void says_end(struct says *says, aff_status status)
{
    if (status >= 0 || says->had_problem)
        return;
    says->had_problem = true;
    report_add(says->draft->report, REPORT_ERROR, says->node->table->key_place, says->node->name,
               "the plugin refuses its %s and says not why; expected %s as in "
               "afferent plugin info %s; compare them",
               says->output ? "inputs" : "options", says->output ? "inputs" : "options",
               says->node->plugin->about.name);
}
