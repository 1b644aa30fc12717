/* uplink.c - see uplink.h.
 *
 * Under its lock: how links stand, the choice, what was spent. A plugin's thread may look
 * at any time, the lane looks once a turn; what the lane asks for each queue stands in
 * atomics. Lock order: this one, then the flow's say_lock.
 *
 * Not here: the store's side (uplink_kept.c), interfaces (uplink_interface.c). */
#include "flow/uplink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/acks.h"
#include "flow/lane.h"
#include "flow/link_state.h"
#include "flow/uplink_inside.h"

enum { FAILS = 2, RESERVE = 128 /* places of the window that are for alarms */ };
#define SECOND INT64_C(1000000000)
#define HOLD_FIRST_NS (30 * SECOND)
#define HOLD_LAST_NS (600 * SECOND)
#define AHEAD_MOST (UINT64_C(64) << 20)
#define AHEAD_SECONDS 3.0
#define RATE_NS SECOND
#define SAY_NS (10 * SECOND) /* a link that comes and goes does not fill the log */
#define LOOK_NS (60 * SECOND) /* the wall clock may be set while a budget waits for its day */
#define RATE_SHARE 0.3

/* ---- links as they are ---- */

/* Of the i-th link of the sink. False: its node has not said anything yet. */
static bool state_of(struct uplink *u, uint32_t i, struct aff_link *ret)
{
    const struct plan_link *link = uplink_link(u, i);

    *ret = (struct aff_link){ .up = link->is_up, .metered = link->is_metered, .roaming = link->is_roaming,
                              .technology = link->technology };
    if (link->node != PLAN_NONE)
        return link_state_of(u->node->flow, link->node, ret);
    if (ret->up && link->interface)
        ret->up = interface_is_up(&u->interfaces, i, link->interface, clock_now(&u->node->flow->clock));
    return true;
}

static struct link_view view_of(struct uplink *u, uint32_t i, int64_t now)
{
    struct uplink_way *way = &u->ways[i];
    struct aff_link state;
    struct link_view view = { 0 };

    view.is_known = state_of(u, i, &state);
    if (!view.is_known)
        return view;
    view.is_up = state.up;
    view.is_metered = state.metered;
    view.is_roaming = state.roaming;
    view.technology = state.technology;
    if (!state.up) {
        way->was_down = true;
        way->is_up = false;
        return view;
    }
    if (!way->is_up) { /* up again: what it failed at before says nothing any more */
        way->is_up = true;
        way->up_ns = now;
        way->held_ns = way->hold_ns = 0;
        way->fails = 0;
    }
    view.free_ns = way->held_ns;
    if (way->was_down && way->up_ns + uplink_link(u, i)->back_after_ns > view.free_ns)
        view.free_ns = way->up_ns + uplink_link(u, i)->back_after_ns;
    return view;
}

/* ---- the choice ---- */

static bool counts(const struct uplink *u, uint32_t i)
{
    return u->rules->link_count == 0 || i >= u->rules->link_count || u->views[i].is_metered;
}

/* What is in the plugin's hands will count; of one that says nothing it does already. */
static uint64_t to_come(const struct uplink *u)
{
    return u->says ? atomic_load_explicit(&u->given, memory_order_relaxed) : 0;
}

/* What of the budget is left, with what is in the plugin's hands. */
static uint64_t left_of(const struct uplink *u)
{
    uint64_t given = to_come(u), left = UINT64_MAX, spent;

    spent = u->spent.day_bytes + given;
    if (u->rules->per_day)
        left = spent < u->rules->per_day ? u->rules->per_day - spent : 0;
    spent = u->spent.month_bytes + given;
    if (u->rules->per_month && (spent >= u->rules->per_month || u->rules->per_month - spent < left))
        left = spent < u->rules->per_month ? u->rules->per_month - spent : 0;
    return left;
}

static struct link_spent spent_of(const struct uplink *u)
{
    uint64_t given = to_come(u);

    return (struct link_spent){ .day = u->rules->per_day && u->spent.day_bytes + given >= u->rules->per_day,
                                .month = u->rules->per_month && u->spent.month_bytes + given >= u->rules->per_month };
}

static int64_t again_of(struct uplink *u, int64_t now, int64_t utc)
{
    int64_t again = u->choice.again_ns;
    uint32_t i;

    for (i = 0; i < u->rules->link_count && i <= u->choice.link; i++)
        if (uplink_link(u, i)->interface && uplink_link(u, i)->node == PLAN_NONE && now + SECOND < again)
            again = now + SECOND;
    if ((u->rules->per_day || u->rules->per_month) && now + spent_next_day(utc) - utc < again)
        again = now + spent_next_day(utc) - utc;
    if ((u->choice.why == LINK_WAIT_DAY || u->choice.why == LINK_WAIT_MONTH) && now + LOOK_NS < again)
        again = now + LOOK_NS;
    return again;
}

