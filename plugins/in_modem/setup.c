/* SPDX-License-Identifier: Apache-2.0
 *
 * setup.c - the commands of a session's beginning, and those that are asked now and
 * then. What a modem does not know is left out; what it never answers is not asked
 * again on this line. See modem.h. */
#include "modem.h"

#include <stdio.h>
#include <string.h>

/* `make` writes the command where it is not fixed, and is false where it is not
 * wanted. `bit` of what the modem never answered. */
struct step {
    const char *text, *prefix;
    unsigned flags;
    int seconds;
    void (*line)(struct modem *m, const struct at_event *e);
    bool (*make)(struct modem *m, char *to, size_t room);
};
enum { STEP_MUST = 0x100 }; /* a flag: refused, it is sent again later */

/* ---- lines ---- */

static void text_take(const char *line, char *to, size_t room)
{
    if (at_identity_read(line, to, room) != AT_FINE)
        to[0] = '\0';
}

static void maker_line(struct modem *m, const struct at_event *e)
{
    text_take(e->line, m->maker, sizeof m->maker);
}

static void model_line(struct modem *m, const struct at_event *e)
{
    text_take(e->line, m->model, sizeof m->model);
}

static void firmware_line(struct modem *m, const struct at_event *e)
{
    text_take(e->line, m->firmware, sizeof m->firmware);
}

static void number_take(const char *line, char *to, size_t room)
{
    char text[AT_TEXT_MOST];

    if (at_identity_read(line, text, sizeof text) == AT_FINE && at_identity_is_number(text))
        (void)snprintf(to, room, "%.*s", (int)strspn(text, "0123456789"), text);
}

static void imei_line(struct modem *m, const struct at_event *e)
{
    number_take(e->line, m->imei, sizeof m->imei);
}

static void imsi_line(struct modem *m, const struct at_event *e)
{
    number_take(e->line, m->imsi, sizeof m->imsi);
}

void setup_iccid(struct modem *m, const struct at_event *e)
{
    number_take(e->line, m->iccid, sizeof m->iccid);
}

static void cfun_line(struct modem *m, const struct at_event *e)
{
    struct at_fields f;
    int64_t mode;

    m->is_off = at_fields_open(&f, e->line, "+CFUN:") && at_next_int(&f, 0, 127, &mode) == AT_FINE && mode != 1;
}

static void stores_line(struct modem *m, const struct at_event *e)
{
    struct at_stores s;
    bool full;
    size_t last;

    if (at_stores_read(e->line, &s) != AT_FINE)
        return;
    m->stores = s;
    last = s.count - 1; /* the one that takes what comes */
    full = s.total[last] > 0 && s.used[last] >= s.total[last];
    if (full != m->inbox.is_full)
        event_add(m, full ? EVENT_STORE_FULL : EVENT_STORE_FREE, NULL)->number = s.total[last];
    m->inbox.is_full = full;
    store_said(m);
}

static void notices_line(struct modem *m, const struct at_event *e)
{
    m->notices_known = at_notices_read(e->line, &m->notices) == AT_FINE;
}

static void code_line(struct modem *m, const struct at_event *e)
{
    session_code(m, e);
}

static void sim_line(struct modem *m, const struct at_event *e)
{
    (void)snprintf(m->sim_said, sizeof m->sim_said, "%s", e->line);
}

static void csq_line(struct modem *m, const struct at_event *e)
{
    struct at_signal s;

    if (at_csq_read(e->line, &s) == AT_FINE)
        m->signal = s;
}

/* What CSQ has said stays where CESQ does not know it. */
static void cesq_line(struct modem *m, const struct at_event *e)
{
    int16_t rssi = m->signal.rssi_dbm;
    struct at_signal s;

    if (at_cesq_read(e->line, &s) != AT_FINE)
        return;
    m->signal = s;
    if (s.rssi_dbm == AT_UNKNOWN)
        m->signal.rssi_dbm = rssi;
}

