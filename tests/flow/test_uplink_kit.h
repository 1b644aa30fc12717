/* test_uplink_kit.h - the world of test_uplink.c: a device that makes alarms, vitals,
 * waveform and bulk and keeps the link up, led by a descriptor, phase by phase, on a
 * virtual clock; and a sink that counts each byte as its peer would, and notes what came in
 * which order. */
#ifndef AFFERENT_TESTS_UPLINK_KIT_H
#define AFFERENT_TESTS_UPLINK_KIT_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "flow/uplink.h"
#include "memkeep.h"
#include "rig.h"

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define EXPIRE (2 * HOUR + 300 * SECOND)

enum { CLASSES = 4, MOST = 8192, MINUTES = 24 * 60, ALARM_EVERY = 10, BULK_EVERY = 60, LAST_SECONDS = 60 };
enum { HEAD = 22, ANSWER = 3 }; /* bytes around each record on the wire, and what comes back */
enum { DEVICE, CLOUD };
static const uint32_t sizes[CLASSES] = { 30, 40, 400, 1000 };

/* What the outside knows. */
struct world {
    /* the device */
    int line;             /* to lead it: an eventfd */
    _Atomic int64_t to;   /* it lets time pass until then, and says how its link is */
    struct aff_link link;
    _Atomic int minutes;  /* of data that it makes on the way */
    _Atomic int extra[CLASSES]; /* records that it makes when it has arrived */
    _Atomic int arrivals; /* how often it did */
    uint64_t made[CLASSES];
    /* the far end */
    _Atomic uint32_t count;
    uint8_t classes[MOST];
    int64_t times[MOST];
    uint8_t links[MOST];
    _Atomic uint64_t bytes; /* out and in */
    _Atomic uint64_t by_class[CLASSES];
    bool is_silent; /* its plugin does not say what it sends */
    int fails_by;   /* attempts by this link fail; -1: none does */
    _Atomic uint32_t attempts, calls, wakes;
    /* one that answers late */
    pthread_mutex_t lock;
    const struct aff_host *host;
    struct aff_id ids[MOST];
    uint32_t answered;
};

/* ---- the device ---- */

struct device {
    const struct aff_host *host;
    struct world *world;
    int64_t next_ns; /* minute */
    int minutes;
    uint32_t streams[CLASSES];
    bool under_way;
};

static const struct aff_schema row = { .struct_size = sizeof row, .type = AFF_BYTES, .name = "row" };
#define OUT(name_, class_) { .name = name_, .types = AFF_MASK(AFF_BYTES), .schema = &row, .priority = class_ }
static const struct aff_port outs[] = { OUT("alarm", 0), OUT("vitals", 1), OUT("waveform", 2), OUT("bulk", 3) };
static const struct aff_port in_any[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };

static aff_status device_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct device *d = host->alloc(host, sizeof *d);
    uint32_t subject, schema, i;
    char name[] = "0";

    if (!d)
        return AFF_ERR_MEMORY;
    d->host = host;
    d->world = *(struct world *const *)config;
    subject = host->subject(host, "nobody");
    schema = host->schema(host, &row);
    for (i = 0; i < CLASSES; i++, name[0]++)
        d->streams[i] = host->stream(host, subject, name, schema);
    *ret_self = d;
    return host->watch(host, d->world->line, AFF_WATCH_READ);
}

static void device_close(void *self)
{
    struct device *d = self;

    d->host->free(d->host, d);
}

static bool make(struct device *d, uint32_t class)
{
    struct aff_record *r = d->host->reserve(d->host, class, AFF_NO_INPUT, sizes[class]);

    if (!r)
        return false;
    memset(r->data, (int)class, sizes[class]);
    r->stream = d->streams[class];
    r->event_ns = d->host->now_ns(d->host);
    r->clock = AFF_CLOCK_DEVICE;
    d->world->made[class]++;
    return d->host->emit(d->host, r, sizes[class]) == AFF_OK;
}

static bool minute_make(struct device *d)
{
    int m = d->minutes++;

    return make(d, 1) && make(d, 2) && (m % ALARM_EVERY || make(d, 0)) && (m % BULK_EVERY || make(d, 3));
}

