/* kept_books.c - see kept_books.h. */
#include "show/kept_books.h"

#include <afferent/plugin.h>

#include <inttypes.h>
#include <stdlib.h>

#include "show/table.h"
#include "show/when.h"
#include "util/json.h"

/* ---- what it comes to ---- */

/* A run that ended in order has lost nothing. */
uint64_t kept_books_unsafe(const struct kept_books *b, uint32_t node)
{
    const uint64_t *numbers = b->accounts->nodes[node].numbers;
    bool died = !b->runs && !b->accounts->clean;

    return numbers[ACCOUNTS_UNSAFE] + (died ? numbers[ACCOUNTS_AT_RISK] : 0);
}

enum kept_verdict kept_books_verdict(const struct kept_books *b)
{
    if (!accounts_balance(b->accounts, NULL, 0))
        return KEPT_UNBALANCED;
    for (uint32_t i = 0; i < b->accounts->node_count; i++)
        if (kept_books_unsafe(b, i) > 0)
            return KEPT_UNSAFE;
    return KEPT_BALANCED;
}

static uint64_t made_by_sources(const struct accounts *a)
{
    uint64_t made = 0;

    for (uint32_t i = 0; i < a->node_count; i++)
        if (a->nodes[i].kind == AFF_SOURCE)
            made += a->nodes[i].numbers[ACCOUNTS_MADE];
    return made;
}

/* ---- for people ---- */

static const enum accounts_number shown[] = {
    ACCOUNTS_IN, ACCOUNTS_MADE, ACCOUNTS_RESTORED, ACCOUNTS_RETRIED, ACCOUNTS_PASSED, ACCOUNTS_REPLACED,
    ACCOUNTS_ROUTED, ACCOUNTS_EMITTED, ACCOUNTS_USED, ACCOUNTS_DROPPED, ACCOUNTS_DEAD, ACCOUNTS_EXPIRED,
    ACCOUNTS_HELD, ACCOUNTS_QUEUED
};
enum { SHOWN = sizeof shown / sizeof *shown };

static bool print_nodes(const struct kept_books *b, FILE *out)
{
    struct table table;
    bool whole;

    if (!table_open(&table, SHOWN + 2))
        return false;
    table_cell(&table, "node");
    for (size_t k = 0; k < SHOWN; k++)
        table_cell(&table, "%s", accounts_number_name(shown[k]));
    table_cell(&table, "unsafe");
    for (uint32_t i = 0; i < b->accounts->node_count; i++) {
        table_cell(&table, "%s", b->accounts->nodes[i].name);
        for (size_t k = 0; k < SHOWN; k++)
            table_number(&table, b->accounts->nodes[i].numbers[shown[k]]);
        table_number(&table, kept_books_unsafe(b, i));
    }
    whole = table_print(&table, out);
    table_close(&table);
    return whole;
}

/* An edge that only hands on has nothing to tell. */
static bool is_told(const struct accounts_edge *e)
{
    return e->numbers[ACCOUNTS_PUT] != e->numbers[ACCOUNTS_TAKEN] || !accounts_edge_balances(e);
}

static bool print_edges(const struct accounts *a, FILE *out)
{
    struct table table;
    bool whole = true, begun = false;

    for (uint32_t i = 0; i < a->edge_count; i++) {
        if (!is_told(&a->edges[i]))
            continue;
        if (!begun && !table_open(&table, ACCOUNTS_WAYS + 1))
            return false;
        if (!begun)
            table_cell(&table, "edge");
        for (uint32_t k = 0; k < ACCOUNTS_WAYS && !begun; k++)
            table_cell(&table, "%s", accounts_way_name(k));
        begun = true;
        table_cell(&table, "%s.%s -> %s.%s", a->edges[i].from, a->edges[i].from_port, a->edges[i].to,
                   a->edges[i].to_port);
        for (uint32_t k = 0; k < ACCOUNTS_WAYS; k++)
            table_number(&table, a->edges[i].numbers[k]);
    }
    if (begun) {
        fputc('\n', out);
        whole = table_print(&table, out);
        table_close(&table);
    }
    return whole;
}

