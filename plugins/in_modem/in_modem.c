/* SPDX-License-Identifier: Apache-2.0
 *
 * in_modem.c - source and device: a cellular modem behind AT commands.
 *
 * Gives the messages that it gets, what happens to it, its signal and position, and
 * takes commands: messages to send, alerts to send as messages, USSD, the data
 * session. A message is deleted in the modem only when it is safe here. Here: tables
 * and rules; work: modem.h. Not here: voice calls, which are only told of. */
#include "modem.h"

#include <stddef.h>
#include <string.h>

static const char *const backends[] = { "at", "modemmanager", NULL };
static const char *const flows[] = { "none", "rtscts", "xonxoff", NULL };
static const char *const positions[] = { "none", "cgnsinf", "cgpsinfo", NULL };
const char *const alert_state_names[ALERT_STATES + 1] = { "raised", "repeated", "ended", "acknowledged", NULL };

static const struct aff_option number_item[] = { AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "A number such as \"+391234567\".") };
static const struct aff_option state_item[] = {
    { "", "A state of alerts.", NULL, NULL, AFF_TYPE_ENUM, 0, 0, 1.0, -1.0, alert_state_names, NULL, 0, 0 },
};
static const struct aff_option ppp_item[] = { AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "The program, then its arguments.") };

static const struct aff_option usb_options[] = {
    AFF_OPT_TEXT(struct usb_config, vendor, AFF_OPT_REQUIRED, NULL, "Vendor of the USB device, four hex digits."),
    AFF_OPT_TEXT(struct usb_config, product, AFF_OPT_REQUIRED, NULL, "Product of the USB device, four hex digits."),
    AFF_OPT_TEXT(struct usb_config, serial, 0, "\"\"", "Serial number of the USB device; empty: any."),
    AFF_OPT_INT(struct usb_config, interface, 0, "-1", -1, 255, NULL,
                "Interface of the USB device, since a modem has several ports; -1: any."),
};

#define SECONDS(n) ((n) * 1e9)
#define DAY_S 86400.0
#define LIST_OF(m, preset, lo, hi, item, type, D) \
    AFF__OPT(struct config, m, AFF_TYPE_LIST, 0, preset, NULL, AFF__PAIR(lo, hi), NULL, item, 1, sizeof(type), D)

