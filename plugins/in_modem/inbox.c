/* SPDX-License-Identifier: Apache-2.0
 *
 * inbox.c - messages that come: listed, joined, handed on, deleted. See modem.h.
 *
 * A message stays in the modem until what was made of it is safe. What is listed
 * again meanwhile, or after a restart, is known by its digest, and the records that
 * are made of it have their ids from that: so each message is handed on once.
 *
 * Two commits are waited for: the first may be of an epoch that had ended before
 * the message was handed on. */
#include "modem.h"

#include <stdio.h>
#include <string.h>

#define LIST_EVERY_NS (120 * SECOND_NS)
#define LIST_AGAIN_NS (5 * SECOND_NS)
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
    struct joiner *j = &m->inbox.joiner;

    /* ModemManager joins parts by itself; they come here cut anew, one message at a time */
    j->room = m->config->backend == BACKEND_MODEMMANAGER ? PARTS_MOST : (uint32_t)m->config->parts_kept;
    j->parts = m->host->alloc(m->host, j->room * sizeof *j->parts);
    m->inbox.bad_slot = NO_SLOT;
    return j->parts ? AFF_OK : AFF_ERR_MEMORY;
}

void inbox_close(struct modem *m)
{
    if (m->inbox.joiner.parts)
        m->host->free(m->host, m->inbox.joiner.parts);
}

/* Slots are of the modem as it was: they are found anew by the next list. */
void inbox_lost(struct modem *m)
{
    uint32_t i;

    m->inbox.listing = false;
    m->inbox.list_due = true;
    for (i = 0; i < m->inbox.given_count; i++)
        m->inbox.given[i].old = 1;
    for (i = 0; i < m->inbox.joiner.room; i++)
        m->inbox.joiner.parts[i].slot = NO_SLOT;
}

/* ---- what was handed on ---- */

static struct given *given_find(struct inbox *b, uint64_t digest)
{
    uint32_t i;

    for (i = 0; i < b->given_count; i++)
        if (b->given[i].digest == digest)
            return &b->given[i];
    return NULL;
}

/* Of a full list the oldest that has no slot any more makes room, else the oldest. */
static void given_add(struct inbox *b, uint64_t digest, uint16_t slot)
{
    uint32_t i;

    if (b->given_count == GIVEN_MOST) {
        for (i = 0; i < GIVEN_MOST - 1 && b->given[i].slot != NO_SLOT; i++)
            continue;
        i = b->given[i].slot == NO_SLOT ? i : 0;
        b->given_count--;
        memmove(b->given + i, b->given + i + 1, (b->given_count - i) * sizeof b->given[0]);
    }
    b->given[b->given_count++] = (struct given){ .digest = digest, .slot = slot };
}

void inbox_committed(struct modem *m)
{
    struct inbox *b = &m->inbox;
    uint32_t i;

    if (!b->waits)
        return;
    if (--b->commits > 0) {
        m->host->cut(m->host);
        return;
    }
    b->waits = false;
    for (i = 0; i < b->given_count; i++)
        b->given[i].safe = 1;
}

/* ---- what came ---- */

static void part_take(struct modem *m, const struct sms *sms, uint64_t digest, uint16_t slot)
{
    struct inbox *b = &m->inbox;
    struct part part = { .sms = *sms, .digest = digest, .since_ns = m->now, .slot = slot };

    switch (joiner_add(&b->joiner, &part)) {
    case JOIN_TWICE:
        m->host->count(m->host, METRIC_TWICE, b->listing ? 0 : 1);
        break;
    case JOIN_FULL: /* it stays in the modem, and what waits longest is handed on first */
        b->list_due = true;
        break;
    default:
        break;
    }
}

