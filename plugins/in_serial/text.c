/* SPDX-License-Identifier: Apache-2.0
 *
 * text.c - see text.h. */
#include "text.h"

#include <string.h>

int text_digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static int pair(const char *at)
{
    int high = text_digit(at[0]);
    int low = high < 0 ? -1 : text_digit(at[1]);

    return low < 0 ? -1 : high * 16 + low;
}

/* What stands behind a backslash: the byte, or -1; *ret_length: how much of it. */
static int escape_read(const char *at, size_t *ret_length)
{
    static const char names[] = "rnt0\\", values[] = "\r\n\t\0\\";
    const char *found;

    *ret_length = 1;
    if (*at == 'x') {
        *ret_length = 3;
        return pair(at + 1);
    }
    found = *at ? strchr(names, *at) : NULL;
    return found ? (uint8_t)values[found - names] : -1;
}

int64_t text_bytes(const char *text, uint8_t *ret, size_t room)
{
    size_t count = 0, length;
    int byte;

    for (; *text; text += length) {
        length = 1;
        byte = (uint8_t)*text;
        if (*text == '\\') {
            byte = escape_read(text + 1, &length);
            length++;
        }
        if (byte < 0 || count == room)
            return -1;
        ret[count++] = (uint8_t)byte;
    }
    return (int64_t)count;
}

int64_t text_hex(const char *text, uint8_t *ret, size_t room)
{
    size_t count = 0;
    int byte;

    for (;;) {
        while (*text == ' ')
            text++;
        if (!*text)
            return (int64_t)count;
        byte = pair(text);
        if (byte < 0 || count == room)
            return -1;
        ret[count++] = (uint8_t)byte;
        text += 2;
    }
}

bool text_mark(const char *text, struct mark *ret)
{
    int64_t size = text_bytes(text, ret->bytes, sizeof ret->bytes);

    ret->size = size > 0 ? (uint8_t)size : 0;
    return size > 0;
}
