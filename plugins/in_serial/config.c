/* SPDX-License-Identifier: Apache-2.0
 *
 * config.c - rules across options: the port, commands, and what of patient data a
 * device is told. See config.h. */
#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *config_text(const struct aff_list *list, uint32_t index)
{
    return *(const char *const *)(const void *)((const char *)list->items + (size_t)index * list->stride);
}

const struct command_config *config_command(const struct config *c, uint32_t index)
{
    return (const void *)((const char *)c->commands.items + (size_t)index * c->commands.stride);
}

const struct poll_config *config_poll(const struct config *c, uint32_t index)
{
    return (const void *)((const char *)c->polls.items + (size_t)index * c->polls.stride);
}

int32_t config_command_find(const struct config *c, const char *name, size_t size)
{
    for (uint32_t i = 0; i < c->commands.count; i++) {
        const char *key = config_command(c, i)->key;

        if (strlen(key) == size && memcmp(key, name, size) == 0)
            return (int32_t)i;
    }
    return -1;
}

bool config_problem(const struct aff_report *report, const char *option, const char *format, ...)
{
    char text[400];
    va_list list;

    if (!report)
        return false;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    report->problem(report, option, "%s", text);
    return false;
}

struct port_rule config_port(const struct config *c)
{
    return (struct port_rule){
        .path = c->path,
        .vendor = c->usb ? c->usb->vendor : NULL,
        .product = c->usb ? c->usb->product : NULL,
        .serial = c->usb ? c->usb->serial : NULL,
        .interface = c->usb ? c->usb->interface : -1,
        .sysfs = c->sysfs,
        .baud = c->baud,
        .data_bits = c->data_bits,
        .stop_bits = c->stop_bits,
        .parity = (enum port_parity)c->parity,
        .flow = (enum port_flow)c->flow,
        .dtr = (enum port_pin)c->dtr,
        .rts = (enum port_pin)c->rts,
        .shared = c->shared,
    };
}

static bool is_usb_id(const char *text)
{
    return strlen(text) == 4 && strspn(text, "0123456789abcdefABCDEF") == 4;
}

static bool port_check(const struct config *c, const struct aff_report *report)
{
    if (!c->path == !c->usb)
        return config_problem(report, c->path ? "usb" : NULL, "path and usb both say which device, or neither does; "
                                                              "expected one of them; write for example path = "
                                                              "\"/dev/ttyUSB0\"");
    if (c->usb && (!is_usb_id(c->usb->vendor) || !is_usb_id(c->usb->product)))
        return config_problem(report, "usb", "has a vendor or product that is not four hex digits; expected what "
                                             "lsusb shows as vendor:product; write for example vendor = \"0403\"");
    if (c->flow == FLOW_RTSCTS && c->rts != PIN_LEAVE)
        return config_problem(report, "rts", "does not go with flow = \"rtscts\", which moves this line itself; "
                                             "expected \"leave\"; remove it");
    if ((c->subject && !*c->subject) || !*c->stream || (c->device && !*c->device))
        return config_problem(report, c->subject && !*c->subject ? "subject" : *c->stream ? "device" : "stream",
                              "is empty; expected a name; write one");
    return true;
}

/* ---- commands ---- */

struct at {
    const struct aff_report *report;
    const char *key;
};

static bool wrong(const struct at *at, const char *option, const char *sentence)
{
    char path[200];

    (void)snprintf(path, sizeof path, "commands.%s.%s", at->key, option);
    return config_problem(at->report, path, "%s", sentence);
}

static bool patterns_make(const struct at *at, const struct aff_list *list, const char *option, struct pattern *to,
                          uint8_t *ret_count)
{
    if (list->count > PATTERNS_MOST)
        return wrong(at, option, "has more than 8 patterns; expected fewer; take some out");
    for (uint32_t i = 0; i < list->count; i++) {
        const char *text = config_text(list, i);

        to[i].first = text[0] == '^';
        if (!text_mark(text + to[i].first, &to[i].mark))
            return wrong(at, option, "is no byte string of 1 to 16 bytes; expected what the device answers; write it "
                                     "like \"OK\", \"^ERR\" (at the beginning of a frame) or '\\x06'");
    }
    *ret_count = (uint8_t)list->count;
    return true;
}

