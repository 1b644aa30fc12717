/* SPDX-License-Identifier: Apache-2.0
 *
 * in_zmq.c - records of other Afferents, by ZeroMQ with CURVE; out_zmq sends them.
 *
 * Who is not on the list of keys is not heard. What a node sends is answered when it is
 * safe here; what comes again is answered and not passed on. The ids that are known stand
 * in this node's snapshot, so that a death of either side loses nothing and makes nothing
 * twice. Nothing that is read is believed; what is wrong is refused and counted.
 *
 * Not here: sockets (door.h), nodes (peers.h), batches (intake.h). */
#include <afferent/plugin.h>

#include <errno.h>
#include <string.h>

#include "intake.h"

enum { MESSAGES_A_READ = 64 };

static const struct aff_option peer_options[] = {
    AFF_OPT_ITEM(AFF_TYPE_PATH, offsetof(struct peer_option, public_key), "Public key of the node, a .pub file."),
};

static const struct aff_option options[] = {
    AFF_OPT_TEXT(struct config, address, AFF_OPT_REQUIRED, NULL,
                 "Where to listen: \"tcp://*:PORT\", \"tcp://ADDRESS:PORT\", or \"ipc://PATH\" for this machine."),
    AFF_OPT_PATH(struct config, key, AFF_OPT_REQUIRED | AFF_OPT_INPUT, NULL,
                 "Key pair of the gateway, NAME.key of `afferent key new --curve NAME`; the nodes have NAME.pub."),
    AFF_OPT_MAP(struct config, peers, AFF_OPT_REQUIRED, peer_options, sizeof(struct peer_option),
                "Nodes that may send, by a name of yours: each one's public key. Nobody else is heard."),
    AFF_OPT_BOOL(struct config, prefix, "false",
                 "Whether subjects are named \"NODE/SUBJECT\" here, so that two nodes may use the same names."),
    AFF_OPT_BYTES(struct config, largest, 0, "\"2MiB\"", LINK_SCHEMA_MOST, 1 << 30,
                  "Most bytes of a message, before and after unpacking; the nodes are told. A schema may take 64 KiB."),
    AFF_OPT_INT(struct config, window, 0, "65536", 1024, 1 << 20, "records",
                "How many records of a sink of a node are remembered at most, to know those that come again."),
    AFF_OPT_INT(struct config, streams, 0, "1024", 1, 16384, "streams",
                "How many streams a node may have here at a time, so that one takes no other's place; records of more are "
                "refused."),
    AFF_OPT_DURATION(struct config, answer_within, 0, "\"50ms\"", 0, 60e9,
                     "How long a record may wait here before a commit is asked for, and then an answer given; shorter writes "
                     "more often."),
};

static const struct aff_port outputs[] = {
    { .name = "out",
      .doc = "Records as the nodes sent them: subjects, streams, schemas and times are theirs.",
      .types = AFF_MASK(AFF_BYTES) | AFF_MASK(AFF_FIELDS) | AFF_MASK(AFF_SAMPLES) | AFF_MASK(AFF_IMAGE),
      .priority = AFF_PRIO_VITALS },
};

static const struct aff_metric metrics[] = {
    { "received", "Records that came and were passed on.", "records", AFF_METRIC_COUNTER, 0 },
    { "duplicates", "Records that came again, and were not passed on again.", "records", AFF_METRIC_COUNTER, 0 },
    { "refused", "Records that do not fit their schema, or no room here.", "records", AFF_METRIC_COUNTER, 0 },
    { "batches", "Messages with records.", "messages", AFF_METRIC_COUNTER, 0 },
    { "bytes", "Bytes of these messages, packed.", "bytes", AFF_METRIC_COUNTER, 0 },
    { "malformed", "Messages that were refused whole.", "messages", AFF_METRIC_COUNTER, 0 },
    { "refused_keys", "Connections whose key is not on the list.", "connections", AFF_METRIC_COUNTER, 0 },
    { "failed_handshakes", "Connections that did not prove who they are, or speak another language.", "connections",
      AFF_METRIC_COUNTER, 0 },
};

