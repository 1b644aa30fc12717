/* dlq.c - `afferent dlq ls|show|retry|drop`: the letters that were set aside.
 *
 * Here the words, and which letters are meant. All but numbers can be said of ls
 * too, so that what will be tried again or dropped can be looked at before.
 *
 * Not here: looking (dlq_look.c), changing (dlq_do.c, dlq_change.c). */
#include "cmd/dlq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/verbs.h"
#include "cmd/words.h"

enum { GO_ON = -1, NUMBERS_MOST = 4096 };

/* ---- which letters ---- */

bool dlq_add(struct dlq *d, uint64_t number)
{
    size_t room = d->room ? d->room * 2 : 64;
    uint64_t *letters;

    if (d->count == d->room) {
        letters = realloc(d->letters, room * sizeof *letters);
        if (!letters)
            return false;
        d->letters = letters;
        d->room = room;
    }
    d->letters[d->count++] = number;
    return true;
}

static int no_memory(void)
{
    fputs("afferent: there is no memory\n", stderr);
    return EXIT_ERROR;
}

static int read_number(struct dlq *d, const char *word)
{
    char *end = NULL;
    uint64_t number;

    errno = 0;
    number = strtoull(word, &end, 10);
    if (*word >= '0' && *word <= '9' && *end == '\0' && errno == 0)
        return dlq_add(d, number) ? GO_ON : no_memory();
    fprintf(stderr, "afferent %s: \"%s\" is no number of a letter; expected one as afferent dlq ls prints it\n",
            d->verb, word);
    return EXIT_USAGE;
}

static int read_numbers(struct dlq *d)
{
    const struct args_list *operands = &d->shelf.opened.operands;
    int code = GO_ON;

    for (size_t i = 1; i < operands->count && code == GO_ON; i++)
        code = read_number(d, operands->words[i]);
    if (code == GO_ON && d->count > 0 && (d->all || d->node || d->reason)) {
        fprintf(stderr, "afferent %s: numbers, and --all, --node or --reason as well; expected one of both\n", d->verb);
        code = EXIT_USAGE;
    }
    return code;
}

bool dlq_has_choice(const struct dlq *d)
{
    return d->count > 0 || d->all || d->node || d->reason;
}

static int need_choice(const struct dlq *d)
{
    if (dlq_has_choice(d))
        return GO_ON;
    fprintf(stderr, "afferent %s: which letters? expected their numbers, --node NAME, --reason NAME, or --all\n"
            "  see: afferent dlq ls %s\n", d->verb, d->shelf.opened.operands.words[0]);
    return EXIT_USAGE;
}

bool dlq_is_meant(const struct dlq *d, const struct wire_letter *l)
{
    return (!d->node || strcmp(d->node, l->node ? l->node : "") == 0) &&
           (!d->reason || strcmp(d->reason, l->reason ? l->reason : "") == 0);
}

struct walk {
    struct dlq *dlq;
    bool failed;
};

static bool choose_one(void *arg, uint64_t number, const void *bytes, size_t size)
{
    struct walk *w = arg;
    struct wire_letter letter;
    bool all = !w->dlq->node && !w->dlq->reason;

    if (all || (wire_letter_read(bytes, size, &letter) && dlq_is_meant(w->dlq, &letter)))
        w->failed = !dlq_add(w->dlq, number);
    return !w->failed;
}

int dlq_choose(struct dlq *d)
{
    struct walk walk = { .dlq = d };

    if (d->count > 0)
        return GO_ON;
    if (store_letters(d->shelf.store, choose_one, &walk) != STORE_OK && !walk.failed) {
        fprintf(stderr, "%s: error: the letters cannot be read; see afferent store check\n", d->shelf.opened.file);
        return EXIT_ERROR;
    }
    return walk.failed ? no_memory() : GO_ON;
}

/* ---- words ---- */

static const char more[] =
    "Columns that are labelled phi, and whatever nobody has declared, are shown as (phi)\n"
    "unless --reveal is given. Who reveals, retries or drops is noted in audit.log in\n"
    "the pipeline's state folder, before it is done.\n\n"
    "Exit codes: 0 done, 1 some letters could not be read or changed, 2 bad usage, 3 the\n"
    "store cannot be opened, or the pipeline runs and does not answer.\n";

#define ABOUT(word, what, so) \
    { .verb = "dlq " word, .operands = "PIPELINE.toml [NUMBER ...]", .summary = (what), .more = more, \
      .examples = (so), .least = 1, .most = 1 + NUMBERS_MOST }

struct work {
    struct args_about about;
    int (*run)(struct dlq *dlq);
    bool must_choose;
};

static const struct work works[] = {
    { ABOUT("ls", "lists dead letters: records that were set aside",
            "  afferent dlq ls bedside.toml\n"
            "  afferent dlq ls bedside.toml --node score --reason bad_value\n"),
      dlq_ls, false },
    { ABOUT("show", "shows dead letters with all they hold",
            "  afferent dlq show bedside.toml 17\n"
            "  afferent dlq show bedside.toml 17 --reveal      with what identifies somebody\n"),
      dlq_show, true },
    { ABOUT("retry", "lets dead letters go in again where they failed",
            "  afferent dlq retry bedside.toml 17 18\n"
            "  afferent dlq retry bedside.toml --node cloud    all of a node\n"),
      dlq_retry, true },
    { ABOUT("drop", "drops dead letters for good",
            "  afferent dlq drop bedside.toml 17\n"
            "  afferent dlq drop bedside.toml --all\n"),
      dlq_drop, true },
};

static int arguments(struct args_about about, struct dlq *d, int argc, char **argv)
{
    const struct args_flag flags[] = {
        { "all", ARGS_SWITCH, &d->all, NULL, "All letters.", NULL },
        { "node", ARGS_TEXT, &d->node, "NAME", "Those that failed at this node.", NULL },
        { "reason", ARGS_TEXT, &d->reason, "NAME", "Those that failed for this reason.", NULL },
        { "json", ARGS_SWITCH, &d->json, NULL, "Prints JSON (ls, show).", NULL },
        { "reveal", ARGS_SWITCH, &d->reveal, NULL, "Shows what identifies somebody (ls, show); it is audited.", NULL },
        OPENED_FLAGS(d->shelf.opened),
    };

    about.flags = flags;
    about.flag_count = sizeof flags / sizeof *flags;
    return args_read(&about, argc, argv, &d->shelf.opened.operands);
}

static int dlq_run(size_t which, int argc, char **argv)
{
    const struct work *work = &works[which];
    struct dlq dlq = { .verb = work->about.verb };
    int code = arguments(work->about, &dlq, argc, argv);

    if (code < 0)
        code = read_numbers(&dlq);
    if (code < 0 && work->must_choose)
        code = need_choice(&dlq);
    if (code < 0)
        code = shelf_need(&dlq.shelf);
    if (code < 0)
        code = work->run(&dlq);
    shelf_close(&dlq.shelf);
    free(dlq.letters);
    return code;
}

int verb_dlq(int argc, char **argv)
{
    static const struct words words = { "dlq", "dead letters: records that were set aside, and why",
                                        works, sizeof *works, sizeof works / sizeof *works, dlq_run };

    return words_run(&words, argc, argv);
}
