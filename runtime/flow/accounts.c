/* accounts.c - see accounts.h.
 *
 * The bytes: version, head, the names of the numbers of a node and of an edge, then
 * nodes and edges with as many numbers as there are names. A number whose name this
 * version does not know is passed over; one that is missing is 0. */
#include "flow/accounts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/arena.h"

enum { FORMAT_VERSION = 1, NAMES_MOST = 64, ITEMS_MOST = 65536, LEAST_BYTES = 8 };

struct number {
    const char *name;
    int side; /* of the equation: +1 came in, -1 went, 0 beside it */
};

static const struct number numbers[ACCOUNTS_NUMBERS] = {
    [ACCOUNTS_IN] = { "in", 1 },
    [ACCOUNTS_MADE] = { "made", 1 },
    [ACCOUNTS_RESTORED] = { "restored", 1 },
    [ACCOUNTS_RETRIED] = { "retried", 1 },
    [ACCOUNTS_PASSED] = { "passed", -1 },
    [ACCOUNTS_REPLACED] = { "replaced", -1 },
    [ACCOUNTS_ROUTED] = { "routed", -1 },
    [ACCOUNTS_EMITTED] = { "emitted", -1 },
    [ACCOUNTS_USED] = { "used", -1 },
    [ACCOUNTS_DROPPED] = { "dropped", -1 },
    [ACCOUNTS_DEAD] = { "dead", -1 },
    [ACCOUNTS_EXPIRED] = { "expired", -1 },
    [ACCOUNTS_HELD] = { "held", -1 },
    [ACCOUNTS_QUEUED] = { "queued", -1 },
    [ACCOUNTS_BYTES_COPIED] = { "bytes_copied", 0 },
    [ACCOUNTS_BYTES_ISOLATED] = { "bytes_isolated", 0 },
    [ACCOUNTS_UNSAFE] = { "unsafe", 0 },
    [ACCOUNTS_AT_RISK] = { "at_risk", 0 },
};

static const struct number ways[ACCOUNTS_WAYS] = {
    [ACCOUNTS_PUT] = { "put", 1 },
    [ACCOUNTS_TAKEN] = { "taken", -1 },
    [ACCOUNTS_EDGE_DROPPED] = { "dropped", -1 },
    [ACCOUNTS_EDGE_LOST] = { "lost", -1 },
    [ACCOUNTS_EDGE_EXPIRED] = { "expired", -1 },
    [ACCOUNTS_EDGE_QUEUED] = { "queued", -1 },
    [ACCOUNTS_EDGE_STORED] = { "stored", 0 },
};

const char *accounts_number_name(enum accounts_number number)
{
    return numbers[number].name;
}

const char *accounts_way_name(enum accounts_way way)
{
    return ways[way].name;
}

/* ---- memory ---- */

static bool items_fit(struct accounts *a, uint32_t node_count, uint32_t edge_count)
{
    a->nodes = arena_take_array(a->arena, node_count, sizeof *a->nodes);
    a->edges = arena_take_array(a->arena, edge_count, sizeof *a->edges);
    if (!a->nodes || !a->edges)
        return false;
    a->node_count = node_count;
    a->edge_count = edge_count;
    for (uint32_t i = 0; i < edge_count; i++)
        a->edges[i].oldest_ns = INT64_MAX;
    return true;
}

static struct accounts *accounts_empty(void)
{
    struct arena *arena = arena_new();
    struct accounts *a = arena ? arena_take(arena, sizeof *a) : NULL;

    if (a)
        a->arena = arena;
    else
        arena_free(&arena);
    return a;
}

struct accounts *accounts_new(uint32_t node_count, uint32_t edge_count)
{
    struct accounts *a = accounts_empty();

    if (a && !items_fit(a, node_count, edge_count))
        accounts_free(&a);
    return a;
}

bool accounts_reasons(struct accounts *a, uint32_t node, uint32_t count)
{
    struct accounts_node *n = &a->nodes[node];

    n->reasons = arena_take_array(a->arena, count, sizeof *n->reasons);
    n->reason_count = n->reasons ? count : 0;
    return n->reasons != NULL;
}

void accounts_free(struct accounts **accounts)
{
    struct arena *arena = *accounts ? (*accounts)->arena : NULL;

    *accounts = NULL;
    arena_free(&arena);
}

/* ---- writing ---- */

static void write_text(struct wire *wire, const char *text)
{
    wire_text(wire, text ? text : "");
}

static void write_names(struct wire *wire, const struct number *of, uint32_t count)
{
    wire_u32(wire, count);
    for (uint32_t i = 0; i < count; i++)
        write_text(wire, of[i].name);
}

