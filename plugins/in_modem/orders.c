/* SPDX-License-Identifier: Apache-2.0
 *
 * orders.c - commands: taken, carried out one at a time, and what became of them.
 * See modem.h.
 *
 * The host holds each until its outcome is known, so it outlives a restart and is
 * carried out at least once. One that waits to be tried again lets others pass. */
#include "modem.h"

#include <stdio.h>
#include <string.h>

#define USSD_NS (60 * SECOND_NS)
#define RAW_NS (30 * SECOND_NS)
enum { RAW_MOST = 256 };

const char *const order_names[ORDER_NONE + 1] = {
    [ORDER_SMS] = "sms",         [ORDER_ALERT] = "alert",           [ORDER_USSD] = "ussd", [ORDER_RESET] = "reset",
    [ORDER_CONNECT] = "connect", [ORDER_DISCONNECT] = "disconnect", [ORDER_AT] = "at",     [ORDER_NONE] = "",
};

/* ---- rows ---- */

static int32_t column_of(const struct aff_schema *schema, const char *name, uint8_t type)
{
    uint32_t i;

    for (i = 0; schema && i < schema->count; i++) {
        const struct aff_column *c = (const void *)((const char *)schema->columns + (size_t)i * schema->stride);

        if (c->name && strcmp(c->name, name) == 0 && c->type == type)
            return (int32_t)i;
    }
    return -1;
}

static const struct aff_schema *rows_of(struct modem *m, const struct aff_record *r)
{
    const struct aff_schema *schema = m->host->schema_info(m->host, r->schema);

    return schema && schema->type == AFF_FIELDS && r->size >= aff_row_size(schema->count, 0) ? schema : NULL;
}

const char *order_text(struct modem *m, const struct aff_record *r, const char *column, uint32_t *ret_size)
{
    const struct aff_schema *schema = rows_of(m, r);
    int32_t at = column_of(schema, column, AFF_TEXT);

    *ret_size = 0;
    return at >= 0 && aff_row_has(r, (uint32_t)at) ? aff_row_text(r, schema->count, (uint32_t)at, ret_size) : NULL;
}

int64_t order_id(struct modem *m, const struct aff_record *r)
{
    const struct aff_schema *schema = rows_of(m, r);
    int32_t at = column_of(schema, "id", AFF_INT);

    return at >= 0 && aff_row_has(r, (uint32_t)at) ? aff_row_int(r, schema->count, (uint32_t)at) : INT64_MIN;
}

static bool text_is(const char *text, uint32_t size, const char *wanted)
{
    return text && strlen(wanted) == size && memcmp(text, wanted, size) == 0;
}

static enum order_kind kind_of(struct modem *m, const struct aff_record *r)
{
    static const char *const alert[] = { "severity", "rule", "place", "text" };
    uint32_t size, i;
    const char *name = order_text(m, r, "command", &size);

    for (i = 0; name && i < ORDER_NONE; i++)
        if (i != ORDER_ALERT && text_is(name, size, order_names[i]))
            return (enum order_kind)i;
    for (i = 0; i < 4 && !name; i++)
        if (!order_text(m, r, alert[i], &size))
            return ORDER_NONE;
    return name ? ORDER_NONE : ORDER_ALERT;
}

/* A text of printable ASCII without quotes, of at most `most` bytes. */
static bool is_plain(const char *text, uint32_t size, uint32_t most)
{
    uint32_t i;

    if (!text || size == 0 || size > most)
        return false;
    for (i = 0; i < size; i++)
        if (text[i] < 0x20 || text[i] > 0x7e || text[i] == '"')
            return false;
    return true;
}

static bool number_is_ok(const char *text, uint32_t size)
{
    char number[SMS_NUMBER_MOST + 2];

    if (!text || size >= sizeof number)
        return false;
    memcpy(number, text, size);
    number[size] = '\0';
    return sms_number_ok(number);
}

/* NULL: it can be carried out. */
static const char *order_problem(struct modem *m, const struct aff_record *r, enum order_kind kind)
{
    uint32_t size;
    const char *text;

    switch (kind) {
    case ORDER_NONE:
        return "no command of ours and no alert";
    case ORDER_SMS:
        text = order_text(m, r, "to", &size);
        return number_is_ok(text, size) ? NULL : "`to` is no number of at most 20 digits";
    case ORDER_USSD:
        text = order_text(m, r, "text", &size);
        return is_plain(text, size, 160) ? NULL : "`text` is no code of printable characters";
    case ORDER_AT:
        text = order_text(m, r, "text", &size);
        if (!m->config->allow_raw)
            return "commands in AT are refused; set allow_raw to allow them";
        /* quotes are part of most commands */
        return text && size > 1 && size <= RAW_MOST && (text[0] | 32) == 'a' && (text[1] | 32) == 't' &&
                       !memchr(text, '\r', size) && !memchr(text, '\n', size) && !memchr(text, '\0', size) &&
                       !memchr(text, 0x1a, size)
                   ? NULL : "`text` is no command of one line that begins with AT";
    default:
        return NULL;
    }
}

