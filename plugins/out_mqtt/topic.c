/* SPDX-License-Identifier: Apache-2.0
 *
 * topic.c - a topic made of a template, see topic.h. */
#include "topic.h"

#include <string.h>

#include "mqtt/link.h"

enum place { PLACE_NONE, PLACE_SUBJECT, PLACE_STREAM };

/* Which {name} stands at `at`; *ret_length: bytes of it. */
static enum place place_at(const char *at, size_t *ret_length)
{
    static const char *const names[] = { NULL, "{subject}", "{stream}" };
    size_t i;

    for (i = PLACE_SUBJECT; i <= PLACE_STREAM; i++)
        if (strncmp(at, names[i], strlen(names[i])) == 0) {
            *ret_length = strlen(names[i]);
            return (enum place)i;
        }
    return PLACE_NONE;
}

const char *topic_problem(const char *template)
{
    const char *at = template;
    size_t length;

    if (!*template)
        return "is empty; expected one such as \"ward/{subject}/{stream}\"; write it";
    if (!mqtt_text_is_fine(template) || strlen(template) >= TOPIC_ROOM / 2)
        return "has characters that MQTT does not allow, or is longer than 1023 bytes; expected UTF-8 without control "
               "characters; correct it";
    if (strpbrk(template, "+#"))
        return "has + or #, which are for those who subscribe; expected a topic without them; remove them";
    if (strncmp(template, "$share/", 7) == 0 || strncmp(template, "$SYS", 4) == 0)
        return "begins with $share or $SYS, where nobody may publish; expected a topic of your own; change it";
    while ((at = strpbrk(at, "{}")) != NULL) {
        if (place_at(at, &length) == PLACE_NONE)
            return "has a name in {} that is none; expected {subject} or {stream}; correct it";
        at += length;
    }
    return NULL;
}

static bool is_plain(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/* Writes a name; bytes written, or 0 where it does not fit. */
static size_t name_write(char *to, size_t room, const char *name)
{
    static const char hex[] = "0123456789ABCDEF";
    const unsigned char *at = (const unsigned char *)name;
    size_t used = 0;

    if (!*at) {
        if (room < 3)
            return 0;
        memcpy(to, "%00", 3);
        return 3;
    }
    for (; *at; at++) {
        size_t need = is_plain(*at) ? 1 : 3;

        if (room - used < need)
            return 0;
        to[used] = need == 1 ? (char)*at : '%';
        if (need == 3) {
            to[used + 1] = hex[*at >> 4];
            to[used + 2] = hex[*at & 15];
        }
        used += need;
    }
    return used;
}

bool topic_write(char *to, size_t room, const char *template, const char *subject, const char *stream)
{
    const char *at = template;
    size_t used = 0, length;

    while (*at) {
        enum place place = place_at(at, &length);
        size_t wrote = 1;

        if (used + 1 >= room)
            return false;
        if (place == PLACE_NONE) {
            to[used] = *at++;
        } else {
            wrote = name_write(to + used, room - used - 1, place == PLACE_SUBJECT ? subject : stream);
            at += length;
        }
        if (wrote == 0)
            return false;
        used += wrote;
    }
    to[used] = '\0';
    return true;
}