static const struct aff_option options[] = {
    AFF_OPT_ENUM(struct config, backend, 0, "\"at\"", backends,
                 "Who drives the modem: \"at\", this node by AT commands; \"modemmanager\", the daemon of that name."),
    AFF_OPT_PATH(struct config, path, 0, NULL, "Port that takes AT commands, for example \"/dev/ttyUSB2\"."),
    AFF_OPT_TABLE(struct config, usb, 0, usb_options, sizeof(struct usb_config), "The port by its USB device, instead of `path`."),
    AFF_OPT_PATH(struct config, sysfs, 0, "\"/sys\"", "Where sysfs is, for `usb` and `interface`."),
    AFF_OPT_INT(struct config, baud, 0, "115200", 50, 4000000, "Bd", "Line speed; of no effect at most USB modems."),
    AFF_OPT_ENUM(struct config, flow, 0, "\"none\"", flows, "Flow control of the line."),
    AFF_OPT_TEXT(struct config, subject, 0, "\"modem\"", "Name of the modem in records."),
    AFF_OPT_SECRET(struct config, pin, 0, "PIN of the SIM; tried once, so that a wrong one cannot lock the SIM."),
    AFF_OPT_DURATION(struct config, every, 0, "\"30s\"", 0, SECONDS(DAY_S), "How often a row of status is made; 0s: never."),
    AFF_OPT_ENUM(struct config, position, 0, "\"none\"", positions,
                 "How the modem is asked for its position: AT+CGNSINF or AT+CGPSINFO (SIMCom)."),
    AFF_OPT_TEXT(struct config, store, 0, "\"\"", "Store of messages, such as \"SM\" or \"ME\"; empty: the modem's own choice."),
    AFF_OPT_DURATION(struct config, parts_within, 0, "\"15min\"", SECONDS(1), SECONDS(7 * DAY_S),
                     "How long a long message waits for its missing parts; then what is there is handed on."),
    AFF_OPT_INT(struct config, parts_kept, 0, "64", 4, PARTS_MOST, "parts",
                "How many parts of messages wait at most; then the message that waits longest is handed on."),
    LIST_OF(alert_to, "[]", 0, NUMBERS_MOST, number_item, const char *, "Numbers that alerts are sent to."),
    LIST_OF(alert_state, "[\"raised\", \"repeated\", \"ended\"]", 1, ALERT_STATES, state_item, int32_t,
            "States of alerts that are sent; what has none of ours is sent always."),
    AFF_OPT_BOOL(struct config, reports, "true", "Whether a report is asked for of each message sent."),
    AFF_OPT_DURATION(struct config, validity, 0, "\"24h\"", 0, SECONDS(441 * DAY_S),
                     "How long the network keeps trying to deliver; 0s: as long as it likes."),
    AFF_OPT_INT(struct config, max_parts, 0, "6", 1, PARTS_SENT_MOST, "parts", "Longest text that is sent; a longer one is cut."),
    AFF_OPT_INT(struct config, retries, 0, "4", 0, 20, NULL, "How often a command that failed is tried again."),
    AFF_OPT_DURATION(struct config, expire, 0, "\"1h\"", SECONDS(1), SECONDS(30 * DAY_S),
                     "How long a command may wait for the modem or the network before it is given up."),
    AFF_OPT_BOOL(struct config, allow_raw, "false", "Whether rows with command = \"at\" may send any AT command."),
    AFF_OPT_TEXT(struct config, apn, 0, NULL, "Access point of the data session; none: no session."),
    AFF_OPT_ENUM(struct config, pdp, 0, "\"IPV4V6\"", pdp_names, "Kind of the data session."),
    AFF_OPT_INT(struct config, cid, 0, "1", 1, 15, NULL, "Context of the data session."),
    AFF_OPT_TEXT(struct config, user, 0, NULL, "User name of the access point, where it wants one."),
    AFF_OPT_SECRET(struct config, password, 0, "Password of the access point."),
    AFF_OPT_BOOL(struct config, when_roaming, "true", "Whether there is a data session while roaming, too."),
    LIST_OF(ppp, "[]", 0, PPP_ARGS_MOST, ppp_item, const char *,
            "Program that runs ppp over the port, with its arguments, without a shell; none: the modem is an interface itself."),
    AFF_OPT_TEXT(struct config, interface, 0, NULL, "Network interface whose bytes are counted, such as \"wwan0\"."),
    AFF_OPT_BOOL(struct config, metered, "true", "Whether what is sent over the data session costs."),
};

static const struct aff_port inputs[] = {
    { .name = "commands",
      .doc = "Rows with command: \"sms\" (to, text), \"ussd\" (text), \"reset\", \"connect\", \"disconnect\", \"at\" (text); "
             "or alerts: severity, rule, place, text. An `id` comes back in the result.",
      .types = AFF_MASK(AFF_FIELDS), .flags = AFF_PORT_COMMANDS | AFF_PORT_OPTIONAL },
};

#define OUTPUT_OF(port, n, prio, D) \
    [port] = { .name = (n), .doc = (D), .schema = &modem_schemas[port], .types = AFF_MASK(AFF_FIELDS), .priority = (prio) }
static const struct aff_port outputs[] = {
    OUTPUT_OF(PORT_DATA, "data", AFF_PRIO_VITALS, "Messages that came: from, text, time; data in hex where it is no text."),
    OUTPUT_OF(PORT_RESULTS, "results", AFF_PRIO_VITALS,
              "What became of commands; for messages a row a number: sent or failed, then delivered or failed by report."),
    OUTPUT_OF(PORT_EVENTS, "events", AFF_PRIO_VITALS,
              "What happens: line, SIM, registration, link, network time, calls, USSD, reports, a full store."),
    OUTPUT_OF(PORT_STATUS, "status", AFF_PRIO_BULK, "Network, signal, SIM, store and link, every `every`."),
    OUTPUT_OF(PORT_POSITION, "position", AFF_PRIO_VITALS, "Where the modem is, every `every`."),
};

