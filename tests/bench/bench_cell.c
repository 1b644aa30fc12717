/* bench_cell.c - what a process costs a plugin: the same plugin called in this thread
 * and in a cell, per record, by batches of 1, 8 and 64.
 *
 * Three plugins: one that looks at nothing, one that edits 1 KiB in place, one that
 * makes a record of 256 bytes of each. The host here does next to nothing, so what is
 * left is the call. Ratios are what to look at; all are measured in turns and the best
 * of many turns counts. */
#include <stdarg.h>
#include <string.h>

#include "bench.h"
#include "cell/cell.h"

enum { BATCHES = 3, TURNS = 20, TURN_RECORDS = 6400, PAYLOAD = 1024, MADE = 256, BATCH_MOST = 64 };

/* ---- the plugins ---- */

static const struct aff_schema bytes = { .struct_size = sizeof bytes, .type = AFF_BYTES, .name = "bytes" };
static const struct aff_port looks[] = { { .name = "in", .doc = "Bytes.", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_port edits[] = {
    { .name = "in", .doc = "Bytes.", .types = AFF_MASK(AFF_BYTES), .flags = AFF_PORT_EDITS },
};
static const struct aff_port passes[] = {
    { .name = "out", .doc = "Bytes.", .types = AFF_MASK(AFF_BYTES), .passes = AFF_PASSES(0) },
};
static const struct aff_port makes[] = { { .name = "out", .doc = "Bytes.", .types = AFF_MASK(AFF_BYTES), .schema = &bytes } };

static aff_status self_open(const struct aff_host *host, const void *config, void **ret_self)
{
    (void)config;
    *ret_self = (void *)(uintptr_t)host;
    return AFF_OK;
}

static aff_status look(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    (void)self, (void)batch, (void)ret_taken;
    return AFF_OK;
}

static aff_status edit(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    (void)self, (void)ret_taken;
    for (uint32_t i = 0; i < batch->count; i++) {
        bench_vec *v = batch->records[i].data;

        for (size_t k = 0; k < PAYLOAD / sizeof *v; k++)
            v[k] = v[k] * 3 + 1;
    }
    return AFF_OK;
}

static aff_status make(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    const struct aff_host *host = self;

    for (uint32_t i = 0; i < batch->count; i++) {
        struct aff_record *d = host->reserve(host, 0, i, MADE);

        if (!d) {
            *ret_taken = i;
            return AFF_ERR_MEMORY;
        }
        bench_fill(d->data, MADE, i);
        if (host->emit(host, d, MADE) < 0)
            return AFF_ERR_BUG;
    }
    return AFF_OK;
}

#define PLUGIN(name_, in_, out_, process_)                                                                      \
    { .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = (name_),    \
      .version = "1", .summary = "Measured.", .license = "Apache-2.0", .inputs = AFF_TABLE(in_),                \
      .outputs = AFF_TABLE(out_), .open = self_open, .process = (process_) }

static const struct aff_plugin plugins[] = {
    PLUGIN("op_look", looks, passes, look),
    PLUGIN("op_edit", edits, passes, edit),
    PLUGIN("op_make", looks, makes, make),
};
enum { PLUGINS = sizeof plugins / sizeof plugins[0] };

/* ---- a host that does next to nothing ---- */

static _Alignas(64) uint8_t made[PAYLOAD];
static struct aff_record draft;
static struct aff_stream_info stream = { 1, 1, 0, 1, "stream", "subject" };

static int64_t h_now(const struct aff_host *host)
{
    (void)host;
    return (int64_t)bench_now_ns();
}

static int64_t h_utc(const struct aff_host *host, uint8_t *ret_clock)
{
    *ret_clock = AFF_CLOCK_NONE;
    return h_now(host);
}

__attribute__((format(printf, 3, 4)))
static void h_log(const struct aff_host *host, int level, const char *format, ...)
{
    (void)host, (void)level;
    fprintf(stderr, "bench_cell: %s\n", format);
}

__attribute__((format(printf, 3, 4)))
static aff_status h_explain(const struct aff_host *host, aff_status status, const char *format, ...)
{
    va_list args;

    (void)host;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return status;
}

static uint32_t h_schema(const struct aff_host *host, const struct aff_schema *schema)
{
    (void)host, (void)schema;
    return 1;
}

static const struct aff_stream_info *h_stream_info(const struct aff_host *host, uint32_t number)
{
    (void)host, (void)number;
    return &stream;
}

static const struct aff_schema *h_schema_info(const struct aff_host *host, uint32_t number)
{
    (void)host, (void)number;
    return &bytes;
}

static struct aff_record *h_reserve(const struct aff_host *host, uint32_t port, uint32_t input, uint32_t size)
{
    (void)host, (void)port, (void)input;
    draft = (struct aff_record){ .data = made, .size = size, .stream = 1, .subject = 1, .schema = 1 };
    return &draft;
}

static aff_status h_emit(const struct aff_host *host, struct aff_record *record, uint32_t size)
{
    (void)host, (void)record, (void)size;
    return AFF_OK;
}

static const struct aff_host host = {
    .struct_size = sizeof host, .now_ns = h_now, .utc_ns = h_utc, .log = h_log, .explain = h_explain, .schema = h_schema,
    .stream_info = h_stream_info, .schema_info = h_schema_info, .reserve = h_reserve, .emit = h_emit,
};

/* ---- measuring ---- */

struct way {
    const struct aff_plugin *about;
    void *self;
    double best_ns[BATCHES];
};

static const uint32_t batches[BATCHES] = { 1, 8, 64 };

static double turn_ns(const struct way *way, struct aff_record *records, uint32_t count)
{
    uint8_t verdicts[BATCH_MOST];
    struct aff_batch batch = { records, verdicts, count, 0 };
    double began = bench_now_ns();
    uint32_t taken;

    for (uint32_t done = 0; done < TURN_RECORDS; done += count) {
        memset(verdicts, 0, sizeof verdicts);
        if (way->about->process(way->self, &batch, &taken) != AFF_OK)
            exit(1);
    }
    return (bench_now_ns() - began) / TURN_RECORDS;
}

static void report(const struct aff_plugin *about, const struct way *thread, const struct way *cell)
{
    char metric[64];

    for (int b = 0; b < BATCHES; b++) {
        snprintf(metric, sizeof metric, "cell_%s_thread_%u", about->name + 3, batches[b]);
        bench_print(metric, thread->best_ns[b], "ns/record");
        snprintf(metric, sizeof metric, "cell_%s_process_%u", about->name + 3, batches[b]);
        bench_print(metric, cell->best_ns[b], "ns/record");
        snprintf(metric, sizeof metric, "cell_%s_ratio_%u", about->name + 3, batches[b]);
        bench_print(metric, cell->best_ns[b] / thread->best_ns[b], "times");
        snprintf(metric, sizeof metric, "cell_%s_rate_%u", about->name + 3, batches[b]);
        bench_print(metric, 1e9 / cell->best_ns[b], "records/s");
    }
}

static void measure(struct plugins *known, const struct aff_plugin *constant, struct aff_record *records)
{
    struct cell_options options = { .node = "bench" };
    struct way ways[2] = { { .about = constant } };
    const char *line = "";
    struct cell *cell;
    char why[256];

    if (!plugins_add(known, constant, &line)) {
        fprintf(stderr, "bench_cell: %s\n", line);
        exit(1);
    }
    cell = cell_open(plugins_find(known, constant->name, &line), NULL, &options, why, sizeof why);
    if (!cell) {
        fprintf(stderr, "bench_cell: %s\n", why);
        exit(1);
    }
    ways[1].about = cell_plugin(cell);
    if (ways[0].about->open(&host, NULL, &ways[0].self) != AFF_OK ||
        ways[1].about->open(&host, cell_config(cell), &ways[1].self) != AFF_OK)
        exit(1);
    for (int turn = 0; turn < TURNS; turn++)
        for (int w = 0; w < 2; w++)
            for (int b = 0; b < BATCHES; b++) {
                double ns = turn_ns(&ways[w], records, batches[b]);

                if (turn == 0 || ns < ways[w].best_ns[b])
                    ways[w].best_ns[b] = ns;
            }
    report(constant, &ways[0], &ways[1]);
    ways[1].about->close(ways[1].self);
    cell_close(&cell);
}

int main(int argc, char **argv)
{
    static _Alignas(64) uint8_t payloads[BATCH_MOST][PAYLOAD];
    static struct aff_record records[BATCH_MOST];
    struct plugins *known;

    for (int i = 0; i < PLUGINS; i++)
        cell_child_know(&plugins[i]);
    if (cell_child_asked(argc, argv))
        return cell_child_main(argc, argv);
    known = plugins_open(NULL, 0);
    if (!known)
        return 1;
    for (uint32_t i = 0; i < BATCH_MOST; i++)
        records[i] = (struct aff_record){ .id = { 1, i }, .data = payloads[i], .size = PAYLOAD, .schema = 1, .subject = 1,
                                          .stream = 1, .type = AFF_BYTES };
    for (int i = 0; i < PLUGINS; i++)
        measure(known, &plugins[i], records);
    plugins_close(&known);
    return 0;
}
