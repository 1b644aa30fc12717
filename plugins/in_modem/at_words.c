/* SPDX-License-Identifier: Apache-2.0
 *
 * at_words.c - final results and unsolicited codes by name (ITU-T V.250, 5.7; 3GPP
 * TS 27.007 and 27.005), and what error numbers mean (27.007, 9.2; 27.005, 3.2.5;
 * 23.040, 9.2.3.22). Words of makers that say the same are among them. */
#include "at_words.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const struct at_word finals[] = {
    { "OK", AT_OK, true, false },
    { "ERROR", AT_ERROR, true, false },
    { "+CME ERROR:", AT_CME_ERROR, false, false },
    { "+CMS ERROR:", AT_CMS_ERROR, false, false },
    { "COMMAND NOT SUPPORT", AT_ERROR, false, false },
    { "TOO MANY PARAMETERS", AT_ERROR, true, false },
    { "ABORTED", AT_ERROR, true, false },
    { "CONNECT", AT_CONNECT, true, true },
    { "CONNECT ", AT_CONNECT, false, true },
    { "NO CARRIER", AT_NO_CARRIER, true, true },
    { "BUSY", AT_BUSY, true, true },
    { "NO ANSWER", AT_NO_ANSWER, true, true },
    { "NO DIALTONE", AT_NO_DIALTONE, true, true },
    { "NO DIAL TONE", AT_NO_DIALTONE, true, true },
};

static bool begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

const struct at_word *at_word_of(const char *line)
{
    size_t i;

    for (i = 0; i < sizeof finals / sizeof finals[0]; i++)
        if (finals[i].whole ? strcmp(line, finals[i].text) == 0 : begins(line, finals[i].text))
            return &finals[i];
    return NULL;
}

static const char *const bodied[] = { "+CMT:", "+CDS:", "+CBM:" };
static const char *const begun[] = {
    "+CRING:",  "+CMTI:",  "+CDSI:",   "+CBMI:",  "+CREG:",   "+CGREG:",   "+CEREG:", "+C5GREG:", "+CUSD:",
    "+CTZV:",   "+CTZE:",  "+CTZEU:",  "+CTZDST:", "+CGEV:",  "+CLIP:",    "+CCWA:",  "+CSSI:",   "+CSSU:",
    "+CIEV:",   "+CPIN:",  "+CFUN:",   "^",        "*PSUTTZ:", "*PSNWID:", "*EMRDY:", "+QIND:",   "+QUSIM:",
    "+UUSORD:", "+KSUP:",  "+SIM:",   "+CUSATP:", "+STIN:",   "+CDSB:",
};
static const char *const words[] = {
    "RING", "RDY", "APP RDY", "MODEM:STARTUP", "Call Ready", "SMS Ready", "SMS DONE", "PB DONE", "+PBREADY",
    "NORMAL POWER DOWN", "POWERED DOWN", "SYSSTART", "START", "UNDER-VOLTAGE WARNNING", "OVER-VOLTAGE WARNNING",
};

bool at_code_has_body(const char *line)
{
    size_t i;

    for (i = 0; i < sizeof bodied / sizeof bodied[0]; i++)
        if (begins(line, bodied[i]))
            return true;
    return false;
}

bool at_is_code(const char *line)
{
    size_t i;

    for (i = 0; i < sizeof begun / sizeof begun[0]; i++)
        if (begins(line, begun[i]))
            return true;
    for (i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(line, words[i]) == 0)
            return true;
    return at_code_has_body(line);
}

struct error_words {
    int code;
    const char *words;
};

