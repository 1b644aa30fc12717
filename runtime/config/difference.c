/* difference.c - see difference.h. */
#include "config/difference.h"

#include <string.h>
#include <unistd.h>

#include "load/image.h"

enum { CHUNK = 65536, SETTINGS = 10 };

static bool text_equal(const char *one, const char *other)
{
    return one == other || (one && other && strcmp(one, other) == 0);
}

/* ---- nodes ---- */

/* Byte by byte: a file may have been written anew with the same content. */
static bool image_equal(const struct image *one, const struct image *other)
{
    char a[CHUNK / 2], b[CHUNK / 2];
    int64_t at = 0;

    if (identity_equal(&one->identity, &other->identity))
        return true;
    if (one->identity.size_bytes != other->identity.size_bytes)
        return false;
    while (at < one->identity.size_bytes) {
        ssize_t n = pread(one->fd, a, sizeof a, at), m = pread(other->fd, b, sizeof b, at);

        if (n <= 0 || n != m || memcmp(a, b, (size_t)n) != 0)
            return false;
        at += n;
    }
    return true;
}

/* One that is linked in is known by its functions. */
static bool plugin_equal(const struct plugin *one, const struct plugin *other)
{
    if (one == other)
        return true;
    if (!text_equal(one->about.name, other->about.name) || !one->image != !other->image)
        return false;
    if (one->image)
        return image_equal(one->image, other->image);
    return one->about.open == other->about.open && one->about.read == other->about.read &&
           one->about.process == other->about.process && one->about.write == other->about.write;
}

static const char *node_why(const struct plan_node *a, const struct plan_node *b)
{
    if (!text_equal(a->plugin->about.name, b->plugin->about.name))
        return "plugin";
    if (!plugin_equal(a->plugin, b->plugin))
        return "plugin file";
    if (a->options_hash != b->options_hash)
        return "options";
    if (a->in_process != b->in_process || a->require_sandbox != b->require_sandbox)
        return "run.isolation";
    if (a->max_held != b->max_held)
        return "run.max_held";
    if (a->durable != b->durable)
        return "run.durable";
    return NULL;
}

static uint32_t node_find(const struct plan *plan, const char *name)
{
    for (uint32_t i = 0; i < plan->node_count; i++)
        if (strcmp(plan->nodes[i].name, name) == 0)
            return i;
    return PLAN_NONE;
}

static struct difference_node node_compare(const struct plan *before, const struct plan *after, uint32_t index)
{
    const struct plan_node *b = &after->nodes[index];
    uint32_t was = node_find(before, b->name);
    struct difference_node n = { .name = b->name, .kind = DIFFERENCE_ADDED, .why = "", .before = was, .after = index };
    const char *why;

    if (was == PLAN_NONE)
        return n;
    why = node_why(&before->nodes[was], b);
    n.kind = why ? DIFFERENCE_CHANGED : DIFFERENCE_KEPT;
    n.why = why ? why : "";
    n.state_stays = text_equal(before->nodes[was].plugin->about.name, b->plugin->about.name) &&
                    (before->nodes[was].options_hash == b->options_hash || (b->plugin->about.flags & AFF_ADAPTS)) &&
                    before->nodes[was].max_held <= b->max_held;
    return n;
}

static bool nodes_compare(struct difference *d, const struct plan *before, const struct plan *after)
{
    uint32_t i;

    d->nodes = arena_take_array(d->arena, (size_t)before->node_count + after->node_count, sizeof *d->nodes);
    if (!d->nodes)
        return false;
    for (i = 0; i < after->node_count; i++)
        d->nodes[d->node_count++] = node_compare(before, after, i);
    for (i = 0; i < before->node_count; i++)
        if (node_find(after, before->nodes[i].name) == PLAN_NONE)
            d->nodes[d->node_count++] = (struct difference_node){
                .name = before->nodes[i].name, .kind = DIFFERENCE_REMOVED, .why = "", .before = i, .after = PLAN_NONE
            };
    return true;
}

/* ---- edges ---- */

static const char *from_port(const struct plan *plan, const struct plan_edge *edge)
{
    return plan->nodes[edge->from].plugin->outputs[edge->from_port].name;
}

static const char *to_port(const struct plan *plan, const struct plan_edge *edge)
{
    return plan->nodes[edge->to].plugin->inputs[edge->to_port].name;
}

static bool edge_same(const struct plan *p, const struct plan_edge *a, const struct plan *q, const struct plan_edge *b)
{
    return text_equal(p->nodes[a->from].name, q->nodes[b->from].name) &&
           text_equal(p->nodes[a->to].name, q->nodes[b->to].name) && text_equal(from_port(p, a), from_port(q, b)) &&
           text_equal(to_port(p, a), to_port(q, b));
}

static uint32_t edge_find(const struct plan *in, const struct plan *of, const struct plan_edge *edge)
{
    for (uint32_t i = 0; i < in->edge_count; i++)
        if (edge_same(in, &in->edges[i], of, edge))
            return i;
    return PLAN_NONE;
}

static const char *edge_why(const struct plan_edge *a, const struct plan_edge *b)
{
    if (a->when_full != b->when_full)
        return "edge.when_full";
    if (a->buffer != b->buffer)
        return "edge.buffer";
    if (a->priority != b->priority)
        return "edge.priority";
    if (a->expire_ns != b->expire_ns)
        return "edge.expire";
    return NULL;
}

/* What is held of a sink's rules and of its links alike is compared by name. */
static bool rules_equal(const struct plan *p, const struct link_rules *a, const struct plan *q, const struct link_rules *b)
{
    if (!a || !b)
        return a == b;
    if (a->link_count != b->link_count || a->metered != b->metered || a->roaming != b->roaming ||
        a->when_spent != b->when_spent || a->per_day != b->per_day || a->per_month != b->per_month ||
        memcmp(a->technology, b->technology, sizeof a->technology) != 0)
        return false;
    for (uint32_t i = 0; i < a->link_count; i++)
        if (!text_equal(p->links[a->links[i]].name, q->links[b->links[i]].name))
            return false;
    return true;
}

