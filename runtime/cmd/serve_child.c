/* serve_child.c - one pipeline of the service: its process, from start to start again.
 *
 * The process is this program with `run FILE`, in a process group of its own, so that the
 * processes of its plugins go with it. It dies with us: a pipeline that nobody watches
 * over would keep its store from the next service. What it had committed is safe.
 *
 * Not here: which pipelines there are (serve_files.c), the waiting (serve_loop.c). */
#include <afferent/plugin.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/serve_inside.h"
#include "cmd/verbs.h"

#define FIRST_WAIT SERVE_SECOND
#define LONGEST_WAIT (60 * SERVE_SECOND)
#define RAN_WELL (600 * SERVE_SECOND) /* after this a failure is a first one again */
#define STOP_LIMIT (30 * SERVE_SECOND)
#define LOOK_EVERY (2 * SERVE_SECOND) /* at a file that was refused */

enum { MESSAGE_ROOM = 2048, LAST_WORDS = 64 };

/* ---- starting ---- */

/* In the child, which has one thread and shares nothing any more but memory as it was. */
static void child_become(const struct serve *serve, const struct served *served, int fd, pid_t parent)
{
    const char **words = calloc(serve->dirs->count * 2 + 4, sizeof *words);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    char number[24];
    sigset_t none;
    size_t at = 0;

    sigemptyset(&none);
    signal(SIGHUP, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!words || nothing < 0 || getppid() != parent || dup2(nothing, STDIN_FILENO) < 0 || fcntl(fd, F_SETFD, 0) < 0)
        _exit(EXIT_ERROR);
    snprintf(number, sizeof number, "%d", fd);
    setenv(NOTIFY_FD, number, 1);
    snprintf(number, sizeof number, "%lld", (long long)(serve->watch_ns / 1000));
    setenv("WATCHDOG_USEC", number, 1);
    words[at++] = "afferent";
    words[at++] = "run";
    words[at++] = served->path;
    for (size_t i = 0; i < serve->dirs->count; i++) {
        words[at++] = "--plugin-dir";
        words[at++] = serve->dirs->words[i];
    }
    execv("/proc/self/exe", (char *const *)words);
    _exit(EXIT_ERROR);
}

static void rest(struct serve *serve, struct served *s, const char *why)
{
    s->state = SERVED_RESTS;
    s->due_ns = notify_now() + s->wait_ns;
    lines_say(serve->lines, AFF_LOG_ERROR, NULL, "%s: %s; it starts again in %lld s", s->name, why,
              (long long)(s->wait_ns / SERVE_SECOND));
    s->wait_ns = s->wait_ns * 2 < LONGEST_WAIT ? s->wait_ns * 2 : LONGEST_WAIT;
}

void served_start(struct serve *serve, struct served *s)
{
    pid_t parent = getpid(), pid;
    int fds[2];

    if (s->wait_ns == 0)
        s->wait_ns = FIRST_WAIT;
    s->again = s->reloads = s->killed = false;
    s->heard_ns = 0;
    s->began_ns = notify_now();
    served_sign_read(s->path, &s->sign);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0) {
        rest(serve, s, "it cannot be started: no file is left");
        return;
    }
    pid = fork();
    if (pid == 0)
        child_become(serve, s, fds[1], parent);
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        rest(serve, s, "it cannot be started: no process can be made");
        return;
    }
    setpgid(pid, pid); /* whoever comes first: it must hold before we signal it */
    s->pid = pid;
    s->fd = fds[0];
    s->state = SERVED_OPENS;
}

/* ---- stopping ---- */

/* With the processes of its plugins, whoever is left of them. */
static void group_kill(struct served *s)
{
    s->killed = true;
    kill(-s->pid, SIGKILL);
    kill(s->pid, SIGKILL);
}

void served_stop(struct serve *serve, struct served *s)
{
    (void)serve;
    s->again = s->reloads = false;
    if (s->pid == 0) {
        s->state = SERVED_DONE;
        return;
    }
    kill(s->pid, SIGTERM); /* said twice, it ends at once */
    if (s->state != SERVED_ENDS)
        s->due_ns = notify_now() + STOP_LIMIT;
    s->state = SERVED_ENDS;
}

void served_reload(struct serve *serve, struct served *s)
{
    if (s->state == SERVED_ENDS) {
        s->again = true;
        return;
    }
    s->wait_ns = 0;
    if (s->pid == 0) {
        served_start(serve, s);
        return;
    }
    lines_say(serve->lines, AFF_LOG_INFO, NULL, "%s: its file has changed", s->name);
    served_sign_read(s->path, &s->sign);
    /* One that is not open yet has nothing to go on with. */
    s->reloads = s->state == SERVED_RUNS;
    if (s->reloads)
        kill(s->pid, SIGHUP);
    else
        served_stop(serve, s);
    s->again = true;
}

