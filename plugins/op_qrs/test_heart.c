/* SPDX-License-Identifier: Apache-2.0
 *
 * test_heart.c - a made ECG and noise for the tests of op_qrs.
 *
 * Not here: what is expected of a detector. */
#include "test_heart.h"

#include <math.h>

struct wave {
    double at, width, height; /* s from the R peak, s, mV */
};

static const struct wave waves[] = {
    { -0.170, 0.022, 0.12 }, { -0.025, 0.009, -0.10 }, { 0.0, 0.011, 1.0 }, { 0.025, 0.010, -0.2 }, { 0.260, 0.045, 0.25 },
};

void heart_beat(struct heart *h, double from, double to, double interval)
{
    double t;

    for (t = from; t < to && h->count < HEART_BEATS; t += interval)
        h->beat[h->count++] = t;
}

static double beat_at(double t)
{
    double sum = 0.0, d;
    size_t i;

    for (i = 0; i < sizeof waves / sizeof waves[0]; i++) {
        d = (t - waves[i].at) / waves[i].width;
        sum += waves[i].height * exp(-0.5 * d * d);
    }
    return sum;
}

double heart_at(const struct heart *h, double t)
{
    size_t low = 0, high = h->count, mid;
    double sum = 0.0;

    while (low < high) {
        mid = (low + high) / 2;
        if (h->beat[mid] < t - 1.0)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < h->count && h->beat[low] < t + 1.0; low++)
        sum += beat_at(t - h->beat[low]);
    return sum;
}

static double uniform(struct heart *h)
{
    h->seed = h->seed * 6364136223846793005u + 1442695040888963407u;
    return ((double)(h->seed >> 11) + 0.5) / 9007199254740992.0;
}

double heart_noise(struct heart *h)
{
    double radius = sqrt(-2.0 * log(uniform(h)));

    return radius * cos(6.283185307179586 * uniform(h));
}
