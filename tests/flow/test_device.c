/* test_device.c - a source that takes commands, waits for a descriptor, keeps a link up.
 *
 * The device makes numbered records; a node behind it orders something for every
 * seventh, so its commands go in a circle. It holds them, does them one by one, and sends
 * them out by its second output then. What was done is counted outside of the flow, over deaths. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "memkeep.h"
#include "parts.h"
#include "rig.h"

enum { RECORDS = 3500, EVERY = 7, COMMANDS = RECORDS / EVERY };
enum { V_UNDER_WAY = 1, V_DONE };
enum { EPOCHS = 64 }; /* more than may be in flight */

/* What the outside knows. */
struct world {
    _Atomic uint32_t done[COMMANDS];
    uint32_t kinds; /* commands that were done at all */
    struct aff_id ids[COMMANDS];
    uint32_t results[COMMANDS];
    _Atomic uint32_t answered; /* commands with a result */
    uint32_t unmarked, renamed, invented, too_many;
    uint64_t data;
    uint64_t safe;     /* what was made below this was said to be safe */
    uint32_t unsafe;   /* lives that went on before that */
    int line;          /* of the device; -1: it has none */
    uint32_t works;    /* does a command every so many reads; 0: none at all */
    uint64_t ends_at;  /* the device ends after so many records whatever waits; 0: when all results are out */
    struct aff_link seen;
    uint32_t changes;
};

struct device {
    const struct aff_host *host;
    struct world *world;
    uint64_t next, reads;
    uint64_t below[EPOCHS]; /* next, as each epoch left it */
    uint32_t subject, stream;
    uint32_t held;
};

static const struct aff_schema row = { .struct_size = sizeof row, .type = AFF_BYTES, .name = "row" };
static const struct aff_port any_in[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_port commands_in[] = {
    { .name = "commands", .types = AFF_MASK(AFF_BYTES), .flags = AFF_PORT_COMMANDS | AFF_PORT_OPTIONAL },
};
static const struct aff_port device_out[] = {
    { .name = "data", .types = AFF_MASK(AFF_BYTES), .schema = &row },
    { .name = "results", .types = AFF_MASK(AFF_BYTES), .schema = &row },
};
static const struct aff_verdict device_verdicts[] = {
    { .name = "under_way", .kind = AFF_V_HOLD },
    { .name = "done", .kind = AFF_V_PORT, .port = 1 },
};

static uint64_t number_of(const struct aff_record *record)
{
    uint64_t number;

    memcpy(&number, record->data, sizeof number);
    return number;
}

static aff_status device_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct device *d = host->alloc(host, sizeof *d);

    if (!d)
        return AFF_ERR_MEMORY;
    d->host = host;
    d->world = *(struct world *const *)config;
    host->incarnation(host, "device", 6);
    d->subject = host->subject(host, "nobody");
    d->stream = host->stream(host, d->subject, "line", host->schema(host, &row));
    if (d->world->line >= 0)
        host->watch(host, d->world->line, AFF_WATCH_READ);
    *ret_self = d;
    return AFF_OK;
}

static void device_close(void *self)
{
    struct device *d = self;

    d->host->free(d->host, d);
}

static aff_status device_say(struct device *d, uint64_t number)
{
    struct aff_record *r = d->host->reserve(d->host, 0, AFF_NO_INPUT, sizeof number);

    if (!r)
        return AFF_ERR_MEMORY;
    memcpy(r->data, &number, sizeof number);
    r->subject = d->subject;
    r->stream = d->stream;
    r->event_ns = (int64_t)number;
    return d->host->emit(d->host, r, sizeof number);
}

static void note_done(struct world *w, const struct aff_record *command)
{
    uint64_t n = number_of(command) / EVERY;

    if (n >= COMMANDS || number_of(command) % EVERY != 0) {
        w->invented++;
        return;
    }
    w->kinds += w->done[n] == 0;
    w->unmarked += w->done[n] > 0 && !(command->flags & AFF_FLAG_RESENT);
    w->renamed += w->done[n] > 0 && memcmp(&w->ids[n], &command->id, sizeof command->id) != 0;
    w->ids[n] = command->id;
    w->done[n]++;
}

