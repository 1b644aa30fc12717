/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_parse.c - any bytes as frames, under a map with every kind of frame: no
 * crash, an end, and as many rows and dead letters as the node says. The first
 * byte chooses where frames begin and how records are split, the second how the
 * bytes are put into records. */
#include <rows/fuzz_run.h>

#include "parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const double low = 0, high = 1000;
static const char *const missing[] = { "---", "32767" };

#define OUT(n, f, t) .out = { .name = n, .from = f, .unit = "", .code = "", .format = "", .type = t, \
                              .missing = { missing, 2, sizeof missing[0] }, .keep_text = (t) == COLUMN_INT }
#define LIMITS .prefix = "", .suffix = "", .strip = "", .scale = 1, .low = { &low, 1, sizeof low }, .high = { &high, 1, sizeof high }
static const struct column_config by_field[] = {
    { OUT("a", "", COLUMN_REAL), LIMITS, .field = 1, .at = -1, .bad = TROUBLE_SUSPECT, .outside = TROUBLE_FRAME },
    { OUT("b", "", COLUMN_TEXT), .prefix = "P", .suffix = "S", .strip = "*%", .scale = 1, .field = 2, .at = -1 },
    { OUT("c", "", COLUMN_INT), LIMITS, .field = 3, .at = -1, .bad = TROUBLE_FRAME },
};
static const struct column_config by_key[] = {
    { OUT("a", "x", COLUMN_REAL), LIMITS, .at = -1, .bad = TROUBLE_MISSING },
    { OUT("d", "yy", COLUMN_TIME), .prefix = "", .suffix = "", .strip = "", .scale = 1, .at = -1 },
};
static const struct column_config by_place[] = {
    { OUT("a", "", COLUMN_REAL), LIMITS, .at = 1, .length = 4 },
    { OUT("b", "", COLUMN_TEXT), .prefix = "", .suffix = "", .strip = "", .scale = 1, .at = 5, .length = 3 },
};
static const struct column_config by_byte[] = {
    { OUT("a", "", COLUMN_REAL), .prefix = "", .suffix = "", .strip = "", .scale = 0.5, .offset = 1, .at = 1, .raw = RAW_F32 },
    { OUT("c", "", COLUMN_INT), LIMITS, .at = 5, .raw = RAW_I24, .bit = 3, .bits = 11 },
    { OUT("g", "", COLUMN_REAL), LIMITS, .at = 1, .raw = RAW_I16, .mask = 0x7f7f },
    { OUT("e", "", COLUMN_BOOL), .prefix = "", .suffix = "", .strip = "", .scale = 1, .at = 8, .raw = RAW_BCD, .length = 3 },
    { OUT("b", "", COLUMN_TEXT), .prefix = "", .suffix = "", .strip = "", .scale = 1, .at = 9, .raw = RAW_TEXT, .length = 4 },
};

static const char *const yes[] = { "*", "ST" };
static const struct column_config by_any[] = {
    { OUT("a", "", COLUMN_REAL), LIMITS, .field = 2, .at = -1, .digits = DIGITS_HEX, .bit = 2, .bits = 40 },
    { OUT("e", "", COLUMN_BOOL), .prefix = "", .suffix = "", .strip = "", .scale = 1, .field = 3, .at = -1,
      .yes = { yes, 2, sizeof yes[0] } },
};
static const char *const ignore[] = { "TIME" };

#define FRAME(k, ke, be, columns_of) \
    { .name = "", .key = ke, .assign = "=", .separator = (k) == KIND_DELIMITED ? "blanks" : ";", \
      .quote = (k) == KIND_PAIRS ? "'" : "", .begins = be, .begins_hex = "", .kind = k, \
      .columns = { columns_of, sizeof columns_of / sizeof columns_of[0], sizeof columns_of[0] } }
static const struct frame_config frames[] = {
    { .name = "", .key = "N", .assign = "=", .separator = " /(", .quote = "", .begins = "", .begins_hex = "",
      .kind = KIND_DELIMITED, .columns = { by_any, sizeof by_any / sizeof by_any[0], sizeof by_any[0] } },
    FRAME(KIND_KEY, "HR", "", by_field), FRAME(KIND_KEY, "R", "", by_field), FRAME(KIND_PAIRS, "", "", by_key),
    FRAME(KIND_FIXED, "", "#", by_place), FRAME(KIND_BINARY, "", "\xa5", by_byte), FRAME(KIND_DELIMITED, "", "", by_field),
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config c = { .frames = { frames, sizeof frames / sizeof frames[0], sizeof frames[0] }, .subject = "",
                        .stream = "rows", .frame_column = "kind", .ignore = { ignore, 1, sizeof ignore[0] } };

    if (size < 2)
        return 0;
    c.start = data[0] % 3;
    c.split = data[0] / 3 % 5;
    c.encoding = data[0] >> 6 & 1;
    if (data[0] & 0x80)
        c.subject = "b";
    fuzz_feed(&afferent_plugin_v1, &c, data + 2, size - 2, data[1]);
    return 0;
}
