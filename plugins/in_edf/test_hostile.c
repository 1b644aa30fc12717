/* SPDX-License-Identifier: Apache-2.0
 *
 * test_hostile.c - the source with files that are cut, that lie or that change
 * while they are read: what is whole comes, the rest is said, nothing is named. */
#include "test_make.h"

static const struct made_signal both[2] = { { .label = "EEG", .samples = "4" },
                                            { "EDF Annotations", "", "-1", "1", NULL, NULL, "20" } };

/* Three data records; the second has two good annotations and four bad ones. */
static void three_records(struct made *m, const struct made_head *h)
{
    made_header(m, h, both, 2);
    made_ramp(m, 0, 4);
    made_tals(m, "+0||/", 40);
    made_ramp(m, 4, 4);
    made_tals(m, "+1||/+1|a|/?/+1.|x|/+99999999999|c|/+2|q", 40);
    made_ramp(m, 8, 4);
    made_tals(m, "+2||/+2.5|caf\xe9|/", 40);
}

static const struct made_head plus = { .variant = "EDF+C", .records = "3" };

TEST(bad_annotations_are_dead_letters_and_the_rest_comes)
{
    struct made m = { NULL, 0, 0 };
    struct aff_harness *h;
    const struct aff_record *r;
    struct folder d;

    folder_make(&d);
    three_records(&m, &plus);
    folder_put(&d, "patient.edf", &m);
    h = folder_read(&d, "block = \"1s\"");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_VERDICT(h, "annotation_malformed", 2);
    EXPECT_VERDICT(h, "annotation_time", 1);
    EXPECT_VERDICT(h, "annotation_cut", 1);
    EXPECT_METRIC(h, "annotations", 2);
    EXPECT_METRIC(h, "annotations_latin1", 1);
    EXPECT_WAITING(h, "samples", 4);
    r = aff_harness_take(h, "annotations");
    assert_string_equal(aff_harness_text(h, r, "text"), "a");
    assert_int_equal(aff_harness_int(h, r, "record"), 1);
    r = aff_harness_take(h, "annotations");
    assert_string_equal(aff_harness_text(h, r, "text"), "caf\xc3\xa9");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove(&d);
}

TEST(dead_letters_are_not_made_again_after_a_restart)
{
    struct made m = { NULL, 0, 0 };
    struct aff_harness *h;
    struct folder d;

    folder_make(&d);
    three_records(&m, &plus);
    folder_put(&d, "patient.edf", &m);
    h = folder_read(&d, "block = \"1s\"");
    while (aff_harness_read(h, 1) == AFF_OK)
        aff_harness_restart(h);
    EXPECT_DEAD(h, 4);
    EXPECT_WAITING(h, "samples", 4);
    EXPECT_WAITING(h, "annotations", 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove(&d);
}

/* Cuts the file everywhere: whole data records come, and it is said. */
TEST(a_file_cut_anywhere_gives_what_is_whole)
{
    struct made m = { NULL, 0, 0 };
    struct folder d;
    size_t n, whole;

    folder_make(&d);
    three_records(&m, &plus);
    for (n = 0; n < m.size; n = n < 768 ? n + 61 : n + 7) {
        struct aff_harness *h;

        folder_write(&d, "patient.edf", m.bytes, n);
        h = folder_read(&d, "block = \"1s\"");
        if (n < 768) {
            EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_ERR_DATA);
            EXPECT_CAUSE(h, "file 1 of 1: the file ");
        }
        EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
        whole = n < 768 ? 0 : (n - 768) / 48;
        EXPECT_WAITING(h, "samples", whole ? whole + 1 : 0);
        EXPECT_METRIC(h, "files_short", n >= 768);
        EXPECT_BALANCED(h);
        aff_harness_close(&h);
    }
    made_free(&m);
    folder_remove(&d);
}

static void expect_length(const char *records, size_t extra, int is_short, int is_long)
{
    struct made_head head = { .variant = "EDF+C", .records = records };
    struct made m = { NULL, 0, 0 };
    struct aff_harness *h;
    struct folder d;

    folder_make(&d);
    three_records(&m, &head);
    made_add(&m, "0123456789012345678901234567890123456789012345678901234567890", extra);
    folder_put(&d, "patient.edf", &m);
    h = folder_read(&d, "block = \"1s\"");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_METRIC(h, "files_short", is_short);
    EXPECT_METRIC(h, "files_long", is_long);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove(&d);
}

