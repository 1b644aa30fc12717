/* delivery.h - what becomes of records whose reader is slow, and of those in
 * flight when the power goes: decided for the plan as a whole.
 *
 * delivery.c        when_full, priority, expire and durable of each edge and node
 * delivery_notes.c  what a person should know about the outcome
 *
 * Not here: the keys in the file (host_keys.c), threads and domains (layout.c). */
#ifndef AFFERENT_CONFIG_DELIVERY_H
#define AFFERENT_CONFIG_DELIVERY_H

#include "config/plan.h"

struct draft;

/* [control] Fills when_full, priority and expire_ns of all edges and durable of all
 * nodes, before the layout; what cannot be goes to the draft's report. False: no
 * memory. */
bool delivery_choose(struct draft *draft, struct plan *plan);

/* The words of the file: "block", "spill", "drop_oldest"; "alarm" to "bulk". */
const char *delivery_when_full(enum when_full when_full);
const char *delivery_priority(uint32_t priority);

/* Something that is allowed and worth knowing. Borrowed for the call. */
struct delivery_note {
    struct place at;
    const char *node;
    const char *text;
};

/* [control] Calls `each` for every note, in the plan's order. False: no memory. */
bool delivery_notes(const struct plan *plan, void (*each)(void *arg, const struct delivery_note *note),
                    void *arg);

#endif
