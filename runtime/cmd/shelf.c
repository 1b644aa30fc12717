/* shelf.c - see shelf.h. */
#include "cmd/shelf.h"

#include <afferent/plugin.h>

#include <string.h>

#include "cmd/verbs.h"
#include "keep/lock.h"

enum { GO_ON = -1, WHY_ROOM = 512 };

static int need_key(struct shelf *s)
{
    const char *path = s->opened.plan->store_key;
    struct text why = { 0 };

    if (!path)
        return GO_ON;
    s->has_key = key_file_read(path, "store_key", s->key, &why);
    if (!s->has_key)
        fprintf(stderr, "%s: error: %s\n", s->opened.file, why.data ? why.data : "there is no memory");
    text_free(&why);
    return s->has_key ? GO_ON : EXIT_USAGE;
}

int shelf_need(struct shelf *s)
{
    char why[WHY_ROOM];
    int code = opened_need(&s->opened);

    if (code >= 0)
        return code;
    if (!place_find(s->opened.plan->name, &s->paths, why, sizeof why)) {
        fprintf(stderr, "%s: error: %s\n", s->opened.file, why);
        return EXIT_USAGE;
    }
    s->runs = lock_is_held(s->paths.folder, &s->pid);
    return need_key(s);
}

/* ---- the store ---- */

static void say(void *arg, int level, const char *text)
{
    const struct shelf *s = arg;

    if (level >= AFF_LOG_WARN)
        fprintf(stderr, "%s: %s: %s\n", s->opened.file, level == AFF_LOG_WARN ? "warning" : "error", text);
}

/* What a person has to mend first is bad usage; what the world has to, an error. */
static int failed(const struct shelf *s, enum store_status status, const char *why)
{
    if (status == STORE_NONE) {
        fprintf(stderr, "%s: error: nothing is stored yet in %s; expected a pipeline that has run; "
                "afferent run %s\n", s->opened.file, s->paths.folder, s->opened.file);
        return EXIT_ERROR;
    }
    fprintf(stderr, "%s: error: %s\n", s->opened.file, *why ? why : "the store cannot be opened");
    return status == STORE_KEY || status == STORE_BUSY || status == STORE_NEWER ? EXIT_USAGE : EXIT_ERROR;
}

static int open_store(struct shelf *s, bool read_only)
{
    struct store_options options = { .folder = s->paths.folder,
                                     .limit = s->opened.plan->store_limit,
                                     .key = s->has_key ? s->key : NULL,
                                     .read_only = read_only,
                                     .log = say,
                                     .arg = s };
    char why[WHY_ROOM] = "";
    enum store_status status = store_open(&options, &s->store, why, sizeof why);

    return status == STORE_OK ? GO_ON : failed(s, status, why);
}

static int no_store(const struct shelf *s)
{
    fprintf(stderr, "%s: error: this pipeline stores nothing (store_limit is 0); expected a store_limit such as "
            "\"64MiB\"; set it in [pipeline]\n", s->opened.file);
    return EXIT_USAGE;
}

int shelf_look(struct shelf *s)
{
    return s->opened.plan->store_limit ? open_store(s, true) : no_store(s);
}

int shelf_hold(struct shelf *s)
{
    if (!s->opened.plan->store_limit)
        return no_store(s);
    if (s->runs) {
        fprintf(stderr, "%s: error: the pipeline runs (pid %ld); expected it to be stopped; stop it first\n",
                s->opened.file, (long)s->pid);
        return EXIT_USAGE;
    }
    return open_store(s, false);
}

/* ---- a running pipeline ---- */

int shelf_ask(struct shelf *s, const struct control_request *request, int timeout_ms, int *ret_code,
              struct text *ret_answer)
{
    enum ask_status status = control_ask(&s->paths, request, timeout_ms, ret_code, ret_answer);

    if (status == ASK_OK)
        return GO_ON;
    fprintf(stderr, "%s: error: %s\n", s->opened.file, ask_problem(status));
    return EXIT_ERROR;
}

void shelf_close(struct shelf *s)
{
    store_close(&s->store);
    explicit_bzero(s->key, sizeof s->key);
    place_free(&s->paths);
    opened_close(&s->opened);
}
