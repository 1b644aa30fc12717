/* SPDX-License-Identifier: Apache-2.0
 *
 * options.h - what may stand in the map: the option table, for op_parse.c alone.
 *
 * Not here: what is refused beyond types and ranges (check.c). */
#ifndef OP_PARSE_OPTIONS_H
#define OP_PARSE_OPTIONS_H

#include "parse.h"

static const char *const raw_names[RAW_KINDS + 1] = { "u8",  "i8",  "u16", "i16", "u24", "i24",  "u32", "i32",
                                               "u64", "i64", "f32", "f64", "bcd", "text", NULL };
static const char *const kind_names[] = { "key", "pairs", "delimited", "fixed", "binary", NULL };
static const char *const start_names[] = { "frame", "key", "anywhere", NULL };
static const char *const split_names[] = { "none", "lf", "cr", "lines", "zeros", NULL };
static const char *const encoding_names[] = { "utf-8", "latin-1", NULL };
static const char *const endian_names[] = { "little", "big", NULL };
static const char *const column_endian_names[] = { "frame", "little", "big", NULL };
static const char *const digits_names[] = { "decimal", "hex", NULL };
static const char *const decimal_names[] = { ".", ",", NULL };
static const char *const trouble_names[] = { "missing", "suspect", "frame", NULL };

static const struct aff_option number_item[] = { AFF_OPT_ITEM(AFF_TYPE_REAL, 0, "The number.") };
static const struct aff_option missing_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "What means that there is no value, as it stands in the frame: \"---\", \"0x7fff\"."),
};
static const struct aff_option suspect_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "A text by which the device says that its values are doubtful."),
};

static const struct aff_option yes_item[] = { AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "A text that means yes.") };
static const struct aff_option ignore_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "What such a frame begins with; blanks in front are passed over."),
};

#define OUT(m) (uint32_t)(offsetof(struct column_config, out) + offsetof(struct rows_column, m))
#define COLUMN(name, D, preset, type, flags, m, choices, nested, count, size) \
    { name, D, NULL, preset, type, flags, OUT(m), 1.0, -1.0, choices, nested, count, size }
/* A number that may be left out: a list of none or one. */
#define OPTIONAL_NUMBER(m, D) \
    AFF__OPT(struct column_config, m, AFF_TYPE_LIST, 0, NULL, NULL, AFF__PAIR(0, 1), NULL, number_item, 1, \
             sizeof(double), D)

