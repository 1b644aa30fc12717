/* letter.c - see letter.h. Payloads are in letter_payload.c. */
#include "show/letter.h"

#include <inttypes.h>
#include <string.h>

#include "show/age.h"
#include "show/when.h"

/* ---- what is hidden ---- */

static const struct plan_node *find_node(const struct plan *plan, const char *name, uint32_t *ret_index)
{
    for (uint32_t i = 0; name && i < plan->node_count; i++)
        if (strcmp(plan->nodes[i].name, name) == 0) {
            *ret_index = i;
            return &plan->nodes[i];
        }
    return NULL;
}

/* The next edge, from `edge` on, by which the letter's record may have come; NULL: no
 * more. Without a port none is known. */
static const struct plan_edge *next_way(const struct letter_view *v, uint32_t *edge)
{
    uint32_t node = 0;
    const struct plan_node *n = find_node(v->plan, v->letter->node, &node);

    for (; n && v->letter->port && *edge < v->plan->edge_count; ++*edge) {
        const struct plan_edge *e = &v->plan->edges[*edge];

        if (e->to == node && strcmp(n->plugin->inputs[e->to_port].name, v->letter->port) == 0) {
            ++*edge;
            return e;
        }
    }
    return NULL;
}

/* The highest label of what comes there; nothing known: phi. */
static bool is_phi(const struct letter_view *v, enum label_of of)
{
    const struct plan_edge *e;
    uint32_t edge = 0, ways = 0;

    for (; (e = next_way(v, &edge)); ways++) {
        if (!v->plan->nodes[e->from].outputs || plan_output(v->plan, e)->labels[of] == AFF_LABEL_PHI)
            return true;
    }
    return ways == 0;
}

bool letter_hides_subject(const struct letter_view *v)
{
    return !v->reveal && is_phi(v, LABEL_OF_SUBJECT);
}

bool letter_hides_stream(const struct letter_view *v)
{
    return !v->reveal && is_phi(v, LABEL_OF_NAMES);
}

bool letter_hides_time(const struct letter_view *v)
{
    return !v->reveal && is_phi(v, LABEL_OF_TIMES);
}

bool letter_hides_payload(const struct letter_view *v)
{
    if (v->reveal)
        return false;
    return v->letter->is_part || !v->schema || v->schema->label == AFF_LABEL_PHI || is_phi(v, LABEL_OF_PAYLOAD);
}

/* Whether the schema has the column; *ret_phi rises where it is labelled. */
static bool has_column(const struct aff_schema *schema, const char *name, bool *ret_phi)
{
    bool found = false;

    for (uint32_t i = 0; i < schema->count; i++) {
        const struct aff_column *c = (const void *)((const char *)schema->columns + (size_t)i * schema->stride);

        if (!c->name || strcmp(c->name, name) != 0)
            continue;
        found = true;
        *ret_phi = *ret_phi || c->label == AFF_LABEL_PHI;
    }
    return found;
}

/* A column is shown where the plan declares it on some way there, and no way and no
 * schema says phi of it. */
bool letter_hides_column(const struct letter_view *v, const struct aff_column *column)
{
    bool declared = false, phi = column->label == AFF_LABEL_PHI;
    const struct plan_edge *e;
    uint32_t edge = 0;

    if (v->reveal)
        return false;
    while ((e = next_way(v, &edge))) {
        const struct plan_output *output = plan_output(v->plan, e);

        for (uint32_t i = 0; i < output->shape_count; i++)
            if (output->shapes[i].schema && column->name &&
                has_column(output->shapes[i].schema, column->name, &phi))
                declared = true;
    }
    return phi || !declared || v->letter->is_part;
}

/* ---- words ---- */

static const char *hidden(bool hides, const char *text)
{
    return hides ? LETTER_HIDDEN : text ? text : "";
}

static const char *type_name(uint8_t type)
{
    static const char *const names[] = { "", "bytes", "fields", "samples", "image" };

    return type < sizeof names / sizeof *names ? names[type] : "";
}

static const char *port_name(const struct wire_letter *l)
{
    return l->port ? l->port : l->is_part ? "(part)" : "(made)";
}

/* ---- a row ---- */

void letter_heads(struct table *table)
{
    static const char *const heads[LETTER_COLUMNS] = { "number", "time", "age", "node", "port", "reason", "tries",
                                                       "bytes", "subject", "cause" };

    for (size_t i = 0; i < LETTER_COLUMNS; i++)
        table_cell(table, "%s", heads[i]);
}

