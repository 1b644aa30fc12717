/* SPDX-License-Identifier: Apache-2.0
 *
 * test_text.c - the GSM alphabet with its national tables, packing, UTF-16, hex. */
#include <afferent/testkit.h>

#include <stdbool.h>
#include <string.h>

#include "gsm7.h"
#include "utf16.h"

static const struct gsm7_shift plain = { 0, 0 };

static const char *decoded(const uint8_t *septets, size_t count, struct gsm7_shift shift)
{
    static char text[600];
    uint16_t units[160];
    size_t n = gsm7_decode(septets, count, shift, units, 160);

    text[utf16_to_utf8(units, n, text, sizeof text - 1)] = '\0';
    return text;
}

TEST(septets_are_the_letters_of_the_default_alphabet)
{
    const uint8_t s[] = { 0x00, 0x01, 0x10, 0x1c, 0x41, 0x7f, 0x0a, 0x20 };

    assert_string_equal(decoded(s, sizeof s, plain), "@£ΔÆAà\n ");
}

TEST(an_escape_leads_to_the_extension_table)
{
    const uint8_t s[] = { 0x1b, 0x65, 0x1b, 0x28, 0x1b, 0x29, 0x1b, 0x2f, 0x1b, 0x3c, 0x1b, 0x40, 0x1b, 0x14 };

    assert_string_equal(decoded(s, sizeof s, plain), "€{}\\[|^");
}

TEST(an_escape_before_nothing_known_is_dropped_and_a_double_one_is_a_space)
{
    const uint8_t unknown[] = { 'a', 0x1b, 'b' }, twice[] = { 'a', 0x1b, 0x1b, 'b' }, last[] = { 'a', 0x1b };
    uint16_t units[2];

    assert_string_equal(decoded(unknown, 3, plain), "ab");
    assert_string_equal(decoded(twice, 4, plain), "a b");
    assert_string_equal(decoded(last, 2, plain), "a");
    assert_int_equal(gsm7_decode(twice, 4, plain, units, 2), 2); /* where there is no room for more */
}

/* One letter of each table that no other table has there. */
TEST(national_tables_are_taken_by_their_identifier)
{
    static const struct {
        uint8_t language, septet;
        const char *letter;
    } locks[] = { { 1, 0x1c, "Ş" }, { 3, 0x15, "∞" }, { 4, 0x60, "ৎ" }, { 5, 0x7f, "૱" }, { 6, 0x7f, "ॿ" },
                  { 7, 0x24, "ಡ" }, { 8, 0x7f, "൹" }, { 9, 0x60, "ୖ" }, { 10, 0x7f, "ੴ" }, { 11, 0x7f, "௹" },
                  { 12, 0x60, "ౕ" }, { 13, 0x40, "ص" }, { 2, 0x41, "A" }, { 14, 0x1c, "Æ" } };
    static const struct {
        uint8_t language, septet;
        const char *letter;
    } singles[] = { { 1, 0x67, "ğ" }, { 2, 0x6f, "ó" }, { 3, 0x05, "ê" }, { 4, 0x19, "০" }, { 5, 0x25, "૯" },
                    { 6, 0x3a, "ॱ" }, { 7, 0x2a, "ೲ" }, { 8, 0x34, "ൿ" }, { 9, 0x2c, "ୱ" }, { 10, 0x2d, "ੵ" },
                    { 11, 0x24, "௮" }, { 12, 0x32, "౿" }, { 13, 0x3f, "۔" }, { 200, 0x65, "€" } };
    size_t i;

    for (i = 0; i < sizeof locks / sizeof locks[0]; i++)
        assert_string_equal(decoded(&locks[i].septet, 1, (struct gsm7_shift){ locks[i].language, 0 }), locks[i].letter);
    for (i = 0; i < sizeof singles / sizeof singles[0]; i++) {
        const uint8_t two[] = { 0x1b, singles[i].septet };

        assert_string_equal(decoded(two, 2, (struct gsm7_shift){ 0, singles[i].language }), singles[i].letter);
    }
}

