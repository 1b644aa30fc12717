/* SPDX-License-Identifier: Apache-2.0
 *
 * in_serial.c - source: a device on a serial line, read frame by frame and told
 * what to do.
 *
 * The line is opened for this node alone and set exactly as said; it may be pulled
 * out and come back at any time. What the frames mean is for others to say
 * (op_parse). Modems are in_modem's. Here: tables; work: serial.h. */
#include "options.h"
#include "serial.h"

static const struct aff_port inputs[] = {
    { .name = "commands",
      .doc = "What the device is to do: rows with a name of `commands` in the column command, and the values that "
             "its text wants.",
      .schema = &serial_command_schema,
      .types = AFF_MASK(AFF_FIELDS),
      .flags = AFF_PORT_COMMANDS | AFF_PORT_OPTIONAL },
};

static const struct aff_port outputs[] = {
    [PORT_DATA] = { .name = "data", .doc = "A record for each frame, with the time at which its first byte came.",
                    .schema = &serial_data_schema, .types = AFF_MASK(AFF_BYTES), .priority = AFF_PRIO_VITALS },
    [PORT_RESULTS] = { .name = "results",
                       .doc = "What became of each command: done, refused, timeout, failed (the line was lost), "
                              "expired, bad_value, unknown or too_many; its answer, how often it was sent, how long "
                              "it took, and the id of its record (order).",
                       .schema = &serial_result_schema, .types = AFF_MASK(AFF_FIELDS), .priority = AFF_PRIO_VITALS },
    [PORT_EVENTS] = { .name = "events",
                      .doc = "What happened to the device: line_lost, line_back, silent, not_silent, unreadable, "
                             "readable, bad_frames (count: since the last one).",
                      .schema = &serial_event_schema, .types = AFF_MASK(AFF_FIELDS), .priority = AFF_PRIO_VITALS },
};

static const struct aff_verdict verdicts[] = {
    [VERDICT_QUEUED - 1] = { "queued", "Kept until it is known what became of it.", AFF_V_HOLD, 0, 0 },
    [VERDICT_DONE - 1] = { "done", "The device did it, or got it where no answer is expected.", AFF_V_USED, 0, 0 },
    [VERDICT_REFUSED - 1] = { "refused", "The device answered that it does not.", AFF_V_DEAD, 0, 0 },
    [VERDICT_TIMEOUT - 1] = { "timeout", "No answer came, however often it was sent.", AFF_V_DEAD, 0, 0 },
    [VERDICT_FAILED - 1] = { "failed", "The line was lost in the middle of it.", AFF_V_DEAD, 0, 0 },
    [VERDICT_EXPIRED - 1] = { "expired", "It waited longer than command_wait.", AFF_V_DEAD, 0, 0 },
    [VERDICT_BAD_VALUE - 1] = { "bad_value", "A value that it wants is not in its row, or may not be sent.", AFF_V_DEAD, 0, 0 },
    [VERDICT_UNKNOWN - 1] = { "unknown_command", "There is no command of this name.", AFF_V_DEAD, 0, 0 },
    [VERDICT_TOO_MANY - 1] = { "too_many", "More commands wait than one device can have.", AFF_V_DEAD, 0, 0 },
};

#define COUNTER(name_, unit_, doc_) { name_, doc_, unit_, AFF_METRIC_COUNTER, 0 }
static const struct aff_metric metrics[] = {
    [METRIC_FRAMES] = COUNTER("frames", NULL, "Frames that became records."),
    [METRIC_BYTES] = COUNTER("bytes", "By", "Bytes that came."),
    [METRIC_SKIPPED] = COUNTER("skipped", "By", "Bytes that are in no frame: garbage, bad frames, what is between "
                                                "frames."),
    [METRIC_BAD_LONG] = COUNTER("bad_long", NULL, "Bad frames: above max_frame."),
    [METRIC_BAD_LENGTH] = COUNTER("bad_length", NULL, "Bad frames: a length field that cannot be."),
    [METRIC_BAD_SUM] = COUNTER("bad_checksum", NULL, "Bad frames: a wrong checksum."),
    [METRIC_BAD_ENCODING] = COUNTER("bad_encoding", NULL, "Bad frames: an escape or code that cannot be."),
    [METRIC_BAD_CUT] = COUNTER("bad_cut", NULL, "Bad frames: the end never came, or the line was lost."),
    [METRIC_LOST] = COUNTER("lost", NULL, "Times that the line was lost, or not there at first."),
    [METRIC_OPENED] = COUNTER("opened", NULL, "Times that the line was opened."),
    [METRIC_SILENT] = COUNTER("silences", NULL, "Times that nothing came for silent_after."),
    [METRIC_LINE_FRAMING] = COUNTER("line_framing", NULL, "Characters without a stop bit, as the driver counts them."),
    [METRIC_LINE_PARITY] = COUNTER("line_parity", NULL, "Characters with a wrong parity bit, as the driver counts "
                                                        "them."),
    [METRIC_LINE_OVERRUNS] = COUNTER("line_overruns", NULL, "Characters that were lost before they were read, as the "
                                                            "driver counts them."),
    [METRIC_LINE_BREAKS] = COUNTER("line_breaks", NULL, "Breaks, as the driver counts them."),
    [METRIC_SENT] = COUNTER("sent", "By", "Bytes that were sent."),
    [METRIC_COMMANDS] = COUNTER("commands", NULL, "Commands that came."),
    [METRIC_DONE] = COUNTER("commands_done", NULL, "Commands that were done, with those of on_open and polls."),
    [METRIC_NOT_DONE] = COUNTER("commands_not_done", NULL, "Commands that were not done, for any reason."),
    [METRIC_RETRIES] = COUNTER("retries", NULL, "Times that a command was sent again."),
    [METRIC_UNREADABLE] = COUNTER("unreadable", NULL, "Times that bytes came and no frame for unreadable_after."),
    [METRIC_QUEUED] = { "queued", "Commands that wait or are at work.", NULL, AFF_METRIC_GAUGE, 0 },
};

AFF_PLUGIN_NOTE(AFF_SOURCE, "in_serial", "0.1.0");

/* AFF_STAYS: of a command's row only the columns that its text names reach the
 * device, and none that is labelled phi: command_bytes sends no such value, and
 * config_shape says so before where the host tells what comes in. */
AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SOURCE,
    .flags = AFF_STAYS,
    .name = "in_serial",
    .version = "0.1.0",
    .summary = "Reads a device on a serial line, frame by frame, and tells it commands.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = config_validate,
    .shape = config_shape,
    .open = serial_open,
    .close = serial_close,
    .read = serial_read,
    .process = orders_process,
    .snapshot = serial_snapshot,
    .restore = serial_restore,
};
