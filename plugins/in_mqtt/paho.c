/* SPDX-License-Identifier: Apache-2.0
 *
 * paho.c - what is said to Paho, and what it says. See client.h.
 *
 * Callbacks come from Paho's own threads. */
#include "client_inside.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "mqtt/reason.h"

enum { SECOND_NS = 1000000000, LEAVE_MS = 500, IN_FLIGHT = 65535 };

/* ---- callbacks ---- */

static void end_say(struct client *c, const char *cause)
{
    pthread_mutex_lock(&c->lock);
    c->state = CLIENT_AWAY;
    c->connected = false;
    if (cause)
        (void)snprintf(c->cause, sizeof c->cause, "%s", cause);
    client_tell(c);
    pthread_mutex_unlock(&c->lock);
}

/* Waits till the message is safe. At the end without an answer the connection is cut first,
 * so that what Paho says behind this goes nowhere. See client.h. */
static int on_message(void *self, char *topic, int topic_length, MQTTAsync_message *message)
{
    struct client *c = self;

    (void)topic_length; /* a topic with a zero in it is malformed, and its rest not looked at */
    pthread_mutex_lock(&c->lock);
    c->message = (struct client_message){ topic, message };
    c->has_message = true;
    c->answered = false;
    client_tell(c);
    while (!c->answered && !c->stopping)
        pthread_cond_wait(&c->changed, &c->lock);
    c->has_message = false;
    if (!c->answered && !socket_cut(c->socket, c->inode)) {
        c->parked = c->left = true;
        pthread_cond_broadcast(&c->changed);
        pthread_mutex_unlock(&c->lock);
        for (;;)
            (void)pause();
    }
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static void on_lost(void *self, char *why)
{
    (void)why;
    end_say(self, NULL);
}

static void on_ended(void *self, MQTTProperties *properties, enum MQTTReasonCodes reason)
{
    struct client *c = self;
    char cause[CAUSE_ROOM];

    (void)properties;
    (void)snprintf(cause, sizeof cause, "the broker ended the connection: %s", mqtt_reason_text((int)reason));
    end_say(c, cause);
}

/* It stays Paho's own as long as a callback runs, since that holds Paho's lock. */
static void socket_note(struct client *c)
{
    struct sockets now;
    int at;

    sockets_find(&now, c->address.port);
    at = sockets_new(&c->before, &now);
    c->socket = at < 0 ? -1 : now.fds[at];
    c->inode = at < 0 ? 0 : now.inodes[at];
}

static void welcome(struct client *c, int session_present)
{
    pthread_mutex_lock(&c->lock);
    socket_note(c);
    c->connected = true;
    c->session_was_lost = !session_present;
    (void)snprintf(c->cause, sizeof c->cause, "lost the connection to the broker");
    client_tell(c);
    pthread_mutex_unlock(&c->lock);
}

static void on_connect(void *self, MQTTAsync_successData *data)
{
    welcome(self, data->alt.connect.sessionPresent);
}

static void on_connect5(void *self, MQTTAsync_successData5 *data)
{
    welcome(self, data->alt.connect.sessionPresent);
}

static void connect_failed(struct client *c, const char *refusal, const char *message)
{
    char cause[CAUSE_ROOM];

    if (refusal)
        (void)snprintf(cause, sizeof cause, "the broker refuses the connection: %s", refusal);
    else if (c->tls[0])
        (void)snprintf(cause, sizeof cause, "no TLS with the broker: %s", c->tls);
    else if (c->address.tls) /* of the two the library says the same */
        (void)snprintf(cause, sizeof cause, "no TLS with the broker: it is not there, or its certificate is for another host");
    else
        (void)snprintf(cause, sizeof cause, "cannot reach the broker: %.60s", message ? message : "no connection");
    end_say(c, cause);
}

static void on_refused(void *self, MQTTAsync_failureData *data)
{
    connect_failed(self, data->code > 0 && data->code < 6 ? mqtt_refusal_text(data->code) : NULL, data->message);
}

static void on_refused5(void *self, MQTTAsync_failureData5 *data)
{
    int code = data->reasonCode >= 0x80 ? (int)data->reasonCode : data->code >= 0x80 ? data->code : 0;

    connect_failed(self, code ? mqtt_reason_text(code) : NULL, data->message);
}

static int on_tls_error(const char *text, size_t length, void *self)
{
    struct client *c = self;
    const char *words = strrchr(text, ':');
    size_t size;

    (void)length;
    /* error:CODE:library::words, and more behind it */
    if (strncmp(text, "error:", 6) == 0 && words) {
        size = strcspn(words + 1, "\n");
        (void)snprintf(c->tls, sizeof c->tls, "%.*s", (int)(size < 100 ? size : 100), words + 1);
    } else {
        const char *at = strstr(text, "certificate verify failed");

        (void)snprintf(c->tls, sizeof c->tls, "%s", at ? "certificate verify failed" : "the handshake failed");
    }
    return 1;
}

static void on_subscribe(void *self, MQTTAsync_successData *data);
static void on_unsubscribed(void *self, MQTTAsync_failureData *data);

/* Answers for so many topics, from `first` on. */
static void subscribed(struct client *c, const int *codes, int count, uint32_t first)
{
    int i;

    for (i = 0; i < count; i++)
        if (codes[i] >= 0x80) {
            char cause[CAUSE_ROOM];

            (void)snprintf(cause, sizeof cause, "the broker refuses topics[%u]: %s", (unsigned)first + (unsigned)i,
                           mqtt_reason_text(codes[i]));
            end_say(c, cause);
            return;
        }
    pthread_mutex_lock(&c->lock);
    if (c->connected)
        c->state = CLIENT_UP;
    client_tell(c);
    pthread_mutex_unlock(&c->lock);
}

/* In 3.1.1 one topic at a time: how many answers there are the library does not say, and a
 * broker may give fewer than it was asked for. */
static int subscribe_one(struct client *c)
{
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;

    response.context = c;
    response.onSuccess = on_subscribe;
    response.onFailure = on_unsubscribed;
    return MQTTAsync_subscribe(c->paho, c->config.topics[c->topic], 1, &response);
}

static void on_subscribe(void *self, MQTTAsync_successData *data)
{
    struct client *c = self;

    int code = data->alt.qos;

    if (code < 0x80 && c->topic + 1 < c->config.topic_count) {
        c->topic++;
        if (subscribe_one(c) != MQTTASYNC_SUCCESS)
            end_say(c, "cannot subscribe to all topics");
        return;
    }
    subscribed(c, &code, 1, c->topic);
}

static void on_subscribe5(void *self, MQTTAsync_successData5 *data)
{
    int codes[TOPICS_MOST] = { (int)data->reasonCode }, i, count = data->alt.sub.reasonCodeCount;

    for (i = 0; count > 1 && i < count && i < TOPICS_MOST; i++)
        codes[i] = (int)data->alt.sub.reasonCodes[i];
    subscribed(self, codes, count < TOPICS_MOST ? count : TOPICS_MOST, 0);
}

static void on_unsubscribed(void *self, MQTTAsync_failureData *data)
{
    const struct client *c = self;
    int code = data->code >= 0x80 ? data->code : 0x80;

    subscribed(self, &code, 1, c->topic);
}

static void on_unsubscribed5(void *self, MQTTAsync_failureData5 *data)
{
    int code = data->reasonCode >= 0x80 ? (int)data->reasonCode : 0x80;

    subscribed(self, &code, 1, 0);
}

static void left(struct client *c)
{
    pthread_mutex_lock(&c->lock);
    c->disconnected = true;
    client_tell(c);
    pthread_mutex_unlock(&c->lock);
}

static void on_leave(void *self, MQTTAsync_successData *data)
{
    (void)data;
    left(self);
}

static void on_leave5(void *self, MQTTAsync_successData5 *data)
{
    (void)data;
    left(self);
}

/* ---- asking ---- */

static bool is_v5(const struct client *c)
{
    return c->config.link->version == MQTT_V5;
}

bool paho_make(struct client *c)
{
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    const struct mqtt_address *a = &c->address;
    char uri[320];

    options.MQTTVersion = is_v5(c) ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    (void)snprintf(uri, sizeof uri, "%s://%s%s%s:%u", a->tls ? "ssl" : "tcp", a->is_v6 ? "[" : "", a->host, a->is_v6 ? "]" : "",
                   (unsigned)a->port);
    if (MQTTAsync_createWithOptions(&c->paho, uri, c->config.link->client_id, MQTTCLIENT_PERSISTENCE_NONE, NULL, &options) !=
        MQTTASYNC_SUCCESS)
        return false;
    return MQTTAsync_setCallbacks(c->paho, c, on_lost, on_message, NULL) == MQTTASYNC_SUCCESS &&
           MQTTAsync_setDisconnected(c->paho, c, on_ended) == MQTTASYNC_SUCCESS;
}

static int number_add(MQTTProperties *to, enum MQTTPropertyCodes code, uint32_t value)
{
    MQTTProperty property;

    memset(&property, 0, sizeof property);
    property.identifier = code;
    if (code == MQTTPROPERTY_CODE_RECEIVE_MAXIMUM)
        property.value.integer2 = (unsigned short)value;
    else
        property.value.integer4 = value;
    return MQTTProperties_add(to, &property);
}

static void tls_fill(struct client *c, MQTTAsync_SSLOptions *ssl)
{
    const struct mqtt_link *link = c->config.link;

    ssl->trustStore = link->ca;
    ssl->disableDefaultTrustStore = link->ca != NULL;
    ssl->keyStore = link->certificate;
    ssl->privateKey = link->key;
    ssl->privateKeyPassword = link->key_password;
    ssl->enableServerCertAuth = ssl->verify = !link->accept_any_server;
    ssl->enabledCipherSuites = "HIGH:!aNULL:!eNULL:@SECLEVEL=2"; /* at which OpenSSL has nothing older than TLS 1.2 */
    ssl->ssl_error_cb = on_tls_error;
    ssl->ssl_error_context = c;
}

static void callbacks_fill(struct client *c, MQTTAsync_connectOptions *options)
{
    options->context = c;
    if (is_v5(c)) {
        options->onSuccess5 = on_connect5;
        options->onFailure5 = on_refused5;
        return;
    }
    options->onSuccess = on_connect;
    options->onFailure = on_refused;
    options->cleansession = 0;
    options->MQTTVersion = MQTTVERSION_3_1_1;
}

int paho_connect(struct client *c)
{
    MQTTAsync_connectOptions five = MQTTAsync_connectOptions_initializer5, three = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions options = is_v5(c) ? five : three;
    MQTTAsync_SSLOptions ssl = MQTTAsync_SSLOptions_initializer;
    MQTTProperties properties = MQTTProperties_initializer;
    const struct mqtt_link *link = c->config.link;
    int rc = 0;

    callbacks_fill(c, &options);
    options.cleanstart = 0;
    options.keepAliveInterval = (int)(link->keepalive / SECOND_NS);
    options.connectTimeout = (int)(link->connect_timeout / SECOND_NS);
    options.maxInflight = IN_FLIGHT;
    options.username = link->user;
    options.password = link->password;
    if (c->address.tls) {
        tls_fill(c, &ssl);
        options.ssl = &ssl;
    }
    c->tls[0] = '\0';
    if (is_v5(c)) {
        rc = number_add(&properties, MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL, c->config.session_expiry_s);
        if (rc == 0)
            rc = number_add(&properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM, c->config.receive_maximum);
        if (rc == 0)
            rc = number_add(&properties, MQTTPROPERTY_CODE_MAXIMUM_PACKET_SIZE, c->config.packet_most);
        options.connectProperties = &properties;
    }
    pthread_mutex_lock(&c->lock);
    sockets_find(&c->before, c->address.port);
    pthread_mutex_unlock(&c->lock);
    if (rc == 0)
        rc = MQTTAsync_connect(c->paho, &options);
    MQTTProperties_free(&properties);
    return rc;
}

/* What is retained comes with a new subscription alone, not each time. */
int paho_subscribe(struct client *c)
{
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    MQTTSubscribe_options one = MQTTSubscribe_options_initializer, each[TOPICS_MOST];
    char *topics[TOPICS_MOST];
    int qos[TOPICS_MOST];
    uint32_t i;

    c->topic = 0;
    if (!is_v5(c))
        return subscribe_one(c);
    one.retainHandling = 1;
    for (i = 0; i < c->config.topic_count; i++) {
        topics[i] = (char *)(uintptr_t)c->config.topics[i];
        qos[i] = 1;
        each[i] = one;
    }
    response.context = c;
    response.onSuccess5 = on_subscribe5;
    response.onFailure5 = on_unsubscribed5;
    response.subscribeOptions = one;
    response.subscribeOptionsCount = (int)c->config.topic_count;
    response.subscribeOptionsList = each;
    return MQTTAsync_subscribeMany(c->paho, (int)c->config.topic_count, topics, qos, &response);
}

bool paho_leave(struct client *c)
{
    MQTTAsync_disconnectOptions five = MQTTAsync_disconnectOptions_initializer5, three = MQTTAsync_disconnectOptions_initializer;
    MQTTAsync_disconnectOptions options = is_v5(c) ? five : three;

    options.timeout = LEAVE_MS;
    options.context = c;
    if (is_v5(c))
        options.onSuccess5 = on_leave5;
    else
        options.onSuccess = on_leave;
    return MQTTAsync_disconnect(c->paho, &options) == MQTTASYNC_SUCCESS;
}

void paho_destroy(struct client *c)
{
    if (c->paho)
        MQTTAsync_destroy(&c->paho);
}
