/* privacy.c - what leaves this node, and who said that it may.
 *
 * Data leaves by a sink, or by the commands of a device, unless the plugin's
 * table says that it stays (AFF_STAYS). What is labelled phi is refused there,
 * with the way it came, unless the node gives a reason and its plugin vouches
 * for the other end. `quasi` may leave; who checks is told what leaves together,
 * since columns identify in combination that none does alone (Sweeney 2000).
 *
 * Not here: labels (shapes.c, clears.c), the way of one (label_way.c). */
#include <string.h>

#include "config/label_way.h"
#include "config/shapes.h"

static const char *const identities[] = { "subject", "times", "names" };

/* ---- what is labelled, in words ---- */

/* "subject, times and columns a and b": words, joined when all are there. */
enum { THINGS_MOST = 12 };
struct things {
    const char *words[THINGS_MOST];
    uint32_t count, more;
};

static void thing_add(struct things *things, const char *word)
{
    for (uint32_t i = 0; i < things->count; i++) {
        if (!strcmp(things->words[i], word))
            return;
    }
    if (things->count < THINGS_MOST)
        things->words[things->count++] = word;
    else
        things->more++;
}

static void things_print(struct text *text, const struct things *things)
{
    for (uint32_t i = 0; i < things->count; i++) {
        bool is_last = i + 1 == things->count && !things->more;

        text_print(text, "%s%s", i == 0 ? "" : is_last ? " and " : ", ", things->words[i]);
    }
    if (things->more)
        text_print(text, " and %u more", things->more);
}

/* A payload that is labelled as a whole, or whose columns nobody knows. */
static void whole_add(struct things *things, const struct plan_shape *shape, uint8_t label)
{
    static const char *const wholes[] = { NULL, "bytes", "columns that are not declared", "samples", "images" };

    for (uint32_t type = AFF_BYTES; type <= AFF_IMAGE; type++) {
        bool is_columns = shape->schema && type == AFF_FIELDS;

        if ((shape->types & AFF_MASK(type)) && !is_columns && shape->labels[LABEL_OF_PAYLOAD] == label)
            thing_add(things, wholes[type]);
    }
}

static void columns_collect(struct things *columns, const struct plan_output *output, uint8_t label)
{
    for (uint32_t i = 0; i < output->shape_count; i++) {
        const struct aff_schema *schema = output->shapes[i].schema;

        for (uint32_t k = 0; schema && schema->type == AFF_FIELDS && k < schema->count; k++)
            if (schema_at(schema, k)->label == label)
                thing_add(columns, schema_at(schema, k)->name);
    }
}

/* What an output carries under a label, of the kinds in `of`. True where that is
 * one thing. */
static bool labelled_print(struct text *text, const struct plan_output *output, uint8_t label,
                           const bool *of)
{
    struct things things = { .count = 0 }, columns = { .count = 0 };
    struct text names = { 0 };

    for (uint32_t i = 0; i < LABEL_OF_PAYLOAD; i++)
        if (of[i] && output->labels[i] == label)
            thing_add(&things, identities[i]);
    for (uint32_t i = 0; of[LABEL_OF_PAYLOAD] && i < output->shape_count; i++)
        whole_add(&things, &output->shapes[i], label);
    if (of[LABEL_OF_PAYLOAD])
        columns_collect(&columns, output, label);
    if (columns.count) {
        text_add(&names, columns.count > 1 ? "columns " : "column ");
        things_print(&names, &columns);
        if (names.data)
            thing_add(&things, names.data);
    }
    things_print(text, &things);
    text_free(&names);
    return things.count == 1 && columns.count + columns.more <= 1 &&
           (columns.count || of[LABEL_OF_SUBJECT]);
}

/* ---- what comes to a node ---- */

/* Identities and payload that came by one way. */
struct group {
    struct label_way way;
    bool of[LABEL_KINDS];
};

struct leaving {
    struct shapes *shapes;
    uint32_t node;
    struct group groups[LABEL_KINDS];
    uint32_t group_count;
};

static bool is_command(const struct plan *plan, const struct plan_edge *edge)
{
    return (plan->nodes[edge->to].plugin->inputs[edge->to_port].flags & AFF_PORT_COMMANDS) != 0;
}

/* By a sink all leaves, by a device only what goes into its commands. */
static bool leaves_by(const struct plan *plan, const struct plan_edge *edge)
{
    const struct aff_plugin *about = &plan->nodes[edge->to].plugin->about;

    if (about->flags & AFF_STAYS)
        return false;
    return about->kind == AFF_SINK || (about->kind == AFF_SOURCE && is_command(plan, edge));
}

static const char *first_column(const struct plan_output *output, uint8_t label)
{
    struct things columns = { .count = 0 };

    columns_collect(&columns, output, label);
    return columns.count ? columns.words[0] : NULL;
}

