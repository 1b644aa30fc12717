/* SPDX-License-Identifier: Apache-2.0
 *
 * test_json.c - a JSON text is walked as json.h says: what is handed out, in which
 * order, where each row lies, and what is wrong with which part of it.
 *
 * Each text stands in memory of its own, is walked with several kinds of bytes behind the
 * first that follows it, and must give the same each time: they are not read for a part
 * of it. Not here: columns and types (op_json/test_op_json.c). */
#include "json.h"

#include <afferent/testkit.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is asked for in most tests: a, b.x, list and list[0]. */
static const struct json_node wanted[] = {
    { "", 0, 1, 0, JSON_NO_SOURCE }, { "a", 1, 0, 2, 0 }, { "b", 1, 4, 3, JSON_NO_SOURCE },
    { "list", 4, 5, 0, 2 },          { "x", 1, 0, 0, 1 }, { "0", 1, 0, 0, 3 },
};
enum { WANTED = sizeof wanted / sizeof wanted[0] };

static const char *const here[] = { NULL };

/* What was called, as one text. */
struct story {
    char *text;
    size_t used, room;
    const char *refuse; /* open_value: the name of a value that is refused */
    unsigned rows, stop_at;
};

static void tell(struct story *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(struct story *s, const char *format, ...)
{
    va_list args;

    if (s->room - s->used < 1024) {
        s->text = realloc(s->text, s->room = 2 * s->room + 4096);
        assert_non_null(s->text);
    }
    va_start(args, format);
    s->used += (size_t)vsnprintf(s->text + s->used, s->room - s->used, format, args);
    va_end(args);
}

/* Bytes that cannot be printed as <hex>; of long ones the beginning. */
static void tell_bytes(struct story *s, const char *bytes, size_t size)
{
    size_t i;

    for (i = 0; i < size && i < 40; i++)
        tell(s, (unsigned char)bytes[i] < ' ' ? "<%02x>" : "%c", (unsigned char)bytes[i]);
    if (i < size)
        tell(s, "...");
}

static void story_begin(void *self)
{
    tell(self, "{");
}

static void story_value(void *self, int32_t source, const struct json_value *v)
{
    tell(self, " %d%c", (int)source, "NSTO"[v->kind]);
    tell_bytes(self, v->text, v->size);
}

static enum json_status story_open_value(void *self, const char *name, uint32_t size, const struct json_value *v)
{
    struct story *s = self;

    tell(s, " ");
    tell_bytes(s, name, size);
    tell(s, "=%c", "NSTO"[v->kind]);
    tell_bytes(s, v->text, v->size);
    return s->refuse && strlen(s->refuse) == size && memcmp(name, s->refuse, size) == 0 ? JSON_BAD : JSON_FINE;
}

static int story_row(void *self, size_t at, size_t size, enum json_status status)
{
    struct story *s = self;

    tell(s, " }%zu+%zu", at, size);
    if (status != JSON_FINE)
        tell(s, "!%d", (int)status);
    return ++s->rows == s->stop_at;
}

static const struct json_calls calls = { story_begin, story_value, story_open_value, story_row };

/* Walks it with one kind of bytes behind it. */
static enum json_status walk_before(struct json *json, const char *text, size_t size, char behind, struct story *s,
                                    size_t *ret_at)
{
    char *copy = malloc(size + json_padding());
    enum json_status st;

    assert_non_null(copy);
    memcpy(copy, text, size);
    memset(copy + size, behind, json_padding());
    copy[size] = (char)(behind % 3 ? 0 : '\n');
    s->used = 0;
    s->rows = 0;
    tell(s, "%s", "");
    st = json_walk(json, copy, size, &calls, s, ret_at);
    free(copy);
    return st;
}

static enum json_status walk_bytes(struct json *json, const char *text, size_t size, struct story *s, size_t *ret_at)
{
    static const char behind[] = { '"', '}', '9', ' ', '\0', '\x7f' };
    struct story other = { .refuse = s->refuse, .stop_at = s->stop_at };
    enum json_status st = walk_before(json, text, size, behind[0], s, ret_at);
    size_t i, at;

    for (i = 1; i < sizeof behind; i++) {
        assert_int_equal(walk_before(json, text, size, behind[i], &other, &at), st);
        assert_int_equal(at, *ret_at);
        assert_string_equal(other.text, s->text);
    }
    free(other.text);
    return st;
}

static struct json *opened(const char *const *root, bool open)
{
    struct json *json = json_open(1 << 20, root, open ? NULL : wanted, open ? 0 : WANTED);

    assert_non_null(json);
    return json;
}

struct expected {
    const char *text;
    enum json_status status;
    size_t at;
    const char *story;
};

/* All with one reader, so that none leaves anything behind. */
static void expect(const char *const *root, bool open, const struct expected *e, size_t count)
{
    struct json *json = opened(root, open);
    struct story s = { 0 };
    size_t i, at, wrong = 0;

    for (i = 0; i < count; i++) {
        enum json_status st = walk_bytes(json, e[i].text, strlen(e[i].text), &s, &at);

        if (st == e[i].status && (st == JSON_FINE || at == e[i].at) && (!e[i].story || !strcmp(s.text, e[i].story)))
            continue;
        print_error("%s\n gives %d at %zu: \"%s\"\n     not %d at %zu: \"%s\"\n", e[i].text, (int)st, at, s.text,
                    (int)e[i].status, e[i].at, e[i].story ? e[i].story : "");
        wrong++;
    }
    assert_int_equal(wrong, 0);
    free(s.text);
    json_close(json);
}
#define EXPECT_ALL(root, open, table) expect(root, open, table, sizeof(table) / sizeof((table)[0]))

TEST(values_are_handed_out_as_they_were_written_and_null_is_not)
{
    static const struct expected table[] = {
        { "{\"a\":1.250,\"b\":{\"x\":\"t\"},\"list\":[true,null]}", JSON_FINE, 0,
          "{ 0N1.250 1St 3Ttrue 2O[true,null] }0+44" },
        { " { \"list\" : [ 7 , 8 ] , \"b\" : [ 1 ] , \"a\" : false } ", JSON_FINE, 0,
          "{ 3N7 2O[ 7 , 8 ] 0Tfalse }1+50" },
        { "{\"a\":null,\"b\":{\"x\":null},\"list\":null}", JSON_FINE, 0, "{ }0+37" },
        { "{\"a\":{\"x\":[1]},\"b\":3,\"list\":{\"0\":4}}", JSON_FINE, 0, "{ 0O{\"x\":[1]} 3N4 2O{\"0\":4} }0+36" },
        { "{}", JSON_FINE, 0, "{ }0+2" },
        { "{\"other\":[[],{},\"\"],\"A\":1,\"aa\":2,\"\":3}", JSON_FINE, 0, "{ }0+38" },
        { "{\"\\u0061\":1,\"l\\u0069st\":[]}", JSON_FINE, 0, "{ 0N1 2O[] }0+27" },
        { "\t{\"a\":1}\r\n", JSON_FINE, 0, "{ 0N1 }1+7" },
    };

    EXPECT_ALL(here, false, table);
}

TEST(numbers_keep_their_text_and_are_of_the_grammar)
{
    static const char *const good[] = {
        "0", "-0", "0.0", "-0.0e-0", "1E400", "-1e-400", "9007199254740993", "18446744073709551616",
        "-9223372036854775809", "123456789012345678901234567890123456789", "0.1000", "1e+05", "5E00",
        "179769313486231570000000000000000000000.0000000000000000000000001e300",
    };
    static const char *const bad[] = {
        "01", "-01", "1.", "-", "+1", ".5", "1e", "1e+", "0x10", "1_0", "1.e5", "--1", "NaN", "Infinity", "-Infinity",
        "1.5.2", "1e5.0", "1 2", "1-", "00", "1,", "\xef\xbc\x91", "1a", "tru", "True", "nul", "nulll", "falsee",
    };
    struct json *json = opened(here, false);
    struct story s = { 0 };
    char text[128], story[128];
    size_t i, at;

    for (i = 0; i < sizeof good / sizeof good[0]; i++) {
        (void)snprintf(text, sizeof text, "{\"a\":%s}", good[i]);
        (void)snprintf(story, sizeof story, "{ 0N%.40s%s }0+%zu", good[i], strlen(good[i]) > 40 ? "..." : "", strlen(text));
        assert_int_equal(walk_bytes(json, text, strlen(text), &s, &at), JSON_FINE);
        assert_string_equal(s.text, story);
    }
    for (i = 0; i < 2 * sizeof bad / sizeof bad[0]; i++) { /* asked for or not */
        (void)snprintf(text, sizeof text, "{\"%s\":%s}", i % 2 ? "z" : "a", bad[i / 2]);
        assert_int_equal(walk_bytes(json, text, strlen(text), &s, &at), JSON_BAD);
        assert_int_equal(at, 0);
        assert_int_equal(s.rows, 0);
    }
    free(s.text);
    json_close(json);
}

TEST(strings_come_unescaped_and_bad_ones_are_refused_wherever_they_stand)
{
    static const struct { const char *in, *out; enum json_status status; } cases[] = {
        { "", "", JSON_FINE },
        { "a\\\"\\\\\\/\\b\\f\\n\\r\\t", "a\"\\/<08><0c><0a><0d><09>", JSON_FINE },
        { "\\u0041\\u00e9\\u20AC", "A\xc3\xa9\xe2\x82\xac", JSON_FINE },
        { "\\ud83d\\ude00", "\xf0\x9f\x98\x80", JSON_FINE },
        { "x\\u0000y", "x<00>y", JSON_FINE },
        { "\xf0\x9f\x98\x80 \x7f", "\xf0\x9f\x98\x80 \x7f", JSON_FINE },
        { "{[,:]}", "{[,:]}", JSON_FINE },
        { "\\x41", NULL, JSON_BAD },
        { "\\u12g4", NULL, JSON_BAD },
        { "\\ud83d", NULL, JSON_BAD },
        { "\\ude00", NULL, JSON_BAD },
        { "\\ud83d\\u0041", NULL, JSON_BAD },
        { "a\nb", NULL, JSON_BAD },
        { "a\x01", NULL, JSON_BAD },
        { "\xff", NULL, JSON_BAD_UTF8 },
        { "\xc0\x80", NULL, JSON_BAD_UTF8 },
        { "\xed\xa0\x80", NULL, JSON_BAD_UTF8 },
        { "\xf4\x90\x80\x80", NULL, JSON_BAD_UTF8 },
        { "\xe2\x82", NULL, JSON_BAD_UTF8 },
    };
    static const char *const forms[] = { "{\"a\":\"%s\"}", "{\"z\":\"%s\"}", "{\"z\":[{\"y\":\"%s\"}]}", "{\"%s\":1}" };
    struct json *json = opened(here, false);
    struct story s = { 0 };
    char text[128], story[128];
    size_t i, at;

    for (i = 0; i < 4 * sizeof cases / sizeof cases[0]; i++) {
        const char *form = forms[i % 4];
        enum json_status status = cases[i / 4].status;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(text, sizeof text, form, cases[i / 4].in);
#pragma GCC diagnostic pop
        if (walk_bytes(json, text, strlen(text), &s, &at) != status)
            fail_msg("%s is not %d", text, (int)status);
        (void)snprintf(story, sizeof story, "{ 0S%s }0+%zu", cases[i / 4].out ? cases[i / 4].out : "", strlen(text));
        if (status == JSON_FINE && i % 4 == 0)
            assert_string_equal(s.text, story);
    }
    free(s.text);
    json_close(json);
}

TEST(what_is_no_whole_text_says_what_is_wrong)
{
    static const struct expected table[] = {
        { "", JSON_TRUNCATED, 0, "" },
        { " \n", JSON_TRUNCATED, 0, "" },
        { "{", JSON_BAD, 0, "{" },
        { "{\"a\":1", JSON_BAD, 0, "{ 0N1" },
        { "{\"a\":\"1}", JSON_TRUNCATED, 0, NULL },
        { "[{\"a\":1}", JSON_BAD, 8, "{ 0N1 }1+7" },
        { "{}{}", JSON_TRAILING, 0, "{" },
        { "{\"a\":1} x", JSON_TRAILING, 0, "{ 0N1" },
        { "[{}] []", JSON_TRAILING, 3, "{ }1+2" },
        { "{\"a\":1,}", JSON_BAD, 0, NULL },
        { "{,}", JSON_BAD, 0, NULL },
        { "{\"a\" 1}", JSON_BAD, 0, NULL },
        { "{\"a\":}", JSON_BAD, 0, NULL },
        { "{a:1}", JSON_BAD, 0, NULL },
        { "{'a':1}", JSON_BAD, 0, NULL },
        { "{\"a\":1 \"z\":2}", JSON_BAD, 0, NULL },
        { "[{\"a\":1} {\"a\":2}]", JSON_BAD, 8, "{ 0N1 }1+7" },
        { "\xef\xbb\xbf{}", JSON_BAD, 0, NULL },
        { "// no\n{}", JSON_BAD, 0, NULL },
        { "7", JSON_NO_OBJECT, 0, "" },
        { "\"text\"", JSON_NO_OBJECT, 0, "" },
        { "null", JSON_NO_OBJECT, 0, "" },
        { " -1.5e3 ", JSON_NO_OBJECT, 0, "" },
        { "<html>", JSON_BAD, 0, "" },
        { "nul", JSON_BAD, 0, "" },
        { "7 8", JSON_BAD, 0, "" },
        { "}", JSON_BAD, 0, "" },
    };

    EXPECT_ALL(here, false, table);
}

TEST(an_array_is_a_row_each_and_those_before_damage_stand)
{
    static const struct expected table[] = {
        { "[]", JSON_FINE, 0, "" },
        { "[ {\"a\":1} , {\"a\":2} ]", JSON_FINE, 0, "{ 0N1 }2+7{ 0N2 }12+7" },
        { "[1,{\"a\":2},\"x\",[{\"a\":3}],null,{}]", JSON_FINE, 0, " }1+1!8{ 0N2 }3+7 }11+3!8 }15+9!8 }25+4!8{ }30+2" },
        { "[{\"a\":1},{\"a\":02},{\"a\":3}]", JSON_BAD, 9, "{ 0N1 }1+7{" },
        { "[{\"a\":1},{\"a\":2", JSON_BAD, 9, "{ 0N1 }1+7{ 0N2" },
        { "[{\"a\":1},{\"z\":[1,{\"y\":\"\\q\"}]},{}]", JSON_BAD, 9, "{ 0N1 }1+7{" },
        { "[{\"a\":1},]", JSON_BAD, 8, "{ 0N1 }1+7" },
    };

    EXPECT_ALL(here, false, table);
}

TEST(a_key_that_is_asked_for_twice_makes_a_bad_row_and_the_next_is_good)
{
    static const struct expected table[] = {
        { "{\"a\":1,\"a\":1}", JSON_FINE, 0, "{ 0N1 }0+13!6" },
        { "{\"a\":null,\"\\u0061\":2,\"list\":[3]}", JSON_FINE, 0, "{ }0+32!6" },
        { "{\"b\":{\"x\":1,\"x\":2}}", JSON_FINE, 0, "{ 1N1 }0+19!6" },
        { "{\"b\":{\"x\":1},\"b\":{}}", JSON_FINE, 0, "{ 1N1 }0+20!6" },
        { "{\"z\":1,\"z\":2,\"a\":3}", JSON_FINE, 0, "{ 0N3 }0+19" },
        { "[{\"a\":1,\"a\":2},{\"a\":3}]", JSON_FINE, 0, "{ 0N1 }1+13!6{ 0N3 }15+7" },
        { "{\"z\":{\"a\":1},\"a\":2}", JSON_FINE, 0, "{ 0N2 }0+19" },
    };

    EXPECT_ALL(here, false, table);
}

TEST(rows_are_found_by_the_keys_that_lead_to_them)
{
    static const char *const root[] = { "data", "1", NULL };
    static const struct expected table[] = {
        { "{\"data\":[0,[{\"a\":1},{\"a\":2}]]}", JSON_FINE, 0, "{ 0N1 }12+7{ 0N2 }20+7" },
        { "{\"z\":{\"data\":3},\"data\":{\"0\":4,\"1\":{\"a\":5}}}", JSON_FINE, 0, "{ 0N5 }34+7" },
        { "{\"d\\u0061ta\":{\"1\":[]}}", JSON_FINE, 0, "" },
        { "{\"data\":[0,7]}", JSON_FINE, 0, " }11+1!8" },
        { "{\"data\":[0]}", JSON_NO_ROOT, 0, "" },
        { "{\"data\":1}", JSON_NO_ROOT, 0, "" },
        { "{\"Data\":[0,{}]}", JSON_NO_ROOT, 0, "" },
        { "[0,{}]", JSON_NO_ROOT, 0, "" },
        { "{\"data\":{\"1\":{},\"1\":{}}}", JSON_DUPLICATE, 0, "{" },
        { "{\"data\":[0,[{\"a\":1}]],\"z\":01}", JSON_BAD, 19, "{ 0N1 }12+7" },
        { "{\"data\":[0,{\"a\":1}],\"z\":01}", JSON_BAD, 0, "{ 0N1" },
        { "{\"data\":[\"\\q\",[{}]]}", JSON_BAD, 0, "" },
    };

    EXPECT_ALL(root, false, table);
}

TEST(without_columns_each_value_has_the_way_to_it_as_its_name)
{
    static const struct expected table[] = {
        { "{\"a\":1,\"b\":{\"c\":\"x\",\"d\":{\"e\":true}},\"f\":[1,{\"g\":2}],\"h\":null}", JSON_FINE, 0,
          "{ a=N1 b.c=Sx b.d.e=Ttrue f=O[1,{\"g\":2}] }0+61" },
        { "{\"a\":{},\"b\":[]}", JSON_FINE, 0, "{ b=O[] }0+15" },
        { "{\"a\\nb\":1,\"\\u00e9\":2}", JSON_FINE, 0, "{ a<0a>b=N1 \xc3\xa9=N2 }0+21" },
        { "[{\"\":1},{\"a\":1}]", JSON_FINE, 0, "{ }1+6!7{ a=N1 }8+7" },
        { "[{\"x\":{\"\":1},\"a\":1},{\"a\":1}]", JSON_FINE, 0, "{ }1+18!7{ a=N1 }20+7" },
        { "[{\"a\\u0000\":1},3]", JSON_FINE, 0, "{ }1+13!7 }15+1!8" },
    };

    EXPECT_ALL(here, true, table);
}

TEST(a_name_that_is_too_long_and_a_value_that_is_refused_make_a_bad_row)
{
    struct json *json = opened(here, true);
    struct story s = { .refuse = "b" };
    char text[600];
    size_t at;
    int length;

    assert_int_equal(walk_bytes(json, "[{\"a\":1,\"b\":2,\"c\":3},{\"a\":4}]", 29, &s, &at), JSON_FINE);
    assert_string_equal(s.text, "{ a=N1 b=N2 }1+19!1{ a=N4 }21+7");
    for (length = 508; length < 514; length++) {
        int size = snprintf(text, sizeof text, "{\"%0*d\":1}", length, 0);

        assert_int_equal(walk_bytes(json, text, (size_t)size, &s, &at), JSON_FINE);
        assert_int_equal(strstr(s.text, "!7") != NULL, length > 510);
    }
    free(s.text);
    json_close(json);
}

/* `depth` arrays or objects, one in the other. */
static char *nested(int depth, const char *open, const char *close)
{
    char *text = calloc(1, (size_t)depth * 8 + 8);
    int i;

    assert_non_null(text);
    for (i = 0; i < depth; i++)
        (void)strcat(text, i ? open : "{\"a\":");
    (void)strcat(text, "1");
    for (i = 0; i < depth; i++)
        (void)strcat(text, i < depth - 1 ? close : "}");
    return text;
}

TEST(nesting_has_an_end)
{
    static const int depths[] = { JSON_DEPTH_MOST - 1, JSON_DEPTH_MOST, JSON_DEPTH_MOST + 1, 100, 5000 };
    struct json *json = opened(here, false);
    struct story s = { 0 };
    size_t i, at;

    for (i = 0; i < 2 * sizeof depths / sizeof depths[0]; i++) {
        int depth = depths[i / 2];
        char *text = nested(depth, i % 2 ? "{\"a\":" : "[", i % 2 ? "}" : "]");

        assert_int_equal(walk_bytes(json, text, strlen(text), &s, &at), depth > JSON_DEPTH_MOST ? JSON_DEEP : JSON_FINE);
        free(text);
        assert_int_equal(walk_bytes(json, "{\"a\":1}", 7, &s, &at), JSON_FINE); /* and is as before */
    }
    free(s.text);
    json_close(json);
}

TEST(the_caller_may_stop_after_any_row)
{
    struct json *json = opened(here, false);
    struct story s = { .stop_at = 2 };
    size_t at;

    assert_int_equal(walk_bytes(json, "[{\"a\":1},{\"a\":2},{\"a\":3}]", 25, &s, &at), JSON_STOPPED);
    assert_string_equal(s.text, "{ 0N1 }1+7{ 0N2 }9+7");
    assert_int_equal(at, 16); /* what comes next begins here */
    s.stop_at = 1;
    assert_int_equal(walk_bytes(json, "{\"a\":1}", 7, &s, &at), JSON_STOPPED);
    free(s.text);
    json_close(json);
}

/* Whatever is cut off or changed: no crash, and never more than was good. */
TEST(every_cut_and_every_changed_byte_is_told_or_is_another_good_text)
{
    static const char text[] = "[{\"a\":-1.5e3,\"b\":{\"x\":\"\\u00e9\xc3\xa9\"},\"list\":[true,null]},{\"a\":\"z\"} ]";
    static const char bytes[] = "\"{}[]:,\\ 0e-\n\x00\xff";
    struct json *json = opened(here, false);
    struct story s = { 0 };
    char copy[sizeof text];
    size_t i, k, at;

    for (i = 0; i < sizeof text - 1; i++)
        assert_int_not_equal(walk_bytes(json, text, i, &s, &at), JSON_FINE);
    for (i = 0; i < sizeof text - 1; i++)
        for (k = 0; k < sizeof bytes - 1; k++) {
            memcpy(copy, text, sizeof text);
            copy[i] = bytes[k];
            (void)walk_bytes(json, copy, sizeof text - 1, &s, &at);
            assert_true(at <= sizeof text - 1);
            assert_true(s.rows <= 3);
        }
    assert_int_equal(walk_bytes(json, text, sizeof text - 1, &s, &at), JSON_FINE);
    assert_int_equal(s.rows, 2);
    free(s.text);
    json_close(json);
}

/* Many rows, in memory that was taken at open. */
struct sum {
    const char *text;
    uint64_t values, rows;
    size_t end;
};

static void sum_begin(void *self)
{
    (void)self;
}

static void sum_value(void *self, int32_t source, const struct json_value *v)
{
    struct sum *s = self;

    if (source == 0)
        s->values += strtoull(v->text, NULL, 10);
}

static int sum_row(void *self, size_t at, size_t size, enum json_status status)
{
    struct sum *s = self;

    assert_int_equal(status, JSON_FINE);
    assert_true(at > s->end);
    assert_true(s->text[at] == '{' && s->text[at + size - 1] == '}');
    s->end = at + size - 1;
    s->rows++;
    return 0;
}

TEST(a_large_text_is_walked_whole)
{
    static const struct json_calls adding = { sum_begin, sum_value, NULL, sum_row };
    enum { ROWS = 60000, ROOM = ROWS * 64 };
    char *text = malloc(ROOM + json_padding());
    struct json *json = json_open(ROOM, here, wanted, WANTED);
    struct sum s = { .text = text };
    size_t used = 1, at;
    uint64_t i, sum = 0;

    assert_non_null(text);
    assert_non_null(json);
    text[0] = '[';
    for (i = 0; i < ROWS; i++) {
        used += (size_t)snprintf(text + used, 64, "%s{\"a\":%llu,\"b\":{\"x\":\"%llu\"}}", i ? "," : "",
                                 (unsigned long long)i, (unsigned long long)(i * i));
        sum += i;
    }
    text[used++] = ']';
    memset(text + used, 0, json_padding());
    assert_int_equal(json_walk(json, text, used, &adding, &s, &at), JSON_FINE);
    assert_int_equal(s.rows, ROWS);
    assert_int_equal(s.values, sum);
    json_close(json);
    free(text);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif

/* In a process of its own, which may take no more memory; sanitizers, which end a
 * process then, see the first half. */
TEST(where_there_is_no_memory_there_is_no_reader)
{
    int status = 0;
    pid_t child;

    assert_null(json_open((size_t)1 << 40, here, wanted, WANTED)); /* more than a text can have */
    json_close(NULL);
    fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
#ifndef HAS_SANITIZER
        struct rlimit limit = { (rlim_t)256 << 20, (rlim_t)256 << 20 };
        struct json *json;

        if (setrlimit(RLIMIT_AS, &limit) != 0 || json_open((size_t)1 << 30, here, wanted, WANTED))
            _exit(1);
        json = json_open(4096, here, wanted, WANTED);
        json_close(json);
        _exit(json ? 0 : 2);
#endif
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

AFF_TEST_MAIN(values_are_handed_out_as_they_were_written_and_null_is_not,
              numbers_keep_their_text_and_are_of_the_grammar,
              strings_come_unescaped_and_bad_ones_are_refused_wherever_they_stand,
              what_is_no_whole_text_says_what_is_wrong,
              an_array_is_a_row_each_and_those_before_damage_stand,
              a_key_that_is_asked_for_twice_makes_a_bad_row_and_the_next_is_good,
              rows_are_found_by_the_keys_that_lead_to_them,
              without_columns_each_value_has_the_way_to_it_as_its_name,
              a_name_that_is_too_long_and_a_value_that_is_refused_make_a_bad_row,
              nesting_has_an_end,
              the_caller_may_stop_after_any_row,
              every_cut_and_every_changed_byte_is_told_or_is_another_good_text,
              a_large_text_is_walked_whole,
              where_there_is_no_memory_there_is_no_reader)
