/* SPDX-License-Identifier: Apache-2.0
 *
 * test_in_http.c - the parts of in_http that need no server: paths, names, rows, forms, keys, memory,
 * tokens, words. Not here: requests and answers (test_server.c), real clients
 * (tests/net/in_http.py). */
#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "known.h"
#include "listen.h"
#include "route.h"
#include "split.h"
#include "who.h"

/* ---- paths and names ---- */

TEST(a_path_fits_segment_by_segment)
{
    static const struct { const char *path, *url; enum route_match match; } cases[] = {
        { "/bed/{subject}/{stream}", "/bed/7/ecg", ROUTE_FITS },  { "/bed/{subject}/{stream}", "/bed/7/ecg/", ROUTE_OTHER },
        { "/bed/{subject}/{stream}", "/bed/7", ROUTE_OTHER },     { "/bed/{subject}/{stream}", "/bed//ecg", ROUTE_OTHER },
        { "/bed/{subject}/{stream}", "bed/7/ecg", ROUTE_OTHER },  { "/bed/{subject}/{stream}", "/Bed/7/ecg", ROUTE_OTHER },
        { "/bed/{subject}/{stream}", "/b%65d/7/e%63g", ROUTE_FITS }, { "/bed/{subject}/{stream}", "/bed/%00/ecg", ROUTE_BAD },
        { "/bed/{subject}/{stream}", "/bed/%f/ecg", ROUTE_BAD },  { "/bed/{subject}/{stream}", "/bed/%ff/ecg", ROUTE_BAD },
        { "/bed/{subject}/{stream}", "/bed/%2/ecg", ROUTE_BAD },  { "/bed/{subject}/{stream}", "/bed/7%0a/ecg", ROUTE_BAD },
        { "/a", "/a", ROUTE_FITS }, { "/a", "/a/", ROUTE_OTHER }, { "/a", "/", ROUTE_OTHER }, { "/a", "", ROUTE_OTHER },
        { "/", "/", ROUTE_FITS },   { "/", "/a", ROUTE_OTHER },   { "/", "", ROUTE_OTHER },
    };
    struct route_named named;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(route_try(cases[i].path, cases[i].url, &named), cases[i].match);
    assert_int_equal(route_try("/{a}/x/{b}", "/7%2Fb%C3%A9/x/..", &named), ROUTE_FITS);
    assert_string_equal(named.values[0], "7/b\xc3\xa9");
    assert_string_equal(named.values[1], "..");
}

TEST(a_segment_longer_than_a_name_is_bad_and_not_cut)
{
    struct route_named named;
    char url[600] = "/";

    memset(url + 1, 'a', 255);
    assert_int_equal(route_try("/{a}", url, &named), ROUTE_FITS);
    assert_int_equal(strlen(named.values[0]), 255);
    url[256] = 'a';
    assert_int_equal(route_try("/{a}", url, &named), ROUTE_BAD);
}

TEST(paths_and_templates_that_are_none_are_named)
{
    static const char *const bad_paths[] = { "", "a", "/a//b", "/{}", "/{a}/{a}", "/x{a}", "/{a}x", "/{A}", "/a?b", "/a%20",
                                             "/{client}", "/{file}", "/a#", "/\x01" };
    static const char *const bad_templates[] = { "", "{b}", "{a", "a}", "{file}", "{header:}", "{header:a b}", "{}", "\n" };
    size_t i;

    for (i = 0; i < sizeof bad_paths / sizeof bad_paths[0]; i++)
        assert_non_null(route_path_problem(bad_paths[i]));
    for (i = 0; i < sizeof bad_templates / sizeof bad_templates[0]; i++)
        assert_non_null(route_template_problem(bad_templates[i], "/{a}", false));
    assert_null(route_path_problem("/{a}/b/{c_1}"));
    assert_null(route_template_problem("x-{a}/{client}/{header:X-Bed}", "/{a}", false));
    assert_null(route_template_problem("{file}", "/{a}", true));
}

static const char *header(void *self, const char *name)
{
    return strcmp(name, "X-Bed") == 0 ? self : NULL;
}

