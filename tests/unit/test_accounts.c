/* test_accounts.c - the ledger as it is stored: written, read back, damaged, judged.
 *
 * Sources: flow/accounts.c, flow/wire.c and what that needs, util/arena.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "flow/accounts.h"

static struct accounts *sample(void)
{
    struct accounts *a = accounts_new(2, 1);

    assert_non_null(a);
    a->pipeline = "ward";
    a->since_utc_ns = INT64_C(1772350200000000000);
    a->committed_utc_ns = a->since_utc_ns + 5;
    a->commits = 12;
    a->runs = 3;
    a->deaths = 1;
    a->clean = true;
    a->nodes[0] = (struct accounts_node){ .name = "ecg", .plugin = "in_x", .kind = 1 };
    a->nodes[1] = (struct accounts_node){ .name = "store", .plugin = "out_x", .kind = 3 };
    a->nodes[0].numbers[ACCOUNTS_MADE] = 10;
    a->nodes[0].numbers[ACCOUNTS_EMITTED] = 10;
    a->nodes[0].numbers[ACCOUNTS_UNSAFE] = 4;
    a->nodes[1].numbers[ACCOUNTS_IN] = 7;
    a->nodes[1].numbers[ACCOUNTS_RETRIED] = 1;
    a->nodes[1].numbers[ACCOUNTS_USED] = 5;
    a->nodes[1].numbers[ACCOUNTS_DEAD] = 2;
    a->nodes[1].numbers[ACCOUNTS_HELD] = 1;
    assert_true(accounts_reasons(a, 1, 2));
    a->nodes[1].reasons[0] = (struct accounts_reason){ "refused", 2, 2 };
    a->nodes[1].reasons[1] = (struct accounts_reason){ "late", 1, 0 };
    a->edges[0].from = "ecg";
    a->edges[0].from_port = "out";
    a->edges[0].to = "store";
    a->edges[0].to_port = "in";
    a->edges[0].numbers[ACCOUNTS_PUT] = 10;
    a->edges[0].numbers[ACCOUNTS_TAKEN] = 7;
    a->edges[0].numbers[ACCOUNTS_EDGE_QUEUED] = 3;
    a->edges[0].numbers[ACCOUNTS_EDGE_STORED] = 2;
    return a;
}

static void what_is_written_is_read_back(void **state)
{
    struct accounts *a = sample(), *b = NULL;
    struct wire wire = { 0 };

    (void)state;
    accounts_write(&wire, a);
    assert_false(wire.failed);
    assert_true(accounts_read(wire.bytes, wire.size, &b));
    wire_free(&wire); /* what was read has texts of its own */
    assert_string_equal(b->pipeline, "ward");
    assert_int_equal(b->since_utc_ns, a->since_utc_ns);
    assert_int_equal(b->commits, 12);
    assert_int_equal(b->deaths, 1);
    assert_true(b->clean);
    assert_int_equal(b->node_count, 2);
    assert_string_equal(b->nodes[1].plugin, "out_x");
    assert_memory_equal(b->nodes[1].numbers, a->nodes[1].numbers, sizeof a->nodes[1].numbers);
    assert_int_equal(b->nodes[1].reason_count, 2);
    assert_string_equal(b->nodes[1].reasons[0].name, "refused");
    assert_int_equal(b->nodes[1].reasons[0].count, 2);
    assert_string_equal(b->edges[0].to_port, "in");
    assert_memory_equal(b->edges[0].numbers, a->edges[0].numbers, sizeof a->edges[0].numbers);
    assert_int_equal(b->edges[0].oldest_ns, INT64_MAX);
    accounts_free(&a);
    accounts_free(&b);
    assert_null(b);
}

static void what_agrees_balances(void **state)
{
    struct accounts *a = sample();
    char why[200] = "untouched";

    (void)state;
    assert_true(accounts_balance(a, why, sizeof why));
    assert_string_equal(why, "untouched");
    assert_true(accounts_balance(a, NULL, 0));
    accounts_free(&a);
}

/* Every number of the equation counts, each on its side, and the others do not. */
static void each_number_is_on_its_side_of_the_equation(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < ACCOUNTS_NUMBERS; i++) {
        struct accounts *a = sample();
        char why[200] = "";

        a->nodes[0].numbers[i] += 3;
        assert_true(accounts_balance(a, why, sizeof why) == (i >= ACCOUNTS_BYTES_COPIED));
        if (i < ACCOUNTS_PASSED)
            assert_string_equal(why, "[ecg]: what came in and was made is 3 more than what became of it");
        else if (i < ACCOUNTS_BYTES_COPIED)
            assert_string_equal(why, "[ecg]: what came in and was made is 3 less than what became of it");
        accounts_free(&a);
    }
    for (uint32_t i = 0; i < ACCOUNTS_WAYS; i++) {
        struct accounts *a = sample();
        char why[200] = "";

        a->edges[0].numbers[i] += 1;
        assert_true(accounts_balance(a, why, sizeof why) == (i == ACCOUNTS_EDGE_STORED));
        if (i < ACCOUNTS_EDGE_STORED)
            assert_non_null(strstr(why, i == 0 ? "ecg -> store: what was put in is 1 more" : "1 less"));
        accounts_free(&a);
    }
}

