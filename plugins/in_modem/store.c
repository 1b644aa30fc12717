/* SPDX-License-Identifier: Apache-2.0
 *
 * store.c - the modem's stores of messages: chosen, listed, read, and what is safe
 * deleted. See modem.h.
 *
 * Messages may come to another store than the one that is listed. Each store that the
 * modem names is listed in its turn, at once when something came, and now and then,
 * since a word of the modem may get lost. What fails is tried again, ever later: other
 * work goes on between. A place is deleted only where the list that named it was of the
 * same store and the same session.
 *
 * Not here: what a message is (inbox.c), which are known (known.c). */
#include "modem.h"

#include <stdio.h>
#include <string.h>

#define LIST_EVERY_NS (120 * SECOND_NS)
#define LIST_PAUSE_NS SECOND_NS /* the SIM may be slow */
#define AGAIN_FIRST_NS SECOND_NS
#define AGAIN_LAST_NS (5 * SECOND_NS) /* a full store takes nothing meanwhile */
#define REFUSED_NS (60 * SECOND_NS)
enum { ODD_MOST = 3, PLACES_UNSAID = 32, PLACES_MOST = 2000 };

static int64_t longer(int64_t delay)
{
    return delay == 0 ? AGAIN_FIRST_NS : 2 * delay < AGAIN_LAST_NS ? 2 * delay : AGAIN_LAST_NS;
}

static void all_due(struct inbox *b)
{
    uint32_t i;

    for (i = 0; i < b->store_count; i++)
        b->stores[i].due = true;
}

/* ---- which there are ---- */

static bool is_word(const char *name)
{
    return name[0] && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == strlen(name);
}

/* "MT" is all of them together. */
static bool is_all(const struct inbox *b)
{
    return b->store_count > 0 && strcmp(b->stores[0].name, "MT") == 0;
}

/* What lies where is found anew; what is under way now is of none of them. */
static void stores_forget(struct inbox *b)
{
    b->store_count = 0;
    b->arrival_count = 0;
    b->reading = b->places = 0;
    b->current = b->choosing = NO_STORE;
    known_lose(b);
}

static uint8_t store_add(struct inbox *b, const char *name)
{
    uint8_t i;

    for (i = 0; i < b->store_count; i++)
        if (strcmp(b->stores[i].name, name) == 0)
            return i;
    if (is_all(b))
        return 0;
    if (strcmp(name, "MT") == 0 && b->no_all)
        return NO_STORE;
    if (strcmp(name, "MT") == 0)
        stores_forget(b);
    if (b->store_count == STORES_MOST)
        return NO_STORE;
    b->stores[b->store_count] = (struct store){ .due = true };
    (void)snprintf(b->stores[b->store_count].name, sizeof b->stores[0].name, "%s", name);
    return b->store_count++;
}

/* More is in it than is known: a word of the modem got lost. What is never known (drafts)
 * is no news. */
static void store_count_look(struct modem *m, uint8_t store, int32_t used)
{
    struct inbox *b = &m->inbox;
    int32_t unknown = used - (int32_t)known_in(b, store);

    if (unknown > 0 && unknown != b->stores[store].unknown)
        b->stores[store].due = true;
    b->stores[store].unknown = unknown;
}

void store_said(struct modem *m)
{
    struct inbox *b = &m->inbox;
    const struct at_stores *s = &m->stores;
    uint32_t i, last = s->count - 1;
    uint8_t store;

    b->is_said = true;
    if (b->store_count > 0 && !b->stores[0].name[0] && s->name[0][0] && !b->no_all)
        stores_forget(b); /* the one without a name is one of these */
    for (i = 0; i < s->count; i++) {
        store = is_word(s->name[i]) ? store_add(b, s->name[i]) : NO_STORE;
        if (i == 0 && s->name[0][0] && b->store_count > 0 && b->stores[0].name[0])
            b->current = store != NO_STORE && strcmp(b->stores[store].name, s->name[0]) == 0 ? store : NO_STORE;
        if ((i == 0 || i == last) && store != NO_STORE)
            store_count_look(m, store, s->used[i]);
    }
}

void store_ready(struct modem *m)
{
    struct inbox *b = &m->inbox;
    uint8_t i;

    if (b->store_count == 0)
        b->current = store_add(b, "");
    for (i = 0; i < b->store_count; i++)
        b->stores[i].retry_ns = m->now;
    all_due(b);
    b->list_ns = b->delete_ns = m->now;
    b->list_delay_ns = b->delete_delay_ns = 0;
    b->all_ns = m->now + LIST_EVERY_NS;
}

