/* uplink_kept.c - uplinks open and close, and what was spent outlives them.
 *
 * It is stored with every group in which it changed, and asks for one of its own after 16
 * KiB: what a kill can make forgotten is what went since then, and what goes while that is
 * being stored.
 *
 * Not here: what is booked (uplink.c). */
#include <stdlib.h>
#include <string.h>

#include "flow/uplink_inside.h"

enum { SPENT_VERSION = 1, SINKS_MOST = 1024 };

bool uplink_open(struct node *node)
{
    struct uplink *u;

    if (!node->plan->link_rules)
        return true;
    u = calloc(1, sizeof *u);
    if (!u)
        return false;
    if (pthread_mutex_init(&u->lock, NULL) != 0) {
        free(u);
        return false;
    }
    u->node = node;
    u->rules = node->plan->link_rules;
    u->interfaces.fd = -1;
    u->spent = spent_none();
    u->ahead = UPLINK_AHEAD;
    u->behind_ns = INT64_MAX;
    u->said = UPLINK_UNSAID;
    u->opened_ns = clock_now(&node->flow->clock);
    u->choice = (struct link_choice){ LINK_NO_LINK, LINK_NOTHING, LINK_WAIT_UNKNOWN, INT64_MAX };
    atomic_store(&u->limit, LINK_NOTHING);
    atomic_store(&u->again_ns, INT64_MAX);
    node->uplink = u;
    return true;
}

void uplink_close(struct uplink **uplink)
{
    if (!*uplink)
        return;
    interfaces_close(&(*uplink)->interfaces);
    pthread_mutex_destroy(&(*uplink)->lock);
    free(*uplink);
    *uplink = NULL;
}

static struct uplink *find(struct flow *flow, const char *sink)
{
    uint32_t i;

    for (i = 0; i < flow->plan->node_count; i++)
        if (flow->nodes[i].uplink && strcmp(flow->plan->nodes[i].name, sink) == 0)
            return flow->nodes[i].uplink;
    return NULL;
}

/* ---- a reload ---- */

static bool links_are_same(const struct uplink *a, const struct uplink *b)
{
    uint32_t i;

    for (i = 0; i < a->rules->link_count && i < b->rules->link_count; i++) {
        const struct plan_link *one = uplink_link(a, i), *two = uplink_link(b, i);

        if (strcmp(one->name, two->name) != 0 || (one->node == PLAN_NONE) != (two->node == PLAN_NONE) ||
            strcmp(one->interface ? one->interface : "", two->interface ? two->interface : "") != 0)
            return false;
    }
    return a->rules->link_count == b->rules->link_count;
}

/* An instance that goes over sees no other link where there is none, and what is in its
 * hands counts as before. One that was opened anew has said, and booked, what it has. */
static void uplink_move(struct uplink *to, struct uplink *from, bool is_kept)
{
    bool same = links_are_same(to, from);

    to->spent = spent_join(from->spent, to->spent);
    to->unsaved = 1;
    to->said_spent = from->said_spent;
    to->behind_ns = from->behind_ns;
    to->unsafe += from->unsafe;
    to->says |= from->says && is_kept;
    to->tries |= from->tries && is_kept;
    to->said = same ? from->said : UPLINK_UNSAID;
    to->said_ns = same ? from->said_ns : 0;
    if (same) {
        memcpy(to->ways, from->ways, sizeof to->ways);
        memcpy(to->views, from->views, sizeof to->views);
        to->choice = from->choice;
        to->last = from->last;
    }
    to->revision = same && is_kept ? from->revision : from->revision + to->revision + 1u;
    to->told = from->told;
    to->is_moving = is_kept;
    if (!is_kept)
        return;
    to->fed = from->fed;
    to->ahead = from->ahead;
    to->rate = from->rate;
    to->rated_done = from->rated_done;
    to->rated_ns = from->rated_ns;
}

void uplinks_move(struct flow *to, struct flow *from)
{
    uint32_t i;

    for (i = 0; i < from->plan->node_count; i++) {
        struct uplink *was = from->nodes[i].uplink;
        struct uplink *u = was ? find(to, from->plan->nodes[i].name) : NULL;

        if (!u)
            continue;
        pthread_mutex_lock(&was->lock);
        pthread_mutex_lock(&u->lock);
        uplink_move(u, was, u->node->is_kept);
        was->heir = u;
        pthread_mutex_unlock(&u->lock);
        pthread_mutex_unlock(&was->lock);
    }
}

void uplinks_moved(struct flow *to)
{
    uint32_t i;

    for (i = 0; i < to->plan->node_count; i++) {
        struct uplink *u = to->nodes[i].uplink;

        if (!u)
            continue;
        pthread_mutex_lock(&u->lock);
        u->is_moving = false;
        pthread_mutex_unlock(&u->lock);
    }
}

/* ---- the store ---- */

void uplinks_gather(struct flow *flow, struct kept_group *group, struct wire *scratch)
{
    uint64_t unsaved = 0;
    uint32_t i, count = 0;

    for (i = 0; i < flow->plan->node_count; i++)
        count += flow->nodes[i].uplink != NULL;
    if (count == 0)
        return;
    wire_clear(scratch);
    wire_u8(scratch, SPENT_VERSION);
    wire_u32(scratch, count);
    for (i = 0; i < flow->plan->node_count; i++) {
        struct uplink *u = flow->nodes[i].uplink;

        if (!u)
            continue;
        pthread_mutex_lock(&u->lock);
        unsaved += u->unsaved;
        u->unsaved = u->unsafe = 0;
        atomic_store(&u->is_due, false);
        spent_write(scratch, u->node->plan->name, &u->spent);
        pthread_mutex_unlock(&u->lock);
    }
    if (unsaved > 0 || scratch->failed)
        kept_group_add(group, KEPT_STATE, 0, 0, UPLINKS_PIECE, scratch->bytes, scratch->size);
    group->failed |= scratch->failed;
}

/* The group could not be made: the next one has to hold it. */
void uplinks_again(struct flow *flow)
{
    uint32_t i;

    for (i = 0; i < flow->plan->node_count; i++) {
        struct uplink *u = flow->nodes[i].uplink;

        if (!u)
            continue;
        pthread_mutex_lock(&u->lock);
        u->unsaved++;
        pthread_mutex_unlock(&u->lock);
    }
}

bool uplinks_due(const struct flow *flow)
{
    uint32_t i;

    for (i = 0; i < flow->plan->node_count; i++)
        if (flow->nodes[i].uplink && atomic_load(&flow->nodes[i].uplink->is_due))
            return true;
    return false;
}

void uplinks_resume(struct flow *flow, const void *bytes, size_t size)
{
    struct wire_in in = { bytes, (const uint8_t *)bytes + size, false };
    bool known = wire_in_u8(&in) == SPENT_VERSION;
    uint32_t i, count = wire_in_u32(&in);
    const char *sink;
    struct spent spent;
    struct uplink *u;

    for (i = 0; known && i < count && i < SINKS_MOST && spent_read(&in, &sink, &spent); i++) {
        u = find(flow, sink);
        if (u)
            u->spent = spent;
    }
    if (!known || in.bad)
        flow_log(flow, AFF_LOG_ERROR, NULL, "what sinks have spent of their budgets cannot be read; they begin anew");
}