static void bytes_that_were_cut_are_refused(void **state)
{
    struct accounts *a = sample(), *b = NULL;
    struct wire wire = { 0 };

    (void)state;
    accounts_write(&wire, a);
    for (size_t size = 0; size < wire.size; size++) {
        uint8_t *cut = malloc(size ? size : 1); /* so that a reader that goes beyond is seen */

        memcpy(cut, wire.bytes, size);
        assert_false(accounts_read(cut, size, &b));
        free(cut);
    }
    wire_u8(&wire, 0);
    assert_false(accounts_read(wire.bytes, wire.size, &b));
    wire_free(&wire);
    accounts_free(&a);
}

static void damaged_bytes_are_refused_or_read_and_never_worse(void **state)
{
    struct accounts *a = sample(), *b = NULL;
    struct wire wire = { 0 };
    unsigned seed = 3, read = 0;
    uint8_t *bytes;

    (void)state;
    accounts_write(&wire, a);
    bytes = malloc(wire.size);
    for (int i = 0; i < 20000; i++) {
        memcpy(bytes, wire.bytes, wire.size);
        for (int k = 0; k <= i % 4; k++)
            bytes[(size_t)rand_r(&seed) % wire.size] = (uint8_t)(i % 3 ? rand_r(&seed) : 0xff);
        if (!accounts_read(bytes, wire.size, &b))
            continue;
        read++;
        accounts_balance(b, NULL, 0);
        for (uint32_t n = 0; n < b->node_count; n++)
            assert_non_null(b->nodes[n].name);
        accounts_free(&b);
    }
    assert_true(read > 1000 && read < 19000);
    free(bytes);
    wire_free(&wire);
    accounts_free(&a);
}

static void write_head(struct wire *w, uint32_t version)
{
    wire_u32(w, version);
    wire_text(w, "ward");
    for (int i = 0; i < 7; i++)
        wire_u64(w, (uint64_t)i);
    wire_u8(w, 0);
}

/* A count that cannot be is refused before memory is taken for it. */
static void a_count_that_lies_is_refused(void **state)
{
    struct accounts *b = NULL;
    struct wire wire = { 0 };

    (void)state;
    write_head(&wire, 1);
    wire_u32(&wire, 0xffffffff);
    assert_false(accounts_read(wire.bytes, wire.size, &b));
    wire_clear(&wire);
    write_head(&wire, 1);
    wire_u32(&wire, 0);
    wire_u32(&wire, 0);
    wire_u32(&wire, 0x7fffffff);
    assert_false(accounts_read(wire.bytes, wire.size, &b));
    wire_free(&wire);
}

static void a_later_format_is_refused(void **state)
{
    struct accounts *b = NULL;
    struct wire wire = { 0 };

    (void)state;
    for (uint32_t version = 0; version < 3; version++) {
        wire_clear(&wire);
        write_head(&wire, version);
        for (int i = 0; i < 4; i++)
            wire_u32(&wire, 0);
        assert_true(accounts_read(wire.bytes, wire.size, &b) == (version == 1));
        if (b)
            accounts_free(&b);
    }
    wire_free(&wire);
}

/* Numbers stand under their names, so versions with more or fewer of them agree. */
static void numbers_are_found_by_name(void **state)
{
    struct accounts *b = NULL;
    struct wire wire = { 0 };

    (void)state;
    write_head(&wire, 1);
    wire_u32(&wire, 3);
    wire_text(&wire, "used");
    wire_text(&wire, "of_a_later_version");
    wire_text(&wire, "in");
    wire_u32(&wire, 0);
    wire_u32(&wire, 1);
    wire_text(&wire, "a");
    wire_text(&wire, "p");
    wire_u32(&wire, 2);
    wire_u64(&wire, 5);
    wire_u64(&wire, 99);
    wire_u64(&wire, 5);
    wire_u32(&wire, 0);
    wire_u32(&wire, 0);
    assert_true(accounts_read(wire.bytes, wire.size, &b));
    assert_int_equal(b->nodes[0].numbers[ACCOUNTS_USED], 5);
    assert_int_equal(b->nodes[0].numbers[ACCOUNTS_IN], 5);
    assert_int_equal(b->nodes[0].numbers[ACCOUNTS_MADE], 0);
    assert_true(accounts_balance(b, NULL, 0));
    accounts_free(&b);
    wire_free(&wire);
}

static void an_empty_ledger_is_written_and_balances(void **state)
{
    struct accounts *a = accounts_new(0, 0), *b = NULL;
    struct wire wire = { 0 };

    (void)state;
    accounts_write(&wire, a);
    assert_true(accounts_read(wire.bytes, wire.size, &b));
    assert_string_equal(b->pipeline, "");
    assert_true(accounts_balance(b, NULL, 0));
    accounts_free(&a);
    accounts_free(&b);
    wire_free(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(what_agrees_balances),
        cmocka_unit_test(each_number_is_on_its_side_of_the_equation),
        cmocka_unit_test(bytes_that_were_cut_are_refused),
        cmocka_unit_test(damaged_bytes_are_refused_or_read_and_never_worse),
        cmocka_unit_test(a_count_that_lies_is_refused),
        cmocka_unit_test(a_later_format_is_refused),
        cmocka_unit_test(numbers_are_found_by_name),
        cmocka_unit_test(an_empty_ledger_is_written_and_balances),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
