/* SPDX-License-Identifier: Apache-2.0
 *
 * test_place.c - a saved position that is not this node's, or not whole, is refused.
 *
 * The instance is opened on a host of a few lines; nothing is read from it. That
 * a whole position resumes exactly is proved in test_in_synth.c and
 * test_signals.c. */
#include "ward_inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- a host ------------------------------------------------------------ */

static void *host_alloc(const struct aff_host *host, size_t size)
{
    (void)host;
    return calloc(1, size);
}

static void host_free(const struct aff_host *host, void *memory)
{
    (void)host;
    free(memory);
}

static aff_status host_explain(const struct aff_host *host, aff_status status, const char *format, ...)
{
    (void)host;
    (void)format;
    return status;
}

static void host_incarnation(const struct aff_host *host, const void *bytes, size_t size)
{
    (void)host;
    (void)bytes;
    (void)size;
}

static uint32_t host_subject(const struct aff_host *host, const char *name)
{
    (void)host;
    (void)name;
    return 1;
}

static uint32_t host_stream(const struct aff_host *host, uint32_t subject, const char *name, uint32_t schema)
{
    (void)host;
    (void)subject;
    (void)name;
    (void)schema;
    return 1;
}

static uint32_t host_schema(const struct aff_host *host, const struct aff_schema *schema)
{
    (void)host;
    (void)schema;
    return 1;
}

static const struct aff_host small_host = {
    .struct_size = sizeof(struct aff_host),
    .alloc = host_alloc,
    .free = host_free,
    .explain = host_explain,
    .incarnation = host_incarnation,
    .subject = host_subject,
    .stream = host_stream,
    .schema = host_schema,
};

static const int32_t named[] = { PORT_PLETH - PORT_RESPIRATION, PORT_VITALS - PORT_RESPIRATION };

static struct config config_make(void)
{
    return (struct config){
        .rate = 360.0, .leads = 2, .heart_rate = 75.0, .heart_rate_sd = 1.0, .spread = 10.0, .lf_hf = 0.5,
        .hum_freq = 50.0, .seed = 1, .subject = "patient", .subjects = 3, .pace = PACE_FAST, .start = "1970-01-01",
        .block = SECOND_NS / 4, .signals = { named, 2, sizeof named[0] }, .vitals_every = SECOND_NS,
        .pressure_every = SECOND_NS, .observed_every = SECOND_NS, .respiratory_rate = 15.0, .spo2 = 97.0,
        .systolic = 122.0, .diastolic = 76.0, .temperature = 36.8, .variation = 1.0,
    };
}

struct saved {
    struct ward *ward;
    unsigned char *bytes;
    size_t size;
};

static struct saved saved_make(const struct config *cfg)
{
    struct saved s = { NULL, NULL, 0 };
    void *self = NULL;

    assert_int_equal(ward_open(&small_host, cfg, &self), AFF_OK);
    s.ward = self;
    assert_int_equal(ward_snapshot(self, NULL, 0, &s.size), AFF_OK);
    s.bytes = calloc(1, s.size + 1);
    assert_non_null(s.bytes);
    assert_int_equal(ward_snapshot(self, s.bytes, s.size, &s.size), AFF_OK);
    return s;
}

static void saved_free(struct saved *s)
{
    ward_close(s->ward);
    free(s->bytes);
}

/* --- tests ------------------------------------------------------------- */

static void a_position_of_other_options_or_another_length_is_refused(void **state)
{
    struct config cfg = config_make(), other = config_make();
    struct saved s = saved_make(&cfg), o = { NULL, NULL, 0 };

    (void)state;
    assert_int_equal(ward_restore(s.ward, s.bytes, s.size), AFF_OK);
    for (size_t size = 0; size < s.size; size += 7)
        assert_int_equal(ward_restore(s.ward, s.bytes, size), AFF_ERR_CONFIG);
    assert_int_equal(ward_restore(s.ward, s.bytes, s.size + 1), AFF_ERR_CONFIG);
    other.spo2 = 96.0;
    o = saved_make(&other);
    assert_int_equal(ward_restore(s.ward, o.bytes, o.size), AFF_ERR_CONFIG);
    saved_free(&o);
    saved_free(&s);
}

/* Each count that something is indexed by, one beyond what it may be. */
static void a_position_with_a_count_out_of_bounds_is_refused(void **state)
{
    const struct {
        size_t offset;
        uint32_t value;
    } damage[] = {
        { offsetof(struct place, patient), 3 },
        { offsetof(struct place, port), PORTS + 1 },
        { offsetof(struct place, port), PORT_TRUTH },
        { offsetof(struct place, port), PORT_PRESSURE }, /* not made */
        { offsetof(struct place, port), PORT_PLETH },    /* with nothing to hand */
        { offsetof(struct place, ended), 3 * PORTS + 1 },
        { offsetof(struct place, marks), MARKS_MAX + 1 },
        { offsetof(struct place, told), 1 },
        { offsetof(struct place, hand.breaths), BREATHS_MAX + 1 },
        { offsetof(struct place, hand.pulses), PULSES_KEPT + MARKS_MAX + 1 },
        { offsetof(struct place, ward) + 2 * sizeof(struct patient) + offsetof(struct patient, pulses), 0 },
        { offsetof(struct place, ward) + offsetof(struct patient, pulses), PULSES_KEPT + 1 },
    };
    struct config cfg = config_make();
    struct saved s = saved_make(&cfg);

    (void)state;
    for (size_t i = 0; i < sizeof damage / sizeof damage[0]; i++) {
        uint32_t was = 0;

        memcpy(&was, s.bytes + damage[i].offset, sizeof was);
        memcpy(s.bytes + damage[i].offset, &damage[i].value, sizeof was);
        assert_int_equal(ward_restore(s.ward, s.bytes, s.size), AFF_ERR_DATA);
        memcpy(s.bytes + damage[i].offset, &was, sizeof was);
    }
    assert_int_equal(ward_restore(s.ward, s.bytes, s.size), AFF_OK);
    saved_free(&s);
}

static void a_block_that_is_longer_than_any_is_refused(void **state)
{
    struct config cfg = config_make();
    struct saved s = saved_make(&cfg);
    struct place *p = s.ward->place;

    (void)state;
    p->port = PORT_DATA;
    p->hand.breaths = p->hand.pulses = 1;
    p->end = 1000000;
    assert_int_equal(ward_snapshot(s.ward, s.bytes, s.size, &s.size), AFF_OK);
    assert_int_equal(ward_restore(s.ward, s.bytes, s.size), AFF_ERR_DATA);
    p->end = 90;
    assert_int_equal(ward_snapshot(s.ward, s.bytes, s.size, &s.size), AFF_OK);
    assert_int_equal(ward_restore(s.ward, s.bytes, s.size), AFF_OK);
    saved_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_of_other_options_or_another_length_is_refused),
        cmocka_unit_test(a_position_with_a_count_out_of_bounds_is_refused),
        cmocka_unit_test(a_block_that_is_longer_than_any_is_refused),
    };

    return cmocka_run_group_tests_name("in_synth_place", tests, NULL, NULL);
}
