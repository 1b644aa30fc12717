/* SPDX-License-Identifier: Apache-2.0
 *
 * intake.c - from messages to records, and from commits to answers. See intake.h. */
#include "intake.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "zmq_link/schema.h"

#define FULL_NS INT64_C(10000000000)
enum { TRIES = 3, PENDING_MANY = 8, NAME_ROOM = BATCH_NAME_MOST + PEER_NAME_MOST + 2 };

/* ---- what is no batch ---- */

static void refuse(struct intake *in, const struct link_head *head, int why)
{
    const struct link_head refusal = { .kind = LINK_REFUSED, .number = head->number, .argument = (uint64_t)why };
    struct peer *p = in->message.peer;

    if (why != LINK_NO_HELLO)
        in->host->count(in->host, METRIC_MALFORMED, 1);
    if (why != LINK_NO_HELLO && !p->told)
        in->host->log(in->host, AFF_LOG_WARN, "a message of node %s is refused: %s", p->name,
                      why == LINK_IS_NEWER    ? "it is of a newer version of the link; update this one"
                      : why == LINK_TOO_LARGE ? "it is larger than `largest`"
                      : why == LINK_SCHEMAS   ? "it brings too many schemas"
                                              : "it is malformed");
    p->told = p->told || why != LINK_NO_HELLO;
    door_say(in->door, &in->message.route, &refusal);
}

static void greet(struct intake *in, const struct link_head *head)
{
    const struct link_head welcome = { .kind = LINK_WELCOME, .number = head->number,
                                       .argument = (uint64_t)in->config->largest };

    peer_greet(in->message.peer, &in->message.route, head->argument);
    in->message.peer->told = in->message.peer->told_full = in->message.peer->told_many = false;
    door_say(in->door, &in->message.route, &welcome);
}

/* Where the host has no place it is tried again, and then as if it had not come: the node
 * begins anew. Below 0: not now. */
static int schema_learn(struct intake *in, const struct link_head *head, struct link_payload bytes)
{
    struct peer *p = in->message.peer;
    struct aff_schema *schema;
    bool no_memory;
    uint32_t id;

    if (link_schema_hash(bytes.bytes, bytes.size) != head->argument)
        return LINK_MALFORMED;
    if (peer_schema(p, head->argument))
        return 0;
    schema = link_schema_read(bytes.bytes, bytes.size, &no_memory);
    if (!schema && !no_memory)
        return LINK_MALFORMED;
    id = schema ? in->host->schema(in->host, schema) : 0;
    free(schema);
    if (id == 0)
        return in->tries++ < TRIES ? AFF_ERR_MEMORY : LINK_NO_HELLO;
    return peer_schema_add(p, head->argument, id) ? 0 : LINK_SCHEMAS;
}

static int batch_take(struct intake *in, const struct link_head *head, struct link_payload bytes)
{
    struct hand *h = &in->hand;

    *h = (struct hand){ .peer = in->message.peer, .life = in->message.life, .resent = (head->flags & LINK_RESENT) != 0,
                        .answer = { .route = in->message.route, .number = head->number } };
    if (head->number == 0 || !batch_open(&h->reader, bytes.bytes, bytes.size))
        return LINK_MALFORMED;
    window_settle(&h->life->now, head->argument < head->number ? head->argument : head->number - 1u);
    in->host->count(in->host, METRIC_BATCHES, 1);
    in->host->count(in->host, METRIC_BYTES, LINK_HEAD + zmq_msg_size(&in->message.payload));
    h->is_open = true;
    return 0;
}

