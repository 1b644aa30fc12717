/* names_keep.c - the table of names as bytes, and back with the same integers.
 *
 * What is stored is the table as it was at the end of the group's epochs, as far as
 * that matters: an end that came later is taken back, so that the node which replays
 * that part ends the stream once more; and a subject that took over the name of one
 * that is alive again by this is left out. What was merely added later stays: the
 * replay asks for it by the same names.
 *
 * Not here: the table while a pipeline runs (names.c), records (wire.c). */
#include <stdlib.h>
#include <string.h>

#include "flow/names_inside.h"
#include "flow/wire.h"

enum { KEEP_VERSION = 1, NODE_BITS = 64 };
enum { SUBJECT_IN_USE = 1, SUBJECT_ENDING = 2, SUBJECT_MADE = 4 };

/* The least that a column and an entry take: how many a length may promise. */
enum { COLUMN_LEAST = 3 * 4 + 3 + 2 * 8 };

/* What is not in the group. */
struct later {
    uint64_t nodes[NAMES_STREAMS + 1]; /* bits of stream.sources to be given back */
    bool back[NAMES_SUBJECTS + 1];     /* is written to again by these */
    bool left_out[NAMES_SUBJECTS + 1];
};

/* ---- what came later ---- */

static bool in_group(const struct wire_group *group, uint64_t when)
{
    uint32_t domain;

    for (domain = 0; domain < group->domain_count; domain++)
        if (names_within(when, names_when(domain, group->below[domain])))
            return true;
    return false;
}

/* A subject that goes by its name: asking for the name finds the oldest of these. */
static bool is_found(const struct names *n, const struct later *later, uint32_t subject)
{
    const struct subject *s = &n->subjects[subject];

    return s->name && (!s->ending || s->by_source > 0 || later->back[subject]);
}

static void leave_out(const struct names *n, struct later *later, uint32_t old)
{
    uint32_t i;

    for (i = 1; i <= n->subject_top; i++)
        if (i != old && is_found(n, later, i) && n->subjects[i].born > n->subjects[old].born &&
            strcmp(n->subjects[i].name, n->subjects[old].name) == 0)
            later->left_out[i] = true;
}

static void find_later(const struct names *n, const struct wire_group *group, struct later *later)
{
    uint32_t i;

    for (i = 0; i < n->late_count; i++) {
        const struct late *l = &n->late[i];

        if (l->nodes == 0 || in_group(group, l->when))
            continue;
        later->nodes[l->stream] |= l->nodes;
        later->back[n->streams[l->stream].info.subject] = true;
    }
    for (i = 1; i <= n->subject_top; i++)
        if (later->back[i])
            leave_out(n, later, i);
}

/* ---- writing ---- */

static void real(struct wire *w, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    wire_u64(w, bits);
}

static void schema_out(struct wire *w, const struct aff_schema *s)
{
    uint32_t i;

    wire_u8(w, s->type);
    wire_u8(w, s->format);
    wire_u8(w, s->label);
    wire_u64(w, s->rate_num);
    wire_u64(w, s->rate_den);
    wire_text(w, s->name);
    wire_u32(w, s->count);
    for (i = 0; i < s->count; i++) {
        wire_text(w, s->columns[i].name);
        wire_text(w, s->columns[i].unit);
        wire_text(w, s->columns[i].code);
        wire_u8(w, s->columns[i].type);
        wire_u8(w, s->columns[i].label);
        wire_u8(w, s->columns[i].required);
        real(w, s->columns[i].gain);
        real(w, s->columns[i].baseline);
    }
}

/* An integer that is free, or taken by what is left out, has its generation alone:
 * state of whoever had it last is then nobody's. */
