/* SPDX-License-Identifier: Apache-2.0
 *
 * test_device.c - the kit's descriptors, commands and links, with a small device.
 *
 * The device is a pipe: what is written to it comes out as records. A command is held
 * until the line says so, and its answer comes out at `results`. */
#include <afferent/testkit.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DATA, RESULTS };
enum { V_HELD = 1, V_DONE };

struct config {
    int64_t fd;
    int32_t forgets;
    int32_t tells; /* shape: its results depend on its commands, which is a breach */
};
struct device {
    const struct aff_host *host;
    int fd;
    int forgets;
    uint32_t subject, stream;
    char bytes[16]; /* that came and are not out yet */
    ssize_t count;
    uint64_t epoch; /* of the latest data */
};

static int answers; /* to whoever wrote to the pipe */

static const struct aff_option options[] = {
    AFF_OPT_INT(struct config, fd, 0, "-1", -1, 1000000, NULL, "The line."),
    AFF_OPT_BOOL(struct config, forgets, "true", "Forgets the line before it is closed."),
    AFF_OPT_BOOL(struct config, tells, "false", "Labels results as commands are labelled."),
};
static const struct aff_schema line = { .struct_size = sizeof line, .type = AFF_BYTES, .name = "line" };
static const struct aff_port inputs[] = {
    { .name = "commands", .doc = "What to do.", .types = AFF_MASK(AFF_BYTES), .flags = AFF_PORT_COMMANDS | AFF_PORT_OPTIONAL },
};
static const struct aff_port outputs[] = {
    { .name = "data", .doc = "What came.", .schema = &line, .types = AFF_MASK(AFF_BYTES) },
    { .name = "results", .doc = "What commands came to.", .schema = &line, .types = AFF_MASK(AFF_BYTES) },
};
static const struct aff_verdict verdicts[] = {
    { "under_way", "Waits for the line.", AFF_V_HOLD, 0, 0 },
    { "done", "Was done.", AFF_V_USED, 0, 0 },
};

static aff_status device_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct device *d = host->alloc(host, sizeof *d);
    uint32_t schema;

    if (!d)
        return AFF_ERR_MEMORY;
    d->host = host;
    d->forgets = c->forgets;
    d->subject = host->subject(host, "bed");
    schema = host->schema(host, &line);
    d->stream = d->subject && schema ? host->stream(host, d->subject, "line", schema) : 0;
    d->fd = d->stream ? fcntl((int)c->fd, F_DUPFD_CLOEXEC, 0) : -1;
    if (d->fd < 0 || host->watch(host, d->fd, AFF_WATCH_READ) != AFF_OK) {
        if (d->fd >= 0)
            close(d->fd);
        host->free(host, d);
        return AFF_ERR_MEMORY;
    }
    *ret_self = d;
    return AFF_OK;
}

static void device_close(void *self)
{
    struct device *d = self;

    if (d->forgets)
        d->host->watch(d->host, d->fd, 0);
    close(d->fd);
    d->host->free(d->host, d);
}

static aff_status say(struct device *d, uint32_t port, const char *bytes, uint32_t size)
{
    struct aff_record *r = d->host->reserve(d->host, port, AFF_NO_INPUT, size);

    if (!r)
        return AFF_ERR_MEMORY;
    memcpy(r->data, bytes, size);
    r->subject = d->subject;
    r->stream = d->stream;
    return d->host->emit(d->host, r, size);
}

static aff_status device_read(void *self, uint32_t want)
{
    struct device *d = self;
    const struct aff_record *held = d->host->held(d->host, 0);
    struct aff_link link = { .struct_size = sizeof link, .signal_dbm = -70, .up = 1, .technology = AFF_LINK_4G };
    aff_status status;

    (void)want;
    if (d->count <= 0)
        d->count = read(d->fd, d->bytes, sizeof d->bytes);
    if (d->count <= 0)
        return AFF_AGAIN;
    link.up = d->bytes[0] != '-';
    status = d->host->link_set(d->host, &link);
    if (status >= 0 && held && d->bytes[0] == '!')
        status = say(d, RESULTS, held->data, held->size);
    else if (status >= 0)
        status = say(d, DATA, d->bytes, (uint32_t)d->count);
    d->epoch = d->host->epoch(d->host);
    if (status < 0)
        return status;
    if (held && d->bytes[0] == '!')
        status = d->host->release(d->host, held, V_DONE);
    d->count = 0;
    return status;
}