void store_left(struct modem *m)
{
    if (m->inbox.is_left)
        all_due(&m->inbox);
    m->inbox.is_left = false;
}

/* Where things lie is of the modem as it was. */
void store_lost(struct modem *m)
{
    struct inbox *b = &m->inbox;

    b->listing = b->is_sure = b->no_list = b->is_said = false;
    b->reading = b->places = 0;
    b->arrival_count = 0;
    b->odd_lists = 0;
    b->current = NO_STORE;
    known_lose(b);
}

void store_touched(struct modem *m)
{
    store_lost(m);
    all_due(&m->inbox);
}

/* It may have come to another store than the one that is listed. */
void store_arrival(struct modem *m, const char *line)
{
    struct inbox *b = &m->inbox;
    struct at_arrival arrival;
    uint8_t store = NO_STORE;
    bool by_place;

    if (at_arrival_read(line, &arrival) == AT_FINE && is_word(arrival.store) && (b->is_said || b->store_count == 0 || b->stores[0].name[0]))
        store = store_add(b, arrival.store);
    if (store == NO_STORE) {
        all_due(b);
        return;
    }
    by_place = b->no_list && b->arrival_count < ARRIVALS_MOST && b->stores[store].retry_ns <= m->now;
    b->stores[store].due |= !by_place;
    if (by_place)
        b->arrivals[b->arrival_count++] = (struct arrival){ arrival.index, store };
}

/* ---- choosing ---- */

/* What came to a store that is refused is found by its next list. */
static void arrivals_drop(struct inbox *b, uint8_t store)
{
    uint32_t i, kept = 0;

    for (i = 0; i < b->arrival_count; i++)
        if (b->arrivals[i].store != store)
            b->arrivals[kept++] = b->arrivals[i];
    b->stores[store].due |= kept < b->arrival_count;
    b->arrival_count = kept;
}

/* Some modems name "MT" where they say what came, and cannot choose it. */
static void all_refused(struct modem *m)
{
    struct inbox *b = &m->inbox;
    uint32_t i;

    b->no_all = true;
    stores_forget(b);
    for (i = 0; i < m->stores.count; i++)
        if (is_word(m->stores.name[i]))
            (void)store_add(b, m->stores.name[i]);
    if (b->store_count == 0)
        b->current = store_add(b, "");
}

static void choose_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    struct inbox *b = &m->inbox;
    struct event *told;
    struct store *s;

    if (b->choosing == NO_STORE)
        return;
    s = &b->stores[b->choosing];
    if (ended == ENDED_OK) {
        b->current = b->choosing;
        b->is_sure = true;
        s->told = false;
    }
    if (ended != ENDED_ERROR)
        return;
    if (strcmp(s->name, "MT") == 0) {
        all_refused(m);
        return;
    }
    s->retry_ns = m->now + REFUSED_NS;
    arrivals_drop(b, b->choosing);
    if (s->told)
        return;
    s->told = true;
    told = event_add(m, EVENT_STORE_REFUSED, s->name);
    (void)snprintf(told->why, sizeof told->why, "AT+CPMS: %s; what came to this store stays in it until it can be chosen; or set "
                   "`store` to one that the modem knows", at_error_words(e->result, e->code));
}

/* True: a command that chooses it was sent. `sure`: nobody may have chosen another. */
static bool choose(struct modem *m, uint8_t store, bool sure)
{
    struct inbox *b = &m->inbox;
    char text[32];

    if (b->current == store && (!sure || b->is_sure || b->store_count == 1))
        return false;
    if (!b->stores[store].name[0]) {
        b->current = store;
        return false;
    }
    b->choosing = store;
    b->current = NO_STORE;
    (void)snprintf(text, sizeof text, "AT+CPMS=\"%s\"", b->stores[store].name);
    engine_send(m, &(struct request){ .text = text, .prefix = "+CPMS:", .timeout_ns = 10 * SECOND_NS, .done = choose_done });
    return true;
}

/* ---- lists ---- */

static void look_begin(struct inbox *b)
{
    b->stores[b->current].due = false;
    b->listing = true;
    b->is_odd = b->is_sure = false;
    b->lists++;
    known_unsee(b);
}

static void look_failed(struct modem *m)
{
    struct inbox *b = &m->inbox;

    b->listing = false;
    if (b->current != NO_STORE)
        b->stores[b->current].due = true;
    b->list_delay_ns = longer(b->list_delay_ns);
    b->list_ns = m->now + b->list_delay_ns;
}