static void subject_out(struct wire *w, const struct names *n, const struct later *later, uint32_t id)
{
    const struct subject *s = &n->subjects[id];
    bool is_over = s->by_source == 0 && s->claims == 0 && !later->back[id];

    if (!s->name || later->left_out[id]) {
        wire_u8(w, 0);
        wire_u32(w, s->generation + later->left_out[id]);
        return;
    }
    wire_u8(w, (uint8_t)(SUBJECT_IN_USE | (s->ending && is_over ? SUBJECT_ENDING : 0) |
                         (s->is_made ? SUBJECT_MADE : 0)));
    wire_u32(w, s->generation);
    wire_text(w, s->name);
    wire_u64(w, s->claims);
}

static void stream_out(struct wire *w, const struct names *n, const struct later *later, uint32_t id)
{
    const struct stream *s = &n->streams[id];
    bool left_out = s->name && later->left_out[s->info.subject];

    if (!s->name || left_out) {
        wire_u32(w, 0);
        wire_u32(w, s->info.generation + left_out);
        return;
    }
    wire_u32(w, s->info.subject);
    wire_u32(w, s->info.generation);
    wire_u32(w, s->info.schema);
    wire_text(w, s->name);
    wire_u64(w, s->sources | later->nodes[id]);
}

static void table_out(struct wire *w, const struct names *n, const struct later *later)
{
    uint32_t i;

    wire_u32(w, n->schema_top);
    for (i = 1; i <= n->schema_top; i++)
        schema_out(w, &n->schemas[i].public);
    wire_u32(w, n->subject_top);
    for (i = 1; i <= n->subject_top; i++)
        subject_out(w, n, later, i);
    wire_u32(w, n->stream_top);
    for (i = 1; i <= n->stream_top; i++)
        stream_out(w, n, later, i);
}

void wire_names(struct wire *w, struct names *n, const struct wire_group *group)
{
    struct later *later = calloc(1, sizeof *later);
    uint32_t i;

    if (!later) {
        w->failed = true;
        return;
    }
    wire_u8(w, KEEP_VERSION);
    wire_u32(w, group->node_count);
    for (i = 0; i < group->node_count; i++)
        wire_text(w, group->nodes[i]);
    pthread_mutex_lock(&n->lock);
    find_later(n, group, later);
    table_out(w, n, later);
    pthread_mutex_unlock(&n->lock);
    free(later);
}

/* ---- reading ---- */

