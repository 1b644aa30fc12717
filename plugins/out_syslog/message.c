/* message.c - see message.h. */
#include "message.h"

#include "alert_rows/columns.h"
#include "calendar/calendar.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool form_open(struct form *f, const struct config *config)
{
    f->config = config;
    f->pid = (int)getpid();
    f->is_local = config->format == FORM_LOCAL || (config->format == FORM_AUTO && config_way(config) == WAY_UNIX);
    if (config->hostname)
        (void)snprintf(f->hostname, sizeof f->hostname, "%s", config->hostname);
    else if (gethostname(f->hostname, sizeof f->hostname - 1) != 0)
        f->hostname[0] = '\0';
    for (char *p = f->hostname; *p; p++)
        if ((unsigned char)*p < 0x21 || (unsigned char)*p > 0x7e)
            *p = '_';
    if (!f->hostname[0])
        (void)snprintf(f->hostname, sizeof f->hostname, "-");
    return fill_read(&f->message, config->message, false) == NULL;
}

/* ---- priority ---- */

/* The number of a column's text among names; `count`: none of them. */
static uint32_t word_of(const struct fill_row *row, const char *column, const char *const *names, uint32_t count)
{
    int32_t index = fill_find(row->schema, column, strlen(column));
    uint32_t length = 0, i;
    const char *words = NULL;

    if (index >= 0 && fill_column(row->schema, (uint32_t)index).type == AFF_TEXT && aff_row_has(row->record, (uint32_t)index))
        words = aff_row_text(row->record, row->schema->count, (uint32_t)index, &length);
    for (i = 0; i < count; i++)
        if (words && strlen(names[i]) == length && memcmp(names[i], words, length) == 0)
            break;
    return i;
}

static int priority_of(const struct form *f, const struct fill_row *row)
{
    const struct levels *l = f->config->levels ? f->config->levels : &config_levels;
    const int32_t by[] = { l->high, l->medium, l->low, l->technical, l->other };
    uint32_t severity = word_of(row, "severity", severity_names, SEVERITIES);
    uint32_t state = word_of(row, "state", state_names, STATES);
    int32_t level = by[severity];

    if (severity < SEVERITIES && (state == STATE_ENDED || state == STATE_ACKNOWLEDGED))
        level = l->ended;
    return (f->config->facility + 1) * 8 + level;
}

/* ---- heads ---- */

/* Microseconds are the finest that RFC 5424 allows; a time that is no date of four
 * digits, or that no clock made, is not said. */
static void stamp_write(struct text *t, const struct aff_record *r)
{
    struct calendar c = calendar_at(r->event_ns);
    char words[128];

    if (r->clock == AFF_CLOCK_NONE || c.year < 1 || c.year > 9999) {
        text_say(t, "-");
        return;
    }
    (void)snprintf(words, sizeof words, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", (int)c.year, c.month, c.day, c.hour,
                   c.minute, c.second, c.ns / 1000);
    text_say(t, words);
}

static void head_write(struct text *t, const struct form *f, const struct fill_row *row)
{
    char words[64];

    (void)snprintf(words, sizeof words, "<%d>1 ", priority_of(f, row));
    text_say(t, words);
    stamp_write(t, row->record);
    text_say(t, " ");
    text_say(t, f->hostname);
    text_say(t, " ");
    text_say(t, f->config->app_name);
    (void)snprintf(words, sizeof words, " %d ", f->pid);
    text_say(t, words);
    text_say(t, f->config->msgid);
    text_say(t, " ");
}

/* As syslog(3) writes it, in local time. */
static void local_write(struct text *t, const struct form *f, const struct fill_row *row)
{
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    time_t seconds = (time_t)(row->record->event_ns / 1000000000);
    struct tm m = { 0 };
    char words[128];

    (void)localtime_r(&seconds, &m);
    (void)snprintf(words, sizeof words, "<%d>%s %2d %02d:%02d:%02d ", priority_of(f, row),
                   months[m.tm_mon >= 0 && m.tm_mon < 12 ? m.tm_mon : 0], m.tm_mday, m.tm_hour, m.tm_min, m.tm_sec);
    text_say(t, words);
    text_say(t, f->config->app_name);
    (void)snprintf(words, sizeof words, "[%d]: ", f->pid);
    text_say(t, words);
}

