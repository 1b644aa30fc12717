/* paths.c - where a record goes, see paths.h. */
#include "paths.h"

#include <stdio.h>
#include <string.h>

enum { NAME_LONGEST = 255 };

static const char subject_place[] = "{subject}", stream_place[] = "{stream}";

static int begins(const char *at, const char *with)
{
    return !strncmp(at, with, strlen(with));
}

int path_has_names(const char *path)
{
    const char *last = strrchr(path, '/'), *subject = strstr(path, subject_place), *stream = strstr(path, stream_place);

    if ((subject && last && subject < last) || (stream && last && stream < last))
        return -1;
    return subject || stream;
}

static size_t name_write(char *out, size_t room, const char *name)
{
    size_t used = 0, i;

    if (!*name)
        return (size_t)snprintf(out, room, "%%");
    for (i = 0; name[i] && used < room; i++) {
        unsigned char c = (unsigned char)name[i];
        int plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'
            || (c == '.' && i > 0);

        used += (size_t)snprintf(out + used, room - used, plain ? "%c" : "%%%02X", c);
    }
    return used;
}

int path_expand(char *out, size_t room, const char *path, const char *subject, const char *stream)
{
    const char *at, *last;
    size_t used = 0;

    for (at = path; *at && used < room; ) {
        if (begins(at, subject_place)) {
            used += name_write(out + used, room - used, subject);
            at += sizeof subject_place - 1;
        } else if (begins(at, stream_place)) {
            used += name_write(out + used, room - used, stream);
            at += sizeof stream_place - 1;
        } else {
            out[used++] = *at++;
        }
    }
    if (used >= room)
        return 0;
    out[used] = '\0';
    last = strrchr(out, '/');
    return strlen(last ? last + 1 : out) <= NAME_LONGEST;
}

int path_is_stdout(const char *path)
{
    const char *last = strrchr(path, '/');

    return !strcmp(last ? last + 1 : path, "-");
}
