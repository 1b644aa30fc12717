/* control.h - the door of a running pipeline: what operators may ask of it.
 *
 * ZeroMQ over ipc with CURVE. The key pairs are made anew for each run: the server's
 * secret stays in memory, what a client needs is in the file `control` of the
 * pipeline's folder, which its owner alone can read. Peers of other users are
 * turned away at the socket, peers without a key on the allow-list by the
 * handshake; only what came through both is looked at, and it is small: one frame
 * of at most CONTROL_REQUEST_MOST bytes. Everybody else costs a counter.
 *
 *   afferent-control 1\n VERB\n ARGUMENT\n ARGUMENT\n ...       the request
 *   afferent-control 1\n CODE\n TEXT                            the reply
 *
 * CODE is the exit code that the client's command ends with; TEXT is what it prints:
 * JSON, or what is wrong. Two threads: one lets peers in, one does what they ask,
 * one request after another, so a long one delays others and locks nobody out.
 *
 * libzmq ends the process when it cannot get memory in some places; the next start
 * goes on from the last commit, as after any death.
 *
 * Not here: what is done for a verb (struct control_work), the client
 * (control_client.h). */
#ifndef AFFERENT_SHOW_CONTROL_H
#define AFFERENT_SHOW_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "show/place.h"
#include "util/text.h"

#define CONTROL_HEAD "afferent-control 1\n"

enum {
    CONTROL_REQUEST_MOST = 64 << 10,
    CONTROL_REPLY_MOST = 4 << 20,
    CONTROL_ARGUMENTS = 1024, /* a request */
    CONTROL_KEY = 41          /* a key as text, with its zero */
};

/* What is asked; arguments are borrowed and hold no control characters. */
struct control_request {
    const char *verb;
    const char *const *arguments;
    uint32_t count;
};

/* What the running pipeline does. Each is called on the control thread, one at a
 * time, appends its answer, and returns the exit code for the client: 0, or what
 * enum exit_code says. NULL: this run cannot do that, and the client is told. */
struct control_work {
    int (*status)(void *arg, bool json, struct text *answer); /* by status_text (status.h) */
    int (*ledger)(void *arg, bool json, struct text *answer); /* by kept_books_text */
    int (*retry)(void *arg, const uint64_t *letters, uint32_t count, struct text *answer);
    int (*drop)(void *arg, const uint64_t *letters, uint32_t count, struct text *answer);
    int (*reload)(void *arg, const char *path, struct text *answer);
    /* A row for the input of commands of a node: `count` pairs of column and value. */
    int (*command)(void *arg, const char *node, const char *const *pairs, uint32_t count, struct text *answer);
    int (*stop)(void *arg, struct text *answer);
    void *arg;
};

struct control;

/* [control] Opens the door and starts its threads; `paths` were made (place_make).
 * NULL: `ret_why` says what went wrong. */
struct control *control_open(const struct place_paths *paths, const struct control_work *work, char *ret_why,
                             size_t room);
/* [control] Waits for a request that is being done, then removes socket and file. */
void control_close(struct control **control);

/* Who came, and who was turned away, since it was opened. */
struct control_figures {
    uint64_t answered;   /* requests that were done, with whatever result */
    uint64_t handshake;  /* peers that did not speak CURVE in time, or another language */
    uint64_t keys;       /* ... that have no key of the allow-list */
    uint64_t cut;        /* ... gone before they had asked anything: cut off for garbage, or
                          * for a frame that is far too large */
    uint64_t too_large;  /* requests above CONTROL_REQUEST_MOST */
    uint64_t malformed;  /* of several frames, of another format, with broken lines */
    uint64_t unknown;    /* well formed, and no such verb, or wrong arguments */
};
/* [any] */
void control_figures(const struct control *control, struct control_figures *ret_figures);
/* [any] All that were refused. */
uint64_t control_refused(const struct control_figures *figures);

/* ---- control_words.c: the format, for both ends; [any] ---- */

/* Splits the bytes of a request; false: malformed. Texts lie in `memory`, which holds
 * size + 1 bytes; arguments in `arguments`, of CONTROL_ARGUMENTS. */
bool control_request_read(const void *bytes, size_t size, char *memory, const char **arguments,
                          struct control_request *ret_request);
/* Appends the request. False: an argument cannot be said (control characters), or
 * it is too large. */
bool control_request_write(struct text *text, const struct control_request *request);
/* Appends a reply; one that is too large becomes one that says so. */
void control_reply_write(struct text *text, int code, const struct text *answer);
/* False: not a reply. *ret_answer is borrowed and ends with the bytes. */
bool control_reply_read(const void *bytes, size_t size, int *ret_code, const char **ret_answer, size_t *ret_size);

/* Calls what `work` has for the request; -1: no such verb, or wrong arguments. */
int control_do(const struct control_work *work, const struct control_request *request, struct text *answer);

#endif
