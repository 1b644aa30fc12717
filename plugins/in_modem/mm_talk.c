/* SPDX-License-Identifier: Apache-2.0
 *
 * mm_talk.c - mm.h by lines of text, for tests/devices/modemmanager.py: requests on
 * standard input, what comes up on standard output, texts as hex digits.
 *
 *     mm_talk [device=PATH] [pin=PIN] [poll=SECONDS] [parts=SECONDS]
 *     send ID NUMBER REPORT HEX | ussd ID HEX | answer ID HEX | cancel ID |
 *     connect ID APN | disconnect ID | reset ID | time ID | forget KEY
 *
 * It ends when standard input does. Not here: any judgement. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mm.h"

static void hex_print(const char *name, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    size_t i;

    printf(" %s=", name);
    for (i = 0; i < size; i++)
        printf("%02x", at[i]);
}

static void text_print(const char *name, const char *text)
{
    hex_print(name, text, strlen(text));
}

static size_t hex_read(const char *text, char *to, size_t room)
{
    size_t size = 0;
    unsigned byte;

    while (size < room && sscanf(text + 2 * size, "%2x", &byte) == 1)
        to[size++] = (char)byte;
    return size;
}

static void state_print(struct mm *mm)
{
    static const char *const presences[] = { "daemon", "modem", "there" };
    struct mm_state s;

    mm_state_get(mm, &s);
    printf("state presence=%s usable=%d sim=%d tries=%d registration=%d technology=%d quality=%d rssi=%d rsrp=%d rsrq=%d",
           presences[s.presence], s.usable, s.has_sim ? (int)s.sim : -1, s.pin_tries, s.registration, s.technology,
           s.quality, s.signal.rssi_dbm, s.signal.rsrp_dbm, s.signal.rsrq_ddb);
    printf(" refused=%d connected=%d ppp=%d incomplete=%u", s.pin_refused, s.connected, s.is_ppp, s.incomplete);
    text_print("trouble", s.trouble);
    text_print("maker", s.maker);
    text_print("model", s.model);
    text_print("firmware", s.firmware);
    text_print("imei", s.imei);
    text_print("imsi", s.imsi);
    text_print("iccid", s.iccid);
    text_print("operator", s.operator_name);
    text_print("port", s.port);
    text_print("interface", s.interface);
    putchar('\n');
}

static void event_print(struct mm *mm, const struct mm_event *e)
{
    static const char *const kinds[] = { "none", "changed", "reply", "message", "report", "ussd", "clock", "position" };

    if (e->kind == MM_CHANGED) {
        state_print(mm);
        return;
    }
    printf("%s id=%llu key=%llu verb=%d fault=%d code=%d reference=%d status=%d class=%d ussd=%d", kinds[e->kind],
           (unsigned long long)e->id, (unsigned long long)e->key, e->verb, e->fault, e->code, e->reference, e->status,
           e->class, e->ussd);
    printf(" time=%lld zone=%d clock=%lld", e->time.is_set ? (long long)e->time.utc_ns : -1LL, e->time.zone_min,
           e->clock.has_time ? (long long)e->clock.utc_ns : -1LL);
    text_print("words", e->words);
    text_print("number", e->number);
    hex_print("text", e->text, e->text_size);
    hex_print("data", e->data, e->data ? e->data_size : 0);
    putchar('\n');
}

static void ask(struct mm *mm, char *line)
{
    static const struct {
        const char *name;
        enum mm_verb verb;
    } verbs[] = { { "send", MM_SEND },       { "ussd", MM_USSD },           { "answer", MM_USSD_ANSWER }, { "cancel", MM_USSD_CANCEL },
                  { "connect", MM_CONNECT }, { "disconnect", MM_DISCONNECT }, { "reset", MM_RESET },        { "time", MM_TIME } };
    static char text[2 * MM_TEXT_MOST];
    char *words[5] = { strtok(line, " \n") };
    struct mm_request r = { .text = text };
    const char *hex;
    size_t i;

    for (i = 1; i < 5; i++)
        words[i] = words[i - 1] ? strtok(NULL, " \n") : NULL;
    if (!words[0] || !words[1])
        return;
    r.id = strtoull(words[1], NULL, 10);
    if (strcmp(words[0], "forget") == 0) {
        mm_forget(mm, r.id);
        return;
    }
    for (i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(words[0], verbs[i].name) == 0) {
            r.verb = verbs[i].verb;
            hex = r.verb == MM_SEND ? words[4] : words[2];
            r.number = r.verb == MM_SEND ? words[2] : NULL;
            r.wants_report = r.verb == MM_SEND && words[3] && words[3][0] == '1';
            r.apn = r.verb == MM_CONNECT ? words[2] : NULL;
            r.text_size = hex && r.verb != MM_CONNECT ? hex_read(hex, text, sizeof text) : 0;
            printf("asked id=%s taken=%d\n", words[1], (int)mm_ask(mm, &r));
        }
}

static void talk(struct mm *mm)
{
    static char line[5 * MM_TEXT_MOST];
    struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = mm_fd(mm), .events = POLLIN } };
    const struct mm_event *e;
    bool open = true;

    while (open && poll(fds, 2, -1) > 0) {
        while (fds[1].revents && (e = mm_next(mm)) != NULL)
            event_print(mm, e);
        if (fds[0].revents && (open = fgets(line, sizeof line, stdin) != NULL))
            ask(mm, line);
    }
}

int main(int argc, char **argv)
{
    struct mm_config config = { .poll_s = 1 };
    struct mm *mm = calloc(1, mm_size());
    int i;

    for (i = 1; i < argc; i++) {
        if (strncmp(argv[i], "device=", 7) == 0)
            config.device = argv[i] + 7;
        else if (strncmp(argv[i], "pin=", 4) == 0)
            config.pin = argv[i] + 4;
        else if (strncmp(argv[i], "poll=", 5) == 0)
            config.poll_s = (unsigned)strtoul(argv[i] + 5, NULL, 10);
        else if (strncmp(argv[i], "parts=", 6) == 0)
            config.parts_wait_s = (unsigned)strtoul(argv[i] + 6, NULL, 10);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    setvbuf(stdin, NULL, _IONBF, 0); /* poll must see what is still to read */
    if (!mm || !mm_open(mm, &config)) {
        free(mm);
        return 2;
    }
    talk(mm);
    mm_close(mm);
    free(mm);
    return 0;
}
