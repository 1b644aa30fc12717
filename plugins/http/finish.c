/* SPDX-License-Identifier: Apache-2.0
 *
 * finish.c - a request's records are answered, by what the server said.
 *
 * What was refused as a whole is cut in halves until the bad record stands alone:
 * that one is a dead letter, the others arrive. A server that failed (500) may have
 * done so by one record, too; then halves are tried as well, and given up when two
 * that stand alone fail one after the other: it is the server.
 *
 * What the server may have, since no answer came, is sent again as it was, so that it can be
 * told by its key or its name: however long the link is away, and up to five times where each
 * time it went out. Then it may be one record that the server hangs up on, and halves are
 * tried as well.
 *
 * Not here: what an answer says (each plugin), waiting (loop.c). */
#include "http/pump_inside.h"

#include <stdio.h>
#include <string.h>

enum { BUFFER_KEPT = 65536, UNANSWERED_MOST = 5, CONFLICTS_MOST = 5 };

/* ---- accounts ---- */

static void item_answer(struct pump *p, struct request *r, uint32_t i, aff_status st, const char *words)
{
    if (st == AFF_ERR_IO)
        r->has_left = true;
    p->host->answer(p->host, r->items[i].id, st, 0, words);
}

/* What the server answered: by the plugin's words, or as a status of HTTP. */
static const char *words_of(char room[WORDS_ROOM], long status)
{
    (void)snprintf(room, WORDS_ROOM, "HTTP %ld", status);
    return status > 0 ? room : NULL;
}

/* What is to be done about it may be left out. */
static const char *why_short(char room[WORDS_ROOM], const char *why)
{
    size_t size = strlen(why);

    if (size >= WORDS_ROOM)
        for (size = WORDS_ROOM - 1; size > 0 && why[size] != ';' && why[size] != ',';)
            size--;
    (void)snprintf(room, WORDS_ROOM, "%.*s", (int)(size > 0 ? size : WORDS_ROOM - 1), why);
    return room;
}

/* `why`: of what is offered again, for `status`. */
static void range_answer(struct pump *p, struct request *r, struct range range, aff_status st, const char *why)
{
    char room[WORDS_ROOM];
    const char *words = why ? why_short(room, why) : NULL;

    if (st != AFF_OK && !why)
        words = *r->call.words ? r->call.words : words_of(room, transfer_status(&r->call.transfer));
    if (st != AFF_ERR_IO)
        pump_count(p, st == AFF_OK ? COUNT_ACCEPTED : COUNT_REFUSED, range.count);
    for (uint32_t i = range.from; i < range.from + range.count; i++)
        item_answer(p, r, i, st, words);
}

/* Said once for each status, then only counted. */
static void refused_note(struct pump *p, long status)
{
    pthread_mutex_lock(&p->lock);
    if (status > 0 && status < STATUSES && p->news.refused[status] == 0) {
        p->news.refused[status] = 1;
        p->news.any_refused = true;
    }
    pthread_mutex_unlock(&p->lock);
}

/* What one very large record needed is given back. */
static void buffer_trim(struct pump *p, struct text *t)
{
    t->size = 0;
    if (t->room > 4u * (size_t)p->plug.way->batch_bytes + BUFFER_KEPT)
        text_free(t);
}

/* How long an answer took says how much may be under way. */
static void range_pace(struct pump *p, const struct request *r, struct range range)
{
    uint64_t bytes = r->items[range.from + range.count - 1u].end - r->items[range.from].begin;

    pthread_mutex_lock(&p->lock);
    pace_answered(&p->pace, r->sent_ns, pump_now(), bytes, p->held);
    pthread_mutex_unlock(&p->lock);
}

static void request_over(struct pump *p, struct request *r)
{
    uint64_t bytes = r->elements.size;
    bool wants_room;

    buffer_trim(p, &r->elements);
    buffer_trim(p, &r->call.body);
    buffer_trim(p, &r->call.packed);
    pthread_mutex_lock(&p->lock);
    p->flying--;
    p->held -= bytes;
    wants_room = p->wants_room;
    p->wants_room = false;
    requests_push(&p->free, r);
    pthread_cond_signal(&p->room);
    pthread_mutex_unlock(&p->lock);
    if (wants_room)
        p->host->rouse(p->host);
}

