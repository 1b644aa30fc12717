/* queue_rig.c - see queue_rig.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "queue_rig.h"

/* ---- a store in memory ---- */

static bool shelf_queue(void *self, const char *name, uint32_t priority, struct kept_queue *ret)
{
    struct shelf *s = self;
    size_t i;

    (void)name;
    (void)priority;
    if (s->refuses)
        return false;
    *ret = (struct kept_queue){ .queue = 7, .first = s->count ? s->values[0].seq : s->next, .next = s->next };
    ret->records = s->count;
    for (i = 0; i < s->count; i++)
        ret->bytes += s->values[i].size;
    return true;
}

static bool shelf_copy(const struct kept_value *v, uint8_t *buffer, size_t room, size_t *used, struct kept_read *ret)
{
    if (room - *used < v->size)
        return false;
    memcpy(buffer + *used, v->bytes, v->size);
    *ret = (struct kept_read){ v->seq, buffer + *used, v->size };
    *used += (v->size + 15u) & ~(size_t)15u;
    if (*used > room)
        *used = room;
    return true;
}

static uint32_t shelf_read(void *self, uint32_t queue, uint64_t from, bool down, void *buffer, size_t room,
                           struct kept_read *ret, uint32_t most, size_t *ret_need)
{
    struct shelf *s = self;
    size_t used = 0, i, k;
    uint32_t n = 0;

    assert_int_equal(queue, 7);
    if (s->meanwhile) {
        s->meanwhile(s->arg);
        s->meanwhile = NULL;
    }
    pthread_mutex_lock(&s->lock);
    for (i = 0; i < s->count && n < most; i++) {
        k = down ? s->count - 1u - i : i;
        if (down ? s->values[k].seq > from : s->values[k].seq < from)
            continue;
        if (!shelf_copy(&s->values[k], buffer, room, &used, &ret[n])) {
            *ret_need = s->values[k].size;
            break;
        }
        n++;
    }
    pthread_mutex_unlock(&s->lock);
    return n;
}

void shelf_remove(struct shelf *s, uint64_t from, uint64_t upto)
{
    size_t i, left = 0;

    for (i = 0; i < s->count; i++) {
        if (s->values[i].seq >= from && s->values[i].seq <= upto)
            free(s->values[i].bytes);
        else
            s->values[left++] = s->values[i];
    }
    s->count = left;
}

static void shelf_put(struct shelf *s, uint64_t seq, const void *bytes, size_t size)
{
    assert_true(s->count == 0 || s->values[s->count - 1].seq < seq);
    assert_true(seq >= s->next);
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 64;
        s->values = realloc(s->values, s->room * sizeof *s->values);
        assert_non_null(s->values);
    }
    s->values[s->count].seq = seq;
    s->values[s->count].size = size;
    s->values[s->count].bytes = malloc(size);
    memcpy(s->values[s->count++].bytes, bytes, size);
    s->next = seq + 1;
}

void shelf_commit(struct shelf *s, const struct kept_group *group)
{
    uint32_t i;

    pthread_mutex_lock(&s->lock);
    s->puts = s->acks = s->acks_upto = 0;
    for (i = 0; i < group->count; i++) {
        const struct kept_change *c = &group->changes[i];

        assert_int_equal(c->queue, 7);
        switch (c->op) {
        case KEPT_PUT:
            shelf_put(s, c->seq, kept_bytes(group, c), c->size);
            s->puts++;
            s->all_puts++;
            break;
        case KEPT_ACK:
            shelf_remove(s, c->seq, c->seq);
            s->acks++;
            break;
        case KEPT_ACK_UPTO:
            shelf_remove(s, 0, c->seq);
            s->acks_upto++;
            break;
        default:
            fail();
        }
    }
    pthread_mutex_unlock(&s->lock);
}

/* ---- a queue with all it needs ---- */

static void rig_names(struct rig *r)
{
    static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_BYTES, .name = "bytes" };
    const struct names_by by = { .node = 1, .is_source = true };

    r->names = names_open();
    r->schema = names_schema(r->names, &schema);
    r->subject = names_subject(r->names, "p1", by);
    r->stream = names_stream(r->names, r->subject, "ecg", r->schema, by);
    r->shape.names = r->names;
}