static bool steps_make(const struct config *c, const struct at *at, const struct command_config *from,
                       struct command *to)
{
    if (from->steps.count > STEPS_MOST)
        return wrong(at, "steps", "has more than 16 steps; expected fewer; split it into two commands");
    if (from->send || from->send_hex || from->expect.count || from->refuse.count)
        return wrong(at, "steps", "stands beside send, expect or refuse; expected a command of its own for each "
                                  "step; move them there");
    for (uint32_t i = 0; i < from->steps.count; i++) {
        const char *name = config_text(&from->steps, i);
        int32_t index = config_command_find(c, name, strlen(name));

        if (index < 0 || config_command(c, (uint32_t)index)->steps.count)
            return wrong(at, "steps", "names what is no command, or one with steps of its own; expected commands of "
                                      "this device that send something; correct it");
        to->steps[i] = (uint8_t)index;
    }
    to->step_count = (uint8_t)from->steps.count;
    return true;
}

static bool template_check(const struct at *at, const char *text)
{
    char plain[TEMPLATE_MOST + 1];
    uint8_t bytes[TEMPLATE_MOST];
    const char *p = text, *name;
    size_t size;
    int found;

    while ((found = template_name(&p, &name, &size)) == 1)
        ;
    if (found < 0)
        return wrong(at, "send", "has a brace that is no place for a value; expected {column}, and {{ or }} for a "
                                 "brace; correct it");
    if (!*text || strlen(text) > TEMPLATE_MOST)
        return wrong(at, "send", "is empty or longer than 1024 characters; expected what the device is to get; write "
                                 "it");
    (void)snprintf(plain, sizeof plain, "%s", text);
    if (text_bytes(plain, bytes, sizeof bytes) < 0)
        return wrong(at, "send", "has a backslash that begins nothing known; expected \\xHH, \\r, \\n, \\t, \\0 or "
                                 "\\\\; correct it");
    return true;
}

/* What is to be framed, without its values: those are looked at when it is sent. */
static bool wrap_check(const struct config *c, const struct at *at, const struct command_config *from,
                       const struct frame_rule *frame)
{
    uint8_t bytes[SEND_MOST];
    int64_t size;

    if (!from->wrap)
        return true;
    if (c->framer == FRAME_RAW || !frame_encodes(frame))
        return wrong(at, "wrap", "needs a framer by which frames can be made; expected line, slip, cobs, stx_etx or "
                                 "marks with nothing beside the checksum in them; write the whole frame into send");
    size = from->send ? text_bytes(from->send, bytes, sizeof bytes) : text_hex(from->send_hex, bytes, sizeof bytes);
    if (size > 0 && frame_holds_mark(frame, bytes, (size_t)size))
        return wrong(at, from->send ? "send" : "send_hex", "holds a mark of the frame that wrap makes of it; expected "
                                                           "the content alone; take it out, or wrap = true");
    return true;
}

/* A frame's beginning is known only where there are frames. */
static bool first_check(const struct config *c, const struct at *at, const struct command_config *from)
{
    if (from->look_in != LOOK_BYTES && c->framer != FRAME_RAW)
        return true;
    for (uint32_t i = 0; i < from->expect.count + from->refuse.count; i++) {
        const struct aff_list *list = i < from->expect.count ? &from->expect : &from->refuse;

        if (config_text(list, i < from->expect.count ? i : i - from->expect.count)[0] == '^')
            return wrong(at, "look_in", "is \"bytes\", or there are no frames, beside a pattern with ^, which means a "
                                        "frame's beginning; expected look_in = \"frames\" and a framer; write so, or "
                                        "take the ^ out");
    }
    return true;
}

