/* device.c - see device.h.
 *
 * Not here: what it must not do (device_deeds.c), sinks (device_sinks.c). */
#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "device_inside.h"

enum { V_UNDER_WAY = 1, V_DONE };
#define RETRY_NS 20000000

static const struct aff_schema row = { .struct_size = sizeof row, .type = AFF_BYTES, .name = "number" };
static const struct aff_port commands_in[] = {
    { .name = "commands", .doc = "In.", .types = AFF_MASK(AFF_BYTES), .flags = AFF_PORT_COMMANDS | AFF_PORT_OPTIONAL },
};
static const struct aff_port outputs[] = {
    { .name = "data", .doc = "Numbers.", .types = AFF_MASK(AFF_BYTES), .schema = &row },
    { .name = "results", .doc = "Done.", .types = AFF_MASK(AFF_BYTES) },
};
static const struct aff_verdict verdicts[] = {
    { .name = "under_way", .doc = "Sent.", .kind = AFF_V_HOLD },
    { .name = "done", .doc = "Done.", .kind = AFF_V_PORT, .port = 1 },
};
static const struct aff_metric metrics[] = {
    { .name = "opened", .doc = "Times.", .kind = AFF_METRIC_COUNTER },
    { .name = "lost", .doc = "Times.", .kind = AFF_METRIC_COUNTER },
    { .name = "refused", .doc = "Times.", .kind = AFF_METRIC_COUNTER },
    { .name = "possible", .doc = "What must not be.", .kind = AFF_METRIC_COUNTER },
    { .name = "epoch", .doc = "Of the latest number.", .kind = AFF_METRIC_GAUGE },
};
static const struct aff_option options[] = {
    { .name = "path", .doc = "Line.", .type = AFF_TYPE_PATH, .offset = offsetof(struct device_config, path) },
    { .name = "other", .doc = "Not its own.", .type = AFF_TYPE_TEXT, .offset = offsetof(struct device_config, other) },
    { .name = "deed", .doc = "Deed.", .type = AFF_TYPE_INT, .offset = offsetof(struct device_config, deed), .preset = "0" },
};

static aff_status device_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct device *d = host->alloc(host, sizeof *d);

    if (!d)
        return AFF_ERR_MEMORY;
    d->host = host;
    d->config = config;
    d->fd = -1;
    d->subject = host->subject(host, "nobody");
    d->stream = host->stream(host, d->subject, "line", host->schema(host, &row));
    *ret_self = d;
    return AFF_OK;
}

static void line_close(struct device *d)
{
    if (d->fd < 0)
        return;
    d->host->watch(d->host, d->fd, 0);
    close(d->fd);
    d->fd = -1;
    d->length = 0;
    d->sent = 0;
}

static void device_close(void *self)
{
    struct device *d = self;

    line_close(d);
    d->host->free(d->host, d);
}

/* As a serial port is taken: for itself alone, raw. A pty would stay so when its last
 * user has died, other than a port: it is given up again at once. */
