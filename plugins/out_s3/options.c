/* options.c - the options of out_s3, and what is refused beforehand.
 *
 * Not here: what they do (request.c, store.c, key.c), those that all sinks by HTTP have
 * (http/way.c). */
#include "config.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "key.h"

static const char *const formats[] = { "ndjson", "json", "csv", "raw", NULL };
static const char *const packs[] = { "none", "gzip", "zstd", "lz4", NULL };
static const char *const addressings[] = { "auto", "path", "virtual", NULL };
static const char *const encryptions[] = { "none", "AES256", "aws:kms", NULL };

#define MIB (1024.0 * 1024)
#define DO AFF_OPT_DURATION
#define S HTTP_S
#define C struct config
const struct aff_option s3_options[S3_OPTIONS] = {
    AFF_OPT_TEXT(C, bucket, AFF_OPT_REQUIRED, NULL, "The bucket that objects are put into."),
    AFF_OPT_TEXT(C, region, 0, "\"us-east-1\"", "The bucket's region, as requests are signed for it."),
    AFF_OPT_TEXT(C, endpoint, 0, NULL, "The store's URL, without a path, where it is not Amazon's of that region."),
    AFF_OPT_ENUM(C, addressing, 0, "\"auto\"", addressings,
                 "Where the bucket's name stands: in the path, or before the host's name; auto: the latter for Amazon's own."),
    AFF_OPT_TEXT(C, access_key, AFF_OPT_REQUIRED, NULL, "The access key's id."),
    AFF_OPT_SECRET(C, secret_key, AFF_OPT_REQUIRED, "The secret access key."),
    AFF_OPT_SECRET(C, session_token, 0, "The session token, where the credentials are temporary."),
    AFF_OPT_TEXT(C, object, 0, "\"{subject}/{stream}/{date}/{time}-{id}{suffix}\"", "The template of objects' names (keys)."),
    AFF_OPT_ENUM(C, format, 0, "\"ndjson\"", formats,
                 "What an object is: a JSON object a line, a JSON list, a table, or one payload as it is."),
    AFF_OPT_ENUM(C, compress, 0, "\"none\"", packs, "How an object is packed."),
    AFF_OPT_TEXT(C, content_type, 0, NULL, "The Content-Type, where it is not the format's own."),
    AFF_OPT_TEXT(C, storage_class, 0, NULL, "The storage class, such as STANDARD_IA; without it the bucket's."),
    AFF_OPT_ENUM(C, sse, 0, "\"none\"", encryptions, "How the store encrypts objects at rest; none: as the bucket says."),
    AFF_OPT_TEXT(C, sse_key, 0, NULL, "The id of the key in the store's key service, for aws:kms."),
    AFF_OPT_BOOL(C, checksum, "false", "Whether the store keeps the SHA-256 beside each object; not all stores can."),
    AFF_OPT_INT(C, open_objects, 0, "16", 1, OBJECTS_MOST, "objects", "How many objects are gathered side by side."),
    AFF_OPT_INT(C, batch_records, 0, "1000", 1, BATCH_RECORDS_MOST, "records", "How many records an object has at most."),
    AFF_OPT_BYTES(C, batch_bytes, 0, "\"8MiB\"", 1024, 256 * MIB,
                  "How large an object grows before it is packed; one record may be larger."),
    DO(C, batch_time, 0, "\"60s\"", 0, 86400 * S, "How long the first record of an object waits for others."),
    AFF_OPT_BYTES(C, part_bytes, 0, "\"8MiB\"", 5 * MIB, 512 * MIB, "Objects that are larger are sent in parts of that size."),
    DO(C, abort_after, 0, "\"1d\"", 0, 365 * 86400 * S,
       "How old an unfinished upload below this sink's names must be to be taken away; 0s: all are this node's, at each start."),
    AFF_OPT_INT(C, in_flight, 0, "4", 1, IN_FLIGHT_MOST, "requests", "How many requests wait for their answers at once."),
    DO(C, timeout, 0, "\"30min\"", 0.1 * S, 86400 * S,
       "How long a request may take; one by which nothing goes for a minute ends sooner."),
    HTTP_WAIT_OPTIONS(C),
    AFF_OPT_BYTES(C, answer_most, 0, "\"1MiB\"", 65536, 64 * MIB, "The longest answer that is read."),
    HTTP_HEADERS_OPTION(C),
    HTTP_WAY_OPTIONS(C),
};

