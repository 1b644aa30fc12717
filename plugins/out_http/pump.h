/* pump.h - from records to requests, and from answers to acknowledgements.
 *
 * The lane puts elements in; a thread of the pump's own sends them by libcurl's multi
 * interface and tells the host what became of each record, as answers come, in any
 * order. The lane never waits for the net but for a free request, and not long.
 *
 * A thread, and not the lane with host->watch: while a lane waits for the answers of
 * its sink (its window is full, the run ends, it was told AGAIN) it looks at no
 * descriptor, so that what it waits for would never come.
 *
 * Not here: elements (record.h), bodies (frame.h), what answers mean (answer.h). */
#ifndef OUT_HTTP_PUMP_H
#define OUT_HTTP_PUMP_H

#include "config.h"
#include "text/text.h"

/* Rows of the metrics' table. */
enum { COUNT_REQUESTS, COUNT_FAILED, COUNT_ACCEPTED, COUNT_REFUSED, COUNT_SPLIT, COUNT_BYTES, COUNTS };

struct pump;

/* [control] Begins its thread. Close ends it; what is unanswered stays so. */
aff_status pump_open(const struct aff_host *host, const struct config *config, struct pump **ret);
void pump_close(struct pump *p);

/* [data] Takes a record's element (copied). AFF_AGAIN: all requests are under way.
 * AFF_ERR_IO: the server is away, the cause is recorded. AFF_ERR_MEMORY. */
aff_status pump_put(struct pump *p, const struct text *element, struct aff_id id, bool is_resent);
/* [data] What waits for more records is sent now. */
void pump_flush(struct pump *p);
/* [data] Counts and log lines of the thread go to the host. */
void pump_tell(struct pump *p);
/* [control] Can be read when there is something to tell. */
int pump_bell(const struct pump *p);

#endif
