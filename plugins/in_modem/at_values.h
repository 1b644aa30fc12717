/* SPDX-License-Identifier: Apache-2.0
 *
 * at_values.h - lines of replies and unsolicited codes as values: 3GPP TS 27.007
 * (network, SIM, data, calls) and 27.005 (messages), and positions.
 *
 * Each takes a line as at.h gives it and writes *ret only where it is fine. Sizes
 * are bounded, texts end with a zero; a value that the modem does not know is said
 * so by its own sign, never by a number that could be one.
 *
 * Not here: cutting bytes into lines (at.h), short messages inside (pdu.h). */
#ifndef IN_MODEM_AT_VALUES_H
#define IN_MODEM_AT_VALUES_H

#include "at_fields.h"
#include "pdu.h"

enum { AT_TEXT_MOST = 192, AT_UNKNOWN = INT16_MIN };

/* ---- network (at_network.c) ---- */

enum at_domain { AT_CS, AT_PS, AT_EPS, AT_5GS, AT_DOMAINS }; /* CREG, CGREG, CEREG, C5GREG */

/* +CREG and its kin, answered or unsolicited (27.007, 7.2, 10.1.20, 10.1.22,
 * 10.1.47). */
struct at_registration {
    enum at_domain domain;
    int status;     /* 0 to 11 */
    int technology; /* <AcT>, -1: not said, or not known */
    bool has_area;
    uint32_t area; /* LAC or TAC */
    uint64_t cell;
};
enum at_fault at_registration_read(const char *line, struct at_registration *ret);
bool at_status_is_registered(int status);
bool at_status_is_roaming(int status);
/* "registered", "roaming", "searching", "denied" ... */
const char *at_status_name(int status);
/* "gsm", "umts", "hspa", "lte", "nr" ...; "" for -1. `generation`: 2 to 5, 0: none. */
const char *at_technology_name(int technology);
int at_technology_generation(int technology);

/* +COPS? An operator is a long name, a short one, or its number, by `format`. */
struct at_operator {
    int mode, format, technology; /* format, technology -1: not said */
    char name[64];                /* "" where there is none */
};
enum at_fault at_operator_read(const char *line, struct at_operator *ret);

/* +CSQ and +CESQ, in dBm and dB; AT_UNKNOWN: not known. Half decibels for ratios:
 * in tenths. */
struct at_signal {
    int16_t rssi_dbm, rscp_dbm, rsrp_dbm, ss_rsrp_dbm;
    int16_t ecno_ddb, rsrq_ddb, ss_rsrq_ddb, ss_sinr_ddb; /* tenths of a dB */
    int16_t ber; /* 0 to 7, as in the standard */
};
enum at_fault at_csq_read(const char *line, struct at_signal *ret);
enum at_fault at_cesq_read(const char *line, struct at_signal *ret);

/* +CCLK (answer), +CTZE, +CTZEU, +CTZV (unsolicited). */
struct at_time {
    bool has_time, has_zone;
    int64_t utc_ns;
    int16_t zone_min; /* ahead of UTC */
};
enum at_fault at_time_read(const char *line, struct at_time *ret);

/* ---- messages (at_message.c) ---- */

/* +CPMS, answer to a question or a setting: how full each store is. */
struct at_stores {
    char name[3][8]; /* "" where the answer has none */
    int32_t used[3], total[3];
    unsigned count;
};
enum at_fault at_stores_read(const char *line, struct at_stores *ret);
/* +CPMS=?: whether a store of this name can be chosen for `which` (0 to 2). */
enum at_fault at_stores_has(const char *line, unsigned which, const char *name, bool *ret);

/* +CMGL, +CMGR, +CMT, +CDS with their body: a message in hex digits, or in text
 * mode. */
struct at_message {
    int32_t index; /* CMGL; -1 */
    int32_t status; /* 0 unread, 1 read, 2 unsent, 3 sent; -1: not said */
    bool in_text_mode;
    char number[AT_TEXT_MOST], time[32]; /* text mode */
    struct sms sms;                     /* else */
    enum sms_error error; /* why, with AT_FAULT_MESSAGE */
};
/* `body` may be NULL: MISSING. After AT_FAULT_MESSAGE index and error are set. */
enum at_fault at_message_read(const char *line, const char *body, struct at_message *ret);

/* +CMTI, +CDSI, +CBMI: where a message is. */
struct at_arrival {
    char store[8];
    uint16_t index;
    bool is_report;
};
enum at_fault at_arrival_read(const char *line, struct at_arrival *ret);

/* +CMGS, +CMGW, +CMSS: the message's reference or index. */
enum at_fault at_reference_read(const char *line, uint16_t *ret);

/* +CNMI=?: which of these a modem can do. */
struct at_notices {
    bool can[5][5]; /* by parameter and its value */
};
enum at_fault at_notices_read(const char *line, struct at_notices *ret);

/* +CUSD. The text is UTF-8 whatever it came as: characters, UCS-2 in hex, packed
 * septets in hex. */
struct at_ussd {
    int status; /* 0 done, 1 waits for an answer, 2 ended by the network ... 5 */
    int dcs;    /* -1: not said */
    char text[UINT16_C(3) * 400];
};
enum at_fault at_ussd_read(const char *line, struct at_ussd *ret);

/* ---- the rest (at_service.c) ---- */

/* Busy: it may be ready in a moment; absent: also taken out. */
enum at_sim { AT_SIM_READY, AT_SIM_PIN, AT_SIM_PUK, AT_SIM_PIN2, AT_SIM_PUK2, AT_SIM_BUSY, AT_SIM_ABSENT, AT_SIM_OTHER };
enum at_fault at_sim_read(const char *line, enum at_sim *ret);

/* A line that is a value by itself, with a prefix and quotes or without: CGMI,
 * CGMM, CGMR, CGSN, CIMI, CCID. */
enum at_fault at_identity_read(const char *line, char *to, size_t room);
/* Whether it is 14 to 20 digits (IMEI, IMSI, ICCID), a filler F at the end aside. */
bool at_identity_is_number(const char *text);

struct at_forward {
    bool active;
    int classes;
    char number[48];
};
enum at_fault at_forward_read(const char *line, struct at_forward *ret); /* +CCFC */

struct at_centre {
    char number[48];
    int type;
};
enum at_fault at_centre_read(const char *line, struct at_centre *ret); /* +CSCA */
enum at_fault at_charset_read(const char *line, char *to, size_t room); /* +CSCS */

struct at_context {
    int cid;
    char type[16], apn[104], address[64];
};
enum at_fault at_context_read(const char *line, struct at_context *ret); /* +CGDCONT */
enum at_fault at_active_read(const char *line, int *ret_cid, bool *ret); /* +CGACT */

struct at_entry {
    int index, type;
    char number[64], name[128];
};
enum at_fault at_entry_read(const char *line, struct at_entry *ret); /* +CPBR */

/* ---- position (at_position.c) ---- */

/* +CGNSINF, +CGPSINFO, and NMEA 0183 GGA and RMC of any talker. A line without a
 * fix is fine, and has none. */
struct at_position {
    bool has_fix, has_altitude, has_speed, has_course, has_time;
    double latitude, longitude; /* degrees, north and east positive */
    double altitude_m, speed_mps, course_deg;
    int64_t utc_ns;
    int satellites; /* -1: not said */
};
enum at_fault at_position_read(const char *line, struct at_position *ret);

/* ---- shared by these files ---- */

/* Days since 1970; false where there is no such day. */
bool at_days_of(int64_t year, int64_t month, int64_t day, int64_t *ret);

#endif
