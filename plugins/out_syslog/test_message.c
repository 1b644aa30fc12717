/* test_message.c - what a message says: heads, structured data, escaping, and where it is
 * cut. */
#include "message.h"

#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct aff_column columns[] = {
    { .name = "severity", .type = AFF_TEXT },
    { .name = "state", .type = AFF_TEXT },
    { .name = "place", .type = AFF_TEXT },
    { .name = "text", .type = AFF_TEXT },
    { .name = "a name] that=is\" none, and too long", .type = AFF_INT },
};
enum { COLUMNS = 5 };
static const struct aff_schema rows = { .struct_size = sizeof rows, .type = AFF_FIELDS, .name = "rows", .columns = columns,
                                        .count = COLUMNS, .stride = sizeof columns[0] };

static struct config config = {
    .url = "tcp://127.0.0.1:601", .facility = 15, .app_name = "afferent", .hostname = "node7", .msgid = "alert",
    .sd_id = "ward@32473", .message = "{place}: {text}", .data = 1, .max_bytes = 2048,
};

static enum message_end last_end;

/* `words`: of the columns, NULL ends them. The process's number is taken out. */
static const char *message_of(const char *const *words, size_t text_size, uint8_t clock)
{
    static char ret[80000];
    static uint64_t data[8192];
    struct aff_record record = { .id = { 0x1f, 42 }, .event_ns = INT64_C(1772712000123456789), .data = data,
                                 .type = AFF_FIELDS, .clock = clock, .flags = AFF_FLAG_RESENT };
    struct fill_row row = { &record, &rows, "bed 3", "alerts" };
    struct aff_row w = aff_row_begin(&record, COLUMNS);
    struct text t = { 0 }, work = { 0 };
    struct form f;

    for (uint32_t i = 0; i < 4 && words[i]; i++)
        aff_row_put_text(&w, i, words[i], (uint32_t)(i == 3 && text_size ? text_size : strlen(words[i])));
    record.size = aff_row_end(&w);
    assert_true(form_open(&f, &config));
    f.pid = 7;
    last_end = message_write(&t, &f, &row, &work);
    assert_false(t.failed || work.failed);
    assert_true(t.size < sizeof ret);
    memcpy(ret, t.bytes, t.size);
    ret[t.size] = '\0';
    text_free(&t);
    text_free(&work);
    return ret;
}

#define HEAD "<129>1 2026-03-05T12:00:00.123456Z node7 afferent 7 alert [timeQuality tzKnown=\"1\" isSynced=\"1\"]"

TEST(a_row_is_a_message_of_rfc_5424)
{
    const char *const words[] = { "high", "raised", "bed 3", "131" };

    assert_string_equal(message_of(words, 0, AFF_CLOCK_SYNCED),
                        HEAD "[ward@32473 severity=\"high\" state=\"raised\" place=\"bed 3\" text=\"131\" subject=\"bed 3\" "
                        "id=\"000000000000001f-42\" resent=\"1\"] bed 3: 131");
    assert_non_null(strstr(message_of(words, 0, AFF_CLOCK_NONE), "<129>1 - node7"));
    assert_non_null(strstr(message_of(words, 0, AFF_CLOCK_RECORDED), "isSynced=\"0\""));
    config.data = 0;
    assert_string_equal(message_of(words, 0, AFF_CLOCK_SYNCED),
                        "<129>1 2026-03-05T12:00:00.123456Z node7 afferent 7 alert - bed 3: 131");
    config.data = 1;
}

TEST(an_alerts_severity_is_one_of_syslog)
{
    static const struct { const char *severity, *state; int level; } cases[] = {
        { "high", "raised", 1 },    { "high", "repeated", 1 }, { "medium", "raised", 3 },    { "low", "raised", 4 },
        { "technical", "raised", 4 }, { "high", "ended", 5 },  { "low", "acknowledged", 5 }, { "highest", "raised", 5 },
        { "", "ended", 5 },
    };
    char begin[16];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const words[] = { cases[i].severity, cases[i].state, NULL };

        (void)snprintf(begin, sizeof begin, "<%d>1 ", 128 + cases[i].level);
        assert_memory_equal(message_of(words, 0, AFF_CLOCK_SYNCED), begin, strlen(begin));
    }
}