/* It is where it was sent: what it makes here is live. */
static aff_status arrive(struct device *d)
{
    struct world *w = d->world;
    uint32_t class;

    for (class = 0; class < CLASSES; class++)
        while (atomic_load(&w->extra[class]) > 0) {
            if (!make(d, class))
                return AFF_ERR_BUG;
            atomic_fetch_sub(&w->extra[class], 1);
        }
    w->link.struct_size = sizeof w->link;
    d->host->link_set(d->host, &w->link);
    d->under_way = false;
    atomic_fetch_add(&w->arrivals, 1);
    d->host->wake_at(d->host, INT64_MAX);
    return AFF_AGAIN;
}

static aff_status device_read(void *self, uint32_t want)
{
    struct device *d = self;
    struct world *w = d->world;
    int64_t now = d->host->now_ns(d->host);
    uint64_t sent;

    (void)want;
    if (read(w->line, &sent, sizeof sent) == (ssize_t)sizeof sent) {
        d->under_way = true;
        d->next_ns = now;
    }
    if (!d->under_way)
        return AFF_AGAIN;
    if (atomic_load(&w->minutes) > 0 && now >= d->next_ns) {
        d->next_ns = now + 60 * SECOND;
        if (!minute_make(d))
            return AFF_ERR_BUG;
        atomic_fetch_sub(&w->minutes, 1);
    }
    if (atomic_load(&w->minutes) == 0 && now >= atomic_load(&w->to))
        return arrive(d);
    d->host->wake_at(d->host, atomic_load(&w->minutes) > 0 ? d->next_ns : atomic_load(&w->to));
    return AFF_AGAIN;
}

static const struct aff_plugin device = {
    .struct_size = sizeof device, .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .name = "device", .outputs = AFF_TABLE(outs),
    .open = device_open, .close = device_close, .read = device_read,
};

/* ---- the sink, and its peer ---- */

struct cloud {
    const struct aff_host *host;
    struct world *world;
};

static aff_status cloud_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct cloud *c = host->alloc(host, sizeof *c);

    if (!c)
        return AFF_ERR_MEMORY;
    c->host = host;
    c->world = *(struct world *const *)config;
    if (!c->world->is_silent)
        host->link_spent(host, 0, 0, 0);
    *ret_self = c;
    return AFF_OK;
}

static void cloud_close(void *self)
{
    struct cloud *c = self;

    c->host->free(c->host, c);
}

static void arrived(struct world *w, const struct aff_record *r, uint32_t link)
{
    uint32_t at = atomic_load(&w->count);

    assert_true(at < MOST);
    w->classes[at] = *(const uint8_t *)r->data;
    w->times[at] = r->event_ns;
    w->links[at] = (uint8_t)link;
    w->bytes += r->size + HEAD + ANSWER;
    atomic_fetch_add(&w->by_class[w->classes[at]], 1);
    atomic_store(&w->count, at + 1u);
}

static aff_status cloud_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct cloud *c = self;
    struct world *w = c->world;
    struct aff_uplink by = { .struct_size = sizeof by };
    uint64_t sent = 0;
    uint32_t i;

    atomic_fetch_add(&w->calls, 1);
    if (c->host->uplink(c->host, &by) == AFF_AGAIN)
        return c->host->explain(c->host, AFF_ERR_IO, "no link"); /* it went down in between */
    atomic_fetch_add(&w->attempts, 1);
    if ((int)by.index == w->fails_by)
        return c->host->explain(c->host, AFF_ERR_IO, "it does not go through");
    for (i = 0; i < batch->count; i++) {
        arrived(w, &batch->records[i], by.index);
        sent += batch->records[i].size + HEAD;
    }
    if (!w->is_silent)
        c->host->link_spent(c->host, by.index, sent, (uint64_t)batch->count * ANSWER);
    *ret_taken = batch->count;
    return AFF_OK;
}

