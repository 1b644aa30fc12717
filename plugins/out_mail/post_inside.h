/* post_inside.h - what the two files of the post office share.
 *
 * post.c is what the lane calls, send.c the thread. Under the lock: all of it but the
 * letter under way and `smtp`, which are the thread's. */
#ifndef OUT_MAIL_POST_INSIDE_H
#define OUT_MAIL_POST_INSIDE_H

#include "post.h"
#include "smtp.h"

#include <pthread.h>

#include "net/thread.h"

enum { ITEMS_MOST = 256, MAILS_MOST = 8, WORDS_MOST = 32 };
#define MS INT64_C(1000000)
#define SECOND (1000 * MS)
#define HOUR (3600 * SECOND)

enum { SILENT = 1 }; /* for a code: the server said nothing, or hung up */

enum part_state { PART_FREE, PART_LATER, PART_TOLD, PART_REFUSED };

/* A mail under way; of count 0: none. */
struct mail {
    uint64_t number; /* they go in order */
    uint32_t count;
    struct aff_id ids[ITEMS_MOST];
    struct text letter;
    uint8_t parts[RECIPIENTS_MOST]; /* enum part_state */
    uint16_t code;                  /* the last that refused it */
    uint8_t unsure;                 /* times that its end was not answered */
    int64_t next_ns, wait_ns;
    int64_t waited_ns;              /* for addresses that could not take it; without waits for the server */
};

/* What the thread has to say; the lane says it. */
struct news {
    uint64_t counts[COUNTS];
    uint16_t codes[RECIPIENTS_MOST]; /* with which an address refused, since it was said; 0: none */
    uint16_t late[RECIPIENTS_MOST];  /* with which one has been putting off, or SILENT; 0: none */
    bool missed;                     /* an address went without, for it could not take it in time */
};

struct post {
    const struct aff_host *host;
    const struct config *config;
    struct smtp *smtp;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stirs;
    bool has_lock, has_thread, stop, flush, fills;

    struct item *items;
    uint32_t count;
    bool has_high;    /* one of them is */
    int64_t first_ns; /* when the first of them came */
    int64_t ahead_ns; /* of the wall clock before post_now; the host's clock is the lane's to ask */
    uint8_t clock;    /* what that is worth, AFF_CLOCK_... */
    struct mail *mails;
    uint64_t next_number;
    int64_t paid_ns; /* up to when mails are paid for by the limit */

    struct aff_uplink link; /* by which the last went, or tried to */
    aff_status link_status;
    bool is_failing;
    uint32_t denials;
    int64_t retry_ns, wait_ns;
    bool is_late[RECIPIENTS_MOST]; /* the address could not take the last that it was given */
    const char *why;
    uint64_t random;
    uint16_t said[RECIPIENTS_MOST]; /* codes that the log has */
    bool is_late_said[RECIPIENTS_MOST];
    struct news news;
};

int64_t post_now(void);
/* The thread. */
void *post_run(void *post);

#endif
