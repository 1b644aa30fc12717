/* SPDX-License-Identifier: Apache-2.0
 *
 * in_mqtt.c - messages of a broker become records, and are acknowledged when these are safe.
 *
 * A message is handed on, the end of the epoch asked for, and the broker answered when that
 * epoch is committed. So a death at any moment loses nothing: what was not answered comes
 * again, with the id and the time that it had, and what was committed before is answered.
 *
 * One message is under way at a time: the library acknowledges when its callback returns.
 *
 * Not here: the connection (client.c), which message is which (known.c), names (names.c). */
#include <afferent/plugin.h>

#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "known.h"
#include "mqtt/link.h"
#include "names.h"

#define SECOND_NS INT64_C(1000000000)
#define TRY_FIRST_NS (SECOND_NS / 10)
#define TRY_LAST_NS (10 * SECOND_NS)
#define FULL_NS (10 * SECOND_NS)
enum { PACKET_HEAD_MOST = 66000, NAMES_TRIES = 5 }; /* topic and properties beside a payload */

struct config {
    struct mqtt_link link; /* first: its options say so */
    struct aff_list topics; /* const char * */
    const char *subject, *stream;
    const char *id_property, *time_property;
    int64_t session_expiry;
    int64_t receive_maximum;
    int64_t remember;
    int64_t max_message;
    int32_t keep_time;
};

static const struct aff_option topic_item[] = { AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "A topic, with + and # as MQTT has them.") };

static const struct aff_option options[] = {
    MQTT_LINK_OPTIONS,
    AFF__OPT(struct config, topics, AFF_TYPE_LIST, AFF_OPT_REQUIRED, NULL, NULL, AFF__PAIR(1.0, TOPICS_MOST), NULL, topic_item, 1,
             sizeof(const char *),
             "What is subscribed to: topics with + for a level and # at the end; \"$share/GROUP/TOPIC\" shares the messages "
             "with others of the group."),
    AFF_OPT_TEXT(struct config, subject, 0, "\"mqtt\"",
                 "Subject of a message; {topic} is its topic, {1} to {9} are levels of that, counted from 1."),
    AFF_OPT_TEXT(struct config, stream, 0, "\"{topic}\"", "Stream of a message, in the same way."),
    AFF_OPT_TEXT(struct config, id_property, 0, "\"afferent-id\"",
                 "User property by which its publisher tells a message that it sends twice; empty: none is looked for."),
    AFF_OPT_TEXT(struct config, time_property, 0, "\"afferent-time\"",
                 "User property that has the event time, in ns since 1970; without one it is when the message comes."),
    AFF_OPT_DURATION(struct config, session_expiry, 0, "\"24h\"", 1e9, 4294967295e9,
                     "How long the broker keeps what comes while this node is away."),
    AFF_OPT_INT(struct config, receive_maximum, 0, "20", 1, 65535, "messages",
                "How many messages the broker may send before the first of them is acknowledged."),
    AFF_OPT_INT(struct config, remember, 0, "512", 64, 65536, "messages",
                "How many of the last messages are known again when they come a second time; each is 24 bytes of every commit."),
    AFF_OPT_BYTES(struct config, max_message, 0, "\"256KiB\"", 1024, 64 << 20,
                  "Largest message; the broker is told so, and one that comes all the same is set aside."),
    AFF_OPT_BOOL(struct config, keep_time, "true",
                 "Whether the time that a message is given, which brings none, is stored before it is handed on, so that it "
                 "has it again when it comes again after a death: one more commit for each. false: where each has a time in "
                 "its text."),
};

static const struct aff_schema message_schema = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_BYTES, .label = AFF_LABEL_PHI, .name = "message",
};

static const struct aff_port outputs[] = {
    { .name = "data", .doc = "A record for each message: its bytes as they came.", .schema = &message_schema,
      .types = AFF_MASK(AFF_BYTES), .priority = AFF_PRIO_VITALS },
};