static void choose(struct uplink *u, int64_t now)
{
    struct link_choice c = link_choose(u->rules, u->views, spent_of(u), now);

    if (c.link != u->choice.link) {
        u->revision++;
        if (c.link != LINK_NO_LINK)
            u->ways[c.link].was_down = false; /* it has proven itself, or there is no other */
        if (c.link != LINK_NO_LINK)
            u->last = c.link;
    }
    u->choice = c;
}

/* Whether a clock that nothing keeps right, and that stands before the day that was booked
 * last, has done so for a day: it was set by hand then, or that day was wrong. */
static bool is_behind_for_good(struct uplink *u, int64_t utc)
{
    int64_t now = clock_now(&u->node->flow->clock);

    if (!spent_is_ahead(&u->spent, utc)) {
        u->behind_ns = INT64_MAX;
        return false;
    }
    if (u->behind_ns == INT64_MAX)
        u->behind_ns = now;
    return now - u->behind_ns >= SPENT_DAY_NS;
}

static int64_t day_turn(struct uplink *u)
{
    const struct aff_host *host = &u->node->host;
    uint8_t clock;
    int64_t utc = host->utc_ns(host, &clock);

    spent_turn(&u->spent, utc, is_behind_for_good(u, utc) || clock == AFF_CLOCK_SYNCED);
    return utc;
}

/* Under the lock. */
static void look(struct uplink *u, int64_t now)
{
    int64_t utc;
    uint32_t i;

    if (u->is_moving)
        return;
    atomic_store_explicit(&u->turn, atomic_load(&u->node->flow->links_turn), memory_order_relaxed);
    utc = day_turn(u);
    for (i = 0; i < u->rules->link_count; i++)
        u->views[i] = view_of(u, i, now);
    choose(u, now);
    atomic_store_explicit(&u->again_ns, again_of(u, now, utc), memory_order_relaxed);
    atomic_store_explicit(&u->limit, u->choice.limit, memory_order_relaxed);
    atomic_store_explicit(&u->left, counts(u, u->choice.link) ? left_of(u) : UINT64_MAX, memory_order_relaxed);
}

/* ---- the lane ---- */

/* How much goes out in three seconds, measured where it was held up by that alone. */
static void ahead_measure(struct uplink *u, int64_t now)
{
    uint64_t done = u->fed - atomic_load_explicit(&u->given, memory_order_relaxed);
    double rate, ahead;

    if (now - u->rated_ns < RATE_NS)
        return;
    rate = (double)(done - u->rated_done) * (double)SECOND / (double)(now - u->rated_ns);
    u->rate += (rate - u->rate) * RATE_SHARE; /* answers come in lumps */
    ahead = u->rate * AHEAD_SECONDS;
    u->ahead = ahead < (double)UPLINK_AHEAD ? UPLINK_AHEAD : ahead > (double)AHEAD_MOST ? AHEAD_MOST : (uint64_t)ahead;
    u->rated_done = done;
    u->rated_ns = now;
}

static const char *way_name(const struct uplink *u, uint32_t i)
{
    return i == LINK_NO_LINK ? "none" : uplink_link(u, i)->name;
}

/* Under the lock. A modem needs a while until it knows in what state it is. */
static void say_link(struct uplink *u, int64_t now)
{
    const char *name = u->node->plan->name;

    if (u->rules->link_count == 0 || u->choice.link == u->said || (u->said_ns != 0 && now - u->said_ns < SAY_NS) ||
        (u->choice.why == LINK_WAIT_UNKNOWN && now - u->opened_ns < LOOK_NS))
        return;
    u->said = u->choice.link;
    u->said_ns = now;
    if (u->said == LINK_NO_LINK)
        flow_log(u->node->flow, AFF_LOG_WARN, name, "nothing can leave (%s); what comes is kept", link_wait_word(u->choice.why));
    else
        flow_log(u->node->flow, AFF_LOG_INFO, name, "link %s is used now", way_name(u, u->said));
}

/* Once, until it begins anew. */
static void say_spent(struct uplink *u)
{
    bool day = u->rules->per_day && u->spent.day_bytes >= u->rules->per_day;
    bool month = u->rules->per_month && u->spent.month_bytes >= u->rules->per_month;

    if ((day || month) && !u->said_spent)
        flow_log(u->node->flow, AFF_LOG_WARN, u->node->plan->name, "%s is spent; what when_spent names goes on, the rest is "
                 "kept until the next %s (UTC)", month ? "per_month" : "per_day", month ? "month" : "day");
    u->said_spent = day || month;
}

