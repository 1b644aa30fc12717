/* note.h - the identity that a plugin carries in an ELF note.
 *
 * Read with pread and checked bounds, so that a listing runs no plugin code and
 * no file can make the reader fall: truncated, looping or hostile headers give
 * a refusal.
 *
 * Not here: what the constant says (copy.h), whether the file loads (probe.h). */
#ifndef AFFERENT_LOAD_NOTE_H
#define AFFERENT_LOAD_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "util/text.h"

struct note {
    uint16_t major;
    uint16_t minor;
    uint32_t kind;
    char name[32];
    char version[24];
};

/* False: *why gets what was found, what is supported and what to do. *ret_note
 * is filled as far as the note could be read, also when it is refused. */
bool note_read(int fd, uint64_t size_bytes, struct note *ret_note, struct text *why);

/* Whether `name` may name a plugin, port, option ...: [a-z][a-z0-9_]*, up to 31. */
bool name_is_good(const char *name);

/* Whether `text` is UTF-8 without control characters: what a terminal may get. */
bool text_is_printable(const char *text);

/* "source", "processor", "sink"; "unknown" for anything else. */
const char *kind_name(uint32_t kind);

#endif