enum { VERDICT_TOO_LARGE = 1, VERDICT_NO_NAME, VERDICT_TOO_MANY, VERDICT_BAD_TIME };
static const struct aff_verdict verdicts[] = {
    { "too_large", "A message is larger than max_message.", AFF_V_DEAD, 0, 0 },
    { "no_name", "The topic gives no subject or no stream: a level is missing, empty, or longer than 255 bytes.", AFF_V_DEAD, 0, 0 },
    { "too_many_streams", "One more subject or stream does not fit.", AFF_V_DEAD, 0, 0 },
    { "bad_time", "The property time_property is no number of ns since 1970.", AFF_V_DEAD, 0, 0 },
};

enum { METRIC_MESSAGES, METRIC_AGAIN, METRIC_UNSAFE, METRIC_CONNECTED, METRIC_ANY_SERVER };
static const struct aff_metric metrics[] = {
    { "messages", "Messages that were handed on.", NULL, AFF_METRIC_COUNTER, 0 },
    { "again", "Messages that came a second time, answered and not handed on.", NULL, AFF_METRIC_COUNTER, 0 },
    { "unacknowledged", "Messages of QoS 0, which nobody sends again if this node dies.", NULL, AFF_METRIC_COUNTER, 0 },
    { "connected", "Connections to the broker.", NULL, AFF_METRIC_COUNTER, 0 },
    { "accepts_any_server", "1: whoever answers is taken for the broker.", NULL, AFF_METRIC_GAUGE, 0 },
};

struct source {
    const struct aff_host *host;
    const struct config *config;
    struct client *client;
    struct client_view view;
    struct known known;
    uint32_t schema;
    uint64_t loose; /* messages without an answer so far */
    uint32_t names_tries;
    int64_t full_until_ns; /* there was no place for a name: none is waited for */
    /* the connection, as it was told to the host */
    bool is_up, is_failing;
    int64_t next_try_ns, try_ns;
    bool waits; /* the message that is shown was handed on, and is not safe */
    uint64_t epoch; /* before this one is committed */
    uint64_t stamp_epoch; /* the time of the last one is safe with; 0: of an earlier run */
    uint64_t restored;    /* what is known of an earlier run is safe with; 0: there is nothing */
    bool is_restored;     /* that is not known yet */
    uint64_t safe;        /* committed */
};

/* ---- opening ---- */

static aff_status source_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    const char *const *topics = c->topics.items;
    const struct { const char *option, *template; } names[] = { { "subject", c->subject }, { "stream", c->stream } };
    const char *problem;
    uint32_t i;

    if (!mqtt_link_check(&c->link, report))
        return AFF_ERR_CONFIG;
    if (!c->link.client_id) {
        report->problem(report, "client_id", "client_id is missing; expected a name that this node alone has, by which the "
                        "broker keeps what comes while it is away; write one");
        return AFF_ERR_CONFIG;
    }
    for (i = 0; i < c->topics.count; i++) {
        problem = filter_problem(topics[i]);
        if (problem) {
            report->problem(report, "topics", "topics[%u] %s", (unsigned)i, problem);
            return AFF_ERR_CONFIG;
        }
    }
    for (i = 0; i < 2; i++) {
        problem = name_problem(names[i].template);
        if (problem) {
            report->problem(report, names[i].option, "%s %s", names[i].option, problem);
            return AFF_ERR_CONFIG;
        }
    }
    return AFF_OK;
}

static void source_close(void *self)
{
    struct source *s = self;

    client_close(&s->client);
    if (s->known.ones)
        s->host->free(s->host, s->known.ones);
    s->host->free(s->host, s);
}

