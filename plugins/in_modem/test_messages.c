/* SPDX-License-Identifier: Apache-2.0
 *
 * test_messages.c - values of replies and codes about messages and USSD, and what is
 * refused of them. The messages themselves are in test_pdu.c. */
#include <afferent/testkit.h>

#include <string.h>

#include "at_values.h"

TEST(stores_say_how_full_they_are)
{
    struct at_stores s;
    bool has;

    assert_int_equal(at_stores_read("+CPMS: \"SM\",3,20,\"ME\",1,255,\"MT\",4,275", &s), AT_FINE);
    assert_int_equal(s.count, 3);
    assert_int_equal(s.total[1], 255);
    assert_int_equal(at_stores_read("+CPMS: 20,20,20,20,0,10", &s), AT_FINE);
    assert_int_equal(s.used[0], 20);
    assert_int_equal(at_stores_read("+CPMS: (\"SM\")", &s), AT_FAULT_SYNTAX);
    assert_int_equal(at_stores_read("+CPMS: \"SM\",0,0", &s), AT_FINE); /* no SIM yet */
    assert_true(s.count == 1 && s.used[0] == 0 && s.total[0] == 0);
    assert_int_equal(at_stores_read("+CPMS: \"SM\",1,2,\"ME\",3,4,\"MT\",5,6,\"BM\",7,8", &s), AT_FINE);
    assert_int_equal(s.count, 3); /* which is as many as there are */
    assert_int_equal(at_stores_read("+CPMS: \"SM\",3,20,", &s), AT_FAULT_MISSING);
    assert_int_equal(at_stores_read("+CPMS: \"SM\",3,20,\"ME\"", &s), AT_FAULT_MISSING);
    assert_int_equal(at_stores_read("+CPMS: \"SM\",3", &s), AT_FAULT_MISSING);
    assert_int_equal(at_stores_read("+CPMS: \"SM\",-3,20", &s), AT_FAULT_RANGE);
    assert_int_equal(at_stores_read("+CPMS: \"A_LONG_STORE\",3,20", &s), AT_FAULT_LONG);
    assert_int_equal(at_stores_read("+CPMS:", &s), AT_FAULT_MISSING);
    assert_int_equal(at_stores_read("+CMGS: 1", &s), AT_FAULT_PREFIX);
    assert_int_equal(at_stores_has("+CMGS: 1", 0, "ME", &has), AT_FAULT_PREFIX);
    assert_int_equal(at_stores_has("+CPMS: (\"SM\")", 1, "ME", &has), AT_FAULT_MISSING);
    assert_int_equal(at_stores_has("+CPMS: (\"SME\",\"MEX\")", 0, "ME", &has), AT_FINE);
    assert_false(has);
    assert_int_equal(at_stores_has("+CPMS: (\"SM\", ME)", 0, "ME", &has), AT_FINE);
    assert_true(has);
    assert_int_equal(at_stores_has("+CPMS: (\"SM\",\"ME\"),(\"SM\"),(\"SM\",\"MT\")", 2, "MT", &has), AT_FINE);
    assert_true(has);
    assert_int_equal(at_stores_has("+CPMS: (\"SM\",\"ME\"),(\"SM\"),(\"SM\",\"MT\")", 1, "ME", &has), AT_FINE);
    assert_false(has);
}

