/* SPDX-License-Identifier: Apache-2.0
 *
 * test_in_zmq.c - the gateway's end, before nodes that keep to the link's rules and before
 * some that do not. */
#include "zmq_link/testing.h"

#include <lz4.h>

static struct ends ends;
static struct aff_harness *h;
static struct said heard;

static const char *toml(const char *more)
{
    static char text[TOML_ROOM];

    (void)snprintf(text, sizeof text,
                   "address = \"ipc://%s/door\"\nkey = \"%s/gateway.key\"\npeers = { \"bed-1\" = \"%s/node.pub\" }\n"
                   "largest = \"64KiB\"\n%s",
                   ends.folder, ends.folder, ends.folder, more);
    return text;
}

/* Reads, or waits a little for something to read. */
static void turn(void)
{
    if (aff_harness_read(h, 64) == AFF_AGAIN)
        (void)aff_harness_ready(h, STEP_MS);
}

/* The gateway, and a node that is connected to it and was greeted. */
static void greeted(void *socket, uint64_t life)
{
    struct link_head hello = { .kind = LINK_HELLO, .number = 9, .argument = life };
    uint32_t step = 0;

    say(socket, &hello, NULL, 0);
    for (heard.head.kind = 0; heard.head.kind != LINK_WELCOME && step < PATIENCE_STEPS; step++) {
        (void)aff_harness_ready(h, STEP_MS);
        (void)hear(socket, &heard, false);
    }
    assert_int_equal(heard.head.kind, LINK_WELCOME);
    assert_true(heard.head.number == 9 && heard.head.argument == 64 << 10);
}

static void begin(const char *more)
{
    ends_open(&ends);
    h = aff_harness_open("in_zmq", toml(more));
    EXPECT_STATUS(aff_harness_read(h, 1), AFF_AGAIN); /* it listens now */
    ends.socket = dealer_open(&ends, &ends.node);
    greeted(ends.socket, 1);
}

static void end(void)
{
    aff_harness_close(&h);
    ends_close(&ends);
}

/* Reads until so many records wait at its output. */
static void read_until(size_t records)
{
    for (uint32_t step = 0; aff_harness_waiting(h, "out") < records && step < PATIENCE_STEPS; step++)
        turn();
    assert_int_equal(aff_harness_waiting(h, "out"), records);
}

/* Reads until the node hears something. */
static void hear_next(void)
{
    bool any = false;

    for (uint32_t step = 0; !any && step < PATIENCE_STEPS; step++) {
        any = hear(ends.socket, &heard, false);
        if (!any)
            turn();
    }
    assert_true(any);
}

/* The same, where all that was passed on is safe at once. */
static void hear_safe(void)
{
    bool any = false;

    for (uint32_t step = 0; !any && step < PATIENCE_STEPS; step++) {
        aff_harness_commit(h);
        any = hear(ends.socket, &heard, false);
        if (!any)
            turn();
    }
    assert_true(any);
}

static void expect_answer(uint64_t number, uint64_t refused)
{
    hear_next();
    assert_int_equal(heard.head.kind, LINK_ANSWER);
    assert_true(heard.head.number == number && heard.head.argument == refused);
}

static void expect_refusal(uint64_t why)
{
    hear_next();
    assert_int_equal(heard.head.kind, LINK_REFUSED);
    assert_int_equal(heard.head.argument, why);
}

static void discard(void)
{
    aff_harness_discard(h, "out");
}

TEST(records_come_out_as_they_were_and_are_answered_when_they_are_safe)
{
    const struct aff_record *r;

    begin("");
    (void)say_schema(ends.socket);
    say_rows(ends.socket, 1, 5, 2);
    read_until(2);
    assert_int_equal(aff_harness_cuts(h), 0);
    (void)aff_harness_clock(h, 50000000);
    assert_true(aff_harness_cuts(h) > 0); /* the node has waited enough */
    aff_harness_commit_older(h); /* that was another epoch */
    assert_false(hear(ends.socket, &heard, false));
    aff_harness_commit(h);
    expect_answer(1, 0);
    r = aff_harness_take(h, "out");
    assert_true(aff_harness_real(h, r, "heart_rate") == 5 && r->event_ns == 5000 && r->clock == AFF_CLOCK_DEVICE);
    assert_int_equal(r->flags & AFF_FLAG_RESENT, 0);
    assert_string_equal(aff_harness_text(h, r, "note"), "asleep");
    assert_string_equal(aff_harness_stream_info(h, r->stream)->subject_name, "Anna Example");
    assert_string_equal(aff_harness_stream_info(h, r->stream)->name, "vitals");
    assert_string_equal(aff_harness_schema(h, r)->columns[0].unit, "/min");
    end();
}