TEST(nothing_in_a_value_ends_it)
{
    const char *const words[] = { "\"]\\", "a]b", "x\ny", "\xff\xc3\xa4" };
    const char *m = message_of(words, 0, AFF_CLOCK_SYNCED);

    assert_non_null(strstr(m, "severity=\"\\\"\\]\\\\\" state=\"a\\]b\" place=\"x y\" text=\"\xef\xbf\xbd\xc3\xa4\""));
    assert_non_null(strstr(m, "] \xef\xbb\xbfx y: \xef\xbf\xbd\xc3\xa4")); /* UTF-8 is announced */
}

TEST(a_name_that_cannot_be_one_is_made_one)
{
    static uint64_t data[64];
    struct aff_record record = { .data = data, .type = AFF_FIELDS };
    struct fill_row row = { &record, &rows, NULL, NULL };
    struct aff_row w = aff_row_begin(&record, COLUMNS);
    struct text t = { 0 }, work = { 0 };
    struct form f;

    aff_row_put_int(&w, 4, -5);
    record.size = aff_row_end(&w);
    assert_true(form_open(&f, &config));
    (void)message_write(&t, &f, &row, &work);
    text_add(&t, "", 1);
    assert_non_null(strstr(t.bytes, " a_name__that_is__none,_and_too_l=\"-5\" id="));
    text_free(&t);
    text_free(&work);
}

TEST(text_is_cut_and_data_never_is)
{
    char many[4000];
    const char *const words[] = { "high", "raised", "bed 3", many }, *const full[] = { "high", "raised", many, many };
    const char *m;

    for (size_t i = 0; i + 1 < sizeof many; i += 2)
        memcpy(many + i, "\xc3\xa4", 2);
    config.max_bytes = 900;
    m = message_of(words, sizeof many, AFF_CLOCK_SYNCED);
    assert_int_equal(last_end, MESSAGE_CUT);
    assert_true(strlen(m) <= 900 && strlen(m) > 890);
    assert_true(text_is_utf8(m, strlen(m)));
    assert_string_equal(m + strlen(m) - 3, "...");
    assert_non_null(strstr(m, "...\" subject=")); /* a value is cut by itself, to 255 bytes */
    config.max_bytes = 480;
    many[sizeof many - 1] = '\0';
    (void)message_of(full, 0, AFF_CLOCK_SYNCED);
    assert_int_equal(last_end, MESSAGE_TOO_LARGE);
    config.max_bytes = 2048;
}

TEST(any_bytes_make_a_message_that_can_be_read_back)
{
    char raw[300];

    srand(11);
    for (int turn = 0; turn < 500; turn++) {
        const char *const words[] = { "high", "raised", "b", raw };
        const char *m, *p;

        for (size_t i = 0; i < sizeof raw; i++)
            raw[i] = (char)(turn % 2 ? rand() : "\"]\\[= \n\xc3\xa4\x00"[rand() % 10]);
        m = message_of(words, 1 + (size_t)rand() % (sizeof raw - 1), AFF_CLOCK_SYNCED);
        assert_true(text_is_utf8(m, strlen(m)));
        p = strstr(m, " text=\"") + 7;
        while (*p != '"') {
            assert_true((unsigned char)*p >= 0x20 && *p != ']' && *p != '\0');
            p += *p == '\\' ? 2 : 1;
        }
        assert_memory_equal(p, "\" subject=\"bed 3\" id=", 21);
    }
}

TEST(the_local_form_is_that_of_syslog_3)
{
    const char *const words[] = { "high", "raised", "bed 3", "131" };

    (void)setenv("TZ", "UTC", 1);
    config.format = FORM_LOCAL;
    assert_string_equal(message_of(words, 0, AFF_CLOCK_SYNCED), "<129>Mar  5 12:00:00 afferent[7]: bed 3: 131");
    config.format = FORM_RFC5424;
}

AFF_TEST_MAIN(a_row_is_a_message_of_rfc_5424, an_alerts_severity_is_one_of_syslog, nothing_in_a_value_ends_it,
              a_name_that_cannot_be_one_is_made_one, text_is_cut_and_data_never_is,
              any_bytes_make_a_message_that_can_be_read_back, the_local_form_is_that_of_syslog_3)