static aff_status device_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct device *d = self;
    uint32_t i;

    for (i = 0; i < batch->count; i++, *ret_taken = i) {
        if (!d->host->hold(d->host, &batch->records[i]))
            return AFF_ERR_MEMORY;
        batch->verdicts[i] = V_HELD;
    }
    return AFF_OK;
}

/* What goes to the line may be no patient data. */
static aff_status device_shape(const void *config, const struct aff_table *in, const struct aff_report *report)
{
    const struct config *c = config;
    const struct aff_shape *first = in->items;
    struct aff_shape out = { .struct_size = sizeof out, .port = RESULTS, .schema = &line };

    out.names = in->count && c->tells ? first->names : AFF_LABEL_PHI;
    report->output(report, &out);
    if (!in->count || (first->schema && first->schema->label != AFF_LABEL_PHI))
        return AFF_OK;
    report->problem(report, NULL, "commands may be patient data");
    return AFF_ERR_CONFIG;
}

static void device_committed(void *self, uint64_t epoch)
{
    const struct device *d = self;

    answers += d->epoch > 0 && d->epoch <= epoch;
}

static const struct aff_plugin device = {
    .struct_size = sizeof(struct aff_plugin), .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .name = "device",
    .version = "1.0.0", .summary = "A pipe.", .license = "Apache-2.0", .config_size = sizeof(struct config),
    .options = AFF_TABLE(options), .inputs = AFF_TABLE(inputs), .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts), .open = device_open, .close = device_close, .read = device_read,
    .process = device_process, .shape = device_shape, .committed = device_committed,
};

/* ---- tests ---- */

static struct aff_harness *open_device(int ret_pipe[2], const char *more)
{
    char toml[64];

    assert_int_equal(pipe2(ret_pipe, O_CLOEXEC | O_NONBLOCK), 0);
    snprintf(toml, sizeof toml, "fd = %d\n%s", ret_pipe[0], more);
    return aff_harness_open_linked(&device, toml);
}