/* ---- hearing ---- */

static void line_heard(struct serve *serve, struct served *s, const char *line)
{
    if (strcmp(line, "WATCHDOG=1") == 0) {
        s->heard_ns = notify_now();
    } else if (strcmp(line, "RELOADING=1") == 0) {
        s->reloads = true;
    } else if (strcmp(line, "READY=1") == 0) {
        if (s->state == SERVED_OPENS) {
            s->state = SERVED_RUNS;
            lines_say(serve->lines, AFF_LOG_INFO, NULL, "%s: runs, every source is open", s->name);
        }
        s->settled = true;
        s->reloads = s->again = false;
    } else if (strcmp(line, "STOPPING=1") == 0 && s->state != SERVED_ENDS) {
        s->heard_ns = 0; /* it closes; that has a limit of its own */
        s->due_ns = notify_now() + 2 * STOP_LIMIT;
        s->state = SERVED_ENDS;
    }
}

void served_hear(struct serve *serve, struct served *s)
{
    char text[MESSAGE_ROOM], *rest_of = text, *line;
    ssize_t got = recv(s->fd, text, sizeof text - 1, MSG_DONTWAIT);

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        close(s->fd);
        s->fd = -1;
        return;
    }
    text[got] = '\0';
    while ((line = strsep(&rest_of, "\n")) != NULL)
        line_heard(serve, s, line);
}

bool served_is_silent(const struct serve *serve, const struct served *s, int64_t now_ns)
{
    return s->state == SERVED_RUNS && !s->killed && s->heard_ns > 0 && now_ns - s->heard_ns >= serve->watch_ns / 2;
}

/* ---- ending ---- */

static void failed(struct serve *serve, struct served *s, int status)
{
    char why[96];

    if (notify_now() - s->began_ns >= RAN_WELL)
        s->wait_ns = FIRST_WAIT;
    if (WIFSIGNALED(status) && s->killed)
        snprintf(why, sizeof why, "it hung, and was ended");
    else if (WIFSIGNALED(status))
        snprintf(why, sizeof why, "it was ended by signal %d", WTERMSIG(status));
    else
        snprintf(why, sizeof why, "it ended on an error (exit %d)", WEXITSTATUS(status));
    rest(serve, s, why);
}

static void judge(struct serve *serve, struct served *s, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE) {
        s->state = SERVED_DONE;
        lines_say(serve->lines, AFF_LOG_INFO, NULL, "%s: all its sources have ended", s->name);
    } else if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_USAGE) {
        s->state = SERVED_REFUSED;
        s->due_ns = notify_now() + LOOK_EVERY;
        lines_say(serve->lines, AFF_LOG_ERROR, NULL, "%s: was refused (what is wrong stands above); mend the file, "
                  "and it starts by itself; after another cause, reload the service", s->name);
    } else {
        failed(serve, s, status);
    }
}

void served_ended(struct serve *serve, struct served *s, int status)
{
    for (int i = 0; s->fd >= 0 && i < LAST_WORDS; i++)
        served_hear(serve, s);
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->pid = 0;
    s->settled = true;
    if (s->gone || serve->stopping)
        s->state = SERVED_DONE;
    else if (s->again && (s->state == SERVED_ENDS || s->reloads))
        served_start(serve, s);
    else
        judge(serve, s, status);
}

/* ---- time ---- */

static bool file_changed(const struct served *s)
{
    struct served_sign now;

    return served_sign_read(s->path, &now) && !served_sign_same(&now, &s->sign);
}

void served_tick(struct serve *serve, struct served *s, int64_t now)
{
    if (s->state == SERVED_ENDS && !s->killed && now >= s->due_ns) {
        lines_say(serve->lines, AFF_LOG_WARN, NULL, "%s: does not end; it is killed, and goes on from its last commit",
                  s->name);
        group_kill(s);
    } else if (s->state == SERVED_RUNS && !s->killed && s->heard_ns > 0 && now - s->heard_ns >= serve->watch_ns) {
        lines_say(serve->lines, AFF_LOG_ERROR, NULL, "%s: has hung for %lld s", s->name,
                  (long long)((now - s->heard_ns) / SERVE_SECOND));
        group_kill(s);
    } else if (s->state == SERVED_RESTS && now >= s->due_ns && !serve->stopping) {
        served_start(serve, s);
    } else if (s->state == SERVED_REFUSED && now >= s->due_ns && !serve->stopping) {
        s->due_ns = now + LOOK_EVERY;
        if (file_changed(s))
            served_start(serve, s);
    }
}

void served_free(struct served **served)
{
    struct served *s = *served;

    if (!s)
        return;
    if (s->fd >= 0)
        close(s->fd);
    free(s->path);
    free(s);
    *served = NULL;
}
