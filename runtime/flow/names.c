/* names.c - see names.h. */
#include "flow/names_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct names *names_open(void)
{
    struct names *n = calloc(1, sizeof *n);

    if (n && pthread_mutex_init(&n->lock, NULL) != 0) {
        free(n);
        n = NULL;
    }
    return n;
}

void names_clear(struct names *n)
{
    uint32_t i;

    for (i = 1; i <= n->subject_top; i++) {
        free(n->subjects[i].name);
        n->subjects[i] = (struct subject){ 0 };
    }
    for (i = 1; i <= n->stream_top; i++) {
        free(n->streams[i].name);
        n->streams[i] = (struct stream){ 0 };
    }
    for (i = 1; i <= n->schema_top; i++) {
        free(n->schemas[i].text);
        free(n->schemas[i].columns);
        n->schemas[i] = (struct schema){ 0 };
    }
    n->subject_top = n->stream_top = n->schema_top = 0;
    n->subject_frees = n->stream_frees = 0;
    n->ending_count = n->late_count = 0;
    atomic_store_explicit(&n->subjects_live, 0, memory_order_relaxed);
    atomic_store_explicit(&n->streams_live, 0, memory_order_relaxed);
}

void names_close(struct names **names)
{
    struct names *n = *names;

    if (!n)
        return;
    names_clear(n);
    free(n->late);
    pthread_mutex_destroy(&n->lock);
    free(n);
    *names = NULL;
}

/* What is stored of the table is another from here on. */
static void changed(struct names *n)
{
    atomic_fetch_add_explicit(&n->changes, 1, memory_order_relaxed);
}

uint64_t names_changes(const struct names *n)
{
    return atomic_load_explicit(&n->changes, memory_order_relaxed);
}

/* A free integer: one let go before, else the next new one; 0 when none. */
static uint32_t take_number(uint32_t *frees, const uint32_t *list, uint32_t *top, uint32_t bound)
{
    if (*frees > 0)
        return list[--*frees];
    return *top < bound ? ++*top : 0;
}

static uint32_t subject_find(const struct names *n, const char *name)
{
    uint32_t i;

    for (i = 1; i <= n->subject_top; i++)
        if (n->subjects[i].name && !(n->subjects[i].ending && n->subjects[i].by_source == 0) &&
            strcmp(n->subjects[i].name, name) == 0)
            return i;
    return 0;
}

static uint32_t subject_add(struct names *n, const char *name)
{
    char *copy = strdup(name);
    uint32_t id;

    if (!copy)
        return 0;
    id = take_number(&n->subject_frees, n->subject_free, &n->subject_top, NAMES_SUBJECTS);
    if (!id) {
        free(copy);
        return 0;
    }
    atomic_fetch_add_explicit(&n->subjects_live, 1, memory_order_relaxed);
    n->subjects[id].name = copy;
    n->subjects[id].by_source = 0;
    n->subjects[id].late = 0;
    memset(n->subjects[id].released, 0, sizeof n->subjects[id].released);
    n->subjects[id].streams = 0;
    n->subjects[id].claims = 0;
    n->subjects[id].is_made = false;
    n->subjects[id].held = 0;
    n->subjects[id].ending = false;
    n->subjects[id].born = ++n->births;
    changed(n);
    return id;
}

/* Streams of a source's subject that processors derive go with the source's. */
static bool counts(const struct subject *subject, struct names_by by)
{
    return !by.none && (by.is_source || subject->is_made);
}

uint32_t names_subject(struct names *n, const char *name, struct names_by by)
{
    uint32_t id;

    pthread_mutex_lock(&n->lock);
    id = subject_find(n, name);
    if (!id && !by.finds_only) {
        id = subject_add(n, name);
        if (id)
            n->subjects[id].is_made = !by.none && !by.is_source;
    }
    if (id && counts(&n->subjects[id], by) && !(n->subjects[id].claims & names_node_bit(by.node))) {
        n->subjects[id].claims |= names_node_bit(by.node);
        changed(n);
    }
    pthread_mutex_unlock(&n->lock);
    return id;
}

static uint32_t stream_find(const struct names *n, uint32_t subject, const char *name)
{
    uint32_t i;

    for (i = n->subjects[subject].streams; i; i = n->streams[i].next)
        if (strcmp(n->streams[i].name, name) == 0)
            return i;
    return 0;
}

