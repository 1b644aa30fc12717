/* SPDX-License-Identifier: Apache-2.0
 *
 * clocks.c - see clocks.h.
 *
 * Not here: whose records they are. */
#include "clocks.h"

#define FAR_NS INT64_C(60000000000) /* farther than records of one stream come in disorder, mostly */

int64_t clocks_add(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

int64_t clocks_sub(int64_t a, int64_t b)
{
    return a < INT64_MIN + b ? INT64_MIN : a - b;
}

static int64_t time_between(int64_t from_ns, int64_t to_ns)
{
    int64_t between;

    if (!__builtin_sub_overflow(to_ns, from_ns, &between))
        return between;
    return to_ns > from_ns ? INT64_MAX : INT64_MIN;
}

static int64_t far_of(const struct clocks *c)
{
    return c->far_ns > FAR_NS ? c->far_ns : FAR_NS;
}

static struct stream_clock *stream_find(struct clocks *c, uint64_t hash)
{
    uint32_t i;

    for (i = 0; i < c->count; i++)
        if (c->streams[i].hash == hash)
            return &c->streams[i];
    return 0;
}

/* One that begins far behind is most likely of the device whose clock was set. */
static struct stream_clock *stream_begin(struct clocks *c, uint64_t hash, int64_t event_ns)
{
    struct stream_clock *s;

    if (c->count == CLOCK_STREAMS_MOST)
        return 0;
    s = &c->streams[c->count++];
    *s = (struct stream_clock){ hash, event_ns, 0, 0, 0 };
    if (c->begun && time_between(event_ns, c->latest_ns) >= far_of(c))
        s->offset_ns = c->shift_ns;
    return s;
}

/* Ahead by a jump: as much of the offset goes as brings it back to what was. */
static void stream_ahead(struct stream_clock *s, int64_t event_ns)
{
    int64_t was = clocks_add(s->last_ns, s->offset_ns);
    bool jumps = time_between(s->last_ns, event_ns) >= FAR_NS;

    if (s->offset_ns > 0 && jumps && time_between(event_ns, was) < FAR_NS)
        s->offset_ns = event_ns < was ? time_between(event_ns, was) : 0;
    s->last_ns = event_ns;
    s->has_back = 0;
}

/* The second of two: it goes on from the first, and is far from the latest, too, or
 * nearer to the first. */
static bool is_second(const struct stream_clock *s, int64_t event_ns, int64_t far_ns)
{
    int64_t early = time_between(event_ns, s->last_ns);

    return s->has_back && event_ns >= s->back_ns &&
           (early >= far_ns || time_between(s->back_ns, event_ns) < early);
}

static void stream_note(struct stream_clock *s, int64_t event_ns, int64_t far_ns)
{
    if (event_ns >= s->last_ns) {
        stream_ahead(s, event_ns);
    } else if (is_second(s, event_ns, far_ns)) {
        s->offset_ns = clocks_add(s->offset_ns, time_between(s->back_ns, s->last_ns));
        s->last_ns = event_ns;
        s->has_back = 0;
    } else if (time_between(event_ns, s->last_ns) < far_ns) {
        s->has_back = 0;
    } else {
        s->has_back = 1;
        s->back_ns = event_ns;
    }
}

static void shift_find(struct clocks *c)
{
    int64_t least = INT64_MAX;
    uint32_t i;

    for (i = 0; i < c->count; i++) {
        const struct stream_clock *s = &c->streams[i];

        if (s->offset_ns < least && time_between(clocks_add(s->last_ns, s->offset_ns), c->latest_ns) < FAR_NS)
            least = s->offset_ns;
    }
    if (least < INT64_MAX)
        c->shift_ns = least;
}

bool clocks_note(struct clocks *c, uint64_t hash, int64_t event_ns, int64_t *ret_offset_ns)
{
    struct stream_clock *s = stream_find(c, hash);
    int64_t at_ns;

    if (s)
        stream_note(s, event_ns, far_of(c));
    else
        s = stream_begin(c, hash, event_ns);
    *ret_offset_ns = s ? s->offset_ns : c->shift_ns;
    at_ns = clocks_add(s ? s->last_ns : event_ns, *ret_offset_ns);
    if (!c->begun || at_ns > c->latest_ns)
        c->latest_ns = at_ns;
    c->begun = 1;
    shift_find(c);
    return s != 0;
}

bool clocks_has(const struct clocks *c, uint64_t hash)
{
    uint32_t i;

    for (i = 0; i < c->count; i++)
        if (c->streams[i].hash == hash)
            return true;
    return false;
}

bool clocks_end(struct clocks *c, uint64_t hash)
{
    struct stream_clock *s = stream_find(c, hash);

    if (!s)
        return false;
    *s = c->streams[--c->count];
    return true;
}