static void write_numbers(struct wire *wire, const uint64_t *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        wire_u64(wire, values[i]);
}

static void write_node(struct wire *wire, const struct accounts_node *n)
{
    write_text(wire, n->name);
    write_text(wire, n->plugin);
    wire_u32(wire, n->kind);
    write_numbers(wire, n->numbers, ACCOUNTS_NUMBERS);
    wire_u32(wire, n->reason_count);
    for (uint32_t i = 0; i < n->reason_count; i++) {
        write_text(wire, n->reasons[i].name);
        wire_u32(wire, n->reasons[i].kind);
        wire_u64(wire, n->reasons[i].count);
    }
}

static void write_edge(struct wire *wire, const struct accounts_edge *e)
{
    write_text(wire, e->from);
    write_text(wire, e->from_port);
    write_text(wire, e->to);
    write_text(wire, e->to_port);
    write_numbers(wire, e->numbers, ACCOUNTS_WAYS);
    wire_u64(wire, (uint64_t)e->oldest_ns);
}

void accounts_write(struct wire *wire, const struct accounts *a)
{
    wire_u32(wire, FORMAT_VERSION);
    write_text(wire, a->pipeline);
    wire_u64(wire, (uint64_t)a->since_utc_ns);
    wire_u64(wire, (uint64_t)a->committed_utc_ns);
    wire_u64(wire, a->commits);
    wire_u64(wire, a->runs);
    wire_u64(wire, a->deaths);
    wire_u64(wire, a->lost);
    wire_u64(wire, a->set_aside);
    wire_u8(wire, a->clean);
    write_names(wire, numbers, ACCOUNTS_NUMBERS);
    write_names(wire, ways, ACCOUNTS_WAYS);
    wire_u32(wire, a->node_count);
    for (uint32_t i = 0; i < a->node_count; i++)
        write_node(wire, &a->nodes[i]);
    wire_u32(wire, a->edge_count);
    for (uint32_t i = 0; i < a->edge_count; i++)
        write_edge(wire, &a->edges[i]);
}

/* ---- reading ---- */

/* Where the numbers of the bytes belong here: by column; count of our own: nowhere. */
struct columns {
    uint32_t count;
    uint32_t ours[NAMES_MOST];
    uint32_t unknown;
};

struct reader {
    struct wire_in in;
    struct accounts *to;
    struct columns node;
    struct columns edge;
};

/* A text of the reader's own; NULL: bad, or no memory. */
static const char *read_text(struct reader *r)
{
    const char *text = wire_in_text(&r->in);
    const char *copy = text ? arena_copy(r->to->arena, text, strlen(text)) : NULL;

    if (!copy)
        r->in.bad = true;
    return copy;
}

/* A count of items of at least LEAST_BYTES each: what cannot be there is refused
 * before memory is taken for it. */
static uint32_t read_count(struct reader *r)
{
    uint32_t count = wire_in_u32(&r->in);

    if (!r->in.bad && (count > ITEMS_MOST || count > (size_t)(r->in.end - r->in.at) / LEAST_BYTES))
        r->in.bad = true;
    return r->in.bad ? 0 : count;
}

static void read_columns(struct reader *r, struct columns *columns, const struct number *of, uint32_t count)
{
    columns->count = wire_in_u32(&r->in);
    columns->unknown = count;
    if (columns->count > NAMES_MOST)
        r->in.bad = true;
    for (uint32_t i = 0; i < columns->count && !r->in.bad; i++) {
        const char *name = wire_in_text(&r->in);

        if (!name)
            r->in.bad = true;
        columns->ours[i] = 0;
        while (name && columns->ours[i] < count && strcmp(of[columns->ours[i]].name, name) != 0)
            columns->ours[i]++;
    }
}

static void read_numbers(struct reader *r, const struct columns *columns, uint64_t *values)
{
    for (uint32_t i = 0; i < columns->count && !r->in.bad; i++) {
        uint64_t value = wire_in_u64(&r->in);

        if (columns->ours[i] < columns->unknown)
            values[columns->ours[i]] = value;
    }
}

static void read_reason(struct reader *r, struct accounts_reason *reason)
{
    reason->name = read_text(r);
    reason->kind = wire_in_u32(&r->in);
    reason->count = wire_in_u64(&r->in);
}

static void read_node(struct reader *r, uint32_t index)
{
    struct accounts_node *n = &r->to->nodes[index];
    uint32_t count;

    n->name = read_text(r);
    n->plugin = read_text(r);
    n->kind = wire_in_u32(&r->in);
    read_numbers(r, &r->node, n->numbers);
    count = read_count(r);
    if (!r->in.bad && !accounts_reasons(r->to, index, count))
        r->in.bad = true;
    for (uint32_t i = 0; i < count && !r->in.bad; i++)
        read_reason(r, &n->reasons[i]);
}

