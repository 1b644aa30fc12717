/* options.c - the options of out_mail, and what is refused beforehand.
 *
 * Refused is what would give data or credentials away (no TLS to another machine, a
 * password on a way that can be read), and addresses that could be more than one.
 *
 * A mail server hands a mail on to others, encrypted or not; so this sink never
 * vouches for where its data ends, and what is labelled as identifying cannot go by it.
 *
 * Not here: what the options do (letter.c, smtp.c, post.c). */
#include "config.h"

#include "net/tls.h"
#include "text/fill.h"

#include <string.h>

static const char *const tls_names[] = { "required", "none", NULL };
static const struct aff_option to_item[] = { AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "An address.") };

#define DO AFF_OPT_DURATION
#define S 1e9
const struct aff_option mail_options[MAIL_OPTIONS] = {
    AFF_OPT_TEXT(struct config, url, AFF_OPT_REQUIRED, NULL,
                 "The mail server: smtp://HOST:PORT (TLS by STARTTLS), or smtps://HOST:PORT (TLS from the start)."),
    AFF_OPT_ENUM(struct config, tls, 0, "\"required\"", tls_names,
                 "Whether a server that offers no TLS is refused; \"none\" asks for none, to this machine only."),
    AFF_OPT_BOOL(struct config, skip_verification, "false",
                 "Danger: whether any server is believed, whoever it is; said in the log at each start."),
    AFF_OPT_BOOL(struct config, allow_plain, "false",
                 "Danger: whether tls = \"none\" may go to another machine, readable on the way; said in the log at each start."),
    AFF_OPT_PATH(struct config, ca, AFF_OPT_INPUT, NULL, "Certificates, as PEM, that are trusted instead of the system's."),
    AFF_OPT_TEXT(struct config, hello, 0, NULL, "The name by which this machine greets; its own by default."),
    AFF_OPT_TEXT(struct config, user, 0, NULL, "The user's name, where the server asks for one."),
    AFF_OPT_SECRET(struct config, password, 0, "The user's password."),
    AFF_OPT_TEXT(struct config, sender, AFF_OPT_REQUIRED, NULL, "The address that mails come from, and that errors go back to."),
    AFF_OPT_TEXT(struct config, sender_name, 0, "\"Afferent\"", "The name beside that address."),
    AFF__OPT(struct config, to, AFF_TYPE_LIST, AFF_OPT_REQUIRED, NULL, NULL, AFF__PAIR(1, RECIPIENTS_MOST), NULL, to_item, 1,
             sizeof(const char *), "The addresses that mails go to; each sees the others."),
    AFF_OPT_TEXT(struct config, subject, 0, "\"{severity} {place}: {text} ({state})\"",
                 "The subject of a mail; {column}, {time}, {subject}, {stream} and {id} are filled in."),
    AFF_OPT_TEXT(struct config, body, 0, "\"{time} {severity} {place}: {text} [{rule}] {state}\"",
                 "What a mail says of each record, filled in likewise; it may have several lines."),
    AFF_OPT_INT(struct config, batch_records, 0, "20", 1, LISTED_MOST, "records",
                "How many records a mail lists, and all that are high; it goes once so many are there, and counts the others."),
    DO(struct config, batch_time, 0, "\"2s\"", 0, 3600 * S, "How long the first record of a mail waits for others."),
    AFF_OPT_INT(struct config, mails_per_hour, 0, "60", 1, 3600, "mails",
                "The most mails in any hour: half of them at once (a quarter of these for what is high alone), then one by "
                "one; what comes meanwhile is in the next."),
    DO(struct config, retry_for, 0, "\"4h\"", 0, 168 * 3600 * S,
       "How long an address that cannot take a mail now is tried again, before that counts as refused; not counting the "
       "time in which the server is away."),
    DO(struct config, timeout, 0, "\"1min\"", 0.1 * S, 3600 * S,
       "How long sending to one address may take, and a second for each 1000 bytes; up to four times that, once a whole mail "
       "had no answer."),
    DO(struct config, connect_timeout, 0, "\"10s\"", 0.1 * S, 600 * S, "How long connecting may take."),
};

static bool problem_say(const struct aff_report *report, const char *option, const char *problem)
{
    if (problem)
        report->problem(report, option, "%s %s", option, problem);
    return !problem;
}

/* ---- where to ---- */