void inbox_take(struct modem *m, const struct sms *sms, uint64_t digest, uint16_t slot)
{
    struct inbox *b = &m->inbox;
    struct given *known = given_find(b, digest);

    if (known) {
        known->slot = slot != NO_SLOT ? slot : known->slot;
        known->old = 0;
        return;
    }
    if (sms->kind == SMS_STATUS_REPORT) {
        outbox_report(m, sms);
        given_add(b, digest, slot);
        b->has_report = true;
    } else if (sms->kind == SMS_DELIVER) {
        part_take(m, sms, digest, slot);
    }
}

/* A message of the modem's list, or that came by itself (NO_SLOT). */
static void message_take(struct modem *m, const struct at_message *message, const char *body, uint16_t slot)
{
    inbox_take(m, &message->sms, digest_of(body, strlen(body)), slot);
}

/* One that cannot be read is kept as it is, to be set aside. One at a time: the
 * next comes with the next list. */
static void bad_take(struct modem *m, const char *body, uint16_t slot)
{
    struct inbox *b = &m->inbox;
    uint64_t digest = digest_of(body, strlen(body));
    struct given *known = given_find(b, digest);

    if (known) {
        known->slot = slot;
        known->old = 0;
        return;
    }
    if (b->bad[0])
        return;
    (void)snprintf(b->bad, sizeof b->bad, "%.*s", (int)sizeof b->bad - 1, body);
    b->bad_digest = digest;
    b->bad_slot = slot;
}

static void event_message(struct modem *m, const struct at_event *e, uint16_t slot)
{
    struct at_message message;
    enum at_fault fault = at_message_read(e->line, e->body, &message);

    if (slot == NO_SLOT && message.index >= 0)
        slot = (uint16_t)message.index;
    if (fault == AT_FINE && !message.in_text_mode && message.status <= STATUS_READ)
        message_take(m, &message, e->body, slot);
    else if (fault == AT_FAULT_MESSAGE && message.status <= STATUS_READ)
        bad_take(m, e->body, slot);
    else if (message.in_text_mode && !m->inbox.text_told) {
        m->inbox.text_told = true;
        (void)snprintf(event_add(m, EVENT_TEXT_MODE, NULL)->why, WHY_MOST,
                       "the modem gives messages in text mode only; they stay in it");
    }
}

static void list_line(struct modem *m, const struct at_event *e)
{
    event_message(m, e, NO_SLOT);
}

/* It may have come to another store than the one that is listed. */
static void arrival_take(struct modem *m, const char *line)
{
    struct at_arrival arrival;

    m->inbox.list_due = !m->inbox.no_list;
    if (at_arrival_read(line, &arrival) != AT_FINE || strspn(arrival.store, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != strlen(arrival.store))
        return;
    (void)snprintf(m->inbox.store, sizeof m->inbox.store, "%s", arrival.store);
    if (m->inbox.arrival_count < ARRIVALS_MOST)
        m->inbox.arrivals[m->inbox.arrival_count++] = arrival.index;
}

void inbox_code(struct modem *m, const struct at_event *e)
{
    if (strncmp(e->line, "+CMT:", 5) == 0 || strncmp(e->line, "+CDS:", 5) == 0)
        event_message(m, e, NO_SLOT);
    else
        arrival_take(m, e->line);
}

/* ---- commands ---- */

/* Without a list each place of the store is read, now and then. */
static void places_fill(struct modem *m)
{
    struct inbox *b = &m->inbox;
    uint32_t i, places = m->stores.count > 0 ? (uint32_t)m->stores.total[0] : ARRIVALS_MOST / 2;

    for (i = 0; i < b->given_count; i++)
        b->given[i].old = 0;
    b->list_due = false;
    b->next_list_ns = m->now + LIST_EVERY_NS;
    for (i = 1; i <= places && b->arrival_count < ARRIVALS_MOST; i++)
        b->arrivals[b->arrival_count++] = (uint16_t)i;
}

/* What is not in the modem any more is not to be deleted either, nor forgotten: it
 * may come once more from the network. */
static void list_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    struct inbox *b = &m->inbox;
    uint32_t i;

    b->listing = false;
    b->next_list_ns = m->now + (ended == ENDED_OK ? LIST_EVERY_NS : LIST_AGAIN_NS);
    b->no_list = ended == ENDED_ERROR && (e->result == AT_ERROR || e->code == 4 || e->code == 303);
    b->list_due |= ended != ENDED_OK;
    if (b->no_list)
        places_fill(m);
    if (ended != ENDED_OK)
        return;
    b->arrival_count = 0;
    for (i = 0; i < b->given_count; i++)
        if (b->given[i].old)
            b->given[i].slot = NO_SLOT;
}

