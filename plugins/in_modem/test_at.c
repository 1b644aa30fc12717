/* SPDX-License-Identifier: Apache-2.0
 *
 * test_at.c - the reader of replies: codes at every byte of every reply, cuts at
 * every byte, prompts, late results, hostile bytes. */
#include <afferent/testkit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "at.h"

enum { SEEN_MOST = 16384 };

struct talk {
    const char *echo, *prefix, *bytes;
    unsigned flags;
};

/* What happened as text: "I line|body;" for a reply, "F result code;", "P;", and
 * codes in a text of their own. */
struct seen {
    char reply[SEEN_MOST], codes[SEEN_MOST], strays[SEEN_MOST];
};

static void say(char *to, const char *kind, const char *line, const char *body)
{
    size_t used = strlen(to);

    (void)snprintf(to + used, SEEN_MOST - used, "%s%s%s%s;", kind, line, body ? "|" : "", body ? body : "");
}

static void event_say(struct seen *s, const struct at_event *e)
{
    char result[32];

    (void)snprintf(result, sizeof result, "%d %d", e->result, e->code);
    switch (e->kind) {
    case AT_INFO:
        say(s->reply, "I ", e->line, e->body);
        break;
    case AT_FINAL:
        say(s->reply, "F ", result, NULL);
        break;
    case AT_PROMPT:
        say(s->reply, "P", "", NULL);
        break;
    case AT_CODE:
        say(s->codes, "", e->line, e->body);
        break;
    default:
        say(s->strays, e->kind == AT_TOO_LONG ? "(long)" : "", e->line ? e->line : "", NULL);
    }
}

/* `step` bytes at a time; 0: all at once. */
static void feed(struct at_reader *a, const char *bytes, size_t size, size_t step, struct seen *s)
{
    struct at_event e;
    size_t i = 0;

    do {
        size_t n = step && size - i > step ? step : size - i;

        n = at_reader_take(a, (const uint8_t *)bytes + i, n, &e);
        i += n;
        if (e.kind != AT_NONE)
            event_say(s, &e);
        if (e.kind == AT_PROMPT)
            at_reader_sent(a, "0011000A");
    } while (i < size || e.kind != AT_NONE);
}

static struct seen *run(const struct talk *t, const char *bytes, size_t step)
{
    static struct seen s;
    static struct at_reader a;

    memset(&s, 0, sizeof s);
    at_reader_init(&a);
    if (t->echo)
        at_reader_begin(&a, t->echo, t->prefix, t->flags);
    feed(&a, bytes, strlen(bytes), step, &s);
    return &s;
}

static const struct talk talks[] = {
    { "AT+CSQ", "+CSQ:", "AT+CSQ\r\r\n+CSQ: 15,99\r\n\r\nOK\r\n", 0 },
    { "AT+CREG?", "+CREG:", "AT+CREG?\r\r\n+CREG: 2,1,\"5E25\",\"605F\",2\r\n\r\nOK\r\n", 0 },
    { "AT+CGMM", NULL, "AT+CGMM\r\r\nNokia 5210\r\n\r\nOK\r\n", AT_PLAIN },
    { "AT+CIMI", NULL, "\r\n001010123456789\r\n\r\nOK\r\n", AT_PLAIN },
    { "AT+CMGR=1", "+CMGR:", "AT+CMGR=1\r\r\n+CMGR: 1,,25\r\n0791198948004544040C9119894882006200007050307040042206CF35689E9603\r\n\r\nOK\r\n", AT_BODY },
    { "AT+CMGL=4", "+CMGL:",
      "\r\n+CMGL: 1,1,,25\r\n0791198948004544040C9119894882006200007050307040042206CF35689E9603\r\n"
      "+CMGL: 12,1,,25\r\n0791198948004544040C9119894882006200007050307040042206CF35689E9604\r\n\r\nOK\r\n", AT_BODY },
    { "AT+CPIN?", "+CPIN:", "\r\n+CME ERROR: 10\r\n", 0 },
    { "AT+CPIN?", "+CPIN:", "\r\n+CME ERROR: SIM busy\r\n", 0 },
    { "AT+CMGS=22", "+CMGS:", "AT+CMGS=22\r\r\n> 0011000A\x1a\r\n\r\n+CMGS: 7\r\n\r\nOK\r\n", AT_ASKS },
    { "AT+CMGS=22", "+CMGS:", "\r\n> \r\n+CMS ERROR: 331\r\n", AT_ASKS },
    { "ATD*99#", NULL, "ATD*99#\r\r\nCONNECT 150000000\r\n", AT_DIALS },
    { "ATD*99#", NULL, "\r\nNO CARRIER\r\n", AT_DIALS },
    { "AT+FOO", NULL, "AT+FOO\r\r\nERROR\r\n", 0 },
};

