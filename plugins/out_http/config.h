/* config.h - what the options of out_http fill in.
 *
 * Not here: the options themselves and what is refused (options.c). */
#ifndef OUT_HTTP_CONFIG_H
#define OUT_HTTP_CONFIG_H

#include "http/pack.h"
#include "http/way.h"

enum { METHOD_POST, METHOD_PUT };
enum { FORMAT_JSON, FORMAT_NDJSON, FORMAT_FHIR, FORMAT_RAW };
enum { BUNDLE_TRANSACTION, BUNDLE_BATCH };

/* Client credentials (RFC 6749, section 4.4). */
struct oauth_config {
    const char *url, *client, *secret, *scope, *audience;
};

struct fhir_config {
    int32_t bundle;
    const char *system;         /* of the records' ids */
    const char *subject_system; /* of the subjects' names */
    const char *code, *code_system, *code_text, *category;
};

/* Where an answer says what became of each record. */
struct answer_config {
    const char *rows, *status, *id;
};

struct config {
    const char *url;
    int32_t method, format, compress;
    union {
        struct http_way way;
        struct {
            HTTP_WAY_MEMBERS;
        };
    };
    const char *content_type;
    const char *token, *user, *password;
    const struct oauth_config *oauth;
    const struct fhir_config *fhir;
    const struct answer_config *answer;
};

enum { HTTP_OPTIONS = 27 };
extern const struct aff_option http_options[HTTP_OPTIONS];

/* [control] The plugin's validate and shape. */
aff_status http_validate(const void *config, const struct aff_report *report);
aff_status http_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

/* How many records a request has at most. */
uint32_t config_records_most(const struct config *config);

#endif