TEST(names_are_written_of_path_client_file_and_headers)
{
    struct route_named named = { .values = { "7", "b" } };
    char bed[] = "bed 9", empty[] = "";
    struct route_source from = { "/{x}/{y}", &named, "one", "f.csv", header, bed };
    char name[ROUTE_NAME_ROOM];

    assert_true(route_write(name, "{y}/{x}-{client}-{file}-{header:X-Bed}", &from));
    assert_string_equal(name, "b/7-one-f.csv-bed 9");
    assert_false(route_write(name, "{header:X-Other}", &from));
    from.self = empty;
    assert_false(route_write(name, "{header:X-Bed}", &from));
    from.client = NULL;
    assert_false(route_write(name, "{client}", &from));
    from.file = "a\nb";
    assert_false(route_write(name, "{file}", &from));
    memset(named.values[0], 'a', ROUTE_NAME_ROOM - 1);
    assert_true(route_write(name, "{x}", &from));
    assert_false(route_write(name, "{x}.", &from));
}

/* ---- rows ---- */

static enum answer_code split(const char *text, bool lines, const char *expected, struct answer *ret)
{
    static struct json *json;
    size_t length = strlen(text), size = 0;
    char *copy = malloc(length + split_padding()); /* exactly as much, so that more is seen */

    json = json ? json : split_open(4096);
    assert_non_null(json);
    assert_non_null(copy);
    memset(copy, '[', length + split_padding()); /* of an earlier body */
    memcpy(copy, text, length);
    if (split_text(json, copy, length, lines, 64, &size, ret)) {
        assert_int_equal(size, strlen(expected));
        assert_memory_equal(copy, expected, size);
    } else {
        assert_null(expected);
    }
    free(copy);
    return ret->code;
}

TEST(each_object_becomes_a_line)
{
    static const struct { const char *text; bool lines; const char *expected; uint64_t rows; } cases[] = {
        { "{}", false, "{}\n", 1 },
        { " \n{\"a\":\r\n1}\n", false, "{\"a\":  1}\n", 1 },
        { "[]", false, "", 0 },
        { "[{},{}]", false, "{}\n{}\n", 2 },
        { "[ {\"a\":[{\"b\":\"],{\"}]} , {} ]", false, "{\"a\":[{\"b\":\"],{\"}]}\n{}\n", 2 },
        { "{}\n\n{\"a\":1}\r\n {}", true, "{}\n{\"a\":1}\n{}\n", 3 },
        { "", true, "", 0 },
        { "\n\n", true, "", 0 },
    };
    struct answer answer;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(split(cases[i].text, cases[i].lines, cases[i].expected, &answer), ANSWER_NONE);
        assert_int_equal(answer.records, cases[i].rows);
    }
}

TEST(what_is_no_row_is_named_by_its_place)
{
    static const struct { const char *text; bool lines; enum answer_code code; uint64_t row, at; } cases[] = {
        { "", false, ANSWER_JSON_EMPTY, 0, 0 },          { "  ", false, ANSWER_JSON_EMPTY, 0, 0 },
        { "7", false, ANSWER_JSON_NO_OBJECT, 1, 0 },     { "[{},7]", false, ANSWER_JSON_NO_OBJECT, 2, 4 },
        { "[{},[]]", false, ANSWER_JSON_NO_OBJECT, 2, 4 }, { "{}{}", false, ANSWER_JSON_TRAILING, 1, 0 },
        { "{}\n[{}]", true, ANSWER_JSON_NO_OBJECT, 2, 3 }, { "{}\n{} {}", true, ANSWER_JSON_TRAILING, 2, 3 },
        { "[{\"a\":[", false, ANSWER_JSON_BAD, 1, 1 },    { "{\"a\":[1,[", true, ANSWER_JSON_BAD, 1, 0 },
        { "{\"a\":", false, ANSWER_JSON_BAD, 1, 0 },      { "[", false, ANSWER_JSON_BAD, 1, 0 },
        { "{}\n{}\n7", true, ANSWER_JSON_NO_OBJECT, 3, 6 }, { "{}\n{\"a\"}", true, ANSWER_JSON_BAD, 2, 3 },
        { "{\"a\":\"\xff\"}", false, ANSWER_JSON_UTF8, 1, 0 },
        { "{\"a\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", false, ANSWER_ROW_LARGE, 1, 0 },
    };
    struct answer answer;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(split(cases[i].text, cases[i].lines, NULL, &answer), cases[i].code);
        assert_int_equal(answer.row, cases[i].row);
        assert_int_equal(answer.at, cases[i].at);
    }
}

