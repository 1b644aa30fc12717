/* SPDX-License-Identifier: Apache-2.0
 *
 * intake.h - from requests to records, and from commits to answers.
 *
 * One request is in hand at a time. Its records have ids of its key and their number, and one
 * time, so that one that comes again after a death makes the same. A time that it does not
 * bring is safe before it is given away. What was safe of it before is passed over. Not here:
 * HTTP, and who may send (talk.h). */
#ifndef IN_HTTP_INTAKE_H
#define IN_HTTP_INTAKE_H

#include "desk.h"

struct hand {
    struct request *request; /* NULL: none */
    struct known_one one;    /* it, as far as it was passed on */
    bool is_begun;
    uint32_t part;     /* which it is at */
    size_t offset;     /* in that */
    uint32_t at;       /* which record, of all */
    uint32_t stream;   /* of the part; 0: not asked for */
    uint32_t subject;
    bool is_open;      /* a file of which there are records and no end yet */
    uint32_t open_stream; /* its */
    uint32_t tries;
    uint64_t epoch; /* of its last record; 0: none was made */
};

struct intake {
    const struct aff_host *host;
    const struct config *config;
    struct desk *desk;
    struct known known;
    struct known_torn torn; /* of an earlier run */
    struct hand hand;
    struct request_list stamps; /* wait until their time is safe, in order of epochs */
    struct request_list waits;  /* until they are */
    uint64_t safe;              /* committed */
    uint64_t restored;          /* what is known of an earlier run is safe with; 0: there is nothing */
    bool is_restored;           /* that is not known yet */
    uint64_t asked;             /* the last epoch that is waited for */
    int64_t asked_ns;           /* since */
    int64_t full_until_ns; /* there was no place for a name: none is waited for */
    uint32_t schemas[2]; /* by port */
};

/* [data] Passes on at most `want` records. AFF_AGAIN: nothing is there. */
aff_status intake_read(struct intake *in, uint32_t want);
/* [data] An epoch is committed. */
void intake_committed(struct intake *in, uint64_t epoch);
/* [data] What is in hand between two epochs, for a snapshot. */
struct known_torn intake_torn(const struct intake *in);
/* [data] The node stops: what it has is not safe, and given back. */
void intake_stop(struct intake *in);

#endif