void letter_row(struct table *table, const struct letter_view *v)
{
    const struct wire_letter *l = v->letter;
    char when[WHEN_ROOM], age[AGE_ROOM];

    when_print(when, l->utc_ns);
    age_print(age, v->now_utc_ns - l->utc_ns);
    table_number(table, v->number);
    table_cell(table, "%s", when);
    table_cell(table, "%s", age);
    table_cell(table, "%s", l->node ? l->node : "");
    table_cell(table, "%s", port_name(l));
    table_cell(table, "%s", l->reason ? l->reason : "");
    table_number(table, l->tries);
    table_number(table, l->record.record.size);
    table_cell(table, "%s", hidden(letter_hides_subject(v), l->record.subject));
    table_cell(table, "%s", l->cause ? l->cause : "");
}

/* ---- all of it ---- */

static void line(FILE *out, const char *name, const char *text)
{
    fprintf(out, "  %-9s ", name);
    print_plain(out, text, strlen(text));
    fputc('\n', out);
}

static void time_line(FILE *out, const char *name, int64_t utc_ns, bool hides)
{
    char when[WHEN_ROOM];

    when_print(when, utc_ns);
    line(out, name, hides ? LETTER_HIDDEN : when);
}

static void print_flags(FILE *out, uint16_t flags)
{
    if (flags & (AFF_FLAG_GAP | AFF_FLAG_SUSPECT | AFF_FLAG_RESENT))
        fprintf(out, "  flags    %s%s%s\n", flags & AFF_FLAG_GAP ? " gap" : "",
                flags & AFF_FLAG_SUSPECT ? " suspect" : "", flags & AFF_FLAG_RESENT ? " resent" : "");
}

static void print_record(const struct letter_view *v, FILE *out)
{
    const struct wire_record *r = &v->letter->record;

    line(out, "subject", hidden(letter_hides_subject(v), r->subject));
    line(out, "stream", hidden(letter_hides_stream(v), r->stream));
    time_line(out, "of", r->record.event_ns, letter_hides_time(v));
    fprintf(out, "  %-9s %016" PRIx64 "-%" PRIx64 "\n", "id", r->record.id.source, r->record.id.seq);
    print_flags(out, r->record.flags);
    fprintf(out, "  %-9s %s, %" PRIu32 " bytes", "payload", type_name(r->record.type), r->record.size);
    if (v->schema && v->schema->name) {
        fputs(", schema ", out);
        print_plain(out, v->schema->name, strlen(v->schema->name));
    }
    fputc('\n', out);
}

void letter_print(const struct letter_view *v, FILE *out)
{
    const struct wire_letter *l = v->letter;

    fprintf(out, "letter %" PRIu64 "\n", v->number);
    time_line(out, "time", l->utc_ns, false);
    line(out, "node", l->node ? l->node : "");
    line(out, "port", port_name(l));
    line(out, "reason", l->reason ? l->reason : "");
    if (l->cause && *l->cause)
        line(out, "cause", l->cause);
    if (l->is_part)
        fprintf(out, "  %-9s a part set aside; it began at %" PRIu64 " of its stream, and cannot be tried again\n", "part",
                l->offset);
    fprintf(out, "  %-9s %" PRIu32 "\n", "tries", l->tries);
    print_record(v, out);
    letter_payload_print(v, out);
}

static void json_time(struct json *json, const char *key, int64_t utc_ns, bool hides)
{
    char when[WHEN_ROOM];

    when_print(when, utc_ns);
    json_text(json, key, hides ? LETTER_HIDDEN : when);
}

static void json_record(const struct letter_view *v, struct json *json)
{
    const struct wire_record *r = &v->letter->record;
    char id[40];

    json_text(json, "subject", hidden(letter_hides_subject(v), r->subject));
    json_text(json, "stream", hidden(letter_hides_stream(v), r->stream));
    json_time(json, "of", r->record.event_ns, letter_hides_time(v));
    snprintf(id, sizeof id, "%016" PRIx64 "-%" PRIx64, r->record.id.source, r->record.id.seq);
    json_text(json, "id", id);
    json_text(json, "type", type_name(r->record.type));
    if (v->schema)
        json_text(json, "schema", v->schema->name);
    json_uint(json, "bytes", r->record.size);
}

void letter_json(const struct letter_view *v, struct json *json, bool with_payload)
{
    const struct wire_letter *l = v->letter;

    json_object(json, NULL);
    json_uint(json, "number", v->number);
    json_time(json, "time", l->utc_ns, false);
    json_text(json, "node", l->node);
    json_text(json, "port", l->port);
    json_text(json, "reason", l->reason);
    json_text(json, "cause", l->cause);
    json_bool(json, "is_part", l->is_part);
    if (l->is_part)
        json_uint(json, "offset", l->offset);
    json_uint(json, "tries", l->tries);
    json_record(v, json);
    if (with_payload)
        letter_payload_json(v, json);
    json_end(json);
}