uint32_t config_records_most(const struct config *config)
{
    return config->format == FORMAT_RAW ? 1u : (uint32_t)config->batch_records;
}

/* ---- where requests go ---- */

static bool is_path(const struct config *c)
{
    if (c->addressing != ADDRESS_AUTO)
        return c->addressing == ADDRESS_PATH;
    return c->endpoint || strchr(c->bucket, '.'); /* a certificate holds for one name in front, and not for several */
}

/* "https://host:port" in two parts; false: it is something else. */
static bool endpoint_split(const char *endpoint, const char **ret_host, size_t *ret_scheme)
{
    const char *host = strstr(endpoint, "://");

    if (!host)
        return false;
    *ret_scheme = (size_t)(host + 3 - endpoint);
    *ret_host = host + 3;
    return strpbrk(host + 3, "/?#@ %\\") == NULL && host[3] != '\0';
}

bool config_place(const struct config *config, struct place *ret)
{
    const char *china = strncmp(config->region, "cn-", 3) == 0 ? ".cn" : "", *host;
    char endpoint[HOST_ROOM];
    size_t scheme;
    int n, m;

    n = config->endpoint ? snprintf(endpoint, sizeof endpoint, "%s", config->endpoint)
                         : snprintf(endpoint, sizeof endpoint, "https://s3.%s.amazonaws.com%s", config->region, china);
    if (n < 0 || (size_t)n >= sizeof endpoint)
        return false;
    if (n > 0 && endpoint[n - 1] == '/')
        endpoint[n - 1] = '\0';
    if (!endpoint_split(endpoint, &host, &scheme))
        return false;
    ret->is_path = is_path(config);
    n = snprintf(ret->host, sizeof ret->host, "%s%s%s", ret->is_path ? "" : config->bucket, ret->is_path ? "" : ".", host);
    if (n < 0 || (size_t)n >= sizeof ret->host)
        return false;
    m = snprintf(ret->origin, sizeof ret->origin, "%.*s%s", (int)scheme, endpoint, ret->host);
    return m > 0 && (size_t)m < sizeof ret->origin;
}

/* ---- what is refused ---- */

static bool is_of(const char *text, const char *bytes)
{
    return *text && text[strspn(text, bytes)] == '\0';
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static bool is_bucket(const char *name)
{
    size_t size = strlen(name);

    return is_of(name, LETTERS ".-_") && size >= 3 && size <= 255 && !strstr(name, "..") && *name != '.' && *name != '-' &&
           name[size - 1] != '.';
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= 0x20 || (unsigned char)*text > 0x7e)
            return false;
    return true;
}

static const char *place_problem(const struct config *c, const char **ret_option)
{
    struct place place;

    *ret_option = "bucket";
    if (!is_bucket(c->bucket))
        return "is no bucket's name; expected at least three letters, digits, points and hyphens; write the name alone";
    *ret_option = "region";
    if (!is_of(c->region, LETTERS "-_"))
        return "is no region; expected such as \"eu-central-1\"; ask the store's owner";
    *ret_option = "endpoint";
    if (!config_place(c, &place) || !is_ascii(place.origin))
        return "is no URL of a store; expected https://HOST or https://HOST:PORT, without a path; write the bucket as `bucket`";
    return NULL;
}