static const struct aff_verdict verdicts[] = {
    [VERDICT_QUEUED - 1] = { "queued", "The command waits for its turn, or is under way.", AFF_V_HOLD, 0, 0 },
    [VERDICT_DONE - 1] = { "done", "The command was carried out.", AFF_V_USED, 0, 0 },
    [VERDICT_SENT - 1] = { "sent", "The network has taken the message for at least one of its numbers.", AFF_V_USED, 0, 0 },
    [VERDICT_FAILED - 1] = { "failed", "The modem or the network refused it, or never answered.", AFF_V_DEAD, 0, 0 },
    [VERDICT_EXPIRED - 1] = { "expired", "It waited for longer than `expire`.", AFF_V_DEAD, 0, 0 },
    [VERDICT_BAD_COMMAND - 1] = { "bad_command", "It is no command of this node, or its values cannot be sent.", AFF_V_DEAD, 0, 0 },
    [VERDICT_TOO_MANY - 1] = { "too_many", "Too many commands waited already.", AFF_V_DEAD, 0, 0 },
    [VERDICT_FILTERED - 1] = { "filtered", "An alert in a state that is not sent.", AFF_V_DROP, 0, 0 },
    [VERDICT_NOBODY - 1] = { "nobody", "An alert, and alert_to names no number.", AFF_V_DEAD, 0, 0 },
    [VERDICT_BAD_MESSAGE - 1] = { "bad_message", "A message in the modem that cannot be read.", AFF_V_DEAD, 0, 0 },
};

static const struct aff_metric metrics[METRICS] = {
    [METRIC_RECEIVED] = { "received", "Messages that were handed on.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_INCOMPLETE] = { "incomplete", "Of these, long ones with parts missing.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_TWICE] = { "twice", "Messages that the network sent twice.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_BAD] = { "bad_messages", "Messages that cannot be read.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_SENT] = { "sent", "Messages that the network has taken.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_PARTS] = { "parts_sent", "Parts of messages that the network has taken.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_RETRIES] = { "retries", "Parts that were tried again.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_DELIVERED] = { "delivered", "Messages that a report says arrived.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_UNDELIVERED] = { "undelivered", "Messages that a report says did not, or perhaps.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_CODES] = { "codes", "Unsolicited result codes.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_STRAYS] = { "stray_lines", "Lines that belong to nothing.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_TIMEOUTS] = { "timeouts", "Commands that the modem did not answer in time.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_RESETS] = { "resets", "Times that the modem began anew by itself.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_LOST] = { "lost", "Times that the line was lost.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_QUEUED] = { "queued", "Commands that wait or are under way.", NULL, AFF_METRIC_GAUGE, 0 },
    [METRIC_EVENTS_LOST] = { "events_lost", "Events and results that made room for newer ones.", NULL, AFF_METRIC_COUNTER, 0 },
};

/* ---- rules ---- */

static bool problem(const struct aff_report *report, const char *option, const char *sentence)
{
    report->problem(report, option, "%s", sentence);
    return false;
}

static bool is_hex4(const char *text)
{
    return strlen(text) == 4 && strspn(text, "0123456789abcdefABCDEF") == 4;
}

static bool managed_check(const struct config *c, const struct aff_report *report)
{
#ifndef HAVE_MM_GLIB
    return problem(report, "backend", "is \"modemmanager\", which this build does not have; expected \"at\"; or install "
                                      "libmm-glib-dev and configure again");
#endif
    if (!c->usb && c->ppp.count == 0 && !c->allow_raw)
        return true;
    return problem(report, "backend", "is \"modemmanager\", and `usb`, `ppp` or `allow_raw` is set, which are of \"at\"; expected "
                                      "`path` alone, or none for the first modem; take them out");
}