static uint32_t stream_add(struct names *n, uint32_t subject, const char *name, uint32_t schema)
{
    char *copy = strdup(name);
    struct stream *s;
    uint32_t id;

    if (!copy)
        return 0;
    id = take_number(&n->stream_frees, n->stream_free, &n->stream_top, NAMES_STREAMS);
    if (!id) {
        free(copy);
        return 0;
    }
    s = &n->streams[id];
    s->name = copy;
    s->sources = 0;
    s->info.stream = id;
    s->info.subject = subject;
    s->info.schema = schema;
    s->info.name = copy;
    s->info.subject_name = n->subjects[subject].name;
    s->next = n->subjects[subject].streams;
    n->subjects[subject].streams = id;
    atomic_fetch_add_explicit(&n->streams_live, 1, memory_order_relaxed);
    changed(n);
    return id;
}

/* A node (again) writes to the stream: its subject is not over. */
static void stream_live(struct names *n, struct stream *s, uint32_t node)
{
    struct subject *subject = &n->subjects[s->info.subject];
    uint64_t bit = names_node_bit(node);

    if (!(s->sources & bit) || (subject->claims & bit))
        changed(n);
    if (s->sources == 0)
        subject->by_source++;
    s->sources |= bit;
    subject->claims &= ~bit;
}

uint32_t names_stream(struct names *n, uint32_t subject, const char *name, uint32_t schema, struct names_by by)
{
    uint32_t id = 0;

    pthread_mutex_lock(&n->lock);
    if (subject > 0 && subject <= n->subject_top && n->subjects[subject].name) {
        id = stream_find(n, subject, name);
        if (!id && !by.finds_only)
            id = stream_add(n, subject, name, schema);
        if (id && counts(&n->subjects[subject], by))
            stream_live(n, &n->streams[id], by.node);
    }
    pthread_mutex_unlock(&n->lock);
    return id;
}

uint32_t names_held(struct names *n, const char *subject, const char *stream, uint32_t schema, const uint32_t *kept,
                    uint32_t *ret_subject)
{
    uint32_t id, at;

    pthread_mutex_lock(&n->lock);
    at = kept ? names_kept(n, subject, stream, kept) : 0;
    id = at ? n->streams[at].info.subject : subject_find(n, subject);
    if (!id)
        id = subject_add(n, subject);
    if (id)
        at = stream_find(n, id, stream);
    if (id && !at)
        at = stream_add(n, id, stream, schema);
    if (at)
        n->subjects[id].held++;
    pthread_mutex_unlock(&n->lock);
    *ret_subject = id;
    return at;
}

/* ---- schemas ---- */

static const struct aff_column *column_at(const struct aff_schema *s, uint32_t i)
{
    return (const struct aff_column *)(const void *)((const char *)s->columns + (size_t)i * s->stride);
}

static const char *text_or(const char *text)
{
    return text ? text : "";
}

/* The canonical text; its hash is the schema's identity. */
static void schema_write(FILE *f, const struct aff_schema *s)
{
    uint32_t i;

    fprintf(f, "%u %u %u %" PRIu64 "/%" PRIu64 " %s\n", s->type, s->format, s->label, s->rate_num,
            s->rate_den, text_or(s->name));
    for (i = 0; i < s->count; i++) {
        const struct aff_column *c = column_at(s, i);

        fprintf(f, "%s\t%s\t%s\t%u %u %u %.17g %.17g\n", text_or(c->name), text_or(c->unit),
                text_or(c->code), c->type, c->label, c->required, c->gain, c->baseline);
    }
}

bool names_schema_hash(const struct aff_schema *s, uint64_t *ret_hash)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    if (!f)
        return false;
    schema_write(f, s);
    if (fclose(f) != 0) {
        free(text);
        return false;
    }
    *ret_hash = XXH3_64bits(text, size);
    free(text);
    return true;
}

static size_t texts_size(const struct aff_schema *s)
{
    size_t size = strlen(text_or(s->name)) + 1;
    uint32_t i;

    for (i = 0; i < s->count; i++) {
        const struct aff_column *c = column_at(s, i);

        size += strlen(text_or(c->name)) + strlen(text_or(c->unit)) + strlen(text_or(c->code)) + 3;
    }
    return size;
}

static const char *text_copy(char **at, const char *text)
{
    char *start = *at;

    if (!text)
        return NULL;
    *at = stpcpy(start, text) + 1;
    return start;
}