static const char *const codes[] = {
    "\r\n+CMTI: \"SM\",3\r\n",
    "\r\nRING\r\n",
    "\r\n+CREG: 1,\"5E25\",\"605F\"\r\n",
    "\r\n+CUSD: 0,\"two\nlines\",15\r\n",
    "\r\n+CDS: 25\r\n07911326040011F006220B912143658709F1\r\n",
    "\r\n^RSSI:21\r\n\r\n^MODE:5,4\r\n",
    "\r\nNO CARRIER\r\n",
};

TEST(replies_are_their_lines_and_a_result)
{
    static const char *const wanted[] = {
        "I +CSQ: 15,99;F 0 -1;",
        "I +CREG: 2,1,\"5E25\",\"605F\",2;F 0 -1;",
        "I Nokia 5210;F 0 -1;",
        "I 001010123456789;F 0 -1;",
        "I +CMGR: 1,,25|0791198948004544040C9119894882006200007050307040042206CF35689E9603;F 0 -1;",
        ("I +CMGL: 1,1,,25|0791198948004544040C9119894882006200007050307040042206CF35689E9603;"
         "I +CMGL: 12,1,,25|0791198948004544040C9119894882006200007050307040042206CF35689E9604;F 0 -1;"),
        "F 2 10;",
        "F 2 14;",
        "P;I +CMGS: 7;F 0 -1;",
        "P;F 3 331;",
        "F 4 -1;",
        "F 5 -1;",
        "F 1 -1;",
    };
    size_t i, step;

    for (i = 0; i < sizeof talks / sizeof talks[0]; i++)
        for (step = 0; step < 40; step++) {
            struct seen *s = run(&talks[i], talks[i].bytes, step);

            assert_string_equal(s->reply, wanted[i]);
            assert_string_equal(s->codes, "");
            assert_string_equal(s->strays, "");
        }
}

/* Inside an error's number a code may hide the number: an error it stays. */
static bool is_same(const char *one, const char *wanted)
{
    const char *error = strstr(wanted, "F 2 ");

    error = error ? error : strstr(wanted, "F 3 ");
    return error ? strncmp(one, wanted, (size_t)(error - wanted) + 4) == 0 : strcmp(one, wanted) == 0;
}

/* The property of the issue: a code at any byte of any reply is delivered, and the
 * reply is what it is without. */
TEST(a_code_at_any_byte_is_delivered_and_changes_nothing)
{
    char bytes[1024], wanted[SEEN_MOST], alone[SEEN_MOST];
    size_t i, k, at;

    for (i = 0; i < sizeof talks / sizeof talks[0]; i++)
        for (k = 0; k < sizeof codes / sizeof codes[0]; k++) {
            const struct talk *t = &talks[i];

            if (t->flags & AT_DIALS && strstr(codes[k], "NO CARRIER"))
                continue; /* there it is the answer */
            (void)strcpy(wanted, run(t, t->bytes, 0)->reply);
            (void)strcpy(alone, run(&(struct talk){ 0 }, codes[k], 0)->codes);
            for (at = 0; at <= strlen(t->bytes); at++) {
                struct seen *s;

                (void)snprintf(bytes, sizeof bytes, "%.*s%s%s", (int)at, t->bytes, codes[k], t->bytes + at);
                s = run(t, bytes, at % 3);
                if (strcmp(s->codes, alone) != 0 || !is_same(s->reply, wanted))
                    (void)printf("reply %zu, code %zu, at %zu: %s\n", i, k, at, s->reply);
                assert_string_equal(s->codes, alone);
                assert_true(is_same(s->reply, wanted));
            }
        }
}

