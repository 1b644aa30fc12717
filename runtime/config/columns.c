/* columns.c - the columns that a reader needs, against those that come.
 *
 * A column is found by its name, and must have the type and, where both ends
 * say one, the unit. Nothing is converted on the way: a value that is silently
 * another one is worse than a pipeline that does not start. A column that a
 * reader can do without is checked too where it is there.
 *
 * Units are UCUM texts. The table below knows which are convertible and how
 * people spell them, and only makes the message say so.
 *
 * Not here: payload types that no port could match (pipeline_from.c). */
#include <string.h>

#include "config/shapes.h"

struct checking {
    const struct shapes *shapes;
    const struct plan_edge *edge;
    const struct aff_schema *need;
};

#define SAY(c, ...) \
    report_add((c)->shapes->draft->report, REPORT_ERROR, (c)->edge->at, \
               (c)->shapes->plan->nodes[(c)->edge->to].name, __VA_ARGS__)

static const char *reader_name(const struct checking *c)
{
    return c->shapes->plan->nodes[c->edge->to].name;
}

/* "csv.rows", in the arena. */
static const char *output_name(const struct checking *c)
{
    const struct plan_node *from = &c->shapes->plan->nodes[c->edge->from];
    const char *name = arena_print(c->shapes->plan->arena, "%s.%s", from->name,
                                   from->plugin->outputs[c->edge->from_port].name);

    return name ? name : from->name;
}

/* ---- units ---- */

/* base = factor * unit + offset; units of one kind have one base. */
struct unit {
    const char *code; /* UCUM */
    const char *base;
    double factor, offset;
};
static const struct unit units[] = {
    { "Cel", "Cel", 1, 0 },           { "[degF]", "Cel", 1 / 1.8, -32 / 1.8 },
    { "K", "Cel", 1, -273.15 },       { "Hz", "Hz", 1, 0 },
    { "/s", "Hz", 1, 0 },             { "/min", "Hz", 1 / 60.0, 0 },
    { "/h", "Hz", 1 / 3600.0, 0 },    { "Pa", "Pa", 1, 0 },
    { "kPa", "Pa", 1e3, 0 },          { "mm[Hg]", "Pa", 133.322387415, 0 },
    { "cm[H2O]", "Pa", 98.0665, 0 },  { "mbar", "Pa", 100, 0 },
    { "bar", "Pa", 1e5, 0 },          { "V", "V", 1, 0 },
    { "mV", "V", 1e-3, 0 },           { "uV", "V", 1e-6, 0 },
    { "s", "s", 1, 0 },               { "ms", "s", 1e-3, 0 },
    { "us", "s", 1e-6, 0 },           { "min", "s", 60, 0 },
    { "h", "s", 3600, 0 },            { "d", "s", 86400, 0 },
    { "m", "m", 1, 0 },               { "cm", "m", 1e-2, 0 },
    { "mm", "m", 1e-3, 0 },           { "kg", "g", 1e3, 0 },
    { "g", "g", 1, 0 },               { "mg", "g", 1e-3, 0 },
    { "1", "1", 1, 0 },               { "%", "1", 1e-2, 0 },
    { "L", "L", 1, 0 },               { "mL", "L", 1e-3, 0 },
};

/* As people write them; UCUM is case sensitive and has its own way. */
static const char *const spelled[][2] = {
    { "C", "Cel" },         { "degC", "Cel" },      { "\u00b0C", "Cel" },    { "celsius", "Cel" },
    { "F", "[degF]" },      { "degF", "[degF]" },   { "\u00b0F", "[degF]" }, { "fahrenheit", "[degF]" },
    { "bpm", "/min" },      { "1/min", "/min" },    { "min-1", "/min" },     { "beats/min", "/min" },
    { "breaths/min", "/min" }, { "rpm", "/min" },   { "{beats}/min", "/min" }, { "mmHg", "mm[Hg]" },
    { "mm Hg", "mm[Hg]" },  { "torr", "mm[Hg]" },   { "cmH2O", "cm[H2O]" },  { "percent", "%" },
    { "sec", "s" },         { "seconds", "s" },     { "msec", "ms" },        { "hz", "Hz" },
    { "\u00b5V", "uV" },    { "l", "L" },           { "ml", "mL" },          { "mv", "mV" },
    { "kpa", "kPa" },       { "fraction", "1" },
};

static const struct unit *unit_find(const char *code)
{
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (!strcmp(units[i].code, code))
            return &units[i];
    }
    return NULL;
}

/* The UCUM text that was meant; the same where none is known. */
static const char *unit_meant(const char *code)
{
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++) {
        if (!strcmp(spelled[i][0], code))
            return spelled[i][1];
    }
    return code;
}

/* " * 60", " / 1.8", "" in front of or behind a unit: the shorter number. */
static void add_factor(struct text *text, double factor)
{
    if (factor < 1)
        text_print(text, " / %.9g", 1 / factor);
    else if (factor > 1)
        text_print(text, " * %.9g", factor);
}

