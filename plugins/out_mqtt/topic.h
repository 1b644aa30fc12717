/* SPDX-License-Identifier: Apache-2.0
 *
 * topic.h - a topic made of a template and of names that come with the data.
 *
 *     "ward/{subject}/{stream}"   subject "7/b+", stream "ecg"  ->  ward/7%2Fb%2B/ecg
 *
 * What comes from data is never a level, a wildcard or the mark of a server's own topic:
 * every byte that is not a letter, a digit, '.', '_' or '-' is written as '%' and two hex
 * digits, '%' itself too, and an empty name as "%00", which no name has. So two names
 * never give the same topic, and a topic is plain ASCII where the template is. */
#ifndef OUT_MQTT_TOPIC_H
#define OUT_MQTT_TOPIC_H

#include <stdbool.h>
#include <stddef.h>

enum { TOPIC_ROOM = 2048 }; /* with the zero; the longest of MQTT is 65535 */

/* [any] NULL, or what is wrong with a template, what was expected, what to do. */
const char *topic_problem(const char *template);
/* [any] Writes the topic, ended by a zero; false: it is longer than the room. The template
 * is one that has no problem. */
bool topic_write(char *to, size_t room, const char *template, const char *subject, const char *stream);

#endif
