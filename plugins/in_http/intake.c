/* SPDX-License-Identifier: Apache-2.0
 *
 * intake.c - see intake.h. */
#include "intake.h"

#include <string.h>

/* How often room is asked for before what there is none for is set aside or refused. */
enum { TRIES = 5 };
#define WAIT_MOST_NS INT64_C(20000000)

/* ---- answers ---- */

static void answer(struct intake *in, struct request *r, enum answer_code code)
{
    r->answer.code = code;
    desk_answer(in->desk, r);
}

/* Of a request whose records are all passed on, or known: it waits for its epoch. */
static void wait_for(struct intake *in, struct request *r, uint64_t epoch, const struct known_one *one)
{
    r->answer.records = one->records;
    r->answer.set_aside = one->set_aside;
    r->epoch = epoch;
    in->host->count(in->host, r->answer.is_again ? METRIC_AGAIN : METRIC_REQUESTS, 1);
    if (epoch <= in->safe) {
        answer(in, r, ANSWER_SAFE);
        return;
    }
    desk_passed_on(in->desk, r);
    if (TAILQ_EMPTY(&in->waits))
        in->waits_since_ns = in->host->now_ns(in->host);
    TAILQ_INSERT_TAIL(&in->waits, r, link);
}

void intake_committed(struct intake *in, uint64_t epoch)
{
    struct request *r, *next;

    if (epoch > in->safe)
        in->safe = epoch;
    for (r = TAILQ_FIRST(&in->waits); r; r = next) {
        next = TAILQ_NEXT(r, link);
        if (r->epoch > in->safe)
            continue;
        TAILQ_REMOVE(&in->waits, r, link);
        answer(in, r, ANSWER_SAFE);
    }
    in->waits_since_ns = in->host->now_ns(in->host);
}

void intake_stop(struct intake *in)
{
    struct request *r;

    while ((r = TAILQ_FIRST(&in->waits)) != NULL) {
        TAILQ_REMOVE(&in->waits, r, link);
        answer(in, r, ANSWER_STOPPING);
    }
    if (in->hand.request)
        answer(in, in->hand.request, ANSWER_STOPPING);
    in->hand.request = NULL;
}

/* ---- the one in hand ---- */

static bool same(const struct known_one *a, const struct known_one *b)
{
    return a->key[0] == b->key[0] && a->key[1] == b->key[1] && a->print == b->print;
}

static bool has_rows(const struct hand *h)
{
    return h->request->takes == TAKES_JSON;
}

/* What a death cut in two, when something else comes: a file of it ends here, since what
 * follows on its stream is another, and rows that are safe are known as such. */
static aff_status torn_close(struct intake *in)
{
    struct known_torn *t = &in->torn;
    aff_status st = t->stream ? in->host->stream_end(in->host, PORT_FILES, t->stream) : AFF_OK;

    if (st == AFF_ERR_MEMORY)
        return st;
    t->one.is_part = 1;
    if (t->stream == 0)
        known_add(&in->known, &t->one);
    t->one.records = 0;
    t->stream = 0;
    return AFF_OK;
}

static void time_set(struct intake *in)
{
    struct hand *h = &in->hand;

    h->event_ns = in->host->utc_ns(in->host, &h->clock);
    if (h->request->has_time) {
        h->event_ns = h->request->event_ns;
        h->clock = AFF_CLOCK_RECORDED;
    }
}

/* A sender that says that it sends again (Afferent-Resent) may have marked its body as well. */
static bool is_again(const struct known_one *one, const struct request *r)
{
    return one->print == r->print || r->is_resent;
}

/* True: it is answered, or waits for what was passed on before. */
static bool is_known(struct intake *in)
{
    struct hand *h = &in->hand;
    struct request *r = h->request;
    const struct known_one *one = r->has_key ? known_find(&in->known, r->key) : NULL;

    if (!one)
        return false;
    if (is_again(one, r) && one->is_part) {
        h->one = *one;
        return false;
    }
    if (!is_again(one, r)) {
        answer(in, r, ANSWER_KEY_REUSED);
    } else {
        r->answer.is_again = true;
        wait_for(in, r, one->epoch, one);
    }
    return true;
}

