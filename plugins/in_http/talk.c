/* SPDX-License-Identifier: Apache-2.0
 *
 * talk.c - see talk.h. */
#include "talk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "door.h"

/* How much of a body that is refused is read all the same, so that its client comes to read
 * why: one that still sends when the connection is closed may never see the answer. */
#define DRAIN_MOST (UINT64_C(1) << 20)
#define ANSWER_NS INT64_C(10000000000)

void talk_refuse(struct talk *t, enum answer_code code)
{
    if (t->answer.code == ANSWER_NONE)
        t->answer.code = code;
}

const char *talk_header(const struct talk *t, const char *name)
{
    return MHD_lookup_connection_value(t->connection, MHD_HEADER_KIND, name);
}

static struct talk *talk_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info ? info->socket_context : NULL;
}

/* ---- answering ---- */

static void tell_counts(struct talk *t)
{
    struct desk *desk = t->door->desk;
    unsigned status = answer_status(t->answer.code);

    if (status == 200 || t->answer.code == ANSWER_UNHEALTHY)
        return;
    pthread_mutex_lock(&desk->lock);
    if (status == 401 || status == 403)
        desk->counts.unknown++;
    else if (status == 503)
        desk->counts.busy++;
    else
        desk->counts.refused++;
    desk->counts.last_status = status;
    memcpy(desk->counts.last_client, t->client, sizeof t->client);
    pthread_mutex_unlock(&desk->lock);
}

static void request_drop(struct talk *t)
{
    if (t->request)
        desk_drop(t->door->desk, t->request);
    t->request = NULL;
}

/* With `close` the connection ends: where its next byte belongs is not known, or not wanted. */
static enum MHD_Result say(struct talk *t, bool close)
{
    char body[ANSWER_ROOM];
    size_t size = answer_write(&t->answer, body);
    unsigned status = answer_status(t->answer.code);
    const char *const *header = answer_headers(t->answer.code);
    struct MHD_Response *response = MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result done;

    request_drop(t);
    if (!response)
        return MHD_NO;
    (void)MHD_add_response_header(response, "Content-Type", status == 200 ? "application/json" : "application/problem+json");
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    for (; *header; header += 2)
        (void)MHD_add_response_header(response, header[0], header[1]);
    if (close)
        (void)MHD_add_response_header(response, "Connection", "close");
    done = MHD_queue_response(t->connection, status, response);
    MHD_destroy_response(response);
    t->deadline_ns = net_clock() + ANSWER_NS;
    tell_counts(t);
    return done;
}

void talk_resume(struct talk *t, const struct answer *answer)
{
    t->answer = *answer;
    t->request = NULL;
    t->deadline_ns = net_clock() + ANSWER_NS;
    MHD_resume_connection(t->connection);
}

/* TLS has no such word that would not have to be encrypted, and between two requests nobody
 * waits for one: there it is cut without. */
void talk_cut(struct talk *t)
{
    static const char slow[] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

    if (!t->door->config->certificate && (t->has_begun || !t->is_kept))
        (void)!send(t->fd, slow, sizeof slow - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(t->fd, SHUT_RDWR);
    t->deadline_ns = net_clock() + ANSWER_NS;
}

/* ---- the request ---- */

/* The client is told at once where it waits for that, or would send much; else its body is
 * read first. */
static bool is_said_at_once(const struct talk *t)
{
    const char *length = talk_header(t, "Content-Length");

    if (t->answer.code == ANSWER_FRAMING || talk_header(t, "Expect"))
        return true;
    if (talk_header(t, "Transfer-Encoding"))
        return false;
    return !length || strlen(length) > 7 || strtoull(length, NULL, 10) > DRAIN_MOST;
}

/* The time runs anew: what went by while the connection was silent is not the request's. */
static enum MHD_Result begin(struct talk *t, const char *url, const char *method, const char *version)
{
    t->has_begun = true;
    t->drain = DRAIN_MOST;
    t->deadline_ns = net_clock() + t->door->config->request_timeout;
    if (talk_header(t, "Transfer-Encoding") && strcmp(version, "HTTP/1.1") != 0)
        talk_refuse(t, ANSWER_FRAMING); /* RFC 9112, section 6.1 */
    else
        talk_head(t, url, method);
    if (t->answer.code == ANSWER_NONE || !is_said_at_once(t))
        return MHD_YES;
    return say(t, talk_header(t, "Content-Length") || talk_header(t, "Transfer-Encoding"));
}

static enum MHD_Result some(struct talk *t, const char *data, size_t size)
{
    if (t->answer.code == ANSWER_NONE)
        talk_body(t, data, size);
    if (t->answer.code == ANSWER_NONE)
        return MHD_YES;
    request_drop(t);
    if (size > t->drain) {
        tell_counts(t);
        return MHD_NO;
    }
    t->drain -= size;
    return MHD_YES;
}

static enum MHD_Result end(struct talk *t)
{
    talk_finish(t);
    if (t->answer.code != ANSWER_NONE)
        return say(t, false);
    t->deadline_ns = INT64_MAX;
    t->request->talk = t;
    t->request->since_ns = net_clock();
    t->request->due_ns = t->request->since_ns + t->door->config->answer_timeout;
    MHD_suspend_connection(t->connection);
    desk_queue(t->door->desk, t->request);
    t->request = NULL;
    return MHD_YES;
}

enum MHD_Result talk_call(void *self, struct MHD_Connection *connection, const char *url, const char *method,
                          const char *version, const char *data, size_t *size, void **memory)
{
    struct talk *t = talk_of(connection);
    size_t given = *size;

    (void)self;
    (void)memory;
    if (!t)
        return MHD_NO;
    if (!t->has_begun)
        return begin(t, url, method, version);
    *size = 0;
    if (given > 0)
        return some(t, data, given);
    return t->answer.code != ANSWER_NONE ? say(t, false) : end(t);
}

/* ---- beginning and end ---- */

static void reset(struct talk *t)
{
    request_drop(t);
    t->has_begun = false;
    t->client[0] = '\0';
    t->answer = (struct answer){ .code = ANSWER_NONE };
    t->deadline_ns = net_clock() + t->door->config->request_timeout;
}

void talk_over(void *self, struct MHD_Connection *connection, void **memory, enum MHD_RequestTerminationCode how)
{
    struct talk *t = talk_of(connection);

    (void)self;
    (void)memory;
    (void)how;
    if (!t)
        return;
    reset(t);
    t->is_kept = true;
}

static struct talk *talk_free(struct door *door)
{
    uint32_t i;

    for (i = 0; i < door->count; i++)
        if (!door->talks[i].connection)
            return &door->talks[i];
    return NULL;
}

void talk_connection(void *self, struct MHD_Connection *connection, void **memory, enum MHD_ConnectionNotificationCode what)
{
    struct door *door = self;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct talk *t = what == MHD_CONNECTION_NOTIFY_STARTED ? talk_free(door) : *memory;

    if (!t)
        return;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *t = (struct talk){ .door = door, .connection = connection, .fd = info ? info->connect_fd : -1 };
        *memory = t;
        reset(t);
    } else {
        reset(t);
        t->connection = NULL;
        *memory = NULL;
    }
    pthread_mutex_lock(&door->desk->lock);
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        door->desk->counts.connections++;
    else
        door->desk->counts.connections--;
    pthread_mutex_unlock(&door->desk->lock);
}

/* %XX are read by segment, so that %2F does not become a /. */
size_t talk_escaped(void *self, struct MHD_Connection *connection, char *text)
{
    (void)self;
    (void)connection;
    return strlen(text);
}
