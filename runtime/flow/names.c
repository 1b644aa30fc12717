/* names.c - see names.h. */
#include "flow/names.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct subject {
    char *name;
    uint32_t generation;
    uint32_t by_source; /* streams that a source (or a maker) still writes to */
    uint32_t streams;   /* head of its list, 0: none */
    uint64_t ended_in;  /* epoch of the latest end, or release behind it */
    uint64_t claims;    /* as stream.sources: asked for it, no stream yet */
    uint32_t held;      /* records of it that nodes hold */
    bool is_made;       /* by a processor: those that write to it count as sources do */
    bool ending;        /* in the list of those to let go */
};

struct stream {
    struct aff_stream_info info;
    char *name;
    uint32_t next; /* of the same subject */
    uint64_t sources; /* bit n % 64: node n writes to it and has not ended it */
};

struct schema {
    struct aff_schema public;
    uint64_t hash;
    char *text; /* owns all strings of it */
    struct aff_column *columns;
};

struct names {
    pthread_mutex_t lock;
    struct subject subjects[NAMES_SUBJECTS + 1];
    struct stream streams[NAMES_STREAMS + 1];
    struct schema schemas[NAMES_SCHEMAS + 1];
    uint32_t subject_top, stream_top, schema_top; /* highest ever used */
    uint32_t subject_free[NAMES_SUBJECTS], stream_free[NAMES_STREAMS];
    uint32_t subject_frees, stream_frees;
    uint32_t ending[NAMES_SUBJECTS];
    uint32_t ending_count;
    _Atomic uint32_t subjects_live, streams_live;
};

struct names *names_open(void)
{
    struct names *n = calloc(1, sizeof *n);

    if (n && pthread_mutex_init(&n->lock, NULL) != 0) {
        free(n);
        n = NULL;
    }
    return n;
}

void names_close(struct names **names)
{
    struct names *n = *names;
    uint32_t i;

    if (!n)
        return;
    for (i = 1; i <= n->subject_top; i++)
        free(n->subjects[i].name);
    for (i = 1; i <= n->stream_top; i++)
        free(n->streams[i].name);
    for (i = 1; i <= n->schema_top; i++) {
        free(n->schemas[i].text);
        free(n->schemas[i].columns);
    }
    pthread_mutex_destroy(&n->lock);
    free(n);
    *names = NULL;
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
    n->subjects[id].ended_in = 0;
    n->subjects[id].streams = 0;
    n->subjects[id].claims = 0;
    n->subjects[id].is_made = false;
    n->subjects[id].held = 0;
    return id;
}

static uint64_t node_bit(uint32_t node)
{
    return (uint64_t)1 << (node % 64u);
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
    if (!id) {
        id = subject_add(n, name);
        if (id)
            n->subjects[id].is_made = !by.none && !by.is_source;
    }
    if (id && counts(&n->subjects[id], by))
        n->subjects[id].claims |= node_bit(by.node);
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
    return id;
}

/* A node (again) writes to the stream: its subject is not over. */
static void stream_live(struct names *n, struct stream *s, uint32_t node)
{
    if (s->sources == 0)
        n->subjects[s->info.subject].by_source++;
    s->sources |= node_bit(node);
    n->subjects[s->info.subject].claims &= ~node_bit(node);
}

uint32_t names_stream(struct names *n, uint32_t subject, const char *name, uint32_t schema, struct names_by by)
{
    uint32_t id = 0;

    pthread_mutex_lock(&n->lock);
    if (subject > 0 && subject <= n->subject_top && n->subjects[subject].name) {
        id = stream_find(n, subject, name);
        if (!id)
            id = stream_add(n, subject, name, schema);
        if (id && counts(&n->subjects[subject], by))
            stream_live(n, &n->streams[id], by.node);
    }
    pthread_mutex_unlock(&n->lock);
    return id;
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

static bool schema_hash(const struct aff_schema *s, uint64_t *ret_hash)
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

static bool schema_copy(struct schema *to, const struct aff_schema *s)
{
    char *at = to->text = malloc(texts_size(s));
    uint32_t i;

    to->columns = calloc(s->count + 1u, sizeof *to->columns);
    if (!to->text || !to->columns) {
        free(to->text);
        free(to->columns);
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
    if (n->schema_top == NAMES_SCHEMAS || !schema_copy(&n->schemas[n->schema_top + 1], schema))
        return 0;
    n->schemas[++n->schema_top].hash = hash;
    return n->schema_top;
}

uint32_t names_schema(struct names *n, const struct aff_schema *schema)
{
    uint64_t hash;
    uint32_t id;

    if (!schema_hash(schema, &hash))
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

uint32_t names_subjects(const struct names *n)
{
    return atomic_load_explicit(&n->subjects_live, memory_order_relaxed);
}

uint32_t names_streams(const struct names *n)
{
    return atomic_load_explicit(&n->streams_live, memory_order_relaxed);
}

/* ---- letting go ---- */

void names_end(struct names *n, uint32_t stream, uint32_t node, uint64_t epoch)
{
    struct subject *subject;
    struct stream *s;

    if (stream == 0 || stream > NAMES_STREAMS)
        return;
    pthread_mutex_lock(&n->lock);
    s = &n->streams[stream];
    if (s->name && (s->sources & node_bit(node))) {
        subject = &n->subjects[s->info.subject];
        s->sources &= ~node_bit(node);
        subject->by_source -= s->sources == 0;
        subject->ended_in = epoch > subject->ended_in ? epoch : subject->ended_in;
        if (subject->by_source == 0 && subject->claims == 0 && !subject->ending) {
            subject->ending = true;
            n->ending[n->ending_count++] = s->info.subject;
        }
    }
    pthread_mutex_unlock(&n->lock);
}

void names_hold(struct names *n, uint32_t stream)
{
    pthread_mutex_lock(&n->lock);
    n->subjects[n->streams[stream].info.subject].held++;
    pthread_mutex_unlock(&n->lock);
}

void names_unhold(struct names *n, uint32_t stream, uint64_t epoch)
{
    struct subject *subject;

    pthread_mutex_lock(&n->lock);
    subject = &n->subjects[n->streams[stream].info.subject];
    subject->held--;
    if (epoch > subject->ended_in)
        subject->ended_in = epoch;
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
}

void names_commit(struct names *n, uint64_t committed)
{
    uint32_t i, left = 0;

    pthread_mutex_lock(&n->lock);
    for (i = 0; i < n->ending_count; i++) {
        struct subject *subject = &n->subjects[n->ending[i]];

        if (subject->by_source > 0) { /* it came back */
            subject->ending = false;
        } else if (subject->ended_in < committed && subject->held == 0) {
            subject->ending = false;
            subject_free(n, n->ending[i]);
        } else {
            n->ending[left++] = n->ending[i];
        }
    }
    n->ending_count = left;
    pthread_mutex_unlock(&n->lock);
}
