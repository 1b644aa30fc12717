/* SPDX-License-Identifier: Apache-2.0
 *
 * test_out_zmq.c - the node's end, before a gateway that is played here. */
#include "net/wire.h"
#include "zmq_link/testing.h"

static struct ends ends;
static struct aff_harness *h;
static struct said heard;

static const char *toml(const char *more)
{
    static char text[TOML_ROOM];

    (void)snprintf(text, sizeof text,
                   "address = \"ipc://%s/door\"\nkey = \"%s/node.key\"\ngateway_key = \"%s/gateway.pub\"\n%s",
                   ends.folder, ends.folder, ends.folder, more);
    return text;
}

static void hear_next(void)
{
    bool any = false;

    for (uint32_t step = 0; !any && step < PATIENCE_STEPS; step++) {
        any = hear(ends.socket, &heard, true);
        if (!any)
            (void)aff_harness_ready(h, STEP_MS);
    }
    assert_true(any);
}

static void reply(const struct link_head *head)
{
    uint8_t bytes[LINK_HEAD];

    link_head_write(bytes, head);
    assert_true(zmq_send(ends.socket, heard.route, heard.route_size, ZMQ_SNDMORE) >= 0);
    assert_true(zmq_send(ends.socket, bytes, sizeof bytes, 0) >= 0);
}

/* The node greets, and is greeted. */
static void greet(uint64_t largest)
{
    struct link_head welcome = { .kind = LINK_WELCOME, .argument = largest };

    hear_next();
    assert_int_equal(heard.head.kind, LINK_HELLO);
    welcome.number = heard.head.number;
    reply(&welcome);
}

static void begin(const char *more)
{
    ends_open(&ends);
    ends.socket = router_open(&ends, &ends.gateway);
    h = aff_harness_open("out_zmq", toml(more));
    greet(60000);
}

static void end(void)
{
    aff_harness_close(&h);
    ends_close(&ends);
}

static void push(double value)
{
    uint32_t stream = aff_harness_stream(h, "Anna Example", "vitals", &test_schema);

    EXPECT_STATUS(AFF_PUSH_ROW(h, "in", stream, AFF_CELL_REAL(value), AFF_CELL_TEXT("asleep asleep asleep asleep asleep")), AFF_OK);
}

static void hear_schema(void)
{
    bool no_memory;
    struct aff_schema *s;

    hear_next();
    assert_int_equal(heard.head.kind, LINK_SCHEMA);
    assert_true(link_schema_hash(heard.payload, heard.size) == heard.head.argument);
    s = link_schema_read(heard.payload, heard.size, &no_memory);
    assert_non_null(s);
    assert_string_equal(s->columns[0].code, "8867-4");
    free(s);
}

/* The next batch, unpacked: how many records. */
static uint32_t hear_batch(struct batch_item *ret_last)
{
    static uint8_t room[MESSAGE_ROOM];
    struct link_payload bytes = { heard.payload, 0 };
    struct batch_reader r;

    hear_next();
    assert_int_equal(heard.head.kind, LINK_BATCH);
    bytes.size = heard.size;
    assert_int_equal(link_unpack(&heard.head, bytes, room, sizeof room, &bytes), 0);
    assert_true(batch_open(&r, bytes.bytes, bytes.size));
    while (batch_next(&r, ret_last))
        continue;
    return r.records;
}

static void answer(uint64_t refused)
{
    struct link_head head = { .kind = LINK_ANSWER, .number = heard.head.number, .argument = refused };

    reply(&head);
}

static void wait_unanswered(size_t left)
{
    for (uint32_t step = 0; aff_harness_unanswered(h) != left && step < PATIENCE_STEPS; step++)
        (void)aff_harness_ready(h, STEP_MS);
    assert_int_equal(aff_harness_unanswered(h), left);
}