TEST(every_letter_of_every_table_goes_back_to_a_septet_of_that_letter)
{
    unsigned language, septet;

    for (language = 0; language < 14; language++)
        for (septet = 0; septet < 256; septet++) {
            const uint8_t in[] = { 0x1b, (uint8_t)(septet & 0x7f) };
            const uint8_t *at = septet < 128 ? in + 1 : in;
            struct gsm7_shift shift = { (uint8_t)language, (uint8_t)language };
            uint16_t unit = 0, again = 0;
            uint8_t out[2];
            size_t n;

            if (gsm7_decode(at, septet < 128 ? 1 : 2, shift, &unit, 1) != 1 || unit == 0xfffd || in[1] == 0x1b)
                continue;
            n = gsm7_encode_unit(unit, shift, out);
            assert_in_range(n, 1, 2);
            assert_int_equal(gsm7_decode(out, n, shift, &again, 1), 1);
            assert_int_equal(again, unit);
        }
}

TEST(what_the_alphabet_lacks_is_said)
{
    const uint16_t good[] = { 'a', 0x20ac }, bad[] = { 'a', 0x161 };
    uint8_t out[2];
    size_t septets;

    assert_true(gsm7_fits(good, 2, plain, &septets));
    assert_int_equal(septets, 3);
    assert_false(gsm7_fits(bad, 2, plain, &septets));
    assert_int_equal(gsm7_encode_unit(0xfffd, plain, out), 0);
    assert_int_equal(gsm7_encode_unit(0x1b, plain, out), 0);
}

/* The packing of "hellohello" is printed in many places. */
TEST(septets_are_packed_as_everybody_packs_them)
{
    const uint8_t wanted[] = { 0xe8, 0x32, 0x9b, 0xfd, 0x46, 0x97, 0xd9, 0xec, 0x37 };
    uint8_t packed[9] = { 0 }, back[10];

    assert_int_equal(gsm7_pack((const uint8_t *)"hellohello", 10, 0, packed), 9);
    assert_memory_equal(packed, wanted, 9);
    assert_true(gsm7_unpack(wanted, 9, 0, back, 10));
    assert_memory_equal(back, "hellohello", 10);
    assert_false(gsm7_unpack(wanted, 8, 0, back, 10));
}

TEST(packing_goes_back_at_each_fill_and_length)
{
    uint8_t in[160], packed[160], out[160];
    size_t skip, count, i;

    for (i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * 37 & 0x7f);
    for (skip = 0; skip < 64; skip++)
        for (count = 0; count <= sizeof in; count += 7) {
            memset(packed, 0, sizeof packed);
            i = gsm7_pack(in, count, skip, packed);
            assert_true(gsm7_unpack(packed, i, skip, out, count));
            assert_memory_equal(in, out, count);
        }
}

