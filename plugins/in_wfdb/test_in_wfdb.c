/* SPDX-License-Identifier: Apache-2.0
 *
 * test_in_wfdb.c - the source as a host sees it: records, streams, order of time,
 * pace, restart, failing host calls. The readers alone: test_core.c. */
#define RECORDING_PLUGIN "in_wfdb"
#include "recording/testing.h"

TEST(wrong_options_are_refused_with_what_to_do)
{
    assert_null(aff_harness_check("in_wfdb", "path = \"a.hea\""));
    assert_null(aff_harness_check("in_wfdb", "path = [\"a.hea\", \"b\"]\nsignals = [\"MLII\"]\nannotator = \"\""));
    EXPECT_REFUSED("in_wfdb", "", "path");
    EXPECT_REFUSED("in_wfdb", "path = []", "path");
    EXPECT_REFUSED("in_wfdb", "path = \"a\"\nannotator = \"../x\"", "suffix");
    EXPECT_REFUSED("in_wfdb", "path = \"a\"\nstart = \"yesterday\"", "date and time");
    EXPECT_REFUSED("in_wfdb", "path = \"a\"\nstart = \"2023-02-29\"", "date and time");
    EXPECT_REFUSED("in_wfdb", "path = \"a\"\npace = \"slow\"", "pace");
    EXPECT_REFUSED("in_wfdb", "path = \"a\"\nblock = \"0s\"", "block");
}

TEST(a_path_that_is_not_there_is_tried_again)
{
    struct aff_harness *h;

    EXPECT_STATUS(aff_harness_try_open("in_wfdb", "path = \"/nowhere/at/all.hea\"", &h), AFF_ERR_IO);
    EXPECT_CAUSE(h, "No such file");
    aff_harness_close(&h);
}

