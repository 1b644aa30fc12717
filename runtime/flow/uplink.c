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

/* What of the budget is left, with what is in the plugin's hands. */
static uint64_t left_of(const struct uplink *u)
{
    uint64_t given = atomic_load_explicit(&u->given, memory_order_relaxed), left = UINT64_MAX, spent;

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
    uint64_t given = atomic_load_explicit(&u->given, memory_order_relaxed);

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

/* Under the lock. */
static void look(struct uplink *u, int64_t now)
{
    const struct aff_host *host = &u->node->host;
    uint8_t clock;
    int64_t utc = host->utc_ns(host, &clock);
    uint32_t i;

    atomic_store_explicit(&u->turn, atomic_load(&u->node->flow->links_turn), memory_order_relaxed);
    spent_turn(&u->spent, utc, clock == AFF_CLOCK_SYNCED);
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

void uplink_turn(struct node *node, int64_t now)
{
    struct uplink *u = node->uplink;
    bool moved;

    if (!u)
        return;
    atomic_store_explicit(&u->given, node->acks ? acks_bytes(node->acks) : 0, memory_order_relaxed);
    ahead_measure(u, now);
    pthread_mutex_lock(&u->lock);
    look(u, now);
    moved = u->revision != u->told;
    u->told = u->revision;
    pthread_mutex_unlock(&u->lock);
    if (moved)
        node->late.until_ns = 0; /* what failed by another link is tried at once */
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
    struct uplink *u = node->uplink;

    if (!u)
        return;
    u->fed += bytes;
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
    if (!node->uplink)
        return INT64_MAX;
    return atomic_load_explicit(&node->uplink->again_ns, memory_order_relaxed);
}

static const char *way_name(const struct uplink *u, uint32_t i)
{
    return i == LINK_NO_LINK ? "none" : uplink_link(u, i)->name;
}

static void tell_move(struct node *node, uint32_t before, uint32_t now)
{
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

void uplink_tried(struct node *node, uint32_t index, aff_status status)
{
    struct uplink *u = node->uplink;
    bool moved;

    if (!u || u->rules->link_count < 2)
        return;
    pthread_mutex_lock(&u->lock);
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
    pthread_mutex_lock(&u->lock);
    look(u, clock_now(&node->flow->clock));
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

void uplink_book(struct uplink *u, uint32_t index, uint64_t sent, uint64_t received)
{
    uint32_t i = index < u->rules->link_count ? index : u->last;

    if (sent == 0 && received == 0)
        return;
    spent_add(&u->spent, sent, received, counts(u, i));
    u->unsaved += sent + received;
    if (u->unsaved >= UPLINK_UNSAVED && u->node->flow->kept)
        atomic_store(&u->is_due, true);
}

void uplink_spend(struct node *node, uint32_t index, uint64_t sent, uint64_t received)
{
    struct uplink *u = node->uplink;
    bool due;

    if (!u)
        return;
    pthread_mutex_lock(&u->lock);
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
    *ret = (struct uplink_figures){ .choice = u->choice, .spent = u->spent, .is_guessed = !u->says };
    memcpy(ret->views, u->views, sizeof ret->views);
    pthread_mutex_unlock(&u->lock);
    return true;
}
