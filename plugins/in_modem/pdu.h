/* SPDX-License-Identifier: Apache-2.0
 *
 * pdu.h - short messages as modems hand them over: 3GPP TS 23.040, 9.2.
 *
 * Reads SMS-DELIVER, SMS-SUBMIT and SMS-STATUS-REPORT with the address of the
 * service centre in front (TS 27.005, 3.1), and writes SMS-SUBMIT. What is not a
 * message is refused with a typed error, never guessed at.
 *
 * Not here: joining of parts and cutting of long texts (parts.h). */
#ifndef IN_MODEM_PDU_H
#define IN_MODEM_PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gsm7.h"

enum {
    SMS_UNITS_MOST = 160, /* units of text in one message */
    SMS_DATA_MOST = 140,  /* octets of user data */
    SMS_PDU_MOST = 12 + 176,
    SMS_NUMBER_MOST = 20 /* digits of an address */
};

enum sms_error {
    SMS_OK,
    SMS_ERR_HEX,        /* not hex digits, or an odd number of them */
    SMS_ERR_CUT,        /* ends before its fields do */
    SMS_ERR_KIND,       /* a message type that is reserved */
    SMS_ERR_ADDRESS,    /* an address that is too long or has a digit behind its end */
    SMS_ERR_LENGTH,     /* more user data than a message holds, or an odd number of UCS-2 octets */
    SMS_ERR_HEADER,     /* the user data header overruns the user data */
    SMS_ERR_COMPRESSED, /* compressed text (TS 23.042), which is not supported */
    SMS_ERRORS
};
/* A few words, for people: "ends too early". */
const char *sms_error_text(enum sms_error error);

enum sms_kind { SMS_DELIVER, SMS_SUBMIT, SMS_STATUS_REPORT };
enum sms_coding { SMS_GSM7, SMS_DATA, SMS_UCS2 };

/* "+391234", "1234", or the text of an alphanumeric sender; ends with a zero. */
struct sms_address {
    char text[40];
    uint8_t type; /* octet "type of address" */
};

struct sms_time {
    int64_t utc_ns;
    int16_t zone_min; /* of the clock it was written by, ahead of UTC */
    bool is_set;
};

struct sms {
    enum sms_kind kind;
    enum sms_coding coding;
    int8_t class; /* 0 to 3, -1: none */
    uint8_t pid, dcs;
    uint8_t reference; /* TP-MR: SUBMIT, STATUS_REPORT */
    uint8_t status;    /* TP-ST: STATUS_REPORT */
    bool wants_report; /* TP-SRR, TP-SRI */
    struct sms_address smsc, peer; /* peer: originator, destination, recipient */
    struct sms_time time;          /* SCTS; of SUBMIT an absolute validity */
    struct sms_time discharge;     /* STATUS_REPORT */
    int64_t validity_s;            /* SUBMIT: relative validity, 0: none */
    uint16_t join;                 /* concatenation: reference, */
    uint8_t parts, part;           /* parts 0: a message by itself; part counts from 1 */
    bool join_is_wide;             /* a reference of 16 bits */
    bool has_ports;                /* application ports: not a text for people */
    uint16_t port_to, port_from;
    struct gsm7_shift shift;
    uint16_t unit_count; /* text; none for SMS_DATA */
    uint16_t units[SMS_UNITS_MOST];
    uint8_t data_size; /* SMS_DATA: octets behind the header */
    uint8_t data[SMS_DATA_MOST];
};

/* *ret is written only on SMS_OK. */
enum sms_error sms_read(const uint8_t *pdu, size_t size, struct sms *ret);
/* The same from hex digits; quotes and blanks around them are passed over. */
enum sms_error sms_read_hex(const char *text, size_t size, struct sms *ret);

/* What a status (TP-ST, 9.2.3.15) says. UNSURE: it has left the service centre,
 * which cannot tell whether it arrived, or was replaced there; or the centre's own
 * word for an end. What is reserved counts as a failure. */
enum sms_outcome { SMS_DELIVERED, SMS_UNSURE, SMS_STILL_TRYING, SMS_FAILED };
enum sms_outcome sms_outcome_of(uint8_t status);

/* One part of a message to be sent. `units` are of `coding`, which is SMS_GSM7
 * (all in the default alphabet or its extension) or SMS_UCS2. */
struct sms_draft {
    const char *number; /* "+391234" or "1234": at most SMS_NUMBER_MOST digits */
    const uint16_t *units;
    uint16_t count;
    enum sms_coding coding;
    uint8_t join, parts, part; /* parts below 2: no header */
    bool wants_report;
    int64_t validity_s; /* 0: the network's own */
};
/* Into SMS_PDU_MOST bytes, without a service centre of its own (the SIM's).
 * *ret_length is the length that AT+CMGS wants; returns the size, 0: the number
 * or the text is not one that can be sent. */
size_t sms_write(const struct sms_draft *draft, uint8_t *pdu, size_t *ret_length);

/* Digits with an optional '+' in front, which '*' and '#' may stand among. */
bool sms_number_ok(const char *number);

#endif
