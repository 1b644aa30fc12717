/* options.c - the options of out_syslog, and what is refused beforehand.
 *
 * Not here: what the options do (message.c, way.c). */
#include "config.h"

#include "net/tls.h"
#include "text/fill.h"

#include <string.h>
#include <strings.h>

static const char *const forms[] = { "auto", "rfc5424", "local", NULL };
static const char *const framings[] = { "octets", "lines", NULL };
/* RFC 5424, table 1, by number; the kernel's is nobody else's. */
static const char *const facilities[] = { "user",   "mail",     "daemon", "auth",   "syslog", "lpr",    "news",   "uucp",
                                          "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock",  "local0",
                                          "local1", "local2",   "local3", "local4", "local5", "local6", "local7", NULL };
/* RFC 5424, table 2, by number. */
static const char *const severities[] = { "emergency", "alert", "critical", "error", "warning", "notice", "info", "debug", NULL };

const struct levels config_levels = { 1, 3, 4, 4, 5, 5 };

#define LEVEL(m, preset, D) AFF_OPT_ENUM(struct levels, m, 0, preset, severities, D)
static const struct aff_option level_options[] = {
    LEVEL(high, "\"alert\"", "The severity of alerts that are high."),
    LEVEL(medium, "\"error\"", "The severity of alerts that are medium."),
    LEVEL(low, "\"warning\"", "The severity of alerts that are low."),
    LEVEL(technical, "\"warning\"", "The severity of technical alerts."),
    LEVEL(ended, "\"notice\"", "The severity of alerts that ended or were acknowledged."),
    LEVEL(other, "\"notice\"", "The severity of rows that are no alerts."),
};

#define S 1e9
const struct aff_option syslog_options[SYSLOG_OPTIONS] = {
    AFF_OPT_TEXT(struct config, url, 0, "\"unix:///dev/log\"",
                 "Where messages go: unix://PATH (this machine's daemon), udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT."),
    AFF_OPT_ENUM(struct config, format, 0, "\"auto\"", forms,
                 "How a message is written: by RFC 5424, or as this machine's daemons read it (local, for unix:// by itself)."),
    AFF_OPT_ENUM(struct config, framing, 0, "\"octets\"", framings,
                 "How a collector at tcp:// or tls:// finds the end of a message: by a count in front of it (RFC 6587, 5425), or "
                 "by lines, for those that know nothing else."),
    AFF_OPT_ENUM(struct config, facility, 0, "\"local0\"", facilities, "The facility of messages."),
    AFF_OPT_TEXT(struct config, app_name, 0, "\"afferent\"", "The name of the program in messages."),
    AFF_OPT_TEXT(struct config, hostname, 0, NULL, "The name of this machine in messages; its own by default."),
    AFF_OPT_TEXT(struct config, msgid, 0, "\"alert\"", "What kind of message it is."),
    AFF_OPT_TEXT(struct config, sd_id, 0, "\"afferent@32473\"",
                 "The name of the structured data: NAME@NUMBER with your own enterprise number; 32473 is for examples."),
    AFF_OPT_TEXT(struct config, message, 0, "\"{severity} {place}: {text} [{rule}] {state} (not for clinical use)\"",
                 "The text of a message; {column}, {time}, {subject}, {stream} and {id} are filled in."),
    AFF_OPT_BOOL(struct config, data, "true", "Whether the row's columns are in the message as structured data (RFC 5424)."),
    AFF_OPT_TABLE(struct config, levels, 0, level_options, sizeof(struct levels), "Which severity of syslog an alert has."),
    AFF_OPT_BYTES(struct config, max_bytes, 0, "\"2KiB\"", BYTES_LEAST, BYTES_MOST,
                  "How long a message may be: its text is cut to that, and where its data alone is longer it is set aside."),
    AFF_OPT_DURATION(struct config, timeout, 0, "\"5s\"", 0.05 * S, 600 * S, "How long connecting, and each step of sending, may take."),
    AFF_OPT_PATH(struct config, ca, AFF_OPT_INPUT, NULL, "Certificates, as PEM, that are trusted instead of the system's."),
    AFF_OPT_PATH(struct config, cert, AFF_OPT_INPUT, NULL, "This client's certificate, as PEM."),
    AFF_OPT_PATH(struct config, key, AFF_OPT_INPUT, NULL, "The key of that certificate, as PEM."),
    AFF_OPT_BOOL(struct config, skip_verification, "false",
                 "Danger: whether any collector is believed, whoever it is; said in the log at each start."),
    AFF_OPT_BOOL(struct config, allow_plain, "false",
                 "Danger: whether udp:// and tcp:// may go to another machine, readable on the way; said in the log at each start."),
};

