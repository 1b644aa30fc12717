/* test_letter.c - how a mail looks: whatever stands in a row, its lines are short, ASCII,
 * and as many headers as they should be.
 *
 * Not here: whether a mail reader understands it (tests/net/mail.py). */
#include "letter.h"
#include "mime.h"

#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const to[] = { "anna@example.org", "otto@example.org" };
static struct config config = {
    .sender = "node@example.org", .sender_name = "Station 3 (Innere)", .to = { to, 2, sizeof to[0] }, .batch_records = 2,
};

static struct item item_of(const char *subject, const char *body, uint64_t seq, uint8_t rank)
{
    struct item i = { .id = { 0xabc, seq }, .rank = rank };

    i.subject_size = (uint16_t)strlen(subject);
    i.body_size = (uint16_t)strlen(body);
    memcpy(i.subject, subject, i.subject_size);
    memcpy(i.body, body, i.body_size);
    return i;
}

static const char *letter_of(struct text *t, struct item *items, uint32_t count)
{
    struct letter letter = { &config, items, count, INT64_C(1772712000) * 1000000000, true };

    t->size = 0;
    letter_write(t, &letter);
    text_add(t, "", 1);
    assert_false(t->failed);
    t->size--;
    return t->bytes;
}

static size_t count_of(const char *text, const char *part)
{
    size_t n = 0;

    for (; (text = strstr(text, part)) != NULL; text += strlen(part))
        n++;
    return n;
}

/* Each line ends in CRLF, has 78 bytes at most, and is of printable ASCII. */
static void expect_lines(const struct text *t)
{
    size_t i, begin = 0;

    for (i = 0; i < t->size; i++) {
        unsigned char c = (unsigned char)t->bytes[i];

        if (c == '\r') {
            assert_true(i + 1 < t->size && t->bytes[i + 1] == '\n');
            assert_true(i - begin <= 78);
            begin = i + 2;
        } else if (c == '\n') {
            assert_true(i > 0 && t->bytes[i - 1] == '\r');
        } else {
            assert_true(c >= 0x20 && c < 0x7f);
        }
    }
    assert_int_equal(begin, t->size);
}

/* Lines of the head that begin a header. */
static size_t headers_of(const char *mail)
{
    size_t n = 0;
    const char *line, *end = strstr(mail, "\r\n\r\n");

    assert_non_null(end);
    for (line = mail; line < end + 2; line = strstr(line, "\r\n") + 2)
        n += *line != ' ';
    return n;
}

TEST(a_mail_has_what_a_mail_must_have)
{
    struct item one = item_of("high bed 3: 131", "it is high", 7, 0);
    struct text t = { 0 };
    const char *mail = letter_of(&t, &one, 1);

    assert_non_null(strstr(mail, "Date: Thu, 5 Mar 2026 12:00:00 +0000\r\n"));
    assert_non_null(strstr(mail, "From: =?UTF-8?B?U3RhdGlvbiAzIChJbm5lcmUp?=\r\n <node@example.org>\r\n"));
    assert_non_null(strstr(mail, "To: anna@example.org,\r\n otto@example.org\r\n"));
    assert_non_null(strstr(mail, "Subject: high bed 3: 131\r\n"));
    assert_non_null(strstr(mail, "Message-ID: <0000000000000abc-7@example.org>\r\n"));
    assert_non_null(strstr(mail, "Auto-Submitted: auto-generated\r\n"));
    assert_non_null(strstr(mail, "\r\n\r\nit is high\r\n\r\n--=20\r\nSent by Afferent. Not for clinical use"));
    assert_int_equal(headers_of(mail), 11);
    expect_lines(&t);
    text_free(&t);
}

static size_t message_id(char ret[128], const char *mail)
{
    return (size_t)sscanf(strstr(mail, "Message-ID:"), "Message-ID: %127s", ret);
}

