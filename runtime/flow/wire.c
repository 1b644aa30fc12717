/* wire.c - see wire.h. */
#include "flow/wire.h"

#include <stdlib.h>
#include <string.h>

#include "flow/edge.h"
#include "flow/names.h"

enum { WIRE_ALIGN = 16, WIRE_FIRST = 256 };

/* A record's end, behind payload and names: read from the last byte backwards, so
 * that the payload can stand first and lie as the buffer does. */
enum { RECORD_VERSION = 1, RECORD_TAIL = 4 + 4 + 4 + 8 + 8 + 8 + 8 + 8 + 2 + 1 + 1 + 1 };

/* ---- writing ---- */

void wire_clear(struct wire *w)
{
    w->size = 0;
    w->failed = false;
}

void wire_free(struct wire *w)
{
    free(w->bytes);
    *w = (struct wire){ 0 };
}

static bool grow(struct wire *w, size_t more)
{
    size_t room = w->room ? w->room : WIRE_FIRST;
    uint8_t *bytes;

    if (more > SIZE_MAX / 4u - w->size)
        return false;
    while (room < w->size + more)
        room *= 2u;
    bytes = aligned_alloc(WIRE_ALIGN, room);
    if (!bytes)
        return false;
    if (w->size > 0)
        memcpy(bytes, w->bytes, w->size);
    free(w->bytes);
    w->bytes = bytes;
    w->room = room;
    return true;
}

void *wire_room(struct wire *w, size_t more)
{
    if (w->failed || (w->room - w->size < more && !grow(w, more))) {
        w->failed = true;
        return NULL;
    }
    return w->bytes + w->size;
}

static void put(struct wire *w, const void *bytes, size_t size)
{
    void *to = size > 0 ? wire_room(w, size) : NULL;

    if (!to)
        return;
    memcpy(to, bytes, size);
    w->size += size;
}

static void put_number(struct wire *w, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    size_t i;

    for (i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8u * i));
    put(w, bytes, size);
}

void wire_u8(struct wire *w, uint8_t value)
{
    put_number(w, value, 1);
}

void wire_u32(struct wire *w, uint32_t value)
{
    put_number(w, value, 4);
}

void wire_u64(struct wire *w, uint64_t value)
{
    put_number(w, value, 8);
}

void wire_patch_u32(struct wire *w, size_t at, uint32_t value)
{
    size_t i;

    for (i = 0; !w->failed && i < 4; i++)
        w->bytes[at + i] = (uint8_t)(value >> (8u * i));
}

void wire_bytes(struct wire *w, const void *bytes, size_t size)
{
    if (size > UINT32_MAX) {
        w->failed = true;
        return;
    }
    wire_u32(w, (uint32_t)size);
    put(w, bytes, size);
}

void wire_text(struct wire *w, const char *text)
{
    wire_bytes(w, text, text ? strlen(text) + 1u : 0);
}

void wire_pad(struct wire *w, size_t to)
{
    static const uint8_t zeros[WIRE_ALIGN];

    while (!w->failed && w->size % to != 0) {
        size_t left = to - w->size % to;

        put(w, zeros, left < sizeof zeros ? left : sizeof zeros);
    }
}

/* ---- reading ---- */

static const uint8_t *take(struct wire_in *in, size_t size)
{
    const uint8_t *at = in->at;

    if (in->bad || size > (size_t)(in->end - in->at)) {
        in->bad = true;
        return NULL;
    }
    in->at += size;
    return at;
}

static uint64_t take_number(struct wire_in *in, size_t size)
{
    const uint8_t *at = take(in, size);
    uint64_t value = 0;
    size_t i;

    for (i = 0; at && i < size; i++)
        value |= (uint64_t)at[i] << (8u * i);
    return value;
}

const void *wire_in_take(struct wire_in *in, size_t size)
{
    return take(in, size);
}

uint8_t wire_in_u8(struct wire_in *in)
{
    return (uint8_t)take_number(in, 1);
}

