/* SPDX-License-Identifier: Apache-2.0
 *
 * session.c - one connection to the broker, in the talker's thread. See talker.h.
 *
 * The library's callbacks run inside mosquitto_loop, so in this thread. They only take
 * notes: the lock is held by those who publish, which the library does under locks of its
 * own, so it is never taken from within a callback. */
#include "talker_inside.h"

#include <errno.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <string.h>

#include "mqtt/reason.h"

#define ROOM_MOST (UINT64_C(64) << 20) /* bytes on their way, on the best of links */
enum { BARREN_CAREFUL = 2, BARREN_REFUSES = 5, FAREWELLS = 2, LOOP_MS = 1000, LOOP_CONNECTING_MS = 100, CAPATH_IS_SYSTEM = 1 };

/* ---- callbacks ---- */

static void on_connect(struct mosquitto *m, void *self, int code, int flags, const mosquitto_property *properties)
{
    struct talker *t = self;

    (void)m;
    (void)flags;
    (void)properties;
    t->welcome = code;
}

static void on_disconnect(struct mosquitto *m, void *self, int code, const mosquitto_property *properties)
{
    struct talker *t = self;

    (void)m;
    (void)properties;
    t->end_reason = code >= 0x80 ? code : 0; /* below stand the library's own errors */
}

static void on_publish(struct mosquitto *m, void *self, int mid, int reason, const mosquitto_property *properties)
{
    struct talker *t = self;

    (void)m;
    (void)properties;
    if (t->answer_count < FLIGHTS)
        t->answers[t->answer_count++] = (struct answer){ mid, reason };
}

/* Of what the library says only the words about a handshake: the rest may name a topic. */
static void on_log(struct mosquitto *m, void *self, int level, const char *text)
{
    static const char openssl[] = "OpenSSL Error";
    struct talker *t = self;
    const char *words;

    (void)m;
    (void)level;
    if (strncmp(text, "Error: host name verification failed", 36) == 0)
        (void)snprintf(t->tls, sizeof t->tls, "its certificate is for another host");
    if (strncmp(text, openssl, sizeof openssl - 1) != 0)
        return;
    words = strrchr(text, ':');
    (void)snprintf(t->tls, sizeof t->tls, "%.100s", words ? words + 1 : text);
}

static int on_key_password(char *to, int room, int writes, void *mosq)
{
    const struct talker *t = mosquitto_userdata(mosq);
    size_t length = t->link->key_password ? strlen(t->link->key_password) : 0;

    (void)writes;
    if (room < 0 || length > (size_t)room)
        return 0;
    memcpy(to, t->link->key_password ? t->link->key_password : "", length);
    return (int)length;
}

/* ---- beginning ---- */

static int tls_set(struct mosquitto *m, const struct mqtt_link *link)
{
    int rc = link->ca ? MOSQ_ERR_SUCCESS : mosquitto_int_option(m, MOSQ_OPT_TLS_USE_OS_CERTS, CAPATH_IS_SYSTEM);

    /* the library wants a place of authorities even where it takes those of the system */
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_tls_set(m, link->ca, link->ca ? NULL : "/etc/ssl/certs", link->certificate, link->key,
                               link->key ? on_key_password : NULL);
    if (rc == MOSQ_ERR_SUCCESS) /* none older than 1.2 */
        rc = mosquitto_tls_opts_set(m, link->accept_any_server ? 0 : 1, "tlsv1.2", NULL);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_tls_insecure_set(m, link->accept_any_server != 0);
    return rc;
}

static int options_set(const struct talker *t, struct mosquitto *m)
{
    const struct mqtt_link *link = t->link;
    bool is_v5 = link->version == MQTT_V5;
    int rc = mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, is_v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);

    if (rc == MOSQ_ERR_SUCCESS)
        rc = is_v5 ? mosquitto_int_option(m, MOSQ_OPT_SEND_MAXIMUM, (int)t->in_flight)
                   : mosquitto_max_inflight_messages_set(m, t->in_flight);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
    if (rc == MOSQ_ERR_SUCCESS && link->user)
        rc = mosquitto_username_pw_set(m, link->user, link->password);
    if (rc == MOSQ_ERR_SUCCESS && t->address.tls)
        rc = tls_set(m, link);
    return rc;
}

/* The library makes its socket, and begins to connect, in one go, and can bind it to no
 * interface. So one that is bound, and connects, takes its place under its number: the
 * library's own ends with that, empty. */
static bool move_to_link(struct talker *t, struct mosquitto *m)
{
    int fd, on = 1;
    bool moved;

    if (!*net_uplink_interface(&t->uplink))
        return true;
    fd = net_uplink_connect(&t->uplink, t->address.host, t->address.port, t->misses);
    if (fd < 0)
        return false;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    moved = dup3(fd, mosquitto_socket(m), O_CLOEXEC) >= 0;
    (void)close(fd);
    return moved;
}

