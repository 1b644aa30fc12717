/* run.c - several consecutive records of samples in one value, see run.h.
 *
 * A record in a run: the change of its step in time, of both halves of its id
 * and of its first sample's index against what was expected (zigzag, seven bits
 * a byte; mostly one byte each), flags, clock, count, and its planes.
 */
#include "run.h"

#include <string.h>

#include "pack.h"

enum {
    /* Five numbers of ten bytes, flags, clock, count. */
    ENTRY_HEAD = 5 * 10 + 3 + 1 + 5,
};

static uint8_t *number_put(uint8_t *p, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}

static uint8_t *signed_put(uint8_t *p, uint64_t v)
{
    return number_put(p, (v << 1) ^ ((v >> 63) ? UINT64_MAX : 0));
}

static bool number_get(struct run_reader *r, uint64_t *out)
{
    unsigned shift;

    *out = 0;
    for (shift = 0; shift < 64 && r->left; shift += 7) {
        uint8_t byte = *r->at++;

        r->left--;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool signed_get(struct run_reader *r, uint64_t *out)
{
    uint64_t v;

    if (!number_get(r, &v))
        return false;
    *out = (v >> 1) ^ (UINT64_C(0) - (v & 1));
    return true;
}

/* Differences of times and ids wrap; unsigned arithmetic makes that defined. */
static uint64_t minus(int64_t a, int64_t b)
{
    return (uint64_t)a - (uint64_t)b;
}

static int64_t plus(int64_t a, uint64_t b)
{
    return (int64_t)((uint64_t)a + b);
}

static bool shape_fits(uint32_t count, uint16_t channels, uint8_t format)
{
    if (!count || !channels || channels > RUN_CHANNELS || count > RUN_BYTES)
        return false;
    return ENTRY_HEAD + channels * pack_bound(count, format) <= RUN_BYTES;
}

bool run_takes(const void *data, uint32_t size)
{
    const struct aff_samples *s = data;

    return aff_samples_ok(data, size) && shape_fits(s->count, s->channels, s->format)
        && size == aff_samples_size(s->count, s->channels, s->format);
}

void run_clear(struct run *run)
{
    memset(run, 0, offsetof(struct run, body));
}

/* Codes a record behind `at`, which has room for the largest one. */
static uint8_t *entry_write(uint8_t *at, struct run_state *state, const struct run_record *record)
{
    const struct aff_samples *s = record->data;
    const uint8_t *planes = (const uint8_t *)(s + 1);
    size_t stride = aff_plane_stride(s->count, s->format);
    int64_t step = plus(0, minus(record->key.time, state->last.time));
    uint16_t c;

    at = signed_put(at, minus(step, state->step));
    at = signed_put(at, record->key.id[0] - state->last.id[0]);
    at = signed_put(at, record->key.id[1] - state->last.id[1]);
    at = number_put(at, record->flags);
    *at++ = record->clock;
    at = number_put(at, s->count);
    at = signed_put(at, minus(s->first, state->first));
    for (c = 0; c < s->channels; c++)
        at += pack_plane(at, planes + c * stride, s->count, s->format, &state->plane[c]);
    state->last = record->key;
    state->step = step;
    state->first = plus(s->first, s->count);
    return at;
}

/* Whether so many bytes of body would leave an eighth or more of their pages
 * empty. */
static bool pages_wasted(size_t size)
{
    size_t value = VALUE_HEAD + size, pages = (value + 24 + 4095) / 4096 * 4096;

    return pages - 24 - value >= pages / 8;
}

/* Whether the run ends before `more` bytes: there is no room, or they would
 * begin a page although the last one is well filled. */
static bool run_is_over(const struct run *run, size_t more)
{
    size_t page = (VALUE_HEAD + run->size + 24 + 4095) / 4096;

    if (VALUE_HEAD + run->size + more + 24 <= page * 4096)
        return false; /* it stays within its pages */
    return more > RUN_BYTES - run->size || (run->count && !pages_wasted(run->size));
}

bool run_append(struct run *run, uint64_t schema, const struct run_record *record)
{
    const struct aff_samples *s = record->data;
    struct run_state state = run->state;
    uint8_t entry[RUN_BYTES];
    size_t size;

    if (run->count == RUN_RECORDS)
        return false;
    if (run->count && (run->schema != schema || run->format != s->format || run->channels != s->channels))
        return false;
    size = (size_t)(entry_write(entry, &state, record) - entry);
    if (run_is_over(run, size))
        return false;
    if (!run->count) {
        run->first = record->key;
        run->schema = schema;
        run->format = s->format;
        run->channels = s->channels;
    }
    memcpy(run->body + run->size, entry, size);
    run->size += (uint32_t)size;
    run->count++;
    run->state = state;
    return true;
}

size_t run_seal(const struct run *run, uint8_t out[RUN_VALUE])
{
    struct value v = { .codec = CODEC_RUN | CODEC_PACKED, .type = AFF_SAMPLES };
    uint8_t key[KEY_BYTES], room[RUN_BYTES];

    v.format = run->format;
    v.channels = run->channels;
    v.count = run->count;
    v.schema = run->schema;
    v.size = run->size;
    v.body_size = run->size;
    memcpy(out + VALUE_HEAD, run->body, run->size);
    value_squeeze(out, &v, room);
    key_write(key, &run->first);
    value_seal(out, &v, DB_SAMPLES, key);
    return VALUE_HEAD + v.body_size;
}

bool run_open(struct run_reader *reader, const struct archive_key *first, const struct value *v)
{
    memset(reader, 0, offsetof(struct run_reader, plain));
    if ((v->codec & ~CODEC_LZ4) != (CODEC_RUN | CODEC_PACKED) || v->size > RUN_BYTES)
        return false;
    if (v->count > RUN_RECORDS || !v->channels || v->channels > RUN_CHANNELS)
        return false;
    if (v->format < AFF_I16 || v->format > AFF_F32)
        return false;
    reader->at = value_expand(v, reader->plain);
    reader->left = v->size;
    reader->records = v->count;
    reader->channels = v->channels;
    reader->format = v->format;
    reader->state.last.subject = first->subject;
    reader->state.last.stream = first->stream;
    return reader->at != NULL;
}

/* All of an entry before its planes. */
static bool entry_head(struct run_reader *r, struct run_record *out, struct aff_samples *s)
{
    struct run_state *state = &r->state;
    uint64_t step, source, seq, flags, count, first;

    if (!signed_get(r, &step) || !signed_get(r, &source) || !signed_get(r, &seq))
        return false;
    if (!number_get(r, &flags) || flags > UINT16_MAX || !r->left)
        return false;
    out->flags = (uint16_t)flags;
    out->clock = *r->at++;
    r->left--;
    if (!number_get(r, &count) || count > RUN_BYTES || !signed_get(r, &first))
        return false;
    if (!shape_fits((uint32_t)count, r->channels, r->format))
        return false;
    state->step = plus(state->step, step);
    state->last.time = plus(state->last.time, (uint64_t)state->step);
    state->last.id[0] += source;
    state->last.id[1] += seq;
    s->first = plus(state->first, first);
    s->count = (uint32_t)count;
    s->channels = r->channels;
    s->format = r->format;
    s->reserved = 0;
    state->first = plus(s->first, s->count);
    return true;
}

int run_next(struct run_reader *r, struct run_record *out, uint8_t payload[RUN_PAYLOAD])
{
    struct aff_samples *s = (struct aff_samples *)(void *)payload;
    size_t stride, took;
    uint16_t c;

    if (!r->records)
        return r->left ? -1 : 0;
    if (!entry_head(r, out, s))
        return -1;
    stride = aff_plane_stride(s->count, s->format);
    for (c = 0; c < r->channels; c++) {
        uint8_t *plane = payload + sizeof *s + c * stride;

        memset(plane + stride - 8, 0, 8);
        took = unpack_plane(plane, s->count, s->format, &r->state.plane[c], r->at, r->left);
        if (!took)
            return -1;
        r->at += took;
        r->left -= took;
    }
    out->key = r->state.last;
    out->data = payload;
    out->size = (uint32_t)aff_samples_size(s->count, s->channels, s->format);
    r->records--;
    return 1;
}

bool run_load(struct run *run, const struct archive_key *first, const struct value *v)
{
    _Alignas(16) uint8_t payload[RUN_PAYLOAD];
    struct run_reader reader;
    struct run_record record;
    int more;

    run_clear(run);
    if (!run_open(&reader, first, v))
        return false;
    memcpy(run->body, reader.at, v->size);
    while ((more = run_next(&reader, &record, payload)) > 0)
        ;
    if (more < 0)
        return false;
    run->first = *first;
    run->schema = v->schema;
    run->count = v->count;
    run->size = v->size;
    run->channels = v->channels;
    run->format = v->format;
    run->state = reader.state;
    return true;
}
