/* args.h - the words behind a verb: flags, operands, help.
 *
 * A verb describes its flags in a table; from it come parsing, --help, and the
 * message for a flag that does not exist, with the one that was probably meant.
 * Flags may stand before or behind operands; "--" ends them.
 *
 * Not here: what a flag's value means beyond its type. */
#ifndef AFFERENT_CMD_ARGS_H
#define AFFERENT_CMD_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum args_kind {
    ARGS_SWITCH,   /* bool */
    ARGS_TEXT,     /* const char * */
    ARGS_LIST,     /* struct args_list: may be given several times */
    ARGS_DURATION, /* int64_t, ns, above 0 */
    ARGS_COUNT,    /* uint64_t */
    ARGS_CHOICE    /* int: index into `choices` */
};

/* Words as they stood; borrowed from argv. The array is freed by args_free. */
struct args_list {
    const char **words;
    size_t count;
};

struct args_flag {
    const char *name;  /* without "--" */
    enum args_kind kind;
    void *into;        /* where the value goes; untouched when not given */
    const char *value; /* "DURATION", for help; NULL for a switch */
    const char *doc;
    const char *const *choices; /* ARGS_CHOICE: ended by NULL */
};

struct args_about {
    const char *verb;     /* "run", or "plugin list" */
    const char *operands; /* "PIPELINE.toml", "" for none */
    const char *summary;  /* one sentence */
    const char *more;     /* paragraphs behind the flags; NULL for none */
    const char *examples; /* what to type, a line each, with two blanks in front */
    const struct args_flag *flags;
    size_t flag_count;
    size_t least; /* operands */
    size_t most;
};

/* Reads argv[1..]. Below 0: go on, with the operands in *ret_operands (given;
 * args_free). Else the exit code: --help was printed, or what is wrong. */
int args_read(const struct args_about *about, int argc, char **argv, struct args_list *ret_operands);
void args_free(struct args_list *list);
/* False without memory. The word is borrowed. */
bool args_add(struct args_list *list, const char *word);

/* "did you mean X?" on stderr when one of the names is near; false when none. */
bool args_guess(const char *word, const char *const *names, size_t count);

#endif
