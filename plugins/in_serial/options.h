/* SPDX-License-Identifier: Apache-2.0
 *
 * options.h - the options of in_serial, as a pipeline writes them; for in_serial.c
 * alone. What they mean together is judged in config.c and config_frame.c. */
#ifndef IN_SERIAL_OPTIONS_H
#define IN_SERIAL_OPTIONS_H

#include "config.h"

#define HOUR_NS 3600e9

static const char *const parities[] = { "none", "even", "odd", "mark", "space", NULL };
static const char *const flows[] = { "none", "rtscts", "xonxoff", NULL };
static const char *const pins[] = { "leave", "on", "off", NULL };
static const char *const framers[] = { "none", "line", "fixed", "length", "stx_etx", "slip", "cobs", "marks", "silence", NULL };
static const char *const emits[] = { "content", "frame", NULL };
static const char *const line_texts[] = { "any", "ascii", "strict", NULL };
static const char *const orders_of_bytes[] = { "big", "little", NULL };
static const char *const counts_of_length[] = { "payload", "rest", "frame", NULL };
static const char *const insides[] = { "restart", "content", NULL };
static const char *const sums[] = { "sum", "sum16", "xor", "crc8", "crc16", "crc32", NULL };
static const char *const writings[] = { "binary", "hex", NULL };
static const char *const places[] = { "usual", "inside", "behind", NULL };
static const char *const looks[] = { "frames", "bytes", NULL };

static const struct aff_option mark_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, 0,
                 "1 to 16 bytes as text, in which \\xHH stands for the byte HH: \"$\", '\\x02', \"\\r\\n\"."),
};
static const struct aff_option name_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "Name of a command."),
};

static const struct aff_option usb_options[] = {
    AFF_OPT_TEXT(struct usb_config, vendor, AFF_OPT_REQUIRED, NULL,
                 "Vendor id of the adapter, four hex digits, as lsusb shows it."),
    AFF_OPT_TEXT(struct usb_config, product, AFF_OPT_REQUIRED, NULL, "Product id of the adapter, four hex digits."),
    AFF_OPT_TEXT(struct usb_config, serial, 0, "\"\"", "Serial number of the adapter; any if empty."),
    AFF_OPT_INT(struct usb_config, interface, 0, "-1", -1, 255, NULL,
                "Number of the interface, for adapters with several ports; -1 means any."),
};

static const struct aff_option line_options[] = {
    AFF_OPT_LIST(struct line_config, end, 0, mark_item, sizeof(const char *),
                 "What ends a line, and is left out of it; without it CR, LF and both, and empty lines are nothing."),
    AFF_OPT_ENUM(struct line_config, text, 0, "\"any\"", line_texts,
                 "What a line is made of: any bytes, or (ascii) only printable ASCII and tabs, so that lines are found "
                 "between bytes of another kind, such as a monitor's waveforms, or (strict) the same, and a line with "
                 "another byte in it is bad."),
};

static const struct aff_option fixed_options[] = {
    AFF_OPT_INT(struct fixed_config, size, AFF_OPT_REQUIRED, NULL, 1, 65536, "bytes",
                "Length of each frame, with its start mark and checksum."),
    AFF_OPT_TEXT(struct fixed_config, start, 0, NULL,
                 "What each frame begins with; without it and without a checksum a frame's place is lost with the "
                 "first byte that is."),
    AFF_OPT_INT(struct fixed_config, sync_bits, 0, "0", 0, 255, NULL,
                "Bits that are set in the first byte of each frame and in no other, instead of start: 0x80 for many "
                "pulse oximeters."),
};

