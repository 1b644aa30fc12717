/* SPDX-License-Identifier: Apache-2.0
 *
 * talk.h - a connection, and the request on it: from its headers to its answer.
 *
 * What is wrong is said as soon as it is known, before a client that asks for it
 * (Expect: 100-continue) sends its body, and before a byte of memory is used for it. */
#ifndef IN_HTTP_TALK_H
#define IN_HTTP_TALK_H

#include <microhttpd.h>

#include "desk.h"
#include "split.h"

struct door;

enum body_kind { BODY_JSON, BODY_LINES, BODY_FILE, BODY_FORM };

struct talk {
    struct door *door;
    struct MHD_Connection *connection; /* NULL: free */
    int fd;
    bool is_kept; /* a request on it was answered before */
    int64_t deadline_ns; /* of the request; INT64_MAX: it waits for the node */
    /* of the request */
    bool has_begun;
    char client[CLIENT_NAME_MOST + 1];
    enum body_kind kind;
    const struct route_option *route;
    struct route_named named;
    struct request *request;
    size_t body_at; /* where it begins in the request's memory */
    uint64_t drain; /* bytes of a body that is refused, which may still be thrown away */
    struct split_form form;
    char *names; /* where the next file's are written */
    struct answer answer;
};

/* All of the server's thread, as libmicrohttpd calls them. `self` is the door. */
enum MHD_Result talk_call(void *self, struct MHD_Connection *connection, const char *url, const char *method,
                          const char *version, const char *data, size_t *size, void **memory);
void talk_connection(void *self, struct MHD_Connection *connection, void **memory, enum MHD_ConnectionNotificationCode what);
void talk_over(void *self, struct MHD_Connection *connection, void **memory, enum MHD_RequestTerminationCode how);
size_t talk_escaped(void *self, struct MHD_Connection *connection, char *text);

/* The answer to one that waits. */
void talk_resume(struct talk *talk, const struct answer *answer);
/* It took too long: says so where that can be, and cuts the connection. */
void talk_cut(struct talk *talk);

/* ---- between talk.c, talk_head.c and talk_body.c ---- */

/* Headers: who, where, what; sets the answer if it is refused, else opens the request. */
void talk_head(struct talk *talk, const char *url, const char *method);
/* Bytes of the body. */
void talk_body(struct talk *talk, const char *data, size_t size);
/* The body is whole: checks it, and fills in the request. */
void talk_finish(struct talk *talk);
/* A header's value; NULL: it is not there. */
const char *talk_header(const struct talk *talk, const char *name);
/* Names of what comes, written into the request; NULL: they cannot be. */
bool talk_names(struct talk *talk, struct part *part, const char *file);
void talk_refuse(struct talk *talk, enum answer_code code);

#endif
