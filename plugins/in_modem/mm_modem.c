/* SPDX-License-Identifier: Apache-2.0
 *
 * mm_modem.c - an instance whose modem ModemManager drives: events of mm.h become
 * messages, events and results of this plugin, its orders become requests. See
 * mm_modem.h, modem.h.
 *
 * Both backends fill the same state, so that all records are made in one place. A
 * text that came whole is cut into parts of the inbox, which joins them again: so
 * messages are handed on, kept and forgotten in the same way.
 *
 * Not here: PPP for a dial-up modem, which NetworkManager runs beside ModemManager. */
#include "mm_modem.h"

#include <stdio.h>
#include <string.h>

#include "mm.h"

enum { CONNECT_AGAIN_S = 30, PARTS_WAIT_S = 60 };

struct managed {
    struct mm *mm;
    struct mm_config config;
    struct mm_state state;
    bool has_state, watched, connecting;
    const struct mm_event *held;   /* waits until the inbox is empty */
    uint64_t keys[GIVEN_MOST];     /* of messages, by the slot that the inbox has; 0: free */
    uint16_t units[PARTS_MOST * SMS_UNITS_MOST];
    char text[MM_TEXT_MOST];
};

/* ---- state ---- */

static void copy(char *to, size_t room, const char *from)
{
    (void)snprintf(to, room, "%.*s", (int)room - 1, from); /* what is too long is cut */
}

static void presence_tell(struct modem *m, const struct mm_state *was, const struct mm_state *is)
{
    if (is->presence != MM_THERE && strcmp(was->trouble, is->trouble) != 0)
        m->host->log(m->host, AFF_LOG_WARN, "%s; waiting for it%s", is->trouble,
                     is->presence == MM_NO_DAEMON ? " (run = { isolation = \"thread\" } where the bus is there)" : "");
    if (is->presence == MM_THERE && was->presence != MM_THERE && m->line_was_lost)
        (void)event_add(m, EVENT_LINE_BACK, NULL);
    if (is->presence != MM_THERE && was->presence == MM_THERE) {
        copy(event_add(m, EVENT_LINE_LOST, NULL)->why, WHY_MOST, is->trouble);
        m->host->count(m->host, METRIC_LOST, 1);
        m->line_was_lost = true;
    }
    if (is->usable && !was->usable) {
        (void)event_add(m, EVENT_READY, NULL);
        m->next_poll_ns = m->now;
    }
}

/* The words of the other backend. */
static const char *sim_name(const struct mm_state *is)
{
    if (!is->has_sim)
        return !*is->trouble ? "" : strcmp(is->trouble, "there is no SIM") == 0 ? "absent" : "failed";
    switch (is->sim) {
    case AT_SIM_PIN:
        return is->pin_refused ? "pin_refused" : "pin_needed";
    case AT_SIM_PUK:
        return "puk_needed";
    case AT_SIM_OTHER:
        return "locked";
    default:
        return "ready";
    }
}

static void sim_tell(struct modem *m, const struct mm_state *is)
{
    const char *name = is->presence == MM_THERE ? sim_name(is) : "";
    struct event *e;

    if (strcmp(m->sim_state, name) == 0)
        return;
    copy(m->sim_state, sizeof m->sim_state, name);
    if (!*name)
        return;
    e = event_add(m, EVENT_SIM, name);
    e->number = is->pin_tries >= 0 ? is->pin_tries : INT64_MIN;
}

static void registration_tell(struct modem *m, const struct mm_state *is)
{
    enum at_domain domain = at_technology_generation(is->technology) == 5 ? AT_5GS
                            : at_technology_generation(is->technology) == 4 ? AT_EPS : AT_CS;
    bool changed = !m->has_registration[domain] || m->registration[domain].status != is->registration;
    struct event *e;
    int i;

    for (i = 0; i < AT_DOMAINS; i++)
        m->has_registration[i] = false;
    if (is->registration < 0)
        return;
    m->registration[domain] = (struct at_registration){ .domain = domain, .status = is->registration, .technology = is->technology };
    m->has_registration[domain] = true;
    if (!changed)
        return;
    e = event_add(m, EVENT_REGISTRATION, at_status_name(is->registration));
    copy(e->technology, sizeof e->technology, at_technology_name(is->technology));
}

