/* SPDX-License-Identifier: Apache-2.0
 *
 * compare.c - pairs found beats with reference beats and counts.
 *
 * Both sides pass a filter first: a beat inside flutter is dropped as soon as
 * the reference has passed it, for only then is it known where flutter was. What
 * is left, "clear", is paired. The earlier of the two
 * heads belongs to the later one if that is within the window and no neighbour
 * behind the earlier one is nearer; else it stands alone. So each beat is used
 * once, and a double detection cannot take the beat of the next.
 *
 * Output and records of the host are in out_ec57.c. */
#include "compare.h"

#include <string.h>

enum { REGIONS = 64 };

/* Times carry the rounding of ns; two samples are never so near. */
#define ROUNDING_NS 1000
/* Some 70 years on both sides of 1970: differences never overflow. */
#define TIME_MOST (INT64_MAX / 4)

struct queue {
    uint32_t head;
    uint32_t count;
    uint32_t clear; /* the oldest, known not to lie in flutter */
    uint32_t is_ended;
    int64_t last;   /* time of the latest event */
    uint32_t is_begun;
    uint32_t reserved;
};

struct region {
    int64_t from;
    int64_t to; /* INT64_MAX while it lasts */
};

struct compare {
    uint32_t ahead;
    uint32_t is_started;
    int64_t window;
    int64_t learning;
    int64_t start;
    struct compare_total total;
    struct queue side[2];
    struct region region[REGIONS]; /* oldest first */
    uint32_t regions;
    uint32_t reserved;
    int64_t times[]; /* found, then reference */
};

size_t compare_size(uint32_t ahead)
{
    return sizeof(struct compare) + 2 * (size_t)ahead * sizeof(int64_t);
}

void compare_open(struct compare *c, uint32_t ahead, int64_t window_ns, int64_t learning_ns)
{
    memset(c, 0, sizeof *c);
    c->ahead = ahead;
    c->window = window_ns + ROUNDING_NS;
    c->learning = learning_ns;
}

int compare_is_open(const struct compare *c)
{
    return c->ahead > 0;
}

int compare_is_started(const struct compare *c)
{
    return c->is_started != 0;
}

static int64_t time_at(const struct compare *c, int side, uint32_t index)
{
    uint32_t slot = (c->side[side].head + index) % c->ahead;

    return c->times[(size_t)side * c->ahead + slot];
}

static void queue_push(struct compare *c, int side, int64_t time_ns)
{
    struct queue *q = &c->side[side];

    c->times[(size_t)side * c->ahead + (q->head + q->count) % c->ahead] = time_ns;
    q->count++;
}

static void queue_pop(struct compare *c, int side)
{
    struct queue *q = &c->side[side];

    q->head = (q->head + 1) % c->ahead;
    q->count--;
    q->clear--;
}

/* Takes out the beat behind those that are clear; these, which are few, move up. */
static void unclear_drop(struct compare *c, int side)
{
    struct queue *q = &c->side[side];
    int64_t *times = c->times + (size_t)side * c->ahead;
    uint32_t i;

    for (i = q->clear; i > 0; i--)
        times[(q->head + i) % c->ahead] = time_at(c, side, i - 1);
    q->head = (q->head + 1) % c->ahead;
    q->count--;
}

static int is_flutter(const struct compare *c, int64_t time_ns)
{
    uint32_t i;

    for (i = 0; i < c->regions; i++)
        if (time_ns >= c->region[i].from && time_ns <= c->region[i].to)
            return 1;
    return 0;
}

/* Regions behind which both sides have come are needed no more. */
static void regions_forget(struct compare *c)
{
    const struct queue *found = &c->side[COMPARE_FOUND];
    int64_t to, oldest = found->clear < found->count ? time_at(c, COMPARE_FOUND, found->clear) : found->last;
    uint32_t i, kept = 0;

    if (!found->is_begun)
        return;
    for (i = 0; i < c->regions; i++) {
        to = c->region[i].to;
        if (to >= oldest || to >= c->side[COMPARE_REFERENCE].last)
            c->region[kept++] = c->region[i];
    }
    c->regions = kept;
}

/* Sorts the beats of a side that the reference has passed. */
static void side_clear(struct compare *c, int side)
{
    struct queue *q = &c->side[side];
    const struct queue *ref = &c->side[COMPARE_REFERENCE];
    int64_t t;

    while (q->clear < q->count) {
        t = time_at(c, side, q->clear);
        if (!ref->is_ended && !(ref->is_begun && ref->last > t))
            break;
        if (is_flutter(c, t)) {
            c->total.ignored++;
            unclear_drop(c, side);
        } else {
            q->clear++;
        }
    }
}

static int is_scored(const struct compare *c, int64_t time_ns)
{
    return time_ns - c->start + ROUNDING_NS >= c->learning;
}

static void heads_match(struct compare *c, int64_t found, int64_t ref)
{
    double error = (double)(found - ref) / 1e6;

    c->total.whole.matched++;
    c->total.scored.matched += (uint64_t)is_scored(c, ref);
    c->total.error_sum += error;
    c->total.error_squares += error * error;
    queue_pop(c, COMPARE_FOUND);
    queue_pop(c, COMPARE_REFERENCE);
}

