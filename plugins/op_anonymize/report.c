/* SPDX-License-Identifier: Apache-2.0
 *
 * report.c - what was done to what, how often, and how alone its rows are.
 *
 * A JSON file for the one who answers for the data, readable as it is: one line
 * a column. It counts since this start; a record that was replayed after a crash
 * counts again. Written beside its place and renamed, so that a reader never
 * finds half of it. It names columns, dropped ones too where their name cannot
 * come from the data (plan.c), and no value of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "anonymize.h"

struct out {
    int fd;
    bool failed;
    size_t used;
    char bytes[4096];
};

static void out_flush(struct out *o)
{
    size_t sent = 0;

    while (sent < o->used && !o->failed) {
        ssize_t put = write(o->fd, o->bytes + sent, o->used - sent);

        if (put > 0)
            sent += (size_t)put;
        else if (put == 0 || errno != EINTR)
            o->failed = true;
    }
    o->used = 0;
}

static void out_text(struct out *o, const char *text)
{
    for (; *text; text++) {
        if (o->used == sizeof o->bytes)
            out_flush(o);
        o->bytes[o->used++] = *text;
    }
}

static void out_number(struct out *o, const char *name, uint64_t value)
{
    char text[96];

    (void)snprintf(text, sizeof text, "\"%s\": %llu", name, (unsigned long long)value);
    out_text(o, text);
}

/* Bytes of the whole UTF-8 character at `text` (RFC 3629); 0: it is none, as
 * where a long name was cut. */
static unsigned utf8_size(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    unsigned size = c[0] < 0x80 ? 1 : c[0] >= 0xc2 && c[0] < 0xe0 ? 2 : (c[0] & 0xf0) == 0xe0 ? 3 : 4;

    if ((c[0] >= 0x80 && c[0] < 0xc2) || c[0] > 0xf4)
        return 0;
    for (unsigned i = 1; i < size; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) || (c[0] == 0xf0 && c[1] < 0x90) ||
        (c[0] == 0xf4 && c[1] > 0x8f))
        return 0;
    return size;
}

/* JSON text (RFC 8259, section 7). */
static void out_quoted(struct out *o, const char *text)
{
    char escaped[8];
    unsigned size;

    out_text(o, "\"");
    for (; *text; text += size ? size : 1) {
        size = utf8_size(text);
        if (*text == '"' || *text == '\\')
            (void)snprintf(escaped, sizeof escaped, "\\%c", *text);
        else if (size == 1 && (unsigned char)*text < 0x20)
            (void)snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)*text);
        else
            (void)snprintf(escaped, sizeof escaped, "%.*s", size ? (int)size : 1, size ? text : "?");
        out_text(o, escaped);
    }
    out_text(o, "\"");
}

static void columns_write(struct out *o, const struct anonymize *a)
{
    out_text(o, "  \"columns\": [");
    for (uint32_t i = 0; i < a->rules; i++) {
        struct rule rule = rule_at(a->config, i);
        const struct column_count *c = &a->counts[i];

        out_text(o, i ? ",\n    { \"name\": " : "\n    { \"name\": ");
        out_quoted(o, rule.name);
        out_text(o, ", \"action\": \"");
        out_text(o, action_name(rule.action));
        out_text(o, "\"");
        if (rule.action != ACTION_DROP) {
            out_text(o, ", ");
            out_number(o, "values", c->done);
            out_text(o, ", ");
            out_number(o, "left_out", c->left_out);
            out_text(o, ", ");
            out_number(o, "absent", c->absent);
            out_text(o, ", ");
            out_number(o, "labelled_phi_and_unchanged", c->phi);
        }
        out_text(o, " }");
    }
    out_text(o, "\n  ],\n");
}

static void drops_write(struct out *o, const struct anonymize *a)
{
    out_text(o, "  \"dropped\": [");
    for (uint32_t i = 0; i < a->drop_used; i++) {
        out_text(o, i ? ",\n    { \"name\": " : "\n    { \"name\": ");
        out_quoted(o, a->drops[i].name);
        out_text(o, ", ");
        out_number(o, "values", a->drops[i].values);
        out_text(o, " }");
    }
    out_text(o, "\n  ],\n  ");
    out_number(o, "dropped_values_of_other_columns", a->drops_unlisted);
    out_text(o, ",\n");
}