static void identity_tell(struct modem *m, const struct mm_state *is)
{
    bool is_new = *is->imei && strcmp(m->imei, is->imei) != 0;

    copy(m->maker, sizeof m->maker, is->maker);
    copy(m->model, sizeof m->model, is->model);
    copy(m->firmware, sizeof m->firmware, is->firmware);
    copy(m->imei, sizeof m->imei, is->imei);
    copy(m->imsi, sizeof m->imsi, is->imsi);
    copy(m->iccid, sizeof m->iccid, is->iccid);
    if (is_new)
        (void)snprintf(event_add(m, EVENT_IDENTITY, NULL)->why, WHY_MOST, "%s %s %s", is->maker, is->model, is->firmware);
}

static void link_tell(struct modem *m, const struct mm_state *is)
{
    bool up = is->connected && !is->is_ppp;

    if (up && m->net.state != NET_UP)
        (void)event_add(m, EVENT_LINK_UP, NULL);
    if (!up && m->net.state == NET_UP)
        copy(event_add(m, EVENT_LINK_DOWN, NULL)->why, WHY_MOST, is->presence == MM_THERE ? "the session ended" : "the modem is gone");
    m->net.state = up ? NET_UP : NET_DOWN;
}

static void state_take(struct modem *m)
{
    struct managed *g = m->managed;
    struct mm_state was = g->state;

    mm_state_get(g->mm, &g->state);
    identity_tell(m, &g->state);
    presence_tell(m, &was, &g->state);
    sim_tell(m, &g->state);
    registration_tell(m, &g->state);
    m->signal = g->state.signal;
    m->operator.technology = g->state.technology;
    copy(m->operator.name, sizeof m->operator.name,
         *g->state.operator_name ? g->state.operator_name : g->state.operator_code);
    link_tell(m, &g->state);
}

void managed_bytes(const struct modem *m, uint64_t *ret_sent, uint64_t *ret_received)
{
    const struct mm_state *s = &m->managed->state;

    *ret_sent = s->counts ? s->sent_bytes : UINT64_MAX;
    *ret_received = s->counts ? s->received_bytes : UINT64_MAX;
}

/* ---- messages ---- */

static uint16_t slot_of(struct managed *g, uint64_t key)
{
    uint16_t i;

    for (i = 0; i < GIVEN_MOST; i++)
        if (g->keys[i] == 0) {
            g->keys[i] = key;
            return i;
        }
    return NO_SLOT; /* it stays in the modem, and is known by its digest */
}

