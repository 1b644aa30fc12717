/* test_text.c - values as text, names as paths, and files that are torn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "paths.h"

static void expect(struct text *t, const char *wanted)
{
    text_add(t, "", 1);
    assert_string_equal(t->bytes, wanted);
    t->size = 0;
}

#define STRING(style, bytes) (text_string(&t, style, bytes, sizeof(bytes) - 1))

static void strings_are_quoted_escaped_and_always_utf8(void **state)
{
    struct text t = { 0 };

    (void)state;
    STRING(TEXT_CSV, "plain text");
    expect(&t, "plain text");
    STRING(TEXT_CSV, "a,\"b\"\r\nc");
    expect(&t, "\"a,\"\"b\"\"\r\nc\"");
    STRING(TEXT_CSV, "");
    expect(&t, "\"\"");
    STRING(TEXT_CSV, " edge");
    expect(&t, "\" edge\"");
    STRING(TEXT_JSON, "q\" b\\ n\n r\r t\t \x01 \x7f \xc3\xa9 \xf0\x9f\x98\x80");
    expect(&t, "\"q\\\" b\\\\ n\\n r\\r t\\t \\u0001 \\u007f \xc3\xa9 \xf0\x9f\x98\x80\"");
    /* A lone byte, an overlong form, a surrogate, above U+10FFFF, a cut one. */
    STRING(TEXT_JSON, "\xff|\xc0\xaf|\xed\xa0\x80|\xf4\x90\x80\x80|\xe2\x82");
#define R "\xef\xbf\xbd"
    expect(&t, "\"" R "|" R R "|" R R R "|" R R R R "|" R R "\"");
    STRING(TEXT_CSV, "\xffx");
    expect(&t, R "x");
    assert_false(text_is_utf8("\xe2\x82", 2));
    assert_true(text_is_utf8("\xe2\x82\xac", 3));
    text_string(&t, TEXT_JSON, "a\0b", 3);
    expect(&t, "\"a\\u0000b\"");
    text_free(&t);
}

static void numbers_come_back_as_they_were_with_few_digits(void **state)
{
    static const double hard[] = { 0.1, 1.0 / 3, 5e-324, DBL_MAX, -123456789.123456789, 1e21, 0.145, 60, -0.0 };
    struct text t = { 0 };
    uint64_t seed = 12345;
    size_t i;

    (void)state;
    text_real(&t, TEXT_CSV, 0.1);
    expect(&t, "0.1");
    text_real(&t, TEXT_CSV, 60);
    expect(&t, "60");
    text_float(&t, TEXT_CSV, 0.1f);
    expect(&t, "0.1");
    text_real(&t, TEXT_JSON, (double)NAN);
    expect(&t, "null");
    text_real(&t, TEXT_JSON, (double)-INFINITY);
    expect(&t, "null");
    text_float(&t, TEXT_CSV, NAN);
    expect(&t, "");
    text_int(&t, INT64_MIN);
    expect(&t, "-9223372036854775808");
    for (i = 0; i < 20000; i++) {
        double v;
        float f;
        uint32_t low;

        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        memcpy(&v, &seed, sizeof v);
        low = (uint32_t)(seed >> 16);
        memcpy(&f, &low, sizeof f);
        if (i < sizeof hard / sizeof hard[0])
            v = hard[i];
        if (!isfinite(v) || !isfinite(f))
            continue;
        text_real(&t, TEXT_JSON, v);
        text_add(&t, "", 1);
        assert_true(strtod(t.bytes, NULL) == v);
        t.size = 0;
        text_float(&t, TEXT_JSON, f);
        text_add(&t, "", 1);
        assert_true(strtof(t.bytes, NULL) == f);
        t.size = 0;
    }
    text_free(&t);
}

static void times_are_iso_8601(void **state)
{
    static const struct { int64_t ns; const char *text; } times[] = {
        { 0, "1970-01-01T00:00:00Z" },
        { -1, "1969-12-31T23:59:59.999999999Z" },
        { 1500000000, "1970-01-01T00:00:01.5Z" },
        { INT64_C(951782400000000000), "2000-02-29T00:00:00Z" },
        { INT64_C(1795244401123000000), "2026-11-21T07:00:01.123Z" },
        { INT64_MIN, "1677-09-21T00:12:43.145224192Z" },
        { INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
    };
    struct text t = { 0 };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof times / sizeof times[0]; i++) {
        text_time(&t, times[i].ns);
        expect(&t, times[i].text);
    }
    text_base64(&t, (const uint8_t *)"foobar", 6);
    text_base64(&t, (const uint8_t *)"fooba", 5);
    text_base64(&t, (const uint8_t *)"foob", 4);
    expect(&t, "Zm9vYmFyZm9vYmE=Zm9vYg==");
    text_free(&t);
}

static void a_name_never_becomes_a_path(void **state)
{
    char out[400], longest[300];

    (void)state;
    assert_true(path_expand(out, sizeof out, "/d/{subject}-{stream}.csv", "../../etc/passwd", "a b%"));
    assert_string_equal(out, "/d/%2E.%2F..%2Fetc%2Fpasswd-a%20b%25.csv");
    assert_true(path_expand(out, sizeof out, "/d/{stream}", "s", ".."));
    assert_string_equal(out, "/d/%2E.");
    assert_true(path_expand(out, sizeof out, "/d/{stream}", "s", ""));
    assert_string_equal(out, "/d/%");
    assert_true(path_expand(out, sizeof out, "/d/{stream}.csv", "s", "lead.II"));
    assert_string_equal(out, "/d/lead.II.csv");
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_false(path_expand(out, sizeof out, "/d/{stream}", "s", longest));
    assert_false(path_expand(out, 8, "/d/{stream}", "s", "0123456789"));
    assert_int_equal(path_has_names("/a/{stream}/x.csv"), -1);
    assert_int_equal(path_has_names("/a/{stream}.csv"), 1);
    assert_int_equal(path_has_names("/a/x.csv"), 0);
    assert_true(path_is_stdout("-") && path_is_stdout("/home/-"));
    assert_false(path_is_stdout("/home/x-"));
}