TEST(a_record_goes_with_its_schema_and_is_done_with_when_it_is_answered)
{
    struct batch_item item;

    begin("");
    push(60);
    hear_schema();
    assert_int_equal(hear_batch(&item), 1);
    assert_true(item.id.source != 0 && (heard.head.flags & LINK_RESENT) == 0);
    assert_true(link_fits(&test_schema, item.data, item.size));
    assert_int_equal(aff_harness_unanswered(h), 1);
    answer(0);
    wait_unanswered(0);
    push(61);
    assert_int_equal(hear_batch(&item), 1); /* the schema was said */
    answer(0);
    wait_unanswered(0);
    EXPECT_BALANCED(h);
    end();
}

TEST(without_lz4_it_goes_as_it_is)
{
    struct batch_item item;

    begin("lz4 = false");
    push(60);
    hear_schema();
    (void)hear_batch(&item);
    assert_int_equal(heard.head.flags & LINK_LZ4, 0);
    answer(0);
    wait_unanswered(0);
    end();
}

TEST(what_the_gateway_refuses_is_a_dead_letter_alone)
{
    struct batch_item item;

    begin("");
    aff_harness_cut(h, 3);
    push(60);
    push(61);
    push(62);
    hear_schema();
    assert_int_equal(hear_batch(&item), 3);
    answer(2);
    wait_unanswered(0);
    EXPECT_DEAD(h, 1);
    EXPECT_BALANCED(h);
    EXPECT_METRIC(h, "refused", 1);
    EXPECT_METRIC(h, "acknowledged", 2);
    end();
}

TEST(what_was_not_answered_when_the_gateway_went_comes_again_with_its_mark_and_id)
{
    struct batch_item item, again;
    uint64_t number;

    begin("");
    push(60);
    hear_schema();
    (void)hear_batch(&item);
    number = heard.head.number;
    assert_int_equal(zmq_close(ends.socket), 0);
    ends.socket = router_open(&ends, &ends.gateway);
    greet(60000);
    hear_schema();
    assert_int_equal(hear_batch(&again), 1);
    assert_true(heard.head.number == number && (heard.head.flags & LINK_RESENT));
    assert_true(again.id.source == item.id.source && again.id.seq == item.id.seq && again.event_ns == item.event_ns);
    answer(0);
    wait_unanswered(0);
    EXPECT_STATUS(aff_harness_sync(h), AFF_OK); /* what the thread counted is told */
    EXPECT_METRIC(h, "connections", 2);
    EXPECT_METRIC(h, "resent", 1);
    EXPECT_LOG(h, AFF_LOG_WARN, "the connection to the gateway is lost");
    end();
}

TEST(a_gateway_that_has_begun_anew_is_greeted_anew)
{
    struct batch_item item;
    struct link_head refusal = { .kind = LINK_REFUSED, .argument = LINK_NO_HELLO };

    begin("");
    push(60);
    hear_schema();
    (void)hear_batch(&item);
    reply(&refusal);
    greet(60000);
    hear_schema();
    assert_int_equal(hear_batch(&item), 1);
    answer(0);
    wait_unanswered(0);
    end();
}

TEST(a_record_that_is_too_large_for_the_gateway_is_a_dead_letter)
{
    static uint8_t bytes[61000];
    struct batch_item item;

    begin("");
    push(1); /* its batch was begun before the gateway had told its limit */
    hear_schema();
    (void)hear_batch(&item);
    answer(0);
    wait_unanswered(0);
    (void)aff_harness_push(h, "in", "bytes", bytes, sizeof bytes);
    EXPECT_DEAD(h, 1);
    end();
}

