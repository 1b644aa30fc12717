/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_values.c - any line, with any body, through every reader of values: no
 * crash, texts that end, and units of texts that are UTF-8 again. The first byte
 * chooses what stands in front of the line. */
#include <stdlib.h>
#include <string.h>

#include "at_values.h"
#include "parts.h"
#include "utf16.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

union value {
    struct at_registration registration;
    struct at_operator operator;
    struct at_signal signal;
    struct at_time time;
    struct at_stores stores;
    struct at_arrival arrival;
    struct at_notices notices;
    struct at_ussd ussd;
    struct at_forward forward;
    struct at_centre centre;
    struct at_context context;
    struct at_entry entry;
    struct at_position position;
    enum at_sim sim;
    char text[AT_TEXT_MOST];
};

static void values_try(const char *line)
{
    static union value v;
    uint16_t reference;
    bool has;
    int cid;

    (void)at_registration_read(line, &v.registration);
    (void)at_operator_read(line, &v.operator);
    (void)at_csq_read(line, &v.signal);
    (void)at_cesq_read(line, &v.signal);
    (void)at_time_read(line, &v.time);
    (void)at_stores_read(line, &v.stores);
    (void)at_stores_has(line, 2, "ME", &has);
    (void)at_arrival_read(line, &v.arrival);
    (void)at_reference_read(line, &reference);
    (void)at_notices_read(line, &v.notices);
    if (at_ussd_read(line, &v.ussd) == AT_FINE && strlen(v.ussd.text) >= sizeof v.ussd.text)
        abort();
    (void)at_forward_read(line, &v.forward);
    (void)at_centre_read(line, &v.centre);
    (void)at_charset_read(line, v.text, sizeof v.text);
    (void)at_context_read(line, &v.context);
    (void)at_active_read(line, &cid, &has);
    (void)at_entry_read(line, &v.entry);
    (void)at_position_read(line, &v.position);
    (void)at_sim_read(line, &v.sim);
    if (at_identity_read(line, v.text, sizeof v.text) == AT_FINE)
        (void)at_identity_is_number(v.text);
}

static void text_try(const uint8_t *data, size_t size)
{
    static uint16_t units[8192], again[8192];
    static char text[UTF8_SIZE(8192)];
    static struct sms_cuts cuts;
    size_t n = utf8_to_utf16((const char *)data, size, units, 8192), used = utf16_to_utf8(units, n, text, sizeof text);

    if (utf8_to_utf16(text, used, again, 8192) != n || memcmp(units, again, n * sizeof units[0]) != 0)
        abort();
    sms_cut(units, n, PARTS_MOST, &cuts);
    if (cuts.count < 1 || cuts.ends[cuts.count - 1] > n)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const fronts[] = {
        "",        "+CREG: ", "+C5GREG: ", "+COPS: ", "+CSQ: ",     "+CESQ: ",    "+CCLK: ",   "+CTZE: ",     "+CPMS: ",
        "+CMTI: ", "+CNMI: ", "+CUSD: 0,", "+CCFC: ", "+CSCA: ",    "+CGDCONT: ", "+CGACT: ",  "+CGNSINF: ",  "+CGPSINFO: ",
        "$GPRMC,", "+CMGL: ", "+CMGR: ",   "+CMT: ",  "+CPBR: 1,", "+CPIN: ",    "+CTZEU: ",
    };
    static struct at_message m;
    const char *front;
    char *line, *body;

    if (size < 1)
        return 0;
    text_try(data, size);
    front = fronts[data[0] % (sizeof fronts / sizeof fronts[0])];
    line = malloc(strlen(front) + size);
    memcpy(line, front, strlen(front));
    memcpy(line + strlen(front), data + 1, size - 1);
    line[strlen(front) + size - 1] = '\0';
    body = strchr(line, '\n');
    if (body)
        *body++ = '\0';
    values_try(line);
    if (at_message_read(line, body, &m) == AT_FINE && !body)
        abort();
    free(line);
    return 0;
}
