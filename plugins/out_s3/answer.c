/* answer.c - see answer.h. By "Error responses" of the Amazon S3 API reference, and the
 * words that Ceph and MinIO have beside it.
 *
 * What speaks of credentials, the bucket, the clock, the load or the way says nothing of
 * the records: these wait, and the reason says what to check. What speaks of this
 * object's size or name is the records' own fault. */
#include "answer.h"

#include <string.h>

#include "xml.h"

/* ---- documents ---- */

/* What is said in a log line and a dead letter is a word of the store's list, and nothing else
 * that somebody wrote there. */
static bool is_code(const char *text, size_t size)
{
    return size < CODE_ROOM && text && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.")] == '\0';
}

static void answer_take(void *self, const char *path, const char *text)
{
    struct answer *a = self;
    size_t size = text ? strlen(text) : 0;

    if (strcmp(path, "Error") == 0)
        a->is_error = true;
    else if (strcmp(path, "CompleteMultipartUploadResult") == 0)
        a->is_complete = true;
    else if (strcmp(path, "Error/Code") == 0 && is_code(text, size))
        memcpy(a->code, text, size + 1);
    else if (strcmp(path, "InitiateMultipartUploadResult/UploadId") == 0 && size < sizeof a->upload_id)
        memcpy(a->upload_id, text, size + 1);
}

void answer_read(struct answer *ret, const char *bytes, size_t size)
{
    *ret = (struct answer){ false, false, "", false, "" };
    ret->is_whole = xml_read(bytes, size, answer_take, ret);
    if (!ret->is_whole)
        *ret = (struct answer){ false, false, "", false, "" };
}

/* ---- reasons ---- */

struct reason {
    const char *code;
    enum verdict verdict;
    const char *why;
};

#define KEYS "check access_key, secret_key and session_token"
#define DAMAGED "the store got other bytes than were sent; check the link"
#define BUSY "the store asks for fewer requests"
#define OPTIONS "the store does not take an option of this sink; check storage_class, sse, checksum and headers"
#define FULL "the store is full or its quota is used up; ask its owner"
#define GONE "the upload is gone, it begins anew"
static const struct reason by_code[] = {
    { "AccessDenied", VERDICT_LATER, "the store does not allow this key to write (AccessDenied); ask its owner for s3:PutObject" },
    { "AccountProblem", VERDICT_LATER, "the store says that the account has a problem; ask its owner" },
    { "AllAccessDisabled", VERDICT_LATER, "the bucket is closed (AllAccessDisabled); ask its owner" },
    { "AuthorizationHeaderMalformed", VERDICT_LATER, "the bucket is in another region (AuthorizationHeaderMalformed); check region" },
    { "AuthorizationQueryParametersError", VERDICT_LATER, "the bucket is in another region; check region" },
    { "BadDigest", VERDICT_LATER, DAMAGED },
    { "BandwidthLimitExceeded", VERDICT_LATER, BUSY },
    { "EntityTooLarge", VERDICT_REFUSED, NULL },
    { "EntityTooSmall", VERDICT_RESTART, "the store wants larger parts (EntityTooSmall); raise part_bytes" },
    { "ExpiredToken", VERDICT_LATER, "the session's credentials have expired (ExpiredToken); write new ones and reload" },
    { "IllegalLocationConstraintException", VERDICT_LATER, "the bucket is in another region; check region and endpoint" },
    { "IncompleteBody", VERDICT_LATER, DAMAGED },
    { "InternalError", VERDICT_LATER, "the store failed (InternalError)" },
    { "InvalidAccessKeyId", VERDICT_LATER, "the store does not know the access key (InvalidAccessKeyId); " KEYS },
    { "InvalidArgument", VERDICT_LATER, OPTIONS },
    { "InvalidBucketName", VERDICT_LATER, "the bucket's name is none (InvalidBucketName); check bucket" },
    { "InvalidDigest", VERDICT_LATER, DAMAGED },
    { "InvalidEncryptionAlgorithmError", VERDICT_LATER, OPTIONS },
    { "InvalidPart", VERDICT_RESTART, GONE },
    { "InvalidPartOrder", VERDICT_RESTART, GONE },
    { "InvalidRequest", VERDICT_LATER, OPTIONS },
    { "InvalidSecurity", VERDICT_LATER, "the store does not accept the credentials (InvalidSecurity); " KEYS },
    { "InvalidStorageClass", VERDICT_LATER, "the store does not know the storage class (InvalidStorageClass); check storage_class" },
    { "InvalidToken", VERDICT_LATER, "the store does not accept the session token (InvalidToken); " KEYS },
    { "InvalidURI", VERDICT_REFUSED, NULL },
    { "KeyTooLongError", VERDICT_REFUSED, NULL },
    { "MetadataTooLarge", VERDICT_LATER, OPTIONS },
    { "MethodNotAllowed", VERDICT_LATER, "what is there is no bucket that can be written to; check endpoint, bucket and addressing" },
    { "MissingSecurityHeader", VERDICT_LATER, OPTIONS },
    { "NoSuchBucket", VERDICT_LATER, "the bucket is not there (NoSuchBucket); check bucket, endpoint and addressing, or make it" },
    { "NoSuchUpload", VERDICT_RESTART, GONE },
    { "NotImplemented", VERDICT_LATER, OPTIONS },
    { "PermanentRedirect", VERDICT_LATER, "the bucket is at another endpoint (PermanentRedirect); check region and endpoint" },
    { "QuotaExceeded", VERDICT_LATER, FULL },
    { "RequestHeaderSectionTooLarge", VERDICT_LATER, OPTIONS },
    { "RequestExpired", VERDICT_LATER, "the request came too late (RequestExpired); check the link and this machine's clock" },
    { "RequestTimeTooSkewed", VERDICT_LATER, "the store says that this machine's clock is wrong, by more than a quarter of an hour "
                                             "(RequestTimeTooSkewed); set the clock, by NTP" },
    { "RequestTimeout", VERDICT_LATER, "the store waited too long for the rest of the object (RequestTimeout); check the link" },
    { "SignatureDoesNotMatch", VERDICT_LATER, "the store does not accept the signature (SignatureDoesNotMatch); check secret_key, "
                                              "and that no proxy changes requests" },
    { "SlowDown", VERDICT_LATER, BUSY " (SlowDown)" },
    { "Throttling", VERDICT_LATER, BUSY },
    { "ThrottlingException", VERDICT_LATER, BUSY },
    { "TooManyRequests", VERDICT_LATER, BUSY },
    { "TokenRefreshRequired", VERDICT_LATER, "the session's credentials have expired; write new ones and reload" },
    { "XAmzContentSHA256Mismatch", VERDICT_LATER, DAMAGED },
    { "XMinioInvalidObjectName", VERDICT_REFUSED, NULL },
    { "XMinioStorageFull", VERDICT_LATER, FULL },
};

