/* SPDX-License-Identifier: Apache-2.0
 *
 * command.h - what a device can be told, and how its answer is known.
 *
 * A command is bytes to send, with places for values, and patterns that mean yes
 * or no in what comes back. One of several steps is a list of others.
 *
 * Not here: sending, waiting, trying again (orders.c). */
#ifndef IN_SERIAL_COMMAND_H
#define IN_SERIAL_COMMAND_H

#include "frame.h"

#include <afferent/plugin.h>

enum {
    COMMANDS_MOST = 64,
    STEPS_MOST = 16,
    POLLS_MOST = 8,
    PATTERNS_MOST = 8,
    TEMPLATE_MOST = 1024, /* bytes of a template */
    SEND_MOST = 2048,     /* bytes that go out at once */
    VALUE_MOST = 64       /* bytes of one value */
};

struct pattern {
    struct mark mark;
    bool first; /* only at the beginning of a frame */
};

struct command {
    const char *name;
    const char *send, *send_hex; /* borrowed; one of them, or steps */
    const char *allow;           /* characters that values may hold beside the usual */
    struct pattern expect[PATTERNS_MOST], refuse[PATTERNS_MOST];
    uint8_t expect_count, refuse_count, step_count;
    uint8_t steps[STEPS_MOST]; /* indices of other commands */
    bool in_bytes; /* patterns are looked for in all bytes, not in frames */
    bool wrap;     /* what is sent is framed as frames are */
    int64_t timeout_ns;
    uint32_t retries;
};

/* What an answer means. */
enum answer { ANSWER_NONE, ANSWER_YES, ANSWER_NO };

/* Looks for the patterns in a frame, or in bytes. */
enum answer command_answer(const struct command *c, const uint8_t *at, size_t size);

/* Walks the {names} of a template: *at is moved behind the next one, *ret_name is
 * borrowed from the template. 1: a name; 0: no more; -1: a brace that is none. */
int template_name(const char **at, const char **ret_name, size_t *ret_size);

/* The bytes to send for this row (NULL: none). Values are TEXT of letters, digits,
 * blank and + - . _ : (or `allow`), INT, REAL, BOOL; at most VALUE_MOST bytes each;
 * of no column that is labelled phi.
 * Returns how many, 0: a value is not there, or may not be sent. */
size_t command_bytes(const struct command *c, const struct aff_record *row, const struct aff_schema *schema,
                     uint8_t *to, size_t room);

#endif
