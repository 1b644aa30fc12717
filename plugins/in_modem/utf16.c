/* SPDX-License-Identifier: Apache-2.0
 *
 * utf16.c - see utf16.h. Well-formed UTF-8 is the Unicode Standard's table 3-7;
 * pairs of surrogates are its section 3.9, D91. */
#include "utf16.h"

enum { NO_CHARACTER = 0xfffd };

static bool is_high(uint32_t unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(uint32_t unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

bool utf16_cuts_pair(const uint16_t *units, size_t count, size_t at)
{
    return at > 0 && at < count && is_high(units[at - 1]) && is_low(units[at]);
}

/* Writes one code point; 0 when it does not fit. */
static size_t utf8_put(char *to, size_t room, uint32_t code)
{
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4, i;
    static const uint8_t first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

    if (size > room)
        return 0;
    for (i = size; i-- > 1; code >>= 6)
        to[i] = (char)(0x80 | (code & 0x3f));
    to[0] = (char)(first[size] | code);
    return size;
}

size_t utf16_to_utf8(const uint16_t *units, size_t count, char *to, size_t room)
{
    size_t used = 0, i = 0, n;

    while (i < count) {
        uint32_t code = units[i++];

        if (is_high(code) && i < count && is_low(units[i]))
            code = 0x10000 + ((code - 0xd800) << 10) + (uint32_t)(units[i++] - 0xdc00);
        else if (is_high(code) || is_low(code))
            code = NO_CHARACTER;
        n = utf8_put(to + used, room - used, code);
        if (n == 0)
            break;
        used += n;
    }
    return used;
}

/* The character at `s` and its bytes; one byte and NO_CHARACTER where there is
 * none. */
static size_t utf8_take(const unsigned char *s, size_t room, uint32_t *ret_code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    size_t size = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
    uint32_t code = s[0];
    size_t i;

    *ret_code = NO_CHARACTER;
    if (size == 0 || size > room)
        return 1;
    if (size > 1)
        code &= 0x7fu >> size;
    for (i = 1; i < size; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 1;
        code = code << 6 | (s[i] & 0x3fu);
    }
    if (code < least[size] || code > 0x10ffff || is_high(code) || is_low(code))
        return 1;
    *ret_code = code;
    return size;
}

size_t utf8_to_utf16(const char *text, size_t size, uint16_t *to, size_t room)
{
    size_t i = 0, used = 0;
    uint32_t code;

    while (i < size) {
        i += utf8_take((const unsigned char *)text + i, size - i, &code);
        if (room - used < (code > 0xffff ? 2u : 1u))
            break;
        if (code > 0xffff) {
            to[used++] = (uint16_t)(0xd800 + ((code - 0x10000) >> 10));
            code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        to[used++] = (uint16_t)code;
    }
    return used;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool hex_read(const char *text, size_t size, uint8_t *to, size_t room)
{
    size_t i;

    if (size % 2 != 0 || size / 2 > room)
        return false;
    for (i = 0; i < size; i += 2) {
        int high = digit_of(text[i]), low = digit_of(text[i + 1]);

        if (high < 0 || low < 0)
            return false;
        to[i / 2] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void hex_write(const uint8_t *bytes, size_t size, char *to)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t i;

    for (i = 0; i < size; i++) {
        to[2 * i] = digits[bytes[i] >> 4];
        to[2 * i + 1] = digits[bytes[i] & 15];
    }
}

bool hex_read_units(const char *text, size_t size, uint16_t *to, size_t room)
{
    uint8_t two[2];
    size_t i;

    if (size % 4 != 0 || size / 4 > room)
        return false;
    for (i = 0; i < size / 4; i++) {
        if (!hex_read(text + 4 * i, 4, two, sizeof two))
            return false;
        to[i] = (uint16_t)(two[0] << 8 | two[1]);
    }
    return true;
}
