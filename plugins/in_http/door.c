/* SPDX-License-Identifier: Apache-2.0
 *
 * door.c - see door.h. */
#include "door.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "split.h"

/* How exactly times are kept, and how long a stop may take. */
#define TICK_NS INT64_C(200000000)
#define IDLE_NS INT64_C(5000000000)
#define LEAVE_NS INT64_C(1000000000)
#define SECOND_NS INT64_C(1000000000)
enum { LEAVE_TICK_MS = 20, PEM_MOST = 1 << 20, POOL_BESIDE = 4096, OPTIONS = 16 };
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

/* ---- opening ---- */

static aff_status problem(struct door *d, aff_status status, const char *format, ...)
{
    va_list words;

    va_start(words, format);
    (void)vsnprintf(d->cause, sizeof d->cause, format, words);
    va_end(words);
    return status;
}

/* All of a file, ended by a zero; NULL with errno. */
static char *file_read(const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = f ? calloc(1, PEM_MOST) : NULL;
    size_t size = text ? fread(text, 1, PEM_MOST, f) : 0;
    int error = !f || !text || ferror(f) ? errno : size == 0 ? ENODATA : EFBIG;

    if (f)
        (void)fclose(f);
    if (text && (size == 0 || size == PEM_MOST)) {
        explicit_bzero(text, size);
        free(text);
        text = NULL;
    }
    errno = error;
    return text;
}

/* What the library would say much later, and without a reason. */
static aff_status tls_check(struct door *d)
{
    const gnutls_datum_t certificate = { (unsigned char *)d->certificate, (unsigned)strlen(d->certificate) };
    const gnutls_datum_t key = { (unsigned char *)d->key, (unsigned)strlen(d->key) };
    gnutls_certificate_credentials_t credentials;
    int rc = gnutls_certificate_allocate_credentials(&credentials);

    if (rc != 0)
        return problem(d, AFF_ERR_MEMORY, "no memory for the certificate");
    rc = gnutls_certificate_set_x509_key_mem2(credentials, &certificate, &key, GNUTLS_X509_FMT_PEM, d->config->key_password, 0);
    if (rc >= 0 && d->client_ca) {
        const gnutls_datum_t ca = { (unsigned char *)d->client_ca, (unsigned)strlen(d->client_ca) };

        rc = gnutls_certificate_set_x509_trust_mem(credentials, &ca, GNUTLS_X509_FMT_PEM);
        rc = rc == 0 ? GNUTLS_E_NO_CERTIFICATE_FOUND : rc;
    }
    gnutls_certificate_free_credentials(credentials);
    if (rc >= 0)
        return AFF_OK;
    return problem(d, AFF_ERR_CONFIG, "certificate, key or client_ca cannot be used: %s", gnutls_strerror(rc));
}

static aff_status files_open(struct door *d)
{
    const struct config *c = d->config;
    const struct { const char *option, *path; char **text; } files[] = {
        { "certificate", c->certificate, &d->certificate }, { "key", c->key, &d->key }, { "client_ca", c->client_ca, &d->client_ca },
    };
    size_t i;

    for (i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (!files[i].path)
            continue;
        *files[i].text = file_read(files[i].path);
        if (!*files[i].text)
            return problem(d, AFF_ERR_CONFIG, "%s: the file cannot be read: %s", files[i].option, strerrordesc_np(errno));
    }
    return d->certificate ? tls_check(d) : AFF_OK;
}

aff_status door_open(struct door *d, struct desk *desk, const struct config *c)
{
    memset(d, 0, sizeof *d);
    d->config = c;
    d->desk = desk;
    d->listen_fd = -1;
    d->count = (uint32_t)c->max_connections;
    d->talks = desk->host->alloc(desk->host, d->count * sizeof *d->talks);
    d->json = split_open((size_t)c->max_body);
    if (!d->talks || !d->json)
        return problem(d, AFF_ERR_MEMORY, "no memory for connections");
    return files_open(d);
}

