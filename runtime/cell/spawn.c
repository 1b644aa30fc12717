/* spawn.c - starts and ends the processes of cells.
 *
 * A child asks the kernel to be killed when its parent dies, and to the kernel the
 * parent is a thread. A child that is started again by a lane would die with that
 * lane, before it is closed in order; so one thread, which lives as long as the
 * process, starts them all.
 *
 * The same thread looks at all children five times a second: one that starts threads
 * without end while nobody calls it is killed as well.
 *
 * The environment is not handed on as a whole: it is where people put secrets.
 *
 * Not here: what the child does (child.c), when it is started again (policy.c). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cell/inside.h"

/* Descriptors that are handed over are moved up first, so that none of them sits
 * where another one is to go. */
enum {
    FD_MOVED = 32,
    FDS = CELL_FD_ABOVE - CELL_FD_IMAGE,
    KILL_WAIT_MS = 1000,
    VARIABLES = 64,
    WATCHED = 256,
    WATCH_NS = 200000000
};

extern char **environ;

/* ---- one start ---- */

struct start {
    int fds[FDS]; /* -1: nothing */
    bool prints;
    pid_t pid;
    int error;
    bool done;
    struct start *next;
};

static bool is_handed_on(const char *variable)
{
    static const char *const names[] = { "PATH=", "HOME=", "LANG=", "LC_", "TZ=", "TMPDIR=", "LD_LIBRARY_PATH=",
                                         "SSL_CERT_", "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "TSAN_OPTIONS=",
                                         "http_proxy=", "https_proxy=", "no_proxy=" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static void environment_make(char **to)
{
    static char mark[] = CELL_MARK "=1";
    size_t n = 0;

    to[n++] = mark;
    for (char **v = environ; v && *v && n + 1 < VARIABLES; v++)
        if (is_handed_on(*v))
            to[n++] = *v;
    to[n] = NULL;
}

static int actions_make(posix_spawn_file_actions_t *actions, const struct start *s)
{
    int error = 0;

    for (int fd = 0; fd < 3 && !error; fd++)
        if (fd != 1 || !s->prints)
            error = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
    for (int i = 0; i < FDS && !error; i++)
        error = s->fds[i] < 0 ? posix_spawn_file_actions_addopen(actions, CELL_FD_IMAGE + i, "/dev/null", O_RDWR, 0)
                              : posix_spawn_file_actions_adddup2(actions, s->fds[i], CELL_FD_IMAGE + i);
    if (!error)
        error = posix_spawn_file_actions_addclosefrom_np(actions, CELL_FD_ABOVE);
    return error;
}

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

static int start_now(struct start *s)
{
    static char name[] = "afferent", verb[] = CELL_VERB;
    char *arguments[] = { name, verb, NULL }, *environment[VARIABLES];
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);

    if (error)
        return error;
    error = posix_spawnattr_init(&attributes);
    if (!error) {
        environment_make(environment);
        error = actions_make(&actions, s);
        if (!error)
            error = attributes_make(&attributes);
        if (!error)
            error = posix_spawn(&s->pid, "/proc/self/exe", &actions, &attributes, arguments, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* ---- the thread that is their parent ---- */

struct watched {
    pid_t pid; /* 0: free; not reaped while it stands here */
    bool is_killed;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t asked, answered;
    struct start *first;
    struct watched watched[WATCHED];
    uint32_t watched_count;
    bool runs;
} spawner = { .lock = PTHREAD_MUTEX_INITIALIZER, .asked = PTHREAD_COND_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER };

static void watch_add(pid_t pid)
{
    for (uint32_t i = 0; i < WATCHED; i++)
        if (spawner.watched[i].pid == 0) {
            spawner.watched[i] = (struct watched){ pid, false };
            spawner.watched_count++;
            return;
        }
}

/* True: it was killed here. */
static bool watch_remove(pid_t pid)
{
    for (uint32_t i = 0; i < WATCHED; i++)
        if (spawner.watched[i].pid == pid) {
            spawner.watched[i].pid = 0;
            spawner.watched_count--;
            return spawner.watched[i].is_killed;
        }
    return false;
}

static void watch_all(void)
{
    for (uint32_t i = 0; i < WATCHED; i++) {
        struct watched *w = &spawner.watched[i];

        if (w->pid == 0 || w->is_killed || child_threads(w->pid) <= CHILD_THREADS)
            continue;
        w->is_killed = true;
        kill(w->pid, SIGKILL);
    }
}

/* Until something is asked for. Lock held. */
static void spawner_wait(void)
{
    struct timespec until;

    if (spawner.watched_count == 0) {
        pthread_cond_wait(&spawner.asked, &spawner.lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WATCH_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    if (pthread_cond_clockwait(&spawner.asked, &spawner.lock, CLOCK_MONOTONIC, &until) == ETIMEDOUT)
        watch_all();
}

static void *spawner_main(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&spawner.lock);
    for (;;) {
        struct start *s = spawner.first;

        if (!s) {
            spawner_wait();
            continue;
        }
        spawner.first = s->next;
        pthread_mutex_unlock(&spawner.lock);
        s->error = start_now(s);
        pthread_mutex_lock(&spawner.lock);
        if (!s->error)
            watch_add(s->pid);
        s->done = true;
        pthread_cond_broadcast(&spawner.answered);
    }
    return NULL;
}

/* With all signals blocked: those of the program are not for it. Lock held. */
static int spawner_run(void)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    pthread_t thread;
    int error;

    if (spawner.runs)
        return 0;
    error = pthread_attr_init(&attributes);
    if (error)
        return error;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&thread, &attributes, spawner_main, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    spawner.runs = !error;
    return error;
}

static int start_ask(struct start *s)
{
    int error;

    pthread_mutex_lock(&spawner.lock);
    error = spawner_run();
    if (!error) {
        s->next = spawner.first;
        spawner.first = s;
        pthread_cond_signal(&spawner.asked);
        while (!s->done)
            pthread_cond_wait(&spawner.answered, &spawner.lock);
        error = s->error;
    }
    pthread_mutex_unlock(&spawner.lock);
    return error;
}

/* ---- for a cell ---- */

int child_start(struct child *child, int image, const struct pages *pages, int wakes, bool prints)
{
    const int from[FDS] = { image, pages->host_fd, pages->child_fd, pages->state_fd, wakes };
    struct start s = { .fds = { -1, -1, -1, -1, -1 }, .prints = prints };
    int error = 0;

    if (getenv(CELL_MARK))
        return EPERM;
    for (int i = 0; i < FDS && !error; i++) {
        if (from[i] < 0)
            continue;
        s.fds[i] = fcntl(from[i], F_DUPFD_CLOEXEC, FD_MOVED);
        error = s.fds[i] < 0 ? errno : 0;
    }
    if (!error)
        error = start_ask(&s);
    for (int i = 0; i < FDS; i++)
        if (s.fds[i] >= 0)
            close(s.fds[i]);
    if (error)
        return error;
    child->pid = s.pid;
    child->pidfd = (int)syscall(SYS_pidfd_open, s.pid, 0);
    return 0;
}

static void child_forget(struct child *child)
{
    if (child->pidfd >= 0)
        close(child->pidfd);
    *child = (struct child){ .pid = 0, .pidfd = -1 };
}

bool child_ended(struct child *child, struct child_end *ret_end)
{
    siginfo_t info = { 0 };
    bool is_over, is_killed = false;
    int got;

    pthread_mutex_lock(&spawner.lock);
    do {
        got = waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG);
    } while (got < 0 && errno == EINTR);
    is_over = got < 0 || info.si_pid != 0;
    if (is_over)
        is_killed = watch_remove(child->pid);
    pthread_mutex_unlock(&spawner.lock);
    if (!is_over)
        return false;
    *ret_end = (struct child_end){ 0, 0 };
    if (is_killed)
        *ret_end = (struct child_end){ CHILD_OVERRUN, 0 };
    else if (got == 0)
        *ret_end = (struct child_end){ info.si_code, info.si_status };
    child_forget(child);
    return true;
}

/* What it may have started is in its process group, or was never allowed. A process
 * in the midst of a disk operation dies when that is over: it is not waited for. */
void child_kill(struct child *child)
{
    struct pollfd wait = { .fd = child->pidfd, .events = POLLIN };
    struct child_end end;

    if (child->pid <= 0)
        return;
    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL);
    if (child->pidfd >= 0)
        while (poll(&wait, 1, KILL_WAIT_MS) < 0 && errno == EINTR)
            continue;
    else
        usleep(10000);
    if (child_ended(child, &end))
        return;
    pthread_mutex_lock(&spawner.lock);
    watch_remove(child->pid);
    pthread_mutex_unlock(&spawner.lock);
    child_forget(child);
}

uint32_t child_threads(pid_t pid)
{
    char path[64], text[1024];
    const char *at;
    ssize_t got;
    int fd, n;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    at = strrchr(text, ')'); /* behind the name, which may hold anything */
    for (n = 0; at && n < 18; n++)
        at = strchr(at + 1, ' ');
    return at ? (uint32_t)strtoul(at, NULL, 10) : 0;
}