aff_status intake_message(struct intake *in)
{
    struct message *m = &in->message;
    struct link_payload bytes = { zmq_msg_data(&m->payload), zmq_msg_size(&m->payload) };
    struct link_head head;
    int bad = link_head_read(zmq_msg_data(&m->head), zmq_msg_size(&m->head), &head);

    m->life = bad ? NULL : peer_life(m->peer, &m->route);
    if (!bad && head.kind != LINK_HELLO && !m->life)
        bad = LINK_NO_HELLO;
    if (!bad)
        bad = link_unpack(&head, bytes, in->unpacked, (size_t)in->config->largest, &bytes);
    if (!bad && head.kind == LINK_HELLO)
        greet(in, &head);
    else if (!bad && head.kind == LINK_SCHEMA)
        bad = schema_learn(in, &head, bytes);
    else if (!bad && head.kind == LINK_BATCH)
        bad = batch_take(in, &head, bytes);
    else if (!bad)
        bad = LINK_MALFORMED;
    in->has_message = bad < 0;
    if (bad < 0)
        return AFF_ERR_MEMORY;
    in->tries = 0;
    if (bad)
        refuse(in, &head, bad);
    return AFF_OK;
}

/* ---- the batch in hand ---- */

/* No record of this batch may use a stream any more that ended, by whatever of its places. */
static aff_status stream_over(struct intake *in, uint32_t stream)
{
    struct hand *h = &in->hand;
    aff_status st = in->host->stream_end(in->host, 0, stream);

    for (uint32_t i = 0; i < BATCH_STREAMS && st != AFF_ERR_MEMORY; i++)
        if (h->streams[i].stream == stream) {
            peer_stream_drop(h->peer, h->streams[i].names);
            h->streams[i].stream = 0;
        }
    return st;
}

/* Names of a stream as they are here. */
static void names_make(const struct intake *in, const struct batch_item *item, char subject[NAME_ROOM],
                       char name[BATCH_NAME_MOST + 1])
{
    const char *node = in->hand.peer->name;
    size_t at = in->config->prefix ? strlen(node) : 0;

    if (in->config->prefix) {
        memcpy(subject, node, at);
        subject[at++] = '/';
    }
    memcpy(subject + at, item->subject, item->subject_size);
    subject[at + item->subject_size] = '\0';
    memcpy(name, item->name, item->name_size);
    name[item->name_size] = '\0';
}

/* By what a stream is counted. */
static uint64_t names_hash(const struct batch_item *item)
{
    return XXH3_64bits_withSeed(item->name, item->name_size, XXH3_64bits(item->subject, item->subject_size));
}

static void stream_note(struct hand *h)
{
    h->streams[h->item.stream] = (struct place){ .item = h->item, .said = h->item.schema, .names = names_hash(&h->item) };
}

static void many_say(struct intake *in)
{
    struct peer *p = in->hand.peer;

    if (!p->told_many)
        in->host->log(in->host, AFF_LOG_WARN, "node %s has as many streams as it may have here: records of more are refused, and "
                      "dead letters there; end streams there, or raise `streams`, then: afferent dlq retry there", p->name);
    p->told_many = true;
}

/* A stream has one schema: where its node has begun it with another, the one that was is
 * over. Of a schema that was not said the stream is 0, and its records are refused.
 * AFF_ERR_MEMORY: the host has no place now. */
static aff_status stream_place(struct intake *in, struct place *p)
{
    const struct aff_host *host = in->host;
    char subject[NAME_ROOM], name[BATCH_NAME_MOST + 1];
    const struct aff_stream_info *info;
    uint32_t stream;

    p->schema = peer_schema(in->hand.peer, p->said);
    if (p->schema == 0)
        return AFF_OK;
    if (!peer_stream_take(in->hand.peer, p->names, (uint32_t)in->config->streams)) {
        many_say(in);
        return AFF_OK;
    }
    names_make(in, &p->item, subject, name);
    p->subject = host->subject(host, subject);
    stream = p->subject ? host->stream(host, p->subject, name, p->schema) : 0;
    info = stream ? host->stream_info(host, stream) : NULL;
    if (info && info->schema != p->schema) {
        if (stream_over(in, stream) == AFF_ERR_MEMORY)
            return AFF_ERR_MEMORY;
        stream = peer_stream_take(in->hand.peer, p->names, (uint32_t)in->config->streams)
                     ? host->stream(host, p->subject, name, p->schema) : 0;
    }
    p->stream = stream;
    if (stream == 0)
        peer_stream_drop(in->hand.peer, p->names);
    return stream ? AFF_OK : AFF_ERR_MEMORY;
}