static void call_dropped(struct pump *p, struct request *r)
{
    if (r->call.turn > 0 && p->plug.kind->dropped)
        p->plug.kind->dropped(p->plug.self, &r->call);
    r->call.turn = 0;
}

/* It waits in front of the others. */
static void request_keep(struct pump *p, struct request *r)
{
    pthread_mutex_lock(&p->lock);
    p->flying--;
    requests_push_front(&p->ready, r);
    pthread_mutex_unlock(&p->lock);
}

/* How often what may have arrived is sent as it is. */
static uint32_t unanswered_most(const struct request *r)
{
    return r->in_doubt ? 1 : UNANSWERED_MOST;
}

/* Tried again as it is, or all that is not answered is offered again by the host, which may
 * put it together in another way. */
static void request_give_up(struct pump *p, struct request *r, const char *why, int64_t after_s)
{
    pump_failed(p, why, after_s);
    if (++r->tries < p->plug.kind->tries || (r->unanswered > 0 && r->unanswered < unanswered_most(r))) {
        request_keep(p, r);
        return;
    }
    call_dropped(p, r);
    while (r->range_count > 0)
        range_answer(p, r, r->ranges[--r->range_count], AFF_ERR_IO, why);
    request_over(p, r);
}

/* ---- sending ---- */

/* NULL, or why not. */
static const char *range_send(struct pump *p, struct request *r, struct range range)
{
    struct call *c = &r->call;
    const char *why;

    c->words[0] = '\0';
    c->is_again = r->unanswered > 0;
    c->items = r->items + range.from;
    c->count = range.count;
    why = p->plug.kind->load(p->plug.self, c);
    if (why)
        return why;
    if (!http_uplink_use(&p->uplink, &c->transfer) || curl_multi_add_handle(p->multi, c->transfer.easy) != CURLM_OK)
        return "no memory for a request";
    c->transfer.is_under_way = true;
    r->sent_ns = pump_now();
    pump_count(p, COUNT_REQUESTS, 1);
    pump_count(p, COUNT_BYTES, c->transfer.sent);
    return NULL;
}

void request_send(struct pump *p, struct request *r)
{
    const char *why;

    if (r->range_count == 0) {
        r->ranges[r->range_count++] = (struct range){ 0, r->count };
        r->call.turn = 0;
    }
    why = range_send(p, r, r->ranges[r->range_count - 1u]);
    if (why)
        request_give_up(p, r, why, 0);
}

/* The server may have it, all the same. */
void request_recall(struct pump *p, struct request *r)
{
    (void)curl_multi_remove_handle(p->multi, r->call.transfer.easy);
    r->call.transfer.is_under_way = false;
    r->unanswered += r->unanswered == 0;
    request_keep(p, r);
}

/* What is left of it, or its end. */
static void request_go_on(struct pump *p, struct request *r, const char *why)
{
    r->range_count--;
    r->call.turn = r->tries = r->unanswered = r->conflicts = 0;
    if (r->range_count > 0) {
        request_send(p, r);
        return;
    }
    if (r->has_left)
        pump_failed(p, why, transfer_retry_after(&r->call.transfer));
    else
        pump_works(p);
    request_over(p, r);
}

/* ---- what came back ---- */

/* Halves of halves: there are never more than 1 + the logarithm of the first. That the
 * server took nothing of a refused request is likely, and not certain. */
static void range_split(struct pump *p, struct request *r)
{
    struct range whole = r->ranges[r->range_count - 1u], left = { whole.from, whole.count / 2u };

    call_dropped(p, r);
    for (uint32_t i = whole.from; i < whole.from + whole.count; i++)
        r->items[i].is_resent = true;
    r->ranges[r->range_count - 1u] = (struct range){ left.from + left.count, whole.count - left.count };
    r->ranges[r->range_count++] = left;
    r->tries = r->unanswered = r->conflicts = 0;
    pump_count(p, COUNT_SPLIT, 1);
    request_send(p, r);
}

/* Counts first: with the last answer the run may end. */
static void outcomes_count(struct pump *p, uint32_t count)
{
    uint32_t accepted = 0, refused = 0;

    for (uint32_t i = 0; i < count; i++) {
        aff_status st = p->plug.kind->outcome(p->statuses[i]);

        accepted += st == AFF_OK;
        refused += st == AFF_ERR_DATA;
        if (st == AFF_ERR_DATA)
            refused_note(p, (long)p->statuses[i]);
    }
    pump_count(p, COUNT_ACCEPTED, accepted);
    pump_count(p, COUNT_REFUSED, refused);
}