static int begin(struct talker *t, struct mosquitto *m)
{
    int keepalive_s = (int)(t->link->keepalive / NET_SECOND);
    unsigned silent_ms = 1000u * (unsigned)keepalive_s; /* what is sent and not taken ends it as well */
    int rc = mosquitto_connect_async(m, t->address.host, t->address.port, keepalive_s);

    if (rc == MOSQ_ERR_SUCCESS && !move_to_link(t, m))
        rc = MOSQ_ERR_ERRNO;
    if (rc != MOSQ_ERR_SUCCESS)
        return rc;
    net_uplink_take(&t->uplink, mosquitto_socket(m));
    (void)setsockopt(mosquitto_socket(m), IPPROTO_TCP, TCP_USER_TIMEOUT, &silent_ms, sizeof silent_ms);
    return rc;
}

/* A library that is used by threads, and does not make its own: what is published is
 * written by the loop of this one. */
static int session_open(struct talker *t, struct mosquitto **ret)
{
    struct mosquitto *m = mosquitto_new(t->link->client_id, true, t);
    int rc = m ? mosquitto_threaded_set(m, true) : MOSQ_ERR_NOMEM;

    *ret = m;
    if (rc == MOSQ_ERR_SUCCESS)
        rc = options_set(t, m);
    if (rc != MOSQ_ERR_SUCCESS)
        return rc;
    mosquitto_connect_v5_callback_set(m, on_connect);
    mosquitto_disconnect_v5_callback_set(m, on_disconnect);
    mosquitto_publish_v5_callback_set(m, on_publish);
    mosquitto_log_callback_set(m, on_log);
    return begin(t, m);
}

/* ---- answers ---- */

static struct flight *flight_find(struct talker *t, int mid)
{
    uint32_t i, at;

    for (i = 0; i < FLIGHTS; i++) {
        at = ((uint32_t)mid + i) % FLIGHTS;
        if (t->flights[at].used && t->flights[at].mid == mid)
            return &t->flights[at];
    }
    return NULL;
}

/* `words`: why it was not taken. */
static void flight_end(struct talker *t, struct flight *f, aff_status status, const char *words)
{
    if (status == AFF_OK)
        pace_answered(&t->pace, f->sent_ns, net_clock(), f->size, t->flight_bytes);
    f->used = false;
    t->flight_count--;
    t->flight_bytes -= f->size;
    t->counts.refused += status == AFF_ERR_DATA;
    t->counts.lost += status == AFF_ERR_IO || status == AFF_AGAIN;
    t->counts.acknowledged += status == AFF_OK;
    t->careful -= t->careful > 0 && status != AFF_ERR_IO && status != AFF_AGAIN;
    t->host->answer(t->host, f->id, status, 0, status == AFF_OK ? NULL : words);
}

static void answers_settle(struct talker *t)
{
    struct flight *f;
    uint32_t i;

    pthread_mutex_lock(&t->lock);
    for (i = 0; i < t->answer_count; i++) {
        int reason = t->answers[i].reason;

        f = flight_find(t, t->answers[i].mid);
        if (!f)
            continue;
        t->counts.unheard += reason == MQTT_RC_NO_MATCHING_SUBSCRIBERS;
        if (reason >= 0x80)
            t->counts.last_refusal = reason;
        flight_end(t, f, mqtt_puback_status(reason), mqtt_reason_text(reason));
    }
    if (t->answer_count > 0) {
        t->barren = 0;
        pthread_cond_broadcast(&t->changed);
    }
    t->answer_count = 0;
    pthread_mutex_unlock(&t->lock);
}

/* ---- the end ---- */

static void cause_say(struct talker *t, int rc, int error)
{
    const char *host = t->link->broker;
    const char *words = rc == MOSQ_ERR_ERRNO && error             ? strerror(error)
                        : rc == MOSQ_ERR_CONN_LOST && t->welcome < 0 ? "it gives no answer"
                                                                     : mosquitto_strerror(rc);

    if (t->is_recalled)
        (void)snprintf(t->cause, sizeof t->cause, "the connection is given up, for another link is to be used");
    else if (t->welcome > 0)
        (void)snprintf(t->cause, sizeof t->cause, "the broker refuses the connection: %s",
                       t->link->version == MQTT_V5 ? mqtt_reason_text(t->welcome) : mqtt_refusal_text(t->welcome));
    else if (t->end_reason)
        (void)snprintf(t->cause, sizeof t->cause, "the broker ended the connection: %s", mqtt_reason_text(t->end_reason));
    else if (t->tls[0])
        (void)snprintf(t->cause, sizeof t->cause, "no TLS with the broker: %s", t->tls);
    else
        (void)snprintf(t->cause, sizeof t->cause, "%s the broker %.90s: %.60s",
                       t->welcome == 0 ? "lost the connection to" : "cannot reach", host, words);
}