/* ---- structured data ---- */

/* RFC 5424, 6.3.3: quote, backslash and bracket are escaped. */
static void value_write(struct text *t, const struct text *value)
{
    for (size_t i = 0; i < value->size; i++) {
        if (strchr("\"\\]", value->bytes[i]) && value->bytes[i])
            text_say(t, "\\");
        text_add(t, value->bytes + i, 1);
    }
}

/* A name that is too long or has other characters than SD-NAME is made one. */
static void name_write(struct text *t, const char *name)
{
    for (size_t i = 0; i < NAME_MOST && name[i]; i++) {
        bool is_good = (unsigned char)name[i] > 0x20 && (unsigned char)name[i] < 0x7f && !strchr("=]\"", name[i]);

        text_add(t, is_good ? name + i : "_", 1);
    }
    text_say(t, *name ? "" : "_");
}

static void pair_write(struct text *t, const char *name, struct text *value)
{
    (void)fill_cut(value, 0, DATA_VALUE_MOST);
    text_say(t, " ");
    name_write(t, name);
    text_say(t, "=\"");
    value_write(t, value);
    text_say(t, "\"");
}

static void own_write(struct text *t, const struct fill_row *row, const char *name, struct text *work)
{
    if (fill_find(row->schema, name, strlen(name)) < 0 && work->size > 0)
        pair_write(t, name, work);
}

static void data_write(struct text *t, const struct form *f, const struct fill_row *row, struct text *work)
{
    text_say(t, "[timeQuality tzKnown=\"1\" isSynced=\"");
    text_say(t, row->record->clock == AFF_CLOCK_SYNCED ? "1\"][" : "0\"][");
    text_say(t, f->config->sd_id);
    for (uint32_t i = 0; i < row->schema->count; i++) {
        const char *name = fill_column(row->schema, i).name;

        work->size = 0;
        if (fill_cell(work, row, i))
            pair_write(t, name ? name : "", work);
    }
    work->size = 0;
    text_line(work, row->subject ? row->subject : "", row->subject ? strlen(row->subject) : 0);
    own_write(t, row, "subject", work);
    work->size = 0;
    fill_id(work, row->record->id);
    own_write(t, row, "id", work);
    work->size = 0;
    text_say(work, row->record->flags & AFF_FLAG_RESENT ? "1" : "");
    own_write(t, row, "resent", work);
    text_say(t, "]");
}

/* ---- all of it ---- */

static bool is_ascii(const struct text *t)
{
    for (size_t i = 0; i < t->size; i++)
        if ((unsigned char)t->bytes[i] >= 0x80)
            return false;
    return true;
}

enum message_end message_write(struct text *t, const struct form *f, const struct fill_row *row, struct text *work)
{
    size_t most = (size_t)f->config->max_bytes;
    bool cut;

    t->size = 0;
    if (f->is_local)
        local_write(t, f, row);
    else
        head_write(t, f, row);
    if (!f->is_local && f->config->data)
        data_write(t, f, row, work);
    else if (!f->is_local)
        text_say(t, "-");
    work->size = 0;
    fill_write(work, &f->message, row);
    if (!f->is_local) /* UTF-8 is announced by a byte order mark (RFC 5424, 6.4) */
        text_say(t, is_ascii(work) ? " " : " \xef\xbb\xbf");
    if (t->size + 4 > most)
        return MESSAGE_TOO_LARGE;
    cut = fill_cut(work, 0, most - t->size);
    text_add(t, work->bytes ? work->bytes : "", work->size);
    return cut ? MESSAGE_CUT : MESSAGE_WHOLE;
}