static bool line_open(struct device *d)
{
    struct termios t;

    d->fd = open(d->config->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (d->fd < 0)
        return false;
    if (flock(d->fd, LOCK_EX | LOCK_NB) < 0 || ioctl(d->fd, TIOCEXCL) < 0 ||
        ioctl(d->fd, TIOCNXCL) < 0 || tcgetattr(d->fd, &t) < 0)
        goto refused;
    cfmakeraw(&t);
    if (tcsetattr(d->fd, TCSANOW, &t) < 0 || tcflush(d->fd, TCOFLUSH) < 0)
        goto refused;
    return d->host->watch(d->host, d->fd, AFF_WATCH_READ) == AFF_OK;
refused:
    close(d->fd);
    d->fd = -1;
    return false;
}

/* What it holds and was not sent since the line is there. */
static void commands_send(struct device *d)
{
    const struct aff_record *held;
    char text[32];
    uint64_t number;
    int length;

    while (d->fd >= 0 && (held = d->host->held(d->host, d->sent)) != NULL) {
        memcpy(&number, held->data, sizeof number);
        length = snprintf(text, sizeof text, "!%llu\n", (unsigned long long)number);
        if (write(d->fd, text, (size_t)length) != length)
            return;
        d->sent++;
    }
}

static aff_status number_emit(struct device *d, uint64_t number)
{
    struct aff_record *r = d->host->reserve(d->host, 0, AFF_NO_INPUT, sizeof number);

    if (!r)
        return AFF_ERR_MEMORY;
    memcpy(r->data, &number, sizeof number);
    r->subject = d->subject;
    r->stream = d->stream;
    r->event_ns = (int64_t)number;
    d->count++;
    d->host->gauge(d->host, 4, (double)d->host->epoch(d->host));
    return d->host->emit(d->host, r, sizeof number);
}

/* An answer to what was sent by an earlier child may be the second one. */
static aff_status command_done(struct device *d, uint64_t number)
{
    const struct aff_record *held;
    uint64_t its;
    uint32_t i;

    for (i = 0; (held = d->host->held(d->host, i)) != NULL; i++) {
        memcpy(&its, held->data, sizeof its);
        if (its != number)
            continue;
        d->sent -= i < d->sent;
        return d->host->release(d->host, held, V_DONE);
    }
    return AFF_OK;
}

static aff_status link_say(struct device *d, uint64_t number)
{
    struct aff_link link = { .struct_size = sizeof link, .up = 1, .metered = 1, .technology = AFF_LINK_4G,
                             .signal_dbm = (int16_t)-(int)number, .sent_bytes = UINT64_MAX, .received_bytes = 5,
                             .name = "forged", .revision = 77, .since_ns = -1 };

    return d->host->link_set(d->host, &link);
}

static aff_status line_do(struct device *d, const char *line)
{
    uint64_t number = strtoull(line + 1, NULL, 10);

    switch (line[0]) {
    case 'd':
        return number_emit(d, number);
    case '=':
        return command_done(d, number);
    case '%':
        return link_say(d, number);
    case 'x':
        device_deed(d);
        return AFF_OK;
    default:
        return line[0] == '.' ? AFF_END : AFF_OK;
    }
}

static aff_status lines_do(struct device *d, uint32_t want)
{
    aff_status st = AFF_OK;
    char *end, *at = d->bytes;

    while (st == AFF_OK && want-- > 0 && (end = memchr(at, '\n', d->length - (size_t)(at - d->bytes))) != NULL) {
        *end = '\0';
        st = line_do(d, at);
        at = end + 1;
    }
    d->length -= (size_t)(at - d->bytes);
    memmove(d->bytes, at, d->length);
    return st;
}

static aff_status device_read(void *self, uint32_t want)
{
    struct device *d = self;
    ssize_t got;

    if (d->fd < 0) {
        bool is_open = line_open(d);

        d->host->count(d->host, is_open ? 0 : 2, 1);
        if (!is_open) {
            d->host->wake_at(d->host, d->host->now_ns(d->host) + RETRY_NS);
            return AFF_AGAIN;
        }
    }
    commands_send(d);
    got = read(d->fd, d->bytes + d->length, sizeof d->bytes - d->length);
    if (got > 0)
        d->length += (size_t)got;
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        line_close(d);
        d->host->count(d->host, 1, 1);
        return AFF_AGAIN;
    }
    if (d->length == 0)
        return AFF_AGAIN;
    return lines_do(d, want);
}

static aff_status device_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct device *d = self;
    uint32_t i;

    for (i = 0; i < batch->count; i++, *ret_taken = i) {
        if (!d->host->hold(d->host, &batch->records[i]))
            return AFF_ERR_MEMORY;
        batch->verdicts[i] = V_UNDER_WAY;
    }
    commands_send(d);
    return AFF_OK;
}

static aff_status device_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct device *d = self;

    *ret_size = sizeof d->count;
    if (room >= sizeof d->count)
        memcpy(buffer, &d->count, sizeof d->count);
    return AFF_OK;
}

static aff_status device_restore(void *self, const void *buffer, size_t size)
{
    struct device *d = self;

    if (size != sizeof d->count)
        return AFF_ERR_DATA;
    memcpy(&d->count, buffer, size);
    return AFF_OK;
}

const struct aff_plugin line_device = {
    .struct_size = sizeof line_device, .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .name = "in_line", .version = "1",
    .summary = "A line.", .license = "Apache-2.0", .config_size = sizeof(struct device_config),
    .options = AFF_TABLE(options), .inputs = AFF_TABLE(commands_in), .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts), .metrics = AFF_TABLE(metrics), .open = device_open, .close = device_close,
    .read = device_read, .process = device_process, .snapshot = device_snapshot, .restore = device_restore,
};
