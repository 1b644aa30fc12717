/* stream.c - messages over TCP, each with its length before it (RFC 6587, 3.4.1), and
 * over TLS (RFC 5425, 4.3), by libcurl as far as the connection goes.
 *
 * Those that know no lengths get lines (RFC 6587, 3.4.2): a message has no breaks in it.
 *
 * A collector says nothing. Before anything is sent it is seen whether it has closed the
 * connection; and what was sent counts only once the kernel's queue is empty, which is
 * when the other machine has acknowledged all of it.
 *
 * Not here: what goes again after a failure (out_syslog.c). */
#include "way_inside.h"

#include "net/tls.h"

#include <limits.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define CLOSED "the collector closed the connection; messages that were under way go again"

void stream_close(struct way *w)
{
    if (w->easy)
        curl_easy_cleanup(w->easy);
    w->easy = NULL;
}

static int stream_fd(const struct way *w)
{
    curl_socket_t fd = CURL_SOCKET_BAD;

    return curl_easy_getinfo(w->easy, CURLINFO_ACTIVESOCKET, &fd) == CURLE_OK ? (int)fd : -1;
}

static bool stream_set(CURL *e, const struct config *c, const char *interface)
{
    const struct net_trust trust = { c->ca, c->cert, c->key, c->skip_verification != 0 };
    const long wait_ms = (long)(c->timeout / MS);
    char url[512], name[32];

    (void)snprintf(url, sizeof url, "%s%s", config_way(c) == WAY_TLS ? "https" : "http", strstr(c->url, "://"));
    (void)snprintf(name, sizeof name, "if!%s", interface);
    return net_trust_set(e, &trust) && curl_easy_setopt(e, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SSL_ENABLE_ALPN, 0L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK && curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, wait_ms) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, wait_ms) == CURLE_OK &&
           (!*interface || curl_easy_setopt(e, CURLOPT_INTERFACE, name) == CURLE_OK);
}

const char *stream_open(struct way *w, const char *interface)
{
    CURLcode code = CURLE_OUT_OF_MEMORY;
    const char *why;

    w->easy = curl_easy_init();
    if (w->easy && stream_set(w->easy, w->config, interface))
        code = curl_easy_perform(w->easy);
    if (code == CURLE_OK) {
        net_uplink_take(&w->uplink, stream_fd(w));
        return NULL;
    }
    stream_close(w);
    why = net_failed(code);
    return why ? why : "the connection cannot be made";
}

/* What a collector says is nothing; that it has closed is. One that does not stop talking
 * is not listened to for longer. */
static bool is_closed(struct way *w)
{
    char bytes[1024];
    CURLcode code = CURLE_OK;
    size_t n = 1;

    for (int i = 0; i < 16 && code == CURLE_OK && n > 0; i++) {
        n = 0;
        code = curl_easy_recv(w->easy, bytes, sizeof bytes, &n);
    }
    return code == CURLE_OK ? n == 0 : code != CURLE_AGAIN;
}

/* As long as some of it goes, a way is slow and not gone. */
static const char *bytes_send(struct way *w, const char *bytes, size_t size)
{
    int64_t until = way_now() + w->config->timeout;
    size_t sent;

    while (size > 0) {
        CURLcode code = curl_easy_send(w->easy, bytes, size, &sent);

        if (code == CURLE_OK) {
            bytes += sent;
            size -= sent;
            until = way_now() + w->config->timeout;
        } else if (code != CURLE_AGAIN) {
            return CLOSED;
        } else if (!way_wait(stream_fd(w), POLLOUT, until)) {
            return "the collector takes no messages in time; see why it is slow";
        }
    }
    return NULL;
}

const char *stream_send(struct way *w, const char *bytes, size_t size)
{
    bool counts = w->config->framing == FRAMING_OCTETS;
    char count[24];

    if (is_closed(w))
        return CLOSED;
    (void)snprintf(count, sizeof count, "%zu ", size);
    w->frame.size = 0; /* in one piece: each piece is a packet, and a record of TLS */
    text_say(&w->frame, counts ? count : "");
    text_add(&w->frame, bytes, size);
    text_say(&w->frame, counts ? "" : "\n");
    if (!w->frame.failed)
        return bytes_send(w, w->frame.bytes, w->frame.size);
    text_free(&w->frame);
    return "no memory for a message";
}

const char *stream_settle(struct way *w)
{
    int64_t until = way_now() + w->config->timeout, step = MS;
    int fd = stream_fd(w), queued = 0, least = INT_MAX;

    for (;;) {
        if (is_closed(w) || ioctl(fd, SIOCOUTQ, &queued) != 0)
            return CLOSED;
        if (queued == 0)
            return NULL;
        if (queued < least)
            until = way_now() + w->config->timeout;
        least = queued < least ? queued : least;
        if (way_now() >= until)
            return "the collector's machine acknowledges nothing in time; check the link";
        (void)way_wait(fd, POLLRDHUP, way_now() + step); /* an acknowledgement wakes nobody */
        step = step < 16 * MS ? step * 2 : step;
    }
}
