/* SPDX-License-Identifier: Apache-2.0
 *
 * afferent/testkit.h - a small strict host, for testing one plugin alone.
 *
 * The kit loads a plugin, fills its config from TOML, calls it as a host does and
 * collects what comes out. Time is virtual, memory is guarded, and the n-th host
 * call fails on demand. It shares no code with the runtime: a plugin that works
 * in both keeps to afferent/plugin.h, not to the habits of one host.
 *
 *     #include <afferent/testkit.h>
 *
 *     TEST(gain_saturates_and_counts)
 *     {
 *         struct aff_harness *h = aff_harness_open("op_gain", "factor = 4.0");
 *         int16_t in[] = { 100, -100, 20000, -20000 };
 *
 *         aff_harness_push(h, "in", "samples/i16", in, sizeof in);
 *         EXPECT_I16(h, "out", 400, -400, INT16_MAX, -INT16_MAX);
 *         EXPECT_METRIC(h, "clipped", 2);
 *         EXPECT_BALANCED(h);
 *         aff_harness_close(&h);
 *     }
 *     AFF_TEST_MAIN(gain_saturates_and_counts)
 *
 * Link with what `pkg-config --variable=testkit_libs afferent-sdk` says.
 *
 * Contents
 *   1  Tests       TEST, AFF_TEST_MAIN, AFF_SKIP
 *   2  Opening     finding a plugin, its options, what it refuses
 *   3  Input       streams, records, batches
 *   4  Events      clock, end of streams, epochs, restart
 *   5  Output      records, rows, causes, counts
 *   6  Expecting   EXPECT_...
 *   7  Failing     every fallible host call fails once
 *   8  Archives    query_...
 *
 * Strictness. A breach of the contract ends the test with a sentence that says
 * which callback broke which rule. Among them: a verdict that is not in the
 * table; emit without reserve, or with more than was reserved; a verdict changed
 * after a later reserve; more taken than offered; a write to borrowed payload on
 * a port without AFF_PORT_EDITS; an edit of a record that was not taken; use of
 * a pointer after its loan; a read beyond a payload; allocation in a [data]
 * callback; a [data] call from open, stop or close; a name of a subject in a log
 * line or cause; memory left at close. Tables are checked too: a default obeys
 * its own range.
 *
 * Payload is lent from pages of its own, read-only where the port does not edit,
 * and taken away after the call. New drafts are filled with 0xa5, never zero.
 *
 * Lifetimes. What a function returns belongs to the harness and lives until
 * aff_harness_close, unless its comment says otherwise. Names and TOML text that
 * are given in are copied. A misuse by the test (no such port) fails the test.
 * All of it from one thread.
 */
#ifndef AFFERENT_TESTKIT_H
#define AFFERENT_TESTKIT_H

