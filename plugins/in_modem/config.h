/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h - the options of in_modem, as the host fills them in. */
#ifndef IN_MODEM_CONFIG_H
#define IN_MODEM_CONFIG_H

#include <afferent/plugin.h>

enum backend { BACKEND_AT, BACKEND_MODEMMANAGER };
enum position_kind { POSITION_NONE, POSITION_CGNSINF, POSITION_CGPSINFO };
enum { NUMBERS_MOST = 16, PARTS_SENT_MOST = 16, PPP_ARGS_MOST = 32, ALERT_STATES = 4 };

struct usb_config {
    const char *vendor, *product, *serial;
    int64_t interface;
};

struct config {
    int32_t backend; /* enum backend */
    const char *path;
    const struct usb_config *usb;
    const char *sysfs;
    int64_t baud;
    int32_t flow; /* enum port_flow */
    const char *subject;
    const char *pin;
    int64_t every; /* status rows; 0: none */
    int32_t position; /* enum position_kind */
    const char *store;
    int64_t parts_within; /* a long text waits so long for its parts */
    int64_t parts_kept;
    struct aff_list alert_to;    /* const char * */
    struct aff_list alert_state; /* int32_t */
    int32_t reports;
    int64_t validity;
    int64_t max_parts;
    int64_t retries;
    int64_t expire;
    int32_t allow_raw;
    const char *apn;
    int32_t pdp; /* IP, IPV6, IPV4V6 */
    int64_t cid;
    const char *user, *password;
    int32_t when_roaming;
    struct aff_list ppp; /* const char * */
    const char *interface;
    int32_t metered;
};

extern const char *const pdp_names[];
extern const char *const alert_state_names[ALERT_STATES + 1];

/* [control] Of the plugin. */
aff_status config_validate(const void *config, const struct aff_report *report);
aff_status config_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

#endif