TEST(arrivals_and_references_are_numbers)
{
    struct at_arrival a;
    uint16_t reference;

    assert_int_equal(at_arrival_read("+CMTI: \"SM\",3", &a), AT_FINE);
    assert_string_equal(a.store, "SM");
    assert_int_equal(a.index, 3);
    assert_false(a.is_report);
    assert_int_equal(at_arrival_read("+CDSI: \"SR\",0", &a), AT_FINE);
    assert_true(a.is_report);
    assert_int_equal(at_arrival_read("+CMTI: \"A_LONG_STORE\",3", &a), AT_FAULT_LONG);
    assert_int_equal(at_arrival_read("+CMTI: \"SM\"", &a), AT_FAULT_MISSING);
    assert_int_equal(at_reference_read("+CMGS: 255,\"x\"", &reference), AT_FINE);
    assert_int_equal(reference, 255);
    assert_int_equal(at_reference_read("+CMGS: 0", &reference), AT_FINE);
    assert_int_equal(reference, 0);
    assert_int_equal(at_reference_read("+CMGS: -1", &reference), AT_FAULT_RANGE);
    assert_int_equal(at_reference_read("+CMGW: 12", &reference), AT_FINE);
    assert_int_equal(at_reference_read("+CMSS: 13", &reference), AT_FINE);
    assert_int_equal(reference, 13);
    assert_int_equal(at_reference_read("+CMGR: 13", &reference), AT_FAULT_PREFIX);
    assert_int_equal(at_arrival_read("+CBMI: \"BM\",3", &a), AT_FINE);
    assert_int_equal(at_arrival_read("+CMT: ,3", &a), AT_FAULT_PREFIX);
    assert_int_equal(at_arrival_read("+CMTI: \"SM\",65535", &a), AT_FAULT_RANGE);
}

/* TS 27.005, 3.4: each head, in PDU mode and in text mode. */
TEST(messages_have_their_place_state_and_sender)
{
    static const char pdu[] = "0004048121430000706050316503000131";
    static struct at_message m;

    assert_int_equal(at_message_read("+CMGL: 7,1,,16", pdu, &m), AT_FINE);
    assert_true(m.index == 7 && m.status == 1 && !m.in_text_mode);
    assert_string_equal(m.sms.peer.text, "1234");
    assert_int_equal(at_message_read("+CMGR: 0,\"Ward\",16", pdu, &m), AT_FINE);
    assert_true(m.index == -1 && m.status == 0);
    assert_int_equal(at_message_read("+CMT: \"Ward\",16", pdu, &m), AT_FINE);
    assert_int_equal(at_message_read("+CMT: ,16", pdu, &m), AT_FINE);
    assert_int_equal(m.status, -1);
    assert_int_equal(at_message_read("+CDS: 25", "00060104812143706050316503007060503165030000", &m), AT_FINE);
    assert_int_equal(m.sms.kind, SMS_STATUS_REPORT);
    assert_int_equal(at_message_read("+CMGL: 7,1,,16", NULL, &m), AT_FAULT_MISSING);
    assert_int_equal(m.index, 7);
    assert_int_equal(at_message_read("+CMGL: 7,1,,16", "0004", &m), AT_FAULT_MESSAGE);
    assert_int_equal(m.error, SMS_ERR_CUT);
    assert_int_equal(m.index, 7);
    assert_int_equal(at_message_read("+CMGL: 7", pdu, &m), AT_FAULT_MISSING);
    assert_int_equal(at_message_read("+CMGL: 7,9,,16", pdu, &m), AT_FAULT_RANGE);
    assert_int_equal(at_message_read("+CMGL: 65535,1,,16", pdu, &m), AT_FAULT_RANGE);
    assert_int_equal(at_message_read("+CMGL: 65534,4,,16", pdu, &m), AT_FINE);
    assert_int_equal(m.index, 65534);
    assert_int_equal(at_message_read("+CMGL: 0,0,,16", pdu, &m), AT_FINE);
    assert_int_equal(m.index, 0);
    assert_int_equal(at_message_read("+CMGS: 1", pdu, &m), AT_FAULT_PREFIX);
    assert_int_equal(at_message_read("+CMGL: 3,\"STO SENT\",\"+123\",,", "Hi", &m), AT_FINE);
    assert_true(m.in_text_mode && m.status == 3 && !m.time[0]);
    assert_int_equal(at_message_read("+CMGL: 3,\"REC UNREAD\",\"+123\",\"Ward\",\"06/11/11,00:30:29+08\"", "Hi", &m), AT_FINE);
    assert_string_equal(m.number, "+123");
    assert_string_equal(m.time, "06/11/11,00:30:29+08");
    assert_int_equal(at_message_read("+CMT: \"+123\",,\"06/11/11,00:30:29+08\"", "Hi", &m), AT_FINE);
    assert_true(m.in_text_mode && m.status == -1);
    assert_string_equal(m.time, "06/11/11,00:30:29+08");
    assert_int_equal(at_message_read("+CMGR: \"GONE\",\"+123\"", "Hi", &m), AT_FAULT_SYNTAX);
    assert_int_equal(at_message_read("+CMGR: \"REC READ\"", "Hi", &m), AT_FAULT_MISSING);
    assert_int_equal(at_message_read("+CMGR: \"REC READ\",\"+1\",,\"06/11/11,00:30:29+08 and more than a time\"", "Hi", &m),
                     AT_FAULT_LONG);
}

