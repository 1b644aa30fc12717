/* test_body.c - bodies and answers alone: no server, no host.
 *
 * Not here: what is done about an answer (test_out_http.c), joining and packing (http/test_pack.c). */
#include <afferent/testkit.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "frame.h"
#include "record.h"

#define NOON (INT64_C(1772712000) * 1000000000)

static const struct aff_column columns[] = {
    { .name = "rate", .type = AFF_REAL, .unit = "/min", .code = "8867-4" }, { .name = "n\"", .type = AFF_INT },
    { .name = "on", .type = AFF_BOOL },                                     { .name = "at", .type = AFF_TIME },
    { .name = "say", .type = AFF_TEXT },
};
static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .name = "mixed",
                                          .columns = columns, .count = 5, .stride = sizeof columns[0] };

static _Alignas(16) unsigned char memory[4096];

static struct aff_record record_of(uint8_t type, uint32_t size)
{
    return (struct aff_record){ .id = { 0x1234, 7 }, .event_ns = NOON + 500000000, .data = memory, .size = size, .type = type };
}

static struct aff_record row_make(int full)
{
    struct aff_record r = record_of(AFF_FIELDS, 0);
    struct aff_row row = aff_row_begin(&r, 5);

    if (full) {
        aff_row_put_real(&row, 0, 1.25);
        aff_row_put_int(&row, 1, INT64_MIN);
        aff_row_put_int(&row, 2, 1);
        aff_row_put_int(&row, 3, NOON);
        aff_row_put_text(&row, 4, "a\"\x01\xff", 4);
    }
    r.size = aff_row_end(&row);
    return r;
}

static const char *written(struct text *t, const struct config *config, const struct aff_record *r, const struct aff_schema *s)
{
    struct source from = { r, s, "bed \"3\"", "x" };
    const char *problem;

    t->size = 0;
    problem = record_write(t, config, &from);
    text_add(t, "", 1);
    return problem;
}

TEST(a_row_is_one_object_whatever_its_cells)
{
    struct config config = { .format = FORMAT_JSON };
    struct aff_record r = row_make(1);
    struct text t = { 0 };

    assert_null(written(&t, &config, &r, &schema));
    assert_string_equal(t.bytes, "{\"id\":\"0000000000001234-7\",\"time\":\"2026-03-05T12:00:00.5Z\",\"subject\":\"bed \\\"3\\\"\","
                                 "\"stream\":\"x\",\"data\":{\"rate\":1.25,\"n\\\"\":-9223372036854775808,\"on\":true,"
                                 "\"at\":\"2026-03-05T12:00:00Z\",\"say\":\"a\\\"\\u0001\xef\xbf\xbd\"}");
    r = row_make(0);
    r.flags = AFF_FLAG_SUSPECT | AFF_FLAG_GAP;
    assert_null(written(&t, &config, &r, &schema));
    assert_non_null(strstr(t.bytes, "\"suspect\":true,\"gap\":true,\"data\":{\"rate\":null,\"n\\\"\":null"));
    r.size = 8;
    assert_non_null(written(&t, &config, &r, &schema));
    assert_int_equal(t.size, 1); /* nothing of it stays */
    assert_non_null(written(&t, &config, &r, NULL));
    text_free(&t);
}

TEST(samples_are_lists_of_physical_values)
{
    static const struct aff_column ecg = { .name = "II", .unit = "mV", .gain = 200, .baseline = 100 };
    static const struct aff_schema wave = { .struct_size = sizeof wave, .type = AFF_SAMPLES, .format = AFF_I16, .columns = &ecg,
                                            .count = 1, .stride = sizeof ecg, .rate_num = 250, .rate_den = 1 };
    struct config config = { .format = FORMAT_JSON };
    struct aff_samples head = { .first = 500, .count = 3, .channels = 1, .format = AFF_I16 };
    int16_t values[] = { 300, INT16_MIN, 0 };
    struct aff_record r = record_of(AFF_SAMPLES, (uint32_t)aff_samples_size(3, 1, AFF_I16));
    struct text t = { 0 };

    memcpy(memory, &head, sizeof head);
    memcpy(memory + sizeof head, values, sizeof values);
    assert_null(written(&t, &config, &r, &wave));
    assert_non_null(strstr(t.bytes, "\"data\":{\"first\":500,\"count\":3,\"rate\":250,\"channels\":{\"II\":{\"unit\":\"mV\","
                                    "\"values\":[1,null,-0.5]}}}"));
    config.format = FORMAT_FHIR;
    assert_null(written(&t, &config, &r, &wave));
    assert_non_null(strstr(t.bytes, "\"valueSampledData\":{\"origin\":{\"value\":-0.5,\"unit\":\"mV\",\"system\":"
                                    "\"http://unitsofmeasure.org\",\"code\":\"mV\"},\"period\":4,\"factor\":0.005,"
                                    "\"dimensions\":1,\"data\":\"300 E 0\"}"));
    r.size -= 8;
    assert_non_null(written(&t, &config, &r, &wave));
    head.format = AFF_F32;
    r.size = (uint32_t)aff_samples_size(3, 1, AFF_F32);
    memcpy(memory, &head, sizeof head);
    memcpy(memory + sizeof head, (const float[]){ 1e-6f, -2e20f, 0 }, 3 * sizeof(float));
    assert_null(written(&t, &config, &r, &wave));
    assert_non_null(strstr(t.bytes, "\"data\":\"0.000001 -200000"));
    assert_non_null(strstr(t.bytes, " 0\"}"));
    text_free(&t);
}

