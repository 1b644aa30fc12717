/* args.c - see args.h. */
#include "cmd/args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/verbs.h"
#include "util/text.h"
#include "util/units.h"

enum { GO_ON = -1 };

bool args_add(struct args_list *list, const char *word)
{
    const char **words = realloc(list->words, (list->count + 1) * sizeof *words);

    if (!words)
        return false;
    words[list->count++] = word;
    list->words = words;
    return true;
}

void args_free(struct args_list *list)
{
    free(list->words);
    *list = (struct args_list){ NULL, 0 };
}

bool args_guess(const char *word, const char *const *names, size_t count)
{
    struct aff_guess guess = { .word = word };

    for (size_t i = 0; i < count; i++)
        aff_guess_offer(&guess, names[i]);
    if (guess.best)
        fprintf(stderr, "; did you mean %s?", guess.best);
    return guess.best != NULL;
}

/* ---- help ---- */

static void print_flag(const char *name, const char *value, const char *doc)
{
    int width = printf("  --%s%s%s", name, value ? " " : "", value ? value : "");

    if (width > 26)
        printf("\n%*s", 28, "");
    else
        printf("%*s", 28 - width, "");
    puts(doc);
}

static int print_help(const struct args_about *about)
{
    printf("afferent %s - %s\n\nUsage: afferent %s%s%s [FLAG ...]\n", about->verb, about->summary,
           about->verb, *about->operands ? " " : "", about->operands);
    if (about->examples)
        printf("\nExamples:\n%s", about->examples);
    puts("\nFlags:");
    for (size_t i = 0; i < about->flag_count; i++) {
        const struct args_flag *f = &about->flags[i];

        print_flag(f->name, f->value, f->doc);
    }
    print_flag("help", NULL, "This text.");
    if (about->more)
        printf("\n%s", about->more);
    return EXIT_DONE;
}

/* ---- values ---- */

static int wrong(const struct args_about *about)
{
    fprintf(stderr, "\n  see: afferent %s --help\n", about->verb);
    return EXIT_USAGE;
}

static int no_memory(void)
{
    fputs("afferent: there is no memory\n", stderr);
    return EXIT_ERROR;
}

static int read_duration(const struct args_about *about, const struct args_flag *flag, const char *value)
{
    int64_t ns;
    enum units_status st = units_duration(value, &ns);

    if (st == UNITS_OK && ns > 0) {
        *(int64_t *)flag->into = ns;
        return GO_ON;
    }
    fprintf(stderr, "afferent %s: --%s %s: it %s; expected %s, above zero", about->verb, flag->name, value,
            st == UNITS_OK ? "is too short" : units_problem(st), units_expected(UNITS_DURATION));
    return wrong(about);
}

static int read_count(const struct args_about *about, const struct args_flag *flag, const char *value)
{
    char *end = NULL;
    unsigned long long n;

    errno = 0;
    n = strtoull(value, &end, 10);
    if (*value >= '0' && *value <= '9' && *end == '\0' && errno == 0) {
        *(uint64_t *)flag->into = n;
        return GO_ON;
    }
    fprintf(stderr, "afferent %s: --%s %s: it is no number; expected a whole number such as 100", about->verb,
            flag->name, value);
    return wrong(about);
}

static int read_choice(const struct args_about *about, const struct args_flag *flag, const char *value)
{
    size_t count = 0;

    for (; flag->choices[count]; count++)
        if (strcmp(flag->choices[count], value) == 0) {
            *(int *)flag->into = (int)count;
            return GO_ON;
        }
    fprintf(stderr, "afferent %s: --%s %s: there is no such choice; expected %s", about->verb, flag->name, value,
            flag->value);
    args_guess(value, flag->choices, count);
    return wrong(about);
}

