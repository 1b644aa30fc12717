/* device_sinks.c - sinks that look at links, wait for a descriptor, or for a peer; a source
 * that relays. See device.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "device.h"

enum { LATE_DBM = -99, LATE_MOST = 64 };

static const struct aff_port any_in[] = { { .name = "in", .doc = "In.", .types = AFF_MASK(AFF_BYTES) } };

/* ---- one that looks at links in each call, by two threads ---- */

static aff_status eye_open(const struct aff_host *host, const void *config, void **ret_self)
{
    (void)config;
    *ret_self = (void *)(uintptr_t)host;
    return AFF_OK;
}

static void eye_close(void *self)
{
    (void)self;
}

static uint32_t links_count(const struct aff_host *host, struct aff_link *ret_first)
{
    struct aff_link link = { .struct_size = sizeof link };
    uint32_t count = 0;

    while (host->link_get(host, count, &link) == AFF_OK)
        if (count++ == 0)
            *ret_first = link;
    return count;
}

struct looking {
    const struct aff_host *host;
    uint32_t count;
    struct aff_link first;
};

static void *look(void *arg)
{
    struct looking *l = arg;

    l->count = links_count(l->host, &l->first);
    return NULL;
}

static aff_status eye_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    const struct aff_host *host = self;
    struct looking other = { .host = host };
    struct aff_link first = { .struct_size = 0 };
    pthread_t thread;

    (void)batch, (void)ret_taken;
    if (pthread_create(&thread, NULL, look, &other) != 0)
        return AFF_ERR_MEMORY;
    pthread_join(thread, NULL);
    host->gauge(host, 0, links_count(host, &first));
    host->gauge(host, 1, other.count);
    host->gauge(host, 2, -first.signal_dbm);
    return memcmp(&first, &other.first, sizeof first) == 0 || other.count == 0 ? AFF_OK : AFF_ERR_BUG;
}

static const struct aff_metric eye_metrics[] = {
    { .name = "asked", .doc = "Links.", .kind = AFF_METRIC_GAUGE },
    { .name = "read", .doc = "Links.", .kind = AFF_METRIC_GAUGE },
    { .name = "signal", .doc = "-dBm.", .kind = AFF_METRIC_GAUGE },
};

#define COMMON(name_)                                                                                           \
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .name = (name_), .version = "1", \
    .summary = "Looks.", .license = "Apache-2.0", .inputs = AFF_TABLE(any_in)

const struct aff_plugin link_eye = {
    COMMON("out_eye"), .flags = AFF_STAYS, .metrics = AFF_TABLE(eye_metrics), .open = eye_open, .close = eye_close,
    .write = eye_write,
};

/* ---- one that goes by the link that it is told to use ---- */

static aff_status uplink_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    const struct aff_host *host = self;
    struct aff_uplink by = { .struct_size = sizeof by };
    aff_status st = host->uplink(host, &by);

    (void)ret_taken;
    host->gauge(host, 0, st);
    host->gauge(host, 1, by.revision);
    host->gauge(host, 2, st == AFF_OK && strcmp(by.name, "cell") == 0 && strcmp(by.interface, "wwan0") == 0);
    host->link_spent(host, by.index, 100u * batch->count, 7);
    host->link_tried(host, by.index, st == AFF_OK ? AFF_OK : AFF_ERR_IO);
    return AFF_OK;
}

const struct aff_plugin link_user = {
    COMMON("out_user"), .flags = AFF_STAYS, .metrics = AFF_TABLE(eye_metrics), .open = eye_open, .close = eye_close,
    .write = uplink_write,
};

/* ---- one that sends when its link is good, whoever calls it or not ---- */

struct late {
    const struct aff_host *host;
    pthread_t thread;
    struct aff_id ids[LATE_MOST];
    _Atomic uint32_t taken;
    _Atomic int ends;
};

static void *late_main(void *arg)
{
    struct late *l = arg;
    uint32_t answered = 0;

    while (!atomic_load(&l->ends)) {
        struct aff_link link = { .struct_size = sizeof link };

        usleep(1000);
        if (l->host->link_get(l->host, 0, &link) != AFF_OK || link.signal_dbm != LATE_DBM)
            continue;
        for (; answered < atomic_load(&l->taken); answered++)
            l->host->ack(l->host, l->ids[answered % LATE_MOST], AFF_OK);
    }
    return NULL;
}

static aff_status late_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct late *l = host->alloc(host, sizeof *l);

    (void)config;
    if (!l)
        return AFF_ERR_MEMORY;
    l->host = host;
    if (pthread_create(&l->thread, NULL, late_main, l) != 0) {
        host->free(host, l);
        return AFF_ERR_MEMORY;
    }
    *ret_self = l;
    return AFF_OK;
}

static void late_close(void *self)
{
    struct late *l = self;

    atomic_store(&l->ends, 1);
    pthread_join(l->thread, NULL);
    l->host->free(l->host, l);
}

static aff_status late_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct late *l = self;
    uint32_t i;

    (void)ret_taken;
    for (i = 0; i < batch->count; i++) {
        l->ids[atomic_load(&l->taken) % LATE_MOST] = batch->records[i].id;
        atomic_fetch_add(&l->taken, 1);
    }
    return AFF_OK;
}

const struct aff_plugin link_late = {
    COMMON("out_late"), .flags = AFF_STAYS | AFF_ACKS, .open = late_open, .close = late_close, .write = late_write,
};

