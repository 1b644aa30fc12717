/* SPDX-License-Identifier: Apache-2.0
 *
 * gsm7.h - the GSM 7-bit alphabet and its packing, 3GPP TS 23.038.
 *
 * Between septets (one a byte here) and UTF-16 units, with the national tables
 * that a message's header may name; and between septets and packed octets.
 *
 * Not here: headers (pdu.h). */
#ifndef IN_MODEM_GSM7_H
#define IN_MODEM_GSM7_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GSM7_ESCAPE = 0x1b };

/* National language identifiers, 0: none. One that is not known counts as 0, as
 * the standard asks. */
struct gsm7_shift {
    uint8_t lock, single;
};

/* Septets to at most `room` units; as many as written. A septet without a
 * character becomes U+FFFD; an escape before one that the shift table lacks is
 * dropped, two escapes are a space (6.2.1.1), one at the end stands for nothing. */
size_t gsm7_decode(const uint8_t *septets, size_t count, struct gsm7_shift shift, uint16_t *units, size_t room);

/* How many septets this unit takes, 1 or 2 (to `ret`); 0: the alphabet lacks it. */
size_t gsm7_encode_unit(uint16_t unit, struct gsm7_shift shift, uint8_t ret[2]);
/* Whether all units are in the alphabet; *ret_septets: how many that makes. */
bool gsm7_fits(const uint16_t *units, size_t count, struct gsm7_shift shift, size_t *ret_septets);

/* `count` septets from packed octets; `skip` bits before the first are fill
 * (6.1.2.1; after a header: TS 23.040, 9.2.3.24). False where they are not there. */
bool gsm7_unpack(const uint8_t *packed, size_t octets, size_t skip, uint8_t *septets, size_t count);
/* Packs, ORing behind `skip` bits into `packed`, which the caller has zeroed; how
 * many octets that takes in all. */
size_t gsm7_pack(const uint8_t *septets, size_t count, size_t skip, uint8_t *packed);

#endif
