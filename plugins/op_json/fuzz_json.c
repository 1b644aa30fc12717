/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_json.c - any bytes as JSON, under any of its options: no crash, an end, and
 * the same rows however the text is cut. The first two bytes choose options and
 * cut. */
#include <rows/fuzz_run.h>

#include "reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COLUMN(n, f, t) { .name = n, .from = f, .unit = "", .code = "", .format = "", .type = t }
static const struct rows_column columns[] = {
    COLUMN("a", "", COLUMN_REAL), COLUMN("b", "b.a", COLUMN_TEXT), COLUMN("c", "/c/0", COLUMN_TIME),
    COLUMN("b_all", "b", COLUMN_TEXT), COLUMN("d", "", COLUMN_BOOL),
};
static const struct rows_time time_of = { "c", "iso8601", "Z", "1970-01-01" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_config c = { .rows = { .subject = "", .max_row = 256, .framing = FRAMING_STREAM }, .root = "" };
    uint8_t bits = size > 1 ? data[0] : 0;

    if (size < 2)
        return 0;
    if (bits & 1)
        c.rows.columns = (struct aff_list){ columns, 5, sizeof columns[0] };
    if (bits & 2)
        c.root = "a.0";
    if (bits & 4)
        c.rows.subject = "b.a";
    if (bits & 8)
        c.rows.time = &time_of;
    c.rows.bad_values = bits >> 4 & 1;
    fuzz_cuts(&afferent_plugin_v1, &c, data + 2, size - 2, 1 + data[1] % 100u);
    c.rows.framing = data[1] & 1 ? FRAMING_LINES : FRAMING_RECORD;
    c.rows.max_row = 65536;
    fuzz_feed(&afferent_plugin_v1, &c, data + 2, size - 2, 0);
    return 0;
}
