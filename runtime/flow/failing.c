/* failing.c - a node that does not work now: how long until it is tried again, when it is
 * tried with little, and what others can see of it while it runs.
 *
 * Not here: the waits themselves (node.c, answers.c, lane_source.c), accounts (flow.c). */
#include <stdio.h>
#include <string.h>

#include "cell/cell.h"
#include "flow/lane.h"
#include "flow/uplink.h"

enum { BREAKER_OPENS = 5 /* failures in a row */ };
#define BACKOFF_FIRST_NS 100000000
#define BACKOFF_LAST_NS 10000000000

const char *failing_cause(const struct node *node)
{
    return node->why[0] ? node->why : "no cause given";
}

bool failing_note(struct node *node, const char *why)
{
    struct flow *flow = node->flow;
    bool is_other;

    pthread_mutex_lock(&flow->say_lock);
    is_other = strncmp(node->fails_why, why, sizeof node->fails_why - 1u) != 0;
    snprintf(node->fails_why, sizeof node->fails_why, "%s", why);
    pthread_mutex_unlock(&flow->say_lock);
    return atomic_fetch_add_explicit(&node->failing, 1, memory_order_relaxed) > 0 && is_other;
}

void failing_over(struct node *node)
{
    if (atomic_load_explicit(&node->failing, memory_order_relaxed) == 0)
        return;
    atomic_store_explicit(&node->failing, 0, memory_order_relaxed);
    uplink_worked(node);
}

/* ---- when it is tried again ---- */

/* So that nodes of a ward don't beat in time, each wait is cut short by up to a quarter. */
int64_t backoff_next(struct node *node, struct backoff *b, aff_status st)
{
    uint64_t random = node->host.random(&node->host);
    bool is_other;

    if (st == AFF_ERR_IO && uplink_failed(node))
        b->wait_ns = 0; /* another link is as good as new */
    if (b->wait_ns == 0)
        b->wait_ns = BACKOFF_FIRST_NS;
    else if (b->wait_ns < BACKOFF_LAST_NS)
        b->wait_ns *= 2;
    is_other = st != AFF_AGAIN && failing_note(node, failing_cause(node));
    if (is_other || (!b->told && st != AFF_AGAIN)) {
        flow_log(node->flow, AFF_LOG_WARN, node->plan->name, "%s; %s, trying again", failing_cause(node),
                 node->lane->kind == LANE_QUEUES ? "what comes is kept" : "intake waits");
        b->told = true;
    }
    return b->wait_ns - (int64_t)(random % (uint64_t)(b->wait_ns / 4));
}

/* Another call of it, or its peer, may still be failing. */
void backoff_over(struct node *node, struct backoff *b)
{
    bool told = b->told;

    *b = (struct backoff){ 0 };
    if (!node->late.backoff.told && !node->waking.told)
        failing_over(node);
    if (told)
        flow_log(node->flow, AFF_LOG_INFO, node->plan->name, "works again");
}

/* ---- how much it is tried with ---- */

void breaker_count(struct node *node, aff_status st)
{
    struct breaker *b = &node->breaker;

    if (st == AFF_OK) {
        b->failures = 0;
        return;
    }
    if (st != AFF_ERR_IO)
        return;
    if (b->failures++ == 0)
        b->since_ns = clock_now(&node->flow->clock);
    if (b->failures == BREAKER_OPENS)
        flow_log(node->flow, AFF_LOG_WARN, node->plan->name,
                 "failed %d times in a row; it is tried with one record at a time until one goes through", BREAKER_OPENS);
}

bool breaker_open(const struct node *node)
{
    return node->breaker.failures >= BREAKER_OPENS;
}

/* ---- for who looks from outside ---- */

uint64_t flow_node_failing(struct flow *flow, uint32_t index, char *ret_why, size_t room)
{
    struct node *node = &flow->nodes[index];
    uint64_t times = atomic_load_explicit(&node->failing, memory_order_relaxed);

    pthread_mutex_lock(&flow->say_lock);
    snprintf(ret_why, room, "%s", times > 0 ? node->fails_why : "");
    pthread_mutex_unlock(&flow->say_lock);
    return times;
}

uint64_t flow_node_isolation(struct flow *flow, uint32_t index, char *ret_text, size_t room)
{
    const struct node *node = &flow->nodes[index];
    struct cell_figures figures = { 0 };

    if (!node->cell) {
        snprintf(ret_text, room, "thread");
        return 0;
    }
    cell_status(node->cell, ret_text, room);
    cell_figures(node->cell, &figures);
    return figures.starts > 0 ? figures.starts - 1u : 0;
}
