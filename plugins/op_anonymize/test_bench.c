/* SPDX-License-Identifier: Apache-2.0
 *
 * test_bench.c - see test_bench.h. */
#include "test_bench.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

const char *bench_path(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

void bench_open(void)
{
    FILE *f;

    (void)snprintf(folder, sizeof folder, "/tmp/anonymize-XXXXXX");
    assert_non_null(mkdtemp(folder));
    f = fopen(bench_path("key"), "w");
    assert_non_null(f);
    assert_true(fputs("afferent-key 1 " REFERENCE_KEY "\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(bench_path("key"), 0600), 0);
}

void bench_close(void)
{
    DIR *d = opendir(folder);
    struct dirent *e;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL)
        (void)unlink(bench_path(e->d_name));
    (void)closedir(d);
    assert_int_equal(rmdir(folder), 0);
}

const char *bench_toml(const char *more)
{
    static char toml[4096];

    (void)snprintf(toml, sizeof toml, "key = \"%s\"\n%s%s", bench_path("key"),
                   strstr(more, "project") ? "" : "project = \"ward-7\"\n", more);
    return toml;
}

struct aff_harness *bench_plugin(const char *more)
{
    return aff_harness_open("op_anonymize", bench_toml(more));
}

const char *bench_file(const char *name)
{
    static char text[65536];
    FILE *f = fopen(bench_path(name), "r");
    size_t size;

    assert_non_null(f);
    size = fread(text, 1, sizeof text - 1, f);
    text[size] = 0;
    (void)fclose(f);
    return text;
}

static void bytes_clean(const char *what, const void *bytes, size_t size)
{
    if (bytes && memmem(bytes, size, CANARY, sizeof CANARY - 1))
        fail_msg("%s of what came out has a canary in it", what);
}

static void text_clean(const char *what, const char *text)
{
    bytes_clean(what, text, text ? strlen(text) : 0);
}

static void record_clean(struct aff_harness *h, const struct aff_record *r)
{
    const struct aff_stream_info *info = aff_harness_stream_info(h, r->stream);
    const struct aff_schema *schema = aff_harness_schema(h, r);

    bytes_clean("the payload", r->data, r->size);
    bytes_clean("the id", &r->id, sizeof r->id);
    text_clean("the stream's name", info->name);
    text_clean("the subject", info->subject_name);
    text_clean("the schema's name", schema->name);
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct aff_column *c = (const void *)((const char *)schema->columns + (size_t)i * schema->stride);

        text_clean("a column's name", c->name);
        text_clean("a unit", c->unit);
        text_clean("a code", c->code);
    }
}

const struct aff_record *bench_take_clean(struct aff_harness *h, const char *port, size_t *ret_count)
{
    const struct aff_record *r, *last = NULL;
    size_t count = 0;

    while ((r = aff_harness_take(h, port)) != NULL) {
        record_clean(h, r);
        last = r;
        count++;
    }
    if (ret_count)
        *ret_count = count;
    return last;
}

void bench_silent(struct aff_harness *h)
{
    assert_int_equal(aff_harness_logged(h, AFF_LOG_DEBUG, CANARY), 0);
}

static const struct aff_column patient_columns[PATIENT_COLUMNS] = {
    [NAME] = { .name = "name", .type = AFF_TEXT, .label = AFF_LABEL_PHI, .unit = CANARY },
    [MRN] = { .name = "mrn", .type = AFF_TEXT, .label = AFF_LABEL_PHI, .unit = CANARY, .code = CANARY },
    [VISIT] = { .name = "visit", .type = AFF_INT, .label = AFF_LABEL_PHI },
    [AGE] = { .name = "age", .unit = "a", .type = AFF_INT, .label = AFF_LABEL_QUASI },
    [POSTCODE] = { .name = "postcode", .type = AFF_TEXT, .label = AFF_LABEL_QUASI },
    [BIRTH] = { .name = "birth", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    [ADMITTED] = { .name = "admitted", .type = AFF_TIME, .label = AFF_LABEL_PHI },
    [NOTE] = { .name = "note", .type = AFF_TEXT, .label = AFF_LABEL_PHI },
    [RATE] = { .name = "heart_rate", .unit = "/min", .code = "8867-4", .type = AFF_REAL },
};
const struct aff_schema patient_schema = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = CANARY, .columns = patient_columns,
    .count = PATIENT_COLUMNS, .stride = sizeof(struct aff_column),
};
const char patient_rules[] =
    "columns = { heart_rate = \"keep\", mrn = \"pseudonym\", visit = \"pseudonym\", birth = \"shift\", "
    "admitted = \"shift\", note = \"redact\", name = \"drop\" }\n"
    "generalise = { age = { width = 5, top = 90 }, postcode = { digits = 2 } }\n";

uint32_t patient_stream(struct aff_harness *h, const char *subject)
{
    return aff_harness_stream(h, subject, "vitals " CANARY, &patient_schema);
}

aff_status patient_push(struct aff_harness *h, uint32_t stream, int64_t event_ns, int age, const char *postcode)
{
    aff_harness_seek(h, stream, 0, event_ns);
    return AFF_PUSH_ROW(h, "rows", stream, AFF_CELL_TEXT("Maria " CANARY), AFF_CELL_TEXT(CANARY),
                        AFF_CELL_INT(CANARY_INT), AFF_CELL_INT(age), AFF_CELL_TEXT(postcode),
                        AFF_CELL_TEXT("1950-03-02"), AFF_CELL_INT(event_ns - INT64_C(3600000000000)),
                        AFF_CELL_TEXT("seen by " CANARY), AFF_CELL_REAL(72.5));
}
