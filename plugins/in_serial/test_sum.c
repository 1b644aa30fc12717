/* SPDX-License-Identifier: Apache-2.0
 *
 * test_sum.c - checksums against the published check values: "123456789" of Greg
 * Cook's catalogue of parametrised CRC algorithms; and how they are written. */
#include "sum.h"
#include "text.h"

#include <afferent/testkit.h>

#include <string.h>

static const uint8_t check[] = "123456789";
enum { CHECK_SIZE = 9 };

static uint32_t value_of(const struct sum_rule *rule, size_t piece)
{
    struct sum s;
    uint32_t state;

    sum_set(&s, rule);
    state = sum_begin(&s);
    for (size_t at = 0; at < CHECK_SIZE; at += piece)
        state = sum_add(&s, state, check + at, piece < CHECK_SIZE - at ? piece : CHECK_SIZE - at);
    return sum_end(&s, state);
}

TEST(crcs_have_the_check_values_of_the_catalogue)
{
    static const struct {
        const char *name;
        struct sum_rule rule;
        uint32_t value;
    } rows[] = {
#define CRC(name, width, poly, init, in, out, xorout, value) \
    { name, { SUM_CRC##width, poly, init, xorout, in, out, false, false, false }, value }
        CRC("CRC-8/SMBUS", 8, 0x07, 0x00, 0, 0, 0x00, 0xf4),
        CRC("CRC-8/I-432-1", 8, 0x07, 0x00, 0, 0, 0x55, 0xa1),
        CRC("CRC-8/ROHC", 8, 0x07, 0xff, 1, 1, 0x00, 0xd0),
        CRC("CRC-8/MAXIM-DOW", 8, 0x31, 0x00, 1, 1, 0x00, 0xa1),
        CRC("CRC-8/CDMA2000", 8, 0x9b, 0xff, 0, 0, 0x00, 0xda),
        CRC("CRC-16/ARC", 16, 0x8005, 0x0000, 1, 1, 0x0000, 0xbb3d),
        CRC("CRC-16/MODBUS", 16, 0x8005, 0xffff, 1, 1, 0x0000, 0x4b37),
        CRC("CRC-16/USB", 16, 0x8005, 0xffff, 1, 1, 0xffff, 0xb4c8),
        CRC("CRC-16/XMODEM", 16, 0x1021, 0x0000, 0, 0, 0x0000, 0x31c3),
        CRC("CRC-16/IBM-3740", 16, 0x1021, 0xffff, 0, 0, 0x0000, 0x29b1),
        CRC("CRC-16/GENIBUS", 16, 0x1021, 0xffff, 0, 0, 0xffff, 0xd64e),
        CRC("CRC-16/KERMIT", 16, 0x1021, 0x0000, 1, 1, 0x0000, 0x2189),
        CRC("CRC-16/IBM-SDLC", 16, 0x1021, 0xffff, 1, 1, 0xffff, 0x906e),
        CRC("CRC-16/DNP", 16, 0x3d65, 0x0000, 1, 1, 0xffff, 0xea82),
        CRC("CRC-32/ISO-HDLC", 32, 0x04c11db7, 0xffffffff, 1, 1, 0xffffffff, 0xcbf43926),
        CRC("CRC-32/JAMCRC", 32, 0x04c11db7, 0xffffffff, 1, 1, 0x00000000, 0x340bc6d9),
        CRC("CRC-32/BZIP2", 32, 0x04c11db7, 0xffffffff, 0, 0, 0xffffffff, 0xfc891918),
        CRC("CRC-32/MPEG-2", 32, 0x04c11db7, 0xffffffff, 0, 0, 0x00000000, 0x0376e6e7),
        CRC("CRC-32/CKSUM", 32, 0x04c11db7, 0x00000000, 0, 0, 0xffffffff, 0x765e7680),
        CRC("CRC-32/ISCSI", 32, 0x1edc6f41, 0xffffffff, 1, 1, 0xffffffff, 0xe3069283),
        CRC("CRC-32/XFER", 32, 0x000000af, 0x00000000, 0, 0, 0x00000000, 0xbd0be338),
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t piece = 1; piece <= CHECK_SIZE; piece++)
            if (value_of(&rows[i].rule, piece) != rows[i].value)
                fail_msg("%s by %zu: %08x", rows[i].name, piece, (unsigned)value_of(&rows[i].rule, piece));
    }
}

TEST(reflecting_only_one_way_turns_the_value_round)
{
    struct sum_rule rule = { .kind = SUM_CRC16, .poly = 0x1021, .reflect_out = true };

    assert_int_equal(value_of(&rule, 9), 0xc38c); /* 0x31c3 backwards */
}

TEST(sums_and_xor_are_those_that_a_calculator_gives)
{
    struct sum_rule rule = { .kind = SUM_ADD8 };

    assert_int_equal(value_of(&rule, 2), 0xdd);
    rule.negate = true; /* Modbus ASCII, Intel HEX: bytes and sum add up to 0 */
    assert_int_equal(value_of(&rule, 2), 0x23);
    rule = (struct sum_rule){ .kind = SUM_ADD8, .xorout = 0xff };
    assert_int_equal(value_of(&rule, 2), 0x22);
    rule = (struct sum_rule){ .kind = SUM_ADD16, .init = 0xff00 };
    assert_int_equal(value_of(&rule, 3), 0x00dd);
    rule = (struct sum_rule){ .kind = SUM_XOR };
    assert_int_equal(value_of(&rule, 4), 0x31);
}

static void written(const struct sum_rule *rule, const char *bytes, size_t size)
{
    struct sum s;
    uint8_t room[8] = { 0 };
    uint32_t back = 0;

    sum_set(&s, rule);
    assert_int_equal(sum_width(&s), size);
    sum_write(&s, value_of(rule, 9), room);
    assert_memory_equal(room, bytes, size);
    assert_true(sum_read(&s, room, &back));
    assert_int_equal(back, value_of(rule, 9));
}

TEST(a_sum_is_written_in_binary_or_hex_either_end_first)
{
    struct sum_rule rule = { .kind = SUM_CRC16, .poly = 0x8005, .init = 0xffff, .reflect_in = true, .reflect_out = true };

    written(&rule, "\x4b\x37", 2);
    rule.little = true;
    written(&rule, "\x37\x4b", 2);
    rule.hex = true;
    written(&rule, "374B", 4);
    rule.little = false;
    written(&rule, "4B37", 4);
}

TEST(hex_digits_of_either_case_are_read_and_others_are_not)
{
    struct sum_rule rule = { .kind = SUM_CRC8, .hex = true };
    struct sum s;
    uint32_t value = 0;

    sum_set(&s, &rule);
    assert_true(sum_read(&s, (const uint8_t *)"aF", &value));
    assert_int_equal(value, 0xaf);
    assert_false(sum_read(&s, (const uint8_t *)"g0", &value));
    assert_false(sum_read(&s, (const uint8_t *)"0:", &value));
}

TEST(byte_strings_are_text_with_hex_bytes_in_it)
{
    uint8_t room[8];
    struct mark mark;

    assert_int_equal(text_bytes("A\\x06\\r\\n\\t\\\\", room, sizeof room), 6);
    assert_memory_equal(room, "A\x06\r\n\t\\", 6);
    assert_int_equal(text_bytes("\\x00\\0", room, sizeof room), 2);
    assert_int_equal(room[0] + room[1], 0);
    assert_int_equal(text_bytes("\\q", room, sizeof room), -1);
    assert_int_equal(text_bytes("\\", room, sizeof room), -1);
    assert_int_equal(text_bytes("\\x4", room, sizeof room), -1);
    assert_int_equal(text_bytes("\\x", room, sizeof room), -1);
    assert_int_equal(text_bytes("123456789", room, sizeof room), -1);
    assert_int_equal(text_hex("02 5A 03", room, sizeof room), 3);
    assert_memory_equal(room, "\x02Z\x03", 3);
    assert_int_equal(text_hex("025a", room, sizeof room), 2);
    assert_int_equal(text_hex("0 2", room, sizeof room), -1);
    assert_int_equal(text_hex("2", room, sizeof room), -1);
    assert_int_equal(text_hex("", room, sizeof room), 0);
    assert_false(text_mark("", &mark));
    assert_true(text_mark("\\x00", &mark));
    assert_int_equal(mark.size, 1);
    assert_false(text_mark("12345678901234567", &mark));
}

AFF_TEST_MAIN(crcs_have_the_check_values_of_the_catalogue, reflecting_only_one_way_turns_the_value_round,
              sums_and_xor_are_those_that_a_calculator_gives, a_sum_is_written_in_binary_or_hex_either_end_first,
              hex_digits_of_either_case_are_read_and_others_are_not, byte_strings_are_text_with_hex_bytes_in_it)