TEST(a_prefix_keeps_the_subjects_of_nodes_apart)
{
    begin("prefix = true");
    (void)say_schema(ends.socket);
    say_rows(ends.socket, 1, 1, 1);
    read_until(1);
    assert_string_equal(aff_harness_stream_info(h, aff_harness_take(h, "out")->stream)->subject_name, "bed-1/Anna Example");
    end();
}

TEST(what_comes_again_is_answered_and_not_passed_on_also_after_a_restart)
{
    struct aff_id id;

    begin("");
    (void)say_schema(ends.socket);
    say_rows(ends.socket, 1, 1, 3);
    read_until(3);
    id = aff_harness_take(h, "out")->id;
    assert_true(id.source != 0);
    say_rows(ends.socket, 2, 1, 4); /* three of them came, and are not safe yet */
    read_until(3); /* two of before, and a new one */
    assert_false(hear(ends.socket, &heard, false));
    aff_harness_commit(h);
    expect_answer(1, 0);
    expect_answer(2, 0);
    EXPECT_METRIC(h, "duplicates", 3);
    discard();
    aff_harness_restart(h);
    EXPECT_STATUS(aff_harness_read(h, 1), AFF_AGAIN);
    (void)zmq_close(ends.socket);
    ends.socket = dealer_open(&ends, &ends.node);
    greeted(ends.socket, 2);
    (void)say_schema(ends.socket);
    say_rows(ends.socket, 1, 1, 4);
    expect_answer(1, 0); /* at once: all is safe */
    EXPECT_NOTHING(h, "out");
    end();
}

TEST(a_signal_and_what_a_filter_made_of_it_have_one_id_and_both_come)
{
    struct link_payload p;
    struct link_head head = { .kind = LINK_BATCH, .number = 2 };
    static uint8_t bytes[MESSAGE_ROOM];
    struct aff_id first, second;

    begin("");
    (void)say_schema(ends.socket);
    say_rows(ends.socket, 1, 1, 1);
    p = rows_make(1, 1);
    head.size = (uint32_t)p.size;
    memcpy(bytes, p.bytes, p.size);
    bytes[BATCH_HEAD + BATCH_STREAM + 18 + BATCH_RECORD + 8] ^= 1; /* of the value */
    say(ends.socket, &head, bytes, p.size);
    head.number = 3;
    head.flags = LINK_RESENT;
    say(ends.socket, &head, bytes, p.size);
    read_until(2);
    first = aff_harness_take(h, "out")->id;
    second = aff_harness_take(h, "out")->id;
    assert_memory_not_equal(&first, &second, sizeof first);
    hear_safe();
    EXPECT_NOTHING(h, "out");
    end();
}

TEST(what_the_node_says_is_settled_is_forgotten)
{
    struct link_payload p;
    struct link_head head = { .kind = LINK_BATCH, .number = 3, .argument = 1 };

    begin("");
    (void)say_schema(ends.socket);
    say_rows(ends.socket, 1, 1, 2);
    say_rows(ends.socket, 2, 3, 2);
    read_until(4);
    p = rows_make(1, 4); /* of which the first two are forgotten by then */
    head.size = (uint32_t)p.size;
    head.flags = LINK_RESENT;
    say(ends.socket, &head, p.bytes, p.size);
    read_until(6);
    for (int i = 0; i < 4; i++)
        assert_int_equal(aff_harness_take(h, "out")->flags & AFF_FLAG_RESENT, 0);
    assert_int_equal(aff_harness_take(h, "out")->flags & AFF_FLAG_RESENT, AFF_FLAG_RESENT);
    EXPECT_METRIC(h, "duplicates", 2);
    end();
}

TEST(a_record_that_does_not_fit_its_schema_is_refused_alone)
{
    struct link_payload p;
    struct link_head head = { .kind = LINK_BATCH, .number = 1 };
    static uint8_t bytes[MESSAGE_ROOM];
    size_t text;

    begin("");
    (void)say_schema(ends.socket);
    p = rows_make(1, 3);
    memcpy(bytes, p.bytes, p.size);
    for (text = BATCH_HEAD + BATCH_STREAM + 18 + BATCH_RECORD + 16; bytes[text] != 24; text++)
        continue;
    bytes[text + 2] = 1; /* far behind its end */
    head.size = (uint32_t)p.size;
    say(ends.socket, &head, bytes, p.size);
    read_until(2);
    aff_harness_commit(h);
    expect_answer(1, 1);
    EXPECT_METRIC(h, "refused", 1);
    end();
}