/* ---- taking ---- */

static bool alert_is_wanted(struct modem *m, const struct aff_record *r)
{
    const struct aff_list *wanted = &m->config->alert_state;
    uint32_t size, i;
    const char *state = order_text(m, r, "state", &size);
    bool known = false;

    for (i = 0; state && i < ALERT_STATES; i++)
        known |= text_is(state, size, alert_state_names[i]);
    for (i = 0; known && i < wanted->count; i++)
        if (text_is(state, size, alert_state_names[((const int32_t *)wanted->items)[i]]))
            return true;
    return !known;
}

static aff_status refuse(struct modem *m, const struct aff_batch *batch, uint32_t input, uint8_t verdict, const char *why)
{
    enum order_kind kind = kind_of(m, &batch->records[input]);
    struct result_row row = { .command = order_names[kind], .outcome = verdict == VERDICT_TOO_MANY ? "too_many" : "bad_command",
                              .why = why, .id = order_id(m, &batch->records[input]), .reference = INT64_MIN,
                              .parts = INT64_MIN, .code = INT64_MIN, .tries = 0, .took_s = 0 };
    aff_status st = result_emit(m, input, &row);

    if (st == AFF_OK)
        batch->verdicts[input] = verdict;
    return st;
}

static void order_add(struct modem *m, const struct aff_record *held)
{
    m->outbox.orders[m->outbox.count++] =
        (struct order){ .record = held, .kind = kind_of(m, held), .queued_ns = m->host->now_ns(m->host), .code = -1 };
    m->host->gauge(m->host, METRIC_QUEUED, m->outbox.count);
}

static aff_status take(struct modem *m, const struct aff_batch *batch, uint32_t input)
{
    const struct aff_record *r = &batch->records[input], *held;
    enum order_kind kind = kind_of(m, r);
    const char *problem = order_problem(m, r, kind);

    if (problem)
        return refuse(m, batch, input, VERDICT_BAD_COMMAND, problem);
    if (kind == ORDER_ALERT && (m->config->alert_to.count == 0 || !alert_is_wanted(m, r))) {
        batch->verdicts[input] = m->config->alert_to.count ? VERDICT_FILTERED : VERDICT_NOBODY;
        return AFF_OK;
    }
    if (m->outbox.count == ORDERS_MOST)
        return refuse(m, batch, input, VERDICT_TOO_MANY, "too many commands wait");
    held = m->host->hold(m->host, r);
    if (!held)
        return m->host->explain(m->host, AFF_ERR_MEMORY, "no room to keep a command; raise run.max_held");
    batch->verdicts[input] = VERDICT_QUEUED;
    order_add(m, held);
    return AFF_OK;
}

aff_status orders_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct modem *m = self;
    aff_status st;

    for (*ret_taken = 0; *ret_taken < batch->count; (*ret_taken)++) {
        st = take(m, batch, *ret_taken);
        if (st != AFF_OK)
            return st;
    }
    m->host->wake_at(m->host, m->host->now_ns(m->host));
    return AFF_OK;
}

/* The host keeps the commands; here they only take their place again. */
void orders_restore(struct modem *m)
{
    const struct aff_record *held;
    uint32_t i;

    m->outbox.count = 0;
    for (i = 0; i < ORDERS_MOST && (held = m->host->held(m->host, i)) != NULL; i++) {
        order_add(m, held);
        if (order_problem(m, held, m->outbox.orders[i].kind))
            order_end(m, &m->outbox.orders[i], VERDICT_BAD_COMMAND, "refused since the options changed");
        else if (m->outbox.orders[i].kind == ORDER_ALERT && m->config->alert_to.count == 0)
            order_end(m, &m->outbox.orders[i], VERDICT_NOBODY, "alert_to names no number any more");
    }
}

/* ---- carrying out ---- */

void order_end(struct modem *m, struct order *o, uint8_t outcome, const char *why)
{
    (void)m;
    o->outcome = outcome;
    o->running = o->waits = false;
    (void)snprintf(o->why, sizeof o->why, "%s", why ? why : "");
}