static int read_value(const struct args_about *about, const struct args_flag *flag, const char *value)
{
    switch (flag->kind) {
    case ARGS_DURATION:
        return read_duration(about, flag, value);
    case ARGS_COUNT:
        return read_count(about, flag, value);
    case ARGS_CHOICE:
        return read_choice(about, flag, value);
    case ARGS_LIST:
        return args_add(flag->into, value) ? GO_ON : no_memory();
    case ARGS_TEXT:
        *(const char **)flag->into = value;
        return GO_ON;
    case ARGS_SWITCH:
        break;
    }
    *(bool *)flag->into = true;
    return GO_ON;
}

/* ---- words ---- */

static const struct args_flag *flag_find(const struct args_about *about, const char *name, size_t length)
{
    for (size_t i = 0; i < about->flag_count; i++) {
        const struct args_flag *f = &about->flags[i];

        if (strlen(f->name) == length && memcmp(f->name, name, length) == 0)
            return f;
    }
    return NULL;
}

static int flag_unknown(const struct args_about *about, const char *word, size_t length)
{
    struct aff_guess guess = { 0 };
    char name[64];

    snprintf(name, sizeof name, "%.*s", (int)(length < 63 ? length : 63), word);
    guess.word = name;
    for (size_t i = 0; i < about->flag_count; i++)
        aff_guess_offer(&guess, about->flags[i].name);
    fprintf(stderr, "afferent %s: there is no flag --%s", about->verb, name);
    if (guess.best)
        fprintf(stderr, "; did you mean --%s?", guess.best);
    return wrong(about);
}

/* One flag; *at moves on when the value is the next word. */
static int read_flag(const struct args_about *about, int argc, char **argv, int *at)
{
    const char *word = argv[*at] + 2, *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const struct args_flag *flag = flag_find(about, word, length);

    if (length == 4 && memcmp(word, "help", 4) == 0)
        return print_help(about);
    if (!flag)
        return flag_unknown(about, word, length);
    if (flag->kind == ARGS_SWITCH && equals) {
        fprintf(stderr, "afferent %s: --%s takes no value", about->verb, flag->name);
        return wrong(about);
    }
    if (flag->kind == ARGS_SWITCH || equals)
        return read_value(about, flag, equals ? equals + 1 : "");
    if (*at + 1 >= argc) {
        fprintf(stderr, "afferent %s: --%s needs a value; expected --%s %s", about->verb, flag->name, flag->name,
                flag->value);
        return wrong(about);
    }
    return read_value(about, flag, argv[++*at]);
}

static int check_operands(const struct args_about *about, const struct args_list *operands)
{
    if (operands->count < about->least)
        fprintf(stderr, "afferent %s: %s is missing; expected afferent %s %s", about->verb, about->operands,
                about->verb, about->operands);
    else if (operands->count > about->most)
        fprintf(stderr, "afferent %s: \"%s\" is one word too many; expected afferent %s %s", about->verb,
                operands->words[about->most], about->verb, about->operands);
    else
        return GO_ON;
    return wrong(about);
}

int args_read(const struct args_about *about, int argc, char **argv, struct args_list *ret_operands)
{
    struct args_list operands = { NULL, 0 };
    bool flags_over = false;
    int code = GO_ON;

    for (int i = 1; i < argc && code == GO_ON; i++) {
        const char *word = argv[i];

        if (!flags_over && strcmp(word, "--") == 0)
            flags_over = true;
        else if (!flags_over && strcmp(word, "-h") == 0)
            code = print_help(about);
        else if (!flags_over && strncmp(word, "--", 2) == 0)
            code = read_flag(about, argc, argv, &i);
        else if (!flags_over && word[0] == '-' && word[1] != '\0')
            code = flag_unknown(about, word + 1, strlen(word + 1));
        else if (!args_add(&operands, word))
            code = no_memory();
    }
    if (code == GO_ON)
        code = check_operands(about, &operands);
    if (code == GO_ON)
        *ret_operands = operands;
    else
        args_free(&operands);
    return code;
}