TEST(what_was_made_before_the_gateway_told_its_limit_goes_in_smaller_batches)
{
    static uint8_t bytes[3000];
    struct batch_item item;
    uint32_t came = 0;

    ends_open(&ends);
    ends.socket = router_open(&ends, &ends.gateway);
    h = aff_harness_open("out_zmq", toml("lz4 = false"));
    aff_harness_cut(h, 2);
    for (int i = 0; i < 2; i++)
        (void)aff_harness_push(h, "in", "bytes", bytes, sizeof bytes);
    greet(4096);
    for (uint32_t step = 0; came < 2 && step < PATIENCE_STEPS; step++) {
        if (!hear(ends.socket, &heard, true)) {
            (void)aff_harness_ready(h, STEP_MS);
            (void)aff_harness_flush(h);
        } else if (heard.head.kind == LINK_BATCH) {
            struct batch_reader r;

            assert_true(heard.size <= 4096 && batch_open(&r, heard.payload, heard.size));
            while (batch_next(&r, &item))
                came += !item.is_stream;
            answer(0);
        }
    }
    assert_int_equal(came, 2);
    wait_unanswered(0);
    EXPECT_DEAD(h, 0);
    EXPECT_BALANCED(h);
    end();
}

TEST(nothing_is_settled_that_is_not_answered)
{
    struct batch_item item;

    begin("");
    push(60);
    hear_schema();
    (void)hear_batch(&item);
    answer(0);
    wait_unanswered(0);
    EXPECT_STATUS(aff_harness_end_stream(h, "in", aff_harness_stream(h, "Anna Example", "vitals", &test_schema)), AFF_OK);
    (void)hear_batch(&item); /* the end alone, which is not answered */
    for (int i = 0; i < 40; i++)
        EXPECT_STATUS(aff_harness_sync(h), AFF_OK);
    push(61);
    (void)hear_batch(&item);
    assert_int_equal(heard.head.number, 3);
    assert_int_equal(heard.head.argument, 1);
    answer(0);
    wait_unanswered(0);
    end();
}

/* The gateway listens at a port, and says which descriptor a connection has. */
static void *tcp_begin(char address[64])
{
    void *events = zmq_socket(ends.context, ZMQ_PAIR);
    size_t size = 64;

    ends.socket = zmq_socket(ends.context, ZMQ_ROUTER);
    set_int(ends.socket, ZMQ_CURVE_SERVER, 1);
    set_key(ends.socket, ZMQ_CURVE_SECRETKEY, ends.gateway.secret_key);
    set_int(ends.socket, ZMQ_LINGER, 0);
    assert_int_equal(zmq_socket_monitor(ends.socket, "inproc://accepted", ZMQ_EVENT_ACCEPTED), 0);
    assert_int_equal(zmq_connect(events, "inproc://accepted"), 0);
    set_int(events, ZMQ_LINGER, 0);
    assert_int_equal(zmq_bind(ends.socket, "tcp://127.0.0.1:*"), 0);
    assert_int_equal(zmq_getsockopt(ends.socket, ZMQ_LAST_ENDPOINT, address, &size), 0);
    return events;
}

static int accepted(void *events)
{
    uint8_t bytes[8];
    uint32_t fd;
    char where[64];

    set_int(events, ZMQ_RCVTIMEO, STEP_MS * PATIENCE_STEPS);
    assert_int_equal(zmq_recv(events, bytes, sizeof bytes, 0), 6);
    (void)zmq_recv(events, where, sizeof where, 0);
    memcpy(&fd, bytes + 2, sizeof fd);
    return (int)fd;
}

/* What the far end's socket has counted. */
static void expect_spent(int fd)
{
    uint64_t sent = 0, received = 0, came = 0, went = 0;

    for (uint32_t step = 0; (sent == 0 || sent != came || received != went) && step < PATIENCE_STEPS; step++) {
        (void)aff_harness_ready(h, STEP_MS);
        assert_true(net_wire_count(fd, &went, &came));
        assert_int_equal(aff_harness_spent(h, &sent, &received), 1);
    }
    assert_true(sent == came && received == went && sent > 0 && received > 0);
}

