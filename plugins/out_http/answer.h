/* answer.h - what an answer means for the records that were sent.
 *
 * Pure: nothing here sends, waits or keeps anything. */
#ifndef OUT_HTTP_ANSWER_H
#define OUT_HTTP_ANSWER_H

#include "config.h"
#include "http/pump.h"
#include "json/json.h"

/* [any] By the status of HTTP for `count` records. *ret_why: what is wrong and what to
 * do, for JUDGE_WHO and JUDGE_LATER; a constant. */
enum judgement answer_judge(const struct config *config, long status, uint32_t count, const char **ret_why);

/* [any] Of one outcome among many: AFF_OK, AFF_ERR_DATA or AFF_ERR_IO. */
aff_status answer_outcome(unsigned status);

/* Reads outcomes out of bodies. */
struct answers;

/* [control] NULL: no memory. Bodies of up to config->answer_most. */
struct answers *answers_open(const struct config *config);
void answers_close(struct answers *a);

/* Bytes that must be readable behind a body. */
size_t answers_padding(void);

/* What is asked: `count` ids, `stride` bytes apart, and room for as many statuses. All
 * borrowed. */
struct outcomes {
    const struct aff_id *ids;
    size_t stride;
    uint32_t count;
    unsigned *statuses;
};

/* [one thread] Sets the status of each record, the n-th outcome being for the n-th
 * record or, where outcomes have ids, for the one of that id. False: the body is no such
 * answer, is damaged or has another number of outcomes: then nothing is known. */
bool answers_read(struct answers *a, const char *body, size_t size, const struct outcomes *outcomes);

#endif
