/* fuzz_wire.c - any bytes as what the store keeps: refused, or fit for use.
 *
 * The first byte says what they are: a record, a dead letter, a table of names, or a
 * node's snapshot. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flow/lane.h"
#include "flow/snap.h"
#include "flow/snap_inside.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* ---- records and letters ---- */

static void use_record(const struct wire_record *w)
{
    struct wire again = { 0 };
    struct wire_record second;

    must(strlen(w->subject) < SIZE_MAX && strlen(w->stream) < SIZE_MAX);
    wire_record_again(&again, w);
    must(!again.failed && wire_record_read(again.bytes, again.size, &second));
    must(strcmp(second.stream, w->stream) == 0 && second.record.size == w->record.size);
    wire_free(&again);
}

static void use_letter(const struct wire_letter *l)
{
    struct wire again = { 0 };
    struct wire_letter second;

    wire_letter(&again, NULL, l, NULL);
    must(!again.failed && wire_letter_read(again.bytes, again.size, &second));
    must(strcmp(second.reason, l->reason) == 0 && second.tries == l->tries);
    wire_free(&again);
}

/* ---- names ---- */

static const char *const nodes[] = { "source", "kept", "sink" };

static void use_names(struct names *names)
{
    uint64_t below = 1;
    struct wire_group group = { nodes, 3, &below, 1 };
    struct names *second = names_open();
    struct wire again = { 0 };
    uint32_t i;

    must(second != NULL);
    wire_names(&again, names, &group);
    must(!again.failed && wire_names_read(again.bytes, again.size, second, nodes, 3));
    for (i = 0; i <= NAMES_STREAMS; i++) {
        const struct aff_stream_info *a = names_stream_info(names, i), *b = names_stream_info(second, i);

        must(!a == !b && (!a || (strcmp(a->name, b->name) == 0 && a->generation == b->generation)));
        names_end(names, i, 0, 0);
    }
    names_commit(names, 1);
    names_close(&second);
    wire_free(&again);
}

/* ---- a node, without a pipeline around it ---- */

static aff_status restore(void *self, const void *buffer, size_t size)
{
    uint8_t sum = 0;
    size_t i;

    for (i = 0; i < size; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)buffer)[i]);
    *(uint8_t *)self = sum;
    return sum % 8 == 7 ? AFF_ERR_DATA : AFF_OK;
}

static aff_status snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    *ret_size = 1;
    if (room >= 1)
        memcpy(buffer, self, 1);
    return AFF_OK;
}

static aff_status timer(void *self, uint32_t subject, int64_t due_ns)
{
    (void)self;
    (void)subject;
    (void)due_ns;
    return AFF_OK;
}

struct alone {
    struct aff_plugin about;
    struct plugin plugin;
    struct plan_node plan_node;
    struct plan plan;
    struct flow flow;
    struct node node;
    uint8_t self;
};

static void alone_open(struct alone *a)
{
    static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_BYTES, .name = "x" };
    struct names_by by = { .is_source = true };

    memset(a, 0, sizeof *a);
    a->about = (struct aff_plugin){ .kind = AFF_PROCESSOR, .name = "keeper", .version = "1", .restore = restore,
                                    .snapshot = snapshot, .timer = timer };
    a->plugin.about = a->about;
    a->plugin.input_count = 2;
    a->plan_node = (struct plan_node){ .name = "kept", .plugin = &a->plugin, .max_held = 8, .options_hash = 77 };
    a->plan.nodes = &a->plan_node;
    a->plan.node_count = 1;
    a->flow.plan = &a->plan;
    a->flow.clock.is_virtual = true;
    a->flow.names = names_open();
    must(a->flow.names != NULL);
    a->node.flow = &a->flow;
    a->node.plan = &a->plan_node;
    a->node.about = &a->about;
    a->node.self = &a->self;
    a->node.wake_ns = INT64_MAX;
    names_schema(a->flow.names, &schema);
    names_stream(a->flow.names, names_subject(a->flow.names, "Ada", by), "ecg", 1, by);
    names_stream(a->flow.names, names_subject(a->flow.names, "Bea", by), "ecg", 1, by);
    must(hold_open(&a->node.hold, a->plan_node.max_held) && timers_open(&a->node) &&
         state_open(&a->node, 40, false) == AFF_OK);
}

static void alone_close(struct alone *a)
{
    hold_reset(&a->node);
    hold_close(&a->node.hold);
    state_close(&a->node.state);
    timers_close(&a->node.timers);
    names_close(&a->flow.names);
}

static void use_snapshot(const uint8_t *data, size_t size)
{
    static struct alone a;
    struct wire again = { 0 };
    char why[64] = "";
    uint32_t i;

    alone_open(&a);
    if (snap_read(&a.node, data, size, why, sizeof why) == AFF_OK) {
        must(snap_write(&a.node, &again) == AFF_OK);
        for (i = 0; hold_at(&a.node, i); i++)
            must(names_stream_info(a.flow.names, hold_at(&a.node, i)->stream) != NULL);
        must(i == a.node.hold.count && i <= a.plan_node.max_held);
    } else {
        must(why[0] && a.node.hold.count == 0 && a.node.timers.used == 0);
    }
    wire_free(&again);
    alone_close(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct names *names;
    struct wire_record record;
    struct wire_letter letter;

    if (size == 0)
        return 0;
    if (!names)
        names = names_open();
    must(names != NULL);
    switch (data[0] % 4) {
    case 0:
        if (wire_record_read(data + 1, size - 1, &record))
            use_record(&record);
        break;
    case 1:
        if (wire_letter_read(data + 1, size - 1, &letter))
            use_letter(&letter);
        break;
    case 2:
        free(wire_schema_find(data + 1, size - 1, 1));
        if (wire_names_read(data + 1, size - 1, names, nodes, 3)) {
            use_names(names);
            names_close(&names);
        }
        break;
    default:
        use_snapshot(data + 1, size - 1);
    }
    return 0;
}
