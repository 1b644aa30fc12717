/* SPDX-License-Identifier: Apache-2.0
 *
 * session.c - from an open port to a modem that is ready, which command is next,
 * and unsolicited codes. See modem.h.
 *
 * After any time-out it is not known what the modem still has to say: it is given
 * time to say it, then asked until it answers, and set up anew; so a modem that
 * began anew by itself is set up as well. A PIN is tried once, a PUK never. */
#include "modem.h"

#include <stdio.h>
#include <string.h>

#define SYNC_TIMEOUT_NS SECOND_NS
#define SIM_AGAIN_NS (10 * SECOND_NS)
enum { SYNC_TRIES = 8 };

void session_opened(struct modem *m)
{
    m->phase = PHASE_SETTLE;
    m->wait_ns = m->now;
    m->tries = m->step = 0;
    m->unsupported = m->slow_polls = 0;
    m->skipped = m->slow_steps = 0;
    m->iccid_silent = false;
    if (m->line_was_lost)
        (void)event_add(m, EVENT_LINE_BACK, NULL);
    m->line_was_lost = false;
}

static void radio_forget(struct modem *m)
{
    memset(m->has_registration, 0, sizeof m->has_registration);
    m->polling = m->status_due = m->position_due = false;
    m->sim_state[0] = '\0';
}

void session_lost(struct modem *m)
{
    struct event *e;

    if (!m->line_was_lost) {
        e = event_add(m, EVENT_LINE_LOST, NULL);
        (void)snprintf(e->why, sizeof e->why, "%s", m->engine.fault.why);
    }
    m->line_was_lost = true;
    m->phase = PHASE_CLOSED;
    radio_forget(m);
    store_lost(m);
    net_lost(m, "the line was lost");
}

void session_sync(struct modem *m, int64_t settle_ns)
{
    engine_abort(m, ENDED_LOST);
    if (m->engine.fd < 0)
        return;
    m->phase = PHASE_SETTLE;
    m->wait_ns = m->now + settle_ns;
    m->tries = 0;
    m->polling = false;
    store_lost(m);
}

static void restarted(struct modem *m)
{
    m->host->count(m->host, METRIC_RESETS, 1);
    (void)event_add(m, EVENT_RESET, NULL);
    radio_forget(m);
    net_lost(m, "the modem began anew");
    session_sync(m, 2 * SECOND_NS);
}

/* ---- synchronisation ---- */

static void sync_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    (void)e;
    if (ended == ENDED_LOST)
        return;
    if (ended == ENDED_OK) {
        m->phase = PHASE_INIT;
        m->step = m->tries = 0;
        m->silent_told = false;
        return;
    }
    if (++m->tries < SYNC_TRIES)
        return;
    if (!m->silent_told)
        (void)event_add(m, EVENT_SILENT, NULL);
    m->silent_told = true;
    engine_lost(m, "the device does not answer", 0);
}

/* The modem may still wait for a text that an earlier run was about to send: every
 * other time the escape that leaves such a prompt goes first. */
static void sync_send(struct modem *m)
{
    if (m->tries % 2 == 1)
        engine_raw(m, "\x1b");
    engine_send(m, &(struct request){ .text = "AT", .timeout_ns = SYNC_TIMEOUT_NS, .done = sync_done });
}

/* ---- SIM ---- */

static void sim_say(struct modem *m, const char *state)
{
    if (strcmp(m->sim_state, state) != 0)
        (void)event_add(m, EVENT_SIM, state);
    (void)snprintf(m->sim_state, sizeof m->sim_state, "%s", state);
}

static void sim_wait(struct modem *m, const char *state)
{
    sim_say(m, state);
    m->wait_ns = m->now + SIM_AGAIN_NS;
}

/* That a SIM refused a PIN is kept by a digest of both: a run that is started again and
 * again would lock the SIM as well. */
static uint32_t pin_digest(const struct modem *m)
{
    const char *parts[] = { m->config->pin ? m->config->pin : "", " ", m->iccid }, *at;
    uint32_t hash = UINT32_C(0x811c9dc5);
    size_t i;

    for (i = 0; i < sizeof parts / sizeof parts[0]; i++)
        for (at = parts[i]; *at; at++)
            hash = (hash ^ (unsigned char)*at) * UINT32_C(0x01000193);
    return hash ? hash : 1;
}

