/* SPDX-License-Identifier: Apache-2.0
 *
 * kept.c - what outlives a restart: parts of long texts, what was handed on, and
 * messages whose reports are to come. See modem.h.
 *
 * Commands are kept by the host. Slots in the modem are not kept: they are found
 * anew by a list. */
#include "modem.h"

#include <string.h>

struct head {
    char version[8];
    uint32_t part_size, parts, given_size, given, sent;
    uint32_t pin_refused; /* its digest */
};

static const char version[8] = "modem 3";

static uint32_t sent_count(const struct modem *m)
{
    uint32_t i, count = 0;

    for (i = 0; i < REPORTS_MOST; i++)
        count += m->outbox.sent[i].used != 0;
    return count;
}

/* A report whose result is not told yet comes again. */
static bool is_given(const struct given *g)
{
    return g->epoch != GIVEN_LATER;
}

static uint32_t given_count(const struct modem *m)
{
    uint32_t i, count = 0;

    for (i = 0; i < m->inbox.given_count; i++)
        count += is_given(&m->inbox.given[i]);
    return count;
}

static uint8_t *put(uint8_t *to, const void *bytes, size_t size)
{
    memcpy(to, bytes, size);
    return to + size;
}

aff_status modem_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct modem *m = self;
    struct head head = { .part_size = sizeof(struct part), .given_size = sizeof(struct given), .parts = m->inbox.joiner.count, .given = given_count(m),
                         .sent = sent_count(m), .pin_refused = m->pin_refused };
    uint8_t *to = buffer;
    uint32_t i;

    memcpy(head.version, version, sizeof version);
    *ret_size = sizeof head + head.parts * sizeof(struct part) + head.given * sizeof(struct given) +
                head.sent * sizeof(struct sent);
    if (*ret_size > room)
        return AFF_OK;
    to = put(to, &head, sizeof head);
    for (i = 0; i < m->inbox.joiner.room; i++)
        if (m->inbox.joiner.parts[i].used)
            to = put(to, &m->inbox.joiner.parts[i], sizeof(struct part));
    for (i = 0; i < m->inbox.given_count; i++)
        if (is_given(&m->inbox.given[i]))
            to = put(to, &m->inbox.given[i], sizeof(struct given));
    for (i = 0; i < REPORTS_MOST; i++)
        if (m->outbox.sent[i].used)
            to = put(to, &m->outbox.sent[i], sizeof(struct sent));
    return AFF_OK;
}

static bool part_is_whole(const struct part *p)
{
    return p->sms.unit_count <= SMS_UNITS_MOST && p->sms.data_size <= SMS_DATA_MOST && p->sms.part <= p->sms.parts &&
           (p->sms.parts < 2 || p->sms.part > 0) && p->sms.coding <= SMS_UCS2 &&
           memchr(p->sms.peer.text, '\0', sizeof p->sms.peer.text) && memchr(p->sms.smsc.text, '\0', sizeof p->sms.smsc.text);
}

static bool sent_is_whole(const struct sent *s)
{
    return s->used <= SENT_ENDED && s->parts >= 1 && s->parts <= PARTS_SENT_MOST && s->kind <= ORDER_ALERT && memchr(s->number, '\0', sizeof s->number);
}

static struct place place_unknown(void)
{
    return (struct place){ .slot = NO_SLOT, .store = NO_STORE, .old = true };
}

/* A process that died may have written this within an epoch that never ended: all of
 * it is safe when the one that is open now is. A part waits from now on: the boot
 * clock is another one. */
static void parts_get(struct modem *m, const uint8_t *at, uint32_t count)
{
    struct part part;
    uint32_t i;

    for (i = 0; i < count; i++) {
        memcpy(&part, at + i * sizeof part, sizeof part);
        part.at = place_unknown();
        part.epoch = m->host->epoch(m->host);
        part.kept = false;
        part.since_ns = m->host->now_ns(m->host);
        if (part_is_whole(&part))
            (void)joiner_add(&m->inbox.joiner, &part);
    }
}

static void given_get(struct modem *m, const uint8_t *at, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        struct given *g = &m->inbox.given[i];

        memcpy(g, at + i * sizeof *g, sizeof *g);
        if (g->slot != NO_SLOT || g->at.old)
            g->at = place_unknown();
        g->epoch = m->host->epoch(m->host);
        g->safe = 0;
    }
    m->inbox.given_count = count;
}

static void sent_get(struct modem *m, const uint8_t *at, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        struct sent *s = &m->outbox.sent[i];

        memcpy(s, at + i * sizeof *s, sizeof *s);
        s->used = sent_is_whole(s) ? s->used : 0;
        if (s->used == SENT_ENDED)
            outbox_delivery(m, s);
    }
}

aff_status modem_restore(void *self, const void *buffer, size_t size)
{
    struct modem *m = self;
    const uint8_t *at = buffer;
    struct head head;

    memset(&head, 0, sizeof head);
    if (size >= sizeof head)
        memcpy(&head, buffer, sizeof head);
    if (memcmp(head.version, version, sizeof version) != 0 || head.part_size != sizeof(struct part) ||
        head.given_size != sizeof(struct given) || head.parts > PARTS_MOST ||
        head.given > GIVEN_MOST || head.sent > REPORTS_MOST ||
        size != sizeof head + head.parts * sizeof(struct part) + head.given * sizeof(struct given) + head.sent * sizeof(struct sent))
        return m->host->explain(m->host, AFF_ERR_DATA, "the snapshot was not written by this version of in_modem");
    at += sizeof head;
    m->pin_refused = head.pin_refused;
    parts_get(m, at, head.parts);
    at += head.parts * sizeof(struct part);
    given_get(m, at, head.given);
    m->inbox.is_restored = head.parts + head.given > 0;
    at += head.given * sizeof(struct given);
    sent_get(m, at, head.sent);
    orders_restore(m);
    return AFF_OK;
}
