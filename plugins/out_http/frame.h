/* frame.h - a request's body: elements with what stands around them, packed. */
#ifndef OUT_HTTP_FRAME_H
#define OUT_HTTP_FRAME_H

#include "config.h"
#include "text/text.h"

/* A record of a request: its element lies at begin to end of the elements. */
struct item {
    struct aff_id id;
    size_t begin, end;
    bool is_resent; /* may have been delivered before */
};

/* [any] Writes the body for `count` items to `ret`, emptied before. False: no memory. */
bool frame_write(struct text *ret, const struct config *config, const struct text *elements, const struct item *items,
                 uint32_t count);

/* [any] Packs `in` to `ret`, emptied before, as PACK_... says. False: no memory. */
bool frame_pack(struct text *ret, const struct text *in, int how);

/* What stands in the headers Content-Type (without content_type) and Content-Encoding
 * (NULL: none). */
const char *frame_type(const struct config *config);
const char *frame_encoding(const struct config *config);

#endif
