/* SPDX-License-Identifier: Apache-2.0
 *
 * marks.c - see marks.h. */
#include "marks.h"

#include <string.h>

enum { STEP_BYTES = 1 << 20, STEP_EACH = 256 /* what a read costs beside its bytes */ };

void marks_begin(struct edf_marks *m, struct edf_data *data)
{
    m->data = data;
    m->record = m->at = m->tal_at = 0;
    m->signal = m->text = m->count = m->next = 0;
    m->is_passing = m->is_sorted = 0;
    m->record_ns = data->first_ns;
}

static const struct edf_signal *signal_of(const struct edf_marks *m)
{
    return &m->data->header.signal[m->signal];
}

/* Reads a part of the file into the room for a list. */
static int part_get(struct edf_marks *m, uint64_t offset, size_t size, struct fault *f)
{
    m->tal_at = 0;
    return data_get(m->data, offset, m->tal, size, f);
}

/* ---- sorting in place: the library's qsort may allocate ---- */

static int is_before(const struct edf_mark *a, const struct edf_mark *b)
{
    if (a->ns != b->ns)
        return a->ns < b->ns;
    if (a->offset != b->offset)
        return a->offset < b->offset;
    return a->text < b->text;
}

static void heap_sift(struct edf_mark *mark, uint32_t root, uint32_t count)
{
    struct edf_mark moved = mark[root];
    uint32_t child;

    while ((child = 2 * root + 1) < count) {
        if (child + 1 < count && is_before(&mark[child], &mark[child + 1]))
            child++;
        if (!is_before(&moved, &mark[child]))
            break;
        mark[root] = mark[child];
        root = child;
    }
    mark[root] = moved;
}

/* Heapsort: J. W. J. Williams, Comm. ACM 7 (1964) 347. */
static void marks_sort(struct edf_marks *m)
{
    uint32_t i;

    for (i = m->count / 2; i-- > 0;)
        heap_sift(m->mark, i, m->count);
    for (i = m->count; i-- > 1;) {
        struct edf_mark last = m->mark[i];

        m->mark[i] = m->mark[0];
        m->mark[0] = last;
        heap_sift(m->mark, 0, i);
    }
    m->is_sorted = 1;
}

/* ---- searching ---- */

static void mark_add(struct edf_marks *m, const struct edf_mark *mark)
{
    m->mark[m->count++] = *mark;
}

/* What the first list of a data record says about its time, where it says it. */
static void clock_check(struct edf_marks *m, const struct tal *t, int is_clock)
{
    const struct edf_data *d = m->data;
    int64_t due;

    if (is_clock && d->header.is_cut)
        m->record_ns = t->onset_ns;
    if (!d->header.is_plus || d->header.is_cut)
        return;
    if (!is_clock)
        d->listener.tell(d->listener.context, EVENT_TIMELESS);
    else if (d->header.seconds.num && data_after(d, d->first_ns, m->record, &due) &&
             (t->onset_ns > due + 1000000 || t->onset_ns < due - 1000000))
        d->listener.tell(d->listener.context, EVENT_JUMP);
}

/* A list that is whole, in the room: its texts become marks. 1: no room is left
 * for the rest of them. */
static int list_marks(struct edf_marks *m, struct edf_mark *mark, const uint8_t *bytes, int is_first)
{
    const uint8_t *text;
    struct tal t;
    size_t at = 0, size;
    uint32_t n = 0;

    mark->fault = (uint8_t)tal_read(&t, bytes, mark->size);
    if (mark->fault == TAL_WHOLE)
        mark->ns = t.onset_ns;
    if (is_first && m->text == 0)
        clock_check(m, &t, mark->fault == TAL_WHOLE && t.texts[0] == 20);
    if (mark->fault != TAL_WHOLE) {
        mark_add(m, mark);
        return 0;
    }
    for (; tal_text(&t, &at, &text, &size); n++) {
        if (n < m->text || size == 0) /* an empty one only says when */
            continue;
        if (m->count == MARKS_MAX) {
            m->text = n;
            return 1;
        }
        mark->text = (uint16_t)n;
        mark_add(m, mark);
    }
    return 0;
}

