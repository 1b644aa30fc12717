/* set.c - "--set NODE.OPTION=VALUE" on the command line.
 *
 * The value goes into the tree as if it had stood in the file, so that it is
 * checked by the same code; its place is the option itself.
 *
 * Not here: reading the command line (cmd/), whether the option exists: that
 * is asked of every option alike, later. */
#include <string.h>

#include "config/expand.h"
#include "config/toml.h"
#include "util/text.h"

struct setting {
    struct arena *arena;
    struct report *report;
    struct place place;    /* "--set NODE.OPTION" */
    char *node;
    char *option;          /* may have dots */
    const char *text;
    const char *flag;      /* another flag that sets it; NULL: --set itself */
};

#define EXPECTED "expected --set NODE.OPTION=VALUE"

/* Splits at the first "=" and the first "."; false after a message. */
static bool setting_split(struct setting *s, const char *assignment)
{
    const char *equals = strchr(assignment, '=');
    char *dot;

    s->place = (struct place){ s->flag ? s->flag : "--set", 0, 0 };
    if (!equals) {
        report_add(s->report, REPORT_ERROR, s->place, NULL,
                   "there is no \"=\" in it; " EXPECTED "; put the value behind a \"=\"");
        return false;
    }
    s->node = arena_copy(s->arena, assignment, (size_t)(equals - assignment));
    s->text = equals + 1;
    if (!s->node)
        return false;
    if (!s->flag)
        s->place.file = arena_print(s->arena, "--set %s", s->node);
    if (!s->place.file)
        s->place.file = "--set";
    dot = strchr(s->node, '.');
    if (!dot || dot == s->node || !dot[1] || strstr(dot, "..") || dot[strlen(dot) - 1] == '.') {
        report_add(s->report, REPORT_ERROR, s->place, NULL,
                   "it does not name an option of a node; " EXPECTED
                   "; put node and option before the \"=\"");
        return false;
    }
    *dot = '\0';
    s->option = dot + 1;
    return true;
}

/* The [source.NODE], [processor.NODE] or [sink.NODE] table, or [pipeline]. */
static struct value *node_table(const struct setting *s, struct value *document)
{
    static const char *const kinds[] = { "source", "processor", "sink" };
    struct aff_guess guess = { .word = s->node };

    if (!strcmp(s->node, "pipeline") && value_find(document, "pipeline"))
        return value_find(document, "pipeline");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct value *kind = value_find(document, kinds[i]);
        struct value *node = value_find(kind, s->node);

        if (node && node->kind == VALUE_TABLE)
            return node;
        for (struct value *v = kind ? kind->first : NULL; v; v = v->next) {
            if (v->key)
                aff_guess_offer(&guess, v->key);
        }
    }
    if (guess.best)
        report_add(s->report, REPORT_ERROR, s->place, NULL,
                   "there is no node \"%s\"; expected a node of this pipeline; "
                   "did you mean %s?", s->node, guess.best);
    else
        report_add(s->report, REPORT_ERROR, s->place, NULL,
                   "there is no node \"%s\"; expected a node of this pipeline; "
                   "see its [source...], [processor...] and [sink...] tables", s->node);
    return NULL;
}

/* Walks down `path`, making tables on the way; the table that shall hold the
 * last name, which `ret_last` gives. NULL after a message. */
static struct value *table_walk(const struct setting *s, struct value *table, char *path,
                                char **ret_last)
{
    char *dot;

    for (; (dot = strchr(path, '.')); path = dot + 1) {
        struct value *child;

        *dot = '\0';
        child = value_find(table, path);
        if (!child) {
            child = value_new(s->arena, VALUE_TABLE, s->place);
            if (!child || !value_set_key(s->arena, child, path, strlen(path), s->place))
                return NULL;
            value_append(table, child);
        }
        if (child->kind != VALUE_TABLE) {
            report_add(s->report, REPORT_ERROR, s->place, s->node,
                       "%s is %s and has no parts; expected the name of a table; "
                       "set %s as a whole", path, value_kind_name(child), path);
            return NULL;
        }
        table = child;
    }
    *ret_last = path;
    return table;
}

/* A text that is no TOML stands for itself, so that `--set a.path=b.txt`
 * needs no quotes inside quotes. One that begins like TOML was meant as such. */
static struct value *value_read(const struct setting *s)
{
    struct value *value = toml_value(s->arena, s->place, s->text);

    if (value && value->kind == VALUE_TIME) /* no option is one: they are written as text */
        value = NULL;
    if (value || (*s->text && strchr("\"'[{", *s->text))) {
        if (!value)
            report_add(s->report, REPORT_ERROR, s->place, s->node,
                       "the value begins like TOML and is none; expected a TOML value or a plain "
                       "text; close its quotes or brackets");
        return value;
    }
    value = value_new(s->arena, VALUE_TEXT, s->place);
    if (!value || !value_set_text(s->arena, value, s->text, strlen(s->text)))
        return NULL;
    value->written = value->text;
    return value;
}

void expand_set(struct arena *arena, struct report *report, struct value *document,
                const char *assignment, const char *flag)
{
    struct setting s = { .arena = arena, .report = report, .flag = flag };
    size_t errors = report_errors(report);
    struct value *table, *value = NULL, *old;
    char *last = NULL;

    if (setting_split(&s, assignment)) {
        table = node_table(&s, document);
        if (table)
            table = table_walk(&s, table, s.option, &last);
        if (table)
            value = value_read(&s);
        if (value && value_set_key(arena, value, last, strlen(last), s.place)) {
            old = value_find(table, last);
            if (old)
                value_remove(table, old);
            value_append(table, value);
            return;
        }
    }
    if (report_errors(report) == errors)
        report_add(report, REPORT_ERROR, s.place, NULL,
                   "there is no memory for it; free memory and try again");
}