static aff_status device_work(struct device *d)
{
    const struct aff_record *command = d->host->held(d->host, 0);

    if (!command || d->world->works == 0 || d->reads % d->world->works != 0)
        return AFF_OK;
    note_done(d->world, command);
    d->held--;
    return d->host->release(d->host, command, V_DONE);
}

static aff_status device_line(struct device *d)
{
    struct aff_link link = { .struct_size = sizeof link, .up = 1 };
    char byte;

    if (read(d->world->line, &byte, 1) <= 0)
        return AFF_AGAIN;
    if (byte == '.')
        return AFF_END;
    link.signal_dbm = (int16_t)-byte;
    d->host->link_set(d->host, &link);
    return device_say(d, d->next++);
}

static aff_status device_read(void *self, uint32_t want)
{
    struct device *d = self;
    aff_status status = AFF_OK;
    uint32_t i;

    d->reads++;
    if (d->world->line >= 0)
        return device_line(d);
    for (i = 0; status >= 0 && i < want / 8 + 1 && d->next < RECORDS; i++) {
        status = device_say(d, d->next);
        d->next += status >= 0;
    }
    d->below[d->host->epoch(d->host) % EPOCHS] = d->next;
    if (status >= 0)
        status = device_work(d);
    if (status < 0 || d->next < RECORDS)
        return status;
    if (d->world->ends_at > 0 || atomic_load(&d->world->answered) == COMMANDS)
        return AFF_END;
    d->host->wake_at(d->host, d->host->now_ns(d->host) + 20000);
    return AFF_AGAIN;
}

static aff_status device_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct device *d = self;
    uint32_t i;

    for (i = 0; i < batch->count; i++, *ret_taken = i) {
        if (!d->host->hold(d->host, &batch->records[i])) {
            d->world->too_many++;
            return AFF_ERR_MEMORY;
        }
        d->held++;
        batch->verdicts[i] = V_UNDER_WAY;
    }
    return AFF_OK;
}

static aff_status device_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct device *d = self;

    *ret_size = sizeof d->next;
    if (room >= sizeof d->next)
        memcpy(buffer, &d->next, sizeof d->next);
    return AFF_OK;
}

static void device_committed(void *self, uint64_t epoch)
{
    struct device *d = self;

    if (d->below[epoch % EPOCHS] > d->world->safe)
        d->world->safe = d->below[epoch % EPOCHS];
}

static aff_status device_restore(void *self, const void *buffer, size_t size)
{
    struct device *d = self;

    if (size != sizeof d->next)
        return AFF_ERR_DATA;
    memcpy(&d->next, buffer, size);
    d->world->unsafe += d->next < d->world->safe;
    while (d->host->held(d->host, d->held))
        d->held++;
    return AFF_OK;
}

static const struct aff_plugin device = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .flags = AFF_REPLAYS,
    .name = "device", .config_size = sizeof(struct world *), .inputs = AFF_TABLE(commands_in),
    .outputs = AFF_TABLE(device_out), .verdicts = AFF_TABLE(device_verdicts), .open = device_open,
    .close = device_close, .read = device_read, .process = device_process, .snapshot = device_snapshot,
    .restore = device_restore, .committed = device_committed,
};

/* ---- who looks ---- */

struct eye {
    const struct aff_host *host;
    struct world *world;
};

static aff_status eye_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct eye *e = host->alloc(host, sizeof *e);

    if (!e)
        return AFF_ERR_MEMORY;
    e->host = host;
    e->world = *(struct world *const *)config;
    *ret_self = e;
    return AFF_OK;
}

static void eye_close(void *self)
{
    struct eye *e = self;

    e->host->free(e->host, e);
}

static aff_status data_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct eye *e = self;
    struct aff_link link = { .struct_size = sizeof link };

    (void)ret_taken;
    e->world->data += batch->count;
    if (e->host->link_get(e->host, 0, &link) == AFF_OK && link.revision != e->world->seen.revision) {
        e->world->seen = link;
        e->world->changes++;
    }
    return AFF_OK;
}