/* Goes on to the next annotation signal, and to the next data record. */
static void signal_next(struct edf_marks *m)
{
    const struct edf_data *d = m->data;

    m->at = 0;
    m->text = 0;
    m->is_passing = 0;
    if (++m->signal < d->header.signals)
        return;
    m->signal = 0;
    m->record++;
    if (!d->header.is_cut && !data_after(d, d->first_ns, m->record, &m->record_ns))
        m->record_ns = d->first_ns;
}

/* The next list, which begins at the first of `size` bytes in the room; `whole`:
 * the signal's part of the data record ends behind them. Returns how many bytes
 * are done with; 0: no room for its marks is left. */
static size_t list_take(struct edf_marks *m, const uint8_t *bytes, size_t size, int whole)
{
    const struct edf_data *d = m->data;
    uint64_t offset = data_record_at(d, m->record) + signal_of(m)->offset + m->at;
    struct edf_mark mark = { m->record_ns, offset, (uint32_t)size, (uint32_t)m->record, 0, TAL_WHOLE };
    const uint8_t *end = memchr(bytes, 0, size);

    if (m->is_passing) {
        m->is_passing = !end;
        return end ? (size_t)(end - bytes) + 1 : size;
    }
    if (end)
        mark.size = (uint32_t)(end - bytes);
    if (end || (whole && bytes[size - 1] == 20)) /* its zero is the only thing cut off */
        return list_marks(m, &mark, bytes, m->at == 0 && (int)m->signal == d->clock_signal) ? 0
                                                                                            : mark.size + (end != NULL);
    mark.fault = whole ? TAL_CUT : TAL_LONG;
    m->is_passing = !whole;
    mark_add(m, &mark);
    return size;
}

/* Searches on in the annotation signal at hand. Returns bytes done, or -1. */
static int64_t signal_search(struct edf_marks *m, struct fault *f)
{
    const struct edf_signal *s = signal_of(m);
    uint64_t length = (uint64_t)s->samples * m->data->header.width, left = length - m->at;
    size_t size = left < TAL_ROOM ? (size_t)left : TAL_ROOM, at = 0, done;
    int whole = size == left;

    if (part_get(m, data_record_at(m->data, m->record) + s->offset + m->at, size, f))
        return -1;
    for (;;) {
        while (at < size && m->tal[at] == 0 && !m->is_passing) {
            at++;
            m->at++;
        }
        /* A list that the room cuts off is read again from its beginning. */
        if (at == size || m->count == MARKS_MAX || (at && !whole && !memchr(m->tal + at, 0, size - at)))
            break;
        done = list_take(m, m->tal + at, size - at, whole);
        if (!done)
            break;
        at += done;
        m->at += done;
        m->text = 0;
    }
    if (m->at == length)
        signal_next(m);
    return (int64_t)at;
}

/* Searches on for a while: 1 there is more, 0 all is found or no room is left. */
static int search(struct edf_marks *m, struct fault *f)
{
    int64_t left = STEP_BYTES, got;

    while (left > 0) {
        if (m->record == m->data->records || m->count == MARKS_MAX)
            return 0;
        if (!signal_of(m)->is_annotation || signal_of(m)->samples == 0) {
            signal_next(m);
            left -= 16;
            continue;
        }
        got = signal_search(m, f);
        if (got < 0)
            return -1;
        left -= got + STEP_EACH;
    }
    return 1;
}

int marks_peek(struct edf_marks *m, const struct edf_mark **ret_mark, struct fault *f)
{
    int got;

    if (m->next == m->count && m->is_sorted)
        m->count = m->next = m->is_sorted = 0;
    if (!m->is_sorted) {
        if (m->data->clock_signal < 0)
            return 0;
        got = search(m, f);
        if (got)
            return got < 0 ? -1 : 2;
        marks_sort(m);
    }
    if (m->next == m->count) {
        m->is_sorted = 0;
        return 0;
    }
    *ret_mark = &m->mark[m->next];
    return 1;
}

void marks_take(struct edf_marks *m)
{
    m->next++;
}

const uint8_t *marks_bytes(struct edf_marks *m, const struct edf_mark *mark, struct fault *f)
{
    if (m->tal_at != mark->offset || m->tal_size != mark->size) {
        if (part_get(m, mark->offset, mark->size, f))
            return NULL;
        m->tal_at = mark->offset;
        m->tal_size = mark->size;
    }
    return m->tal;
}
