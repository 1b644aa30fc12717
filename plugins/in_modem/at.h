/* SPDX-License-Identifier: Apache-2.0
 *
 * at.h - what a modem says, cut into replies and unsolicited codes: ITU-T V.250,
 * 3GPP TS 27.007 and 27.005.
 *
 * Bytes go in as they come; out come echoes (passed over), lines of the reply to
 * the command that is running, its final result, prompts, and unsolicited codes
 * wherever they stand, also in the middle of a line. Nothing waits for a line
 * that does not come, and no byte can stop the reader: what belongs to nothing is
 * a stray line. A code inside the number of an error may hide that number.
 *
 * Not here: what a line's values are (at_values.h), when to give up (modem.h). */
#ifndef IN_MODEM_AT_H
#define IN_MODEM_AT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { AT_LINE_MOST = 2048, AT_ECHO_MOST = 512 };

enum at_kind {
    AT_NONE,    /* more bytes are needed */
    AT_INFO,    /* a line of the reply, with its body where it has one */
    AT_FINAL,   /* the command is done: `result`, `code` */
    AT_PROMPT,  /* the modem waits for text */
    AT_CODE,    /* an unsolicited result code, with its body where it has one */
    AT_STRAY,   /* a line that belongs to nothing */
    AT_TOO_LONG /* a line of more than AT_LINE_MOST bytes, passed over */
};

enum at_result {
    AT_OK,
    AT_ERROR,     /* ERROR, and words that mean it */
    AT_CME_ERROR, /* `code`: TS 27.007, 9.2; -1: not known */
    AT_CMS_ERROR, /* `code`: TS 27.005, 3.2.5; -1: not known */
    AT_CONNECT,
    AT_NO_CARRIER,
    AT_BUSY,
    AT_NO_ANSWER,
    AT_NO_DIALTONE
};

/* `line` and `body` end with a zero, have no line breaks at their ends, and are
 * borrowed until the next call of the reader. `body` is NULL where there is none. */
struct at_event {
    enum at_kind kind;
    enum at_result result;
    int code;
    const char *line;
    const char *body;
};

enum {
    AT_PLAIN = 1,     /* any line is of the reply: AT+CGMM, ATI */
    AT_BODY = 2,      /* each line of the reply has a body: AT+CMGL, AT+CMGR */
    AT_ASKS = 4,      /* the modem asks for text: AT+CMGS */
    AT_DIALS = 8,     /* CONNECT, NO CARRIER ... end it: ATD, AT+CGDATA */
    AT_TEXT_MODE = 16 /* bodies are text, not hex digits (AT+CMGF=1) */
};

struct at_reader {
    char line[AT_LINE_MOST + 1]; /* being read, or just read */
    char held[AT_LINE_MOST + 1]; /* a line of the reply that may go on */
    char body[AT_LINE_MOST + 1]; /* of `held` */
    char code[AT_LINE_MOST + 1]; /* an unsolicited code that has not ended */
    char part[AT_LINE_MOST + 1]; /* a stray line that a code came right after */
    char echo[AT_ECHO_MOST + 1]; /* what may come back */
    char prefix[24];             /* of the reply: "+CSQ:" */
    size_t line_size, held_size, body_size, code_size, part_size;
    size_t line_blanks, blanks; /* taken off the end of the line; of the last one but codes */
    unsigned flags;
    bool running;      /* a command is */
    bool line_done;    /* the line is to be told what it is */
    bool line_old;     /* it was told: the next byte begins another */
    bool line_long;    /* it is passed over */
    bool line_early;   /* it began before the command did: none of its reply */
    bool after_cr;     /* a line feed here ends nothing */
    bool has_held, has_body, body_open;
    bool code_open, code_wants_body;
    bool gap;          /* an empty line came since the last one */
    bool interrupted;  /* a code came right behind a line, as if inside it */
    bool was_code;     /* the last line was a code */
    bool is_text;      /* what may come back is the text behind a prompt */
    bool echoed;       /* a command came back; the reader's user clears it */
    bool text_mode;    /* of bodies of codes */
};

void at_reader_init(struct at_reader *a);
/* A command was sent: `echo` is what may come back, without its end; `prefix` what
 * lines of its reply begin with, NULL: none has lines. Both are copied. */
void at_reader_begin(struct at_reader *a, const char *echo, const char *prefix, unsigned flags);
/* The text behind a prompt was sent: it may come back as well. */
void at_reader_sent(struct at_reader *a, const char *echo);
/* Forgets the command and what was half read: after a time-out or a hang-up. */
void at_reader_reset(struct at_reader *a);

/* Takes bytes up to the next event and returns how many. Call until all are taken
 * and the kind is AT_NONE; a call with none may still give an event. */
size_t at_reader_take(struct at_reader *a, const uint8_t *bytes, size_t size, struct at_event *ret);

/* Words for an error: "SIM PIN required"; "unknown error" where there are none. */
const char *at_error_words(enum at_result result, int code);
/* The number of "+CME ERROR: SIM busy", or of "+CMS ERROR: 310": -1: not known. */
int at_error_number(enum at_result result, const char *text);

#endif