static aff_status source_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct source *s = host->alloc(host, sizeof *s);
    struct client_config client = { .link = &c->link, .topics = c->topics.items, .topic_count = c->topics.count,
                                    .receive_maximum = (uint16_t)c->receive_maximum,
                                    .session_expiry_s = (uint32_t)(c->session_expiry / SECOND_NS),
                                    .packet_most = (uint32_t)c->max_message + PACKET_HEAD_MOST };

    if (!s)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the messages that are known");
    s->host = host;
    s->config = c;
    s->try_ns = TRY_FIRST_NS;
    s->known.room = (uint32_t)c->remember;
    known_key(&s->known, c->link.client_id);
    s->known.ones = host->alloc(host, s->known.room * sizeof *s->known.ones);
    s->client = s->known.ones ? client_open(&client) : NULL;
    if (!s->client) {
        source_close(s);
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the messages that are known");
    }
    *ret_self = s;
    return AFF_OK;
}

static aff_status source_start(void *self)
{
    struct source *s = self;
    const struct aff_host *host = s->host;
    aff_status status;

    s->schema = host->schema(host, &message_schema);
    if (!s->schema)
        return AFF_ERR_MEMORY;
    status = host->watch(host, client_fd(s->client), AFF_WATCH_READ);
    if (status != AFF_OK)
        return status;
    host->gauge(host, METRIC_ANY_SERVER, s->config->link.accept_any_server ? 1 : 0);
    if (s->config->link.accept_any_server)
        host->log(host, AFF_LOG_WARN, "accept_any_server is set: whoever is in between reads and changes what comes");
    if (!client_start(s->client))
        return host->explain(host, AFF_ERR_MEMORY, "no thread can be made");
    return AFF_OK;
}

static void source_stop(void *self)
{
    struct source *s = self;

    (void)s->host->watch(s->host, client_fd(s->client), 0);
    client_stop(s->client);
}

/* ---- one message ---- */

/* A user property's value; NULL: it has none of this name. */
static const char *property_of(const MQTTAsync_message *m, const char *name, uint32_t *ret_size)
{
    int i, length = (int)strlen(name);

    for (i = 0; length > 0 && i < m->properties.count; i++) {
        const MQTTProperty *p = &m->properties.array[i];

        if (p->identifier == MQTTPROPERTY_CODE_USER_PROPERTY && p->value.data.len == length &&
            memcmp(p->value.data.data, name, (size_t)length) == 0) {
            *ret_size = (uint32_t)p->value.value.len;
            return p->value.value.data;
        }
    }
    return NULL;
}

enum time_found { TIME_NONE, TIME_FINE, TIME_BAD };

/* An event time that the publisher says: digits alone, and in range. */
static enum time_found time_of(const struct source *s, const MQTTAsync_message *m, int64_t *ret)
{
    uint32_t size = 0, i;
    const char *text = property_of(m, s->config->time_property, &size);
    int64_t ns = 0;

    if (!text || size == 0)
        return TIME_NONE;
    for (i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || ns > (INT64_MAX - (text[i] - '0')) / 10)
            return TIME_BAD;
        ns = ns * 10 + (text[i] - '0');
    }
    *ret = ns;
    return TIME_FINE;
}

/* What the id is made of. A message of QoS 0 comes once, whatever is in it. */
static bool is_known(struct source *s, const struct client_message *m, struct known_one *ret)
{
    struct message_marks marks = { .topic = m->topic, .payload = m->message->payload, .size = (uint32_t)m->message->payloadlen,
                                   .packet = (uint16_t)m->message->msgid, .is_again = m->message->dup != 0 };
    uint64_t once[2] = { s->known.key[0], ++s->loose };

    marks.id = property_of(m->message, s->config->id_property, &marks.id_size);
    if (marks.id_size == 0 && m->message->qos == 0) {
        once[0] ^= s->host->random(s->host);
        marks.id = (const char *)once;
        marks.id_size = sizeof once;
    }
    return known_is(&s->known, &marks, ret);
}

static void answer(struct source *s)
{
    s->waits = false;
    client_answer(s->client);
}

/* It is in the open epoch now, which is to end soon: the broker waits. */
static void taken(struct source *s, const struct known_one *one)
{
    known_add(&s->known, one);
    if (s->view.message.message->qos == 0)
        s->host->count(s->host, METRIC_UNSAFE, 1);
    s->waits = true;
    s->epoch = s->host->epoch(s->host);
    s->host->cut(s->host);
}