TEST(ussd_is_text_whatever_it_came_as)
{
    static char line[1700];
    struct at_ussd u;
    size_t i;

    assert_int_equal(at_ussd_read("+CUSD: 0,\"Credit: 5 EUR\",15", &u), AT_FINE);
    assert_string_equal(u.text, "Credit: 5 EUR");
    assert_int_equal(at_ussd_read("+CUSD: 2,\"00480065006C006C006F\",72", &u), AT_FINE);
    assert_string_equal(u.text, "Hello");
    assert_int_equal(at_ussd_read("+CUSD: 1,\"C8329BFD06\",15", &u), AT_FINE);
    assert_string_equal(u.text, "Hello");
    assert_int_equal(at_ussd_read("+CUSD: 4", &u), AT_FINE);
    assert_string_equal(u.text, "");
    assert_int_equal(at_ussd_read("+CUSD: 9", &u), AT_FAULT_RANGE);
    assert_int_equal(at_ussd_read("+CUSD: 0,\"\xff\",15", &u), AT_FINE);
    assert_string_equal(u.text, "\xef\xbf\xbd");
    assert_int_equal(at_ussd_read("+CUSD: 0,\"x\",256", &u), AT_FAULT_RANGE);
    assert_int_equal(at_ussd_read("+CUSD: 5,\"x\",255", &u), AT_FINE);
    assert_int_equal(at_ussd_read("+CUSD: 6", &u), AT_FAULT_RANGE);
    (void)strcpy(line, "+CUSD: 0,\""); /* as many units as there is room for */
    for (i = 0; i < 400; i++)
        memcpy(line + 10 + 4 * i, "20AC", 4);
    (void)strcpy(line + 10 + 1600, "\",72");
    assert_int_equal(at_ussd_read(line, &u), AT_FINE);
    assert_int_equal(strlen(u.text), 1197); /* and whole characters of them */
    assert_int_equal(at_ussd_read("+CUSD:", &u), AT_FAULT_MISSING);
    assert_int_equal(at_ussd_read("+CUSP: 1", &u), AT_FAULT_PREFIX);
    memset(line, 'x', sizeof line);
    memcpy(line, "+CUSD: 0,\"", 10);
    line[sizeof line - 1] = '\0';
    assert_int_equal(at_ussd_read(line, &u), AT_FAULT_LONG);
}

