/* test_acks.c - the window of a sink whose peer answers late.
 *
 * Needs: flow/acks.c, bell.c. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "flow/acks.h"
#include "flow/edge.h"

struct rig {
    struct bell bell;
    struct acks *acks;
    uint8_t bytes[64];
};

static struct rig *rig_new(uint32_t room)
{
    struct rig *r = calloc(1, sizeof *r);

    assert_true(bell_open(&r->bell));
    r->acks = acks_open(room, &r->bell);
    assert_non_null(r->acks);
    return r;
}

static void rig_free(struct rig *r)
{
    acks_close(&r->acks);
    assert_null(r->acks);
    bell_close(&r->bell);
    free(r);
}

static struct aff_record record_of(struct rig *r, uint64_t seq)
{
    struct aff_record record = { .id = { 9, seq }, .data = r->bytes, .size = (uint32_t)(seq % 64u), .origin = 1 };

    memset(r->bytes, (int)(seq & 0xffu), sizeof r->bytes);
    return record;
}

/* As the lane does it with a batch of one. */
static bool offer(struct rig *r, uint64_t seq, uint64_t epoch)
{
    struct aff_record record = record_of(r, seq);

    if (!acks_offer(r->acks, &record, 1))
        return false;
    memset(r->bytes, 0xee, sizeof r->bytes); /* the batch's memory goes its way */
    acks_add(r->acks, 0, epoch, 2);
    acks_offered(r->acks);
    return true;
}

static void answer(struct rig *r, uint64_t seq, aff_status status)
{
    acks_answer(r->acks, (struct aff_id){ 9, seq }, status, 0, NULL);
}

static struct acks_item take_one(struct rig *r)
{
    struct acks_item item;

    assert_int_equal(acks_take(r->acks, &item, 1), 1);
    return item;
}

static void check(const struct acks_item *item, uint64_t seq)
{
    uint32_t i;

    assert_int_equal(item->record->id.seq, seq);
    assert_int_equal(item->record->size, seq % 64u);
    assert_int_equal(item->record->origin, EDGE_NO_ORIGIN);
    for (i = 0; i < item->record->size; i++)
        assert_int_equal(((const uint8_t *)item->record->data)[i], seq & 0xffu);
}

static void answers_out_of_order_close_epochs_in_order(void **state)
{
    struct rig *r = rig_new(16);
    struct acks_item item;

    (void)state;
    assert_int_equal(acks_oldest_epoch(r->acks), UINT64_MAX);
    assert_true(offer(r, 1, 10) && offer(r, 2, 10) && offer(r, 3, 11));
    assert_int_equal(acks_count(r->acks), 3);
    assert_int_equal(acks_oldest_epoch(r->acks), 10);
    assert_false(acks_ready(r->acks));
    answer(r, 3, AFF_OK);
    assert_true(acks_ready(r->acks));
    item = take_one(r);
    check(&item, 3);
    assert_int_equal(item.epoch, 11);
    assert_int_equal(item.port, 2);
    assert_int_equal(item.status, AFF_OK);
    assert_int_equal(acks_oldest_epoch(r->acks), 10);
    answer(r, 1, AFF_ERR_DATA);
    item = take_one(r);
    check(&item, 1);
    assert_int_equal(item.status, AFF_ERR_DATA);
    assert_int_equal(acks_oldest_epoch(r->acks), 10);
    answer(r, 2, AFF_OK);
    assert_int_equal(acks_oldest_epoch(r->acks), 10); /* not booked yet */
    take_one(r);
    assert_int_equal(acks_oldest_epoch(r->acks), UINT64_MAX);
    assert_int_equal(acks_count(r->acks), 0);
    rig_free(r);
}

static void an_answer_before_write_returned_counts(void **state)
{
    struct rig *r = rig_new(16);
    struct aff_record two[2] = { record_of(r, 1), record_of(r, 2) };
    struct acks_item item;

    (void)state;
    assert_true(acks_offer(r->acks, two, 2));
    answer(r, 1, AFF_OK);
    answer(r, 2, AFF_OK); /* and yet write does not take it */
    answer(r, 7, AFF_OK);
    assert_int_equal(acks_take(r->acks, &item, 1), 0);
    acks_add(r->acks, 0, 1, 0);
    answer(r, 1, AFF_ERR_DATA); /* doubled, and late */
    acks_offered(r->acks);
    item = take_one(r);
    assert_int_equal(item.record->id.seq, 1);
    assert_int_equal(item.status, AFF_OK);
    assert_int_equal(acks_take(r->acks, &item, 1), 0);
    assert_int_equal(acks_count(r->acks), 0);
    assert_true(offer(r, 2, 1)); /* offered again: it waits for an answer of its own */
    assert_false(acks_ready(r->acks));
    rig_free(r);
}

