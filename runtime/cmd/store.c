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
#include "cmd/words.h"

enum { GO_ON = -1 };

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

struct work {
    struct args_about about;
    int (*run)(struct shelf *shelf, bool json);
};

static const struct work works[] = {
    { { .verb = "store ls",
        .operands = "PIPELINE.toml",
        .summary = "lists what a pipeline keeps: queues, states, figures",
        .more = "Exit codes: 0 done, 2 bad usage, 3 the store cannot be read.\n",
        .examples = "  afferent store ls bedside.toml\n"
                    "  afferent store ls bedside.toml --json\n",
        .least = 1,
        .most = 1 },
      store_list },
    { { .verb = "store check",
        .operands = "PIPELINE.toml",
        .summary = "looks at every page and value of a store",
        .more = "Exit codes: 0 it is whole, 1 something is damaged, 2 bad usage, or the pipeline\n"
                "runs, 3 the store cannot be read.\n",
        .examples = "  afferent store check bedside.toml\n",
        .least = 1,
        .most = 1 },
      store_check },
    { { .verb = "store repair",
        .operands = "PIPELINE.toml",
        .summary = "carries over what is whole in a damaged store",
        .more = "Every start does the same by itself. The damaged file is set aside, not removed.\n\n"
                "Exit codes: 0 it is whole now, 1 something damaged is left, 2 bad usage, or the\n"
                "pipeline runs, 3 it cannot be written.\n",
        .examples = "  afferent store repair bedside.toml\n",
        .least = 1,
        .most = 1 },
      store_repair },
};

static int store_run(size_t which, int argc, char **argv)
{
    struct shelf shelf = { .store = NULL };
    struct args_about about = works[which].about;
    bool json = false;
    const struct args_flag flags[] = {
        { "json", ARGS_SWITCH, &json, NULL, "Prints JSON.", NULL },
        OPENED_FLAGS(shelf.opened),
    };
    int code;

    about.flags = flags;
    about.flag_count = sizeof flags / sizeof *flags;
    code = args_read(&about, argc, argv, &shelf.opened.operands);
    if (code < 0)
        code = shelf_need(&shelf);
    if (code < 0)
        code = works[which].run(&shelf, json);
    shelf_close(&shelf);
    return code;
}

int verb_store(int argc, char **argv)
{
    static const struct words words = { "store", "what a pipeline keeps on the disk",
                                        works, sizeof *works, sizeof works / sizeof *works, store_run };

    return words_run(&words, argc, argv);
}
