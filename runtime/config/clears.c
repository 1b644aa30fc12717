/* clears.c - run.clears: privacy labels that end at a node.
 *
 * An integrator may know what no table says: that a column holds nothing of a
 * patient, that a recording is published. The words are columns, or subject,
 * times, names and payload for what is no column. A word that nothing carries is
 * a mistake, since the label that was meant would stay.
 *
 * Not here: what the labels are without it (shapes.c). */
#include <string.h>

#include "config/shapes.h"

static const char *const words[LABEL_KINDS] = { "subject", "times", "names", "payload" };

struct clearing {
    struct shapes *shapes;
    const struct draft_node *draft;
    struct shape_list *lists;
    struct text *cleared; /* by output */
};

/* A column of this name may be called like a word; the word goes first. */
static uint32_t word_find(const char *name)
{
    uint32_t of = 0;

    while (of < LABEL_KINDS && strcmp(words[of], name) != 0)
        of++;
    return of;
}

/* 1: cleared or clear, 0: not carried, -1: no memory. */
static int shape_clear(struct arena *arena, struct plan_shape *shape, const char *name)
{
    uint32_t of = word_find(name);

    if (of < LABEL_OF_PAYLOAD) {
        shape->labels[of] = AFF_LABEL_NONE;
        return 1;
    }
    if (of == LABEL_KINDS && (!shape->schema || !schema_find(shape->schema, name)))
        return 0;
    if (shape->schema) {
        shape->schema = schema_clear(arena, shape->schema, of == LABEL_KINDS ? name : NULL);
        if (!shape->schema)
            return -1;
    }
    shape->labels[LABEL_OF_PAYLOAD] = shape->schema ? schema_label(shape->schema) : (uint8_t)AFF_LABEL_NONE;
    return 1;
}

static int name_clear(const struct clearing *c, const char *name)
{
    int found = 0;

    for (uint32_t port = 0; port < c->draft->plugin->output_count; port++) {
        struct shape_list *list = &c->lists[port];
        bool is_here = false;

        for (uint32_t i = 0; i < list->count; i++) {
            int done = shape_clear(c->shapes->plan->arena, &list->items[i], name);

            if (done < 0)
                return -1;
            is_here |= done > 0;
        }
        found |= is_here;
        if (is_here)
            text_print(&c->cleared[port], "%s%s", c->cleared[port].length ? ", " : "", name);
    }
    return found;
}

/* ---- a name that nothing carries ---- */

struct offered {
    struct text names;
    struct aff_guess guess;
    uint32_t left; /* how many more are shown */
    bool is_open;
};

static void name_offer(struct offered *offered, const char *name)
{
    aff_guess_offer(&offered->guess, name);
    if (offered->left) {
        text_print(&offered->names, "%s%s", offered->names.length ? ", " : "", name);
        offered->left--;
        if (!offered->left)
            text_add(&offered->names, ", ...");
    }
}

static void list_offer(struct offered *offered, const struct shape_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct aff_schema *schema = list->items[i].schema;

        offered->is_open |= !schema;
        for (uint32_t k = 0; schema && k < schema->count; k++)
            name_offer(offered, schema_at(schema, k)->name);
    }
}

static void name_unknown(const struct clearing *c, const struct value *value)
{
    struct offered offered = { .guess = { .word = value->text }, .left = 24 };
    const char *name = c->draft->name;
    struct report *report = c->shapes->draft->report;

    for (uint32_t of = 0; of < LABEL_KINDS; of++)
        name_offer(&offered, words[of]);
    for (uint32_t port = 0; port < c->draft->plugin->output_count; port++)
        list_offer(&offered, &c->lists[port]);
    if (offered.guess.best)
        report_add(report, REPORT_ERROR, value->place, name,
                   "run.clears names \"%s\", which no output of %s carries; expected one of: %s; "
                   "did you mean %s?", value->text, name, offered.names.data, offered.guess.best);
    else if (offered.is_open)
        report_add(report, REPORT_ERROR, value->place, name,
                   "run.clears names \"%s\", but the columns of %s are known at run time only; "
                   "expected one of: %s; declare the columns, or clear what is there",
                   value->text, name, offered.names.data);
    else
        report_add(report, REPORT_ERROR, value->place, name,
                   "run.clears names \"%s\", which no output of %s carries; expected one of: %s; "
                   "take it out", value->text, name, offered.names.data);
    text_free(&offered.names);
}

/* ---- a node ---- */

static bool values_clear(const struct clearing *c)
{
    const struct value *clears = c->draft->clears;
    const struct value *value = clears->kind == VALUE_ARRAY ? clears->first : clears;

    for (; value; value = value == clears ? NULL : value->next) {
        int found = name_clear(c, value->text);

        if (found < 0)
            return false;
        if (!found)
            name_unknown(c, value);
    }
    return true;
}

bool clears_apply(struct shapes *shapes, uint32_t node, struct shape_list *lists,
                  struct plan_output *outputs)
{
    const struct draft_node *draft = shapes->drafts[node];
    uint32_t count = draft->plugin->output_count;
    struct clearing c = { .shapes = shapes, .draft = draft, .lists = lists };
    bool ok;

    if (!draft->clears)
        return true;
    c.cleared = arena_take_array(shapes->plan->arena, count, sizeof *c.cleared);
    ok = c.cleared && values_clear(&c);
    for (uint32_t port = 0; c.cleared && port < count; port++) {
        struct text *text = &c.cleared[port];

        if (text->data)
            outputs[port].cleared = arena_copy(shapes->plan->arena, text->data, text->length);
        ok &= !text->failed && (!text->data || outputs[port].cleared);
        text_free(text);
    }
    return ok;
}