/* What is neither in quotes alone nor in one form alone. */
TEST(ussd_is_guessed_at_only_where_it_can_be)
{
    static const struct {
        const char *line, *text;
    } cases[] = {
        /* numbers are hex digits as well, and yet they are numbers */
        { "+CUSD: 0,\"0612345678\",15", "0612345678" },
        { "+CUSD: 0,\"1000\",15", "1000" },
        { "+CUSD: 0,\"20241121\",15", "20241121" },
        { "+CUSD: 0,\"20202020\"", "20202020" },
        { "+CUSD: 0,\"39\",15", "39" },
        { "+CUSD: 0,\"FACE\",15", "FACE" },
        /* units of digits, and of letters, whatever is said of them */
        { "+CUSD: 0,\"00310030\",15", "10" },
        { "+CUSD: 0,\"0035\",72", "5" },
        { "+CUSD: 0,\"0414043004140430\",72", "ДаДа" },
        { "+CUSD: 0,\"041E043D043E\",15", "Оно" },
        { "+CUSD: 0,\"0414\",88", "Д" },    /* 01011000: class 0 */
        { "+CUSD: 0,\"0414\",152", "Д" },   /* 10011000: with a header */
        { "+CUSD: 0,\"0414\",73", "Д" },
        { "+CUSD: 0,\"0414\",153", "Д" },
        { "+CUSD: 0,\"0414\",64", "0414" }, /* 01000000: the default alphabet */
        { "+CUSD: 0,\"0414\",68", "0414" },
        { "+CUSD: 0,\"0414\",24", "0414" }, /* reserved, and so it is all others */
        { "+CUSD: 0,\"0414\",136", "0414" },
        { "+CUSD: 0,\"0414\",0", "0414" },
        { "+CUSD: 0,\"041E043D043E20AC\",15", "Оно€" },
        { "+CUSD: 0,\"E8329BFD\",15", "hell" },
        /* a language in front of it: 23.038, section 5 */
        { "+CUSD: 2,\"613906310635\",17", "رص" },
        { "+CUSD: 2,\"6139\",17", "" },
        { "+CUSD: 0,\"E6740399B7EFF7\",16", "Hyvää" },
        { "+CUSD: 0,\"C8329BFD06\",16", "Hello" },
        /* a carriage return fills the last octet */
        { "+CUSD: 0,\"31D98C56B3DD1A\",15", "1234567" },
        /* quotes inside the text */
        { "+CUSD: 1,\"Press \"1\", or wait\",15", "Press \"1\", or wait" },
        { "+CUSD: 1,\"\",15", "" },
        { "+CUSD: 0,Credit 5,15", "Credit 5" },
        { "+CUSD: 0,\"no end", "no end" },
    };
    struct at_ussd u;
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(at_ussd_read(cases[i].line, &u), AT_FINE);
        assert_string_equal(u.text, cases[i].text);
    }
    assert_int_equal(at_ussd_read("+CUSD: 1,\"Press \"1\"\" , 15", &u), AT_FINE);
    assert_int_equal(u.dcs, 15);
    assert_int_equal(at_ussd_read("+CUSD: 1,\"Press 1\"", &u), AT_FINE);
    assert_int_equal(u.dcs, -1);
}

TEST(notices_and_lists_have_ranges)
{
    struct at_notices n;
    struct at_field list = { "0-2,5", 5, false, true };

    assert_int_equal(at_notices_read("+CNMI: (0-2),(0,1,3),(0),(0,1),(0,1)", &n), AT_FINE);
    assert_true(n.can[0][2] && n.can[1][3] && !n.can[1][2] && n.can[3][1]);
    assert_int_equal(at_notices_read("+CNMI: (0-2)", &n), AT_FAULT_MISSING);
    assert_int_equal(at_notices_read("+CNMI: (1-2),(2-4)", &n), AT_FINE);
    assert_true(!n.can[0][0] && n.can[1][4] && !n.can[1][0] && !n.can[2][0] && !n.can[4][4]);
    assert_true(at_field_has(&list, 1) && at_field_has(&list, 5) && !at_field_has(&list, 3));
    list = (struct at_field){ "2-99999999999,x", 15, false, true };
    assert_true(at_field_has(&list, 1000) && !at_field_has(&list, 1));
    assert_int_equal(at_notices_read("+CNMI: 2,1,0,1", &n), AT_FINE);
    assert_true(n.can[0][2] && !n.can[0][1]);
    assert_int_equal(at_notices_read("+CSMS: 1", &n), AT_FAULT_PREFIX);
}

AFF_TEST_MAIN(stores_say_how_full_they_are, arrivals_and_references_are_numbers,
              messages_have_their_place_state_and_sender, ussd_is_text_whatever_it_came_as,
              ussd_is_guessed_at_only_where_it_can_be, notices_and_lists_have_ranges)
