/* SPDX-License-Identifier: Apache-2.0
 *
 * test_make.h - EDF files made by a test, byte by byte, in a folder of its own. */
#ifndef IN_EDF_TEST_MAKE_H
#define IN_EDF_TEST_MAKE_H

#define RECORDING_PLUGIN "in_edf"
#include "recording/testing.h"

struct made_signal {
    const char *label, *unit, *low, *high, *digital_low, *digital_high;
    const char *samples;
};

/* What is NULL is as usual. */
struct made_head {
    const char *version, *patient, *recording, *date, *time, *size, *variant, *records, *seconds, *signals;
};

struct made {
    uint8_t *bytes;
    size_t size, room;
};

static inline void made_add(struct made *m, const void *bytes, size_t size)
{
    if (m->size + size >= m->room) {
        m->room = 2 * (m->size + size + 64);
        m->bytes = realloc(m->bytes, m->room);
        assert_non_null(m->bytes);
    }
    memcpy(m->bytes + m->size, bytes, size);
    m->size += size;
}

static inline void made_field(struct made *m, const char *text, const char *usual, size_t width)
{
    char field[88];

    text = text ? text : usual;
    memset(field, ' ', sizeof field);
    assert_true(strlen(text) <= width);
    memcpy(field, text, strlen(text));
    made_add(m, field, width);
}

static inline void made_header(struct made *m, const struct made_head *h, const struct made_signal *s, unsigned signals)
{
    char number[24];
    unsigned i;

    made_field(m, h->version, "0", 8);
    made_field(m, h->patient, "X X X PATIENT^NAME", 80);
    made_field(m, h->recording, "Startdate 01-MAR-2026 X X X", 80);
    made_field(m, h->date, "01.03.26", 8);
    made_field(m, h->time, "07.30.00", 8);
    (void)snprintf(number, sizeof number, "%u", 256 * (signals + 1));
    made_field(m, h->size, number, 8);
    made_field(m, h->variant, "", 44);
    made_field(m, h->records, "-1", 8);
    made_field(m, h->seconds, "1", 8);
    (void)snprintf(number, sizeof number, "%u", signals);
    made_field(m, h->signals, number, 4);
    for (i = 0; i < signals; i++)
        made_field(m, s[i].label, "EEG", 16);
    for (i = 0; i < signals; i++)
        made_field(m, "AgAgCl of PATIENT^NAME", "", 80);
    for (i = 0; i < signals; i++)
        made_field(m, s[i].unit, "uV", 8);
    for (i = 0; i < signals; i++)
        made_field(m, s[i].low, "-3276.8", 8);
    for (i = 0; i < signals; i++)
        made_field(m, s[i].high, "3276.7", 8);
    for (i = 0; i < signals; i++)
        made_field(m, s[i].digital_low, "-32768", 8);
    for (i = 0; i < signals; i++)
        made_field(m, s[i].digital_high, "32767", 8);
    for (i = 0; i < signals; i++)
        made_field(m, NULL, "HP:0.1Hz", 80);
    for (i = 0; i < signals; i++)
        made_field(m, s[i].samples, "4", 8);
    for (i = 0; i < signals; i++)
        made_field(m, NULL, "", 32);
}

/* Samples that count up from `first`. */
static inline void made_ramp(struct made *m, int first, unsigned count)
{
    for (; count; count--, first++) {
        uint8_t two[2] = { (uint8_t)first, (uint8_t)((unsigned)first >> 8) };

        made_add(m, two, 2);
    }
}

/* Annotation bytes, filled up with zeros. A bar stands for byte 20, a tilde for
 * 21, a slash for the zero behind a list. */
static inline void made_tals(struct made *m, const char *text, size_t room)
{
    assert_true(strlen(text) <= room);
    for (; room; room--) {
        uint8_t byte = 0;

        if (*text)
            byte = (uint8_t)(*text == '|' ? 20 : *text == '~' ? 21 : *text == '/' ? 0 : *text);
        text += *text != 0;
        made_add(m, &byte, 1);
    }
}

static inline void made_free(struct made *m)
{
    free(m->bytes);
    m->bytes = NULL;
    m->size = m->room = 0;
}

/* ---- a folder ---- */

static inline void folder_put(const struct folder *d, const char *name, struct made *m)
{
    folder_write(d, name, m->bytes, m->size);
    made_free(m);
}

#endif
