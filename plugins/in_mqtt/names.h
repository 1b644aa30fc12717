/* SPDX-License-Identifier: Apache-2.0
 *
 * names.h - subject and stream of a message, from its topic.
 *
 *     subject = "{2}", stream = "{3}"   topic ward/7%2Fb/ecg  ->  subject "7/b", stream "ecg"
 *
 * {topic} is all of it, {1} to {9} a level, counted from 1, in which %XX stand for bytes as
 * out_mqtt writes them, where that makes text. */
#ifndef IN_MQTT_NAMES_H
#define IN_MQTT_NAMES_H

#include <stdbool.h>
#include <stddef.h>

enum { NAME_ROOM = 256 }; /* with the zero */

/* [any] NULL, or what is wrong with a template, what was expected, what to do. */
const char *name_problem(const char *template);
/* [any] NULL, or what is wrong with a filter of topics (MQTT 5.0, sections 4.7 and 4.8.2). */
const char *filter_problem(const char *filter);
/* [any] Writes the name; false: it is empty, too long, or no text. */
bool name_write(char *to, const char *template, const char *topic);

#endif
