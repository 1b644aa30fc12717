/* control_client.h - asks a running pipeline for something.
 *
 * Not here: the server and the format (control.h). */
#ifndef AFFERENT_SHOW_CONTROL_CLIENT_H
#define AFFERENT_SHOW_CONTROL_CLIENT_H

#include "show/control.h"

enum ask_status {
    ASK_OK,
    ASK_NOT_RUNNING, /* no run of this pipeline has a door here */
    ASK_DENIED,      /* its key may not be read by this user, or is refused */
    ASK_SILENT,      /* it runs, and gave no answer in time */
    ASK_WRONG,       /* the request cannot be said, or the answer is no answer */
    ASK_MEMORY
};

/* [control] Sends one request and waits for its reply, at most timeout_ms. With ASK_OK
 * *ret_code is the exit code that it came with and `answer` its text, to be freed
 * by text_free in either case. It never starts, stops or creates anything. */
enum ask_status control_ask(const struct place_paths *paths, const struct control_request *request,
                            int timeout_ms, int *ret_code, struct text *answer);
/* What to tell of a status other than ASK_OK: a constant. */
const char *ask_problem(enum ask_status status);

#endif
