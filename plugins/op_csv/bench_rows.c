/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_rows.c - how fast op_csv and op_json read: MB/s of a made-up text of vital
 * signs, through their process(), by a host that only makes room.
 *
 *     bench_rows op_csv.so op_json.so          measures, a line a metric
 *     bench_rows --write FOLDER                writes the two texts, for peers
 *
 * Each text is 50 MB, given in blocks of 64 KiB as in_file does, and read several
 * times; the best counts, as the machine's other work only ever adds.
 *
 * Not here: the runtime's share (tests/bench), a bare read by simdjson
 * (op_json/bench_simdjson.cc). */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <op_csv/reader.h>
#include <rows/mini_host.h>

enum { BLOCK = 64 * 1024, TEXT = 50 * 1000 * 1000, ROUNDS = 5 };

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* One reading of a text; its seconds. */
static double read_once(const struct aff_plugin *plugin, const void *config, const char *text, size_t size,
                        uint64_t *ret_rows)
{
    struct mini_host h;
    struct aff_record record = { .stream = 1, .subject = 1, .type = AFF_BYTES };
    uint8_t verdict = 0;
    struct aff_batch batch = { &record, &verdict, 1, 0 };
    uint32_t taken;
    void *self;
    double began;
    size_t at;

    mini_open(&h);
    h.input = &record;
    if (plugin->open(&h.host, config, &self) != AFF_OK)
        exit(1);
    began = now_s();
    for (at = 0; at < size; at += record.size) {
        union {
            const char *from;
            void *to;
        } data = { text + at };

        record.data = data.to;
        record.size = (uint32_t)(size - at < BLOCK ? size - at : BLOCK);
        if (plugin->process(self, &batch, &taken) != AFF_OK || h.dead)
            exit(1);
    }
    began = now_s() - began;
    *ret_rows = h.rows;
    plugin->close(self);
    mini_close(&h);
    return began;
}

static void measure(const char *name, const char *path, const void *config, const char *text, size_t size)
{
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const struct aff_plugin *plugin = module ? dlsym(module, "afferent_plugin_v1") : NULL;
    double best = 1e9, took;
    uint64_t rows = 0;
    int i;

    if (!plugin) {
        fprintf(stderr, "bench_rows: cannot load %s: %s\n", path, dlerror());
        exit(1);
    }
    for (i = 0; i < ROUNDS; i++) {
        took = read_once(plugin, config, text, size, &rows);
        best = took < best ? took : best;
    }
    printf("%s_read\t%.1f\tMB/s\n%s_row\t%.1f\tns\n", name, (double)size / best / 1e6, name, best * 1e9 / (double)rows);
    dlclose(module);
}

/* A walk of vital signs, a row a second. */
static size_t text_make(char *to, int json)
{
    static const char *const forms[] = {
        "2024-01-%02dT%02d:%02d:%02dZ,P%04d,%d,%.1f,%d,%d,%d,%.2f\n",
        "{\"time\":\"2024-01-%02dT%02d:%02d:%02dZ\",\"subject\":\"P%04d\",\"heart_rate\":%d,\"spo2\":%.1f,"
        "\"respiratory_rate\":%d,\"systolic\":%d,\"diastolic\":%d,\"temperature\":%.2f}\n",
    };
    size_t used = 0;
    unsigned i;

    if (!json)
        used = (size_t)sprintf(to, "time,subject,heart_rate,spo2,respiratory_rate,systolic,diastolic,temperature\n");
    for (i = 0; used < TEXT - 400; i++)
        used += (size_t)sprintf(to + used, forms[json], 1 + (int)(i / 86400 % 28), (int)(i / 3600 % 24),
                                (int)(i / 60 % 60), (int)(i % 60), (int)(i / 512 % 20), 60 + (int)(i * 7 % 41),
                                94 + (double)(i * 13 % 60) / 10, 12 + (int)(i % 9), 110 + (int)(i * 3 % 37),
                                65 + (int)(i * 5 % 23), 36 + (double)(i * 17 % 200) / 100);
    return used;
}

static void text_write(const char *folder, const char *name, const char *text, size_t size)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "wb");
    if (!f || fwrite(text, 1, size, f) != size || fclose(f) != 0)
        exit(1);
}

#define COLUMN(n, t) { .name = n, .from = "", .unit = "", .code = "", .format = "", .type = t }
static const struct rows_column columns[] = {
    COLUMN("heart_rate", COLUMN_REAL), COLUMN("spo2", COLUMN_REAL), COLUMN("respiratory_rate", COLUMN_REAL),
    COLUMN("systolic", COLUMN_REAL), COLUMN("diastolic", COLUMN_REAL), COLUMN("temperature", COLUMN_REAL),
};
static const struct rows_time time_of = { "time", "iso8601", "Z", "1970-01-01" };

/* op_json's config begins alike and goes on with one text. */
struct json_like {
    struct rows_config rows;
    const char *root;
};

int main(int argc, char **argv)
{
    const struct rows_config rows = { .columns = { columns, 6, sizeof columns[0] }, .time = &time_of,
                                      .subject = "subject", .max_row = BLOCK, .framing = FRAMING_STREAM };
    const struct csv_config csv = { .rows = rows, .delimiter = ",", .quote = "\"", .comment = "", .header = 1 };
    const struct json_like json = { rows, "" };
    char *text = malloc(TEXT);
    size_t size;

    if (argc != 3 || !text)
        return 2;
    size = text_make(text, 0);
    if (strcmp(argv[1], "--write") == 0)
        text_write(argv[2], "vitals.csv", text, size);
    else
        measure("op_csv", argv[1], &csv, text, size);
    size = text_make(text, 1);
    if (strcmp(argv[1], "--write") == 0)
        text_write(argv[2], "vitals.jsonl", text, size);
    else
        measure("op_json", argv[2], &json, text, size);
    free(text);
    return 0;
}
