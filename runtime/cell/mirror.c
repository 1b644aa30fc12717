/* mirror.c - state per stream or subject, as a child sees it.
 *
 * It lies in memory that both can write. The truth is the real host's: slots are
 * brought in when they are asked for, or when their records come, and taken back when
 * the call is booked. A child that dies leaves the truth as it was, and a child that
 * writes where it should not spoils nothing but what its own node keeps.
 *
 * Not here: the real slots (flow/state.c). */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cell/inside.h"

enum {
    STREAMS = 16385, /* slots, as many as there can be streams */
    SUBJECTS = 4097,
    SLOT_ALIGN = 64
};
#define MIRROR_MOST ((uint64_t)1 << 30)

/* The records that the slot has, for what is kept by stream and subject. */
uint32_t slot_records(const struct slot *slot, const struct aff_record **ret_records)
{
    *ret_records = slot->due ? slot->due : slot->records;
    if (slot->due || slot->call == PAGE_CALL_STREAM_END)
        return 1;
    return slot->call == PAGE_CALL_BATCH ? slot->count : 0;
}

void mirror_close(struct mirror *m)
{
    if (m->base)
        munmap(m->base, m->bytes * m->slots);
    free(m->filled);
    m->base = NULL;
    m->filled = NULL;
    m->filled_count = 0;
}

/* The memfd is the child's as well: it may have done anything to it until now. */
static bool mirror_map(struct cell *cell)
{
    struct mirror *m = &cell->mirror;
    uint64_t size = m->bytes * m->slots;
    int fd = cell->pages.state_fd;
    struct stat st;
    void *base;

    if (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0 ||
        fstat(fd, &st) < 0 || (uint64_t)st.st_size != size)
        return false;
    base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (base == MAP_FAILED)
        return false;
    m->base = base;
    m->filled = calloc(m->slots, 1);
    m->filled_count = 0;
    return m->filled != NULL;
}

bool mirror_serve(struct cell *cell, const char **ret_why)
{
    struct mirror *m = &cell->mirror;
    uint64_t bytes = (cell->asked.a + SLOT_ALIGN - 1u) & ~(uint64_t)(SLOT_ALIGN - 1u);
    bool per_subject = cell->asked.b != 0;
    uint32_t slots = per_subject ? SUBJECTS : STREAMS;
    aff_status st = AFF_OK;

    *ret_why = "state_open twice, or for another size than before";
    if (m->base || (m->is_open && (m->size != cell->asked.a || m->per_subject != per_subject)))
        return false;
    if (cell->asked.a == 0 || cell->asked.a > MIRROR_MOST || bytes * slots > MIRROR_MOST) {
        cell->host->explain(cell->host, AFF_ERR_MEMORY, "state of %llu bytes each is more than a plugin in a "
                            "process may have; run it in a thread", (unsigned long long)cell->asked.a);
        cell->pages.host->result = AFF_ERR_MEMORY;
        return true;
    }
    if (!m->is_open)
        st = cell->host->state_open(cell->host, (size_t)cell->asked.a, per_subject);
    if (st == AFF_OK) {
        m->is_open = true;
        m->bytes = bytes;
        m->size = cell->asked.a;
        m->slots = slots;
        m->per_subject = per_subject;
        *ret_why = "the memory for its state was tampered with";
        if (!mirror_map(cell))
            return false;
    }
    cell->pages.host->result = st;
    cell->pages.host->more = bytes;
    return true;
}

/* False: there is no such slot. */
bool mirror_slot(struct cell *cell, uint64_t number)
{
    struct mirror *m = &cell->mirror;
    uint8_t *slot;
    void *truth;

    if (!m->base || number == 0 || number >= m->slots)
        return false;
    truth = cell->host->state(cell->host, (uint32_t)number);
    if (!truth)
        return false;
    slot = m->base + number * m->bytes;
    if (!m->filled[number] || memcmp(slot, truth, m->size) != 0)
        memcpy(slot, truth, m->size);
    m->filled_count += !m->filled[number];
    m->filled[number] = 1;
    return true;
}

static void slot_take(struct cell *cell, uint64_t number)
{
    struct mirror *m = &cell->mirror;
    void *truth;

    if (!m->base || number == 0 || number >= m->slots || !m->filled[number])
        return;
    truth = cell->host->state(cell->host, (uint32_t)number);
    if (truth)
        memcpy(truth, m->base + number * m->bytes, m->size);
}

static uint32_t number_of(const struct cell *cell, const struct aff_record *r)
{
    return cell->mirror.per_subject ? r->subject : r->stream;
}

void mirror_fill(struct cell *cell, const struct slot *slot)
{
    const struct aff_record *r;
    uint32_t i, count = slot_records(slot, &r);

    for (i = 0; i < count; i++)
        if (i == 0 || number_of(cell, &r[i]) != number_of(cell, &r[i - 1]))
            mirror_slot(cell, number_of(cell, &r[i]));
}

/* Those whose records came, and those that were asked for. */
void mirror_take(struct cell *cell, const struct slot *slot)
{
    const struct aff_record *r;
    uint32_t i, count = slot_records(slot, &r);
    const struct entry *e = (const struct entry *)(const void *)cell->result.bytes;
    const uint8_t *end = cell->result.bytes + cell->result.size;

    if (!cell->mirror.base)
        return;
    for (i = 0; i < count; i++)
        if (i == 0 || number_of(cell, &r[i]) != number_of(cell, &r[i - 1]))
            slot_take(cell, number_of(cell, &r[i]));
    for (; (const uint8_t *)e < end; e = entry_next(e))
        if (e->kind == ENTRY_TOUCH)
            slot_take(cell, e->a);
}