#include <afferent/plugin.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#ifdef __cplusplus
extern "C" {
#endif

struct aff_harness;

/* ------------------------------------------------------------------ 1 Tests */

/* Defines a test, named by the sentence it proves. It fails when it leaves a
 * harness open. */
#define TEST(name)                                                              \
    static void name##_body(void);                                             \
    static void name##_test(void **state)                                      \
    {                                                                          \
        (void)state;                                                           \
        aff_test_begin(#name);                                                 \
        name##_body();                                                         \
        aff_test_end();                                                        \
    }                                                                          \
    static const struct CMUnitTest name[1] = { { #name, name##_test, NULL, NULL, NULL } }; \
    static void name##_body(void)

/* The test program: AFF_TEST_MAIN(first, second, ...). A test that is defined
 * and not listed is a warning of the compiler (unused constant). */
#define AFF_TEST_MAIN(...)                                                     \
    int main(void)                                                             \
    {                                                                          \
        static const struct CMUnitTest *const aff_tests[] = { __VA_ARGS__ };   \
        return aff_test_run(aff_tests, sizeof aff_tests / sizeof aff_tests[0]); \
    }

#if defined(__GNUC__)
#define AFF__NORETURN __attribute__((noreturn))
#else
#define AFF__NORETURN
#endif

/* Ends this test as skipped and prints `SKIP name: why`. */
#define AFF_SKIP(why) aff_test_skip((why), __FILE__, __LINE__)

void aff_test_begin(const char *name);
void aff_test_end(void);
int aff_test_run(const struct CMUnitTest *const *tests, size_t count);
void aff_test_skip(const char *why, const char *file, int line) AFF__NORETURN;

/* Where a file of test data is: $AFFERENT_DATA/name, else
 * $AFFERENT_SRCDIR/../shared/data/name (AFFERENT_SRCDIR: "." when unset). NULL
 * when it is not there: AFF_SKIP. Lives until the next call. */
const char *aff_test_data(const char *name);

/* What happens at a breach, instead of failing the running cmocka test. Must not
 * return. NULL: back to the default. */
void aff_test_on_breach(void (*handler)(const char *sentence));

/* --------------------------------------------------------------- 2 Opening */

/* Opens a plugin and starts it. `name` is its name: the kit looks among the
 * linked ones (below), then for NAME.so in the folders of AFFERENT_PLUGIN_PATH
 * (joined by ':'), in .libs and in the working folder. `toml` is what would stand
 * under [processor.x] in a pipeline, without the host's own keys; NULL is "". A
 * relative path counts from the working folder. Whatever goes wrong fails the
 * test. */
struct aff_harness *aff_harness_open(const char *name, const char *toml);

/* The same for a plugin that is linked into the test. */
struct aff_harness *aff_harness_open_linked(const struct aff_plugin *plugin, const char *toml);

/* From now on `plugin` is found by its name before any file is. */
void aff_harness_link(const struct aff_plugin *plugin);

/* For tests of a failing open or start: the status is the plugin's. *ret_h is
 * set in any case, for aff_harness_cause; close it. An open that failed may be
 * tried again with aff_harness_retry. */
aff_status aff_harness_try_open(const char *name, const char *toml, struct aff_harness **ret_h);

/* Loads and configures, but opens nothing: for queries of an archive. */
struct aff_harness *aff_harness_load(const char *name, const char *toml);

/* What the options or `validate` say against this TOML, one problem a line,
 * "option: sentence"; NULL when all is well. Lives until the next call. */
const char *aff_harness_check(const char *name, const char *toml);

/* What validate noted of dangers that are allowed (report->note), lines of "option: text";
 * NULL: nothing. Lives until the next call. */
const char *aff_harness_notes(const char *name, const char *toml);

/* Calls `shape` with one input an edge (`count` of them); of a source these are its
 * commands, and it is asked without them before. What the options, validate or shape
 * say against it, as aff_harness_check does; NULL when all is well. ret_outputs, by
 * row of the outputs' table, has what was said of each (struct_size 0: nothing). Both
 * live until the next call. */
const char *aff_harness_shape(const char *name, const char *toml, const struct aff_shape *inputs,
                              uint32_t count, const struct aff_shape **ret_outputs);

/* Stops and closes the instance if that is still to do, fails the test when the
 * plugin leaves memory, and frees the harness. Sets *h to NULL. */
void aff_harness_close(struct aff_harness **h);

/* Before the first record. How many records `hold` takes (64 by default), and
 * the largest payload (16 MiB). */
void aff_harness_max_held(struct aff_harness *h, uint32_t records);
void aff_harness_max_record(struct aff_harness *h, uint32_t bytes);

/* The instance that open returned: for tests linked with their plugin. */
void *aff_harness_self(struct aff_harness *h);

/* ----------------------------------------------------------------- 3 Input */

/* The small integer of a stream; made at the first use. `schema` is copied. After
 * aff_harness_end_stream its integer goes to the next new stream, with a higher
 * generation and zeroed state, as in a long run. */
uint32_t aff_harness_stream(struct aff_harness *h, const char *subject, const char *stream,
                            const struct aff_schema *schema);

/* A stream of samples with channels "ch0", "ch1"... in mV, gain 200, baseline 0,
 * for a subject of its own. */
uint32_t aff_harness_samples_stream(struct aff_harness *h, const char *stream, uint8_t format,
                                    uint16_t channels, uint32_t rate_hz);

/* Records go to the plugin in batches of `records`, 1 by default, which is at
 * once. With n > 1 they wait until n are there or something else is asked of the
 * harness. 0: sizes from 1 to 64 at random (reproducible). */
void aff_harness_cut(struct aff_harness *h, uint32_t records);

/* All push functions copy the payload and return what the plugin said last, or
 * AFF_OK while records wait. Records that the plugin did not take wait for
 * aff_harness_retry or the clock; AFF_ERR_DATA makes a dead letter of one and
 * goes on.
 *
 * The quick form. `what` is "bytes", or "samples/i16", "samples/i32",
 * "samples/f32": one channel at 250 Hz. The stream is made for the port. */
aff_status aff_harness_push(struct aff_harness *h, const char *port, const char *what,
                            const void *data, size_t size);

/* Samples, plane after plane without padding, `count` in each. Index and event
 * time run on from record to record of the stream; see aff_harness_seek. */
aff_status aff_harness_push_samples(struct aff_harness *h, const char *port, uint32_t stream,
                                    const void *planes, uint32_t count, uint16_t flags);

/* The next record of the stream begins at this sample and event time. */
void aff_harness_seek(struct aff_harness *h, uint32_t stream, int64_t first, int64_t event_ns);

/* A row: one cell per column of the stream's schema. */
struct aff_cell {
    const char *text; /* TEXT, when given is 3 */
    double real;
    int64_t integer;
    int given; /* 0 absent, 1 real, 2 integer, 3 text */
};
#define AFF_CELL_NONE { NULL, 0, 0, 0 }
#define AFF_CELL_REAL(v) { NULL, (v), 0, 1 }
#define AFF_CELL_INT(v) { NULL, 0, (v), 2 }
#define AFF_CELL_TEXT(v) { (v), 0, 0, 3 }
aff_status aff_harness_push_row(struct aff_harness *h, const char *port, uint32_t stream,
                                const struct aff_cell *cells, uint32_t count);
#define AFF_PUSH_ROW(h, port, stream, ...)                                     \
    aff_harness_push_row((h), (port), (stream), (const struct aff_cell[]){ __VA_ARGS__ }, \
                         (uint32_t)(sizeof((const struct aff_cell[]){ __VA_ARGS__ }) / sizeof(struct aff_cell)))

/* Any record: stream, event_ns, clock, flags, data and size count; id, subject,
 * schema, type and seen_ns are the harness's (type and schema from the stream). */
aff_status aff_harness_push_record(struct aff_harness *h, const char *port, const struct aff_record *record);

/* Gives the plugin what waits in a batch, and again what it did not take. */
aff_status aff_harness_flush(struct aff_harness *h);
aff_status aff_harness_retry(struct aff_harness *h);

/* ---------------------------------------------------------------- 4 Events */

/* Sources: one `read` of up to `want` records. */
aff_status aff_harness_read(struct aff_harness *h, uint32_t want);

/* Sources: reads `want` at a time, moving the clock to each wake_at, until END,
 * an error, AGAIN without a wake_at, or until `most` records were emitted by
 * this call (0: no bound). */
aff_status aff_harness_read_all(struct aff_harness *h, uint32_t want, uint64_t most);

/* Moves the boot clock (and the wall clock with it) forward by `ns`, stopping at
 * each wake_at on the way, and at each timer whose time has passed on this clock
 * too, counted from the subject's last record and a second more: `wake`, or `read` for a source, is called at its time;
 * records that were not taken are offered again. Returns the last status. */
aff_status aff_harness_clock(struct aff_harness *h, int64_t ns);
int64_t aff_harness_now(const struct aff_harness *h);
/* When the plugin wants to be woken; INT64_MAX: not. */
int64_t aff_harness_wake_time(const struct aff_harness *h);
/* Sets the wall clock (2024-01-01 00:00 UTC, AFF_CLOCK_SYNCED by default). */
void aff_harness_utc(struct aff_harness *h, int64_t utc_ns, uint8_t clock);

/* Waits up to `most_ms` of real time until a descriptor is ready that the plugin
 * watches, or host->rouse was called, and calls `read` (a source) or `wake`;
 * AFF_AGAIN: nothing was. */
aff_status aff_harness_ready(struct aff_harness *h, int most_ms);
/* How often it called host->rouse, from whichever thread. */
uint64_t aff_harness_rouses(const struct aff_harness *h);
/* How many it watches. */
size_t aff_harness_watched(const struct aff_harness *h);
/* What the plugin said of the link that it keeps up; 0: nothing yet. */
int aff_harness_link_said(const struct aff_harness *h, struct aff_link *ret_link);
/* A link that the plugin sees by host->link_get, by name; made at the first use. */
void aff_harness_link_is(struct aff_harness *h, const char *name, const struct aff_link *link);
/* What host->uplink says from now on, with a new revision: AFF_OK or AFF_AGAIN (AFF_END at
 * first); the link's name, and the interface to bind to ("": none). */
void aff_harness_uplink_is(struct aff_harness *h, aff_status status, const char *name, const char *interface);
/* What it said by host->link_spent, in all; 0: it never called that. */
int aff_harness_spent(struct aff_harness *h, uint64_t *ret_sent, uint64_t *ret_received);
/* Attempts by host->link_tried that came through, and that did not. */
void aff_harness_tried(struct aff_harness *h, uint64_t *ret_worked, uint64_t *ret_failed);

/* The stream is over on this port: `stream_end` is called. */
aff_status aff_harness_end_stream(struct aff_harness *h, const char *port, uint32_t stream);
/* No more input: `drain`, once. */
aff_status aff_harness_drain(struct aff_harness *h);
/* An epoch ended (sink), is committed (source); epochs count from 1. */
aff_status aff_harness_sync(struct aff_harness *h);
/* Sinks with AFF_ACKS: records that write took and host->ack has not answered. One
 * that is answered AFF_ERR_IO waits for the next flush. An epoch that ends, and
 * EXPECT_BALANCED, want all answered. */
size_t aff_harness_unanswered(struct aff_harness *h);
/* What the last answer said ("" for none); refusals are in aff_harness_verdicts. */
const char *aff_harness_answer(struct aff_harness *h);
/* Somebody waits for answers: `flush`. */
aff_status aff_harness_press(struct aff_harness *h);
/* Sources: how often host->cut was called. */
uint64_t aff_harness_cuts(const struct aff_harness *h);
void aff_harness_commit(struct aff_harness *h);
/* Sources: an epoch before the open one is committed; what was emitted since the last
 * aff_harness_commit is not safe by that (host->epoch is a later one). */
void aff_harness_commit_older(struct aff_harness *h);

/* A restart of the node: snapshot, stop, close, open, restore, start. State of
 * state_open is kept by its bytes, and what is held by host->held, at another
 * address. What was collected stays. Records without an answer (AFF_ACKS) are
 * offered to the new instance, with AFF_FLAG_RESENT; what was not taken fails the
 * test: a restart happens between epochs. */
void aff_harness_restart(struct aff_harness *h);

/* Drains, stops and closes the instance; its output can still be read. */
aff_status aff_harness_finish(struct aff_harness *h);

/* ---------------------------------------------------------------- 5 Output */

/* The next record of an output port, NULL when there is none; a source's end of
 * a stream is a record with AFF_FLAG_END and no data. */
const struct aff_record *aff_harness_take(struct aff_harness *h, const char *port);
/* How many wait to be taken. */
size_t aff_harness_waiting(struct aff_harness *h, const char *port);
/* Frees all records of this port, taken or waiting: for long recordings. */
void aff_harness_discard(struct aff_harness *h, const char *port);
/* A digest of all that came out so far: per port and stream, times, flags, type,
 * schema content and payload, in order within the stream. Equal digests: equal
 * output however input was cut or streams were interleaved. */
uint64_t aff_harness_digest(struct aff_harness *h);

/* Cells of a row by the column's name, with a test failure for a name that the
 * schema lacks. Absent: NaN, INT64_MIN, NULL. Text ends with a zero here. */
double aff_harness_real(struct aff_harness *h, const struct aff_record *record, const char *column);
int64_t aff_harness_int(struct aff_harness *h, const struct aff_record *record, const char *column);
const char *aff_harness_text(struct aff_harness *h, const struct aff_record *record, const char *column);

const struct aff_schema *aff_harness_schema(struct aff_harness *h, const struct aff_record *record);
const struct aff_stream_info *aff_harness_stream_info(struct aff_harness *h, uint32_t stream);

/* The last status of a callback, and the last text given to `explain` ("" when
 * none since the last callback that was fine). */
aff_status aff_harness_status(const struct aff_harness *h);
const char *aff_harness_cause(const struct aff_harness *h);

/* A metric by name. */
double aff_harness_metric(struct aff_harness *h, const char *name);
/* How many records got this row of the verdict table; "pass" and "used" for 0. */
uint64_t aff_harness_verdicts(struct aff_harness *h, const char *name);
/* How many log lines of at least this level contain `text`. */
size_t aff_harness_logged(struct aff_harness *h, int level, const char *text);

struct aff_harness_ledger {
    uint64_t in, passed, used, dropped, dead, replaced, routed, held, waiting;
    uint64_t emitted;   /* made by the plugin, replacements not counted */
    uint64_t forgotten; /* drafts reserved and never emitted */
    uint64_t allocated; /* blocks from host->alloc, now */
    uint64_t aside;     /* parts of inputs, by host->dead; they are in `dead` too */
    uint64_t unanswered; /* AFF_ACKS: taken, and not answered yet */
};
struct aff_harness_ledger aff_harness_ledger(struct aff_harness *h);

/* ------------------------------------------------------------- 6 Expecting */

/* The next record of the port has exactly these samples, plane after plane. */
#define EXPECT_I16(h, port, ...) AFF__EXPECT(h, port, AFF_I16, int16_t, 0.0, __VA_ARGS__)
#define EXPECT_I32(h, port, ...) AFF__EXPECT(h, port, AFF_I32, int32_t, 0.0, __VA_ARGS__)
#define EXPECT_F32(h, port, ...) AFF__EXPECT(h, port, AFF_F32, float, 0.0, __VA_ARGS__)
#define EXPECT_F32_NEAR(h, port, tolerance, ...) AFF__EXPECT(h, port, AFF_F32, float, tolerance, __VA_ARGS__)
/* The next record of the port is these bytes. */
#define EXPECT_BYTES(h, port, bytes, length) (AFF__HERE, aff_expect_bytes((h), (port), (bytes), (length)))
#define EXPECT_WAITING(h, port, n) (AFF__HERE, aff_expect_waiting((h), (port), (n)))
#define EXPECT_NOTHING(h, port) EXPECT_WAITING(h, port, 0)
#define EXPECT_STATUS(status, wanted) (AFF__HERE, aff_expect_status((status), (wanted)))
#define EXPECT_METRIC(h, name, value) (AFF__HERE, aff_expect_metric((h), (name), (value)))
#define EXPECT_VERDICT(h, name, n) (AFF__HERE, aff_expect_verdict((h), (name), (n)))
#define EXPECT_DEAD(h, n) (AFF__HERE, aff_expect_dead((h), (n)))
/* A line of this level or above was logged that contains the text. */
#define EXPECT_LOG(h, level, text) (AFF__HERE, aff_expect_log((h), (level), (text)))
/* The last cause contains the text. */
#define EXPECT_CAUSE(h, text) (AFF__HERE, aff_expect_cause((h), (text)))
/* The TOML is refused, and what is said contains the text. */
#define EXPECT_REFUSED(name, toml, text) (AFF__HERE, aff_expect_refused((name), (toml), (text)))
/* Finishes the instance (drain, stop, close) and checks the accounts: each input
 * record has one verdict, none waits, no hold is left, no memory is left. */
#define EXPECT_BALANCED(h) (AFF__HERE, aff_expect_balanced((h)))

#define AFF__HERE aff_test_place(__FILE__, __LINE__)
#define AFF__EXPECT(h, port, format, ctype, tolerance, ...)                    \
    (AFF__HERE, aff_expect_samples((h), (port), &(const struct aff_expected){   \
        (const ctype[]){ __VA_ARGS__ }, sizeof((const ctype[]){ __VA_ARGS__ }) / sizeof(ctype),     \
        (format), (tolerance) }))

struct aff_expected {
    const void *values;
    size_t count;
    uint8_t format;
    double tolerance;
};
void aff_test_place(const char *file, int line);
void aff_expect_samples(struct aff_harness *h, const char *port, const struct aff_expected *wanted);
void aff_expect_bytes(struct aff_harness *h, const char *port, const void *bytes, size_t length);
void aff_expect_waiting(struct aff_harness *h, const char *port, size_t n);
void aff_expect_status(aff_status status, aff_status wanted);
void aff_expect_metric(struct aff_harness *h, const char *name, double value);
void aff_expect_verdict(struct aff_harness *h, const char *name, uint64_t n);
void aff_expect_dead(struct aff_harness *h, uint64_t n);
void aff_expect_log(struct aff_harness *h, int level, const char *text);
void aff_expect_cause(struct aff_harness *h, const char *text);
void aff_expect_refused(const char *name, const char *toml, const char *text);
void aff_expect_balanced(struct aff_harness *h);

/* --------------------------------------------------------------- 7 Failing */

/* Runs a scenario (open, push, expect, close) again and again, while the first,
 * the second, the third ... fallible host call of it fails: alloc, reserve,
 * subject, stream, schema, state_open, hold, watch. Ends when a run had no failure. A
 * callback must answer a failure with AFF_ERR_MEMORY, or manage without; the
 * harness then calls it again at once, and the scenario's own expectations must
 * hold. So one function proves both the plain way and each failing one. */
#define AFF_EACH_HOST_CALL_FAILS_ONCE(scenario) (AFF__HERE, aff_test_each_failure((scenario)))
void aff_test_each_failure(void (*scenario)(void));

/* The n-th fallible host call from now on fails, once (1: the next). The status
 * then comes back to the test instead of being tried again. 0: none. */
void aff_harness_fail_nth(struct aff_harness *h, uint64_t n);
/* The failing call of this harness so far ("alloc"), NULL when none failed. */
const char *aff_harness_failed_call(const struct aff_harness *h);

/* -------------------------------------------------------------- 8 Archives */

/* Runs a query to its end. Records wait in the port "query" for take. Returns
 * how many, *ret_damaged says how many values were damaged (may be NULL). */
size_t aff_harness_query(struct aff_harness *h, const struct aff_query *query, size_t *ret_damaged);

#ifdef __cplusplus
}
#endif
#endif
