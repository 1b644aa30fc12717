/* SPDX-License-Identifier: Apache-2.0
 *
 * said.h - what the kit says of a plugin that is broken on purpose, for tests of the kit.
 *
 * The scenario runs in a child process, which writes the kit's sentence into a pipe and
 * leaves: a breach ends a test, and what was open stays so. */
#ifndef AFF_TESTKIT_SAID_H
#define AFF_TESTKIT_SAID_H

#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int sentence_pipe = -1;

static void child_leaves(const char *sentence)
{
    ssize_t n = write(sentence_pipe, sentence, strlen(sentence));

    _exit(n < 0 ? 2 : 0);
}

/* What the kit says about this scenario; "" when it has no objection. */
static const char *said(void (*scenario)(const char *act), const char *act)
{
    static char text[1000];
    int ends[2], status = 0;
    ssize_t n;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    (void)fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        sentence_pipe = ends[1];
        aff_test_on_breach(child_leaves);
        scenario(act);
        _exit(0);
    }
    close(ends[1]);
    n = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    text[n > 0 ? n : 0] = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        (void)snprintf(text, sizeof text, "the child ended with wait status %d", status);
    return text;
}

#endif