/* One for which there is no place must not stand in the way of all behind it, nor may many
 * of them cost a wait each: its records are refused. */
static aff_status stream_try(struct intake *in, struct place *p)
{
    struct hand *h = &in->hand;
    int64_t now = in->host->now_ns(in->host);

    p->is_made = stream_place(in, p) != AFF_ERR_MEMORY;
    if (p->is_made) {
        h->tries = 0;
        return AFF_OK;
    }
    p->is_made = now < in->full_until_ns || ++h->tries > TRIES;
    if (!p->is_made)
        return AFF_ERR_MEMORY;
    if (now < in->full_until_ns)
        return AFF_OK;
    in->full_until_ns = now + FULL_NS;
    if (!h->peer->told_full)
        in->host->log(in->host, AFF_LOG_WARN, "there is no room for one more stream, of node %s: its records are refused, and "
                      "dead letters there; end streams at the nodes, or restart this one, then: afferent dlq retry there",
                      h->peer->name);
    h->peer->told_full = true;
    return AFF_OK;
}

/* What a record is known by. What edits a record in place leaves it its id, and its node may
 * send both: the bytes tell them apart, and are the same when one of them comes again. */
static struct aff_id known_by(const struct hand *h, const struct batch_item *item)
{
    struct aff_id id = item->id;

    id.source ^= XXH3_64bits_withSeed(item->data, item->size, h->streams[item->stream].said);
    return id;
}

/* Ids survive the link: the host makes one of the node's name and what it is known by. */
static void identify(struct intake *in, struct aff_id id)
{
    uint8_t bytes[PEER_NAME_MOST + 16];
    size_t size = strlen(in->hand.peer->name);

    memcpy(bytes, in->hand.peer->name, size);
    put_le(bytes + size, id.source, 8);
    put_le(bytes + size + 8, id.seq, 8);
    in->host->incarnation(in->host, bytes, size + 16);
}

static void note(struct intake *in, struct aff_id id)
{
    struct hand *h = &in->hand;
    struct known known = { id, h->answer.number, in->host->epoch(in->host) };

    (void)window_add(&h->life->now, &known);
    if (known.epoch > h->answer.epoch)
        h->answer.epoch = known.epoch;
}

static aff_status emit(struct intake *in, const struct place *place)
{
    const struct aff_host *host = in->host;
    const struct batch_item *item = &in->hand.item;
    struct aff_record *draft;
    aff_status st;

    identify(in, item->id);
    draft = host->reserve(host, 0, AFF_NO_INPUT, item->size);
    if (!draft)
        return AFF_ERR_MEMORY;
    if (item->size > 0)
        memcpy(draft->data, item->data, item->size);
    draft->event_ns = item->event_ns;
    draft->clock = item->clock;
    draft->flags = (uint16_t)((item->flags & (AFF_FLAG_GAP | AFF_FLAG_SUSPECT | AFF_FLAG_RESENT)) |
                              (in->hand.resent ? AFF_FLAG_RESENT : 0));
    draft->subject = place->subject;
    draft->stream = place->stream;
    draft->schema = place->schema;
    draft->type = host->schema_info(host, place->schema)->type;
    st = host->emit(host, draft, item->size);
    if (st == AFF_OK)
        note(in, item->id);
    return st;
}

/* It came before: the batch is answered when that one is safe. */
static bool is_known(struct intake *in)
{
    struct hand *h = &in->hand;
    const struct known *known = peer_knows(h->peer, h->item.id);

    if (!known)
        return false;
    if (known->epoch > in->safe && known->epoch > h->answer.epoch)
        h->answer.epoch = known->epoch;
    if (!(h->item.flags & AFF_FLAG_END))
        in->host->count(in->host, METRIC_DUPLICATES, 1);
    return true;
}

