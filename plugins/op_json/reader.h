/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.h - JSON texts become rows. */
#ifndef OP_JSON_READER_H
#define OP_JSON_READER_H

#include <rows/feed.h>
#include <rows/rows.h>

#include "json/json.h"
#include "path.h"
#include "shape.h"

struct json_config {
    struct rows_config rows; /* first: see rows/options.h */
    const char *root;
};

enum json_reason {
    READ_BAD_JSON = ROWS_REASONS,
    READ_TRUNCATED,
    READ_TRAILING,
    READ_TOO_DEEP,
    READ_DUPLICATE_KEY,
    READ_BAD_KEY,
    READ_NOT_OBJECT,
    READ_NO_ROOT,
    READ_TOO_MANY_SHAPES,
    READ_TOO_MANY_COLUMNS,
    READ_NO_ROWS
};

struct reader {
    const struct aff_host *host;
    struct rows rows;
    struct feed feed;
    struct json *json;
    struct json_node *nodes;
    uint32_t node_count;
    char *keys;
    const char *root[PATH_KEYS_MOST + 1];
    char *root_keys;
    char *padded;       /* a text with what simdjson wants readable behind it */
    struct shapes *shapes; /* open */

    /* The text in hand. */
    size_t base;   /* where in the feed's text it begins */
    bool by_lines; /* a record of several lines, each a text */
    int reason;    /* of the row in hand */
    aff_status status;
};

aff_status reader_open(struct reader *r, const struct aff_host *host, const struct json_config *config,
                       const struct aff_verdict *verdicts);
void reader_close(struct reader *r);

#endif