/* ---- forms ---- */

/* What comes of a form: each file as name=content; and then how it ended. */
static enum answer_code form(const char *type, const char *text, char *ret, size_t room)
{
    size_t length = strlen(text), used = 0;
    char *copy = malloc(length + (length == 0)); /* exactly as much */
    struct split_form f;
    struct split_file file;
    enum answer_code code;

    assert_non_null(copy);
    memcpy(copy, text, length);
    assert_true(split_form_open(&f, type));
    f.text = copy;
    f.size = length;
    ret[0] = '\0';
    while ((code = split_form_next(&f, &file)) == ANSWER_NONE && file.name)
        used += (size_t)snprintf(ret + used, room - used, "%s=%.*s;", file.name, (int)file.size, copy + file.at);
    free(copy);
    return code;
}

#define FILE_OF(name) "Content-Disposition: form-data; name=\"x\"; filename=" name "\r\n"

TEST(a_form_is_its_files_byte_by_byte)
{
    static const struct { const char *type, *text, *files; } cases[] = {
        { "multipart/form-data; boundary=bb", "--bb\r\n" FILE_OF("\"a\"") "\r\nA\r\n--bb--", "a=A;" },
        { "Multipart/Form-Data; charset=x; BOUNDARY=\"b b\"", "--b b\r\n" FILE_OF("a") "\r\nA\r\n--b b--\r\n", "a=A;" },
        { "multipart/form-data; boundary=bb", "before\r\n--bb\r\n" FILE_OF("\"a\"") "\r\n\r\n--bb \t\r\n" FILE_OF("\"b\"")
          "Content-Type: x\r\n\r\n--b\r\n-\r\r\n--bb--behind", "a=;b=--b\r\n-\r;" },
        { "multipart/form-data; boundary=bb", "--bb\r\n" FILE_OF("\"a\"") "\r\n--bb--", "a=;" }, /* one line end for both */
        { "multipart/form-data; boundary=bb", "--bb\r\n" FILE_OF("\"a\\\"\\\\\\n;b\"") "\r\n1\r\n--bb--", "a\"\\\\n;b=1;" },
        { "multipart/form-data; boundary=bb", "--bb--", "" },
    };
    char files[128];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(form(cases[i].type, cases[i].text, files, sizeof files), ANSWER_NONE);
        assert_string_equal(files, cases[i].files);
    }
}

TEST(a_form_that_is_none_is_refused_wherever_it_ends)
{
    static const char type[] = "multipart/form-data; boundary=bb";
    static const char whole[] = "--bb\r\n" FILE_OF("\"a\"") "Content-Transfer-Encoding: binary\r\n\r\nA\r\n--bb--";
    static const struct { const char *text; enum answer_code code; } cases[] = {
        { "--bb\r\n\r\nA\r\n--bb--", ANSWER_FORM_BAD }, { "--bbx\r\n" FILE_OF("a") "\r\nA\r\n--bb--", ANSWER_FORM_BAD },
        { "--bb\r\n" FILE_OF("a") FILE_OF("b") "\r\nA\r\n--bb--", ANSWER_FORM_BAD },
        { "--bb\r\n " FILE_OF("a") "\r\nA\r\n--bb--", ANSWER_FORM_BAD },
        { "--bb\r\nContent-Disposition: attachment; filename=a\r\n\r\nA\r\n--bb--", ANSWER_FORM_BAD },
        { "--bb\r\n" FILE_OF("a") "Content-Transfer-Encoding: base64\r\n\r\nQQ==\r\n--bb--", ANSWER_FORM_BAD },
        { "--bb\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nA\r\n--bb--", ANSWER_FORM_FIELD },
        { "--bb\r\n" FILE_OF("\"\"") "\r\nA\r\n--bb--", ANSWER_FORM_FIELD },
        { "--bb\r\n" FILE_OF("\"a") "\r\nA\r\n--bb--", ANSWER_FORM_FIELD },
    };
    static const char *const no_types[] = { "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary",
                                            "multipart/form-data; boundary=\"a", "multipart/form-data; boundary=\"a \"",
                                            "multipart/form-data; boundary=\"a\x01\"" };
    struct split_form f;
    char files[128], cut[sizeof whole];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(form(type, cases[i].text, files, sizeof files), cases[i].code);
    for (i = 0; i < sizeof no_types / sizeof no_types[0]; i++)
        assert_false(split_form_open(&f, no_types[i]));
    for (i = 0; i < sizeof whole - 1; i++) {
        (void)snprintf(cut, sizeof cut, "%.*s", (int)i, whole);
        assert_int_equal(form(type, cut, files, sizeof files), ANSWER_FORM_BAD);
    }
    assert_int_equal(form(type, whole, files, sizeof files), ANSWER_NONE);
}