static const char *who_problem(const struct config *c, const char **ret_option)
{
    *ret_option = "access_key";
    if (!*c->access_key || !is_ascii(c->access_key) || strpbrk(c->access_key, "/,"))
        return "is empty or has characters that no key has; expected such as AKIA...; check where it comes from";
    *ret_option = "secret_key";
    if (!*c->secret_key || !is_ascii(c->secret_key))
        return "is empty or has characters that no key has; expected one line; check the file it comes from";
    *ret_option = "session_token";
    if (c->session_token && (!*c->session_token || !is_ascii(c->session_token)))
        return "is empty or has characters that no token has; expected one line; check the file it comes from";
    return NULL;
}

static const char *object_problem(const struct config *c, const char **ret_option)
{
    *ret_option = "object";
    if (key_problem(c->object))
        return key_problem(c->object);
    *ret_option = "content_type";
    if (c->content_type && !http_is_line(c->content_type))
        return "has more than one line; expected one line; write a media type";
    *ret_option = "storage_class";
    if (c->storage_class && !is_of(c->storage_class, LETTERS "-_"))
        return "is no storage class; expected such as STANDARD_IA; ask the store's owner";
    *ret_option = "sse_key";
    if (c->sse_key && (c->sse != SSE_KMS || !*c->sse_key || !is_ascii(c->sse_key)))
        return "names a key and sse does not say aws:kms, or it is none; expected both; write sse = \"aws:kms\"";
    *ret_option = "headers";
    if (c->headers.count > HEADERS_MOST)
        return "are more than sixteen; expected fewer; take some out";
    return NULL;
}

typedef const char *problem_of(const struct config *, const char **);

aff_status s3_validate(const void *config, const struct aff_report *report)
{
    static const char *const ours[] = { "x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-storage-class",
                                        "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id",
                                        "x-amz-checksum-sha256", "x-amz-checksum-algorithm", "date", NULL };
    static problem_of *const checks[] = { place_problem, who_problem, object_problem };
    const struct config *c = config;
    struct place place;
    bool good = true;

    for (int i = 0; i < 3; i++) {
        const char *option, *problem = checks[i](c, &option);

        if (problem)
            report->problem(report, option, "%s %s", option, problem);
        good = good && !problem;
    }
    good = http_headers_check(&c->way, ours, report) && http_cert_check(&c->way, report) && good;
    if (!good || !config_place(c, &place) || !http_url_check(&c->way, place.origin, "endpoint", report))
        return AFF_ERR_CONFIG;
    if (http_is_secure(&c->way, place.origin))
        report->secure(report);
    http_dangers_note(&c->way, report);
    return AFF_OK;
}

/* ---- what could only become dead letters ---- */

struct columns {
    const struct aff_schema *schema;
    bool is_missing;
};

static void column_find(void *self, const char *name, size_t size)
{
    struct columns *c = self;

    for (uint32_t i = 0; i < c->schema->count; i++) {
        struct aff_column column = record_column(c->schema, i);

        if (column.name && strlen(column.name) == size && memcmp(column.name, name, size) == 0)
            return;
    }
    c->is_missing = true;
}

aff_status s3_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    const struct config *c = config;
    const char *option = "format", *problem = NULL;

    for (uint32_t i = 0; i < inputs->count; i++) {
        const struct aff_shape *in = (const void *)((const char *)inputs->items + (size_t)i * inputs->stride);
        struct columns columns = { in->schema, false };
        bool is_whole = in->schema && (in->schema->type == AFF_BYTES || in->schema->type == AFF_IMAGE);

        if (in->schema && !is_whole && c->format == FORMAT_RAW)
            problem = "raw puts payloads as they are, and rows and samples have no bytes of their own; expected ndjson, json or "
                      "csv; change format";
        if (in->schema)
            key_columns(c->object, column_find, &columns);
        if (!problem && columns.is_missing) {
            option = "object";
            problem = "object names a column that its input does not have; expected one of its columns; correct {column:NAME}";
        }
    }
    if (!problem)
        return AFF_OK;
    report->problem(report, option, "%s", problem);
    return AFF_ERR_CONFIG;
}