static void doubled_and_unknown_answers_are_passed_over(void **state)
{
    struct rig *r = rig_new(4);
    struct acks_item items[4];

    (void)state;
    answer(r, 1, AFF_OK);
    assert_true(offer(r, 1, 1));
    assert_false(acks_ready(r->acks));
    answer(r, 1, AFF_END);
    acks_answer(r->acks, (struct aff_id){ 8, 1 }, AFF_OK, 0, NULL);
    assert_false(acks_ready(r->acks));
    answer(r, 1, AFF_OK);
    answer(r, 1, AFF_OK);
    answer(r, 1, AFF_ERR_DATA);
    assert_int_equal(acks_take(r->acks, items, 4), 1);
    assert_int_equal(items[0].status, AFF_OK);
    answer(r, 1, AFF_OK);
    assert_int_equal(acks_take(r->acks, items, 4), 0);
    rig_free(r);
}

static void one_answer_is_for_all_with_that_id(void **state)
{
    struct rig *r = rig_new(8);
    struct acks_item items[8];

    (void)state;
    assert_true(offer(r, 5, 1) && offer(r, 6, 1) && offer(r, 5, 2) && offer(r, 5, 3));
    answer(r, 5, AFF_OK);
    assert_int_equal(acks_take(r->acks, items, 2), 2);
    assert_int_equal(acks_take(r->acks, items, 8), 1);
    check(&items[0], 5);
    assert_int_equal(acks_count(r->acks), 1);
    answer(r, 6, AFF_OK);
    assert_int_equal(take_one(r).record->id.seq, 6);
    rig_free(r);
}

static void a_full_window_takes_no_more(void **state)
{
    struct rig *r = rig_new(3);
    struct aff_record many[ACKS_BATCH + 1];

    (void)state;
    memset(many, 0, sizeof many);
    assert_false(acks_offer(r->acks, many, ACKS_BATCH + 1));
    assert_true(offer(r, 1, 1) && offer(r, 2, 1));
    assert_false(acks_full(r->acks));
    assert_false(acks_offer(r->acks, many, 2));
    assert_true(offer(r, 3, 1));
    assert_true(acks_full(r->acks));
    assert_false(offer(r, 4, 1));
    answer(r, 2, AFF_OK);
    assert_true(acks_full(r->acks));
    take_one(r);
    assert_int_equal(acks_room(r->acks), 1);
    assert_true(offer(r, 4, 1));
    assert_null(acks_open(0, &r->bell));
    rig_free(r);
}

static void what_the_peer_could_not_take_is_offered_again(void **state)
{
    struct rig *r = rig_new(8);
    struct acks_item items[8];

    (void)state;
    assert_true(offer(r, 1, 1) && offer(r, 2, 1) && offer(r, 3, 2));
    answer(r, 2, AFF_ERR_IO);
    answer(r, 3, AFF_ERR_MEMORY);
    answer(r, 3, AFF_ERR_IO);
    assert_int_equal(acks_take(r->acks, items, 8), 2);
    assert_int_equal(items[0].status, AFF_ERR_IO);
    assert_int_equal(items[1].status, AFF_ERR_IO);
    assert_int_equal(acks_count(r->acks), 3);
    assert_int_equal(acks_again(r->acks, items, 8), 2);
    check(&items[0], 2);
    assert_true(items[0].record->flags & AFF_FLAG_RESENT);
    answer(r, 2, AFF_ERR_IO);     /* while it is being written again */
    acks_sent(r->acks, items, 1); /* 3 was not taken */
    assert_int_equal(acks_take(r->acks, items, 8), 1);
    assert_int_equal(acks_again(r->acks, items, 8), 2);
    assert_int_equal(items[0].record->id.seq, 3);
    assert_int_equal(items[1].record->id.seq, 2);
    answer(r, 3, AFF_OK); /* the first attempt had come through after all */
    assert_int_equal(take_one(r).record->id.seq, 3);
    assert_int_equal(acks_again(r->acks, items, 8), 1);
    acks_settle(r->acks, &items[0]); /* refused on the second offer */
    check(&items[0], 2);
    acks_settle(r->acks, &items[0]);
    assert_int_equal(acks_again(r->acks, items, 8), 0);
    assert_int_equal(acks_count(r->acks), 1);
    assert_int_equal(acks_oldest_epoch(r->acks), 1);
    answer(r, 2, AFF_OK);
    assert_false(acks_ready(r->acks));
    rig_free(r);
}