static aff_status begin(struct intake *in, struct request *r)
{
    struct hand *h = &in->hand;
    aff_status st = AFF_OK;

    *h = (struct hand){ .request = r, .one = { .key = { r->key[0], r->key[1] }, .print = r->print } };
    if (!r->has_key) {
        h->one.key[0] = in->host->random(in->host);
        h->one.key[1] = in->host->random(in->host);
    }
    time_set(in);
    if (in->torn.one.records > 0 && r->has_key && same(&in->torn.one, &h->one)) {
        h->one = in->torn.one;
        h->is_open = in->torn.stream != 0;
        h->open_stream = in->torn.stream;
        h->event_ns = in->torn.event_ns;
        h->clock = (uint8_t)in->torn.clock;
        in->torn = (struct known_torn){ .stream = 0 };
    } else if (in->torn.one.records > 0) {
        st = torn_close(in);
    }
    h->is_begun = st == AFF_OK;
    if (h->is_begun && is_known(in))
        h->request = NULL;
    return st;
}

/* ---- records ---- */

struct piece {
    const char *data;
    uint32_t size;
    size_t behind; /* offset of the next one */
};

/* The piece at the hand's place; false: the part is over. An empty file is one empty piece. */
static bool piece_at(const struct intake *in, struct piece *ret)
{
    const struct hand *h = &in->hand;
    const struct part *p = &h->request->parts[h->part];
    const char *data = h->request->memory + p->at + h->offset, *end;
    size_t left = p->size > h->offset ? p->size - h->offset : 0, most = (size_t)in->config->block;

    if (has_rows(h)) {
        end = left > 0 ? memchr(data, '\n', left) : NULL;
        *ret = (struct piece){ data, end ? (uint32_t)(end - data) : 0, end ? h->offset + (size_t)(end - data) + 1 : 0 };
        return end != NULL;
    }
    if (p->size == 0) {
        *ret = (struct piece){ data, 0, 1 };
        return h->offset == 0;
    }
    *ret = (struct piece){ data, (uint32_t)(left < most ? left : most), h->offset + (left < most ? left : most) };
    return left > 0;
}

/* AFF_ERR_MEMORY: not now, or never: one who may send could stop this node with ever new names. */
static aff_status names_ask(struct intake *in)
{
    struct hand *h = &in->hand;
    const struct part *p = &h->request->parts[h->part];
    int port = has_rows(h) ? PORT_DATA : PORT_FILES;

    if (h->stream)
        return AFF_OK;
    h->subject = in->host->subject(in->host, p->subject);
    h->stream = h->subject ? in->host->stream(in->host, h->subject, p->stream, in->schemas[port]) : 0;
    if (!h->stream)
        return AFF_ERR_MEMORY;
    h->tries = 0;
    return AFF_OK;
}

static aff_status piece_emit(struct intake *in, const struct piece *piece)
{
    struct hand *h = &in->hand;
    const struct { uint64_t key[2], at; } identity = { { h->one.key[0], h->one.key[1] }, h->at };
    int port = has_rows(h) ? PORT_DATA : PORT_FILES;
    struct aff_record *draft;

    in->host->incarnation(in->host, &identity, sizeof identity);
    draft = in->host->reserve(in->host, (uint32_t)port, AFF_NO_INPUT, piece->size);
    if (!draft)
        return AFF_ERR_MEMORY;
    draft->subject = h->subject;
    draft->stream = h->stream;
    draft->schema = in->schemas[port];
    draft->type = AFF_BYTES;
    draft->event_ns = h->event_ns;
    draft->clock = h->clock;
    draft->flags = h->request->is_resent ? AFF_FLAG_RESENT : 0;
    if (piece->size > 0)
        memcpy(draft->data, piece->data, piece->size);
    return in->host->emit(in->host, draft, piece->size);
}