void uplink_turn(struct node *node, int64_t now)
{
    struct uplink *u = node->uplink;
    bool moved, first;

    if (!u)
        return;
    atomic_store_explicit(&u->given, node->acks ? acks_bytes(node->acks) : 0, memory_order_relaxed);
    ahead_measure(u, now);
    pthread_mutex_lock(&u->lock);
    look(u, now);
    say_link(u, now);
    say_spent(u);
    first = u->told == 0;
    moved = u->revision != u->told;
    u->told = u->revision;
    pthread_mutex_unlock(&u->lock);
    if (!moved)
        return;
    node->late.until_ns = 0; /* what failed by another link is tried at once */
    if (!first)
        node->wake_ns = 0; /* one without a thread of its own, or in a process, learns of it so */
}

bool uplink_lets(const struct node *node, uint8_t priority)
{
    const struct uplink *u = node->uplink;

    if (!u)
        return true;
    if ((int)priority > atomic_load_explicit(&u->limit, memory_order_relaxed))
        return false;
    return priority == AFF_PRIO_ALARM || !node->acks ||
           (atomic_load_explicit(&u->given, memory_order_relaxed) < u->ahead && acks_room(node->acks) > RESERVE);
}

uint64_t uplink_bytes(const struct node *node, uint8_t priority)
{
    const struct uplink *u = node->uplink;
    uint64_t most = UINT64_MAX, given;

    if (!u)
        return most;
    given = atomic_load_explicit(&u->given, memory_order_relaxed);
    if (priority > u->rules->when_spent)
        most = atomic_load_explicit(&u->left, memory_order_relaxed);
    if (priority != AFF_PRIO_ALARM && u->ahead > given && u->ahead - given < most)
        most = u->ahead - given;
    return most;
}

void uplink_fed(struct node *node, uint64_t bytes)
{
    if (node->uplink)
        node->uplink->fed += bytes;
    uplink_fed_again(node, bytes);
}

void uplink_fed_again(struct node *node, uint64_t bytes)
{
    struct uplink *u = node->uplink;

    if (!u)
        return;
    pthread_mutex_lock(&u->lock);
    if (!u->says)
        uplink_book(u, u->choice.link, bytes, 0);
    pthread_mutex_unlock(&u->lock);
}

bool uplink_stirred(const struct node *node)
{
    const struct uplink *u = node->uplink;

    return u && (atomic_load_explicit(&u->turn, memory_order_relaxed) !=
                     atomic_load_explicit(&node->flow->links_turn, memory_order_acquire) ||
                 clock_now(&node->flow->clock) >= atomic_load_explicit(&u->again_ns, memory_order_relaxed));
}

int64_t uplink_until(const struct node *node)
{
    if (!node->uplink || node->flow->clock.is_virtual)
        return INT64_MAX;
    return atomic_load_explicit(&node->uplink->again_ns, memory_order_relaxed);
}

static void tell_move(struct node *node, uint32_t before, uint32_t now)
{
    node->uplink->said = now;
    flow_log(node->flow, AFF_LOG_WARN, node->plan->name, "what was sent by link %s failed; link %s is used now",
             way_name(node->uplink, before), way_name(node->uplink, now));
}

/* Passed over, where there is another: and each time for longer. */
static void way_fail(struct uplink *u, struct uplink_way *way, int64_t now)
{
    if (++way->fails < FAILS && way->hold_ns == 0)
        return;
    way->fails = 0;
    way->hold_ns = way->hold_ns == 0 ? HOLD_FIRST_NS : way->hold_ns < HOLD_LAST_NS / 2 ? way->hold_ns * 2 : HOLD_LAST_NS;
    way->held_ns = now + way->hold_ns;
    look(u, now);
}

/* `index`: the link, or LINK_NO_LINK for the one in use. What is said of another than that
 * comes late. True: another is used from now on. */
static bool tried(struct node *node, uint32_t index, bool worked)
{
    struct uplink *u = node->uplink;
    uint32_t before = u->choice.link, after;

    if (before == LINK_NO_LINK || (index != LINK_NO_LINK && index != before))
        return false;
    if (!worked)
        way_fail(u, &u->ways[before], clock_now(&node->flow->clock));
    else
        u->ways[before].hold_ns = u->ways[before].held_ns = u->ways[before].fails = 0;
    after = u->choice.link;
    if (before != after)
        tell_move(node, before, after);
    return before != after;
}

static bool call_ended(struct node *node, bool worked)
{
    struct uplink *u = node->uplink;
    bool moved = false;

    if (!u || u->rules->link_count < 2)
        return false;
    pthread_mutex_lock(&u->lock);
    if (!u->tries)
        moved = tried(node, LINK_NO_LINK, worked);
    pthread_mutex_unlock(&u->lock);
    return moved;
}

