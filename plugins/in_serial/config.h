/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h - the options of in_serial as the host fills them in, and what they
 * are made into before anything runs.
 *
 * Not here: their names, ranges and sentences (options.h). */
#ifndef IN_SERIAL_CONFIG_H
#define IN_SERIAL_CONFIG_H

#include "command.h"
#include "frame.h"
#include "tty/port.h"

#include <afferent/plugin.h>

struct usb_config {
    const char *vendor, *product, *serial;
    int64_t interface;
};

struct line_config {
    struct aff_list end; /* of const char * */
    int32_t text;
};

struct fixed_config {
    int64_t size, sync_bits;
    const char *start;
};

struct length_config {
    const char *start;
    int64_t offset, width, add;
    int32_t order, counts;
    int64_t header, trailer;
};

struct marks_config {
    struct aff_list start, end; /* of const char * */
    const char *escape;
    int64_t escape_xor;
    int64_t tail;
    int32_t start_inside;
};

struct sum_config {
    int32_t kind;
    int64_t poly, init, xorout;
    int32_t reflect_in, reflect_out, negate;
    int32_t written, order;
    int32_t place;
    int32_t cover_start, cover_end;
    int64_t skip_first, skip_last, after;
};

struct command_config {
    const char *key;
    const char *send, *send_hex;
    struct aff_list expect, refuse, steps; /* of const char * */
    int32_t look_in, wrap;
    int64_t timeout;
    int64_t retries;
    const char *allow;
};

struct poll_config {
    const char *command;
    int64_t every;
};

struct config {
    const char *path;
    const struct usb_config *usb;
    const char *sysfs;
    int64_t baud, data_bits, stop_bits;
    int32_t parity, flow, dtr, rts;
    int32_t shared;
    const char *subject, *stream, *device;
    int32_t framer;
    int64_t max_frame;
    int32_t emit, keep_empty;
    int64_t frame_timeout;
    const struct line_config *line;
    const struct fixed_config *fixed;
    const struct length_config *length;
    const struct marks_config *marks;
    const struct sum_config *checksum;
    int64_t silent_after, unreadable_after;
    struct aff_list commands; /* of struct command_config */
    struct aff_list on_open;  /* of const char * */
    struct aff_list polls;    /* of struct poll_config */
    int64_t command_wait;
};

enum { ORDER_BIG, ORDER_LITTLE };
enum { TEXT_ANY, TEXT_ASCII, TEXT_STRICT };
enum { EMIT_CONTENT, EMIT_FRAME };
enum { PLACE_USUAL, PLACE_INSIDE, PLACE_BEHIND };
enum { INSIDE_RESTART, INSIDE_CONTENT };
enum { WRITTEN_BINARY, WRITTEN_HEX };
enum { LOOK_FRAMES, LOOK_BYTES };

const char *config_text(const struct aff_list *list, uint32_t index);
const struct command_config *config_command(const struct config *c, uint32_t index);
const struct poll_config *config_poll(const struct config *c, uint32_t index);
/* The index of a command by its name; -1: none. `size` bytes. */
int32_t config_command_find(const struct config *c, const char *name, size_t size);
/* Says a problem where there is somebody to hear it; always false. */
bool config_problem(const struct aff_report *report, const char *option, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The framing by the options. False where they cannot be; `report` (may be NULL)
 * hears why. */
bool config_frame(const struct config *c, const struct aff_report *report, struct frame_rule *ret);
/* The port. Borrows from the config. */
struct port_rule config_port(const struct config *c);
/* One command, by its index. As config_frame. */
bool config_command_make(const struct config *c, uint32_t index, const struct aff_report *report, struct command *ret);

aff_status config_validate(const void *config, const struct aff_report *report);
aff_status config_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

#endif
