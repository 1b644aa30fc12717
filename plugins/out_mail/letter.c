/* letter.c - see letter.h. */
#include "letter.h"

#include "alert_rows/columns.h"
#include "mime.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOOT "\n-- \nSent by Afferent. Not for clinical use: a mail may be late or lost, and nobody knows whether it is read.\n"

/* ---- one record ---- */

static uint16_t words_keep(char *ret, size_t room, struct text *work)
{
    (void)fill_cut(work, 0, room);
    if (work->size > 0 && !work->failed)
        memcpy(ret, work->bytes, work->size);
    return (uint16_t)work->size;
}

/* A column's text, as it is, where it is short; "" otherwise. */
static void cell_keep(char *ret, size_t room, const struct fill_row *row, const char *name)
{
    int32_t index = fill_find(row->schema, name, strlen(name));
    uint32_t length = 0;
    const char *words = NULL;

    *ret = '\0';
    if (index < 0 || fill_column(row->schema, (uint32_t)index).type != AFF_TEXT || !aff_row_has(row->record, (uint32_t)index))
        return;
    words = aff_row_text(row->record, row->schema->count, (uint32_t)index, &length);
    if (!words || length >= room)
        return;
    memcpy(ret, words, length);
    ret[length] = '\0';
}

static uint8_t rank_of(const struct fill_row *row)
{
    char severity[16];
    uint8_t i;

    cell_keep(severity, sizeof severity, row, "severity");
    for (i = 0; i < SEVERITIES; i++)
        if (strcmp(severity, severity_names[i]) == 0)
            break;
    return i;
}

/* It becomes a part of an address: digits and letters. */
static void thread_keep(struct item *ret, const struct fill_row *row)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

    cell_keep(ret->thread, sizeof ret->thread, row, "alert");
    if (ret->thread[strspn(ret->thread, letters)] != '\0')
        ret->thread[0] = '\0';
}

bool item_fill(struct item *ret, const struct forms *forms, const struct fill_row *row, struct text *work)
{
    ret->id = row->record->id;
    ret->is_resent = (row->record->flags & AFF_FLAG_RESENT) != 0;
    ret->rank = rank_of(row);
    thread_keep(ret, row);
    work->size = 0;
    fill_write(work, &forms->subject, row);
    ret->subject_size = words_keep(ret->subject, sizeof ret->subject, work);
    work->size = 0;
    fill_write(work, &forms->body, row);
    ret->body_size = words_keep(ret->body, sizeof ret->body, work);
    return !work->failed;
}

/* ---- headers ---- */

static int items_compare(const void *a, const void *b)
{
    const struct item *one = a, *other = b;

    if (one->rank != other->rank)
        return one->rank < other->rank ? -1 : 1;
    if (one->id.source != other->id.source)
        return one->id.source < other->id.source ? -1 : 1;
    return one->id.seq < other->id.seq ? -1 : one->id.seq > other->id.seq;
}

static uint64_t ids_hash(const struct letter *l)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (uint32_t i = 0; i < l->count; i++) {
        const uint64_t words[2] = { l->items[i].id.source, l->items[i].id.seq };

        for (size_t k = 0; k < sizeof words; k++)
            hash = (hash ^ (words[k / 8] >> (k % 8 * 8) & 0xff)) * UINT64_C(1099511628211);
    }
    return hash;
}

static void message_id_write(struct text *t, const struct letter *l)
{
    char more[64];

    text_say(t, "Message-ID: <");
    fill_id(t, l->items[0].id);
    if (l->count > 1) {
        (void)snprintf(more, sizeof more, ".%" PRIu32 ".%016" PRIx64, l->count, ids_hash(l));
        text_say(t, more);
    }
    text_say(t, strchr(l->config->sender, '@'));
    text_say(t, ">\r\n");
    if (l->count > 1 || !l->items[0].thread[0])
        return;
    text_say(t, "References: <alert.");
    text_say(t, l->items[0].thread);
    text_say(t, strchr(l->config->sender, '@'));
    text_say(t, ">\r\n");
}

static void who_write(struct text *t, const struct config *c)
{
    char sender[ADDRESS_MOST + 3];

    (void)snprintf(sender, sizeof sender, "<%s>", c->sender);
    mime_header(t, "From", c->sender_name, strlen(c->sender_name), sender);
    for (uint32_t i = 0; i < c->to.count; i++) {
        text_say(t, i > 0 ? ",\r\n " : "To: ");
        text_say(t, config_recipient(c, i));
    }
    text_say(t, "\r\n");
}

static void subject_write(struct text *t, const struct letter *l)
{
    char words[SUBJECT_MOST + 48];
    int size = l->items[0].subject_size;

    memcpy(words, l->items[0].subject, (size_t)size);
    if (l->count > 1)
        size += snprintf(words + size, sizeof words - (size_t)size, " (and %" PRIu32 " more)", l->count - 1);
    mime_header(t, "Subject", words, (size_t)size, NULL);
}

static void headers_write(struct text *t, const struct letter *l)
{
    bool is_resent = false;

    if (l->has_time)
        mime_date(t, l->utc_ns);
    who_write(t, l->config);
    subject_write(t, l);
    message_id_write(t, l);
    text_say(t, "Auto-Submitted: auto-generated\r\n"); /* RFC 3834: no holiday notices come back */
    text_say(t, l->items[0].rank == SEVERITY_HIGH ? "Importance: high\r\n" : "");
    for (uint32_t i = 0; i < l->count; i++) {
        text_say(t, i > 0 ? ",\r\n " : "X-Afferent-Id: ");
        fill_id(t, l->items[i].id);
        is_resent |= l->items[i].is_resent;
    }
    text_say(t, "\r\n");
    text_say(t, is_resent ? "X-Afferent-Resent: 1\r\n" : "");
    text_say(t, "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
}

/* ---- body ---- */

static void rest_count(struct text *t, const struct letter *l, uint32_t listed)
{
    static const char *const other = "other";
    uint32_t counts[RANKS] = { 0 };
    char words[64];

    for (uint32_t i = listed; i < l->count; i++)
        counts[l->items[i].rank]++;
    (void)snprintf(words, sizeof words, "\nand %" PRIu32 " more that are not listed:", l->count - listed);
    text_say(t, words);
    for (uint32_t i = 0; i < RANKS; i++)
        if (counts[i] > 0) {
            (void)snprintf(words, sizeof words, " %" PRIu32 " %s", counts[i], i < SEVERITIES ? severity_names[i] : other);
            text_say(t, words);
        }
    text_say(t, "\n");
}

uint32_t letter_write(struct text *t, struct letter *letter)
{
    uint32_t most = (uint32_t)letter->config->batch_records, listed = 0;
    struct text body = { 0 };

    qsort(letter->items, letter->count, sizeof letter->items[0], items_compare);
    while (listed < letter->count && (listed < most || letter->items[listed].rank == SEVERITY_HIGH))
        listed++;
    headers_write(t, letter);
    for (uint32_t i = 0; i < listed; i++) {
        text_add(&body, letter->items[i].body, letter->items[i].body_size);
        text_say(&body, "\n");
    }
    if (listed < letter->count)
        rest_count(&body, letter, listed);
    text_say(&body, FOOT);
    mime_quoted(t, body.bytes, body.size);
    t->failed |= body.failed;
    text_free(&body);
    return listed;
}