static void store_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    uint32_t i;

    (void)e;
    if (ended != ENDED_OK)
        return;
    (void)snprintf(m->stores.name[0], sizeof m->stores.name[0], "%s", m->inbox.store);
    for (i = 0; i < m->inbox.given_count; i++) /* slots are of a store */
        m->inbox.given[i].old = 1;
    for (i = 0; i < m->inbox.joiner.room; i++)
        m->inbox.joiner.parts[i].slot = NO_SLOT;
}

static bool list_send(struct modem *m)
{
    struct inbox *b = &m->inbox;
    char text[32];

    if (b->store[0] && m->stores.count > 0 && m->stores.name[0][0] && strcmp(b->store, m->stores.name[0]) != 0 &&
        strcmp(m->stores.name[0], "MT") != 0) {
        (void)snprintf(text, sizeof text, "AT+CPMS=\"%s\"", b->store);
        (void)snprintf(m->stores.name[0], sizeof m->stores.name[0], "%s", b->store);
        engine_send(m, &(struct request){ .text = text, .prefix = "+CPMS:", .timeout_ns = 10 * SECOND_NS, .done = store_done });
        return true;
    }

    b->list_due = false;
    b->listing = true;
    engine_send(m, &(struct request){ .text = "AT+CMGL=4", .prefix = "+CMGL:", .flags = AT_BODY,
                                      .timeout_ns = 60 * SECOND_NS, .line = list_line, .done = list_done });
    return true;
}

/* One that was told of, where there is no list; its number stays until it was read. */
static void read_line(struct modem *m, const struct at_event *e)
{
    event_message(m, e, m->inbox.arrivals[0]);
}

static void read_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    struct inbox *b = &m->inbox;

    (void)e;
    if (ended == ENDED_LOST || ended == ENDED_TIMEOUT || b->arrival_count == 0)
        return;
    b->arrival_count--;
    memmove(b->arrivals, b->arrivals + 1, b->arrival_count * sizeof b->arrivals[0]);
}

static bool read_send(struct modem *m)
{
    char text[32];

    (void)snprintf(text, sizeof text, "AT+CMGR=%u", (unsigned)m->inbox.arrivals[0]);
    engine_send(m, &(struct request){ .text = text, .prefix = "+CMGR:", .flags = AT_BODY, .timeout_ns = 10 * SECOND_NS,
                                      .line = read_line, .done = read_done });
    return true;
}

static struct given *deletable(struct inbox *b)
{
    uint32_t i;

    for (i = 0; i < b->given_count; i++)
        if (b->given[i].safe && !b->given[i].old && b->given[i].slot != NO_SLOT)
            return &b->given[i];
    return NULL;
}

/* "invalid index": it is gone already. */
static void delete_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    struct given *g = deletable(&m->inbox);

    if (!g || ended == ENDED_LOST || ended == ENDED_TIMEOUT)
        return;
    if (ended == ENDED_ERROR && e->code != 321 && e->code != 21) {
        m->wait_ns = m->now + SECOND_NS;
        g->old = 1; /* the next list tells */
        m->inbox.list_due = true;
        return;
    }
    g->slot = NO_SLOT;
}

static bool delete_send(struct modem *m, const struct given *g)
{
    char text[32];

    (void)snprintf(text, sizeof text, "AT+CMGD=%u", (unsigned)g->slot);
    engine_send(m, &(struct request){ .text = text, .timeout_ns = 10 * SECOND_NS, .done = delete_done });
    return true;
}

