/* mime.c - see mime.h. */
#include "mime.h"

#include "calendar/calendar.h"

#include <stdio.h>
#include <string.h>

enum { LINE_MOST = 76, PLAIN_MOST = 60, WORD_BYTES = 39 };

/* ---- headers ---- */

/* What could be read as an encoded word, as more than one line, or in front of an
 * address as anything but a name, is encoded. */
static int is_plain(const char *words, size_t size, const char *specials)
{
    size_t i;

    if (size > PLAIN_MOST || (size > 0 && (words[0] == ' ' || words[size - 1] == ' ')))
        return 0;
    for (i = 0; i < size; i++)
        if (words[i] < 0x20 || words[i] >= 0x7f || strchr(specials, words[i]) ||
            (words[i] == '=' && i + 1 < size && words[i + 1] == '?'))
            return 0;
    return 1;
}

/* Words of whole characters; 39 bytes of UTF-8 make 52 of base64, which with the marks
 * around them and a header's name fit in a line. */
static void words_encode(struct text *t, const char *words, size_t size)
{
    size_t at = 0, n;

    while (at < size) {
        n = size - at < WORD_BYTES ? size - at : WORD_BYTES;
        while (n > 1 && at + n < size && ((unsigned char)words[at + n] & 0xc0) == 0x80)
            n--;
        text_say(t, at > 0 ? "\r\n =?UTF-8?B?" : "=?UTF-8?B?");
        text_base64(t, (const uint8_t *)words + at, n);
        text_say(t, "?=");
        at += n;
    }
}

void mime_header(struct text *t, const char *name, const char *words, size_t size, const char *tail)
{
    text_say(t, name);
    text_say(t, ": ");
    if (is_plain(words, size, tail ? "\"()<>@,;:\\[]." : ""))
        text_add(t, words, size);
    else
        words_encode(t, words, size);
    if (tail && size > 0)
        text_say(t, "\r\n ");
    text_say(t, tail ? tail : "");
    text_say(t, "\r\n");
}

/* ---- bodies ---- */

static size_t quoted_one(char out[4], const char *bytes, size_t at, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char c = (unsigned char)bytes[at];
    int ends = at + 1 == size || bytes[at + 1] == '\n';

    if ((c >= 0x21 && c < 0x7f && c != '=') || (c == ' ' && !ends)) {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '=';
    out[1] = digits[c >> 4];
    out[2] = digits[c & 15];
    return 3;
}

void mime_quoted(struct text *t, const char *bytes, size_t size)
{
    size_t at, column = 0, n;
    char out[4];

    for (at = 0; at < size; at++) {
        if (bytes[at] == '\n') {
            text_say(t, "\r\n");
            column = 0;
            continue;
        }
        n = quoted_one(out, bytes, at, size);
        if (column + n > LINE_MOST - 1) {
            text_say(t, "=\r\n");
            column = 0;
        }
        text_add(t, out, n);
        column += n;
    }
    if (column > 0)
        text_say(t, "\r\n");
}

/* ---- dates ---- */

void mime_date(struct text *t, int64_t utc_ns)
{
    static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    int64_t day = utc_ns / (86400 * INT64_C(1000000000));
    struct calendar c = calendar_at(utc_ns < 0 ? 0 : utc_ns);
    char words[128];

    (void)snprintf(words, sizeof words, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n", days[utc_ns < 0 ? 0 : day % 7],
                   c.day, months[c.month - 1], (int)c.year, c.hour, c.minute, c.second);
    text_say(t, words);
}