struct source {
    const struct aff_host *host;
    const struct config *config;
    struct peers peers;
    struct door door;
    struct intake intake;
    int fd; /* watched; -1: none */
    bool listens;
    uint64_t keys, handshakes, malformed; /* of the door, as counted */
};

/* ---- opening ---- */

static bool address_good(const char *address)
{
    const char *port;

    if (strncmp(address, "ipc://", 6) == 0)
        return address[6] != '\0';
    port = strrchr(address, ':');
    return strncmp(address, "tcp://", 6) == 0 && port > address + 6 && port[1] && strlen(port) <= 6 &&
           (strspn(port + 1, "0123456789") == strlen(port + 1) || strcmp(port, ":*") == 0);
}

static aff_status peers_validate(const struct config *c, const struct aff_report *report)
{
    for (uint32_t i = 0; i < c->peers.count; i++) {
        const struct peer_option *o = (const void *)((const char *)c->peers.items + (size_t)i * c->peers.stride);

        if (!*o->name || strlen(o->name) > PEER_NAME_MOST || strchr(o->name, '/')) {
            report->problem(report, "peers", "a name of a node is no name; expected 1 to %d characters without \"/\"; "
                            "choose a shorter one", PEER_NAME_MOST);
            return AFF_ERR_CONFIG;
        }
    }
    if (c->peers.count > 0)
        return AFF_OK;
    report->problem(report, "peers", "no node may send; expected one at least; write peers = { \"bed-1\" = \"bed-1.pub\" }");
    return AFF_ERR_CONFIG;
}

static aff_status source_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;

    if (!address_good(c->address)) {
        report->problem(report, "address", "address is no place to listen at; expected \"tcp://*:PORT\", "
                        "\"tcp://ADDRESS:PORT\" or \"ipc://PATH\"; write it so");
        return AFF_ERR_CONFIG;
    }
    return peers_validate(c, report);
}

static void source_close(void *self)
{
    struct source *s = self;

    if (s->fd >= 0)
        (void)s->host->watch(s->host, s->fd, 0);
    (void)zmq_msg_close(&s->intake.message.head);
    (void)zmq_msg_close(&s->intake.message.payload);
    door_close(&s->door);
    peers_close(&s->peers);
    if (s->intake.unpacked)
        s->host->free(s->host, s->intake.unpacked);
    s->host->free(s->host, s);
}

static bool two_alike(const struct peers *peers)
{
    for (uint32_t i = 0; i < peers->count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (memcmp(peers->list[i].key, peers->list[k].key, PEER_KEY) == 0)
                return true;
    return false;
}

static aff_status keys_open(struct source *s, struct curve_pair *pair)
{
    const struct aff_host *host = s->host;
    char problem[CURVE_PROBLEM] = "";
    aff_status st = curve_sockets_allowed(problem);

    if (st == AFF_OK)
        st = curve_pair_read(s->config->key, pair, problem);
    if (st == AFF_OK)
        st = peers_open(&s->peers, host, &s->config->peers, (uint32_t)s->config->window, problem);
    if (st == AFF_ERR_MEMORY)
        return host->explain(host, st, "no memory for the nodes");
    if (st == AFF_OK && two_alike(&s->peers))
        return host->explain(host, AFF_ERR_CONFIG, "two nodes of `peers` have the same key; expected one of its own for "
                             "each; make them: afferent key new --curve NAME");
    return st == AFF_OK ? st : host->explain(host, st, "%s", problem);
}

static aff_status door_up(struct source *s, const struct curve_pair *pair)
{
    const struct aff_host *host = s->host;

    if (!door_open(&s->door, &s->peers, pair, s->config->largest))
        return host->explain(host, AFF_ERR_MEMORY, "no sockets can be opened");
    s->fd = door_fd(&s->door);
    if (s->fd < 0 || host->watch(host, s->fd, AFF_WATCH_READ) != AFF_OK)
        return host->explain(host, AFF_ERR_MEMORY, "no more descriptors can be watched");
    return AFF_OK;
}

static aff_status source_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct source *s = host->alloc(host, sizeof *s);
    struct curve_pair pair = { "", "" };
    aff_status st;

    if (!s)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the source");
    s->host = host;
    s->config = config;
    s->fd = -1;
    s->intake.host = host;
    s->intake.config = config;
    s->intake.door = &s->door;
    (void)zmq_msg_init(&s->intake.message.head);
    (void)zmq_msg_init(&s->intake.message.payload);
    s->intake.unpacked = host->alloc(host, (size_t)s->config->largest);
    st = s->intake.unpacked ? keys_open(s, &pair) : host->explain(host, AFF_ERR_MEMORY, "no memory for messages");
    if (st == AFF_OK)
        st = door_up(s, &pair);
    explicit_bzero(&pair, sizeof pair);
    if (st != AFF_OK) {
        source_close(s);
        return st;
    }
    *ret_self = s;
    return AFF_OK;
}