static void print_reasons(const struct accounts_node *n, FILE *out)
{
    for (uint32_t k = 0; k < n->reason_count; k++) {
        const struct accounts_reason *r = &n->reasons[k];

        if (r->count && (r->kind == AFF_V_DROP || r->kind == AFF_V_DEAD))
            fprintf(out, "  [%s] %s: %" PRIu64 " %s\n", n->name, r->kind == AFF_V_DROP ? "dropped" : "dead", r->count,
                    r->name);
    }
}

static void print_imbalance(const struct accounts *a, FILE *out)
{
    fputs("NOT BALANCED:\n", out);
    for (uint32_t i = 0; i < a->node_count; i++)
        if (!accounts_node_balances(&a->nodes[i]))
            fprintf(out, "  [%s] what came in and was made is not what became of it\n", a->nodes[i].name);
    for (uint32_t i = 0; i < a->edge_count; i++)
        if (!accounts_edge_balances(&a->edges[i]))
            fprintf(out, "  %s -> %s: what was put in is not what became of it\n", a->edges[i].from, a->edges[i].to);
}

static void print_unsafe(const struct kept_books *b, FILE *out)
{
    for (uint32_t i = 0; i < b->accounts->node_count; i++)
        if (kept_books_unsafe(b, i) > 0)
            fprintf(out, "  [%s] unsafe <= %" PRIu64 ": read and not committed when a run did not end in order; run = "
                    "{ durable = true } keeps it\n", b->accounts->nodes[i].name, kept_books_unsafe(b, i));
}