TEST(a_record_is_a_subject_with_samples_and_annotations_in_order_of_time)
{
    struct aff_harness *h = opened("mitdb/101.hea", "");
    const struct aff_record *s, *a;
    int64_t first = 0, annotations = 0, latest = 0;
    aff_status st;

    do {
        st = aff_harness_read(h, 64);
        while ((s = aff_harness_take(h, "samples")) && !(s->flags & AFF_FLAG_END)) {
            const struct aff_samples *head = aff_samples_of(s);

            assert_int_equal(head->first, first);
            assert_int_equal(head->channels, 2);
            assert_int_equal(head->format, AFF_I16);
            assert_int_equal(s->event_ns, first * 1000000000 / 360);
            assert_int_equal(s->flags & AFF_FLAG_GAP, 0);
            if (head->count == 90) /* 180 bytes of 184: the same padding each time */
                assert_int_equal(((const int16_t *)aff_plane(s, 1))[90] | ((const int16_t *)aff_plane(s, 1))[91], 0);
            first += head->count;
            latest = s->event_ns;
        }
        while ((a = aff_harness_take(h, "annotations")) && !(a->flags & AFF_FLAG_END)) {
            int64_t sample = aff_harness_int(h, a, "sample");

            assert_int_equal(a->event_ns, sample * 1000000000 / 360);
            assert_int_equal(aff_harness_int(h, a, "start"), 0);
            if (annotations == 0) {
                assert_string_equal(aff_harness_text(h, a, "code"), "+");
                assert_string_equal(aff_harness_text(h, a, "aux"), "(N");
                assert_int_equal(sample, 7);
                assert_string_equal(aff_harness_stream_info(h, a->stream)->name, "atr");
                assert_string_equal(aff_harness_stream_info(h, a->stream)->subject_name, "101");
            }
            /* Neither port runs ahead of the other by more than a read. */
            assert_true(a->event_ns >= latest - 64 * INT64_C(250000000) && a->event_ns <= latest + 250000000);
            annotations++;
        }
    } while (st == AFF_OK);
    EXPECT_STATUS(st, AFF_END);
    assert_int_equal(first, 650000);
    assert_int_equal(annotations, 1874);
    EXPECT_METRIC(h, "checksum_errors", 0);
    EXPECT_METRIC(h, "records", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(the_schema_says_what_a_sample_means)
{
    struct aff_harness *h = opened("wfdb-formats/03700181.hea", "annotator = \"gqrsh\"");
    const struct aff_record *s, *a;
    const struct aff_schema *schema;
    const struct aff_column *c;

    EXPECT_STATUS(aff_harness_read(h, 64), AFF_OK);
    while (!aff_harness_waiting(h, "samples"))
        EXPECT_STATUS(aff_harness_read(h, 64), AFF_OK);
    s = aff_harness_take(h, "samples");
    schema = aff_harness_schema(h, s);
    c = schema->columns;
    assert_int_equal(schema->rate_num, 500);
    assert_int_equal(schema->count, 1);
    assert_string_equal(c->name, "MCL1");
    assert_string_equal(c->unit, "mV");
    assert_true(c->gain > 2963.76 && c->gain < 2963.78);
    assert_string_equal(aff_harness_stream_info(h, s->stream)->name, "500Hz");
    assert_int_equal(s->event_ns, INT64_C(776971665000000000)); /* 1994-08-15 17:27:45 */
    assert_int_equal(s->clock, AFF_CLOCK_RECORDED);
    s = aff_harness_take(h, "samples");
    schema = aff_harness_schema(h, s);
    c = (const struct aff_column *)(const void *)schema->columns;
    assert_int_equal(schema->rate_num, 125);
    assert_int_equal(schema->count, 2);
    assert_string_equal(c->name, "ABP");
    assert_string_equal(c->unit, "mm[Hg]");
    assert_true(c->baseline < -1604 && c->baseline > -1606);
    while (!(a = aff_harness_take(h, "annotations")))
        EXPECT_STATUS(aff_harness_read(h, 64), AFF_OK);
    a = aff_harness_take(h, "annotations"); /* behind a note of the detector's */
    assert_string_equal(aff_harness_text(h, a, "code"), "N");
    assert_int_equal(a->event_ns - INT64_C(776971665000000000), INT64_C(1062) * 2000000);
    assert_int_equal(aff_harness_int(h, a, "sample"), 265);
    aff_harness_close(&h);
}

TEST(an_annotator_that_is_named_must_be_there)
{
    struct aff_harness *h = opened("mitdb/101.hea", "annotator = \"qrs\"");

    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_ERR_IO);
    EXPECT_CAUSE(h, "record 1 of 1: the annotation file cannot be read");
    aff_harness_close(&h);
}

TEST(a_folder_is_its_records_in_sorted_order_each_ended)
{
    struct aff_harness *h = opened("mitdb", "signals = [\"V5\", \"MLII\"]\nblock = \"10s\"");
    const struct aff_record *r;
    char last[16] = "";
    int ends = 0;
    aff_status st;

    do {
        st = aff_harness_read(h, 64);
        while ((r = aff_harness_take(h, "samples"))) {
            const char *name = aff_harness_stream_info(h, r->stream)->subject_name;

            assert_true(strcmp(last, name) <= 0);
            (void)snprintf(last, sizeof last, "%s", name);
            ends += (r->flags & AFF_FLAG_END) != 0;
        }
        aff_harness_discard(h, "samples");
        aff_harness_discard(h, "annotations");
    } while (st == AFF_OK);
    EXPECT_STATUS(st, AFF_END);
    assert_int_equal(ends, 24);
    EXPECT_METRIC(h, "records", 24);
    EXPECT_METRIC(h, "checksum_errors", 0);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(a_folder_leaves_out_the_segments_of_its_records)
{
    struct aff_harness *h = opened("wfdb-formats/multi-segment/p000878", "");

    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_METRIC(h, "records", 1);
    EXPECT_METRIC(h, "segments_missing", 30);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_WARN, "segment's files are not there"), 4);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(missing_segments_are_gaps_and_missing_channels_are_marked)
{
    struct aff_harness *h = opened("wfdb-formats/multi-segment/p000878/p000878-2137-10-26-16-57.hea", "");
    const struct aff_record *r;
    const struct aff_samples *s;
    int gaps = 0, seen = 0;

    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    while ((r = aff_harness_take(h, "samples"))) {
        if (r->flags & AFF_FLAG_END)
            continue;
        s = aff_samples_of(r);
        gaps += (r->flags & AFF_FLAG_GAP) != 0;
        assert_int_equal(s->channels, 4);
        assert_true(s->first >= 3750 && s->first + s->count <= 7500);
        assert_int_equal(((const int16_t *)aff_plane(r, 2))[0], INT16_MIN);
        if (s->first == 5750) { /* found by name: PLETH is the second signal there, and II begins without one */
            assert_int_equal(((const int16_t *)aff_plane(r, 0))[0], 4);
            assert_int_equal(((const int16_t *)aff_plane(r, 1))[0], INT16_MIN);
            seen = 1;
        }
        assert_int_equal(((const int16_t *)aff_plane(r, 3))[s->count - 1], INT16_MIN);
    }
    assert_true(gaps >= 1 && seen);
    aff_harness_close(&h);
}

TEST(output_is_the_same_however_it_is_asked_for)
{
    uint64_t one = digest_of("wfdb-formats/03700181.hea", "annotator = \"sqrs\"", 1);

    assert_true(one == digest_of("wfdb-formats/03700181.hea", "annotator = \"sqrs\"", 64));
    assert_true(one == digest_of("wfdb-formats/03700181.hea", "annotator = \"sqrs\"", 7));
    assert_true(one != digest_of("wfdb-formats/03700181.hea", "annotator = \"gqrsl\"", 7));
}

TEST(a_restart_goes_on_where_it_was)
{
    expect_restarts("wfdb-formats/03700181.hea", "annotator = \"sqrs\"", "samples", 1000, 4000);
}

TEST(at_real_time_a_second_of_signal_takes_a_second)
{
    expect_realtime("mitdb/101.hea", 3600);
}

TEST(start_dates_a_recording_that_has_no_date)
{
    struct aff_harness *h = opened("wfdb-formats/v102s.hea", "start = \"2026-03-01T07:30:00Z\"");
    const struct aff_record *r;

    while (!(r = aff_harness_take(h, "samples")))
        EXPECT_STATUS(aff_harness_read(h, 1), AFF_OK);
    assert_int_equal(r->event_ns, INT64_C(1772350200000000000));
    assert_int_equal(r->clock, AFF_CLOCK_RECORDED);
    aff_harness_close(&h);
}

TEST(a_signal_that_no_record_has_is_an_error)
{
    struct aff_harness *h = opened("mitdb/101.hea", "signals = [\"aVR\"]");

    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_ERR_DATA);
    EXPECT_CAUSE(h, "none of the wanted signals");
    aff_harness_close(&h);
}

