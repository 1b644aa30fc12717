/* frame.h - a request's body: elements with what stands around them. */
#ifndef OUT_HTTP_FRAME_H
#define OUT_HTTP_FRAME_H

#include "config.h"
#include "http/pack.h"

/* [any] Writes the body for `count` items to `ret`, emptied before. False: no memory. */
bool frame_write(struct text *ret, const struct config *config, const struct text *elements, const struct item *items,
                 uint32_t count);

/* What stands in the header Content-Type. */
const char *frame_type(const struct config *config);

#endif
