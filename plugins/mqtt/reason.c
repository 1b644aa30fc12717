/* SPDX-License-Identifier: Apache-2.0
 *
 * reason.c - reason codes, see reason.h. */
#include "mqtt/reason.h"

#include <stddef.h>

enum {
    NOT_HEARD = 0x10, REFUSED = 0x80, MALFORMED = 0x81, PROTOCOL = 0x82, TOPIC = 0x90, ID_IN_USE = 0x91,
    TOO_LARGE = 0x95, QUOTA = 0x97, FORMAT = 0x99, RETAIN = 0x9a, QOS = 0x9b
};

static const struct { int code; const char *text; } reasons[] = {
    { 0x00, "fine" },
    { NOT_HEARD, "nobody has subscribed to it" },
    { REFUSED, "refused without a reason" },
    { MALFORMED, "malformed packet" },
    { PROTOCOL, "protocol error" },
    { 0x83, "refused for a reason of the broker's own" },
    { 0x84, "the broker does not speak this version of MQTT" },
    { 0x85, "the client id is not allowed" },
    { 0x86, "bad user name or password" },
    { 0x87, "not authorised" },
    { 0x88, "the broker is not available" },
    { 0x89, "the broker is busy" },
    { 0x8a, "this client is banned" },
    { 0x8b, "the broker is shutting down" },
    { 0x8c, "bad authentication method" },
    { 0x8d, "the broker heard nothing for too long" },
    { 0x8e, "another client with the same client id has connected" },
    { 0x8f, "the topic filter is not allowed" },
    { TOPIC, "the topic is not allowed" },
    { ID_IN_USE, "the packet's number is in use" },
    { 0x92, "the packet's number is unknown" },
    { 0x93, "more messages at once than the broker takes" },
    { 0x94, "the topic's alias is not allowed" },
    { TOO_LARGE, "the packet is too large" },
    { 0x96, "messages come too fast" },
    { QUOTA, "a quota of the broker is exceeded" },
    { 0x98, "ended by an administrator" },
    { FORMAT, "the payload has not the form that was announced" },
    { RETAIN, "the broker retains no messages" },
    { QOS, "the broker does not do this quality of service" },
    { 0x9c, "another server is to be used" },
    { 0x9d, "the server has moved" },
    { 0x9e, "the broker has no shared subscriptions" },
    { 0x9f, "connections come too fast" },
    { 0xa0, "the connection has lasted as long as it may" },
    { 0xa1, "the broker has no subscription identifiers" },
    { 0xa2, "the broker has no subscriptions with wildcards" },
};

const char *mqtt_reason_text(int code)
{
    size_t i;

    for (i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].code == code)
            return reasons[i].text;
    return code < REFUSED ? "fine" : "refused for an unknown reason";
}

const char *mqtt_refusal_text(int code)
{
    static const char *const texts[] = { "fine", "the broker does not speak this version of MQTT",
                                         "the client id is not allowed", "the broker is not available",
                                         "bad user name or password", "not authorised" };

    return code >= 0 && (size_t)code < sizeof texts / sizeof texts[0] ? texts[code] : "refused for an unknown reason";
}

/* What a broker does not take for reasons of the message is set aside alone, and may be
 * tried again by `afferent dlq retry` when the broker was told otherwise. A quota, and a
 * packet's number, are of the moment. */
aff_status mqtt_puback_status(int code)
{
    if (code < REFUSED)
        return AFF_OK;
    return code == QUOTA || code == ID_IN_USE ? AFF_ERR_IO : AFF_ERR_DATA;
}

bool mqtt_end_blames_message(int code)
{
    return code == MALFORMED || code == PROTOCOL || code == TOPIC || code == TOO_LARGE || code == FORMAT ||
           code == RETAIN || code == QOS;
}
