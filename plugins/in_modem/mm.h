/* SPDX-License-Identifier: Apache-2.0
 *
 * mm.h - a modem that ModemManager drives, for a plugin's [data] thread.
 *
 * libmm-glib lives in one thread of its own, behind two bounded queues: requests
 * go down by mm_ask, events come up by mm_next, and mm_fd can be read when there
 * are some. Values are those of at_values.h, so that both backends say the same.
 * A daemon or a modem that is away is a state (struct mm_state), never an error:
 * both are waited for as long as the instance is open.
 *
 * Not here: records, what to ask for and when. No type of GLib passes here. */
#ifndef IN_MODEM_MM_H
#define IN_MODEM_MM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "at.h"
#include "at_values.h"

enum {
    MM_TEXT_MOST = 4096,  /* bytes of a text to send */
    MM_ASKED_MOST = 16,   /* requests whose reply was not read yet */
    MM_EVENTS_MOST = 32,  /* beside replies; what does not fit stays in the modem */
    MM_TOLD_MOST = 256    /* messages told and not yet forgotten */
};

/* Strings are borrowed as long as the instance is open; NULL: not given. */
struct mm_config {
    const char *device; /* a port ("/dev/ttyUSB2", also by a link) or the sysfs path of
                         * the modem; NULL: the first modem that is there */
    const char *pin;    /* tried once a SIM, and only while three tries are left */
    unsigned poll_s;    /* how often signal and bytes are looked at; at least 1 */
    bool wants_position;
    unsigned parts_wait_s; /* parts that are missing for so long make the daemon look into
                            * the modem again, which is disabled for a moment; 0: never */
};

enum mm_presence { MM_NO_DAEMON, MM_NO_MODEM, MM_THERE };

/* All that is known of the modem, as a whole. What is not known: "", -1, AT_UNKNOWN. */
struct mm_state {
    enum mm_presence presence;
    bool usable;         /* enabled: registered or looking for a network */
    const char *trouble; /* why it is not, "" where there is nothing to say; static */
    char maker[64], model[64], firmware[64], imei[24], imsi[24], iccid[24], own_number[40];
    char port[64];       /* primary port: "ttyUSB2" */
    enum at_sim sim;     /* meaningful where has_sim */
    bool has_sim;
    int pin_tries;       /* left for the lock that is on; -1 */
    bool pin_refused;    /* the configured one was tried, and the lock is still on */
    int registration;    /* <stat> of TS 27.007, 10.1.22; -1 */
    int technology;      /* <AcT> of TS 27.007, 7.3; -1 */
    char operator_name[64], operator_code[8];
    int quality;         /* percent; -1 */
    struct at_signal signal;
    /* The data session. */
    bool connected;
    char interface[32];  /* "wwan0"; of a dial-up modem the port that carries PPP */
    bool is_ppp;         /* pppd must be run on that port */
    char address[64];    /* IPv4, else IPv6, where the modem says it */
    bool counts;         /* the two below are known */
    uint64_t sent_bytes, received_bytes; /* of this session */
    /* Messages whose parts are not all there yet. */
    uint32_t incomplete;
};

enum mm_verb {
    MM_SEND,        /* number, text, wants_report, validity_s */
    MM_USSD,        /* text: a code, "*100#"; the reply has the network's text */
    MM_USSD_ANSWER, /* text */
    MM_USSD_CANCEL,
    MM_CONNECT,     /* apn, user, password, pdp, roams */
    MM_DISCONNECT,
    MM_RESET,       /* where the modem cannot: it is disabled and enabled again */
    MM_TIME         /* network time */
};

/* Texts are copied. NULL: not given. */
struct mm_request {
    uint64_t id; /* comes back with the reply */
    enum mm_verb verb;
    const char *text;
    size_t text_size; /* UTF-8 without a zero in it */
    const char *number, *apn, *user, *password;
    int pdp; /* 0 IP, 1 IPV6, 2 IPV4V6 */
    bool wants_report, roams;
    int64_t validity_s; /* 0: the network's own */
};

enum mm_kind {
    MM_NONE,
    MM_CHANGED,  /* mm_state_get gives something new */
    MM_REPLY,    /* to a request: `id`, `verb`, `fault` */
    MM_MESSAGE,  /* came in: `key`, `digest`, `number`, `text` or `data` */
    MM_REPORT,   /* status report: `key`, `id` of the request or 0, `reference`, `status` */
    MM_USSD_TEXT, /* the network says or asks something by itself: `ussd`, `text` */
    MM_CLOCK,    /* network time, by itself: `clock` */
    MM_POSITION
};

enum mm_fault {
    MM_FINE,
    MM_ABSENT,      /* there is no modem, or it went while it was at it */
    MM_LOCKED,      /* the SIM wants a PIN or a PUK */
    MM_UNSUPPORTED, /* by this modem */
    MM_FORBIDDEN,   /* the daemon does not let this user */
    MM_TIMED_OUT,
    MM_NETWORK,     /* refused by modem or network: `result`, `code` for at_error_words */
    MM_BUSY,        /* it is doing something else: again later */
    MM_BAD,         /* the request cannot be carried out as it is */
    MM_FAILED
};

/* Pointers are borrowed until the next mm_next or mm_close. */
struct mm_event {
    enum mm_kind kind;
    enum mm_verb verb;
    enum mm_fault fault;
    enum at_result result; /* with MM_NETWORK */
    int code;              /* -1: none */
    const char *words;     /* for people: why; static; "" */
    uint64_t id, key, digest;
    int reference;  /* TP-MR; -1 */
    uint8_t status; /* TP-ST: sms_outcome_of */
    int8_t class;   /* 0 to 3, -1 */
    int ussd;       /* as <m> of +CUSD: 0 done, 1 waits for an answer */
    char number[64];
    struct sms_time time, discharge;
    struct at_time clock;
    struct at_position position;
    const char *text; /* UTF-8, ended by a zero; "" */
    size_t text_size;
    const uint8_t *data; /* a message that is no text; NULL */
    size_t data_size;
};

struct mm;

/* [control] Bytes of an instance: the caller's memory, zeroed. */
size_t mm_size(void);
/* [control] Begins the thread in that memory. False: there is no thread or no
 * descriptor for it (errno), nothing is left behind. */
bool mm_open(struct mm *mm, const struct mm_config *config);
/* [control] Ends the thread: what runs is broken off, without a reply. */
void mm_close(struct mm *mm);

/* [data] Can be read while mm_next has something. The caller watches it. */
int mm_fd(const struct mm *mm);
/* [data] The next event, borrowed; NULL: there is none, and mm_fd is silent. */
const struct mm_event *mm_next(struct mm *mm);
/* [data] The state as it is now. */
void mm_state_get(struct mm *mm, struct mm_state *ret);

enum mm_taken { MM_TAKEN, MM_TOO_MANY, MM_TOO_LONG };
/* [data] TAKEN: one reply will come, whatever happens. TOO_MANY: read replies
 * first. Sends with a modem that is away are answered with MM_ABSENT at once. */
enum mm_taken mm_ask(struct mm *mm, const struct mm_request *request);
/* [data] A message or report is safe: it is deleted in the modem, now or when the
 * modem is back. One that is not forgotten is told again by the next instance,
 * never twice by the same one. */
void mm_forget(struct mm *mm, uint64_t key);

#endif
