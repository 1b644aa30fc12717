/* init.c - `afferent init`: begins a pipeline from one that is shipped.
 *
 * The new file is the shipped one with its comments, under the new name. A file
 * that is there already is never written over.
 *
 * Not here: what the shipped pipelines do (their own first lines say it). */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/args.h"
#include "cmd/verbs.h"
#include "util/arena.h"
#include "util/file.h"
#include "util/text.h"

enum { GO_ON = -1, NAME_MOST = 63, PIPELINE_BYTES_MOST = 1 << 20, PIPELINES_MOST = 256 };

struct init {
    struct args_list operands;
    const char *from;
    bool list;
    const char *folder; /* of the shipped pipelines */
    char *names[PIPELINES_MOST];
    size_t count;
    struct arena *arena;
};

static const char examples[] =
    "  afferent init --list                     what there is to begin from\n"
    "  afferent init ward3                      writes ward3.toml, from bedside\n"
    "  afferent init holter --from ecg-file     writes holter.toml, from ecg-file\n";

static const char more[] =
    "The file is written into the working folder. Shipped pipelines are looked for\n"
    "where afferent is installed, or in the folder that AFFERENT_PIPELINES names.\n";

static int arguments(struct init *init, int argc, char **argv)
{
    const struct args_flag flags[] = {
        { "from", ARGS_TEXT, &init->from, "PIPELINE", "The shipped pipeline to begin from; bedside by default.", NULL },
        { "list", ARGS_SWITCH, &init->list, NULL, "Lists the shipped pipelines, with what each is for.", NULL },
    };
    const struct args_about about = {
        .verb = "init",
        .operands = "NAME",
        .summary = "begins a pipeline from one that is shipped",
        .more = more,
        .examples = examples,
        .flags = flags,
        .flag_count = sizeof flags / sizeof *flags,
        .least = 0,
        .most = 1,
    };

    return args_read(&about, argc, argv, &init->operands);
}

static int no_memory(void)
{
    fputs("afferent: there is no memory\n", stderr);
    return EXIT_ERROR;
}

/* ---- what is shipped ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int pipelines_find(struct init *init)
{
    DIR *folder = opendir(init->folder);
    struct dirent *entry;

    if (!folder) {
        fprintf(stderr, "afferent init: the shipped pipelines are not to be read: %s: %s; is afferent installed? "
                        "AFFERENT_PIPELINES names another folder\n", init->folder, strerror(errno));
        return EXIT_USAGE;
    }
    while ((entry = readdir(folder)) && init->count < PIPELINES_MOST) {
        size_t length = strlen(entry->d_name);

        if (length > 5 && !strcmp(entry->d_name + length - 5, ".toml") && entry->d_name[0] != '.')
            init->names[init->count++] = arena_copy(init->arena, entry->d_name, length - 5);
    }
    closedir(folder);
    for (size_t i = 0; i < init->count; i++)
        if (!init->names[i])
            return no_memory();
    qsort(init->names, init->count, sizeof init->names[0], by_name);
    return GO_ON;
}

static int pipeline_load(struct init *init, const char *name, struct file *ret_file)
{
    struct text path = { 0 };
    int error;

    text_print(&path, "%s/%s.toml", init->folder, name);
    error = path.failed ? ENOMEM : file_read(init->arena, path.data, PIPELINE_BYTES_MOST, ret_file);
    if (error)
        fprintf(stderr, "afferent init: %s cannot be read: %s\n", path.data ? path.data : name, strerror(error));
    text_free(&path);
    return error ? EXIT_ERROR : GO_ON;
}

/* Its first line says what it is: "# ecg.toml - a modelled patient's ECG". */
static int list_print(struct init *init)
{
    for (size_t i = 0; i < init->count; i++) {
        struct file file;
        const char *about;
        int code = pipeline_load(init, init->names[i], &file);

        if (code != GO_ON)
            return code;
        about = strstr(file.bytes, " - ");
        if (file.bytes[0] != '#' || !about || about > file.bytes + strcspn(file.bytes, "\n"))
            about = " - ";
        printf("%-16s %.*s\n", init->names[i], (int)strcspn(about + 3, "\n"), about + 3);
    }
    return EXIT_DONE;
}

