/* SPDX-License-Identifier: Apache-2.0
 *
 * harness.c - the life of an instance: load, open, start, stop, close.
 *
 * Also the two ends of every callback: call_begin says where the plugin is, and
 * call_end judges its status. While calls fail on purpose (faults.c), a callback
 * that answered AFF_ERR_MEMORY is called again at once, as a host would later.
 *
 * Not here: what happens between start and stop (events.c, deliver.c). */
#include "kit.h"

#include <stdio.h>

void call_begin(struct aff_harness *h, enum callback callback)
{
    if (h->callback != CB_NONE)
        kit_misuse("the harness was used from inside a callback");
    h->callback = callback;
    h->injected = NULL;
    memset(&h->call, 0, sizeof h->call);
    guard_watch(h);
}

int call_end(struct aff_harness *h, aff_status status)
{
    int again = h->injected && status == AFF_ERR_MEMORY && faults_armed();

    watches_check(h);
    if (status < AFF_ERR_BUG || status > AFF_END)
        kit_breach(h, "answered %d, which is not a status", (int)status);
    if (h->injected && status < 0 && status != AFF_ERR_MEMORY)
        kit_breach(h, "answered %d after host->%s failed; expected AFF_ERR_MEMORY", (int)status, h->injected);
    if (status >= AFF_OK)
        h->cause[0] = 0;
    h->callback = CB_NONE;
    h->status = status;
    if (status == AFF_END || status == AFF_ERR_CONFIG || status == AFF_ERR_BUG)
        h->is_over = 1;
    return again;
}

void report_problem(const struct aff_report *report, const char *option, const char *format, ...)
{
    const struct reporter *r = (const void *)report;
    char text[400];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    problem_add(r->problems, option, "%s", text);
}

/* Whom a sink sends to is of no weight here; the host asks for it. */
static void report_secure(const struct aff_report *report)
{
    const struct reporter *r = (const void *)report;

    if (r->h->callback != CB_VALIDATE)
        kit_breach(r->h, "report->secure belongs in validate");
}

static void report_note(const struct aff_report *report, const char *option, const char *format, ...)
{
    const struct reporter *r = (const void *)report;
    char text[400];
    va_list args;

    if (r->h->callback != CB_VALIDATE)
        kit_breach(r->h, "report->note belongs in validate");
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    problem_add(&r->h->notes, option, "%s", text);
}

static void report_output(const struct aff_report *report, const struct aff_shape *shape)
{
    const struct reporter *r = (const void *)report;

    (void)shape;
    kit_breach(r->h, "report->output belongs in shape");
}

static void validate(struct aff_harness *h, struct problems *problems)
{
    struct reporter r = { { sizeof r.report, 0, report_problem, report_secure, report_output, report_note }, h, problems, NULL };
    size_t before = problems->size;
    aff_status status;

    if (!h->plugin.validate)
        return;
    call_begin(h, CB_VALIDATE);
    status = h->plugin.validate(h->config, &r.report);
    if (status == AFF_OK && problems->size != before)
        kit_breach(h, "reported a problem and answered AFF_OK");
    if (status != AFF_OK && problems->size == before)
        kit_breach(h, "answered %d without a problem; expected report->problem first", (int)status);
    (void)call_end(h, AFF_OK);
}

struct aff_harness *harness_new(const char *name, const char *toml, struct problems *problems)
{
    struct aff_harness *h = kit_alloc(sizeof *h);

    h->plugin = plugin_find(name);
    h->thread = pthread_self();
    h->boot_ns = 1000000000000;
    h->utc_ns = 1704067200000000000; /* 2024-01-01 00:00 UTC */
    h->utc_clock = AFF_CLOCK_SYNCED;
    h->wake_ns = INT64_MAX;
    h->random = 1;
    h->cut = 1;
    h->want = 64;
    h->max_held = 64;
    h->max_record = 16u << 20;
    h->source_id = 0x746573746b697400u;
    h->node_id = digest_bytes(0, h->plugin.name, strlen(h->plugin.name));
    if (pthread_mutex_init(&h->answers_lock, NULL) != 0)
        kit_misuse("the test itself cannot make a lock");
    h->outputs = kit_alloc((h->plugin.outputs.count + 1u) * sizeof *h->outputs);
    h->metrics = kit_alloc(h->plugin.metrics.count * sizeof *h->metrics);
    h->config = kit_alloc(h->plugin.config_size);
    harness_table(h);
    rouse_open(h);
    harness_register(h);
    options_fill(&h->plugin, toml ? toml : "", h->config, &h->memory, problems);
    if (!problems->text)
        validate(h, problems);
    return h;
}

static void outputs_free(struct aff_harness *h)
{
    uint32_t i;

    for (i = 0; i <= h->plugin.outputs.count; i++) {
        struct output *out = &h->outputs[i];

        while (out->count)
            free(out->records[--out->count].data);
        free(out->records);
        free(out->digests);
    }
    free(h->outputs);
}