static void read_edge(struct reader *r, struct accounts_edge *e)
{
    e->from = read_text(r);
    e->from_port = read_text(r);
    e->to = read_text(r);
    e->to_port = read_text(r);
    read_numbers(r, &r->edge, e->numbers);
    e->oldest_ns = (int64_t)wire_in_u64(&r->in);
}

static void read_head(struct reader *r)
{
    struct accounts *a = r->to;

    if (wire_in_u32(&r->in) != FORMAT_VERSION)
        r->in.bad = true;
    a->pipeline = read_text(r);
    a->since_utc_ns = (int64_t)wire_in_u64(&r->in);
    a->committed_utc_ns = (int64_t)wire_in_u64(&r->in);
    a->commits = wire_in_u64(&r->in);
    a->runs = wire_in_u64(&r->in);
    a->deaths = wire_in_u64(&r->in);
    a->lost = wire_in_u64(&r->in);
    a->set_aside = wire_in_u64(&r->in);
    a->clean = wire_in_u8(&r->in) != 0;
    read_columns(r, &r->node, numbers, ACCOUNTS_NUMBERS);
    read_columns(r, &r->edge, ways, ACCOUNTS_WAYS);
}

static void read_items(struct reader *r)
{
    struct accounts *a = r->to;
    uint32_t count = read_count(r);

    a->nodes = arena_take_array(a->arena, count, sizeof *a->nodes);
    a->node_count = a->nodes ? count : 0;
    for (uint32_t i = 0; i < a->node_count && !r->in.bad; i++)
        read_node(r, i);
    count = read_count(r);
    a->edges = arena_take_array(a->arena, count, sizeof *a->edges);
    a->edge_count = a->edges ? count : 0;
    for (uint32_t i = 0; i < a->edge_count && !r->in.bad; i++)
        read_edge(r, &a->edges[i]);
    if (!a->nodes || !a->edges || r->in.at != r->in.end)
        r->in.bad = true;
}

bool accounts_read(const void *bytes, size_t size, struct accounts **ret_accounts)
{
    struct reader r = { .in = { .at = bytes, .end = (const uint8_t *)bytes + size } };

    r.to = accounts_empty();
    if (!r.to)
        return false;
    read_head(&r);
    if (!r.in.bad)
        read_items(&r);
    if (r.in.bad) {
        accounts_free(&r.to);
        return false;
    }
    *ret_accounts = r.to;
    return true;
}

/* ---- whether it agrees ---- */

/* What came in less what went: 0 where it balances. */
static int64_t difference(const uint64_t *values, const struct number *of, uint32_t count)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (of[i].side > 0)
            sum += values[i];
        else if (of[i].side < 0)
            sum -= values[i];
    }
    return (int64_t)sum;
}

bool accounts_node_balances(const struct accounts_node *n)
{
    return difference(n->numbers, numbers, ACCOUNTS_NUMBERS) == 0;
}

bool accounts_edge_balances(const struct accounts_edge *e)
{
    return difference(e->numbers, ways, ACCOUNTS_WAYS) == 0;
}

/* "%lld more" or "fewer", as a person says it. */
static void say_difference(char *why, size_t room, const char *where, int64_t more, const char *in, const char *out)
{
    uint64_t by = more < 0 ? (uint64_t)0 - (uint64_t)more : (uint64_t)more;

    if (room > 0)
        snprintf(why, room, "%s: %s is %" PRIu64 " %s than %s", where, in, by, more < 0 ? "less" : "more", out);
}

bool accounts_balance(const struct accounts *a, char *ret_why, size_t room)
{
    char where[160];

    for (uint32_t i = 0; i < a->node_count; i++) {
        const struct accounts_node *n = &a->nodes[i];

        if (accounts_node_balances(n))
            continue;
        snprintf(where, sizeof where, "[%s]", n->name ? n->name : "");
        say_difference(ret_why, room, where, difference(n->numbers, numbers, ACCOUNTS_NUMBERS),
                       "what came in and was made", "what became of it");
        return false;
    }
    for (uint32_t i = 0; i < a->edge_count; i++) {
        const struct accounts_edge *e = &a->edges[i];

        if (accounts_edge_balances(e))
            continue;
        snprintf(where, sizeof where, "%s -> %s", e->from ? e->from : "", e->to ? e->to : "");
        say_difference(ret_why, room, where, difference(e->numbers, ways, ACCOUNTS_WAYS), "what was put in",
                       "what was taken, dropped, lost, expired or is queued");
        return false;
    }
    return true;
}
