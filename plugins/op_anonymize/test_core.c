/* SPDX-License-Identifier: Apache-2.0
 *
 * test_core.c - the parts alone: key files, hashes against another
 * implementation, dates, bands, words that may stay, counting. */
#include <afferent/testkit.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "anonymize.h"
#include "clean.h"
#include "dates.h"
#include "key.h"
#include "reference.h"
#include "secret.h"
#include "tally.h"
#include "value.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- the key file ---- */

static enum key_fault parse(const char *text)
{
    uint8_t key[KEY_BYTES];

    return key_parse(text, strlen(text), key);
}

TEST(a_key_file_is_one_line_of_exactly_this_form)
{
    uint8_t key[KEY_BYTES];

    assert_int_equal(key_parse("afferent-key 1 " REFERENCE_KEY "\n", 80, key), KEY_GOOD);
    for (unsigned i = 0; i < KEY_BYTES; i++)
        assert_int_equal(key[i], i);
    assert_int_equal(parse("afferent-key 1 " REFERENCE_KEY), KEY_GOOD);
    assert_int_equal(parse("afferent-key 1 0A" REFERENCE_KEY), KEY_DAMAGED);
    assert_int_equal(parse("afferent-key 1 " REFERENCE_KEY "\n\n"), KEY_DAMAGED);
    assert_int_equal(parse("afferent-key 1 " REFERENCE_KEY "\r\n"), KEY_DAMAGED);
    assert_int_equal(parse("afferent-key 1  " REFERENCE_KEY), KEY_DAMAGED);
    assert_int_equal(parse("afferent-key 1"), KEY_OTHER_VERSION);
    assert_int_equal(parse("afferent-key 2 " REFERENCE_KEY), KEY_OTHER_VERSION);
    assert_int_equal(parse("afferent-key 11 " REFERENCE_KEY), KEY_OTHER_VERSION);
    assert_int_equal(parse("afferent-key x"), KEY_DAMAGED);
    assert_int_equal(parse("afferent-key "), KEY_NO_KEY);
    assert_int_equal(parse(""), KEY_NO_KEY);
    assert_int_equal(parse("-----BEGIN PRIVATE KEY-----"), KEY_NO_KEY);
    assert_int_equal(parse("afferent-key 1 0000000000000000000000000000000000000000000000000000000000000000\n"), KEY_ZERO);
    assert_int_equal(parse("afferent-key 1 000000000000000000000000000000000000000000000000000000000000000g\n"),
                     KEY_DAMAGED);
}

TEST(a_damaged_key_leaves_nothing_of_itself)
{
    uint8_t key[KEY_BYTES];

    memset(key, 7, sizeof key);
    assert_int_equal(key_parse("afferent-key 1 ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffxx", 79, key),
                     KEY_DAMAGED);
    for (unsigned i = 0; i < KEY_BYTES; i++)
        assert_int_equal(key[i], 0);
}

static char folder[64];

