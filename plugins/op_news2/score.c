/* SPDX-License-Identifier: Apache-2.0
 *
 * score.c - see score.h. The rules are those of the report that table.h names. */
#include "score.h"

#include <stddef.h>

/* A value that goes beyond a bound by less is at the bound: conversions between
 * units leave such remainders (96.8 degF is 36.0 Cel and a few 1e-15). */
#define REMAINDER 1e-6

static int rows_score(const struct news2_row *rows, double value)
{
    while (value > rows->upto + REMAINDER)
        rows++;
    return rows->score;
}

static int spo2_score(const struct news2_table *t, const struct observations *o, enum why *why)
{
    double value = o->values[SPO2];

    if (o->scale == 1)
        return rows_score(t->spo2_scale1, value);
    if (o->why[OXYGEN] == WHY_KNOWN)
        return rows_score(o->values[OXYGEN] > 0 ? t->spo2_scale2_oxygen : t->spo2_scale2_air, value);
    if (value <= t->air_upto + REMAINDER)
        return rows_score(t->spo2_scale2_air, value);
    *why = WHY_OXYGEN;
    return -1;
}

static int part_score(const struct news2_table *t, const struct observations *o, int parameter, enum why *why)
{
    double value = o->values[parameter];

    switch (parameter) {
    case RESPIRATION:
        return rows_score(t->respiration, value);
    case SPO2:
        return spo2_score(t, o, why);
    case OXYGEN:
        return value > 0 ? t->oxygen : 0;
    case SYSTOLIC:
        return rows_score(t->systolic, value);
    case PULSE:
        return rows_score(t->pulse, value);
    case CONSCIOUSNESS:
        return value > 0 ? t->not_alert : 0;
    default:
        return rows_score(t->temperature, value);
    }
}

static const char *band_of(const struct news2_table *t, const struct score *s)
{
    int i;

    if (s->missing == PARAMETERS)
        return NULL;
    if (s->sum >= t->high)
        return "high";
    if (s->sum >= t->medium)
        return "medium";
    for (i = 0; i < PARAMETERS; i++)
        if (s->parts[i] == t->single)
            return "low-medium";
    return "low";
}

void news2_score(const struct news2_table *table, const struct observations *observations, struct score *ret_score)
{
    struct score *s = ret_score;
    int i;

    s->sum = 0;
    s->at_most = 0;
    s->missing = 0;
    for (i = 0; i < PARAMETERS; i++) {
        s->why[i] = observations->why[i];
        s->parts[i] = -1;
        if (s->why[i] == WHY_KNOWN)
            s->parts[i] = part_score(table, observations, i, &s->why[i]);
        if (s->parts[i] >= 0)
            s->sum += s->parts[i];
        else
            s->missing++;
        if (s->parts[i] < 0) /* no parameter has more than the one for not alert; oxygen has one score only */
            s->at_most += i == OXYGEN ? table->oxygen : table->not_alert;
    }
    s->at_most += s->sum;
    s->band = band_of(table, s);
}

const char *why_name(enum why why)
{
    static const char *const names[] = { "known", "absent", "implausible", "unknown", "unit", "needs-oxygen" };

    return names[why];
}

const char *parameter_name(int parameter)
{
    static const char *const names[PARAMETERS] = { "respiration", "spo2",          "oxygen",     "systolic",
                                                   "pulse",       "consciousness", "temperature" };

    return names[parameter];
}
