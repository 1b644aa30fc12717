/* snap.c - see snap.h.
 *
 * A snapshot is read in two passes: the first only looks, so that bytes which are
 * damaged anywhere change nothing; the second fills the node, and the plugin comes
 * last, because it may refuse.
 *
 * Not here: each part as bytes (state.c, timers.c, hold.c). */
#include "flow/snap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cell/cell.h"
#include "flow/lane.h"
#include "flow/snap_inside.h"

enum { SNAP_VERSION = 1, SNAP_ALIGN = 16, SNAP_FIRST = 256, SNAP_TRIES = 4 };
enum { SNAP_HAS_FIRST = 1, SNAP_ENDED = 2, SNAP_PLUGIN = 4 };

/* What stands in front of the parts. */
struct head {
    const char *plugin;
    uint64_t options;
    struct ids ids;
    int64_t first_event_ns;
    int64_t last_event_ns;
    uint8_t flags;
    const void *own; /* what the plugin gave */
    size_t own_size;
};

/* ---- writing ---- */

/* The plugin writes right into the buffer, at an aligned place; `room` is what there
 * happens to be. */
static aff_status own_write(struct node *node, struct wire *wire)
{
    size_t pad = (SNAP_ALIGN - (wire->size + 5u) % SNAP_ALIGN) % SNAP_ALIGN, at = wire->size + 1u, size = SNAP_FIRST;
    aff_status st;
    int tries;

    wire_u8(wire, (uint8_t)pad);
    wire_u32(wire, 0);
    wire_pad(wire, SNAP_ALIGN);
    for (tries = 0; tries < SNAP_TRIES; tries++) {
        void *to = wire_room(wire, size);
        size_t room = wire->room - wire->size;

        if (!to || size > UINT32_MAX)
            return AFF_ERR_MEMORY;
        st = node->about->snapshot(node->self, to, room, &size);
        if (st != AFF_OK)
            return st < 0 ? st : AFF_ERR_BUG;
        if (size > room)
            continue;
        wire->size += size;
        wire_patch_u32(wire, at, (uint32_t)size);
        return AFF_OK;
    }
    return node->host.explain(&node->host, AFF_ERR_BUG, "snapshot asks for more room each time");
}

/* A source that came to its end has none to read again; one that a limit ended goes
 * on behind it. */
static bool has_ended(const struct node *node)
{
    return node->about->kind == AFF_SOURCE && atomic_load_explicit(&node->give, memory_order_relaxed) == GIVE_ENDED;
}

static aff_status parts_write(struct node *node, struct wire *wire, bool own)
{
    aff_status st = AFF_OK;

    wire_u8(wire, SNAP_VERSION);
    wire_text(wire, node->about->name);
    wire_u64(wire, node->plan->options_hash);
    wire_u8(wire, (uint8_t)((node->has_first ? SNAP_HAS_FIRST : 0) | (has_ended(node) ? SNAP_ENDED : 0) |
                            (own ? SNAP_PLUGIN : 0)));
    wire_u64(wire, node->ids.source);
    wire_u64(wire, node->ids.seq);
    wire_u64(wire, node->ids.loose);
    wire_u64(wire, (uint64_t)node->first_event_ns);
    wire_u64(wire, (uint64_t)node->last_event_ns);
    if (own)
        st = own_write(node, wire);
    if (st != AFF_OK)
        return st;
    state_save(node, wire);
    timers_save(node, wire);
    hold_save(node, wire);
    return wire->failed ? AFF_ERR_MEMORY : AFF_OK;
}

static bool is_blank(const struct node *node)
{
    return node->cell && cell_is_blank(node->cell);
}

/* A child that has done nothing yet may die of the question itself. */
aff_status snap_write(struct node *node, struct wire *wire)
{
    bool own = node->about->snapshot != NULL && !is_blank(node);
    size_t at = wire->size;
    aff_status st = parts_write(node, wire, own);

    if (st == AFF_OK || !own || !is_blank(node))
        return st;
    wire->size = at;
    return parts_write(node, wire, false);
}

/* ---- reading ---- */

static void head_read(struct wire_in *in, struct head *ret)
{
    *ret = (struct head){ 0 };
    ret->plugin = wire_in_text(in);
    ret->options = wire_in_u64(in);
    ret->flags = wire_in_u8(in);
    ret->ids.source = wire_in_u64(in);
    ret->ids.seq = wire_in_u64(in);
    ret->ids.loose = wire_in_u64(in);
    ret->first_event_ns = (int64_t)wire_in_u64(in);
    ret->last_event_ns = (int64_t)wire_in_u64(in);
    if (ret->flags & SNAP_PLUGIN) {
        uint8_t pad = wire_in_u8(in);

        ret->own_size = wire_in_u32(in);
        wire_in_take(in, pad);
        ret->own = wire_in_take(in, ret->own_size);
        in->bad |= pad >= SNAP_ALIGN;
    }
    in->bad |= !ret->plugin || ret->flags > (SNAP_HAS_FIRST | SNAP_ENDED | SNAP_PLUGIN);
}