TEST(bytes_are_text_or_base64)
{
    struct config config = { .format = FORMAT_NDJSON };
    struct aff_record r = record_of(AFF_BYTES, 3);
    struct text t = { 0 };

    memcpy(memory, "a\nb", 3);
    assert_null(written(&t, &config, &r, NULL));
    assert_non_null(strstr(t.bytes, "\"data\":{\"text\":\"a\\nb\"}"));
    memcpy(memory, "\xff\x00\x01", 3);
    assert_null(written(&t, &config, &r, NULL));
    assert_non_null(strstr(t.bytes, "\"data\":{\"base64\":\"/wAB\"}"));
    config.format = FORMAT_FHIR;
    assert_non_null(written(&t, &config, &r, NULL));
    config.format = FORMAT_RAW;
    assert_null(written(&t, &config, &r, NULL));
    r.type = AFF_FIELDS;
    assert_non_null(written(&t, &config, &r, &schema));
    text_free(&t);
}

/* ---- frames ---- */

static void frame_of(struct text *ret, int format, const char *elements, const struct item *items, uint32_t count)
{
    struct config config = { .format = format };
    struct text all = { (char *)(uintptr_t)elements, strlen(elements), 0, 0 };

    assert_true(frame_write(ret, &config, &all, items, count));
    text_add(ret, "", 1);
}

TEST(a_frame_is_of_its_format_and_the_same_whenever_it_is_sent)
{
    const struct item items[] = { { { 1, 1 }, 0, 0, 4, false }, { { 1, 2 }, 0, 4, 8, true } };
    struct text t = { 0 };

    frame_of(&t, FORMAT_JSON, "{1:2{3:4", items, 2);
    assert_string_equal(t.bytes, "[{1:2},{3:4}]");
    frame_of(&t, FORMAT_NDJSON, "{1:2{3:4", items, 2);
    assert_string_equal(t.bytes, "{1:2}\n{3:4}\n");
    frame_of(&t, FORMAT_FHIR, "{1:2{3:4", items, 2);
    assert_string_equal(t.bytes, "{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[{1:2},{3:4}]}");
    frame_of(&t, FORMAT_RAW, "{1:2{3:4", items, 1);
    assert_string_equal(t.bytes, "{1:2");
    text_free(&t);
}

/* ---- answers ---- */

TEST(a_status_speaks_of_the_records_or_of_the_way)
{
    static const struct { long status; enum judgement one, many; } cases[] = {
        { 200, JUDGE_ACCEPTED, JUDGE_ACCEPTED }, { 204, JUDGE_ACCEPTED, JUDGE_ACCEPTED }, { 207, JUDGE_EACH, JUDGE_EACH },
        { 301, JUDGE_LATER, JUDGE_LATER },       { 308, JUDGE_LATER, JUDGE_LATER },       { 400, JUDGE_REFUSED, JUDGE_SPLIT },
        { 401, JUDGE_WHO, JUDGE_WHO },           { 403, JUDGE_LATER, JUDGE_LATER },       { 404, JUDGE_LATER, JUDGE_LATER },
        { 405, JUDGE_LATER, JUDGE_LATER },       { 408, JUDGE_LATER, JUDGE_LATER },       { 409, JUDGE_REFUSED, JUDGE_SPLIT },
        { 413, JUDGE_REFUSED, JUDGE_SPLIT },     { 415, JUDGE_LATER, JUDGE_LATER },       { 422, JUDGE_REFUSED, JUDGE_SPLIT },
        { 429, JUDGE_LATER, JUDGE_LATER },       { 500, JUDGE_LATER, JUDGE_DOUBT },       { 502, JUDGE_LATER, JUDGE_LATER },
        { 503, JUDGE_LATER, JUDGE_LATER },       { 0, JUDGE_LATER, JUDGE_LATER },         { 999, JUDGE_LATER, JUDGE_LATER },
    };
    struct config config = { .format = FORMAT_JSON };
    const char *why;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum judgement one = answer_judge(&config, cases[i].status, 1, &why);

        if (one != cases[i].one || answer_judge(&config, cases[i].status, 9, &why) != cases[i].many)
            fail_msg("status %ld", cases[i].status);
        assert_true(why || one != JUDGE_LATER);
    }
    config.format = FORMAT_FHIR;
    assert_int_equal(answer_judge(&config, 200, 1, &why), JUDGE_EACH);
    assert_int_equal(answer_outcome(201), AFF_OK);
    assert_int_equal(answer_outcome(422), AFF_ERR_DATA);
    assert_int_equal(answer_outcome(424), AFF_ERR_IO);
    assert_int_equal(answer_outcome(403), AFF_ERR_IO); /* who may not write is not to lose all to the dead letters */
    assert_int_equal(answer_outcome(404), AFF_ERR_DATA);
    assert_int_equal(answer_outcome(503), AFF_ERR_IO);
}