static void each_answer(struct pump *p, struct request *r, struct range range)
{
    outcomes_count(p, range.count);
    for (uint32_t i = 0; i < range.count; i++) {
        aff_status st = p->plug.kind->outcome(p->statuses[i]);
        char room[WORDS_ROOM];

        item_answer(p, r, range.from + i, st, st == AFF_OK ? NULL : words_of(room, (long)p->statuses[i]));
    }
}

static void request_later(struct pump *p, struct request *r, const char *why)
{
    struct range range = r->ranges[r->range_count - 1u];
    long status = transfer_status(&r->call.transfer);
    bool is_hung_up = status != 503 && r->unanswered >= unanswered_most(r);

    pump_count(p, COUNT_FAILED, 1);
    if (is_hung_up && range.count > 1) {
        r->in_doubt = true;
        range_split(p, r);
        return;
    }
    if (r->in_doubt && range.count == 1 && (is_hung_up || status == 500) && ++r->singles < SINGLES_MOST) {
        range_answer(p, r, range, AFF_ERR_IO, why);
        request_go_on(p, r, why);
        return;
    }
    request_give_up(p, r, why, transfer_retry_after(&r->call.transfer));
}

/* Once for each request: a token may have been taken back before its time. */
static void request_who(struct pump *p, struct request *r, const char *why)
{
    if (!p->plug.kind->renew || r->was_renewed || !p->plug.kind->renew(p->plug.self)) {
        request_later(p, r, why);
        return;
    }
    r->was_renewed = true;
    request_keep(p, r);
}

/* What stands in between got no answer, and who is behind it may have got the request; or it
 * was taken, and nobody can read what became of it. A server that says "later" (503) may be busy
 * with it (in_http is), and does not say so because of a record: that is not counted. */
static void doubt_note(struct request *r, long status)
{
    if (status == 502 || status == 504 || (status >= 200 && status <= 299))
        r->unanswered++;
    else if (status == 503 && r->unanswered == 0)
        r->unanswered = 1;
}

/* Sent again while the server was still busy with it: it has not refused the records
 * (draft-ietf-httpapi-idempotency-key-header, section 2.7). */
static bool is_conflict(struct request *r, long status)
{
    return status == 409 && r->unanswered > 0 && ++r->conflicts < CONFLICTS_MOST;
}

static void request_judge(struct pump *p, struct request *r)
{
    struct range range = r->ranges[r->range_count - 1u];
    long status = transfer_status(&r->call.transfer);
    const char *why = NULL;

    if (is_conflict(r, status)) {
        request_later(p, r, "the server is still busy with the same request (409)");
        return;
    }
    switch (p->plug.kind->judge(p->plug.self, &r->call, p->statuses, &why)) {
    case JUDGE_ACCEPTED:
        range_answer(p, r, range, AFF_OK, NULL);
        break;
    case JUDGE_REFUSED:
        refused_note(p, status);
        call_dropped(p, r);
        range_answer(p, r, range, AFF_ERR_DATA, NULL);
        break;
    case JUDGE_DOUBT:
        r->in_doubt = true;
        range_split(p, r);
        return;
    case JUDGE_SPLIT:
        range_split(p, r);
        return;
    case JUDGE_EACH:
        each_answer(p, r, range);
        break;
    case JUDGE_MORE:
        r->call.turn++;
        r->tries = r->unanswered = 0;
        request_send(p, r);
        return;
    case JUDGE_WHO:
        request_who(p, r, why);
        return;
    default:
        doubt_note(r, status);
        request_later(p, r, why);
        return;
    }
    r->singles = 0;
    request_go_on(p, r, why ? why : "the server failed on a record");
}

void request_finish(struct pump *p, struct request *r, CURLcode code)
{
    const char *why = transfer_failed(&r->call.transfer, code);

    r->call.transfer.is_under_way = false;
    http_uplink_tried(&p->uplink, &r->call.transfer, transfer_status(&r->call.transfer) > 0);
    if (why) {
        r->unanswered += transfer_went_out(&r->call.transfer);
        request_later(p, r, why);
        return;
    }
    range_pace(p, r, r->ranges[r->range_count - 1u]);
    request_judge(p, r);
}
