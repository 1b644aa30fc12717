/* SPDX-License-Identifier: Apache-2.0
 *
 * parts.c - see parts.h. */
#include "parts.h"

#include <string.h>

#include "utf16.h"

/* ---- cutting ---- */

/* What the unit at `i` takes, and how many units go together there. */
static size_t cost_at(const uint16_t *units, size_t count, size_t i, enum sms_coding coding, size_t *ret_together)
{
    uint8_t unused[2];

    *ret_together = coding == SMS_UCS2 && utf16_cuts_pair(units, count, i + 1) ? 2 : 1;
    return coding == SMS_UCS2 ? *ret_together : gsm7_encode_unit(units[i], (struct gsm7_shift){ 0, 0 }, unused);
}

/* Where the part that begins at `from` ends. */
static size_t part_end(const uint16_t *units, size_t count, size_t from, const struct sms_cuts *cuts, size_t room)
{
    size_t used = 0, together, cost;

    while (from < count) {
        cost = cost_at(units, count, from, cuts->coding, &together);
        if (used + cost > room)
            break;
        used += cost;
        from += together;
    }
    return from;
}

void sms_cut(const uint16_t *units, size_t count, uint16_t most, struct sms_cuts *ret)
{
    size_t septets, at, room;
    bool fits = gsm7_fits(units, count, (struct gsm7_shift){ 0, 0 }, &septets);

    ret->coding = fits ? SMS_GSM7 : SMS_UCS2;
    ret->count = 0;
    room = fits ? SINGLE_SEPTETS : SINGLE_UNITS;
    at = part_end(units, count, 0, ret, room);
    if (at < count && most > 1) {
        room = fits ? PART_SEPTETS : PART_UNITS;
        at = part_end(units, count, 0, ret, room);
    }
    ret->ends[ret->count++] = (uint16_t)at;
    while (at < count && ret->count < most) {
        at = part_end(units, count, at, ret, room);
        ret->ends[ret->count++] = (uint16_t)at;
    }
}

/* ---- joining ---- */

static uint16_t parts_of(const struct part *p)
{
    return p->sms.parts > 1 ? p->sms.parts : 1;
}

/* Parts of one message: by reference, number of parts and sender. */
static bool belong_together(const struct part *a, const struct part *b)
{
    return parts_of(a) > 1 && a->sms.parts == b->sms.parts && a->sms.join == b->sms.join &&
           a->sms.join_is_wide == b->sms.join_is_wide && a->closed == b->closed && strcmp(a->sms.peer.text, b->sms.peer.text) == 0;
}

static struct part *same_part(struct joiner *j, const struct part *part)
{
    uint32_t i;

    for (i = 0; i < j->room; i++)
        if (j->parts[i].used && j->parts[i].digest == part->digest)
            return &j->parts[i];
    return NULL;
}

enum join_result joiner_add(struct joiner *j, const struct part *part)
{
    struct part *same = same_part(j, part);
    uint32_t i;

    if (same) {
        same->slot = part->slot != NO_SLOT ? part->slot : same->slot;
        return JOIN_TWICE;
    }
    for (i = 0; i < j->room && j->parts[i].used; i++)
        continue;
    if (i == j->room)
        return JOIN_FULL;
    j->parts[i] = *part;
    j->parts[i].used = true;
    j->parts[i].order = j->order++;
    j->count++;
    return JOIN_TAKEN;
}

/* The message of this part. Of two that claim the same place (a reference that was
 * used anew) the first stays, and the other waits for the next turn. */
static void gather(struct joiner *j, struct part *of, struct joined *ret)
{
    uint32_t i;

    memset(ret, 0, sizeof *ret);
    ret->count = parts_of(of);
    if (ret->count == 1) {
        ret->parts[0] = of;
        ret->present = 1;
        return;
    }
    for (i = 0; i < j->room; i++) {
        struct part *p = &j->parts[i], **at;

        if (!p->used || !belong_together(p, of))
            continue;
        at = &ret->parts[p->sms.part - 1];
        ret->present = (uint16_t)(ret->present + !*at);
        if (!*at || p->order < (*at)->order)
            *at = p;
    }
}

bool joiner_whole(struct joiner *j, struct joined *ret)
{
    struct part *best = NULL;
    uint32_t i;

    for (i = 0; i < j->room; i++) {
        struct part *p = &j->parts[i];

        if (!p->used || (best && best->order < p->order))
            continue;
        gather(j, p, ret);
        if (ret->present == ret->count)
            best = p;
    }
    if (best)
        gather(j, best, ret);
    return best != NULL;
}

int64_t joined_newest(const struct joined *joined)
{
    int64_t newest = INT64_MIN;
    uint16_t i;

    for (i = 0; i < joined->count; i++)
        if (joined->parts[i] && joined->parts[i]->since_ns > newest)
            newest = joined->parts[i]->since_ns;
    return newest;
}

bool joiner_oldest(struct joiner *j, struct joined *ret)
{
    struct part *best = NULL;
    int64_t best_ns = 0;
    uint32_t i;

    for (i = 0; i < j->room; i++) {
        if (!j->parts[i].used)
            continue;
        gather(j, &j->parts[i], ret);
        if (!best || joined_newest(ret) < best_ns) {
            best = &j->parts[i];
            best_ns = joined_newest(ret);
        }
    }
    if (best)
        gather(j, best, ret);
    return best != NULL;
}

const struct part *joined_first(const struct joined *joined)
{
    const struct part *first = NULL;
    uint16_t i;

    for (i = 0; i < joined->count; i++)
        if (joined->parts[i] && (!first || joined->parts[i]->order < first->order))
            first = joined->parts[i];
    return first;
}

/* A pair of surrogates may be cut between two parts: all units of neighbours are
 * turned together, through a window that a half is carried over in. */
size_t joined_text(const struct joined *joined, char *to, size_t room)
{
    uint16_t window[SMS_UNITS_MOST + 1];
    static const uint16_t ellipsis[] = { 0x2026 };
    size_t used = 0, carried = 0, n;
    uint16_t i;

    for (i = 0; i < joined->count; i++) {
        const struct part *p = joined->parts[i];

        if (!p) {
            used += utf16_to_utf8(window, carried, to + used, room - used);
            carried = 0;
            if (i == 0 || joined->parts[i - 1])
                used += utf16_to_utf8(ellipsis, 1, to + used, room - used);
            continue;
        }
        n = carried + p->sms.unit_count;
        memcpy(window + carried, p->sms.units, p->sms.unit_count * sizeof window[0]);
        carried = n > 0 && window[n - 1] >= 0xd800 && window[n - 1] <= 0xdbff;
        used += utf16_to_utf8(window, n - carried, to + used, room - used);
        if (carried)
            window[0] = window[n - 1];
    }
    return used + utf16_to_utf8(window, carried, to + used, room - used);
}

void joiner_drop(struct joiner *j, const struct joined *joined)
{
    uint16_t i;

    for (i = 0; i < joined->count; i++)
        if (joined->parts[i]) {
            joined->parts[i]->used = false;
            j->count--;
        }
}
