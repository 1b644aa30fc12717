/* SPDX-License-Identifier: Apache-2.0
 *
 * turns.c - see turns.h. */
#include "recording/turns.h"

#include "recording/place.h"

#include <string.h>

enum { STEPS = 2048 }; /* passed over in one read before the host may look around */

static const char *text_at(const struct aff_list *list, uint32_t i)
{
    return *(const char *const *)(const void *)((const char *)list->items + (size_t)i * list->stride);
}

aff_status turns_open(struct turns *t, const struct aff_host *host, const struct turns_kind *kind,
                      const struct aff_list *path, const struct aff_list *signals)
{
    uint32_t i;

    t->host = host;
    t->kind = kind;
    if (signals->count) {
        t->selected = host->alloc(host, signals->count * sizeof *t->selected);
        if (!t->selected)
            return AFF_ERR_MEMORY;
        for (i = 0; i < signals->count; i++)
            t->selected[i] = text_at(signals, i);
    }
    return paths_open(&t->paths, host, &kind->paths, path);
}

void turns_close(void *self)
{
    struct turns *t = self;
    const struct aff_host *host = t->host;

    t->kind->close(t);
    paths_close(&t->paths);
    if (t->selected)
        host->free(host, t->selected);
    host->free(host, t);
}

const char *turns_file(const struct turns *t)
{
    return path_base(paths_get(&t->paths, t->index));
}

int turns_passes(const struct turns *t)
{
    return t->emitted < t->skip;
}

void turns_named(struct turns *t, const uint8_t hash[DIGEST_SIZE], uint32_t metric)
{
    if (t->has_known && memcmp(t->known, hash, DIGEST_SIZE) == 0 && t->skip)
        return;
    if (t->skip) {
        t->host->log(t->host, AFF_LOG_WARN, "%s %u of %u has changed since it was read in part; it is read anew",
                     t->kind->what, t->index + 1, t->paths.count);
        t->skip = 0;
    }
    memcpy(t->known, hash, DIGEST_SIZE);
    t->has_known = 1;
    t->host->incarnation(t->host, hash, DIGEST_SIZE);
    t->host->count(t->host, metric, 1);
}

/* Ends the recording's streams and goes on to the next one. */
static aff_status turn_end(struct turns *t)
{
    aff_status st = t->kind->end_streams(t);

    if (st != AFF_OK)
        return st;
    t->kind->close(t);
    t->emitted = t->skip = 0;
    t->index++;
    t->state = TURNS_BEGIN;
    return AFF_OK;
}

/* After a fault. What may get better is tried again from the beginning, without
 * what was emitted already; what does not is left behind. */
static aff_status turn_leave(struct turns *t, aff_status st)
{
    if (st == AFF_ERR_IO) {
        if (!turns_passes(t))
            t->skip = t->emitted;
        t->kind->close(t);
        t->state = TURNS_BEGIN;
        return st;
    }
    if (st == AFF_ERR_DATA && t->state != TURNS_ENDED)
        (void)turn_end(t);
    return st;
}

/* *ret_emitted: it was something for the host. */
static aff_status turn_next(struct turns *t, int *ret_emitted)
{
    int passed = 0;
    aff_status st = t->kind->next(t, &passed);

    if (st == AFF_END)
        return turn_end(t);
    if (st == AFF_OK && passed) {
        *ret_emitted = !turns_passes(t);
        t->emitted++;
    }
    return st;
}

/* One step of the state; AFF_AGAIN from TURNS_HASH means "not through yet". */
static aff_status turn_step(struct turns *t, int *ret_emitted)
{
    aff_status st;

    *ret_emitted = 0;
    switch (t->state) {
    case TURNS_BEGIN:
        if (t->index == t->paths.count) {
            t->state = TURNS_ENDED;
            return AFF_END;
        }
        st = t->kind->hash_begin(t);
        break;
    case TURNS_HASH:
        st = t->kind->hash_step(t);
        break;
    case TURNS_OPEN:
        t->emitted = 0;
        st = t->kind->open(t);
        break;
    case TURNS_NAME:
        st = t->kind->name(t);
        break;
    case TURNS_DATA:
        return turn_next(t, ret_emitted);
    default:
        return AFF_END;
    }
    if (st == AFF_OK)
        t->state = (enum turns_state)(t->state + 1);
    return st;
}

aff_status turns_read(void *self, uint32_t want)
{
    struct turns *t = self;
    uint32_t emitted = 0, step;

    for (step = 0; emitted < want && step < STEPS; step++) {
        enum turns_state before = t->state;
        int one;
        aff_status st = turn_step(t, &one);

        emitted += (uint32_t)one;
        if (st == AFF_AGAIN && before == TURNS_HASH)
            return AFF_OK;
        if (st < 0)
            return turn_leave(t, st);
        if (st != AFF_OK)
            return st;
    }
    return AFF_OK;
}

aff_status turns_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct turns *t = self;
    struct place p = { .index = t->index, .has_known = t->has_known };

    p.emitted = turns_passes(t) ? t->skip : t->emitted;
    memcpy(p.known, t->known, sizeof p.known);
    return place_snapshot(&p, t->kind->position, &t->paths, buffer, room, ret_size);
}

aff_status turns_restore(void *self, const void *buffer, size_t size)
{
    struct turns *t = self;
    struct place p;
    aff_status st = place_restore(&p, t->kind->position, &t->paths, buffer, size);

    if (st != AFF_OK)
        return st;
    t->index = p.index;
    t->skip = p.emitted;
    t->has_known = p.has_known;
    memcpy(t->known, p.known, sizeof t->known);
    return AFF_OK;
}
