/* trend.h - how much a value rose over a window of time.
 *
 * The line of least squares through all values of the window, and what it rises
 * from the first value to the last: never extended beyond what was seen, so two
 * values a minute apart are no rise "in ten minutes". The window slides in
 * sixteenths and has a fixed size however many values come: each part keeps
 * count, means and co-moments, joined by the update of Chan, Golub and LeVeque
 * 1983 (The American Statistician 37, 242-247) as Pebay 2008 gives it for pairs
 * (SAND2008-6212, eq. 3.11). A fitted line as the trend for alarms: Charbonnier
 * and Gentil 2007 (Control Engineering Practice 15, 1039-1050). */
#ifndef OP_ALERT_TREND_H
#define OP_ALERT_TREND_H

#include <stdbool.h>
#include <stdint.h>

enum { TREND_PARTS = 16, TREND_LEAST = 3 };

/* Of the values of one part; times in seconds from the part's beginning. */
struct trend_part {
    int64_t number; /* which part of all time */
    uint64_t count; /* 0: none */
    double first, last;
    double mean_t, mean_y;
    double tt, ty; /* co-moments */
};

/* All zero: no value yet. */
struct trend {
    struct trend_part parts[TREND_PARTS];
};

/* `part_ns`: the window's length / TREND_PARTS, above 0. */
void trend_add(struct trend *t, int64_t part_ns, int64_t ns, double y);

/* False with fewer than TREND_LEAST values in the window that ends at `now_ns`,
 * or none of another time. */
bool trend_change(const struct trend *t, int64_t part_ns, int64_t now_ns, double *ret_change);

#endif