static aff_status results_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct world *w = ((struct eye *)self)->world;
    uint32_t i;

    (void)ret_taken;
    for (i = 0; i < batch->count; i++) {
        uint64_t n = number_of(&batch->records[i]) / EVERY;

        if (n >= COMMANDS)
            w->invented++;
        else if (w->results[n]++ == 0)
            w->answered++;
    }
    return AFF_OK;
}

static const struct aff_plugin data_eye = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .name = "data",
    .config_size = sizeof(struct world *), .inputs = AFF_TABLE(any_in), .open = eye_open, .close = eye_close,
    .write = data_write,
};
static const struct aff_plugin results_eye = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .name = "results",
    .config_size = sizeof(struct world *), .inputs = AFF_TABLE(any_in), .open = eye_open, .close = eye_close,
    .write = results_write,
};

/* ---- the pipeline ---- */

struct bench {
    struct rig rig;
    struct part_orders orders;
    struct world *world;
    struct memkeep *keep;
};

static void bench_open(struct bench *b, bool stores)
{
    uint32_t d, o, data, results;

    memset(b, 0, sizeof *b);
    b->world = calloc(1, sizeof *b->world);
    assert_non_null(b->world);
    b->world->line = -1;
    b->world->works = 3;
    b->orders.every = EVERY;
    rig_begin(&b->rig);
    b->rig.plan.commit_records = 64;
    b->rig.plan.commit_every_ns = 3000000;
    if (stores) {
        b->keep = memkeep_open();
        b->rig.plan.store_limit = 1u << 30;
        b->rig.options.kept = memkeep_kept(b->keep);
    }
    d = rig_node(&b->rig, "device", &device, &b->world);
    o = rig_node(&b->rig, "orders", &part_orders, &b->orders);
    data = rig_node(&b->rig, "data", &data_eye, &b->world);
    results = rig_node(&b->rig, "results", &results_eye, &b->world);
    rig_edge(&b->rig, d, 0, o, 0);
    rig_edge(&b->rig, o, 0, data, 0);
    rig_edge(&b->rig, d, 1, results, 0);
    rig_edge(&b->rig, o, 1, d, 0);
    b->rig.edges[3].when_full = stores ? WHEN_FULL_SPILL : WHEN_FULL_DROP_OLDEST;
}

static void bench_close(struct bench *b)
{
    if (b->keep)
        memkeep_close(&b->keep);
    free(b->world);
}

/* One life; true: it came to its end. */
static bool live(struct bench *b, uint64_t dies_at, bool torn)
{
    struct flow *flow = rig_open(&b->rig, LAYOUT_NORMAL);
    const char *why;
    bool died = false;

    assert_non_null(flow);
    if (b->keep)
        memkeep_begin(b->keep, flow, dies_at, torn);
    assert_true(flow_start(flow));
    flow_wait(flow, -1);
    if (b->keep) {
        memkeep_end(b->keep);
        died = memkeep_died(b->keep) && !memkeep_finished(b->keep);
    }
    assert_int_equal(flow_failure(flow, &why), AFF_OK);
    assert_false(flow_unbalanced(flow));
    if (!died)
        assert_true(flow_balances(flow));
    flow_close(&flow);
    return !died;
}

static void judge(const struct world *w, bool once)
{
    uint32_t i;

    assert_int_equal(w->invented, 0);
    assert_int_equal(w->unmarked, 0);
    assert_int_equal(w->renamed, 0);
    assert_int_equal(w->too_many, 0);
    assert_int_equal(w->unsafe, 0);
    assert_true(w->safe > 0);
    for (i = 0; i < COMMANDS; i++) {
        assert_true(w->done[i] >= 1);
        assert_true(w->results[i] >= 1);
        if (once)
            assert_int_equal(w->done[i], 1);
    }
}

/* ---- tests ---- */

static void commands_in_a_circle_are_all_done_once(void **state)
{
    struct bench b;
    int stores;

    (void)state;
    for (stores = 0; stores < 2; stores++) {
        bench_open(&b, stores);
        assert_true(live(&b, 0, false));
        judge(b.world, true);
        assert_int_equal(b.world->data, RECORDS);
        bench_close(&b);
    }
}

