/* gated.c - see gated.h. */
#include "gated.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "ends.h"

enum { SIZE = 64, EVERY_NS = 1000000, A_READ = 8, READ_NS = 100000, ROUSE_NS = 500000 };

struct gated {
    const struct aff_host *host;
    struct gate *gate;
    uint64_t next;
    uint32_t schema, subject, streams[ENDS_STREAMS];
    pthread_t thread;
    bool has_thread;
    _Atomic bool ends;
};

/* Rouses from open to close, through whatever becomes of its lane. */
static void *gated_rouse(void *self)
{
    struct gated *s = self;

    while (!atomic_load(&s->ends)) {
        struct timespec t = { .tv_nsec = ROUSE_NS };

        s->host->rouse(s->host);
        nanosleep(&t, NULL);
    }
    return NULL;
}

static aff_status gated_names(struct gated *s)
{
    static const struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_BYTES, .name = "test" };
    char name[2] = "0";
    uint32_t i;

    s->schema = s->host->schema(s->host, &schema);
    s->subject = s->host->subject(s->host, "nobody");
    for (i = 0; i < ENDS_STREAMS; i++, name[0]++)
        s->streams[i] = s->host->stream(s->host, s->subject, name, s->schema);
    return s->streams[ENDS_STREAMS - 1] ? AFF_OK : AFF_ERR_MEMORY;
}

static aff_status gated_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct gated *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->gate = (struct gate *)(uintptr_t)config;
    host->incarnation(host, "x", 1);
    atomic_fetch_add(&s->gate->opened, 1);
    if (gated_names(s) < 0) {
        host->free(host, s);
        return AFF_ERR_MEMORY;
    }
    s->has_thread = pthread_create(&s->thread, NULL, gated_rouse, s) == 0;
    *ret_self = s;
    return AFF_OK;
}

static void gated_close(void *self)
{
    struct gated *s = self;

    atomic_store(&s->ends, true);
    if (s->has_thread)
        pthread_join(s->thread, NULL);
    atomic_fetch_add(&s->gate->closed, 1);
    s->host->free(s->host, s);
}

static aff_status gated_read(void *self, uint32_t want)
{
    struct gated *s = self;
    uint32_t i;

    want = want < A_READ ? want : A_READ;
    for (; want > 0 && s->next < atomic_load(&s->gate->upto); want--, s->next++) {
        struct aff_record *r = s->host->reserve(s->host, 0, AFF_NO_INPUT, SIZE);

        if (!r)
            return AFF_ERR_MEMORY;
        memset(r->data, 0, SIZE);
        memcpy(r->data, &s->next, sizeof s->next);
        r->subject = s->subject;
        r->stream = s->streams[s->next % ENDS_STREAMS];
        r->schema = s->schema;
        r->event_ns = (int64_t)s->next * EVERY_NS;
        if (s->host->emit(s->host, r, SIZE) < 0)
            return AFF_ERR_BUG;
    }
    if (s->next < ENDS_RECORDS || !s->gate->ends) {
        s->host->wake_at(s->host, s->host->now_ns(s->host) + READ_NS);
        return AFF_AGAIN;
    }
    for (i = 0; i < ENDS_STREAMS; i++)
        s->host->stream_end(s->host, 0, s->streams[i]);
    return AFF_END;
}

static aff_status gated_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    struct gated *s = self;

    *ret_size = sizeof s->next;
    if (room >= sizeof s->next)
        memcpy(buffer, &s->next, sizeof s->next);
    return AFF_OK;
}

static aff_status gated_restore(void *self, const void *buffer, size_t size)
{
    struct gated *s = self;

    if (size != sizeof s->next)
        return AFF_ERR_DATA;
    memcpy(&s->next, buffer, size);
    return gated_names(s);
}

static void gated_committed(void *self, uint64_t epoch)
{
    atomic_store(&((struct gated *)self)->gate->told, epoch);
}

static const struct aff_port out_made[] = { { .name = "out", .types = AFF_MASK(AFF_BYTES) } };
const struct aff_plugin gated = {
    .struct_size = sizeof gated, .major = AFF_ABI_MAJOR, .kind = AFF_SOURCE, .flags = AFF_PULL | AFF_REPLAYS,
    .name = "gated", .outputs = AFF_TABLE(out_made), .open = gated_open, .close = gated_close,
    .read = gated_read, .snapshot = gated_snapshot, .restore = gated_restore, .committed = gated_committed,
};
