/* SPDX-License-Identifier: Apache-2.0
 *
 * header.c - see header.h. The lines of signals are in header_signal.c. */
#include "header.h"

#include "calendar/calendar.h"
#include "header_inside.h"
#include "recording/when.h"

#include <string.h>

void header_clear(struct wfdb_header *h)
{
    memset(h, 0, sizeof *h);
    h->pool_used = 1; /* place 0 is "" */
}

const char *header_text(const struct wfdb_header *h, uint32_t place)
{
    return h->pool + place;
}

int header_name_is_safe(const char *name)
{
    const char *end;

    if (*name == 0)
        return 0;
    for (;; name = end + 1) {
        size_t n = strcspn(name, "/");

        end = name + n;
        if (n == 0 || (n == 1 && name[0] == '.') || (n == 2 && name[0] == '.' && name[1] == '.'))
            return 0;
        if (*end == 0)
            return 1;
    }
}

/* Letters, digits and underscores by the standard; hyphens and points in use. */
static int name_read(const char **at, char *name)
{
    size_t n = strspn(*at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.");

    if (n == 0 || n > WFDB_NAME_MAX)
        return -1;
    memcpy(name, *at, n);
    name[n] = 0;
    *at += n;
    return 0;
}

/* The field is over: a blank or the line's end is next. */
static int field_ends(const char *at)
{
    return *at == 0 || *at == ' ' || *at == '\t';
}

/* HH:MM:SS with fractions; MM:SS and SS as strtim(3) takes them. */
static int time_read(const char **at, int64_t *ret_ns)
{
    int64_t part[3], ns = 0, unit = 100000000, total = 0;
    int n = 0, i;

    do {
        if (n == 3 || text_int(at, 0, n == 0 ? 99 : 59, &part[n]))
            return -1;
        n++;
    } while (**at == ':' && (*at)++);
    if (**at == '.') {
        for ((*at)++; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
            ns += unit * (**at - '0');
    }
    for (i = 0; i < n; i++)
        total = total * 60 + part[i];
    *ret_ns = total * 1000000000 + ns;
    return total < 86400 ? 0 : -1;
}

/* DD/MM/YYYY. 0/0/0, as older programs wrote, means that there is none. */
static int date_read(struct wfdb_header *h, const char **at)
{
    int64_t day, month, year;

    if (text_int(at, 0, 31, &day) || *(*at)++ != '/' || text_int(at, 0, 12, &month) || *(*at)++ != '/' ||
        text_int(at, 0, 9999, &year) || !field_ends(*at))
        return -1;
    if (day == 0 && month == 0 && year == 0)
        return 0;
    if (!date_is_real(year, month, day) || year < 1678)
        return -1;
    h->date = calendar_days(year, month, day);
    h->has_date = 1;
    return 0;
}

/* DD-Mon-YYYY in front of the time: not in header(5), but tens of thousands of
 * records of the Computing in Cardiology challenges have it. */
static int named_date_read(struct wfdb_header *h, const char **at)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *p = *at, *month;
    int64_t day, year;
    char name[4];

    if (text_int(&p, 1, 31, &day) || *p != '-' || strnlen(p, 5) < 5 || p[4] != '-')
        return 0;
    memcpy(name, p + 1, 3);
    name[3] = 0;
    month = strstr(months, name);
    p += 5;
    if (!month || (month - months) % 3 || text_int(&p, 1678, 2261, &year) || !field_ends(p) ||
        !date_is_real(year, (month - months) / 3 + 1, day))
        return -1;
    h->date = calendar_days(year, (month - months) / 3 + 1, day);
    h->has_date = 1;
    *at = p;
    return 1;
}

/* fs, fs/counter, fs/counter(base). */
static int rates_read(struct wfdb_header *h, const char **at, unsigned line, struct fault *f)
{
    if (text_rate(at, &h->rate))
        return fault(f, line, "the sampling frequency is not a number between 1e-6 and 1e7");
    h->counter_rate = (double)h->rate.num / (double)h->rate.den;
    if (**at == '/') {
        double counter;

        (*at)++;
        if (text_real(at, &counter))
            return fault(f, line, "the counter frequency is not a number");
        if (counter > 0)
            h->counter_rate = counter;
        if (**at == '(') {
            (*at)++;
            if (text_real(at, &h->counter_base) || *(*at)++ != ')')
                return fault(f, line, "the base counter value is not a number in parentheses");
        }
    }
    return field_ends(*at) ? 0 : fault(f, line, "the sampling frequency has something behind it");
}

/* What may follow the sampling frequency: frames, base time, base date. */
static int record_rest(struct wfdb_header *h, const char *at, unsigned line, struct fault *f)
{
    at = text_skip(at);
    if (*at && (text_int(&at, 0, WFDB_FRAMES_MAX, &h->frames) || !field_ends(at)))
        return fault(f, line, "the number of samples is not a number from 0 to %lld", (long long)WFDB_FRAMES_MAX);
    at = text_skip(at);
    if (named_date_read(h, &at) < 0)
        return fault(f, line, "the base date is not a date DD/MM/YYYY from 1678 to 2261");
    at = text_skip(at);
    if (*at) {
        if (time_read(&at, &h->day_ns) || !field_ends(at))
            return fault(f, line, "the base time is not a time of day HH:MM:SS");
        h->has_time = 1;
    }
    at = text_skip(at);
    if (*at && !h->has_date && date_read(h, &at))
        return fault(f, line, "the base date is not a date DD/MM/YYYY from 1678 to 2261");
    if (*text_skip(at))
        return fault(f, line, "there is something behind the base date");
    return 0;
}

static int record_line(struct wfdb_header *h, const char *at, unsigned line, struct fault *f)
{
    int64_t value;

    if (name_read(&at, h->name) || !header_name_is_safe(h->name))
        return fault(f, line, "the record name is not 1 to %d letters, digits, _ - or .", WFDB_NAME_MAX);
    if (*at == '/') {
        at++;
        if (text_int(&at, 1, WFDB_SEGMENTS_MAX, &value))
            return fault(f, line, "the number of segments is not from 1 to %d", WFDB_SEGMENTS_MAX);
        h->segments = (uint32_t)value;
    }
    if (!field_ends(at))
        return fault(f, line, "the record name is not 1 to %d letters, digits, _ - or .", WFDB_NAME_MAX);
    at = text_skip(at);
    if (text_int(&at, 0, WFDB_SIGNALS_MAX, &value) || !field_ends(at))
        return fault(f, line, "the number of signals is not from 0 to %d", WFDB_SIGNALS_MAX);
    h->signals = (uint32_t)value;
    h->has_record_line = 1;
    h->rate.num = 250; /* header(5): DEFREQ */
    h->rate.den = 1;
    h->counter_rate = 250;
    at = text_skip(at);
    if (*at == 0)
        return 0;
    return rates_read(h, &at, line, f) ? -1 : record_rest(h, at, line, f);
}

static int segment_line(struct wfdb_header *h, const char *at, unsigned line, struct wfdb_segment *to,
                        struct fault *f)
{
    char word[WFDB_NAME_MAX + 1];

    if (text_word(&at, word, sizeof word) != 1)
        return fault(f, line, "the segment has no name of 1 to %d letters", WFDB_NAME_MAX);
    if (strcmp(word, "~") != 0 && !header_name_is_safe(word))
        return fault(f, line, "the segment's name leaves the record's folder; give a relative name without ..");
    at = text_skip(at);
    if (text_int(&at, 0, WFDB_FRAMES_MAX, &to->frames) || !field_ends(at))
        return fault(f, line, "the segment's number of samples is not a number from 0");
    if (*text_skip(at))
        return fault(f, line, "there is something behind the segment's number of samples");
    memcpy(to->name, word, sizeof word);
    if (strcmp(word, "~") == 0)
        to->name[0] = 0;
    h->segments_read++;
    h->segment_frames += to->frames;
    if (h->segment_frames > WFDB_FRAMES_MAX)
        return fault(f, line, "the segments are longer together than %lld samples", (long long)WFDB_FRAMES_MAX);
    return HEADER_SEGMENT;
}

int header_line(struct wfdb_header *h, const struct wfdb_lines *line, struct wfdb_segment *ret_segment,
                struct fault *f)
{
    const char *at = text_skip(line->text);

    if (*at == '#') {
        h->comments++;
        return HEADER_NOTHING;
    }
    if (line->binary)
        return fault(f, line->number, "a zero byte: this is not a text file");
    if (*at == 0)
        return HEADER_NOTHING;
    if (line->cut)
        return fault(f, line->number, "the line is longer than %d bytes", WFDB_LINE_MAX);
    if (!h->has_record_line)
        return record_line(h, at, line->number, f) ? -1 : HEADER_RECORD;
    if (h->segments)
        return h->segments_read < h->segments ? segment_line(h, at, line->number, ret_segment, f) : HEADER_NOTHING;
    if (h->signals_read == h->signals) /* header(5): extra lines are not read */
        return HEADER_NOTHING;
    return signal_line(h, at, line->number, f) ? -1 : HEADER_SIGNAL;
}

int header_end(const struct wfdb_header *h, struct fault *f)
{
    if (!h->has_record_line)
        return fault(f, 0, "the file has no record line");
    if (h->segments && h->segments_read < h->segments)
        return fault(f, 0, "the header announces %u segments and describes %u", h->segments, h->segments_read);
    if (h->segments && h->frames && h->segment_frames != h->frames)
        return fault(f, 0, "the segments have %lld samples together, the record line says %lld",
                     (long long)h->segment_frames, (long long)h->frames);
    if (!h->segments && h->signals_read < h->signals)
        return fault(f, 0, "the header announces %u signals and describes %u", h->signals, h->signals_read);
    return 0;
}

int header_next_segment(struct wfdb_header *h, struct wfdb_lines *lines, struct wfdb_segment *ret_segment,
                        struct fault *f)
{
    int what;

    while (lines_next(lines)) {
        what = header_line(h, lines, ret_segment, f);
        if (what < 0)
            return -1;
        if (what == HEADER_SEGMENT)
            return 1;
    }
    if (lines->bytes.error)
        return fault_file(f, "header", lines->bytes.error);
    return header_end(h, f);
}

int header_read(struct wfdb_header *h, struct wfdb_lines *lines, struct fault *f)
{
    struct wfdb_segment unused;

    header_clear(h);
    while (lines_next(lines)) {
        int what = header_line(h, lines, &unused, f);

        if (what < 0)
            return -1;
        if (what == HEADER_RECORD && h->segments)
            return fault(f, lines->number, "a segment has segments itself, which is not allowed");
    }
    if (lines->bytes.error)
        return fault_file(f, "header", lines->bytes.error);
    return header_end(h, f);
}
