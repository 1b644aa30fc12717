/* words.h - a verb of several words: `afferent store ls`, `afferent store check`.
 *
 * Each word is told in a struct args_about; from the table of them come the usage of
 * the verb, and the message for a word that does not exist.
 *
 * Not here: the flags behind a word (args.h), what it does (a verb's file). */
#ifndef AFFERENT_CMD_WORDS_H
#define AFFERENT_CMD_WORDS_H

#include "cmd/args.h"

struct words {
    const char *verb;    /* "store" */
    const char *summary; /* what it is about, in a line */
    const void *list;    /* structs that begin with a struct args_about, for example of "store ls" */
    size_t size;         /* of one */
    size_t count;
    /* Does what list[which] says. The word itself is argv[0]. */
    int (*run)(size_t which, int argc, char **argv);
};

/* [control] Runs the word in argv[1], or prints help: the exit code. */
int words_run(const struct words *words, int argc, char **argv);

#endif
