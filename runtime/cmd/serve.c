/* serve.c - `afferent serve`: all pipelines of a folder as one service.
 *
 * The supervisor opens no plugin and no store: what happens in a pipeline happens in that
 * pipeline's process, so that it can stop nobody else.
 *
 * Not here: the loop (serve_loop.c), one pipeline (serve_child.c). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <afferent/plugin.h>

#include "cmd/opened.h"
#include "cmd/serve_inside.h"
#include "cmd/verbs.h"
#include "keep/lock.h"
#include "show/explain.h"
#include "show/place.h"

#define FOLDER "/etc/afferent/pipelines"
#define WATCH (60 * SERVE_SECOND)

enum { GO_ON = -1, PATH_ROOM = 4096 };

struct verb {
    struct serve serve;
    struct args_list operands;
    struct args_list dirs;
    bool check;
};

static const char examples[] =
    "  afferent serve                         /etc/afferent/pipelines/*.toml, until SIGTERM\n"
    "  afferent serve ward7                   the pipelines of another folder\n"
    "  afferent serve --check                 are all of them right?\n";

static const char more[] =
    "Each NAME.toml runs in a process of its own. One that fails is started again after\n"
    "1 s, 2 s ... 60 s; one that hangs is ended and started again; one whose file is wrong\n"
    "waits for the file to change. SIGHUP looks at the folder anew: what is new starts,\n"
    "what is gone ends, what has changed goes on by its changed file. SIGTERM ends all.\n\n"
    "Under systemd (Type=notify) it says READY when every source is open.\n\n"
    "Exit codes: 0 done, 2 no pipeline can run, one is wrong (--check), or another service\n"
    "has this runtime folder, 3 it ended on an error.\n";

static int arguments(struct verb *v, int argc, char **argv)
{
    const struct args_flag flags[] = {
        { "check", ARGS_SWITCH, &v->check, NULL, "Runs nothing: says what is wrong with any of them.", NULL },
        { "plugin-dir", ARGS_LIST, &v->dirs, "DIR", "Looks for plugins here first; may be given several times.",
          NULL },
    };
    const struct args_about about = {
        .verb = "serve",
        .operands = "[DIR]",
        .summary = "runs all pipelines of a folder as one service",
        .more = more,
        .examples = examples,
        .flags = flags,
        .flag_count = sizeof flags / sizeof *flags,
        .least = 0,
        .most = 1,
    };

    return args_read(&about, argc, argv, &v->operands);
}

static int folder_failed(const char *folder, int error)
{
    fprintf(stderr, "afferent serve: the folder %s cannot be read: %s; expected one with a file NAME.toml for each "
            "pipeline\n", folder, strerror(error));
    return EXIT_USAGE;
}

/* ---- checking ---- */

/* Two of a name would fight over one store. */
static bool name_is_new(struct args_list *names, const char *path, const char *name)
{
    char *copy;

    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->words[i], name) == 0) {
            printf("%s: error: a file before it in this folder has the same name in [pipeline]; expected a name of "
                   "its own, since the store lies under it\n", path);
            return false;
        }
    copy = strdup(name);
    if (copy && args_add(names, copy))
        return true;
    free(copy);
    fputs("afferent: there is no memory\n", stderr);
    return false;
}

static bool check_file(const struct verb *v, const char *path, struct args_list *names)
{
    struct opened opened = { .file = NULL };
    bool ok = args_add(&opened.operands, path);

    for (size_t i = 0; ok && i < v->dirs.count; i++)
        ok = args_add(&opened.dirs, v->dirs.words[i]);
    ok = ok && opened_read(&opened) < 0;
    if (ok)
        report_print(opened.report, stdout);
    ok = ok && opened.plan && name_is_new(names, path, opened.plan->name);
    if (ok)
        printf("ok: %s: %u nodes, %u edges\n", path, opened.plan->node_count, opened.plan->edge_count);
    opened_close(&opened);
    return ok;
}

static int check_all(const struct verb *v)
{
    struct args_list names = { NULL, 0 };
    char **paths;
    int count = serve_names(v->serve.folder, &paths), wrong = 0;

    if (count < 0)
        return folder_failed(v->serve.folder, -count);
    for (int i = 0; i < count; i++)
        wrong += !check_file(v, paths[i], &names);
    if (count == 0)
        printf("%s: there is no pipeline\n", v->serve.folder);
    serve_names_free(paths, count);
    for (size_t i = 0; i < names.count; i++)
        free((void *)(uintptr_t)names.words[i]);
    args_free(&names);
    return wrong ? EXIT_USAGE : EXIT_DONE;
}

/* ---- running ---- */

/* A folder beside the sockets: its name has a dot, so that it is no pipeline's. */
static int lock_folder(const struct place_paths *place, int *ret_fd)
{
    char folder[PATH_ROOM];
    pid_t pid;
    int error;

    snprintf(folder, sizeof folder, "%s/.serve", place->sockets);
    error = mkdir(folder, 0700) == 0 || errno == EEXIST ? lock_take(folder, ret_fd, &pid) : errno;
    if (!error)
        return GO_ON;
    if (error == EWOULDBLOCK)
        fprintf(stderr, "afferent serve: another service (process %ld) has the runtime folder %s; expected one of "
                "its own; end that one, or set $RUNTIME_DIRECTORY and $STATE_DIRECTORY\n", (long)pid, place->sockets);
    else
        fprintf(stderr, "afferent serve: no lock in %s: %s\n", folder, strerror(error));
    return error == EWOULDBLOCK ? EXIT_USAGE : EXIT_ERROR;
}

static int lock(int *ret_fd)
{
    struct place_paths place;
    char why[512];
    int code = EXIT_USAGE;

    /* The folders are made by the name of what is no pipeline, and that one taken away. */
    if (place_find(".serve", &place, why, sizeof why) && place_make(&place, why, sizeof why)) {
        rmdir(place.folder);
        code = lock_folder(&place, ret_fd);
    } else {
        fprintf(stderr, "afferent serve: %s\n", why);
    }
    place_free(&place);
    return code;
}

static int run_all(struct verb *v)
{
    struct serve *serve = &v->serve;
    char **paths;
    int fd = -1, code, count = serve_names(serve->folder, &paths);

    if (count < 0)
        return folder_failed(serve->folder, -count);
    serve_names_free(paths, count);
    code = lock(&fd);
    if (code != GO_ON)
        return code;
    serve->watch_ns = serve->notify.watchdog_ns > 0 ? serve->notify.watchdog_ns : WATCH;
    serve->lines = lines_open(AFF_LOG_INFO);
    if (serve->lines) {
        lines_name(serve->lines, "service");
        code = serve_run(serve);
    } else {
        fputs("afferent: there is no memory\n", stderr);
        code = EXIT_ERROR;
    }
    lines_close(&serve->lines);
    close(fd);
    return code;
}

int verb_serve(int argc, char **argv)
{
    struct verb v = { .check = false };
    int code;

    notify_open(&v.serve.notify);
    code = arguments(&v, argc, argv);
    if (code < 0) {
        v.serve.folder = v.operands.count ? v.operands.words[0] : FOLDER;
        v.serve.dirs = &v.dirs;
        code = v.check ? check_all(&v) : run_all(&v);
    }
    args_free(&v.operands);
    args_free(&v.dirs);
    notify_close(&v.serve.notify);
    return code;
}