static void after_any_death_every_command_is_done_and_a_second_time_only_marked(void **state)
{
    uint64_t at, round, deaths, all = 0;
    struct bench b;

    (void)state;
    /* Where the machine is busy, commits are fewer and fewer lives end early: more rounds then. */
    for (round = 0; round < 15 || (all <= 30 && round < 150); round++) {
        at = 1 + round % 15;
        bench_open(&b, true);
        for (deaths = 0; deaths < 8 && !live(&b, at + deaths % 5, (at + deaths) % 2); deaths++)
            all++;
        if (deaths == 8)
            assert_true(live(&b, 0, false));
        judge(b.world, false);
        bench_close(&b);
    }
    assert_true(all > 30);
}

static void a_device_that_does_nothing_it_is_told_is_read_all_the_same(void **state)
{
    struct bench b;

    (void)state;
    bench_open(&b, true);
    b.world->works = 0;
    b.world->ends_at = RECORDS;
    assert_true(live(&b, 0, false));
    assert_int_equal(b.world->data, RECORDS);
    assert_int_equal(b.world->kinds, 0);
    assert_int_equal(b.world->too_many, 0);
    /* What it did not do is kept: held, or in its queue. */
    assert_true(memkeep_figures(b.keep).records > 0);
    bench_close(&b);
}

struct writing {
    int fd;
    int count;
};

static void *write_slowly(void *arg)
{
    struct writing *w = arg;
    int i;

    for (i = 0; i < w->count; i++) {
        usleep(2000);
        if (write(w->fd, i < w->count / 2 ? "a" : "b", 1) != 1)
            break;
    }
    if (write(w->fd, ".", 1) != 1)
        return arg;
    return NULL;
}

static void a_source_is_read_when_what_it_watches_is_ready(void **state)
{
    struct writing writing = { .count = 100 };
    pthread_t writer;
    void *failed;
    struct bench b;
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    bench_open(&b, false);
    b.world->line = ends[0];
    writing.fd = ends[1];
    assert_int_equal(pthread_create(&writer, NULL, write_slowly, &writing), 0);
    assert_true(live(&b, 0, false));
    pthread_join(writer, &failed);
    assert_null(failed);
    assert_int_equal(b.world->data, 100);
    /* Sinks see what the device says of its link, with a revision a change. */
    assert_int_equal(b.world->seen.revision, 2);
    assert_int_equal(b.world->seen.signal_dbm, -'b');
    assert_string_equal(b.world->seen.name, "device");
    assert_true(b.world->changes >= 1 && b.world->changes <= 2);
    bench_close(&b);
    close(ends[0]);
    close(ends[1]);
}

static _Atomic int said;

static void count_log(void *arg, int level, const char *node, const char *text)
{
    (void)arg;
    (void)node;
    said += level == AFF_LOG_ERROR && strstr(text, "descriptor that is closed") != NULL;
}

static void a_closed_descriptor_that_is_still_watched_is_told_and_forgotten(void **state)
{
    struct bench b;
    struct flow *flow;

    (void)state;
    bench_open(&b, false);
    b.rig.options.log = count_log;
    b.world->line = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 900); /* a number that is not used again */
    assert_true(b.world->line >= 900);
    close(b.world->line);
    atomic_store(&said, 0);
    flow = rig_open(&b.rig, LAYOUT_NORMAL);
    assert_non_null(flow);
    assert_true(flow_start(flow));
    while (!flow_wait(flow, 1000000) && atomic_load(&said) == 0)
        continue;
    flow_drain(flow);
    flow_wait(flow, -1);
    flow_close(&flow);
    assert_int_equal(said, 1);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_in_a_circle_are_all_done_once),
        cmocka_unit_test(after_any_death_every_command_is_done_and_a_second_time_only_marked),
        cmocka_unit_test(a_device_that_does_nothing_it_is_told_is_read_all_the_same),
        cmocka_unit_test(a_source_is_read_when_what_it_watches_is_ready),
        cmocka_unit_test(a_closed_descriptor_that_is_still_watched_is_told_and_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
