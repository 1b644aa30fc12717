/* SPDX-License-Identifier: Apache-2.0
 *
 * talker.c - the thread's life, and what the plugin asks of it. See talker.h. */
#include "talker_inside.h"

#include <mqtt_protocol.h>
#include <stdio.h>
#include <string.h>

#define PAUSE_FIRST_NS (250 * NET_MS)
#define PAUSE_LAST_NS (30 * NET_SECOND)
#define LOOK_NS NET_SECOND /* how often it is looked whether another link is to be used */
enum { CONNECT_WAIT_MS = 500, CAREFUL_WAIT_MS = 5000, ROOM_WAIT_MS = 100, ID_ROOM = 40 };

/* ---- opening ---- */

struct talker *talker_open(const struct aff_host *host, const struct mqtt_link *link, uint32_t in_flight)
{
    struct talker *t = host->alloc(host, sizeof *t);

    if (!t)
        return NULL;
    t->host = host;
    t->link = link;
    t->in_flight = in_flight;
    (void)mqtt_address_read(link->broker, &t->address); /* validate has read it */
    (void)snprintf(t->cause, sizeof t->cause, "not connected yet");
    t->random = host->random(host) | 1u;
    if (net_lock_open(&t->lock, &t->changed)) {
        if (mosquitto_lib_init() == MOSQ_ERR_SUCCESS) {
            net_uplink_open(&t->uplink, host, true);
            return t;
        }
        net_lock_close(&t->lock, &t->changed);
    }
    host->free(host, t);
    return NULL;
}

void talker_close(struct talker **talker)
{
    struct talker *t = *talker;

    if (!t)
        return;
    (void)mosquitto_lib_cleanup();
    net_lock_close(&t->lock, &t->changed);
    t->host->free(t->host, t);
    *talker = NULL;
}

/* ---- the thread ---- */

/* Until the time is over, or somebody has something to send. */
static void doze(struct talker *t, int64_t ns)
{
    struct timespec until = net_after(ns);
    int rc = 0;

    pthread_mutex_lock(&t->lock);
    while (!t->stopping && !t->wanted && rc == 0)
        rc = pthread_cond_timedwait(&t->changed, &t->lock, &until);
    pthread_mutex_unlock(&t->lock);
}

/* Whether the pause goes on. */
static bool is_dozing(struct talker *t)
{
    bool is;

    pthread_mutex_lock(&t->lock);
    is = !t->stopping && !t->wanted;
    pthread_mutex_unlock(&t->lock);
    return is;
}

/* What failed by another link says nothing of this one, so a new one ends the pause, and the
 * next begins small. False: the thread is to end. */
static bool pause_before_next(struct talker *t, int64_t *wait_ns)
{
    int64_t left = net_less_by_chance(&t->random, *wait_ns), end = net_clock() + left;
    bool goes_on, is_other = false;

    while (left > 0 && !is_other && is_dozing(t)) {
        doze(t, left < LOOK_NS ? left : LOOK_NS);
        is_other = net_uplink_look(&t->uplink);
        left = end - net_clock();
    }
    if (is_other)
        *wait_ns = 0;
    pthread_mutex_lock(&t->lock);
    goes_on = !t->stopping;
    t->wanted = false;
    t->state = goes_on ? STATE_CONNECTING : t->state;
    pthread_mutex_unlock(&t->lock);
    return goes_on;
}

static void none_say(struct talker *t)
{
    pthread_mutex_lock(&t->lock);
    t->state = STATE_AWAY;
    (void)snprintf(t->cause, sizeof t->cause, "no link may be used now");
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
}

static void *talker_run(void *self)
{
    struct talker *t = self;
    int64_t wait_ns = 0;

    do {
        (void)net_uplink_look(&t->uplink);
        if (!net_uplink_goes(&t->uplink))
            none_say(t);
        if (!net_uplink_goes(&t->uplink) || session_run(t))
            wait_ns = 0;
        wait_ns = net_wait_longer(wait_ns, PAUSE_FIRST_NS, PAUSE_LAST_NS);
    } while (pause_before_next(t, &wait_ns));
    return NULL;
}

bool talker_start(struct talker *t)
{
    t->state = STATE_CONNECTING;
    t->runs = net_thread_start(&t->thread, talker_run, t);
    return t->runs;
}

void talker_stop(struct talker *t)
{
    if (!t->runs)
        return;
    pthread_mutex_lock(&t->lock);
    t->stopping = true;
    if (t->mosq && t->state == STATE_UP)
        (void)mosquitto_disconnect(t->mosq);
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
    (void)pthread_join(t->thread, NULL);
    t->runs = false;
}

/* ---- sending ---- */

/* With the lock. */
static bool wait_for(struct talker *t, bool (*is_so)(const struct talker *), int ms)
{
    struct timespec until = net_after(ms * NET_MS);
    int rc = 0;

    while (!is_so(t) && rc == 0)
        rc = pthread_cond_timedwait(&t->changed, &t->lock, &until);
    return is_so(t);
}

static bool is_decided(const struct talker *t)
{
    return t->state == STATE_UP || (t->state == STATE_AWAY && !t->wanted);
}

static bool is_free(const struct talker *t)
{
    return t->flight_count == 0;
}

