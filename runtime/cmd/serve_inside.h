/* serve_inside.h - what the parts of `afferent serve` share.
 *
 * serve.c reads the words and checks, serve_files.c looks into the folder, serve_child.c
 * has one pipeline's process, serve_loop.c all of them. One thread; all [control]. */
#ifndef AFFERENT_CMD_SERVE_INSIDE_H
#define AFFERENT_CMD_SERVE_INSIDE_H

#include <sys/types.h>

#include "cmd/args.h"
#include "cmd/notify.h"
#include "show/lines.h"

#define SERVE_SECOND INT64_C(1000000000)

enum served_state {
    SERVED_RESTS,   /* it failed, and starts again when it is due */
    SERVED_OPENS,   /* it runs, and some source is not open yet */
    SERVED_RUNS,
    SERVED_ENDS,    /* it was told to */
    SERVED_REFUSED, /* its file is wrong: nothing happens before that changes */
    SERVED_DONE     /* all its sources have ended */
};
enum { SERVED_STATES = SERVED_DONE + 1 };

/* Tells one version of a file from the next. */
struct served_sign {
    dev_t device;
    ino_t inode;
    off_t size;
    int64_t modified_ns;
    int64_t changed_ns;
};

/* A file, and the process that runs it. */
struct served {
    char *path;
    const char *name; /* in the path */
    struct served_sign sign; /* of what runs, or was refused */
    enum served_state state;
    pid_t pid;        /* 0: no process */
    int fd;           /* what it says (notify.h); below 0: nothing more */
    int64_t began_ns;
    int64_t heard_ns; /* when it last said that it is alive; 0: it never did */
    int64_t due_ns;   /* RESTS: it starts again; ENDS: its time is over */
    int64_t wait_ns;  /* the back-off of its next failure */
    bool settled;     /* it has been opened, or has failed to: the service waits for it no more */
    bool reloads;     /* it was told of a changed file, and has not said that it is done */
    bool again;       /* to be started once it has ended */
    bool gone;        /* its file is no more: to be forgotten once it has ended */
    bool killed;
    bool seen;        /* by the look into the folder that is under way */
};

struct serve {
    const char *folder;
    const struct args_list *dirs; /* where plugins are looked for */
    struct lines *lines;
    struct notify notify;
    int64_t watch_ns; /* a pipeline that says nothing for so long is ended and started again */
    struct served **all;
    size_t count;
    bool stopping;
};

/* ---- serve_files.c ---- */

/* The pipelines in a folder, in order: full paths, given (serve_names_free). Below 0: an
 * errno, negative. */
int serve_names(const char *folder, char ***ret_paths);
void serve_names_free(char **paths, int count);
/* False: there is no such file. */
bool served_sign_read(const char *path, struct served_sign *ret_sign);
bool served_sign_same(const struct served_sign *a, const struct served_sign *b);
/* Compares the folder with what runs: starts what is new, tells of what has changed, ends
 * what is gone. False: the folder cannot be read, and nothing was done. */
bool serve_look(struct serve *serve);

/* ---- serve_child.c ---- */

void served_start(struct serve *serve, struct served *served);
/* SIGTERM; what has not ended in 30 s is killed. */
void served_stop(struct serve *serve, struct served *served);
/* Its file has changed: it goes on by it, or, where it ended or was refused, begins. */
void served_reload(struct serve *serve, struct served *served);
/* Reads what it says. */
void served_hear(struct serve *serve, struct served *served);
/* Its process is no more. */
void served_ended(struct serve *serve, struct served *served, int status);
/* What is due is done. */
void served_tick(struct serve *serve, struct served *served, int64_t now_ns);
/* Whether it says nothing any more, and nothing has been done about it yet. */
bool served_is_silent(const struct serve *serve, const struct served *served, int64_t now_ns);
void served_free(struct served **served);

/* ---- serve_loop.c ---- */

/* Until SIGTERM: the exit code. */
int serve_run(struct serve *serve);

#endif