void rig_open(struct rig *r)
{
    r->queue = queue_open(&r->shape);
    assert_non_null(r->queue);
}

struct rig *rig_new(void)
{
    struct rig *r = calloc(1, sizeof *r);

    assert_true(bell_open(&r->bell));
    pthread_mutex_init(&r->shelf.lock, NULL);
    r->shelf.next = 1;
    r->kept = (struct kept){ .self = &r->shelf, .queue = shelf_queue, .read = shelf_read };
    rig_names(r);
    r->shape.kept = &r->kept;
    r->shape.name = "a.out>b.in";
    r->shape.buffer = 1 << 20;
    r->shape.reader = &r->bell;
    return r;
}

struct rig *rig_with(uint64_t buffer, bool newest_first)
{
    struct rig *r = rig_new();

    r->shape.buffer = buffer;
    r->shape.newest_first = newest_first;
    rig_open(r);
    return r;
}

void rig_free(struct rig *r)
{
    queue_close(&r->queue);
    assert_null(r->queue);
    names_close(&r->names);
    bell_close(&r->bell);
    shelf_remove(&r->shelf, 0, UINT64_MAX);
    free(r->shelf.values);
    kept_group_free(&r->group);
    pthread_mutex_destroy(&r->shelf.lock);
    free(r);
}

void rig_crash(struct rig *r)
{
    queue_close(&r->queue);
    names_close(&r->names);
    rig_names(r);
    rig_open(r);
}

static uint8_t byte_of(uint64_t number, uint32_t i)
{
    return (uint8_t)(number * 131u + i);
}

static void fill(uint8_t *bytes, uint64_t number, uint32_t size)
{
    uint32_t i;

    for (i = 0; i < size; i++)
        bytes[i] = byte_of(number, i);
}

void rig_put_one(struct rig *r, uint64_t number, uint32_t size, uint16_t flags)
{
    uint8_t *bytes = malloc(size + 1u);
    struct aff_record record = { .id = { 5, number }, .event_ns = (int64_t)number * 1000,
                                 .seen_ns = (int64_t)number * 1000, .data = bytes };

    fill(bytes, number, size);
    record.size = size;
    record.subject = r->subject;
    record.stream = r->stream;
    record.schema = r->schema;
    record.type = AFF_BYTES;
    record.flags = flags;
    record.origin = 3;
    assert_true(queue_put(r->queue, &record, 1));
    free(bytes);
}

void rig_put_n(struct rig *r, uint32_t count)
{
    for (; count > 0; count--)
        rig_put_one(r, ++r->number, SIZE, 0);
}

void rig_put_mark(struct rig *r)
{
    rig_put_one(r, ++r->number, 0, AFF_FLAG_END);
}

void rig_check(const struct aff_record *record)
{
    uint32_t i;

    assert_int_equal(record->event_ns, record->id.seq * 1000);
    assert_int_equal((uintptr_t)record->data % 16u, 0);
    assert_int_equal(record->origin, EDGE_NO_ORIGIN);
    for (i = 0; i < record->size; i++)
        assert_int_equal(((const uint8_t *)record->data)[i], byte_of(record->id.seq, i));
}

uint32_t rig_take(struct rig *r)
{
    uint32_t n = queue_take(r->queue, r->batch, QUEUE_BATCH), i;

    for (i = 0; i < n; i++)
        rig_check(&r->batch[i]);
    return n;
}

void rig_read_range(struct rig *r, uint64_t from, uint64_t to)
{
    uint32_t n, i;

    while (from <= to) {
        n = queue_take(r->queue, r->batch, (uint32_t)(to - from + 1u));
        assert_true(n > 0);
        for (i = 0; i < n; i++) {
            rig_check(&r->batch[i]);
            assert_int_equal(r->batch[i].id.seq, from++);
        }
        queue_back(r->queue);
    }
}

void rig_commit(struct rig *r, uint64_t writer, uint64_t reader)
{
    kept_group_clear(&r->group);
    queue_gather(r->queue, writer, reader, &r->group);
    assert_false(r->group.failed);
    shelf_commit(&r->shelf, &r->group);
    queue_stored(r->queue, writer, reader);
}

struct queue_figures rig_figures(struct rig *r)
{
    struct queue_figures f;

    queue_figures(r->queue, &f);
    return f;
}