static bool port_check(const struct config *c, const struct aff_report *report)
{
    if (!c->path == !c->usb)
        return problem(report, "path", "is to be set, or `usb`, and not both; expected the port that takes AT commands; write one "
                                       "of them");
    if (c->usb && (!is_hex4(c->usb->vendor) || !is_hex4(c->usb->product)))
        return problem(report, "usb", "has a vendor or product that is not four hex digits; expected what lsusb shows, such as "
                                      "\"2c7c\" and \"0125\"; write those");
    return true;
}

/* What goes into a command between quotes. */
static bool is_word(const char *text, size_t most, const char *beside)
{
    size_t i, size = strlen(text);

    for (i = 0; i < size; i++)
        if (!(text[i] >= '0' && text[i] <= '9') && !((text[i] | 32) >= 'a' && (text[i] | 32) <= 'z') && !strchr(beside, text[i]))
            return false;
    return size <= most;
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if (*text < 0x21 || *text > 0x7e || *text == '"')
            return false;
    return true;
}

static bool words_check(const struct config *c, const struct aff_report *report)
{
    bool ok = true;

    if (!*c->subject)
        ok = problem(report, "subject", "is empty; expected a name; remove it to take \"modem\"");
    if (c->pin && (strlen(c->pin) < 4 || strlen(c->pin) > 8 || strspn(c->pin, "0123456789") != strlen(c->pin)))
        ok = problem(report, "pin", "is not four to eight digits; expected the PIN of the SIM; check where it comes from");
    if (!is_word(c->store, 4, "_"))
        ok = problem(report, "store", "is no store of messages; expected \"SM\", \"ME\", \"MT\" or \"\"; write one");
    if (c->apn && (!*c->apn || !is_word(c->apn, 100, ".-_")))
        ok = problem(report, "apn", "is no access point; expected letters, digits, dots and dashes; write what the operator names");
    if ((c->user && !is_printable(c->user)) || (c->password && !is_printable(c->password)))
        ok = problem(report, "user", "or password has a character that cannot be sent; expected printable ones without quotes; ask "
                                     "the operator for others");
    if (c->password && !c->user)
        ok = problem(report, "password", "is set without `user`; expected both; add the user");
    if (c->interface && (!*c->interface || !is_word(c->interface, 15, ".-_")))
        ok = problem(report, "interface", "is no network interface; expected a name such as \"wwan0\"; write it");
    return ok;
}

static bool lists_check(const struct config *c, const struct aff_report *report)
{
    const char *const *numbers = c->alert_to.items, *const *args = c->ppp.items;
    uint32_t i;

    for (i = 0; i < c->alert_to.count; i++)
        if (!sms_number_ok(numbers[i])) {
            report->problem(report, "alert_to", "alert_to[%u] is no number; expected up to 20 digits with an optional + in front; "
                            "write it without blanks", (unsigned)i);
            return false;
        }
    if (c->ppp.count > 0 && args[0][0] != '/')
        return problem(report, "ppp", "does not begin with a whole path; expected one such as \"/usr/sbin/pppd\"; write it");
    if (c->ppp.count > 0 && !c->apn)
        return problem(report, "ppp", "is for a data session, which needs `apn`; expected both; add it");
    return true;
}

aff_status config_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    bool ok = c->backend == BACKEND_MODEMMANAGER ? managed_check(c, report) : port_check(c, report);

    ok = words_check(c, report) && ok;
    ok = lists_check(c, report) && ok;
    return ok ? AFF_OK : AFF_ERR_CONFIG;
}

AFF_PLUGIN_NOTE(AFF_SOURCE, "in_modem", "0.1.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SOURCE,
    .name = "in_modem",
    .version = "0.1.0",
    .summary = "A cellular modem: messages, alerts by SMS, data session, signal and position, by AT commands.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = config_validate,
    .shape = config_shape,
    .open = modem_open,
    .close = modem_close,
    .read = modem_read,
    .process = orders_process,
    .committed = modem_committed,
    .snapshot = modem_snapshot,
    .restore = modem_restore,
};