static char folder[64], path[128];

static int folder_make(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/out-file-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/x", folder);
    return 0;
}

static int folder_drop(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static void file_set(const char *words)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(words, f);
    fclose(f);
}

static void file_is(const char *words)
{
    char got[4096];
    FILE *f = fopen(path, "r");
    size_t size;

    assert_non_null(f);
    size = fread(got, 1, sizeof got - 1, f);
    got[size] = '\0';
    fclose(f);
    assert_string_equal(got, words);
}

static int append(const char *first, const char *line, enum text_style style)
{
    struct text head = { 0 };
    struct file f;
    int begun;

    if (file_open(&f, path, EXISTS_APPEND, style))
        return -2;
    text_say(&head, first);
    begun = file_begin(&f, &head);
    if (begun == 1) {
        text_say(&f.wait, line);
        assert_int_equal(file_sync(&f), 0);
    }
    file_close(&f);
    text_free(&head);
    return begun;
}

#define HEAD "time,subject,stream,x\n"

static void a_torn_line_is_cut_off_and_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(append(HEAD, "1,\"a\nb\",c,2\n", TEXT_CSV), 1);
    file_is(HEAD "1,\"a\nb\",c,2\n");
    assert_int_equal(append(HEAD, "2,a,c,3\n", TEXT_CSV), 1);
    file_is(HEAD "1,\"a\nb\",c,2\n2,a,c,3\n");
    file_set(HEAD "1,a,c,2\n2,\"a\nb"); /* torn inside of a quoted text */
    assert_int_equal(append(HEAD, "3,a,c,3\n", TEXT_CSV), 1);
    file_is(HEAD "1,a,c,2\n3,a,c,3\n");
    file_set("time,sub"); /* torn in its first line */
    assert_int_equal(append(HEAD, "3,a,c,3\n", TEXT_CSV), 1);
    file_is(HEAD "3,a,c,3\n");
    assert_int_equal(append("time,subject,stream,y\n", "4\n", TEXT_CSV), 0);
    file_set("{\"time\":1}\n{\"ti");
    assert_int_equal(append("", "{\"time\":2}\n", TEXT_JSON), 1);
    file_is("{\"time\":1}\n{\"time\":2}\n");
}

static void a_file_of_somebody_else_is_not_touched(void **state)
{
    static const char *const others[] = { "my notes, no line end", "my notes\nmore", "x" };
    size_t i;

    (void)state;
    for (i = 0; i < sizeof others / sizeof others[0]; i++) {
        file_set(others[i]);
        assert_int_equal(append(HEAD, "1\n", TEXT_CSV), -2);
        assert_int_equal(append("", "{}\n", TEXT_JSON), -2);
        file_is(others[i]);
    }
}

static void a_full_disk_tears_no_line(void **state)
{
    struct rlimit before, small = { 50, 0 };
    struct text head = { 0 };
    struct file f;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_null(file_open(&f, path, EXISTS_APPEND, TEXT_CSV));
    text_say(&head, HEAD);
    assert_int_equal(file_begin(&f, &head), 1);
    text_say(&f.wait, "1,subject,stream,11111111111111111111\n2,subject,stream,2\n");
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_equal(file_sync(&f), EFBIG);
    assert_int_equal(file_flush(&f), EFBIG);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(file_sync(&f), 0);
    file_is(HEAD "1,subject,stream,11111111111111111111\n2,subject,stream,2\n");
    file_close(&f);
    text_free(&head);
}

static void files_are_for_their_owner_and_one_writer(void **state)
{
    struct file f, second;
    struct stat st;

    (void)state;
    assert_null(file_open(&f, path, EXISTS_REFUSE, TEXT_CSV));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_non_null(strstr(file_open(&second, path, EXISTS_APPEND, TEXT_CSV), "another"));
    text_say(&f.wait, "x\n");
    assert_int_equal(file_sync(&f), 0);
    file_close(&f);
    assert_non_null(file_open(&f, path, EXISTS_REFUSE, TEXT_CSV));
    assert_null(file_open(&f, path, EXISTS_REPLACE, TEXT_CSV));
    file_is("");
    file_close(&f);
    assert_non_null(file_open(&f, "/nowhere/x", EXISTS_REPLACE, TEXT_CSV));
    assert_null(file_open(&f, "/dev/full", EXISTS_APPEND, TEXT_CSV));
    text_say(&f.wait, "x\n");
    assert_int_equal(file_sync(&f), ENOSPC);
    file_close(&f);
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, folder_make, folder_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_quoted_escaped_and_always_utf8),
        cmocka_unit_test(numbers_come_back_as_they_were_with_few_digits),
        cmocka_unit_test(times_are_iso_8601),
        cmocka_unit_test(a_name_never_becomes_a_path),
        FILE_TEST(a_torn_line_is_cut_off_and_nothing_else),
        FILE_TEST(a_file_of_somebody_else_is_not_touched),
        FILE_TEST(a_full_disk_tears_no_line),
        FILE_TEST(files_are_for_their_owner_and_one_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
