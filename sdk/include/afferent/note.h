/* SPDX-License-Identifier: Apache-2.0
 *
 * afferent/note.h - a plugin's identity as an ELF note, so that a listing of a
 * folder runs no plugin code. Part of plugin.h, and included by it. */
#ifndef AFFERENT_NOTE_H
#define AFFERENT_NOTE_H

#include <afferent/plugin.h>

/* The identity as an ELF note, so that a listing runs no plugin code. */
struct aff_note {
    uint32_t name_size; /* of "Afferent" with its zero */
    uint32_t desc_size;
    uint32_t note_type; /* 1 */
    char name_text[12];
    uint16_t major;
    uint16_t minor;
    uint32_t kind;
    char name[32];
    char version[24];
};

#if defined(__GNUC__)
#define AFF__NOTE_PLACE __attribute__((section(".note.afferent"), used, aligned(4)))
#else
#define AFF__NOTE_PLACE
#endif

#define AFF_PLUGIN_NOTE(kind_, name_, version_)                      \
    static const struct aff_note aff_plugin_note AFF__NOTE_PLACE = { \
        9, (uint32_t)(sizeof(struct aff_note) - 24), 1, "Afferent",  \
        AFF_ABI_MAJOR, AFF_ABI_MINOR, kind_, name_, version_         \
    }

#endif