static aff_status set_aside(struct source *s, const struct client_message *m, const struct known_one *one, uint8_t verdict)
{
    uint32_t most = (uint32_t)s->config->max_message, size = (uint32_t)m->message->payloadlen;
    aff_status status = s->host->dead(s->host, AFF_NO_INPUT, verdict, 0, m->message->payload, size < most ? size : most);

    if (status != AFF_OK)
        return status;
    s->names_tries = 0;
    taken(s, one);
    return AFF_OK;
}

/* The stream of a message; 0 with *ret: what became of it. */
static uint32_t stream_of(struct source *s, const struct client_message *m, const struct known_one *one,
                          uint32_t *ret_subject, aff_status *ret)
{
    const struct aff_host *host = s->host;
    char subject[NAME_ROOM], stream[NAME_ROOM];
    int64_t now = host->now_ns(host);
    uint32_t number = 0;

    if (!name_write(subject, s->config->subject, m->topic) || !name_write(stream, s->config->stream, m->topic)) {
        *ret = set_aside(s, m, one, VERDICT_NO_NAME);
        return 0;
    }
    *ret_subject = host->subject(host, subject);
    if (*ret_subject)
        number = host->stream(host, *ret_subject, stream, s->schema);
    if (number) {
        s->names_tries = 0;
        return number;
    }
    /* whoever may publish could stop this node with ever new topics, or slow it by a wait for each */
    if (now >= s->full_until_ns && ++s->names_tries < NAMES_TRIES) {
        *ret = AFF_ERR_MEMORY;
        return 0;
    }
    if (now >= s->full_until_ns)
        s->full_until_ns = now + FULL_NS;
    *ret = set_aside(s, m, one, VERDICT_TOO_MANY);
    return 0;
}

static aff_status hand_on(struct source *s, const struct client_message *m, const struct known_one *one, const struct known_stamp *time)
{
    const struct aff_host *host = s->host;
    uint32_t size = (uint32_t)m->message->payloadlen, subject = 0, stream;
    aff_status status = AFF_OK;
    struct aff_record *draft;

    stream = stream_of(s, m, one, &subject, &status);
    if (!stream)
        return status;
    host->incarnation(host, one, sizeof *one);
    draft = host->reserve(host, 0, AFF_NO_INPUT, size);
    if (!draft)
        return AFF_ERR_MEMORY;
    draft->subject = subject;
    draft->stream = stream;
    draft->schema = s->schema;
    draft->type = AFF_BYTES;
    draft->event_ns = time->event_ns;
    draft->clock = (uint8_t)time->clock;
    if (size > 0)
        memcpy(draft->data, m->message->payload, size);
    status = host->emit(host, draft, size);
    if (status != AFF_OK)
        return status;
    taken(s, one);
    host->count(host, METRIC_MESSAGES, 1);
    return AFF_OK;
}

/* A commit of this epoch is waited for. */
static void commit_want(struct source *s, uint64_t epoch)
{
    if (epoch == s->host->epoch(s->host))
        s->host->cut(s->host);
}

static void again(struct source *s)
{
    s->host->count(s->host, METRIC_AGAIN, 1);
    if (s->restored <= s->safe) {
        answer(s);
        return;
    }
    s->waits = true; /* a process that died may have known it before it was safe */
    s->epoch = s->restored;
    commit_want(s, s->epoch);
}

/* The time of a message that brings none. False: it is not safe yet. */
static bool stamp(struct source *s, struct known_stamp *time)
{
    struct known_stamp *kept = &s->known.stamp;
    uint64_t epoch;

    if (memcmp(&kept->one, &time->one, sizeof time->one) != 0) {
        *kept = *time;
        s->stamp_epoch = s->host->epoch(s->host);
    }
    *time = *kept;
    epoch = s->stamp_epoch > 0 ? s->stamp_epoch : s->restored;
    if (epoch > s->safe)
        commit_want(s, epoch);
    return epoch <= s->safe;
}