static const struct aff_option length_options[] = {
    AFF_OPT_TEXT(struct length_config, start, 0, NULL, "What each frame begins with."),
    AFF_OPT_INT(struct length_config, offset, 0, "0", 0, 256, "bytes",
                "Where the length field is, from the frame's first byte."),
    AFF_OPT_INT(struct length_config, width, 0, "1", 1, 4, "bytes", "Width of the length field."),
    AFF_OPT_ENUM(struct length_config, order, 0, "\"big\"", orders_of_bytes,
                 "Which byte of the length field comes first: its highest (big) or lowest (little)."),
    AFF_OPT_ENUM(struct length_config, counts, 0, "\"payload\"", counts_of_length,
                 "What the field counts: what lies between header and trailer, the rest behind the field, or the "
                 "whole frame."),
    AFF_OPT_INT(struct length_config, add, 0, "0", -1024, 1024, "bytes",
                "What is added to the field's value: -2 where a field of 2 bytes counts itself as well."),
    AFF_OPT_INT(struct length_config, header, 0, "0", 0, 1024, "bytes",
                "What comes before the payload, with start mark and length field; 0 means all up to the end of the "
                "field."),
    AFF_OPT_INT(struct length_config, trailer, 0, "0", 0, 1024, "bytes",
                "What comes behind the payload, with the checksum."),
};

static const struct aff_option marks_options[] = {
    AFF_OPT_LIST(struct marks_config, start, 0, mark_item, sizeof(const char *),
                 "What a frame begins with: one mark or several; STX with framer = \"stx_etx\"."),
    AFF_OPT_LIST(struct marks_config, end, 0, mark_item, sizeof(const char *),
                 "What a frame ends with: one mark or several; ETX with framer = \"stx_etx\". With none a frame ends "
                 "where the next begins. The same as start: one mark may stand for both (HDLC)."),
    AFF_OPT_TEXT(struct marks_config, escape, 0, NULL,
                 "The byte by which content may hold what would be a mark, '\\x10' for DLE; where marks begin with "
                 "it, it is doubled in the content."),
    AFF_OPT_INT(struct marks_config, escape_xor, 0, "0", 0, 255, NULL,
                "What the byte behind the escape is changed by (exclusive or): 0x20 for HDLC, 0 where it stands as "
                "it is."),
    AFF_OPT_INT(struct marks_config, tail, 0, "0", 0, 64, "bytes",
                "Bytes of a frame behind its end mark; a checksum that stands there counts by itself."),
    AFF_OPT_ENUM(struct marks_config, start_inside, 0, "\"restart\"", insides,
                 "What a start mark inside a frame means: that the first one's end was lost (restart), or nothing "
                 "(content)."),
};

static const struct aff_option sum_options[] = {
    AFF_OPT_ENUM(struct sum_config, kind, AFF_OPT_REQUIRED, NULL, sums,
                 "How it is made: the sum of the bytes (8 or 16 bits), their exclusive or, or a CRC."),
    AFF_OPT_INT(struct sum_config, poly, 0, "0", 0, 4294967295.0, NULL,
                "Polynomial of a CRC without its highest bit, as in catalogues: 0x8005 for CRC-16/MODBUS."),
    AFF_OPT_INT(struct sum_config, init, 0, "0", 0, 4294967295.0, NULL,
                "Value before the first byte: 0xFFFF for CRC-16/MODBUS."),
    AFF_OPT_INT(struct sum_config, xorout, 0, "0", 0, 4294967295.0, NULL,
                "What the value is changed by at the end (exclusive or)."),
    AFF_OPT_BOOL(struct sum_config, reflect_in, "false", "Whether a CRC takes the lowest bit of each byte first."),
    AFF_OPT_BOOL(struct sum_config, reflect_out, "false",
                 "Whether a CRC's value is turned round at the end, against what reflect_in says: both are "
                 "mostly the same."),
    AFF_OPT_BOOL(struct sum_config, negate, "false",
                 "Whether the two's complement is sent, by which bytes and sum add up to 0 (an LRC)."),
    AFF_OPT_ENUM(struct sum_config, written, 0, "\"binary\"", writings,
                 "How it is written: as bytes, or as hex digits in ASCII."),
    AFF_OPT_ENUM(struct sum_config, order, 0, "\"big\"", orders_of_bytes,
                 "Which byte comes first: the highest (big) or the lowest (little)."),
    AFF_OPT_ENUM(struct sum_config, place, 0, "\"usual\"", places,
                 "Where it stands: in the last bytes before the end mark (inside), behind the end mark, or the "
                 "usual: behind with stx_etx, inside with all others."),
    AFF_OPT_BOOL(struct sum_config, cover_start, "false", "Whether the start mark is covered."),
    AFF_OPT_BOOL(struct sum_config, cover_end, "true", "Whether the end mark is covered by a checksum behind it."),
    AFF_OPT_INT(struct sum_config, skip_first, 0, "0", 0, 64, "bytes",
                "How many bytes at the beginning are not covered."),
    AFF_OPT_INT(struct sum_config, skip_last, 0, "0", 0, 64, "bytes",
                "How many bytes right before the checksum (or end mark) are not covered and not content: 1 for "
                "the * of NMEA 0183."),
    AFF_OPT_INT(struct sum_config, after, 0, "0", 0, 16, "bytes",
                "How many bytes of the frame come behind the checksum: 2 for the CR LF of ASTM E1381."),
};

