/* SPDX-License-Identifier: Apache-2.0
 *
 * known.c - which of the modem's messages are known already, and where each lies:
 * parts that wait (inbox.joiner) and what was handed on (inbox.given). See modem.h.
 *
 * Messages may be equal to the last digit: one centre writes no times, another sends
 * twice in a second. So they are counted, not only compared: what is known stands for
 * one place in the modem, and another place with the same is another message. Where
 * things lie is forgotten with the line, and found anew by the next list. */
#include "modem.h"

#include <string.h>

enum { GONE_MOST = 64 }; /* of these only the number of copies counts */

static bool is_gone(const struct place *p)
{
    return p->slot == NO_SLOT && !p->old;
}

/* The i-th of all that is known; its PDU's digest. NULL: that place is free. */
static struct place *place_at(struct inbox *b, uint32_t i, uint64_t *ret_pdu)
{
    struct part *part;

    if (i >= b->joiner.room) {
        *ret_pdu = b->given[i - b->joiner.room].digest;
        return &b->given[i - b->joiner.room].at;
    }
    part = &b->joiner.parts[i];
    *ret_pdu = part->pdu;
    return part->used ? &part->at : NULL;
}

static uint32_t places_of(const struct inbox *b)
{
    return b->joiner.room + b->given_count;
}

typedef bool place_fits(const struct inbox *b, const struct place *place, uint32_t i, uint16_t slot);

static struct place *place_find(struct inbox *b, uint64_t pdu, uint16_t slot, place_fits *fits)
{
    struct place *p;
    uint64_t digest;
    uint32_t i;

    for (i = 0; i < places_of(b); i++) {
        p = place_at(b, i, &digest);
        if (p && digest == pdu && fits(b, p, i, slot))
            return p;
    }
    return NULL;
}

static bool is_exact(const struct inbox *b, const struct place *place, uint32_t i, uint16_t slot)
{
    (void)i;
    return place->slot == slot && place->store == b->current;
}

/* One whose place is not known: to be found anew, or it came by itself. */
static bool is_open(const struct inbox *b, const struct place *place, uint32_t i, uint16_t slot)
{
    (void)slot;
    return place->old || (i < b->joiner.room && place->slot == NO_SLOT);
}

/* One that came by itself is taken for any that is there. */
static bool is_any(const struct inbox *b, const struct place *place, uint32_t i, uint16_t slot)
{
    (void)slot;
    return i < b->joiner.room || !is_gone(place);
}

struct place place_here(const struct inbox *b, uint16_t slot)
{
    return (struct place){ .slot = slot, .store = b->current, .seen = true };
}

bool known_claim(struct inbox *b, uint64_t pdu, uint16_t slot)
{
    struct place *p = place_find(b, pdu, slot, slot == NO_SLOT ? is_any : is_exact);

    if (!p && slot != NO_SLOT)
        p = place_find(b, pdu, slot, is_open);
    if (p && slot != NO_SLOT)
        *p = place_here(b, slot);
    return p != NULL;
}

uint16_t known_copies(const struct inbox *b, uint64_t pdu)
{
    uint16_t copies = 0;
    uint32_t i;

    for (i = 0; i < b->joiner.room; i++)
        if (b->joiner.parts[i].used && b->joiner.parts[i].pdu == pdu && b->joiner.parts[i].copy >= copies)
            copies = (uint16_t)(b->joiner.parts[i].copy + 1);
    for (i = 0; i < b->given_count; i++)
        if (b->given[i].digest == pdu && b->given[i].copy >= copies)
            copies = (uint16_t)(b->given[i].copy + 1);
    return copies;
}

uint32_t known_in(const struct inbox *b, uint8_t store)
{
    uint32_t i, count = 0;

    for (i = 0; i < b->joiner.room; i++)
        count += b->joiner.parts[i].used && b->joiner.parts[i].slot != NO_SLOT && b->joiner.parts[i].at.store == store;
    for (i = 0; i < b->given_count; i++)
        count += b->given[i].slot != NO_SLOT && b->given[i].at.store == store;
    return count;
}

bool known_may_go(const struct inbox *b, uint8_t store)
{
    uint32_t i;

    for (i = 0; i < b->joiner.room; i++)
        if (b->joiner.parts[i].used && !is_gone(&b->joiner.parts[i].at) &&
            (b->joiner.parts[i].at.old || b->joiner.parts[i].at.store == store))
            return true;
    for (i = 0; i < b->given_count; i++)
        if (!is_gone(&b->given[i].at) && (b->given[i].at.old || b->given[i].at.store == store))
            return true;
    return false;
}

/* ---- what was handed on ---- */

static void given_drop(struct inbox *b, uint32_t i)
{
    b->given_count--;
    memmove(b->given + i, b->given + i + 1, (b->given_count - i) * sizeof b->given[0]);
}

/* Where nothing is ever listed, what is of an earlier run may go as well. */
static bool is_spare(const struct inbox *b, const struct place *p)
{
    return is_gone(p) || (b->no_lists && p->old);
}

uint32_t given_room(struct inbox *b)
{
    uint32_t i, spare = 0, first = 0;

    for (i = b->given_count; i-- > 0;)
        if (is_spare(b, &b->given[i].at)) {
            spare++;
            first = i;
        }
    if (spare > GONE_MOST || (spare > 0 && b->given_count == GIVEN_MOST)) {
        given_drop(b, first);
        spare--;
    }
    return GIVEN_MOST - b->given_count + spare;
}

void given_add(struct inbox *b, const struct given *g)
{
    if (given_room(b) > 0 && b->given_count < GIVEN_MOST)
        b->given[b->given_count++] = *g;
}

const struct given *given_like(const struct inbox *b, uint64_t pdu)
{
    uint32_t i;

    for (i = 0; i < b->given_count; i++)
        if (b->given[i].digest == pdu)
            return &b->given[i];
    return NULL;
}

/* ---- lists ---- */

void known_lose(struct inbox *b)
{
    struct place *p;
    uint64_t digest;
    uint32_t i;

    for (i = 0; i < places_of(b); i++) {
        p = place_at(b, i, &digest);
        if (!p || is_gone(p))
            continue;
        p->old = true;
        p->looked = 0;
    }
}

void known_unsee(struct inbox *b)
{
    struct place *p;
    uint64_t digest;
    uint32_t i;

    for (i = 0; i < places_of(b); i++)
        if ((p = place_at(b, i, &digest)) != NULL)
            p->seen = false;
}

/* What is in no store any more is not to be deleted either; it stays known for a
 * while, so that the next that is equal is told from it. Which stores there are the
 * modem may not have said yet. */
void known_listed(struct inbox *b)
{
    struct place *p;
    uint64_t digest;
    uint32_t i;
    uint8_t all = 0;

    for (i = 0; i < b->store_count; i++)
        all = (uint8_t)(all | (b->stores[i].told ? 0 : 1u << i));
    for (i = 0; i < places_of(b); i++) {
        p = place_at(b, i, &digest);
        if (!p || p->seen || is_gone(p))
            continue;
        p->looked |= (uint8_t)(1u << b->current);
        if (p->old ? b->is_said && (p->looked & all) == all : p->store == b->current)
            *p = (struct place){ .slot = NO_SLOT, .store = NO_STORE };
    }
}