/* Of a list with noise in it nobody can say what it does not have; one that is always
 * so is as the modem writes it. */
static void look_end(struct modem *m)
{
    struct inbox *b = &m->inbox;

    if (b->current == NO_STORE) {
        look_failed(m);
        return;
    }
    b->listing = false;
    b->list_ns = m->now + LIST_PAUSE_NS;
    b->list_delay_ns = 0;
    b->odd_lists = b->is_odd ? b->odd_lists + 1 : 0;
    if (b->is_odd && b->odd_lists < ODD_MOST)
        b->stores[b->current].due = true;
    else
        known_listed(b);
}

static void list_line(struct modem *m, const struct at_event *e)
{
    if (m->inbox.current != NO_STORE)
        inbox_line(m, e, NO_SLOT);
}

static void list_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    struct inbox *b = &m->inbox;

    if (ended == ENDED_OK) {
        look_end(m);
        return;
    }
    look_failed(m);
    b->no_list = ended == ENDED_ERROR && (e->result == AT_ERROR || e->code == 4 || e->code == 303);
    b->list_ns = b->no_list ? m->now : b->list_ns;
}

static bool list_send(struct modem *m)
{
    look_begin(&m->inbox);
    engine_send(m, &(struct request){ .text = "AT+CMGL=4", .prefix = "+CMGL:", .flags = AT_BODY,
                                      .timeout_ns = 60 * SECOND_NS, .line = list_line, .done = list_done });
    return true;
}

/* ---- places one by one, where there is no list ---- */

static void read_line(struct modem *m, const struct at_event *e)
{
    struct inbox *b = &m->inbox;

    if (b->current != NO_STORE)
        inbox_line(m, e, b->reading ? b->reading : b->arrivals[0].slot);
}

/* What an empty place answers: 321, 21, 22; or it says no more than ERROR, as a SIM
 * that fails does. Where no place has said anything else, nothing is known of what
 * was there. */
static void place_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    struct inbox *b = &m->inbox;
    bool is_empty = ended == ENDED_ERROR && (e->code == 321 || e->code == 21 || e->code == 22);

    if (ended == ENDED_LOST || ended == ENDED_TIMEOUT)
        return;
    b->is_odd |= ended == ENDED_ERROR && !is_empty && e->code != -1;
    b->is_answered |= ended == ENDED_OK || is_empty;
    if (b->reading++ < b->places)
        return;
    b->reading = b->places = 0;
    if (b->is_answered || !known_may_go(b, b->current)) {
        look_end(m);
        return;
    }
    look_failed(m);
    b->list_ns = m->now + REFUSED_NS;
}

static void arrival_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    struct inbox *b = &m->inbox;

    (void)e;
    if (ended == ENDED_LOST || ended == ENDED_TIMEOUT || b->arrival_count == 0)
        return;
    b->stores[b->arrivals[0].store].due |= b->is_odd; /* all places, then */
    b->arrival_count--;
    memmove(b->arrivals, b->arrivals + 1, b->arrival_count * sizeof b->arrivals[0]);
}

static bool read_send(struct modem *m, uint16_t slot, void (*done)(struct modem *m, enum ended ended, const struct at_event *e))
{
    char text[32];

    m->inbox.is_sure = false;
    (void)snprintf(text, sizeof text, "AT+CMGR=%u", (unsigned)slot);
    engine_send(m, &(struct request){ .text = text, .prefix = "+CMGR:", .flags = AT_BODY, .timeout_ns = 10 * SECOND_NS,
                                      .line = read_line, .done = done });
    return true;
}

static bool places_send(struct modem *m)
{
    struct inbox *b = &m->inbox;
    int32_t said = m->stores.count > 0 ? m->stores.total[0] : 0;

    look_begin(b);
    b->reading = 1;
    b->is_answered = false;
    b->places = (uint16_t)(said <= 0 ? PLACES_UNSAID : said < PLACES_MOST ? said : PLACES_MOST);
    return read_send(m, b->reading, place_done);
}

static bool arrival_send(struct modem *m)
{
    struct inbox *b = &m->inbox;

    if (choose(m, b->arrivals[0].store, false))
        return true;
    b->lists++;
    b->is_odd = false;
    return read_send(m, b->arrivals[0].slot, arrival_done);
}

/* ---- deleting ---- */

