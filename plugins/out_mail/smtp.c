/* smtp.c - see smtp.h. */
#include "smtp.h"

#include "net/tls.h"
#include "net/wire.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The answer to QUIT is worth nothing any more. */
enum { QUIT_SECONDS = 1 };

struct smtp {
    const struct aff_host *host;
    aff_status link_status;
    uint32_t link_revision;
    CURL *easy;
    char *url;
    bool is_tls, has_lock;
    const struct text *letter;
    size_t at;      /* bytes of it that were given out */
    bool is_named;  /* the server was told the address */
    bool is_begun;  /* the server asked for the mail */
    uint64_t sent, received; /* by connections that have ended, not yet told */
    atomic_bool ends;
    pthread_mutex_t lock; /* of `fd` */
    curl_socket_t fd;
};

/* ---- what libcurl calls ---- */

static size_t letter_give(char *to, size_t one, size_t most, void *self)
{
    struct smtp *s = self;
    size_t left = s->letter->size - s->at, n = left < one * most ? left : one * most;

    s->is_begun = true;
    if (n > 0)
        memcpy(to, s->letter->bytes + s->at, n);
    s->at += n;
    return n;
}

static size_t answer_drop(char *bytes, size_t one, size_t size, void *self)
{
    (void)bytes;
    (void)self;
    return one * size;
}

/* Of what goes out only two commands are looked for. */
static int command_see(CURL *easy, curl_infotype kind, char *bytes, size_t size, void *self)
{
    struct smtp *s = self;

    if (kind != CURLINFO_HEADER_OUT)
        return 0;
    if (size > 8 && memcmp(bytes, "RCPT TO:", 8) == 0)
        s->is_named = true;
    else if (size == 6 && memcmp(bytes, "QUIT\r\n", 6) == 0)
        (void)curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)QUIT_SECONDS);
    return 0;
}

static bool link_is_other(const struct smtp *s)
{
    struct aff_uplink now = { .struct_size = sizeof now };
    aff_status st = s->host->uplink(s->host, &now);

    return st != s->link_status || (st == AFF_OK && now.revision != s->link_revision);
}

static int looks(void *self, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct smtp *s = self;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return atomic_load(&s->ends) || link_is_other(s);
}

/* The socket is known here, so that smtp_end can end whatever waits on it: libcurl
 * waits for the answer to QUIT without asking anybody. */
static curl_socket_t socket_open(void *self, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct smtp *s = self;
    curl_socket_t fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)purpose;
    pthread_mutex_lock(&s->lock);
    s->fd = fd;
    pthread_mutex_unlock(&s->lock);
    return fd;
}

static int socket_close(void *self, curl_socket_t fd)
{
    struct smtp *s = self;
    uint64_t sent = 0, received = 0;
    int rc;

    if (net_wire_count(fd, &sent, &received)) {
        s->sent += sent;
        s->received += received;
    }
    pthread_mutex_lock(&s->lock);
    if (s->fd == fd)
        s->fd = CURL_SOCKET_BAD;
    rc = close(fd);
    pthread_mutex_unlock(&s->lock);
    return rc;
}

void smtp_end(struct smtp *s)
{
    atomic_store(&s->ends, true);
    pthread_mutex_lock(&s->lock);
    if (s->fd != CURL_SOCKET_BAD)
        (void)shutdown(s->fd, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
}

/* ---- set-up ---- */

/* The name to greet with is the path of the URL. */
static char *url_make(const struct config *c)
{
    char *url = NULL, path[260];
    CURLU *u = curl_url();
    bool good = u && curl_url_set(u, CURLUPART_URL, c->url, 0) == CURLUE_OK;

    (void)snprintf(path, sizeof path, "/%s", c->hello ? c->hello : "");
    if (good && c->hello)
        good = curl_url_set(u, CURLUPART_PATH, path, 0) == CURLUE_OK;
    if (good && curl_url_get(u, CURLUPART_URL, &url, 0) != CURLUE_OK)
        url = NULL;
    curl_url_cleanup(u);
    return url;
}

static bool way_set(struct smtp *s, const struct config *c)
{
    CURL *e = s->easy;
    const struct net_trust trust = { c->ca, NULL, NULL, c->skip_verification != 0 };
    const long tls = c->tls == TLS_REQUIRED ? CURLUSESSL_ALL : CURLUSESSL_NONE;

    return net_trust_set(e, &trust) && curl_easy_setopt(e, CURLOPT_URL, s->url) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_USE_SSL, tls) == CURLE_OK && curl_easy_setopt(e, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(c->connect_timeout / 1000000)) == CURLE_OK &&
           (!c->user || (curl_easy_setopt(e, CURLOPT_USERNAME, c->user) == CURLE_OK &&
                         curl_easy_setopt(e, CURLOPT_PASSWORD, c->password) == CURLE_OK)) &&
           curl_easy_setopt(e, CURLOPT_MAIL_FROM, c->sender) == CURLE_OK;
}

static bool calls_set(struct smtp *s)
{
    CURL *e = s->easy;

    return curl_easy_setopt(e, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_READFUNCTION, letter_give) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_READDATA, s) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, answer_drop) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_VERBOSE, 1L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, command_see) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_DEBUGDATA, s) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, looks) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_XFERINFODATA, s) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, socket_open) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, s) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION, socket_close) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, s) == CURLE_OK;
}