TEST(what_went_over_the_wire_is_told_and_another_link_is_followed_at_once)
{
    struct batch_item item;
    struct link_head welcome = { .kind = LINK_WELCOME, .argument = 60000 };
    char address[64], options[TOML_ROOM];
    uint64_t worked = 0, failed = 0;
    void *events;

    ends_open(&ends);
    events = tcp_begin(address);
    (void)snprintf(options, sizeof options, "address = \"%s\"\nkey = \"%s/node.key\"\ngateway_key = \"%s/gateway.pub\"\n", address,
                   ends.folder, ends.folder);
    h = aff_harness_open("out_zmq", options);
    hear_next();
    welcome.number = heard.head.number;
    reply(&welcome);
    push(60);
    hear_schema();
    (void)hear_batch(&item);
    expect_spent(accepted(events));
    aff_harness_uplink_is(h, AFF_AGAIN, "", "");
    for (uint32_t step = 0; !aff_harness_logged(h, AFF_LOG_WARN, "no link may be used now") && step < PATIENCE_STEPS; step++)
        (void)aff_harness_ready(h, STEP_MS);
    aff_harness_uplink_is(h, AFF_OK, "cell", "lo");
    hear_next();
    welcome.number = heard.head.number;
    assert_int_equal(heard.head.kind, LINK_HELLO);
    reply(&welcome);
    hear_schema();
    (void)hear_batch(&item);
    assert_true((heard.head.flags & LINK_RESENT) != 0);
    answer(0);
    wait_unanswered(0);
    aff_harness_tried(h, &worked, &failed);
    assert_true(worked == 1 && failed == 0);
    aff_harness_uplink_is(h, AFF_OK, "none", "no-such-if0");
    for (uint32_t step = 0; failed == 0 && step < PATIENCE_STEPS; step++) {
        (void)aff_harness_ready(h, STEP_MS);
        aff_harness_tried(h, &worked, &failed);
    }
    assert_true(failed > 0);
    (void)zmq_close(events);
    end();
}

TEST(another_gateway_than_the_one_that_is_named_is_not_spoken_to)
{
    ends_open(&ends);
    ends.socket = router_open(&ends, &ends.stranger);
    h = aff_harness_open("out_zmq", toml(""));
    for (uint32_t step = 0; !aff_harness_logged(h, AFF_LOG_WARN, "is gateway_key the key") && step < PATIENCE_STEPS; step++)
        (void)aff_harness_ready(h, STEP_MS);
    assert_true(aff_harness_logged(h, AFF_LOG_WARN, "is gateway_key the key") > 0);
    assert_false(hear(ends.socket, &heard, true));
    end();
}

TEST(options_that_cannot_work_are_refused)
{
    EXPECT_REFUSED("out_zmq", "address = \"http://x\"\nkey = \"k\"\ngateway_key = \"g\"", "no place to connect to");
    EXPECT_REFUSED("out_zmq", "address = \"tcp://*:5\"\nkey = \"k\"\ngateway_key = \"g\"", "no place to connect to");
    EXPECT_REFUSED("out_zmq", "address = \"tcp://h:5\"\nkey = \"k\"\ngateway_key = \"g\"\nin_flight = \"1MiB\"", "less than largest");
    assert_int_equal(aff_harness_try_open("out_zmq", "address = \"tcp://h:5\"\nkey = \"/nowhere\"\ngateway_key = \"g\"", &h),
                     AFF_ERR_CONFIG);
    EXPECT_CAUSE(h, "afferent key new --curve");
    aff_harness_close(&h);
}

AFF_TEST_MAIN(a_record_goes_with_its_schema_and_is_done_with_when_it_is_answered, without_lz4_it_goes_as_it_is,
              what_the_gateway_refuses_is_a_dead_letter_alone,
              what_was_not_answered_when_the_gateway_went_comes_again_with_its_mark_and_id,
              a_gateway_that_has_begun_anew_is_greeted_anew,
              what_was_made_before_the_gateway_told_its_limit_goes_in_smaller_batches, nothing_is_settled_that_is_not_answered,
              a_record_that_is_too_large_for_the_gateway_is_a_dead_letter,
              what_went_over_the_wire_is_told_and_another_link_is_followed_at_once,
              another_gateway_than_the_one_that_is_named_is_not_spoken_to, options_that_cannot_work_are_refused)