bool names_schema_copy(struct schema *to, const struct aff_schema *s)
{
    char *at = to->text = malloc(texts_size(s));
    uint32_t i;

    to->columns = calloc(s->count + 1u, sizeof *to->columns);
    if (!to->text || !to->columns) {
        free(to->text);
        free(to->columns);
        *to = (struct schema){ 0 };
        return false;
    }
    to->public = *s;
    to->public.struct_size = sizeof to->public;
    to->public.name = text_copy(&at, s->name);
    to->public.columns = to->columns;
    to->public.stride = sizeof *to->columns;
    for (i = 0; i < s->count; i++) {
        struct aff_column *c = &to->columns[i];

        *c = *column_at(s, i);
        c->name = text_copy(&at, c->name);
        c->unit = text_copy(&at, c->unit);
        c->code = text_copy(&at, c->code);
    }
    return true;
}

static uint32_t schema_find_or_add(struct names *n, const struct aff_schema *schema, uint64_t hash)
{
    uint32_t i;

    for (i = 1; i <= n->schema_top; i++)
        if (n->schemas[i].hash == hash)
            return i;
    if (n->schema_top == NAMES_SCHEMAS || !names_schema_copy(&n->schemas[n->schema_top + 1], schema))
        return 0;
    n->schemas[++n->schema_top].hash = hash;
    changed(n);
    return n->schema_top;
}

uint32_t names_schema(struct names *n, const struct aff_schema *schema)
{
    uint64_t hash;
    uint32_t id;

    if (!names_schema_hash(schema, &hash))
        return 0;
    pthread_mutex_lock(&n->lock);
    id = schema_find_or_add(n, schema, hash);
    pthread_mutex_unlock(&n->lock);
    return id;
}

/* ---- looking up ---- */

const char *names_subject_name(const struct names *n, uint32_t subject)
{
    return subject > 0 && subject <= NAMES_SUBJECTS ? n->subjects[subject].name : NULL;
}

uint32_t names_subject_generation(const struct names *n, uint32_t subject)
{
    return subject <= NAMES_SUBJECTS ? n->subjects[subject].generation : 0;
}

const struct aff_stream_info *names_stream_info(const struct names *n, uint32_t stream)
{
    if (stream == 0 || stream > NAMES_STREAMS || !n->streams[stream].name)
        return NULL;
    return &n->streams[stream].info;
}

const struct aff_schema *names_schema_info(const struct names *n, uint32_t schema)
{
    if (schema == 0 || schema > NAMES_SCHEMAS || !n->schemas[schema].text)
        return NULL;
    return &n->schemas[schema].public;
}

uint64_t names_schema_identity(const struct names *n, uint32_t schema)
{
    return names_schema_info(n, schema) ? n->schemas[schema].hash : 0;
}

uint32_t names_schema_find(struct names *n, uint64_t identity)
{
    uint32_t i;

    pthread_mutex_lock(&n->lock);
    for (i = n->schema_top; i > 0 && n->schemas[i].hash != identity; i--)
        continue;
    pthread_mutex_unlock(&n->lock);
    return i;
}

static uint64_t hash_of(const char *name, uint64_t seed)
{
    return XXH3_64bits_withSeed(name, strlen(name), seed);
}

bool names_subject_is(struct names *n, uint32_t subject, uint32_t generation, uint64_t *ret_name)
{
    const char *name;
    bool is;

    pthread_mutex_lock(&n->lock);
    name = names_subject_name(n, subject);
    is = name && n->subjects[subject].generation == generation;
    if (is)
        *ret_name = hash_of(name, 0);
    pthread_mutex_unlock(&n->lock);
    return is;
}

bool names_stream_is(struct names *n, uint32_t stream, uint32_t generation, uint64_t *ret_name)
{
    const struct aff_stream_info *info;
    bool is;

    pthread_mutex_lock(&n->lock);
    info = names_stream_info(n, stream);
    is = info && info->generation == generation;
    if (is)
        *ret_name = hash_of(info->name, hash_of(info->subject_name, 0));
    pthread_mutex_unlock(&n->lock);
    return is;
}

uint32_t names_subjects(const struct names *n)
{
    return atomic_load_explicit(&n->subjects_live, memory_order_relaxed);
}

uint32_t names_streams(const struct names *n)
{
    return atomic_load_explicit(&n->streams_live, memory_order_relaxed);
}

/* ---- letting go ---- */

void names_ending(struct names *n, uint32_t subject)
{
    if (n->subjects[subject].ending)
        return;
    n->subjects[subject].ending = true;
    n->ending[n->ending_count++] = subject;
    changed(n);
}

