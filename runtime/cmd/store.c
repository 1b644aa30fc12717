/* store.c - `afferent store ls|check|repair`: what a pipeline keeps on the disk.
 *
 * `ls` and `check` only look. `repair` does what every start does with a damaged
 * store: what is whole in it is carried over, the rest set aside.
 *
 * Not here: the store itself (keep/). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/audit.h"
#include "cmd/shelf.h"
#include "cmd/store_list.h"
#include "cmd/verbs.h"

enum { GO_ON = -1 };

struct work {
    const char *name;
    const char *summary;
    const char *examples;
    const char *more;
    int (*run)(struct shelf *shelf, bool json);
};

static bool is_sound(enum store_status status, const struct store_health *health)
{
    return status == STORE_OK && health->opens && health->damaged == 0;
}

static enum store_status examine(const struct shelf *s, struct store_health *health)
{
    *health = (struct store_health){ .whole = 0 };
    return store_examine(s->paths.folder, s->has_key ? s->key : NULL, health);
}

/* ---- check ---- */

static void check_json(const struct store_health *health, bool sound)
{
    struct json json;

    json_begin(&json, stdout, true);
    json_object(&json, NULL);
    json_bool(&json, "sound", sound);
    json_bool(&json, "opens", health->opens);
    json_uint(&json, "whole", health->whole);
    json_uint(&json, "damaged", health->damaged);
    json_text(&json, "first", *health->what ? health->what : NULL);
    json_end(&json);
    json_finish(&json);
}

static void check_print(const struct shelf *s, const struct store_health *health, bool sound)
{
    printf("%" PRIu64 " values are whole, %" PRIu64 " are damaged\n", health->whole, health->damaged);
    if (sound)
        return;
    printf("%s%s\n", *health->what ? "the first: " : "it cannot be opened", health->what);
    printf("the next start sets it aside and goes on with what is whole; so does: afferent store repair %s\n",
           s->opened.file);
}

static int check_failed(const struct shelf *s, enum store_status status)
{
    fprintf(stderr, "%s: error: the store cannot be examined: %s\n", s->opened.file,
            status == STORE_NONE    ? "nothing is stored yet"
            : status == STORE_KEY   ? "it is sealed with another key, or not sealed; see store_key"
            : status == STORE_NEWER ? "it was written by a later version of afferent"
            : status == STORE_BUSY  ? "another process holds it"
                                    : "it cannot be read, or there is no memory");
    return status == STORE_KEY || status == STORE_NEWER || status == STORE_BUSY ? EXIT_USAGE : EXIT_ERROR;
}

static int must_rest(const struct shelf *s, const char *what)
{
    if (!s->runs)
        return GO_ON;
    fprintf(stderr, "%s: error: the pipeline runs (pid %ld), and what it writes now would look damaged; expected it "
            "to be stopped; stop it, then %s\n", s->opened.file, (long)s->pid, what);
    return EXIT_USAGE;
}

static int store_check(struct shelf *s, bool json)
{
    struct store_health health;
    enum store_status status;
    int code = must_rest(s, "check it");

    if (code >= 0)
        return code;
    status = examine(s, &health);
    if (status != STORE_OK && status != STORE_BAD)
        return check_failed(s, status);
    if (json)
        check_json(&health, is_sound(status, &health));
    else
        check_print(s, &health, is_sound(status, &health));
    return is_sound(status, &health) ? EXIT_DONE : EXIT_WRONG;
}

/* ---- repair ---- */

static void repair_json(const struct store_figures *f, bool was_sound, const struct store_health *left, bool is_sound_now)
{
    struct json json;

    json_begin(&json, stdout, true);
    json_object(&json, NULL);
    json_bool(&json, "was_sound", was_sound);
    json_bool(&json, "sound", is_sound_now);
    json_uint(&json, "whole", left->whole);
    json_uint(&json, "damaged", left->damaged);
    json_uint(&json, "values_lost", f->lost);
    json_uint(&json, "stores_set_aside", f->set_aside);
    json_end(&json);
    json_finish(&json);
}

static void repair_print(const struct shelf *s, const struct store_figures *f, bool was_sound,
                         const struct store_health *left, bool is_sound_now)
{
    if (was_sound)
        puts("it is whole: nothing to repair");
    else if (is_sound_now)
        printf("it was damaged: that is set aside in %s; %" PRIu64 " values are kept, %" PRIu64 " could not be read\n",
               s->paths.folder, left->whole, f->lost);
    else
        printf("%" PRIu64 " values are still damaged; each is stepped over and counted when its turn comes\n",
               left->damaged);
}

