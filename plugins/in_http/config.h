/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h - the options of in_http, as the host fills them in. */
#ifndef IN_HTTP_CONFIG_H
#define IN_HTTP_CONFIG_H

#include <afferent/plugin.h>

enum takes { TAKES_JSON, TAKES_FILES };
enum no_key { NO_KEY_NEW, NO_KEY_BODY, NO_KEY_REFUSE };
enum { ROUTES_MOST = 64, TOKENS_MOST = 256, TOKEN_LEAST = 16, CLIENT_NAME_MOST = 64 };

/* An entry of the option `routes`. */
struct route_option {
    const char *path;
    int32_t takes; /* enum takes */
    const char *subject, *stream;
};

/* An entry of the option `tokens`. */
struct token_option {
    const char *name;
    const char *secret;
};

struct config {
    const char *listen;
    const char *certificate, *key, *key_password, *client_ca;
    struct aff_list clients; /* const char * */
    struct aff_list tokens;  /* struct token_option */
    int32_t allow_plain, allow_anyone;
    struct aff_list routes; /* struct route_option */
    const char *health;
    const char *time_header;
    int32_t no_key; /* enum no_key */
    int64_t remember;
    int64_t max_body, max_row, max_headers, block;
    int64_t max_connections, max_connections_per_address;
    int64_t buffer;
    int64_t request_timeout, answer_timeout;
};

enum { PORT_DATA, PORT_FILES };
enum { VERDICT_TOO_LARGE = 1, VERDICT_TOO_MANY };
enum {
    METRIC_REQUESTS,
    METRIC_RECORDS,
    METRIC_AGAIN,
    METRIC_REFUSED,
    METRIC_UNKNOWN,
    METRIC_BUSY,
    METRIC_CUT,
    METRIC_CONNECTIONS,
    METRIC_WAITING,
    METRIC_PLAIN,
    METRIC_ANYONE
};

enum { IN_HTTP_OPTIONS = 23 };
extern const struct aff_option in_http_options[IN_HTTP_OPTIONS];

/* [control] Rules across options. */
aff_status in_http_validate(const void *config, const struct aff_report *report);
/* [control] Which of the two outputs makes something. */
aff_status in_http_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

extern const struct aff_schema in_http_json_schema, in_http_file_schema;

#endif
