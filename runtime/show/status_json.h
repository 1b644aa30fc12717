/* status_json.h - how a running pipeline is, as one JSON object.
 *
 * Not here: the lines for people (status.c). */
#ifndef AFFERENT_SHOW_STATUS_JSON_H
#define AFFERENT_SHOW_STATUS_JSON_H

#include <stdio.h>

#include "show/status.h"

/* [any] One line, so that documents of several pipelines can be put together. */
void status_json(const struct status *status, FILE *out);

#endif
