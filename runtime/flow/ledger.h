/* ledger.h - the accounts of a node and of an edge.
 *
 * Per node: in + made + retried = passed + replaced + routed + emitted + used + dropped +
 * dead + held, where made = emitted for what it creates. Per edge the writer
 * counts what it put and the reader what it took: two accounts of one thing,
 * kept by different lanes. Each lane keeps a copy of its accounts at the end of
 * each epoch, so the books of an epoch can be checked when it is committed.
 *
 * Not here: how they are shown (show/), far ends (tests judge those alone). */
#ifndef AFFERENT_FLOW_LEDGER_H
#define AFFERENT_FLOW_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { LEDGER_VERDICTS = 32 }; /* a node's rows: 0 and its table */

/* Plain numbers: a copy of the accounts at one moment. */
struct account {
    uint64_t in;
    uint64_t made;
    uint64_t retried; /* dead letters that went in again */
    uint64_t passed;
    uint64_t replaced;
    uint64_t routed;
    uint64_t emitted;
    uint64_t used;
    uint64_t dropped;
    uint64_t dead;
    uint64_t held;         /* now in the hold area, or unanswered */
    uint64_t bytes_copied; /* by planned copies and releases */
    uint64_t by_verdict[LEDGER_VERDICTS];
};

/* What the lane counts in; others may read at any time. One writer: a plain
 * load and store, no locked instruction. */
struct ledger {
    _Atomic uint64_t in, made, retried, passed, replaced, routed, emitted, used, dropped, dead, held, bytes_copied;
    _Atomic uint64_t by_verdict[LEDGER_VERDICTS]; /* row 0: DATA status */
};

static inline void ledger_add(_Atomic uint64_t *account, uint64_t by)
{
    atomic_store_explicit(account, atomic_load_explicit(account, memory_order_relaxed) + by,
                          memory_order_relaxed);
}

static inline void ledger_sub(_Atomic uint64_t *account, uint64_t by)
{
    ledger_add(account, (uint64_t)0 - by);
}

/* [control, or by its lane] Sets all accounts. */
void ledger_write(struct ledger *ledger, const struct account *account);
/* [any] Exact when the node's lane is at rest or calls it itself. */
struct account ledger_read(const struct ledger *ledger);

/* [any] Whether the sums agree. */
bool account_balances(const struct account *account);

#endif