static void quasi_write(struct out *o, const struct anonymize *a)
{
    const struct tally *t = &a->tally;

    out_text(o, "  \"quasi_identifiers\": {\n    ");
    out_number(o, "rows", t->rows);
    out_text(o, ",\n    ");
    out_number(o, "combinations", t->used);
    out_text(o, ",\n    ");
    out_number(o, "unique_rows", t->unique);
    out_text(o, ",\n    ");
    out_number(o, "smallest_group", tally_least(t));
    out_text(o, ",\n    ");
    out_number(o, "combinations_of_one_subject", t->lonely);
    out_text(o, t->missed ? ",\n    \"exact\": false,\n    " : ",\n    \"exact\": true,\n    ");
    out_number(o, "rows_not_counted", t->missed);
    out_text(o, "\n  }\n}\n");
}

static const char report_begin[] = "{\n  \"afferent_anonymize_report\": 1,\n";

static void report_put(struct out *o, const struct anonymize *a)
{
    out_text(o, report_begin);
    out_text(o, "  \"project\": ");
    out_quoted(o, a->config->project);
    out_text(o, ",\n  \"key_id\": \"");
    out_text(o, a->secret->key_id);
    out_text(o, "\",\n  \"subjects\": ");
    out_text(o, a->config->subject == SUBJECT_DROP ? "\"drop\"" : "\"pseudonym\"");
    out_text(o, ",\n  \"times\": ");
    out_text(o, a->config->times == TIMES_KEEP ? "\"keep\"" : "\"shift\"");
    out_text(o, ",\n  ");
    out_number(o, "rows", a->rows);
    out_text(o, ",\n  ");
    out_number(o, "sample_records", a->records);
    out_text(o, ",\n  ");
    out_number(o, "samples", a->samples);
    out_text(o, ",\n");
    columns_write(o, a);
    drops_write(o, a);
    quasi_write(o, a);
    out_flush(o);
}

static int report_open(const struct anonymize *a)
{
    (void)unlink(a->report_new);
    return open(a->report_new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* A slip of the pen must not cost a file of data. */
static bool report_may_replace(const char *path)
{
    char begin[sizeof report_begin - 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t got;

    if (fd < 0)
        return errno == ENOENT;
    got = read(fd, begin, sizeof begin);
    close(fd);
    return got == 0 || (got == (ssize_t)sizeof begin && memcmp(begin, report_begin, sizeof begin) == 0);
}

aff_status report_try(struct anonymize *a)
{
    int fd;

    if (!a->report_new)
        return AFF_OK;
    fd = report_open(a);
    if (fd < 0)
        return a->host->explain(a->host, AFF_ERR_IO, "the report %s cannot be written: %s; expected a folder that is "
                                                     "there and may be written to; make it, or change report",
                                a->config->report, strerror(errno));
    close(fd);
    (void)unlink(a->report_new);
    if (!report_may_replace(a->config->report))
        return a->host->explain(a->host, AFF_ERR_CONFIG, "%s is there and is no report of op_anonymize; expected a new "
                                                         "name, or that of an older report; change report",
                                a->config->report);
    return AFF_OK;
}

void report_write(struct anonymize *a, bool is_last)
{
    struct out o = { .fd = -1 };
    bool bad;

    if (!a->report_new)
        return;
    o.fd = report_open(a);
    o.failed = o.fd < 0;
    if (!o.failed) {
        report_put(&o, a);
        o.failed |= is_last && fsync(o.fd) != 0; /* between, data would wait for the disk */
        o.failed |= close(o.fd) != 0;
    }
    bad = o.failed || rename(a->report_new, a->config->report) != 0;
    if (bad && !a->report_failed)
        a->host->log(a->host, AFF_LOG_ERROR, "the report %s cannot be written; look after its folder and disk",
                     a->config->report);
    if (bad && o.fd >= 0)
        (void)unlink(a->report_new);
    a->report_failed = bad;
}

void report_log(const struct anonymize *a)
{
    const struct tally *t = &a->tally;
    uint64_t phi = 0, left_out = 0;

    for (uint32_t i = 0; i < a->rules; i++) {
        left_out += a->counts[i].left_out;
        phi += rule_at(a->config, i).action == ACTION_KEEP ? a->counts[i].phi : 0;
    }
    a->host->log(a->host, AFF_LOG_INFO,
                 "key %s: %llu rows and %llu records of samples rewritten, %llu values left out; %s%llu combinations of "
                 "quasi-identifiers, %llu of one row, %llu of one subject",
                 a->secret->key_id, (unsigned long long)a->rows, (unsigned long long)a->records,
                 (unsigned long long)left_out, t->missed ? "at least " : "", (unsigned long long)t->used,
                 (unsigned long long)t->unique, (unsigned long long)t->lonely);
    if (phi)
        a->host->log(a->host, AFF_LOG_WARN,
                     "%llu values labelled phi were kept as they are; where that is not meant, give their columns "
                     "another rule than keep",
                     (unsigned long long)phi);
}