void harness_free(struct aff_harness *h)
{
    while (h->pending_count)
        free(h->pending[--h->pending_count].record.data);
    while (h->unanswered_count)
        free(h->unanswered[--h->unanswered_count].record.data);
    while (h->resend_count)
        free(h->resends[--h->resend_count].record.data);
    while (h->hold_count)
        hold_free(h, h->hold_count - 1);
    while (h->line_count)
        free(h->lines[--h->line_count].text);
    while (h->block_count)
        free(h->blocks[--h->block_count]);
    outputs_free(h);
    names_free(&h->names);
    states_free(&h->states);
    memory_free(&h->memory);
    free(h->timers);
    free(h->pending);
    free(h->unanswered);
    free(h->resends);
    free(h->answers);
    free(h->notes.text);
    rouse_close(h);
    free(h->holds);
    free(h->lines);
    free(h->blocks);
    free(h->metrics);
    free(h->config);
    pthread_mutex_destroy(&h->answers_lock);
    harness_forget(h);
    free(h);
}

aff_status instance_open(struct aff_harness *h)
{
    aff_status status;
    int again;

    do {
        void *self = NULL;

        states_free(&h->states);
        call_begin(h, CB_OPEN);
        status = h->plugin.open(&h->host, h->config, &self);
        if (status > AFF_OK)
            kit_breach(h, "answered %d; expected AFF_OK or an error", (int)status);
        if (status < 0 && h->block_count)
            kit_breach(h, "failed and left %zu blocks of memory behind", h->block_count);
        h->self = self;
        again = call_end(h, status);
    } while (again);
    h->is_open = status == AFF_OK;
    h->is_over = 0;
    return status;
}

aff_status instance_start(struct aff_harness *h)
{
    aff_status status = AFF_OK;
    int again = 0;

    h->is_drained = 0;
    do {
        if (!h->plugin.start)
            break;
        call_begin(h, CB_START);
        status = h->plugin.start(h->self);
        settle_loose(h);
        again = call_end(h, status);
    } while (again);
    h->is_started = status == AFF_OK;
    return status;
}

void instance_stop(struct aff_harness *h)
{
    if (!h->is_started)
        return;
    h->is_started = 0;
    if (!h->plugin.stop)
        return;
    call_begin(h, CB_STOP);
    h->plugin.stop(h->self);
    h->callback = CB_NONE;
}

void instance_close(struct aff_harness *h)
{
    if (!h->is_open)
        return;
    h->is_open = 0;
    call_begin(h, CB_CLOSE);
    h->plugin.close(h->self);
    watches_check(h);
    h->watch_count = 0;
    if (h->block_count)
        kit_breach(h, "left %zu blocks of host->alloc behind", h->block_count);
    h->callback = CB_NONE;
    h->self = NULL;
    h->wake_ns = INT64_MAX;
}

aff_status aff_harness_try_open(const char *name, const char *toml, struct aff_harness **ret_h)
{
    struct aff_harness *h = aff_harness_load(name, toml);
    aff_status status = instance_open(h);

    *ret_h = h;
    return status == AFF_OK ? instance_start(h) : status;
}

aff_status aff_harness_retry(struct aff_harness *h)
{
    aff_status status = h->is_open ? AFF_OK : instance_open(h);

    if (status == AFF_OK && !h->is_started)
        status = instance_start(h);
    h->is_stuck = 0;
    return status == AFF_OK ? aff_harness_flush(h) : status;
}

struct aff_harness *aff_harness_open(const char *name, const char *toml)
{
    struct aff_harness *h;
    aff_status status = aff_harness_try_open(name, toml, &h);

    if (status != AFF_OK)
        kit_misuse("%s does not open: status %d, \"%s\"", name, (int)status, h->cause);
    return h;
}

struct aff_harness *aff_harness_open_linked(const struct aff_plugin *plugin, const char *toml)
{
    aff_harness_link(plugin);
    return aff_harness_open(plugin->name, toml);
}

struct aff_harness *aff_harness_load(const char *name, const char *toml)
{
    struct problems problems = { NULL, 0 };
    struct aff_harness *h = harness_new(name, toml, &problems);

    if (problems.text)
        kit_misuse("%s refuses its options:\n%s", name, problems.text);
    return h;
}

const char *aff_harness_check(const char *name, const char *toml)
{
    static struct problems problems;

    free(problems.text);
    problems.text = NULL;
    problems.size = 0;
    harness_free(harness_new(name, toml, &problems));
    return problems.text;
}

const char *aff_harness_notes(const char *name, const char *toml)
{
    static char *notes;
    struct problems problems = { NULL, 0 };
    struct aff_harness *h = harness_new(name, toml, &problems);

    free(notes);
    notes = h->notes.text;
    h->notes.text = NULL;
    free(problems.text);
    harness_free(h);
    return notes;
}

void aff_harness_close(struct aff_harness **h)
{
    if (!*h)
        return;
    instance_stop(*h);
    instance_close(*h);
    harness_free(*h);
    *h = NULL;
}

void *aff_harness_self(struct aff_harness *h)
{
    return h->self;
}

void aff_harness_max_held(struct aff_harness *h, uint32_t records)
{
    h->max_held = records;
}

void aff_harness_max_record(struct aff_harness *h, uint32_t bytes)
{
    h->max_record = bytes;
}

aff_status aff_harness_status(const struct aff_harness *h)
{
    return h->status;
}

const char *aff_harness_cause(const struct aff_harness *h)
{
    return h->cause;
}