static void short_record(void)
{
    struct aff_harness *h = opened("wfdb-formats/100_3chan.hea", "");

    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_WAITING(h, "samples", 13); /* 12 blocks of 90 frames, and the mark */
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
}

TEST(each_host_call_may_fail_once)
{
    if (!toml_of("wfdb-formats/100_3chan.hea", ""))
        AFF_SKIP("no shared data");
    AFF_EACH_HOST_CALL_FAILS_ONCE(short_record);
}

/* ---- files of our own ---- */

static void write_text(const struct folder *d, const char *name, const char *text)
{
    folder_write(d, name, text, strlen(text));
}

static const int16_t ramp[8] = { 0, 1, 2, 3, 4, 5, 6, 7 };

TEST(a_bad_header_is_an_error_that_names_no_patient_and_the_next_record_follows)
{
    struct folder d;
    struct aff_harness *h;

    folder_make(&d);
    write_text(&d, "other.hea", "other 1 8 8\n../../etc/passwd 16\n");
    write_text(&d, "patient.hea", "patient 1 8 8\npatient.dat 16\n");
    folder_write(&d, "patient.dat", ramp, sizeof ramp);
    h = folder_read(&d, "block = \"1s\"");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_ERR_DATA);
    EXPECT_CAUSE(h, "record 1 of 2, header line 2: the signal's file name leaves the record's folder");
    assert_null(strstr(aff_harness_cause(h), "other"));
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_I16(h, "samples", 0, 1, 2, 3, 4, 5, 6, 7);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove(&d);
}

TEST(a_signal_file_that_comes_late_is_waited_for)
{
    struct folder d;
    struct aff_harness *h;

    folder_make(&d);
    write_text(&d, "patient.hea", "patient 1 8 8\npatient.dat 16\n");
    h = folder_read(&d, "block = \"1s\"");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_ERR_IO);
    EXPECT_CAUSE(h, "record 1 of 1, header line 2: the signal file cannot be read: No such file");
    folder_write(&d, "patient.dat", ramp, sizeof ramp);
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_I16(h, "samples", 0, 1, 2, 3, 4, 5, 6, 7);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove(&d);
}

