/* SPDX-License-Identifier: Apache-2.0
 *
 * pack.h - a request's body: records' elements joined, then packed. */
#ifndef HTTP_PACK_H
#define HTTP_PACK_H

#include <afferent/plugin.h>

#include <stdbool.h>

#include "text/text.h"

enum { PACK_NONE, PACK_GZIP, PACK_ZSTD, PACK_LZ4 };

/* A record of a request: its element lies at begin to end of the elements. */
struct item {
    struct aff_id id;
    int64_t event_ns;
    size_t begin, end;
    bool is_resent; /* may have been delivered before */
};

/* What stands around elements. */
struct frame_marks {
    const char *begin, *between, *after, *after_resent, *end;
};

/* Those of an element of JSON, which is left open (record.h): as a list, as lines. */
extern const struct frame_marks frame_list, frame_lines;

/* [any] Appends `count` items. */
void frame_join(struct text *t, const struct frame_marks *marks, const struct text *elements, const struct item *items,
                uint32_t count);

/* [any] Packs `in` to `ret`, emptied before, as PACK_... says. False: no memory. */
bool frame_pack(struct text *ret, const struct text *in, int how);
/* What stands in the header Content-Encoding; NULL: nothing. */
const char *pack_name(int how);

#endif
