/* ledger.c - see ledger.h. */
#include "flow/ledger.h"

static uint64_t get(const _Atomic uint64_t *account)
{
    return atomic_load_explicit(account, memory_order_relaxed);
}

struct account ledger_read(const struct ledger *l)
{
    struct account a = {
        .in = get(&l->in),
        .made = get(&l->made),
        .retried = get(&l->retried),
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
    int i;

    for (i = 0; i < LEDGER_VERDICTS; i++)
        a.by_verdict[i] = get(&l->by_verdict[i]);
    return a;
}

static void set(_Atomic uint64_t *account, uint64_t value)
{
    atomic_store_explicit(account, value, memory_order_relaxed);
}

void ledger_write(struct ledger *l, const struct account *a)
{
    int i;

    set(&l->in, a->in);
    set(&l->made, a->made);
    set(&l->retried, a->retried);
    set(&l->passed, a->passed);
    set(&l->replaced, a->replaced);
    set(&l->routed, a->routed);
    set(&l->emitted, a->emitted);
    set(&l->used, a->used);
    set(&l->dropped, a->dropped);
    set(&l->dead, a->dead);
    set(&l->held, a->held);
    set(&l->bytes_copied, a->bytes_copied);
    for (i = 0; i < LEDGER_VERDICTS; i++)
        set(&l->by_verdict[i], a->by_verdict[i]);
}

bool account_balances(const struct account *a)
{
    return a->in + a->made + a->retried == a->passed + a->replaced + a->routed + a->emitted + a->used +
                                  a->dropped + a->dead + a->held;
}
