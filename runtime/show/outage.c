/* outage.c - see outage.h. */
#include "show/outage.h"

#include "config/schemas.h"
#include "show/table.h"
#include "util/units.h"

enum {
    BESIDE = 62,         /* bytes of the store beside a payload, measured */
    WHOLE_PAGES = 2048,  /* above it a value has pages of its own */
    PAGE = 4096,
    TEXT_BYTES = 32,     /* assumed of a text */
    OPEN_BYTES = 256,    /* assumed of a record whose columns are not known */
    RECORDS_A_SECOND = 4 /* assumed of a signal */
};

static const double rates[] = { 10, 100, 1000 };
enum { RATES = sizeof rates / sizeof *rates };

/* ---- what a record takes ---- */

static uint64_t fields_bytes(const struct aff_schema *schema, struct outage *outage)
{
    uint64_t bytes = 8 * ((schema->count + 63u) / 64u) + 8 * (uint64_t)schema->count;

    for (uint32_t i = 0; i < schema->count; i++)
        if (schema_at(schema, i)->type == AFF_TEXT) {
            outage->has_texts = true;
            bytes += TEXT_BYTES;
        }
    return bytes;
}

static uint64_t samples_bytes(const struct aff_schema *schema, struct outage *outage)
{
    uint64_t width = schema->format == AFF_I16 ? 2 : 4, count;

    if (schema->rate_num == 0 || schema->rate_den == 0 || schema->count == 0) {
        outage->is_open = true;
        return OPEN_BYTES;
    }
    count = (uint64_t)((double)schema->rate_num / (double)schema->rate_den / RECORDS_A_SECOND) + 1;
    outage->rate = RECORDS_A_SECOND;
    return sizeof(struct aff_samples) + schema->count * ((count * width + 7) / 8 * 8);
}

static uint64_t shape_bytes(const struct plan_shape *shape, struct outage *outage)
{
    if (shape->schema && shape->schema->type == AFF_FIELDS)
        return fields_bytes(shape->schema, outage);
    if (shape->schema && shape->schema->type == AFF_SAMPLES)
        return samples_bytes(shape->schema, outage);
    outage->is_open = true;
    return OPEN_BYTES;
}

struct outage outage_of(const struct plan *plan, const struct plan_edge *edge)
{
    const struct plan_output *output = plan_output(plan, edge);
    struct outage outage = { .payload = output->shape_count ? 0 : OPEN_BYTES, .is_open = !output->shape_count };

    for (uint32_t i = 0; i < output->shape_count; i++) {
        uint64_t bytes = shape_bytes(&output->shapes[i], &outage);

        if (bytes > outage.payload)
            outage.payload = bytes;
    }
    if (output->shape_count != 1)
        outage.rate = 0;
    outage.stored = outage.payload + BESIDE;
    if (outage.stored > WHOLE_PAGES)
        outage.stored = (outage.stored + PAGE - 1) / PAGE * PAGE;
    return outage;
}

double outage_seconds(const struct plan *plan, const struct outage *outage, double rate)
{
    return (double)plan->store_limit / ((double)outage->stored * rate);
}

/* ---- printing ---- */

static void cell_seconds(struct table *table, const char *before, double seconds)
{
    static const struct { double most; double unit; const char *name; } steps[] = {
        { 120, 1, "s" }, { 7200, 60, "min" }, { 3 * 86400.0, 3600, "h" }, { 2 * 365 * 86400.0, 86400, "d" },
        { 1e300, 365.25 * 86400, "years" },
    };
    size_t i = 0;

    while (i + 1 < sizeof steps / sizeof *steps && seconds >= steps[i].most)
        i++;
    table_cell(table, "%s%.*f %s", before, seconds / steps[i].unit < 9.95 ? 1 : 0, seconds / steps[i].unit,
               steps[i].name);
}

