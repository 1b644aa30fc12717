/* SPDX-License-Identifier: Apache-2.0
 *
 * port.h - a serial port: found by path or USB id, opened for us alone, set.
 *
 * A setting that the driver does not take is an error that names it, never
 * another setting: each is read back. A byte with a wrong parity bit reads as 0,
 * a break as nothing.
 *
 * Not here: what is read and written. */
#ifndef TTY_PORT_H
#define TTY_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct termios2;

enum port_parity { PARITY_NONE, PARITY_EVEN, PARITY_ODD, PARITY_MARK, PARITY_SPACE };
enum port_flow { FLOW_NONE, FLOW_RTSCTS, FLOW_XONXOFF };
enum port_pin { PIN_LEAVE, PIN_ON, PIN_OFF };

/* All borrowed. Either `path`, or `vendor` and `product` as four hex digits. */
struct port_rule {
    const char *path;
    const char *vendor, *product;
    const char *serial;    /* NULL or "": any */
    int64_t interface;     /* of the USB device; -1: any */
    const char *sysfs;     /* "/sys" */
    int64_t baud, data_bits, stop_bits;
    enum port_parity parity;
    enum port_flow flow;
    enum port_pin dtr, rts;
    bool shared; /* others may open it as well */
};

enum { PORT_WHY = 200, PORT_NODE = 96 };

/* Why a port cannot be used. `refused`: it is there and does not take a setting;
 * `setting` is the option's name. */
struct port_fault {
    bool refused;
    const char *setting; /* static; NULL where it is not about one */
    char why[PORT_WHY];
};

/* Errors of the line since it was opened, as far as the driver counts them. */
struct port_errors {
    uint32_t framing, overrun, parity, breaks, buffer;
};

/* [data] Opens, takes and sets the port: its descriptor, or -1 with *ret_fault. */
int port_open(const struct port_rule *rule, struct port_fault *ret_fault);
/* [control][data] Gives it back; what was written has up to a second to get out. */
void port_close(int fd);
/* [data] What was written and is not on the line yet is forgotten. */
void port_forget(int fd);
/* [data] False: this driver does not count. */
bool port_errors(int fd, struct port_errors *ret);

/* Finds the device node of a USB serial adapter. 0, ENODEV (none), EEXIST (more
 * than one), or another errno. */
int port_find(const struct port_rule *rule, char ret_node[PORT_NODE]);

/* Changes `t`, as read from the port, into what the rule wants; all it does not
 * speak of stays. Pure. */
void line_image(const struct port_rule *rule, struct termios2 *t);
/* The option whose setting differs between what was wanted and what is; NULL:
 * none. A rate within 2 % is the same: UARTs divide a clock by whole numbers, and
 * a receiver bears more. */
const char *line_difference(const struct port_rule *rule, const struct termios2 *is);
/* Sets an open port and reads back. False with *ret_fault. */
bool line_set(int fd, const struct port_rule *rule, struct port_fault *ret_fault);

#endif