static bool url_check(const struct config *c, const struct aff_report *report)
{
    static const char *const schemes[] = { "smtp", "smtps", NULL };
    struct net_address a = net_address_of(c->url, schemes);

    if (!a.is_good)
        return problem_say(report, "url", "is no URL of a mail server; expected smtp://HOST:PORT or smtps://HOST:PORT; write "
                           "scheme and host, and nothing behind the port");
    if (a.has_user)
        return problem_say(report, "url", "has a user in it; expected a URL without; use `user` and `password`");
    if (c->tls != TLS_NONE)
        return true;
    if (strcmp(a.scheme, "smtps") == 0)
        return problem_say(report, "tls", "is \"none\", but smtps is TLS from the start; expected \"required\"; change one");
    if (!a.is_here && !c->allow_plain)
        return problem_say(report, "tls", "is \"none\" to another machine, readable on the way; expected \"required\"; use TLS");
    if (!a.is_here && c->user)
        return problem_say(report, "user", "and password would be readable on the way; expected TLS; take tls = \"none\" away");
    return true;
}

static bool is_visible(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f)
            return false;
    return true;
}

static bool who_check(const struct config *c, const struct aff_report *report)
{
    if (c->password && !c->user)
        return problem_say(report, "password", "stands without user; expected both; add user");
    if (c->user && !c->password)
        return problem_say(report, "user", "stands without password; expected both; add password = \"${file:PATH}\"");
    if (c->user && (strpbrk(c->user, "\r\n") || strpbrk(c->password, "\r\n")))
        return problem_say(report, "user", "or password has more than one line; expected one line; check the file it comes from");
    if (c->hello && (!*c->hello || strlen(c->hello) > 255 || !is_visible(c->hello) || strpbrk(c->hello, "/?#%@")))
        return problem_say(report, "hello", "is no name of a machine; expected such as \"node7.example.org\"; write it so");
    return true;
}

/* ---- addresses ---- */

/* A mailbox of ASCII without quotes and comments (RFC 5321, 4.1.2): dots and atoms. */
static bool is_address(const char *a)
{
    static const char specials[] = "()<>[]:;,\\\"";
    const char *at = strchr(a, '@');
    size_t length = strlen(a);

    if (!at || at == a || at - a > 64 || !at[1] || strchr(at + 1, '@') || length > ADDRESS_MOST)
        return false;
    if (!is_visible(a) || strpbrk(a, specials) || *a == '-')
        return false;
    return *a != '.' && at[-1] != '.' && at[1] != '.' && a[length - 1] != '.' && !strstr(a, "..");
}

static bool addresses_check(const struct config *c, const struct aff_report *report)
{
    static const char wanted[] = "is no address; expected such as ward3@example.org, in ASCII, without a name or quotes";

    if (!is_address(c->sender))
        return problem_say(report, "sender", wanted);
    if (!text_is_utf8(c->sender_name, strlen(c->sender_name)) || strpbrk(c->sender_name, "\r\n") ||
        strlen(c->sender_name) > 200)
        return problem_say(report, "sender_name", "is no short line of text; expected one, up to 200 bytes; shorten it");
    for (uint32_t i = 0; i < c->to.count; i++)
        if (!is_address(config_recipient(c, i))) {
            report->problem(report, "to", "to[%u] %s", (unsigned)i, wanted);
            return false;
        }
    return true;
}

static bool texts_read(const struct config *c, struct fill *subject, struct fill *body, const struct aff_report *report)
{
    return problem_say(report, "subject", fill_read(subject, c->subject, false)) &&
           problem_say(report, "body", fill_read(body, c->body, true));
}

aff_status mail_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    struct fill subject, body;
    bool good = url_check(c, report);

    good = who_check(c, report) && good;
    good = addresses_check(c, report) && good;
    good = texts_read(c, &subject, &body, report) && good;
    if (!good)
        return AFF_ERR_CONFIG;
    if (c->skip_verification)
        report->note(report, "skip_verification", "any server is believed, and who stands in between can read and change "
                     "what is sent");
    if (c->allow_plain)
        report->note(report, "allow_plain", "what is sent can be read on the way");
    return AFF_OK;
}

aff_status mail_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    const struct config *c = config;
    struct fill subject, body;

    if (texts_read(c, &subject, &body, report) && fill_check(&subject, inputs, "subject", report) &&
        fill_check(&body, inputs, "body", report))
        return AFF_OK;
    return AFF_ERR_CONFIG;
}
