/* smtp.h - one mail to one address, by libcurl.
 *
 * A transfer blocks; its time is bounded, and smtp_end ends it from another thread at
 * once. One transfer an address: what a server says is then said of that address, and
 * nobody gets a mail again because another could not take it.
 *
 * Where TLS is required, nothing but the greeting and EHLO is said before it is there.
 *
 * Not here: when, and what comes next (post.h). */
#ifndef OUT_MAIL_SMTP_H
#define OUT_MAIL_SMTP_H

#include "config.h"

#include "text/text.h"

struct smtp;

/* What became of it. LATER: this address or this mail could not be taken now; AWAY: no
 * mail can be, for `why`; REFUSED: for good. */
enum smtp_end { SMTP_TOLD, SMTP_LATER, SMTP_REFUSED, SMTP_AWAY };
struct smtp_result {
    enum smtp_end end;
    uint16_t code;   /* the server's, 0: none */
    const char *why; /* AWAY: what to look at, a constant */
};

/* [control] NULL: no memory. Config is borrowed. */
struct smtp *smtp_open(const struct config *config);
void smtp_close(struct smtp *s);

/* [one thread] Which network interface what comes goes by; "": as the system routes.
 * False: no memory. */
bool smtp_bind(struct smtp *s, const char *interface);
/* [one thread] `more`: another will follow at once, so the connection is kept. */
struct smtp_result smtp_send(struct smtp *s, const struct text *letter, const char *recipient, bool more);

/* [any] Ends what is under way, and all that would come. */
void smtp_end(struct smtp *s);

#endif
