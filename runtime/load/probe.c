/* probe.c - tries a plugin in a child: the host's side.
 *
 * The child answers through a pipe, one letter and a text: its exit status is
 * not enough, since a constructor may call exit(0). A child that ends without
 * an answer was ended by the plugin.
 *
 * Not here: what the child does (probe_child.c). */
#include "load/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load/probe_inside.h"

/* Descriptors that are handed over are moved up first, so that none of them
 * sits where another one is to go. */
#define FD_ABOVE 16

extern char **environ;

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The environment with the mark of a probe; the caller frees the array. */
static char **environment_make(void)
{
    static char mark[] = PROBE_MARK "=1";
    size_t count = 0;
    char **copy;

    while (environ && environ[count])
        count++;
    copy = calloc(count + 2, sizeof *copy);
    if (!copy)
        return NULL;
    if (count)
        memcpy(copy, environ, count * sizeof *copy);
    copy[count] = mark;
    return copy;
}

/* What the child finds at its descriptors: nothing of ours but the image and
 * the answer. 0 or an errno. */
static int actions_make(posix_spawn_file_actions_t *actions, int image, int answer)
{
    int error = 0;

    for (int fd = 0; fd < 3 && !error; fd++)
        error = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
    if (!error)
        error = posix_spawn_file_actions_adddup2(actions, image, PLUGIN_PROBE_FD);
    if (!error)
        error = posix_spawn_file_actions_adddup2(actions, answer, PROBE_ANSWER_FD);
    if (!error)
        error = posix_spawn_file_actions_addclosefrom_np(actions, PROBE_ANSWER_FD + 1);
    return error;
}

/* A process group of its own, so that what it starts can be ended with it; no
 * blocked or ignored signals inherited. */
static int attributes_make(posix_spawnattr_t *attributes)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) ||
        posix_spawnattr_setpgroup(attributes, 0) || posix_spawnattr_setsigmask(attributes, &none) ||
        posix_spawnattr_setsigdefault(attributes, &all))
        return EINVAL;
    return 0;
}

static int child_spawn(int image, int answer, pid_t *ret_child)
{
    static char name[] = "afferent", verb[] = PROBE_VERB;
    char *arguments[] = { name, verb, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char **environment = environment_make();
    int error = environment ? posix_spawn_file_actions_init(&actions) : ENOMEM;

    if (error)
        goto out;
    error = posix_spawnattr_init(&attributes);
    if (error)
        goto out_actions;
    error = actions_make(&actions, image, answer);
    if (!error)
        error = attributes_make(&attributes);
    if (!error)
        error = posix_spawn(ret_child, "/proc/self/exe", &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
out_actions:
    posix_spawn_file_actions_destroy(&actions);
out:
    free(environment);
    return error;
}

/* Waits for input or, for a pidfd, for the end of the process. */
static bool fd_wait(int fd, int64_t end)
{
    for (;;) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        int64_t left = end - now_ms();
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;

        if (left <= 0 || ready > 0)
            return ready > 0;
    }
}

/* An answer is one write, so it is there as a whole or not at all. The pipe may
 * outlive the answer, in a process that the plugin started: its end is not
 * waited for. Without an answer the child's end is. False: the time is over. */
static bool answer_read(int fd, pid_t child, int limit_ms, struct text *answer)
{
    int64_t end = now_ms() + limit_ms;
    char bytes[PROBE_ANSWER_MAX];
    bool is_ended;
    ssize_t got;
    int pidfd;

    if (!fd_wait(fd, end))
        return false;
    do {
        got = read(fd, bytes, sizeof bytes);
    } while (got < 0 && errno == EINTR);
    if (got > 0) {
        text_add_bytes(answer, bytes, (size_t)got);
        return true;
    }
    pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    is_ended = pidfd >= 0 && fd_wait(pidfd, end);
    if (pidfd >= 0)
        close(pidfd);
    return is_ended;
}

/* Says what became of a child that gave no answer. */
static void death_tell(int status, bool is_known, struct text *why)
{
    if (is_known && WIFSIGNALED(status)) {
        const char *name = sigabbrev_np(WTERMSIG(status));

        text_print(why, "kills its loader by SIG%s; it was tried in a child, this host is unharmed; "
                   "the file is damaged or built wrongly: build or copy it again", name ? name : "?");
    } else {
        text_print(why, "ends its loader while it is loaded (exit status %d); a plugin is expected "
                   "to load quietly; take that out of its constructors, or build it again",
                   is_known ? WEXITSTATUS(status) : 0);
    }
}

static enum probe_status answer_judge(const struct text *answer, int status, bool is_known, struct text *why)
{
    if (answer->failed) {
        text_add(why, "cannot be probed: no memory; free some and try again");
        return PROBE_IMPOSSIBLE;
    }
    if (answer->length && answer->data[0] == PROBE_SAYS_GOOD)
        return PROBE_GOOD;
    if (answer->length > 1 && answer->data[0] == PROBE_SAYS_REFUSED) {
        text_add(why, answer->data + 1);
        return PROBE_REFUSED;
    }
    death_tell(status, is_known, why);
    return PROBE_REFUSED;
}

/* Ends the child and whatever it started. A child that has ended is not reaped
 * yet, so its number is still its own and its status stays. */
static bool child_end(pid_t child, int *ret_status)
{
    pid_t got;

    kill(-child, SIGKILL);
    do {
        got = waitpid(child, ret_status, 0);
    } while (got < 0 && errno == EINTR);
    return got == child;
}

static enum probe_status impossible(struct text *why, int error)
{
    text_print(why, "cannot be probed in a child process (%s); a probe is needed before loading; "
               "free memory or processes and try again", strerror(error));
    return PROBE_IMPOSSIBLE;
}

/* Starts the child; *ret_answer is the end of the pipe to read from. */
static int child_start(int fd, pid_t *ret_child, int *ret_answer)
{
    int pipe_fds[2], image, answer, error;

    if (pipe2(pipe_fds, O_CLOEXEC) < 0)
        return errno;
    image = fcntl(fd, F_DUPFD_CLOEXEC, FD_ABOVE);
    answer = image < 0 ? -1 : fcntl(pipe_fds[1], F_DUPFD_CLOEXEC, FD_ABOVE);
    error = answer < 0 ? errno : child_spawn(image, answer, ret_child);
    close(pipe_fds[1]);
    if (answer >= 0)
        close(answer);
    if (image >= 0)
        close(image);
    if (error)
        close(pipe_fds[0]);
    else
        *ret_answer = pipe_fds[0];
    return error;
}

enum probe_status probe_run(int fd, int limit_ms, struct text *why)
{
    struct text answer = { 0 };
    enum probe_status result = PROBE_IMPOSSIBLE;
    int error, pipe_end = -1, status = 0;
    bool is_over, is_known;
    pid_t child = -1;

    if (getenv(PROBE_MARK)) {
        text_add(why, "cannot be probed: this program is itself a probe; its main was expected "
                      "to begin with plugin_probe_asked (load/probe.h)");
        return PROBE_IMPOSSIBLE;
    }
    error = child_start(fd, &child, &pipe_end);
    if (error)
        return impossible(why, error);
    is_over = !answer_read(pipe_end, child, limit_ms, &answer);
    is_known = child_end(child, &status);
    close(pipe_end);
    if (is_over)
        text_print(why, "did not finish loading within %d ms; it was ended; take what waits out "
                   "of its constructors, or try again when the machine is less busy", limit_ms);
    else
        result = answer_judge(&answer, status, is_known, why);
    text_free(&answer);
    return result;
}
