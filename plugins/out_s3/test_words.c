/* test_words.c - signatures, keys, answers: what needs no store. */
#include <afferent/testkit.h>

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "key.h"
#include "sign.h"
#include "xml.h"

/* ---- signatures: the examples of the S3 API reference ---- */

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HOST "examplebucket.s3.amazonaws.com"
#define DATE "20130524T000000Z"

static const struct sign_who amazon = { "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1", "s3" };

static void expect_signature(const struct sign_who *who, const struct sign_request *r, const char *signature)
{
    struct text t = { 0 };

    sign_write(&t, who, r);
    text_add(&t, "", 1);
    assert_false(t.failed);
    if (!strstr(t.bytes, signature))
        fail_msg("%s", t.bytes);
    text_free(&t);
}

static struct sign_request request_of(const char *method, const char *path, const char *query, const struct sign_header *headers, size_t count)
{
    return (struct sign_request){ method, path, query, headers, count, EMPTY, DATE };
}

TEST(an_object_is_got_as_in_the_reference)
{
    const struct sign_header headers[] = { { "host", HOST }, { "range", "bytes=0-9" }, { "x-amz-content-sha256", EMPTY }, { "x-amz-date", DATE } };
    struct sign_request r = request_of("GET", "/test.txt", "", headers, 4);

    expect_signature(&amazon, &r, "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                                  "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                                  "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST(an_object_is_put_as_in_the_reference)
{
    char hash[SIGN_HASH_ROOM];
    const struct sign_header headers[] = { { "date", "Fri, 24 May 2013 00:00:00 GMT" }, { "host", HOST }, { "x-amz-content-sha256", hash },
                                           { "x-amz-date", DATE }, { "x-amz-storage-class", "REDUCED_REDUNDANCY" } };
    struct sign_request r = request_of("PUT", "", "", headers, 5);
    struct text path = { 0 };

    sign_hash(hash, "Welcome to Amazon S3.", 21);
    assert_string_equal(hash, "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
    text_say(&path, "/");
    sign_escape(&path, "test$file.text", 14, true);
    text_add(&path, "", 1);
    r.path = path.bytes;
    r.payload_hash = hash;
    expect_signature(&amazon, &r, "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    text_free(&path);
}

TEST(queries_are_signed_as_in_the_reference)
{
    const struct sign_header headers[] = { { "host", HOST }, { "x-amz-content-sha256", EMPTY }, { "x-amz-date", DATE } };
    struct sign_request r = request_of("GET", "/", "lifecycle=", headers, 3);

    expect_signature(&amazon, &r, "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    r.query = "max-keys=2&prefix=J";
    expect_signature(&amazon, &r, "Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

/* get-vanilla and get-header-value-trim of AWS' test suite for the general form. */
TEST(requests_of_the_test_suite_have_its_signatures)
{
    const struct sign_who who = { "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1", "service" };
    const struct sign_header plain[] = { { "host", "example.amazonaws.com" }, { "x-amz-date", "20150830T123600Z" } };
    const struct sign_header blanks[] = { { "host", "example.amazonaws.com" }, { "my-header1", " value1" }, { "my-header2", " \"a   b   c\"" },
                                          { "x-amz-date", "20150830T123600Z" } };
    struct sign_request r = request_of("GET", "/", "", plain, 2);

    r.date = "20150830T123600Z";
    expect_signature(&who, &r, "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    r.headers = blanks;
    r.header_count = 4;
    expect_signature(&who, &r, "Signature=acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736");
}

TEST(dates_and_bytes_are_written_as_they_are_signed)
{
    char date[SIGN_DATE_ROOM];
    struct text t = { 0 };

    sign_date(date, 1369353600);
    assert_string_equal(date, DATE);
    sign_escape(&t, "a b+c/\xc3\xbc%~//.", 13, true);
    text_add(&t, "", 1);
    assert_string_equal(t.bytes, "a%20b%2Bc/%C3%BC%25~//.");
    t.size = 0;
    sign_escape(&t, "a/b", 3, false);
    text_add(&t, "", 1);
    assert_string_equal(t.bytes, "a%2Fb");
    text_free(&t);
}

/* ---- keys ---- */

static const struct aff_column columns[] = {
    { .name = "bed", .type = AFF_TEXT }, { .name = "rate", .type = AFF_REAL }, { .name = "n", .type = AFF_INT },
};
static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .columns = columns, .count = 3,
                                          .stride = sizeof columns[0] };
static struct aff_record no_row = { .type = AFF_BYTES, .event_ns = INT64_C(1772712000500000000) };

static const char *key_of(const char *template, const char *subject, const struct aff_record *r)
{
    static char ret[KEY_MOST + 1];
    struct config config = { .object = template, .format = FORMAT_NDJSON, .compress = PACK_GZIP };
    const struct source from = { r, r->type == AFF_FIELDS ? &schema : NULL, subject, "ecg/1" };
    const struct item item = { .id = { 0x0123456789abcdef, 41 }, .event_ns = r->event_ns };
    struct text group = { 0 }, key = { 0 };

    assert_null(key_problem(template));
    key_group(&group, &config, &from);
    assert_false(group.failed);
    assert_true(key_write(&key, group.bytes, group.size, &item, 1));
    memcpy(ret, key.bytes, key.size);
    ret[key.size] = '\0';
    assert_true(key_is_ours(&config, ret));
    text_free(&group);
    text_free(&key);
    return ret;
}

TEST(a_key_is_made_of_a_template)
{
    assert_string_equal(key_of("{subject}/{stream}/{date}/{time}-{id}{suffix}", "bed 3", &no_row),
                        "bed!203/ecg!2F1/2026-03-05/20260305T120000.500Z-0123456789abcdef-41.ndjson.gz");
    assert_string_equal(key_of("a b/y={year}/{month}{day}T{hour}{minute}/{id}", "", &no_row), "a b/y=2026/0305T1200/0123456789abcdef-41");
    no_row.event_ns = -1;
    assert_string_equal(key_of("{date}/{id}", "x", &no_row), "1969-12-31/0123456789abcdef-41");
    no_row.event_ns = INT64_C(1772712000500000000);
}

TEST(data_never_becomes_a_path)
{
    static const struct { const char *is, *in_key; } cases[] = {
        { "..", "!2E." }, { ".", "!2E" }, { "", "!empty" }, { "../../etc/passwd", "!2E.!2F..!2Fetc!2Fpasswd" }, { "a/b", "a!2Fb" },
        { "a//b", "a!2F!2Fb" }, { "a\\b", "a!5Cb" }, { "\x01\x02\n\x7f", "!01!02!0A!7F" }, { "!empty", "!21empty" }, { "!2E", "!212E" },
        { "\xff\xfe", "!FF!FE" }, { "M\xc3\xbcller", "M!C3!BCller" }, { "{id}", "!7Bid!7D" }, { "%2F", "!252F" }, { "a+b c", "a!2Bb!20c" },
        { "a.b_c-D9", "a.b_c-D9" }, { "?uploads", "!3Fuploads" },
    };
    char wanted[128];

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)snprintf(wanted, sizeof wanted, "%s/0123456789abcdef-41", cases[i].in_key);
        assert_string_equal(key_of("{subject}/{id}", cases[i].is, &no_row), wanted);
    }
}

TEST(a_value_that_is_too_long_is_cut_and_stays_its_own)
{
    char one[5001], other[5001];
    char first[KEY_MOST + 1];

    memset(one, 'x', sizeof one - 1);
    one[sizeof one - 1] = '\0';
    memcpy(other, one, sizeof one);
    other[4000] = 'y';
    (void)snprintf(first, sizeof first, "%s", key_of("{subject}/{id}", one, &no_row));
    assert_int_equal(strcspn(first, "/"), KEY_VALUE_MOST);
    assert_non_null(strstr(first, "xx!~"));
    assert_string_not_equal(first, key_of("{subject}/{id}", other, &no_row));
    memset(one, '/', KEY_VALUE_MOST / 3 + 1); /* cut between two escapes */
    one[KEY_VALUE_MOST / 3 + 1] = '\0';
    assert_non_null(strstr(key_of("{subject}/{id}", one, &no_row), "!2F!2F!~"));
    one[KEY_VALUE_MOST / 3] = '\0';
    assert_null(strstr(key_of("{subject}/{id}", one, &no_row), "!~"));
}

TEST(columns_stand_in_keys_as_text)
{
    static _Alignas(16) uint8_t bytes[256];
    struct aff_record r = { .type = AFF_FIELDS, .data = bytes, .size = sizeof bytes };
    struct aff_row row = aff_row_begin(&r, 3);

    aff_row_put_real(&row, 1, 72.5);
    aff_row_put_int(&row, 2, -4);
    assert_string_equal(key_of("{column:bed}/{column:rate}/{column:n}/{column:other}/{id}", "x", &r),
                        "!none/72.5/-4/!none/0123456789abcdef-41");
    r.size = 4; /* shorter than its schema */
    assert_string_equal(key_of("{column:rate}/{id}", "x", &r), "!none/0123456789abcdef-41");
}

TEST(the_same_records_are_the_same_object_and_others_are_not)
{
    const struct item items[] = { { .id = { 1, 1 } }, { .id = { 1, 2 } }, { .id = { 1, 3 } } };
    const struct item others[] = { { .id = { 1, 1 } }, { .id = { 1, 3 } } };
    struct text keys[5] = { 0 };

    assert_true(key_write(&keys[0], "\x02", 1, items, 2));
    assert_true(key_write(&keys[1], "\x02", 1, items, 2));
    assert_true(key_write(&keys[2], "\x02", 1, items, 3));
    assert_true(key_write(&keys[3], "\x02", 1, others, 2));
    assert_true(key_write(&keys[4], "\x02", 1, items, 1));
    assert_true(keys[0].size == keys[1].size && memcmp(keys[0].bytes, keys[1].bytes, keys[0].size) == 0);
    for (int i = 2; i < 5; i++)
        assert_false(keys[0].size == keys[i].size && memcmp(keys[0].bytes, keys[i].bytes, keys[0].size) == 0);
    assert_int_equal(keys[4].size, 18);
    for (int i = 0; i < 5; i++)
        text_free(&keys[i]);
}

TEST(a_template_that_is_none_is_refused)
{
    static const char *const bad[] = { "", "a", "{subject}", "/{id}", "{id}/", "a//{id}", "./{id}", "a/../{id}", "{id", "{id}}", "{ids}", "{column:}/{id}",
                                       "{column:a", "{column:a{b}}{id}", "a\\{id}", "a\n{id}", "\xff{id}", "{Id}",
                                       "{subject}{subject}{subject}{subject}{subject}{subject}{subject}{subject}{id}" };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (!key_problem(bad[i]))
            fail_msg("taken: %s", bad[i]);
    assert_null(key_problem("a+b %/\xc3\xbc/{column:x y}/{id}{suffix}"));
}

TEST(only_keys_that_we_may_have_made_are_ours)
{
    static const struct { const char *key; bool is_ours; } cases[] = {
        { "w/bed!203/20260305T120000.500Z-0123456789abcdef-41.ndjson", true },
        { "w/a/b/20260305T120000.500Z-0123456789abcdef-41.ndjson", false }, { "w/a/x-0123456789abcdef-41-n7-00112233445566778899aabbccddeeff.ndjson", true },
        { "w/a/x-0123456789abcdef-41-n7-0011.ndjson", false }, { "w/a/x-0123456789abcdef-41.csv", false }, { "w/a/backup.ndjson", false },
        { "v/a/x-0123456789abcdef-41.ndjson", false }, { "w/a/x-0123456789ABCDEF-41.ndjson", false }, { "", false },
        { "w/a-0123456789abcdef-4/x-0123456789abcdef-41.ndjson", true },
    };
    const struct config config = { .object = "w/{subject}/{time}-{id}{suffix}" };
    char long_one[KEY_MOST + 1];
    struct text prefix = { 0 };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (key_is_ours(&config, cases[i].key) != cases[i].is_ours)
            fail_msg("%s", cases[i].key);
    memset(long_one, '-', KEY_MOST);
    long_one[KEY_MOST] = '\0';
    memcpy(long_one, "w/", 2);
    long_one[500] = '/';
    assert_false(key_is_ours(&config, long_one));
    key_prefix(&prefix, &config);
    assert_true(prefix.size == 2 && memcmp(prefix.bytes, "w/", 2) == 0);
    text_free(&prefix);
}

/* ---- documents ---- */

static char taken[4096];

static void take(void *self, const char *path, const char *text)
{
    size_t used = strlen(taken);

    (void)self;
    (void)snprintf(taken + used, sizeof taken - used, "%s=%s;", path, text ? text : "-");
}

static const char *read_as(const char *document)
{
    taken[0] = '\0';
    return xml_read(document, strlen(document), take, NULL) ? taken : NULL;
}

TEST(a_document_is_read_by_its_paths)
{
    assert_string_equal(read_as(" \n<?xml version=\"1.0\"?>\n<a:r xmlns:a='x'><b>1 &lt;&#65;&#x42;&amp;</b><!-- c --> <c/><d x=\"1\"><e> f </e></d></a:r> "),
                        "r/b=1 <AB&;r/c=;r/d/e= f ;r/d=-;r=-;");
    assert_string_equal(read_as("<r/>"), "r=;");
    assert_string_equal(read_as("\xef\xbb\xbf<r>&#8364;&#x1F600;</r>"), "r=\xe2\x82\xac\xf0\x9f\x98\x80;");
}

TEST(what_is_no_document_is_refused)
{
    static const char *const bad[] = {
        "", " ", "x", "<", "<a", "<a>", "<a></b>", "<a></a", "<a></a>x", "<a></a><a/>", "</a>", "<a>&b;</a>", "<a>&#0;</a>", "<a>&#xD800;</a>", "<a>&#x110000;</a>",
        "<a>&#99999999999999999999;</a>", "<a>&#;</a>", "<a>&amp</a>", "<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "<a><![CDATA[x]]></a>",
        "<a b></a>", "<a b=c></a>", "<a b=\"<\"></a>", "<a b=\"1\"c=\"2\"/>", "<a b=\"1></a>", "<a>x<b/></a>", "<a><b/>x</a>", "<a><!-- x -- y --></a>", "<a><?pi?></a>",
        "<?xml version=\"1.0\"<a/>", "<a>\x01</a>", "<1/>", "<a:/>", "<a/ >",
        "<a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a>",
    };
    char *large = calloc(1, 20000);

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (read_as(bad[i]))
            fail_msg("taken: %s", bad[i]);
    assert_non_null(large);
    memset(large, 'x', 19999);
    memcpy(large, "<a>", 3);
    memcpy(large + 19995, "</a>", 4);
    assert_null(read_as(large));
    memset(large + 1, 'n', 19990);
    assert_null(read_as(large));
    assert_false(xml_read("<a>\0</a>", 8, take, NULL));
    free(large);
}

/* ---- answers ---- */

#define ERROR_OF(code) "<?xml version=\"1.0\"?><Error><Code>" code "</Code><Message>m</Message></Error>"

TEST(an_answer_says_what_is_to_be_done)
{
    static const struct { long status; const char *code; enum verdict is; const char *words; } cases[] = {
        { 403, "RequestTimeTooSkewed", VERDICT_LATER, "clock is wrong" }, { 403, "AccessDenied", VERDICT_LATER, "s3:PutObject" },
        { 403, "SignatureDoesNotMatch", VERDICT_LATER, "secret_key" },    { 404, "NoSuchBucket", VERDICT_LATER, "bucket" },
        { 404, "NoSuchUpload", VERDICT_RESTART, "anew" },                 { 400, "EntityTooLarge", VERDICT_REFUSED, NULL },
        { 400, "KeyTooLongError", VERDICT_REFUSED, NULL },                { 503, "SlowDown", VERDICT_LATER, "SlowDown" },
        { 400, "ExpiredToken", VERDICT_LATER, "expired" },                { 400, "BadDigest", VERDICT_LATER, "other bytes" },
        { 301, "PermanentRedirect", VERDICT_LATER, "region" },            { 200, "InternalError", VERDICT_LATER, "failed" },
        { 400, "", VERDICT_LATER, "no S3 store" },                        { 400, "NeverHeardOf", VERDICT_REFUSED, NULL },
        { 400, "KMS.DisabledException", VERDICT_LATER, "sse_key" },       { 414, "", VERDICT_REFUSED, NULL },
        { 400, "IllegalLocationConstraintException", VERDICT_LATER, "region" }, { 418, "", VERDICT_LATER, "no S3 store" },
        { 413, "", VERDICT_REFUSED, NULL },                               { 403, "", VERDICT_LATER, "credentials" },
        { 500, "", VERDICT_LATER, "5xx" },                                { 503, "", VERDICT_LATER, "503" },
        { 429, "", VERDICT_LATER, "429" },                                { 307, "", VERDICT_LATER, "redirect" },
        { 0, "", VERDICT_LATER, "no S3 store" },                          { 507, "", VERDICT_LATER, "full" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *why = NULL;
        enum verdict is = answer_verdict(cases[i].status, cases[i].code, &why);

        if (is != cases[i].is || (cases[i].words && (!why || !strstr(why, cases[i].words))) || (is != VERDICT_REFUSED && !why))
            fail_msg("%ld %s: %d %s", cases[i].status, cases[i].code, is, why ? why : "-");
    }
}

static void answer_of(struct answer *ret, const char *document)
{
    answer_read(ret, document, strlen(document));
}

TEST(documents_of_a_store_are_understood)
{
    static const char bomb[] = "<!DOCTYPE x [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><Error><Code>&b;</Code></Error>";
    struct answer a;

    answer_of(&a, ERROR_OF("SlowDown"));
    assert_true(a.is_whole && a.is_error && strcmp(a.code, "SlowDown") == 0);
    answer_of(&a, ERROR_OF("bed 3\nsaid"));
    assert_true(a.is_whole && a.is_error && !a.code[0]); /* no word of a store: it stands in no log */
    answer_of(&a, ERROR_OF("KMS.DisabledException"));
    assert_string_equal(a.code, "KMS.DisabledException");
    answer_of(&a, bomb);
    assert_true(!a.is_whole && !a.is_error && !a.code[0]);
    answer_read(&a, ERROR_OF("SlowDown"), sizeof ERROR_OF("SlowDown") - 5);
    assert_true(!a.is_whole && !a.code[0]);
    answer_of(&a, "<InitiateMultipartUploadResult><UploadId>a&amp;b</UploadId></InitiateMultipartUploadResult>");
    assert_true(a.is_whole && !a.is_error && strcmp(a.upload_id, "a&b") == 0);
    answer_of(&a, "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>");
    assert_true(a.is_whole && a.is_complete);
    answer_read(&a, NULL, 0);
    assert_false(a.is_whole);
}

AFF_TEST_MAIN(an_object_is_got_as_in_the_reference, an_object_is_put_as_in_the_reference, queries_are_signed_as_in_the_reference,
              requests_of_the_test_suite_have_its_signatures, dates_and_bytes_are_written_as_they_are_signed, a_key_is_made_of_a_template,
              data_never_becomes_a_path, a_value_that_is_too_long_is_cut_and_stays_its_own, columns_stand_in_keys_as_text,
              the_same_records_are_the_same_object_and_others_are_not, a_template_that_is_none_is_refused,
              only_keys_that_we_may_have_made_are_ours, a_document_is_read_by_its_paths, what_is_no_document_is_refused,
              an_answer_says_what_is_to_be_done, documents_of_a_store_are_understood)
