/* SPDX-License-Identifier: Apache-2.0
 *
 * net.c - the data session: raised, watched, raised again with back-off; and what is
 * said of it as a link. See modem.h.
 *
 * Either the modem is a network interface of its own (AT+CGACT), or a ppp command
 * dials: it gets the port as its standard input and output, and until it ends
 * nothing else is asked of the modem. Which addresses and routes there are is the
 * system's business. */
#include "mm_modem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DELAY_FIRST_NS (5 * SECOND_NS)
#define DELAY_LAST_NS (300 * SECOND_NS)
#define RAISE_NS (150 * SECOND_NS)

const char *const pdp_names[] = { "IP", "IPV6", "IPV4V6", NULL };

static void go(struct modem *m, enum net_state state)
{
    m->net.state = state;
}

static void again_later(struct modem *m)
{
    struct net *n = &m->net;
    int64_t next = n->delay_ns ? 2 * n->delay_ns : DELAY_FIRST_NS;

    n->delay_ns = next < DELAY_LAST_NS ? next : DELAY_LAST_NS;
    n->next_ns = m->now + n->delay_ns;
}

static bool is_wanted(const struct modem *m)
{
    return m->net.wanted && (m->config->when_roaming || !session_is_roaming(m));
}

static void came_down(struct modem *m, const char *why)
{
    struct event *e;

    if (m->net.state == NET_UP || m->net.state == NET_PPP || m->net.state == NET_LOWERING) {
        e = event_add(m, EVENT_LINK_DOWN, NULL);
        (void)snprintf(e->why, sizeof e->why, "%s", why);
    }
    go(m, NET_DOWN);
    again_later(m);
}

static void came_up(struct modem *m, enum net_state state)
{
    go(m, state);
    m->net.delay_ns = 0;
    m->net.has_base = false;
    (void)event_add(m, EVENT_LINK_UP, NULL);
}

/* ---- by the modem itself ---- */

static void raise_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    if (ended == ENDED_OK)
        came_up(m, NET_UP);
    else
        came_down(m, ended == ENDED_ERROR ? at_error_words(e->result, e->code) : "the modem did not answer");
}

static void lower_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    (void)ended;
    (void)e;
    came_down(m, m->net.wanted ? "roaming" : "asked for");
}

/* ---- by a ppp command ---- */