static aff_status message_take(struct source *s)
{
    const struct client_message *m = &s->view.message;
    struct known_stamp time;
    uint8_t clock;

    memset(&time, 0, sizeof time);
    if (is_known(s, m, &time.one)) {
        again(s);
        return AFF_OK;
    }
    if (m->message->payloadlen > s->config->max_message)
        return set_aside(s, m, &time.one, VERDICT_TOO_LARGE);
    time.event_ns = s->host->utc_ns(s->host, &clock);
    time.clock = clock;
    switch (time_of(s, m->message, &time.event_ns)) {
    case TIME_BAD: /* one of our own would be made up */
        return set_aside(s, m, &time.one, VERDICT_BAD_TIME);
    case TIME_FINE:
        time.clock = AFF_CLOCK_RECORDED;
        break;
    default: /* of QoS 0 it does not come again */
        if (m->message->qos > 0 && s->config->keep_time && !stamp(s, &time))
            return AFF_AGAIN;
    }
    return hand_on(s, m, &time.one, &time);
}

/* ---- reading ---- */

/* The host's back-off says when to look, and this when to try. */
static aff_status connection_look(struct source *s)
{
    const struct aff_host *host = s->host;
    int64_t now = host->now_ns(host);

    if (s->view.state == CLIENT_UP) {
        if (!s->is_up) {
            host->count(host, METRIC_CONNECTED, 1);
            if (s->view.session_was_lost)
                host->log(host, AFF_LOG_INFO, "a new session with the broker: what came while there was none is not here");
        }
        s->is_up = true;
        s->is_failing = false;
        s->try_ns = TRY_FIRST_NS;
        return AFF_AGAIN;
    }
    s->is_up = false;
    if (s->view.state == CLIENT_AWAY && !s->is_failing) {
        s->is_failing = true;
        s->next_try_ns = now + s->try_ns;
    }
    if (!s->is_failing)
        return AFF_AGAIN; /* the first try is under way */
    if (s->view.state == CLIENT_AWAY && now >= s->next_try_ns) {
        client_want(s->client);
        s->try_ns = s->try_ns < TRY_LAST_NS / 2 ? s->try_ns * 2 : TRY_LAST_NS;
        s->next_try_ns = now + s->try_ns;
    }
    return host->explain(host, AFF_ERR_IO, "%s", s->view.cause);
}

static aff_status source_read(void *self, uint32_t want)
{
    struct source *s = self;

    (void)want;
    if (s->is_restored)
        s->restored = s->host->epoch(s->host);
    s->is_restored = false;
    client_look(s->client, &s->view);
    if (s->view.has_message)
        return s->waits ? AFF_AGAIN : message_take(s);
    return connection_look(s);
}

/* ---- epochs ---- */

static void source_committed(void *self, uint64_t epoch)
{
    struct source *s = self;

    s->safe = epoch > s->safe ? epoch : s->safe;
    if (s->waits && s->epoch <= epoch)
        answer(s);
    else if (s->view.has_message) /* its time is safe */
        s->host->wake_at(s->host, s->host->now_ns(s->host));
}

static aff_status source_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct source *s = self;

    *ret_size = known_write(&s->known, buffer, room);
    return AFF_OK;
}

static aff_status source_restore(void *self, const void *buffer, size_t size)
{
    struct source *s = self;

    s->is_restored = true;
    if (known_read(&s->known, buffer, size))
        return AFF_OK;
    return s->host->explain(s->host, AFF_ERR_DATA, "the snapshot was not written by this version of in_mqtt");
}

AFF_PLUGIN_NOTE(AFF_SOURCE, "in_mqtt", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SOURCE,
    .name = "in_mqtt",
    .version = "1.0.0",
    .summary = "Takes messages of a broker of MQTT, and acknowledges each when it is safe.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = source_validate,
    .open = source_open,
    .close = source_close,
    .start = source_start,
    .stop = source_stop,
    .read = source_read,
    .committed = source_committed,
    .snapshot = source_snapshot,
    .restore = source_restore,
};
