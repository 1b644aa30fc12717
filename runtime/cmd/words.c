/* words.c - see words.h. */
#include "cmd/words.h"

#include <stdio.h>
#include <string.h>

#include "cmd/verbs.h"

enum { WORDS_MOST = 8 };

static const struct args_about *about_of(const struct words *w, size_t which)
{
    return (const struct args_about *)(const void *)((const char *)w->list + which * w->size);
}

/* "ls", of "store ls". */
static const char *name_of(const struct words *w, size_t which)
{
    return about_of(w, which)->verb + strlen(w->verb) + 1;
}

static int usage(const struct words *w, FILE *out, int code)
{
    fprintf(out, "afferent %s - %s\n\n", w->verb, w->summary);
    for (size_t i = 0; i < w->count; i++) {
        const struct args_about *about = about_of(w, i);

        fprintf(out, "%s afferent %s%s%s [FLAG ...]\n", i ? "      " : "Usage:", about->verb,
                *about->operands ? " " : "", about->operands);
    }
    fputc('\n', out);
    for (size_t i = 0; i < w->count; i++)
        fprintf(out, "  %-6s %s\n", name_of(w, i), about_of(w, i)->summary);
    fprintf(out, "\nSee: afferent %s --help\n", about_of(w, 0)->verb);
    return code;
}

static int unknown(const struct words *w, const char *word)
{
    const char *names[WORDS_MOST];
    size_t count = 0;

    for (; count < w->count && count < WORDS_MOST; count++)
        names[count] = name_of(w, count);
    fprintf(stderr, "afferent %s: there is no verb \"%s\"", w->verb, word);
    args_guess(word, names, count);
    fprintf(stderr, "\n  see: afferent %s --help\n", w->verb);
    return EXIT_USAGE;
}

int words_run(const struct words *words, int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";

    if (!strcmp(word, "--help") || !strcmp(word, "-h") || !strcmp(word, "help"))
        return usage(words, stdout, EXIT_DONE);
    for (size_t i = 0; i < words->count; i++)
        if (strcmp(word, name_of(words, i)) == 0)
            return words->run(i, argc - 1, argv + 1);
    return *word ? unknown(words, word) : usage(words, stderr, EXIT_USAGE);
}