TEST(a_late_result_is_nobodys)
{
    struct seen *s = run(&(struct talk){ 0 }, "\r\nOK\r\n+CME ERROR: 3\r\n\r\n+CSQ: 1,2\r\n", 0);

    assert_string_equal(s->reply, "");
    assert_string_equal(s->strays, "OK;+CME ERROR: 3;");
    assert_string_equal(s->codes, "+CSQ: 1,2;");
}

TEST(a_line_that_began_before_the_command_is_not_its_reply)
{
    static const char early[] = "\r\n+CME ERR", rest[] = "OR: 3\r\n\r\n+CSQ: 1,2\r\nOK\r\n";
    static struct at_reader a;
    static struct seen s;

    at_reader_init(&a);
    memset(&s, 0, sizeof s);
    feed(&a, early, strlen(early), 0, &s);
    at_reader_begin(&a, "AT+CSQ", "+CSQ:", 0);
    feed(&a, rest, strlen(rest), 1, &s);
    assert_string_equal(s.reply, "I +CSQ: 1,2;F 0 -1;");
    assert_string_equal(s.strays, "+CME ERROR: 3;");
}

TEST(a_registration_code_beside_the_answer_is_told_from_it)
{
    const struct talk t = { "AT+CEREG?", "+CEREG:", "", 0 };
    struct seen *s = run(&t, "\r\n+CEREG: 5\r\n\r\n+CEREG: 2,1,\"00AA\",\"01020304\",7\r\n\r\n+CEREG: 1,\"1F2E\",\"0A\",7\r\nOK\r\n", 1);

    assert_string_equal(s->reply, "I +CEREG: 2,1,\"00AA\",\"01020304\",7;F 0 -1;");
    assert_string_equal(s->codes, "+CEREG: 5;+CEREG: 1,\"1F2E\",\"0A\",7;");
}

TEST(a_body_that_does_not_come_blocks_nothing)
{
    const struct talk t = { "AT+CSQ", "+CSQ:", "", 0 };
    struct seen *s = run(&t, "\r\n+CMT: ,25\r\n\r\n+CSQ: 9,9\r\n\r\nOK\r\n\r\n+CUSD: 1,\"never closed\r\n\r\nRING\r\n", 1);

    assert_string_equal(s->reply, "I +CSQ: 9,9;F 0 -1;");
    assert_string_equal(s->codes, "+CMT: ,25;+CUSD: 1,\"never closed;RING;");
}

TEST(a_line_without_end_is_passed_over_and_the_next_is_read)
{
    static char bytes[3 * AT_LINE_MOST];
    const struct talk t = { "AT+CSQ", "+CSQ:", "", 0 };
    struct seen *s;

    memset(bytes, 'x', sizeof bytes);
    (void)strcpy(bytes + 2 * AT_LINE_MOST, "\r\n+CSQ: 1,2\r\nOK\r\n");
    s = run(&t, bytes, 0);
    assert_string_equal(s->reply, "I +CSQ: 1,2;F 0 -1;");
    assert_string_equal(s->strays, "(long);");
}

TEST(text_mode_keeps_the_lines_of_a_message)
{
    const struct talk t = { "AT+CMGR=1", "+CMGR:", "", AT_BODY | AT_TEXT_MODE };
    struct seen *s = run(&t, "+CMGR: \"REC READ\",\"+1\"\r\nHoe\r\n\r\nZwei\r\nOK\r\n", 1);

    assert_string_equal(s->reply, "I +CMGR: \"REC READ\",\"+1\"|Hoe\n\nZwei;F 0 -1;");
}

TEST(a_code_that_never_ends_gives_way_to_the_next_reply)
{
    static char bytes[4 * AT_LINE_MOST];
    const struct talk t = { "AT+CGMM", NULL, "", AT_PLAIN };
    struct seen *s;
    size_t i, used = 0;

    (void)strcpy(bytes, "\r\n+CUSD: 0,\"");
    for (i = 0; i < 60; i++) { /* more lines than a line may be long; its quote is lost */
        used = strlen(bytes);
        (void)snprintf(bytes + used, sizeof bytes - used, "line %zu of a text that is longer than any\r\n", i);
    }
    used = strlen(bytes);
    (void)strcpy(bytes + used, "end\",15\r\n\r\nNokia 5210\r\n\r\nOK\r\n");
    s = run(&t, bytes, 0);
    assert_non_null(strstr(s->reply, "I Nokia 5210;F 0 -1;"));
    assert_true(strlen(s->codes) == AT_LINE_MOST + 1);
}