static const struct aff_option column_options[] = {
    COLUMN("name", "Name of the column; frames of several kinds may fill the same one.", NULL, AFF_TYPE_TEXT,
           AFF_OPT_REQUIRED, name, NULL, NULL, 0, 0),
    COLUMN("type", "What the value is.", "\"real\"", AFF_TYPE_ENUM, 0, type, rows_type_names, NULL, 0, 0),
    COLUMN("unit", "Unit in UCUM: \"/min\", \"mm[Hg]\", \"Cel\", \"%\".", "\"\"", AFF_TYPE_TEXT, 0, unit, NULL, NULL, 0,
           0),
    COLUMN("code", "LOINC code of what was measured.", "\"\"", AFF_TYPE_TEXT, 0, code, NULL, NULL, 0, 0),
    COLUMN("label", "Whether the value identifies a person (phi), or does so together with others (quasi).",
           "\"none\"", AFF_TYPE_ENUM, 0, label, rows_label_names, NULL, 0, 0),
    COLUMN("required", "Whether a frame of this kind without this value is set aside.", "false", AFF_TYPE_BOOL, 0,
           required, NULL, NULL, 0, 0),
    COLUMN("keep_text", "Whether a column NAME_text holds the value as it was written: 1.250 stays 1.250.", "false",
           AFF_TYPE_BOOL, 0, keep_text, NULL, NULL, 0, 0),
    COLUMN("format", "How a value of type time is written, as in time.format; that or iso8601 if empty.", "\"\"",
           AFF_TYPE_TEXT, 0, format, NULL, NULL, 0, 0),
    COLUMN("missing", "What means that there is no value; nothing at all does if the list is not given.", NULL,
           AFF_TYPE_LIST, 0, missing, NULL, missing_item, 1, sizeof(const char *)),
    COLUMN("from", "Of kind pairs: the key whose value it is; the column's name if empty.", "\"\"", AFF_TYPE_TEXT, 0,
           from, NULL, NULL, 0, 0),
    AFF_OPT_INT(struct column_config, field, 0, "0", 0, 4096, NULL,
                "Of kind key or delimited: which field it is, counted from 1; of kind key from behind the key."),
    AFF_OPT_INT(struct column_config, at, 0, "-1", -1, 1048576, "bytes",
                "Of kind fixed or binary: at which byte it begins, counted from 0."),
    AFF_OPT_INT(struct column_config, length, 0, "0", 0, 65536, "bytes",
                "Of kind fixed, and of raw bcd and text: how many bytes it has."),
    AFF_OPT_ENUM(struct column_config, endian, 0, "\"frame\"", column_endian_names,
                 "Of kind binary: which byte comes first, where that is not as in the frame's other values."),
    AFF_OPT_ENUM(struct column_config, raw, 0, "\"u8\"", raw_names,
                 "Of kind binary: how the value is stored; bcd is two decimal digits a byte."),
    AFF_OPT_INT(struct column_config, bit, 0, "0", 0, 63, NULL,
                "Of kind binary, or with digits = \"hex\": the lowest bit of the value in its integer, where that holds "
                "several."),
    AFF_OPT_INT(struct column_config, bits, 0, "0", 0, 64, NULL,
                "Of kind binary, or with digits = \"hex\": how many bits of its integer the value has; all if 0."),
    AFF_OPT_INT(struct column_config, mask, 0, "0", 0, 9007199254740991.0, NULL,
                "Of kind binary, instead of bit and bits: which bits of its integer the value has, put together without "
                "the gaps: 0x407F for bits 0 to 6 and 14, as where bytes have seven bits; all if 0."),
    AFF_OPT_ENUM(struct column_config, digits, 0, "\"decimal\"", digits_names,
                 "Of a number written as text: its digits; those of a hexadecimal one have no sign, and 0x in front or "
                 "not."),
    AFF_OPT_REAL(struct column_config, scale, 0, "1.0", 1, -1, NULL,
                 "Of type real: the number is multiplied by this, then offset is added."),
    AFF_OPT_REAL(struct column_config, offset, 0, "0.0", 1, -1, NULL,
                 "Of type real: added to the number once it is scaled."),
    AFF_OPT_TEXT(struct column_config, prefix, 0, "\"\"",
                 "What stands in front of the value in its field, such as \"PR=\"; a field without it has no value."),
    AFF_OPT_TEXT(struct column_config, suffix, 0, "\"\"",
                 "What stands behind the value in its field, such as \"SEC\"; a field without it has no value."),
    AFF_OPT_TEXT(struct column_config, strip, 0, "\"\"",
                 "Characters of ASCII that may stand at either end of the value and are taken off, such as \"*%\"."),
    AFF__OPT(struct column_config, yes, AFF_TYPE_LIST, 0, NULL, NULL, AFF__PAIR(0, 64), NULL, yes_item, 1,
             sizeof(const char *),
             "Of type bool, written as text: what means yes, while all else, blanks too, means no; without it true, yes, "
             "1 and their like mean yes."),
    AFF__OPT(struct column_config, suspect, AFF_TYPE_LIST, 0, NULL, NULL, AFF__PAIR(0, 64), NULL, suspect_item, 1,
             sizeof(const char *),
             "Values by which the device says that it doubts the frame: its row is marked SUSPECT."),
    OPTIONAL_NUMBER(low, "The least value that can be, once it is scaled."),
    OPTIONAL_NUMBER(high, "The greatest value that can be, once it is scaled."),
    AFF_OPT_ENUM(struct column_config, outside, 0, "\"missing\"", trouble_names,
                 "What a value outside of low and high does: it is left out and counted (missing), kept with its row "
                 "marked SUSPECT (suspect), or sets its frame aside (frame)."),
    AFF_OPT_ENUM(struct column_config, bad, 0, "\"frame\"", trouble_names,
                 "What a value does that is not of its type: it is left out and counted (missing), that with its row "
                 "marked SUSPECT (suspect), or sets its frame aside (frame)."),
};