static bool send_check(const struct config *c, const struct at *at, const struct command_config *from,
                       const struct frame_rule *frame)
{
    uint8_t bytes[SEND_MOST];

    if (!from->send == !from->send_hex)
        return wrong(at, "send", "and send_hex are both there, or none of them and no steps; expected one of the "
                                 "three; write what the device is to get");
    if (from->send_hex && text_hex(from->send_hex, bytes, sizeof bytes) <= 0)
        return wrong(at, "send_hex", "is not hex digits in pairs; expected at least one byte; write it like \"02 5A "
                                     "03\"");
    if (from->send && !template_check(at, from->send))
        return false;
    return wrap_check(c, at, from, frame) && first_check(c, at, from);
}

bool config_command_make(const struct config *c, uint32_t index, const struct aff_report *report, struct command *ret)
{
    const struct command_config *from = config_command(c, index);
    const struct at at = { report, from->key };
    struct frame_rule frame;

    memset(ret, 0, sizeof *ret);
    ret->name = from->key;
    ret->send = from->send;
    ret->send_hex = from->send_hex;
    ret->allow = from->allow;
    ret->in_bytes = from->look_in == LOOK_BYTES || c->framer == FRAME_RAW;
    ret->wrap = from->wrap;
    ret->timeout_ns = from->timeout;
    ret->retries = (uint32_t)from->retries;
    if (from->steps.count)
        return steps_make(c, &at, from, ret);
    return config_frame(c, NULL, &frame) && send_check(c, &at, from, &frame) &&
           patterns_make(&at, &from->expect, "expect", ret->expect, &ret->expect_count) &&
           patterns_make(&at, &from->refuse, "refuse", ret->refuse, &ret->refuse_count);
}

static bool has_values(const struct command_config *command)
{
    const char *at = command->send, *name;
    size_t size;

    return at && template_name(&at, &name, &size) == 1;
}

/* A command that is sent without a row, so it can have no values of one. */
static bool own_check(const struct config *c, const char *option, const char *name, const struct aff_report *report)
{
    int32_t index = config_command_find(c, name, strlen(name));
    const struct command_config *command = index < 0 ? NULL : config_command(c, (uint32_t)index);
    bool wants = command && has_values(command);

    if (!command)
        return config_problem(report, option, "names what is no command; expected a name of `commands`; correct it");
    for (uint32_t i = 0; i < command->steps.count && !wants; i++) {
        index = config_command_find(c, config_text(&command->steps, i), strlen(config_text(&command->steps, i)));
        wants = index >= 0 && has_values(config_command(c, (uint32_t)index));
    }
    return !wants || config_problem(report, option, "names a command with a {column} in it, and there is no row to take "
                                                    "it from; expected one without; write the value into a command of "
                                                    "its own");
}

static bool polls_check(const struct config *c, const struct aff_report *report)
{
    bool ok = true;
    char option[40];

    for (uint32_t i = 0; i < c->polls.count; i++) {
        (void)snprintf(option, sizeof option, "polls[%u].command", (unsigned)i);
        ok = own_check(c, option, config_poll(c, i)->command, report) && ok;
    }
    return ok;
}

static bool commands_check(const struct config *c, const struct aff_report *report)
{
    struct command made;
    bool ok = true;

    if (c->commands.count > COMMANDS_MOST)
        return config_problem(report, "commands", "are more than %d; expected fewer; take some out", COMMANDS_MOST);
    for (uint32_t i = 0; i < c->commands.count; i++)
        ok = config_command_make(c, i, report, &made) && ok;
    for (uint32_t i = 0; i < c->on_open.count; i++)
        ok = own_check(c, "on_open", config_text(&c->on_open, i), report) && ok;
    if (c->on_open.count > STEPS_MOST)
        ok = config_problem(report, "on_open", "has more than 16 commands; expected fewer; use a command with steps");
    return polls_check(c, report) && ok;
}

aff_status config_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    struct frame_rule frame;
    bool ok = port_check(c, report);

    ok = config_frame(c, report, &frame) && ok;
    if (ok)
        ok = commands_check(c, report);
    return ok ? AFF_OK : AFF_ERR_CONFIG;
}
