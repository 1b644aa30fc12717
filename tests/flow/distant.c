/* distant.c - see distant.h. */
#include "distant.h"

#include <string.h>

enum { PENDING = 2048, NS_PER_MS = 1000000 };

struct distant_self {
    const struct aff_host *host;
    struct distant *d;
    struct aff_id ids[PENDING];
    uint64_t seqs[PENDING];
    uint32_t count;
};

static aff_status distant_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct distant_self *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->d = (struct distant *)(uintptr_t)config;
    strncpy(s->d->node, host->node, sizeof s->d->node - 1);
    strncpy(s->d->pipeline, host->pipeline, sizeof s->d->pipeline - 1);
    s->d->window_records = host->window_records;
    s->d->window_epochs = host->window_epochs;
    *ret_self = s;
    return AFF_OK;
}

static void distant_close(void *self)
{
    ((struct distant_self *)self)->host->free(((struct distant_self *)self)->host, self);
}

static aff_status distant_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct distant_self *s = self;
    struct distant *d = s->d;

    if (d->fails >= 5 && batch->count > d->largest)
        d->largest = batch->count;
    for (; *ret_taken < batch->count && s->count < PENDING; ++*ret_taken) {
        const struct aff_record *r = &batch->records[*ret_taken];

        if (d->mood != MOOD_FAILS && d->mood != MOOD_BUSY)
            far_end_take(&d->end, r);
        if (r->flags & AFF_FLAG_RESENT && d->first_again == 0)
            d->first_again = batch->count;
        d->resent += (r->flags & AFF_FLAG_RESENT) != 0;
        d->kept_ids += r->id.source == 77 && r->id.seq % 3 == 1 && ((r->flags & AFF_FLAG_RESENT) != 0) == (r->id.seq % 2 == 1);
        memcpy(&s->seqs[s->count], r->data, sizeof s->seqs[0]);
        s->ids[s->count++] = r->id;
    }
    if (atomic_load(&d->mood) != MOOD_GATHERS)
        s->host->wake_at(s->host, s->host->now_ns(s->host) + NS_PER_MS);
    return *ret_taken == batch->count ? AFF_OK : AFF_AGAIN;
}

static void pick_answer(struct distant_self *s, uint32_t i)
{
    const struct aff_host *host = s->host;

    if (s->seqs[i] % 10 == 3)
        host->answer(host, s->ids[i], AFF_ERR_DATA, 1, "HTTP 422");
    else if (s->seqs[i] % 10 == 4)
        host->answer(host, s->ids[i], AFF_OK, 2, NULL);
    else
        host->answer(host, s->ids[i], AFF_OK, 0, "HTTP 200");
}

static void turn_over(struct distant *d)
{
    if (d->turns > 0 && --d->turns == 0) {
        atomic_store(&d->mood, MOOD_GOOD);
        d->fails = 0;
    }
}

static void answer_all(struct distant_self *s)
{
    const struct aff_host *host = s->host;
    int mood = atomic_load(&s->d->mood);
    uint32_t i;

    if (mood == MOOD_TRICKLES) {
        host->answer(host, s->ids[--s->count], AFF_ERR_IO, 0, "HTTP 503");
        host->wake_at(host, host->now_ns(host) + NS_PER_MS);
        turn_over(s->d);
        return;
    }
    s->d->fails += mood == MOOD_FAILS && s->count > 0;
    for (i = 0; i < s->count; i++)
        if (mood == MOOD_FAILS)
            host->answer(host, s->ids[i], AFF_ERR_IO, 0, "HTTP 503");
        else if (mood == MOOD_BUSY)
            host->ack(host, s->ids[i], AFF_AGAIN);
        else if (mood == MOOD_PICKS)
            pick_answer(s, i);
        else
            host->ack(host, s->ids[i], AFF_OK);
    s->count = 0;
    turn_over(s->d);
}

static aff_status distant_wake(void *self)
{
    struct distant_self *s = self;

    s->d->wakes++;
    if (s->count > 0 && atomic_load(&s->d->mood) != MOOD_MUTE)
        answer_all(s);
    return AFF_OK;
}

static aff_status distant_flush(void *self)
{
    struct distant_self *s = self;

    s->d->flushes++;
    if (atomic_load(&s->d->mood) == MOOD_GATHERS)
        answer_all(s);
    return AFF_OK;
}

static const struct aff_port in_any[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_verdict distant_verdicts[] = { { .name = "refused_there", .kind = AFF_V_DEAD },
                                                       { .name = "expired_there", .kind = AFF_V_DROP } };
const struct aff_plugin distant = {
    .struct_size = sizeof distant, .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .flags = AFF_ACKS | AFF_BLOCKS, .name = "distant",
    .inputs = AFF_TABLE(in_any), .verdicts = AFF_TABLE(distant_verdicts), .open = distant_open, .close = distant_close,
    .write = distant_write, .wake = distant_wake, .flush = distant_flush,
};
