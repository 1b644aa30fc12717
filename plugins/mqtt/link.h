/* SPDX-License-Identifier: Apache-2.0
 *
 * link.h - how a node reaches its broker: options, address, what of it is wrong.
 *
 * Shared by out_mqtt and in_mqtt, whose config struct begins with struct mqtt_link,
 * and whose options table with MQTT_LINK_OPTIONS.
 *
 * Not here: any library of MQTT. */
#ifndef MQTT_LINK_H
#define MQTT_LINK_H

#include <afferent/plugin.h>

#include <stdbool.h>

enum mqtt_version { MQTT_V5, MQTT_V3_1_1 };
extern const char *const mqtt_versions[];

struct mqtt_link {
    const char *broker;
    int32_t version; /* enum mqtt_version */
    const char *client_id;
    const char *user;
    const char *password;
    const char *ca;
    const char *certificate;
    const char *key;
    const char *key_password;
    int32_t accept_any_server;
    int64_t keepalive;
    int64_t connect_timeout;
};

#define MQTT_LINK_OPTIONS                                                                                            \
    AFF_OPT_TEXT(struct mqtt_link, broker, AFF_OPT_REQUIRED, NULL,                                                   \
                 "The broker: mqtts://HOST:PORT with TLS (8883), mqtt://HOST:PORT without (1883)."),                 \
    AFF_OPT_ENUM(struct mqtt_link, version, 0, "\"5\"", mqtt_versions, "Version of MQTT that is spoken."),           \
    AFF_OPT_TEXT(struct mqtt_link, client_id, 0, NULL, "Name of this client at the broker, which no other may use."), \
    AFF_OPT_TEXT(struct mqtt_link, user, 0, NULL, "User name at the broker."),                                       \
    AFF_OPT_SECRET(struct mqtt_link, password, 0, "Password of the user."),                                          \
    AFF_OPT_PATH(struct mqtt_link, ca, AFF_OPT_INPUT, NULL,                                                          \
                 "PEM file of the authorities that may vouch for the broker, in place of the system's."),            \
    AFF_OPT_PATH(struct mqtt_link, certificate, AFF_OPT_INPUT, NULL, "PEM file of this client's own certificate."),  \
    AFF_OPT_PATH(struct mqtt_link, key, AFF_OPT_INPUT, NULL, "PEM file of the certificate's private key."),          \
    AFF_OPT_SECRET(struct mqtt_link, key_password, 0, "Password of the private key."),                               \
    AFF_OPT_BOOL(struct mqtt_link, accept_any_server, "false",                                                       \
                 "Whether any server is taken for the broker, whatever its certificate says: whoever is in between " \
                 "reads and changes everything."),                                                                   \
    AFF_OPT_DURATION(struct mqtt_link, keepalive, 0, "\"30s\"", 5e9, 65535e9,                                        \
                     "Silence after which the broker is asked whether it is still there."),                          \
    AFF_OPT_DURATION(struct mqtt_link, connect_timeout, 0, "\"15s\"", 1e9, 300e9,                                    \
                     "How long a connection may take from the first packet to the broker's welcome.")

struct mqtt_address {
    char host[256]; /* a name or an address, without brackets */
    uint16_t port;
    bool tls;
    bool is_v6; /* a literal one, which stands in brackets in an address */
};

/* NULL, or what is wrong with the text, what was expected, what to do. [any] */
const char *mqtt_address_read(const char *text, struct mqtt_address *ret);

/* [control] The rules across these options, said to `report`; also that the way is secure
 * where it is. False after a problem was said. */
bool mqtt_link_check(const struct mqtt_link *link, const struct aff_report *report);

/* [any] Whether a text may stand in a packet: UTF-8 without control characters (MQTT 5.0,
 * section 1.5.4), at most 65535 bytes. */
bool mqtt_text_is_fine(const char *text);

#endif
