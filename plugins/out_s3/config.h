/* config.h - what the options of out_s3 fill in.
 *
 * Not here: the options themselves and what is refused (options.c). */
#ifndef OUT_S3_CONFIG_H
#define OUT_S3_CONFIG_H

#include "http/pack.h"
#include "http/way.h"

enum { FORMAT_NDJSON, FORMAT_JSON, FORMAT_CSV, FORMAT_RAW };
enum { ADDRESS_AUTO, ADDRESS_PATH, ADDRESS_VIRTUAL };
enum { SSE_NONE, SSE_AES256, SSE_KMS };

enum { OBJECTS_MOST = 64, HOST_ROOM = 512, HEADERS_MOST = 16 };

struct config {
    const char *bucket, *region, *endpoint;
    int32_t addressing;
    const char *access_key, *secret_key, *session_token;
    const char *object;
    int32_t format, compress;
    const char *content_type, *storage_class;
    int32_t sse;
    const char *sse_key;
    int32_t checksum;
    int64_t open_objects, part_bytes, abort_after;
    union {
        struct http_way way;
        struct {
            HTTP_WAY_MEMBERS;
        };
    };
};

enum { S3_OPTIONS = 34 };
extern const struct aff_option s3_options[S3_OPTIONS];

/* [control] The plugin's validate and shape. */
aff_status s3_validate(const void *config, const struct aff_report *report);
aff_status s3_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

/* How many records an object has at most. */
uint32_t config_records_most(const struct config *config);

/* Where requests go, by the configuration: scheme and host (HOST_ROOM each), and whether
 * the bucket stands in the path. False: it does not fit. */
struct place {
    char origin[HOST_ROOM]; /* https://HOST */
    char host[HOST_ROOM];
    bool is_path;
};
bool config_place(const struct config *config, struct place *ret);

#endif
