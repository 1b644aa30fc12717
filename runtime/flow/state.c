/* state.c - what a node keeps per stream or per subject.
 *
 * An array in reserved address space: a slot costs memory from its first use on.
 * A slot whose integer was given to another stream since is zeroed at the next
 * use: generations say so. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "flow/lane.h"

enum { SLOT_ALIGN = 64 };

aff_status state_open(struct node *node, size_t bytes, bool per_subject)
{
    struct state *s = &node->state;
    void *base;

    if (s->base || bytes == 0)
        return node->host.explain(&node->host, AFF_ERR_BUG, "state_open is called once, with a size");
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
    if (s->generations[number] != generation) {
        memset(slot, 0, s->bytes);
        s->generations[number] = generation;
    }
    return slot;
}