static const char *path_in(const char *name)
{
    static char path[512];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static const char *file_put(const char *name, const char *text, mode_t mode)
{
    const char *path = path_in(name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0 && fclose(f) == 0, 1);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static aff_status reading(const char *path, const char *says)
{
    char problem[KEY_TEXT_MOST] = "";
    uint8_t key[KEY_BYTES];
    aff_status st = key_read(path, key, problem);

    if (!strstr(problem, says))
        fail_msg("\"%s\" does not say \"%s\"", problem, says);
    if (strstr(problem, "deadbeef"))
        fail_msg("the problem quotes the file");
    return st;
}

TEST(a_key_file_that_others_may_read_is_refused_and_the_remedy_is_named)
{
    static const char good[] = "afferent-key 1 " REFERENCE_KEY "\n";
    char fifo[128];

    (void)snprintf(folder, sizeof folder, "/tmp/anonymize-core-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(reading(file_put("k", good, 0600), ""), AFF_OK);
    assert_int_equal(reading(file_put("k", good, 0400), ""), AFF_OK);
    assert_int_equal(reading(file_put("k", good, 0640), "chmod 600 /tmp/anonymize-core-"), AFF_ERR_CONFIG);
    assert_int_equal(reading(file_put("k", good, 0602), "chmod 600 "), AFF_ERR_CONFIG);
    assert_int_equal(reading(file_put("k", "deadbeef", 0600), "afferent key new"), AFF_ERR_CONFIG);
    assert_int_equal(reading(file_put("k", "afferent-key 1 deadbeef", 0600), "is damaged"), AFF_ERR_CONFIG);
    assert_int_equal(reading(file_put("k", "afferent-key 3 deadbeef", 0600), "another version"), AFF_ERR_CONFIG);
    (void)unlink(path_in("k"));
    assert_int_equal(reading(path_in("k"), "afferent key new /tmp/anonymize-core-"), AFF_ERR_CONFIG);
    assert_int_equal(reading(folder, "no regular file"), AFF_ERR_CONFIG);
    (void)snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(reading(fifo, "no regular file"), AFF_ERR_CONFIG);
    (void)unlink(fifo);
    (void)rmdir(folder);
}

/* ---- hashes ---- */

static void key_of(uint8_t key[KEY_BYTES])
{
    for (unsigned i = 0; i < KEY_BYTES; i++)
        key[i] = (uint8_t)i;
}

static void same_text(const char *made, size_t size, const char *wanted)
{
    if (strlen(wanted) != size || memcmp(made, wanted, size) != 0)
        fail_msg("made \"%.*s\", wanted \"%s\"", (int)size, made, wanted);
}

TEST(pseudonyms_are_those_of_another_implementation)
{
    uint8_t key[KEY_BYTES], other[KEY_BYTES], kind[KEY_BYTES];
    struct secret s;

    key_of(key);
    memset(other, 255, sizeof other);
    secret_make(&s, other, "ward-7");
    assert_string_equal(s.key_id, REFERENCE_OTHER_KEY_ID);
    for (size_t i = 0; i < COUNT(reference_pseudonyms); i++) {
        struct text value = { reference_pseudonyms[i].value, strlen(reference_pseudonyms[i].value) };
        char made[PSEUDONYM_CHARS];

        secret_make(&s, key, reference_pseudonyms[i].project);
        assert_string_equal(s.key_id, REFERENCE_KEY_ID);
        secret_kind(kind, key, reference_pseudonyms[i].project, reference_pseudonyms[i].kind);
        pseudonym_make(made, &s, kind, value);
        same_text(made, sizeof made, reference_pseudonyms[i].pseudonym);
    }
}

TEST(shifts_ids_and_stream_names_are_those_of_another_implementation)
{
    uint8_t key[KEY_BYTES];
    struct secret s;
    char made[STREAM_CHARS];

    key_of(key);
    for (size_t i = 0; i < COUNT(reference_shifts); i++) {
        secret_make(&s, key, reference_shifts[i].project);
        assert_int_equal(shift_make(&s, reference_shifts[i].subject, reference_shifts[i].most), reference_shifts[i].steps);
    }
    secret_make(&s, key, "ward-7");
    for (size_t i = 0; i < COUNT(reference_ids); i++) {
        struct aff_id id = id_make(&s, (struct aff_id){ reference_ids[i].source, reference_ids[i].seq });

        assert_true(id.source == reference_ids[i].new_source && id.seq == reference_ids[i].new_seq);
    }
    for (size_t i = 0; i < COUNT(reference_streams); i++) {
        stream_make(made, &s, reference_streams[i].subject, reference_streams[i].stream);
        same_text(made, sizeof made, reference_streams[i].name);
    }
}

TEST(a_shift_is_never_zero_and_uses_the_whole_range)
{
    uint8_t key[KEY_BYTES];
    unsigned seen[52] = { 0 };
    struct secret s;

    key_of(key);
    secret_make(&s, key, "ward-7");
    for (unsigned i = 0; i < 5200; i++) {
        char subject[16];
        uint64_t shift;

        (void)snprintf(subject, sizeof subject, "bed %u", i);
        shift = shift_make(&s, subject, 52);
        assert_true(shift >= 1 && shift <= 52);
        seen[shift - 1]++;
    }
    for (unsigned i = 0; i < 52; i++)
        assert_in_range(seen[i], 50, 160); /* 100 expected, five standard deviations */
}

/* ---- dates ---- */

static int is_date(const char *text)
{
    int64_t days;

    return date_parse(text, strlen(text), &days);
}

TEST(only_dates_that_exist_are_dates)
{
    static const char *const good[] = { "1970-01-01", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31",
                                        "1950-03-02T23:59", "1950-03-02 23:59:60", "1950-03-02T00:00:00.123456789",
                                        "1950-03-02T00:00:00Z", "1950-03-02T00:00:00+05:30", "1950-03-02T00:00-11:00" };
    static const char *const bad[] = { "", "1970", "1970-1-1", "2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10",
                                       "2024-01-00", "2024-04-31", "0000-01-01", "1970-01-01x", "1970-01-01T",
                                       "1970-01-01T24:00", "1970-01-01T00:60", "1970-01-01T00:00:61", "1970/01/01",
                                       "1970-01-01T00:00:00.", "1970-01-01T00:00:00.1234567890", "1970-01-01T00:00:00 Z",
                                       "1970-01-01T00:00:00+0530", "1970-01-01T00:00:00+05:60", "01.01.1970",
                                       "1970-01-01T00:00Z ", "1970-01-01T00:00:00ZMaria", " 1970-01-01", "-1970-01-01",
                                       "1970-01-01T0a:00" };

    for (size_t i = 0; i < COUNT(good); i++)
        if (!is_date(good[i]))
            fail_msg("\"%s\" is a date", good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        if (is_date(bad[i]))
            fail_msg("\"%s\" is no date", bad[i]);
}

TEST(days_count_and_come_back_over_all_years)
{
    char text[DATE_CHARS + 1] = "", before[DATE_CHARS + 1] = "";
    int64_t days = 0;

    for (int64_t d = -719162; d <= 2932896; d++) {
        assert_true(date_write(text, d));
        assert_true(date_parse(text, DATE_CHARS, &days));
        assert_true(days == d);
        assert_true(strcmp(text, before) > 0);
        memcpy(before, text, sizeof text);
    }
    assert_string_equal(text, "9999-12-31");
    assert_false(date_write(text, -719163));
    assert_false(date_write(text, 2932897));
    assert_true(date_parse("2024-01-01", 10, &days) && days == 19723);
}

TEST(times_are_floored_also_before_1970_and_at_the_end_of_time)
{
    const int64_t day = DAY_NS;
    int64_t ns;

    assert_true(time_floor(-1, FLOOR_DAY, &ns) && ns == -day);
    assert_true(time_floor(-1, FLOOR_YEAR, &ns) && ns == -365 * day);
    assert_true(time_floor(59 * day + 5, FLOOR_MONTH, &ns) && ns == 59 * day);
    assert_true(time_floor(59 * day - 5, FLOOR_MONTH, &ns) && ns == 31 * day);
    assert_true(time_floor(INT64_MAX, FLOOR_YEAR, &ns));
    assert_false(time_floor(INT64_MIN, FLOOR_DAY, &ns));
}

/* ---- values ---- */

static const struct config plain = { .times = TIMES_SHIFT };

static const char *changed(struct value v, const struct rule *rule, int64_t shift_days)
{
    static char text[VALUE_CHARS + 1];
    char scratch[VALUE_CHARS];
    struct means means = { &plain, NULL, shift_days * DAY_NS };

    if (!value_change(&v, &means, rule, 0, scratch))
        return "(left out)";
    (void)snprintf(text, sizeof text, "%.*s", (int)v.text.size, v.text.bytes);
    return text;
}

static struct value of_int(int64_t i)
{
    return (struct value){ .type = AFF_INT, .integer = i };
}

static struct value of_real(double x)
{
    return (struct value){ .type = AFF_REAL, .real = x };
}

static struct value of_text(const char *text)
{
    return (struct value){ .type = AFF_TEXT, .text = { text, strlen(text) } };
}

TEST(ages_become_bands_with_ninety_and_above_in_one)
{
    const struct generalise_config how = { "age", 5, 90, 0, 0 };
    const struct rule rule = { .name = "age", .how = &how, .action = ACTION_GENERALISE };

    assert_string_equal(changed(of_int(0), &rule, 0), "0-4");
    assert_string_equal(changed(of_int(64), &rule, 0), "60-64");
    assert_string_equal(changed(of_int(65), &rule, 0), "65-69");
    assert_string_equal(changed(of_int(89), &rule, 0), "85-89");
    assert_string_equal(changed(of_int(90), &rule, 0), "90+");
    assert_string_equal(changed(of_int(91), &rule, 0), "90+");
    assert_string_equal(changed(of_int(120), &rule, 0), "90+");
    assert_string_equal(changed(of_real(89.999), &rule, 0), "85-<90");
    assert_string_equal(changed(of_real(90.0), &rule, 0), "90+");
    assert_string_equal(changed(of_real((double)NAN), &rule, 0), "(left out)");
    assert_string_equal(changed(of_real((double)INFINITY), &rule, 0), "(left out)");
    assert_string_equal(changed(of_text("89"), &rule, 0), "85-89");
    assert_string_equal(changed(of_text("120"), &rule, 0), "90+");
    assert_string_equal(changed(of_text("64.50"), &rule, 0), "60-<65");
    assert_string_equal(changed(of_text("Maria"), &rule, 0), "(left out)");
    assert_string_equal(changed(of_text("64a"), &rule, 0), "(left out)");
    assert_string_equal(changed(of_text("64."), &rule, 0), "(left out)");
    assert_string_equal(changed(of_text(""), &rule, 0), "(left out)");
    assert_string_equal(changed(of_text("-"), &rule, 0), "(left out)");
    assert_string_equal(changed(of_text("99999999999999999999"), &rule, 0), "(left out)");
    assert_string_equal(changed(of_int(-1), &rule, 0), "-5..-1");
    assert_string_equal(changed(of_text("-0.5"), &rule, 0), "-5..<0");
    assert_string_equal(changed(of_int(INT64_MAX), &rule, 0), "(left out)");
    assert_string_equal(changed(of_int(INT64_MIN), &rule, 0), "(left out)");
}

TEST(a_band_ends_where_the_top_begins)
{
    const struct generalise_config wide = { "age", 20, 90, 0, 0 }, one = { "n", 1, 0, 0, 0 };
    const struct rule rule = { .name = "age", .how = &wide, .action = ACTION_GENERALISE };
    const struct rule single = { .name = "n", .how = &one, .action = ACTION_GENERALISE };

    assert_string_equal(changed(of_int(85), &rule, 0), "80-89");
    assert_string_equal(changed(of_real(85), &rule, 0), "80-<90");
    assert_string_equal(changed(of_int(7), &single, 0), "7");
}

TEST(of_a_postcode_the_first_digits_are_left)
{
    const struct generalise_config how = { "postcode", 0, 0, 2, 0 };
    const struct rule rule = { .name = "postcode", .how = &how, .action = ACTION_GENERALISE };

    assert_string_equal(changed(of_text("10115"), &rule, 0), "10");
    assert_string_equal(changed(of_text("SW1A 1AA"), &rule, 0), "SW");
    assert_string_equal(changed(of_text("02"), &rule, 0), "02");
    assert_string_equal(changed(of_text("0"), &rule, 0), "(left out)");
    assert_string_equal(changed(of_text(""), &rule, 0), "(left out)");
    assert_string_equal(changed(of_text("\xc3\xa4" "1"), &rule, 0), "(left out)");
}

TEST(dates_as_text_move_by_days_and_keep_their_form)
{
    const struct rule rule = { .name = "birth", .action = ACTION_SHIFT };
    const struct generalise_config month = { "admitted", 0, 0, 0, FLOOR_MONTH }, year = { "y", 0, 0, 0, FLOOR_YEAR },
                                   day = { "d", 0, 0, 0, FLOOR_DAY };
    struct rule floor = { .name = "admitted", .how = &month, .action = ACTION_GENERALISE };

    assert_string_equal(changed(of_text("2024-03-01"), &rule, -1), "2024-02-29");
    assert_string_equal(changed(of_text("1950-01-01T12:30:59.5+02:00"), &rule, -1), "1949-12-31T12:30:59.5+02:00");
    assert_string_equal(changed(of_text("unknown"), &rule, -1), "(left out)");
    assert_string_equal(changed(of_text("0001-01-01"), &rule, -1), "(left out)");
    assert_string_equal(changed(of_text("2024-03-01T10:00"), &floor, -1), "2024-02");
    floor.how = &year;
    assert_string_equal(changed(of_text("2024-01-01T10:00"), &floor, -1), "2023");
    floor.how = &day;
    assert_string_equal(changed(of_text("2024-01-01T10:00"), &floor, 0), "2024-01-01");
    assert_string_equal(changed(of_text("Maria Muster"), &floor, 0), "(left out)");
}

/* ---- words that may stay ---- */

TEST(units_codes_and_channels_stay_when_they_are_known_and_nothing_else_does)
{
    static const char *const units[] = { "mV", "/min", "1/min", "%", "mm[Hg]", "cm[H2O]", "Cel", "[degF]", "mmol/L",
                                         "10*3/uL", "mL/min/m2", "ug.kg-1.min-1", "kPa", "m/s2", "1", "d", "h", "min" };
    static const char *const none[] = { "Maria", "mV Muster", "", "mg/", "/", "kg{Maria}", "mm[Hg", "[Maria]", "bpm",
                                        "4711 Maria", "a b", "mg//L", "]", "mVmVmVmVmVmVmVmVmVmVmVmVmVmVmVmVmV" };

    for (size_t i = 0; i < COUNT(units); i++)
        if (unit_clean(units[i]) != units[i])
            fail_msg("\"%s\" is a unit", units[i]);
    for (size_t i = 0; i < COUNT(none); i++)
        if (unit_clean(none[i]))
            fail_msg("\"%s\" is no unit", none[i]);
    assert_non_null(code_clean("8867-4"));
    assert_non_null(code_clean("80288-4"));
    assert_non_null(code_clean("8310-5"));
    assert_null(code_clean("8867-5"));
    assert_null(code_clean("Maria"));
    assert_null(code_clean("12345678-1"));
    assert_null(code_clean("8867-4x"));
    assert_null(code_clean("-4"));
    assert_null(code_clean(NULL));
    assert_string_equal(channel_clean("mlii"), "MLII");
    assert_string_equal(channel_clean("V5"), "V5");
    assert_null(channel_clean("V5 Maria"));
    assert_null(channel_clean(""));
    assert_null(channel_clean(NULL));
}

/* ---- counting ---- */

TEST(combinations_are_counted_exactly_up_to_the_bound_and_as_at_least_beyond)
{
    struct tally t;
    void *memory = calloc(1, tally_bytes(1000));

    assert_non_null(memory);
    tally_open(&t, memory, 1000);
    assert_int_equal(tally_least(&t), 0);
    for (unsigned round = 0; round < 3; round++)
        for (uint64_t i = 0; i < (round == 2 ? 100 : 900); i++)
            tally_add(&t, (uint64_t[2]){ i << 32, i }, round); /* same place in the table */
    assert_int_equal(t.used, 900);
    assert_int_equal(t.unique, 0);
    assert_int_equal(t.lonely, 0);
    assert_int_equal(tally_least(&t), 2);
    for (uint64_t i = 0; i < 200; i++)
        tally_add(&t, (uint64_t[2]){ i, ~i }, 9);
    assert_int_equal(t.used, 1000);
    assert_int_equal(t.unique, 100);
    assert_int_equal(t.lonely, 100);
    assert_int_equal(t.missed, 100);
    assert_int_equal(t.rows, 2100);
    assert_int_equal(tally_least(&t), 1);
    free(memory);
}

/* ---- a stream whose records change their schema ---- */

/* A host that knows schemas 1 to 100: one column "v", whole in the odd ones. */
static struct {
    struct aff_stream_info stream;
    struct aff_record draft;
    uint64_t payload[8];
    uint32_t schema; /* of what was emitted */
} fake;

static const struct aff_schema *fake_schema_info(const struct aff_host *host, uint32_t schema)
{
    static const struct aff_column whole[] = { { .name = "v", .type = AFF_INT } };
    static const struct aff_column real[] = { { .name = "v", .type = AFF_REAL } };
    static const struct aff_schema schemas[2] = {
        { .struct_size = sizeof *schemas, .type = AFF_FIELDS, .columns = real, .count = 1, .stride = sizeof *real },
        { .struct_size = sizeof *schemas, .type = AFF_FIELDS, .columns = whole, .count = 1, .stride = sizeof *whole },
    };

    (void)host;
    return &schemas[schema % 2];
}

static uint32_t fake_schema(const struct aff_host *host, const struct aff_schema *schema)
{
    (void)host;
    return 1000u + schema->columns[0].type;
}

static const struct aff_stream_info *fake_stream_info(const struct aff_host *host, uint32_t stream)
{
    (void)host;
    (void)stream;
    return &fake.stream;
}

static uint32_t fake_subject(const struct aff_host *host, const char *name)
{
    (void)host;
    return name[0] ? 7 : 0;
}

static uint32_t fake_stream(const struct aff_host *host, uint32_t subject, const char *name, uint32_t schema)
{
    (void)host;
    return name[0] && subject && schema ? 8 : 0;
}

static struct aff_record *fake_reserve(const struct aff_host *host, uint32_t port, uint32_t input, uint32_t size)
{
    (void)host;
    assert_true(port == 0 && input == 0 && size <= sizeof fake.payload);
    fake.draft = (struct aff_record){ .data = fake.payload, .size = size };
    return &fake.draft;
}

static aff_status fake_emit(const struct aff_host *host, struct aff_record *draft, uint32_t size)
{
    (void)host;
    (void)size;
    fake.schema = draft->schema;
    return AFF_OK;
}

static void fake_count(const struct aff_host *host, uint32_t metric, uint64_t by)
{
    (void)host;
    (void)metric;
    (void)by;
}

TEST(a_plan_that_makes_room_for_its_streams_first_one_is_made_anew)
{
    static const struct column_config keep[] = { { "v", ACTION_KEEP } };
    static const struct config config = { .project = "p", .columns = { keep, 1, sizeof *keep }, .shift_most = 28 * DAY_NS };
    static const struct aff_host host = { .schema_info = fake_schema_info, .schema = fake_schema,
                                          .stream_info = fake_stream_info, .subject = fake_subject,
                                          .stream = fake_stream, .reserve = fake_reserve, .emit = fake_emit,
                                          .count = fake_count };
    static struct anonymize a;
    static struct step all_steps[PLANS];
    static uint32_t drops[PLANS][2 * DROPS];
    struct secret secret;
    struct aff_column columns[1];
    struct column_count counts[1] = { { 0, 0, 0, 0 } };
    uint64_t row[2] = { 1, 5 };
    uint8_t outcomes[1], verdict, key[KEY_BYTES];
    struct aff_record r = { .data = row, .size = sizeof row, .stream = 3 };

    key_of(key);
    secret_make(&secret, key, config.project);
    a = (struct anonymize){ .host = &host, .config = &config, .rules = 1, .secret = &secret, .columns = columns,
                            .counts = counts, .outcomes = outcomes };
    for (unsigned i = 0; i < PLANS; i++) {
        a.plans[i].steps = &all_steps[i];
        a.plans[i].drops = drops[i];
    }
    fake.stream = (struct aff_stream_info){ .stream = 3, .subject = 1, .name = "s", .subject_name = "p" };
    for (r.schema = 1; r.schema <= PLANS; r.schema++) {
        fake.stream.schema = r.schema;
        assert_int_equal(row_change(&a, &r, 0, &verdict), AFF_OK);
        assert_int_equal(fake.schema, 1000 + (r.schema % 2 ? AFF_INT : AFF_REAL));
    }
    r.schema = 1;
    fake.stream.schema = 66; /* takes the place of 1 */
    fake.stream.generation++;
    assert_int_equal(row_change(&a, &r, 0, &verdict), AFF_OK);
    assert_int_equal(verdict, VERDICT_REWRITTEN);
    assert_int_equal(fake.schema, 1000 + AFF_INT);
    assert_int_equal(counts[0].done, PLANS + 1);
}

AFF_TEST_MAIN(a_key_file_is_one_line_of_exactly_this_form, a_damaged_key_leaves_nothing_of_itself,
              a_key_file_that_others_may_read_is_refused_and_the_remedy_is_named,
              pseudonyms_are_those_of_another_implementation,
              shifts_ids_and_stream_names_are_those_of_another_implementation,
              a_shift_is_never_zero_and_uses_the_whole_range, only_dates_that_exist_are_dates,
              days_count_and_come_back_over_all_years, times_are_floored_also_before_1970_and_at_the_end_of_time,
              ages_become_bands_with_ninety_and_above_in_one, a_band_ends_where_the_top_begins,
              of_a_postcode_the_first_digits_are_left, dates_as_text_move_by_days_and_keep_their_form,
              units_codes_and_channels_stay_when_they_are_known_and_nothing_else_does,
              combinations_are_counted_exactly_up_to_the_bound_and_as_at_least_beyond,
              a_plan_that_makes_room_for_its_streams_first_one_is_made_anew)
