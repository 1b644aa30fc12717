/* spent.c - see spent.h. */
#include "flow/spent.h"

static int64_t day_of(int64_t utc_ns)
{
    return utc_ns / SPENT_DAY_NS - (utc_ns % SPENT_DAY_NS < 0);
}

/* Months since 1970-01 of a day since then (Howard Hinnant, "chrono-compatible low-level
 * date algorithms", civil_from_days: years begin in March, eras have 400 of them). */
static int64_t month_of(int64_t day)
{
    int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t from_march = (5 * of_year + 2) / 153;

    return (year + era * 400 - 1970) * 12 + from_march + 2;
}

bool spent_is_ahead(const struct spent *s, int64_t utc_ns)
{
    return day_of(utc_ns) < s->day;
}

void spent_turn(struct spent *s, int64_t utc_ns, bool is_right)
{
    int64_t day = day_of(utc_ns), month = month_of(day);

    if (day == s->day)
        return;
    if (day < s->day) {
        if (is_right) {
            s->day = day;
            s->month = month;
        }
        return;
    }
    s->day = day;
    s->day_bytes = 0;
    if (month != s->month)
        s->month_bytes = 0;
    s->month = month;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

void spent_add(struct spent *s, uint64_t sent, uint64_t received, bool counts)
{
    uint64_t both = sum(sent, received);

    s->sent = sum(s->sent, sent);
    s->received = sum(s->received, received);
    if (!counts)
        return;
    s->day_bytes = sum(s->day_bytes, both);
    s->month_bytes = sum(s->month_bytes, both);
}

struct spent spent_join(struct spent a, struct spent b)
{
    struct spent late = a.day >= b.day ? a : b, early = a.day >= b.day ? b : a;

    late.sent = sum(late.sent, early.sent);
    late.received = sum(late.received, early.received);
    if (late.day == early.day)
        late.day_bytes = sum(late.day_bytes, early.day_bytes);
    if (late.month == early.month)
        late.month_bytes = sum(late.month_bytes, early.month_bytes);
    return late;
}

int64_t spent_next_day(int64_t utc_ns)
{
    return (day_of(utc_ns) + 1) * SPENT_DAY_NS;
}

void spent_write(struct wire *wire, const char *sink, const struct spent *s)
{
    wire_text(wire, sink);
    wire_u64(wire, (uint64_t)s->day);
    wire_u64(wire, (uint64_t)s->month);
    wire_u64(wire, s->day_bytes);
    wire_u64(wire, s->month_bytes);
    wire_u64(wire, s->sent);
    wire_u64(wire, s->received);
}

bool spent_read(struct wire_in *in, const char **ret_sink, struct spent *s)
{
    *ret_sink = wire_in_text(in);
    s->day = (int64_t)wire_in_u64(in);
    s->month = (int64_t)wire_in_u64(in);
    s->day_bytes = wire_in_u64(in);
    s->month_bytes = wire_in_u64(in);
    s->sent = wire_in_u64(in);
    s->received = wire_in_u64(in);
    return *ret_sink && !in->bad;
}
