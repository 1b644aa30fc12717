/* SPDX-License-Identifier: Apache-2.0
 *
 * intake.c - see intake.h. */
#include "intake.h"

#include <string.h>

/* How often room is asked for before what there is none for is set aside or refused. */
enum { TRIES = 5 };
#define WAIT_MOST_NS INT64_C(20000000)
/* Who may send could else stop this node for seconds with each new name. */
#define FULL_NS INT64_C(10000000000)

/* ---- answers ---- */

static void answer(struct intake *in, struct request *r, enum answer_code code)
{
    r->answer.code = code;
    desk_answer(in->desk, r);
}

/* A commit is written: it is asked for when there is nothing more to take, or the first that
 * waits for it has done so for long. */
static void commit_want(struct intake *in, uint64_t epoch)
{
    if (epoch <= in->asked)
        return;
    in->asked = epoch;
    in->asked_ns = in->host->now_ns(in->host);
}

/* When what is known is safe. What a process wrote that died may be of an epoch that was open. */
static uint64_t epoch_of(const struct intake *in, const struct known_one *one)
{
    return one->epoch > 0 ? one->epoch : in->restored;
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
    commit_want(in, epoch);
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
    if (!TAILQ_EMPTY(&in->stamps))
        net_ring(in->desk->lane_fd);
}

static void all_stop(struct intake *in, struct request_list *list)
{
    struct request *r;

    while ((r = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, r, link);
        answer(in, r, ANSWER_STOPPING);
    }
}

void intake_stop(struct intake *in)
{
    all_stop(in, &in->stamps);
    all_stop(in, &in->waits);
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

static struct known_one one_new(struct intake *in, const struct request *r)
{
    struct known_one one = { .key = { r->key[0], r->key[1] }, .print = r->print };
    uint8_t clock;

    one.event_ns = in->host->utc_ns(in->host, &clock);
    one.clock = clock;
    if (r->has_time) {
        one.event_ns = r->event_ns;
        one.clock = AFF_CLOCK_RECORDED;
    }
    return one;
}

/* True: it waits until the time that it is given is safe, which one with a key has again when
 * it comes again. */
static bool stamp(struct intake *in, struct request *r)
{
    struct known_one one, *found;

    if (!r->has_key || r->has_time || (in->torn.one.records > 0 && memcmp(in->torn.one.key, r->key, sizeof r->key) == 0))
        return false;
    found = known_find(&in->known, r->key);
    if (!found) {
        one = one_new(in, r);
        one.is_part = 1;
        one.epoch = in->host->epoch(in->host);
        known_add(&in->known, &one);
        found = known_find(&in->known, r->key);
    }
    r->epoch = epoch_of(in, found);
    if (!found->is_part || r->epoch <= in->safe)
        return false;
    commit_want(in, r->epoch);
    TAILQ_INSERT_TAIL(&in->stamps, r, link);
    return true;
}

/* The next one to pass on. */
static struct request *request_next(struct intake *in)
{
    struct request *r = TAILQ_FIRST(&in->stamps);

    if (r && r->epoch <= in->safe) {
        TAILQ_REMOVE(&in->stamps, r, link);
        return r;
    }
    do
        r = desk_take(in->desk);
    while (r && stamp(in, r));
    return r;
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
        wait_for(in, r, epoch_of(in, one), one);
    }
    return true;
}

static aff_status begin(struct intake *in, struct request *r)
{
    struct hand *h = &in->hand;
    aff_status st = AFF_OK;

    *h = (struct hand){ .request = r, .one = one_new(in, r) };
    if (!r->has_key) {
        h->one.key[0] = in->host->random(in->host);
        h->one.key[1] = in->host->random(in->host);
    }
    if (in->torn.one.records > 0 && r->has_key && same(&in->torn.one, &h->one)) {
        h->one = in->torn.one;
        h->is_open = in->torn.stream != 0;
        h->open_stream = in->torn.stream;
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
    draft->event_ns = h->one.event_ns;
    draft->clock = (uint8_t)h->one.clock;
    draft->flags = h->request->is_resent ? AFF_FLAG_RESENT : 0;
    if (piece->size > 0)
        memcpy(draft->data, piece->data, piece->size);
    return in->host->emit(in->host, draft, piece->size);
}

static bool names_are_full(const struct intake *in)
{
    return in->host->now_ns(in->host) < in->full_until_ns;
}

/* A record that fits nowhere stands in nobody's way, and is not lost: nor is one of a form's
 * later files, for whose name there is no place. */
static aff_status piece_pass(struct intake *in, const struct piece *piece)
{
    struct hand *h = &in->hand;
    aff_status st = names_ask(in);
    bool is_aside = st == AFF_OK ? h->tries >= TRIES : h->one.records > 0 && names_are_full(in);

    if (is_aside)
        st = in->host->dead(in->host, AFF_NO_INPUT, st == AFF_OK ? VERDICT_TOO_LARGE : VERDICT_TOO_MANY, h->offset, piece->data,
                            piece->size);
    else if (st == AFF_OK)
        st = piece_emit(in, piece);
    if (st != AFF_OK)
        return st;
    if (is_aside)
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
    h->one.epoch = h->epoch; /* 0: all of it was passed on by an earlier run */
    if (h->request->has_key)
        known_add(&in->known, &h->one);
    wait_for(in, h->request, epoch_of(in, &h->one), &h->one);
    h->request = NULL;
}

/* Nothing of it was passed on and there is no room for its names: its client hears so. */
static bool gives_up(struct intake *in)
{
    struct hand *h = &in->hand;

    h->tries++;
    if (h->stream || !h->is_begun || (h->tries < TRIES && !names_are_full(in)))
        return false;
    if (!names_are_full(in))
        in->full_until_ns = in->host->now_ns(in->host) + FULL_NS;
    if (h->one.records > 0)
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
        struct request *r = h->request ? h->request : request_next(in);

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
    aff_status st;

    if (in->is_restored)
        in->restored = in->host->epoch(in->host);
    in->is_restored = false;
    st = go_on(in, want);
    if (in->asked == in->host->epoch(in->host) && (st != AFF_OK || in->host->now_ns(in->host) - in->asked_ns > WAIT_MOST_NS))
        in->host->cut(in->host);
    return st;
}

struct known_torn intake_torn(const struct intake *in)
{
    const struct hand *h = &in->hand;

    if (!h->request || !h->is_begun || h->one.records == 0 || !(h->request->has_key || h->is_open))
        return in->torn;
    return (struct known_torn){ h->one, h->is_open ? h->open_stream : 0 };
}
