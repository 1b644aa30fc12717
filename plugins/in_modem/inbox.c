/* SPDX-License-Identifier: Apache-2.0
 *
 * inbox.c - messages that come: told apart, joined, handed on. See modem.h.
 *
 * A message stays in the modem until what was made of it is safe. What is listed
 * again meanwhile, or after a restart, is known (known.c), and the records that are
 * made of it have their ids from its bytes: so each message is handed on once. What
 * is not in its bytes (when it came, where it has no time; that it waited long enough
 * for its other parts) is handed on only when a restart does not forget it.
 *
 * Not here: commands to the modem (store.c). */
#include "modem.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { STATUS_READ = 1 }; /* 0 unread, 1 read; above: of our own */

/* FNV-1a, 64 bits. */
static uint64_t digest_of(const char *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    size_t i;

    for (i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return hash ? hash : 1;
}

aff_status inbox_open(struct modem *m)
{
    struct inbox *b = &m->inbox;

    /* ModemManager joins parts by itself; they come here cut anew, one message at a time */
    b->no_lists = m->config->backend == BACKEND_MODEMMANAGER;
    b->joiner.room = b->no_lists ? PARTS_MOST : (uint32_t)m->config->parts_kept;
    b->joiner.parts = m->host->alloc(m->host, b->joiner.room * sizeof *b->joiner.parts);
    b->current = b->no_lists ? 0 : NO_STORE;
    return b->joiner.parts ? AFF_OK : AFF_ERR_MEMORY;
}

void inbox_close(struct modem *m)
{
    if (m->inbox.joiner.parts)
        m->host->free(m->host, m->inbox.joiner.parts);
}

void inbox_committed(struct modem *m, uint64_t epoch)
{
    struct inbox *b = &m->inbox;
    uint32_t i;

    b->is_restored = false;
    for (i = 0; i < b->given_count; i++)
        b->given[i].safe |= b->given[i].epoch <= epoch;
    for (i = 0; i < b->joiner.room; i++)
        b->joiner.parts[i].kept |= b->joiner.parts[i].epoch <= epoch;
}

/* ---- what came ---- */

/* Of equal ones only the first has the digest of the PDU alone. */
static uint64_t copy_digest(uint64_t pdu, uint16_t copy)
{
    return copy ? (pdu ^ copy) * UINT64_C(0x9e3779b97f4a7c15) | 1 : pdu;
}

/* False: there is no room, and it stays in the modem. */
static bool part_take(struct modem *m, const struct sms *sms, uint64_t pdu, uint16_t copy, uint16_t slot)
{
    struct inbox *b = &m->inbox;
    struct part part = { .sms = *sms, .digest = copy_digest(pdu, copy), .pdu = pdu, .since_ns = m->now, .copy = copy,
                         .at = place_here(b, slot), .epoch = m->host->epoch(m->host) };

    part.seen_ns = m->host->utc_ns(m->host, &part.clock);
    if (!sms->time.is_set)
        m->host->cut(m->host);
    return joiner_add(&b->joiner, &part) != JOIN_FULL;
}

/* A part or a report has a number of its own in its PDU: the same again was sent twice
 * by the network. What repeats one that was handed on is deleted with it. */
static bool repeat_take(struct modem *m, uint64_t pdu, uint16_t slot)
{
    struct given again;
    const struct given *first = given_like(&m->inbox, pdu);

    if (!first)
        return false;
    again = *first;
    again.at = place_here(&m->inbox, slot);
    given_add(&m->inbox, &again);
    return true;
}

void inbox_take(struct modem *m, const struct sms *sms, uint64_t digest, uint16_t slot)
{
    struct inbox *b = &m->inbox;
    bool is_report = sms->kind == SMS_STATUS_REPORT;
    uint16_t copies;

    if ((!is_report && sms->kind != SMS_DELIVER) || known_claim(b, digest, slot))
        return;
    copies = known_copies(b, digest);
    m->host->count(m->host, METRIC_TWICE, copies > 0);
    if (copies > 0 && (is_report || sms->parts > 1)) {
        b->is_left |= !repeat_take(m, digest, slot);
        return;
    }
    if (!is_report) {
        b->is_left |= !part_take(m, sms, digest, copies, slot);
        return;
    }
    if (slot != NO_SLOT && given_room(b) == 0) {
        b->is_left = true;
        return;
    }
    outbox_report(m, sms);
    given_add(b, &(struct given){ .digest = digest, .at = place_here(b, slot), .epoch = GIVEN_LATER });
    b->has_report = true;
}

/* One that cannot be read is kept as it is, to be set aside. One at a time: the
 * next comes with the next list. */
static void bad_take(struct modem *m, const char *body, uint64_t digest, uint16_t slot)
{
    struct inbox *b = &m->inbox;

    (void)snprintf(b->bad, sizeof b->bad, "%.*s", (int)sizeof b->bad - 1, body);
    b->bad_digest = digest;
    b->bad_at = place_here(b, slot);
}

/* Whether the body is as long as its line says (TS 27.005, 3.4: octets without the
 * service centre's): a line may lose bytes. */
static bool has_its_length(const char *line, const char *body)
{
    const char *last = strrchr(line, ',');
    size_t digits = strspn(body, "0123456789ABCDEFabcdef");
    unsigned octets = 0, centre = 0;

    if (!last || sscanf(last + 1, "%3u", &octets) != 1 || sscanf(body, "%2x", &centre) != 1)
        return true; /* it does not say */
    return digits == 2 * ((size_t)octets + centre + 1);
}

/* Noise is not the same twice: what looks like it is believed when another list has it
 * as well. */
static bool is_believed(struct inbox *b, uint64_t digest)
{
    struct doubt *room = NULL;
    uint32_t i;

    for (i = 0; i < DOUBTS_MOST; i++) {
        struct doubt *d = &b->doubts[i];

        if (d->list && d->digest == digest) {
            if (d->list == b->lists)
                return false;
            d->list = 0;
            return true;
        }
        if (!room && (!d->list || d->list + 1 < b->lists))
            room = d;
    }
    if (room)
        *room = (struct doubt){ digest, b->lists };
    return false;
}

static void text_mode_say(struct modem *m)
{
    if (setup_may_change(m)) {
        m->inbox.is_odd = true;
        return;
    }
    if (!m->inbox.text_told)
        (void)snprintf(event_add(m, EVENT_TEXT_MODE, NULL)->why, WHY_MOST,
                       "the modem gives messages in text mode only, AT+CMGF=0 does not change it; they are not read and stay in "
                       "the modem; use one that knows PDU mode");
    m->inbox.text_told = true;
}

void inbox_line(struct modem *m, const struct at_event *e, uint16_t slot)
{
    struct inbox *b = &m->inbox;
    struct at_message message;
    enum at_fault fault = at_message_read(e->line, e->body, &message);
    uint64_t digest;

    if (slot == NO_SLOT && message.index >= 0)
        slot = (uint16_t)message.index;
    if (message.in_text_mode) {
        text_mode_say(m);
        return;
    }
    if (fault != AT_FINE && fault != AT_FAULT_MESSAGE) {
        b->is_odd = true;
        return;
    }
    if (message.status > STATUS_READ)
        return;
    digest = digest_of(e->body, strlen(e->body));
    if (known_claim(b, digest, slot))
        return;
    if (fault != AT_FINE && b->bad[0]) {
        b->is_left = true;
        return;
    }
    if (slot != NO_SLOT && (fault != AT_FINE || !has_its_length(e->line, e->body)) && !is_believed(b, digest)) {
        b->is_odd = true;
        return;
    }
    if (fault == AT_FINE)
        inbox_take(m, &message.sms, digest, slot);
    else
        bad_take(m, e->body, digest, slot);
}

void inbox_code(struct modem *m, const struct at_event *e)
{
    if (strncmp(e->line, "+CMT:", 5) == 0 || strncmp(e->line, "+CDS:", 5) == 0)
        inbox_line(m, e, NO_SLOT);
    else
        store_arrival(m, e->line);
}

/* ---- handing on ---- */

/* What has no time of its own has that of its coming, and is known by it, too: a
 * centre that writes no times makes equal messages on different days. */
static uint64_t joined_digest(const struct joined *joined)
{
    const struct part *first = joined_first(joined);
    uint64_t digest = 0;
    uint16_t i;

    for (i = 0; i < joined->count; i++)
        digest = digest * UINT64_C(0x100000001b3) + (joined->parts[i] ? joined->parts[i]->digest : 7);
    return first->sms.time.is_set ? digest : (digest ^ (uint64_t)first->seen_ns) * UINT64_C(0x100000001b3) | 1;
}

static aff_status joined_emit(struct modem *m, const struct joined *joined)
{
    aff_status st = message_emit(m, joined_digest(joined), joined);
    uint16_t i;

    if (st != AFF_OK)
        return st;
    for (i = 0; i < joined->count; i++)
        if (joined->parts[i])
            given_add(&m->inbox, &(struct given){ .digest = joined->parts[i]->pdu, .at = joined->parts[i]->at,
                                                  .copy = joined->parts[i]->copy, .epoch = m->host->epoch(m->host) });
    m->host->count(m->host, METRIC_RECEIVED, 1);
    m->host->count(m->host, METRIC_INCOMPLETE, joined->present < joined->count);
    joiner_drop(&m->inbox.joiner, joined);
    return AFF_OK;
}

static bool is_closed(const struct joined *joined)
{
    return joined_first(joined)->closed;
}

static void joined_close(struct modem *m, const struct joined *joined)
{
    uint16_t i;

    for (i = 0; i < joined->count; i++)
        if (joined->parts[i]) {
            joined->parts[i]->closed = true;
            joined->parts[i]->kept = false;
            joined->parts[i]->epoch = m->host->epoch(m->host);
        }
    m->host->cut(m->host);
}

/* The next message that may be handed on: whole ones in their order, then what gives
 * up waiting. */
static bool joined_next(struct modem *m, struct joined *ret)
{
    struct joiner *j = &m->inbox.joiner;

    if (joiner_whole(j, ret) && (joined_first(ret)->sms.time.is_set || joined_first(ret)->kept))
        return true;
    if (j->count == 0 || !joiner_oldest(j, ret))
        return false;
    if (!is_closed(ret) && (j->count == j->room || m->now - joined_newest(ret) >= m->config->parts_within))
        joined_close(m, ret);
    return is_closed(ret) && joined_first(ret)->kept;
}

int64_t inbox_gives_up(struct modem *m)
{
    struct joined joined;

    if (m->inbox.joiner.count == 0 || !joiner_oldest(&m->inbox.joiner, &joined) || joined.present == joined.count ||
        is_closed(&joined))
        return INT64_MAX;
    return joined_newest(&joined) + m->config->parts_within;
}

static aff_status bad_emit(struct modem *m)
{
    struct inbox *b = &m->inbox;
    aff_status st = m->host->dead(m->host, AFF_NO_INPUT, VERDICT_BAD_MESSAGE, 0, b->bad, (uint32_t)strlen(b->bad));

    if (st != AFF_OK)
        return st;
    given_add(b, &(struct given){ .digest = b->bad_digest, .at = b->bad_at, .copy = known_copies(b, b->bad_digest),
                                  .epoch = m->host->epoch(m->host) });
    m->host->count(m->host, METRIC_BAD, 1);
    b->bad[0] = '\0';
    return AFF_OK;
}

/* The results of reports were handed on. */
static void reports_given(struct modem *m)
{
    struct inbox *b = &m->inbox;
    uint32_t i;

    for (i = 0; i < b->given_count; i++)
        if (b->given[i].epoch == GIVEN_LATER)
            b->given[i].epoch = m->host->epoch(m->host);
    b->has_report = false;
}

aff_status inbox_emit(struct modem *m, uint32_t *want)
{
    struct inbox *b = &m->inbox;
    struct joined joined;
    aff_status st = AFF_OK;
    bool any = b->has_report && m->outbox.told_count == 0;

    if (any)
        reports_given(m);
    while (*want > 0 && st == AFF_OK && joined_next(m, &joined) && given_room(b) >= joined.present) {
        st = joined_emit(m, &joined);
        any |= st == AFF_OK;
        *want -= st == AFF_OK;
    }
    if (st == AFF_OK && *want > 0 && b->bad[0] && given_room(b) > 0) {
        st = bad_emit(m);
        any |= st == AFF_OK;
    }
    if (any) {
        store_left(m);
        m->host->cut(m->host);
    }
    return st;
}
