/* config.h - what the options of out_syslog fill in.
 *
 * Not here: the options themselves and what is refused (options.c). */
#ifndef OUT_SYSLOG_CONFIG_H
#define OUT_SYSLOG_CONFIG_H

#include <afferent/plugin.h>

#include <stdbool.h>

enum { FORM_AUTO, FORM_RFC5424, FORM_LOCAL };
enum { FRAMING_OCTETS, FRAMING_LINES };
enum { BYTES_LEAST = 480, BYTES_MOST = 65000 }; /* RFC 5424, 6.1; what a datagram of UDP holds */

/* Severities of syslog for what an alert is; "debug" is 7. */
struct levels {
    int32_t high, medium, low, technical, ended, other;
};

struct config {
    const char *url;
    int32_t format, framing, facility;
    const char *app_name, *hostname, *msgid, *sd_id;
    const char *message;
    int32_t data;
    const struct levels *levels;
    int64_t max_bytes, timeout;
    const char *ca, *cert, *key;
    int32_t skip_verification, allow_plain;
};

enum { SYSLOG_OPTIONS = 18 };
extern const struct aff_option syslog_options[SYSLOG_OPTIONS];

/* Where messages go. */
enum way_kind { WAY_UNIX, WAY_UDP, WAY_TCP, WAY_TLS, WAY_NONE };
enum way_kind config_way(const struct config *c);
/* [any] What an alert's severity is where nothing is configured. */
extern const struct levels config_levels;

/* [control] The plugin's validate and shape. */
aff_status syslog_validate(const void *config, const struct aff_report *report);
aff_status syslog_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

#endif