static void operator_line(struct modem *m, const struct at_event *e)
{
    struct at_operator o;

    if (at_operator_read(e->line, &o) == AT_FINE)
        m->operator = o;
}

static void position_line(struct modem *m, const struct at_event *e)
{
    struct at_position p;

    if (at_position_read(e->line, &p) != AT_FINE)
        return;
    m->position = p;
    m->position_due = p.has_fix;
}

static void active_line(struct modem *m, const struct at_event *e)
{
    bool active;
    int cid;

    if (at_active_read(e->line, &cid, &active) == AT_FINE && cid == m->config->cid)
        net_active(m, active);
}

/* ---- commands that depend ---- */

static bool cfun_make(struct modem *m, char *to, size_t room)
{
    (void)snprintf(to, room, "AT+CFUN=1");
    return m->is_off;
}

static bool store_make(struct modem *m, char *to, size_t room)
{
    const char *s = m->config->store;

    (void)snprintf(to, room, "AT+CPMS=\"%s\",\"%s\",\"%s\"", s, s, s);
    return *s != '\0';
}

/* Messages are kept by the modem until they are safe here (mode mt 1). Reports come
 * by themselves where it can (ds 1), since few stores have room for them. */
static bool notices_make(struct modem *m, char *to, size_t room)
{
    const struct at_notices *n = &m->notices;
    int mode = !m->notices_known || n->can[0][2] ? 2 : n->can[0][1] ? 1 : 0;
    int report = !m->config->reports ? 0 : !m->notices_known || n->can[3][1] ? 1 : n->can[3][2] ? 2 : 0;
    int buffered = m->notices_known && !n->can[4][0] && n->can[4][1];

    if (!m->notices_known && m->refused_tries >= 2) /* it may not know the others */
        (void)snprintf(to, room, "AT+CNMI=%d,1", m->refused_tries % 2 ? 1 : 2);
    else
        (void)snprintf(to, room, "AT+CNMI=%d,1,0,%d,%d", mode, report, buffered);
    return true;
}

static bool position_on(struct modem *m, char *to, size_t room)
{
    (void)snprintf(to, room, "%s", m->config->position == POSITION_CGNSINF ? "AT+CGNSPWR=1" : "AT+CGPS=1");
    return m->config->position != POSITION_NONE;
}

static bool position_ask(struct modem *m, char *to, size_t room)
{
    (void)snprintf(to, room, "%s", m->config->position == POSITION_CGNSINF ? "AT+CGNSINF" : "AT+CGPSINFO");
    return m->config->position != POSITION_NONE;
}

static bool active_ask(struct modem *m, char *to, size_t room)
{
    (void)snprintf(to, room, "AT+CGACT?");
    return m->net.state == NET_UP;
}

static const struct step identity_steps[] = {
    { "ATE0", NULL, 0, 3, NULL, NULL },
    { "ATV1", NULL, 0, 3, NULL, NULL },
    { "AT+CMEE=1", NULL, 0, 3, NULL, NULL },
    { "AT+CGMI", NULL, AT_PLAIN, 5, maker_line, NULL },
    { "AT+CGMM", NULL, AT_PLAIN, 5, model_line, NULL },
    { "AT+CGMR", NULL, AT_PLAIN, 5, firmware_line, NULL },
    { "AT+CGSN", NULL, AT_PLAIN, 5, imei_line, NULL },
    { "AT+CFUN?", "+CFUN:", 0, 5, cfun_line, NULL },
    { NULL, NULL, 0, 20, NULL, cfun_make },
};