TEST(a_cut_signal_file_and_a_wrong_checksum_are_said_and_counted)
{
    struct folder d;
    struct aff_harness *h;

    folder_make(&d);
    write_text(&d, "other.hea", "other 1 8 8\nother.dat 16 1 16 0 0 29\n");
    folder_write(&d, "other.dat", ramp, sizeof ramp);
    write_text(&d, "patient.hea", "patient 1 8 8\npatient.dat 16 1 16 0 0 28\n");
    folder_write(&d, "patient.dat", ramp, sizeof ramp - 3);
    h = folder_read(&d, "block = \"1s\"");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_METRIC(h, "checksum_errors", 1);
    EXPECT_METRIC(h, "files_short", 1);
    EXPECT_LOG(h, AFF_LOG_ERROR, "record 1 of 2, segment 1, signal 1: the samples do not have the header's checksum");
    EXPECT_LOG(h, AFF_LOG_ERROR, "record 2 of 2, segment 1, signal 1: the signal file ends before");
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove(&d);
}

TEST(a_cut_annotation_file_is_an_error_after_what_was_read)
{
    struct folder d;
    struct aff_harness *h;
    const struct aff_record *r;

    folder_make(&d);
    write_text(&d, "patient.hea", "patient 1 8 8\npatient.dat 16\n");
    folder_write(&d, "patient.dat", ramp, sizeof ramp);
    folder_write(&d, "patient.atr", "\x02\x04\x03\x14\x01\x04", 6);
    h = folder_read(&d, "");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_ERR_DATA);
    EXPECT_CAUSE(h, "record 1 of 1: the annotation file ends without its end mark");
    r = aff_harness_take(h, "annotations");
    assert_non_null(r);
    assert_string_equal(aff_harness_text(h, r, "code"), "N");
    assert_int_equal(r->event_ns, 250000000);
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    folder_remove(&d);
}

TEST(equal_content_has_equal_ids_wherever_it_lies)
{
    struct folder d;
    struct aff_harness *h;
    const struct aff_record *r;
    struct aff_id first;

    folder_make(&d);
    write_text(&d, "patient.hea", "patient 1 8 8\npatient.dat 16\n");
    folder_write(&d, "patient.dat", ramp, sizeof ramp);
    h = folder_read(&d, "");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    r = aff_harness_take(h, "samples");
    first = r->id;
    aff_harness_close(&h);
    h = folder_read(&d, "annotator = \"\"");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    r = aff_harness_take(h, "samples");
    assert_memory_equal(&first, &r->id, sizeof first);
    aff_harness_close(&h);
    folder_write(&d, "patient.dat", ramp + 1, sizeof ramp - 2);
    h = folder_read(&d, "");
    EXPECT_STATUS(aff_harness_read_all(h, 64, 0), AFF_END);
    r = aff_harness_take(h, "samples");
    assert_true(first.source != r->id.source);
    aff_harness_close(&h);
    folder_remove(&d);
}

AFF_TEST_MAIN(wrong_options_are_refused_with_what_to_do, a_path_that_is_not_there_is_tried_again,
              a_record_is_a_subject_with_samples_and_annotations_in_order_of_time, the_schema_says_what_a_sample_means,
              an_annotator_that_is_named_must_be_there, a_folder_is_its_records_in_sorted_order_each_ended,
              a_folder_leaves_out_the_segments_of_its_records, missing_segments_are_gaps_and_missing_channels_are_marked,
              output_is_the_same_however_it_is_asked_for, a_restart_goes_on_where_it_was,
              at_real_time_a_second_of_signal_takes_a_second, start_dates_a_recording_that_has_no_date,
              a_signal_that_no_record_has_is_an_error, each_host_call_may_fail_once,
              a_bad_header_is_an_error_that_names_no_patient_and_the_next_record_follows,
              a_signal_file_that_comes_late_is_waited_for, a_cut_signal_file_and_a_wrong_checksum_are_said_and_counted,
              a_cut_annotation_file_is_an_error_after_what_was_read, equal_content_has_equal_ids_wherever_it_lies)