TEST(halves_that_make_nothing_are_strays_of_their_own)
{
    const struct talk t = { "AT+CSQ", "+CSQ:", "", 0 };
    struct seen *s = run(&t, "\r\nfoo\r\n+CMTI: \"SM\",3\r\nbar\r\n\r\n+CSQ: 1,2\r\n\r\nOK\r\n", 1);

    assert_string_equal(s->reply, "I +CSQ: 1,2;F 0 -1;");
    assert_string_equal(s->codes, "+CMTI: \"SM\",3;");
    assert_string_equal(s->strays, "foo;bar;");
}

/* What stands behind a code is the rest of a line only if the code came inside it. */
TEST(a_line_behind_a_code_is_not_always_a_half)
{
    static const struct {
        const char *bytes, *reply, *codes, *strays;
    } cases[] = {
        /* behind a code that came with no empty line after another code */
        { "\r\n+CSQ: 1,2\r\n\r\nRING\r\n+CMTI: \"SM\",3\r\nfoo\r\n\r\nOK\r\n", "I +CSQ: 1,2;F 0 -1;", "RING;+CMTI: \"SM\",3;",
          "foo;" },
        /* with a line of its own between them */
        { "\r\n+CSQ: 1,2\r\n+CMTI: \"SM\",3\r\n+CSQ: 3,4\r\nfoo\r\nOK\r\n", "I +CSQ: 1,2;I +CSQ: 3,4;F 0 -1;",
          "+CMTI: \"SM\",3;", "foo;" },
        /* with nothing in front of it that could be its other half */
        { "AT+CSQ\r\nRING\r\nfoo\r\n+CSQ: 1,2\r\nOK\r\n", "I +CSQ: 1,2;F 0 -1;", "RING;", "foo;" },
        /* hex digits are no body where there is none */
        { "\r\n+CSQ: 1,2\r\nFACE\r\nOK\r\n", "I +CSQ: 1,2;F 0 -1;", "", "FACE;" },
        /* quotes that are open end with the reply */
        { "\r\n+CUSD: 1,\"open\r\n\r\n+CSQ: 9,9\r\nOK\r\n", "I +CSQ: 9,9;F 0 -1;", "+CUSD: 1,\"open;", "" },
        /* a command has one result */
        { "\r\n+CSQ: 1,2\r\nOK\r\n\r\nOK\r\nERROR\r\n", "I +CSQ: 1,2;F 0 -1;", "", "OK;ERROR;" },
    };
    const struct talk t = { "AT+CSQ", "+CSQ:", "", 0 };
    size_t i, step;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (step = 0; step < 8; step++) {
            struct seen *s = run(&t, cases[i].bytes, step);

            assert_string_equal(s->reply, cases[i].reply);
            assert_string_equal(s->codes, cases[i].codes);
            assert_string_equal(s->strays, cases[i].strays);
        }
}

TEST(codes_in_text_mode_have_a_line_of_text)
{
    static const char bytes[] = "\r\n+CMT: \"+1\",,\"26/11/21,10:00:00+04\"\r\nHow is it?\r\n"
                                "\r\n+CMT: \"+1\",,\"\"\r\n\r\n+CMTI: \"SM\",1\r\n";
    static struct at_reader a;
    static struct seen s;

    at_reader_init(&a);
    a.text_mode = true;
    memset(&s, 0, sizeof s);
    feed(&a, bytes, sizeof bytes - 1, 1, &s);
    assert_string_equal(s.codes, "+CMT: \"+1\",,\"26/11/21,10:00:00+04\"|How is it?;+CMT: \"+1\",,\"\";+CMTI: \"SM\",1;");
    assert_string_equal(s.strays, "");
}