static aff_status end_pass(struct intake *in, uint32_t stream)
{
    aff_status st = stream ? stream_over(in, stream) : AFF_OK;

    if (st == AFF_OK)
        note(in, in->hand.item.id);
    return st == AFF_ERR_MEMORY ? st : AFF_OK;
}

/* A record for which there is never room (the host says no more than that there is none
 * now) must not stand in the way of all behind it. */
static aff_status record_pass(struct intake *in, bool *ret_emitted)
{
    struct hand *h = &in->hand;
    struct place *place = &h->streams[h->item.stream];
    const struct aff_schema *schema;
    aff_status st;

    if (is_known(in))
        return AFF_OK;
    if (!place->is_made && stream_try(in, place) == AFF_ERR_MEMORY)
        return AFF_ERR_MEMORY;
    if (h->item.flags & AFF_FLAG_END)
        return end_pass(in, place->stream);
    schema = place->stream ? in->host->schema_info(in->host, place->schema) : NULL;
    st = schema && h->tries < TRIES && link_fits(schema, h->item.data, h->item.size) ? emit(in, place) : AFF_ERR_DATA;
    if (st == AFF_ERR_MEMORY) {
        h->tries++;
        return st;
    }
    *ret_emitted = st == AFF_OK;
    in->host->count(in->host, st == AFF_OK ? METRIC_RECEIVED : METRIC_REFUSED, 1);
    if (st != AFF_OK)
        h->answer.refused |= UINT64_C(1) << h->record;
    return AFF_OK;
}

static void answer(struct intake *in, const struct pending *p)
{
    const struct link_head head = { .kind = LINK_ANSWER, .number = p->number, .argument = p->refused };

    door_say(in->door, &p->route, &head);
}

static void finish(struct intake *in)
{
    struct hand *h = &in->hand;

    h->is_open = false;
    if (h->answer.epoch <= in->safe && in->count == 0) {
        answer(in, &h->answer);
        return;
    }
    if (in->count == 0)
        in->since_ns = in->host->now_ns(in->host);
    in->pending[(in->first + in->count++) % PENDING] = h->answer;
}

/* Each commit is written, so one is not asked for with each message; but neither does a
 * node wait long for its answer, since it keeps what is unanswered, nor for room. */
void intake_hasten(struct intake *in)
{
    int64_t due = in->since_ns + in->config->answer_within;

    if (in->count == 0)
        return;
    if (in->count >= PENDING_MANY || in->host->now_ns(in->host) >= due)
        in->host->cut(in->host);
    else
        in->host->wake_at(in->host, due);
}

aff_status intake_step(struct intake *in, bool *ret_emitted)
{
    struct hand *h = &in->hand;
    aff_status st;

    *ret_emitted = false;
    while (!*ret_emitted) {
        if (!h->has_item && !batch_next(&h->reader, &h->item)) {
            finish(in);
            return AFF_OK;
        }
        if (!h->has_item && !h->item.is_stream && !(h->item.flags & AFF_FLAG_END))
            h->item.id = known_by(h, &h->item);
        h->has_item = true;
        st = AFF_OK;
        if (h->item.is_stream)
            stream_note(h);
        else
            st = record_pass(in, ret_emitted);
        if (st != AFF_OK)
            return st;
        h->record += !h->item.is_stream && !(h->item.flags & AFF_FLAG_END);
        h->has_item = false;
        h->tries = 0;
    }
    return AFF_OK;
}

void intake_committed(struct intake *in, uint64_t epoch)
{
    if (epoch > in->safe)
        in->safe = epoch;
    while (in->count > 0 && in->pending[in->first].epoch <= in->safe) {
        answer(in, &in->pending[in->first]);
        in->first = (in->first + 1u) % PENDING;
        in->count--;
    }
    in->since_ns = in->host->now_ns(in->host);
}
