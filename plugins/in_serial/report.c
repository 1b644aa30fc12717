/* SPDX-License-Identifier: Apache-2.0
 *
 * report.c - records about the device: events, and results of commands. */
#include "serial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[EVENT_KINDS] = {
    [KIND_LINE_LOST] = "line_lost",   [KIND_LINE_BACK] = "line_back",     [KIND_SILENT] = "silent",
    [KIND_NOT_SILENT] = "not_silent", [KIND_BAD_FRAMES] = "bad_frames",
    [KIND_UNREADABLE] = "unreadable", [KIND_READABLE] = "readable",
};

static const char *const outcome_names[] = {
    [VERDICT_DONE] = "done",           [VERDICT_REFUSED] = "refused",     [VERDICT_TIMEOUT] = "timeout",
    [VERDICT_FAILED] = "failed",       [VERDICT_EXPIRED] = "expired",     [VERDICT_BAD_VALUE] = "bad_value",
    [VERDICT_UNKNOWN] = "unknown",     [VERDICT_TOO_MANY] = "too_many",
};

void event_add(struct serial *s, enum event_kind kind, int64_t count, double seconds, const char *why)
{
    struct event *e;

    if (s->event_count == EVENTS_MOST) {
        s->event_count--;
        memmove(s->events, s->events + 1, s->event_count * sizeof *s->events);
    }
    e = &s->events[s->event_count++];
    *e = (struct event){ .kind = kind, .count = count, .seconds = seconds };
    e->at_ns = s->host->utc_ns(s->host, &e->clock);
    if (why)
        (void)snprintf(e->why, sizeof e->why, "%s", why);
}

/* A draft of a port of ours, with its stream and time. */
static struct aff_record *draft_new(struct serial *s, uint32_t port, uint32_t input, uint32_t size)
{
    struct aff_record *draft = s->host->reserve(s->host, port, input, size);

    if (!draft)
        return NULL;
    draft->subject = s->subject;
    draft->stream = s->streams[port];
    draft->schema = s->schemas[port];
    draft->type = AFF_FIELDS;
    draft->flags = 0;
    return draft;
}

static void text_put(struct aff_row *row, uint32_t column, const char *text)
{
    if (text && *text)
        aff_row_put_text(row, column, text, (uint32_t)strlen(text));
}

static aff_status event_emit(struct serial *s, const struct event *e)
{
    uint32_t texts = (uint32_t)(strlen(kind_names[e->kind]) + strlen(s->device) + strlen(e->why));
    struct aff_record *draft = draft_new(s, PORT_EVENTS, AFF_NO_INPUT, aff_row_size(EVENT_COLUMNS, texts));
    struct aff_row row;

    if (!draft)
        return AFF_ERR_MEMORY;
    draft->event_ns = e->at_ns;
    draft->clock = e->clock;
    row = aff_row_begin(draft, EVENT_COLUMNS);
    text_put(&row, EVENT_KIND, kind_names[e->kind]);
    text_put(&row, EVENT_DEVICE, s->device);
    aff_row_put_int(&row, EVENT_AT, e->at_ns);
    if (e->count != INT64_MIN)
        aff_row_put_int(&row, EVENT_COUNT, e->count);
    if (!isnan(e->seconds))
        aff_row_put_real(&row, EVENT_SECONDS, e->seconds);
    text_put(&row, EVENT_WHY, e->why);
    return s->host->emit(s->host, draft, aff_row_end(&row));
}

aff_status events_turn(struct serial *s, struct turn *t)
{
    aff_status st = AFF_OK;

    while (s->event_count && t->want && st == AFF_OK) {
        st = event_emit(s, &s->events[0]);
        if (st != AFF_OK)
            break;
        t->want--;
        s->event_count--;
        memmove(s->events, s->events + 1, s->event_count * sizeof *s->events);
    }
    t->more |= s->event_count > 0;
    return st;
}

aff_status result_emit(struct serial *s, uint32_t input, const struct result *r)
{
    const char *outcome = outcome_names[r->outcome];
    char order[40] = "";
    uint32_t texts = (uint32_t)(strlen(outcome) + strlen(s->device) + sizeof order) + r->command_size + r->reply_size;
    struct aff_record *draft = draft_new(s, PORT_RESULTS, input, aff_row_size(RESULT_COLUMNS, texts));
    struct aff_row row;
    uint8_t clock;

    if (!draft)
        return AFF_ERR_MEMORY;
    draft->event_ns = s->host->utc_ns(s->host, &clock);
    draft->clock = clock;
    row = aff_row_begin(draft, RESULT_COLUMNS);
    if (r->command_size)
        aff_row_put_text(&row, RESULT_COMMAND, r->command, r->command_size);
    text_put(&row, RESULT_OUTCOME, outcome);
    if (r->reply_size)
        aff_row_put_text(&row, RESULT_REPLY, r->reply, r->reply_size);
    aff_row_put_int(&row, RESULT_TRIES, r->tries);
    aff_row_put_real(&row, RESULT_TOOK, r->seconds);
    text_put(&row, RESULT_DEVICE, s->device);
    if (r->record)
        (void)snprintf(order, sizeof order, "%016llx-%llu", (unsigned long long)r->record->id.source,
                       (unsigned long long)r->record->id.seq);
    text_put(&row, RESULT_ORDER, order);
    return s->host->emit(s->host, draft, aff_row_end(&row));
}
