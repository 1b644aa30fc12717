/* finish.c - a request's records are answered, by what the server said.
 *
 * What was refused as a whole is cut in halves until the bad record stands alone:
 * that one is a dead letter, the others arrive. A server that failed (500) may have
 * done so by one record, too; then halves are tried as well, and given up when two
 * that stand alone fail one after the other: it is the server.
 *
 * Not here: statuses (answer.c), waiting (loop.c). */
#include "pump_inside.h"

enum { BUFFER_KEPT = 65536 };
static const char no_memory[] = "no memory for a request";

/* ---- accounts ---- */

static void item_answer(struct pump *p, struct request *r, uint32_t i, aff_status st)
{
    if (st == AFF_ERR_IO)
        r->has_left = true;
    p->host->ack(p->host, r->items[i].id, st);
}

static void range_answer(struct pump *p, struct request *r, struct range range, aff_status st)
{
    if (st != AFF_ERR_IO)
        pump_count(p, st == AFF_OK ? COUNT_ACCEPTED : COUNT_REFUSED, range.count);
    for (uint32_t i = range.from; i < range.from + range.count; i++)
        item_answer(p, r, i, st);
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
    if (t->room > 4u * (size_t)p->config->batch_bytes + BUFFER_KEPT)
        text_free(t);
}

static void request_over(struct pump *p, struct request *r)
{
    buffer_trim(p, &r->elements);
    buffer_trim(p, &r->body);
    buffer_trim(p, &r->packed);
    pthread_mutex_lock(&p->lock);
    p->flying--;
    requests_push(&p->free, r);
    pthread_cond_signal(&p->room);
    pthread_mutex_unlock(&p->lock);
}

/* All that is not answered is offered again by the host. */
static void request_give_up(struct pump *p, struct request *r, const char *why, int64_t after_s)
{
    pump_failed(p, why, after_s);
    while (r->todo_count > 0)
        range_answer(p, r, r->todo[--r->todo_count], AFF_ERR_IO);
    request_over(p, r);
}

/* ---- sending ---- */

static const struct text *body_make(struct pump *p, struct request *r, struct range range)
{
    const struct config *c = p->config;

    if (!frame_write(&r->body, c, &r->elements, r->items + range.from, range.count))
        return NULL;
    if (c->compress == PACK_NONE)
        return &r->body;
    return frame_pack(&r->packed, &r->body, c->compress) ? &r->packed : NULL;
}

static bool any_resent(const struct request *r, struct range range)
{
    for (uint32_t i = range.from; i < range.from + range.count; i++)
        if (r->items[i].is_resent)
            return true;
    return false;
}

static bool range_send(struct pump *p, struct request *r, struct range range)
{
    const struct aff_id *id = range.count == 1 ? &r->items[range.from].id : NULL;
    const struct text *body = body_make(p, r, range);
    const char *bearer = p->token ? token_get(p->token, pump_now()) : NULL;

    if (!body || !transfer_load(&r->transfer, &p->target, body, id, any_resent(r, range)) ||
        (bearer && !transfer_bearer(&r->transfer, bearer)) ||
        curl_multi_add_handle(p->multi, r->transfer.easy) != CURLM_OK)
        return false;
    pump_count(p, COUNT_REQUESTS, 1);
    pump_count(p, COUNT_BYTES, body->size);
    return true;
}

void request_send(struct pump *p, struct request *r)
{
    if (r->todo_count == 0)
        r->todo[r->todo_count++] = (struct range){ 0, r->count };
    if (!range_send(p, r, r->todo[r->todo_count - 1u]))
        request_give_up(p, r, no_memory, 0);
}

/* What is left of it, or its end. */
static void request_go_on(struct pump *p, struct request *r, const char *why)
{
    r->todo_count--;
    if (r->todo_count > 0) {
        request_send(p, r);
        return;
    }
    if (r->has_left)
        pump_failed(p, why, transfer_retry_after(&r->transfer));
    else
        pump_works(p);
    request_over(p, r);
}

/* ---- what came back ---- */