TEST(the_number_of_data_records_is_the_headers_or_the_files)
{
    expect_length("3", 0, 0, 0);
    expect_length("-1", 0, 0, 0);
    expect_length("-1", 5, 1, 0);
    expect_length("3", 5, 0, 1);
    expect_length("2", 0, 0, 1);
    expect_length("4", 0, 1, 0);
    expect_length("4", 48, 0, 0);
    expect_length("4", 50, 0, 1);
    expect_length("99999999", 0, 1, 0);
    expect_length("0", 0, 0, 1);
}

static void expect_fault(const struct made_head *head, const struct made_signal *s, unsigned signals, const char *cause)
{
    struct made m = { NULL, 0, 0 };
    struct aff_harness *h;
    struct folder d;

    folder_make(&d);
    made_header(&m, head, s, signals);
    made_ramp(&m, 0, 16);
    folder_put(&d, "patient.edf", &m);
    h = folder_read(&d, "");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_ERR_DATA);
    EXPECT_CAUSE(h, cause);
    EXPECT_CAUSE(h, "file 1 of 1");
    assert_null(strstr(aff_harness_cause(h), "atient"));
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove(&d);
}

TEST(what_cannot_be_read_is_refused_with_its_place_and_without_a_name)
{
    struct made_signal many[70], s[2] = { { 0 }, { .label = "B" } };
    static char number[70][12];
    struct made_head head = { 0 };
    int i;

    expect_fault(&(struct made_head){ .version = "PDF-1.7" }, s, 1, "this is no EDF file");
    expect_fault(&(struct made_head){ .signals = "999" }, s, 1, "at most 512");
    expect_fault(&(struct made_head){ .signals = "100", .size = "25856" }, s, 1, "ends inside its header");
    expect_fault(&(struct made_head){ .seconds = "0" }, s, 1, "signal 1: data records last 0 seconds");
    s[1].low = s[1].high = "1";
    expect_fault(&head, s, 2, "signal 2: the physical minimum and maximum are equal");
    s[1] = (struct made_signal){ .samples = "0" };
    expect_fault(&head, s, 2, "signal 2: the signal has no samples");
    memset(many, 0, sizeof many);
    for (i = 0; i < 70; i++) {
        (void)snprintf(number[i], sizeof number[i], "%d", i + 1);
        many[i].samples = number[i];
    }
    expect_fault(&head, many, 70, "signal 65: the file has more than 64 sampling rates");
}

TEST(a_bad_signal_can_be_left_out_and_none_at_all_is_an_error)
{
    static const struct made_signal s[3] = { { .label = "A" }, { .label = "B", .digital_low = "9", .digital_high = "9" },
                                             { .label = "C", .samples = "0" } };
    struct made_head head = { 0 };
    struct made m = { NULL, 0, 0 };
    struct aff_harness *h;
    struct folder d;

    folder_make(&d);
    made_header(&m, &head, s, 3);
    made_ramp(&m, 0, 8);
    folder_put(&d, "patient.edf", &m);
    h = folder_read(&d, "signals = [\"A\"]\nblock = \"1s\"");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_I16(h, "samples", 0, 1, 2, 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    h = folder_read(&d, "signals = [\"Z\"]");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_ERR_DATA);
    EXPECT_CAUSE(h, "none of the wanted signals");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    aff_harness_close(&h);
    folder_remove(&d);
}

/* Samples of 10^8 in a data record are no memory: only pieces are read. */
TEST(a_data_record_larger_than_any_room_is_read_in_pieces_and_said)
{
    static const struct made_signal s[2] = { { .samples = "200000" }, { .label = "B", .samples = "200000" } };
    struct made_head head = { .seconds = "100" };
    struct made m = { NULL, 0, 0 };
    struct aff_harness *h;
    const struct aff_record *r;
    struct folder d;
    int64_t first = 0, i;

    folder_make(&d);
    made_header(&m, &head, s, 2);
    for (i = 0; i < 2; i++) {
        made_ramp(&m, 0, 200000);
        made_ramp(&m, 7, 200000);
    }
    folder_put(&d, "patient.edf", &m);
    h = folder_read(&d, "block = \"7s\"");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_LOG(h, AFF_LOG_WARN, "file 1 of 1: a data record is larger than 61440 bytes");
    while ((r = aff_harness_take(h, "samples")) && !(r->flags & AFF_FLAG_END)) {
        const int16_t *a = aff_plane(r, 0), *b = aff_plane(r, 1);
        const struct aff_samples *head_of = aff_samples_of(r);

        assert_true(r->size <= 32768 + 64);
        assert_int_equal(head_of->first, first);
        for (i = 0; i < head_of->count; i++)
            assert_true(a[i] == (int16_t)((first + i) % 200000) && b[i] == (int16_t)((first + i) % 200000 + 7));
        first += head_of->count;
    }
    assert_int_equal(first, 400000);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove(&d);
}

