/* audit.h - who looked at what identifies somebody, and who changed what is kept.
 *
 * One JSON object a line, in the file `audit.log` of the pipeline's folder, which is
 * only ever appended to, before the deed: what cannot be noted is not done.
 *
 * Not here: rotation (the file is small, and is not ours to shorten). */
#ifndef AFFERENT_CMD_AUDIT_H
#define AFFERENT_CMD_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit {
    const char *verb;        /* "dlq show --reveal" */
    const uint64_t *letters; /* NULL: none */
    size_t count;
    const char *other;       /* what else it was done to; NULL: nothing */
};

/* [control] False: it could not be noted and was said on stderr; do not go on. */
bool audit_note(const char *folder, const struct audit *audit);

#endif
