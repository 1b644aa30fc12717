/* SPDX-License-Identifier: Apache-2.0
 *
 * unit.h - units as recordings write them, as UCUM text.
 *
 * Only what is evident is translated; the rest stays readable and is marked as
 * no unit of UCUM. Not here: what an empty unit means, which the formats differ in. */
#ifndef RECORDING_UNIT_H
#define RECORDING_UNIT_H

enum { UNIT_ROOM = 32 };

/* `unit` is UTF-8 and not empty. */
void unit_ucum(char to[UNIT_ROOM], const char *unit);

#endif
