/* SPDX-License-Identifier: Apache-2.0
 *
 * names.c - names from topics, see names.h. */
#include "names.h"

#include <string.h>

#include "mqtt/link.h"

/* Bytes of the {name} at `at`, 0 for none; *ret_level: 0 for {topic}. */
static size_t place_at(const char *at, int *ret_level)
{
    if (strncmp(at, "{topic}", 7) == 0) {
        *ret_level = 0;
        return 7;
    }
    if (at[0] == '{' && at[1] >= '1' && at[1] <= '9' && at[2] == '}') {
        *ret_level = at[1] - '0';
        return 3;
    }
    return 0;
}

const char *name_problem(const char *template)
{
    const char *at = template;
    int level;

    if (!*template || !mqtt_text_is_fine(template) || strlen(template) >= NAME_ROOM)
        return "is empty, longer than 255 bytes, or has control characters; expected a name, or {topic} or {1} to {9}; "
               "correct it";
    while ((at = strpbrk(at, "{}")) != NULL) {
        size_t length = place_at(at, &level);

        if (length == 0)
            return "has a name in {} that is none; expected {topic} or {1} to {9}; correct it";
        at += length;
    }
    return NULL;
}

/* A level is a wildcard, or has none in it. */
static bool levels_are_fine(const char *at)
{
    size_t length, wild;

    for (;; at += length + 1) {
        length = strcspn(at, "/");
        wild = strcspn(at, "+#");
        if (wild < length && length != 1)
            return false;
        if (at[length] == '\0')
            return true;
        if (at[0] == '#')
            return false;
    }
}

const char *filter_problem(const char *filter)
{
    const char *at = filter;

    if (!*filter || !mqtt_text_is_fine(filter))
        return "is empty or has characters that MQTT does not allow; expected a topic, with + for a level and # at the end "
               "for all below; correct it";
    if (strncmp(filter, "$share/", 7) == 0) {
        size_t name = strcspn(filter + 7, "/+#");

        at = filter + 7 + name;
        if (name == 0 || at[0] != '/' || at[1] == '\0')
            return "is no shared subscription; expected $share/GROUP/TOPIC; correct it";
        at++;
    }
    return levels_are_fine(at) ? NULL : "has + or # in a level with something else, or # before its end; expected them "
                                        "alone in their level; correct it";
}

/* ---- writing ---- */

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Takes the escapes out of `text`, in place; false: it is left as it was. */
static bool unescape(char *text)
{
    char plain[NAME_ROOM];
    size_t i, used = 0;

    for (i = 0; text[i]; i++) {
        plain[used] = text[i];
        if (text[i] == '%') {
            int high = hex_value(text[i + 1]), low = high < 0 ? -1 : hex_value(text[i + 2]);

            if (low < 0 || high * 16 + low == 0)
                return false;
            plain[used] = (char)(high * 16 + low);
            i += 2;
        }
        used++;
    }
    plain[used] = '\0';
    if (!mqtt_text_is_fine(plain))
        return false;
    memcpy(text, plain, used + 1);
    return true;
}

/* The level's text, or all; *ret_length. A level that is not there is empty. */
static const char *part_of(const char *topic, int level, size_t *ret_length)
{
    int i;

    *ret_length = strlen(topic);
    if (level == 0)
        return topic;
    for (i = 1; i < level && *topic; i++) {
        topic += strcspn(topic, "/");
        topic += *topic == '/';
    }
    *ret_length = strcspn(topic, "/");
    return topic;
}

static bool part_add(char *to, size_t *used, const char *topic, int level)
{
    char part[NAME_ROOM];
    size_t length;
    const char *text = part_of(topic, level, &length);

    if (length >= sizeof part)
        return false;
    memcpy(part, text, length);
    part[length] = '\0';
    if (level > 0)
        (void)unescape(part);
    length = strlen(part);
    if (*used + length >= NAME_ROOM)
        return false;
    memcpy(to + *used, part, length);
    *used += length;
    return true;
}

bool name_write(char *to, const char *template, const char *topic)
{
    const char *at = template;
    size_t used = 0, length;
    int level;

    while (*at) {
        length = place_at(at, &level);
        if (length > 0 && !part_add(to, &used, topic, level))
            return false;
        if (length == 0 && used + 1 >= NAME_ROOM)
            return false;
        if (length == 0)
            to[used++] = *at;
        at += length > 0 ? length : 1;
    }
    to[used] = '\0';
    return used > 0 && mqtt_text_is_fine(to);
}