bool uplink_failed(struct node *node)
{
    return call_ended(node, false);
}

void uplink_worked(struct node *node)
{
    call_ended(node, true);
}

/* A thread of the plugin's may have found its node a moment before that was taken over. */
static struct uplink *last_lock(struct uplink *u)
{
    struct uplink *heir;

    pthread_mutex_lock(&u->lock);
    while ((heir = u->heir) != NULL) {
        pthread_mutex_unlock(&u->lock);
        u = heir;
        pthread_mutex_lock(&u->lock);
    }
    return u;
}

void uplink_tried(struct node *node, uint32_t index, aff_status status)
{
    struct uplink *u = node->uplink;
    bool moved;

    if (!u || u->rules->link_count < 2)
        return;
    u = last_lock(u);
    node = u->node;
    u->tries = true;
    moved = tried(node, index, status == AFF_OK);
    pthread_mutex_unlock(&u->lock);
    if (moved) { /* its lane offers again what failed */
        atomic_fetch_add_explicit(&node->flow->links_turn, 1, memory_order_release);
        bell_ring(&node->lane->bell);
    }
}

/* ---- the plugin ---- */

static void fill(const struct uplink *u, struct aff_uplink *said)
{
    const struct plan_link *link = uplink_link(u, u->choice.link);

    said->index = u->choice.link;
    said->metered = u->views[u->choice.link].is_metered;
    said->roaming = u->views[u->choice.link].is_roaming;
    said->technology = u->views[u->choice.link].technology;
    snprintf(said->name, sizeof said->name, "%s", link->name);
    snprintf(said->interface, sizeof said->interface, "%s", link->interface ? link->interface : "");
}

aff_status uplink_tell(struct node *node, struct aff_uplink *ret)
{
    struct uplink *u = node->uplink;
    struct aff_uplink said = { 0 };
    uint32_t size = ret->struct_size < sizeof said ? ret->struct_size : (uint32_t)sizeof said;
    aff_status st = AFF_OK;

    if (!u)
        return AFF_END;
    u = last_lock(u);
    look(u, clock_now(&u->node->flow->clock));
    said.revision = u->revision;
    if (u->choice.link != LINK_NO_LINK)
        fill(u, &said);
    else if (u->rules->link_count == 0)
        st = AFF_END;
    else
        st = AFF_AGAIN;
    pthread_mutex_unlock(&u->lock);
    said.struct_size = size;
    memcpy(ret, &said, size);
    return st;
}

/* What a kill may make forgotten of a budget, and of totals all that came since the last
 * commit. */
static uint64_t unsafe_most(const struct link_rules *rules)
{
    uint64_t day = rules->per_day ? rules->per_day : UINT64_MAX, month = rules->per_month ? rules->per_month : UINT64_MAX;
    uint64_t least = day < month ? day : month;

    if (least == UINT64_MAX)
        return least;
    return least / UPLINK_SHARE > UPLINK_UNSAVED ? least / UPLINK_SHARE : UPLINK_UNSAVED;
}

void uplink_book(struct uplink *u, uint32_t index, uint64_t sent, uint64_t received)
{
    uint32_t i = index < u->rules->link_count ? index : u->last;

    if (sent == 0 && received == 0)
        return;
    (void)day_turn(u); /* what goes right behind midnight belongs to its day */
    spent_add(&u->spent, sent, received, counts(u, i));
    u->unsaved += sent + received;
    u->unsafe += counts(u, i) ? sent + received : 0;
    if (u->unsafe >= unsafe_most(u->rules) && u->node->flow->kept)
        atomic_store(&u->is_due, true);
}

void uplink_spend(struct node *node, uint32_t index, uint64_t sent, uint64_t received)
{
    struct uplink *u = node->uplink;
    bool due;

    if (!u)
        return;
    u = last_lock(u);
    node = u->node;
    u->says = true;
    uplink_book(u, index, sent, received);
    due = atomic_load(&u->is_due);
    pthread_mutex_unlock(&u->lock);
    if (due && node->flow->kept)
        node->flow->kept->ring(node->flow->kept->self);
}

/* ---- for who looks ---- */

bool uplink_figures(struct flow *flow, uint32_t node, struct uplink_figures *ret)
{
    struct uplink *u = flow->nodes[node].uplink;

    if (!u)
        return false;
    pthread_mutex_lock(&u->lock);
    look(u, clock_now(&flow->clock));
    *ret = (struct uplink_figures){ .choice = u->choice, .spent = u->spent, .now_ns = clock_now(&flow->clock),
                                    .is_guessed = !u->says };
    memcpy(ret->views, u->views, sizeof ret->views);
    pthread_mutex_unlock(&u->lock);
    return true;
}
