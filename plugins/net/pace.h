/* pace.h - how much a sink has on its way at a time, so that an alarm is soon through.
 *
 * The pipeline's queues put alarms before waveform. What a sink has taken goes in the
 * order in which it came, from its own memory, its socket and the link's buffers; with
 * megabytes of room there, on a link of 64 kbit/s an alarm would stand behind minutes of
 * signal. So no more is on its way than is answered within about half a second beyond
 * what the way itself takes. The room grows by what is answered in time while it is made
 * use of, which doubles it each round, and shrinks by as much as an answer was late, once
 * a round: as LEDBAT (RFC 6817) and TCP Vegas (Brakmo, O'Malley and Peterson 1994,
 * SIGCOMM) go by delay rather than by loss.
 *
 * Not here: locks, and what the amounts are (bytes, mostly). */
#ifndef NET_PACE_H
#define NET_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_GROWS_MS 250
#define PACE_SHRINKS_MS 500
enum { PACE_LEAST = 4096 };

struct pace {
    uint64_t room, most;
    int64_t best_ns; /* the shortest time to an answer on this connection; 0: none came */
    int64_t cut_ns;  /* answers to what was sent before this say nothing new */
};

/* A connection begins: little is sent until it is known how it goes. */
static inline void pace_begin(struct pace *p, uint64_t most)
{
    *p = (struct pace){ PACE_LEAST < most ? PACE_LEAST : most, most, 0, 0 };
}

/* Whether more may go; what is larger than all room goes alone. */
static inline bool pace_has_room(const struct pace *p, uint64_t on_its_way)
{
    return on_its_way == 0 || on_its_way < p->room;
}

/* `amount` that was sent at `sent_ns` is answered; with it `on_its_way` was. */
static inline void pace_answered(struct pace *p, int64_t sent_ns, int64_t now_ns, uint64_t amount, uint64_t on_its_way)
{
    int64_t took_ns = now_ns > sent_ns ? now_ns - sent_ns : 1, late_ms;
    uint64_t room;

    if (p->best_ns == 0 || took_ns < p->best_ns)
        p->best_ns = took_ns;
    late_ms = (took_ns - p->best_ns) / 1000000;
    if (late_ms < PACE_GROWS_MS) {
        if (on_its_way >= p->room / 2)
            p->room = p->room + amount < p->most ? p->room + amount : p->most;
        return;
    }
    if (late_ms <= PACE_SHRINKS_MS || sent_ns < p->cut_ns)
        return;
    room = p->room * (uint64_t)(p->best_ns / 1000000 + PACE_SHRINKS_MS) / (uint64_t)(took_ns / 1000000);
    p->room = room > PACE_LEAST ? room : PACE_LEAST;
    p->cut_ns = now_ns;
}

#endif