static bool is_deletable(const struct modem *m, const struct given *g)
{
    return g->safe && !g->at.old && g->slot != NO_SLOT && g->at.store < m->inbox.store_count &&
           m->inbox.stores[g->at.store].retry_ns <= m->now;
}

/* One of the store that is chosen before others. */
static struct given *deletable(struct modem *m)
{
    struct inbox *b = &m->inbox;
    struct given *other = NULL;
    uint32_t i;

    for (i = 0; i < b->given_count; i++) {
        if (!is_deletable(m, &b->given[i]))
            continue;
        if (b->given[i].at.store == b->current)
            return &b->given[i];
        other = other ? other : &b->given[i];
    }
    return other;
}

static struct given *given_at(struct inbox *b, const struct place *p)
{
    uint32_t i;

    for (i = 0; i < b->given_count; i++)
        if (b->given[i].slot == p->slot && b->given[i].at.store == p->store && !b->given[i].at.old)
            return &b->given[i];
    return NULL;
}

/* It may be gone all the same, and another be at its place: a list must name it
 * again. Others have their turn before it. */
static void given_doubt(struct inbox *b, struct given *g)
{
    struct given doubtful = *g;
    uint32_t behind = b->given_count - 1 - (uint32_t)(g - b->given);

    b->stores[g->at.store].due = true;
    doubtful.at.old = true;
    doubtful.at.looked = 0;
    memmove(g, g + 1, behind * sizeof *g);
    g[behind] = doubtful;
}

/* "invalid index": it is gone already. */
static void delete_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    struct inbox *b = &m->inbox;
    bool is_done = ended == ENDED_OK || (ended == ENDED_ERROR && (e->code == 321 || e->code == 21));
    struct given *g;

    if (ended == ENDED_LOST || ended == ENDED_TIMEOUT)
        return;
    g = given_at(b, &b->deleting);
    if (g && is_done)
        g->at = (struct place){ .slot = NO_SLOT, .store = NO_STORE };
    else if (g)
        given_doubt(b, g);
    if (is_done)
        store_left(m);
    b->delete_delay_ns = is_done ? 0 : longer(b->delete_delay_ns);
    b->delete_ns = m->now + b->delete_delay_ns;
}

static bool delete_send(struct modem *m, const struct given *g)
{
    char text[32];

    m->inbox.deleting = g->at;
    (void)snprintf(text, sizeof text, "AT+CMGD=%u", (unsigned)g->slot);
    engine_send(m, &(struct request){ .text = text, .timeout_ns = 10 * SECOND_NS, .done = delete_done });
    return true;
}

/* ---- what is next ---- */

static uint8_t due_store(const struct modem *m)
{
    const struct inbox *b = &m->inbox;
    uint8_t i;

    if (b->current != NO_STORE && b->stores[b->current].due)
        return b->current;
    for (i = 0; i < b->store_count; i++)
        if (b->stores[i].due && b->stores[i].retry_ns <= m->now)
            return i;
    return NO_STORE;
}

bool store_next(struct modem *m)
{
    struct inbox *b = &m->inbox;
    const struct given *g = m->now >= b->delete_ns && !b->reading ? deletable(m) : NULL;
    uint8_t store;

    if (g)
        return choose(m, g->at.store, true) || delete_send(m, g);
    if (b->reading)
        return read_send(m, b->reading, place_done);
    if (b->no_list && b->arrival_count > 0 && b->stores[b->arrivals[0].store].retry_ns <= m->now)
        return arrival_send(m);
    if (m->now >= b->all_ns) {
        b->all_ns = m->now + LIST_EVERY_NS;
        b->no_list = false;
        all_due(b);
    }
    store = m->now >= b->list_ns ? due_store(m) : NO_STORE;
    if (store == NO_STORE)
        return false;
    return choose(m, store, false) || (b->no_list ? places_send(m) : list_send(m));
}

int64_t store_due(const struct modem *m)
{
    const struct inbox *b = &m->inbox;
    int64_t due = b->all_ns;
    uint32_t i;

    for (i = 0; i < b->store_count; i++)
        if (b->stores[i].due)
            due = earlier(due, b->stores[i].retry_ns > b->list_ns ? b->stores[i].retry_ns : b->list_ns);
    for (i = 0; i < b->given_count; i++)
        if (b->given[i].safe && !b->given[i].at.old && b->given[i].slot != NO_SLOT && b->delete_ns > m->now)
            due = earlier(due, b->delete_ns);
    return due;
}