static const struct aff_option command_options[] = {
    AFF_OPT_TEXT(struct command_config, send, 0, NULL,
                 "What the device gets: text, in which \\xHH stands for the byte HH, {column} for a value of the "
                 "command's row, and {{ }} for braces."),
    AFF_OPT_TEXT(struct command_config, send_hex, 0, NULL, "What the device gets, as hex digits: \"02 5A 03\"."),
    AFF_OPT_LIST(struct command_config, steps, 0, name_item, sizeof(const char *),
                 "Names of other commands that are carried out one after another, as one; the first that is not done "
                 "ends it."),
    AFF_OPT_LIST(struct command_config, expect, 0, mark_item, sizeof(const char *),
                 "What in an answer means that it is done; ^ before it: at the beginning of a frame. Without it a "
                 "command is done when it is sent."),
    AFF_OPT_LIST(struct command_config, refuse, 0, mark_item, sizeof(const char *),
                 "What in an answer means that it is refused; without expect it is listened for until the timeout."),
    AFF_OPT_ENUM(struct command_config, look_in, 0, "\"frames\"", looks,
                 "Where answers are looked for: in frames, or in all bytes, where an answer is no frame (an ACK "
                 "byte)."),
    AFF_OPT_BOOL(struct command_config, wrap, "false",
                 "Whether what is sent is made a frame, as the framer reads them: with marks, escapes and "
                 "checksum."),
    AFF_OPT_DURATION(struct command_config, timeout, 0, "\"2s\"", 1e6, HOUR_NS, "How long an answer may take."),
    AFF_OPT_INT(struct command_config, retries, 0, "0", 0, 100, NULL,
                "How often it is sent again where no answer came, or the line was lost in the middle of it."),
    AFF_OPT_TEXT(struct command_config, allow, 0, "\"\"",
                 "Characters that a text in {column} may hold beside letters, digits, blank and + - . _ :, of "
                 "printable ASCII."),
};

static const struct aff_option poll_options[] = {
    AFF_OPT_TEXT(struct poll_config, command, AFF_OPT_REQUIRED, NULL, "Name of the command."),
    AFF_OPT_DURATION(struct poll_config, every, AFF_OPT_REQUIRED, NULL, 1e7, 24 * HOUR_NS, "How often it is sent."),
};

