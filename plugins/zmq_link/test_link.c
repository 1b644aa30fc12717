/* SPDX-License-Identifier: Apache-2.0
 *
 * test_link.c - the bytes on the link, and key files: both ways, cut, and hostile. */
#include "zmq_link/testing.h"

#include <lz4.h>

static void count_items(const struct link_payload *p, uint32_t *ret_streams, uint32_t *ret_records)
{
    struct batch_reader r;
    struct batch_item item;

    *ret_streams = *ret_records = 0;
    assert_true(batch_open(&r, p->bytes, p->size));
    while (batch_next(&r, &item)) {
        *ret_streams += item.is_stream;
        *ret_records += !item.is_stream;
    }
}

TEST(a_head_comes_back_and_that_of_a_newer_version_is_told_as_such)
{
    struct link_head head = { LINK_BATCH, LINK_LZ4 | LINK_RESENT, 4711, UINT64_MAX - 1, 12345678901234u }, back;
    uint8_t bytes[LINK_HEAD];

    link_head_write(bytes, &head);
    assert_int_equal(link_head_read(bytes, sizeof bytes, &back), 0);
    assert_true(back.kind == head.kind && back.flags == head.flags && back.size == head.size && back.number == head.number &&
                back.argument == head.argument);
    for (size_t size = 0; size < sizeof bytes; size++)
        assert_int_equal(link_head_read(bytes, size, &back), LINK_MALFORMED);
    bytes[8] = 2;
    assert_int_equal(link_head_read(bytes, sizeof bytes, &back), LINK_IS_NEWER);
    assert_true(back.number == head.number);
    bytes[8] = 0;
    assert_int_equal(link_head_read(bytes, sizeof bytes, &back), LINK_MALFORMED);
}

TEST(records_come_back_with_names_times_flags_and_ids)
{
    struct link_payload p = rows_make(5, 3);
    struct batch_reader r;
    struct batch_item item;

    assert_true(batch_open(&r, p.bytes, p.size));
    assert_true(batch_next(&r, &item));
    assert_true(item.is_stream && item.subject_size == 12 && item.name_size == 6);
    assert_memory_equal(item.subject, "Anna Example", 12);
    assert_memory_equal(item.name, "vitals", 6);
    for (uint64_t i = 5; i < 8; i++) {
        assert_true(batch_next(&r, &item));
        assert_true(item.id.source == 77 && item.id.seq == i && item.event_ns == (int64_t)i * 1000);
        assert_int_equal(item.clock, AFF_CLOCK_DEVICE);
        assert_true(link_fits(&test_schema, item.data, item.size));
    }
    assert_false(batch_next(&r, &item));
}

TEST(a_batch_that_is_cut_anywhere_is_none)
{
    struct link_payload p = rows_make(1, 4);
    struct batch_reader r;

    for (size_t size = 0; size < p.size; size++)
        assert_false(batch_open(&r, p.bytes, size));
}

TEST(a_batch_with_any_byte_changed_is_none_or_whole_items)
{
    struct link_payload p = rows_make(1, 2);
    uint8_t *bytes = malloc(p.size);
    struct link_payload changed = { bytes, p.size };
    uint32_t streams, records;
    struct batch_reader r;

    assert_non_null(bytes);
    for (size_t at = 0; at < p.size; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            memcpy(bytes, p.bytes, p.size);
            bytes[at] ^= (uint8_t)(1u << bit);
            if (batch_open(&r, bytes, p.size))
                count_items(&changed, &streams, &records);
        }
    free(bytes);
}

TEST(what_would_unpack_to_more_than_the_limit_is_not_unpacked)
{
    static uint8_t zeros[60000], packed[1000], room[60000];
    int size = LZ4_compress_default((const char *)zeros, (char *)packed, sizeof zeros, sizeof packed);
    struct link_head head = { .kind = LINK_BATCH, .flags = LINK_LZ4, .size = sizeof zeros };
    struct link_payload payload = { packed, (size_t)size }, back;

    assert_true(size > 0);
    assert_int_equal(link_unpack(&head, payload, room, sizeof room, &back), 0);
    assert_int_equal(back.size, sizeof zeros);
    assert_int_equal(link_unpack(&head, payload, room, sizeof zeros - 1, &back), LINK_TOO_LARGE);
    head.size = 100; /* says less than it is */
    assert_int_equal(link_unpack(&head, payload, room, sizeof room, &back), LINK_MALFORMED);
    head.size = sizeof zeros;
    payload.size--;
    assert_int_equal(link_unpack(&head, payload, room, sizeof room, &back), LINK_MALFORMED);
}

