/* way_inside.h - the two kinds of ways behind way.h: datagrams and streams.
 *
 * NULL, or what went wrong, as there. `interface`: by which to go, "": any. */
#ifndef OUT_SYSLOG_WAY_INSIDE_H
#define OUT_SYSLOG_WAY_INSIDE_H

#include "way.h"

#define MS INT64_C(1000000)
/* A slow modem carries that within seconds. */
enum { SETTLE_BYTES = 8192 };

/* Monotonic, ns: sockets wait in real time. */
int64_t way_now(void);
/* Waits for these events of poll(2), at most until then. False: in vain. */
bool way_wait(int fd, short events, int64_t until_ns);

const char *datagram_open(struct way *w, const char *interface);
const char *datagram_send(struct way *w, const char *bytes, size_t size);
/* An error that came back for what was sent. */
const char *datagram_settle(struct way *w);
void datagram_close(struct way *w);

const char *stream_open(struct way *w, const char *interface);
const char *stream_send(struct way *w, const char *bytes, size_t size);
const char *stream_settle(struct way *w);
void stream_close(struct way *w);

#endif