static void pin_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    bool is_busy = ended == ENDED_ERROR && (e->code == 14 || e->code == 314);

    if (ended == ENDED_OK || is_busy)
        m->wait_ns = m->now + SECOND_NS; /* the SIM takes a moment */
    m->pin_tried = is_busy ? 0 : m->pin_tried;
    if (ended != ENDED_ERROR || is_busy)
        return;
    m->pin_refused = m->pin_tried;
    sim_wait(m, "pin_refused");
}

static void pin_send(struct modem *m)
{
    char text[32];

    if (!m->config->pin || !*m->config->pin) {
        m->pin_refused = 0;
        sim_wait(m, "pin_needed");
        return;
    }
    if (m->pin_tried == pin_digest(m) || m->pin_refused == pin_digest(m)) { /* a third wrong one would lock the SIM */
        sim_wait(m, "pin_refused");
        return;
    }
    m->pin_tried = pin_digest(m);
    (void)snprintf(text, sizeof text, "AT+CPIN=\"%s\"", m->config->pin);
    engine_send(m, &(struct request){ .text = text, .timeout_ns = 20 * SECOND_NS, .done = pin_done });
    explicit_bzero(text, sizeof text);
}

static bool sim_is_open(enum at_sim sim)
{
    return sim == AT_SIM_READY || sim == AT_SIM_PIN2 || sim == AT_SIM_PUK2;
}

static void sim_line(struct modem *m, const struct at_event *e)
{
    (void)at_sim_read(e->line, &m->sim);
}

/* A SIM may be taken out without a word. What is no answer says nothing. */
void session_sim_look(struct modem *m, const char *line, int code)
{
    enum at_sim sim = AT_SIM_READY;
    bool is_gone = code == 5 || (code >= 10 && code <= 13) || code == 15;

    if (line)
        is_gone = at_sim_read(line, &sim) == AT_FINE && !sim_is_open(sim);
    if (is_gone && m->phase == PHASE_READY)
        session_sync(m, SECOND_NS);
}

static void sim_error(struct modem *m, const struct at_event *e)
{
    bool is_cme = e->result == AT_CME_ERROR || e->result == AT_CMS_ERROR;

    if (is_cme && (e->code == 14 || e->code == 314)) {
        m->wait_ns = m->now + SECOND_NS;
        return;
    }
    if (is_cme && (e->code == 10 || e->code == 310))
        sim_wait(m, "absent");
    else
        sim_wait(m, "failed");
}

static void sim_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    if (ended == ENDED_ERROR)
        sim_error(m, e);
    if (ended != ENDED_OK)
        return;
    if (sim_is_open(m->sim)) {
        sim_say(m, "ready");
        m->phase = PHASE_SETUP;
        m->step = 0;
        m->pin_tried = 0; /* it was right, or is not needed: the SIM may be locked anew */
        m->refused = m->refused_tries = 0;
    } else if (m->sim == AT_SIM_PUK) {
        sim_wait(m, "puk_needed");
    } else if (m->sim == AT_SIM_BUSY) {
        m->wait_ns = m->now + SECOND_NS;
    } else if (m->sim == AT_SIM_ABSENT) {
        sim_wait(m, "absent");
    } else if (m->sim != AT_SIM_PIN) {
        sim_wait(m, "locked");
    }
}

static void which_sim_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    (void)e;
    m->iccid_silent |= ended == ENDED_TIMEOUT;
}

/* Which SIM it is many modems say of a locked one, too. */
static void which_sim_ask(struct modem *m)
{
    m->iccid[0] = '\0';
    engine_send(m, &(struct request){ .text = "AT+CCID", .flags = AT_PLAIN, .timeout_ns = 5 * SECOND_NS, .line = setup_iccid,
                                      .done = which_sim_done });
}

static void sim_next(struct modem *m)
{
    if (m->sim == AT_SIM_PIN && m->tries == 1 && m->config->pin && !m->iccid_silent) {
        m->tries = 2;
        which_sim_ask(m);
        return;
    }
    if (m->sim == AT_SIM_PIN && m->tries > 0) {
        m->tries = 0;
        pin_send(m);
        return;
    }
    m->tries = 1;
    m->sim = AT_SIM_OTHER;
    engine_send(m, &(struct request){ .text = "AT+CPIN?", .prefix = "+CPIN:", .timeout_ns = 10 * SECOND_NS,
                                      .line = sim_line, .done = sim_done });
}

