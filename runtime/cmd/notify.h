/* notify.h - telling who started us how we are: systemd's protocol, without its library.
 *
 * A message is a datagram of lines NAME=VALUE. It goes to the socket in $NOTIFY_SOCKET
 * (systemd; a path, or abstract with "@"), or to the one that `afferent serve` gives to
 * its pipelines by number. Where neither is set nothing is sent and all calls are cheap.
 *
 * Not here: when it is true (watched.h, serve_loop.c). */
#ifndef AFFERENT_CMD_NOTIFY_H
#define AFFERENT_CMD_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define NOTIFY_FD "AFFERENT_NOTIFY_FD"

struct notify {
    bool is_on;
    bool supervised;     /* by `afferent serve` */
    int64_t watchdog_ns; /* we are ended when we say nothing for so long; 0: never */
    int fd;
    struct sockaddr_un to;
    socklen_t to_size; /* 0: fd is connected */
};

/* [control] From the environment, which is cleared of it: it is not meant for children.
 * Before there are threads. */
void notify_open(struct notify *notify);
void notify_close(struct notify *notify);
/* [control] Sends the lines. False: nobody took them; true also where nobody listens. */
bool notify_send(struct notify *notify, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* STATUS= and the text, made one line. */
bool notify_status(struct notify *notify, const char *text);
/* RELOADING=1 with the time that systemd wants beside it. READY=1 ends it. */
bool notify_reloading(struct notify *notify);

/* Nanoseconds of the clock that stands still while the machine sleeps. */
int64_t notify_now(void);

#endif