TEST(pairs_of_surrogates_are_one_character_and_halves_are_none)
{
    const uint16_t pair[] = { 0xd83d, 0xde00 }, high[] = { 0xd83d, 'a' }, low[] = { 'a', 0xde00 };
    static const char *const edges[] = { "\x01", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                                         "\xee\x80\x80", "\xef\xbf\xbc", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
    uint16_t back[4];
    char text[16];
    size_t i, n;

    assert_int_equal(utf16_to_utf8(pair, 2, text, sizeof text), 4);
    assert_memory_equal(text, "😀", 4);
    assert_int_equal(utf8_to_utf16("😀", 4, back, 4), 2);
    assert_memory_equal(back, pair, sizeof pair);
    assert_int_equal(utf16_to_utf8(high, 2, text, sizeof text), 4);
    assert_memory_equal(text, "\xef\xbf\xbd"
                              "a",
                        4);
    assert_int_equal(utf16_to_utf8(low, 2, text, sizeof text), 4);
    assert_int_equal(utf16_to_utf8(pair, 2, text, 3), 0);
    assert_true(utf16_cuts_pair(pair, 2, 1));
    assert_false(utf16_cuts_pair(high, 2, 1));
    assert_int_equal(utf8_to_utf16("😀", 4, back, 1), 0);
    assert_false(utf16_cuts_pair(pair, 2, 0) || utf16_cuts_pair(pair, 2, 2));
    /* the first and the last of each length */
    for (i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        size_t size = strlen(edges[i]);

        n = utf8_to_utf16(edges[i], size, back, 4);
        assert_int_equal(utf16_to_utf8(back, n, text, sizeof text), size);
        assert_memory_equal(text, edges[i], size);
        assert_int_equal(utf16_to_utf8(back, n, text, size - 1), 0);
        assert_true(n == (size == 4 ? 2 : 1) && back[0] != 0xfffd);
    }
}

TEST(bytes_that_are_no_utf8_become_replacements_one_each)
{
    static const char *const bad[] = { "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xff",
                                       "\xed\xbf\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf5\x80", "\x80", "\xc1\xbf" };
    static const size_t counts[] = { 2, 3, 4, 2, 1, 3, 3, 4, 2, 1, 2 };
    static const uint16_t again[] = { 0xfffd, '(', 0xfffd, 0xfffd, 0xfffd, 0xfffd, 'x' };
    uint16_t units[8];
    size_t i, k;

    assert_int_equal(utf8_to_utf16("\xe2(\xa1\xf0\x9f\x98x", 7, units, 8), 7); /* what comes in between is read */
    assert_memory_equal(units, again, sizeof again);
    for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(utf8_to_utf16(bad[i], strlen(bad[i]), units, 8), counts[i]);
        for (k = 0; k < counts[i]; k++)
            assert_int_equal(units[k], 0xfffd);
    }
}

TEST(hex_digits_are_pairs_and_nothing_else)
{
    uint8_t bytes[4];
    uint16_t units[2];
    char text[8];

    assert_true(hex_read("00ffA5", 6, bytes, 4));
    assert_int_equal(bytes[2], 0xa5);
    assert_false(hex_read("0g", 2, bytes, 4));
    assert_false(hex_read("000", 3, bytes, 4));
    assert_false(hex_read("0011223344", 10, bytes, 4));
    assert_true(hex_read_units("00410042", 8, units, 2));
    assert_int_equal(units[1], 'B');
    assert_false(hex_read_units("004100", 6, units, 2));
    assert_false(hex_read_units("004100420043", 12, units, 2));
    assert_false(hex_read_units("004g", 4, units, 2));
    assert_true(hex_read("09afAF", 6, bytes, 4));
    assert_int_equal(bytes[1], bytes[2]);
    assert_false(hex_read("0/", 2, bytes, 4) || hex_read("0:", 2, bytes, 4) || hex_read("0@", 2, bytes, 4));
    assert_false(hex_read("G0", 2, bytes, 4) || hex_read("0`", 2, bytes, 4) || hex_read("g0", 2, bytes, 4));
    hex_write((const uint8_t *)"\xa5\x0f", 2, text);
    assert_memory_equal(text, "A50F", 4);
}

AFF_TEST_MAIN(septets_are_the_letters_of_the_default_alphabet, an_escape_leads_to_the_extension_table,
              an_escape_before_nothing_known_is_dropped_and_a_double_one_is_a_space,
              national_tables_are_taken_by_their_identifier,
              every_letter_of_every_table_goes_back_to_a_septet_of_that_letter, what_the_alphabet_lacks_is_said,
              septets_are_packed_as_everybody_packs_them, packing_goes_back_at_each_fill_and_length,
              pairs_of_surrogates_are_one_character_and_halves_are_none,
              bytes_that_are_no_utf8_become_replacements_one_each, hex_digits_are_pairs_and_nothing_else)
