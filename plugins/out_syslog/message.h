/* message.h - a row as a message of syslog: RFC 5424, or the form that the daemons of
 * this machine read.
 *
 * Structured data holds the row's columns, under their names; it is never cut. The text
 * is, at the end, where the whole would be longer than max_bytes.
 *
 * Not here: frames and sockets (way.h). */
#ifndef OUT_SYSLOG_MESSAGE_H
#define OUT_SYSLOG_MESSAGE_H

#include "config.h"

#include "text/fill.h"

enum { DATA_VALUE_MOST = 255, NAME_MOST = 32, HOST_MOST = 255 };

struct form {
    const struct config *config;
    struct fill message;
    char hostname[HOST_MOST + 1];
    int pid;
    bool is_local;
};

/* [control] False: the texts were not validated. */
bool form_open(struct form *f, const struct config *config);

enum message_end { MESSAGE_WHOLE, MESSAGE_CUT, MESSAGE_TOO_LARGE };
/* [data] Writes a message to t, which is emptied; `work` is scratch. t->failed or
 * work->failed: no memory. */
enum message_end message_write(struct text *t, const struct form *f, const struct fill_row *row, struct text *work);

#endif
