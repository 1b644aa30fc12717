/* SPDX-License-Identifier: Apache-2.0
 *
 * test_pack.c - bodies of requests: elements joined and packed.
 *
 * Not here: the elements (out_http/test_body.c), what each format adds (out_http/frame.c). */
#include <afferent/testkit.h>

#include <lz4frame.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "http/pack.h"

/* ---- joined ---- */

static const struct item items[] = { { { 1, 1 }, 0, 0, 4, false }, { { 1, 2 }, 0, 4, 8, true }, { { 1, 3 }, 0, 8, 8, false } };

static const char *joined(struct text *t, const struct frame_marks *marks, const struct item *from, uint32_t count)
{
    struct text elements = { (char *)(uintptr_t)"{1:2{3:4", 8, 0, 0 };

    t->size = 0;
    frame_join(t, marks, &elements, from, count);
    text_add(t, "", 1);
    assert_false(t->failed);
    return t->bytes;
}

TEST(elements_become_a_list_and_what_was_sent_before_is_marked)
{
    struct text t = { 0 };

    assert_string_equal(joined(&t, &frame_list, items, 2), "[{1:2},{3:4,\"resent\":true}]");
    assert_string_equal(joined(&t, &frame_list, items + 1, 1), "[{3:4,\"resent\":true}]");
    assert_string_equal(joined(&t, &frame_list, items, 0), "[]");
    text_free(&t);
}

TEST(elements_become_lines_each_with_its_end)
{
    struct text t = { 0 };

    assert_string_equal(joined(&t, &frame_lines, items, 2), "{1:2}\n{3:4,\"resent\":true}\n");
    assert_string_equal(joined(&t, &frame_lines, items, 1), "{1:2}\n");
    assert_string_equal(joined(&t, &frame_lines, items, 0), "");
    text_free(&t);
}

TEST(an_empty_element_is_one_all_the_same)
{
    static const struct frame_marks marks = { "<", "|", "", "!", ">" };
    struct text t = { 0 };

    assert_string_equal(joined(&t, &marks, items, 3), "<{1:2|{3:4!|>");
    text_free(&t);
}

/* ---- packed ---- */

static size_t unpack(int how, const struct text *t, char *ret, size_t room)
{
    LZ4F_dctx *lz4 = NULL;
    z_stream z = { 0 };
    size_t in = t->size, out = room;

    if (how == PACK_ZSTD)
        return ZSTD_decompress(ret, room, t->bytes, t->size);
    if (how == PACK_LZ4) {
        assert_false(LZ4F_isError(LZ4F_createDecompressionContext(&lz4, LZ4F_VERSION)));
        assert_int_equal(LZ4F_decompress(lz4, ret, &out, t->bytes, &in, NULL), 0);
        (void)LZ4F_freeDecompressionContext(lz4);
        return out;
    }
    z.next_in = (Bytef *)t->bytes;
    z.avail_in = (uInt)t->size;
    z.next_out = (Bytef *)ret;
    z.avail_out = (uInt)room;
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    (void)inflateEnd(&z);
    return z.total_out;
}

/* As much as there is, and again into the same memory: as a request after a larger one. */
static void expect_same(int how, struct text *out, const struct text *in)
{
    static char back[200001];

    assert_true(frame_pack(out, in, how));
    assert_int_equal(unpack(how, out, back, sizeof back), in->size);
    assert_memory_equal(back, in->size ? in->bytes : back, in->size);
}

TEST(what_is_packed_comes_out_as_it_was)
{
    struct text in = { 0 }, out = { 0 };

    for (int i = 0; in.size < 200000; i++)
        text_int(&in, (int64_t)i * i);
    in.size = 200000;
    for (int how = PACK_GZIP; how <= PACK_LZ4; how++) {
        expect_same(how, &out, &in);
        assert_true(out.size < in.size);
    }
    in.size = 1;
    for (int how = PACK_GZIP; how <= PACK_LZ4; how++)
        expect_same(how, &out, &in);
    in.size = 0;
    for (int how = PACK_GZIP; how <= PACK_LZ4; how++)
        expect_same(how, &out, &in);
    text_free(&in);
    text_free(&out);
}

/* A key stands for its bytes: they hold no time and nothing by chance. */
TEST(the_same_is_packed_the_same_way)
{
    struct text in = { 0 }, one = { 0 }, two = { 0 };

    text_say(&in, "the same, the same, the same, and the same");
    for (int how = PACK_GZIP; how <= PACK_LZ4; how++) {
        assert_true(frame_pack(&one, &in, how) && frame_pack(&two, &in, how));
        assert_int_equal(one.size, two.size);
        assert_memory_equal(one.bytes, two.bytes, one.size);
    }
    text_free(&in);
    text_free(&one);
    text_free(&two);
}

TEST(each_way_of_packing_has_its_name_in_http)
{
    assert_null(pack_name(PACK_NONE));
    assert_string_equal(pack_name(PACK_GZIP), "gzip");
    assert_string_equal(pack_name(PACK_ZSTD), "zstd");
    assert_string_equal(pack_name(PACK_LZ4), "lz4");
}

AFF_TEST_MAIN(elements_become_a_list_and_what_was_sent_before_is_marked, elements_become_lines_each_with_its_end,
              an_empty_element_is_one_all_the_same, what_is_packed_comes_out_as_it_was, the_same_is_packed_the_same_way,
              each_way_of_packing_has_its_name_in_http)