TEST(a_gap_in_edf_d_is_flagged_and_counted_and_a_time_that_is_missing_is_suspect)
{
    struct made_head head = { .variant = "EDF+D" };
    struct made m = { NULL, 0, 0 };
    struct aff_harness *h;
    const struct aff_record *r;
    struct folder d;

    folder_make(&d);
    made_header(&m, &head, both, 2);
    made_ramp(&m, 0, 4);
    made_tals(&m, "+0.25||/", 40);
    made_ramp(&m, 4, 4);
    made_tals(&m, "+60.25||late|/", 40);
    made_ramp(&m, 8, 4);
    made_tals(&m, "", 40);
    folder_put(&d, "patient.edf", &m);
    h = folder_read(&d, "block = \"10s\"");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    r = aff_harness_take(h, "samples");
    assert_int_equal(r->event_ns, INT64_C(1772350200250000000));
    assert_int_equal(r->flags, 0);
    r = aff_harness_take(h, "samples");
    assert_int_equal(r->event_ns, INT64_C(1772350260250000000));
    assert_int_equal(aff_samples_of(r)->first, 240);
    assert_int_equal(r->flags, AFF_FLAG_GAP);
    r = aff_harness_take(h, "samples");
    assert_int_equal(aff_samples_of(r)->first, 244);
    assert_int_equal(r->flags, AFF_FLAG_SUSPECT);
    r = aff_harness_take(h, "annotations");
    assert_string_equal(aff_harness_text(h, r, "text"), "late");
    EXPECT_METRIC(h, "gaps", 1);
    EXPECT_METRIC(h, "times_missing", 1);
    EXPECT_LOG(h, AFF_LOG_WARN, "file 1 of 1: a data record does not say when it began");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove(&d);
}

TEST(a_file_that_is_cut_while_it_is_read_is_tried_again_and_read_anew_once_it_has_changed)
{
    static const struct made_signal s[1] = { { .samples = "60000" } };
    struct made_head head = { 0 };
    struct made m = { NULL, 0, 0 };
    struct aff_harness *h;
    struct folder d;
    int i;

    folder_make(&d);
    made_header(&m, &head, s, 1);
    for (i = 0; i < 12; i++)
        made_ramp(&m, i, 60000);
    folder_write(&d, "patient.edf", m.bytes, m.size);
    h = folder_read(&d, "");
    EXPECT_STATUS(aff_harness_read(h, 4), AFF_OK);
    folder_write(&d, "patient.edf", m.bytes, 512 + 2 * 120000);
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_ERR_IO);
    EXPECT_CAUSE(h, "file 1 of 1: the file became shorter");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_LOG(h, AFF_LOG_WARN, "has changed since it was read in part");
    EXPECT_METRIC(h, "files", 2);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    made_free(&m);
    folder_remove(&d);
}

TEST(no_endless_file_of_zeros_costs_more_than_its_length)
{
    static const struct made_signal s[1] = { { "EDF Annotations", "", "-1", "1", NULL, NULL, "1" } };
    struct made_head head = { .seconds = "0", .variant = "EDF+C" };
    struct made m = { NULL, 0, 0 };
    struct aff_harness *h;
    struct folder d;

    folder_make(&d);
    made_header(&m, &head, s, 1);
    made_tals(&m, "", 40000);
    folder_put(&d, "patient.edf", &m);
    h = folder_read(&d, "");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_DEAD(h, 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove(&d);
}

AFF_TEST_MAIN(bad_annotations_are_dead_letters_and_the_rest_comes, dead_letters_are_not_made_again_after_a_restart,
              a_file_cut_anywhere_gives_what_is_whole, the_number_of_data_records_is_the_headers_or_the_files,
              what_cannot_be_read_is_refused_with_its_place_and_without_a_name,
              a_bad_signal_can_be_left_out_and_none_at_all_is_an_error,
              a_data_record_larger_than_any_room_is_read_in_pieces_and_said,
              a_gap_in_edf_d_is_flagged_and_counted_and_a_time_that_is_missing_is_suspect,
              a_file_that_is_cut_while_it_is_read_is_tried_again_and_read_anew_once_it_has_changed,
              no_endless_file_of_zeros_costs_more_than_its_length)