TEST(bytes_that_only_steer_the_line_are_passed_over)
{
    static const char bytes[] = "\r\n\0+C\x11SQ: \x13" "1,2\r\n \r\n \t \r\nOK \r\n";
    static struct at_reader a;
    static struct seen s;

    at_reader_init(&a);
    memset(&s, 0, sizeof s);
    at_reader_begin(&a, "AT+CSQ", "+CSQ:", 0);
    feed(&a, bytes, sizeof bytes - 1, 1, &s);
    assert_string_equal(s.reply, "I +CSQ: 1,2;F 0 -1;");
}

/* TS 27.005, 3.4.2: how long a body is stands at the end of its head, or does not. */
TEST(a_body_is_as_long_as_its_head_says)
{
    static const struct {
        const char *bytes, *reply;
    } cases[] = {
        { "+CMGR: 1,,9\r\n000404812143\r\n00007060\r\nOK\r\n", "I +CMGR: 1,,9|00040481214300007060;F 0 -1;" },
        { "+CMGR: 1,,9\r\n0004\r\nOK\r\n", "I +CMGR: 1,,9|0004;F 0 -1;" },
        /* a line too many: none of it, with a service centre and without */
        { "+CMGR: 1,,9\r\n00040481214300007060\r\nFACE\r\nOK\r\n", "I +CMGR: 1,,9|00040481214300007060;F 0 -1;" },
        { "+CMGR: 1,,9\r\n0B912143658709214365870904\r\n0481214300007060\r\nFACE\r\nOK\r\n",
          "I +CMGR: 1,,9|0B9121436587092143658709040481214300007060;F 0 -1;" },
        { "+CMGR: 1,,9\r\n0b91214365870921436587090404812143000070\r\n60\r\nOK\r\n",
          "I +CMGR: 1,,9|0b9121436587092143658709040481214300007060;F 0 -1;" },
        { "+CMGR: 1,,\r\n0004\r\nOK\r\n", "I +CMGR: 1,,|0004;F 0 -1;" },
        { "+CMGR: 1\r\n0004\" \r\nOK\r\n", "I +CMGR: 1|0004\";F 0 -1;" },
        { "+CMGR: 1,,99999999999999999999\r\n0004\r\nOK\r\n", "I +CMGR: 1,,99999999999999999999|0004;F 0 -1;" },
        { "+CMGR: 1,,9\r\nOK\r\n", "I +CMGR: 1,,9;F 0 -1;" },
        { "+CMGR: 1,,9\r\nxyz\r\nOK\r\n", "I +CMGR: 1,,9;F 0 -1;" },
    };
    const struct talk t = { "AT+CMGR=1", "+CMGR:", "", AT_BODY };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(run(&t, cases[i].bytes, 1)->reply, cases[i].reply);
}

TEST(lines_are_told_by_what_they_begin_with)
{
    static const struct {
        const char *line, *reply, *codes, *strays;
    } cases[] = {
        { "+CME ERROR:10", "F 2 10;", "", "" },
        { "+CME ERROR: 123456", "F 2 -1;", "", "" },
        { "+CME ERROR:", "F 2 -1;", "", "" },
        { "+CMS ERROR: 310", "F 3 310;", "", "" },
        { "COMMAND NOT SUPPORT, SO THERE", "F 1 -1;", "", "" },
        { "TOO MANY PARAMETERS", "F 1 -1;", "", "" },
        { "ABORTED", "F 1 -1;", "", "" },
        { "NO CARRIER", "", "NO CARRIER;", "" },
        { "CONNECT 9600", "", "CONNECT 9600;", "" },
        { "ERROR 5", "", "", "ERROR 5;" },
        { "OKAY", "", "", "OKAY;" },
        { "+CREG: 1, \"00AA\" ,\"01\"", "", "+CREG: 1, \"00AA\" ,\"01\";", "" },
        { "+CGREG: 1", "", "+CGREG: 1;", "" },
        { "+CEREG: 1", "", "+CEREG: 1;", "" },
        { "+C5GREG: 1,\"00\"", "", "+C5GREG: 1,\"00\";", "" },
        { "%NOTIFY: 1", "", "%NOTIFY: 1;", "" },
        { "$QCX: 1", "", "$QCX: 1;", "" },
        { "+391234", "", "", "+391234;" },
        { "+NO COLON", "", "", "+NO COLON;" },
        { "NORMAL POWER DOWN", "", "NORMAL POWER DOWN;", "" },
    };
    const struct talk t = { "AT+CREG?", "+CREG:", "", 0 };
    char bytes[128];
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct seen *s;

        (void)snprintf(bytes, sizeof bytes, "\r\n%s\r\n", cases[i].line);
        s = run(&t, bytes, 1);
        assert_string_equal(s->reply, cases[i].reply);
        assert_string_equal(s->codes, cases[i].codes);
        assert_string_equal(s->strays, cases[i].strays);
    }
}