/* ---- reading ---- */

static void tell(struct source *s)
{
    const struct aff_host *host = s->host;
    const struct door *d = &s->door;
    uint64_t keys = atomic_load(&d->keys), handshakes = atomic_load(&d->handshakes);

    if (keys > s->keys) {
        host->count(host, METRIC_KEYS, keys - s->keys);
        if (s->keys == 0)
            host->log(host, AFF_LOG_WARN, "somebody was turned away whose key is not in `peers`; is a node's .pub file missing "
                      "there? More of them are only counted");
    }
    if (handshakes > s->handshakes)
        host->count(host, METRIC_HANDSHAKES, handshakes - s->handshakes);
    if (d->malformed > s->malformed)
        host->count(host, METRIC_MALFORMED, d->malformed - s->malformed);
    s->keys = keys;
    s->handshakes = handshakes;
    s->malformed = d->malformed;
}

/* Not in open: at a reload the one before still listens then. */
static aff_status listen_now(struct source *s)
{
    if (!s->listens && !door_bind(&s->door, s->config->address))
        return s->host->explain(s->host, errno == EADDRINUSE || errno == EADDRNOTAVAIL ? AFF_ERR_IO : AFF_ERR_CONFIG,
                                "cannot listen at %s: %s", s->config->address, zmq_strerror(errno));
    s->listens = true;
    return AFF_OK;
}

static aff_status source_read(void *self, uint32_t want)
{
    struct source *s = self;
    struct intake *in = &s->intake;
    uint32_t emitted = 0, messages = 0;
    aff_status st = listen_now(s);

    while (st == AFF_OK && emitted < want && messages < MESSAGES_A_READ) {
        bool one = false;

        if (in->hand.is_open) {
            st = intake_step(in, &one);
            emitted += one;
        } else if (in->count == PENDING) {
            s->host->cut(s->host); /* nothing more until some are safe: committed answers them */
            st = AFF_AGAIN;
        } else if (in->has_message || door_take(&s->door, &in->message)) {
            st = intake_message(in);
            messages++;
        } else {
            st = AFF_AGAIN;
        }
    }
    intake_hasten(in);
    tell(s);
    return st;
}

/* What was said may have used up what the descriptors had to say. */
static void source_committed(void *self, uint64_t epoch)
{
    struct source *s = self;
    bool any = s->intake.count > 0;

    intake_committed(&s->intake, epoch);
    if (any)
        s->host->wake_at(s->host, s->host->now_ns(s->host));
}

/* ---- over a restart ---- */

static aff_status source_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct source *s = self;

    *ret_size = peers_size(&s->peers);
    if (*ret_size <= room)
        peers_write(&s->peers, buffer);
    return AFF_OK;
}

static aff_status source_restore(void *self, const void *buffer, size_t size)
{
    struct source *s = self;

    if (peers_read(&s->peers, buffer, size))
        return AFF_OK;
    return s->host->explain(s->host, AFF_ERR_DATA, "what is stored of earlier records cannot be read");
}

AFF_PLUGIN_NOTE(AFF_SOURCE, "in_zmq", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SOURCE,
    .name = "in_zmq",
    .version = "1.0.0",
    .summary = "Takes records of other Afferents over ZeroMQ with CURVE, and answers when they are safe.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .outputs = AFF_TABLE(outputs),
    .metrics = AFF_TABLE(metrics),
    .validate = source_validate,
    .open = source_open,
    .close = source_close,
    .read = source_read,
    .committed = source_committed,
    .snapshot = source_snapshot,
    .restore = source_restore,
};
