/* say.c - see say.h. */
#include "say.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 1000 };

enum say_where say_where(void)
{
    const char *none = getenv("NO_COLOR"), *term = getenv("TERM"); /* no-color.org */

    if (!isatty(STDERR_FILENO) || !term || strcmp(term, "dumb") == 0)
        return SAY_PLAIN;
    return none && *none ? SAY_TERMINAL : SAY_COLOURED;
}

static int write_all(const char *line, size_t size)
{
    struct pollfd wait = { STDERR_FILENO, POLLOUT, 0 };

    while (size > 0) {
        ssize_t put = write(STDERR_FILENO, line, size);

        if (put >= 0) {
            line += put;
            size -= (size_t)put;
        } else if (errno == EAGAIN) {
            if (poll(&wait, 1, WAIT_MS) == 0)
                return EAGAIN;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

/* A write to a pipe that nobody reads raises SIGPIPE in this thread. Whether the
 * process ignores it is the host's to say, so here it is held back and taken
 * away, unless it was waiting before. */
int say_line(const char *line, size_t size)
{
    const struct timespec now = { 0, 0 };
    sigset_t pipe_only, before, pending;
    int rc, waited;

    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    (void)sigpending(&pending);
    waited = sigismember(&pending, SIGPIPE) == 1;
    (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    rc = write_all(line, size);
    if (rc == EPIPE && !waited)
        while (sigtimedwait(&pipe_only, NULL, &now) < 0 && errno == EINTR)
            continue;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}