static const struct aff_plugin cloud = {
    .struct_size = sizeof cloud, .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .flags = AFF_BLOCKS, .name = "cloud",
    .inputs = AFF_TABLE(in_any), .open = cloud_open, .close = cloud_close, .write = cloud_write,
};

/* ---- a sink whose peer answers late ---- */

/* Takes what comes, and remembers its ids until it is asked to answer. */
static aff_status late_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct cloud *c = self;
    struct world *w = c->world;
    struct aff_uplink by = { .struct_size = sizeof by };
    uint32_t i;

    if (c->host->uplink(c->host, &by) == AFF_AGAIN)
        return c->host->explain(c->host, AFF_ERR_IO, "no link");
    pthread_mutex_lock(&w->lock);
    w->host = c->host;
    for (i = 0; i < batch->count; i++) {
        w->ids[atomic_load(&w->count)] = batch->records[i].id;
        arrived(w, &batch->records[i], 0);
    }
    pthread_mutex_unlock(&w->lock);
    *ret_taken = batch->count;
    return AFF_OK;
}

static aff_status late_wake(void *self)
{
    struct cloud *c = self;

    atomic_fetch_add(&c->world->wakes, 1);
    return AFF_OK;
}

static const struct aff_plugin late = {
    .struct_size = sizeof late, .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .flags = AFF_BLOCKS | AFF_ACKS, .name = "late",
    .inputs = AFF_TABLE(in_any), .open = cloud_open, .close = cloud_close, .write = late_write, .wake = late_wake,
};

/* All that it has not answered so far, from a thread that is not its lane's. */
static void answer_all(struct world *w)
{
    uint64_t bytes = 0;
    uint32_t upto;

    pthread_mutex_lock(&w->lock);
    upto = atomic_load(&w->count);
    for (; w->answered < upto; w->answered++) {
        w->host->ack(w->host, w->ids[w->answered], AFF_OK);
        bytes += sizes[w->classes[w->answered]] + HEAD;
    }
    if (bytes > 0)
        w->host->link_spent(w->host, 0, bytes, 0);
    pthread_mutex_unlock(&w->lock);
}

/* The one that came last did not come through. */
static void answer_bad(struct world *w)
{
    pthread_mutex_lock(&w->lock);
    w->host->ack(w->host, w->ids[atomic_load(&w->count) - 1u], AFF_ERR_IO);
    pthread_mutex_unlock(&w->lock);
}

/* ---- a run ---- */

struct run {
    struct world world, *at;
    struct rig rig;
    struct plan_link links[2];
    struct link_rules rules;
    struct memkeep *keep;
    struct flow *flow;
};

enum { WIFI, CELL };

/* With the run's links, and these rules. */
static void rig_fill(struct run *r, struct rig *rig, const struct aff_plugin *sink, struct link_rules *rules)
{
    uint32_t i;

    rig_begin(rig);
    rig_node(rig, "device", &device, &r->at);
    rig_node(rig, "cloud", sink, &r->at);
    for (i = 0; i < CLASSES; i++) {
        rig_edge(rig, DEVICE, i, CLOUD, 0);
        rig->edges[i].when_full = WHEN_FULL_SPILL;
        rig->edges[i].priority = (uint8_t)i;
        rig->edges[i].buffer = 16384;
    }
    rig->edges[0].expire_ns = EXPIRE;
    rig->plan.links = r->links;
    rig->plan.link_count = 2;
    rig->nodes[CLOUD].link_rules = rules;
    rig->plan.store_limit = 1u << 30;
    rig->options.virtual_clock = true;
    rig->options.kept = memkeep_kept(r->keep);
}

static struct run *run_new(void)
{
    struct run *r = calloc(1, sizeof *r);

    r->at = &r->world;
    r->world.line = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    r->world.fails_by = -1;
    pthread_mutex_init(&r->world.lock, NULL);
    r->keep = memkeep_open();
    rig_fill(r, &r->rig, &cloud, &r->rules);
    r->links[WIFI] = (struct plan_link){ .name = "wifi", .node = PLAN_NONE };
    r->links[CELL] = (struct plan_link){ .name = "cell", .node = DEVICE };
    r->rules = (struct link_rules){ .links = { WIFI, CELL }, .link_count = 2, .metered = AFF_PRIO_VITALS,
                                    .roaming = LINK_NOTHING, .when_spent = AFF_PRIO_ALARM };
    memset(r->rules.technology, AFF_PRIO_BULK, sizeof r->rules.technology);
    return r;
}

