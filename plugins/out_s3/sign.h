/* sign.h - requests signed by AWS Signature Version 4.
 *
 * By "Signature Calculations for the Authorization Header: Transferring Payload in a
 * Single Chunk" of the Amazon S3 API reference, and "Create a signed AWS API request" of
 * the IAM user guide, of which it is a part. Pure: knows no clock and no network.
 *
 * Not here: which headers a request has (store.c). */
#ifndef OUT_S3_SIGN_H
#define OUT_S3_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text/text.h"

enum { SIGN_HASH_ROOM = 65, SIGN_DATE_ROOM = 17, SIGN_HEADERS_MOST = 48 };

struct sign_who {
    const char *access_key, *secret_key, *region, *service;
};

/* Name in small letters; the value as it is sent. */
struct sign_header {
    const char *name, *value;
};

struct sign_request {
    const char *method;
    const char *path;  /* as it is sent: sign_escape'd */
    const char *query; /* as it is sent: sorted, escaped, with a '=' behind each name; or "" */
    const struct sign_header *headers; /* those that are signed, by name in order */
    size_t header_count;
    const char *payload_hash; /* sign_hash, or UNSIGNED-PAYLOAD */
    const char *date;         /* sign_date */
};

/* [any] 64 hex digits of the SHA-256 of bytes. */
void sign_hash(char ret[SIGN_HASH_ROOM], const void *bytes, size_t size);
/* [any] 20130524T000000Z */
void sign_date(char ret[SIGN_DATE_ROOM], int64_t utc_s);
/* [any] Appends text with every byte but letters, digits, '-', '.', '_', '~' (and '/' where
 * `keeps_slash`) as %XX. */
void sign_escape(struct text *t, const char *bytes, size_t size, bool keeps_slash);

/* [any] Appends the value of the header Authorization, without a zero. What failed is told by t->failed. */
void sign_write(struct text *t, const struct sign_who *who, const struct sign_request *request);

#endif