static void secret_free(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

void door_close(struct door *d)
{
    if (!d->desk)
        return;
    if (d->listen_fd >= 0)
        (void)close(d->listen_fd);
    split_close(d->json);
    free(d->certificate);
    free(d->client_ca);
    secret_free(d->key);
    if (d->talks)
        d->desk->host->free(d->desk->host, d->talks);
    d->desk = NULL;
}

/* ---- the thread ---- */

static bool is_stopping(struct door *d)
{
    bool stopping;

    pthread_mutex_lock(&d->desk->lock);
    stopping = d->is_stopping;
    pthread_mutex_unlock(&d->desk->lock);
    return stopping;
}

static int64_t answers_give(struct door *d, bool all)
{
    const struct answer late = { .code = all ? ANSWER_STOPPING : ANSWER_LATE };
    struct answer answer;
    struct talk *t;
    int64_t next;

    while ((t = desk_next_answer(d->desk, &answer)) != NULL)
        talk_resume(t, &answer);
    while ((t = desk_next_late(d->desk, net_clock(), all, &next)) != NULL)
        talk_resume(t, &late);
    return next;
}

static void slow_cut(struct door *d, int64_t now)
{
    uint32_t i, cut = 0;

    for (i = 0; i < d->count; i++) {
        struct talk *t = &d->talks[i];

        if (!t->connection || t->deadline_ns > now)
            continue;
        talk_cut(t);
        cut++;
    }
    if (cut == 0)
        return;
    pthread_mutex_lock(&d->desk->lock);
    d->desk->counts.cut += cut;
    pthread_mutex_unlock(&d->desk->lock);
}

static uint32_t talks_count(const struct door *d)
{
    uint32_t i, count = 0;

    for (i = 0; i < d->count; i++)
        count += d->talks[i].connection != NULL;
    return count;
}

/* How long nothing is to be done, in ms. */
static int pause_ms(struct door *d, int64_t next_ns, uint32_t talks)
{
    MHD_UNSIGNED_LONG_LONG own = 0;
    int64_t wait = next_ns == INT64_MAX ? INT64_MAX : next_ns - net_clock();

    if (wait > (talks > 0 ? TICK_NS : IDLE_NS))
        wait = talks > 0 ? TICK_NS : IDLE_NS;
    if (MHD_get_timeout(d->daemon, &own) == MHD_YES && own < (uint64_t)TICK_NS / 1000000 && wait > (int64_t)own * 1000000)
        wait = (int64_t)own * 1000000;
    return wait <= 0 ? 0 : (int)((wait + 999999) / 1000000);
}

static void turn(struct door *d, bool all)
{
    int pause;
    struct pollfd fds[] = { { .fd = d->epoll_fd, .events = POLLIN }, { .fd = d->desk->door_fd, .events = POLLIN } };
    int64_t next = answers_give(d, all);
    uint32_t before = talks_count(d), talks;

    (void)MHD_run(d->daemon);
    slow_cut(d, net_clock());
    talks = talks_count(d);
    pause = pause_ms(d, next, talks);
    if (all && pause > LEAVE_TICK_MS)
        pause = LEAVE_TICK_MS;
    /* a library that stood at its limit listens again when it is run again, and not before */
    if (before == d->count && talks < before)
        pause = 0;
    (void)poll(fds, 2, pause);
    if (fds[1].revents)
        net_hush(d->desk->door_fd);
}

static bool has_begun(const struct door *d)
{
    uint32_t i;

    for (i = 0; i < d->count; i++)
        if (d->talks[i].connection && d->talks[i].has_begun)
            return true;
    return false;
}

/* Whoever is there is answered; who has not said what it wants is cut. */
static void leave(struct door *d)
{
    int64_t until = net_clock() + LEAVE_NS;
    int fd = MHD_quiesce_daemon(d->daemon);

    if (fd >= 0)
        (void)close(fd);
    do
        turn(d, true);
    while (has_begun(d) && net_clock() < until);
    (void)answers_give(d, true);
    (void)MHD_run(d->daemon);
    MHD_stop_daemon(d->daemon);
}

static void *door_run(void *self)
{
    struct door *d = self;

    while (!is_stopping(d))
        turn(d, false);
    leave(d);
    return NULL;
}

/* ---- start and stop ---- */

/* What the library says while it starts is the cause; later it may name what was sent. */
static void library_says(void *self, const char *format, va_list words)
{
    struct door *d = self;
    size_t length;

    if (!d->is_starting)
        return;
    (void)vsnprintf(d->cause, sizeof d->cause, format, words);
    length = strlen(d->cause);
    while (length > 0 && (d->cause[length - 1] == '\n' || d->cause[length - 1] == '.'))
        d->cause[--length] = '\0';
}

static struct MHD_OptionItem *option_add(struct MHD_OptionItem *to, enum MHD_OPTION option, intptr_t number, void *pointer)
{
    *to = (struct MHD_OptionItem){ option, number, pointer };
    return to + 1;
}

static struct MHD_Daemon *daemon_make(struct door *d)
{
    static char priorities[] = TLS_PRIORITIES;
    const struct config *c = d->config;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (d->certificate ? (unsigned)MHD_USE_TLS : 0u);
    struct MHD_OptionItem options[OPTIONS], *o = options;
    struct listen_address at;
    bool counts;

    /* on the loopback all come from one, be it a proxy */
    counts = listen_read(c->listen, &at) == NULL && !at.is_loopback;
    o = option_add(o, MHD_OPTION_LISTEN_SOCKET, d->listen_fd, NULL);
    o = option_add(o, MHD_OPTION_CONNECTION_LIMIT, c->max_connections, NULL);
    o = option_add(o, MHD_OPTION_PER_IP_CONNECTION_LIMIT, counts ? c->max_connections_per_address : 0, NULL);
    o = option_add(o, MHD_OPTION_CONNECTION_TIMEOUT, (c->request_timeout + SECOND_NS - 1) / SECOND_NS + 1, NULL);
    o = option_add(o, MHD_OPTION_CONNECTION_MEMORY_LIMIT, c->max_headers + POOL_BESIDE, NULL);
    o = option_add(o, MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL);
    if (d->certificate) {
        o = option_add(o, MHD_OPTION_HTTPS_MEM_CERT, 0, d->certificate);
        o = option_add(o, MHD_OPTION_HTTPS_MEM_KEY, 0, d->key);
        o = option_add(o, MHD_OPTION_HTTPS_PRIORITIES, 0, priorities);
    }
    if (d->certificate && c->key_password)
        o = option_add(o, MHD_OPTION_HTTPS_KEY_PASSWORD, 0, (void *)(uintptr_t)c->key_password);
    if (d->client_ca)
        o = option_add(o, MHD_OPTION_HTTPS_MEM_TRUST, 0, d->client_ca);
    (void)option_add(o, MHD_OPTION_END, 0, NULL);
    return MHD_start_daemon(flags, 0, NULL, NULL, talk_call, d, MHD_OPTION_EXTERNAL_LOGGER, library_says, d,
                            MHD_OPTION_UNESCAPE_CALLBACK, talk_escaped, d, MHD_OPTION_NOTIFY_COMPLETED, talk_over, d,
                            MHD_OPTION_NOTIFY_CONNECTION, talk_connection, d, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

static bool thread_start(struct door *d)
{
    d->runs = net_thread_start(&d->thread, door_run, d);
    return d->runs;
}

static aff_status daemon_start(struct door *d)
{
    const union MHD_DaemonInfo *info;

    d->is_starting = true;
    d->daemon = daemon_make(d);
    d->is_starting = false;
    if (!d->daemon)
        return AFF_ERR_IO;
    d->listen_fd = -1;
    info = MHD_get_daemon_info(d->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    d->epoll_fd = info ? info->epoll_fd : -1;
    if (d->epoll_fd >= 0 && thread_start(d))
        return AFF_OK;
    MHD_stop_daemon(d->daemon);
    d->daemon = NULL;
    return problem(d, AFF_ERR_MEMORY, "no thread can be made");
}

aff_status door_start(struct door *d, unsigned *ret_port)
{
    struct listen_address at;
    aff_status st;

    (void)listen_read(d->config->listen, &at); /* validate has read it */
    d->listen_fd = listen_open(&at, ret_port);
    if (d->listen_fd < 0)
        return problem(d, AFF_ERR_IO, "cannot listen at %s: %s", d->config->listen, strerrordesc_np(errno));
    (void)problem(d, AFF_OK, "the server cannot be started");
    st = daemon_start(d);
    if (st != AFF_OK && d->listen_fd >= 0) {
        (void)close(d->listen_fd);
        d->listen_fd = -1;
    }
    return st;
}

void door_stop(struct door *d)
{
    if (!d->runs)
        return;
    pthread_mutex_lock(&d->desk->lock);
    d->is_stopping = true;
    pthread_mutex_unlock(&d->desk->lock);
    net_ring(d->desk->door_fd);
    (void)pthread_join(d->thread, NULL);
    d->runs = false;
    d->daemon = NULL;
}