static void close_pipe(const int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

TEST(a_source_is_read_when_its_descriptor_is_ready)
{
    int ends[2];
    struct aff_harness *h = open_device(ends, "");

    assert_int_equal(aff_harness_watched(h), 1);
    EXPECT_STATUS(aff_harness_ready(h, 0), AFF_AGAIN);
    EXPECT_NOTHING(h, "data");
    assert_int_equal(write(ends[1], "abc", 3), 3);
    EXPECT_STATUS(aff_harness_ready(h, 1000), AFF_OK);
    EXPECT_BYTES(h, "data", "abc", 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    close_pipe(ends);
}

TEST(a_command_is_held_until_the_device_has_done_it)
{
    int ends[2];
    struct aff_harness *h = open_device(ends, "");

    EXPECT_STATUS(aff_harness_push(h, "commands", "bytes", "reset", 5), AFF_OK);
    assert_int_equal(aff_harness_ledger(h).held, 1);
    aff_harness_restart(h);
    assert_int_equal(write(ends[1], "!", 1), 1);
    EXPECT_STATUS(aff_harness_ready(h, 1000), AFF_OK);
    EXPECT_BYTES(h, "results", "reset", 5);
    EXPECT_VERDICT(h, "done", 1);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    close_pipe(ends);
}

TEST(data_is_safe_by_the_commit_of_its_epoch_and_not_by_one_before)
{
    int ends[2];
    struct aff_harness *h = open_device(ends, "");

    answers = 0;
    aff_harness_commit(h);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    EXPECT_STATUS(aff_harness_ready(h, 1000), AFF_OK);
    EXPECT_BYTES(h, "data", "abc", 3);
    aff_harness_commit_older(h);
    assert_int_equal(answers, 0);
    aff_harness_commit(h);
    assert_int_equal(answers, 1);
    aff_harness_close(&h);
    close_pipe(ends);
}

TEST(a_link_has_a_new_revision_when_it_changed)
{
    struct aff_link link = { .struct_size = sizeof link };
    int ends[2];
    struct aff_harness *h = open_device(ends, "");

    assert_false(aff_harness_link_said(h, &link));
    assert_int_equal(write(ends[1], "a", 1), 1);
    EXPECT_STATUS(aff_harness_ready(h, 1000), AFF_OK);
    assert_true(aff_harness_link_said(h, &link));
    assert_int_equal(link.revision, 1);
    assert_int_equal(link.signal_dbm, -70);
    assert_int_equal(write(ends[1], "a", 1), 1);
    EXPECT_STATUS(aff_harness_ready(h, 1000), AFF_OK);
    assert_true(aff_harness_link_said(h, &link));
    assert_int_equal(link.revision, 1);
    assert_int_equal(write(ends[1], "-", 1), 1);
    EXPECT_STATUS(aff_harness_ready(h, 1000), AFF_OK);
    assert_true(aff_harness_link_said(h, &link));
    assert_int_equal(link.revision, 2);
    assert_int_equal(link.up, 0);
    aff_harness_close(&h);
    close_pipe(ends);
}

static void breach_leaves(const char *sentence)
{
    _exit(strstr(sentence, "still watches") ? 0 : 3);
}

TEST(a_descriptor_that_is_closed_and_still_watched_is_a_breach)
{
    int ends[2], status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        struct aff_harness *h = open_device(ends, "forgets = false");

        aff_test_on_breach(breach_leaves);
        aff_harness_close(&h);
        _exit(4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void one_record(void)
{
    int ends[2];
    struct aff_harness *h = open_device(ends, "");

    assert_int_equal(write(ends[1], "abc", 3), 3);
    EXPECT_STATUS(aff_harness_ready(h, 1000), AFF_OK);
    EXPECT_BYTES(h, "data", "abc", 3);
    EXPECT_BALANCED(h);
    aff_harness_close(&h);
    close_pipe(ends);
}

TEST(a_watch_that_fails_is_a_failing_host_call)
{
    AFF_EACH_HOST_CALL_FAILS_ONCE(one_record);
}

TEST(a_source_is_told_what_its_commands_carry_and_says_the_same_of_its_outputs)
{
    static const struct aff_schema patient = { .struct_size = sizeof patient, .type = AFF_BYTES, .label = AFF_LABEL_PHI };
    struct aff_shape in = { .struct_size = sizeof in, .schema = &line };
    const struct aff_shape *out;

    aff_harness_link(&device);
    assert_null(aff_harness_shape("device", "", NULL, 0, &out));
    assert_int_equal(out[RESULTS].names, AFF_LABEL_PHI);
    assert_null(aff_harness_shape("device", "", &in, 1, &out));
    assert_int_equal(out[RESULTS].names, AFF_LABEL_PHI);
    in.schema = &patient;
    assert_string_equal(aff_harness_shape("device", "", &in, 1, &out), "commands may be patient data\n");
    in.schema = NULL;
    assert_string_equal(aff_harness_shape("device", "", &in, 1, &out), "commands may be patient data\n");
}

static void outputs_leave(const char *text)
{
    _exit(strstr(text, "said otherwise of its outputs") ? 0 : 3);
}

TEST(outputs_that_depend_on_commands_are_a_breach)
{
    struct aff_shape in = { .struct_size = sizeof in, .schema = &line };
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        aff_harness_link(&device);
        aff_test_on_breach(outputs_leave);
        (void)aff_harness_shape("device", "tells = true", &in, 1, NULL);
        _exit(4);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

AFF_TEST_MAIN(a_source_is_read_when_its_descriptor_is_ready, a_command_is_held_until_the_device_has_done_it,
              data_is_safe_by_the_commit_of_its_epoch_and_not_by_one_before,
              a_link_has_a_new_revision_when_it_changed, a_descriptor_that_is_closed_and_still_watched_is_a_breach,
              a_watch_that_fails_is_a_failing_host_call,
              a_source_is_told_what_its_commands_carry_and_says_the_same_of_its_outputs,
              outputs_that_depend_on_commands_are_a_breach)