/* One that was alone on its way is at fault itself: where the broker says that it ends for
 * what a message is, or where one connection after the other ended without an answer to
 * anything, as version 3.1.1 ends them, which has no reasons. */
static void flights_end(struct talker *t, int rc)
{
    bool blames = mqtt_end_blames_message(t->end_reason), alone;
    aff_status otherwise = t->is_recalled ? AFF_AGAIN : AFF_ERR_IO; /* nobody failed */
    uint32_t i, count = t->flight_count;

    if (count == 0 || t->welcome != 0)
        return;
    t->barren += rc == MOSQ_ERR_CONN_LOST; /* a silent way is nobody's fault */
    alone = count == 1 && (blames || t->barren >= BARREN_REFUSES);
    if (blames || alone)
        t->counts.last_refusal = t->end_reason ? t->end_reason : MQTT_RC_UNSPECIFIED;
    for (i = 0; i < FLIGHTS; i++)
        if (t->flights[i].used)
            flight_end(t, &t->flights[i], alone ? AFF_ERR_DATA : otherwise, t->cause);
    if ((blames || t->barren >= BARREN_CAREFUL) && !alone && t->careful < count)
        t->careful = count;
    if (alone)
        t->barren = 0;
}

/* Nothing came through, or nothing more. */
static bool is_silent(const struct talker *t, int rc, int error)
{
    return t->welcome < 0 || rc == MOSQ_ERR_KEEPALIVE || (rc == MOSQ_ERR_ERRNO && error == ETIMEDOUT);
}

static void session_close(struct talker *t, int rc, int error)
{
    struct mosquitto *m;
    bool stops;

    pthread_mutex_lock(&t->lock);
    m = t->mosq;
    t->mosq = NULL;
    t->state = STATE_AWAY;
    stops = t->stopping;
    cause_say(t, rc, error);
    if (!stops)
        flights_end(t, rc);
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
    if (!stops && !t->is_recalled && is_silent(t, rc, error))
        net_uplink_tried(&t->uplink, false);
    mosquitto_destroy(m);
    net_uplink_drop(&t->uplink);
}

/* False: it is to end. */
static bool session_look(struct talker *t, int64_t deadline_ns, int *rc)
{
    bool goes_on;

    net_uplink_spent(&t->uplink); /* before the answers: what they end may be committed */
    answers_settle(t);
    if (net_uplink_look(&t->uplink)) {
        t->is_recalled = true;
        *rc = MOSQ_ERR_NO_CONN;
    }
    if (t->welcome != 0 && net_clock() >= deadline_ns)
        *rc = MOSQ_ERR_CONN_LOST;
    pthread_mutex_lock(&t->lock);
    if (*rc == MOSQ_ERR_SUCCESS && t->welcome == 0 && t->state != STATE_UP) {
        t->state = STATE_UP;
        pace_begin(&t->pace, ROOM_MOST);
        t->counts.connected++;
        pthread_cond_broadcast(&t->changed);
        net_uplink_tried(&t->uplink, true);
        t->host->rouse(t->host); /* what write could not send is offered soon */
    }
    /* on stop the farewell is written, which the library's loop does in one turn or two */
    goes_on = *rc == MOSQ_ERR_SUCCESS && (!t->stopping || (t->state == STATE_UP && t->farewells++ < FAREWELLS));
    pthread_mutex_unlock(&t->lock);
    return goes_on;
}

bool session_run(struct talker *t)
{
    int64_t deadline_ns = net_clock() + t->link->connect_timeout;
    struct mosquitto *m;
    int rc, error;

    t->welcome = -1;
    t->end_reason = 0;
    t->answer_count = 0;
    t->tls[0] = '\0';
    t->is_recalled = false;
    rc = session_open(t, &m);
    error = errno;
    pthread_mutex_lock(&t->lock);
    t->mosq = m;
    t->state = STATE_CONNECTING;
    pthread_mutex_unlock(&t->lock);
    while (rc == MOSQ_ERR_SUCCESS) {
        errno = 0;
        rc = mosquitto_loop(m, t->welcome == 0 ? LOOP_MS : LOOP_CONNECTING_MS, 1);
        error = errno;
        if (!session_look(t, deadline_ns, &rc))
            break;
    }
    session_close(t, rc, error);
    t->misses = t->welcome == 0 ? 0 : t->misses + 1;
    return t->welcome == 0;
}