static const struct step ready_steps[] = {
    { "AT+CIMI", NULL, AT_PLAIN, 5, imsi_line, NULL },
    { "AT+CCID", NULL, AT_PLAIN, 5, setup_iccid, NULL },
    { "AT+CMGF=0", NULL, STEP_MUST, 5, NULL, NULL },
    { "AT+CSCS=\"GSM\"", NULL, 0, 5, NULL, NULL },
    { "AT+CSMS=0", "+CSMS:", 0, 5, NULL, NULL }, /* nothing that comes is to be acknowledged */
    { NULL, "+CPMS:", STEP_MUST, 10, NULL, store_make },
    { "AT+CPMS?", "+CPMS:", 0, 10, stores_line, NULL },
    { "AT+CNMI=?", "+CNMI:", 0, 5, notices_line, NULL },
    { NULL, NULL, STEP_MUST, 5, NULL, notices_make },
    { "AT+CREG=2", NULL, 0, 5, NULL, NULL },
    { "AT+CGREG=2", NULL, 0, 5, NULL, NULL },
    { "AT+CEREG=2", NULL, 0, 5, NULL, NULL },
    { "AT+C5GREG=2", NULL, 0, 5, NULL, NULL },
    { "AT+COPS=3,0", NULL, 0, 10, NULL, NULL },
    { "AT+CTZR=1", NULL, 0, 5, NULL, NULL },
    { "AT+CLIP=1", NULL, 0, 10, NULL, NULL },
    { "AT+CGEREP=2,1", NULL, 0, 5, NULL, NULL },
    { NULL, NULL, 0, 10, NULL, position_on },
};

static const struct step polls[] = {
    { "AT+CPIN?", "+CPIN:", 0, 10, sim_line, NULL },
    { "AT+CREG?", "+CREG:", 0, 5, code_line, NULL },
    { "AT+CGREG?", "+CGREG:", 0, 5, code_line, NULL },
    { "AT+CEREG?", "+CEREG:", 0, 5, code_line, NULL },
    { "AT+C5GREG?", "+C5GREG:", 0, 5, code_line, NULL },
    { "AT+COPS?", "+COPS:", 0, 30, operator_line, NULL },
    { "AT+CSQ", "+CSQ:", 0, 5, csq_line, NULL },
    { "AT+CESQ", "+CESQ:", 0, 5, cesq_line, NULL },
    { "AT+CPMS?", "+CPMS:", 0, 10, stores_line, NULL },
    { NULL, "+CG", 0, 10, position_line, position_ask },
    { NULL, "+CGACT:", 0, 10, active_line, active_ask },
};

enum { IDENTITY_STEPS = sizeof identity_steps / sizeof identity_steps[0],
       READY_STEPS = sizeof ready_steps / sizeof ready_steps[0], POLLS = sizeof polls / sizeof polls[0] };

static void step_send(struct modem *m, const struct step *s, const char *made,
                      void (*done)(struct modem *m, enum ended ended, const struct at_event *e))
{
    engine_send(m, &(struct request){ .text = s->text ? s->text : made, .prefix = s->prefix,
                                      .flags = s->flags & ~(unsigned)STEP_MUST, .timeout_ns = s->seconds * SECOND_NS,
                                      .line = s->line, .done = done });
}

static unsigned bit_of(const struct modem *m)
{
    return m->step - 1 + (m->phase == PHASE_SETUP ? (unsigned)IDENTITY_STEPS : 0u);
}

/* m->step counts on when a step is sent. One that was silent twice is left out: the
 * first time the modem may have been about to begin anew. */
static void step_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    uint64_t bit = UINT64_C(1) << bit_of(m);

    (void)e;
    if (ended == ENDED_ERROR && m->phase == PHASE_SETUP && ready_steps[m->step - 1].flags & STEP_MUST)
        m->refused |= bit;
    if (ended == ENDED_OK && m->phase == PHASE_INIT && m->step == 1)
        m->engine.reader.echoed = false; /* that of ATE0 */
    if (ended != ENDED_TIMEOUT)
        return;
    m->skipped |= m->slow_steps & bit;
    m->slow_steps |= bit;
}

