/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_link.c - any bytes as a message: the head, then its payload, as a gateway reads it.
 *
 * A batch is read to its end, and all that it says lies within it; the bytes of each record
 * are held against a schema of each type, and what fits is looked at in every cell. A
 * schema that is read can be written, and is the same then. */
#include <stdlib.h>
#include <string.h>

#include "zmq_link/batch.h"
#include "zmq_link/schema.h"

enum { ROOM = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct aff_column columns[] = {
    { .name = "a", .type = AFF_REAL }, { .name = "b", .type = AFF_TEXT }, { .name = "c", .type = AFF_TEXT },
};
static const struct aff_column channel = { .name = "I", .gain = 1 };
static const struct aff_schema row = { .struct_size = sizeof row, .type = AFF_FIELDS, .columns = columns, .count = 3,
                                       .stride = sizeof columns[0] };
static const struct aff_schema wave = { .struct_size = sizeof wave, .type = AFF_SAMPLES, .format = AFF_I16,
                                        .columns = &channel, .count = 1, .stride = sizeof channel, .rate_num = 1, .rate_den = 1 };

/* Sums all bytes that the record says are there. */
static unsigned look(const struct batch_item *item)
{
    _Alignas(16) static uint8_t copy[ROOM];
    struct aff_record r = { .data = copy, .size = item->size };
    unsigned sum = 0;

    memcpy(copy, item->data, item->size);
    for (uint32_t c = 1; link_fits(&row, item->data, item->size) && c < 3; c++) {
        uint32_t length = 0;
        const char *text = aff_row_has(&r, c) ? aff_row_text(&r, 3, c, &length) : NULL;

        for (uint32_t i = 0; i < length; i++)
            sum += (unsigned char)text[i];
    }
    if (link_fits(&wave, item->data, item->size) && !aff_samples_ok(copy, item->size))
        abort();
    return sum;
}

static void batch_look(struct link_payload bytes)
{
    struct batch_reader reader;
    struct batch_item item;
    uint32_t streams = 0, records = 0;
    volatile unsigned sum = 0;

    if (!batch_open(&reader, bytes.bytes, bytes.size))
        return;
    while (batch_next(&reader, &item)) {
        if (item.is_stream ? item.stream != streams : item.stream >= streams)
            abort();
        streams += item.is_stream;
        records += !item.is_stream && !(item.flags & AFF_FLAG_END);
        sum += item.is_stream ? (unsigned)item.subject[item.subject_size - 1] + (unsigned)item.name[item.name_size - 1]
                              : look(&item);
    }
    (void)sum;
    if (reader.at != reader.end || streams > BATCH_STREAMS || records > LINK_RECORDS)
        abort();
}

static void schema_look(struct link_payload bytes)
{
    static uint8_t again[ROOM];
    bool no_memory;
    struct aff_schema *s = link_schema_read(bytes.bytes, bytes.size, &no_memory);

    if (s && (link_schema_write(s, again, sizeof again) != bytes.size || memcmp(again, bytes.bytes, bytes.size) != 0))
        abort();
    free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[ROOM];
    size_t head_size = size < LINK_HEAD ? size : LINK_HEAD;
    struct link_payload bytes = { data + head_size, size - head_size };
    struct link_head head;

    if (link_head_read(data, head_size, &head) != 0 || link_unpack(&head, bytes, room, sizeof room, &bytes) != 0)
        return 0;
    if (head.kind == LINK_BATCH)
        batch_look(bytes);
    if (head.kind == LINK_SCHEMA)
        schema_look(bytes);
    return 0;
}
