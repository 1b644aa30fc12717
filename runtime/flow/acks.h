/* acks.h - the window of a sink whose peer answers late (AFF_ACKS).
 *
 * Records that write took with verdict 0 wait here for host->ack, as copies: they may
 * have to be offered again or become dead letters. Answers come in any order, from
 * any thread, also while write is still running, twice, or for ids nobody waits for.
 * They are kept until the lane takes them; nothing else happens on that thread.
 *
 * Equal ids are the same record: one answer is for all that wait under that id. A
 * record that waits to be offered again and is answered after all is done with.
 *
 * How the lane uses it, for each batch:
 *     acks_offer    at most acks_room records; then write
 *     acks_add      for each that was taken with verdict 0
 *     acks_offered  the others are forgotten
 * and once a turn, until it gives nothing: acks_take, books each item. An epoch is
 * done when acks_oldest_epoch is above it.
 *
 * Not here: back-off, verdicts, dead letters (node.c, letters.c). */
#ifndef AFFERENT_FLOW_ACKS_H
#define AFFERENT_FLOW_ACKS_H

#include <stdbool.h>
#include <stdint.h>

#include <afferent/plugin.h>

#include "flow/bell.h"

enum { ACKS_BATCH = 64, ACKS_WORDS = 80, ACKS_WINDOW = 1024 /* of a sink */ };

struct acks;

struct acks_item {
    const struct aff_record *record; /* the window's copy, payload too */
    uint64_t epoch;                  /* that it came in */
    uint32_t port;
    aff_status status; /* AFF_OK, AFF_ERR_DATA, AFF_ERR_IO, AFF_AGAIN; of acks_again: AFF_ERR_IO */
    uint8_t verdict;   /* as answered: not looked at */
    char words[ACKS_WORDS]; /* the same; "": none */
};

/* [control] A window of `room` records. `bell` (borrowed) is rung by answers. NULL: no
 * memory. */
struct acks *acks_open(uint32_t room, struct bell *bell);
void acks_close(struct acks **acks);
/* [control, the lane does not run] It goes on in a lane with this bell; it forgets all
 * that waits: an answer for it means nothing any more. */
void acks_join(struct acks *acks, struct bell *bell);
void acks_forget(struct acks *acks);

/* [data] The records that are given to write now: at most ACKS_BATCH and acks_room; they
 * are copied. False: no memory for that, and nothing was changed. */
bool acks_offer(struct acks *acks, const struct aff_record *records, uint32_t count);
/* [data] The index-th of them was taken, and waits for its answer; epochs never fall.
 * Cannot fail. Each index once. */
void acks_add(struct acks *acks, uint32_t index, uint64_t epoch, uint32_t port);
void acks_offered(struct acks *acks);

/* [any] The peer's answer. AFF_OK and AFF_ERR_DATA are final; any other error and AFF_AGAIN
 * mean: to be offered again; AFF_END means nothing. Of several answers that the lane has not
 * taken yet the first final one counts. `words` (NULL: none) are copied, what does not fit is
 * cut. */
void acks_answer(struct acks *acks, struct aff_id id, aff_status status, uint8_t verdict, const char *words);

/* [data] Answers since the last call, up to `room`; 0: none. What is answered for good
 * leaves the window; its record stays valid until the next call of acks_take or
 * acks_offer. What was answered otherwise stays in it, to be offered again. */
uint32_t acks_take(struct acks *acks, struct acks_item *ret_items, uint32_t room);

/* [data] The peer, or the child that spoke to it, is gone: all that is unanswered is to be
 * offered again, in the order it came in. */
void acks_lose(struct acks *acks);
/* [data] The first of those to be offered again, of one port, up to `room`; their
 * records carry RESENT. They go on waiting to be offered until acks_sent. */
uint32_t acks_again(struct acks *acks, struct acks_item *ret_items, uint32_t room);
/* [data] Write took the first `count` of what acks_again gave last. Said before the next
 * acks_take: an answer that came during write counts for what was sent now. */
void acks_sent(struct acks *acks, const struct acks_item *items, uint32_t count);
/* [data] This record, out of acks_again, was settled without an answer (a verdict, or a
 * status DATA): it leaves the window, and stays valid as those of acks_take. */
void acks_settle(struct acks *acks, const struct acks_item *item);

/* [data] The lowest epoch of what is in the window; UINT64_MAX: it is empty. */
uint64_t acks_oldest_epoch(const struct acks *acks);
/* [data] Records in the window, and places left. */
uint32_t acks_count(const struct acks *acks);
uint64_t acks_bytes(const struct acks *acks); /* payload of these */
uint32_t acks_room(const struct acks *acks);
/* [data] Of these records, how many wait to be offered again. */
uint32_t acks_waiting(const struct acks *acks);
static inline bool acks_full(const struct acks *acks)
{
    return acks_room(acks) == 0;
}
/* [any] Whether acks_take would give something. */
bool acks_ready(const struct acks *acks);
/* [data] Walks the window, oldest first: `after` is the record given before, NULL for
 * the first. False: no more. status is AFF_END: unanswered as far as was taken. */
bool acks_unanswered(const struct acks *acks, const struct aff_record *after, struct acks_item *ret_item);

#endif