/* A record that fits nowhere stands in nobody's way, and is not lost. */
static aff_status piece_pass(struct intake *in, const struct piece *piece)
{
    struct hand *h = &in->hand;
    aff_status st = names_ask(in);

    if (st == AFF_OK && h->tries < TRIES)
        st = piece_emit(in, piece);
    else if (st == AFF_OK)
        st = in->host->dead(in->host, AFF_NO_INPUT, VERDICT_TOO_LARGE, h->offset, piece->data, piece->size);
    if (st != AFF_OK)
        return st;
    if (h->tries >= TRIES)
        h->one.set_aside++;
    else
        h->is_open = !has_rows(h);
    h->open_stream = h->stream;
    h->tries = 0;
    h->epoch = in->host->epoch(in->host);
    in->host->count(in->host, METRIC_RECORDS, 1);
    return AFF_OK;
}

/* A file of which all was safe before a death has ended then, but for the last. */
static aff_status part_end(struct intake *in)
{
    struct hand *h = &in->hand;
    bool ends = h->is_open && h->at >= h->one.records;
    aff_status st = ends ? names_ask(in) : AFF_OK;

    if (st == AFF_OK && ends)
        st = in->host->stream_end(in->host, PORT_FILES, h->stream);
    if (st == AFF_ERR_MEMORY)
        return st;
    if (ends)
        h->is_open = false;
    h->stream = 0;
    h->offset = 0;
    h->part++;
    return AFF_OK;
}

/* One record, or what is between two. */
static aff_status step(struct intake *in, bool *ret_emitted)
{
    struct hand *h = &in->hand;
    struct piece piece;
    aff_status st;

    if (!piece_at(in, &piece))
        return part_end(in);
    if (h->at >= h->one.records) { /* else it is safe since before a death */
        st = piece_pass(in, &piece);
        if (st != AFF_OK)
            return st;
        h->one.records++;
        *ret_emitted = true;
    }
    h->at++;
    h->offset = piece.behind;
    return AFF_OK;
}

static void finish(struct intake *in)
{
    struct hand *h = &in->hand;

    h->one.is_part = 0;
    h->one.epoch = h->epoch;
    if (h->request->has_key)
        known_add(&in->known, &h->one);
    wait_for(in, h->request, h->epoch, &h->one);
    h->request = NULL;
}

/* Nothing of it was passed on and there is no room for its names: its client hears so. */
static bool gives_up(struct intake *in)
{
    struct hand *h = &in->hand;

    if (++h->tries < TRIES || h->stream || h->one.records > 0 || !h->is_begun)
        return false;
    answer(in, h->request, ANSWER_NAMES_FULL);
    h->request = NULL;
    return true;
}

static aff_status go_on(struct intake *in, uint32_t want)
{
    struct hand *h = &in->hand;
    uint32_t emitted = 0;
    aff_status st;
    bool one;

    do {
        struct request *r = h->request ? h->request : desk_take(in->desk);

        st = AFF_OK;
        if (!r)
            return AFF_AGAIN;
        if (!h->request || !h->is_begun)
            st = begin(in, r);
        while (st == AFF_OK && h->request && h->part < r->part_count && emitted < want) {
            one = false;
            st = step(in, &one);
            emitted += one;
        }
        if (st == AFF_OK && h->request && h->part == r->part_count)
            finish(in);
        if (st != AFF_OK && !(st == AFF_ERR_MEMORY && gives_up(in)))
            return st;
    } while (emitted < want);
    return AFF_OK;
}

aff_status intake_read(struct intake *in, uint32_t want)
{
    aff_status st = go_on(in, want);
    int64_t now = in->host->now_ns(in->host);

    /* each commit is written: it is asked for when no more is there, or some wait */
    if (!TAILQ_EMPTY(&in->waits) && (st != AFF_OK || now - in->waits_since_ns > WAIT_MOST_NS))
        in->host->cut(in->host);
    return st;
}

struct known_torn intake_torn(const struct intake *in)
{
    const struct hand *h = &in->hand;

    if (!h->request || !h->is_begun || h->one.records == 0 || !(h->request->has_key || h->is_open))
        return in->torn;
    return (struct known_torn){ h->one, h->event_ns, h->is_open ? h->open_stream : 0, h->clock };
}