/* "Cel = ([degF] - 32) / 1.8": what to calculate. */
static void add_formula(struct text *text, const struct unit *have, const struct unit *need)
{
    double factor = have->factor / need->factor, offset = (have->offset - need->offset) / need->factor;
    double inside = offset / factor;

    text_print(text, "%s = ", need->code);
    if (inside < -1e-12 || inside > 1e-12)
        text_print(text, factor < 1 || factor > 1 ? "(%s %c %.9g)" : "%s %c %.9g", have->code,
                   inside < 0 ? '-' : '+', inside < 0 ? -inside : inside);
    else
        text_add(text, have->code);
    add_factor(text, factor);
}

static void unit_wrong(const struct checking *c, const struct aff_column *need,
                       const struct aff_column *have)
{
    const struct unit *from = unit_find(unit_meant(have->unit)), *to = unit_find(need->unit);
    const char *output = output_name(c);
    struct text formula = { 0 };

    if (!strcmp(unit_meant(have->unit), need->unit)) {
        SAY(c, "column %s of %s is in \"%s\" where \"%s\" is needed by %s; expected the UCUM text; "
            "write unit = \"%s\" where the column is declared", have->name, output, have->unit,
            need->unit, reader_name(c), need->unit);
        return;
    }
    if (!from || !to || strcmp(from->base, to->base) != 0) {
        SAY(c, "column %s of %s is in %s where %s is needed by %s; expected %s, and nothing "
            "converts one to the other; name another column, or correct its unit", have->name,
            output, have->unit, need->unit, reader_name(c), need->unit);
        return;
    }
    add_formula(&formula, from, to);
    SAY(c, "column %s of %s is in %s where %s is needed by %s; expected %s; convert it before: %s",
        have->name, output, have->unit, need->unit, reader_name(c), need->unit,
        formula.data ? formula.data : "the units differ");
    text_free(&formula);
}

/* ---- columns ---- */

/* "as real in /min" */
static const char *column_needed(const struct checking *c, const struct aff_column *need)
{
    const char *text = c->need->type == AFF_SAMPLES
        ? arena_print(c->shapes->plan->arena, "as a channel%s%s", need->unit ? " in " : "",
                      need->unit ? need->unit : "")
        : arena_print(c->shapes->plan->arena, "as %s%s%s", schema_column_type(need->type),
                      need->unit ? " in " : "", need->unit ? need->unit : "");

    return text ? text : "it";
}

/* "spo2, heart_rate": what is there; the nearest to `guess->word` with it. */
static const char *columns_there(const struct checking *c, const struct aff_schema *have,
                                 struct aff_guess *guess)
{
    enum { SHOWN = 16 };
    struct text names = { 0 };
    const char *kept;

    for (uint32_t i = 0; i < have->count; i++) {
        aff_guess_offer(guess, schema_at(have, i)->name);
        if (i <= SHOWN)
            text_print(&names, "%s%s", i ? ", " : "", i < SHOWN ? schema_at(have, i)->name : "...");
    }
    kept = names.data ? arena_copy(c->shapes->plan->arena, names.data, names.length) : NULL;
    text_free(&names);
    return kept ? kept : "none";
}

/* True where one was near enough to be named. */
static bool column_mistyped(const struct checking *c, const struct aff_column *need,
                            const struct aff_schema *have)
{
    struct aff_guess guess = { .word = need->name };
    const char *names = columns_there(c, have, &guess);

    if (guess.best)
        SAY(c, "%s carries no column \"%s\", which %s needs; expected it %s, and there are: %s; "
            "did you mean %s? rename it before", output_name(c), need->name, reader_name(c),
            column_needed(c, need), names, guess.best);
    return guess.best != NULL;
}

/* One message for all that nothing is near to: it is the wrong node then. */
static void columns_missing(const struct checking *c, const struct aff_schema *have)
{
    const char *names = columns_there(c, have, &(struct aff_guess){ .word = "" });
    const struct aff_column *last = NULL;
    struct text needed = { 0 };
    uint32_t count = 0;

    for (uint32_t i = 0; i < c->need->count; i++) {
        const struct aff_column *need = schema_at(c->need, i);

        if (!need->required || schema_find(have, need->name))
            continue;
        c->shapes->is_unfit[c->edge->to] = true;
        if (column_mistyped(c, need, have))
            continue;
        last = need;
        text_print(&needed, "%s%s %s", count++ ? ", " : "", need->name, column_needed(c, need));
    }
    if (count == 1)
        SAY(c, "%s carries no column \"%s\", which %s needs; expected it %s, and there are: %s; "
            "put a node that makes it between", output_name(c), last->name, reader_name(c),
            column_needed(c, last), names);
    else if (count)
        SAY(c, "%s lacks columns that %s needs; expected %s, and there are: %s; name another node, or "
            "put one that makes them between", output_name(c), reader_name(c),
            needed.data ? needed.data : "", names);
    text_free(&needed);
}

