/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_at.c - any bytes as a modem's: the same events whole, byte by byte, and cut
 * by the input's own sizes; and the reader answers afterwards. The first byte
 * chooses the command that runs. */
#include <stdlib.h>
#include <string.h>

#include "at.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t mix(uint64_t hash, const char *text)
{
    for (; text && *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return (hash ^ (text ? 1 : 2)) * UINT64_C(0x100000001b3);
}

static void command_begin(struct at_reader *a, unsigned which)
{
    static const struct {
        const char *echo, *prefix;
        unsigned flags;
    } commands[] = { { "AT+CSQ", "+CSQ:", 0 },          { "AT+CGMM", NULL, AT_PLAIN },   { "AT+CMGL=4", "+CMGL:", AT_BODY },
                     { "AT+CMGS=9", "+CMGS:", AT_ASKS }, { "ATD*99#", NULL, AT_DIALS }, { "AT+CREG?", "+CREG:", 0 },
                     { "AT+CMGR=1", "+CMGR:", AT_BODY | AT_TEXT_MODE } };

    at_reader_init(a);
    a->text_mode = which & 0x80;
    which = (which & 0x7f) % (sizeof commands / sizeof commands[0] + 1);
    if (which < sizeof commands / sizeof commands[0])
        at_reader_begin(a, commands[which].echo, commands[which].prefix, commands[which].flags);
}

/* `step` 0: all at once; 255: pieces as long as the bytes say. */
static uint64_t feed(struct at_reader *a, const uint8_t *data, size_t size, size_t step)
{
    uint64_t hash = 0, events = 0;
    struct at_event e;
    size_t at = 0;

    do {
        size_t n = step == 255 ? data[at < size ? at : size - 1] % 7u + 1 : step ? step : size;

        n = at_reader_take(a, data + at, n < size - at ? n : size - at, &e);
        at += n;
        if (e.kind == AT_NONE)
            continue;
        if (e.kind == AT_PROMPT)
            at_reader_sent(a, "00AA");
        hash = mix(mix(hash + e.kind * 31u + (unsigned)e.result * 7u + (unsigned)e.code, e.line), e.body);
        if (++events > 2 * size + 8)
            abort(); /* more came out than went in */
    } while (at < size || e.kind != AT_NONE);
    return hash;
}

static void answers_still(struct at_reader *a)
{
    static const char reply[] = "\r\n\r\n+CSQ: 1,2\r\n\r\nOK\r\n";
    struct at_event e;
    size_t at = 0;
    int finals = 0;

    at_reader_begin(a, "AT+CSQ", "+CSQ:", 0);
    do {
        at += at_reader_take(a, (const uint8_t *)reply + at, sizeof reply - 1 - at, &e);
        finals += e.kind == AT_FINAL && e.result == AT_OK;
    } while (at < sizeof reply - 1 || e.kind != AT_NONE);
    if (finals != 1)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct at_reader a;
    uint64_t whole;

    if (size < 2)
        return 0;
    command_begin(&a, data[0]);
    whole = feed(&a, data + 1, size - 1, 0);
    answers_still(&a);
    command_begin(&a, data[0]);
    if (feed(&a, data + 1, size - 1, 1) != whole)
        abort();
    command_begin(&a, data[0]);
    if (feed(&a, data + 1, size - 1, 255) != whole)
        abort();
    return 0;
}