static bool is_high(uint16_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

/* Parts of at most SMS_UNITS_MOST units, whole pairs of them. */
static void text_take(struct modem *m, const struct mm_event *e, struct sms *sms, uint16_t slot)
{
    struct managed *g = m->managed;
    size_t count = utf8_to_utf16(e->text, e->text_size, g->units, sizeof g->units / sizeof g->units[0] - PARTS_MOST), from, n;
    unsigned parts = 0, part;
    size_t ends[PARTS_MOST] = { 0 };

    for (from = 0; (from < count || parts == 0) && parts < PARTS_MOST; from = ends[parts++]) {
        n = count - from < SMS_UNITS_MOST ? count - from : SMS_UNITS_MOST;
        n -= n == SMS_UNITS_MOST && is_high(g->units[from + n - 1]);
        ends[parts] = from + n;
    }
    for (part = 0; part < parts; part++) {
        from = part ? ends[part - 1] : 0;
        sms->coding = SMS_UCS2;
        sms->unit_count = (uint16_t)(ends[part] - from);
        memcpy(sms->units, g->units + from, sms->unit_count * sizeof sms->units[0]);
        sms->join = (uint16_t)(e->digest & 0xffff);
        sms->parts = parts > 1 ? (uint8_t)parts : 0;
        sms->part = parts > 1 ? (uint8_t)(part + 1) : 0;
        inbox_take(m, sms, (e->digest ^ (uint64_t)part << 56) | 1, part ? NO_SLOT : slot);
    }
}

static void message_take(struct modem *m, const struct mm_event *e)
{
    struct sms sms = { .kind = e->kind == MM_REPORT ? SMS_STATUS_REPORT : SMS_DELIVER, .class = e->class, .time = e->time,
                       .discharge = e->discharge, .status = e->status, .reference = (uint8_t)e->reference };
    uint16_t slot = slot_of(m->managed, e->key);

    copy(sms.peer.text, sizeof sms.peer.text, e->number);
    sms.peer.type = e->number[0] == '+' ? 0x91 : 0x81;
    if (e->data) {
        sms.coding = SMS_DATA;
        sms.data_size = (uint8_t)(e->data_size < SMS_DATA_MOST ? e->data_size : SMS_DATA_MOST);
        memcpy(sms.data, e->data, sms.data_size);
    }
    if (e->kind == MM_REPORT || e->data)
        inbox_take(m, &sms, e->digest | 1, slot);
    else
        text_take(m, e, &sms, slot);
}

/* What is safe is deleted by the daemon. */
static void messages_forget(struct modem *m)
{
    struct managed *g = m->managed;
    struct given *given;
    uint32_t i;

    for (i = 0; i < m->inbox.given_count; i++) {
        given = &m->inbox.given[i];
        if (!given->safe || given->slot >= GIVEN_MOST || !g->keys[given->slot])
            continue;
        mm_forget(g->mm, g->keys[given->slot]);
        g->keys[given->slot] = 0;
        given->slot = NO_SLOT;
    }
}

/* ---- orders ---- */

static struct order *order_of(struct modem *m, uint64_t id)
{
    uint32_t i;

    for (i = 0; i < m->outbox.count; i++)
        if (m->outbox.orders[i].running && (uint64_t)(uintptr_t)m->outbox.orders[i].record == id)
            return &m->outbox.orders[i];
    return NULL;
}

static bool is_message(const struct order *o)
{
    return o->kind == ORDER_SMS || o->kind == ORDER_ALERT;
}

static void sent_take(struct modem *m, struct order *o, const struct mm_event *e)
{
    struct at_event refused = { .kind = AT_FINAL, .result = e->result, .code = e->code };

    if (e->fault == MM_FINE) {
        o->references[0] = (uint8_t)(e->reference >= 0 ? e->reference : 0);
        m->host->count(m->host, METRIC_PARTS, o->part);
        outbox_sent(m, o);
    } else if (e->fault == MM_NETWORK) {
        o->code = e->code;
        outbox_refused(m, o, &refused);
    } else {
        outbox_again(m, o, e->words);
    }
}

static void reply_take(struct modem *m, const struct mm_event *e)
{
    struct order *o = order_of(m, e->id);

    if (e->verb == MM_CONNECT) {
        m->managed->connecting = false;
        if (e->fault != MM_FINE)
            copy(event_add(m, EVENT_LINK_DOWN, NULL)->why, WHY_MOST, e->words);
    }
    if (!o)
        return;
    o->running = false;
    if (is_message(o)) {
        sent_take(m, o, e);
        return;
    }
    o->code = e->code;
    if (o->kind == ORDER_USSD)
        copy(m->outbox.reply, sizeof m->outbox.reply, e->text);
    order_end(m, o, e->fault == MM_FINE ? VERDICT_DONE : VERDICT_FAILED, e->fault == MM_FINE ? NULL : e->words);
}

static bool request_fill(struct modem *m, struct order *o, char *number, struct mm_request *r)
{
    struct managed *g = m->managed;
    uint32_t size = 0;

    r->id = (uint64_t)(uintptr_t)o->record;
    r->text = g->text;
    if (is_message(o)) {
        r->verb = MM_SEND;
        outbox_number(m, o, number);
        r->number = number;
        r->text_size = outbox_utf8(m, o, g->text, sizeof g->text);
        r->wants_report = m->config->reports != 0;
        r->validity_s = m->config->validity / SECOND_NS;
        return true;
    }
    if (o->kind == ORDER_AT) {
        order_end(m, o, VERDICT_FAILED, "ModemManager passes no AT commands on");
        return false;
    }
    r->verb = o->kind == ORDER_USSD ? MM_USSD : MM_RESET;
    if (o->kind == ORDER_USSD) {
        r->text = order_text(m, o->record, "text", &size);
        r->text_size = size;
    }
    return true;
}

static void order_start(struct modem *m, struct order *o)
{
    char number[SMS_NUMBER_MOST + 2];
    struct mm_request r = { .id = 0 };

    if (o->kind == ORDER_CONNECT || o->kind == ORDER_DISCONNECT) {
        m->net.wanted = o->kind == ORDER_CONNECT;
        m->net.next_ns = m->now;
        order_end(m, o, m->config->apn ? VERDICT_DONE : VERDICT_FAILED, m->config->apn ? NULL : "no apn is set");
        return;
    }
    if (!request_fill(m, o, number, &r))
        return;
    o->began_ns = m->now;
    if (mm_ask(m->managed->mm, &r) == MM_TAKEN)
        o->running = true;
}

/* One message at a time, in their order; other commands beside them. */
static void orders_start(struct modem *m)
{
    bool sending = false, other = false;
    uint32_t i;

    for (i = 0; i < m->outbox.count; i++) {
        sending |= m->outbox.orders[i].running && is_message(&m->outbox.orders[i]);
        other |= m->outbox.orders[i].running && !is_message(&m->outbox.orders[i]);
    }
    for (i = 0; i < m->outbox.count && m->outbox.told_count <= REPORTS_MOST / 2; i++) {
        struct order *o = &m->outbox.orders[i];

        if (o->outcome || o->running || o->next_ns > m->now || !m->managed->state.usable)
            continue;
        if (is_message(o) ? sending || !session_is_registered(m) : other)
            continue;
        order_start(m, o);
        sending |= o->running && is_message(o);
        other |= o->running && !is_message(o);
    }
}

/* ---- the data session ---- */

static void session_keep(struct modem *m)
{
    struct managed *g = m->managed;
    const struct config *c = m->config;
    bool wanted = m->net.wanted && (c->when_roaming || !session_is_roaming(m));
    struct mm_request r = { .verb = wanted ? MM_CONNECT : MM_DISCONNECT, .apn = c->apn, .user = c->user,
                            .password = c->password, .pdp = c->pdp, .roams = c->when_roaming != 0 };

    if (!c->apn || !g->state.usable || g->connecting || g->state.connected == wanted || m->now < m->net.next_ns ||
        !session_is_registered(m))
        return;
    m->net.next_ns = m->now + CONNECT_AGAIN_S * SECOND_NS;
    if (mm_ask(g->mm, &r) == MM_TAKEN)
        g->connecting = wanted;
}

/* ---- turns ---- */

static void other_take(struct modem *m, const struct mm_event *e)
{
    static const char *const states[] = { "done", "asks" };
    uint16_t units[200];
    struct event *told;
    size_t n;

    if (e->kind == MM_CLOCK) {
        told = event_add(m, EVENT_TIME, NULL);
        told->time_ns = e->clock.utc_ns;
        told->number = e->clock.has_zone ? e->clock.zone_min : INT64_MIN;
    } else if (e->kind == MM_USSD_TEXT) {
        told = event_add(m, EVENT_USSD, states[e->ussd != 0]);
        n = utf8_to_utf16(e->text, e->text_size, units, sizeof units / sizeof units[0]);
        told->text[utf16_to_utf8(units, n, told->text, sizeof told->text - 1)] = '\0';
    } else if (e->kind == MM_POSITION) {
        m->position = e->position;
        m->position_due = true;
    }
}

/* A message is taken when what was taken before has left. */
static void events_take(struct modem *m)
{
    struct managed *g = m->managed;

    for (;;) {
        const struct mm_event *e = g->held ? g->held : mm_next(g->mm);

        g->held = NULL;
        if (!e)
            return;
        if (e->kind == MM_MESSAGE || e->kind == MM_REPORT) {
            if (m->inbox.joiner.count > 0 || m->outbox.told_count > REPORTS_MOST / 2) {
                g->held = e;
                return;
            }
            message_take(m, e);
        } else if (e->kind == MM_CHANGED) {
            state_take(m);
        } else if (e->kind == MM_REPLY) {
            reply_take(m, e);
        } else {
            other_take(m, e);
        }
    }
}

aff_status managed_open(struct modem *m)
{
    struct managed *g = m->host->alloc(m->host, sizeof *g);
    const struct config *c = m->config;

    if (!g)
        return AFF_ERR_MEMORY;
    g->mm = m->host->alloc(m->host, mm_size());
    g->config = (struct mm_config){ .device = c->path, .pin = c->pin, .parts_wait_s = PARTS_WAIT_S,
                                    .poll_s = (unsigned)(c->every / SECOND_NS ? c->every / SECOND_NS : 30),
                                    .wants_position = c->position != POSITION_NONE };
    g->state.trouble = "";
    if (g->mm && mm_open(g->mm, &g->config)) {
        m->managed = g;
        return AFF_OK;
    }
    if (g->mm) {
        m->host->free(m->host, g->mm);
        m->host->free(m->host, g);
        return m->host->explain(m->host, AFF_ERR_IO, "no thread for ModemManager can be begun");
    }
    m->host->free(m->host, g);
    return AFF_ERR_MEMORY;
}

void managed_close(struct modem *m)
{
    struct managed *g = m->managed;

    if (!g)
        return;
    if (g->watched)
        (void)m->host->watch(m->host, mm_fd(g->mm), 0);
    mm_close(g->mm);
    m->host->free(m->host, g->mm);
    m->host->free(m->host, g);
    m->managed = NULL;
}

static aff_status all_told(struct modem *m, uint32_t *want)
{
    aff_status st = orders_emit(m, want);

    st = st == AFF_OK ? inbox_emit(m, want) : st;
    st = st == AFF_OK ? events_emit(m, want) : st;
    st = st == AFF_OK ? net_turn(m) : st;
    st = st == AFF_OK ? status_emit(m, want) : st;
    return st == AFF_OK ? position_emit(m, want) : st;
}

aff_status managed_read(struct modem *m, uint32_t want)
{
    struct managed *g = m->managed;
    uint32_t left = want;
    aff_status st;

    m->now = m->host->now_ns(m->host);
    if (!g->watched) {
        st = m->host->watch(m->host, mm_fd(g->mm), AFF_WATCH_READ);
        if (st != AFF_OK)
            return st;
        g->watched = true;
    }
    if (m->config->every > 0 && m->now >= m->next_poll_ns && g->state.presence == MM_THERE) {
        m->next_poll_ns = m->now + m->config->every;
        m->status_due = true;
    }
    events_take(m);
    orders_start(m);
    session_keep(m);
    st = all_told(m, &left);
    if (st != AFF_OK)
        return st;
    messages_forget(m);
    m->host->wake_at(m->host, earlier(m->config->every > 0 && g->state.presence == MM_THERE ? m->next_poll_ns : INT64_MAX,
                                      earlier(orders_due(m), m->net.next_ns > m->now ? m->net.next_ns : INT64_MAX)));
    return left == 0 || (g->held && m->inbox.joiner.count == 0) ? AFF_OK : AFF_AGAIN;
}
