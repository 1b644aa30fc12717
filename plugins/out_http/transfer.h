/* transfer.h - one request by libcurl: how it is set up, what came back.
 *
 * TLS is 1.2 or later, and the server's certificate and name are verified unless
 * the configuration says otherwise. Redirects are not followed, whatever the
 * environment says of proxies is not heeded, and an answer is read up to
 * answer_most bytes.
 *
 * Not here: when a request is sent, and what an answer means (pump.h, answer.h). */
#ifndef OUT_HTTP_TRANSFER_H
#define OUT_HTTP_TRANSFER_H

#include "config.h"
#include "text/text.h"
#include "frame.h"
#include "record.h"

#include <curl/curl.h>

enum { LINE_ROOM = 128 };

struct transfer {
    CURL *easy;
    struct text answer;
    size_t answer_most, seen; /* bytes of the answer */
    bool is_kept; /* the answer is looked into; else only one of status 207 is */
    bool is_headed; /* its headers are whole */
    bool is_cut;  /* it was longer than answer_most */
    struct curl_slist own[2]; /* of this request, in front of those of all */
    char key[LINE_ROOM], resent[LINE_ROOM];
};

/* What is common to all requests to one address. */
struct target {
    const struct config *config;
    const char *url;
    struct curl_slist *headers; /* given: freed with the target's owner */
};

/* [control] The headers of each request; NULL: no memory. */
struct curl_slist *transfer_headers(const struct config *config);

/* [control] False: no memory. Close is safe on what was not opened. */
bool transfer_open(struct transfer *t, const struct target *target);
void transfer_close(struct transfer *t);

/* [one thread] Makes ready to send a body (borrowed until the answer is there). `id`:
 * of the one record, or NULL. The bearer is copied. False: no memory. */
bool transfer_load(struct transfer *t, const struct target *target, const struct text *body, const struct aff_id *id,
                   bool is_resent);
bool transfer_bearer(struct transfer *t, const char *bearer);

/* [one thread] After its end: the status of HTTP. */
long transfer_status(const struct transfer *t);
/* What went wrong before there was a whole answer, and what to do; a constant. NULL:
 * nothing. */
const char *transfer_failed(const struct transfer *t, CURLcode code);
/* Whether the answer is at hand, whole. */
bool transfer_is_kept(const struct transfer *t);
/* Seconds that the server asks to wait; 0: it does not. */
int64_t transfer_retry_after(const struct transfer *t);
/* Makes `padding` bytes readable behind the answer. False: no memory. */
bool transfer_pad(struct transfer *t, size_t padding);

#endif