static int ppp_actions(posix_spawn_file_actions_t *actions, int fd)
{
    int rc = posix_spawn_file_actions_adddup2(actions, fd, STDIN_FILENO);

    rc = rc ? rc : posix_spawn_file_actions_adddup2(actions, fd, STDOUT_FILENO);
    rc = rc ? rc : posix_spawn_file_actions_addopen(actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    rc = rc ? rc : posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
    return rc ? rc : posix_spawn_file_actions_addchdir_np(actions, "/");
}

static int ppp_attributes(posix_spawnattr_t *attr)
{
    sigset_t none, all;
    int rc;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    rc = posix_spawnattr_setsigmask(attr, &none);
    rc = rc ? rc : posix_spawnattr_setsigdefault(attr, &all);
    rc = rc ? rc : posix_spawnattr_setpgroup(attr, 0);
    return rc ? rc : posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

static int ppp_spawn(struct modem *m, char *const *argv)
{
    static const char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", lang[] = "LANG=C.UTF-8";
    char environment[2][sizeof path], *const env[] = { environment[0], environment[1], NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int rc;

    memcpy(environment[0], path, sizeof path);
    memcpy(environment[1], lang, sizeof lang);
    rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return rc;
    rc = posix_spawnattr_init(&attr);
    if (rc == 0) {
        rc = ppp_actions(&actions, m->engine.fd);
        rc = rc ? rc : ppp_attributes(&attr);
        rc = rc ? rc : posix_spawn(&m->net.pid, argv[0], &actions, &attr, argv, env);
        (void)posix_spawnattr_destroy(&attr);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static void ppp_start(struct modem *m)
{
    const struct aff_list *list = &m->config->ppp;
    char *argv[PPP_ARGS_MOST + 1];
    uint32_t i;
    int rc;

    for (i = 0; i < list->count; i++)
        memcpy(&argv[i], (const char *const *)list->items + i, sizeof argv[i]);
    argv[list->count] = NULL;
    rc = ppp_spawn(m, argv);
    if (rc != 0) {
        m->net.pid = 0;
        came_down(m, strerrordesc_np(rc));
        session_sync(m, 2 * SECOND_NS);
        return;
    }
    m->net.pidfd = (int)syscall(SYS_pidfd_open, m->net.pid, 0);
    if (m->net.pidfd >= 0)
        (void)m->host->watch(m->host, m->net.pidfd, AFF_WATCH_READ);
    m->engine.lent = true;
    (void)engine_watch(m);
    came_up(m, NET_PPP);
}

static void ppp_forget(struct modem *m)
{
    if (m->net.pidfd >= 0) {
        (void)m->host->watch(m->host, m->net.pidfd, 0);
        (void)close(m->net.pidfd);
    }
    m->net.pidfd = -1;
    m->net.pid = 0;
}

static void ppp_kill(struct modem *m)
{
    if (m->net.pid <= 0)
        return;
    (void)kill(-m->net.pid, SIGKILL);
    while (waitpid(m->net.pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    ppp_forget(m);
}

/* It ended: the port is closed, which hangs up, and opened anew. */
static void ppp_look(struct modem *m)
{
    int status = 0;
    pid_t got = m->net.pid > 0 ? waitpid(m->net.pid, &status, WNOHANG) : 0;

    if (m->net.pid > 0 && got == 0 && !is_wanted(m)) {
        (void)kill(-m->net.pid, SIGTERM);
        return;
    }
    if (m->net.pid <= 0 || got == 0 || (got < 0 && errno == EINTR))
        return;
    ppp_forget(m);
    came_down(m, got > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "the ppp command ended" : "the ppp command failed");
    engine_close(m);
    store_lost(m);
    m->engine.next_try_ns = m->now;
    m->phase = PHASE_CLOSED;
}

static void dial_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    if (ended == ENDED_OK && e->result == AT_CONNECT)
        ppp_start(m);
    else
        came_down(m, ended == ENDED_ERROR ? at_error_words(e->result, e->code) : "the modem did not answer");
}

/* ---- steps ---- */

static void session_raise(struct modem *m)
{
    char text[48];

    if (m->config->ppp.count > 0) {
        go(m, NET_DIALLING);
        (void)snprintf(text, sizeof text, "ATD*99***%d#", (int)m->config->cid);
        engine_send(m, &(struct request){ .text = text, .flags = AT_DIALS, .timeout_ns = RAISE_NS, .done = dial_done });
        return;
    }
    go(m, NET_RAISING);
    (void)snprintf(text, sizeof text, "AT+CGACT=1,%d", (int)m->config->cid);
    engine_send(m, &(struct request){ .text = text, .timeout_ns = RAISE_NS, .done = raise_done });
}

/* Also where the modem does not know the command: it may not need it. */
static void authorised(struct modem *m, enum ended ended, const struct at_event *e)
{
    (void)e;
    if (ended == ENDED_OK || ended == ENDED_ERROR)
        session_raise(m);
    else
        came_down(m, "the modem did not answer");
}

/* TS 27.007, 10.1.31; 2: CHAP, which all networks take. */
static void defined_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    const struct config *c = m->config;
    char text[320];

    if (ended != ENDED_OK) {
        came_down(m, ended == ENDED_ERROR ? at_error_words(e->result, e->code) : "the modem did not answer");
        return;
    }
    if (!c->user) {
        session_raise(m);
        return;
    }
    (void)snprintf(text, sizeof text, "AT+CGAUTH=%d,2,\"%s\",\"%s\"", (int)c->cid, c->user, c->password ? c->password : "");
    engine_send(m, &(struct request){ .text = text, .timeout_ns = 10 * SECOND_NS, .done = authorised });
    explicit_bzero(text, sizeof text);
}

static void context_line(struct modem *m, const struct at_event *e)
{
    struct at_context c;

    m->net.is_defined |= at_context_read(e->line, &c) == AT_FINE && c.cid == m->config->cid &&
                         strcmp(c.type, pdp_names[m->config->pdp]) == 0 && strcasecmp(c.apn, m->config->apn) == 0;
}

/* One that is active already, as the first of LTE is, cannot be defined anew. */
static void context_done(struct modem *m, enum ended ended, const struct at_event *e)
{
    char text[160];

    if (ended == ENDED_TIMEOUT || ended == ENDED_LOST || m->net.is_defined) {
        defined_done(m, ended, e);
        return;
    }
    (void)snprintf(text, sizeof text, "AT+CGDCONT=%d,\"%s\",\"%s\"", (int)m->config->cid, pdp_names[m->config->pdp],
                   m->config->apn);
    engine_send(m, &(struct request){ .text = text, .timeout_ns = 10 * SECOND_NS, .done = defined_done });
}

bool net_next(struct modem *m)
{
    struct net *n = &m->net;
    char text[48];

    if (!m->config->apn || m->now < n->next_ns)
        return false;
    if (n->state == NET_DOWN && is_wanted(m) && session_is_registered(m)) {
        go(m, NET_DEFINING);
        n->is_defined = false;
        engine_send(m, &(struct request){ .text = "AT+CGDCONT?", .prefix = "+CGDCONT:", .timeout_ns = 10 * SECOND_NS,
                                          .line = context_line, .done = context_done });
        return true;
    }
    if (n->state == NET_UP && !is_wanted(m)) {
        go(m, NET_LOWERING);
        (void)snprintf(text, sizeof text, "AT+CGACT=0,%d", (int)m->config->cid);
        engine_send(m, &(struct request){ .text = text, .timeout_ns = RAISE_NS, .done = lower_done });
        return true;
    }
    return false;
}

/* By +CGACT?. */
void net_active(struct modem *m, bool active)
{
    if (m->net.state == NET_UP && !active)
        came_down(m, "the context is not active any more");
}

/* Whether it is of our context: "NW PDN DEACT 1", "ME DEACT "IP","10.0.0.2",1", and where
 * none is named. Of a secondary one, "NW DEACT 1,5,0", it is not. */
static bool is_ours(const struct modem *m, const char *line)
{
    struct at_fields f;
    struct at_field first;
    int64_t cid;

    if (!at_fields_open(&f, strstr(line, "DEACT"), "DEACT") || !at_fields_next(&f, &first))
        return true;
    if (!first.quoted && at_field_int(&first, 0, 255, &cid) == AT_FINE)
        return cid == m->config->cid && (strstr(line, "PDN DEACT") || !f.at);
    at_fields_skip(&f, 1);
    return at_next_int(&f, 0, 255, &cid) != AT_FINE || cid == m->config->cid;
}

/* TS 27.007, 10.1.19: deactivated or detached, by the network or the modem. */
void net_code(struct modem *m, const char *line)
{
    bool down = strstr(line, "DETACH") || (strstr(line, "DEACT") && is_ours(m, line));

    if (down && m->net.state == NET_UP)
        came_down(m, strstr(line, "NW ") ? "the network ended it" : "the modem ended it");
}

void net_lost(struct modem *m, const char *why)
{
    if (m->net.state != NET_DOWN && m->net.pid <= 0)
        came_down(m, why);
}

void net_close(struct modem *m)
{
    ppp_kill(m);
}

/* ---- the link ---- */

static uint64_t counter_read(const struct config *c, const char *name)
{
    char path[512], text[32];
    ssize_t got;
    int fd;

    if (!c->interface || snprintf(path, sizeof path, "%s/class/net/%s/statistics/%s", c->sysfs, c->interface, name) >= (int)sizeof path)
        return UINT64_MAX;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return UINT64_MAX;
    got = read(fd, text, sizeof text - 1);
    (void)close(fd);
    if (got <= 0 || text[0] < '0' || text[0] > '9')
        return UINT64_MAX;
    text[got] = '\0';
    return strtoull(text, NULL, 10);
}

/* Bytes count from where they stood when the session came up; a counter that went
 * back was begun anew by the system. */
static void bytes_count(struct modem *m, struct aff_link *link)
{
    uint64_t sent = counter_read(m->config, "tx_bytes"), received = counter_read(m->config, "rx_bytes");

    link->sent_bytes = link->received_bytes = UINT64_MAX;
    if (m->managed && link->up)
        managed_bytes(m, &link->sent_bytes, &link->received_bytes);
    if (!link->up || sent == UINT64_MAX || received == UINT64_MAX)
        return;
    if (!m->net.has_base || sent < m->net.base_sent || received < m->net.base_received) {
        m->net.base_sent = m->net.has_base ? 0 : sent;
        m->net.base_received = m->net.has_base ? 0 : received;
        m->net.has_base = true;
    }
    link->sent_bytes = sent - m->net.base_sent;
    link->received_bytes = received - m->net.base_received;
}

static uint8_t technology_of(struct modem *m)
{
    static const uint8_t links[] = { AFF_LINK_OTHER, AFF_LINK_OTHER, AFF_LINK_2G, AFF_LINK_3G, AFF_LINK_4G, AFF_LINK_5G };

    return links[at_technology_generation(session_technology(m))];
}

static int16_t strength_of(const struct at_signal *s)
{
    if (s->ss_rsrp_dbm != AT_UNKNOWN)
        return s->ss_rsrp_dbm;
    return s->rsrp_dbm != AT_UNKNOWN ? s->rsrp_dbm : s->rssi_dbm;
}

/* Said when it changed; the bytes alone only with each status. */
static aff_status link_say(struct modem *m)
{
    struct aff_link link = { .struct_size = sizeof link }, *said = &m->net.said;
    aff_status st;

    if (!m->config->apn)
        return AFF_OK;
    link.up = m->net.state == NET_UP || m->net.state == NET_PPP;
    link.metered = m->config->metered != 0;
    link.roaming = session_is_roaming(m);
    link.technology = technology_of(m);
    link.signal_dbm = strength_of(&m->signal);
    if (m->net.has_said && !m->status_due && link.up == said->up && link.roaming == said->roaming &&
        link.technology == said->technology && link.signal_dbm == said->signal_dbm)
        return AFF_OK;
    bytes_count(m, &link);
    st = m->host->link_set(m->host, &link);
    if (st != AFF_OK)
        return st;
    *said = link;
    m->net.has_said = true;
    return AFF_OK;
}

aff_status net_turn(struct modem *m)
{
    ppp_look(m);
    return link_say(m);
}

int64_t net_due(const struct modem *m)
{
    if (m->net.pid > 0)
        return m->net.pidfd < 0 || !is_wanted(m) ? m->now + SECOND_NS / 5 : INT64_MAX;
    return m->net.next_ns > m->now ? m->net.next_ns : INT64_MAX;
}