static const struct aff_option options[] = {
    AFF_OPT_PATH(struct config, path, 0, NULL,
                 "The device: /dev/ttyS0, /dev/serial/by-id/...; may be absent at any time."),
    AFF_OPT_TABLE(struct config, usb, 0, usb_options, sizeof(struct usb_config),
                  "The device by what its USB adapter says of itself, wherever it is plugged in; instead of path."),
    AFF_OPT_PATH(struct config, sysfs, 0, "\"/sys\"", "Where the system shows its devices, for usb."),
    AFF_OPT_INT(struct config, baud, 0, "9600", 50, 4000000, "baud",
                "Line speed, any that the device can make within 2 percent."),
    AFF_OPT_INT(struct config, data_bits, 0, "8", 5, 8, "bits", "Bits of a character."),
    AFF_OPT_INT(struct config, stop_bits, 0, "1", 1, 2, "bits", "Stop bits."),
    AFF_OPT_ENUM(struct config, parity, 0, "\"none\"", parities,
                 "Parity bit; a character with a wrong one is read as a zero byte."),
    AFF_OPT_ENUM(struct config, flow, 0, "\"none\"", flows,
                 "Flow control: by modem lines (rtscts), by characters (xonxoff; content must not hold them), or "
                 "none."),
    AFF_OPT_ENUM(struct config, dtr, 0, "\"leave\"", pins,
                 "What the line DTR is set to after opening; leave means as the system does it."),
    AFF_OPT_ENUM(struct config, rts, 0, "\"leave\"", pins,
                 "What the line RTS is set to after opening; leave means as the system does it."),
    AFF_OPT_BOOL(struct config, shared, "false",
                 "Whether other programs may use the device at the same time; they take bytes from each other."),
    AFF_OPT_TEXT(struct config, subject, 0, NULL,
                 "Whose data it is, for example \"bed-3\"; by default the device's name."),
    AFF_OPT_TEXT(struct config, stream, 0, "\"serial\"",
                 "Name of the stream of data; those of results and events have it with /results and /events "
                 "behind it."),
    AFF_OPT_TEXT(struct config, device, 0, NULL,
                 "What results and events call the device; by default its path without the folder, or its USB id."),
    AFF_OPT_ENUM(struct config, framer, 0, "\"line\"", framers,
                 "How frames are found: lines, a fixed length, a length in the frame, STX to ETX, SLIP (RFC 1055), "
                 "COBS, other marks; by a pause of frame_timeout between them (silence); or not at all: bytes as they "
                 "come (none)."),
    AFF_OPT_BYTES(struct config, max_frame, 0, "\"4KiB\"", 1, 65536,
                  "Largest frame, as it is on the line but for escapes; a larger one is bad."),
    AFF_OPT_ENUM(struct config, emit, 0, "\"content\"", emits,
                 "What a record holds: what is between marks, header, checksum and trailer, without escapes; or the "
                 "frame as it came."),
    AFF_OPT_BOOL(struct config, keep_empty, "false", "Whether frames without content become records."),
    AFF_OPT_DURATION(struct config, frame_timeout, 0, "\"0s\"", 0, HOUR_NS,
                     "How long a half frame waits for its next byte before it is bad (or whole, where frames have no "
                     "end of their own); 0 means for ever. USB adapters hold bytes back for up to 16 ms."),
    AFF_OPT_TABLE(struct config, line, 0, line_options, sizeof(struct line_config),
                  "With framer = \"line\": what a line is."),
    AFF_OPT_TABLE(struct config, fixed, 0, fixed_options, sizeof(struct fixed_config),
                  "With framer = \"fixed\": what a frame is."),
    AFF_OPT_TABLE(struct config, length, 0, length_options, sizeof(struct length_config),
                  "With framer = \"length\": where the length is, and what it counts."),
    AFF_OPT_TABLE(struct config, marks, 0, marks_options, sizeof(struct marks_config),
                  "With framer = \"marks\" or \"stx_etx\": what begins and ends a frame."),
    AFF_OPT_TABLE(struct config, checksum, 0, sum_options, sizeof(struct sum_config),
                  "The checksum of each frame; a frame with another one is bad."),
    AFF_OPT_DURATION(struct config, silent_after, 0, "\"10s\"", 0, 24 * HOUR_NS,
                     "After how long without a byte the device counts as silent; 0 means never."),
    AFF_OPT_DURATION(struct config, unreadable_after, 0, "\"30s\"", 0, 24 * HOUR_NS,
                     "After how long with bytes and no frame in them the device counts as unreadable, as it is at a "
                     "wrong speed; 0 means never."),
    AFF_OPT_MAP(struct config, commands, 0, command_options, sizeof(struct command_config),
                "What the device can be told, by names that rows at `commands` give."),
    AFF_OPT_LIST(struct config, on_open, 0, name_item, sizeof(const char *),
                 "Commands that are sent whenever the line has been opened, before any other."),
    AFF__OPT(struct config, polls, AFF_TYPE_LIST, 0, NULL, NULL, AFF__PAIR(0, POLLS_MOST), NULL, poll_options,
             (uint32_t)(sizeof poll_options / sizeof poll_options[0]), sizeof(struct poll_config),
             "Commands that are sent again and again, for a device that speaks only when it is asked. Commands of the "
             "port go between them; a result comes only where the outcome is another than the time before."),
    AFF_OPT_DURATION(struct config, command_wait, 0, "\"60s\"", 0, 24 * HOUR_NS,
                     "How long a command may wait for its turn or for the device before it is given up; 0 means for "
                     "ever."),
};

#endif
