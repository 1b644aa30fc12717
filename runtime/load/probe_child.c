/* probe_child.c - tries a plugin: the child's side, and opening an object.
 *
 * Not here: starting the child and reading its answer (probe.c). */
#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <afferent/plugin.h>

#include "load/copy.h"
#include "load/probe.h"
#include "load/probe_inside.h"

_Static_assert((int)PROBE_ANSWER_MAX <= PIPE_BUF, "an answer is one write");

/* What the dynamic linker says begins with the path that it was given, which
 * means nothing to a person; and it quotes the file, so it is made printable. */
static void linker_message(struct text *why, const char *path)
{
    const char *message = dlerror();
    char line[512];

    if (!message)
        message = "no reason given";
    if (!strncmp(message, path, strlen(path)) && message[strlen(path)] == ':')
        message += strlen(path) + 1 + (message[strlen(path) + 1] == ' ');
    snprintf(line, sizeof line, "%s", message);
    for (char *c = line; *c; c++) {
        if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
            *c = '?';
    }
    text_print(why, "cannot be loaded (%s); a whole plugin with all its libraries was expected; "
               "install what is missing, or link it with -Wl,-z,defs and look", line);
}

void *object_open(int fd, const struct aff_plugin **ret_constant, struct text *why)
{
    char path[64];
    void *object;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        linker_message(why, path);
        return NULL;
    }
    *ret_constant = dlsym(object, "afferent_plugin_v1");
    if (!*ret_constant) {
        text_print(why, "has no constant afferent_plugin_v1; this host supports ABI %d; export "
                   "one (AFF_EXPORT), or build the plugin for this major version", AFF_ABI_MAJOR);
        dlclose(object);
        return NULL;
    }
    return object;
}

bool plugin_probe_asked(int argc, char **argv)
{
    return argc == 2 && !strcmp(argv[1], PROBE_VERB) && getenv(PROBE_MARK) != NULL;
}

/* Accidents shall be over at once and leave nothing behind. The handlers of
 * sanitizers are taken away: a probe dies of what the plugin does. */
static void limits_set(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };
    struct rlimit none = { 0, 0 };

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 1);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        signal(signals[i], SIG_DFL);
}

/* Standard output becomes a file, to see whether the plugin writes to it. */
static int output_watch(void)
{
    int fd = memfd_create("afferent-stdout", MFD_CLOEXEC);

    if (fd >= 0 && dup2(fd, STDOUT_FILENO) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static bool is_quiet(int watched, struct text *why)
{
    struct stat st;

    fflush(stdout);
    if (watched < 0 || fstat(watched, &st) < 0 || st.st_size == 0)
        return true;
    text_add(why, "writes to standard output while it is loaded; results go there, so a plugin "
                  "is expected to be quiet; take that out of its constructors");
    return false;
}

static bool image_check(int fd, struct text *why)
{
    struct arena *arena = arena_new();
    const struct aff_plugin *constant;
    struct plugin plugin;
    struct note note;
    void *object = NULL;
    struct stat st;
    bool is_good;

    if (!arena || fstat(fd, &st) < 0) {
        arena_free(&arena);
        return false;
    }
    if (note_read(fd, (uint64_t)st.st_size, &note, why))
        object = object_open(fd, &constant, why);
    is_good = object && constant_copy(arena, constant, &note, &plugin, why);
    if (object)
        dlclose(object); /* its destructors run in the host too, at the end */
    arena_free(&arena);
    return is_good;
}

int plugin_probe_main(int fd)
{
    struct text why = { 0 };
    char answer[PROBE_ANSWER_MAX];
    bool is_good;
    int watched;
    int length;

    limits_set();
    watched = output_watch();
    is_good = image_check(fd, &why) && is_quiet(watched, &why);
    length = snprintf(answer, sizeof answer, "%c%s", is_good ? PROBE_SAYS_GOOD : PROBE_SAYS_REFUSED,
                      is_good ? "" : why.length ? why.data : "cannot be probed: no memory; free some and try again");
    if (length >= (int)sizeof answer)
        length = (int)sizeof answer - 1;
    if (write(PROBE_ANSWER_FD, answer, (size_t)length) != length)
        _exit(2);
    _exit(is_good ? 0 : 1);
}