TEST(a_schema_comes_back_and_is_refused_when_it_is_cut)
{
    static const struct aff_column channels[] = { { .name = "I", .unit = "mV", .gain = 200, .baseline = 3 },
                                                  { .name = "II", .unit = "mV", .gain = -1 } };
    static const struct aff_schema ecg = { .struct_size = sizeof ecg, .type = AFF_SAMPLES, .format = AFF_I16,
                                           .label = AFF_LABEL_QUASI, .name = "ecg", .columns = channels, .count = 2,
                                           .stride = sizeof channels[0], .rate_num = 360, .rate_den = 1 };
    uint8_t bytes[500], again[500];
    size_t size = link_schema_write(&ecg, bytes, sizeof bytes);
    bool no_memory;
    struct aff_schema *back = link_schema_read(bytes, size, &no_memory);

    assert_non_null(back);
    assert_string_equal(back->columns[1].name, "II");
    assert_true(back->columns[0].gain == 200 && back->rate_num == 360 && back->label == AFF_LABEL_QUASI);
    assert_null(back->columns[0].code);
    assert_int_equal(link_schema_write(back, again, sizeof again), size);
    assert_memory_equal(bytes, again, size);
    free(back);
    for (size_t cut = 0; cut < size; cut++)
        assert_null(link_schema_read(bytes, cut, &no_memory));
    bytes[0] = 9;
    assert_null(link_schema_read(bytes, size, &no_memory));
    for (size_t room = 0; room < size; room++)
        assert_int_equal(link_schema_write(&ecg, again, room), 0);
}

TEST(bytes_that_do_not_fit_their_schema_are_told)
{
    uint64_t cells[8] = { 3, 0, 24 | (uint64_t)8 << 32, 0 };
    struct aff_samples samples = { .count = 2, .channels = 1, .format = AFF_I16 };
    static const struct aff_column one = { .name = "I", .gain = 1 };
    const struct aff_schema ecg = { .struct_size = sizeof ecg, .type = AFF_SAMPLES, .format = AFF_I16, .columns = &one,
                                    .count = 1, .stride = sizeof one, .rate_num = 1, .rate_den = 1 };

    assert_true(link_fits(&test_schema, cells, 32));
    assert_false(link_fits(&test_schema, cells, 31)); /* its text is cut */
    assert_false(link_fits(&test_schema, cells, 23));
    cells[2] = 8 | (uint64_t)8 << 32; /* a text within the cells */
    assert_false(link_fits(&test_schema, cells, 32));
    cells[2] = UINT32_MAX | (uint64_t)UINT32_MAX << 32;
    assert_false(link_fits(&test_schema, cells, 32));
    cells[2] = 24;
    cells[0] = 4; /* a third column */
    assert_false(link_fits(&test_schema, cells, 32));
    memcpy(cells, &samples, sizeof samples);
    assert_true(link_fits(&ecg, cells, sizeof samples + 8));
    assert_false(link_fits(&ecg, cells, sizeof samples + 7));
    samples.count = UINT32_MAX;
    memcpy(cells, &samples, sizeof samples);
    assert_false(link_fits(&ecg, cells, sizeof cells));
}

TEST(key_files_are_read_and_what_is_wrong_with_one_is_said)
{
    struct ends e;
    struct curve_pair pair;
    char key[CURVE_TEXT], problem[CURVE_PROBLEM];

    ends_open(&e);
    assert_int_equal(curve_pair_read(ends_path(&e, "node.key"), &pair, problem), AFF_OK);
    assert_string_equal(pair.secret_key, e.node.secret_key);
    assert_int_equal(curve_public_read(ends_path(&e, "node.pub"), key, problem), AFF_OK);
    assert_string_equal(key, e.node.public_key);
    assert_int_equal(curve_pair_read(ends_path(&e, "node.pub"), &pair, problem), AFF_ERR_CONFIG);
    assert_int_equal(curve_public_read(ends_path(&e, "node.key"), key, problem), AFF_ERR_CONFIG);
    assert_non_null(strstr(problem, "secret key"));
    assert_null(strstr(problem, e.node.secret_key));
    assert_int_equal(chmod(ends_path(&e, "node.key"), 0644), 0);
    assert_int_equal(curve_pair_read(ends_path(&e, "node.key"), &pair, problem), AFF_ERR_CONFIG);
    assert_non_null(strstr(problem, "chmod 600"));
    ends_write(&e, "node.key", "afferent-curve-key 2 x y\n", 0600);
    assert_int_equal(curve_pair_read(ends_path(&e, "node.key"), &pair, problem), AFF_ERR_CONFIG);
    assert_non_null(strstr(problem, "version"));
    ends_write(&e, "node.pub", "afferent-curve-public 1 0000000000000000000000000000000000000000\n", 0644);
    assert_int_equal(curve_public_read(ends_path(&e, "node.pub"), key, problem), AFF_ERR_CONFIG);
    assert_int_equal(curve_public_read(ends_path(&e, "none"), key, problem), AFF_ERR_CONFIG);
    ends_close(&e);
}

AFF_TEST_MAIN(a_head_comes_back_and_that_of_a_newer_version_is_told_as_such,
              records_come_back_with_names_times_flags_and_ids, a_batch_that_is_cut_anywhere_is_none,
              a_batch_with_any_byte_changed_is_none_or_whole_items,
              what_would_unpack_to_more_than_the_limit_is_not_unpacked, a_schema_comes_back_and_is_refused_when_it_is_cut,
              bytes_that_do_not_fit_their_schema_are_told, key_files_are_read_and_what_is_wrong_with_one_is_said)