TEST(the_end_of_a_stream_goes_on_once)
{
    static uint8_t memory[2000];
    struct batch_stream stream = { 1, say_schema(NULL), "Anna Example", "vitals" };
    struct aff_record mark = { .id = { 5, 5 }, .flags = AFF_FLAG_END };
    struct link_head head = { .kind = LINK_BATCH, .number = 2 };
    static struct batch batch;

    begin("");
    (void)say_schema(ends.socket);
    say_rows(ends.socket, 1, 1, 1);
    batch_begin(&batch, memory, sizeof memory);
    assert_true(batch_add(&batch, &stream, &mark));
    batch_end(&batch);
    head.size = (uint32_t)batch.used;
    say(ends.socket, &head, memory, batch.used);
    head.number = 3;
    say(ends.socket, &head, memory, batch.used);
    read_until(2);
    (void)aff_harness_take(h, "out");
    assert_int_equal(aff_harness_take(h, "out")->flags & AFF_FLAG_END, AFF_FLAG_END);
    aff_harness_commit(h);
    for (uint64_t number = 1; number <= 3; number++)
        expect_answer(number, 0);
    EXPECT_NOTHING(h, "out");
    end();
}

/* One row of the stream `name`, or its end. */
static void say_named(uint64_t number, const char *name, uint16_t flags)
{
    static uint8_t memory[2000];
    uint64_t cells[16] = { 0 };
    struct batch_stream stream = { 1, say_schema(NULL), "Anna Example", name };
    struct aff_record r = { .id = { flags ? 6 : 5, (uint64_t)name[0] }, .flags = flags, .data = cells, .clock = AFF_CLOCK_DEVICE };
    struct aff_row row = aff_row_begin(&r, 2);
    struct link_head head = { .kind = LINK_BATCH, .number = number };
    static struct batch batch;

    aff_row_put_real(&row, 0, 60);
    r.size = aff_row_end(&row);
    batch_begin(&batch, memory, sizeof memory);
    assert_true(batch_add(&batch, &stream, &r));
    batch_end(&batch);
    head.size = (uint32_t)batch.used;
    say(ends.socket, &head, memory, batch.used);
}

static void expect_safe_answer(uint64_t number, uint64_t refused)
{
    hear_safe();
    assert_int_equal(heard.head.kind, LINK_ANSWER);
    assert_true(heard.head.number == number && heard.head.argument == refused);
    discard();
}

TEST(a_node_has_no_more_streams_than_it_may_and_gets_places_back_with_their_ends)
{
    begin("streams = 2");
    (void)say_schema(ends.socket);
    say_named(1, "a", 0);
    say_named(2, "b", 0);
    say_named(3, "c", 0);
    expect_safe_answer(1, 0);
    expect_safe_answer(2, 0);
    expect_safe_answer(3, 1); /* a dead letter there */
    assert_int_equal(aff_harness_logged(h, AFF_LOG_WARN, "as many streams as it may have"), 1);
    say_named(4, "a", AFF_FLAG_END);
    say_named(5, "d", 0);
    expect_safe_answer(4, 0);
    expect_safe_answer(5, 0);
    say_named(6, "b", AFF_FLAG_END);
    say_named(7, "a", 0); /* both came: neither begins the stream anew, nor takes a place */
    say_named(8, "a", AFF_FLAG_END);
    say_named(9, "e", 0);
    for (uint64_t number = 6; number <= 9; number++)
        expect_safe_answer(number, 0);
    EXPECT_METRIC(h, "refused", 1);
    EXPECT_METRIC(h, "duplicates", 1);
    end();
}