/* Nobody writes to it, or will: it goes once its last epoch is committed. */
static bool is_over(const struct subject *subject)
{
    return subject->by_source == 0 && subject->claims == 0;
}

/* Without memory it is taken for committed: after a crash right here the name
 * would mean a new subject. */
static void late_note(struct names *n, uint32_t stream, uint64_t nodes, uint64_t when)
{
    uint32_t room = n->late_room ? n->late_room * 2u : 64u;

    if (n->late_count == n->late_room) {
        struct late *more = realloc(n->late, room * sizeof *more);

        if (!more)
            return;
        n->late = more;
        n->late_room = room;
    }
    n->late[n->late_count++] = (struct late){ when, nodes, stream };
    n->subjects[n->streams[stream].info.subject].late++;
}

void names_end(struct names *n, uint32_t stream, uint32_t node, uint64_t when)
{
    struct subject *subject;
    struct stream *s;

    if (stream == 0 || stream > NAMES_STREAMS)
        return;
    pthread_mutex_lock(&n->lock);
    s = &n->streams[stream];
    if (s->name && (s->sources & names_node_bit(node))) {
        subject = &n->subjects[s->info.subject];
        s->sources &= ~names_node_bit(node);
        late_note(n, stream, names_node_bit(node), when);
        subject->by_source -= s->sources == 0;
        if (is_over(subject))
            names_ending(n, s->info.subject);
        changed(n);
    }
    pthread_mutex_unlock(&n->lock);
}

void names_hold(struct names *n, uint32_t stream)
{
    pthread_mutex_lock(&n->lock);
    n->subjects[n->streams[stream].info.subject].held++;
    pthread_mutex_unlock(&n->lock);
}

/* Whether a release as late in the same domain was noted. What that release stands for
 * may be committed by now, and then this one's is, too. */
static bool is_noted(struct subject *subject, uint64_t when)
{
    uint64_t *latest = &subject->released[(when >> 48) % NAMES_RELEASES];

    if (*latest >> 48 == when >> 48 && *latest >= when)
        return true;
    *latest = when;
    return false;
}

/* Not the last one alone: what another lane let go before may still be on its way there.
 * A subject that no node of this run ever wrote to, read back from the store, goes with
 * the last of its records. */
void names_unhold(struct names *n, uint32_t stream, uint64_t when)
{
    struct subject *subject;
    uint32_t id;

    pthread_mutex_lock(&n->lock);
    id = n->streams[stream].info.subject;
    subject = &n->subjects[id];
    if (!is_noted(subject, when))
        late_note(n, stream, 0, when);
    if (--subject->held == 0 && is_over(subject))
        names_ending(n, id);
    pthread_mutex_unlock(&n->lock);
}

static void subject_free(struct names *n, uint32_t id)
{
    struct subject *subject = &n->subjects[id];
    uint32_t i, next;

    for (i = subject->streams; i; i = next) {
        struct stream *s = &n->streams[i];

        next = s->next;
        free(s->name);
        s->name = NULL;
        s->info.generation++;
        n->stream_free[n->stream_frees++] = i;
        atomic_fetch_sub_explicit(&n->streams_live, 1, memory_order_relaxed);
    }
    atomic_fetch_sub_explicit(&n->subjects_live, 1, memory_order_relaxed);
    free(subject->name);
    subject->name = NULL;
    subject->generation++;
    n->subject_free[n->subject_frees++] = id;
    changed(n);
}

static void late_forget(struct names *n, uint64_t committed)
{
    uint32_t i, left = 0;

    for (i = 0; i < n->late_count; i++) {
        const struct late *l = &n->late[i];

        if (names_within(l->when, committed))
            n->subjects[n->streams[l->stream].info.subject].late--;
        else
            n->late[left++] = *l;
    }
    if (left < n->late_count)
        changed(n);
    n->late_count = left;
}

void names_commit(struct names *n, uint64_t committed)
{
    uint32_t i, left = 0;

    pthread_mutex_lock(&n->lock);
    late_forget(n, committed);
    for (i = 0; i < n->ending_count; i++) {
        struct subject *subject = &n->subjects[n->ending[i]];

        if (!is_over(subject)) { /* it came back */
            subject->ending = false;
            changed(n);
        } else if (subject->late == 0 && subject->held == 0) {
            subject->ending = false;
            subject_free(n, n->ending[i]);
        } else {
            n->ending[left++] = n->ending[i];
        }
    }
    n->ending_count = left;
    pthread_mutex_unlock(&n->lock);
}