enum way_kind config_way(const struct config *c)
{
    static const char *const names[] = { "unix://", "udp://", "tcp://", "tls://" };
    uint32_t i;

    for (i = 0; i < WAY_NONE; i++)
        if (strncasecmp(c->url, names[i], strlen(names[i])) == 0)
            break;
    return (enum way_kind)i;
}

static bool problem_say(const struct aff_report *report, const char *option, const char *problem)
{
    if (problem)
        report->problem(report, option, "%s %s", option, problem);
    return !problem;
}

static bool url_check(const struct config *c, const struct aff_report *report)
{
    static const char *const schemes[] = { "udp", "tcp", "tls", NULL };
    static const char wanted[] = "is no place for messages; expected unix:///dev/log, udp://HOST:514, tcp://HOST:601 or "
                                 "tls://HOST:6514; write it so";
    enum way_kind way = config_way(c);
    struct net_address a;

    if (way == WAY_UNIX) /* the room that struct sockaddr_un has */
        return problem_say(report, "url", c->url[7] == '/' && strlen(c->url + 7) < 108 ? NULL : wanted);
    a = net_address_of(c->url, schemes);
    if (!a.is_good || !a.has_port)
        return problem_say(report, "url", wanted);
    if (a.has_user)
        return problem_say(report, "url", "has a user in it; expected a URL without; use cert");
    if (way != WAY_TLS && !a.is_here && !c->allow_plain)
        return problem_say(report, "url", "goes to another machine and is readable on the way; expected tls://; use TLS, or say "
                           "allow_plain = true");
    return true;
}

/* PRINTUSASCII of RFC 5424, section 6. */
static bool is_word(const char *text, size_t most, const char *without)
{
    size_t length = strlen(text);

    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x21 || (unsigned char)*p > 0x7e || strchr(without, *p))
            return false;
    return length > 0 && length <= most;
}

static bool words_check(const struct config *c, const struct aff_report *report)
{
    static const char word[] = "is no word; expected visible ASCII without blanks, and short (RFC 5424); write another";
    const char *at = strchr(c->sd_id, '@');
    struct fill f;

    return problem_say(report, "app_name", is_word(c->app_name, 48, ":[]/") ? NULL : word) &&
           problem_say(report, "hostname", !c->hostname || is_word(c->hostname, 255, "") ? NULL : word) &&
           problem_say(report, "msgid", is_word(c->msgid, 32, "") ? NULL : word) &&
           problem_say(report, "sd_id", at && at > c->sd_id && at[1] && at[1 + strspn(at + 1, "0123456789.")] == '\0' &&
                                                is_word(c->sd_id, 32, "=]\"")
                                            ? NULL
                                            : "is no name of data; expected NAME@NUMBER, such as ward@32473; write it so") &&
           problem_say(report, "message", fill_read(&f, c->message, false));
}

aff_status syslog_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    bool good = url_check(c, report);

    good = words_check(c, report) && good;
    if (c->key && !c->cert)
        good = problem_say(report, "key", "stands without cert; expected both; add cert");
    if (!good)
        return AFF_ERR_CONFIG;
    if (config_way(c) == WAY_TLS && !c->skip_verification)
        report->secure(report);
    if (c->skip_verification)
        report->note(report, "skip_verification", "any collector is believed, and who stands in between can read and change "
                     "what is sent");
    if (c->allow_plain)
        report->note(report, "allow_plain", "what is sent can be read on the way");
    return AFF_OK;
}

aff_status syslog_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    const struct config *c = config;
    struct fill f;

    if (problem_say(report, "message", fill_read(&f, c->message, false)) && fill_check(&f, inputs, "message", report))
        return AFF_OK;
    return AFF_ERR_CONFIG;
}