static void run_start(struct run *r)
{
    r->flow = rig_open(&r->rig, LAYOUT_NORMAL);
    assert_non_null(r->flow);
    memkeep_begin(r->keep, r->flow, 0, false);
    assert_true(flow_start(r->flow));
}

static void run_stop(struct run *r, bool dies)
{
    if (dies)
        flow_abort(r->flow);
    else
        flow_drain(r->flow);
    assert_true(flow_wait(r->flow, 60 * SECOND));
    memkeep_end(r->keep);
    flow_close(&r->flow);
}

static void run_free(struct run *r)
{
    memkeep_close(&r->keep);
    close(r->world.line);
    pthread_mutex_destroy(&r->world.lock);
    free(r);
}

static void nap(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

/* Sends it there, and waits until it is. */
static void go(struct run *r, int64_t to)
{
    int arrivals = atomic_load(&r->world.arrivals), i;
    uint64_t one = 1;

    atomic_store(&r->world.to, to);
    assert_int_equal(write(r->world.line, &one, sizeof one), sizeof one);
    for (i = 0; i < 60000 && atomic_load(&r->world.arrivals) == arrivals; i++)
        nap();
    assert_int_equal(atomic_load(&r->world.arrivals), arrivals + 1);
}

static uint64_t queued(const struct run *r, uint32_t class)
{
    struct flow_edge e;

    flow_edge(r->flow, class, &e);
    return e.queued;
}

static uint64_t expired(const struct run *r)
{
    struct flow_edge e;

    flow_edge(r->flow, 0, &e);
    return e.expired;
}

/* What the device made is on its way when its call is over, a moment behind its arrival. */
static bool is_empty(const struct run *r, uint32_t class)
{
    struct flow_edge e;

    flow_edge(r->flow, class, &e);
    return e.put >= r->world.made[class] && e.queued == 0;
}

/* Until all that was made of a class is queued no more. */
static void until_empty(struct run *r, uint32_t class)
{
    int i;

    for (i = 0; i < 60000 && !is_empty(r, class); i++)
        nap();
    assert_true(is_empty(r, class));
}

/* Time for what must not happen. */
static void linger(void)
{
    int i;

    for (i = 0; i < 20; i++)
        nap();
}

static struct uplink_figures figures_of(struct run *r)
{
    struct uplink_figures f;

    assert_true(uplink_figures(r->flow, CLOUD, &f));
    return f;
}

/* Until its budget of the day is spent, and the call that spent it is over. */
static void until_spent(struct run *r)
{
    int i;

    for (i = 0; i < 60000 && figures_of(r).choice.why != LINK_WAIT_DAY; i++)
        nap();
    assert_int_equal(figures_of(r).choice.why, LINK_WAIT_DAY);
    linger();
}

/* ---- what arrived ---- */

/* From `at` on all records of this class, up to the first of another. */
static uint32_t of_class(const struct world *w, uint32_t at, uint32_t class)
{
    while (at < atomic_load(&w->count) && w->classes[at] == class)
        at++;
    return at;
}

/* Rising runs, each wholly before the one that came before it. */
static void are_newest_first(const struct world *w, uint32_t from, uint32_t to)
{
    int64_t run_first = INT64_MAX;
    uint32_t i = from, begins;

    while (i < to) {
        begins = i;
        for (i++; i < to && w->times[i] >= w->times[i - 1u]; i++)
            continue;
        assert_true(w->times[i - 1u] <= run_first);
        run_first = w->times[begins];
    }
}

static void are_in_order(const struct world *w, uint32_t from, uint32_t to)
{
    for (from++; from < to; from++)
        assert_true(w->times[from] >= w->times[from - 1u]);
}

#endif
