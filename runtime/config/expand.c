/* expand.c - ${env:NAME} and ${file:PATH}: what comes from outside the file.
 *
 * Not here: --set (set.c), which options take paths or secrets (options.c). */
#include "config/expand.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/file.h"
#include "util/text.h"

/* A key, a token, a short text: nobody keeps more in one option. */
#define INSERT_BYTES_MAX ((size_t)1 << 20)

struct expansion {
    struct arena *arena;
    struct report *report;
    const char *base;
    const char *node;      /* whose option it is, for messages */
    struct value *value;
    struct text text;
    unsigned depth; /* of defaults within defaults */
    bool failed;
};

enum { DEPTH_MOST = 8 };

static void expand_all(struct expansion *e, const char *at);

#define FAIL(e, ...) \
    ((e)->failed = true, \
     report_add((e)->report, REPORT_ERROR, (e)->value->place, (e)->node, __VA_ARGS__))

/* PATH behind "file:". One newline at the end is the editor's, not the
 * secret's; a NUL would cut the text short where a C program reads it. */
static void insert_file(struct expansion *e, const char *path)
{
    struct file file = { 0 };
    char *full = file_beside(e->arena, e->base, path);
    int error = full ? file_read(e->arena, full, INSERT_BYTES_MAX, &file) : ENOMEM;

    if (error == EFBIG) {
        FAIL(e, "${file:%s} is larger than 1 MiB; expected a short text; name another file", path);
    } else if (error == EISDIR || error == EINVAL) {
        FAIL(e, "${file:%s} is no file; expected a text file; name the file itself", path);
    } else if (error) {
        FAIL(e, "${file:%s} cannot be read: %s; expected a text file; "
             "check its name and permissions", path, strerror(error));
    } else if (memchr(file.bytes, '\0', file.length)) {
        FAIL(e, "${file:%s} holds a NUL byte; expected a text file; name another file", path);
    } else {
        if (file.length && file.bytes[file.length - 1] == '\n')
            file.length--;
        if (file.length && file.bytes[file.length - 1] == '\r')
            file.length--;
        text_add_bytes(&e->text, file.bytes, file.length);
        e->value->origin = VALUE_FROM_FILE;
        if (file.is_open_to_others)
            e->value->open_file = full;
    }
}

/* NAME or NAME:-default behind "env:"; a default may hold a ${...} in turn. */
static void insert_env(struct expansion *e, char *name)
{
    char *fallback = strstr(name, ":-");
    const char *found;

    if (e->value->origin == VALUE_WRITTEN)
        e->value->origin = VALUE_FROM_ENV;
    if (fallback) {
        *fallback = '\0';
        fallback += 2;
    }
    found = *name ? getenv(name) : NULL;
    if (!*name) {
        FAIL(e, "${env:} names no variable; expected ${env:NAME}; put a name there");
    } else if (found && (*found || !fallback)) {
        text_add(&e->text, found);
    } else if (fallback) {
        expand_all(e, fallback);
    } else {
        FAIL(e, "the environment variable %s is not set; expected a value; "
             "set it or write ${env:%s:-default}", name, name);
    }
}

/* ${HOME}, as in a shell. */
static bool is_capitals(const char *inside)
{
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

    return *inside && strspn(inside, capitals) == strlen(inside);
}

/* ${ENV:...}, ${evn:...}, ${file:}: what stands before the colon says which. */
static const char *word_meant(struct arena *arena, const char *inside)
{
    const char *colon = strchr(inside, ':');
    struct aff_guess guess = { .word = colon ? arena_copy(arena, inside, (size_t)(colon - inside)) : NULL };

    if (!guess.word)
        return NULL;
    aff_guess_offer(&guess, "env");
    aff_guess_offer(&guess, "file");
    if (!guess.best)
        return NULL;
    return !strcmp(guess.best, "env") ? "${env:NAME}" : "${file:PATH}";
}