/* ---- what is next ---- */

static void ready(struct modem *m)
{
    m->phase = PHASE_READY;
    store_ready(m);
    m->next_poll_ns = m->now;
    (void)event_add(m, EVENT_READY, NULL);
}

static void ready_next(struct modem *m)
{
    if (orders_next(m) || store_next(m) || net_next(m))
        return;
    if (!m->polling && m->now >= m->next_poll_ns) {
        m->polling = true;
        m->poll = 0;
        setup_again(m);
        m->next_poll_ns = m->now + (m->config->every ? m->config->every : 60 * SECOND_NS);
    }
    if (m->polling && !setup_poll(m)) {
        m->polling = false;
        m->status_due = m->config->every > 0;
    }
}

static void phase_next(struct modem *m)
{
    switch (m->phase) {
    case PHASE_SETTLE:
        m->phase = PHASE_SYNC;
        sync_send(m);
        return;
    case PHASE_SYNC:
        sync_send(m);
        return;
    case PHASE_INIT:
        if (!setup_identity(m)) {
            m->phase = PHASE_SIM;
            m->tries = 0;
            m->echoes = m->engine.reader.echoed;
        }
        return;
    case PHASE_SIM:
        sim_next(m);
        return;
    case PHASE_SETUP:
        if (!setup_ready(m))
            ready(m);
        return;
    case PHASE_READY:
        ready_next(m);
        return;
    default:
        return;
    }
}

/* Where it was told not to echo and does again, it began anew without a word. */
static bool is_forgetful(struct modem *m)
{
    return m->engine.reader.echoed && !m->echoes;
}

/* A phase that has nothing more to send gives way to the next at once. */
void session_next(struct modem *m)
{
    enum phase before;

    do {
        if (m->engine.fd < 0 || m->engine.busy || m->engine.lent || m->now < m->wait_ns)
            return;
        before = m->phase;
        if (before > PHASE_INIT && is_forgetful(m)) {
            restarted(m);
            return;
        }
        phase_next(m);
    } while (m->phase != before);
}

int64_t session_due(struct modem *m)
{
    int64_t due = m->engine.fd < 0 ? m->engine.next_try_ns : INT64_MAX;

    if (m->engine.fd < 0 || m->engine.lent)
        return due;
    if (m->engine.busy)
        return m->engine.deadline_ns;
    if (m->phase != PHASE_READY)
        return m->wait_ns;
    due = earlier(m->next_poll_ns, earlier(orders_due(m), earlier(store_due(m), inbox_gives_up(m))));
    return m->wait_ns > due ? m->wait_ns : due;
}

/* ---- the network as it is ---- */

bool session_is_registered(const struct modem *m)
{
    int i;

    for (i = 0; i < AT_DOMAINS; i++)
        if (m->has_registration[i] && at_status_is_registered(m->registration[i].status))
            return true;
    return false;
}

/* The domain of the newest network that has us: 5GS before EPS before the rest. */
static const struct at_registration *best(const struct modem *m)
{
    int i;

    for (i = AT_DOMAINS - 1; i >= 0; i--)
        if (m->has_registration[i] && at_status_is_registered(m->registration[i].status))
            return &m->registration[i];
    return NULL;
}

bool session_is_roaming(const struct modem *m)
{
    const struct at_registration *r = best(m);

    return r && at_status_is_roaming(r->status);
}

int session_technology(const struct modem *m)
{
    const struct at_registration *r = best(m);

    if (r && r->technology >= 0)
        return r->technology;
    return r ? m->operator.technology : -1;
}

/* ---- codes ---- */

static void registration_code(struct modem *m, const char *line)
{
    static const char *const domains[AT_DOMAINS] = { "cs", "ps", "eps", "5gs" };
    struct at_registration r;
    struct event *e;

    if (at_registration_read(line, &r) != AT_FINE)
        return;
    if (!m->has_registration[r.domain] || m->registration[r.domain].status != r.status) {
        e = event_add(m, EVENT_REGISTRATION, at_status_name(r.status));
        (void)snprintf(e->technology, sizeof e->technology, "%s", at_technology_name(r.technology));
        (void)snprintf(e->why, sizeof e->why, "%s", domains[r.domain]);
    }
    m->registration[r.domain] = r;
    m->has_registration[r.domain] = true;
}

