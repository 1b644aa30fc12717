/* SPDX-License-Identifier: Apache-2.0
 *
 * reason.h - reason codes of MQTT 5.0 (section 2.4): what they say, and what becomes
 * of a record whose message was answered with one.
 *
 * Not here: who sends and receives them. */
#ifndef MQTT_REASON_H
#define MQTT_REASON_H

#include <afferent/plugin.h>

#include <stdbool.h>

/* [any] Plain words; never NULL. */
const char *mqtt_reason_text(int code);
/* [any] The words for a return code of a CONNACK of version 3.1.1 (section 3.2.2.3). */
const char *mqtt_refusal_text(int code);
/* [any] A PUBACK: AFF_OK, AFF_ERR_IO (it may be taken later), AFF_ERR_DATA (this message
 * will not be). */
aff_status mqtt_puback_status(int code);
/* [any] Whether a server ended the connection for what one message is. */
bool mqtt_end_blames_message(int code);

#endif
