/* SPDX-License-Identifier: Apache-2.0
 *
 * unit.c - see unit.h. */
#include "recording/unit.h"

#include <stdio.h>
#include <string.h>

/* Units as they stand in headers, and in UCUM where that differs. The two signs
 * for micro are U+00B5 and U+03BC; EDF writes degrees as U+00B0 alone. */
static const char *const known[][2] = {
    { "mV", "mV" },         { "uV", "uV" },       { "\xc2\xb5V", "uV" },   { "\xce\xbcV", "uV" },
    { "nV", "nV" },         { "V", "V" },         { "mmHg", "mm[Hg]" },    { "cmH2O", "cm[H2O]" },
    { "kPa", "kPa" },       { "Pa", "Pa" },       { "%", "%" },            { "bpm", "/min" },
    { "BPM", "/min" },      { "1/min", "/min" },  { "/min", "/min" },      { "degC", "Cel" },
    { "DegC", "Cel" },      { "C", "Cel" },       { "\xc2\xb0" "C", "Cel" }, { "\xc2\xb0", "deg" },
    { "deg", "deg" },       { "l/min", "L/min" }, { "L/min", "L/min" },    { "mL", "mL" },
    { "s", "s" },           { "ms", "ms" },       { "Hz", "Hz" },          { "g", "g" },
    { "mA", "mA" },         { "uA", "uA" },       { "\xc2\xb5" "A", "uA" }, { "Ohm", "Ohm" },
    { "\xce\xa9", "Ohm" },  { "kOhm", "kOhm" },   { "m/s", "m/s" },        { "mm", "mm" },
    { "cm", "cm" },
};

/* What is not in the table is kept as an annotation in braces (UCUM 2.2, section
 * 12), which is ASCII without braces. */
void unit_ucum(char to[UNIT_ROOM], const char *unit)
{
    char text[UNIT_ROOM];
    size_t i, n = 0;

    for (i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i][0], unit) == 0) {
            (void)snprintf(to, UNIT_ROOM, "%s", known[i][1]);
            return;
        }
    for (i = 0; unit[i] && n + 3 < sizeof text; i++)
        if (unit[i] > 0x20 && unit[i] < 0x7f && unit[i] != '{' && unit[i] != '}')
            text[n++] = unit[i];
    text[n] = 0;
    (void)snprintf(to, UNIT_ROOM, "{%.*s}", UNIT_ROOM - 3, n ? text : "?");
}
