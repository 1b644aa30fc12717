/* smtp.h - one mail to one address, by libcurl.
 *
 * A transfer blocks; its time is bounded, and smtp_end ends it from another thread at
 * once. One transfer an address: what a server says is then said of that address, and
 * nobody gets a mail again because another could not take it.
 *
 * Where TLS is required, nothing but the greeting and EHLO is said before it is there.
 *
 * Once the address was named, whatever goes wrong is said of it alone: a server that hangs
 * up or falls silent over one address may take mails for the others.
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
    bool is_unsure;  /* all of it was given, and no answer came: it may have been taken */
    bool is_denied;  /* the server does not take user and password */
    const char *why; /* AWAY: what to look at, a constant */
};

/* [control] NULL: no memory. Both are borrowed. */
struct smtp *smtp_open(const struct aff_host *host, const struct config *config);
void smtp_close(struct smtp *s);

/* [one thread] By which link what comes goes, as host->uplink said; when that says another,
 * what is under way is given up. False: no memory. */
bool smtp_bind(struct smtp *s, aff_status status, const struct aff_uplink *link);
/* A mail to one address. */
struct smtp_job {
    const struct text *letter;
    const char *recipient;
    int64_t timeout; /* ns, for all of it */
    bool more;       /* another will follow at once, so the connection is kept */
};
/* [one thread] */
struct smtp_result smtp_send(struct smtp *s, const struct smtp_job *job);
/* [one thread] The bytes that connections which have ended since carried. */
void smtp_spent(struct smtp *s, uint64_t *ret_sent, uint64_t *ret_received);

/* [any] Ends what is under way, and all that would come. */
void smtp_end(struct smtp *s);

#endif