static const char *link_node(const struct plan *plan, const struct plan_link *link)
{
    return link->node == PLAN_NONE ? NULL : plan->nodes[link->node].name;
}

static bool links_equal(const struct plan *p, const struct plan *q)
{
    if (p->link_count != q->link_count)
        return false;
    for (uint32_t i = 0; i < p->link_count; i++) {
        const struct plan_link *a = &p->links[i], *b = &q->links[i];

        if (!text_equal(a->name, b->name) || !text_equal(a->interface, b->interface) ||
            !text_equal(link_node(p, a), link_node(q, b)) || a->is_up != b->is_up || a->is_metered != b->is_metered ||
            a->is_roaming != b->is_roaming || a->technology != b->technology || a->back_after_ns != b->back_after_ns)
            return false;
    }
    return true;
}

static bool edge_add(struct difference *d, const struct plan *plan, const struct plan_edge *edge,
                     struct difference_edge about)
{
    about.from = arena_print(d->arena, "%s.%s", plan->nodes[edge->from].name, from_port(plan, edge));
    about.to = arena_print(d->arena, "%s.%s", plan->nodes[edge->to].name, to_port(plan, edge));
    about.why = about.why ? about.why : "";
    d->edges[d->edge_count++] = about;
    return about.from && about.to;
}

static bool edges_compare(struct difference *d, const struct plan *before, const struct plan *after)
{
    uint32_t i, was;
    bool ok;

    d->edges = arena_take_array(d->arena, (size_t)before->edge_count + after->edge_count, sizeof *d->edges);
    ok = d->edges != NULL;
    for (i = 0; ok && i < after->edge_count; i++) {
        struct difference_edge e = { .kind = DIFFERENCE_ADDED, .after = i };

        e.before = was = edge_find(before, after, &after->edges[i]);
        e.why = was == PLAN_NONE ? NULL : edge_why(&before->edges[was], &after->edges[i]);
        if (was != PLAN_NONE && !e.why && !rules_equal(before, before->nodes[before->edges[was].to].link_rules, after,
                                                       after->nodes[after->edges[i].to].link_rules))
            e.why = "edge.links";
        if (was != PLAN_NONE)
            e.kind = e.why ? DIFFERENCE_CHANGED : DIFFERENCE_KEPT;
        ok = edge_add(d, after, &after->edges[i], e);
    }
    for (i = 0; ok && i < before->edge_count; i++)
        if (edge_find(after, before, &before->edges[i]) == PLAN_NONE)
            ok = edge_add(d, before, &before->edges[i],
                          (struct difference_edge){ .kind = DIFFERENCE_REMOVED, .before = i, .after = PLAN_NONE });
    return ok;
}

/* ---- settings ---- */

/* The first three cannot be changed while it runs: the store is known by them. */
enum { FIXED = 3 };
static const char *const fixed[FIXED] = { "name", "store_key", "store_limit" };

static bool settings_compare(struct difference *d, const struct plan *a, const struct plan *b)
{
    const struct {
        const char *key;
        bool differs;
    } all[SETTINGS] = {
        { fixed[0], !text_equal(a->name, b->name) },
        { fixed[1], !text_equal(a->store_key, b->store_key) },
        { fixed[2], a->store_limit != b->store_limit },
        { "memory_limit", a->memory_limit != b->memory_limit },
        { "commit_every", a->commit_every_ns != b->commit_every_ns },
        { "commit_records", a->commit_records != b->commit_records },
        { "commit_bytes", a->commit_bytes != b->commit_bytes },
        { "max_record", a->max_record != b->max_record },
        { "link", !links_equal(a, b) },
    };
    const char **keys = arena_take_array(d->arena, SETTINGS, sizeof *keys);

    d->settings = keys;
    for (int i = 0; keys && i < SETTINGS; i++)
        if (all[i].differs)
            keys[d->setting_count++] = all[i].key;
    return keys != NULL;
}

/* ---- whole ---- */

struct difference *difference_new(const struct plan *before, const struct plan *after)
{
    struct arena *arena = arena_new();
    struct difference *d = arena ? arena_take(arena, sizeof *d) : NULL;

    if (d)
        d->arena = arena;
    if (!d || !nodes_compare(d, before, after) || !edges_compare(d, before, after) ||
        !settings_compare(d, before, after)) {
        arena_free(&arena);
        return NULL;
    }
    return d;
}

void difference_free(struct difference **difference)
{
    struct arena *arena = *difference ? (*difference)->arena : NULL;

    arena_free(&arena);
    *difference = NULL;
}

bool difference_none(const struct difference *d)
{
    uint32_t i, n = d->setting_count;

    for (i = 0; i < d->node_count; i++)
        n += d->nodes[i].kind != DIFFERENCE_KEPT;
    for (i = 0; i < d->edge_count; i++)
        n += d->edges[i].kind != DIFFERENCE_KEPT;
    return n == 0;
}

const char *difference_fixed(const struct difference *d)
{
    uint32_t i, k;

    for (i = 0; i < d->setting_count; i++)
        for (k = 0; k < FIXED; k++)
            if (d->settings[i] == fixed[k])
                return fixed[k];
    return NULL;
}

const char *difference_word(enum difference_kind kind, bool is_edge)
{
    static const char *const words[] = { "kept", "restarted", "added", "removed" };

    return is_edge && kind == DIFFERENCE_CHANGED ? "changed" : words[kind];
}