struct order *order_running(struct modem *m)
{
    uint32_t i;

    for (i = 0; i < m->outbox.count; i++)
        if (m->outbox.orders[i].running)
            return &m->outbox.orders[i];
    return NULL;
}

static void order_again(struct modem *m, struct order *o, const char *why)
{
    o->running = o->waits = false;
    if (o->tries++ >= m->config->retries)
        order_end(m, o, VERDICT_FAILED, why);
    else
        o->next_ns = m->now + (5 * SECOND_NS << (o->tries < 6 ? o->tries - 1 : 5));
}

static void reply_line(struct modem *m, const struct at_event *e)
{
    char *reply = m->outbox.reply;
    size_t used = strlen(reply);

    (void)snprintf(reply + used, sizeof m->outbox.reply - used, "%s%s", used ? "\n" : "", e->line);
}

/* Of USSD, AT and reset. */
static void plain_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    struct order *o = order_running(m);

    if (!o)
        return;
    if (o->kind == ORDER_AT)
        store_touched(m);
    if (ended == ENDED_LOST && o->kind == ORDER_RESET) {
        order_end(m, o, VERDICT_DONE, NULL);
    } else if (ended == ENDED_LOST || ended == ENDED_TIMEOUT) {
        order_again(m, o, ended == ENDED_LOST ? "the line was lost" : "the modem did not answer");
    } else if (ended == ENDED_ERROR) {
        o->code = e->code;
        order_end(m, o, VERDICT_FAILED, at_error_words(e->result, e->code));
    } else if (o->kind == ORDER_USSD) {
        o->running = false;
        o->waits = true;
        o->next_ns = m->now + USSD_NS;
    } else {
        order_end(m, o, VERDICT_DONE, NULL);
        if (o->kind == ORDER_RESET)
            session_sync(m, 5 * SECOND_NS);
    }
}

static void plain_send(struct modem *m, struct order *o)
{
    char text[RAW_MOST + 32];
    uint32_t size;
    const char *what = order_text(m, o->record, "text", &size);
    bool raw = o->kind == ORDER_AT;

    m->outbox.reply[0] = '\0';
    o->running = true;
    if (raw)
        (void)snprintf(text, sizeof text, "%.*s", (int)size, what);
    else if (o->kind == ORDER_USSD)
        (void)snprintf(text, sizeof text, "AT+CUSD=1,\"%.*s\",15", (int)(size < 160 ? size : 160), what);
    else
        (void)snprintf(text, sizeof text, "AT+CFUN=1,1");
    engine_send(m, &(struct request){ .text = text, .flags = raw ? AT_PLAIN : 0u, .timeout_ns = RAW_NS,
                                      .line = raw ? reply_line : NULL, .done = plain_done });
}

/* The answer to the oldest that waits for one. */
void orders_ussd(struct modem *m, const struct at_ussd *u)
{
    uint32_t i;

    for (i = 0; i < m->outbox.count; i++) {
        struct order *o = &m->outbox.orders[i];

        if (o->kind != ORDER_USSD || o->outcome || !(o->waits || o->running))
            continue;
        if (o->running)
            o->waits = true; /* it came before OK did */
        (void)snprintf(m->outbox.reply, sizeof m->outbox.reply, "%s", u->text);
        order_end(m, o, u->status <= 2 ? VERDICT_DONE : VERDICT_FAILED, u->status <= 2 ? NULL : "the network did not take it");
        return;
    }
}

static void link_want(struct modem *m, struct order *o)
{
    if (!m->config->apn) {
        order_end(m, o, VERDICT_FAILED, "no apn is set");
        return;
    }
    m->net.wanted = o->kind == ORDER_CONNECT;
    m->net.next_ns = m->now;
    m->net.delay_ns = 0;
    order_end(m, o, VERDICT_DONE, NULL);
}

/* The reply that is to be told is one for all, and so is that which USSD waits for. */
static bool reply_is_free(const struct modem *m)
{
    uint32_t i;

    for (i = 0; i < m->outbox.count; i++)
        if (m->outbox.orders[i].waits)
            return false;
    return true;
}

static bool any_ended(const struct modem *m)
{
    uint32_t i;

    for (i = 0; i < m->outbox.count; i++)
        if (m->outbox.orders[i].outcome)
            return true;
    return false;
}

