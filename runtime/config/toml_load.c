/* toml_load.c - a TOML file from its name.
 *
 * Not here: the parser (toml.cc). */
#include <errno.h>
#include <string.h>

#include "config/toml.h"
#include "util/file.h"

struct value *toml_load(struct arena *arena, struct report *report, const char *path)
{
    struct place place = { path, 0, 0 };
    struct file file = { 0 };
    int error = file_read(arena, path, TOML_BYTES_MAX, &file);

    if (error == EFBIG)
        report_add(report, REPORT_ERROR, place, NULL,
                   "the file is too large for a pipeline; expected at most 4 MiB; "
                   "is this the right file?");
    else if (error == EISDIR || error == EINVAL)
        report_add(report, REPORT_ERROR, place, NULL,
                   "this is no file; expected a TOML file; name the file itself");
    else if (error)
        report_add(report, REPORT_ERROR, place, NULL,
                   "the file cannot be read: %s; expected a TOML file; "
                   "check its name and permissions", strerror(error));
    return error ? NULL : toml_parse(arena, report, path, file.bytes, file.length);
}
