/* SPDX-License-Identifier: Apache-2.0
 *
 * expect.c - expectations: compare, and end the test with both sides printed.
 *
 * Values of samples are shown: a test's data is made for it. Nothing else of a
 * payload is.
 *
 * Not here: where the values come from (outputs.c). */
#include "kit.h"

#include <math.h>
#include <stdio.h>

void aff_expect_status(aff_status status, aff_status wanted)
{
    if (status != wanted)
        kit_misuse("the status is %d; expected %d", (int)status, (int)wanted);
}

static const struct aff_record *next_of(struct aff_harness *h, const char *port)
{
    const struct aff_record *record = aff_harness_take(h, port);

    if (!record)
        kit_misuse("no record waits in port %s; last status %d, cause \"%s\"", port, (int)h->status, h->cause);
    return record;
}

static double sample_at(uint8_t format, const void *plane, size_t i)
{
    if (format == AFF_I16)
        return ((const int16_t *)plane)[i];
    if (format == AFF_I32)
        return ((const int32_t *)plane)[i];
    return (double)((const float *)plane)[i];
}

static int same(double a, double b, double tolerance)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) <= tolerance || !(a < b || a > b || isnan(a) || isnan(b));
}

void aff_expect_samples(struct aff_harness *h, const char *port, const struct aff_expected *wanted)
{
    const struct aff_record *record = next_of(h, port);
    const struct aff_samples *s = aff_samples_of(record);
    size_t i;

    if (record->type != AFF_SAMPLES || s->format != wanted->format)
        kit_misuse("port %s: the record is not of samples in the expected format", port);
    if ((size_t)s->count * s->channels != wanted->count)
        kit_misuse("port %s: the record has %u samples in %u channels; expected %zu in all", port, (unsigned)s->count,
                   (unsigned)s->channels, wanted->count);
    for (i = 0; i < wanted->count; i++) {
        double is = sample_at(s->format, aff_plane(record, (uint16_t)(i / s->count)), i % s->count);
        double should = sample_at(s->format, wanted->values, i);

        if (!same(is, should, wanted->tolerance))
            kit_misuse("port %s: sample %zu is %.9g; expected %.9g", port, i, is, should);
    }
}

void aff_expect_bytes(struct aff_harness *h, const char *port, const void *bytes, size_t length)
{
    const struct aff_record *record = next_of(h, port);
    const unsigned char *is = record->data, *should = bytes;
    size_t i;

    if (record->size != length)
        kit_misuse("port %s: the record has %u bytes; expected %zu", port, (unsigned)record->size, length);
    for (i = 0; i < length; i++)
        if (is[i] != should[i])
            kit_misuse("port %s: byte %zu is 0x%02x; expected 0x%02x", port, i, (unsigned)is[i], (unsigned)should[i]);
}

void aff_expect_waiting(struct aff_harness *h, const char *port, size_t n)
{
    size_t waiting = aff_harness_waiting(h, port);

    if (waiting != n)
        kit_misuse("port %s: %zu records wait; expected %zu", port, waiting, n);
}

static uint32_t row_find(const struct aff_table *table, const char *name)
{
    uint32_t i;

    for (i = 0; i < table->count; i++)
        if (strcmp(row_name(table, i), name) == 0)
            return i;
    return UINT32_MAX;
}

double aff_harness_metric(struct aff_harness *h, const char *name)
{
    uint32_t row = row_find(&h->plugin.metrics, name);

    if (row == UINT32_MAX)
        kit_misuse("the plugin has no metric \"%s\"", name);
    (void)aff_harness_flush(h);
    return h->metrics[row];
}

void aff_expect_metric(struct aff_harness *h, const char *name, double value)
{
    double is = aff_harness_metric(h, name);

    if (!same(is, value, 1e-9 * fabs(value)))
        kit_misuse("metric %s is %.9g; expected %.9g", name, is, value);
}

uint64_t aff_harness_verdicts(struct aff_harness *h, const char *name)
{
    uint32_t row = row_find(&h->plugin.verdicts, name);

    (void)aff_harness_flush(h);
    if (row != UINT32_MAX)
        return h->verdict_counts[row + 1];
    if (strcmp(name, "pass") && strcmp(name, "used"))
        kit_misuse("the plugin has no verdict \"%s\"", name);
    return h->verdict_counts[0];
}

void aff_expect_verdict(struct aff_harness *h, const char *name, uint64_t n)
{
    uint64_t is = aff_harness_verdicts(h, name);

    if (is != n)
        kit_misuse("%llu records got verdict %s; expected %llu", (unsigned long long)is, name, (unsigned long long)n);
}

struct aff_harness_ledger aff_harness_ledger(struct aff_harness *h)
{
    struct aff_harness_ledger ledger;

    (void)aff_harness_flush(h);
    ledger = h->ledger;
    ledger.held = h->hold_count;
    ledger.waiting = h->pending_count + h->resend_count;
    ledger.unanswered = h->unanswered_count;
    ledger.allocated = h->block_count;
    return ledger;
}

void aff_expect_dead(struct aff_harness *h, uint64_t n)
{
    uint64_t is = aff_harness_ledger(h).dead;

    if (is != n)
        kit_misuse("%llu records are dead letters; expected %llu", (unsigned long long)is, (unsigned long long)n);
}

size_t aff_harness_logged(struct aff_harness *h, int level, const char *text)
{
    size_t i, n = 0;

    (void)aff_harness_flush(h);
    for (i = 0; i < h->line_count; i++)
        n += h->lines[i].level >= level && strstr(h->lines[i].text, text) != NULL;
    return n;
}

void aff_expect_log(struct aff_harness *h, int level, const char *text)
{
    if (!aff_harness_logged(h, level, text))
        kit_misuse("no log line of level %d or above contains \"%s\"; there are %zu lines", level, text,
                   h->line_count);
}

void aff_expect_cause(struct aff_harness *h, const char *text)
{
    if (!strstr(h->cause, text))
        kit_misuse("the cause is \"%s\"; expected it to contain \"%s\"", h->cause, text);
}

void aff_expect_refused(const char *name, const char *toml, const char *text)
{
    const char *problems = aff_harness_check(name, toml);

    if (!problems)
        kit_misuse("%s accepts its options; expected a problem with \"%s\"", name, text);
    if (!strstr(problems, text))
        kit_misuse("%s says: %sexpected it to contain \"%s\"", name, problems, text);
}

void aff_expect_balanced(struct aff_harness *h)
{
    struct aff_harness_ledger l;
    aff_status status = aff_harness_finish(h);
    uint64_t out;

    if (status < 0)
        kit_misuse("drain answered %d, \"%s\"", (int)status, h->cause);
    l = aff_harness_ledger(h);
    out = l.passed + l.used + l.dropped + l.dead + l.replaced + l.routed;
    if (l.waiting)
        kit_breach(h, "%llu records were never taken; last status %d", (unsigned long long)l.waiting, (int)h->status);
    if (l.unanswered)
        kit_breach(h, "%llu records that write took were never answered by host->ack", (unsigned long long)l.unanswered);
    if (l.held)
        kit_breach(h, "%llu records are still held after drain", (unsigned long long)l.held);
    if (l.in + l.aside != out)
        kit_breach(h, "%llu records went in and %llu have a verdict", (unsigned long long)l.in,
                   (unsigned long long)out);
    if (l.allocated)
        kit_breach(h, "%llu blocks of host->alloc are left", (unsigned long long)l.allocated);
}