/* One ${...}; `inside` is what stands between the braces. */
static void insert(struct expansion *e, char *inside)
{
    const char *meant;

    if (!strncmp(inside, "env:", 4))
        insert_env(e, inside + 4);
    else if (!strncmp(inside, "file:", 5) && inside[5])
        insert_file(e, inside + 5);
    else if (is_capitals(inside))
        FAIL(e, "${%s} is neither ${env:NAME} nor ${file:PATH}; expected one of them; "
             "did you mean ${env:%s}?", inside, inside);
    else if ((meant = word_meant(e->arena, inside)))
        FAIL(e, "a ${...} is neither ${env:NAME} nor ${file:PATH}; expected one of them; did you mean %s?",
             meant);
    else
        FAIL(e, "a ${...} is neither ${env:NAME} nor ${file:PATH}; expected one of them; "
             "write $${ for the characters themselves");
}

/* The brace that closes the one at `open`, past those within. */
static const char *closing(const char *open)
{
    const char *at = open + 2;
    unsigned inner = 0;

    for (; *at; at++) {
        if (at[0] == '$' && at[1] == '{')
            inner++;
        else if (*at == '}' && inner-- == 0)
            return at;
    }
    return NULL;
}

/* Copies up to the next ${...} and replaces it; returns where to go on. */
static const char *expand_next(struct expansion *e, const char *at)
{
    const char *open = strstr(at, "${"), *close;
    char *inside;

    if (!open) {
        text_add(&e->text, at);
        return at + strlen(at);
    }
    if (open > at && open[-1] == '$') {
        text_add_bytes(&e->text, at, (size_t)(open - at) - 1);
        text_add(&e->text, "${");
        return open + 2;
    }
    text_add_bytes(&e->text, at, (size_t)(open - at));
    close = closing(open);
    if (!close) {
        FAIL(e, "a ${ has no closing brace; expected ${env:NAME} or ${file:PATH}; "
             "close it, or write $${ for the characters themselves");
        return open + strlen(open);
    }
    inside = arena_copy(e->arena, open + 2, (size_t)(close - open) - 2);
    if (inside)
        insert(e, inside);
    else
        e->text.failed = true;
    return close + 1;
}

static void expand_all(struct expansion *e, const char *at)
{
    if (++e->depth > DEPTH_MOST)
        FAIL(e, "defaults within defaults are more than %d deep; expected fewer; write the value itself",
             DEPTH_MOST);
    while (*at && !e->failed)
        at = expand_next(e, at);
    e->depth--;
}

/* A text with a NUL in it is left as it is: no option takes one, so options.c
 * refuses it, with a better message than could be given here. */
static void expand_text(struct expansion e, struct value *value)
{
    const char *at = value->text;
    const char *written = value->text;

    if (strlen(value->text) != value->text_length || !strstr(at, "${"))
        return;
    e.value = value;
    expand_all(&e, at);
    text_add(&e.text, "");
    if (!e.failed && (e.text.failed ||
                      !value_set_text(e.arena, value, e.text.data, e.text.length)))
        FAIL(&e, "there is no memory to read this value; free memory and try again");
    value->written = written;
    value->is_broken = e.failed;
    text_free(&e.text);
}

/* A node is two levels down: [source.NAME]; [pipeline] is one. */
static void expand_tree(struct expansion e, struct value *value, unsigned depth)
{
    if (value->kind == VALUE_TEXT)
        expand_text(e, value);
    if (depth == 1)
        e.node = "pipeline";
    else if (depth == 2 && value->kind == VALUE_TABLE)
        e.node = value->key;
    for (struct value *child = value->first; child; child = child->next)
        expand_tree(e, child, depth + 1);
}

void expand_values(struct arena *arena, struct report *report, const char *base,
                   struct value *document)
{
    struct expansion e = { .arena = arena, .report = report, .base = base };

    expand_tree(e, document, 0);
}