/* ---- memory ---- */

TEST(memory_is_given_out_once_and_taken_back)
{
    static char memory[1024];
    struct span spans[5];
    struct arena a = { .base = memory, .size = sizeof memory, .spans = spans, .most = 4 };
    char *one = arena_take(&a, 100), *two = arena_take(&a, 256), *three = arena_take(&a, 512);

    assert_ptr_equal(one, memory);
    assert_true(two == one + 128 && three == two + 256);
    assert_null(arena_take(&a, 200));
    assert_non_null(arena_take(&a, 128));
    assert_null(arena_take(&a, 1)); /* as many as there may be */
    arena_give(&a, two);
    arena_shrink(&a, three, 10);
    assert_ptr_equal(arena_take(&a, 256), two);
    arena_give(&a, one);
    assert_ptr_equal(arena_take(&a, 300), three + 64);
    assert_null(arena_take(&a, SIZE_MAX));
    assert_null(arena_take(&a, 0));
    arena_give(&a, memory + 999);
    assert_int_equal(a.count, 4);
}

TEST(pieces_never_overlap)
{
    enum { PIECES = 32, ROUNDS = 20000 };
    static char memory[16384];
    struct span spans[PIECES];
    struct arena a = { .base = memory, .size = sizeof memory, .spans = spans, .most = PIECES };
    struct { char *at; size_t size; } pieces[PIECES] = { { NULL, 0 } };
    uint32_t random = 1, i, k, j;

    for (i = 0; i < ROUNDS; i++) {
        random = random * 1664525u + 1013904223u;
        k = random >> 27;
        if (pieces[k].at) {
            for (j = 0; j < pieces[k].size; j++)
                assert_int_equal((unsigned char)pieces[k].at[j], k);
            arena_give(&a, pieces[k].at);
            pieces[k].at = NULL;
            continue;
        }
        pieces[k].size = 1 + (random >> 8) % 3000;
        pieces[k].at = arena_take(&a, pieces[k].size);
        if (pieces[k].at)
            memset(pieces[k].at, (int)k, pieces[k].size);
    }
}

/* ---- keys ---- */

static struct known_one one_of(uint64_t key, uint32_t records)
{
    return (struct known_one){ .key = { key, ~key }, .print = key * 3, .records = records, .event_ns = 12, .clock = 1 };
}

TEST(the_oldest_key_is_forgotten_first_and_all_outlive_a_restart)
{
    struct known_one ones[8], others[8], one;
    struct known k = { .ones = ones, .room = 8 }, other = { .ones = others, .room = 8 };
    struct known_torn torn = { .one = one_of(77, 5), .stream = 3 }, read;
    uint8_t bytes[1024];
    size_t size, cut;
    uint64_t i;

    for (i = 1; i <= 10; i++) {
        one = one_of(i, (uint32_t)i);
        known_add(&k, &one);
    }
    one = one_of(5, 50); /* the same key: in its place */
    known_add(&k, &one);
    size = known_write(&k, &torn, bytes, sizeof bytes);
    assert_int_equal(known_write(&k, &torn, bytes, size - 1), size);
    assert_true(known_read(&other, &read, bytes, size));
    assert_int_equal(read.one.records, 5);
    assert_true(read.one.event_ns == 12 && read.stream == 3 && read.one.clock == 1);
    for (i = 1; i <= 10; i++) {
        const struct known_one *found = known_find(&other, (uint64_t[]){ i, ~i });

        assert_int_equal(found != NULL, i > 2);
        if (found)
            assert_int_equal(found->records, i == 5 ? 50 : i);
    }
    assert_null(known_find(&other, (uint64_t[]){ 3, 3 }));
    for (cut = 0; cut < size; cut++)
        assert_false(known_read(&other, &read, bytes, cut));
    bytes[0] ^= 1;
    assert_false(known_read(&other, &read, bytes, size));
}