/* Halves of halves: there are never more than 1 + the logarithm of the first. That the
 * server took nothing of a refused request is likely, and not certain. */
static void range_split(struct pump *p, struct request *r)
{
    struct range whole = r->todo[r->todo_count - 1u], left = { whole.from, whole.count / 2u };

    for (uint32_t i = whole.from; i < whole.from + whole.count; i++)
        r->items[i].is_resent = true;
    r->todo[r->todo_count - 1u] = (struct range){ left.from + left.count, whole.count - left.count };
    r->todo[r->todo_count++] = left;
    pump_count(p, COUNT_SPLIT, 1);
    request_send(p, r);
}

/* Counts first: with the last answer the run may end. */
static void outcomes_count(struct pump *p, uint32_t count)
{
    uint32_t accepted = 0, refused = 0;

    for (uint32_t i = 0; i < count; i++) {
        aff_status st = answer_outcome(p->statuses[i]);

        accepted += st == AFF_OK;
        refused += st == AFF_ERR_DATA;
        if (st == AFF_ERR_DATA)
            refused_note(p, (long)p->statuses[i]);
    }
    pump_count(p, COUNT_ACCEPTED, accepted);
    pump_count(p, COUNT_REFUSED, refused);
}

static bool each_answer(struct pump *p, struct request *r, struct range range)
{
    const struct outcomes asked = { &r->items[range.from].id, sizeof r->items[0], range.count, p->statuses };
    const struct text *body = &r->transfer.answer;

    if (!transfer_pad(&r->transfer, answers_padding()) || !answers_read(p->answers, body->bytes, body->size, &asked))
        return false;
    outcomes_count(p, range.count);
    for (uint32_t i = 0; i < range.count; i++)
        item_answer(p, r, range.from + i, answer_outcome(p->statuses[i]));
    return true;
}

static void request_later(struct pump *p, struct request *r, const char *why)
{
    struct range range = r->todo[r->todo_count - 1u];

    pump_count(p, COUNT_FAILED, 1);
    if (r->in_doubt && range.count == 1 && transfer_status(&r->transfer) == 500 && ++r->singles < SINGLES_MOST) {
        range_answer(p, r, range, AFF_ERR_IO);
        request_go_on(p, r, why);
        return;
    }
    request_give_up(p, r, why, transfer_retry_after(&r->transfer));
}

/* Once for each request: a token may have been taken back before its time. */
static void request_who(struct pump *p, struct request *r, const char *why)
{
    if (!p->token || r->had_token) {
        request_later(p, r, why);
        return;
    }
    r->had_token = true;
    token_drop(p->token);
    pthread_mutex_lock(&p->lock);
    p->flying--;
    requests_push_front(&p->ready, r);
    pthread_mutex_unlock(&p->lock);
}

static void request_judge(struct pump *p, struct request *r)
{
    struct range range = r->todo[r->todo_count - 1u];
    long status = transfer_status(&r->transfer);
    const char *why;

    switch (answer_judge(p->config, status, range.count, &why)) {
    case JUDGE_ACCEPTED:
        range_answer(p, r, range, AFF_OK);
        break;
    case JUDGE_REFUSED:
        refused_note(p, status);
        range_answer(p, r, range, AFF_ERR_DATA);
        break;
    case JUDGE_DOUBT:
        r->in_doubt = true;
        range_split(p, r);
        return;
    case JUDGE_SPLIT:
        range_split(p, r);
        return;
    case JUDGE_EACH:
        if (!each_answer(p, r, range)) {
            request_later(p, r, "the answer does not say what became of each record; check url, format and answer");
            return;
        }
        why = "the server could not store some records now";
        break;
    case JUDGE_WHO:
        request_who(p, r, why);
        return;
    default:
        request_later(p, r, why);
        return;
    }
    r->singles = 0;
    request_go_on(p, r, why ? why : "the server failed on a record (500)");
}

void request_finish(struct pump *p, struct request *r, CURLcode code)
{
    const char *why = transfer_failed(&r->transfer, code);

    if (why)
        request_later(p, r, why);
    else
        request_judge(p, r);
}