/* The shortest way by which one kind of label comes in; count 0: none does. */
static bool way_find(const struct leaving *l, enum label_of of, struct label_way *ret_way)
{
    const struct plan *plan = l->shapes->plan;
    struct label_way way;

    *ret_way = (struct label_way){ 0 };
    for (uint32_t i = plan->ins[l->node]; i < plan->ins[l->node + 1]; i++) {
        const struct plan_output *output = plan_output(plan, &plan->edges[i]);

        if (!leaves_by(plan, &plan->edges[i]) || output->labels[of] != AFF_LABEL_PHI)
            continue;
        if (!label_way_find(plan, i, of, AFF_LABEL_PHI,
                            of == LABEL_OF_PAYLOAD ? first_column(output, AFF_LABEL_PHI) : NULL, &way))
            return false;
        if (!ret_way->count || way.count < ret_way->count) {
            label_way_free(ret_way);
            *ret_way = way;
        } else {
            label_way_free(&way);
        }
    }
    return true;
}

static void group_add(struct leaving *l, enum label_of of, struct label_way way)
{
    for (uint32_t i = 0; i < l->group_count; i++) {
        if (!label_way_equal(&l->groups[i].way, &way))
            continue;
        l->groups[i].of[of] = true;
        label_way_free(&way);
        return;
    }
    l->groups[l->group_count].way = way;
    l->groups[l->group_count++].of[of] = true;
}

/* Subject and payload first: what matters most is named first. */
static bool groups_find(struct leaving *l)
{
    for (uint32_t of = 0; of < LABEL_KINDS; of++) {
        struct label_way way;

        if (!way_find(l, (enum label_of)of, &way))
            return false;
        if (way.count)
            group_add(l, (enum label_of)of, way);
    }
    return true;
}

static void groups_free(struct leaving *l)
{
    for (uint32_t i = 0; i < l->group_count; i++)
        label_way_free(&l->groups[i].way);
}

/* Whether what arrives can be said to be of where it began: a column that was
 * made on the way cannot. */
static bool is_of_first(const struct group *group, const struct plan_output *first,
                        const struct plan_output *last)
{
    const char *column = group->of[LABEL_OF_PAYLOAD] ? first_column(last, AFF_LABEL_PHI) : NULL;

    for (uint32_t i = 0; column && i < first->shape_count; i++) {
        const struct aff_schema *schema = first->shapes[i].schema;

        if (schema && schema_find(schema, column))
            return true;
    }
    return !column;
}

static void group_print(struct text *text, const struct plan *plan, const struct group *group)
{
    const struct plan_edge *first = &plan->edges[group->way.edges[0]];
    const struct plan_output *last =
        plan_output(plan, &plan->edges[group->way.edges[group->way.count - 1]]);
    bool is_one = labelled_print(text, last, AFF_LABEL_PHI, group->of);

    if (is_of_first(group, plan_output(plan, first), last))
        text_print(text, " of %s", plan->nodes[first->from].name);
    text_add(text, is_one ? " comes by " : " come by ");
    label_way_add(text, plan, &group->way);
}

/* "subject and column name of ecg come by ecg -> beats -> cloud (and by 2 more ways)" */
static void groups_print(struct text *text, const struct leaving *l)
{
    const struct plan *plan = l->shapes->plan;
    uint32_t ways = label_ways_count(plan, l->node);

    for (uint32_t i = 0; i < l->group_count; i++) {
        text_add(text, i ? ", and " : "");
        group_print(text, plan, &l->groups[i]);
    }
    if (ways == UINT32_MAX)
        text_add(text, " (and by very many more ways)");
    else if (ways > l->group_count)
        text_print(text, " (and by %u more way%s)", ways - l->group_count,
                   ways - l->group_count == 1 ? "" : "s");
}

/* ---- quasi ---- */

static void quasi_print(struct text *text, const struct leaving *l)
{
    static const bool all[LABEL_KINDS] = { true, true, true, true };
    const struct plan *plan = l->shapes->plan;

    for (uint32_t i = plan->ins[l->node]; i < plan->ins[l->node + 1]; i++) {
        struct text one = { 0 };

        if (!leaves_by(plan, &plan->edges[i]))
            continue;
        labelled_print(&one, plan_output(plan, &plan->edges[i]), AFF_LABEL_QUASI, all);
        if (one.length)
            text_print(text, "%s%s of %s", text->length ? ", " : "", one.data,
                       plan->nodes[plan->edges[i].from].name);
        text_free(&one);
    }
}

/* ---- the verdict ---- */

static struct place reason_place(const struct draft_node *node)
{
    const struct value *value = value_find(value_find(node->table, "run"), "allow_phi");

    return value ? value->place : node->table->key_place;
}