static const struct aff_option frame_options[] = {
    AFF_OPT_TEXT(struct frame_config, name, 0, "\"\"", "Name of this kind of frame in logs; its key if empty."),
    AFF_OPT_ENUM(struct frame_config, kind, 0, "\"key\"", kind_names,
                 "How it is built: a key and fields, HR=1;80; (key), keys with a value each, HR=80;SPO2=97 (pairs), "
                 "fields alone (delimited), text at fixed places (fixed), or numbers in bytes (binary)."),
    AFF_OPT_TEXT(struct frame_config, key, 0, "\"\"",
                 "Of kind key: the key. Of kind delimited: the text of the first field of such a frame, any if empty."),
    AFF_OPT_TEXT(struct frame_config, assign, 0, "\"=\"", "Of kind key or pairs: the character behind a key."),
    AFF_OPT_TEXT(struct frame_config, separator, 0, "\";\"",
                 "What stands between fields: one character, or up to 8 of which any one does (\" /()\"), \"tab\", or "
                 "\"blanks\" for any run of blanks and tabs."),
    AFF_OPT_TEXT(struct frame_config, quote, 0, "\"\"",
                 "What stands around fields that hold separators; none if empty."),
    AFF_OPT_TEXT(struct frame_config, begins, 0, "\"\"",
                 "Of kind pairs, delimited, fixed or binary: the text that such a frame begins with; fields are counted "
                 "behind it, bytes from its first one."),
    AFF_OPT_TEXT(struct frame_config, begins_hex, 0, "\"\"",
                 "The same in hexadecimal, for bytes that are no text: \"a5 5a\"."),
    AFF_OPT_INT(struct frame_config, size, 0, "0", 0, 1048576, "bytes",
                "Of kind fixed or binary: how long such a frame is; any length that holds its columns if 0."),
    AFF_OPT_INT(struct frame_config, fields, 0, "0", 0, 4096, NULL,
                "Of kind key or delimited: how many fields such a frame has, an empty one behind the last separator "
                "not counted; any number if 0."),
    AFF_OPT_ENUM(struct frame_config, decimal, 0, "\".\"", decimal_names, "What stands before the fraction of a number."),
    AFF_OPT_ENUM(struct frame_config, endian, 0, "\"little\"", endian_names,
                 "Of kind binary: which byte of a number comes first, the least (little) or the most significant (big)."),
    AFF__OPT(struct frame_config, columns, AFF_TYPE_LIST, AFF_OPT_REQUIRED, NULL, NULL, AFF__PAIR(1, 256), NULL,
             column_options, (uint32_t)(sizeof column_options / sizeof column_options[0]),
             sizeof(struct column_config), "What of such a frame becomes which column."),
};

static const struct aff_option options[] = {
    AFF__OPT(struct config, frames, AFF_TYPE_LIST, AFF_OPT_REQUIRED, NULL, NULL, AFF__PAIR(1, FRAMES_MOST), NULL,
             frame_options, (uint32_t)(sizeof frame_options / sizeof frame_options[0]), sizeof(struct frame_config),
             "The kinds of frames; a frame is of the first kind that fits it."),
    AFF__OPT(struct config, ignore, AFF_TYPE_LIST, 0, NULL, NULL, AFF__PAIR(0, 64), NULL, ignore_item, 1,
             sizeof(const char *),
             "Frames that are let go, such as the header lines of a printer port: the texts that they begin with."),
    AFF_OPT_ENUM(struct config, start, 0, "\"frame\"", start_names,
                 "Where frames of text begin: at the first byte (frame); at the first known key or text of begins "
                 "behind which all is text, so that waveform bytes may stand in front, but no letter or digit (key); "
                 "or the same whatever stands in front (anywhere)."),
    AFF_OPT_ENUM(struct config, split, 0, "\"none\"", split_names,
                 "Where a record holds several frames: what ends each, a line feed (lf), a carriage return (cr), either "
                 "or both (lines), or a zero byte (zeros)."),
    AFF_OPT_ENUM(struct config, encoding, 0, "\"utf-8\"", encoding_names,
                 "How texts are written; latin-1 (ISO 8859-1) becomes UTF-8, and prefix, suffix, missing and suspect are "
                 "compared with that."),
    AFF_OPT_TABLE(struct config, time, 0, rows_time_options, sizeof(struct rows_time),
                  "The event time of a row, by one of the columns; without it the frame's."),
    AFF_OPT_TEXT(struct config, subject, 0, "\"\"",
                 "The column that names the subject; the frame's subject if empty."),
    AFF_OPT_TEXT(struct config, stream, 0, "\"rows\"",
                 "Frames of the stream \"X\" become rows of the stream \"X/rows\", or what is written here."),
    AFF_OPT_TEXT(struct config, frame_column, 0, "\"\"",
                 "Name of a column of text that holds the name of the kind of frame; none if empty."),
};

#endif