/* Connects, and gives what libzmq says of it while nobody reads at the gateway. */
static uint16_t handshake_end(const struct curve_pair *pair, const char *address)
{
    void *events = zmq_socket(ends.context, ZMQ_PAIR), *socket = dealer_make(&ends, pair);
    uint8_t bytes[8];
    uint16_t event = 0;

    assert_int_equal(zmq_socket_monitor(socket, address, ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH), 0);
    assert_int_equal(zmq_connect(events, address), 0);
    dealer_connect(&ends, socket);
    set_int(events, ZMQ_RCVTIMEO, STEP_MS * PATIENCE_STEPS);
    assert_int_equal(zmq_recv(events, bytes, sizeof bytes, 0), 6);
    memcpy(&event, bytes, sizeof event);
    (void)zmq_socket_monitor(socket, NULL, 0);
    set_int(events, ZMQ_LINGER, 0);
    (void)zmq_close(events);
    (void)zmq_close(socket);
    return event;
}

TEST(who_knocks_is_answered_while_nobody_reads)
{
    begin("");
    assert_int_equal(handshake_end(&ends.stranger, "inproc://stranger"), ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    assert_int_equal(handshake_end(&ends.node, "inproc://node"), ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    for (uint32_t step = 0; aff_harness_metric(h, "refused_keys") < 1 && step < PATIENCE_STEPS; step++)
        (void)aff_harness_ready(h, STEP_MS); /* the thread rouses it */
    EXPECT_METRIC(h, "refused_keys", 1);
    end();
}

TEST(messages_that_are_none_are_refused_counted_and_told_once)
{
    static uint8_t zeros[70000], packed[2000];
    struct link_head head = { .kind = LINK_BATCH, .flags = LINK_LZ4, .number = 1, .size = sizeof zeros };
    int size = LZ4_compress_default((const char *)zeros, (char *)packed, sizeof zeros, sizeof packed);

    begin("");
    say(ends.socket, &head, packed, (size_t)size); /* unpacks to more than is allowed */
    expect_refusal(LINK_TOO_LARGE);
    head.size = 100;
    say(ends.socket, &head, packed, (size_t)size);
    expect_refusal(LINK_MALFORMED);
    say_frames(ends.socket, "what is this", 12, NULL, 0);
    expect_refusal(LINK_MALFORMED);
    head = (struct link_head){ .kind = LINK_SCHEMA, .size = 5, .argument = 1 };
    say(ends.socket, &head, "hello", 5);
    expect_refusal(LINK_MALFORMED);
    head = (struct link_head){ .kind = LINK_WELCOME };
    say(ends.socket, &head, NULL, 0);
    expect_refusal(LINK_MALFORMED);
    EXPECT_METRIC(h, "malformed", 5);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_WARN, "refused"), 1);
    say_rows(ends.socket, 4, 1, 2); /* its schema was not said: its records cannot be used */
    expect_answer(4, 3);
    EXPECT_NOTHING(h, "out");
    end();
}

TEST(a_newer_version_is_refused_in_one_line)
{
    uint8_t bytes[LINK_HEAD + 8] = { 0 };
    struct link_head head = { .kind = LINK_HELLO, .number = 1 };

    begin("");
    link_head_write(bytes, &head);
    bytes[8] = 2;
    say_frames(ends.socket, bytes, sizeof bytes, NULL, 0);
    expect_refusal(LINK_IS_NEWER);
    assert_int_equal(aff_harness_logged(h, AFF_LOG_WARN, "newer version"), 1);
    end();
}

TEST(who_did_not_greet_is_asked_to_begin_anew)
{
    begin("");
    (void)zmq_close(ends.socket);
    ends.socket = dealer_open(&ends, &ends.node);
    say_rows(ends.socket, 1, 1, 1);
    expect_refusal(LINK_NO_HELLO);
    EXPECT_METRIC(h, "malformed", 0);
    end();
}

TEST(a_message_of_many_frames_and_one_with_any_byte_changed_disturb_nobody)
{
    struct link_payload p = rows_make(1, 2);
    static uint8_t bytes[MESSAGE_ROOM];
    uint64_t number = 10;

    begin("");
    (void)say_schema(ends.socket);
    for (int i = 0; i < 5; i++)
        assert_true(zmq_send(ends.socket, "x", 1, i < 4 ? ZMQ_SNDMORE : 0) >= 0);
    for (size_t at = 0; at < p.size; at++) {
        struct link_head head = { .kind = LINK_BATCH, .size = (uint32_t)p.size, .number = number };

        number++;
        memcpy(bytes, p.bytes, p.size);
        bytes[at] ^= (uint8_t)(1u << at % 8);
        say(ends.socket, &head, bytes, p.size);
        hear_safe(); /* refused, or passed on as far as it is good */
        discard();
    }
    say_rows(ends.socket, 9999, 100, 1);
    read_until(1);
    end();
}