static bool has_room(const struct talker *t)
{
    return t->state != STATE_UP || (t->flight_count < t->in_flight && pace_has_room(&t->pace, t->flight_bytes));
}

/* What a reader of our own takes ids and times from; before 1970 there is none. */
static int properties_make(const struct message *m, mosquitto_property **ret)
{
    char id[ID_ROOM], time[ID_ROOM];
    int rc;

    (void)snprintf(id, sizeof id, "%016llx-%llu", (unsigned long long)m->id.source, (unsigned long long)m->id.seq);
    rc = mosquitto_property_add_string_pair(ret, MQTT_PROP_USER_PROPERTY, "afferent-id", id);
    (void)snprintf(time, sizeof time, "%lld", (long long)m->event_ns);
    if (rc == MOSQ_ERR_SUCCESS && m->event_ns >= 0)
        rc = mosquitto_property_add_string_pair(ret, MQTT_PROP_USER_PROPERTY, "afferent-time", time);
    if (rc == MOSQ_ERR_SUCCESS && m->resent)
        rc = mosquitto_property_add_string_pair(ret, MQTT_PROP_USER_PROPERTY, "afferent-resent", "1");
    if (rc == MOSQ_ERR_SUCCESS && m->expiry_s > 0)
        rc = mosquitto_property_add_int32(ret, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, m->expiry_s);
    if (rc == MOSQ_ERR_SUCCESS && m->is_text)
        rc = mosquitto_property_add_byte(ret, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1);
    if (rc == MOSQ_ERR_SUCCESS && m->content_type)
        rc = mosquitto_property_add_string(ret, MQTT_PROP_CONTENT_TYPE, m->content_type);
    return rc;
}

static aff_status problem_of(int rc, char *cause)
{
    const char *words = "no memory for a message";
    aff_status status = AFF_ERR_MEMORY;

    if (rc == MOSQ_ERR_OVERSIZE_PACKET || rc == MOSQ_ERR_PAYLOAD_SIZE || rc == MOSQ_ERR_MALFORMED_UTF8 || rc == MOSQ_ERR_INVAL) {
        words = "a message is larger than this broker takes, or its topic is none";
        status = AFF_ERR_DATA;
    } else if (rc == MOSQ_ERR_RETAIN_NOT_SUPPORTED || rc == MOSQ_ERR_QOS_NOT_SUPPORTED) {
        words = rc == MOSQ_ERR_RETAIN_NOT_SUPPORTED ? "the broker retains no messages; set retain = false, or allow it there"
                                                    : "the broker acknowledges no messages (QoS 1); allow it there";
        status = AFF_ERR_CONFIG;
    } else if (rc != MOSQ_ERR_NOMEM) {
        words = mosquitto_strerror(rc);
        status = AFF_ERR_IO;
    }
    (void)snprintf(cause, CAUSE_ROOM, "%s", words);
    return status;
}

/* With the lock, on a connection that is up. */
static aff_status publish(struct talker *t, const struct message *m, char *cause)
{
    mosquitto_property *properties = NULL;
    int mid = 0, rc = MOSQ_ERR_SUCCESS;
    uint32_t at;

    if (t->link->version == MQTT_V5)
        rc = properties_make(m, &properties);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_publish_v5(t->mosq, &mid, m->topic, (int)m->size, m->payload, 1, m->retain, properties);
    mosquitto_property_free_all(&properties);
    if (rc != MOSQ_ERR_SUCCESS)
        return problem_of(rc, cause);
    for (at = (uint32_t)mid % FLIGHTS; t->flights[at].used; at = (at + 1) % FLIGHTS)
        continue;
    t->flights[at] = (struct flight){ m->id, mid, true, m->size, net_clock() };
    t->flight_count++;
    t->flight_bytes += m->size;
    return AFF_OK;
}

aff_status talker_send(struct talker *t, const struct message *m, char *cause)
{
    aff_status status = AFF_ERR_IO;

    pthread_mutex_lock(&t->lock);
    if (t->state != STATE_UP) {
        t->wanted = t->state == STATE_AWAY;
        pthread_cond_broadcast(&t->changed);
        (void)wait_for(t, is_decided, CONNECT_WAIT_MS);
    }
    if (t->state != STATE_UP) {
        (void)snprintf(cause, CAUSE_ROOM, "%s", t->cause);
    } else if (!wait_for(t, has_room, ROOM_WAIT_MS) || (t->careful > 0 && !wait_for(t, is_free, CAREFUL_WAIT_MS))) {
        (void)snprintf(cause, CAUSE_ROOM, "the broker does not answer");
        status = AFF_AGAIN;
    } else if (t->state == STATE_UP) { /* it may have been lost meanwhile */
        status = publish(t, m, cause);
    } else {
        (void)snprintf(cause, CAUSE_ROOM, "%s", t->cause);
    }
    pthread_mutex_unlock(&t->lock);
    return status;
}

struct talker_counts talker_counts(struct talker *t)
{
    struct talker_counts counts;

    pthread_mutex_lock(&t->lock);
    counts = t->counts;
    t->counts = (struct talker_counts){ 0 };
    pthread_mutex_unlock(&t->lock);
    return counts;
}
