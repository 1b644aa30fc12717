/* state.c - what a node keeps per stream or per subject.
 *
 * An array in reserved address space: a slot costs memory from its first use on.
 * A slot whose integer was given to another stream since is zeroed at the next
 * use: generations say so. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "cell/cell.h"
#include "flow/lane.h"
#include "flow/snap_inside.h"

enum { SLOT_ALIGN = 64 };
#define STORED_MOST ((uint64_t)1 << 30) /* as much as a plugin in a process may have */

/* The plugin is opened later than its state was read: it is what it wants, or is let go. */
static bool stored_fits(struct node *node, size_t bytes, bool per_subject)
{
    struct state *s = &node->state;

    s->is_stored = false;
    if (s->asked == bytes && s->per_subject == per_subject)
        return true;
    flow_log(node->flow, AFF_LOG_WARN, node->plan->name, "its stored state per stream or subject is of another size, and is "
                                                         "not used");
    atomic_fetch_sub(&node->flow->stream_bytes, s->bytes);
    state_close(s);
    return false;
}

aff_status state_open(struct node *node, size_t bytes, bool per_subject)
{
    struct state *s = &node->state;
    void *base;

    if (s->is_stored && stored_fits(node, bytes, per_subject))
        return AFF_OK;
    if (s->base || bytes == 0)
        return node->host.explain(&node->host, AFF_ERR_BUG, "state_open is called once, with a size");
    s->asked = bytes;
    s->bytes = (bytes + SLOT_ALIGN - 1u) & ~(size_t)(SLOT_ALIGN - 1u);
    s->per_subject = per_subject;
    s->slots = (uint32_t)(per_subject ? NAMES_SUBJECTS : NAMES_STREAMS) + 1u;
    s->generations = calloc(s->slots, sizeof *s->generations);
    base = mmap(NULL, s->bytes * s->slots, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (!s->generations || base == MAP_FAILED) {
        free(s->generations);
        s->generations = NULL;
        if (base != MAP_FAILED)
            munmap(base, s->bytes * s->slots);
        return node->host.explain(&node->host, AFF_ERR_MEMORY, "no address space for state");
    }
    s->base = base;
    s->mapped = s->bytes * s->slots;
    atomic_fetch_add(&node->flow->stream_bytes, s->bytes);
    return AFF_OK;
}

void state_close(struct state *state)
{
    if (state->base)
        munmap(state->base, state->mapped);
    free(state->generations);
    *state = (struct state){ 0 };
}

static uint32_t generation_of(const struct node *node, uint32_t number)
{
    const struct aff_stream_info *info;

    if (node->state.per_subject)
        return names_subject_generation(node->flow->names, number);
    info = names_stream_info(node->flow->names, number);
    return info ? info->generation : 0;
}

void *state_get(struct node *node, uint32_t number)
{
    struct state *s = &node->state;
    uint32_t generation;
    uint8_t *slot;

    if (!s->base || number >= s->slots)
        return NULL;
    slot = s->base + (size_t)number * s->bytes;
    generation = generation_of(node, number);
    if (number >= s->used)
        s->used = number + 1u;
    if (s->generations[number] != generation) {
        memset(slot, 0, s->bytes);
        s->generations[number] = generation;
    }
    return slot;
}

/* ---- kept from one run to the next ---- */

static bool is_zero(const uint8_t *bytes, size_t size)
{
    static const uint8_t zeros[SLOT_ALIGN];
    size_t i, step;

    for (i = 0; i < size; i += step) {
        step = size - i < sizeof zeros ? size - i : sizeof zeros;
        if (memcmp(bytes + i, zeros, step) != 0)
            return false;
    }
    return true;
}

/* Whose slot it is; false: nobody's. */
static bool owner(struct node *node, uint32_t number, uint32_t generation, uint64_t *ret_name)
{
    struct names *names = node->flow->names;

    return node->state.per_subject ? names_subject_is(names, number, generation, ret_name)
                                   : names_stream_is(names, number, generation, ret_name);
}

void state_save(struct node *node, struct wire *wire)
{
    const struct state *s = &node->state;
    size_t at, room = s->asked;
    uint32_t number, count = 0;
    uint64_t name;
    void *to;

    wire_u64(wire, s->asked);
    wire_u8(wire, s->per_subject);
    at = wire->size;
    wire_u32(wire, 0);
    for (number = 1; number < s->used; number++) {
        if (is_zero(s->base + (size_t)number * s->bytes, room) || !owner(node, number, s->generations[number], &name))
            continue;
        wire_u32(wire, number);
        wire_u32(wire, s->generations[number]);
        wire_u64(wire, name);
        to = wire_room(wire, room);
        if (!to)
            return;
        memcpy(to, s->base + (size_t)number * s->bytes, room);
        wire->size += room;
        count++;
    }
    wire_patch_u32(wire, at, count);
}

/* The name is compared as well: without the table of names that belongs to it, what
 * is known of one patient would go to another. */
bool state_load(struct node *node, struct wire_in *in, bool apply)
{
    struct state *s = &node->state;
    uint64_t asked = wire_in_u64(in);
    uint8_t per_subject = wire_in_u8(in);
    uint32_t i, count = wire_in_u32(in);

    if (!in->bad && !s->base && asked > 0 && asked < STORED_MOST && node->cell && cell_is_blank(node->cell))
        s->is_stored = state_open(node, (size_t)asked, per_subject != 0) == AFF_OK; /* it cannot be asked yet */
    if (!in->bad && asked == 0 && count == 0) /* of one that never came up: nothing was kept */
        return true;
    if (in->bad || asked != s->asked || per_subject != s->per_subject || (count > 0 && !s->base))
        return false;
    for (i = 0; i < count; i++) {
        uint32_t number = wire_in_u32(in), generation = wire_in_u32(in);
        uint64_t name = wire_in_u64(in), is;
        const void *bytes = wire_in_take(in, s->asked);

        if (!bytes || number == 0 || number >= s->slots)
            return false;
        if (apply && owner(node, number, generation, &is) && is == name)
            memcpy(state_get(node, number), bytes, s->asked);
    }
    return true;
}

void state_reset(struct state *state)
{
    if (!state->base)
        return;
    madvise(state->base, state->mapped, MADV_DONTNEED); /* zeros from here on */
    memset(state->generations, 0, state->slots * sizeof *state->generations);
    state->used = 0;
}