/* ---- one that waits ---- */

struct waiting {
    const struct aff_host *host;
    int fd;
};

static aff_status waiting_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct waiting *w = host->alloc(host, sizeof *w);

    (void)config;
    if (!w)
        return AFF_ERR_MEMORY;
    *w = (struct waiting){ host, -1 };
    *ret_self = w;
    return AFF_OK;
}

static void waiting_close(void *self)
{
    struct waiting *w = self;

    if (w->fd >= 0)
        close(w->fd);
    w->host->free(w->host, w);
}

static aff_status waiting_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct waiting *w = self;
    uint64_t words[2];
    uint32_t i;

    (void)ret_taken;
    if (w->fd < 0) {
        w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (w->fd < 0 || w->host->watch(w->host, w->fd, AFF_WATCH_READ) < 0)
            return AFF_ERR_MEMORY;
    }
    for (i = 0; i < batch->count; i++) {
        memcpy(words, batch->records[i].data, sizeof words);
        if (words[1] != 0 && eventfd_write(w->fd, 1) < 0)
            return AFF_ERR_IO;
    }
    return AFF_OK;
}

static aff_status waiting_wake(void *self)
{
    struct waiting *w = self;
    eventfd_t value;

    if (w->fd >= 0 && eventfd_read(w->fd, &value) == 0)
        w->host->count(w->host, 0, 1);
    return AFF_OK;
}

static aff_status waiting_sync(void *self, uint64_t epoch)
{
    (void)self, (void)epoch;
    return AFF_OK;
}

static const struct aff_metric waiting_metrics[] = { { .name = "woken", .doc = "Times.", .kind = AFF_METRIC_COUNTER } };

const struct aff_plugin waiting_sink = {
    COMMON("out_waiting"), .flags = AFF_STAYS, .metrics = AFF_TABLE(waiting_metrics), .open = waiting_open,
    .close = waiting_close, .write = waiting_write, .wake = waiting_wake, .sync = waiting_sync,
};

/* ---- one whose peer answers, by a thread that rouses ---- */

struct net {
    const struct aff_host *host;
    pthread_t thread;
    struct aff_id ids[LATE_MOST];
    uint32_t count;
};

static void *net_main(void *self)
{
    const struct aff_host *host = ((struct net *)self)->host;

    usleep(1000);
    host->rouse(host);
    return NULL;
}

static aff_status net_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct net *n = host->alloc(host, sizeof *n);

    (void)config;
    if (!n)
        return AFF_ERR_MEMORY;
    n->host = host;
    *ret_self = n;
    return strcmp(host->node, "node") == 0 && strcmp(host->pipeline, "line") == 0 && host->window_records == 11 &&
           host->window_epochs == 3 ? AFF_OK : AFF_ERR_BUG;
}

static void net_close(void *self)
{
    struct net *n = self;

    n->host->free(n->host, n);
}

/* The thread comes when its call is over, too: in the child it is ended with it. */
static aff_status net_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct net *n = self;

    for (; *ret_taken < batch->count && n->count < LATE_MOST; ++*ret_taken)
        n->ids[n->count++] = batch->records[*ret_taken].id;
    if (pthread_create(&n->thread, NULL, net_main, n) != 0)
        return AFF_ERR_MEMORY;
    return pthread_detach(n->thread) == 0 ? AFF_OK : AFF_ERR_IO;
}

static aff_status net_wake(void *self)
{
    struct net *n = self;

    if (n->count > 0)
        n->host->answer(n->host, n->ids[--n->count], AFF_ERR_DATA, 1, "HTTP\n422");
    return AFF_OK;
}

static aff_status net_flush(void *self)
{
    struct net *n = self;

    while (n->count > 1) /* with rows that are none for it */
        n->host->answer(n->host, n->ids[--n->count], AFF_OK, 1, NULL);
    if (n->count > 0)
        n->host->ack(n->host, n->ids[--n->count], AFF_AGAIN);
    return AFF_OK;
}

static const struct aff_verdict net_verdicts[] = { { .name = "refused", .kind = AFF_V_DEAD } };

const struct aff_plugin net_sink = {
    COMMON("out_net"), .flags = AFF_STAYS | AFF_ACKS, .verdicts = AFF_TABLE(net_verdicts), .open = net_open,
    .close = net_close, .write = net_write, .wake = net_wake, .flush = net_flush,
};

static const struct aff_port any_out[] = { { .name = "out", .doc = "Out.", .types = AFF_MASK(AFF_BYTES) } };

static aff_status relay_read(void *self, uint32_t want)
{
    static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_BYTES, .name = "relayed" };
    const struct aff_host *host = self;
    struct aff_record *r = host->reserve(host, 0, AFF_NO_INPUT, 8);

    (void)want;
    if (!r)
        return AFF_ERR_MEMORY;
    memset(r->data, 0, 8);
    r->schema = host->schema(host, &schema);
    r->subject = host->subject(host, "nobody");
    r->stream = host->stream(host, r->subject, "one", r->schema);
    r->id = (struct aff_id){ 5, 6 };
    r->flags |= AFF_FLAG_RESENT;
    return host->emit(host, r, 8);
}

const struct aff_plugin relay_source = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .flags = AFF_KEEPS_IDS,
    .name = "in_relay", .version = "1", .summary = "Relays.", .license = "Apache-2.0", .outputs = AFF_TABLE(any_out),
    .open = eye_open, .close = eye_close, .read = relay_read,
};
