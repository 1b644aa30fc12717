/* answer.h - what an S3 store's answer means for what was sent.
 *
 * Pure: nothing here sends, waits or keeps anything. */
#ifndef OUT_S3_ANSWER_H
#define OUT_S3_ANSWER_H

#include "http/pump.h"

enum { CODE_ROOM = 64, UPLOAD_ID_MOST = 1024 };

/* A document that a store answered. */
struct answer {
    bool is_whole;
    bool is_error;      /* its root is Error, whatever the status says */
    char code[CODE_ROOM];
    bool is_complete;   /* CompleteMultipartUploadResult */
    char upload_id[UPLOAD_ID_MOST + 1]; /* of InitiateMultipartUploadResult; empty: none */
};
void answer_read(struct answer *ret, const char *bytes, size_t size);

/* What is to be done about an answer that is no success, for `count` records. RESTART: the
 * upload is gone or its parts are, and the object is sent from its beginning. */
enum verdict { VERDICT_REFUSED, VERDICT_LATER, VERDICT_RESTART };
enum verdict answer_verdict(long status, const char *code, const char **ret_why);

#endif
