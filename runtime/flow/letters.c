/* letters.c - dead letters, from where a record fails to the commit of its epoch.
 *
 * A lane writes its letters into a box of the epoch under way; the commit takes the
 * boxes of the epochs that it makes safe. A box is used again.
 *
 * Not here: the bytes of a letter (wire.h), where letters are kept (keep/). */
#include <stdlib.h>
#include <string.h>

#include "flow/commit.h"

static struct wire *box_of(const struct lane *lane, uint64_t epoch)
{
    return &lane->letters[epoch % EPOCH_NOTES];
}

static int64_t utc_of(const struct node *node)
{
    uint8_t clock;

    return node->host.utc_ns(&node->host, &clock);
}

/* A letter stands in a box behind its size. */
static void box_add(struct node *node, struct wire *box, const struct wire_letter *letter,
                    const struct aff_record *record)
{
    struct wire *scratch = &node->lane->letter;

    wire_clear(scratch);
    wire_letter(scratch, node->flow->names, letter, record);
    wire_bytes(box, scratch->bytes, scratch->size);
    if (scratch->failed || box->failed)
        flow_fail(node->flow, node, AFF_ERR_MEMORY, "no memory for a dead letter");
}

void letter_post(struct node *node, const struct aff_record *record, uint32_t port, const char *reason,
                 const char *cause)
{
    letter_post_in(node, node->lane->epoch, record, port, reason, cause);
}

void letter_post_in(struct node *node, uint64_t epoch, const struct aff_record *record, uint32_t port,
                    const char *reason, const char *cause)
{
    const struct plugin *plugin = node->plan->plugin;
    struct wire_letter letter = {
        .node = node->plan->name,
        .port = port < plugin->input_count ? plugin->inputs[port].name : NULL,
        .reason = reason,
        .cause = cause,
        .tries = node->again_tries,
        .utc_ns = utc_of(node),
    };

    if (node->flow->kept)
        box_add(node, box_of(node->lane, epoch), &letter, record);
}

void letter_part(struct node *node, const struct aff_record *record, uint8_t verdict, uint64_t offset,
                 const void *bytes, uint32_t size)
{
    struct aff_record part = { .origin = EDGE_NO_ORIGIN, .type = AFF_BYTES };
    struct wire_letter letter = {
        .node = node->plan->name,
        .reason = node->plan->plugin->verdicts[verdict - 1].name,
        .cause = "",
        .utc_ns = utc_of(node),
        .offset = offset,
        .is_part = true,
    };

    if (!node->flow->kept)
        return;
    if (record)
        part = *record;
    part.schema = 0; /* its bytes are not what the input's schema says */
    part.type = AFF_BYTES;
    part.data = (void *)(uintptr_t)bytes;
    part.size = size;
    box_add(node, node->parts, &letter, &part);
}

void letter_parts_post(struct node *node)
{
    struct wire_in in;

    if (!node->flow->kept || node->parts->size == 0)
        return;
    in = (struct wire_in){ node->parts->bytes, node->parts->bytes + node->parts->size, false };
    while (in.at < in.end && !in.bad) {
        size_t size;
        const void *bytes = wire_in_bytes(&in, &size);

        if (bytes)
            wire_bytes(box_of(node->lane, node->lane->epoch), bytes, size);
    }
    wire_clear(node->parts);
}

void letter_parts_forget(struct node *node)
{
    if (node->flow->kept)
        wire_clear(node->parts);
}

void letters_gather(const struct lane *lane, uint64_t epoch, struct kept_group *group)
{
    struct wire *box = &lane->letters[epoch % EPOCH_NOTES];
    struct wire_in in = { box->bytes, box->bytes + box->size, false };
    size_t size;

    while (in.at < in.end && !in.bad) {
        const void *bytes = wire_in_bytes(&in, &size);

        if (bytes)
            kept_group_add(group, KEPT_DEAD, 0, 0, NULL, bytes, size);
    }
}

void letters_forget(const struct lane *lane, uint64_t epoch)
{
    wire_clear(&lane->letters[epoch % EPOCH_NOTES]);
}