uint32_t wire_in_u32(struct wire_in *in)
{
    return (uint32_t)take_number(in, 4);
}

uint64_t wire_in_u64(struct wire_in *in)
{
    return take_number(in, 8);
}

const void *wire_in_bytes(struct wire_in *in, size_t *ret_size)
{
    size_t size = wire_in_u32(in);
    const uint8_t *at = take(in, size);

    *ret_size = at ? size : 0;
    return at;
}

/* A text of `size` bytes with its zero, which is its only one. */
static const char *take_text(struct wire_in *in, size_t size)
{
    const uint8_t *at = take(in, size);

    if (!at || size == 0 || memchr(at, 0, size) != at + size - 1u) {
        in->bad = true;
        return NULL;
    }
    return (const char *)at;
}

const char *wire_in_text(struct wire_in *in)
{
    size_t size = wire_in_u32(in);

    return size > 0 ? take_text(in, size) : NULL;
}

/* ---- records ---- */

void wire_record_again(struct wire *w, const struct wire_record *from)
{
    const struct aff_record *r = &from->record;
    size_t subject = strlen(from->subject) + 1u, stream = strlen(from->stream) + 1u;

    if (subject > UINT32_MAX || stream > UINT32_MAX) {
        w->failed = true;
        return;
    }
    put(w, r->data, r->size);
    put(w, from->subject, subject);
    put(w, from->stream, stream);
    wire_u32(w, (uint32_t)subject);
    wire_u32(w, (uint32_t)stream);
    wire_u32(w, r->size);
    wire_u64(w, r->id.source);
    wire_u64(w, r->id.seq);
    wire_u64(w, (uint64_t)r->event_ns);
    wire_u64(w, (uint64_t)r->seen_ns);
    wire_u64(w, from->schema);
    put_number(w, r->flags, 2);
    wire_u8(w, r->type);
    wire_u8(w, r->clock);
    wire_u8(w, RECORD_VERSION);
}

void wire_record(struct wire *w, const struct names *names, const struct aff_record *record)
{
    const struct aff_stream_info *stream = names_stream_info(names, record->stream);
    const char *subject = names_subject_name(names, record->subject);
    struct wire_record named = {
        .record = *record,
        .subject = subject ? subject : "",
        .stream = stream ? stream->name : "",
        .schema = names_schema_identity(names, record->schema),
    };

    wire_record_again(w, &named);
}

/* A mark has no payload, and what is no mark has a type once it has a schema. */
static bool record_possible(const struct wire_record *w)
{
    const struct aff_record *r = &w->record;
    const unsigned known = AFF_FLAG_PHI | AFF_FLAG_GAP | AFF_FLAG_SUSPECT | AFF_FLAG_RESENT | AFF_FLAG_END;

    if ((r->flags & ~known) != 0 || r->type > AFF_IMAGE || r->clock > AFF_CLOCK_SYNCED)
        return false;
    if (r->flags & AFF_FLAG_END)
        return r->size == 0;
    return r->type != 0 || w->schema == 0;
}

bool wire_record_read(const void *bytes, size_t size, struct wire_record *ret)
{
    struct wire_in in = { bytes, (const uint8_t *)bytes + size, false }, body = in;
    uint64_t subject, stream;
    struct aff_record *r = &ret->record;

    *ret = (struct wire_record){ .subject = "", .stream = "" };
    if (size < RECORD_TAIL)
        return false;
    in.at = body.end = in.end - RECORD_TAIL;
    subject = wire_in_u32(&in);
    stream = wire_in_u32(&in);
    r->size = wire_in_u32(&in);
    r->id.source = wire_in_u64(&in);
    r->id.seq = wire_in_u64(&in);
    r->event_ns = (int64_t)wire_in_u64(&in);
    r->seen_ns = (int64_t)wire_in_u64(&in);
    ret->schema = wire_in_u64(&in);
    r->flags = (uint16_t)take_number(&in, 2);
    r->type = wire_in_u8(&in);
    r->clock = wire_in_u8(&in);
    r->origin = EDGE_NO_ORIGIN;
    if (wire_in_u8(&in) != RECORD_VERSION || r->size + subject + stream != size - RECORD_TAIL ||
        !record_possible(ret))
        return false;
    r->data = (void *)(uintptr_t)take(&body, r->size);
    ret->subject = take_text(&body, (size_t)subject);
    ret->stream = take_text(&body, (size_t)stream);
    return !body.bad;
}

