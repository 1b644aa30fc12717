/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_pdu.c - any octets as a message, through reading, joining and writing: no
 * crash, bounded text, and what can be written again reads the same. */
#include <stdlib.h>
#include <string.h>

#include "parts.h"
#include "utf16.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct sms *m)
{
    struct sms_draft d = { m->peer.text, m->units, m->unit_count, m->coding, (uint8_t)m->join, m->parts, m->part,
                           m->wants_report, m->validity_s };
    uint8_t pdu[SMS_PDU_MOST];
    struct sms back;
    size_t length, size = sms_write(&d, pdu, &length);

    if (size == 0)
        return;
    if (size > sizeof pdu || sms_read(pdu, size, &back) != SMS_OK || strcmp(back.peer.text, m->peer.text) != 0 ||
        back.unit_count != m->unit_count || memcmp(back.units, m->units, m->unit_count * sizeof m->units[0]) != 0)
        abort();
}

static void join(struct joiner *j, const struct sms *m, uint64_t digest)
{
    static char text[UTF8_SIZE(SMS_UNITS_MOST) * PARTS_MOST + 3 * PARTS_MOST];
    struct part p = { .sms = *m, .digest = digest, .since_ns = (int64_t)digest };
    struct joined whole;

    if (joiner_add(j, &p) == JOIN_FULL && joiner_oldest(j, &whole))
        joiner_drop(j, &whole);
    while (joiner_whole(j, &whole)) {
        if (joined_text(&whole, text, sizeof text) > sizeof text || !joined_first(&whole))
            abort();
        joiner_drop(j, &whole);
    }
}

/* Records of a length and so many octets; each is a message for the same pool. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part pool[8];
    struct joiner j = { pool, 8, 0, 0 };
    uint64_t digest = 0;

    memset(pool, 0, sizeof pool);
    while (size > 1) {
        size_t n = data[0] < size - 1 ? data[0] : size - 1;
        uint8_t *exact = malloc(n ? n : 1); /* so that reading on is seen */
        char *hex = malloc(2 * n + 1);
        struct sms m, same;

        memcpy(exact, data + 1, n);
        hex_write(exact, n, hex);
        if (sms_read(exact, n, &m) == SMS_OK) {
            if (sms_read_hex(hex, 2 * n, &same) != SMS_OK || m.unit_count > SMS_UNITS_MOST || m.data_size > SMS_DATA_MOST ||
                m.part > m.parts || strlen(m.peer.text) >= sizeof m.peer.text)
                abort();
            again(&m);
            join(&j, &m, digest++);
        }
        free(hex);
        free(exact);
        data += n + 1;
        size -= n + 1;
    }
    return 0;
}