static aff_status refuse(char *why, size_t room, const char *text)
{
    snprintf(why, room, "%s", text);
    return AFF_ERR_DATA;
}

/* Whether it is for this node at all. */
static aff_status head_check(const struct node *node, const struct head *head, char *why, size_t room)
{
    bool is_source = node->about->kind == AFF_SOURCE;

    if (strcmp(head->plugin, node->about->name) != 0)
        return refuse(why, room, "what is stored is of another plugin");
    if (!is_source && !(node->about->flags & AFF_ADAPTS) && head->options != node->plan->options_hash)
        return refuse(why, room, "its options are others than those that its stored state was made with");
    if (head->own && !node->about->restore)
        return refuse(why, room, "the plugin restores nothing, and what is stored has a state of it");
    return AFF_OK;
}

/* Names the part that does not fit; NULL: all do. `apply`: they are taken over. */
static const char *parts_read(struct node *node, struct wire_in *in, bool apply)
{
    if (!state_load(node, in, apply))
        return "its stored state per stream or subject is damaged, or of another size";
    if (!timers_load(node, in, apply))
        return "its stored timers are damaged, or it has none now";
    if (!hold_load(node, in, apply))
        return apply ? "no memory, or no room for names, for the records that it held"
                     : "its stored records that were held are damaged, or more than run.max_held";
    if (in->bad || in->at != in->end)
        return "its stored state is damaged";
    return NULL;
}

/* Plugins get bytes as aligned as they wrote them. */
static aff_status own_restore(struct node *node, const struct head *head, char *why, size_t room)
{
    size_t size = (head->own_size + SNAP_ALIGN) & ~(size_t)(SNAP_ALIGN - 1u);
    aff_status st;
    void *copy;

    if (!(head->flags & SNAP_PLUGIN))
        return AFF_OK;
    copy = aligned_alloc(SNAP_ALIGN, size);
    if (!copy) {
        snprintf(why, room, "no memory for its stored state");
        return AFF_ERR_MEMORY;
    }
    memcpy(copy, head->own, head->own_size);
    node->why[0] = '\0';
    st = node->about->restore(node->self, copy, head->own_size);
    free(copy);
    if (st >= 0)
        return AFF_OK;
    snprintf(why, room, "%s", node->why[0] ? node->why : "the plugin refuses its stored state");
    return st;
}

/* Who ended is not asked again, unless it goes by a position of its own and can read what
 * that leads to: its input may be another now, or have more in it. */
static bool stays_over(const struct node *node, const struct head *head)
{
    bool looks = (head->flags & SNAP_PLUGIN) && (node->about->flags & AFF_REPLAYS);

    return node->about->kind == AFF_SOURCE && (head->flags & SNAP_ENDED) && !looks;
}

static void head_apply(struct node *node, const struct head *head)
{
    /* What a live source gave behind the last commit went out under the ids that come
     * next: it goes on under others. */
    if (node->about->kind != AFF_SOURCE || (node->about->flags & AFF_REPLAYS)) {
        node->ids.source = head->ids.source;
        node->ids.seq = head->ids.seq;
    }
    node->ids.loose = head->ids.loose;
    node->first_event_ns = head->first_event_ns;
    node->last_event_ns = head->last_event_ns;
    node->has_first = (head->flags & SNAP_HAS_FIRST) != 0;
    if (stays_over(node, head)) {
        node->over = true;
        atomic_store_explicit(&node->give, GIVE_ENDED, memory_order_relaxed);
    }
}

/* As after open. */
static void undo(struct node *node, const struct ids *ids)
{
    node->ids = *ids;
    node->first_event_ns = node->last_event_ns = 0;
    node->has_first = node->over = false;
    node->wake_ns = node->about->kind == AFF_SOURCE ? 0 : INT64_MAX;
    atomic_store_explicit(&node->give, GIVE_BUSY, memory_order_relaxed);
    state_reset(&node->state);
    timers_reset(&node->timers);
    hold_reset(node);
}

aff_status snap_read(struct node *node, const void *bytes, size_t size, char *why, size_t room)
{
    struct wire_in in = { bytes, (const uint8_t *)bytes + size, false }, again;
    struct ids ids = node->ids;
    const char *misfit;
    struct head head;
    aff_status st;

    if (wire_in_u8(&in) != SNAP_VERSION)
        return refuse(why, room, "what is stored is damaged, or of a later version");
    head_read(&in, &head);
    if (in.bad)
        return refuse(why, room, "its stored state is damaged");
    st = head_check(node, &head, why, room);
    if (st < 0)
        return st;
    again = in;
    misfit = parts_read(node, &in, false);
    if (misfit)
        return refuse(why, room, misfit);
    head_apply(node, &head);
    misfit = parts_read(node, &again, true);
    if (misfit)
        snprintf(why, room, "%s", misfit);
    st = misfit ? AFF_ERR_MEMORY : own_restore(node, &head, why, room);
    if (st < 0)
        undo(node, &ids);
    return st;
}