static void row_print(struct table *table, const struct plan *plan, const struct plan_edge *edge,
                      const struct outage *outage)
{
    const struct plan_node *from = &plan->nodes[edge->from];
    struct text size = { 0 };

    units_add_bytes(&size, (int64_t)outage->payload);
    table_cell(table, "%s.%s -> %s", from->name, from->plugin->outputs[edge->from_port].name,
               plan->nodes[edge->to].name);
    table_cell(table, "%s%s", size.data ? size.data : "?", outage->has_texts || outage->is_open ? " assumed" : "");
    for (int i = 0; i < RATES; i++)
        cell_seconds(table, "", outage_seconds(plan, outage, rates[i]));
    if (outage->rate > 0)
        cell_seconds(table, "", outage_seconds(plan, outage, outage->rate));
    else
        table_cell(table, "not known");
    text_free(&size);
}

static void assumed_print(const struct outage *all, FILE *out)
{
    fputs("assumed: each edge alone, nothing else stored", out);
    if (all->rate > 0)
        fprintf(out, "; %d records a second of a signal", RECORDS_A_SECOND);
    if (all->has_texts)
        fprintf(out, "; %d B a text", TEXT_BYTES);
    if (all->is_open)
        fprintf(out, "; %d B where columns are not known", OPEN_BYTES);
    fputc('\n', out);
}

static bool has_spill(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->edge_count; i++)
        if (plan->edges[i].when_full == WHEN_FULL_SPILL)
            return plan->store_limit > 0;
    return false;
}

static void head_print(const struct plan *plan, FILE *out)
{
    struct text limit = { 0 };

    units_add_bytes(&limit, (int64_t)plan->store_limit);
    fprintf(out, "store_limit is %s: how long it lasts while the reader is away\n", limit.data ? limit.data : "?");
    text_free(&limit);
}

bool outage_print(const struct plan *plan, FILE *out)
{
    static const char *const heads[] = { "edge", "a record", "at 10/s", "at 100/s", "at 1000/s", "at its rate" };
    struct outage all = { 0 };
    struct table table;
    bool whole;

    if (!has_spill(plan))
        return true;
    if (!table_open(&table, sizeof heads / sizeof *heads))
        return false;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        table_cell(&table, "%s", heads[i]);
    for (uint32_t i = 0; i < plan->edge_count; i++) {
        const struct plan_edge *edge = &plan->edges[i];
        struct outage outage = outage_of(plan, edge);

        if (edge->when_full != WHEN_FULL_SPILL)
            continue;
        row_print(&table, plan, edge, &outage);
        all.rate += outage.rate;
        all.has_texts |= outage.has_texts;
        all.is_open |= outage.is_open;
    }
    head_print(plan, out);
    whole = table_print(&table, out);
    table_close(&table);
    assumed_print(&all, out);
    return whole;
}

void outage_json(struct json *json, const struct plan *plan)
{
    json_array(json, "outage");
    for (uint32_t i = 0; i < plan->edge_count && has_spill(plan); i++) {
        const struct plan_edge *edge = &plan->edges[i];
        struct outage outage = outage_of(plan, edge);

        if (edge->when_full != WHEN_FULL_SPILL)
            continue;
        json_object(json, NULL);
        json_text(json, "from", plan->nodes[edge->from].name);
        json_text(json, "from_port", plan->nodes[edge->from].plugin->outputs[edge->from_port].name);
        json_text(json, "to", plan->nodes[edge->to].name);
        json_uint(json, "record_bytes", outage.payload);
        json_bool(json, "record_is_assumed", outage.has_texts || outage.is_open);
        json_uint(json, "stored_bytes", outage.stored);
        if (outage.rate > 0) {
            json_real(json, "records_a_second", outage.rate);
            json_real(json, "seconds", outage_seconds(plan, &outage, outage.rate));
        }
        json_real(json, "seconds_at_1_a_second", outage_seconds(plan, &outage, 1));
        json_end(json);
    }
    json_end(json);
}