TEST(an_echo_is_longer_than_what_is_kept_of_it)
{
    static char echo[2 * AT_ECHO_MOST];
    static struct at_reader a;

    memset(echo, 'A', sizeof echo - 1);
    at_reader_init(&a);
    at_reader_begin(&a, echo, "+A_PREFIX_THAT_IS_LONGER_THAN_ANY:", 0);
    assert_int_equal(strlen(a.echo), AT_ECHO_MOST);
    assert_int_equal(strlen(a.prefix), sizeof a.prefix - 1);
}

/* All that the reader says of these bytes is passed over. */
static void pass(struct at_reader *a, const char *bytes)
{
    struct at_event e;
    size_t at = 0, size = strlen(bytes);

    do
        at += at_reader_take(a, (const uint8_t *)bytes + at, size - at, &e);
    while (at < size || e.kind != AT_NONE);
}

TEST(that_a_command_came_back_is_noted_and_a_text_is_none)
{
    static struct at_reader a;

    at_reader_init(&a);
    at_reader_begin(&a, "AT+CMGS=20", "+CMGS:", AT_ASKS);
    pass(&a, "\r\n> ");
    at_reader_sent(&a, "0011");
    pass(&a, "0011\r\n+CMGS: 1\r\n\r\nOK\r\n");
    assert_false(a.echoed);
    at_reader_begin(&a, "AT+CSQ", "+CSQ:", 0);
    pass(&a, "AT+CSQ\r\r\n+CSQ: 1,99\r\n\r\nOK\r\n");
    assert_true(a.echoed);
}

TEST(errors_have_numbers_and_words)
{
    int result;

    for (result = AT_OK; result <= AT_NO_DIALTONE; result++)
        assert_true(strlen(at_error_words((enum at_result)result, -1)) > 3);
    assert_int_equal(at_error_number(AT_ERROR, "310"), 310);
    assert_int_equal(at_error_number(AT_CMS_ERROR, "123456"), -1);
    assert_int_equal(at_error_number(AT_CMS_ERROR, ""), -1);
    assert_string_equal(at_error_words(AT_CME_ERROR, 11), "SIM PIN required");
    assert_string_equal(at_error_words(AT_ERROR, 11), "the modem refused it");
    assert_int_equal(at_error_number(AT_CME_ERROR, "sim pin required"), 11);
    assert_int_equal(at_error_number(AT_CME_ERROR, "no such words"), -1);
    assert_int_equal(at_error_number(AT_CMS_ERROR, "310"), 310);
    assert_int_equal(at_error_number(AT_CME_ERROR, "12x"), -1);
    assert_string_equal(at_error_words(AT_CMS_ERROR, 322), "memory full");
    assert_string_equal(at_error_words(AT_CME_ERROR, 999), "unknown error");
}

AFF_TEST_MAIN(replies_are_their_lines_and_a_result, a_code_at_any_byte_is_delivered_and_changes_nothing,
              a_late_result_is_nobodys, a_line_that_began_before_the_command_is_not_its_reply,
              a_registration_code_beside_the_answer_is_told_from_it, a_body_that_does_not_come_blocks_nothing,
              a_line_without_end_is_passed_over_and_the_next_is_read, text_mode_keeps_the_lines_of_a_message,
              a_code_that_never_ends_gives_way_to_the_next_reply, halves_that_make_nothing_are_strays_of_their_own,
              a_line_behind_a_code_is_not_always_a_half, codes_in_text_mode_have_a_line_of_text,
              bytes_that_only_steer_the_line_are_passed_over, a_body_is_as_long_as_its_head_says,
              lines_are_told_by_what_they_begin_with, an_echo_is_longer_than_what_is_kept_of_it,
              that_a_command_came_back_is_noted_and_a_text_is_none, errors_have_numbers_and_words)
