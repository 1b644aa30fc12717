/* job.h - one command for one alert: started, waited for, killed when late.
 *
 * Started by posix_spawn from a list of arguments, never by a shell; in its own
 * process group, from "/", with PATH and LANG and nothing else, all signals as
 * new. Standard input is the alert as a line of JSON in a file of memory, so no
 * command that reads slowly can stop the sink; what it prints goes to /dev/null.
 * Only its own process is waited for: SIGCHLD and the host's children are left
 * alone. A command that is late is killed with all of its group.
 *
 * Not here: which alerts, and when to try again (queue.c). */
#ifndef OUT_ALERT_JOB_H
#define OUT_ALERT_JOB_H

#include <spawn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct job {
    int input; /* its standard input; always open, so its number is known */
    int pidfd; /* -1: not running, or a kernel without them */
    pid_t pid; /* 0: not running */
    int64_t deadline_ns;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    bool is_open;
};

enum job_end { JOB_RUNS, JOB_OK, JOB_REFUSED, JOB_FAILED, JOB_LATE };

/* The clock of deadlines: real also where the host's is virtual. */
int64_t job_clock_ns(void);

/* 0 or an errno code. */
int job_open(struct job *j);
/* Kills what still runs. */
void job_close(struct job *j);

struct job_order {
    char *const *argv;
    const char *input;
    size_t input_size;
    int64_t timeout_ns;
};
/* 0 or an errno code. */
int job_start(struct job *j, const struct job_order *order);
/* Looks once, without waiting. *ret_code: exit code, or the signal's number below
 * zero. JOB_REFUSED: exit code 65 (EX_DATAERR): this alert, not the way. */
enum job_end job_look(struct job *j, int *ret_code);
/* Waits until one of `count` jobs that run has ended or is late. */
void jobs_wait(struct job *jobs, size_t count);

#endif