static const char *why_of(long status)
{
    switch (status) {
    case 401:
    case 403:
        return "the store does not accept the credentials (403); " KEYS;
    case 404:
        return "nothing is at that address (404); check endpoint, bucket and addressing";
    case 405:
        return "what is there takes no objects (405); check endpoint, bucket and addressing";
    case 407:
        return "the proxy does not accept the credentials (407); check proxy";
    case 408:
        return "the store waited too long for the rest of the object (408); check the link";
    case 409:
        return "somebody else writes the same object now (409)";
    case 411:
    case 412:
    case 415:
    case 417:
    case 426:
    case 428:
        return OPTIONS;
    case 425:
    case 429:
        return BUSY " (429)";
    case 501:
        return OPTIONS;
    case 503:
        return "the store is not available (503)";
    case 507:
        return FULL;
    default:
        return NULL;
    }
}

static const char strange[] = "what answers is no S3 store; check endpoint";

/* 4xx without a document is not what a store says of an object, but what something in front of it
 * says of the request; only its size is the records' own fault then. */
static enum verdict by_status(long status, bool has_code, const char **ret_why)
{
    *ret_why = why_of(status);
    if (*ret_why)
        return VERDICT_LATER;
    if (status >= 400 && status < 500 && status != 413 && status != 414 && !has_code) {
        *ret_why = strange;
        return VERDICT_LATER;
    }
    if (status >= 300 && status < 400)
        *ret_why = "the store answers with a redirect, which is not followed; check region and endpoint";
    else if (status >= 400 && status < 500)
        return VERDICT_REFUSED;
    else if (status >= 500)
        *ret_why = "the store failed (5xx)";
    else
        *ret_why = strange;
    return VERDICT_LATER;
}

enum verdict answer_verdict(long status, const char *code, const char **ret_why)
{
    for (size_t i = 0; *code && i < sizeof by_code / sizeof by_code[0]; i++)
        if (strcmp(by_code[i].code, code) == 0) {
            *ret_why = by_code[i].why;
            return by_code[i].verdict;
        }
    if (strncmp(code, "KMS.", 4) == 0) {
        *ret_why = "the store's key service does not let its key be used (KMS); check sse_key, and that key";
        return VERDICT_LATER;
    }
    return by_status(status, *code != '\0', ret_why);
}
