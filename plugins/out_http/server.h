/* server.h - what a request to this server says, and what its answers mean.
 *
 * Not here: batches, sending, waiting (http/pump.h). */
#ifndef OUT_HTTP_SERVER_H
#define OUT_HTTP_SERVER_H

#include "answer.h"
#include "http/pump.h"
#include "token.h"

struct server {
    const struct config *config;
    struct target target;
    struct answers *answers;
    struct token token; /* config->oauth: used */
};

extern const struct pump_kind server_kind;

/* [control] False: no memory; close all the same. */
bool server_open(struct server *s, const struct config *config);
void server_close(struct server *s);

#endif