static const char *many(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* How the last run ended, where that was not in order: for people, and for programs. */
static const struct {
    const char *text, *word;
} ends[] = {
    [FLOW_END_NONE] = { "did not end in order (killed, or power lost)", "killed" },
    [FLOW_END_CUT] = { "was cut off as it was stopped, since a sink, or the store, did not take what was under way within "
                       "10 s (the log says which)", "cut_off" },
    [FLOW_END_ABORT] = { "was told twice to stop, and ended at once", "at_once" },
    [FLOW_END_ERROR] = { "ended on an error, which is in its log", "error" },
};

/* What happened to the pipeline and its store, beside the sums. */
static void print_events(const struct kept_books *b, FILE *out)
{
    const struct accounts *a = b->accounts;

    if (a->deaths > 0)
        fprintf(out, "  %" PRIu64 " of %" PRIu64 " runs did not end in order; each next one went on from the last "
                "commit\n", a->deaths, a->runs);
    if (!b->runs && !a->clean)
        fprintf(out, "  the last run %s: the next goes on from this commit\n", ends[b->end].text);
    if (a->set_aside > 0)
        fprintf(out, "  %" PRIu64 " damaged store%s set aside; %" PRIu64 " value%s could not be read\n", a->set_aside,
                many(a->set_aside), a->lost, many(a->lost));
}

static void print_verdict(const struct kept_books *b, FILE *out)
{
    const struct accounts *a = b->accounts;
    enum kept_verdict verdict = kept_books_verdict(b);
    char when[WHEN_ROOM];

    if (verdict == KEPT_UNBALANCED) {
        print_imbalance(a, out);
        return;
    }
    if (verdict == KEPT_UNSAFE)
        print_unsafe(b, out);
    when_print(when, a->committed_utc_ns);
    fprintf(out, "%s: %" PRIu64 " records from sources in %" PRIu64 " run%s, committed in %" PRIu64 " epoch%s, "
            "last at %s%s\n", verdict == KEPT_UNSAFE ? "UNSAFE" : "balanced", made_by_sources(a), a->runs,
            many(a->runs), a->commits, many(a->commits), when, b->runs ? "; it runs" : "");
}

void kept_books_print(const struct kept_books *b, FILE *out)
{
    if (!print_nodes(b, out) || !print_edges(b->accounts, out))
        fputs("  (no memory for the table)\n", out);
    for (uint32_t i = 0; i < b->accounts->node_count; i++)
        print_reasons(&b->accounts->nodes[i], out);
    print_events(b, out);
    print_verdict(b, out);
}

/* ---- for programs ---- */

static void write_time(struct json *json, const char *key, int64_t utc_ns)
{
    char when[WHEN_ROOM];

    when_print(when, utc_ns);
    json_text(json, key, when);
}

static void write_node(struct json *json, const struct kept_books *b, uint32_t index)
{
    const struct accounts_node *n = &b->accounts->nodes[index];

    json_object(json, NULL);
    json_text(json, "node", n->name);
    json_text(json, "plugin", n->plugin);
    for (uint32_t k = 0; k < ACCOUNTS_NUMBERS; k++)
        if (k != ACCOUNTS_UNSAFE)
            json_uint(json, accounts_number_name(k), n->numbers[k]);
    json_uint(json, "unsafe", kept_books_unsafe(b, index));
    json_bool(json, "balances", accounts_node_balances(n));
    json_object(json, "reasons");
    for (uint32_t k = 0; k < n->reason_count; k++)
        if (n->reasons[k].count)
            json_uint(json, n->reasons[k].name, n->reasons[k].count);
    json_end(json);
    json_end(json);
}

static void write_edge(struct json *json, const struct accounts_edge *e)
{
    json_object(json, NULL);
    json_text(json, "from", e->from);
    json_text(json, "from_port", e->from_port);
    json_text(json, "to", e->to);
    json_text(json, "to_port", e->to_port);
    for (uint32_t k = 0; k < ACCOUNTS_WAYS; k++)
        json_uint(json, accounts_way_name(k), e->numbers[k]);
    if (e->oldest_ns != INT64_MAX)
        write_time(json, "oldest", e->oldest_ns);
    json_bool(json, "balances", accounts_edge_balances(e));
    json_end(json);
}

static void write_head(struct json *json, const struct kept_books *b)
{
    const struct accounts *a = b->accounts;

    json_text(json, "pipeline", a->pipeline);
    json_bool(json, "running", b->runs);
    json_bool(json, "balanced", kept_books_verdict(b) == KEPT_BALANCED);
    json_bool(json, "unsafe", kept_books_verdict(b) == KEPT_UNSAFE);
    json_bool(json, "ended_in_order", a->clean);
    json_text(json, "end", b->runs ? NULL : a->clean ? "in_order" : ends[b->end].word);
    write_time(json, "since", a->since_utc_ns);
    write_time(json, "committed", a->committed_utc_ns);
    json_uint(json, "epochs_committed", a->commits);
    json_uint(json, "runs", a->runs);
    json_uint(json, "deaths", a->deaths);
    json_uint(json, "values_lost", a->lost);
    json_uint(json, "stores_set_aside", a->set_aside);
    json_uint(json, "from_sources", made_by_sources(a));
}

void kept_books_json(const struct kept_books *b, FILE *out)
{
    struct json json;

    json_begin(&json, out, true);
    json_object(&json, NULL);
    write_head(&json, b);
    json_array(&json, "nodes");
    for (uint32_t i = 0; i < b->accounts->node_count; i++)
        write_node(&json, b, i);
    json_end(&json);
    json_array(&json, "edges");
    for (uint32_t i = 0; i < b->accounts->edge_count; i++)
        write_edge(&json, &b->accounts->edges[i]);
    json_end(&json);
    json_end(&json);
    json_finish(&json);
}

void kept_books_text(const struct kept_books *b, bool json, struct text *answer)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&bytes, &size);

    if (out && json)
        kept_books_json(b, out);
    else if (out)
        kept_books_print(b, out);
    if (out && fclose(out) == 0)
        text_add_bytes(answer, bytes, size);
    else
        answer->failed = true;
    free(bytes);
}
