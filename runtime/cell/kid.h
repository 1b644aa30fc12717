/* kid.h - the child's side of a cell, as its files share it.
 *
 * One instance of one plugin, on the child's first thread. What the plugin does to
 * records is written down as entries (child_records.c); what it wants to know is asked
 * (child_ask.c).
 *
 * Not here: anything of the host's side (inside.h). */
#ifndef AFFERENT_CELL_KID_H
#define AFFERENT_CELL_KID_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "cell/page.h"
#include "load/plugin.h"

enum { KID_METRICS = 256, KID_PORTS = 64 };

struct kid_held {
    struct aff_record record;
    uint64_t handle;
    max_align_t bytes[];
};

/* Pointers by a small number, grown as needed. */
struct kid_cache {
    void **items;
    uint32_t room;
};

struct kid_acks {
    pthread_mutex_t lock;
    struct page_ack *late; /* those that found the ring full */
    uint32_t late_count, late_room;
};

/* Descriptors that it waits for between calls; behind them that of its host. */
struct kid_wakes {
    struct pollfd fds[PAGE_WATCHES + 1];
    uint32_t count;
    uint32_t told; /* of which the host knows */
    bool said;     /* the host knows that one is ready, or cannot be told */
};

struct kid {
    struct aff_host host; /* first: a host function finds the child by it */
    const struct host_page *page;
    const uint8_t *answer;
    const uint8_t *in;
    struct child_page *out;
    uint8_t *ask;
    uint8_t *area;
    uint32_t bell_seen;
    uint32_t spins;
    pthread_t thread; /* the one that calls the plugin */
    bool in_call;
    struct plugin plugin;
    void *self;
    void *config;
    /* a call */
    struct aff_record records[PAGE_BATCH];
    uint8_t verdicts[PAGE_BATCH];
    const struct aff_record *mark; /* in stream_end */
    const struct aff_record *due;  /* in timer */
    uint64_t used;
    uint32_t room_out; /* ROOM_... */
    char why[PAGE_WHY];
    uint64_t touched;
    /* the draft */
    struct aff_record draft, before;
    struct entry *draft_entry; /* NULL: none */
    uint32_t draft_room;
    uint32_t port_schemas[KID_PORTS];
    uint8_t *edits; /* copies of payloads, where an input edits */
    struct kid_held **held;
    uint32_t held_count;
    uint64_t handle;
    _Atomic uint64_t counts[KID_METRICS];
    _Atomic uint64_t gauges[KID_METRICS];
    _Atomic bool gauge_set[KID_METRICS];
    uint8_t *state;
    uint64_t state_bytes;
    uint32_t state_slots;
    bool per_subject;
    uint8_t *state_known;
    struct kid_cache streams, subjects, schemas;
    uint8_t *snap;
    size_t snap_room;
    struct kid_acks acks;
    struct kid_wakes wakes;
};

/* ---- child.c ---- */

/* Raises the child's bell, and waits for the host's. */
void kid_post(struct kid *kid, enum page_post post);
void kid_wait(struct kid *kid);

/* ---- child_ask.c ---- */

/* The host's functions that ask, or answer by themselves, filled in. */
void kid_fill_asks(struct aff_host *host);
/* A question; its result is in kid->page. False: it cannot be asked here. */
bool kid_ask(struct kid *kid, enum page_ask kind, uint64_t a, uint64_t b, const void *text, size_t size);
/* What the host says is no longer so. */
void kid_forget(struct kid *kid);
uint32_t kid_schema(struct kid *kid, const struct aff_schema *schema);
/* Moves answers that found the ring full. True: some are left. */
bool kid_acks_late(struct kid *kid);
/* The host's own state is there for these; see mirror.c. */
void kid_state_known(struct kid *kid, uint32_t count);

/* ---- child_records.c ---- */

void kid_fill_records(struct aff_host *host);
/* An entry with room for `size` bytes behind it; NULL: there is none, not even after
 * the host took what is there. */
struct entry *kid_entry(struct kid *kid, enum entry_kind kind, uint32_t size);
void kid_metrics(struct kid *kid);
/* What was held before this child, in place of what it has. */
void kid_held_fetch(struct kid *kid);

/* ---- child_wakes.c ---- */

void kid_fill_wakes(struct aff_host *host);
/* There are descriptors to be waited for beside the host's bell. */
bool kid_polls(const struct kid *kid);
/* Until one is ready, the bell rings, or `most` is over (NULL: never). */
void kid_poll(struct kid *kid, const struct timespec *most);
/* At the beginning and at the end of a call. */
void kid_wakes_begin(struct kid *kid);
void kid_wakes_end(struct kid *kid);

static inline struct kid *kid_of(const struct aff_host *host)
{
    return (struct kid *)(uintptr_t)host;
}

#endif
