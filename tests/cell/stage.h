/* stage.h - a small host that judges a plugin from outside, in a thread or in a cell.
 *
 * It offers batches as the data path does, waits by a clock of its own where it is
 * told to, and writes down all that leaves, in order: what two runs wrote can be
 * compared letter by letter. It shares no code with runtime/flow.
 *
 * Not here: the plugins (model.c, hostile.c). */
#ifndef AFFERENT_TESTS_STAGE_H
#define AFFERENT_TESTS_STAGE_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include <afferent/plugin.h>

enum { STAGE_NAMES = 64, STAGE_STAGED = 1 << 17, STAGE_HELD = 32, STAGE_VERDICTS = 32, STAGE_TRIES = 4000 };

struct stage_emit {
    struct aff_record record;
    uint32_t port, input;
    int loose;
};

struct stage {
    struct aff_host host; /* first */
    const struct aff_plugin *about;
    void *self;
    char *text; /* what left */
    size_t text_size;
    FILE *out;
    int64_t now_ns;
    uint64_t seed;
    char why[256];
    char *subjects[STAGE_NAMES];
    struct aff_stream_info streams[STAGE_NAMES];
    struct aff_schema schemas[STAGE_NAMES];
    char *schema_texts[STAGE_NAMES];
    uint32_t subject_count, stream_count, schema_count;
    uint8_t *state;
    size_t state_bytes;
    struct stage_emit *staged;
    uint32_t staged_count;
    struct aff_record draft;
    uint32_t draft_port, draft_input;
    bool draft_open;
    struct aff_record held[STAGE_HELD];
    bool held_used[STAGE_HELD];
    const struct aff_record *batch; /* in hand */
    uint32_t batch_count;
    const struct aff_record *mark;
    uint64_t metrics[8];
    int64_t wake_ns;
    int64_t timers[STAGE_NAMES];
    uint32_t incarnations;
    uint32_t cuts;
    uint64_t epoch;
    pthread_mutex_t lock;
    uint64_t acked[3]; /* OK, DATA, IO */
    uint32_t answer_verdict; /* of the last answer, and its words and status */
    char answer_words[80];
    aff_status answer_status;
    struct aff_id emitted; /* of the last record that was emitted, before it has its own */
    uint16_t emitted_flags;
    uint32_t logs;
    /* the judge's counts */
    uint64_t in, passed, dead, made, aside, by_verdict[STAGE_VERDICTS];
    uint64_t gaps;    /* records that left with GAP */
    uint64_t waits;   /* IO and MEMORY */
    uint32_t fail_reserve; /* the n-th reserve from now fails; 0: none */
    uint32_t fail_release; /* the n-th release */
    bool no_room;          /* no reserve succeeds */
    bool refuses;          /* no emit does: it is taken for wrong */
    bool no_names;         /* no new schema is known */
    /* devices: stage_device.c */
    struct pollfd watched[8];
    uint32_t watch_count;
    struct aff_link said; /* by the plugin */
    uint32_t said_count;
    struct aff_link links[20]; /* that there are */
    uint32_t link_count;
    struct aff_uplink uplink; /* under the lock, as what follows */
    aff_status uplink_status;
    uint64_t sent[16], received[16], worked, failed; /* as the plugin says */
    bool no_watch; /* watch fails */
};

void stage_begin(struct stage *stage);
/* Opens a plugin's table; the status of its open. */
aff_status stage_open(struct stage *stage, const struct aff_plugin *about, const void *config);
/* Before stage_open: it has functions for devices as well. */
void stage_device(struct stage *stage);
/* Whether a descriptor that is watched becomes ready in this time. */
bool stage_ready(struct stage *stage, int most_ms);
void stage_ports(struct stage *stage, const struct aff_plugin *about);
void stage_close(struct stage *stage);
void stage_end(struct stage *stage);

/* Offers all records, in batches of `batch`, until each is settled. False: it gave up
 * after STAGE_TRIES waits; the status that it was told last is in *ret_status. */
bool stage_feed(struct stage *stage, struct aff_record *records, uint32_t count, uint32_t batch, aff_status *ret_status);
/* Calls it until it is not told to wait, and lets go what was emitted. */
aff_status stage_call(struct stage *stage, aff_status (*call)(struct stage *stage));
aff_status stage_drain(struct stage *stage);
aff_status stage_read(struct stage *stage);
aff_status stage_sync(struct stage *stage);
/* Writes down that a record passed, as stage_feed does. */
void stage_passed(struct stage *stage, const struct aff_record *record);

/* `count` records of two streams of two subjects; payload: seq, action, filler. */
struct stage_payload {
    uint64_t seq;
    uint64_t action; /* 0: nothing */
    uint64_t filler[2];
};
struct aff_record *stage_records(struct stage *stage, uint32_t count, struct stage_payload **ret_payloads);

#endif
