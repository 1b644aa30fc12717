/* token.h - a bearer token by OAuth 2 client credentials (RFC 6749, section 4.4).
 *
 * It is kept until shortly before it expires, asked for anew then, and given up when
 * the server does not accept it. It is in no message.
 *
 * Not here: what is sent with it, waiting after a failure (http/pump.h). */
#ifndef OUT_HTTP_TOKEN_H
#define OUT_HTTP_TOKEN_H

#include "config.h"
#include "http/transfer.h"

struct json;

struct token {
    struct config config; /* as the sink's, without its credentials */
    struct target target;
    struct transfer transfer;
    struct text body;
    struct json *json;
    struct text bearer; /* ended by a zero; empty: none */
    int64_t fresh_until_ns, until_ns; /* boot clock */
    bool is_asked; /* a request is under way */
    /* of the answer in hand */
    struct text found;
    int64_t seconds;
    bool is_other; /* of a kind that is not bearer */
};

/* [control] For config->oauth, which is there. False: no memory; close all the same. */
bool token_open(struct token *t, const struct config *config);
void token_close(struct token *t);

/* [one thread] What to send, NULL: none now. */
const char *token_get(const struct token *t, int64_t now_ns);
/* Whether to ask for one: there is none, or it expires soon. */
bool token_is_due(const struct token *t, int64_t now_ns);
/* The server did not accept it. */
void token_drop(struct token *t);
/* Makes a request ready; t->transfer.easy is to be sent. False: no memory. */
bool token_ask(struct token *t);
/* The request is over, with this status of HTTP; `failed`: what went wrong on the way, or
 * NULL. NULL: there is a token; else why not, a constant. */
const char *token_take(struct token *t, const char *failed, long status, int64_t now_ns);

#endif