static const struct error_words cme[] = {
    { 0, "phone failure" },
    { 1, "no connection to phone" },
    { 3, "operation not allowed" },
    { 4, "operation not supported" },
    { 5, "PH-SIM PIN required" },
    { 10, "SIM not inserted" },
    { 11, "SIM PIN required" },
    { 12, "SIM PUK required" },
    { 13, "SIM failure" },
    { 14, "SIM busy" },
    { 15, "SIM wrong" },
    { 16, "incorrect password" },
    { 17, "SIM PIN2 required" },
    { 18, "SIM PUK2 required" },
    { 20, "memory full" },
    { 21, "invalid index" },
    { 22, "not found" },
    { 23, "memory failure" },
    { 24, "text string too long" },
    { 25, "invalid characters in text string" },
    { 26, "dial string too long" },
    { 27, "invalid characters in dial string" },
    { 30, "no network service" },
    { 31, "network timeout" },
    { 32, "network not allowed - emergency calls only" },
    { 40, "network personalization PIN required" },
    { 41, "network personalization PUK required" },
    { 50, "incorrect parameters" },
    { 100, "unknown" },
    { 103, "illegal MS" },
    { 106, "illegal ME" },
    { 107, "GPRS services not allowed" },
    { 111, "PLMN not allowed" },
    { 112, "location area not allowed" },
    { 113, "roaming not allowed in this location area" },
    { 132, "service option not supported" },
    { 133, "requested service option not subscribed" },
    { 134, "service option temporarily out of order" },
    { 148, "unspecified GPRS error" },
    { 149, "PDP authentication failure" },
};

/* Causes that a network gives (27.005, 3.2.5; 24.011, annex E.2), in words for a log. */
static const struct error_words cms[] = {
    { 1, "unassigned number" },
    { 8, "operator determined barring" },
    { 21, "short message transfer rejected" },
    { 27, "destination out of service" },
    { 28, "unidentified subscriber" },
    { 29, "facility rejected" },
    { 38, "network out of order" },
    { 41, "temporary failure" },
    { 42, "congestion" },
    { 47, "resources unavailable" },
    { 69, "requested facility is not in the network" },
    { 111, "protocol error" },
    { 127, "interworking" },
    { 195, "invalid service centre address" },
    { 208, "SIM storage full" },
    { 211, "memory capacity exceeded" },
    { 300, "ME failure" },
    { 301, "SMS service of ME reserved" },
    { 302, "operation not allowed" },
    { 303, "operation not supported" },
    { 304, "invalid PDU mode parameter" },
    { 305, "invalid text mode parameter" },
    { 310, "SIM not inserted" },
    { 311, "SIM PIN required" },
    { 312, "PH-SIM PIN required" },
    { 313, "SIM failure" },
    { 314, "SIM busy" },
    { 315, "SIM wrong" },
    { 316, "SIM PUK required" },
    { 320, "memory failure" },
    { 321, "invalid memory index" },
    { 322, "memory full" },
    { 330, "SMSC address unknown" },
    { 331, "no network service" },
    { 332, "network timeout" },
    { 340, "no +CNMA acknowledgement expected" },
    { 500, "unknown error" },
};

static const struct error_words *table_of(enum at_result result, size_t *ret_count)
{
    *ret_count = result == AT_CME_ERROR ? sizeof cme / sizeof cme[0] : result == AT_CMS_ERROR ? sizeof cms / sizeof cms[0] : 0;
    return result == AT_CME_ERROR ? cme : cms;
}

const char *at_error_words(enum at_result result, int code)
{
    static const char *const plain[] = {
        [AT_OK] = "no error",           [AT_ERROR] = "the modem refused it",  [AT_CME_ERROR] = "unknown error",
        [AT_CMS_ERROR] = "unknown error", [AT_CONNECT] = "connected",         [AT_NO_CARRIER] = "no carrier",
        [AT_BUSY] = "busy",             [AT_NO_ANSWER] = "no answer",         [AT_NO_DIALTONE] = "no dial tone",
    };
    size_t count, i;
    const struct error_words *table = table_of(result, &count);

    for (i = 0; i < count; i++)
        if (table[i].code == code)
            return table[i].words;
    return plain[result];
}

int at_error_number(enum at_result result, const char *text)
{
    size_t count, i;
    const struct error_words *table = table_of(result, &count);
    int number = 0, digits = 0;

    while (digits < 5 && isdigit((unsigned char)text[digits]))
        number = number * 10 + (text[digits++] - '0');
    if (digits > 0)
        return text[digits] == '\0' ? number : -1;
    for (i = 0; i < count; i++)
        if (strcasecmp(text, table[i].words) == 0)
            return table[i].code;
    return -1;
}