/* The SIM may be slow: a list that is due is not asked for more than once a second,
 * and not while what it would show again is on its way. */
bool inbox_next(struct modem *m)
{
    struct inbox *b = &m->inbox;
    const struct given *g = deletable(b);

    if (g)
        return delete_send(m, g);
    if (b->no_list && b->arrival_count > 0)
        return read_send(m);
    if (b->list_due && (m->now + LIST_EVERY_NS - SECOND_NS > b->next_list_ns || !b->next_list_ns || b->is_full))
        return list_send(m);
    return m->now >= b->next_list_ns && list_send(m);
}

int64_t inbox_due(struct modem *m)
{
    struct inbox *b = &m->inbox;
    struct joined oldest;
    int64_t due = b->next_list_ns;

    if (b->list_due)
        due = earlier(due, b->next_list_ns - LIST_EVERY_NS + SECOND_NS);
    if (b->joiner.count > 0 && joiner_oldest(&b->joiner, &oldest))
        due = earlier(due, joined_newest(&oldest) + m->config->parts_within);
    return due;
}

/* ---- handing on ---- */

static uint64_t joined_digest(const struct joined *joined)
{
    uint64_t digest = 0;
    uint16_t i;

    for (i = 0; i < joined->count; i++)
        digest = digest * UINT64_C(0x100000001b3) + (joined->parts[i] ? joined->parts[i]->digest : 7);
    return digest;
}

static aff_status joined_emit(struct modem *m, const struct joined *joined)
{
    aff_status st = message_emit(m, joined_digest(joined), joined);
    uint16_t i;

    if (st != AFF_OK)
        return st;
    for (i = 0; i < joined->count; i++)
        if (joined->parts[i])
            given_add(&m->inbox, joined->parts[i]->digest, joined->parts[i]->slot);
    m->host->count(m->host, METRIC_RECEIVED, 1);
    m->host->count(m->host, METRIC_INCOMPLETE, joined->present < joined->count);
    joiner_drop(&m->inbox.joiner, joined);
    return AFF_OK;
}

static bool oldest_is_due(struct modem *m, struct joined *ret)
{
    struct joiner *j = &m->inbox.joiner;

    return j->count > 0 && joiner_oldest(j, ret) &&
           (j->count == j->room || m->now - joined_newest(ret) >= m->config->parts_within);
}

static aff_status bad_emit(struct modem *m)
{
    struct inbox *b = &m->inbox;
    aff_status st = m->host->dead(m->host, AFF_NO_INPUT, VERDICT_BAD_MESSAGE, 0, b->bad, (uint32_t)strlen(b->bad));

    if (st != AFF_OK)
        return st;
    given_add(b, b->bad_digest, b->bad_slot);
    m->host->count(m->host, METRIC_BAD, 1);
    b->bad[0] = '\0';
    b->list_due = true; /* there may be more of them */
    return AFF_OK;
}

aff_status inbox_emit(struct modem *m, uint32_t *want)
{
    struct inbox *b = &m->inbox;
    struct joined joined;
    aff_status st = AFF_OK;
    bool any = b->has_report && m->outbox.told_count == 0;

    if (b->waits)
        return AFF_OK;
    while (*want > 0 && st == AFF_OK && b->joiner.count > 0 &&
           (joiner_whole(&b->joiner, &joined) || oldest_is_due(m, &joined))) {
        st = joined_emit(m, &joined);
        any |= st == AFF_OK;
        *want -= st == AFF_OK;
    }
    if (st == AFF_OK && *want > 0 && b->bad[0]) {
        st = bad_emit(m);
        any |= st == AFF_OK;
    }
    if (any) {
        b->has_report = b->has_report && m->outbox.told_count > 0;
        b->waits = true;
        b->commits = 2;
        m->host->cut(m->host);
    }
    return st;
}
