/* spent.h - what a sink sent, by UTC day and month.
 *
 * A day and a month begin by the wall clock and only go forward: a clock that stands
 * wrong after a start (a board without a battery) neither begins a day anew nor ends one.
 * One that is known to be right and stands before the day that was booked last gives that
 * day another name, and what was spent stays. So does one that nobody keeps right, when it
 * has stood there for a day (uplink.c).
 *
 * Not here: which bytes count (uplink.c), budgets (link_rules.h). */
#ifndef AFFERENT_FLOW_SPENT_H
#define AFFERENT_FLOW_SPENT_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/wire.h"

struct spent {
    int64_t day;         /* since 1970; -1: nothing is booked yet */
    int64_t month;       /* since 1970 */
    uint64_t day_bytes;  /* that count against a budget, both ways */
    uint64_t month_bytes;
    uint64_t sent;       /* all that went and came, by any link */
    uint64_t received;
};

static inline struct spent spent_none(void)
{
    return (struct spent){ .day = -1, .month = -1 };
}

#define SPENT_DAY_NS INT64_C(86400000000000)

/* Whether the day that was booked last is later than `utc_ns`. */
bool spent_is_ahead(const struct spent *spent, int64_t utc_ns);
/* Goes over into the day of `utc_ns`, if that is another. */
void spent_turn(struct spent *spent, int64_t utc_ns, bool is_right);
/* After spent_turn. `counts`: against the budget. */
void spent_add(struct spent *spent, uint64_t sent, uint64_t received, bool counts);
/* Of two accounts of one sink as one: their days are the same, or the later one counts. */
struct spent spent_join(struct spent one, struct spent other);
/* When the next day begins, by the same clock. */
int64_t spent_next_day(int64_t utc_ns);

/* What is stored of one sink: its name and figures. False: the bytes are bad. */
void spent_write(struct wire *wire, const char *sink, const struct spent *spent);
bool spent_read(struct wire_in *in, const char **ret_sink, struct spent *ret_spent);

#endif
