/* job.c - see job.h. */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_REFUSED = 65, JOBS_MOST = 32, BLIND_MS = 10 };

int64_t job_clock_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int attr_set(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    int rc;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    rc = posix_spawnattr_setsigmask(attr, &none);
    rc = rc ? rc : posix_spawnattr_setsigdefault(attr, &all);
    rc = rc ? rc : posix_spawnattr_setpgroup(attr, 0);
    return rc ? rc : posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETPGROUP);
}

static int actions_set(posix_spawn_file_actions_t *actions, int input)
{
    int rc = posix_spawn_file_actions_adddup2(actions, input, STDIN_FILENO);

    rc = rc ? rc : posix_spawn_file_actions_addopen(actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    rc = rc ? rc : posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    rc = rc ? rc : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    return rc ? rc : posix_spawn_file_actions_addchdir_np(actions, "/");
}

int job_open(struct job *j)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), rc;

    j->pidfd = -1;
    j->pid = 0;
    /* above the three that the file actions write over */
    j->input = null < 0 ? -1 : fcntl(null, F_DUPFD_CLOEXEC, 3);
    if (j->input < 0) {
        rc = errno;
        if (null >= 0)
            (void)close(null);
        return rc;
    }
    (void)close(null);
    rc = posix_spawn_file_actions_init(&j->actions);
    if (rc == 0) {
        rc = posix_spawnattr_init(&j->attr);
        if (rc != 0)
            (void)posix_spawn_file_actions_destroy(&j->actions);
    }
    if (rc != 0) {
        (void)close(j->input);
        return rc;
    }
    j->is_open = true;
    rc = actions_set(&j->actions, j->input);
    rc = rc ? rc : attr_set(&j->attr);
    if (rc != 0)
        job_close(j);
    return rc;
}

static void job_forget(struct job *j)
{
    if (j->pidfd >= 0)
        (void)close(j->pidfd);
    j->pidfd = -1;
    j->pid = 0;
}

static void job_kill(struct job *j)
{
    (void)kill(-j->pid, SIGKILL);
    while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    job_forget(j);
}

void job_close(struct job *j)
{
    if (!j->is_open)
        return;
    if (j->pid > 0)
        job_kill(j);
    (void)posix_spawn_file_actions_destroy(&j->actions);
    (void)posix_spawnattr_destroy(&j->attr);
    (void)close(j->input);
    j->is_open = false;
}

/* A new file of memory under the old number: a child of an earlier command that
 * still holds the last one sees nothing of this. */
static int input_make(const struct job *j, const char *bytes, size_t size)
{
    int fd = memfd_create("alert", MFD_CLOEXEC), rc = 0;
    size_t put = 0;
    ssize_t n;

    if (fd < 0)
        return errno;
    while (put < size && rc == 0) {
        n = pwrite(fd, bytes + put, size - put, (off_t)put);
        if (n >= 0)
            put += (size_t)n;
        else if (errno != EINTR)
            rc = errno;
    }
    if (rc == 0 && dup3(fd, j->input, O_CLOEXEC) < 0)
        rc = errno;
    (void)close(fd);
    return rc;
}

/* Above the three standard numbers: where the host's stderr is closed, a line for
 * it must not end up in here. */
static void pidfd_open_high(struct job *j)
{
    int fd = (int)syscall(SYS_pidfd_open, j->pid, 0);

    j->pidfd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (fd >= 0)
        (void)close(fd);
}

int job_start(struct job *j, const struct job_order *order)
{
    char path[] = "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", lang[] = "LANG=C.UTF-8";
    char *const environment[] = { path, lang, NULL };
    int rc = input_make(j, order->input, order->input_size);

    if (rc != 0)
        return rc;
    rc = posix_spawn(&j->pid, order->argv[0], &j->actions, &j->attr, order->argv, environment);
    if (rc != 0) {
        j->pid = 0;
        return rc;
    }
    pidfd_open_high(j);
    j->deadline_ns = job_clock_ns() + order->timeout_ns;
    return 0;
}

enum job_end job_look(struct job *j, int *ret_code)
{
    int status = 0;
    pid_t got = waitpid(j->pid, &status, WNOHANG);

    *ret_code = 0;
    if (got == 0 || (got < 0 && errno == EINTR)) {
        if (job_clock_ns() < j->deadline_ns)
            return JOB_RUNS;
        job_kill(j);
        return JOB_LATE;
    }
    job_forget(j);
    if (got < 0) /* the process ignores its children's ends: nobody knows how it was */
        return JOB_OK;
    *ret_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return *ret_code == 0 ? JOB_OK : *ret_code == EXIT_REFUSED ? JOB_REFUSED : JOB_FAILED;
}

void jobs_wait(struct job *jobs, size_t count)
{
    int64_t now = job_clock_ns(), first = INT64_MAX, wait;
    struct pollfd fds[JOBS_MOST];
    nfds_t used = 0;
    bool is_blind = false;
    size_t i;

    for (i = 0; i < count; i++) {
        if (jobs[i].pid == 0)
            continue;
        first = jobs[i].deadline_ns < first ? jobs[i].deadline_ns : first;
        is_blind |= jobs[i].pidfd < 0;
        if (jobs[i].pidfd >= 0 && used < JOBS_MOST)
            fds[used++] = (struct pollfd){ jobs[i].pidfd, POLLIN, 0 };
    }
    if (first == INT64_MAX)
        return;
    wait = first > now ? (first - now) / 1000000 + 1 : 0;
    if (is_blind && wait > BLIND_MS)
        wait = BLIND_MS;
    (void)poll(fds, used, wait > 60000 ? 60000 : (int)wait);
}
