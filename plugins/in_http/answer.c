/* SPDX-License-Identifier: Apache-2.0
 *
 * answer.c - see answer.h. */
#include "answer.h"

#include <stdio.h>

#define RETRY "Retry-After", "5"

static const struct {
    unsigned status;
    const char *words;
    const char *headers[5];
} answers[ANSWER_CODES] = {
    [ANSWER_NONE] = { 500, "nothing can be said of this request", { NULL } },
    [ANSWER_SAFE] = { 200, "committed", { NULL } },
    [ANSWER_HEALTHY] = { 200, "taking requests", { NULL } },
    [ANSWER_UNHEALTHY] = { 503, "requests wait for more than 5 seconds until they are safe", { RETRY, NULL } },
    [ANSWER_FRAMING] = { 400, "the length of the body is said twice, or in a way that is not taken, or a header has control "
                              "characters; expected one Content-Length, or Transfer-Encoding: chunked", { NULL } },
    [ANSWER_HEADER_TWICE] = { 400, "a header is there twice that says one thing; expected it once", { NULL } },
    [ANSWER_PATH] = { 400, "a segment of the path is longer than 255 bytes or is no text without control characters; expected "
                           "UTF-8 with %XX where needed", { NULL } },
    [ANSWER_NAME] = { 400, "the request gives no subject or no stream: a name is missing, longer than 255 bytes, or no text",
                      { NULL } },
    [ANSWER_NO_KEY] = { 400, "the header Idempotency-Key is missing; expected one that each request has for itself, and again "
                             "when it is sent again", { NULL } },
    [ANSWER_BAD_KEY] = { 400, "the header Idempotency-Key is empty, longer than 255 bytes, or has a quote alone; expected text",
                         { NULL } },
    [ANSWER_BAD_TIME] = { 400, "the header of the event time is no number; expected ns since 1970", { NULL } },
    [ANSWER_JSON_EMPTY] = { 400, "the body is empty; expected JSON", { NULL } },
    [ANSWER_JSON_BAD] = { 400, "the text is not JSON", { NULL } },
    [ANSWER_JSON_UTF8] = { 400, "the text is not UTF-8", { NULL } },
    [ANSWER_JSON_CUT] = { 400, "the text ends before it is whole", { NULL } },
    [ANSWER_JSON_TRAILING] = { 400, "something follows the text; expected one object or array, or with application/x-ndjson "
                                    "one a line", { NULL } },
    [ANSWER_JSON_DEEP] = { 400, "the text is nested more than 64 times", { NULL } },
    [ANSWER_JSON_NO_OBJECT] = { 400, "this is no object; expected an object, an array of objects, or an object a line", { NULL } },
    [ANSWER_FORM_BAD] = { 400, "the form is broken; expected multipart/form-data to its last boundary", { NULL } },
    [ANSWER_FORM_FIELD] = { 400, "the form has a field that is no file, or a file without a name; expected files alone", { NULL } },
    [ANSWER_FORM_EMPTY] = { 400, "the form has no file", { NULL } },
    [ANSWER_NO_TOKEN] = { 401, "a token is missing; expected the header Authorization: Bearer TOKEN",
                          { "WWW-Authenticate", "Bearer", NULL } },
    [ANSWER_WRONG_TOKEN] = { 401, "the token is none of those that are known",
                             { "WWW-Authenticate", "Bearer error=\"invalid_token\"", NULL } },
    [ANSWER_NO_CERTIFICATE] = { 403, "no certificate that is trusted here, or of a client that may not send", { NULL } },
    [ANSWER_NOT_FOUND] = { 404, "nothing is taken at this path", { NULL } },
    [ANSWER_METHOD] = { 405, "expected POST or PUT", { "Allow", "POST, PUT", NULL } },
    [ANSWER_SLOW] = { 408, "the request took too long to come", { NULL } },
    [ANSWER_LARGE] = { 413, "the body is too large", { NULL } },
    [ANSWER_ROW_LARGE] = { 413, "an object is too large", { NULL } },
    [ANSWER_MANY_FILES] = { 413, "the form has too many files", { NULL } },
    [ANSWER_TYPE_JSON] = { 415, "expected Content-Type: application/json, or application/x-ndjson with an object a line",
                           { "Accept", "application/json, application/x-ndjson", NULL } },
    [ANSWER_TYPE_FORM] = { 415, "a form with files comes as multipart/form-data with a boundary",
                           { "Accept", "multipart/form-data, application/octet-stream", NULL } },
    [ANSWER_CODING] = { 415, "the body is packed; expected it as it is, without Content-Encoding",
                        { "Accept-Encoding", "identity", NULL } },
    [ANSWER_KEY_REUSED] = { 422, "this Idempotency-Key was used for something else; expected a new one for each request", { NULL } },
    [ANSWER_FULL] = { 503, "too much is on its way; send it again later", { RETRY, NULL } },
    [ANSWER_LATE] = { 503, "not known to be safe yet; send it again, with the same Idempotency-Key", { RETRY, NULL } },
    [ANSWER_STOPPING] = { 503, "this node stops; send it again, with the same Idempotency-Key", { RETRY, NULL } },
    [ANSWER_NAMES_FULL] = { 503, "there is no room for one more subject or stream", { "Retry-After", "60", NULL } },
};

unsigned answer_status(enum answer_code code)
{
    return answers[code].status;
}

const char *const *answer_headers(enum answer_code code)
{
    return answers[code].headers;
}

static size_t clipped(int size)
{
    return size < 0 ? 0 : size < ANSWER_ROOM ? (size_t)size : (size_t)ANSWER_ROOM - 1;
}

static size_t problem_write(const struct answer *a, char to[ANSWER_ROOM])
{
    char place[96] = "", limit[64] = "";

    if (a->row > 0)
        (void)snprintf(place, sizeof place, ",\"row\":%llu,\"offset\":%llu", (unsigned long long)a->row,
                       (unsigned long long)a->at);
    if (a->limit > 0)
        (void)snprintf(limit, sizeof limit, ",\"limit\":%llu", (unsigned long long)a->limit);

    return clipped(snprintf(to, ANSWER_ROOM, "{\"status\":%u,\"detail\":\"%s\"%s%s}\n", answers[a->code].status,
                            answers[a->code].words, place, limit));
}

size_t answer_write(const struct answer *a, char to[ANSWER_ROOM])
{
    char aside[48] = "";

    if (answer_status(a->code) != 200)
        return problem_write(a, to);
    if (a->code == ANSWER_HEALTHY)
        return clipped(snprintf(to, ANSWER_ROOM, "{\"status\":\"%s\"}\n", answers[a->code].words));
    if (a->set_aside > 0)
        (void)snprintf(aside, sizeof aside, ",\"set_aside\":%llu", (unsigned long long)a->set_aside);
    return clipped(snprintf(to, ANSWER_ROOM, "{\"status\":\"committed\",\"records\":%llu%s%s}\n",
                            (unsigned long long)a->records, aside, a->is_again ? ",\"again\":true" : ""));
}