/* One at a time, and each only when what is told of others has left. */
bool orders_next(struct modem *m)
{
    uint32_t i;

    if (m->outbox.told_count > REPORTS_MOST / 2 || any_ended(m))
        return false;
    for (i = 0; i < m->outbox.count; i++) {
        struct order *o = &m->outbox.orders[i];

        if (o->outcome || o->waits || o->next_ns > m->now)
            continue;
        if (o->kind == ORDER_CONNECT || o->kind == ORDER_DISCONNECT) {
            link_want(m, o);
            return false;
        }
        if (o->kind != ORDER_SMS && o->kind != ORDER_ALERT) {
            if (!reply_is_free(m))
                continue;
            plain_send(m, o);
            return true;
        }
        if (session_is_registered(m) && outbox_next(m, o))
            return true;
    }
    return false;
}

/* ---- what became of them ---- */

static void orders_look(struct modem *m)
{
    uint32_t i;

    for (i = 0; i < m->outbox.count; i++) {
        struct order *o = &m->outbox.orders[i];

        if (o->outcome || o->running)
            continue;
        if (o->waits && m->now >= o->next_ns)
            order_end(m, o, VERDICT_FAILED, "the network did not answer");
        else if (!o->waits && m->now - o->queued_ns >= m->config->expire)
            order_end(m, o, o->any_sent ? VERDICT_SENT : VERDICT_EXPIRED, "it waited for longer than `expire`");
    }
}

static const char *outcome_of(uint8_t verdict)
{
    return verdict == VERDICT_DONE      ? "done"
           : verdict == VERDICT_SENT    ? "sent"
           : verdict == VERDICT_EXPIRED ? "expired"
           : verdict == VERDICT_FAILED  ? "failed"
           : verdict == VERDICT_NOBODY  ? "nobody"
                                        : "bad_command";
}

/* Messages were told number by number already, unless they never got that far. */
static bool was_told(const struct order *o)
{
    return (o->kind == ORDER_SMS || o->kind == ORDER_ALERT) && (o->outcome == VERDICT_SENT || o->outcome == VERDICT_FAILED);
}

static aff_status order_release(struct modem *m, struct order *o, uint32_t *want)
{
    struct result_row row = { .command = order_names[o->kind], .outcome = outcome_of(o->outcome), .why = o->why,
                              .reply = o->outcome == VERDICT_DONE ? m->outbox.reply : NULL,
                              .id = order_id(m, o->record), .reference = INT64_MIN, .parts = INT64_MIN,
                              .code = o->code >= 0 ? o->code : INT64_MIN, .tries = o->tries,
                              .took_s = (double)(m->now - o->queued_ns) / 1e9 };
    aff_status st = AFF_OK;

    if (o->kind != ORDER_AT && o->kind != ORDER_USSD)
        row.reply = NULL;
    if (!was_told(o)) {
        st = result_emit(m, AFF_NO_INPUT, &row);
        *want -= st == AFF_OK;
    }
    return st == AFF_OK ? m->host->release(m->host, o->record, o->outcome) : st;
}

static aff_status told_emit(struct modem *m, uint32_t *want)
{
    struct told *t = m->outbox.told;
    aff_status st = AFF_OK;

    while (m->outbox.told_count > 0 && *want > 0) {
        struct result_row row = { .command = order_names[t->kind], .outcome = t->outcome, .why = t->why, .to = t->number,
                                  .id = t->id, .reference = t->reference, .parts = t->parts, .code = t->code,
                                  .tries = t->tries, .took_s = t->took_s };

        st = result_emit(m, AFF_NO_INPUT, &row);
        if (st != AFF_OK)
            break;
        --*want;
        outbox_told(m);
    }
    return st;
}

aff_status orders_emit(struct modem *m, uint32_t *want)
{
    struct outbox *b = &m->outbox;
    aff_status st;
    uint32_t i = 0;

    orders_look(m);
    st = told_emit(m, want);
    while (st == AFF_OK && i < b->count && *want > 0 && b->told_count == 0) {
        if (!b->orders[i].outcome) {
            i++;
            continue;
        }
        st = order_release(m, &b->orders[i], want);
        if (st != AFF_OK)
            break;
        b->count--;
        memmove(b->orders + i, b->orders + i + 1, (b->count - i) * sizeof b->orders[0]);
        m->host->gauge(m->host, METRIC_QUEUED, b->count);
    }
    return st;
}

int64_t orders_due(const struct modem *m)
{
    int64_t due = INT64_MAX;
    uint32_t i;

    for (i = 0; i < m->outbox.count; i++) {
        const struct order *o = &m->outbox.orders[i];

        if (o->outcome)
            return m->now;
        due = earlier(due, o->queued_ns + m->config->expire);
        if (o->next_ns > m->now)
            due = earlier(due, o->next_ns);
    }
    return due;
}
