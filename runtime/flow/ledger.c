/* ledger.c - see ledger.h. */
#include "flow/ledger.h"

static uint64_t get(const _Atomic uint64_t *account)
{
    return atomic_load_explicit(account, memory_order_relaxed);
}

struct account ledger_read(const struct ledger *l)
{
    return (struct account){
        .in = get(&l->in),
        .made = get(&l->made),
        .passed = get(&l->passed),
        .replaced = get(&l->replaced),
        .routed = get(&l->routed),
        .emitted = get(&l->emitted),
        .used = get(&l->used),
        .dropped = get(&l->dropped),
        .dead = get(&l->dead),
        .held = get(&l->held),
        .bytes_copied = get(&l->bytes_copied),
    };
}

bool account_balances(const struct account *a)
{
    return a->in + a->made == a->passed + a->replaced + a->routed + a->emitted + a->used +
                                  a->dropped + a->dead + a->held;
}