static const struct aff_id ids[] = { { 1, 1 }, { 1, 2 }, { 1, 3 } };

static bool read_as(const struct config *config, const char *body, unsigned *ret)
{
    struct answers *a = answers_open(config);
    size_t size = strlen(body);
    char *padded = calloc(1, size + answers_padding());
    bool good;

    assert_non_null(a);
    assert_non_null(padded);
    memcpy(padded, body, size);
    good = answers_read(a, padded, size, &(struct outcomes){ ids, sizeof ids[0], 3, ret });
    free(padded);
    answers_close(a);
    return good;
}

TEST(outcomes_are_by_order_or_by_id)
{
    static const struct answer_config nested = { "result.items", "index.status", "index._id" };
    struct config fhir = { .format = FORMAT_FHIR, .answer_most = 65536 }, plain = fhir, own = fhir;
    unsigned is[3];

    plain.format = own.format = FORMAT_JSON;
    own.answer = &nested;
    assert_true(read_as(&fhir, "{\"resourceType\":\"Bundle\",\"entry\":[{\"response\":{\"status\":\"201 Created\"}},"
                               "{\"response\":{\"outcome\":{},\"status\":\"422\"}},{\"response\":{\"status\":\"200 OK\"}}]}", is));
    assert_true(is[0] == 201 && is[1] == 422 && is[2] == 200);
    assert_true(read_as(&plain, "[{\"status\":201,\"id\":\"0000000000000001-3\"},{\"status\":422,\"id\":\"0000000000000001-1\"},"
                                "{\"status\":503,\"id\":\"0000000000000001-2\"}]", is));
    assert_true(is[0] == 422 && is[1] == 503 && is[2] == 201);
    assert_true(read_as(&own, "{\"result\":{\"took\":3,\"items\":[{\"index\":{\"_id\":\"server's own\",\"status\":201}},"
                              "{\"index\":{\"status\":201}},{\"index\":{\"status\":400}}]}}", is));
    assert_true(is[0] == 201 && is[1] == 201 && is[2] == 400);
}

TEST(an_answer_in_doubt_says_nothing)
{
    static const char *const bodies[] = {
        "", "[", "null", "{}", "[{\"status\":201},{\"status\":201}]", "[{\"status\":201},{\"status\":201},{\"status\":201},{\"status\":201}]",
        "[{\"status\":201},{\"status\":201},{\"status\":201}]]", "[{\"status\":201},{\"status\":201},{\"status\":\"fine\"}]",
        "[{\"status\":201},{\"status\":201},{\"status\":20}]", "[{\"status\":201},{\"status\":201},{\"status\":2011}]",
        "[{\"status\":201},{\"status\":201},201]", "[{\"status\":201},{\"status\":201},{}]",
        "[{\"status\":201},{\"status\":201,\"status\":422},{\"status\":201}]",
        "[{\"status\":201,\"id\":\"0000000000000001-2\"},{\"status\":422,\"id\":\"0000000000000001-2\"},{\"status\":201}]",
        "[{\"status\":201},{\"status\":201},{\"status\":201}", "<html></html>", "[{\"status\":201},{\"status\":201},{\"status\":[201]}]",
    };
    struct config plain = { .format = FORMAT_JSON, .answer_most = 65536 };
    unsigned is[3];

    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        if (read_as(&plain, bodies[i], is))
            fail_msg("taken: %s", bodies[i]);
}

AFF_TEST_MAIN(a_row_is_one_object_whatever_its_cells, samples_are_lists_of_physical_values, bytes_are_text_or_base64,
              a_frame_is_of_its_format_and_the_same_whenever_it_is_sent,
              a_status_speaks_of_the_records_or_of_the_way, outcomes_are_by_order_or_by_id,
              an_answer_in_doubt_says_nothing)