/* The oldest beat of this side has no partner. */
static void head_alone(struct compare *c, int side)
{
    uint64_t scored = (uint64_t)is_scored(c, time_at(c, side, 0));

    if (side == COMPARE_FOUND) {
        c->total.whole.extra++;
        c->total.scored.extra += scored;
    } else {
        c->total.whole.missed++;
        c->total.scored.missed += scored;
    }
    queue_pop(c, side);
}

static int64_t distance(int64_t a, int64_t b)
{
    return a < b ? b - a : a - b;
}

/* Decides the earlier of two heads. Returns 0 when it must be known first what
 * comes behind that one. */
static int head_decide(struct compare *c)
{
    int64_t found = time_at(c, COMPARE_FOUND, 0), ref = time_at(c, COMPARE_REFERENCE, 0);
    int side = found < ref ? COMPARE_FOUND : COMPARE_REFERENCE;
    int64_t first = side == COMPARE_FOUND ? found : ref;
    int64_t other = side == COMPARE_FOUND ? ref : found;
    const struct queue *q = &c->side[side];
    int is_pair = distance(found, ref) <= c->window;

    if (is_pair && q->clear < 2 && !(q->is_ended && q->count == q->clear))
        return 0;
    if (is_pair && q->clear >= 2 && distance(time_at(c, side, 1), other) < distance(first, other))
        is_pair = 0;
    if (is_pair)
        heads_match(c, found, ref);
    else
        head_alone(c, side);
    return 1;
}

/* A side that ended leaves the other's beats alone. */
static int rest_decide(struct compare *c)
{
    int side = c->side[COMPARE_FOUND].clear ? COMPARE_FOUND : COMPARE_REFERENCE;
    const struct queue *other = &c->side[1 - side];

    if (c->side[side].clear == 0 || !other->is_ended || other->count > 0)
        return 0;
    head_alone(c, side);
    return 1;
}

static void advance(struct compare *c)
{
    int is_moving = c->is_started != 0;

    side_clear(c, COMPARE_FOUND);
    side_clear(c, COMPARE_REFERENCE);
    regions_forget(c);
    while (is_moving) {
        if (c->side[COMPARE_FOUND].clear && c->side[COMPARE_REFERENCE].clear)
            is_moving = head_decide(c);
        else
            is_moving = rest_decide(c);
    }
}

void compare_start(struct compare *c, int64_t start_ns)
{
    c->start = start_ns > TIME_MOST ? TIME_MOST : start_ns < -TIME_MOST ? -TIME_MOST : start_ns;
    c->is_started = 1;
    advance(c);
}

static int region_mark(struct compare *c, enum compare_kind kind, int64_t time_ns)
{
    struct region *last = c->regions ? &c->region[c->regions - 1] : NULL;
    int is_open = last && last->to == INT64_MAX;

    if (kind == COMPARE_FLUTTER_OFF && is_open)
        last->to = time_ns;
    if (kind != COMPARE_FLUTTER_ON || is_open)
        return 0;
    if (c->regions == REGIONS)
        return -1;
    c->region[c->regions].from = time_ns;
    c->region[c->regions].to = INT64_MAX;
    c->regions++;
    return 0;
}

enum compare_result compare_push(struct compare *c, enum compare_side side, enum compare_kind kind, int64_t time_ns)
{
    struct queue *q = &c->side[side];

    if (q->is_ended || (q->is_begun && time_ns < q->last) || time_ns > TIME_MOST || time_ns < -TIME_MOST)
        return COMPARE_LATE;
    if (kind == COMPARE_BEAT && q->count == c->ahead)
        return COMPARE_FULL;
    if (side == COMPARE_REFERENCE && region_mark(c, kind, time_ns) < 0)
        return COMPARE_FULL;
    q->last = time_ns;
    q->is_begun = 1;
    if (kind == COMPARE_BEAT)
        queue_push(c, (int)side, time_ns);
    advance(c);
    return COMPARE_OK;
}

void compare_end(struct compare *c, enum compare_side side)
{
    c->side[side].is_ended = 1;
    advance(c);
}

int compare_is_done(const struct compare *c)
{
    return c->is_started && c->side[0].is_ended && c->side[1].is_ended;
}

const struct compare_total *compare_total_of(const struct compare *c)
{
    return &c->total;
}

static void score_add(struct compare_score *sum, const struct compare_score *s)
{
    sum->matched += s->matched;
    sum->missed += s->missed;
    sum->extra += s->extra;
}

void compare_add(struct compare_total *sum, const struct compare_total *t)
{
    score_add(&sum->scored, &t->scored);
    score_add(&sum->whole, &t->whole);
    sum->ignored += t->ignored;
    sum->error_sum += t->error_sum;
    sum->error_squares += t->error_squares;
}

static double percent(uint64_t part, uint64_t rest)
{
    return part + rest ? 100.0 * (double)part / (double)(part + rest) : -1.0;
}

double compare_se(const struct compare_score *s)
{
    return percent(s->matched, s->missed);
}

double compare_ppv(const struct compare_score *s)
{
    return percent(s->matched, s->extra);
}
