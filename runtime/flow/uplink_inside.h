/* uplink_inside.h - what uplink.c, uplink_kept.c and uplink_interface.c share. */
#ifndef AFFERENT_FLOW_UPLINK_INSIDE_H
#define AFFERENT_FLOW_UPLINK_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "flow/lane.h"
#include "flow/uplink.h"

/* Bytes after which what counts against a budget is stored, if nothing else asks for a
 * commit; of a large budget a thousandth, since a fast link would else keep the disk busy. */
#define UPLINK_UNSAVED UINT64_C(16384)
#define UPLINK_SHARE 1024u

enum { UPLINK_UNSAID = LINK_NO_LINK + 1 };

/* Payload that may at least be in a plugin's hands: as text it may be ten times as much. */
#define UPLINK_AHEAD UINT64_C(2048)

/* A link, as this sink came to know it. */
struct uplink_way {
    bool is_up, was_down;
    int64_t up_ns;   /* since when */
    int64_t held_ns; /* it failed: until then it is passed over */
    int64_t hold_ns; /* ... for so long; 0: it works */
    uint32_t fails;  /* in a row */
};

/* Whether interfaces are up, asked of the system once a second. */
struct interfaces {
    int fd; /* below 0: not open yet */
    bool is_up[LINKS_MOST];
    int64_t asked_ns[LINKS_MOST]; /* 0: never */
};

struct uplink {
    struct node *node;
    const struct link_rules *rules;
    pthread_mutex_t lock;
    /* under the lock */
    struct uplink_way ways[LINKS_MOST];
    struct link_view views[LINKS_MOST];
    struct interfaces interfaces;
    struct link_choice choice;
    uint32_t revision;
    uint32_t last; /* the link that was used last */
    struct spent spent;
    bool says;        /* its plugin tells what goes over the wire */
    bool tries;       /* ... and which attempts come through */
    uint64_t unsaved; /* bytes since they were stored last; */
    uint64_t unsafe;  /* of these, what counts against a budget */
    int64_t behind_ns; /* since when the wall clock stands before the day booked; INT64_MAX: it does not */
    bool is_moving;   /* it takes over: how links stand cannot be seen yet */
    struct uplink *heir; /* ... from this one, which is told what comes late */
    /* the lane's */
    uint64_t fed;   /* payload, since it was opened */
    uint64_t ahead; /* payload that may be in its hands */
    uint32_t told; /* the revision that the lane acted on */
    double rate;    /* payload a second that goes out */
    uint64_t rated_done;
    int64_t rated_ns;
    uint32_t said;     /* the link that the log named last; UPLINK_UNSAID: none yet */
    int64_t said_ns;   /* ... when */
    int64_t opened_ns;
    bool said_spent;   /* ... that a budget is spent */
    /* for both */
    _Atomic uint32_t turn; /* as flow->links_turn when it looked */
    _Atomic int limit;
    _Atomic uint64_t given; /* payload in its hands */
    _Atomic uint64_t left;  /* of the budget, by the link in use */
    _Atomic int64_t again_ns;
    _Atomic bool is_due;
};

static inline const struct plan_link *uplink_link(const struct uplink *u, uint32_t i)
{
    return &u->node->flow->plan->links[u->rules->links[i]];
}

/* Under the lock: bytes by the link of that index. */
void uplink_book(struct uplink *uplink, uint32_t index, uint64_t sent, uint64_t received);

/* ---- uplink_interface.c ---- */

/* True also where the system cannot be asked. */
bool interface_is_up(struct interfaces *interfaces, uint32_t index, const char *name, int64_t now_ns);
void interfaces_close(struct interfaces *interfaces);

#endif