static void safe_is_safe_whatever_else_was_said(void **state)
{
    struct rig *r = rig_new(8);
    struct acks_item item;

    (void)state;
    assert_true(offer(r, 1, 1) && offer(r, 2, 1));
    answer(r, 1, AFF_ERR_IO);
    answer(r, 1, AFF_OK);
    answer(r, 1, AFF_ERR_IO);
    assert_int_equal(take_one(r).status, AFF_OK);
    assert_int_equal(acks_again(r->acks, &item, 1), 0);
    answer(r, 2, AFF_ERR_IO);
    assert_int_equal(acks_again(r->acks, &item, 1), 0);
    acks_lose(r->acks);
    assert_int_equal(acks_again(r->acks, &item, 1), 1);
    acks_settle(r->acks, &item); /* with an answer that nobody took */
    assert_false(acks_ready(r->acks));
    assert_int_equal(acks_count(r->acks), 0);
    rig_free(r);
}

static void a_lost_peer_gets_all_again_in_order_by_port(void **state)
{
    struct rig *r = rig_new(8);
    struct acks_item items[8], item;
    struct aff_record record;
    const struct aff_record *at = NULL;
    uint64_t seq = 0;

    (void)state;
    assert_true(offer(r, 1, 1) && offer(r, 2, 1) && offer(r, 3, 2));
    record = record_of(r, 4);
    assert_true(acks_offer(r->acks, &record, 1));
    acks_add(r->acks, 0, 2, 0); /* another port */
    acks_offered(r->acks);
    answer(r, 3, AFF_ERR_IO);
    take_one(r);
    acks_lose(r->acks);
    assert_int_equal(acks_again(r->acks, items, 8), 3);
    assert_int_equal(items[0].record->id.seq, 1);
    assert_int_equal(items[2].record->id.seq, 3);
    acks_sent(r->acks, items, 3);
    assert_int_equal(acks_again(r->acks, items, 8), 1);
    check(&items[0], 4);
    assert_int_equal(items[0].port, 0);
    for (; acks_unanswered(r->acks, at, &item); at = item.record)
        assert_int_equal(item.record->id.seq, ++seq);
    assert_int_equal(seq, 4);
    rig_free(r);
}

static void large_payloads_do_not_stay(void **state)
{
    struct rig *r = rig_new(2);
    uint8_t *large = calloc(1, 1 << 20);
    struct aff_record record = { .id = { 9, 1 }, .data = large, .size = 1 << 20 };
    struct acks_item item;

    (void)state;
    large[(1 << 20) - 1] = 7;
    assert_true(acks_offer(r->acks, &record, 1));
    acks_add(r->acks, 0, 1, 0);
    acks_add(r->acks, 0, 1, 0); /* twice: once */
    acks_add(r->acks, 1, 1, 0); /* not in it */
    acks_offered(r->acks);
    free(large);
    answer(r, 1, AFF_OK);
    item = take_one(r);
    assert_int_equal(((uint8_t *)item.record->data)[(1 << 20) - 1], 7);
    assert_int_equal(acks_count(r->acks), 0);
    rig_free(r);
}

/* ---- against a model, and from threads ---- */

enum { IDS = 5000, WINDOW = 200 };