TEST(a_key_that_is_not_listed_is_not_heard)
{
    void *stranger;

    begin("");
    stranger = dealer_open(&ends, &ends.stranger);
    say_rows(stranger, 1, 1, 1);
    for (uint32_t step = 0; aff_harness_metric(h, "refused_keys") < 1 && step < PATIENCE_STEPS; step++)
        turn();
    assert_int_equal(aff_harness_logged(h, AFF_LOG_WARN, "turned away"), 1);
    EXPECT_NOTHING(h, "out");
    (void)zmq_close(stranger);
    end();
}

/* The read that takes the next batch does not get what it first asks the host for. */
static void starve(void)
{
    double was = aff_harness_metric(h, "batches");

    for (uint32_t step = 0; aff_harness_metric(h, "batches") < was + 1 && step < PATIENCE_STEPS; step++) {
        aff_harness_fail_nth(h, 1);
        (void)aff_harness_ready(h, STEP_MS);
    }
}

TEST(a_stream_for_which_there_is_never_room_stands_in_nobodys_way)
{
    begin("");
    (void)say_schema(ends.socket);
    say_rows(ends.socket, 1, 1, 1);
    read_until(1);
    aff_harness_commit(h);
    expect_answer(1, 0);
    say_rows(ends.socket, 2, 2, 1);
    starve();
    for (int i = 0; i < 3; i++) {
        aff_harness_fail_nth(h, 1);
        (void)aff_harness_read(h, 64);
    }
    aff_harness_fail_nth(h, 0);
    expect_answer(2, 1); /* a dead letter there */
    assert_int_equal(aff_harness_logged(h, AFF_LOG_WARN, "no room for one more stream"), 1);
    say_rows(ends.socket, 3, 3, 1);
    read_until(2);
    EXPECT_METRIC(h, "refused", 1);
    end();
}

static void each_call(void)
{
    begin("");
    (void)say_schema(ends.socket);
    say_rows(ends.socket, 1, 1, 3);
    read_until(3);
    aff_harness_commit(h);
    expect_answer(1, 0);
    end();
}

TEST(each_host_call_may_fail_once)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(each_call);
}

TEST(options_that_cannot_work_are_refused)
{
    ends_open(&ends);
    EXPECT_REFUSED("in_zmq", "address = \"udp://x:1\"\nkey = \"k\"\npeers = { a = \"a.pub\" }", "no place to listen at");
    EXPECT_REFUSED("in_zmq", "address = \"tcp://*:5\"\nkey = \"k\"\npeers = {}", "no node may send");
    EXPECT_REFUSED("in_zmq", "address = \"tcp://*:5\"\nkey = \"k\"\npeers = { a = \"a.pub\" }\nlargest = \"63KiB\"", "largest");
    EXPECT_REFUSED("in_zmq", "address = \"tcp://*:5\"\nkey = \"k\"\npeers = { \"a/b\" = \"a.pub\" }", "name of a node");
    assert_int_equal(aff_harness_try_open("in_zmq", "address = \"tcp://*:5\"\nkey = \"/nowhere\"\npeers = { a = \"a\" }", &h),
                     AFF_ERR_CONFIG);
    EXPECT_CAUSE(h, "afferent key new --curve");
    aff_harness_close(&h);
    ends_close(&ends);
}

AFF_TEST_MAIN(records_come_out_as_they_were_and_are_answered_when_they_are_safe, a_prefix_keeps_the_subjects_of_nodes_apart,
              what_comes_again_is_answered_and_not_passed_on_also_after_a_restart,
              a_signal_and_what_a_filter_made_of_it_have_one_id_and_both_come, what_the_node_says_is_settled_is_forgotten,
              a_record_that_does_not_fit_its_schema_is_refused_alone,
              the_end_of_a_stream_goes_on_once, a_node_has_no_more_streams_than_it_may_and_gets_places_back_with_their_ends,
              who_knocks_is_answered_while_nobody_reads, messages_that_are_none_are_refused_counted_and_told_once,
              a_newer_version_is_refused_in_one_line, who_did_not_greet_is_asked_to_begin_anew,
              a_message_of_many_frames_and_one_with_any_byte_changed_disturb_nobody,
              a_key_that_is_not_listed_is_not_heard, a_stream_for_which_there_is_never_room_stands_in_nobodys_way,
              each_host_call_may_fail_once, options_that_cannot_work_are_refused)