static void column_check(const struct checking *c, const struct aff_column *need,
                         const struct aff_schema *have)
{
    const struct aff_column *column = schema_find(have, need->name);

    if (column && have->type == AFF_FIELDS && need->type && need->type != column->type)
        SAY(c, "column %s of %s is %s where %s is needed by %s; expected %s; convert it before, or "
            "declare it so", need->name, output_name(c), schema_column_type(column->type),
            schema_column_type(need->type), reader_name(c), schema_column_type(need->type));
    else if (column && need->unit && column->unit && strcmp(need->unit, column->unit) != 0)
        unit_wrong(c, need, column);
}

/* ---- what is not known ---- */

/* The edge by which open records come to an output that passes them on. */
static const struct plan_edge *open_upwards(const struct plan *plan, uint32_t node, uint32_t port)
{
    for (uint32_t i = plan->ins[node]; i < plan->ins[node + 1]; i++) {
        const struct plan_edge *up = &plan->edges[i];
        const struct plan_output *output = plan_output(plan, up);

        if (!plan_hands_on(plan->nodes[node].plugin, up->to_port, port))
            continue;
        for (uint32_t k = 0; k < output->shape_count; k++)
            if (!output->shapes[k].schema)
                return up;
    }
    return NULL;
}

/* Upwards to where the columns ceased to be known; commands may go in a circle. */
static uint32_t open_origin(const struct plan *plan, const struct plan_edge *edge)
{
    for (uint32_t steps = 0; edge && steps < plan->node_count; steps++) {
        const struct plan_edge *up = plan_output(plan, edge)->known == SHAPE_PASSED
            ? open_upwards(plan, edge->from, edge->from_port) : NULL;

        if (!up)
            break;
        edge = up;
    }
    return edge->from;
}

static bool takes_columns(const struct plugin *plugin)
{
    for (uint32_t i = 0; i < plugin->option_count; i++) {
        if (!strcmp(plugin->options[i].name, "columns"))
            return true;
    }
    return false;
}

static void open_refuse(const struct checking *c)
{
    const struct plan *plan = c->shapes->plan;
    const struct plan_node *origin = &plan->nodes[open_origin(plan, c->edge)];
    struct text needed = { 0 };

    c->shapes->is_unfit[c->edge->to] = true;
    for (uint32_t i = 0; i < c->need->count; i++) {
        const struct aff_column *column = schema_at(c->need, i);

        if (column->required)
            text_print(&needed, "%s%s %s", needed.length ? ", " : "", column->name,
                       column_needed(c, column));
    }
    if (takes_columns(origin->plugin))
        SAY(c, "the columns of %s are known at run time only, and %s needs some; expected %s; "
            "declare them with columns = [...] in %s", origin->name, reader_name(c), needed.data,
            origin->name);
    else
        SAY(c, "the columns of %s are known at run time only, and %s needs some; expected %s; put a "
            "node between that declares them with columns = [...]", origin->name, reader_name(c),
            needed.data);
    text_free(&needed);
}

/* ---- an edge ---- */

static bool needs_any(const struct aff_schema *need)
{
    for (uint32_t i = 0; i < need->count; i++) {
        if (schema_at(need, i)->required)
            return true;
    }
    return false;
}

static void type_refuse(const struct checking *c, const struct aff_port *in,
                        const struct plan_shape *shape)
{
    struct text gives = { 0 }, takes = { 0 };

    schema_add_types(&gives, shape->types);
    schema_add_types(&takes, in->types);
    SAY(c, "%s gives %s here and %s.%s takes %s; expected one type on both ends; choose another "
        "port or put a node between", output_name(c), gives.data, reader_name(c), in->name,
        takes.data);
    text_free(&gives);
    text_free(&takes);
}

void columns_check(const struct shapes *shapes, const struct plan_edge *edge)
{
    const struct aff_port *in = &shapes->plan->nodes[edge->to].plugin->inputs[edge->to_port];
    const struct plan_output *output = plan_output(shapes->plan, edge);
    struct checking c = { .shapes = shapes, .edge = edge, .need = in->schema };

    if (output->known == SHAPE_SILENT)
        SAY(&c, "%s makes nothing as its node is configured; expected an output that gives data; "
            "turn it on in the options of %s, or take it out of from", output_name(&c),
            shapes->plan->nodes[edge->from].name);
    for (uint32_t i = 0; i < output->shape_count; i++) {
        const struct plan_shape *shape = &output->shapes[i];

        if (!(shape->types & in->types)) {
            type_refuse(&c, in, shape);
        } else if (!c.need) {
            continue;
        } else if (shape->schema && shape->schema->type == c.need->type) {
            columns_missing(&c, shape->schema);
            for (uint32_t k = 0; k < c.need->count; k++)
                column_check(&c, schema_at(c.need, k), shape->schema);
        } else if (!shape->schema && c.need->type == AFF_FIELDS &&
                   (shape->types & AFF_MASK(AFF_FIELDS)) && needs_any(c.need)) {
            open_refuse(&c);
        }
    }
}