struct smtp *smtp_open(const struct aff_host *host, const struct config *config)
{
    struct smtp *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->host = host;
    s->link_status = AFF_END;
    s->fd = CURL_SOCKET_BAD;
    s->is_tls = config->tls == TLS_REQUIRED;
    s->has_lock = pthread_mutex_init(&s->lock, NULL) == 0;
    s->url = url_make(config);
    s->easy = curl_easy_init();
    if (s->has_lock && s->url && s->easy && way_set(s, config) && calls_set(s))
        return s;
    smtp_close(s);
    return NULL;
}

void smtp_close(struct smtp *s)
{
    if (!s)
        return;
    if (s->easy) {
        smtp_end(s); /* a connection that is kept would be left with QUIT */
        curl_easy_cleanup(s->easy);
    }
    curl_free(s->url);
    if (s->has_lock)
        (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- what came of it ---- */

/* Codes that say that this node may not send, not that this mail may not be sent: no
 * TLS or nobody's name (RFC 3207, RFC 4954). */
static bool is_about_us(uint16_t code)
{
    return code == 530 || code == 534 || code == 535 || code == 538;
}

static const char *away_why(const struct smtp *s, CURLcode code, uint16_t said)
{
    const char *why = net_failed(code);

    if (said == 421)
        return "the mail server closes its service (421); it is full, or goes down";
    switch (code) {
    case CURLE_ABORTED_BY_CALLBACK:
        return "the link changed while a mail was sent; it goes by the other";
    case CURLE_LOGIN_DENIED:
    case CURLE_AUTH_ERROR:
        if (said >= 400 && said < 500)
            return "the mail server cannot check user and password now; see why";
        return "the mail server does not accept user and password; check both";
    case CURLE_REMOTE_ACCESS_DENIED:
        return "the mail server does not take this machine's greeting; check hello, and whether this machine may send there";
    case CURLE_USE_SSL_FAILED:
        return "the mail server offers no TLS (STARTTLS), so nothing is sent; check url, or use smtps://";
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return "what answers is no mail server that takes mails; check url";
    case CURLE_SEND_ERROR:
        if (said >= 400 && said < 500)
            return "the mail server takes no mails now; its disk may be full, or it limits how many this sender sends";
        if (is_about_us(said))
            return s->is_tls ? "the mail server wants to know who this is; set user and password"
                             : "the mail server wants TLS, or to know who this is; set tls, user and password";
        return why;
    default:
        return why ? why : "sending failed on the way";
    }
}

/* 4xx in front of the address is about the server, behind it about that address. */
static struct smtp_result result_of(const struct smtp *s, CURLcode code)
{
    struct smtp_result r = { .end = SMTP_AWAY };
    long said = 0;
    bool is_judged;

    (void)curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &said);
    r.code = said >= 400 && said < 600 ? (uint16_t)said : 0;
    is_judged = code == CURLE_SEND_ERROR || (code == CURLE_WEIRD_SERVER_REPLY && s->is_begun);
    r.is_unsure = code != CURLE_OK && !r.code && s->is_begun && s->at == s->letter->size;
    r.is_denied = r.code >= 500 && (code == CURLE_LOGIN_DENIED || code == CURLE_AUTH_ERROR);
    if (code == CURLE_OK)
        r.end = SMTP_TOLD;
    else if (is_about_us(r.code))
        r.why = away_why(s, code, r.code);
    else if (is_judged && r.code >= 500)
        r.end = SMTP_REFUSED;
    else if (s->is_named)
        r.end = SMTP_LATER;
    else
        r.why = away_why(s, code, r.code);
    return r;
}

bool smtp_bind(struct smtp *s, aff_status status, const struct aff_uplink *link)
{
    bool is_bound = status == AFF_OK && link->interface[0];
    char name[32];

    s->link_status = status;
    s->link_revision = link->revision;
    (void)snprintf(name, sizeof name, "if!%s", link->interface);
    return curl_easy_setopt(s->easy, CURLOPT_INTERFACE, is_bound ? name : NULL) == CURLE_OK;
}

static bool job_set(struct smtp *s, const struct smtp_job *job)
{
    const long seconds = (long)((job->timeout + 999999999) / 1000000000);

    s->letter = job->letter;
    s->at = 0;
    s->is_named = s->is_begun = false;
    return curl_easy_setopt(s->easy, CURLOPT_FORBID_REUSE, job->more ? 0L : 1L) == CURLE_OK &&
           curl_easy_setopt(s->easy, CURLOPT_TIMEOUT_MS, (long)(job->timeout / 1000000)) == CURLE_OK &&
           curl_easy_setopt(s->easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, seconds) == CURLE_OK &&
           curl_easy_setopt(s->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)job->letter->size) == CURLE_OK;
}

struct smtp_result smtp_send(struct smtp *s, const struct smtp_job *job)
{
    char address[ADDRESS_MOST + 1];
    struct curl_slist to = { address, NULL };
    CURLcode code = CURLE_OUT_OF_MEMORY;

    memcpy(address, job->recipient, strlen(job->recipient) + 1);
    if (job_set(s, job) && curl_easy_setopt(s->easy, CURLOPT_MAIL_RCPT, &to) == CURLE_OK)
        code = curl_easy_perform(s->easy);
    (void)curl_easy_setopt(s->easy, CURLOPT_MAIL_RCPT, NULL);
    return result_of(s, code);
}

void smtp_spent(struct smtp *s, uint64_t *ret_sent, uint64_t *ret_received)
{
    *ret_sent = s->sent;
    *ret_received = s->received;
    s->sent = s->received = 0;
}
