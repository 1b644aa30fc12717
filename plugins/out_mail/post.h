/* post.h - the post office: records are gathered, mails go, each address has its answer.
 *
 * A thread of its own sends, since sending blocks and a lane that waits hears nothing.
 * It makes a mail of all that was gathered once that is batch_records, or batch_time
 * old, and the hour's limit lets one go; so a flood makes mails longer, not more. A
 * record is acknowledged when every address has taken or refused its mail and one has
 * taken it; so at least once, and again after a death.
 *
 * When the thread has news it rouses the lane, which says them (post_tell).
 *
 * An address that cannot take a mail now waits with that mail alone, and is asked after
 * the others. A server that takes none stops all, for a wait that doubles from half a
 * second to a minute; that it does not believe a password is tried twice at once, then
 * each five minutes, so that it does not lock this node out.
 *
 * Not here: one transfer (smtp.h), what a mail looks like (letter.h). */
#ifndef OUT_MAIL_POST_H
#define OUT_MAIL_POST_H

#include "config.h"
#include "letter.h"

/* Rows of the tables of verdicts and metrics. */
enum { VERDICT_REFUSED = 1 };
enum { COUNT_MAILS, COUNT_TOLD, COUNT_ONLY_COUNTED, COUNT_REFUSED, COUNT_LATER, COUNT_FAILED, COUNTS };

struct post;

/* [control] Starts the thread. `config` is borrowed. AFF_ERR_MEMORY, explained: it cannot. */
aff_status post_open(const struct aff_host *host, const struct config *config, struct post **ret);
/* [control] Ends what is under way; safe on what was not opened whole. */
void post_close(struct post *p);

/* [data] Around the items that came together: until the end no mail is made of a part
 * of them. */
void post_begin(struct post *p);
void post_end(struct post *p);
/* [data] Takes an item. AFF_AGAIN: no room; AFF_ERR_IO, explained: the server is away. */
aff_status post_put(struct post *p, const struct item *item);
/* [data] What was gathered goes at once. */
void post_flush(struct post *p);
/* [data] Says what the thread has noted: counts and lines of the log. AFF_ERR_IO,
 * explained: the server is away, and mails wait for it. */
aff_status post_tell(struct post *p);

#endif