/* ---- who ---- */

TEST(a_token_is_known_whole_or_not_at_all)
{
    static const struct token_option tokens[] = { { "one", "aaaaaaaaaaaaaaaa" }, { "two", "aaaaaaaaaaaaaaab" } };
    static const struct config c = { .tokens = { tokens, 2, sizeof tokens[0] } };
    static const char *const wrong[] = { "Bearer", "Bearer ", "Bearer aaaaaaaaaaaaaaa", "Bearer aaaaaaaaaaaaaaaaa",
                                         "Bearer aaaaaaaaaaaaaaaB", "Basic aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "" };
    char name[CLIENT_NAME_MOST + 1] = "";
    size_t i;

    assert_int_equal(who_token(&c, "Bearer aaaaaaaaaaaaaaab", name), ANSWER_NONE);
    assert_string_equal(name, "two");
    assert_int_equal(who_token(&c, "bearer  aaaaaaaaaaaaaaaa", name), ANSWER_NONE);
    assert_string_equal(name, "one");
    assert_int_equal(who_token(&c, NULL, name), ANSWER_NO_TOKEN);
    for (i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(who_token(&c, wrong[i], name), ANSWER_WRONG_TOKEN);
}

TEST(addresses_are_read_and_loopback_is_known)
{
    static const char *const bad[] = { "", "80", ":80", "host:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:8o",
                                       "::1:80", "[::1]", "[::1:80", "[x]:80", "1.2.3:80", "127.0.0.1:000080" };
    struct listen_address at;
    size_t i;

    for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(listen_read(bad[i], &at));
    assert_null(listen_read("127.0.0.1:80", &at));
    assert_true(at.is_loopback);
    assert_null(listen_read("localhost:0", &at));
    assert_true(at.is_loopback);
    assert_null(listen_read("[::1]:8080", &at));
    assert_true(at.is_loopback && !at.is_dual);
    assert_null(listen_read("10.1.2.3:8080", &at));
    assert_false(at.is_loopback);
    assert_null(listen_read("*:8443", &at));
    assert_true(at.is_dual && !at.is_loopback);
}

TEST(every_answer_has_a_status_and_fits)
{
    char text[ANSWER_ROOM];
    int code;

    for (code = ANSWER_NONE; code < ANSWER_CODES; code++) {
        struct answer answer = { .code = (enum answer_code)code, .row = UINT64_MAX, .at = UINT64_MAX, .limit = UINT64_MAX,
                                 .records = UINT64_MAX, .set_aside = UINT64_MAX, .is_again = true };
        size_t size = answer_write(&answer, text);

        assert_in_range(answer_status((enum answer_code)code), 200, 503);
        assert_true(size > 10 && size < ANSWER_ROOM - 1);
        assert_true(text[0] == '{' && strcmp(text + size - 2, "}\n") == 0);
    }
}

AFF_TEST_MAIN(a_path_fits_segment_by_segment, a_segment_longer_than_a_name_is_bad_and_not_cut,
              paths_and_templates_that_are_none_are_named, names_are_written_of_path_client_file_and_headers,
              each_object_becomes_a_line, what_is_no_row_is_named_by_its_place, a_form_is_its_files_byte_by_byte,
              a_form_that_is_none_is_refused_wherever_it_ends, memory_is_given_out_once_and_taken_back,
              pieces_never_overlap, the_oldest_key_is_forgotten_first_and_all_outlive_a_restart,
              a_token_is_known_whole_or_not_at_all, addresses_are_read_and_loopback_is_known,
              every_answer_has_a_status_and_fits)
