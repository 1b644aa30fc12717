/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_csv.c - any bytes as CSV, under any of its options: no crash, an end, and
 * the same rows however the text is cut. The first two bytes choose options and
 * cut. */
#include <rows/fuzz_run.h>

#include "reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COLUMN(n, f, t) { .name = n, .from = f, .unit = "", .code = "", .format = "", .type = t }
static const struct rows_column columns[] = {
    COLUMN("a", "1", COLUMN_REAL), COLUMN("b", "2", COLUMN_TEXT), COLUMN("c", "3", COLUMN_TIME),
};
static const struct rows_time time_of = { "3", "iso8601", "Z", "1970-01-01" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t bits = size > 1 ? data[0] : 0;
    struct csv_config c = {
        .rows = { .subject = bits & 1 ? "2" : "", .max_row = 256, .framing = FRAMING_STREAM,
                  .bad_values = bits >> 1 & 1 },
        .delimiter = bits & 4 ? ";" : ",", .quote = "\"", .comment = bits & 8 ? "#" : "", .header = bits >> 4 & 1,
        .decimal = bits >> 5 & 1, .ragged = bits >> 6 & 1,
    };

    if (size < 2)
        return 0;
    if (!(bits & 0x80)) {
        c.rows.columns = (struct aff_list){ columns, 3, sizeof columns[0] };
        c.rows.time = bits & 1 ? &time_of : NULL;
    }
    fuzz_cuts(&afferent_plugin_v1, &c, data + 2, size - 2, 1 + data[1] % 100u);
    c.rows.framing = data[1] & 1 ? FRAMING_LINES : FRAMING_RECORD;
    fuzz_feed(&afferent_plugin_v1, &c, data + 2, size - 2, 1 + data[1]);
    return 0;
}