/* The source of undeclared columns, where it could declare them. */
static const char *could_declare(const struct leaving *l)
{
    const struct plan *plan = l->shapes->plan;

    for (uint32_t i = 0; i < l->group_count; i++) {
        const struct plan_edge *first = &plan->edges[l->groups[i].way.edges[0]];
        const struct plan_node *from = &plan->nodes[first->from];

        if (!l->groups[i].of[LABEL_OF_PAYLOAD] || plan_output(plan, first)->known != SHAPE_OPEN)
            continue;
        for (uint32_t k = 0; k < from->plugin->option_count; k++)
            if (!strcmp(from->plugin->options[k].name, "columns"))
                return from->name;
    }
    return NULL;
}

static void phi_refuse(const struct leaving *l, const char *phi)
{
    const struct draft_node *draft = l->shapes->drafts[l->node];
    const char *declares = could_declare(l);
    struct text first = { 0 };

    if (declares)
        text_print(&first, "declare columns = [...] in %s, ", declares);
    report_add(l->shapes->draft->report, REPORT_ERROR, draft->table->key_place, draft->name,
               "patient data would leave this node: %s; expected nothing labelled phi; %sput a node "
               "that removes it on the way, or %s: run = { allow_phi = \"reason\" }", phi,
               first.data ? first.data : "",
               draft->is_secure ? "say why it may go" : "make the way authenticated and encrypted "
               "and say why it may go");
    text_free(&first);
}

/* Whether the node's own word counts, and is needed. */
static void reason_check(const struct leaving *l, const char *phi)
{
    const struct draft_node *draft = l->shapes->drafts[l->node];
    struct report *report = l->shapes->draft->report;

    if (!draft->is_secure)
        report_add(report, REPORT_ERROR, reason_place(draft), draft->name,
                   "run.allow_phi is given, but nothing proves who is at the other end of %s over an "
                   "encrypted way; expected options that make it so; see afferent plugin info %s, "
                   "or put a node that removes patient data on the way", draft->name,
                   draft->plugin->about.name);
    else if (!phi)
        report_add(report, REPORT_WARNING, reason_place(draft), draft->name,
                   "run.allow_phi is given, and nothing labelled phi comes here; expected it only "
                   "where it is needed; take it out");
}

static const char *keep(struct arena *arena, const struct text *text)
{
    return text->length ? arena_copy(arena, text->data, text->length) : NULL;
}

static bool node_judge(struct leaving *l, struct plan_leave *leave)
{
    const struct draft_node *draft = l->shapes->drafts[l->node];
    struct arena *arena = l->shapes->plan->arena;
    struct text phi = { 0 }, quasi = { 0 };
    bool ok = groups_find(l);

    if (l->group_count)
        groups_print(&phi, l);
    quasi_print(&quasi, l);
    *leave = (struct plan_leave){ .node = l->node, .phi = keep(arena, &phi),
                                  .quasi = keep(arena, &quasi) };
    ok &= (!phi.length || leave->phi) && (!quasi.length || leave->quasi);
    if (draft->allow_phi) {
        reason_check(l, leave->phi);
        leave->reason = leave->phi ? draft->allow_phi : NULL;
    } else if (leave->phi) {
        phi_refuse(l, leave->phi);
    }
    text_free(&phi);
    text_free(&quasi);
    groups_free(l);
    return ok;
}

static bool leaves_any(const struct shapes *s, uint32_t node)
{
    const struct plan *plan = s->plan;
    bool leaves = false;

    for (uint32_t i = plan->ins[node]; i < plan->ins[node + 1]; i++)
        leaves |= leaves_by(plan, &plan->edges[i]);
    return leaves;
}

/* A node whose inputs could not be told, or lack what it needs, was spoken of already:
 * other data will come to it. */
static bool is_judged(const struct shapes *s, uint32_t node)
{
    const struct plan *plan = s->plan;

    for (uint32_t i = plan->ins[node]; i < plan->ins[node + 1]; i++)
        if (s->is_broken[plan->edges[i].from])
            return false;
    return !s->is_unfit[node];
}

static void reason_needless(const struct shapes *s, const struct draft_node *draft)
{
    report_add(s->draft->report, REPORT_WARNING, reason_place(draft), draft->name,
               "run.allow_phi is given, and no data leaves this machine by %s; expected it only "
               "where it is needed; take it out", draft->name);
}

bool privacy_check(struct shapes *s)
{
    struct plan *plan = s->plan;
    struct plan_leave *leaves = arena_take_array(plan->arena, plan->node_count, sizeof *leaves);
    bool ok = leaves != NULL;

    for (uint32_t i = 0; ok && i < plan->node_count; i++) {
        struct leaving leaving = { .shapes = s, .node = i };

        if (!is_judged(s, i))
            continue;
        if (leaves_any(s, i))
            ok = node_judge(&leaving, &leaves[plan->leave_count++]);
        else if (s->drafts[i]->allow_phi)
            reason_needless(s, s->drafts[i]);
    }
    plan->leaves = leaves;
    return ok;
}