/* Opening for writing repairs; what it came to is seen by looking again. */
static int repair(struct shelf *s, bool json, bool was_sound)
{
    const struct audit audit = { .verb = "store repair" };
    struct store_figures figures = { .lost = 0 };
    struct store_health left;
    enum store_status status;
    int code;

    if (!audit_note(s->paths.folder, &audit))
        return EXIT_ERROR;
    code = shelf_hold(s);
    if (code >= 0)
        return code;
    store_figures(s->store, &figures);
    store_close(&s->store);
    status = examine(s, &left);
    if (status != STORE_OK && status != STORE_BAD)
        return check_failed(s, status);
    if (json)
        repair_json(&figures, was_sound, &left, is_sound(status, &left));
    else
        repair_print(s, &figures, was_sound, &left, is_sound(status, &left));
    return is_sound(status, &left) ? EXIT_DONE : EXIT_WRONG;
}

static int store_repair(struct shelf *s, bool json)
{
    struct store_health before;
    enum store_status status;
    int code = must_rest(s, "repair it");

    if (code >= 0)
        return code;
    status = examine(s, &before);
    if (status != STORE_OK && status != STORE_BAD)
        return check_failed(s, status);
    return repair(s, json, is_sound(status, &before));
}

/* ---- words ---- */

static const struct work works[] = {
    { "ls", "lists what a pipeline keeps: queues, states, figures",
      "  afferent store ls bedside.toml\n"
      "  afferent store ls bedside.toml --json\n",
      "Exit codes: 0 done, 2 bad usage, 3 the store cannot be read.\n", store_list },
    { "check", "looks at every page and value of a store",
      "  afferent store check bedside.toml\n",
      "Exit codes: 0 it is whole, 1 something is damaged, 2 bad usage, or the pipeline\n"
      "runs, 3 the store cannot be read.\n", store_check },
    { "repair", "carries over what is whole in a damaged store",
      "  afferent store repair bedside.toml\n",
      "Every start does the same by itself. The damaged file is set aside, not removed.\n\n"
      "Exit codes: 0 it is whole now, 1 something damaged is left, 2 bad usage, or the\n"
      "pipeline runs, 3 it cannot be written.\n", store_repair },
};
enum { WORKS = sizeof works / sizeof *works };

static int arguments(const struct work *work, struct shelf *s, bool *json, int argc, char **argv)
{
    const struct args_flag flags[] = {
        { "json", ARGS_SWITCH, json, NULL, "Prints JSON.", NULL },
        OPENED_FLAGS(s->opened),
    };
    char verb[16];
    const struct args_about about = {
        .verb = verb,
        .operands = "PIPELINE.toml",
        .summary = work->summary,
        .more = work->more,
        .examples = work->examples,
        .flags = flags,
        .flag_count = sizeof flags / sizeof *flags,
        .least = 1,
        .most = 1,
    };

    snprintf(verb, sizeof verb, "store %s", work->name);
    return args_read(&about, argc, argv, &s->opened.operands);
}

static int store_run(const struct work *work, int argc, char **argv)
{
    struct shelf shelf = { .store = NULL };
    bool json = false;
    int code = arguments(work, &shelf, &json, argc, argv);

    if (code < 0)
        code = shelf_need(&shelf);
    if (code < 0)
        code = work->run(&shelf, json);
    shelf_close(&shelf);
    return code;
}

static int usage(FILE *out, int code)
{
    fputs("afferent store - what a pipeline keeps on the disk\n\n"
          "Usage: afferent store ls PIPELINE.toml [FLAG ...]\n"
          "       afferent store check PIPELINE.toml [FLAG ...]\n"
          "       afferent store repair PIPELINE.toml [FLAG ...]\n\n",
          out);
    for (size_t i = 0; i < WORKS; i++)
        fprintf(out, "  %-6s %s\n", works[i].name, works[i].summary);
    fputs("\nSee: afferent store ls --help\n", out);
    return code;
}

int verb_store(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    const char *names[WORKS];

    if (!strcmp(word, "--help") || !strcmp(word, "-h"))
        return usage(stdout, EXIT_DONE);
    for (size_t i = 0; i < WORKS; i++) {
        if (strcmp(word, works[i].name) == 0)
            return store_run(&works[i], argc - 1, argv + 1);
        names[i] = works[i].name;
    }
    if (!*word)
        return usage(stderr, EXIT_USAGE);
    fprintf(stderr, "afferent store: there is no verb \"%s\"", word);
    args_guess(word, names, WORKS);
    fputs("\n  see: afferent store --help\n", stderr);
    return EXIT_USAGE;
}
