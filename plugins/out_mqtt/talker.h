/* SPDX-License-Identifier: Apache-2.0
 *
 * talker.h - the thread that talks to the broker, over libmosquitto.
 *
 * It connects, and again after each loss; write of the plugin hands messages to it. Each is
 * answered once by host->ack, from this thread: by the broker's PUBACK, or with AFF_ERR_IO
 * when the connection is lost first. So nothing is kept here that the host does not have:
 * each connection begins with an empty session, and what was unanswered comes again from
 * the host, with its mark.
 *
 * A broker that ends the connection for what one message is does not say which. Then those
 * that were on their way go one at a time, so that only the one at fault is refused. So it is
 * where connections end one after the other, five times, before anything was answered.
 *
 * It goes by the link that the host names, and tells what each connection carried
 * (net/uplink.h).
 *
 * Not here: topics and payloads, what a broker's answer means (mqtt/reason.h). */
#ifndef OUT_MQTT_TALKER_H
#define OUT_MQTT_TALKER_H

#include <afferent/plugin.h>

#include <stdbool.h>

#include "mqtt/link.h"

enum { CAUSE_ROOM = 200 };

struct talker;

struct message {
    struct aff_id id;
    int64_t event_ns;
    const char *topic;
    const void *payload;
    uint32_t size;
    uint32_t expiry_s; /* 0: none */
    bool retain, resent, is_text;
    const char *content_type;
};

/* Since it was asked last. */
struct talker_counts {
    uint64_t acknowledged, unheard, refused, lost, connected;
    int last_refusal; /* a reason code; 0: none */
};

/* [control] link is borrowed until talker_close. NULL: no memory. */
struct talker *talker_open(const struct aff_host *host, const struct mqtt_link *link, uint32_t in_flight);
void talker_close(struct talker **talker);
/* [data] False: the thread could not be made. */
bool talker_start(struct talker *talker);
/* Ends the connection and the thread; what was not answered stays without an answer. */
void talker_stop(struct talker *talker);
/* [data] AFF_OK: the message is on its way, and will be answered. AFF_ERR_DATA: too large
 * for this broker, or text that is none; AFF_ERR_IO: not connected (waits for that up to
 * half a second); AFF_ERR_CONFIG: the broker cannot do what is asked; AFF_ERR_MEMORY.
 * `cause`: CAUSE_ROOM bytes, what is wrong. */
aff_status talker_send(struct talker *talker, const struct message *message, char *cause);
/* [data] What happened since the last call. */
struct talker_counts talker_counts(struct talker *talker);

#endif