static void time_code(struct modem *m, const char *line)
{
    struct at_time t;
    struct event *e;

    if (at_time_read(line, &t) != AT_FINE)
        return;
    e = event_add(m, EVENT_TIME, NULL);
    e->time_ns = t.has_time ? t.utc_ns : INT64_MIN;
    e->number = t.has_zone ? t.zone_min : INT64_MIN;
}

static void ussd_code(struct modem *m, const char *line)
{
    static const char *const states[] = { "done", "asks", "ended", "elsewhere", "unsupported", "timeout" };
    struct at_ussd u = { .status = 0 };
    uint16_t units[200];
    struct event *e;
    size_t n;

    if (at_ussd_read(line, &u) != AT_FINE)
        return;
    orders_ussd(m, &u);
    e = event_add(m, EVENT_USSD, states[u.status]);
    n = utf8_to_utf16(u.text, strlen(u.text), units, sizeof units / sizeof units[0]);
    e->text[utf16_to_utf8(units, n, e->text, sizeof e->text - 1)] = '\0';
}

static void call_code(struct modem *m, const char *line)
{
    struct at_fields f;
    struct event *e;

    if (strcmp(line, "RING") == 0 || strncmp(line, "+CRING:", 7) == 0) {
        (void)event_add(m, EVENT_CALL, "ringing");
    } else if (at_fields_open(&f, line, "+CLIP:") || at_fields_open(&f, line, "+CCWA:")) {
        e = event_add(m, EVENT_CALL, strncmp(line, "+CCWA:", 6) == 0 ? "waiting" : "number");
        if (at_next_text(&f, e->phi, sizeof e->phi) != AT_FINE)
            e->phi[0] = '\0';
    } else {
        (void)event_add(m, EVENT_CALL_ENDED, NULL);
    }
}

/* Words by which modems say that they began anew. */
static bool is_restart(const char *line)
{
    static const char *const words[] = { "RDY", "SYSSTART", "START", "^SYSSTART", "^SHUTDOWN", "^BOOT", "+CFUN: 1",
                                         "+KSUP:", "MODEM:STARTUP", "NORMAL POWER DOWN", "POWERED DOWN" };
    size_t i;

    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strncmp(line, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

/* One that is ready again was away: what was set may be gone with it. */
static void sim_code(struct modem *m, const char *line)
{
    enum at_sim sim;

    if (m->phase == PHASE_SIM) {
        m->wait_ns = m->now;
        return;
    }
    if (m->phase == PHASE_READY || (m->phase == PHASE_SETUP && at_sim_read(line, &sim) == AT_FINE && !sim_is_open(sim)))
        session_sync(m, SECOND_NS);
}

static void restart_code(struct modem *m)
{
    if (m->phase <= PHASE_SYNC)
        return;
    m->unsupported = m->slow_polls = 0;
    if (m->phase == PHASE_INIT) { /* what was set is forgotten */
        session_sync(m, SECOND_NS);
        return;
    }
    restarted(m);
}

/* What was refused may be taken now. */
static bool is_ready_word(const char *line)
{
    return strcmp(line, "SMS Ready") == 0 || strstr(line, "SMS DONE") != NULL;
}

void session_code(struct modem *m, const struct at_event *e)
{
    const char *line = e->line;

    if (is_restart(line))
        restart_code(m);
    else if (is_ready_word(line))
        m->next_poll_ns = m->refused ? m->now : m->next_poll_ns;
    else if (strncmp(line, "+CPIN:", 6) == 0)
        sim_code(m, line);
    else if (strncmp(line, "+CMT", 4) == 0 || strncmp(line, "+CDS", 4) == 0)
        inbox_code(m, e);
    else if (strncmp(line, "+CUSD:", 6) == 0)
        ussd_code(m, line);
    else if (strncmp(line, "+CT", 3) == 0)
        time_code(m, line);
    else if (strncmp(line, "+CGEV:", 6) == 0)
        net_code(m, line);
    else if (strncmp(line, "RING", 4) == 0 || strncmp(line, "+CRING", 6) == 0 || strncmp(line, "+CLIP", 5) == 0 ||
             strncmp(line, "+CCWA", 5) == 0 || strcmp(line, "NO CARRIER") == 0)
        call_code(m, line);
    else
        registration_code(m, line);
}