static int from_check(const struct init *init)
{
    for (size_t i = 0; i < init->count; i++)
        if (!strcmp(init->names[i], init->from))
            return GO_ON;
    fprintf(stderr, "afferent init: there is no shipped pipeline \"%s\"", init->from);
    args_guess(init->from, (const char *const *)init->names, init->count);
    fputs("\n  see: afferent init --list\n", stderr);
    return EXIT_USAGE;
}

/* ---- the new one ---- */

static int name_check(const struct init *init)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const char *name = init->operands.count ? init->operands.words[0] : "";

    if (*name && strlen(name) <= NAME_MOST && strspn(name, good) == strlen(name))
        return GO_ON;
    fprintf(stderr, "afferent init: %s; expected up to %d letters, digits, \"_\" or \"-\", such as ward3\n"
                    "  see: afferent init --help\n", *name ? "that is no name of a pipeline" : "NAME is missing",
            NAME_MOST);
    return EXIT_USAGE;
}

/* The line in [pipeline] that begins with `name`, and its own file's name in
 * comments, are the new one's; all else stays. */
static void line_add(struct text *out, const struct init *init, const char *line, size_t length)
{
    const char *name = init->operands.words[0], *end = line + length, *found;
    const char *file = arena_print(init->arena, "%s.toml", init->from);
    size_t own = file ? strlen(file) : 0;

    if (!file) {
        out->failed = true;
        return;
    }
    while ((found = memmem(line, (size_t)(end - line), file, own))) {
        text_print(out, "%.*s%s.toml", (int)(found - line), line, name);
        line = found + own;
    }
    text_print(out, "%.*s", (int)(end - line), line);
}

static void rewrite(struct text *out, const struct init *init, const char *from)
{
    bool in_pipeline = false, is_named = false;

    while (*from) {
        size_t length = strcspn(from, "\n");

        length += from[length] == '\n';
        if (*from == '[')
            in_pipeline = !strncmp(from, "[pipeline]", 10);
        if (in_pipeline && !is_named && !strncmp(from, "name", 4) && from[4 + strspn(from + 4, " \t")] == '=') {
            text_print(out, "name = \"%s\"\n", init->operands.words[0]);
            is_named = true;
        } else {
            line_add(out, init, from, length);
        }
        from += length;
    }
}

static int write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);

        if (n < 0 && errno != EINTR)
            return errno;
        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

static int file_write(const char *name, const struct text *text)
{
    char path[NAME_MOST + 6];
    int fd, error;

    snprintf(path, sizeof path, "%s.toml", name);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    error = fd < 0 ? errno : write_all(fd, text->data, text->length);
    if (fd >= 0 && close(fd) != 0 && !error)
        error = errno;
    if (!error)
        return GO_ON;
    if (fd >= 0)
        unlink(path);
    fprintf(stderr, "afferent init: %s cannot be written: %s%s\n", path, strerror(error),
            error == EEXIST ? "; choose another name, or move that file away" : "");
    return error == EEXIST ? EXIT_USAGE : EXIT_ERROR;
}

static int begin(struct init *init)
{
    struct text text = { 0 };
    struct file file;
    const char *name, *called = getenv("AFFERENT_CALLED");
    int code = name_check(init);

    if (code == GO_ON)
        code = from_check(init);
    if (code == GO_ON)
        code = pipeline_load(init, init->from, &file);
    if (code != GO_ON)
        return code;
    rewrite(&text, init, file.bytes);
    name = init->operands.words[0];
    code = text.failed ? no_memory() : file_write(name, &text);
    text_free(&text);
    if (code != GO_ON)
        return code;
    if (!called)
        called = "afferent";
    printf("%s.toml is written, from %s. Next:\n  %s check %s.toml\n  %s run %s.toml\n", name, init->from, called, name,
           called, name);
    return EXIT_DONE;
}

int verb_init(int argc, char **argv)
{
    struct init init = { .from = "bedside", .folder = getenv("AFFERENT_PIPELINES") };
    int code = arguments(&init, argc, argv);

    if (!init.folder || !*init.folder)
        init.folder = AFF_DATA_DIR "/pipelines";
    init.arena = arena_new();
    if (code == GO_ON && !init.arena)
        code = no_memory();
    if (code == GO_ON)
        code = pipelines_find(&init);
    if (code == GO_ON)
        code = init.list ? list_print(&init) : begin(&init);
    arena_free(&init.arena);
    args_free(&init.operands);
    return code;
}