static bool steps_next(struct modem *m, const struct step *steps, unsigned count)
{
    char made[64];

    while (m->step < count) {
        const struct step *s = &steps[m->step++];

        if (m->skipped >> bit_of(m) & 1 || (s->make && !s->make(m, made, sizeof made)))
            continue;
        step_send(m, s, made, step_done);
        return true;
    }
    return false;
}

static void identity_say(struct modem *m)
{
    struct event *e = event_add(m, EVENT_IDENTITY, NULL);

    (void)snprintf(e->why, sizeof e->why, "%s%s%s%s%s", m->maker, *m->maker ? " " : "", m->model, *m->firmware ? " " : "",
                   m->firmware);
    (void)snprintf(e->phi, sizeof e->phi, "imei %s imsi %s iccid %s", m->imei, m->imsi, m->iccid);
}

bool setup_identity(struct modem *m)
{
    return steps_next(m, identity_steps, IDENTITY_STEPS);
}

bool setup_ready(struct modem *m)
{
    if (steps_next(m, ready_steps, READY_STEPS))
        return true;
    identity_say(m);
    return false;
}

/* ---- once more ---- */

enum { AGAIN_MOST = 5 };

void setup_again(struct modem *m)
{
    m->again = m->refused_tries < AGAIN_MOST ? m->refused : 0;
    m->refused_tries += m->again != 0;
}

bool setup_may_change(const struct modem *m)
{
    return m->refused && m->refused_tries < AGAIN_MOST;
}

/* m->step is that of the one that runs. What lies in the modem may show otherwise now. */
static void again_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    (void)e;
    if (ended != ENDED_OK)
        return;
    m->refused &= ~(UINT64_C(1) << (IDENTITY_STEPS + m->step));
    store_touched(m);
}

static bool again_next(struct modem *m)
{
    char made[64];
    unsigned i;

    for (i = 0; i < READY_STEPS && m->again; i++) {
        uint64_t bit = UINT64_C(1) << (IDENTITY_STEPS + i);

        if (!(m->again & bit))
            continue;
        m->again &= ~bit;
        if (ready_steps[i].make && !ready_steps[i].make(m, made, sizeof made))
            continue;
        m->step = i;
        step_send(m, &ready_steps[i], made, again_done);
        return true;
    }
    return false;
}

/* ---- polls ---- */

/* What a modem does not know, as against what it cannot say now. */
static bool is_unknown(const struct at_event *e)
{
    return e->result == AT_ERROR || e->code == 3 || e->code == 4 || e->code == 50 || e->code == 303;
}

static void poll_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    uint32_t bit = 1u << (m->poll - 1);
    bool is_sim = polls[m->poll - 1].line == sim_line;

    if ((ended == ENDED_TIMEOUT && m->slow_polls & bit) || (ended == ENDED_ERROR && is_unknown(e)))
        m->unsupported |= bit;
    if (ended == ENDED_TIMEOUT)
        m->slow_polls |= bit;
    else if (ended != ENDED_LOST)
        m->slow_polls &= ~bit;
    if (is_sim && ended == ENDED_OK)
        session_sim_look(m, m->sim_said, -1);
    else if (is_sim && ended == ENDED_ERROR && e->result == AT_CME_ERROR)
        session_sim_look(m, NULL, e->code);
}

/* Those that the modem does not know are left out; then nothing says which stores it has. */
static bool is_left_out(struct modem *m, const struct step *s)
{
    bool out = m->unsupported >> (m->poll - 1) & 1;

    m->inbox.is_said |= out && s->line == stores_line;
    return out;
}

bool setup_poll(struct modem *m)
{
    char made[64];

    if (again_next(m))
        return true;
    while (m->poll < POLLS) {
        const struct step *s = &polls[m->poll++];

        if (is_left_out(m, s) || (s->make && !s->make(m, made, sizeof made)))
            continue;
        step_send(m, s, made, poll_done);
        return true;
    }
    return false;
}
