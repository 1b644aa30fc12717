/* fuzz_note.c - any bytes as the file of a plugin: its note is read or refused.
 *
 * What comes out must be fit to be printed, also of a file that is refused. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "load/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    struct text why = { 0 };
    struct note note;
    bool is_good;

    if (fd < 0)
        return 0;
    if (write(fd, data, size) != (ssize_t)size) {
        close(fd);
        return 0;
    }
    is_good = note_read(fd, size, &note, &why);
    if (is_good == (why.length > 0) || (is_good && !name_is_good(note.name)))
        abort();
    if (!memchr(note.name, '\0', sizeof note.name) || !memchr(note.version, '\0', sizeof note.version) ||
        !text_is_printable(note.name) || !text_is_printable(note.version))
        abort();
    text_free(&why);
    close(fd);
    return 0;
}