TEST(the_same_records_are_the_same_mail_and_more_are_another)
{
    struct item items[3] = { item_of("a", "x", 1, 2), item_of("b", "y", 2, 0), item_of("c", "z", 3, 4) };
    struct item turned[2] = { items[1], items[0] };
    char first[128], again[128], more[128], other[128];
    struct text t = { 0 };

    assert_int_equal(message_id(more, letter_of(&t, items, 3)), 1);
    assert_non_null(strstr(t.bytes, "Subject: b (and 2 more)\r\n"));
    assert_non_null(strstr(t.bytes, "\r\n\r\ny\r\nx\r\n\r\nand 1 more that are not listed: 1 other\r\n"));
    assert_int_equal(count_of(t.bytes, "0000000000000abc-"), 4); /* all ids, and the first in the Message-ID */
    assert_int_equal(message_id(first, letter_of(&t, turned, 2)), 1);
    assert_int_equal(message_id(again, letter_of(&t, turned, 2)), 1);
    assert_int_equal(message_id(other, letter_of(&t, turned + 1, 1)), 1);
    assert_string_equal(first, again);
    assert_string_not_equal(first, more);
    assert_string_not_equal(first, other);
    text_free(&t);
}

TEST(what_is_high_is_never_only_counted)
{
    struct item items[6] = { item_of("a", "x1", 1, 0), item_of("b", "x2", 2, 0), item_of("c", "x3", 3, 0),
                             item_of("d", "y", 4, 1), item_of("e", "z", 5, 2), item_of("f", "z", 6, 2) };
    struct letter letter = { &config, items, 6, 0, false };
    struct text t = { 0 };

    assert_int_equal(letter_write(&t, &letter), 3);
    text_add(&t, "", 1);
    assert_non_null(strstr(t.bytes, "\r\nx1\r\nx2\r\nx3\r\n\r\nand 3 more that are not listed: 1 medium 2 low\r\n"));
    text_free(&t);
}

TEST(any_bytes_make_short_lines_of_ascii_and_no_header)
{
    struct text t = { 0 };

    srand(7);
    for (int turn = 0; turn < 500; turn++) {
        struct item one = item_of("", "", 7, 1);
        struct text words = { 0 };
        char raw[SUBJECT_MOST];
        size_t size = (size_t)rand() % (sizeof raw / 3);

        for (size_t i = 0; i < size; i++)
            raw[i] = (char)(turn % 2 ? rand() : "\r\n: =?\xc3\xa4.\t,<>@"[rand() % 15]);
        text_line(&words, raw, size);
        (void)fill_cut(&words, 0, SUBJECT_MOST);
        assert_true(text_is_utf8(words.bytes ? words.bytes : "", words.size));
        one.subject_size = one.body_size = (uint16_t)words.size;
        if (words.size > 0) {
            memcpy(one.subject, words.bytes, words.size);
            memcpy(one.body, words.bytes, words.size);
        }
        (void)letter_of(&t, &one, 1);
        assert_int_equal(headers_of(t.bytes), 10);
        expect_lines(&t);
        text_free(&words);
    }
    text_free(&t);
}

TEST(encoded_words_hold_whole_characters)
{
    struct text t = { 0 };
    const char *word;

    mime_header(&t, "Subject", "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
                "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 42, NULL);
    expect_lines(&t);
    text_add(&t, "", 1);
    word = strstr(t.bytes, "=?UTF-8?B?");
    assert_int_equal(strcspn(word + 10, "?") % 4, 0);
    assert_int_equal(count_of(t.bytes, "=?UTF-8?B?"), 2);
    assert_non_null(strstr(t.bytes, "w6Q=?=\r\n =?UTF-8?B?w6TDpA==?=\r\n")); /* 38 bytes, then 4 */
    text_free(&t);
}

TEST(what_looks_like_an_encoded_word_is_encoded)
{
    struct text t = { 0 };

    mime_header(&t, "Subject", "=?UTF-8?B?SGE=?=", 16, NULL);
    text_add(&t, "", 1);
    assert_null(strstr(t.bytes, "SGE="));
    text_free(&t);
}

TEST(blanks_at_the_end_of_a_line_and_long_lines_survive)
{
    struct text t = { 0 };
    char line[300];

    memset(line, '=', sizeof line);
    mime_quoted(&t, "a \nb\t\n\nc", 8);
    text_add(&t, "", 1);
    assert_string_equal(t.bytes, "a=20\r\nb=09\r\n\r\nc\r\n");
    t.size = 0;
    mime_quoted(&t, line, sizeof line);
    expect_lines(&t);
    text_free(&t);
}

AFF_TEST_MAIN(a_mail_has_what_a_mail_must_have, the_same_records_are_the_same_mail_and_more_are_another,
              what_is_high_is_never_only_counted, any_bytes_make_short_lines_of_ascii_and_no_header, encoded_words_hold_whole_characters,
              what_looks_like_an_encoded_word_is_encoded, blanks_at_the_end_of_a_line_and_long_lines_survive)