static double real_in(struct wire_in *in)
{
    uint64_t bits = wire_in_u64(in);
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Texts are borrowed from the bytes, columns are given. False: bad, or no memory. */
static bool schema_in(struct wire_in *in, struct aff_schema *ret, struct aff_column **ret_columns)
{
    struct aff_column *c;
    uint32_t i;

    *ret_columns = NULL;
    *ret = (struct aff_schema){ .struct_size = sizeof *ret, .stride = sizeof *c };
    ret->type = wire_in_u8(in);
    ret->format = wire_in_u8(in);
    ret->label = wire_in_u8(in);
    ret->rate_num = wire_in_u64(in);
    ret->rate_den = wire_in_u64(in);
    ret->name = wire_in_text(in);
    ret->count = wire_in_u32(in);
    if (in->bad || ret->type < AFF_BYTES || ret->type > AFF_IMAGE || ret->label > AFF_LABEL_PHI ||
        ret->count > (size_t)(in->end - in->at) / COLUMN_LEAST)
        return false;
    c = calloc(ret->count + 1u, sizeof *c);
    ret->columns = *ret_columns = c;
    for (i = 0; c && i < ret->count; i++, c++) {
        c->name = wire_in_text(in);
        c->unit = wire_in_text(in);
        c->code = wire_in_text(in);
        c->type = wire_in_u8(in);
        c->label = wire_in_u8(in);
        c->required = wire_in_u8(in);
        c->gain = real_in(in);
        c->baseline = real_in(in);
    }
    return c && !in->bad;
}

static void nodes_skip(struct wire_in *in)
{
    uint32_t i, count = wire_in_u32(in);

    for (i = 0; i < count && !in->bad; i++)
        wire_in_text(in);
}

/* ret_map: by bit of then, bits of now. */
static void nodes_in(struct wire_in *in, const char *const *nodes, uint32_t node_count, uint64_t *ret_map)
{
    uint32_t i, k, count = wire_in_u32(in);

    for (i = 0; i < count && !in->bad; i++) {
        const char *name = wire_in_text(in);

        for (k = 0; name && k < node_count; k++)
            if (strcmp(name, nodes[k]) == 0)
                ret_map[i % NODE_BITS] |= names_node_bit(k);
    }
}

static uint64_t mapped(const uint64_t *map, uint64_t bits)
{
    uint64_t now = 0;
    uint32_t i;

    for (i = 0; i < NODE_BITS; i++)
        if (bits >> i & 1u)
            now |= map[i];
    return now;
}

static bool schemas_in(struct wire_in *in, struct names *n)
{
    uint32_t i, count = wire_in_u32(in);

    if (count > NAMES_SCHEMAS)
        return false;
    for (i = 1; i <= count; i++) {
        struct schema *to = &n->schemas[i];
        struct aff_column *columns;
        struct aff_schema schema;
        bool ok = schema_in(in, &schema, &columns) && names_schema_hash(&schema, &to->hash) &&
                  names_schema_copy(to, &schema);

        free(columns);
        if (!ok)
            return false;
        n->schema_top = i;
    }
    return true;
}

/* ret_was: whether somebody was to write to it, by the nodes of then. */
static bool subject_in(struct wire_in *in, struct names *n, uint32_t id, const uint64_t *map, bool *ret_was)
{
    struct subject *s = &n->subjects[id];
    uint8_t state = wire_in_u8(in);
    const char *name;
    uint64_t claims;

    n->subject_top = id;
    s->generation = wire_in_u32(in);
    if (state == 0)
        return !in->bad;
    name = wire_in_text(in);
    claims = wire_in_u64(in);
    if (in->bad || !name || !(state & SUBJECT_IN_USE) || state > (SUBJECT_IN_USE | SUBJECT_ENDING | SUBJECT_MADE))
        return false;
    s->name = strdup(name);
    s->claims = mapped(map, claims);
    s->is_made = (state & SUBJECT_MADE) != 0;
    s->born = ++n->births;
    *ret_was = claims != 0 || (state & SUBJECT_ENDING) != 0;
    return s->name != NULL;
}

static bool stream_in(struct wire_in *in, struct names *n, uint32_t id, const uint64_t *map, bool *was)
{
    uint32_t subject = wire_in_u32(in), generation = wire_in_u32(in), schema;
    struct stream *s = &n->streams[id];
    const char *name;
    uint64_t sources;

    n->stream_top = id;
    s->info.generation = generation;
    if (subject == 0)
        return !in->bad;
    schema = wire_in_u32(in);
    name = wire_in_text(in);
    sources = wire_in_u64(in);
    if (in->bad || !name || subject > n->subject_top || !n->subjects[subject].name || schema > n->schema_top)
        return false;
    s->name = strdup(name);
    if (!s->name)
        return false;
    s->info = (struct aff_stream_info){ .stream = id, .subject = subject, .generation = generation,
                                        .schema = schema, .name = s->name,
                                        .subject_name = n->subjects[subject].name };
    s->sources = mapped(map, sources);
    s->next = n->subjects[subject].streams;
    n->subjects[subject].streams = id;
    n->subjects[subject].by_source += s->sources != 0;
    was[subject] |= sources != 0;
    return true;
}

/* Integers that are free, how many are not, and what is over. */
static void table_finish(struct names *n, const bool *was)
{
    uint32_t i, streams = 0, subjects = 0;

    for (i = n->stream_top; i > 0; i--) {
        if (n->streams[i].name)
            streams++;
        else
            n->stream_free[n->stream_frees++] = i;
    }
    for (i = n->subject_top; i > 0; i--) {
        const struct subject *s = &n->subjects[i];

        subjects += s->name != NULL;
        if (!s->name)
            n->subject_free[n->subject_frees++] = i;
        else if (was[i] && s->by_source == 0 && s->claims == 0)
            names_ending(n, i);
    }
    atomic_store_explicit(&n->streams_live, streams, memory_order_relaxed);
    atomic_store_explicit(&n->subjects_live, subjects, memory_order_relaxed);
}

static bool table_in(struct wire_in *in, struct names *n, const uint64_t *map, bool *was)
{
    uint32_t i, count;

    if (!schemas_in(in, n) || (count = wire_in_u32(in)) > NAMES_SUBJECTS)
        return false;
    for (i = 1; i <= count; i++)
        if (!subject_in(in, n, i, map, &was[i]))
            return false;
    count = wire_in_u32(in);
    if (count > NAMES_STREAMS)
        return false;
    for (i = 1; i <= count; i++)
        if (!stream_in(in, n, i, map, was))
            return false;
    return !in->bad && in->at == in->end;
}

bool wire_names_read(const void *bytes, size_t size, struct names *n, const char *const *nodes,
                     uint32_t node_count)
{
    struct wire_in in = { bytes, (const uint8_t *)bytes + size, false };
    bool was[NAMES_SUBJECTS + 1] = { false }, ok = wire_in_u8(&in) == KEEP_VERSION;
    uint64_t map[NODE_BITS] = { 0 };

    pthread_mutex_lock(&n->lock);
    if (ok) {
        nodes_in(&in, nodes, node_count, map);
        ok = table_in(&in, n, map, was);
    }
    if (ok)
        table_finish(n, was);
    else
        names_clear(n);
    pthread_mutex_unlock(&n->lock);
    return ok;
}

/* ---- one schema, without a table ---- */

static size_t text_size(const char *text)
{
    return text ? strlen(text) + 1u : 0;
}

static const char *text_move(char **at, const char *text)
{
    char *start = *at;

    if (!text)
        return NULL;
    *at = stpcpy(start, text) + 1;
    return start;
}

/* All in one piece, so that it is freed as one. */
static struct aff_schema *schema_whole(const struct aff_schema *s)
{
    size_t size = sizeof *s + s->count * sizeof *s->columns + text_size(s->name);
    struct aff_schema *to;
    struct aff_column *c;
    uint32_t i;
    char *at;

    for (i = 0; i < s->count; i++)
        size += text_size(s->columns[i].name) + text_size(s->columns[i].unit) + text_size(s->columns[i].code);
    to = malloc(size);
    if (!to)
        return NULL;
    c = (struct aff_column *)(void *)(to + 1);
    at = (char *)(c + s->count);
    *to = *s;
    to->columns = c;
    to->name = text_move(&at, s->name);
    for (i = 0; i < s->count; i++) {
        c[i] = s->columns[i];
        c[i].name = text_move(&at, c[i].name);
        c[i].unit = text_move(&at, c[i].unit);
        c[i].code = text_move(&at, c[i].code);
    }
    return to;
}

struct aff_schema *wire_schema_find(const void *bytes, size_t size, uint64_t hash)
{
    struct wire_in in = { bytes, (const uint8_t *)bytes + size, false };
    struct aff_schema schema, *found = NULL;
    struct aff_column *columns;
    uint32_t i, count;
    uint64_t is;
    bool ok;

    if (wire_in_u8(&in) != KEEP_VERSION)
        return NULL;
    nodes_skip(&in);
    count = wire_in_u32(&in);
    for (i = 0, ok = true; i < count && ok && !found; i++) {
        ok = schema_in(&in, &schema, &columns) && names_schema_hash(&schema, &is);
        if (ok && is == hash)
            found = schema_whole(&schema);
        free(columns);
    }
    return found;
}
