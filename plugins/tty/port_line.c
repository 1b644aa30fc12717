/* SPDX-License-Identifier: Apache-2.0
 *
 * port_line.c - the settings of a line, by the kernel's own termios2.
 *
 * The C library's termios knows only a list of rates; BOTHER takes any. The two
 * cannot be included together, so nothing else is done in this file. */
#include "port.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

/* Bits of the modem lines, from asm-generic/termios.h, which cannot be included
 * beside sys/ioctl.h. */
#ifndef TIOCM_DTR
#define TIOCM_DTR 0x002
#define TIOCM_RTS 0x004
#endif

enum { RATE_TOLERANCE = 50 }; /* a fiftieth */

#define INPUT_OFF (BRKINT | PARMRK | IGNPAR | INPCK | ISTRIP | INLCR | IGNCR | ICRNL | IUCLC | IXON | IXANY | IXOFF)
#define LOCAL_OFF (ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHONL | IEXTEN)

static tcflag_t bits_flag(int64_t bits)
{
    static const tcflag_t flags[] = { CS5, CS6, CS7, CS8 };

    return flags[bits - 5];
}

static tcflag_t parity_flags(enum port_parity parity)
{
    static const tcflag_t flags[] = {
        [PARITY_NONE] = 0,
        [PARITY_EVEN] = PARENB,
        [PARITY_ODD] = PARENB | PARODD,
        [PARITY_MARK] = PARENB | CMSPAR | PARODD,
        [PARITY_SPACE] = PARENB | CMSPAR,
    };

    return flags[parity];
}

void line_image(const struct port_rule *rule, struct termios2 *t)
{
    t->c_iflag = (t->c_iflag & ~(tcflag_t)INPUT_OFF) | IGNBRK;
    if (rule->parity != PARITY_NONE)
        t->c_iflag |= INPCK;
    if (rule->flow == FLOW_XONXOFF)
        t->c_iflag |= IXON | IXOFF;
    t->c_oflag &= ~(tcflag_t)OPOST;
    t->c_lflag &= ~(tcflag_t)LOCAL_OFF;
    t->c_cflag &= ~(tcflag_t)(CBAUD | CIBAUD | CSIZE | PARENB | PARODD | CMSPAR | CSTOPB | CRTSCTS);
    t->c_cflag |= BOTHER | CREAD | CLOCAL | HUPCL | bits_flag(rule->data_bits) | parity_flags(rule->parity);
    t->c_cflag |= (BOTHER << IBSHIFT);
    if (rule->stop_bits == 2)
        t->c_cflag |= CSTOPB;
    if (rule->flow == FLOW_RTSCTS)
        t->c_cflag |= CRTSCTS;
    /* A read takes what is there: nothing is EAGAIN, so that 0 bytes mean a
     * line that is gone. */
    t->c_cc[VMIN] = 1;
    t->c_cc[VTIME] = 0;
    t->c_ispeed = t->c_ospeed = (speed_t)rule->baud;
}

static bool is_rate(int64_t wanted, int64_t is)
{
    int64_t off = is > wanted ? is - wanted : wanted - is;

    return off * RATE_TOLERANCE <= wanted;
}

const char *line_difference(const struct port_rule *rule, const struct termios2 *is)
{
    const tcflag_t parity = PARENB | PARODD | CMSPAR;
    struct termios2 want = *is;
    tcflag_t other;

    line_image(rule, &want);
    other = want.c_cflag ^ is->c_cflag;
    if (!is_rate(rule->baud, is->c_ospeed) || !is_rate(rule->baud, is->c_ispeed))
        return "baud";
    if (other & CSIZE)
        return "data_bits";
    /* Which parity does not matter where there is none. */
    if ((other & PARENB) || ((want.c_cflag & PARENB) && (other & parity)))
        return "parity";
    if (other & CSTOPB)
        return "stop_bits";
    if ((other & CRTSCTS) || ((want.c_iflag ^ is->c_iflag) & (IXON | IXOFF)))
        return "flow";
    if (want.c_iflag != is->c_iflag || want.c_oflag != is->c_oflag || want.c_lflag != is->c_lflag ||
        (other & (CREAD | CLOCAL)) || want.c_cc[VMIN] != is->c_cc[VMIN])
        return "path";
    return NULL;
}

static bool refuse(struct port_fault *fault, const char *setting, const char *what)
{
    fault->refused = true;
    fault->setting = setting;
    (void)snprintf(fault->why, sizeof fault->why, "%s", what);
    return false;
}

static bool fail(struct port_fault *fault, const char *what)
{
    (void)snprintf(fault->why, sizeof fault->why, "%s: %s", what, strerrordesc_np(errno));
    return false;
}

static bool pin_set(int fd, int pin, enum port_pin wanted)
{
    int lines = 0;

    if (wanted == PIN_LEAVE)
        return true;
    if (ioctl(fd, wanted == PIN_ON ? TIOCMBIS : TIOCMBIC, &pin) < 0 || ioctl(fd, TIOCMGET, &lines) < 0)
        return false;
    return ((lines & pin) != 0) == (wanted == PIN_ON);
}

/* What needs modem lines is refused where there are none: a driver takes the flag
 * all the same. */
static bool pins_set(int fd, const struct port_rule *rule, struct port_fault *fault)
{
    int lines;

    if (rule->flow == FLOW_RTSCTS && ioctl(fd, TIOCMGET, &lines) < 0)
        return refuse(fault, "flow", "the device has no modem lines, which rtscts needs");
    if (!pin_set(fd, TIOCM_DTR, rule->dtr))
        return refuse(fault, "dtr", "the device does not set this modem line");
    if (!pin_set(fd, TIOCM_RTS, rule->rts))
        return refuse(fault, "rts", "the device does not set this modem line");
    return true;
}

bool line_set(int fd, const struct port_rule *rule, struct port_fault *ret_fault)
{
    const char *setting;
    struct termios2 t;

    if (ioctl(fd, TCGETS2, &t) < 0)
        return refuse(ret_fault, "path", "is no serial device");
    line_image(rule, &t);
    if (ioctl(fd, TCSETS2, &t) < 0) {
        if (errno == EINVAL)
            return refuse(ret_fault, "baud", "the device refuses these settings as a whole");
        return fail(ret_fault, "the line cannot be set");
    }
    if (ioctl(fd, TCGETS2, &t) < 0)
        return fail(ret_fault, "the settings of the line cannot be read back");
    setting = line_difference(rule, &t);
    if (setting)
        return refuse(ret_fault, setting, "the device does not take this setting: read back it is another one");
    return pins_set(fd, rule, ret_fault);
}