bool wire_record_whole(const struct aff_record *r, const struct aff_schema *schema)
{
    struct aff_samples head;

    if (!schema)
        return false;
    if (r->flags & AFF_FLAG_END)
        return true;
    if (schema->type != r->type)
        return false;
    if (r->type == AFF_FIELDS)
        return r->size >= aff_row_size(schema->count, 0);
    if (r->type != AFF_SAMPLES)
        return true;
    if (r->size < sizeof head)
        return false;
    memcpy(&head, r->data, sizeof head);
    return aff_samples_ok(&head, r->size) && head.format == schema->format && head.channels == schema->count;
}

bool wire_record_intern(const struct wire_record *from, struct names *names, const struct names_by *by,
                        struct aff_record *ret)
{
    struct aff_record r = from->record;

    r.schema = names_schema_find(names, from->schema);
    if (!wire_record_whole(&r, names_schema_info(names, r.schema)))
        return false;
    if (by->holds) {
        r.stream = names_held(names, from->subject, from->stream, r.schema, by->kept, &r.subject);
    } else {
        r.subject = names_subject(names, from->subject, *by);
        r.stream = r.subject ? names_stream(names, r.subject, from->stream, r.schema, *by) : 0;
    }
    if (!r.stream)
        return false;
    *ret = r;
    return true;
}

/* ---- dead letters ---- */

/* Behind the record: why; behind that how long the why is, and the version. */
enum { LETTER_VERSION = 1, LETTER_TAIL = 4 + 1 };

void wire_letter(struct wire *w, const struct names *names, const struct wire_letter *letter,
                 const struct aff_record *record)
{
    size_t from;

    if (record)
        wire_record(w, names, record);
    else
        wire_record_again(w, &letter->record);
    from = w->size;
    wire_text(w, letter->node);
    wire_text(w, letter->port);
    wire_text(w, letter->reason);
    wire_text(w, letter->cause);
    wire_u64(w, (uint64_t)letter->utc_ns);
    wire_u64(w, letter->offset);
    wire_u8(w, letter->is_part);
    wire_u32(w, letter->tries);
    if (w->size - from > UINT32_MAX)
        w->failed = true;
    wire_u32(w, (uint32_t)(w->size - from));
    wire_u8(w, LETTER_VERSION);
}

bool wire_letter_read(const void *bytes, size_t size, struct wire_letter *ret)
{
    struct wire_in in = { bytes, (const uint8_t *)bytes + size, false };
    uint8_t part;
    size_t why;

    *ret = (struct wire_letter){ 0 };
    if (size < LETTER_TAIL)
        return false;
    in.at = in.end - LETTER_TAIL;
    why = wire_in_u32(&in);
    if (wire_in_u8(&in) != LETTER_VERSION || why > size - LETTER_TAIL)
        return false;
    in.end -= LETTER_TAIL;
    in.at = in.end - why;
    if (!wire_record_read(bytes, size - LETTER_TAIL - why, &ret->record))
        return false;
    ret->node = wire_in_text(&in);
    ret->port = wire_in_text(&in);
    ret->reason = wire_in_text(&in);
    ret->cause = wire_in_text(&in);
    ret->utc_ns = (int64_t)wire_in_u64(&in);
    ret->offset = wire_in_u64(&in);
    part = wire_in_u8(&in);
    ret->is_part = part == 1;
    ret->tries = wire_in_u32(&in);
    return !in.bad && in.at == in.end && part <= 1 && ret->node && ret->reason && ret->cause;
}