static uint32_t roll(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* Ids come and go in every order: what the table finds is what is there. */
static void the_table_holds_what_is_in_the_window(void **state)
{
    struct rig *r = rig_new(WINDOW);
    static uint8_t there[400];
    struct acks_item items[16];
    uint32_t seed = 3, step, n, i, count = 0;

    (void)state;
    memset(there, 0, sizeof there);
    for (step = 0; step < 200000; step++) {
        uint64_t seq = roll(&seed, 400);

        if (roll(&seed, 2) == 0 && !there[seq] && offer(r, seq, 1))
            there[seq] = 1;
        if (roll(&seed, 2) == 0)
            answer(r, roll(&seed, 400), AFF_OK);
        n = acks_take(r->acks, items, 1 + roll(&seed, 16));
        for (i = 0; i < n; i++) {
            assert_int_equal(there[items[i].record->id.seq], 1);
            there[items[i].record->id.seq] = 0;
        }
    }
    for (i = 0; i < 400; i++) {
        count += there[i];
        answer(r, i, AFF_OK);
    }
    assert_int_equal(acks_count(r->acks), count);
    for (; (n = acks_take(r->acks, items, 16)) > 0; count -= n)
        continue;
    assert_int_equal(count, 0);
    rig_free(r);
}

struct peer {
    struct rig *r;
    _Atomic uint64_t sent[IDS]; /* ids on their way */
    _Atomic uint32_t head, tail;
    _Atomic bool stop;
    uint32_t seed;
};

static void *peer_run(void *arg)
{
    struct peer *p = arg;
    uint32_t seed = p->seed, at;
    uint64_t id;

    while (!atomic_load(&p->stop)) {
        at = atomic_load(&p->tail);
        if (at == atomic_load(&p->head)) {
            usleep(50);
            continue;
        }
        at = at + roll(&seed, atomic_load(&p->head) - at);
        id = atomic_exchange(&p->sent[at % IDS], 0);
        if (id != 0)
            answer(p->r, id, roll(&seed, 5) == 0 ? AFF_ERR_IO : roll(&seed, 9) == 0 ? AFF_ERR_DATA : AFF_OK);
        if (roll(&seed, 4) == 0)
            answer(p->r, roll(&seed, 2) ? id : 1000000, AFF_OK);
        while ((at = atomic_load(&p->tail)) != atomic_load(&p->head) && atomic_load(&p->sent[at % IDS]) == 0)
            if (!atomic_compare_exchange_strong(&p->tail, &at, at + 1u))
                break;
    }
    return NULL;
}

static void peer_send(struct peer *p, uint64_t id)
{
    uint32_t at = atomic_load(&p->head);

    atomic_store(&p->sent[at % IDS], id);
    atomic_store(&p->head, at + 1u);
}

/* Writes a batch: the peer may answer before this is over. */
static uint64_t write_some(struct peer *p, uint64_t next, uint32_t *seed)
{
    static uint8_t bytes[ACKS_BATCH][64];
    struct aff_record batch[ACKS_BATCH];
    uint32_t n = 1 + roll(seed, ACKS_BATCH), i, taken;

    if (n > acks_room(p->r->acks))
        n = acks_room(p->r->acks);
    if (n > IDS - next)
        n = (uint32_t)(IDS - next);
    for (i = 0; i < n; i++) {
        memset(bytes[i], (int)((next + i) & 0xffu), 64);
        batch[i] = (struct aff_record){ .id = { 9, next + i }, .data = bytes[i] };
        batch[i].size = (uint32_t)((next + i) % 64u);
    }
    if (n == 0 || !acks_offer(p->r->acks, batch, n))
        return next;
    taken = 1 + roll(seed, n);
    for (i = 0; i < taken; i++)
        peer_send(p, next + i);
    usleep(roll(seed, 3) * 50);
    for (i = 0; i < taken; i++)
        acks_add(p->r->acks, i, (next + i) / 100, 0);
    acks_offered(p->r->acks);
    return next + taken;
}

static void answers_from_threads_are_each_booked_once(void **state)
{
    static struct peer p;
    static uint8_t booked[IDS];
    struct acks_item items[16];
    pthread_t threads[2];
    uint32_t seed = 5, n, i, left = IDS - 1;
    uint64_t next = 1, low;

    (void)state;
    memset(&p, 0, sizeof p);
    memset(booked, 0, sizeof booked);
    p.r = rig_new(WINDOW);
    p.seed = 11;
    for (i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, peer_run, &p), 0);
    while (left > 0) {
        next = write_some(&p, next, &seed);
        n = acks_take(p.r->acks, items, 16);
        for (i = 0; i < n; i++) {
            check(&items[i], items[i].record->id.seq);
            if (items[i].status == AFF_ERR_IO)
                continue;
            assert_int_equal(booked[items[i].record->id.seq]++, 0);
            left--;
        }
        n = acks_again(p.r->acks, items, roll(&seed, 16));
        for (i = 0; i < n; i++)
            peer_send(&p, items[i].record->id.seq);
        acks_sent(p.r->acks, items, n);
        for (low = 1; low < next && booked[low]; low++)
            continue;
        assert_int_equal(acks_oldest_epoch(p.r->acks), low == next ? UINT64_MAX : low / 100);
    }
    atomic_store(&p.stop, true);
    for (i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(acks_count(p.r->acks), 0);
    rig_free(p.r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_out_of_order_close_epochs_in_order),
        cmocka_unit_test(an_answer_before_write_returned_counts),
        cmocka_unit_test(doubled_and_unknown_answers_are_passed_over),
        cmocka_unit_test(one_answer_is_for_all_with_that_id),
        cmocka_unit_test(a_full_window_takes_no_more),
        cmocka_unit_test(what_the_peer_could_not_take_is_offered_again),
        cmocka_unit_test(safe_is_safe_whatever_else_was_said),
        cmocka_unit_test(a_lost_peer_gets_all_again_in_order_by_port),
        cmocka_unit_test(large_payloads_do_not_stay),
        cmocka_unit_test(the_table_holds_what_is_in_the_window),
        cmocka_unit_test(answers_from_threads_are_each_booked_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
